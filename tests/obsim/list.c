/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void *sim_alloc(size_t size)
{
    void *p = mem_zalloc(size);

    if (p == NULL)
        abort();
    return p;
}

void *sim_room(void *items, size_t n, size_t *space)
{
    if (n < *space)
        return items;
    *space = n == 0 ? 8 : 2 * n;
    items = mem_realloc(items, *space * sizeof(void *));
    if (items == NULL)
        abort();
    return items;
}

void sim_close_gap(void *items, size_t n, size_t i)
{
    char *at = (char *)items + i * sizeof(void *);

    memmove(at, at + sizeof(void *), (n - i - 1) * sizeof(void *));
}

void sim_name(char to[SIM_NAME], struct slice from)
{
    size_t n = from.n < SIM_NAME - 1 ? from.n : SIM_NAME - 1;

    if (n > 0)
        memcpy(to, from.s, n);
    to[n] = '\0';
}

struct slice sim_slice(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

void sim_text(char **to, struct slice from)
{
    char *made = sim_alloc(from.n + 1);

    if (from.n > 0)
        memcpy(made, from.s, from.n);
    mem_free(*to);
    *to = made;
}

const char *sim_c(const char *text)
{
    return text != NULL ? text : "";
}

static size_t value_index(const struct sim_values *v, const char *name)
{
    size_t i = 0;

    while (i < v->list.n && strcasecmp(v->list.items[i]->name, name) != 0)
        i++;
    return i;
}

const char *sim_values_get(const struct sim_values *v, const char *name)
{
    size_t i = value_index(v, name);

    return i < v->list.n ? v->list.items[i]->value : NULL;
}

void sim_values_set(struct sim_values *v, const char *name, struct slice value, int64_t now_us)
{
    size_t i = value_index(v, name);
    struct sim_value *one = i < v->list.n ? v->list.items[i] : sim_push(&v->list);

    sim_name(one->name, sim_slice(name));
    sim_text(&one->value, value);
    one->modified_us = now_us;
}

void sim_values_remove(struct sim_values *v, const char *name)
{
    size_t i = value_index(v, name);

    if (i == v->list.n)
        return;
    mem_free(v->list.items[i]->value);
    sim_remove(&v->list, i);
}

void sim_values_fini(struct sim_values *v)
{
    for (size_t i = 0; i < v->list.n; i++)
        mem_free(v->list.items[i]->value);
    sim_clear(&v->list);
}

uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

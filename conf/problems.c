/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/problems.h"

#include <string.h>

void settings_problems_init(struct settings_problems *p)
{
    *p = (struct settings_problems){ .items = NULL };
    arena_init(&p->arena);
}

void settings_problems_fini(struct settings_problems *p)
{
    arena_fini(&p->arena);
    *p = (struct settings_problems){ .items = NULL };
}

static struct settings_problem *new_item(struct settings_problems *p)
{
    if (p->n == p->space) {
        unsigned space = p->space > 0 ? p->space * 2 : 8;
        struct settings_problem *items = arena_array(&p->arena, space, sizeof *items);

        if (items == NULL)
            return NULL;
        if (p->n > 0)
            memcpy(items, p->items, p->n * sizeof *items);
        p->items = items;
        p->space = space;
    }
    return &p->items[p->n];
}

static int add(struct settings_problems *p, struct settings_problem item, struct slice key)
{
    struct settings_problem *to = new_item(p);

    item.source = arena_strdup(&p->arena, item.source);
    item.key = arena_strndup(&p->arena, key.n > 0 ? key.s : "", key.n < 128 ? key.n : 128);
    item.reason = arena_strdup(&p->arena, item.reason);
    if (to == NULL || item.source == NULL || item.key == NULL || item.reason == NULL)
        return ERR_NOMEM.code;
    *to = item;
    p->n++;
    if (item.warning)
        p->n_warnings++;
    return 0;
}

int problem_add(struct settings_problems *p, struct setting_origin at, struct slice key, const char *reason,
                const char *nearest)
{
    return add(p, (struct settings_problem){ at.source, at.line, .reason = reason, .nearest = nearest }, key);
}

int problem_warn(struct settings_problems *p, struct setting_origin at, struct slice key, const char *reason,
                 const char *nearest)
{
    return add(p, (struct settings_problem){ at.source, at.line, .reason = reason, .nearest = nearest, .warning = true }, key);
}

void settings_problems_add_text(const struct settings_problems *p, struct str *t)
{
    for (unsigned i = 0; i < p->n; i++) {
        const struct settings_problem *item = &p->items[i];

        str_add(t, item->source);
        if (item->line > 0)
            str_printf(t, ":%u", item->line);
        str_printf(t, ": %s%s%s%s", item->warning ? "warning: " : "", item->key, item->key[0] != '\0' ? ": " : "", item->reason);
        if (item->nearest != NULL)
            str_printf(t, " (nearest known key: %s)", item->nearest);
        str_add_c(t, '\n');
    }
}

/* ---- nearest key ----------------------------------------------------------------------------------------------------- */

enum { LONGEST_KEY = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
static size_t edit_distance(struct slice a, struct slice b)
{
    size_t rows[3][LONGEST_KEY + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *oldest = before;

        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a.s[i - 1] != b.s[j - 1]));
            if (i > 1 && j > 1 && a.s[i - 1] == b.s[j - 2] && a.s[i - 2] == b.s[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.n];
}

const char *problem_nearest(struct slice key)
{
    size_t best = key.n / 3 > 2 ? key.n / 3 : 2; /* more differences than these are another word */
    const char *nearest = NULL;

    if (key.n == 0 || key.n > LONGEST_KEY)
        return NULL;
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        struct slice name = { s->name, strlen(s->name) };
        size_t d = name.n <= LONGEST_KEY ? edit_distance(key, name) : best + 1;

        if (d < best || (d == best && nearest == NULL)) {
            best = d;
            nearest = s->name;
        }
    }
    return nearest;
}

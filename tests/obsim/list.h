/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - growing lists of heap objects, and texts, for the simulated cluster. Objects do not move while they live, so pointers to
 * them last until they are removed. A test program without memory is at its end: nothing here fails, it aborts. */
#ifndef OBSIM_LIST_H
#define OBSIM_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/mem.h"
#include "src/base/str.h"

/* struct sim_zone_list { ... }: `items` is owned, and so is each object. */
#define SIM_LIST(TYPE) \
    struct {           \
        TYPE **items;  \
        size_t n, space; \
    }

/* Appends a zeroed object and returns it. LIST is evaluated more than once, here and below. */
#define sim_push(LIST)                                                      \
    ((LIST)->items = sim_room((LIST)->items, (LIST)->n, &(LIST)->space),    \
     (LIST)->items[(LIST)->n++] = sim_alloc(sizeof **(LIST)->items))
/* Takes the object at `I` out and frees it (not what it points to); those behind it move up by one. */
#define sim_remove(LIST, I) \
    (mem_free((LIST)->items[I]), sim_close_gap((LIST)->items, (LIST)->n, (I)), (void)(LIST)->n--)
/* Frees all objects (not what they point to); the list is empty afterwards. */
#define sim_clear(LIST)                             \
    do {                                            \
        while ((LIST)->n > 0)                       \
            mem_free((LIST)->items[--(LIST)->n]);   \
        mem_free((LIST)->items);                    \
        (LIST)->items = NULL;                       \
        (LIST)->space = 0;                          \
    } while (0)

/* For the macros: the array of `n` pointers, with room for one more; and the array without its `i`th. */
void *sim_room(void *items, size_t n, size_t *space);
void sim_close_gap(void *items, size_t n, size_t i);

/* Zeroed memory, to be freed with mem_free. */
void *sim_alloc(size_t size);

enum { SIM_NAME = 129 }; /* room for a name of 128 bytes and its NUL */

/* Copies as much of `from` as fits. */
void sim_name(char to[SIM_NAME], struct slice from);
struct slice sim_slice(const char *s);
/* Replaces the heap text `*to` (NULL at first) by a copy of `from`. */
void sim_text(char **to, struct slice from);
/* The text, "" for NULL. */
const char *sim_c(const char *text);

/* A name in a list of names. */
struct sim_label {
    char s[SIM_NAME];
};

/* Name and value pairs: settings that differ from their defaults. Names are in any case. */
struct sim_value {
    char name[SIM_NAME];
    char *value; /* owned */
    int64_t modified_us;
};
struct sim_values {
    SIM_LIST(struct sim_value) list;
};
/* NULL when it is not there. */
const char *sim_values_get(const struct sim_values *v, const char *name);
void sim_values_set(struct sim_values *v, const char *name, struct slice value, int64_t now_us);
void sim_values_remove(struct sim_values *v, const char *name);
void sim_values_fini(struct sim_values *v);

/* A seeded sequence (splitmix64); `*state` is the seed at first. */
uint64_t sim_random(uint64_t *state);

#endif

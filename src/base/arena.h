/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - memory that is freed all at once: one arena per request, task step or result set.
 * One thread (or fiber) at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "src/base/mem.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* owned, newest first */
    char *next, *end;           /* free part of the newest block */
    size_t used_bytes;          /* sum of all blocks */
};

/* Makes an empty arena in the caller's memory; allocates nothing. */
void arena_init(struct arena *a);

/* The same, with a first block in the caller's memory, aligned for any type; it outlives the arena's use. */
void arena_init_buffer(struct arena *a, void *buffer, size_t size);

/* Frees everything that was allocated from it; the arena may be used again. */
void arena_fini(struct arena *a);

/* Memory aligned for any type, valid until arena_fini. NULL when memory is out. */
MUST_CHECK void *arena_alloc(struct arena *a, size_t size);
MUST_CHECK void *arena_zalloc(struct arena *a, size_t size);
/* Zeroed array; NULL also when n * size overflows. */
MUST_CHECK void *arena_array(struct arena *a, size_t n, size_t size);

/* Copies; the result is NUL-terminated. `s` may be NULL when `n` is 0. */
MUST_CHECK char *arena_strdup(struct arena *a, const char *s);
MUST_CHECK char *arena_strndup(struct arena *a, const char *s, size_t n);
MUST_CHECK char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

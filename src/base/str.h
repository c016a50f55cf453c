/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - text under construction. Appending never fails visibly: the first allocation that fails marks the text
 * as broken, later calls do nothing, and the builder asks once at the end (str_failed). */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "src/base/arena.h"

struct str {
    char *s;       /* owned (heap) or the arena's; NUL-terminated whenever not NULL */
    size_t n;      /* bytes without the NUL */
    size_t space;  /* bytes allocated */
    struct arena *arena; /* borrowed; NULL: heap, and str_fini must be called */
    bool failed;
};

/* A view on bytes that somebody else owns. */
struct slice {
    const char *s;
    size_t n;
};

#define SLICE(LITERAL) ((struct slice){ (LITERAL), sizeof(LITERAL) - 1 })
#define SLICE_FMT(S) (int)(S).n, (S).s /* for "%.*s" */

/* Empty text on the heap, or in `arena` when it is not NULL. Allocates nothing yet. */
void str_init(struct str *t, struct arena *arena);
/* Frees heap text. Does nothing for text in an arena. */
void str_fini(struct str *t);
/* Sets the length back to 0 and keeps the memory; also forgets a failure. */
void str_clear(struct str *t);

void str_add(struct str *t, const char *s);
void str_add_n(struct str *t, const void *bytes, size_t n);
void str_add_c(struct str *t, char c);
void str_add_i64(struct str *t, int64_t v);
void str_add_u64(struct str *t, uint64_t v);
void str_printf(struct str *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_add_hex(struct str *t, const void *bytes, size_t n);
/* Room for `n` more bytes (plus NUL); NULL when memory is out. The caller writes there and adds to t->n. */
char *str_reserve(struct str *t, size_t n);

/* True when any append ran out of memory: the text is unusable. */
bool str_failed(const struct str *t);
/* The text as a C string, "" when empty. */
const char *str_c(const struct str *t);

bool slice_is(struct slice a, const char *s);
bool slice_is_nocase(struct slice a, const char *s);
bool slice_starts(struct slice a, const char *prefix);
struct slice slice_trim(struct slice a);
/* Cuts `*rest` at the first `sep`: returns the part before, leaves the part after ("" at the end). */
struct slice slice_cut(struct slice *rest, char sep);
/* Bytes of the well-formed UTF-8 sequence at the start of `bytes` (RFC 3629), 0 when it is malformed or n is 0. */
size_t str_utf8_length(const void *bytes, size_t n);
/* Makes one line of well-formed UTF-8 of it, in place: line ends and tabs become blanks, other control characters and malformed bytes '?'. For text
 * that comes from outside: what moves a terminal's cursor or hides text, and what no database takes, goes no further. */
void str_clean(char *s);

#endif

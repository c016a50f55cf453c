/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - reads rows into structs: a page of a list with its total, in one statement or two, or one row. The member that a client
 * sorts by is looked up in a table, never put into the text. Loop thread only, from fibers. */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "src/store/db.h"
#include "src/store/filter.h"

/* Which part of a list is wanted. NULL, or size 0: all of it. */
struct store_page {
    int64_t number, size;  /* from 1; rows per page */
    const char *sort;      /* member name on the wire; NULL or unknown: the list's own order */
    bool descending;
};

/* A member name on the wire and the column that orders by it. */
struct list_sort {
    const char *member, *column;
};

/* What the rows of a list are; const, one per list. */
struct list_kind {
    const char *noun;               /* "user", for errors */
    const char *columns;            /* "u.id, u.username" */
    const char *from;               /* "user u LEFT JOIN ..."; joins do not multiply rows */
    const char *where;              /* condition on all rows, with no value; NULL: none */
    const struct list_sort *sorts;  /* ends with { NULL }; the first, descending, is the list's own order */
    const char *key;                /* unique column that makes every order total: "u.id" */
    const struct sql_field *fields;
    size_t size;                    /* bytes of the struct */
    const void *init;               /* a struct: what NULL columns leave; NULL: zeros */
};

/* Reads a page; `out` gets an array in the arena, `total` (may be NULL) the number of rows over all pages. `f` may be NULL.
 * Errors: INVALID (too many values in the filter), those of db_read. */
MUST_CHECK int list_read(struct db *d, const struct list_kind *kind, const struct filter *f, const struct store_page *page,
                         struct arena *arena, void **out, size_t *n, int64_t *total, struct err *e);

/* Reads the one row for which `condition`, with one '?' for `value`, holds. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int list_get(struct db *d, const struct list_kind *kind, const char *condition, struct sql_value value, struct arena *arena,
                        void *out, struct err *e);
/* The same inside a transaction. `lock`: the row is locked until its end (then `from` is one table). Errors: NOT_FOUND, those of tx_run. */
MUST_CHECK int list_get_in(struct tx *tx, const struct list_kind *kind, const char *condition, struct sql_value value, bool lock,
                           struct arena *arena, void *out, struct err *e);

#endif

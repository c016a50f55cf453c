/* SPDX-License-Identifier: Apache-2.0 */
/* many.h - writes many rows with few statements. */
#ifndef STORE_MANY_H
#define STORE_MANY_H

#include "src/store/db.h"

/* What the rows go into; const. */
struct many_kind {
    const char *table;
    const char *columns;       /* "id, name, created_at" */
    unsigned n_columns;
    const char *update;        /* columns that a row with the same key takes over, "name, size"; NULL: a duplicate is an error */
};

/* Inserts (or updates) n_rows rows of n_columns values each. `arena` is scratch. Errors: those of tx_exec. */
MUST_CHECK int many_write(struct tx *tx, const struct many_kind *kind, const struct sql_value *values, size_t n_rows, struct arena *arena,
                          struct err *e);
/* Deletes the rows of `table` with `owner_column` = owner whose id is among `ids`. */
MUST_CHECK int many_drop(struct tx *tx, const char *table, const char *owner_column, int64_t owner, const int64_t *ids, size_t n,
                         struct arena *arena, struct err *e);

/* Runs `update`, which ends with "IN", on the rows with these ids, in a transaction of its own. Errors: those of db_transact. */
MUST_CHECK int many_touch(struct db *d, const char *update, const int64_t *ids, size_t n, struct err *e);

#endif

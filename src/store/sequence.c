/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/inside.h"

enum { BLOCK = 100 };

static int take_block(struct tx *tx, void *data, struct err *e)
{
    int64_t *end = data;
    struct sql_rows rows;
    struct arena arena;
    int rv = tx_exec(tx, "UPDATE store_sequence SET next_id = next_id + ? WHERE name = 'id'", DB_ARGS(SQL_V_I(BLOCK)), NULL, e);

    if (rv != 0)
        return rv;
    arena_init(&arena);
    rv = tx_run(tx, "SELECT next_id FROM store_sequence WHERE name = 'id'", DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, end)))
        rv = err_set(e, &ERR_UNEXPECTED, "the row of store_sequence is missing");
    arena_fini(&arena);
    return rv;
}

int db_next_id(struct db *d, int64_t *id, struct err *e)
{
    int64_t end = 0;
    int rv;

    if (db_in_transaction(d))
        return err_set(e, &ERR_UNEXPECTED, "a new id is asked for inside a transaction");
    rv = fiber_mutex_lock(&d->id_lock, e);
    if (rv != 0)
        return rv;
    if (d->next_id == d->end_id) {
        rv = db_transact_unguarded(d, take_block, &end, e);
        if (rv == 0) {
            d->next_id = end - BLOCK;
            d->end_id = end;
        }
    }
    if (rv == 0)
        *id = d->next_id++;
    fiber_mutex_unlock(&d->id_lock);
    return rv;
}

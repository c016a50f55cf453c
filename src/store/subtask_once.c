/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/subtask_once.h"

static const struct sql_field columns[] = {
    SQL_FIELD(subtask_once, subtask_id, "subtask_id", SQL_C_INT64),
    SQL_FIELD(subtask_once, host_id, "host_id", SQL_C_INT64),
    SQL_FIELD(subtask_once, is_back, "is_back", SQL_C_INT),
    SQL_FIELD(subtask_once, dispatch, "dispatch", SQL_C_INT64),
    SQL_FIELD(subtask_once, incarnation, "incarnation", SQL_C_TEXT),
    { NULL },
};

int store_subtask_once_find(struct db *d, int64_t subtask_id, int64_t host_id, int is_back, struct arena *arena, struct subtask_once **out,
                            struct err *e)
{
    size_t n;
    int rv = db_list(d,
                     "SELECT subtask_id, host_id, is_back, dispatch, incarnation FROM subtask_once WHERE subtask_id = ? AND host_id = ? AND is_back = ?",
                     DB_ARGS(SQL_V_I(subtask_id), SQL_V_I(host_id), SQL_V_I(is_back)), columns, sizeof **out, arena, (void **)out, &n, e);

    if (rv == 0 && n == 0)
        *out = NULL;
    return rv;
}

int store_subtask_once_begin_in(struct tx *tx, const struct subtask_once *o, struct err *e)
{
    return tx_exec(tx, "INSERT INTO subtask_once (subtask_id, host_id, is_back, dispatch, incarnation) VALUES (?, ?, ?, ?, ?)",
                   DB_ARGS(SQL_V_I(o->subtask_id), SQL_V_I(o->host_id), SQL_V_I(o->is_back), SQL_V_I(o->dispatch), sql_v_s(o->incarnation)), NULL, e);
}

static int settle_body(struct tx *tx, void *data, struct err *e)
{
    const struct subtask_once *o = data;

    return tx_exec(tx, "DELETE FROM subtask_once WHERE subtask_id = ? AND host_id = ? AND is_back = ? AND dispatch = ?",
                   DB_ARGS(SQL_V_I(o->subtask_id), SQL_V_I(o->host_id), SQL_V_I(o->is_back), SQL_V_I(o->dispatch)), NULL, e);
}

int store_subtask_once_settle(struct db *d, const struct subtask_once *o, struct err *e)
{
    return db_transact(d, settle_body, (void *)o, e);
}

static int settle_all_body(struct tx *tx, void *data, struct err *e)
{
    const struct subtask_once *o = data;

    return tx_exec(tx, "DELETE FROM subtask_once WHERE subtask_id = ? AND dispatch <= ?", DB_ARGS(SQL_V_I(o->subtask_id), SQL_V_I(o->dispatch)), NULL,
                   e);
}

int store_subtask_once_settle_all(struct db *d, int64_t subtask_id, int64_t dispatch, struct err *e)
{
    struct subtask_once o = { .subtask_id = subtask_id, .dispatch = dispatch };

    return db_transact(d, settle_all_body, &o, e);
}

int store_subtask_once_prune(struct db *d, struct err *e)
{
    return db_prune(d,
                    "DELETE FROM subtask_once WHERE subtask_id IN (SELECT id FROM subtask WHERE finished_at < NOW(6) - INTERVAL 90 DAY) "
                    "LIMIT ?", e);
}

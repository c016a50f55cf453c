/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/idempotency.h"

#include "src/store/change.h"

static const struct sql_field fields[] = {
    SQL_FIELD(idempotency, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(idempotency, key, "request_key", SQL_C_TEXT),
    SQL_FIELD(idempotency, digest, "digest", SQL_C_TEXT),
    SQL_FIELD(idempotency, done, "done", SQL_C_BOOL),
    SQL_FIELD(idempotency, status, "status", SQL_C_INT64),
    SQL_FIELD(idempotency, reply, "reply", SQL_C_TEXT),
    SQL_FIELD(idempotency, trace, "trace", SQL_C_TEXT),
    SQL_FIELD(idempotency, node, "node", SQL_C_TEXT),
    SQL_FIELD(idempotency, created_us, "created_at", SQL_C_TIME),
    { NULL },
};

/* --- claiming --------------------------------------------------------------------------------------------------------------- */

struct claim {
    const struct idempotency *request;
    struct idempotency *former;
    struct arena *arena;
    bool claimed, again;
};

static int read_former(struct tx *tx, struct claim *c, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT user_id, request_key, digest, done, status, reply, trace, node, created_at FROM idempotency "
                        "WHERE user_id = ? AND request_key = ?",
                    DB_ARGS(SQL_V_I(c->request->user_id), sql_v_s(c->request->key)), c->arena, &rows, e);

    if (rv != 0)
        return rv;
    c->again = rows.n_rows == 0; /* released or pruned in this very moment */
    if (c->again)
        return 0;
    *c->former = (struct idempotency){ .user_id = 0 };
    return sql_fetch(&rows, fields, sizeof *c->former, c->former, e);
}

static int claim(struct tx *tx, void *data, struct err *e)
{
    struct claim *c = data;
    const struct idempotency *r = c->request;
    int rv = tx_exec(tx, "INSERT INTO idempotency (user_id, request_key, digest, done, status, reply, trace, node, created_at) "
                         "VALUES (?, ?, ?, 0, 0, '', ?, ?, NOW(6))",
                     DB_ARGS(SQL_V_I(r->user_id), sql_v_s(r->key), sql_v_s(r->digest), sql_v_s(r->trace), sql_v_s(r->node)), NULL, e);

    c->claimed = rv == 0;
    c->again = false;
    return rv == ERR_SQL_DUPLICATE.code ? read_former(tx, c, e) : rv;
}

int store_idempotency_claim(struct db *d, const struct idempotency *request, bool *claimed, struct arena *arena, struct idempotency *former,
                            struct err *e)
{
    struct claim c = { .request = request, .former = former, .arena = arena };
    int rv;

    do {
        rv = db_transact(d, claim, &c, e);
    } while (rv == 0 && c.again);
    *claimed = c.claimed;
    return rv;
}

/* --- ending ----------------------------------------------------------------------------------------------------------------- */

#define FINISH "UPDATE idempotency SET done = 1, status = ?, reply = ? WHERE user_id = ? AND request_key = ?"
#define FINISH_ARGS(R) DB_ARGS(SQL_V_I(status), sql_v_s(reply), SQL_V_I((R)->user_id), sql_v_s((R)->key))

int store_idempotency_finish_in(struct tx *tx, const struct idempotency *request, int64_t status, const char *reply, struct err *e)
{
    struct change c = { "request key", request->key, false };

    return change_run_in(tx, &c, FINISH, FINISH_ARGS(request), e);
}

int store_idempotency_finish(struct db *d, const struct idempotency *request, int64_t status, const char *reply, struct err *e)
{
    struct change c = { "request key", request->key, false };

    return change_run(d, &c, FINISH, FINISH_ARGS(request), e);
}

int store_idempotency_release(struct db *d, const struct idempotency *request, struct err *e)
{
    struct change c = { "request key", request->key, false };
    int rv = change_run(d, &c, "DELETE FROM idempotency WHERE user_id = ? AND request_key = ? AND done = 0",
                        DB_ARGS(SQL_V_I(request->user_id), sql_v_s(request->key)), e);

    return rv == ERR_NOT_FOUND.code ? 0 : rv;
}

int store_idempotency_prune(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM idempotency WHERE created_at < NOW(6) - INTERVAL 24 HOUR LIMIT ?", e);
}

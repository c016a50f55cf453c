/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/idempotency.h"

#include <string.h>

#include "src/io/fiber.h"
#include "src/store/change.h"
#include "src/store/node.h"

ERR_DEFINE(ERR_REQUEST_OVERTAKEN, 90109, 409, ERR_UNKNOWN,
           "A repetition of this request with the key {0} was begun in its place. Send it again with the same key to get its reply.",
           "带有键 {0} 的该请求已被其重发请求取代。请使用相同的键重新发送以获取结果。");

const struct err_row *const idempotency_err_rows[] = { &ERR_REQUEST_OVERTAKEN, NULL };

#define TOO_LONG_SECONDS "60" /* no request with a key takes so long; one that does is overtaken as long as it has changed nothing */

static const struct sql_field fields[] = {
    SQL_FIELD(idempotency, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(idempotency, key, "request_key", SQL_C_TEXT),
    SQL_FIELD(idempotency, digest, "digest", SQL_C_TEXT),
    SQL_FIELD(idempotency, claim, "claim", SQL_C_TEXT),
    SQL_FIELD(idempotency, done, "done", SQL_C_BOOL),
    SQL_FIELD(idempotency, effect, "effect", SQL_C_BOOL),
    SQL_FIELD(idempotency, gone, "gone", SQL_C_BOOL),
    SQL_FIELD(idempotency, task_id, "task_id", SQL_C_INT64),
    SQL_FIELD(idempotency, status, "status", SQL_C_INT64),
    SQL_FIELD(idempotency, reply, "reply", SQL_C_TEXT),
    SQL_FIELD(idempotency, trace, "trace", SQL_C_TEXT),
    SQL_FIELD(idempotency, node, "node", SQL_C_TEXT),
    SQL_FIELD(idempotency, node_id, "node_id", SQL_C_INT64),
    SQL_FIELD(idempotency, created_us, "created_at", SQL_C_TIME),
    { NULL },
};

/* Whose process is gone: somebody knows it (the parameter), its node has been started again, or was not seen for a while. An older version does not say which process it was. */
#define GONE                                                                                                            \
    "CASE WHEN i.created_at < NOW(6) - INTERVAL " TOO_LONG_SECONDS " SECOND OR i.node_id = ? THEN 1 WHEN i.claim = '' THEN 0 "  \
    "WHEN EXISTS (SELECT 1 FROM node n WHERE n.name = i.node AND n.started_at = i.node_started_at AND "                  \
    "n.seen_at >= NOW(6) - INTERVAL " NODE_DOWN_SECONDS " SECOND) THEN 0 ELSE 1 END"

/* --- claiming --------------------------------------------------------------------------------------------------------------- */

struct claim {
    const struct idempotency *request;
    struct idempotency *former;
    int64_t dead_node;            /* -1: none */
    struct arena *arena;
    bool claimed, again;
};

/* A plain read: the first one may be in the middle of a transaction, and is not waited for. */
static int read_former(struct tx *tx, struct claim *c, bool *found, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT i.user_id, i.request_key, i.digest, i.claim, i.done, i.effect, " GONE " AS gone, i.task_id, i.status, i.reply, "
                        "i.trace, i.node, i.node_id, i.created_at FROM idempotency i WHERE i.user_id = ? AND i.request_key = ?",
                    DB_ARGS(SQL_V_I(c->dead_node), SQL_V_I(c->request->user_id), sql_v_s(c->request->key)), c->arena, &rows, e);

    *found = rv == 0 && rows.n_rows > 0;
    if (!*found)
        return rv;
    *c->former = (struct idempotency){ .user_id = 0 };
    return sql_fetch(&rows, fields, sizeof *c->former, c->former, e);
}

/* From then on the former claimant's guard finds nothing to hold. When that came first, there is an effect. */
static int take_over(struct tx *tx, struct claim *c, struct err *e)
{
    const struct idempotency *r = c->request;
    uint64_t found;
    int rv = tx_exec(tx, "UPDATE idempotency SET claim = ?, trace = ?, node = ?, node_id = ?, node_started_at = ?, created_at = NOW(6) "
                         "WHERE user_id = ? AND request_key = ? AND digest = ? AND claim = ? AND done = 0 AND effect = 0",
                     DB_ARGS(sql_v_s(r->claim), sql_v_s(r->trace), sql_v_s(r->node), SQL_V_I(r->node_id), SQL_V_TIME(r->node_started_us),
                             SQL_V_I(r->user_id), sql_v_s(r->key), sql_v_s(r->digest), sql_v_s(c->former->claim)),
                     &found, e);

    c->claimed = rv == 0 && found == 1;
    c->again = rv == 0 && found == 0;
    return rv;
}

static int insert(struct tx *tx, struct claim *c, struct err *e)
{
    const struct idempotency *r = c->request;
    int rv = tx_exec(tx, "INSERT INTO idempotency (user_id, request_key, digest, claim, done, effect, status, reply, trace, node, node_id, "
                         "node_started_at, created_at) VALUES (?, ?, ?, ?, 0, 0, 0, '', ?, ?, ?, ?, NOW(6))",
                     DB_ARGS(SQL_V_I(r->user_id), sql_v_s(r->key), sql_v_s(r->digest), sql_v_s(r->claim), sql_v_s(r->trace), sql_v_s(r->node),
                             SQL_V_I(r->node_id), SQL_V_TIME(r->node_started_us)),
                     NULL, e);

    c->claimed = rv == 0;
    c->again = rv == ERR_SQL_DUPLICATE.code; /* in this very moment */
    return c->again ? 0 : rv;
}

static bool may_take_over(const struct claim *c)
{
    const struct idempotency *f = c->former;

    return f->gone && !f->done && !f->effect && strcmp(f->digest, c->request->digest) == 0;
}

static int claim(struct tx *tx, void *data, struct err *e)
{
    struct claim *c = data;
    bool found;
    int rv = read_former(tx, c, &found, e);

    c->claimed = c->again = false;
    if (rv != 0)
        return rv;
    if (!found)
        return insert(tx, c, e);
    return may_take_over(c) ? take_over(tx, c, e) : 0;
}

int store_idempotency_claim(struct db *d, const struct idempotency *request, int64_t dead_node, bool *claimed, struct arena *arena,
                            struct idempotency *former, struct err *e)
{
    struct claim c = { .request = request, .former = former, .dead_node = dead_node > 0 ? dead_node : -1, .arena = arena };
    int rv;

    do {
        rv = db_transact(d, claim, &c, e);
    } while (rv == 0 && c.again);
    *claimed = c.claimed;
    return rv;
}

/* --- while it runs ------------------------------------------------------------------------------------------------------------ */

static int hold(struct tx *tx, void *data, struct err *e)
{
    const struct idempotency *r = data;
    uint64_t found;
    int rv = tx_exec(tx, "UPDATE idempotency SET effect = 1 WHERE user_id = ? AND request_key = ? AND claim = ?",
                     DB_ARGS(SQL_V_I(r->user_id), sql_v_s(r->key), sql_v_s(r->claim)), &found, e);

    return rv != 0 || found == 1 ? rv : err_set(e, &ERR_REQUEST_OVERTAKEN, "%s", r->key);
}

struct db_guard store_idempotency_guard(struct db *d, const struct idempotency *request)
{
    return (struct db_guard){ .db = d, .hold = hold, .data = (void *)request };
}

int store_idempotency_note_task(struct tx *tx, int64_t id, struct err *e)
{
    const struct db_guard *g = fiber_carried();
    const struct idempotency *r = g != NULL && g->hold == hold ? g->data : NULL;

    if (r == NULL)
        return 0;
    return tx_exec(tx, "UPDATE idempotency SET task_id = ? WHERE user_id = ? AND request_key = ? AND claim = ?",
                   DB_ARGS(SQL_V_I(id), SQL_V_I(r->user_id), sql_v_s(r->key), sql_v_s(r->claim)), NULL, e);
}

/* --- ending ----------------------------------------------------------------------------------------------------------------- */

int store_idempotency_finish(struct db *d, const struct idempotency *request, int64_t status, const char *reply, struct err *e)
{
    struct change c = { "request key", request->key, false };

    return change_run(d, &c, "UPDATE idempotency SET done = 1, status = ?, reply = ? WHERE user_id = ? AND request_key = ? AND claim = ?",
                      DB_ARGS(SQL_V_I(status), sql_v_s(reply), SQL_V_I(request->user_id), sql_v_s(request->key), sql_v_s(request->claim)), e);
}

static int change_own(struct db *d, const struct idempotency *request, const char *text, struct err *e)
{
    struct change c = { "request key", request->key, false };
    int rv = change_run(d, &c, text, DB_ARGS(SQL_V_I(request->user_id), sql_v_s(request->key), sql_v_s(request->claim)), e);

    return rv == ERR_NOT_FOUND.code ? 0 : rv;
}

int store_idempotency_release(struct db *d, const struct idempotency *request, bool certain, struct err *e)
{
    int rv;

    if (certain)
        return change_own(d, request, "DELETE FROM idempotency WHERE user_id = ? AND request_key = ? AND claim = ? AND done = 0", e);
    rv = change_own(d, request, "DELETE FROM idempotency WHERE user_id = ? AND request_key = ? AND claim = ? AND done = 0 AND effect = 0", e);
    if (rv != 0)
        return rv;
    return change_own(d, request,
                      "UPDATE idempotency SET node_started_at = '2000-01-01' WHERE user_id = ? AND request_key = ? AND claim = ? AND done = 0", e);
}

int store_idempotency_prune(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM idempotency WHERE created_at < NOW(6) - INTERVAL 24 HOUR LIMIT ?", e);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/session.h"

#include <stdio.h>

#include "src/store/change.h"
#include "src/store/many.h"

static const struct list_sort sorts[] = { { "createTime", "created_at" }, { "lastSeenTime", "seen_at" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(session, id, "id", SQL_C_INT64),
    SQL_FIELD(session, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(session, digest, "digest", SQL_C_TEXT),
    SQL_FIELD(session, client_ip, "client_ip", SQL_C_TEXT),
    SQL_FIELD(session, user_agent, "user_agent", SQL_C_TEXT),
    SQL_FIELD(session, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(session, seen_us, "seen_at", SQL_C_TIME),
    SQL_FIELD(session, expires_us, "expires_at", SQL_C_TIME),
    SQL_FIELD(session, idle_us, "idle_us", SQL_C_INT64),
    SQL_FIELD(session, left_us, "left_us", SQL_C_INT64),
    { NULL },
};
static const struct list_kind kind = {
    .noun = "session",
    .columns = "id, user_id, digest, client_ip, user_agent, created_at, seen_at, expires_at, "
               "TIMESTAMPDIFF(MICROSECOND, seen_at, NOW(6)) AS idle_us, TIMESTAMPDIFF(MICROSECOND, NOW(6), expires_at) AS left_us",
    .from = "user_session",
    .where = "expires_at > NOW(6)",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct session),
};

int store_session_find(struct db *d, const char *digest, struct arena *arena, struct session **out, struct err *e)
{
    struct session *s = arena_zalloc(arena, sizeof *s);
    int rv = s != NULL ? list_get(d, &kind, "digest = ?", sql_v_s(digest), arena, s, e) : err_set(e, &ERR_NOMEM, "");

    *out = rv == 0 ? s : NULL;
    return rv == ERR_NOT_FOUND.code ? 0 : rv;
}

int store_session_list(struct db *d, int64_t user_id, const struct store_page *page, struct arena *arena, struct session **out, size_t *n,
                       int64_t *total, struct err *e)
{
    struct filter f;

    filter_init(&f, arena);
    filter_i64(&f, "user_id = ?", user_id);
    return list_read(d, &kind, &f, page, arena, (void **)out, n, total, e);
}

/* Makes room for one more. */
static int end_surplus(struct tx *tx, int64_t user_id, unsigned keep, struct arena *arena, struct err *e)
{
    struct sql_rows rows;
    int64_t oldest_us;
    int rv = tx_run(tx, "SELECT created_at FROM user_session WHERE user_id = ? ORDER BY created_at DESC LIMIT 1 OFFSET ?",
                    DB_ARGS(SQL_V_I(user_id), SQL_V_I(keep - 1)), arena, &rows, e);

    if (rv != 0 || rows.n_rows == 0 || !sql_time_us(&rows, 0, 0, &oldest_us))
        return rv;
    return tx_exec(tx, "DELETE FROM user_session WHERE user_id = ? AND created_at <= ?", DB_ARGS(SQL_V_I(user_id), SQL_V_TIME(oldest_us)),
                   NULL, e);
}

int store_session_insert(struct tx *tx, const struct session *s, int64_t lifetime_us, unsigned keep, struct arena *arena, struct err *e)
{
    int rv = end_surplus(tx, s->user_id, keep, arena, e);

    if (rv != 0)
        return rv;
    return tx_exec(tx,
                   "INSERT INTO user_session (id, digest, user_id, client_ip, user_agent, created_at, seen_at, expires_at) "
                   "VALUES (?, ?, ?, ?, ?, NOW(6), NOW(6), NOW(6) + INTERVAL ? SECOND)",
                   DB_ARGS(SQL_V_I(s->id), sql_v_s(s->digest), SQL_V_I(s->user_id), sql_v_s(s->client_ip), sql_v_s(s->user_agent),
                           SQL_V_I(lifetime_us / 1000000)),
                   NULL, e);
}

int store_session_delete_digest(struct tx *tx, const char *digest, struct err *e)
{
    return tx_exec(tx, "DELETE FROM user_session WHERE digest = ?", DB_ARGS(sql_v_s(digest)), NULL, e);
}

int store_session_delete(struct db *d, int64_t user_id, int64_t id, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "session", change_id(id, text), false };

    return change_run(d, &c, "DELETE FROM user_session WHERE id = ? AND user_id = ?", DB_ARGS(SQL_V_I(id), SQL_V_I(user_id)), e);
}

int store_session_delete_all(struct tx *tx, int64_t user_id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM user_session WHERE user_id = ?", DB_ARGS(SQL_V_I(user_id)), NULL, e);
}

int store_session_touch(struct db *d, const int64_t *ids, size_t n, struct err *e)
{
    return many_touch(d, "UPDATE user_session SET seen_at = NOW(6) WHERE id IN", ids, n, e);
}

int store_session_prune(struct db *d, int64_t idle_us, struct err *e)
{
    char text[160];
    int rv = db_prune(d, "DELETE FROM user_session WHERE expires_at <= NOW(6) LIMIT ?", e);

    (void)snprintf(text, sizeof text, "DELETE FROM user_session WHERE seen_at < NOW(6) - INTERVAL %lld SECOND LIMIT ?",
                   (long long)(idle_us / 1000000));
    return rv == 0 ? db_prune(d, text, e) : rv;
}

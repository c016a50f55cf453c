/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/loginhistory.h"

#include <stdio.h>

static const struct list_sort sorts[] = { { "loginTime", "happened_at" }, { "username", "username" }, { "clientIp", "client_ip" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(login_event, id, "id", SQL_C_INT64),
    SQL_FIELD(login_event, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(login_event, username, "username", SQL_C_TEXT),
    SQL_FIELD(login_event, client_ip, "client_ip", SQL_C_TEXT),
    SQL_FIELD(login_event, user_agent, "user_agent", SQL_C_TEXT),
    SQL_FIELD(login_event, method, "method", SQL_C_TEXT),
    SQL_FIELD(login_event, succeeded, "succeeded", SQL_C_INT),
    SQL_FIELD(login_event, code, "code", SQL_C_INT64),
    SQL_FIELD(login_event, node, "node", SQL_C_TEXT),
    SQL_FIELD(login_event, at_us, "happened_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind kind = {
    .noun = "login",
    .columns = "id, user_id, username, client_ip, user_agent, method, succeeded, code, node, happened_at",
    .from = "login_history",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct login_event),
};

int store_login_history_list(struct db *d, const struct login_filter *f, const struct store_page *page, struct arena *arena,
                             struct login_event **out, size_t *n, int64_t *total, struct err *e)
{
    static const char *const name[] = { "username", NULL };
    static const char *const client[] = { "client_ip", NULL };
    struct filter where;

    filter_init(&where, arena);
    filter_contains(&where, name, f->username);
    filter_contains(&where, client, f->client_ip);
    filter_text(&where, "method = ?", f->method);
    filter_bool(&where, "succeeded = ?", f->succeeded);
    filter_i64(&where, "user_id = ?", f->user_id);
    filter_time(&where, "happened_at >= ?", f->from_us);
    filter_time(&where, "happened_at <= ?", f->until_us);
    return list_read(d, &kind, &where, page, arena, (void **)out, n, total, e);
}

int store_login_history_insert(struct tx *tx, const struct login_event *v, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO login_history (id, user_id, username, client_ip, user_agent, method, succeeded, code, node, happened_at) "
                   "VALUES (?, ?, LEFT(?, 128), ?, LEFT(?, 255), ?, ?, ?, ?, NOW(6))",
                   DB_ARGS(SQL_V_I(v->id), SQL_V_I(v->user_id), sql_v_s(v->username), sql_v_s(v->client_ip), sql_v_s(v->user_agent),
                           sql_v_s(v->method), SQL_V_I(v->succeeded), SQL_V_I(v->code), sql_v_s(v->node)),
                   NULL, e);
}

int store_login_history_prune(struct db *d, unsigned days, struct err *e)
{
    char text[128];

    (void)snprintf(text, sizeof text, "DELETE FROM login_history WHERE happened_at < NOW(6) - INTERVAL %u DAY LIMIT ?", days);
    return db_prune(d, text, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/audit.h"

#include <stdio.h>
#include <string.h>

static const struct list_sort sorts[] = {
    { "startTime", "started_at" }, { "id", "id" }, { "endTime", "ended_at" }, { "operatorName", "username" }, { "status", "status" },
    { "operationEvent", "event" }, { "eventType", "type" }, { NULL },
};
static const struct sql_field fields[] = {
    SQL_FIELD(audit_event, id, "id", SQL_C_INT64),
    SQL_FIELD(audit_event, operation, "operation", SQL_C_TEXT),
    SQL_FIELD(audit_event, event, "event", SQL_C_TEXT),
    SQL_FIELD(audit_event, type, "type", SQL_C_TEXT),
    SQL_FIELD(audit_event, resource_type, "resource_type", SQL_C_TEXT),
    SQL_FIELD(audit_event, resource_id, "resource_id", SQL_C_INT64),
    SQL_FIELD(audit_event, resource_name, "resource_name", SQL_C_TEXT),
    SQL_FIELD(audit_event, parent_resource, "parent_resource", SQL_C_TEXT),
    SQL_FIELD(audit_event, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(audit_event, username, "username", SQL_C_TEXT),
    SQL_FIELD(audit_event, client_ip, "client_ip", SQL_C_TEXT),
    SQL_FIELD(audit_event, status, "status", SQL_C_TEXT),
    SQL_FIELD(audit_event, code, "code", SQL_C_INT64),
    SQL_FIELD(audit_event, task_id, "task_id", SQL_C_INT64),
    SQL_FIELD(audit_event, execution, "execution", SQL_C_TEXT),
    SQL_FIELD(audit_event, info, "info", SQL_C_TEXT),
    SQL_FIELD(audit_event, trace, "trace", SQL_C_TEXT),
    SQL_FIELD(audit_event, node, "node", SQL_C_TEXT),
    SQL_FIELD(audit_event, started_us, "started_at", SQL_C_TIME),
    SQL_FIELD(audit_event, ended_us, "ended_at", SQL_C_TIME),
    { NULL },
};
#define COLUMNS                                                                                                                     \
    "id, operation, event, type, resource_type, resource_id, resource_name, parent_resource, user_id, username, client_ip, status, " \
    "code, task_id, execution, info, trace, node, started_at, ended_at"
static const struct list_kind audit_kind = {
    .noun = "audit event",
    .columns = COLUMNS,
    .from = "audit_event",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct audit_event),
};

int store_audit_list(struct db *d, const struct audit_filter *f, const struct store_page *page, struct arena *arena,
                     struct audit_event **out, size_t *n, int64_t *total, struct err *e)
{
    static const char *const name[] = { "resource_name", NULL };
    static const char *const info[] = { "info", NULL }, *const user[] = { "username", NULL };
    static const char *const texts[] = { "operation", "event", "resource_name", "parent_resource", "username", "client_ip", "info", NULL };
    struct filter where;

    filter_init(&where, arena);
    if (f != NULL) {
        filter_strings(&where, "type IN", f->types);
        filter_strings(&where, "event IN", f->events);
        filter_strings(&where, "operation IN", f->operations);
        filter_ints(&where, "user_id IN", f->user_ids);
        filter_contains(&where, name, f->resource_name);
        filter_contains(&where, info, f->info);
        filter_strings(&where, "resource_type IN", f->resource_types);
        filter_contains(&where, user, f->username);
        filter_contains(&where, texts, f->keyword);
        filter_text(&where, "trace = ?", f->trace);
        filter_text(&where, "client_ip = ?", f->client_ip);
        filter_i64(&where, "resource_id = ?", f->resource_id);
        filter_text(&where, "status = ?", f->status);
        filter_time(&where, "started_at >= ?", f->from_us);
        filter_time(&where, "started_at <= ?", f->until_us);
        filter_i64(&where, "task_id = ?", f->task_id);
    }
    return list_read(d, &audit_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_audit_get(struct db *d, int64_t id, struct arena *arena, struct audit_event *out, struct err *e)
{
    return list_get(d, &audit_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

enum { N_COLUMNS = 20, NAME_MAX_BYTES = 255, INFO_MAX_BYTES = 60000 };

/* At most `max` bytes, never half a character. */
static struct sql_value cut(const char *s, size_t max)
{
    size_t n = s != NULL ? strlen(s) : 0;

    if (n > max) {
        n = max;
        while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
            n--;
    }
    return (struct sql_value){ .kind = SQL_TEXT, .text = { s != NULL ? s : "", n } };
}

static struct sql_value short_text(const char *s)
{
    return cut(s, NAME_MAX_BYTES);
}

static void add_event(struct sql_value *v, const struct audit_event *a)
{
    const struct sql_value row[N_COLUMNS] = {
        SQL_V_I(a->id), short_text(a->operation), short_text(a->event), short_text(a->type), short_text(a->resource_type),
        SQL_V_I(a->resource_id), short_text(a->resource_name), short_text(a->parent_resource), SQL_V_I(a->user_id), short_text(a->username),
        short_text(a->client_ip), short_text(a->status), SQL_V_I(a->code), SQL_V_I(a->task_id), short_text(a->execution),
        cut(a->info, INFO_MAX_BYTES), short_text(a->trace), short_text(a->node), SQL_V_TIME(a->started_us), SQL_V_TIME(a->ended_us),
    };

    memcpy(v, row, sizeof row);
}

int store_audit_insert(struct tx *tx, const struct audit_event *events, unsigned n, struct err *e)
{
    struct sql_value values[AUDIT_MAX_BATCH * N_COLUMNS];
    struct str text;
    int rv;

    if (n == 0 || n > AUDIT_MAX_BATCH)
        return n == 0 ? 0 : err_set(e, &ERR_UNEXPECTED, "%u audit events at once", n);
    str_init(&text, NULL);
    str_add(&text, "INSERT INTO audit_event (" COLUMNS ") VALUES ");
    for (unsigned i = 0; i < n; i++) {
        str_add(&text, i == 0 ? "(" : ", (");
        str_add(&text, "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        add_event(values + (size_t)i * N_COLUMNS, &events[i]);
    }
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : tx_exec(tx, str_c(&text), values, n * N_COLUMNS, NULL, e);
    str_fini(&text);
    return rv;
}

int store_audit_prune(struct db *d, unsigned days, struct err *e)
{
    char text[128];

    (void)snprintf(text, sizeof text, "DELETE FROM audit_event WHERE started_at < NOW(6) - INTERVAL %u DAY LIMIT ?", days);
    return db_prune(d, text, e);
}

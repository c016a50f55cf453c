/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/host_agent.h"

#include "src/store/change.h"
#include "src/store/many.h"

static const struct list_sort agent_sorts[] = { { "hostId", "a.host_id" }, { NULL } };
static const struct sql_field agent_fields[] = {
    SQL_FIELD(host_agent, id, "id", SQL_C_INT64),
    SQL_FIELD(host_agent, host_id, "host_id", SQL_C_INT64),
    SQL_FIELD(host_agent, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(host_agent, version, "version", SQL_C_TEXT),
    SQL_FIELD(host_agent, install_home, "install_home", SQL_C_TEXT),
    SQL_FIELD(host_agent, listen, "listen", SQL_C_TEXT),
    SQL_FIELD(host_agent, manager_port, "manager_port", SQL_C_INT64),
    SQL_FIELD(host_agent, monitor_port, "monitor_port", SQL_C_INT64),
    SQL_FIELD(host_agent, status, "status", SQL_C_TEXT),
    SQL_FIELD(host_agent, incarnation, "incarnation", SQL_C_TEXT),
    SQL_FIELD(host_agent, program_sha256, "program_sha256", SQL_C_TEXT),
    SQL_FIELD(host_agent, serial, "certificate_serial", SQL_C_TEXT),
    SQL_FIELD(host_agent, expires_us, "certificate_expires_at", SQL_C_TIME),
    SQL_FIELD(host_agent, available_us, "available_at", SQL_C_TIME),
    SQL_FIELD(host_agent, problem, "problem", SQL_C_TEXT),
    SQL_FIELD(host_agent, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(host_agent, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct host_agent blank_agent = { .expires_us = FIELD_NONE, .available_us = FIELD_NONE };
static const struct list_kind agent_kind = {
    .noun = "agent of host",
    .columns = "a.id AS id, a.host_id AS host_id, h.ip AS ip, a.version AS version, a.install_home AS install_home, a.listen AS listen, "
               "a.manager_port AS manager_port, a.monitor_port AS monitor_port, a.status AS status, a.incarnation AS incarnation, "
               "a.program_sha256 AS program_sha256, a.certificate_serial AS certificate_serial, "
               "a.certificate_expires_at AS certificate_expires_at, a.available_at AS available_at, a.problem AS problem, "
               "a.created_at AS created_at, a.updated_at AS updated_at",
    .from = "host_agent a JOIN host h ON h.id = a.host_id",
    .sorts = agent_sorts,
    .key = "a.host_id",
    .fields = agent_fields,
    .size = sizeof(struct host_agent),
    .init = &blank_agent,
};

int store_host_agent_of(struct db *d, int64_t host_id, struct arena *arena, struct host_agent *out, struct err *e)
{
    return list_get(d, &agent_kind, "a.host_id = ?", SQL_V_I(host_id), arena, out, e);
}

int store_host_agent_all(struct db *d, struct arena *arena, struct host_agent **out, size_t *n, struct err *e)
{
    return list_read(d, &agent_kind, NULL, NULL, arena, (void **)out, n, NULL, e);
}

static struct sql_value time_value(int64_t us)
{
    return us != FIELD_NONE ? SQL_V_TIME(us) : SQL_V_NULL;
}

int store_host_agent_put(struct tx *tx, const struct host_agent *a, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO host_agent (id, host_id, version, install_home, listen, manager_port, monitor_port, status, incarnation, "
                   "program_sha256, certificate_serial, certificate_expires_at, available_at, problem, created_at, updated_at) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, NULL, '', NOW(6), NOW(6)) ON DUPLICATE KEY UPDATE "
                   "install_home = VALUES(install_home), listen = VALUES(listen), manager_port = VALUES(manager_port), "
                   "monitor_port = VALUES(monitor_port), program_sha256 = VALUES(program_sha256), "
                   "certificate_serial = VALUES(certificate_serial), certificate_expires_at = VALUES(certificate_expires_at), "
                   "updated_at = VALUES(updated_at)",
                   DB_ARGS(SQL_V_I(a->id), SQL_V_I(a->host_id), sql_v_s(a->version), sql_v_s(a->install_home), sql_v_s(a->listen),
                           SQL_V_I(a->manager_port), SQL_V_I(a->monitor_port), sql_v_s(a->status), sql_v_s(a->program_sha256),
                           sql_v_s(a->serial), time_value(a->expires_us)),
                   NULL, e);
}

int store_host_agent_set_status(struct tx *tx, int64_t host_id, const char *from, const char *to, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "agent of host", change_id(host_id, text), from != NULL };

    if (from == NULL)
        return change_run_in(tx, &c, "UPDATE host_agent SET status = ?, updated_at = NOW(6) WHERE host_id = ?",
                             DB_ARGS(sql_v_s(to), SQL_V_I(host_id)), e);
    return change_run_in(tx, &c, "UPDATE host_agent SET status = ?, updated_at = NOW(6) WHERE host_id = ? AND status = ?",
                         DB_ARGS(sql_v_s(to), SQL_V_I(host_id), sql_v_s(from)), e);
}

int store_host_agent_seen(struct tx *tx, int64_t host_id, const char *version, const char *incarnation, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "agent of host", change_id(host_id, text), false };

    return change_run_in(tx, &c,
                         "UPDATE host_agent SET status = 'AVAILABLE', version = ?, incarnation = ?, available_at = NOW(6), problem = '', "
                         "updated_at = NOW(6) WHERE host_id = ?",
                         DB_ARGS(sql_v_s(version), sql_v_s(incarnation), SQL_V_I(host_id)), e);
}

int store_host_agent_renewed(struct tx *tx, int64_t host_id, const char *serial, int64_t expires_us, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "agent of host", change_id(host_id, text), false };

    return change_run_in(tx, &c, "UPDATE host_agent SET certificate_serial = ?, certificate_expires_at = ?, updated_at = NOW(6) WHERE host_id = ?",
                         DB_ARGS(sql_v_s(serial), SQL_V_TIME(expires_us), SQL_V_I(host_id)), e);
}

int store_host_agent_upgraded(struct tx *tx, int64_t host_id, const char *program_sha256, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "agent of host", change_id(host_id, text), false };

    return change_run_in(tx, &c, "UPDATE host_agent SET program_sha256 = ?, updated_at = NOW(6) WHERE host_id = ?",
                         DB_ARGS(sql_v_s(program_sha256), SQL_V_I(host_id)), e);
}

int store_host_agent_missed(struct tx *tx, int64_t host_id, const char *problem, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE host_agent SET status = CASE WHEN status = 'AVAILABLE' THEN 'OFFLINE' ELSE status END, problem = ?, "
                   "updated_at = NOW(6) WHERE host_id = ?",
                   DB_ARGS(sql_v_s(problem), SQL_V_I(host_id)), NULL, e);
}

int store_host_agent_delete(struct tx *tx, int64_t host_id, struct err *e)
{
    int rv = tx_exec(tx, "DELETE FROM host_process WHERE host_id = ?", DB_ARGS(SQL_V_I(host_id)), NULL, e);

    return rv == 0 ? tx_exec(tx, "DELETE FROM host_agent WHERE host_id = ?", DB_ARGS(SQL_V_I(host_id)), NULL, e) : rv;
}

/* ---- processes --------------------------------------------------------------------------------------------------------- */

static const struct list_sort process_sorts[] = { { "id", "id" }, { "alias", "name" }, { NULL } };
static const struct sql_field process_fields[] = {
    SQL_FIELD(host_process, id, "id", SQL_C_INT64),
    SQL_FIELD(host_process, host_id, "host_id", SQL_C_INT64),
    SQL_FIELD(host_process, name, "name", SQL_C_TEXT),
    SQL_FIELD(host_process, kind, "kind", SQL_C_TEXT),
    SQL_FIELD(host_process, pid, "pid", SQL_C_INT64),
    SQL_FIELD(host_process, status, "status", SQL_C_TEXT),
    SQL_FIELD(host_process, note, "note", SQL_C_TEXT),
    SQL_FIELD(host_process, port, "port", SQL_C_INT64),
    SQL_FIELD(host_process, started_us, "started_at", SQL_C_TIME),
    SQL_FIELD(host_process, active_us, "active_at", SQL_C_TIME),
    SQL_FIELD(host_process, restarts, "restarts", SQL_C_INT64),
    SQL_FIELD(host_process, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(host_process, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct host_process blank_process = { .started_us = FIELD_NONE, .active_us = FIELD_NONE };
static const struct list_kind process_kind = {
    .noun = "process of the agent",
    .columns = "id, host_id, name, kind, pid, status, note, port, started_at, active_at, restarts, created_at, updated_at",
    .from = "host_process",
    .sorts = process_sorts,
    .key = "id",
    .fields = process_fields,
    .size = sizeof(struct host_process),
    .init = &blank_process,
};

int store_host_process_list(struct db *d, int64_t host_id, const struct store_page *page, struct arena *arena, struct host_process **out,
                            size_t *n, int64_t *total, struct err *e)
{
    struct filter where;

    filter_init(&where, arena);
    filter_i64(&where, "host_id = ?", host_id);
    return list_read(d, &process_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_host_process_get(struct db *d, int64_t host_id, int64_t id, struct arena *arena, struct host_process *out, struct err *e)
{
    int rv = list_get(d, &process_kind, "id = ?", SQL_V_I(id), arena, out, e);

    if (rv != 0 || out->host_id == host_id)
        return rv;
    (void)err_set(e, &ERR_NOT_FOUND, "process of the agent");
    return err_arg(e, "%lld", (long long)id);
}

static const struct many_kind process_rows = {
    "host_process", "id, host_id, name, kind, pid, status, note, port, started_at, active_at, restarts, created_at, updated_at", 13,
    "kind, pid, status, note, port, started_at, active_at, restarts, updated_at",
};

int store_host_process_put(struct tx *tx, const struct host_process *p, size_t n, struct arena *arena, struct err *e)
{
    struct sql_value *values = arena_array(arena, n * process_rows.n_columns + 1, sizeof *values), *v = values;

    if (values == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        *v++ = SQL_V_I(p[i].id);
        *v++ = SQL_V_I(p[i].host_id);
        *v++ = sql_v_s(p[i].name);
        *v++ = sql_v_s(p[i].kind);
        *v++ = SQL_V_I(p[i].pid);
        *v++ = sql_v_s(p[i].status);
        *v++ = sql_v_s(p[i].note);
        *v++ = SQL_V_I(p[i].port);
        *v++ = time_value(p[i].started_us);
        *v++ = time_value(p[i].active_us);
        *v++ = SQL_V_I(p[i].restarts);
        *v++ = SQL_V_TIME(p[i].updated_us);
        *v++ = SQL_V_TIME(p[i].updated_us);
    }
    return many_write(tx, &process_rows, values, n, arena, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/host.h"

#include <string.h>

#include "src/store/change.h"
#include "src/store/place.h"

static const struct list_sort sorts[] = {
    { "createTime", "h.created_at" }, { "id", "h.id" },         { "name", "h.name" },      { "innerIpAddress", "h.ip" },
    { "status", "h.status" },         { "idcName", "i.name" },  { "typeName", "t.name" },  { "regionName", "r.name" },
    { "updateTime", "h.updated_at" }, { NULL },
};
static const struct sql_field fields[] = {
    SQL_FIELD(host, id, "id", SQL_C_INT64),
    SQL_FIELD(host, name, "name", SQL_C_TEXT),
    SQL_FIELD(host, alias, "alias", SQL_C_TEXT),
    SQL_FIELD(host, description, "description", SQL_C_TEXT),
    SQL_FIELD(host, operating_system, "operating_system", SQL_C_TEXT),
    SQL_FIELD(host, operating_system_release, "operating_system_release", SQL_C_TEXT),
    SQL_FIELD(host, architecture, "architecture", SQL_C_TEXT),
    SQL_FIELD(host, serial_number, "serial_number", SQL_C_TEXT),
    SQL_FIELD(host, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(host, ssh_port, "ssh_port", SQL_C_INT64),
    SQL_FIELD(host, kind, "kind", SQL_C_TEXT),
    SQL_FIELD(host, publish_ports, "publish_ports", SQL_C_TEXT),
    SQL_FIELD(host, status, "status", SQL_C_TEXT),
    SQL_FIELD(host, idc_id, "idc_id", SQL_C_INT64),
    SQL_FIELD(host, type_id, "type_id", SQL_C_INT64),
    SQL_FIELD(host, credential_id, "credential_id", SQL_C_INT64),
    SQL_FIELD(host, fingerprint, "ssh_fingerprint", SQL_C_TEXT),
    SQL_FIELD(host, ocp_id, "ocp_id", SQL_C_TEXT),
    SQL_FIELD(host, agent_id, "agent_id", SQL_C_INT64),
    SQL_FIELD(host, agent_version, "agent_version", SQL_C_TEXT),
    SQL_FIELD(host, agent_status, "agent_status", SQL_C_TEXT),
    SQL_FIELD(host, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(host, updated_us, "updated_at", SQL_C_TIME),
    SQL_FIELD(host, idc_name, "idc_name", SQL_C_TEXT),
    SQL_FIELD(host, idc_description, "idc_description", SQL_C_TEXT),
    SQL_FIELD(host, type_name, "type_name", SQL_C_TEXT),
    SQL_FIELD(host, type_description, "type_description", SQL_C_TEXT),
    SQL_FIELD(host, region_id, "region_id", SQL_C_INT64),
    SQL_FIELD(host, region_name, "region_name", SQL_C_TEXT),
    SQL_FIELD(host, region_description, "region_description", SQL_C_TEXT),
    { NULL },
};
static const struct host no_agent = { .agent_id = FIELD_NONE };
static const struct list_kind host_kind = {
    .noun = "host",
    .columns = "h.id AS id, h.name AS name, h.alias AS alias, h.description AS description, h.operating_system AS operating_system, "
               "h.operating_system_release AS operating_system_release, h.architecture AS architecture, h.serial_number AS serial_number, "
               "h.ip AS ip, h.ssh_port AS ssh_port, h.kind AS kind, h.publish_ports AS publish_ports, h.status AS status, "
               "h.idc_id AS idc_id, h.type_id AS type_id, h.credential_id AS credential_id, h.created_at AS created_at, "
               "h.updated_at AS updated_at, i.name AS idc_name, i.description AS idc_description, t.name AS type_name, "
               "t.description AS type_description, r.id AS region_id, r.name AS region_name, r.description AS region_description, "
               "h.ssh_fingerprint AS ssh_fingerprint, h.ocp_id AS ocp_id, a.id AS agent_id, a.version AS agent_version, a.status AS agent_status",
    .from = "host h JOIN idc i ON i.id = h.idc_id JOIN region r ON r.id = i.region_id JOIN host_type t ON t.id = h.type_id "
            "LEFT JOIN host_agent a ON a.host_id = h.id",
    .sorts = sorts,
    .key = "h.id",
    .fields = fields,
    .size = sizeof(struct host),
    .init = &no_agent,
};

static const struct scope_column scope_columns[] = { { .kind = "HOST", .column = "h.id" }, { NULL } };

static bool has(const struct field_strings *types, const char *type)
{
    for (size_t i = 0; i < types->n; i++)
        if (strcmp(types->items[i], type) == 0)
            return true;
    return false;
}

/* Other services than these two are on no host yet. */
static void filter_services(struct filter *where, const struct field_strings *types, const char *before)
{
    if (types->n == 0)
        return;
    str_printf(&where->text, " AND %s(0 = 1", before);
    if (has(types, "OB_CLUSTER"))
        str_add(&where->text, " OR EXISTS (SELECT 1 FROM observer o WHERE o.ip = h.ip)");
    if (has(types, "OCP_AGENT"))
        str_add(&where->text, " OR a.id IS NOT NULL");
    str_add_c(&where->text, ')');
}

int store_host_list(struct db *d, const struct host_filter *f, const struct store_page *page, struct arena *arena, struct host **out,
                    size_t *n, int64_t *total, struct err *e)
{
    static const char *const searched[] = { "h.name", "h.alias", "h.ip", "h.description", NULL };
    struct filter where;

    filter_init(&where, arena);
    if (f != NULL) {
        filter_strings(&where, "h.status IN", f->status);
        filter_contains(&where, searched, f->keyword);
        filter_ints(&where, "h.id IN", f->ids);
        filter_ints(&where, "h.idc_id IN", f->idc_ids);
        filter_ints(&where, "h.type_id IN", f->type_ids);
        filter_strings(&where, "h.ip IN", f->ips);
        filter_services(&where, &f->with_services, "");
        filter_services(&where, &f->without_services, "NOT ");
        filter_scope(&where, f->scope, scope_columns);
    }
    return list_read(d, &host_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_host_get(struct db *d, int64_t id, struct arena *arena, struct host *out, struct err *e)
{
    return list_get(d, &host_kind, "h.id = ?", SQL_V_I(id), arena, out, e);
}

int store_host_find(struct db *d, const char *ip, struct arena *arena, struct host *out, struct err *e)
{
    return list_get(d, &host_kind, "h.ip = ?", sql_v_s(ip), arena, out, e);
}

static int hold_place(struct tx *tx, int64_t idc_id, int64_t type_id, struct err *e)
{
    int rv = idc_id != FIELD_NONE ? store_idc_hold(tx, idc_id, e) : 0;

    return rv == 0 && type_id != FIELD_NONE ? store_host_type_hold(tx, type_id, e) : rv;
}

int store_host_insert(struct tx *tx, const struct host *h, struct err *e)
{
    struct change c = { "host", h->ip, false };
    int rv = hold_place(tx, h->idc_id, h->type_id, e);

    if (rv != 0)
        return rv;
    return change_run_in(tx, &c,
                         "INSERT INTO host (id, name, alias, description, operating_system, operating_system_release, architecture, "
                         "serial_number, ip, ssh_port, kind, publish_ports, status, idc_id, type_id, credential_id, created_at, updated_at) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(6), NOW(6))",
                         DB_ARGS(SQL_V_I(h->id), sql_v_s(h->name), sql_v_s(h->alias), sql_v_s(h->description), sql_v_s(h->operating_system),
                                 sql_v_s(h->operating_system_release), sql_v_s(h->architecture), sql_v_s(h->serial_number), sql_v_s(h->ip),
                                 SQL_V_I(h->ssh_port), sql_v_s(h->kind), sql_v_s(h->publish_ports), sql_v_s(h->status), SQL_V_I(h->idc_id),
                                 SQL_V_I(h->type_id), SQL_V_I(h->credential_id)),
                         e);
}

static struct sql_value or_null(int64_t v)
{
    return v != FIELD_NONE ? SQL_V_I(v) : SQL_V_NULL;
}

int store_host_update(struct tx *tx, const struct host *h, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "host", change_id(h->id, text), false };
    int rv = hold_place(tx, h->idc_id, h->type_id, e);

    if (rv != 0)
        return rv;
    return change_run_in(tx, &c,
                         "UPDATE host SET alias = COALESCE(?, alias), description = COALESCE(?, description), ssh_port = COALESCE(?, ssh_port), "
                         "kind = COALESCE(?, kind), publish_ports = COALESCE(?, publish_ports), idc_id = COALESCE(?, idc_id), "
                         "type_id = COALESCE(?, type_id), credential_id = COALESCE(?, credential_id), updated_at = NOW(6) WHERE id = ?",
                         DB_ARGS(sql_v_s(h->alias), sql_v_s(h->description), or_null(h->ssh_port), sql_v_s(h->kind), sql_v_s(h->publish_ports),
                                 or_null(h->idc_id), or_null(h->type_id), or_null(h->credential_id), SQL_V_I(h->id)),
                         e);
}

int store_host_describe(struct tx *tx, const struct host *h, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "host", change_id(h->id, text), false };

    return change_run_in(tx, &c,
                         "UPDATE host SET name = ?, operating_system = ?, operating_system_release = ?, architecture = ?, ocp_id = ?, "
                         "serial_number = CASE WHEN serial_number = '' THEN ? ELSE serial_number END, updated_at = NOW(6) WHERE id = ?",
                         DB_ARGS(sql_v_s(h->name), sql_v_s(h->operating_system), sql_v_s(h->operating_system_release),
                                 sql_v_s(h->architecture), sql_v_s(h->ocp_id), sql_v_s(h->serial_number), SQL_V_I(h->id)),
                         e);
}

int store_host_pin(struct tx *tx, int64_t id, const char *fingerprint, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "host", change_id(id, text), false };

    return change_run_in(tx, &c, "UPDATE host SET ssh_fingerprint = ?, updated_at = NOW(6) WHERE id = ?",
                         DB_ARGS(sql_v_s(fingerprint), SQL_V_I(id)), e);
}

int store_host_set_status(struct tx *tx, int64_t id, const char *from, const char *to, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "host", change_id(id, text), from != NULL };

    if (from == NULL)
        return change_run_in(tx, &c, "UPDATE host SET status = ?, updated_at = NOW(6) WHERE id = ?", DB_ARGS(sql_v_s(to), SQL_V_I(id)), e);
    return change_run_in(tx, &c, "UPDATE host SET status = ?, updated_at = NOW(6) WHERE id = ? AND status = ?",
                         DB_ARGS(sql_v_s(to), SQL_V_I(id), sql_v_s(from)), e);
}

#define STATE "CASE WHEN NOT EXISTS (SELECT 1 FROM host_agent a WHERE a.host_id = host.id AND a.status = 'AVAILABLE') THEN 'OFFLINE' " \
              "WHEN EXISTS (SELECT 1 FROM observer o WHERE o.ip = host.ip) THEN 'ONLINE' ELSE 'AVAILABLE' END"

static int follow_body(struct tx *tx, void *data, struct err *e)
{
    (void)data;
    return tx_exec(tx, "UPDATE host SET updated_at = NOW(6), status = " STATE
                   " WHERE status IN ('AVAILABLE', 'ONLINE', 'OFFLINE') AND status <> " STATE, DB_NO_ARGS, NULL, e);
}

int store_host_follow_agents(struct db *d, struct err *e)
{
    return db_transact(d, follow_body, NULL, e);
}

int store_host_delete(struct tx *tx, int64_t id, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "host", change_id(id, text), false };

    return change_run_in(tx, &c, "DELETE FROM host WHERE id = ?", DB_ARGS(SQL_V_I(id)), e);
}

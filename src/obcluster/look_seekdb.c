/* SPDX-License-Identifier: Apache-2.0 */
/* A seekdb is one server with one tenant. Where zones are asked for, its own parameter `zone` names the zone; kernels without one get the
 * zone "sys", after the only scope they name themselves. Where units are asked for, the tenant has one, numbered like the tenant, which
 * may use all of the server. Nothing else is made up: what the kernel does not say stays empty. */
#include <math.h>
#include <string.h>

#include "src/obcluster/look_engine.h"
#include "src/oceanbase/server.h"
#include "src/oceanbase/topology.h"

static const char sys_name[] = "sys";

struct rows {
    struct obzone zone;
    struct observer server;
    struct obtenant tenant;
    struct obunit unit;
};

static int64_t known(int64_t v)
{
    return v >= 0 ? v : FIELD_NONE;
}

static void take_server(struct observer *out, const struct ob_server *s, const struct obcluster *c, const char *zone, const char *version)
{
    *out = (struct observer){
        .cluster_id = c->id,
        .zone = zone,
        .ip = look_address(s->ip != NULL ? s->ip : "", 1, c),
        .port = s->rpc_port,
        .sql_port = s->sql_port,
        .version = version,
        .inner_status = "",
        .with_rootserver = true,
        .in_rs_list = true,
        .start_us = s->started_us > 0 ? s->started_us : FIELD_NONE,
        .stop_us = FIELD_NONE,
        .offline_us = FIELD_NONE,
        .cpu_total = s->cpu_capacity,
        .cpu_max = s->cpu_capacity_max,
        .cpu_assigned = s->cpu_assigned,
        .cpu_assigned_max = s->cpu_assigned_max,
        .memory_total = known(s->memory_capacity),
        .memory_assigned = known(s->memory_assigned),
        .log_disk_total = known(s->log_disk_capacity),
        .log_disk_assigned = known(s->log_disk_assigned),
        .log_disk_used = known(s->log_disk_used),
        .data_disk_total = known(s->data_disk_capacity),
        .data_disk_used = known(s->data_disk_used),
    };
}

static void take_unit(struct obunit *out, const struct observer *s, const struct obtenant *t)
{
    *out = (struct obunit){
        .cluster_id = s->cluster_id,
        .ob_unit_id = t->ob_tenant_id,
        .ob_tenant_id = t->ob_tenant_id,
        .zone = s->zone,
        .ip = s->ip,
        .port = s->port,
        .status = "ACTIVE",
        .group_id = FIELD_NONE,
        .pool_id = FIELD_NONE,
        .pool_name = "",
        .pool_unit_count = 1,
        .config_id = FIELD_NONE,
        .config_name = "",
        .max_cpu = s->cpu_total,
        .min_cpu = s->cpu_assigned,
        .memory = s->memory_total,
        .log_disk = s->log_disk_total,
        .max_iops = FIELD_NONE,
        .min_iops = FIELD_NONE,
        .iops_weight = FIELD_NONE,
        .migrate_from_ip = "",
        .migrate_from_port = FIELD_NONE,
        .log_disk_used = s->log_disk_used,
        .data_disk_used = s->data_disk_used,
    };
}

static void take_variable(struct obtenant *t, const struct sql_rows *rows, size_t row)
{
    struct slice name = sql_text(rows, row, 0), value = sql_text(rows, row, 1);
    const char *text = value.s != NULL ? value.s : "";

    if (slice_is(name, "character_set_server"))
        t->charset = text;
    else if (slice_is(name, "collation_server"))
        t->collation = text;
    else if (slice_is(name, "time_zone"))
        t->time_zone = text;
    else if (slice_is(name, "read_only"))
        t->readonly = slice_is_nocase(value, "ON") || slice_is(value, "1");
    else if (slice_is_nocase(name, "ob_compatibility_mode"))
        t->mode = slice_is_nocase(value, "ORACLE") ? "ORACLE" : "MYSQL";
    else if (slice_is_nocase(name, "ob_tcp_invited_nodes"))
        t->whitelist = text;
}

static int ask_tenant(struct sql *s, int64_t cluster_id, int64_t born_us, struct arena *arena, struct obtenant *out, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s,
                     "SHOW GLOBAL VARIABLES WHERE variable_name IN ('character_set_server', 'collation_server', 'time_zone', 'read_only', "
                     "'ob_compatibility_mode', 'ob_tcp_invited_nodes')",
                     NULL, 0, 0, arena, &rows, e);

    *out = (struct obtenant){
        .cluster_id = cluster_id,
        .ob_tenant_id = OB_SYS_TENANT,
        .name = sys_name,
        .mode = "MYSQL",
        .status = "NORMAL",
        .charset = "",
        .collation = "",
        .time_zone = "",
        .primary_zone = "",
        .locality = "",
        .former_locality = "",
        .role = "",
        .switchover_status = "",
        .compatible = "",
        .unit_num = 1,
        .lower_case_names = FIELD_NONE,
        .born_us = born_us > 0 ? born_us : FIELD_NONE,
    };
    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++)
        take_variable(out, &rows, i);
    return rv;
}

static int look(struct sql *s, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e)
{
    struct rows *rows = arena_zalloc(arena, sizeof *rows);
    struct ob_server server;
    struct str endpoints;
    struct ob_probe p;
    int rv = rows != NULL ? ob_probe(s, arena, &p, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = look_take_identity(&p, c, arena, out, e);
    if (rv == 0)
        rv = ob_server_get(s, arena, &server, e);
    if (rv == 0)
        rv = ask_tenant(s, c->id, server.created_us, arena, &rows->tenant, e);
    if (rv != 0)
        return rv;
    rows->zone = (struct obzone){
        .cluster_id = c->id, .name = p.zone != NULL ? p.zone : sys_name, .region = "", .idc = "", .inner_status = "", .type = "", .compaction = "",
    };
    take_server(&rows->server, &server, c, rows->zone.name, p.ob_version);
    take_unit(&rows->unit, &rows->server, &rows->tenant);
    str_init(&endpoints, arena);
    look_add_endpoint(&endpoints, rows->server.ip, c->port, true); /* it knows the port it was started with, not the one it is reached at */
    out->endpoints = str_c(&endpoints);
    out->version = p.ob_version;
    out->full_version = p.full_version;
    out->architecture = "";
    out->type = server.role != NULL ? server.role : "PRIMARY";
    out->topology = (struct obtopology){ &rows->zone, &rows->server, &rows->tenant, &rows->unit, 1, 1, 1, 1 };
    return str_failed(&endpoints) ? err_set(e, &ERR_NOMEM, "") : 0;
}

const struct look_engine look_seekdb = { "SEEKDB", look };

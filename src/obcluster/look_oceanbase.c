/* SPDX-License-Identifier: Apache-2.0 */
/* An OceanBase, 4.0 and newer: seven statements a look. They are no snapshot: a tenant may be dropped between two of them, so each row is
 * taken as it comes, and what refers to a row that is gone refers to nothing; the next look finds the rest. */
#include <string.h>
#include <strings.h>

#include "src/obcluster/look_engine.h"
#include "src/oceanbase/topology.h"

/* What the statements have brought. */
struct seen {
    struct ob_probe probe;
    struct ob_zone *zones;
    struct ob_observer *servers;
    struct ob_unit *units;
    struct ob_tenant *tenants;
    struct ob_tenant_variable *variables;
    struct ob_service *services;
    size_t n_zones, n_servers, n_units, n_tenants, n_variables, n_services;
};

static int64_t known(int64_t v)
{
    return v >= 0 && v != INT64_MAX ? v : FIELD_NONE;
}

/* Times that were never are 0 on some versions, and NULL on others. */
static int64_t moment(int64_t us)
{
    return us > 0 ? us : FIELD_NONE;
}

static bool is_yes(const char *text)
{
    return strcasecmp(text, "YES") == 0;
}

static int ask(struct sql *s, struct arena *arena, struct seen *v, struct err *e)
{
    int rv = ob_zones_list(s, arena, &v->zones, &v->n_zones, e);

    if (rv == 0)
        rv = ob_observers_list(s, arena, &v->servers, &v->n_servers, e);
    if (rv == 0)
        rv = ob_units_list(s, arena, &v->units, &v->n_units, e);
    if (rv == 0)
        rv = ob_tenants_list(s, arena, &v->tenants, &v->n_tenants, e);
    if (rv == 0)
        rv = ob_tenant_variables_list(s, arena, &v->variables, &v->n_variables, e);
    if (rv == 0)
        rv = ob_services_list(s, arena, &v->services, &v->n_services, e);
    return rv;
}

/* --- rows --------------------------------------------------------------------------------------------------------------------- */

static struct obzone zone_of(const struct ob_zone *z, const struct obcluster *c)
{
    return (struct obzone){
        .cluster_id = c->id,
        .name = z->name,
        .region = z->region,
        .idc = z->idc,
        .inner_status = z->status,
        .type = z->type,
        .compaction = z->n_compacting > 0 ? "COMPACTING" : "IDLE",
    };
}

static bool has_sys_unit(const struct seen *v, const struct ob_observer *s)
{
    for (size_t i = 0; i < v->n_units; i++)
        if (v->units[i].tenant_id == OB_SYS_TENANT && v->units[i].port == s->port && strcmp(v->units[i].ip, s->ip) == 0)
            return true;
    return false;
}

static struct observer server_of(const struct seen *v, const struct ob_observer *s, const struct obcluster *c, const char *version)
{
    return (struct observer){
        .cluster_id = c->id,
        .zone = s->zone,
        .ip = look_address(s->ip, v->n_servers, c),
        .port = s->port,
        .sql_port = s->sql_port,
        .version = version,
        .inner_status = s->status,
        .with_rootserver = is_yes(s->with_rootserver),
        .in_rs_list = is_yes(s->with_rootserver) || has_sys_unit(v, s),
        .start_us = moment(s->start_us),
        .stop_us = moment(s->stop_us),
        .offline_us = moment(s->offline_us),
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

static struct obunit unit_of(const struct seen *v, const struct ob_unit *u, const struct obcluster *c)
{
    return (struct obunit){
        .cluster_id = c->id,
        .ob_unit_id = u->id,
        .ob_tenant_id = known(u->tenant_id),
        .zone = u->zone,
        .ip = look_address(u->ip, v->n_servers, c),
        .port = u->port,
        .status = u->status,
        .group_id = known(u->group_id),
        .pool_id = known(u->pool_id),
        .pool_name = u->pool_name,
        .pool_unit_count = known(u->pool_unit_count),
        .config_id = known(u->config_id),
        .config_name = u->config_name,
        .max_cpu = u->max_cpu,
        .min_cpu = u->min_cpu,
        .memory = known(u->memory),
        .log_disk = known(u->log_disk),
        .max_iops = known(u->max_iops),
        .min_iops = known(u->min_iops),
        .iops_weight = known(u->iops_weight),
        .migrate_from_ip = u->migrate_from_ip,
        .migrate_from_port = u->migrate_from_port > 0 ? u->migrate_from_port : FIELD_NONE,
        .manual_migrate = is_yes(u->manual_migrate),
        .log_disk_used = known(u->log_disk_used),
        .data_disk_used = known(u->data_disk_used),
    };
}

static struct obtenant tenant_of(const struct ob_tenant *t, const struct obcluster *c)
{
    return (struct obtenant){
        .cluster_id = c->id,
        .ob_tenant_id = t->id,
        .name = t->name,
        .mode = strcasecmp(t->mode, "ORACLE") == 0 ? "ORACLE" : "MYSQL",
        .status = t->status,
        .charset = "",
        .collation = "",
        .time_zone = "",
        .primary_zone = t->primary_zone,
        .locality = t->locality,
        .former_locality = t->former_locality,
        .role = t->role,
        .switchover_status = t->switchover_status,
        .compatible = t->compatible,
        .locked = is_yes(t->locked),
        .unit_num = known(t->unit_num),
        .lower_case_names = FIELD_NONE,
        .born_us = moment(t->created_us),
    };
}

static void take_variable(struct obtenant *t, const struct ob_tenant_variable *v)
{
    if (strcmp(v->name, "character_set_server") == 0)
        t->charset = ob_charset_name(v->value);
    else if (strcmp(v->name, "collation_server") == 0)
        t->collation = ob_collation_name(v->value);
    else if (strcmp(v->name, "time_zone") == 0)
        t->time_zone = v->value;
    else if (strcmp(v->name, "read_only") == 0)
        t->readonly = strcmp(v->value, "1") == 0 || strcasecmp(v->value, "ON") == 0;
    else if (strcmp(v->name, "lower_case_table_names") == 0)
        t->lower_case_names = v->value[0] >= '0' && v->value[0] <= '9' ? v->value[0] - '0' : FIELD_NONE;
    else if (strcmp(v->name, "ob_tcp_invited_nodes") == 0)
        t->whitelist = v->value;
}

/* Versions before 4.2 do not tell how many units a tenant has in each zone. */
static void count_units(struct obtenant *t, const struct seen *v)
{
    const char *zone = NULL;
    int64_t n = 0;

    for (size_t i = 0; i < v->n_units; i++) {
        if (v->units[i].tenant_id != t->ob_tenant_id || (zone != NULL && strcmp(zone, v->units[i].zone) != 0))
            continue;
        zone = v->units[i].zone;
        n++;
    }
    t->unit_num = n > 0 ? n : FIELD_NONE;
}

/* Proxies are told of services that let somebody in. */
static void take_services(const struct seen *v, struct obtenant *tenants)
{
    for (size_t i = 0; i < v->n_services; i++)
        for (size_t k = 0; k < v->n_tenants; k++)
            if (tenants[k].ob_tenant_id == v->services[i].tenant_id && strcasecmp(v->services[i].status, "STARTED") == 0)
                tenants[k].service = v->services[i].name;
}

/* Both lists are sorted by tenant. */
static void take_tenants(const struct seen *v, const struct obcluster *c, struct obtenant *out)
{
    size_t k = 0;

    for (size_t i = 0; i < v->n_tenants; i++) {
        out[i] = tenant_of(&v->tenants[i], c);
        while (k < v->n_variables && v->variables[k].tenant_id < v->tenants[i].id)
            k++;
        for (; k < v->n_variables && v->variables[k].tenant_id == v->tenants[i].id; k++)
            take_variable(&out[i], &v->variables[k]);
        if (out[i].unit_num == FIELD_NONE)
            count_units(&out[i], v);
    }
}

/* --- the cluster -------------------------------------------------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *start)
{
    size_t n = strlen(start);

    return strncmp(text, start, n) == 0 && (text[n] == '\0' || text[n] == '-');
}

/* The cluster is at the version that all its servers have at least, as it says itself; a server that claims something else changes nothing. */
static int take_version(const struct seen *v, const struct observer *servers, struct sql *s, struct arena *arena, struct look *out,
                        struct err *e)
{
    enum ob_engine engine;

    out->full_version = NULL;
    for (size_t i = 0; i < v->n_servers; i++) {
        const char *version = servers[i].version;

        if (v->probe.min_version != NULL && !begins_with(version, v->probe.min_version))
            continue;
        if (version[0] != '\0' && (out->full_version == NULL || strverscmp(version, out->full_version) < 0))
            out->full_version = version;
    }
    out->version = v->probe.min_version;
    if (out->version == NULL && out->full_version != NULL)
        out->version = arena_strndup(arena, out->full_version, strcspn(out->full_version, "-"));
    else if (out->version == NULL)
        (void)ob_parse_version(sql_version(s), sql_version_comment(s), arena, &engine, &out->version);
    if (out->full_version == NULL)
        out->full_version = out->version;
    return out->version != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static bool zone_serves(const struct seen *v, const char *name)
{
    for (size_t i = 0; i < v->n_zones; i++)
        if (strcmp(v->zones[i].name, name) == 0)
            return strcasecmp(v->zones[i].status, "ACTIVE") == 0;
    return true;
}

static bool serves(const struct seen *v, const struct ob_observer *s)
{
    return strcasecmp(s->status, "ACTIVE") == 0 && moment(s->stop_us) == FIELD_NONE && moment(s->start_us) != FIELD_NONE &&
           zone_serves(v, s->zone);
}

static int take_endpoints(const struct seen *v, const struct observer *servers, struct arena *arena, struct look *out, struct err *e)
{
    struct str text;

    str_init(&text, arena);
    for (size_t i = 0; i < v->n_servers; i++)
        look_add_endpoint(&text, servers[i].ip, servers[i].sql_port, serves(v, &v->servers[i]));
    out->endpoints = str_c(&text);
    return str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : 0;
}

static int take_topology(const struct seen *v, const struct obcluster *c, struct arena *arena, struct obtopology *out, struct err *e)
{
    *out = (struct obtopology){
        .zones = arena_array(arena, v->n_zones + 1, sizeof *out->zones),
        .servers = arena_array(arena, v->n_servers + 1, sizeof *out->servers),
        .tenants = arena_array(arena, v->n_tenants + 1, sizeof *out->tenants),
        .units = arena_array(arena, v->n_units + 1, sizeof *out->units),
        .n_zones = v->n_zones,
        .n_servers = v->n_servers,
        .n_tenants = v->n_tenants,
        .n_units = v->n_units,
    };
    if (out->zones == NULL || out->servers == NULL || out->tenants == NULL || out->units == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < v->n_zones; i++)
        out->zones[i] = zone_of(&v->zones[i], c);
    for (size_t i = 0; i < v->n_servers; i++) {
        const char *version = look_version(v->servers[i].build_version, arena);

        if (version == NULL)
            return err_set(e, &ERR_NOMEM, "");
        out->servers[i] = server_of(v, &v->servers[i], c, version);
    }
    for (size_t i = 0; i < v->n_units; i++)
        out->units[i] = unit_of(v, &v->units[i], c);
    take_tenants(v, c, out->tenants);
    take_services(v, out->tenants);
    return 0;
}

static int look(struct sql *s, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e)
{
    struct seen v = { .probe = { .engine = OB_ENGINE_OCEANBASE, .cluster_id = -1 } };
    int rv = sql_engine(s) == SQL_OCEANBASE ? ob_identify(s, arena, &v.probe, e) : 0;

    if (rv == 0)
        rv = look_take_identity(&v.probe, c, arena, out, e);
    if (rv == 0)
        rv = ask(s, arena, &v, e);
    if (rv == 0)
        rv = take_topology(&v, c, arena, &out->topology, e);
    if (rv == 0)
        rv = take_version(&v, out->topology.servers, s, arena, out, e);
    if (rv == 0)
        rv = take_endpoints(&v, out->topology.servers, arena, out, e);
    out->type = "PRIMARY";
    out->architecture = "";
    return rv;
}

const struct look_engine look_oceanbase = { "OCEANBASE", look };

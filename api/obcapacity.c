/* SPDX-License-Identifier: Apache-2.0 */
/* Capacity of managed clusters, of their servers and units, and what is used of it: as the last look saw it. */
#include <math.h>
#include <string.h>

#include "api/obcluster_view.h"
#include "api/tables.h"

/* --- clusters --------------------------------------------------------------------------------------------------------------- */

struct capacity {
    double cpu_total, cpu_assigned;
    int64_t memory_total, memory_assigned, log_disk_total, log_disk_assigned, log_disk_used, data_disk_total, data_disk_used;
};
#define CAPACITY_FIELDS(STRUCT, AT)                                                                                            \
    F_DOUBLE(STRUCT, AT.cpu_total, "cpuTotal", DOC("Cores.")), F_DOUBLE(STRUCT, AT.cpu_assigned, "cpuAssigned", DOC("Cores given to tenants.")), \
        F_INT(STRUCT, AT.memory_total, "memoryTotalByte", DOC("Memory, bytes.")),                                                \
        F_INT(STRUCT, AT.memory_assigned, "memoryAssignedByte", DOC("Memory given to tenants, bytes; absent where no limit is set.")), \
        F_INT(STRUCT, AT.log_disk_total, "logDiskTotalByte", DOC("Room for logs, bytes.")),                                      \
        F_INT(STRUCT, AT.log_disk_assigned, "logDiskAssignedByte", DOC("Room for logs given to tenants, bytes.")),              \
        F_INT(STRUCT, AT.log_disk_used, "logDiskUsedByte", DOC("Logs, bytes.")),                                                 \
        F_INT(STRUCT, AT.data_disk_total, "dataDiskTotalByte", DOC("Room for data, bytes.")),                                    \
        F_INT(STRUCT, AT.data_disk_used, "dataDiskUsedByte", DOC("Data, bytes."))

static struct capacity capacity_of(const struct observer *s)
{
    return (struct capacity){
        .cpu_total = s->cpu_total,
        .cpu_assigned = s->cpu_assigned,
        .memory_total = s->memory_total,
        .memory_assigned = s->memory_assigned,
        .log_disk_total = s->log_disk_total,
        .log_disk_assigned = s->log_disk_assigned,
        .log_disk_used = s->log_disk_used,
        .data_disk_total = s->data_disk_total,
        .data_disk_used = s->data_disk_used,
    };
}

/* A sum is unknown when nothing of it is known. */
static void add_number(int64_t *sum, int64_t v)
{
    if (v != FIELD_NONE)
        *sum = *sum == FIELD_NONE ? v : *sum + v;
}

static void add_real(double *sum, double v)
{
    if (!isnan(v))
        *sum = isnan(*sum) ? v : *sum + v;
}

static void add_capacity(struct capacity *sum, const struct capacity *c)
{
    add_real(&sum->cpu_total, c->cpu_total);
    add_real(&sum->cpu_assigned, c->cpu_assigned);
    add_number(&sum->memory_total, c->memory_total);
    add_number(&sum->memory_assigned, c->memory_assigned);
    add_number(&sum->log_disk_total, c->log_disk_total);
    add_number(&sum->log_disk_assigned, c->log_disk_assigned);
    add_number(&sum->log_disk_used, c->log_disk_used);
    add_number(&sum->data_disk_total, c->data_disk_total);
    add_number(&sum->data_disk_used, c->data_disk_used);
}

struct stats_view {
    int64_t cluster_id, ob_cluster_id, n_tenants;
    const char *name;
    struct capacity capacity;
};
static const struct field stats_fields[] = {
    F_INT(stats_view, cluster_id, "clusterId", DOC("Id of the cluster.")),
    F_STRING(stats_view, name, "clusterName", DOC("Its name.")),
    F_INT(stats_view, ob_cluster_id, "obClusterId", DOC("Its own number, where its kernel has one.")),
    F_INT(stats_view, n_tenants, "tenantCount", DOC("Number of tenants.")),
    CAPACITY_FIELDS(stats_view, capacity),
    FIELD_END,
};

static struct stats_view stats_of(const struct obcluster_rows *rows, const struct obcluster *of)
{
    static const struct capacity unknown = { NAN, NAN, FIELD_NONE, FIELD_NONE, FIELD_NONE, FIELD_NONE, FIELD_NONE, FIELD_NONE, FIELD_NONE };
    struct stats_view out = { of->id, of->ob_cluster_id, 0, of->name, unknown };

    for (size_t i = 0; i < rows->topology.n_servers; i++) {
        struct capacity one = capacity_of(&rows->topology.servers[i]);

        if (rows->topology.servers[i].cluster_id == of->id)
            add_capacity(&out.capacity, &one);
    }
    for (size_t i = 0; i < rows->topology.n_tenants; i++)
        out.n_tenants += rows->topology.tenants[i].cluster_id == of->id;
    return out;
}

static int api_obcluster_stats(struct call *c, struct err *e)
{
    struct obcluster_rows rows;
    struct stats_view view;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    if (rv != 0)
        return rv;
    view = stats_of(&rows, rows.clusters);
    return call_object(c, &view, e);
}

static int api_obclusters_stats(struct call *c, struct err *e)
{
    struct obcluster_filter f = { .scope = c->scope };
    struct obcluster_rows rows = { .clusters = NULL };
    struct stats_view *views = NULL;
    int rv = store_obcluster_list(c->db, &f, NULL, c->arena, &rows.clusters, &rows.n_clusters, NULL, e);

    if (rv == 0)
        rv = obcluster_rows_read(c, &rows, e);
    if (rv == 0 && (views = arena_array(c->arena, rows.n_clusters + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < rows.n_clusters; i++)
        views[i] = stats_of(&rows, &rows.clusters[i]);
    return rv == 0 ? call_list(c, views, rows.n_clusters, e) : rv;
}

/* --- servers ---------------------------------------------------------------------------------------------------------------- */

struct server_stats_view {
    const char *ip, *zone;
    int64_t port, n_units, at_us;
    double cpu_max, cpu_assigned_max;
    struct capacity capacity;
};
static const struct field server_stats_fields[] = {
    F_STRING(server_stats_view, ip, "ip", DOC("Address.")),
    F_INT(server_stats_view, port, "port", DOC("RPC port.")),
    F_STRING(server_stats_view, zone, "zone", DOC("Zone.")),
    F_INT(server_stats_view, n_units, "unitCount", DOC("Number of units.")),
    F_TIME(server_stats_view, at_us, "timestamp", DOC("When these numbers were seen.")),
    F_DOUBLE(server_stats_view, capacity.cpu_total, "cpuTotalMin", DOC("Cores.")),
    F_DOUBLE(server_stats_view, cpu_max, "cpuTotalMax", DOC("Cores that may be promised to tenants.")),
    F_DOUBLE(server_stats_view, cpu_assigned_max, "cpuAssignedMax", DOC("Cores promised to tenants.")),
    CAPACITY_FIELDS(server_stats_view, capacity),
    FIELD_END,
};

static int64_t count_units(const struct obtopology *t, const struct observer *s)
{
    int64_t n = 0;

    for (size_t i = 0; i < t->n_units; i++)
        n += t->units[i].port == s->port && strcmp(t->units[i].ip, s->ip) == 0;
    return n;
}

static int api_observer_stats(struct call *c, struct err *e)
{
    struct server_stats_view *views = NULL;
    struct obcluster_rows rows;
    size_t n = 0;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    if (rv == 0 && (views = arena_array(c->arena, rows.topology.n_servers + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (; rv == 0 && n < rows.topology.n_servers; n++) {
        const struct observer *s = &rows.topology.servers[n];

        views[n] = (struct server_stats_view){
            .ip = s->ip,
            .zone = s->zone,
            .port = s->port,
            .n_units = count_units(&rows.topology, s),
            .cpu_max = s->cpu_max,
            .cpu_assigned_max = s->cpu_assigned_max,
            .at_us = rows.clusters->seen_us,
            .capacity = capacity_of(s),
        };
    }
    return rv == 0 ? call_list(c, views, n, e) : rv;
}

/* --- units ------------------------------------------------------------------------------------------------------------------ */

struct unit_query {
    int64_t tenant_id, server_port;
    const char *server_ip;
    struct field_ints ids;
};
static const struct field unit_query_fields[] = {
    F_INT(unit_query, tenant_id, "tenantId", DOC("Only units of this tenant.")),
    F_STRING(unit_query, server_ip, "serverIp", .max = 255, DOC("Only units on this server.")),
    F_INT(unit_query, server_port, "serverPort", DOC("Its RPC port.")),
    F_INTS(unit_query, ids, "obUnitIdList", DOC("Only these units.")),
    FIELD_END,
};

struct unit_config_view {
    double cpu_max, cpu_min;
    int64_t memory, log_disk, max_iops, min_iops, iops_weight;
    double memory_gb, log_disk_gb;
};
static const struct field unit_config_fields[] = {
    F_DOUBLE(unit_config_view, cpu_max, "maxCpuCoreCount", DOC("Cores at most.")),
    F_DOUBLE(unit_config_view, cpu_min, "minCpuCoreCount", DOC("Cores at least.")),
    F_INT(unit_config_view, memory, "maxMemoryByte", DOC("Memory at most, bytes.")),
    F_INT(unit_config_view, memory, "minMemoryByte", DOC("Memory at least, bytes.")),
    F_INT(unit_config_view, log_disk, "logDiskSizeByte", DOC("Room for logs, bytes.")),
    F_INT(unit_config_view, max_iops, "maxIops", DOC("Disk operations a second at most.")),
    F_INT(unit_config_view, min_iops, "minIops", DOC("Disk operations a second at least.")),
    F_INT(unit_config_view, iops_weight, "iopsWeight", DOC("Share of disk operations when they are short.")),
    F_DOUBLE(unit_config_view, memory_gb, "maxMemorySize", DOC("Memory at most, GB.")),
    F_DOUBLE(unit_config_view, memory_gb, "minMemorySize", DOC("Memory at least, GB.")),
    F_DOUBLE(unit_config_view, log_disk_gb, "logDiskSize", DOC("Room for logs, GB.")),
    FIELD_END,
};

struct unit_view {
    int64_t id, tenant_id, ob_tenant_id, port, pool_id, log_disk_used, data_disk_used, opposite_port;
    const char *tenant_name, *ip, *zone, *status, *migrate_type, *opposite_ip;
    int manual;
    struct unit_config_view *config;
};
static const struct field unit_fields[] = {
    F_INT(unit_view, id, "obUnitId", DOC("Number of the unit.")),
    F_INT(unit_view, tenant_id, "tenantId", DOC("Tenant; absent: the unit is granted to none.")),
    F_STRING(unit_view, tenant_name, "tenantName", DOC("Its name.")),
    F_INT(unit_view, ob_tenant_id, "obTenantId", DOC("Its number in the cluster.")),
    F_STRING(unit_view, ip, "svrIp", DOC("Server.")),
    F_INT(unit_view, port, "svrPort", DOC("Its RPC port.")),
    F_STRING(unit_view, zone, "zone", DOC("Zone.")),
    F_OBJECT(unit_view, config, "unitConfig", unit_config_view, unit_config_fields, DOC("What the unit may use.")),
    F_STRING(unit_view, status, "status", DOC("ACTIVE, DELETING.")),
    F_INT(unit_view, pool_id, "resourcePoolId", DOC("Resource pool, where the kernel has pools.")),
    F_STRING(unit_view, migrate_type, "migrateType", DOC("MIGRATE_IN while the unit is being moved here; absent: it is not moved.")),
    F_STRING(unit_view, opposite_ip, "migrateOppositeSvrIp", DOC("Server it comes from.")),
    F_INT(unit_view, opposite_port, "migrateOppositeSvrPort", DOC("Its RPC port.")),
    F_BOOL(unit_view, manual, "manualMigrate", DOC("Whether somebody asked for the move.")),
    F_INT(unit_view, log_disk_used, "logDiskUsedByte", DOC("Logs, bytes.")),
    F_INT(unit_view, data_disk_used, "dataDiskUsedByte", DOC("Data, bytes.")),
    FIELD_END,
};

static double gigabytes(int64_t bytes)
{
    return bytes == FIELD_NONE ? NAN : (double)bytes / (1024.0 * 1024 * 1024);
}

static const struct obtenant *tenant_of(const struct obtopology *t, const struct obunit *u)
{
    for (size_t i = 0; i < t->n_tenants; i++)
        if (t->tenants[i].ob_tenant_id == u->ob_tenant_id)
            return &t->tenants[i];
    return NULL;
}

static int unit_of(struct call *c, const struct obunit *u, const struct obtenant *t, struct unit_view *out, struct err *e)
{
    bool moves = u->migrate_from_ip[0] != '\0';
    struct unit_config_view *config = arena_alloc(c->arena, sizeof *config);

    if (config == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *config = (struct unit_config_view){
        u->max_cpu, u->min_cpu, u->memory, u->log_disk, u->max_iops, u->min_iops, u->iops_weight, gigabytes(u->memory), gigabytes(u->log_disk),
    };
    *out = (struct unit_view){
        .id = u->ob_unit_id,
        .tenant_id = t != NULL ? t->id : FIELD_NONE,
        .ob_tenant_id = u->ob_tenant_id,
        .port = u->port,
        .pool_id = u->pool_id,
        .log_disk_used = u->log_disk_used,
        .data_disk_used = u->data_disk_used,
        .opposite_port = moves ? u->migrate_from_port : FIELD_NONE,
        .tenant_name = t != NULL ? t->name : NULL,
        .ip = u->ip,
        .zone = u->zone,
        .status = u->status,
        .migrate_type = moves ? "MIGRATE_IN" : NULL,
        .opposite_ip = moves ? u->migrate_from_ip : NULL,
        .manual = u->manual_migrate,
        .config = config,
    };
    return 0;
}

static bool is_wanted(const char *wanted, const char *value)
{
    return wanted == NULL || (value != NULL && strcmp(wanted, value) == 0);
}

static bool unit_is_wanted(const struct unit_query *q, const struct unit_view *u)
{
    bool listed = q->ids.n == 0;

    for (size_t i = 0; i < q->ids.n; i++)
        listed |= q->ids.items[i] == u->id;
    return listed && (q->tenant_id == FIELD_NONE || q->tenant_id == u->tenant_id) && is_wanted(q->server_ip, u->ip) &&
           (q->server_port == FIELD_NONE || q->server_port == u->port);
}

static int api_obunit_list(struct call *c, struct err *e)
{
    const struct unit_query *q = c->query;
    struct unit_view *views = NULL;
    struct obcluster_rows rows;
    size_t n = 0;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    if (rv == 0 && (views = arena_array(c->arena, rows.topology.n_units + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < rows.topology.n_units; i++) {
        const struct obunit *u = &rows.topology.units[i];

        rv = unit_of(c, u, tenant_of(&rows.topology, u), &views[n], e);
        n += rv == 0 && unit_is_wanted(q, &views[n]);
    }
    return rv == 0 ? call_list(c, views, n, e) : rv;
}

/* --- one unit --------------------------------------------------------------------------------------------------------------- */

struct unit_place {
    const char *ip;
    int64_t port;
};
static const struct field unit_place_fields[] = {
    F_STRING(unit_place, ip, "serverIp", .max = 255, DOC("Server it is on; not needed: the number is enough.")),
    F_INT(unit_place, port, "serverPort", DOC("Its RPC port.")),
    FIELD_END,
};

struct unit_detail {
    int64_t id, ob_tenant_id, port, memory, used, at_us;
    const char *tenant_name, *ip, *zone, *region, *config, *config_name, *pool, *from_ip, *migrate_type;
    double cpu_max, cpu_min;
    int manual;
};
static const struct field unit_detail_fields[] = {
    F_INT(unit_detail, id, "obUnitId", DOC("Number of the unit.")),
    F_INT(unit_detail, ob_tenant_id, "obTenantId", DOC("Tenant's number in the cluster.")),
    F_STRING(unit_detail, tenant_name, "tenantName", DOC("Tenant.")),
    F_STRING(unit_detail, ip, "serverIp", DOC("Server.")),
    F_INT(unit_detail, port, "serverPort", DOC("Its RPC port.")),
    F_STRING(unit_detail, zone, "zone", DOC("Zone.")),
    F_STRING(unit_detail, region, "region", DOC("Region.")),
    F_STRING(unit_detail, config, "unitConfig", DOC("What the unit may use, in words: 2C8G.")),
    F_STRING(unit_detail, config_name, "unitConfigAliasName", DOC("Name of the unit specification in the cluster.")),
    F_STRING(unit_detail, pool, "resourcePoolName", DOC("Resource pool.")),
    F_DOUBLE(unit_detail, cpu_max, "maxCpuAssignedCount", DOC("Cores at most.")),
    F_DOUBLE(unit_detail, cpu_min, "minCpuAssignedCount", DOC("Cores at least.")),
    F_INT(unit_detail, memory, "maxMemoryAssignedByte", DOC("Memory at most, bytes.")),
    F_INT(unit_detail, memory, "minMemoryAssignedByte", DOC("Memory at least, bytes.")),
    F_INT(unit_detail, used, "diskUsedByte", DOC("Data and logs, bytes.")),
    F_STRING(unit_detail, from_ip, "migrateSvrIp", DOC("Server it is being moved from.")),
    F_STRING(unit_detail, migrate_type, "migrateType", DOC("MIGRATE_IN while it is being moved.")),
    F_TIME(unit_detail, at_us, "timestamp", DOC("When something about it changed last.")),
    F_BOOL(unit_detail, manual, "manualMigrate", DOC("Whether somebody asked for the move.")),
    FIELD_END,
};

static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static const char *region_of(const struct obtopology *t, const char *zone)
{
    for (size_t i = 0; i < t->n_zones; i++)
        if (strcmp(t->zones[i].name, zone) == 0)
            return given(t->zones[i].region);
    return NULL;
}

static int64_t disk_used(const struct obunit *u)
{
    int64_t sum = FIELD_NONE;

    add_number(&sum, u->data_disk_used);
    add_number(&sum, u->log_disk_used);
    return sum;
}

static int detail_of(struct call *c, const struct obcluster_rows *rows, const struct obunit *u, struct unit_detail *out, struct err *e)
{
    const struct obtenant *t = tenant_of(&rows->topology, u);

    *out = (struct unit_detail){
        .id = u->ob_unit_id,
        .ob_tenant_id = u->ob_tenant_id,
        .port = u->port,
        .memory = u->memory,
        .used = disk_used(u),
        .at_us = u->updated_us,
        .tenant_name = t != NULL ? t->name : NULL,
        .ip = u->ip,
        .zone = u->zone,
        .region = region_of(&rows->topology, u->zone),
        .config = arena_printf(c->arena, "%gC%gG", isnan(u->max_cpu) ? 0 : u->max_cpu, u->memory == FIELD_NONE ? 0 : gigabytes(u->memory)),
        .config_name = given(u->config_name),
        .pool = given(u->pool_name),
        .from_ip = given(u->migrate_from_ip),
        .migrate_type = u->migrate_from_ip[0] != '\0' ? "MIGRATE_IN" : NULL,
        .cpu_max = u->max_cpu,
        .cpu_min = u->min_cpu,
        .manual = u->manual_migrate,
    };
    return out->config != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int api_obunit_get(struct call *c, struct err *e)
{
    const struct unit_place *q = c->query;
    int64_t id = call_id(c, "obUnitId");
    struct unit_detail view;
    struct obcluster_rows rows;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    for (size_t i = 0; rv == 0 && i < rows.topology.n_units; i++) {
        const struct obunit *u = &rows.topology.units[i];

        if (u->ob_unit_id != id || !is_wanted(q->ip, u->ip) || (q->port != FIELD_NONE && q->port != u->port))
            continue;
        rv = detail_of(c, &rows, u, &view, e);
        return rv == 0 ? call_object(c, &view, e) : rv;
    }
    if (rv != 0)
        return rv;
    (void)err_set(e, &ERR_NOT_FOUND, "unit");
    return err_arg(e, "%lld", (long long)id);
}

/* --- routes ----------------------------------------------------------------------------------------------------------------- */

#define TAG .tag = "Clusters"
#define ALL "/api/v2/ob/clusters"
#define ONE ALL "/{id}"
#define READ "CLUSTER:{id}:READ"

const struct route obcapacity_routes[] = {
    ROUTE("ob-cluster-stats-get", "GET", ONE "/stats", READ, api_obcluster_stats, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "Show the capacity of a cluster and what is used of it.", TAG, ROUTE_OUT(stats_view, stats_fields)),
    ROUTE("ob-clusters-stats-list", "GET", ALL "/stats", "CLUSTER:?:READ", api_obclusters_stats, REPLY_LIST, ROUTE_ADDITIONAL,
          "Show the capacity of every cluster and what is used of it.", TAG, ROUTE_OUT(stats_view, stats_fields)),
    ROUTE("ob-cluster-server-stats-list", "GET", ONE "/serverStats", READ, api_observer_stats, REPLY_LIST, ROUTE_ADDITIONAL,
          "Show the capacity of each server of a cluster and what is used of it.", TAG, ROUTE_OUT(server_stats_view, server_stats_fields)),
    ROUTE("ob-cluster-units-list", "GET", ONE "/units", READ, api_obunit_list, REPLY_LIST, ROUTE_ADDITIONAL, "List the units of a cluster.", TAG,
          ROUTE_QUERY(unit_query, unit_query_fields), ROUTE_OUT(unit_view, unit_fields)),
    ROUTE("ob-cluster-unit-get", "GET", ONE "/units/{obUnitId}", READ, api_obunit_get, REPLY_OBJECT, ROUTE_ADDITIONAL, "Show a unit of a cluster.",
          TAG, ROUTE_QUERY(unit_place, unit_place_fields), ROUTE_OUT(unit_detail, unit_detail_fields)),
    ROUTE_END,
};

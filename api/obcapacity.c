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
    double cpu_max;
    struct capacity capacity;
};
static const struct field server_stats_fields[] = {
    F_STRING(server_stats_view, ip, "ip", DOC("Address.")),
    F_INT(server_stats_view, port, "port", DOC("RPC port.")),
    F_STRING(server_stats_view, zone, "zone", DOC("Zone.")),
    F_INT(server_stats_view, n_units, "unitCount", DOC("Number of units.")),
    F_TIME(server_stats_view, at_us, "timestamp", DOC("When these numbers were seen.")),
    F_DOUBLE(server_stats_view, capacity.cpu_total, "cpuTotalMin", DOC("Cores.")),
    F_DOUBLE(server_stats_view, cpu_max, "cpuTotalMax", DOC("Cores.")),
    CAPACITY_FIELDS(server_stats_view, capacity),
    FIELD_END,
};

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

        views[n] = (struct server_stats_view){ .ip = s->ip, .zone = s->zone, .port = s->port, .cpu_max = s->cpu_total, .capacity = capacity_of(s) };
        views[n].n_units = (int64_t)rows.topology.n_tenants; /* one unit of each tenant: all that a single server can have */
        views[n].at_us = rows.clusters->seen_us;
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
    int64_t memory_max, memory_min, log_disk;
    double memory_max_gb, memory_min_gb, log_disk_gb;
};
static const struct field unit_config_fields[] = {
    F_DOUBLE(unit_config_view, cpu_max, "maxCpuCoreCount", DOC("Cores at most.")),
    F_DOUBLE(unit_config_view, cpu_min, "minCpuCoreCount", DOC("Cores at least.")),
    F_INT(unit_config_view, memory_max, "maxMemoryByte", DOC("Memory at most, bytes.")),
    F_INT(unit_config_view, memory_min, "minMemoryByte", DOC("Memory at least, bytes.")),
    F_INT(unit_config_view, log_disk, "logDiskSizeByte", DOC("Room for logs, bytes.")),
    F_DOUBLE(unit_config_view, memory_max_gb, "maxMemorySize", DOC("Memory at most, GB.")),
    F_DOUBLE(unit_config_view, memory_min_gb, "minMemorySize", DOC("Memory at least, GB.")),
    F_DOUBLE(unit_config_view, log_disk_gb, "logDiskSize", DOC("Room for logs, GB.")),
    FIELD_END,
};

struct unit_view {
    int64_t id, tenant_id, ob_tenant_id, port, pool_id, log_disk_used, data_disk_used;
    const char *tenant_name, *ip, *zone, *status;
    struct unit_config_view *config;
};
static const struct field unit_fields[] = {
    F_INT(unit_view, id, "obUnitId", DOC("Number of the unit.")),
    F_INT(unit_view, tenant_id, "tenantId", DOC("Tenant.")),
    F_STRING(unit_view, tenant_name, "tenantName", DOC("Its name.")),
    F_INT(unit_view, ob_tenant_id, "obTenantId", DOC("Its number in the cluster.")),
    F_STRING(unit_view, ip, "svrIp", DOC("Server.")),
    F_INT(unit_view, port, "svrPort", DOC("Its RPC port.")),
    F_STRING(unit_view, zone, "zone", DOC("Zone.")),
    F_OBJECT(unit_view, config, "unitConfig", unit_config_view, unit_config_fields, DOC("What the unit may use.")),
    F_STRING(unit_view, status, "status", DOC("ACTIVE.")),
    F_INT(unit_view, pool_id, "resourcePoolId", DOC("Resource pool, where the kernel has pools.")),
    F_INT(unit_view, log_disk_used, "logDiskUsedByte", DOC("Logs, bytes.")),
    F_INT(unit_view, data_disk_used, "dataDiskUsedByte", DOC("Data, bytes.")),
    FIELD_END,
};

static double gigabytes(int64_t bytes)
{
    return bytes == FIELD_NONE ? NAN : (double)bytes / (1024.0 * 1024 * 1024);
}

/* The one unit of a tenant on the one server: it may use all of it. Numbered like the tenant. */
static int unit_of(struct call *c, const struct observer *s, const struct obtenant *t, struct unit_view *out, struct err *e)
{
    struct unit_config_view *config = arena_alloc(c->arena, sizeof *config);

    if (config == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *config = (struct unit_config_view){
        s->cpu_total,     s->cpu_assigned,           s->memory_total,           s->memory_total,
        s->log_disk_total, gigabytes(s->memory_total), gigabytes(s->memory_total), gigabytes(s->log_disk_total),
    };
    *out = (struct unit_view){ t->ob_tenant_id, t->id,   t->ob_tenant_id, s->port,  FIELD_NONE, s->log_disk_used, s->data_disk_used,
                               t->name,         s->ip,   s->zone,         "ACTIVE", config };
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
    struct obcluster_rows rows;
    struct unit_view *views = NULL;
    size_t n = 0;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    if (rv == 0 && (views = arena_array(c->arena, rows.topology.n_servers * rows.topology.n_tenants + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t s = 0; rv == 0 && s < rows.topology.n_servers; s++)
        for (size_t t = 0; rv == 0 && t < rows.topology.n_tenants; t++) {
            rv = unit_of(c, &rows.topology.servers[s], &rows.topology.tenants[t], &views[n], e);
            n += rv == 0 && unit_is_wanted(q, &views[n]);
        }
    return rv == 0 ? call_list(c, views, n, e) : rv;
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
    ROUTE_END,
};

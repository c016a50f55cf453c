/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tenant_view.h"

#include <math.h>
#include <string.h>

#include "api/tenant_path.h"
#include "src/tenant/administrator.h"
#include "src/tenant/locality.h"

const struct field tenant_unit_fields[] = {
    F_INT(tenant_unit_view, id, "id", DOC("Number of the unit.")),
    F_INT(tenant_unit_view, pool_id, "resourcePoolId", DOC("Number of its resource pool, where the kernel has pools.")),
    F_INT(tenant_unit_view, server_id, "serverId", DOC("Id of the server it is on.")),
    F_STRING(tenant_unit_view, ip, "serverIp", DOC("Address of that server.")),
    F_INT(tenant_unit_view, port, "serverPort", DOC("Its RPC port.")),
    F_STRING(tenant_unit_view, zone, "zoneName", DOC("Zone.")),
    F_STRING(tenant_unit_view, status, "status", DOC("ACTIVE, or DELETING.")),
    FIELD_END,
};

struct config_view {
    double max_cpu, min_cpu;
    int64_t max_memory_gb, min_memory_gb, log_disk;
};
static const struct field config_fields[] = {
    F_DOUBLE(config_view, max_cpu, "maxCpuCoreCount", DOC("Cores at most.")),
    F_DOUBLE(config_view, min_cpu, "minCpuCoreCount", DOC("Cores that it always has.")),
    F_INT(config_view, max_memory_gb, "maxMemorySize", DOC("Memory in GB.")),
    F_INT(config_view, min_memory_gb, "minMemorySize", DOC("The same: a unit has all its memory at once.")),
    F_INT(config_view, log_disk, "logDiskSize", DOC("Disk for logs, in bytes.")),
    FIELD_END,
};

struct pool_view {
    int64_t id, unit_count;
    const char *name;
    struct config_view *config;
};
static const struct field pool_fields[] = {
    F_INT(pool_view, id, "id", DOC("Number of the resource pool.")),
    F_STRING(pool_view, name, "name", DOC("Name.")),
    F_INT(pool_view, unit_count, "unitCount", DOC("Units of the tenant in the zone.")),
    F_OBJECT(pool_view, config, "unitConfig", config_view, config_fields, DOC("Size of each of them.")),
    FIELD_END,
};

struct zone_view {
    const char *name, *replica_type;
    struct pool_view *pool;
    struct field_list units;
};
static const struct field zone_fields[] = {
    F_STRING(zone_view, name, "name", DOC("Zone.")),
    F_STRING(zone_view, replica_type, "replicaType", DOC("Kind of the replica there: FULL, READONLY ...; absent where there is none yet.")),
    F_OBJECT(zone_view, pool, "resourcePool", pool_view, pool_fields, DOC("Resources of the tenant there, where the kernel has pools.")),
    F_LIST(zone_view, units, "units", tenant_unit_view, tenant_unit_fields, DOC("Units of the tenant there.")),
    FIELD_END,
};

#define SUMMARY_FIELDS                                                                                                                     \
    F_INT(tenant_view, id, "id", DOC("Id of the tenant.")), F_STRING(tenant_view, name, "name", DOC("Name.")),                           \
        F_INT(tenant_view, ob_tenant_id, "obTenantId", DOC("The kernel's own number.")),                                                   \
        F_INT(tenant_view, cluster_id, "clusterId", DOC("Cluster.")), F_STRING(tenant_view, cluster_name, "clusterName", DOC("Its name.")), \
        F_INT(tenant_view, ob_cluster_id, "obClusterId", DOC("The cluster's own number, where its kernel has one.")),                      \
        F_STRING(tenant_view, cluster_type, "clusterType", DOC("PRIMARY or STANDBY.")),                                                    \
        F_STRING(tenant_view, engine, "engine", DOC("SEEKDB: one server with one tenant; OCEANBASE: a cluster of observers.")),            \
        F_STRING(tenant_view, version, "obVersion", DOC("Version of the kernel.")),                                                        \
        F_STRING(tenant_view, mode, "mode", DOC("MYSQL or ORACLE.")),                                                                      \
        F_STRING(tenant_view, role, "tenantRole", DOC("PRIMARY or STANDBY, where the kernel knows roles.")),                               \
        F_STRING(tenant_view, status, "status", DOC("NORMAL, CREATING, MODIFYING or DELETING.")),                                          \
        F_BOOL(tenant_view, locked, "locked", DOC("Whether it takes no new connections.")),                                                \
        F_BOOL(tenant_view, readonly, "readonly", DOC("Whether nothing in it can be changed.")),                                           \
        F_STRING(tenant_view, primary_zone, "primaryZone", DOC("Zones that lead, by priority.")),                                          \
        F_STRING(tenant_view, zone_list, "zoneList", DOC("Zones that it has replicas in.")),                                               \
        F_STRING(tenant_view, locality, "locality", DOC("Replicas by zone.")),                                                             \
        F_INT(tenant_view, unit_num, "unitNum", DOC("Units in each zone.")),                                                               \
        F_STRING(tenant_view, description, "description", DOC("Remark of people.")),                                                       \
        F_TIME(tenant_view, created_us, "createTime", DOC("When the kernel made it; when it was first seen, where the kernel does not say."))

const struct field tenant_summary_fields[] = { SUMMARY_FIELDS, FIELD_END };
const struct field tenant_detail_fields[] = {
    SUMMARY_FIELDS,
    F_STRING(tenant_view, cluster_status, "clusterStatus", DOC("State of the cluster.")),
    F_STRING(tenant_view, charset, "charset", DOC("Character set.")),
    F_STRING(tenant_view, collation, "collation", DOC("Collation.")),
    F_STRING(tenant_view, time_zone, "timeZone", DOC("Time zone.")),
    F_STRING(tenant_view, compatible, "compatible", DOC("Version that its data is kept for.")),
    F_LIST(tenant_view, zones, "zones", zone_view, zone_fields, DOC("Zones that it has replicas or units in.")),
    F_STRING(tenant_view, whitelist, "whitelist", DOC("From where it lets clients in.")),
    F_BOOL(tenant_view, sql_audit, "sqlAuditEnabled", DOC("Whether the kernel records statements; absent while the cluster cannot be asked.")),
    F_LIST(tenant_view, connections, "connectionStrings", connection_string, connection_fields,
           DOC("How its administrator connects, in each zone.")),
    FIELD_END,
};

/* "" is no value. */
static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* The zones of a cluster of one tenant, each as "BEFOREname", joined. */
static const char *join_zones(struct call *c, const struct obtopology *topology, int64_t cluster_id, const char *before, const char *between)
{
    struct str t;

    str_init(&t, c->arena);
    for (size_t i = 0; i < topology->n_zones; i++)
        if (topology->zones[i].cluster_id == cluster_id)
            str_printf(&t, "%s%s%s", t.n > 0 ? between : "", before, topology->zones[i].name);
    return str_failed(&t) ? NULL : given(str_c(&t));
}

/* A kernel of one server has one full replica, in its only zone, which leads: where it says nothing of this itself, that is said here. */
static void place_alone(struct call *c, const struct obtopology *topology, struct tenant_view *v)
{
    v->zone_list = join_zones(c, topology, v->cluster_id, "", ";");
    if (v->primary_zone == NULL)
        v->primary_zone = v->zone_list;
    if (v->locality == NULL)
        v->locality = join_zones(c, topology, v->cluster_id, "FULL{1}@", ", ");
}

static int place(struct call *c, struct tenant_view *v, struct err *e)
{
    struct locality_zone *zones;
    struct str t;
    size_t n;
    int rv = locality_read(v->locality != NULL ? v->locality : "", c->arena, &zones, &n, e);

    if (rv != 0)
        return rv;
    str_init(&t, c->arena);
    for (size_t i = 0; i < n; i++)
        str_printf(&t, "%s%s", i > 0 ? ";" : "", zones[i].name);
    v->zone_list = given(str_c(&t));
    return str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : 0;
}

int tenant_view_of(struct call *c, const struct obtenant *row, const struct obcluster *cluster, const struct obtopology *topology,
                   struct tenant_view *out, struct err *e)
{
    *out = (struct tenant_view){
        .id = row->id,
        .ob_tenant_id = row->ob_tenant_id,
        .cluster_id = cluster->id,
        .ob_cluster_id = cluster->ob_cluster_id,
        .created_us = row->born_us != FIELD_NONE ? row->born_us : row->created_us,
        .unit_num = row->unit_num,
        .name = row->name,
        .cluster_name = cluster->name,
        .cluster_type = cluster->type,
        .cluster_status = obcluster_status_names[cluster->status],
        .engine = cluster->engine,
        .mode = row->mode,
        .role = given(row->role),
        .primary_zone = given(row->primary_zone),
        .locality = given(row->locality),
        .status = row->state,
        .version = given(cluster->version),
        .compatible = given(row->compatible),
        .description = given(row->description),
        .charset = given(row->charset),
        .collation = given(row->collation),
        .time_zone = given(row->time_zone),
        .whitelist = row->whitelist,
        .locked = row->locked,
        .readonly = row->readonly,
        .sql_audit = -1,
    };
    if (!tenant_alone_in(cluster))
        return place(c, out, e);
    place_alone(c, topology, out);
    return 0;
}

/* --- units -------------------------------------------------------------------------------------------------------------------- */

static int64_t server_id(const struct obtopology *topology, const struct obunit *u)
{
    for (size_t i = 0; i < topology->n_servers; i++)
        if (topology->servers[i].port == u->port && strcmp(topology->servers[i].ip, u->ip) == 0)
            return topology->servers[i].id;
    return FIELD_NONE;
}

/* A kernel of one server has one unit, numbered like the tenant, as in the cluster's list. */
static void add_alone(const struct tenant *t, const char *zone, struct field_list *out)
{
    const struct observer *s = t->topology->servers;

    if (t->topology->n_servers > 0 && (zone == NULL || strcmp(s->zone, zone) == 0))
        ((struct tenant_unit_view *)out->items)[out->n++] =
            (struct tenant_unit_view){ t->row.ob_tenant_id, FIELD_NONE, s->id, s->port, s->ip, s->zone, "ACTIVE" };
}

int tenant_view_units(struct call *c, struct tenant *t, const char *zone, struct field_list *out, struct err *e)
{
    struct tenant_unit_view *views = NULL;
    const struct obtopology *topology;
    int rv = tenant_topology(t, &topology, e);

    if (rv == 0)
        views = arena_array(c->arena, topology->n_units + 2, sizeof *views);
    if (rv == 0 && views == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    *out = (struct field_list){ views, 0 };
    if (rv != 0)
        return rv;
    if (tenant_is_alone(t))
        add_alone(t, zone, out);
    for (size_t i = 0; !tenant_is_alone(t) && i < topology->n_units; i++) {
        const struct obunit *u = &topology->units[i];

        if (u->ob_tenant_id == t->row.ob_tenant_id && (zone == NULL || strcmp(u->zone, zone) == 0))
            views[out->n++] =
                (struct tenant_unit_view){ u->ob_unit_id, u->pool_id, server_id(topology, u), u->port, u->ip, u->zone, u->status };
    }
    return 0;
}

/* --- zones -------------------------------------------------------------------------------------------------------------------- */

static const struct obunit *first_unit(const struct tenant *t, const char *zone)
{
    for (size_t i = 0; i < t->topology->n_units; i++) {
        const struct obunit *u = &t->topology->units[i];

        if (u->ob_tenant_id == t->row.ob_tenant_id && strcmp(u->zone, zone) == 0 && u->pool_id != FIELD_NONE)
            return u;
    }
    return NULL;
}

static int64_t in_gb(int64_t bytes)
{
    return bytes != FIELD_NONE ? bytes >> 30 : FIELD_NONE;
}

/* The resources in a zone: those of its first unit, since all in a zone are of one pool. */
static int add_pool(struct call *c, const struct tenant *t, struct zone_view *z, struct err *e)
{
    const struct obunit *u = first_unit(t, z->name);
    struct {
        struct pool_view pool;
        struct config_view config;
    } *made = arena_alloc(c->arena, sizeof *made);

    if (made == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (u == NULL)
        return 0;
    made->config = (struct config_view){ u->max_cpu, u->min_cpu, in_gb(u->memory), in_gb(u->memory), u->log_disk };
    made->pool = (struct pool_view){ u->pool_id, (int64_t)z->units.n, given(u->pool_name), &made->config };
    z->pool = &made->pool;
    return 0;
}

/* Zones of the locality, then those that have units alone: of a tenant that is being made, or moved. */
static int name_zones(struct call *c, const struct tenant *t, const char *locality, struct field_list *out, struct err *e)
{
    struct zone_view *views;
    struct locality_zone *zones;
    size_t n;
    int rv = locality_read(locality != NULL ? locality : "", c->arena, &zones, &n, e);

    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n + t->topology->n_units + 1, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *out = (struct field_list){ views, n };
    for (size_t i = 0; i < n; i++)
        views[i] = (struct zone_view){ .name = zones[i].name, .replica_type = zones[i].type };
    for (size_t i = 0; i < t->topology->n_units; i++) {
        const struct obunit *u = &t->topology->units[i];
        bool known = u->ob_tenant_id != t->row.ob_tenant_id;

        for (size_t k = 0; !known && k < out->n; k++)
            known = strcmp(views[k].name, u->zone) == 0;
        if (!known)
            views[out->n++] = (struct zone_view){ .name = u->zone };
    }
    return 0;
}

static int add_zones(struct call *c, struct tenant *t, struct tenant_view *v, struct err *e)
{
    struct zone_view *zones;
    int rv = name_zones(c, t, v->locality, &v->zones, e);

    zones = v->zones.items;
    for (size_t i = 0; rv == 0 && i < v->zones.n; i++) {
        rv = tenant_view_units(c, t, zones[i].name, &zones[i].units, e);
        if (rv == 0)
            rv = add_pool(c, t, &zones[i], e);
    }
    return rv;
}

int tenant_view_detail(struct call *c, struct tenant *t, struct tenant_view *out, struct err *e)
{
    const struct obtopology *topology;
    int rv = tenant_topology(t, &topology, e);

    if (rv == 0)
        rv = tenant_view_of(c, &t->row, &t->cluster, topology, out, e);
    if (rv == 0)
        rv = add_zones(c, t, out, e);
    return rv == 0 ? tenant_connect_as(t, administrator_name(t), &out->connections, e) : rv;
}

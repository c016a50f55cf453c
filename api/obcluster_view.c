/* SPDX-License-Identifier: Apache-2.0 */
#include "api/obcluster_view.h"

#include <string.h>

#include "api/api.h"
#include "src/store/host.h"
#include "src/task/domains.h"

enum { MAX_ADDRESSES = 60 };

static const struct field root_server_fields[] = {
    F_STRING(root_server_view, address, "address", DOC("Address and RPC port.")),
    F_STRING(root_server_view, role, "role", DOC("LEADER or FOLLOWER.")),
    F_INT(root_server_view, sql_port, "sql_port", DOC("SQL port.")),
    FIELD_END,
};

static const struct field tenant_name_fields[] = {
    F_INT(tenant_name_view, id, "id", DOC("Id of the tenant.")),
    F_STRING(tenant_name_view, name, "name", DOC("Its name.")),
    FIELD_END,
};

const struct field observer_fields[] = {
    F_INT(observer_view, id, "id", DOC("Id of the server.")),
    F_STRING(observer_view, ip, "ip", DOC("Address.")),
    F_INT(observer_view, port, "port", DOC("RPC port.")),
    F_INT(observer_view, sql_port, "sqlPort", DOC("SQL port.")),
    F_STRING(observer_view, version, "version", DOC("Version of its kernel.")),
    F_BOOL(observer_view, with_rootserver, "withRootserver", DOC("Whether the root service runs there.")),
    F_STRING(observer_view, status, "status", DOC("RUNNING, STOPPED, STARTING, DELETING, or UNAVAILABLE while it is away or cannot be asked.")),
    F_STRING(observer_view, inner_status, "innerStatus", DOC("The kernel's own word for its state.")),
    F_INT(observer_view, cluster_id, "clusterId", DOC("Cluster.")),
    F_STRING(observer_view, zone, "zoneName", DOC("Zone.")),
    F_STRING(observer_view, region, "regionName", DOC("Region.")),
    F_STRING(observer_view, idc, "idcName", DOC("IDC.")),
    F_INT(observer_view, host_id, "hostId", DOC("Host with this address, if there is one.")),
    F_STRING(observer_view, host_type, "hostTypeName", DOC("Type of that host.")),
    F_TIME(observer_view, start_us, "startTime", DOC("Since when it serves.")),
    F_TIME(observer_view, stop_us, "stopTime", DOC("Since when it is stopped.")),
    F_TIME(observer_view, updated_us, "updateTime", DOC("When something about it changed last.")),
    F_STRINGS(observer_view, operations, "availableOperations", DOC("What can be done with it from here.")),
    FIELD_END,
};

const struct field obzone_fields[] = {
    F_INT(obzone_view, id, "id", DOC("Id of the zone.")),
    F_STRING(obzone_view, name, "name", DOC("Name.")),
    F_INT(obzone_view, cluster_id, "clusterId", DOC("Cluster.")),
    F_INT(obzone_view, ob_cluster_id, "obClusterId", DOC("The cluster's own number, where its kernel has one.")),
    F_STRING(obzone_view, region, "regionName", DOC("Region.")),
    F_INT(obzone_view, idc_id, "idcId", DOC("IDC of the hosts that its servers run on.")),
    F_STRING(obzone_view, idc, "idcName", DOC("IDC.")),
    F_STRING(obzone_view, status, "status", DOC("RUNNING, STOPPED, or UNAVAILABLE while none of its servers can be asked.")),
    F_STRING(obzone_view, status, "operateStatus", DOC("The same.")),
    F_STRING(obzone_view, inner_status, "innerStatus", DOC("The kernel's own word for its state.")),
    F_STRING(obzone_view, type, "type", DOC("Kind of zone, as the kernel says.")),
    F_STRING(obzone_view, compaction, "compactionStatus", DOC("COMPACTING while a major compaction runs there, else IDLE.")),
    F_INT(obzone_view, n_servers, "serverCount", DOC("Number of servers.")),
    F_INT(obzone_view, n_hosts, "hostCount", DOC("Number of addresses they run on.")),
    F_OBJECT(obzone_view, root_server, "rootServer", root_server_view, root_server_fields, DOC("Server with the root service, or one that may take it over.")),
    F_LIST(obzone_view, servers, "servers", observer_view, observer_fields, DOC("Servers.")),
    F_TIME(obzone_view, created_us, "createTime", DOC("When it was first seen.")),
    F_TIME(obzone_view, updated_us, "updateTime", DOC("When something about it changed last.")),
    FIELD_END,
};

static const struct field alarm_summary_fields[] = {
    F_INT(alarm_summary_view, level, "level", DOC("1: the cluster cannot be asked; 2: servers are away; 3: servers are stopped.")),
    F_INT(alarm_summary_view, count, "count", DOC("How many.")),
    F_STRING(alarm_summary_view, link, "linkUrl", DOC("Page about it.")),
    F_STRING(alarm_summary_view, data_link, "linkDataUrl", DOC("Operation that shows it.")),
    FIELD_END,
};

const struct field obcluster_fields[] = {
    F_INT(obcluster_view, id, "id", DOC("Id of the cluster.")),
    F_STRING(obcluster_view, name, "name", DOC("Name.")),
    F_INT(obcluster_view, ob_cluster_id, "obClusterId", DOC("The cluster's own number, where its kernel has one.")),
    F_STRING(obcluster_view, engine, "engine", DOC("SEEKDB: one server with one tenant; OCEANBASE: a cluster of observers.")),
    F_STRING(obcluster_view, version, "obVersion", DOC("Version that all its servers have at least.")),
    F_STRING(obcluster_view, full_version, "fullVersion", DOC("Version as the kernel prints it.")),
    F_STRING(obcluster_view, architecture, "architecture", DOC("Processor architecture.")),
    F_STRING(obcluster_view, type, "type", DOC("PRIMARY or STANDBY.")),
    F_STRING(obcluster_view, status, "status", DOC("RUNNING, TAKINGOVER, MOVINGOUT ...")),
    F_STRING(obcluster_view, address, "address", DOC("Where it is reached.")),
    F_INT(obcluster_view, port, "port", DOC("SQL port there.")),
    F_STRING(obcluster_view, connection_mode, "connectionMode", DOC("direct or proxy.")),
    F_INT(obcluster_view, n_regions, "regionCount", DOC("Number of regions its zones are in.")),
    F_INT(obcluster_view, n_servers, "serverCount", DOC("Number of servers.")),
    F_INT(obcluster_view, n_tenants, "tenantCount", DOC("Number of tenants.")),
    F_LIST(obcluster_view, root_servers, "rootServers", root_server_view, root_server_fields, DOC("Server with the root service, and those that may take it over.")),
    F_LIST(obcluster_view, zones, "zones", obzone_view, obzone_fields, DOC("Zones.")),
    F_LIST(obcluster_view, tenants, "tenants", tenant_name_view, tenant_name_fields, DOC("Tenants.")),
    F_LIST(obcluster_view, standbys, "standbyClusters", tenant_name_view, tenant_name_fields, DOC("Standby clusters.")),
    F_LIST(obcluster_view, alarms, "alarmSummaries", alarm_summary_view, alarm_summary_fields, DOC("What is wrong with it at the moment, by level.")),
    F_TIME(obcluster_view, created_us, "createTime", DOC("When it was taken over.")),
    F_TIME(obcluster_view, updated_us, "updateTime", DOC("When people changed something about it last.")),
    F_STRING(obcluster_view, creator, "creator", DOC("Who took it over.")),
    F_BOOL(obcluster_view, stale, "stale", DOC("Whether what is shown may be old: the cluster cannot be asked, or was not for long.")),
    F_TIME(obcluster_view, seen_us, "lastSeenTime", DOC("When it answered last, to the minute.")),
    F_TIME(obcluster_view, failed_us, "unreachableTime", DOC("Since when it cannot be asked.")),
    F_STRING(obcluster_view, failure, "failToQueryFromObReason", DOC("Why it cannot be asked.")),
    FIELD_END,
};

/* --- rows ------------------------------------------------------------------------------------------------------------------- */

static bool is_listed(const struct field_strings *ips, const char *ip)
{
    for (size_t i = 0; i < ips->n; i++)
        if (strcmp(ips->items[i], ip) == 0)
            return true;
    return false;
}

/* Hosts that servers run on; all hosts when there are too many addresses to ask for. */
static int read_hosts(struct call *c, struct obcluster_rows *rows, struct err *e)
{
    struct host_filter f = { .ips = { arena_array(c->arena, MAX_ADDRESSES, sizeof(const char *)), 0 } };
    const struct obtopology *t = &rows->topology;
    bool all = false;

    if (f.ips.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < t->n_servers && !all; i++) {
        if (is_listed(&f.ips, t->servers[i].ip))
            continue;
        all = f.ips.n == MAX_ADDRESSES;
        if (!all)
            f.ips.items[f.ips.n++] = t->servers[i].ip;
    }
    if (f.ips.n == 0)
        return 0;
    return store_host_list(c->db, all ? NULL : &f, NULL, c->arena, &rows->hosts, &rows->n_hosts, NULL, e);
}

int obcluster_rows_read(struct call *c, struct obcluster_rows *rows, struct err *e)
{
    int64_t *ids = arena_array(c->arena, rows->n_clusters + 1, sizeof *ids);
    int rv;

    if (ids == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows->n_clusters; i++)
        ids[i] = rows->clusters[i].id;
    rv = store_obtopology_read_some(c->db, ids, rows->n_clusters, c->arena, &rows->topology, e);
    return rv == 0 ? read_hosts(c, rows, e) : rv;
}

int api_obcluster_of(struct call *c, const char *param, struct obcluster *out, struct err *e)
{
    int rv;

    c->object_kind = "OB_CLUSTER";
    c->object_id = call_id(c, param);
    rv = store_obcluster_get(c->db, c->object_id, c->arena, out, e);
    if (rv == 0)
        c->object_name = out->name;
    return rv;
}

int obcluster_rows_one(struct call *c, const char *param, struct obcluster_rows *rows, struct err *e)
{
    int rv;

    *rows = (struct obcluster_rows){ .clusters = arena_zalloc(c->arena, sizeof *rows->clusters), .n_clusters = 1 };
    if (rows->clusters == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = api_obcluster_of(c, param, rows->clusters, e);
    return rv == 0 ? obcluster_rows_read(c, rows, e) : rv;
}

/* --- views ------------------------------------------------------------------------------------------------------------------ */

/* "" is no value. */
static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static const char *first_given(const char *a, const char *b)
{
    return given(a) != NULL ? a : given(b);
}

static const struct host *host_of(const struct obcluster_rows *rows, const char *ip)
{
    for (size_t i = 0; i < rows->n_hosts; i++)
        if (strcmp(rows->hosts[i].ip, ip) == 0)
            return &rows->hosts[i];
    return NULL;
}

/* What the kernel says, in OCP's words; while the cluster cannot be asked nothing is known of its servers. */
static const char *server_state(const struct obcluster *c, const struct observer *s)
{
    if (c->failure[0] != '\0')
        return "UNAVAILABLE";
    if (strcmp(s->inner_status, "DELETING") == 0)
        return "DELETING";
    if (strcmp(s->inner_status, "INACTIVE") == 0)
        return "UNAVAILABLE";
    if (s->stop_us != FIELD_NONE)
        return "STOPPED";
    return s->start_us == FIELD_NONE && s->inner_status[0] != '\0' ? "STARTING" : "RUNNING";
}

static const char *zone_state(const struct obcluster *c, const struct obzone *z, const struct observer_view *servers, size_t n)
{
    bool any = n == 0;

    if (strcmp(z->inner_status, "INACTIVE") == 0 && c->failure[0] == '\0')
        return "STOPPED";
    for (size_t i = 0; i < n; i++)
        any |= strcmp(servers[i].status, "UNAVAILABLE") != 0;
    return c->failure[0] == '\0' && any ? "RUNNING" : "UNAVAILABLE";
}

static const struct obzone *zone_named(const struct obcluster_rows *rows, int64_t cluster_id, const char *name)
{
    for (size_t i = 0; i < rows->topology.n_zones; i++)
        if (rows->topology.zones[i].cluster_id == cluster_id && strcmp(rows->topology.zones[i].name, name) == 0)
            return &rows->topology.zones[i];
    return NULL;
}

static struct observer_view server_view(const struct obcluster_rows *rows, const struct obcluster *of, const struct observer *s)
{
    const struct obzone *z = zone_named(rows, of->id, s->zone);
    const struct host *h = host_of(rows, s->ip);

    return (struct observer_view){
        .id = s->id,
        .cluster_id = s->cluster_id,
        .host_id = h != NULL ? h->id : FIELD_NONE,
        .ip = s->ip,
        .version = given(s->version),
        .status = server_state(of, s),
        .inner_status = given(s->inner_status),
        .zone = s->zone,
        .region = first_given(z != NULL ? z->region : NULL, h != NULL ? h->region_name : NULL),
        .idc = first_given(z != NULL ? z->idc : NULL, h != NULL ? h->idc_name : NULL),
        .host_type = h != NULL ? given(h->type_name) : NULL,
        .port = s->port,
        .sql_port = s->sql_port,
        .with_rootserver = s->with_rootserver,
        .in_rs_list = s->in_rs_list,
        .start_us = s->start_us,
        .stop_us = s->stop_us,
        .updated_us = s->updated_us,
    };
}

int observer_views(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, const char *zone, struct observer_view **out,
                   size_t *n, struct err *e)
{
    const struct obtopology *t = &rows->topology;

    *n = 0;
    *out = arena_array(c->arena, t->n_servers + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < t->n_servers; i++)
        if (t->servers[i].cluster_id == of->id && (zone == NULL || strcmp(t->servers[i].zone, zone) == 0))
            (*out)[(*n)++] = server_view(rows, of, &t->servers[i]);
    return 0;
}

static int root_server(struct call *c, const struct observer_view *s, struct root_server_view *out, struct err *e)
{
    out->address = arena_printf(c->arena, strchr(s->ip, ':') != NULL ? "[%s]:%lld" : "%s:%lld", s->ip, (long long)s->port);
    out->role = s->with_rootserver == 1 ? "LEADER" : "FOLLOWER";
    out->sql_port = s->sql_port;
    return out->address != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int64_t count_addresses(const struct observer_view *servers, size_t n)
{
    int64_t count = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        while (strcmp(servers[k].ip, servers[i].ip) != 0)
            k++;
        count += k == i;
    }
    return count;
}

static int zone_view(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, const struct obzone *z,
                     struct obzone_view *out, struct err *e)
{
    struct observer_view *servers;
    const struct host *h;
    size_t n;
    int rv = observer_views(c, rows, of, z->name, &servers, &n, e);

    if (rv != 0)
        return rv;
    h = n > 0 ? host_of(rows, servers[0].ip) : NULL;
    *out = (struct obzone_view){
        .id = z->id,
        .cluster_id = z->cluster_id,
        .ob_cluster_id = of->ob_cluster_id,
        .idc_id = h != NULL ? h->idc_id : FIELD_NONE,
        .name = z->name,
        .region = first_given(z->region, h != NULL ? h->region_name : NULL),
        .idc = first_given(z->idc, h != NULL ? h->idc_name : NULL),
        .status = zone_state(of, z, servers, n),
        .inner_status = given(z->inner_status),
        .type = given(z->type),
        .compaction = given(z->compaction),
        .n_servers = (int64_t)n,
        .n_hosts = count_addresses(servers, n),
        .servers = { servers, n },
        .created_us = z->created_us,
        .updated_us = z->updated_us,
    };
    for (size_t i = 0; rv == 0 && i < n; i++) {
        if (!servers[i].in_rs_list || (out->root_server != NULL && servers[i].with_rootserver != 1))
            continue;
        out->root_server = arena_alloc(c->arena, sizeof *out->root_server);
        rv = out->root_server != NULL ? root_server(c, &servers[i], out->root_server, e) : err_set(e, &ERR_NOMEM, "");
    }
    return rv;
}

int obzone_views(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, struct obzone_view **out, size_t *n,
                 struct err *e)
{
    const struct obtopology *t = &rows->topology;
    int rv = 0;

    *n = 0;
    *out = arena_array(c->arena, t->n_zones + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < t->n_zones; i++)
        if (t->zones[i].cluster_id == of->id)
            rv = zone_view(c, rows, of, &t->zones[i], &(*out)[(*n)++], e);
    return rv;
}

static int tenant_names(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, struct field_list *out, struct err *e)
{
    const struct obtopology *t = &rows->topology;
    struct tenant_name_view *names = arena_array(c->arena, t->n_tenants + 1, sizeof *names);

    *out = (struct field_list){ names, 0 };
    if (names == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < t->n_tenants; i++)
        if (t->tenants[i].cluster_id == of->id)
            names[out->n++] = (struct tenant_name_view){ t->tenants[i].id, t->tenants[i].name };
    return 0;
}

static int64_t count_regions(const struct obzone_view *zones, size_t n)
{
    int64_t count = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        while (k < i && (zones[k].region == NULL || zones[i].region == NULL || strcmp(zones[k].region, zones[i].region) != 0))
            k++;
        count += k == i && zones[i].region != NULL;
    }
    return count;
}

/* The server with the root service comes first. */
static int add_root_servers(struct call *c, const struct obzone_view *zones, size_t n_zones, struct obcluster_view *out, struct err *e)
{
    struct root_server_view *roots = arena_array(c->arena, (size_t)out->n_servers + 1, sizeof *roots);
    size_t n = 0;
    int rv = roots != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (int leader = 1; rv == 0 && leader >= 0; leader--)
        for (size_t z = 0; rv == 0 && z < n_zones; z++) {
            const struct observer_view *servers = zones[z].servers.items;

            for (size_t i = 0; rv == 0 && i < zones[z].servers.n; i++)
                if (servers[i].in_rs_list && (servers[i].with_rootserver == 1) == (leader == 1))
                    rv = root_server(c, &servers[i], &roots[n++], e);
        }
    out->root_servers = (struct field_list){ roots, n };
    return rv;
}

static int add_zones(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, struct obcluster_view *out, struct err *e)
{
    struct obzone_view *zones;
    size_t n;
    int rv = obzone_views(c, rows, of, &zones, &n, e);

    if (rv != 0)
        return rv;
    out->n_servers = 0;
    for (size_t i = 0; i < n; i++)
        out->n_servers += zones[i].n_servers;
    out->n_regions = count_regions(zones, n);
    out->zones = (struct field_list){ zones, n };
    return add_root_servers(c, zones, n, out, e);
}

/* What a look sees to be wrong. */
static int add_alarms(struct call *c, const struct obcluster *of, struct obcluster_view *out, struct err *e)
{
    enum { AWAY = 1, LEVELS = 3 };
    static const char *const states[LEVELS] = { NULL, "UNAVAILABLE", "STOPPED" };
    const char *link = arena_printf(c->arena, "/cluster/%lld", (long long)of->id);
    const char *data_link = arena_printf(c->arena, "/api/v2/ob/clusters/%lld/servers", (long long)of->id);
    struct alarm_summary_view *alarms = arena_array(c->arena, LEVELS, sizeof *alarms);
    const struct obzone_view *zones = out->zones.items;
    size_t n = 0;

    if (alarms == NULL || link == NULL || data_link == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (int level = AWAY; level <= LEVELS; level++) {
        int64_t count = level == AWAY && of->failure[0] != '\0';

        for (size_t z = 0; level != AWAY && of->failure[0] == '\0' && z < out->zones.n; z++)
            for (size_t i = 0; i < zones[z].servers.n; i++)
                count += strcmp(((const struct observer_view *)zones[z].servers.items)[i].status, states[level - 1]) == 0;
        if (count > 0)
            alarms[n++] = (struct alarm_summary_view){ level, count, link, data_link };
    }
    out->alarms = (struct field_list){ alarms, n };
    return 0;
}

int obcluster_view_make(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, struct obcluster_view *out,
                        struct err *e)
{
    int rv;

    *out = (struct obcluster_view){
        .id = of->id,
        .ob_cluster_id = of->ob_cluster_id,
        .name = of->name,
        .engine = of->engine,
        .type = of->type,
        .status = obcluster_status_names[of->status],
        .version = given(of->version),
        .full_version = given(of->full_version),
        .architecture = given(of->architecture),
        .address = of->address,
        .port = of->port,
        .connection_mode = of->connection_mode,
        .creator = of->creator_name,
        .failure = given(of->failure),
        .stale = obcluster_is_stale(c->api->shared->domains->obclusters, of),
        .seen_us = of->seen_us,
        .failed_us = of->failed_us,
        .created_us = of->created_us,
        .updated_us = of->updated_us,
    };
    rv = add_zones(c, rows, of, out, e);
    if (rv == 0)
        rv = add_alarms(c, of, out, e);
    if (rv == 0)
        rv = tenant_names(c, rows, of, &out->tenants, e);
    out->n_tenants = (int64_t)out->tenants.n;
    return rv;
}

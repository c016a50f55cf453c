/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants of managed clusters: lists, details, password, whitelist, parameters. */
#include "src/tenant/tenant.h"

#include <string.h>

#include "api/api.h"
#include "api/tables.h"
#include "api/tenant_path.h"
#include "src/iam/principal.h"
#include "src/store/obtenant.h"
#include "src/tenant/administrator.h"
#include "src/tenant/parameter.h"

/* --- what a tenant looks like ------------------------------------------------------------------------------------------------- */

struct unit_view {
    int64_t id, server_id, port;
    const char *ip, *zone, *status;
};
static const struct field unit_fields[] = {
    F_INT(unit_view, id, "id", DOC("Number of the unit.")),
    F_INT(unit_view, server_id, "serverId", DOC("Id of the server it is on.")),
    F_STRING(unit_view, ip, "serverIp", DOC("Address of that server.")),
    F_INT(unit_view, port, "serverPort", DOC("Its RPC port.")),
    F_STRING(unit_view, zone, "zoneName", DOC("Zone.")),
    F_STRING(unit_view, status, "status", DOC("ACTIVE.")),
    FIELD_END,
};

struct zone_view {
    const char *name, *replica_type;
    struct field_list units;
};
static const struct field zone_fields[] = {
    F_STRING(zone_view, name, "name", DOC("Zone.")),
    F_STRING(zone_view, replica_type, "replicaType", DOC("Kind of the replica there: FULL.")),
    F_LIST(zone_view, units, "units", unit_view, unit_fields, DOC("Units of the tenant there.")),
    FIELD_END,
};

struct tenant_view {
    int64_t id, cluster_id, ob_cluster_id, ob_tenant_id, created_us;
    const char *name, *cluster_name, *cluster_type, *cluster_status, *engine, *mode, *primary_zone, *zone_list, *locality, *status, *version;
    const char *charset, *collation, *time_zone, *whitelist;
    int locked, readonly, sql_audit;
    struct field_list zones, connections;
};
#define SUMMARY_FIELDS                                                                                                         \
    F_INT(tenant_view, id, "id", DOC("Id of the tenant.")), F_STRING(tenant_view, name, "name", DOC("Name.")),               \
        F_INT(tenant_view, ob_tenant_id, "obTenantId", DOC("The kernel's own number.")),                                       \
        F_INT(tenant_view, cluster_id, "clusterId", DOC("Cluster.")),                                                          \
        F_STRING(tenant_view, cluster_name, "clusterName", DOC("Its name.")),                                                  \
        F_INT(tenant_view, ob_cluster_id, "obClusterId", DOC("The cluster's own number, where its kernel has one.")),          \
        F_STRING(tenant_view, cluster_type, "clusterType", DOC("PRIMARY or STANDBY.")),                                        \
        F_STRING(tenant_view, engine, "engine", DOC("SEEKDB: one server with one tenant; OCEANBASE: a cluster of observers.")), \
        F_STRING(tenant_view, version, "obVersion", DOC("Version of the kernel.")),                                            \
        F_STRING(tenant_view, mode, "mode", DOC("MYSQL or ORACLE.")),                                                          \
        F_STRING(tenant_view, status, "status", DOC("NORMAL, CREATING, MODIFYING or DELETING.")),                              \
        F_BOOL(tenant_view, locked, "locked", DOC("Whether it takes no new connections.")),                                    \
        F_BOOL(tenant_view, readonly, "readonly", DOC("Whether nothing in it can be changed.")),                               \
        F_STRING(tenant_view, primary_zone, "primaryZone", DOC("Zones that lead, by priority.")),                              \
        F_STRING(tenant_view, zone_list, "zoneList", DOC("Zones that it has replicas in.")),                                   \
        F_STRING(tenant_view, locality, "locality", DOC("Replicas by zone.")),                                                 \
        F_TIME(tenant_view, created_us, "createTime", DOC("When the kernel made it; when it was first seen, where the kernel does not say."))

static const struct field summary_fields[] = { SUMMARY_FIELDS, FIELD_END };
static const struct field detail_fields[] = {
    SUMMARY_FIELDS,
    F_STRING(tenant_view, cluster_status, "clusterStatus", DOC("State of the cluster.")),
    F_STRING(tenant_view, charset, "charset", DOC("Character set.")),
    F_STRING(tenant_view, collation, "collation", DOC("Collation.")),
    F_STRING(tenant_view, time_zone, "timeZone", DOC("Time zone.")),
    F_LIST(tenant_view, zones, "zones", zone_view, zone_fields, DOC("Zones that it has replicas in.")),
    F_STRING(tenant_view, whitelist, "whitelist", DOC("From where it lets clients in; absent while the cluster cannot be asked.")),
    F_BOOL(tenant_view, sql_audit, "sqlAuditEnabled", DOC("Whether the kernel records statements; absent while the cluster cannot be asked.")),
    F_LIST(tenant_view, connections, "connectionStrings", connection_string, connection_fields, DOC("How its administrator connects.")),
    FIELD_END,
};

/* "" is no value. */
static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* The zones of one cluster, each as "BEFOREname", joined. */
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
static struct tenant_view view_of(struct call *c, const struct obtenant *row, const struct obcluster *cluster,
                                  const struct obtopology *topology)
{
    const char *zones = join_zones(c, topology, cluster->id, "", ";");
    bool single = strcmp(cluster->engine, "SEEKDB") == 0;

    return (struct tenant_view){
        .id = row->id,
        .ob_tenant_id = row->ob_tenant_id,
        .cluster_id = cluster->id,
        .ob_cluster_id = cluster->ob_cluster_id,
        .created_us = row->born_us != FIELD_NONE ? row->born_us : row->created_us,
        .name = row->name,
        .cluster_name = cluster->name,
        .cluster_type = cluster->type,
        .cluster_status = obcluster_status_names[cluster->status],
        .engine = cluster->engine,
        .mode = row->mode,
        .primary_zone = given(row->primary_zone) != NULL || !single ? given(row->primary_zone) : zones,
        .zone_list = zones,
        .locality = given(row->locality) != NULL || !single ? given(row->locality) : join_zones(c, topology, cluster->id, "FULL{1}@", ", "),
        .status = row->status,
        .version = given(cluster->version),
        .charset = given(row->charset),
        .collation = given(row->collation),
        .time_zone = given(row->time_zone),
        .locked = row->locked,
        .readonly = row->readonly,
        .sql_audit = -1,
    };
}

/* --- lists -------------------------------------------------------------------------------------------------------------------- */

static const char *const sorts[] = { "createTime", "id", "name", "clusterName", "mode", "status", NULL };
static const char *const modes[] = { "MYSQL", "ORACLE", NULL };
static const char *const statuses[] = { "NORMAL", "CREATING", "MODIFYING", "DELETING", NULL };

struct list_query {
    const char *name;
    struct field_strings modes, statuses;
    int locked, readonly;
};
static const struct field list_query_fields[] = {
    F_STRING(list_query, name, "name", .max = 128, DOC("Part of the name.")),
    F_STRINGS(list_query, modes, "mode", .max = 2, DOC("Only tenants in these modes: MYSQL, ORACLE.")),
    F_BOOL(list_query, locked, "locked", DOC("Only tenants that are locked, or that are not.")),
    F_BOOL(list_query, readonly, "readonly", DOC("Only tenants that are read-only, or that are not.")),
    F_STRINGS(list_query, statuses, "status", .max = 4, DOC("Only tenants in these states: NORMAL, CREATING, MODIFYING, DELETING.")),
    FIELD_END,
};

static int check_words(const struct field_strings *given_words, const char *const *known, const char *member, struct err *e)
{
    for (size_t i = 0; i < given_words->n; i++) {
        bool found = false;

        for (size_t k = 0; known[k] != NULL; k++)
            found = found || strcmp(known[k], given_words->items[i]) == 0;
        if (!found)
            return err_set(e, &ERR_INVALID, "%s: \"%.40s\" is none of the values there are", member, given_words->items[i]);
    }
    return 0;
}

static const struct obcluster *cluster_of(const struct obcluster *list, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].id == id)
            return &list[i];
    return NULL;
}

struct page_rows {
    struct obtenant *tenants;
    struct obcluster *clusters;
    struct obtopology topology;
    size_t n_tenants, n_clusters;
};

/* The clusters of the tenants on the page, each once, and what is in them. */
static int read_clusters(struct call *c, struct page_rows *p, struct err *e)
{
    int64_t *ids = arena_array(c->arena, p->n_tenants + 1, sizeof *ids);
    struct obcluster_filter f = { .ids = ids };
    int rv;

    if (ids == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < p->n_tenants; i++) {
        bool listed = false;

        for (size_t k = 0; k < f.n_ids; k++)
            listed = listed || ids[k] == p->tenants[i].cluster_id;
        if (!listed)
            ids[f.n_ids++] = p->tenants[i].cluster_id;
    }
    if (f.n_ids == 0)
        return 0;
    rv = store_obcluster_list(c->db, &f, NULL, c->arena, &p->clusters, &p->n_clusters, NULL, e);
    return rv == 0 ? store_obtopology_read_some(c->db, ids, f.n_ids, c->arena, &p->topology, e) : rv;
}

static int list(struct call *c, int64_t cluster_id, struct err *e)
{
    const struct list_query *q = c->query;
    struct obtenant_filter f = { cluster_id, q->name, q->modes, q->statuses, q->locked, q->readonly, c->scope };
    struct store_page page = call_store_page(c);
    struct page_rows p = { .tenants = NULL };
    struct tenant_view *views;
    int64_t total;
    size_t n = 0;
    int rv = check_words(&q->modes, modes, "mode", e);

    if (rv == 0)
        rv = check_words(&q->statuses, statuses, "status", e);
    if (rv == 0)
        rv = store_obtenant_list(c->db, &f, &page, c->arena, &p.tenants, &p.n_tenants, &total, e);
    if (rv == 0)
        rv = read_clusters(c, &p, e);
    if (rv != 0)
        return rv;
    views = arena_array(c->arena, p.n_tenants + 1, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < p.n_tenants; i++) {
        const struct obcluster *cluster = cluster_of(p.clusters, p.n_clusters, p.tenants[i].cluster_id);

        if (cluster != NULL) /* else it was moved out a moment ago */
            views[n++] = view_of(c, &p.tenants[i], cluster, &p.topology);
    }
    return call_paged(c, views, n, total, e);
}

static int api_tenant_list(struct call *c, struct err *e)
{
    return list(c, FIELD_NONE, e);
}

static int api_tenant_list_of(struct call *c, struct err *e)
{
    struct obcluster cluster;
    int rv = store_obcluster_get(c->db, call_id(c, "clusterId"), c->arena, &cluster, e);

    return rv == 0 ? list(c, cluster.id, e) : rv;
}

/* --- one tenant --------------------------------------------------------------------------------------------------------------- */

/* What only the kernel itself knows; a cluster that cannot be asked costs these members, not the reply. */
static int add_live(struct tenant *t, struct tenant_view *view, struct err *e)
{
    struct tenant_live live;
    int rv = tenant_live_get(t, &live, e);

    if (rv != 0)
        return err_is(e, &ERR_CANCELLED) || err_is(e, &ERR_NOMEM) ? rv : 0;
    view->whitelist = live.whitelist;
    view->sql_audit = live.sql_audit;
    return 0;
}

/* The units of a tenant in a zone (NULL: in all). A kernel of one server has one, numbered like the tenant, as in the cluster's list. */
static int units_in(struct call *c, const struct tenant *t, const struct obtopology *topology, const char *zone, struct field_list *out,
                    struct err *e)
{
    struct unit_view *units = arena_array(c->arena, topology->n_servers + 1, sizeof *units);

    *out = (struct field_list){ units, 0 };
    if (units == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < topology->n_servers; i++) {
        const struct observer *s = &topology->servers[i];

        if (zone == NULL || strcmp(s->zone, zone) == 0)
            units[out->n++] = (struct unit_view){ t->row.ob_tenant_id, s->id, s->port, s->ip, s->zone, "ACTIVE" };
    }
    return 0;
}

static int add_zones(struct call *c, const struct tenant *t, const struct obtopology *topology, struct tenant_view *view, struct err *e)
{
    struct zone_view *zones = arena_array(c->arena, topology->n_zones + 1, sizeof *zones);
    int rv = zones != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (size_t i = 0; rv == 0 && i < topology->n_zones; i++) {
        zones[i] = (struct zone_view){ .name = topology->zones[i].name, .replica_type = "FULL" };
        rv = units_in(c, t, topology, zones[i].name, &zones[i].units, e);
    }
    view->zones = (struct field_list){ zones, topology->n_zones };
    return rv;
}

static int api_tenant_get(struct call *c, struct err *e)
{
    struct obtopology topology;
    struct tenant_view view;
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = store_obtopology_read(c->db, t.cluster.id, c->arena, &topology, e);
    if (rv != 0)
        return rv;
    view = view_of(c, &t.row, &t.cluster, &topology);
    rv = add_zones(c, &t, &topology, &view, e);
    if (rv == 0)
        rv = tenant_connect_as(&t, "root", &view.connections, e);
    if (rv == 0)
        rv = add_live(&t, &view, e);
    return rv == 0 ? call_object(c, &view, e) : rv;
}

struct unit_query {
    const char *zone;
};
static const struct field unit_query_fields[] = {
    F_STRING(unit_query, zone, "zoneName", .max = 128, DOC("Only units in this zone.")),
    FIELD_END,
};

static int api_tenant_unit_list(struct call *c, struct err *e)
{
    const struct unit_query *q = c->query;
    struct obtopology topology;
    struct field_list units;
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = store_obtopology_read(c->db, t.cluster.id, c->arena, &topology, e);
    if (rv == 0)
        rv = units_in(c, &t, &topology, q->zone, &units, e);
    return rv == 0 ? call_list(c, units.items, units.n, e) : rv;
}

static int set_locked(struct call *c, bool locked, struct err *e)
{
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    return rv == 0 ? tenant_set_locked(&t, locked, e) : rv;
}

static int api_tenant_lock(struct call *c, struct err *e)
{
    return set_locked(c, true, e);
}

static int api_tenant_unlock(struct call *c, struct err *e)
{
    return set_locked(c, false, e);
}

struct tenant_in {
    const char *description;
};
static const struct field tenant_in_fields[] = {
    F_STRING(tenant_in, description, "description", .flags = FIELD_EMPTY_OK, .max = OBTENANT_DESCRIPTION_MAX, DOC("Remark on the tenant.")),
    FIELD_END,
};

static int api_tenant_update(struct call *c, struct err *e)
{
    const struct tenant_in *in = c->body;
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    return rv == 0 && in->description != NULL ? tenant_describe(&t, in->description, e) : rv;
}

struct password_in {
    const char *password, *old_password;
    int save_credential;
};
static const struct field password_in_fields[] = {
    F_STRING(password_in, password, "newPassword", .flags = FIELD_REQUIRED | FIELD_SECRET, .max = 256, DOC("New password; or the present one, changed elsewhere, to be known here.")),
    F_STRING(password_in, old_password, "oldPassword", .flags = FIELD_SECRET | FIELD_EMPTY_OK, .max = 256,
             DOC("Present password, when it is not known here.")),
    F_BOOL(password_in, save_credential, "saveToCredential", .def = "true", DOC("Whether to keep it in the caller's password box too.")),
    FIELD_END,
};

static int api_tenant_change_password(struct call *c, struct err *e)
{
    const struct password_in *in = c->body;
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = administrator_set_password(&t, in->old_password, in->password, e);
    if (rv == 0 && in->save_credential == 1)
        api_tenant_keep_password(c, &t, administrator_name(&t), in->password);
    return rv;
}

static struct obcluster_user caller(const struct call *c)
{
    return (struct obcluster_user){ c->user->user_id, c->user->name };
}

struct whitelist_in {
    const char *whitelist;
};
static const struct field whitelist_in_fields[] = {
    F_STRING(whitelist_in, whitelist, "whitelist", .flags = FIELD_REQUIRED, .max = 131072,
             DOC("Addresses, networks and patterns with % and _, separated by commas.")),
    FIELD_END,
};

static int api_tenant_modify_whitelist(struct call *c, struct err *e)
{
    const struct whitelist_in *in = c->body;
    struct tenant_parameter_wish wish = { TENANT_WHITELIST, in->whitelist };
    struct obcluster_user who = caller(c);
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    return rv == 0 ? tenant_parameter_change(&t, &wish, 1, &who, e) : rv;
}

/* --- parameters --------------------------------------------------------------------------------------------------------------- */

static const struct field range_fields[] = {
    F_STRING(tenant_range, type, "type", DOC("BOOL, INT, STRING ...")),
    F_STRING(tenant_range, allowed, "allowedValues", DOC("Words, separated by commas; empty: any.")),
    F_STRING(tenant_range, min, "minValue", DOC("Smallest value; absent: none is said.")),
    F_STRING(tenant_range, max, "maxValue", DOC("Largest value; absent: none is said.")),
    FIELD_END,
};
static const struct field parameter_fields[] = {
    F_STRING(tenant_parameter, name, "name", DOC("Name.")),
    F_STRING(tenant_parameter, kind, "parameterType", DOC("OB_SYSTEM_VARIABLE or OB_TENANT_PARAMETER.")),
    F_STRING(tenant_parameter, mode, "compatibleType", DOC("Mode of tenants that have it: MYSQL or ORACLE.")),
    F_BOOL(tenant_parameter, readonly, "readonly", DOC("Whether it cannot be changed.")),
    F_STRING(tenant_parameter, default_value, "defaultValue", DOC("Value unless it is set.")),
    F_STRING(tenant_parameter, value, "currentValue", DOC("Value in force.")),
    F_STRING(tenant_parameter, info, "description", DOC("What it is for, in the kernel's words.")),
    F_OBJECT(tenant_parameter, range, "valueRange", tenant_range, range_fields, DOC("What a value may be.")),
    FIELD_END,
};

struct parameter_in {
    const char *name, *value;
};
static const struct field parameter_in_fields[] = {
    F_STRING(parameter_in, name, "name", .flags = FIELD_REQUIRED, .max = 128, DOC("Name.")),
    F_STRING(parameter_in, value, "value", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK | FIELD_SCALAR, .max = 65534, DOC("New value.")),
    FIELD_END,
};

static int api_tenant_parameter_list(struct call *c, struct err *e)
{
    struct tenant_parameter *found;
    struct tenant t;
    size_t n;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = tenant_parameter_list(&t, &found, &n, e);
    return rv == 0 ? call_list(c, found, n, e) : rv;
}

static int api_tenant_parameter_update(struct call *c, struct err *e)
{
    const struct field_list *in = c->body;
    const struct parameter_in *items = in->items;
    struct tenant_parameter_wish *wishes = arena_array(c->arena, in->n + 1, sizeof *wishes);
    struct obcluster_user who = caller(c);
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0 && wishes == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < in->n; i++)
        wishes[i] = (struct tenant_parameter_wish){ items[i].name, items[i].value };
    return rv == 0 ? tenant_parameter_change(&t, wishes, in->n, &who, e) : rv;
}

#define TENANTS .tag = "Tenants"
/* What a cluster has belongs to the cluster as well; what is inside a tenant does not. */
#define SEE_TENANT "CLUSTER:{clusterId}:READ|CLUSTER:{clusterId}:TENANT:{tenantId}:READ"
#define PARAMETERS .tag = "Tenant parameters"

const struct route tenant_routes[] = {
    ROUTE("ob-tenants-list", "GET", "/api/v2/ob/tenants", "CLUSTER:?:READ|CLUSTER:?:TENANT:?:READ", api_tenant_list, REPLY_PAGED, ROUTE_DOCUMENTED,
          "List the tenants of all clusters.", TENANTS, ROUTE_QUERY(list_query, list_query_fields), ROUTE_OUT(tenant_view, summary_fields),
          .sort = sorts),
    ROUTE("ob-cluster-tenants-list", "GET", "/api/v2/ob/clusters/{clusterId}/tenants",
          "CLUSTER:{clusterId}:READ|CLUSTER:{clusterId}:TENANT:?:READ", api_tenant_list_of, REPLY_PAGED, ROUTE_DOCUMENTED, "List the tenants of a cluster.", TENANTS, ROUTE_QUERY(list_query, list_query_fields),
          ROUTE_OUT(tenant_view, summary_fields), .sort = sorts),
    ROUTE("ob-cluster-tenant-get", "GET", "/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}", SEE_TENANT, api_tenant_get,
          REPLY_OBJECT, ROUTE_DOCUMENTED, "Show a tenant.", TENANTS, ROUTE_OUT(tenant_view, detail_fields)),
    ROUTE("ob-cluster-tenant-units-list", "GET", "/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}/units", SEE_TENANT,
          api_tenant_unit_list, REPLY_LIST, ROUTE_DOCUMENTED, "List the units of a tenant.", TENANTS, ROUTE_QUERY(unit_query, unit_query_fields),
          ROUTE_OUT(unit_view, unit_fields)),
    ROUTE("ob-cluster-tenant-update", "PATCH", TENANT_PATH, TENANT_UPDATE, api_tenant_update, REPLY_NONE, ROUTE_OWN,
          "Change the description of a tenant.", TENANTS, ROUTE_BODY(tenant_in, tenant_in_fields)),
    ROUTE("ob-cluster-tenant-lock", "POST", TENANT_PATH "/lock", TENANT_UPDATE, api_tenant_lock, REPLY_NONE, ROUTE_DOCUMENTED,
          "Lock a tenant; the tenant that holds the system cannot be locked.", TENANTS),
    ROUTE("ob-cluster-tenant-unlock", "POST", TENANT_PATH "/unlock", TENANT_UPDATE, api_tenant_unlock, REPLY_NONE, ROUTE_DOCUMENTED,
          "Unlock a tenant; the tenant that holds the system is never locked.", TENANTS),
    ROUTE("ob-cluster-tenant-change-password", "POST", TENANT_PATH "/changePassword", TENANT_UPDATE, api_tenant_change_password, REPLY_NONE,
          ROUTE_DOCUMENTED, "Change the password of a tenant's administrator.", TENANTS, ROUTE_BODY(password_in, password_in_fields)),
    ROUTE("ob-cluster-tenant-modify-whitelist", "POST", TENANT_PATH "/modifyWhitelist", TENANT_UPDATE, api_tenant_modify_whitelist, REPLY_NONE,
          ROUTE_DOCUMENTED, "Say from where a tenant lets clients in.", TENANTS, ROUTE_BODY(whitelist_in, whitelist_in_fields)),
    ROUTE("ob-cluster-tenant-parameters-list", "GET", TENANT_PATH "/parameters", TENANT_READ, api_tenant_parameter_list, REPLY_LIST,
          ROUTE_DOCUMENTED, "List the parameters of a tenant.", PARAMETERS, ROUTE_OUT(tenant_parameter, parameter_fields)),
    ROUTE("ob-cluster-tenant-parameters-update", "PUT", TENANT_PATH "/parameters", TENANT_UPDATE, api_tenant_parameter_update, REPLY_NONE,
          ROUTE_DOCUMENTED, "Change parameters of a tenant.", PARAMETERS, ROUTE_BODY(parameter_in, parameter_in_fields),
          .flags = ROUTE_BODY_ARRAY),
    ROUTE_END,
};

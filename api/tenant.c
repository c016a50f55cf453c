/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants of managed clusters: lists, details, description, lock, password, whitelist. */
#include "src/tenant/tenant.h"

#include <string.h>

#include "api/api.h"
#include "api/tables.h"
#include "api/tenant_path.h"
#include "api/tenant_view.h"
#include "src/iam/principal.h"
#include "src/store/obtenant.h"
#include "src/tenant/administrator.h"
#include "src/tenant/parameter.h"

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
    struct obtopology topology;        /* of clusters of one tenant, which do not say by themselves where it is */
    size_t n_tenants, n_clusters;
};

/* The clusters of the tenants on the page, each once: four queries more, whatever the number of tenants. */
static int read_clusters(struct call *c, struct page_rows *p, struct err *e)
{
    int64_t *ids = arena_array(c->arena, p->n_tenants + 1, sizeof *ids);
    struct obcluster_filter f = { .ids = ids };
    size_t n_alone = 0;
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
    for (size_t i = 0; rv == 0 && i < p->n_clusters; i++)
        if (tenant_alone_in(&p->clusters[i]))
            ids[n_alone++] = p->clusters[i].id;
    return rv == 0 ? store_obtopology_read_some(c->db, ids, n_alone, c->arena, &p->topology, e) : rv;
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
    for (size_t i = 0; rv == 0 && i < p.n_tenants; i++) {
        const struct obcluster *cluster = cluster_of(p.clusters, p.n_clusters, p.tenants[i].cluster_id);

        if (cluster != NULL) /* else it was moved out a moment ago */
            rv = tenant_view_of(c, &p.tenants[i], cluster, &p.topology, &views[n++], e);
    }
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
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
    if (live.locked >= 0)
        view->locked = live.locked;
    return 0;
}

static int api_tenant_get(struct call *c, struct err *e)
{
    struct tenant_view view;
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = tenant_view_detail(c, &t, &view, e);
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
    struct field_list units;
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = tenant_view_units(c, &t, q->zone, &units, e);
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
    struct obcluster_user who = { c->user->user_id, c->user->name };
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    return rv == 0 ? tenant_parameter_change(&t, &wish, 1, &who, e) : rv;
}

#define TENANTS .tag = "Tenants"
/* What a cluster has belongs to the cluster as well; what is inside a tenant does not. */
#define SEE_TENANT "CLUSTER:{clusterId}:READ|CLUSTER:{clusterId}:TENANT:{tenantId}:READ"

const struct route tenant_routes[] = {
    ROUTE("ob-tenants-list", "GET", "/api/v2/ob/tenants", "CLUSTER:?:READ|CLUSTER:?:TENANT:?:READ", api_tenant_list, REPLY_PAGED, ROUTE_DOCUMENTED,
          "List the tenants of all clusters.", TENANTS, ROUTE_QUERY(list_query, list_query_fields), ROUTE_OUT(tenant_view, tenant_summary_fields),
          .sort = sorts),
    ROUTE("ob-cluster-tenants-list", "GET", "/api/v2/ob/clusters/{clusterId}/tenants",
          "CLUSTER:{clusterId}:READ|CLUSTER:{clusterId}:TENANT:?:READ", api_tenant_list_of, REPLY_PAGED, ROUTE_DOCUMENTED, "List the tenants of a cluster.", TENANTS, ROUTE_QUERY(list_query, list_query_fields),
          ROUTE_OUT(tenant_view, tenant_summary_fields), .sort = sorts),
    ROUTE("ob-cluster-tenant-get", "GET", "/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}", SEE_TENANT, api_tenant_get,
          REPLY_OBJECT, ROUTE_DOCUMENTED, "Show a tenant.", TENANTS, ROUTE_OUT(tenant_view, tenant_detail_fields)),
    ROUTE("ob-cluster-tenant-units-list", "GET", "/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}/units", SEE_TENANT,
          api_tenant_unit_list, REPLY_LIST, ROUTE_DOCUMENTED, "List the units of a tenant.", TENANTS, ROUTE_QUERY(unit_query, unit_query_fields),
          ROUTE_OUT(tenant_unit_view, tenant_unit_fields)),
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
    ROUTE_END,
};

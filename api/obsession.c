/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and major compactions of managed clusters, by cluster and by tenant. */
#include "src/oceanbase/session.h"

#include <string.h>

#include "api/api.h"
#include "api/obcluster_view.h"
#include "api/tables.h"
#include "src/obcluster/link.h"
#include "src/oceanbase/compaction.h"
#include "src/task/domains.h"

static struct obclusters *domain(const struct call *c)
{
    return c->api->shared->domains->obclusters;
}

/* The cluster, and, where the path names one, its tenant. */
struct place {
    struct obcluster cluster;
    struct obtenant tenant;
    bool in_tenant;
};

/* Paths name the cluster "id". */
static int of_path(struct call *c, struct place *out, struct err *e)
{
    int rv = api_obcluster_of(c, "id", &out->cluster, e);

    out->in_tenant = call_text(c, "tenantId")[0] != '\0';
    if (rv == 0 && out->in_tenant) {
        rv = store_obtenant_get(c->db, out->cluster.id, call_id(c, "tenantId"), c->arena, &out->tenant, e);
        c->object_kind = "OB_TENANT";
    }
    return rv;
}

/* The tenant's name for a kernel that has several. */
static const char *tenant_of(const struct place *p)
{
    return p->in_tenant ? p->tenant.name : NULL;
}

struct session_view {
    struct ob_session row;
    int64_t port;
};
static const struct field session_fields[] = {
    F_INT(session_view, row.id, "id", DOC("Id of the session.")),
    F_STRING(session_view, row.user, "dbUser", DOC("User.")),
    F_STRING(session_view, row.tenant, "tenant", DOC("Tenant, where the kernel has several.")),
    F_STRING(session_view, row.ip, "svrIp", DOC("Server it is on, where there are several.")),
    F_INT(session_view, port, "svrPort", DOC("Its RPC port.")),
    F_STRING(session_view, row.host, "clientIp", DOC("Where it comes from.")),
    F_STRING(session_view, row.db, "dbName", DOC("Database.")),
    F_STRING(session_view, row.command, "dbCommand", DOC("What kind of command runs.")),
    F_STRING(session_view, row.state, "status", DOC("State.")),
    F_DOUBLE(session_view, row.time_s, "timeSeconds", DOC("Seconds in this state.")),
    F_STRING(session_view, row.info, "info", DOC("Statement that runs.")),
    F_STRING(session_view, row.sql_id, "sqlId", DOC("Id of the statement.")),
    F_STRING(session_view, row.client_ip, "userClientIp", DOC("Address of the client behind a proxy.")),
    F_STRING(session_view, row.trans_state, "transState", DOC("State of the transaction.")),
    FIELD_END,
};

static int ask_sessions(struct call *c, const struct place *p, struct ob_session **out, size_t *n, struct err *e)
{
    struct link *k;
    int rv = link_take(domain(c), &p->cluster, &k, e);

    return rv == 0 ? link_give(k, ob_sessions_list(link_sql(k), tenant_of(p), c->arena, out, n, e), e) : rv;
}

static int api_obsession_list(struct call *c, struct err *e)
{
    struct session_view *views = NULL;
    struct ob_session *list;
    struct place place;
    size_t n;
    int rv = of_path(c, &place, e);

    if (rv == 0)
        rv = ask_sessions(c, &place, &list, &n, e);
    if (rv == 0 && (views = arena_array(c->arena, n + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv != 0)
        return rv;
    for (size_t i = 0; i < n; i++) { /* they come by id */
        const struct ob_session *s = &list[c->page.descending ? n - 1 - i : i];

        views[i] = (struct session_view){ *s, s->ip != NULL ? s->port : FIELD_NONE };
    }
    return call_paged_all(c, views, n, e);
}

struct kill_in {
    int query;
    const char *ip;
    int64_t port;
};
static const struct field kill_in_fields[] = {
    F_BOOL(kill_in, query, "query", .def = "false", DOC("Ends only the statement that runs; the session stays.")),
    F_STRING(kill_in, ip, "svrIp", .max = 64, DOC("Server the session is on; needed only when two servers have sessions of this id.")),
    F_INT(kill_in, port, "svrPort", .min = 1, .max = 65535, DOC("Its RPC port.")),
    FIELD_END,
};

struct kill {
    int64_t id;
    bool query;
};

static int kill_it(struct sql *s, void *data, struct err *e)
{
    const struct kill *k = data;

    return ob_session_kill(s, k->id, k->query, e);
}

static bool is_wanted(const struct kill_in *in, const struct ob_session *s, int64_t id)
{
    return s->id == id && (in->ip == NULL || strcmp(in->ip, s->ip) == 0) && (in->port == FIELD_NONE || in->port == s->port);
}

/* Only the server that a session is on can end it. */
static int find_session(struct call *c, const struct place *p, int64_t id, const struct ob_session **out, struct err *e)
{
    const struct kill_in *in = c->body;
    struct ob_session *list;
    size_t n;
    int rv = ask_sessions(c, p, &list, &n, e);

    *out = NULL;
    for (size_t i = 0; rv == 0 && i < n; i++) {
        if (!is_wanted(in, &list[i], id))
            continue;
        if (*out != NULL)
            return err_set(e, &ERR_INVALID, "several servers have a session %lld: give svrIp and svrPort", (long long)id);
        *out = &list[i];
    }
    return rv == 0 && *out == NULL ? err_set(e, &ERR_OB_SESSION_UNKNOWN, "%lld", (long long)id) : rv;
}

static int kill_here(struct call *c, const struct obcluster *of, struct kill *what, struct err *e)
{
    struct link *k;
    int rv = link_take(domain(c), of, &k, e);

    return rv == 0 ? link_give(k, kill_it(link_sql(k), what, e), e) : rv;
}

/* Which server it is goes without saying; the address that it knows itself by may not be the one it is reached at. */
static bool has_one_server(const struct obcluster *c)
{
    return obcluster_is_one_server(c) || strchr(c->endpoints, ',') == NULL;
}

static int api_obsession_kill(struct call *c, struct err *e)
{
    const struct kill_in *in = c->body;
    struct kill what = { call_id(c, "sessionId"), in->query == 1 };
    const struct ob_session *s;
    struct place place;
    int rv = of_path(c, &place, e);

    if (rv == 0)
        rv = obcluster_require_running(&place.cluster, "ending a session", e);
    if (rv == 0 && !has_one_server(&place.cluster)) {
        rv = find_session(c, &place, what.id, &s, e);
        return rv == 0 ? link_run_at(domain(c), &place.cluster, s->ip, s->sql_port, kill_it, &what, e) : rv;
    }
    return rv == 0 ? kill_here(c, &place.cluster, &what, e) : rv;
}

struct compaction_view {
    const char *status, *info, *tenant;
    int is_error, is_suspended;
    int64_t tenant_id, ob_tenant_id, frozen_scn, last_scn, broadcast_scn, frozen_us, started_us, finished_us;
};
static const struct field compaction_fields[] = {
    F_INT(compaction_view, tenant_id, "tenantId", DOC("Tenant.")),
    F_STRING(compaction_view, tenant, "tenantName", DOC("Its name.")),
    F_INT(compaction_view, ob_tenant_id, "obTenantId", DOC("Its number in the cluster.")),
    F_STRING(compaction_view, status, "status", DOC("IDLE, COMPACTING or VERIFYING.")),
    F_BOOL(compaction_view, is_error, "error", DOC("Whether it stopped with an error.")),
    F_BOOL(compaction_view, is_suspended, "suspended", DOC("Whether it is suspended.")),
    F_STRING(compaction_view, info, "info", DOC("The kernel's remark.")),
    F_INT(compaction_view, frozen_scn, "frozenScn", DOC("Up to here the data was frozen.")),
    F_INT(compaction_view, last_scn, "lastScn", DOC("Up to here the data is compacted.")),
    F_INT(compaction_view, broadcast_scn, "globalBroadcastScn", DOC("Up to here every server was told to compact.")),
    F_TIME(compaction_view, frozen_us, "frozenTime", DOC("When the data was frozen.")),
    F_TIME(compaction_view, started_us, "startTime", DOC("When the last compaction began.")),
    F_TIME(compaction_view, finished_us, "lastFinishTime", DOC("When the last compaction ended.")),
    FIELD_END,
};

static int64_t or_none(int64_t us)
{
    return us > 0 ? us : FIELD_NONE;
}

static struct compaction_view compaction_of(const struct ob_compaction *got, const struct obtenant *t)
{
    return (struct compaction_view){
        .status = got->status,
        .info = got->info != NULL && got->info[0] != '\0' ? got->info : NULL,
        .tenant = t->name,
        .is_error = got->is_error,
        .is_suspended = got->is_suspended,
        .tenant_id = t->id,
        .ob_tenant_id = t->ob_tenant_id,
        .frozen_scn = got->frozen_scn,
        .last_scn = got->last_scn,
        .broadcast_scn = got->broadcast_scn,
        .frozen_us = or_none(got->frozen_us),
        .started_us = or_none(got->started_us),
        .finished_us = or_none(got->finished_us),
    };
}

static const struct obtenant *find_tenant(const struct obtopology *t, int64_t ob_tenant_id)
{
    for (size_t i = 0; i < t->n_tenants; i++)
        if (t->tenants[i].ob_tenant_id == ob_tenant_id)
            return &t->tenants[i];
    return NULL;
}

static int ask_compactions(struct call *c, const struct place *p, struct ob_compaction **out, size_t *n, struct err *e)
{
    struct link *k;
    int rv = link_take(domain(c), &p->cluster, &k, e);

    if (rv != 0)
        return rv;
    return link_give(k, ob_compactions_list(link_sql(k), p->in_tenant ? p->tenant.ob_tenant_id : -1, c->arena, out, n, e), e);
}

/* Those of tenants that belong to others (META) are not shown. */
static int api_obcompaction_list(struct call *c, struct err *e)
{
    struct compaction_view *views = NULL;
    struct ob_compaction *got;
    struct obtopology topology;
    struct place place;
    size_t n, n_views = 0;
    int rv = of_path(c, &place, e);

    if (rv == 0)
        rv = store_obtopology_read(c->db, place.cluster.id, c->arena, &topology, e);
    if (rv == 0)
        rv = ask_compactions(c, &place, &got, &n, e);
    if (rv == 0 && (views = arena_array(c->arena, n + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++) {
        const struct obtenant *t = find_tenant(&topology, got[i].tenant_id);

        if (t != NULL)
            views[n_views++] = compaction_of(&got[i], t);
    }
    return rv == 0 ? call_list(c, views, n_views, e) : rv;
}

static int api_obcompaction_start(struct call *c, struct err *e)
{
    const char *tenant;
    struct place place;
    struct link *k;
    int rv = of_path(c, &place, e);

    if (rv == 0)
        rv = obcluster_require_running(&place.cluster, "a major compaction", e);
    if (rv == 0)
        rv = link_take(domain(c), &place.cluster, &k, e);
    if (rv != 0)
        return rv;
    tenant = obcluster_is_one_server(&place.cluster) ? NULL : tenant_of(&place);
    return link_give(k, ob_compaction_start(link_sql(k), tenant, e), e);
}

#define SESSIONS .tag = "Sessions"
#define COMPACTIONS .tag = "Compactions"
#define CLUSTER "/api/v2/ob/clusters/{id}"
#define TENANT CLUSTER "/tenants/{tenantId}"
#define READ "CLUSTER:{id}:READ"
#define UPDATE "CLUSTER:{id}:UPDATE"
#define READ_T "CLUSTER:{id}:TENANT:{tenantId}:READ"
#define UPDATE_T "CLUSTER:{id}:TENANT:{tenantId}:UPDATE"
#define KILL ROUTE_BODY(kill_in, kill_in_fields), .flags = ROUTE_BODY_OPTIONAL

static const char *const unsorted[] = { "id", NULL };

const struct route obsession_routes[] = {
    ROUTE("ob-cluster-sessions-list", "GET", CLUSTER "/sessions", READ, api_obsession_list, REPLY_PAGED, ROUTE_OWN,
          "List the sessions of a cluster.", SESSIONS, ROUTE_OUT(session_view, session_fields), .sort = unsorted),
    ROUTE("ob-cluster-session-kill", "POST", CLUSTER "/sessions/{sessionId}/kill", UPDATE, api_obsession_kill, REPLY_NONE, ROUTE_OWN,
          "End a session of a cluster, or only its statement.", SESSIONS, KILL),
    ROUTE("ob-cluster-tenant-sessions-list", "GET", TENANT "/sessions", READ_T, api_obsession_list, REPLY_PAGED, ROUTE_OWN,
          "List the sessions of a tenant.", SESSIONS, ROUTE_OUT(session_view, session_fields), .sort = unsorted),
    ROUTE("ob-cluster-tenant-session-kill", "POST", TENANT "/sessions/{sessionId}/kill", UPDATE_T, api_obsession_kill, REPLY_NONE, ROUTE_OWN,
          "End a session of a tenant, or only its statement.", SESSIONS, KILL),
    ROUTE("ob-cluster-compactions-list", "GET", CLUSTER "/compactions", READ, api_obcompaction_list, REPLY_LIST, ROUTE_OWN,
          "Show how far the last major compaction of a cluster is.", COMPACTIONS, ROUTE_OUT(compaction_view, compaction_fields)),
    ROUTE("ob-cluster-compaction-start", "POST", CLUSTER "/compactions", UPDATE, api_obcompaction_start, REPLY_NONE, ROUTE_OWN,
          "Start a major compaction of a cluster.", COMPACTIONS),
    ROUTE("ob-cluster-tenant-compactions-list", "GET", TENANT "/compactions", READ_T, api_obcompaction_list, REPLY_LIST, ROUTE_OWN,
          "Show how far the last major compaction of a tenant is.", COMPACTIONS, ROUTE_OUT(compaction_view, compaction_fields)),
    ROUTE("ob-cluster-tenant-compaction-start", "POST", TENANT "/compactions", UPDATE_T, api_obcompaction_start, REPLY_NONE, ROUTE_OWN,
          "Start a major compaction of a tenant.", COMPACTIONS),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and major compactions of managed clusters, by cluster and by tenant. */
#include "src/oceanbase/session.h"

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

/* The cluster, and, where the path names one, its tenant. Paths name the cluster "id" or "clusterId". */
static int of_path(struct call *c, struct obcluster *out, struct err *e)
{
    struct obtenant tenant;
    int rv = api_obcluster_of(c, "id", out, e);

    if (rv == 0 && call_text(c, "tenantId")[0] != '\0') {
        rv = store_obtenant_get(c->db, out->id, call_id(c, "tenantId"), c->arena, &tenant, e);
        c->object_kind = "OB_TENANT";
    }
    return rv;
}

static const struct field session_fields[] = {
    F_INT(ob_session, id, "id", DOC("Id of the session.")),
    F_STRING(ob_session, user, "dbUser", DOC("User.")),
    F_STRING(ob_session, host, "clientIp", DOC("Where it comes from.")),
    F_STRING(ob_session, db, "dbName", DOC("Database.")),
    F_STRING(ob_session, command, "dbCommand", DOC("What kind of command runs.")),
    F_STRING(ob_session, state, "status", DOC("State.")),
    F_DOUBLE(ob_session, time_s, "timeSeconds", DOC("Seconds in this state.")),
    F_STRING(ob_session, info, "info", DOC("Statement that runs.")),
    F_STRING(ob_session, sql_id, "sqlId", DOC("Id of the statement.")),
    F_STRING(ob_session, client_ip, "userClientIp", DOC("Address of the client behind a proxy.")),
    F_STRING(ob_session, trans_state, "transState", DOC("State of the transaction.")),
    FIELD_END,
};

/* They come by id. */
static void reverse(struct ob_session *list, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct ob_session kept = list[i];

        list[i] = list[n - 1 - i];
        list[n - 1 - i] = kept;
    }
}

static int api_obsession_list(struct call *c, struct err *e)
{
    struct ob_session *list;
    struct obcluster row;
    struct link *k;
    size_t n;
    int rv = of_path(c, &row, e);

    if (rv == 0)
        rv = link_take(domain(c), &row, &k, e);
    if (rv != 0)
        return rv;
    rv = link_give(k, ob_sessions_list(link_sql(k), c->arena, &list, &n, e), e);
    if (rv != 0)
        return rv;
    if (c->page.descending)
        reverse(list, n);
    return call_paged_all(c, list, n, e);
}

struct kill_in {
    int query;
};
static const struct field kill_in_fields[] = {
    F_BOOL(kill_in, query, "query", .def = "false", DOC("Ends only the statement that runs; the session stays.")),
    FIELD_END,
};

static int api_obsession_kill(struct call *c, struct err *e)
{
    const struct kill_in *in = c->body;
    struct obcluster row;
    struct link *k;
    int rv = of_path(c, &row, e);

    if (rv == 0)
        rv = obcluster_require_running(&row, "ending a session", e);
    if (rv == 0)
        rv = link_take(domain(c), &row, &k, e);
    if (rv != 0)
        return rv;
    return link_give(k, ob_session_kill(link_sql(k), call_id(c, "sessionId"), in->query == 1, e), e);
}

struct compaction_view {
    const char *status, *info;
    int is_error, is_suspended;
    int64_t frozen_scn, last_scn, broadcast_scn, frozen_us, started_us, finished_us;
};
static const struct field compaction_fields[] = {
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

static int api_obcompaction_list(struct call *c, struct err *e)
{
    struct compaction_view view;
    struct ob_compaction got;
    struct obcluster row;
    struct link *k;
    int rv = of_path(c, &row, e);

    if (rv == 0)
        rv = link_take(domain(c), &row, &k, e);
    if (rv != 0)
        return rv;
    rv = link_give(k, ob_compaction_get(link_sql(k), c->arena, &got, e), e);
    if (rv != 0)
        return rv;
    view = (struct compaction_view){
        got.status, got.info != NULL && got.info[0] != '\0' ? got.info : NULL, got.is_error, got.is_suspended, got.frozen_scn, got.last_scn,
        got.broadcast_scn, or_none(got.frozen_us), or_none(got.started_us), or_none(got.finished_us),
    };
    return call_list(c, &view, 1, e);
}

static int api_obcompaction_start(struct call *c, struct err *e)
{
    struct obcluster row;
    struct link *k;
    int rv = of_path(c, &row, e);

    if (rv == 0)
        rv = obcluster_require_running(&row, "a major compaction", e);
    if (rv == 0)
        rv = link_take(domain(c), &row, &k, e);
    if (rv != 0)
        return rv;
    return link_give(k, ob_compaction_start(link_sql(k), e), e);
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
          "List the sessions of a cluster.", SESSIONS, ROUTE_OUT(ob_session, session_fields), .sort = unsorted),
    ROUTE("ob-cluster-session-kill", "POST", CLUSTER "/sessions/{sessionId}/kill", UPDATE, api_obsession_kill, REPLY_NONE, ROUTE_OWN,
          "End a session of a cluster, or only its statement.", SESSIONS, KILL),
    ROUTE("ob-cluster-tenant-sessions-list", "GET", TENANT "/sessions", READ_T, api_obsession_list, REPLY_PAGED, ROUTE_OWN,
          "List the sessions of a tenant.", SESSIONS, ROUTE_OUT(ob_session, session_fields), .sort = unsorted),
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

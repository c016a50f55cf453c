/* SPDX-License-Identifier: Apache-2.0 */
/* What changes a managed cluster as a whole, its zones and its servers: each is a task. */
#include "api/api.h"
#include "api/obcluster_view.h"
#include "api/tables.h"
#include "api/task.h"
#include "src/iam/principal.h"
#include "src/obcluster/operate.h"
#include "src/task/domains.h"

static int operate(struct call *c, struct operate *want, struct err *e)
{
    struct obcluster_user who = { c->user->user_id, c->user->name };
    struct obcluster_started started;
    struct obcluster row;
    int rv = api_obcluster_of(c, "id", &row, e);

    if (rv != 0)
        return rv;
    want->cluster_id = row.id;
    rv = obcluster_operate(c->api->shared->domains->obclusters, c->db, c->api->shared->tasks, want, &who, c->arena, &started, e);
    return rv == 0 ? api_task_reply(c, started.task_id, e) : rv;
}

static int of_zone(struct call *c, enum operation what, struct err *e)
{
    struct operate want = { .what = what, .zone = call_text(c, "zoneName") };

    return operate(c, &want, e);
}

static int api_zone_stop(struct call *c, struct err *e)
{
    return of_zone(c, OPERATE_STOP_ZONE, e);
}

static int api_zone_start(struct call *c, struct err *e)
{
    return of_zone(c, OPERATE_START_ZONE, e);
}

struct force_in {
    int force;
};
static const struct field force_fields[] = {
    F_BOOL(force_in, force, "force", .def = "false", DOC("Although a log stream may lose its majority: the service may be interrupted.")),
    FIELD_END,
};

static int api_server_stop(struct call *c, struct err *e)
{
    const struct force_in *in = c->body;
    struct operate want = { .what = OPERATE_STOP_SERVER, .server_id = call_id(c, "serverId"), .force = in->force == 1 };

    return operate(c, &want, e);
}

static int api_server_start(struct call *c, struct err *e)
{
    struct operate want = { .what = OPERATE_START_SERVER, .server_id = call_id(c, "serverId") };

    return operate(c, &want, e);
}

#define TAG .tag = "Clusters"
#define ONE "/api/v2/ob/clusters/{id}"
#define ZONE ONE "/zones/{zoneName}"
#define SERVER ONE "/servers/{serverId}"
#define UPDATE "CLUSTER:{id}:UPDATE"
#define TASK .flags = ROUTE_ASYNC, ROUTE_OUT(task_started, task_started_fields)

const struct route oboperate_routes[] = {
    ROUTE("ob-cluster-zone-stop", "POST", ZONE "/stop", UPDATE, api_zone_stop, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Take a zone out of service; its processes run on.", TAG, TASK),
    ROUTE("ob-cluster-zone-start", "POST", ZONE "/start", UPDATE, api_zone_start, REPLY_OBJECT, ROUTE_DOCUMENTED, "Take a zone into service again.",
          TAG, TASK),
    ROUTE("ob-cluster-server-stop", "POST", SERVER "/stop", UPDATE, api_server_stop, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Take a server out of service; its process runs on.", TAG, ROUTE_BODY(force_in, force_fields), .flags = ROUTE_ASYNC | ROUTE_BODY_OPTIONAL,
          ROUTE_OUT(task_started, task_started_fields)),
    ROUTE("ob-cluster-server-start", "POST", SERVER "/start", UPDATE, api_server_start, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Take a server into service again.", TAG, TASK),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "api/task.h"

#include <string.h>

#include "api/api.h"
#include "api/permit.h"
#include "api/tables.h"
#include "src/task/engine.h"

static const char *const sorts[] = { "id", NULL };

static const struct field step_fields[] = {
    F_INT(task_step_view, id, "id", DOC("Id of the step.")),
    F_STRING(task_step_view, name, "name", DOC("Name of the step.")),
    F_INT(task_step_view, series_id, "seriesId", DOC("Place in the task, from 1.")),
    F_STRING(task_step_view, description, "description", DOC("What it does; why it failed.")),
    F_INT(task_step_view, timeout, "timeout", DOC("Seconds it may take.")),
    F_STRING(task_step_view, status, "status", DOC("PENDING, READY, RUNNING, CANCELING, FAILED or SUCCESSFUL.")),
    F_STRING(task_step_view, operation, "operation", DOC("EXECUTE, RETRY, ROLLBACK, SKIP or CANCEL.")),
    F_STRING(task_step_view, executor, "executor", DOC("Node that runs or ran it.")),
    F_INT(task_step_view, run_time, "runTime", DOC("How often it was dispatched.")),
    F_STRING(task_step_view, node_type, "nodeType", DOC("Kind of node in the graph.")),
    F_INT(task_step_view, parallel_idx, "parallelIdx", DOC("Place among parallel copies; -1: it has none.")),
    F_INTS(task_step_view, upstreams, "upstreams", DOC("Steps that come before it.")),
    F_INTS(task_step_view, downstreams, "downstreams", DOC("Steps that wait for it.")),
    F_BOOL(task_step_view, prohibit_rollback, "prohibitRollback", DOC("Whether it cannot be rolled back.")),
    F_TIME(task_step_view, created_us, "createTime", DOC("When it was made.")),
    F_TIME(task_step_view, started_us, "startTime", DOC("When it was last started.")),
    F_TIME(task_step_view, finished_us, "finishTime", DOC("When it ended.")),
    FIELD_END,
};

const struct field task_started_fields[] = {
    F_INT(task_started, id, "id", DOC("Id of the task.")),
    F_STRING(task_started, name, "name", DOC("What it does.")),
    F_INT(task_started, definition_id, "taskDefinitionId", DOC("Number of its flow.")),
    F_INT(task_started, cluster_id, "clusterId", DOC("Cluster it is about.")),
    F_INT(task_started, tenant_id, "tenantId", DOC("Tenant it is about.")),
    F_INT(task_started, host_id, "hostId", DOC("Host it is about.")),
    F_STRING(task_started, type, "type", DOC("MANUAL: a person or program started it.")),
    F_STRING(task_started, status, "status", DOC("RUNNING, SUCCESSFUL or FAILED.")),
    F_STRING(task_started, creator, "creator", DOC("Who started it.")),
    F_STRING(task_started, operation, "operation", DOC("EXECUTE, RETRY or ROLLBACK.")),
    F_STRING(task_started, executor, "executor", DOC("Node that accepted it.")),
    F_BOOL(task_started, prohibit_rollback, "prohibitRollback", DOC("Whether it cannot be rolled back.")),
    F_TIME(task_started, created_us, "createTime", DOC("When it was made.")),
    F_TIME(task_started, started_us, "startTime", DOC("When it was started.")),
    F_TIME(task_started, finished_us, "finishTime", DOC("When it ended.")),
    F_LIST(task_started, subtasks, "subtasks", task_step_view, step_fields, DOC("Its steps.")),
    FIELD_END,
};

const struct field task_hosts_fields[] = {
    F_INT(task_hosts, id, "id", DOC("Id of the task that adds all of them.")),
    F_INTS(task_hosts, host_ids, "hostIds", DOC("Ids of the new hosts, in the order of the request.")),
    F_LIST(task_hosts, contents, "contents", task_started, task_started_fields, DOC("The task.")),
    FIELD_END,
};

/* ---- the form of the list -------------------------------------------------------------------------------------------------- */

struct named {
    int64_t id, ob_id;
    const char *name, *type;
};
static const struct field cluster_fields[] = {
    F_INT(named, id, "id", DOC("Id of the cluster.")),
    F_STRING(named, name, "name", DOC("Its name.")),
    F_INT(named, ob_id, "obClusterId", DOC("The cluster's own number, where it has one.")),
    F_STRING(named, type, "type", DOC("PRIMARY or STANDBY.")),
    FIELD_END,
};
static const struct field tenant_fields[] = {
    F_INT(named, id, "id", DOC("Id of the tenant.")),
    F_STRING(named, name, "name", DOC("Its name.")),
    F_INT(named, ob_id, "obTenantId", DOC("The tenant's number in its cluster.")),
    F_STRING(named, type, "mode", DOC("MYSQL or ORACLE.")),
    FIELD_END,
};
static const struct field user_fields[] = {
    F_INT(named, id, "id", DOC("Id of the user.")),
    F_STRING(named, name, "name", DOC("User name.")),
    FIELD_END,
};

struct task_view {
    struct task_started flat;
    struct named *cluster, *tenant, *creator;
};
static const struct field task_fields[] = {
    F_INT(task_view, flat.id, "id", DOC("Id of the task.")),
    F_STRING(task_view, flat.name, "name", DOC("What it does.")),
    F_INT(task_view, flat.definition_id, "taskDefinitionId", DOC("Number of its flow.")),
    F_OBJECT(task_view, cluster, "cluster", named, cluster_fields, DOC("Cluster it is about.")),
    F_OBJECT(task_view, tenant, "tenant", named, tenant_fields, DOC("Tenant it is about.")),
    F_OBJECT(task_view, creator, "creator", named, user_fields, DOC("Who started it.")),
    F_STRING(task_view, flat.status, "status", DOC("RUNNING, SUCCESSFUL or FAILED.")),
    F_STRING(task_view, flat.type, "type", DOC("MANUAL: a person or program started it.")),
    F_STRING(task_view, flat.operation, "operation", DOC("EXECUTE, RETRY or ROLLBACK.")),
    F_STRING(task_view, flat.executor, "executor", DOC("Node that accepted it.")),
    F_BOOL(task_view, flat.prohibit_rollback, "prohibitRollback", DOC("Whether it cannot be rolled back.")),
    F_LIST(task_view, flat.subtasks, "subtasks", task_step_view, step_fields, DOC("Its steps.")),
    F_TIME(task_view, flat.created_us, "createTime", DOC("When it was made.")),
    F_TIME(task_view, flat.started_us, "startTime", DOC("When it was started.")),
    F_TIME(task_view, flat.finished_us, "finishTime", DOC("When it ended.")),
    FIELD_END,
};

static struct field_ints one_id(const struct task *t, size_t i, bool exists, struct arena *arena)
{
    int64_t *id = exists ? arena_alloc(arena, sizeof *id) : NULL;

    if (id == NULL)
        return (struct field_ints){ 0 };
    *id = t->subtasks[i].id;
    return (struct field_ints){ id, 1 };
}

static struct task_step_view step_view(const struct task *t, size_t i, struct arena *arena)
{
    const struct subtask *s = &t->subtasks[i];

    return (struct task_step_view){
        .id = s->id,
        .series_id = s->series,
        .timeout = s->timeout_s,
        .run_time = s->dispatch,
        .parallel_idx = -1,
        .name = s->name,
        .description = s->error[0] != '\0' ? s->error : s->description,
        .status = subtask_status_names[s->status],
        .operation = s->dispatch > 1 ? "RETRY" : "EXECUTE",
        .executor = s->worker[0] != '\0' ? s->worker : t->executor,
        .node_type = "JAVA_TASK", /* the only kind that clients know */
        .upstreams = one_id(t, i - 1, i > 0, arena),
        .downstreams = one_id(t, i + 1, i + 1 < t->n_subtasks, arena),
        .prohibit_rollback = t->prohibit_rollback,
        .created_us = s->created_us,
        .started_us = s->started_us,
        .finished_us = s->finished_us,
    };
}

static int flat_view(const struct task *t, struct arena *arena, struct task_started *out, struct err *e)
{
    struct task_step_view *steps = arena_array(arena, t->n_subtasks + 1, sizeof *steps);

    if (steps == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < t->n_subtasks; i++)
        steps[i] = step_view(t, i, arena);
    *out = (struct task_started){
        .id = t->id,
        .cluster_id = t->cluster_id >= 0 ? t->cluster_id : FIELD_NONE,
        .tenant_id = t->tenant_id >= 0 ? t->tenant_id : FIELD_NONE,
        .host_id = FIELD_NONE,
        .definition_id = t->definition_id,
        .name = t->name,
        .type = "MANUAL",
        .status = task_status_names[t->status],
        .creator = t->creator_name,
        .operation = "EXECUTE",
        .executor = t->executor,
        .prohibit_rollback = t->prohibit_rollback,
        .created_us = t->created_us,
        .started_us = t->started_us,
        .finished_us = t->finished_us,
        .subtasks = { steps, t->n_subtasks },
    };
    return 0;
}

static int full_view(const struct task *t, struct arena *arena, struct task_view *out, struct err *e)
{
    struct named *about = arena_array(arena, 3, sizeof *about);
    int rv = flat_view(t, arena, &out->flat, e);

    if (rv != 0)
        return rv;
    if (about == NULL)
        return err_set(e, &ERR_NOMEM, "");
    about[0] = (struct named){ t->cluster_id, t->ob_cluster_id >= 0 ? t->ob_cluster_id : FIELD_NONE, t->cluster_name, "PRIMARY" };
    about[1] = (struct named){ t->tenant_id, FIELD_NONE, t->tenant_name, "MYSQL" };
    about[2] = (struct named){ t->creator_id, FIELD_NONE, t->creator_name, NULL };
    out->cluster = t->cluster_id >= 0 ? &about[0] : NULL;
    out->tenant = t->tenant_id >= 0 ? &about[1] : NULL;
    out->creator = &about[2];
    return 0;
}

int api_task_reply(struct call *c, int64_t task_id, struct err *e)
{
    struct task_started view;
    struct task t;
    int rv = store_task_get(c->db, task_id, c->arena, &t, e);

    c->task_id = task_id;
    if (rv == 0)
        rv = flat_view(&t, c->arena, &view, e);
    return rv == 0 ? call_object(c, &view, e) : rv;
}

int api_task_reply_hosts(struct call *c, int64_t task_id, const int64_t *host_ids, size_t n, struct err *e)
{
    struct task_hosts reply = { .id = task_id, .host_ids = { NULL, n } };
    struct task_started view;
    struct task t;
    int rv = store_task_get(c->db, task_id, c->arena, &t, e);

    c->task_id = task_id;
    reply.host_ids.items = arena_array(c->arena, n, sizeof *host_ids);
    if (rv == 0 && reply.host_ids.items == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = flat_view(&t, c->arena, &view, e);
    if (rv != 0)
        return rv;
    memcpy(reply.host_ids.items, host_ids, n * sizeof *host_ids);
    view.host_id = host_ids[0];
    reply.contents = (struct field_list){ &view, 1 };
    return call_object(c, &reply, e);
}

/* ---- handlers -------------------------------------------------------------------------------------------------------------- */

struct task_query {
    const char *name, *cluster_name;
    struct field_strings status;
    int64_t cluster_id, tenant_id;
};
static const struct field task_query_fields[] = {
    F_STRING(task_query, name, "name", .max = 255, DOC("Part of the name.")),
    F_STRINGS(task_query, status, "status", .max = 3, DOC("Only tasks with this state.")),
    F_STRING(task_query, cluster_name, "clusterName", .alias = "cluterName", .max = 255, DOC("Only tasks of this cluster.")),
    F_INT(task_query, cluster_id, "clusterId", DOC("Only tasks of this cluster.")),
    F_INT(task_query, tenant_id, "tenantId", DOC("Only tasks of this tenant.")),
    FIELD_END,
};

static int64_t or_any(int64_t id)
{
    return id == FIELD_NONE ? -1 : id;
}

/* One state can be asked for; several are the same as all. */
static int status_filter(const struct field_strings *names, int *status, struct err *e)
{
    *status = -1;
    if (names->n != 1)
        return 0;
    for (int i = 0; task_status_names[i] != NULL; i++)
        if (strcmp(task_status_names[i], names->items[0]) == 0)
            *status = i;
    return *status >= 0 ? 0 : err_set(e, &ERR_INVALID, "status: must be one of RUNNING, SUCCESSFUL, FAILED");
}

static int api_task_list(struct call *c, struct err *e)
{
    const struct task_query *q = c->query;
    struct task_filter f = {
        .name = q->name,
        .cluster_name = q->cluster_name,
        .cluster_id = or_any(q->cluster_id),
        .tenant_id = or_any(q->tenant_id),
        .creator_id = -1,
        .scope = c->scope,
        .descending = c->page.descending,
        .page = c->page.number,
        .size = c->page.size,
    };
    struct task_view *views = NULL;
    struct task *tasks;
    int64_t total;
    size_t n = 0;
    int rv = status_filter(&q->status, &f.status, e);

    if (rv == 0)
        rv = store_task_list(c->db, &f, c->arena, &tasks, &n, &total, e);
    if (rv == 0 && (views = arena_array(c->arena, n + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = full_view(&tasks[i], c->arena, &views[i], e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

static int reply_task(struct call *c, const struct task *t, struct err *e)
{
    struct task_view view;
    int rv = full_view(t, c->arena, &view, e);

    return rv == 0 ? call_object(c, &view, e) : rv;
}

/* A task belongs to what it is about: who may do this to the cluster or the tenant may do it to the task. */
static int find_task(struct call *c, enum permission_action action, struct task *t, struct err *e)
{
    struct permission ways[] = {
        { call_id_at(c, 0), PERMISSION_ANY, PERMISSION_TASK, PERMISSION_TASK, (uint8_t)action },
        { PERMISSION_ANY, PERMISSION_ANY, PERMISSION_CLUSTER, PERMISSION_CLUSTER, (uint8_t)action },
        { PERMISSION_ANY, PERMISSION_ANY, PERMISSION_CLUSTER, PERMISSION_TENANT, (uint8_t)action },
    };
    int rv = store_task_get(c->db, call_id_at(c, 0), c->arena, t, e);
    unsigned n = 1;

    if (rv != 0)
        return rv;
    if (t->cluster_id > 0)
        ways[n++].id = t->cluster_id;
    if (n == 2 && t->tenant_id > 0) {
        ways[n].id = t->cluster_id;
        ways[n++].sub_id = t->tenant_id;
    }
    return permit_require(c, ways, n, e);
}

static int api_task_get(struct call *c, struct err *e)
{
    struct task t;
    int rv = find_task(c, PERMISSION_READ, &t, e);

    return rv == 0 ? reply_task(c, &t, e) : rv;
}

static int api_task_retry(struct call *c, struct err *e)
{
    bool changed;
    struct task t;
    int rv;

    c->object_kind = "TASK";
    c->object_id = c->task_id = call_id_at(c, 0);
    rv = find_task(c, PERMISSION_UPDATE, &t, e);
    if (rv == 0)
        rv = store_task_retry(c->db, t.id, &changed, e);
    if (rv != 0)
        return rv;
    c->object_name = t.name;
    if (!changed) {
        (void)err_set(e, &ERR_TASK_STATE, "%lld", (long long)t.id);
        return err_arg(e, "%s", task_status_names[t.status]);
    }
    task_kick(c->api->shared->tasks, t.id);
    rv = store_task_get(c->db, t.id, c->arena, &t, e);
    return rv == 0 ? reply_task(c, &t, e) : rv;
}

/* Another node has taken a new task, and this one leads. */
static int peer_kick(struct call *c, struct err *e)
{
    (void)e;
    task_kick(c->api->shared->tasks, call_id_at(c, 0));
    return 0;
}

struct log_view {
    const char *log;
};
static const struct field log_fields[] = {
    F_STRING(log_view, log, "log", DOC("Lines of the step's log.")),
    FIELD_END,
};

/* Another task's step is none of this one: who may see this task need not be allowed to see that. */
static int check_step(const struct task *t, int64_t id, struct err *e)
{
    for (size_t i = 0; i < t->n_subtasks; i++) {
        if (t->subtasks[i].id == id)
            return 0;
    }
    (void)err_set(e, &ERR_NOT_FOUND, "step");
    return err_arg(e, "%lld", (long long)id);
}

static int api_subtask_log(struct call *c, struct err *e)
{
    struct subtask_line *lines;
    char time[CLOCK_TEXT_SIZE];
    struct log_view view;
    struct task t;
    struct str text;
    size_t n;
    int rv = find_task(c, PERMISSION_READ, &t, e);

    if (rv == 0)
        rv = check_step(&t, call_id(c, "subtaskInstanceId"), e);
    if (rv == 0)
        rv = store_subtask_lines(c->db, call_id(c, "subtaskInstanceId"), c->arena, &lines, &n, e);
    if (rv != 0)
        return rv;
    str_init(&text, c->arena);
    for (size_t i = 0; i < n; i++)
        str_printf(&text, "%s %s\n", clock_iso(lines[i].at_us, 0, time), lines[i].text);
    if (str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    view.log = str_c(&text);
    return call_object(c, &view, e);
}

#define READ "TASK:?:READ|CLUSTER:?:READ|CLUSTER:?:TENANT:?:READ"
#define UPDATE "TASK:?:UPDATE|CLUSTER:?:UPDATE|CLUSTER:?:TENANT:?:UPDATE"
#define TAG .tag = "Tasks"
#define LIST ROUTE_QUERY(task_query, task_query_fields), ROUTE_OUT(task_view, task_fields), .sort = sorts
#define ONE ROUTE_OUT(task_view, task_fields)

const struct route task_routes[] = {
    ROUTE("task-instances-list", "GET", "/api/v2/tasks/instances", READ, api_task_list, REPLY_PAGED, ROUTE_DOCUMENTED, "List the tasks.", TAG, LIST),
    ROUTE("task-instance-get", "GET", "/api/v2/tasks/instances/{taskInstanceId}", READ, api_task_get, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Show a task.", TAG, ONE),
    ROUTE("tasks-list-alias", "GET", "/api/v2/tasks", READ, api_task_list, REPLY_PAGED, ROUTE_ADDITIONAL, "List the tasks.", TAG, LIST),
    ROUTE("task-get-alias", "GET", "/api/v2/tasks/{id}", READ, api_task_get, REPLY_OBJECT, ROUTE_ADDITIONAL, "Show a task.", TAG, ONE),
    ROUTE("task-instance-retry", "POST", "/api/v2/tasks/instances/{taskInstanceId}/retry", UPDATE, api_task_retry, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Run the failed steps of a task again.", TAG, ONE, .flags = ROUTE_ASYNC),
    ROUTE("peer-task-kick", "POST", "/peer/tasks/{id}/kick", PERM_PUBLIC, peer_kick, REPLY_NONE, ROUTE_OWN, "Tells the leader of a new task.", TAG,
          .flags = ROUTE_ANY_ADDRESS | ROUTE_NODES | ROUTE_READ_ONLY),
    ROUTE("task-instance-subtask-log-get", "GET", "/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/log", READ,
          api_subtask_log, REPLY_OBJECT, ROUTE_DOCUMENTED, "Show the log of a step.", TAG, ROUTE_OUT(log_view, log_fields)),
    ROUTE_END,
};

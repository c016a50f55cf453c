/* SPDX-License-Identifier: Apache-2.0 */
#include "api/task.h"

#include <string.h>

#include "api/api.h"
#include "api/tables.h"
#include "src/store/subtask.h"
#include "src/task/change.h"
#include "src/task/engine.h"

enum { MAX_LOG_LINES = 5000 };

static const char *const sorts[] = { "id", NULL };

/* ---- handlers -------------------------------------------------------------------------------------------------------------- */

struct task_query {
    const char *name, *cluster_name, *tenant_name;
    struct field_strings status;
    int64_t cluster_id, tenant_id, host_id;
    int type;
};
static const struct field task_query_fields[] = {
    F_STRING(task_query, name, "name", .max = 255, DOC("Part of the name.")),
    F_STRINGS(task_query, status, "status", .max = 3, DOC("Only tasks in one of these states: RUNNING, SUCCESSFUL, FAILED.")),
    F_STRING(task_query, cluster_name, "clusterName", .alias = "cluterName", .max = 255, DOC("Only tasks of this cluster.")),
    F_INT(task_query, cluster_id, "clusterId", DOC("Only tasks of this cluster.")),
    F_ENUM(task_query, type, "type", task_type_names, DOC("Only tasks of this type.")),
    F_STRING(task_query, tenant_name, "tenantName", .max = 255, DOC("Only tasks of tenants with this name.")),
    F_INT(task_query, tenant_id, "tenantId", DOC("Only tasks of this tenant.")),
    F_INT(task_query, host_id, "hostId", DOC("Only tasks that change this host, alone or together with others.")),
    FIELD_END,
};

static int64_t or_any(int64_t id)
{
    return id == FIELD_NONE ? -1 : id;
}

static int status_filter(const struct field_strings *names, unsigned *statuses, struct err *e)
{
    *statuses = 0;
    for (size_t k = 0; k < names->n; k++) {
        unsigned found = 0;

        for (int i = 0; task_status_names[i] != NULL; i++)
            found |= strcmp(task_status_names[i], names->items[k]) == 0 ? 1u << i : 0;
        if (found == 0)
            return err_set(e, &ERR_INVALID, "status: must be one of RUNNING, SUCCESSFUL, FAILED");
        *statuses |= found;
    }
    return 0;
}

static int api_task_list(struct call *c, struct err *e)
{
    const struct task_query *q = c->query;
    struct task_filter f = {
        .name = q->name,
        .cluster_name = q->cluster_name,
        .cluster_id = or_any(q->cluster_id),
        .tenant_name = q->tenant_name,
        .tenant_id = or_any(q->tenant_id),
        .host_id = or_any(q->host_id),
        .type = q->type,
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
    int rv = status_filter(&q->status, &f.statuses, e);

    if (rv == 0)
        rv = store_task_list(c->db, &f, c->arena, &tasks, &n, &total, e);
    if (rv == 0 && (views = arena_array(c->arena, n + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = task_view_of(&tasks[i], c->arena, &views[i], e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

static int reply_task(struct call *c, const struct task *t, struct err *e)
{
    struct task_view view;
    int rv = task_view_of(t, c->arena, &view, e);

    return rv == 0 ? call_object(c, &view, e) : rv;
}

/* A task belongs to what it is about: who may do this to the cluster or the tenant may do it to the task. */
int api_task_find(struct call *c, enum permission_action action, struct task *t, struct err *e)
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
    int rv = api_task_find(c, PERMISSION_READ, &t, e);

    return rv == 0 ? reply_task(c, &t, e) : rv;
}

/* What runs again has no end yet: the reply shows when it had ended before. */
static void keep_ends(struct task *now, const struct task *was)
{
    if (now->finished_us == FIELD_NONE)
        now->finished_us = was->finished_us;
    for (size_t i = 0; i < now->n_subtasks && i < was->n_subtasks; i++)
        if (now->subtasks[i].finished_us == FIELD_NONE)
            now->subtasks[i].finished_us = was->subtasks[i].finished_us;
}

/* Changes a task, tells the leader, and reads it again. */
static int change_task(struct call *c, int (*change)(struct db *d, int64_t id, struct err *e), struct err *e)
{
    struct task was, t;
    int rv;

    c->object_kind = "TASK";
    c->object_id = c->task_id = call_id_at(c, 0);
    rv = api_task_find(c, PERMISSION_UPDATE, &was, e);
    if (rv != 0)
        return rv;
    c->object_name = was.name;
    rv = change(c->db, was.id, e);
    if (rv != 0)
        return rv;
    task_kick(c->api->shared->tasks);
    rv = store_task_get(c->db, was.id, c->arena, &t, e);
    if (rv != 0)
        return rv;
    keep_ends(&t, &was);
    return reply_task(c, &t, e);
}

static int api_task_retry(struct call *c, struct err *e)
{
    return change_task(c, task_retry, e);
}

static int api_task_rollback(struct call *c, struct err *e)
{
    return change_task(c, task_rollback, e);
}

static int change_step(struct call *c, int (*change)(struct db *d, int64_t task_id, int64_t id, struct err *e), struct task *t, struct err *e)
{
    struct task_step_view view;
    int64_t id = call_id(c, "subtaskInstanceId");
    int rv;

    c->object_kind = "TASK";
    c->object_id = c->task_id = call_id_at(c, 0);
    rv = api_task_find(c, PERMISSION_UPDATE, t, e);
    if (rv == 0)
        rv = task_step_view_of(t, id, c->arena, &view, e);
    if (rv != 0)
        return rv;
    c->object_name = t->name;
    rv = change(c->db, t->id, id, e);
    if (rv == 0)
        task_kick(c->api->shared->tasks);
    return rv;
}

static int api_subtask_retry(struct call *c, struct err *e)
{
    struct task_step_view view;
    struct task was, t;
    int rv = change_step(c, subtask_retry, &was, e);

    if (rv == 0)
        rv = store_task_get(c->db, was.id, c->arena, &t, e);
    if (rv != 0)
        return rv;
    keep_ends(&t, &was);
    rv = task_step_view_of(&t, call_id(c, "subtaskInstanceId"), c->arena, &view, e);
    return rv == 0 ? call_object(c, &view, e) : rv;
}

static int api_subtask_skip(struct call *c, struct err *e)
{
    struct task t;

    return change_step(c, subtask_skip, &t, e);
}

static int api_subtask_cancel(struct call *c, struct err *e)
{
    struct task t;

    return change_step(c, subtask_cancel, &t, e);
}

/* Another node has made steps ready, and this one leads. */
static int peer_kick(struct call *c, struct err *e)
{
    (void)e;
    task_kicked_leader(c->api->shared->tasks);
    return 0;
}

/* The leader has given steps to this node. */
static int peer_work(struct call *c, struct err *e)
{
    (void)e;
    task_kicked_worker(c->api->shared->tasks);
    return 0;
}

struct log_view {
    const char *log;
};
static const struct field log_fields[] = {
    F_STRING(log_view, log, "log", DOC("Lines of the step's log.")),
    FIELD_END,
};

static int api_subtask_log(struct call *c, struct err *e)
{
    int64_t id = call_id(c, "subtaskInstanceId");
    struct task_step_view step;
    struct subtask_line *lines;
    char time[CLOCK_TEXT_SIZE];
    struct log_view view;
    struct task t;
    struct str text;
    size_t n;
    int rv = api_task_find(c, PERMISSION_READ, &t, e);

    if (rv == 0)
        rv = task_step_view_of(&t, id, c->arena, &step, e);
    if (rv == 0)
        rv = store_subtask_lines(c->db, id, -1, MAX_LOG_LINES, c->arena, &lines, &n, e);
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

#define UPDATE "TASK:?:UPDATE|CLUSTER:?:UPDATE|CLUSTER:?:TENANT:?:UPDATE"
#define TAG .tag = "Tasks"
#define LIST ROUTE_QUERY(task_query, task_query_fields), ROUTE_OUT(task_view, task_view_fields), .sort = sorts
#define STEP "/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}"
#define ONE ROUTE_OUT(task_view, task_view_fields)

const struct route task_routes[] = {
    ROUTE("task-instances-list", "GET", "/api/v2/tasks/instances", TASK_READ, api_task_list, REPLY_PAGED, ROUTE_DOCUMENTED, "List the tasks.", TAG, LIST),
    ROUTE("task-instance-get", "GET", "/api/v2/tasks/instances/{taskInstanceId}", TASK_READ, api_task_get, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Show a task.", TAG, ONE),
    ROUTE("tasks-list-alias", "GET", "/api/v2/tasks", TASK_READ, api_task_list, REPLY_PAGED, ROUTE_ADDITIONAL, "List the tasks.", TAG, LIST),
    ROUTE("task-get-alias", "GET", "/api/v2/tasks/{id}", TASK_READ, api_task_get, REPLY_OBJECT, ROUTE_ADDITIONAL, "Show a task.", TAG, ONE),
    ROUTE("task-instance-retry", "POST", "/api/v2/tasks/instances/{taskInstanceId}/retry", UPDATE, api_task_retry, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Run the failed steps of a task again.", TAG, ONE, .flags = ROUTE_ASYNC),
    ROUTE("task-instance-rollback", "POST", "/api/v2/tasks/instances/{taskInstanceId}/rollback", UPDATE, api_task_rollback, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Undo what a failed task has done.", TAG, ONE, .flags = ROUTE_ASYNC),
    ROUTE("task-instance-subtask-retry", "POST", STEP "/retry", UPDATE, api_subtask_retry, REPLY_OBJECT, ROUTE_DOCUMENTED, "Run a failed step again.", TAG,
          ROUTE_OUT(task_step_view, task_step_fields)),
    ROUTE("task-instance-subtask-skip", "POST", STEP "/skip", UPDATE, api_subtask_skip, REPLY_NONE, ROUTE_DOCUMENTED, "Go on without a failed step.", TAG),
    ROUTE("task-instance-subtask-cancel", "POST", STEP "/cancel", UPDATE, api_subtask_cancel, REPLY_NONE, ROUTE_DOCUMENTED,
          "Stop a running step, or give up a failed one.", TAG),
    ROUTE("peer-task-kick", "POST", "/peer/tasks/kick", PERM_PUBLIC, peer_kick, REPLY_NONE, ROUTE_OWN, "Tells the leader of steps that are ready.",
          TAG, .flags = ROUTE_ANY_ADDRESS | ROUTE_NODES | ROUTE_READ_ONLY),
    ROUTE("peer-task-work", "POST", "/peer/tasks/work", PERM_PUBLIC, peer_work, REPLY_NONE, ROUTE_OWN, "Tells a node of steps that it is to run.",
          TAG, .flags = ROUTE_ANY_ADDRESS | ROUTE_NODES | ROUTE_READ_ONLY),
    ROUTE("task-instance-subtask-log-get", "GET", "/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/log", TASK_READ,
          api_subtask_log, REPLY_OBJECT, ROUTE_DOCUMENTED, "Show the log of a step.", TAG, ROUTE_OUT(log_view, log_fields)),
    ROUTE_END,
};

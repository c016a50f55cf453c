/* SPDX-License-Identifier: Apache-2.0 */
#include "api/task.h"

#include <string.h>

const struct field task_step_fields[] = {
    F_INT(task_step_view, id, "id", DOC("Id of the step.")),
    F_STRING(task_step_view, name, "name", DOC("Name of the step.")),
    F_INT(task_step_view, series_id, "seriesId", DOC("Place in the task, from 1.")),
    F_STRING(task_step_view, description, "description", DOC("What it does; why it failed.")),
    F_STRING(task_step_view, class_name, "className", DOC("What runs it: the flow and the step, the same in every task of this kind.")),
    F_INT(task_step_view, timeout, "timeout", DOC("Seconds it may take.")),
    F_STRING(task_step_view, status, "status", DOC("PENDING, READY, RUNNING, CANCELING, FAILED or SUCCESSFUL.")),
    F_STRING(task_step_view, operation, "operation", DOC("EXECUTE, RETRY, ROLLBACK, SKIP or CANCEL.")),
    F_STRING(task_step_view, executor, "executor", DOC("Node that runs or ran it.")),
    F_INT(task_step_view, run_time, "runTime", DOC("How often it was dispatched.")),
    F_STRING(task_step_view, node_type, "nodeType", DOC("Kind of node in the graph.")),
    F_INT(task_step_view, parallel_idx, "parallelIdx", DOC("Place among parallel copies; -1: it has none.")),
    F_INTS(task_step_view, upstreams, "upstreams", DOC("Steps that come before it.")),
    F_INTS(task_step_view, downstreams, "downstreams", DOC("Steps that wait for it.")),
    F_STRING(task_step_view, target, "target", DOC("What it is for: a host, a zone, a server; empty: the whole.")),
    F_STRING(task_step_view, state, "state",
             DOC("Its state as it is: also UNKNOWN (nobody can tell whether it acted), SKIPPED, CANCELLED (given up) and ROLLED_BACK.")),
    F_BOOL(task_step_view, skippable, "skippable", DOC("Whether it may be skipped after it failed.")),
    F_BOOL(task_step_view, prohibit_rollback, "prohibitRollback", DOC("Whether it cannot be rolled back.")),
    F_TIME(task_step_view, created_us, "createTime", DOC("When it was made.")),
    F_TIME(task_step_view, started_us, "startTime", DOC("When it was last started.")),
    F_TIME(task_step_view, finished_us, "finishTime", DOC("When it ended; in the reply to a retry or rollback, when it had ended before.")),
    FIELD_END,
};

static const struct field context_fields[] = {
    F_MAP(task_context, strings, "stringMap", DOC("Values by name.")),
    F_JSON(task_context, lists, "listMap", DOC("Lists of values by name.")),
    F_BOOL(task_context, parallel, "parallel", DOC("Whether some of its steps run side by side.")),
    F_INT(task_context, parallel_idx, "parallelIdx", DOC("Place among parallel copies; -1: it has none.")),
    FIELD_END,
};

/* Clients know two forms of `context`: of some operations an object, of the others, which are older, its text. */
#define STARTED_HEAD \
    F_INT(task_started, id, "id", DOC("Id of the task.")), \
    F_STRING(task_started, name, "name", DOC("What it does.")), \
    F_INT(task_started, definition_id, "taskDefinitionId", DOC("Number of its flow.")), \
    F_INT(task_started, cluster_id, "clusterId", DOC("Cluster it is about.")), \
    F_INT(task_started, tenant_id, "tenantId", DOC("Tenant it is about.")), \
    F_INT(task_started, host_id, "hostId", DOC("Host it is about.")), \
    F_STRING(task_started, type, "type", DOC("MANUAL (a person or program started it), SYS_ONECE, SCHEDULED or SYS_SCHEDULED.")), \
    F_STRING(task_started, status, "status", DOC("RUNNING, SUCCESSFUL or FAILED.")), \
    F_STRING(task_started, creator, "creator", DOC("Who started it.")), \
    F_STRING(task_started, operation, "operation", DOC("EXECUTE, RETRY or ROLLBACK.")), \
    F_STRING(task_started, executor, "executor", DOC("Node that accepted it."))
#define STARTED_TAIL \
    F_BOOL(task_started, prohibit_rollback, "prohibitRollback", DOC("Whether it cannot be rolled back.")), \
    F_TIME(task_started, created_us, "createTime", DOC("When it was made.")), \
    F_TIME(task_started, started_us, "startTime", DOC("When it was started.")), \
    F_TIME(task_started, finished_us, "finishTime", DOC("When it ended.")), \
    F_LIST(task_started, subtasks, "subtasks", task_step_view, task_step_fields, DOC("Its steps."))

const struct field task_started_fields[] = {
    STARTED_HEAD,
    F_OBJECT(task_started, context, "context", task_context, context_fields, DOC("What it was started with.")),
    STARTED_TAIL,
    FIELD_END,
};

const struct field task_started_text_fields[] = {
    STARTED_HEAD,
    F_STRING(task_started, context_text, "context", DOC("What it was started with, as JSON.")),
    STARTED_TAIL,
    FIELD_END,
};

const struct field task_hosts_fields[] = {
    F_INT(task_hosts, id, "id", DOC("Id of the task that adds all of them.")),
    F_INTS(task_hosts, host_ids, "hostIds", DOC("Ids of the new hosts, in the order of the request.")),
    F_LIST(task_hosts, contents, "contents", task_started, task_started_fields, DOC("The task.")),
    FIELD_END,
};

/* ---- the form of the list -------------------------------------------------------------------------------------------------- */

static const struct field cluster_fields[] = {
    F_INT(task_about, id, "id", DOC("Id of the cluster.")),
    F_STRING(task_about, name, "name", DOC("Its name.")),
    F_INT(task_about, ob_id, "obClusterId", DOC("The cluster's own number, where it has one.")),
    F_STRING(task_about, type, "type", DOC("PRIMARY or STANDBY.")),
    FIELD_END,
};
static const struct field tenant_fields[] = {
    F_INT(task_about, id, "id", DOC("Id of the tenant.")),
    F_STRING(task_about, name, "name", DOC("Its name.")),
    F_INT(task_about, ob_id, "obTenantId", DOC("The tenant's number in its cluster.")),
    F_STRING(task_about, type, "mode", DOC("MYSQL or ORACLE.")),
    FIELD_END,
};
static const struct field user_fields[] = {
    F_INT(task_about, id, "id", DOC("Id of the user.")),
    F_STRING(task_about, name, "name", DOC("User name.")),
    FIELD_END,
};

const struct field task_view_fields[] = {
    F_INT(task_view, flat.id, "id", DOC("Id of the task.")),
    F_STRING(task_view, flat.name, "name", DOC("What it does.")),
    F_INT(task_view, flat.definition_id, "taskDefinitionId", DOC("Number of its flow.")),
    F_OBJECT(task_view, cluster, "cluster", task_about, cluster_fields, DOC("Cluster it is about.")),
    F_OBJECT(task_view, tenant, "tenant", task_about, tenant_fields, DOC("Tenant it is about.")),
    F_OBJECT(task_view, creator, "creator", task_about, user_fields, DOC("Who started it.")),
    F_STRING(task_view, flat.status, "status", DOC("RUNNING, SUCCESSFUL or FAILED.")),
    F_STRING(task_view, flat.type, "type", DOC("MANUAL (a person or program started it), SYS_ONECE, SCHEDULED or SYS_SCHEDULED.")),
    F_STRING(task_view, flat.operation, "operation", DOC("EXECUTE, RETRY or ROLLBACK.")),
    F_STRING(task_view, flat.executor, "executor", DOC("Node that accepted it.")),
    F_BOOL(task_view, flat.prohibit_rollback, "prohibitRollback", DOC("Whether it cannot be rolled back.")),
    F_LIST(task_view, flat.subtasks, "subtasks", task_step_view, task_step_fields, DOC("Its steps.")),
    F_TIME(task_view, flat.created_us, "createTime", DOC("When it was made.")),
    F_TIME(task_view, flat.started_us, "startTime", DOC("When it was started.")),
    F_TIME(task_view, flat.finished_us, "finishTime", DOC("When it ended; in the reply to a retry or rollback, when it had ended before.")),
    FIELD_END,
};

/* What clients know: one name for several of ours. The operation tells them apart. */
static const char *const wire_status[SUBTASK_STATUSES] = {
    [SUBTASK_PENDING] = "PENDING",     [SUBTASK_READY] = "READY",           [SUBTASK_RUNNING] = "RUNNING",  [SUBTASK_CANCELING] = "CANCELING",
    [SUBTASK_FAILED] = "FAILED",       [SUBTASK_SUCCESSFUL] = "SUCCESSFUL", [SUBTASK_UNKNOWN] = "FAILED",   [SUBTASK_SKIPPED] = "SUCCESSFUL",
    [SUBTASK_CANCELLED] = "FAILED",    [SUBTASK_ROLLED_BACK] = "SUCCESSFUL",
};
/* UNDO is a rollback, too, seen from outside. */
static const char *const wire_operation[] = { [TASK_EXECUTE] = "EXECUTE", [TASK_RETRY] = "RETRY",   [TASK_ROLLBACK] = "ROLLBACK",
                                              [TASK_SKIP] = "SKIP",       [TASK_CANCEL] = "CANCEL", [TASK_UNDO] = "ROLLBACK" };

static struct field_ints ids_of(const struct task *t, const size_t *series, size_t n, struct arena *arena)
{
    int64_t *ids = n > 0 ? arena_array(arena, n, sizeof *ids) : NULL;

    if (ids == NULL)
        return (struct field_ints){ 0 };
    for (size_t i = 0; i < n; i++)
        ids[i] = t->subtasks[series[i] - 1].id;
    return (struct field_ints){ ids, n };
}

static struct field_ints upstreams(const struct task *t, const struct subtask *s, size_t *series, struct arena *arena)
{
    size_t n = 0;

    for (int64_t k = s->up_first; k > 0 && k <= s->up_last && (size_t)k <= t->n_subtasks; k++)
        series[n++] = (size_t)k;
    return ids_of(t, series, n, arena);
}

static struct field_ints downstreams(const struct task *t, const struct subtask *s, size_t *series, struct arena *arena)
{
    size_t n = 0;

    for (size_t i = (size_t)s->series; i < t->n_subtasks; i++)
        if (t->subtasks[i].up_first <= s->series && s->series <= t->subtasks[i].up_last)
            series[n++] = i + 1;
    return ids_of(t, series, n, arena);
}

/* "start observer (10.0.0.1)" */
static const char *step_name(const struct subtask *s, struct arena *arena)
{
    const char *name = s->label[0] != '\0' ? arena_printf(arena, "%s (%s)", s->name, s->label) : s->name;

    return name != NULL ? name : s->name;
}

/* "add_hosts.greet_agent" */
static const char *class_name(const struct task *t, const struct subtask *s, struct arena *arena)
{
    char *name = arena_printf(arena, "%s.%s", t->flow, s->name);

    for (char *c = name; c != NULL && *c != '\0'; c++)
        *c = *c == ' ' ? '_' : *c;
    return name;
}

static struct task_step_view step_view(const struct task *t, const struct subtask *s, size_t *series, struct arena *arena)
{
    return (struct task_step_view){
        .id = s->id,
        .series_id = s->series,
        .timeout = s->timeout_s,
        .run_time = s->dispatch,
        .parallel_idx = s->place,
        .name = step_name(s, arena),
        .class_name = class_name(t, s, arena),
        .description = s->error[0] != '\0' ? s->error : s->description,
        .status = wire_status[s->status],
        .operation = wire_operation[s->operation],
        .executor = s->worker[0] != '\0' ? s->worker : t->executor,
        .node_type = "JAVA_TASK", /* the only kind that clients know */
        .upstreams = upstreams(t, s, series, arena),
        .downstreams = downstreams(t, s, series, arena),
        .target = s->target,
        .state = subtask_status_names[s->status],
        .skippable = (s->flags & SUBTASK_SKIPPABLE) != 0,
        .prohibit_rollback = t->prohibit_rollback,
        .created_us = s->created_us,
        .started_us = s->started_us,
        .finished_us = s->finished_us,
    };
}

int task_step_view_of(const struct task *t, int64_t id, struct arena *arena, struct task_step_view *out, struct err *e)
{
    size_t *series = arena_array(arena, t->n_subtasks + 1, sizeof *series);

    if (series == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < t->n_subtasks; i++) {
        if (t->subtasks[i].id != id)
            continue;
        *out = step_view(t, &t->subtasks[i], series, arena);
        return 0;
    }
    /* Another task's step is none of this one: who may see this task need not be allowed to see that. */
    (void)err_set(e, &ERR_NOT_FOUND, "step");
    return err_arg(e, "%lld", (long long)id);
}

static int flat_view(const struct task *t, struct arena *arena, struct task_started *out, struct err *e)
{
    struct task_step_view *steps = arena_array(arena, t->n_subtasks + 1, sizeof *steps);
    size_t *series = arena_array(arena, t->n_subtasks + 1, sizeof *series);

    if (steps == NULL || series == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < t->n_subtasks; i++)
        steps[i] = step_view(t, &t->subtasks[i], series, arena);
    *out = (struct task_started){
        .id = t->id,
        .cluster_id = t->cluster_id >= 0 ? t->cluster_id : FIELD_NONE,
        .tenant_id = t->tenant_id >= 0 ? t->tenant_id : FIELD_NONE,
        .host_id = t->host_id >= 0 ? t->host_id : FIELD_NONE,
        .definition_id = t->definition_id,
        .name = t->name,
        .type = task_type_names[t->type],
        .status = task_status_names[t->status],
        .creator = t->creator_name,
        .operation = wire_operation[t->operation],
        .executor = t->executor,
        .prohibit_rollback = t->prohibit_rollback,
        .created_us = t->created_us,
        .started_us = t->started_us,
        .finished_us = t->finished_us,
        .subtasks = { steps, t->n_subtasks },
    };
    return 0;
}

int task_view_of(const struct task *t, struct arena *arena, struct task_view *out, struct err *e)
{
    struct task_about *about = arena_array(arena, 3, sizeof *about);
    int rv = flat_view(t, arena, &out->flat, e);

    if (rv != 0)
        return rv;
    if (about == NULL)
        return err_set(e, &ERR_NOMEM, "");
    about[0] = (struct task_about){ t->cluster_id, t->ob_cluster_id >= 0 ? t->ob_cluster_id : FIELD_NONE, t->cluster_name, "PRIMARY" };
    about[1] = (struct task_about){ t->tenant_id, t->ob_tenant_id, t->tenant_name, t->tenant_mode != NULL ? t->tenant_mode : "MYSQL" };
    about[2] = (struct task_about){ t->creator_id, FIELD_NONE, t->creator_name, NULL };
    out->cluster = t->cluster_id >= 0 ? &about[0] : NULL;
    out->tenant = t->tenant_id >= 0 ? &about[1] : NULL;
    out->creator = &about[2];
    return 0;
}

/* ---- what it was started with -------------------------------------------------------------------------------------------------- */

static void add_text(struct str *t, const json_t *v)
{
    char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

    if (!json_is_string(v) && text == NULL)
        t->failed = true;
    else
        str_add(t, text != NULL ? text : json_string_value(v));
    mem_free(text);
}

static const char *text_of(const json_t *v, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    add_text(&t, v);
    return str_failed(&t) ? NULL : str_c(&t);
}

static int add_list(struct str *t, const char *name, const json_t *list, struct arena *arena)
{
    json_add_key(t, name);
    str_add_c(t, '[');
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = text_of(json_array_get(list, i), arena);

        if (text == NULL)
            return ERR_NOMEM.code;
        json_add_comma(t);
        json_add_string(t, text);
    }
    str_add_c(t, ']');
    return 0;
}

static int fill_context(struct task_context *x, json_t *arguments, struct arena *arena)
{
    struct str lists;
    const char *name;
    json_t *value;

    x->strings.keys = arena_array(arena, json_object_size(arguments) + 1, sizeof *x->strings.keys);
    x->strings.values = arena_array(arena, json_object_size(arguments) + 1, sizeof *x->strings.values);
    if (x->strings.keys == NULL || x->strings.values == NULL)
        return ERR_NOMEM.code;
    str_init(&lists, arena);
    str_add_c(&lists, '{');
    json_object_foreach(arguments, name, value) {
        if (json_is_array(value)) {
            if (add_list(&lists, name, value, arena) != 0)
                return ERR_NOMEM.code;
            continue;
        }
        x->strings.keys[x->strings.n] = arena_strdup(arena, name);
        x->strings.values[x->strings.n] = text_of(value, arena);
        if (x->strings.keys[x->strings.n] == NULL || x->strings.values[x->strings.n++] == NULL)
            return ERR_NOMEM.code;
    }
    str_add_c(&lists, '}');
    x->lists = str_failed(&lists) ? NULL : str_c(&lists);
    return x->lists != NULL ? 0 : ERR_NOMEM.code;
}

static struct task_context *context_of(const struct task *t, struct arena *arena)
{
    struct task_context *x = arena_array(arena, 1, sizeof *x);
    json_t *arguments = NULL;
    int rv;

    if (x == NULL)
        return NULL;
    *x = (struct task_context){ .parallel = false, .parallel_idx = -1 };
    for (size_t i = 0; i < t->n_subtasks; i++)
        x->parallel |= t->subtasks[i].place > 0;
    if (json_parse((struct slice){ t->arguments, strlen(t->arguments) }, &arguments, NULL) != 0)
        arguments = NULL; /* of a former version: no JSON */
    rv = fill_context(x, arguments, arena);
    json_decref(arguments);
    return rv == 0 ? x : NULL;
}

static int started_view(const struct task *t, struct arena *arena, struct task_started *out, struct err *e)
{
    int rv = flat_view(t, arena, out, e);
    struct str text;

    if (rv != 0)
        return rv;
    out->context = context_of(t, arena);
    if (out->context == NULL)
        return err_set(e, &ERR_NOMEM, "");
    str_init(&text, arena);
    fields_write(&text, context_fields, out->context, &(struct field_style){ 0 });
    out->context_text = str_failed(&text) ? NULL : str_c(&text);
    return out->context_text != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

int api_task_reply(struct call *c, int64_t task_id, struct err *e)
{
    struct task_started view;
    struct task t;
    int rv = store_task_get(c->db, task_id, c->arena, &t, e);

    c->task_id = task_id;
    if (rv == 0)
        rv = started_view(&t, c->arena, &view, e);
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
        rv = started_view(&t, c->arena, &view, e);
    if (rv != 0)
        return rv;
    memcpy(reply.host_ids.items, host_ids, n * sizeof *host_ids);
    view.host_id = host_ids[0];
    reply.contents = (struct field_list){ &view, 1 };
    return call_object(c, &reply, e);
}

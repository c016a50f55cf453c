/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - tasks on the wire: the flat form with which operations answer that start work, and the form of the task list. */
#ifndef API_TASK_H
#define API_TASK_H

#include "api/call.h"
#include "api/permit.h"
#include "src/store/task.h"

struct task_step_view {
    int64_t id, series_id, timeout, run_time, parallel_idx;
    const char *name, *description, *class_name, *status, *operation, *executor, *node_type, *target, *state;
    struct field_ints upstreams, downstreams;
    int prohibit_rollback, skippable;
    int64_t created_us, started_us, finished_us;
};

extern const struct field task_step_fields[];

/* What a task was started with, in the form that clients know: values by name, and lists of them. */
struct task_context {
    struct field_map strings;
    const char *lists; /* JSON: name to array of strings */
    int parallel;
    int64_t parallel_idx;
};

/* Answer of an operation that started a task (TaskInstance). */
struct task_started {
    int64_t id, cluster_id, tenant_id, host_id, definition_id;
    const char *name, *type, *status, *creator, *operation, *executor;
    struct task_context *context;
    const char *context_text; /* the same as JSON */
    int prohibit_rollback;
    int64_t created_us, started_us, finished_us;
    struct field_list subtasks;
};
extern const struct field task_started_fields[];      /* `context` is an object */
extern const struct field task_started_text_fields[]; /* and here a text */

/* The form of the list and of one task. */
struct task_about {
    int64_t id, ob_id;
    const char *name, *type;
};
struct task_view {
    struct task_started flat;
    struct task_about *cluster, *tenant, *creator;
};
extern const struct field task_view_fields[];

/* In the arena. Errors: NOMEM; of a step: NOT_FOUND. */
MUST_CHECK int task_view_of(const struct task *t, struct arena *arena, struct task_view *out, struct err *e);
MUST_CHECK int task_step_view_of(const struct task *t, int64_t id, struct arena *arena, struct task_step_view *out, struct err *e);

/* Answer of adding hosts: the task, alone and as a list, and the new hosts. */
struct task_hosts {
    int64_t id;
    struct field_ints host_ids;
    struct field_list contents;
};
extern const struct field task_hosts_fields[];

#define TASK_READ "TASK:?:READ|CLUSTER:?:READ|CLUSTER:?:TENANT:?:READ"
/* The task in the path, with its steps; the caller may do this to it, or to the cluster or tenant it is about. */
MUST_CHECK int api_task_find(struct call *c, enum permission_action action, struct task *t, struct err *e);

/* Reads the task that was just committed and replies with it (route->out is task_started_fields). */
MUST_CHECK int api_task_reply(struct call *c, int64_t task_id, struct err *e);
/* The same with hosts (route->out is task_hosts_fields). */
MUST_CHECK int api_task_reply_hosts(struct call *c, int64_t task_id, const int64_t *host_ids, size_t n, struct err *e);

#endif

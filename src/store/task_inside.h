/* SPDX-License-Identifier: Apache-2.0 */
/* task_inside.h - what src/store/task.c, tasklist.c and subtask.c share. */
#ifndef STORE_TASK_INSIDE_H
#define STORE_TASK_INSIDE_H

#include "src/store/task.h"

extern const struct sql_field subtask_columns[];
/* Whole or partial rows of steps, in the arena. */
MUST_CHECK int subtask_fetch(const struct sql_rows *rows, struct arena *arena, struct subtask **out, size_t *n, struct err *e);

#define TASK_COLUMNS                                                                                                                        \
    "id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, host_id, cluster_name, tenant_name, creator_id, creator_name, " \
    "status, operation, type, prohibit_rollback, undo_on_failure, executor, COALESCE(arguments, context) AS arguments, COALESCE(locks, '') AS locks, " \
    "created_at, started_at, finished_at"
/* Of its tenant, as long as there is one. */
#define TENANT_COLUMNS                                                                              \
    "(SELECT n.ob_tenant_id FROM obtenant n WHERE n.id = task.tenant_id) AS ob_tenant_id, "         \
    "(SELECT n.mode FROM obtenant n WHERE n.id = task.tenant_id) AS tenant_mode"
/* Rows of these columns. */
MUST_CHECK int task_fetch(const struct sql_rows *rows, struct arena *arena, struct task **out, struct err *e);
/* The steps of all of these, which are sorted by id, in one query. */
MUST_CHECK int task_add_steps(struct db *d, struct task *tasks, size_t n, bool descending, struct arena *arena, struct err *e);

#endif

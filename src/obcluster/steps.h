/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - what the steps of this directory's flows share. From a step's fiber. */
#ifndef OBCLUSTER_STEPS_H
#define OBCLUSTER_STEPS_H

#include "src/obcluster/inside.h"
#include "src/task/flow.h"

enum { STEP_QUERY_MS = 10000, STEP_IDLE_S = 5, STEP_LOOK_MS = 1000 };

struct obclusters *step_domain(struct task_run *r);
/* The task's cluster, as MetaDB has it now. Errors: OBCLUSTER_NOT_FOUND, those of db_read. */
MUST_CHECK int step_cluster(struct task_run *r, struct obcluster *out, struct err *e);
int64_t step_now_us(struct task_run *r);

typedef int (*step_work)(struct sql *s, void *data, struct err *e);
/* Runs `work`, which may change the cluster, on a session of its own that is known to the task: those that earlier dispatches of this step
 * have left are ended first, and seen gone. Errors: those of link_take, of the work (worded as by link_give), TASK_OVERTAKEN. */
MUST_CHECK int step_change(struct task_run *r, const struct obcluster *c, step_work work, void *data, struct err *e);
/* The same at one server, with this password: before it is a cluster, or before its root has one. `host` is an IP address. */
MUST_CHECK int step_change_at(struct task_run *r, const struct obcluster *c, const char *host, int64_t sql_port, const char *password,
                              step_work work, void *data, struct err *e);
/* The same of work that only helps what comes next: why it failed stands in the step's log, and it is gone on. Errors: CANCELLED, TASK_OVERTAKEN. */
MUST_CHECK int step_try(struct task_run *r, const struct obcluster *c, step_work work, void *data, const char *what, struct err *e);
/* Runs `work`, which only reads. */
MUST_CHECK int step_ask(struct task_run *r, const struct obcluster *c, step_work work, void *data, struct err *e);

/* Asks again, each second, until *done or the step's deadline; failures to ask are waited over. What it waits for stands in the step's log each minute.
 * Errors: STEP_WAITED ({0} what, {1} why not yet). */
typedef int (*step_probe)(struct sql *s, void *data, bool *done, struct err *e);
MUST_CHECK int step_wait(struct task_run *r, const struct obcluster *c, const char *what, step_probe probe, void *data, struct err *e);
ERR_DECLARE(ERR_STEP_WAITED);
extern const struct err_row *const steps_err_rows[];

/* Looks at the cluster now and keeps what is seen, so that people see what the step has done. */
MUST_CHECK int step_look(struct task_run *r, struct err *e);
/* Moves the cluster's status; nothing when it is `to` already. Errors: OBCLUSTER_STATE when it is neither. */
MUST_CHECK int step_move(struct task_run *r, enum obcluster_status from, enum obcluster_status to, struct err *e);
/* The cluster's row goes while its status is this one: what was begun with it is taken back. Nothing when it is gone, or is in another status by now. */
MUST_CHECK int step_forget(struct task_run *r, enum obcluster_status status, struct err *e);

#endif

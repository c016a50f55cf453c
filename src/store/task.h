/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - long operations and their steps, as MetaDB keeps them, with the wire shapes of OCP's task API. A step's row carries a
 * dispatch number that grows with each dispatch; whoever finishes a step must name the dispatch it acted for, so a worker that was
 * paused and overtaken changes nothing. */
#ifndef STORE_TASK_H
#define STORE_TASK_H

#include "src/store/db.h"
#include "src/store/filter.h"

enum task_status { TASK_RUNNING, TASK_SUCCESSFUL, TASK_FAILED };
extern const char *const task_status_names[];
enum subtask_status { SUBTASK_PENDING, SUBTASK_READY, SUBTASK_RUNNING, SUBTASK_CANCELING, SUBTASK_FAILED, SUBTASK_SUCCESSFUL };
extern const char *const subtask_status_names[];

struct subtask {
    int64_t id, task_id;
    int64_t series;               /* place in the task, from 1 */
    int64_t dispatch;             /* 0: never dispatched */
    const char *name, *description;
    int64_t timeout_s;
    int status;                   /* enum subtask_status */
    const char *worker;           /* node that runs or ran it; "" */
    const char *error;            /* why it failed; "" */
    int64_t created_us, started_us, finished_us; /* FIELD_NONE: not yet */
};

struct task {
    int64_t id;
    const char *flow;             /* name of its flow: code looks it up by this */
    const char *name;             /* for people */
    int64_t definition_id;
    int64_t cluster_id, ob_cluster_id, tenant_id;  /* -1: none */
    const char *cluster_name, *tenant_name;
    int64_t creator_id;
    const char *creator_name;
    int status;                   /* enum task_status */
    int prohibit_rollback;
    const char *executor;         /* node */
    const char *context;          /* JSON object with string values; never a secret */
    int64_t created_us, started_us, finished_us;
    struct subtask *subtasks;     /* by series */
    size_t n_subtasks;
};

ERR_DECLARE(ERR_TASK_NOT_FOUND);   /* 4001 {0} id */
ERR_DECLARE(ERR_TASK_STATE);       /* 4007 {0} id, {1} state: the task's state does not allow this */
ERR_DECLARE(ERR_TASK_OVERTAKEN);   /* the step was dispatched again: this worker's result does not count */
extern const struct err_row *const task_err_rows[];

/* Writes a new task with its steps; ids and times are set by the caller. Inside the transaction that makes what it is about. */
MUST_CHECK int store_task_insert(struct tx *tx, const struct task *t, struct err *e);

/* With its steps. Errors: TASK_NOT_FOUND, those of db_read. */
MUST_CHECK int store_task_get(struct db *d, int64_t id, struct arena *arena, struct task *out, struct err *e);

struct task_filter {
    const char *name;             /* part of the name; NULL: any */
    const char *cluster_name;     /* NULL: any */
    int64_t cluster_id, tenant_id, creator_id; /* -1: any */
    int status;                   /* -1: any */
    const struct scope *scope;    /* NULL: all; kinds TASK, CLUSTER, TENANT */
    bool descending;              /* by id */
    int64_t page, size;
};
/* One page with all steps, in three queries whatever the number of rows. */
MUST_CHECK int store_task_list(struct db *d, const struct task_filter *f, struct arena *arena, struct task **out, size_t *n, int64_t *total,
                               struct err *e);
/* Ids of tasks that are not finished, oldest first; of one cluster, or of all when cluster_id is -1. */
MUST_CHECK int store_task_unfinished(struct db *d, int64_t cluster_id, struct arena *arena, int64_t **ids, size_t *n, struct err *e);

/* Moves a step to RUNNING under the next dispatch number, if it still has `dispatch` and is not successful. Errors: TASK_OVERTAKEN. */
MUST_CHECK int store_subtask_dispatch(struct db *d, const struct subtask *s, const char *worker, struct err *e);
/* Ends a running step of dispatch `dispatch`; `error` is NULL after success. Errors: TASK_OVERTAKEN. */
MUST_CHECK int store_subtask_finish(struct db *d, int64_t id, int64_t dispatch, const char *error, struct err *e);
/* Keeps what later steps need. */
MUST_CHECK int store_task_set_context(struct db *d, int64_t id, const char *context, struct err *e);
/* Ends a task. Repeating it changes nothing. */
MUST_CHECK int store_task_finish(struct db *d, int64_t id, enum task_status status, struct err *e);
/* Fails all tasks that are not finished, with this reason in the steps that may have begun: nobody knows how far they came. Errors: those of tx_exec. */
MUST_CHECK int store_task_fail_all_in(struct tx *tx, const char *reason, struct err *e);
/* Makes the failed steps of a failed task ready again. Errors: none if it was not failed; *changed says. */
MUST_CHECK int store_task_retry(struct db *d, int64_t id, bool *changed, struct err *e);

struct subtask_line {
    int64_t at_us;
    const char *text;
};
/* Adds a line to a step's log; a line with this `seq` that is there already stands. */
MUST_CHECK int store_subtask_log(struct db *d, int64_t subtask_id, int64_t seq, const char *text, struct err *e);
MUST_CHECK int store_subtask_lines(struct db *d, int64_t subtask_id, struct arena *arena, struct subtask_line **out, size_t *n,
                                   struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - long operations and their steps, as MetaDB keeps them. What may follow what is decided in src/task/decide.h; here are the rows.
 *
 * A step's row carries a dispatch number that grows with every dispatch, retry, skip, cancel and rollback, in the same UPDATE that changes its
 * state. Whoever writes for a step names the dispatch it acts for, so a worker that was paused and overtaken changes nothing.
 * Lock order of every transaction: fence, task, steps ascending, object locks. */
#ifndef STORE_TASK_H
#define STORE_TASK_H

#include "src/store/db.h"
#include "src/store/filter.h"

enum task_status { TASK_RUNNING, TASK_SUCCESSFUL, TASK_FAILED };
extern const char *const task_status_names[];
/* What the task, or a step, is doing or did last. UNDO: a rollback that the task began by itself. */
enum task_operation { TASK_EXECUTE, TASK_RETRY, TASK_ROLLBACK, TASK_SKIP, TASK_CANCEL, TASK_UNDO };
extern const char *const task_operation_names[];
enum task_type { TASK_MANUAL, TASK_SYS_ONCE, TASK_SCHEDULED, TASK_SYS_SCHEDULED };
extern const char *const task_type_names[];

/* The drawing is in src/task/decide.h. RUNNING is "dispatched"; with operation ROLLBACK, READY and RUNNING are "rolling back". */
enum subtask_status {
    SUBTASK_PENDING, SUBTASK_READY, SUBTASK_RUNNING, SUBTASK_CANCELING, SUBTASK_FAILED, SUBTASK_SUCCESSFUL,
    SUBTASK_UNKNOWN, SUBTASK_SKIPPED, SUBTASK_CANCELLED, SUBTASK_ROLLED_BACK,
    SUBTASK_STATUSES,
};
extern const char *const subtask_status_names[]; /* for logs; what clients see: api/task.c */
enum { SUBTASK_SKIPPABLE = 1, SUBTASK_UNDOABLE = 2 /* has something to roll back */ };

struct subtask {
    int64_t id, task_id;
    int64_t series;               /* place in the task, from 1 */
    int64_t stage, width;         /* steps that were planned side by side share a stage; at most `width` of them at once, 0: all */
    int64_t place;                /* among these, from 0; -1: it is alone */
    int64_t up_first, up_last;    /* series of the steps that come before it, 0: none */
    int64_t dispatch;             /* 0: never dispatched */
    const char *name, *description;
    const char *target, *label;   /* what it is for; "" */
    int64_t timeout_s, retries, attempts; /* retries: allowed without asking a person; attempts: used up */
    int64_t declines;             /* how often a worker gave it back without beginning it */
    int64_t flags;                /* SUBTASK_... */
    int status;                   /* enum subtask_status */
    int operation;                /* enum task_operation */
    int64_t worker_id, incarnation; /* node, and the start of its process, that runs or ran it; 0: none */
    int64_t epoch;                /* of the leader that dispatched it */
    const char *worker;           /* the node's name; "" */
    const char *error;            /* why it failed; "" */
    int64_t created_us, started_us, finished_us; /* FIELD_NONE: not yet */
    int64_t delay_ms;             /* write only: READY, but to be dispatched so much later */
};

struct task {
    int64_t id;
    const char *flow;             /* name of its flow: code looks it up by this */
    const char *name;             /* for people */
    int64_t definition_id;
    int64_t cluster_id, ob_cluster_id, tenant_id, host_id; /* -1: none */
    const char *cluster_name, *tenant_name;
    int64_t ob_tenant_id;         /* read only: FIELD_NONE when there is no such tenant (any more) */
    const char *tenant_mode;      /* read only: MYSQL, ORACLE; NULL */
    int64_t creator_id;
    const char *creator_name;
    int status;                   /* enum task_status */
    int operation;                /* enum task_operation */
    int type;                     /* enum task_type */
    int prohibit_rollback, undo;  /* undo: a failure rolls it back by itself */
    const char *executor;         /* node that accepted it */
    const char *arguments;        /* JSON object; never a secret */
    const char *locks;            /* "obcluster 7,host 3" */
    int64_t created_us, started_us, finished_us;
    struct subtask *subtasks;     /* by series */
    size_t n_subtasks;
};

ERR_DECLARE(ERR_TASK_NOT_FOUND);   /* 4001 {0} id */
ERR_DECLARE(ERR_TASK_STATE);       /* 4007 {0} id, {1} state, {2} what it does not allow */
ERR_DECLARE(ERR_TASK_NO_ROLLBACK); /* 4009 {0} id */
ERR_DECLARE(ERR_SUBTASK_NO_SKIP);  /* 4010 {0} name of the step */
ERR_DECLARE(ERR_TASK_OVERTAKEN);   /* the step was dispatched again, or ended otherwise: this worker's result does not count */
ERR_DECLARE(ERR_TASK_UNKNOWN);     /* {0} what: a step cannot tell whether it acted; a person decides */
ERR_DECLARE(ERR_TASK_LOCKED);      /* {0} kind, {1} id, {2} id of the holder's task, {3} its name */
extern const struct err_row *const task_err_rows[];

/* Writes a new task with its steps; ids and times are set by the caller. Inside the transaction that makes what it is about. Locks: tasklock.h. */
MUST_CHECK int store_task_insert(struct tx *tx, const struct task *t, struct arena *arena, struct err *e);
/* With its steps. Errors: TASK_NOT_FOUND, those of db_read. */
MUST_CHECK int store_task_get(struct db *d, int64_t id, struct arena *arena, struct task *out, struct err *e);
/* Without its steps. Errors: TASK_NOT_FOUND, those of db_read. */
MUST_CHECK int store_task_get_head(struct db *d, int64_t id, struct arena *arena, struct task *out, struct err *e);
/* With its steps, and both are locked until the transaction ends. Errors: TASK_NOT_FOUND, those of tx_run. */
MUST_CHECK int store_task_lock_in(struct tx *tx, int64_t id, struct arena *arena, struct task *out, struct err *e);
/* Sets status and operation; a final status sets the time, too. */
MUST_CHECK int store_task_move_in(struct tx *tx, int64_t id, int status, int operation, struct err *e);

struct task_filter {
    const char *name;             /* part of the name; NULL: any */
    const char *cluster_name, *tenant_name; /* NULL: any */
    int64_t cluster_id, tenant_id, creator_id, host_id; /* -1: any */
    unsigned statuses;            /* bits of enum task_status; 0: any */
    int type;                     /* -1: any */
    const struct scope *scope;    /* NULL: all; kinds TASK, CLUSTER, TENANT */
    bool descending;              /* by id */
    int64_t page, size;
};
/* One page with all steps, in three queries whatever the number of rows. `total` ends at TASK_COUNT_MAX; pages beyond it are there. */
enum { TASK_COUNT_MAX = 100000 };
MUST_CHECK int store_task_list(struct db *d, const struct task_filter *f, struct arena *arena, struct task **out, size_t *n, int64_t *total,
                               struct err *e);
/* Ids of tasks that are not finished, oldest first; of one cluster, or of all when cluster_id is -1. */
MUST_CHECK int store_task_unfinished(struct db *d, int64_t cluster_id, struct arena *arena, int64_t **ids, size_t *n, struct err *e);
/* After a restore of MetaDB: nobody knows how far the tasks came that are not finished. They fail with this reason, their begun steps as UNKNOWN.
 * Errors: those of tx_exec. */
MUST_CHECK int store_task_fail_all_in(struct tx *tx, const char *reason, struct err *e);

/* ---- locks: rows (kind, id, task), held until the task is finished ------------------------------------------------------------- */

struct task_lock_want {
    const char *kind;             /* "obcluster", "host" */
    int64_t id;
};
struct task_lock {
    const char *kind;
    int64_t id, task_id, locked_us;
    const char *task_name, *creator_name;
    int task_status;
};
/* Takes the locks that `locks` ("obcluster 7,host 3") names; those that the task holds already stay. Errors: TASK_LOCKED, those of tx_exec. */
MUST_CHECK int store_task_locks_take_in(struct tx *tx, int64_t task_id, const char *locks, struct arena *arena, struct err *e);
MUST_CHECK int store_task_locks_free_in(struct tx *tx, int64_t task_id, struct err *e);
struct store_page;
MUST_CHECK int store_task_lock_list(struct db *d, const struct store_page *page, struct arena *arena, struct task_lock **out, size_t *n,
                                    int64_t *total, struct err *e);
/* The text of these wants, in the order of kinds and ids, in the arena; NULL when memory is out. */
char *store_task_locks_text(const struct task_lock_want *wants, size_t n, struct arena *arena);

#endif

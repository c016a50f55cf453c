/* SPDX-License-Identifier: Apache-2.0 */
/* flow.h - how a long operation is written: one file with a drawing, a const table of steps, and the step functions.
 *
 *   static const struct task_step steps[] = {
 *       { "make directories", "Make the directories of the observer.", 60, make_dirs, .rollback = remove_dirs, .retries = 3 },
 *       { "start observer",   "Start the process and wait for its port.", 300, start, .rollback = stop, .flags = STEP_SKIPPABLE },
 *       { "bootstrap",        "Make the servers one cluster.", 600, bootstrap },
 *       { .name = NULL },
 *   };
 *   static void plan(struct plan *p, const void *data)
 *   {
 *       const struct create *c = data;                                    // what task_new.plan_data points to
 *       plan_each(p, "make directories", c->targets, c->n, 0);            // all hosts side by side
 *       plan_on(p, "start observer", 0);                                  // each host goes on as soon as its own directories are there
 *       plan_then(p, "bootstrap", NULL);                                  // one step after all of them
 *   }
 *   const struct task_flow flow_create = { "create_cluster", 1003, steps, .plan = plan };
 *
 * The rules a step keeps:
 *  - check, act, verify: it may be run again at any point, by another node, after the former run stopped anywhere;
 *  - it runs on any node, so it takes nothing from memory: arguments (given at submission, never changed), the target, context (task_set), MetaDB;
 *  - it writes MetaDB by task_transact alone, which refuses a run that was overtaken; hosts by task_host_command (remote.h); managed
 *    clusters over sessions made known by task_session (session.h);
 *  - no secret in arguments, context, log or errors: secrets lie sealed in MetaDB and are named by id;
 *  - it waits by fiber waits only, and returns when they end with CANCELLED;
 *  - its failure names object, reason and remedy: people read it. ERR_TASK_UNKNOWN: nobody can tell whether it acted, a person decides. */
#ifndef TASK_FLOW_H
#define TASK_FLOW_H

#include "src/base/json.h"
#include "src/store/task.h"

struct plan;
struct task_run;

enum {
    STEP_SKIPPABLE = SUBTASK_SKIPPABLE, /* a person may go on without it after it failed */
};

struct task_step {
    const char *name;                    /* unique in the table; kept in rows: never change it while such tasks may exist; NULL ends the table */
    const char *description;
    unsigned timeout_s;                  /* of one run */
    int (*run)(struct task_run *r, struct err *e);
    int (*rollback)(struct task_run *r, struct err *e); /* undoes what run did, however far it came; safe to run twice; NULL: nothing to undo */
    unsigned retries;                    /* runs after a failure that may pass (task_may_pass), with growing pauses, before a person is asked */
    unsigned flags;                      /* STEP_... */
};

struct task_flow {
    const char *name;                    /* kept in the task's row: never change it while such tasks may exist */
    int64_t definition_id;               /* number of the flow on the wire */
    const struct task_step *steps;
    void (*plan)(struct plan *p, const void *data); /* pure; NULL: each step once, one after the other */
    bool prohibit_rollback;              /* nobody may roll such a task back */
    bool undo;                           /* a failure rolls it back at once, by itself; it ends as FAILED and cannot be run again */
};

ERR_DECLARE(ERR_STEP_TIMEOUT);   /* {0} seconds: the step's own deadline has passed */
ERR_DECLARE(ERR_STEP_FOREIGN);   /* {0} flow: this version of ocp-server does not know it; another node may */
extern const struct err_row *const task_flow_err_rows[];

/* ---- for plan(): the graph, in the order in which it is to be read. Mistakes are kept and end the submission. ---------------------- */

/* What a step is for. `id` is what the step gets (task_target): host id, "zone1", server address; `label` is for people. Both are copied. */
struct task_target {
    const char *id, *label;              /* label NULL: the id */
};
/* One step after all that came last; it is now what came last. `target` may be NULL. */
void plan_then(struct plan *p, const char *step, const struct task_target *target);
/* One step per target after all that came last, side by side, at most `width` at once (0: all). With a width none begins any more after one has
 * failed. n = 0 adds nothing. A rolling operation is plan_then in a loop. */
void plan_each(struct plan *p, const char *step, const struct task_target *targets, size_t n, unsigned width);
/* The same targets as what came last, once more: each waits for its own predecessor alone. */
void plan_on(struct plan *p, const char *step, unsigned width);

/* ---- for steps: from the step's fiber ------------------------------------------------------------------------------------------- */

const struct task *task_of(const struct task_run *r);      /* without its steps */
const struct subtask *task_step_of(const struct task_run *r); /* this step's row: id, dispatch, target, epoch ... */
const char *task_target(const struct task_run *r);         /* id of the target; "" when the step has none */
/* A member of the arguments; NULL if there is none. The JSON value is borrowed and lives until the step ends. */
const char *task_get_arg(struct task_run *r, const char *key);
const json_t *task_args(struct task_run *r);
/* What an earlier step, or an earlier run of this one, has left under `key`; NULL if nothing. Reads MetaDB: *value lies in the step's arena.
 * Steps that run side by side choose keys of their own ("pid:127.0.0.1"). */
MUST_CHECK int task_get(struct task_run *r, const char *key, const char **value, struct err *e);
/* Sets it, committed when this returns. Errors: TASK_OVERTAKEN, those of db_transact. */
MUST_CHECK int task_set(struct task_run *r, const char *key, const char *value, struct err *e);
/* A transaction that counts only while this run is the step's (see store_subtask_guard_in): whoever was overtaken changes nothing.
 * Errors: TASK_OVERTAKEN, as db_transact. */
MUST_CHECK int task_transact(struct task_run *r, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e);
struct db *task_db(struct task_run *r);             /* MetaDB, for reading */
struct arena *task_arena(struct task_run *r);       /* lives until the step ends */
void *task_data(struct task_run *r);                /* what domains share */
const struct log *task_logger(struct task_run *r);
/* Was this step dispatched before? Then an earlier run may have acted, in part or whole. */
bool task_is_repeated(const struct task_run *r);
/* A number that is new each time within this dispatch, from 1: for keys of commands. */
int64_t task_next_seq(struct task_run *r);
/* The epoch to show to agents now. It is task_step_of(r)->epoch until a new leader leaves the step where it is: when an agent refuses that one, the step
 * asks here and, still being the one who may, repeats the same key under the new epoch. Errors: TASK_OVERTAKEN, those of db_transact. */
MUST_CHECK int task_epoch(struct task_run *r, int64_t *epoch, struct err *e);
/* A line of the step's log for people. Shown within a second; while MetaDB is away it waits. Up to TASK_LOG_LINES a dispatch: of more, the last 50
 * are kept and shown at the end. Failing to keep it fails nothing. */
enum { TASK_LOG_LINES = 1000, TASK_LOG_LINE_SIZE = 1024 };
void task_log(struct task_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* May the same step succeed later though nothing was changed meanwhile? (not reached, busy, MetaDB away...) */
bool task_may_pass(const struct err *e);

#endif

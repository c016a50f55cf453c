/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - runs tasks: long operations as steps that survive the death of the process at any instant.
 *
 * A flow is a const table of steps in one file, under a drawing of them. A step checks, acts and verifies, so that running it again is
 * safe: after a crash or a change of leaders the step that was running is dispatched anew. What steps tell each other lies in the task's context, which never
 * holds a secret. Steps run one after the other in a fiber of the control loop. */
#ifndef TASK_ENGINE_H
#define TASK_ENGINE_H

#include "src/store/task.h"

struct task_engine;
struct task_run;

struct task_step {
    const char *name;                    /* NULL ends the table */
    const char *description;
    unsigned timeout_s;
    int (*run)(struct task_run *r, struct err *e);
};

struct task_flow {
    const char *name;                    /* kept in the task's row: never change it while such tasks may exist */
    int64_t definition_id;               /* number of the flow on the wire */
    const struct task_step *steps;
    /* Called when a step has failed for good, to undo what must not stay; may be NULL. Safe to run twice. Its failure is logged. */
    int (*failed)(struct task_run *r, struct err *e);
};

struct task_engine_conf {
    const struct task_flow *const *const *flows; /* tables of the domains, each ends with NULL, as does the list; borrowed */
    struct loop *loop;                   /* the control loop; borrowed, outlives the engine */
    struct db *db;                       /* MetaDB as the leader uses it (store/leader.h), of that loop; borrowed */
    void *data;                          /* what domains share; borrowed: task_data */
    void (*kick_leader)(int64_t id, void *data); /* this node does not lead: tells whoever does; on the loop, must not wait. NULL: nobody */
    void *kick_data;
    const char *node;                    /* borrowed */
    const struct log *log;               /* borrowed */
};

/* Errors: NOMEM. */
MUST_CHECK int task_engine_new(const struct task_engine_conf *conf, struct task_engine **out, struct err *e);
/* When no task runs any more (the loop has stopped). NULL is fine. */
void task_engine_free(struct task_engine *t);
/* This node leads: goes on with every task that is not finished, and takes new ones until task_engine_stop. Control loop.
 * Errors: those of jobs_start. */
MUST_CHECK int task_engine_start(struct task_engine *t, uint64_t seed, struct err *e);
/* This node leads no more: tasks stop where they are, at once, and the next leader goes on. Control loop. */
void task_engine_stop(struct task_engine *t);

/* What a new task is about. Strings are borrowed until task_insert returns. */
struct task_new {
    const struct task_flow *flow;
    const char *name;                    /* for people: "Take over cluster c1" */
    int64_t cluster_id, ob_cluster_id, tenant_id; /* -1: none */
    const char *cluster_name, *tenant_name;
    int64_t creator_id;
    const char *creator_name;
    const char *context;                 /* JSON object with string values; NULL: {} */
};
/* Takes the ids for a task of this flow and its steps: the first is the task's. */
MUST_CHECK int task_take_ids(struct db *d, const struct task_flow *flow, struct arena *arena, int64_t **ids, struct err *e);
/* Writes the task inside the transaction that makes what it is about; `ids` from task_take_ids; `node` accepts it. */
MUST_CHECK int task_insert(struct tx *tx, const struct task_new *n, const int64_t *ids, const char *node, int64_t now_us, struct arena *arena,
                           struct err *e);
/* Any loop, after the commit: the leader runs it soon. Losing this call delays the task by a second. */
void task_kick(struct task_engine *t, int64_t id);

/* ---- for steps: from the step's fiber ---- */
const struct task *task_of(const struct task_run *r);
struct db *task_db(struct task_run *r);
struct arena *task_arena(struct task_run *r);       /* lives until the step ends */
void *task_data(struct task_run *r);
const struct log *task_logger(struct task_run *r);
/* A value of the context; NULL if there is none. */
const char *task_get(struct task_run *r, const char *key);
/* Sets a value and writes the context at once. */
MUST_CHECK int task_set(struct task_run *r, const char *key, const char *value, struct err *e);
/* A line of the step's log for people; up to 1000 a dispatch. Failing to write it fails nothing. */
void task_log(struct task_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

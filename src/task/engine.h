/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - runs tasks: long operations as graphs of steps that survive the death or the pause of any node at any instant. How to write one: flow.h.
 *
 *   submit (any node): plan -> rows, locks -------> kick the leader
 *   leader (schedule.c): READY steps -> choose a worker -> dispatch d+1, committed -> kick the worker;  steps of lost workers -> READY again
 *   worker (work.c, any node): its RUNNING rows -> a fiber each -> outcome, guarded by (dispatch, worker, RUNNING) -> what is ready now -> kick the leader
 *
 * All state is in MetaDB; every kick may be lost, since leader and workers look each second, too. While MetaDB is away nothing is dispatched,
 * running steps go on and their outcomes wait. */
#ifndef TASK_ENGINE_H
#define TASK_ENGINE_H

#include "src/task/flow.h"

struct task_engine;

struct task_engine_conf {
    const struct task_flow *const *const *flows; /* tables of the domains, each ends with NULL, as does the list; borrowed */
    struct loop *loop;                   /* the control loop; borrowed, outlives the engine */
    struct db *leader_db;                /* MetaDB as the leader uses it (store/leader.h), of that loop; borrowed */
    struct db *db;                       /* MetaDB as any node uses it, of that loop; borrowed */
    void *data;                          /* what domains share; borrowed: task_data */
    const struct node *self;             /* this node; its id is 0 until it is registered; borrowed */
    int64_t incarnation;                 /* of this process: another for each start */
    /* Each tells a node to look at once; on the loop, must not wait; NULL: nobody is told. */
    void (*kick_leader)(void *data);
    void (*kick_worker)(int64_t node_id, void *data);
    bool (*is_dead)(int64_t node_id, void *data); /* the node's process is known to be gone; NULL: it is never known */
    int64_t (*epoch)(void *data);        /* of this node's leadership; 0: none */
    void *hooks_data;
    const struct log *log;               /* borrowed */
};

/* Errors: NOMEM. */
MUST_CHECK int task_engine_new(const struct task_engine_conf *conf, struct task_engine **out, struct err *e);
/* When no step runs any more (the loop has stopped). NULL is fine. */
void task_engine_free(struct task_engine *t);
/* This node takes steps from now on, once it is registered. Control loop. Errors: those of fiber_start. */
MUST_CHECK int task_engine_work(struct task_engine *t, struct err *e);
/* This node takes no new steps (on) or takes them again. Control loop. */
void task_engine_drain(struct task_engine *t, bool on);
/* Takes no steps any more, lets those that run finish for `patience_ms`, stops the rest within `stop_ms`, and tells MetaDB that others may go on.
 * In a fiber of the control loop. */
void task_engine_leave(struct task_engine *t, int64_t patience_ms, int64_t stop_ms);
/* This node leads: schedules until task_engine_stop. Control loop. Errors: NOMEM, those of fiber_start. */
MUST_CHECK int task_engine_start(struct task_engine *t, struct err *e);
/* This node leads no more. Steps go on. Control loop. */
void task_engine_stop(struct task_engine *t);

struct task_engine_stats {
    uint64_t dispatched, taken_over;     /* as leader: steps given to workers; of lost workers */
    uint64_t ran, failed, retried, refused; /* as worker: runs that ended; refused: results that came too late */
    unsigned running;                    /* steps here now */
    unsigned workers;                    /* as leader: nodes that get steps; 0: it does not lead */
};
struct task_engine_stats task_engine_stats(const struct task_engine *t); /* any thread */

/* ---- submission ------------------------------------------------------------------------------------------------------------- */

/* What a new task is about. Everything is borrowed until task_insert returns. */
struct task_new {
    const struct task_flow *flow;
    const char *name;                    /* for people: "Take over cluster c1" */
    int64_t cluster_id, ob_cluster_id, tenant_id, host_id; /* 0 or less: none */
    const char *cluster_name, *tenant_name;
    int64_t creator_id;
    const char *creator_name;
    const char *arguments;               /* JSON object, never a secret; NULL: {} */
    const void *plan_data;               /* for flow->plan */
    const struct task_lock_want *locks;  /* objects that no other unfinished task may hold */
    size_t n_locks;
    int type;                            /* enum task_type; 0: MANUAL */
    const char *node;                    /* that accepts it */
    int64_t now_us;
};
/* A planned task with its ids, in the arena. */
struct task_prepared {
    int64_t id;
    struct task *task;
};
/* Plans and takes ids; before the transaction. Name, cluster and locks may still be set in prepared->task or `n` until task_insert.
 * Errors: INVALID (the plan is wrong or too large), NOMEM, those of db_next_id. */
MUST_CHECK int task_prepare(struct db *d, const struct task_new *n, struct arena *arena, struct task_prepared *out, struct err *e);
/* Takes the locks and writes the task inside the transaction that makes what it is about; `n` as for task_prepare.
 * Errors: TASK_LOCKED (names the holder's task), those of tx_exec. */
MUST_CHECK int task_insert(struct tx *tx, const struct task_prepared *p, const struct task_new *n, struct arena *arena, struct err *e);
/* Any loop, after the commit: the leader looks at once. Losing this call delays the task by a second. */
void task_kick(struct task_engine *t);
/* Any loop: a kick of another node has come. */
void task_kicked_leader(struct task_engine *t);
void task_kicked_worker(struct task_engine *t);

#endif

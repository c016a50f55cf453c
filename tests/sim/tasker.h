/* SPDX-License-Identifier: Apache-2.0 */
/* tasker.h - tasks on one simulated node: requests that start them under a key, the leader that dispatches their steps, the worker that runs them
 * against targets, and people who retry, cancel and roll back. Decisions are src/task/decide's; transactions, calls and their order are as
 * src/store, src/task and the agent's protocol have them. */
#ifndef TESTS_SIM_TASKER_H
#define TESTS_SIM_TASKER_H

#include "tests/sim/metadb.h"
#include "tests/sim/target.h"

enum { TASKER_JOBS = 12, TASKER_RUNS = 4, TASKER_KILLS = 8, TASKER_ENDED = 16 };

/* One transaction with its repetitions, or one reading. */
struct sim_job {
    enum { JOB_NONE, JOB_RENEW, JOB_LOOK, JOB_LOST, JOB_DISPATCH, JOB_REPORT, JOB_REGISTER, JOB_PERSON, JOB_CLAIM, JOB_SUBMIT, JOB_FINISH } kind;
    enum { JOB_BEGINS, JOB_TOKEN, JOB_BODY, JOB_COMMIT } at;
    int tx;
    unsigned n;                   /* statements of the body that were answered */
    uint64_t token;
    bool unknown;                 /* the last COMMIT had no answer */
    int64_t sent_ms, next_ms, began_ms;
    unsigned slot, step;
    int64_t task, dispatch, epoch, to, to_incarnation;
    int event;                    /* enum decide_event */
    struct metadb_session session;
    struct metadb_key key;
    struct metadb_task fresh;
};

/* One dispatch of a step under way here. */
struct sim_run {
    enum { RUN_NONE, RUN_FENCE, RUN_QUERY, RUN_VERIFY, RUN_COMMAND, RUN_READ, RUN_KILL, RUN_WAIT, RUN_OPEN, RUN_REGISTER, RUN_LOOK, RUN_EXECUTE,
           RUN_CONFIRM, RUN_UNDO, RUN_REPORT } at;
    unsigned slot, step;
    int64_t task, dispatch, epoch;
    bool is_back;                 /* it rolls back */
    bool again;                   /* some older dispatch has ended, and its agent was told so */
    bool moved;                   /* the agent that older dispatches have asked is not there any more */
    int64_t agent;                /* incarnation */
    int64_t next_ms, said_ms, began_ms;
    uint64_t call;                /* 0: nothing was said */
    uint64_t session, kill[TASKER_KILLS];
    unsigned n_kill, n_polls;     /* polls: how often it still asks for something before it acts */
    int event;
};

/* A run that has ended: a look that began before still shows its row. */
struct sim_ended {
    int64_t task, dispatch, at_ms;
    unsigned step;
};

/* A client's request in the hands of this node. */
struct sim_request {
    enum { REQUEST_NONE, REQUEST_CLAIMS, REQUEST_THINKS, REQUEST_SUBMITS, REQUEST_FINISHES } at;
    unsigned client, slot;
    struct metadb_key key;
    int64_t next_ms;
};

enum sim_reply { REPLY_NONE, REPLY_DONE, REPLY_BUSY, REPLY_LOST };

/* Somebody who starts tasks, and repeats under the same key until he knows. */
struct sim_client {
    uint64_t key;                 /* 0: nothing under way */
    unsigned slot, node;
    int64_t next_ms, sent_ms;
    enum sim_reply reply;
    uint64_t done[METADB_KEYS];   /* keys that were acknowledged */
    unsigned n_done;
};

struct sim_tasker {
    struct metadb *db;
    struct targets *targets;
    struct sim_rng *rng;
    struct sim_counts *counts;
    unsigned node;
    int64_t incarnation;          /* of the process */
    const int64_t *incarnations;  /* of all nodes */
    struct sim_client *clients;
    uint64_t *next_token, *next_claim;
    int64_t *next_task;
    struct sim_job jobs[TASKER_JOBS];
    struct sim_run runs[TASKER_RUNS];
    struct sim_ended ended[TASKER_ENDED];
    unsigned n_ended;
    struct sim_request requests[METADB_CLIENTS];
    struct metadb_tasks seen;     /* by the last look, which began at looked_ms */
    int64_t looked_ms, look_ms, renew_ms, person_ms, up_since_ms;
    int64_t epoch;                /* under which this node leads; 0: it does not */
    unsigned dead;                /* bits of nodes */
    int64_t fenced;               /* epoch whose fence has refused; for the caller */
    bool calm;
    char broken[160];
};

void sim_tasker_init(struct sim_tasker *t, struct metadb *db, struct targets *targets, struct sim_rng *rng, struct sim_counts *counts, unsigned node);
/* The process died; the next one has this incarnation. */
void sim_tasker_die(struct sim_tasker *t, int64_t incarnation);
void sim_tasker_run(struct sim_tasker *t, int64_t epoch, unsigned dead, bool calm, int64_t now_ms);
/* A step here has looked, and does what it is for next. */
bool sim_tasker_is_about_to_act(const struct sim_tasker *t, int64_t now_ms);
/* What is about to act takes so long over it that its lease runs out, if it is not renewed. */
void sim_tasker_dawdle(struct sim_tasker *t, int64_t now_ms);
/* Clients go on: `up` are bits of nodes that can be reached. */
void sim_clients_run(struct sim_tasker *const *nodes, unsigned up, struct sim_client *clients, uint64_t *next_key, bool calm, int64_t now_ms);
/* After the calm: NULL, or what is wrong. */
const char *sim_clients_check(const struct metadb *db, const struct sim_client *clients, const int64_t *incarnations, unsigned up, char text[160]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* metadb.h - a model of MetaDB with its failure modes, as far as leaders use it: row locks that wait, are given up after a second and are held
 * by sessions whose client sleeps; COMMITs whose answer is lost, that land late, or never; inserts that nobody sees before they are committed but
 * that whoever inserts the same key waits for; no deadlock detection; stalls; failover, which rolls back what is open; a clock that jumps; a restore
 * from a backup. */
#ifndef TESTS_SIM_METADB_H
#define TESTS_SIM_METADB_H

#include "ha/step/leasing.h"
#include "src/store/subtask.h"
#include "tests/sim/sim.h"
#include "tests/sim/target.h"

enum { METADB_SLOTS = 64, METADB_OBJECTS = 16, METADB_TXS = 64, METADB_CLAIMS = 4096, METADB_TOKENS = 1 << 15, METADB_LOCK_MS = 1000,
       METADB_TRX_MS = 3000 };

/* How a statement ended, as the client sees it. */
enum metadb_answer {
    METADB_WAITING,     /* no answer yet */
    METADB_OK,
    METADB_NO_ROW,      /* nothing matched */
    METADB_DUPLICATE,   /* the key is there */
    METADB_LOCKED,      /* 1205: the lock could not be had in time; the transaction is still open */
    METADB_LOST,        /* the connection broke: what was open is rolled back, or its COMMIT of unknown outcome */
};

struct metadb;

/* --- what the world does to it --------------------------------------------------------------------------------------------------- */

struct metadb *metadb_new(struct sim_rng *rng, struct sim_counts *counts);
void metadb_free(struct metadb *m);
void metadb_run(struct metadb *m, int64_t now_ms, bool calm);
/* The client of node `node` is dead: its connections are reset. What it had sent may still be done. */
void metadb_client_died(struct metadb *m, unsigned node);
/* Node `node` is cut off (its statements and answers are lost; sessions stay open at the server), or not any more. */
void metadb_cut(struct metadb *m, unsigned node, bool cut);
bool metadb_is_cut(const struct metadb *m, unsigned node);
void metadb_fail_over(struct metadb *m, int64_t now_ms);
void metadb_stall(struct metadb *m, int64_t until_ms);
/* Its clock jumps: what compares it with a time before the jump is wrong, once. */
void metadb_jump(struct metadb *m, int64_t by_ms);
/* A backup is made; it is what metadb_found_anew may restore. */
void metadb_back_up(struct metadb *m);
/* The operator's command, with all sessions ended: the next generation, in a new epoch; `restored`: of the backup, and epochs jump. Returns the
 * generation. From then on only nodes of the newest founding may claim. */
uint64_t metadb_found_anew(struct metadb *m, bool restored);
/* Which founding the process on this node belongs to. */
void metadb_client_is_of(struct metadb *m, unsigned node, unsigned cluster);
/* What broke a rule, "" if nothing did. */
const char *metadb_broken(const struct metadb *m);

/* --- what clients do: one transaction, one statement at a time ---------------------------------------------------------------------- */

/* -1: no connection to be had at the moment. */
int metadb_begin(struct metadb *m, unsigned node);
void metadb_insert_token(struct metadb *m, int tx, uint64_t token);
void metadb_claim(struct metadb *m, int tx, uint64_t generation, uint64_t term, uint64_t node_id);
void metadb_move_fence(struct metadb *m, int tx);                              /* to the epoch that metadb_claim has written */
void metadb_pass_fence(struct metadb *m, int tx, unsigned slot, int64_t epoch);
void metadb_write(struct metadb *m, int tx, unsigned object, uint64_t serial, int64_t epoch);
void metadb_commit(struct metadb *m, int tx);
void metadb_rollback(struct metadb *m, int tx);                                /* closes it */
enum metadb_answer metadb_answer(const struct metadb *m, int tx);
/* Of a claim that matched a row, or of the row that it found instead. */
struct metadb_row {
    uint64_t generation, term, node_id;
    int64_t epoch;
};
struct metadb_row metadb_read(const struct metadb *m, int tx);

/* --- leases of standing work, as src/store/worklease.c has them ----------------------------------------------------------------------- */

struct metadb_lease {
    int64_t node_id, next_id, view, expires_ms;
};
struct metadb_node {
    bool there, draining;
    int64_t seen_ms;
};
struct metadb_world {
    int64_t now_ms;                                                            /* MetaDB's clock, as of all times here */
    struct metadb_lease leases[LEASING_SHARDS];
    struct metadb_node nodes[SIM_NODES];
};
struct metadb_change {
    unsigned shard;
    int64_t to, view;                                                          /* view: of a release */
    bool is_ask, from_dead;
};
/* Each is done at once, without a COMMIT; the node's own number is its id, from 1. */
void metadb_beat(struct metadb *m, int tx, bool draining);
void metadb_renew(struct metadb *m, int tx);
void metadb_read_leases(struct metadb *m, int tx);
void metadb_release(struct metadb *m, int tx, const unsigned *shards, const int64_t *views, unsigned n);
const struct metadb_world *metadb_found(const struct metadb *m, int tx);       /* by metadb_read_leases */
/* In a leader's transaction. */
void metadb_lock_leases(struct metadb *m, int tx);
void metadb_change(struct metadb *m, int tx, const struct metadb_change *changes, unsigned n, int64_t epoch);
/* In a transaction with a result. */
void metadb_guard(struct metadb *m, int tx, unsigned shard, int64_t view);

/* --- tasks and the keys of requests, as src/store/task.c, subtask.c and idempotency.c have them -------------------------------------------- */

enum { METADB_CLIENTS = 3, METADB_TASKS = 2 * METADB_CLIENTS, METADB_STEPS = 3, METADB_SESSIONS = 64, METADB_KEYS = 1024, METADB_KEY_LOCKS = 16,
       METADB_IDS = 1024 };
struct metadb_task {
    uint64_t key;                                                              /* of the request that made it */
    struct task head;                                                          /* id 0: there is none in this place */
    int64_t agents[METADB_STEPS];                                              /* incarnation at the first dispatch; 0: it had none */
    struct subtask steps[METADB_STEPS];
};
struct metadb_worker {
    int64_t incarnation, expires_ms;
};
struct metadb_session {
    uint64_t id;
    int64_t task, dispatch;
    unsigned step;
};
struct metadb_tasks {
    int64_t now_ms, epoch;
    struct metadb_task tasks[METADB_TASKS];
    struct metadb_worker workers[SIM_NODES];
    struct metadb_session sessions[METADB_SESSIONS];
    unsigned n_sessions;
    int64_t agents[TARGET_HOSTS];                                              /* incarnations */
};
struct metadb_key {
    uint64_t key, claim;
    unsigned node;
    int64_t incarnation;
    bool effect, done;
};
/* Each is done at once, without a COMMIT. */
void metadb_renew_worker(struct metadb *m, int tx, int64_t incarnation);
void metadb_read_tasks(struct metadb *m, int tx);
const struct metadb_tasks *metadb_tasks(const struct metadb *m, int tx);
/* In a transaction: the task in place `slot`, as it is, to be changed in the copy and put back. `epoch`: of a leader; 0: somebody else does it. */
void metadb_lock_task(struct metadb *m, int tx, unsigned slot, int64_t id);
struct metadb_task *metadb_task(struct metadb *m, int tx);
void metadb_put_task(struct metadb *m, int tx, int64_t epoch);
void metadb_put_outcome(struct metadb *m, int tx, unsigned step, int64_t dispatch); /* of a step, by who thinks that this is its dispatch */
void metadb_insert_task(struct metadb *m, int tx, unsigned slot, const struct metadb_task *task); /* after metadb_mark_key */
void metadb_add_session(struct metadb *m, int tx, const struct metadb_session *session); /* after metadb_lock_task */
void metadb_read_key(struct metadb *m, int tx, uint64_t key);                  /* a plain read */
struct metadb_key metadb_key(const struct metadb *m, int tx);
void metadb_insert_key(struct metadb *m, int tx, const struct metadb_key *key);
void metadb_take_key(struct metadb *m, int tx, const struct metadb_key *key, uint64_t former); /* from this claim, if it has had no effect */
void metadb_mark_key(struct metadb *m, int tx, const struct metadb_key *key);  /* effect, done; if the claim is still this one */
const struct metadb_task *metadb_task_now(const struct metadb *m, unsigned slot); /* committed */
int64_t metadb_task_rests_ms(const struct metadb *m, unsigned slot);            /* since something was changed of it */
/* A process that is gone has not ended its step, and its lease still runs, or has run out so lately that nobody has noticed. */
bool metadb_waits_for_dead(const struct metadb *m, unsigned slot, const int64_t *incarnations, unsigned up);
bool metadb_has_task_of(const struct metadb *m, uint64_t key);

/* A deployment, or a probe, has met this agent. */
void metadb_met_agent(struct metadb *m, unsigned host, int64_t incarnation);

/* --- for the checks ------------------------------------------------------------------------------------------------------------------ */

int64_t metadb_epoch(const struct metadb *m);                                  /* committed */
bool metadb_has_serial(const struct metadb *m, uint64_t serial);
/* May two nodes rightly believe at the moment that the shard is theirs? After a jump of the clock, a restore, or when it was taken from the dead. */
bool metadb_is_mixed(const struct metadb *m, unsigned shard);
const struct metadb_lease *metadb_lease(const struct metadb *m, unsigned shard); /* committed */
int64_t metadb_lease_changed_ms(const struct metadb *m, unsigned shard);     /* when it got its owner, or that one was asked to hand it over */
bool metadb_lease_runs(const struct metadb *m, unsigned shard);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* metadb_inside.h - what the halves of the model share: transactions, locks and fences (metadb.c), leases of standing work (metadb_lease.c). */
#ifndef TESTS_SIM_METADB_INSIDE_H
#define TESTS_SIM_METADB_INSIDE_H

#include "tests/sim/metadb.h"

enum { EPOCH_ROW = 0, FENCE_ROW = 1, OBJECT_ROW = FENCE_ROW + METADB_SLOTS, LEASE_ROW = OBJECT_ROW + METADB_OBJECTS,
       TASK_ROW = LEASE_ROW + LEASING_SHARDS, KEY_ROW = TASK_ROW + METADB_TASKS, N_ROWS = KEY_ROW + METADB_KEY_LOCKS, MAX_SERIALS = 1 << 16 };
enum verb { NOTHING, TOKEN, CLAIM, MOVE_FENCE, PASS_FENCE, WRITE, COMMIT, BEAT, RENEW, READ, RELEASE, LOCK_LEASES, CHANGE, GUARD,
            RENEW_WORKER, READ_TASKS, LOCK_TASK, PUT_TASK, INSERT_TASK, ADD_SESSION, READ_KEY, INSERT_KEY, TAKE_KEY, MARK_KEY };
enum state { FREE, AWAITING_CLIENT, SENT, BLOCKED, ANSWERED };

struct tx {
    enum state state;
    unsigned node;
    int64_t begun_ms, at_ms, blocked_ms;
    enum verb verb;
    enum metadb_answer answer;
    /* of the statement */
    uint64_t token, serial;
    unsigned slot, object;
    int64_t epoch;
    struct metadb_row wanted;
    /* written, not committed */
    bool has_token, has_claim, has_fence, has_serial, wrote_fence;
    struct metadb_row row;       /* as claimed, or as found */
    int64_t serial_epoch;
    uint64_t kept_token, kept_serial;
    bool orphan;                 /* the client is gone; only a COMMIT that was sent goes on */
    /* leases */
    unsigned cluster;            /* of the client */
    bool draining;
    unsigned shard;
    int64_t view;
    bool has_result, has_changes;
};

/* What a statement about leases takes along, too large to be cleared each time. */
struct lease_data {
    unsigned n;
    struct metadb_change changes[LEASING_SHARDS]; /* of CHANGE and RELEASE */
    struct metadb_world world;                    /* what READ has found */
};

/* What a statement about tasks takes along, and what a transaction has written of them. */
struct task_data {
    unsigned slot;
    int64_t id, incarnation, epoch;
    unsigned step;               /* of an outcome, with its dispatch; dispatch 0: it is none */
    int64_t dispatch;
    bool has_task, has_insert, has_key, has_session;
    struct metadb_task copy;
    struct metadb_key key, found;
    uint64_t former;
    struct metadb_session session;
    struct metadb_tasks view;
};

/* What is committed. */
struct state_of {
    struct metadb_row row;
    int64_t fence[METADB_SLOTS];
    uint64_t tokens[METADB_TOKENS];
    unsigned n_tokens;
    unsigned char applied[MAX_SERIALS];
    struct metadb_lease leases[LEASING_SHARDS];
    struct metadb_node nodes[SIM_NODES];
    struct metadb_tasks tasks;
    struct metadb_key keys[METADB_KEYS];
};

struct metadb {
    struct sim_rng *rng;
    struct sim_counts *counts;
    int64_t now_ms, stalled_until_ms, down_until_ms;
    bool calm;
    bool cut[SIM_NODES];
    struct tx txs[METADB_TXS];
    int owner[N_ROWS];           /* transaction that holds the row's lock; -1: none */
    int64_t skew_ms;             /* of its clock */
    struct state_of now, backup;
    unsigned cluster_of[SIM_NODES];
    struct lease_data *data;     /* one per transaction */
    struct task_data *task_data; /* the same */
    unsigned newest;             /* founding that is in force */
    int64_t highest_epoch;       /* ever, as all below: over restores, too */
    int64_t highest_view[LEASING_SHARDS], changed_ms[LEASING_SHARDS];
    int64_t owners_mixed_ms[LEASING_SHARDS], clock_mixed_ms; /* until then two may rightly believe that they own it */
    int64_t task_moved_ms[METADB_TASKS];
    int64_t outcome[METADB_IDS][METADB_STEPS]; /* dispatch of the last one */
    unsigned char tasks_of_key[METADB_KEYS];   /* ever made */
    uint64_t highest_key, forgiven_key;        /* forgiven: a restored MetaDB may not know of it */
    char broken[256];
};

void metadb_break(struct metadb *m, const char *what, uint64_t a, uint64_t b);
/* False when another transaction holds the row. */
bool metadb_lock(struct metadb *m, const struct tx *t, unsigned row);
struct tx *metadb_say(struct metadb *m, int tx, enum verb verb);
/* Its effect does not wait for a COMMIT. */
static inline bool metadb_lasts(enum verb v)
{
    return v == COMMIT || v == BEAT || v == RENEW || v == RELEASE || v == RENEW_WORKER;
}
/* Statements about leases; false when a lock is wanted. */
bool metadb_perform_lease(struct metadb *m, struct tx *t);
/* What a COMMIT does about leases. */
void metadb_apply_leases(struct metadb *m, struct tx *t);
/* The same about tasks. */
bool metadb_perform_task(struct metadb *m, struct tx *t);
void metadb_apply_tasks(struct metadb *m, struct tx *t);
/* What was written and not committed is forgotten. */
void metadb_forget_tasks(struct metadb *m, const struct tx *t);
void metadb_fail_tasks(struct metadb *m);

#endif

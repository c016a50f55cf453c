/* SPDX-License-Identifier: Apache-2.0 */
/* leader.h - what one simulated node does as leader: ha/step's decisions, and transactions against the model of MetaDB as
 * src/store/tx.c and src/store/leader.c make them (token, fence, body, COMMIT; unknown outcomes settled by the token). */
#ifndef TESTS_SIM_LEADER_H
#define TESTS_SIM_LEADER_H

#include "ha/step/leading.h"
#include "tests/sim/metadb.h"

enum { LEADER_PROGRAMS = 6 };

/* One transaction with its repetitions. */
struct program {
    enum { PROGRAM_NONE, PROGRAM_CLAIM, PROGRAM_WORK, PROGRAM_ASSIGN } kind;
    enum { AT_BEGIN, AT_READ, AT_TOKEN, AT_CLAIM, AT_MOVE_FENCE, AT_PASS_FENCE, AT_WRITE, AT_LOCK, AT_CHANGE, AT_COMMIT } at;
    int tx;
    uint64_t token, serial, term;
    int64_t epoch, sent_ms, next_ms;
    unsigned slot;
    bool unknown;                 /* the last COMMIT had no answer */
    struct metadb_row row;
};

struct sim_leader {
    struct metadb *db;
    struct sim_rng *rng;
    struct sim_counts *counts;
    unsigned node;
    struct leading leading;
    struct program programs[LEADER_PROGRAMS];
    uint64_t *next_token, *next_serial;    /* of the run */
    uint64_t generation;
    int64_t work_ms, probe_ms, assign_ms;
    struct leasing leasing;
    int64_t leasing_epoch;                 /* that `leasing` is about */
    struct metadb_change changes[LEASING_SHARDS];
    unsigned n_changes;                    /* of the round under way */
    unsigned dead, strangers;              /* bits of nodes, as the peers' links and the members say */
    unsigned wanted;                       /* actions for the caller: LEADING_TRANSFER, LEADING_END */
    uint64_t transfer_to;
    char broken[128];
};

void sim_leader_init(struct sim_leader *l, struct metadb *db, struct sim_rng *rng, struct sim_counts *counts, unsigned node, unsigned election_ms,
                     uint64_t *next_token, uint64_t *next_serial);
/* The process died. */
void sim_leader_die(struct sim_leader *l);
void sim_leader_raft(struct sim_leader *l, const struct leading_raft *r, int64_t now_ms);
/* Time passes; `better`: a node that reaches MetaDB, 0: none. */
void sim_leader_run(struct sim_leader *l, uint64_t better, int64_t now_ms);
/* A transaction of this epoch was fenced. */
void sim_leader_fenced(struct sim_leader *l, int64_t epoch, int64_t now_ms);
/* What the caller is to do, forgotten with the question. */
unsigned sim_leader_wants(struct sim_leader *l, uint64_t *transfer_to);

#endif

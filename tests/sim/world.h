/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - the nodes, disks and wires of one run, as raft_sim.c (the consensus), disaster.c (what operators do after losses) and their checks
 * see them. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "raft/consensus.h"
#include "tests/sim/leader.h"
#include "tests/sim/tasker.h"
#include "tests/sim/worker.h"

enum {
    ELECTION_MS = 300, HEARTBEAT_MS = 30, STEP_MS = 5, CALM_MS = 20000, MAX_TERMS = 1 << 14, MAX_CLUSTERS = 4, LINK_MS = 30, STALL_MS = 3000, CUT_MS = 25000,
    FEWER = 4,
};

struct stored {
    uint64_t term, kind, size;
    char data[512];
};

/* A write that the disk has not finished. */
struct pending {
    int64_t at_ms;
    bool meta;                  /* term and vote, else entries */
    uint64_t term, vote, index;
    unsigned n;
    struct stored *entries;
    struct pending *next;
};

struct packet {
    int64_t at_ms;
    unsigned from, to;
    uint64_t connection;        /* of the link when it was sent */
    unsigned cluster;           /* of the sender */
    uint64_t after;             /* number of the meta write of the sender that must be done before; 0: none */
    size_t n;
    char *bytes;
    struct packet *next;
};

struct node {
    struct consensus *c;        /* NULL: down */
    bool member_once, paused, failing;
    bool ended;                 /* it was told that its cluster was given up: somebody must wipe it */
    unsigned cluster;           /* which founding it belongs to, from 0 */
    uint64_t generation;        /* as its Raft directory says */
    int64_t skew_ms, boot_ms, resume_ms, last_write_ms, slow_until_ms, remembers_slow_ms;
    int64_t cut_until_ms;       /* from MetaDB, at least */
    int64_t drain_until_ms;     /* it stops, and ends then at the latest */
    int64_t raft_wakes_ms;      /* after a pause threads wake one after the other: the Raft thread then */
    uint64_t term, vote;        /* durable, as all below */
    struct stored *log;
    unsigned n_log;
    struct pending *first, *last;
    uint64_t metas_wanted, metas_done;
    uint64_t applied;
    struct packet *held;        /* not sent before a meta write */
    struct sim_leader leader;
    struct sim_worker worker;
    struct sim_tasker tasker;
};

/* One founding: the first, or what an operator made of the ruins of the one before. */
struct cluster {
    struct stored *committed;
    uint64_t n_committed;
    uint64_t leader_of[MAX_TERMS];
};

struct run {
    struct sim_conf conf;
    struct sim_counts *counts;
    struct sim_rng rng;
    int64_t now_ms;
    bool calm, broken;
    bool scripted;              /* what fails is a scenario's choice */
    char *why;
    struct node nodes[SIM_NODES];
    struct packet *wire;
    uint64_t connection[SIM_NODES][SIM_NODES];
    int64_t last_arrival[SIM_NODES][SIM_NODES];
    bool cut[SIM_NODES][SIM_NODES];
    struct cluster clusters[MAX_CLUSTERS];
    unsigned newest;            /* of clusters */
    uint64_t generation;        /* of the newest */
    int64_t disaster_ms;        /* the next one */
    struct metadb *db;
    struct targets *targets;
    struct sim_client clients[METADB_CLIENTS];
    int64_t incarnations[SIM_NODES], next_task;
    uint64_t next_token, next_serial, next_key, next_claim;
};

__attribute__((format(printf, 3, 4))) void sim_broken(struct run *s, unsigned i, const char *fmt, ...);
int64_t sim_clock(const struct run *s, unsigned i);
/* Its process ends here and now; it comes back by itself after a while. */
void sim_crash(struct run *s, unsigned i);
/* Its Raft directory is deleted, and made anew for the newest cluster: with these founders, or empty, for a node that is to be added. False when
 * memory is out. */
bool sim_wipe(struct run *s, unsigned i, const unsigned *voters, unsigned n_voters);

/* --- disaster.c ------------------------------------------------------------------------------------------------------------------- */

void disaster_plan(struct run *s);
/* Perhaps now: most nodes are lost, or all, or MetaDB is restored from a backup; the operator founds anew. */
void disaster_strike(struct run *s);

#endif

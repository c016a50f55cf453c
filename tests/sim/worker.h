/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - standing work on one simulated node, as ha/drive/leases.c and src/obcluster/watch.c do it: rounds with MetaDB, and pieces of work
 * whose results are written in guarded transactions. */
#ifndef TESTS_SIM_WORKER_H
#define TESTS_SIM_WORKER_H

#include "tests/sim/metadb.h"

enum { WORKER_ACTS = 4 };

/* One piece of work: a look, then its result. */
struct sim_act {
    enum { ACT_NONE, ACT_LOOKS, ACT_BEGINS, ACT_GUARDS, ACT_COMMITS } at;
    unsigned shard;
    int64_t view;
    int64_t next_ms, sent_ms;
    int tx;
};

struct sim_worker {
    struct metadb *db;
    struct sim_rng *rng;
    struct sim_counts *counts;
    unsigned node;
    struct leasing_side side;
    enum { ROUND_RESTS, ROUND_BEATS, ROUND_RENEWS, ROUND_READS, ROUND_RELEASES } at;
    int tx;
    int64_t next_ms, sent_ms, asked_ms;  /* asked: from when what is left of the leases counts */
    unsigned n_released;
    unsigned released[LEASING_SHARDS];
    int64_t released_views[LEASING_SHARDS];
    bool draining;
    struct sim_act acts[WORKER_ACTS];
    int64_t act_ms;                      /* when the next one may begin */
};

void sim_worker_init(struct sim_worker *w, struct metadb *db, struct sim_rng *rng, struct sim_counts *counts, unsigned node);
/* The process died. */
void sim_worker_die(struct sim_worker *w);
/* It gives its work back, to stop. */
void sim_worker_drain(struct sim_worker *w);
/* Everything was given back, and MetaDB knows that the node stops. */
bool sim_worker_is_at_rest(const struct sim_worker *w);
void sim_worker_run(struct sim_worker *w, int64_t now_ms);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* leading.h - what this node does about leadership: a pure state machine. Raft says who leads, MetaDB's epoch says who may write.
 *
 *              elected              barrier committed            epoch claimed
 *   FOLLOWING ---------> ELECTED ------------------> CONFIRMED ----------------> ACTIVE
 *       ^                   |                          |   |                       |
 *       |                   |                overtaken |   | given up              | fenced, given up
 *       |                   |                          v   v                       v
 *       +-------------------+---- not leader any more, STALE   ENDED  <------------+ (fenced: STALE)
 *                                 or in another term
 *
 * ACTIVE is the only state in which work is started. Leaving it stops work before anything else is done, also when the node leads again in
 * the same breath (then it is another term). STALE: Raft still calls it leader, but MetaDB has seen a newer one: it hands leadership
 * away and waits. Raft may change its mind at any time; every write is fenced all the same (store/leader.h). */
#ifndef HA_STEP_LEADING_H
#define HA_STEP_LEADING_H

#include <stdbool.h>
#include <stdint.h>

enum leading_state { LEADING_FOLLOWING, LEADING_ELECTED, LEADING_CONFIRMED, LEADING_ACTIVE, LEADING_STALE, LEADING_ENDED, LEADING_STATES };
extern const char *const leading_state_names[LEADING_STATES];

enum {
    LEADING_CLAIM_FIRST_MS = 50,    /* pause after a claim that failed, doubled up to ... */
    LEADING_CLAIM_LAST_MS = 1000,
    LEADING_PROBES = 3,             /* failed probes of MetaDB in a row until leadership goes where MetaDB answers */
    LEADING_MOVE_MS = 30000,        /* not more often than this */
    LEADING_DRAIN_TRIES = 3,
};

/* What to do now, in this order. */
enum leading_action {
    LEADING_STOP_WORK = 1 << 0,     /* cancel what runs under the former epoch, synchronously */
    LEADING_CLAIM = 1 << 1,         /* claim the epoch for `term`; say how it ended by leading_claimed or leading_claim_failed */
    LEADING_START_WORK = 1 << 2,    /* under `epoch` */
    LEADING_TRANSFER = 1 << 3,      /* Raft leadership to `to`, 0: to anybody */
    LEADING_END = 1 << 4,           /* this node belongs to a cluster that was given up: end the process */
};

struct leading_do {
    unsigned actions;
    uint64_t term;
    int64_t epoch;
    uint64_t to;
};

struct leading {
    enum leading_state state;
    uint64_t term;                  /* of the leadership that the state is about */
    int64_t epoch;                  /* when ACTIVE */
    bool claiming;                  /* a claim is under way */
    int64_t claim_at_ms, claim_pause_ms;
    unsigned failed_probes;
    int64_t moved_ms;               /* when leadership was last handed to where MetaDB answers; 0: never */
    bool draining;
    unsigned drain_tries;
    int64_t drain_at_ms;            /* next try */
    unsigned election_ms;
    uint64_t activations, fenced, overtaken;
};

void leading_init(struct leading *l, unsigned election_ms);

/* What Raft says now. `leads`: its barrier is committed. */
struct leading_raft {
    bool elected, leads;
    uint64_t term;
};
struct leading_do leading_raft(struct leading *l, const struct leading_raft *r, int64_t now_ms);
/* The claim for `term` has brought an epoch; was overtaken by a newer term; found a newer generation; or failed for the moment. */
struct leading_do leading_claimed(struct leading *l, uint64_t term, int64_t epoch);
struct leading_do leading_overtaken(struct leading *l, uint64_t term);
struct leading_do leading_given_up(struct leading *l);
struct leading_do leading_claim_failed(struct leading *l, uint64_t term, int64_t now_ms);
/* A transaction under `epoch` met a newer one. */
struct leading_do leading_fenced(struct leading *l, int64_t epoch);
/* If the next probe of MetaDB fails, is it time to hand over? Then peers are asked before and after it whether they reach it. */
bool leading_asks_peers(const struct leading *l);
/* Whom to hand over to after that probe: `before` and `after` are peers that said so then, 0: none did. Only a probe that has begun after MetaDB answered
 * somebody else, and fails, and is followed by such an answer, tells that it is this node that does not reach it. 0: nobody. */
uint64_t leading_better(uint64_t before, bool reached, uint64_t after);
/* A probe of MetaDB ended; `better`: a peer that says that it reaches MetaDB, 0: none does. */
struct leading_do leading_probed(struct leading *l, bool reached, uint64_t better, int64_t now_ms);
/* The node drains (or not any more). */
struct leading_do leading_drain(struct leading *l, bool on, int64_t now_ms);
/* Time passes. */
struct leading_do leading_tick(struct leading *l, int64_t now_ms);

/* May something be started under an epoch, and which? 0: no. */
int64_t leading_epoch(const struct leading *l);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* leases.h - performs what ha/step/leasing.h decides about standing work: this node's side always, the leader's while it leads.
 *
 *   each second:  [renew all leases with one statement] -> read which are held -> tell those who work -> release what has come to rest
 *   the leader:   nodes + leases + places -> leasing_plan -> one transaction
 *
 * Who works holds to three rules: begin a piece of work with leases_enter and end it with leases_exit; stop when told; write results in
 * transactions that begin with lease_guard (store/worklease.h). It lives on the control loop; functions are of that loop's thread. */
#ifndef HA_DRIVE_LEASES_H
#define HA_DRIVE_LEASES_H

#include "ha/step/leasing.h"
#include "src/store/node.h"
#include "src/store/worklease.h"

struct leases;

struct leases_conf {
    struct loop *loop;            /* the control loop; borrowed, as all: outlive the leases */
    struct db *db;                /* MetaDB of that loop */
    const struct log *log;
    const struct node *self;      /* its id is 0 until it is registered */
    uint64_t seed;                /* of jitter */
};
/* Errors: NOMEM. */
MUST_CHECK int leases_new(const struct leases_conf *conf, struct leases **out, struct err *e);
/* Begins to take what this node is given. From the loop. Errors: NOMEM, BUSY. */
MUST_CHECK int leases_start(struct leases *l, struct err *e);
/* When the loop has stopped. NULL is fine. */
void leases_free(struct leases *l);

/* Gives everything back, for ever; from a fiber. Returns when nothing acts any more and MetaDB knows, or at the fiber's deadline. */
void leases_leave(struct leases *l);

/* --- who works ---------------------------------------------------------------------------------------------------------------- */

/* Told of changes. Embedded by the caller, who outlives the leases. Neither function waits. */
struct leases_user {
    void (*changed)(void *data);                 /* what is held is another: begin and stop */
    void (*kicked)(unsigned shard, void *data);  /* somebody wants a look now */
    void *data;
    struct leases_user *next;                    /* the leases' */
};
void leases_add_user(struct leases *l, struct leases_user *u);

/* May work on this shard be done now, and in which view? */
bool leases_hold(const struct leases *l, unsigned shard, int64_t *view);
/* A piece of work begins, if it may, and ends: nothing is handed over while one is under way. */
bool leases_enter(struct leases *l, unsigned shard, int64_t *view);
void leases_exit(struct leases *l, unsigned shard);
/* Whoever holds the shard is to look now: this node at once, another within about a second. Losing it costs a usual interval. */
void leases_kick(struct leases *l, unsigned shard);

/* --- the leader ----------------------------------------------------------------------------------------------------------------- */

/* One round, to be called every LEASING_ROUND_MS while this node leads; from a fiber. `d` is MetaDB as leaders use it. `is_dead` (NULL: it is
 * never known) says whether a node's process is known to be gone. Errors: those of db_read and leader_transact. */
MUST_CHECK int leases_assign(struct leases *l, struct db *d, const struct leadership *leader, bool (*is_dead)(int64_t node_id, void *data),
                             void *data, struct err *e);

struct leases_stats {
    unsigned held;                /* shards */
    uint64_t renewals, failures;  /* of calls to MetaDB */
    uint64_t lost;                /* leases let go of because they could not be renewed */
    uint64_t granted, moved;      /* as leader: shards given to somebody; of these, from one node to another */
    uint64_t refused;             /* results of former views */
};
struct leases_stats leases_stats(const struct leases *l); /* any thread */

#endif

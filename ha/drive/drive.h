/* SPDX-License-Identifier: Apache-2.0 */
/* drive.h - performs what ha/step/leading.h decides about this node's leadership:
 *
 *   Raft thread: status changed ---.
 *   timer ------------------------ +--> leading (pure) --> claim the epoch in MetaDB, start and stop the leader's work,
 *   claim ended, fenced, probed ---'                       hand leadership over, end the process
 *
 * It lives on the control loop. Functions are of that loop's thread unless they say otherwise. */
#ifndef HA_DRIVE_DRIVE_H
#define HA_DRIVE_DRIVE_H

#include "ha/step/leading.h"
#include "raft/node.h"
#include "src/store/leader.h"

struct drive;

struct drive_conf {
    struct loop *loop;               /* the control loop; borrowed, outlives the drive */
    const struct db_conf *metadb;    /* copied: of the leader's own sessions to MetaDB */
    const struct log *log;           /* borrowed */
    int64_t generation, node_id;     /* of this node's Raft log */
    const char *node_name;           /* borrowed */
    unsigned election_ms;            /* 0: RAFT_ELECTION_MS */
    bool witness;                    /* votes and never leads */
    /* The leader's work under an epoch: what start began must have ended, for all that matters, when stop returns. Neither waits. */
    void (*start_work)(void *data);
    void (*stop_work)(void *data);
    /* A member that says that it reaches MetaDB, 0 when none does; asked when this node does not. In a fiber, may wait for a second. NULL: none. */
    uint64_t (*reaches_metadb)(void *data);
    /* This node belongs to a cluster that was given up: ends the process. */
    void (*given_up)(const struct err *why, void *data);
    void *data;
};

/* Errors: NOMEM. */
MUST_CHECK int drive_new(const struct drive_conf *conf, struct drive **out, struct err *e);
/* When the Raft node is freed and the loop has stopped: closes the sessions; then, when the loop is freed, drive_free. NULL is fine. */
void drive_close(struct drive *d);
void drive_free(struct drive *d);
/* MetaDB as the leader's work uses it: every transaction is fenced by the epoch. Before work is started it refuses all. */
struct db *drive_db(struct drive *d);

/* For raft_node_conf.changed, with the drive as data. Raft thread. */
void drive_changed(struct raft_node *raft, void *data);
/* From now on it leads when Raft says so. MetaDB's schema must be there. Errors: NOMEM, BUSY. */
MUST_CHECK int drive_start(struct drive *d, struct raft_node *raft, struct err *e);

/* Hands leadership away and takes none, until it is resumed. */
void drive_drain(struct drive *d, bool on);
/* Waits until this node does not lead, after drive_drain; from a fiber, up to its deadline. */
void drive_wait_drained(struct drive *d);

/* The leadership to open leader_transact with. False: this node may not write as leader now. Any thread. */
bool drive_leadership(struct drive *d, struct leadership *out);

struct drive_status {
    enum leading_state state;
    uint64_t term;
    int64_t epoch;                   /* 0 unless ACTIVE */
    int64_t active_us;               /* since when, wall clock */
    bool draining, metadb;           /* does MetaDB answer this node? */
    uint64_t activations, fenced, overtaken;
};
/* Any thread. */
struct drive_status drive_status(struct drive *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* consensus.h - one Raft node without clock, disk, thread or network: libraft 0.22.1's pure core (raft_step) with the duties that the
 * core leaves to its user. All of struct raft that is touched is touched in consensus.c.
 *
 *            tick, receive, stored, submit ...                consensus_work()
 *   caller ------------------------------------> consensus ---------------------> caller
 *                                                            1 store term and vote, durably
 *                                                            2 start to write entries  (then consensus_stored)
 *                                                            3 send the packets, only after 1
 *
 * After every call the caller takes the work, begins it in that order, and says consensus_work_done. A work that cannot be done, and every
 * RAFT_FATAL, ends the process: a node that goes on after a failed write may vote twice (fail-stop).
 *
 *   follower --- no leader heard for an election timeout ---> candidate (asks first: pre-vote) --- majority ---> leader
 *      ^                                                         |                                               |
 *      '----- a higher term, or a leader ------------------------'                                               |
 *      '----- a higher term, no majority heard for an election timeout, leadership transferred ------------------'
 *
 * A new leader submits one barrier in the same step, and leads (consensus_leads) only when that is committed: then every entry of its
 * predecessors is, too. The log takes nothing but barriers and changes of members. No snapshots. One thread. */
#ifndef RAFT_CONSENSUS_H
#define RAFT_CONSENSUS_H

#include "raft/entry.h"
#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"

struct consensus;

ERR_DECLARE(ERR_RAFT_FATAL);      /* {0} what: end the process now */
ERR_DECLARE(ERR_RAFT_NOT_LEADER); /* this node does not lead (any more) */
ERR_DECLARE(ERR_RAFT_BUSY);       /* {0} why: not now, later */
ERR_DECLARE(ERR_RAFT_MEMBER);     /* {0} id, {1} what is wrong with it */
extern const struct err_row *const consensus_err_rows[];

enum {
    RAFT_ELECTION_MS = 1000,      /* from 300 to 5000 */
    RAFT_HEARTBEAT_MS = 100,      /* a tenth of the former */
    RAFT_MAX_UNWRITTEN = 64,      /* entries that the own disk has not confirmed; more are refused */
    RAFT_MAX_MEMBERS = 9,
    RAFT_STUCK_MS = 5000,         /* a follower that answers and does not advance for so long: see consensus_tick */
};

enum member_role { MEMBER_STANDBY, MEMBER_VOTER, MEMBER_SPARE }; /* the numbers are those of libraft */

struct member {
    uint64_t id;                  /* not 0 */
    const char *address;          /* of its peer port */
    enum member_role role;
};

struct consensus_conf {
    uint64_t id;                  /* of this node */
    const char *address;          /* copied */
    unsigned election_ms, heartbeat_ms;
    uint32_t seed;                /* of election timeouts: from the kernel's randomness */
};

/* What the disk held at the start: index 1 is entries[0]. */
struct consensus_stored_state {
    uint64_t term, vote;          /* vote 0: none */
    const struct entry *entries;
    size_t n_entries;
};

/* The first log of a new cluster: one entry with its members. The data lies in `arena`. Errors: RAFT_MEMBER, NOMEM. */
MUST_CHECK int consensus_first_entry(const struct member *members, unsigned n, struct arena *arena, struct entry *out, struct err *e);

/* Errors: RAFT_FATAL (the log is not one), NOMEM. `now_ms` here and below: milliseconds of one monotonic clock. */
MUST_CHECK int consensus_new(const struct consensus_conf *conf, const struct consensus_stored_state *stored, int64_t now_ms,
                             struct consensus **out, struct err *e);
/* NULL is fine. */
void consensus_free(struct consensus *c);

/* --- what it wants done --------------------------------------------------------------------------------------------------------- */

struct consensus_write {
    uint64_t index;               /* of the first: the log ends before it, then gets these */
    const struct entry *entries;
    unsigned n;
};
struct consensus_packet {
    uint64_t to;
    struct slice bytes;           /* a message: message.h */
};
struct consensus_work {
    bool meta;                    /* term and vote are to be stored */
    uint64_t term, vote;
    const struct consensus_write *writes;   /* in this order */
    unsigned n_writes;
    const struct consensus_packet *packets;
    unsigned n_packets;
};
/* Gathered since the last consensus_work_done; valid until the next call. */
const struct consensus_work *consensus_work(struct consensus *c);
void consensus_work_done(struct consensus *c);

/* --- what happens --------------------------------------------------------------------------------------------------------------- */
/* Errors of all of these: RAFT_FATAL. */

/* When consensus_tick wants to be called next; earlier calls do no harm. */
int64_t consensus_due_ms(const struct consensus *c);
MUST_CHECK int consensus_tick(struct consensus *c, int64_t now_ms, struct err *e);
/* A message of member `from` (whose certificate said so). Errors: also RAFT_MESSAGE (nothing happened; close the connection). */
MUST_CHECK int consensus_receive(struct consensus *c, uint64_t from, struct slice bytes, int64_t now_ms, struct err *e);
/* The entries of a write are on the disk, up to `index`, whose term is `term`. */
MUST_CHECK int consensus_stored(struct consensus *c, uint64_t index, uint64_t term, int64_t now_ms, struct err *e);

/* The process of leader `id` is known to be dead (the kernel of its host refused the connection): begin an election `delay_ms` from now
 * unless a leader is heard till then. Nothing happens if another one leads. Pre-vote still protects a leader that lives. */
void consensus_leader_died(struct consensus *c, uint64_t id, int64_t delay_ms, int64_t now_ms);
/* Whose disk is slow runs one election timeout later than it would: behind all whose disks are fine, and yet in time when all are slow. */
void consensus_set_slow(struct consensus *c, bool slow);

/* --- what it is asked ----------------------------------------------------------------------------------------------------------- */
/* Errors of all of these: RAFT_NOT_LEADER, RAFT_BUSY, RAFT_MEMBER, RAFT_FATAL. Being accepted is no outcome: watch the status. */

/* Hands leadership to voter `id`; 0: to the one that is most up to date. */
MUST_CHECK int consensus_transfer(struct consensus *c, uint64_t id, int64_t now_ms, struct err *e);
/* A new member starts as MEMBER_SPARE; then STANDBY, which gets the log; then VOTER. One change at a time. */
MUST_CHECK int consensus_add(struct consensus *c, const struct member *m, int64_t now_ms, struct err *e);
/* Errors: also RAFT_BUSY for a VOTER-to-be that has not caught up. */
MUST_CHECK int consensus_assign(struct consensus *c, uint64_t id, enum member_role role, int64_t now_ms, struct err *e);
/* Never itself: it transfers first. */
MUST_CHECK int consensus_remove(struct consensus *c, uint64_t id, int64_t now_ms, struct err *e);

/* Appends one more barrier, as leader: for tests and for whoever must know that this node led at some moment after now. */
MUST_CHECK int consensus_note(struct consensus *c, int64_t now_ms, struct err *e);

/* --- what it is ----------------------------------------------------------------------------------------------------------------- */

enum consensus_role { CONSENSUS_FOLLOWER = 1, CONSENSUS_CANDIDATE, CONSENSUS_LEADER };

/* Why this node has run for leadership. */
enum consensus_cause {
    CONSENSUS_STARTED,            /* nobody led: the cluster begins */
    CONSENSUS_DIED,               /* the former leader's process is dead */
    CONSENSUS_SILENT,             /* the former leader was not heard for an election timeout */
    CONSENSUS_HANDED_OVER,        /* the former leader asked it to */
    CONSENSUS_CAUSES
};
extern const char *const consensus_cause_names[CONSENSUS_CAUSES];

struct consensus_status {
    enum consensus_role role;
    enum consensus_cause cause;   /* of its last candidacy */
    bool leads;                   /* is the leader, and its barrier is committed */
    uint64_t term, vote;
    uint64_t leader;              /* whom it knows to lead; 0: nobody */
    uint64_t commit, last, stored;
    int64_t heard_ms;             /* when a follower last heard its leader, or a leader last heard a majority */
    bool changing;                /* a change of members is not committed yet */
    uint64_t transferring_to;     /* 0: no */
};
struct consensus_status consensus_status(const struct consensus *c);
/* Members as this node knows them; at most RAFT_MAX_MEMBERS, addresses borrowed until the next call. Returns how many. */
unsigned consensus_members(const struct consensus *c, struct member *out);
/* Entry `index`, from 1 to the status's `last`; borrowed until the next call. */
struct entry consensus_entry(const struct consensus *c, uint64_t index);
/* How far voter or standby `id` has the log, as the leader knows it; 0 when unknown. */
uint64_t consensus_match(const struct consensus *c, uint64_t id);

#endif

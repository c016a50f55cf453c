/* SPDX-License-Identifier: Apache-2.0 */
/* leader.h - what makes a leader able to write: the epoch, claimed in MetaDB, and the fence that every transaction of a leader goes through.
 *
 *   leader_epoch   one row: generation and term of the Raft leadership that claimed last, and the epoch, which only grows
 *   leader_fence   64 rows, all of the same epoch; a leader's transaction begins by writing one of them `WHERE epoch = its own`
 *
 * A claim raises the epoch and moves all 64 rows in one transaction, so it waits for whatever the former leader has open, and once it has
 * committed no transaction of an older epoch can commit anything, on any object. A plain read of these tables fences nothing.
 * Loop thread only, from fibers. */
#ifndef STORE_LEADER_H
#define STORE_LEADER_H

#include "src/store/db.h"

ERR_DECLARE(ERR_FENCED);            /* {0} epoch: a newer leader has taken over; stop leading; nothing was changed */
ERR_DECLARE(ERR_LEADER_GIVEN_UP);   /* {0} generation: this node's cluster was founded anew without it; end the process */
extern const struct err_row *const leader_err_rows[];

enum { LEADER_SLOTS = 64 };

/* A leadership that Raft has confirmed. */
struct leadership {
    int64_t generation, term;
    int64_t node_id;
    int64_t epoch;                  /* 0 until it is claimed */
};

enum leader_claimed {
    LEADER_CLAIMED,                 /* l->epoch is its own, now or since an earlier call */
    LEADER_OVERTAKEN,               /* a newer term has claimed: step down */
};
/* Claims an epoch for (generation, term), or finds the one that it has claimed before; so it may be repeated.
 * Errors: LEADER_GIVEN_UP, UNEXPECTED (the fence is not whole), those of db_transact. */
MUST_CHECK int leader_claim(struct db *d, struct leadership *l, enum leader_claimed *out, struct err *e);

/* As db_transact, for what only the leader may do: first the fence row of `object` (any number that stands for what is changed). The only
 * function that opens a leader's transaction. Errors: FENCED, what body returned, those of db_transact. */
MUST_CHECK int leader_transact(struct db *d, const struct leadership *l, int64_t object, int (*body)(struct tx *tx, void *data, struct err *e),
                               void *data, struct err *e);

/* Who has claimed last, for status and health; no fence. Errors: those of db_read. */
MUST_CHECK int leader_read(struct db *d, struct leadership *out, int64_t *claimed_us, struct err *e);

/* After the loss of the Raft logs, by an operator who has stopped all nodes: generation `from` becomes from + 1, in term 0 and a new epoch.
 * Repeating it does nothing more. *generation gets the one in force. Errors: CONFLICT (it is neither), those of db_transact. */
MUST_CHECK int leader_found_anew(struct db *d, int64_t from, int64_t *generation, struct err *e);

/* Transactions behind fences; any thread. */
struct leader_stats {
    uint64_t claims, fenced;
};
struct leader_stats leader_stats(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* worklease.h - which node does the standing work of which shard (ha/step/leasing.h decides). One row per shard:
 *
 *   shard, node_id, view, expires_at    to whom it is leased, since which change of owner, until when by MetaDB's clock
 *   next_id                             the node that is to get it once its owner has given it back; 0: nobody
 *   kicks                               grows when somebody wants the owner to look at once
 *
 * The leader alone changes owners, each time with a new view; nodes renew and release their own rows. Views grow for ever, also over a restore
 * of MetaDB: they begin with the epoch. Results of standing work are written in transactions that begin with lease_guard.
 * Loop thread only, from fibers. */
#ifndef STORE_WORKLEASE_H
#define STORE_WORKLEASE_H

#include "src/store/leader.h"
#include "src/store/list.h"

ERR_DECLARE(ERR_LEASE_LOST);        /* {0} shard, {1} view: the work is another node's by now; nothing was changed */
extern const struct err_row *const worklease_err_rows[];

enum { WORKLEASE_SHARDS = 256, WORKLEASE_TTL_MS = 10000 };

struct worklease {
    int64_t shard;
    int64_t node_id, next_id;       /* 0: nobody */
    const char *node_name, *next_name; /* "": nobody, or a node that is not registered any more */
    int64_t view, kicks;
    int64_t results;                /* transactions with results since the table was made */
    int64_t expires_us;
    int64_t left_us;                /* read only: until it expires, by MetaDB's clock */
    const char *status;             /* read only: "FREE", "HELD", "MOVING", "EXPIRED" */
};

/* All of them, or a page; by shard unless said otherwise. Errors: those of db_read. */
MUST_CHECK int store_worklease_list(struct db *d, const struct store_page *page, struct arena *arena, struct worklease **out, size_t *n,
                                    int64_t *total, struct err *e);

/* --- the leader ----------------------------------------------------------------------------------------------------------------- */

/* One row that is to change. */
struct worklease_change {
    unsigned shard;
    int64_t to;
    bool is_ask;                    /* the owner is asked to give it to `to` (0: to keep it); else `to` becomes the owner, in a new view */
    bool from_dead;                 /* although the lease runs: its owner's process is gone */
};
/* Writes the changes of one round in one leader transaction: a statement per node that gets something, whatever the number of shards. A lease
 * that was prolonged since the changes were planned stays as it is, unless its owner is dead. *view gets the view of this round's grants.
 * Errors: those of leader_transact. */
MUST_CHECK int store_worklease_change(struct db *d, const struct leadership *l, const struct worklease_change *changes, unsigned n, int64_t *view,
                                      struct err *e);

/* --- nodes ------------------------------------------------------------------------------------------------------------------------ */

/* Prolongs all leases of the node that have not expired. Safe to repeat, and to arrive late. Errors: those of db_read. */
MUST_CHECK int store_worklease_renew(struct db *d, int64_t node_id, struct err *e);
/* The leases of the node that have not expired, without names. Errors: those of db_read. */
MUST_CHECK int store_worklease_read(struct db *d, int64_t node_id, struct arena *arena, struct worklease **out, size_t *n, struct err *e);
/* Gives leases of these views back. Safe to repeat, and to arrive late. Errors: those of db_read. */
MUST_CHECK int store_worklease_release(struct db *d, int64_t node_id, const unsigned *shards, const int64_t *views, unsigned n, struct err *e);
/* Whoever owns the shards is to look at once. Errors: those of db_read. */
MUST_CHECK int store_worklease_kick(struct db *d, const unsigned *shards, unsigned n, struct err *e);

/* First in every transaction that writes results of standing work: holds the row until the transaction ends, so that the owner cannot change
 * before it. Errors: LEASE_LOST, those of tx_exec. */
MUST_CHECK int lease_guard(struct tx *tx, unsigned shard, int64_t view, struct err *e);
/* Transactions that lease_guard has refused; any thread. */
uint64_t worklease_refused(void);

#endif

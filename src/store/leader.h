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

#include "src/store/list.h"



ERR_DECLARE(ERR_FENCED);            /* {0} epoch: a newer leader has taken over; stop leading; nothing was changed */
ERR_DECLARE(ERR_LEADER_GIVEN_UP);   /* {0} generation: this node's cluster was founded anew without it; end the process */
extern const struct err_row *const leader_err_rows[];

enum { LEADER_SLOTS = 64 };

/* A leadership that Raft has confirmed. */
struct leadership {
    int64_t generation, term;
    int64_t node_id;
    int64_t epoch;                  /* 0 until it is claimed */
    const char *node_name, *cause;  /* for the history; borrowed; NULL: "" */
};

enum leader_claimed {
    LEADER_CLAIMED,                 /* l->epoch is its own */
    LEADER_OVERTAKEN,               /* a newer term has claimed: step down */
};
/* Claims a new epoch for (generation, term); each call, so that whatever this node did under an earlier one is fenced, too. When a session of
 * a former leader holds the fence (its process was stopped inside a transaction) that session is killed.
 * Errors: LEADER_GIVEN_UP, UNEXPECTED (the fence is not whole), those of db_transact. */
MUST_CHECK int leader_claim(struct db *d, struct leadership *l, enum leader_claimed *out, struct err *e);

/* As db_transact, for what only the leader may do: first the fence row of `object` (any number that stands for what is changed). The only
 * function that opens a leader's transaction. Errors: FENCED, what body returned, those of db_transact. */
MUST_CHECK int leader_transact(struct db *d, const struct leadership *l, int64_t object, int (*body)(struct tx *tx, void *data, struct err *e),
                               void *data, struct err *e);

/* The database as the leader's own work uses it: sessions that hold nothing open for long and are registered, so that a successor can kill
 * them; and every db_transact on it begins with the fence of the leadership it was given last. While it has none they end with FENCED. */
struct leader_db;
struct leader_db_conf {
    struct db_conf db;              /* leads, opened and data are set here */
    int64_t node_id;
    void (*fenced)(int64_t epoch, void *data); /* a transaction has met a newer epoch; must not wait; NULL: nobody cares */
    void *data;
};
MUST_CHECK int leader_db_new(const struct leader_db_conf *conf, struct loop *l, struct leader_db **out, struct err *e);
void leader_db_free(struct leader_db *k);
struct db *leader_db(struct leader_db *k);
/* NULL: nobody's. */
void leader_db_lead(struct leader_db *k, const struct leadership *l);

/* Leaderships there were, newest first. Strings lie in the arena. */
struct leadership_row {
    int64_t epoch, generation, term, node_id, claimed_us;
    const char *node_name, *cause;
};
MUST_CHECK int leader_history(struct db *d, const struct store_page *page, struct arena *arena, struct leadership_row **out, size_t *n,
                              int64_t *total, struct err *e);
/* Deletes registrations of sessions that are over for long. Errors: as db_transact. */
MUST_CHECK int leader_prune(struct db *d, struct err *e);

/* Who has claimed last, for status and health; no fence. Errors: those of db_read. */
MUST_CHECK int leader_read(struct db *d, struct leadership *out, int64_t *claimed_us, struct err *e);

/* After the loss of the Raft logs, by an operator who has stopped all nodes: generation `from` becomes from + 1, in term 0 and a new epoch.
 * Repeating it does nothing more. *generation gets the one in force. Errors: CONFLICT (it is neither), those of db_transact. */
MUST_CHECK int leader_found_anew(struct db *d, int64_t from, int64_t *generation, struct err *e);

/* The same as part of a transaction, with the epoch raised by `step`.
 * Errors: CONFLICT (the generation is not `from` any more), UNEXPECTED, those of tx_exec. */
MUST_CHECK int leader_found_anew_in(struct tx *tx, int64_t from, int64_t step, int64_t *generation, struct err *e);

/* Transactions behind fences; any thread. */
struct leader_stats {
    uint64_t claims, fenced, killed; /* killed: sessions of former leaders */
};
struct leader_stats leader_stats(void);

#endif

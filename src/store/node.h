/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - nodes of this OCP as they register themselves: who they are, where they answer, when they were last there.
 * Ages are counted by MetaDB's clock alone. */
#ifndef STORE_NODE_H
#define STORE_NODE_H

#include "src/store/list.h"

enum { NODE_BEAT_MS = 2000 };    /* how often a node says that it is there */
#define NODE_DOWN_SECONDS "10"      /* not seen for so long: OFFLINE */

struct node {
    int64_t id;
    const char *name;              /* unique; of the settings, or the machine's host name */
    const char *zone, *idc;        /* "": none set */
    const char *address;           /* where its API listens, as set: "0.0.0.0:8080" */
    const char *version, *build_time;
    const char *peer_address;      /* ip:port at which the other nodes reach it; "": not known */
    int witness;                   /* votes, never leads, serves no API */
    int drain_wanted;              /* somebody wants it without work until it is resumed */
    int renew_wanted;              /* somebody wants it to renew its certificate */
    int draining;                  /* it says so itself */
    int64_t started_us;            /* by the node's own clock */
    int64_t seen_us, created_us;
    int64_t unseen_us;             /* read only: since seen_us, by MetaDB's clock */
    const char *status;            /* read only: "JOINING" (never seen), "ONLINE", "DRAINING", "OFFLINE" (not for NODE_DOWN_SECONDS) */
};

/* Any page, sorted by name unless said otherwise. Errors: those of db_read. */
MUST_CHECK int store_node_list(struct db *d, const struct store_page *page, struct arena *arena, struct node **out, size_t *n, int64_t *total,
                               struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_node_get(struct db *d, int64_t id, struct arena *arena, struct node *out, struct err *e);
/* The row of this name is (or becomes) this process's: `n->id` gets its id, which is the former one's if there was a row.
 * Errors: those of db_transact. */
MUST_CHECK int store_node_register(struct db *d, struct node *n, struct err *e);
/* The same as part of a transaction; a row made by it gets `fresh_id` (of db_next_id). Errors: those of tx_exec. */
MUST_CHECK int store_node_register_in(struct tx *tx, struct node *n, int64_t fresh_id, struct err *e);
/* The row `n->id` is this process's: it gets what `n` says of itself. What others decide of it (peer address, witness, drain wanted) stays.
 * Errors: NOT_FOUND (its row was removed), NAME_USED (another node has its name), those of db_transact. */
MUST_CHECK int store_node_claim(struct db *d, const struct node *n, struct err *e);
/* A row for a node that is to join. `name` stands until the node gives its own. Errors: NAME_USED, those of tx_exec. */
MUST_CHECK int store_node_expect_in(struct tx *tx, int64_t id, const char *name, const char *peer_address, bool witness, struct err *e);
/* Errors: NOT_FOUND, those of tx_exec. */
MUST_CHECK int store_node_delete_in(struct tx *tx, int64_t id, struct err *e);
/* What others want of a node; it looks for itself. Errors: NOT_FOUND, those of db_transact. */
MUST_CHECK int store_node_want_drain(struct db *d, int64_t id, bool on, struct err *e);
MUST_CHECK int store_node_want_renewal(struct db *d, int64_t id, bool on, struct err *e);
/* Says that the node is there. Errors: NOT_FOUND (its row was removed), those of db_transact. */
MUST_CHECK int store_node_beat(struct db *d, int64_t id, bool draining, struct err *e);

#endif

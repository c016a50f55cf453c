/* SPDX-License-Identifier: Apache-2.0 */
/* members.h - clusters of several nodes, as an operator founds them: at first, or anew after the Raft logs or MetaDB were lost. What comes out is
 * one join bundle a node (bundle.h). From a fiber of a process that does nothing else, or (node_bundle_make) of the leader. */
#ifndef NODE_MEMBERS_H
#define NODE_MEMBERS_H

#include "src/io/addr.h"
#include "src/node/bundle.h"
#include "src/node/home.h"
#include "src/store/node.h"

struct work_pool;

ERR_DECLARE(ERR_CLUSTER_SIZE);    /* {0} what is wrong with the number of nodes */
ERR_DECLARE(ERR_CLUSTER_EXISTS);  /* MetaDB has one already */
ERR_DECLARE(ERR_CLUSTER_ABSENT);  /* MetaDB has none */
ERR_DECLARE(ERR_NODE_ALIVE);      /* {0} name: this node still runs */
extern const struct err_row *const members_err_rows[];

enum { MEMBERS_MAX = 9, MEMBERS_RESTORED_STEP = 1000 };

/* Who shall be a member. */
struct node_seat {
    int64_t id;                    /* 0: not known yet */
    char address[ADDR_TEXT_SIZE];  /* of its peer port, ip:port */
    enum member_role role;
};
/* "10.0.0.1:8081,node2:8081": names are looked up, the default port is 8081; the largest odd number of them are voters, the last is a standby
 * if one is left over. From fibers. Errors: CLUSTER_SIZE (two, or more than MEMBERS_MAX), INVALID, CANCELLED, TIMEOUT, BUSY, NOMEM. */
MUST_CHECK int node_seats_parse(const char *list, struct work_pool *pool, struct node_seat *out, unsigned *n, struct err *e);

struct members_context {
    struct db *db;
    const struct vault *vault;
    const char *key_file;          /* goes into the bundles */
};
/* What the members of a cluster have in common. */
struct charter {
    struct ocpcluster *row;
    int64_t generation;
    const struct node_seat *seats; /* with their ids */
    unsigned n;
};

/* A new cluster of these nodes in MetaDB. Called again before any of them has led, it finds what it made. `out` lies in the arena, `seats` get
 * their ids. Errors: CLUSTER_EXISTS, those of db_transact, UNEXPECTED, NOMEM. */
MUST_CHECK int node_cluster_found(const struct members_context *c, struct node_seat *seats, unsigned n, struct arena *arena,
                                  struct charter *out, struct err *e);
/* The cluster in MetaDB anew, in the next generation, with these nodes alone; all certificates issued before are revoked. Called again before any
 * of them has led, it finds what it made. `restored`: MetaDB comes from a backup; so epochs that were given out since are jumped over, the lineage
 * is drawn anew, and tasks under way fail, each time. Errors: CLUSTER_ABSENT, NODE_ALIVE, those of db_transact, UNEXPECTED, NOMEM. */
MUST_CHECK int node_cluster_recover(const struct members_context *c, struct node_seat *seats, unsigned n, bool restored, struct arena *arena,
                                    struct charter *out, struct err *e);

/* The bundle of seats[i], with a new certificate. `founding`: its log begins with the seats. Errors: VAULT_OPEN, VAULT_FILE, those of
 * db_transact, UNEXPECTED, NOMEM. */
MUST_CHECK int node_bundle_make(const struct members_context *c, const struct charter *of, unsigned i, bool founding, struct arena *arena,
                                struct str *text, char secret[BUNDLE_SECRET_SIZE], struct err *e);

/* Makes this machine the node that an opened bundle is for. Errors: those of keyfile_install and node_home_settle. */
MUST_CHECK int node_join(struct node_home *h, const char *key_file, const struct bundle *b, struct err *e);

/* The largest odd number of voters among `n` members. */
unsigned node_voters_of(unsigned n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* change.h - what people do to the cluster of nodes while it runs: add and remove nodes. On the leader, from fibers. */
#ifndef NODE_CHANGE_H
#define NODE_CHANGE_H

#include "ha/step/membership.h"
#include "raft/node.h"
#include "src/node/members.h"
#include "src/store/leader.h"

ERR_DECLARE(ERR_MEMBERS_CHANGING); /* another change is under way */
ERR_DECLARE(ERR_MEMBERS_DOWN);     /* a voter does not answer */
ERR_DECLARE(ERR_MEMBERS_FULL);     /* {0} how many there may be */
ERR_DECLARE(ERR_MEMBERS_LAST);     /* {0} node: nobody else votes */
ERR_DECLARE(ERR_MEMBERS_QUORUM);   /* {0} node: the others that answer would be no majority */
ERR_DECLARE(ERR_NODE_LEADS);       /* {0} node: leadership was handed away first; again */
ERR_DECLARE(ERR_NODE_CANNOT_LEAD); /* {0} node, {1} why */
ERR_DECLARE(ERR_NODE_ADDRESS);     /* {0} address, {1} what is wrong with it */
extern const struct err_row *const node_change_err_rows[];

struct node_changes {
    struct members_context members; /* db: of this fiber's loop */
    struct raft_node *raft;
    const struct leadership *leader;
};

struct node_wanted {
    const char *address;       /* ip:port of its peer port */
    const char *name;          /* NULL: its address, until it gives its own */
    bool witness;              /* votes, never leads, is in no load balancer's pool */
};
struct node_added {
    int64_t id;
    struct str bundle;         /* in the arena */
    char secret[BUNDLE_SECRET_SIZE];
};
/* Adds a node and makes its join bundle. Called again for a node that has never been there, it makes a new bundle for it.
 * Errors: NODE_ADDRESS, MEMBERS_*, NAME_USED, RAFT_*, those of node_bundle_make and leader_transact. */
MUST_CHECK int node_add(const struct node_changes *c, const struct node_wanted *w, struct arena *arena, struct node_added *out, struct err *e);
/* Removes a node, revokes its certificates, and forgets it. `name` (may be NULL) gets its name, in the arena.
 * Errors: NOT_FOUND, MEMBERS_*, NODE_LEADS, RAFT_*, TIMEOUT, those of leader_transact. */
MUST_CHECK int node_remove(const struct node_changes *c, int64_t id, struct arena *arena, const char **name, struct err *e);
/* May this node lead now? `name` (may be NULL) gets its name, in the arena. Errors: NOT_FOUND, NODE_CANNOT_LEAD, those of db_read. */
MUST_CHECK int node_may_lead(struct db *d, const struct raft_node_status *s, int64_t id, struct arena *arena, const char **name, struct err *e);

/* The members as decisions want them. Any thread. Returns how many. */
unsigned node_members_of(const struct raft_node_status *s, struct membership_member out[RAFT_MAX_MEMBERS]);
/* One step towards the largest odd number of voters (ha/step/membership.h); the leader's work calls it each second.
 * Errors: those of raft_node_request. */
MUST_CHECK int node_settle_members(struct raft_node *raft, const struct log *log, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* found.h - a node founds a cluster of one: what an ocp-server does at its first start with a MetaDB of its own. From a fiber of the control
 * loop, before anything else of the node runs. */
#ifndef NODE_FOUND_H
#define NODE_FOUND_H

#include "src/node/home.h"
#include "src/store/node.h"
#include "src/vault/vault.h"

ERR_DECLARE(ERR_NODE_OUTSIDE); /* {0} data_dir: MetaDB is that of a cluster that this node is no member of */
extern const struct err_row *const node_found_err_rows[];

struct founding {
    struct db *db;
    const struct vault *vault;
    struct node_home *home;
    struct node *self;          /* its id is set when *fresh */
    const char *peer_address;   /* ip:port at which other nodes will reach this one */
};

/* Makes this node the founder of a cluster of one, unless it is a member of a cluster already (*fresh false). Killed at any moment, the next
 * call finishes what was begun. Errors: NODE_OUTSIDE, those of node_home_settle, db_transact and vault_open. */
MUST_CHECK int node_found_alone(const struct founding *f, bool *fresh, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - this process's own row among the nodes. From fibers of the control loop. */
#ifndef NODE_REGISTRY_H
#define NODE_REGISTRY_H

#include "src/store/leader.h"
#include "src/store/node.h"

ERR_DECLARE(ERR_NODE_REMOVED); /* {0} name or id: MetaDB lists this node no more */
extern const struct err_row *const node_registry_err_rows[];

/* Writes what this process says of itself into the row of its node, whose id is known from the disk (self->id).
 * Errors: NODE_REMOVED, NAME_USED (another node has its name), those of db_transact. */
MUST_CHECK int node_sign_on(struct db *d, const struct node *self, struct err *e);

/* Does the cluster that the nodes are still have the generation of this node's log? After it was founded anew such a log is of no use, even if the
 * node is a member again. Errors: LEADER_GIVEN_UP, those of db_read. */
MUST_CHECK int node_is_current(struct db *d, uint64_t generation, struct err *e);

/* Says that the node `self` is there. With self->id 0 it registers first, under its name. Errors: NODE_REMOVED, those of db_transact. */
MUST_CHECK int node_beat(struct db *d, struct node *self, bool draining, struct err *e);

#endif

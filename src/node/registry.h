/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - this process's own row among the nodes. From fibers of the control loop. */
#ifndef NODE_REGISTRY_H
#define NODE_REGISTRY_H

#include "src/store/node.h"

/* Says that the node `self` is there; registers it first when that was not done yet (self->id is 0), and anew when its row is gone.
 * Errors: those of db_transact. */
MUST_CHECK int node_beat(struct db *d, struct node *self, bool draining, struct err *e);

#endif

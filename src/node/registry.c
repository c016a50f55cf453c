/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/registry.h"

int node_beat(struct db *d, struct node *self, bool draining, struct err *e)
{
    int rv = self->id != 0 ? store_node_beat(d, self->id, draining, e) : ERR_NOT_FOUND.code;

    if (rv != ERR_NOT_FOUND.code)
        return rv;
    self->id = 0;
    err_clear(e);
    return store_node_register(d, self, e);
}

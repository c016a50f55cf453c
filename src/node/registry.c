/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/registry.h"

ERR_DEFINE(ERR_NODE_REMOVED, 90754, 500, ERR_FINAL,
           "MetaDB lists node {0} no more: it was removed from its cluster. Delete the folders raft and peer in its data_dir; then it can join anew.",
           "MetaDB 中已无节点 {0}：该节点已被移出集群。请删除其 data_dir 中的 raft 和 peer 目录，之后可重新加入。");

const struct err_row *const node_registry_err_rows[] = { &ERR_NODE_REMOVED, NULL };

static int judge(const struct node *self, int rv, struct err *e)
{
    return rv == ERR_NOT_FOUND.code ? err_set(e, &ERR_NODE_REMOVED, "%s", self->name) : rv;
}

int node_sign_on(struct db *d, const struct node *self, struct err *e)
{
    return judge(self, store_node_claim(d, self, e), e);
}

int node_is_current(struct db *d, uint64_t generation, struct err *e)
{
    struct leadership last;
    int64_t claimed_us;
    int rv = leader_read(d, &last, &claimed_us, e);

    return rv == 0 && last.generation > (int64_t)generation ? err_set(e, &ERR_LEADER_GIVEN_UP, "%llu", (unsigned long long)generation) : rv;
}

int node_beat(struct db *d, struct node *self, bool draining, struct err *e)
{
    if (self->id == 0)
        return store_node_register(d, self, e);
    return judge(self, store_node_beat(d, self->id, draining, e), e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What only the leader can do about leadership; every other node forwards to it (api/forward.h). */
#include "api/api.h"
#include "api/forward.h"
#include "api/tables.h"

#include "src/io/fiber.h"
#include "src/node/change.h"
#include "src/node/peers.h"

enum { LOOK_MS = 20, TRANSFER_MS = 5000 };

ERR_DEFINE(ERR_NO_SUCCESSOR, 90105, 409, ERR_FINAL, "No other node can take leadership over now: no other voter is connected to the leader.",
           "当前没有其他节点可以接任主节点：没有其他投票节点与主节点保持连接。");

/* Between being forwarded and being handled leadership may have moved on. */
static int must_lead(const struct call *c, struct raft_node_status *s, struct err *e)
{
    if (c->api->shared->peers == NULL)
        return err_set(e, &ERR_NO_LEADER, "");
    raft_node_status(c->api->shared->raft, s);
    return s->consensus.role == CONSENSUS_LEADER ? 0 : err_set(e, &ERR_NO_LEADER, "");
}

struct transfer {
    int64_t node_id;
};

static const struct field transfer_fields[] = {
    F_INT(transfer, node_id, "nodeId", .min = 0, .max = INT64_MAX, .def = "0", DOC("Who shall lead: a voter; 0: the one that has most of the log.")),
    FIELD_END,
};

struct transferred {
    int64_t from, to;
};

static const struct field transferred_fields[] = {
    F_INT(transferred, from, "fromNodeId", DOC("Id of the node that led.")),
    F_INT(transferred, to, "toNodeId", DOC("Id of the node that leads now.")),
    FIELD_END,
};

/* Until another one leads, or the attempt has ended without. */
static int wait_for_successor(const struct call *c, uint64_t from, int64_t *to, struct err *e)
{
    int64_t former = fiber_narrow_deadline(TRANSFER_MS);
    struct peers_leader now;
    int rv = 0;

    while (rv == 0 && (!peers_leader(c->api->shared->peers, &now) || now.node == from))
        rv = fiber_sleep(LOOK_MS, e);
    fiber_restore_deadline(former);
    if (rv == ERR_TIMEOUT.code)
        return err_set(e, &ERR_BUSY, "the other node did not take leadership over in time; this one goes on");
    if (rv == 0)
        *to = (int64_t)now.node;
    return rv;
}

static int transfer_leader(struct call *c, struct err *e)
{
    const struct transfer *want = c->body;
    struct member to = { .id = (uint64_t)want->node_id };
    struct raft_node_status s;
    struct transferred done = { 0 };
    int rv = must_lead(c, &s, e);

    c->object_kind = "OCP_NODE";
    if (rv == 0 && want->node_id == (int64_t)s.identity.node) {
        done = (struct transferred){ want->node_id, want->node_id };
        return call_object(c, &done, e);
    }
    if (rv == 0 && !raft_node_has_successor(&s))
        rv = err_set(e, &ERR_NO_SUCCESSOR, "");
    if (rv == 0 && want->node_id != 0)
        rv = node_may_lead(c->db, &s, want->node_id, c->arena, &c->object_name, e);
    if (rv == 0)
        rv = db_hold_guard(e);
    if (rv == 0)
        rv = raft_node_request(c->api->shared->raft, RAFT_REQUEST_TRANSFER, &to, e);
    if (rv != 0)
        return rv;
    done.from = (int64_t)s.identity.node;
    rv = wait_for_successor(c, s.identity.node, &done.to, e);
    c->object_id = done.to;
    return rv == 0 ? call_object(c, &done, e) : rv;
}

const struct route leader_routes[] = {
    ROUTE("ocp-leader-transfer", "POST", "/api/v2/ocp/leader/transfer", "PROPERTY:*:UPDATE", transfer_leader, REPLY_OBJECT, ROUTE_OWN,
          "Hand leadership to another node.", ROUTE_BODY(transfer, transfer_fields), ROUTE_OUT(transferred, transferred_fields),
          .flags = ROUTE_LEADER | ROUTE_BODY_OPTIONAL, .tag = "OCP nodes"),
    ROUTE_END,
};

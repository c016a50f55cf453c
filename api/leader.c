/* SPDX-License-Identifier: Apache-2.0 */
/* What only the leader knows and can do; every other node forwards to it (api/forward.h). */
#include "api/api.h"
#include "api/forward.h"
#include "api/tables.h"

#include "ha/drive/drive.h"
#include "src/io/fiber.h"
#include "src/node/change.h"
#include "src/node/peers.h"

enum { LOOK_MS = 20, TRANSFER_MS = 5000 };

ERR_DEFINE(ERR_NO_SUCCESSOR, 90105, 409, ERR_FINAL, "No other node can take leadership over now: no other voter is connected to the leader.",
           "当前没有其他节点可以接任主节点：没有其他投票节点与主节点保持连接。");

/* --- what it knows ---------------------------------------------------------------------------------------------------------------- */

struct follower {
    struct peers_member member;
    int64_t match, lag;
    const char *wait;
};

struct leader_view {
    int64_t node_id, generation, term, epoch, active_us, last, fenced, overtaken;
    const char *node_name;
    int active;
    struct field_list followers;
};

static const struct field follower_fields[] = {
    F_INT(follower, member.id, "id", DOC("Id of the node.")),
    F_STRING(follower, member.name, "name", DOC("Its name.")),
    F_STRING(follower, member.role, "role", DOC("VOTER, STANDBY (gets the log and does not vote) or SPARE (was added just now).")),
    F_BOOL(follower, member.connected, "connected", DOC("Whether the leader has a connection to it.")),
    F_INT(follower, match, "match", DOC("How far it has the Raft log.")),
    F_INT(follower, lag, "lag", DOC("How many entries of the Raft log it lacks.")),
    F_STRING(follower, wait, "waitReason", DOC("Why it does not vote, when it does not; as in the cluster of nodes.")),
    F_TIME(follower, member.seen_us, "seenTime", DOC("When the leader last heard it.")),
    FIELD_END,
};

static const struct field leader_fields[] = {
    F_INT(leader_view, node_id, "nodeId", DOC("Id of the node that leads.")),
    F_STRING(leader_view, node_name, "nodeName", DOC("Its name.")),
    F_BOOL(leader_view, active, "active", DOC("Whether it has claimed its epoch in MetaDB, and so may write.")),
    F_INT(leader_view, generation, "generation", DOC("Generation of the cluster of nodes.")),
    F_INT(leader_view, term, "term", DOC("Term of the election.")),
    F_INT(leader_view, epoch, "epoch", DOC("Number of its leadership.")),
    F_TIME(leader_view, active_us, "activeTime", DOC("Since when it may write.")),
    F_INT(leader_view, last, "lastIndex", DOC("Last entry of the Raft log.")),
    F_INT(leader_view, fenced, "fencedWrites", DOC("How often it was refused a write because somebody else led already; since its start.")),
    F_INT(leader_view, overtaken, "overtakenClaims", DOC("How often it found a newer leader when it claimed; since its start.")),
    F_LIST(leader_view, followers, "followers", follower, follower_fields, DOC("The other nodes.")),
    FIELD_END,
};

static int64_t match_of(const struct raft_node_status *s, int64_t id)
{
    for (unsigned i = 0; i < s->n_peers; i++)
        if ((int64_t)s->peers[i].member.id == id)
            return (int64_t)s->peers[i].match;
    return 0;
}

static struct follower follower_of(const struct raft_node_status *s, const struct membership_member *m, unsigned n_members,
                                   const struct peers_member *other)
{
    int64_t match = match_of(s, other->id);
    enum membership_wait wait = membership_waits(m, n_members, (uint64_t)other->id);

    return (struct follower){ *other, match, (int64_t)s->consensus.last - match, wait != MEMBERSHIP_VOTES ? membership_wait_names[wait] : NULL };
}

static int list_followers(const struct call *c, const struct raft_node_status *s, struct field_list *out, struct err *e)
{
    struct membership_member m[RAFT_MAX_MEMBERS];
    unsigned n_members = node_members_of(s, m);
    struct peers_member *others;
    struct follower *list;
    int rv = peers_others(c->api->shared->peers, c->arena, &others, &out->n, e);

    if (rv != 0)
        return rv;
    out->items = list = arena_array(c->arena, out->n + 1, sizeof *list);
    for (size_t i = 0; list != NULL && i < out->n; i++)
        list[i] = follower_of(s, m, n_members, &others[i]);
    return list != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* Between being forwarded and being handled leadership may have moved on. */
static int must_lead(const struct call *c, struct raft_node_status *s, struct err *e)
{
    if (c->api->shared->peers == NULL)
        return err_set(e, &ERR_NO_LEADER, "");
    raft_node_status(c->api->shared->raft, s);
    return s->consensus.role == CONSENSUS_LEADER ? 0 : err_set(e, &ERR_NO_LEADER, "");
}

static int show_leader(struct call *c, struct err *e)
{
    const struct api_shared *shared = c->api->shared;
    struct raft_node_status s;
    struct drive_status drive;
    struct leader_view v = { .node_name = shared->node->name };
    int rv = must_lead(c, &s, e);

    if (rv != 0)
        return rv;
    drive = drive_status(shared->drive);
    v.active = drive.state == LEADING_ACTIVE;
    v.node_id = (int64_t)s.identity.node;
    v.generation = (int64_t)s.identity.generation;
    v.term = (int64_t)s.consensus.term;
    v.epoch = v.active ? drive.epoch : FIELD_NONE;
    v.active_us = v.active ? drive.active_us : FIELD_NONE;
    v.last = (int64_t)s.consensus.last;
    v.fenced = (int64_t)drive.fenced;
    v.overtaken = (int64_t)drive.overtaken;
    rv = list_followers(c, &s, &v.followers, e);
    return rv == 0 ? call_object(c, &v, e) : rv;
}

/* --- what it can do --------------------------------------------------------------------------------------------------------------- */

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
    ROUTE("ocp-leader-get", "GET", "/api/v2/ocp/leader", "PROPERTY:*:READ", show_leader, REPLY_OBJECT, ROUTE_OWN,
          "Show the leader of this OCP's nodes, as it sees itself and the others.", ROUTE_OUT(leader_view, leader_fields), .flags = ROUTE_LEADER,
          .tag = "OCP nodes"),
    ROUTE("ocp-leader-transfer", "POST", "/api/v2/ocp/leader/transfer", "PROPERTY:*:UPDATE", transfer_leader, REPLY_OBJECT, ROUTE_OWN,
          "Hand leadership to another node.", ROUTE_BODY(transfer, transfer_fields), ROUTE_OUT(transferred, transferred_fields),
          .flags = ROUTE_LEADER | ROUTE_BODY_OPTIONAL, .tag = "OCP nodes"),
    ROUTE_END,
};

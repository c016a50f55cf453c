/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster that the nodes of this OCP are: how it stands, as the node that answers sees it, with what MetaDB knows about its members. */
#include <string.h>

#include "api/api.h"
#include "api/forward.h"
#include "api/tables.h"
#include "ha/drive/drive.h"
#include "src/node/change.h"
#include "src/node/peers.h"

struct member_view {
    int64_t id;
    const char *name, *role, *peer_address, *address, *version, *status, *zone, *wait;
    int self, leader, alive, connected, witness, drain_wanted;
    int64_t match, lag, seen_us, certificate_us;
};

static const struct field member_fields[] = {
    F_INT(member_view, id, "id", DOC("Id of the node.")),
    F_STRING(member_view, name, "name", DOC("Its name.")),
    F_STRING(member_view, role, "role",
             DOC("VOTER; STANDBY: gets the log and does not vote; SPARE: was added just now; NONE: MetaDB lists it, and it is no member (any more).")),
    F_BOOL(member_view, leader, "leader", DOC("Does it lead?")),
    F_BOOL(member_view, self, "self", DOC("Is it the node that answers this call?")),
    F_BOOL(member_view, alive, "alive", DOC("Whether the node that answers has heard it lately.")),
    F_BOOL(member_view, connected, "connected", DOC("Whether the node that answers, if it is another one, has a connection to it.")),
    F_TIME(member_view, seen_us, "seenTime", DOC("When the node that answers, if it is another one, last heard it.")),
    F_INT(member_view, match, "match", DOC("How far it has the log; only the leader knows.")),
    F_INT(member_view, lag, "lag", DOC("Entries of the log that it has not got yet; only the leader knows.")),
    F_STRING(member_view, wait, "waitReason",
             DOC("Why it does not vote, when it does not: SILENT: it is not heard; BEHIND: it has not caught up; EVEN: an even number of votes survives no "
                 "more than one vote less, so one more node or witness is needed; SOON: it is about to. Only the leader knows.")),
    F_STRING(member_view, status, "status", DOC("JOINING: never seen; ONLINE, DRAINING, or OFFLINE, as MetaDB has it.")),
    F_BOOL(member_view, witness, "witness", DOC("Votes, never leads, and serves nobody.")),
    F_BOOL(member_view, drain_wanted, "drainWanted", DOC("Somebody wants it without work.")),
    F_STRING(member_view, zone, "zone", DOC("Zone of OCP that it belongs to.")),
    F_STRING(member_view, version, "version", DOC("Version of ocp-server on it.")),
    F_STRING(member_view, address, "address", DOC("Address that its API listens on.")),
    F_STRING(member_view, peer_address, "peerAddress", DOC("Where the other nodes reach it.")),
    F_TIME(member_view, certificate_us, "certificateExpireTime", DOC("When its certificate ends; it renews it a month before.")),
    FIELD_END,
};

struct cluster_view {
    const char *cluster, *lineage, *leader_name;
    int64_t generation, term, epoch, leader, tolerates, created_us;
    int64_t active_us, last, fenced, overtaken;
    int changing, active;
    struct field_list members;
};

static const struct field cluster_fields[] = {
    F_STRING(cluster_view, cluster, "clusterId", DOC("Id of the cluster of nodes.")),
    F_STRING(cluster_view, lineage, "lineage", DOC("Another one since MetaDB was last restored from a backup.")),
    F_INT(cluster_view, generation, "generation", DOC("How often the cluster was founded.")),
    F_INT(cluster_view, term, "term", DOC("Term of Raft.")),
    F_INT(cluster_view, epoch, "epoch", DOC("Epoch that was claimed last in MetaDB; every write of a leader is bound to it.")),
    F_INT(cluster_view, leader, "leaderId", DOC("Id of the node that leads; none when nobody does.")),
    F_STRING(cluster_view, leader_name, "leaderName", DOC("Its name.")),
    F_BOOL(cluster_view, active, "active", DOC("Whether it has claimed its epoch in MetaDB, and so may write; only the leader knows, as what follows.")),
    F_TIME(cluster_view, active_us, "activeTime", DOC("Since when it may write.")),
    F_INT(cluster_view, last, "lastIndex", DOC("Last entry of its log.")),
    F_INT(cluster_view, fenced, "fencedWrites", DOC("How often it was refused a write because somebody else led already; since its start.")),
    F_INT(cluster_view, overtaken, "overtakenClaims", DOC("How often it found a newer leader when it claimed; since its start.")),
    F_INT(cluster_view, tolerates, "tolerates", DOC("How many of the voters may be lost now without losing the leader for good.")),
    F_BOOL(cluster_view, changing, "changing", DOC("Whether a change of its members is under way.")),
    F_TIME(cluster_view, created_us, "createTime", DOC("When it was founded first.")),
    F_LIST(cluster_view, members, "members", member_view, member_fields, DOC("The nodes.")),
    FIELD_END,
};

/* What there is to make it of. */
struct sources {
    struct raft_node_status raft;
    struct membership_member m[RAFT_MAX_MEMBERS];
    unsigned n_members;
    struct ocpcluster *row;
    struct leadership led;
    struct node *nodes;
    size_t n_nodes;
    struct node_certificate *certificates;
    size_t n_certificates;
    struct peers_member *heard;
    size_t n_heard;
};

static int read_sources(struct call *c, struct sources *s, struct err *e)
{
    int64_t when;
    int rv = store_ocpcluster_find(c->db, c->arena, &s->row, e);

    raft_node_status(c->api->shared->raft, &s->raft);
    s->n_members = node_members_of(&s->raft, s->m);
    if (rv == 0)
        rv = leader_read(c->db, &s->led, &when, e);
    if (rv == 0)
        rv = store_node_list(c->db, NULL, c->arena, &s->nodes, &s->n_nodes, NULL, e);
    if (rv == 0)
        rv = store_certificate_present(c->db, c->arena, &s->certificates, &s->n_certificates, e);
    if (rv == 0 && c->api->shared->peers != NULL)
        rv = peers_others(c->api->shared->peers, c->arena, &s->heard, &s->n_heard, e);
    return rv;
}

static const struct node *node_of(const struct sources *s, int64_t id)
{
    for (size_t i = 0; i < s->n_nodes; i++)
        if (s->nodes[i].id == id)
            return &s->nodes[i];
    return NULL;
}

static void add_row(const struct sources *s, int64_t id, struct member_view *v)
{
    const struct node *n = node_of(s, id);

    v->witness = v->drain_wanted = -1;
    v->certificate_us = FIELD_NONE;
    for (size_t i = 0; i < s->n_certificates; i++)
        if (s->certificates[i].node_id == id)
            v->certificate_us = s->certificates[i].expires_us;
    if (n == NULL)
        return;
    v->name = n->name;
    v->zone = n->zone;
    v->address = n->address[0] != '\0' ? n->address : NULL;
    v->version = n->version[0] != '\0' ? n->version : NULL;
    v->status = n->status;
    v->peer_address = n->peer_address;
    v->witness = n->witness;
    v->drain_wanted = n->drain_wanted;
}

static void add_link(const struct sources *s, int64_t id, struct member_view *v)
{
    for (size_t i = 0; i < s->n_heard; i++)
        if (s->heard[i].id == id) {
            v->connected = s->heard[i].connected;
            v->seen_us = s->heard[i].seen_us;
        }
}

static struct member_view member_of(const struct call *c, const struct sources *s, unsigned i)
{
    static const char *const roles[] = { [MEMBER_STANDBY] = "STANDBY", [MEMBER_VOTER] = "VOTER", [MEMBER_SPARE] = "SPARE" };
    const struct raft_peer_status *p = &s->raft.peers[i];
    struct member_view v = {
        .id = (int64_t)p->member.id, .role = roles[p->member.role], .self = s->m[i].self, .alive = s->m[i].alive,
        .leader = p->member.id == s->raft.consensus.leader, .connected = -1, .match = FIELD_NONE, .lag = FIELD_NONE, .seen_us = FIELD_NONE,
    };

    add_row(s, v.id, &v);
    add_link(s, v.id, &v);
    v.peer_address = arena_strdup(c->arena, p->address);
    if (s->raft.consensus.leads) {
        enum membership_wait wait = membership_waits(s->m, s->n_members, p->member.id);

        v.match = (int64_t)(v.self ? s->raft.consensus.last : p->match);
        v.lag = v.self || p->match > s->raft.consensus.last ? 0 : (int64_t)(s->raft.consensus.last - p->match);
        v.wait = wait != MEMBERSHIP_VOTES ? membership_wait_names[wait] : NULL;
    }
    return v;
}

static bool is_member(const struct sources *s, int64_t id)
{
    for (unsigned i = 0; i < s->raft.n_peers; i++)
        if ((int64_t)s->raft.peers[i].member.id == id)
            return true;
    return false;
}

static int list_members(const struct call *c, const struct sources *s, struct field_list *out, struct err *e)
{
    struct member_view *list = arena_array(c->arena, s->n_members + s->n_nodes + 1, sizeof *list);

    if (list == NULL)
        return err_set(e, &ERR_NOMEM, "");
    out->items = list;
    for (unsigned i = 0; i < s->n_members; i++)
        list[out->n++] = member_of(c, s, i);
    for (size_t i = 0; i < s->n_nodes; i++) {
        struct member_view v = {
            .id = s->nodes[i].id, .role = "NONE", .connected = -1, .match = FIELD_NONE, .lag = FIELD_NONE, .seen_us = FIELD_NONE,
        };

        if (is_member(s, v.id))
            continue;
        add_row(s, v.id, &v);
        list[out->n++] = v;
    }
    return 0;
}

/* What the node that answers says of itself, when it leads. */
static void add_leader(struct call *c, const struct sources *s, struct cluster_view *v)
{
    struct drive_status drive;

    v->active = -1;
    v->active_us = v->last = v->fenced = v->overtaken = FIELD_NONE;
    if (s->raft.consensus.role != CONSENSUS_LEADER)
        return;
    drive = drive_status(c->api->shared->drive);
    v->active = drive.state == LEADING_ACTIVE;
    v->active_us = v->active ? drive.active_us : FIELD_NONE;
    v->last = (int64_t)s->raft.consensus.last;
    v->fenced = (int64_t)drive.fenced;
    v->overtaken = (int64_t)drive.overtaken;
}

static int api_cluster_get(struct call *c, struct err *e)
{
    struct sources *s = arena_zalloc(c->arena, sizeof *s);
    const struct node *leader;
    struct cluster_view v;
    int rv = s != NULL ? read_sources(c, s, e) : err_set(e, &ERR_NOMEM, "");

    if (rv != 0)
        return rv;
    v = (struct cluster_view){
        .cluster = s->row != NULL ? s->row->cluster : NULL, .lineage = s->row != NULL ? s->row->lineage : NULL,
        .created_us = s->row != NULL ? s->row->created_us : FIELD_NONE, .generation = (int64_t)s->raft.identity.generation,
        .term = (int64_t)s->raft.consensus.term, .epoch = s->led.epoch, .changing = s->raft.consensus.changing,
        .leader = s->raft.consensus.leader != 0 ? (int64_t)s->raft.consensus.leader : FIELD_NONE,
        .tolerates = membership_tolerates(s->m, s->n_members),
    };
    leader = node_of(s, v.leader);
    v.leader_name = leader != NULL ? leader->name : NULL;
    add_leader(c, s, &v);
    rv = list_members(c, s, &v.members, e);
    return rv == 0 ? call_object(c, &v, e) : rv;
}

/* --- changes ------------------------------------------------------------------------------------------------------------------------ */

static void about(struct call *c, int64_t id, const char *name)
{
    c->object_kind = "OCP_NODE";
    c->object_id = id;
    c->object_name = name;
}

static int changes_of(struct call *c, struct leadership *leader, struct node_changes *out, struct err *e)
{
    const struct api_shared *s = c->api->shared;

    if (!drive_leadership(s->drive, leader))
        return err_set(e, &ERR_NO_LEADER, "");
    *out = (struct node_changes){ { c->db, s->vault, s->key_file }, s->raft, leader };
    return 0;
}

struct node_in {
    const char *address, *name;
    int witness;
};

static const struct field node_in_fields[] = {
    F_STRING(node_in, address, "peerAddress", .flags = FIELD_REQUIRED, .max = 128, DOC("IP address and port at which the other nodes will reach it: its setting peer.address, or peer.listen.")),
    F_STRING(node_in, name, "name", .max = 64, DOC("Its name, until it gives its own. Default: its address.")),
    F_BOOL(node_in, witness, "witness", DOC("Whether it only votes: it never leads and is in no load balancer's pool. Default false.")),
    FIELD_END,
};

struct added_view {
    int64_t id;
    const char *bundle, *secret;
};

static const struct field added_fields[] = {
    F_INT(added_view, id, "id", DOC("Id of the node.")),
    F_STRING(added_view, bundle, "bundle", DOC("Its join bundle: the text of a file for `ocp-server --join FILE` on the machine.")),
    F_STRING(added_view, secret, "secret", DOC("The join secret that opens the bundle; it is shown this once.")),
    FIELD_END,
};

static int api_node_add(struct call *c, struct err *e)
{
    const struct node_in *in = c->body;
    const struct node_wanted wanted = { in->address, in->name, in->witness == 1 };
    struct node_changes changes;
    struct leadership leader;
    struct node_added added;
    struct added_view v;
    int rv;

    about(c, -1, in->name != NULL ? in->name : in->address);
    rv = changes_of(c, &leader, &changes, e);
    if (rv == 0)
        rv = node_add(&changes, &wanted, c->arena, &added, e);
    if (rv != 0)
        return rv;
    c->object_id = added.id;
    v = (struct added_view){ added.id, str_c(&added.bundle), added.secret };
    rv = call_object(c, &v, e);
    mem_wipe(added.secret, sizeof added.secret);
    return rv;
}

static int api_node_remove(struct call *c, struct err *e)
{
    struct node_changes changes;
    struct leadership leader;
    int rv;

    about(c, call_id(c, "id"), NULL);
    rv = changes_of(c, &leader, &changes, e);
    return rv == 0 ? node_remove(&changes, call_id(c, "id"), c->arena, &c->object_name, e) : rv;
}

/* What a node does when it next looks, within NODE_BEAT_MS. */
static int wish(struct call *c, int (*write)(struct db *d, int64_t id, bool on, struct err *e), bool on, struct err *e)
{
    struct node n;
    int rv;

    about(c, call_id(c, "id"), NULL);
    rv = store_node_get(c->db, call_id(c, "id"), c->arena, &n, e);
    if (rv != 0)
        return rv;
    c->object_name = n.name;
    return write(c->db, n.id, on, e);
}

static int api_node_drain(struct call *c, struct err *e)
{
    return wish(c, store_node_want_drain, true, e);
}

static int api_node_resume(struct call *c, struct err *e)
{
    return wish(c, store_node_want_drain, false, e);
}

static int api_node_renew(struct call *c, struct err *e)
{
    return wish(c, store_node_want_renewal, true, e);
}

#define NODES .tag = "OCP nodes"

const struct route ocpcluster_routes[] = {
    ROUTE("ocp-cluster-get", "GET", "/api/v2/ocp/cluster", "PROPERTY:*:READ", api_cluster_get, REPLY_OBJECT, ROUTE_OWN,
          "Show the cluster that the nodes of this OCP are, as its leader sees it, or, when there is none, the node that was asked.", NODES,
          .flags = ROUTE_LEADER_FIRST, ROUTE_OUT(cluster_view, cluster_fields)),
    ROUTE("ocp-node-add", "POST", "/api/v2/ocp/nodes", "**", api_node_add, REPLY_OBJECT, ROUTE_OWN,
          "Add a node; the reply has its join bundle and, this once, the secret that opens it.", NODES, .flags = ROUTE_LEADER | ROUTE_SECRET_REPLY,
          ROUTE_BODY(node_in, node_in_fields), ROUTE_OUT(added_view, added_fields)),
    ROUTE("ocp-node-remove", "DELETE", "/api/v2/ocp/nodes/{id}", "**", api_node_remove, REPLY_NONE, ROUTE_OWN,
          "Remove a node for good and revoke its certificate.", NODES, .flags = ROUTE_LEADER),
    ROUTE("ocp-node-drain", "POST", "/api/v2/ocp/nodes/{id}/drain", "PROPERTY:*:UPDATE", api_node_drain, REPLY_NONE, ROUTE_OWN,
          "Take work, leadership and new calls away from a node, until it is resumed.", NODES),
    ROUTE("ocp-node-resume", "POST", "/api/v2/ocp/nodes/{id}/resume", "PROPERTY:*:UPDATE", api_node_resume, REPLY_NONE, ROUTE_OWN,
          "Let a drained node work again.", NODES),
    ROUTE("ocp-node-renew-certificate", "POST", "/api/v2/ocp/nodes/{id}/renewCertificate", "PROPERTY:*:UPDATE", api_node_renew, REPLY_NONE,
          ROUTE_OWN, "Have a node renew its certificate now.", NODES),
    ROUTE_END,
};

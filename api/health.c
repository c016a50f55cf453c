/* SPDX-License-Identifier: Apache-2.0 */
/* Health, as load balancers and service managers ask for it. All answers come from memory: none waits for MetaDB or for another node. None but
 * /members needs a login, and none tells secrets. MetaDB being away for every node makes none of them unready, since a load balancer's own
 * error page would tell callers less than our JSON does (src/node/peers.h). */
#include "api/api.h"
#include "api/tables.h"

#include <stdio.h>
#include <string.h>

#include "ha/drive/drive.h"
#include "src/node/peers.h"

enum { LIVE_MS = 5000 };

/* --- answers ---------------------------------------------------------------------------------------------------------------------- */

/* OPTIONS wants the status alone. */
static int reply_text(struct call *c, int status, const char *text)
{
    struct http_header type = { SLICE("content-type"), SLICE("text/plain; charset=utf-8") };
    struct slice body = { text, slice_is(c->rq->method, "OPTIONS") ? 0 : strlen(text) };

    (void)http_reply(c->rq, status, &type, 1, body, NULL); /* a client that left needs no answer */
    return 0;
}

static int reply_reason(struct call *c, const char *reason)
{
    return reply_text(c, reason == NULL ? 200 : 503, reason == NULL ? "ok\n" : arena_printf(c->arena, "%s\n", reason));
}

static int livez(struct call *c, struct err *e)
{
    const struct api_shared *s = c->api->shared;
    int64_t now = clock_now_ms(s->node->clock);

    (void)e;
    for (unsigned i = 0; i < s->n_loops; i++)
        if (now - loop_stats(s->loops[i]->loop).turned_at_ms > LIVE_MS)
            return reply_text(c, 503, "a loop has not turned for 5 seconds\n");
    return reply_text(c, 200, "ok\n");
}

/* NULL when this node is ready. */
static const char *not_ready(const struct call *c)
{
    const struct api_shared *s = c->api->shared;
    char why[PEERS_WHY_SIZE];

    if (s->node->witness)
        return "this node is a witness: it votes and serves nobody";
    if (s->node->draining)
        return "this node is draining";
    if (!s->node->ready)
        return "this node is starting: MetaDB's schema or the keys are not there yet";
    if (s->peers != NULL && !peers_is_ready(s->peers, why)) {
        const char *copy = arena_strdup(c->arena, why);

        return copy != NULL ? copy : "MetaDB does not answer this node";
    }
    return NULL;
}

static int readyz(struct call *c, struct err *e)
{
    (void)e;
    return reply_reason(c, not_ready(c));
}

/* --- leadership ------------------------------------------------------------------------------------------------------------------- */

struct place {
    struct raft_node_status raft;
    struct drive_status drive;
    bool fresh;                  /* whom it leads, or who leads it, was heard within an election timeout */
};

/* False: this node takes no part in a cluster yet. */
static bool find_place(const struct call *c, struct place *out)
{
    const struct api_shared *s = c->api->shared;

    if (s->peers == NULL)
        return false;
    raft_node_status(s->raft, &out->raft);
    out->drive = drive_status(s->drive);
    out->fresh = clock_now_ms(s->node->clock) - out->raft.consensus.heard_ms <= (int64_t)out->raft.election_ms;
    return true;
}

/* Of the same term: for a moment after losing leadership and gaining it again the two speak of different ones. */
static bool is_active(const struct place *p)
{
    return p->drive.state == LEADING_ACTIVE && p->drive.term == p->raft.consensus.term;
}

static int leader(struct call *c, struct err *e)
{
    struct place p;

    (void)e;
    if (!find_place(c, &p) || !p.raft.consensus.leads)
        return reply_reason(c, "this node does not lead");
    if (!is_active(&p))
        return reply_reason(c, "this node was elected and has not claimed its epoch in MetaDB yet");
    return reply_reason(c, p.fresh ? NULL : "this node has not heard a majority for an election timeout");
}

static int replica(struct call *c, struct err *e)
{
    struct place p;

    (void)e;
    if (!find_place(c, &p) || p.raft.consensus.role != CONSENSUS_FOLLOWER)
        return reply_reason(c, "this node does not follow a leader");
    return reply_reason(c, p.raft.consensus.leader != 0 && p.fresh ? NULL : "this node has not heard a leader for an election timeout");
}

/* --- for people ------------------------------------------------------------------------------------------------------------------- */

struct peer {
    int64_t id;
    const char *role;
    int connected;
};

struct health {
    const char *status, *reason, *node, *zone, *role, *metadb, *version;
    int64_t id, generation, term, epoch, applied, leader;
    struct field_list peers;
    int64_t uptime_s;
    int draining, witness;
};

static const struct field peer_fields[] = {
    F_INT(peer, id, "id", DOC("Id of the other node.")),
    F_STRING(peer, role, "role", DOC("VOTER, STANDBY (gets the log and does not vote) or SPARE (was added just now).")),
    F_BOOL(peer, connected, "connected", DOC("Whether this node has a connection to it.")),
    FIELD_END,
};

static const struct field health_fields[] = {
    F_STRING(health, status, "status", DOC("ok, or what is not.")),
    F_STRING(health, reason, "reason", DOC("Why this node is not ready.")),
    F_STRING(health, node, "node", DOC("Name of this node.")),
    F_STRING(health, zone, "zone", DOC("Zone of this node.")),
    F_STRING(health, role, "role", DOC("leader; elected: leads and has not claimed its epoch in MetaDB yet; candidate; follower; or starting.")),
    F_STRING(health, metadb, "metadb", DOC("up or down, as this node sees it.")),
    F_STRING(health, version, "version", DOC("Version of ocp-server.")),
    F_INT(health, id, "id", DOC("Id of this node.")),
    F_INT(health, leader, "leader", DOC("Id of the node that leads, as this one knows it.")),
    F_INT(health, generation, "generation", DOC("How often the cluster's Raft log was founded.")),
    F_INT(health, term, "term", DOC("Term of Raft.")),
    F_INT(health, epoch, "epoch", DOC("Epoch of MetaDB under which this node leads.")),
    F_INT(health, applied, "applied", DOC("How far this node knows the Raft log to be committed.")),
    F_LIST(health, peers, "peers", peer, peer_fields, DOC("The other nodes.")),
    F_INT(health, uptime_s, "uptimeSeconds", DOC("Seconds since the start.")),
    F_BOOL(health, draining, "draining", DOC("Whether the node is about to stop.")),
    F_BOOL(health, witness, "witness", DOC("Whether it only votes: it never leads, and serves nobody.")),
    FIELD_END,
};

static int list_peers(const struct call *c, struct field_list *out, struct err *e)
{
    struct peers_member *others;
    struct peer *list;
    int rv = peers_others(c->api->shared->peers, c->arena, &others, &out->n, e);

    if (rv != 0)
        return rv;
    out->items = list = arena_array(c->arena, out->n + 1, sizeof *list);
    for (size_t i = 0; list != NULL && i < out->n; i++)
        list[i] = (struct peer){ others[i].id, others[i].role, others[i].connected };
    return list != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static const char *role_of(const struct place *p)
{
    switch (p->raft.consensus.role) {
    case CONSENSUS_LEADER:
        return is_active(p) ? "leader" : "elected";
    case CONSENSUS_CANDIDATE:
        return "candidate";
    default:
        return "follower";
    }
}

static int add_place(const struct call *c, struct health *h, struct err *e)
{
    struct place p;

    h->role = "starting";
    h->id = h->generation = h->term = h->epoch = h->applied = h->leader = FIELD_NONE;
    h->metadb = c->api->shared->node->ready ? "up" : "down";
    if (!find_place(c, &p))
        return 0;
    h->role = role_of(&p);
    h->metadb = peers_metadb(c->api->shared->peers) ? "up" : "down";
    h->id = (int64_t)p.raft.identity.node;
    h->generation = (int64_t)p.raft.identity.generation;
    h->term = (int64_t)p.raft.consensus.term;
    h->applied = (int64_t)p.raft.consensus.commit;
    if (p.drive.epoch != 0)
        h->epoch = p.drive.epoch;
    if (p.raft.consensus.leader != 0)
        h->leader = (int64_t)p.raft.consensus.leader;
    return list_peers(c, &h->peers, e);
}

static int health(struct call *c, struct err *e)
{
    const struct api_node *node = c->api->shared->node;
    struct health h = { .node = node->name, .zone = node->zone, .version = node->version, .draining = node->draining,
                        .witness = node->witness };
    int rv = add_place(c, &h, e);

    if (rv != 0)
        return rv;
    h.reason = not_ready(c);
    h.status = h.reason == NULL ? "ok" : "not ready";
    h.uptime_s = (clock_wall_us(node->clock) - node->started_wall_us) / 1000000;
    c->status = h.reason == NULL ? 200 : 503;
    return call_object(c, &h, e);
}

static const struct field member_fields[] = {
    F_INT(peers_member, id, "id", DOC("Id of the node.")),
    F_STRING(peers_member, name, "name", DOC("Its name.")),
    F_STRING(peers_member, zone, "zone", DOC("Zone of OCP that it belongs to.")),
    F_STRING(peers_member, version, "version", DOC("Version of ocp-server on it.")),
    F_STRING(peers_member, role, "role", DOC("VOTER, STANDBY (gets the log and does not vote) or SPARE (was added just now).")),
    F_STRING(peers_member, address, "peerAddress", DOC("Where the other nodes reach it.")),
    F_BOOL(peers_member, self, "self", DOC("Is it the node that answers this call?")),
    F_BOOL(peers_member, leader, "leader", DOC("Does it lead, as this node knows?")),
    F_BOOL(peers_member, connected, "connected", DOC("Whether this node has a connection to it.")),
    F_BOOL(peers_member, dead, "dead", DOC("Whether its host says that no process listens there.")),
    F_TIME(peers_member, seen_us, "seenTime", DOC("When this node last heard it.")),
    FIELD_END,
};

static int members(struct call *c, struct err *e)
{
    struct peers *peers = c->api->shared->peers;
    struct peers_member *list = NULL;
    size_t n = 0;
    int rv = peers != NULL ? peers_members(peers, c->arena, &list, &n, e) : 0;

    return rv == 0 ? call_list(c, list, n, e) : rv;
}

/* --- for others ------------------------------------------------------------------------------------------------------------------- */

/* The words that OCP's own probe answers. */
static int status(struct call *c, struct err *e)
{
    const struct api_shared *s = c->api->shared;

    (void)e;
    if (not_ready(c) != NULL)
        return reply_text(c, 503, "bad");
    return reply_text(c, 200, s->peers == NULL || peers_metadb(s->peers) ? "okay" : "bad metadb");
}

/* Another node asks. */
static int peer_state(struct call *c, struct err *e)
{
    struct http_header type = { SLICE("content-type"), SLICE("application/json") };
    struct str t;

    str_init(&t, c->arena);
    peers_add_state(c->api->shared->peers, &t); /* who calls has been found among its members */
    if (str_failed(&t))
        return err_set(e, &ERR_NOMEM, "");
    (void)http_reply(c->rq, 200, &type, 1, (struct slice){ t.s, t.n }, NULL);
    return 0;
}

#define PROBE .tag = "Health", .flags = ROUTE_ANY_ADDRESS | ROUTE_PROBE

const struct route health_routes[] = {
    ROUTE("livez", "GET", "/livez", PERM_PUBLIC, livez, REPLY_OWN, ROUTE_OWN,
          "Whether the event loops turn: for the service manager's decision to restart.", PROBE),
    ROUTE("readyz", "GET", "/readyz", PERM_PUBLIC, readyz, REPLY_OWN, ROUTE_OWN, "Whether this node should get requests: for load balancers.", PROBE),
    ROUTE("leader", "GET", "/leader", PERM_PUBLIC, leader, REPLY_OWN, ROUTE_OWN,
          "Whether this node leads: it has claimed its epoch, and a majority was heard lately.", PROBE),
    ROUTE("replica", "GET", "/replica", PERM_PUBLIC, replica, REPLY_OWN, ROUTE_OWN, "Whether this node follows a leader that it has heard lately.", PROBE),
    ROUTE("health", "GET", "/health", PERM_PUBLIC, health, REPLY_BARE, ROUTE_OWN, "How this node does, for people.", PROBE,
          ROUTE_OUT(health, health_fields)),
    ROUTE("members", "GET", "/members", PERM_LOGIN, members, REPLY_LIST, ROUTE_OWN, "The nodes of this OCP, as this one sees them.", .tag = "Health",
          .flags = ROUTE_MONITORING, ROUTE_OUT(peers_member, member_fields)),
    ROUTE("status-get", "GET", "/api/status", PERM_PUBLIC, status, REPLY_OWN, ROUTE_DOCUMENTED, "okay, or bad and the component that is down.", PROBE),
    ROUTE("peer-state", "GET", PEERS_STATE_PATH, PERM_PUBLIC, peer_state, REPLY_OWN, ROUTE_OWN, "What this node knows, for the other nodes.", .tag = "Health",
          .flags = ROUTE_ANY_ADDRESS | ROUTE_NODES),
    ROUTE_END,
};

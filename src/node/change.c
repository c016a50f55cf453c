/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/io/addr.h"
#include "src/io/fiber.h"

ERR_DEFINE(ERR_MEMBERS_CHANGING, 90761, 409, ERR_RETRY, "Another change of this OCP's nodes is under way. Try again in a second.",
           "本 OCP 的节点正在进行其他变更，请稍后重试。");
ERR_DEFINE(ERR_MEMBERS_DOWN, 90762, 409, ERR_FINAL,
           "A node of this OCP does not answer; one more would not make up for it. Start that node, or remove it first (ocpctl cluster remove).",
           "本 OCP 有节点无响应，此时添加节点无法弥补。请先启动该节点或将其移除（ocpctl cluster remove）。");
ERR_DEFINE(ERR_MEMBERS_FULL, 90763, 409, ERR_FINAL, "This OCP has {0} nodes, as many as it may have.", "本 OCP 已有 {0} 个节点，达到上限。");
ERR_DEFINE(ERR_MEMBERS_LAST, 90764, 409, ERR_FINAL, "Node {0} is the only one that votes; without it this OCP could do nothing any more. Add others first.",
           "节点 {0} 是唯一的投票节点，移除后本 OCP 将无法工作。请先添加其他节点。");
ERR_DEFINE(ERR_MEMBERS_QUORUM, 90765, 409, ERR_FINAL,
           "Without node {0} the nodes that answer would be no majority, and nobody could lead. Start the others, or remove those that are lost first.",
           "移除节点 {0} 后，可用节点将不足多数，无法选出主节点。请先启动其他节点，或先移除已丢失的节点。");
ERR_DEFINE(ERR_NODE_LEADS, 90766, 503, ERR_RETRY, "Node {0} leads; leadership is being handed to another one. Repeat the call: that one will answer it.",
           "节点 {0} 是主节点，正在移交主节点身份。请重试，新主节点将处理该请求。");
ERR_DEFINE(ERR_NODE_CANNOT_LEAD, 90767, 409, ERR_FINAL, "Node {0} cannot lead now: {1}.", "节点 {0} 当前不能成为主节点：{1}。");
ERR_DEFINE(ERR_NODE_ADDRESS, 90768, 400, ERR_FINAL, "{0} cannot be the address of the new node: {1}.", "{0} 不能作为新节点的地址：{1}。");

const struct err_row *const node_change_err_rows[] = {
    &ERR_MEMBERS_CHANGING, &ERR_MEMBERS_DOWN, &ERR_MEMBERS_FULL, &ERR_MEMBERS_LAST, &ERR_MEMBERS_QUORUM, &ERR_NODE_LEADS, &ERR_NODE_CANNOT_LEAD,
    &ERR_NODE_ADDRESS, NULL,
};

enum { POLL_MS = 20, SETTLE_MS = 5000, SILENT_TIMEOUTS = 3 };

/* --- members ----------------------------------------------------------------------------------------------------------------------- */

unsigned node_members_of(const struct raft_node_status *s, struct membership_member out[RAFT_MAX_MEMBERS])
{
    int64_t since = clock_now_ms(&clock_system) - (int64_t)SILENT_TIMEOUTS * (int64_t)s->election_ms;

    for (unsigned i = 0; i < s->n_peers; i++) {
        const struct raft_peer_status *p = &s->peers[i];
        bool self = p->member.id == s->identity.node;
        bool speaks = s->consensus.leads || p->member.id == s->consensus.leader; /* followers say nothing to each other */

        out[i] = (struct membership_member){
            .id = p->member.id,
            .role = (enum membership_role)p->member.role,
            .self = self,
            .alive = self || (p->connected && !p->dead && (!speaks || p->heard_ms >= since)),
            .caught_up = self || p->match >= s->consensus.commit,
        };
    }
    return s->n_peers;
}

_Static_assert((int)MEMBERSHIP_STANDBY == (int)MEMBER_STANDBY && (int)MEMBERSHIP_VOTER == (int)MEMBER_VOTER &&
               (int)MEMBERSHIP_SPARE == (int)MEMBER_SPARE, "the roles are Raft's");

int node_settle_members(struct raft_node *raft, const struct log *log, struct err *e)
{
    static const enum member_role roles[] = { [MEMBERSHIP_MAKE_STANDBY] = MEMBER_STANDBY, [MEMBERSHIP_MAKE_VOTER] = MEMBER_VOTER };
    struct membership_member m[RAFT_MAX_MEMBERS];
    struct raft_node_status s;
    struct membership_do what;
    struct member change;

    raft_node_status(raft, &s);
    if (!s.consensus.leads)
        return 0;
    what = membership_next(m, node_members_of(&s, m), s.consensus.changing);
    if (what.action == MEMBERSHIP_NOTHING)
        return 0;
    log_info(log, what.action == MEMBERSHIP_MAKE_VOTER ? "a node has caught up -> it votes" : "a node gets the log and does not vote",
             LOG_I("node", what.id));
    change = (struct member){ .id = what.id, .role = roles[what.action] };
    return raft_node_request(raft, RAFT_REQUEST_ASSIGN, &change, e);
}

static const struct raft_peer_status *member_of(const struct raft_node_status *s, int64_t id)
{
    for (unsigned i = 0; i < s->n_peers; i++)
        if ((int64_t)s->peers[i].member.id == id)
            return &s->peers[i];
    return NULL;
}

/* Waits until no change is under way. */
static int wait_settled(struct raft_node *raft, struct err *e)
{
    struct raft_node_status s;
    int rv = 0;

    for (unsigned waited = 0; rv == 0 && waited < SETTLE_MS; waited += POLL_MS) {
        raft_node_status(raft, &s);
        if (!s.consensus.changing)
            return 0;
        rv = fiber_sleep(POLL_MS, e);
    }
    return rv != 0 ? rv : err_set(e, &ERR_TIMEOUT, "");
}

/* Another change ends within moments, as when a new node begins to get the log. One that goes on is the verdict's to name. */
static int let_settle(struct raft_node *raft, struct raft_node_status *s, struct err *e)
{
    int rv = wait_settled(raft, e);

    if (rv == ERR_TIMEOUT.code) {
        err_clear(e);
        rv = 0;
    }
    raft_node_status(raft, s);
    return rv;
}

static int judge(enum membership_verdict verdict, const char *node, struct err *e)
{
    static const struct err_row *const rows[] = {
        [MEMBERSHIP_CHANGING] = &ERR_MEMBERS_CHANGING, [MEMBERSHIP_DOWN] = &ERR_MEMBERS_DOWN, [MEMBERSHIP_FULL] = &ERR_MEMBERS_FULL,
        [MEMBERSHIP_LAST] = &ERR_MEMBERS_LAST,         [MEMBERSHIP_QUORUM] = &ERR_MEMBERS_QUORUM, [MEMBERSHIP_LEADS] = &ERR_NODE_LEADS,
    };

    return verdict == MEMBERSHIP_FINE ? 0 : err_set(e, rows[verdict], "%s", node);
}

/* --- adding ------------------------------------------------------------------------------------------------------------------------ */

static int bad_address(const char *address, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_NODE_ADDRESS, "%s", address);
    return err_arg(e, "%s", why);
}

struct adding {
    const struct node_wanted *wanted;
    char address[ADDR_TEXT_SIZE];
    const char *name;
    struct node *nodes;            /* all there are */
    size_t n_nodes;
    struct raft_node_status raft;
    int64_t id;
    bool is_listed, is_member;     /* from an earlier call, and never there */
};

static int read_address(struct adding *a, struct err *e)
{
    struct addr at;

    if (!addr_parse_port((struct slice){ a->wanted->address, strlen(a->wanted->address) }, &at) || at.port == 0)
        return bad_address(a->wanted->address, "give the IP address and port at which the other nodes will reach its peer port, 10.0.0.4:8081", e);
    (void)addr_text_port(&at, a->address);
    a->name = a->wanted->name != NULL && a->wanted->name[0] != '\0' ? a->wanted->name : a->address;
    return 0;
}

/* Finds what an earlier call for this address has left. */
static int find_former(struct adding *a, struct err *e)
{
    for (size_t i = 0; i < a->n_nodes; i++) {
        const struct node *n = &a->nodes[i];

        if (strcmp(n->peer_address, a->address) != 0)
            continue;
        if (strcmp(n->status, "JOINING") != 0)
            return bad_address(a->address, "it is that of another node", e);
        a->id = n->id;
        a->is_listed = true;
        a->is_member = member_of(&a->raft, n->id) != NULL;
    }
    for (unsigned i = 0; i < a->raft.n_peers; i++)
        if (strcmp(a->raft.peers[i].address, a->address) == 0 && (int64_t)a->raft.peers[i].member.id != a->id)
            return bad_address(a->address, "it is that of another node", e);
    return 0;
}

static int check_adding(const struct node_changes *c, struct adding *a, struct arena *arena, struct err *e)
{
    struct membership_member m[RAFT_MAX_MEMBERS];
    int rv = read_address(a, e);

    if (rv == 0)
        rv = let_settle(c->raft, &a->raft, e);
    if (rv == 0)
        rv = store_node_list(c->members.db, NULL, arena, &a->nodes, &a->n_nodes, NULL, e);
    if (rv == 0)
        rv = find_former(a, e);
    if (rv != 0 || a->is_member)
        return rv;
    return judge(membership_may_add(m, node_members_of(&a->raft, m), a->raft.consensus.changing, MEMBERS_MAX), "9", e);
}

static int list_node(struct tx *tx, void *data, struct err *e)
{
    const struct adding *a = data;

    return store_node_expect_in(tx, a->id, a->name, a->address, a->wanted->witness, e);
}

static int enter(const struct node_changes *c, struct adding *a, struct err *e)
{
    int rv;

    if (a->is_listed)
        return 0;
    rv = db_next_id(c->members.db, &a->id, e);
    return rv == 0 ? leader_transact(c->members.db, c->leader, a->id, list_node, a, e) : rv;
}

static int make_bundle(const struct node_changes *c, const struct adding *a, struct arena *arena, struct node_added *out, struct err *e)
{
    struct node_seat *seats = arena_array(arena, RAFT_MAX_MEMBERS + 1, sizeof *seats);
    struct charter charter = { .generation = (int64_t)a->raft.identity.generation, .seats = seats };
    int rv = store_ocpcluster_find(c->members.db, arena, &charter.row, e);

    if (rv == 0 && seats == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0 && charter.row == NULL)
        rv = err_set(e, &ERR_UNEXPECTED, "the cluster is not in MetaDB");
    if (rv != 0)
        return rv;
    seats[charter.n] = (struct node_seat){ .id = a->id, .role = MEMBER_SPARE };
    (void)snprintf(seats[charter.n++].address, sizeof seats->address, "%s", a->address);
    for (unsigned i = 0; i < a->raft.n_peers; i++) {
        if ((int64_t)a->raft.peers[i].member.id == a->id)
            continue;
        seats[charter.n] = (struct node_seat){ .id = (int64_t)a->raft.peers[i].member.id, .role = a->raft.peers[i].member.role };
        (void)snprintf(seats[charter.n++].address, sizeof seats->address, "%.*s", ADDR_TEXT_SIZE - 1, a->raft.peers[i].address);
    }
    str_init(&out->bundle, arena);
    return node_bundle_make(&c->members, &charter, 0, false, arena, &out->bundle, out->secret, e);
}

int node_add(const struct node_changes *c, const struct node_wanted *w, struct arena *arena, struct node_added *out, struct err *e)
{
    struct adding a = { .wanted = w };
    int rv = check_adding(c, &a, arena, e);

    if (rv == 0)
        rv = enter(c, &a, e);
    if (rv == 0)
        rv = make_bundle(c, &a, arena, out, e);
    if (rv == 0)
        rv = db_hold_guard(e);
    if (rv == 0 && !a.is_member) {
        const struct member m = { (uint64_t)a.id, a.address, MEMBER_SPARE };

        rv = raft_node_request(c->raft, RAFT_REQUEST_ADD, &m, e);
    }
    out->id = a.id;
    return rv == 0 ? wait_settled(c->raft, e) : rv;
}

/* --- moving leadership ------------------------------------------------------------------------------------------------------------- */

/* To whoever has most of the log. */
static int hand_over(struct raft_node *raft, struct err *e)
{
    const struct member m = { .id = 0 };
    struct raft_node_status s;
    int rv = raft_node_request(raft, RAFT_REQUEST_TRANSFER, &m, e);

    for (unsigned waited = 0; rv == 0 && waited < SETTLE_MS; waited += POLL_MS) {
        raft_node_status(raft, &s);
        if (s.consensus.leader != 0 && s.consensus.leader != s.identity.node)
            return 0;
        rv = fiber_sleep(POLL_MS, e);
    }
    return rv != 0 ? rv : err_set(e, &ERR_TIMEOUT, "");
}

static int cannot_lead(const struct node *n, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_NODE_CANNOT_LEAD, "%s", n->name);
    return err_arg(e, "%s", why);
}

int node_may_lead(struct db *d, const struct raft_node_status *s, int64_t id, struct arena *arena, const char **name, struct err *e)
{
    const struct raft_peer_status *peer = member_of(s, id);
    struct node n;
    int rv = store_node_get(d, id, arena, &n, e);

    if (rv != 0)
        return rv;
    if (name != NULL)
        *name = n.name;
    if (peer == NULL || peer->member.role != MEMBER_VOTER)
        return cannot_lead(&n, "it does not vote (yet)", e);
    if (n.witness)
        return cannot_lead(&n, "it is a witness", e);
    if (n.drain_wanted)
        return cannot_lead(&n, "it is drained; resume it first", e);
    return peer->connected && !peer->dead ? 0 : cannot_lead(&n, "it does not answer", e);
}

/* --- removing ---------------------------------------------------------------------------------------------------------------------- */

struct removing {
    int64_t id;
    bool is_listed;
};

static int forget_node(struct tx *tx, void *data, struct err *e)
{
    const struct removing *r = data;
    int rv = store_certificate_revoke_in(tx, r->id, e);

    return rv == 0 && r->is_listed ? store_node_delete_in(tx, r->id, e) : rv;
}

/* May it leave? A leader hands over first, so that the repeated call finds another one: nothing has changed by that which could happen twice. */
static int allow_removal(const struct node_changes *c, int64_t id, const char *name, struct err *e)
{
    struct membership_member all[RAFT_MAX_MEMBERS];
    enum membership_verdict verdict;
    struct raft_node_status s;
    int rv = let_settle(c->raft, &s, e);

    if (rv != 0)
        return rv;
    verdict = membership_may_remove(all, node_members_of(&s, all), s.consensus.changing, (uint64_t)id);
    rv = verdict == MEMBERSHIP_LEADS ? hand_over(c->raft, e) : 0;
    return rv == 0 ? judge(verdict, name, e) : rv;
}

/* Out of the configuration first: from then on no node lets it in, MetaDB or not. */
static int leave_raft(const struct node_changes *c, int64_t id, struct err *e)
{
    const struct member m = { .id = (uint64_t)id };
    struct raft_node_status s;
    int rv;

    raft_node_status(c->raft, &s);
    if (member_of(&s, id) == NULL)
        return 0;
    rv = raft_node_request(c->raft, RAFT_REQUEST_REMOVE, &m, e);
    return rv == 0 ? wait_settled(c->raft, e) : rv;
}

int node_remove(const struct node_changes *c, int64_t id, struct arena *arena, const char **name, struct err *e)
{
    struct removing r = { id, true };
    char number[24];
    struct node n = { .name = number };
    struct raft_node_status s;
    int rv = store_node_get(c->members.db, id, arena, &n, e);

    if (rv == ERR_NOT_FOUND.code) { /* a former call has forgotten it and ended there, or there is none */
        raft_node_status(c->raft, &s);
        if (member_of(&s, id) == NULL)
            return rv;
        err_clear(e);
        (void)snprintf(number, sizeof number, "%" PRId64, id);
        n.name = number;
        r.is_listed = false;
        rv = 0;
    }
    if (rv == 0)
        rv = allow_removal(c, id, n.name, e);
    if (rv == 0)
        rv = db_hold_guard(e);
    if (rv == 0)
        rv = leave_raft(c, id, e);
    if (rv == 0)
        rv = leader_transact(c->members.db, c->leader, id, forget_node, &r, e);
    if (rv == 0 && name != NULL)
        *name = arena_strdup(arena, n.name);
    return rv;
}

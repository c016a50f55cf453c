/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/members.h"

#include <netdb.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "src/io/work.h"
#include "src/node/authority.h"
#include "src/store/leader.h"
#include "src/store/task.h"

ERR_DEFINE(ERR_CLUSTER_SIZE, 90757, 400, ERR_FINAL, "A cluster cannot have these nodes: {0}.", "集群节点数不符合要求：{0}。");
ERR_DEFINE(ERR_CLUSTER_EXISTS, 90758, 409, ERR_FINAL,
           "MetaDB belongs to a cluster of nodes already. Add nodes to it (ocpctl cluster add), or, if its nodes are lost for good, found it anew "
           "(ocpctl cluster recover).",
           "MetaDB 已属于一个节点集群。请向其添加节点（ocpctl cluster add）；若其节点均已永久丢失，请执行 ocpctl cluster recover。");
ERR_DEFINE(ERR_CLUSTER_ABSENT, 90759, 409, ERR_FINAL, "MetaDB has no cluster of nodes that could be recovered. Found one: ocpctl cluster init.",
           "MetaDB 中没有可恢复的节点集群。请执行 ocpctl cluster init 创建。");
ERR_DEFINE(ERR_NODE_ALIVE, 90760, 409, ERR_FINAL,
           "Node {0} was there within the last " NODE_DOWN_SECONDS " seconds. Stop ocp-server on all nodes of the former cluster first.",
           "节点 {0} 在最近 " NODE_DOWN_SECONDS " 秒内仍在运行。请先停止原集群所有节点上的 ocp-server。");

const struct err_row *const members_err_rows[] = { &ERR_CLUSTER_SIZE, &ERR_CLUSTER_EXISTS, &ERR_CLUSTER_ABSENT, &ERR_NODE_ALIVE, NULL };

#define PEER_PORT "8081"

static const char restored_reason[] = "MetaDB was restored from a backup while this step was under way: look at what it has done, then retry the task.";

unsigned node_voters_of(unsigned n)
{
    return n == 0 ? 0 : n - (n % 2 == 0);
}

/* --- seats ----------------------------------------------------------------------------------------------------------------------- */

struct lookup {
    struct work work;
    char host[256], port[8];
    struct addr found;
};

static void look_up(struct work *w)
{
    struct lookup *l = (struct lookup *)w;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;

    if (getaddrinfo(l->host, l->port, &hints, &list) == 0 && list != NULL)
        l->found = addr_from(list->ai_addr);
    if (list != NULL)
        freeaddrinfo(list);
}

static void drop_lookup(struct work *w)
{
    mem_free(w);
}

/* "host", "host:port", "[v6]:port"; false when it is none of them. */
static bool split(struct slice text, struct lookup *l)
{
    const char *colon = memrchr(text.s, ':', text.n), *end = memrchr(text.s, ']', text.n);
    struct slice host = text, port = SLICE(PEER_PORT);
    uint16_t number;

    if (colon != NULL && (end == NULL || end < colon)) {
        host.n = (size_t)(colon - text.s);
        port = (struct slice){ colon + 1, text.n - host.n - 1 };
    }
    if (host.n > 1 && host.s[0] == '[' && host.s[host.n - 1] == ']')
        host = (struct slice){ host.s + 1, host.n - 2 };
    if (host.n == 0 || host.n >= sizeof l->host || !port_parse(port, &number) || number == 0)
        return false;
    (void)snprintf(l->host, sizeof l->host, "%.*s", SLICE_FMT(host));
    (void)snprintf(l->port, sizeof l->port, "%.*s", SLICE_FMT(port));
    return true;
}

static int parse_one(struct slice text, struct work_pool *pool, struct node_seat *out, struct err *e)
{
    struct lookup *l = mem_zalloc(sizeof *l);
    int rv;

    if (l == NULL)
        return err_set(e, &ERR_NOMEM, "");
    l->work = (struct work){ .run = look_up, .drop = drop_lookup };
    if (!split(text, l)) {
        mem_free(l);
        return err_set(e, &ERR_INVALID, "\"%.*s\" is no address of a node: give host:port", (int)(text.n < 80 ? text.n : 80), text.s);
    }
    rv = work_run(pool, &l->work, e);
    if (rv != 0)
        return rv;
    if (l->found.known)
        (void)addr_text_port(&l->found, out->address);
    else
        rv = err_set(e, &ERR_INVALID, "%s has no address: give IP addresses, or names that can be looked up", l->host);
    mem_free(l);
    return rv;
}

static int check_seats(const struct node_seat *seats, unsigned n, struct err *e)
{
    if (n == 0)
        return err_set(e, &ERR_CLUSTER_SIZE, "none is named");
    if (n == 2)
        return err_set(e, &ERR_CLUSTER_SIZE, "two nodes survive the loss of neither, so they are less available than one; name three, the third may "
                                             "be a small machine");
    for (unsigned i = 1; i < n; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(seats[i].address, seats[k].address) == 0)
                return err_set(e, &ERR_INVALID, "%s is named twice", seats[i].address);
    return 0;
}

int node_seats_parse(const char *list, struct work_pool *pool, struct node_seat *out, unsigned *n, struct err *e)
{
    struct slice rest = { list, strlen(list) };
    int rv = 0;

    *n = 0;
    while (rv == 0 && rest.n > 0) {
        struct slice one = slice_trim(slice_cut(&rest, ','));

        if (one.n == 0)
            continue;
        if (*n == MEMBERS_MAX)
            return err_set(e, &ERR_CLUSTER_SIZE, "more than %d only make it slower", (int)MEMBERS_MAX);
        out[*n] = (struct node_seat){ .id = 0 };
        rv = parse_one(one, pool, &out[*n], e);
        *n += rv == 0;
    }
    if (rv == 0)
        rv = check_seats(out, *n, e);
    for (unsigned i = 0; i < *n; i++)
        out[i].role = i < node_voters_of(*n) ? MEMBER_VOTER : MEMBER_STANDBY;
    return rv;
}

/* --- MetaDB ---------------------------------------------------------------------------------------------------------------------- */

struct present {
    struct ocpcluster *row;       /* NULL: none */
    struct leadership led;
    struct node *nodes;
    size_t n;
};

static int read_present(const struct members_context *c, struct arena *arena, struct present *out, struct err *e)
{
    int64_t when;
    int rv = store_ocpcluster_find(c->db, arena, &out->row, e);

    if (rv == 0)
        rv = leader_read(c->db, &out->led, &when, e);
    return rv == 0 ? store_node_list(c->db, NULL, arena, &out->nodes, &out->n, NULL, e) : rv;
}

static const struct node *node_at(const struct present *p, const char *address)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->nodes[i].peer_address, address) == 0)
            return &p->nodes[i];
    return NULL;
}

/* Is it what an earlier call has made of the same seats, and nobody has led since? Then they have their ids. */
static bool was_made(const struct present *p, struct node_seat *seats, unsigned n)
{
    if (p->led.term != 0 || p->row->founder != 0 || p->n != n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        const struct node *there = node_at(p, seats[i].address);

        if (there == NULL)
            return false;
        seats[i].id = there->id;
    }
    return true;
}

struct change_of_members {
    struct ocpcluster row;        /* of a founding */
    bool is_new, restored;
    const char *lineage;
    int64_t from, generation;
    const struct present *present;
    const struct node_seat *seats;
    unsigned n;
};

static bool has_seat(const struct change_of_members *m, int64_t id)
{
    for (unsigned i = 0; i < m->n; i++)
        if (m->seats[i].id == id)
            return true;
    return false;
}

/* Rows of nodes that have no seat go, those of new seats come. */
static int write_nodes(struct tx *tx, const struct change_of_members *m, struct err *e)
{
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < m->present->n; i++)
        if (!has_seat(m, m->present->nodes[i].id))
            rv = store_node_delete_in(tx, m->present->nodes[i].id, e);
    for (unsigned i = 0; rv == 0 && i < m->n; i++)
        if (node_at(m->present, m->seats[i].address) == NULL)
            rv = store_node_expect_in(tx, m->seats[i].id, m->seats[i].address, m->seats[i].address, false, e);
    return rv;
}

static int write_members(struct tx *tx, void *data, struct err *e)
{
    struct change_of_members *m = data;
    int rv = m->is_new ? store_ocpcluster_insert_in(tx, &m->row, e) : store_ocpcluster_refound_in(tx, m->lineage, e);

    if (rv == 0 && !m->is_new)
        rv = leader_found_anew_in(tx, m->from, m->restored ? MEMBERS_RESTORED_STEP : 1, &m->generation, e);
    if (rv == 0 && m->restored)
        rv = store_task_fail_all_in(tx, restored_reason, e);
    if (rv == 0)
        rv = store_certificate_revoke_in(tx, 0, e);
    return rv == 0 ? write_nodes(tx, m, e) : rv;
}

static int give_ids(struct db *d, const struct present *p, struct node_seat *seats, unsigned n, struct err *e)
{
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < n; i++) {
        const struct node *there = node_at(p, seats[i].address);

        if (there != NULL)
            seats[i].id = there->id;
        else
            rv = db_next_id(d, &seats[i].id, e);
    }
    return rv;
}

static int write_all(const struct members_context *c, struct change_of_members *m, struct node_seat *seats, struct arena *arena,
                     struct charter *out, struct err *e)
{
    int rv = give_ids(c->db, m->present, seats, m->n, e);

    if (rv == 0)
        rv = db_transact(c->db, write_members, m, e);
    if (rv == 0)
        rv = store_ocpcluster_find(c->db, arena, &out->row, e);
    if (rv == 0 && out->row == NULL)
        rv = err_set(e, &ERR_UNEXPECTED, "the cluster is not in MetaDB");
    out->generation = m->generation;
    return rv;
}

int node_cluster_found(const struct members_context *c, struct node_seat *seats, unsigned n, struct arena *arena, struct charter *out,
                       struct err *e)
{
    uint8_t id[OCPCLUSTER_ID_BYTES];
    struct present now;
    struct change_of_members m = { .is_new = true, .present = &now, .seats = seats, .n = n };
    int rv = read_present(c, arena, &now, e);

    if (rv != 0)
        return rv;
    *out = (struct charter){ now.row, now.led.generation, seats, n };
    if (now.row != NULL)
        return was_made(&now, seats, n) ? 0 : err_set(e, &ERR_CLUSTER_EXISTS, "");
    if (RAND_bytes(id, sizeof id) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    m.generation = now.led.generation;
    rv = node_authority_found(c->vault, id, arena, &m.row, e);
    if (rv == 0)
        rv = write_all(c, &m, seats, arena, out, e);
    return rv == ERR_NAME_USED.code ? err_set(e, &ERR_CLUSTER_EXISTS, "") : rv;
}

/* Nobody of the former cluster may run: what it would do is fenced, but it would go on serving, and people would believe it. */
static int check_dead(const struct present *p, struct err *e)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->nodes[i].status, "ONLINE") == 0 || strcmp(p->nodes[i].status, "DRAINING") == 0)
            return err_set(e, &ERR_NODE_ALIVE, "%s", p->nodes[i].name);
    return 0;
}

int node_cluster_recover(const struct members_context *c, struct node_seat *seats, unsigned n, bool restored, struct arena *arena,
                         struct charter *out, struct err *e)
{
    struct present now;
    struct change_of_members m = { .present = &now, .seats = seats, .n = n, .restored = restored };
    int rv = read_present(c, arena, &now, e);

    if (rv != 0)
        return rv;
    if (now.row == NULL)
        return err_set(e, &ERR_CLUSTER_ABSENT, "");
    rv = check_dead(&now, e);
    if (rv != 0)
        return rv;
    *out = (struct charter){ now.row, now.led.generation, seats, n };
    if (!restored && was_made(&now, seats, n))
        return 0;
    m.from = now.led.generation;
    m.lineage = now.row->lineage;
    if (restored)
        rv = node_draw_lineage(arena, &m.lineage, e);
    return rv == 0 ? write_all(c, &m, seats, arena, out, e) : rv;
}

/* --- bundles --------------------------------------------------------------------------------------------------------------------- */

struct signing {
    const struct vault *vault;
    const struct ocpcluster *row;
};

static int sign(void *data, struct slice text, struct arena *arena, struct slice *signature, struct err *e)
{
    const struct signing *s = data;

    return node_authority_sign(s->vault, s->row, text, arena, signature, e);
}

static void fill(const struct charter *of, unsigned i, bool founding, struct bundle *b)
{
    b->identity = (struct raft_identity){ .generation = (uint64_t)of->generation, .node = (uint64_t)of->seats[i].id };
    b->founding = founding;
    b->authority = of->row->authority;
    b->n_members = of->n;
    for (unsigned k = 0; k < of->n; k++)
        b->members[k] = (struct member){ (uint64_t)of->seats[k].id, of->seats[k].address, of->seats[k].role };
}

int node_bundle_make(const struct members_context *c, const struct charter *of, unsigned i, bool founding, struct arena *arena,
                     struct str *text, char secret[BUNDLE_SECRET_SIZE], struct err *e)
{
    struct signing signing = { c->vault, of->row };
    struct bundle_signer signer = { sign, &signing };
    struct identity own = { .key = NULL };
    struct bundle b = { .n_members = 0 };
    bool created;
    int rv;

    fill(of, i, founding, &b);
    if (!ocpcluster_unhex(of->row->cluster, b.identity.cluster, sizeof b.identity.cluster))
        return err_set(e, &ERR_UNEXPECTED, "the id of the cluster in MetaDB is no id");
    rv = keyfile_read(c->key_file, false, &created, &b.master, e);
    if (rv == 0)
        rv = node_authority_issue(c->db, c->vault, of->row, of->seats[i].id, arena, &own, e);
    b.certificate = own.certificate;
    b.key = own.key;
    if (rv == 0)
        rv = bundle_write(&b, &signer, arena, text, secret, e);
    bundle_wipe(&b);
    return rv;
}

/* --- joining --------------------------------------------------------------------------------------------------------------------- */

int node_join(struct node_home *h, const char *key_file, const struct bundle *b, struct err *e)
{
    struct node_papers papers = { .identity = b->identity, .authority = b->authority, .certificate = b->certificate, .key = b->key };
    struct arena arena;
    struct entry first;
    int rv = keyfile_install(key_file, &b->master, e);

    arena_init(&arena);
    if (rv == 0 && b->founding) {
        rv = consensus_first_entry(b->members, b->n_members, &arena, &first, e);
        papers.first = &first;
    }
    if (rv == 0)
        rv = node_home_settle(h, &papers, e);
    arena_fini(&arena);
    return rv;
}

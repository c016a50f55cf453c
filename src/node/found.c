/* SPDX-License-Identifier: Apache-2.0 */
/* Founding a cluster of one:
 *
 *   1  draw the cluster's id, note it on the disk (peer/founding)
 *   2  one transaction in MetaDB: the cluster under this id, and this node, its founder
 *   3  a certificate; certificate and Raft directory on the disk, the directory last and as a whole
 *   4  the note is deleted
 *
 * Who is killed after 1 or 2 finds the note again, and goes on with 2 or 3: MetaDB's cluster is its own when it bears the noted id, and nobody
 * has led it. Killed after 3 it is a member. Whoever has no such note and meets a cluster in MetaDB is outside. */
#include "src/node/found.h"

#include <openssl/rand.h>
#include <string.h>

#include "raft/consensus.h"
#include "src/node/authority.h"
#include "src/store/leader.h"

ERR_DEFINE(ERR_NODE_OUTSIDE, 90753, 500, ERR_FINAL,
           "MetaDB belongs to a cluster of nodes that the node of {0} is no member of. Let it join: ocpctl cluster add on a member, then ocp-server "
           "--join here. If all members are lost for good: ocp-server --recover.",
           "MetaDB 属于另一个节点集群，{0} 的节点不是其成员。请在成员节点执行 ocpctl cluster add，然后在本机执行 ocp-server --join。"
           "若所有成员均已永久丢失，请执行 ocp-server --recover。");

const struct err_row *const node_found_err_rows[] = { &ERR_NODE_OUTSIDE, NULL };

static int outside(const struct founding *f, struct err *e)
{
    return err_set(e, &ERR_NODE_OUTSIDE, "%s", f->home->dir);
}

static int draw_cluster(const struct founding *f, uint8_t cluster[OCPCLUSTER_ID_BYTES], struct err *e)
{
    if (RAND_bytes(cluster, OCPCLUSTER_ID_BYTES) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    return node_home_set_founding(f->home, cluster, e);
}

/* --- 2: MetaDB ------------------------------------------------------------------------------------------------------------------- */

struct entering {
    struct ocpcluster row;
    struct node *self;
    int64_t fresh_id;
};

static int enter_body(struct tx *tx, void *data, struct err *e)
{
    struct entering *n = data;
    int rv = store_node_register_in(tx, n->self, n->fresh_id, e);

    n->row.founder = n->self->id;
    return rv == 0 ? store_ocpcluster_insert_in(tx, &n->row, e) : rv;
}

/* A cluster under this id, founded by this node. Somebody may be faster with another one: what is there then is the caller's to look at. */
static int enter(const struct founding *f, const uint8_t cluster[OCPCLUSTER_ID_BYTES], struct arena *arena, struct err *e)
{
    struct entering n = { .self = f->self };
    int rv;

    f->self->peer_address = f->peer_address;
    rv = node_authority_found(f->vault, cluster, arena, &n.row, e);

    if (rv == 0)
        rv = db_next_id(f->db, &n.fresh_id, e);
    if (rv == 0)
        rv = db_transact(f->db, enter_body, &n, e);
    return rv == ERR_NAME_USED.code ? 0 : rv;
}

static int find_or_enter(const struct founding *f, const uint8_t cluster[OCPCLUSTER_ID_BYTES], struct arena *arena, struct ocpcluster **row,
                         struct err *e)
{
    int rv = store_ocpcluster_find(f->db, arena, row, e);

    if (rv != 0 || *row != NULL)
        return rv;
    rv = enter(f, cluster, arena, e);
    if (rv == 0)
        rv = store_ocpcluster_find(f->db, arena, row, e);
    return rv == 0 && *row == NULL ? err_set(e, &ERR_UNEXPECTED, "the cluster is not in MetaDB") : rv;
}

/* --- 3: the disk ----------------------------------------------------------------------------------------------------------------- */

static int settle(const struct founding *f, const struct node_papers *base, const struct ocpcluster *row, struct arena *arena, struct err *e)
{
    const struct member self = { base->identity.node, f->peer_address, MEMBER_VOTER };
    struct node_papers papers = *base;
    struct identity own = { 0 };
    struct entry first;
    int rv = consensus_first_entry(&self, 1, arena, &first, e);

    if (rv == 0)
        rv = node_authority_issue(f->db, f->vault, row, row->founder, arena, &own, e);
    if (rv != 0)
        return rv;
    papers.authority = row->authority;
    papers.certificate = own.certificate;
    papers.key = own.key;
    papers.first = &first;
    rv = node_home_settle(f->home, &papers, e);
    mem_wipe(own.key, strlen(own.key));
    return rv;
}

static int finish(const struct founding *f, const uint8_t cluster[OCPCLUSTER_ID_BYTES], const struct ocpcluster *row, struct arena *arena,
                  struct err *e)
{
    struct node_papers papers = { .identity.node = (uint64_t)row->founder };
    struct leadership led;
    int64_t when;
    int rv = leader_read(f->db, &led, &when, e);

    if (rv != 0)
        return rv;
    if (led.term != 0 || row->founder <= 0)
        return outside(f, e);
    memcpy(papers.identity.cluster, cluster, OCPCLUSTER_ID_BYTES);
    papers.identity.generation = (uint64_t)led.generation;
    f->self->id = row->founder;
    return settle(f, &papers, row, arena, e);
}

static int found(const struct founding *f, struct arena *arena, struct err *e)
{
    uint8_t cluster[OCPCLUSTER_ID_BYTES], theirs[OCPCLUSTER_ID_BYTES];
    struct ocpcluster *row;
    bool noted;
    int rv = node_home_founding(f->home, cluster, &noted, e);

    if (rv == 0 && !noted) {
        rv = store_ocpcluster_find(f->db, arena, &row, e);
        if (rv == 0)
            rv = row != NULL ? outside(f, e) : draw_cluster(f, cluster, e);
    }
    if (rv == 0)
        rv = find_or_enter(f, cluster, arena, &row, e);
    if (rv != 0)
        return rv;
    if (!ocpcluster_unhex(row->cluster, theirs, sizeof theirs) || memcmp(theirs, cluster, sizeof theirs) != 0)
        return outside(f, e);
    return finish(f, cluster, row, arena, e);
}

int node_found_alone(const struct founding *f, bool *fresh, struct err *e)
{
    struct arena arena;
    int rv = 0;

    *fresh = !node_home_is_member(f->home);
    arena_init(&arena);
    if (*fresh)
        rv = found(f, &arena, e);
    arena_fini(&arena);
    return rv == 0 ? node_home_set_founding(f->home, NULL, e) : rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A node becomes a member of a cluster: founding it alone, whatever moment it is killed at. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "raft/consensus.h"
#include "src/node/authority.h"
#include "src/node/found.h"
#include "src/node/registry.h"
#include "src/peer/hello.h"
#include "src/store/leader.h"
#include "tests/lib/store.h"

static const unsigned char master_key[32] = "a master key of thirty-two bytes";

struct fixture {
    struct test_store *t;
    struct vault *vault;
    char dir[64];
    struct node_home *home;
    struct node self;
};

static void run_command(const char *format, const char *dir)
{
    char command[200];

    (void)snprintf(command, sizeof command, format, dir);
    assert_int_equal(system(command), 0);
}

static void clear(struct test_store *t)
{
    (void)test_store_sql(t, "DELETE FROM ocp_cluster");
    (void)test_store_sql(t, "DELETE FROM node_certificate");
    (void)test_store_sql(t, "DELETE FROM node");
    (void)test_store_sql(t, "UPDATE leader_epoch SET generation = 1, term = 0, epoch = 0, node_id = 0");
    (void)test_store_sql(t, "UPDATE leader_fence SET epoch = 0, n = 0");
}

static struct fixture set_up(struct test_store *t, const char *name)
{
    struct fixture f = { .t = t };

    (void)snprintf(f.dir, sizeof f.dir, "/tmp/node-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    f.self = (struct node){ .name = name, .zone = "", .idc = "", .address = "127.0.0.1:8080", .version = "1", .build_time = "", .started_us = 1000000 };
    assert_ok(vault_new_keys(master_key, NULL, &f.vault, &t->e), &t->e);
    assert_ok(node_home_open(f.dir, &f.home, &t->e), &t->e);
    return f;
}

static void tear_down(struct fixture *f)
{
    node_home_close(f->home);
    vault_free(f->vault);
    run_command("rm -rf %s", f->dir);
}

static int found(struct fixture *f, bool *fresh, struct err *e)
{
    struct founding founding = { f->t->db, f->vault, f->home, &f->self, "127.0.0.1:8081" };

    return node_found_alone(&founding, fresh, e);
}

static struct raft_identity identity_of(struct fixture *f, size_t *n_entries)
{
    struct raft_dir_state st;
    struct raft_dir *dir;

    assert_ok(raft_dir_open(f->home->raft_dir, &f->t->arena, &st, &dir, &f->t->e), &f->t->e);
    raft_dir_close(dir);
    *n_entries = st.n_entries;
    return st.identity;
}

/* All that a member has, and that it fits together. */
static void expect_member(struct fixture *f)
{
    struct certificate_facts facts;
    struct raft_identity who;
    struct ocpcluster *row;
    char uri[PEER_URI_SIZE], hex[OCPCLUSTER_HEX_SIZE];
    struct stat st;
    size_t n;

    who = identity_of(f, &n);
    assert_int_equal(n, 1);
    assert_int_equal(who.generation, 1);
    assert_int_equal(who.node, f->self.id);
    assert_ok(node_home_certificate(f->home, &facts, &f->t->e), &f->t->e);
    assert_string_equal(facts.uri, peer_uri(who.cluster, who.node, uri));
    assert_ok(store_ocpcluster_find(f->t->db, &f->t->arena, &row, &f->t->e), &f->t->e);
    assert_non_null(row);
    assert_string_equal(row->cluster, ocpcluster_hex(who.cluster, sizeof who.cluster, hex));
    assert_int_equal(row->founder, who.node);
    assert_null(memmem(row->authority_key.s, row->authority_key.n, "PRIVATE", 7));
    assert_int_equal(stat(f->home->certificate_file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(test_store_number(f->t, "SELECT COUNT(*) FROM node"), 1);
    assert_int_equal(test_store_number(f->t, "SELECT COUNT(*) FROM node_certificate WHERE revoked_at IS NULL"),
                     test_store_number(f->t, "SELECT COUNT(*) FROM node_certificate"));
}

static void founds_once(struct test_store *t)
{
    struct fixture f;
    bool fresh;
    int64_t id;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    assert_true(fresh);
    assert_true(f.self.id > 1000);
    expect_member(&f);
    id = f.self.id;
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    assert_false(fresh);
    assert_int_equal(f.self.id, id);
    expect_member(&f);
    tear_down(&f);
}
STORE_TEST(founds_once)

/* Puts the disk back to what it was at some step, and goes on from there: MetaDB knows the cluster in each case. */
static void finishes_what_was_begun(struct test_store *t)
{
    static const char *const undo[] = {
        "rm -rf %1$s/raft %1$s/peer/node.pem %1$s/peer/authority.crt",       /* killed after MetaDB had it */
        "rm -rf %1$s/raft",                                                  /* before the Raft directory */
        "mv %1$s/raft %1$s/raft.new && rm %1$s/raft.new/meta-a",             /* within it */
        "mv %1$s/raft %1$s/raft.new",                                        /* before it got its name */
        "true %1$s",                                                         /* before the note was deleted */
    };
    uint8_t cluster[OCPCLUSTER_ID_BYTES], again[OCPCLUSTER_ID_BYTES];
    struct fixture f;
    bool fresh, there;
    size_t n;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    memcpy(cluster, identity_of(&f, &n).cluster, sizeof cluster);
    for (size_t i = 0; i < sizeof undo / sizeof undo[0]; i++) {
        int64_t id = f.self.id;

        run_command(undo[i], f.dir);
        assert_ok(node_home_set_founding(f.home, cluster, &t->e), &t->e);
        assert_ok(found(&f, &fresh, &t->e), &t->e);
        assert_int_equal(fresh, i < 4);
        assert_int_equal(f.self.id, id);
        expect_member(&f);
        memcpy(again, identity_of(&f, &n).cluster, sizeof again);
        assert_memory_equal(again, cluster, sizeof cluster);
        assert_ok(node_home_founding(f.home, again, &there, &t->e), &t->e);
        assert_false(there);
    }
    tear_down(&f);
}
STORE_TEST(finishes_what_was_begun)

static void killed_before_metadb(struct test_store *t)
{
    static const uint8_t cluster[OCPCLUSTER_ID_BYTES] = "drawn and noted";
    struct fixture f;
    bool fresh;
    size_t n;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(node_home_set_founding(f.home, cluster, &t->e), &t->e);
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    expect_member(&f);
    assert_memory_equal(identity_of(&f, &n).cluster, cluster, sizeof cluster);
    tear_down(&f);
}
STORE_TEST(killed_before_metadb)

static void others_are_outside(struct test_store *t)
{
    struct fixture f, g;
    bool fresh;

    clear(t);
    f = set_up(t, "n1");
    g = set_up(t, "n2");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    assert_err(found(&g, &fresh, &t->e), &t->e, ERR_NODE_OUTSIDE);
    assert_false(node_home_is_member(g.home));
    g.self.name = "n1"; /* the same name makes it no member, either */
    assert_err(found(&g, &fresh, &t->e), &t->e, ERR_NODE_OUTSIDE);
    assert_ok(node_home_set_founding(g.home, (const uint8_t *)"another cluster", &t->e), &t->e); /* it lost the race */
    assert_err(found(&g, &fresh, &t->e), &t->e, ERR_NODE_OUTSIDE);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node"), 1);
    run_command("rm -rf %s/raft", f.dir); /* a lost disk is not begun anew */
    assert_err(found(&f, &fresh, &t->e), &t->e, ERR_NODE_OUTSIDE);
    tear_down(&f);
    tear_down(&g);
}
STORE_TEST(others_are_outside)

/* A snapshot of the disk from before the end of the founding, put back when the cluster has long had leaders. */
static void led_clusters_are_not_founded(struct test_store *t)
{
    struct leadership l = { .generation = 1, .term = 2 };
    enum leader_claimed how;
    uint8_t cluster[OCPCLUSTER_ID_BYTES];
    struct fixture f;
    bool fresh;
    size_t n;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    memcpy(cluster, identity_of(&f, &n).cluster, sizeof cluster);
    l.node_id = f.self.id;
    assert_ok(leader_claim(t->db, &l, &how, &t->e), &t->e);
    run_command("rm -rf %s/raft", f.dir);
    assert_ok(node_home_set_founding(f.home, cluster, &t->e), &t->e);
    assert_err(found(&f, &fresh, &t->e), &t->e, ERR_NODE_OUTSIDE);
    tear_down(&f);
}
STORE_TEST(led_clusters_are_not_founded)

struct race {
    struct fixture nodes[6];
    unsigned next, n_founded, n_outside;
};

static void race_one(void *data)
{
    struct race *r = data;
    struct fixture *f = &r->nodes[r->next++];
    struct err e = { 0 };
    bool fresh;
    int rv = found(f, &fresh, &e);

    r->n_founded += rv == 0;
    r->n_outside += rv == ERR_NODE_OUTSIDE.code;
}

static void one_founder_of_many(struct test_store *t)
{
    enum { N = sizeof((struct race *)0)->nodes / sizeof(struct fixture) };
    struct race *r = calloc(1, sizeof *r);
    struct fiber_group g = { 0 };
    char names[N][8];

    clear(t);
    for (unsigned i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%u", i);
        r->nodes[i] = set_up(t, names[i]);
    }
    for (unsigned i = 0; i < N; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "race", race_one, r, &t->e), &t->e);
    assert_ok(fiber_group_wait(&g, &t->e), &t->e);
    assert_int_equal(r->n_founded, 1);
    assert_int_equal(r->n_outside, N - 1);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node"), 1);
    for (unsigned i = 0; i < N; i++)
        tear_down(&r->nodes[i]);
    free(r);
}
STORE_TEST(one_founder_of_many)

static void folder_has_one_owner(struct test_store *t)
{
    struct fixture f = set_up(t, "n1");
    struct node_home *second;

    assert_err(node_home_open(f.dir, &second, &t->e), &t->e, ERR_NODE_HOME_USED);
    assert_null(second);
    assert_err(node_home_open("/nonexistent/data", &second, &t->e), &t->e, ERR_NODE_HOME);
    tear_down(&f);
}
STORE_TEST(folder_has_one_owner)

static void certificates_are_replaced(struct test_store *t)
{
    struct certificate_facts facts;
    struct ocpcluster *row;
    struct identity fresh, foreign;
    struct fixture f;
    bool is_new;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &is_new, &t->e), &t->e);
    assert_ok(store_ocpcluster_find(t->db, &t->arena, &row, &t->e), &t->e);
    assert_ok(node_authority_issue(t->db, f.vault, row, f.self.id, &t->arena, &fresh, &t->e), &t->e);
    assert_ok(node_home_renew(f.home, fresh.certificate, fresh.key, &t->e), &t->e);
    assert_ok(node_home_certificate(f.home, &facts, &t->e), &t->e);
    assert_string_equal(facts.serial, fresh.serial);
    assert_ok(node_authority_issue(t->db, f.vault, row, f.self.id + 1, &t->arena, &foreign, &t->e), &t->e);
    assert_err(node_home_renew(f.home, foreign.certificate, foreign.key, &t->e), &t->e, ERR_INVALID); /* another node's */
    assert_err(node_home_renew(f.home, fresh.certificate, foreign.key, &t->e), &t->e, ERR_INVALID);   /* not a pair */
    assert_ok(authority_found("stranger", &t->arena, &foreign, &t->e), &t->e);
    assert_err(node_home_renew(f.home, foreign.certificate, foreign.key, &t->e), &t->e, ERR_INVALID); /* another authority */
    assert_ok(node_home_certificate(f.home, &facts, &t->e), &t->e);
    assert_string_equal(facts.serial, fresh.serial);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node_certificate"), 3);
    tear_down(&f);
}
STORE_TEST(certificates_are_replaced)

static void removed_node_stays_removed(struct test_store *t)
{
    struct fixture f;
    bool fresh;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    f.self.name = "renamed";
    assert_ok(node_sign_on(t->db, &f.self, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node WHERE name = 'renamed' AND peer_address = '127.0.0.1:8081'"), 1);
    assert_ok(node_beat(t->db, &f.self, false, &t->e), &t->e);
    (void)test_store_sql(t, "DELETE FROM node");
    assert_err(node_beat(t->db, &f.self, false, &t->e), &t->e, ERR_NODE_REMOVED);
    assert_err(node_sign_on(t->db, &f.self, &t->e), &t->e, ERR_NODE_REMOVED);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node"), 0);
    tear_down(&f);
}
STORE_TEST(removed_node_stays_removed)

/* --- memory ------------------------------------------------------------------------------------------------------------------------ */

struct settling {
    char dir[64];
    struct node_papers papers;
};

static int settle(void *data)
{
    const struct settling *s = data;
    struct node_home *h;
    struct err e = { 0 };
    int rv = node_home_open(s->dir, &h, &e);

    if (rv == 0)
        rv = node_home_settle(h, &s->papers, &e);
    node_home_close(h);
    return rv;
}

static void settles_without_memory(struct test_store *t)
{
    struct settling s = { .papers = { .identity = { .cluster = "cluster", .generation = 1, .node = 7 } } };
    struct member self = { 7, "127.0.0.1:8081", MEMBER_VOTER };
    char uri[PEER_URI_SIZE];
    struct identity ca, own;
    struct node_home *h;
    struct entry first;

    (void)snprintf(s.dir, sizeof s.dir, "/tmp/node-XXXXXX");
    assert_non_null(mkdtemp(s.dir));
    assert_ok(authority_found("ca", &t->arena, &ca, &t->e), &t->e);
    assert_ok(authority_issue(&ca, peer_uri(s.papers.identity.cluster, 7, uri), 30, &t->arena, &own, &t->e), &t->e);
    assert_ok(consensus_first_entry(&self, 1, &t->arena, &first, &t->e), &t->e);
    s.papers.authority = ca.certificate;
    s.papers.certificate = own.certificate;
    s.papers.key = own.key;
    s.papers.first = &first;
    test_oom_sweep(settle, &s); /* on one folder: each try goes on from what the former left */
    assert_ok(node_home_open(s.dir, &h, &t->e), &t->e);
    assert_true(node_home_is_member(h));
    assert_err(node_home_settle(h, &s.papers, &t->e), &t->e, ERR_NODE_MEMBER);
    node_home_close(h);
    run_command("rm -rf %s", s.dir);
}
STORE_TEST(settles_without_memory)

static int found_swept(void *data)
{
    struct err e = { 0 };
    bool fresh;

    return found(data, &fresh, &e);
}

static void founds_without_memory(struct test_store *t)
{
    struct fixture f;

    clear(t);
    f = set_up(t, "n1");
    test_oom_sweep(found_swept, &f);
    expect_member(&f);
    tear_down(&f);
}
STORE_TEST(founds_without_memory)

static const struct CMUnitTest tests[] = {
    STORE_UNIT(founds_once),
    STORE_UNIT(finishes_what_was_begun),
    STORE_UNIT(killed_before_metadb),
    STORE_UNIT(others_are_outside),
    STORE_UNIT(led_clusters_are_not_founded),
    STORE_UNIT(one_founder_of_many),
    STORE_UNIT(folder_has_one_owner),
    STORE_UNIT(certificates_are_replaced),
    STORE_UNIT(removed_node_stays_removed),
    STORE_UNIT(settles_without_memory),
    STORE_UNIT(founds_without_memory),
    { NULL },
};

int main(void)
{
    static const struct CMUnitTest *const groups[] = { tests };

    return test_store_main("node", groups, 1);
}

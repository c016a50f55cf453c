/* SPDX-License-Identifier: Apache-2.0 */
/* A node becomes a member of a cluster: founding it alone, whatever moment it is killed at. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "raft/consensus.h"
#include "src/node/address.h"
#include "src/node/authority.h"
#include "src/node/found.h"
#include "src/node/members.h"
#include "src/node/registry.h"
#include "src/node/renew.h"
#include "src/node/revoked.h"
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
    (void)test_store_sql(t, "UPDATE leader_epoch SET generation = 1, term = 0, node_id = 0");
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
    assert_ok(node_home_settle(h, &s.papers, &t->e), &t->e); /* again: nothing more */
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

/* --- bundles ------------------------------------------------------------------------------------------------------------------------ */

static const uint8_t cluster_id[OCPCLUSTER_ID_BYTES] = "a cluster's id.";

static int sign_as(void *data, struct slice text, struct arena *arena, struct slice *signature, struct err *e)
{
    return authority_sign(data, text, arena, signature, e);
}

static struct bundle sample(struct arena *arena, struct identity *ca, struct err *e)
{
    struct bundle b = { .identity = { .generation = 3, .node = 1002 }, .founding = true, .n_members = 3,
                        .members = { { 1001, "127.0.0.1:8081", MEMBER_VOTER }, { 1002, "[::1]:8082", MEMBER_VOTER }, { 1003, "127.0.0.3:1", MEMBER_STANDBY } },
                        .master = { .keys = { "the present key, 32 bytes of it.", "the former key, 32 bytes of it.." }, .n = 2 } };
    struct identity own;
    char uri[PEER_URI_SIZE];

    memcpy(b.identity.cluster, cluster_id, sizeof cluster_id);
    assert_ok(authority_found("ca", arena, ca, e), e);
    assert_ok(authority_issue(ca, peer_uri(cluster_id, 1002, uri), 30, arena, &own, e), e);
    b.authority = ca->certificate;
    b.certificate = own.certificate;
    b.key = own.key;
    return b;
}

static void bundle_goes_and_comes(struct test_store *t)
{
    char secret[BUNDLE_SECRET_SIZE], sloppy[2 * BUNDLE_SECRET_SIZE];
    struct identity ca;
    struct bundle b = sample(&t->arena, &ca, &t->e), got;
    struct bundle_signer signer = { sign_as, &ca };
    struct bundle_sealed sealed;
    struct str text;

    str_init(&text, &t->arena);
    assert_ok(bundle_write(&b, &signer, &t->arena, &text, secret, &t->e), &t->e);
    assert_int_equal(strlen(secret), BUNDLE_SECRET_SIZE - 1);
    assert_null(strstr(text.s, "PRIVATE"));
    assert_null(strstr(text.s, secret));
    assert_ok(bundle_read((struct slice){ text.s, text.n }, &t->arena, &got, &sealed, &t->e), &t->e);
    assert_null(got.key);
    assert_int_equal(got.identity.generation, 3);
    assert_int_equal(got.identity.node, 1002);
    assert_memory_equal(got.identity.cluster, cluster_id, sizeof cluster_id);
    assert_int_equal(got.n_members, 3);
    assert_string_equal(got.members[1].address, "[::1]:8082");
    assert_int_equal(got.members[2].role, MEMBER_STANDBY);
    assert_ok(bundle_open(&got, &sealed, secret, &t->arena, &t->e), &t->e);
    assert_string_equal(got.key, b.key);
    assert_string_equal(got.certificate, b.certificate);
    assert_int_equal(got.master.n, 2);
    assert_memory_equal(got.master.keys, b.master.keys, sizeof b.master.keys);
    bundle_wipe(&got);
    assert_int_equal(got.key[0], '\0');

    for (size_t i = 0, n = 0; i <= strlen(secret); i++) { /* as people copy it */
        sloppy[n++] = secret[i] == '-' ? ' ' : secret[i] == '0' ? 'o' : secret[i] == '1' ? 'l' : (char)(secret[i] | (secret[i] >= 'A' ? 0x20 : 0));
        sloppy[n] = '\0';
    }
    assert_ok(bundle_open(&got, &sealed, sloppy, &t->arena, &t->e), &t->e);
    secret[0] = secret[0] == 'A' ? 'B' : 'A';
    assert_err(bundle_open(&got, &sealed, secret, &t->arena, &t->e), &t->e, ERR_BUNDLE_SECRET);
    assert_err(bundle_open(&got, &sealed, "ABCD", &t->arena, &t->e), &t->e, ERR_BUNDLE_SECRET);
    assert_err(bundle_open(&got, &sealed, "", &t->arena, &t->e), &t->e, ERR_BUNDLE_SECRET);
}
STORE_TEST(bundle_goes_and_comes)

/* Whatever byte of it is another: it is refused, or says exactly the same. */
static void changed_bundles_are_refused(struct test_store *t)
{
    char secret[BUNDLE_SECRET_SIZE], *copy;
    struct identity ca;
    struct bundle b = sample(&t->arena, &ca, &t->e), got;
    struct bundle_signer signer = { sign_as, &ca };
    struct bundle_sealed sealed;
    unsigned n_refused = 0;
    struct str text;

    str_init(&text, &t->arena);
    assert_ok(bundle_write(&b, &signer, &t->arena, &text, secret, &t->e), &t->e);
    copy = arena_alloc(&t->arena, text.n);
    for (size_t i = 0; i < text.n; i++) {
        struct arena arena;

        memcpy(copy, text.s, text.n);
        copy[i] ^= 1;
        arena_init(&arena);
        n_refused += bundle_read((struct slice){ copy, text.n }, &arena, &got, &sealed, &t->e) != 0;
        if (t->e.row == NULL)
            assert_int_equal(got.identity.node, 1002); /* a blank that is none any more */
        err_clear(&t->e);
        arena_fini(&arena);
    }
    assert_true(n_refused > text.n * 9 / 10);
    assert_err(bundle_read((struct slice){ text.s, text.n - 20 }, &t->arena, &got, &sealed, &t->e), &t->e, ERR_BUNDLE_FORMAT);
    assert_err(bundle_read((struct slice){ "", 0 }, &t->arena, &got, &sealed, &t->e), &t->e, ERR_BUNDLE_FORMAT);
}
STORE_TEST(changed_bundles_are_refused)

/* A forger with an authority of his own, who does not know the secret: the signature is fine, the seal is not. */
static void forged_bundles_do_not_open(struct test_store *t)
{
    char secret[BUNDLE_SECRET_SIZE], his[BUNDLE_SECRET_SIZE];
    struct identity ca, forger;
    struct bundle b = sample(&t->arena, &ca, &t->e), forged = sample(&t->arena, &forger, &t->e), got;
    struct bundle_signer signer = { sign_as, &ca }, his_signer = { sign_as, &forger };
    struct bundle_sealed sealed;
    struct str text, his_text;

    str_init(&text, &t->arena);
    str_init(&his_text, &t->arena);
    assert_ok(bundle_write(&b, &signer, &t->arena, &text, secret, &t->e), &t->e);
    assert_ok(bundle_write(&forged, &his_signer, &t->arena, &his_text, his, &t->e), &t->e);
    assert_ok(bundle_read((struct slice){ his_text.s, his_text.n }, &t->arena, &got, &sealed, &t->e), &t->e);
    assert_err(bundle_open(&got, &sealed, secret, &t->arena, &t->e), &t->e, ERR_BUNDLE_SECRET);
}
STORE_TEST(forged_bundles_do_not_open)

struct bundle_sweep {
    struct bundle b;
    struct identity ca;
};

static int write_and_open(void *data)
{
    struct bundle_sweep *s = data;
    struct bundle_signer signer = { sign_as, &s->ca };
    char secret[BUNDLE_SECRET_SIZE];
    struct bundle_sealed sealed;
    struct bundle got;
    struct arena arena;
    struct err e = { 0 };
    struct str text;
    int rv;

    arena_init(&arena);
    str_init(&text, &arena);
    rv = bundle_write(&s->b, &signer, &arena, &text, secret, &e);
    if (rv == 0)
        rv = bundle_read((struct slice){ text.s, text.n }, &arena, &got, &sealed, &e);
    if (rv == 0)
        rv = bundle_open(&got, &sealed, secret, &arena, &e);
    arena_fini(&arena);
    return rv;
}

static void bundles_without_memory(struct test_store *t)
{
    struct bundle_sweep s;

    s.b = sample(&t->arena, &s.ca, &t->e);
    test_oom_sweep(write_and_open, &s);
}
STORE_TEST(bundles_without_memory)

/* --- clusters by command ------------------------------------------------------------------------------------------------------------ */

static struct members_context context(struct fixture *f, char key_file[96])
{
    FILE *file;

    (void)snprintf(key_file, 96, "%s/master.key", f->dir);
    file = fopen(key_file, "w");
    assert_non_null(file);
    for (size_t i = 0; i < sizeof master_key; i++)
        (void)fprintf(file, "%02x", master_key[i]);
    assert_int_equal(fclose(file), 0);
    run_command("chmod 600 %s/master.key", f->dir);
    return (struct members_context){ f->t->db, f->vault, key_file };
}

static unsigned seats_of(struct fixture *f, const char *list, struct node_seat out[MEMBERS_MAX])
{
    unsigned n;

    assert_ok(node_seats_parse(list, f->t->connect_pool, out, &n, &f->t->e), &f->t->e);
    return n;
}

static void seats_are_odd(struct test_store *t)
{
    struct node_seat seats[MEMBERS_MAX];
    struct fixture f = set_up(t, "n1");
    unsigned n;

    assert_int_equal(seats_of(&f, "127.0.0.1, [::1]:8082,127.0.0.3:1", seats), 3);
    assert_string_equal(seats[0].address, "127.0.0.1:8081");
    assert_string_equal(seats[1].address, "[::1]:8082");
    assert_int_equal(seats[2].role, MEMBER_VOTER);
    assert_int_equal(seats_of(&f, "127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4", seats), 4);
    assert_int_equal(seats[2].role, MEMBER_VOTER);
    assert_int_equal(seats[3].role, MEMBER_STANDBY);
    assert_int_equal(seats_of(&f, "localhost:9", seats), 1);
    assert_err(node_seats_parse("127.0.0.1,127.0.0.2", t->connect_pool, seats, &n, &t->e), &t->e, ERR_CLUSTER_SIZE);
    assert_err(node_seats_parse(" , ", t->connect_pool, seats, &n, &t->e), &t->e, ERR_CLUSTER_SIZE);
    assert_err(node_seats_parse("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3,127.0.0.1:4,127.0.0.1:5,127.0.0.1:6,127.0.0.1:7,127.0.0.1:8,127.0.0.1:9,"
                                "127.0.0.1:10", t->connect_pool, seats, &n, &t->e), &t->e, ERR_CLUSTER_SIZE);
    assert_err(node_seats_parse("127.0.0.1,127.0.0.2,127.0.0.1:8081", t->connect_pool, seats, &n, &t->e), &t->e, ERR_INVALID);
    assert_err(node_seats_parse("a:b", t->connect_pool, seats, &n, &t->e), &t->e, ERR_INVALID);
    assert_err(node_seats_parse("127.0.0.1:0", t->connect_pool, seats, &n, &t->e), &t->e, ERR_INVALID);
    assert_err(node_seats_parse("no.such.host.invalid", t->connect_pool, seats, &n, &t->e), &t->e, ERR_INVALID);
    tear_down(&f);
}
STORE_TEST(seats_are_odd)

/* Makes the bundle of a seat and joins with it in a folder of its own; returns the identity there. */
static struct raft_identity join(struct fixture *f, const struct members_context *c, const struct charter *charter, unsigned i, struct fixture *as)
{
    char secret[BUNDLE_SECRET_SIZE], key_file[96];
    struct bundle_sealed sealed;
    struct bundle b;
    struct str text;
    size_t n;

    str_init(&text, &f->t->arena);
    assert_ok(node_bundle_make(c, charter, i, true, &f->t->arena, &text, secret, &f->t->e), &f->t->e);
    assert_ok(bundle_read((struct slice){ text.s, text.n }, &f->t->arena, &b, &sealed, &f->t->e), &f->t->e);
    assert_ok(bundle_open(&b, &sealed, secret, &f->t->arena, &f->t->e), &f->t->e);
    (void)snprintf(key_file, sizeof key_file, "%s/master.key", as->dir);
    assert_ok(node_join(as->home, key_file, &b, &f->t->e), &f->t->e);
    return identity_of(as, &n);
}

static void clusters_are_founded_by_command(struct test_store *t)
{
    struct node_seat seats[MEMBERS_MAX], again[MEMBERS_MAX], others[MEMBERS_MAX];
    struct charter charter, same;
    struct members_context c;
    struct fixture f, nodes[3];
    char key_file[96];
    unsigned n;

    clear(t);
    f = set_up(t, "admin");
    c = context(&f, key_file);
    n = seats_of(&f, "127.0.0.1,127.0.0.2,127.0.0.3", seats);
    assert_ok(node_cluster_found(&c, seats, n, &t->arena, &charter, &t->e), &t->e);
    assert_int_equal(charter.generation, 1);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node"), 3);
    (void)seats_of(&f, "127.0.0.3,127.0.0.2,127.0.0.1", again); /* killed before the bundles were written: again */
    assert_ok(node_cluster_found(&c, again, n, &t->arena, &same, &t->e), &t->e);
    assert_int_equal(again[2].id, seats[0].id);
    assert_string_equal(same.row->cluster, charter.row->cluster);
    (void)seats_of(&f, "127.0.0.1,127.0.0.2,127.0.0.4", others);
    assert_err(node_cluster_found(&c, others, n, &t->arena, &same, &t->e), &t->e, ERR_CLUSTER_EXISTS);
    for (unsigned i = 0; i < 3; i++) {
        struct raft_identity who;

        nodes[i] = set_up(t, "n");
        who = join(&f, &c, &charter, i, &nodes[i]);
        assert_int_equal(who.node, seats[i].id);
        assert_int_equal(who.generation, 1);
        tear_down(&nodes[i]);
    }
    tear_down(&f);
}
STORE_TEST(clusters_are_founded_by_command)

static void lead_once(struct test_store *t, int64_t generation, int64_t node)
{
    struct leadership l = { .generation = generation, .term = 2, .node_id = node };
    enum leader_claimed how;

    assert_ok(leader_claim(t->db, &l, &how, &t->e), &t->e);
    assert_int_equal(how, LEADER_CLAIMED);
}

static void clusters_are_recovered(struct test_store *t)
{
    struct node_seat seats[MEMBERS_MAX], one[MEMBERS_MAX], two[MEMBERS_MAX];
    struct leadership old = { .generation = 1, .term = 9 }, now;
    enum leader_claimed how;
    struct charter charter, anew;
    struct members_context c;
    struct fixture f, node;
    char key_file[96], lineage[64];
    int64_t when, epoch;
    unsigned n;

    clear(t);
    f = set_up(t, "admin");
    node = set_up(t, "n1");
    c = context(&f, key_file);
    (void)seats_of(&f, "127.0.0.1", one);
    assert_err(node_cluster_recover(&c, one, 1, false, &t->arena, &anew, &t->e), &t->e, ERR_CLUSTER_ABSENT);
    n = seats_of(&f, "127.0.0.1,127.0.0.2,127.0.0.3", seats);
    assert_ok(node_cluster_found(&c, seats, n, &t->arena, &charter, &t->e), &t->e);
    (void)join(&f, &c, &charter, 0, &node);
    lead_once(t, 1, seats[0].id);
    assert_err(node_cluster_found(&c, seats, n, &t->arena, &charter, &t->e), &t->e, ERR_CLUSTER_EXISTS); /* it has been led */
    node.self.id = seats[0].id;
    assert_ok(node_sign_on(t->db, &node.self, &t->e), &t->e);
    assert_err(node_cluster_recover(&c, one, 1, false, &t->arena, &anew, &t->e), &t->e, ERR_NODE_ALIVE);
    (void)test_store_sql(t, "UPDATE node SET seen_at = NOW(6) - INTERVAL 1 MINUTE");

    assert_ok(node_cluster_recover(&c, one, 1, false, &t->arena, &anew, &t->e), &t->e);
    assert_int_equal(anew.generation, 2);
    assert_int_equal(one[0].id, seats[0].id);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node"), 1);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node_certificate WHERE revoked_at IS NULL"), 0);
    old.node_id = seats[1].id; /* who was left out can do nothing any more */
    assert_err(leader_claim(t->db, &old, &how, &t->e), &t->e, ERR_LEADER_GIVEN_UP);
    assert_err(node_is_current(t->db, 1, &t->e), &t->e, ERR_LEADER_GIVEN_UP);
    assert_ok(node_is_current(t->db, 2, &t->e), &t->e);
    (void)seats_of(&f, "127.0.0.1", two); /* again: nothing more */
    assert_ok(node_cluster_recover(&c, two, 1, false, &t->arena, &anew, &t->e), &t->e);
    assert_int_equal(anew.generation, 2);
    assert_int_equal(join(&f, &c, &anew, 0, &node).generation, 2); /* in place of the log of the former generation */
    lead_once(t, 2, one[0].id);
    assert_int_equal(join(&f, &c, &anew, 0, &node).generation, 2);

    assert_ok(leader_read(t->db, &now, &when, &t->e), &t->e);
    epoch = now.epoch;
    (void)snprintf(lineage, sizeof lineage, "%s", anew.row->lineage);
    assert_ok(node_cluster_recover(&c, seats, n, true, &t->arena, &anew, &t->e), &t->e);
    assert_true(anew.generation > 1000000000); /* ahead of all that were ever given out, as the epoch */
    assert_string_not_equal(anew.row->lineage, lineage);
    assert_ok(leader_read(t->db, &now, &when, &t->e), &t->e);
    assert_true(now.epoch >= epoch + MEMBERS_RESTORED_STEP && now.epoch >= anew.generation);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM leader_fence WHERE epoch = (SELECT epoch FROM leader_epoch)"), LEADER_SLOTS);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node"), 3);
    tear_down(&node);
    tear_down(&f);
}
STORE_TEST(clusters_are_recovered)

/* A machine that is a node already, or has another master key, does not join. */
static void misplaced_bundles_are_refused(struct test_store *t)
{
    static const char other_key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    char secret[BUNDLE_SECRET_SIZE], key_file[96], path[96];
    struct bundle_sealed sealed;
    struct node_seat seats[MEMBERS_MAX];
    struct members_context c;
    struct charter charter;
    struct fixture f, node;
    struct bundle b;
    struct str text;
    FILE *file;

    clear(t);
    f = set_up(t, "admin");
    node = set_up(t, "n1");
    c = context(&f, key_file);
    assert_ok(node_cluster_found(&c, seats, seats_of(&f, "127.0.0.1,127.0.0.2,127.0.0.3", seats), &t->arena, &charter, &t->e), &t->e);
    str_init(&text, &t->arena);
    assert_ok(node_bundle_make(&c, &charter, 1, true, &t->arena, &text, secret, &t->e), &t->e);
    assert_ok(bundle_read((struct slice){ text.s, text.n }, &t->arena, &b, &sealed, &t->e), &t->e);
    assert_ok(bundle_open(&b, &sealed, secret, &t->arena, &t->e), &t->e);
    (void)snprintf(path, sizeof path, "%s/master.key", node.dir);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(other_key, file);
    assert_int_equal(fclose(file), 0);
    run_command("chmod 600 %s/master.key", node.dir);
    assert_err(node_join(node.home, path, &b, &t->e), &t->e, ERR_VAULT_FILE);
    assert_false(node_home_is_member(node.home));
    run_command("rm %s/master.key", node.dir);
    (void)join(&f, &c, &charter, 0, &node);
    assert_err(node_join(node.home, path, &b, &t->e), &t->e, ERR_NODE_MEMBER); /* it is node 0 */
    tear_down(&node);
    tear_down(&f);
}
STORE_TEST(misplaced_bundles_are_refused)

/* --- certificates that end ---------------------------------------------------------------------------------------------------------- */

static void certificates_are_renewed_in_time(struct test_store *t)
{
    const int64_t day = INT64_C(86400) * 1000000;
    struct certificate_facts before, after;
    struct fixture f;
    bool fresh;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    assert_ok(node_home_certificate(f.home, &before, &t->e), &t->e);
    assert_false(node_renewal_is_due(before.expires_us, before.issued_us));
    assert_false(node_renewal_is_due(before.expires_us, before.expires_us - (RENEW_BEFORE_DAYS + 1) * day));
    assert_true(node_renewal_is_due(before.expires_us, before.expires_us - (RENEW_BEFORE_DAYS - 1) * day));
    assert_true(node_renewal_is_due(before.expires_us, before.expires_us + day));
    assert_ok(node_renew(f.home, t->db, f.vault, f.self.id, t->connect_pool, &t->e), &t->e);
    assert_ok(node_home_certificate(f.home, &after, &t->e), &t->e);
    assert_string_not_equal(after.serial, before.serial);
    assert_string_equal(after.uri, before.uri);
    assert_err(node_renew(f.home, t->db, f.vault, f.self.id + 1, t->connect_pool, &t->e), &t->e, ERR_INVALID); /* never for another node */
    (void)test_store_sql(t, "DELETE FROM ocp_cluster");
    assert_err(node_renew(f.home, t->db, f.vault, f.self.id, t->connect_pool, &t->e), &t->e, ERR_NOT_FOUND);
    tear_down(&f);
}
STORE_TEST(certificates_are_renewed_in_time)

static int revoke_all(struct tx *tx, void *data, struct err *e)
{
    return store_certificate_revoke_in(tx, *(int64_t *)data, e);
}

static void revoked_certificates_are_known_from_the_disk(struct test_store *t)
{
    struct certificate_facts facts;
    struct revoked *r;
    struct fixture f;
    int64_t other;
    bool fresh;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    assert_ok(node_home_certificate(f.home, &facts, &t->e), &t->e);
    assert_ok(node_revoked_new(f.home, &r, &t->e), &t->e);
    other = f.self.id + 1;
    assert_ok(db_transact(t->db, revoke_all, &other, &t->e), &t->e);
    assert_ok(node_revoked_refresh(r, t->db, t->connect_pool, &t->e), &t->e);
    assert_false(node_revoked_has(r, facts.serial));
    assert_ok(db_transact(t->db, revoke_all, &f.self.id, &t->e), &t->e);
    assert_ok(node_revoked_refresh(r, t->db, t->connect_pool, &t->e), &t->e);
    assert_true(node_revoked_has(r, facts.serial));
    assert_false(node_revoked_has(r, ""));
    facts.serial[5] = '\0'; /* only the whole one */
    assert_false(node_revoked_has(r, facts.serial));
    node_revoked_free(r);
    assert_ok(node_home_certificate(f.home, &facts, &t->e), &t->e);
    assert_ok(node_revoked_new(f.home, &r, &t->e), &t->e); /* another process, without MetaDB */
    assert_true(node_revoked_has(r, facts.serial));
    (void)test_store_sql(t, "UPDATE node_certificate SET expires_at = NOW(6) - INTERVAL 1 DAY"); /* of no more use to anybody */
    assert_ok(node_revoked_refresh(r, t->db, t->connect_pool, &t->e), &t->e);
    assert_false(node_revoked_has(r, facts.serial));
    (void)test_store_sql(t, "UPDATE node_certificate SET expires_at = NOW(6) - INTERVAL 31 DAY");
    assert_ok(store_certificate_prune(t->db, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM node_certificate"), 0);
    node_revoked_free(r);
    tear_down(&f);
}
STORE_TEST(revoked_certificates_are_known_from_the_disk)

static int refresh_and_renew(void *data)
{
    struct fixture *f = data;
    struct revoked *r = NULL;
    struct err e = { 0 };
    int rv = node_revoked_new(f->home, &r, &e);

    if (rv == 0)
        rv = node_revoked_refresh(r, f->t->db, f->t->connect_pool, &e);
    if (rv == 0)
        rv = node_renew(f->home, f->t->db, f->vault, f->self.id, f->t->connect_pool, &e);
    node_revoked_free(r);
    return rv;
}

static void renews_without_memory(struct test_store *t)
{
    struct fixture f;
    int64_t id;
    bool fresh;

    clear(t);
    f = set_up(t, "n1");
    assert_ok(found(&f, &fresh, &t->e), &t->e);
    id = f.self.id;
    assert_ok(db_transact(t->db, revoke_all, &id, &t->e), &t->e);
    test_oom_sweep(refresh_and_renew, &f);
    tear_down(&f);
}
STORE_TEST(renews_without_memory)

/* --- addresses ---------------------------------------------------------------------------------------------------------------------- */

static struct settings with_addresses(struct setting_address *listen, struct setting_address *address, struct setting_address *metadb)
{
    struct settings s = { .peer.listen = { listen, 1 }, .peer.address = { address, address != NULL }, .db.endpoints = { metadb, metadb != NULL } };

    return s;
}

static void addresses_of_peers(struct test_store *t)
{
    struct setting_address concrete = { "127.0.0.5", 8085 }, any = { "0.0.0.0", 8081 }, any6 = { "::", 8082 }, given = { "192.0.2.7", 9000 };
    struct setting_address nowhere = { "no.such.host.invalid", 1 }, here = { "127.0.0.1", 3306 };
    struct setting_address *const metadbs[] = { NULL, &nowhere, &here };
    struct settings s = with_addresses(&any, &given, NULL);
    char text[ADDR_TEXT_SIZE];
    struct addr a;

    assert_ok(node_peer_address(&s, t->connect_pool, &a, &t->e), &t->e);
    assert_string_equal(addr_text_port(&a, text), "192.0.2.7:9000");
    s = with_addresses(&concrete, NULL, NULL);
    assert_ok(node_peer_address(&s, t->connect_pool, &a, &t->e), &t->e);
    assert_string_equal(addr_text_port(&a, text), "127.0.0.5:8085");
    a = node_peer_listen(&s);
    assert_string_equal(addr_text_port(&a, text), "127.0.0.5:8085");
    for (size_t i = 0; i < sizeof metadbs / sizeof metadbs[0]; i++) { /* what the machine says is its own affair: some address, never a wildcard */
        s = with_addresses(&any, NULL, metadbs[i]);
        assert_ok(node_peer_address(&s, t->connect_pool, &a, &t->e), &t->e);
        assert_true(a.known && addr_is_v4(&a) && a.port == 8081);
        assert_string_not_equal(addr_text(&a, text), "0.0.0.0");
        s = with_addresses(&any6, NULL, metadbs[i]);
        assert_ok(node_peer_address(&s, t->connect_pool, &a, &t->e), &t->e);
        assert_true(a.known && a.port == 8082);
        assert_string_not_equal(addr_text(&a, text), "::");
    }
}
STORE_TEST(addresses_of_peers)

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
    STORE_UNIT(bundle_goes_and_comes),
    STORE_UNIT(changed_bundles_are_refused),
    STORE_UNIT(forged_bundles_do_not_open),
    STORE_UNIT(bundles_without_memory),
    STORE_UNIT(seats_are_odd),
    STORE_UNIT(clusters_are_founded_by_command),
    STORE_UNIT(clusters_are_recovered),
    STORE_UNIT(misplaced_bundles_are_refused),
    STORE_UNIT(certificates_are_renewed_in_time),
    STORE_UNIT(revoked_certificates_are_known_from_the_disk),
    STORE_UNIT(renews_without_memory),
    STORE_UNIT(addresses_of_peers),
    { NULL },
};

int main(void)
{
    static const struct CMUnitTest *const groups[] = { tests };

    return test_store_main("node", groups, 1);
}

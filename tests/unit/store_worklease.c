/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of standing work on a real server: one owner a shard, results of former owners refused. */
#include "src/store/node.h"
#include "src/store/worklease.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static int64_t term = 500; /* each test leads in a newer one than the tests before */

static struct leadership lead(struct test_store *t)
{
    struct leadership l = { .generation = 9, .term = ++term, .node_id = 1 };
    enum leader_claimed how;

    (void)test_store_sql(t, "UPDATE leader_epoch SET generation = 9, term = 0 WHERE generation < 9");
    assert_ok(leader_claim(t->db, &l, &how, &t->e), &t->e);
    (void)test_store_sql(t, "UPDATE work_lease SET node_id = 0, next_id = 0, expires_at = '2000-01-01'");
    return l;
}

static int64_t change(struct test_store *t, const struct leadership *l, const struct worklease_change *changes, unsigned n)
{
    int64_t view;

    assert_ok(store_worklease_change(t->db, l, changes, n, &view, &t->e), &t->e);
    return view;
}

static int64_t grant(struct test_store *t, const struct leadership *l, unsigned shard, int64_t to)
{
    return change(t, l, &(struct worklease_change){ .shard = shard, .to = to }, 1);
}

static size_t held(struct test_store *t, int64_t node_id, struct worklease **out)
{
    size_t n;

    assert_ok(store_worklease_read(t->db, node_id, &t->arena, out, &n, &t->e), &t->e);
    return n;
}

struct result {
    unsigned shard;
    int64_t view;
};

static int result_body(struct tx *tx, void *data, struct err *e)
{
    const struct result *r = data;
    int rv = lease_guard(tx, r->shard, r->view, e);

    return rv == 0 ? tx_exec(tx, "UPDATE store_sequence SET next_id = next_id + 1 WHERE name = 'address_rule'", DB_NO_ARGS, NULL, e) : rv;
}

static int write_result(struct test_store *t, unsigned shard, int64_t view)
{
    struct result r = { shard, view };

    return db_transact(t->db, result_body, &r, &t->e);
}

static void a_round_is_a_few_statements(struct test_store *t)
{
    struct leadership l = lead(t);
    struct worklease_change changes[WORKLEASE_SHARDS];
    struct worklease *rows;
    uint64_t before;
    int64_t view;

    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM work_lease WHERE shard BETWEEN 0 AND 255"), WORKLEASE_SHARDS);
    for (unsigned i = 0; i < WORKLEASE_SHARDS; i++)
        changes[i] = (struct worklease_change){ .shard = i, .to = 1001 + i % 3 };
    before = db_stats(t->db).statements;
    view = change(t, &l, changes, WORKLEASE_SHARDS);
    assert_true(db_stats(t->db).statements - before <= 8); /* BEGIN, token, fence, lock, three nodes, COMMIT */
    assert_int_equal(held(t, 1002, &rows), 85);
    assert_int_equal(rows[0].view, view);
    assert_true(rows[0].left_us > 0 && rows[0].left_us <= 60000000);
    assert_true(view > l.epoch << 20);
}
STORE_TEST(a_round_is_a_few_statements)

static void a_lease_that_runs_is_nobody_elses(struct test_store *t)
{
    struct leadership l = lead(t);
    int64_t first = grant(t, &l, 7, 1001), second;
    struct worklease *rows;

    (void)grant(t, &l, 7, 1002);
    assert_int_equal(held(t, 1002, &rows), 0);
    assert_int_equal(held(t, 1001, &rows), 1);
    assert_int_equal(rows[0].view, first);
    second = change(t, &l, &(struct worklease_change){ .shard = 7, .to = 1002, .from_dead = true }, 1);
    assert_true(second > first);
    assert_int_equal(held(t, 1001, &rows), 0);
    assert_int_equal(held(t, 1002, &rows), 1);
    assert_int_equal(rows[0].view, second);
}
STORE_TEST(a_lease_that_runs_is_nobody_elses)

static void results_of_former_views_are_refused(struct test_store *t)
{
    struct leadership l = lead(t);
    int64_t first = grant(t, &l, 7, 1001), second;
    int64_t before = test_store_number(t, "SELECT next_id FROM store_sequence WHERE name = 'address_rule'");
    uint64_t refused = worklease_refused();

    assert_ok(write_result(t, 7, first), &t->e);
    second = change(t, &l, &(struct worklease_change){ .shard = 7, .to = 1002, .from_dead = true }, 1);
    assert_err(write_result(t, 7, first), &t->e, ERR_LEASE_LOST);
    assert_err(write_result(t, 8, second), &t->e, ERR_LEASE_LOST);
    assert_ok(write_result(t, 7, second), &t->e);
    assert_int_equal(test_store_number(t, "SELECT next_id FROM store_sequence WHERE name = 'address_rule'"), before + 2);
    assert_int_equal(worklease_refused() - refused, 2);
}
STORE_TEST(results_of_former_views_are_refused)

static void nodes_renew_and_release_what_is_theirs(struct test_store *t)
{
    struct leadership l = lead(t);
    struct worklease_change changes[] = { { .shard = 1, .to = 1001 }, { .shard = 2, .to = 1001 }, { .shard = 3, .to = 1002 } };
    int64_t view = change(t, &l, changes, 3), newer;
    struct worklease *rows;

    (void)test_store_sql(t, "UPDATE work_lease SET expires_at = NOW(6) + INTERVAL 1 HOUR WHERE shard <> 2");
    (void)test_store_sql(t, "UPDATE work_lease SET expires_at = NOW(6) - INTERVAL 1 SECOND WHERE shard = 2");
    assert_ok(store_worklease_renew(t->db, 1001, &t->e), &t->e);
    assert_int_equal(held(t, 1001, &rows), 1); /* what has ended does not come back by itself */
    assert_int_equal(rows[0].shard, 1);
    assert_true(rows[0].left_us <= 60000000); /* as long as a new one: seconds, by clocks of two sessions */
    assert_int_equal(held(t, 1002, &rows), 1);
    assert_true(rows[0].left_us > 60000000); /* not theirs to renew */

    change(t, &l, &(struct worklease_change){ .shard = 1, .to = 1002, .is_ask = true }, 1);
    assert_int_equal(held(t, 1001, &rows), 1);
    assert_int_equal(rows[0].next_id, 1002);
    assert_ok(store_worklease_release(t->db, 1001, (unsigned[]){ 1 }, (int64_t[]){ view - 1 }, 1, &t->e), &t->e); /* arrives late */
    assert_int_equal(held(t, 1001, &rows), 1);
    assert_ok(store_worklease_release(t->db, 1001, (unsigned[]){ 1 }, (int64_t[]){ view }, 1, &t->e), &t->e);
    assert_int_equal(held(t, 1001, &rows), 0);
    newer = grant(t, &l, 1, 1002);
    assert_int_equal(held(t, 1002, &rows), 2);
    assert_true(newer > view);
    assert_int_equal(rows[0].next_id, 0);
}
STORE_TEST(nodes_renew_and_release_what_is_theirs)

static void views_grow_over_a_restore(struct test_store *t)
{
    struct leadership l = lead(t);
    int64_t before = grant(t, &l, 7, 1001), after;

    (void)test_store_sql(t, "UPDATE work_lease SET view = 1"); /* an older MetaDB; the operator's command has raised the epoch */
    (void)test_store_sql(t, "UPDATE leader_epoch SET epoch = epoch + 1000");
    l = lead(t);
    after = grant(t, &l, 7, 1002);
    assert_true(after > before);
    assert_err(write_result(t, 7, before), &t->e, ERR_LEASE_LOST);
}
STORE_TEST(views_grow_over_a_restore)

static void older_leaders_lease_nothing(struct test_store *t)
{
    struct leadership old = lead(t);
    int64_t view;

    (void)lead(t);
    assert_err(store_worklease_change(t->db, &old, &(struct worklease_change){ .shard = 7, .to = 1001 }, 1, &view, &t->e), &t->e, ERR_FENCED);
}
STORE_TEST(older_leaders_lease_nothing)

static void kicks_reach_the_owner_and_lists_name_nodes(struct test_store *t)
{
    struct leadership l = lead(t);
    struct node a = { .name = "lease-a", .zone = "", .idc = "", .address = "", .version = "", .build_time = "" };
    struct worklease *rows;
    int64_t kicks, total;
    size_t n;

    assert_ok(store_node_register(t->db, &a, &t->e), &t->e);
    (void)grant(t, &l, 7, a.id);
    (void)grant(t, &l, 9, 4);
    (void)held(t, a.id, &rows);
    kicks = rows[0].kicks;
    assert_ok(store_worklease_kick(t->db, (unsigned[]){ 7, 200 }, 2, &t->e), &t->e);
    (void)held(t, a.id, &rows);
    assert_int_equal(rows[0].kicks, kicks + 1);
    assert_ok(store_worklease_list(t->db, NULL, &t->arena, &rows, &n, &total, &t->e), &t->e);
    assert_int_equal(n, WORKLEASE_SHARDS);
    assert_string_equal(rows[7].node_name, "lease-a");
    assert_string_equal(rows[7].status, "HELD");
    assert_string_equal(rows[8].status, "FREE");
    assert_string_equal(rows[9].node_name, "");
    change(t, &l, &(struct worklease_change){ .shard = 9, .to = a.id, .is_ask = true }, 1);
    assert_ok(store_worklease_list(t->db, NULL, &t->arena, &rows, &n, &total, &t->e), &t->e);
    assert_string_equal(rows[9].status, "MOVING");
    assert_string_equal(rows[9].next_name, "lease-a");
    (void)test_store_sql(t, "DELETE FROM node WHERE name = 'lease-a'");
}
STORE_TEST(kicks_reach_the_owner_and_lists_name_nodes)

static void a_shard_that_is_missing_is_not_overlooked(struct test_store *t)
{
    struct leadership l = lead(t);
    int64_t view;

    (void)test_store_sql(t, "DELETE FROM work_lease WHERE shard = 5");
    assert_err(store_worklease_change(t->db, &l, &(struct worklease_change){ .shard = 7, .to = 1001 }, 1, &view, &t->e), &t->e, ERR_UNEXPECTED);
    (void)test_store_sql(t, "INSERT INTO work_lease (shard, node_id, next_id, view, kicks, results, expires_at) VALUES (5, 0, 0, 0, 0, 0, NOW(6))");
}
STORE_TEST(a_shard_that_is_missing_is_not_overlooked)

const struct CMUnitTest store_worklease_tests[] = {
    STORE_UNIT(a_round_is_a_few_statements),
    STORE_UNIT(a_lease_that_runs_is_nobody_elses),
    STORE_UNIT(results_of_former_views_are_refused),
    STORE_UNIT(nodes_renew_and_release_what_is_theirs),
    STORE_UNIT(views_grow_over_a_restore),
    STORE_UNIT(older_leaders_lease_nothing),
    STORE_UNIT(kicks_reach_the_owner_and_lists_name_nodes),
    STORE_UNIT(a_shard_that_is_missing_is_not_overlooked),
    { 0 },
};

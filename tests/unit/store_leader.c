/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs and fences: who claimed last may write, nobody else. */
#include <stdio.h>

#include "src/store/leader.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static struct leadership claimed(struct test_store *t, int64_t generation, int64_t term, int64_t node_id)
{
    struct leadership l = { .generation = generation, .term = term, .node_id = node_id };
    enum leader_claimed how;

    assert_ok(leader_claim(t->db, &l, &how, &t->e), &t->e);
    assert_int_equal(how, LEADER_CLAIMED);
    return l;
}

static int count_up(struct tx *tx, void *data, struct err *e)
{
    (void)data;
    return tx_exec(tx, "INSERT INTO region (id, name, description, created_at, updated_at) "
                       "SELECT COALESCE(MAX(id), 0) + 1, CONCAT('r', COALESCE(MAX(id), 0) + 1), '', NOW(6), NOW(6) FROM region",
                   DB_NO_ARGS, NULL, e);
}

static void claims_grow(struct test_store *t)
{
    struct leadership a = claimed(t, 1, 3, 11), b, seen;
    enum leader_claimed how;
    int64_t when, former = a.epoch;

    assert_ok(leader_claim(t->db, &a, &how, &t->e), &t->e); /* again: finds its own */
    assert_int_equal(a.epoch, former);
    b = claimed(t, 1, 4, 12);
    assert_int_equal(b.epoch, former + 1);
    assert_ok(leader_claim(t->db, &a, &how, &t->e), &t->e);
    assert_int_equal(how, LEADER_OVERTAKEN);
    assert_ok(leader_read(t->db, &seen, &when, &t->e), &t->e);
    assert_int_equal(seen.epoch, b.epoch);
    assert_int_equal(seen.node_id, 12);
    assert_true(when > 0);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM leader_fence WHERE epoch = (SELECT epoch FROM leader_epoch)"), LEADER_SLOTS);
}
STORE_TEST(claims_grow)

static void older_epoch_writes_nothing(struct test_store *t)
{
    struct leadership a = claimed(t, 1, 10, 11);
    int64_t before = test_store_number(t, "SELECT COUNT(*) FROM region");

    for (int64_t object = 0; object < 200; object++) /* meets every slot */
        assert_ok(leader_transact(t->db, &a, object, count_up, NULL, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM leader_fence WHERE n > 1"), LEADER_SLOTS);
    (void)claimed(t, 1, 11, 12);
    for (int64_t object = 0; object < 200; object++)
        assert_err(leader_transact(t->db, &a, object, count_up, NULL, &t->e), &t->e, ERR_FENCED);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM region"), before + 200);
    assert_true(leader_stats().fenced >= 200);
}
STORE_TEST(older_epoch_writes_nothing)

/* A claim while the former leader is between its fence and its COMMIT. */
struct race {
    struct test_store *t;
    struct leadership leader;
    struct waitlist fence_passed;
    bool passed, go_on, claimed;
    struct fiber_group group;
    int rv;
};

static int linger(struct tx *tx, void *data, struct err *e)
{
    struct race *r = data;
    int rv = count_up(tx, NULL, e);

    r->passed = true;
    waitlist_wake_all(&r->fence_passed);
    for (int i = 0; rv == 0 && i < 20; i++) {
        rv = fiber_sleep(10, e);
        assert_false(r->claimed); /* the claim waits for us */
    }
    return rv;
}

static void lead_slowly(void *data)
{
    struct race *r = data;
    struct err e = { 0 };

    r->rv = leader_transact(r->t->db, &r->leader, 7, linger, r, &e);
}

static void claim_waits_for_open_transactions(struct test_store *t)
{
    struct race r = { .t = t, .leader = claimed(t, 1, 20, 11) };
    int64_t before = test_store_number(t, "SELECT COUNT(*) FROM region");

    assert_ok(fiber_group_start(&r.group, loop_current(), "leader", lead_slowly, &r, &t->e), &t->e);
    while (!r.passed)
        assert_ok(waitlist_wait(&r.fence_passed, &t->e), &t->e);
    (void)claimed(t, 1, 21, 12);
    r.claimed = true;
    assert_ok(fiber_group_wait(&r.group, &t->e), &t->e);
    assert_int_equal(r.rv, 0);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM region"), before + 1);
}
STORE_TEST(claim_waits_for_open_transactions)

static void generation_is_raised_once(struct test_store *t)
{
    struct leadership old = claimed(t, 1, 99, 11), fresh = { .generation = 2, .term = 1, .node_id = 21 };
    enum leader_claimed how;
    int64_t generation;

    assert_ok(leader_found_anew(t->db, 1, &generation, &t->e), &t->e);
    assert_ok(leader_found_anew(t->db, 1, &generation, &t->e), &t->e);
    assert_int_equal(generation, 2);
    assert_err(leader_found_anew(t->db, 5, &generation, &t->e), &t->e, ERR_CONFLICT);
    assert_err(leader_transact(t->db, &old, 1, count_up, NULL, &t->e), &t->e, ERR_FENCED);
    assert_ok(leader_claim(t->db, &fresh, &how, &t->e), &t->e); /* term 1 is newer than term 99 of the generation before */
    assert_int_equal(how, LEADER_CLAIMED);
    assert_true(fresh.epoch > old.epoch);
    old.term = 100;
    assert_err(leader_claim(t->db, &old, &how, &t->e), &t->e, ERR_LEADER_GIVEN_UP);
}
STORE_TEST(generation_is_raised_once)

static void broken_fence_is_no_fence(struct test_store *t)
{
    struct leadership l = { .generation = 3, .term = 1, .node_id = 1 };
    enum leader_claimed how;

    (void)test_store_sql(t, "DELETE FROM leader_fence WHERE slot = 5");
    assert_err(leader_claim(t->db, &l, &how, &t->e), &t->e, ERR_UNEXPECTED);
    (void)test_store_sql(t, "INSERT INTO leader_fence (slot, epoch, n) VALUES (5, 0, 0)");
    assert_ok(leader_claim(t->db, &l, &how, &t->e), &t->e);
}
STORE_TEST(broken_fence_is_no_fence)

const struct CMUnitTest store_leader_tests[] = {
    STORE_UNIT(claims_grow),
    STORE_UNIT(older_epoch_writes_nothing),
    STORE_UNIT(claim_waits_for_open_transactions),
    STORE_UNIT(generation_is_raised_once),
    STORE_UNIT(broken_fence_is_no_fence),
    { 0 },
};

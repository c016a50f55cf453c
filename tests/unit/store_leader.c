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

    assert_ok(leader_claim(t->db, &a, &how, &t->e), &t->e); /* again: what it did before is fenced */
    assert_int_equal(how, LEADER_CLAIMED);
    assert_int_equal(a.epoch, ++former);
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
    assert_int_equal(test_store_number(t, "SELECT generation FROM leader_epoch"), 2);
    old.term = 100;
    assert_err(leader_claim(t->db, &old, &how, &t->e), &t->e, ERR_LEADER_GIVEN_UP);
}
STORE_TEST(generation_is_raised_once)

/* --- the leader's database ------------------------------------------------------------------------------------------------------------ */

static int64_t fenced_epoch;

static void on_fenced(int64_t epoch, void *data)
{
    (void)data;
    fenced_epoch = epoch;
}

static struct leader_db *open_leader_db(struct test_store *t, int64_t node_id)
{
    static const struct clock *const clock = &clock_system;
    static struct log_sink sink;
    static struct log log;
    struct leader_db_conf conf = {
        .db = { .name = "MetaDB", .targets = &t->target, .n_targets = 1, .connect_pool = t->connect_pool, .log = &log, .seed = 7 },
        .node_id = node_id, .fenced = on_fenced,
    };
    struct leader_db *k;

    sink = (struct log_sink){ .fd = -1, .level = LOG_ERROR, .clock = clock };
    log_init(&log, &sink);
    assert_ok(leader_db_new(&conf, loop_current(), &k, &t->e), &t->e);
    return k;
}

static void every_transaction_of_the_leaders_db_is_fenced(struct test_store *t)
{
    struct leader_db *k = open_leader_db(t, 31);
    struct leadership l = { .generation = 4, .term = 1, .node_id = 31, .node_name = "n31", .cause = "DIED" };
    struct store_page page = { .number = 1, .size = 10 };
    struct leadership_row *rows;
    enum leader_claimed how;
    int64_t total;
    size_t n;

    fenced_epoch = 0;
    assert_err(db_transact(leader_db(k), count_up, NULL, &t->e), &t->e, ERR_FENCED); /* nobody's */
    assert_ok(leader_claim(leader_db(k), &l, &how, &t->e), &t->e);
    leader_db_lead(k, &l);
    for (int i = 0; i < 2 * LEADER_SLOTS; i++)
        assert_ok(db_transact(leader_db(k), count_up, NULL, &t->e), &t->e);
    (void)claimed(t, 4, 2, 32);
    assert_int_equal(fenced_epoch, 0);
    assert_err(db_transact(leader_db(k), count_up, NULL, &t->e), &t->e, ERR_FENCED);
    assert_int_equal(fenced_epoch, l.epoch);
    leader_db_lead(k, NULL);
    assert_err(db_transact(leader_db(k), count_up, NULL, &t->e), &t->e, ERR_FENCED);
    assert_ok(leader_history(t->db, &page, &t->arena, &rows, &n, &total, &t->e), &t->e);
    assert_true(n >= 2 && rows[0].node_id == 32 && rows[1].node_id == 31);
    assert_string_equal(rows[1].cause, "DIED");
    assert_string_equal(rows[1].node_name, "n31");
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) > 0 FROM leader_session WHERE node_id = 31"), 1);
    assert_ok(leader_prune(t->db, &t->e), &t->e);
    leader_db_free(k);
}
STORE_TEST(every_transaction_of_the_leaders_db_is_fenced)

/* A leader whose process was stopped between its fence and its COMMIT: to the server, a session that says nothing. */
struct stopped {
    struct leader_db *k;
    struct waitlist passed, go_on;
    bool holds;
    int runs, rv;
    struct err e;
    struct fiber_group group;
};

static int hold(struct tx *tx, void *data, struct err *e)
{
    struct stopped *s = data;
    int rv = count_up(tx, NULL, e);

    s->holds = true;
    waitlist_wake_all(&s->passed);
    return rv == 0 && s->runs++ == 0 ? waitlist_wait(&s->go_on, e) : rv;
}

static void hold_fiber(void *data)
{
    struct stopped *s = data;

    s->rv = db_transact(leader_db(s->k), hold, s, &s->e);
}

static void session_of_a_stopped_leader_is_killed(struct test_store *t)
{
    struct stopped s = { .k = open_leader_db(t, 41) };
    struct leadership former = { .generation = 5, .term = 1, .node_id = 41 }, next = { .generation = 5, .term = 2, .node_id = 42 };
    struct leader_db *other = open_leader_db(t, 42);
    uint64_t killed = leader_stats().killed;
    enum leader_claimed how;
    int64_t before;

    assert_ok(leader_claim(leader_db(s.k), &former, &how, &t->e), &t->e);
    leader_db_lead(s.k, &former);
    before = test_store_number(t, "SELECT COUNT(*) FROM region");
    assert_ok(fiber_group_start(&s.group, loop_current(), "stopped", hold_fiber, &s, &t->e), &t->e);
    while (!s.holds)
        assert_ok(waitlist_wait(&s.passed, &t->e), &t->e);
    assert_ok(leader_claim(leader_db(other), &next, &how, &t->e), &t->e);
    assert_int_equal(how, LEADER_CLAIMED);
    assert_true(leader_stats().killed > killed);
    waitlist_wake_all(&s.go_on); /* it wakes */
    assert_ok(fiber_group_wait(&s.group, &t->e), &t->e);
    assert_err(s.rv, &s.e, ERR_FENCED);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM region"), before);
    leader_db_free(other);
    leader_db_free(s.k);
}
STORE_TEST(session_of_a_stopped_leader_is_killed)

struct restore {
    int64_t from, generation;
};

static int restore_body(struct tx *tx, void *data, struct err *e)
{
    struct restore *r = data;

    return leader_found_anew_in(tx, r->from, 1000, &r->generation, e);
}

/* Whatever was given out since the backup, and however often that is restored: nothing comes again. */
static void restores_go_ahead_of_all(struct test_store *t)
{
    struct leadership old = claimed(t, 2, 200, 11), fresh = { .term = 1, .node_id = 21 };
    struct restore r = { .from = 2 };
    int64_t first = test_store_number(t, "SELECT UNIX_TIMESTAMP()");
    enum leader_claimed how;

    assert_ok(db_transact(t->db, restore_body, &r, &t->e), &t->e);
    assert_true(r.generation >= first);
    assert_true(test_store_number(t, "SELECT epoch FROM leader_epoch") >= first);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM leader_fence WHERE epoch = (SELECT epoch FROM leader_epoch)"), LEADER_SLOTS);
    assert_err(leader_transact(t->db, &old, 1, count_up, NULL, &t->e), &t->e, ERR_FENCED);
    fresh.generation = r.generation;
    assert_ok(leader_claim(t->db, &fresh, &how, &t->e), &t->e);
    assert_true(how == LEADER_CLAIMED && fresh.epoch > old.epoch + 1000);
    (void)test_store_sql(t, "UPDATE leader_epoch SET generation = 2, term = 1"); /* for the tests that follow */
}
STORE_TEST(restores_go_ahead_of_all)

static void broken_fence_is_no_fence(struct test_store *t)
{
    struct leadership l = { .generation = 6, .term = 1, .node_id = 1 };
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
    STORE_UNIT(restores_go_ahead_of_all),
    STORE_UNIT(every_transaction_of_the_leaders_db_is_fenced),
    STORE_UNIT(session_of_a_stopped_leader_is_killed),
    STORE_UNIT(broken_fence_is_no_fence),
    { 0 },
};

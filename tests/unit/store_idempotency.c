/* SPDX-License-Identifier: Apache-2.0 */
/* Requests with a key: who holds it, what it guards, and what a repetition finds when the first one never ended. */
#include <stdio.h>
#include <string.h>

#include "src/io/fiber.h"
#include "src/store/idempotency.h"
#include "src/store/inside.h"
#include "src/store/node.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

enum { USER = 7, STARTED_US = 1000000 };

static struct idempotency request(const char *claim)
{
    return (struct idempotency){ .user_id = USER, .key = "key-0001", .digest = "d1", .claim = claim, .trace = "t1", .node = "n1", .node_id = 5,
                                 .node_started_us = STARTED_US };
}

/* Its node says that it is there. */
static void begin(struct test_store *t)
{
    struct node self = { .name = "n1", .zone = "z", .idc = "", .address = "127.0.0.1:1", .version = "1", .build_time = "", .started_us = STARTED_US };

    (void)test_store_sql(t, "DELETE FROM idempotency");
    (void)test_store_sql(t, "DELETE FROM node");
    assert_ok(store_node_register(t->db, &self, &t->e), &t->e);
}

static bool claims(struct test_store *t, const struct idempotency *r, int64_t dead, struct idempotency *former)
{
    bool claimed;

    assert_ok(store_idempotency_claim(t->db, r, dead, &claimed, &t->arena, former, &t->e), &t->e);
    return claimed;
}

static int write_unit(struct tx *tx, void *data, struct err *e)
{
    return tx_exec(tx, "INSERT INTO region (id, name, description, created_at, updated_at) VALUES (?, ?, '', NOW(6), NOW(6))",
                   DB_ARGS(SQL_V_I(*(const int64_t *)data), sql_v_s("effect")), NULL, e);
}

static int write_region(struct test_store *t, int64_t id)
{
    return db_transact(t->db, write_unit, &id, &t->e);
}

static int64_t regions(struct test_store *t)
{
    return test_store_number(t, "SELECT COUNT(*) FROM region WHERE name = 'effect'");
}

/* --- the ordinary course -------------------------------------------------------------------------------------------------------- */

static void request_is_claimed_once(struct test_store *t)
{
    struct idempotency r = request("c1"), former;

    begin(t);
    assert_true(claims(t, &r, 0, &former));
    r.trace = "t2";
    r.claim = "c2";
    assert_false(claims(t, &r, 0, &former));
    assert_false(former.done || former.gone || former.effect);
    assert_string_equal(former.trace, "t1");
    r.claim = "c1";
    assert_ok(store_idempotency_finish(t->db, &r, 200, "{\"data\":1}", &t->e), &t->e);
    assert_false(claims(t, &r, 0, &former));
    assert_true(former.done && former.status == 200);
    assert_string_equal(former.reply, "{\"data\":1}");
    assert_string_equal(former.digest, "d1");
    assert_ok(store_idempotency_release(t->db, &r, true, &t->e), &t->e); /* a known reply stays */
    r.user_id = 8;
    assert_true(claims(t, &r, 0, &former));
    assert_ok(store_idempotency_release(t->db, &r, true, &t->e), &t->e);
    assert_true(claims(t, &r, 0, &former));
    (void)test_store_sql(t, "UPDATE idempotency SET created_at = NOW(6) - INTERVAL 25 HOUR WHERE user_id = 8");
    assert_ok(store_idempotency_prune(t->db, &t->e), &t->e);
    assert_err(store_idempotency_finish(t->db, &r, 200, "", &t->e), &t->e, ERR_NOT_FOUND);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM idempotency"), 1);
}
STORE_TEST(request_is_claimed_once)

struct racer {
    struct test_store *t;
    unsigned first, n, won;       /* no two claims are the same, as they are random */
};

static void race(void *data)
{
    struct racer *r = data;
    char claim[16];
    struct idempotency mine = request(claim), former;
    struct err e;
    bool claimed;

    (void)snprintf(claim, sizeof claim, "race-%u", r->first + ++r->n);
    assert_ok(store_idempotency_claim(r->t->db, &mine, 0, &claimed, &r->t->arena, &former, &e), &e);
    r->won += claimed;
}

static void run_race(struct test_store *t, unsigned first)
{
    struct racer r = { .t = t, .first = first };
    struct fiber_group g = { 0 };

    for (int i = 0; i < 8; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "claims", race, &r, &t->e), &t->e);
    assert_ok(fiber_group_wait(&g, &t->e), &t->e);
    assert_int_equal(r.won, 1);
}

static void one_of_many_claims_wins(struct test_store *t)
{
    begin(t);
    run_race(t, 0);
    (void)test_store_sql(t, "UPDATE idempotency SET node_started_at = '2001-01-01'"); /* its process was another one */
    run_race(t, 100);
}
STORE_TEST(one_of_many_claims_wins)

/* --- a claimant that is gone ------------------------------------------------------------------------------------------------------ */

/* The claim's guard, as the request's fiber carries it while `work` runs. */
static int under_guard(struct test_store *t, const struct idempotency *r, int64_t region)
{
    struct db_guard guard = store_idempotency_guard(t->db, r);
    int rv;

    db_guard(&guard);
    rv = write_region(t, region);
    db_guard(NULL);
    assert_int_equal(guard.held, rv == 0);
    return rv;
}

/* A failure after an effect: its key is not for others to run again under. */
static void what_failed_halfway_is_not_given_back(struct test_store *t)
{
    struct idempotency first = request("c1"), second = request("c2"), former;

    begin(t);
    assert_true(claims(t, &first, 0, &former));
    assert_ok(store_idempotency_release(t->db, &first, false, &t->e), &t->e);
    assert_true(claims(t, &first, 0, &former));
    assert_ok(under_guard(t, &first, 73), &t->e);
    assert_ok(store_idempotency_release(t->db, &first, false, &t->e), &t->e);
    assert_false(claims(t, &second, 0, &former));
    assert_true(former.gone && former.effect && !former.done);
    assert_ok(store_idempotency_release(t->db, &first, true, &t->e), &t->e); /* its handler is certain */
    assert_true(claims(t, &second, 0, &former));
}
STORE_TEST(what_failed_halfway_is_not_given_back)

static void who_is_gone_without_effect_is_taken_over_from(struct test_store *t)
{
    static const char *const ways[] = {
        "UPDATE node SET started_at = NOW(6)",                                  /* started again */
        "UPDATE node SET seen_at = NOW(6) - INTERVAL 11 SECOND",                /* not seen any more */
        "DELETE FROM node",                                                     /* removed */
        "UPDATE idempotency SET created_at = NOW(6) - INTERVAL 61 SECOND",      /* no request takes so long */
    };
    struct idempotency first = request("c1"), second = request("c2"), former;

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        begin(t);
        (void)test_store_sql(t, "DELETE FROM region WHERE name = 'effect'");
        assert_true(claims(t, &first, 0, &former));
        (void)test_store_sql(t, ways[i]);
        assert_true(claims(t, &second, 0, &former));
        assert_err(under_guard(t, &first, 71), &t->e, ERR_REQUEST_OVERTAKEN); /* it wakes up after all */
        assert_int_equal(regions(t), 0);
        assert_err(store_idempotency_finish(t->db, &first, 200, "", &t->e), &t->e, ERR_NOT_FOUND);
        assert_ok(store_idempotency_release(t->db, &first, true, &t->e), &t->e); /* gives nothing back that is not its own */
        assert_ok(under_guard(t, &second, 72), &t->e);
        assert_int_equal(regions(t), 1);
        assert_ok(store_idempotency_finish(t->db, &second, 200, "{}", &t->e), &t->e);
    }
}
STORE_TEST(who_is_gone_without_effect_is_taken_over_from)

static void peers_may_know_before_metadb(struct test_store *t)
{
    struct idempotency first = request("c1"), second = request("c2"), former;

    begin(t);
    assert_true(claims(t, &first, 0, &former));
    assert_false(claims(t, &second, 6, &former)); /* another node's process */
    assert_int_equal(former.node_id, 5);
    assert_true(claims(t, &second, 5, &former));
}
STORE_TEST(peers_may_know_before_metadb)

static void who_is_gone_with_an_effect_is_told_of(struct test_store *t)
{
    struct idempotency first = request("c1"), second = request("c2"), former;

    begin(t);
    (void)test_store_sql(t, "DELETE FROM region WHERE name = 'effect'");
    assert_true(claims(t, &first, 0, &former));
    assert_ok(under_guard(t, &first, 73), &t->e);
    assert_false(claims(t, &second, 0, &former));
    assert_true(former.effect && !former.gone);
    assert_false(claims(t, &second, 5, &former));
    assert_true(former.effect && former.gone && !former.done);
    assert_ok(store_idempotency_finish(t->db, &first, 200, "{}", &t->e), &t->e); /* it was only slow */
    assert_false(claims(t, &second, 5, &former));
    assert_true(former.done);
}
STORE_TEST(who_is_gone_with_an_effect_is_told_of)

static void another_request_takes_nothing_over(struct test_store *t)
{
    struct idempotency first = request("c1"), second = request("c2"), former;

    begin(t);
    second.digest = "d2";
    assert_true(claims(t, &first, 0, &former));
    assert_false(claims(t, &second, 5, &former));
    assert_string_equal(former.digest, "d1");
}
STORE_TEST(another_request_takes_nothing_over)

/* A row of a node of the version before: it does not guard itself. */
static void older_versions_are_left_alone(struct test_store *t)
{
    struct idempotency second = request("c2"), former;

    begin(t);
    (void)test_store_sql(t, "INSERT INTO idempotency (user_id, request_key, digest, done, status, reply, trace, node, created_at) "
                            "VALUES (7, 'key-0001', 'd1', 0, 0, '', 't', 'old', NOW(6))");
    assert_false(claims(t, &second, 0, &former));
    assert_false(former.gone);
    (void)test_store_sql(t, "UPDATE idempotency SET created_at = NOW(6) - INTERVAL 61 SECOND");
    assert_false(claims(t, &second, 0, &former));
    assert_true(former.gone && former.effect);
}
STORE_TEST(older_versions_are_left_alone)

/* --- what the guard covers -------------------------------------------------------------------------------------------------------- */

static int change_its_mind(struct tx *tx, void *data, struct err *e)
{
    int rv = write_unit(tx, data, e);

    return rv == 0 ? err_set(e, &ERR_INVALID, "changed its mind") : rv;
}

static void only_what_commits_is_an_effect(struct test_store *t)
{
    struct idempotency r = request("c1"), former, later = request("c2");
    struct db_guard guard = store_idempotency_guard(t->db, &r);
    int64_t id = 74, next;

    begin(t);
    (void)test_store_sql(t, "DELETE FROM region WHERE name = 'effect'");
    assert_true(claims(t, &r, 0, &former));
    db_guard(&guard);
    for (unsigned i = 0; i < 300; i++) /* more than a block */
        assert_ok(db_next_id(t->db, &next, &t->e), &t->e);
    assert_err(db_transact(t->db, change_its_mind, &id, &t->e), &t->e, ERR_INVALID);
    db_guard(NULL);
    assert_false(guard.held);
    assert_true(claims(t, &later, 5, &former));
    assert_int_equal(regions(t), 0);
}
STORE_TEST(only_what_commits_is_an_effect)

static void what_no_transaction_covers_is_said_before(struct test_store *t)
{
    struct idempotency r = request("c1"), former, later = request("c2");
    struct db_guard guard = store_idempotency_guard(t->db, &r);

    begin(t);
    assert_ok(db_hold_guard(&t->e), &t->e); /* nothing guards */
    assert_true(claims(t, &r, 0, &former));
    db_guard(&guard);
    assert_ok(db_hold_guard(&t->e), &t->e);
    assert_true(guard.held);
    db_guard(NULL);
    assert_false(claims(t, &later, 5, &former));
    assert_true(former.effect);
    r.claim = "somebody else";
    guard = store_idempotency_guard(t->db, &r);
    db_guard(&guard);
    assert_err(db_hold_guard(&t->e), &t->e, ERR_REQUEST_OVERTAKEN);
    db_guard(NULL);
}
STORE_TEST(what_no_transaction_covers_is_said_before)

static int start_task(struct tx *tx, void *data, struct err *e)
{
    return store_idempotency_note_task(tx, *(const int64_t *)data, e);
}

static void a_task_is_noted_with_the_key(struct test_store *t)
{
    struct idempotency r = request("c1"), former, later = request("c2");
    struct db_guard guard = store_idempotency_guard(t->db, &r);
    int64_t id = 4711;

    begin(t);
    assert_ok(db_transact(t->db, start_task, &id, &t->e), &t->e); /* without a key there is nothing to note */
    assert_true(claims(t, &r, 0, &former));
    db_guard(&guard);
    assert_ok(db_transact(t->db, start_task, &id, &t->e), &t->e);
    db_guard(NULL);
    assert_false(claims(t, &later, 5, &former));
    assert_int_equal(former.task_id, 4711);
}
STORE_TEST(a_task_is_noted_with_the_key)

const struct CMUnitTest store_idempotency_tests[] = {
    STORE_UNIT(request_is_claimed_once),
    STORE_UNIT(one_of_many_claims_wins),
    STORE_UNIT(what_failed_halfway_is_not_given_back),
    STORE_UNIT(who_is_gone_without_effect_is_taken_over_from),
    STORE_UNIT(peers_may_know_before_metadb),
    STORE_UNIT(who_is_gone_with_an_effect_is_told_of),
    STORE_UNIT(another_request_takes_nothing_over),
    STORE_UNIT(older_versions_are_left_alone),
    STORE_UNIT(only_what_commits_is_an_effect),
    STORE_UNIT(what_no_transaction_covers_is_said_before),
    STORE_UNIT(a_task_is_noted_with_the_key),
    { NULL },
};

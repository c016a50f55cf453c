/* SPDX-License-Identifier: Apache-2.0 */
/* Pool and transactions. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

struct pair {
    int64_t a;
    const char *b;
};
static const struct sql_field pair_fields[] = {
    SQL_FIELD(pair, a, "a", SQL_C_INT64),
    SQL_FIELD(pair, b, "b", SQL_C_TEXT),
    { 0 },
};

static void reads_lists(struct test_store *t)
{
    struct pair *pairs;
    size_t n;

    for (int i = 0; i < 3; i++) { /* the second time it is prepared */
        assert_ok(db_list(t->db, "SELECT 7 AS a, ? AS b UNION ALL SELECT 8, NULL ORDER BY a", DB_ARGS(sql_v_s("x'y")), pair_fields, sizeof *pairs,
                          &t->arena, (void **)&pairs, &n, &t->e),
                  &t->e);
        assert_int_equal(n, 2);
        assert_int_equal(pairs[0].a, 7);
        assert_string_equal(pairs[0].b, "x'y");
        assert_int_equal(pairs[1].a, 8);
        assert_null(pairs[1].b);
    }
    assert_true(db_is_up(t->db, 100));
    assert_err(db_list(t->db, "SELECT nonsense", DB_NO_ARGS, pair_fields, sizeof *pairs, &t->arena, (void **)&pairs, &n, &t->e), &t->e,
               ERR_SQL_FAILED);
}
STORE_TEST(reads_lists)

/* --- transactions ----------------------------------------------------------------------------------------------------------- */

static void make_table(struct test_store *t)
{
    (void)test_store_sql(t, "CREATE TABLE IF NOT EXISTS probe (id BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) DEFAULT CHARSET=utf8mb4");
    (void)test_store_sql(t, "DELETE FROM probe");
}

struct body {
    struct test_store *t;
    const struct err_row *fail;
    unsigned runs, fail_runs;
    bool kill;
    int64_t first, second;
};

static int insert_twice(struct tx *tx, void *data, struct err *e)
{
    struct body *b = data;
    uint64_t affected;
    int rv = tx_exec(tx, "INSERT INTO probe (id, n) VALUES (?, 1)", DB_ARGS(SQL_V_I(1)), &affected, e);

    if (rv != 0)
        return rv;
    assert_int_equal(affected, 1);
    assert_err(tx_exec(tx, "INSERT INTO probe (id, n) VALUES (?, 1)", DB_ARGS(SQL_V_I(1)), NULL, e), e, ERR_SQL_DUPLICATE);
    rv = tx_exec(tx, "INSERT INTO probe (id, n) VALUES (2, 1)", DB_NO_ARGS, NULL, e);
    if (rv == 0 && b->fail != NULL)
        rv = err_set(e, b->fail, "as told");
    return rv;
}

static void commits_or_rolls_back(struct test_store *t)
{
    struct body b = { .t = t, .fail = &ERR_CONFLICT };

    make_table(t);
    assert_err(db_transact(t->db, insert_twice, &b, &t->e), &t->e, ERR_CONFLICT);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM probe"), 0);
    b.fail = NULL;
    assert_ok(db_transact(t->db, insert_twice, &b, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM probe"), 2);
    assert_int_equal(db_stats(t->db).unknown, 0);
    assert_int_equal(db_stats(t->db).sessions, db_stats(t->db).idle);
}
STORE_TEST(commits_or_rolls_back)

static void kill_session(struct test_store *t, int64_t id)
{
    struct db *other = test_store_open(t, (struct db_conf){ 0 });
    char text[64];
    struct err e;

    (void)snprintf(text, sizeof text, "KILL %lld", (long long)id);
    assert_ok(db_read(other, text, DB_NO_ARGS, &t->arena, NULL, &e), &e);
    db_free(other);
}

static int session_id(struct tx *tx, struct test_store *t, int64_t *id, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT CONNECTION_ID()", DB_NO_ARGS, &t->arena, &rows, e);

    if (rv == 0)
        assert_true(sql_i64(&rows, 0, 0, id));
    return rv;
}

/* Loses its session once in the middle, and hides that. */
static int insert_and_lose(struct tx *tx, void *data, struct err *e)
{
    struct body *b = data;
    int64_t id;
    int rv = tx_exec(tx, "INSERT INTO probe (id, n) VALUES (1, 1)", DB_NO_ARGS, NULL, e);

    if (rv == 0 && b->runs++ < b->fail_runs) {
        rv = session_id(tx, b->t, &id, e);
        if (rv == 0)
            kill_session(b->t, id);
    }
    if (rv == 0 && tx_exec(tx, "UPDATE probe SET n = n + 1 WHERE id = 1", DB_NO_ARGS, NULL, NULL) != 0)
        return 0;
    return rv;
}

static void lost_before_commit_runs_again(struct test_store *t)
{
    struct body b = { .t = t, .fail_runs = 2 };

    make_table(t);
    assert_ok(db_transact(t->db, insert_and_lose, &b, &t->e), &t->e);
    assert_int_equal(b.runs, 3);
    assert_int_equal(test_store_number(t, "SELECT n FROM probe"), 2);
    assert_int_equal(db_stats(t->db).repeated, 2);
}
STORE_TEST(lost_before_commit_runs_again)

static void killed_idle_sessions_are_not_noticed(struct test_store *t)
{
    for (int i = 0; i < 3; i++)
        kill_session(t, test_store_number(t, "SELECT CONNECTION_ID()"));
    assert_int_equal(test_store_number(t, "SELECT 5"), 5);
}
STORE_TEST(killed_idle_sessions_are_not_noticed)

/* Both orders of two rows: they deadlock, or wait for each other until one gives up. */
static int add_in_order(struct tx *tx, void *data, struct err *e)
{
    const struct body *b = data;
    int rv = tx_exec(tx, "UPDATE probe SET n = n + 1 WHERE id = ?", DB_ARGS(SQL_V_I(b->first)), NULL, e);

    return rv == 0 ? tx_exec(tx, "UPDATE probe SET n = n + 1 WHERE id = ?", DB_ARGS(SQL_V_I(b->second)), NULL, e) : rv;
}

static void adds_often(void *data)
{
    struct body *b = data;
    struct err e;

    (void)fiber_narrow_deadline(60000);
    for (unsigned i = 0; i < b->runs; i++)
        assert_ok(db_transact(b->t->db, add_in_order, b, &e), &e);
}

static void deadlocks_are_repeated(struct test_store *t)
{
    unsigned runs = test_store_is_mariadb(t) ? 50 : 1; /* a kernel without detection waits 5 s for each */
    struct body there = { .t = t, .runs = runs, .first = 1, .second = 2 };
    struct body back = { .t = t, .runs = runs, .first = 2, .second = 1 };
    struct fiber_group g = { 0 };

    make_table(t);
    (void)test_store_sql(t, "INSERT INTO probe VALUES (1, 0), (2, 0)");
    assert_ok(fiber_group_start(&g, loop_current(), "there", adds_often, &there, &t->e), &t->e);
    assert_ok(fiber_group_start(&g, loop_current(), "back", adds_often, &back, &t->e), &t->e);
    assert_ok(fiber_group_wait(&g, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT MIN(n) FROM probe"), 2 * (int)runs);
    assert_int_equal(test_store_number(t, "SELECT MAX(n) FROM probe"), 2 * (int)runs);
}
STORE_TEST(deadlocks_are_repeated)

static int nests(struct tx *tx, void *data, struct err *e)
{
    struct test_store *t = data;
    int64_t id;

    (void)tx;
    assert_err(db_next_id(t->db, &id, e), e, ERR_UNEXPECTED);
    return db_transact(t->db, nests, t, e);
}

static void transaction_in_a_transaction_is_refused(struct test_store *t)
{
    assert_err(db_transact(t->db, nests, t, &t->e), &t->e, ERR_UNEXPECTED);
}
STORE_TEST(transaction_in_a_transaction_is_refused)

static void ids_are_unique(struct test_store *t)
{
    struct db *other = test_store_open(t, (struct db_conf){ 0 });
    int64_t last[2] = { 1000, 1000 }, id;

    for (int i = 0; i < 500; i++) {
        assert_ok(db_next_id(i % 2 == 0 ? t->db : other, &id, &t->e), &t->e);
        assert_true(id > last[i % 2]);
        assert_true(id != last[(i + 1) % 2]);
        last[i % 2] = id;
    }
    db_free(other);
}
STORE_TEST(ids_are_unique)

static void tokens_are_pruned(struct test_store *t)
{
    (void)test_store_sql(t, "INSERT INTO store_outcome VALUES ('old', NOW(6) - INTERVAL 25 HOUR), ('young', NOW(6))");
    assert_ok(db_prune_outcomes(t->db, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM store_outcome WHERE token = 'old'"), 0);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM store_outcome WHERE token = 'young'"), 1);
    (void)test_store_sql(t, "DELETE FROM store_outcome WHERE token = 'young'");
}
STORE_TEST(tokens_are_pruned)

/* --- pool ------------------------------------------------------------------------------------------------------------------- */

struct reader {
    struct test_store *t;
    struct db *db;
    unsigned done;
};

static void reads_once(void *data)
{
    struct reader *r = data;
    struct arena arena;
    struct err e;

    arena_init(&arena);
    assert_ok(db_read(r->db, "SELECT SLEEP(0.005)", DB_NO_ARGS, &arena, NULL, &e), &e);
    arena_fini(&arena);
    r->done++;
}

static void few_sessions_serve_many(struct test_store *t)
{
    struct reader r = { .t = t, .db = test_store_open(t, (struct db_conf){ .max_sessions = 3 }) };
    struct fiber_group g = { 0 };

    for (int i = 0; i < 100; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "reads", reads_once, &r, &t->e), &t->e);
    assert_ok(fiber_group_wait(&g, &t->e), &t->e);
    assert_int_equal(r.done, 100);
    assert_int_equal(db_stats(r.db).sessions, 3);
    assert_int_equal(db_stats(r.db).idle, 3);
    db_free(r.db);
}
STORE_TEST(few_sessions_serve_many)

static void waits_in_vain(void *data)
{
    struct reader *r = data;
    int64_t former = fiber_narrow_deadline(50);
    struct err e;

    assert_err(db_read(r->db, "SELECT 1", DB_NO_ARGS, &r->t->arena, NULL, &e), &e, ERR_BUSY);
    fiber_restore_deadline(former);
    assert_err(db_read(r->db, "SELECT 1", DB_NO_ARGS, &r->t->arena, NULL, &e), &e, ERR_CANCELLED);
    r->done++;
}

static void waits_long(void *data)
{
    struct reader *r = data;
    struct err e;

    assert_err(db_read(r->db, "SELECT SLEEP(30)", DB_NO_ARGS, &r->t->arena, NULL, &e), &e, ERR_CANCELLED);
}

static void waiting_ends_by_deadline_and_cancellation(struct test_store *t)
{
    struct reader r = { .t = t, .db = test_store_open(t, (struct db_conf){ .max_sessions = 2 }) };
    struct fiber *sleepers[2], *waiter;

    for (int i = 0; i < 2; i++)
        assert_ok(fiber_start(loop_current(), "sleeps", waits_long, &r, &sleepers[i], &t->e), &t->e);
    while (db_stats(r.db).sessions < 2 || db_stats(r.db).waiting > 0)
        assert_ok(fiber_sleep(1, &t->e), &t->e);
    assert_ok(fiber_start(loop_current(), "waits", waits_in_vain, &r, &waiter, &t->e), &t->e);
    assert_ok(fiber_sleep(100, &t->e), &t->e);
    assert_int_equal(db_stats(r.db).waiting, 1);
    fiber_cancel(waiter);
    fiber_cancel(sleepers[0]);
    fiber_cancel(sleepers[1]);
    while (db_stats(r.db).sessions > 0)
        assert_ok(fiber_sleep(1, &t->e), &t->e);
    assert_int_equal(r.done, 1);
    assert_int_equal(db_stats(r.db).waiting, 0);
    db_free(r.db);
}
STORE_TEST(waiting_ends_by_deadline_and_cancellation)

static void statement_has_its_own_deadline(struct test_store *t)
{
    struct db *d = test_store_open(t, (struct db_conf){ .statement_timeout_ms = 100 });
    int rv;

    assert_err(db_read(d, "SELECT SLEEP(30)", DB_NO_ARGS, &t->arena, NULL, &t->e), &t->e, ERR_TIMEOUT);
    do { /* a busy server may need longer for anything */
        err_clear(&t->e);
        rv = db_read(d, "SELECT 1", DB_NO_ARGS, &t->arena, NULL, &t->e);
    } while (rv == ERR_TIMEOUT.code && fiber_deadline() > loop_now_ms(loop_current()));
    assert_ok(rv, &t->e);
    db_free(d);
}
STORE_TEST(statement_has_its_own_deadline)

/* Who is let in and then hears nothing has not reached the database. */
static void login_is_no_answer(struct test_store *t)
{
    struct db *d = test_store_open(t, (struct db_conf){ .statement_timeout_ms = 100 });

    assert_err(db_read(d, "SELECT SLEEP(30)", DB_NO_ARGS, &t->arena, NULL, &t->e), &t->e, ERR_TIMEOUT);
    assert_true(db_stats(d).up_since_ms > 0);
    assert_int_equal(db_answered_ms(d), 0);
    assert_true(db_is_up(d, 5000));
    assert_true(db_answered_ms(d) > 0);
    db_free(d);
}
STORE_TEST(login_is_no_answer)

static void endpoints_are_tried_in_turn(struct test_store *t)
{
    struct sql_target targets[2] = { t->target, t->target };
    struct db *d;

    targets[0].port = 1; /* nobody listens there */
    d = test_store_open(t, (struct db_conf){ .targets = targets, .n_targets = 2 });
    assert_ok(db_read(d, "SELECT 1", DB_NO_ARGS, &t->arena, NULL, &t->e), &t->e);
    assert_int_equal(db_stats(d).down_since_ms, 0);
    db_free(d);
}
STORE_TEST(endpoints_are_tried_in_turn)

static void absent_database_is_away(struct test_store *t)
{
    struct sql_target target = t->target;
    struct db *d;
    int64_t former = fiber_narrow_deadline(200);
    char text[512];

    target.port = 1;
    d = test_store_open(t, (struct db_conf){ .targets = &target, .n_targets = 1, .name = "MonitorDB" });
    assert_err(db_read(d, "SELECT 1", DB_NO_ARGS, &t->arena, NULL, &t->e), &t->e, ERR_DB_AWAY);
    assert_non_null(strstr(err_text(&t->e, ERR_EN, text, sizeof text), "MonitorDB does not answer"));
    assert_true(db_stats(d).down_since_ms > 0);
    fiber_restore_deadline(former);
    assert_false(db_is_up(d, 50));
    former = fiber_narrow_deadline(200);
    assert_err(db_transact(d, nests, t, &t->e), &t->e, ERR_DB_AWAY);
    fiber_restore_deadline(former);
    db_free(d);
}
STORE_TEST(absent_database_is_away)

static void refused_login_does_not_wait(struct test_store *t)
{
    struct sql_target target = t->target;
    int64_t begin = clock_now_ms(&clock_system);
    struct db *d;
    char text[512];

    target.password = "wrong";
    d = test_store_open(t, (struct db_conf){ .targets = &target, .n_targets = 1 });
    for (int i = 0; i < 2; i++)
        assert_err(db_read(d, "SELECT 1", DB_NO_ARGS, &t->arena, NULL, &t->e), &t->e, ERR_DB_AWAY);
    assert_non_null(strstr(err_text(&t->e, ERR_EN, text, sizeof text), "denied"));
    assert_true(clock_now_ms(&clock_system) - begin < 7000);
    db_free(d);
}
STORE_TEST(refused_login_does_not_wait)

static void stopped_server_ends_at_the_deadline(struct test_store *t)
{
    pid_t pid = test_store_server()->pid;
    int64_t former, begin = clock_now_ms(&clock_system);
    int rv;

    if (pid == 0)
        return;
    assert_int_equal(test_store_number(t, "SELECT 1"), 1);
    test_pause(pid);
    former = fiber_narrow_deadline(200);
    rv = db_read(t->db, "SELECT 1", DB_NO_ARGS, &t->arena, NULL, &t->e);
    fiber_restore_deadline(former);
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_err(rv, &t->e, ERR_TIMEOUT);
    assert_true(clock_now_ms(&clock_system) - begin >= 200);
    assert_int_equal(test_store_number(t, "SELECT 1"), 1);
}
STORE_TEST(stopped_server_ends_at_the_deadline)

static void hangs(void *data)
{
    struct reader *r = data;
    struct arena arena;
    struct err e;

    arena_init(&arena);
    assert_ok(db_read(r->db, "SELECT 1", DB_NO_ARGS, &arena, NULL, &e), &e);
    arena_fini(&arena);
    r->done++;
}

/* Who finds all sessions with others that wait for a server that is silent is told that it is away, not that there is much to do. */
static void stopped_server_is_away_to_those_in_line(struct test_store *t)
{
    pid_t pid = test_store_server()->pid;
    struct reader r = { .t = t, .db = test_store_open(t, (struct db_conf){ .max_sessions = 2 }) };
    struct fiber_group g = { 0 };
    struct arena arena;
    int64_t former;
    int rv;

    if (pid != 0) {
        arena_init(&arena);
        assert_ok(db_read(r.db, "SELECT 1", DB_NO_ARGS, &arena, NULL, &t->e), &t->e);
        test_pause(pid);
        for (int i = 0; i < 2; i++)
            assert_ok(fiber_group_start(&g, loop_current(), "hangs", hangs, &r, &t->e), &t->e);
        assert_ok(fiber_sleep(10, &t->e), &t->e);
        former = fiber_narrow_deadline(1500);
        rv = db_read(r.db, "SELECT 1", DB_NO_ARGS, &arena, NULL, &t->e);
        fiber_restore_deadline(former);
        assert_int_equal(kill(pid, SIGCONT), 0);
        assert_err(rv, &t->e, ERR_DB_AWAY);
        assert_ok(fiber_group_wait(&g, &t->e), &t->e);
        assert_int_equal(r.done, 2);
        arena_fini(&arena);
    }
    db_free(r.db);
}
STORE_TEST(stopped_server_is_away_to_those_in_line)

/* --- memory ----------------------------------------------------------------------------------------------------------------- */

static int insert_one(struct tx *tx, void *data, struct err *e)
{
    const struct body *b = data;

    return tx_exec(tx, "INSERT INTO probe (id, n) VALUES (?, 0)", DB_ARGS(SQL_V_I(b->first)), NULL, e);
}

static int whole_work(void *data)
{
    struct body *b = data;
    struct err e = { 0 };
    int rv;

    b->first++;
    rv = db_transact(b->t->db, insert_one, b, &e);
    b->runs += rv == 0;
    return rv;
}

static void memory_failures_leave_nothing(struct test_store *t)
{
    struct body b = { .t = t };

    make_table(t);
    test_oom_sweep(whole_work, &b);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM probe"), b.runs);
}
STORE_TEST(memory_failures_leave_nothing)

const struct CMUnitTest store_db_tests[] = {
    STORE_UNIT(reads_lists),
    STORE_UNIT(commits_or_rolls_back),
    STORE_UNIT(lost_before_commit_runs_again),
    STORE_UNIT(killed_idle_sessions_are_not_noticed),
    STORE_UNIT(deadlocks_are_repeated),
    STORE_UNIT(transaction_in_a_transaction_is_refused),
    STORE_UNIT(ids_are_unique),
    STORE_UNIT(tokens_are_pruned),
    STORE_UNIT(few_sessions_serve_many),
    STORE_UNIT(waiting_ends_by_deadline_and_cancellation),
    STORE_UNIT(statement_has_its_own_deadline),
    STORE_UNIT(login_is_no_answer),
    STORE_UNIT(endpoints_are_tried_in_turn),
    STORE_UNIT(absent_database_is_away),
    STORE_UNIT(refused_login_does_not_wait),
    STORE_UNIT(stopped_server_ends_at_the_deadline),
    STORE_UNIT(stopped_server_is_away_to_those_in_line),
    STORE_UNIT(memory_failures_leave_nothing),
    { 0 },
};

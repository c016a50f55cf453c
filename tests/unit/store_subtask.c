/* SPDX-License-Identifier: Apache-2.0 */
/* What guards the writes of a step's run. */
#include <stdio.h>

#include "src/store/subtask.h"
#include "src/store/subtask_once.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static int guard_body(struct tx *tx, void *data, struct err *e)
{
    return store_subtask_guard_in(tx, data, e);
}

static int guard(struct test_store *t, struct subtask run)
{
    return db_transact(t->db, guard_body, &run, &t->e);
}

static void the_run_that_is_dispatched_may_write(struct test_store *t)
{
    const struct subtask run = { .id = 7, .dispatch = 3, .name = "step", .worker_id = 1001, .incarnation = 55 };
    struct subtask other;

    (void)test_store_sql(t, "DELETE FROM subtask");
    (void)test_store_sql(t, "INSERT INTO subtask (id, task_id, series, dispatch, name, description, timeout_s, status, worker, error, created_at, "
                            "worker_id, incarnation, not_before) VALUES (7, 1, 1, 3, 'step', '', 0, 2, 'n1', '', NOW(6), 1001, 55, '2026-01-01')");
    assert_int_equal(SUBTASK_RUNNING, 2);
    assert_ok(guard(t, run), &t->e);
    assert_ok(guard(t, run), &t->e);
    assert_int_equal(test_store_number(t, "SELECT MICROSECOND(not_before) FROM subtask"), 2); /* written each time, not only locked */
    other = run;
    other.dispatch = 2;
    assert_err(guard(t, other), &t->e, ERR_TASK_OVERTAKEN);
    other = run;
    other.worker_id = 1002;
    assert_err(guard(t, other), &t->e, ERR_TASK_OVERTAKEN);
    other = run;
    other.incarnation = 56;
    assert_err(guard(t, other), &t->e, ERR_TASK_OVERTAKEN);
    (void)test_store_sql(t, "UPDATE subtask SET status = 3");
    assert_err(guard(t, run), &t->e, ERR_TASK_OVERTAKEN);
    assert_int_equal(test_store_number(t, "SELECT MICROSECOND(not_before) FROM subtask"), 2);
    (void)test_store_sql(t, "DELETE FROM subtask");
}
STORE_TEST(the_run_that_is_dispatched_may_write)

static int begin_body(struct tx *tx, void *data, struct err *e)
{
    return store_subtask_once_begin_in(tx, data, e);
}

/* Who began it there, or 0. */
static int64_t begun_by(struct test_store *t, int64_t host, int is_back)
{
    struct subtask_once *o;

    assert_ok(store_subtask_once_find(t->db, 7, host, is_back, &t->arena, &o, &t->e), &t->e);
    if (o != NULL)
        assert_string_equal(o->incarnation, "0123456789abcdef0123456789abcdef");
    return o != NULL ? o->dispatch : 0;
}

static void what_was_begun_once_stays_until_it_is_settled(struct test_store *t)
{
    struct subtask_once rows[] = {
        { 7, 5, 0, 3, "0123456789abcdef0123456789abcdef" },
        { 7, 6, 0, 3, "0123456789abcdef0123456789abcdef" },
        { 7, 5, 1, 8, "0123456789abcdef0123456789abcdef" },
    };

    assert_int_equal(begun_by(t, 5, 0), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ok(db_transact(t->db, begin_body, &rows[i], &t->e), &t->e);
    assert_int_equal(begun_by(t, 5, 0), 3);
    assert_int_equal(begun_by(t, 6, 0), 3);
    assert_int_equal(begun_by(t, 5, 1), 8);
    rows[0].dispatch = 2; /* another one's */
    assert_ok(store_subtask_once_settle(t->db, &rows[0], &t->e), &t->e);
    assert_int_equal(begun_by(t, 5, 0), 3);
    rows[0].dispatch = 3;
    assert_ok(store_subtask_once_settle(t->db, &rows[0], &t->e), &t->e);
    assert_int_equal(begun_by(t, 5, 0), 0);
    assert_ok(store_subtask_once_settle_all(t->db, 7, 7, &t->e), &t->e);
    assert_int_equal(begun_by(t, 6, 0), 0);
    assert_int_equal(begun_by(t, 5, 1), 8);
    assert_ok(store_subtask_once_settle_all(t->db, 7, 8, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM subtask_once"), 0);
}
STORE_TEST(what_was_begun_once_stays_until_it_is_settled)

static void what_was_begun_once_goes_with_time(struct test_store *t)
{
    struct subtask_once rows[] = {
        { 7, 5, 0, 3, "0123456789abcdef0123456789abcdef" }, /* ended long ago */
        { 8, 5, 0, 3, "0123456789abcdef0123456789abcdef" }, /* lately */
        { 9, 5, 0, 3, "0123456789abcdef0123456789abcdef" }, /* not yet */
    };

    (void)test_store_sql(t, "DELETE FROM subtask");
    (void)test_store_sql(t, "INSERT INTO subtask (id, task_id, series, dispatch, name, description, timeout_s, status, worker, error, created_at, finished_at) "
                            "VALUES (7, 1, 1, 3, 'a', '', 0, 4, '', '', NOW(6), NOW(6) - INTERVAL 91 DAY), "
                            "(8, 1, 2, 3, 'b', '', 0, 4, '', '', NOW(6), NOW(6) - INTERVAL 89 DAY), (9, 1, 3, 3, 'c', '', 0, 2, '', '', NOW(6), NULL)");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_ok(db_transact(t->db, begin_body, &rows[i], &t->e), &t->e);
    assert_ok(store_task_prune(t->db, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM subtask_once"), 2);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM subtask_once WHERE subtask_id = 7"), 0);
    (void)test_store_sql(t, "DELETE FROM subtask_once");
    (void)test_store_sql(t, "DELETE FROM subtask");
}
STORE_TEST(what_was_begun_once_goes_with_time)

/* Two nodes whose clocks differ by an hour have run the step one after the other; another step ran meanwhile. Read two lines at a time. */
static void no_line_is_passed_over(struct test_store *t)
{
    static const int64_t hour = INT64_C(3600000000), begin = INT64_C(1790000000000000);
    const struct subtask_line lines[] = {
        { 8, 1000, begin + 1, "other 1" }, { 7, 1000, begin + hour, "first 1" }, { 7, 1001, begin + hour + 1, "first 2" },
        { 7, 2000, begin + 2, "second 1" }, { 7, 2001, begin + 3, "second 2" },
    };
    struct subtask_mark marks[] = { { 7, -1 }, { 8, -1 } };
    struct subtask_line *found;
    size_t n = 2, n_all = 0;
    char all[200] = "";

    (void)test_store_sql(t, "DELETE FROM subtask_log");
    assert_ok(store_subtask_log(t->db, lines, 5, &t->arena, &t->e), &t->e);
    assert_ok(store_subtask_log(t->db, lines, 5, &t->arena, &t->e), &t->e); /* once more: those that are there stand */
    while (n == 2) {
        assert_ok(store_subtask_new_lines(t->db, marks, 2, 2, &t->arena, &found, &n, &t->e), &t->e);
        for (size_t i = 0; i < n; i++) {
            struct subtask_mark *mark = &marks[found[i].subtask_id - 7];

            assert_true(found[i].seq > mark->seq);
            mark->seq = found[i].seq;
            (void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s,", found[i].text);
            n_all++;
        }
    }
    assert_int_equal(n_all, 5);
    assert_string_equal(all, "first 1,first 2,second 1,second 2,other 1,");
    marks[0].seq = marks[1].seq = -1;
    assert_ok(store_subtask_new_lines(t->db, marks, 2, 9, &t->arena, &found, &n, &t->e), &t->e);
    assert_int_equal(n, 5);
    assert_string_equal(found[0].text, "other 1"); /* by time */
    assert_string_equal(found[4].text, "second 2");
    (void)test_store_sql(t, "DELETE FROM subtask_log");
}
STORE_TEST(no_line_is_passed_over)

const struct CMUnitTest store_subtask_tests[] = {
    STORE_UNIT(no_line_is_passed_over),
    STORE_UNIT(the_run_that_is_dispatched_may_write),
    STORE_UNIT(what_was_begun_once_stays_until_it_is_settled),
    STORE_UNIT(what_was_begun_once_goes_with_time),
    { 0 },
};

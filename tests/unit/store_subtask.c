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

static int64_t rows_of(struct test_store *t, const char *table, const char *column, int id)
{
    char text[160];

    (void)snprintf(text, sizeof text, "SELECT COUNT(*) FROM %s WHERE %s = %d", table, column, id);
    return test_store_number(t, text);
}

static void add_head(struct test_store *t, int id, int status, const char *ended)
{
    char text[600];

    (void)snprintf(text, sizeof text,
                   "INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, creator_id, "
                   "creator_name, status, prohibit_rollback, executor, context, created_at, finished_at) VALUES (%d, 'f', 'n', 1, -1, -1, -1, '', '', 1, "
                   "'a', %d, 0, 'n1', '', NOW(6) - INTERVAL 999 DAY, %s)",
                   id, status, ended);
    (void)test_store_sql(t, text);
}

static void add_task(struct test_store *t, int id, int status, const char *ended)
{
    static const char *const more[] = {
        "INSERT INTO subtask (id, task_id, series, dispatch, name, description, timeout_s, status, worker, error, created_at) "
        "VALUES (%d0, %d, 1, 1, 's', '', 0, 5, '', '', NOW(6))",
        "INSERT INTO task_session (subtask_id, server, connection_id, dispatch, opened_at) VALUES (%d0, 's', 1, 1, NOW(6))",
        "INSERT INTO task_context (task_id, name, value) VALUES (%d, 'k', 'v')",
        "INSERT INTO task_host (host_id, task_id) VALUES (5, %d)",
        "INSERT INTO package_use (package_id, task_id) VALUES (6, %d)",
    };
    char text[600];

    add_head(t, id, status, ended);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        (void)snprintf(text, sizeof text, more[i], id, id);
        (void)test_store_sql(t, text);
    }
}

static void drop_tasks(struct test_store *t)
{
    static const char *const tables[] = { "task", "subtask", "task_session", "task_context", "task_host", "package_use", "task_lock" };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char text[64];

        (void)snprintf(text, sizeof text, "DELETE FROM %s", tables[i]);
        (void)test_store_sql(t, text);
    }
}

static void old_tasks_go_with_all_that_is_theirs(struct test_store *t)
{
    static const struct {
        int id, status;
        const char *ended;
        bool stays;
    } tasks[] = {
        { 71, TASK_SUCCESSFUL, "NOW(6) - INTERVAL 101 DAY", false }, { 72, TASK_FAILED, "NOW(6) - INTERVAL 101 DAY", false },
        { 73, TASK_SUCCESSFUL, "NOW(6) - INTERVAL 99 DAY", true },   { 74, TASK_RUNNING, "NULL", true },
        { 75, TASK_FAILED, "NOW(6) - INTERVAL 101 DAY", true }, /* it holds a lock */
    };

    drop_tasks(t);
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        add_task(t, tasks[i].id, tasks[i].status, tasks[i].ended);
    (void)test_store_sql(t, "INSERT INTO task_lock (kind, object_id, task_id, locked_at) VALUES ('host', 5, 75, NOW(6))");
    assert_ok(store_task_prune_old(t->db, 100, &t->e), &t->e);
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        int id = tasks[i].id, there = tasks[i].stays ? 1 : 0;

        assert_int_equal(rows_of(t, "task", "id", id), there);
        assert_int_equal(rows_of(t, "subtask", "task_id", id), there);
        assert_int_equal(rows_of(t, "task_session", "subtask_id", id * 10), there);
        assert_int_equal(rows_of(t, "task_context", "task_id", id), there);
        assert_int_equal(rows_of(t, "task_host", "task_id", id), there);
        assert_int_equal(rows_of(t, "package_use", "task_id", id), there);
    }
    drop_tasks(t);
}
STORE_TEST(old_tasks_go_with_all_that_is_theirs)

static void very_many_old_tasks_go(struct test_store *t)
{
    drop_tasks(t);
    for (int i = 0; i < 130; i++) /* more than at once */
        add_head(t, 1000 + i, TASK_SUCCESSFUL, "NOW(6) - INTERVAL 101 DAY");
    assert_ok(store_task_prune_old(t->db, 100, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM task"), 0);
    drop_tasks(t);
}
STORE_TEST(very_many_old_tasks_go)

const struct CMUnitTest store_subtask_tests[] = {
    STORE_UNIT(old_tasks_go_with_all_that_is_theirs),
    STORE_UNIT(very_many_old_tasks_go),
    STORE_UNIT(no_line_is_passed_over),
    STORE_UNIT(the_run_that_is_dispatched_may_write),
    STORE_UNIT(what_was_begun_once_stays_until_it_is_settled),
    STORE_UNIT(what_was_begun_once_goes_with_time),
    { 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* What guards the writes of a step's run. */
#include "src/store/subtask.h"
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

const struct CMUnitTest store_subtask_tests[] = {
    STORE_UNIT(the_run_that_is_dispatched_may_write),
    { 0 },
};

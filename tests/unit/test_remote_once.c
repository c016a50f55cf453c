/* SPDX-License-Identifier: Apache-2.0 */
/* What a step must not do twice on a host (src/task/remote.h), whatever becomes of its dispatches, its worker and the agent. */
#include "tests/lib/remoteworld.h"

/* ---- processes ------------------------------------------------------------------------------------------------------------------------------ */

static void processes_are_looked_at_again(struct err *e)
{
    struct task_host *h;

    begin(1);
    assert_ok(open_host(&h, e), e);
    assert_ok(start_daemon(h, "/run/pid", e), e);
    die();
    begin(2);
    assert_ok(open_host(&h, e), e);
    assert_ok(start_daemon(h, "/run/pid", e), e); /* it may have ended since: the agent looks into the file */
    assert_int_equal(w.agent.starts, 2);
    assert_int_equal(w.agent.last.dispatch, 2);
    record();
}
SCENARIO(processes_are_looked_at_again)

static void a_process_without_file_is_started_once(struct err *e)
{
    struct task_host *h;

    begin(1);
    assert_ok(open_host(&h, e), e);
    assert_ok(start_daemon(h, NULL, e), e);
    die();
    begin(2);
    assert_ok(open_host(&h, e), e);
    assert_ok(start_daemon(h, NULL, e), e);
    assert_int_equal(w.agent.starts, 1);
    record();
}
SCENARIO(a_process_without_file_is_started_once)

/* ---- what nobody knows ------------------------------------------------------------------------------------------------------------------------ */

static void a_script_cut_short_is_for_a_person(struct err *e)
{
    int64_t status;

    begin(1);
    w.agent.fates[w.agent.n_fates++] = DOUBLE_BREAKS;
    assert_err(script("/a", &status, e), e, ERR_TASK_UNKNOWN);
    die(); /* even that is not recorded */
    err_clear(e);
    begin(2);
    assert_err(script("/a", &status, e), e, ERR_TASK_UNKNOWN);
    assert_int_equal(w.agent.starts, 1);
    record_as(DECIDE_UNKNOWN);
    err_clear(e);
    begin(3); /* the person says: again */
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 2);
    record();
    assert_int_equal(entries(), 0);
}
SCENARIO(a_script_cut_short_is_for_a_person)

static void what_finds_its_work_done_is_sent_again(struct err *e)
{
    const char *paths[] = { "/d" };
    const struct agent_mkdirs args = { .paths = { paths, 1 }, .mode = 0755 };
    struct task_host *h;

    begin(1);
    w.agent.fates[w.agent.n_fates++] = DOUBLE_BREAKS;
    w.agent.fates[w.agent.n_fates++] = DOUBLE_BREAKS;
    assert_ok(open_host(&h, e), e);
    assert_ok(task_host_command(h, "mkdirs", &args, NULL, e), e);
    assert_int_equal(w.agent.starts, 3);
    record();
    assert_int_equal(entries(), 0);
    begin(2);
    for (unsigned i = 0; i < 3; i++)
        w.agent.fates[w.agent.n_fates++] = DOUBLE_BREAKS;
    assert_ok(open_host(&h, e), e);
    assert_err(task_host_command(h, "mkdirs", &args, NULL, e), e, ERR_AGENT_UNKNOWN); /* not for ever */
    record();
}
SCENARIO(what_finds_its_work_done_is_sent_again)

/* ---- outcomes that are not the end ------------------------------------------------------------------------------------------------------------- */

static void what_was_done_once_outlives_failures(struct err *e)
{
    static const enum decide_event outcomes[] = { DECIDE_PASSING, DECIDE_FAILED, DECIDE_LOST, DECIDE_STOPPED, DECIDE_UNKNOWN };
    struct task_host *h;
    int64_t status;

    for (unsigned i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        begin((int64_t)i + 1);
        assert_ok(open_host(&h, e), e);
        assert_ok(run_script(h, "/a", &status, e), e);
        assert_int_equal(status, 1);
        assert_int_equal(w.agent.starts, 1);
        record_as(outcomes[i]); /* something else in the step went wrong */
        assert_int_equal(entries(), 1);
    }
    begin(9);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 1);
    record();
    assert_int_equal(entries(), 0);
    assert_int_equal(w.n_rows, 0);
}
SCENARIO(what_was_done_once_outlives_failures)

static void what_may_be_done_again_is_forgotten_at_once(struct err *e)
{
    const char *paths[] = { "/d" };
    const struct agent_mkdirs args = { .paths = { paths, 1 }, .mode = 0755 };
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    assert_ok(task_host_command(h, "mkdirs", &args, NULL, e), e);
    assert_int_equal(w.n_rows, 0); /* and costs MetaDB nothing */
    w.agent.fates[w.agent.n_fates++] = DOUBLE_FAILS;
    assert_err(run_script(h, "/a", &status, e), e, ERR_AGENT_SCRIPT);
    record_as(DECIDE_FAILED); /* it is certain that the script failed, too */
    assert_int_equal(entries(), 0);
}
SCENARIO(what_may_be_done_again_is_forgotten_at_once)

static void what_nobody_knows_is_kept_until_it_was_told(struct err *e)
{
    struct task_host *h;
    int64_t status;

    begin(1);
    w.agent.fates[w.agent.n_fates++] = DOUBLE_BREAKS;
    assert_err(script("/a", &status, e), e, ERR_TASK_UNKNOWN);
    die();
    err_clear(e);
    begin(2);
    assert_ok(open_host(&h, e), e);
    record_as(DECIDE_PASSING); /* it failed before it came to the script: nobody was told anything */
    assert_int_equal(entries(), 1);
    begin(3);
    assert_err(script("/a", &status, e), e, ERR_TASK_UNKNOWN);
    assert_int_equal(w.agent.starts, 1);
    record_as(DECIDE_UNKNOWN);
    assert_int_equal(entries(), 0);
    err_clear(e);
    begin(4); /* the person says: again */
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 2);
    record();
}
SCENARIO(what_nobody_knows_is_kept_until_it_was_told)

/* ---- agents installed anew ------------------------------------------------------------------------------------------------------------------- */

static void an_agent_installed_anew_remembers_nothing(struct err *e)
{
    int64_t status;

    begin(1);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.n_rows, 1);
    record_as(DECIDE_PASSING);
    double_install_anew(&w.agent);
    for (int64_t dispatch = 2; dispatch < 4; dispatch++) {
        begin(dispatch);
        assert_err(script("/a", &status, e), e, ERR_TASK_UNKNOWN);
        assert_non_null(strstr(e->arg[0], "begun by dispatch 1"));
        assert_non_null(strstr(e->arg[0], "installed anew"));
        err_clear(e);
        if (dispatch == 2)
            die(); /* before anybody was told */
        else
            record_as(DECIDE_UNKNOWN);
    }
    assert_int_equal(w.agent.starts, 1);
    begin(4); /* the person says: again */
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 2);
    assert_int_equal(w.rows[0].row.dispatch, 4);
    record();
    assert_int_equal(w.n_rows, 0);
}
SCENARIO(an_agent_installed_anew_remembers_nothing)

static void what_may_be_done_again_needs_no_memory(struct err *e)
{
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(script("/a", &status, e), e);
    die();
    double_install_anew(&w.agent);
    begin(2);
    assert_ok(open_host(&h, e), e);
    assert_ok(start_daemon(h, "/run/pid", e), e);
    assert_err(run_script(h, "/a", &status, e), e, ERR_TASK_UNKNOWN);
    err_clear(e);
    assert_err(run_script(h, "/b", &status, e), e, ERR_TASK_UNKNOWN); /* it may have come so far */
    assert_int_equal(w.agent.starts, 2);
    record_as(DECIDE_FAILED); /* the step kept it to itself */
    assert_int_equal(w.n_rows, 1);
}
SCENARIO(what_may_be_done_again_needs_no_memory)

static void what_metadb_has_recorded_of_the_agent_counts(struct err *e)
{
    int64_t status;

    w.recorded = w.agent.incarnation;
    begin(1);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.hellos, 0);
    assert_string_equal(w.rows[0].incarnation, w.agent.incarnation);
    record_as(DECIDE_PASSING);
    begin(2);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 1);
    record();
}
SCENARIO(what_metadb_has_recorded_of_the_agent_counts)

static void an_overtaken_worker_begins_nothing(struct err *e)
{
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    w.is_overtaken = true;
    assert_err(run_script(h, "/a", &status, e), e, ERR_TASK_OVERTAKEN);
    assert_int_equal(w.agent.starts, 0);
    die();
}
SCENARIO(an_overtaken_worker_begins_nothing)

/* ---- back ------------------------------------------------------------------------------------------------------------------------------------ */

static void begin_back(int64_t dispatch)
{
    begin(dispatch);
    w.run.step.operation = TASK_ROLLBACK;
}

static void a_rollback_takes_nothing_over_of_the_run(struct err *e)
{
    const char *paths[] = { "/d" };
    const struct agent_mkdirs args = { .paths = { paths, 1 }, .mode = 0755 };
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    assert_ok(task_host_command(h, "mkdirs", &args, NULL, e), e);
    assert_ok(run_script(h, "/a", &status, e), e);
    die();
    begin_back(2);
    assert_ok(open_host(&h, e), e);
    assert_ok(task_host_command(h, "mkdirs", &args, NULL, e), e);
    assert_ok(run_script(h, "/a", &status, e), e);
    assert_int_equal(w.agent.starts, 4);
    assert_int_equal(w.n_rows, 2);
    die();
    begin_back(3);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 4); /* the rollback's own */
    record();
    assert_int_equal(entries(), 0);
    assert_int_equal(w.n_rows, 0);
}
SCENARIO(a_rollback_takes_nothing_over_of_the_run)

/* ---- memory ---------------------------------------------------------------------------------------------------------------------------------- */

static int sweep(void *data)
{
    struct err e = { 0 };
    int64_t status, dispatch = w.run.step.dispatch + 1;
    int rv;
    struct task_host *h;

    (void)data;
    begin(dispatch);
    rv = open_host(&h, &e);
    if (rv == 0)
        rv = run_script(h, "/a", &status, &e);
    record_as(rv == 0 ? DECIDE_DONE : DECIDE_PASSING);
    return rv;
}

static void sweep_all(struct err *e)
{
    int64_t status;

    begin(1);
    assert_ok(script("/a", &status, e), e);
    die();
    test_oom_sweep(sweep, NULL);
}
SCENARIO(sweep_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_are_looked_at_again_),
        cmocka_unit_test(a_process_without_file_is_started_once_),
        cmocka_unit_test(a_script_cut_short_is_for_a_person_),
        cmocka_unit_test(what_finds_its_work_done_is_sent_again_),
        cmocka_unit_test(what_was_done_once_outlives_failures_),
        cmocka_unit_test(what_may_be_done_again_is_forgotten_at_once_),
        cmocka_unit_test(what_nobody_knows_is_kept_until_it_was_told_),
        cmocka_unit_test(an_agent_installed_anew_remembers_nothing_),
        cmocka_unit_test(what_may_be_done_again_needs_no_memory_),
        cmocka_unit_test(what_metadb_has_recorded_of_the_agent_counts_),
        cmocka_unit_test(an_overtaken_worker_begins_nothing_),
        cmocka_unit_test(a_rollback_takes_nothing_over_of_the_run_),
        cmocka_unit_test(sweep_all_),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

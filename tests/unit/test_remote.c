/* SPDX-License-Identifier: Apache-2.0 */
/* What steps do on hosts (src/task/remote.h): nothing is done twice, whoever dies when. What must not be done twice at all: test_remote_once.c. */
#include "tests/lib/remoteworld.h"

/* ---- the first dispatch ------------------------------------------------------------------------------------------------------------------ */

static void results_stay_until_the_outcome_is_recorded(struct err *e)
{
    struct task_host *h, *same;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    assert_ok(open_host(&same, e), e);
    assert_ptr_equal(h, same);
    assert_int_equal(w.agent.fences, 0); /* there is nobody before it */
    assert_ok(run_script(h, "/a", &status, e), e);
    assert_ok(run_script(h, "/b", &status, e), e);
    assert_int_equal(status, 2);
    assert_int_equal(w.agent.last.task, 3);
    assert_int_equal(w.agent.last.step, 7);
    assert_int_equal(w.agent.last.dispatch, 1);
    assert_int_equal(w.agent.last.seq, 2);
    assert_int_equal(w.agent.acknowledged, 0);
    assert_int_equal(entries(), 2);
    record();
    assert_int_equal(w.agent.acknowledged, 2);
    assert_int_equal(entries(), 0);
}
SCENARIO(results_stay_until_the_outcome_is_recorded)

static void output_becomes_lines(struct err *e)
{
    int64_t status;

    begin(1);
    w.agent.output = "one\ntwo\x01!\nthree";
    assert_ok(script("/a", &status, e), e);
    assert_string_equal(w.log, "one\ntwo !\nthree\n");
    record();
}
SCENARIO(output_becomes_lines)

static void failures_are_the_commands_own(struct err *e)
{
    int64_t status;

    begin(1);
    w.agent.fates[w.agent.n_fates++] = DOUBLE_FAILS;
    assert_err(script("/a", &status, e), e, ERR_AGENT_SCRIPT);
    assert_string_equal(e->arg[1], "exit status 1");
    record_as(DECIDE_FAILED);
    assert_int_equal(entries(), 0);
    begin(2); /* it failed, so it is done again */
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 2);
    record();
}
SCENARIO(failures_are_the_commands_own)

/* ---- dispatches after it ------------------------------------------------------------------------------------------------------------------ */

static void a_result_nobody_recorded_is_taken_over(struct err *e)
{
    int64_t status;

    begin(1);
    assert_ok(script("/a", &status, e), e);
    die();
    begin(2);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.fences, 1);
    assert_int_equal(w.agent.starts, 1);
    assert_int_equal(status, 1);
    assert_non_null(strstr(w.log, "run_script was done by dispatch 1"));
    record();
    assert_int_equal(entries(), 0); /* the older one's, too */
    begin(3); /* whoever asks for it after a recorded outcome wants it done */
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 2);
    record();
}
SCENARIO(a_result_nobody_recorded_is_taken_over)

static void each_result_is_taken_over_once(struct err *e)
{
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(script("/a", &status, e), e);
    die();
    begin(2);
    assert_ok(open_host(&h, e), e);
    assert_ok(run_script(h, "/b", &status, e), e); /* not what it did */
    assert_int_equal(w.agent.starts, 2);
    assert_ok(run_script(h, "/a", &status, e), e);
    assert_int_equal(w.agent.starts, 2);
    assert_ok(run_script(h, "/a", &status, e), e);
    assert_int_equal(w.agent.starts, 3);
    record();
    assert_int_equal(entries(), 0);
}
SCENARIO(each_result_is_taken_over_once)

static void what_still_runs_is_waited_for(struct err *e)
{
    int64_t status;

    begin(1);
    w.agent.fates[w.agent.n_fates++] = DOUBLE_RUNS;
    assert_err(script("/a", &status, e), e, ERR_AGENT_AWAY);
    err_clear(e);
    record_as(DECIDE_PASSING); /* what runs there must be found by the next */
    assert_int_equal(w.agent.acknowledged, 0);
    begin(2);
    w.agent.rounds = 3;
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.queries, 3);
    assert_int_equal(w.agent.starts, 1);
    assert_int_equal(status, 1);
    record();
    assert_int_equal(entries(), 0);
}
SCENARIO(what_still_runs_is_waited_for)

static void a_lost_answer_is_found_again(struct err *e)
{
    int64_t status;

    begin(1);
    w.agent.fates[w.agent.n_fates++] = DOUBLE_MUTE;
    assert_err(script("/a", &status, e), e, ERR_AGENT_AWAY); /* so the step is run again without asking */
    err_clear(e);
    record_as(DECIDE_PASSING);
    assert_int_equal(w.agent.acknowledged, 0);
    begin(2);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 1);
    record();
    assert_int_equal(entries(), 0);
}
SCENARIO(a_lost_answer_is_found_again)

static void waiting_ends_with_the_step(struct err *e)
{
    struct task_host *h;
    int64_t status, former;

    begin(1);
    w.agent.fates[w.agent.n_fates++] = DOUBLE_RUNS;
    assert_err(script("/a", &status, e), e, ERR_AGENT_AWAY);
    err_clear(e);
    die();
    begin(2);
    w.agent.rounds = 1000;
    former = fiber_narrow_deadline(0);
    assert_err(open_host(&h, e), e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    record();
    assert_int_equal(entries(), 1);
    err_clear(e);
    begin(3);
    w.agent.rounds = 1;
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 1);
    record();
}
SCENARIO(waiting_ends_with_the_step)

static void a_paused_worker_does_nothing_any_more(struct err *e)
{
    struct task_run paused;
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    paused = w.run;
    begin(2);
    assert_ok(script("/a", &status, e), e);
    assert_int_equal(w.agent.starts, 1);
    record();
    w.run = paused;
    assert_err(run_script(h, "/a", &status, e), e, ERR_AGENT_DISPATCH);
    assert_int_equal(w.agent.starts, 1);
    die();
}
SCENARIO(a_paused_worker_does_nothing_any_more)

/* ---- agents and leaders that go ---------------------------------------------------------------------------------------------------------------- */

static void an_agent_that_is_away_may_come_back(struct err *e)
{
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    assert_ok(run_script(h, "/a", &status, e), e);
    w.agent.is_away = true;
    record(); /* it is not told, and keeps the result */
    assert_int_equal(entries(), 1);
    begin(2);
    assert_err(open_host(&h, e), e, ERR_AGENT_AWAY);
    assert_int_equal(e->row->retry, ERR_RETRY);
    record();
    assert_err(task_host_lost(h, ERR_AGENT_AWAY.code, e), e, ERR_AGENT_AWAY);
}
SCENARIO(an_agent_that_is_away_may_come_back)

static void a_new_leader_is_no_failure(struct err *e)
{
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    assert_ok(run_script(h, "/a", &status, e), e);
    double_hears(&w.agent, 12);
    w.leads = 12;
    assert_ok(run_script(h, "/b", &status, e), e);
    assert_int_equal(w.agent.starts, 2);
    assert_int_equal(w.agent.last.seq, 2); /* the same key */
    assert_int_equal(w.agent.last_epoch, 12);
    double_hears(&w.agent, 13);
    w.leads = 13;
    record();
    assert_int_equal(entries(), 0);
    begin(2);
    w.run.step.epoch = 12;
    assert_ok(open_host(&h, e), e); /* fences under the newer one, too */
    record();
}
SCENARIO(a_new_leader_is_no_failure)

static void an_overtaken_worker_does_not_follow_the_leader(struct err *e)
{
    struct task_host *h;
    int64_t status;

    begin(1);
    assert_ok(open_host(&h, e), e);
    double_hears(&w.agent, 12);
    w.leads = 12;
    w.is_overtaken = true;
    assert_err(run_script(h, "/a", &status, e), e, ERR_AGENT_EPOCH);
    w.is_overtaken = false;
    w.leads = 10; /* nobody leads with what the agent has heard of: not asked for ever */
    err_clear(e);
    assert_err(run_script(h, "/a", &status, e), e, ERR_AGENT_EPOCH);
    assert_int_equal(w.agent.starts, 0);
    die();
}
SCENARIO(an_overtaken_worker_does_not_follow_the_leader)

/* ---- memory -------------------------------------------------------------------------------------------------------------------------------------- */

static int sweep(void *data)
{
    struct err e = { 0 };
    struct task_host *h;
    int64_t status;
    int rv;

    (void)data;
    w.run.step.dispatch++;
    begin(w.run.step.dispatch);
    rv = open_host(&h, &e);
    for (unsigned i = 0; rv == 0 && i < 10; i++)
        rv = run_script(h, "/a", &status, &e);
    record();
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
        cmocka_unit_test(results_stay_until_the_outcome_is_recorded_),
        cmocka_unit_test(output_becomes_lines_),
        cmocka_unit_test(failures_are_the_commands_own_),
        cmocka_unit_test(a_result_nobody_recorded_is_taken_over_),
        cmocka_unit_test(each_result_is_taken_over_once_),
        cmocka_unit_test(what_still_runs_is_waited_for_),
        cmocka_unit_test(a_lost_answer_is_found_again_),
        cmocka_unit_test(waiting_ends_with_the_step_),
        cmocka_unit_test(a_paused_worker_does_nothing_any_more_),
        cmocka_unit_test(an_agent_that_is_away_may_come_back_),
        cmocka_unit_test(a_new_leader_is_no_failure_),
        cmocka_unit_test(an_overtaken_worker_does_not_follow_the_leader_),
        cmocka_unit_test(sweep_all_),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

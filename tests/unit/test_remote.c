/* SPDX-License-Identifier: Apache-2.0 */
/* What steps do on hosts (src/task/remote.h), against an agent's own ledger: nothing is done twice, whoever dies when. The step's run, MetaDB
 * and the leadership are doubles here: remote.c sees them by these functions alone. */
#include <stdio.h>

#include "src/store/leader.h"
#include "src/store/ocpcluster.h"
#include "src/task/engine_inside.h"
#include "src/task/remote.h"
#include "tests/lib/agentdouble.h"
#include "tests/lib/test.h"

#define OCP "0123456789abcdef0123456789abcdef"
#define LINEAGE "ffffffffffffffffffffffffffffffff"

/* One step, dispatched again and again to workers. */
struct world {
    struct agent_client agent;
    struct task_run run;
    int64_t leads;              /* epoch of whoever leads now */
    bool is_overtaken;
    char log[4096];
};
static struct world w;

/* ---- doubles of what remote.c asks for ------------------------------------------------------------------------------------------------ */

const struct subtask *task_step_of(const struct task_run *r)
{
    return &r->step;
}

struct arena *task_arena(struct task_run *r)
{
    return &r->arena;
}

struct db *task_db(struct task_run *r)
{
    (void)r;
    return NULL;
}

const struct log *task_logger(struct task_run *r)
{
    (void)r;
    return &test_log;
}

bool task_is_repeated(const struct task_run *r)
{
    return r->step.dispatch > 1;
}

int64_t task_next_seq(struct task_run *r)
{
    return ++r->seq;
}

void task_log(struct task_run *r, const char *fmt, ...)
{
    size_t n = strlen(w.log);
    va_list ap;

    (void)r;
    va_start(ap, fmt);
    (void)vsnprintf(w.log + n, sizeof w.log - n, fmt, ap);
    va_end(ap);
    n = strlen(w.log);
    (void)snprintf(w.log + n, sizeof w.log - n, "\n");
}

int task_epoch(struct task_run *r, int64_t *epoch, struct err *e)
{
    (void)r;
    *epoch = w.leads;
    return w.is_overtaken ? err_set(e, &ERR_TASK_OVERTAKEN, "") : 0;
}

int leader_read(struct db *d, struct leadership *out, int64_t *claimed_us, struct err *e)
{
    (void)d;
    (void)e;
    *out = (struct leadership){ .epoch = w.leads };
    *claimed_us = 0;
    return 0;
}

int store_ocpcluster_find(struct db *d, struct arena *arena, struct ocpcluster **out, struct err *e)
{
    (void)d;
    *out = arena_zalloc(arena, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    **out = (struct ocpcluster){ .cluster = OCP, .lineage = LINEAGE };
    return 0;
}

/* ---- a step's life ---------------------------------------------------------------------------------------------------------------------- */

static void begin(int64_t dispatch)
{
    arena_init(&w.run.arena);
    w.run.step = (struct subtask){ .id = 7, .task_id = 3, .dispatch = dispatch, .epoch = w.leads };
    w.run.hosts = NULL;
    w.run.recorded = NULL;
    w.run.seq = 0;
}

static void die(void)
{
    arena_fini(&w.run.arena);
}

/* Its outcome is in MetaDB, whatever it is. */
static void record(void)
{
    if (w.run.recorded != NULL)
        w.run.recorded(&w.run, w.run.recorded_data);
    die();
}

static const struct agent_at host = { .address = "127.0.0.9", .port = 62888, .ocp_id = OCP, .host_id = 5, .incarnation = NULL };

static int open_host(struct task_host **out, struct err *e)
{
    return task_host_open(&w.run, &w.agent, &host, out, e);
}

static int run_script(struct task_host *h, const char *script, int64_t *exit_status, struct err *e)
{
    const struct agent_run_script args = { .script = script };
    struct agent_script_answer answer = { 0 };
    int rv = task_host_command(h, "run_script", &args, &answer, e);

    *exit_status = answer.exit_status;
    return rv;
}

static int start_daemon(struct task_host *h, const char *pid_file, struct err *e)
{
    const char *argv[] = { "/opt/daemon" };
    const struct agent_start_process args = { .argv = { argv, 1 }, .cwd = "/", .pid_file = pid_file, .own_pid_file = -1, .settle_ms = 0 };

    return task_host_command(h, "start_process", &args, NULL, e);
}

/* Opens the host and runs one script. Returns what the script's command returned. */
static int script(const char *name, int64_t *exit_status, struct err *e)
{
    struct task_host *h;

    assert_ok(open_host(&h, e), e);
    return run_script(h, name, exit_status, e);
}

static void (*scenario)(struct err *e);

static void play(void *data)
{
    struct err e = { 0 };

    (void)data;
    w = (struct world){ .leads = 10 };
    double_init(&w.agent);
    scenario(&e);
    double_fini(&w.agent);
}

#define SCENARIO(NAME)                  \
    static void NAME##_(void **state)   \
    {                                   \
        (void)state;                    \
        scenario = NAME;                \
        test_in_fiber(play, NULL);      \
    }

static unsigned entries(void)
{
    return ledger_count(w.agent.ledger).entries;
}

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
    record();
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
    record(); /* it may pass; what runs there must be found by the next */
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
    record();
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
    record();
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
        cmocka_unit_test(processes_are_looked_at_again_),
        cmocka_unit_test(a_process_without_file_is_started_once_),
        cmocka_unit_test(a_script_cut_short_is_for_a_person_),
        cmocka_unit_test(what_finds_its_work_done_is_sent_again_),
        cmocka_unit_test(an_agent_that_is_away_may_come_back_),
        cmocka_unit_test(a_new_leader_is_no_failure_),
        cmocka_unit_test(an_overtaken_worker_does_not_follow_the_leader_),
        cmocka_unit_test(sweep_all_),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs of tasks (plan.h), and what may become of their steps (decide.h). A state is a letter for each step, in the order of the plan:
 * P pending, R ready, X running, C canceling, F failed, S successful, U unknown, K skipped, G given up, B rolled back. */
#include <stdlib.h>
#include <string.h>

#include "src/store/subtask.h"
#include "src/task/decide.h"
#include "src/task/plan.h"
#include "tests/lib/test.h"

static int nothing(struct task_run *r, struct err *e)
{
    (void)r;
    (void)e;
    return 0;
}

static const struct task_step steps[] = {
    { "prepare", "", 10, nothing, .rollback = nothing, .retries = 2 },
    { "start", "", 20, nothing, .rollback = nothing, .flags = STEP_SKIPPABLE },
    { "look", "", 30, nothing },
    { .name = NULL },
};
static const struct task_target targets[] = { { "h1", "host one" }, { "h2", NULL }, { "h3", NULL }, { "h4", NULL } };

struct world {
    struct arena arena;
    struct task t;
    int64_t *scratch;
    char text[256];
};

static void make(struct world *w, void (*plan)(struct plan *p, const void *data))
{
    const struct task_flow flow = { "f", 1, steps, .plan = plan };
    struct err e;

    memset(w, 0, sizeof *w);
    arena_init(&w->arena);
    assert_ok(plan_make(&flow, NULL, &w->arena, &w->t.subtasks, &w->t.n_subtasks, &e), &e);
    w->scratch = arena_array(&w->arena, w->t.n_subtasks + 1, sizeof *w->scratch);
    assert_non_null(w->scratch);
    decide_settle(&w->t, w->scratch);
}

static const char *states(struct world *w)
{
    for (size_t i = 0; i < w->t.n_subtasks; i++)
        w->text[i] = "PRXCFSUKGB"[w->t.subtasks[i].status];
    w->text[w->t.n_subtasks] = '\0';
    return w->text;
}

#define EXPECT(W, STATES, STATUS) (assert_string_equal(states(W), STATES), assert_int_equal((W)->t.status, STATUS))

/* As the leader does. */
static void dispatch(struct world *w)
{
    for (size_t i = 0; i < w->t.n_subtasks; i++) {
        struct subtask *s = &w->t.subtasks[i];

        if (s->status != SUBTASK_READY)
            continue;
        s->dispatch++;
        s->status = SUBTASK_RUNNING;
    }
}

static enum decide_answer happen(struct world *w, size_t i, enum decide_event event)
{
    int64_t before = w->t.subtasks[i].dispatch;
    enum decide_answer answer = decide_step(&w->t, &w->t.subtasks[i], event);

    assert_true(w->t.subtasks[i].dispatch >= before);
    if (answer == DECIDE_OK)
        decide_settle(&w->t, w->scratch);
    return answer;
}

static void ok(struct world *w, size_t i, enum decide_event event)
{
    assert_int_equal(happen(w, i, event), DECIDE_OK);
}

/* ---- plans ------------------------------------------------------------------------------------------------------------------------- */

static void three_hosts(struct plan *p, const void *data)
{
    (void)data;
    plan_each(p, "prepare", targets, 3, 0);
    plan_on(p, "start", 0);
    plan_then(p, "look", NULL);
}

static void a_plan_is_numbered_by_stages(void **state)
{
    static const struct {
        const char *name, *target, *label;
        int64_t stage, place, up_first, up_last;
    } want[] = {
        { "prepare", "h1", "host one", 1, 0, 0, 0 }, { "prepare", "h2", "h2", 1, 1, 0, 0 }, { "prepare", "h3", "h3", 1, 2, 0, 0 },
        { "start", "h1", "host one", 2, 0, 1, 1 },   { "start", "h2", "h2", 2, 1, 2, 2 },   { "start", "h3", "h3", 2, 2, 3, 3 },
        { "look", "", "", 3, -1, 4, 6 },
    };
    struct world w;

    (void)state;
    make(&w, three_hosts);
    assert_int_equal(w.t.n_subtasks, 7);
    for (size_t i = 0; i < 7; i++) {
        const struct subtask *s = &w.t.subtasks[i];

        assert_string_equal(s->name, want[i].name);
        assert_string_equal(s->target, want[i].target);
        assert_string_equal(s->label, want[i].label);
        assert_int_equal(s->series, i + 1);
        assert_int_equal(s->stage, want[i].stage);
        assert_int_equal(s->place, want[i].place);
        assert_int_equal(s->up_first, want[i].up_first);
        assert_int_equal(s->up_last, want[i].up_last);
    }
    assert_int_equal(w.t.subtasks[0].flags, SUBTASK_UNDOABLE);
    assert_int_equal(w.t.subtasks[3].flags, SUBTASK_UNDOABLE | SUBTASK_SKIPPABLE);
    assert_int_equal(w.t.subtasks[6].timeout_s, 30);
    arena_fini(&w.arena);
}

static void unknown_step(struct plan *p, const void *data)
{
    (void)data;
    plan_then(p, "prepare", NULL);
    plan_then(p, "fly", NULL);
    plan_then(p, "look", NULL);
}

static void no_target(struct plan *p, const void *data)
{
    (void)data;
    plan_each(p, "prepare", targets, 0, 0);
}

static void too_many(struct plan *p, const void *data)
{
    (void)data;
    for (int i = 0; i <= PLAN_MAX_STEPS; i++)
        plan_then(p, "look", NULL);
}

static void long_target(struct plan *p, const void *data)
{
    char id[PLAN_TARGET_SIZE + 2];

    (void)data;
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    plan_then(p, "look", &(struct task_target){ id, "label" });
}

static void mistakes_in_a_plan_are_told(void **state)
{
    void (*const wrong[])(struct plan *p, const void *data) = { unknown_step, no_target, too_many, long_target };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct task_flow flow = { "f", 1, steps, .plan = wrong[i] };
        struct subtask *out;
        struct arena arena;
        struct err e;
        size_t n;

        arena_init(&arena);
        assert_int_equal(plan_make(&flow, NULL, &arena, &out, &n, &e), ERR_INVALID.code);
        arena_fini(&arena);
    }
}

static int plan_once(void *data)
{
    const struct task_flow flow = { "f", 1, steps, .plan = three_hosts };
    struct subtask *out;
    struct arena arena;
    struct err e;
    size_t n;
    int rv;

    (void)data;
    arena_init(&arena);
    rv = plan_make(&flow, NULL, &arena, &out, &n, &e);
    arena_fini(&arena);
    return rv;
}

static void a_plan_without_memory_fails_cleanly(void **state)
{
    (void)state;
    test_oom_sweep(plan_once, NULL);
}

/* ---- forward --------------------------------------------------------------------------------------------------------------------------- */

static void steps_begin_when_all_before_them_are_done(void **state)
{
    struct world w;

    (void)state;
    make(&w, three_hosts);
    EXPECT(&w, "RRRPPPP", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 1, DECIDE_DONE);
    EXPECT(&w, "XSXPRPP", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 4, DECIDE_DONE);
    ok(&w, 0, DECIDE_DONE);
    ok(&w, 2, DECIDE_DONE);
    EXPECT(&w, "SSSRSRP", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 3, DECIDE_DONE);
    EXPECT(&w, "SSSSSXP", TASK_RUNNING);
    ok(&w, 5, DECIDE_DONE);
    dispatch(&w);
    EXPECT(&w, "SSSSSSX", TASK_RUNNING);
    ok(&w, 6, DECIDE_DONE);
    EXPECT(&w, "SSSSSSS", TASK_SUCCESSFUL);
    assert_true(decide_frees_locks(&w.t));
    arena_fini(&w.arena);
}

static void two_at_once(struct plan *p, const void *data)
{
    (void)data;
    plan_each(p, "look", targets, 4, 2);
}

static void a_width_is_kept_and_a_failure_stops_it(void **state)
{
    struct world w;

    (void)state;
    make(&w, two_at_once);
    EXPECT(&w, "RRPP", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 1, DECIDE_DONE);
    EXPECT(&w, "XSRP", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 0, DECIDE_FAILED);
    EXPECT(&w, "FSXP", TASK_RUNNING);
    ok(&w, 2, DECIDE_DONE);
    EXPECT(&w, "FSSP", TASK_FAILED);
    ok(&w, 0, DECIDE_RETRY);
    EXPECT(&w, "RSSR", TASK_RUNNING);
    arena_fini(&w.arena);
}

static void in_a_row(struct plan *p, const void *data)
{
    (void)data;
    plan_then(p, "prepare", NULL);
    plan_then(p, "start", NULL);
    plan_then(p, "look", NULL);
}

static void passing_failures_are_retried_so_often(void **state)
{
    struct world w;
    struct subtask *s;

    (void)state;
    make(&w, in_a_row);
    s = &w.t.subtasks[0];
    for (int64_t i = 1; i <= 2; i++) {
        dispatch(&w);
        ok(&w, 0, DECIDE_PASSING);
        EXPECT(&w, "RPP", TASK_RUNNING);
        assert_int_equal(s->attempts, i);
        assert_int_equal(s->delay_ms, i * 1000);
        assert_int_equal(s->operation, TASK_RETRY);
    }
    dispatch(&w);
    ok(&w, 0, DECIDE_PASSING);
    EXPECT(&w, "FPP", TASK_FAILED);
    ok(&w, 0, DECIDE_RETRY);
    assert_int_equal(s->attempts, 0);
    assert_int_equal(decide_pause_ms(100), 60000);
    arena_fini(&w.arena);
}

static void people_retry_skip_and_cancel(void **state)
{
    struct world w;

    (void)state;
    make(&w, in_a_row);
    assert_int_equal(happen(&w, 0, DECIDE_RETRY), DECIDE_STATE);
    assert_int_equal(happen(&w, 0, DECIDE_SKIP), DECIDE_STATE);
    assert_int_equal(happen(&w, 1, DECIDE_CANCEL), DECIDE_STATE);
    ok(&w, 0, DECIDE_CANCEL); /* READY: it never began */
    EXPECT(&w, "FPP", TASK_FAILED);
    assert_int_equal(happen(&w, 0, DECIDE_SKIP), DECIDE_NO_SKIP);
    ok(&w, 0, DECIDE_RETRY);
    dispatch(&w);
    ok(&w, 0, DECIDE_CANCEL);
    EXPECT(&w, "CPP", TASK_RUNNING);
    assert_int_equal(happen(&w, 0, DECIDE_DONE), DECIDE_STATE);
    ok(&w, 0, DECIDE_STOPPED);
    EXPECT(&w, "FPP", TASK_FAILED);
    ok(&w, 0, DECIDE_RETRY);
    dispatch(&w);
    ok(&w, 0, DECIDE_DONE);
    dispatch(&w);
    ok(&w, 1, DECIDE_UNKNOWN);
    EXPECT(&w, "SUP", TASK_FAILED);
    assert_false(decide_frees_locks(&w.t));
    ok(&w, 1, DECIDE_SKIP);
    EXPECT(&w, "SKR", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 2, DECIDE_FAILED);
    ok(&w, 2, DECIDE_CANCEL);
    EXPECT(&w, "SKG", TASK_FAILED);
    assert_int_equal(happen(&w, 2, DECIDE_RETRY), DECIDE_STATE);
    assert_int_equal(decide_retry(&w.t), DECIDE_STATE);
    arena_fini(&w.arena);
}

static void a_lost_worker_is_replaced_under_a_new_number(void **state)
{
    struct world w;

    (void)state;
    make(&w, in_a_row);
    dispatch(&w);
    assert_int_equal(w.t.subtasks[0].dispatch, 1);
    ok(&w, 0, DECIDE_LOST);
    EXPECT(&w, "RPP", TASK_RUNNING);
    assert_int_equal(w.t.subtasks[0].dispatch, 2);
    dispatch(&w);
    ok(&w, 0, DECIDE_CANCEL);
    ok(&w, 0, DECIDE_LOST); /* nobody knows whether it was stopped in time */
    EXPECT(&w, "UPP", TASK_FAILED);
    arena_fini(&w.arena);
}

static void a_step_that_its_worker_declines_waits_for_another_longer_each_time(void **state)
{
    int64_t before_ms = 0;
    struct world w;

    (void)state;
    make(&w, in_a_row);
    for (int i = 1; i <= 6; i++) {
        const struct subtask *s = &w.t.subtasks[0];

        dispatch(&w);
        ok(&w, 0, DECIDE_DECLINED);
        EXPECT(&w, "RPP", TASK_RUNNING);
        assert_int_equal(s->dispatch, 2 * i);
        assert_int_equal(s->attempts, 0);
        assert_true(i > 4 ? s->delay_ms == before_ms || s->delay_ms == 10000 : s->delay_ms > before_ms);
        before_ms = s->delay_ms;
    }
    arena_fini(&w.arena);
}

static void a_step_that_everybody_declines_fails_in_the_end_and_may_be_retried(void **state)
{
    struct world w;

    (void)state;
    make(&w, in_a_row);
    for (int i = 1; i < DECIDE_DECLINES; i++) {
        dispatch(&w);
        ok(&w, 0, DECIDE_DECLINED);
    }
    EXPECT(&w, "RPP", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 0, DECIDE_DECLINED);
    EXPECT(&w, "FPP", TASK_FAILED);
    ok(&w, 0, DECIDE_RETRY);
    assert_int_equal(w.t.subtasks[0].declines, 0);
    EXPECT(&w, "RPP", TASK_RUNNING);
    arena_fini(&w.arena);
}

static void workers_are_lost_by_incarnation_death_and_lease(void **state)
{
    static const struct {
        struct decide_worker w;
        int64_t up_ms;
        bool lost;
    } cases[] = {
        { { true, false, 5000000 }, 0, false },  { { true, false, -1 }, 0, false },  { { true, false, -1 }, TASK_WORKER_TTL_MS, true },
        { { true, true, 5000000 }, 0, true },    { { false, false, 0 }, 0, true },   { { true, false, 0 }, TASK_WORKER_TTL_MS, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(decide_is_lost(&cases[i].w, cases[i].up_ms), cases[i].lost);
}

/* ---- backward -------------------------------------------------------------------------------------------------------------------------- */

static void a_rollback_goes_from_the_last_to_the_first(void **state)
{
    struct world w;

    (void)state;
    make(&w, three_hosts);
    assert_int_equal(decide_rollback(&w.t), DECIDE_STATE);
    dispatch(&w);
    for (size_t i = 0; i < 3; i++)
        ok(&w, i, DECIDE_DONE);
    dispatch(&w);
    ok(&w, 3, DECIDE_DONE);
    ok(&w, 4, DECIDE_DONE);
    ok(&w, 5, DECIDE_FAILED);
    EXPECT(&w, "SSSSSFP", TASK_FAILED);
    assert_int_equal(decide_rollback(&w.t), DECIDE_OK);
    decide_settle(&w.t, w.scratch);
    EXPECT(&w, "SSSRRRP", TASK_RUNNING); /* what was never begun has nothing to undo */
    dispatch(&w);
    ok(&w, 4, DECIDE_DONE);
    EXPECT(&w, "SRSXBXP", TASK_RUNNING);
    dispatch(&w);
    ok(&w, 1, DECIDE_FAILED);
    ok(&w, 3, DECIDE_DONE);
    ok(&w, 5, DECIDE_DONE);
    dispatch(&w);
    ok(&w, 0, DECIDE_DONE);
    ok(&w, 2, DECIDE_DONE);
    EXPECT(&w, "BFBBBBP", TASK_FAILED);
    assert_int_equal(decide_retry(&w.t), DECIDE_OK);
    decide_settle(&w.t, w.scratch);
    assert_int_equal(w.t.subtasks[1].operation, TASK_ROLLBACK);
    dispatch(&w);
    ok(&w, 1, DECIDE_DONE);
    EXPECT(&w, "BBBBBBP", TASK_SUCCESSFUL);
    assert_int_equal(decide_retry(&w.t), DECIDE_STATE);
    assert_int_equal(decide_rollback(&w.t), DECIDE_STATE);
    arena_fini(&w.arena);
}

static void steps_without_anything_to_undo_are_passed(void **state)
{
    struct world w;

    (void)state;
    make(&w, in_a_row);
    w.t.prohibit_rollback = 1;
    for (size_t i = 0; i < 2; i++) {
        dispatch(&w);
        ok(&w, i, DECIDE_DONE);
    }
    dispatch(&w);
    ok(&w, 2, DECIDE_FAILED);
    assert_int_equal(decide_rollback(&w.t), DECIDE_NO_ROLLBACK);
    w.t.prohibit_rollback = 0;
    assert_int_equal(decide_rollback(&w.t), DECIDE_OK);
    decide_settle(&w.t, w.scratch);
    EXPECT(&w, "SRB", TASK_RUNNING);
    arena_fini(&w.arena);
}

static void a_flow_may_undo_by_itself(void **state)
{
    struct world w;

    (void)state;
    make(&w, in_a_row);
    w.t.undo = 1;
    dispatch(&w);
    ok(&w, 0, DECIDE_FAILED);
    EXPECT(&w, "RPP", TASK_RUNNING);
    assert_int_equal(w.t.operation, TASK_UNDO);
    dispatch(&w);
    ok(&w, 0, DECIDE_DONE);
    EXPECT(&w, "BPP", TASK_FAILED); /* whoever asked for it sees that it failed */
    assert_int_equal(decide_retry(&w.t), DECIDE_STATE);
    assert_true(decide_frees_locks(&w.t));
    arena_fini(&w.arena);
}

/* ---- any order ----------------------------------------------------------------------------------------------------------------------- */

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static const unsigned final = 1u << SUBTASK_SUCCESSFUL | 1u << SUBTASK_SKIPPED | 1u << SUBTASK_CANCELLED | 1u << SUBTASK_ROLLED_BACK;

static void check_step(const struct world *w, const struct subtask *was, const struct subtask *now)
{
    bool leaves = was->status != now->status && (final & 1u << was->status) != 0;

    assert_true(now->dispatch >= was->dispatch);
    if (leaves)
        assert_true((w->t.operation == TASK_ROLLBACK || w->t.operation == TASK_UNDO) && now->operation == TASK_ROLLBACK && now->dispatch > was->dispatch);
    if (now->status == SUBTASK_READY && was->status != SUBTASK_READY && was->status != SUBTASK_PENDING)
        assert_true(now->dispatch > was->dispatch);
}

/* Does what comes before a step that runs forward hold? */
static void check_order(const struct world *w)
{
    for (size_t i = 0; i < w->t.n_subtasks; i++) {
        const struct subtask *s = &w->t.subtasks[i];

        if (s->status != SUBTASK_RUNNING || s->operation == TASK_ROLLBACK)
            continue;
        for (int64_t k = s->up_first; k > 0 && k <= s->up_last; k++)
            assert_true((final & 1u << w->t.subtasks[k - 1].status) != 0);
    }
}

static void anything(struct world *w, uint64_t *seed)
{
    uint64_t what = next(seed) % (DECIDE_EVENTS + 3);

    if (what < DECIDE_EVENTS) {
        (void)happen(w, next(seed) % w->t.n_subtasks, (enum decide_event)what);
        return;
    }
    if (what == DECIDE_EVENTS) {
        dispatch(w);
        return;
    }
    if ((what == DECIDE_EVENTS + 1 ? decide_retry(&w->t) : decide_rollback(&w->t)) == DECIDE_OK)
        decide_settle(&w->t, w->scratch);
}

/* Whatever happened before: with workers that succeed it comes to an end. */
static void finish(struct world *w)
{
    for (int round = 0; w->t.status == TASK_RUNNING; round++) {
        assert_true(round < 100);
        dispatch(w);
        for (size_t i = 0; i < w->t.n_subtasks; i++)
            if (happen(w, i, DECIDE_DONE) == DECIDE_STATE)
                (void)happen(w, i, DECIDE_STOPPED);
    }
}

static void nothing_that_happens_breaks_a_rule(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 3000; run++) {
        uint64_t seed = run * 0x9e3779b97f4a7c15u;
        struct subtask was[8];
        struct world w;

        make(&w, run % 3 == 0 ? two_at_once : run % 3 == 1 ? three_hosts : in_a_row);
        w.t.undo = run % 5 == 0;
        for (int i = 0; i < 60; i++) {
            memcpy(was, w.t.subtasks, w.t.n_subtasks * sizeof *was);
            anything(&w, &seed);
            for (size_t k = 0; k < w.t.n_subtasks; k++)
                check_step(&w, &was[k], &w.t.subtasks[k]);
            check_order(&w);
        }
        finish(&w);
        arena_fini(&w.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_numbered_by_stages),
        cmocka_unit_test(mistakes_in_a_plan_are_told),
        cmocka_unit_test(a_plan_without_memory_fails_cleanly),
        cmocka_unit_test(steps_begin_when_all_before_them_are_done),
        cmocka_unit_test(a_width_is_kept_and_a_failure_stops_it),
        cmocka_unit_test(passing_failures_are_retried_so_often),
        cmocka_unit_test(people_retry_skip_and_cancel),
        cmocka_unit_test(a_lost_worker_is_replaced_under_a_new_number),
        cmocka_unit_test(a_step_that_its_worker_declines_waits_for_another_longer_each_time),
        cmocka_unit_test(a_step_that_everybody_declines_fails_in_the_end_and_may_be_retried),
        cmocka_unit_test(workers_are_lost_by_incarnation_death_and_lease),
        cmocka_unit_test(a_rollback_goes_from_the_last_to_the_first),
        cmocka_unit_test(steps_without_anything_to_undo_are_passed),
        cmocka_unit_test(a_flow_may_undo_by_itself),
        cmocka_unit_test(nothing_that_happens_breaks_a_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

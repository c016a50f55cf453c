/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of steps (src/task/run_log.c): nothing is lost while MetaDB is away, of a long one the beginning and the end are kept, and a run does not end
 * before its lines are there. MetaDB is a double. */
#include <stdio.h>

#include "src/task/engine_inside.h"
#include "tests/lib/test.h"

enum { MAX_LINES = 4096 };

struct world {
    struct task_engine engine;
    struct task_run runs[3];
    struct { int64_t step, seq; char text[64]; } kept[MAX_LINES];
    size_t n;
    const struct err_row *refuses; /* NULL: it takes what comes */
    bool is_slow;
    struct waitlist slow;          /* who waits for it */
    unsigned statements;
    bool ended;
    struct waitlist end;
};
static struct world w;

/* ---- doubles ------------------------------------------------------------------------------------------------------------------------- */

int store_subtask_log(struct db *d, const struct subtask_line *lines, size_t n, struct arena *arena, struct err *e)
{
    (void)d;
    (void)arena;
    w.statements++;
    while (w.is_slow)
        if (waitlist_wait(&w.slow, e) != 0)
            return e->row->code;
    if (w.refuses != NULL)
        return err_set(e, w.refuses, "the test wants it so");
    for (size_t i = 0; i < n; i++) {
        assert_true(w.n < MAX_LINES);
        w.kept[w.n].step = lines[i].subtask_id;
        w.kept[w.n].seq = lines[i].seq;
        (void)snprintf(w.kept[w.n++].text, sizeof w.kept->text, "%s", lines[i].text);
    }
    return 0;
}

bool task_is_passing(const struct err *e)
{
    return e->row->retry == ERR_RETRY;
}

/* ---- the world ------------------------------------------------------------------------------------------------------------------------- */

static void begin(void)
{
    w = (struct world){ .n = 0 };
    w.engine.conf.loop = loop_current();
    w.engine.log = test_log;
    for (unsigned i = 0; i < 3; i++) {
        w.runs[i] = (struct task_run){ .engine = &w.engine, .log = test_log, .step = { .id = 7 + i, .dispatch = 2 } };
        w.runs[i].next = i > 0 ? &w.runs[i - 1] : NULL;
    }
    w.engine.runs = &w.runs[2];
}

static void finish(void)
{
    for (unsigned i = 0; i < 3; i++)
        task_run_free_log(&w.runs[i]);
    assert_int_equal(w.engine.n_lines, 0);
}

/* What was kept of this step, in the order of numbers, and nothing twice. */
static size_t kept_of(int64_t step)
{
    size_t n = 0;
    int64_t last = -1;

    for (size_t i = 0; i < w.n; i++) {
        if (w.kept[i].step != step)
            continue;
        assert_true(w.kept[i].seq > last);
        last = w.kept[i].seq;
        assert_in_range(last, 2 * TASK_LOG_LINES, 3 * TASK_LOG_LINES - 1);
        n++;
    }
    return n;
}

static const char *line_of(int64_t step, size_t number)
{
    for (size_t i = 0; i < w.n; i++)
        if (w.kept[i].step == step && number-- == 0)
            return w.kept[i].text;
    return "";
}

#define SCENARIO(NAME)                          \
    static void NAME##_in(void *data)           \
    {                                           \
        struct err e = { 0 };                   \
        (void)data;                             \
        begin();                                \
        NAME(&e);                               \
        finish();                               \
    }                                           \
    static void NAME##_(void **state)           \
    {                                           \
        (void)state;                            \
        test_in_fiber(NAME##_in, NULL);         \
    }

/* ---- tests ------------------------------------------------------------------------------------------------------------------------------- */

static void lines_of_all_runs_go_together(struct err *e)
{
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            task_log(&w.runs[k], "line %d", i);
    assert_ok(task_write_logs(&w.engine, e), e);
    assert_int_equal(w.statements, 1);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(kept_of(7 + k), 3);
        assert_string_equal(line_of(7 + k, 2), "line 2");
    }
    assert_ok(task_write_logs(&w.engine, e), e);
    assert_int_equal(w.statements, 1);
    assert_int_equal(w.engine.n_lines, 0);
}
SCENARIO(lines_of_all_runs_go_together)

static void lines_wait_for_metadb(struct err *e)
{
    task_log(&w.runs[0], "before");
    w.refuses = &ERR_BUSY;
    assert_err(task_write_logs(&w.engine, e), e, ERR_BUSY);
    task_log(&w.runs[0], "meanwhile");
    err_clear(e);
    assert_err(task_run_write_log(&w.runs[0], e), e, ERR_BUSY);
    assert_int_equal(w.n, 0);
    w.refuses = NULL;
    task_log(&w.runs[0], "after");
    assert_ok(task_run_write_log(&w.runs[0], e), e);
    assert_int_equal(kept_of(7), 3);
    assert_string_equal(line_of(7, 0), "before");
    assert_string_equal(line_of(7, 2), "after");
}
SCENARIO(lines_wait_for_metadb)

/* Or they would be refused for ever, and the outcome would wait behind them. */
static void lines_that_are_refused_go(struct err *e)
{
    task_log(&w.runs[0], "never to be kept");
    w.refuses = &ERR_INVALID;
    assert_err(task_run_write_log(&w.runs[0], e), e, ERR_INVALID);
    w.refuses = NULL;
    err_clear(e);
    assert_ok(task_run_write_log(&w.runs[0], e), e);
    assert_int_equal(w.n, 0);
    assert_int_equal(w.engine.n_lines, 0);
}
SCENARIO(lines_that_are_refused_go)

static void a_long_log_has_its_beginning_and_its_end(struct err *e)
{
    for (int i = 1; i <= 3000; i++)
        task_log(&w.runs[0], "line %d", i);
    assert_true(w.engine.n_lines <= TASK_LOG_LINES);
    assert_ok(task_write_logs(&w.engine, e), e);
    assert_int_equal(kept_of(7), TASK_LOG_LINES - 50);
    task_run_end_log(&w.runs[0]);
    assert_ok(task_run_write_log(&w.runs[0], e), e);
    assert_int_equal(kept_of(7), TASK_LOG_LINES);
    assert_string_equal(line_of(7, 0), "line 1");
    assert_string_equal(line_of(7, 948), "line 949");
    assert_non_null(strstr(line_of(7, 949), "a long log"));
    assert_string_equal(line_of(7, 950), "line 2951");
    assert_string_equal(line_of(7, 999), "line 3000");
}
SCENARIO(a_long_log_has_its_beginning_and_its_end)

static void memory_for_lines_ends(struct err *e)
{
    w.refuses = &ERR_BUSY;
    for (int k = 0; k < 3; k++)
        w.runs[k].engine->n_lines += 6000;
    for (int i = 0; i < 50; i++)
        task_log(&w.runs[0], "one too many");
    assert_int_equal(w.engine.n_lines, 18000);
    w.engine.n_lines = 0;
    assert_ok(task_run_write_log(&w.runs[0], e), e);
}
SCENARIO(memory_for_lines_ends)

static void end_run(void *data)
{
    struct err e = { 0 };

    (void)data;
    assert_ok(task_run_write_log(&w.runs[0], &e), &e);
    task_run_await_log(&w.runs[0]);
    assert_false(w.runs[0].is_writing);
    w.ended = true;
    waitlist_wake_all(&w.end);
}

static void write_logs(void *data)
{
    struct err e = { 0 };

    (void)data;
    assert_ok(task_write_logs(&w.engine, &e), &e);
}

static void a_run_waits_for_its_lines(struct err *e)
{
    task_log(&w.runs[0], "on its way");
    task_log(&w.runs[1], "this, too");
    w.is_slow = true;
    assert_ok(fiber_start(loop_current(), "worker", write_logs, NULL, NULL, e), e);
    assert_ok(fiber_yield(e), e);
    assert_true(w.runs[0].is_writing);
    task_log(&w.runs[0], "the last one");
    assert_ok(fiber_start(loop_current(), "run", end_run, NULL, NULL, e), e);
    assert_ok(fiber_yield(e), e);
    assert_false(w.ended);
    w.is_slow = false;
    waitlist_wake_all(&w.slow);
    while (!w.ended)
        assert_ok(waitlist_wait(&w.end, e), e);
    assert_int_equal(kept_of(7), 2);
    assert_string_equal(line_of(7, 1), "the last one");
    assert_int_equal(kept_of(8), 1);
}
SCENARIO(a_run_waits_for_its_lines)

static void anything_may_be_printed(struct err *e)
{
    task_log(&w.runs[0], "caf\xc3\xa9 \xff\xfe \x1b[31m \xc2\x9b \xe4\xb8\xad");
    task_log(&w.runs[0], "cut \xe4\xb8");
    assert_ok(task_run_write_log(&w.runs[0], e), e);
    assert_string_equal(line_of(7, 0), "caf\xc3\xa9 ?? ?[31m ?? \xe4\xb8\xad");
    assert_string_equal(line_of(7, 1), "cut ??");
}
SCENARIO(anything_may_be_printed)

static int sweep(void *data)
{
    struct err e = { 0 };
    int rv;

    (void)data;
    for (int i = 0; i < 3; i++)
        task_log(&w.runs[i], "line");
    rv = task_write_logs(&w.engine, &e);
    for (int i = 0; i < 3; i++)
        task_run_free_log(&w.runs[i]);
    return rv;
}

static void sweep_all(struct err *e)
{
    (void)e;
    test_oom_sweep(sweep, NULL);
}
SCENARIO(sweep_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_all_runs_go_together_),
        cmocka_unit_test(lines_wait_for_metadb_),
        cmocka_unit_test(lines_that_are_refused_go_),
        cmocka_unit_test(a_long_log_has_its_beginning_and_its_end_),
        cmocka_unit_test(memory_for_lines_ends_),
        cmocka_unit_test(a_run_waits_for_its_lines_),
        cmocka_unit_test(anything_may_be_printed_),
        cmocka_unit_test(sweep_all_),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/io/crash.h"
#include "src/io/work.h"

static void returns_at_once(void *data)
{
    *(int *)data += 1;
}

static void fibers_run_and_end(void *data)
{
    struct fiber_group g = { 0 };
    struct err e;
    int n = 0;

    (void)data;
    for (int i = 0; i < 1000; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "member", returns_at_once, &n, &e), &e);
    assert_ok(fiber_group_wait(&g, &e), &e);
    assert_int_equal(n, 1000);
}

static void test_fibers_run_and_end(void **state)
{
    (void)state;
    test_in_fiber(fibers_run_and_end, NULL);
}

struct hurried {
    bool timed_out, ended;
};

static void sleeps_and_tidies_up(void *item)
{
    struct hurried *h = item;
    struct err e;

    h->timed_out = fiber_sleep(60000, &e) == ERR_TIMEOUT.code;
    fiber_restore_deadline(INT64_MAX);
    assert_ok(fiber_sleep(20, &e), &e); /* what is left to be done when the time is over */
    h->ended = true;
}

/* Each has the caller's deadline, and the caller leaves after the last of them. */
static void each_ends_before_its_caller(void *data)
{
    struct hurried all[3] = { { false, false } };
    int64_t former = fiber_narrow_deadline(50);
    struct err e;

    (void)data;
    assert_ok(fiber_each("hurried", sleeps_and_tidies_up, all, sizeof all[0], 3, &e), &e);
    assert_int_equal(fiber_ms_left(), 0);
    fiber_restore_deadline(former);
    for (unsigned i = 0; i < 3; i++)
        assert_true(all[i].timed_out && all[i].ended);
    assert_ok(fiber_each("nobody", sleeps_and_tidies_up, all, sizeof all[0], 0, &e), &e);
}

static void test_each_ends_before_its_caller(void **state)
{
    (void)state;
    test_in_fiber(each_ends_before_its_caller, NULL);
}

struct order {
    char text[64];
    size_t n;
};

static void note(struct order *o, char c)
{
    o->text[o->n++] = c;
}

static void sleeper(void *data)
{
    struct order *o = data;
    struct err e;

    note(o, 'a');
    assert_ok(fiber_sleep(20, &e), &e);
    note(o, 'c');
}

static void sleeping_lets_others_run(void *data)
{
    struct order o = { 0 };
    struct fiber_group g = { 0 };
    struct err e;

    (void)data;
    assert_ok(fiber_group_start(&g, loop_current(), "sleeper", sleeper, &o, &e), &e);
    assert_ok(fiber_yield(&e), &e);
    note(&o, 'b');
    assert_ok(fiber_group_wait(&g, &e), &e);
    assert_string_equal(o.text, "abc");
}

static void test_sleeping_lets_others_run(void **state)
{
    (void)state;
    test_in_fiber(sleeping_lets_others_run, NULL);
}

static void wait_ends_at_deadline(void *data)
{
    int64_t before = clock_now_ms(&clock_system);
    int64_t former = fiber_narrow_deadline(30);
    struct waitlist nobody = { 0 };
    struct err e;

    (void)data;
    assert_err(waitlist_wait(&nobody, &e), &e, ERR_TIMEOUT);
    assert_true(clock_now_ms(&clock_system) - before >= 30);
    assert_null(nobody.first);
    assert_err(fiber_sleep(1000, &e), &e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    assert_ok(fiber_sleep(1, &e), &e);
}

static void test_wait_ends_at_deadline(void **state)
{
    (void)state;
    test_in_fiber(wait_ends_at_deadline, NULL);
}

struct victim {
    struct fiber *fiber;
    int first, second, shielded;
    bool ended;
};

static void victim_run(void *data)
{
    struct victim *v = data;
    struct err e;

    v->fiber = fiber_current();
    v->first = fiber_sleep(10000, &e);
    v->second = fiber_sleep(10000, &e);
    (void)fiber_shield(true);
    v->shielded = fiber_sleep(1, &e);
    v->ended = true;
}

static void cancelled_fiber_cleans_up(void *data)
{
    struct victim v = { 0 };
    struct fiber_group g = { 0 };
    struct err e;

    (void)data;
    assert_ok(fiber_group_start(&g, loop_current(), "victim", victim_run, &v, &e), &e);
    assert_ok(fiber_yield(&e), &e);
    fiber_cancel(v.fiber);
    fiber_cancel(v.fiber);
    assert_ok(fiber_group_wait(&g, &e), &e);
    assert_int_equal(v.first, ERR_CANCELLED.code);
    assert_int_equal(v.second, ERR_CANCELLED.code);
    assert_int_equal(v.shielded, 0);
    assert_true(v.ended);
}

static void test_cancelled_fiber_cleans_up(void **state)
{
    (void)state;
    test_in_fiber(cancelled_fiber_cleans_up, NULL);
}

struct shared {
    struct fiber_mutex mutex;
    unsigned inside, most;
};

static void enters(void *data)
{
    struct shared *s = data;
    struct err e;

    assert_ok(fiber_mutex_lock(&s->mutex, &e), &e);
    s->inside++;
    s->most = s->inside > s->most ? s->inside : s->most;
    assert_ok(fiber_yield(&e), &e);
    s->inside--;
    fiber_mutex_unlock(&s->mutex);
}

static void mutex_lets_one_in(void *data)
{
    struct shared s = { 0 };
    struct fiber_group g = { 0 };
    struct err e;

    (void)data;
    for (int i = 0; i < 50; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "enters", enters, &s, &e), &e);
    assert_ok(fiber_group_wait(&g, &e), &e);
    assert_int_equal(s.most, 1);
}

static void test_mutex_lets_one_in(void **state)
{
    (void)state;
    test_in_fiber(mutex_lets_one_in, NULL);
}

static void waits_for_ever(void *data)
{
    struct err e;

    assert_err(waitlist_wait(data, &e), &e, ERR_CANCELLED);
}

static void test_fibers_are_capped_and_stopped(void **state)
{
    struct loop_conf conf = { "test", &clock_system, &test_log, 3, 64 * 1024 };
    struct waitlist list = { 0 };
    struct loop *l;
    struct err e = { 0 };

    (void)state;
    assert_ok(loop_new(&conf, &l, &e), &e);
    for (int i = 0; i < 3; i++)
        assert_ok(fiber_start(l, "waits", waits_for_ever, &list, NULL, &e), &e);
    assert_err(fiber_start(l, "waits", waits_for_ever, &list, NULL, &e), &e, ERR_BUSY);
    assert_ok(loop_thread_start(l, &e), &e);
    loop_stop(l);
    loop_stop(l);
    loop_thread_join(l);
    assert_err(fiber_start(l, "late", waits_for_ever, &list, NULL, &e), &e, ERR_CANCELLED);
    assert_int_equal(loop_stats(l).refused, 1);
    loop_free(l);
}

struct square {
    struct work work;
    int in, out;
    int *dropped;
    int gate[2]; /* the job reads a byte first when this is set */
};

static void square_run(struct work *w)
{
    struct square *s = (struct square *)w;
    char c;

    if (s->gate[0] > 0)
        assert_int_equal(read(s->gate[0], &c, 1), 1);
    s->out = s->in * s->in;
}

static void square_drop(struct work *w)
{
    struct square *s = (struct square *)w;

    __atomic_fetch_add(s->dropped, 1, __ATOMIC_SEQ_CST);
    mem_free(s);
}

static struct square *square_new(int in, int *dropped)
{
    struct square *s = mem_zalloc(sizeof *s);

    assert_non_null(s);
    s->work.run = square_run;
    s->work.drop = square_drop;
    s->in = in;
    s->dropped = dropped;
    return s;
}

static void work_comes_back(void *data)
{
    int dropped = 0;
    struct err e;

    for (int i = 0; i < 200; i++) {
        struct square *s = square_new(i, &dropped);

        assert_ok(work_run(data, &s->work, &e), &e);
        assert_int_equal(s->out, i * i);
        mem_free(s);
    }
    assert_int_equal(dropped, 0);
}

static void test_work_comes_back(void **state)
{
    struct work_conf conf = { "squares", 2, 10 };
    struct work_pool *p;
    struct err e;

    (void)state;
    assert_ok(work_pool_new(&conf, &p, &e), &e);
    test_in_fiber(work_comes_back, p);
    work_pool_free(p);
}

struct given_up {
    struct work_pool *pool;
    int gate[2];
    int dropped;
};

static void work_is_given_up(void *data)
{
    struct given_up *g = data;
    struct square *s = square_new(2, &g->dropped);
    struct square *queued = square_new(3, &g->dropped);
    int64_t former = fiber_narrow_deadline(30);
    struct err e;

    s->gate[0] = g->gate[0];
    assert_err(work_run(g->pool, &s->work, &e), &e, ERR_TIMEOUT);
    assert_err(work_run(g->pool, &queued->work, &e), &e, ERR_TIMEOUT);
    assert_int_equal(g->dropped, 1);
    fiber_restore_deadline(former);
}

static void test_work_is_given_up(void **state)
{
    struct work_conf conf = { "squares", 1, 10 };
    struct given_up g = { 0 };
    struct err e;

    (void)state;
    assert_int_equal(pipe(g.gate), 0);
    assert_ok(work_pool_new(&conf, &g.pool, &e), &e);
    test_in_fiber(work_is_given_up, &g);
    assert_int_equal(write(g.gate[1], "x", 1), 1);
    work_pool_free(g.pool);
    assert_int_equal(g.dropped, 2);
    (void)close(g.gate[0]);
    (void)close(g.gate[1]);
}

static volatile int depth_wanted = 1 << 20;

__attribute__((noinline)) static int recurse(int depth)
{
    volatile int here[256];

    here[0] = depth;
    if (depth < depth_wanted)
        here[1] = recurse(depth + 1);
    return here[0] + here[1];
}

static void overflows(void *data)
{
    (void)data;
    assert_int_equal(recurse(0), 0);
}

static void test_stack_overflow_names_the_fiber(void **state)
{
    char text[4096] = "";
    int out[2], status;
    ssize_t n;
    size_t got = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        (void)dup2(out[1], 2);
        crash_install();
        test_in_fiber(overflows, NULL);
        _exit(0);
    }
    (void)close(out[1]);
    while ((n = read(out[0], text + got, sizeof text - 1 - got)) > 0)
        got += (size_t)n;
    (void)close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    print_message("%s", text);
    assert_non_null(strstr(text, "fiber=\"test\" reason=\"stack overflow"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fibers_run_and_end),
        cmocka_unit_test(test_each_ends_before_its_caller),
        cmocka_unit_test(test_sleeping_lets_others_run),
        cmocka_unit_test(test_wait_ends_at_deadline),
        cmocka_unit_test(test_cancelled_fiber_cleans_up),
        cmocka_unit_test(test_mutex_lets_one_in),
        cmocka_unit_test(test_fibers_are_capped_and_stopped),
        cmocka_unit_test(test_work_comes_back),
        cmocka_unit_test(test_work_is_given_up),
        cmocka_unit_test(test_stack_overflow_names_the_fiber),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

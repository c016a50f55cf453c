/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

/* Only against a hang: no test may come near it, on a busy machine or under a sanitizer either. */
enum { TEST_HANGS_MS = 120000 };

const struct log test_log = { .sink = NULL };

struct job {
    struct loop *loop;
    void (*fn)(void *data);
    void *data;
};

static void run_job(void *data)
{
    struct job *j = data;

    (void)fiber_narrow_deadline(TEST_HANGS_MS);
    j->fn(j->data);
    loop_stop(j->loop);
}

void test_in_fiber(void (*fn)(void *data), void *data)
{
    struct loop_conf conf = { "test", &clock_system, &test_log, LOOP_MAX_FIBERS, LOOP_STACK_BYTES };
    struct job job = { .fn = fn, .data = data };
    struct err e = { 0 };

    assert_ok(loop_new(&conf, &job.loop, &e), &e);
    assert_ok(fiber_start(job.loop, "test", run_job, &job, NULL, &e), &e);
    loop_run(job.loop);
    loop_free(job.loop);
}

struct countdown {
    unsigned left; /* allocations until the one that fails */
    bool hit;
};

static bool is_due(void *data)
{
    struct countdown *c = data;

    if (c->left-- > 0)
        return false;
    c->left = (unsigned)-1;
    c->hit = true;
    return true;
}

void test_oom_sweep(int (*fn)(void *data), void *data)
{
    for (unsigned n = 0; n < 20000; n++) {
        struct countdown c = { .left = n };
        int rv;

        mem_set_fault(is_due, &c);
        rv = fn(data);
        mem_set_fault(NULL, NULL);
        if (!c.hit) {
            assert_int_equal(rv, 0);
            assert_true(n > 0); /* a sweep over no allocation proves nothing */
            return;
        }
    }
    fail_msg("%s", "the sweep does not end: more than 20000 allocations");
}

bool test_is_gone(pid_t pid)
{
    char path[64], state = 0;
    FILE *f;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return true;
    if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 'X';
    (void)fclose(f);
    return state == 'Z' || state == 'X';
}

void test_assert_ok(int rv, const struct err *e, const char *what, const char *file, int line)
{
    char text[1024];

    if (rv == 0)
        return;
    print_error("%s:%d: %s: %s\n", file, line, what, err_log_text(e, text, sizeof text));
    _fail(file, line);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/iam/ratelimit.h"

#define SECOND INT64_C(1000000)
#define NOON (INT64_C(1700000000) / 86400 * 86400 * SECOND + 43200 * SECOND)

static struct ratelimiter *r;

static int setup(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_ok(ratelimiter_new(&r, &e), &e);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ratelimiter_free(r);
    return 0;
}

static void limit(const struct ratelimit *limits, size_t n)
{
    struct err e = { 0 };

    assert_ok(ratelimiter_set(r, limits, n, &e), &e);
}

static struct rate_state in(int64_t user_id, int64_t wall_us)
{
    struct rate_state s;
    struct err e = { 0 };

    assert_ok(ratelimiter_count(r, user_id, wall_us, &s, &e), &e);
    return s;
}

static struct rate_state out(int64_t user_id, int64_t wall_us)
{
    struct rate_state s;
    struct err e = { 0 };

    assert_err(ratelimiter_count(r, user_id, wall_us, &s, &e), &e, ERR_RATE_LIMIT);
    return s;
}

static void test_who_has_no_limit_is_not_counted(void **state)
{
    const struct ratelimit limits[] = { { 7, 10, 1 } };

    (void)state;
    assert_false(in(7, NOON).limited);
    limit(limits, 1);
    for (int i = 0; i < 5; i++)
        assert_false(in(8, NOON).limited);
    assert_true(in(7, NOON).limited);
    limit(NULL, 0);
    assert_false(in(7, NOON).limited);
}

static void test_windows_fill_and_begin_anew(void **state)
{
    const struct ratelimit limits[] = { { 7, 10, 3 } };
    struct rate_state s;

    (void)state;
    limit(limits, 1);
    s = in(7, NOON + 4 * SECOND);
    assert_int_equal(s.limit, 3);
    assert_int_equal(s.remaining, 2);
    assert_int_equal(s.window_s, 10);
    assert_int_equal(s.reset_s, 6);
    assert_int_equal(in(7, NOON + 4 * SECOND).remaining, 1);
    assert_int_equal(in(7, NOON + 9 * SECOND + 1).remaining, 0);
    s = out(7, NOON + 9 * SECOND + 1);
    assert_int_equal(s.remaining, 0);
    assert_int_equal(s.reset_s, 1);
    assert_int_equal(in(7, NOON + 10 * SECOND).remaining, 2);
}

/* The headers tell of the window that has the smallest part left; each one refuses. */
static void test_several_windows(void **state)
{
    const struct ratelimit limits[] = { { 7, 10, 4 }, { 7, 60, 5 }, { 7, 3600, 1000 }, { 7, 86400, 6 } };

    (void)state;
    limit(limits, 4);
    assert_int_equal(in(7, NOON).window_s, 10);
    for (int i = 0; i < 3; i++)
        (void)in(7, NOON);
    assert_int_equal(out(7, NOON).window_s, 10);
    assert_int_equal(in(7, NOON + 10 * SECOND).window_s, 60);
    assert_int_equal(out(7, NOON + 20 * SECOND).window_s, 60);
    assert_int_equal(in(7, NOON + 60 * SECOND).window_s, 86400);
    assert_int_equal(out(7, NOON + 120 * SECOND).reset_s, 43200 - 120);
}

static void test_new_limits_keep_what_was_counted(void **state)
{
    const struct ratelimit low[] = { { 5, 10, 9 }, { 7, 10, 2 } }, high[] = { { 7, 10, 4 } };

    (void)state;
    limit(low, 2);
    (void)in(7, NOON);
    (void)in(7, NOON);
    (void)out(7, NOON);
    limit(high, 1);
    assert_int_equal(in(7, NOON).remaining, 1);
    limit(low, 2);
    (void)out(7, NOON);
}

static int set_once(void *data)
{
    const struct ratelimit limits[] = { { 7, 10, 2 }, { 8, 10, 2 } };
    struct ratelimiter *one = NULL;
    struct err e = { 0 };
    int rv = ratelimiter_new(&one, &e);

    (void)data;
    if (rv == 0)
        rv = ratelimiter_set(one, limits, 2, &e);
    ratelimiter_free(one);
    return rv;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(set_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_has_no_limit_is_not_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_windows_fill_and_begin_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_limits_keep_what_was_counted, setup, teardown),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

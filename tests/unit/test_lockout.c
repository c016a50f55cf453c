/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/iam/lockout.h"

#define MINUTE INT64_C(60000)

static struct lockout *l;

static struct addr address(const char *text)
{
    struct addr a;

    assert_true(addr_parse((struct slice){ text, strlen(text) }, &a));
    return a;
}

static int64_t client_wait(const char *text, int64_t now_ms)
{
    struct addr a = address(text);

    return lockout_wait_ms(l, LOGIN_FAILURE_CLIENT, SLICE("anna"), &a, now_ms);
}

static void learn_client(const char *text, int64_t wait_ms, int64_t now_ms)
{
    struct addr a = address(text);

    lockout_learn(l, LOGIN_FAILURE_CLIENT, SLICE("anna"), &a, wait_ms, now_ms);
}

static int setup(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_ok(lockout_new(&l, &e), &e);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lockout_free(l);
    return 0;
}

static void test_what_was_learned_counts_for_a_second(void **state)
{
    struct addr a = address("10.0.0.1");

    (void)state;
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 1000), 0);
    lockout_learn(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 30 * MINUTE, 1000);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 1000), 30 * MINUTE);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 1500), 30 * MINUTE - 500);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("Anna"), &a, 1500), 0);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_CLIENT, SLICE("anna"), &a, 1500), 0);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 2000), 30 * MINUTE - 1000);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 2001), 0);
    lockout_learn(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 100, 3000);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 3100), 0);
    lockout_learn(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, MINUTE, 4000);
    lockout_learn(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 0, 4000);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, SLICE("anna"), &a, 4000), 0);
}

static void test_ipv6_counts_by_network(void **state)
{
    (void)state;
    learn_client("2001:db8:0:1::7", MINUTE, 1000);
    assert_int_equal(client_wait("2001:db8:0:1:ffff::1", 1000), MINUTE);
    assert_int_equal(client_wait("2001:db8:0:2::7", 1000), 0);
    learn_client("10.0.0.1", MINUTE, 1000);
    assert_int_equal(client_wait("10.0.0.1", 1000), MINUTE);
    assert_int_equal(client_wait("10.0.0.2", 1000), 0);
}

static void test_how_clients_are_named(void **state)
{
    struct addr v4 = address("10.0.0.1"), v6 = address("2001:db8:0:1:2:3:4:5"), nobody = { .known = false };
    char text[ADDR_TEXT_SIZE];

    (void)state;
    assert_string_equal(lockout_client(&v4, text), "10.0.0.1");
    assert_string_equal(lockout_client(&v6, text), "2001:db8:0:1::/64");
    assert_null(lockout_client(&nobody, text));
    lockout_learn(l, LOGIN_FAILURE_CLIENT, SLICE("anna"), &nobody, MINUTE, 1000);
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_CLIENT, SLICE("anna"), &nobody, 1000), 0);
}

/* Memory is bounded: the newest are there. */
static void test_a_flood(void **state)
{
    struct addr a = address("10.0.0.1");
    char name[32];
    int n;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        n = snprintf(name, sizeof name, "user%d", i);
        lockout_learn(l, LOGIN_FAILURE_USER, (struct slice){ name, (size_t)n }, &a, MINUTE, 1000 + i / 100);
    }
    assert_int_equal(lockout_wait_ms(l, LOGIN_FAILURE_USER, (struct slice){ name, strlen(name) }, &a, 1500), MINUTE - 1);
}

static int new_once(void *data)
{
    struct lockout *one = NULL;
    struct err e = { 0 };
    int rv = lockout_new(&one, &e);

    (void)data;
    lockout_free(one);
    return rv;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(new_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_learned_counts_for_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ipv6_counts_by_network, setup, teardown),
        cmocka_unit_test_setup_teardown(test_how_clients_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_flood, setup, teardown),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

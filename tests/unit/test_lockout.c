/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/iam/lockout.h"

static const struct lockout_limits limits = { { 3, 5 }, { 1000, 2000 } };

static struct addr client(const char *text)
{
    struct addr a;

    assert_true(addr_parse((struct slice){ text, strlen(text) }, &a));
    return a;
}

static struct lockout *new_lockout(void)
{
    struct lockout *l;
    struct err e = { 0 };

    assert_ok(lockout_new(&l, &e), &e);
    return l;
}

static int64_t user_wait(struct lockout *l, const char *user, int64_t now)
{
    return lockout_wait_ms(l, LOCKOUT_USER, (struct slice){ user, strlen(user) }, NULL, now);
}

static int64_t client_wait(struct lockout *l, const char *text, int64_t now)
{
    struct addr a = client(text);

    return lockout_wait_ms(l, LOCKOUT_CLIENT, SLICE(""), &a, now);
}

static unsigned failed(struct lockout *l, const char *user, const char *text, int64_t now)
{
    struct addr a = client(text);

    return lockout_fail(l, (struct slice){ user, strlen(user) }, &a, &limits, now);
}

static void test_a_name_is_blocked(void **state)
{
    struct lockout *l = new_lockout();

    (void)state;
    assert_int_equal(failed(l, "anna", "10.0.0.1", 100), 2);
    assert_int_equal(failed(l, "anna", "10.0.0.2", 200), 1);
    assert_int_equal(user_wait(l, "anna", 200), 0);
    assert_int_equal(failed(l, "anna", "10.0.0.3", 300), 0);
    assert_int_equal(user_wait(l, "anna", 300), 1000);
    assert_int_equal(user_wait(l, "ben", 300), 0);
    assert_int_equal(client_wait(l, "10.0.0.3", 300), 0);
    assert_int_equal(failed(l, "anna", "10.0.0.4", 900), 0);
    assert_int_equal(user_wait(l, "anna", 900), 400);      /* trying on does not prolong it */
    assert_int_equal(user_wait(l, "anna", 1300), 0);
    assert_int_equal(failed(l, "anna", "10.0.0.5", 1300), 2); /* and it begins anew */
    assert_int_equal(lockout_stats(l).blocks[LOCKOUT_USER], 1);
    assert_int_equal(lockout_stats(l).failures, 5);
    lockout_free(l);
    lockout_free(NULL);
}

static void test_a_client_is_blocked(void **state)
{
    struct lockout *l = new_lockout();
    char name[16];

    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        (void)failed(l, name, "10.0.0.1", 100);
    }
    assert_int_equal(client_wait(l, "10.0.0.1", 100), 2000);
    assert_int_equal(client_wait(l, "10.0.0.2", 100), 0);
    lockout_forget_user(l, SLICE("user0"));
    assert_int_equal(client_wait(l, "10.0.0.1", 100), 2000);
    lockout_free(l);
}

static void test_ipv6_counts_by_network(void **state)
{
    struct lockout *l = new_lockout();

    (void)state;
    for (int i = 0; i < 5; i++) {
        char name[16], address[32];

        (void)snprintf(name, sizeof name, "user%d", i);
        (void)snprintf(address, sizeof address, "2001:db8:1:2::%d", i + 1);
        (void)failed(l, name, address, 100);
    }
    assert_int_equal(client_wait(l, "2001:db8:1:2:ffff::", 100), 2000);
    assert_int_equal(client_wait(l, "2001:db8:1:3::1", 100), 0);
    lockout_free(l);
}

static void test_success_forgets_the_name(void **state)
{
    struct lockout *l = new_lockout();

    (void)state;
    (void)failed(l, "anna", "10.0.0.1", 100);
    (void)failed(l, "anna", "10.0.0.1", 100);
    lockout_forget_user(l, SLICE("anna"));
    lockout_forget_user(l, SLICE("nobody"));
    assert_int_equal(failed(l, "anna", "10.0.0.1", 100), 2);
    lockout_free(l);
}

static void test_old_failures_do_not_count(void **state)
{
    struct lockout *l = new_lockout();

    (void)state;
    (void)failed(l, "anna", "10.0.0.1", 100);
    (void)failed(l, "anna", "10.0.0.1", 200);
    assert_int_equal(failed(l, "anna", "10.0.0.1", 1200), 2);
    lockout_free(l);
}

static void test_clients_without_address(void **state)
{
    struct lockout *l = new_lockout();
    struct addr unknown = { .known = false };

    (void)state;
    for (int i = 0; i < 10; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "user%d", i);
        (void)lockout_fail(l, (struct slice){ name, strlen(name) }, &unknown, &limits, 100);
    }
    assert_int_equal(lockout_wait_ms(l, LOCKOUT_CLIENT, SLICE(""), &unknown, 100), 0);
    lockout_free(l);
}

/* A flood of made-up names must not free a name that is blocked. */
static void test_a_flood_keeps_the_blocked(void **state)
{
    struct lockout *l = new_lockout();
    char name[32];

    (void)state;
    for (int i = 0; i < 3; i++)
        (void)failed(l, "anna", "10.0.0.1", 100);
    for (int i = 0; i < 50000; i++) {
        (void)snprintf(name, sizeof name, "made-up-%d", i);
        (void)failed(l, name, "10.0.0.2", 100);
    }
    assert_int_equal(user_wait(l, "anna", 100), 1000);
    assert_int_equal(client_wait(l, "10.0.0.2", 100), 2000);
    lockout_free(l);
}

static int new_once(void *data)
{
    struct lockout *l = NULL;
    struct err e = { 0 };
    int rv = lockout_new(&l, &e);

    (void)data;
    lockout_free(l);
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
        cmocka_unit_test(test_a_name_is_blocked),          cmocka_unit_test(test_a_client_is_blocked),
        cmocka_unit_test(test_ipv6_counts_by_network),     cmocka_unit_test(test_success_forgets_the_name),
        cmocka_unit_test(test_old_failures_do_not_count),  cmocka_unit_test(test_clients_without_address),
        cmocka_unit_test(test_a_flood_keeps_the_blocked),  cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/iam/password.h"

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static struct work_pool *new_pool(void)
{
    struct work_conf conf = { "hash", 2, 16 };
    struct work_pool *p;
    struct err e = { 0 };

    assert_ok(work_pool_new(&conf, &p, &e), &e);
    return p;
}

static void test_rules(void **state)
{
    static const struct {
        const char *password, *problem;
    } cases[] = {
        { "aaBB11##", NULL }, { "aaaaaB1~/", NULL }, { "aaaaaaB1", NULL }, { "aaaaaa1/", NULL }, { "AAAAAA1/", NULL }, { "Aaaaaaa'", NULL },
        { "aaBB11##aaBB11##aaBB11##aaBB11##", NULL }, { "aaBB11#", "shorter" }, { "aaBB11##aaBB11##aaBB11##aaBB11##a", "longer" },
        { "aaaaaaaa", "kinds" }, { "aaaaaaaA", "kinds" }, { "11111111#", "kinds" }, { "aaBB11# ", "not allowed" },
        { "aaBB11#\xc3\xa4", "not allowed" }, { "aaBB11#\"", "not allowed" }, { "", "shorter" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *problem = password_problem(cases[i].password);

        if (cases[i].problem == NULL)
            assert_null(problem);
        else
            assert_true(problem != NULL && strstr(problem, cases[i].problem) != NULL);
    }
}

static void test_random_passwords_obey_the_rules(void **state)
{
    char last[PASSWORD_RANDOM_SIZE] = "", p[PASSWORD_RANDOM_SIZE];
    struct err e = { 0 };

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        assert_ok(password_random(p, &e), &e);
        assert_int_equal(strlen(p), 16);
        assert_null(password_problem(p));
        assert_true(p[0] >= 'A' && p[0] <= 'Z');
        assert_string_not_equal(p, last);
        memcpy(last, p, sizeof last);
    }
}

static void hash_and_verify(void *data)
{
    struct work_pool *pool = data;
    char one[PASSWORD_ENCODED_SIZE], two[PASSWORD_ENCODED_SIZE];
    struct err e = { 0 };
    bool matches;

    assert_ok(password_hash(pool, text("aaBB11##"), one, &e), &e);
    assert_ok(password_hash(pool, text("aaBB11##"), two, &e), &e);
    assert_true(strncmp(one, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
    assert_string_not_equal(one, two);
    assert_ok(password_verify(pool, one, text("aaBB11##"), &matches, &e), &e);
    assert_true(matches);
    assert_ok(password_verify(pool, one, text("aaBB11#"), &matches, &e), &e);
    assert_false(matches);
    assert_ok(password_verify(pool, one, text(""), &matches, &e), &e);
    assert_false(matches);
    assert_ok(password_verify(pool, NULL, text("aaBB11##"), &matches, &e), &e);
    assert_false(matches);
    /* an older hash with other costs goes on counting */
    assert_ok(password_verify(pool, "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", text("password"),
                              &matches, &e), &e);
    assert_true(matches);
}

static void test_hash_and_verify(void **state)
{
    struct work_pool *pool = new_pool();

    (void)state;
    test_in_fiber(hash_and_verify, pool);
    work_pool_free(pool);
}

static void refuse_strange_hashes(void *data)
{
    static const char *const strange[] = {
        "", "plain", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=4000000,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$!!!$nf65EOgLrQMR", "$argon2id$v=19$m=256,t=2,p=1$",
    };
    char longest[4096];
    struct err e = { 0 };
    bool matches;

    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        assert_err(password_verify(data, strange[i], text("password"), &matches, &e), &e, ERR_UNEXPECTED);
        assert_false(matches);
    }
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_err(password_verify(data, longest, text("password"), &matches, &e), &e, ERR_UNEXPECTED);
    assert_ok(password_verify(data, NULL, text(longest), &matches, &e), &e);
    assert_false(matches);
    assert_err(password_hash(data, text(longest), longest, &e), &e, ERR_PASSWORD_FORMAT);
}

static void test_strange_hashes(void **state)
{
    struct work_pool *pool = new_pool();

    (void)state;
    test_in_fiber(refuse_strange_hashes, pool);
    work_pool_free(pool);
}

static int hash_once(void *pool)
{
    char encoded[PASSWORD_ENCODED_SIZE];
    struct err e = { 0 };

    return password_hash(pool, text("aaBB11##"), encoded, &e);
}

static void test_out_of_memory(void **state)
{
    struct work_pool *pool = new_pool();

    (void)state;
    test_oom_sweep(hash_once, pool); /* outside a fiber the job runs right here */
    work_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),           cmocka_unit_test(test_random_passwords_obey_the_rules),
        cmocka_unit_test(test_hash_and_verify), cmocka_unit_test(test_strange_hashes),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

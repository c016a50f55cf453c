/* SPDX-License-Identifier: Apache-2.0 */
/* What src/tenant decides without asking anybody: names, privileges, whitelists. */
#include "src/tenant/account.h"
#include "src/tenant/locality.h"
#include "src/tenant/name.h"
#include "src/tenant/privilege.h"
#include "src/tenant/tenant.h"
#include "src/tenant/whitelist.h"
#include "tests/lib/test.h"

static void test_names(void **state)
{
    char longest[DBROLE_NAME_MAX + 2];

    (void)state;
    assert_true(tenant_name_is_valid("db1", DATABASE_NAME_MAX));
    assert_true(tenant_name_is_valid("A_", DATABASE_NAME_MAX));
    assert_false(tenant_name_is_valid("a", DATABASE_NAME_MAX));
    assert_false(tenant_name_is_valid("", DATABASE_NAME_MAX));
    assert_false(tenant_name_is_valid("_ab", DATABASE_NAME_MAX));
    assert_false(tenant_name_is_valid("1ab", DATABASE_NAME_MAX));
    assert_false(tenant_name_is_valid("a-b", DATABASE_NAME_MAX));
    assert_false(tenant_name_is_valid("a`b", DATABASE_NAME_MAX));
    memset(longest, 'a', sizeof longest);
    longest[DBROLE_NAME_MAX] = '\0';
    assert_true(tenant_name_is_valid(longest, DBROLE_NAME_MAX));
    longest[DBROLE_NAME_MAX] = 'a';
    longest[DBROLE_NAME_MAX + 1] = '\0';
    assert_false(tenant_name_is_valid(longest, DBROLE_NAME_MAX));
}

static void test_tokens(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    for (const struct privilege *p = privilege_rows; p->token != NULL; p++) {
        assert_string_equal(privilege_token(p->words, &a), p->token);
        assert_ptr_equal(privilege_find(p->words), p);
        assert_ptr_equal(privilege_find(p->token), p);
        assert_int_not_equal(p->levels & PRIVILEGE_GLOBAL, 0);
    }
    assert_string_equal(privilege_find("create_view")->words, "CREATE VIEW");
    assert_string_equal(privilege_find("Show databases")->words, "SHOW DATABASES");
    assert_null(privilege_find("SELEC"));
    assert_null(privilege_find("SELECTS"));
    assert_null(privilege_find(""));
    assert_string_equal(privilege_token("SOME NEW thing", &a), "SOME_NEW_THING");
    arena_fini(&a);
}

static int read_set(const char *const *tokens, size_t n, enum privilege_level level, struct arena *a, struct field_strings *out, struct err *e)
{
    struct field_strings in = { (const char **)tokens, n };

    return privilege_read(&in, level, a, out, e);
}

static void test_privilege_sets(void **state)
{
    static const char *const some[] = { "SELECT", "create_view", "SELECT" };
    static const char *const global[] = { "PROCESS" }, *const routine[] = { "EXECUTE" }, *const table[] = { "SELECT" };
    static const char *const injected[] = { "SELECT ON *.* TO root; --" };
    struct field_strings set, other, result;
    struct err e;
    struct arena a;
    char text[400];

    (void)state;
    arena_init(&a);
    assert_ok(read_set(some, 3, PRIVILEGE_DATABASE, &a, &set, &e), &e);
    assert_int_equal(set.n, 2);
    assert_string_equal(set.items[1], "CREATE VIEW");
    assert_ok(read_set(global, 1, PRIVILEGE_GLOBAL, &a, &other, &e), &e);
    assert_err(read_set(global, 1, PRIVILEGE_DATABASE, &a, &result, &e), &e, ERR_DB_PRIVILEGE);
    assert_non_null(strstr(err_text(&e, ERR_EN, text, sizeof text), "SHOW_VIEW"));
    assert_err(read_set(injected, 1, PRIVILEGE_GLOBAL, &a, &result, &e), &e, ERR_DB_PRIVILEGE);
    assert_err(read_set(routine, 1, PRIVILEGE_TABLE, &a, &result, &e), &e, ERR_OBJECT_PRIVILEGE);
    assert_err(read_set(table, 1, PRIVILEGE_ROUTINE, &a, &result, &e), &e, ERR_OBJECT_PRIVILEGE);
    assert_ok(read_set(routine, 1, PRIVILEGE_ROUTINE, &a, &result, &e), &e);

    assert_ok(text_set_union(&set, &other, &a, &result, &e), &e);
    assert_int_equal(result.n, 3);
    assert_ok(text_set_union(&result, &set, &a, &result, &e), &e);
    assert_int_equal(result.n, 3);
    assert_ok(text_set_minus(&result, &set, &a, &result, &e), &e);
    assert_int_equal(result.n, 1);
    assert_string_equal(result.items[0], "PROCESS");
    arena_fini(&a);
}

/* A `_` in a name must not open the databases whose names differ there. */
static void test_database_patterns(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_string_equal(database_pattern("plain", &a), "plain");
    assert_string_equal(database_pattern("a_b%", &a), "a\\_b\\%");
    assert_string_equal(database_of_pattern("a\\_b\\%", &a), "a_b%");
    assert_string_equal(database_of_pattern("a_b", &a), "a_b");
    assert_string_equal(database_of_pattern("a\\b\\", &a), "a\\b\\");
    arena_fini(&a);
}

static void test_whitelist_entries(void **state)
{
    static const char *const good[] = { "%", "127.0.0.1", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "::1", "fe80::/10", "10.1._.%",
                                        "192.168.%, 10.0.0.1 ,::1" };
    static const char *const bad[] = { "", ",", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "localhost", "10.0.0.1,,10.0.0.2", "10.0.0.x",
                                       "1.2.3", "%'; DROP" };
    static char too_long[WHITELIST_MAX + 2];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_ok(whitelist_check(good[i], &e), &e);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_err(whitelist_check(bad[i], &e), &e, ERR_WHITELIST_ENTRY);
    memset(too_long, '%', sizeof too_long - 1);
    assert_err(whitelist_check(too_long, &e), &e, ERR_WHITELIST_TOO_LONG);
}

static void test_whitelist_lets_in(void **state)
{
    (void)state;
    assert_true(whitelist_allows("%", "10.1.2.3"));
    assert_true(whitelist_allows("10.9.9.9,10.1.2.3", "10.1.2.3"));
    assert_false(whitelist_allows("10.1.2.30", "10.1.2.3"));
    assert_true(whitelist_allows("10.0.0.0/8", "10.1.2.3"));
    assert_true(whitelist_allows("10.0.0.0/255.0.0.0", "10.1.2.3"));
    assert_false(whitelist_allows("11.0.0.0/255.0.0.0", "10.1.2.3"));
    assert_true(whitelist_allows("0.0.0.0/0.0.0.0", "10.1.2.3"));
    assert_true(whitelist_allows("10.%", "10.1.2.3"));
    assert_true(whitelist_allows("10._.2.3", "10.1.2.3"));
    assert_false(whitelist_allows("10._.2.3", "10.11.2.3"));
    assert_true(whitelist_allows("%.2.3", "10.2.2.2.3"));
    assert_false(whitelist_allows("10.%.4", "10.1.2.3"));
    assert_true(whitelist_allows("1.1.1.1, ::1", "::1"));
    assert_false(whitelist_allows("", "10.1.2.3"));
}

static void test_primary_zones(void **state)
{
    struct err e;

    (void)state;
    assert_ok(primary_zone_check(NULL, "sys", &e), &e);
    assert_ok(primary_zone_check("", "sys", &e), &e);
    assert_ok(primary_zone_check("random", "sys", &e), &e);
    assert_ok(primary_zone_check("z1; z2,z3", "z1;z2;z3", &e), &e);
    assert_err(primary_zone_check("z1;z4", "z1;z2;z3", &e), &e, ERR_TENANT_PRIMARY_ZONE);
    assert_err(primary_zone_check("z", "z1", &e), &e, ERR_TENANT_PRIMARY_ZONE);
    assert_err(primary_zone_check("z1", "", &e), &e, ERR_TENANT_PRIMARY_ZONE);
    assert_err(primary_zone_check("z1;;z1", "z1", &e), &e, ERR_TENANT_PRIMARY_ZONE);
}

static void test_localities(void **state)
{
    static const struct {
        const char *text, *zones; /* "name:type name:type" */
    } cases[] = {
        { "", "" },
        { "FULL{1}@zone1, FULL{1}@zone2, READONLY{1}@zone3", "zone1:FULL zone2:FULL zone3:READONLY" },
        { "F@z1,F@z2,L@z3", "z1:FULL z2:FULL z3:LOGONLY" },
        { "f , r{2} @ z1 , C@z2", "z1:FULL z2:COLUMNSTORE" },
        { "R{ALL_SERVER},F{1,MEMSTORE_PERCENT:0}@z1", "z1:FULL" },
        { "F@[z1, z2],R@z3", "z1:FULL z2:FULL z3:READONLY" },
        { "F@z1,R@z1", "z1:FULL" },
        { "encryption_logonly@z1", "z1:encryption_logonly" },
        { "F@z1,", "z1:FULL" },
        { "F@z1,F", "z1:FULL" },
        { "F@z1,F{1@z2", "z1:FULL" },
        { "@z1", "" },
        { "F@", "" },
        { "F@[z1", "z1:FULL" },
        { "nonsense", "" },
    };
    struct locality_zone *zones;
    struct arena a;
    struct str text;
    struct err e;
    size_t n;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(locality_read(cases[i].text, &a, &zones, &n, &e), &e);
        str_init(&text, &a);
        for (size_t k = 0; k < n; k++)
            str_printf(&text, "%s%s:%s", k > 0 ? " " : "", zones[k].name, zones[k].type);
        assert_string_equal(str_c(&text), cases[i].zones);
    }
    arena_fini(&a);
}

static int reads_locality(void *data)
{
    struct locality_zone *zones;
    struct arena a;
    struct err e;
    size_t n;
    int rv;

    (void)data;
    arena_init(&a);
    rv = locality_read("FULL{1}@zone1, R{1}@[zone2,zone3],encryption_logonly@zone4", &a, &zones, &n, &e);
    if (rv != 0)
        assert_true(err_is(&e, &ERR_NOMEM));
    else
        assert_int_equal(n, 4);
    arena_fini(&a);
    return rv;
}

static void test_localities_without_memory(void **state)
{
    (void)state;
    test_oom_sweep(reads_locality, NULL);
}

static void test_protected_accounts(void **state)
{
    (void)state;
    assert_true(account_is_protected("root"));
    assert_true(account_is_protected("ocp_monitor"));
    assert_true(account_is_protected("__oceanbase_inner_drc_user"));
    assert_false(account_is_protected("roots"));
    assert_false(account_is_protected("_one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_privilege_sets),
        cmocka_unit_test(test_database_patterns),
        cmocka_unit_test(test_whitelist_entries),
        cmocka_unit_test(test_whitelist_lets_in),
        cmocka_unit_test(test_primary_zones),
        cmocka_unit_test(test_localities),
        cmocka_unit_test(test_localities_without_memory),
        cmocka_unit_test(test_protected_accounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The file of time zones in OceanBase's packages becomes statements for the kernel's tables, and nothing else. */
#include "src/oceanbase/time_zone_file.h"
#include "tests/lib/test.h"

static struct err e;
static struct time_zone_plan plan;
static char ran[2048];
static int fail_at;

static int keep(const char *statement, void *data, struct err *why)
{
    (void)data;
    (void)strncat(ran, statement, sizeof ran - strlen(ran) - 1);
    (void)strncat(ran, "|", sizeof ran - strlen(ran) - 1);
    return --fail_at == 0 ? err_set(why, &ERR_INVALID, "as wished") : 0;
}

static int read_text(const char *text)
{
    ran[0] = '\0';
    return time_zone_file_read((struct slice){ text, strlen(text) }, keep, NULL, &plan, &e);
}

#define TZ "oceanbase.__all_tenant_time_zone"

static void statements_are_for_the_kernels_tables(void **state)
{
    (void)state;
    fail_at = 0;
    assert_ok(read_text("set autocommit = 1;\nTRUNCATE TABLE time_zone;\n"
                        "REPLACE INTO time_zone_name (tenant_id, name, time_zone_id) VALUES (tid, 'Africa/Abidjan', 1);\n"
                        "INSERT INTO time_zone_transition (tenant_id, time_zone_id) VALUES\n (tid, 1)\n,(tid, 2)\n;\n"
                        "ALTER TABLE time_zone_transition ORDER BY a;\n"
                        "delete from oceanbase.__all_sys_stat where name = 'v';\nreplace into oceanbase.__all_sys_stat(a) values(0);\n"
                        "time_zone count:1750\ntime_zone_transition_type count:8593"),
              &e);
    assert_string_equal(ran, "DELETE FROM " TZ "|REPLACE INTO " TZ "_name (tenant_id, name, time_zone_id) VALUES (0, 'Africa/Abidjan', 1)|"
                             "REPLACE INTO " TZ "_transition (tenant_id, time_zone_id) VALUES\n(0, 1)\n,(0, 2)\n|");
    assert_int_equal(plan.expected[0], 1750);
    assert_int_equal(plan.expected[1], -1);
    assert_int_equal(plan.expected[3], 8593);
    assert_int_equal(plan.n_version, 2);
    assert_true(slice_is(plan.version[1], "replace into oceanbase.__all_sys_stat(a) values(0)"));
}

static void nothing_else_is_taken(void **state)
{
    static const char *const wrong[] = {
        "DROP TABLE time_zone;", "REPLACE INTO mysql.user VALUES (1);", "TRUNCATE TABLE time_zone; DROP DATABASE a;", "TRUNCATE TABLE time_zones;",
        "REPLACE INTO time_zone (a) VALUES\nSELECT 1;", "replace into oceanbase.__all_sys_stat values(1); DROP DATABASE a;",
        "REPLACE INTO time_zone (a) VALUES (1)", "garbage", "update oceanbase.__all_sys_stat set a = 1;", "REPLACE INTO time_zone_name (a) VALUES (1); DROP TABLE b;",
    };

    (void)state;
    fail_at = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (read_text(wrong[i]) != ERR_TIME_ZONE_FILE.code)
            fail_msg("taken: %s -> %s", wrong[i], ran);
        assert_string_equal(ran, "");
    }
}

static void what_fails_ends_it(void **state)
{
    (void)state;
    fail_at = 1;
    assert_err(read_text("TRUNCATE TABLE time_zone;\nTRUNCATE TABLE time_zone_name;\n"), &e, ERR_INVALID);
    assert_string_equal(ran, "DELETE FROM " TZ "|");
    fail_at = 0;
    assert_ok(read_text(""), &e);
    assert_int_equal(plan.expected[0], -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_for_the_kernels_tables),
        cmocka_unit_test(nothing_else_is_taken),
        cmocka_unit_test(what_fails_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

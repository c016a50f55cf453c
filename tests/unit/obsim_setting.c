/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters, variables, sessions, SHOW. */
#include "tests/unit/obsim_tests.h"

#include <stdlib.h>

static const char *parameter(struct rig *r, const char *name, struct sim_server *s, struct sim_tenant *t)
{
    return sim_parameter_value(r->c, sim_parameter_find(sim_slice(name)), s, t);
}

static void parameters(void **state)
{
    static const struct rig_row rows[] = {
        { 5099, "ALTER SYSTEM SET no_such = 1" },
        { 4147, "ALTER SYSTEM SET cpu_count = -1" },
        { 4147, "ALTER SYSTEM SET memory_limit = '1X'" },
        { 4147, "ALTER SYSTEM SET zone = 'z'" },
        { 4147, "ALTER SYSTEM SET enable_upgrade_mode = true" },
        { 0, "ALTER SYSTEM SET enable_ddl = false" },
        { 0, "ALTER SYSTEM SET syslog_level = 'INFO' COMMENT 'c' SCOPE = BOTH, cpu_count = 8 SCOPE MEMORY" },
        { 0, "ALTER SYSTEM SET memory_limit='16G' SERVER='10.0.1.1:2882'" },
        { 0, "ALTER SYSTEM SET system_memory='2G' ZONE='zone2'" },
        { 0, "ALTER SYSTEM SET cpu_quota_concurrency = 2.5 TENANT = tenant1" },
        { 0, "ALTER SYSTEM SET major_freeze_duty_time='04:00' TENANT = all_user" },
        { 5157, "ALTER SYSTEM SET open_cursors = 60 TENANT = nobody" },
        { 4018, "ALTER SYSTEM SET memory_limit='16G' SERVER='10.9.9.9:2882'" },
        { 4018, "ALTER SYSTEM SET memory_limit='16G' ZONE='zone9'" },
        { 4179, "ALTER SYSTEM SET open_cursors = 60 SERVER='10.0.1.1:2882'" },
        { 4179, "ALTER SYSTEM SET memory_limit='16G' TENANT = tenant1" },
        { 1064, "ALTER SYSTEM SET memory_limit" },
        { 1064, "ALTER SYSTEM SET memory_limit = '16G' SCOPE = NOWHERE" },
        { 1064, "ALTER SYSTEM SET memory_limit = '16G' SERVER" },
        { 1064, "ALTER SYSTEM SET memory_limit = '16G' garbage" },
        { 0, "ALTER SYSTEM SET net_thread_count = 8" },
        { 5099, "ALTER SYSTEM RESET no_such" },
        { 0, "ALTER SYSTEM RESET syslog_level, enable_ddl SCOPE = BOTH" },
    };
    struct sim_tenant *t;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    t = sim_tenant_get(r.c, 1002);
    assert_string_equal(parameter(&r, "memory_limit", sim_server_find(r.c, 1), NULL), "16G");
    assert_string_equal(parameter(&r, "memory_limit", sim_server_find(r.c, 2), NULL), "0M");
    assert_string_equal(parameter(&r, "system_memory", sim_server_find(r.c, 2), NULL), "2G");
    assert_string_equal(parameter(&r, "cpu_count", sim_server_find(r.c, 3), NULL), "8");
    assert_string_equal(parameter(&r, "enable_ddl", NULL, NULL), "True");
    assert_string_equal(parameter(&r, "syslog_level", NULL, NULL), "WDIAG");
    assert_string_equal(parameter(&r, "cpu_quota_concurrency", NULL, t), "2.5");
    assert_string_equal(parameter(&r, "major_freeze_duty_time", NULL, t), "04:00");
    assert_string_equal(parameter(&r, "major_freeze_duty_time", NULL, sim_tenant_get(r.c, 1)), "02:00");
    rig_expect(&r, &r.user, 1227, "ALTER SYSTEM SET memory_limit = '8G'");
    rig_expect(&r, &r.user, 0, "ALTER SYSTEM SET open_cursors = 60");
    rig_expect(&r, &r.user, 1227, "ALTER SYSTEM SET open_cursors = 60 TENANT = sys");
    assert_string_equal(parameter(&r, "open_cursors", NULL, t), "60");
    rig_fini(&r);
}

static void static_parameters_wait_for_a_start(void **state)
{
    const struct sim_parameter *p = sim_parameter_find(SLICE("net_thread_count"));
    struct sim_server *s;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    s = sim_server_find(r.c, 1);
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM SET net_thread_count = 8");
    assert_string_equal(sim_parameter_value(r.c, p, s, NULL), "8");
    assert_string_equal(sim_parameter_in_force(r.c, p, s, NULL), "0");
    sim_server_alive(r.c, s, false, NULL);
    sim_server_alive(r.c, s, true, NULL);
    assert_string_equal(sim_parameter_in_force(r.c, p, s, NULL), "8");
    assert_string_equal(sim_parameter_in_force(r.c, p, sim_server_find(r.c, 2), NULL), "0");
    rig_fini(&r);
}

static void shows_parameters(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    rig_expect(&r, &r.sys, 0, "SHOW PARAMETERS LIKE 'memory_limit'");
    assert_int_equal(reply_n_rows(&r.reply), 3);
    assert_int_equal(r.reply.n_columns, 14);
    assert_string_equal(rig_cell(&r, 1, 0), "zone2");
    assert_string_equal(rig_cell(&r, 1, 4), "memory_limit");
    assert_string_equal(rig_cell(&r, 1, 13), "1");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM SET open_cursors = 77 TENANT = tenant1");
    rig_expect(&r, &r.sys, 0, "SHOW PARAMETERS LIKE 'open_cursors' TENANT = tenant1");
    assert_string_equal(rig_cell(&r, 0, 6), "77");
    assert_string_equal(rig_cell(&r, 0, 13), "0");
    rig_expect(&r, &r.sys, 0, "SHOW PARAMETERS WHERE scope = 'tenant' AND svr_ip = '10.0.1.1' AND NOT edit_level = 'READONLY'");
    assert_true(reply_n_rows(&r.reply) > 10);
    rig_expect(&r, &r.sys, 0, "SHOW PARAMETERS WHERE name IN ('zone', 'mysql_port') OR (name LIKE 'local%' AND svr_port >= 2882)");
    assert_int_equal(reply_n_rows(&r.reply), 9);
    rig_expect(&r, &r.sys, 1054, "SHOW PARAMETERS WHERE nothing = 1");
    rig_expect(&r, &r.sys, 1064, "SHOW PARAMETERS WHERE name");
    rig_expect(&r, &r.sys, 1064, "SHOW PARAMETERS WHERE (name = 'a'");
    rig_expect(&r, &r.sys, 1064, "SHOW PARAMETERS LIKE");
    rig_expect(&r, &r.sys, 5157, "SHOW PARAMETERS LIKE 'a' TENANT = nobody");
    sim_server_alive(r.c, sim_server_find(r.c, 3), false, NULL);
    rig_expect(&r, &r.sys, 0, "SHOW PARAMETERS LIKE 'memory_limit'");
    assert_int_equal(reply_n_rows(&r.reply), 2);
    rig_fini(&r);
}

static const char *variable(struct rig *r, struct sim_session *s, const char *scope, const char *name)
{
    char sql[256];

    (void)snprintf(sql, sizeof sql, "SHOW %s VARIABLES LIKE '%s'", scope, name);
    rig_expect(r, s, 0, sql);
    assert_int_equal(reply_n_rows(&r->reply), 1);
    return rig_cell(r, 0, 1);
}

static void variables(void **state)
{
    static const struct rig_row rows[] = {
        { 1193, "SET no_such = 1" },
        { 1238, "SET GLOBAL version = 'x'" },
        { 1228, "SET GLOBAL timestamp = 5" },
        { 1229, "SET SESSION ob_tcp_invited_nodes = '%'" },
        { 1231, "SET autocommit = 7" },
        { 1232, "SET wait_timeout = 'x'" },
        { 1115, "SET character_set_client = klingon" },
        { 1273, "SET collation_server = klingon" },
        { 1298, "SET time_zone = 'Mars'" },
        { 0, "SET autocommit = 0, @@session.wait_timeout = 99, @@interactive_timeout := 98, LOCAL sql_notes = off" },
        { 0, "SET @a = 'b', @b := 7" },
        { 0, "SET GLOBAL wait_timeout = 1000" },
        { 0, "SET @@global.interactive_timeout = 1001" },
        { 0, "SET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'" },
        { 1231, "SET sql_mode = 'WHATEVER'" },
        { 0, "SET SESSION \"sql_mode\" = DEFAULT" },
        { 0, "SET NAMES utf8mb4" },
        { 0, "SET NAMES 'utf8' COLLATE 'utf8mb4_bin'" },
        { 1115, "SET NAMES klingon" },
        { 1253, "SET NAMES gbk COLLATE utf8mb4_bin" },
        { 0, "SET CHARACTER SET utf8mb4" },
        { 0, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY" },
        { 1064, "SET TRANSACTION ISOLATION LEVEL NONE" },
        { 0, "SET tx_isolation = @@global.tx_isolation" },
        { 1064, "SET GLOBAL" },
        { 1064, "SET wait_timeout = 1," },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.user, rows);
    assert_string_equal(variable(&r, &r.user, "", "autocommit"), "OFF");
    assert_string_equal(variable(&r, &r.user, "GLOBAL", "autocommit"), "ON");
    assert_string_equal(variable(&r, &r.user, "SESSION", "wait_timeout"), "99");
    assert_string_equal(variable(&r, &r.user, "GLOBAL", "wait_timeout"), "1000");
    assert_string_equal(variable(&r, &r.sys, "GLOBAL", "wait_timeout"), "28800");
    assert_string_equal(variable(&r, &r.user, "", "transaction_isolation"), "READ-COMMITTED");
    assert_string_equal(variable(&r, &r.user, "", "tx_read_only"), "ON");
    assert_string_equal(variable(&r, &r.user, "", "version"), "5.7.25-OceanBase-v4.2.1.0");
    assert_non_null(strstr(variable(&r, &r.user, "", "version_comment"), "(Built Sep 28 2023 07:25:28)"));
    rig_expect(&r, &r.user, 0, "SHOW GLOBAL VARIABLES WHERE variable_name IN ('time_zone', 'read_only') AND value <> 'x'");
    assert_int_equal(reply_n_rows(&r.reply), 2);
    rig_fini(&r);
}

static void kills(void **state)
{
    struct sim_session other;
    struct rig r;
    char sql[64];

    (void)state;
    rig_init(&r, 1, 1);
    rig_login(&r, &other, r.user.tenant, "root");
    (void)snprintf(sql, sizeof sql, "KILL QUERY %d", (int)other.client->id);
    rig_expect(&r, &r.user, 0, sql);
    assert_int_equal(other.client->kill, SIM_KILL_QUERY);
    (void)snprintf(sql, sizeof sql, "KILL %d", (int)other.client->id);
    rig_expect(&r, &r.user, 0, sql);
    assert_int_equal(other.client->kill, SIM_KILL_CONNECTION);
    rig_expect(&r, &r.user, 1094, "KILL 4711");
    rig_expect(&r, &r.user, 1094, "KILL QUERY 4711");
    (void)snprintf(sql, sizeof sql, "KILL CONNECTION %d", (int)r.sys.client->id);
    rig_expect(&r, &r.user, 1094, sql);
    (void)snprintf(sql, sizeof sql, "ALTER SYSTEM KILL SESSION '%d, 1'", (int)r.user.client->id);
    rig_expect(&r, &r.sys, 0, sql);
    assert_int_equal(r.user.client->kill, SIM_KILL_CONNECTION);
    rig_expect(&r, &r.user, 0, "SHOW PROCESSLIST");
    assert_int_equal(reply_n_rows(&r.reply), 2);
    assert_int_equal(r.reply.n_columns, 8);
    rig_expect(&r, &r.sys, 0, "SHOW FULL PROCESSLIST");
    assert_int_equal(reply_n_rows(&r.reply), 3);
    assert_string_equal(rig_cell(&r, 1, 2), "tenant1");
    rig_logout(&other);
    rig_fini(&r);
}

static void sessions(void **state)
{
    static const struct rig_row shows[] = {
        { 0, "SHOW DATABASES" },           { 0, "SHOW DATABASES LIKE 'oc%'" }, { 0, "SHOW CHARSET" },      { 0, "SHOW CHARACTER SET LIKE 'utf8%'" },
        { 0, "SHOW COLLATION WHERE charset = 'utf8mb4'" }, { 0, "SHOW WARNINGS" }, { 0, "SHOW STATUS" },   { 0, "SHOW TENANT" },
        { 0, "SHOW CREATE TENANT tenant1" }, { 5157, "SHOW CREATE TENANT nobody" }, { 0, "FLUSH PRIVILEGES" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.sys, shows);
    rig_expect(&r, &r.sys, 0, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
    assert_true(r.sys.client->in_transaction);
    rig_expect(&r, &r.sys, 4179, "ALTER SYSTEM CHANGE TENANT tenant1");
    rig_expect(&r, &r.sys, 0, "COMMIT WORK");
    assert_false(r.sys.client->in_transaction);
    rig_expect(&r, &r.sys, 5157, "ALTER SYSTEM CHANGE TENANT = nobody");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM CHANGE TENANT = tenant1");
    rig_expect(&r, &r.sys, 0, "SHOW TENANT");
    assert_string_equal(rig_cell(&r, 0, 0), "tenant1");
    rig_expect(&r, &r.sys, 0, "CREATE DATABASE from_sys");
    assert_non_null(sim_database_find(sim_tenant_get(r.c, 1002), "from_sys"));
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM CHANGE TENANT TENANT_ID = 1");
    assert_int_equal(r.sys.tenant_id, 1);
    rig_expect(&r, &r.user, 1227, "ALTER SYSTEM CHANGE TENANT sys");
    rig_fini(&r);
}

const struct CMUnitTest obsim_setting_tests[] = {
    cmocka_unit_test(parameters),
    cmocka_unit_test(static_parameters_wait_for_a_start),
    cmocka_unit_test(shows_parameters),
    cmocka_unit_test(variables),
    cmocka_unit_test(kills),
    cmocka_unit_test(sessions),
    { NULL, NULL, NULL, NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Users, roles, grants, databases, objects. */
#include "tests/unit/obsim_tests.h"

static void users(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "CREATE USER 'u'@'%' IDENTIFIED BY 'p'" },
        { 1396, "CREATE USER u IDENTIFIED BY 'p'" },
        { 0, "CREATE USER IF NOT EXISTS u IDENTIFIED BY 'q'" },
        { 0, "CREATE USER u@'10.0.0.1', `v`@`%` IDENTIFIED WITH mysql_native_password BY 'p' ACCOUNT LOCK" },
        { 1524, "CREATE USER w IDENTIFIED WITH caching_sha2_password BY 'p'" },
        { 1470, "CREATE USER aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg" },
        { 1064, "CREATE USER" },
        { 1064, "CREATE USER select" },
        { 1064, "CREATE USER u IDENTIFIED" },
        { 1064, "CREATE USER u IDENTIFIED BY p" },
        { 0, "ALTER USER 'u'@'%' IDENTIFIED BY 'new'" },
        { 1396, "ALTER USER 'nobody'@'%' IDENTIFIED BY 'new'" },
        { 0, "ALTER USER IF EXISTS nobody IDENTIFIED BY 'new'" },
        { 0, "ALTER USER u ACCOUNT LOCK" },
        { 0, "ALTER USER 'u'@'%' ACCOUNT UNLOCK" },
        { 1064, "ALTER USER u ACCOUNT" },
        { 1372, "ALTER USER u IDENTIFIED BY PASSWORD 'xyz'" },
        { 0, "ALTER USER u IDENTIFIED BY PASSWORD '*14E65567ABDB5135D0CFD9A70B3032C179A49EE7'" },
        { 0, "SET PASSWORD FOR u = 'x'" },
        { 0, "SET PASSWORD FOR u = PASSWORD('x')" },
        { 0, "SET PASSWORD = ''" },
        { 1133, "SET PASSWORD FOR nobody = 'x'" },
        { 1064, "SET PASSWORD FOR u 'x'" },
        { 0, "RENAME USER u TO w" },
        { 1396, "RENAME USER u TO w" },
        { 1396, "RENAME USER w TO v" },
        { 0, "DROP USER w, v" },
        { 1396, "DROP USER w" },
        { 0, "DROP USER IF EXISTS w" },
        { 1819, "ALTER USER 'u'@'10.0.0.1' IDENTIFIED BY '1234567'" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    sim_values_set(&r.user.tenant->variables, "validate_password_length", SLICE("8"), 0);
    rig_expect(&r, &r.user, 1819, "CREATE USER u IDENTIFIED BY 'p'");
    assert_null(sim_user_find(r.user.tenant, "u", "%"));
    sim_values_remove(&r.user.tenant->variables, "validate_password_length");
    rig_script(&r, &r.user, rows, sizeof rows / sizeof rows[0] - 1);
    assert_true(sim_user_find(r.user.tenant, "u", "10.0.0.1")->is_locked);
    assert_null(sim_user_find(r.user.tenant, "v", "%"));
    assert_null(sim_user_find(r.sys.tenant, "u", "10.0.0.1"));
    sim_values_set(&r.user.tenant->variables, "validate_password_length", SLICE("8"), 0);
    rig_script(&r, &r.user, &rows[sizeof rows / sizeof rows[0] - 1], 1);
    rig_fini(&r);
}

static void roles(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "CREATE ROLE 'r', s" },
        { 1396, "CREATE ROLE r" },
        { 0, "CREATE ROLE IF NOT EXISTS r" },
        { 0, "CREATE USER u" },
        { 1396, "CREATE ROLE u" },
        { 1396, "DROP ROLE u" },
        { 1396, "DROP USER r" },
        { 0, "GRANT `r`, s TO u" },
        { 0, "GRANT r TO 'u' WITH ADMIN OPTION" },
        { 3523, "GRANT nobody TO u" },
        { 3523, "GRANT r TO nobody" },
        { 0, "GRANT SELECT ON d.* TO r" },
        { 0, "SET DEFAULT ROLE ALL TO 'u'@'%'" },
        { 3523, "SET DEFAULT ROLE ALL TO nobody" },
        { 3530, "SET DEFAULT ROLE u TO u" },
        { 1064, "SET DEFAULT ROLE TO u" },
        { 0, "REVOKE s FROM u" },
        { 3523, "REVOKE nobody FROM u" },
    };
    struct sim_user *u;
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.user, rows);
    u = sim_user_find(r.user.tenant, "u", "%");
    assert_int_equal(u->roles.n, 1);
    assert_true(u->roles.items[0]->with_admin);
    assert_true(u->roles.items[0]->is_default);
    assert_true((sim_user_privileges(r.user.tenant, u, "d") & SIM_P(SELECT)) != 0);
    rig_expect(&r, &r.user, 0, "SET DEFAULT ROLE NONE TO u");
    assert_int_equal(sim_user_privileges(r.user.tenant, u, "d"), 0);
    rig_expect(&r, &r.user, 0, "RENAME USER r TO r2");
    assert_string_equal(u->roles.items[0]->role, "r2");
    rig_expect(&r, &r.user, 0, "DROP ROLE r2");
    assert_int_equal(u->roles.n, 0);
    rig_fini(&r);
}

static void grants(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "CREATE DATABASE d" },
        { 0, "CREATE TABLE d.t (a INT)" },
        { 0, "CREATE PROCEDURE d.p() SELECT 1" },
        { 0, "CREATE USER 'u'" },
        { 0, "GRANT SELECT, CREATE VIEW, PROCESS ON *.* TO 'u'" },
        { 0, "GRANT ALL PRIVILEGES ON `d`.* TO 'u' WITH GRANT OPTION" },
        { 0, "GRANT INSERT ON d.t TO u" },
        { 0, "GRANT UPDATE ON TABLE d.t TO u" },
        { 0, "GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE `d`.`p` TO u" },
        { 0, "GRANT USAGE ON *.* TO u" },
        { 1410, "GRANT SELECT ON *.* TO nobody" },
        { 0, "GRANT SELECT ON *.* TO made IDENTIFIED BY 'x'" },
        { 1221, "GRANT PROCESS ON d.* TO u" },
        { 1144, "GRANT LOCK TABLES ON d.t TO u" },
        { 1144, "GRANT SELECT ON PROCEDURE d.p TO u" },
        { 1146, "GRANT SELECT ON d.nothing TO u" },
        { 1305, "GRANT EXECUTE ON PROCEDURE d.nothing TO u" },
        { 1046, "GRANT SELECT ON t TO u" },
        { 1046, "GRANT SELECT ON * TO u" },
        { 1064, "GRANT SELECT ON d TO" },
        { 3523, "GRANT FLY TO u" },
        { 1064, "GRANT FLY ON *.* TO u" },
        { 1141, "REVOKE SELECT ON *.* FROM nobody" },
        { 1141, "REVOKE SELECT ON e.* FROM u" },
        { 1147, "REVOKE SELECT ON d.t2 FROM u" },
        { 0, "REVOKE CREATE VIEW ON *.* FROM u" },
        { 0, "REVOKE UPDATE ON d.t FROM u" },
        { 0, "REVOKE ALTER ROUTINE ON PROCEDURE d.p FROM u" },
        { 0, "REVOKE DROP, GRANT OPTION ON d.* FROM u" },
    };
    static const char *const lines[] = {
        "GRANT SELECT, PROCESS ON *.* TO 'u'",
        "GRANT ALTER, CREATE, DELETE, INSERT, SELECT, UPDATE, INDEX, CREATE VIEW, SHOW VIEW, REFERENCES, TRIGGER, EXECUTE, ALTER ROUTINE, CREATE "
        "ROUTINE, LOCK TABLES, EVENT ON `d`.* TO 'u'",
        "GRANT INSERT ON `d`.`t` TO 'u'",
        "GRANT EXECUTE ON PROCEDURE `d`.`p` TO 'u'",
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    rig_script(&r, &r.user, rows, sizeof rows / sizeof rows[0] - 3);
    rig_expect(&r, &r.user, 1147, "REVOKE SELECT ON d.t3 FROM u");
    rig_script(&r, &r.user, rows + sizeof rows / sizeof rows[0] - 3, 3);
    rig_expect(&r, &r.user, 0, "SHOW GRANTS FOR 'u'@'%'");
    assert_int_equal(reply_n_rows(&r.reply), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(rig_cell(&r, i, 0), lines[i]);
    rig_expect(&r, &r.user, 0, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM u");
    rig_expect(&r, &r.user, 0, "SHOW GRANTS FOR u");
    assert_int_equal(reply_n_rows(&r.reply), 1);
    assert_string_equal(rig_cell(&r, 0, 0), "GRANT USAGE ON *.* TO 'u'");
    rig_expect(&r, &r.user, 1269, "REVOKE ALL, GRANT OPTION FROM nobody");
    rig_expect(&r, &r.user, 0, "SHOW GRANTS");
    assert_string_equal(rig_cell(&r, 0, 0), "GRANT ALL PRIVILEGES ON *.* TO 'root' WITH GRANT OPTION");
    rig_expect(&r, &r.user, 1141, "SHOW GRANTS FOR nobody");
    rig_fini(&r);
}

/* An account with few privileges is refused, each kind with its own error. */
static void rights(void **state)
{
    static const struct rig_row rows[] = {
        { 1227, "CREATE USER x" },
        { 1227, "DROP USER u" },
        { 1227, "ALTER USER root IDENTIFIED BY 'x'" },
        { 0, "ALTER USER u IDENTIFIED BY 'own'" },
        { 1227, "SET GLOBAL wait_timeout = 5" },
        { 0, "SET wait_timeout = 5" },
        { 1227, "ALTER SYSTEM SET open_cursors = 60" },
        { 1227, "GRANT SELECT ON *.* TO u" },
        { 1044, "GRANT SELECT ON d.* TO u" },
        { 1227, "CREATE ROLE r" },
        { 1044, "CREATE DATABASE e" },
        { 1044, "DROP DATABASE d" },
        { 0, "USE d" },
        { 1044, "USE mysql" },
        { 1049, "USE nothing" },
        { 1044, "CREATE TABLE t (a INT)" },
        { 1044, "SHOW GRANTS FOR root" },
        { 0, "SHOW GRANTS" },
        { 1095, "KILL 1000002" },
    };
    struct sim_session u;
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    r.user.client->id = 1000002;
    rig_expect(&r, &r.user, 0, "CREATE USER u");
    rig_expect(&r, &r.user, 0, "CREATE DATABASE d");
    rig_expect(&r, &r.user, 0, "GRANT SELECT ON d.* TO u");
    rig_login(&r, &u, r.user.tenant, "u");
    RIG_SCRIPT(&r, &u, rows);
    rig_expect(&r, &u, 0, "SHOW DATABASES");
    assert_int_equal(reply_n_rows(&r.reply), 2); /* information_schema, d */
    rig_logout(&u);
    rig_fini(&r);
}

static void databases(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "CREATE DATABASE `D` DEFAULT CHARACTER SET = 'utf8mb4' DEFAULT COLLATE = 'utf8mb4_bin' READ ONLY" },
        { 1007, "CREATE DATABASE d" },
        { 0, "CREATE SCHEMA IF NOT EXISTS d" },
        { 1115, "CREATE DATABASE e CHARSET klingon" },
        { 1273, "CREATE DATABASE e COLLATE klingon" },
        { 1253, "CREATE DATABASE e CHARSET gbk COLLATE utf8mb4_bin" },
        { 1064, "CREATE DATABASE" },
        { 1064, "CREATE DATABASE e COLOUR red" },
        { 0, "ALTER DATABASE `d` DEFAULT COLLATE = 'utf8mb4_general_ci' READ WRITE" },
        { 0, "ALTER DATABASE d SET READ ONLY" },
        { 1049, "ALTER DATABASE e READ ONLY" },
        { 1044, "ALTER DATABASE oceanbase READ ONLY" },
        { 1064, "ALTER DATABASE d" },
        { 1046, "ALTER DATABASE DEFAULT CHARSET utf8mb4" },
        { 0, "USE d" },
        { 0, "ALTER DATABASE CHARSET utf8mb4" },
        { 0, "SHOW CREATE DATABASE d" },
        { 1049, "SHOW CREATE DATABASE e" },
        { 1044, "DROP DATABASE mysql" },
        { 0, "DROP DATABASE d" },
        { 1046, "SHOW TABLES" },
        { 1008, "DROP DATABASE d" },
        { 0, "DROP DATABASE IF EXISTS d" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.user, rows);
    rig_expect(&r, &r.user, 0, "SET recyclebin = ON");
    rig_expect(&r, &r.user, 0, "CREATE DATABASE d");
    rig_expect(&r, &r.user, 0, "DROP DATABASE d");
    rig_expect(&r, &r.user, 0, "SHOW RECYCLEBIN");
    assert_int_equal(reply_n_rows(&r.reply), 1);
    assert_string_equal(rig_cell(&r, 0, 1), "d");
    rig_expect(&r, &r.user, 0, "PURGE RECYCLEBIN");
    rig_expect(&r, &r.user, 0, "SHOW RECYCLEBIN");
    assert_int_equal(reply_n_rows(&r.reply), 0);
    rig_fini(&r);
}

static void objects(void **state)
{
    static const struct rig_row rows[] = {
        { 1046, "CREATE TABLE t (a INT)" },
        { 1049, "CREATE TABLE nothing.t (a INT)" },
        { 0, "CREATE TABLE test.t (a INT PRIMARY KEY, b VARCHAR(10) DEFAULT 'x)') ENGINE=InnoDB" },
        { 1050, "CREATE TABLE test.t (a INT)" },
        { 0, "CREATE TABLE IF NOT EXISTS test.t (a INT)" },
        { 1064, "CREATE TABLE test.u (a INT" },
        { 1064, "CREATE TABLE test.u" },
        { 0, "USE test" },
        { 0, "CREATE VIEW v AS SELECT 1" },
        { 1050, "CREATE VIEW t AS SELECT 1" },
        { 0, "CREATE OR REPLACE VIEW v AS SELECT 2" },
        { 0, "CREATE UNIQUE INDEX i ON t (b)" },
        { 1061, "CREATE INDEX i ON t (b)" },
        { 0, "CREATE INDEX IF NOT EXISTS i ON t (b)" },
        { 1146, "CREATE INDEX i ON nothing (b)" },
        { 0, "CREATE PROCEDURE p(IN a INT) SELECT a" },
        { 1304, "CREATE PROCEDURE p() SELECT 1" },
        { 0, "SHOW TABLES" },
        { 1049, "SHOW TABLES FROM nothing" },
        { 0, "DROP PROCEDURE p" },
        { 1305, "DROP PROCEDURE p" },
        { 0, "DROP PROCEDURE IF EXISTS p" },
        { 1091, "DROP INDEX j ON t" },
        { 0, "DROP INDEX i ON t" },
        { 1051, "DROP TABLE v" },
        { 0, "DROP VIEW v" },
        { 1051, "DROP TABLE t, nothing" },
        { 0, "DROP TABLE t" },
        { 0, "DROP TABLE IF EXISTS t" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.user, rows);
    assert_int_equal(r.user.tenant->objects.n, 0);
    rig_fini(&r);
}

const struct CMUnitTest obsim_account_tests[] = {
    cmocka_unit_test(users),
    cmocka_unit_test(roles),
    cmocka_unit_test(grants),
    cmocka_unit_test(rights),
    cmocka_unit_test(databases),
    cmocka_unit_test(objects),
    { NULL, NULL, NULL, NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Units, pools, tenants. */
#include "tests/unit/obsim_tests.h"

#include "tests/obsim/place.h"

static void units(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "CREATE RESOURCE UNIT u MAX_CPU 2, MEMORY_SIZE '4G'" },
        { 4649, "CREATE RESOURCE UNIT U MAX_CPU 2, MEMORY_SIZE '4G'" },
        { 0, "CREATE RESOURCE UNIT IF NOT EXISTS u MAX_CPU 2, MEMORY_SIZE '4G'" },
        { 0, "CREATE RESOURCE UNIT v MAX_CPU = 3, MIN_CPU = 1.5, MEMORY_SIZE = 2147483648, LOG_DISK_SIZE '8G', MAX_IOPS 5000, MIN_IOPS 2000, IOPS_WEIGHT 2" },
        { 4659, "CREATE RESOURCE UNIT w MAX_CPU 0.5, MEMORY_SIZE '4G'" },
        { 4659, "CREATE RESOURCE UNIT w MAX_CPU 1, MEMORY_SIZE '512M'" },
        { 4659, "CREATE RESOURCE UNIT w MAX_CPU 1, MEMORY_SIZE '1G', LOG_DISK_SIZE '1G'" },
        { 4659, "CREATE RESOURCE UNIT w MAX_CPU 1, MEMORY_SIZE '1G', MIN_IOPS 100" },
        { 4736, "CREATE RESOURCE UNIT w MAX_CPU 1, MIN_CPU 2, MEMORY_SIZE '1G'" },
        { 4276, "CREATE RESOURCE UNIT w MAX_CPU 1" },
        { 1064, "CREATE RESOURCE UNIT w" },
        { 1064, "CREATE RESOURCE UNIT w MAX_CPU 1," },
        { 1064, "CREATE RESOURCE UNIT w COLOUR 1" },
        { 0, "ALTER RESOURCE UNIT u MAX_CPU 4, MIN_CPU 3" },
        { 4648, "ALTER RESOURCE UNIT nobody MAX_CPU 4" },
        { 4733, "ALTER RESOURCE UNIT unit1 MEMORY_SIZE '64G'" },
        { 4634, "DROP RESOURCE UNIT unit1" },
        { 0, "DROP RESOURCE UNIT v" },
        { 4648, "DROP RESOURCE UNIT v" },
        { 0, "DROP RESOURCE UNIT IF EXISTS v" },
    };
    const struct sim_unit_config *u;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    u = sim_config_find(r.c, SLICE("u"));
    assert_true(u->max_cpu == 4 && u->min_cpu == 3);
    assert_int_equal(u->memory, INT64_C(4) << 30);
    assert_int_equal(u->log_disk, INT64_C(12) << 30);
    rig_expect(&r, &r.user, 1227, "DROP RESOURCE UNIT u");
    rig_fini(&r);
}

static size_t units_of(struct rig *r, const char *pool)
{
    size_t n = 0;

    for (size_t i = 0; i < r->c->units.n; i++)
        n += r->c->units.items[i]->pool_id == sim_pool_find(r->c, sim_slice(pool))->id;
    return n;
}

static void pools(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "CREATE RESOURCE UNIT u MAX_CPU 2, MEMORY_SIZE '4G'" },
        { 0, "CREATE RESOURCE UNIT big MAX_CPU 64, MEMORY_SIZE '4G'" },
        { 0, "CREATE RESOURCE POOL p UNIT='u', UNIT_NUM=2, ZONE_LIST=('zone1','zone2')" },
        { 4651, "CREATE RESOURCE POOL p UNIT='u', UNIT_NUM=1, ZONE_LIST=('zone1')" },
        { 0, "CREATE RESOURCE POOL IF NOT EXISTS p UNIT='u', UNIT_NUM=1" },
        { 4648, "CREATE RESOURCE POOL q UNIT='nobody', UNIT_NUM=1" },
        { 4018, "CREATE RESOURCE POOL q UNIT='u', UNIT_NUM=1, ZONE_LIST=('zone9')" },
        { 4641, "CREATE RESOURCE POOL q UNIT='u', UNIT_NUM=1, ZONE_LIST=('zone1','ZONE1')" },
        { 4734, "CREATE RESOURCE POOL q UNIT='u', UNIT_NUM=3, ZONE_LIST=('zone1')" },
        { 4733, "CREATE RESOURCE POOL q UNIT='big', UNIT_NUM=1, ZONE_LIST=('zone1')" },
        { 4276, "CREATE RESOURCE POOL q UNIT='u'" },
        { 1064, "CREATE RESOURCE POOL q UNIT='u', UNIT_NUM=1, ZONE_LIST='zone1'" },
        { 0, "ALTER RESOURCE POOL p UNIT_NUM=1" },
        { 4734, "ALTER RESOURCE POOL p UNIT_NUM=3" },
        { 4733, "ALTER RESOURCE POOL p UNIT='big'" },
        { 1235, "ALTER RESOURCE POOL p UNIT='u', UNIT_NUM=2" },
        { 4650, "ALTER RESOURCE POOL nobody UNIT_NUM=1" },
        { 0, "ALTER RESOURCE POOL p ZONE_LIST=('zone1','zone2','zone3')" },
        { 0, "ALTER RESOURCE POOL p SPLIT INTO ('p1','p2','p3') ON ('zone1','zone2','zone3')" },
        { 4650, "ALTER RESOURCE POOL p SPLIT INTO ('p1') ON ('zone1')" },
        { 4179, "ALTER RESOURCE POOL p1 SPLIT INTO ('a','b') ON ('zone1','zone2')" },
        { 4651, "ALTER RESOURCE POOL MERGE ('p1','p2') INTO ('p3')" },
        { 0, "ALTER RESOURCE POOL MERGE ('p1','p2') INTO ('p')" },
        { 4650, "ALTER RESOURCE POOL MERGE ('p1','p2') INTO ('x')" },
        { 4626, "DROP RESOURCE POOL pool_tenant1" },
        { 4179, "ALTER RESOURCE POOL pool_tenant1 UNIT_NUM=2" },
        { 4179, "ALTER RESOURCE POOL pool_tenant1 ZONE_LIST=('zone1','zone2')" },
        { 0, "DROP RESOURCE POOL p3" },
        { 4650, "DROP RESOURCE POOL p3" },
        { 0, "DROP RESOURCE POOL IF EXISTS p3" },
    };
    size_t before;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 2);
    before = r.c->units.n;
    RIG_SCRIPT(&r, &r.sys, rows);
    assert_int_equal(units_of(&r, "p"), 2);
    assert_int_equal(r.c->units.n, before + 2);
    assert_int_equal(sim_pool_find(r.c, SLICE("p"))->zones.n, 2);
    rig_fini(&r);
}

static void a_tenant_is_made_and_dropped(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "CREATE RESOURCE UNIT u MAX_CPU 1, MEMORY_SIZE '2G'" },
        { 0, "CREATE RESOURCE POOL p UNIT='u', UNIT_NUM=1, ZONE_LIST=('zone1','zone2','zone3')" },
        { 4647, "CREATE TENANT t PRIMARY_ZONE='zone1'" },
        { 4650, "CREATE TENANT t RESOURCE_POOL_LIST=('nobody')" },
        { 4626, "CREATE TENANT t RESOURCE_POOL_LIST=('pool_tenant1')" },
        { 4643, "CREATE TENANT t RESOURCE_POOL_LIST=('p'), PRIMARY_ZONE='zone9'" },
        { 4645, "CREATE TENANT t RESOURCE_POOL_LIST=('p'), LOCALITY='F@zone9'" },
        { 1210, "CREATE TENANT t RESOURCE_POOL_LIST=('p'), LOCALITY='X@zone1'" },
        { 1193, "CREATE TENANT t RESOURCE_POOL_LIST=('p') SET nobody=1" },
        { 1115, "CREATE TENANT t RESOURCE_POOL_LIST=('p'), CHARSET=klingon" },
        { 4646, "CREATE TENANT `all` RESOURCE_POOL_LIST=('p')" },
        { 1064, "CREATE TENANT t" },
        { 1064, "CREATE TENANT t RESOURCE_POOL_LIST=()" },
        { 5156, "CREATE TENANT tenant1 RESOURCE_POOL_LIST=('p')" },
        { 0, "CREATE TENANT IF NOT EXISTS tenant1 RESOURCE_POOL_LIST=('p')" },
        { 0, "CREATE TENANT t RESOURCE_POOL_LIST=('p'), LOCALITY='F@zone1,F@zone2,R@zone3', PRIMARY_ZONE='zone1;zone2', CHARSET=utf8mb4, "
             "COLLATE=utf8mb4_bin, COMMENT 'x' SET ob_tcp_invited_nodes='%', lower_case_table_names=0" },
    };
    struct sim_tenant *t;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    t = sim_tenant_find(r.c, SLICE("t"));
    assert_int_equal(t->status, SIM_TENANT_CREATING);
    assert_int_equal(t->id, 1006);
    assert_string_equal(t->locality, "FULL{1}@zone1, FULL{1}@zone2, READONLY{1}@zone3");
    assert_int_equal(t->streams.n, 0);
    assert_string_equal(sim_values_get(&t->variables, "lower_case_table_names"), "0");
    rig_settle(&r);
    assert_int_equal(t->status, SIM_TENANT_NORMAL);
    assert_int_equal(sim_ls_leader(t->streams.items[0]), 1);
    assert_int_equal(t->streams.items[0]->replicas.n, 3);
    assert_string_equal(t->collation, "utf8mb4_bin");
    rig_expect(&r, &r.sys, 4626, "DROP RESOURCE POOL p");
    rig_expect(&r, &r.sys, 0, "DROP TENANT t FORCE");
    assert_int_equal(t->status, SIM_TENANT_DROPPING);
    rig_settle(&r);
    assert_null(sim_tenant_find(r.c, SLICE("t")));
    assert_null(sim_tenant_get(r.c, 1005));
    rig_expect(&r, &r.sys, 5157, "DROP TENANT t FORCE");
    rig_expect(&r, &r.sys, 0, "DROP TENANT IF EXISTS t");
    rig_expect(&r, &r.sys, 4179, "DROP TENANT sys FORCE");
    rig_expect(&r, &r.sys, 0, "DROP RESOURCE POOL p");
    rig_expect(&r, &r.sys, 0, "DROP RESOURCE UNIT u");
    rig_fini(&r);
}

static void oracle_needs_the_enterprise_edition(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    rig_expect(&r, &r.sys, 0, "CREATE RESOURCE POOL p UNIT='unit1', UNIT_NUM=1");
    r.c->is_enterprise = false;
    rig_expect(&r, &r.sys, 1235, "CREATE TENANT o RESOURCE_POOL_LIST=('p') SET ob_compatibility_mode='oracle'");
    r.c->is_enterprise = true;
    rig_expect(&r, &r.sys, 0, "CREATE TENANT o RESOURCE_POOL_LIST=('p') SET ob_compatibility_mode='oracle'");
    assert_true(sim_tenant_find(r.c, SLICE("o"))->is_oracle);
    assert_non_null(sim_user_find(sim_tenant_find(r.c, SLICE("o")), "SYS", "%"));
    rig_fini(&r);
}

static void recycled_tenants_come_back(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "SET recyclebin = 1" },
        { 0, "DROP TENANT tenant1" },
        { 5157, "ALTER TENANT tenant1 LOCK" },
        { 5262, "FLASHBACK TENANT nobody TO BEFORE DROP" },
        { 5156, "FLASHBACK TENANT tenant1 TO BEFORE DROP RENAME TO oracle1" },
        { 0, "FLASHBACK TENANT tenant1 TO BEFORE DROP RENAME TO t2" },
        { 5262, "PURGE TENANT t2" },
        { 0, "DROP TENANT t2" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    rig_expect(&r, &r.sys, 0, "SHOW RECYCLEBIN");
    assert_int_equal(reply_n_rows(&r.reply), 1);
    assert_string_equal(rig_cell(&r, 0, 1), "t2");
    assert_string_equal(rig_cell(&r, 0, 2), "TENANT");
    rig_expect(&r, &r.sys, 0, "PURGE TENANT t2");
    rig_settle(&r);
    assert_null(sim_tenant_get(r.c, 1002));
    rig_fini(&r);
}

static void tenants_change(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "ALTER TENANT tenant1 LOCK" },
        { 0, "ALTER TENANT `tenant1` UNLOCK" },
        { 4179, "ALTER TENANT sys LOCK" },
        { 5157, "ALTER TENANT nobody LOCK" },
        { 5156, "ALTER TENANT tenant1 RENAME GLOBAL_NAME TO oracle1" },
        { 0, "ALTER TENANT tenant1 RENAME GLOBAL_NAME TO t1" },
        { 0, "ALTER TENANT t1 SET VARIABLES ob_tcp_invited_nodes='10.0.0.0/8,127.0.0.1'" },
        { 0, "ALTER TENANT t1 SET VARIABLES wait_timeout = 100, autocommit = OFF" },
        { 1193, "ALTER TENANT t1 SET VARIABLES nobody = 100" },
        { 1238, "ALTER TENANT t1 SET VARIABLES lower_case_table_names = 0" },
        { 1232, "ALTER TENANT t1 SET VARIABLES wait_timeout = 'x'" },
        { 0, "ALTER TENANT t1 COMMENT = 'c'" },
        { 0, "ALTER TENANT t1 SET READ ONLY" },
        { 0, "ALTER TENANT t1 READ WRITE, COMMENT 'd'" },
        { 1064, "ALTER TENANT t1" },
        { 1064, "ALTER TENANT t1 SET" },
        { 1064, "ALTER TENANT t1 SET VARIABLES" },
    };
    struct sim_tenant *t;
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    t = sim_tenant_get(r.c, 1002);
    assert_string_equal(t->name, "t1");
    assert_string_equal(t->comment, "d");
    assert_false(t->is_read_only);
    assert_string_equal(sim_values_get(&t->variables, "wait_timeout"), "100");
    rig_expect(&r, &r.sys, 0, "ALTER TENANT t1 SET VARIABLES wait_timeout = DEFAULT");
    assert_null(sim_values_get(&t->variables, "wait_timeout"));
    assert_true(sim_tenant_invites(t, "10.1.1.1"));
    rig_expect(&r, &r.user, 1227, "ALTER TENANT sys SET VARIABLES wait_timeout = 5");
    rig_expect(&r, &r.user, 0, "ALTER TENANT t1 SET VARIABLES wait_timeout = 5");
    rig_fini(&r);
}

static const struct sim_job *last_job(struct rig *r)
{
    return r->c->jobs.items[r->c->jobs.n - 1];
}

static void locality_goes_zone_by_zone(void **state)
{
    struct sim_tenant *t;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    t = sim_tenant_get(r.c, 1002);
    rig_expect(&r, &r.sys, 4179, "ALTER TENANT tenant1 LOCALITY='F@zone1'");
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 LOCALITY='F@zone1,F@zone2'");
    assert_string_equal(t->locality, "FULL{1}@zone1, FULL{1}@zone2");
    assert_string_equal(t->previous_locality, "FULL{1}@zone1, FULL{1}@zone2, FULL{1}@zone3");
    assert_string_equal(last_job(&r)->type, "ALTER_TENANT_LOCALITY");
    assert_string_equal(last_job(&r)->status, "INPROGRESS");
    rig_expect(&r, &r.sys, 4179, "ALTER TENANT tenant1 LOCALITY='F@zone1'");
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 LOCALITY='F@zone1,F@zone2,F@zone3'"); /* back */
    assert_string_equal(r.c->jobs.items[0]->status, "FAILED");
    assert_string_equal(last_job(&r)->type, "ROLLBACK_ALTER_TENANT_LOCALITY");
    rig_settle(&r);
    assert_string_equal(last_job(&r)->status, "SUCCESS");
    assert_int_equal(last_job(&r)->progress, 100);
    assert_null(t->previous_locality);
    assert_int_equal(t->streams.items[0]->replicas.n, 3);
    rig_expect(&r, &r.sys, 4179, "ALTER TENANT tenant1 RESOURCE_POOL_LIST=('nobody2','pool_tenant1'), LOCALITY='F@zone1'");
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 LOCALITY='F@zone1,F@zone2'");
    rig_settle(&r);
    assert_int_equal(t->streams.items[0]->replicas.n, 2);
    assert_int_equal(sim_tenant_get(r.c, 1001)->streams.items[0]->replicas.n, 2);
    rig_expect(&r, &r.sys, 4645, "ALTER TENANT tenant1 LOCALITY='F@zone1,F@zone2,F@zone9'");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM SET enable_rebalance = false TENANT = tenant1");
    rig_expect(&r, &r.sys, 4179, "ALTER TENANT tenant1 LOCALITY='F@zone1,F@zone2,F@zone3'");
    rig_fini(&r);
}

static void pools_are_granted_and_revoked(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "ALTER RESOURCE POOL pool_tenant1 SPLIT INTO ('a','b','c') ON ('zone1','zone2','zone3')" },
        { 4179, "ALTER TENANT tenant1 RESOURCE_POOL_LIST=('a','b')" },
        { 0, "ALTER TENANT tenant1 LOCALITY='F@zone1,F@zone2'" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 3, 2);
    RIG_SCRIPT(&r, &r.sys, rows);
    rig_settle(&r);
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 RESOURCE_POOL_LIST=('a','b')");
    assert_int_equal(sim_pool_find(r.c, SLICE("c"))->tenant_id, 0);
    rig_expect(&r, &r.sys, 0, "CREATE RESOURCE POOL two UNIT='unit1', UNIT_NUM=2, ZONE_LIST=('zone3')");
    rig_expect(&r, &r.sys, 4179, "ALTER TENANT tenant1 RESOURCE_POOL_LIST=('a','b','two')");
    rig_expect(&r, &r.sys, 4657, "ALTER TENANT tenant1 RESOURCE_POOL_LIST=('a','b','b')");
    rig_expect(&r, &r.sys, 4626, "ALTER TENANT tenant1 RESOURCE_POOL_LIST=('a','b','pool_oracle1')");
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 RESOURCE_POOL_LIST=('a','b','c')");
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 LOCALITY='F@zone1,F@zone2,F@zone3'");
    rig_settle(&r);
    assert_int_equal(sim_tenant_get(r.c, 1002)->streams.items[1]->replicas.n, 3);
    rig_fini(&r);
}

static void units_grow_and_shrink(void **state)
{
    struct sim_tenant *t;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 2);
    t = sim_tenant_get(r.c, 1002);
    assert_int_equal(t->streams.n, 2);
    rig_expect(&r, &r.sys, 4734, "ALTER RESOURCE TENANT tenant1 UNIT_NUM = 3");
    assert_int_equal(units_of(&r, "pool_tenant1"), 3);
    rig_expect(&r, &r.sys, 0, "ALTER RESOURCE TENANT tenant1 UNIT_NUM = 2");
    rig_expect(&r, &r.sys, 4179, "ALTER RESOURCE TENANT tenant1 UNIT_NUM = 1");
    assert_int_equal(units_of(&r, "pool_tenant1"), 6);
    rig_settle(&r);
    assert_int_equal(t->streams.n, 3);
    rig_expect(&r, &r.sys, 4179, "ALTER RESOURCE TENANT tenant1 UNIT_NUM = 1 DELETE UNIT_GROUP = (7)");
    rig_expect(&r, &r.sys, 1064, "ALTER RESOURCE TENANT tenant1 UNIT_NUM = 1 DELETE UNIT_GROUP = ()");
    rig_expect(&r, &r.sys, 5157, "ALTER RESOURCE TENANT nobody UNIT_NUM = 1");
    rig_expect(&r, &r.sys, 0, "ALTER RESOURCE TENANT tenant1 UNIT_NUM = 1");
    assert_string_equal(last_job(&r)->type, "ALTER_RESOURCE_TENANT_UNIT_NUM");
    assert_int_equal(units_of(&r, "pool_tenant1"), 6);
    rig_settle(&r);
    assert_int_equal(units_of(&r, "pool_tenant1"), 3);
    assert_int_equal(t->streams.n, 2);
    rig_fini(&r);
}

static void primary_zones(void **state)
{
    struct sim_tenant *t;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    t = sim_tenant_get(r.c, 1002);
    rig_expect(&r, &r.sys, 4643, "ALTER TENANT tenant1 PRIMARY_ZONE='zone7'");
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 PRIMARY_ZONE='zone2;zone1,zone3'");
    rig_expect(&r, &r.sys, 4179, "ALTER TENANT tenant1 PRIMARY_ZONE=RANDOM");
    rig_settle(&r);
    assert_int_equal(sim_ls_leader(t->streams.items[0]), 2);
    assert_int_equal(sim_ls_leader(t->streams.items[1]), 2);
    rig_expect(&r, &r.sys, 0, "ALTER TENANT tenant1 PRIMARY_ZONE=RANDOM");
    rig_fini(&r);
}

static void oracle_tenants_know_little(void **state)
{
    struct sim_session s;
    struct sim_tenant *t;
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    t = sim_tenant_get(r.c, 1004);
    rig_login(&r, &s, t, "SYS");
    rig_expect(&r, &s, 0, "ALTER USER SYS IDENTIFIED BY \"s3cret\"");
    assert_true(sim_user_find(t, "SYS", "%")->has_password);
    rig_expect(&r, &s, 0, "alter user sys identified by \"x\"");
    rig_expect(&r, &s, 1918, "ALTER USER nobody IDENTIFIED BY \"x\"");
    rig_expect(&r, &s, 4007, "CREATE USER u IDENTIFIED BY \"x\"");
    rig_expect(&r, &s, 4007, "CREATE DATABASE d");
    rig_expect(&r, &s, 4007, "GRANT SELECT ON *.* TO u");
    rig_expect(&r, &s, 1064, "SELEKT 1");
    rig_expect(&r, &s, 0, "SET autocommit = 1");
    rig_logout(&s);
    rig_fini(&r);
}

const struct CMUnitTest obsim_tenant_tests[] = {
    cmocka_unit_test(units),
    cmocka_unit_test(pools),
    cmocka_unit_test(a_tenant_is_made_and_dropped),
    cmocka_unit_test(oracle_needs_the_enterprise_edition),
    cmocka_unit_test(recycled_tenants_come_back),
    cmocka_unit_test(tenants_change),
    cmocka_unit_test(locality_goes_zone_by_zone),
    cmocka_unit_test(pools_are_granted_and_revoked),
    cmocka_unit_test(units_grow_and_shrink),
    cmocka_unit_test(primary_zones),
    cmocka_unit_test(oracle_tenants_know_little),
    { NULL, NULL, NULL, NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Servers, zones, units on the move, compaction. */
#include "tests/unit/obsim_tests.h"

static struct sim_server *server(struct rig *r, const char *address)
{
    struct sim_server *s = sim_server_at(r->c, sim_slice(address));

    assert_non_null(s);
    return s;
}

static bool leads(struct rig *r, int64_t server_id)
{
    for (size_t i = 0; i < r->c->tenants.n; i++)
        for (size_t k = 0; k < r->c->tenants.items[i]->streams.n; k++)
            if (sim_ls_leader(r->c->tenants.items[i]->streams.items[k]) == server_id)
                return true;
    return false;
}

static void stops_one_zone_at_a_time(void **state)
{
    static const struct rig_row rows[] = {
        { 4018, "ALTER SYSTEM STOP ZONE nowhere" },
        { 4633, "ALTER SYSTEM START ZONE zone1" },
        { 0, "ALTER SYSTEM STOP ZONE 'zone1'" },
        { 0, "alter system stop zone ZONE1" },
        { 4660, "ALTER SYSTEM STOP ZONE zone2" },
        { 4660, "ALTER SYSTEM STOP SERVER '10.0.2.1:2882'" },
        { 0, "ALTER SYSTEM ISOLATE ZONE zone2" },
        { 4179, "ALTER SYSTEM ISOLATE ZONE zone3" },
        { 0, "ALTER SYSTEM START ZONE zone2" },
        { 0, "ALTER SYSTEM START ZONE zone1" },
        { 1064, "ALTER SYSTEM STOP ZONE" },
        { 1064, "ALTER SYSTEM STOP ZONE a b" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM STOP ZONE zone1");
    assert_true(leads(&r, 1) || leads(&r, 2) || leads(&r, 3));
    rig_settle(&r);
    assert_false(leads(&r, 1));
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM START ZONE zone1");
    rig_fini(&r);
}

static const char bootstrap[] = "ALTER SYSTEM BOOTSTRAP REGION 'r1' ZONE 'zone1' IDC 'i1' SERVER '10.0.1.1:2882', ZONE zone2 SERVER '10.0.2.1:2882'";

/* A cluster of two processes that is none yet, and a session on one of them. */
static void blank_init(struct rig *r)
{
    struct sim_cluster_conf conf = { .seed = 42, .now_us = 1700000000000000 };

    *r = (struct rig){ .c = sim_cluster_blank(&conf) };
    for (unsigned z = 1; z <= 2; z++) {
        char ip[32], zone[32];

        (void)snprintf(ip, sizeof ip, "10.0.%u.1", z);
        (void)snprintf(zone, sizeof zone, "zone%u", z);
        sim_server_blank(r->c, ip, 2882, 2881, zone)->knows_rootservice = true;
    }
    rig_login(r, &r->sys, sim_tenant_get(r->c, 1), "root");
    r->sys.server = r->c->servers.items[0];
    reply_init(&r->reply);
}

static void blank_fini(struct rig *r)
{
    reply_fini(&r->reply);
    rig_logout(&r->sys);
    sim_cluster_free(r->c);
}

static void processes_are_bootstrapped(void **state)
{
    static const struct rig_row refused[] = {
        { 1064, "ALTER SYSTEM BOOTSTRAP" },
        { 1064, "ALTER SYSTEM BOOTSTRAP SERVER '10.0.1.1:2882'" },
        { 1064, "ALTER SYSTEM BOOTSTRAP ZONE 'zone1'" },
        { 1064, "ALTER SYSTEM BOOTSTRAP ZONE 'zone1' SERVER '10.0.1.1:2882'," },
        { 4012, "ALTER SYSTEM BOOTSTRAP ZONE 'zone1' SERVER '10.0.1.9:2882'" },
        { 4631, "ALTER SYSTEM BOOTSTRAP ZONE 'zone2' SERVER '10.0.1.1:2882'" },
        { 1210, "ALTER SYSTEM BOOTSTRAP ZONE 'zone1' SERVER '10.0.1.1:2882', ZONE 'zone1' SERVER '10.0.1.1:2882'" },
    };
    struct rig r;

    (void)state;
    blank_init(&r);
    RIG_SCRIPT(&r, &r.sys, refused);
    assert_int_equal(r.c->founders.n, 0);
    rig_expect(&r, &r.sys, 0, bootstrap);
    assert_false(r.c->is_bootstrapped);
    assert_int_equal(r.reply.until_us, sim_next_us(r.c));
    rig_expect(&r, &r.sys, 4015, bootstrap);
    rig_settle(&r);
    assert_true(r.c->is_bootstrapped);
    assert_int_equal(r.c->zones.n, 2);
    assert_string_equal(r.c->zones.items[0]->region, "r1");
    assert_string_equal(r.c->zones.items[0]->idc, "i1");
    assert_string_equal(r.c->zones.items[1]->region, "sys_region");
    assert_true(server(&r, "10.0.2.1:2882")->is_member);
    assert_non_null(sim_rootserver(r.c));
    assert_int_equal(r.c->units.n, 2);
    assert_int_equal(r.c->next_unit, 1001);
    rig_expect(&r, &r.sys, 4015, bootstrap);
    blank_fini(&r);
}

static void founders_have_to_be_fit(void **state)
{
    struct sim_server *second;
    struct rig r;

    (void)state;
    blank_init(&r);
    second = server(&r, "10.0.2.1:2882");
    second->knows_rootservice = false;
    rig_expect(&r, &r.sys, 4012, bootstrap);
    second->knows_rootservice = true;
    sim_server_alive(r.c, second, false, NULL);
    rig_expect(&r, &r.sys, 4012, bootstrap);
    sim_server_alive(r.c, second, true, NULL);
    second->id = 9; /* of another life */
    rig_expect(&r, &r.sys, 4016, bootstrap);
    blank_fini(&r);
}

/* What dies while the bootstrap runs is a member that is away. */
static void founder_dies_meanwhile(void **state)
{
    struct rig r;

    (void)state;
    blank_init(&r);
    rig_expect(&r, &r.sys, 0, bootstrap);
    sim_server_alive(r.c, server(&r, "10.0.2.1:2882"), false, NULL);
    rig_settle(&r);
    assert_int_equal(server(&r, "10.0.2.1:2882")->status, SIM_SERVER_INACTIVE);
    assert_int_equal(server(&r, "10.0.1.1:2882")->status, SIM_SERVER_ACTIVE);
    blank_fini(&r);
}

static void knows_what_others_see(void **state)
{
    static const char *const shared[] = { "ALTER SYSTEM ADD ZONE z", "/* x */ create user u", "SET GLOBAL a = 1", "set @@global.a = 1",
                                          "SET PASSWORD = 'x'", "SET DEFAULT ROLE NONE TO u", "GRANT SELECT ON *.* TO u", "nonsense" };
    static const char *const local[] = { "SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "SHOW DATABASES", "USE d", "SET a = 1",
                                         "SET NAMES utf8mb4", "SET @u = 'GLOBAL'", "KILL 7", "BEGIN", "COMMIT" };

    (void)state;
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
        assert_true(command_changes(sim_slice(shared[i])));
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        assert_false(command_changes(sim_slice(local[i])));
    assert_true(command_bootstraps(sim_slice(" alter  system /* x */ bootstrap ZONE z")));
    assert_false(command_bootstraps(SLICE("ALTER SYSTEM ADD ZONE bootstrap")));
}

/* Issued and done are two moments. */
static void a_stop_takes_effect_later(void **state)
{
    struct rig r;
    int64_t id;
    char sql[128];

    (void)state;
    rig_init(&r, 3, 1);
    id = sim_rootserver(r.c)->id;
    (void)snprintf(sql, sizeof sql, "ALTER SYSTEM STOP SERVER '%s:2882'", sim_rootserver(r.c)->ip);
    rig_expect(&r, &r.sys, 0, sql);
    assert_int_not_equal(sim_server_find(r.c, id)->stop_us, 0);
    assert_int_equal(sim_server_find(r.c, id)->status, SIM_SERVER_ACTIVE);
    assert_true(leads(&r, id));
    rig_settle(&r);
    assert_false(leads(&r, id));
    assert_int_not_equal(sim_rootserver(r.c)->id, id);
    rig_expect(&r, &r.sys, 0, sql); /* again: nothing to do */
    (void)snprintf(sql, sizeof sql, "ALTER SYSTEM START SERVER '%s:2882'", sim_server_find(r.c, id)->ip);
    rig_expect(&r, &r.sys, 0, sql);
    assert_int_equal(sim_server_find(r.c, id)->stop_us, 0);
    rig_expect(&r, &r.sys, 0, sql);
    rig_fini(&r);
}

static void does_not_stop_without_a_majority(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    sim_server_alive(r.c, server(&r, "10.0.3.1:2882"), false, NULL);
    rig_settle(&r);
    rig_expect(&r, &r.sys, 4179, "ALTER SYSTEM STOP SERVER '10.0.1.1:2882'");
    assert_non_null(strstr(r.reply.text, "no enough valid paxos member"));
    rig_expect(&r, &r.sys, 4179, "ALTER SYSTEM FORCE STOP SERVER '10.0.1.1:2882'");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM ISOLATE SERVER '10.0.1.1:2882'");
    rig_expect(&r, &r.sys, 4012, "ALTER SYSTEM START SERVER '10.0.3.1:2882'");
    rig_fini(&r);
    rig_init(&r, 1, 2);
    rig_expect(&r, &r.sys, 4179, "ALTER SYSTEM STOP SERVER '10.0.1.1:2882'");
    rig_fini(&r);
}

static void refuses_wrong_server_statements(void **state)
{
    static const struct rig_row rows[] = {
        { 4018, "ALTER SYSTEM STOP SERVER '10.9.9.9:2882'" },
        { 4018, "ALTER SYSTEM STOP SERVER 'nonsense'" },
        { 4660, "ALTER SYSTEM STOP SERVER '10.0.1.1:2882', '10.0.2.1:2882'" },
        { 4631, "ALTER SYSTEM STOP SERVER '10.0.1.1:2882' ZONE 'zone2'" },
        { 4018, "ALTER SYSTEM STOP SERVER '10.0.1.1:2882' ZONE 'zone9'" },
        { 0, "ALTER SYSTEM STOP SERVER '10.0.1.1:2882' ZONE = 'zone1'" },
        { 0, "ALTER SYSTEM START SERVER '10.0.1.1:2882'" },
        { 4629, "ALTER SYSTEM CANCEL DELETE SERVER '10.0.1.1:2882'" },
        { 4624, "ALTER SYSTEM DELETE SERVER '10.0.1.1:2882'" },
        { 4017, "ALTER SYSTEM ADD SERVER '10.0.1.1:2882'" },
        { 4012, "ALTER SYSTEM ADD SERVER '10.9.9.9:2882' ZONE 'zone1'" },
        { 1064, "ALTER SYSTEM ADD SERVER" },
        { 1064, "ALTER SYSTEM ADD SERVER 10" },
        { 1064, "ALTER SYSTEM ADD SERVER 'a:1' ZONE" },
        { 1064, "ALTER SYSTEM STOP SERVER 'a:1'," },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    rig_expect(&r, &r.user, 1227, "ALTER SYSTEM STOP SERVER '10.0.1.1:2882'");
    rig_fini(&r);
}

static void adds_and_deletes_a_server(void **state)
{
    struct sim_server *s;
    struct rig r;
    bool saw_job = false;

    (void)state;
    rig_init(&r, 3, 1);
    s = sim_server_blank(r.c, "10.0.1.2", 2882, 2881, "zone1");
    rig_expect(&r, &r.sys, 4631, "ALTER SYSTEM ADD SERVER '10.0.1.2:2882' ZONE 'zone2'");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM ADD ZONE zone4 REGION 'r2', IDC 'i4'");
    sim_name(s->zone, SLICE(""));
    rig_expect(&r, &r.sys, 4655, "ALTER SYSTEM ADD SERVER '10.0.1.2:2882' ZONE 'zone4'");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM ADD SERVER '10.0.1.2:2882' ZONE 'zone1'");
    assert_int_equal(s->status, SIM_SERVER_ACTIVE);
    assert_int_equal(s->start_service_us, 0);
    assert_int_equal(s->id, 4);
    rig_settle(&r);
    assert_int_not_equal(s->start_service_us, 0);

    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM DELETE SERVER '10.0.1.1:2882'");
    assert_int_equal(server(&r, "10.0.1.1:2882")->status, SIM_SERVER_DELETING);
    rig_expect(&r, &r.sys, 4628, "ALTER SYSTEM DELETE SERVER '10.0.1.1:2882'");
    while (sim_next_us(r.c) != 0) {
        sim_advance(r.c, sim_next_us(r.c));
        for (size_t i = 0; i < r.c->jobs.n; i++)
            saw_job = saw_job || (r.c->jobs.items[i]->kind == SIM_JOB_UNIT && strcmp(r.c->jobs.items[i]->status, "INPROGRESS") == 0);
    }
    assert_true(saw_job);
    assert_false(server(&r, "10.0.1.1:2882")->is_member);
    for (size_t i = 0; i < r.c->units.n; i++)
        assert_int_not_equal(r.c->units.items[i]->server_id, 1);
    assert_false(leads(&r, 1));
    for (size_t i = 0; i < r.c->jobs.n; i++)
        assert_string_equal(r.c->jobs.items[i]->status, "SUCCESS");
    rig_expect(&r, &r.sys, 4179, "ALTER SYSTEM ADD SERVER '10.0.1.1:2882' ZONE 'zone1'"); /* its data is still there */
    (void)sim_server_blank(r.c, "10.0.1.1", 2882, 2881, "");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM ADD SERVER '10.0.1.1:2882' ZONE 'zone1'");
    rig_fini(&r);
}

static void cancels_a_deletion(void **state)
{
    struct rig r;
    size_t on_it = 0, left = 0;

    (void)state;
    rig_init(&r, 3, 2);
    for (size_t i = 0; i < r.c->units.n; i++)
        on_it += r.c->units.items[i]->server_id == 1;
    assert_true(on_it > 0);
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM DELETE SERVER '10.0.1.1:2882'");
    sim_advance(r.c, sim_next_us(r.c)); /* the first unit is on its way */
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM CANCEL DELETE SERVER '10.0.1.1:2882'");
    rig_settle(&r);
    assert_int_equal(server(&r, "10.0.1.1:2882")->status, SIM_SERVER_ACTIVE);
    for (size_t i = 0; i < r.c->units.n; i++)
        left += r.c->units.items[i]->server_id == 1;
    assert_int_equal(left, on_it);
    for (size_t i = 0; i < r.c->jobs.n; i++)
        assert_string_equal(r.c->jobs.items[i]->status, "FAILED");
    rig_fini(&r);
}

static void zones_come_and_go(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "ALTER SYSTEM ADD ZONE zone4 REGION 'hz', IDC 'hz1', ZONE_TYPE READWRITE" },
        { 4017, "ALTER SYSTEM ADD ZONE zone4" },
        { 0, "ALTER SYSTEM START ZONE zone4" },
        { 4633, "ALTER SYSTEM DELETE ZONE zone4" },
        { 4668, "ALTER SYSTEM DELETE ZONE zone1" },
        { 0, "ALTER SYSTEM MODIFY ZONE zone4 SET IDC = 'x', REGION 'y'" },
        { 0, "ALTER SYSTEM ALTER ZONE zone4 REGION='z'" },
        { 0, "ALTER SYSTEM CHANGE ZONE zone4 SET IDC='w'" },
        { 1064, "ALTER SYSTEM ALTER ZONE zone4" },
        { 1064, "ALTER SYSTEM ALTER ZONE zone4 COLOUR 'red'" },
        { 4018, "ALTER SYSTEM ALTER ZONE zone9 REGION='z'" },
    };
    struct sim_zone *z;
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    z = sim_zone_find(r.c, SLICE("zone4"));
    assert_string_equal(z->idc, "w");
    assert_string_equal(z->region, "z");
    assert_true(z->is_active);
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM STOP ZONE zone4");
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM DELETE ZONE zone4");
    assert_null(sim_zone_find(r.c, SLICE("zone4")));
    assert_int_equal(r.c->zones.n, 3);
    rig_fini(&r);
}

static void moves_a_unit(void **state)
{
    struct sim_unit *u = NULL;
    struct sim_server *to = NULL;
    struct rig r;
    char sql[128];

    (void)state;
    rig_init(&r, 1, 2);
    for (size_t i = 0; i < r.c->units.n; i++)
        if (sim_pool_get(r.c, r.c->units.items[i]->pool_id)->tenant_id == 1002)
            u = r.c->units.items[i];
    assert_non_null(u);
    to = u->server_id == 1 ? sim_server_find(r.c, 2) : sim_server_find(r.c, 1);
    rig_expect(&r, &r.sys, 4018, "ALTER SYSTEM MIGRATE UNIT 99999 DESTINATION '10.0.1.1:2882'");
    rig_expect(&r, &r.sys, 1064, "ALTER SYSTEM MIGRATE UNIT DESTINATION '10.0.1.1:2882'");
    (void)snprintf(sql, sizeof sql, "ALTER SYSTEM MIGRATE UNIT = %d DESTINATION = '%s:2882'", (int)u->id, to->ip);
    rig_expect(&r, &r.sys, 0, sql);
    assert_int_equal(u->server_id, to->id);
    assert_int_not_equal(u->migrate_from, 0);
    assert_string_equal(r.c->jobs.items[0]->type, "MIGRATE_UNIT");
    assert_string_equal(r.c->jobs.items[0]->sql_text, sql);
    rig_expect(&r, &r.sys, 4665, sql);
    (void)snprintf(sql, sizeof sql, "ALTER SYSTEM CANCEL MIGRATE UNIT %d", (int)u->id);
    rig_expect(&r, &r.sys, 0, sql);
    assert_int_not_equal(u->server_id, to->id);
    rig_expect(&r, &r.sys, 4179, sql);
    (void)snprintf(sql, sizeof sql, "ALTER SYSTEM MIGRATE UNIT %d DESTINATION '%s:2882'", (int)u->id, to->ip);
    rig_expect(&r, &r.sys, 0, sql);
    rig_settle(&r);
    assert_int_equal(u->migrate_from, 0);
    assert_int_equal(sim_ls_leader(sim_tenant_get(r.c, 1002)->streams.items[0]), to->id);
    rig_fini(&r);
}

static void freezes(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "ALTER SYSTEM MAJOR FREEZE" },
        { 4213, "ALTER SYSTEM MAJOR FREEZE TENANT = sys" },
        { 0, "ALTER SYSTEM MAJOR FREEZE TENANT tenant1, oracle1" },
        { 5157, "ALTER SYSTEM MAJOR FREEZE TENANT nobody" },
        { 0, "ALTER SYSTEM MAJOR FREEZE TENANT = all_meta" },
        { 4213, "ALTER SYSTEM MAJOR FREEZE TENANT ALL_USER" },
        { 0, "ALTER SYSTEM SUSPEND MERGE TENANT=tenant1" },
        { 0, "ALTER SYSTEM RESUME MERGE TENANT=tenant1" },
        { 0, "ALTER SYSTEM CLEAR MERGE ERROR" },
        { 1064, "ALTER SYSTEM CLEAR MERGE" },
        { 0, "ALTER SYSTEM MINOR FREEZE" },
        { 0, "ALTER SYSTEM MINOR FREEZE SERVER=('10.0.1.1:2882')" },
        { 0, "ALTER SYSTEM MINOR FREEZE TENANT=all ZONE='zone1'" },
        { 4018, "ALTER SYSTEM MINOR FREEZE SERVER=('10.9.9.9:2882')" },
        { 4018, "ALTER SYSTEM MINOR FREEZE ZONE = nowhere" },
        { 1064, "ALTER SYSTEM MINOR FREEZE SERVER=(" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 3, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    rig_settle(&r);
    for (size_t i = 0; i < r.c->tenants.n; i++) {
        assert_string_equal(r.c->tenants.items[i]->compaction.status, "IDLE");
        assert_int_equal(r.c->tenants.items[i]->compaction.last_scn, r.c->tenants.items[i]->compaction.frozen_scn);
    }
    assert_true(r.c->servers.items[0]->minor_freeze_us > 1700000000000000);
    rig_expect(&r, &r.sys, 0, "ALTER SYSTEM SUSPEND MERGE TENANT tenant1");
    rig_expect(&r, &r.user, 4217, "ALTER SYSTEM MAJOR FREEZE");
    rig_expect(&r, &r.user, 0, "ALTER SYSTEM RESUME MERGE");
    rig_expect(&r, &r.user, 0, "ALTER SYSTEM MAJOR FREEZE");
    rig_expect(&r, &r.user, 1227, "ALTER SYSTEM MAJOR FREEZE TENANT = sys");
    rig_fini(&r);
}

static void says_yes_to_what_leaves_no_trace(void **state)
{
    static const struct rig_row rows[] = {
        { 0, "ALTER SYSTEM REFRESH SCHEMA" },
        { 0, "ALTER SYSTEM REFRESH SCHEMA SERVER = '10.0.1.1:2882'" },
        { 0, "ALTER SYSTEM RELOAD SERVER" },
        { 0, "ALTER SYSTEM FLUSH PLAN CACHE GLOBAL" },
        { 0, "ALTER SYSTEM FLUSH PLAN CACHE TENANT = 'tenant1' GLOBAL" },
        { 0, "ALTER SYSTEM RUN JOB 'root_inspection'" },
        { 1210, "ALTER SYSTEM RUN JOB 'coffee'" },
        { 0, "alter system load module data module=timezone tenant=sys" },
        { 0, "ALTER SYSTEM SWITCH REPLICA LEADER LS=1 SERVER='10.0.1.1:2882' TENANT=sys" },
        { 4015, "ALTER SYSTEM BOOTSTRAP ZONE 'zone1' SERVER '10.0.1.1:2882'" },
        { 1064, "ALTER SYSTEM BOOTSTRAP" },
        { 1064, "ALTER SYSTEM REFRESH SCHEMA SERVER" },
        { 1064, "ALTER SYSTEM REFRESH SCHEMA x" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    rig_fini(&r);
}

const struct CMUnitTest obsim_cluster_tests[] = {
    cmocka_unit_test(stops_one_zone_at_a_time),
    cmocka_unit_test(processes_are_bootstrapped),
    cmocka_unit_test(founders_have_to_be_fit),
    cmocka_unit_test(founder_dies_meanwhile),
    cmocka_unit_test(knows_what_others_see),
    cmocka_unit_test(a_stop_takes_effect_later),
    cmocka_unit_test(does_not_stop_without_a_majority),
    cmocka_unit_test(refuses_wrong_server_statements),
    cmocka_unit_test(adds_and_deletes_a_server),
    cmocka_unit_test(cancels_a_deletion),
    cmocka_unit_test(zones_come_and_go),
    cmocka_unit_test(moves_a_unit),
    cmocka_unit_test(freezes),
    cmocka_unit_test(says_yes_to_what_leaves_no_trace),
    { NULL, NULL, NULL, NULL, NULL },
};

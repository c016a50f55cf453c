/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated cluster at rest, and what time does to it. */
#include "tests/lib/test.h"

#include <stdlib.h>

#include "tests/obsim/place.h"
#include "tests/obsim/step.h"

enum { NOW = 1700000000 };
static const int64_t now_us = NOW * INT64_C(1000000), second_us = 1000000;

static struct sim_cluster *cluster(unsigned zones, unsigned servers, unsigned tenants)
{
    struct sim_cluster_conf conf = { .zones = zones, .servers = servers, .tenants = tenants, .now_us = now_us, .seed = 7 };

    return sim_cluster_new(&conf);
}

static void settle(struct sim_cluster *c)
{
    while (sim_next_us(c) != 0)
        sim_advance(c, sim_next_us(c));
}

static void is_at_rest_when_made(void **state)
{
    struct sim_cluster_conf conf = { .zones = 3, .servers = 2, .tenants = 1, .oracle_tenants = 1, .now_us = now_us };
    struct sim_cluster *c = sim_cluster_new(&conf);
    struct sim_tenant *t = sim_tenant_find(c, SLICE("Tenant1")), *meta = sim_tenant_get(c, 1001);

    (void)state;
    assert_int_equal(sim_next_us(c), 0);
    assert_int_equal(c->servers.n, 6);
    assert_int_equal(c->tenants.n, 5); /* sys, and two with their meta tenants */
    assert_int_equal(t->id, 1002);
    assert_string_equal(t->locality, "FULL{1}@zone1, FULL{1}@zone2, FULL{1}@zone3");
    assert_string_equal(meta->name, "META$1002");
    assert_int_equal(meta->streams.n, 1);
    assert_int_equal(t->streams.n, 2);
    assert_int_equal(t->streams.items[1]->id, 1001);
    assert_int_equal(t->streams.items[1]->replicas.n, 3);
    assert_int_not_equal(sim_ls_leader(t->streams.items[1]), 0);
    assert_non_null(sim_rootserver(c));
    assert_true(sim_tenant_find(c, SLICE("oracle1"))->is_oracle);
    assert_true(c->is_enterprise);
    assert_null(sim_tenant_find(c, SLICE("nobody")));
    assert_ptr_equal(sim_server_at(c, SLICE("10.0.2.1:2882")), sim_server_find(c, 3));
    assert_null(sim_server_at(c, SLICE("10.0.2.1:2881")));
    sim_cluster_free(c);
}

static void units_spread_over_servers(void **state)
{
    struct sim_cluster *c = cluster(1, 2, 4);

    (void)state;
    assert_int_equal(sim_server_assigned(c, c->servers.items[0]).cpu + sim_server_assigned(c, c->servers.items[1]).cpu, 5);
    assert_true(sim_server_assigned(c, c->servers.items[0]).cpu >= 2);
    assert_true(sim_server_assigned(c, c->servers.items[1]).cpu >= 2);
    sim_cluster_free(c);
}

/* A dead server is noticed later, and its leaderships go elsewhere later still. */
static void death_and_return(void **state)
{
    struct sim_cluster *c = cluster(3, 1, 1);
    struct sim_server *s = sim_rootserver(c);
    struct sim_ls *ls = sim_tenant_get(c, 1)->streams.items[0];

    (void)state;
    sim_server_alive(c, s, false, NULL);
    assert_int_equal(s->status, SIM_SERVER_ACTIVE);
    assert_int_equal(sim_ls_leader(ls), s->id);
    sim_advance(c, sim_next_us(c));
    assert_int_equal(s->status, SIM_SERVER_INACTIVE);
    assert_true(s->last_offline_us > now_us);
    assert_int_equal(sim_ls_leader(ls), s->id);
    settle(c);
    assert_int_not_equal(sim_ls_leader(ls), s->id);
    assert_int_not_equal(sim_ls_leader(ls), 0);
    sim_server_alive(c, s, true, "4.2.1.2_1-0(Jan  1 2024 00:00:00)");
    assert_int_equal(s->status, SIM_SERVER_INACTIVE);
    settle(c);
    assert_int_equal(s->status, SIM_SERVER_ACTIVE);
    assert_true(s->start_service_us > now_us);
    assert_true(strncmp(s->build_version, "4.2.1.2", 7) == 0);
    sim_cluster_free(c);
}

static void no_leader_without_a_majority(void **state)
{
    struct sim_cluster *c = cluster(3, 1, 0);

    (void)state;
    sim_server_alive(c, c->servers.items[0], false, NULL);
    sim_server_alive(c, c->servers.items[1], false, NULL);
    settle(c);
    assert_null(sim_rootserver(c));
    sim_server_alive(c, c->servers.items[1], true, NULL);
    settle(c);
    assert_non_null(sim_rootserver(c));
    sim_cluster_free(c);
}

static void held_steps_wait(void **state)
{
    struct sim_cluster *c = cluster(3, 1, 0);

    (void)state;
    c->held[SIM_STEP_SERVER_OFFLINE] = true;
    sim_server_alive(c, c->servers.items[0], false, NULL);
    assert_int_equal(sim_next_us(c), 0);
    sim_advance(c, now_us + 100 * second_us);
    assert_int_equal(c->servers.items[0]->status, SIM_SERVER_ACTIVE);
    c->held[SIM_STEP_SERVER_OFFLINE] = false;
    sim_advance(c, now_us + 101 * second_us);
    assert_int_equal(c->servers.items[0]->status, SIM_SERVER_INACTIVE);
    sim_cluster_free(c);
}

static void the_same_seed_gives_the_same_times(void **state)
{
    struct sim_cluster *a = cluster(3, 1, 1), *b = cluster(3, 1, 1);

    (void)state;
    sim_server_alive(a, a->servers.items[0], false, NULL);
    sim_server_alive(b, b->servers.items[0], false, NULL);
    assert_int_equal(sim_next_us(a), sim_next_us(b));
    assert_true(sim_next_us(a) >= now_us + 200000 && sim_next_us(a) <= now_us + second_us);
    sim_cluster_free(a);
    sim_cluster_free(b);
}

/* COMPACTION, zone by zone, CHECKSUM, IDLE; each in its own time. */
static void a_major_compaction_runs_through_its_phases(void **state)
{
    struct sim_cluster *c = cluster(2, 1, 1);
    struct sim_tenant *t = sim_tenant_get(c, 1002);
    struct sim_compaction *m = &t->compaction;
    bool saw_checksum = false;

    (void)state;
    assert_true(step_major_start(c, t));
    assert_false(step_major_start(c, t));
    assert_string_equal(m->status, "COMPACTION");
    assert_int_equal(m->frozen_scn, now_us * 1000);
    assert_int_not_equal(m->broadcast_scn, m->frozen_scn);
    sim_advance(c, sim_next_us(c));
    assert_int_equal(m->broadcast_scn, m->frozen_scn);
    assert_int_equal(m->zones.n, 2);
    assert_string_equal(m->zones.items[0]->status, "COMPACTION");
    m->is_suspended = true;
    settle(c);
    assert_string_equal(m->status, "COMPACTION");
    m->is_suspended = false;
    step_major_resume(c, t);
    while (sim_next_us(c) != 0) {
        sim_advance(c, sim_next_us(c));
        saw_checksum = saw_checksum || strcmp(m->status, "CHECKSUM") == 0;
    }
    assert_true(saw_checksum);
    assert_string_equal(m->status, "IDLE");
    assert_int_equal(m->last_scn, m->frozen_scn);
    assert_true(m->finished_us > m->started_us);
    sim_cluster_free(c);
}

static void leaders_follow_the_primary_zone(void **state)
{
    struct sim_cluster *c = cluster(3, 1, 1);
    struct sim_tenant *t = sim_tenant_get(c, 1002);

    (void)state;
    sim_text(&t->primary_zone, SLICE("zone3;zone1,zone2"));
    place_leaders(c);
    for (size_t i = 0; i < t->streams.n; i++)
        assert_string_equal(sim_server_find(c, sim_ls_leader(t->streams.items[i]))->zone, "zone3");
    sim_zone_find(c, SLICE("zone3"))->is_active = false;
    place_leaders(c);
    for (size_t i = 0; i < t->streams.n; i++)
        assert_string_not_equal(sim_server_find(c, sim_ls_leader(t->streams.items[i]))->zone, "zone3");
    sim_cluster_free(c);
}

static void localities(void **state)
{
    static const struct {
        const char *given, *read;
    } rows[] = {
        { "F@z1", "FULL{1}@z1" },
        { " F@z1 ,FULL{1}@z2,R@z3", "FULL{1}@z1, FULL{1}@z2, READONLY{1}@z3" },
        { "X@z1", NULL }, { "F", NULL }, { "F@", NULL }, { "", NULL }, { "F{2}@z1", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str t;

        str_init(&t, NULL);
        assert_int_equal(place_locality_read(sim_slice(rows[i].given), &t), rows[i].read != NULL);
        if (rows[i].read != NULL)
            assert_string_equal(str_c(&t), rows[i].read);
        str_fini(&t);
    }
    assert_int_equal(place_locality_type("FULL{1}@z1, READONLY{1}@z3", "Z3"), 'R');
    assert_int_equal(place_locality_type("FULL{1}@z1", "z2"), '\0');
    assert_int_equal(place_zone_rank("z1;z2,z3", "z3"), 1);
    assert_int_equal(place_zone_rank("RANDOM", "z3"), 0);
    assert_int_equal(place_zone_rank("z1", "z9"), 1);
}

static void parameters_know_their_values(void **state)
{
    static const struct {
        const char *name, *value;
        bool is_good;
    } rows[] = {
        { "memory_limit", "8G", true },       { "memory_limit", "0", true },           { "memory_limit", "10M", false },
        { "memory_limit", "8X", false },      { "enable_rebalance", "FALSE", true },   { "enable_rebalance", "maybe", false },
        { "cpu_count", "-1", false },         { "cpu_count", "8", true },              { "major_freeze_duty_time", "02:00", true },
        { "major_freeze_duty_time", "Disable", true }, { "major_freeze_duty_time", "25:00", false },
        { "trace_log_slow_query_watermark", "100ms", true }, { "trace_log_slow_query_watermark", "0ms", false },
        { "server_permanent_offline_time", "3600", true }, { "cpu_quota_concurrency", "2.5", true }, { "cpu_quota_concurrency", "21", false },
        { "default_compress_func", "SNAPPY_1.0", true }, { "default_compress_func", "zip", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sim_parameter *p = sim_parameter_find(sim_slice(rows[i].name));

        assert_non_null(p);
        if (sim_parameter_accepts(p, sim_slice(rows[i].value)) != rows[i].is_good)
            fail_msg("%s = %s", rows[i].name, rows[i].value);
    }
    for (size_t i = 0; i < sim_parameters_n; i++)
        if (!sim_parameter_accepts(&sim_parameters[i], sim_slice(sim_parameters[i].default_value)))
            fail_msg("%s does not accept its default", sim_parameters[i].name);
    assert_true(sim_parameters_n >= 60);
    assert_null(sim_parameter_find(SLICE("no_such")));
}

static void variables_know_their_values(void **state)
{
    static const struct {
        const char *name, *value;
        bool is_text;
        int number;
        const char *kept;
    } rows[] = {
        { "autocommit", "0", false, 0, "OFF" },          { "autocommit", "on", true, 0, "ON" },
        { "autocommit", "2", false, 1231, NULL },        { "wait_timeout", "100", false, 0, "100" },
        { "wait_timeout", "0", false, 0, "1" },          { "wait_timeout", "100", true, 1232, NULL },
        { "character_set_client", "UTF8", true, 0, "utf8mb4" }, { "character_set_client", "klingon", true, 1115, NULL },
        { "collation_server", "utf8mb4_BIN", true, 0, "utf8mb4_bin" }, { "collation_server", "x", true, 1273, NULL },
        { "time_zone", "+8:00", true, 0, "+08:00" },     { "time_zone", "Mars", true, 1298, NULL },
        { "tx_isolation", "read-committed", true, 0, "READ-COMMITTED" }, { "tx_isolation", "x", true, 1231, NULL },
        { "sql_mode", "ansi_quotes, STRICT_ALL_TABLES", true, 0, "ANSI_QUOTES,STRICT_ALL_TABLES" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str t;

        str_init(&t, NULL);
        assert_int_equal(sim_variable_accept(sim_variable_find(sim_slice(rows[i].name)), sim_slice(rows[i].value), rows[i].is_text, &t),
                         rows[i].number);
        if (rows[i].kept != NULL)
            assert_string_equal(str_c(&t), rows[i].kept);
        str_fini(&t);
    }
    for (size_t i = 1; i < sim_variables_n; i++)
        assert_true(strcmp(sim_variables[i - 1].name, sim_variables[i].name) < 0);
}

static void logins_are_proved(void **state)
{
    /* password "secret": SHA1(SHA1()) is *14E65567ABDB5135D0CFD9A70B3032C179A49EE7, as MySQL prints it */
    static const unsigned char stage2[20] = { 0x14, 0xE6, 0x55, 0x67, 0xAB, 0xDB, 0x51, 0x35, 0xD0, 0xCF, 0xD9, 0xA7, 0x0B, 0x30, 0x32, 0xC1,
                                              0x79, 0xA4, 0x9E, 0xE7 };
    struct sim_cluster *c = cluster(1, 1, 0);
    struct sim_tenant *sys = sim_tenant_get(c, 1);
    struct sim_user *root = sim_user_match(sys, "root", "127.0.0.1");
    unsigned char zeros[20] = { 0 };

    (void)state;
    assert_non_null(root);
    assert_true(sim_user_proves(root, zeros, NULL, 0));
    assert_false(sim_user_proves(root, zeros, zeros, 20));
    sim_user_set_password(root, SLICE("secret"), now_us);
    assert_memory_equal(root->password, stage2, 20);
    assert_false(sim_user_proves(root, zeros, NULL, 0));
    assert_false(sim_user_proves(root, zeros, zeros, 20));
    assert_null(sim_user_match(sys, "nobody", "127.0.0.1"));
    sim_cluster_free(c);
}

static void whitelists(void **state)
{
    struct sim_cluster *c = cluster(1, 1, 1);
    struct sim_tenant *t = sim_tenant_get(c, 1002);

    (void)state;
    assert_true(sim_tenant_invites(t, "127.0.0.1"));
    assert_false(sim_tenant_invites(t, "10.1.2.3"));
    sim_values_set(&t->variables, "ob_tcp_invited_nodes", SLICE("10.0.0.0/8, 192.168.1._,172.16.0.0/255.240.0.0"), now_us);
    assert_true(sim_tenant_invites(t, "10.1.2.3"));
    assert_true(sim_tenant_invites(t, "192.168.1.7"));
    assert_false(sim_tenant_invites(t, "192.168.1.77"));
    assert_true(sim_tenant_invites(t, "172.31.0.1"));
    assert_false(sim_tenant_invites(t, "172.32.0.1"));
    assert_false(sim_tenant_invites(t, "127.0.0.1"));
    sim_values_set(&t->variables, "ob_tcp_invited_nodes", SLICE("%"), now_us);
    assert_true(sim_tenant_invites(t, "fe80::1"));
    sim_cluster_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_at_rest_when_made),
        cmocka_unit_test(units_spread_over_servers),
        cmocka_unit_test(death_and_return),
        cmocka_unit_test(no_leader_without_a_majority),
        cmocka_unit_test(held_steps_wait),
        cmocka_unit_test(the_same_seed_gives_the_same_times),
        cmocka_unit_test(a_major_compaction_runs_through_its_phases),
        cmocka_unit_test(leaders_follow_the_primary_zone),
        cmocka_unit_test(localities),
        cmocka_unit_test(parameters_know_their_values),
        cmocka_unit_test(variables_know_their_values),
        cmocka_unit_test(logins_are_proved),
        cmocka_unit_test(whitelists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

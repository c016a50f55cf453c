/* SPDX-License-Identifier: Apache-2.0 */
/* Managed clusters without a cluster: names, comparing what was seen, states; and links to a private MariaDB, which log in and answer
 * like any server. */
#include "src/obcluster/obcluster.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/obcluster/endpoint.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/obcluster/look_engine.h"
#include "src/obcluster/name.h"
#include "src/obcluster/parameter.h"
#include "src/oceanbase/topology.h"
#include "tests/lib/store.h"

/* --- names ------------------------------------------------------------------------------------------------------------------- */

static void valid_names(void **state)
{
    (void)state;
    assert_true(obcluster_name_is_valid("ob"));
    assert_true(obcluster_name_is_valid("Obcluster_1"));
    assert_true(obcluster_name_is_valid("a23456789012345678901234567890123456789012345678"));
    assert_false(obcluster_name_is_valid("a234567890123456789012345678901234567890123456789"));
    assert_false(obcluster_name_is_valid("a"));
    assert_false(obcluster_name_is_valid("1a"));
    assert_false(obcluster_name_is_valid("a-b"));
    assert_false(obcluster_name_is_valid("a b"));
    assert_false(obcluster_name_is_valid(""));
}

static void assert_name(const char *own, const char *address, int64_t port, unsigned attempt, const char *wanted)
{
    struct arena arena;
    const char *name;

    arena_init(&arena);
    name = obcluster_name_make(own, address, port, attempt, &arena);
    assert_non_null(name);
    assert_string_equal(name, wanted);
    assert_true(obcluster_name_is_valid(name));
    arena_fini(&arena);
}

static void made_names(void **state)
{
    (void)state;
    assert_name("obcluster", "10.0.0.1", 2881, 0, "obcluster");
    assert_name("obcluster", "10.0.0.1", 2881, 1, "obcluster_2881");
    assert_name("obcluster", "10.0.0.1", 2881, 2, "obcluster_2881_2");
    assert_name(NULL, "10.0.0.1", 2881, 0, "ob_10_0_0_1_2881");
    assert_name(NULL, "10.0.0.1", 2881, 1, "ob_10_0_0_1_2881_2");
    assert_name("not-valid", "::1", 65535, 0, "ob___1_65535");
    assert_name(NULL, "a-very-long-name-of-a-host.in-a-very-long-domain.example.com", 2881, 0,
                "ob_a_host_in_a_very_long_domain_example_com_2881");
    assert_name("a23456789012345678901234567890123456789012345678", "h", 2881, 1, "a234567890123456789012345678901234567890123_2881");
}

/* --- what was seen ------------------------------------------------------------------------------------------------------------ */

static struct observer server(const char *ip, int64_t used)
{
    return (struct observer){ .cluster_id = 1, .zone = "z", .ip = ip, .port = 2882, .version = "v", .inner_status = "", .cpu_total = 2,
                              .cpu_assigned = NAN, .cpu_max = NAN, .cpu_assigned_max = NAN, .data_disk_used = used };
}

static void seen_is_held_against_the_former(void **state)
{
    struct obzone zone = { .cluster_id = 1, .name = "z", .region = "", .idc = "", .inner_status = "", .type = "", .compaction = "" }, former_zone = zone;
    struct observer servers[] = { server("a", 5), server("b", 7) }, former_servers[] = { server("b", 7), server("gone", 1) };
    struct obtopology former = { .zones = &former_zone, .n_zones = 1, .servers = former_servers, .n_servers = 2 };
    struct obtopology seen = { .zones = &zone, .n_zones = 1, .servers = servers, .n_servers = 2 };
    struct obtopology_gone gone;
    const int64_t ids[] = { 100 };
    struct arena arena;
    struct err e;

    (void)state;
    former_zone.id = 10;
    former_zone.created_us = former_zone.updated_us = 1;
    former_servers[0].id = 20;
    former_servers[0].created_us = former_servers[0].updated_us = 2;
    former_servers[1].id = 21;
    arena_init(&arena);
    assert_ok(look_gone(&former, &seen, &arena, &gone, &e), &e);
    assert_true(gone.n_servers == 1 && gone.servers[0] == 21 && gone.n_zones == 0 && gone.n_units == 0);
    arena_fini(&arena);
    assert_int_equal(look_count_new(&former, &seen), 1);
    assert_true(look_merge(&former, &seen, ids, 9, true));
    assert_true(zone.id == 10 && zone.created_us == 1 && zone.updated_us == 1 && !zone.changed);
    assert_true(servers[0].id == 100 && servers[0].created_us == 9 && servers[0].changed);
    assert_true(servers[1].id == 20 && servers[1].updated_us == 2 && !servers[1].changed);
    former = seen;
    assert_false(look_merge(&former, &seen, NULL, 10, true));
    servers[1].data_disk_used = 8;
    former.servers = former_servers;
    former_servers[0] = servers[0];
    former_servers[1] = servers[1];
    former_servers[1].data_disk_used = 7;
    assert_false(look_merge(&former, &seen, NULL, 11, false));
    assert_true(look_merge(&former, &seen, NULL, 11, true));
    assert_true(servers[1].id == 20 && servers[1].updated_us == 11 && servers[0].updated_us == 9);
    assert_true(servers[1].changed && !servers[0].changed);
    servers[1].data_disk_used = (int64_t)1 << 30;
    assert_true(look_merge(&former, &seen, NULL, 12, false));
}

/* Each row of a kind that has hundreds finds its former self, in whatever order they come, and what is missing is gone. */
static void units_are_found_in_any_order(void **state)
{
    enum { N = 500 };
    struct obunit *was = calloc(N, sizeof *was), *is = calloc(N, sizeof *is);
    struct obtopology former = { .units = was, .n_units = N }, seen = { .units = is, .n_units = N - 1 };
    struct obtopology_gone gone;
    struct arena arena;
    struct err e;

    (void)state;
    assert_non_null(was);
    assert_non_null(is);
    for (int i = 0; i < N; i++) {
        was[i] = (struct obunit){ .id = 1000 + i, .ob_unit_id = i, .zone = "z", .ip = "a", .status = "ACTIVE", .pool_name = "", .config_name = "",
                                  .max_cpu = NAN, .min_cpu = NAN, .migrate_from_ip = "" };
        is[N - 1 - i] = was[i];
    }
    arena_init(&arena);
    assert_int_equal(look_count_new(&former, &seen), 0);
    assert_ok(look_gone(&former, &seen, &arena, &gone, &e), &e);
    assert_true(gone.n_units == 1 && gone.units[0] == 1000);
    is[3].status = "DELETING";
    assert_true(look_merge(&former, &seen, NULL, 5, false));
    for (int i = 0; i < N - 1; i++)
        assert_true(is[i].id == 1000 + is[i].ob_unit_id && is[i].changed == (i == 3));
    arena_fini(&arena);
    free(was);
    free(is);
}

static void versions_of_builds(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena);
    assert_string_equal(look_version("4.2.1.0_100000102023092807-7b0f43693565654bb1d7343f728bc2013dfff959(Sep 28 2023 07:25:28)", &arena),
                        "4.2.1.0-100000102023092807");
    assert_string_equal(look_version("4.3.5.3", &arena), "4.3.5.3");
    assert_string_equal(look_version("", &arena), "");
    arena_fini(&arena);
}

static void instances_are_told_apart(void **state)
{
    struct ob_probe by_uuid = { .engine = OB_ENGINE_SEEKDB, .uuid = "u-1", .created_us = 5 };
    struct ob_probe by_time = { .engine = OB_ENGINE_SEEKDB, .created_us = 5 };
    struct ob_probe cluster = { .engine = OB_ENGINE_OCEANBASE, .uuid = "u-1", .cluster_id = 2, .created_us = 5 };
    struct arena arena;

    (void)state;
    arena_init(&arena);
    assert_string_equal(look_instance(&by_uuid, &arena), "u-1");
    assert_string_equal(look_instance(&by_time, &arena), "created-5");
    assert_string_equal(look_instance(&cluster, &arena), "cluster-2-created-5");
    arena_fini(&arena);
}

static void only_running_clusters_are_changed(void **state)
{
    struct err e;
    char text[256];

    (void)state;
    for (int i = 0; obcluster_status_names[i] != NULL; i++) {
        struct obcluster c = { .name = "c1", .status = i };

        if (i == OBCLUSTER_RUNNING) {
            assert_ok(obcluster_require_running(&c, "it", &e), &e);
            continue;
        }
        assert_err(obcluster_require_running(&c, "moving it out", &e), &e, ERR_OBCLUSTER_STATE);
        (void)err_text(&e, ERR_EN, text, sizeof text);
        assert_non_null(strstr(text, obcluster_status_names[i]));
    }
}

static void types_of_parameters(void **state)
{
    (void)state;
    assert_string_equal(parameter_type(&(struct ob_parameter){ .data_type = "Int" }), "INT");
    assert_string_equal(parameter_type(&(struct ob_parameter){ .data_type = "BLOB" }), "STRING");
    assert_string_equal(parameter_type(&(struct ob_parameter){ .data_type = NULL }), "STRING");
}

/* --- endpoints ---------------------------------------------------------------------------------------------------------------- */

static void assert_order(struct obclusters *o, const struct obcluster *c, const char *wanted)
{
    static const char *const marks[] = { "", "?", "-" };
    struct endpoint all[ENDPOINT_MAX];
    size_t n = endpoints_of(o, c, all);
    struct str text;

    str_init(&text, NULL);
    for (size_t i = 0; i < n; i++)
        str_printf(&text, "%s%s%s", i > 0 ? " " : "", marks[all[i].state], all[i].name);
    assert_string_equal(str_c(&text), wanted);
    str_fini(&text);
}

static void those_that_serve_come_first(void **state)
{
    struct obclusters_conf conf = { .clock = &clock_system, .log = &test_log, .node = "n1" };
    struct obcluster c = { .id = 1, .address = "10.0.0.1", .port = 2881 };
    struct obclusters *o;
    struct err e;

    (void)state;
    assert_ok(obclusters_new(&conf, &o, &e), &e);
    assert_order(o, &c, "10.0.0.1:2881");
    c.endpoints = "10.0.0.2:2881,10.0.0.1:2881,-10.0.0.3:2881,[::4]:2881";
    assert_order(o, &c, "10.0.0.1:2881 10.0.0.2:2881 [::4]:2881 -10.0.0.3:2881");
    endpoint_note(o, "10.0.0.1:2881", false);
    assert_order(o, &c, "10.0.0.2:2881 [::4]:2881 ?10.0.0.1:2881 -10.0.0.3:2881");
    assert_true(endpoint_is_worse(o, &c, "10.0.0.1:2881"));
    assert_true(endpoint_is_worse(o, &c, "10.0.0.3:2881"));
    assert_false(endpoint_is_worse(o, &c, "10.0.0.2:2881"));
    assert_false(endpoint_is_worse(o, &c, "elsewhere:1"));
    endpoint_note(o, "10.0.0.2:2881", false);
    endpoint_note(o, "[::4]:2881", false);
    assert_false(endpoint_is_worse(o, &c, "10.0.0.1:2881")); /* none is better */
    endpoint_note(o, "10.0.0.1:2881", true);
    assert_order(o, &c, "10.0.0.1:2881 ?10.0.0.2:2881 ?[::4]:2881 -10.0.0.3:2881");
    c.endpoints = "-10.0.0.1:2881,,nonsense,:1,a:0,b:65536,10.0.0.9:2881";
    assert_order(o, &c, "10.0.0.9:2881 -10.0.0.1:2881");
    c.connection_mode = "proxy";
    assert_order(o, &c, "10.0.0.1:2881");
    obclusters_free(o);
}

/* Without memory nothing is forgotten but that a server was sick. */
static int go_around(void *data)
{
    struct obclusters_conf conf = { .clock = &clock_system, .log = &test_log, .node = "n1" };
    struct obcluster c = { .id = 1, .address = "10.0.0.1", .port = 2881, .endpoints = "10.0.0.1:2881,10.0.0.2:2881" };
    struct obzone zones[] = { { .id = 1, .name = "a" }, { .id = 2, .name = "b" } };
    struct obtopology former = { .zones = zones, .n_zones = 2 }, seen = { .zones = zones, .n_zones = 1 };
    struct endpoint all[ENDPOINT_MAX];
    struct obtopology_gone gone;
    struct obclusters *o;
    struct arena arena;
    int rv = obclusters_new(&conf, &o, data);

    if (rv != 0)
        return rv;
    endpoint_note(o, "10.0.0.1:2881", false);
    assert_int_equal(endpoints_of(o, &c, all), 2);
    obclusters_free(o);
    arena_init(&arena);
    rv = look_gone(&former, &seen, &arena, &gone, data);
    if (rv == 0)
        assert_true(gone.n_zones == 1 && gone.zones[0] == 2);
    if (rv == 0 && look_version("4.2.1.0_1-x", &arena) == NULL)
        rv = ERR_NOMEM.code;
    arena_fini(&arena);
    return rv;
}

static void memory_may_be_out(void **state)
{
    struct err e;

    (void)state;
    test_oom_sweep(go_around, &e);
}

/* A server's own name for itself counts, but for a kernel that stands alone and knows itself as the loopback address. */
static void addresses_of_servers(void **state)
{
    struct obcluster near = { .address = "127.0.0.5" }, far = { .address = "db.example.com" };

    (void)state;
    assert_string_equal(look_address("127.0.0.1", 1, &far), "db.example.com");
    assert_string_equal(look_address("127.0.0.1", 1, &near), "127.0.0.1");
    assert_string_equal(look_address("127.0.0.1", 3, &far), "127.0.0.1");
    assert_string_equal(look_address("127.0.0.7", 1, &far), "127.0.0.7");
    assert_string_equal(look_address("10.0.0.7", 1, &far), "10.0.0.7");
}

static void collations_have_names(void **state)
{
    (void)state;
    assert_string_equal(ob_collation_name("45"), "utf8mb4_general_ci");
    assert_string_equal(ob_charset_name("45"), "utf8mb4");
    assert_string_equal(ob_charset_name("63"), "binary");
    assert_string_equal(ob_collation_name("utf8mb4_bin"), "utf8mb4_bin");
    assert_string_equal(ob_collation_name("9999"), "9999");
}

/* --- links -------------------------------------------------------------------------------------------------------------------- */

struct fixture {
    struct obclusters *o;
    struct vault *vault;
    struct work_pool *pool;
    struct str sealed;
    struct obcluster c;
    struct err e;
};

static void seal(struct fixture *f, const char *password)
{
    struct vault_place at = obcluster_place(f->c.id);

    str_clear(&f->sealed);
    assert_ok(vault_seal(f->vault, &at, (struct slice){ password, strlen(password) }, &f->sealed, &f->e), &f->e);
    f->c.password = (struct slice){ f->sealed.s, f->sealed.n };
}

static void init(struct fixture *f)
{
    static const unsigned char key[32] = { 1 };
    struct work_conf work = { "connect", 4, 100 };
    struct sql_target target = test_store_target(NULL);
    struct obclusters_conf conf = { .clock = &clock_system, .log = &test_log, .node = "n1" };

    *f = (struct fixture){ .c = { .id = 7, .name = "c1", .address = target.host, .port = target.port, .username = target.user,
                                  .password_version = 1, .instance = "i", .failure = "" } };
    assert_ok(vault_new_keys(key, NULL, &f->vault, &f->e), &f->e);
    assert_ok(work_pool_new(&work, &f->pool, &f->e), &f->e);
    str_init(&f->sealed, NULL);
    seal(f, target.password);
    conf.vault = f->vault;
    conf.connect_pool = f->pool;
    assert_ok(obclusters_new(&conf, &f->o, &f->e), &f->e);
}

static void fini(struct fixture *f)
{
    obclusters_free(f->o);
    work_pool_free(f->pool);
    vault_free(f->vault);
    str_fini(&f->sealed);
}

static void in_links(void (*fn)(void *data))
{
    struct fixture f;

    init(&f);
    test_in_fiber(fn, &f);
    fini(&f);
}

static int ask(struct fixture *f, const char *statement)
{
    struct arena arena;
    struct link *k;
    int rv = link_take(f->o, &f->c, &k, &f->e);

    if (rv != 0)
        return rv;
    arena_init(&arena);
    rv = link_give(k, sql_run(link_sql(k), statement, NULL, 0, 0, &arena, NULL, &f->e), &f->e);
    arena_fini(&arena);
    return rv;
}

static void use_one(void *data)
{
    struct fixture *f = data;
    struct link_stats stats;

    for (int i = 0; i < 5; i++)
        assert_ok(ask(f, "SELECT 1"), &f->e);
    stats = link_stats(f->o);
    assert_true(stats.connects == 1 && stats.sessions == 1 && stats.idle == 1 && stats.clusters == 1);
    assert_err(ask(f, "SELEKT 1"), &f->e, ERR_OBCLUSTER_REFUSED);
    assert_string_equal(f->e.arg[0], "c1");
    assert_int_equal(link_stats(f->o).connects, 1);
    link_forget(f->o, 7);
    assert_int_equal(link_stats(f->o).sessions, 0);
}

static void sessions_are_kept(void **state)
{
    (void)state;
    in_links(use_one);
}

struct crowd {
    struct fixture *f;
    unsigned most, done;
};

static void one_of_many(void *data)
{
    struct crowd *c = data;
    struct link *k;
    struct err e;
    unsigned n;

    assert_ok(link_take(c->f->o, &c->f->c, &k, &e), &e);
    n = link_stats(c->f->o).sessions;
    c->most = n > c->most ? n : c->most;
    assert_ok(fiber_yield(&e), &e);
    assert_ok(link_give(k, 0, &e), &e);
    c->done++;
}

static void use_many(void *data)
{
    struct crowd c = { .f = data };
    struct fiber_group group = { 0 };

    for (int i = 0; i < 40; i++)
        assert_ok(fiber_group_start(&group, loop_current(), "one", one_of_many, &c, &c.f->e), &c.f->e);
    assert_ok(fiber_group_wait(&group, &c.f->e), &c.f->e);
    assert_int_equal(c.done, 40);
    assert_true(c.most <= LINK_MAX);
    link_forget(c.f->o, 7);
}

static void many_share_a_few(void **state)
{
    (void)state;
    in_links(use_many);
}

static void change_password(void *data)
{
    struct fixture *f = data;
    const char *right = test_store_target(NULL).password;
    char text[1024];

    assert_ok(ask(f, "SELECT 1"), &f->e);
    seal(f, "wrong");
    f->c.password_version = 2; /* a newer row: the open session does not count any more */
    assert_err(ask(f, "SELECT 1"), &f->e, ERR_OBCLUSTER_PASSWORD);
    (void)err_text(&f->e, ERR_EN, text, sizeof text);
    assert_non_null(strstr(text, "c1"));
    assert_non_null(strstr(text, "/api/v2/ob/clusters/7/changePassword"));
    assert_err(ask(f, "SELECT 1"), &f->e, ERR_OBCLUSTER_PASSWORD);
    assert_int_equal(link_stats(f->o).connects, 2); /* the same answer for a second */
    seal(f, right);
    f->c.password_version = 3;
    assert_ok(ask(f, "SELECT 1"), &f->e);
    f->c.password_version = 2; /* somebody with an older row takes nothing of the new ones away */
    assert_ok(ask(f, "SELECT 1"), &f->e);
    assert_int_equal(link_stats(f->o).sessions, 1);
    link_forget(f->o, 7);
}

static void newer_passwords_count(void **state)
{
    (void)state;
    in_links(change_password);
}

static void move_secret(void *data)
{
    struct fixture *f = data;

    f->c.id = 8; /* sealed for 7 */
    assert_err(ask(f, "SELECT 1"), &f->e, ERR_VAULT_OPEN);
}

static void secrets_of_others_do_not_open(void **state)
{
    (void)state;
    in_links(move_secret);
}

static void lose(void *data)
{
    struct fixture *f = data;

    f->c.port = 1;
    assert_err(ask(f, "SELECT 1"), &f->e, ERR_OBCLUSTER_AWAY);
    f->c.port = test_store_target(NULL).port;
    assert_err(ask(f, "SELECT 1"), &f->e, ERR_OBCLUSTER_AWAY); /* the same answer for a second */
    f->c.password_version = 2;
    assert_ok(ask(f, "SELECT 1"), &f->e);
    assert_err(ask(f, "KILL CONNECTION CONNECTION_ID()"), &f->e, ERR_OBCLUSTER_UNKNOWN);
    assert_int_equal(link_stats(f->o).sessions, 0);
    assert_ok(ask(f, "SELECT 1"), &f->e);
    link_forget(f->o, 7);
}

static void dead_sessions_are_replaced(void **state)
{
    (void)state;
    in_links(lose);
}

/* A server that takes connections and says nothing. */
static void hang(void *data)
{
    struct fixture *f = data;
    const struct test_mariadb *m = test_store_server();
    struct link *k;
    int64_t before;

    if (m->pid == 0)
        return; /* not ours to stop */
    assert_ok(link_take(f->o, &f->c, &k, &f->e), &f->e);
    test_pause(m->pid);
    (void)fiber_narrow_deadline(2000);
    before = clock_now_ms(&clock_system);
    {
        struct arena arena;
        int rv;

        arena_init(&arena);
        rv = sql_run(link_sql(k), "SELECT 1", NULL, 0, 0, &arena, NULL, &f->e);
        assert_err(link_give(k, rv, &f->e), &f->e, ERR_OBCLUSTER_TIMEOUT);
        arena_fini(&arena);
    }
    assert_true(clock_now_ms(&clock_system) - before < 5000);
    assert_int_equal(kill(m->pid, SIGCONT), 0);
    assert_int_equal(link_stats(f->o).sessions, 0);
}

static void hanging_servers_cost_an_error(void **state)
{
    (void)state;
    in_links(hang);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_names),
        cmocka_unit_test(made_names),
        cmocka_unit_test(seen_is_held_against_the_former),
        cmocka_unit_test(units_are_found_in_any_order),
        cmocka_unit_test(versions_of_builds),
        cmocka_unit_test(those_that_serve_come_first),
        cmocka_unit_test(memory_may_be_out),
        cmocka_unit_test(addresses_of_servers),
        cmocka_unit_test(collations_have_names),
        cmocka_unit_test(instances_are_told_apart),
        cmocka_unit_test(only_running_clusters_are_changed),
        cmocka_unit_test(types_of_parameters),
        cmocka_unit_test(sessions_are_kept),
        cmocka_unit_test(many_share_a_few),
        cmocka_unit_test(newer_passwords_count),
        cmocka_unit_test(secrets_of_others_do_not_open),
        cmocka_unit_test(dead_sessions_are_replaced),
        cmocka_unit_test(hanging_servers_cost_an_error),
    };
    int rv;

    if (!test_store_start()) {
        (void)fprintf(stderr, "skipped: mariadbd is not installed\n");
        return 77;
    }
    rv = cmocka_run_group_tests(tests, NULL, NULL);
    test_store_stop();
    return rv;
}

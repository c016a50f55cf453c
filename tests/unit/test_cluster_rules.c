/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about making and changing clusters: where files lie and how observers are started, every reason against a new cluster, and what may
 * be stopped or deleted. */
#include <stdio.h>

#include "src/obcluster/claim.h"
#include "src/obcluster/create_check.h"
#include "src/obcluster/obcluster.h"
#include "src/obcluster/safety.h"
#include "tests/lib/test.h"

static struct arena arena;
static struct err e;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    err_clear(&e);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

/* --- layout ---------------------------------------------------------------------------------------------------------------------- */

static struct layout make(const char *run)
{
    struct layout_paths paths = { "/opt/ob/", run, "/data/1", "/data/log1" };
    struct layout l;

    assert_ok(layout_make(&paths, "c1", "oceanbase-ce-4.2.1.0-1", &arena, &l, &e), &e);
    return l;
}

static const char *joined(struct field_strings list)
{
    struct str t;

    str_init(&t, &arena);
    for (size_t i = 0; i < list.n; i++)
        str_printf(&t, "%s%s", i > 0 ? " " : "", list.items[i]);
    assert_false(str_failed(&t));
    return str_c(&t);
}

static void files_have_their_places(void **state)
{
    struct layout l = make("");
    struct field_strings marked, plain;
    struct layout_link links[LAYOUT_LINKS];

    (void)state;
    assert_string_equal(l.observer, "/opt/ob/c1/software/oceanbase-ce-4.2.1.0-1/bin/observer");
    assert_string_equal(l.pid_file, "/opt/ob/c1/run/observer.pid");
    assert_ok(layout_directories(&l, &arena, &marked, &plain, &e), &e);
    assert_string_equal(joined(marked), "/opt/ob/c1 /data/1/c1 /data/log1/c1");
    assert_string_equal(joined(plain), "/opt/ob/c1/etc /opt/ob/c1/log /opt/ob/c1/run /opt/ob/c1/store /opt/ob/c1/software "
                                       "/data/1/c1/sstable /data/1/c1/slog /data/log1/c1/clog");
    assert_ok(layout_links(&l, &arena, links, &e), &e);
    assert_string_equal(links[0].path, "/opt/ob/c1/store/sstable");
    assert_string_equal(links[0].target, "/data/1/c1/sstable");
    assert_string_equal(links[2].target, "/data/log1/c1/clog");
    l = make("/home/run");
    assert_ok(layout_directories(&l, &arena, &marked, &plain, &e), &e);
    assert_string_equal(joined(marked), "/opt/ob/c1 /home/run/c1 /data/1/c1 /data/log1/c1");
}

static void observers_are_started(void **state)
{
    const struct layout_server founders[] = { { "10.0.0.1", "z1", 2882, 2881 }, { "fe::2", "z2", 2882, 2881 } };
    const struct layout_parameter parameters[] = { { "memory_limit", "8G" }, { "cpu_count", "4" } };
    struct layout_start s = { "c1", 7, founders[0], founders, 2, parameters, 2 };
    struct layout l = make("");
    struct field_strings argv, env;

    (void)state;
    assert_ok(layout_first_start(&l, &s, &arena, &argv, &e), &e);
    assert_string_equal(joined(argv), "/opt/ob/c1/software/oceanbase-ce-4.2.1.0-1/bin/observer -p 2881 -P 2882 -z z1 -n c1 -c 7 -d "
                                      "/opt/ob/c1/store -I 10.0.0.1 -r 10.0.0.1:2882:2881;[fe::2]:2882:2881 -o memory_limit=8G,cpu_count=4");
    s.n_parameters = 0;
    assert_ok(layout_first_start(&l, &s, &arena, &argv, &e), &e);
    assert_null(strstr(joined(argv), "-o"));
    assert_ok(layout_restart(&l, &founders[0], &arena, &argv, &e), &e);
    assert_string_equal(joined(argv), "/opt/ob/c1/software/oceanbase-ce-4.2.1.0-1/bin/observer -p 2881");
    assert_ok(layout_environment(&l, &arena, &env, &e), &e);
    assert_string_equal(joined(env), "LD_LIBRARY_PATH=/opt/ob/c1/software/oceanbase-ce-4.2.1.0-1/lib:"
                                     "/opt/ob/c1/software/oceanbase-ce-4.2.1.0-1-libs/lib");
}

static void paths_are_checked(void **state)
{
    static const char *const good[] = { "/opt/ob", "/data/1", "/home/admin/oceanbase-4.2", "/usrlocal" };
    static const char *const bad[] = { "", "data", "/", "/etc", "/etc/ob", "/usr/lib/x", "/a//b", "/a/../b", "/a/.b", "/a b", "/a'b", "/a\nb" };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_null(layout_path_problem(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_non_null(layout_path_problem(bad[i]));
}

static void parameters_are_checked(void **state)
{
    static const struct layout_parameter good[] = { { "memory_limit", "8G" }, { "__min_full_resource_pool_memory", "1" }, { "x", "" } };
    static const struct layout_parameter bad[] = { { "", "1" },     { "a b", "1" }, { "a=b", "1" },   { "a", "1\n" },
                                                   { "zone", "z" }, { "rpc_port", "1" }, { "cluster_id", "3" } };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_null(layout_parameter_problem(&good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_non_null(layout_parameter_problem(&bad[i]));
}

/* Commas separate parameters there. */
static void what_does_not_fit_stays_off_the_command_line(void **state)
{
    const struct layout_parameter given[] = { { "a", "1,b=2" }, { "c", "3" }, { "d", "4" } };
    const struct layout_server founder = { "10.0.0.1", "z1", 2882, 2881 };
    struct layout_start start = { "c1", 7, founder, &founder, 1, given, 3 };
    struct layout l = make("");
    struct field_strings argv;

    (void)state;
    assert_ok(layout_first_start(&l, &start, &arena, &argv, &e), &e);
    assert_string_equal(argv.items[argv.n - 2], "-o");
    assert_string_equal(argv.items[argv.n - 1], "c=3,d=4");
    start.n_parameters = 1;
    assert_ok(layout_first_start(&l, &start, &arena, &argv, &e), &e);
    assert_null(strstr(joined(argv), "-o"));
}

/* --- creating -------------------------------------------------------------------------------------------------------------------- */

static int64_t ids[] = { 1, 2, 3, 1, 99 };
static struct create_zone zones[3];
static struct create_host hosts[3];
static struct create_want want;
static struct create_known known;

static void good_wish(void)
{
    static const char *const idcs[] = { "idc1", "idc2" };

    for (int i = 0; i < 3; i++) {
        zones[i] = (struct create_zone){ (const char *[]){ "zone1", "zone2", "zone3" }[i], "idc1", { &ids[i], 1 } };
        hosts[i] = (struct create_host){ i + 1, (const char *[]){ "10.0.0.1", "10.0.0.2", "10.0.0.3" }[i], "AVAILABLE", "x86_64", "idc1" };
    }
    want = (struct create_want){ "c1", "ob.rpm", "PRIMARY", "Secret-1", "", "", zones, 3, layout_defaults, "admin", 2882, 2881, NULL, 0 };
    want.sys_unit = (struct create_sys_unit){ "", "" };
    known = (struct create_known){ false, true, "OB_SERVER_INSTALL_PACKAGE", "x86_64", "4.2.1.0", hosts, 3, idcs, 2, NULL, 0 };
}

static struct create_reasons check(void)
{
    struct create_reasons r;

    assert_ok(create_check(&want, &known, &arena, &r, &e), &e);
    return r;
}

static void only(const struct err_row *row)
{
    struct create_reasons r = check();

    if (r.n != 1 || r.items[0].row != row)
        fail_msg("%zu reasons, the first %s instead of %s", r.n, r.n > 0 ? r.items[0].row->symbol : "none", row->symbol);
    assert_int_equal(create_refuse(&want, &r, &e), row->code);
    good_wish();
}

static void a_good_wish_has_no_reason(void **state)
{
    struct create_reasons r;

    (void)state;
    good_wish();
    r = check();
    assert_int_equal(r.n, 0);
    assert_int_equal(create_refuse(&want, &r, &e), 0);
    want.primary_zone = "zone1, zone2;zone3";
    assert_int_equal(check().n, 0);
    want.primary_zone = "RANDOM";
    hosts[0].status = "ONLINE";
    known.package_architecture = "noarch";
    assert_int_equal(check().n, 0);
}

static void each_wrong_member_is_named(void **state)
{
    static const struct layout_parameter twice[] = { { "cpu_count", "4" }, { "cpu_count", "5" } }, broken[] = { { "a", "1\n2" } };
    static const struct create_there same_sql[] = { { "10.0.0.2", "other", 3882, 2881 } }, elsewhere[] = { { "10.0.0.9", "other", 2882, 2881 } };

    (void)state;
    good_wish();
    want.name = "1c", only(&ERR_OBCLUSTER_NAME);
    known.name_taken = true, only(&ERR_OBCLUSTER_NAME_TAKEN);
    want.type = "STANDBY", only(&ERR_CREATE_TYPE);
    want.password = "", only(&ERR_OBCLUSTER_NEW_PASSWORD);
    want.password = "a\nb", only(&ERR_OBCLUSTER_NEW_PASSWORD);
    want.proxyro_password = "\x01", only(&ERR_OBCLUSTER_NEW_PASSWORD);
    want.port = 2881, only(&ERR_CREATE_PORTS);
    want.sql_port = 80, only(&ERR_CREATE_PORTS);
    want.port = 70000, only(&ERR_CREATE_PORTS);
    want.paths.data = "data", only(&ERR_CREATE_PATH);
    want.os_user = "../etc", only(&ERR_CREATE_USER);
    want.os_user = "", only(&ERR_CREATE_USER);
    want.os_user = "0day", only(&ERR_CREATE_USER);
    want.paths.install = "/etc/ob", only(&ERR_CREATE_PATH);
    want.parameters = twice, want.n_parameters = 2, only(&ERR_CREATE_PARAMETER);
    want.parameters = broken, want.n_parameters = 1, only(&ERR_CREATE_PARAMETER);
    want.sys_unit.memory = "3 bananas", only(&ERR_CREATE_PARAMETER);
    want.sys_unit.log_disk = "512M", only(&ERR_CREATE_PARAMETER);
    known.package_version = "3.1.4", only(&ERR_CREATE_VERSION);
    known.package_version = "4.1.0.2", only(&ERR_CREATE_VERSION);
    zones[1].package = "other.rpm", only(&ERR_CREATE_PACKAGE);
    zones[1].architecture = "aarch64", only(&ERR_CREATE_ARCH);
    known.package_found = false, only(&ERR_CREATE_PACKAGE);
    known.package_type = "OBPROXY_INSTALL_PACKAGE", only(&ERR_CREATE_PACKAGE);
    want.n_zones = 0, want.primary_zone = "", only(&ERR_CREATE_NO_SERVER);
    zones[1].servers.n = 0, only(&ERR_CREATE_NO_SERVER);
    zones[1].name = "z-2", only(&ERR_ZONE_NAME);
    zones[1].name = "zone1", only(&ERR_ZONE_TWICE);
    zones[2].idc_name = "nowhere", only(&ERR_CREATE_IDC);
    zones[2].idc_name = "idc2", only(&ERR_CREATE_HOST_IDC);
    zones[2].servers.items = &ids[3], only(&ERR_CREATE_HOST_TWICE);
    zones[2].servers.items = &ids[4], only(&ERR_CREATE_HOST);
    hosts[1].status = "OFFLINE", only(&ERR_CREATE_HOST_STATE);
    hosts[1].architecture = "aarch64", only(&ERR_CREATE_ARCH);
    known.there = same_sql, known.n_there = 1, only(&ERR_CREATE_TAKEN);
    want.primary_zone = "zone1;zone4", only(&ERR_CREATE_PRIMARY);
    known.there = elsewhere, known.n_there = 1;
    assert_int_equal(check().n, 0);
}

/* Each would be left undone if it were taken without a word; what asks for nothing is fine. */
static void what_cannot_be_had_is_said(void **state)
{
    (void)state;
    good_wish();
    want.beside.proxyro_user = "somebody", only(&ERR_CREATE_MEMBER);
    want.beside.load_type = "OLTP", only(&ERR_CREATE_MEMBER);
    want.beside.primary_cluster = "{}", only(&ERR_CREATE_MEMBER);
    want.beside.arbitration = "7", only(&ERR_CREATE_MEMBER);
    want.beside.overselling = "1.5", only(&ERR_CREATE_MEMBER);
    want.beside.n_proxy_clusters = 1, only(&ERR_CREATE_MEMBER);
    want.beside.cgroup = true, only(&ERR_CREATE_MEMBER);
    want.beside.extra_tenant = true, only(&ERR_CREATE_MEMBER);
    want.beside = (struct create_beside){ .proxyro_user = "proxyro", .load_type = "", .overselling = "1" };
    want.sys_unit = (struct create_sys_unit){ "4G", "8192M" };
    zones[0].package = want.package;
    zones[0].architecture = "x86_64";
    assert_int_equal(check().n, 0);
}

static void all_reasons_come_at_once(void **state)
{
    struct create_reasons r;
    char text[1024];

    (void)state;
    good_wish();
    want.name = "1c";
    want.password = "";
    zones[0].idc_name = "nowhere";
    hosts[2].status = "NEW";
    r = check();
    assert_int_equal(r.n, 4);
    assert_err(create_refuse(&want, &r, &e), &e, ERR_CREATE_REFUSED);
    (void)err_text(&e, ERR_EN, text, sizeof text);
    assert_non_null(strstr(text, "1c cannot be the name"));
    assert_non_null(strstr(text, "nowhere"));
    assert_non_null(strstr(text, "10.0.0.3"));
}

static void there_is_a_bound_to_reasons(void **state)
{
    static int64_t many[200];
    struct create_reasons r;

    (void)state;
    good_wish();
    for (int i = 0; i < 200; i++)
        many[i] = 1000 + i;
    zones[0].servers = (struct field_ints){ many, 200 };
    r = check();
    assert_int_equal(r.n, CREATE_REASONS);
}

/* --- safety ---------------------------------------------------------------------------------------------------------------------- */

static struct safety_zone z[3];
static struct safety_server s[4];
static struct ob_replica streams[6];
static struct safety_view view;

/* Three zones, two servers in the first; two log streams with a replica in each zone. */
static void good_cluster(void)
{
    static const char *const names[] = { "z1", "z2", "z3" }, *const ips[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3" };
    static const char *const addresses[] = { "10.0.0.1:2882", "10.0.0.2:2882", "10.0.0.3:2882" };

    for (int i = 0; i < 3; i++) {
        z[i] = (struct safety_zone){ names[i], true };
        s[i] = (struct safety_server){ addresses[i], names[i], true, false };
        for (int k = 0; k < 2; k++)
            streams[k * 3 + i] = (struct ob_replica){ 1 + k, 1, ips[i], names[i], 2882, i == 0, true, 3 };
    }
    s[3] = (struct safety_server){ "10.0.0.4:2882", "z1", true, false };
    view = (struct safety_view){ z, s, streams, 3, 4, 6 };
}

static int stop_zone(const char *name)
{
    struct safety_set what = { .zone = name };

    return safety_may_stop(&view, &what, &e);
}

static int stop_server(const char *zone, const char *address)
{
    const char *one[] = { address };
    struct safety_set what = { zone, one, 1 };

    return safety_may_stop(&view, &what, &e);
}

static void a_healthy_zone_may_be_stopped(void **state)
{
    (void)state;
    good_cluster();
    assert_ok(stop_zone("z1"), &e);
    assert_ok(stop_zone("z3"), &e);
    assert_ok(stop_server("z1", "10.0.0.4:2882"), &e);
    z[0].active = false; /* it is stopped already: again */
    assert_ok(stop_zone("z1"), &e);
    s[0].stopped = true;
    assert_ok(stop_server("z1", "10.0.0.4:2882"), &e);
    assert_ok(safety_may_roll((good_cluster(), &view), &e), &e);
}

static void another_zone_must_not_be_away(void **state)
{
    (void)state;
    good_cluster();
    z[1].active = false;
    assert_err(stop_zone("z1"), &e, ERR_SAFETY_OTHER);
    good_cluster();
    s[1].stopped = true;
    assert_err(stop_zone("z1"), &e, ERR_SAFETY_OTHER);
    assert_err(stop_server("z3", "10.0.0.3:2882"), &e, ERR_SAFETY_OTHER);
    good_cluster();
    s[2].alive = false;
    assert_err(stop_zone("z1"), &e, ERR_SAFETY_OTHER);
    assert_err(safety_may_roll(&view, &e), &e, ERR_SAFETY_OTHER);
    good_cluster();
    view.n_zones = 1;
    view.n_servers = 1;
    assert_err(stop_zone("z1"), &e, ERR_SAFETY_LAST);
}

static void majorities_stay(void **state)
{
    (void)state;
    good_cluster();
    streams[4].in_sync = false; /* z2 of the second stream lags */
    assert_err(stop_zone("z1"), &e, ERR_SAFETY_MAJORITY);
    assert_string_equal(e.arg[1], "2");
    assert_ok(stop_zone("z2"), &e);
    assert_ok(stop_server("z1", "10.0.0.4:2882"), &e); /* it has no replica */
    assert_err(stop_server("z1", "10.0.0.1:2882"), &e, ERR_SAFETY_MAJORITY);
    assert_err(safety_may_roll(&view, &e), &e, ERR_SAFETY_MAJORITY);
    good_cluster();
    view.n_replicas = 5; /* z3 of the second stream is not to be seen */
    assert_err(stop_zone("z1"), &e, ERR_SAFETY_MAJORITY);
    assert_ok(stop_zone("z3"), &e);
    good_cluster();
    for (int i = 0; i < 6; i++)
        streams[i].paxos_replicas = 5;
    assert_err(stop_zone("z1"), &e, ERR_SAFETY_MAJORITY);
}

/* Every way in which three replicas of one stream can be in step or not, against every zone. */
static void all_states_of_three_replicas(void **state)
{
    (void)state;
    for (unsigned synced = 0; synced < 8; synced++)
        for (int zone = 0; zone < 3; zone++) {
            unsigned left = synced & ~(1u << zone);
            bool may = left == 3 || left == 5 || left == 6;

            good_cluster();
            view.n_replicas = 3;
            for (int i = 0; i < 3; i++)
                streams[i].in_sync = (synced >> i & 1) != 0;
            if ((stop_zone(z[zone].name) == 0) != may)
                fail_msg("in step %u, zone %d", synced, zone);
        }
}

static void rolling_needs_three_zones(void **state)
{
    (void)state;
    good_cluster();
    view.n_zones = 2;
    assert_err(safety_may_roll(&view, &e), &e, ERR_SAFETY_ZONES);
}

static void units_need_servers(void **state)
{
    const struct safety_pool pools[] = { { "z1", 1 }, { "z2", 9 } }, wide[] = { { "z1", 2 } };
    const char *one[] = { "10.0.0.4:2882" }, *both[] = { "10.0.0.1:2882", "10.0.0.4:2882" };

    (void)state;
    good_cluster();
    assert_ok(safety_may_delete(&view, pools, 2, &(struct safety_set){ "z1", one, 1 }, &e), &e);
    assert_err(safety_may_delete(&view, wide, 1, &(struct safety_set){ "z1", one, 1 }, &e), &e, ERR_SAFETY_FEWER);
    assert_err(safety_may_delete(&view, pools, 2, &(struct safety_set){ "z1", both, 2 }, &e), &e, ERR_SAFETY_LAST_SERVER);
    assert_err(safety_may_delete_zone(&view, 3, "z1", &e), &e, ERR_SAFETY_UNITS);
    assert_ok(safety_may_delete_zone(&view, 0, "z1", &e), &e);
}

static void units_do_not_move_to_servers_that_do_not_serve(void **state)
{
    const struct safety_pool pools[] = { { "z1", 1 } };
    const char *one[] = { "10.0.0.4:2882" };
    struct safety_set what = { "z1", one, 1 };

    (void)state;
    good_cluster();
    s[0].stopped = true;
    assert_err(safety_may_delete(&view, pools, 1, &what, &e), &e, ERR_SAFETY_LAST_SERVER);
    s[0].stopped = false;
    s[0].alive = false;
    assert_err(safety_may_delete(&view, pools, 1, &what, &e), &e, ERR_SAFETY_LAST_SERVER);
    s[0].alive = true;
    assert_ok(safety_may_delete(&view, pools, 1, &what, &e), &e);
}

static void what_leads_and_what_is_stopped_is_seen(void **state)
{
    const char *one[] = { "10.0.0.1:2882" }, *both[] = { "10.0.0.1:2882", "10.0.0.4:2882" };
    const struct safety_pool pools[] = { { "z1", 1 }, { "z2", 9 }, { "z1", 2 } };

    (void)state;
    good_cluster();
    assert_int_equal(safety_leads(&view, &(struct safety_set){ .zone = "z1" }), 2);
    assert_int_equal(safety_leads(&view, &(struct safety_set){ "z1", one, 1 }), 2);
    assert_int_equal(safety_leads(&view, &(struct safety_set){ .zone = "z2" }), 0);
    assert_false(safety_is_stopped(&view, &(struct safety_set){ .zone = "z1" }));
    s[0].stopped = true;
    assert_true(safety_is_stopped(&view, &(struct safety_set){ "z1", one, 1 }));
    assert_false(safety_is_stopped(&view, &(struct safety_set){ "z1", both, 2 }));
    assert_false(safety_is_stopped(&view, &(struct safety_set){ "z9", one, 1 }));
    z[0].active = false;
    assert_true(safety_is_stopped(&view, &(struct safety_set){ .zone = "z1" }));
    assert_int_equal(safety_units(pools, 3, "z1"), 2);
}

/* --- whose it is ------------------------------------------------------------------------------------------------------------------- */

static void a_config_url_says_whose_a_cluster_is(void **state)
{
    static const char id[] = "0123456789abcdef0123456789abcdef";
    const char *url = claim_url("http://a:1", id, "c1", &arena), *nobodys = claim_url("http://a:1", "", "c1", &arena);
    char found[OCPCLUSTER_HEX_SIZE];

    (void)state;
    assert_string_equal(url, "http://a:1/services?Action=ObRootServiceInfo&User_ID=ocp&UID=0123456789abcdef0123456789abcdef&ObCluster=c1");
    assert_string_equal(claim_of(url, found), id);
    assert_string_equal(claim_of(nobodys, found), "");
    assert_string_equal(claim_of("", found), "");
    assert_string_equal(claim_of("http://a/services?x=1&User_ID=ocp&UID=0123", found), "");
    assert_string_equal(claim_of("http://a/services?x=1&User_ID=ocp&UID=zz23456789abcdef0123456789abcdef&y", found), "");
    assert_string_equal(claim_of("http://a/services?User_ID=alibaba&UID=ocpmaster&x", found), "");
    assert_ok(claim_require(url, id, "c1", &e), &e);
    assert_ok(claim_require(nobodys, id, "c1", &e), &e);
    assert_ok(claim_require(url, "", "c1", &e), &e);
    assert_err(claim_require(url, "fedcba9876543210fedcba9876543210", "c1", &e), &e, ERR_TAKE_OVER_FOREIGN);
    assert_string_equal(e.arg[1], id);
}

static int lay_out(void *data)
{
    const struct layout_server founder = { "10.0.0.1", "z1", 2882, 2881 };
    const struct layout_parameter parameter = { "cpu_count", "4" };
    struct layout_start start = { "c1", 7, founder, &founder, 1, &parameter, 1 };
    struct layout_link links[LAYOUT_LINKS];
    struct field_strings a, b;
    struct create_reasons r;
    struct arena own;
    struct layout l;
    struct err why;
    int rv;

    (void)data;
    arena_init(&own);
    good_wish();
    rv = layout_make(&layout_defaults, "c1", "p", &own, &l, &why);
    if (rv == 0)
        rv = layout_directories(&l, &own, &a, &b, &why);
    if (rv == 0)
        rv = layout_links(&l, &own, links, &why);
    if (rv == 0)
        rv = layout_first_start(&l, &start, &own, &a, &why);
    if (rv == 0)
        rv = layout_environment(&l, &own, &a, &why);
    if (rv == 0)
        rv = create_check(&want, &known, &own, &r, &why);
    arena_fini(&own);
    return rv;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    test_oom_sweep(lay_out, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_have_their_places),
        TEST(observers_are_started),
        TEST(paths_are_checked),
        TEST(parameters_are_checked),
        TEST(what_does_not_fit_stays_off_the_command_line),
        TEST(a_good_wish_has_no_reason),
        TEST(each_wrong_member_is_named),
        TEST(what_cannot_be_had_is_said),
        TEST(all_reasons_come_at_once),
        TEST(there_is_a_bound_to_reasons),
        TEST(a_healthy_zone_may_be_stopped),
        TEST(another_zone_must_not_be_away),
        TEST(majorities_stay),
        TEST(all_states_of_three_replicas),
        TEST(rolling_needs_three_zones),
        TEST(units_need_servers),
        TEST(units_do_not_move_to_servers_that_do_not_serve),
        TEST(what_leads_and_what_is_stopped_is_seen),
        TEST(a_config_url_says_whose_a_cluster_is),
        TEST(memory_may_run_out),
    };

    return cmocka_run_group_tests_name("cluster_rules", tests, NULL, NULL);
}

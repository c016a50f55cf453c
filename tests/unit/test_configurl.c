/* SPDX-License-Identifier: Apache-2.0 */
/* What observers report and what proxies get to read, without a database. */
#include <stdio.h>

#include "src/configurl/configurl.h"
#include "src/configurl/proxy.h"
#include "tests/lib/test.h"

#define NOW INT64_C(1700000000000000)
#define SERVERS "\"RsList\":[{\"address\":\"10.0.0.1:2882\",\"role\":\"LEADER\",\"sql_port\":2881}]"
#define V1 "{\"ObRegion\":\"c1\",\"ObRegionId\":1," SERVERS "}"
#define V2 "{\"ObCluster\":\"c1\",\"ObClusterId\":1,\"Type\":\"STANDBY\",\"timestamp\":5," SERVERS ",\"ReadonlyRsList\":[],\"more\":{}}"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static int read_report(const char *body, struct config_ask ask, struct config_report *out, struct err *e)
{
    return config_report_read((struct slice){ body, strlen(body) }, &ask, NOW, &arena, out, e);
}

static void reports_are_read(void **state)
{
    struct config_report r;
    struct err e;

    (void)state;
    assert_ok(read_report(V1, (struct config_ask){ NULL, 0, 1 }, &r, &e), &e);
    assert_string_equal(r.record.name, "c1");
    assert_int_equal(r.record.ob_cluster_id, 1);
    assert_string_equal(r.record.type, "PRIMARY");
    assert_int_equal(r.record.stamp_us, NOW);
    assert_string_equal(r.record.servers, "[{\"address\":\"10.0.0.1:2882\",\"role\":\"LEADER\",\"sql_port\":2881}]");
    assert_ok(read_report(V2, (struct config_ask){ "other", 7, 2 }, &r, &e), &e);
    assert_string_equal(r.record.name, "c1");
    assert_int_equal(r.record.ob_cluster_id, 1);
    assert_string_equal(r.record.type, "STANDBY");
    assert_int_equal(r.record.stamp_us, 5);
}

static void what_the_body_leaves_out_the_query_says(void **state)
{
    struct config_report r;
    struct err e;

    (void)state;
    assert_ok(read_report("{" SERVERS "}", (struct config_ask){ "asked", 9, 1 }, &r, &e), &e);
    assert_string_equal(r.record.name, "asked");
    assert_int_equal(r.record.ob_cluster_id, 9);
    assert_ok(read_report("{\"ObRegion\":\"old\",\"ObCluster\":\"new\"," SERVERS "}", (struct config_ask){ NULL, 0, 1 }, &r, &e), &e);
    assert_string_equal(r.record.name, "old");
}

static void a_clock_ahead_is_held_back(void **state)
{
    struct config_report r;
    struct err e;

    (void)state;
    assert_ok(read_report("{\"ObCluster\":\"c\",\"timestamp\":9000000000000000000," SERVERS "}", (struct config_ask){ NULL, 0, 1 }, &r, &e), &e);
    assert_int_equal(r.record.stamp_us, NOW + CONFIG_AHEAD_US);
}

static void wrong_reports_are_refused(void **state)
{
    static const struct {
        const char *body;
        int64_t version;
    } wrong[] = {
        { "", 1 }, { "[]", 1 }, { "{}", 1 }, { "{\"ObCluster\":\"c\"}", 1 }, { "{\"ObCluster\":\"c\",\"RsList\":[]}", 1 },
        { "{" SERVERS "}", 1 }, { "{\"ObCluster\":\"\"," SERVERS "}", 1 }, { "{\"ObCluster\":\"a b\"," SERVERS "}", 1 },
        { "{\"ObCluster\":\"a&b\"," SERVERS "}", 1 }, { "{\"ObCluster\":\"c\"," SERVERS "}", 2 },
        { "{\"ObCluster\":\"c\",\"Type\":\"OTHER\"," SERVERS "}", 2 }, { "{\"ObCluster\":\"c\",\"ObClusterId\":-1," SERVERS "}", 1 },
        { "{\"ObCluster\":\"c\",\"RsList\":[{\"address\":\"host:2882\",\"sql_port\":2881}]}", 1 },
        { "{\"ObCluster\":\"c\",\"RsList\":[{\"address\":\"10.0.0.1\",\"sql_port\":2881}]}", 1 },
        { "{\"ObCluster\":\"c\",\"RsList\":[{\"address\":\"10.0.0.1:2882\"}]}", 1 },
        { "{\"ObCluster\":\"c\",\"RsList\":[{\"address\":\"10.0.0.1:2882\",\"sql_port\":70000}]}", 1 },
        { "{\"ObCluster\":\"c\",\"RsList\":[{\"address\":\"10.0.0.1:2882\",\"sql_port\":1,\"role\":\"LEADER\"},"
          "{\"address\":\"10.0.0.2:2882\",\"sql_port\":1,\"role\":\"LEADER\"}]}", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct config_report r;
        struct err e;
        int rv = read_report(wrong[i].body, (struct config_ask){ NULL, 0, wrong[i].version }, &r, &e);

        if (rv == 0)
            fail_msg("read: %s", wrong[i].body);
        assert_int_equal(e.row->http, 400);
    }
}

/* --- answers --------------------------------------------------------------------------------------------------------------------- */

static const struct config_record records[] = {
    { .name = "a", .ob_cluster_id = 1, .type = "PRIMARY", .servers = "[]" },
    { .name = "b", .ob_cluster_id = 1, .type = "STANDBY", .stamp_us = 9, .servers = "[]" },
    { .name = "b", .ob_cluster_id = 2, .type = "PRIMARY", .stamp_us = 3, .servers = "[]" },
    { .name = "b", .ob_cluster_id = 3, .type = "PRIMARY", .stamp_us = 4, .servers = "[]" },
    { .name = "c", .ob_cluster_id = 5, .type = "STANDBY", .stamp_us = 1, .servers = "[{\"address\":\"10.0.0.1:2882\"}]" },
};
enum { N_RECORDS = sizeof records / sizeof records[0] };

static const char *ask(const char *name, int64_t id, int64_t version)
{
    struct config_ask a = { name, id, version };
    struct str t;

    str_init(&t, &arena);
    if (!config_write_answer(&t, records, N_RECORDS, &a, config_write_servers, NULL))
        return NULL;
    assert_false(str_failed(&t));
    return str_c(&t);
}

static void assert_one(const char *answer, int64_t id)
{
    char wanted[64];

    assert_non_null(answer);
    (void)snprintf(wanted, sizeof wanted, "\"ObRegionId\":%lld,\"ObClusterId\":%lld,", (long long)id, (long long)id);
    assert_int_equal(answer[0], '{');
    if (strstr(answer, wanted) == NULL)
        fail_msg("%s is not in %s", wanted, answer);
}

static void one_or_all_of_a_name(void **state)
{
    (void)state;
    assert_string_equal(ask("c", 0, 1), "{\"ObRegion\":\"c\",\"ObCluster\":\"c\",\"ObRegionId\":5,\"ObClusterId\":5,\"Type\":\"STANDBY\","
                                        "\"timestamp\":1,\"RsList\":[{\"address\":\"10.0.0.1:2882\"}],\"ReadonlyRsList\":[]}");
    assert_one(ask("a", 0, 1), 1);
    assert_one(ask("b", 0, 1), 3);  /* a primary, the latest of them */
    assert_one(ask("b", 1, 1), 1);
    assert_one(ask("b", 2, 2), 2);
    assert_string_equal(ask("a", 0, 2), "[{\"ObRegion\":\"a\",\"ObCluster\":\"a\",\"ObRegionId\":1,\"ObClusterId\":1,\"Type\":\"PRIMARY\","
                                        "\"timestamp\":0,\"RsList\":[],\"ReadonlyRsList\":[]}]");
    assert_int_equal(ask("b", 0, 2)[0], '[');
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    assert_null(ask("", 0, 1));
    assert_null(ask("aa", 0, 1));
    assert_null(ask("z", 0, 2));
    assert_null(ask("b", 4, 1));
    assert_null(ask("b", 4, 2));
}

static void idcs_have_their_own_form(void **state)
{
    const struct config_idc items[] = { { "hz1", "hz" }, { "hz\"2", "hz" } };
    const struct config_idcs idcs = { items, 2 };
    struct config_ask a = { "a", 0, 1 };
    struct str t;

    (void)state;
    str_init(&t, &arena);
    assert_true(config_write_answer(&t, records, N_RECORDS, &a, config_write_idcs, &idcs));
    assert_string_equal(str_c(&t), "{\"ObRegion\":\"a\",\"ObRegionId\":1,\"IDCList\":[{\"idc\":\"hz1\",\"region\":\"hz\"},"
                                   "{\"idc\":\"hz\\\"2\",\"region\":\"hz\"}],\"ReadonlyRsList\":\"\"}");
}

/* --- lists ----------------------------------------------------------------------------------------------------------------------- */

static const char *list(bool (*write)(struct str *, const struct config_list *), struct config_list l)
{
    struct str t;

    str_init(&t, &arena);
    assert_true(write(&t, &l));
    assert_false(str_failed(&t));
    return str_c(&t);
}

static const char *version(const char *text)
{
    const char *at = strstr(text, "\"Version\":\"");

    assert_non_null(at);
    assert_int_equal(strlen(at), strlen("\"Version\":\"\"}") + 32);
    return at;
}

static void proxies_get_each_name_once(void **state)
{
    struct config_list l = { .base = "http://h:8080", .records = records, .n = N_RECORDS };
    const char *all = list(config_write_proxy, l), *only;

    (void)state;
    assert_non_null(strstr(all, "\"ObRootServiceInfoUrlList\":["
                                "{\"ObRegion\":\"a\",\"ObRootServiceInfoUrl\":\"http://h:8080/services?Action=ObRootServiceInfo&ObCluster=a\"},"
                                "{\"ObRegion\":\"b\",\"ObRootServiceInfoUrl\":\"http://h:8080/services?Action=ObRootServiceInfo&ObCluster=b\"},"
                                "{\"ObRegion\":\"c\",\"ObRootServiceInfoUrl\":\"http://h:8080/services?Action=ObRootServiceInfo&ObCluster=c\"}],"));
    l.version_only = true;
    only = list(config_write_proxy, l);
    assert_int_equal(strncmp(only, "{\"Version\"", 10), 0);
    assert_string_equal(version(only), version(all));
    l.version_only = false;
    l.group = "b";
    assert_null(strstr(list(config_write_proxy, l), "ObCluster=a"));
}

static void the_version_is_that_of_the_content(void **state)
{
    struct config_list l = { .base = "http://h", .records = records, .n = N_RECORDS };
    const char *former = version(list(config_write_proxy, l));

    (void)state;
    assert_string_equal(version(list(config_write_proxy, l)), former);
    l.n--;
    assert_string_not_equal(version(list(config_write_proxy, l)), former);
    l.n++;
    l.base = "http://g";
    assert_string_not_equal(version(list(config_write_proxy, l)), former);
}

static void the_template_has_placeholders(void **state)
{
    struct config_list l = { .base = "http://h", .records = records, .n = N_RECORDS };
    const char *text = list(config_write_template, l);

    (void)state;
    assert_non_null(strstr(text, "\"ObClusterList\":[\"a\",\"b\",\"c\"]"));
    assert_non_null(strstr(text, "\"http://h/services?Action=ObRootServiceInfo&ObRegion=${ObRegion}\""));
    assert_non_null(strstr(text, "&version=2&ObCluster=${ObCluster}&ObClusterId=${OBClusterId}\""));
}

static void tenants_are_told_by_cluster(void **state)
{
    const struct config_tenant tenants[] = { { "c1", 1, "t1", 1002, "PRIMARY" }, { "c2", 2, "t2", 1004, "STANDBY" } };
    const char *wanted[] = { "c2", "none" };
    struct field_strings names = { wanted, 2 };
    struct str t;

    (void)state;
    str_init(&t, &arena);
    assert_true(config_write_tenants(&t, names, tenants, 2));
    assert_non_null(strstr(str_c(&t), "\"tenantList\":[{\"ldgCluster\":\"c2\",\"ldgClusterId\":2,\"ldgTenant\":\"t2\",\"ldgTenantId\":1004,"
                                      "\"ldgDatabase\":\"*\",\"ldgDatabaseId\":0,\"obInstanceList\":[{\"obCluster\":\"c2\",\"obClusterId\":2,"
                                      "\"obTenant\":\"t2\",\"obTenantId\":1004,\"obDatabase\":\"*\",\"obDatabaseId\":0,\"role\":\"LDG STANDBY\","
                                      "\"rootserver\":\"\"}]}]"));
    assert_non_null(strstr(str_c(&t), "\"none\":{\"version\":"));
    assert_null(strstr(str_c(&t), "c1"));
    (void)version(str_c(&t));
}

/* --- what SQL says ---------------------------------------------------------------------------------------------------------------- */

static void a_report_is_held_against_what_was_seen(void **state)
{
    struct config_server seen[] = { { "10.0.0.1", 2882, 2881, 1, 1 }, { "10.0.0.2", 2882, 2881, 1, 0 }, { "10.0.0.3", 2882, 2881, 0, 0 } };
    struct config_rs told[] = { { "10.0.0.2:2882", CONFIG_FOLLOWER, 2881 }, { "10.0.0.1:2882", CONFIG_LEADER, 2881 },
                                { "10.0.0.9:2882", CONFIG_FOLLOWER, 2881 } };
    struct config_report r = { .servers = told, .n_servers = 2 };

    (void)state;
    assert_true(configurl_is_confirmed(&r, seen, 3));
    r.n_servers = 3;
    assert_false(configurl_is_confirmed(&r, seen, 3)); /* one more */
    r.n_servers = 1;
    assert_false(configurl_is_confirmed(&r, seen, 3)); /* one less */
    r.n_servers = 2;
    told[1].sql_port = 3306;
    assert_false(configurl_is_confirmed(&r, seen, 3));
    told[1] = (struct config_rs){ "10.0.0.1:2882", CONFIG_FOLLOWER, 2881 };
    assert_false(configurl_is_confirmed(&r, seen, 3)); /* the leader is another */
    r.n_servers = 0;
    assert_false(configurl_is_confirmed(&r, seen, 0)); /* nothing was seen */
}

static int read_and_write(void *data)
{
    struct config_ask asked = { "c", 0, 2 };
    struct config_report r;
    struct arena own;
    struct err e;
    struct str t;
    int rv;

    (void)data;
    arena_init(&own);
    rv = config_report_read((struct slice){ V2, strlen(V2) }, &asked, NOW, &own, &r, &e);
    if (rv == 0) {
        struct config_list l = { .base = "http://h", .records = &r.record, .n = 1 };

        str_init(&t, &own);
        rv = config_write_proxy(&t, &l) && !str_failed(&t) ? 0 : ERR_NOMEM.code;
    }
    arena_fini(&own);
    return rv;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    test_oom_sweep(read_and_write, NULL);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

static void services_have_their_tenants(void **state)
{
    static const struct config_service list[] = {
        { "s1", { "c1", 1, "t1", 1002, "PRIMARY" } }, { "s1", { "c2", 2, "t\"1", 1004, "STANDBY" } }, { "s2", { "c1", 1, "t2", 1004, "PRIMARY" } },
    };
    struct str t;

    (void)state;
    str_init(&t, NULL);
    assert_true(config_write_services(&t, list, 3));
    assert_non_null(strstr(str_c(&t), "{\"serviceNameData\":[{\"md5\":\""));
    assert_non_null(strstr(str_c(&t), "\",\"serviceName\":\"s1\",\"tenantInfoList\":[{\"clusterName\":\"c1\",\"tenantName\":\"t1\",\"tenantId\":1002,"
                                      "\"role\":\"PRIMARY\"},{\"clusterName\":\"c2\",\"tenantName\":\"t\\\"1\",\"tenantId\":1004,\"role\":\"STANDBY\"}]},"
                                      "{\"md5\":\""));
    assert_non_null(strstr(str_c(&t), "\"serviceName\":\"s2\",\"tenantInfoList\":[{\"clusterName\":\"c1\",\"tenantName\":\"t2\",\"tenantId\":1004,"
                                      "\"role\":\"PRIMARY\"}]}]}"));
    str_fini(&t);
    assert_true(config_write_services(&t, list, 0));
    assert_string_equal(str_c(&t), "{\"serviceNameData\":[]}");
    str_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reports_are_read),
        TEST(what_the_body_leaves_out_the_query_says),
        TEST(a_clock_ahead_is_held_back),
        TEST(wrong_reports_are_refused),
        TEST(one_or_all_of_a_name),
        TEST(what_is_not_there_is_not_found),
        TEST(idcs_have_their_own_form),
        TEST(proxies_get_each_name_once),
        TEST(the_version_is_that_of_the_content),
        TEST(the_template_has_placeholders),
        TEST(tenants_are_told_by_cluster),
        TEST(a_report_is_held_against_what_was_seen),
        TEST(memory_may_run_out),
        cmocka_unit_test(services_have_their_tenants),
    };

    return cmocka_run_group_tests_name("configurl", tests, NULL, NULL);
}

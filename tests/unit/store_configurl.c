/* SPDX-License-Identifier: Apache-2.0 */
/* Root services as they are reported, and versions of what readers see. */
#include "src/store/configurl.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

enum { ROOM = 3 };

static int64_t version(struct test_store *t)
{
    int64_t v;

    assert_ok(store_config_version(t->db, &v, &t->e), &t->e);
    return v;
}

static enum config_outcome report(struct test_store *t, const char *name, int64_t id, int64_t stamp_us, const char *servers)
{
    struct config_record r = { name, id, "PRIMARY", stamp_us, servers, "10.0.0.1", 1700000000000000 };
    enum config_outcome outcome;

    assert_ok(store_config_report(t->db, &r, ROOM, &outcome, &t->e), &t->e);
    return outcome;
}

static enum config_outcome make(struct test_store *t, const char *name, int64_t id)
{
    struct config_record r = { name, id, "PRIMARY", 0, "[]", "10.0.0.1", 1700000000000000 };
    enum config_outcome outcome;

    assert_ok(store_config_register(t->db, &r, ROOM, &outcome, &t->e), &t->e);
    return outcome;
}

static uint64_t drop(struct test_store *t, const char *name, int64_t id)
{
    uint64_t n;

    assert_ok(store_config_delete(t->db, name, id, &n, &t->e), &t->e);
    return n;
}

static void later_reports_win(struct test_store *t)
{
    struct config_record *all;
    int64_t v = version(t);
    size_t n;

    (void)test_store_sql(t, "DELETE FROM config_record");
    assert_int_equal(report(t, "c1", 1, 10, "[1]"), CONFIG_CHANGED);
    assert_int_equal(version(t), ++v);
    assert_int_equal(report(t, "c1", 1, 20, "[1]"), CONFIG_SAME);
    assert_int_equal(version(t), v);
    assert_int_equal(report(t, "c1", 1, 19, "[2]"), CONFIG_OLDER);
    assert_int_equal(version(t), v);
    assert_int_equal(report(t, "c1", 1, 20, "[3]"), CONFIG_CHANGED);
    assert_int_equal(version(t), ++v);
    assert_ok(store_config_list(t->db, &t->arena, &all, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_string_equal(all[0].servers, "[3]");
    assert_int_equal(all[0].stamp_us, 20);
}

static void records_are_made_once_and_deleted(struct test_store *t)
{
    int64_t v;

    (void)test_store_sql(t, "DELETE FROM config_record");
    v = version(t);
    assert_int_equal(make(t, "c1", 1), CONFIG_CHANGED);
    assert_int_equal(make(t, "c1", 1), CONFIG_EXISTS);
    assert_int_equal(make(t, "c1", 2), CONFIG_CHANGED);
    assert_int_equal(report(t, "c1", 1, 1, "[1]"), CONFIG_CHANGED);
    assert_int_equal(make(t, "c2", 1), CONFIG_CHANGED);
    assert_int_equal(make(t, "c3", 1), CONFIG_FULL);
    assert_int_equal(report(t, "c4", 1, 1, "[]"), CONFIG_FULL);
    assert_int_equal(report(t, "c2", 1, 1, "[]"), CONFIG_SAME);
    assert_int_equal(version(t), v + 4);
    assert_int_equal(drop(t, "c1", 3), 0);
    assert_int_equal(version(t), v + 4);
    assert_int_equal(drop(t, "c1", 2), 1);
    assert_int_equal(drop(t, "c1", -1), 1);
    assert_int_equal(version(t), v + 6);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM config_record"), 1);
}

static void insert_cluster(struct test_store *t)
{
    (void)test_store_sql(t, "DELETE FROM obcluster");
    (void)test_store_sql(t, "DELETE FROM observer");
    (void)test_store_sql(t, "DELETE FROM obzone");
    (void)test_store_sql(t, "INSERT INTO obcluster (id, name, engine, type, status, address, port, connection_mode, username, password, "
                            "password_version, proxyro_password, instance, version, full_version, architecture, creator_id, creator_name, "
                            "created_at, updated_at, failure) VALUES (7, 'c1', 'OCEANBASE', 'PRIMARY', 0, '10.0.0.1', 2881, 'direct', 'root', "
                            "'x', 1, '', 'i', '', '', '', 1, 'admin', NOW(6), NOW(6), '')");
}

static void managed_clusters_are_known(struct test_store *t)
{
    struct config_server *servers;
    struct config_idc *idcs;
    bool managed;
    size_t n;

    insert_cluster(t);
    assert_ok(store_config_servers(t->db, "c1", &t->arena, &managed, &servers, &n, &t->e), &t->e);
    assert_true(managed);
    assert_int_equal(n, 0);
    (void)test_store_sql(t, "INSERT INTO observer (id, cluster_id, zone, ip, port, sql_port, version, inner_status, with_rootserver, in_rs_list, "
                            "created_at, updated_at) VALUES (1, 7, 'z1', '10.0.0.1', 2882, 2881, '', 'ACTIVE', 1, 1, NOW(6), NOW(6))");
    (void)test_store_sql(t, "INSERT INTO obzone (id, cluster_id, name, region, idc, inner_status, created_at, updated_at) VALUES "
                            "(1, 7, 'z1', 'hz', 'hz1', '', NOW(6), NOW(6)), (2, 7, 'z2', 'hz', 'hz1', '', NOW(6), NOW(6)), "
                            "(3, 7, 'z3', 'hz', '', '', NOW(6), NOW(6))");
    assert_ok(store_config_servers(t->db, "c1", &t->arena, &managed, &servers, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_string_equal(servers[0].ip, "10.0.0.1");
    assert_true(servers[0].with_rootserver && servers[0].in_rs_list);
    assert_ok(store_config_servers(t->db, "c2", &t->arena, &managed, &servers, &n, &t->e), &t->e);
    assert_false(managed);
    assert_ok(store_config_idcs(t->db, "c1", &t->arena, &idcs, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_string_equal(idcs[0].region, "hz");
}

static void tenants_have_roles(struct test_store *t)
{
    const char *wanted[] = { "c1", "c2" };
    struct config_tenant *tenants;
    size_t n;

    insert_cluster(t);
    (void)test_store_sql(t, "DELETE FROM obtenant");
    (void)test_store_sql(t, "INSERT INTO obtenant (id, cluster_id, ob_tenant_id, name, mode, status, charset, collation, time_zone, primary_zone, "
                            "locality, readonly, locked, created_at, updated_at, role) VALUES "
                            "(1, 7, 1002, 't1', 'MYSQL', 'NORMAL', '', '', '', '', '', 0, 0, NOW(6), NOW(6), 'PRIMARY'), "
                            "(2, 7, 1004, 't2', 'MYSQL', 'NORMAL', '', '', '', '', '', 0, 0, NOW(6), NOW(6), '')");
    assert_ok(store_config_tenants(t->db, (struct field_strings){ wanted, 2 }, &t->arena, &tenants, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_string_equal(tenants[0].name, "t1");
    assert_string_equal(tenants[0].role, "PRIMARY");
    (void)test_store_sql(t, "DELETE FROM obtenant");
    (void)test_store_sql(t, "DELETE FROM obcluster");
}

static void services_have_tenants(struct test_store *t)
{
    const char *wanted[] = { "s1", "s3" };
    struct config_service *list;
    size_t n;

    insert_cluster(t);
    (void)test_store_sql(t, "DELETE FROM obtenant");
    (void)test_store_sql(t, "INSERT INTO obtenant (id, cluster_id, ob_tenant_id, name, mode, status, charset, collation, time_zone, primary_zone, "
                            "locality, readonly, locked, created_at, updated_at, role, service) VALUES "
                            "(1, 7, 1006, 't3', 'MYSQL', 'NORMAL', '', '', '', '', '', 0, 0, NOW(6), NOW(6), 'STANDBY', 's1'), "
                            "(2, 7, 1002, 't1', 'MYSQL', 'NORMAL', '', '', '', '', '', 0, 0, NOW(6), NOW(6), 'PRIMARY', 's1'), "
                            "(3, 7, 1004, 't2', 'MYSQL', 'NORMAL', '', '', '', '', '', 0, 0, NOW(6), NOW(6), 'PRIMARY', 's2'), "
                            "(4, 7, 1008, 't4', 'MYSQL', 'NORMAL', '', '', '', '', '', 0, 0, NOW(6), NOW(6), 'PRIMARY', NULL)");
    assert_ok(store_config_services(t->db, (struct field_strings){ wanted, 2 }, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].service, "s1");
    assert_string_equal(list[0].tenant.name, "t1");
    assert_string_equal(list[0].tenant.cluster, "c1");
    assert_string_equal(list[1].tenant.role, "STANDBY");
    assert_int_equal(list[1].tenant.ob_tenant_id, 1006);
    (void)test_store_sql(t, "DELETE FROM obtenant");
    (void)test_store_sql(t, "DELETE FROM obcluster");
}

STORE_TEST(later_reports_win)
STORE_TEST(records_are_made_once_and_deleted)
STORE_TEST(managed_clusters_are_known)
STORE_TEST(tenants_have_roles)
STORE_TEST(services_have_tenants)

const struct CMUnitTest store_configurl_tests[] = {
    STORE_UNIT(later_reports_win),
    STORE_UNIT(records_are_made_once_and_deleted),
    STORE_UNIT(managed_clusters_are_known),
    STORE_UNIT(tenants_have_roles),
    STORE_UNIT(services_have_tenants),
    { NULL, NULL, NULL, NULL, NULL },
};

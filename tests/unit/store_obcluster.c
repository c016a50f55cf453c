/* SPDX-License-Identifier: Apache-2.0 */
/* Managed clusters, what is in them, and the history of their parameters. */
#include "src/store/obcluster.h"

#include <math.h>

#include "src/store/obparameter.h"
#include "src/store/obtenant.h"
#include "src/store/obtopology.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

enum { NOW = 1700000000 };
static const int64_t now_us = NOW * (int64_t)1000000 + 123456;

static struct obcluster sample(int64_t id, const char *name, int64_t port, const char *instance)
{
    return (struct obcluster){
        .id = id,
        .name = name,
        .ob_cluster_id = FIELD_NONE,
        .engine = "SEEKDB",
        .type = "PRIMARY",
        .status = OBCLUSTER_TAKINGOVER,
        .address = "10.0.0.1",
        .port = port,
        .connection_mode = "direct",
        .username = "root@sys",
        .password = { "a\0b", 3 },
        .proxyro_password = { "", 0 },
        .instance = instance,
        .version = "4.3.5.3",
        .full_version = "4.3.5.3 seekdb",
        .endpoints = "10.0.0.1:2881,-10.0.0.2:2881",
        .architecture = "",
        .creator_id = 100,
        .creator_name = "admin",
        .created_us = now_us,
        .updated_us = now_us,
    };
}

static int insert(struct tx *tx, void *data, struct err *e)
{
    return store_obcluster_insert(tx, data, e);
}

static void prepare(struct test_store *t)
{
    struct obcluster c = sample(1, "one", 2881, "i1");

    (void)test_store_sql(t, "DELETE FROM obcluster");
    (void)test_store_sql(t, "DELETE FROM obzone");
    (void)test_store_sql(t, "DELETE FROM observer");
    (void)test_store_sql(t, "DELETE FROM obtenant");
    (void)test_store_sql(t, "DELETE FROM obtenant_kept");
    (void)test_store_sql(t, "DELETE FROM obunit");
    (void)test_store_sql(t, "DELETE FROM obparameter_change");
    assert_ok(db_transact(t->db, insert, &c, &t->e), &t->e);
}

static void clusters_are_kept_whole(struct test_store *t)
{
    struct obcluster c;

    prepare(t);
    assert_ok(store_obcluster_get(t->db, 1, &t->arena, &c, &t->e), &t->e);
    assert_string_equal(c.name, "one");
    assert_int_equal(c.password.n, 3);
    assert_memory_equal(c.password.s, "a\0b", 3);
    assert_true(c.ob_cluster_id == FIELD_NONE && c.seen_us == FIELD_NONE && c.failed_us == FIELD_NONE);
    assert_int_equal(c.created_us, now_us);
    assert_err(store_obcluster_get(t->db, 2, &t->arena, &c, &t->e), &t->e, ERR_OBCLUSTER_NOT_FOUND);
}
STORE_TEST(clusters_are_kept_whole)

static void one_instance_is_managed_once(struct test_store *t)
{
    struct obcluster same[] = { sample(2, "one", 2882, "i2"), sample(3, "three", 2881, "i3"), sample(4, "four", 2884, "i1") };
    struct obcluster *found;

    prepare(t);
    for (size_t i = 0; i < 3; i++)
        assert_err(db_transact(t->db, insert, &same[i], &t->e), &t->e, ERR_OBCLUSTER_MANAGED);
    assert_ok(store_obcluster_find(t->db, "10.0.0.1", 2881, "", "", &t->arena, &found, &t->e), &t->e);
    assert_int_equal(found->id, 1);
    assert_ok(store_obcluster_find(t->db, "::1", 1, "i1", NULL, &t->arena, &found, &t->e), &t->e);
    assert_int_equal(found->id, 1);
    assert_ok(store_obcluster_find(t->db, "::1", 1, "", "One", &t->arena, &found, &t->e), &t->e);
    assert_null(found);
}
STORE_TEST(one_instance_is_managed_once)

static void clusters_are_listed(struct test_store *t)
{
    struct obcluster two = sample(2, "two", 2882, "i2");
    struct obcluster_filter f = { .statuses = 1u << OBCLUSTER_TAKINGOVER };
    struct store_page page = { .number = 1, .size = 1, .sort = "name", .descending = false };
    struct obcluster *c;
    int64_t total;
    size_t n;

    prepare(t);
    two.status = OBCLUSTER_RUNNING;
    assert_ok(db_transact(t->db, insert, &two, &t->e), &t->e);
    assert_ok(store_obcluster_list(t->db, NULL, &page, &t->arena, &c, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 2);
    assert_int_equal(n, 1);
    assert_string_equal(c[0].name, "one");
    assert_ok(store_obcluster_list(t->db, &f, NULL, &t->arena, &c, &n, NULL, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_int_equal(c[0].id, 1);
    f = (struct obcluster_filter){ .ids = &two.id, .n_ids = 1 };
    assert_ok(store_obcluster_list(t->db, &f, NULL, &t->arena, &c, &n, NULL, &t->e), &t->e);
    assert_true(n == 1 && c[0].id == 2);
    f.n_ids = 0;
    assert_ok(store_obcluster_list(t->db, &f, NULL, &t->arena, &c, &n, NULL, &t->e), &t->e);
    assert_int_equal(n, 0);
}
STORE_TEST(clusters_are_listed)

static int change_all(struct tx *tx, void *data, struct err *e)
{
    struct obcluster c = sample(1, "one", 2881, "i1");
    bool *moved = data;
    int rv = store_obcluster_move(tx, 1, OBCLUSTER_TAKINGOVER, OBCLUSTER_RUNNING, now_us + 1, &moved[0], e);

    if (rv == 0)
        rv = store_obcluster_move(tx, 1, OBCLUSTER_TAKINGOVER, OBCLUSTER_RUNNING, now_us + 1, &moved[1], e);
    if (rv == 0)
        rv = store_obcluster_set_password(tx, 1, 1, (struct slice){ "new", 3 }, now_us, e);
    if (rv == 0)
        rv = store_obcluster_set_seen(tx, &c, now_us + 5, e);
    if (rv == 0)
        rv = store_obcluster_set_failed(tx, 1, "it hangs", now_us + 6, e);
    if (rv == 0)
        rv = store_obcluster_set_failed(tx, 1, "it hangs still", now_us + 7, e);
    return rv;
}

static int overtaken(struct tx *tx, void *data, struct err *e)
{
    (void)data;
    return store_obcluster_set_password(tx, 1, 1, (struct slice){ "late", 4 }, now_us, e);
}

static void clusters_change(struct test_store *t)
{
    bool moved[2];
    struct obcluster c;

    prepare(t);
    assert_ok(db_transact(t->db, change_all, moved, &t->e), &t->e);
    assert_true(moved[0] && !moved[1]);
    assert_ok(store_obcluster_get(t->db, 1, &t->arena, &c, &t->e), &t->e);
    assert_int_equal(c.status, OBCLUSTER_RUNNING);
    assert_int_equal(c.password_version, 2);
    assert_memory_equal(c.password.s, "new", 3);
    assert_int_equal(c.seen_us, now_us + 5);
    assert_string_equal(c.failure, "it hangs still");
    assert_int_equal(c.failed_us, now_us + 6);
    assert_err(db_transact(t->db, overtaken, NULL, &t->e), &t->e, ERR_CONFLICT);
}
STORE_TEST(clusters_change)

static struct observer server(int64_t id, const char *ip)
{
    return (struct observer){ .id = id, .cluster_id = 1, .zone = "z1", .ip = ip, .port = 2882, .sql_port = 2881, .version = "v", .inner_status = "ACTIVE",
                              .start_us = FIELD_NONE, .stop_us = FIELD_NONE, .cpu_total = 2, .cpu_assigned = NAN, .memory_total = 1,
                              .memory_assigned = INT64_MAX, .log_disk_total = FIELD_NONE, .log_disk_assigned = FIELD_NONE,
                              .log_disk_used = FIELD_NONE, .data_disk_total = FIELD_NONE, .data_disk_used = 5, .offline_us = FIELD_NONE, .cpu_max = NAN,
                              .cpu_assigned_max = 3, .in_rs_list = 1, .created_us = now_us, .updated_us = now_us, .changed = true };
}

struct writing {
    const struct obtopology *seen;
    const struct obtopology_gone *gone;
};

static int write_topology(struct tx *tx, void *data, struct err *e)
{
    const struct writing *w = data;

    return store_obtopology_write(tx, 1, w->seen, w->gone, e);
}

static void topology_becomes_what_was_seen(struct test_store *t)
{
    struct obzone zone = { .id = 11, .cluster_id = 1, .name = "z1", .region = "", .idc = "", .inner_status = "ACTIVE", .type = "ReadWrite", .compaction = "IDLE",
                           .created_us = now_us, .updated_us = now_us, .changed = true };
    struct observer servers[] = { server(21, "10.0.0.1"), server(22, "10.0.0.2"), server(23, "10.0.0.3") };
    struct obtenant tenant = { .id = 31, .cluster_id = 1, .ob_tenant_id = 1, .name = "sys", .mode = "MYSQL", .status = "NORMAL", .charset = "utf8mb4",
                               .collation = "", .time_zone = "", .primary_zone = "", .locality = "", .former_locality = "", .role = "PRIMARY",
                               .switchover_status = "", .compatible = "4.2.1.0", .whitelist = NULL, .unit_num = 2,
                               .lower_case_names = FIELD_NONE, .born_us = FIELD_NONE, .created_us = now_us, .updated_us = now_us,
                               .changed = true };
    struct obunit unit = { .id = 41, .cluster_id = 1, .ob_unit_id = 1001, .ob_tenant_id = FIELD_NONE, .zone = "z1", .ip = "10.0.0.1", .port = 2882,
                           .status = "ACTIVE", .group_id = FIELD_NONE, .pool_id = 7, .pool_name = "p", .pool_unit_count = 1, .config_id = 3,
                           .config_name = "c", .max_cpu = 1.5, .min_cpu = NAN, .memory = 1 << 30, .log_disk = FIELD_NONE,
                           .max_iops = FIELD_NONE, .min_iops = FIELD_NONE, .iops_weight = 2, .migrate_from_ip = "",
                           .migrate_from_port = FIELD_NONE, .log_disk_used = FIELD_NONE, .data_disk_used = 9, .created_us = now_us,
                           .updated_us = now_us, .changed = true };
    struct obtopology seen = { &zone, servers, &tenant, &unit, 1, 3, 1, 1 };
    int64_t left[] = { 21 };
    struct obtopology_gone gone = { .servers = left, .n_servers = 1 };
    struct writing w = { &seen, NULL };
    struct obtopology got;
    struct obtenant one;

    prepare(t);
    assert_ok(db_transact(t->db, write_topology, &w, &t->e), &t->e);
    servers[1].cpu_total = 4;
    servers[1].created_us = 1;
    servers[2].cpu_total = 4;
    servers[2].changed = false; /* so nothing of it is written */
    w.gone = &gone;
    seen.servers = servers + 1;
    seen.n_servers = 2;
    assert_ok(db_transact(t->db, write_topology, &w, &t->e), &t->e);
    assert_ok(store_obtopology_read(t->db, 1, &t->arena, &got, &t->e), &t->e);
    assert_true(got.n_zones == 1 && got.n_servers == 2 && got.n_tenants == 1 && got.n_units == 1);
    assert_string_equal(got.zones[0].type, "ReadWrite");
    assert_true(got.servers[0].id == 22 && got.servers[1].id == 23);
    assert_true(got.servers[0].cpu_total == 4 && isnan(got.servers[0].cpu_assigned) && got.servers[1].cpu_total == 2);
    assert_true(isnan(got.servers[0].cpu_max) && got.servers[0].cpu_assigned_max == 3 && got.servers[0].in_rs_list == 1);
    assert_true(got.servers[0].memory_assigned == INT64_MAX && got.servers[0].log_disk_total == FIELD_NONE);
    assert_int_equal(got.servers[0].created_us, now_us);
    assert_string_equal(got.tenants[0].cluster_name, "one");
    assert_true(got.tenants[0].whitelist == NULL && got.tenants[0].unit_num == 2 && got.tenants[0].lower_case_names == FIELD_NONE);
    assert_true(got.units[0].ob_tenant_id == FIELD_NONE && got.units[0].pool_id == 7 && got.units[0].max_cpu == 1.5);
    assert_true(isnan(got.units[0].min_cpu) && got.units[0].data_disk_used == 9 && got.units[0].log_disk == FIELD_NONE);
    assert_ok(store_obtenant_get(t->db, 1, 31, &t->arena, &one, &t->e), &t->e);
    assert_string_equal(one.name, "sys");
    assert_string_equal(one.role, "PRIMARY");
    assert_err(store_obtenant_get(t->db, 2, 31, &t->arena, &one, &t->e), &t->e, ERR_NOT_FOUND);
    assert_ok(store_obtopology_read_some(t->db, (int64_t[]){ 2, 3 }, 2, &t->arena, &got, &t->e), &t->e);
    assert_int_equal(got.n_servers, 0);
}
STORE_TEST(topology_becomes_what_was_seen)

static int delete_all(struct tx *tx, void *data, struct err *e)
{
    (void)data;
    return store_obcluster_delete(tx, 1, e);
}

struct keeping {
    const char *description, *password; /* NULL: not this one */
    int64_t version;
};

static int keep(struct tx *tx, void *data, struct err *e)
{
    const struct keeping *k = data;

    if (k->description != NULL)
        return store_obtenant_describe(tx, 1, 31, k->description, e);
    return store_obtenant_set_password(tx, 1, 31, k->version, (struct slice){ k->password, strlen(k->password) }, e);
}

static void what_is_kept_of_a_tenant_goes_with_its_cluster(struct test_store *t)
{
    struct keeping described = { "for orders", NULL, 0 }, first = { NULL, "sealed", 0 }, cleared = { NULL, "", 1 };
    struct obtenant_kept kept;

    prepare(t);
    assert_ok(store_obtenant_kept_get(t->db, 31, &t->arena, &kept, &t->e), &t->e);
    assert_true(kept.password.n == 0 && kept.password_version == 0 && kept.description[0] == '\0');
    assert_ok(db_transact(t->db, keep, &first, &t->e), &t->e);
    assert_err(db_transact(t->db, keep, &first, &t->e), &t->e, ERR_CONFLICT);
    assert_ok(db_transact(t->db, keep, &described, &t->e), &t->e);
    assert_ok(store_obtenant_kept_get(t->db, 31, &t->arena, &kept, &t->e), &t->e);
    assert_true(kept.password.n == 6 && kept.password_version == 1);
    assert_string_equal(kept.description, "for orders");
    assert_ok(db_transact(t->db, keep, &cleared, &t->e), &t->e);
    assert_ok(store_obtenant_kept_get(t->db, 31, &t->arena, &kept, &t->e), &t->e);
    assert_true(kept.password.n == 0 && kept.password_version == 2);
    assert_ok(db_transact(t->db, delete_all, NULL, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM obtenant_kept"), 0);
}
STORE_TEST(what_is_kept_of_a_tenant_goes_with_its_cluster)

static struct obtenant tenant_in(int64_t id, const char *status, const char *former_locality)
{
    return (struct obtenant){ .id = id, .cluster_id = 1, .ob_tenant_id = 1000 + id, .name = status, .mode = "MYSQL", .status = status,
                              .charset = "", .collation = "", .time_zone = "", .primary_zone = "", .locality = "",
                              .former_locality = former_locality, .role = "", .switchover_status = "", .compatible = "",
                              .unit_num = FIELD_NONE, .lower_case_names = FIELD_NONE, .born_us = FIELD_NONE, .created_us = now_us,
                              .updated_us = now_us, .changed = true };
}

static void tenants_have_the_states_of_ocp(struct test_store *t)
{
    static const char *const wanted[] = { "NORMAL", "MODIFYING", "CREATING", "CREATING", "DELETING" };
    struct obtenant tenants[] = { tenant_in(31, "NORMAL", ""), tenant_in(32, "NORMAL", "F@z1"), tenant_in(33, "CREATING", ""),
                                  tenant_in(34, "RESTORE", ""), tenant_in(35, "DROPPING", "") };
    struct obtopology seen = { .tenants = tenants, .n_tenants = 5 };
    struct writing w = { &seen, NULL };
    const char *states[] = { "CREATING", "DELETING" };
    struct obtenant_filter f = { .cluster_id = 1, .states = { states, 2 }, .locked = -1, .readonly = -1 };
    struct store_page page = { .number = 1, .size = 10, .sort = "id" };
    struct keeping described = { "for orders", NULL, 0 };
    int64_t dropped[] = { 31 };
    struct obtopology_gone gone = { .tenants = dropped, .n_tenants = 1 };
    struct obtenant *got;
    int64_t total;
    size_t n;

    prepare(t);
    assert_ok(db_transact(t->db, write_topology, &w, &t->e), &t->e);
    assert_ok(db_transact(t->db, keep, &described, &t->e), &t->e);
    assert_ok(store_obtenant_list(t->db, NULL, &page, &t->arena, &got, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(got[i].state, wanted[i]);
    assert_string_equal(got[0].description, "for orders");
    assert_string_equal(got[1].description, "");
    assert_ok(store_obtenant_list(t->db, &f, &page, &t->arena, &got, &n, &total, &t->e), &t->e);
    assert_true(n == 3 && total == 3 && got[0].id == 33 && got[2].id == 35);
    seen.n_tenants = 0;
    w.gone = &gone;
    assert_ok(db_transact(t->db, write_topology, &w, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM obtenant"), 4);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM obtenant_kept"), 0);
}
STORE_TEST(tenants_have_the_states_of_ocp)

static int record(struct tx *tx, void *data, struct err *e)
{
    return store_obparameter_record(tx, data, 3, e);
}

static void parameter_changes_are_remembered_until_the_end(struct test_store *t)
{
    struct obparameter_change changes[] = {
        { 1, 1, -1, "cpu_count", "0", "2", 100, "admin", "SUCCESSFUL", "", now_us, "SERVER", "10.0.0.1:2882" },
        { 2, 1, -1, "open_cursors", NULL, "50", 100, "admin", "FAILED", "no", now_us + 1, NULL, NULL },
        { 3, 1, 31, "time_zone", "a", "b", 100, "admin", "SUCCESSFUL", "", now_us + 2, NULL, NULL },
    };
    struct store_page page = { .number = 1, .size = 10 };
    struct obparameter_change *got;
    int64_t total;
    size_t n;

    prepare(t);
    assert_ok(db_transact(t->db, record, changes, &t->e), &t->e);
    assert_ok(store_obparameter_history(t->db, 1, -1, NULL, &page, &t->arena, &got, &n, &total, &t->e), &t->e);
    assert_true(n == 2 && total == 2 && got[0].id == 2 && got[0].old_value == NULL);
    assert_string_equal(got[1].target, "10.0.0.1:2882");
    assert_string_equal(got[0].scope, "");
    assert_ok(store_obparameter_history(t->db, 1, 31, "time_zone", &page, &t->arena, &got, &n, &total, &t->e), &t->e);
    assert_true(n == 1 && got[0].id == 3);
    assert_ok(db_transact(t->db, delete_all, NULL, &t->e), &t->e);
    assert_ok(db_transact(t->db, delete_all, NULL, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM obparameter_change"), 0);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM obcluster"), 0);
}
STORE_TEST(parameter_changes_are_remembered_until_the_end)

const struct CMUnitTest store_obcluster_tests[] = {
    STORE_UNIT(clusters_are_kept_whole),
    STORE_UNIT(one_instance_is_managed_once),
    STORE_UNIT(clusters_are_listed),
    STORE_UNIT(clusters_change),
    STORE_UNIT(topology_becomes_what_was_seen),
    STORE_UNIT(what_is_kept_of_a_tenant_goes_with_its_cluster),
    STORE_UNIT(tenants_have_the_states_of_ocp),
    STORE_UNIT(parameter_changes_are_remembered_until_the_end),
    { NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs of packages and who may still write them, the quota, what a task uses. */
#include <string.h>

#include "src/package/package.h"
#include "src/package/upload.h"
#include "src/store/package_blob.h"
#include "src/store/task.h"
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

enum { QUOTA = 1000, IDLE_S = 900 };
static const char schema[] = "t_package";

static int64_t begin(struct test_store *t, const char *node, int64_t bytes)
{
    struct package_blob b = { 0, PACKAGE_IN_METADB };

    assert_ok(db_next_id(t->db, &b.id, &t->e), &t->e);
    assert_ok(store_package_blob_begin(t->db, &b, node, bytes, QUOTA, &t->e), &t->e);
    return b.id;
}

static void write_chunk(struct test_store *t, int64_t id, int64_t number, const char *bytes)
{
    assert_ok(store_package_chunk_write(t->db, schema, id, number, bytes, strlen(bytes), &t->e), &t->e);
}

static int64_t n_chunks(struct test_store *t)
{
    return test_store_number(t, "SELECT COUNT(*) FROM t_package.package_chunk");
}

static void drop(struct test_store *t, int64_t id)
{
    assert_ok(store_package_chunks_delete(t->db, schema, id, &t->e), &t->e);
    assert_ok(store_package_blob_drop(t->db, id, &t->e), &t->e);
}

static void who_was_given_up_writes_nothing_more(struct test_store *t)
{
    bool condemned;
    struct slice got;
    int64_t id;

    assert_ok(store_package_schema_prepare(t->db, schema, &t->e), &t->e);
    assert_ok(store_package_schema_prepare(t->db, schema, &t->e), &t->e);
    id = begin(t, "n1", 10);
    write_chunk(t, id, 0, "one");
    write_chunk(t, id, 1, "two");
    assert_ok(store_package_chunk_read(t->db, schema, id, 1, &t->arena, &got, &t->e), &t->e);
    assert_true(slice_is(got, "two"));
    assert_ok(store_package_chunk_read(t->db, schema, id, 2, &t->arena, &got, &t->e), &t->e);
    assert_null(got.s);
    assert_ok(store_package_blob_give_up(t->db, id, &condemned, &t->e), &t->e);
    assert_true(condemned);
    assert_err(store_package_chunk_write(t->db, schema, id, 2, "x", 1, &t->e), &t->e, ERR_PACKAGE_GIVEN_UP);
    assert_err(store_package_blob_touch(t->db, id, &t->e), &t->e, ERR_PACKAGE_GIVEN_UP);
    assert_err(store_package_blob_grow(t->db, id, 20, QUOTA, &t->e), &t->e, ERR_PACKAGE_GIVEN_UP);
    assert_ok(store_package_blob_give_up(t->db, id, &condemned, &t->e), &t->e);
    assert_false(condemned);
    assert_int_equal(n_chunks(t), 2);
    drop(t, id);
    assert_int_equal(n_chunks(t), 0);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM package_blob"), 0);
}
STORE_TEST(who_was_given_up_writes_nothing_more)

static void what_is_left_behind_is_found(struct test_store *t)
{
    struct package_blob *list;
    int64_t dead = begin(t, "dead", 10), idle = begin(t, "n1", 10), busy = begin(t, "n1", 10);
    size_t n;

    (void)test_store_sql(t, "UPDATE package_blob SET touched_at = NOW(6) - INTERVAL 901 SECOND WHERE node = 'n1'");
    assert_ok(store_package_blob_touch(t->db, busy, &t->e), &t->e);
    assert_ok(store_package_blob_condemned(t->db, 10, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 0);
    assert_ok(store_package_blob_give_up_of(t->db, "dead", &t->e), &t->e);
    assert_ok(store_package_blob_give_up_idle(t->db, IDLE_S, &t->e), &t->e);
    assert_ok(store_package_blob_condemned(t->db, 10, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 2);
    assert_int_equal(list[0].id, dead);
    assert_int_equal(list[1].id, idle);
    assert_ok(store_package_blob_drop(t->db, busy, &t->e), &t->e);
    assert_ok(store_package_blob_touch(t->db, busy, &t->e), &t->e); /* what is not condemned is not dropped */
    (void)test_store_sql(t, "DELETE FROM package_blob");
}
STORE_TEST(what_is_left_behind_is_found)

static void the_quota_counts_what_is_under_way(struct test_store *t)
{
    struct package_blob late = { 1, PACKAGE_IN_METADB };
    int64_t first = begin(t, "n1", 600);
    bool condemned;

    assert_err(store_package_blob_begin(t->db, &late, "n2", 401, QUOTA, &t->e), &t->e, ERR_PACKAGE_QUOTA);
    assert_string_equal(t->e.arg[1], "600");
    assert_ok(store_package_blob_begin(t->db, &late, "n2", 400, QUOTA, &t->e), &t->e);
    assert_err(store_package_blob_grow(t->db, first, 601, QUOTA, &t->e), &t->e, ERR_PACKAGE_QUOTA);
    assert_ok(store_package_blob_give_up(t->db, late.id, &condemned, &t->e), &t->e);
    assert_ok(store_package_blob_grow(t->db, first, QUOTA, QUOTA, &t->e), &t->e);
    assert_err(store_package_blob_grow(t->db, first, QUOTA + 1, QUOTA, &t->e), &t->e, ERR_PACKAGE_QUOTA);
    (void)test_store_sql(t, "DELETE FROM package_blob");
}
STORE_TEST(the_quota_counts_what_is_under_way)

/* ---- use ------------------------------------------------------------------------------------------------------------------------ */

struct used {
    int64_t package_id, task_id;
};

static int use(struct tx *tx, void *data, struct err *e)
{
    const struct used *u = data;

    return store_package_use_in(tx, u->package_id, u->task_id, e);
}

static int insert(struct tx *tx, void *data, struct err *e)
{
    return store_package_insert(tx, data, e);
}

static struct package add(struct test_store *t, const char *version, const char *file_name)
{
    struct package p = { begin(t, "n1", 1), "oceanbase", version, "1", "el7", "x86_64", "OB_SERVER_INSTALL_PACKAGE", file_name, 1, "s1", "s256",
                         PACKAGE_IN_METADB, "admin", 0 };

    assert_ok(db_transact(t->db, insert, &p, &t->e), &t->e);
    return p;
}

static bool is_used(struct test_store *t, int64_t id)
{
    struct field_ints ids = { &id, 1 }, used;

    assert_ok(store_packages_used(t->db, &ids, &t->arena, &used, &t->e), &t->e);
    assert_true(used.n == 0 || used.items[0] == id);
    return used.n == 1;
}

static void what_a_running_task_uses_stays(struct test_store *t)
{
    struct packages_conf conf = { .schema = schema, .directory = "", .node = "n1", .log = &test_log };
    struct package p = add(t, "4.2.1", "a.rpm"), out;
    struct used u = { p.id, 77 }, nobody = { 1, 77 };
    struct packages *packages;

    (void)test_store_sql(t, "INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, "
                            "creator_id, creator_name, status, prohibit_rollback, executor, context, created_at) VALUES "
                            "(77, 'f', 'f', 1, 0, 0, 0, '', '', 0, '', 0, 0, '', '', NOW(6))");
    assert_ok(packages_new(&conf, &packages, &t->e), &t->e);
    assert_false(is_used(t, p.id));
    assert_ok(db_transact(t->db, use, &u, &t->e), &t->e);
    assert_ok(db_transact(t->db, use, &u, &t->e), &t->e);
    assert_err(db_transact(t->db, use, &nobody, &t->e), &t->e, ERR_NOT_FOUND);
    assert_true(is_used(t, p.id));
    assert_err(package_delete(packages, t->db, p.id, &t->arena, &out, &t->e), &t->e, ERR_PACKAGE_IN_USE);
    assert_string_equal(t->e.arg[1], "task 77");
    (void)test_store_sql(t, "UPDATE task SET status = 2 WHERE id = 77");
    assert_false(is_used(t, p.id));
    assert_ok(package_delete(packages, t->db, p.id, &t->arena, &out, &t->e), &t->e);
    assert_string_equal(out.file_name, "a.rpm");
    assert_err(package_delete(packages, t->db, p.id, &t->arena, &out, &t->e), &t->e, ERR_PACKAGE_UNKNOWN);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM package_blob"), 0);
    (void)test_store_sql(t, "DELETE FROM task");
    packages_free(packages);
}
STORE_TEST(what_a_running_task_uses_stays)

static void install_from(struct test_store *t, int64_t cluster, const char *name, int64_t package_id)
{
    (void)test_store_sql(t, arena_printf(&t->arena, "INSERT INTO obinstall VALUES (%lld, '/i', '/r', '/d', '/l', 'admin', %lld, 'p', '', '{}', '')",
                                         (long long)cluster, (long long)package_id));
    (void)test_store_sql(t, arena_printf(&t->arena, "INSERT INTO obcluster (id, name, ob_cluster_id, engine, type, status, address, port, connection_mode, "
                                                    "username, password, password_version, proxyro_password, instance, version, full_version, architecture, creator_id, "
                                                    "creator_name, created_at, updated_at, failure) VALUES (%lld, '%s', 1, 'OCEANBASE', 'PRIMARY', 1, 'a%lld', 0, '', '', "
                                                    "'', 1, '', 'i%lld', '', '', '', 1, '', NOW(6), NOW(6), '')",
                                         (long long)cluster, name, (long long)cluster, (long long)cluster));
}

/* What clusters were installed from stays, with its libraries, until the last of them is deleted. */
static void what_a_cluster_was_installed_from_stays(struct test_store *t)
{
    struct packages_conf conf = { .schema = schema, .directory = "", .node = "n1", .log = &test_log };
    struct package p = add(t, "4.2.1", "a.rpm"), other = add(t, "4.2.2", "b.rpm"), libraries = other, strangers = other, out;
    struct packages *packages;

    libraries.name = "oceanbase-libs";
    libraries.version = "4.2.1";
    libraries.file_name = "l.rpm";
    libraries.id = begin(t, "n1", 1);
    assert_ok(db_transact(t->db, insert, &libraries, &t->e), &t->e);
    strangers = libraries;
    strangers.build = "2";
    strangers.file_name = "s.rpm";
    strangers.id = begin(t, "n1", 1);
    assert_ok(db_transact(t->db, insert, &strangers, &t->e), &t->e);
    assert_ok(packages_new(&conf, &packages, &t->e), &t->e);
    install_from(t, 501, "from2", p.id);
    install_from(t, 502, "from1", p.id);
    assert_true(is_used(t, p.id));
    assert_true(is_used(t, libraries.id));
    assert_false(is_used(t, other.id));
    assert_false(is_used(t, strangers.id));
    assert_err(package_delete(packages, t->db, p.id, &t->arena, &out, &t->e), &t->e, ERR_PACKAGE_IN_USE);
    assert_string_equal(t->e.arg[0], "a.rpm");
    assert_string_equal(t->e.arg[1], "the clusters from1, from2");
    (void)test_store_sql(t, "DELETE FROM obinstall WHERE cluster_id = 501");
    assert_err(package_delete(packages, t->db, libraries.id, &t->arena, &out, &t->e), &t->e, ERR_PACKAGE_IN_USE);
    assert_string_equal(t->e.arg[1], "the cluster from1");
    assert_ok(package_delete(packages, t->db, other.id, &t->arena, &out, &t->e), &t->e);
    assert_ok(package_delete(packages, t->db, strangers.id, &t->arena, &out, &t->e), &t->e);
    for (int64_t i = 0; i < 9; i++)
        install_from(t, 510 + i, arena_printf(&t->arena, "many%lld", (long long)i), p.id);
    assert_err(package_delete(packages, t->db, p.id, &t->arena, &out, &t->e), &t->e, ERR_PACKAGE_IN_USE);
    assert_string_equal(t->e.arg[1], "the clusters from1, many0, many1, many2, many3, ... (10)");
    (void)test_store_sql(t, "DELETE FROM obinstall");
    (void)test_store_sql(t, "DELETE FROM obcluster WHERE id BETWEEN 501 AND 520");
    assert_ok(package_delete(packages, t->db, libraries.id, &t->arena, &out, &t->e), &t->e);
    assert_ok(package_delete(packages, t->db, p.id, &t->arena, &out, &t->e), &t->e);
    packages_free(packages);
}
STORE_TEST(what_a_cluster_was_installed_from_stays)

static void packages_that_are_alike_are_found(struct test_store *t)
{
    struct package p = add(t, "4.2.1", "a.rpm"), wanted = p, *found;
    struct err *e = &t->e;

    assert_ok(store_package_find_like(t->db, &wanted, &t->arena, &found, e), e);
    assert_int_equal(found->id, p.id);
    wanted.file_name = "b.rpm";
    assert_ok(store_package_find_like(t->db, &wanted, &t->arena, &found, e), e);
    assert_int_equal(found->id, p.id);
    wanted.architecture = "aarch64";
    assert_ok(store_package_find_like(t->db, &wanted, &t->arena, &found, e), e);
    assert_null(found);
    wanted.id = begin(t, "n1", 1);
    wanted.architecture = "x86_64";
    assert_err(db_transact(t->db, insert, &wanted, e), e, ERR_SQL_DUPLICATE);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM package_blob WHERE state = 0"), 1); /* rolled back with it */
    (void)test_store_sql(t, "DELETE FROM package");
    (void)test_store_sql(t, "DELETE FROM package_blob");
}
STORE_TEST(packages_that_are_alike_are_found)

static void hosts_that_have_a_package(struct test_store *t)
{
    struct package a = add(t, "4.2.1", "a.rpm"), b = add(t, "4.2.2", "b.rpm");
    int64_t ids[] = { a.id, b.id };
    struct field_ints both = { ids, 2 }, none = { NULL, 0 };
    struct package_host *hosts;
    size_t n;

    (void)test_store_sql(t, "INSERT INTO host (id, name, alias, description, operating_system, operating_system_release, architecture, serial_number, "
                            "ip, ssh_port, kind, publish_ports, status, idc_id, type_id, credential_id, created_at, updated_at) VALUES "
                            "(5, 'h', '', '', '', '', '', '', '10.0.0.5', 22, 'DEDICATED_PHYSICAL_MACHINE', '', 'AVAILABLE', 0, 0, 0, NOW(6), NOW(6))");
    assert_ok(store_package_brought(t->db, b.id, 5, &t->e), &t->e);
    assert_ok(store_package_brought(t->db, b.id, 5, &t->e), &t->e);
    assert_ok(store_package_brought(t->db, a.id, 6, &t->e), &t->e); /* a host that is gone */
    assert_ok(store_package_hosts(t->db, &both, &t->arena, &hosts, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_int_equal(hosts[0].package_id, b.id);
    assert_string_equal(hosts[0].address, "10.0.0.5");
    assert_ok(store_package_hosts(t->db, &none, &t->arena, &hosts, &n, &t->e), &t->e);
    assert_int_equal(n, 0);
    (void)test_store_sql(t, "DELETE FROM host");
    (void)test_store_sql(t, "DELETE FROM package");
    (void)test_store_sql(t, "DELETE FROM package_blob");
    (void)test_store_sql(t, "DELETE FROM package_host");
}
STORE_TEST(hosts_that_have_a_package)

const struct CMUnitTest rules_package_tests[] = {
    STORE_UNIT(who_was_given_up_writes_nothing_more),
    STORE_UNIT(what_is_left_behind_is_found),
    STORE_UNIT(the_quota_counts_what_is_under_way),
    STORE_UNIT(what_a_running_task_uses_stays),
    STORE_UNIT(what_a_cluster_was_installed_from_stays),
    STORE_UNIT(packages_that_are_alike_are_found),
    STORE_UNIT(hosts_that_have_a_package),
    { NULL, NULL, NULL, NULL, NULL },
};

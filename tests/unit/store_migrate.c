/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations. Each test has a component of its own, so that one database serves all. */
#include <stdio.h>

#include "src/base/json.h"
#include "src/store/migrate.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

#define STEPS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define MAKE_A "CREATE TABLE mig_a (id BIGINT NOT NULL PRIMARY KEY) DEFAULT CHARSET=utf8mb4"
#define MAKE_B "CREATE TABLE mig_b (id BIGINT NOT NULL PRIMARY KEY) DEFAULT CHARSET=utf8mb4"

static const struct migration one[] = { { 1, "first", STEPS(MAKE_A) }, { 0 } };
static const struct migration two[] = {
    { 1, "first", STEPS(MAKE_A) },
    { 2, "second",
      STEPS("ALTER TABLE mig_a ADD COLUMN n BIGINT NOT NULL DEFAULT 0", "CREATE INDEX mig_a_n ON mig_a (n)", MAKE_B,
            "INSERT INTO mig_a (id, n) VALUES (1, 1)", "ALTER TABLE mig_b ADD COLUMN gone INT", "ALTER TABLE mig_b DROP COLUMN gone") },
    { 0 },
};
static const struct migration changed[] = { { 1, "first", STEPS(MAKE_B) }, { 0 } };
static const struct migration broken[] = { { 1, "first", STEPS(MAKE_A) }, { 2, "bad", STEPS("CREATE NONSENSE") }, { 0 } };

static struct db *component(struct test_store *t, const char *name)
{
    (void)test_store_sql(t, "DROP TABLE IF EXISTS mig_a");
    (void)test_store_sql(t, "DROP TABLE IF EXISTS mig_b");
    return test_store_open(t, (struct db_conf){ .name = name });
}

static void runs_each_once_in_order(struct test_store *t)
{
    struct db *d = component(t, "once");

    assert_ok(migrate(d, one, "n1", &t->e), &t->e);
    assert_ok(migrate(d, two, "n1", &t->e), &t->e);
    assert_ok(migrate(d, two, "n2", &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT SUM(n) FROM mig_a"), 1);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_migration WHERE component = 'once'"), 2);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_lease WHERE component = 'once' AND owner = ''"), 1);
    db_free(d);
}
STORE_TEST(runs_each_once_in_order)

static void newer_schema_is_refused(struct test_store *t)
{
    struct db *d = component(t, "newer");
    char text[512];

    assert_ok(migrate(d, two, "n1", &t->e), &t->e);
    assert_err(migrate(d, one, "n1", &t->e), &t->e, ERR_SCHEMA_NEWER);
    assert_string_equal(err_text(&t->e, ERR_EN, text, sizeof text),
                        "The schema of newer has version 2, this program knows versions up to 1. Install the newer version of ocp-server.");
    db_free(d);
}
STORE_TEST(newer_schema_is_refused)

static void changed_migration_is_refused(struct test_store *t)
{
    struct db *d = component(t, "changed");

    assert_ok(migrate(d, one, "n1", &t->e), &t->e);
    assert_err(migrate(d, changed, "n1", &t->e), &t->e, ERR_SCHEMA_CHANGED);
    assert_string_equal(t->e.arg[1], "1 (first)");
    db_free(d);
}
STORE_TEST(changed_migration_is_refused)

static void half_done_migration_is_finished(struct test_store *t)
{
    struct db *d = component(t, "half");

    assert_ok(migrate(d, one, "n1", &t->e), &t->e);
    for (int i = 0; i < 4; i++)
        (void)test_store_sql(t, two[1].steps[i]);
    assert_ok(migrate(d, two, "n2", &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM mig_a"), 1);
    db_free(d);
}
STORE_TEST(half_done_migration_is_finished)

static void failure_names_the_migration(struct test_store *t)
{
    struct db *d = component(t, "broken");
    char text[1024];

    assert_err(migrate(d, broken, "n1", &t->e), &t->e, ERR_SQL_FAILED);
    assert_non_null(strstr(err_log_text(&t->e, text, sizeof text), "migrate broken to 2 (bad): "));
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_migration WHERE component = 'broken'"), 1);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_lease WHERE component = 'broken' AND owner = ''"), 1);
    db_free(d);
}
STORE_TEST(failure_names_the_migration)

static void waits_for_a_lease_and_takes_it_over(struct test_store *t)
{
    struct db *d = component(t, "lease");
    int64_t former;

    (void)test_store_sql(t, "INSERT INTO schema_lease VALUES ('lease', 'somebody', NOW(6) + INTERVAL 1 HOUR)");
    former = fiber_narrow_deadline(300);
    assert_err(migrate(d, one, "n1", &t->e), &t->e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_migration WHERE component = 'lease'"), 0);
    (void)test_store_sql(t, "UPDATE schema_lease SET expires_at = NOW(6) + INTERVAL 1 SECOND WHERE component = 'lease'");
    assert_ok(migrate(d, one, "n1", &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_lease WHERE expires_at >= NOW(6) AND component = 'lease'"), 1);
    db_free(d);
}
STORE_TEST(waits_for_a_lease_and_takes_it_over)

static const struct migration slow[] = { { 1, "slow", STEPS("SELECT SLEEP(1)", "SELECT SLEEP(0.5)", MAKE_A) }, { 0 } };

static void runs_slow(void *data)
{
    struct test_store *t = data;
    struct db *d = test_store_open(t, (struct db_conf){ .name = "slow" });

    assert_ok(migrate_leased(d, slow, "n", 400, &t->e), &t->e);
    db_free(d);
}

/* The work takes four times as long as the lease: without renewal it would be run three times, the last for nothing. */
static void lease_is_renewed(struct test_store *t)
{
    struct db *d = component(t, "slow");
    struct fiber_group g = { 0 };

    for (int i = 0; i < 3; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "migrates", runs_slow, t, &t->e), &t->e);
    assert_ok(fiber_group_wait(&g, &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_migration WHERE component = 'slow'"), 1);
    db_free(d);
}
STORE_TEST(lease_is_renewed)

static int migrates(void *data)
{
    struct err e;

    return migrate(data, one, "n1", &e);
}

static void memory_failures_leave_a_migration_to_be_run_again(struct test_store *t)
{
    struct db *d = component(t, "memory");

    test_oom_sweep(migrates, d);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM schema_migration WHERE component = 'memory'"), 1);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM mig_a"), 0);
    db_free(d);
}
STORE_TEST(memory_failures_leave_a_migration_to_be_run_again)

static void dump_is_json(struct test_store *t)
{
    struct str text;
    json_t *json;

    str_init(&text, &t->arena);
    migrations_dump(&text, "MetaDB", metadb_migrations);
    assert_ok(json_parse((struct slice){ text.s, text.n }, &json, &t->e), &t->e);
    assert_true(json_array_size(json) > 0);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "version")), 1);
    json_decref(json);
}
STORE_TEST(dump_is_json)

/* Rows are in order, without gaps: the versions are indexes of the table. */
static void versions_count_up(struct test_store *t)
{
    (void)t;
    for (unsigned i = 0; metadb_migrations[i].version != 0; i++)
        assert_int_equal(metadb_migrations[i].version, i + 1);
    for (unsigned i = 0; monitordb_migrations[i].version != 0; i++)
        assert_int_equal(monitordb_migrations[i].version, i + 1);
}
STORE_TEST(versions_count_up)

static void monitordb_migrates(struct test_store *t)
{
    struct db *d = test_store_open(t, (struct db_conf){ .name = "MonitorDB" });

    assert_ok(migrate(d, monitordb_migrations, "n1", &t->e), &t->e);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM monitor_property"), 0);
    db_free(d);
}
STORE_TEST(monitordb_migrates)

const struct CMUnitTest store_migrate_tests[] = {
    STORE_UNIT(runs_each_once_in_order),
    STORE_UNIT(newer_schema_is_refused),
    STORE_UNIT(changed_migration_is_refused),
    STORE_UNIT(half_done_migration_is_finished),
    STORE_UNIT(failure_names_the_migration),
    STORE_UNIT(waits_for_a_lease_and_takes_it_over),
    STORE_UNIT(lease_is_renewed),
    STORE_UNIT(memory_failures_leave_a_migration_to_be_run_again),
    STORE_UNIT(dump_is_json),
    STORE_UNIT(versions_count_up),
    STORE_UNIT(monitordb_migrates),
    { 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/store/migrate.h"

static struct test_mariadb server;
static char database[32];
static bool is_migrated;

bool test_store_start(void)
{
    if (!test_mariadb_start(&server))
        return false;
    (void)snprintf(database, sizeof database, "store_unit_%d", (int)getpid());
    return true;
}

struct sql_target test_store_target(const char *name)
{
    return (struct sql_target){
        .host = server.host, .port = server.port, .user = server.user, .password = server.password, .database = name
    };
}

const struct test_mariadb *test_store_server(void)
{
    return &server;
}

bool test_store_is_mariadb(struct test_store *t)
{
    return db_engine(t->db) == SQL_MARIADB;
}

static void run_admin(struct work_pool *pool, const char *verb)
{
    struct sql_target target = test_store_target(NULL);
    struct arena arena;
    struct sql *s;
    struct err e;
    char text[128];

    arena_init(&arena);
    assert_ok(sql_connect(&target, pool, &s, &e), &e);
    (void)snprintf(text, sizeof text, "%s %s", verb, database);
    assert_ok(sql_run(s, text, NULL, 0, 0, &arena, NULL, &e), &e);
    sql_close(s);
    arena_fini(&arena);
}

struct db *test_store_open(struct test_store *t, struct db_conf conf)
{
    struct db *d;

    conf.name = conf.name != NULL ? conf.name : "MetaDB";
    conf.connect_pool = t->connect_pool;
    conf.log = &test_log;
    if (conf.targets == NULL) {
        conf.targets = &t->target;
        conf.n_targets = 1;
    }
    assert_ok(db_new(&conf, loop_current(), &d, &t->e), &t->e);
    return d;
}

static void run_prepared(void *data)
{
    struct test_store *t = data;

    if (!is_migrated)
        run_admin(t->connect_pool, "CREATE DATABASE");
    t->db = test_store_open(t, (struct db_conf){ 0 });
    if (!is_migrated)
        assert_ok(migrate(t->db, metadb_migrations, "unit", &t->e), &t->e);
    is_migrated = true;
    t->fn(t);
    db_free(t->db);
}

static void drop_database(void *data)
{
    run_admin(data, "DROP DATABASE");
}

static struct work_pool *new_pool(void)
{
    struct work_conf conf = { "connect", 4, 100 };
    struct work_pool *pool;
    struct err e;

    assert_ok(work_pool_new(&conf, &pool, &e), &e);
    return pool;
}

void test_in_store(void (*fn)(struct test_store *t))
{
    struct test_store t = { .fn = fn, .target = test_store_target(database), .connect_pool = new_pool() };

    arena_init(&t.arena);
    test_in_fiber(run_prepared, &t);
    work_pool_free(t.connect_pool);
    arena_fini(&t.arena);
}

void test_store_stop(void)
{
    struct work_pool *pool = new_pool();

    if (is_migrated && server.pid == 0)
        test_in_fiber(drop_database, pool);
    work_pool_free(pool);
    test_mariadb_stop(&server);
}

struct sql_rows test_store_sql(struct test_store *t, const char *text)
{
    struct sql_rows rows;

    assert_ok(db_read(t->db, text, DB_NO_ARGS, &t->arena, &rows, &t->e), &t->e);
    return rows;
}

int64_t test_store_number(struct test_store *t, const char *text)
{
    struct sql_rows rows = test_store_sql(t, text);
    int64_t v;

    assert_int_equal(rows.n_rows, 1);
    assert_true(sql_i64(&rows, 0, 0, &v));
    return v;
}

static size_t length(const struct CMUnitTest *tests)
{
    size_t n = 0;

    while (tests[n].name != NULL)
        n++;
    return n;
}

int test_store_main(const char *name, const struct CMUnitTest *const *groups, size_t n_groups)
{
    struct CMUnitTest all[400];
    size_t n = 0;
    int rv;

    if (!test_store_start()) {
        (void)fprintf(stderr, "skipped: mariadbd is not installed\n");
        return 77;
    }
    for (size_t i = 0; i < n_groups; i++) {
        assert(n + length(groups[i]) <= sizeof all / sizeof all[0]);
        memcpy(all + n, groups[i], length(groups[i]) * sizeof all[0]);
        n += length(groups[i]);
    }
    rv = _cmocka_run_group_tests(name, all, n, NULL, NULL);
    test_store_stop();
    return rv;
}

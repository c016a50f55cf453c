/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/io/sql.h"
#include "tests/lib/mariadb.h"

static struct test_mariadb server;

struct fixture {
    struct work_pool *pool;
    struct sql_target target;
    struct sql *s;
    struct arena arena;
    struct err e;
    void (*fn)(struct fixture *f);
};

static void run_fixture(void *data)
{
    struct fixture *f = data;

    assert_ok(sql_connect(&f->target, f->pool, &f->s, &f->e), &f->e);
    f->fn(f);
    sql_close(f->s);
}

static void in_session(void (*fn)(struct fixture *f))
{
    struct fixture f = { .fn = fn,
                         .target = { .host = server.host, .port = server.port, .user = server.user, .password = server.password } };
    struct work_conf conf = { "connect", 2, 100 };

    arena_init(&f.arena);
    assert_ok(work_pool_new(&conf, &f.pool, &f.e), &f.e);
    test_in_fiber(run_fixture, &f);
    work_pool_free(f.pool);
    arena_fini(&f.arena);
}

static int query(struct fixture *f, const char *text, struct sql_rows *rows)
{
    return sql_run(f->s, text, NULL, 0, 0, &f->arena, rows, &f->e);
}

static void knows_its_server(struct fixture *f)
{
    struct sql_rows rows;
    int64_t id;

    assert_int_equal(sql_engine(f->s), SQL_MARIADB);
    assert_non_null(strstr(sql_version(f->s), "MariaDB"));
    assert_ok(query(f, "SELECT CONNECTION_ID() AS id, @@time_zone z, @@tx_isolation i, @@autocommit a", &rows), &f->e);
    assert_int_equal(rows.n_rows, 1);
    assert_int_equal(rows.n_columns, 4);
    assert_string_equal(rows.columns[1], "z");
    assert_true(sql_i64(&rows, 0, sql_column(&rows, "ID"), &id));
    assert_int_equal(id, sql_connection_id(f->s));
    assert_string_equal(sql_text(&rows, 0, 1).s, "+00:00");
    assert_string_equal(sql_text(&rows, 0, 2).s, "READ-COMMITTED");
    assert_string_equal(sql_text(&rows, 0, 3).s, "1");
}

static void test_knows_its_server(void **state)
{
    (void)state;
    in_session(knows_its_server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_its_server),
    };
    int rv;

    if (!test_mariadb_start(&server)) {
        (void)fprintf(stderr, "skipped: mariadbd is not installed\n");
        return 77;
    }
    rv = cmocka_run_group_tests(tests, NULL, NULL);
    test_mariadb_stop(&server);
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - a migrated MetaDB for unit tests, on the database of mariadb.h (so OCP_TEST_SQL runs them on any server). */
#ifndef TESTS_LIB_STORE_H
#define TESTS_LIB_STORE_H

#include "src/store/db.h"
#include "tests/lib/mariadb.h"
#include "tests/lib/test.h"

struct test_store {
    struct sql_target target;
    struct work_pool *connect_pool;
    struct db *db;
    struct arena arena;
    struct err e;
    void (*fn)(struct test_store *t);
};

/* Starts the server and makes the database; false when there is none to start. Later tests use it until test_store_stop. */
bool test_store_start(void);
void test_store_stop(void);
/* Runs groups of tests, each ending with one without a name, on one such server, and gives the program's exit status: 77 without a server. */
int test_store_main(const char *name, const struct CMUnitTest *const *groups, size_t n_groups);
/* Where it is; `database` NULL: none selected. */
struct sql_target test_store_target(const char *database);
/* The server, to be stopped or killed: pid 0 when it is not ours. */
const struct test_mariadb *test_store_server(void);
/* True on MariaDB. */
bool test_store_is_mariadb(struct test_store *t);

/* Runs fn in a fiber with t->db connected to the migrated MetaDB, and frees everything after it. */
void test_in_store(void (*fn)(struct test_store *t));
/* Another db on this loop, to be freed by the caller. `conf` says what differs: targets, max_sessions, statement_timeout_ms, name. */
struct db *test_store_open(struct test_store *t, struct db_conf conf);
/* One statement that must succeed. */
struct sql_rows test_store_sql(struct test_store *t, const char *text);
/* The number in its first cell. */
int64_t test_store_number(struct test_store *t, const char *text);

#define STORE_TEST(NAME)                \
    static void NAME##_(void **state)   \
    {                                   \
        (void)state;                    \
        test_in_store(NAME);            \
    }
#define STORE_UNIT(NAME) { #NAME, NAME##_, NULL, NULL, NULL }

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The SQL client against a private MariaDB; what needs a proxy, TLS or OceanBase is in tests/e2e/test_sql.py. */
#include "config.h"
#include "tests/lib/test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/num.h"
#include "src/io/sql.h"
#include "tests/lib/mariadb.h"

static struct test_mariadb server;

struct fixture {
    struct work_pool *pool;
    struct sql_target target;
    struct sql *s;            /* connected to database t */
    struct arena arena;
    struct sql_rows rows;     /* of the last run() */
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
                         .target = { .host = server.host, .port = server.port, .user = server.user, .password = server.password,
                                     .database = "t" } };
    struct work_conf conf = { "connect", 2, 100 };

    arena_init(&f.arena);
    assert_ok(work_pool_new(&conf, &f.pool, &f.e), &f.e);
    test_in_fiber(run_fixture, &f);
    work_pool_free(f.pool);
    arena_fini(&f.arena);
}

#define SESSION_TEST(NAME)                                  \
    static void test_##NAME(void **state)                   \
    {                                                       \
        (void)state;                                        \
        in_session(NAME);                                   \
    }

static int run_on(struct fixture *f, struct sql *s, unsigned flags, const char *text)
{
    f->rows = (struct sql_rows){ 0 };
    return sql_run(s, text, NULL, 0, flags, &f->arena, &f->rows, &f->e);
}

static int run(struct fixture *f, const char *text)
{
    return run_on(f, f->s, 0, text);
}

static void must(struct fixture *f, const char *text)
{
    assert_ok(run(f, text), &f->e);
}

static struct sql *another(struct fixture *f)
{
    struct sql *s = NULL;

    assert_ok(sql_connect(&f->target, f->pool, &s, &f->e), &f->e);
    return s;
}

static const char *cell(struct fixture *f, size_t row, int column)
{
    return sql_text(&f->rows, row, column).s;
}

/* Counts how often the loop turns while somebody else waits. */
struct heart {
    unsigned beats;
    bool stop;
};

static void beat(void *data)
{
    struct heart *h = data;
    struct err e;

    while (!h->stop && fiber_sleep(1, &e) == 0)
        h->beats++;
}

static void heart_start(struct heart *h)
{
    struct err e;

    *h = (struct heart){ 0 };
    assert_ok(fiber_start(loop_current(), "heart", beat, h, NULL, &e), &e);
}

/* Also lets the fiber end before its memory does. */
static unsigned heart_stop(struct heart *h)
{
    struct err e;
    unsigned beats = h->beats;

    h->stop = true;
    assert_ok(fiber_sleep(20, &e), &e);
    return beats;
}

static void knows_its_server(struct fixture *f)
{
    int64_t id;

    assert_int_equal(sql_engine(f->s), SQL_MARIADB);
    assert_non_null(strstr(sql_version(f->s), "MariaDB"));
    must(f, "SELECT CONNECTION_ID() AS id, @@time_zone z, @@tx_isolation i, @@autocommit a, @@sql_mode, @@max_statement_time,"
            " @@collation_connection");
    assert_int_equal(f->rows.n_rows, 1);
    assert_int_equal(f->rows.n_columns, 7);
    assert_string_equal(f->rows.columns[1], "z");
    assert_true(sql_i64(&f->rows, 0, sql_column(&f->rows, "ID"), &id));
    assert_int_equal(id, sql_connection_id(f->s));
    assert_string_equal(cell(f, 0, 1), "+00:00");
    assert_string_equal(cell(f, 0, 2), "READ-COMMITTED");
    assert_string_equal(cell(f, 0, 3), "1");
    assert_string_equal(cell(f, 0, 4), "STRICT_ALL_TABLES,NO_ZERO_IN_DATE");
    assert_string_equal(cell(f, 0, 5), "100.000000");
    assert_int_equal(strncmp(cell(f, 0, 6), "utf8mb4_", 8), 0);
    assert_ok(sql_set_server_timeout(f->s, 1500, &f->e), &f->e);
    must(f, "SELECT @@max_statement_time");
    assert_string_equal(cell(f, 0, 0), "1.500000");
}
SESSION_TEST(knows_its_server)

static void socket_works(struct fixture *f)
{
    struct sql_target target = f->target;
    struct sql *s;

    if (server.socket[0] == '\0')
        skip();
    target.host = NULL;
    target.socket = server.socket;
    target.tls_required = true; /* has no meaning for a socket */
    assert_ok(sql_connect(&target, f->pool, &s, &f->e), &f->e);
    assert_string_equal(sql_peer(s), server.socket);
    assert_ok(run_on(f, s, 0, "SELECT 1"), &f->e);
    sql_close(s);
}
SESSION_TEST(socket_works)

static void assert_same_rows(const struct sql_rows *a, const struct sql_rows *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_columns, b->n_columns);
    for (unsigned i = 0; i < a->n_columns; i++)
        assert_string_equal(a->columns[i], b->columns[i]);
    for (size_t i = 0; i < a->n_rows * a->n_columns; i++) {
        if (a->cells[i].s == NULL || b->cells[i].s == NULL) {
            assert_ptr_equal(a->cells[i].s, b->cells[i].s);
            continue;
        }
        if (a->cells[i].n != b->cells[i].n || memcmp(a->cells[i].s, b->cells[i].s, a->cells[i].n) != 0)
            fail_msg("column %s: text \"%s\", prepared \"%s\"", a->columns[i % a->n_columns], a->cells[i].s, b->cells[i].s);
        assert_int_equal(a->cells[i].s[a->cells[i].n], '\0');
    }
}

static void types_look_alike(struct fixture *f)
{
    static const char columns[] = "a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT UNSIGNED, e BIGINT, g BIGINT UNSIGNED,"
                                  " h FLOAT, i DOUBLE, j DECIMAL(30,10), k BIT(8), l DATE, m DATETIME, n DATETIME(6), o TIMESTAMP(3) NULL,"
                                  " p TIME, q TIME(6), r YEAR, s CHAR(5), t VARCHAR(20), u VARBINARY(20), v LONGTEXT, w LONGBLOB,"
                                  " x ENUM('one','two'), y SET('a','b'), z INT(6) ZEROFILL, aa JSON, ab DOUBLE(10,3), ac FLOAT(7,2)";
    static const char *const rows[] = {
        "-128, 65535, -8388608, 4294967295, -9223372036854775808, 18446744073709551615, 1.5, 0.1, 12345678901234567890.0123456789,"
        " b'10000001', '2026-11-20', '2026-11-20 08:05:09', '2026-11-20 08:05:09.123456', '2026-11-20 08:05:09.123', '-838:59:59',"
        " '12:34:56.000001', 2026, 'ab', 'k\xc3\xa4se', 'a\\0b', 'text', 'a\\0\\xff', 'two', 'a,b', 42, '{\"a\": 1}', 1.2345, 1.255",
        "127, 0, 8388607, 0, 9223372036854775807, 0, 3.4e38, 1e300, -0.5, b'0', '0001-01-01', '9999-12-31 23:59:59',"
        " '2026-01-01 00:00:00.000000', '2038-01-19 03:14:07.999', '838:59:59', '00:00:00', 1901, '', '', '', '', '', 'one', '', 0,"
        " '[]', -99.9, 0",
        "0, 1, 1, 1, 1, 1, 16777216, 123456789012345680, 0, b'1', '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', NULL,"
        " '00:00:01', '-00:00:00.5', 0, ' x ', 'a''b', '\\\\', REPEAT('x', 383), REPEAT('y', 384), NULL, NULL, 1234567, NULL, 0, 0",
        "NULL, NULL, NULL, NULL, NULL, NULL, 1e-10, 1e-7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
        " REPEAT('x', 385), REPEAT('y', 100000), NULL, NULL, NULL, NULL, NULL, NULL",
        "1, 1, 1, 1, 1, 1, 0.333333, 1e15, 1, b'1', '2026-02-03', '2026-02-03 00:00:00', '2026-02-03 00:00:00.1', NULL,"
        " '01:02:03', '01:02:03.04', 2000, 'x', 'x', 'x', 'x', 'x', NULL, NULL, 1, NULL, 1e6, 3",
        "1, 1, 1, 1, 1, 1, 1e7, 1e14, 1, b'1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'x', 'x', 'x', 'x', 'x', NULL, NULL, 1, NULL,"
        " 1, 3",
        "1, 1, 1, 1, 1, 1, 123456, 12345678.9, 1, b'1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'x', 'x', 'x', 'x', 'x', NULL, NULL,"
        " 1, NULL, 1, 3",
    };
    struct sql_rows by_text;
    struct str text;

    str_init(&text, &f->arena);
    must(f, "DROP TABLE IF EXISTS types");
    str_printf(&text, "CREATE TABLE types (id INT AUTO_INCREMENT PRIMARY KEY, %s)", columns);
    must(f, str_c(&text));
    must(f, "SET time_zone='+00:00', sql_mode='STRICT_ALL_TABLES'");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        str_clear(&text);
        str_printf(&text, "INSERT INTO types VALUES (NULL, %s)", rows[i]);
        must(f, str_c(&text));
        assert_int_equal(f->rows.insert_id, i + 1);
    }
    must(f, "SELECT *, e + 0.5 AS sum, g * 1.0e0 AS product, COUNT(*) OVER () AS count, NULL AS nothing FROM types ORDER BY id");
    by_text = f->rows;
    assert_int_equal(by_text.n_rows, sizeof rows / sizeof rows[0]);
    assert_string_equal(cell(f, 0, sql_column(&by_text, "n")), "2026-11-20 08:05:09.123456");
    assert_string_equal(cell(f, 0, sql_column(&by_text, "g")), "18446744073709551615");
    assert_string_equal(cell(f, 0, sql_column(&by_text, "i")), "0.1");
    assert_int_equal(sql_text(&by_text, 0, sql_column(&by_text, "u")).n, 3);
    for (int round = 0; round < 2; round++) {
        assert_ok(run_on(f, f->s, SQL_PREPARED, "SELECT *, e + 0.5 AS sum, g * 1.0e0 AS product, COUNT(*) OVER () AS count,"
                                                " NULL AS nothing FROM types ORDER BY id"), &f->e);
        assert_same_rows(&by_text, &f->rows);
    }
}
SESSION_TEST(types_look_alike)

static void values_arrive_exactly(struct fixture *f)
{
    char all[256];
    struct sql_value values[] = { SQL_V_NULL, SQL_V_I(INT64_MIN), SQL_V_I(-1), SQL_V_U(UINT64_MAX), SQL_V_D(-0.1), SQL_V_D(5e-324),
                                  SQL_V_TIME(1795161909123456), sql_v_s("it's \\ \"\n\r\x1a% \xf0\x9f\x90\xac"), sql_v_s(""),
                                  sql_v_bytes(all, sizeof all), sql_v_bytes("", 0), sql_v_bytes("\0", 1), sql_v_s(NULL) };
    struct sql_value after = sql_v_bytes(all, sizeof all);

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    must(f, "DROP TABLE IF EXISTS v");
    must(f, "CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b BIGINT, c BIGINT, d BIGINT UNSIGNED, e DOUBLE, g DOUBLE,"
            " h DATETIME(6), i VARCHAR(99) CHARACTER SET utf8mb4, j VARCHAR(9), k VARBINARY(256), l VARBINARY(9), m VARBINARY(9),"
            " n VARCHAR(9))");
    for (unsigned prepared = 0; prepared <= 1; prepared++) {
        for (int round = 0; round < 2; round++) {
            assert_ok(sql_run(f->s, "INSERT INTO v VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) /* ? */", values, 13,
                              prepared != 0 ? SQL_PREPARED : 0, &f->arena, &f->rows, &f->e), &f->e);
            assert_int_equal(f->rows.affected, 1);
        }
    }
    must(f, "SELECT * FROM v ORDER BY id");
    assert_int_equal(f->rows.n_rows, 4);
    for (size_t row = 0; row < 4; row++) {
        int64_t us;

        assert_null(cell(f, row, 1));
        assert_string_equal(cell(f, row, 2), "-9223372036854775808");
        assert_string_equal(cell(f, row, 3), "-1");
        assert_string_equal(cell(f, row, 4), "18446744073709551615");
        assert_string_equal(cell(f, row, 5), "-0.1");
        assert_string_equal(cell(f, row, 6), "5e-324");
        assert_true(sql_time_us(&f->rows, row, 7, &us));
        assert_int_equal(us, 1795161909123456);
        assert_string_equal(cell(f, row, 8), values[7].text.s);
        assert_string_equal(cell(f, row, 9), "");
        assert_int_equal(sql_text(&f->rows, row, 10).n, 256);
        assert_memory_equal(cell(f, row, 10), all, 256);
        assert_int_equal(sql_text(&f->rows, row, 11).n, 0);
        assert_int_equal(sql_text(&f->rows, row, 12).n, 1);
        assert_null(cell(f, row, 13));
    }
    assert_ok(sql_run(f->s, "SELECT COUNT(*) FROM v WHERE k = ? AND -1-? = c", (struct sql_value[]){ after, SQL_V_I(0) }, 2, 0,
                      &f->arena, &f->rows, &f->e), &f->e);
    assert_string_equal(cell(f, 0, 0), "4");
}
SESSION_TEST(values_arrive_exactly)

static void counts_what_it_found(struct fixture *f)
{
    must(f, "DROP TABLE IF EXISTS c");
    must(f, "CREATE TABLE c (id INT AUTO_INCREMENT PRIMARY KEY, a INT UNIQUE)");
    for (unsigned flags = 0; flags <= SQL_PREPARED; flags++) {
        must(f, "DELETE FROM c");
        assert_ok(run_on(f, f->s, flags, "INSERT INTO c (a) VALUES (1), (2)"), &f->e);
        assert_int_equal(f->rows.affected, 2);
        assert_true(f->rows.insert_id > 0);
        assert_ok(run_on(f, f->s, flags, "UPDATE c SET a = 1 WHERE a = 1"), &f->e);
        assert_int_equal(f->rows.affected, 1); /* found, though not changed */
        assert_int_equal(f->rows.n_columns, 0);
        assert_ok(run_on(f, f->s, flags, "INSERT INTO c (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 9"), &f->e);
        assert_int_equal(f->rows.affected, 2);
        assert_ok(run_on(f, f->s, flags, "SELECT a FROM c WHERE a = 77"), &f->e);
        assert_int_equal(f->rows.n_rows, 0);
        assert_int_equal(f->rows.n_columns, 1);
    }
    assert_ok(sql_run(f->s, "DELETE FROM c", NULL, 0, 0, &f->arena, NULL, &f->e), &f->e);
}
SESSION_TEST(counts_what_it_found)

static void eight_megabytes_pass(struct fixture *f)
{
    enum { N = 8 << 20 };
    char *big = calloc(1, N);
    struct sql_value v = sql_v_bytes(big, N);
    struct heart heart;

    assert_non_null(big);
    for (size_t i = 0; i < N; i++)
        big[i] = (char)(i * 7 + i / 251);
    must(f, "DROP TABLE IF EXISTS big");
    must(f, "CREATE TABLE big (a LONGBLOB)");
    for (unsigned prepared = 0; prepared <= 1; prepared++) {
        unsigned beats;

        must(f, "DELETE FROM big");
        heart_start(&heart);
        assert_ok(sql_run(f->s, "INSERT INTO big VALUES (?)", &v, 1, prepared != 0 ? SQL_PREPARED : 0, &f->arena, NULL, &f->e), &f->e);
        beats = heart_stop(&heart);
        assert_true(beats > 0);
        assert_ok(run_on(f, f->s, prepared != 0 ? SQL_PREPARED : 0, "SELECT a FROM big"), &f->e);
        assert_int_equal(sql_text(&f->rows, 0, 0).n, N);
        assert_memory_equal(cell(f, 0, 0), big, N);
    }
    free(big);
}
SESSION_TEST(eight_megabytes_pass)

static void expect(struct fixture *f, const char *text, const struct err_row *row, int number)
{
    for (unsigned flags = 0; flags <= SQL_PREPARED; flags++) {
        assert_err(run_on(f, f->s, flags, text), &f->e, *row);
        assert_int_equal(f->e.lib_code, number);
        assert_false(sql_is_dead(f->s));
        must(f, "SELECT 1");
    }
}

static void errors_have_classes(struct fixture *f)
{
    struct sql *other;

    must(f, "DROP TABLE IF EXISTS k");
    must(f, "CREATE TABLE k (id INT PRIMARY KEY, a INT)");
    must(f, "INSERT INTO k VALUES (1, 1), (2, 2)");
    expect(f, "INSERT INTO k VALUES (1, 1)", &ERR_SQL_DUPLICATE, 1062);
    expect(f, "SELEC 1", &ERR_SQL_FAILED, 1064);
    expect(f, "SELECT 1; SELECT 2", &ERR_SQL_FAILED, 1064);
    expect(f, "SELECT * FROM nothing", &ERR_SQL_FAILED, 1146);
    expect(f, "INSERT INTO k VALUES (3, 'x')", &ERR_SQL_FAILED, 1366);
    expect(f, "", &ERR_SQL_FAILED, 1065);
    other = another(f);
    assert_ok(run_on(f, other, 0, "BEGIN"), &f->e);
    assert_ok(run_on(f, other, 0, "UPDATE k SET a = 9 WHERE id = 1"), &f->e);
    expect(f, "UPDATE k SET a = 8 WHERE id = 1", &ERR_SQL_RETRY, 1205);
    sql_close(other);
    assert_ok(sql_set_server_timeout(f->s, 100, &f->e), &f->e);
    expect(f, "SELECT SLEEP(5) UNION SELECT SLEEP(5)", &ERR_SQL_RETRY, 1969);
}
SESSION_TEST(errors_have_classes)

static void wrong_count_is_not_sent(struct fixture *f)
{
    struct sql_value one = SQL_V_I(1);

    for (unsigned flags = 0; flags <= SQL_PREPARED; flags++) {
        assert_err(sql_run(f->s, "SELECT ?, ?", &one, 1, flags, &f->arena, NULL, &f->e), &f->e, ERR_UNEXPECTED);
        assert_err(sql_run(f->s, "SELECT 1", &one, 1, flags, &f->arena, NULL, &f->e), &f->e, ERR_UNEXPECTED);
        assert_err(sql_run(f->s, "SELECT ?", NULL, 0, flags, &f->arena, NULL, &f->e), &f->e, ERR_UNEXPECTED);
        must(f, "SELECT 1");
    }
}
SESSION_TEST(wrong_count_is_not_sent)

static void assert_refused(struct fixture *f, const struct sql_target *target, const struct err_row *row)
{
    struct sql *s = NULL;

    assert_err(sql_connect(target, f->pool, &s, &f->e), &f->e, *row);
    assert_null(s);
}

static void refusals_have_classes(struct fixture *f)
{
    struct sql_target target = f->target;

    target.password = "wrong";
    assert_refused(f, &target, &ERR_SQL_DENIED);
    assert_int_equal(f->e.lib_code, 1045);
    target = f->target;
    target.database = "nothing";
    assert_refused(f, &target, &ERR_SQL_FAILED);
    target = f->target;
    target.tls_required = true;
    assert_refused(f, &target, &ERR_SQL_LOST);
    target.tls_required = false;
    target.tls_ca = "/etc/ssl/certs/ca-certificates.crt";
    assert_refused(f, &target, &ERR_SQL_LOST);
    target = f->target;
    target.host = "no-such-host.invalid";
    assert_refused(f, &target, &ERR_SQL_LOST);
    target = f->target;
    target.port = 1;
    assert_refused(f, &target, &ERR_SQL_LOST);
}
SESSION_TEST(refusals_have_classes)

/* A port that accepts and never says a word. */
static int silent_listener(unsigned *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void silence_ends_at_the_timeout(struct fixture *f)
{
    struct sql_target target = f->target;
    int64_t began, former;
    int fd = silent_listener(&target.port);

    target.connect_timeout_ms = 150;
    began = clock_now_ms(&clock_system);
    assert_refused(f, &target, &ERR_SQL_LOST);
    assert_in_range(clock_now_ms(&clock_system) - began, 150, 5000);
    target.connect_timeout_ms = 60000; /* the fiber's deadline comes first; the thread is left to itself */
    former = fiber_narrow_deadline(100);
    assert_refused(f, &target, &ERR_TIMEOUT);
    fiber_restore_deadline(former);
    (void)close(fd); /* resets what its backlog holds: the thread ends */
}
SESSION_TEST(silence_ends_at_the_timeout)

static void deadline_ends_the_call(struct fixture *f)
{
    struct { const char *text; unsigned flags; const struct err_row *row; } const cases[] = {
        { "SELECT SLEEP(30)", 0, &ERR_TIMEOUT },
        { "SELECT SLEEP(30)", SQL_PREPARED, &ERR_TIMEOUT },
        { "SELECT SLEEP(30)", SQL_COMMIT, &ERR_SQL_UNKNOWN },
        { "DO SLEEP(30)", 0, &ERR_SQL_UNKNOWN },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sql *s = another(f);
        int64_t began = clock_now_ms(&clock_system);
        int64_t former = fiber_narrow_deadline(100);
        struct heart heart;

        heart_start(&heart);
        assert_err(run_on(f, s, cases[i].flags, cases[i].text), &f->e, *cases[i].row);
        fiber_restore_deadline(former);
        assert_in_range(clock_now_ms(&clock_system) - began, 100, 10000);
        assert_true(heart_stop(&heart) > 0);
        assert_true(sql_is_dead(s));
        assert_err(run_on(f, s, 0, "SELECT 1"), &f->e, ERR_SQL_LOST);
        sql_close(s);
    }
}
SESSION_TEST(deadline_ends_the_call)

static void past_deadline_sends_nothing(struct fixture *f)
{
    int64_t former = fiber_narrow_deadline(0);

    assert_err(run(f, "SELECT 1"), &f->e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    assert_false(sql_is_dead(f->s));
    must(f, "SELECT 1");
}
SESSION_TEST(past_deadline_sends_nothing)

static void interrupted_transaction_is_undone(struct fixture *f)
{
    struct sql *s = another(f);
    int64_t former;

    must(f, "DROP TABLE IF EXISTS u");
    must(f, "CREATE TABLE u (a INT)");
    assert_ok(run_on(f, s, 0, "BEGIN"), &f->e);
    assert_ok(run_on(f, s, 0, "INSERT INTO u VALUES (1)"), &f->e);
    former = fiber_narrow_deadline(50);
    assert_err(run_on(f, s, 0, "INSERT INTO u SELECT SLEEP(2)"), &f->e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    sql_close(s);
    must(f, "SELECT COUNT(*) FROM u");
    assert_string_equal(cell(f, 0, 0), "0");
}
SESSION_TEST(interrupted_transaction_is_undone)

struct canceller {
    struct fixture *f;
    struct fiber *fiber;
    struct sql *s;
    const char *text;
    int first, second;
    struct err e;
    bool ended;
};

static void run_cancelled(void *data)
{
    struct canceller *c = data;
    struct arena arena;

    arena_init(&arena);
    c->fiber = fiber_current();
    c->first = sql_run(c->s, c->text, NULL, 0, 0, &arena, NULL, &c->e);
    c->second = sql_run(c->f->s, "SELECT 1", NULL, 0, 0, &arena, NULL, NULL); /* a session that lives */
    arena_fini(&arena);
    c->ended = true;
}

static void cancelling_ends_the_call(struct fixture *f)
{
    struct { const char *text; const struct err_row *row; } const cases[] = {
        { "SELECT SLEEP(30)", &ERR_CANCELLED },
        { "DO SLEEP(30)", &ERR_SQL_UNKNOWN },
    };

    for (size_t i = 0; i < 2; i++) {
        struct canceller c = { .f = f, .s = another(f), .text = cases[i].text };

        assert_ok(fiber_start(loop_current(), "cancelled", run_cancelled, &c, NULL, &f->e), &f->e);
        assert_ok(fiber_sleep(50, &f->e), &f->e);
        assert_false(c.ended);
        fiber_cancel(c.fiber);
        while (!c.ended)
            assert_ok(fiber_sleep(1, &f->e), &f->e);
        assert_int_equal(c.first, cases[i].row->code);
        assert_int_equal(c.second, ERR_CANCELLED.code);
        assert_true(sql_is_dead(c.s));
        sql_close(c.s);
    }
    must(f, "SELECT 1");
}
SESSION_TEST(cancelling_ends_the_call)

static void kill_connection(struct fixture *f, const char *what, uint64_t id)
{
    char text[64];

    (void)snprintf(text, sizeof text, "KILL %s %llu", what, (unsigned long long)id);
    must(f, text);
}

static void killed_while_idle_is_noticed(struct fixture *f)
{
    struct sql *s = another(f);

    kill_connection(f, "", sql_connection_id(s));
    while (!sql_is_dead(s))
        assert_ok(fiber_sleep(1, &f->e), &f->e);
    assert_err(run_on(f, s, SQL_COMMIT, "INSERT INTO nothing VALUES (1)"), &f->e, ERR_SQL_LOST);
    sql_close(s);
}
SESSION_TEST(killed_while_idle_is_noticed)

static void start_and_kill(struct fixture *f, const char *text, const char *what, const struct err_row *row, bool dead)
{
    struct canceller c = { .f = f, .s = another(f), .text = text };
    char sleeping[128];

    (void)snprintf(sleeping, sizeof sleeping, "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %llu AND state = 'User sleep'",
                   (unsigned long long)sql_connection_id(c.s));
    assert_ok(fiber_start(loop_current(), "victim", run_cancelled, &c, NULL, &f->e), &f->e);
    do {
        must(f, sleeping);
    } while (cell(f, 0, 0)[0] == '0');
    kill_connection(f, what, sql_connection_id(c.s));
    while (!c.ended)
        assert_ok(fiber_sleep(1, &f->e), &f->e);
    assert_int_equal(c.first, row->code);
    assert_int_equal(sql_is_dead(c.s), dead);
    sql_close(c.s);
}

static void killed_while_busy(struct fixture *f)
{
    start_and_kill(f, "SELECT SLEEP(30)", "", &ERR_SQL_LOST, true);
    start_and_kill(f, "DO SLEEP(30)", "", &ERR_SQL_UNKNOWN, true);
    start_and_kill(f, "SELECT SLEEP(30), 1 FROM DUAL WHERE SLEEP(30) = 0", "QUERY", &ERR_SQL_RETRY, false);
}
SESSION_TEST(killed_while_busy)

static void kill_query_from_outside(struct fixture *f)
{
    struct canceller c = { .f = f, .s = another(f), .text = "SELECT SLEEP(30) FROM DUAL WHERE SLEEP(30) = 0" };

    assert_ok(fiber_start(loop_current(), "victim", run_cancelled, &c, NULL, &f->e), &f->e);
    while (!c.ended) {
        assert_ok(sql_kill_query(&f->target, f->pool, sql_connection_id(c.s), &f->e), &f->e);
        assert_ok(fiber_sleep(20, &f->e), &f->e);
    }
    assert_int_equal(c.first, ERR_SQL_RETRY.code);
    assert_int_equal(c.e.lib_code, 1317);
    assert_false(sql_is_dead(c.s));
    sql_close(c.s);
}
SESSION_TEST(kill_query_from_outside)

static void stopped_server_ends_at_the_deadline(struct fixture *f)
{
    struct sql *s = another(f);
    struct canceller c = { .f = f, .s = s, .text = "SELECT seq, REPEAT('x', 100) FROM seq_1_to_90000 WHERE seq < 3 OR SLEEP(0.001) = 0" };
    int64_t former;
    struct heart heart;

    if (server.pid == 0)
        skip();
    assert_ok(fiber_start(loop_current(), "reader", run_cancelled, &c, NULL, &f->e), &f->e);
    assert_ok(fiber_sleep(300, &f->e), &f->e); /* rows are on their way */
    test_pause(server.pid);
    heart_start(&heart);
    former = fiber_narrow_deadline(200);
    assert_err(run(f, "SELECT 1"), &f->e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    assert_true(heart_stop(&heart) > 0);
    fiber_cancel(c.fiber);
    while (!c.ended)
        assert_ok(fiber_sleep(1, &f->e), &f->e);
    assert_int_equal(c.first, ERR_CANCELLED.code);
    sql_close(s); /* waits for nobody */
    assert_int_equal(kill(server.pid, SIGCONT), 0);
}
SESSION_TEST(stopped_server_ends_at_the_deadline)

#ifdef HAVE_MARIADB_ROW_LENGTH /* else everything goes as text */
static int64_t open_statements(struct fixture *f)
{
    int64_t n = -1;

    must(f, "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
    assert_true(sql_i64(&f->rows, 0, 1, &n));
    return n;
}

static int64_t prepares(struct fixture *f, struct sql *s)
{
    int64_t n = -1;

    assert_ok(run_on(f, s, 0, "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'"), &f->e);
    assert_true(sql_i64(&f->rows, 0, 1, &n));
    return n;
}

static void run_numbered(struct fixture *f, struct sql *s, int i)
{
    char text[64], expected[16];
    struct sql_value v = SQL_V_I(i);

    (void)snprintf(text, sizeof text, "SELECT ? + %d", i);
    (void)snprintf(expected, sizeof expected, "%d", 2 * i);
    assert_ok(sql_run(s, text, &v, 1, SQL_PREPARED, &f->arena, &f->rows, &f->e), &f->e);
    assert_string_equal(cell(f, 0, 0), expected);
}

static void keeps_the_32_latest_statements(struct fixture *f)
{
    struct sql *s = another(f);
    int64_t before = open_statements(f), prepared;

    for (int i = 1; i <= 40; i++)
        run_numbered(f, s, i);
    assert_int_equal(open_statements(f) - before, 32);
    prepared = prepares(f, s);
    assert_int_equal(prepared, 40);
    run_numbered(f, s, 9);  /* the oldest that is kept: now the youngest */
    run_numbered(f, s, 41); /* closes the 10th */
    run_numbered(f, s, 9);
    assert_int_equal(prepares(f, s), prepared + 1);
    run_numbered(f, s, 10);
    assert_int_equal(prepares(f, s), prepared + 2);
    assert_int_equal(open_statements(f) - before, 32);
    sql_close(s);
}
SESSION_TEST(keeps_the_32_latest_statements)
#endif

static void prepares_again_when_the_table_changes(struct fixture *f)
{
    must(f, "DROP TABLE IF EXISTS p");
    must(f, "CREATE TABLE p (a INT)");
    must(f, "INSERT INTO p VALUES (1)");
    assert_ok(run_on(f, f->s, SQL_PREPARED, "SELECT * FROM p"), &f->e);
    assert_int_equal(f->rows.n_columns, 1);
    must(f, "ALTER TABLE p ADD COLUMN b VARCHAR(9) DEFAULT 'x'");
    assert_ok(run_on(f, f->s, SQL_PREPARED, "SELECT * FROM p"), &f->e);
    assert_int_equal(f->rows.n_columns, 2);
    assert_string_equal(cell(f, 0, 1), "x");
    must(f, "UPDATE p SET b = '7'");
    must(f, "ALTER TABLE p CHANGE COLUMN b c DOUBLE DEFAULT 1.5");
    must(f, "INSERT INTO p (a) VALUES (2)");
    assert_ok(run_on(f, f->s, SQL_PREPARED, "SELECT * FROM p WHERE a = 2"), &f->e);
    assert_ok(run_on(f, f->s, SQL_PREPARED, "SELECT * FROM p"), &f->e);
    assert_string_equal(f->rows.columns[1], "c");
    assert_string_equal(cell(f, 1, 1), "1.5");
    must(f, "ALTER TABLE p DROP COLUMN c");
    assert_ok(run_on(f, f->s, SQL_PREPARED, "SELECT * FROM p"), &f->e);
    assert_int_equal(f->rows.n_columns, 1);
    must(f, "SELECT 1");
}
SESSION_TEST(prepares_again_when_the_table_changes)

static void unpreparable_runs_as_text(struct fixture *f)
{
    must(f, "SET GLOBAL max_prepared_stmt_count = 0");
    assert_ok(run_on(f, f->s, SQL_PREPARED, "SELECT 'by text'"), &f->e);
    assert_string_equal(cell(f, 0, 0), "by text");
    must(f, "SET GLOBAL max_prepared_stmt_count = DEFAULT");
}
SESSION_TEST(unpreparable_runs_as_text)

static void results_have_limits(struct fixture *f)
{
    static const char *const over[] = { "SELECT seq FROM seq_1_to_100001", "SELECT REPEAT('x', 1000000) FROM seq_1_to_70" };
    struct { unsigned flags; size_t n; } const within[] = { { 0, 100000 }, { SQL_MAX_ROWS_1M, 100001 } };
    char text[64];

    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "SELECT seq FROM seq_1_to_%zu", within[i].n);
        for (unsigned flags = 0; flags <= SQL_PREPARED; flags++) {
            assert_ok(run_on(f, f->s, within[i].flags | flags, text), &f->e);
            assert_int_equal(f->rows.n_rows, within[i].n);
            (void)snprintf(text + 32, 16, "%zu", within[i].n);
            assert_string_equal(cell(f, within[i].n - 1, 0), text + 32);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        struct sql *s = another(f);

        assert_err(run_on(f, s, i % 2, over[i / 2]), &f->e, ERR_SQL_FAILED);
        assert_true(sql_is_dead(s));
        sql_close(s);
    }
}
SESSION_TEST(results_have_limits)

static void too_long_a_statement_is_not_sent(struct fixture *f)
{
    enum { N = 21 << 20 };
    char *big = calloc(1, N);
    struct sql_value v = sql_v_bytes(big, N);

    assert_err(sql_run(f->s, "SELECT LENGTH(?)", &v, 1, 0, &f->arena, NULL, &f->e), &f->e, ERR_SQL_FAILED);
    must(f, "SELECT 1");
    assert_err(sql_run(f->s, "SELECT LENGTH(?)", &v, 1, SQL_PREPARED, &f->arena, NULL, &f->e), &f->e, ERR_SQL_FAILED);
    must(f, "SELECT 1");
    free(big);
}
SESSION_TEST(too_long_a_statement_is_not_sent)

static void several_results_are_refused(struct fixture *f)
{
    struct sql *s = another(f);

    must(f, "CREATE OR REPLACE PROCEDURE two() BEGIN SELECT 1; SELECT 2; END");
    assert_err(run_on(f, s, SQL_COMMIT, "CALL two()"), &f->e, ERR_SQL_UNKNOWN);
    assert_true(sql_is_dead(s));
    sql_close(s);
}
SESSION_TEST(several_results_are_refused)

static void local_files_stay_here(struct fixture *f)
{
    must(f, "DROP TABLE IF EXISTS l");
    must(f, "CREATE TABLE l (a TEXT)");
    assert_true(run(f, "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE l") != 0);
    if (sql_is_dead(f->s)) {
        sql_close(f->s);
        f->s = another(f);
    }
    must(f, "SELECT COUNT(*) FROM l");
    assert_string_equal(cell(f, 0, 0), "0");
}
SESSION_TEST(local_files_stay_here)

struct worker {
    struct fixture *f;
    int number;
    unsigned done;
};

static void work(void *data)
{
    struct worker *w = data;
    struct sql *s;
    struct err e;

    assert_ok(sql_connect(&w->f->target, w->f->pool, &s, &e), &e);
    for (int i = 0; i < 100; i++) {
        struct sql_value values[] = { SQL_V_I(w->number), SQL_V_I(i) };
        struct sql_rows rows;
        struct arena arena;
        int64_t v;

        arena_init(&arena);
        assert_ok(sql_run(s, "SELECT ? * 1000 + ?", values, 2, i % 2 == 0 ? SQL_PREPARED : 0, &arena, &rows, &e), &e);
        assert_true(sql_i64(&rows, 0, 0, &v));
        assert_int_equal(v, w->number * 1000 + i);
        arena_fini(&arena);
        w->done++;
    }
    sql_close(s);
}

static void many_sessions_share_a_loop(struct fixture *f)
{
    struct worker workers[16];
    struct fiber_group g = { 0 };

    for (int i = 0; i < 16; i++) {
        workers[i] = (struct worker){ .f = f, .number = i };
        assert_ok(fiber_group_start(&g, loop_current(), "worker", work, &workers[i], &f->e), &f->e);
    }
    assert_ok(fiber_group_wait(&g, &f->e), &f->e);
    for (int i = 0; i < 16; i++)
        assert_int_equal(workers[i].done, 100);
}
SESSION_TEST(many_sessions_share_a_loop)

static void one_call_at_a_time(struct fixture *f)
{
    struct canceller c = { .f = f, .s = f->s, .text = "SELECT SLEEP(0.2)" };

    assert_ok(fiber_start(loop_current(), "first", run_cancelled, &c, NULL, &f->e), &f->e);
    assert_ok(fiber_sleep(20, &f->e), &f->e);
    assert_err(run(f, "SELECT 1"), &f->e, ERR_UNEXPECTED);
    while (!c.ended)
        assert_ok(fiber_sleep(1, &f->e), &f->e);
    assert_int_equal(c.first, 0);
    must(f, "SELECT 1");
}
SESSION_TEST(one_call_at_a_time)

static int whole_life(void *data)
{
    struct fixture *f = data;
    struct sql_value v = sql_v_s("value");
    struct sql *s = NULL;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_connect(&f->target, f->pool, &s, NULL);
    if (rv == 0)
        rv = sql_run(s, "SELECT ?, seq FROM seq_1_to_300", &v, 1, 0, &arena, NULL, NULL);
    if (rv == 0)
        rv = sql_run(s, "SELECT ?, seq FROM seq_1_to_300", &v, 1, SQL_PREPARED, &arena, NULL, NULL);
    sql_close(s);
    arena_fini(&arena);
    return rv;
}

static void survives_lack_of_memory(struct fixture *f)
{
    (void)fiber_narrow_deadline(120000);
    test_oom_sweep(whole_life, f);
}
SESSION_TEST(survives_lack_of_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_its_server),
        cmocka_unit_test(test_socket_works),
        cmocka_unit_test(test_types_look_alike),
        cmocka_unit_test(test_values_arrive_exactly),
        cmocka_unit_test(test_counts_what_it_found),
        cmocka_unit_test(test_eight_megabytes_pass),
        cmocka_unit_test(test_errors_have_classes),
        cmocka_unit_test(test_wrong_count_is_not_sent),
        cmocka_unit_test(test_refusals_have_classes),
        cmocka_unit_test(test_silence_ends_at_the_timeout),
        cmocka_unit_test(test_deadline_ends_the_call),
        cmocka_unit_test(test_past_deadline_sends_nothing),
        cmocka_unit_test(test_interrupted_transaction_is_undone),
        cmocka_unit_test(test_cancelling_ends_the_call),
        cmocka_unit_test(test_killed_while_idle_is_noticed),
        cmocka_unit_test(test_killed_while_busy),
        cmocka_unit_test(test_kill_query_from_outside),
        cmocka_unit_test(test_stopped_server_ends_at_the_deadline),
#ifdef HAVE_MARIADB_ROW_LENGTH
        cmocka_unit_test(test_keeps_the_32_latest_statements),
#endif
        cmocka_unit_test(test_prepares_again_when_the_table_changes),
        cmocka_unit_test(test_unpreparable_runs_as_text),
        cmocka_unit_test(test_results_have_limits),
        cmocka_unit_test(test_too_long_a_statement_is_not_sent),
        cmocka_unit_test(test_several_results_are_refused),
        cmocka_unit_test(test_local_files_stay_here),
        cmocka_unit_test(test_many_sessions_share_a_loop),
        cmocka_unit_test(test_one_call_at_a_time),
        cmocka_unit_test(test_survives_lack_of_memory),
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

/* SPDX-License-Identifier: Apache-2.0 */
/* What the SQL client does without a server: values into text, effects by first word, error classes, cells into structs. */
#include "tests/lib/test.h"

#include <math.h>

#include "src/io/sql_session.h"

static const char *write_text(const char *text, const struct sql_value *values, unsigned n)
{
    static char buf[1024];
    struct str out;
    struct err e;

    str_init(&out, NULL);
    assert_ok(sql_text_write(&out, text, values, n, NULL, &e), &e);
    assert_true(out.n < sizeof buf);
    memcpy(buf, out.s, out.n + 1);
    str_fini(&out);
    return buf;
}

static void test_values_become_literals(void **state)
{
    struct { struct sql_value v; const char *literal; } const cases[] = {
        { SQL_V_NULL, "NULL" },
        { SQL_V_I(0), "0" },
        { SQL_V_I(-1), " -1" },
        { SQL_V_I(INT64_MIN), " -9223372036854775808" },
        { SQL_V_U(UINT64_MAX), "18446744073709551615" },
        { SQL_V_D(1.5), "1.5e0" },
        { SQL_V_D(-0.1), " -0.1e0" },
        { SQL_V_D(1e300), "1e+300" },
        { SQL_V_D(1.0 / 3), "0.3333333333333333e0" },
        { SQL_V_TIME(0), "'1970-01-01 00:00:00.000000'" },
        { SQL_V_TIME(-1), "'1969-12-31 23:59:59.999999'" },
        { SQL_V_TIME(1795161909123456), "'2026-11-20 08:05:09.123456'" },
        { SQL_V_TIME(INT64_MAX), "'9999-12-31 23:59:59.775807'" },
        { sql_v_s(NULL), "NULL" },
        { sql_v_s(""), "''" },
        { sql_v_s("it's \"so\" \\ \n\r\x1a% _ \xe4\xb8\xad"), "'it\\'s \\\"so\\\" \\\\ \\n\\r\\Z% _ \xe4\xb8\xad'" },
        { sql_v_bytes("a\0b", 3), "_binary'a\\0b'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(write_text("?", &cases[i].v, 1), cases[i].literal);
}

static void test_only_free_marks_are_places(void **state)
{
    struct { const char *text; unsigned n; const char *written; } const cases[] = {
        { "SELECT 1", 0, "SELECT 1" },
        { "a=? AND b=?", 2, "a=7 AND b=7" },
        { "'?' \"?\" `?` ?", 1, "'?' \"?\" `?` 7" },
        { "'it''s ?' ?", 1, "'it''s ?' 7" },
        { "'it\\'s ?' ?", 1, "'it\\'s ?' 7" },
        { "\"\\\"?\" ?", 1, "\"\\\"?\" 7" },
        { "`a\\` ?", 1, "`a\\` 7" },
        { "'\\\\' ?", 1, "'\\\\' 7" },
        { "/* ? ' */ ?", 1, "/* ? ' */ 7" },
        { "/*+ QUERY_TIMEOUT(1) ? */ ?", 1, "/*+ QUERY_TIMEOUT(1) ? */ 7" },
        { "-- ? '\n?", 1, "-- ? '\n7" },
        { "--\t?\n?", 1, "--\t?\n7" },
        { "# ?\n?", 1, "# ?\n7" },
        { "5--?", 1, "5--7" },
        { "5/?", 1, "5/7" },
        { "'open ?", 0, "'open ?" },
        { "/* open ?", 0, "/* open ?" },
        { "x\\", 0, "x\\" },
        { "'x\\", 0, "'x\\" },
    };
    struct sql_value seven[] = { SQL_V_I(7), SQL_V_I(7) };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sql_text_count(cases[i].text), cases[i].n);
        assert_string_equal(write_text(cases[i].text, seven, cases[i].n), cases[i].written);
    }
}

static void test_long_text_is_read_across_pieces(void **state)
{
    enum { N = 64 << 10 };
    struct sql_value seven = SQL_V_I(7);
    struct str text, out;
    struct err e;

    (void)state;
    for (size_t shift = 0; shift < 3; shift++) { /* the escape, its character and the closing quote fall on a border in turn */
        str_init(&text, NULL);
        str_init(&out, NULL);
        str_add_c(&text, '\'');
        while (text.n < N - 2 + shift)
            str_add_c(&text, 'x');
        str_add(&text, "\\'?'?");
        assert_int_equal(sql_text_count(text.s), 1);
        assert_ok(sql_text_write(&out, text.s, &seven, 1, NULL, &e), &e);
        assert_int_equal(out.n, text.n);
        assert_int_equal(memcmp(out.s, text.s, text.n - 1), 0);
        assert_int_equal(out.s[out.n - 1], '7');
        str_fini(&text);
        str_fini(&out);
    }
}

static void test_wrong_count_and_no_number_are_refused(void **state)
{
    struct sql_value values[] = { SQL_V_I(1), SQL_V_D(NAN) };
    struct str out;
    struct err e;

    (void)state;
    str_init(&out, NULL);
    assert_err(sql_text_write(&out, "?, ?, ?", values, 1, NULL, &e), &e, ERR_UNEXPECTED);
    assert_err(sql_text_write(&out, "'?'", values, 1, NULL, &e), &e, ERR_UNEXPECTED);
    assert_err(sql_text_write(&out, "?, ?", values, 2, NULL, &e), &e, ERR_UNEXPECTED);
    str_fini(&out);
}

static int writes(void *data)
{
    struct sql_value v = sql_v_s(data);
    struct str out;
    int rv;

    str_init(&out, NULL);
    rv = sql_text_write(&out, "INSERT INTO t VALUES (?)", &v, 1, NULL, NULL);
    str_fini(&out);
    return rv;
}

static void test_writing_survives_lack_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(writes, (char[]){ "'''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''" });
}

static void test_effect_follows_from_first_word(void **state)
{
    struct { const char *text; bool in_transaction, may_last, reads; } const cases[] = {
        { "SELECT 1", false, false, true },
        { " \n( select 1)", true, false, true },
        { "/* x */ -- y\n SHOW TABLES", false, false, true },
        { "SELECTED", false, true, false },
        { "INSERT INTO t VALUES (1)", false, true, false },
        { "INSERT INTO t VALUES (1)", true, false, false },
        { "UPDATE t SET a=1", true, false, false },
        { "CREATE TABLE x (a INT)", true, true, false },
        { "ALTER SYSTEM SET x=1", false, true, false },
        { "SET GLOBAL x=1", true, true, false },
        { "COMMIT", true, true, false },
        { "BEGIN", false, false, true },
        { "BEGIN", true, true, false },
        { "ROLLBACK", true, false, true },
        { "WITH a AS (SELECT 1) SELECT * FROM a", false, false, true },
        { "WITH RECURSIVE a(n) AS (SELECT ')' /* ( */ UNION ALL SELECT 2), `select` AS (SELECT 1)\nSELECT 1", false, false, true },
        { "WITH a AS (SELECT 1) UPDATE t SET a=1", false, true, false },
        { "with a AS (SELECT 1) UPDATE t SET a=1", true, false, false },
        { "WITH a AS (SELECT 1", false, true, false },
        { "", false, true, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sql_effect effect = sql_effect_of(cases[i].text, cases[i].in_transaction, false);

        assert_int_equal(effect.may_last, cases[i].may_last);
        assert_int_equal(effect.reads, cases[i].reads);
        assert_true(sql_effect_of(cases[i].text, cases[i].in_transaction, true).may_last);
    }
}

static void test_numbers_have_classes(void **state)
{
    struct { int number; const struct err_row *row, *in_commit; } const cases[] = {
        { 1213, &ERR_SQL_RETRY, &ERR_SQL_RETRY },     { 1205, &ERR_SQL_RETRY, &ERR_SQL_RETRY },
        { 6002, &ERR_SQL_RETRY, &ERR_SQL_RETRY },     { 6235, &ERR_SQL_RETRY, &ERR_SQL_RETRY },
        { 4012, &ERR_SQL_RETRY, &ERR_SQL_UNKNOWN },   { 1317, &ERR_SQL_RETRY, &ERR_SQL_UNKNOWN },
        { 2013, &ERR_SQL_LOST, &ERR_SQL_UNKNOWN },    { 2006, &ERR_SQL_LOST, &ERR_SQL_UNKNOWN },
        { 5066, &ERR_SQL_LOST, &ERR_SQL_UNKNOWN },    { 1927, &ERR_SQL_LOST, &ERR_SQL_UNKNOWN },
        { 1040, &ERR_SQL_LOST, &ERR_SQL_LOST },       { 2002, &ERR_SQL_LOST, &ERR_SQL_LOST },
        { 6222, &ERR_SQL_UNKNOWN, &ERR_SQL_UNKNOWN }, { 1062, &ERR_SQL_DUPLICATE, &ERR_SQL_DUPLICATE },
        { 1045, &ERR_SQL_DENIED, &ERR_SQL_DENIED },   { 1227, &ERR_SQL_DENIED, &ERR_SQL_DENIED },
        { 4688, &ERR_SQL_READONLY, &ERR_SQL_READONLY }, { 1290, &ERR_SQL_READONLY, &ERR_SQL_READONLY },
        { 1064, &ERR_SQL_FAILED, &ERR_SQL_FAILED },   { 5157, &ERR_SQL_FAILED, &ERR_SQL_FAILED },
        { 99999, &ERR_SQL_FAILED, &ERR_SQL_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ptr_equal(sql_classify(cases[i].number, false), cases[i].row);
        assert_ptr_equal(sql_classify(cases[i].number, true), cases[i].in_commit);
    }
    assert_true(sql_number_ends(2013));
    assert_false(sql_number_ends(1317));
}

struct thing {
    int64_t id, at;
    int n;
    bool on;
    double ratio;
    const char *name;
    struct slice raw;
};

static const struct sql_field thing_fields[] = {
    SQL_FIELD(thing, id, "id", SQL_C_INT64),       SQL_FIELD(thing, at, "at", SQL_C_TIME),
    SQL_FIELD(thing, n, "n", SQL_C_INT),           SQL_FIELD(thing, on, "on", SQL_C_BOOL),
    SQL_FIELD(thing, ratio, "ratio", SQL_C_DOUBLE), SQL_FIELD(thing, name, "name", SQL_C_TEXT),
    SQL_FIELD(thing, raw, "raw", SQL_C_BYTES),     SQL_FIELD_OPT(thing, n, "zone", SQL_C_INT),
    { .column = NULL },
};

static const char *const thing_columns[] = { "ID", "at", "n", "on", "ratio", "name", "raw" };

#define CELL(TEXT) { (TEXT), sizeof(TEXT) - 1 }
#define NULL_CELL { NULL, 0 }

static void test_rows_become_structs(void **state)
{
    const struct slice cells[] = {
        CELL("-5"), CELL("2026-11-20 08:05:09.123456"), CELL("7"), CELL("1"), CELL("2.50"), CELL("x"), CELL("a\0b"),
        NULL_CELL, NULL_CELL, NULL_CELL, NULL_CELL, NULL_CELL, NULL_CELL, NULL_CELL,
    };
    struct sql_rows rows = { .n_columns = 7, .n_rows = 2, .columns = thing_columns, .cells = cells, .peer = "db" };
    struct thing t[2] = { { 0 }, { .id = 42, .name = "kept" } };
    struct err e;

    (void)state;
    assert_ok(sql_fetch(&rows, thing_fields, sizeof t[0], t, &e), &e);
    assert_int_equal(t[0].id, -5);
    assert_int_equal(t[0].at, 1795161909123456);
    assert_int_equal(t[0].n, 7);
    assert_true(t[0].on);
    assert_true(t[0].ratio == 2.5);
    assert_string_equal(t[0].name, "x");
    assert_int_equal(t[0].raw.n, 3);
    assert_int_equal(t[1].id, 42);
    assert_string_equal(t[1].name, "kept");
}

static void test_misfits_are_named(void **state)
{
    struct { int column; struct slice value; } const misfits[] = {
        { 0, CELL("1.0") }, { 0, CELL("") }, { 0, CELL("9223372036854775808") }, { 1, CELL("0000-00-00 00:00:00") },
        { 2, CELL("2147483648") }, { 3, CELL("yes") }, { 4, CELL("x") }, { 5, CELL("a\0b") },
    };
    char text[400];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        struct slice cells[7] = { NULL_CELL };
        struct sql_rows rows = { .n_columns = 7, .n_rows = 1, .columns = thing_columns, .cells = cells, .peer = "db" };
        struct thing t = { 0 };

        cells[misfits[i].column] = misfits[i].value;
        assert_err(sql_fetch(&rows, thing_fields, sizeof t, &t, &e), &e, ERR_SQL_FAILED);
        assert_non_null(strstr(err_text(&e, ERR_EN, text, sizeof text), thing_fields[misfits[i].column].column));
        rows.n_columns = 6;
        assert_err(sql_fetch(&rows, thing_fields, sizeof t, &t, &e), &e, ERR_SQL_FAILED);
    }
}

static void test_cells_outside_are_null(void **state)
{
    const struct slice cells[] = { CELL("1") };
    struct sql_rows rows = { .n_columns = 1, .n_rows = 1, .columns = thing_columns, .cells = cells };
    int64_t v = 3;

    (void)state;
    assert_null(sql_text(&rows, 1, 0).s);
    assert_null(sql_text(&rows, 0, 1).s);
    assert_null(sql_text(&rows, 0, -1).s);
    assert_int_equal(sql_column(&rows, "nothing"), -1);
    assert_false(sql_i64(&rows, 0, -1, &v));
    assert_int_equal(v, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_become_literals),
        cmocka_unit_test(test_only_free_marks_are_places),
        cmocka_unit_test(test_long_text_is_read_across_pieces),
        cmocka_unit_test(test_wrong_count_and_no_number_are_refused),
        cmocka_unit_test(test_writing_survives_lack_of_memory),
        cmocka_unit_test(test_effect_follows_from_first_word),
        cmocka_unit_test(test_numbers_have_classes),
        cmocka_unit_test(test_rows_become_structs),
        cmocka_unit_test(test_misfits_are_named),
        cmocka_unit_test(test_cells_outside_are_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

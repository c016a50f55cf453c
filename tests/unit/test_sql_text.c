/* SPDX-License-Identifier: Apache-2.0 */
/* What the SQL client does without a server: values into text, effects by first word, error classes, cells into
 * structs. */
#include "tests/lib/test.h"

#include <math.h>
#include <stdlib.h>

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

static const char *binary_cell(enum enum_field_types type, unsigned flags, unsigned decimals, const void *bytes, size_t n)
{
    static struct sql_column column;
    MYSQL_FIELD field = { .type = type, .flags = flags, .decimals = decimals, .length = 6 };
    char packet[64] = { 0 };

    memcpy(packet + 2, bytes, n);
    if (!sql_binary_row((struct slice){ packet, n + 2 }, &field, &column, 1))
        return "malformed";
    column.text[column.cell.n] = '\0';
    return column.text;
}

static void test_numbers_look_as_servers_write_them(void **state)
{
    struct { double v; const char *text; } const doubles[] = {
        { 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { -1.5, "-1.5" }, { 0.1, "0.1" }, { 0.1 + 0.2, "0.30000000000000004" },
        { 100, "100" }, { 123456, "123456" }, { 1e14, "100000000000000" }, { 1e15, "1e15" }, { 123456789012345, "123456789012345" },
        { 1234567890123456, "1.234567890123456e15" }, { 123456789012345680, "1.2345678901234568e17" }, { 1e300, "1e300" },
        { 1e-15, "0.000000000000001" }, { 1e-16, "1e-16" }, { 1.25e-7, "0.000000125" }, { 5e-324, "5e-324" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" }, { 1.7976931348623157e308, "1.7976931348623157e308" },
    };
    struct { float v; const char *text; } const floats[] = {
        { 1.5f, "1.5" }, { 0.1f, "0.1" }, { 16777216, "16777200" }, { 3.4e38f, "3.4e38" }, { 0.333333f, "0.333333" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
        assert_string_equal(binary_cell(MYSQL_TYPE_DOUBLE, 0, 31, &doubles[i].v, 8), doubles[i].text);
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++)
        assert_string_equal(binary_cell(MYSQL_TYPE_FLOAT, 0, 31, &floats[i].v, 4), floats[i].text);
    assert_string_equal(binary_cell(MYSQL_TYPE_DOUBLE, 0, 3, &(double){ 1.2345 }, 8), "1.234");
    assert_int_equal(strlen(binary_cell(MYSQL_TYPE_DOUBLE, 0, 30, &(double){ -1e308 }, 8)), 341);
    assert_string_equal(binary_cell(MYSQL_TYPE_TINY, 0, 0, "\xff", 1), "-1");
    assert_string_equal(binary_cell(MYSQL_TYPE_TINY, UNSIGNED_FLAG, 0, "\xff", 1), "255");
    assert_string_equal(binary_cell(MYSQL_TYPE_LONG, ZEROFILL_FLAG | UNSIGNED_FLAG, 0, "\x2a\0\0\0", 4), "000042");
    assert_string_equal(binary_cell(MYSQL_TYPE_YEAR, UNSIGNED_FLAG, 0, "\0\0", 2), "0000");
}

static void test_times_look_as_servers_write_them(void **state)
{
    (void)state;
    assert_string_equal(binary_cell(MYSQL_TYPE_DATE, 0, 0, "\4\xea\x07\x0b\x14", 5), "2026-11-20");
    assert_string_equal(binary_cell(MYSQL_TYPE_DATE, 0, 0, "\0", 1), "0000-00-00");
    assert_string_equal(binary_cell(MYSQL_TYPE_DATETIME, 0, 0, "\4\xea\x07\x0b\x14", 5), "2026-11-20 00:00:00");
    assert_string_equal(binary_cell(MYSQL_TYPE_DATETIME, 0, 6, "\7\xea\x07\x0b\x14\1\2\3", 8), "2026-11-20 01:02:03.000000");
    assert_string_equal(binary_cell(MYSQL_TYPE_TIMESTAMP, 0, 3, "\x0b\xea\x07\x0b\x14\1\2\3\x40\xe2\1\0", 12), "2026-11-20 01:02:03.123");
    assert_string_equal(binary_cell(MYSQL_TYPE_TIME, 0, 0, "\0", 1), "00:00:00");
    assert_string_equal(binary_cell(MYSQL_TYPE_TIME, 0, 0, "\x08\1\x22\0\0\0\x16\x3b\x3b", 9), "-838:59:59");
    assert_string_equal(binary_cell(MYSQL_TYPE_TIME, 0, 1, "\x0c\0\0\0\0\0\1\2\3\x40\xe2\1\0", 13), "01:02:03.1");
    assert_string_equal(binary_cell(MYSQL_TYPE_DATETIME, 0, 0, "\5\xea\x07\x0b\x14\0", 6), "malformed");
    assert_string_equal(binary_cell(MYSQL_TYPE_TIME, 0, 0, "\7\0\0\0\0\0\0\0", 8), "malformed");
}

static void test_rows_that_are_cut_are_malformed(void **state)
{
    static const char packet[] = "\0\x20\2\x2a\0\0\0\0\0\0\0\3abc\xfc\3\0xyz\xfd\1\0\0q\xfe\1\0\0\0\0\0\0\0r\4\xea\x07\x0b\x14";
    const enum enum_field_types types[] = { MYSQL_TYPE_LONGLONG, MYSQL_TYPE_STRING, MYSQL_TYPE_BLOB, MYSQL_TYPE_LONG_BLOB,
                                            MYSQL_TYPE_JSON, MYSQL_TYPE_DATE, MYSQL_TYPE_LONG, MYSQL_TYPE_LONG };
    MYSQL_FIELD fields[8] = { { .name = NULL } };
    struct sql_column columns[8];
    char *copy;

    (void)state;
    for (int i = 0; i < 8; i++)
        fields[i].type = types[i];
    /* the 4th and the 8th are NULL: bits 5 and 9 */
    for (size_t n = 0; n < sizeof packet - 1; n++) {
        copy = malloc(n + 1); /* so that AddressSanitizer sees its end */
        memcpy(copy, packet, n);
        assert_false(sql_binary_row((struct slice){ copy, n }, fields, columns, 8));
        free(copy);
    }
    fields[3].type = MYSQL_TYPE_NULL;
    assert_false(sql_binary_row((struct slice){ packet, sizeof packet }, fields, columns, 8)); /* and those that are too long */
    assert_false(sql_binary_row((struct slice){ "\0\0\xfe\xff\xff\xff\xff\xff\xff\xff\xff", 11 }, &fields[1], columns, 1));
    assert_false(sql_binary_row((struct slice){ "\0\0\xfb", 3 }, &fields[1], columns, 1));
    assert_true(sql_binary_row((struct slice){ "\0\4", 2 }, &fields[1], columns, 1));
    assert_null(columns[0].cell.s);
}

static void test_greetings_are_looked_at(void **state)
{
    static const char greeting[] = "\x4a\0\0\0\x0a" "5.7.25\0\1\0\0\0" "12345678\0\xff\xff\x2d\2\0\xff\0\x15\0\0\0\0\0\0\0\0\0\0"
                                   "123456789012\0mysql_native_password";
    unsigned char g[sizeof greeting];

    (void)state;
    memcpy(g, greeting, sizeof g);
    assert_int_equal(sizeof g, 4 + 0x4a);
    assert_int_equal(sql_greeting(g, sizeof g), 1);
    for (size_t n = 0; n < sizeof g; n++)
        assert_int_equal(sql_greeting(g, n), 0);
    g[4] = 9;
    assert_int_equal(sql_greeting(g, sizeof g), -1);
    memset(g + 4, 10, sizeof g - 4); /* a version without end */
    assert_int_equal(sql_greeting(g, sizeof g), -1);
    assert_int_equal(sql_greeting((const unsigned char *)"\x17\0\0\0\xff\x10\x04Too many connections", 27), 1);
    assert_int_equal(sql_greeting((const unsigned char *)"\x04\0\0\0\xff\xff\xffx", 8), -1);
    assert_int_equal(sql_greeting((const unsigned char *)"HTTP/1.1", 8), -1);
    assert_int_equal(sql_greeting((const unsigned char *)"\0\0\0\0\0", 5), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greetings_are_looked_at),
        cmocka_unit_test(test_numbers_look_as_servers_write_them),
        cmocka_unit_test(test_times_look_as_servers_write_them),
        cmocka_unit_test(test_rows_that_are_cut_are_malformed),
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

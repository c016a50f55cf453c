/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated kernel's dialect, rewritten for SQLite. */
#include "tests/lib/test.h"

#include "tests/obsim/lex.h"
#include "tests/obsim/prepass.h"

static const char *run(const struct prepass *mode, const char *sql, struct str *out, bool *unqualified)
{
    static const char *const names[] = { [PREPASS_SYNTAX] = "syntax", [PREPASS_SEVERAL] = "several" };
    enum prepass_result result;
    struct slice near;

    str_init(out, NULL);
    result = prepass_run(mode, (struct slice){ sql, strlen(sql) }, out, unqualified, &near);
    return result == PREPASS_OK ? str_c(out) : names[result];
}

static void check_mode(const struct prepass *mode, const char *sql, const char *expected)
{
    bool unqualified;
    struct str out;

    assert_string_equal(run(mode, sql, &out, &unqualified), expected);
    str_fini(&out);
}

static void check(const char *sql, const char *expected)
{
    check_mode(&(struct prepass){ 0 }, sql, expected);
}

static void test_quotes(void **state)
{
    (void)state;
    check("SELECT 'it''s', \"say \\\"hi\\\"\"", "SELECT 'it''s', 'say \"hi\"'");
    check("SELECT 'a\\'b\\\\', `x``y` FROM d.`t\"u`", "SELECT 'a''b\\', \"x`y\" FROM d.\"t\"\"u\"");
    check("SELECT a.transaction, nothing", "SELECT a.\"transaction\", \"nothing\"");
    check("SELECT 'a\\0b'", "SELECT CAST(x'610062' AS TEXT)");
    check_mode(&(struct prepass){ .lex_flags = LEX_ANSI_QUOTES }, "SELECT \"x\"", "SELECT \"x\"");
    check_mode(&(struct prepass){ .lex_flags = LEX_NO_BACKSLASH }, "SELECT 'a\\'", "SELECT 'a\\'");
}

static void test_comments_are_left_out(void **state)
{
    (void)state;
    check("SELECT /*+ READ_CONSISTENCY(WEAK) */ 1 # rest\n + 2 -- more", "SELECT 1 + 2");
    check("SELECT 1 /* open", "syntax");
}

static void test_operators(void **state)
{
    (void)state;
    check("SELECT a && b, a || b, !a, a <=> b", "SELECT a  AND  b, a  OR  b,  NOT a, a  IS  b");
    check_mode(&(struct prepass){ .pipes_concat = true }, "SELECT a || b", "SELECT a || b");
    check("SELECT 7/2, 7 DIV 2, 7 MOD 2, a RLIKE 'x'", "SELECT 7*1.0/2, 7 / 2, 7 % 2, a REGEXP 'x'");
    check("SELECT a := 1", "syntax");
}

static void test_variables(void **state)
{
    (void)state;
    check("SELECT @@version_comment, @@GLOBAL.autocommit, @x", "SELECT sysvar('version_comment'), sysvar('autocommit','GLOBAL'), NULL");
    check("SELECT @@", "syntax");
}

static void test_functions_that_sqlite_reads_otherwise(void **state)
{
    (void)state;
    check("SELECT LEFT(a, 2), IF(a, 1, 2), CONCAT(a, b)", "SELECT mysql_LEFT(a, 2), mysql_IF(a, 1, 2), CONCAT(a, b)");
    check("SELECT TRIM(BOTH 'x' FROM SUBSTRING(a, 1))", "SELECT mysql_TRIM('BOTH',  'x' , mysql_SUBSTRING(a, 1))");
    check("SELECT TRIM(a), TRIM('x' FROM a)", "SELECT mysql_TRIM(a), mysql_TRIM('BOTH', 'x' , a)");
    check("SELECT CAST(a AS UNSIGNED), CAST(a AS CHAR(3)), CAST(a AS DECIMAL(10,2))",
          "SELECT CAST(a AS INTEGER), CAST(a AS TEXT), CAST(a AS REAL)");
    check("SELECT TIMESTAMPDIFF(SECOND, a, b)", "SELECT TIMESTAMPDIFF('SECOND', a, b)");
    check("SELECT a LEFT JOIN b", "SELECT a LEFT JOIN b");
    check("SELECT GROUP_CONCAT(a SEPARATOR ';') FROM DUAL", "SELECT GROUP_CONCAT(a , ';') ");
    check("SELECT CURRENT_TIMESTAMP", "SELECT NOW()");
}

static void test_intervals(void **state)
{
    (void)state;
    check("SELECT NOW(6) - INTERVAL 5 MINUTE", "SELECT DATE_SUB(NOW(6) ,( 5),'MINUTE')");
    check("SELECT 1 + t.a + INTERVAL (b + 1) DAY", "SELECT 1 + DATE_ADD(t.a ,( (b + 1)),'DAY')");
    check("SELECT DATE_SUB(a, INTERVAL 1 HOUR)", "SELECT DATE_SUB(a, ( 1),'HOUR')");
    check("SELECT INTERVAL 1 DAY", "syntax");
    check("SELECT a - INTERVAL 1", "syntax");
}

static void test_members_of_unions_in_parentheses(void **state)
{
    (void)state;
    check("(SELECT 1) UNION ALL (SELECT 2)", "SELECT * FROM (SELECT 1) UNION ALL SELECT * FROM (SELECT 2)");
    check("SELECT (SELECT 1)", "SELECT (SELECT 1)");
    check("SELECT 1)", "syntax");
    check("SELECT (1", "syntax");
}

static void test_one_statement_alone(void **state)
{
    (void)state;
    check("SELECT 1;", "SELECT 1");
    check("SELECT 1; SELECT 2", "several");
}

static void check_unqualified(const char *sql, bool expected)
{
    bool unqualified;
    struct str out;

    (void)run(&(struct prepass){ 0 }, sql, &out, &unqualified);
    assert_int_equal(unqualified, expected);
    str_fini(&out);
}

static void test_tables_without_a_database_are_noticed(void **state)
{
    (void)state;
    check_unqualified("SELECT * FROM DBA_OB_ZONES", true);
    check_unqualified("SELECT * FROM oceanbase.a JOIN `b` ON 1", true);
    check_unqualified("SELECT * FROM oceanbase.DBA_OB_ZONES z WHERE z.zone = 'x'", false);
    check_unqualified("SELECT * FROM (SELECT 1) t", false);
    check_unqualified("WITH x AS (SELECT 1) SELECT * FROM x", false);
    check_unqualified("WITH x(a) AS (SELECT 1), y AS (SELECT 2) SELECT * FROM X JOIN Y", false);
    check_unqualified("SELECT 1 FROM DUAL", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_comments_are_left_out),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_functions_that_sqlite_reads_otherwise),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_members_of_unions_in_parentheses),
        cmocka_unit_test(test_one_statement_alone),
        cmocka_unit_test(test_tables_without_a_database_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/obsim_tests.h"

#include <stdlib.h>

#include "tests/obsim/like.h"
#include "tests/obsim/parse.h"

/* Tokens as text: kind letter and content, blanks between. */
static char *tokens(const char *sql, unsigned flags)
{
    static const char letters[] = "EWQSN?MB";
    static char text[1024];
    struct arena arena;
    struct lex lex;
    size_t at = 0;

    arena_init(&arena);
    assert_true(lex_all(sim_slice(sql), flags, &arena, &lex));
    for (size_t i = 0; i + 1 < lex.n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%c:%.*s", i > 0 ? " " : "", letters[lex.tokens[i].kind], SLICE_FMT(lex.tokens[i].text));
    assert_int_equal(lex.tokens[lex.n - 1].kind, LEX_END);
    text[at] = '\0';
    arena_fini(&arena);
    return text;
}

static void reads_tokens(void **state)
{
    static const struct {
        const char *sql, *want;
        unsigned flags;
    } rows[] = {
        { "", "", 0 },
        { "select 1", "W:select N:1", 0 },
        { "a.b", "W:a M:. W:b", 0 },
        { "`a``b`", "Q:a`b", 0 },
        { "'it''s' \"x\"\"y\"", "S:it's S:x\"y", 0 },
        { "'a\\'b\\n\\%\\_\\x'", "S:a'b\n\\%\\_x", 0 },
        { "'a\\' 1", "S:a\\ N:1", LEX_NO_BACKSLASH },
        { "\"a\"", "Q:a", LEX_ANSI_QUOTES },
        { "1.5 .5 1e3 1.e-2 0x1F 4G 1_a", "N:1.5 N:.5 N:1e3 N:1.e-2 N:0x1F W:4G W:1_a", 0 },
        { "/* c */ a -- x\n b # y\n c --", "W:a W:b W:c", 0 },
        { "a--1", "W:a M:- M:- N:1", 0 },
        { "/*+ READ_CONSISTENCY(WEAK) */ a", "W:a", 0 },
        { "/*!40101 SET */ a", "W:SET W:a", 0 },
        { "/*! a", "W:a B:", 0 },
        { "a /* b", "W:a B:", 0 },
        { "'a", "B:'a", 0 },
        { "`a", "B:`a", 0 },
        { "a:=1 <=> <> != >= <= || && @@x @y ? ; ( )", "W:a M::= N:1 M:<=> M:<> M:!= M:>= M:<= M:|| M:&& M:@@ W:x M:@ W:y ?:? M:; M:( M:)", 0 },
        { "GV$OB_SERVERS \xc3\xa4", "W:GV$OB_SERVERS W:\xc3\xa4", 0 },
        { "\x01", "B:\x01", 0 },
        { "0x", "B:0x", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(tokens(rows[i].sql, rows[i].flags), rows[i].want);
}

static void likes(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool is;
    } rows[] = {
        { "%", "", true },           { "", "", true },           { "", "a", false },          { "a%c", "ABBC", true },
        { "a_c", "abc", true },      { "a_c", "ac", false },     { "a\\_c", "a_c", true },    { "a\\_c", "abc", false },
        { "%port", "mysql_port", true }, { "%a%b", "aab", true }, { "%a%b", "aac", false },   { "a\\", "a\\", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (sim_like(sim_slice(rows[i].pattern), sim_slice(rows[i].text)) != rows[i].is)
            fail_msg("'%s' LIKE '%s'", rows[i].text, rows[i].pattern);
}

static void knows_reserved_words(void **state)
{
    (void)state;
    assert_true(parse_is_reserved(SLICE("Select")));
    assert_true(parse_is_reserved(SLICE("ADD")));
    assert_true(parse_is_reserved(SLICE("zerofill")));
    assert_false(parse_is_reserved(SLICE("zone")));
    assert_false(parse_is_reserved(SLICE("SEL")));
    assert_false(parse_is_reserved(SLICE("SELECTS")));
}

static void knows_what_the_select_engine_answers(void **state)
{
    (void)state;
    assert_true(command_is_select(SLICE(" /* x */ select 1")));
    assert_true(command_is_select(SLICE("((SELECT 1))")));
    assert_true(command_is_select(SLICE("WITH a AS (SELECT 1) SELECT * FROM a")));
    assert_false(command_is_select(SLICE("SHOW DATABASES")));
    assert_false(command_is_select(SLICE("`select` 1")));
    assert_false(command_is_select(SLICE("")));
}

/* Whatever it is, it is an error of the grammar. */
static void what_is_no_statement_is_1064(void **state)
{
    static const struct rig_row rows[] = {
        { 1064, "EXPLAIN SELECT 1" },     { 1064, "SHUTDOWN" },         { 1064, "ALTER SYSTEM" },      { 1064, "ALTER SYSTEM DANCE" },
        { 1064, "SHOW MASTER STATUS" },   { 1064, "FOO" },              { 1064, "SET" },               { 1064, "SET a" },
        { 1064, "KILL" },                 { 1064, "KILL x" },           { 1064, "SHOW" },              { 1064, "CREATE" },
        { 1064, "BEGIN; BEGIN" },         { 1064, "BEGIN x" },          { 1064, "'a'" },               { 1064, "SHOW DATABASES LIKE" },
        { 1065, "" },                     { 1065, " ; " },              { 1065, "/* nothing */" },     { 0, "BEGIN;" },
        { 0, "begin" },                   { 0, "/*+ hint */ COMMIT" },  { 0, "RollBack # done" },      { 0, "/*!40101 COMMIT */;" },
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 1);
    RIG_SCRIPT(&r, &r.sys, rows);
    rig_expect(&r, &r.sys, 1064, "ALTER SYSTEM\nSET foo bar");
    assert_string_equal(r.reply.sqlstate, "42000");
    assert_non_null(strstr(r.reply.text, "near 'bar' at line 2"));
    rig_fini(&r);
}

const struct CMUnitTest obsim_lex_tests[] = {
    cmocka_unit_test(reads_tokens),
    cmocka_unit_test(likes),
    cmocka_unit_test(knows_reserved_words),
    cmocka_unit_test(knows_what_the_select_engine_answers),
    cmocka_unit_test(what_is_no_statement_is_1064),
    { NULL, NULL, NULL, NULL, NULL },
};

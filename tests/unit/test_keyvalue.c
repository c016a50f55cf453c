/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "conf/keyvalue.h"

/* Reads `text` and shows each line as "line|key|value|reason;". */
static void check(const char *text, const char *expected)
{
    char copy[512];
    struct keyvalue_line line;
    struct keyvalue r;
    struct str t;

    str_init(&t, NULL);
    memcpy(copy, text, strlen(text) + 1);
    keyvalue_init(&r, copy, strlen(text));
    while (keyvalue_next(&r, &line))
        str_printf(&t, "%u|%.*s|%.*s|%s;", line.line, SLICE_FMT(line.key), SLICE_FMT(line.value), line.bad != NULL ? line.bad : "");
    assert_string_equal(str_c(&t), expected);
    str_fini(&t);
}

static void test_pairs(void **state)
{
    (void)state;
    check("", "");
    check("\n \n# comment = 1\n   # another\n", "");
    check("a=1", "1|a|1|;");
    check("\xef\xbb\xbf" "a = 1\r\n\tb.c =\tx y \r\n\nd=\n", "1|a|1|;2|b.c|x y|;4|d||;");
    check("password = a ;b # c = d", "1|password|a ;b # c = d|;");
}

static void test_quoted_values(void **state)
{
    (void)state;
    check("a = \" x \"", "1|a| x |;");
    check("a = \"\"", "1|a||;");
    check("a = \"say \\\"hi\\\" \\\\ \\t\\n.\"\nb = 2", "1|a|say \"hi\" \\ \t\n.|;2|b|2|;");
    check("a = x\"y\"", "1|a|x\"y\"|;");
}

static void test_bad_lines_do_not_end_the_reading(void **state)
{
    (void)state;
    check("nonsense\nb = 2", "1|nonsense||there is no '=': a line is `key = value`;2|b|2|;");
    check(" = 5", "1|||there is no key before the '=';");
    check("a = \"x\nb = 2", "1|a||the closing quote is missing;2|b|2|;");
    check("a = \"x\" # y", "1|a||there is text after the closing quote;");
    check("a = \"\\q\"", "1|a||a backslash in a quoted value must be followed by \" \\ n or t;");
    check("a = \"\\", "1|a||a backslash in a quoted value must be followed by \" \\ n or t;");
}

static void test_nul_bytes_are_refused(void **state)
{
    char text[] = "a = 1\0 2\nb = 3";
    struct keyvalue_line line;
    struct keyvalue r;

    (void)state;
    keyvalue_init(&r, text, sizeof text - 1);
    assert_true(keyvalue_next(&r, &line));
    assert_non_null(line.bad);
    assert_true(keyvalue_next(&r, &line));
    assert_true(slice_is(line.key, "b") && slice_is(line.value, "3") && line.bad == NULL && line.line == 2);
    assert_false(keyvalue_next(&r, &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_quoted_values),
        cmocka_unit_test(test_bad_lines_do_not_end_the_reading),
        cmocka_unit_test(test_nul_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

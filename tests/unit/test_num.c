/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/num.h"

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static void test_integers(void **state)
{
    static const char *const wrong[] = { "", "-", "+1", " 1", "1 ", "0x1", "1.0", "1e3", "9223372036854775808", "-9223372036854775809" };
    int64_t v = 7;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(num_parse_i64(text(wrong[i]), &v));
    assert_false(num_parse_i64((struct slice){ "1\0", 2 }, &v));
    assert_int_equal(v, 7);
    assert_true(num_parse_i64(text("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(num_parse_i64(text("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(num_parse_i64(text("-0"), &v) && v == 0);
    assert_true(num_parse_i64((struct slice){ "123", 2 }, &v) && v == 12);
    assert_false(num_parse_i64_in(text("11"), 1, 10, &v));
    assert_true(num_parse_i64_in(text("10"), 1, 10, &v) && v == 10);
}

static void test_doubles(void **state)
{
    static const char *const wrong[] = { "", "-", ".5", "5.", "1e", "1e+", "01", "nan", "inf", "0x1p3", "1e999", "1,5", " 1", "--1" };
    double v = 7;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(num_parse_double(text(wrong[i]), &v));
    assert_true(v == 7);
    assert_true(num_parse_double(text("-0.8"), &v) && v == -0.8);
    assert_true(num_parse_double(text("25e-1"), &v) && v == 2.5);
    assert_true(num_parse_double(text("0"), &v) && v == 0);
}

static void test_booleans(void **state)
{
    bool v = false;

    (void)state;
    assert_true(num_parse_bool(text("TRUE"), &v) && v);
    assert_true(num_parse_bool(text("Off"), &v) && !v);
    assert_true(num_parse_bool(text("1"), &v) && v);
    assert_false(num_parse_bool(text(""), &v));
    assert_false(num_parse_bool(text("true "), &v));
    assert_false(num_parse_bool(text("2"), &v));
}

static void test_durations(void **state)
{
    static const char *const wrong[] = { "", "5", "s", "-5s", "5 ", "5  s", "5S", "1.5h", "5 m s", "9223372036854775807s", "5 minutes" };
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = { { "0", 0 }, { "0s", 0 }, { "250ms", 250 }, { "30 s", 30000 }, { "30 m", 1800000 }, { "2min", 120000 },
                 { "24h", 86400000 }, { "7d", 604800000 } };
    int64_t v = 7;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(num_parse_duration_ms(text(wrong[i]), &v));
    assert_int_equal(v, 7);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(num_parse_duration_ms(text(good[i].text), &v));
        assert_int_equal(v, good[i].ms);
    }
}

static void test_sizes(void **state)
{
    static const char *const wrong[] = { "", "B", "-1", "1 ", "1KBB", "1P", "9999999T", "1.5M" };
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = { { "0", 0 }, { "17", 17 }, { "17B", 17 }, { "64k", 65536 }, { "100 MB", 104857600 }, { "1GiB", 1073741824 },
                 { "2t", 2199023255552 } };
    int64_t v = 7;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(num_parse_size(text(wrong[i]), &v));
    assert_int_equal(v, 7);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(num_parse_size(text(good[i].text), &v));
        assert_int_equal(v, good[i].bytes);
    }
}

static void test_values_are_written_in_the_largest_unit(void **state)
{
    static const int64_t values[] = { 0, 1, 999, 1000, 90000, 120000, 7200000, 604800000, 1023, 1024, 1536, 1 << 20, INT64_C(5) << 40 };
    struct str t;
    int64_t v;

    (void)state;
    str_init(&t, NULL);
    num_add_duration(&t, 90000);
    num_add_duration(&t, 7200000);
    num_add_duration(&t, 1001);
    num_add_size(&t, 65536);
    num_add_size(&t, 1025);
    assert_string_equal(str_c(&t), "90s2h1001ms64KiB1025B");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        str_clear(&t);
        num_add_duration(&t, values[i]);
        assert_true(num_parse_duration_ms(text(str_c(&t)), &v) && v == values[i]);
        str_clear(&t);
        num_add_size(&t, values[i]);
        assert_true(num_parse_size(text(str_c(&t)), &v) && v == values[i]);
    }
    str_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),  cmocka_unit_test(test_doubles), cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_durations), cmocka_unit_test(test_sizes),   cmocka_unit_test(test_values_are_written_in_the_largest_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

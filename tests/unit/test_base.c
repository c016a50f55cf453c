/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <unistd.h>

#include "src/base/arena.h"
#include "src/base/str.h"

static void test_err_text_fills_in_arguments(void **state)
{
    char text[256];
    struct err e;

    (void)state;
    (void)err_set(&e, &ERR_NOT_FOUND, "%s", "host");
    assert_int_equal(err_arg(&e, "%d", 7), 1002);
    assert_string_equal(err_text(&e, ERR_EN, text, sizeof text), "The host 7 does not exist.");
    assert_int_equal(err_wrap(&e, "find host"), 1002);
    assert_int_equal(err_wrap(&e, "list hosts"), 1002);
    assert_string_equal(err_log_text(&e, text, sizeof text), "list hosts: find host: The host 7 does not exist.");
}

static void test_err_text_has_no_control_characters(void **state)
{
    char text[128];
    struct err e;

    (void)state;
    (void)err_set(&e, &ERR_NOT_FOUND, "%s", "host\n");
    (void)err_arg(&e, "%s", "a\x1b[31m\x07\xc2\x9b" "b\xc3\xa9");
    assert_string_equal(err_text(&e, ERR_EN, text, sizeof text), "The host  a?[31m???b\xc3\xa9 does not exist.");
}

static void test_err_text_is_cut_between_characters(void **state)
{
    char text[16];
    struct err e;

    (void)state;
    (void)err_set(&e, &ERR_NOMEM, "");
    (void)err_text(&e, ERR_ZH, text, sizeof text);
    assert_string_equal(text, "服务内存不");
}

static void test_arena_grows_and_aligns(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t n = 1; n < 20000; n = n * 3 + 1) {
        char *p = arena_alloc(&a, n);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        memset(p, 'x', n);
    }
    assert_string_equal(arena_printf(&a, "%d-%s", 5, "x"), "5-x");
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    assert_null(arena_array(&a, SIZE_MAX, 2));
    arena_fini(&a);
}

static int builds_text(void *data)
{
    struct str t;
    int rv = 0;

    (void)data;
    str_init(&t, NULL);
    for (int i = 0; i < 100; i++)
        str_printf(&t, "%d,", i);
    if (str_failed(&t))
        rv = ERR_NOMEM.code;
    else
        assert_int_equal(t.n, strlen(str_c(&t)));
    str_fini(&t);
    return rv;
}

static void test_str_survives_failing_memory(void **state)
{
    (void)state;
    test_oom_sweep(builds_text, NULL);
}

static void test_str_writes_numbers(void **state)
{
    struct str t;

    (void)state;
    str_init(&t, NULL);
    str_add_i64(&t, INT64_MIN);
    str_add_c(&t, ' ');
    str_add_u64(&t, UINT64_MAX);
    str_add_c(&t, ' ');
    str_add_hex(&t, "\x00\xab", 2);
    assert_string_equal(str_c(&t), "-9223372036854775808 18446744073709551615 00ab");
    str_fini(&t);
}

static void test_slices_are_cut(void **state)
{
    struct slice rest = SLICE("a,,b");

    (void)state;
    assert_true(slice_is(slice_cut(&rest, ','), "a"));
    assert_true(slice_is(slice_cut(&rest, ','), ""));
    assert_true(slice_is(slice_cut(&rest, ','), "b"));
    assert_int_equal(rest.n, 0);
    assert_true(slice_is(slice_trim(SLICE(" \t x ")), "x"));
}

/* What nobody filled in: a length of 0, and no bytes. */
static void test_an_empty_slice_may_point_nowhere(void **state)
{
    struct slice nothing = { NULL, 0 };

    (void)state;
    mem_wipe(NULL, 0);
    assert_true(slice_is(nothing, "") && slice_is_nocase(nothing, "") && slice_starts(nothing, ""));
    assert_false(slice_is(nothing, "a") || slice_is_nocase(nothing, "a") || slice_starts(nothing, "a"));
}

static void test_times_are_written_and_read(void **state)
{
    static const char *const same[] = { "2026-11-20T08:05:09.123Z",      "2026-11-20T08:05:09.123000",
                                        "2026-11-20T16:05:09.123+08:00", "2026-11-20T16:05:09.123 08:00",
                                        "2026-11-20 03:05:09.123-0500" };
    static const char *const wrong[] = { "", "2026-13-01T00:00:00Z", "2026-11-20", "2026-11-20T08:05:09.Z", "2026-11-20T08:05:09Zx" };
    char text[CLOCK_TEXT_SIZE];
    int64_t us;

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_true(clock_parse_iso((struct slice){ same[i], strlen(same[i]) }, &us));
        assert_string_equal(clock_iso(us, CLOCK_Z, text), "2026-11-20T08:05:09.123Z");
    }
    assert_string_equal(clock_iso(us, 480, text), "2026-11-20T16:05:09.123+08:00");
    assert_string_equal(clock_iso(us, 0, text), "2026-11-20T08:05:09.123+00:00");
    assert_string_equal(clock_http_date(us, text), "Fri, 20 Nov 2026 08:05:09 GMT");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(clock_parse_iso((struct slice){ wrong[i], strlen(wrong[i]) }, &us));
}

static void read_log(int fd, char *text, size_t size)
{
    ssize_t n = read(fd, text, size - 1);

    assert_true(n > 0);
    text[n] = '\0';
}

static void test_log_lines(void **state)
{
    struct clock_fake clock;
    struct log_sink sink = { .level = LOG_INFO, .clock = &clock.clock };
    struct log log, child;
    char text[1024];
    struct err e;
    int fds[2];

    (void)state;
    clock_fake_init(&clock, 0, 1795161909123000);
    assert_int_equal(pipe(fds), 0);
    sink.fd = fds[1];
    log_init(&log, &sink);
    log_child(&child, &log, "cluster", "c 1");
    log_debug(&child, "not wanted");
    (void)err_set(&e, &ERR_INVALID, "port \"x\"\n");
    log_info(&child, "port refused", LOG_S("peer", "10.0.0.1:2881"), LOG_I("tries", -3), LOG_E(&e));
    read_log(fds[0], text, sizeof text);
    assert_string_equal(text, "time=2026-11-20T08:05:09.123Z level=info msg=\"port refused\" cluster=\"c 1\" peer=10.0.0.1:2881 tries=-3 "
                              "error=\"Illegal argument: port \\\"x\\\" .\"\n");
    sink.format = LOG_JSON;
    log_init(&log, &sink);
    log_child(&child, &log, "node", "n1");
    log_warn(&child, "odd", LOG_S("k", ""));
    read_log(fds[0], text, sizeof text);
    assert_string_equal(text, "{\"time\":\"2026-11-20T08:05:09.123Z\",\"level\":\"warn\",\"msg\":\"odd\",\"node\":\"n1\",\"k\":\"\"}\n");
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_text_fills_in_arguments),
        cmocka_unit_test(test_err_text_is_cut_between_characters),
        cmocka_unit_test(test_err_text_has_no_control_characters),
        cmocka_unit_test(test_arena_grows_and_aligns),
        cmocka_unit_test(test_str_survives_failing_memory),
        cmocka_unit_test(test_str_writes_numbers),
        cmocka_unit_test(test_slices_are_cut),
        cmocka_unit_test(test_an_empty_slice_may_point_nowhere),
        cmocka_unit_test(test_times_are_written_and_read),
        cmocka_unit_test(test_log_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* When schedules are due (cron.h). */
#include <string.h>

#include "src/base/clock.h"
#include "src/base/cron.h"
#include "src/base/field.h"
#include "src/task/schedules.h"
#include "tests/lib/test.h"

static int parse(const char *text, struct cron *c, struct err *e)
{
    return cron_parse((struct slice){ text, strlen(text) }, c, e);
}

static int64_t at(const char *text)
{
    int64_t us;

    assert_true(clock_parse_iso((struct slice){ text, strlen(text) }, &us));
    return us;
}

/* The next times after `from`, at `offset_min`. */
static const struct {
    const char *cron, *from, *next[4];
    int offset_min;
} times[] = {
    { "0 0 * * * *", "2026-11-21T08:00:00Z", { "2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z" }, 0 },
    { "*/10 * * * * *", "2026-11-21T08:00:55.5Z", { "2026-11-21T08:01:00Z", "2026-11-21T08:01:10Z" }, 0 },
    { "0 0 8-10 * * *", "2026-11-21T08:30:00Z", { "2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z", "2026-11-22T08:00:00Z" }, 0 },
    { "0 0/30 8-10 * * *", "2026-11-21T08:00:00Z", { "2026-11-21T08:30:00Z", "2026-11-21T09:00:00Z", "2026-11-21T09:30:00Z" }, 0 },
    { "0 0 9-17 * * MON-FRI", "2026-11-20T17:00:00Z", { "2026-11-23T09:00:00Z" }, 0 },
    { "0 0 9-17 * * 1-5", "2026-11-20T16:59:59Z", { "2026-11-20T17:00:00Z", "2026-11-23T09:00:00Z" }, 0 },
    { "0 0 0 25 12 ?", "2026-11-21T00:00:00Z", { "2026-12-25T00:00:00Z", "2027-12-25T00:00:00Z" }, 0 },
    { "0 0 1 * * *", "2026-11-21T16:59:59Z", { "2026-11-21T17:00:00Z", "2026-11-22T17:00:00Z" }, 480 },
    { "30 0/1 * * * ?", "2026-12-31T23:59:30Z", { "2027-01-01T00:00:30Z" }, 0 },
    { "0 0 0 29 feb *", "2026-01-01T00:00:00Z", { "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z" }, 0 },
    { "0 0 0 ? * sun", "2026-11-21T00:00:00Z", { "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z" }, 0 },
    { "1,3-5,58/1 0 0 1 1 *", "2026-01-01T00:00:00Z",
      { "2026-01-01T00:00:01Z", "2026-01-01T00:00:03Z", "2026-01-01T00:00:04Z", "2026-01-01T00:00:05Z" }, 0 },
    { "0 0 0 1 1 *", "1969-06-01T00:00:00Z", { "1970-01-01T00:00:00Z" }, 0 },
};

static void the_next_time_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t now = at(times[i].from);
        struct cron c;
        struct err e;

        assert_ok(parse(times[i].cron, &c, &e), &e);
        for (unsigned k = 0; k < 4 && times[i].next[k] != NULL; k++) {
            char want[CLOCK_TEXT_SIZE], got[CLOCK_TEXT_SIZE];

            now = cron_next(&c, now, times[i].offset_min);
            assert_string_equal(clock_iso(now, CLOCK_Z, got), clock_iso(at(times[i].next[k]), CLOCK_Z, want));
        }
    }
}

static void a_time_that_never_comes_is_told(void **state)
{
    struct cron c;
    struct err e;

    (void)state;
    assert_ok(parse("0 0 0 30 2 *", &c, &e), &e);
    assert_int_equal(cron_next(&c, at("2026-01-01T00:00:00Z"), 0), -1);
}

static void wrong_schedules_are_refused(void **state)
{
    static const char *const wrong[] = {
        "", "*", "* * * * *", "* * * * * * *", "60 * * * * *", "* 60 * * * *", "* * 24 * * *", "* * * 0 * *", "* * * 32 * *", "* * * * 0 *",
        "* * * * 13 *", "* * * * * 0", "* * * * * 8", "? * * * * *", "* * * * ? *", "5-3 * * * * *", "*/0 * * * * *", "*/60 * * * * *", "a * * * * *",
        "1, * * * * *", ",1 * * * * *", "1,,2 * * * * *", "1- * * * * *", "-1 * * * * *", "1/ * * * * *", "/5 * * * * *", "1-2-3 * * * * *",
        "1/2/3 * * * * *", "* * * * FOO *", "* * * * * MONDAY", "* * * L * *", "* * * * * 6#3", "0x1 * * * * *", "+1 * * * * *",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cron c;
        struct err e;

        if (parse(wrong[i], &c, &e) != ERR_INVALID.code)
            fail_msg("\"%s\" was taken", wrong[i]);
    }
}

static int never_called(struct db *d, void *data, struct err *e)
{
    (void)d;
    (void)data;
    (void)e;
    return 0;
}

/* From its last run, or from when it was first seen: one that was missed is due at once, and once. */
static void work_is_due_after_its_last_run(void **state)
{
    const struct schedule what = { "w", "W", "Works.", "0 0 1 * * *", 1000, never_called }, always = { .name = "a", .cron = "0 * * * * *" };
    const struct schedule wrong = { .name = "x", .cron = "nonsense", .run = never_called };
    struct schedule_row row = { .seen_us = at("2026-11-21T08:00:00Z"), .began_us = FIELD_NONE };

    (void)state;
    assert_int_equal(schedule_next(&what, &row, 0), at("2026-11-22T01:00:00Z"));
    assert_int_equal(schedule_next(&what, &row, 60), at("2026-11-22T00:00:00Z"));
    row.began_us = at("2026-11-19T01:00:00.3Z");
    assert_int_equal(schedule_next(&what, &row, 0), at("2026-11-20T01:00:00Z"));
    assert_int_equal(schedule_next(&always, &row, 0), -1);
    assert_int_equal(schedule_next(&wrong, &row, 0), -1);
}

static void work_whose_leader_was_lost_is_done_again(void **state)
{
    const struct schedule what = { "w", "W", "Works.", "0 0 1 * * *", 1000, never_called }, always = { .name = "a", .cron = "0 * * * * *", .timeout_ms = 1000 };
    struct schedule_row row = { .seen_us = at("2026-11-21T00:00:00Z"), .began_us = at("2026-11-22T01:00:00Z"), .status = SCHEDULE_RUNNING };

    (void)state;
    assert_false(schedule_is_due(&what, &row, row.began_us + 1000000, 0));
    assert_true(schedule_is_due(&what, &row, row.began_us + 1000001, 0));
    assert_false(schedule_is_due(&always, &row, row.began_us + 1000001, 0));
    row.status = SCHEDULE_SUCCESSFUL;
    assert_false(schedule_is_due(&what, &row, row.began_us + 1000001, 0));
    assert_true(schedule_is_due(&what, &row, at("2026-11-23T01:00:00Z"), 0));
    row.wanted = 1;
    assert_true(schedule_is_due(&what, &row, row.began_us + 1, 0));
    assert_false(schedule_is_due(&always, &row, row.began_us + 1, 0));
    row = (struct schedule_row){ .seen_us = at("2026-11-21T00:00:00Z"), .began_us = FIELD_NONE, .status = SCHEDULE_RUNNING };
    assert_false(schedule_is_due(&what, &row, at("2026-11-21T00:30:00Z"), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_found),
        cmocka_unit_test(a_time_that_never_comes_is_told),
        cmocka_unit_test(wrong_schedules_are_refused),
        cmocka_unit_test(work_is_due_after_its_last_run),
        cmocka_unit_test(work_whose_leader_was_lost_is_done_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/cron.h"

#include "src/base/num.h"

enum { DAY_S = 86400, MAX_DAYS = 40 * 366, NAME_LENGTH = 3 };

struct range {
    const char *name;
    int64_t min, max;
    bool any;                    /* '?' is allowed */
    const char *const *names;    /* of `min` and what follows; NULL: none */
};

static const char *const months[] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC", NULL };
static const char *const weekdays[] = { "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", NULL };
static const struct range ranges[CRON_FIELDS] = {
    [CRON_SECOND] = { "second", 0, 59, false, NULL },     [CRON_MINUTE] = { "minute", 0, 59, false, NULL },
    [CRON_HOUR] = { "hour", 0, 23, false, NULL },         [CRON_DAY] = { "day of month", 1, 31, true, NULL },
    [CRON_MONTH] = { "month", 1, 12, false, months },     [CRON_WEEKDAY] = { "day of week", 1, 7, true, weekdays },
};

/* ---- parsing ------------------------------------------------------------------------------------------------------------------ */

static bool parse_value(struct slice text, const struct range *r, int64_t *v)
{
    for (int64_t i = 0; r->names != NULL && r->names[i] != NULL; i++) {
        if (slice_is_nocase(text, r->names[i])) {
            *v = r->min + i;
            return true;
        }
    }
    return text.n > 0 && text.s[0] != '-' && num_parse_i64_in(text, r->min, r->max, v);
}

/* "*", "a", "a-b", each also with "/n". Without an end, "a/n" goes to the last value. */
static bool parse_part(struct slice text, const struct range *r, uint64_t *set)
{
    struct slice span = text, step_text = { NULL, 0 }, low, high;
    bool has_step = false;
    int64_t from, to, step = 1;

    for (size_t i = 0; i < text.n && !has_step; i++) {
        if (text.s[i] != '/')
            continue;
        span.n = i;
        step_text = (struct slice){ text.s + i + 1, text.n - i - 1 };
        has_step = true;
    }
    if (has_step && !num_parse_i64_in(step_text, 1, r->max, &step))
        return false;
    high = span;
    low = slice_cut(&high, '-');
    if (slice_is(span, "*") || (r->any && slice_is(span, "?"))) {
        from = r->min;
        to = r->max;
    } else if (!parse_value(low, r, &from)) {
        return false;
    } else if (low.n == span.n) {
        to = has_step ? r->max : from;
    } else if (!parse_value(high, r, &to) || to < from) {
        return false;
    }
    for (int64_t v = from; v <= to; v += step)
        *set |= UINT64_C(1) << v;
    return true;
}

static bool parse_field(struct slice text, const struct range *r, uint64_t *set)
{
    *set = 0;
    if (text.n == 0 || text.s[text.n - 1] == ',')
        return false;
    while (text.n > 0)
        if (!parse_part(slice_cut(&text, ','), r, set))
            return false;
    return true;
}

static struct slice cut_word(struct slice *rest)
{
    struct slice word;

    while (rest->n > 0 && rest->s[0] == ' ')
        rest->s++, rest->n--;
    word = *rest;
    word.n = 0;
    while (rest->n > 0 && rest->s[0] != ' ')
        rest->s++, rest->n--, word.n++;
    return word;
}

int cron_parse(struct slice text, struct cron *out, struct err *e)
{
    if (text.n > CRON_MAX_LENGTH)
        return err_set(e, &ERR_INVALID, "the schedule is longer than %d characters", CRON_MAX_LENGTH);
    for (int i = 0; i < CRON_FIELDS; i++) {
        const struct range *r = &ranges[i];
        struct slice word = cut_word(&text);

        if (!parse_field(word, r, &out->set[i]))
            return err_set(e, &ERR_INVALID, "the %s of the schedule is \"%.*s\": values from %lld to %lld with , - * /%s are allowed", r->name,
                           SLICE_FMT(word), (long long)r->min, (long long)r->max, r->any ? " ?" : "");
    }
    if (cut_word(&text).n > 0)
        return err_set(e, &ERR_INVALID, "a schedule has six fields: second minute hour day-of-month month day-of-week");
    return 0;
}

/* ---- time --------------------------------------------------------------------------------------------------------------------- */

struct date {
    int64_t year;
    int month, day, weekday;     /* weekday 1: Monday */
};

/* Days since 1970 to a date (Gregorian; years begin in March, so that the leap day is the last). */
static struct date date_of(int64_t days)
{
    int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    struct date d = { .day = (int)(of_year - (153 * from_march + 2) / 5 + 1), .month = (int)(from_march < 10 ? from_march + 3 : from_march - 9) };

    d.year = year_of_era + era * 400 + (d.month <= 2 ? 1 : 0);
    d.weekday = (int)(((days + 3) % 7 + 7) % 7) + 1; /* 1970-01-01 was a Thursday */
    return d;
}

static bool fits(const struct cron *c, enum cron_field field, int value)
{
    return (c->set[field] >> value & 1) != 0;
}

static bool day_fits(const struct cron *c, int64_t days)
{
    struct date d = date_of(days);

    return fits(c, CRON_DAY, d.day) && fits(c, CRON_MONTH, d.month) && fits(c, CRON_WEEKDAY, d.weekday);
}

/* First second of the day that fits, from `from` on; -1: none. */
static int64_t second_of_day(const struct cron *c, int64_t from)
{
    for (int64_t hour = from / 3600; hour < 24; hour++) {
        if (!fits(c, CRON_HOUR, (int)hour))
            continue;
        for (int64_t minute = hour == from / 3600 ? from / 60 % 60 : 0; minute < 60; minute++) {
            int64_t begin = hour * 3600 + minute * 60;

            if (!fits(c, CRON_MINUTE, (int)minute))
                continue;
            for (int64_t second = begin >= from ? 0 : from - begin; second < 60; second++)
                if (fits(c, CRON_SECOND, (int)second))
                    return begin + second;
        }
    }
    return -1;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

int64_t cron_next(const struct cron *c, int64_t wall_us, int offset_min)
{
    int64_t now = floor_div(wall_us, 1000000) + 1 + (int64_t)offset_min * 60;
    int64_t day = floor_div(now, DAY_S);
    int64_t from = now - day * DAY_S;

    for (int i = 0; i < MAX_DAYS; i++, day++, from = 0) {
        int64_t second = day_fits(c, day) ? second_of_day(c, from) : -1;

        if (second >= 0)
            return (day * DAY_S + second - (int64_t)offset_min * 60) * 1000000;
    }
    return -1;
}

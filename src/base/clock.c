/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t system_now_ms(const struct clock *c)
{
    struct timespec t;

    (void)c;
    (void)clock_gettime(CLOCK_BOOTTIME, &t); /* fails only for a clock the kernel lacks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall_us(const struct clock *c)
{
    struct timespec t;

    (void)c;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

const struct clock clock_system = { system_now_ms, system_wall_us };

static int64_t fake_now_ms(const struct clock *c)
{
    return ((const struct clock_fake *)c)->ms;
}

static int64_t fake_wall_us(const struct clock *c)
{
    return ((const struct clock_fake *)c)->us;
}

void clock_fake_init(struct clock_fake *f, int64_t ms, int64_t wall_us)
{
    *f = (struct clock_fake){ { fake_now_ms, fake_wall_us }, ms, wall_us };
}

static void split(int64_t wall_us, struct tm *tm, int *us)
{
    int64_t s = wall_us / 1000000;
    int64_t rest = wall_us % 1000000;
    time_t t;

    if (rest < 0) {
        rest += 1000000;
        s--;
    }
    t = (time_t)s;
    if (gmtime_r(&t, tm) == NULL)
        memset(tm, 0, sizeof *tm);
    *us = (int)rest;
}

const char *clock_iso(int64_t wall_us, int offset_min, char *buf)
{
    int offset = offset_min != CLOCK_Z ? offset_min : 0;
    int away = offset < 0 ? -offset : offset;
    char zone[16] = "Z";
    struct tm tm;
    int us;

    split(wall_us + (int64_t)offset * 60000000, &tm, &us);
    if (offset_min != CLOCK_Z)
        (void)snprintf(zone, sizeof zone, "%c%02d:%02d", offset < 0 ? '-' : '+', away / 60 % 24, away % 60);
    (void)snprintf(buf, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%.6s", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, us / 1000, zone);
    return buf;
}

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

const char *clock_http_date(int64_t wall_us, char *buf)
{
    struct tm tm;
    int us;

    split(wall_us, &tm, &us);
    (void)snprintf(buf, CLOCK_TEXT_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + tm.tm_wday * 3, tm.tm_mday,
                   months + tm.tm_mon * 3, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return buf;
}

/* Reads exactly `digits` digits in [min, max] at the head of `in`. */
static bool take_int(struct slice *in, size_t digits, int min, int max, int *v)
{
    *v = 0;
    if (in->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (in->s[i] < '0' || in->s[i] > '9')
            return false;
        *v = *v * 10 + (in->s[i] - '0');
    }
    *in = (struct slice){ in->s + digits, in->n - digits };
    return *v >= min && *v <= max;
}

static bool take_c(struct slice *in, const char *any)
{
    if (in->n == 0 || in->s[0] == '\0' || strchr(any, in->s[0]) == NULL)
        return false;
    *in = (struct slice){ in->s + 1, in->n - 1 };
    return true;
}

static bool take_fraction(struct slice *in, int *us)
{
    int scale = 100000;
    size_t n = 0;

    *us = 0;
    if (!take_c(in, ".,"))
        return true;
    for (; n < in->n && in->s[n] >= '0' && in->s[n] <= '9'; n++) {
        *us += (in->s[n] - '0') * scale;
        scale /= 10;
    }
    *in = (struct slice){ in->s + n, in->n - n };
    return n >= 1 && n <= 9;
}

static bool take_offset(struct slice *in, int *offset_min)
{
    bool minus;
    int h, m = 0;

    *offset_min = 0;
    if (in->n == 0 || take_c(in, "Zz"))
        return in->n == 0;
    minus = in->s[0] == '-';
    if (!take_c(in, "+- ") || !take_int(in, 2, 0, 18, &h))
        return false;
    (void)take_c(in, ":");
    if (in->n > 0 && !take_int(in, 2, 0, 59, &m))
        return false;
    *offset_min = (minus ? -1 : 1) * (h * 60 + m);
    return in->n == 0;
}

bool clock_parse_iso(struct slice text, int64_t *wall_us)
{
    struct slice in = slice_trim(text);
    struct tm tm = { 0 };
    int year, month, us, offset_min;

    if (!take_int(&in, 4, 1900, 9999, &year) || !take_c(&in, "-") || !take_int(&in, 2, 1, 12, &month) || !take_c(&in, "-") ||
        !take_int(&in, 2, 1, 31, &tm.tm_mday) || !take_c(&in, "Tt ") || !take_int(&in, 2, 0, 23, &tm.tm_hour) ||
        !take_c(&in, ":") || !take_int(&in, 2, 0, 59, &tm.tm_min) || !take_c(&in, ":") || !take_int(&in, 2, 0, 60, &tm.tm_sec) ||
        !take_fraction(&in, &us) || !take_offset(&in, &offset_min))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    *wall_us = ((int64_t)timegm(&tm) - (int64_t)offset_min * 60) * 1000000 + us;
    return true;
}

/* Reads one of the names of three letters that stand in `names`; -1: none. */
static int take_name(struct slice *in, const char *names)
{
    for (int i = 0; in->n >= 3 && names[3 * i] != '\0'; i++) {
        if (memcmp(in->s, names + (size_t)i * 3, 3) != 0)
            continue;
        *in = (struct slice){ in->s + 3, in->n - 3 };
        return i;
    }
    return -1;
}

static bool take_time(struct slice *in, struct tm *tm)
{
    return take_int(in, 2, 0, 23, &tm->tm_hour) && take_c(in, ":") && take_int(in, 2, 0, 59, &tm->tm_min) && take_c(in, ":") &&
           take_int(in, 2, 0, 60, &tm->tm_sec);
}

bool clock_parse_http_date(struct slice text, int64_t *wall_us)
{
    struct slice in = text;
    struct tm tm = { 0 };
    int year;

    if (take_name(&in, days) < 0 || !take_c(&in, ",") || !take_c(&in, " ") || in.n < 2 ||
        !take_int(&in, in.s[1] == ' ' ? 1 : 2, 1, 31, &tm.tm_mday) || !take_c(&in, " "))
        return false;
    tm.tm_mon = take_name(&in, months);
    if (tm.tm_mon < 0 || !take_c(&in, " ") || !take_int(&in, 4, 1900, 9999, &year) || !take_c(&in, " ") || !take_time(&in, &tm) ||
        !slice_is(in, " GMT"))
        return false;
    tm.tm_year = year - 1900;
    *wall_us = (int64_t)timegm(&tm) * 1000000;
    return true;
}

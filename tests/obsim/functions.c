/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/functions.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "src/base/clock.h"
#include "tests/obsim/identity.h"
#include "tests/obsim/like.h"
#include "tests/obsim/session.h"

enum { US = 1000000, DAY_S = 86400 };

static struct sim_session *session_of(sqlite3_context *c)
{
    return *(struct sim_session **)sqlite3_user_data(c);
}

static struct slice text_of(sqlite3_value *v)
{
    const char *s = (const char *)sqlite3_value_text(v);

    return (struct slice){ s != NULL ? s : "", s != NULL ? (size_t)sqlite3_value_bytes(v) : 0 };
}

static void give(sqlite3_context *c, const char *s, size_t n)
{
    sqlite3_result_text(c, s, (int)n, SQLITE_TRANSIENT);
}

static void give_text(sqlite3_context *c, const char *s)
{
    sqlite3_result_text(c, s, -1, SQLITE_TRANSIENT);
}

static bool any_null(sqlite3_context *c, int n, sqlite3_value **v)
{
    for (int i = 0; i < n; i++)
        if (sqlite3_value_type(v[i]) == SQLITE_NULL) {
            sqlite3_result_null(c);
            return true;
        }
    return false;
}

/* --- texts ---------------------------------------------------------------------------------------------------------------------- */

static void f_concat(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct str t;

    if (any_null(c, n, v))
        return;
    str_init(&t, NULL);
    for (int i = 0; i < n; i++)
        str_add_n(&t, text_of(v[i]).s, text_of(v[i]).n);
    give(c, str_c(&t), t.n);
    str_fini(&t);
}

static void f_concat_ws(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct str t;
    bool first = true;

    if (n == 0 || any_null(c, 1, v))
        return;
    str_init(&t, NULL);
    for (int i = 1; i < n; i++) {
        if (sqlite3_value_type(v[i]) == SQLITE_NULL)
            continue;
        if (!first)
            str_add_n(&t, text_of(v[0]).s, text_of(v[0]).n);
        str_add_n(&t, text_of(v[i]).s, text_of(v[i]).n);
        first = false;
    }
    give(c, str_c(&t), t.n);
    str_fini(&t);
}

/* Byte at which the `i`th character begins. */
static size_t offset_of(struct slice text, int64_t i)
{
    size_t at = 0;

    for (; i > 0 && at < text.n; i--)
        for (at++; at < text.n && ((unsigned char)text.s[at] & 0xc0) == 0x80;)
            at++;
    return at;
}

static int64_t count_of(struct slice text)
{
    int64_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.s[i] & 0xc0) != 0x80;
    return n;
}

static void give_part(sqlite3_context *c, struct slice text, int64_t from, int64_t n)
{
    size_t start = offset_of(text, from);
    struct slice rest = { text.s + start, text.n - start };

    give(c, rest.s, n < 0 ? 0 : offset_of(rest, n));
}

static void f_left(sqlite3_context *c, int n, sqlite3_value **v)
{
    if (!any_null(c, n, v))
        give_part(c, text_of(v[0]), 0, sqlite3_value_int64(v[1]));
}

static void f_right(sqlite3_context *c, int n, sqlite3_value **v)
{
    int64_t skip;

    if (any_null(c, n, v))
        return;
    skip = count_of(text_of(v[0])) - (sqlite3_value_int64(v[1]) > 0 ? sqlite3_value_int64(v[1]) : 0);
    give_part(c, text_of(v[0]), skip > 0 ? skip : 0, INT64_MAX);
}

static void f_substring(sqlite3_context *c, int n, sqlite3_value **v)
{
    int64_t from;

    if (any_null(c, n, v))
        return;
    from = sqlite3_value_int64(v[1]);
    if (from < 0)
        from = count_of(text_of(v[0])) + from + 1;
    give_part(c, text_of(v[0]), from > 0 ? from - 1 : INT64_MAX, n > 2 ? sqlite3_value_int64(v[2]) : INT64_MAX);
}

/* Where `part` begins in `text` from `from` on, or text.n + 1. */
static size_t find(struct slice text, struct slice part, size_t from)
{
    for (size_t i = from; i + part.n <= text.n; i++)
        if (strncasecmp(text.s + i, part.s, part.n) == 0)
            return i;
    return text.n + 1;
}

static void f_locate(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct slice text;
    size_t from, at;

    if (any_null(c, n, v))
        return;
    text = text_of(v[1]);
    from = n > 2 && sqlite3_value_int64(v[2]) > 0 ? offset_of(text, sqlite3_value_int64(v[2]) - 1) : 0;
    at = find(text, text_of(v[0]), from);
    sqlite3_result_int64(c, at <= text.n ? count_of((struct slice){ text.s, at }) + 1 : 0);
}

static void f_instr(sqlite3_context *c, int n, sqlite3_value **v)
{
    sqlite3_value *turned[] = { v[1], v[0] };

    f_locate(c, n, turned);
}

static void f_reverse(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct slice text;
    struct str t;

    if (any_null(c, n, v))
        return;
    text = text_of(v[0]);
    str_init(&t, NULL);
    for (size_t end = text.n; end > 0;) {
        size_t start = end - 1;

        while (start > 0 && ((unsigned char)text.s[start] & 0xc0) == 0x80)
            start--;
        str_add_n(&t, text.s + start, end - start);
        end = start;
    }
    give(c, str_c(&t), t.n);
    str_fini(&t);
}

/* Up to the nth `mark` from the left, or from the nth from the right on. */
static void f_substring_index(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct slice text, mark;
    int64_t count, total = 0, wanted;

    if (any_null(c, n, v))
        return;
    text = text_of(v[0]);
    mark = text_of(v[1]);
    count = sqlite3_value_int64(v[2]);
    for (size_t at = 0; mark.n > 0 && (at = find(text, mark, at)) <= text.n; at += mark.n)
        total++;
    wanted = count > 0 ? count : total + count + 1;
    if (count == 0 || mark.n == 0) {
        give(c, "", 0);
    } else if (wanted < 1 || wanted > total) {
        give(c, text.s, text.n);
    } else {
        size_t at = find(text, mark, 0);

        while (--wanted > 0)
            at = find(text, mark, at + mark.n);
        if (count > 0)
            give(c, text.s, at);
        else
            give(c, text.s + at + mark.n, text.n - at - mark.n);
    }
}

static bool cut_start(struct slice *text, struct slice what)
{
    if (what.n == 0 || text->n < what.n || memcmp(text->s, what.s, what.n) != 0)
        return false;
    text->s += what.n;
    text->n -= what.n;
    return true;
}

static bool cut_end(struct slice *text, struct slice what)
{
    if (what.n == 0 || text->n < what.n || memcmp(text->s + text->n - what.n, what.s, what.n) != 0)
        return false;
    text->n -= what.n;
    return true;
}

/* (text), or (side, what, text). */
static void f_trim(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct slice text, what = SLICE(" "), side = SLICE("BOTH");

    if (any_null(c, n, v))
        return;
    text = text_of(v[n - 1]);
    if (n == 3) {
        side = text_of(v[0]);
        what = text_of(v[1]);
    }
    while (!slice_is_nocase(side, "TRAILING") && cut_start(&text, what))
        continue;
    while (!slice_is_nocase(side, "LEADING") && cut_end(&text, what))
        continue;
    give(c, text.s, text.n);
}

static void f_replace(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct slice text, from, to;
    struct str t;

    if (any_null(c, n, v))
        return;
    text = text_of(v[0]);
    from = text_of(v[1]);
    to = text_of(v[2]);
    str_init(&t, NULL);
    while (text.n > 0) {
        bool hit = cut_start(&text, from);

        str_add_n(&t, hit ? to.s : text.s, hit ? to.n : 1);
        text.s += hit ? 0 : 1;
        text.n -= hit ? 0 : 1;
    }
    give(c, str_c(&t), t.n);
    str_fini(&t);
}

static void f_length(sqlite3_context *c, int n, sqlite3_value **v)
{
    if (!any_null(c, n, v))
        sqlite3_result_int64(c, (int64_t)text_of(v[0]).n);
}

static void f_char_length(sqlite3_context *c, int n, sqlite3_value **v)
{
    if (!any_null(c, n, v))
        sqlite3_result_int64(c, count_of(text_of(v[0])));
}

static void change_case(sqlite3_context *c, sqlite3_value *v, int (*change)(int))
{
    struct slice text = text_of(v);
    struct str t;

    str_init(&t, NULL);
    for (size_t i = 0; i < text.n; i++)
        str_add_c(&t, (unsigned char)text.s[i] < 0x80 ? (char)change(text.s[i]) : text.s[i]);
    give(c, str_c(&t), t.n);
    str_fini(&t);
}

static void f_upper(sqlite3_context *c, int n, sqlite3_value **v)
{
    if (!any_null(c, n, v))
        change_case(c, v[0], toupper);
}

static void f_lower(sqlite3_context *c, int n, sqlite3_value **v)
{
    if (!any_null(c, n, v))
        change_case(c, v[0], tolower);
}

static void f_hex(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct str t;

    if (any_null(c, n, v))
        return;
    str_init(&t, NULL);
    if (sqlite3_value_type(v[0]) == SQLITE_INTEGER)
        str_printf(&t, "%" PRIX64, (uint64_t)sqlite3_value_int64(v[0]));
    else
        for (size_t i = 0; i < text_of(v[0]).n; i++)
            str_printf(&t, "%02X", (unsigned char)text_of(v[0]).s[i]);
    give(c, str_c(&t), t.n);
    str_fini(&t);
}

/* pattern LIKE: the pattern comes first. */
static void f_like(sqlite3_context *c, int n, sqlite3_value **v)
{
    if (!any_null(c, n, v))
        sqlite3_result_int(c, sim_like(text_of(v[0]), text_of(v[1])));
}

static void f_regexp(sqlite3_context *c, int n, sqlite3_value **v)
{
    regex_t regex;

    if (any_null(c, n, v))
        return;
    if (regcomp(&regex, text_of(v[0]).s, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
        sqlite3_result_error(c, "Got error 'invalid pattern' from regexp", -1);
        return;
    }
    sqlite3_result_int(c, regexec(&regex, text_of(v[1]).s, 0, NULL, 0) == 0);
    regfree(&regex);
}

static void f_find_in_set(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct slice rest;
    int64_t i = 0;

    if (any_null(c, n, v))
        return;
    rest = text_of(v[1]);
    while (rest.n > 0) {
        struct slice word = slice_cut(&rest, ',');

        i++;
        if (word.n == text_of(v[0]).n && strncasecmp(word.s, text_of(v[0]).s, word.n) == 0) {
            sqlite3_result_int64(c, i);
            return;
        }
    }
    sqlite3_result_int64(c, 0);
}

/* --- choices and numbers -------------------------------------------------------------------------------------------------------- */

static void f_if(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    sqlite3_result_value(c, sqlite3_value_double(v[0]) != 0 ? v[1] : v[2]);
}

static void f_round(sqlite3_context *c, int n, sqlite3_value **v)
{
    double scale = n > 1 ? pow(10, sqlite3_value_double(v[1])) : 1;

    if (any_null(c, n, v))
        return;
    if (sqlite3_value_type(v[0]) == SQLITE_INTEGER && scale >= 1)
        sqlite3_result_value(c, v[0]);
    else if (scale == 1)
        sqlite3_result_int64(c, (int64_t)round(sqlite3_value_double(v[0])));
    else
        sqlite3_result_double(c, round(sqlite3_value_double(v[0]) * scale) / scale);
}

static void extreme(sqlite3_context *c, int n, sqlite3_value **v, int sign)
{
    int best = 0;

    if (n == 0 || any_null(c, n, v))
        return;
    for (int i = 1; i < n; i++) {
        bool texts = sqlite3_value_type(v[i]) == SQLITE_TEXT && sqlite3_value_type(v[best]) == SQLITE_TEXT;
        double by = texts ? strcmp(text_of(v[i]).s, text_of(v[best]).s) : sqlite3_value_double(v[i]) - sqlite3_value_double(v[best]);

        best = by * sign > 0 ? i : best;
    }
    sqlite3_result_value(c, v[best]);
}

static void f_greatest(sqlite3_context *c, int n, sqlite3_value **v)
{
    extreme(c, n, v, 1);
}

static void f_least(sqlite3_context *c, int n, sqlite3_value **v)
{
    extreme(c, n, v, -1);
}

/* The server is asked to do nothing for a while: reply.takes_us says how long, here it takes no time at all. */
static void f_sleep(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    session_of(c)->sleep_us += (int64_t)(sqlite3_value_double(v[0]) * US);
    sqlite3_result_int(c, 0);
}

/* --- time ----------------------------------------------------------------------------------------------------------------------- */

/* A moment in the session's time zone, as microseconds since 1970 of a clock on its wall. */
static bool wall_of(sqlite3_value *v, int64_t *us)
{
    struct slice text = text_of(v);
    char buf[32];

    if (text.n != 10)
        return clock_parse_iso(text, us);
    (void)snprintf(buf, sizeof buf, "%.10s 00:00:00", text.s); /* a date alone */
    return clock_parse_iso((struct slice){ buf, strlen(buf) }, us);
}

static int64_t wall_now(sqlite3_context *c)
{
    return session_of(c)->now_us + (int64_t)session_zone_min(session_of(c)) * 60 * US;
}

static void give_wall(sqlite3_context *c, int64_t us, int digits)
{
    time_t seconds = (time_t)(us >= 0 ? us / US : (us - US + 1) / US);
    char buf[80];
    struct tm tm;
    size_t n;

    (void)gmtime_r(&seconds, &tm);
    n = (size_t)snprintf(buf, sizeof buf, "%04d-%02d-%02d %02d:%02d:%02d.%06d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                         tm.tm_min, tm.tm_sec, (int)(us - (int64_t)seconds * US));
    give(c, buf, n - (digits == 0 ? 7 : 6 - (size_t)digits));
}

static int digits_of(int n, sqlite3_value **v)
{
    int digits = n > 0 ? sqlite3_value_int(v[0]) : 0;

    return digits < 0 ? 0 : digits > 6 ? 6 : digits;
}

static void f_now(sqlite3_context *c, int n, sqlite3_value **v)
{
    give_wall(c, wall_now(c), digits_of(n, v));
}

static void f_utc_timestamp(sqlite3_context *c, int n, sqlite3_value **v)
{
    give_wall(c, session_of(c)->now_us, digits_of(n, v));
}

static void f_curdate(sqlite3_context *c, int n, sqlite3_value **v)
{
    char buf[40];

    (void)n;
    (void)v;
    give(c, session_time(session_of(c), session_of(c)->now_us, buf), 10);
}

/* Of a time in the session's zone, or of now. */
static void f_unix_timestamp(sqlite3_context *c, int n, sqlite3_value **v)
{
    int64_t us = wall_now(c);

    if (any_null(c, n, v))
        return;
    if (n > 0 && !wall_of(v[0], &us)) {
        sqlite3_result_int64(c, 0);
        return;
    }
    us -= (int64_t)session_zone_min(session_of(c)) * 60 * US;
    if (us % US == 0 || n == 0)
        sqlite3_result_int64(c, us / US);
    else
        sqlite3_result_double(c, (double)us / US);
}

static void f_from_unixtime(sqlite3_context *c, int n, sqlite3_value **v)
{
    double seconds;

    if (any_null(c, n, v))
        return;
    seconds = sqlite3_value_double(v[0]);
    if (fabs(seconds) > 253402300799.0) {
        sqlite3_result_null(c);
        return;
    }
    give_wall(c, (int64_t)(seconds * US) + (int64_t)session_zone_min(session_of(c)) * 60 * US,
              sqlite3_value_type(v[0]) == SQLITE_INTEGER ? 0 : 6);
}

static void f_usec_to_time(sqlite3_context *c, int n, sqlite3_value **v)
{
    char buf[40];

    if (!any_null(c, n, v))
        give_text(c, session_time(session_of(c), sqlite3_value_int64(v[0]), buf));
}

static void f_time_to_usec(sqlite3_context *c, int n, sqlite3_value **v)
{
    int64_t us;

    if (any_null(c, n, v))
        return;
    if (wall_of(v[0], &us))
        sqlite3_result_int64(c, us - (int64_t)session_zone_min(session_of(c)) * 60 * US);
    else
        sqlite3_result_null(c);
}

static void f_scn_to_timestamp(sqlite3_context *c, int n, sqlite3_value **v)
{
    char buf[40];

    if (!any_null(c, n, v))
        give_text(c, session_time(session_of(c), sqlite3_value_int64(v[0]) / 1000, buf));
}

static const struct {
    const char *unit;
    int64_t us;
} units[] = { { "MICROSECOND", 1 }, { "SECOND", US }, { "MINUTE", 60 * INT64_C(1000000) }, { "HOUR", 3600 * INT64_C(1000000) },
              { "DAY", DAY_S *INT64_C(1000000) }, { "WEEK", 7 * DAY_S * INT64_C(1000000) } };

/* 0 for months and what is made of them. */
static int64_t unit_us(struct slice unit)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (slice_is_nocase(unit, units[i].unit))
            return units[i].us;
    return 0;
}

static int64_t add_months(int64_t us, int64_t months)
{
    time_t seconds = (time_t)(us / US);
    int64_t rest = us % US;
    struct tm tm;

    (void)gmtime_r(&seconds, &tm);
    months += (int64_t)tm.tm_year * 12 + tm.tm_mon;
    tm.tm_year = (int)(months / 12);
    tm.tm_mon = (int)(months % 12);
    return (int64_t)timegm(&tm) * US + rest;
}

/* (time, n, unit) */
static void add_interval(sqlite3_context *c, int n, sqlite3_value **v, int sign)
{
    struct slice unit;
    double count;
    int64_t us;

    if (any_null(c, n, v))
        return;
    unit = text_of(v[2]);
    count = sqlite3_value_double(v[1]) * sign;
    if (!wall_of(v[0], &us) || fabs(count) > 1e12) {
        sqlite3_result_null(c);
        return;
    }
    if (unit_us(unit) > 0 && fabs(count) * (double)unit_us(unit) < 1e17)
        us += (int64_t)(count * (double)unit_us(unit));
    else if (fabs(count) < 10000)
        us = add_months(us, (int64_t)count * (slice_is_nocase(unit, "YEAR") ? 12 : slice_is_nocase(unit, "QUARTER") ? 3 : 1));
    give_wall(c, us, us % US != 0 ? 6 : 0);
}

static void f_date_add(sqlite3_context *c, int n, sqlite3_value **v)
{
    add_interval(c, n, v, 1);
}

static void f_date_sub(sqlite3_context *c, int n, sqlite3_value **v)
{
    add_interval(c, n, v, -1);
}

/* (unit, from, to); the unit is a bare word in SQL, and arrives as a text (prepass.c). */
static void f_timestampdiff(sqlite3_context *c, int n, sqlite3_value **v)
{
    int64_t from, to;

    if (any_null(c, n, v))
        return;
    if (wall_of(v[1], &from) && wall_of(v[2], &to) && unit_us(text_of(v[0])) > 0)
        sqlite3_result_int64(c, (to - from) / unit_us(text_of(v[0])));
    else
        sqlite3_result_null(c);
}

static void f_date_format(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct slice format;
    int64_t us;
    time_t seconds;
    struct tm tm;
    struct str t;

    if (any_null(c, n, v) || !wall_of(v[0], &us))
        return;
    format = text_of(v[1]);
    seconds = (time_t)(us / US);
    (void)gmtime_r(&seconds, &tm);
    str_init(&t, NULL);
    for (size_t i = 0; i < format.n; i++) {
        static const char mine[] = "YmdHisSTf", theirs[] = "Y\0m\0d\0H\0M\0S\0S\0T\0";
        const char *at = format.s[i] == '%' && i + 1 < format.n ? strchr(mine, format.s[i + 1]) : NULL;
        char one[3] = "%", buf[32];

        if (at == NULL) {
            str_add_c(&t, format.s[i]);
            continue;
        }
        i++;
        if (*at == 'f') {
            str_printf(&t, "%06d", (int)(us % US));
            continue;
        }
        one[1] = theirs[2 * (at - mine)];
        str_add_n(&t, buf, strftime(buf, sizeof buf, one, &tm));
    }
    give(c, str_c(&t), t.n);
    str_fini(&t);
}

/* --- who and where -------------------------------------------------------------------------------------------------------------- */

static void f_version(sqlite3_context *c, int n, sqlite3_value **v)
{
    char buf[256];

    (void)n;
    (void)v;
    give_text(c, identity_version(session_of(c)->observer, buf, sizeof buf));
}

static void f_ob_version(sqlite3_context *c, int n, sqlite3_value **v)
{
    char buf[64];

    (void)n;
    (void)v;
    give_text(c, identity_ob_version(session_of(c)->observer, buf, sizeof buf));
}

static void f_database(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    if (session_of(c)->client->database[0] != '\0')
        give_text(c, session_of(c)->client->database);
    else
        sqlite3_result_null(c);
}

static void f_user(sqlite3_context *c, int n, sqlite3_value **v)
{
    char buf[2 * SIM_NAME];

    (void)n;
    (void)v;
    (void)snprintf(buf, sizeof buf, "%s@%s", session_of(c)->user, session_of(c)->peer_ip);
    give_text(c, buf);
}

static void f_current_user(sqlite3_context *c, int n, sqlite3_value **v)
{
    char buf[2 * SIM_NAME + 2];

    (void)n;
    (void)v;
    (void)snprintf(buf, sizeof buf, "%s@%s", session_of(c)->user, session_of(c)->account_host);
    give_text(c, buf);
}

static void f_connection_id(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    sqlite3_result_int64(c, session_of(c)->client->id);
}

static void f_tenant_id(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    sqlite3_result_int64(c, session_of(c)->tenant_id);
}

static void f_tenant(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    give_text(c, session_of(c)->tenant->name);
}

static void f_host_ip(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    give_text(c, session_of(c)->server->ip);
}

static void f_rpc_port(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    sqlite3_result_int64(c, session_of(c)->server->rpc_port);
}

static void f_row_count(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    sqlite3_result_int64(c, (int64_t)session_of(c)->affected);
}

static void f_last_insert_id(sqlite3_context *c, int n, sqlite3_value **v)
{
    (void)n;
    (void)v;
    sqlite3_result_int64(c, (int64_t)session_of(c)->insert_id);
}

/* (name[, scope]): a number when it is one. */
static void f_sysvar(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct sim_session *s = session_of(c);
    const struct sim_variable *known = sim_variable_find(text_of(v[0]));
    bool is_global = n > 1 && slice_is_nocase(text_of(v[1]), "GLOBAL");
    char buf[256], name[SIM_NAME], message[SIM_NAME + 40];
    const char *value = identity_variable(s, text_of(v[0]), buf, sizeof buf);

    if (value == NULL && known != NULL)
        value = sim_variable_value(s->tenant, is_global ? NULL : &s->variables, known);
    if (value == NULL) {
        sim_name(name, text_of(v[0]));
        (void)snprintf(message, sizeof message, "Unknown system variable '%s'", name);
        sqlite3_result_error(c, message, -1);
    } else if (known != NULL && known->type == SIM_V_INT) {
        sqlite3_result_int64(c, strtoll(value, NULL, 10));
    } else if (known != NULL && known->type == SIM_V_BOOL) {
        sqlite3_result_int(c, strcasecmp(value, "ON") == 0 || strcmp(value, "1") == 0);
    } else {
        give_text(c, value);
    }
}

static const struct {
    const char *name;
    int n; /* -1: any number */
    void (*run)(sqlite3_context *c, int n, sqlite3_value **v);
} table[] = {
    { "concat", -1, f_concat }, { "concat_ws", -1, f_concat_ws }, { "mysql_left", 2, f_left }, { "mysql_right", 2, f_right },
    { "mysql_substring", 2, f_substring }, { "mysql_substring", 3, f_substring }, { "mysql_substr", 2, f_substring },
    { "mysql_substr", 3, f_substring }, { "mysql_mid", 3, f_substring }, { "locate", 2, f_locate }, { "locate", 3, f_locate },
    { "instr", 2, f_instr }, { "reverse", 1, f_reverse }, { "substring_index", 3, f_substring_index }, { "mysql_trim", 1, f_trim },
    { "mysql_trim", 3, f_trim }, { "mysql_replace", 3, f_replace }, { "mysql_length", 1, f_length }, { "char_length", 1, f_char_length },
    { "mysql_upper", 1, f_upper }, { "ucase", 1, f_upper }, { "mysql_lower", 1, f_lower }, { "lcase", 1, f_lower },
    { "mysql_hex", 1, f_hex }, { "like", 2, f_like }, { "like", 3, f_like }, { "regexp", 2, f_regexp },
    { "find_in_set", 2, f_find_in_set }, { "mysql_if", 3, f_if }, { "mysql_round", 1, f_round }, { "mysql_round", 2, f_round },
    { "greatest", -1, f_greatest }, { "least", -1, f_least }, { "sleep", 1, f_sleep }, { "now", 0, f_now }, { "now", 1, f_now },
    { "sysdate", 0, f_now }, { "sysdate", 1, f_now }, { "mysql_current_timestamp", 0, f_now }, { "mysql_current_timestamp", 1, f_now },
    { "mysql_localtime", 0, f_now }, { "mysql_localtimestamp", 0, f_now }, { "utc_timestamp", 0, f_utc_timestamp },
    { "utc_timestamp", 1, f_utc_timestamp }, { "curdate", 0, f_curdate }, { "mysql_current_date", 0, f_curdate },
    { "unix_timestamp", 0, f_unix_timestamp }, { "unix_timestamp", 1, f_unix_timestamp }, { "from_unixtime", 1, f_from_unixtime },
    { "usec_to_time", 1, f_usec_to_time }, { "time_to_usec", 1, f_time_to_usec }, { "scn_to_timestamp", 1, f_scn_to_timestamp },
    { "date_add", 3, f_date_add }, { "date_sub", 3, f_date_sub }, { "timestampdiff", 3, f_timestampdiff },
    { "date_format", 2, f_date_format }, { "version", 0, f_version }, { "ob_version", 0, f_ob_version }, { "database", 0, f_database },
    { "schema", 0, f_database }, { "user", 0, f_user }, { "session_user", 0, f_user }, { "system_user", 0, f_user },
    { "current_user", 0, f_current_user }, { "connection_id", 0, f_connection_id }, { "effective_tenant_id", 0, f_tenant_id },
    { "effective_tenant", 0, f_tenant }, { "host_ip", 0, f_host_ip }, { "rpc_port", 0, f_rpc_port }, { "row_count", 0, f_row_count },
    { "last_insert_id", 0, f_last_insert_id }, { "sysvar", 1, f_sysvar }, { "sysvar", 2, f_sysvar },
};

void functions_register(sqlite3 *db, struct sim_session **session)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (sqlite3_create_function(db, table[i].name, table[i].n, SQLITE_UTF8, session, table[i].run, NULL, NULL) != SQLITE_OK)
            abort();
}

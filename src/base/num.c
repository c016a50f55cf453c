/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/num.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};

static const struct unit sizes[] = {
    { "TiB", INT64_C(1) << 40 }, { "TB", INT64_C(1) << 40 }, { "T", INT64_C(1) << 40 },
    { "GiB", 1 << 30 },          { "GB", 1 << 30 },          { "G", 1 << 30 },
    { "MiB", 1 << 20 },          { "MB", 1 << 20 },          { "M", 1 << 20 },
    { "KiB", 1 << 10 },          { "KB", 1 << 10 },          { "K", 1 << 10 },
    { "B", 1 },                  { "", 1 },                  { NULL, 0 },
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t n_digits(struct slice text, size_t from)
{
    size_t n = 0;

    while (from + n < text.n && is_digit(text.s[from + n]))
        n++;
    return n;
}

bool num_parse_i64(struct slice text, int64_t *v)
{
    bool minus = text.n > 0 && text.s[0] == '-';
    size_t i = minus ? 1 : 0;
    int64_t sum = 0;

    if (i == text.n)
        return false;
    for (; i < text.n; i++) {
        int digit = is_digit(text.s[i]) ? text.s[i] - '0' : -1;

        if (digit < 0 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, minus ? -digit : digit, &sum)) /* downwards for INT64_MIN's sake */
            return false;
    }
    *v = sum;
    return true;
}

bool num_parse_i64_in(struct slice text, int64_t min, int64_t max, int64_t *v)
{
    int64_t n;

    if (!num_parse_i64(text, &n) || n < min || n > max)
        return false;
    *v = n;
    return true;
}

static bool is_json_number(struct slice t)
{
    size_t i = t.n > 0 && t.s[0] == '-' ? 1 : 0;
    size_t n = n_digits(t, i);

    if (n == 0 || (n > 1 && t.s[i] == '0'))
        return false;
    i += n;
    if (i < t.n && t.s[i] == '.') {
        n = n_digits(t, i + 1);
        if (n == 0)
            return false;
        i += 1 + n;
    }
    if (i < t.n && (t.s[i] == 'e' || t.s[i] == 'E')) {
        i++;
        if (i < t.n && (t.s[i] == '+' || t.s[i] == '-'))
            i++;
        n = n_digits(t, i);
        if (n == 0)
            return false;
        i += n;
    }
    return i == t.n;
}

bool num_parse_double(struct slice text, double *v)
{
    char buf[64];
    double d;

    if (text.n >= sizeof buf || !is_json_number(text))
        return false;
    memcpy(buf, text.s, text.n);
    buf[text.n] = '\0';
    d = strtod(buf, NULL);
    if (!isfinite(d))
        return false;
    *v = d;
    return true;
}

bool num_parse_bool(struct slice text, bool *v)
{
    static const char *const words[2][4] = { { "false", "no", "off", "0" }, { "true", "yes", "on", "1" } };

    for (size_t i = 0; i < 8; i++) {
        if (slice_is_nocase(text, words[i / 4][i % 4])) {
            *v = i / 4 == 1;
            return true;
        }
    }
    return false;
}

static bool parse_with_unit(struct slice text, const struct unit *units, bool any_case, int64_t *v)
{
    size_t n = n_digits(text, 0);
    struct slice unit = { text.s + n, text.n - n };
    int64_t number;

    if (!num_parse_i64((struct slice){ text.s, n }, &number))
        return false;
    if (unit.n > 1 && unit.s[0] == ' ')
        unit = (struct slice){ unit.s + 1, unit.n - 1 };
    for (; units->name != NULL; units++) {
        if (any_case ? slice_is_nocase(unit, units->name) : slice_is(unit, units->name))
            return !__builtin_mul_overflow(number, units->factor, v);
    }
    return false;
}

bool num_parse_duration_ms(struct slice text, int64_t *ms)
{
    int64_t v;

    if (slice_is(text, "0"))
        v = 0;
    else if (!parse_with_unit(text, durations, false, &v))
        return false;
    *ms = v;
    return true;
}

bool num_parse_size(struct slice text, int64_t *bytes)
{
    int64_t v;

    if (!parse_with_unit(text, sizes, true, &v))
        return false;
    *bytes = v;
    return true;
}

/* A table names its largest unit first, so the first one that divides the value is the one to write. */
static void add_with_unit(struct str *t, int64_t v, const struct unit *units)
{
    while (units->factor > 1 && (v == 0 || v % units->factor != 0))
        units++;
    str_add_i64(t, v / units->factor);
    str_add(t, units->name);
}

void num_add_duration(struct str *t, int64_t ms)
{
    if (ms == 0)
        str_add_c(t, '0');
    else
        add_with_unit(t, ms, durations);
}

void num_add_size(struct str *t, int64_t bytes)
{
    add_with_unit(t, bytes, sizes);
}

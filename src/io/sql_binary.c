/* SPDX-License-Identifier: Apache-2.0 */
/* A row of the binary protocol, as prepared statements get it, turned into the text that the text protocol would have
 * sent. libmariadb can do that too, but believes every length that the server names. */
#include "src/io/sql_session.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 255, FLOAT_DIGITS = 6, DOUBLE_DIGITS = 17, FIXED_MAX = 15, NOT_FIXED = 31 };

/* What is left of the packet. `bad` once more was asked for than there is; then everything reads as zero. */
struct reader {
    const unsigned char *p;
    size_t n;
    bool bad;
};

static const unsigned char *take(struct reader *r, size_t n)
{
    const unsigned char *p = r->p;

    if (r->bad || n > r->n) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    r->n -= n;
    return p;
}

/* A little-endian number of n bytes. */
static uint64_t number(struct reader *r, size_t n)
{
    const unsigned char *p = take(r, n);
    uint64_t v = 0;

    for (size_t i = 0; p != NULL && i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* The length in front of a text: one byte, or 0xfc, 0xfd, 0xfe and 2, 3 or 8 more. */
static uint64_t length(struct reader *r)
{
    uint64_t first = number(r, 1);

    if (first < 0xfb)
        return first;
    if (first == 0xfb || first == 0xff)
        r->bad = true;
    return number(r, first == 0xfc ? 2 : first == 0xfd ? 3 : 8);
}

static void put(struct sql_column *c, int n)
{
    c->cell = (struct slice){ c->text, n > 0 ? (size_t)n : 0 };
}

static void put_zerofill(struct sql_column *c, const MYSQL_FIELD *f)
{
    size_t width = f->length < WIDTH_MAX ? f->length : WIDTH_MAX;

    if ((f->flags & ZEROFILL_FLAG) == 0 || width <= c->cell.n)
        return;
    memmove(c->text + width - c->cell.n, c->text, c->cell.n);
    memset(c->text, '0', width - c->cell.n);
    c->cell.n = width;
}

static void put_int(struct sql_column *c, const MYSQL_FIELD *f, uint64_t v, unsigned bits)
{
    int64_t wide = (int64_t)(v << (64 - bits)) >> (64 - bits); /* the sign of the narrow type */

    if ((f->flags & UNSIGNED_FLAG) != 0)
        put(c, snprintf(c->text, sizeof c->text, "%llu", (unsigned long long)v));
    else
        put(c, snprintf(c->text, sizeof c->text, "%lld", (long long)wide));
}

/* "d.ddde[-]x": the fewest digits that read back as v, but at most `digits`. */
static void shortest(double v, int digits, char *buf, size_t size)
{
    int from = fabs(v) < DBL_MIN ? 1 : FIXED_MAX; /* with 15 digits every number but the smallest reads back if it can with fewer */

    for (int n = from < digits ? from : digits; n <= digits; n++) {
        (void)snprintf(buf, size, "%.*e", n - 1, v);
        if (strtod(buf, NULL) == v)
            break;
    }
}

/* Takes "d.ddde[-]x" apart: digits without zeros at their end, and where the point stands: the value is 0.digits *
 * 10^point. */
static int split(const char *buf, char *digits, int *point)
{
    const char *exponent = strchr(buf, 'e');
    int n = 0;

    for (const char *p = buf; p < exponent; p++) {
        if (*p != '.')
            digits[n++] = *p;
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;
    *point = atoi(exponent + 1) + 1;
    return n;
}

static char *put_n(char *to, const char *from, int n)
{
    memcpy(to, from, (size_t)n);
    return to + n;
}

static char *put_zeros(char *to, int n)
{
    memset(to, '0', (size_t)n);
    return to + n;
}

/* As the servers do it: an exponent for numbers of more than 15 places before the point or 14 zeros behind it. */
static void put_real(struct sql_column *c, double v, int max_digits)
{
    char buf[40], digits[40], *to = c->text;
    int point, n;

    if (!isfinite(v)) {
        put(c, snprintf(c->text, sizeof c->text, "%s", isnan(v) ? "nan" : v > 0 ? "inf" : "-inf"));
        return;
    }
    shortest(fabs(v), max_digits, buf, sizeof buf);
    n = split(buf, digits, &point);
    if (signbit(v))
        *to++ = '-';
    if (v == 0) {
        *to++ = '0';
    } else if (point > FIXED_MAX || point <= -FIXED_MAX) {
        *to++ = digits[0];
        if (n > 1)
            *to++ = '.';
        to = put_n(to, digits + 1, n - 1);
        to += snprintf(to, 8, "e%d", point - 1);
    } else if (point <= 0) {
        to = put_zeros(put_n(to, "0.", 2), -point);
        to = put_n(to, digits, n);
    } else if (n <= point) {
        to = put_zeros(put_n(to, digits, n), point - n);
    } else {
        to = put_n(put_n(to, digits, point), ".", 1);
        to = put_n(to, digits + point, n - point);
    }
    put(c, (int)(to - c->text));
}

static void put_double(struct sql_column *c, const MYSQL_FIELD *f, double v, int max_digits)
{
    if (f->decimals < NOT_FIXED && isfinite(v))
        put(c, snprintf(c->text, sizeof c->text, "%.*f", (int)f->decimals, v));
    else
        put_real(c, v, max_digits);
}

/* ".123456", cut to the places the column has. */
static int fraction(char *to, const MYSQL_FIELD *f, unsigned us)
{
    char digits[16];

    if (f->decimals == 0 || f->decimals > 6)
        return 0;
    (void)snprintf(digits, sizeof digits, ".%06u", us % 1000000);
    memcpy(to, digits, f->decimals + 1);
    return (int)f->decimals + 1;
}

/* A length of 0, 4, 7 or 11: what is zero at the end is left out. */
static void put_date(struct sql_column *c, const MYSQL_FIELD *f, struct reader *r)
{
    uint64_t size = number(r, 1);
    struct reader in = { take(r, size), size, r->bad };
    unsigned year, month, day, hour, minute, second, us;
    int n;

    r->bad = r->bad || (size != 0 && size != 4 && size != 7 && size != 11);
    year = (unsigned)number(&in, size >= 4 ? 2 : 0);
    month = (unsigned)number(&in, size >= 4);
    day = (unsigned)number(&in, size >= 4);
    hour = (unsigned)number(&in, size >= 7);
    minute = (unsigned)number(&in, size >= 7);
    second = (unsigned)number(&in, size >= 7);
    us = (unsigned)number(&in, size >= 11 ? 4 : 0);
    n = snprintf(c->text, sizeof c->text, "%04u-%02u-%02u", year, month, day);
    if (f->type != MYSQL_TYPE_DATE && f->type != MYSQL_TYPE_NEWDATE) {
        n += snprintf(c->text + n, sizeof c->text - (size_t)n, " %02u:%02u:%02u", hour, minute, second);
        n += fraction(c->text + n, f, us);
    }
    put(c, n);
}

/* A length of 0, 8 or 12. */
static void put_time(struct sql_column *c, const MYSQL_FIELD *f, struct reader *r)
{
    uint64_t size = number(r, 1);
    struct reader in = { take(r, size), size, r->bad };
    bool negative;
    uint64_t hours;
    unsigned minute, second, us;
    int n;

    r->bad = r->bad || (size != 0 && size != 8 && size != 12);
    negative = number(&in, size >= 8) != 0;
    hours = 24 * number(&in, size >= 8 ? 4 : 0);
    hours += number(&in, size >= 8);
    minute = (unsigned)number(&in, size >= 8);
    second = (unsigned)number(&in, size >= 8);
    us = (unsigned)number(&in, size >= 12 ? 4 : 0);
    n = snprintf(c->text, sizeof c->text, "%s%02llu:%02u:%02u", negative ? "-" : "", (unsigned long long)hours, minute, second);
    n += fraction(c->text + n, f, us);
    put(c, n);
}

static void put_text(struct sql_column *c, struct reader *r)
{
    uint64_t n = length(r);
    const unsigned char *p = take(r, n);

    c->cell = (struct slice){ p != NULL ? (const char *)p : "", p != NULL ? n : 0 };
}

static void put_float(struct sql_column *c, const MYSQL_FIELD *f, struct reader *r)
{
    uint32_t bits = (uint32_t)number(r, 4);
    float v;

    memcpy(&v, &bits, sizeof v);
    put_double(c, f, (double)v, FLOAT_DIGITS);
}

static void put_real64(struct sql_column *c, const MYSQL_FIELD *f, struct reader *r)
{
    uint64_t bits = number(r, 8);
    double v;

    memcpy(&v, &bits, sizeof v);
    put_double(c, f, v, DOUBLE_DIGITS);
}

static void put_value(struct sql_column *c, const MYSQL_FIELD *f, struct reader *r)
{
    switch (f->type) {
    case MYSQL_TYPE_TINY:
        put_int(c, f, number(r, 1), 8);
        break;
    case MYSQL_TYPE_YEAR:
        put(c, snprintf(c->text, sizeof c->text, "%04u", (unsigned)number(r, 2)));
        break;
    case MYSQL_TYPE_SHORT:
        put_int(c, f, number(r, 2), 16);
        break;
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
        put_int(c, f, number(r, 4), 32);
        break;
    case MYSQL_TYPE_LONGLONG:
        put_int(c, f, number(r, 8), 64);
        break;
    case MYSQL_TYPE_FLOAT:
        put_float(c, f, r);
        break;
    case MYSQL_TYPE_DOUBLE:
        put_real64(c, f, r);
        break;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        put_date(c, f, r);
        return;
    case MYSQL_TYPE_TIME:
        put_time(c, f, r);
        return;
    default:
        put_text(c, r);
        return;
    }
    put_zerofill(c, f);
}

bool sql_binary_row(struct slice packet, const MYSQL_FIELD *fields, struct sql_column *columns, unsigned n)
{
    struct reader r = { (const unsigned char *)packet.s, packet.n, false };
    const unsigned char *nulls;

    (void)take(&r, 1); /* the packet's kind */
    nulls = take(&r, (n + 9) / 8);
    for (unsigned i = 0; i < n && !r.bad; i++) {
        unsigned bit = i + 2;

        columns[i].cell = (struct slice){ NULL, 0 };
        if ((nulls[bit / 8] >> (bit % 8) & 1) == 0)
            put_value(&columns[i], &fields[i], &r);
    }
    return !r.bad && r.n == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/str.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void str_init(struct str *t, struct arena *arena)
{
    *t = (struct str){ .arena = arena };
}

void str_fini(struct str *t)
{
    if (t->arena == NULL)
        mem_free(t->s);
    *t = (struct str){ .arena = t->arena };
}

void str_clear(struct str *t)
{
    t->n = 0;
    t->failed = false;
    if (t->s != NULL)
        t->s[0] = '\0';
}

static char *grow(struct str *t, size_t space)
{
    char *s;

    if (t->arena == NULL)
        return mem_realloc(t->s, space);
    s = arena_alloc(t->arena, space);
    if (s != NULL && t->n > 0)
        memcpy(s, t->s, t->n);
    return s;
}

char *str_reserve(struct str *t, size_t n)
{
    size_t wanted = t->n + n + 1;
    size_t space = t->space > 0 ? t->space : 64;
    char *s;

    if (t->failed || wanted <= n) {
        t->failed = true;
        return NULL;
    }
    if (wanted <= t->space)
        return t->s + t->n;
    while (space < wanted)
        space = space > SIZE_MAX / 2 ? wanted : space * 2;
    s = grow(t, space);
    if (s == NULL) {
        t->failed = true;
        return NULL;
    }
    t->s = s;
    t->space = space;
    return t->s + t->n;
}

void str_add_n(struct str *t, const void *bytes, size_t n)
{
    char *to = str_reserve(t, n);

    if (to == NULL)
        return;
    if (n > 0)
        memcpy(to, bytes, n);
    t->n += n;
    t->s[t->n] = '\0';
}

void str_add(struct str *t, const char *s)
{
    str_add_n(t, s, strlen(s));
}

void str_add_c(struct str *t, char c)
{
    str_add_n(t, &c, 1);
}

void str_add_u64(struct str *t, uint64_t v)
{
    char digits[20];
    size_t i = sizeof digits;

    do {
        digits[--i] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    str_add_n(t, digits + i, sizeof digits - i);
}

void str_add_i64(struct str *t, int64_t v)
{
    if (v < 0)
        str_add_c(t, '-');
    str_add_u64(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void str_printf(struct str *t, const char *fmt, ...)
{
    va_list ap;
    char *to;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    to = n >= 0 ? str_reserve(t, (size_t)n) : NULL;
    if (to == NULL) {
        t->failed = true;
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    t->n += (size_t)n;
}

void str_add_hex(struct str *t, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++) {
        str_add_c(t, digits[p[i] >> 4]);
        str_add_c(t, digits[p[i] & 15]);
    }
}

bool str_failed(const struct str *t)
{
    return t->failed;
}

const char *str_c(const struct str *t)
{
    return t->s != NULL ? t->s : "";
}

bool slice_is(struct slice a, const char *s)
{
    return strlen(s) == a.n && (a.n == 0 || memcmp(a.s, s, a.n) == 0);
}

bool slice_is_nocase(struct slice a, const char *s)
{
    return strlen(s) == a.n && (a.n == 0 || strncasecmp(a.s, s, a.n) == 0);
}

bool slice_starts(struct slice a, const char *prefix)
{
    size_t n = strlen(prefix);

    return n <= a.n && (n == 0 || memcmp(a.s, prefix, n) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice a)
{
    while (a.n > 0 && is_blank(a.s[0])) {
        a.s++;
        a.n--;
    }
    while (a.n > 0 && is_blank(a.s[a.n - 1]))
        a.n--;
    return a;
}

struct slice slice_cut(struct slice *rest, char sep)
{
    const char *at = rest->n > 0 ? memchr(rest->s, sep, rest->n) : NULL;
    struct slice head = { rest->s, at != NULL ? (size_t)(at - rest->s) : rest->n };

    if (at != NULL)
        *rest = (struct slice){ at + 1, rest->n - head.n - 1 };
    else
        *rest = (struct slice){ rest->s + rest->n, 0 };
    return head;
}

size_t str_utf8_length(const void *bytes, size_t n)
{
    const unsigned char *s = bytes;
    static const struct {
        unsigned char lo, hi, lo2, hi2;
        size_t len;
    } forms[] = {
        { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
        { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };

    if (n == 0 || s[0] < 0x80)
        return n > 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (s[0] < forms[i].lo || s[0] > forms[i].hi)
            continue;
        if (forms[i].len > n || s[1] < forms[i].lo2 || s[1] > forms[i].hi2)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

void str_clean(char *s)
{
    size_t left = strlen(s);

    while (left > 0) {
        size_t n = str_utf8_length(s, left);
        unsigned char c = (unsigned char)*s;

        if (c == '\n' || c == '\r' || c == '\t')
            *s = ' ';
        else if (n == 0 || c < 0x20 || c == 0x7f)
            *s = '?';
        else if (c == 0xc2 && (unsigned char)s[1] <= 0x9f) /* the same in Unicode */
            s[0] = s[1] = '?';
        n = n > 0 ? n : 1;
        s += n;
        left -= n;
    }
}

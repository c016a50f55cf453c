/* SPDX-License-Identifier: Apache-2.0 */
#include "api/query.h"

#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int query_decode(struct slice raw, bool form, struct arena *arena, struct slice *out, struct err *e)
{
    char *s = arena_alloc(arena, raw.n + 1);
    size_t n = 0;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.s[i];

        if (c == '+' && form) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < raw.n ? hex(raw.s[i + 1]) : -1;
            int low = i + 2 < raw.n ? hex(raw.s[i + 2]) : -1;

            if (high < 0 || low < 0)
                return err_set(e, &ERR_REQUEST, "'%%' in the address must be followed by two hexadecimal digits");
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return err_set(e, &ERR_REQUEST, "the address contains the character NUL");
        s[n++] = c;
    }
    s[n] = '\0';
    *out = (struct slice){ s, n };
    return 0;
}

bool query_next(struct slice *rest, struct arena *arena, struct slice *name, struct slice *value, int *rv, struct err *e)
{
    struct slice pair;

    *rv = 0;
    do {
        if (rest->n == 0)
            return false;
        pair = slice_cut(rest, '&');
    } while (pair.n == 0);
    *value = pair;
    *name = slice_cut(value, '=');
    *rv = query_decode(*name, true, arena, name, e);
    if (*rv == 0)
        *rv = query_decode(*value, true, arena, value, e);
    return *rv == 0;
}

int query_read(struct slice query, const struct field *fields, void *obj, struct arena *arena, struct err *e)
{
    struct slice name, value;
    int rv;

    while (query_next(&query, arena, &name, &value, &rv, e)) {
        const struct field *f = field_find(fields, name);

        if (f == NULL || value.n == 0)
            continue;
        rv = field_read_text(f, value, obj, arena, e);
        if (rv != 0)
            return rv;
    }
    return rv;
}

/* ---- canonical form --------------------------------------------------------------------------------------------------- */

struct pair {
    struct slice name, value;
};

static int compare_slices(struct slice a, struct slice b)
{
    int by_text = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

    return by_text != 0 ? by_text : a.n < b.n ? -1 : a.n > b.n;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int by_name = compare_slices(x->name, y->name);

    return by_name != 0 ? by_name : compare_slices(x->value, y->value);
}

static void add_encoded(struct str *t, struct slice text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (size_t i = 0; i < text.n; i++) {
        if (memchr(unreserved, text.s[i], sizeof unreserved - 1) != NULL)
            str_add_c(t, text.s[i]);
        else
            str_printf(t, "%%%02X", (unsigned char)text.s[i]);
    }
}

static size_t count_pairs(struct slice query)
{
    size_t n = 1;

    for (size_t i = 0; i < query.n; i++)
        n += query.s[i] == '&';
    return n;
}

int query_canonical(struct slice query, struct arena *arena, struct str *out, struct err *e)
{
    struct pair *pairs = arena_array(arena, count_pairs(query), sizeof *pairs);
    size_t n = 0;
    int rv;

    if (pairs == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (query_next(&query, arena, &pairs[n].name, &pairs[n].value, &rv, e))
        n++;
    if (rv != 0)
        return rv;
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && compare_slices(pairs[i].name, pairs[i - 1].name) == 0) {
            str_add_c(out, ',');
        } else {
            if (i > 0)
                str_add_c(out, '&');
            add_encoded(out, pairs[i].name);
            str_add_c(out, '=');
        }
        add_encoded(out, pairs[i].value);
    }
    return str_failed(out) ? err_set(e, &ERR_NOMEM, "") : 0;
}

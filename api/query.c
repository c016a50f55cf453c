/* SPDX-License-Identifier: Apache-2.0 */
#include "api/query.h"

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

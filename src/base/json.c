/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts brackets outside strings. What is no JSON at all is left to the parser. */
static bool is_too_deep(struct slice text)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.s[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_MAX_DEPTH)
                return true;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return false;
}

int json_parse(struct slice text, json_t **out, struct err *e)
{
    json_error_t je;

    if (is_too_deep(text))
        return err_set(e, &ERR_REQUEST, "the JSON text is nested deeper than %d levels", JSON_MAX_DEPTH);
    *out = json_loadb(text.s, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
    if (*out != NULL)
        return 0;
    if (json_error_code(&je) == json_error_out_of_memory)
        return err_set(e, &ERR_NOMEM, "");
    return err_set(e, &ERR_REQUEST, "the JSON text is wrong at line %d, column %d: %s", je.line, je.column, je.text);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void add_escaped(struct str *t, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t\b\f";
    static const char to[] = "\"\\nrtbf";
    const char *at = c != '\0' ? strchr(from, c) : NULL;

    if (at != NULL) {
        str_add_c(t, '\\');
        str_add_c(t, to[at - from]);
    } else {
        str_printf(t, "\\u%04x", c);
    }
}

void json_add_string_n(struct str *t, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;

    str_add_c(t, '"');
    for (size_t i = 0; i < n;) {
        size_t run = i;
        size_t len;

        while (run < n && is_plain(p[run]))
            run++;
        str_add_n(t, s + i, run - i);
        i = run;
        if (i == n)
            break;
        len = p[i] >= 0x80 ? str_utf8_length(p + i, n - i) : 0;
        if (len > 0)
            str_add_n(t, s + i, len);
        else if (p[i] >= 0x80)
            str_add(t, "\xef\xbf\xbd");
        else
            add_escaped(t, p[i]);
        i += len > 0 ? len : 1;
    }
    str_add_c(t, '"');
}

void json_add_string(struct str *t, const char *s)
{
    json_add_string_n(t, s, strlen(s));
}

void json_add_double(struct str *t, double v)
{
    char text[40];

    if (!isfinite(v)) {
        str_add(t, "null");
        return;
    }
    if (v == floor(v) && fabs(v) < 1e15) {
        str_add_i64(t, (int64_t)v);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    str_add(t, text);
}

void json_add_comma(struct str *t)
{
    if (t->n > 0 && t->s[t->n - 1] != '{' && t->s[t->n - 1] != '[')
        str_add_c(t, ',');
}

void json_add_key(struct str *t, const char *name)
{
    json_add_comma(t);
    str_add_c(t, '"');
    str_add(t, name);
    str_add_n(t, "\":", 2);
}

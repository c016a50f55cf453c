/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/keyvalue.h"

#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

void keyvalue_init(struct keyvalue *r, char *text, size_t n)
{
    *r = (struct keyvalue){ .next = text, .end = text + n };
    if (slice_starts((struct slice){ text, n }, byte_order_mark))
        r->next += sizeof byte_order_mark - 1;
}

/* What the letter after a backslash stands for; 0: nothing. */
static char unescape(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case 'n':
        return '\n';
    case 't':
        return '\t';
    default:
        return '\0';
    }
}

/* Reads the quoted value in place: `v` begins with its quote and lies in writable text. */
static const char *read_quoted(struct slice *v)
{
    char *to = (char *)v->s;
    size_t i = 1;

    while (i < v->n && v->s[i] != '"') {
        char c = v->s[i++];

        if (c == '\\') {
            c = i < v->n ? unescape(v->s[i++]) : '\0';
            if (c == '\0')
                return "a backslash in a quoted value must be followed by \" \\ n or t";
        }
        *to++ = c;
    }
    if (i == v->n)
        return "the closing quote is missing";
    if (i + 1 < v->n)
        return "there is text after the closing quote";
    v->n = (size_t)(to - v->s);
    return NULL;
}

static void read_pair(struct slice text, struct keyvalue_line *out)
{
    out->key = slice_trim(text);
    if (memchr(text.s, '\0', text.n) != NULL) {
        out->bad = "there is a NUL byte in this line";
        out->key.n = 0;
    } else if (memchr(text.s, '=', text.n) == NULL) {
        out->bad = "there is no '=': a line is `key = value`";
    } else {
        out->key = slice_trim(slice_cut(&text, '='));
        out->value = slice_trim(text);
        if (out->key.n == 0)
            out->bad = "there is no key before the '='";
        else if (out->value.n > 0 && out->value.s[0] == '"')
            out->bad = read_quoted(&out->value);
    }
    if (out->bad != NULL)
        out->value = SLICE("");
}

bool keyvalue_next(struct keyvalue *r, struct keyvalue_line *out)
{
    while (r->next < r->end) {
        char *newline = memchr(r->next, '\n', (size_t)(r->end - r->next));
        char *end = newline != NULL ? newline : r->end;
        struct slice text = slice_trim((struct slice){ r->next, (size_t)(end - r->next) });

        r->next = newline != NULL ? newline + 1 : r->end;
        r->line++;
        if (text.n == 0 || text.s[0] == '#')
            continue;
        *out = (struct keyvalue_line){ .line = r->line };
        read_pair(text, out);
        return true;
    }
    return false;
}

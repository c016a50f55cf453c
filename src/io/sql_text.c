/* SPDX-License-Identifier: Apache-2.0 */
/* Statement text: where its '?' stand, and values written in their places. The session's charset is utf8mb4, in which
 * no byte below 0x80 is ever part of a longer character, and its sql_mode has neither NO_BACKSLASH_ESCAPES nor
 * ANSI_QUOTES: so text is scanned and escaped byte by byte. Big ones are done in pieces between which the loop
 * turns. */
#include "src/io/sql_session.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { PIECE = 64 << 10 };

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* Behind a comment that begins at `p`, or `p` when none does. */
static const char *skip_comment(const char *p)
{
    const char *end;

    if (p[0] == '/' && p[1] == '*') {
        end = strstr(p + 2, "*/");
        return end != NULL ? end + 2 : p + strlen(p);
    }
    if (p[0] == '#' || (p[0] == '-' && p[1] == '-' && is_blank(p[2])))
        return p + strcspn(p, "\n");
    return p;
}

/* Where the next '?' stands that is outside of quotes and comments, or the end. State between calls: the open quote. */
struct scan {
    const char *p;
    char quote;
};

/* Moves on by at most about PIECE bytes; true when it stands on a '?' or at the end. */
static bool scan_step(struct scan *s)
{
    const char *stop = s->p;

    for (unsigned n = 0; n < PIECE && *stop != '\0'; n++) {
        char c = *stop;

        if (s->quote != '\0') {
            if (c == '\\' && s->quote != '`' && stop[1] != '\0')
                stop++;
            else if (c == s->quote)
                s->quote = '\0';
        } else if (c == '\'' || c == '"' || c == '`') {
            s->quote = c;
        } else if (c == '?') {
            break;
        } else if (c == '/' || c == '-' || c == '#') {
            const char *behind = skip_comment(stop);

            if (behind != stop) {
                stop = behind;
                continue;
            }
        }
        stop++;
    }
    s->p = stop;
    return *stop == '\0' || (*stop == '?' && s->quote == '\0');
}

static int scan_next(struct scan *at, struct sql *s, struct err *e)
{
    int rv = 0;

    while (rv == 0 && !scan_step(at))
        rv = sql_pause(s, e);
    return rv;
}

static const char escaped[256] = {
    ['\0'] = '0', ['\''] = '\'', ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\x1a'] = 'Z',
};

static size_t escape(char *to, const char *from, size_t n)
{
    char *start = to;

    for (size_t i = 0; i < n; i++) {
        char with = escaped[(unsigned char)from[i]];

        if (with != '\0')
            *to++ = '\\';
        *to++ = with != '\0' ? with : from[i];
    }
    return (size_t)(to - start);
}

static int write_quoted(struct str *out, struct slice text, struct sql *s, struct err *e)
{
    int rv = 0;

    str_add_c(out, '\'');
    for (size_t done = 0; done < text.n && rv == 0; done += PIECE) {
        size_t n = text.n - done < PIECE ? text.n - done : PIECE;
        char *to = str_reserve(out, 2 * n);

        if (to != NULL) {
            out->n += escape(to, text.s + done, n);
            out->s[out->n] = '\0';
        }
        rv = sql_pause(s, e);
    }
    str_add_c(out, '\'');
    return rv;
}

/* The exponent makes it DOUBLE; 1.5 alone would be DECIMAL. */
static int write_double(struct str *out, double v, struct err *e)
{
    char buf[32];

    if (!isfinite(v))
        return err_set(e, &ERR_UNEXPECTED, "%s", "a value of a statement is not a finite number");
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(buf, sizeof buf, "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    str_printf(out, signbit(v) ? " %s%s" : "%s%s", buf, strchr(buf, 'e') != NULL ? "" : "e0");
    return 0;
}

const char *sql_time_text(int64_t wall_us, char *buf)
{
    int64_t fraction = ((wall_us % 1000000) + 1000000) % 1000000;
    time_t seconds = (time_t)((wall_us - fraction) / 1000000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099 || tm.tm_year < -1900)
        tm = (struct tm){ .tm_year = 8099, .tm_mon = 11, .tm_mday = 31, .tm_hour = 23, .tm_min = 59, .tm_sec = 59 };
    (void)snprintf(buf, 32, "%04d-%02d-%02d %02d:%02d:%02d.%06d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                   tm.tm_min, tm.tm_sec, (int)fraction);
    return buf;
}

static int write_value(struct str *out, const struct sql_value *v, struct sql *s, struct err *e)
{
    char buf[32];

    switch (v->kind) {
    case SQL_NULL:
        str_add(out, "NULL");
        return 0;
    case SQL_INT:
        if (v->i < 0)
            str_add_c(out, ' '); /* "a-?" must not become a comment */
        str_add_i64(out, v->i);
        return 0;
    case SQL_UINT:
        str_add_u64(out, v->u);
        return 0;
    case SQL_DOUBLE:
        return write_double(out, v->d, e);
    case SQL_TIME:
        str_printf(out, "'%s'", sql_time_text(v->i, buf));
        return 0;
    case SQL_BYTES:
        str_add(out, "_binary");
        return write_quoted(out, v->text, s, e);
    case SQL_TEXT:
        return write_quoted(out, v->text, s, e);
    }
    return err_set(e, &ERR_UNEXPECTED, "%s", "a value of a statement has no kind");
}

unsigned sql_text_count(const char *text)
{
    struct scan at = { .p = text };
    unsigned n = 0;

    for (;;) {
        while (!scan_step(&at))
            continue;
        if (*at.p == '\0')
            return n;
        n++;
        at.p++;
    }
}

static int write_until(struct str *out, const char *from, const char *to, struct sql *s, struct err *e)
{
    int rv = 0;

    for (; from < to && rv == 0; from += PIECE) {
        str_add_n(out, from, to - from < PIECE ? (size_t)(to - from) : PIECE);
        rv = sql_pause(s, e);
    }
    return rv;
}

static size_t estimate(const char *text, const struct sql_value *values, unsigned n_values)
{
    size_t n = strlen(text) + 1;

    for (unsigned i = 0; i < n_values; i++)
        n += values[i].kind == SQL_TEXT || values[i].kind == SQL_BYTES ? values[i].text.n + values[i].text.n / 16 + 16 : 32;
    return n;
}

int sql_text_write(struct str *out, const char *text, const struct sql_value *values, unsigned n_values, struct sql *s,
                   struct err *e)
{
    struct scan at = { .p = text };
    const char *from = text;
    unsigned n = 0;
    int rv;

    (void)str_reserve(out, estimate(text, values, n_values)); /* a failure shows at the end */
    for (;;) {
        rv = scan_next(&at, s, e);
        if (rv == 0)
            rv = write_until(out, from, at.p, s, e);
        if (rv != 0 || *at.p == '\0')
            break;
        rv = n < n_values ? write_value(out, &values[n], s, e) : 0;
        if (rv != 0)
            return rv;
        n++;
        from = ++at.p;
    }
    if (rv == 0 && n != n_values)
        rv = err_set(e, &ERR_UNEXPECTED, "statement has %u places for values, %u were given", n, n_values);
    if (rv == 0 && str_failed(out))
        rv = err_set(e, &ERR_NOMEM, "");
    return rv;
}

static const char *skip_blanks(const char *p)
{
    for (;;) {
        const char *behind;

        while (*p != '\0' && (is_blank(*p) || *p == '('))
            p++;
        behind = skip_comment(p);
        if (behind == p)
            return p;
        p = behind;
    }
}

static bool is_word(const char *p, const char *word)
{
    size_t n = strlen(word);
    unsigned char next;

    if (strncasecmp(p, word, n) != 0)
        return false;
    next = (unsigned char)p[n];
    return !(next == '_' || isalnum(next) || next >= 0x80);
}

static bool is_any(const char *p, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (is_word(p, *words))
            return true;
    }
    return false;
}

/* The statement that follows the WITH at `p`: the first of its verbs that stands outside of parentheses. */
static const char *behind_with(const char *p)
{
    static const char *const verbs[] = { "SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "REPLACE", NULL };
    int depth = 0;
    char quote = '\0';

    for (; *p != '\0'; p++) {
        if (quote != '\0') {
            if (*p == '\\' && quote != '`' && p[1] != '\0')
                p++;
            else if (*p == quote)
                quote = '\0';
        } else if (*p == '\'' || *p == '"' || *p == '`') {
            quote = *p;
        } else if (skip_comment(p) != p) {
            p = skip_comment(p) - 1;
        } else if (depth == 0 && is_any(p, verbs)) {
            break;
        } else {
            depth += (*p == '(') - (*p == ')');
        }
    }
    return p;
}

struct sql_effect sql_effect_of(const char *text, bool in_transaction, bool is_commit)
{
    /* SET is not among them: SET GLOBAL lasts */
    static const char *const reading[] = { "SELECT", "SHOW", "EXPLAIN", "DESC", "DESCRIBE", "VALUES", "ROLLBACK", "SAVEPOINT",
                                           "RELEASE", "USE", "HELP", NULL };
    /* commits what is open */
    static const char *const beginning[] = { "BEGIN", "START", NULL };
    /* what ends with the connection as long as nobody commits */
    static const char *const undone[] = { "INSERT", "UPDATE", "DELETE", "REPLACE", NULL };
    const char *first = skip_blanks(text);
    const char *p = is_word(first, "WITH") ? behind_with(first + 4) : first;
    struct sql_effect effect = { .reads = is_any(p, reading) || (!in_transaction && is_any(p, beginning)) };

    effect.reads = effect.reads && !is_commit;
    effect.may_last = is_commit || !(effect.reads || (in_transaction && is_any(p, undone)));
    return effect;
}

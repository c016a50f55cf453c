/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/lex.h"

#include <string.h>

struct scan {
    const char *s;
    size_t n, at;
    unsigned flags;
    bool in_versioned;   /* between the marks of a comment for MySQL versions */
    struct arena *arena;
    bool failed;
};

static char peek(const struct scan *z, size_t ahead)
{
    return z->at + ahead < z->n ? z->s[z->at + ahead] : '\0';
}

static bool starts(const struct scan *z, const char *text)
{
    size_t n = strlen(text);

    return z->n - z->at >= n && memcmp(z->s + z->at, text, n) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static void skip_line(struct scan *z)
{
    while (z->at < z->n && z->s[z->at] != '\n')
        z->at++;
}

/* From behind the opening mark to behind the closing one. False: there is none. */
static bool skip_comment(struct scan *z)
{
    while (z->at < z->n && !starts(z, "*/"))
        z->at++;
    if (z->at >= z->n)
        return false;
    z->at += 2;
    return true;
}

static bool open_versioned(struct scan *z)
{
    if (z->in_versioned || !starts(z, "/*!"))
        return false;
    z->at += 3;
    while (z->at < z->n && is_digit(z->s[z->at]))
        z->at++;
    return z->in_versioned = true;
}

static bool close_versioned(struct scan *z)
{
    if (!z->in_versioned || !starts(z, "*/"))
        return false;
    z->at += 2;
    z->in_versioned = false;
    return true;
}

/* True: something was skipped, there may be more. `*open`: a comment without end. */
static bool skip_one(struct scan *z, bool *open)
{
    char after = peek(z, 2);

    if (z->at < z->n && is_blank(z->s[z->at])) {
        z->at++;
        return true;
    }
    if (peek(z, 0) == '#' || (starts(z, "--") && (z->at + 2 == z->n || is_blank(after)))) {
        skip_line(z);
        return true;
    }
    if (open_versioned(z) || close_versioned(z))
        return true;
    if (!starts(z, "/*"))
        return false;
    z->at += 2;
    *open = !skip_comment(z);
    return !*open;
}

static char unescaped(char c)
{
    static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\032";
    const char *p = c != '\0' ? strchr(from, c) : NULL;

    return p != NULL ? to[p - from] : c;
}

/* Reads the quoted text at the scanner, doubled quotes and (with `escapes`) backslashes undone. */
static enum lex_kind quoted(struct scan *z, enum lex_kind kind, bool escapes, struct slice *text)
{
    char quote = z->s[z->at++], *out = arena_alloc(z->arena, z->n - z->at + 1);
    size_t n = 0;

    if (out == NULL) {
        z->failed = true;
        return LEX_BAD;
    }
    for (; z->at < z->n; z->at++) {
        char c = z->s[z->at];

        if (c == quote && peek(z, 1) != quote) {
            z->at++;
            *text = (struct slice){ out, n };
            return kind;
        }
        if (c == quote)
            z->at++;
        else if (c == '\\' && escapes && z->at + 1 < z->n) {
            c = z->s[++z->at];
            if (c == '%' || c == '_') /* these stay escaped, for LIKE */
                out[n++] = '\\';
            else
                c = unescaped(c);
        }
        out[n++] = c;
    }
    return LEX_BAD;
}

/* Digits, a fraction, an exponent; what goes on with letters is a word. */
static enum lex_kind number(struct scan *z)
{
    size_t start = z->at;

    if (peek(z, 0) == '0' && (peek(z, 1) == 'x' || peek(z, 1) == 'X')) {
        z->at += 2;
        while (z->at < z->n && strchr("0123456789abcdefABCDEF", z->s[z->at]) != NULL && z->s[z->at] != '\0')
            z->at++;
        return z->at > start + 2 ? LEX_NUMBER : LEX_BAD;
    }
    while (is_digit(peek(z, 0)))
        z->at++;
    if (peek(z, 0) == '.' && (is_digit(peek(z, 1)) || z->at > start))
        for (z->at++; is_digit(peek(z, 0));)
            z->at++;
    if ((peek(z, 0) == 'e' || peek(z, 0) == 'E') &&
        (is_digit(peek(z, 1)) || ((peek(z, 1) == '-' || peek(z, 1) == '+') && is_digit(peek(z, 2)))))
        for (z->at += 2; is_digit(peek(z, 0));)
            z->at++;
    if (z->at >= z->n || !is_word_char(z->s[z->at]))
        return LEX_NUMBER;
    while (z->at < z->n && is_word_char(z->s[z->at]))
        z->at++;
    return LEX_WORD;
}

static enum lex_kind word(struct scan *z)
{
    while (z->at < z->n && is_word_char(z->s[z->at]))
        z->at++;
    return LEX_WORD;
}

static enum lex_kind mark(struct scan *z)
{
    static const char *const marks[] = { "<=>", "<=", ">=", "<>", "!=", ":=", "||", "&&", "@@", "<<", ">>" };
    char c = z->s[z->at];

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (starts(z, marks[i])) {
            z->at += strlen(marks[i]);
            return LEX_MARK;
        }
    z->at++;
    if (c == '?')
        return LEX_PLACEHOLDER;
    return c != '\0' && strchr("()[]{},;.=<>!+-*/%&|^~:@", c) != NULL ? LEX_MARK : LEX_BAD;
}

static enum lex_kind token(struct scan *z, struct slice *text)
{
    bool escapes = (z->flags & LEX_NO_BACKSLASH) == 0;
    char c = z->s[z->at];

    if (c == '`')
        return quoted(z, LEX_NAME, false, text);
    if (c == '"' && (z->flags & LEX_ANSI_QUOTES) != 0)
        return quoted(z, LEX_NAME, false, text);
    if (c == '\'' || c == '"')
        return quoted(z, LEX_STRING, escapes, text);
    if (is_digit(c) || (c == '.' && is_digit(peek(z, 1))))
        return number(z);
    return is_word_char(c) ? word(z) : mark(z);
}

static struct lex_token next(struct scan *z)
{
    struct lex_token t = { LEX_END, { "", 0 }, 0, 0 };
    bool open = false;

    while (skip_one(z, &open))
        ;
    t.at = z->at;
    if (open || (z->at >= z->n && z->in_versioned)) {
        t.kind = LEX_BAD;
        z->at = z->n;
        z->in_versioned = false;
    } else if (z->at < z->n) {
        t.kind = token(z, &t.text);
        if (t.kind != LEX_STRING && t.kind != LEX_NAME)
            t.text = (struct slice){ z->s + t.at, z->at - t.at };
    }
    t.end = z->at;
    return t;
}

static bool append(struct lex *l, size_t *space, struct arena *arena, struct lex_token t)
{
    if (l->n == *space) {
        struct lex_token *more = arena_array(arena, *space == 0 ? 32 : 2 * *space, sizeof *more);

        if (more == NULL)
            return false;
        if (l->n > 0)
            memcpy(more, l->tokens, l->n * sizeof *more);
        l->tokens = more;
        *space = *space == 0 ? 32 : 2 * *space;
    }
    l->tokens[l->n++] = t;
    return true;
}

bool lex_all(struct slice sql, unsigned flags, struct arena *arena, struct lex *out)
{
    struct scan z = { .s = sql.s, .n = sql.n, .flags = flags, .arena = arena };
    struct lex_token t;
    size_t space = 0;

    *out = (struct lex){ .sql = sql };
    do {
        t = next(&z);
        if (z.failed || !append(out, &space, arena, t))
            return false;
    } while (t.kind != LEX_END);
    return true;
}

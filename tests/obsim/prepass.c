/* SPDX-License-Identifier: Apache-2.0 */
/* Token by token. What needs more than its own token looks at its neighbours; parentheses are kept on a stack, since what FROM, a comma or
 * AS mean depends on whose parentheses they stand in. */
#include "tests/obsim/prepass.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/lex.h"

enum { DEPTH_MAX = 200, CTES_MAX = 16 };

enum paren { PAREN_PLAIN, PAREN_TRIM, PAREN_CAST, PAREN_COUNT_OF };

struct level {
    enum paren kind;
    size_t before;           /* where the output of what the parentheses belong to begins */
};

struct rewrite {
    const struct prepass *p;
    const struct lex *lex;
    size_t at;
    struct str *out;
    struct level levels[DEPTH_MAX];
    unsigned depth;
    size_t primary;          /* where the output of the last operand begins */
    struct slice ctes[CTES_MAX];
    unsigned n_ctes;
    bool unqualified, failed;
};

static const struct lex_token *token(const struct rewrite *r, size_t ahead)
{
    return &r->lex->tokens[r->at + ahead < r->lex->n ? r->at + ahead : r->lex->n - 1];
}

static bool is_word_at(const struct rewrite *r, size_t ahead, const char *word)
{
    return token(r, ahead)->kind == LEX_WORD && slice_is_nocase(token(r, ahead)->text, word);
}

static bool is_mark_at(const struct rewrite *r, size_t ahead, const char *mark)
{
    return token(r, ahead)->kind == LEX_MARK && slice_is(token(r, ahead)->text, mark);
}

static bool is_among(struct slice word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (slice_is_nocase(word, *words))
            return true;
    return false;
}

static void put_quoted(struct str *out, struct slice text, char quote)
{
    str_add_c(out, quote);
    for (size_t i = 0; i < text.n; i++) {
        if (text.s[i] == quote)
            str_add_c(out, quote);
        str_add_c(out, text.s[i]);
    }
    str_add_c(out, quote);
}

/* SQLite ends a statement at a NUL, so texts with one go in hex. */
static void put_string(struct str *out, struct slice text)
{
    if (memchr(text.s, '\0', text.n) == NULL) {
        put_quoted(out, text, '\'');
        return;
    }
    str_add(out, "CAST(x'");
    str_add_hex(out, text.s, text.n);
    str_add(out, "' AS TEXT)");
}

static void insert(struct str *out, size_t at, const char *text)
{
    size_t n = strlen(text);

    if (str_reserve(out, n) == NULL)
        return;
    memmove(out->s + at + n, out->s + at, out->n - at);
    memcpy(out->s + at, text, n);
    out->n += n;
}

/* --- words ---------------------------------------------------------------------------------------------------------------------- */

/* Functions whose names are no function names for SQLite, or are its own with another meaning. */
static const char *const renamed[] = { "LEFT", "RIGHT", "REPLACE", "INSERT", "IF", "TRIM", "SUBSTR", "SUBSTRING", "MID", "ROUND", "LENGTH",
                                       "UPPER", "LOWER", "HEX", "CURRENT_TIMESTAMP", "CURRENT_DATE", "LOCALTIME", "LOCALTIMESTAMP", "DATE", "TIME",
                                       "CHAR", "FORMAT", NULL };

/* TRIM([BOTH|LEADING|TRAILING] [x] FROM y): the words become the first value, FROM a comma. */
static void rewrite_trim(struct rewrite *r)
{
    static const char *const sides[] = { "BOTH", "LEADING", "TRAILING", NULL };
    unsigned depth = 0;

    if (token(r, 0)->kind == LEX_WORD && is_among(token(r, 0)->text, sides)) {
        str_printf(r->out, "'%.*s', ", SLICE_FMT(token(r, 0)->text));
        r->at++;
        if (is_word_at(r, 0, "FROM"))
            str_add(r->out, "' '");
        return;
    }
    for (size_t i = 0; token(r, i)->kind != LEX_END; i++) {
        depth += is_mark_at(r, i, "(") ? 1 : 0;
        if (is_mark_at(r, i, ")") && depth-- == 0)
            return;
        if (depth == 0 && is_word_at(r, i, "FROM")) {
            str_add(r->out, "'BOTH', ");
            return;
        }
    }
}

static void open_paren(struct rewrite *r, enum paren kind, size_t before)
{
    if (r->depth == DEPTH_MAX) {
        r->failed = true;
        return;
    }
    r->levels[r->depth++] = (struct level){ kind, before };
    str_add_c(r->out, '(');
    r->at++;
}

static enum paren paren_of(struct slice function)
{
    if (slice_is_nocase(function, "TRIM"))
        return PAREN_TRIM;
    return slice_is_nocase(function, "CAST") ? PAREN_CAST : PAREN_PLAIN;
}

static void put_call(struct rewrite *r, struct slice name)
{
    size_t before = r->out->n;

    if (is_among(name, renamed))
        str_add(r->out, "mysql_");
    str_add_n(r->out, name.s, name.n);
    r->at++;
    open_paren(r, paren_of(name), before);
    if (!r->failed && paren_of(name) == PAREN_TRIM)
        rewrite_trim(r);
    if ((slice_is_nocase(name, "TIMESTAMPDIFF") || slice_is_nocase(name, "TIMESTAMPADD")) && token(r, 0)->kind == LEX_WORD) {
        put_quoted(r->out, token(r, 0)->text, '\'');
        r->at++;
    }
}

/* @@x, @@global.x, @x. */
static void rewrite_variable(struct rewrite *r)
{
    bool is_system = is_mark_at(r, 0, "@@");
    struct slice scope = { "", 0 }, name;

    r->primary = r->out->n;
    r->at++;
    if (is_system && is_mark_at(r, 1, ".")) {
        scope = token(r, 0)->text;
        r->at += 2;
    }
    name = token(r, 0)->text;
    if (token(r, 0)->kind != LEX_WORD && token(r, 0)->kind != LEX_NAME) {
        r->failed = true;
        return;
    }
    r->at++;
    if (!is_system) {
        str_add(r->out, "NULL");
        return;
    }
    str_add(r->out, "sysvar(");
    put_quoted(r->out, name, '\'');
    if (scope.n > 0) {
        str_add_c(r->out, ',');
        put_quoted(r->out, scope, '\'');
    }
    str_add_c(r->out, ')');
}

static bool is_unit(struct slice word)
{
    static const char *const units[] = { "MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", NULL };

    return is_among(word, units);
}

static void put_token(struct rewrite *r);

/* INTERVAL x UNIT: behind a comma it is an argument of DATE_ADD or DATE_SUB; behind + or - it and the operand before go into a call. */
static void rewrite_interval(struct rewrite *r)
{
    size_t end = r->out->n;
    char operator;
    unsigned depth = r->depth;

    r->at++;
    while (end > 0 && r->out->s[end - 1] == ' ')
        end--;
    operator = end > 0 ? r->out->s[end - 1] : '\0';
    if (operator != ',' && operator != '+' && operator != '-') {
        r->failed = true;
        return;
    }
    if (operator != ',') {
        r->out->n = end - 1;
        insert(r->out, r->primary, operator == '+' ? "DATE_ADD(" : "DATE_SUB(");
        str_add_c(r->out, ',');
    }
    str_add_c(r->out, '(');
    while (token(r, 0)->kind != LEX_END && !r->failed && !(r->depth == depth && token(r, 0)->kind == LEX_WORD && is_unit(token(r, 0)->text)))
        put_token(r);
    str_printf(r->out, "),'%.*s'%s", SLICE_FMT(token(r, 0)->text), operator != ',' ? ")" : "");
    r->failed = r->failed || token(r, 0)->kind == LEX_END;
    r->at++;
}

/* In CAST(x AS TYPE): SQLite knows five. */
static void rewrite_type(struct rewrite *r)
{
    static const char *const integers[] = { "SIGNED", "UNSIGNED", "INTEGER", "BIGINT", "INT", NULL };
    static const char *const reals[] = { "DECIMAL", "DOUBLE", "FLOAT", "REAL", "NUMERIC", NULL };
    struct slice type = token(r, 0)->text;

    str_add(r->out, is_among(type, integers) ? " INTEGER" : is_among(type, reals) ? " REAL" : " TEXT");
    while (!is_mark_at(r, 0, ")") && token(r, 0)->kind != LEX_END) {
        if (is_mark_at(r, 0, "(")) /* a length */
            while (!is_mark_at(r, 0, ")") && token(r, 0)->kind != LEX_END)
                r->at++;
        r->at++;
    }
}

static void put_collation(struct rewrite *r)
{
    struct slice name = token(r, 1)->text;

    str_add(r->out, name.n > 4 && strncasecmp(name.s + name.n - 4, "_bin", 4) == 0 ? " COLLATE BINARY" : " COLLATE NOCASE");
    r->at += 2;
}

/* A table without a database, and not one of the statement's own. */
static void look_at_table(struct rewrite *r)
{
    const struct lex_token *t = token(r, 0);

    if ((t->kind != LEX_WORD && t->kind != LEX_NAME) || is_mark_at(r, 1, ".") || is_word_at(r, 0, "DUAL"))
        return;
    for (unsigned i = 0; i < r->n_ctes; i++)
        if (r->ctes[i].n == t->text.n && strncasecmp(r->ctes[i].s, t->text.s, t->text.n) == 0)
            return;
    r->unqualified = true;
}

/* name [(columns)] AS ( */
static void look_for_cte(struct rewrite *r)
{
    if (is_word_at(r, 1, "AS") && is_mark_at(r, 2, "(") && r->n_ctes < CTES_MAX)
        r->ctes[r->n_ctes++] = token(r, 0)->text;
    else if (is_mark_at(r, 1, "(") && r->n_ctes < CTES_MAX)
        for (size_t i = 2; token(r, i)->kind != LEX_END; i++)
            if (is_mark_at(r, i, ")")) {
                if (is_word_at(r, i + 1, "AS") && is_mark_at(r, i + 2, "("))
                    r->ctes[r->n_ctes++] = token(r, 0)->text;
                return;
            }
}

static const struct {
    const char *word, *text;
} words[] = {
    { "DIV", "/" },          { "MOD", "%" },        { "RLIKE", "REGEXP" }, { "SQL_NO_CACHE", "" }, { "SQL_CALC_FOUND_ROWS", "" },
    { "STRAIGHT_JOIN", "JOIN" },
};

/* Words that mean something of their own here. True: done. */
static bool put_special_word(struct rewrite *r)
{
    struct slice text = token(r, 0)->text;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_is_nocase(text, words[i].word)) {
            str_add(r->out, words[i].text);
            r->at++;
            return true;
        }
    if (slice_is_nocase(text, "INTERVAL")) {
        rewrite_interval(r);
    } else if (slice_is_nocase(text, "FROM") && is_word_at(r, 1, "DUAL")) {
        r->at += 2;
    } else if (slice_is_nocase(text, "FROM") && r->depth > 0 && r->levels[r->depth - 1].kind == PAREN_TRIM) {
        str_add_c(r->out, ',');
        r->at++;
    } else if (slice_is_nocase(text, "AS") && r->depth > 0 && r->levels[r->depth - 1].kind == PAREN_CAST) {
        str_add(r->out, "AS");
        r->at++;
        rewrite_type(r);
    } else if (slice_is_nocase(text, "COLLATE")) {
        put_collation(r);
    } else if (slice_is_nocase(text, "SEPARATOR")) {
        str_add_c(r->out, ',');
        r->at++;
    } else if (slice_is_nocase(text, "FOR") && is_word_at(r, 1, "UPDATE")) {
        r->at += 2;
    } else if (slice_is_nocase(text, "CURRENT_TIMESTAMP") || slice_is_nocase(text, "LOCALTIME") || slice_is_nocase(text, "LOCALTIMESTAMP")) {
        str_add(r->out, "NOW()");
        r->at++;
    } else {
        return false;
    }
    return true;
}

static void put_word(struct rewrite *r)
{
    static const char *const reserved_there[] = { "NOTHING", "TRANSACTION", "RETURNING", "COMMIT", "DEFERRABLE", "AUTOINCREMENT", "NOTNULL", NULL };
    static const char *const sources[] = { "FROM", "JOIN", "STRAIGHT_JOIN", NULL };
    static const char *const no_functions[] = { "IN", "AND", "OR", "NOT", "AS", "FROM", "JOIN", "ON", "WHERE", "SELECT", "UNION", "ALL", "EXISTS",
                                                "USING", "BETWEEN", "LIKE", "WHEN", "THEN", "ELSE", "BY", "HAVING", "LIMIT", "DISTINCT", "ANY", "INTERVAL", NULL };
    struct slice text = token(r, 0)->text;
    bool is_source = is_among(text, sources), is_qualified = r->at > 0 && r->lex->tokens[r->at - 1].kind == LEX_MARK &&
                                                             slice_is(r->lex->tokens[r->at - 1].text, ".");

    if (!is_qualified && is_mark_at(r, 1, "(") && !is_among(text, no_functions)) {
        look_for_cte(r);
        put_call(r, text);
        return;
    }
    if (!is_qualified && put_special_word(r))
        return;
    if (!is_qualified)
        r->primary = r->out->n;
    look_for_cte(r);
    if (is_among(text, reserved_there))
        put_quoted(r->out, text, '"');
    else
        str_add_n(r->out, text.s, text.n);
    r->at++;
    if (is_source)
        look_at_table(r);
}

/* --- marks ---------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *mark, *text;
} marks[] = { { "<=>", " IS " }, { "&&", " AND " }, { "!", " NOT " }, { "/", "*1.0/" } };

/* ( at the start of a member of a UNION: SQLite wants a SELECT there. */
static void put_open(struct rewrite *r)
{
    bool is_member = r->at == 0 || (r->lex->tokens[r->at - 1].kind == LEX_WORD && (slice_is_nocase(r->lex->tokens[r->at - 1].text, "ALL") ||
                                                                                  slice_is_nocase(r->lex->tokens[r->at - 1].text, "UNION")));

    r->primary = r->out->n;
    if (is_member && is_word_at(r, 1, "SELECT"))
        str_add(r->out, "SELECT * FROM ");
    open_paren(r, PAREN_PLAIN, r->primary);
}

static void put_close(struct rewrite *r)
{
    if (r->depth == 0) {
        r->failed = true;
        return;
    }
    r->primary = r->levels[--r->depth].before;
    str_add_c(r->out, ')');
    r->at++;
}

static void put_mark(struct rewrite *r)
{
    struct slice text = token(r, 0)->text;

    if (slice_is(text, "(")) {
        put_open(r);
    } else if (slice_is(text, ")")) {
        put_close(r);
    } else if (slice_is(text, "@@") || slice_is(text, "@")) {
        rewrite_variable(r);
    } else if (slice_is(text, ":=") || slice_is(text, "[") || slice_is(text, "{") || slice_is(text, ":")) {
        r->failed = true;
    } else {
        const char *other = slice_is(text, "||") && !r->p->pipes_concat ? " OR " : NULL;

        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
            if (slice_is(text, marks[i].mark))
                other = marks[i].text;
        if (other != NULL)
            str_add(r->out, other);
        else
            str_add_n(r->out, text.s, text.n);
        r->at++;
    }
}

static void put_token(struct rewrite *r)
{
    const struct lex_token *t = token(r, 0);

    if (r->at > 0 && r->lex->tokens[r->at - 1].end < t->at)
        str_add_c(r->out, ' ');
    switch (t->kind) {
    case LEX_WORD:
        put_word(r);
        return;
    case LEX_MARK:
        put_mark(r);
        return;
    case LEX_STRING:
        r->primary = r->out->n;
        put_string(r->out, t->text);
        break;
    case LEX_NAME:
        if (r->at == 0 || !slice_is(r->lex->tokens[r->at - 1].text, "."))
            r->primary = r->out->n;
        look_for_cte(r);
        put_quoted(r->out, t->text, '"');
        break;
    case LEX_NUMBER:
    case LEX_PLACEHOLDER:
        r->primary = r->out->n;
        str_add_n(r->out, t->text.s, t->text.n);
        break;
    case LEX_BAD:
    case LEX_END:
        r->failed = true;
        break;
    }
    r->at++;
}

static enum prepass_result rewrite(struct rewrite *r)
{
    while (token(r, 0)->kind != LEX_END && !r->failed) {
        if (is_mark_at(r, 0, ";"))
            return token(r, 1)->kind == LEX_END ? PREPASS_OK : PREPASS_SEVERAL;
        put_token(r);
    }
    return r->failed || r->depth > 0 ? PREPASS_SYNTAX : PREPASS_OK;
}

enum prepass_result prepass_run(const struct prepass *p, struct slice sql, struct str *out, bool *unqualified, struct slice *near)
{
    struct rewrite r = { .p = p, .out = out };
    enum prepass_result result;
    struct arena arena;
    struct lex lex;

    arena_init(&arena);
    if (!lex_all(sql, p->lex_flags, &arena, &lex))
        abort();
    r.lex = &lex;
    result = rewrite(&r);
    *unqualified = r.unqualified;
    *near = (struct slice){ sql.s + token(&r, 0)->at, sql.n - token(&r, 0)->at };
    arena_fini(&arena);
    return str_failed(out) ? PREPASS_SYNTAX : result;
}

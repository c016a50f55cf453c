/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/base/num.h"

/* Sorted: those reserved in MySQL mode that statements of ours could meet as names. */
static const char *const reserved[] = {
    "ADD", "ALL", "ALTER", "ANALYZE", "AND", "AS", "ASC", "BEFORE", "BETWEEN", "BIGINT", "BINARY", "BLOB", "BOTH", "BY", "CALL", "CASCADE",
    "CASE", "CHANGE", "CHAR", "CHARACTER", "CHECK", "COLLATE", "COLUMN", "CONDITION", "CONSTRAINT", "CONTINUE", "CONVERT", "CREATE",
    "CROSS", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "CURSOR", "DATABASE", "DATABASES", "DECIMAL", "DECLARE",
    "DEFAULT", "DELETE", "DESC", "DESCRIBE", "DISTINCT", "DISTINCTROW", "DIV", "DOUBLE", "DROP", "DUAL", "EACH", "ELSE", "ELSEIF",
    "ENCLOSED", "ESCAPED", "EXISTS", "EXIT", "EXPLAIN", "FALSE", "FETCH", "FLOAT", "FOR", "FORCE", "FOREIGN", "FROM", "FULLTEXT",
    "GENERATED", "GRANT", "GROUP", "HAVING", "IF", "IGNORE", "IN", "INDEX", "INFILE", "INNER", "INSERT", "INT", "INTEGER", "INTERVAL",
    "INTO", "IS", "ITERATE", "JOIN", "KEY", "KEYS", "KILL", "LEADING", "LEAVE", "LEFT", "LIKE", "LIMIT", "LINEAR", "LINES", "LOAD",
    "LOCK", "LONG", "LONGBLOB", "LONGTEXT", "LOOP", "MATCH", "MAXVALUE", "MOD", "NATURAL", "NOT", "NULL", "NUMERIC", "ON", "OPTIMIZE",
    "OPTION", "OPTIONALLY", "OR", "ORDER", "OUT", "OUTER", "OUTFILE", "PARTITION", "PRECISION", "PRIMARY", "PROCEDURE", "PURGE", "RANGE",
    "READ", "REAL", "REFERENCES", "REGEXP", "RELEASE", "RENAME", "REPEAT", "REPLACE", "REQUIRE", "RESTRICT", "RETURN", "REVOKE", "RIGHT",
    "RLIKE", "SCHEMA", "SCHEMAS", "SELECT", "SET", "SHOW", "SMALLINT", "SQL", "STORED", "TABLE", "TERMINATED", "THEN", "TINYINT", "TO",
    "TRAILING", "TRIGGER", "TRUE", "UNDO", "UNION", "UNIQUE", "UNLOCK", "UNSIGNED", "UPDATE", "USAGE", "USE", "USING", "VALUES", "VARCHAR",
    "VARYING", "VIRTUAL", "WHEN", "WHERE", "WHILE", "WITH", "WRITE", "XOR", "ZEROFILL",
};

static int by_word(const void *key, const void *row)
{
    const struct slice *word = key;
    const char *other = *(const char *const *)row;
    int order = strncasecmp(word->s, other, word->n);

    return order != 0 ? order : other[word->n] == '\0' ? 0 : -1;
}

bool parse_is_reserved(struct slice word)
{
    return bsearch(&word, reserved, sizeof reserved / sizeof reserved[0], sizeof reserved[0], by_word) != NULL;
}

const struct lex_token *parse_peek(const struct parse *p)
{
    return &p->lex->tokens[p->at];
}

const struct lex_token *parse_next(struct parse *p)
{
    const struct lex_token *t = parse_peek(p);

    p->at += t->kind != LEX_END;
    return t;
}

bool parse_is_word(const struct parse *p, const char *word)
{
    return parse_peek(p)->kind == LEX_WORD && slice_is_nocase(parse_peek(p)->text, word);
}

bool parse_words(struct parse *p, const char *words)
{
    struct slice rest = { words, strlen(words) };
    size_t at = p->at;

    while (rest.n > 0) {
        struct slice word = slice_cut(&rest, ' ');
        const struct lex_token *t = parse_peek(p);

        if (t->kind != LEX_WORD || t->text.n != word.n || strncasecmp(t->text.s, word.s, word.n) != 0) {
            p->at = at;
            return false;
        }
        p->at++;
    }
    return true;
}

bool parse_mark(struct parse *p, const char *mark)
{
    if (parse_peek(p)->kind != LEX_MARK || !slice_is(parse_peek(p)->text, mark))
        return false;
    p->at++;
    return true;
}

bool parse_end(struct parse *p)
{
    (void)parse_mark(p, ";"); /* may be missing */
    return parse_peek(p)->kind == LEX_END;
}

bool parse_name(struct parse *p, struct slice *out)
{
    const struct lex_token *t = parse_peek(p);

    if (t->kind != LEX_NAME && (t->kind != LEX_WORD || parse_is_reserved(t->text)))
        return false;
    *out = t->text;
    p->at++;
    return true;
}

bool parse_string(struct parse *p, struct slice *out)
{
    const struct lex_token *t = parse_peek(p);

    if (t->kind != LEX_STRING)
        return false;
    *out = t->text;
    p->at++;
    return true;
}

bool parse_name_or_string(struct parse *p, struct slice *out)
{
    return parse_name(p, out) || parse_string(p, out);
}

bool parse_i64(struct parse *p, int64_t *out)
{
    const struct lex_token *t = parse_peek(p);

    if (t->kind != LEX_NUMBER || !num_parse_i64(t->text, out))
        return false;
    p->at++;
    return true;
}

bool parse_number(struct parse *p, struct slice *text)
{
    size_t at = p->at;
    bool negative = parse_mark(p, "-");
    const struct lex_token *t = parse_peek(p);

    if (t->kind != LEX_NUMBER || (negative && t->at != p->lex->tokens[at].end)) {
        p->at = at;
        return false;
    }
    *text = negative ? (struct slice){ t->text.s - 1, t->text.n + 1 } : t->text;
    p->at++;
    return true;
}

bool parse_option(struct parse *p, const char *words, struct slice *out, bool *bad)
{
    if (!parse_words(p, words))
        return false;
    (void)parse_mark(p, "="); /* may be missing */
    if (parse_name_or_string(p, out))
        return true;
    *bad = true;
    return false;
}

bool parse_names(struct parse *p, bool bare, struct parse_list *out)
{
    bool open = parse_mark(p, "(");

    out->n = 0;
    if (!open && !bare)
        return false;
    do {
        if (out->n == PARSE_LIST_MAX || !parse_name_or_string(p, &out->items[out->n]))
            return false;
        out->n++;
    } while (parse_mark(p, ","));
    return !open || parse_mark(p, ")");
}

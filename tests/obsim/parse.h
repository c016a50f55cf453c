/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h - reading a grammar off tokens: each function looks at the next ones and takes them only when they fit (true). */
#ifndef OBSIM_PARSE_H
#define OBSIM_PARSE_H

#include <stdint.h>

#include "tests/obsim/lex.h"

struct parse {
    const struct lex *lex;  /* borrowed */
    size_t at;              /* next token */
};

const struct lex_token *parse_peek(const struct parse *p);
/* Takes any token but the end. */
const struct lex_token *parse_next(struct parse *p);
bool parse_is_word(const struct parse *p, const char *word);
/* "ALTER SYSTEM": all of these words in this order (bare, in any case), or nothing is taken. */
bool parse_words(struct parse *p, const char *words);
bool parse_mark(struct parse *p, const char *mark);
/* The end, after at most one ';'. */
bool parse_end(struct parse *p);

/* A bare word that is not reserved, or a quoted name. */
bool parse_name(struct parse *p, struct slice *out);
bool parse_string(struct parse *p, struct slice *out);
bool parse_name_or_string(struct parse *p, struct slice *out);
/* A whole number without sign. */
bool parse_i64(struct parse *p, int64_t *out);
/* A whole or decimal number, with an optional '-'. */
bool parse_number(struct parse *p, struct slice *text);
/* "KEYWORD [=] name or string". Nothing taken but the keyword and '=' when the value is missing: then false, and `*bad` true. */
bool parse_option(struct parse *p, const char *words, struct slice *out, bool *bad);
/* [(] 'a', b, ... [)]: names or strings, at least one. Parentheses may be missing only where `bare` says so. */
enum { PARSE_LIST_MAX = 64 };
struct parse_list {
    struct slice items[PARSE_LIST_MAX];
    size_t n;
};
bool parse_names(struct parse *p, bool bare, struct parse_list *out);

/* Words that are no identifiers unless quoted. */
bool parse_is_reserved(struct slice word);

#endif

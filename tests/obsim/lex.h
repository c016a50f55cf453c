/* SPDX-License-Identifier: Apache-2.0 */
/* lex.h - a statement of the simulated kernel as tokens. Comments, hints and blanks vanish; of a comment for MySQL versions only the
 * marks do. Nothing fails: what is no token is LEX_BAD, which no grammar admits. */
#ifndef OBSIM_LEX_H
#define OBSIM_LEX_H

#include <stdbool.h>

#include "src/base/arena.h"
#include "src/base/str.h"

enum lex_kind {
    LEX_END,
    LEX_WORD,        /* identifier or keyword, bare */
    LEX_NAME,        /* identifier in back-ticks (or in double quotes, where these quote names) */
    LEX_STRING,
    LEX_NUMBER,      /* digits with fraction and exponent, or 0x hex */
    LEX_PLACEHOLDER, /* ? */
    LEX_MARK,        /* operator or punctuation: "=", ":=", "<>", ".", "@", "@@", ... */
    LEX_BAD,         /* quote or comment without end, a byte that starts no token */
};

struct lex_token {
    enum lex_kind kind;
    struct slice text;  /* decoded: without quotes and escapes; of the others as written */
    size_t at, end;     /* where it stands in the statement, bytes */
};

enum { LEX_NO_BACKSLASH = 1, LEX_ANSI_QUOTES = 2 }; /* sql_mode NO_BACKSLASH_ESCAPES and ANSI_QUOTES */

struct lex {
    struct slice sql;          /* borrowed */
    struct lex_token *tokens;  /* the last is LEX_END */
    size_t n;
};

/* Texts lie in `arena` or in `sql`. False: out of memory. */
MUST_CHECK bool lex_all(struct slice sql, unsigned flags, struct arena *arena, struct lex *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* prepass.h - a SELECT of the kernel's dialect rewritten for SQLite: quoting, operators, and what SQLite spells otherwise. The functions
 * that it makes use of are those of functions.c. Pure. */
#ifndef OBSIM_PREPASS_H
#define OBSIM_PREPASS_H

#include "src/base/str.h"

struct prepass {
    unsigned lex_flags;      /* LEX_NO_BACKSLASH, LEX_ANSI_QUOTES: the session's sql_mode */
    bool pipes_concat;       /* sql_mode PIPES_AS_CONCAT: || joins texts */
};

enum prepass_result {
    PREPASS_OK,
    PREPASS_SYNTAX,          /* `*near` is where */
    PREPASS_SEVERAL,         /* more than one statement */
};

/* Appends to `out` (on the heap). `unqualified`: the statement names a table without a database. */
enum prepass_result prepass_run(const struct prepass *p, struct slice sql, struct str *out, bool *unqualified, struct slice *near);

#endif

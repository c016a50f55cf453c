/* SPDX-License-Identifier: Apache-2.0 */
/* privilege.h - privileges of a tenant in MySQL mode: OCP's tokens (CREATE_VIEW) and the words of the server's grammar (CREATE VIEW), on
 * what each may be granted, and sets of them. Sets hold words. Pure. */
#ifndef TENANT_PRIVILEGE_H
#define TENANT_PRIVILEGE_H

#include "src/base/err.h"
#include "src/base/field.h"

enum privilege_level {
    PRIVILEGE_GLOBAL = 1,   /* everywhere */
    PRIVILEGE_DATABASE = 2, /* in a database */
    PRIVILEGE_TABLE = 4,    /* on a table or view */
    PRIVILEGE_ROUTINE = 8,  /* on a stored procedure */
};

struct privilege {
    const char *token, *words; /* token NULL ends the table */
    unsigned levels;
};
extern const struct privilege privilege_rows[];

ERR_DECLARE(ERR_DB_PRIVILEGE);     /* 15255 {0} token, {1} those that are possible */
ERR_DECLARE(ERR_OBJECT_PRIVILEGE); /* 15258 {0} token, {1} type of the object */
extern const struct err_row *const privilege_err_rows[];

/* The row of a token, in any letter case, with blanks or underscores; NULL: there is none. */
const struct privilege *privilege_find(const char *token);
/* OCP's token for words of the server; NULL when memory is out. */
const char *privilege_token(const char *words, struct arena *arena);

/* The set that these tokens name. Errors: DB_PRIVILEGE for one that cannot be granted on `level`, OBJECT_PRIVILEGE on a table or routine. */
MUST_CHECK int privilege_read(const struct field_strings *tokens, enum privilege_level level, struct arena *arena, struct field_strings *out,
                              struct err *e);

bool text_set_has(const struct field_strings *set, const char *text);
/* Those of a that are not in b. Errors: NOMEM. */
MUST_CHECK int text_set_minus(const struct field_strings *a, const struct field_strings *b, struct arena *arena, struct field_strings *out,
                              struct err *e);
/* Those of a, then those of b that are not in a. Errors: NOMEM. */
MUST_CHECK int text_set_union(const struct field_strings *a, const struct field_strings *b, struct arena *arena, struct field_strings *out,
                              struct err *e);

/* In a GRANT on a whole database its name is a pattern: `_` and `%` stand for other characters unless a backslash is before them. */
const char *database_pattern(const char *name, struct arena *arena);
/* The name that a pattern means; NULL when memory is out. */
const char *database_of_pattern(const char *pattern, struct arena *arena);

#endif

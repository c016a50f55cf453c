/* SPDX-License-Identifier: Apache-2.0 */
/* variable.h - global system variables of a tenant in MySQL mode (oceanbase.DBA_OB_SYS_VARIABLES). */
#ifndef OCEANBASE_VARIABLE_H
#define OCEANBASE_VARIABLE_H

#include "src/io/sql.h"

struct ob_variable {
    const char *name;
    const char *value;           /* as SHOW VARIABLES has it: names of character sets, ON, OFF; "": empty */
    const char *min, *max;       /* NULL: no bound is said */
    const char *scope;           /* "GLOBAL | SESSION", GLOBAL_ONLY, SESSION_ONLY */
    const char *info;            /* NULL: not described */
    const char *default_value;   /* likewise where that is known; NULL: the kernel does not say */
};

/* All of them, by name. Errors: those of sql_run. */
MUST_CHECK int ob_variables_list(struct sql *s, struct arena *arena, struct ob_variable **out, size_t *n, struct err *e);
/* Cannot be changed for the whole tenant: a variable of sessions alone, or one of those the kernel never changes. */
bool ob_variable_is_fixed(const struct ob_variable *v);

ERR_DECLARE(ERR_OB_VARIABLE_UNKNOWN);   /* {0} name (server error 1193) */
ERR_DECLARE(ERR_OB_VARIABLE_VALUE);     /* {0} name, {1} value (1231, 1232) */
ERR_DECLARE(ERR_OB_VARIABLE_READ_ONLY); /* {0} name (1238, 1228): cannot be changed, or only in a session */
extern const struct err_row *const ob_variable_err_rows[];
/* The end `rv` of a statement that set a variable, worded as one of these rows where it is one. */
int ob_variable_refused(int rv, const char *name, const char *value, struct err *e);
/* SET GLOBAL name = value; a value that is a whole number goes as one. New sessions see it.
 * Errors: OB_VARIABLE_*, those of sql_run. */
MUST_CHECK int ob_variable_set(struct sql *s, const char *name, const char *value, struct err *e);

#endif

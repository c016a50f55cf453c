/* SPDX-License-Identifier: Apache-2.0 */
/* database.h - databases of a tenant in MySQL mode. */
#ifndef OCEANBASE_DATABASE_H
#define OCEANBASE_DATABASE_H

#include "src/io/sql.h"

struct ob_database {
    const char *name, *charset, *collation;
    int read_only;          /* 0, 1; -1: the kernel does not say */
    const char *comment;    /* NULL: none */
    int64_t id;             /* of the kernel; 0: it does not say */
    int64_t created_us;     /* 0: the kernel does not say */
};

/* Those that information_schema shows to this login, and the recycle bin's owners left out; by name. Errors: those of sql_run. */
MUST_CHECK int ob_databases_list(struct sql *s, struct arena *arena, struct ob_database **out, size_t *n, struct err *e);
/* Belongs to the kernel: oceanbase, information_schema, mysql and names that begin with "__". */
bool ob_database_is_system(const char *name);

/* NULL leaves charset or collation to the kernel. read_only as above. Errors: those of sql_run; DUPLICATE is SQL_FAILED with lib_code 1007,
 * an unknown database 1049 or 1008. */
MUST_CHECK int ob_database_create(struct sql *s, const struct ob_database *d, struct err *e);
MUST_CHECK int ob_database_alter(struct sql *s, const struct ob_database *d, struct err *e);
MUST_CHECK int ob_database_drop(struct sql *s, const char *name, struct err *e);

#endif

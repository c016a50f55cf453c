/* SPDX-License-Identifier: Apache-2.0 */
/* object.h - tables, views and stored procedures of a tenant in MySQL mode. */
#ifndef OCEANBASE_OBJECT_H
#define OCEANBASE_OBJECT_H

#include "src/io/sql.h"

struct ob_object {
    const char *type;           /* TABLE, VIEW, STORED_PROCEDURE */
    const char *database, *name;
};

/* Those outside the kernel's own databases, by database and name. Errors: those of sql_run. */
MUST_CHECK int ob_objects_list(struct sql *s, struct arena *arena, struct ob_object **out, size_t *n, struct err *e);

#endif

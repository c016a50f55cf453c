/* SPDX-License-Identifier: Apache-2.0 */
/* unitspec.h - rules of unit specifications. From fibers. */
#ifndef TENANT_UNITSPEC_H
#define TENANT_UNITSPEC_H

#include "src/store/unitspec.h"

ERR_DECLARE(ERR_UNITSPEC_NOT_FOUND);  /* 15001 {0} id */
ERR_DECLARE(ERR_UNITSPEC_NAME);       /* 15003 {0} name */
ERR_DECLARE(ERR_UNITSPEC_EXISTS);     /* 15004 {0} name */
ERR_DECLARE(ERR_UNITSPEC_CPU);        /* 15005 {0} member */
ERR_DECLARE(ERR_UNITSPEC_MEMORY);     /* 15006 {0} member */
ERR_DECLARE(ERR_UNITSPEC_CPU_ORDER);  /* 15011 */
ERR_DECLARE(ERR_UNITSPEC_MEMORY_ORDER); /* 15012 */
ERR_DECLARE(ERR_UNITSPEC_SYSTEM);     /* 15015 {0} name */
extern const struct err_row *const unitspec_err_rows[];

/* Makes one of kind CUSTOM from the sizes in `s`; `s` gets its id, kind and times. Errors: UNITSPEC_NAME, UNITSPEC_EXISTS, UNITSPEC_CPU,
 * UNITSPEC_MEMORY, UNITSPEC_*_ORDER, those of db_transact. */
MUST_CHECK int unitspec_add(struct db *d, struct unitspec *s, struct arena *arena, struct err *e);
/* `name` (may be NULL) gets the name of what was deleted. Errors: UNITSPEC_NOT_FOUND, UNITSPEC_SYSTEM, those of db_transact. */
MUST_CHECK int unitspec_remove(struct db *d, int64_t id, struct arena *arena, const char **name, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* unitspec.h - unit specifications: named sizes for the units of tenants. Those of kind SYSTEM come with the schema. */
#ifndef STORE_UNITSPEC_H
#define STORE_UNITSPEC_H

#include "src/store/list.h"

#define UNITSPEC_SYSTEM "SYSTEM"
#define UNITSPEC_CUSTOM "CUSTOM"

struct unitspec {
    int64_t id;
    const char *name;                              /* unique */
    const char *kind;                              /* UNITSPEC_SYSTEM, UNITSPEC_CUSTOM */
    double min_cpu, max_cpu;                       /* cores */
    int64_t min_memory_gb, max_memory_gb;
    int64_t created_us, updated_us;
};

/* `name`: part of it, `kind`: exactly; NULL: any. Sorted by createTime, id, name, type, maxCpuCoreCount, maxMemorySize; newest first by
 * itself. Errors: those of list_read. */
MUST_CHECK int store_unitspec_list(struct db *d, const char *name, const char *kind, const struct store_page *page, struct arena *arena,
                                   struct unitspec **out, size_t *n, int64_t *total, struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_unitspec_get(struct db *d, int64_t id, struct arena *arena, struct unitspec *out, struct err *e);
/* Errors: NAME_USED, those of db_transact. */
MUST_CHECK int store_unitspec_insert(struct db *d, const struct unitspec *s, struct err *e);
/* One of kind CUSTOM. Errors: NOT_FOUND, those of db_transact. */
MUST_CHECK int store_unitspec_delete(struct db *d, int64_t id, struct err *e);

#endif

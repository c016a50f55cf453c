/* SPDX-License-Identifier: Apache-2.0 */
/* locality.h - where a tenant has replicas of which kind, as the kernel says it: "FULL{1}@zone1, READONLY{1}@zone2", and as people write it:
 * "F@zone1,F@zone2", "F,R{2}@z1", "F@[z1,z2]". Pure. */
#ifndef TENANT_LOCALITY_H
#define TENANT_LOCALITY_H

#include "src/base/arena.h"
#include "src/base/err.h"

/* One zone of a locality. */
struct locality_zone {
    const char *name;
    const char *type;   /* of its most capable replica: FULL, LOGONLY, READONLY, COLUMNSTORE; another word as it stands there */
};

/* Zones in the order of the text, each once. What follows text that makes no sense is left out; "" has none. Errors: NOMEM. */
MUST_CHECK int locality_read(const char *locality, struct arena *arena, struct locality_zone **out, size_t *n, struct err *e);

#endif

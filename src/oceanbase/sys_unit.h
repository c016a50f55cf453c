/* SPDX-License-Identifier: Apache-2.0 */
/* sys_unit.h - what the tenant sys may use on each of its servers (unit config sys_unit_config). */
#ifndef OCEANBASE_SYS_UNIT_H
#define OCEANBASE_SYS_UNIT_H

#include "src/io/sql.h"

#define OB_MIN_POOL_MEMORY "__min_full_resource_pool_memory" /* a pool's unit has at least so much memory, sys' too when it is changed */

struct ob_sys_unit {
    int64_t memory, log_disk;        /* bytes */
};
/* Errors: NOT_FOUND (no such config), those of sql_run. */
MUST_CHECK int ob_sys_unit_get(struct sql *s, struct ob_sys_unit *out, struct err *e);
/* ALTER RESOURCE UNIT; what is negative stays. Nothing when it is so already. Errors: OB_UNVERIFIED, those of sql_run. */
MUST_CHECK int ob_sys_unit_set(struct sql *s, const struct ob_sys_unit *want, struct err *e);
/* Has `now` what is wanted? Pure. */
bool ob_sys_unit_is(const struct ob_sys_unit *now, const struct ob_sys_unit *want);

#endif

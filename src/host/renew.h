/* SPDX-License-Identifier: Apache-2.0 */
/* renew.h - certificates of agents are replaced before they run out. */
#ifndef HOST_RENEW_H
#define HOST_RENEW_H

#include <stdbool.h>

#include "src/store/host_agent.h"

/* They are good for a year (io/authority.h): a host may be away for months and come back. */
enum { HOST_RENEW_BEFORE_DAYS = 180 };

ERR_DECLARE(ERR_HOST_CERTIFICATE); /* {0} host, {1} when it ends, {2} why it was not renewed */
extern const struct err_row *const host_renew_err_rows[];

/* Is it time? Pure. */
bool host_renewal_is_due(const struct host_agent *a, int64_t now_us);
/* Work by the clock; `data` is the struct domain_graph. All agents that answer and whose certificates end soon get others. Errors: HOST_CERTIFICATE
 * (the first that failed; the others were tried), those of db_read and fiber_start. */
MUST_CHECK int host_renew_certificates(struct db *d, void *data, struct err *e);

#endif

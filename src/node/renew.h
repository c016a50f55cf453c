/* SPDX-License-Identifier: Apache-2.0 */
/* renew.h - a node replaces its own certificate before it runs out. */
#ifndef NODE_RENEW_H
#define NODE_RENEW_H

#include "src/node/home.h"
#include "src/vault/vault.h"

struct work_pool;

enum { RENEW_BEFORE_DAYS = 30 };

/* Is it time? `expires_us`: of the certificate in use. */
bool node_renewal_is_due(int64_t expires_us, int64_t now_us);
/* Issues one for node `id` and puts it in place of the present one; TLS has to be reloaded then. From a fiber; files are written on the pool.
 * Errors: those of node_authority_issue and node_home_renew, NOT_FOUND (there is no cluster), BUSY, TIMEOUT, CANCELLED. */
MUST_CHECK int node_renew(struct node_home *h, struct db *d, const struct vault *v, int64_t id, struct work_pool *pool, struct err *e);

#endif

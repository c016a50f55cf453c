/* SPDX-License-Identifier: Apache-2.0 */
/* revoked.h - certificates that count no more: a list on the disk of every node, so that it is known without MetaDB, and followed from there.
 * node_revoked_has: any thread; the rest on one loop. */
#ifndef NODE_REVOKED_H
#define NODE_REVOKED_H

#include "src/node/home.h"

struct revoked;
struct work_pool;

/* Reads the list from the disk. Errors: NODE_HOME, NOMEM. */
MUST_CHECK int node_revoked_new(struct node_home *h, struct revoked **out, struct err *e);
/* NULL is fine. */
void node_revoked_free(struct revoked *r);
/* Is it on the list? `serial` as tls_conf.welcome gets it. */
bool node_revoked_has(struct revoked *r, const char *serial);
/* Takes what MetaDB says; the disk is written when that is new. From a fiber. Errors: those of db_read, NODE_HOME, BUSY, CANCELLED, TIMEOUT, NOMEM. */
MUST_CHECK int node_revoked_refresh(struct revoked *r, struct db *d, struct work_pool *pool, struct err *e);

#endif

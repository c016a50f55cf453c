/* SPDX-License-Identifier: Apache-2.0 */
/* idempotency.h - what became of a request that carried a key: (user, key) is unique, so of two that arrive at once one gets in. */
#ifndef STORE_IDEMPOTENCY_H
#define STORE_IDEMPOTENCY_H

#include "src/store/db.h"

enum { IDEMPOTENCY_MAX_REPLY = 1024 * 1024 };

struct idempotency {
    int64_t user_id;
    const char *key;              /* as the client sent it */
    const char *digest;           /* of method, path and body: 64 hex digits */
    bool done;                    /* the reply is known */
    int64_t status;               /* HTTP status of the reply */
    const char *reply;            /* its body */
    const char *trace, *node;     /* request id of the first one, and who served it */
    int64_t created_us;
};

/* Claims (user, key) for this request: *claimed is true when it is the first, and *former is not touched. Else *former tells of the one
 * that came first. Errors: those of db_transact. */
MUST_CHECK int store_idempotency_claim(struct db *d, const struct idempotency *request, bool *claimed, struct arena *arena,
                                       struct idempotency *former, struct err *e);
/* Keeps the reply, of at most IDEMPOTENCY_MAX_REPLY bytes; inside the transaction that makes the effect where there is one.
 * Errors: NOT_FOUND (pruned meanwhile), those of tx_run. */
MUST_CHECK int store_idempotency_finish_in(struct tx *tx, const struct idempotency *request, int64_t status, const char *reply, struct err *e);
/* The same in a transaction of its own. Errors: also those of db_transact. */
MUST_CHECK int store_idempotency_finish(struct db *d, const struct idempotency *request, int64_t status, const char *reply, struct err *e);
/* Gives the key back when it is certain that nothing was done. Errors: those of db_transact. */
MUST_CHECK int store_idempotency_release(struct db *d, const struct idempotency *request, struct err *e);
/* Deletes what is older than 24 hours, in chunks. Errors: those of db_read. */
MUST_CHECK int store_idempotency_prune(struct db *d, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* idempotency.h - what became of a request that carried a key: (user, key) is unique, so of two that arrive at once one gets in.
 *
 *                     first transaction                reply kept
 *   claimed ----------------------------> has effect ------------> done       (a failure without effect gives the key back)
 *      |
 *      '-- its process is gone, or it takes too long, and a repetition comes --> claimed by that; the former can have no effect any more
 *
 * The request that holds the claim guards its fiber with it (store_idempotency_guard): its first transaction writes "has effect" into this row
 * if the claim is still its own, and ends otherwise. So whoever finds a claim without effect may take it over, whatever became of the claimant. */
#ifndef STORE_IDEMPOTENCY_H
#define STORE_IDEMPOTENCY_H

#include "src/store/db.h"

enum { IDEMPOTENCY_MAX_REPLY = 1024 * 1024 };

struct idempotency {
    int64_t user_id;
    const char *key;              /* as the client sent it */
    const char *digest;           /* of method, path and body: 64 hex digits */
    const char *claim;            /* random: 32 hex digits; who holds the key is who knows this */
    bool done;                    /* the reply is known */
    bool effect;                  /* something was changed, at least in part */
    bool gone;                    /* read only: the process that holds it has ended, or the request is older than any may become */
    int64_t task_id;              /* task that it has started; 0: none */
    int64_t status;               /* HTTP status of the reply */
    const char *reply;            /* its body */
    const char *trace, *node;     /* request id of the first one, and who served it */
    int64_t node_id;              /* 0: not known */
    int64_t node_started_us;      /* when that process was started, as its node's row says */
    int64_t created_us;
};

ERR_DECLARE(ERR_REQUEST_OVERTAKEN); /* {0} key: a repetition was begun in place of this request, which changes nothing any more */
extern const struct err_row *const idempotency_err_rows[];

/* Claims (user, key) for this request: *claimed is true when it is the first, or takes over from one that has had no effect and whose process is
 * gone; *former is not touched then. Else *former tells of the one that came first. The process of node `dead_node` is known to be gone; 0: of none.
 * Errors: those of db_transact. */
MUST_CHECK int store_idempotency_claim(struct db *d, const struct idempotency *request, int64_t dead_node, bool *claimed, struct arena *arena,
                                       struct idempotency *former, struct err *e);
/* Makes the guard of a request that holds its claim: for db_guard. `request` is borrowed. Holding it fails with REQUEST_OVERTAKEN. */
struct db_guard store_idempotency_guard(struct db *d, const struct idempotency *request);
/* The task `id` is made by this transaction; if a request with a key makes it, its repetitions are to learn of it.
 * Errors: those of tx_exec. */
MUST_CHECK int store_idempotency_note_task(struct tx *tx, int64_t id, struct err *e);
/* Keeps the reply, of at most IDEMPOTENCY_MAX_REPLY bytes. Errors: NOT_FOUND (pruned or overtaken meanwhile), those of db_transact. */
MUST_CHECK int store_idempotency_finish(struct db *d, const struct idempotency *request, int64_t status, const char *reply, struct err *e);
/* The request has failed: gives the key back. Unless it is certain that nothing was done, what has had an effect stays, as of a process that is gone.
 * Errors: those of db_transact. */
MUST_CHECK int store_idempotency_release(struct db *d, const struct idempotency *request, bool certain, struct err *e);
/* Deletes what is older than 24 hours, in chunks. Errors: those of db_read. */
MUST_CHECK int store_idempotency_prune(struct db *d, struct err *e);

#endif

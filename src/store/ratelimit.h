/* SPDX-License-Identifier: Apache-2.0 */
/* ratelimit.h - how many calls a user may make in a window of time, and how many each node has counted in the present one. Windows begin
 * at multiples of their length since 1970. */
#ifndef STORE_RATELIMIT_H
#define STORE_RATELIMIT_H

#include "src/store/db.h"

struct ratelimit {
    int64_t user_id, window_s;
    int64_t max_calls;
};
struct ratecount {
    int64_t user_id, window_s;
    int64_t starts_us;          /* of the window */
    int64_t calls;
};

/* Those of one user, or with `user_id` 0 of all, sorted by user and window. Errors: those of db_read. */
MUST_CHECK int store_ratelimit_list(struct db *d, int64_t user_id, struct arena *arena, struct ratelimit **out, size_t *n, struct err *e);
/* Replaces the limits of a user by those with max_calls > 0, and raises the version of the limits. Errors: NOT_FOUND (user), those of
 * db_transact. */
MUST_CHECK int store_ratelimit_set(struct db *d, int64_t user_id, const struct ratelimit *limits, unsigned n, struct err *e);
/* Deletes those of a user. Errors: those of tx_run. */
MUST_CHECK int store_ratelimit_delete(struct tx *tx, int64_t user_id, struct err *e);

/* Writes what `node` has counted, at most 500. Errors: those of db_transact. */
MUST_CHECK int store_ratecount_write(struct db *d, const char *node, const struct ratecount *counts, size_t n, struct err *e);
/* What the other nodes have counted in windows that began at `from_us` or later, summed up. Errors: those of db_read. */
MUST_CHECK int store_ratecount_read(struct db *d, const char *node, int64_t from_us, struct arena *arena, struct ratecount **out, size_t *n,
                                    struct err *e);
/* Deletes windows that are over. Errors: those of db_read. */
MUST_CHECK int store_ratecount_prune(struct db *d, struct err *e);

#endif

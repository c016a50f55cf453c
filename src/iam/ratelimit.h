/* SPDX-License-Identifier: Apache-2.0 */
/* ratelimit.h - how often a user may call: so many times in 10 seconds, a minute, an hour and a day, counted over all nodes. A node counts
 * by itself and tells the others every few seconds (ocp.iam.rate-limit.task.schedule.period), so a limit may be overrun by what the other
 * nodes let in meanwhile. Users without a limit cost nothing. One for the process; any thread unless it says otherwise. */
#ifndef IAM_RATELIMIT_H
#define IAM_RATELIMIT_H

#include <stdbool.h>

#include "src/base/err.h"
#include "src/store/ratelimit.h"

struct ratelimiter;

ERR_DECLARE(ERR_RATE_LIMIT);      /* 429 {0} calls, {1} seconds of the window, {2} seconds to wait */
extern const struct err_row *const ratelimit_err_rows[];

enum { RATE_WINDOWS = 4 };
extern const int64_t rate_windows_s[RATE_WINDOWS]; /* 10, 60, 3600, 86400 */

/* Errors: NOMEM. */
MUST_CHECK int ratelimiter_new(struct ratelimiter **out, struct err *e);
/* NULL is fine. */
void ratelimiter_free(struct ratelimiter *r);

/* Where a user stands in the window that has the smallest part left. */
struct rate_state {
    bool limited;                 /* false: nothing else is set */
    int64_t limit, remaining;
    int64_t window_s, reset_s;    /* until the window ends */
};
/* Counts a call unless it is one too many. Errors: RATE_LIMIT. */
MUST_CHECK int ratelimiter_count(struct ratelimiter *r, int64_t user_id, int64_t wall_us, struct rate_state *out, struct err *e);

/* Takes over the limits, which are sorted by user and window. Errors: NOMEM. */
MUST_CHECK int ratelimiter_set(struct ratelimiter *r, const struct ratelimit *limits, size_t n, struct err *e);
/* Tells the other nodes what this one has counted and learns what they have. From a fiber. Errors: those of db_transact. */
MUST_CHECK int ratelimiter_agree(struct ratelimiter *r, struct db *d, const char *node, int64_t wall_us, struct err *e);

#endif

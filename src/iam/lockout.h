/* SPDX-License-Identifier: Apache-2.0 */
/* lockout.h - counts failed logins by user name and by client address, and blocks either for a while after too many.
 * Kept in memory of fixed size, by keyed digests, so that nobody can fill it or aim at a slot. Unknown names count like known ones.
 * One for the process; any thread. */
#ifndef IAM_LOCKOUT_H
#define IAM_LOCKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/addr.h"

struct lockout;

enum lockout_kind { LOCKOUT_USER, LOCKOUT_CLIENT };

/* Present values of the system parameters ocp.iam.login.*. */
struct lockout_limits {
    unsigned attempts[2];    /* by enum lockout_kind: failures until the block */
    int64_t block_ms[2];     /* its length, and how long a failure is remembered */
};

/* Errors: NOMEM, UNEXPECTED. */
MUST_CHECK int lockout_new(struct lockout **out, struct err *e);
/* NULL is fine. */
void lockout_free(struct lockout *l);

/* Milliseconds until the user or the client may try again; 0: now. IPv6 clients count by /64, unknown addresses never. */
int64_t lockout_wait_ms(struct lockout *l, enum lockout_kind kind, struct slice user, const struct addr *client, int64_t now_ms);

/* Counts a failure of both. Returns the tries that are left before either is blocked; 0: one is blocked now. */
unsigned lockout_fail(struct lockout *l, struct slice user, const struct addr *client, const struct lockout_limits *limits, int64_t now_ms);

/* The user logged in, or was unlocked: forgets the failures of the name. Those of the client stay until they are too old: one good
 * account must not buy guesses at others. */
void lockout_forget_user(struct lockout *l, struct slice user);

struct lockout_stats {
    uint64_t failures, blocks[2];
};
struct lockout_stats lockout_stats(struct lockout *l);

#endif

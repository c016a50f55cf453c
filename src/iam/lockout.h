/* SPDX-License-Identifier: Apache-2.0 */
/* lockout.h - which user names and client addresses are blocked after too many failed logins. MetaDB counts for all nodes
 * (store/loginfailure.h); this is what a node has learned of it within the last second, so that who is blocked costs neither a question
 * nor a hash. Memory of fixed size, by keyed digests, so that nobody can fill it or aim at a slot. One for the process; any thread. */
#ifndef IAM_LOCKOUT_H
#define IAM_LOCKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/addr.h"
#include "src/store/loginfailure.h"

struct lockout;

enum { LOCKOUT_TRUST_MS = 1000 };  /* after that MetaDB is asked again: somebody may have unlocked the name on another node */

/* Errors: NOMEM, UNEXPECTED. */
MUST_CHECK int lockout_new(struct lockout **out, struct err *e);
/* NULL is fine. */
void lockout_free(struct lockout *l);

/* MetaDB says that the user or client has to wait so long; 0: not at all. */
void lockout_learn(struct lockout *l, enum login_failure_kind kind, struct slice user, const struct addr *client, int64_t wait_ms,
                   int64_t now_ms);
/* Milliseconds until the user or the client may try again; 0: now, or nothing was learned lately. */
int64_t lockout_wait_ms(struct lockout *l, enum login_failure_kind kind, struct slice user, const struct addr *client, int64_t now_ms);

/* How MetaDB names a client: IPv6 clients count by /64, which one machine has to itself. NULL for an unknown address, which is never
 * counted. `buf` holds ADDR_TEXT_SIZE bytes. */
const char *lockout_client(const struct addr *client, char *buf);

#endif

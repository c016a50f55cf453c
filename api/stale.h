/* SPDX-License-Identifier: Apache-2.0 */
/* stale.h - reads while MetaDB is away: what the same user last got from the same address is given again, and says how old it is (member
 * "stale" of the envelope, header Age). One store for the process, bounded, the least recently written goes first. Any thread. */
#ifndef API_STALE_H
#define API_STALE_H

#include "api/call.h"

struct stale_store;

enum {
    STALE_BYTES = 8 << 20,          /* of all answers together */
    STALE_ANSWER_BYTES = 256 << 10, /* of one; larger ones are not kept */
    STALE_AGE_MS = 15 * 60 * 1000,  /* older ones are no answer any more */
    STALE_RENEW_MS = 1000,          /* one that is younger is not replaced */
    STALE_WAIT_MS = 1000,           /* how long a read tries while MetaDB is known to be away and there is an answer */
};

/* Errors: NOMEM. */
MUST_CHECK int stale_new(struct stale_store **out, struct err *e);
/* NULL is fine. */
void stale_free(struct stale_store *s);

/* Keeps the data of this call's good answer, if it is one to be kept. */
void stale_keep(struct stale_store *s, const struct call *c);
/* Is there an answer to this call? */
bool stale_has(struct stale_store *s, const struct call *c);
/* Makes it the answer: c->data, c->stale_s. False: there is none. */
bool stale_replay(struct stale_store *s, struct call *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what iam.c (the object, the watch), basic.c (the way of a password), signed.c (of a
 * signed request) and session.c (of a session) share. */
#ifndef IAM_INSIDE_H
#define IAM_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/iam/iam.h"
#include "src/iam/login_cache.h"
#include "src/io/fiber.h"

/* A password that is being verified, and the requests of the same loop that came with the same login meanwhile. */
struct flight {
    struct flight *next;
    struct loop *loop;
    uint8_t secret[KEYED_SIZE];
    struct waitlist line;
    unsigned n_owners;           /* the fiber that verifies, and those in line; all of one loop */
    bool landed;
    int64_t user_id;             /* whose password it was; 0: nobody's */
    struct err error;            /* why it failed; no row: it succeeded */
};

struct iam {
    struct iam_conf conf;
    const struct vault *vault;   /* borrowed */
    _Atomic bool away;           /* MetaDB did not answer last time */
    struct lockout *lockout;     /* owned */
    struct ratelimiter *rates;   /* owned */
    _Atomic bool limited;        /* there are rules about addresses */
    int64_t agreed_ms;           /* watch only: when the nodes told each other what they counted */
    pthread_mutex_t lock;        /* guards everything below; held for microseconds, never across a wait */
    struct keyed keyed;
    struct login_cache *cache;   /* owned */
    struct cidr_list addresses;  /* owned: who may come in, if `limited` */
    struct login_versions versions; /* of what was read of addresses and limits; -1: nothing */
    struct flight *flights;      /* owned by their fibers */
    struct iam_stats stats;
};

enum { IAM_ASK_MS = 2000 };

void iam_set_away(struct iam *m, bool away);
int64_t iam_now_ms(const struct iam *m);
/* For how long who was known may go on reading while MetaDB is away. */
int64_t iam_offline_ms(const struct iam *m);
/* The error of a login that nobody can vouch for. */
int iam_away(struct err *e);
/* What a question to MetaDB came to: every failure but cancellation, want of memory and of a session means that MetaDB is away. */
int iam_asked(struct iam *m, int rv, struct err *e);
/* A remembered login that MetaDB cannot confirm: enough for a read. */
int iam_let_in_stale(struct iam *m, const struct iam_request *rq, struct principal *who, struct err *e);
MUST_CHECK int iam_principal(const struct user *user, const struct addr *client, struct arena *arena, struct principal **out, struct err *e);

/* The ways in; errors as iam_authenticate. */
MUST_CHECK int iam_by_basic(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out,
                            struct err *e);
MUST_CHECK int iam_by_key(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out,
                          struct err *e);
MUST_CHECK int iam_by_session(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out,
                              struct err *e);
MUST_CHECK int iam_by_password(struct iam *m, struct db *d, const struct iam_request *rq, struct slice username, struct slice password,
                               struct arena *arena, struct principal **out, struct err *e);
/* What the history of logins gets; texts in the arena. Errors: NOMEM. */
MUST_CHECK int iam_event(const struct iam *m, const struct iam_request *rq, int64_t user_id, const char *username, int code,
                         struct arena *arena, struct login_event *out, struct err *e);
/* The user agent as MetaDB keeps it: cut where a character ends, "" when there is none. NULL: no memory. */
const char *iam_agent(struct slice text, struct arena *arena);
/* Tells MetaDB which sessions and keys were used. */
void iam_note_use(struct iam *m, struct db *d);

#endif

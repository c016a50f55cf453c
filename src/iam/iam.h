/* SPDX-License-Identifier: Apache-2.0 */
/* iam.h - who may log in. One for the process, shared by all loops.
 *
 * HTTP Basic comes with every request, so a verified login is remembered (login_cache.h) and MetaDB is asked once a second about all
 * remembered users together: a changed password or role and a disabled user count everywhere within two seconds. Requests of one loop
 * that come with the same new login wait for one hash. While MetaDB is away, remembered logins count for reads, for 15 minutes. Wrong
 * passwords and unknown names look alike, take alike, and are counted by name and by client (lockout.h). */
#ifndef IAM_IAM_H
#define IAM_IAM_H

#include "src/base/log.h"
#include "src/iam/lockout.h"
#include "src/iam/principal.h"
#include "src/io/work.h"
#include "src/store/user.h"

struct iam;
struct parameters;

ERR_DECLARE(ERR_LOGIN_NEEDED);     /* 401: no Authorization header that we understand */
ERR_DECLARE(ERR_LOGIN_WRONG);      /* 401 {0} tries left */
ERR_DECLARE(ERR_LOGIN_BLOCKED);    /* 401 {0} minutes to wait: the user's name */
ERR_DECLARE(ERR_CLIENT_BLOCKED);   /* 429 {0} minutes to wait: the client's address */
ERR_DECLARE(ERR_ACCOUNT_DISABLED); /* 401 */
ERR_DECLARE(ERR_LOGIN_AWAY);       /* 503: MetaDB is away, and this login (or this change) cannot be vouched for */
extern const struct err_row *const iam_err_rows[]; /* all of src/iam but user.h's, then NULL */

/* Where users come from. */
struct iam_source {
    /* NULL in *out when there is no such user. Errors: those of db_read. */
    int (*find)(struct db *d, const char *name, struct arena *arena, struct user **out, struct err *e);
    /* Credential version of each id; -1 for users that are gone or disabled. Errors: those of db_read. */
    int (*versions)(struct db *d, const int64_t *ids, unsigned n, int64_t *versions, struct err *e);
    /* The password of `user` was verified. Best effort. */
    void (*logged_in)(struct db *d, const struct user *user);
};
extern const struct iam_source iam_from_metadb;

struct iam_conf {
    struct work_pool *crypto_pool;   /* borrowed, outlives the iam */
    const struct clock *clock;       /* borrowed, outlives the iam */
    const struct log *log;           /* borrowed, outlives the iam */
    const struct iam_source *source; /* NULL: iam_from_metadb */
    const struct parameters *parameters; /* borrowed, outlives the iam; ocp.iam.login.* limit failed logins */
};

/* Errors: NOMEM, UNEXPECTED. */
MUST_CHECK int iam_new(const struct iam_conf *conf, struct iam **out, struct err *e);
/* No request may be under way. NULL is fine. */
void iam_free(struct iam *m);

struct iam_request {
    struct slice authorization;  /* value of the header; s == NULL: none */
    struct addr client;
    bool changes;                /* the request is not a mere read */
};
/* Finds out who calls; the fiber waits when MetaDB has to be asked or a password to be hashed. What `out` gets lies in the arena.
 * Errors: LOGIN_NEEDED, LOGIN_WRONG, LOGIN_BLOCKED, CLIENT_BLOCKED, ACCOUNT_DISABLED, LOGIN_AWAY, BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int iam_authenticate(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out,
                                struct err *e);

/* Body of the fiber that asks MetaDB about the remembered users; returns when it is cancelled. One for the process. */
void iam_watch(struct iam *m, struct db *d);

/* A user was changed by this process: forget the login at once. */
void iam_forget(struct iam *m, int64_t user_id);
/* Forget the failures counted for this name. */
void iam_unlock(struct iam *m, const char *username);

struct iam_stats {
    uint64_t remembered, verified, refused, stale; /* requests by outcome: from memory, by hash, not at all, while MetaDB was away */
    uint64_t failures, blocked_users, blocked_clients;
    unsigned users;                                /* remembered now */
    bool away;                                     /* MetaDB did not answer last time */
};
/* Any thread. */
struct iam_stats iam_stats(struct iam *m);

#endif

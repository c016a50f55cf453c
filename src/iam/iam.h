/* SPDX-License-Identifier: Apache-2.0 */
/* iam.h - who may log in. One for the process, shared by all loops.
 *
 * Each request shows who calls: by HTTP Basic, by a signature with an access key, or by the cookie of a console session, which lives in
 * MetaDB so that every node accepts it. A verified login is remembered (login_cache.h) and MetaDB is asked once a second about all remembered ones together: a changed
 * password or role, a disabled user, a deleted key and an ended session count everywhere within two seconds. Requests of one loop that come with the
 * same new password wait for one hash. While MetaDB is away, remembered logins count for reads, for as long as iam.offline_reads says.
 * Wrong passwords and unknown names look alike, take alike, and are counted by name and by client, for all nodes together. */
#ifndef IAM_IAM_H
#define IAM_IAM_H

#include "src/base/log.h"
#include "src/iam/lockout.h"
#include "src/iam/principal.h"
#include "src/iam/ratelimit.h"
#include "src/iam/cookie.h"
#include "src/iam/signature.h"
#include "src/io/work.h"
#include "src/store/accesskey.h"
#include "src/store/session.h"
#include "src/store/user.h"

struct iam;
struct parameters;
struct settings_box;
struct vault;

ERR_DECLARE(ERR_LOGIN_NEEDED);     /* 401: no Authorization header that we understand */
ERR_DECLARE(ERR_LOGIN_WRONG);      /* 401 {0} tries left */
ERR_DECLARE(ERR_LOGIN_BLOCKED);    /* 401 {0} minutes to wait: the user's name */
ERR_DECLARE(ERR_CLIENT_BLOCKED);   /* 429 {0} minutes to wait: the client's address */
ERR_DECLARE(ERR_ACCOUNT_DISABLED); /* 401 */
ERR_DECLARE(ERR_ACCOUNT_LOCKED);   /* 401: by an administrator */
ERR_DECLARE(ERR_LOGIN_AWAY);       /* 503: MetaDB is away, and this login (or this change) cannot be vouched for */
ERR_DECLARE(ERR_CSRF);             /* 403: a change by a session cookie without the session's CSRF token */
ERR_DECLARE(ERR_SIGNATURE);        /* 401: unknown or disabled access key, or the signature does not fit */
ERR_DECLARE(ERR_SIGNATURE_DATE);   /* 401: no Date, or one too far from now */
extern const struct err_row *const iam_err_rows[]; /* all of src/iam but user.h's, then NULL */

/* Where users and sessions come from. */
struct iam_source {
    /* NULL in *out when there is no such user. Errors: those of db_read. */
    int (*find)(struct db *d, const char *name, struct arena *arena, struct user **out, struct err *e);
    int (*get)(struct db *d, int64_t id, struct arena *arena, struct user **out, struct err *e);
    /* NULL in *out when there is no such session. Errors: those of db_read. */
    int (*session)(struct db *d, const char *digest, struct arena *arena, struct session **out, struct err *e);
    /* NULL in *out when there is no such access key. Errors: those of db_read. */
    int (*key)(struct db *d, const char *key, struct arena *arena, struct accesskey **out, struct err *e);
    /* What of all that is remembered still counts. Errors: those of db_read. */
    int (*states)(struct db *d, struct login_state *states, size_t n, struct login_versions *versions, struct err *e);
    /* Failed logins: how many, and one more (store/loginfailure.h). */
    int (*failures)(struct db *d, const struct login_subject *s, struct login_count *out, struct err *e);
    int (*fail)(struct db *d, const struct login_subject *s, const struct login_limits *limits, struct login_event *event,
                struct login_count *out, struct err *e);
    /* Somebody logged in, or failed without being counted. After a success the failures of the name are forgotten if `forget`. Best effort. */
    void (*note)(struct db *d, struct login_event *event, bool forget);
};
extern const struct iam_source iam_from_metadb;

struct iam_conf {
    struct work_pool *crypto_pool;   /* borrowed, outlives the iam */
    const struct clock *clock;       /* borrowed, outlives the iam */
    const struct log *log;           /* borrowed, outlives the iam */
    const char *node;                /* borrowed: name of this node, for the history of logins; NULL: "" */
    const struct iam_source *source; /* NULL: iam_from_metadb */
    struct parameters *parameters;   /* borrowed, outlives the iam; ocp.iam.login.* limit failed logins */
    struct settings_box *settings;   /* borrowed, outlives the iam; iam.*; NULL: their defaults */
};

/* Errors: NOMEM, UNEXPECTED. */
MUST_CHECK int iam_new(const struct iam_conf *conf, struct iam **out, struct err *e);
/* Before the first request: what opens the secrets of access keys. Borrowed, outlives the iam. */
void iam_use_vault(struct iam *m, const struct vault *vault);
/* No request may be under way. NULL is fine. */
void iam_free(struct iam *m);

enum {
    IAM_MAX_COOKIES = 4,
    LOGIN_UNKNOWN_USER = 3006,   /* in the history alone, with OCP's number: to the client it is a wrong password */
};

struct iam_request {
    struct slice authorization;  /* value of the header; s == NULL: none. It wins over cookies */
    struct slice sessions[IAM_MAX_COOKIES]; /* values of cookies that look like session ids; the first that opens a session counts */
    unsigned n_sessions;
    struct slice csrf;           /* CSRF token that came with it */
    bool needs_csrf;             /* a session counts only with its CSRF token, unless ocp.iam.csrf.* say otherwise */
    struct slice target;         /* of the request: ocp.iam.csrf.url.excluded may name it */
    struct addr client;
    struct slice user_agent;
    const char *method;          /* how the history of logins calls it; NULL: LOGIN_BY_BASIC */
    bool changes;                /* the request is not a mere read */
    /* for signatures: the request, and how to get its whole body, which may wait; errors of `body` end the login */
    const struct signed_request *signed_request;
    int (*body)(void *data, struct slice *out, struct err *e);
    void *body_data;
};
/* Finds out who calls; the fiber waits when MetaDB has to be asked or a password to be hashed. What `out` gets lies in the arena.
 * Errors: LOGIN_NEEDED, LOGIN_WRONG, LOGIN_BLOCKED, CLIENT_BLOCKED, ACCOUNT_DISABLED, LOGIN_AWAY, CSRF,
 * SIGNATURE, SIGNATURE_DATE, BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int iam_authenticate(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out,
                                struct err *e);

/* A login at the console. */
struct iam_login {
    struct slice username, password;
    struct addr client;
    struct slice user_agent;     /* s == NULL: unknown */
    struct slice former[IAM_MAX_COOKIES]; /* session ids that the browser held before: they end */
    unsigned n_former;
};
/* What the browser gets. Wipe it after use. */
struct iam_ticket {
    struct principal *who;
    char session[COOKIE_VALUE_SIZE], csrf[COOKIE_VALUE_SIZE];
};
/* Verifies the password, as iam_authenticate does, and begins a session. Errors: as there, but neither LOGIN_NEEDED nor CSRF; those of
 * db_transact. */
MUST_CHECK int iam_log_in(struct iam *m, struct db *d, const struct iam_login *login, struct arena *arena, struct iam_ticket *out, struct err *e);
/* Begins a session for a user who has been verified already. Errors: those of db_transact. */
MUST_CHECK int iam_begin_session(struct iam *m, struct db *d, const struct principal *who, struct slice user_agent, struct arena *arena,
                                 struct iam_ticket *out, struct err *e);
/* After how long without a request a session ends. */
int64_t iam_idle_ms(const struct iam *m);
/* Ends a session, here at once. Errors: NOT_FOUND, those of db_transact. */
MUST_CHECK int iam_end_session(struct iam *m, struct db *d, int64_t user_id, int64_t id, struct err *e);

/* Body of the fiber that asks MetaDB about all that is remembered; returns when it is cancelled. One for the process. */
void iam_watch(struct iam *m, struct db *d);

/* Reads the rules about addresses and the limits of users anew. The watch does so when they change; this is for the start, and for who has
 * just changed them. Errors: those of db_read, NOMEM. */
MUST_CHECK int iam_refresh_rules(struct iam *m, struct db *d, struct err *e);
/* May a client of this address come in? Loopback always may. Any thread. */
bool iam_lets_in(struct iam *m, const struct addr *client);
/* Counts a call of this user. Errors: RATE_LIMIT. Any thread. */
MUST_CHECK int iam_count_call(struct iam *m, const struct principal *who, struct rate_state *out, struct err *e);

/* A user was changed by this process: forget the login at once. */
void iam_forget(struct iam *m, int64_t user_id);
void iam_forget_key(struct iam *m, int64_t key_id);
/* Forgets the failed logins of this name, on all nodes. Errors: those of db_transact. */
MUST_CHECK int iam_unlock(struct iam *m, struct db *d, const char *username, struct err *e);

struct iam_stats {
    uint64_t remembered, verified, refused, stale; /* requests by outcome: from memory, by hash, not at all, while MetaDB was away */
    uint64_t failures, blocked_users, blocked_clients;
    unsigned logins;                               /* remembered now */
    bool away;                                     /* MetaDB did not answer last time */
};
/* Any thread. */
struct iam_stats iam_stats(struct iam *m);

#endif

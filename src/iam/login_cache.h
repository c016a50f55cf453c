/* SPDX-License-Identifier: Apache-2.0 */
/* login_cache.h - logins that were verified lately, so that HTTP Basic costs microseconds after the first call: per user a digest of
 * name and password under a key of this process, and the principal. Fixed size, least recently used out first. The caller locks. */
#ifndef IAM_LOGIN_CACHE_H
#define IAM_LOGIN_CACHE_H

#include "src/base/keyed.h"
#include "src/iam/principal.h"

struct login_cache;

enum {
    LOGIN_CACHE_USERS = 1024,
    LOGIN_FRESH_MS = 2000,            /* MetaDB confirmed the user so lately: no need to ask */
    LOGIN_KEEP_MS = 15 * 60 * 1000,   /* after the last use; and, while MetaDB is away, after its last confirmation */
    LOGIN_CLIENTS = 8,                /* addresses remembered for one user */
    LOGIN_GUESSES = 20,               /* wrong passwords from blocked clients, in LOGIN_GUESS_MS, until none of these is let in any more */
    LOGIN_GUESS_MS = 10 * 60 * 1000,
};

struct login {
    uint8_t id[KEYED_SIZE];           /* digest of the user's name */
    uint8_t secret[KEYED_SIZE];       /* digest of name and password */
    int64_t user_id, credential_version;
    int64_t checked_ms, used_ms;      /* confirmed by MetaDB; last request */
    bool must_change_password;
    char *name;                       /* owned */
    struct permission *grants;        /* owned */
    unsigned n_grants;
    struct addr clients[LOGIN_CLIENTS];
    unsigned next_client;
    unsigned guesses;                 /* wrong passwords while user or client was blocked, since guess_ms */
    int64_t guess_ms;
};

/* Errors: NOMEM. */
MUST_CHECK int login_cache_new(struct login_cache **out, struct err *e);
/* NULL is fine. */
void login_cache_free(struct login_cache *c);

/* NULL when the user is not remembered. Valid until the caller unlocks. */
struct login *login_cache_find(struct login_cache *c, const uint8_t id[KEYED_SIZE]);
/* Remembers a verified login, in place of what was remembered of this user. Errors: NOMEM (then the user is not remembered). */
MUST_CHECK int login_cache_put(struct login_cache *c, const uint8_t id[KEYED_SIZE], const uint8_t secret[KEYED_SIZE],
                               const struct principal *who, int64_t now_ms, struct err *e);
void login_cache_forget(struct login_cache *c, int64_t user_id);

/* A request came with this login. */
void login_use(struct login *l, const struct addr *client, int64_t now_ms);
/* Has this address used this login before? */
bool login_knows_client(const struct login *l, const struct addr *client);
/* The user or the client is blocked after too many failures: may this request in all the same? Only from an address that has used the
 * login before, and only while not too many guesses came that way: who works on is not locked out by others, who guesses gains nothing. */
bool login_passes_block(struct login *l, bool matches, const struct addr *client, int64_t now_ms);
/* Copies it into the arena. Errors: NOMEM. */
MUST_CHECK int login_principal(const struct login *l, const struct addr *client, struct arena *arena, struct principal **out, struct err *e);

/* Drops logins that nobody used for LOGIN_KEEP_MS; writes the ids of the users left, at most LOGIN_CACHE_USERS. Returns how many. */
unsigned login_cache_users(struct login_cache *c, int64_t now_ms, int64_t *ids);
/* What MetaDB said at `asked_ms` about `ids` (n of them): the credential version of each, or -1 for a user that is gone or disabled.
 * A login of another version is dropped, the others are confirmed. */
void login_cache_confirm(struct login_cache *c, const int64_t *ids, const int64_t *versions, unsigned n, int64_t asked_ms);

#endif

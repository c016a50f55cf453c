/* SPDX-License-Identifier: Apache-2.0 */
/* login_cache.h - logins that were verified lately, so that they cost microseconds after the first call: for a password a digest of
 * name and password under a key of this process, for a session the digest of its id, for an access key its secret; and the principal.
 * Fixed size, least recently used out first. The caller locks. */
#ifndef IAM_LOGIN_CACHE_H
#define IAM_LOGIN_CACHE_H

#include "src/base/keyed.h"
#include "src/iam/principal.h"

struct login_cache;

enum {
    LOGIN_CACHE_SIZE = 4096,
    LOGIN_FRESH_MS = 2000,            /* MetaDB confirmed the login so lately: no need to ask */
    LOGIN_KEEP_MS = 15 * 60 * 1000,   /* after the last use */
    LOGIN_CLIENTS = 8,                /* addresses remembered for one login */
    LOGIN_GUESSES = 20,               /* wrong passwords from blocked clients, in LOGIN_GUESS_MS, until none of these is let in any more */
    LOGIN_GUESS_MS = 10 * 60 * 1000,
    LOGIN_NOTE_MS = 10 * 1000,        /* how often the use of a session or key is told to MetaDB */
};

/* What a login is looked up by: the user's name, the digest of the session's id, the access key. */
struct login_name {
    enum login_kind kind;
    struct slice text;
};

struct login {
    enum login_kind kind;
    char *key;                        /* owned: the text of its name */
    size_t n_key;
    uint8_t secret[KEYED_SIZE];       /* LOGIN_PASSWORD: digest of name and password */
    char *key_secret;                 /* LOGIN_KEY: owned */
    int64_t user_id, credential_version, object_id;
    int64_t created_us, expires_us;   /* LOGIN_SESSION, for people */
    int64_t ends_ms;                  /* LOGIN_SESSION: the clock's milliseconds at which it expires */
    int64_t checked_ms, used_ms;      /* confirmed by MetaDB; last request */
    int64_t noted_ms;                 /* LOGIN_SESSION, LOGIN_KEY: when MetaDB was told of its use */
    bool must_change_password;
    char *name;                       /* owned: the user's */
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

/* NULL when it is not remembered. Valid until the caller unlocks. */
struct login *login_cache_find(struct login_cache *c, struct login_name name);

struct login_new {
    struct login_name name;
    const struct principal *who;
    const uint8_t *secret;            /* LOGIN_PASSWORD: KEYED_SIZE bytes */
    const char *key_secret;           /* LOGIN_KEY */
    int64_t ends_ms;                  /* LOGIN_SESSION */
    int64_t seen_ms;                  /* LOGIN_SESSION, LOGIN_KEY: its last use that MetaDB knows of */
    int64_t now_ms;                   /* when MetaDB was asked */
};
/* Remembers a verified login, in place of what was remembered under this name. Errors: NOMEM (then it is not remembered). */
MUST_CHECK int login_cache_put(struct login_cache *c, const struct login_new *fresh, struct err *e);
/* Everything of this user. */
void login_cache_forget(struct login_cache *c, int64_t user_id);
void login_cache_forget_name(struct login_cache *c, struct login_name name);
/* One session or key. */
void login_cache_forget_object(struct login_cache *c, enum login_kind kind, int64_t object_id);

/* A request came with this login. */
void login_use(struct login *l, const struct addr *client, int64_t now_ms);
/* Has this address used this login before? */
bool login_knows_client(const struct login *l, const struct addr *client);
/* Does it come from an address that has used it before, and has nobody guessed there? An unknown address is nobody's in particular. */
bool login_is_usual(const struct login *l, const struct addr *client, int64_t now_ms);
/* The user or the client is blocked after too many failures: may this request in all the same? Only from an address that has used the
 * login before, and only while not too many guesses came that way: who works on is not locked out by others, who guesses gains nothing. */
bool login_passes_block(struct login *l, bool matches, const struct addr *client, int64_t now_ms);
/* Copies it into the arena. Errors: NOMEM. */
MUST_CHECK int login_principal(const struct login *l, const struct addr *client, struct arena *arena, struct principal **out, struct err *e);

/* Drops logins that nobody used for `keep_ms`; writes those that are left, at most LOGIN_CACHE_SIZE. Returns how many. */
unsigned login_cache_list(struct login_cache *c, int64_t now_ms, int64_t keep_ms, struct login_state *states);
/* What MetaDB said at `asked_ms`: a login whose user has another version, or which has ended, is dropped, the others are confirmed. */
void login_cache_confirm(struct login_cache *c, const struct login_state *states, unsigned n, int64_t asked_ms);
/* What MetaDB said about one user: logins of another version are dropped, the password is confirmed. */
void login_cache_confirm_user(struct login_cache *c, int64_t user_id, int64_t version, int64_t asked_ms);
/* Ids of the sessions or keys whose use MetaDB has not been told of lately, at most `max`; takes them as told. Returns how many. */
unsigned login_cache_unnoted(struct login_cache *c, enum login_kind kind, int64_t now_ms, int64_t *ids, unsigned max);

#endif

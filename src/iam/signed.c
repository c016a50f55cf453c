/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a signed request:
 *
 *   Date within the window? ──▶ key remembered, and confirmed lately, or else asked for ──▶ body ──▶ signature fits ──▶ in
 *
 * The body is read before the caller is known, so only for a key that exists and a request that is timely. A signature seen within the
 * window counts again: the protocol has no nonce, so what must not be repeated bears an idempotency key. */
#include <string.h>

#include "src/iam/accesskey.h"
#include "src/iam/inside.h"
#include "src/vault/vault.h"

struct claim {
    struct iam *m;
    struct db *db;
    const struct iam_request *rq;
    struct arena *arena;
    struct signature signature;
    bool fresh;                  /* it was not remembered */
    struct principal *who;       /* result */
    struct slice secret;         /* in the arena; wiped at the end */
};

enum recall { RECALL_IN, RECALL_STALE, RECALL_TOO_OLD, RECALL_NO };

static struct login_name name_of(const struct claim *c)
{
    return (struct login_name){ LOGIN_KEY, c->signature.key };
}

static bool take_secret(struct claim *c, const char *secret)
{
    const char *copy = arena_strdup(c->arena, secret);

    c->secret = (struct slice){ copy, copy != NULL ? strlen(copy) : 0 };
    return copy != NULL;
}

/* With the lock held. */
static enum recall recall_locked(struct claim *c, bool away, int64_t offline_ms, int64_t now_ms)
{
    struct login *l = login_cache_find(c->m->cache, name_of(c));

    if (l == NULL || (now_ms - l->checked_ms > LOGIN_FRESH_MS && !away))
        return RECALL_NO;
    if (!take_secret(c, l->key_secret) || login_principal(l, &c->rq->client, c->arena, &c->who, NULL) != 0)
        return RECALL_NO;
    login_use(l, &c->rq->client, now_ms);
    if (now_ms - l->checked_ms <= LOGIN_FRESH_MS)
        return RECALL_IN;
    return now_ms - l->checked_ms <= offline_ms ? RECALL_STALE : RECALL_TOO_OLD;
}

static enum recall recall(struct claim *c)
{
    struct iam *m = c->m;
    bool away = m->away;
    int64_t offline_ms = away ? iam_offline_ms(m) : 0;
    enum recall r;

    pthread_mutex_lock(&m->lock);
    r = recall_locked(c, away, offline_ms, iam_now_ms(m));
    m->stats.remembered += r == RECALL_IN;
    pthread_mutex_unlock(&m->lock);
    return r;
}

static int ask(struct claim *c, struct accesskey **key, struct user **user, struct err *e)
{
    const struct iam_source *source = c->m->conf.source;
    const char *name = arena_strndup(c->arena, c->signature.key.s, c->signature.key.n);
    int64_t former = fiber_narrow_deadline(IAM_ASK_MS);
    int rv = name != NULL ? source->key(c->db, name, c->arena, key, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0 && *key != NULL)
        rv = source->get(c->db, (*key)->user_id, c->arena, user, e);
    fiber_restore_deadline(former);
    return iam_asked(c->m, rv, e);
}

static void remember(struct claim *c, const struct accesskey *k, int64_t asked_ms)
{
    const struct login_new fresh = { .name = name_of(c), .who = c->who, .key_secret = c->secret.s, .now_ms = asked_ms,
                                     .seen_ms = k->used_us == FIELD_NONE ? asked_ms - LOGIN_NOTE_MS : asked_ms };
    struct err e = { 0 };

    pthread_mutex_lock(&c->m->lock);
    if (login_cache_put(c->m->cache, &fresh, &e) != 0)
        log_warn(c->m->conf.log, "an access key could not be remembered", LOG_E(&e));
    pthread_mutex_unlock(&c->m->lock);
}

static int open_secret(struct claim *c, const struct accesskey *k, struct err *e)
{
    char *secret;
    int rv = accesskey_open(c->m->vault, k, &secret, e);

    if (rv != 0)
        return rv;
    rv = take_secret(c, secret) ? 0 : err_set(e, &ERR_NOMEM, "");
    secret_free(secret);
    return rv;
}

/* c->who stays NULL when the key opens nothing. */
static int look_up(struct claim *c, struct err *e)
{
    int64_t asked_ms = iam_now_ms(c->m);
    struct accesskey *key = NULL;
    struct user *user = NULL;
    int rv = ask(c, &key, &user, e);

    if (rv != 0 || user == NULL || !user->enabled || user->locked || !key->enabled)
        return rv;
    rv = open_secret(c, key, e);
    if (rv == 0)
        rv = iam_principal(user, &c->rq->client, c->arena, &c->who, e);
    if (rv != 0)
        return rv;
    c->who->login = LOGIN_KEY;
    c->who->login_id = key->id;
    remember(c, key, asked_ms);
    c->fresh = true;
    return 0;
}

static int find_key(struct claim *c, struct err *e)
{
    int rv;

    switch (recall(c)) {
    case RECALL_IN:
        return 0;
    case RECALL_STALE:
        return iam_let_in_stale(c->m, c->rq, c->who, e);
    case RECALL_TOO_OLD:
        return iam_away(e);
    case RECALL_NO:
        break;
    }
    c->who = NULL;
    rv = look_up(c, e);
    /* MetaDB went away just now: what is remembered may count */
    if (rv == ERR_LOGIN_AWAY.code && recall(c) == RECALL_STALE)
        rv = iam_let_in_stale(c->m, c->rq, c->who, e);
    return rv;
}

static int check(struct claim *c, struct err *e)
{
    struct slice body;
    bool matches;
    int rv = c->rq->body(c->rq->body_data, &body, e);

    if (rv == 0)
        rv = signature_matches(&c->signature, c->rq->signed_request, body, c->secret, c->arena, &matches, e);
    if (rv == 0 && !matches)
        rv = err_set(e, &ERR_SIGNATURE, "");
    return rv;
}

/* In the history as a login: the first request of a while. */
static void note(struct claim *c)
{
    struct iam_request rq = *c->rq;
    struct login_event event;
    struct err e = { 0 };

    rq.method = LOGIN_BY_KEY;
    if (c->fresh && iam_event(c->m, &rq, c->who->user_id, c->who->name, 0, c->arena, &event, &e) == 0)
        c->m->conf.source->note(c->db, &event, false);
}

int iam_by_key(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out, struct err *e)
{
    struct claim c = { .m = m, .db = d, .rq = rq, .arena = arena };
    int rv;

    if (signature_read(rq->authorization, &c.signature) != SIGNATURE_OK || m->vault == NULL)
        return err_set(e, &ERR_SIGNATURE, "");
    if (!signature_is_timely(rq->signed_request, clock_wall_us(m->conf.clock)))
        return err_set(e, &ERR_SIGNATURE_DATE, "");
    rv = find_key(&c, e);
    if (rv == 0)
        rv = c.who != NULL ? check(&c, e) : err_set(e, &ERR_SIGNATURE, "");
    if (c.secret.n > 0)
        mem_wipe((char *)(uintptr_t)c.secret.s, c.secret.n);
    if (rv == 0)
        note(&c);
    *out = c.who;
    return rv;
}

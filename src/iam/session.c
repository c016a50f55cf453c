/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a console session:
 *
 *   remembered, and confirmed lately ──────────────────────────────▶ in
 *   else ──▶ ask MetaDB ──there, not idle for too long──▶ remember, in      MetaDB away ──▶ in for reads, if remembered
 *
 * A change needs the session's CSRF token in either case. Use (of access keys, too) is told to MetaDB every ten seconds, for all sessions together, so that a
 * session that wanders from node to node stays alive. */
#include <regex.h>
#include <string.h>

#include "conf/parameters.h"
#include "conf/settings.h"
#include "src/iam/inside.h"

enum { MAX_SESSIONS = 100, LIFETIME_MS = 12 * 3600 * 1000, NOTE_BATCH = 1000 };

struct visit {
    struct iam *m;
    struct db *db;
    const struct iam_request *rq;
    struct arena *arena;
    char digest[COOKIE_VALUE_SIZE];
    struct principal *who;       /* result */
};

enum recall { RECALL_IN, RECALL_STALE, RECALL_TOO_OLD, RECALL_NO };

static struct login_name name_of(const struct visit *v)
{
    return (struct login_name){ LOGIN_SESSION, { v->digest, COOKIE_VALUE_SIZE - 1 } };
}

int64_t iam_idle_ms(const struct iam *m)
{
    return parameter_int(m->conf.parameters, PARAM_SERVER_SERVLET_SESSION_TIMEOUT);
}

/* With the lock held. One that seems idle for too long may have been used elsewhere: MetaDB knows. */
static enum recall recall_locked(struct visit *v, bool away, int64_t offline_ms, int64_t now_ms)
{
    struct login *l = login_cache_find(v->m->cache, name_of(v));

    if (l == NULL || now_ms >= l->ends_ms || now_ms - l->used_ms > iam_idle_ms(v->m))
        return RECALL_NO;
    if (now_ms - l->checked_ms > LOGIN_FRESH_MS && !away)
        return RECALL_NO;
    if (login_principal(l, &v->rq->client, v->arena, &v->who, NULL) != 0)
        return RECALL_NO;
    login_use(l, &v->rq->client, now_ms);
    if (now_ms - l->checked_ms <= LOGIN_FRESH_MS)
        return RECALL_IN;
    return now_ms - l->checked_ms <= offline_ms ? RECALL_STALE : RECALL_TOO_OLD;
}

static enum recall recall(struct visit *v)
{
    struct iam *m = v->m;
    bool away = m->away;
    int64_t offline_ms = away ? iam_offline_ms(m) : 0;
    enum recall r;

    pthread_mutex_lock(&m->lock);
    r = recall_locked(v, away, offline_ms, iam_now_ms(m));
    m->stats.remembered += r == RECALL_IN;
    pthread_mutex_unlock(&m->lock);
    return r;
}

static int ask(struct visit *v, struct session **session, struct user **user, struct err *e)
{
    const struct iam_source *source = v->m->conf.source;
    int64_t former = fiber_narrow_deadline(IAM_ASK_MS);
    int rv = source->session(v->db, v->digest, v->arena, session, e);

    *user = NULL;
    if (rv == 0 && *session != NULL)
        rv = source->get(v->db, (*session)->user_id, v->arena, user, e);
    fiber_restore_deadline(former);
    return iam_asked(v->m, rv, e);
}

static void remember(struct visit *v, const struct session *s, int64_t asked_ms)
{
    const struct login_new fresh = { .name = name_of(v), .who = v->who, .ends_ms = asked_ms + s->left_us / 1000,
                                     .seen_ms = asked_ms - s->idle_us / 1000, .now_ms = asked_ms };
    struct err e = { 0 };

    pthread_mutex_lock(&v->m->lock);
    if (login_cache_put(v->m->cache, &fresh, &e) != 0)
        log_warn(v->m->conf.log, "a session could not be remembered", LOG_E(&e));
    pthread_mutex_unlock(&v->m->lock);
}

/* v->who stays NULL when there is no such session any more. */
static int look_up(struct visit *v, struct err *e)
{
    int64_t asked_ms = iam_now_ms(v->m);
    struct session *s = NULL;
    struct user *user;
    int rv = ask(v, &s, &user, e);

    if (rv != 0 || user == NULL || !user->enabled || user->locked || s->left_us <= 0 || s->idle_us / 1000 > iam_idle_ms(v->m))
        return rv;
    rv = iam_principal(user, &v->rq->client, v->arena, &v->who, e);
    if (rv != 0)
        return rv;
    v->who->login = LOGIN_SESSION;
    v->who->login_id = s->id;
    v->who->login_created_us = s->created_us;
    v->who->login_expires_us = s->expires_us;
    remember(v, s, asked_ms);
    return 0;
}

static int visit(struct visit *v, struct err *e)
{
    int rv;

    switch (recall(v)) {
    case RECALL_IN:
        return 0;
    case RECALL_STALE:
        return iam_let_in_stale(v->m, v->rq, v->who, e);
    case RECALL_TOO_OLD:
        return iam_away(e);
    case RECALL_NO:
        break;
    }
    v->who = NULL;
    rv = look_up(v, e);
    /* MetaDB went away just now: what is remembered may count */
    if (rv == ERR_LOGIN_AWAY.code && recall(v) == RECALL_STALE)
        rv = iam_let_in_stale(v->m, v->rq, v->who, e);
    return rv;
}

/* ---- CSRF -------------------------------------------------------------------------------------------------------------- */

/* The whole target has to match. A pattern that is none excludes nothing. */
static bool matches(struct slice pattern, const char *target, struct arena *arena)
{
    const char *whole = arena_printf(arena, "^(%.*s)$", SLICE_FMT(pattern));
    regex_t compiled;
    bool yes;

    if (whole == NULL || regcomp(&compiled, whole, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    yes = regexec(&compiled, target, 0, NULL, 0) == 0;
    regfree(&compiled);
    return yes;
}

static bool is_excluded(const struct visit *v)
{
    const char *target = v->rq->target.n > 0 ? arena_strndup(v->arena, v->rq->target.s, v->rq->target.n) : "", *patterns;
    struct slice rest;

    if (target == NULL || parameter_text(v->m->conf.parameters, PARAM_OCP_IAM_CSRF_URL_EXCLUDED, v->arena, &patterns, NULL) != 0)
        return false;
    for (rest = (struct slice){ patterns, strlen(patterns) }; rest.n > 0;) {
        struct slice one = slice_trim(slice_cut(&rest, ','));

        if (one.n > 0 && matches(one, target, v->arena))
            return true;
    }
    return false;
}

/* Only a change by a session comes as far as the patterns: the console's, some a minute. */
static int check_csrf(const struct visit *v, struct slice id, struct err *e)
{
    if (!v->rq->needs_csrf || cookie_csrf_matches(id, v->rq->csrf))
        return 0;
    if (!parameter_bool(v->m->conf.parameters, PARAM_OCP_IAM_CSRF_ENABLED) || is_excluded(v))
        return 0;
    return err_set(e, &ERR_CSRF, "");
}

int iam_by_session(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out, struct err *e)
{
    struct visit v = { .m = m, .db = d, .rq = rq, .arena = arena };

    for (unsigned i = 0; i < rq->n_sessions; i++) {
        int rv;

        cookie_digest(rq->sessions[i], v.digest);
        rv = visit(&v, e);
        if (rv != 0)
            return rv;
        if (v.who == NULL)
            continue;
        *out = v.who;
        return check_csrf(&v, rq->sessions[i], e);
    }
    return err_set(e, &ERR_LOGIN_NEEDED, "");
}

/* ---- beginning and ending -------------------------------------------------------------------------------------------- */

struct beginning {
    struct session session;
    int64_t lifetime_us;
    char former[IAM_MAX_COOKIES][COOKIE_VALUE_SIZE]; /* digests */
    unsigned n_former;
};

static int tx_begin(struct tx *tx, void *data, struct err *e)
{
    const struct beginning *b = data;
    struct arena arena;
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < b->n_former; i++)
        rv = store_session_delete_digest(tx, b->former[i], e);
    if (rv != 0)
        return rv;
    arena_init(&arena);
    rv = store_session_insert(tx, &b->session, b->lifetime_us, MAX_SESSIONS, &arena, e);
    arena_fini(&arena);
    return rv;
}

static int64_t lifetime_ms(const struct iam *m)
{
    const struct settings *now = m->conf.settings != NULL ? settings_get(m->conf.settings) : NULL;
    int64_t ms = now != NULL ? now->iam.session_lifetime_ms : LIFETIME_MS;

    settings_put(now);
    return ms;
}

/* Fills in `b`, which has its former sessions, and makes it last. */
static int begin(struct iam *m, struct db *d, const struct principal *who, struct slice user_agent, struct beginning *b, struct arena *arena,
                 struct iam_ticket *out, struct err *e)
{
    char digest[COOKIE_VALUE_SIZE], client[ADDR_TEXT_SIZE];
    int rv = cookie_make(out->session, e);

    if (rv != 0)
        return rv;
    cookie_digest((struct slice){ out->session, COOKIE_VALUE_SIZE - 1 }, digest);
    cookie_csrf((struct slice){ out->session, COOKIE_VALUE_SIZE - 1 }, out->csrf);
    b->lifetime_us = lifetime_ms(m) * 1000;
    b->session.user_id = who->user_id;
    b->session.digest = digest;
    b->session.client_ip = addr_text(&who->client, client);
    b->session.user_agent = iam_agent(user_agent, arena);
    if (b->session.user_agent == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = db_next_id(d, &b->session.id, e);
    return rv == 0 ? db_transact(d, tx_begin, b, e) : rv;
}

int iam_begin_session(struct iam *m, struct db *d, const struct principal *who, struct slice user_agent, struct arena *arena,
                      struct iam_ticket *out, struct err *e)
{
    struct beginning b = { .n_former = 0 };

    return begin(m, d, who, user_agent, &b, arena, out, e);
}

int iam_log_in(struct iam *m, struct db *d, const struct iam_login *login, struct arena *arena, struct iam_ticket *out, struct err *e)
{
    const struct iam_request rq = { .client = login->client, .user_agent = login->user_agent, .method = LOGIN_BY_CONSOLE, .changes = true };
    struct beginning b = { .n_former = login->n_former };
    int rv = iam_by_password(m, d, &rq, login->username, login->password, arena, &out->who, e);

    for (unsigned i = 0; i < login->n_former; i++)
        cookie_digest(login->former[i], b.former[i]);
    if (rv == 0)
        rv = begin(m, d, out->who, login->user_agent, &b, arena, out, e);
    if (rv != 0)
        return rv;
    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < b.n_former; i++)
        login_cache_forget_name(m->cache, (struct login_name){ LOGIN_SESSION, { b.former[i], COOKIE_VALUE_SIZE - 1 } });
    pthread_mutex_unlock(&m->lock);
    return 0;
}

int iam_end_session(struct iam *m, struct db *d, int64_t user_id, int64_t id, struct err *e)
{
    int rv = store_session_delete(d, user_id, id, e);

    if (rv != 0)
        return rv;
    pthread_mutex_lock(&m->lock);
    login_cache_forget_object(m->cache, LOGIN_SESSION, id);
    pthread_mutex_unlock(&m->lock);
    return 0;
}

typedef int (*touch_fn)(struct db *d, const int64_t *ids, size_t n, struct err *e);

static void note(struct iam *m, struct db *d, enum login_kind kind, touch_fn touch, int64_t *ids)
{
    int64_t former = fiber_narrow_deadline(IAM_ASK_MS);
    struct err e = { 0 };
    unsigned n;

    pthread_mutex_lock(&m->lock);
    n = login_cache_unnoted(m->cache, kind, iam_now_ms(m), ids, NOTE_BATCH);
    pthread_mutex_unlock(&m->lock);
    if (n > 0 && touch(d, ids, n, &e) != 0)
        log_debug(m->conf.log, "the use of logins could not be noted", LOG_E(&e));
    fiber_restore_deadline(former);
}

void iam_note_use(struct iam *m, struct db *d)
{
    int64_t *ids = !m->away ? mem_array(NOTE_BATCH, sizeof *ids) : NULL;

    if (ids == NULL)
        return; /* next time */
    note(m, d, LOGIN_SESSION, store_session_touch, ids);
    note(m, d, LOGIN_KEY, store_accesskey_touch, ids);
    mem_free(ids);
}

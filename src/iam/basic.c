/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a password:
 *
 *   remembered, and confirmed lately ──────────────────────────────────────────▶ in
 *   remembered, not confirmed ──▶ ask MetaDB ──same version──▶ in      MetaDB away ──▶ in for reads, for 15 minutes
 *   else ──▶ blocked? ──▶ same login on its way? wait for it ──▶ ask MetaDB for the user ──▶ hash ──▶ remember, in
 *
 * An unknown user is hashed as well, against nobody's password, and counted: nothing tells it from a wrong password. */
#include <string.h>

#include "conf/parameters.h"
#include "src/iam/authorization.h"
#include "src/iam/inside.h"
#include "src/iam/password.h"
#include "src/iam/user.h"

struct attempt {
    struct iam *m;
    struct db *db;
    const struct iam_request *rq;
    struct arena *arena;
    struct {
        struct slice user, password;
    } login;
    uint8_t secret[KEYED_SIZE];
    struct principal *who;       /* result */
};

enum recall { RECALL_IN, RECALL_ASK, RECALL_STALE, RECALL_TOO_OLD, RECALL_NO };

static int blocked(struct err *e, const struct err_row *row, int64_t wait_ms)
{
    return err_set(e, row, "%lld", (long long)((wait_ms + 59999) / 60000));
}

static int64_t wait_of(const struct attempt *a, enum lockout_kind kind, int64_t now_ms)
{
    return lockout_wait_ms(a->m->lockout, kind, a->login.user, &a->rq->client, now_ms);
}

static int check_blocked(const struct attempt *a, int64_t now_ms, struct err *e)
{
    int64_t client_ms = wait_of(a, LOCKOUT_CLIENT, now_ms);
    int64_t user_ms = wait_of(a, LOCKOUT_USER, now_ms);

    if (client_ms > 0)
        return blocked(e, &ERR_CLIENT_BLOCKED, client_ms);
    return user_ms > 0 ? blocked(e, &ERR_LOGIN_BLOCKED, user_ms) : 0;
}

static struct login_name name_of(const struct attempt *a)
{
    return (struct login_name){ LOGIN_PASSWORD, a->login.user };
}

/* With the lock held. */
static enum recall recall_locked(struct attempt *a, bool is_blocked, int64_t offline_ms, int64_t now_ms)
{
    struct login *l = login_cache_find(a->m->cache, name_of(a));
    bool matches = l != NULL && keyed_equal(l->secret, a->secret);

    if (l == NULL || (is_blocked && !login_passes_block(l, matches, &a->rq->client, now_ms)) || !matches)
        return RECALL_NO;
    if (login_principal(l, &a->rq->client, a->arena, &a->who, NULL) != 0)
        return RECALL_NO;
    login_use(l, &a->rq->client, now_ms);
    if (now_ms - l->checked_ms <= LOGIN_FRESH_MS)
        return RECALL_IN;
    if (!a->m->away)
        return RECALL_ASK;
    return now_ms - l->checked_ms <= offline_ms ? RECALL_STALE : RECALL_TOO_OLD;
}

/* Looks whether the login is remembered; a->who gets the principal. */
static enum recall recall(struct attempt *a, bool is_blocked)
{
    struct iam *m = a->m;
    int64_t offline_ms = m->away ? iam_offline_ms(m) : 0;
    enum recall r;

    pthread_mutex_lock(&m->lock);
    r = recall_locked(a, is_blocked, offline_ms, iam_now_ms(m));
    if (r == RECALL_IN)
        m->stats.remembered++;
    pthread_mutex_unlock(&m->lock);
    return r;
}

static int ask(struct attempt *a, struct user **user, struct err *e)
{
    const char *name = arena_strndup(a->arena, a->login.user.s, a->login.user.n);
    int64_t former = fiber_narrow_deadline(IAM_ASK_MS);
    int rv;

    if (name == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else
        rv = a->m->conf.source->find(a->db, name, a->arena, user, e);
    fiber_restore_deadline(former);
    return iam_asked(a->m, rv, e);
}

/* Remembered, but nobody has confirmed it lately: the watch is late. */
static int confirm_one(struct attempt *a, bool *same, struct err *e)
{
    int64_t asked_ms = iam_now_ms(a->m);
    struct principal *who = a->who;
    struct user *user = NULL;
    int64_t version;
    int rv = ask(a, &user, e);

    *same = false;
    if (rv == ERR_LOGIN_AWAY.code) {
        *same = true;
        return iam_let_in_stale(a->m, a->rq, a->who, e);
    }
    if (rv != 0)
        return rv;
    version = user != NULL && user->enabled && !user->locked ? user->credential_version : -1;
    *same = version == who->credential_version;
    pthread_mutex_lock(&a->m->lock);
    login_cache_confirm_user(a->m->cache, who->user_id, version, asked_ms);
    a->m->stats.remembered += *same;
    pthread_mutex_unlock(&a->m->lock);
    return 0;
}

static int wrong(struct attempt *a, struct err *e)
{
    struct iam *m = a->m;
    const struct parameters *p = m->conf.parameters;
    const struct lockout_limits limits = {
        { (unsigned)parameter_int(p, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), (unsigned)parameter_int(p, PARAM_OCP_IAM_LOGIN_CLIENT_MAX_ATTEMPTS) },
        { parameter_int(p, PARAM_OCP_IAM_LOGIN_LOCKOUT_MINUTES) * 60000, parameter_int(p, PARAM_OCP_IAM_LOGIN_CLIENT_LOCKOUT_MINUTES) * 60000 },
    };
    char client[ADDR_TEXT_SIZE], name[BASIC_MAX_NAME + 1];
    int64_t now_ms = iam_now_ms(m);
    unsigned left;
    int rv;

    left = lockout_fail(m->lockout, a->login.user, &a->rq->client, &limits, now_ms);
    memcpy(name, a->login.user.s, a->login.user.n);
    name[a->login.user.n] = '\0';
    log_info(m->conf.log, "login failed", LOG_S("user", name), LOG_S("client", addr_text(&a->rq->client, client)), LOG_I("left", left));
    if (left == 0 && (rv = check_blocked(a, now_ms, e)) != 0)
        return rv;
    return err_set(e, &ERR_LOGIN_WRONG, "%u", left); /* never 0: this is no way in, even if the block was pushed out of the table */
}

static void remember(struct attempt *a, int64_t asked_ms)
{
    const struct login_new fresh = { .name = name_of(a), .who = a->who, .secret = a->secret, .now_ms = asked_ms };
    struct err e = { 0 };

    pthread_mutex_lock(&a->m->lock);
    a->m->stats.verified++;
    if (login_cache_put(a->m->cache, &fresh, &e) != 0)
        log_warn(a->m->conf.log, "a login could not be remembered", LOG_E(&e));
    pthread_mutex_unlock(&a->m->lock);
}

/* MetaDB and the hash. */
static int verify(struct attempt *a, struct err *e)
{
    int64_t asked_ms = iam_now_ms(a->m);
    struct user *user = NULL;
    bool matches;
    int rv = ask(a, &user, e);

    if (rv != 0)
        return rv;
    rv = password_verify(a->m->conf.crypto_pool, user != NULL ? user->password_hash : NULL, a->login.password, &matches, e);
    if (rv != 0)
        return rv;
    if (user == NULL || !matches)
        return wrong(a, e);
    if (!user->enabled)
        return err_set(e, &ERR_ACCOUNT_DISABLED, "");
    rv = user->locked ? err_set(e, &ERR_ACCOUNT_LOCKED, "") : iam_principal(user, &a->rq->client, a->arena, &a->who, e);
    if (rv != 0)
        return rv;
    remember(a, asked_ms);
    lockout_forget_user(a->m->lockout, a->login.user);
    a->m->conf.source->logged_in(a->db, user);
    return 0;
}

/* ---- one hash for all who wait for it -------------------------------------------------------------------------------- */

static struct flight *find_flight(const struct attempt *a)
{
    struct flight *f = a->m->flights;

    while (f != NULL && (f->loop != loop_current() || !keyed_equal(f->secret, a->secret)))
        f = f->next;
    return f;
}

static void leave_flight(struct flight *f)
{
    if (--f->n_owners == 0)
        mem_free(f);
}

static void land(struct iam *m, struct flight *f, int rv, const struct err *e)
{
    struct flight **link = &m->flights;

    pthread_mutex_lock(&m->lock);
    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    pthread_mutex_unlock(&m->lock);
    f->landed = true;
    if (rv != 0)
        f->error = *e;
    waitlist_wake_all(&f->line);
    leave_flight(f);
}

/* Somebody verifies this login already. A wrong password is wrong for all; of any other failure each makes its own. */
static int join_flight(struct attempt *a, struct flight *f, bool *again, struct err *e)
{
    int rv;

    f->n_owners++;
    pthread_mutex_unlock(&a->m->lock);
    rv = waitlist_wait(&f->line, e);
    if (rv == 0 && f->error.row == &ERR_LOGIN_WRONG)
        rv = wrong(a, e);
    else if (rv == 0 && (f->error.row == &ERR_ACCOUNT_DISABLED || f->error.row == &ERR_ACCOUNT_LOCKED))
        rv = err_set(e, f->error.row, "");
    else
        *again = rv == 0;
    leave_flight(f);
    return rv;
}

static int verify_together(struct attempt *a, bool *again, struct err *e)
{
    struct iam *m = a->m;
    struct flight *f;
    struct err own = { 0 };
    int rv;

    pthread_mutex_lock(&m->lock);
    f = find_flight(a);
    if (f != NULL)
        return join_flight(a, f, again, e);
    f = mem_zalloc(sizeof *f);
    if (f != NULL) {
        f->loop = loop_current();
        f->n_owners = 1;
        memcpy(f->secret, a->secret, sizeof f->secret);
        f->next = m->flights;
        m->flights = f;
    }
    pthread_mutex_unlock(&m->lock);
    if (f == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = verify(a, &own);
    land(m, f, rv, &own);
    if (rv != 0)
        *e = own;
    return rv;
}

static int run_attempt(struct attempt *a, struct err *e)
{
    bool again = true, same;
    struct err block;
    int rv = 0;

    while (rv == 0 && again) {
        int why = check_blocked(a, iam_now_ms(a->m), &block);

        again = false;
        switch (recall(a, why != 0)) {
        case RECALL_IN:
            return 0;
        case RECALL_STALE:
            return iam_let_in_stale(a->m, a->rq, a->who, e);
        case RECALL_TOO_OLD:
            return iam_away(e);
        case RECALL_ASK:
            rv = confirm_one(a, &same, e);
            if (rv != 0 || same)
                return rv;
            break;
        case RECALL_NO:
            break;
        }
        if (why != 0) {
            *e = block;
            return why;
        }
        rv = verify_together(a, &again, e);
    }
    return rv;
}

static int digest(struct attempt *a, struct err *e)
{
    const struct slice parts[2] = { a->login.user, a->login.password };
    bool ok;

    pthread_mutex_lock(&a->m->lock);
    ok = keyed_digest(&a->m->keyed, parts, 2, a->secret);
    pthread_mutex_unlock(&a->m->lock);
    return ok ? 0 : err_set(e, &ERR_UNEXPECTED, "HMAC-SHA256");
}

int iam_by_password(struct iam *m, struct db *d, const struct iam_request *rq, struct slice username, struct slice password,
                    struct arena *arena, struct principal **out, struct err *e)
{
    struct attempt a = { .m = m, .db = d, .rq = rq, .arena = arena, .login = { username, password } };
    int rv = digest(&a, e);

    if (rv == 0)
        rv = run_attempt(&a, e);
    if (rv == 0 && a.who == NULL)
        rv = err_set(e, &ERR_UNEXPECTED, "a login without a user");
    *out = a.who;
    return rv;
}

int iam_by_basic(struct iam *m, struct db *d, const struct iam_request *rq, struct arena *arena, struct principal **out, struct err *e)
{
    struct basic_login login;
    int rv;

    if (basic_read(rq->authorization, &login) != BASIC_OK || !parameter_bool(m->conf.parameters, PARAM_OCP_IAM_AUTH_BASIC_ENABLED))
        return err_set(e, &ERR_LOGIN_NEEDED, "");
    rv = iam_by_password(m, d, rq, login.user, login.password, arena, out, e);
    mem_wipe(login.bytes, sizeof login.bytes);
    return rv;
}

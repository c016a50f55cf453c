/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a password:
 *
 *   remembered, and confirmed lately ──────────────────────────────────────────▶ in
 *   remembered, not confirmed ──▶ ask MetaDB ──same version──▶ in      MetaDB away ──▶ in for reads, for 15 minutes
 *   else ──▶ blocked? ──▶ same login on its way? wait for it ──▶ ask MetaDB for the user ──▶ hash ──▶ still not blocked? ──▶ remember, in
 *
 * An unknown user is hashed as well, against nobody's password, and counted: nothing tells it from a wrong password. Whether name or
 * address is blocked says MetaDB, for all nodes; it is asked before each hash, after it (guesses that are tried side by side must not
 * outrun the count), and when a remembered login comes from an address that never used it or where somebody guessed. */
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
    bool counted;                /* MetaDB was asked whether name or address is blocked */
    bool had_failures;           /* and counts some for the name */
    int64_t user_id;             /* 0: there is no such user, or nobody has asked yet */
    struct principal *who;       /* result */
};

enum recall { RECALL_IN, RECALL_ASK, RECALL_COUNT, RECALL_STALE, RECALL_TOO_OLD, RECALL_NO };

static int blocked(struct err *e, const struct err_row *row, int64_t wait_ms)
{
    return err_set(e, row, "%lld", (long long)((wait_ms + 59999) / 60000));
}

static int64_t wait_of(const struct attempt *a, enum login_failure_kind kind, int64_t now_ms)
{
    return lockout_wait_ms(a->m->lockout, kind, a->login.user, &a->rq->client, now_ms);
}

static int check_blocked(const struct attempt *a, int64_t now_ms, struct err *e)
{
    int64_t client_ms = wait_of(a, LOGIN_FAILURE_CLIENT, now_ms);
    int64_t user_ms = wait_of(a, LOGIN_FAILURE_USER, now_ms);

    if (client_ms > 0)
        return blocked(e, &ERR_CLIENT_BLOCKED, client_ms);
    return user_ms > 0 ? blocked(e, &ERR_LOGIN_BLOCKED, user_ms) : 0;
}

/* ---- failures, as MetaDB counts them ---------------------------------------------------------------------------------- */

struct subject {
    struct login_subject of;
    char client[ADDR_TEXT_SIZE];
};

static int subject_of(const struct attempt *a, struct subject *s, struct err *e)
{
    s->of.name[LOGIN_FAILURE_USER] = arena_strndup(a->arena, a->login.user.s, a->login.user.n);
    s->of.name[LOGIN_FAILURE_CLIENT] = lockout_client(&a->rq->client, s->client);
    return s->of.name[LOGIN_FAILURE_USER] != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static struct login_limits limits_of(const struct iam *m)
{
    const struct parameters *p = m->conf.parameters;

    return (struct login_limits){
        { parameter_int(p, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), parameter_int(p, PARAM_OCP_IAM_LOGIN_CLIENT_MAX_ATTEMPTS) },
        { parameter_int(p, PARAM_OCP_IAM_LOGIN_LOCKOUT_MINUTES) * 60000, parameter_int(p, PARAM_OCP_IAM_LOGIN_CLIENT_LOCKOUT_MINUTES) * 60000 },
    };
}

/* Takes in what MetaDB counts. Returns the tries left before either is blocked. */
static int64_t learn(struct attempt *a, const struct login_count *counts)
{
    const struct login_limits limits = limits_of(a->m);
    int64_t left = INT64_MAX, now_ms = iam_now_ms(a->m);

    for (unsigned kind = 0; kind < LOGIN_FAILURE_KINDS; kind++) {
        int64_t mine = limits.attempts[kind] - counts[kind].failures;

        if (kind == LOGIN_FAILURE_CLIENT && !a->rq->client.known)
            continue;
        lockout_learn(a->m->lockout, kind, a->login.user, &a->rq->client, mine <= 0 ? counts[kind].wait_ms : 0, now_ms);
        left = mine < left ? mine : left;
    }
    a->counted = true;
    a->had_failures = counts[LOGIN_FAILURE_USER].failures > 0;
    return left > 0 ? left : 0;
}

static int ask_failures(struct attempt *a, struct err *e)
{
    struct login_count counts[LOGIN_FAILURE_KINDS];
    struct subject s;
    int64_t former;
    int rv = subject_of(a, &s, e);

    if (rv != 0)
        return rv;
    former = fiber_narrow_deadline(IAM_ASK_MS);
    rv = iam_asked(a->m, a->m->conf.source->failures(a->db, &s.of, counts, e), e);
    fiber_restore_deadline(former);
    if (rv == 0)
        (void)learn(a, counts);
    return rv;
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
    if (!is_blocked && !a->counted && !a->m->away && !login_is_usual(l, &a->rq->client, now_ms))
        return RECALL_COUNT;
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

static void count_failure(struct iam *m, const struct login_count *counts)
{
    const struct login_limits limits = limits_of(m);

    pthread_mutex_lock(&m->lock);
    m->stats.failures++;
    m->stats.blocked_users += counts[LOGIN_FAILURE_USER].failures == limits.attempts[LOGIN_FAILURE_USER];
    m->stats.blocked_clients += counts[LOGIN_FAILURE_CLIENT].failures == limits.attempts[LOGIN_FAILURE_CLIENT];
    pthread_mutex_unlock(&m->lock);
}

/* A failure that could not be counted would be a free guess: then nobody learns how it ended. */
static int wrong(struct attempt *a, int64_t user_id, struct err *e)
{
    const struct login_limits limits = limits_of(a->m);
    struct login_count counts[LOGIN_FAILURE_KINDS];
    struct login_event event;
    struct subject s;
    int64_t left, former;
    int rv = subject_of(a, &s, e);

    if (rv == 0)
        rv = iam_event(a->m, a->rq, user_id, s.of.name[LOGIN_FAILURE_USER], user_id > 0 ? ERR_LOGIN_WRONG.code : LOGIN_UNKNOWN_USER, a->arena,
                       &event, e);
    if (rv != 0)
        return rv;
    former = fiber_narrow_deadline(IAM_ASK_MS);
    rv = iam_asked(a->m, a->m->conf.source->fail(a->db, &s.of, &limits, &event, counts, e), e);
    fiber_restore_deadline(former);
    if (rv != 0)
        return rv;
    count_failure(a->m, counts);
    left = learn(a, counts);
    log_info(a->m->conf.log, "login failed", LOG_S("user", event.username), LOG_S("client", event.client_ip), LOG_I("left", left));
    if (left == 0 && (rv = check_blocked(a, iam_now_ms(a->m), e)) != 0)
        return rv;
    return err_set(e, &ERR_LOGIN_WRONG, "%lld", (long long)left);
}

/* What is not counted: a success, and the right password of somebody who may not come in. */
static void note(struct attempt *a, const struct user *user, int code)
{
    struct login_event event;
    struct err e = { 0 };

    if (iam_event(a->m, a->rq, user->id, user->username, code, a->arena, &event, &e) == 0)
        a->m->conf.source->note(a->db, &event, code == 0 && a->had_failures);
}

static int refuse(struct attempt *a, const struct user *user, const struct err_row *row, struct err *e)
{
    note(a, user, row->code);
    return err_set(e, row, "");
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

/* The password is right. */
static int let_in(struct attempt *a, const struct user *user, int64_t asked_ms, struct err *e)
{
    int rv = ask_failures(a, e);

    if (rv == 0)
        rv = check_blocked(a, iam_now_ms(a->m), e);
    if (rv != 0)
        return rv;
    if (!user->enabled)
        return refuse(a, user, &ERR_ACCOUNT_DISABLED, e);
    if (user->locked)
        return refuse(a, user, &ERR_ACCOUNT_LOCKED, e);
    rv = iam_principal(user, &a->rq->client, a->arena, &a->who, e);
    if (rv != 0)
        return rv;
    remember(a, asked_ms);
    note(a, user, 0);
    return 0;
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
    a->user_id = user != NULL ? user->id : 0;
    return user != NULL && matches ? let_in(a, user, asked_ms, e) : wrong(a, a->user_id, e);
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

static void land(struct iam *m, struct flight *f, int64_t user_id, int rv, const struct err *e)
{
    struct flight **link = &m->flights;

    pthread_mutex_lock(&m->lock);
    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    pthread_mutex_unlock(&m->lock);
    f->landed = true;
    f->user_id = user_id;
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
        rv = wrong(a, f->user_id, e);
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
    land(m, f, a->user_id, rv, &own);
    if (rv != 0)
        *e = own;
    return rv;
}

/* Not remembered. `block`: why name or address has to wait; NULL: neither has, as far as this node knows. */
static int start_over(struct attempt *a, const struct err *block, bool *again, struct err *e)
{
    if (block != NULL) {
        *e = *block;
        return block->row->code;
    }
    if (a->counted)
        return verify_together(a, again, e);
    *again = true;
    return ask_failures(a, e);
}

/* A remembered login comes in an unusual way. While MetaDB is away nobody can tell more, and it counts for reading. */
static int look_closer(struct attempt *a, struct err *e)
{
    int rv = ask_failures(a, e);

    return rv == ERR_LOGIN_AWAY.code ? 0 : rv;
}

static int run_attempt(struct attempt *a, struct err *e)
{
    bool again = true, same, is_console = a->rq->method != NULL; /* a console login is verified each time: it is an event of its own */
    struct err block;
    int rv = 0;

    while (rv == 0 && again) {
        int why = check_blocked(a, iam_now_ms(a->m), &block);

        again = false;
        switch (is_console ? RECALL_NO : recall(a, why != 0)) {
        case RECALL_IN:
            return 0;
        case RECALL_STALE:
            return iam_let_in_stale(a->m, a->rq, a->who, e);
        case RECALL_TOO_OLD:
            return iam_away(e);
        case RECALL_COUNT:
            rv = look_closer(a, e);
            again = true;
            continue;
        case RECALL_ASK:
            rv = confirm_one(a, &same, e);
            if (rv != 0 || same)
                return rv;
            break;
        case RECALL_NO:
            break;
        }
        rv = start_over(a, why != 0 ? &block : NULL, &again, e);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a login, with users that the test holds, a MetaDB that goes away on command, and a clock that the test turns. */
#include "tests/lib/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "conf/parameters.h"
#include "src/base/field.h"
#include "src/iam/iam.h"
#include "src/iam/login_cache.h"
#include "src/iam/password.h"
#include "src/iam/role.h"
#include "src/vault/vault.h"

static const struct err_row away_row = { .code = 99001, .symbol = "AWAY", .http = 503, .retry = ERR_RETRY, .text = { "away", "away" } };

/* ---- a world ---------------------------------------------------------------------------------------------------------- */

struct failure {
    unsigned kind;
    char name[64];               /* "": none, nor after it */
    int64_t n, until_ms;
};

static struct {
    struct clock_fake clock;
    struct failure failures[16];
    struct login_event last;     /* noted */
    unsigned n_counts_asked;
    struct parameters *parameters;
    struct work_pool *pool;
    struct iam *iam;
    struct arena arena;
    struct user users[3];
    unsigned n_users;
    char hashes[3][PASSWORD_ENCODED_SIZE];
    bool away;
    struct session session;      /* the one that there is; without a digest: none */
    struct accesskey key;        /* likewise */
    struct vault *vault;
    unsigned n_finds, n_versions, n_logged_in, n_sessions_asked, n_keys_asked;
    struct waitlist *hold;       /* finds wait here */
} w;

static int find(struct db *d, const char *name, struct arena *arena, struct user **out, struct err *e)
{
    (void)d;
    w.n_finds++;
    *out = NULL;
    if (w.hold != NULL && waitlist_wait(w.hold, e) != 0)
        return e->row->code;
    if (w.away)
        return err_set(e, &away_row, "");
    for (unsigned i = 0; i < w.n_users; i++) {
        if (strcmp(w.users[i].username, name) == 0) {
            *out = arena_alloc(arena, sizeof **out);
            if (*out == NULL)
                return err_set(e, &ERR_NOMEM, "");
            **out = w.users[i];
        }
    }
    return 0;
}

static int get(struct db *d, int64_t id, struct arena *arena, struct user **out, struct err *e)
{
    *out = NULL;
    for (unsigned i = 0; i < w.n_users; i++)
        if (w.users[i].id == id)
            return find(d, w.users[i].username, arena, out, e);
    return 0;
}

static int session(struct db *d, const char *digest, struct arena *arena, struct session **out, struct err *e)
{
    (void)d;
    w.n_sessions_asked++;
    *out = NULL;
    if (w.away)
        return err_set(e, &away_row, "");
    if (w.session.digest == NULL || strcmp(w.session.digest, digest) != 0)
        return 0;
    *out = arena_alloc(arena, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    **out = w.session;
    return 0;
}

static int key(struct db *d, const char *name, struct arena *arena, struct accesskey **out, struct err *e)
{
    (void)d;
    w.n_keys_asked++;
    *out = NULL;
    if (w.away)
        return err_set(e, &away_row, "");
    if (w.key.key == NULL || strcmp(w.key.key, name) != 0)
        return 0;
    *out = arena_alloc(arena, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    **out = w.key;
    return 0;
}

static int states(struct db *d, struct login_state *states, size_t n, struct login_versions *versions, struct err *e)
{
    (void)d;
    (void)versions; /* unchanged */
    w.n_versions++;
    if (w.away)
        return err_set(e, &away_row, "");
    for (size_t i = 0; i < n; i++) {
        states[i].version = -1;
        states[i].alive = states[i].kind == LOGIN_PASSWORD || (states[i].kind == LOGIN_SESSION && w.session.digest != NULL) ||
                          (states[i].kind == LOGIN_KEY && w.key.key != NULL && w.key.enabled);
        for (unsigned k = 0; k < w.n_users; k++) {
            if (w.users[k].id == states[i].user_id && w.users[k].enabled)
                states[i].version = w.users[k].credential_version;
        }
    }
    return 0;
}

/* Counts as MetaDB does. */
static struct failure *failure_of(unsigned kind, const char *name)
{
    struct failure *f = w.failures;

    while (f->name[0] != '\0' && (f->kind != kind || strcmp(f->name, name) != 0))
        f++;
    if (f->name[0] != '\0' && f->until_ms <= w.clock.ms)
        f->n = 0;
    return f;
}

static int failures(struct db *d, const struct login_subject *s, struct login_count *out, struct err *e)
{
    (void)d;
    w.n_counts_asked++;
    if (w.away)
        return err_set(e, &away_row, "");
    for (unsigned kind = 0; kind < LOGIN_FAILURE_KINDS; kind++) {
        const struct failure *f = s->name[kind] != NULL ? failure_of(kind, s->name[kind]) : NULL;

        out[kind] = f != NULL && f->n > 0 ? (struct login_count){ f->n, f->until_ms - w.clock.ms } : (struct login_count){ 0, 0 };
    }
    return 0;
}

static int fail_login(struct db *d, const struct login_subject *s, const struct login_limits *limits, struct login_event *event,
                      struct login_count *out, struct err *e)
{
    w.last = *event;
    for (unsigned kind = 0; kind < LOGIN_FAILURE_KINDS && !w.away; kind++) {
        struct failure *f = failure_of(kind, s->name[kind]);

        assert_true(f < w.failures + 15);
        f->kind = kind;
        (void)snprintf(f->name, sizeof f->name, "%s", s->name[kind]);
        if (f->n < limits->attempts[kind])
            f->until_ms = w.clock.ms + limits->block_ms[kind];
        f->n++;
    }
    return failures(d, s, out, e);
}

static void note(struct db *d, struct login_event *event, bool forget)
{
    (void)d;
    w.last = *event;
    w.n_logged_in += (unsigned)event->succeeded;
    if (forget)
        failure_of(LOGIN_FAILURE_USER, event->username)->n = 0;
}

static const struct iam_source source = { find, get, session, key, states, failures, fail_login, note };

static void add_user(const char *name, const char *password, const char *roles)
{
    struct user *u = &w.users[w.n_users];
    struct err e = { 0 };

    assert_ok(password_hash(w.pool, (struct slice){ password, strlen(password) }, w.hashes[w.n_users], &e), &e);
    *u = (struct user){ .id = 10 + w.n_users, .username = name, .password_hash = w.hashes[w.n_users], .enabled = 1, .roles = roles,
                        .credential_version = 1, .email = "", .description = "" };
    w.n_users++;
}

static void in_world(void (*fn)(void *data))
{
    struct work_conf pool = { "crypto", 2, 100 };
    struct err e = { 0 };

    memset(&w, 0, sizeof w);
    clock_fake_init(&w.clock, 1000000, 1700000000000000);
    arena_init(&w.arena);
    assert_ok(work_pool_new(&pool, &w.pool, &e), &e);
    assert_ok(parameters_new(&w.parameters, &e), &e);
    struct iam_conf conf = { .crypto_pool = w.pool, .clock = &w.clock.clock, .log = &test_log, .source = &source, .parameters = w.parameters };
    assert_ok(iam_new(&conf, &w.iam, &e), &e);
    test_in_fiber(fn, NULL);
    iam_free(w.iam);
    parameters_free(w.parameters);
    work_pool_free(w.pool);
    arena_fini(&w.arena);
}

static const char *base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char out[256];
    size_t n = strlen(text), k = 0;

    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)(unsigned char)text[i] << 16 | (i + 1 < n ? (unsigned)(unsigned char)text[i + 1] << 8 : 0) |
                     (i + 2 < n ? (unsigned)(unsigned char)text[i + 2] : 0);

        for (unsigned b = 0; b < 4 && i + b <= n; b++)
            out[k++] = digits[v >> (18 - 6 * b) & 63];
    }
    out[k] = '\0';
    return out;
}

static struct addr address(const char *text)
{
    struct addr a;

    assert_true(addr_parse((struct slice){ text, strlen(text) }, &a));
    return a;
}

struct try {
    const char *login;     /* "name:password" */
    const char *client;    /* NULL: 10.0.0.1 */
    bool changes;
    struct principal *who;
    struct err e;
};

static int attempt(struct try *t)
{
    char header[256];
    struct iam_request rq = { .client = address(t->client != NULL ? t->client : "10.0.0.1"), .changes = t->changes };
    int n = snprintf(header, sizeof header, "Basic %s", base64(t->login));

    rq.authorization = (struct slice){ header, (size_t)n };
    err_clear(&t->e);
    return iam_authenticate(w.iam, NULL, &rq, &w.arena, &t->who, &t->e);
}

static void good(struct try t)
{
    assert_ok(attempt(&t), &t.e);
}

static void bad(struct try t, const struct err_row *row)
{
    assert_int_equal(attempt(&t), row->code);
    assert_ptr_equal(t.e.row, row);
}

#define GOOD(...) good((struct try){ __VA_ARGS__ })
#define BAD(ROW, ...) bad((struct try){ __VA_ARGS__ }, &(ROW))

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

static void remembers(void *data)
{
    struct try t = { "anna:aaBB11##" };

    (void)data;
    add_user("anna", "aaBB11##", "101,109");
    assert_ok(attempt(&t), &t.e);
    assert_int_equal(t.who->user_id, 10);
    assert_string_equal(t.who->name, "anna");
    assert_int_equal(t.who->n_grants, 3);
    assert_false(t.who->stale || t.who->must_change_password);
    for (int i = 0; i < 100; i++)
        GOOD("anna:aaBB11##");
    assert_int_equal(w.n_finds, 1);
    assert_int_equal(w.n_logged_in, 1);
    assert_int_equal(iam_stats(w.iam).remembered, 100);
    assert_int_equal(iam_stats(w.iam).verified, 1);
}

static void refuses(void *data)
{
    struct iam_request none = { .authorization = { NULL, 0 } }, other = { .authorization = SLICE("Bearer x") };
    struct principal *who;
    struct err e = { 0 };

    (void)data;
    add_user("anna", "aaBB11##", "101");
    assert_err(iam_authenticate(w.iam, NULL, &none, &w.arena, &who, &e), &e, ERR_LOGIN_NEEDED);
    assert_err(iam_authenticate(w.iam, NULL, &other, &w.arena, &who, &e), &e, ERR_LOGIN_NEEDED);
    BAD(ERR_LOGIN_WRONG, "anna:aaBB11#");
    BAD(ERR_LOGIN_WRONG, "nobody:aaBB11##");
    BAD(ERR_LOGIN_WRONG, "anna:");
    GOOD("anna:aaBB11##");
    BAD(ERR_LOGIN_WRONG, "anna:aaBB11#");   /* also when the right one is remembered */
    w.users[0].enabled = 0;
    iam_forget(w.iam, 10);
    BAD(ERR_ACCOUNT_DISABLED, "anna:aaBB11##");
    BAD(ERR_LOGIN_WRONG, "anna:aaBB11#");
    assert_int_equal(iam_stats(w.iam).refused, 6);
}

static void first_password_waits(void *data)
{
    struct try t = { "anna:aaBB11##" };

    (void)data;
    add_user("anna", "aaBB11##", "100");
    w.users[0].must_change_password = 1;
    for (int i = 0; i < 2; i++) {
        assert_ok(attempt(&t), &t.e);
        assert_true(t.who->must_change_password);
    }
}

static void asks_when_nobody_watches(void *data)
{
    (void)data;
    add_user("anna", "aaBB11##", "101");
    GOOD("anna:aaBB11##");
    w.clock.ms += LOGIN_FRESH_MS;
    GOOD("anna:aaBB11##");
    assert_int_equal(w.n_finds, 1);
    w.clock.ms += 1;
    GOOD("anna:aaBB11##");
    assert_int_equal(w.n_finds, 2);
    GOOD("anna:aaBB11##");
    assert_int_equal(w.n_finds, 2);
    assert_int_equal(iam_stats(w.iam).verified, 1);     /* no second hash */
    w.clock.ms += LOGIN_FRESH_MS + 1;
    w.users[0].credential_version = 2;
    w.users[0].must_change_password = 1;
    GOOD("anna:aaBB11##");
    assert_int_equal(iam_stats(w.iam).verified, 2);
}

static void a_changed_password_counts(void *data)
{
    struct err e = { 0 };

    (void)data;
    add_user("anna", "aaBB11##", "101");
    GOOD("anna:aaBB11##");
    assert_ok(password_hash(w.pool, SLICE("ccDD22##"), w.hashes[0], &e), &e);
    w.users[0].credential_version = 2;
    GOOD("anna:ccDD22##");                              /* the new one at once */
    BAD(ERR_LOGIN_WRONG, "anna:aaBB11##");
}

static void watched_for_a_while(void *data)
{
    (void)data;
    (void)fiber_narrow_deadline(1200);
    iam_watch(w.iam, NULL);
}

static void the_watch_notices(void *data)
{
    struct fiber_group g = { 0 };
    struct err e = { 0 };

    (void)data;
    add_user("anna", "aaBB11##", "101");
    add_user("ben", "ccDD22##", "101");
    GOOD("anna:aaBB11##");
    GOOD("ben:ccDD22##");
    w.users[0].enabled = 0;
    w.clock.ms += 1000;
    assert_ok(fiber_group_start(&g, loop_current(), "watch", watched_for_a_while, NULL, &e), &e);
    assert_ok(fiber_group_wait(&g, &e), &e);
    assert_int_equal(w.n_versions, 1);                  /* one question for both */
    BAD(ERR_ACCOUNT_DISABLED, "anna:aaBB11##");
    w.clock.ms += 1500;
    GOOD("ben:ccDD22##");                               /* confirmed by the watch: nobody asked for ben again */
    assert_int_equal(w.n_finds, 3);
}

static void metadb_away(void *data)
{
    struct try t = { "anna:aaBB11##" };

    (void)data;
    add_user("anna", "aaBB11##", "101");
    add_user("ben", "ccDD22##", "101");
    GOOD("anna:aaBB11##");
    w.away = true;
    GOOD("anna:aaBB11##", .changes = true);             /* confirmed a moment ago */
    w.clock.ms += LOGIN_FRESH_MS + 1;
    assert_ok(attempt(&t), &t.e);
    assert_true(t.who->stale);
    BAD(ERR_LOGIN_AWAY, "anna:aaBB11##", .changes = true);
    BAD(ERR_LOGIN_AWAY, "ben:ccDD22##");                /* never seen */
    BAD(ERR_LOGIN_AWAY, "anna:wrong");                  /* not counted: nobody knows */
    assert_int_equal(iam_stats(w.iam).failures, 0);
    assert_true(iam_stats(w.iam).away);
    w.clock.ms += LOGIN_KEEP_MS - LOGIN_FRESH_MS - 1;
    GOOD("anna:aaBB11##");
    w.clock.ms += 1;
    BAD(ERR_LOGIN_AWAY, "anna:aaBB11##");
    w.away = false;
    GOOD("ben:ccDD22##");
    GOOD("anna:aaBB11##", .changes = true);
    assert_false(iam_stats(w.iam).away);
}

static void names_and_clients_are_blocked(void *data)
{
    (void)data;
    add_user("anna", "aaBB11##", "101");
    add_user("ben", "ccDD22##", "101");
    GOOD("anna:aaBB11##", .client = "10.0.0.9");
    for (int i = 0; i < 19; i++)
        BAD(ERR_LOGIN_WRONG, "anna:wrong", .client = "10.0.0.66");
    BAD(ERR_CLIENT_BLOCKED, "anna:wrong", .client = "10.0.0.66");
    BAD(ERR_CLIENT_BLOCKED, "anna:aaBB11##", .client = "10.0.0.66");
    BAD(ERR_CLIENT_BLOCKED, "ben:ccDD22##", .client = "10.0.0.66");
    BAD(ERR_LOGIN_BLOCKED, "anna:aaBB11##", .client = "10.0.0.67");
    GOOD("ben:ccDD22##", .client = "10.0.0.67");
    GOOD("anna:aaBB11##", .client = "10.0.0.9");        /* who works on is not locked out */
    for (int i = 0; i < LOGIN_GUESSES; i++)
        BAD(ERR_LOGIN_BLOCKED, "anna:wrong", .client = "10.0.0.9");
    BAD(ERR_LOGIN_BLOCKED, "anna:aaBB11##", .client = "10.0.0.9"); /* unless somebody guesses from there */
    w.clock.ms += 10 * 60 * 1000 + 1;
    GOOD("ben:ccDD22##", .client = "10.0.0.66");
    BAD(ERR_LOGIN_BLOCKED, "anna:aaBB11##", .client = "10.0.0.67");
    w.clock.ms += 20 * 60 * 1000;
    GOOD("anna:aaBB11##", .client = "10.0.0.67");
    for (int i = 0; i < 10; i++)
        BAD(ERR_LOGIN_WRONG, "anna:wrong", .client = "10.0.0.70");
    GOOD("anna:aaBB11##", .client = "10.0.0.71");
    assert_int_equal(iam_stats(w.iam).blocked_clients, 1);
    assert_int_equal(iam_stats(w.iam).blocked_users, 1);
}

/* Another node counted, and forgets. */
static void other_nodes_count_too(void *data)
{
    (void)data;
    add_user("anna", "aaBB11##", "101");
    GOOD("anna:aaBB11##", .client = "10.0.0.9");
    w.failures[0] = (struct failure){ LOGIN_FAILURE_USER, "anna", 20, w.clock.ms + 60000 };
    BAD(ERR_LOGIN_BLOCKED, "anna:aaBB11##", .client = "10.0.0.77"); /* though the password is remembered */
    GOOD("anna:aaBB11##", .client = "10.0.0.9");
    w.failures[0].n = 0;
    BAD(ERR_LOGIN_BLOCKED, "anna:aaBB11##", .client = "10.0.0.77");
    w.clock.ms += LOCKOUT_TRUST_MS + 1;
    GOOD("anna:aaBB11##", .client = "10.0.0.77");
    assert_int_equal(iam_stats(w.iam).verified, 1);
}

/* Whoever is wrong, by name or by password, costs one hash, one question for the user and two for the count. */
static void unknown_users_cost_the_same(void *data)
{
    static const char *const logins[] = { "anna:wrong", "nobody:wrong", "anna:", "nobody:" };

    (void)data;
    add_user("anna", "aaBB11##", "101");
    for (unsigned i = 0; i < 4; i++) {
        uint64_t hashes = work_stats(w.pool).done;
        unsigned finds = w.n_finds, counts = w.n_counts_asked;

        BAD(ERR_LOGIN_WRONG, logins[i]);
        assert_int_equal(work_stats(w.pool).done - hashes, 1);
        assert_int_equal(w.n_finds - finds, 1);
        assert_int_equal(w.n_counts_asked - counts, 2);
    }
}

static void attempts_are_noted(void *data)
{
    (void)data;
    add_user("anna", "aaBB11##", "101");
    BAD(ERR_LOGIN_WRONG, "anna:wrong");
    assert_int_equal(w.last.code, ERR_LOGIN_WRONG.code);
    assert_int_equal(w.last.user_id, 10);
    BAD(ERR_LOGIN_WRONG, "nobody:wrong");
    assert_int_equal(w.last.code, LOGIN_UNKNOWN_USER);
    assert_string_equal(w.last.username, "nobody");
    assert_string_equal(w.last.client_ip, "10.0.0.1");
    GOOD("anna:aaBB11##");
    assert_true(w.last.succeeded);
    assert_string_equal(w.last.method, LOGIN_BY_BASIC);
    assert_int_equal(failure_of(LOGIN_FAILURE_USER, "anna")->n, 0);
    iam_forget(w.iam, 10);
    w.users[0].enabled = 0;
    BAD(ERR_ACCOUNT_DISABLED, "anna:aaBB11##");
    assert_int_equal(w.last.code, ERR_ACCOUNT_DISABLED.code);
    assert_int_equal(failure_of(LOGIN_FAILURE_CLIENT, "10.0.0.1")->n, 2); /* the right password is no guess */
}

/* ---- sessions */

static char id_text[COOKIE_VALUE_SIZE], csrf_text[COOKIE_VALUE_SIZE], digest_text[COOKIE_VALUE_SIZE];

static struct slice sized(const char *text)
{
    return (struct slice){ text, strlen(text) };
}

static void begin_session(void)
{
    struct err e = { 0 };

    add_user("anna", "aaBB11##", "101");
    assert_ok(cookie_make(id_text, &e), &e);
    cookie_digest(sized(id_text), digest_text);
    cookie_csrf(sized(id_text), csrf_text);
    w.session = (struct session){ .id = 77, .user_id = 10, .digest = digest_text, .left_us = 12 * INT64_C(3600000000) };
}

struct visit {
    const char *csrf;
    bool changes, second;        /* second: another id comes first */
    struct principal *who;
    struct err e;
};

static int visit(struct visit *v)
{
    struct iam_request rq = { .sessions = { sized(id_text) }, .n_sessions = 1, .client = address("10.0.0.1"), .changes = v->changes,
                              .needs_csrf = v->changes, .csrf = sized(v->csrf != NULL ? v->csrf : "") };
    char other[COOKIE_VALUE_SIZE];

    err_clear(&v->e);
    assert_ok(cookie_make(other, &v->e), &v->e);
    if (v->second) {
        rq.sessions[0] = sized(other);
        rq.sessions[1] = sized(id_text);
        rq.n_sessions = 2;
    }
    return iam_authenticate(w.iam, NULL, &rq, &w.arena, &v->who, &v->e);
}

static void bad_visit(struct visit v, const struct err_row *row)
{
    assert_int_equal(visit(&v), row->code);
    assert_ptr_equal(v.e.row, row);
}

static void good_visit(struct visit v)
{
    assert_ok(visit(&v), &v.e);
    assert_string_equal(v.who->name, "anna");
    assert_int_equal(v.who->login, LOGIN_SESSION);
    assert_int_equal(v.who->login_id, 77);
}

#define IN(...) good_visit((struct visit){ __VA_ARGS__ })
#define OUT(ROW, ...) bad_visit((struct visit){ __VA_ARGS__ }, &(ROW))

static void sessions_are_remembered(void *data)
{
    (void)data;
    begin_session();
    for (int i = 0; i < 10; i++)
        IN(NULL);
    assert_int_equal(w.n_sessions_asked, 1);
    assert_int_equal(iam_stats(w.iam).verified, 0);     /* no hash */
    IN(.second = true);
    w.clock.ms += LOGIN_FRESH_MS + 1;
    IN(NULL);
    assert_int_equal(w.n_sessions_asked, 3);
    w.session.digest = NULL;
    w.clock.ms += LOGIN_FRESH_MS + 1;
    OUT(ERR_LOGIN_NEEDED, NULL);
}

static void changes_need_the_token_of_the_session(void *data)
{
    char wrong[COOKIE_VALUE_SIZE];

    (void)data;
    begin_session();
    IN(.changes = true, .csrf = csrf_text);
    OUT(ERR_CSRF, .changes = true);
    memcpy(wrong, csrf_text, sizeof wrong);
    wrong[63] = wrong[63] == '0' ? '1' : '0';
    OUT(ERR_CSRF, .changes = true, .csrf = wrong);
    OUT(ERR_CSRF, .changes = true, .csrf = id_text);
    OUT(ERR_CSRF, .changes = true, .csrf = digest_text);
    wrong[63] = '\0';
    OUT(ERR_CSRF, .changes = true, .csrf = wrong);
}

static void sessions_end(void *data)
{
    (void)data;
    begin_session();
    w.session.idle_us = 30 * INT64_C(60000000);
    IN(NULL);
    iam_forget(w.iam, 10);
    w.session.idle_us += 1000;
    OUT(ERR_LOGIN_NEEDED, NULL);
    w.session.idle_us = 0;
    w.session.left_us = 1000;
    IN(NULL);
    w.clock.ms += 1;
    w.session.left_us = 0;
    OUT(ERR_LOGIN_NEEDED, NULL);
    w.session.left_us = 1000000;
    w.users[0].enabled = 0;
    OUT(ERR_LOGIN_NEEDED, NULL);
}

static void sessions_while_metadb_is_away(void *data)
{
    (void)data;
    begin_session();
    IN(NULL);
    w.away = true;
    w.clock.ms += LOGIN_FRESH_MS + 1;
    IN(NULL);
    OUT(ERR_LOGIN_AWAY, .changes = true, .csrf = csrf_text);
    w.clock.ms += LOGIN_KEEP_MS - LOGIN_FRESH_MS - 1;
    IN(NULL);
    w.clock.ms += 1;
    OUT(ERR_LOGIN_AWAY, NULL);
    w.away = false;
    GOOD("anna:aaBB11##");                              /* as the watch does: MetaDB is seen to answer */
    IN(.changes = true, .csrf = csrf_text);
    w.away = true;
    w.clock.ms += LOGIN_FRESH_MS + 1;
    id_text[0] = id_text[0] == '0' ? '1' : '0';
    OUT(ERR_LOGIN_AWAY, NULL);                          /* nobody knows */
}

static void the_watch_ends_sessions(void *data)
{
    struct fiber_group g = { 0 };
    struct err e = { 0 };

    (void)data;
    begin_session();
    IN(NULL);
    w.session.digest = NULL;
    w.clock.ms += 1000;
    assert_ok(fiber_group_start(&g, loop_current(), "watch", watched_for_a_while, NULL, &e), &e);
    assert_ok(fiber_group_wait(&g, &e), &e);
    OUT(ERR_LOGIN_NEEDED, NULL);                        /* though it was confirmed less than two seconds ago */
}

static int visit_again(void *data)
{
    struct visit v = { .csrf = NULL };

    (void)data;
    iam_forget(w.iam, 10);
    return visit(&v);
}

static void sessions_without_memory(void *data)
{
    (void)data;
    begin_session();
    test_oom_sweep(visit_again, NULL);
    IN(NULL);
}

/* ---- signed requests */

static char sealed_text[128], authorization_text[128];
static const struct http_header date_of_now = { SLICE("date"), SLICE("Tue, 14 Nov 2023 22:13:20 GMT") };
static unsigned n_bodies;

static int no_body(void *data, struct slice *out, struct err *e)
{
    (void)data;
    (void)e;
    n_bodies++;
    *out = SLICE("");
    return 0;
}

static const struct signed_request get_x = { .method = SLICE("GET"), .host = SLICE("h"), .target = SLICE("/x"), .headers = &date_of_now, .n_headers = 1 };

static void make_key(void)
{
    static const unsigned char master[32] = { 1 };
    const struct vault_place at = { "access_key", 5, "" };
    unsigned char mac[EVP_MAX_MD_SIZE], base[64];
    struct err e = { 0 };
    struct str t;
    unsigned n = 0;

    add_user("anna", "aaBB11##", "101");
    assert_ok(vault_new_keys(master, NULL, &w.vault, &e), &e);
    iam_use_vault(w.iam, w.vault);
    str_init(&t, NULL);
    assert_ok(vault_seal(w.vault, &at, SLICE("secret"), &t, &e), &e);
    memcpy(sealed_text, t.s, t.n);
    w.key = (struct accesskey){ .id = 5, .key = "akey", .user_id = 10, .secret = { sealed_text, t.n }, .enabled = 1, .used_us = FIELD_NONE };
    str_clear(&t);
    signature_add_text(&t, &get_x, "", get_x.host, get_x.target);
    assert_non_null(HMAC(EVP_sha1(), "secret", 6, (const unsigned char *)t.s, t.n, mac, &n));
    str_fini(&t);
    (void)EVP_EncodeBlock(base, mac, (int)n);
    (void)snprintf(authorization_text, sizeof authorization_text, "OCP-ACCESS-KEY-HMACSHA1 akey:%s", (char *)base);
}

struct signing {
    const char *authorization;   /* NULL: the right one */
    bool changes;
    struct principal *who;
    struct err e;
};

static int send_signed(struct signing *s)
{
    struct iam_request rq = { .authorization = sized(s->authorization != NULL ? s->authorization : authorization_text), .changes = s->changes,
                              .client = address("10.0.0.1"), .signed_request = &get_x, .body = no_body };

    err_clear(&s->e);
    return iam_authenticate(w.iam, NULL, &rq, &w.arena, &s->who, &s->e);
}

static void bad_signed(struct signing s, const struct err_row *row)
{
    assert_int_equal(send_signed(&s), row->code);
    assert_ptr_equal(s.e.row, row);
}

static void good_signed(struct signing s)
{
    assert_ok(send_signed(&s), &s.e);
    assert_int_equal(s.who->login, LOGIN_KEY);
    assert_int_equal(s.who->login_id, 5);
    assert_string_equal(s.who->name, "anna");
}

#define SIGNED(...) good_signed((struct signing){ __VA_ARGS__ })
#define UNSIGNED(ROW, ...) bad_signed((struct signing){ __VA_ARGS__ }, &(ROW))

static void keys_are_remembered(void *data)
{
    char wrong[sizeof authorization_text];

    (void)data;
    make_key();
    n_bodies = 0;
    for (int i = 0; i < 10; i++)
        SIGNED(NULL);
    assert_int_equal(w.n_keys_asked, 1);
    memcpy(wrong, authorization_text, sizeof wrong);
    wrong[30] = wrong[30] == 'A' ? 'B' : 'A';
    UNSIGNED(ERR_SIGNATURE, wrong);
    assert_int_equal(n_bodies, 11);
    UNSIGNED(ERR_SIGNATURE, "OCP-ACCESS-KEY-HMACSHA1 other:XN8P+O+v3vUabB16ZCooq5wMJoY=");
    UNSIGNED(ERR_SIGNATURE, "OCP-ACCESS-KEY-HMACSHA1 akey");
    UNSIGNED(ERR_LOGIN_NEEDED, "ocp-access-key-hmacsha1 akey:XN8P+O+v3vUabB16ZCooq5wMJoY=");
    w.clock.us += 15 * INT64_C(60000000);
    UNSIGNED(ERR_SIGNATURE_DATE, NULL);
    assert_int_equal(n_bodies, 11);                     /* nobody reads a body for an unknown key or an old signature */
    w.clock.us -= 1;
    w.clock.ms += LOGIN_FRESH_MS + 1;
    SIGNED(NULL);
    w.clock.ms += LOGIN_FRESH_MS + 1;
    w.key.enabled = 0;
    UNSIGNED(ERR_SIGNATURE, NULL);
    w.key.enabled = 1;
    w.users[0].enabled = 0;
    w.clock.ms += LOGIN_FRESH_MS + 1;
    UNSIGNED(ERR_SIGNATURE, NULL);
    vault_free(w.vault);
}

static void the_watch_ends_keys(void *data)
{
    struct fiber_group g = { 0 };
    struct err e = { 0 };

    (void)data;
    make_key();
    SIGNED(NULL);
    w.key.enabled = 0;
    w.clock.ms += 1000;
    assert_ok(fiber_group_start(&g, loop_current(), "watch", watched_for_a_while, NULL, &e), &e);
    assert_ok(fiber_group_wait(&g, &e), &e);
    UNSIGNED(ERR_SIGNATURE, NULL);
    vault_free(w.vault);
}

static void keys_while_metadb_is_away(void *data)
{
    (void)data;
    make_key();
    SIGNED(NULL);
    w.away = true;
    w.clock.ms += LOGIN_FRESH_MS + 1;
    SIGNED(NULL);
    UNSIGNED(ERR_LOGIN_AWAY, .changes = true);
    iam_forget_key(w.iam, 5);
    UNSIGNED(ERR_LOGIN_AWAY, NULL);
    vault_free(w.vault);
}

static int sign_again(void *data)
{
    struct signing s = { .authorization = NULL };

    (void)data;
    iam_forget_key(w.iam, 5);
    return send_signed(&s);
}

static void keys_without_memory(void *data)
{
    (void)data;
    make_key();
    test_oom_sweep(sign_again, NULL);
    SIGNED(NULL);
    vault_free(w.vault);
}

/* ---- together */

struct together {
    struct try t;
    int rv;
};

static void attempt_together(void *data)
{
    struct together *t = data;

    t->rv = attempt(&t->t);
}

static void wait_for_one_hash(void *data)
{
    struct together same[10];
    struct waitlist hold = { 0 };
    struct fiber_group g = { 0 };
    struct err e = { 0 };

    (void)data;
    add_user("anna", "aaBB11##", "101");
    for (int round = 0; round < 2; round++) {
        unsigned before = w.n_finds;

        w.hold = &hold;
        for (unsigned i = 0; i < 10; i++) {
            same[i] = (struct together){ .t = { .login = round == 0 ? "anna:aaBB11##" : "anna:wrong" } };
            assert_ok(fiber_group_start(&g, loop_current(), "login", attempt_together, &same[i], &e), &e);
        }
        assert_ok(fiber_yield(&e), &e);
        w.hold = NULL;
        waitlist_wake_all(&hold);
        assert_ok(fiber_group_wait(&g, &e), &e);
        assert_int_equal(w.n_finds - before, 1);
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(same[i].rv, round == 0 ? 0 : ERR_LOGIN_WRONG.code);
    }
    assert_int_equal(iam_stats(w.iam).verified, 1);
    assert_int_equal(iam_stats(w.iam).failures, 10);    /* each counts */
}

static void a_cancelled_leader_leaves_the_others(void *data)
{
    struct together first = { .t = { .login = "anna:aaBB11##" } }, second = first;
    struct waitlist hold = { 0 };
    struct fiber_group g = { 0 };
    struct fiber *leader;
    struct err e = { 0 };

    (void)data;
    add_user("anna", "aaBB11##", "101");
    w.hold = &hold;
    assert_ok(fiber_start(loop_current(), "leader", attempt_together, &first, &leader, &e), &e);
    assert_ok(fiber_yield(&e), &e);
    assert_ok(fiber_group_start(&g, loop_current(), "login", attempt_together, &second, &e), &e);
    assert_ok(fiber_yield(&e), &e);
    w.hold = NULL;
    fiber_cancel(leader);
    assert_ok(fiber_group_wait(&g, &e), &e);
    assert_int_equal(first.rv, ERR_CANCELLED.code);
    assert_int_equal(second.rv, 0);
}

static int log_in_again(void *data)
{
    struct try t = { "anna:aaBB11##" };

    (void)data;
    iam_forget(w.iam, 10);
    return attempt(&t);
}

static void without_memory(void *data)
{
    (void)data;
    add_user("anna", "aaBB11##", "100,101");
    test_oom_sweep(log_in_again, NULL);
    assert_int_equal(iam_stats(w.iam).failures, 0);     /* want of memory is no wrong password */
    GOOD("anna:aaBB11##");
}

#define WORLD(NAME)                      \
    static void test_##NAME(void **state) \
    {                                    \
        (void)state;                     \
        in_world(NAME);                  \
    }
WORLD(remembers)
WORLD(refuses)
WORLD(first_password_waits)
WORLD(asks_when_nobody_watches)
WORLD(a_changed_password_counts)
WORLD(the_watch_notices)
WORLD(metadb_away)
WORLD(names_and_clients_are_blocked)
WORLD(other_nodes_count_too)
WORLD(unknown_users_cost_the_same)
WORLD(attempts_are_noted)
WORLD(wait_for_one_hash)
WORLD(a_cancelled_leader_leaves_the_others)
WORLD(without_memory)
WORLD(sessions_are_remembered)
WORLD(changes_need_the_token_of_the_session)
WORLD(sessions_end)
WORLD(sessions_while_metadb_is_away)
WORLD(the_watch_ends_sessions)
WORLD(sessions_without_memory)
WORLD(keys_are_remembered)
WORLD(the_watch_ends_keys)
WORLD(keys_while_metadb_is_away)
WORLD(keys_without_memory)

/* ---- the cache by itself ---------------------------------------------------------------------------------------------- */

static void test_the_cache_is_bounded(void **state)
{
    struct login_cache *c;
    struct principal who = { .name = "x", .client = { .known = false } };
    struct login_state *states = calloc(LOGIN_CACHE_SIZE, sizeof *states);
    const unsigned n = 20 * LOGIN_CACHE_SIZE;
    struct login_new fresh = { .who = &who };
    struct err e = { 0 };
    unsigned i, first = 0;

    (void)state;
    assert_non_null(states);
    assert_ok(login_cache_new(&c, &e), &e);
    fresh.name = (struct login_name){ LOGIN_SESSION, { (const char *)&i, sizeof i } };
    for (i = 0; i < n; i++) {
        who.user_id = i;
        fresh.now_ms = i;
        assert_ok(login_cache_put(c, &fresh, &e), &e);
    }
    i = n - 1;
    assert_non_null(login_cache_find(c, fresh.name));
    assert_null(login_cache_find(c, (struct login_name){ LOGIN_KEY, fresh.name.text }));
    assert_null(login_cache_find(c, (struct login_name){ LOGIN_SESSION, { (const char *)&first, sizeof first } })); /* the least recently used went */
    assert_int_equal(login_cache_list(c, n, LOGIN_KEEP_MS, states), LOGIN_CACHE_SIZE);
    assert_int_equal(login_cache_list(c, n + 2 * LOGIN_KEEP_MS, LOGIN_KEEP_MS, states), 0);
    free(states);
    login_cache_free(c);
    login_cache_free(NULL);
}

static int put_once(void *data)
{
    static const struct permission grants[2];
    struct principal who = { .name = "x", .grants = grants, .n_grants = 2 }, *copy;
    struct login_new fresh = { .name = { LOGIN_KEY, SLICE("key") }, .who = &who, .key_secret = "secret", .now_ms = 1 };
    struct login_cache *c = NULL;
    struct arena arena;
    struct err e = { 0 };
    int rv = login_cache_new(&c, &e);

    (void)data;
    arena_init(&arena);
    if (rv == 0)
        rv = login_cache_put(c, &fresh, &e);
    if (rv == 0)
        rv = login_cache_put(c, &fresh, &e);
    if (rv == 0)
        rv = login_principal(login_cache_find(c, fresh.name), &who.client, &arena, &copy, &e);
    login_cache_free(c);
    arena_fini(&arena);
    return rv;
}

static int new_once(void *data)
{
    struct iam_conf conf = { .source = &source };
    struct iam *m = NULL;
    struct err e = { 0 };
    int rv = iam_new(&conf, &m, &e);

    (void)data;
    iam_free(m);
    return rv;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(put_once, NULL);
    test_oom_sweep(new_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remembers),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_first_password_waits),
        cmocka_unit_test(test_asks_when_nobody_watches),
        cmocka_unit_test(test_a_changed_password_counts),
        cmocka_unit_test(test_the_watch_notices),
        cmocka_unit_test(test_metadb_away),
        cmocka_unit_test(test_names_and_clients_are_blocked),
        cmocka_unit_test(test_other_nodes_count_too),
        cmocka_unit_test(test_unknown_users_cost_the_same),
        cmocka_unit_test(test_attempts_are_noted),
        cmocka_unit_test(test_wait_for_one_hash),
        cmocka_unit_test(test_sessions_are_remembered),
        cmocka_unit_test(test_changes_need_the_token_of_the_session),
        cmocka_unit_test(test_sessions_end),
        cmocka_unit_test(test_sessions_while_metadb_is_away),
        cmocka_unit_test(test_the_watch_ends_sessions),
        cmocka_unit_test(test_sessions_without_memory),
        cmocka_unit_test(test_keys_are_remembered),
        cmocka_unit_test(test_the_watch_ends_keys),
        cmocka_unit_test(test_keys_while_metadb_is_away),
        cmocka_unit_test(test_keys_without_memory),
        cmocka_unit_test(test_a_cancelled_leader_leaves_the_others),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_the_cache_is_bounded),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One `struct site` per cluster and loop, and one per tenant and owner of its password:
 *
 *   take: idle session -> done; room and nobody connecting -> connect; else wait in line until one is given back or a connect ends
 *   give: alive and up to date -> idle, next in line; else closed
 *
 * One connect at a time for each cluster, and a failure to connect answers everybody for a second: connecting happens on a pool of
 * threads that all databases share, and a cluster that hangs must not use it up. A session bears the password_version it was opened
 * with; when a row with a newer one comes by, older sessions are closed as they come back. The sweeper, a fiber that lives while
 * sessions rest, closes those that rest too long, and all when the loop stops. */
#include "src/obcluster/link.h"

#include <stdio.h>
#include <string.h>

#include "src/io/fiber.h"
#include "src/obcluster/endpoint.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/look.h"

enum { SAME_ANSWER_MS = 1000, SWEEP_MS = 15000, LATER_MS = 1000, NAME_SIZE = 160, TRY_TIMEOUT_MS = 2000 };

/* Whereto and as whom a session is: the administrator of a cluster, or with `tenant` that of a tenant. */
struct door {
    const struct obcluster *cluster;
    const struct link_tenant *tenant;
};

struct site {
    int64_t cluster_id, tenant_id, owner_id; /* tenant_id 0: the cluster itself */
    int64_t version;             /* newest password_version seen */
    struct link *idle;           /* most recently used first */
    unsigned n_sessions;         /* idle, in use, and the one that is being opened */
    unsigned n_waiting;
    bool connecting;
    struct waitlist line;
    int64_t failed_ms;           /* when connecting failed last; INT64_MIN: it did not */
    int64_t failed_version;      /* with the password of which version */
    struct err failure;
    struct site *next;
};

struct links {
    struct loop_local local;
    struct obclusters *o;
    struct site *sites;
    unsigned n_idle;
    bool sweeping, closing;
    struct waitlist sweep_now;
    uint64_t connects, failures;
};

struct link {
    struct links *links;
    struct site *site;
    struct sql *sql;
    int64_t version;
    int64_t rested_ms;
    int64_t former_deadline;     /* of the fiber that uses it */
    struct link *next;
    char name[NAME_SIZE];        /* of the cluster, for errors */
};

static const char links_key;

/* --- one per loop ----------------------------------------------------------------------------------------------------------- */

/* From loop_free: the sweeper has closed the sessions. */
static void on_close(struct loop_local *local)
{
    struct links *l = (struct links *)local;

    while (l->sites != NULL) {
        struct site *s = l->sites;

        l->sites = s->next;
        mem_free(s);
    }
    mem_free(l);
}

static struct links *links_here(void)
{
    return (struct links *)loop_local(loop_current(), &links_key);
}

static struct links *links_get(struct obclusters *o)
{
    struct links *l = links_here();

    if (l != NULL)
        return l;
    l = mem_zalloc(sizeof *l);
    if (l == NULL)
        return NULL;
    l->local = (struct loop_local){ .key = &links_key, .close = on_close };
    l->o = o;
    loop_add_local(loop_current(), &l->local);
    return l;
}

static bool is_behind(const struct site *s, const struct door *d)
{
    if (s->cluster_id != d->cluster->id)
        return false;
    return d->tenant == NULL ? s->tenant_id == 0 : s->tenant_id == d->tenant->id && s->owner_id == d->tenant->owner_id;
}

static struct site *get_site(struct links *l, const struct door *d)
{
    struct site *s = l->sites;

    while (s != NULL && !is_behind(s, d))
        s = s->next;

    if (s != NULL)
        return s;
    s = mem_zalloc(sizeof *s);
    if (s == NULL)
        return NULL;
    s->cluster_id = d->cluster->id;
    s->tenant_id = d->tenant != NULL ? d->tenant->id : 0;
    s->owner_id = d->tenant != NULL ? d->tenant->owner_id : 0;
    s->failed_ms = INT64_MIN;
    s->next = l->sites;
    l->sites = s;
    return s;
}

/* --- sessions at rest --------------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return clock_now_ms(loop_clock(loop_current()));
}

static void discard(struct link *k)
{
    k->site->n_sessions--;
    sql_close(k->sql);
    mem_free(k);
}

static struct link *pop_idle(struct site *s)
{
    struct link *k = s->idle;

    if (k != NULL) {
        s->idle = k->next;
        k->links->n_idle--;
    }
    return k;
}

/* Closes what is dead, outdated, or rests since before `limit_ms`. */
static void sweep_site(struct site *s, int64_t limit_ms)
{
    struct link **at = &s->idle;

    while (*at != NULL) {
        struct link *k = *at;

        if (k->rested_ms >= limit_ms && k->version == s->version && !sql_is_dead(k->sql)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        k->links->n_idle--;
        discard(k);
    }
}

/* Sites without sessions and without anybody in line go. */
static void drop_empty_sites(struct links *l)
{
    struct site **at = &l->sites;

    while (*at != NULL) {
        struct site *s = *at;

        if (s->n_sessions > 0 || s->n_waiting > 0 || s->failed_ms >= now_ms() - SAME_ANSWER_MS) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        mem_free(s);
    }
}

static void sweep(struct links *l, int64_t limit_ms)
{
    for (struct site *s = l->sites; s != NULL; s = s->next)
        sweep_site(s, limit_ms);
    drop_empty_sites(l);
}

static void sweeper(void *data)
{
    struct links *l = data;
    struct err e;

    while (l->n_idle > 0 && !fiber_is_cancelled(fiber_current())) {
        int64_t former = fiber_narrow_deadline(SWEEP_MS);

        if (waitlist_wait(&l->sweep_now, &e) != 0)
            err_clear(&e); /* time is over, or the loop stops */
        fiber_restore_deadline(former);
        sweep(l, now_ms() - LINK_IDLE_MS);
    }
    if (fiber_is_cancelled(fiber_current())) {
        l->closing = true;
        sweep(l, INT64_MAX);
    }
    l->sweeping = false;
}

/* False when nobody would ever close it. */
static bool ensure_sweeper(struct links *l)
{
    if (l->closing)
        return false;
    if (!l->sweeping)
        l->sweeping = fiber_start(loop_current(), "link-sweeper", sweeper, l, NULL, NULL) == 0;
    return l->sweeping;
}

static void park(struct link *k)
{
    struct site *s = k->site;

    k->rested_ms = now_ms();
    k->next = s->idle;
    s->idle = k;
    k->links->n_idle++;
    if (!ensure_sweeper(k->links))
        discard(pop_idle(s));
}

/* --- taking ------------------------------------------------------------------------------------------------------------------- */

static int log_in(struct obclusters *o, const struct obcluster *c, const struct endpoint *at, const char *password, unsigned timeout_ms,
                  struct sql **out, struct err *e)
{
    struct sql_target target = {
        .host = at->host,
        .port = at->port,
        .user = c->username,
        .password = password,
        .connect_timeout_ms = timeout_ms,
    };
    int rv = sql_connect(&target, o->conf.connect_pool, out, e);

    if (rv != 0)
        return rv;
    rv = sql_set_server_timeout(*out, LINK_TIMEOUT_MS + LATER_MS, e); /* nothing runs on there for a caller who has given up */
    if (rv == 0)
        rv = look_verify(*out, c, e);
    if (rv != 0)
        sql_close(*out);
    return rv;
}

/* Another server may serve: this one is away, starting, stopping, or belongs to somebody else by now. A password that one refuses, all do. */
static bool is_elsewhere(const struct err *e)
{
    return err_is(e, &ERR_SQL_LOST) || err_is(e, &ERR_SQL_RETRY) || err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_SQL_READONLY) ||
           err_is(e, &ERR_IO) || err_is(e, &ERR_OBCLUSTER_OTHER);
}

/* A session is there, and something may happen from now on. */
static int guarded(struct sql *s, struct err *e)
{
    int rv = db_hold_guard(e);

    if (rv != 0)
        sql_close(s);
    return rv;
}

int link_login(struct obclusters *o, const struct obcluster *c, const char *password, struct sql **out, struct err *e)
{
    struct endpoint all[ENDPOINT_MAX];
    size_t n = endpoints_of(o, c, all);
    int rv = 0;

    for (size_t i = 0; i < n; i++) {
        rv = log_in(o, c, &all[i], password, i + 1 < n ? TRY_TIMEOUT_MS : LINK_CONNECT_TIMEOUT_MS, out, e);
        if (rv == 0 || is_elsewhere(e))
            endpoint_note(o, all[i].name, rv == 0);
        if (rv == 0 || !is_elsewhere(e))
            break;
    }
    return rv == 0 ? guarded(*out, e) : rv;
}

/* `which` NULL: any server. */
static int open_session(struct obclusters *o, const struct obcluster *c, const struct endpoint *which, struct sql **out, struct err *e)
{
    struct vault_place at = obcluster_place(c->id);
    char *password;
    int rv = vault_open(o->conf.vault, &at, c->password, &password, e);

    if (rv != 0)
        return rv;
    rv = which != NULL ? log_in(o, c, which, password, LINK_CONNECT_TIMEOUT_MS, out, e) : link_login(o, c, password, out, e);
    secret_free(password);
    return rv != 0 ? link_word_connect(e, c) : 0;
}

int link_open(struct obclusters *o, const struct obcluster *c, struct sql **out, struct err *e)
{
    return open_session(o, c, NULL, out, e);
}

static int64_t version_of(const struct door *d)
{
    return d->tenant != NULL ? d->tenant->version : d->cluster->password_version;
}

static void remember_failure(struct links *l, struct site *s, int64_t version, const struct err *e)
{
    l->failures++;
    if (err_is(e, &ERR_CANCELLED) || err_is(e, &ERR_OBTENANT_CLOSED))
        return; /* the next may be let in */
    s->failed_ms = now_ms();
    s->failed_version = version;
    s->failure = *e;
}

/* Opens a session for the running fiber; `k` is its link, made before so that nothing can fail after. */
static int open_link(struct links *l, struct site *s, const struct door *d, struct link *k, struct err *e)
{
    int rv;

    s->connecting = true;
    s->n_sessions++;
    l->connects++;
    rv = d->tenant != NULL ? link_open_tenant(l->o, d->cluster, d->tenant, &k->sql, e) : open_session(l->o, d->cluster, NULL, &k->sql, e);
    s->connecting = false;
    if (rv != 0) {
        s->n_sessions--;
        remember_failure(l, s, version_of(d), e);
    } else {
        s->failed_ms = INT64_MIN;
        if (d->cluster->failure != NULL && d->cluster->failure[0] != '\0')
            obclusters_look_soon(l->o, d->cluster->id); /* it is back */
    }
    waitlist_wake_all(&s->line); /* they take what is idle now, connect too, or hear of the failure */
    return rv;
}

static int connect_link(struct links *l, struct site *s, const struct door *d, struct link **out, struct err *e)
{
    struct link *k = mem_zalloc(sizeof *k);
    int rv;

    if (k == NULL)
        return err_set(e, &ERR_NOMEM, "");
    k->links = l;
    k->site = s;
    k->version = version_of(d);
    rv = open_link(l, s, d, k, e);
    if (rv != 0) {
        mem_free(k);
        return rv;
    }
    *out = k;
    return 0;
}

static bool has_failed_lately(const struct site *s, int64_t version)
{
    return s->failed_ms != INT64_MIN && version <= s->failed_version && now_ms() - s->failed_ms < SAME_ANSWER_MS;
}

static struct link *idle_link(struct links *l, struct site *s, const struct door *d)
{
    struct link *k;

    sweep_site(s, 0);
    if (version_of(d) != s->version)
        return NULL;
    while ((k = pop_idle(s)) != NULL && endpoint_is_worse(l->o, d->cluster, sql_peer(k->sql)))
        discard(k);
    return k;
}

static int stand_in_line(struct site *s, struct err *e)
{
    int rv;

    s->n_waiting++;
    rv = waitlist_wait(&s->line, e);
    s->n_waiting--;
    return rv;
}

static int acquire(struct links *l, struct site *s, const struct door *d, struct link **out, struct err *e)
{
    for (;;) {
        int rv;

        *out = idle_link(l, s, d);
        if (*out != NULL)
            return 0;
        if (has_failed_lately(s, version_of(d))) {
            *e = s->failure;
            return e->row->code;
        }
        if (!s->connecting && s->n_sessions < LINK_MAX)
            return connect_link(l, s, d, out, e);
        rv = stand_in_line(s, e);
        if (rv != 0)
            return err_is(e, &ERR_TIMEOUT) ? err_set(e, &ERR_BUSY, "sessions to the cluster %s", d->cluster->name) : rv;
    }
}

/* A row with a newer password or address than any before: sessions opened with the former are closed. */
static void note_version(struct site *s, int64_t version)
{
    if (version > s->version)
        s->version = version;
}

struct sql *link_sql(struct link *k)
{
    return k->sql;
}

int link_give(struct link *k, int rv, struct err *e)
{
    struct site *s = k->site;

    fiber_restore_deadline(k->former_deadline);
    if (rv != 0 && sql_is_dead(k->sql) && !err_is(e, &ERR_CANCELLED))
        endpoint_note(k->links->o, sql_peer(k->sql), false);
    if (rv != 0)
        rv = link_word_use(e, k->name);
    if (sql_is_dead(k->sql) || k->version != s->version)
        discard(k);
    else
        park(k);
    (void)waitlist_wake_one(&s->line); /* false: nobody waits */
    return rv;
}

static int take(struct obclusters *o, const struct door *d, struct link **out, struct err *e)
{
    struct links *l = links_get(o);
    struct site *s = l != NULL ? get_site(l, d) : NULL;
    int64_t former;
    int rv;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    note_version(s, version_of(d));
    former = fiber_narrow_deadline(LINK_TIMEOUT_MS);
    s->n_waiting++; /* the site stays */
    rv = acquire(l, s, d, out, e);
    s->n_waiting--;
    if (rv != 0) {
        fiber_restore_deadline(former);
        return rv;
    }
    (*out)->former_deadline = former;
    (void)snprintf((*out)->name, sizeof (*out)->name, "%s", d->cluster->name);
    rv = db_hold_guard(e); /* now that something may happen; whom nothing could be sent to has changed nothing */
    if (rv != 0)
        (void)!link_give(*out, 0, NULL);
    return rv;
}

int link_take(struct obclusters *o, const struct obcluster *c, struct link **out, struct err *e)
{
    struct door d = { c, NULL };

    return take(o, &d, out, e);
}

int link_take_tenant(struct obclusters *o, const struct obcluster *c, const struct link_tenant *t, struct link **out, struct err *e)
{
    struct door d = { c, t };

    return take(o, &d, out, e);
}

int link_run_at(struct obclusters *o, const struct obcluster *c, const char *host, int64_t port, link_work work, void *data, struct err *e)
{
    int64_t former;
    struct endpoint at = { .port = (unsigned)port };
    struct sql *s;
    int rv;

    former = fiber_narrow_deadline(LINK_TIMEOUT_MS);
    (void)snprintf(at.host, sizeof at.host, "%s", host);
    rv = open_session(o, c, &at, &s, e);
    if (rv == 0)
        rv = guarded(s, e);
    if (rv == 0) {
        rv = work(s, data, e);
        sql_close(s);
        if (rv != 0)
            rv = link_word_use(e, c->name);
    }
    fiber_restore_deadline(former);
    return rv;
}

void link_forget(struct obclusters *o, int64_t cluster_id)
{
    struct links *l = links_here();
    bool any = false;

    (void)o;
    for (struct site *s = l != NULL ? l->sites : NULL; s != NULL; s = s->next) {
        if (s->cluster_id != cluster_id)
            continue;
        s->version = INT64_MAX; /* what is in use is closed when it comes back */
        sweep_site(s, INT64_MAX);
        any = true;
    }
    if (any)
        waitlist_wake_all(&l->sweep_now);
}

struct link_stats link_stats(struct obclusters *o)
{
    const struct links *l = links_here();
    struct link_stats out = { 0 };

    (void)o;
    for (const struct site *s = l != NULL ? l->sites : NULL; s != NULL; s = s->next) {
        out.clusters += s->tenant_id == 0;
        out.sessions += s->n_sessions;
        out.waiting += s->n_waiting;
    }
    if (l != NULL) {
        out.idle = l->n_idle;
        out.connects = l->connects;
        out.failures = l->failures;
    }
    return out;
}

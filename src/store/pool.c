/* SPDX-License-Identifier: Apache-2.0 */
/* A taker gets an idle session at once, or stands in line until a session is handed to it: by whoever gives one back, or by a
 * connector (connect.c). Whoever joins the line makes sure that connectors run. A refused login fails the whole line at once:
 * waiting would not help anyone. */
#include "src/store/pool.h"

#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_SESSIONS = 8,
    MIN_SESSIONS = 2,            /* a migration renews its lease beside its work */
    MAX_TAKERS = 4096,
    MAX_IDLE_MS = 60 * 1000,
    MAX_REPEAT_MS = 1000,
    SILENT_MS = 1000,
};

struct taker {
    struct wait wait;
    struct taker *next;
    struct session *given; /* owned by the taker once set */
    bool in_line;
};

/* splitmix64: good enough to spread pauses */
static uint64_t next_random(struct pool *p)
{
    uint64_t z = (p->random += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned pool_random(struct pool *p, unsigned below)
{
    return below > 0 ? (unsigned)(next_random(p) % below) : 0;
}

unsigned pool_jittered(struct pool *p, unsigned ms)
{
    return ms / 2 + pool_random(p, ms / 2 + 1);
}

int pool_pause(struct pool *p, unsigned n, struct err *e)
{
    unsigned ms = n < 6 ? 20u << n : MAX_REPEAT_MS;

    return fiber_sleep((int64_t)pool_jittered(p, ms < MAX_REPEAT_MS ? ms : MAX_REPEAT_MS), e);
}

int64_t pool_now_ms(const struct pool *p)
{
    return clock_now_ms(loop_clock(p->loop));
}

void pool_init(struct pool *p, const struct db_conf *conf, struct loop *l)
{
    unsigned max = conf->max_sessions != 0 ? conf->max_sessions : DEFAULT_SESSIONS;

    *p = (struct pool){ .conf = *conf, .loop = l, .random = conf->seed };
    max = max < POOL_MAX_SESSIONS ? max : POOL_MAX_SESSIONS;
    p->conf.max_sessions = max > MIN_SESSIONS ? max : MIN_SESSIONS;
    if (p->conf.statement_timeout_ms == 0)
        p->conf.statement_timeout_ms = 10000;
}

bool pool_is_down(const struct pool *p)
{
    return p->down_since_ms != 0;
}

void pool_answered(struct pool *p)
{
    p->answered_ms = pool_now_ms(p);
}

/* --- line ------------------------------------------------------------------------------------------------------------------- */

static void join_line(struct pool *p, struct taker *t)
{
    wait_init(&t->wait);
    t->in_line = true;
    if (p->last != NULL)
        p->last->next = t;
    else
        p->first = t;
    p->last = t;
    p->n_takers++;
}

static void leave_line(struct pool *p, struct taker *t)
{
    struct taker **at = &p->first;
    struct taker *before = NULL;

    while (*at != t) {
        before = *at;
        at = &before->next;
    }
    *at = t->next;
    if (p->last == t)
        p->last = before;
    t->in_line = false;
    p->n_takers--;
}

void pool_fail_line(struct pool *p)
{
    while (p->first != NULL) {
        struct taker *t = p->first;

        leave_line(p, t);
        wait_wake(&t->wait);
    }
}

/* --- sessions --------------------------------------------------------------------------------------------------------------- */

static void session_close(struct pool *p, struct session *s)
{
    sql_close(s->sql);
    mem_free(s);
    p->n_sessions--;
}

/* The oldest idle sessions go when nobody has needed them for long; one stays. */
static void trim_idle(struct pool *p)
{
    int64_t before = pool_now_ms(p) - MAX_IDLE_MS;

    for (struct session **at = &p->idle; *at != NULL;) {
        struct session *s = *at;

        if (s == p->idle || s->idle_ms >= before) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        p->n_idle--;
        session_close(p, s);
    }
}

void pool_keep(struct pool *p, struct session *s)
{
    struct taker *t = p->first;

    if (t != NULL) {
        leave_line(p, t);
        t->given = s;
        wait_wake(&t->wait);
        return;
    }
    s->idle_ms = pool_now_ms(p);
    s->next = p->idle;
    p->idle = s;
    p->n_idle++;
    trim_idle(p);
}

/* Servers close what was idle for too long, and go down. */
static struct session *pop_idle(struct pool *p)
{
    struct session *s;

    while ((s = p->idle) != NULL) {
        p->idle = s->next;
        p->n_idle--;
        if (!sql_is_dead(s->sql))
            return s;
        session_close(p, s);
    }
    return NULL;
}

static void drop_idle(struct pool *p)
{
    while (p->idle != NULL) {
        struct session *s = p->idle;

        p->idle = s->next;
        p->n_idle--;
        session_close(p, s);
    }
}

void pool_suspect(struct pool *p)
{
    drop_idle(p);
}

/* --- what callers see ------------------------------------------------------------------------------------------------------- */

static int away(const struct pool *p, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_DB_AWAY, "%s", p->conf.name);
    return err_arg(e, "%s", why);
}

static int not_connected(const struct pool *p, struct err *e)
{
    return away(p, p->why[0] != '\0' ? p->why : "no connection yet", e);
}

static int wait_in_line(struct pool *p, struct taker *t, struct err *e)
{
    int64_t former = fiber_narrow_deadline(POOL_AWAY_MS);
    int rv = wait_for(&t->wait, e);

    fiber_restore_deadline(former);
    if (t->in_line)
        leave_line(p, t);
    return rv;
}

/* Who waited in vain for so long, while no session was told anything, waited for a database that is silent, not for other callers. */
static bool was_silent(const struct pool *p, int64_t since_ms)
{
    return p->answered_ms < since_ms && pool_now_ms(p) - since_ms >= SILENT_MS;
}

int pool_take(struct pool *p, struct session **out, struct err *e)
{
    int64_t began = pool_now_ms(p);
    struct taker t = { 0 };
    int rv;

    *out = p->first == NULL ? pop_idle(p) : NULL;
    if (*out != NULL)
        return 0;
    if (p->refused && p->retry_ms > pool_now_ms(p))
        return not_connected(p, e);
    if (p->n_takers >= MAX_TAKERS)
        return err_set(e, &ERR_BUSY, "too many requests wait for %s", p->conf.name);
    join_line(p, &t);
    pool_connect(p);
    if (p->n_sessions == 0) {
        leave_line(p, &t);
        return err_set(e, &ERR_BUSY, "no connection to %s can be made now", p->conf.name);
    }
    rv = wait_in_line(p, &t, e);
    if (rv == 0 && t.given != NULL) {
        *out = t.given;
        return 0;
    }
    if (t.given != NULL)
        pool_give(p, t.given);
    if (rv == ERR_CANCELLED.code)
        return rv;
    if (rv == 0 || p->up_since_ms == 0 || pool_is_down(p))
        return not_connected(p, e);
    return was_silent(p, began) ? away(p, "its sessions wait for answers", e) : err_set(e, &ERR_BUSY, "all sessions of %s are in use", p->conf.name);
}

void pool_give(struct pool *p, struct session *s)
{
    if (!sql_is_dead(s->sql) && !p->closing && pool_now_ms(p) - s->born_ms < POOL_MAX_AGE_MS) {
        pool_keep(p, s);
        return;
    }
    session_close(p, s);
    pool_connect(p);
}

void pool_drop(struct pool *p, struct session *s, bool elsewhere)
{
    if (elsewhere) {
        p->endpoint = (s->endpoint + 1) % p->conf.n_targets;
        drop_idle(p);
    }
    session_close(p, s);
    pool_connect(p);
}

void pool_wait_group(struct fiber_group *g)
{
    bool shielded;
    int64_t former;

    if (g->running == 0)
        return;
    shielded = fiber_shield(true);
    former = fiber_deadline();
    fiber_restore_deadline(INT64_MAX);
    while (fiber_group_wait(g, NULL) != 0)
        continue;
    fiber_restore_deadline(former);
    (void)fiber_shield(shielded);
}

void pool_fini(struct pool *p)
{
    p->closing = true;
    for (unsigned i = 0; i < POOL_MAX_SESSIONS; i++)
        if (p->connectors[i] != NULL)
            fiber_cancel(p->connectors[i]);
    pool_wait_group(&p->connecting);
    drop_idle(p);
}

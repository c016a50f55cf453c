/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/ratelimit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

ERR_DEFINE(ERR_RATE_LIMIT, 90319, 429, ERR_RETRY,
           "Your limit of {0} calls in {1} seconds is used up. Try again in {2} seconds.", "您在 {1} 秒内的 {0} 次调用额度已用完，请 {2} 秒后重试。");

const struct err_row *const ratelimit_err_rows[] = { &ERR_RATE_LIMIT, NULL };

const int64_t rate_windows_s[RATE_WINDOWS] = { 10, 60, 3600, 86400 };

struct window {
    int64_t max;               /* 0: no limit */
    int64_t start_us;          /* of the window that the counts are of */
    int64_t mine, others;      /* calls here, and on other nodes when they were last heard of */
    int64_t told;              /* of `mine`: what the others know */
};

struct limited {
    int64_t user_id;
    struct window windows[RATE_WINDOWS];
};

struct ratelimiter {
    _Atomic size_t n;          /* without the lock: is anybody limited? */
    pthread_mutex_t lock;      /* guards everything below */
    struct limited *users;     /* owned; n of them, sorted by id */
};

int ratelimiter_new(struct ratelimiter **out, struct err *e)
{
    struct ratelimiter *r = mem_zalloc(sizeof *r);

    if (r == NULL || pthread_mutex_init(&r->lock, NULL) != 0) {
        mem_free(r);
        return err_set(e, &ERR_NOMEM, "");
    }
    *out = r;
    return 0;
}

void ratelimiter_free(struct ratelimiter *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->lock);
    mem_free(r->users);
    mem_free(r);
}

static int compare_users(const void *a, const void *b)
{
    const struct limited *x = a, *y = b;

    return x->user_id < y->user_id ? -1 : x->user_id > y->user_id;
}

static struct limited *find(struct limited *users, size_t n, int64_t user_id)
{
    const struct limited wanted = { .user_id = user_id };

    return n > 0 ? bsearch(&wanted, users, n, sizeof *users, compare_users) : NULL;
}

/* ---- counting ---------------------------------------------------------------------------------------------------------- */

static int64_t start_of(unsigned i, int64_t wall_us)
{
    int64_t length_us = rate_windows_s[i] * 1000000;

    return wall_us - wall_us % length_us;
}

static void roll(struct window *w, unsigned i, int64_t wall_us)
{
    int64_t start_us = start_of(i, wall_us);

    if (start_us != w->start_us)
        *w = (struct window){ .max = w->max, .start_us = start_us };
}

static struct rate_state state_of(const struct window *w, unsigned i, int64_t wall_us)
{
    int64_t left = w->max - w->mine - w->others;
    int64_t ends_us = w->start_us + rate_windows_s[i] * 1000000;

    return (struct rate_state){ true, w->max, left > 0 ? left : 0, rate_windows_s[i], (ends_us - wall_us + 999999) / 1000000 };
}

static bool is_tighter(const struct rate_state *a, const struct rate_state *b)
{
    return !b->limited || (double)a->remaining / (double)a->limit < (double)b->remaining / (double)b->limit;
}

/* False when a window is full; `out` is that one. */
static bool has_room(struct limited *u, int64_t wall_us, struct rate_state *out)
{
    for (unsigned i = 0; i < RATE_WINDOWS; i++) {
        struct window *w = &u->windows[i];

        if (w->max == 0)
            continue;
        roll(w, i, wall_us);
        if (w->mine + w->others < w->max)
            continue;
        *out = state_of(w, i, wall_us);
        return false;
    }
    return true;
}

static void count(struct limited *u, int64_t wall_us, struct rate_state *out)
{
    for (unsigned i = 0; i < RATE_WINDOWS; i++) {
        struct window *w = &u->windows[i];
        struct rate_state s;

        if (w->max == 0)
            continue;
        w->mine++;
        s = state_of(w, i, wall_us);
        if (is_tighter(&s, out))
            *out = s;
    }
}

static int too_many(const struct rate_state *s, struct err *e)
{
    (void)err_set(e, &ERR_RATE_LIMIT, "%lld", (long long)s->limit);
    (void)err_arg(e, "%lld", (long long)s->window_s);
    return err_arg(e, "%lld", (long long)s->reset_s);
}

int ratelimiter_count(struct ratelimiter *r, int64_t user_id, int64_t wall_us, struct rate_state *out, struct err *e)
{
    struct limited *u;
    bool room = true;

    *out = (struct rate_state){ .limited = false };
    if (r->n == 0)
        return 0;
    pthread_mutex_lock(&r->lock);
    u = find(r->users, r->n, user_id);
    if (u != NULL)
        room = has_room(u, wall_us, out);
    if (u != NULL && room)
        count(u, wall_us, out);
    pthread_mutex_unlock(&r->lock);
    return room ? 0 : too_many(out, e);
}

/* ---- limits ------------------------------------------------------------------------------------------------------------ */

static void set_window(struct limited *u, const struct ratelimit *limit)
{
    for (unsigned i = 0; i < RATE_WINDOWS; i++)
        if (rate_windows_s[i] == limit->window_s)
            u->windows[i].max = limit->max_calls;
}

/* What was counted so far goes on counting. */
static void inherit(struct limited *u, const struct limited *former)
{
    for (unsigned i = 0; former != NULL && i < RATE_WINDOWS; i++) {
        int64_t max = u->windows[i].max;

        u->windows[i] = former->windows[i];
        u->windows[i].max = max;
    }
}

int ratelimiter_set(struct ratelimiter *r, const struct ratelimit *limits, size_t n, struct err *e)
{
    struct limited *users = mem_array(n + 1, sizeof *users), *former;
    size_t n_users = 0;

    if (users == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        if (n_users == 0 || users[n_users - 1].user_id != limits[i].user_id)
            users[n_users++].user_id = limits[i].user_id;
        set_window(&users[n_users - 1], &limits[i]);
    }
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < n_users; i++)
        inherit(&users[i], find(r->users, r->n, users[i].user_id));
    former = r->users;
    r->users = users;
    r->n = n_users;
    pthread_mutex_unlock(&r->lock);
    mem_free(former);
    return 0;
}

/* ---- among the nodes ---------------------------------------------------------------------------------------------------- */

/* What the others do not know yet. Returns how many; `counts` has room for all windows. */
static size_t collect(struct ratelimiter *r, int64_t wall_us, struct ratecount *counts, size_t max)
{
    size_t n = 0;

    for (size_t k = 0; k < r->n; k++)
        for (unsigned i = 0; i < RATE_WINDOWS && n < max; i++) {
            struct window *w = &r->users[k].windows[i];

            if (w->max == 0)
                continue;
            roll(w, i, wall_us);
            if (w->mine == w->told)
                continue;
            w->told = w->mine;
            counts[n++] = (struct ratecount){ r->users[k].user_id, rate_windows_s[i], w->start_us, w->mine };
        }
    return n;
}

static void take_in(struct ratelimiter *r, const struct ratecount *count)
{
    struct limited *u = find(r->users, r->n, count->user_id);

    for (unsigned i = 0; u != NULL && i < RATE_WINDOWS; i++)
        if (rate_windows_s[i] == count->window_s && u->windows[i].start_us == count->starts_us)
            u->windows[i].others = count->calls;
}

static int hear(struct ratelimiter *r, struct db *d, const char *node, int64_t wall_us, struct err *e)
{
    struct ratecount *counts;
    struct arena arena;
    size_t n = 0;
    int rv;

    arena_init(&arena);
    rv = store_ratecount_read(d, node, start_of(RATE_WINDOWS - 1, wall_us), &arena, &counts, &n, e);
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; rv == 0 && i < n; i++)
        take_in(r, &counts[i]);
    pthread_mutex_unlock(&r->lock);
    arena_fini(&arena);
    return rv;
}

int ratelimiter_agree(struct ratelimiter *r, struct db *d, const char *node, int64_t wall_us, struct err *e)
{
    enum { MAX_COUNTS = 500 };
    struct ratecount *counts;
    size_t n;
    int rv;

    if (r->n == 0)
        return 0;
    counts = mem_array(MAX_COUNTS, sizeof *counts);
    if (counts == NULL)
        return err_set(e, &ERR_NOMEM, "");
    pthread_mutex_lock(&r->lock);
    n = collect(r, wall_us, counts, MAX_COUNTS);
    pthread_mutex_unlock(&r->lock);
    rv = store_ratecount_write(d, node, counts, n, e);
    mem_free(counts);
    return rv == 0 ? hear(r, d, node, wall_us, e) : rv;
}

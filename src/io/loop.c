/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of a loop:
 *
 *   prepare: run fibers, call hooks --> wait for the kernel --> check: note the time --> callbacks --> run fibers, hooks --> ...
 *
 * libuv calls I/O callbacks while it polls; fibers that they wake run in `check` right after, so that everything produced in
 * one turn is flushed together. `idle` is active only while fibers are left in the run queue: then polling does not block. */
#include "src/io/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "src/io/crash.h"
#include "src/io/sched.h"

struct loop {
    struct sched sched;
    struct loop_conf conf;
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_async_t async;           /* any thread may send */
    uv_timer_t heartbeat;       /* turns an idle loop, so that turned_at_ms shows that it could */
    struct loop_hook *hooks;
    struct loop_local *locals;
    struct loop_post stop_post;
    pthread_t thread;
    int64_t woke_us;            /* when the present turn began; 0: unknown */

    pthread_mutex_t post_lock;  /* guards the three below */
    struct loop_post *post_first, *post_last;
    bool closing;               /* loop_stop was called */

    /* written by the loop, read by any thread */
    _Atomic uint64_t turns, busy_us, longest_us;
    _Atomic int64_t turned_at_ms;
};

enum { HEARTBEAT_MS = 1000 };

static _Thread_local struct loop *current;

struct loop *loop_current(void)
{
    return current;
}

struct sched *loop_sched(struct loop *l)
{
    return &l->sched;
}

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

const struct clock *loop_clock(const struct loop *l)
{
    return l->conf.clock;
}

const struct log *loop_log(const struct loop *l)
{
    return l->conf.log;
}

int64_t loop_now_ms(const struct loop *l)
{
    return clock_now_ms(l->conf.clock);
}

static void on_idle(uv_idle_t *idle)
{
    (void)uv_idle_stop(idle); /* cannot fail; the next `prepare` starts it again if it must */
}

enum { ROUNDS_MAX = 16 };

/* Hooks may wake fibers, and what those produce is for the hooks again: goes on until nothing is ready. */
static void settle(struct loop *l)
{
    bool more = false;

    for (unsigned round = 0; round == 0 || (round < ROUNDS_MAX && l->sched.ready_first != NULL); round++) {
        more = sched_run(&l->sched);
        for (struct loop_hook *h = l->hooks, *next; h != NULL; h = next) {
            next = h->next;
            h->fn(h->data);
        }
    }
    if (more || l->sched.ready_first != NULL)
        (void)uv_idle_start(&l->idle, on_idle); /* fails only without a callback */
}

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static void on_prepare(uv_prepare_t *p)
{
    struct loop *l = p->data;
    uint64_t busy;

    settle(l);
    atomic_fetch_add_explicit(&l->turns, 1, memory_order_relaxed);
    atomic_store_explicit(&l->turned_at_ms, clock_now_ms(l->conf.clock), memory_order_relaxed);
    if (l->woke_us == 0)
        return;
    busy = (uint64_t)(now_us() - l->woke_us);
    atomic_fetch_add_explicit(&l->busy_us, busy, memory_order_relaxed);
    if (busy > atomic_load_explicit(&l->longest_us, memory_order_relaxed))
        atomic_store_explicit(&l->longest_us, busy, memory_order_relaxed);
}

/* libuv runs I/O callbacks inside the poll, so a turn begins when the kernel's answer is first looked at: the loop's own time
 * is taken right then. */
static void on_check(uv_check_t *c)
{
    struct loop *l = c->data;

    l->woke_us = (int64_t)uv_now(&l->uv) * 1000;
    if (now_us() - l->woke_us < 1000)
        l->woke_us = now_us(); /* uv_now counts whole milliseconds */
    sched_end_yield(&l->sched);
    settle(l);
}

static void run_posts(struct loop *l)
{
    struct loop_post *p;

    pthread_mutex_lock(&l->post_lock);
    p = l->post_first;
    l->post_first = l->post_last = NULL;
    pthread_mutex_unlock(&l->post_lock);
    while (p != NULL) {
        struct loop_post *next = p->next;

        p->fn(p);
        p = next;
    }
}

static void on_async(uv_async_t *a)
{
    run_posts(a->data);
}

void loop_post(struct loop *l, struct loop_post *post)
{
    post->next = NULL;
    pthread_mutex_lock(&l->post_lock);
    if (l->post_last != NULL)
        l->post_last->next = post;
    else
        l->post_first = post;
    l->post_last = post;
    /* inside the lock: once the loop has seen the post it may end and take the handle with it */
    (void)uv_async_send(&l->async); /* documented to fail only for a handle of another type */
    pthread_mutex_unlock(&l->post_lock);
}

static void on_heartbeat(uv_timer_t *t)
{
    (void)t; /* the turn is what it is for */
}

static void init_handles(struct loop *l)
{
    (void)uv_prepare_init(&l->uv, &l->prepare); /* these four are documented to return 0 */
    (void)uv_check_init(&l->uv, &l->check);
    (void)uv_idle_init(&l->uv, &l->idle);
    (void)uv_timer_init(&l->uv, &l->heartbeat);
    (void)uv_timer_start(&l->heartbeat, on_heartbeat, HEARTBEAT_MS, HEARTBEAT_MS); /* fails only without a callback */
    l->prepare.data = l->check.data = l->idle.data = l->async.data = l;
    (void)uv_prepare_start(&l->prepare, on_prepare);
    (void)uv_check_start(&l->check, on_check);
    uv_unref((uv_handle_t *)&l->prepare);
    uv_unref((uv_handle_t *)&l->check);
    uv_unref((uv_handle_t *)&l->idle);
    uv_unref((uv_handle_t *)&l->heartbeat);
}

int loop_new(const struct loop_conf *conf, struct loop **out, struct err *e)
{
    struct loop *l = mem_zalloc(sizeof *l);
    int rv;

    if (l == NULL)
        return err_set(e, &ERR_NOMEM, "");
    l->conf = *conf;
    rv = uv_loop_init(&l->uv);
    if (rv != 0)
        goto free_loop;
    rv = uv_async_init(&l->uv, &l->async, on_async);
    if (rv != 0)
        goto close_loop;
    (void)pthread_mutex_init(&l->post_lock, NULL); /* cannot fail with default attributes */
    init_handles(l);
    sched_init(&l->sched, l, conf);
    atomic_store_explicit(&l->turned_at_ms, clock_now_ms(conf->clock), memory_order_relaxed);
    *out = l;
    return 0;

close_loop:
    (void)uv_loop_close(&l->uv);
free_loop:
    mem_free(l);
    return err_set(e, &ERR_IO, "event loop: %s", uv_strerror(rv));
}

static struct loop *enter(struct loop *l)
{
    struct loop *former = current;

    current = l;
    context_init_thread(&l->sched.main);
    return former;
}

static void close_own_handles(struct loop *l)
{
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_close((uv_handle_t *)&l->check, NULL);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_close((uv_handle_t *)&l->heartbeat, NULL);
    uv_close((uv_handle_t *)&l->async, NULL);
}

static void close_locals(struct loop *l)
{
    while (l->locals != NULL) {
        struct loop_local *local = l->locals;

        l->locals = local->next;
        local->close(local);
    }
}

void loop_free(struct loop *l)
{
    struct loop *former;

    if (l == NULL)
        return;
    former = enter(l);
    run_posts(l); /* jobs that came back after the last fiber ended */
    sched_close(&l->sched);
    close_locals(l);
    close_own_handles(l);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT); /* runs the close callbacks; what it returns says loop_close better */
    sched_fini(&l->sched);
    (void)pthread_mutex_destroy(&l->post_lock);
    (void)uv_loop_close(&l->uv); /* EBUSY: another module left a handle open; its memory is reported by LeakSanitizer */
    current = former;
    mem_free(l);
}

void loop_run(struct loop *l)
{
    struct loop *former = enter(l);

    crash_thread_init();
    while (!l->sched.stopping || SCHED_GET(l->sched.n_living) > 0)
        (void)uv_run(&l->uv, UV_RUN_ONCE); /* tells whether handles are alive; the loop decides by itself */
    crash_thread_fini();
    current = former;
}

void loop_run_once(struct loop *l, bool may_block)
{
    struct loop *former = enter(l);

    (void)uv_run(&l->uv, may_block ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    current = former;
}

static void *thread_main(void *data)
{
    struct loop *l = data;
    char name[16];

    (void)memccpy(name, l->conf.name, 0, sizeof name);
    name[sizeof name - 1] = '\0';
    (void)pthread_setname_np(pthread_self(), name); /* for people only */
    loop_run(l);
    return NULL;
}

int loop_thread_start(struct loop *l, struct err *e)
{
    int rv = pthread_create(&l->thread, NULL, thread_main, l);

    return rv == 0 ? 0 : err_set(e, &ERR_IO, "start thread %s: %s", l->conf.name, strerror(rv));
}

void loop_thread_join(struct loop *l)
{
    (void)pthread_join(l->thread, NULL); /* fails only for a thread that was never started or joined before */
}

static void on_stop(struct loop_post *post)
{
    struct loop *l = (struct loop *)((char *)post - offsetof(struct loop, stop_post));

    sched_stop(&l->sched);
}

void loop_stop(struct loop *l)
{
    pthread_mutex_lock(&l->post_lock);
    if (l->closing) {
        pthread_mutex_unlock(&l->post_lock);
        return;
    }
    l->closing = true;
    pthread_mutex_unlock(&l->post_lock);
    l->stop_post.fn = on_stop;
    loop_post(l, &l->stop_post);
}

void loop_add_hook(struct loop *l, struct loop_hook *hook)
{
    hook->next = l->hooks;
    l->hooks = hook;
}

void loop_remove_hook(struct loop *l, struct loop_hook *hook)
{
    struct loop_hook **at = &l->hooks;

    while (*at != NULL && *at != hook)
        at = &(*at)->next;
    if (*at != NULL)
        *at = hook->next;
}

void loop_add_local(struct loop *l, struct loop_local *local)
{
    local->next = l->locals;
    l->locals = local;
}

struct loop_local *loop_local(struct loop *l, const void *key)
{
    struct loop_local *local = l->locals;

    while (local != NULL && local->key != key)
        local = local->next;
    return local;
}

struct loop_stats loop_stats(struct loop *l)
{
    return (struct loop_stats){
        .fibers = SCHED_GET(l->sched.n_living),
        .peak_fibers = SCHED_GET(l->sched.peak),
        .started = SCHED_GET(l->sched.n_started),
        .refused = SCHED_GET(l->sched.n_refused),
        .turns = atomic_load_explicit(&l->turns, memory_order_relaxed),
        .busy_us = atomic_load_explicit(&l->busy_us, memory_order_relaxed),
        .longest_us = atomic_exchange_explicit(&l->longest_us, 0, memory_order_relaxed),
        .turned_at_ms = atomic_load_explicit(&l->turned_at_ms, memory_order_relaxed),
    };
}

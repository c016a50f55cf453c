/* SPDX-License-Identifier: Apache-2.0 */
/* A fiber's life:
 *
 *   fiber_start --> READY --resume--> RUNNING --wait_for--> PARKED --wait_wake, deadline, cancel--> READY ...
 *                                        '--fn returns--> ENDED --> pool (stack and timer are kept)
 *
 * Every switch goes between the thread's own stack and one fiber: a fiber that starts or wakes another only puts it into the
 * run queue. The deadline of a wait is one libuv timer in the fiber; it fires into the run queue like any other event. */
#include "src/io/fiber.h"

#include <limits.h>
#include <string.h>

#include "src/io/sched.h"

enum { POOLED_MAX = 256, RUN_BOUND = 4096 };

static struct sched *sched_current(void)
{
    struct loop *l = loop_current();

    return l != NULL ? loop_sched(l) : NULL;
}

struct fiber *fiber_current(void)
{
    struct sched *s = sched_current();

    return s != NULL ? s->current : NULL;
}

struct loop *fiber_loop(const struct fiber *f)
{
    return f->loop;
}

const char *fiber_name(const struct fiber *f)
{
    return f->name;
}

static void ready(struct sched *s, struct fiber *f)
{
    f->state = FIBER_READY;
    f->next_ready = NULL;
    if (s->ready_last != NULL)
        s->ready_last->next_ready = f;
    else
        s->ready_first = f;
    s->ready_last = f;
}

/* Runs on the fiber's stack from its first instruction to its end. A pooled fiber comes back to the top of the loop. */
static void entry(void)
{
    struct sched *s = sched_current();
    struct fiber *f = s->current;

    context_entered(&f->context, &s->main);
    for (;;) {
        f->fn(f->data);
        f->state = FIBER_ENDED;
        context_switch(&f->context, &s->main, false);
        s = sched_current();
        f = s->current;
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct fiber *f = handle->data;

    context_fini(&f->context);
    stack_unmap(&f->stack);
    mem_free(f);
}

static void release(struct fiber *f)
{
    uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}

static void retire(struct sched *s, struct fiber *f)
{
    if (f->prev != NULL)
        f->prev->next = f->next;
    else
        s->living = f->next;
    if (f->next != NULL)
        f->next->prev = f->prev;
    SCHED_ADD(s->n_living, -1u);
    if (s->pooled >= POOLED_MAX) {
        release(f);
        return;
    }
    f->name = "ended";
    f->next_ready = s->pool;
    s->pool = f;
    s->pooled++;
}

static void resume(struct sched *s, struct fiber *f)
{
    f->state = FIBER_RUNNING;
    s->current = f;
    context_switch(&s->main, &f->context, false);
    s->current = NULL;
    if (f->state == FIBER_ENDED)
        retire(s, f);
}

bool sched_run(struct sched *s)
{
    for (unsigned n = 0; s->ready_first != NULL && n < RUN_BOUND; n++) {
        struct fiber *f = s->ready_first;

        s->ready_first = f->next_ready;
        if (s->ready_first == NULL)
            s->ready_last = NULL;
        resume(s, f);
    }
    return s->ready_first != NULL || s->yielded_first != NULL;
}

void sched_end_yield(struct sched *s)
{
    if (s->yielded_first == NULL)
        return;
    if (s->ready_last != NULL)
        s->ready_last->next_ready = s->yielded_first;
    else
        s->ready_first = s->yielded_first;
    s->ready_last = s->yielded_last;
    s->yielded_first = s->yielded_last = NULL;
}

static struct fiber *fiber_new(struct sched *s, struct err *e)
{
    struct fiber *f = mem_zalloc(sizeof *f);

    if (f == NULL) {
        (void)err_set(e, &ERR_NOMEM, "");
        return NULL;
    }
    if (!stack_map(&f->stack, s->stack_bytes)) {
        (void)err_set(e, &ERR_BUSY, "no memory mappings left for another fiber");
        mem_free(f);
        return NULL;
    }
    f->loop = s->loop;
    f->timer.data = f;
    (void)uv_timer_init(loop_uv(s->loop), &f->timer); /* documented to return 0 */
    context_init(&f->context, &f->stack, entry);
    return f;
}

static struct fiber *take(struct sched *s, struct err *e)
{
    struct fiber *f = s->pool;

    if (f == NULL)
        return fiber_new(s, e);
    s->pool = f->next_ready;
    s->pooled--;
    return f;
}

static void enrol(struct sched *s, struct fiber *f)
{
    f->prev = NULL;
    f->next = s->living;
    if (s->living != NULL)
        s->living->prev = f;
    s->living = f;
    SCHED_ADD(s->n_started, 1);
    SCHED_ADD(s->n_living, 1);
    if (SCHED_GET(s->n_living) > SCHED_GET(s->peak))
        atomic_store_explicit(&s->peak, SCHED_GET(s->n_living), memory_order_relaxed);
}

int fiber_start(struct loop *l, const char *name, void (*fn)(void *data), void *data, struct fiber **out, struct err *e)
{
    struct sched *s = loop_sched(l);
    struct fiber *f;

    if (s->stopping)
        return err_set(e, &ERR_CANCELLED, "");
    if (SCHED_GET(s->n_living) >= s->max_fibers) {
        SCHED_ADD(s->n_refused, 1);
        return err_set(e, &ERR_BUSY, "%u operations at once", s->max_fibers);
    }
    f = take(s, e);
    if (f == NULL)
        return e != NULL ? e->row->code : ERR_NOMEM.code;
    f->name = name;
    f->fn = fn;
    f->data = data;
    f->cancelled = f->shielded = false;
    f->deadline_ms = INT64_MAX;
    f->carried = NULL;
    f->wait = NULL;
    enrol(s, f);
    if (out != NULL)
        *out = f;
    if (s->current == NULL && loop_current() == l)
        resume(s, f);
    else
        ready(s, f);
    return 0;
}

void fiber_cancel(struct fiber *f)
{
    f->cancelled = true;
    if (f->state == FIBER_PARKED && !f->shielded)
        ready(loop_sched(f->loop), f);
}

bool fiber_is_cancelled(const struct fiber *f)
{
    return f->cancelled && !f->shielded;
}

bool fiber_shield(bool on)
{
    struct fiber *f = fiber_current();
    bool former = f->shielded;

    f->shielded = on;
    return former;
}

int64_t fiber_deadline(void)
{
    return fiber_current()->deadline_ms;
}

int64_t fiber_narrow_deadline(int64_t timeout_ms)
{
    struct fiber *f = fiber_current();
    int64_t former = f->deadline_ms;
    int64_t now = clock_now_ms(loop_clock(f->loop));

    if (timeout_ms < INT64_MAX - now && now + timeout_ms < former)
        f->deadline_ms = now + timeout_ms;
    return former;
}

void fiber_restore_deadline(int64_t former)
{
    fiber_current()->deadline_ms = former;
}

int fiber_ms_left(void)
{
    struct fiber *f = fiber_current();
    int64_t left;

    if (f->deadline_ms == INT64_MAX)
        return INT32_MAX;
    left = f->deadline_ms - clock_now_ms(loop_clock(f->loop));
    return left <= 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

static void on_timer(uv_timer_t *timer)
{
    struct fiber *f = timer->data;

    if (f->state == FIBER_PARKED)
        ready(loop_sched(f->loop), f);
}

void *fiber_carried(void)
{
    const struct fiber *f = fiber_current();

    return f != NULL ? f->carried : NULL;
}

void fiber_carry(void *p)
{
    fiber_current()->carried = p;
}

void wait_init(struct wait *w)
{
    *w = (struct wait){ .fiber = fiber_current() };
}

static void park(struct fiber *f, struct wait *w)
{
    struct sched *s = loop_sched(f->loop);
    bool timed = f->deadline_ms != INT64_MAX;

    if (timed)
        (void)uv_timer_start(&f->timer, on_timer, (uint64_t)fiber_ms_left() + 1, 0); /* fails only without a callback */
    f->wait = w;
    f->state = FIBER_PARKED;
    context_switch(&f->context, &s->main, false);
    f->wait = NULL;
    if (timed)
        (void)uv_timer_stop(&f->timer);
}

int wait_for(struct wait *w, struct err *e)
{
    struct fiber *f = w->fiber;

    for (;;) {
        if (w->woken)
            return 0;
        if (fiber_is_cancelled(f))
            return err_set(e, &ERR_CANCELLED, "");
        if (fiber_ms_left() == 0)
            return err_set(e, &ERR_TIMEOUT, "%s", f->name);
        park(f, w);
    }
}

void wait_wake(struct wait *w)
{
    struct fiber *f = w->fiber;

    if (w->woken)
        return;
    w->woken = true;
    if (f->state == FIBER_PARKED && f->wait == w)
        ready(loop_sched(f->loop), f);
}

int fiber_yield(struct err *e)
{
    struct fiber *f = fiber_current();
    struct sched *s = loop_sched(f->loop);

    if (fiber_is_cancelled(f))
        return err_set(e, &ERR_CANCELLED, "");
    f->state = FIBER_READY;
    f->next_ready = NULL;
    if (s->yielded_last != NULL)
        s->yielded_last->next_ready = f;
    else
        s->yielded_first = f;
    s->yielded_last = f;
    context_switch(&f->context, &s->main, false);
    return 0;
}

int fiber_sleep(int64_t ms, struct err *e)
{
    int64_t former = fiber_narrow_deadline(ms);
    bool own = fiber_deadline() < former;
    struct wait w;
    struct err ended;
    int rv;

    wait_init(&w);
    rv = wait_for(&w, &ended);
    fiber_restore_deadline(former);
    if (own && err_is(&ended, &ERR_TIMEOUT))
        return 0;
    if (e != NULL)
        *e = ended;
    return rv;
}

struct waiter {
    struct wait wait;
    struct waiter *next, *prev;
    struct waitlist *list; /* NULL when it was taken from the line */
};

static void leave(struct waiter *w)
{
    struct waitlist *list = w->list;

    if (list == NULL)
        return;
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        list->first = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    else
        list->last = w->prev;
    w->list = NULL;
}

int waitlist_wait(struct waitlist *list, struct err *e)
{
    struct waiter w = { .list = list, .prev = list->last };
    int rv;

    wait_init(&w.wait);
    if (list->last != NULL)
        list->last->next = &w;
    else
        list->first = &w;
    list->last = &w;
    rv = wait_for(&w.wait, e);
    leave(&w);
    return rv;
}

bool waitlist_wake_one(struct waitlist *list)
{
    struct waiter *w = list->first;

    if (w == NULL)
        return false;
    leave(w);
    wait_wake(&w->wait);
    return true;
}

void waitlist_wake_all(struct waitlist *list)
{
    while (waitlist_wake_one(list))
        continue;
}

int fiber_mutex_lock(struct fiber_mutex *m, struct err *e)
{
    int rv;

    while (m->locked) {
        rv = waitlist_wait(&m->line, e);
        if (rv != 0)
            return rv;
    }
    m->locked = true;
    return 0;
}

void fiber_mutex_unlock(struct fiber_mutex *m)
{
    m->locked = false;
    (void)waitlist_wake_one(&m->line);
}

struct member {
    struct fiber_group *group;
    void (*fn)(void *data);
    void *data;
};

static void member_run(void *data)
{
    struct member m = *(struct member *)data;

    mem_free(data);
    m.fn(m.data);
    m.group->running--;
    if (m.group->running == 0)
        waitlist_wake_all(&m.group->done);
}

int fiber_group_start(struct fiber_group *g, struct loop *l, const char *name, void (*fn)(void *data), void *data, struct err *e)
{
    struct member *m = mem_alloc(sizeof *m);
    int rv;

    if (m == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *m = (struct member){ g, fn, data };
    g->running++;
    rv = fiber_start(l, name, member_run, m, NULL, e);
    if (rv != 0) {
        g->running--;
        mem_free(m);
    }
    return rv;
}

int fiber_group_wait(struct fiber_group *g, struct err *e)
{
    int rv = 0;

    while (g->running > 0 && rv == 0)
        rv = waitlist_wait(&g->done, e);
    return rv;
}

struct side {
    void (*fn)(void *item);
    void *item;
    int64_t deadline_ms;
};

static void run_side(void *data)
{
    const struct side *side = data;

    fiber_restore_deadline(side->deadline_ms);
    side->fn(side->item);
}

/* The deadline is the members': who waits for them must not leave before the last of them has. */
static void wait_for_all(struct fiber_group *g)
{
    int64_t deadline = fiber_deadline();
    bool shielded = fiber_shield(true);

    fiber_restore_deadline(INT64_MAX);
    while (fiber_group_wait(g, NULL) != 0)
        continue;
    fiber_restore_deadline(deadline);
    (void)fiber_shield(shielded);
}

int fiber_each(const char *name, void (*fn)(void *item), void *items, size_t size, size_t n, struct err *e)
{
    struct side *sides = mem_alloc((n + 1) * sizeof *sides);
    struct fiber_group group = { 0 };
    int rv = sides != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (size_t i = 0; rv == 0 && i < n; i++) {
        sides[i] = (struct side){ fn, (char *)items + i * size, fiber_deadline() };
        rv = fiber_group_start(&group, fiber_loop(fiber_current()), name, run_side, &sides[i], e);
    }
    wait_for_all(&group);
    mem_free(sides);
    return rv;
}

void sched_init(struct sched *s, struct loop *l, const struct loop_conf *conf)
{
    memset(s, 0, sizeof *s);
    s->loop = l;
    s->max_fibers = conf->max_fibers;
    s->stack_bytes = conf->stack_bytes;
}

void sched_stop(struct sched *s)
{
    s->stopping = true;
    for (struct fiber *f = s->living; f != NULL; f = f->next)
        fiber_cancel(f);
}

void sched_close(struct sched *s)
{
    while (s->pool != NULL) {
        struct fiber *f = s->pool;

        s->pool = f->next_ready;
        release(f);
    }
    s->pooled = 0;
}

void sched_fini(struct sched *s)
{
    memset(s, 0, sizeof *s);
}

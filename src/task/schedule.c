/* SPDX-License-Identifier: Apache-2.0 */
/* The leader's side, one fiber while this node leads:
 *
 *   each second, at once when leadership is new:  workers and their leases --> steps of lost workers are READY again, under a new dispatch
 *   each second, or when kicked:                  READY steps, oldest first --> the least loaded worker --> one leader transaction --> kicks
 *
 * Everything is written through the leader's fence. Failing means that MetaDB is away or that leadership is over: the next round tries again. */
#include <stdio.h>

#include "src/store/leader.h"
#include "src/store/node.h"
#include "src/task/change.h"
#include "src/task/engine_inside.h"

enum { BATCH = 64, MAX_WORKERS = 64, MAX_STEPS_EACH = 512, ROUND_MS = 8000 };

struct seat {
    struct task_worker worker;
    unsigned load;
    bool chosen;                    /* gets something in this batch */
};

struct scheduler {
    struct task_engine *engine;
    struct fiber *fiber;            /* NULL: it has not begun */
    bool stopped, failing;
    int64_t surveyed_ms;            /* 0: never */
    struct seat seats[MAX_WORKERS]; /* of the last survey */
    char names[MAX_WORKERS][256];
    unsigned n_seats;
};

static bool is_dead(const struct scheduler *s, int64_t node_id)
{
    const struct task_engine_conf *c = &s->engine->conf;

    return c->is_dead != NULL && node_id != c->self->id && c->is_dead(node_id, c->hooks_data);
}

/* ---- survey: who works, and who does not any more -------------------------------------------------------------------------------- */

static int64_t metadb_up_ms(const struct scheduler *s)
{
    struct db_stats stats = db_stats(s->engine->conf.leader_db);

    return stats.up_since_ms > 0 ? clock_now_ms(loop_clock(s->engine->conf.loop)) - stats.up_since_ms : 0;
}

static struct decide_worker state_of(const struct scheduler *s, const struct task_worker *workers, size_t n, int64_t node_id, int64_t incarnation)
{
    struct decide_worker w = { .process_dead = is_dead(s, node_id) };

    for (size_t i = 0; i < n; i++) {
        if (workers[i].node_id != node_id || workers[i].incarnation != incarnation)
            continue;
        w.registered = true;
        w.left_us = workers[i].left_us;
    }
    return w;
}

static void take_seats(struct scheduler *s, const struct task_worker *workers, size_t n)
{
    s->n_seats = 0;
    for (size_t i = 0; i < n && s->n_seats < MAX_WORKERS; i++) {
        if (workers[i].left_us < 0 || workers[i].draining || workers[i].incarnation == 0 || is_dead(s, workers[i].node_id))
            continue;
        (void)snprintf(s->names[s->n_seats], sizeof s->names[0], "%s", workers[i].name);
        s->seats[s->n_seats] = (struct seat){ .worker = workers[i] };
        s->seats[s->n_seats].worker.name = s->names[s->n_seats];
        s->n_seats++;
    }
    if (!s->stopped)
        atomic_store(&s->engine->workers, s->n_seats);
}

static void count_load(struct scheduler *s, int64_t node_id)
{
    for (unsigned i = 0; i < s->n_seats; i++)
        s->seats[i].load += s->seats[i].worker.node_id == node_id ? 1 : 0;
}

static int take_over(struct scheduler *s, const struct subtask *step, struct err *e)
{
    int rv = task_lost(s->engine->conf.leader_db, step, e);

    if (rv != 0)
        return err_is(e, &ERR_TASK_OVERTAKEN) ? 0 : rv;
    atomic_fetch_add(&s->engine->taken_over, 1);
    log_info(&s->engine->log, "worker is lost -> dispatch its step again", LOG_I("task", step->task_id), LOG_I("step", step->id),
             LOG_I("node", step->worker_id), LOG_I("dispatch", step->dispatch));
    return 0;
}

static int survey(struct scheduler *s, struct arena *arena, struct err *e)
{
    struct task_worker *workers;
    struct subtask *active;
    size_t n, n_active;
    int rv = store_task_worker_list(s->engine->conf.leader_db, arena, &workers, &n, e);

    if (rv == 0)
        rv = store_subtask_active(s->engine->conf.leader_db, arena, &active, &n_active, e);
    if (rv != 0)
        return rv;
    take_seats(s, workers, n);
    for (size_t i = 0; rv == 0 && i < n_active; i++) {
        struct decide_worker w = state_of(s, workers, n, active[i].worker_id, active[i].incarnation);

        if (decide_is_lost(&w, metadb_up_ms(s)))
            rv = take_over(s, &active[i], e);
        else
            count_load(s, active[i].worker_id);
    }
    if (rv == 0)
        s->surveyed_ms = loop_now_ms(s->engine->conf.loop);
    return rv;
}

/* ---- dispatch ---------------------------------------------------------------------------------------------------------------------- */

struct batch {
    struct scheduler *s;
    struct subtask *steps;
    size_t n;
    struct seat *seats[BATCH];      /* of each step; NULL: no worker has room */
    bool done[BATCH];
    int64_t epoch;
};

/* Of those that have the least to do, another one each time: whoever ran it before could not, or was lost, and is the last resort. */
static struct seat *seat_for(struct scheduler *s, const struct subtask *step)
{
    unsigned first = (unsigned)(step->id + step->dispatch / 2); /* each try raises it twice */
    struct seat *best = NULL, *former = NULL;

    for (unsigned i = 0; i < s->n_seats; i++) {
        struct seat *seat = &s->seats[(first + i) % s->n_seats];

        if (seat->load >= MAX_STEPS_EACH)
            continue;
        if (seat->worker.node_id == step->worker_id)
            former = seat;
        else if (best == NULL || seat->load < best->load)
            best = seat;
    }
    return best != NULL ? best : former;
}

static int dispatch_body(struct tx *tx, void *data, struct err *e)
{
    struct batch *b = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < b->n; i++) {
        const struct task_worker *w = b->seats[i] != NULL ? &b->seats[i]->worker : NULL;

        if (w != NULL)
            rv = store_subtask_dispatch_in(tx, &b->steps[i], w->node_id, w->incarnation, w->name, b->epoch, &b->done[i], e);
    }
    return rv;
}

static void choose(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        b->seats[i] = seat_for(b->s, &b->steps[i]);
        if (b->seats[i] != NULL)
            b->seats[i]->load++;
    }
}

static void tell(struct batch *b)
{
    struct task_engine *t = b->s->engine;

    for (size_t i = 0; i < b->n; i++) {
        atomic_fetch_add(&t->dispatched, b->done[i] ? 1 : 0);
        if (b->seats[i] != NULL)
            b->seats[i]->chosen = b->seats[i]->chosen || b->done[i];
    }
    for (unsigned i = 0; i < b->s->n_seats; i++) {
        struct seat *seat = &b->s->seats[i];

        if (seat->chosen && seat->worker.node_id == t->conf.self->id)
            bell_ring(&t->work);
        else if (seat->chosen && t->conf.kick_worker != NULL)
            t->conf.kick_worker(seat->worker.node_id, t->conf.hooks_data);
        seat->chosen = false;
    }
}

/* *more: there may be steps left. */
static int dispatch(struct scheduler *s, struct arena *arena, bool *more, struct err *e)
{
    struct task_engine *t = s->engine;
    struct batch b = { .s = s };
    int rv;

    *more = false;
    if (s->n_seats == 0)
        return 0;
    rv = store_subtask_due(t->conf.leader_db, BATCH, arena, &b.steps, &b.n, e);
    if (rv != 0 || b.n == 0)
        return rv;
    b.epoch = t->conf.epoch != NULL ? t->conf.epoch(t->conf.hooks_data) : 0;
    choose(&b);
    if (b.seats[0] == NULL)
        return 0;
    rv = db_transact(t->conf.leader_db, dispatch_body, &b, e);
    if (rv != 0)
        return rv;
    tell(&b);
    *more = b.n == BATCH;
    return 0;
}

/* ---- rounds -------------------------------------------------------------------------------------------------------------------------- */

static bool is_survey_due(const struct scheduler *s)
{
    return s->surveyed_ms == 0 || loop_now_ms(s->engine->conf.loop) - s->surveyed_ms >= TASK_LOOK_MS;
}

static int round_once(struct scheduler *s, struct err *e)
{
    struct arena arena;
    bool more = true;
    int rv = 0;

    arena_init(&arena);
    if (is_survey_due(s))
        rv = survey(s, &arena, e);
    while (rv == 0 && more && !s->stopped) {
        arena_fini(&arena);
        rv = dispatch(s, &arena, &more, e);
    }
    arena_fini(&arena);
    return rv;
}

static void report(struct scheduler *s, int rv, const struct err *e)
{
    if (rv != 0 && !s->failing && !err_is(e, &ERR_FENCED))
        log_warn(&s->engine->log, "steps cannot be dispatched", LOG_E(e));
    if (rv == 0 && s->failing)
        log_info(&s->engine->log, "steps are dispatched again");
    s->failing = rv != 0;
}

static void scheduler_fiber(void *data)
{
    struct scheduler *s = data;
    struct task_engine *t = s->engine;

    s->fiber = fiber_current();
    while (!s->stopped && !fiber_is_cancelled(s->fiber)) {
        int64_t former = fiber_narrow_deadline(ROUND_MS);
        struct err e = { 0 };
        int rv = round_once(s, &e);

        fiber_restore_deadline(former);
        if (s->stopped || fiber_is_cancelled(s->fiber))
            break;
        report(s, rv, &e);
        if (!bell_wait(&t->plan, rv == 0 ? TASK_LOOK_MS : TASK_DB_RETRY_MS))
            break;
    }
    if (t->scheduler == s)
        t->scheduler = NULL;
    mem_free(s);
}

int task_engine_start(struct task_engine *t, struct err *e)
{
    struct scheduler *s = mem_zalloc(sizeof *s);
    int rv;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->engine = t;
    t->scheduler = s;
    rv = fiber_start(t->conf.loop, "tasks", scheduler_fiber, s, NULL, e);
    if (rv != 0) {
        t->scheduler = NULL;
        mem_free(s);
    }
    return rv;
}

void task_engine_stop(struct task_engine *t)
{
    struct scheduler *s = t->scheduler;

    t->scheduler = NULL;
    if (s == NULL)
        return;
    atomic_store(&t->workers, 0);
    s->stopped = true;
    if (s->fiber != NULL)
        fiber_cancel(s->fiber);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's side, one fiber on every node:
 *
 *   each third of the lease:      prolong it
 *   each second, or when kicked:  rows that are RUNNING or CANCELING here under this incarnation
 *                                   a row without a run    --> a run (RUNNING; a drained node gives it back), or reported as stopped (CANCELING)
 *                                   a run without its row  --> overtaken: it is cancelled, and whatever it writes is refused
 *                                   a row that is CANCELING --> its run is cancelled, and reports when it has ended
 *   each half second:             lines of logs that wait
 *
 * While MetaDB is away runs go on: whether they still count is for the leader to say when it is back. */
#include <stdio.h>

#include "src/store/node.h"
#include "src/task/change.h"
#include "src/task/engine_inside.h"

enum { CALL_MS = 8000, FLUSH_MS = 500 };

static struct task_run *find_run(const struct task_engine *t, int64_t id)
{
    for (struct task_run *r = t->runs; r != NULL; r = r->next)
        if (r->step.id == id)
            return r;
    return NULL;
}

static void stop_run(struct task_run *r, enum task_stop why)
{
    r->stop = why;
    if (r->fiber != NULL)
        fiber_cancel(r->fiber);
}

/* ---- starting ----------------------------------------------------------------------------------------------------------------------- */

static const char *copy(struct task_run *r, const char *text)
{
    return arena_strdup(&r->arena, text);
}

static bool copy_texts(struct task_run *r)
{
    struct subtask *s = &r->step;

    s->name = copy(r, s->name);
    s->description = copy(r, s->description);
    s->target = copy(r, s->target);
    s->label = copy(r, s->label);
    s->worker = copy(r, s->worker);
    s->error = copy(r, s->error);
    return s->name != NULL && s->description != NULL && s->target != NULL && s->label != NULL && s->worker != NULL && s->error != NULL;
}

static int begin(struct task_engine *t, const struct subtask *row, struct err *e)
{
    struct task_run *r = mem_zalloc(sizeof *r);
    char text[24];
    int rv;

    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *r = (struct task_run){ .engine = t, .step = *row };
    arena_init(&r->arena);
    (void)snprintf(text, sizeof text, "%lld", (long long)row->task_id);
    log_child(&r->log, &t->log, "task", text);
    rv = copy_texts(r) ? fiber_start(t->conf.loop, "step", task_run_fiber, r, NULL, e) : err_set(e, &ERR_NOMEM, "");
    if (rv != 0) {
        task_run_free(r);
        return rv;
    }
    r->next = t->runs;
    t->runs = r;
    atomic_fetch_add(&t->running, 1);
    return 0;
}

void task_remember_end(struct task_engine *t, const struct subtask *s)
{
    if (t->n_ended < TASK_ENDED) {
        t->ended[t->n_ended].id = s->id;
        t->ended[t->n_ended].dispatch = s->dispatch;
    }
    t->n_ended++;
}

/* Too many to remember: none begins before the next look. */
static bool has_ended(const struct task_engine *t, const struct subtask *row)
{
    for (unsigned i = 0; i < t->n_ended && i < TASK_ENDED; i++)
        if (t->ended[i].id == row->id && t->ended[i].dispatch == row->dispatch)
            return true;
    return t->n_ended > TASK_ENDED;
}

/* The leader did not know yet that this node is drained. */
static int decline(struct task_engine *t, const struct subtask *row, struct err *e)
{
    int rv = task_report(t->conf.db, row, DECIDE_DECLINED, "The node that was to run it is drained. Another one is to run it.", e);

    if (rv == 0)
        task_kick(t);
    return rv == ERR_TASK_OVERTAKEN.code ? 0 : rv;
}

static int act_on(struct task_engine *t, const struct subtask *row, struct err *e)
{
    struct task_run *r = find_run(t, row->id);
    int rv;

    if (r == NULL && (t->leaving || has_ended(t, row)))
        return 0;
    if (r == NULL && row->status == SUBTASK_RUNNING)
        return t->draining ? decline(t, row, e) : begin(t, row, e);
    if (r == NULL) {
        rv = task_report(t->conf.db, row, DECIDE_STOPPED, "It was cancelled.", e);
        return rv == ERR_TASK_OVERTAKEN.code ? 0 : rv;
    }
    if (row->dispatch == r->step.dispatch || r->stop != TASK_GOES_ON)
        return 0;
    r->stop_dispatch = row->dispatch;
    stop_run(r, row->status == SUBTASK_CANCELING ? TASK_STOP_ASKED : TASK_STOP_OVERTAKEN);
    return 0;
}

static bool is_listed(const struct subtask *rows, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == id)
            return true;
    return false;
}

/* Rows that were read before a run began say nothing about it: runs begin in this fiber alone. */
static void stop_overtaken(struct task_engine *t, const struct subtask *rows, size_t n)
{
    for (struct task_run *r = t->runs; r != NULL; r = r->next)
        if (r->stop == TASK_GOES_ON && !is_listed(rows, n, r->step.id))
            stop_run(r, TASK_STOP_OVERTAKEN);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------------------------- */

static struct task_worker self_of(const struct task_engine *t)
{
    return (struct task_worker){ .node_id = t->conf.self->id, .incarnation = t->conf.incarnation, .name = t->conf.self->name,
                                 .draining = t->draining || t->leaving };
}

static int renew(struct task_engine *t, struct err *e)
{
    struct task_worker self = self_of(t);
    int64_t now = loop_now_ms(t->conf.loop);
    int rv;

    if (t->renewed_ms != 0 && now - t->renewed_ms < TASK_WORKER_TTL_MS / 3)
        return 0;
    rv = store_task_worker_renew(t->conf.db, &self, e);
    if (rv == 0)
        t->renewed_ms = now;
    return rv;
}

static int look(struct task_engine *t, struct err *e)
{
    struct arena arena;
    struct subtask *rows;
    size_t n = 0;
    int rv;

    arena_init(&arena);
    rv = renew(t, e);
    t->n_ended = 0;
    if (rv == 0)
        rv = store_subtask_mine(t->conf.db, t->conf.self->id, t->conf.incarnation, &arena, &rows, &n, e);
    if (rv == 0)
        stop_overtaken(t, rows, n);
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = act_on(t, &rows[i], e);
    arena_fini(&arena);
    return rv;
}

/* Warns when it begins to fail. */
static void write_logs(struct task_engine *t, bool *failing)
{
    int64_t former = fiber_narrow_deadline(CALL_MS);
    struct err e = { 0 };
    int rv = task_write_logs(t, &e);

    fiber_restore_deadline(former);
    if (rv != 0 && !*failing)
        log_warn(&t->log, "steps' logs cannot be written", LOG_E(&e));
    *failing = rv != 0;
}

static void worker_fiber(void *data)
{
    struct task_engine *t = data;
    bool failing = false, failing_logs = false;

    t->worker = fiber_current();
    do {
        int64_t former = fiber_narrow_deadline(CALL_MS);
        struct err e = { 0 };
        int rv = t->conf.self->id > 0 && !t->leaving ? look(t, &e) : 0;

        fiber_restore_deadline(former);
        if (rv != 0 && !failing)
            log_warn(&t->log, "steps of this node cannot be read", LOG_E(&e));
        failing = rv != 0;
        write_logs(t, &failing_logs);
    } while (bell_wait(&t->work, t->runs != NULL ? FLUSH_MS : TASK_LOOK_MS));
    t->worker = NULL;
}

int task_engine_work(struct task_engine *t, struct err *e)
{
    return fiber_start(t->conf.loop, "steps", worker_fiber, t, NULL, e);
}

void task_engine_drain(struct task_engine *t, bool on)
{
    if (t->draining == on)
        return;
    t->draining = on;
    t->renewed_ms = 0;
    bell_ring(&t->work);
}

static void tell_metadb(struct task_engine *t)
{
    struct task_worker self = self_of(t);
    struct err e = { 0 };

    if (self.node_id > 0 && store_task_worker_leave(t->conf.db, &self, &e) != 0)
        log_info(&t->log, "MetaDB does not know that this node runs no steps any more", LOG_E(&e));
}

static void wait_for_runs(struct task_engine *t, int64_t ms)
{
    int64_t former = fiber_narrow_deadline(ms);
    struct err e;

    while (t->runs != NULL && waitlist_wait(&t->left, &e) == 0) {
    }
    fiber_restore_deadline(former);
}

void task_engine_leave(struct task_engine *t, int64_t patience_ms, int64_t stop_ms)
{
    t->leaving = true;
    wait_for_runs(t, patience_ms);
    for (struct task_run *r = t->runs; r != NULL; r = r->next)
        stop_run(r, TASK_STOP_LEAVING);
    wait_for_runs(t, stop_ms);
    tell_metadb(t);
}

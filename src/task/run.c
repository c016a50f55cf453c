/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a step, in a fiber of its own:
 *
 *   read the task --> find flow and step --> run() or rollback() until its deadline --> write the log --> report the outcome --> kick the leader
 *
 * The outcome is never dropped while somebody may still count on it: it is reported again until MetaDB says yes or no. */
#include <stdio.h>
#include <string.h>

#include "src/base/json.h"
#include "src/store/leader.h"
#include "src/task/change.h"
#include "src/task/engine_inside.h"
#include "src/task/plan.h"

ERR_DEFINE(ERR_STEP_TIMEOUT, 90332, 504, ERR_FINAL, "It did not end within {0} s. Find out what it waits for in its log, then retry it.",
           "未在 {0} 秒内完成，请查看日志确认等待原因后重试。");
ERR_DEFINE(ERR_STEP_FOREIGN, 90333, 503, ERR_RETRY, "This version of ocp-server does not know this step of the flow {0}. Another node is to run it; upgrade all of them.",
           "当前版本的 ocp-server 不支持流程 {0} 的该步骤，将由其他节点执行；请升级所有节点。");
const struct err_row *const task_flow_err_rows[] = { &ERR_STEP_TIMEOUT, &ERR_STEP_FOREIGN, NULL };

enum { ERROR_SIZE = 2000 };

/* ---- what steps see ------------------------------------------------------------------------------------------------------------------ */

const struct task *task_of(const struct task_run *r)
{
    return &r->task;
}

const struct subtask *task_step_of(const struct task_run *r)
{
    return &r->step;
}

const char *task_target(const struct task_run *r)
{
    return r->step.target;
}

struct db *task_db(struct task_run *r)
{
    return r->engine->conf.db;
}

struct arena *task_arena(struct task_run *r)
{
    return &r->arena;
}

void *task_data(struct task_run *r)
{
    return r->engine->conf.data;
}

const struct log *task_logger(struct task_run *r)
{
    return &r->log;
}

bool task_is_repeated(const struct task_run *r)
{
    return r->step.dispatch > 1;
}

int64_t task_next_seq(struct task_run *r)
{
    return ++r->seq;
}

const json_t *task_args(struct task_run *r)
{
    const char *text = r->task.arguments;

    if (r->arguments == NULL && json_parse((struct slice){ text, strlen(text) }, &r->arguments, NULL) != 0)
        r->arguments = NULL;
    return r->arguments;
}

const char *task_get_arg(struct task_run *r, const char *key)
{
    return json_string_value(json_object_get(task_args(r), key));
}

int task_get(struct task_run *r, const char *key, const char **value, struct err *e)
{
    return store_task_context_get(task_db(r), r->task.id, key, &r->arena, value, e);
}

struct guarded {
    struct task_run *run;
    int (*body)(struct tx *tx, void *data, struct err *e);
    void *data;
};

static int guarded_body(struct tx *tx, void *data, struct err *e)
{
    struct guarded *g = data;
    int rv = store_subtask_guard_in(tx, &g->run->step, e);

    return rv == 0 ? g->body(tx, g->data, e) : rv;
}

int task_transact(struct task_run *r, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e)
{
    struct guarded g = { r, body, data };

    return db_transact(task_db(r), guarded_body, &g, e);
}

struct setting_of {
    int64_t task_id;
    const char *key, *value;
};

static int set_body(struct tx *tx, void *data, struct err *e)
{
    const struct setting_of *s = data;

    return store_task_context_set_in(tx, s->task_id, s->key, s->value, e);
}

int task_set(struct task_run *r, const char *key, const char *value, struct err *e)
{
    struct setting_of s = { r->task.id, key, value };

    return task_transact(r, set_body, &s, e);
}

static int nothing_body(struct tx *tx, void *data, struct err *e)
{
    (void)tx;
    (void)data;
    (void)e;
    return 0;
}

/* The epoch is read first: whoever is found not to be overtaken after it may show it. */
int task_epoch(struct task_run *r, int64_t *epoch, struct err *e)
{
    struct leadership leader;
    int64_t claimed_us;
    int rv = leader_read(task_db(r), &leader, &claimed_us, e);

    *epoch = rv == 0 ? leader.epoch : 0;
    return rv == 0 ? task_transact(r, nothing_body, NULL, e) : rv;
}

/* A change of MetaDB that may have been made is looked at by the next run, before it acts. */
bool task_may_pass(const struct err *e)
{
    return e->row != NULL && (e->row->retry == ERR_RETRY || err_is(e, &ERR_DB_UNSETTLED));
}

/* ---- outcome -------------------------------------------------------------------------------------------------------------------------- */

bool task_is_passing(const struct err *e)
{
    return task_may_pass(e) || err_is(e, &ERR_TIMEOUT);
}

/* Cancelled or not, whoever waits for the outcome gets it; only a node that ends gives up when MetaDB is away. */
static int insist(struct task_run *r, int (*call)(struct task_run *r, const void *arg, struct err *e), const void *arg, struct err *e)
{
    for (;;) {
        int64_t former = fiber_narrow_deadline(TASK_DB_CALL_MS);
        int rv = call(r, arg, e);
        struct err ended;

        fiber_restore_deadline(former);
        if (rv == 0 || !task_is_passing(e) || r->stop == TASK_STOP_LEAVING || r->stop == TASK_STOP_OVERTAKEN || r->engine->leaving ||
            r->engine->worker == NULL)
            return rv;
        if (fiber_sleep(TASK_DB_RETRY_MS, &ended) != 0)
            return rv;
    }
}

struct outcome {
    enum decide_event event;
    const char *error;
    int64_t dispatch;
};

static int call_report(struct task_run *r, const void *arg, struct err *e)
{
    const struct outcome *o = arg;
    struct subtask s = r->step;

    s.dispatch = o->dispatch;
    return task_report(task_db(r), &s, o->event, o->error, e);
}

static int call_write_log(struct task_run *r, const void *arg, struct err *e)
{
    (void)arg;
    return task_run_write_log(r, e);
}

static int call_read(struct task_run *r, const void *arg, struct err *e)
{
    (void)arg;
    return store_task_get_head(task_db(r), r->step.task_id, &r->arena, &r->task, e);
}

static void count_outcome(struct task_engine *t, enum decide_event event)
{
    atomic_fetch_add(&t->ran, 1);
    atomic_fetch_add(&t->failed, event == DECIDE_FAILED || event == DECIDE_UNKNOWN ? 1 : 0);
    atomic_fetch_add(&t->retried, event == DECIDE_PASSING ? 1 : 0);
}

static void report(struct task_run *r, const struct outcome *o)
{
    struct task_engine *t = r->engine;
    struct err e = { 0 };
    int rv;

    (void)fiber_shield(true);
    task_run_end_log(r);
    if (insist(r, call_write_log, NULL, &e) != 0)
        err_clear(&e);
    rv = insist(r, call_report, o, &e);
    if (rv == 0) {
        count_outcome(t, o->event);
        task_kick(t);
        if (r->recorded != NULL)
            r->recorded(r, o->event);
        return;
    }
    if (err_is(&e, &ERR_TASK_OVERTAKEN))
        atomic_fetch_add(&t->refused, 1);
    log_warn(&r->log, "the outcome of a step does not count", LOG_I("step", r->step.id), LOG_I("dispatch", r->step.dispatch), LOG_E(&e));
}

/* ---- running --------------------------------------------------------------------------------------------------------------------------- */

/* Errors: those of the step; TIMEOUT by its own deadline is told in its own words. */
static int call_step(struct task_run *r, const struct task_step *step, struct err *e)
{
    int (*act)(struct task_run *r, struct err *e) = r->step.operation == TASK_ROLLBACK ? step->rollback : step->run;
    int64_t former = fiber_narrow_deadline(r->step.timeout_s * 1000);
    char text[TASK_LOG_LINE_SIZE];
    bool late;
    int rv;

    rv = act != NULL ? act(r, e) : 0;
    late = fiber_ms_left() == 0;
    fiber_restore_deadline(former);
    if (rv == 0 || !late || !err_is(e, &ERR_TIMEOUT))
        return rv;
    task_log(r, "its time is over: %s", err_text(e, ERR_EN, text, sizeof text));
    return err_set(e, &ERR_STEP_TIMEOUT, "%lld", (long long)r->step.timeout_s);
}

static enum decide_event event_of(const struct err *why)
{
    if (err_is(why, &ERR_TASK_UNKNOWN))
        return DECIDE_UNKNOWN;
    if (err_is(why, &ERR_STEP_FOREIGN))
        return DECIDE_DECLINED;
    return task_may_pass(why) ? DECIDE_PASSING : DECIDE_FAILED;
}

static void say_failure(struct task_run *r, const struct err *why, char text[ERROR_SIZE])
{
    (void)err_text(why, ERR_EN, text, ERROR_SIZE);
    log_warn(&r->log, "step failed", LOG_S("step", r->step.name), LOG_E(why));
    task_log(r, "failed: %s", text);
}

static void end_stopped(struct task_run *r)
{
    struct outcome asked = { DECIDE_STOPPED, "It was cancelled.", r->stop_dispatch };
    struct outcome leaving = { DECIDE_LOST, NULL, r->step.dispatch };

    if (r->stop == TASK_STOP_ASKED)
        task_log(r, "cancelled");
    if (r->stop == TASK_STOP_ASKED)
        report(r, &asked);
    if (r->stop == TASK_STOP_LEAVING)
        report(r, &leaving);
}

static void run(struct task_run *r)
{
    const struct task_step *step = NULL;
    char text[ERROR_SIZE] = "";
    struct err why = { 0 };
    struct outcome o = { DECIDE_DONE, NULL, r->step.dispatch };
    int rv = insist(r, call_read, NULL, &why);

    if (rv == 0) {
        r->flow = task_engine_flow(r->engine, r->task.flow);
        step = r->flow != NULL ? plan_step(r->flow, r->step.name) : NULL;
        rv = step != NULL ? call_step(r, step, &why) : err_set(&why, &ERR_STEP_FOREIGN, "%s", r->task.flow);
    }
    if (r->stop != TASK_GOES_ON || fiber_is_cancelled(fiber_current())) {
        end_stopped(r);
        return;
    }
    if (rv != 0) {
        say_failure(r, &why, text);
        o.event = event_of(&why);
        o.error = text;
    }
    report(r, &o);
}

static void unlist(struct task_run *r)
{
    struct task_run **at = &r->engine->runs;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
}

void task_run_free(struct task_run *r)
{
    json_decref(r->arguments);
    task_run_free_log(r);
    arena_fini(&r->arena);
    mem_free(r);
}

void task_run_fiber(void *data)
{
    struct task_run *r = data;
    struct task_engine *t = r->engine;

    r->fiber = fiber_current();
    if (r->stop != TASK_GOES_ON)
        end_stopped(r);
    else
        run(r);
    task_run_await_log(r);
    task_remember_end(t, &r->step);
    unlist(r);
    atomic_fetch_sub(&t->running, 1);
    bell_ring(&t->work);
    if (t->runs == NULL)
        waitlist_wake_all(&t->left);
    task_run_free(r);
}

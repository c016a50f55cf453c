/* SPDX-License-Identifier: Apache-2.0 */
/* The leader's node runs tasks, all others only accept them: a task is a row, and the leader looks for rows each second, or when it is kicked.
 * A task's fiber, again and again until the task is finished:
 *
 *   read task --> next step that is not SUCCESSFUL --> dispatch (d+1, committed) --> run --> finish (guarded by d) --.
 *        ^                                                                                                           |
 *        '-----------------------------------------------------------------------------------------------------------'
 *
 * While MetaDB is away the fiber waits and tries again: a step's outcome is never dropped, since losing it would run the step again.
 * Overtaken (the row has another dispatch): someone else goes on, this fiber ends. */
#include "src/task/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/json.h"
#include "src/io/fiber.h"
#include "src/task/job.h"

enum { DB_RETRY_MS = 500, DB_CALL_MS = 30000, MAX_LINES = 1000, LINE_SIZE = 1024, LOOK_MS = 1000, LOOK_TIMEOUT_MS = 10000 };

struct task_engine {
    struct task_engine_conf conf;
    struct log log;
    struct task_run *runs;       /* that have a fiber */
    struct jobs *jobs;           /* NULL: this node does not run tasks */
};

struct task_run {
    struct task_engine *engine;
    struct task_run *next;       /* of engine->runs */
    struct fiber *fiber;         /* NULL: it has not begun */
    bool stopped;                /* somebody else goes on */
    int64_t id;
    struct arena arena;          /* of one turn: the task's row and what the step allocates */
    struct task task;
    struct subtask *step;
    const struct task_flow *flow;
    struct log log;
    int64_t lines;
};

const struct task *task_of(const struct task_run *r)
{
    return &r->task;
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

static int context_object(const struct task_run *r, json_t **out, struct err *e)
{
    const char *text = r->task.context != NULL ? r->task.context : "{}";

    return json_parse((struct slice){ text, strlen(text) }, out, e);
}

const char *task_get(struct task_run *r, const char *key)
{
    const char *value;
    char *copy = NULL;
    json_t *object;

    if (context_object(r, &object, NULL) != 0)
        return NULL;
    value = json_string_value(json_object_get(object, key));
    if (value != NULL)
        copy = arena_strdup(&r->arena, value);
    json_decref(object);
    return copy;
}

int task_set(struct task_run *r, const char *key, const char *value, struct err *e)
{
    json_t *object;
    char *text = NULL;
    int rv = context_object(r, &object, e);

    if (rv != 0)
        return rv;
    if (json_object_set_new(object, key, json_string(value)) == 0)
        text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    r->task.context = text != NULL ? arena_strdup(&r->arena, text) : NULL;
    mem_free(text);
    if (r->task.context == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return store_task_set_context(task_db(r), r->id, r->task.context, e);
}

void task_log(struct task_run *r, const char *fmt, ...)
{
    char text[LINE_SIZE];
    struct err e;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_info(&r->log, text);
    if (r->lines < MAX_LINES &&
        store_subtask_log(task_db(r), r->step->id, r->step->dispatch * MAX_LINES + r->lines, text, &e) != 0)
        log_warn(&r->log, "step's log line was not kept", LOG_E(&e));
    r->lines++;
}

static const struct task_flow *find_flow(const struct task_engine *t, const char *name)
{
    for (const struct task_flow *const *const *table = t->conf.flows; *table != NULL; table++)
        for (const struct task_flow *const *flow = *table; *flow != NULL; flow++)
            if (strcmp((*flow)->name, name) == 0)
                return *flow;
    return NULL;
}

/* True when the same call may work once MetaDB is back. */
static bool is_passing(const struct err *e)
{
    return err_is(e, &ERR_DB_AWAY) || err_is(e, &ERR_DB_UNSETTLED) || err_is(e, &ERR_TIMEOUT) || err_is(e, &ERR_BUSY) ||
           err_is(e, &ERR_SQL_RETRY) || err_is(e, &ERR_SQL_LOST) || err_is(e, &ERR_NOMEM);
}

/* Runs one call to MetaDB until it says yes or no. */
static int insist(struct task_run *r, int (*call)(struct task_run *r, const void *arg, struct err *e), const void *arg, struct err *e)
{
    for (;;) {
        int64_t former = fiber_narrow_deadline(DB_CALL_MS);
        int rv = call(r, arg, e);
        struct err ended;

        fiber_restore_deadline(former);
        if (rv == 0 || !is_passing(e) || fiber_is_cancelled(fiber_current()))
            return rv;
        if (fiber_sleep(DB_RETRY_MS, &ended) != 0)
            return rv;
    }
}

static int call_get(struct task_run *r, const void *arg, struct err *e)
{
    (void)arg;
    arena_fini(&r->arena);
    return store_task_get(task_db(r), r->id, &r->arena, &r->task, e);
}

static int call_dispatch(struct task_run *r, const void *arg, struct err *e)
{
    (void)arg;
    return store_subtask_dispatch(task_db(r), r->step, r->engine->conf.node, e);
}

static int call_finish_step(struct task_run *r, const void *arg, struct err *e)
{
    return store_subtask_finish(task_db(r), r->step->id, r->step->dispatch, arg, e);
}

static int call_finish_task(struct task_run *r, const void *arg, struct err *e)
{
    return store_task_finish(task_db(r), r->id, *(const enum task_status *)arg, e);
}

static int run_step(struct task_run *r, const struct task_step *step, struct err *e)
{
    int64_t former = fiber_narrow_deadline((int64_t)step->timeout_s * 1000);
    int rv = step->run(r, e);

    fiber_restore_deadline(former);
    return rv;
}

static void undo(struct task_run *r)
{
    struct err e;

    if (r->flow->failed != NULL && r->flow->failed(r, &e) != 0)
        log_error(&r->log, "what the failed task left behind could not be undone", LOG_E(&e));
}

static int end_task(struct task_run *r, enum task_status status, struct err *e)
{
    log_info(&r->log, status == TASK_SUCCESSFUL ? "task finished" : "task failed");
    return insist(r, call_finish_task, &status, e);
}

/* A step's failure as people read it. The step is not failed when this process is stopping: it will be dispatched again. */
static int step_failed(struct task_run *r, const struct err *why, struct err *e)
{
    char text[LINE_SIZE];
    int rv;

    (void)err_text(why, ERR_EN, text, sizeof text);
    log_warn(&r->log, "step failed", LOG_S("step", r->step->name), LOG_E(why));
    task_log(r, "failed: %s", text);
    rv = insist(r, call_finish_step, text, e);
    if (rv != 0)
        return rv;
    undo(r);
    return end_task(r, TASK_FAILED, e);
}

static struct subtask *next_step(struct task_run *r)
{
    for (size_t i = 0; i < r->task.n_subtasks; i++)
        if (r->task.subtasks[i].status != SUBTASK_SUCCESSFUL)
            return &r->task.subtasks[i];
    return NULL;
}

static const struct task_step *step_of(const struct task_flow *flow, int64_t series)
{
    const struct task_step *step = flow->steps;

    while (step->name != NULL && --series > 0)
        step++;
    return step->name != NULL ? step : NULL;
}

static int act(struct task_run *r, bool *finished, struct err *e)
{
    const struct task_step *step = step_of(r->flow, r->step->series);
    struct err why = { 0 };
    int rv;

    if (step == NULL)
        return err_set(e, &ERR_UNEXPECTED, "flow %s has no step %lld", r->flow->name, (long long)r->step->series);
    rv = insist(r, call_dispatch, NULL, e);
    if (rv != 0)
        return rv;
    r->step->dispatch++;
    r->lines = 0;
    rv = run_step(r, step, &why);
    if (fiber_is_cancelled(fiber_current()))
        return err_set(e, &ERR_CANCELLED, "");
    if (rv == 0)
        return insist(r, call_finish_step, NULL, e);
    *finished = true;
    return step_failed(r, &why, e);
}

/* One turn. Sets *finished when there is nothing left to do. */
static int turn(struct task_run *r, bool *finished, struct err *e)
{
    int rv = insist(r, call_get, NULL, e);

    if (rv != 0)
        return rv;
    *finished = r->task.status != TASK_RUNNING;
    if (*finished)
        return 0;
    r->flow = find_flow(r->engine, r->task.flow);
    if (r->flow == NULL)
        return err_set(e, &ERR_UNEXPECTED, "this version does not know the flow %s", r->task.flow);
    r->step = next_step(r);
    if (r->step != NULL)
        return act(r, finished, e);
    *finished = true;
    return end_task(r, TASK_SUCCESSFUL, e);
}

static void unlist(struct task_run *r)
{
    struct task_run **at = &r->engine->runs;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
}

static void run_fiber(void *data)
{
    struct task_run *r = data;
    bool finished = false;
    struct err e = { 0 };
    int rv = 0;

    r->fiber = fiber_current();
    while (rv == 0 && !finished && !r->stopped)
        rv = turn(r, &finished, &e);
    if (rv != 0 && !err_is(&e, &ERR_CANCELLED))
        log_warn(&r->log, "task is left as it is", LOG_E(&e));
    unlist(r);
    arena_fini(&r->arena);
    mem_free(r);
}

static bool is_running(const struct task_engine *t, int64_t id)
{
    for (const struct task_run *r = t->runs; r != NULL; r = r->next)
        if (r->id == id && !r->stopped)
            return true;
    return false;
}

/* Once per task: what is running already goes on. */
static int start(struct task_engine *t, int64_t id, struct err *e)
{
    struct task_run *r;
    char text[24];
    int rv;

    if (t->jobs == NULL || is_running(t, id))
        return 0;
    r = mem_zalloc(sizeof *r);
    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *r = (struct task_run){ .engine = t, .id = id, .next = t->runs };
    t->runs = r;
    (void)snprintf(text, sizeof text, "%lld", (long long)id);
    log_child(&r->log, &t->log, "task", text);
    arena_init(&r->arena);
    rv = fiber_start(t->conf.loop, "task", run_fiber, r, NULL, e);
    if (rv != 0) {
        unlist(r);
        mem_free(r);
    }
    return rv;
}

struct kick {
    struct loop_post post;
    struct task_engine *engine;
    int64_t id;
};

static void on_kick(struct loop_post *post)
{
    struct kick *k = (struct kick *)((char *)post - offsetof(struct kick, post));
    struct err e;

    if (k->engine->jobs == NULL && k->engine->conf.kick_leader != NULL)
        k->engine->conf.kick_leader(k->id, k->engine->conf.kick_data);
    else if (start(k->engine, k->id, &e) != 0)
        log_warn(&k->engine->log, "task starts a little later", LOG_I("task", k->id), LOG_E(&e));
    mem_free(k);
}

void task_kick(struct task_engine *t, int64_t id)
{
    struct kick *k = mem_zalloc(sizeof *k);

    if (k == NULL)
        return;
    k->engine = t;
    k->id = id;
    k->post.fn = on_kick;
    loop_post(t->conf.loop, &k->post);
}

int task_engine_new(const struct task_engine_conf *conf, struct task_engine **out, struct err *e)
{
    struct task_engine *t = mem_zalloc(sizeof *t);

    if (t == NULL)
        return err_set(e, &ERR_NOMEM, "");
    t->conf = *conf;
    t->log = *conf->log;
    *out = t;
    return 0;
}

void task_engine_free(struct task_engine *t)
{
    mem_free(t);
}

/* Unfinished tasks that do not run here: those of the leader before, and those that another node has accepted. */
static int look_for_tasks(void *data, struct err *e)
{
    struct task_engine *t = data;
    struct arena arena;
    int64_t *ids;
    size_t n = 0;
    int rv;

    arena_init(&arena);
    rv = store_task_unfinished(t->conf.db, -1, &arena, &ids, &n, e);
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = start(t, ids[i], e);
    arena_fini(&arena);
    return rv;
}

static const struct job engine_jobs[] = { { "tasks", LOOK_MS, LOOK_TIMEOUT_MS, look_for_tasks, true }, { NULL } };

int task_engine_start(struct task_engine *t, uint64_t seed, struct err *e)
{
    return jobs_start(t->conf.loop, engine_jobs, t, &t->log, seed, &t->jobs, e);
}

void task_engine_stop(struct task_engine *t)
{
    jobs_stop(t->jobs);
    t->jobs = NULL;
    for (struct task_run *r = t->runs; r != NULL; r = r->next) {
        r->stopped = true;
        if (r->fiber != NULL)
            fiber_cancel(r->fiber);
    }
}

static size_t n_steps(const struct task_flow *flow)
{
    size_t n = 0;

    while (flow->steps[n].name != NULL)
        n++;
    return n;
}

int task_take_ids(struct db *d, const struct task_flow *flow, struct arena *arena, int64_t **ids, struct err *e)
{
    size_t n = n_steps(flow) + 1;
    int rv = 0;

    *ids = arena_array(arena, n, sizeof **ids);
    if (*ids == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = db_next_id(d, &(*ids)[i], e);
    return rv;
}

static struct subtask *make_steps(const struct task_flow *flow, const int64_t *ids, int64_t now_us, struct arena *arena)
{
    size_t n = n_steps(flow);
    struct subtask *steps = arena_array(arena, n, sizeof *steps);

    for (size_t i = 0; steps != NULL && i < n; i++)
        steps[i] = (struct subtask){
            .id = ids[i + 1],
            .series = (int64_t)i + 1,
            .name = flow->steps[i].name,
            .description = flow->steps[i].description,
            .timeout_s = flow->steps[i].timeout_s,
            .status = i == 0 ? SUBTASK_READY : SUBTASK_PENDING,
            .created_us = now_us,
        };
    return steps;
}

int task_insert(struct tx *tx, const struct task_new *n, const int64_t *ids, const char *node, int64_t now_us, struct arena *arena,
                struct err *e)
{
    struct task t = {
        .id = ids[0],
        .flow = n->flow->name,
        .name = n->name,
        .definition_id = n->flow->definition_id,
        .cluster_id = n->cluster_id,
        .ob_cluster_id = n->ob_cluster_id,
        .tenant_id = n->tenant_id,
        .cluster_name = n->cluster_name != NULL ? n->cluster_name : "",
        .tenant_name = n->tenant_name != NULL ? n->tenant_name : "",
        .creator_id = n->creator_id,
        .creator_name = n->creator_name,
        .status = TASK_RUNNING,
        .prohibit_rollback = true,
        .executor = node,
        .context = n->context != NULL ? n->context : "{}",
        .created_us = now_us,
        .subtasks = make_steps(n->flow, ids, now_us, arena),
        .n_subtasks = n_steps(n->flow),
    };

    if (t.subtasks == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return store_task_insert(tx, &t, e);
}

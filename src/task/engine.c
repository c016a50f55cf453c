/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/engine_inside.h"

#include <string.h>

#include "src/base/json.h"
#include "src/store/node.h"
#include "src/task/plan.h"

/* ---- bell ----------------------------------------------------------------------------------------------------------------------- */

void bell_ring(struct bell *b)
{
    b->rung = true;
    waitlist_wake_all(&b->line);
}

bool bell_wait(struct bell *b, int64_t ms)
{
    int64_t former = fiber_narrow_deadline(ms);
    struct err e;

    if (!b->rung && waitlist_wait(&b->line, &e) != 0) {
        /* the time is over, or the fiber is to end */
    }
    fiber_restore_deadline(former);
    if (fiber_is_cancelled(fiber_current()))
        return false;
    b->rung = false;
    return true;
}

/* ---- kicks: from any loop --------------------------------------------------------------------------------------------------------- */

struct kick {
    struct loop_post post;
    struct task_engine *engine;
    void (*act)(struct task_engine *t);
};

static void on_kick(struct loop_post *post)
{
    struct kick *k = (struct kick *)((char *)post - offsetof(struct kick, post));

    k->act(k->engine);
    mem_free(k);
}

static void kick(struct task_engine *t, void (*act)(struct task_engine *t))
{
    struct kick *k = mem_zalloc(sizeof *k);

    if (k == NULL)
        return;
    *k = (struct kick){ .engine = t, .act = act, .post.fn = on_kick };
    loop_post(t->conf.loop, &k->post);
}

static void look_for_ready(struct task_engine *t)
{
    if (t->scheduler != NULL)
        bell_ring(&t->plan);
}

static void tell_leader(struct task_engine *t)
{
    if (t->scheduler != NULL)
        bell_ring(&t->plan);
    else if (t->conf.kick_leader != NULL)
        t->conf.kick_leader(t->conf.hooks_data);
}

static void look_for_mine(struct task_engine *t)
{
    bell_ring(&t->work);
}

void task_kick(struct task_engine *t)
{
    kick(t, tell_leader);
}

void task_kicked_leader(struct task_engine *t)
{
    kick(t, look_for_ready);
}

void task_kicked_worker(struct task_engine *t)
{
    kick(t, look_for_mine);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

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

struct task_engine_stats task_engine_stats(const struct task_engine *t)
{
    return (struct task_engine_stats){
        .dispatched = atomic_load(&t->dispatched), .taken_over = atomic_load(&t->taken_over), .ran = atomic_load(&t->ran),
        .failed = atomic_load(&t->failed), .retried = atomic_load(&t->retried), .refused = atomic_load(&t->refused),
        .running = atomic_load(&t->running), .workers = atomic_load(&t->workers),
    };
}

const struct task_flow *task_engine_flow(const struct task_engine *t, const char *name)
{
    for (const struct task_flow *const *const *table = t->conf.flows; *table != NULL; table++)
        for (const struct task_flow *const *flow = *table; *flow != NULL; flow++)
            if (strcmp((*flow)->name, name) == 0)
                return *flow;
    return NULL;
}

/* ---- submission ------------------------------------------------------------------------------------------------------------------ */

static int64_t id_or_none(int64_t id)
{
    return id > 0 ? id : -1;
}

static const char *text_or_empty(const char *s)
{
    return s != NULL ? s : "";
}

static void describe(struct task *t, const struct task_new *n)
{
    t->flow = n->flow->name;
    t->name = n->name;
    t->definition_id = n->flow->definition_id;
    t->cluster_id = id_or_none(n->cluster_id);
    t->ob_cluster_id = id_or_none(n->ob_cluster_id);
    t->tenant_id = id_or_none(n->tenant_id);
    t->host_id = id_or_none(n->host_id);
    t->cluster_name = text_or_empty(n->cluster_name);
    t->tenant_name = text_or_empty(n->tenant_name);
    t->creator_id = n->creator_id;
    t->creator_name = text_or_empty(n->creator_name);
    t->status = TASK_RUNNING;
    t->operation = TASK_EXECUTE;
    t->type = n->type;
    t->prohibit_rollback = n->flow->prohibit_rollback;
    t->undo = n->flow->undo;
    t->executor = text_or_empty(n->node);
    t->arguments = n->arguments != NULL ? n->arguments : "{}";
    t->created_us = n->now_us;
}

int task_prepare(struct db *d, const struct task_new *n, struct arena *arena, struct task_prepared *out, struct err *e)
{
    struct task *t = arena_zalloc(arena, sizeof *t);
    int64_t *scratch;
    int rv;

    if (t == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = plan_make(n->flow, n->plan_data, arena, &t->subtasks, &t->n_subtasks, e);
    if (rv == 0)
        rv = db_next_id(d, &t->id, e);
    for (size_t i = 0; rv == 0 && i < t->n_subtasks; i++)
        rv = db_next_id(d, &t->subtasks[i].id, e);
    scratch = rv == 0 ? arena_array(arena, t->n_subtasks + 1, sizeof *scratch) : NULL;
    if (rv == 0 && scratch == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv != 0)
        return rv;
    t->operation = TASK_EXECUTE;
    decide_settle(t, scratch);
    *out = (struct task_prepared){ t->id, t };
    return 0;
}

int task_insert(struct tx *tx, const struct task_prepared *p, const struct task_new *n, struct arena *arena, struct err *e)
{
    struct task *t = p->task;
    int rv;

    describe(t, n);
    for (size_t i = 0; i < t->n_subtasks; i++)
        t->subtasks[i].created_us = n->now_us;
    t->locks = store_task_locks_text(n->locks, n->n_locks, arena);
    if (t->locks == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = store_task_locks_take_in(tx, t->id, t->locks, arena, e);
    return rv == 0 ? store_task_insert(tx, t, arena, e) : rv;
}

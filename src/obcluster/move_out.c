/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"

struct start {
    struct obclusters *o;
    int64_t id, now_us;
    bool force;
    const char *config_address;
    const struct obcluster_user *who;
    struct task_prepared prepared;
    struct arena *arena;
};

static const char *arguments(const struct start *s)
{
    struct str t;

    str_init(&t, s->arena);
    str_add_c(&t, '{');
    if (s->config_address != NULL) {
        json_add_key(&t, "targetConfigAddress");
        json_add_string(&t, s->config_address);
    }
    str_add_c(&t, '}');
    return str_failed(&t) ? NULL : t.s;
}

static int start_body(struct tx *tx, void *data, struct err *e)
{
    struct start *s = data;
    struct task_lock_want lock = { "obcluster", s->id };
    struct task_new task = { .flow = &flow_move_out, .cluster_id = s->id, .creator_id = s->who->id, .creator_name = s->who->name, .locks = &lock,
                             .n_locks = s->force ? 0 : 1, .node = s->o->conf.node, .now_us = s->now_us };
    struct obcluster c;
    bool moved;
    int rv = store_obcluster_lock(tx, s->id, s->arena, &c, e);

    if (rv == 0)
        rv = obcluster_require_running(&c, "moving it out", e);
    if (rv == 0)
        rv = store_obcluster_move(tx, s->id, OBCLUSTER_RUNNING, OBCLUSTER_MOVINGOUT, s->now_us, &moved, e);
    if (rv != 0)
        return rv;
    task.name = arena_printf(s->arena, "Move out cluster %s", c.name);
    task.arguments = arguments(s);
    task.cluster_name = c.name;
    task.ob_cluster_id = c.ob_cluster_id != FIELD_NONE ? c.ob_cluster_id : -1;
    if (task.name == NULL || task.arguments == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return task_insert(tx, &s->prepared, &task, s->arena, e);
}

static int refuse_unfinished(struct db *d, const struct obcluster *c, struct arena *arena, struct err *e)
{
    int64_t *unfinished;
    size_t n;
    int rv = store_task_unfinished(d, c->id, arena, &unfinished, &n, e);

    if (rv != 0 || n == 0)
        return rv;
    (void)err_set(e, &ERR_OBCLUSTER_TASK, "%s", c->name);
    return err_arg(e, "%lld", (long long)unfinished[0]);
}

int obcluster_move_out(struct obclusters *o, struct db *d, struct task_engine *t, int64_t id, bool force, const char *config_address,
                       const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e)
{
    struct start s = { o, id, clock_wall_us(o->conf.clock), force, config_address, who, { 0 }, arena };
    struct task_new plan = { .flow = &flow_move_out };
    struct obcluster c;
    int rv = store_obcluster_get(d, id, arena, &c, e);

    if (rv == 0)
        rv = obcluster_require_running(&c, "moving it out", e);
    if (rv == 0 && !force)
        rv = refuse_unfinished(d, &c, arena, e);
    if (rv == 0)
        rv = task_prepare(d, &plan, arena, &s.prepared, e);
    if (rv != 0)
        return rv;
    rv = db_transact(d, start_body, &s, e);
    if (rv != 0)
        return rv;
    *out = (struct obcluster_started){ s.prepared.id, id, c.name };
    task_kick(t);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/operate.h"

#include <string.h>

#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/safety.h"

ERR_DEFINE(ERR_OBSERVER_NOT_FOUND, 13001, 404, ERR_FINAL, "The cluster has no server with the id {0}.", "集群中不存在 ID 为 {0} 的 OBServer。");

const struct err_row *const operate_err_rows[] = { &ERR_OBSERVER_NOT_FOUND, NULL };

static const struct {
    const struct task_flow *flow;
    const char *title, *verb;     /* of the task, with the cluster's name and the target; for errors */
    bool of_server, stops;
} operations[] = {
    [OPERATE_STOP_ZONE] = { &flow_stop_zone, "Stop zone %s of cluster %s", "stopping a zone", false, true },
    [OPERATE_START_ZONE] = { &flow_start_zone, "Start zone %s of cluster %s", "starting a zone", false, false },
    [OPERATE_STOP_SERVER] = { &flow_stop_server, "Stop server %s of cluster %s", "stopping a server", true, true },
    [OPERATE_START_SERVER] = { &flow_start_server, "Start server %s of cluster %s", "starting a server", true, false },
};

struct start {
    struct obclusters *o;
    const struct operate *want;
    struct obcluster c;
    const char *zone, *server;    /* server: address, NULL for a zone */
    struct task_new task;
    struct task_prepared prepared;
    struct task_lock_want lock;
    struct arena *arena;
};

/* --- what it is about ------------------------------------------------------------------------------------------------------------ */

static int find_server(struct start *s, const struct obtopology *t, struct err *e)
{
    for (size_t i = 0; i < t->n_servers; i++) {
        if (t->servers[i].id != s->want->server_id)
            continue;
        s->zone = t->servers[i].zone;
        s->server = ob_address(t->servers[i].ip, t->servers[i].port, s->arena);
        return s->server != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
    }
    return err_set(e, &ERR_OBSERVER_NOT_FOUND, "%lld", (long long)s->want->server_id);
}

static int find_zone(struct start *s, const struct obtopology *t, struct err *e)
{
    for (size_t i = 0; i < t->n_zones; i++)
        if (strcmp(t->zones[i].name, s->want->zone) == 0) {
            s->zone = t->zones[i].name;
            return 0;
        }
    return err_set(e, &ERR_OB_ZONE_GONE, "%s", s->want->zone);
}

static int find_target(struct start *s, struct db *d, struct err *e)
{
    struct obtopology t;
    int rv = store_obtopology_read(d, s->c.id, s->arena, &t, e);

    if (rv != 0)
        return rv;
    return operations[s->want->what].of_server ? find_server(s, &t, e) : find_zone(s, &t, e);
}

/* --- may it be ------------------------------------------------------------------------------------------------------------------- */

static int check_with(struct sql *sql, struct start *s, struct err *e)
{
    const char *servers[] = { s->server };
    struct safety_set what = { s->zone, s->server != NULL ? servers : NULL, s->server != NULL };
    struct safety_view view;
    int rv = safety_view_read(sql, s->arena, &view, e);

    return rv == 0 ? safety_may_stop(&view, &what, e) : rv;
}

static int check_safety(struct start *s, struct err *e)
{
    struct link *k;
    int rv;

    if (!operations[s->want->what].stops || s->want->force)
        return 0;
    rv = link_take(s->o, &s->c, &k, e);
    return rv == 0 ? link_give(k, check_with(link_sql(k), s, e), e) : rv;
}

static int check(struct start *s, struct db *d, struct err *e)
{
    int rv = obcluster_require_running(&s->c, operations[s->want->what].verb, e);

    if (rv == 0 && obcluster_is_one_server(&s->c))
        rv = err_set(e, &ERR_SAFETY_LAST, "%s", s->c.name);
    if (rv == 0)
        rv = find_target(s, d, e);
    return rv == 0 ? check_safety(s, e) : rv;
}

/* --- the task -------------------------------------------------------------------------------------------------------------------- */

static const char *arguments(const struct start *s)
{
    struct str t;

    str_init(&t, s->arena);
    str_add(&t, "{\"zone\":");
    json_add_string(&t, s->zone);
    if (s->server != NULL) {
        json_add_key(&t, "server");
        json_add_string(&t, s->server);
    }
    json_add_key(&t, "force");
    str_add(&t, s->want->force ? "true}" : "false}");
    return str_failed(&t) ? NULL : t.s;
}

static int describe(struct start *s, const struct obcluster_user *who, struct err *e)
{
    const char *target = s->server != NULL ? s->server : s->zone;

    s->lock = (struct task_lock_want){ "obcluster", s->c.id };
    s->task = (struct task_new){
        .flow = operations[s->want->what].flow,
        .name = arena_printf(s->arena, operations[s->want->what].title, target, s->c.name),
        .cluster_id = s->c.id,
        .ob_cluster_id = s->c.ob_cluster_id != FIELD_NONE ? s->c.ob_cluster_id : -1,
        .tenant_id = -1,
        .cluster_name = s->c.name,
        .creator_id = who->id,
        .creator_name = who->name,
        .arguments = arguments(s),
        .locks = &s->lock,
        .n_locks = 1,
        .node = s->o->conf.node,
        .now_us = clock_wall_us(s->o->conf.clock),
    };
    return s->task.name != NULL && s->task.arguments != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int start_body(struct tx *tx, void *data, struct err *e)
{
    struct start *s = data;
    struct obcluster now;
    int rv = store_obcluster_lock(tx, s->c.id, s->arena, &now, e);

    if (rv == 0)
        rv = obcluster_require_running(&now, operations[s->want->what].verb, e);
    return rv == 0 ? task_insert(tx, &s->prepared, &s->task, s->arena, e) : rv;
}

int obcluster_operate(struct obclusters *o, struct db *d, struct task_engine *t, const struct operate *want, const struct obcluster_user *who,
                      struct arena *arena, struct obcluster_started *out, struct err *e)
{
    struct start s = { .o = o, .want = want, .arena = arena };
    int rv = store_obcluster_get(d, want->cluster_id, arena, &s.c, e);

    if (rv == 0)
        rv = check(&s, d, e);
    if (rv == 0)
        rv = describe(&s, who, e);
    if (rv == 0)
        rv = task_prepare(d, &s.task, arena, &s.prepared, e);
    if (rv == 0)
        rv = db_transact(d, start_body, &s, e);
    if (rv != 0)
        return rv;
    *out = (struct obcluster_started){ s.prepared.id, s.c.id, s.c.name };
    task_kick(t);
    return 0;
}

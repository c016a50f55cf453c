/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/operate.h"

#include <string.h>

#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/safety.h"
#include "src/store/obinstall.h"

ERR_DEFINE(ERR_OBSERVER_NOT_FOUND, 13001, 404, ERR_FINAL, "The cluster has no server with the id {0}.", "集群中不存在 ID 为 {0} 的 OBServer。");

const struct err_row *const operate_err_rows[] = { &ERR_OBSERVER_NOT_FOUND, NULL };

enum { MAX_SERVERS = 1000, MAX_LOCKS = MAX_SERVERS + 1 };
enum about { OF_ZONE, OF_SERVER, OF_CLUSTER };
#define STATUS(NAME) (1u << OBCLUSTER_##NAME)

static const struct {
    const struct task_flow *flow;
    const char *title, *verb;     /* of the task, with the target and the cluster's name; for errors */
    enum about about;
    unsigned from;                /* statuses in which it is possible */
    int to;                       /* status while it is under way */
    bool stops;                   /* a zone or a server: majorities must stay */
} operations[] = {
    [OPERATE_STOP_ZONE] = { &flow_stop_zone, "Stop zone %s of cluster %s", "stopping a zone", OF_ZONE, STATUS(RUNNING), OBCLUSTER_RUNNING, true },
    [OPERATE_START_ZONE] = { &flow_start_zone, "Start zone %s of cluster %s", "starting a zone", OF_ZONE, STATUS(RUNNING), OBCLUSTER_RUNNING, false },
    [OPERATE_STOP_SERVER] = { &flow_stop_server, "Stop server %s of cluster %s", "stopping a server", OF_SERVER, STATUS(RUNNING), OBCLUSTER_RUNNING,
                              true },
    [OPERATE_START_SERVER] = { &flow_start_server, "Start server %s of cluster %s", "starting a server", OF_SERVER, STATUS(RUNNING),
                               OBCLUSTER_RUNNING, false },
    [OPERATE_RESTART_ZONE] = { &flow_restart_servers, "Restart zone %s of cluster %s", "restarting a zone", OF_ZONE, STATUS(RUNNING),
                               OBCLUSTER_RUNNING, true },
    [OPERATE_RESTART_SERVER] = { &flow_restart_servers, "Restart server %s of cluster %s", "restarting a server", OF_SERVER, STATUS(RUNNING),
                                 OBCLUSTER_RUNNING, true },
    [OPERATE_STOP] = { &flow_stop, "Stop %scluster %s", "stopping it", OF_CLUSTER, STATUS(RUNNING), OBCLUSTER_STOPPING, false },
    [OPERATE_START] = { &flow_start, "Start %scluster %s", "starting it", OF_CLUSTER, STATUS(STOPPED), OBCLUSTER_STARTING, false },
    [OPERATE_RESTART] = { &flow_restart, "Restart %scluster %s", "restarting it", OF_CLUSTER, STATUS(RUNNING), OBCLUSTER_RESTARTING, false },
    [OPERATE_DELETE] = { &flow_delete, "Delete %scluster %s", "deleting it", OF_CLUSTER, STATUS(RUNNING) | STATUS(STOPPED), OBCLUSTER_DELETING, false },
};

struct start {
    struct obclusters *o;
    const struct operate *want;
    struct obcluster c;
    const char *zone, *server;    /* of a zone: zone; of a server: both */
    struct install_plan plan;     /* of the cluster */
    struct task_new task;
    struct task_prepared prepared;
    struct task_lock_want *locks;
    size_t n_locks;
    struct arena *arena;
};

static bool needs_install(enum operation what)
{
    return what == OPERATE_RESTART_ZONE || what == OPERATE_RESTART_SERVER;
}

static const struct task_flow *flow_of(const struct start *s)
{
    if (s->want->force && s->want->what == OPERATE_RESTART)
        return &flow_force_restart;
    return s->want->force && needs_install(s->want->what) ? &flow_force_restart_servers : operations[s->want->what].flow;
}

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

int install_plan_make(const struct obinstall_server *servers, size_t n, struct arena *arena, struct install_plan *out, struct err *e)
{
    struct task_target *s = arena_array(arena, n + 1, sizeof *s), *z = arena_array(arena, n + 1, sizeof *z);

    if (n > MAX_SERVERS)
        return err_set(e, &ERR_INVALID, "at most %d servers", MAX_SERVERS);
    for (size_t i = 0; s != NULL && z != NULL && i < n; i++) {
        s[i].id = arena_printf(arena, "%lld", (long long)servers[i].id);
        s[i].label = ob_address(servers[i].ip, servers[i].port, arena);
        z[i].id = servers[i].zone;
        if (s[i].id == NULL || s[i].label == NULL)
            s = NULL;
    }
    *out = (struct install_plan){ s, z, n };
    return s != NULL && z != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* Those of the zone, or the one, that is meant; all of a cluster. */
static size_t keep_meant(const struct start *s, struct obinstall_server *servers, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const char *address = ob_address(servers[i].ip, servers[i].port, s->arena);

        if ((s->zone == NULL || strcmp(s->zone, servers[i].zone) == 0) &&
            (s->server == NULL || (address != NULL && strcmp(s->server, address) == 0)))
            servers[kept++] = servers[i];
    }
    return kept;
}

static int find_installed(struct start *s, struct db *d, struct err *e)
{
    struct obinstall_server *servers;
    struct obinstall install;
    size_t n;
    int rv = store_obinstall_get(d, s->c.id, s->arena, &install, e);

    if (rv == 0)
        rv = store_obinstall_servers(d, s->c.id, s->arena, &servers, &n, e);
    if (rv == 0)
        n = keep_meant(s, servers, n);
    if (rv == 0)
        rv = n > 0 ? install_plan_make(servers, n, s->arena, &s->plan, e) : err_set(e, &ERR_OBINSTALL_NONE, "%s", s->c.name);
    for (size_t i = 0; rv == 0 && i < n; i++)
        s->locks[s->n_locks++] = (struct task_lock_want){ "host", servers[i].host_id };
    return rv;
}

static int find_target(struct start *s, struct db *d, struct err *e)
{
    struct obtopology t;
    int rv;

    if (operations[s->want->what].about == OF_CLUSTER)
        return find_installed(s, d, e);
    rv = store_obtopology_read(d, s->c.id, s->arena, &t, e);
    if (rv != 0)
        return rv;
    rv = operations[s->want->what].about == OF_SERVER ? find_server(s, &t, e) : find_zone(s, &t, e);
    return rv == 0 && needs_install(s->want->what) ? find_installed(s, d, e) : rv;
}

/* --- may it be ------------------------------------------------------------------------------------------------------------------- */

static int check_with(struct sql *sql, struct start *s, struct err *e)
{
    const char *servers[] = { s->server };
    struct safety_set what = { s->zone, s->server != NULL ? servers : NULL, s->server != NULL };
    struct safety_view view;
    int rv = safety_view_read(sql, s->arena, &view, e);

    if (rv != 0)
        return rv;
    return s->want->what == OPERATE_RESTART ? safety_may_roll(&view, e) : safety_may_stop(&view, &what, e);
}

static int check_safety(struct start *s, struct err *e)
{
    struct link *k;
    int rv;

    if ((!operations[s->want->what].stops && s->want->what != OPERATE_RESTART) || s->want->force)
        return 0;
    rv = link_take(s->o, &s->c, &k, e);
    return rv == 0 ? link_give(k, check_with(link_sql(k), s, e), e) : rv;
}

static int check_status(const struct start *s, const struct obcluster *c, struct err *e)
{
    if ((operations[s->want->what].from & 1u << c->status) != 0)
        return 0;
    (void)err_set(e, &ERR_OBCLUSTER_STATE, "%s", c->name);
    (void)err_arg(e, "%s", obcluster_status_names[c->status]);
    return err_arg(e, "%s", operations[s->want->what].verb);
}

static int check(struct start *s, struct db *d, struct err *e)
{
    int rv = check_status(s, &s->c, e);

    if (rv == 0 && operations[s->want->what].about != OF_CLUSTER && obcluster_is_one_server(&s->c))
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
    str_add_c(&t, '{');
    if (s->zone != NULL) {
        json_add_key(&t, "zone");
        json_add_string(&t, s->zone);
    }
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
    const char *target = s->server != NULL ? s->server : s->zone != NULL ? s->zone : "";

    s->locks[s->n_locks++] = (struct task_lock_want){ "obcluster", s->c.id };
    s->task = (struct task_new){
        .flow = flow_of(s),
        .name = arena_printf(s->arena, operations[s->want->what].title, target, s->c.name),
        .cluster_id = s->c.id,
        .ob_cluster_id = s->c.ob_cluster_id != FIELD_NONE ? s->c.ob_cluster_id : -1,
        .tenant_id = -1,
        .cluster_name = s->c.name,
        .creator_id = who->id,
        .creator_name = who->name,
        .arguments = arguments(s),
        .plan_data = &s->plan,
        .locks = s->locks,
        .n_locks = s->n_locks,
        .node = s->o->conf.node,
        .now_us = clock_wall_us(s->o->conf.clock),
    };
    return s->task.name != NULL && s->task.arguments != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int start_body(struct tx *tx, void *data, struct err *e)
{
    struct start *s = data;
    int to = operations[s->want->what].to;
    struct obcluster now;
    bool moved;
    int rv = store_obcluster_lock(tx, s->c.id, s->arena, &now, e);

    if (rv == 0)
        rv = check_status(s, &now, e);
    if (rv == 0 && now.status != to)
        rv = store_obcluster_move(tx, s->c.id, (enum obcluster_status)now.status, (enum obcluster_status)to, s->task.now_us, &moved, e);
    return rv == 0 ? task_insert(tx, &s->prepared, &s->task, s->arena, e) : rv;
}

int obcluster_operate(struct obclusters *o, struct db *d, struct task_engine *t, const struct operate *want, const struct obcluster_user *who,
                      struct arena *arena, struct obcluster_started *out, struct err *e)
{
    struct start s = { .o = o, .want = want, .arena = arena, .locks = arena_array(arena, MAX_LOCKS, sizeof *s.locks) };
    int rv = s.locks != NULL ? store_obcluster_get(d, want->cluster_id, arena, &s.c, e) : err_set(e, &ERR_NOMEM, "");

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

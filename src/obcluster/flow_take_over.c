/* SPDX-License-Identifier: Apache-2.0 */
/*   check the cluster --> collect what it consists of --> put it under management
 *        |                        |                               |
 *        '------------------------'------------ failed -----------'--> rolled back: the row is removed, the cluster is unknown again
 *
 * The row (TAKINGOVER) and its sealed password were made with the task. */
#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/task/domains.h"

static struct obclusters *domain(struct task_run *r)
{
    const struct domain_graph *g = task_data(r);

    return g->obclusters;
}

static int get_cluster(struct task_run *r, struct obcluster *out, struct err *e)
{
    return store_obcluster_get(task_db(r), task_of(r)->cluster_id, task_arena(r), out, e);
}

static int look(struct task_run *r, const struct obcluster *c, struct look *out, struct err *e)
{
    struct link *k;
    int rv = link_take(domain(r), c, &k, e);

    return rv == 0 ? link_give(k, look_at(link_sql(k), c, task_arena(r), out, e), e) : rv;
}

static int check(struct task_run *r, struct err *e)
{
    struct obcluster c;
    struct look seen;
    int rv = get_cluster(r, &c, e);

    if (rv == 0)
        rv = look(r, &c, &seen, e);
    if (rv != 0)
        return rv;
    task_log(r, "%s:%lld lets %s in and answers as %s", c.address, (long long)c.port, c.username, seen.full_version);
    return 0;
}

static int collect(struct task_run *r, struct err *e)
{
    struct obtopology former;
    struct obcluster c;
    struct look seen;
    bool written;
    int rv = get_cluster(r, &c, e);

    if (rv == 0)
        rv = look(r, &c, &seen, e);
    if (rv == 0)
        rv = store_obtopology_read(task_db(r), c.id, task_arena(r), &former, e);
    if (rv == 0)
        rv = look_keep(task_db(r), &c, &former, &seen, true, NULL, clock_wall_us(domain(r)->conf.clock), task_arena(r), &written, e);
    if (rv != 0)
        return rv;
    task_log(r, "found %zu zone(s), %zu server(s), %zu tenant(s)", seen.topology.n_zones, seen.topology.n_servers, seen.topology.n_tenants);
    return 0;
}

struct move {
    int64_t id, now_us;
    bool moved;
};

static int move_body(struct tx *tx, void *data, struct err *e)
{
    struct move *m = data;

    return store_obcluster_move(tx, m->id, OBCLUSTER_TAKINGOVER, OBCLUSTER_RUNNING, m->now_us, &m->moved, e);
}

static int finish(struct task_run *r, struct err *e)
{
    struct move m = { task_of(r)->cluster_id, clock_wall_us(domain(r)->conf.clock), false };
    struct obcluster c;
    int rv = task_transact(r, move_body, &m, e);

    if (rv == 0 && !m.moved)
        rv = get_cluster(r, &c, e); /* this step ran before, or the row is gone */
    if (rv != 0)
        return rv;
    obclusters_look_soon(domain(r), task_of(r)->cluster_id);
    task_log(r, "cluster %s is managed from now on", task_of(r)->cluster_name);
    return 0;
}

struct removal {
    int64_t id;
    struct arena *arena;
};

static int remove_body(struct tx *tx, void *data, struct err *e)
{
    const struct removal *m = data;
    struct obcluster c;
    int rv = store_obcluster_lock(tx, m->id, m->arena, &c, e);

    if (rv == ERR_OBCLUSTER_NOT_FOUND.code)
        return 0;
    return rv == 0 && c.status == OBCLUSTER_TAKINGOVER ? store_obcluster_delete(tx, m->id, e) : rv;
}

static int forget(struct task_run *r, struct err *e)
{
    struct removal m = { task_of(r)->cluster_id, task_arena(r) };
    int rv = task_transact(r, remove_body, &m, e);

    if (rv != 0)
        return rv;
    link_forget(domain(r), m.id);
    task_log(r, "the cluster was not taken over and is forgotten");
    return 0;
}

static const struct task_step steps[] = {
    { "Check the cluster", "Log in, and see that the same instance answers as when the take-over was asked for.", 60, check, .rollback = forget, .retries = 2 },
    { "Collect information", "Read version, zones, servers, capacity and tenants.", 60, collect, .retries = 2 },
    { "Put under management", "From now on it is watched and can be changed here.", 60, finish },
    { .name = NULL },
};

const struct task_flow flow_take_over = { "take_over_cluster", 1001, steps, .prohibit_rollback = true, .undo = true };

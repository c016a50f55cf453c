/* SPDX-License-Identifier: Apache-2.0 */
/*   check the cluster --> collect what it consists of --> switch its config URL --> put it under management
 *        |                        |                               |                        |
 *        '------------------------'------------ failed -----------'------------------------'--> rolled back: the row is removed, the cluster is
 *                                                                                               unknown again
 *
 * The row (TAKINGOVER) and its sealed password were made with the task. */
#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/obcluster/step_sys.h"

static int look(struct task_run *r, const struct obcluster *c, struct look *out, struct err *e)
{
    struct link *k;
    int rv = link_take(step_domain(r), c, &k, e);

    return rv == 0 ? link_give(k, look_at(link_sql(k), c, task_arena(r), out, e), e) : rv;
}

static int check(struct task_run *r, struct err *e)
{
    struct obcluster c;
    struct look seen;
    int rv = step_cluster(r, &c, e);

    if (rv == 0)
        rv = look(r, &c, &seen, e);
    if (rv != 0)
        return rv;
    task_log(r, "%s:%lld lets %s in and answers as %s", c.address, (long long)c.port, c.username, seen.full_version);
    return 0;
}

static int collect(struct task_run *r, struct err *e)
{
    struct obtopology seen;
    int rv = step_look(r, e);

    if (rv == 0)
        rv = store_obtopology_read(task_db(r), task_of(r)->cluster_id, task_arena(r), &seen, e);
    if (rv == 0)
        task_log(r, "found %zu zone(s), %zu server(s), %zu tenant(s)", seen.n_zones, seen.n_servers, seen.n_tenants);
    return rv;
}

static int finish(struct task_run *r, struct err *e)
{
    int rv = step_move(r, OBCLUSTER_TAKINGOVER, OBCLUSTER_RUNNING, e);

    if (rv == 0)
        task_log(r, "cluster %s is managed from now on", task_of(r)->cluster_name);
    return rv;
}

static int forget(struct task_run *r, struct err *e)
{
    int rv = step_forget(r, OBCLUSTER_TAKINGOVER, e);

    if (rv == 0)
        task_log(r, "the cluster was not taken over and is forgotten");
    return rv;
}

static const struct task_step steps[] = {
    { "Check the cluster", "Log in, and see that the same instance answers as when the take-over was asked for.", 60, check, .rollback = forget, .retries = 2 },
    { "Collect information", "Read version, zones, servers, capacity and tenants.", 60, collect, .retries = 2 },
    { "Switch config URL", "Observers take their config URL from this OCP, and say so to others.", 120, sys_claim, .rollback = sys_unclaim, .retries = 2 },
    { "Put under management", "From now on it is watched and can be changed here.", 60, finish },
    { .name = NULL },
};

const struct task_flow flow_take_over = { "take_over_cluster", 1001, steps, .prohibit_rollback = true, .undo = true };

/* SPDX-License-Identifier: Apache-2.0 */
/*   stop watching --> let go --> forget the cluster --> verify
 *        |               |              |
 *        '---- failed ---'--------------'--> rolled back: RUNNING again
 *
 * The database itself is not touched, but for its config URL. */
#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/step_sys.h"
#include "src/task/domains.h"
#include "src/vault/credential.h"

static struct obclusters *domain(struct task_run *r)
{
    const struct domain_graph *g = task_data(r);

    return g->obclusters;
}

/* The watch follows the rows: it lets go of a cluster that is not RUNNING, and writes nothing for it. */
static int stop_watching(struct task_run *r, struct err *e)
{
    (void)e;
    obclusters_look_soon(domain(r), task_of(r)->cluster_id);
    link_forget(domain(r), task_of(r)->cluster_id);
    task_log(r, "cluster %s is no longer watched", task_of(r)->cluster_name);
    return 0;
}

struct removal {
    int64_t id;
    struct arena *arena;
};

static int remove_all(struct tx *tx, const struct removal *m, const struct obcluster *c, struct err *e)
{
    const char *login = obcluster_login_name(c->name, m->arena);
    int rv = login != NULL ? store_credential_delete_named(tx, credential_target_names[CREDENTIAL_OB], login, e) : err_set(e, &ERR_NOMEM, "");

    return rv == 0 ? store_obcluster_delete(tx, m->id, e) : rv;
}

static int remove_body(struct tx *tx, void *data, struct err *e)
{
    const struct removal *m = data;
    struct obcluster c;
    int rv = store_obcluster_lock(tx, m->id, m->arena, &c, e);

    if (rv == ERR_OBCLUSTER_NOT_FOUND.code)
        return 0; /* this step ran before */
    if (rv == 0 && c.status != OBCLUSTER_MOVINGOUT)
        rv = err_set(e, &ERR_UNEXPECTED, "the cluster %s is not being moved out any more", c.name);
    return rv == 0 ? remove_all(tx, m, &c, e) : rv;
}

static int forget(struct task_run *r, struct err *e)
{
    struct removal m = { task_of(r)->cluster_id, task_arena(r) };
    int rv = task_transact(r, remove_body, &m, e);

    if (rv == 0)
        task_log(r, "everything known of cluster %s is removed; the database itself keeps running", task_of(r)->cluster_name);
    return rv;
}

static int verify(struct task_run *r, struct err *e)
{
    struct obtopology left;
    struct obcluster c;
    int rv = store_obcluster_get(task_db(r), task_of(r)->cluster_id, task_arena(r), &c, e);

    if (rv == 0)
        return err_set(e, &ERR_UNEXPECTED, "the cluster %s is still there", c.name);
    if (rv != ERR_OBCLUSTER_NOT_FOUND.code)
        return rv;
    rv = store_obtopology_read(task_db(r), task_of(r)->cluster_id, task_arena(r), &left, e);
    if (rv == 0 && left.n_zones + left.n_servers + left.n_tenants > 0)
        rv = err_set(e, &ERR_UNEXPECTED, "something of the cluster is still there");
    return rv;
}

static int back_body(struct tx *tx, void *data, struct err *e)
{
    struct task_run *r = data;
    bool moved;

    return store_obcluster_move(tx, task_of(r)->cluster_id, OBCLUSTER_MOVINGOUT, OBCLUSTER_RUNNING, clock_wall_us(domain(r)->conf.clock),
                                &moved, e);
}

static int watch_again(struct task_run *r, struct err *e)
{
    int rv = task_transact(r, back_body, r, e);

    if (rv == 0)
        obclusters_look_soon(domain(r), task_of(r)->cluster_id);
    return rv;
}

static const struct task_step steps[] = {
    { "Stop watching", "End the background look and close sessions to the cluster.", 60, stop_watching, .rollback = watch_again },
    { "Let go", "Another OCP may have it: its config URL does not name this one any more.", 60, sys_unclaim, .flags = STEP_SKIPPABLE },
    { "Forget the cluster", "Remove the cluster, its zones, servers, tenants, passwords and parameter history from MetaDB.", 120, forget },
    { "Verify", "Nothing of it is left.", 60, verify },
    { .name = NULL },
};

const struct task_flow flow_move_out = { "move_out_cluster", 1002, steps, .prohibit_rollback = true, .undo = true };

const struct task_flow *const obcluster_flows[] = {
    &flow_take_over,  &flow_move_out,    &flow_create,     &flow_delete,     &flow_stop, &flow_start, &flow_restart, &flow_force_restart,
    &flow_stop_zone,  &flow_start_zone,  &flow_stop_server, &flow_start_server, &flow_restart_servers, &flow_force_restart_servers,
    &flow_add_servers, &flow_add_zone,   &flow_delete_servers, &flow_delete_zone, &flow_replace_server,
    NULL,
};

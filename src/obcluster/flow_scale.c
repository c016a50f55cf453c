/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters that this OCP has installed grow and shrink:
 *
 *   add servers     prepare -> check host -> make directories -> bring package -> start observer -> add server -> wait -> look
 *   add zone        the same, with add zone -> start zone before add server
 *   delete servers  server by server: delete server -> wait until it is gone -> end observer -> remove directories -> forget;  look
 *   delete zone     stop zone -> delete server (all) -> wait until gone -> delete zone -> end observer -> remove directories -> forget -> look
 *   replace         add one server -> move the old one's units to it -> delete the old one as above
 *   restart         check -> stop service -> stop observer -> start observer -> start service -> wait -> look;  forced: the process alone
 *
 * Adding is undone by deleting. Rows of new servers were written with the task. */
#include <string.h>

#include "src/obcluster/flows.h"
#include "src/obcluster/safety.h"
#include "src/obcluster/step_member.h"

static int prepare(struct task_run *r, struct err *e)
{
    struct step_install s;
    int rv = step_install(r, &s, e);

    if (rv == 0)
        task_log(r, "cluster %s has %zu server(s) installed here", s.cluster.name, s.n_servers);
    return rv;
}

/* --- zones ----------------------------------------------------------------------------------------------------------------------- */

struct act {
    struct task_run *r;
    struct obcluster cluster;
};

static int change_zone(struct task_run *r, step_work work, const char *said, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_cluster(r, &w.cluster, e);

    if (rv == 0)
        rv = step_change(r, &w.cluster, work, &w, e);
    if (rv == 0)
        task_log(r, said, task_get_arg(r, "zone"));
    return rv;
}

static const char *zone_of(const void *data)
{
    return task_get_arg(((const struct act *)data)->r, "zone");
}

static int add_zone_with(struct sql *s, void *data, struct err *e)
{
    struct task_run *r = ((struct act *)data)->r;
    int rv = ob_zone_add(s, zone_of(data), task_get_arg(r, "region"), task_get_arg(r, "idc"), e);

    return rv == 0 ? ob_zone_change(s, OB_ZONE_START, zone_of(data), e) : rv;
}

static int add_zone(struct task_run *r, struct err *e)
{
    return change_zone(r, add_zone_with, "the cluster has the zone %s, and it is started", e);
}

static int stop_zone_with(struct sql *s, void *data, struct err *e)
{
    struct safety_set what = { .zone = zone_of(data) };
    int rv = safety_ask_stop(s, &what, task_arena(((struct act *)data)->r), e);

    return rv == 0 ? ob_zone_change(s, OB_ZONE_STOP, what.zone, e) : rv;
}

static int start_zone_with(struct sql *s, void *data, struct err *e)
{
    return ob_zone_change(s, OB_ZONE_START, zone_of(data), e);
}

static int stop_zone(struct task_run *r, struct err *e)
{
    return change_zone(r, stop_zone_with, "the zone %s is stopped", e);
}

static int start_zone(struct task_run *r, struct err *e)
{
    return change_zone(r, start_zone_with, "the zone %s is started", e);
}

static int delete_zone_with(struct sql *s, void *data, struct err *e)
{
    return ob_zone_change(s, OB_ZONE_DELETE, zone_of(data), e);
}

static int delete_zone(struct task_run *r, struct err *e)
{
    return change_zone(r, delete_zone_with, "the cluster has no zone %s any more", e);
}

static int remove_zone_with(struct sql *s, void *data, struct err *e)
{
    struct ob_zone_state z;
    bool found;
    int rv = ob_zone_get(s, zone_of(data), task_arena(((struct act *)data)->r), &z, &found, e);

    if (rv == 0 && found)
        rv = ob_zone_change(s, OB_ZONE_STOP, zone_of(data), e);
    return rv == 0 ? ob_zone_change(s, OB_ZONE_DELETE, zone_of(data), e) : rv;
}

static int remove_zone(struct task_run *r, struct err *e)
{
    return change_zone(r, remove_zone_with, "the cluster has no zone %s", e);
}

/* --- flows ----------------------------------------------------------------------------------------------------------------------- */

#define LOOK { "Look", "Keep what the cluster looks like now.", 60, step_look, .retries = 2, .flags = STEP_SKIPPABLE }
#define ADDING                                                                                                                             \
    { "Prepare", "Say what is to be done.", 60, prepare },                                                                                 \
        { "Reserve", "The server is one to be installed.", 60, prepare, .rollback = member_forget },                                       \
        { "Check host", "Ports and disks of the host are free, its agent answers.", 120, observer_check, .retries = 2 },                   \
        { "Make directories", "Make the directories of the observer, which bear the cluster's mark.", 120, observer_make_directories,       \
          .rollback = observer_remove_directories, .retries = 2 },                                                                         \
        { "Bring package", "Bring the package to the host and extract it.", 1800, observer_bring_package, .retries = 2 },                  \
        { "Start observer", "Start the process, and wait until it answers.", 600, observer_start_first, .rollback = observer_stop, .retries = 1 }, \
        { "Add server", "Make the server one of the cluster.", 300, member_add, .rollback = member_remove, .retries = 2 },                 \
        { "Wait for server", "It is ACTIVE and serves.", 3600, member_wait_service }
#define DELETING                                                                                                                           \
    { "Delete server", "The root service begins to move its units away.", 120, member_delete, .retries = 2 },                              \
        { "Wait until it is gone", "Its units are moved.", 3600, member_wait_gone },                                                       \
        { "End observer", "End the process: SIGTERM, and SIGKILL when it does not.", 120, observer_stop, .retries = 2, .flags = STEP_SKIPPABLE }, \
        { "Remove directories", "Remove the directories that bear the cluster's mark, with all data.", 600, observer_remove_directories,    \
          .retries = 2, .flags = STEP_SKIPPABLE },                                                                                         \
        { "Forget", "Its row goes.", 60, member_forget, .retries = 2 }

static void plan_install(struct plan *p, const struct install_plan *i)
{
    plan_then(p, "Prepare", NULL);
    plan_each(p, "Reserve", i->servers, i->n_servers, 0);
    plan_each(p, "Check host", i->servers, i->n_servers, 0);
    plan_each(p, "Make directories", i->servers, i->n_servers, 0);
    plan_on(p, "Bring package", 4);
    plan_on(p, "Start observer", 0);
}

static void plan_join(struct plan *p, const struct install_plan *i)
{
    for (size_t k = 0; k < i->n_servers; k++)
        plan_then(p, "Add server", &i->servers[k]);
    plan_each(p, "Wait for server", i->servers, i->n_servers, 0);
}

static void plan_part(struct plan *p, const struct task_target *server)
{
    plan_then(p, "Delete server", server);
    plan_then(p, "Wait until it is gone", server);
    plan_then(p, "End observer", server);
    plan_then(p, "Remove directories", server);
    plan_then(p, "Forget", server);
}

static const struct task_step add_steps[] = { ADDING, LOOK, { .name = NULL } };

static void plan_add(struct plan *p, const void *data)
{
    plan_install(p, data);
    plan_join(p, data);
    plan_then(p, "Look", NULL);
}

static const struct task_step add_zone_steps[] = {
    ADDING,
    { "Add zone", "The root service knows the zone, and it is started.", 120, add_zone, .rollback = remove_zone, .retries = 2 },
    LOOK,
    { .name = NULL },
};

static void plan_add_zone(struct plan *p, const void *data)
{
    plan_install(p, data);
    plan_then(p, "Add zone", NULL);
    plan_join(p, data);
    plan_then(p, "Look", NULL);
}

static const struct task_step delete_steps[] = { { "Prepare", "Say what is to be done.", 60, prepare }, DELETING, LOOK, { .name = NULL } };

static void plan_delete(struct plan *p, const void *data)
{
    const struct install_plan *i = data;

    plan_then(p, "Prepare", NULL);
    for (size_t k = 0; k < i->n_servers; k++)
        plan_part(p, &i->servers[k]);
    plan_then(p, "Look", NULL);
}

static const struct task_step delete_zone_steps[] = {
    { "Prepare", "Say what is to be done.", 60, prepare },
    { "Stop zone", "The root service takes the zone out of service.", 120, stop_zone, .rollback = start_zone, .retries = 2 },
    DELETING,
    { "Delete zone", "The root service forgets the zone.", 120, delete_zone, .retries = 2 },
    LOOK,
    { .name = NULL },
};

static void plan_delete_zone(struct plan *p, const void *data)
{
    const struct install_plan *i = data;

    plan_then(p, "Prepare", NULL);
    plan_then(p, "Stop zone", NULL);
    for (size_t k = 0; k < i->n_servers; k++)
        plan_then(p, "Delete server", &i->servers[k]);
    plan_each(p, "Wait until it is gone", i->servers, i->n_servers, 0);
    plan_then(p, "Delete zone", NULL);
    plan_each(p, "End observer", i->servers, i->n_servers, 0);
    plan_on(p, "Remove directories", 0);
    plan_on(p, "Forget", 0);
    plan_then(p, "Look", NULL);
}

static const struct task_step replace_steps[] = {
    ADDING,
    { "Move units", "The units of the old server go to the new one.", 7200, member_take_units, .retries = 2 },
    DELETING,
    LOOK,
    { .name = NULL },
};

/* The new server, then the old one. */
static void plan_replace(struct plan *p, const void *data)
{
    const struct install_plan *i = data;
    struct install_plan added = { i->servers, i->zones, 1 };

    plan_install(p, &added);
    plan_join(p, &added);
    plan_then(p, "Move units", &i->servers[0]);
    plan_part(p, &i->servers[1]);
    plan_then(p, "Look", NULL);
}

const struct task_flow flow_add_servers = { "add_servers", 1015, add_steps, .plan = plan_add };
const struct task_flow flow_add_zone = { "add_zone", 1016, add_zone_steps, .plan = plan_add_zone };
const struct task_flow flow_delete_servers = { "delete_servers", 1017, delete_steps, .plan = plan_delete, .prohibit_rollback = true };
const struct task_flow flow_delete_zone = { "delete_zone", 1018, delete_zone_steps, .plan = plan_delete_zone, .prohibit_rollback = true };
const struct task_flow flow_replace_server = { "replace_server", 1019, replace_steps, .plan = plan_replace, .prohibit_rollback = true };

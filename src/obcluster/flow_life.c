/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a whole cluster that this OCP has installed:
 *
 *   stop     freeze --> stop observer (all) --> STOPPED
 *   start    start observer (all) --> wait until all serve --> RUNNING
 *   restart  zone by zone: check --> stop zone --> leads nothing --> freeze --> stop observer --> start observer --> wait for zone --> start zone;
 *            --> RUNNING
 *   forced   stop observer (all) --> start observer (all) --> wait until all serve --> RUNNING
 *   delete   stop observer (all) --> remove directories (all) --> forget
 *
 * The status that says so was set with the task; each is left where it is when a step has failed, for a person to go on or back. */
#include <string.h>

#include "src/configurl/configurl.h"
#include "src/obcluster/flows.h"
#include "src/obcluster/link.h"
#include "src/obcluster/safety.h"
#include "src/obcluster/step_host.h"
#include "src/oceanbase/cluster_admin.h"
#include "src/task/domains.h"
#include "src/vault/credential.h"

/* --- status ---------------------------------------------------------------------------------------------------------------------- */

static int now_stopped(struct task_run *r, struct err *e)
{
    int rv = step_move(r, OBCLUSTER_STOPPING, OBCLUSTER_STOPPED, e);

    link_forget(step_domain(r), task_of(r)->cluster_id);
    return rv;
}

static int not_stopped(struct task_run *r, struct err *e)
{
    return step_move(r, OBCLUSTER_STOPPING, OBCLUSTER_RUNNING, e);
}

static int now_started(struct task_run *r, struct err *e)
{
    return step_move(r, OBCLUSTER_STARTING, OBCLUSTER_RUNNING, e);
}

static int not_started(struct task_run *r, struct err *e)
{
    return step_move(r, OBCLUSTER_STARTING, OBCLUSTER_STOPPED, e);
}

static int now_restarted(struct task_run *r, struct err *e)
{
    return step_move(r, OBCLUSTER_RESTARTING, OBCLUSTER_RUNNING, e);
}

static int begin(struct task_run *r, struct err *e)
{
    struct step_install s;
    int rv = step_install(r, &s, e);

    if (rv == 0)
        task_log(r, "cluster %s has %zu server(s)", s.cluster.name, s.n_servers);
    return rv;
}

/* --- service --------------------------------------------------------------------------------------------------------------------- */

struct act {
    struct task_run *r;
    struct step_install s;
};

/* The target of a step of a zone is its name, of no server. */
static int install_of(struct act *w, struct err *e)
{
    int rv = step_cluster(w->r, &w->s.cluster, e);

    return rv == 0 ? store_obinstall_servers(task_db(w->r), w->s.cluster.id, task_arena(w->r), &w->s.servers, &w->s.n_servers, e) : rv;
}

static bool is_meant(const struct act *w, const struct obinstall_server *s)
{
    const char *zone = task_target(w->r);

    return zone[0] == '\0' || strcmp(zone, s->zone) == 0;
}

static int freeze_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < w->s.n_servers; i++) {
        const char *address = ob_address(w->s.servers[i].ip, w->s.servers[i].port, task_arena(w->r));

        if (is_meant(w, &w->s.servers[i]))
            rv = address != NULL ? ob_minor_freeze(s, address, e) : err_set(e, &ERR_NOMEM, "");
    }
    return rv;
}

/* Only spares time at the next start: a cluster that cannot be asked is stopped all the same. */
static int freeze(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = install_of(&w, e);

    return rv == 0 ? step_try(r, &w.s.cluster, freeze_with, &w, "nothing was frozen", e) : rv;
}

/* Of the target's zone, or of all. `serving`: they must not be stopped either. */
static int all_are(struct act *w, struct sql *s, bool serving, bool *done, struct err *e)
{
    int rv = 0;

    *done = true;
    for (size_t i = 0; rv == 0 && i < w->s.n_servers; i++) {
        const char *address = ob_address(w->s.servers[i].ip, w->s.servers[i].port, task_arena(w->r));
        struct ob_member m;
        bool found;

        if (!is_meant(w, &w->s.servers[i]))
            continue;
        if (address == NULL)
            return err_set(e, &ERR_NOMEM, "");
        rv = ob_member_get(s, address, task_arena(w->r), &m, &found, e);
        *done &= rv == 0 && found && strcmp(m.status, "ACTIVE") == 0 && m.start_us > 0 && (!serving || m.stop_us < 0);
    }
    return rv;
}

static int all_serve(struct sql *s, void *data, bool *done, struct err *e)
{
    return all_are(data, s, true, done, e);
}

static int all_active(struct sql *s, void *data, bool *done, struct err *e)
{
    return all_are(data, s, false, done, e);
}

static int wait_service(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = install_of(&w, e);

    return rv == 0 ? step_wait(r, &w.s.cluster, "every server is ACTIVE and serves", all_serve, &w, e) : rv;
}

static int wait_zone(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = install_of(&w, e);

    return rv == 0 ? step_wait(r, &w.s.cluster, "the servers of the zone are ACTIVE", all_active, &w, e) : rv;
}

/* --- zones one after the other --------------------------------------------------------------------------------------------------- */

static int check_zone(struct sql *s, struct act *w, struct err *e)
{
    struct safety_set what = { .zone = task_target(w->r) };

    return safety_ask_stop(s, &what, task_arena(w->r), e);
}

static int may_stop(struct sql *s, void *data, bool *done, struct err *e)
{
    int rv = check_zone(s, data, e);

    *done = rv == 0;
    return rv;
}

static int leads_nothing(struct sql *s, void *data, bool *done, struct err *e)
{
    struct act *w = data;
    struct safety_set what = { .zone = task_target(w->r) };
    struct safety_view view;
    int rv = safety_view_read(s, task_arena(w->r), &view, e);

    *done = rv == 0 && safety_leads(&view, &what) == 0;
    return rv;
}

/* The zone before has just come back: its replicas catch up first. */
static int wait_until_safe(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = install_of(&w, e);

    return rv == 0 ? step_wait(r, &w.s.cluster, "every log stream keeps a majority without the zone", may_stop, &w, e) : rv;
}

static int wait_stopped(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = install_of(&w, e);

    return rv == 0 ? step_wait(r, &w.s.cluster, "leaders go to other zones", leads_nothing, &w, e) : rv;
}

/* Checked once more: this step may have waited for a node, or for a person. */
static int stop_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;
    int rv = check_zone(s, w, e);

    return rv == 0 ? ob_zone_change(s, OB_ZONE_STOP, task_target(w->r), e) : rv;
}

static int start_with(struct sql *s, void *data, struct err *e)
{
    return ob_zone_change(s, OB_ZONE_START, task_target(((struct act *)data)->r), e);
}

static int change_zone(struct task_run *r, step_work work, struct err *e)
{
    struct act w = { .r = r };
    int rv = install_of(&w, e);

    return rv == 0 ? step_change(r, &w.s.cluster, work, &w, e) : rv;
}

static int stop_zone(struct task_run *r, struct err *e)
{
    return change_zone(r, stop_with, e);
}

static int start_zone(struct task_run *r, struct err *e)
{
    return change_zone(r, start_with, e);
}

/* --- deleting -------------------------------------------------------------------------------------------------------------------- */

struct removal {
    int64_t id;
    struct arena *arena;
};

static int remove_body(struct tx *tx, void *data, struct err *e)
{
    const struct removal *m = data;
    const char *login;
    struct obcluster c;
    int rv = store_obcluster_lock(tx, m->id, m->arena, &c, e);

    if (rv == ERR_OBCLUSTER_NOT_FOUND.code)
        return 0;
    if (rv != 0)
        return rv;
    login = obcluster_login_name(c.name, m->arena);
    rv = login != NULL ? store_credential_delete_named(tx, credential_target_names[CREDENTIAL_OB], login, e) : err_set(e, &ERR_NOMEM, "");
    return rv == 0 ? store_obcluster_delete(tx, m->id, e) : rv;
}

static int forget(struct task_run *r, struct err *e)
{
    struct removal m = { task_of(r)->cluster_id, task_arena(r) };
    uint64_t n;
    int rv = store_config_delete(task_db(r), task_of(r)->cluster_name, task_of(r)->ob_cluster_id, &n, e);

    if (rv == 0)
        rv = task_transact(r, remove_body, &m, e);
    if (rv != 0)
        return rv;
    link_forget(step_domain(r), m.id);
    task_log(r, "cluster %s is deleted: its observers, their files, and what was known of it", task_of(r)->cluster_name);
    return 0;
}

/* --- flows ----------------------------------------------------------------------------------------------------------------------- */

#define STOP_OBSERVER { "Stop observer", "End the process: SIGTERM, and SIGKILL when it does not.", 120, observer_stop, .rollback = observer_start, .retries = 2 }
#define END_OBSERVER { "End observer", "End the process: SIGTERM, and SIGKILL when it does not.", 120, observer_stop, .retries = 2, .flags = STEP_SKIPPABLE }
#define START_OBSERVER { "Start observer", "Start the process, and wait until it answers.", 600, observer_start, .retries = 2 }
#define FREEZE { "Freeze", "Write what is in memory to disk, as far as the cluster can be asked.", 120, freeze, .flags = STEP_SKIPPABLE }
#define WAIT_SERVICE { "Wait for service", "Every server is ACTIVE and serves.", 3600, wait_service }
#define LOOK { "Look", "Keep what the cluster looks like now.", 60, step_look, .retries = 2, .flags = STEP_SKIPPABLE }

static void plan_all(struct plan *p, const char *step, const struct install_plan *i)
{
    plan_each(p, step, i->servers, i->n_servers, 0);
}

static const struct task_step stop_steps[] = {
    { "Begin", "Say what is to be stopped.", 60, begin, .rollback = not_stopped },
    FREEZE,
    STOP_OBSERVER,
    { "Note it", "The cluster is stopped from now on.", 60, now_stopped },
    { .name = NULL },
};

static void plan_stop(struct plan *p, const void *data)
{
    plan_then(p, "Begin", NULL);
    plan_then(p, "Freeze", NULL);
    plan_all(p, "Stop observer", data);
    plan_then(p, "Note it", NULL);
}

static const struct task_step start_steps[] = {
    { "Begin", "Say what is to be started.", 60, begin, .rollback = not_started },
    { "Start observer", "Start the process, and wait until it answers.", 600, observer_start, .rollback = observer_stop, .retries = 2 },
    WAIT_SERVICE,
    LOOK,
    { "Note it", "The cluster runs from now on.", 60, now_started },
    { .name = NULL },
};

static void plan_start(struct plan *p, const void *data)
{
    plan_then(p, "Begin", NULL);
    plan_all(p, "Start observer", data);
    plan_then(p, "Wait for service", NULL);
    plan_then(p, "Look", NULL);
    plan_then(p, "Note it", NULL);
}

static const struct task_step restart_steps[] = {
    { "Begin", "Say what is to be restarted.", 60, begin },
    { "Wait until it is safe", "Every log stream keeps a majority without the zone, and nothing of another zone is stopped.", 1800, wait_until_safe },
    { "Stop zone", "The root service takes the zone out of service.", 120, stop_zone, .retries = 2 },
    { "Wait until it leads nothing", "Leaders move to servers of other zones.", 600, wait_stopped, .flags = STEP_SKIPPABLE },
    FREEZE,
    STOP_OBSERVER,
    START_OBSERVER,
    { "Wait for zone", "The servers of the zone are ACTIVE again.", 3600, wait_zone },
    { "Start zone", "The root service takes the zone into service.", 120, start_zone, .retries = 2 },
    WAIT_SERVICE,
    LOOK,
    { "Note it", "The cluster runs from now on.", 60, now_restarted },
    { .name = NULL },
};

static void plan_zone(struct plan *p, const struct install_plan *i, size_t first, size_t end)
{
    plan_then(p, "Wait until it is safe", &i->zones[first]);
    plan_then(p, "Stop zone", &i->zones[first]);
    plan_then(p, "Wait until it leads nothing", &i->zones[first]);
    plan_then(p, "Freeze", &i->zones[first]);
    plan_each(p, "Stop observer", &i->servers[first], end - first, 0);
    plan_on(p, "Start observer", 0);
    plan_then(p, "Wait for zone", &i->zones[first]);
    plan_then(p, "Start zone", &i->zones[first]);
}

static void plan_restart(struct plan *p, const void *data)
{
    const struct install_plan *i = data;
    size_t first = 0;

    plan_then(p, "Begin", NULL);
    while (first < i->n_servers) {
        size_t end = first + 1;

        while (end < i->n_servers && strcmp(i->zones[end].id, i->zones[first].id) == 0)
            end++;
        plan_zone(p, i, first, end);
        first = end;
    }
    plan_then(p, "Wait for service", NULL);
    plan_then(p, "Look", NULL);
    plan_then(p, "Note it", NULL);
}

static void plan_force(struct plan *p, const void *data)
{
    plan_then(p, "Begin", NULL);
    plan_all(p, "Stop observer", data);
    plan_all(p, "Start observer", data);
    plan_then(p, "Wait for service", NULL);
    plan_then(p, "Look", NULL);
    plan_then(p, "Note it", NULL);
}

static const struct task_step delete_steps[] = {
    { "Begin", "Say what is to be deleted.", 60, begin },
    END_OBSERVER,
    { "Remove directories", "Remove the directories that bear the cluster's mark, with all data.", 600, observer_remove_directories, .retries = 2,
      .flags = STEP_SKIPPABLE },
    { "Forget", "Remove what is known of the cluster, and its record for proxies.", 120, forget, .retries = 2 },
    { .name = NULL },
};

static void plan_delete(struct plan *p, const void *data)
{
    plan_then(p, "Begin", NULL);
    plan_all(p, "End observer", data);
    plan_all(p, "Remove directories", data);
    plan_then(p, "Forget", NULL);
}

const struct task_flow flow_stop = { "stop_cluster", 1004, stop_steps, .plan = plan_stop };
const struct task_flow flow_start = { "start_cluster", 1005, start_steps, .plan = plan_start };
const struct task_flow flow_restart = { "restart_cluster", 1006, restart_steps, .plan = plan_restart, .prohibit_rollback = true };
const struct task_flow flow_force_restart = { "force_restart_cluster", 1007, restart_steps, .plan = plan_force, .prohibit_rollback = true };
const struct task_flow flow_delete = { "delete_cluster", 1008, delete_steps, .plan = plan_delete, .prohibit_rollback = true };

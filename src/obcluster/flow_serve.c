/* SPDX-License-Identifier: Apache-2.0 */
/* Zones and servers serve, or serve no more; their processes run on, unless they are restarted.
 *
 *   stop   check that a majority stays --> STOP --> wait until it leads nothing --> look
 *             (force: not checked)           '-- rollback: START
 *   start  wait until its server answers --> START --> wait until it serves --> look
 *
 * Where this OCP has installed them, their processes are restarted between the two; forced, nothing but the processes.
 */
#include <string.h>

#include "src/obcluster/flows.h"
#include "src/obcluster/safety.h"
#include "src/obcluster/step_member.h"

/* What the task is about: its arguments. */
static const char *zone_of(struct task_run *r)
{
    return task_get_arg(r, "zone");
}

static const char *server_of(struct task_run *r)
{
    return task_get_arg(r, "server");
}

static bool is_forced(struct task_run *r)
{
    return json_is_true(json_object_get(task_args(r), "force"));
}

static const char *name_of(struct task_run *r)
{
    return server_of(r) != NULL ? server_of(r) : zone_of(r);
}

/* --- checking -------------------------------------------------------------------------------------------------------------------- */

static struct safety_set meant(struct task_run *r, const char *one[static 1])
{
    one[0] = server_of(r);
    return (struct safety_set){ zone_of(r), one[0] != NULL ? one : NULL, one[0] != NULL };
}

static int check_with(struct sql *s, void *data, struct err *e)
{
    struct task_run *r = data;
    const char *one[1];
    struct safety_set what = meant(r, one);

    return safety_ask_stop(s, &what, task_arena(r), e);
}

static int check(struct task_run *r, struct err *e)
{
    struct obcluster c;
    int rv = step_cluster(r, &c, e);

    if (rv == 0 && is_forced(r)) {
        task_log(r, "forced: whether majorities stay is not asked");
        return 0;
    }
    if (rv == 0)
        rv = step_ask(r, &c, check_with, r, e);
    if (rv == 0)
        task_log(r, "every log stream keeps a majority without %s", name_of(r));
    return rv;
}

/* --- changing -------------------------------------------------------------------------------------------------------------------- */

/* What was true when it was checked may not be any more: this step may have waited for a node, or for a person. */
static int stop_with(struct sql *s, void *data, struct err *e)
{
    struct task_run *r = data;
    int rv = is_forced(r) ? 0 : check_with(s, r, e);

    if (rv != 0)
        return rv;
    if (server_of(r) != NULL)
        return ob_member_change(s, is_forced(r) ? OB_MEMBER_FORCE_STOP : OB_MEMBER_STOP, server_of(r), e);
    return ob_zone_change(s, is_forced(r) ? OB_ZONE_FORCE_STOP : OB_ZONE_STOP, zone_of(r), e);
}

static int start_with(struct sql *s, void *data, struct err *e)
{
    struct task_run *r = data;

    return server_of(r) != NULL ? ob_member_change(s, OB_MEMBER_START, server_of(r), e) : ob_zone_change(s, OB_ZONE_START, zone_of(r), e);
}

static int change(struct task_run *r, step_work work, const char *said, struct err *e)
{
    struct obcluster c;
    int rv = step_cluster(r, &c, e);

    if (rv == 0)
        rv = step_change(r, &c, work, r, e);
    if (rv == 0)
        task_log(r, said, name_of(r));
    return rv;
}

static int stop(struct task_run *r, struct err *e)
{
    return change(r, stop_with, "%s is stopped", e);
}

static int start(struct task_run *r, struct err *e)
{
    return change(r, start_with, "%s is started", e);
}

static int freeze_with(struct sql *s, void *data, struct err *e)
{
    struct task_run *r = data;
    struct safety_view view;
    int rv = safety_view_read(s, task_arena(r), &view, e);

    for (size_t i = 0; rv == 0 && i < view.n_servers; i++)
        if (strcmp(view.servers[i].zone, zone_of(r)) == 0 && (server_of(r) == NULL || strcmp(view.servers[i].address, server_of(r)) == 0))
            rv = ob_minor_freeze(s, view.servers[i].address, e);
    return rv;
}

/* Only spares time at the next start. */
static int freeze(struct task_run *r, struct err *e)
{
    struct obcluster c;
    int rv = step_cluster(r, &c, e);

    return rv == 0 ? step_try(r, &c, freeze_with, r, "nothing was frozen", e) : rv;
}

/* --- waiting --------------------------------------------------------------------------------------------------------------------- */

static int leads_nothing(struct sql *s, void *data, bool *done, struct err *e)
{
    struct task_run *r = data;
    const char *one[1];
    struct safety_set what = meant(r, one);
    struct safety_view view;
    int rv = safety_view_read(s, task_arena(r), &view, e);

    *done = rv == 0 && safety_leads(&view, &what) == 0;
    return rv;
}

static int answers(struct sql *s, void *data, bool *done, struct err *e)
{
    struct task_run *r = data;
    struct ob_member m;
    bool found;
    int rv = ob_member_get(s, server_of(r), task_arena(r), &m, &found, e);

    *done = rv == 0 && found && strcmp(m.status, "ACTIVE") == 0;
    return rv == 0 && !found ? err_set(e, &ERR_OB_MEMBER_GONE, "%s", server_of(r)) : rv;
}

static int serves(struct sql *s, void *data, bool *done, struct err *e)
{
    struct task_run *r = data;
    struct ob_zone_state z;
    struct ob_member m;
    bool found;
    int rv;

    if (server_of(r) != NULL) {
        rv = ob_member_get(s, server_of(r), task_arena(r), &m, &found, e);
        *done = rv == 0 && found && ob_member_serves(&m);
        return rv;
    }
    rv = ob_zone_get(s, zone_of(r), task_arena(r), &z, &found, e);
    *done = rv == 0 && found && strcmp(z.status, "ACTIVE") == 0;
    return rv;
}

static int wait(struct task_run *r, const char *what, step_probe probe, struct err *e)
{
    struct obcluster c;
    int rv = step_cluster(r, &c, e);

    return rv == 0 ? step_wait(r, &c, what, probe, r, e) : rv;
}

static int wait_stopped(struct task_run *r, struct err *e)
{
    return wait(r, "leaders go to other zones", leads_nothing, e);
}

static int wait_answer(struct task_run *r, struct err *e)
{
    return server_of(r) != NULL ? wait(r, "the server is ACTIVE", answers, e) : 0;
}

static int wait_started(struct task_run *r, struct err *e)
{
    return wait(r, "it serves", serves, e);
}

/* --- flows ----------------------------------------------------------------------------------------------------------------------- */

static const struct task_step stop_steps[] = {
    { "Check", "Every log stream keeps a majority, and nothing of another zone is stopped.", 60, check, .retries = 2 },
    { "Stop service", "The root service takes it out of service.", 120, stop, .rollback = start },
    { "Wait until it leads nothing", "Leaders move to servers that serve.", 600, wait_stopped, .flags = STEP_SKIPPABLE },
    { "Look", "Keep what the cluster looks like now.", 60, step_look, .retries = 2, .flags = STEP_SKIPPABLE },
    { .name = NULL },
};

static const struct task_step start_steps[] = {
    { "Wait for the server", "The root service has it as ACTIVE.", 600, wait_answer },
    { "Start service", "The root service takes it into service.", 120, start, .retries = 2 },
    { "Wait until it serves", "The root service says so.", 600, wait_started },
    { "Look", "Keep what the cluster looks like now.", 60, step_look, .retries = 2, .flags = STEP_SKIPPABLE },
    { .name = NULL },
};

const struct task_flow flow_stop_zone = { "stop_zone", 1011, stop_steps };
const struct task_flow flow_start_zone = { "start_zone", 1012, start_steps };
const struct task_flow flow_stop_server = { "stop_server", 1013, stop_steps };
const struct task_flow flow_start_server = { "start_server", 1014, start_steps };

static const struct task_step restart_steps[] = {
    { "Check", "Every log stream keeps a majority, and nothing of another zone is stopped.", 60, check, .retries = 2 },
    { "Stop service", "The root service takes it out of service.", 120, stop, .rollback = start },
    { "Wait until it leads nothing", "Leaders move to servers that serve.", 600, wait_stopped, .flags = STEP_SKIPPABLE },
    { "Freeze", "Write what is in memory to disk, so that it starts sooner.", 120, freeze, .flags = STEP_SKIPPABLE },
    { "Stop observer", "End the process: SIGTERM, and SIGKILL when it does not.", 120, observer_stop, .rollback = observer_start, .retries = 2 },
    { "Start observer", "Start the process, and wait until it answers.", 600, observer_start, .retries = 2 },
    { "Wait for the server", "The root service has it as ACTIVE.", 600, wait_answer },
    { "Start service", "The root service takes it into service.", 120, start, .retries = 2 },
    { "Wait for service", "It serves.", 3600, member_wait_service },
    { "Look", "Keep what the cluster looks like now.", 60, step_look, .retries = 2, .flags = STEP_SKIPPABLE },
    { .name = NULL },
};

static void plan_processes(struct plan *p, const struct install_plan *i)
{
    plan_each(p, "Stop observer", i->servers, i->n_servers, 0);
    plan_on(p, "Start observer", 0);
}

static void plan_end(struct plan *p, const struct install_plan *i)
{
    plan_each(p, "Wait for service", i->servers, i->n_servers, 0);
    plan_then(p, "Look", NULL);
}

static void plan_restart(struct plan *p, const void *data)
{
    plan_then(p, "Check", NULL);
    plan_then(p, "Stop service", NULL);
    plan_then(p, "Wait until it leads nothing", NULL);
    plan_then(p, "Freeze", NULL);
    plan_processes(p, data);
    plan_then(p, "Wait for the server", NULL);
    plan_then(p, "Start service", NULL);
    plan_end(p, data);
}

static void plan_force(struct plan *p, const void *data)
{
    plan_processes(p, data);
    plan_end(p, data);
}

const struct task_flow flow_restart_servers = { "restart_servers", 1020, restart_steps, .plan = plan_restart };
const struct task_flow flow_force_restart_servers = { "force_restart_servers", 1021, restart_steps, .plan = plan_force };

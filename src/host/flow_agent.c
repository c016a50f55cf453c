/* SPDX-License-Identifier: Apache-2.0 */
/*   delete:   for each host: remove agent --> all of them: forget hosts
 *   stop:     for each host: stop agent
 *   restart:  for each host: restart agent --> wait for agent
 *
 * What the agents have started (observers, proxies) goes on. */
#include "src/host/agent.h"
#include "src/host/flows.h"
#include "src/host/install.h"
#include "src/io/fiber.h"
#include "src/store/host.h"

enum { REMOVE_S = 180, FORGET_S = 60, STOP_S = 120, WAIT_S = 60, WAIT_PAUSE_MS = 300, TRY_MS = 3000 };

/* ---- stop and start ------------------------------------------------------------------------------------------------------------ */

static int do_stop(struct shell *s, const struct host *h, const struct host_agent *a, struct task_run *r, struct err *e)
{
    int rv = flow_set_status(r, h->id, NULL, "STOPPING", e);

    if (rv == 0)
        rv = agent_halt(s, a->install_home, task_arena(r), e);
    return rv == 0 ? flow_set_status(r, h->id, "OFFLINE", "OFFLINE", e) : rv;
}

static int stop(struct task_run *r, struct err *e)
{
    return flow_act(r, do_stop, e);
}

static int do_restart(struct shell *s, const struct host *h, const struct host_agent *a, struct task_run *r, struct err *e)
{
    int rv = flow_set_status(r, h->id, NULL, "RESTARTING", e);

    return rv == 0 ? agent_start(s, a->install_home, task_arena(r), e) : rv;
}

static int restart(struct task_run *r, struct err *e)
{
    return flow_act(r, do_restart, e);
}

/* The row says whether it has answered: host_look writes it. */
static int wait_for_it(struct task_run *r, struct err *e)
{
    struct host_agent agent = { .status = "" };
    struct host h;
    int rv = flow_host(r, &h, e);

    while (rv == 0) {
        rv = flow_agent(r, h.id, &agent, e);
        if (rv == 0)
            rv = host_look(flow_hosts(r), task_db(r), &agent, h.ocp_id, task_step_of(r)->epoch, task_arena(r), e);
        if (rv == 0)
            rv = flow_agent(r, h.id, &agent, e);
        if (rv != 0 || agent.problem[0] == '\0')
            break;
        if (fiber_ms_left() > TRY_MS)
            rv = fiber_sleep(WAIT_PAUSE_MS, e);
        else
            return err_set(e, &ERR_IO, "%s", agent.problem);
    }
    return rv == 0 ? flow_set_status(r, h.id, "AVAILABLE", NULL, e) : rv;
}

/* ---- the flows ----------------------------------------------------------------------------------------------------------------- */

static void plan_delete(struct plan *p, const void *data)
{
    const struct host_targets *t = data;

    plan_each(p, "remove agent", t->items, t->force ? 0 : t->n, 0);
    plan_then(p, "forget hosts", NULL);
}

static void plan_stop(struct plan *p, const void *data)
{
    const struct host_targets *t = data;

    plan_each(p, "stop agent", t->items, t->n, 0);
}

static void plan_restart(struct plan *p, const void *data)
{
    const struct host_targets *t = data;

    plan_each(p, "restart agent", t->items, t->n, 0);
    plan_on(p, "wait for agent", 0);
}

static const struct task_step delete_steps[] = {
    { "remove agent", "Stop the agent and remove all of it. Skip it when the host is gone for good.", REMOVE_S, flow_remove_agent, .retries = 2,
      .flags = STEP_SKIPPABLE },
    { "forget hosts", "From now on they are not known here.", FORGET_S, flow_forget },
    { .name = NULL },
};
static const struct task_step stop_steps[] = {
    { "stop agent", "Stop the processes of the agent.", STOP_S, stop, .retries = 2 },
    { .name = NULL },
};
static const struct task_step restart_steps[] = {
    { "restart agent", "Stop the processes of the agent and start them.", STOP_S, restart, .retries = 2 },
    { "wait for agent", "Wait until the agent answers.", WAIT_S, wait_for_it },
    { .name = NULL },
};

const struct task_flow host_flow_delete = {
    .name = "delete-hosts", .definition_id = 103, .steps = delete_steps, .plan = plan_delete, .prohibit_rollback = true,
};
const struct task_flow host_flow_stop = {
    .name = "stop-agents", .definition_id = 104, .steps = stop_steps, .plan = plan_stop, .prohibit_rollback = true,
};
const struct task_flow host_flow_restart = {
    .name = "restart-agents", .definition_id = 105, .steps = restart_steps, .plan = plan_restart, .prohibit_rollback = true,
};

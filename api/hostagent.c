/* SPDX-License-Identifier: Apache-2.0 */
/* Agents of hosts and their processes. */
#include "src/host/agent.h"

#include <inttypes.h>
#include <string.h>

#include "api/api.h"
#include "api/hosts.h"
#include "api/tables.h"
#include "api/task.h"
#include "src/host/host.h"
#include "src/iam/principal.h"
#include "src/io/fiber.h"
#include "src/store/leader.h"
#include "src/task/domains.h"
#include "src/task/engine.h"

int permit_hosts(const struct call *c, struct field_ints ids, enum permission_action action, struct err *e)
{
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < ids.n; i++) {
        struct permission wanted = { ids.items[i], PERMISSION_ANY, PERMISSION_HOST, PERMISSION_HOST, (uint8_t)action };

        rv = permit_require(c, &wanted, 1, e);
    }
    return rv;
}

enum { LOOKS = 25, LOOK_PAUSE_MS = 200 };

/* ---- showing --------------------------------------------------------------------------------------------------------------- */

struct process_view {
    struct host_process p;
    const char *user, *command, *ports, *status, *log_files;
    int64_t elapsed_s;
    int operable;
};
static const struct field process_fields[] = {
    F_INT(process_view, p.id, "id", DOC("Id of the process.")),
    F_INT(process_view, p.host_id, "hostId", DOC("Host it runs on.")),
    F_STRING(process_view, p.name, "alias", DOC("Name of the process.")),
    F_INT(process_view, p.pid, "pid", DOC("Its pid; 0: it does not run.")),
    F_STRING(process_view, user, "user", DOC("User it runs as.")),
    F_STRING(process_view, command, "startCommand", DOC("How it is started.")),
    F_STRING(process_view, ports, "ports", DOC("Port it listens on.")),
    F_INT(process_view, elapsed_s, "elapsedTime", DOC("Seconds since its start.")),
    F_TIME(process_view, p.active_us, "lastActiveTime", DOC("When it was seen running last.")),
    F_STRING(process_view, status, "status", DOC("STARTED or STOPPED.")),
    F_BOOL(process_view, operable, "operable", DOC("Whether it can be stopped and restarted by itself.")),
    F_STRING(process_view, log_files, "logFilePattern", DOC("Its logs.")),
    F_STRING(process_view, p.status, "state", DOC("RUNNING, STOPPED, BACKING_OFF (it ended again and again) or WAITING (for ocp-server).")),
    F_STRING(process_view, p.note, "note", DOC("What it says of itself.")),
    F_INT(process_view, p.restarts, "restarts", DOC("How often it was started again after it had ended.")),
    F_TIME(process_view, p.created_us, "createTime", DOC("When it was seen first.")),
    F_TIME(process_view, p.updated_us, "updateTime", DOC("When it was looked at last.")),
    FIELD_END,
};

struct agent_view {
    struct host_agent a;
    const char *log_home, *status, *manager_port, *monitor_port;
    struct field_list processes;
};
static const struct field agent_fields[] = {
    F_INT(agent_view, a.id, "id", DOC("Id of the agent.")),
    F_STRING(agent_view, a.version, "version", DOC("Its version.")),
    F_STRING(agent_view, a.install_home, "installHome", DOC("Directory it is installed in.")),
    F_STRING(agent_view, log_home, "logHome", DOC("Directory of its logs.")),
    F_TIME(agent_view, a.available_us, "lastAvailableTime", DOC("When it answered last.")),
    F_INT(agent_view, a.host_id, "hostId", DOC("Its host.")),
    F_STRING(agent_view, a.ip, "hostInnerIpAddress", DOC("Address of the host.")),
    F_STRING(agent_view, status, "status", DOC("STARTED or STOPPED.")),
    F_STRING(agent_view, a.status, "state", DOC("AVAILABLE, RESTARTING, STOPPING, REINTSTALLING, OFFLINE or DELETED.")),
    F_STRING(agent_view, a.problem, "problem", DOC("Why it did not answer.")),
    F_STRING(agent_view, a.incarnation, "incarnation", DOC("Drawn at its installation.")),
    F_TIME(agent_view, a.expires_us, "certificateExpireTime", DOC("When its certificate ends.")),
    F_STRING(agent_view, manager_port, "managerPort", DOC("Port at which it takes commands.")),
    F_STRING(agent_view, monitor_port, "monitorPort", DOC("Port of its metrics.")),
    F_LIST(agent_view, processes, "processes", process_view, process_fields, DOC("Its processes.")),
    F_TIME(agent_view, a.created_us, "createTime", DOC("When it was installed.")),
    F_TIME(agent_view, a.updated_us, "updateTime", DOC("When it was looked at last.")),
    FIELD_END,
};

/* ocp_agentd guards the others, and without pos_proxy nothing can be asked for: both go with the whole agent only. */
static bool is_operable(const char *name)
{
    return strcmp(name, "ocp_agentd") != 0 && strcmp(name, "pos_proxy") != 0;
}

static const char *no_empty(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

static int view_process(struct call *c, const struct host_agent *a, const struct host_process *p, struct process_view *v, struct err *e)
{
    *v = (struct process_view){
        .p = *p,
        .user = "root",
        .command = arena_printf(c->arena, "%s/bin/%s", a->install_home, p->name),
        .ports = p->port > 0 ? arena_printf(c->arena, "%" PRId64, p->port) : "",
        .status = p->pid > 0 ? "STARTED" : "STOPPED",
        .log_files = arena_printf(c->arena, "%s/log/%s.log*", a->install_home, p->name),
        .elapsed_s = p->pid > 0 && p->started_us != FIELD_NONE ? (clock_wall_us(c->api->shared->node->clock) - p->started_us) / 1000000 : 0,
        .operable = is_operable(p->name),
    };
    v->p.note = no_empty(p->note);
    return v->command != NULL && v->ports != NULL && v->log_files != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int view_processes(struct call *c, const struct host_agent *a, const struct host_process *p, size_t n, struct process_view **out,
                          struct err *e)
{
    int rv = 0;

    *out = arena_array(c->arena, n + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = view_process(c, a, &p[i], &(*out)[i], e);
    return rv;
}

static int get_agent(struct call *c, struct host_agent *a, struct err *e)
{
    struct agent_at at;
    int rv = host_agent_at(c->db, call_id(c, "hostId"), c->arena, &at, e); /* tells a host without an agent from none */

    return rv == 0 ? store_host_agent_of(c->db, at.host_id, c->arena, a, e) : rv;
}

static int api_host_agent_get(struct call *c, struct err *e)
{
    struct agent_view v = { .status = "STOPPED" };
    struct process_view *views;
    struct host_process *list;
    size_t n;
    int rv = get_agent(c, &v.a, e);

    if (rv == 0)
        rv = store_host_process_list(c->db, v.a.host_id, NULL, c->arena, &list, &n, NULL, e);
    if (rv == 0)
        rv = view_processes(c, &v.a, list, n, &views, e);
    if (rv != 0)
        return rv;
    v.processes = (struct field_list){ views, n };
    v.status = strcmp(v.a.status, "AVAILABLE") == 0 ? "STARTED" : "STOPPED";
    v.log_home = arena_printf(c->arena, "%s/log", v.a.install_home);
    v.manager_port = arena_printf(c->arena, "%" PRId64, v.a.manager_port);
    v.monitor_port = arena_printf(c->arena, "%" PRId64, v.a.monitor_port);
    v.a.problem = no_empty(v.a.problem);
    v.a.incarnation = no_empty(v.a.incarnation);
    if (v.log_home == NULL || v.manager_port == NULL || v.monitor_port == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return call_object(c, &v, e);
}

static int api_host_process_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct process_view *views;
    struct host_process *list;
    struct host_agent a;
    int64_t total;
    size_t n;
    int rv = get_agent(c, &a, e);

    if (rv == 0)
        rv = store_host_process_list(c->db, a.host_id, &page, c->arena, &list, &n, &total, e);
    if (rv == 0)
        rv = view_processes(c, &a, list, n, &views, e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

/* ---- the whole agent --------------------------------------------------------------------------------------------------------- */

static int start(struct call *c, enum host_task what, const int64_t *ids, size_t n, struct err *e)
{
    struct host_work w = {
        .what = what, .ids = ids, .n = n, .user_id = c->user->user_id, .username = c->user->name, .node = c->api->shared->node->name,
    };
    int64_t task_id;
    int rv;

    c->object_kind = "COMPUTE_HOST";
    c->object_id = ids[0];
    rv = host_start(c->db, &w, c->arena, &task_id, e);
    if (rv != 0)
        return rv;
    task_kick(c->api->shared->tasks);
    return api_task_reply(c, task_id, e);
}

static int start_one(struct call *c, enum host_task what, struct err *e)
{
    int64_t id = call_id(c, "hostId");

    return start(c, what, &id, 1, e);
}

static int api_host_agent_stop(struct call *c, struct err *e)
{
    return start_one(c, HOST_STOP_AGENT, e);
}

static int api_host_agent_restart(struct call *c, struct err *e)
{
    return start_one(c, HOST_RESTART_AGENT, e);
}

static int api_host_agent_reinstall(struct call *c, struct err *e)
{
    return start_one(c, HOST_INSTALL, e);
}

static int api_host_agent_upgrade(struct call *c, struct err *e)
{
    return start_one(c, HOST_UPGRADE_AGENT, e);
}

struct agent_ids {
    struct field_ints ids;
};
static const struct field agent_ids_fields[] = {
    F_INTS(agent_ids, ids, "hostIds", .flags = FIELD_REQUIRED, .min = 1, .max = 50, DOC("Ids of the hosts.")),
    FIELD_END,
};

static int start_many(struct call *c, enum host_task what, struct err *e)
{
    const struct agent_ids *in = c->body;
    int rv = permit_hosts(c, in->ids, PERMISSION_UPDATE, e);

    return rv == 0 ? start(c, what, in->ids.items, in->ids.n, e) : rv;
}

static int api_host_batch_stop(struct call *c, struct err *e)
{
    return start_many(c, HOST_STOP_AGENT, e);
}

static int api_host_batch_restart(struct call *c, struct err *e)
{
    return start_many(c, HOST_RESTART_AGENT, e);
}

static int api_host_batch_upgrade(struct call *c, struct err *e)
{
    return start_many(c, HOST_UPGRADE_AGENT, e);
}

/* ---- one process ------------------------------------------------------------------------------------------------------------- */

static int not_operable(const struct host_process *p, struct err *e)
{
    return err_set(e, &ERR_HOST_PROCESS_FIXED, "%s", p->name);
}

/* The process as it is now. */
static int look(struct call *c, const struct host_agent *a, int64_t process_id, struct host_process *p, struct err *e)
{
    struct leadership leader;
    struct agent_at at;
    int64_t claimed_us;
    int rv = host_agent_at(c->db, a->host_id, c->arena, &at, e);

    if (rv == 0)
        rv = leader_read(c->db, &leader, &claimed_us, e);
    if (rv == 0)
        rv = host_look(c->api->shared->domains->hosts, c->db, a, at.ocp_id, leader.epoch, c->arena, e);
    return rv == 0 ? store_host_process_get(c->db, a->host_id, process_id, c->arena, p, e) : rv;
}

/* Looks until the guard has done what was asked for, which is soon, or would take too long to wait for. */
static int await(struct call *c, const struct host_agent *a, const struct host_process *former, enum agent_action action, struct host_process *p,
                 struct err *e)
{
    bool settled = false;
    int rv = 0;

    for (unsigned i = 0; rv == 0 && !settled && i < LOOKS; i++) {
        rv = i > 0 ? fiber_sleep(LOOK_PAUSE_MS, e) : 0;
        if (rv == 0)
            rv = look(c, a, former->id, p, e);
        settled = rv == 0 && (action == AGENT_STOP ? p->pid == 0 : p->pid > 0 && p->pid != former->pid);
    }
    return rv;
}

static int control(struct call *c, enum agent_action action, struct err *e)
{
    struct host_process former, p;
    struct process_view v;
    struct host_agent a;
    int rv = get_agent(c, &a, e);

    c->object_kind = "COMPUTE_HOST";
    c->object_id = call_id(c, "hostId");
    if (rv == 0)
        rv = look(c, &a, call_id(c, "agentProcessId"), &former, e);
    if (rv == 0 && action == AGENT_RESTART && former.pid == 0)
        action = AGENT_START;
    if (rv == 0 && !is_operable(former.name))
        rv = not_operable(&former, e);
    if (rv == 0)
        rv = host_control(c->api->shared->domains->hosts, c->db, &a, action, former.name, c->arena, e);
    if (rv == 0)
        rv = await(c, &a, &former, action, &p, e);
    if (rv == 0)
        rv = view_process(c, &a, &p, &v, e);
    return rv == 0 ? call_object(c, &v, e) : rv;
}

static int api_host_process_restart(struct call *c, struct err *e)
{
    return control(c, AGENT_RESTART, e);
}

static int api_host_process_stop(struct call *c, struct err *e)
{
    return control(c, AGENT_STOP, e);
}

#define TAG .tag = "Agents"
#define HOST "/api/v2/compute/hosts/{hostId}"
#define READ "HOST:{hostId}:READ"
#define UPDATE "HOST:{hostId}:UPDATE"
#define TASK .flags = ROUTE_ASYNC, ROUTE_OUT(task_started, task_started_fields)
#define PROCESS ROUTE_OUT(process_view, process_fields)

static const char *const process_sorts[] = { "id", "alias", NULL };

const struct route hostagent_routes[] = {
    ROUTE("host-agent-get", "GET", HOST "/agent", READ, api_host_agent_get, REPLY_OBJECT, ROUTE_DOCUMENTED, "Show the agent of a host.", TAG,
          ROUTE_OUT(agent_view, agent_fields)),
    ROUTE("host-agent-stop", "POST", HOST "/agent/stop", UPDATE, api_host_agent_stop, REPLY_OBJECT, ROUTE_DOCUMENTED, "Stop the agent of a host.",
          TAG, TASK),
    ROUTE("host-agent-restart", "POST", HOST "/agent/restart", UPDATE, api_host_agent_restart, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Start the agent of a host anew.", TAG, TASK),
    ROUTE("host-agent-reinstall", "POST", HOST "/agent/reinstall", UPDATE, api_host_agent_reinstall, REPLY_OBJECT, ROUTE_OWN,
          "Install the agent of a host, for the first time or anew.", TAG, TASK),
    ROUTE("host-agent-upgrade", "POST", HOST "/agent/upgrade", UPDATE, api_host_agent_upgrade, REPLY_OBJECT, ROUTE_OWN,
          "Give the agent of a host the program of this version, with a way back.", TAG, TASK),
    ROUTE("host-batch-upgrade-agents", "POST", "/api/v2/compute/hosts/batchUpgradeAgents", "HOST:?:UPDATE", api_host_batch_upgrade, REPLY_OBJECT,
          ROUTE_OWN, "Give the agents of hosts the program of this version, with a way back.", TAG, ROUTE_BODY(agent_ids, agent_ids_fields), TASK),
    ROUTE("host-batch-stop-agents", "POST", "/api/v2/compute/hosts/batchStopAgents", "HOST:?:UPDATE", api_host_batch_stop, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Stop the agents of hosts.", TAG, ROUTE_BODY(agent_ids, agent_ids_fields), TASK),
    ROUTE("host-batch-restart-agents", "POST", "/api/v2/compute/hosts/batchRestartAgents", "HOST:?:UPDATE", api_host_batch_restart, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Start the agents of hosts anew.", TAG, ROUTE_BODY(agent_ids, agent_ids_fields), TASK),
    ROUTE("host-agent-processes-list", "GET", HOST "/agent/processes", READ, api_host_process_list, REPLY_PAGED, ROUTE_DOCUMENTED,
          "List the processes of a host's agent.", TAG, PROCESS, .sort = process_sorts),
    ROUTE("host-agent-process-restart", "POST", HOST "/agent/processes/{agentProcessId}/restart", UPDATE, api_host_process_restart, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Start a process of a host's agent anew.", TAG, PROCESS),
    ROUTE("host-agent-process-stop", "POST", HOST "/agent/processes/{agentProcessId}/stop", UPDATE, api_host_process_stop, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Stop a process of a host's agent.", TAG, PROCESS),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/host/agent.h"

#include <string.h>

#include "src/base/clock.h"
#include "src/host/inside.h"
#include "src/io/fiber.h"
#include "src/node/home.h"
#include "src/store/leader.h"
#include "src/store/ocpcluster.h"
#include "src/task/domains.h"

ERR_DEFINE(ERR_HOST_NO_AGENT, 7030, 404, ERR_FINAL, "There is no agent on the host {0} yet. Install it (operation agent/reinstall of the host).",
           "主机 {0} 尚未安装 Agent，请先安装（主机的 agent/reinstall 操作）。");
ERR_DEFINE(ERR_HOST_PROCESS_FIXED, 7019, 409, ERR_FINAL, "The process {0} is stopped and started with the whole agent only.",
           "进程 {0} 不支持单独启停，请对整个 Agent 进行操作。");
ERR_DEFINE(ERR_HOST_CERTIFICATE_ENDED, 90518, 503, ERR_FINAL,
           "The certificate of the agent on the host {0} has ended at {1}, so nobody believes that agent any more ({2}). Install the agent anew (ocpctl "
           "agent install, operation agent/reinstall).",
           "主机 {0} 上 Agent 的证书已于 {1} 到期，Agent 不再受信任（{2}）。请重新安装 Agent（ocpctl agent install 或 agent/reinstall 操作）。");
const struct err_row *const host_agent_err_rows[] = { &ERR_HOST_NO_AGENT, &ERR_HOST_PROCESS_FIXED, &ERR_HOST_CERTIFICATE_ENDED, NULL };

enum { LOOK_MS = 10000, CONTROL_MS = 20000 };

/* ---- one client per loop ------------------------------------------------------------------------------------------------- */

struct client_here {
    struct loop_local local;
    struct agent_client *client;
};
static const char client_key;

static void on_close(struct loop_local *local)
{
    struct client_here *here = (struct client_here *)local;

    agent_client_free(here->client);
    mem_free(here);
}

int host_client(struct hosts *h, struct agent_client **out, struct err *e)
{
    struct loop *loop = fiber_loop(fiber_current());
    struct client_here *here = (struct client_here *)loop_local(loop, &client_key);
    const struct node_home *home = h->conf.home;
    const struct agent_client_conf conf = { loop, home->authority_file, home->certificate_file, home->key_file };
    int rv;

    if (here == NULL) {
        here = mem_zalloc(sizeof *here);
        if (here == NULL)
            return err_set(e, &ERR_NOMEM, "");
        rv = agent_client_new(&conf, &here->client, e);
        if (rv != 0) {
            mem_free(here);
            return rv;
        }
        here->local = (struct loop_local){ .key = &client_key, .close = on_close };
        loop_add_local(loop, &here->local);
    }
    *out = here->client;
    return 0;
}

/* ---- where ----------------------------------------------------------------------------------------------------------------- */

int host_agent_at(struct db *d, int64_t host_id, struct arena *arena, struct agent_at *out, struct err *e)
{
    struct host_agent a;
    struct host h;
    int rv = store_host_get(d, host_id, arena, &h, e);

    if (rv == 0)
        rv = store_host_agent_of(d, host_id, arena, &a, e);
    if (rv == ERR_NOT_FOUND.code && strcmp(e->arg[0], "host") != 0)
        return err_set(e, &ERR_HOST_NO_AGENT, "%s", h.ip);
    if (rv != 0)
        return rv;
    *out = (struct agent_at){
        .address = h.ip,
        .port = a.manager_port,
        .ocp_id = h.ocp_id,
        .host_id = host_id,
        .incarnation = a.incarnation[0] != '\0' ? a.incarnation : NULL,
    };
    return 0;
}

int host_hello(struct hosts *h, const struct agent_at *at, int64_t epoch, struct arena *arena, struct agent_hello *out, struct err *e)
{
    struct agent_client *client;
    struct agent_at any = *at;
    int rv = host_client(h, &client, e);

    any.incarnation = NULL;
    return rv == 0 ? agent_hello(client, &any, epoch, arena, out, e) : rv;
}

int host_of_step(struct task_run *r, int64_t host_id, struct task_host **out, struct err *e)
{
    const struct domain_graph *g = task_data(r);
    struct agent_client *client;
    struct agent_at at;
    int rv = host_client(g->hosts, &client, e);

    if (rv == 0)
        rv = host_agent_at(task_db(r), host_id, task_arena(r), &at, e);
    return rv == 0 ? task_host_open(r, client, &at, out, e) : rv;
}

/* ---- processes ------------------------------------------------------------------------------------------------------------- */

static const struct host_process *find_row(const struct host_process *rows, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static int64_t or_nothing(int64_t v)
{
    return v != FIELD_NONE ? v : 0;
}

static struct host_process row_of(const struct agent_process *p, const struct host_process *former, int64_t host_id, int64_t now_us)
{
    struct host_process row = {
        .id = former != NULL ? former->id : 0,
        .host_id = host_id,
        .name = p->name,
        .kind = p->group != NULL ? p->group : "",
        .pid = or_nothing(p->pid),
        .status = p->state != NULL ? p->state : "STOPPED",
        .note = p->note != NULL ? p->note : "",
        .port = or_nothing(p->port),
        .started_us = p->started_us,
        .active_us = former != NULL ? former->active_us : FIELD_NONE,
        .restarts = or_nothing(p->restarts),
        .updated_us = now_us,
    };

    if (row.pid > 0)
        row.active_us = now_us;
    return row;
}

int host_processes(struct hosts *h, struct db *d, const struct agent_at *at, struct arena *arena, struct host_process **out, size_t *n,
                   const char **version, const char **incarnation, struct err *e)
{
    struct agent_client *client;
    struct host_process *former;
    struct agent_status status;
    struct agent_at any = *at;
    size_t n_former;
    int rv = host_client(h, &client, e);

    any.incarnation = NULL;
    if (rv == 0)
        rv = agent_status(client, &any, arena, &status, e);
    if (rv == 0)
        rv = store_host_process_list(d, at->host_id, NULL, arena, &former, &n_former, NULL, e);
    if (rv != 0)
        return rv;
    *out = arena_array(arena, status.processes.n + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < status.processes.n; i++) {
        const struct agent_process *p = &((const struct agent_process *)status.processes.items)[i];

        (*out)[i] = row_of(p, find_row(former, n_former, p->name), at->host_id, clock_wall_us(h->conf.clock));
        if ((*out)[i].id == 0)
            rv = db_next_id(d, &(*out)[i].id, e);
    }
    *n = status.processes.n;
    *version = status.version;
    *incarnation = status.incarnation;
    return rv;
}

/* ---- looking --------------------------------------------------------------------------------------------------------------- */

struct seen {
    int64_t host_id;
    const char *version, *incarnation;
    const struct host_process *processes;
    size_t n;
    const char *problem;         /* NULL: it has answered */
    struct arena *arena;
};

static int keep_body(struct tx *tx, void *data, struct err *e)
{
    const struct seen *s = data;
    int rv;

    if (s->problem != NULL)
        return store_host_agent_missed(tx, s->host_id, s->problem, e);
    rv = store_host_agent_seen(tx, s->host_id, s->version, s->incarnation, e);
    return rv == 0 ? store_host_process_put(tx, s->processes, s->n, s->arena, e) : rv;
}

/* Another node may lead since: then it is asked under that one's epoch. */
static int greet(struct hosts *h, struct db *d, const struct agent_at *at, int64_t epoch, struct arena *arena, struct err *e)
{
    struct leadership leader;
    struct agent_hello hello;
    struct err unread = { 0 };
    int64_t claimed_us;
    int rv = host_hello(h, at, epoch, arena, &hello, e);

    if (rv != ERR_AGENT_EPOCH.code || leader_read(d, &leader, &claimed_us, &unread) != 0 || leader.epoch <= epoch)
        return rv;
    err_clear(e);
    return host_hello(h, at, leader.epoch, arena, &hello, e);
}

/* A host that was away for long: its certificate is the reason that helps. */
static void tell_ended(const struct hosts *h, const struct host_agent *a, struct err *why)
{
    struct err seen = *why;
    char until[CLOCK_TEXT_SIZE];

    if (!err_is(why, &ERR_AGENT_AWAY) || a->expires_us == FIELD_NONE || a->expires_us > clock_wall_us(h->conf.clock))
        return;
    (void)err_set(why, &ERR_HOST_CERTIFICATE_ENDED, "%s", a->ip);
    (void)err_arg(why, "%s", clock_iso(a->expires_us, CLOCK_Z, until));
    (void)err_arg(why, "%s", seen.arg[1]);
}

int host_look(struct hosts *h, struct db *d, const struct host_agent *a, const char *ocp_id, int64_t epoch, struct arena *arena, struct err *e)
{
    const struct agent_at at = { .address = a->ip, .port = a->manager_port, .ocp_id = ocp_id, .host_id = a->host_id };
    struct seen s = { .host_id = a->host_id, .arena = arena };
    int64_t former = fiber_narrow_deadline(LOOK_MS);
    struct host_process *processes = NULL;
    struct err why = { 0 };
    char text[1024];
    int rv = greet(h, d, &at, epoch, arena, &why);

    if (rv == 0)
        rv = host_processes(h, d, &at, arena, &processes, &s.n, &s.version, &s.incarnation, &why);
    fiber_restore_deadline(former);
    s.processes = processes;
    if (rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code) {
        *e = why;
        return rv;
    }
    if (rv != 0)
        tell_ended(h, a, &why);
    if (rv != 0)
        s.problem = arena_strdup(arena, err_text(&why, ERR_EN, text, sizeof text));
    if (rv != 0 && s.problem == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return db_transact(d, keep_body, &s, e);
}

/* ---- control --------------------------------------------------------------------------------------------------------------- */

/* No step has this key: nobody but this call asks for the result. */
static int make_command(struct db *d, struct arena *arena, struct agent_command *out, struct err *e)
{
    struct ocpcluster *cluster = NULL;
    struct leadership leader;
    int64_t claimed_us, id = 0;
    int rv = store_ocpcluster_find(d, arena, &cluster, e);

    if (rv == 0 && cluster == NULL)
        rv = err_set(e, &ERR_UNEXPECTED, "this node is in no cluster");
    if (rv == 0)
        rv = leader_read(d, &leader, &claimed_us, e);
    if (rv == 0)
        rv = db_next_id(d, &id, e);
    if (rv != 0)
        return rv;
    out->epoch = leader.epoch;
    out->key = (struct agent_key){ .ocp_id = cluster->cluster, .lineage = cluster->lineage, .task = 0, .step = id, .dispatch = 1, .seq = 0 };
    return 0;
}

int host_control(struct hosts *h, struct db *d, const struct host_agent *a, enum agent_action action, const char *name, struct arena *arena,
                 struct err *e)
{
    const char *names[] = { name };
    const struct agent_control args = { .action = (int)action, .names = { names, 1 } };
    struct agent_command command = { .kind = "control", .args = &args, .timeout_ms = CONTROL_MS };
    struct agent_client *client;
    struct agent_result result = { .kind = NULL };
    struct agent_at at;
    struct err unseen = { 0 };
    int rv = host_agent_at(d, a->host_id, arena, &at, e);

    if (rv == 0)
        rv = make_command(d, arena, &command, e);
    if (rv == 0)
        rv = host_client(h, &client, e);
    if (rv != 0)
        return rv;
    rv = agent_command(client, &at, &command, arena, &result, e);
    /* Once MetaDB has what became of it, the agent may forget it; one that does not hear that keeps it for a while. */
    if (result.kind != NULL && host_look(h, d, a, at.ocp_id, command.epoch, arena, &unseen) == 0)
        (void)!agent_acknowledge(client, &at, command.epoch, &command.key, 1, arena, &unseen);
    return rv;
}

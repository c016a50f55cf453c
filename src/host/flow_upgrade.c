/* SPDX-License-Identifier: Apache-2.0 */
/*   for each host side by side:  upgrade agent --> greet agent --> (AVAILABLE)
 *
 * Over the agent itself, without SSH: the program that this node has is brought like a package, and the agent puts it in place of its own; if that
 * one does not answer, the former one is back and the step fails. What the agents have started (observers, proxies) goes on. One step, since the
 * next one may run on a node with another program. */
#include "src/host/agent.h"
#include "src/host/flows.h"
#include "src/host/program.h"

enum { UPGRADE_S = 300, STANDSTILLS_MAX = 3 };

struct bringing {
    struct host_programs *programs;
    struct agent_client *client;
    const struct agent_at *at;
    struct host_program program;
};

static int push_piece(const struct bringing *b, int64_t offset, struct agent_blob *blob, struct err *e)
{
    struct slice piece = { "", 0 };
    struct arena arena;
    int rv = 0;

    arena_init(&arena);
    if (offset < b->program.size)
        rv = host_program_read(b->programs, &b->program, offset, AGENT_BLOB_PIECE, &arena, &piece, e);
    if (rv == 0)
        rv = agent_push_blob(b->client, b->at, b->program.sha256, offset, b->program.size, piece, &arena, blob, e);
    arena_fini(&arena);
    return rv;
}

static int stuck(const struct bringing *b, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_BLOB, "%s", b->program.sha256);
    return err_arg(e, "the agent does not take what comes after its first bytes");
}

/* From where the agent is with it to the end. */
static int bring(const struct bringing *b, struct arena *arena, struct err *e)
{
    struct agent_blob blob = { 0, 0 };
    unsigned standstills = 0;
    int rv = agent_blob_have(b->client, b->at, b->program.sha256, arena, &blob, e);

    while (rv == 0 && blob.complete != 1) {
        int64_t offset = blob.size;

        if (offset < 0 || offset > b->program.size || standstills == STANDSTILLS_MAX)
            return stuck(b, e);
        rv = push_piece(b, offset, &blob, e);
        standstills = blob.size > offset ? 0 : standstills + 1;
    }
    return rv;
}

static int installed_body(struct tx *tx, void *data, struct err *e)
{
    const struct host_agent *a = data;

    return store_host_agent_upgraded(tx, a->host_id, a->program_sha256, e);
}

static int put_in_place(struct task_run *r, struct task_host *there, const struct host *h, struct host_agent *a, const struct bringing *b,
                        struct err *e)
{
    const struct agent_install_self args = { .sha256 = b->program.sha256 };
    struct agent_installed answer = { .version = "" };
    int rv = task_host_lost(there, bring(b, task_arena(r), e), e);

    if (rv == 0)
        rv = task_host_command(there, "install_self", &args, &answer, e);
    if (rv != 0)
        return rv;
    task_log(r, "%s: the agent is of version %s now; it was %s", h->ip, answer.version, a->version[0] != '\0' ? a->version : "never heard of");
    a->program_sha256 = b->program.sha256;
    return task_transact(r, installed_body, a, e);
}

static int upgrade(struct task_run *r, struct err *e)
{
    struct bringing b = { .programs = flow_hosts(r)->programs };
    struct task_host *there;
    struct host_agent agent;
    struct host h;
    int rv = flow_host(r, &h, e);

    if (rv == 0)
        rv = flow_agent(r, h.id, &agent, e);
    if (rv == 0)
        rv = host_program_find(b.programs, "ocp-agent", h.architecture, task_arena(r), &b.program, e);
    if (rv == 0)
        rv = host_client(flow_hosts(r), &b.client, e);
    if (rv == 0)
        rv = host_of_step(r, h.id, &there, e);
    if (rv != 0)
        return rv;
    b.at = task_host_at(there);
    return put_in_place(r, there, &h, &agent, &b, e);
}

static void plan(struct plan *p, const void *data)
{
    const struct host_targets *t = data;

    plan_each(p, "upgrade agent", t->items, t->n, 0);
    plan_on(p, "greet agent", 0);
}

static const struct task_step steps[] = {
    { "upgrade agent", "Bring the program of this version and let the agent put it in place; if it does not answer, the former one is back.", UPGRADE_S,
      upgrade, .retries = 2 },
    { "greet agent", "Wait until the agent answers, and see that it is this one.", FLOW_GREET_S, flow_greet_agent },
    { .name = NULL },
};

const struct task_flow host_flow_upgrade = {
    .name = "upgrade-agents", .definition_id = 106, .steps = steps, .plan = plan, .prohibit_rollback = true,
};

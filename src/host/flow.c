/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "src/host/flows.h"
#include "src/host/install.h"
#include "src/store/host.h"
#include "src/task/domains.h"

struct hosts *flow_hosts(struct task_run *r)
{
    const struct domain_graph *g = task_data(r);

    return g->hosts;
}

int flow_host(struct task_run *r, struct host *out, struct err *e)
{
    return store_host_get(task_db(r), strtoll(task_target(r), NULL, 10), task_arena(r), out, e);
}

int flow_all_hosts(struct task_run *r, struct host **out, size_t *n, struct err *e)
{
    const struct store_page by_id = { .number = 1, .size = 1000, .sort = "id" };
    const json_t *ids = json_object_get(task_args(r), "hostIds");
    struct scope_item *items = arena_array(task_arena(r), json_array_size(ids) + 1, sizeof *items);
    struct scope some = { items, json_array_size(ids) };
    struct host_filter f = { .scope = &some };

    if (items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < some.n; i++)
        items[i] = (struct scope_item){ "HOST", json_integer_value(json_array_get(ids, i)), SCOPE_ANY };
    return store_host_list(task_db(r), &f, &by_id, task_arena(r), out, n, NULL, e);
}

int flow_shell(struct task_run *r, const struct host *h, struct host_login *login, struct shell *out, struct err *e)
{
    char seen[SSH_FINGERPRINT_SIZE];
    int rv;

    *out = (struct shell){ .ssh = NULL };
    rv = host_login_open(flow_hosts(r), task_db(r), h->credential_id, task_arena(r), login, e);
    if (rv == 0)
        rv = host_shell_open(flow_hosts(r), login, h->ip, h->ssh_port, h->fingerprint, task_arena(r), out, seen, e);
    if (rv == 0 && out->power == SHELL_NO_POWER) {
        rv = err_set(e, &ERR_HOST_SUDO, "%s", h->ip);
        (void)err_arg(e, "%s", out->refusal);
    }
    return rv;
}

int flow_agent(struct task_run *r, int64_t host_id, struct host_agent *out, struct err *e)
{
    return store_host_agent_of(task_db(r), host_id, task_arena(r), out, e);
}

struct status_change {
    int64_t host_id;
    const char *host_status, *agent_status;
};

static int status_body(struct tx *tx, void *data, struct err *e)
{
    const struct status_change *c = data;
    int rv = c->host_status != NULL ? store_host_set_status(tx, c->host_id, NULL, c->host_status, e) : 0;

    return rv == 0 && c->agent_status != NULL ? store_host_agent_set_status(tx, c->host_id, NULL, c->agent_status, e) : rv;
}

int flow_set_status(struct task_run *r, int64_t host_id, const char *host_status, const char *agent_status, struct err *e)
{
    struct status_change c = { host_id, host_status, agent_status };

    return task_transact(r, status_body, &c, e);
}

/* ---- what several flows do ----------------------------------------------------------------------------------------------------- */

int flow_act(struct task_run *r, flow_acting act, struct err *e)
{
    struct host_login login = { .secret = NULL };
    struct shell shell = { .ssh = NULL };
    struct host_agent agent;
    struct host h;
    int rv = flow_host(r, &h, e);

    if (rv == 0)
        rv = flow_agent(r, h.id, &agent, e);
    if (rv == ERR_NOT_FOUND.code) {
        task_log(r, "there is no agent");
        err_clear(e);
        return 0;
    }
    if (rv == 0)
        rv = flow_shell(r, &h, &login, &shell, e);
    if (rv == 0)
        rv = act(&shell, &h, &agent, r, e);
    shell_close(&shell);
    host_login_close(&login);
    return rv;
}

static int drop_body(struct tx *tx, void *data, struct err *e)
{
    const int64_t *host_id = data;

    return store_host_agent_delete(tx, *host_id, e);
}

static int do_remove(struct shell *s, const struct host *h, const struct host_agent *a, struct task_run *r, struct err *e)
{
    int64_t id = h->id;
    bool gone = false;
    int rv = agent_remove(s, a->install_home, h->ocp_id, h->id, task_arena(r), &gone, e);

    if (rv != 0)
        return rv;
    task_log(r, gone ? "%s: the agent and %s are gone" : "%s: %s holds what is not of this agent, and stays", h->ip, a->install_home);
    return task_transact(r, drop_body, &id, e);
}

int flow_remove_agent(struct task_run *r, struct err *e)
{
    return flow_act(r, do_remove, e);
}

struct forgetting {
    const struct host *hosts;
    size_t n;
};

static int forget_body(struct tx *tx, void *data, struct err *e)
{
    const struct forgetting *f = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < f->n; i++) {
        rv = store_host_agent_delete(tx, f->hosts[i].id, e);
        if (rv == 0)
            rv = store_host_delete(tx, f->hosts[i].id, e);
    }
    return rv;
}

int flow_forget(struct task_run *r, struct err *e)
{
    struct forgetting f;
    struct host *hosts;
    int rv = flow_all_hosts(r, &hosts, &f.n, e);

    f.hosts = hosts;
    return rv == 0 ? task_transact(r, forget_body, &f, e) : rv;
}

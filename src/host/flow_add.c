/* SPDX-License-Identifier: Apache-2.0 */
/*   check hosts --> for each host side by side:  install agent --> start agent --> greet agent --> (AVAILABLE)
 *
 * The rows (NEW) were made with the task. Rolled back, agents and rows are gone again. The same steps, without rows to remove, install agents
 * anew on hosts that are there. SSH knows no dispatch numbers, so every step over it may run twice at once: see install.h. */
#include <inttypes.h>
#include <string.h>

#include "src/host/agent.h"
#include "src/host/flows.h"
#include "src/host/install.h"
#include "src/io/fiber.h"
#include "src/node/authority.h"
#include "src/store/host.h"
#include "src/store/leader.h"
#include "src/store/ocpcluster.h"

ERR_DEFINE(ERR_HOST_UNFIT, 7015, 500, ERR_FINAL,
           "The check of hosts found {0} reason(s) against adding them. The first: {1} The log of this step has all of them; correct them and run "
           "the task again, or roll it back.",
           "主机检查未通过，共 {0} 项。首项：{1} 全部原因见该步骤日志；处理后请重试任务，或回滚任务。");
ERR_DEFINE(ERR_HOST_AGENT_SILENT, 90515, 500, ERR_FINAL,
           "The agent on the host {0} was started and does not answer at {1}: {2} Check the firewall for that port, then run the task again. "
           "Its log says: {3}",
           "主机 {0} 的 Agent 已启动，但在 {1} 无应答：{2}请检查防火墙是否放行该端口后重试任务。其日志：{3}");
const struct err_row *const host_flow_err_rows[] = { &ERR_HOST_UNFIT, &ERR_HOST_AGENT_SILENT, NULL };

enum { CHECK_S = 180, INSTALL_S = 300, START_S = 120, GREET_TRY_MS = 5000, GREET_PAUSE_MS = 300, GREET_MARGIN_MS = 50000,
       REASON_SIZE = 1024 };

/* ---- check ----------------------------------------------------------------------------------------------------------------- */

struct describing {
    const struct host_probe *probes;
    const struct host *hosts;
    size_t n;
    const char *ocp_id;
};

/* Pins keys and keeps what the hosts said. */
static int describe_body(struct tx *tx, void *data, struct err *e)
{
    const struct describing *g = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < g->n; i++) {
        const struct host_probe *p = &g->probes[i];
        struct host h = {
            .id = g->hosts[i].id,
            .name = p->facts.name[0] != '\0' ? p->facts.name : p->ip,
            .operating_system = p->facts.os,
            .operating_system_release = p->facts.release,
            .architecture = p->facts.machine,
            .serial_number = p->facts.serial,
            .ocp_id = g->ocp_id,
        };

        rv = store_host_describe(tx, &h, e);
        if (rv == 0)
            rv = store_host_pin(tx, h.id, p->fingerprint, e);
    }
    return rv;
}

static int unfit(struct task_run *r, const struct host_finding *found, size_t n, int failed, struct err *e)
{
    const struct host_finding *first = NULL;
    char text[REASON_SIZE];

    for (size_t i = 0; i < n; i++) {
        if (found[i].passed)
            continue;
        first = first != NULL ? first : &found[i];
        task_log(r, "%s, %s: %s", found[i].ip, host_check_names[found[i].check], err_text(&found[i].why, ERR_EN, text, sizeof text));
    }
    if (failed == 1) {
        *e = first->why; /* whole, with what to do */
        return e->row->code;
    }
    (void)err_set(e, &ERR_HOST_UNFIT, "%d", failed);
    return err_arg(e, "%s", err_text(&first->why, ERR_EN, text, sizeof text));
}

/* Those of the hosts that have the credential of the first that was not looked at yet; probes of others are left as they are. */
static int look_at_some(struct task_run *r, const struct host *hosts, size_t n, size_t first, const struct check_rules *rules,
                        struct host_probe *probes, struct err *e)
{
    struct host_place *places = arena_array(task_arena(r), n + 1, sizeof *places);
    struct host_login login = { .secret = NULL };
    struct host_probe *some;
    size_t k = 0;
    int rv;

    if (places == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = first; i < n; i++)
        if (hosts[i].credential_id == hosts[first].credential_id)
            places[k++] = (struct host_place){ hosts[i].ip, hosts[i].ssh_port, hosts[i].id, hosts[i].fingerprint };
    rv = host_login_open(flow_hosts(r), task_db(r), hosts[first].credential_id, task_arena(r), &login, e);
    if (rv == 0)
        rv = host_probe_all(flow_hosts(r), task_db(r), &login, places, k, rules, task_arena(r), &some, e);
    host_login_close(&login);
    for (size_t i = n; rv == 0 && i > first; i--)
        if (hosts[i - 1].credential_id == hosts[first].credential_id)
            probes[i - 1] = some[--k];
    return rv;
}

/* The credential of one may have been changed since they were added together. */
static int look_at(struct task_run *r, const struct host *hosts, size_t n, const struct check_rules *rules, struct host_probe **out, struct err *e)
{
    struct host_probe *probes = arena_array(task_arena(r), n + 1, sizeof *probes);
    int rv = probes != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (size_t i = 0; probes != NULL && i < n; i++)
        probes[i].ip = NULL;
    for (size_t i = 0; rv == 0 && i < n; i++)
        if (probes[i].ip == NULL)
            rv = look_at_some(r, hosts, n, i, rules, probes, e);
    *out = probes;
    return rv;
}

static int check(struct task_run *r, struct err *e)
{
    struct host_finding *found;
    struct host_probe *probes;
    struct check_rules rules;
    struct describing g;
    struct host *hosts;
    size_t n, n_found;
    int failed, rv = flow_all_hosts(r, &hosts, &n, e);

    if (rv == 0 && n == 0)
        rv = err_set(e, &ERR_INVALID, "the hosts of this task are gone");
    if (rv == 0)
        rv = host_rules(flow_hosts(r), task_db(r), task_arena(r), &rules, e);
    if (rv == 0)
        rv = look_at(r, hosts, n, &rules, &probes, e);
    if (rv != 0)
        return rv;
    failed = host_check_all(&rules, probes, n, task_arena(r), &found, &n_found);
    if (failed != 0)
        return failed > 0 ? unfit(r, found, n_found, failed, e) : err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        task_log(r, "%s: %s, %s, answers in %" PRId64 " ms, key %s", probes[i].ip, probes[i].facts.title, probes[i].facts.machine,
                 probes[i].delay_us / 1000, probes[i].fingerprint);
    g = (struct describing){ probes, hosts, n, rules.ocp_id };
    return task_transact(r, describe_body, &g, e);
}

/* ---- install --------------------------------------------------------------------------------------------------------------- */

static int put_body(struct tx *tx, void *data, struct err *e)
{
    const struct host_agent *a = data;
    int rv = store_host_agent_put(tx, a, e);

    return rv == 0 ? store_host_agent_set_status(tx, a->host_id, NULL, a->status, e) : rv;
}

/* What the host is like now: where its agent can listen, which exporter it has. */
static int look_again(struct task_run *r, const struct host *h, const struct host_login *login, const struct check_rules *rules,
                      struct host_probe **out, struct err *e)
{
    const struct host_place place = { h->ip, h->ssh_port, h->id, h->fingerprint };
    int rv = host_probe_all(flow_hosts(r), task_db(r), login, &place, 1, rules, task_arena(r), out, e);

    if (rv != 0 || (*out)->failed.row == NULL)
        return rv;
    *e = (*out)->failed;
    return e->row->code;
}

static int find_programs(struct task_run *r, const struct host_probe *p, struct agent_install *a, struct err *e)
{
    struct host_programs *programs = flow_hosts(r)->programs;
    int rv = host_program_find(programs, "ocp-agent", p->facts.machine, task_arena(r), &a->program, e);

    if (rv == 0)
        rv = host_program_find(programs, "node_exporter", p->facts.machine, task_arena(r), &a->exporter, e);
    if (rv != ERR_HOST_PROGRAM.code || a->program.file == NULL)
        return rv;
    err_clear(e); /* then it is the host's own, or none */
    a->exporter.file = NULL;
    return 0;
}

/* The row, before anything is done there: certificate, where it will be, what of it is ours. */
static int prepare(struct task_run *r, const struct host *h, const struct host_probe *p, const struct check_rules *rules,
                   struct agent_install *a, struct host_agent *row, struct identity *identity, struct err *e)
{
    char *listen = arena_alloc(task_arena(r), ADDR_TEXT_SIZE);
    struct certificate_facts *facts = arena_alloc(task_arena(r), sizeof *facts);
    struct ocpcluster *cluster = NULL;
    struct leadership leader;
    int64_t claimed_us;
    int rv = listen != NULL && facts != NULL ? store_ocpcluster_find(task_db(r), task_arena(r), &cluster, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0 && cluster == NULL)
        rv = err_set(e, &ERR_UNEXPECTED, "this node is in no cluster");
    if (rv == 0)
        rv = leader_read(task_db(r), &leader, &claimed_us, e);
    if (rv == 0)
        rv = find_programs(r, p, a, e);
    if (rv == 0)
        rv = node_authority_issue_agent(flow_hosts(r)->conf.vault, cluster, h->id, task_arena(r), identity, e);
    if (rv == 0)
        rv = authority_read(identity->certificate, facts, e);
    if (rv == 0)
        rv = db_next_id(task_db(r), &row->id, e);
    if (rv != 0)
        return rv;
    row->host_id = h->id;
    row->version = "";
    row->install_home = rules->home;
    row->listen = host_listen_address(p, listen);
    row->manager_port = rules->ports[0];
    row->monitor_port = rules->ports[1];
    row->status = "REINTSTALLING";
    row->program_sha256 = a->program.sha256;
    row->serial = facts->serial;
    row->expires_us = facts->expires_us;
    a->agent = row;
    a->ocp_id = cluster->cluster;
    a->host_id = h->id;
    a->epoch = leader.epoch;
    a->prefix = arena_strndup(task_arena(r), rules->home, strlen(rules->home) - strlen("/" HOST_AGENT_DIR));
    a->node_exporter = p->facts.exporter;
    a->authority = cluster->authority;
    a->identity = identity;
    return a->prefix != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int bring(struct task_run *r, const struct host *h, const struct agent_install *a, struct err *e)
{
    struct host_login login = { .secret = NULL };
    struct shell shell;
    bool sent = false;
    int rv = flow_shell(r, h, &login, &shell, e);

    if (rv == 0)
        rv = agent_bring(&shell, a, task_arena(r), &sent, e);
    shell_close(&shell);
    host_login_close(&login);
    if (rv == 0)
        task_log(r, "%s: the agent is in %s; its program (%s) %s", h->ip, a->agent->install_home, a->program.sha256,
                 sent ? "was brought there" : "was there already");
    return rv;
}

static int install(struct task_run *r, struct err *e)
{
    struct host_login login = { .secret = NULL };
    struct agent_install a = { .epoch = 0 };
    struct host_agent row = { .id = 0 };
    struct identity identity = { .key = NULL };
    struct host_probe *probe;
    struct check_rules rules;
    struct host h;
    int rv = flow_host(r, &h, e);

    if (rv == 0)
        rv = host_rules(flow_hosts(r), task_db(r), task_arena(r), &rules, e);
    rules.url = NULL; /* that was looked at */
    if (rv == 0)
        rv = host_login_open(flow_hosts(r), task_db(r), h.credential_id, task_arena(r), &login, e);
    if (rv == 0)
        rv = look_again(r, &h, &login, &rules, &probe, e);
    host_login_close(&login);
    if (rv == 0)
        rv = prepare(r, &h, probe, &rules, &a, &row, &identity, e);
    if (rv == 0)
        rv = task_transact(r, put_body, &row, e);
    if (rv == 0)
        rv = bring(r, &h, &a, e);
    if (identity.key != NULL)
        mem_wipe(identity.key, strlen(identity.key));
    return rv;
}

/* ---- start ----------------------------------------------------------------------------------------------------------------- */

static int do_start(struct shell *s, const struct host *h, const struct host_agent *a, struct task_run *r, struct err *e)
{
    (void)h;
    return agent_start(s, a->install_home, task_arena(r), e);
}

static int start(struct task_run *r, struct err *e)
{
    return flow_act(r, do_start, e);
}

/* ---- greet ----------------------------------------------------------------------------------------------------------------- */

struct greeting {
    const struct agent_hello *hello;
    int64_t host_id;
};

static int greeted_body(struct tx *tx, void *data, struct err *e)
{
    const struct greeting *g = data;
    int rv = store_host_agent_seen(tx, g->host_id, g->hello->version, g->hello->incarnation, e);

    return rv == 0 ? store_host_set_status(tx, g->host_id, NULL, "AVAILABLE", e) : rv;
}

/* It was seen running, so it answers soon or not at all; the rest of the time is for asking it why. Another node may lead since the step was
 * dispatched, and the agent have heard of it: then it is asked under that one's epoch. */
static int say_hello(struct task_run *r, const struct agent_at *at, struct agent_hello *out, struct err *e)
{
    int64_t epoch = task_step_of(r)->epoch;
    struct err unread = { 0 };
    int rv;

    do {
        int64_t former = fiber_narrow_deadline(GREET_TRY_MS);

        rv = host_hello(flow_hosts(r), at, epoch, task_arena(r), out, e);
        fiber_restore_deadline(former);
        if (rv == 0 || rv == ERR_CANCELLED.code || (rv == ERR_AGENT_EPOCH.code && task_epoch(r, &epoch, &unread) != 0))
            return rv;
    } while (fiber_ms_left() > GREET_MARGIN_MS && fiber_sleep(GREET_PAUSE_MS, NULL) == 0);
    return rv;
}

static const char *ask_why(struct task_run *r, const struct host *h, const struct host_agent *a)
{
    struct host_login login = { .secret = NULL };
    struct shell shell = { .ssh = NULL };
    const char *words = "";
    struct err e = { 0 };
    int rv = flow_shell(r, h, &login, &shell, &e);

    if (rv == 0)
        rv = agent_last_words(&shell, a->install_home, task_arena(r), &words, &e);
    shell_close(&shell);
    host_login_close(&login);
    return rv == 0 && words[0] != '\0' ? words : "nothing";
}

static int silent(struct task_run *r, const struct host *h, const struct host_agent *a, const struct err *why, struct err *e)
{
    char text[REASON_SIZE];
    const char *words = ask_why(r, h, a);

    task_log(r, "%s: the log of the agent ends with: %s", h->ip, words);
    (void)err_set(e, &ERR_HOST_AGENT_SILENT, "%s", h->ip);
    (void)err_arg(e, strchr(h->ip, ':') != NULL ? "[%s]:%" PRId64 : "%s:%" PRId64, h->ip, a->manager_port);
    (void)err_arg(e, "%s", err_text(why, ERR_EN, text, sizeof text));
    return err_arg(e, "%s", words);
}

int flow_greet_agent(struct task_run *r, struct err *e)
{
    struct agent_hello hello;
    struct host_agent agent;
    struct greeting g;
    struct agent_at at;
    struct err why = { 0 };
    struct host h;
    int rv = flow_host(r, &h, e);

    if (rv == 0)
        rv = flow_agent(r, h.id, &agent, e);
    if (rv == 0)
        rv = host_agent_at(task_db(r), h.id, task_arena(r), &at, e);
    if (rv != 0)
        return rv;
    rv = say_hello(r, &at, &hello, &why);
    if (rv != 0) {
        *e = why;
        return rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code ? rv : silent(r, &h, &agent, &why, e);
    }
    g = (struct greeting){ &hello, h.id };
    rv = task_transact(r, greeted_body, &g, e);
    if (rv == 0)
        rv = host_look(flow_hosts(r), task_db(r), &agent, h.ocp_id, task_step_of(r)->epoch, task_arena(r), e);
    if (rv == 0)
        task_log(r, "%s: agent %s answers (incarnation %s)", h.ip, hello.version, hello.incarnation);
    return rv;
}

/* ---- the flows --------------------------------------------------------------------------------------------------------------- */

#define CHECK "check hosts"
#define INSTALL "install agent"
#define START "start agent"
#define GREET "greet agent"

static void plan(struct plan *p, const void *data)
{
    const struct host_targets *t = data;

    plan_then(p, CHECK, NULL);
    plan_each(p, INSTALL, t->items, t->n, 0);
    plan_on(p, START, 0);
    plan_on(p, GREET, 0);
}

static const struct task_step add_steps[] = {
    { CHECK, "Log in to each host and see whether anything speaks against adding it.", CHECK_S, check, .rollback = flow_forget },
    { INSTALL, "Bring program, settings and certificate of the agent.", INSTALL_S, install, .rollback = flow_remove_agent, .retries = 2 },
    { START, "Start the agent.", START_S, start, .retries = 2 },
    { GREET, "Wait until the agent answers, and see that it is this one.", FLOW_GREET_S, flow_greet_agent },
    { .name = NULL },
};
static const struct task_step install_steps[] = {
    { CHECK, "Log in to each host and see whether anything speaks against it.", CHECK_S, check },
    { INSTALL, "Bring program, settings and certificate of the agent.", INSTALL_S, install, .retries = 2 },
    { START, "Start the agent anew.", START_S, start, .retries = 2 },
    { GREET, "Wait until the agent answers, and see that it is this one.", FLOW_GREET_S, flow_greet_agent },
    { .name = NULL },
};

const struct task_flow host_flow_add = { .name = "add-hosts", .definition_id = 101, .steps = add_steps, .plan = plan };
const struct task_flow host_flow_install = {
    .name = "install-agents", .definition_id = 102, .steps = install_steps, .plan = plan, .prohibit_rollback = true,
};

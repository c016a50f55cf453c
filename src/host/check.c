/* SPDX-License-Identifier: Apache-2.0 */
#include "src/host/host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/num.h"

ERR_DEFINE(ERR_HOST_SUDO, 8103, 400, ERR_FINAL,
           "On the host {0} the user may not become root by sudo: {1}. Allow it in sudoers, or use a credential of root.",
           "主机 {0} 上该用户无法通过 sudo 获取 root 权限：{1}。请在 sudoers 中授权，或使用 root 凭据。");
ERR_DEFINE(ERR_HOST_LATENCY, 7020, 400, ERR_RETRY,
           "The host {0} needs {1} ms to answer over SSH, more than {2} ms (ocp.host.ssh-ping.max-delay-millis). Check network and load.",
           "主机 {0} 的 SSH 往返耗时 {1} 毫秒，超过上限 {2} 毫秒（ocp.host.ssh-ping.max-delay-millis），请检查网络与负载。");
ERR_DEFINE(ERR_HOST_CLOCK, 7021, 400, ERR_FINAL,
           "The clock of the host {0} is {1} ms off, more than {2} ms (ocp.host.check.clock-diff.max-diff). Synchronise it (chrony, NTP).",
           "主机 {0} 的时钟偏差为 {1} 毫秒，超过上限 {2} 毫秒（ocp.host.check.clock-diff.max-diff），请同步时钟（chrony、NTP）。");
ERR_DEFINE(ERR_HOST_OUTPUT, 7024, 500, ERR_FINAL,
           "The host {0} does not answer commands as a Linux system with a POSIX shell does. Look at what its login prints or starts.",
           "主机 {0} 的命令输出不符合预期，请检查登录 Shell 及其启动脚本。");
ERR_DEFINE(ERR_HOST_SYSTEM, 7025, 400, ERR_FINAL,
           "There is no agent here for the host {0}, which is {1}. Leave that host out, or put an agent for it beside ocp-server (agent.program_dir).",
           "没有适用于主机 {0}（{1}）的 Agent 程序。请移除该主机，或在 ocp-server 旁放置对应的 Agent 程序（agent.program_dir）。");
ERR_DEFINE(ERR_HOST_NO_WAY, 7026, 500, ERR_FINAL,
           "The host {0} does not reach OCP at {1}: {2}. Check the parameter ocp.site.url, routes and firewalls.",
           "主机 {0} 无法访问 OCP 地址 {1}：{2}。请检查 ocp.site.url 参数、路由与防火墙。");
ERR_DEFINE(ERR_HOSTS_OS, 7017, 400, ERR_FINAL, "Hosts that are added together must have the same operating system: {0}. Add them apart.",
           "同一批次添加的主机操作系统必须一致：{0}。请分批添加。");
ERR_DEFINE(ERR_HOSTS_MACHINE, 7018, 400, ERR_FINAL, "Hosts that are added together must have the same architecture: {0}. Add them apart.",
           "同一批次添加的主机架构必须一致：{0}。请分批添加。");
ERR_DEFINE(ERR_HOST_PORT, 90511, 409, ERR_FINAL,
           "On the host {0} something listens on the port {1}, which the agent needs. Stop it, or change the port (ocp.agent.*.http.port).",
           "主机 {0} 的端口 {1} 已被占用，Agent 需要使用该端口，请停止占用进程或修改端口参数（ocp.agent.*.http.port）。");
ERR_DEFINE(ERR_HOST_HAS_AGENT, 7012, 409, ERR_FINAL,
           "On the host {0} an agent is installed already in {1}: {2}. Delete the host there first, or uninstall it (ocp_agent_ctl uninstall).",
           "主机 {0} 的 {1} 已安装 Agent（{2}），请先在其所属 OCP 中删除该主机，或执行 ocp_agent_ctl uninstall。");
ERR_DEFINE(ERR_HOST_DIRECTORY, 90512, 409, ERR_FINAL,
           "On the host {0} the directory {1} is there and is no agent's. Move it away, or change ocp.agent.home.path.prefix.",
           "主机 {0} 上已存在目录 {1}，且不是 Agent 目录，请移走该目录或修改 ocp.agent.home.path.prefix。");
ERR_DEFINE(ERR_HOST_DISK, 7050, 400, ERR_FINAL,
           "On the host {0} there is too little room for {1}: {2} are free, {3} are needed. Make room, or change ocp.agent.home.path.prefix.",
           "主机 {0} 的 {1} 所在磁盘空间不足：剩余 {2}，需要 {3}。请清理磁盘或修改 ocp.agent.home.path.prefix。");
ERR_DEFINE(ERR_HOST_SILENT, 90513, 500, ERR_RETRY, "The host {0} did not answer within {1} s. Check network, load and its SSH server.",
           "主机 {0} 在 {1} 秒内未应答，请检查网络、负载及 SSH 服务。");

const struct err_row *const host_check_err_rows[] = {
    &ERR_HOST_SUDO, &ERR_HOST_LATENCY, &ERR_HOST_CLOCK, &ERR_HOST_OUTPUT, &ERR_HOST_SYSTEM, &ERR_HOST_NO_WAY, &ERR_HOSTS_OS,
    &ERR_HOSTS_MACHINE, &ERR_HOST_PORT, &ERR_HOST_HAS_AGENT, &ERR_HOST_DIRECTORY, &ERR_HOST_DISK, &ERR_HOST_SILENT, NULL,
};

const char *const host_check_names[] = { "ssh", "sudo", "latency", "clock", "system", "address", "ports", "directory", "disk", "known", "batch", NULL };

enum { BATCH_RULES = 2 };

/* ---- one host ---------------------------------------------------------------------------------------------------------- */

/* The findings as they grow; there is room for all. */
struct findings {
    const struct check_rules *rules;
    struct host_finding *item;
    size_t n;
};

static void add(struct findings *f, const struct host_probe *p, enum host_check check, const struct err *why)
{
    struct host_finding *one = &f->item[f->n++];

    *one = (struct host_finding){ .ip = p->ip, .check = check, .passed = why == NULL || why->row == NULL };
    if (!one->passed)
        one->why = *why;
}

static void check_sudo(struct findings *f, const struct host_probe *p, struct err *why)
{
    (void)f;
    if (p->power != SHELL_NO_POWER)
        return;
    (void)err_set(why, &ERR_HOST_SUDO, "%s", p->ip);
    (void)err_arg(why, "%s", p->refusal != NULL && p->refusal[0] != '\0' ? p->refusal : "sudo failed");
}

static void check_latency(struct findings *f, const struct host_probe *p, struct err *why)
{
    if (p->delay_us <= f->rules->max_delay_ms * 1000)
        return;
    (void)err_set(why, &ERR_HOST_LATENCY, "%s", p->ip);
    (void)err_arg(why, "%" PRId64, p->delay_us / 1000);
    (void)err_arg(why, "%" PRId64, f->rules->max_delay_ms);
}

/* What can be explained by the way of measuring does not count. */
static void check_clock(struct findings *f, const struct host_probe *p, struct err *why)
{
    if (!f->rules->compare_clocks || llabs(p->clock_diff_us) - p->clock_error_us <= f->rules->max_clock_diff_ms * 1000)
        return;
    (void)err_set(why, &ERR_HOST_CLOCK, "%s", p->ip);
    (void)err_arg(why, "%" PRId64, p->clock_diff_us / 1000);
    (void)err_arg(why, "%" PRId64, f->rules->max_clock_diff_ms);
}

static void check_system(struct findings *f, const struct host_probe *p, struct err *why)
{
    bool known = false;

    for (const char *const *m = f->rules->machines; *m != NULL; m++)
        known |= strcmp(*m, p->facts.machine) == 0;
    if (known && strcmp(p->facts.system, "Linux") == 0)
        return;
    (void)err_set(why, &ERR_HOST_SYSTEM, "%s", p->ip);
    (void)err_arg(why, "%s %s", p->facts.system, p->facts.machine);
}

static void check_address(struct findings *f, const struct host_probe *p, struct err *why)
{
    if (f->rules->url == NULL || p->reach != REACH_NO)
        return;
    (void)err_set(why, &ERR_HOST_NO_WAY, "%s", p->ip);
    (void)err_arg(why, "%s", f->rules->url);
    (void)err_arg(why, "%s", p->reach_reason[0] != '\0' ? p->reach_reason : "no answer");
}

/* Is the agent there the one of this very host, or of one that is gone? Then it is replaced, and its ports are no obstacle. */
static bool is_own_agent(const struct check_rules *rules, const struct host_probe *p)
{
    char id[24];

    (void)snprintf(id, sizeof id, "%" PRId64, p->host_id);
    return strcmp(p->facts.agent_ocp, rules->ocp_id) == 0 && (p->agent_is_stray || strcmp(p->facts.agent_host, id) == 0);
}

static bool is_busy(const struct host_probe *p, int64_t port)
{
    struct addr at = { .known = true };
    char text[ADDR_TEXT_SIZE];

    (void)host_listen_address(p, text);
    if (!addr_parse((struct slice){ text, strlen(text) }, &at))
        return false;
    at.port = (uint16_t)port;
    return facts_listens(&p->facts, &at);
}

/* Each busy port is a finding of its own. */
static void check_ports(struct findings *f, const struct host_probe *p)
{
    size_t before = f->n;

    for (unsigned i = 0; i < HOST_AGENT_PORTS && !is_own_agent(f->rules, p); i++) {
        struct err why = { 0 };

        if (!is_busy(p, f->rules->ports[i]))
            continue;
        (void)err_set(&why, &ERR_HOST_PORT, "%s", p->ip);
        (void)err_arg(&why, "%" PRId64, f->rules->ports[i]);
        add(f, p, CHECK_PORTS, &why);
    }
    if (f->n == before)
        add(f, p, CHECK_PORTS, NULL);
}

static void check_directory(struct findings *f, const struct host_probe *p, struct err *why)
{
    bool agent = p->facts.agent_ocp[0] != '\0', ours = strcmp(p->facts.agent_ocp, f->rules->ocp_id) == 0;

    if (!p->facts.occupied || is_own_agent(f->rules, p))
        return;
    (void)err_set(why, agent ? &ERR_HOST_HAS_AGENT : &ERR_HOST_DIRECTORY, "%s", p->ip);
    (void)err_arg(why, "%s", f->rules->home);
    if (agent && ours)
        (void)err_arg(why, "it is that of host %s of this OCP", p->facts.agent_host);
    else if (agent)
        (void)err_arg(why, "it belongs to another OCP (%s)", p->facts.agent_ocp);
}

static void add_size(struct err *why, int64_t bytes)
{
    struct arena scratch;
    char room[512];
    struct str t;

    arena_init_buffer(&scratch, room, sizeof room);
    str_init(&t, &scratch);
    num_add_size(&t, bytes / 1048576 * 1048576);
    (void)err_arg(why, "%s", str_c(&t));
    arena_fini(&scratch);
}

static void check_disk(struct findings *f, const struct host_probe *p, struct err *why)
{
    if (p->facts.free_bytes < 0 || p->facts.free_bytes >= f->rules->min_free_bytes)
        return;
    (void)err_set(why, &ERR_HOST_DISK, "%s", p->ip);
    (void)err_arg(why, "%s", f->rules->home);
    add_size(why, p->facts.free_bytes);
    add_size(why, f->rules->min_free_bytes);
}

static void check_known(struct findings *f, const struct host_probe *p)
{
    struct err why = { 0 };

    if (p->is_known)
        (void)err_set(&why, &ERR_HOST_EXISTS, "%s", p->ip);
    add(f, p, CHECK_KNOWN, &why);
}

static void check_one(struct findings *f, const struct host_probe *p)
{
    static void (*const checks[N_HOST_CHECKS])(struct findings *f, const struct host_probe *p, struct err *why) = {
        [CHECK_SUDO] = check_sudo,       [CHECK_LATENCY] = check_latency, [CHECK_CLOCK] = check_clock,
        [CHECK_SYSTEM] = check_system,   [CHECK_ADDRESS] = check_address, [CHECK_DIRECTORY] = check_directory,
        [CHECK_DISK] = check_disk,
    };

    add(f, p, CHECK_SSH, &p->failed);
    for (int i = CHECK_SUDO; p->failed.row == NULL && i < CHECK_KNOWN; i++) {
        struct err why = { 0 };

        if (i == CHECK_PORTS) {
            check_ports(f, p);
            continue;
        }
        checks[i](f, p, &why);
        add(f, p, (enum host_check)i, &why);
    }
    check_known(f, p);
}

/* ---- the batch --------------------------------------------------------------------------------------------------------- */

static const char *machine_of(const struct host_probe *p)
{
    return p->facts.machine;
}

static const char *os_of(const struct host_probe *p)
{
    return p->facts.title[0] != '\0' ? p->facts.title : p->facts.os;
}

static bool is_alike(const struct host_probe *a, const struct host_probe *b, const char *(*of)(const struct host_probe *p))
{
    return a->failed.row == NULL && b->failed.row == NULL && strcmp(of(a), of(b)) == 0;
}

/* The first of the hosts that were reached of which most others are; NULL: none was. */
static const struct host_probe *find_usual(const struct host_probe *probes, size_t n, const char *(*of)(const struct host_probe *p))
{
    const struct host_probe *usual = NULL;
    size_t most = 0;

    for (size_t i = 0; i < n; i++) {
        size_t alike = 0;

        for (size_t k = 0; k < n; k++)
            alike += is_alike(&probes[i], &probes[k], of);
        if (alike > most) {
            most = alike;
            usual = &probes[i];
        }
    }
    return usual;
}

/* Each host that was reached and differs from what is usual in this batch is named, with one that is so. */
static void compare(struct findings *f, const struct host_probe *probes, size_t n, const struct err_row *row,
                    const char *(*of)(const struct host_probe *p))
{
    const struct host_probe *usual = find_usual(probes, n, of);

    for (size_t i = 0; i < n; i++) {
        struct err why = { 0 };

        if (probes[i].failed.row != NULL || is_alike(usual, &probes[i], of))
            continue;
        (void)err_set(&why, row, "%s: %s, %s: %s", usual->ip, of(usual), probes[i].ip, of(&probes[i]));
        add(f, &probes[i], CHECK_BATCH, &why);
    }
}

int host_check_all(const struct check_rules *rules, const struct host_probe *probes, size_t n, struct arena *arena, struct host_finding **out,
                   size_t *n_out)
{
    struct findings f = { .rules = rules, .item = arena_array(arena, n * (N_HOST_CHECKS + HOST_AGENT_PORTS + BATCH_RULES), sizeof *f.item) };
    int failed = 0;

    if (f.item == NULL)
        return -1;
    for (size_t i = 0; i < n; i++)
        check_one(&f, &probes[i]);
    compare(&f, probes, n, &ERR_HOSTS_OS, os_of);
    compare(&f, probes, n, &ERR_HOSTS_MACHINE, machine_of);
    for (size_t i = 0; i < f.n; i++)
        failed += !f.item[i].passed;
    *out = f.item;
    *n_out = f.n;
    return failed;
}

const char *host_listen_address(const struct host_probe *p, char *buf)
{
    struct addr known;
    bool parsed = addr_parse((struct slice){ p->ip, strlen(p->ip) }, &known);

    if (parsed && p->greeting.local.known && addr_equal(&known, &p->greeting.local))
        return addr_text(&known, buf);
    /* It is behind a translation of addresses: it knows which of its own that is. */
    memcpy(buf, parsed && !addr_is_v4(&known) ? "::" : "0.0.0.0", parsed && !addr_is_v4(&known) ? 3 : 8);
    return buf;
}

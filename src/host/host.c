/* SPDX-License-Identifier: Apache-2.0 */
#include "src/host/host.h"

#include <string.h>

#include "src/base/clock.h"
#include "src/host/flows.h"
#include "src/host/program.h"
#include "src/io/addr.h"

ERR_DEFINE(ERR_HOST_ADDRESS, 90516, 400, ERR_FINAL, "{0} is not an IP address. Give an IPv4 or IPv6 address, not a name.",
           "{0} 不是合法的 IP 地址，请填写 IPv4 或 IPv6 地址。");
ERR_DEFINE(ERR_HOST_EXISTS, 7001, 409, ERR_FINAL, "A host with the address {0} exists already.", "地址为 {0} 的主机已存在。");
ERR_DEFINE(ERR_HOST_USED, 7004, 409, ERR_FINAL, "The host {0} is in use: {1}. Remove that from it first.",
           "主机 {0} 正在使用中：{1}，请先将其移除。");
ERR_DEFINE(ERR_HOST_IDC_FIXED, 7035, 409, ERR_FINAL, "The IDC of the host {0} cannot be changed while OceanBase servers run there.",
           "主机 {0} 上运行着 OceanBase 服务，不能修改其机房。");

const struct err_row *const host_err_rows[] = { &ERR_HOST_ADDRESS, &ERR_HOST_EXISTS, &ERR_HOST_USED, &ERR_HOST_IDC_FIXED, &ERR_HOST_CREDENTIAL, &ERR_HOST_COMMAND, NULL };

enum { MAX_NAME = 64 };

int hosts_new(const struct hosts_conf *conf, struct hosts **out, struct err *e)
{
    struct hosts *h = mem_zalloc(sizeof *h);
    int rv;

    if (h == NULL)
        return err_set(e, &ERR_NOMEM, "");
    h->conf = *conf;
    rv = host_programs_new(conf->program_dir, conf->long_pool, &h->programs, e);
    if (rv != 0) {
        hosts_free(h);
        return rv;
    }
    *out = h;
    return 0;
}

void hosts_free(struct hosts *h)
{
    if (h == NULL)
        return;
    host_programs_free(h->programs);
    mem_free(h);
}

/* ---- places ---------------------------------------------------------------------------------------------------------------- */

const char *place_name_problem(const char *name)
{
    if (name[0] == '\0' || strlen(name) > MAX_NAME)
        return "must have 1 to 64 characters";
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return "must not contain control characters";
    return NULL;
}

static int insert_type(struct db *d, const char *name, const char *description, struct arena *arena, struct host_type *out, struct err *e)
{
    struct host_type t = { .name = name, .description = description };
    int rv = db_next_id(d, &t.id, e);

    if (rv == 0)
        rv = store_host_type_insert(d, &t, e);
    return rv == 0 ? store_host_type_get(d, t.id, arena, out, e) : rv;
}

int host_type_add(struct db *d, const char *name, const char *description, struct arena *arena, struct host_type *out, struct err *e)
{
    int rv;

    if (name[0] != '\0')
        return insert_type(d, name, description, arena, out, e);
    rv = store_host_type_find(d, HOST_TYPE_DEFAULT, arena, out, e);
    if (rv == 0 || !err_is(e, &ERR_NOT_FOUND))
        return rv;
    rv = insert_type(d, HOST_TYPE_DEFAULT, description, arena, out, e);
    if (rv != 0 && err_is(e, &ERR_NAME_USED)) /* another request made it meanwhile */
        rv = store_host_type_find(d, HOST_TYPE_DEFAULT, arena, out, e);
    return rv;
}

/* ---- add ------------------------------------------------------------------------------------------------------------------- */

const struct task_flow *const host_flows[] = { &host_flow_add, &host_flow_install, &host_flow_delete, &host_flow_stop, &host_flow_restart, &host_flow_upgrade, NULL };

struct adding {
    const struct host_add *a;
    struct arena *arena;
    const int64_t *ids;
    struct task_new task;
    struct task_prepared prepared;
};

/* The address as it is written shortest: one host has one. */
static int read_address(const char *text, struct arena *arena, struct addr *parsed, const char **out, struct err *e)
{
    char buf[ADDR_TEXT_SIZE];

    if (!addr_parse((struct slice){ text, strlen(text) }, parsed))
        return err_set(e, &ERR_HOST_ADDRESS, "%s", text);
    *out = arena_strdup(arena, addr_text(parsed, buf));
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* `out` is `a` with its addresses written so, each of them there once. */
static int read_addresses(const struct host_add *a, struct arena *arena, struct host_add *out, struct err *e)
{
    const char **ips = arena_array(arena, a->n + 1, sizeof *ips);
    struct addr *parsed = arena_array(arena, a->n + 1, sizeof *parsed);
    int rv = ips != NULL && parsed != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (size_t i = 0; rv == 0 && i < a->n; i++) {
        rv = read_address(a->ips[i], arena, &parsed[i], &ips[i], e);
        for (size_t k = 0; rv == 0 && k < i; k++)
            if (addr_equal(&parsed[i], &parsed[k]))
                rv = err_set(e, &ERR_INVALID, "hostBasicDataList: the address %s is there twice", ips[i]);
    }
    *out = *a;
    out->ips = ips;
    return rv;
}

/* Which of the addresses are those of hosts already. */
static int find_known(struct db *d, const struct host_add *a, struct host_place *places, struct arena *arena, struct err *e)
{
    const char **ips = arena_array(arena, a->n + 1, sizeof *ips);
    const struct host_filter f = { .ips = { ips, a->n } };
    struct host *known;
    size_t n = 0;
    int rv;

    if (ips == NULL)
        return err_set(e, &ERR_NOMEM, "");
    memcpy(ips, a->ips, a->n * sizeof *ips);
    rv = store_host_list(d, &f, NULL, arena, &known, &n, NULL, e);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < a->n; k++)
            if (strcmp(known[i].ip, a->ips[k]) == 0)
                places[k].host_id = known[i].id;
    return rv;
}

static int look_at_places(struct hosts *h, struct db *d, const struct host_add *a, const struct check_rules *rules, struct host_place *places,
                          struct host_probe **probes, struct arena *arena, struct err *e)
{
    struct host_login login = { .secret = NULL };
    int rv = find_known(d, a, places, arena, e);

    if (rv == 0)
        rv = host_login_open(h, d, a->credential_id, arena, &login, e);
    if (rv == 0)
        rv = host_probe_all(h, d, &login, places, a->n, rules, arena, probes, e);
    host_login_close(&login);
    for (size_t i = 0; rv == 0 && i < a->n; i++)
        (*probes)[i].is_known = places[i].host_id != 0;
    return rv;
}

int host_precheck(struct hosts *h, struct db *d, const struct host_add *asked, struct arena *arena, struct host_finding **out, size_t *n,
                  size_t *n_failed, struct err *e)
{
    struct host_place *places = arena_array(arena, asked->n + 1, sizeof *places);
    struct host_probe *probes = NULL;
    struct check_rules rules;
    struct host_add a;
    int failed, rv = read_addresses(asked, arena, &a, e);

    if (rv == 0 && places == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = host_check_credential(d, a.user_id, a.credential_id, arena, e);
    for (size_t i = 0; rv == 0 && i < a.n; i++)
        places[i] = (struct host_place){ .ip = a.ips[i], .port = a.ssh_port };
    if (rv == 0)
        rv = host_rules(h, d, arena, &rules, e);
    if (rv == 0)
        rv = look_at_places(h, d, &a, &rules, places, &probes, arena, e);
    if (rv != 0)
        return rv;
    failed = host_check_all(&rules, probes, a.n, arena, out, n);
    *n_failed = (size_t)(failed > 0 ? failed : 0);
    return failed >= 0 ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int insert_host(struct tx *tx, const struct adding *g, size_t i, struct err *e)
{
    const struct host_add *a = g->a;
    struct host h = {
        .id = g->ids[i],
        .name = a->ips[i],
        .alias = a->alias,
        .description = a->description,
        .operating_system = "",
        .operating_system_release = "",
        .architecture = "",
        .serial_number = a->serial_numbers[i] != NULL ? a->serial_numbers[i] : "",
        .ip = a->ips[i],
        .ssh_port = a->ssh_port,
        .kind = a->kind,
        .publish_ports = a->publish_ports,
        .fingerprint = "",
        .ocp_id = "",
        .status = "NEW",
        .idc_id = a->idc_id,
        .type_id = a->type_id,
        .credential_id = a->credential_id,
    };
    int rv = store_host_insert(tx, &h, e);

    return rv != 0 && err_is(e, &ERR_NAME_USED) ? err_set(e, &ERR_HOST_EXISTS, "%s", a->ips[i]) : rv;
}

static int insert_all(struct tx *tx, void *data, struct err *e)
{
    struct adding *g = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < g->a->n; i++)
        rv = insert_host(tx, g, i, e);
    if (rv == 0)
        rv = task_insert(tx, &g->prepared, &g->task, g->arena, e);
    return rv;
}

int host_add(struct db *d, const struct host_add *asked, struct arena *arena, int64_t *ids, int64_t *task_id, struct err *e)
{
    struct host_add a;
    struct adding g = { .a = &a, .arena = arena, .ids = ids };
    struct host_targets targets = { .n = 0 };
    int rv = read_addresses(asked, arena, &a, e);

    if (rv == 0)
        rv = host_check_credential(d, a.user_id, a.credential_id, arena, e);
    g.task = (struct task_new){
        .flow = &host_flow_add,
        .name = a.n == 1 ? "Add a host" : "Add hosts",
        .creator_id = a.user_id,
        .creator_name = a.username,
        .node = a.node,
        .now_us = clock_wall_us(&clock_system),
    };
    for (size_t i = 0; rv == 0 && i < a.n; i++)
        rv = db_next_id(d, &ids[i], e);
    if (rv == 0)
        rv = host_task_about(&g.task, &targets, ids, a.ips, a.n, arena, e);
    if (rv == 0)
        rv = task_prepare(d, &g.task, arena, &g.prepared, e);
    if (rv == 0)
        rv = db_transact(d, insert_all, &g, e);
    if (rv == 0)
        *task_id = g.prepared.id;
    return rv;
}

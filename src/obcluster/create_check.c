/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/create_check.h"

#include <stdio.h>
#include <string.h>

#include "src/base/num.h"
#include "src/obcluster/name.h"
#include "src/obcluster/obcluster.h"

ERR_DEFINE(ERR_CREATE_TYPE, 11003, 400, ERR_FINAL, "A cluster of the type {0} cannot be created here, only PRIMARY.", "不支持创建类型为 {0} 的集群，仅支持 PRIMARY。");
ERR_DEFINE(ERR_CREATE_NO_SERVER, 11019, 400, ERR_FINAL, "The zone {0} has no servers. Name at least one host for it.", "Zone {0} 没有 OBServer，请至少指定一台主机。");
ERR_DEFINE(ERR_CREATE_TAKEN, 11021, 409, ERR_FINAL,
           "On the host {0} the port {1} belongs to an observer of the cluster {2}. Choose another host or other ports.",
           "主机 {0} 的端口 {1} 已被集群 {2} 的 OBServer 占用，请更换主机或端口。");
ERR_DEFINE(ERR_CREATE_ARCH, 11023, 400, ERR_FINAL, "The host {0} is {1}, but the package {2} is for {3}. Choose a package for this architecture.",
           "主机 {0} 的架构为 {1}，而软件包 {2} 适用于 {3}，请选择对应架构的软件包。");
ERR_DEFINE(ERR_CREATE_REFUSED, 11043, 400, ERR_FINAL, "The cluster {0} cannot be created like this: {1} {2} {3} {4}", "无法按此方式创建集群 {0}：{1} {2} {3} {4}");
ERR_DEFINE(ERR_ZONE_NAME, 12001, 400, ERR_FINAL, "{0} cannot be the name of a zone: a letter, then letters, digits and underscores, 2 to 64 characters.",
           "Zone 名称 {0} 不合法：须以字母开头，仅含字母、数字和下划线，长度为 2 到 64 个字符。");
ERR_DEFINE(ERR_ZONE_TWICE, 12009, 409, ERR_FINAL, "Two zones are called {0}. Give each a name of its own.", "存在重名的 Zone：{0}。");
ERR_DEFINE(ERR_CREATE_PORTS, 13009, 400, ERR_FINAL, "The SQL port {0} and the RPC port {1} must be two different numbers from 1024 to 65535.",
           "SQL 端口 {0} 和 RPC 端口 {1} 必须不同，且在 1024 到 65535 之间。");
ERR_DEFINE(ERR_CREATE_HOST, 13016, 404, ERR_FINAL, "There is no host with the id {0}. Add it first.", "主机 {0} 不存在，请先添加主机。");
ERR_DEFINE(ERR_CREATE_HOST_TWICE, 90821, 400, ERR_FINAL, "The host {0} is named twice. A cluster has at most one server on a host.",
           "主机 {0} 被重复指定，同一集群在一台主机上最多部署一个 OBServer。");
ERR_DEFINE(ERR_CREATE_HOST_STATE, 90822, 409, ERR_FINAL, "The host {0} is {1}. Only hosts that are AVAILABLE or ONLINE can run an observer: see the host's page.",
           "主机 {0} 当前状态为 {1}，仅 AVAILABLE 或 ONLINE 状态的主机可以部署 OBServer。");
ERR_DEFINE(ERR_CREATE_HOST_IDC, 90823, 400, ERR_FINAL, "The host {0} stands in the IDC {1}, but the zone {2} is for the IDC {3}.",
           "主机 {0} 位于机房 {1}，而 Zone {2} 对应的机房为 {3}。");
ERR_DEFINE(ERR_CREATE_IDC, 90824, 400, ERR_FINAL, "There is no IDC {0}. Create it first, or correct idcName.", "机房 {0} 不存在，请先创建或更正 idcName。");
ERR_DEFINE(ERR_CREATE_PACKAGE, 90825, 400, ERR_FINAL, "The package {0} cannot be used: {1}.", "软件包 {0} 不可用：{1}。");
ERR_DEFINE(ERR_CREATE_PATH, 90826, 400, ERR_FINAL, "The path {0} {1}.", "路径 {0} 不合法：{1}。");
ERR_DEFINE(ERR_CREATE_PARAMETER, 90827, 400, ERR_FINAL, "The start parameter {0} {1}.", "启动参数 {0} 不合法：{1}。");
ERR_DEFINE(ERR_CREATE_USER, 90829, 400, ERR_FINAL,
           "{0} cannot be the operating system user: a letter or underscore, then letters, digits, '_', '-' and '.', at most 32 characters.",
           "操作系统用户 {0} 不合法：须以字母或下划线开头，仅含字母、数字、_、- 和 .，最多 32 个字符。");
ERR_DEFINE(ERR_CREATE_VERSION, 11004, 400, ERR_FINAL, "The package {0} holds an observer {1}. Observers before 4.2 cannot be told their address: take a newer one.",
           "软件包 {0} 中 OBServer 的版本为 {1}，4.2 之前的版本无法指定 IP 地址，请使用更高版本。");
ERR_DEFINE(ERR_CREATE_MEMBER, 11253, 400, ERR_FINAL, "{0} cannot be had when a cluster is created: {1}. Leave it out.", "创建集群时不支持 {0}：{1}。请去掉该参数。");
ERR_DEFINE(ERR_CREATE_PRIMARY, 90828, 400, ERR_FINAL, "primaryZone names {0}, which is no zone of the cluster.", "primaryZone 中的 {0} 不是该集群的 Zone。");

const struct err_row *const create_check_err_rows[] = {
    &ERR_CREATE_TYPE,  &ERR_CREATE_NO_SERVER,  &ERR_CREATE_TAKEN,      &ERR_CREATE_ARCH,     &ERR_CREATE_REFUSED, &ERR_ZONE_NAME,
    &ERR_ZONE_TWICE,   &ERR_CREATE_PORTS,      &ERR_CREATE_HOST,       &ERR_CREATE_HOST_TWICE, &ERR_CREATE_HOST_STATE, &ERR_CREATE_HOST_IDC,
    &ERR_CREATE_IDC,   &ERR_CREATE_PACKAGE,    &ERR_CREATE_PATH,       &ERR_CREATE_PARAMETER,  &ERR_CREATE_PRIMARY,
    &ERR_CREATE_USER,  &ERR_CREATE_VERSION,    &ERR_CREATE_MEMBER,     NULL,
};

#define MIN_SYS_BYTES (INT64_C(1) << 30)
enum { ZONE_MIN = 2, ZONE_MAX = 64, PASSWORD_MAX = 128, USER_MAX = 32 };

const char *zone_name_problem(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t n = strlen(name);
    bool begins = (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z');

    return begins && n >= ZONE_MIN && n <= ZONE_MAX && strspn(name, letters) == n ? NULL : "must be a letter, then letters, digits and underscores";
}

const char *cluster_password_problem(const char *password)
{
    size_t n = strlen(password);

    if (n == 0)
        return "it is empty";
    if (n > PASSWORD_MAX)
        return "it has more than 128 bytes";
    for (const char *s = password; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return "it has control characters";
    return NULL;
}

/* --- reasons --------------------------------------------------------------------------------------------------------------------- */

struct check {
    const struct create_want *w;
    const struct create_known *k;
    struct create_reasons *out;
};

/* The next reason; when there are too many the last is written over. */
static struct err *next(struct check *c)
{
    if (c->out->n < CREATE_REASONS)
        c->out->n++;
    return &c->out->items[c->out->n - 1];
}

static void because(struct check *c, const struct err_row *row, const char *a, const char *b, const char *d, const char *f)
{
    const char *more[] = { b, d, f };
    struct err *e = next(c);

    (void)err_set(e, row, "%s", a);
    for (unsigned i = 0; i < 3 && more[i] != NULL; i++)
        (void)err_arg(e, "%s", more[i]);
}

static void check_name(struct check *c)
{
    if (!obcluster_name_is_valid(c->w->name))
        because(c, &ERR_OBCLUSTER_NAME, c->w->name, NULL, NULL, NULL);
    else if (c->k->name_taken)
        because(c, &ERR_OBCLUSTER_NAME_TAKEN, c->w->name, NULL, NULL, NULL);
    if (strcmp(c->w->type, "PRIMARY") != 0)
        because(c, &ERR_CREATE_TYPE, c->w->type, NULL, NULL, NULL);
}

static void check_passwords(struct check *c)
{
    const char *problem = cluster_password_problem(c->w->password);

    if (problem != NULL)
        because(c, &ERR_OBCLUSTER_NEW_PASSWORD, problem, NULL, NULL, NULL);
    problem = c->w->proxyro_password[0] != '\0' ? cluster_password_problem(c->w->proxyro_password) : NULL;
    if (problem != NULL)
        because(c, &ERR_OBCLUSTER_NEW_PASSWORD, problem, NULL, NULL, NULL);
}

static void check_ports(struct check *c)
{
    int64_t sql = c->w->sql_port, rpc = c->w->port;
    struct err *e;

    if (sql >= 1024 && sql <= 65535 && rpc >= 1024 && rpc <= 65535 && sql != rpc)
        return;
    e = next(c);
    (void)err_set(e, &ERR_CREATE_PORTS, "%lld", (long long)sql);
    (void)err_arg(e, "%lld", (long long)rpc);
}

static void check_paths(struct check *c)
{
    const char *paths[] = { c->w->paths.install, c->w->paths.run, c->w->paths.data, c->w->paths.log };

    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const char *problem = paths[i][0] == '\0' && i == 1 ? NULL : layout_path_problem(paths[i]);

        if (problem != NULL)
            because(c, &ERR_CREATE_PATH, paths[i], problem, NULL, NULL);
    }
}

static void check_user(struct check *c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-.";
    const char *user = c->w->os_user;
    size_t n = strlen(user);

    if (n == 0 || n > USER_MAX || strspn(user, letters) != n || strchr("0123456789-.", user[0]) != NULL)
        because(c, &ERR_CREATE_USER, user, NULL, NULL, NULL);
}

static void check_parameters(struct check *c)
{
    for (size_t i = 0; i < c->w->n_parameters; i++) {
        const char *problem = layout_parameter_problem(&c->w->parameters[i]);

        for (size_t k = 0; k < i && problem == NULL; k++)
            if (strcmp(c->w->parameters[i].name, c->w->parameters[k].name) == 0)
                problem = "is given twice";
        if (problem != NULL)
            because(c, &ERR_CREATE_PARAMETER, c->w->parameters[i].name, problem, NULL, NULL);
    }
}

static bool is_too_old(const char *version)
{
    struct slice rest = { version, strlen(version) };
    int64_t major, minor;

    return num_parse_i64(slice_cut(&rest, '.'), &major) && num_parse_i64(slice_cut(&rest, '.'), &minor) && (major < 4 || (major == 4 && minor < 2));
}

static void check_sizes(struct check *c)
{
    const char *const sizes[] = { c->w->sys_unit.memory, c->w->sys_unit.log_disk }, *const names[] = { "memorySize", "logDiskSize" };
    int64_t bytes;

    for (unsigned i = 0; i < 2; i++)
        if (sizes[i][0] != '\0' && (!num_parse_size((struct slice){ sizes[i], strlen(sizes[i]) }, &bytes) || bytes < MIN_SYS_BYTES))
            because(c, &ERR_CREATE_PARAMETER, names[i], "of sysUnitConfig must be a size of 1G at least", NULL, NULL);
}

static bool is_given(const char *s)
{
    return s != NULL && s[0] != '\0';
}

/* What would be left undone if it were taken without a word. */
static void check_beside(struct check *c)
{
    const struct create_beside *b = &c->w->beside;
    bool other_user = is_given(b->proxyro_user) && strcmp(b->proxyro_user, "proxyro") != 0 && strcmp(b->proxyro_user, "proxyro@sys") != 0;
    bool oversells = is_given(b->overselling) && strcmp(b->overselling, "1") != 0 && strcmp(b->overselling, "1.0") != 0;
    const struct {
        bool asked;
        const char *name, *why;
    } members[] = {
        { other_user, "obproxyUserName", "proxies log in as proxyro" },
        { b->n_proxy_clusters > 0, "obproxyClusterIds", "proxies find the cluster by the config URL" },
        { is_given(b->arbitration), "arbitrationServiceId", "there are no arbitration services here" },
        { b->primary_cluster != NULL, "primaryClusterInfo", "only primary clusters are created" },
        { oversells, "oversellingFactor", "give the parameter resource_hard_limit instead" },
        { b->cgroup, "cgroupEnabled", "a control group of the host is root's to make; afterwards link it as cgroup into the run directory and set enable_cgroup" },
        { b->extra_tenant, "createExtraTenant", "tenants are created when the cluster is there" },
        { is_given(b->load_type), "loadType", "give the parameters of the load in startupParameters" },
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].asked)
            because(c, &ERR_CREATE_MEMBER, members[i].name, members[i].why, NULL, NULL);
}

static void check_package(struct check *c)
{
    if (!c->k->package_found)
        because(c, &ERR_CREATE_PACKAGE, c->w->package, "there is none; upload it first", NULL, NULL);
    else if (strcmp(c->k->package_type, "OB_SERVER_INSTALL_PACKAGE") != 0)
        because(c, &ERR_CREATE_PACKAGE, c->w->package, "it holds no observer", NULL, NULL);
    else if (is_too_old(c->k->package_version))
        because(c, &ERR_CREATE_VERSION, c->w->package, c->k->package_version, NULL, NULL);
}

/* --- zones and their hosts ------------------------------------------------------------------------------------------------------- */

static const struct create_host *find_host(const struct create_known *k, int64_t id)
{
    for (size_t i = 0; i < k->n_hosts; i++)
        if (k->hosts[i].id == id)
            return &k->hosts[i];
    return NULL;
}

/* Is the host named before its place (zone, n)? */
static bool is_named_before(const struct create_want *w, size_t zone, size_t n)
{
    int64_t id = w->zones[zone].servers.items[n];

    for (size_t z = 0; z <= zone; z++)
        for (size_t i = 0; i < (z < zone ? w->zones[z].servers.n : n); i++)
            if (w->zones[z].servers.items[i] == id)
                return true;
    return false;
}

static bool has_idc(const struct create_known *k, const char *name)
{
    for (size_t i = 0; i < k->n_idcs; i++)
        if (strcmp(k->idcs[i], name) == 0)
            return true;
    return false;
}

static void check_there(struct check *c, const struct create_host *h)
{
    const int64_t wanted[] = { c->w->port, c->w->sql_port };

    for (size_t i = 0; i < c->k->n_there; i++) {
        const struct create_there *t = &c->k->there[i];

        for (unsigned p = 0; p < 2 && strcmp(t->ip, h->ip) == 0; p++) {
            char port[24];

            if (wanted[p] != t->port && wanted[p] != t->sql_port)
                continue;
            (void)snprintf(port, sizeof port, "%lld", (long long)wanted[p]);
            because(c, &ERR_CREATE_TAKEN, h->ip, port, t->cluster, NULL);
            break;
        }
    }
}

static void check_host(struct check *c, const struct create_zone *z, const struct create_host *h)
{
    const char *arch = c->k->package_architecture;

    if (strcmp(h->status, "AVAILABLE") != 0 && strcmp(h->status, "ONLINE") != 0)
        because(c, &ERR_CREATE_HOST_STATE, h->ip, h->status, NULL, NULL);
    if (strcmp(h->idc_name, z->idc_name) != 0 && has_idc(c->k, z->idc_name))
        because(c, &ERR_CREATE_HOST_IDC, h->ip, h->idc_name, z->name, z->idc_name);
    if (c->k->package_found && h->architecture[0] != '\0' && strcmp(arch, "noarch") != 0 && strcmp(arch, h->architecture) != 0)
        because(c, &ERR_CREATE_ARCH, h->ip, h->architecture, c->w->package, arch);
    check_there(c, h);
}

static void check_servers(struct check *c, size_t zone)
{
    const struct create_zone *z = &c->w->zones[zone];

    if (z->servers.n == 0)
        because(c, &ERR_CREATE_NO_SERVER, z->name, NULL, NULL, NULL);
    for (size_t i = 0; i < z->servers.n; i++) {
        const struct create_host *h = find_host(c->k, z->servers.items[i]);
        char id[24];

        (void)snprintf(id, sizeof id, "%lld", (long long)z->servers.items[i]);
        if (is_named_before(c->w, zone, i))
            because(c, &ERR_CREATE_HOST_TWICE, h != NULL ? h->ip : id, NULL, NULL, NULL);
        else if (h == NULL)
            because(c, &ERR_CREATE_HOST, id, NULL, NULL, NULL);
        else
            check_host(c, z, h);
    }
}

static void check_zones(struct check *c)
{
    if (c->w->n_zones == 0)
        because(c, &ERR_CREATE_NO_SERVER, "", NULL, NULL, NULL);
    for (size_t i = 0; i < c->w->n_zones; i++) {
        const struct create_zone *z = &c->w->zones[i];

        if (zone_name_problem(z->name) != NULL)
            because(c, &ERR_ZONE_NAME, z->name, NULL, NULL, NULL);
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->w->zones[k].name, z->name) == 0) {
                because(c, &ERR_ZONE_TWICE, z->name, NULL, NULL, NULL);
                break;
            }
        if (z->package != NULL && strcmp(z->package, c->w->package) != 0)
            because(c, &ERR_CREATE_PACKAGE, z->package, "a zone cannot have another package than its cluster", NULL, NULL);
        if (z->architecture != NULL && c->k->package_found && strcmp(c->k->package_architecture, "noarch") != 0 &&
            strcmp(z->architecture, c->k->package_architecture) != 0)
            because(c, &ERR_CREATE_ARCH, z->name, z->architecture, c->w->package, c->k->package_architecture);
        if (!has_idc(c->k, z->idc_name))
            because(c, &ERR_CREATE_IDC, z->idc_name, NULL, NULL, NULL);
        check_servers(c, i);
    }
}

static bool is_zone(const struct create_want *w, struct slice name)
{
    for (size_t i = 0; i < w->n_zones; i++)
        if (slice_is(name, w->zones[i].name))
            return true;
    return false;
}

static void check_primary_zone(struct check *c)
{
    struct slice rest = { c->w->primary_zone, strlen(c->w->primary_zone) };

    if (slice_is_nocase(rest, "RANDOM"))
        return;
    while (rest.n > 0) {
        struct slice group = slice_cut(&rest, ';');

        while (group.n > 0) {
            struct slice name = slice_trim(slice_cut(&group, ','));
            char text[ZONE_MAX + 1];

            if (is_zone(c->w, name))
                continue;
            (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(name));
            because(c, &ERR_CREATE_PRIMARY, text, NULL, NULL, NULL);
        }
    }
}

int create_check(const struct create_want *w, const struct create_known *k, struct arena *arena, struct create_reasons *out, struct err *e)
{
    struct check c = { w, k, out };

    *out = (struct create_reasons){ arena_array(arena, CREATE_REASONS, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    check_name(&c);
    check_passwords(&c);
    check_ports(&c);
    check_paths(&c);
    check_user(&c);
    check_parameters(&c);
    check_sizes(&c);
    check_beside(&c);
    check_package(&c);
    check_zones(&c);
    check_primary_zone(&c);
    return 0;
}

int create_check_servers(const struct create_want *w, const struct create_known *k, struct arena *arena, struct create_reasons *out,
                         struct err *e)
{
    struct check c = { w, k, out };

    *out = (struct create_reasons){ arena_array(arena, CREATE_REASONS, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    check_package(&c);
    check_zones(&c);
    return 0;
}

int create_refuse(const struct create_want *w, const struct create_reasons *r, struct err *e)
{
    if (r->n == 0)
        return 0;
    if (r->n == 1) {
        *e = r->items[0];
        return e->row->code;
    }
    (void)err_set(e, &ERR_CREATE_REFUSED, "%s", w->name);
    for (size_t i = 0; i < 4; i++) {
        char text[ERR_ARG_SIZE];

        (void)err_arg(e, "%s", i < r->n ? err_text(&r->items[i], ERR_EN, text, sizeof text) : "");
    }
    return e->row->code;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/configurl/configurl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "src/io/fiber.h"

ERR_DEFINE(ERR_CONFIG_UNKNOWN, 90801, 404, ERR_FINAL,
           "No cluster {0} is registered here. Its servers report it when their parameter obconfig_url names this service.",
           "集群 {0} 未在此注册。请将其 obconfig_url 参数指向本服务。");
ERR_DEFINE(ERR_CONFIG_EXISTS, 90802, 409, ERR_FINAL, "The cluster {0} with the number {1} is registered already.", "集群 {0}（编号 {1}）已注册。");
ERR_DEFINE(ERR_CONFIG_FOREIGN, 90803, 403, ERR_FINAL,
           "{1} may not change what is kept of the cluster {0}: the cluster is managed here, and only its own servers may.",
           "{1} 无权修改集群 {0} 的注册信息：该集群已被纳管，仅其自身的 OBServer 可以修改。");
ERR_DEFINE(ERR_CONFIG_NETWORK, 90804, 403, ERR_FINAL,
           "{1} may not change what is kept of the cluster {0}: it is in no network of the setting configurl.networks.",
           "{1} 无权修改集群 {0} 的注册信息：其地址不在 configurl.networks 配置的网络中。");
ERR_DEFINE(ERR_CONFIG_FULL, 90805, 503, ERR_FINAL, "{0} clusters are registered here, which is the most there can be. Delete those that are gone.",
           "注册的集群数已达上限 {0}，请先删除不再使用的集群。");

const struct err_row *const configurl_err_rows[] = {
    &ERR_CONFIG_UNKNOWN, &ERR_CONFIG_EXISTS, &ERR_CONFIG_FOREIGN, &ERR_CONFIG_NETWORK, &ERR_CONFIG_FULL, NULL,
};

struct config_snapshot {
    int64_t version;
    struct config_record *records;
    size_t n;
    struct arena arena;
    _Atomic unsigned owners;
};

struct configurl {
    struct configurl_conf conf;
    struct log log;
    pthread_mutex_t lock;
    struct config_snapshot *now;   /* one owner of it; NULL before the first read; under the lock */
};

int configurl_new(const struct configurl_conf *conf, struct configurl **out, struct err *e)
{
    struct configurl *c = mem_zalloc(sizeof *c);

    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    c->conf = *conf;
    log_child(&c->log, conf->log, "part", "config URL");
    (void)pthread_mutex_init(&c->lock, NULL); /* default attributes: cannot fail on Linux */
    *out = c;
    return 0;
}

void configurl_free(struct configurl *c)
{
    if (c == NULL)
        return;
    configurl_put(c->now);
    (void)pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

/* --- snapshot -------------------------------------------------------------------------------------------------------------------- */

void configurl_put(struct config_snapshot *s)
{
    if (s == NULL || atomic_fetch_sub(&s->owners, 1) > 1)
        return;
    arena_fini(&s->arena);
    mem_free(s);
}

const struct config_record *config_snapshot_records(const struct config_snapshot *s, size_t *n)
{
    *n = s->n;
    return s->records;
}

/* NULL: nothing was read yet. */
static struct config_snapshot *hold(struct configurl *c)
{
    struct config_snapshot *s;

    pthread_mutex_lock(&c->lock);
    s = c->now;
    if (s != NULL)
        atomic_fetch_add(&s->owners, 1);
    pthread_mutex_unlock(&c->lock);
    return s;
}

/* Of two that were read at once the later stays. */
static void keep(struct configurl *c, struct config_snapshot *s)
{
    struct config_snapshot *former = NULL;

    pthread_mutex_lock(&c->lock);
    if (c->now == NULL || c->now->version < s->version) {
        former = c->now;
        c->now = s;
        atomic_fetch_add(&s->owners, 1);
    }
    pthread_mutex_unlock(&c->lock);
    configurl_put(former);
}

/* The version was read before the rows: they are at least as new as it. */
static int load(struct configurl *c, struct db *d, int64_t version, struct config_snapshot **out, struct err *e)
{
    struct config_snapshot *s = mem_zalloc(sizeof *s);
    int rv;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    arena_init(&s->arena);
    s->version = version;
    atomic_store(&s->owners, 1);
    rv = store_config_list(d, &s->arena, &s->records, &s->n, e);
    if (rv != 0) {
        configurl_put(s);
        return rv;
    }
    keep(c, s);
    *out = s;
    return 0;
}

static int look(struct configurl *c, struct db *d, struct config_snapshot *former, struct config_snapshot **out, struct err *e)
{
    int64_t version;
    int rv = store_config_version(d, &version, e);

    if (rv != 0)
        return rv;
    if (former == NULL || former->version != version)
        return load(c, d, version, out, e);
    atomic_fetch_add(&former->owners, 1);
    *out = former;
    return 0;
}

int configurl_get(struct configurl *c, struct db *d, struct config_snapshot **out, struct err *e)
{
    struct config_snapshot *former = hold(c);
    int64_t deadline = fiber_narrow_deadline(former != NULL ? CONFIG_READ_MS : INT64_MAX);
    int rv = look(c, d, former, out, e);

    fiber_restore_deadline(deadline);
    if (rv == 0 || former == NULL) {
        configurl_put(former);
        return rv;
    }
    log_debug(&c->log, "MetaDB does not answer -> what was read before counts", LOG_E(e));
    err_clear(e);
    *out = former;
    return 0;
}

/* --- URLs ------------------------------------------------------------------------------------------------------------------------ */

static int site(struct configurl *c, struct arena *arena, const char **out, struct err *e)
{
    size_t n;
    int rv = parameter_text(c->conf.parameters, PARAM_OCP_CONFIG_URL_SITE_URL, arena, out, e);

    if (rv == 0 && **out == '\0')
        rv = parameter_text(c->conf.parameters, PARAM_OCP_SITE_URL, arena, out, e);
    if (rv != 0)
        return rv;
    n = strlen(*out);
    while (n > 0 && (*out)[n - 1] == '/')
        n--;
    *out = arena_strndup(arena, *out, n);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

int configurl_base(struct configurl *c, struct slice scheme, struct slice authority, struct arena *arena, const char **out, struct err *e)
{
    if (authority.n == 0 || !parameter_bool(c->conf.parameters, PARAM_OCP_CONFIG_URL_USE_REQUEST_ADDRESS))
        return site(c, arena, out, e);
    *out = arena_printf(arena, "%.*s://%.*s", SLICE_FMT(scheme), SLICE_FMT(authority));
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* --- who may change -------------------------------------------------------------------------------------------------------------- */

static bool same_server(const struct config_rs *r, const struct config_server *s)
{
    struct slice text = { r->address, strlen(r->address) }, ip = { s->ip, strlen(s->ip) };
    struct addr a, b;

    return addr_parse_port(text, &a) && addr_parse(ip, &b) && addr_equal(&a, &b) && a.port == s->port && r->sql_port == s->sql_port &&
           (r->role == CONFIG_LEADER) == (s->with_rootserver != 0);
}

static bool is_listed(const struct config_report *r, const struct config_server *s)
{
    for (size_t i = 0; i < r->n_servers; i++)
        if (same_server(&r->servers[i], s))
            return true;
    return false;
}

bool configurl_is_confirmed(const struct config_report *r, const struct config_server *seen, size_t n)
{
    size_t expected = 0;

    for (size_t i = 0; i < n; i++) {
        if (!seen[i].in_rs_list)
            continue;
        if (!is_listed(r, &seen[i]))
            return false;
        expected++;
    }
    return expected > 0 && expected == r->n_servers;
}

static bool is_own(const struct config_server *servers, size_t n, const struct addr *client)
{
    for (size_t i = 0; i < n; i++) {
        struct addr a;

        if (addr_parse((struct slice){ servers[i].ip, strlen(servers[i].ip) }, &a) && addr_equal(&a, client))
            return true;
    }
    return false;
}

/* The setting was checked when it was loaded. */
static bool is_allowed(struct configurl *c, const struct addr *client)
{
    const struct settings *set = settings_get(c->conf.settings);
    struct slice text = { set->configurl.networks, strlen(set->configurl.networks) };
    struct cidr_list list;
    bool yes;

    if (cidr_list_parse(text, &list, NULL) != 0) {
        settings_put(set);
        return false;
    }
    yes = cidr_list_has(&list, client);
    cidr_list_fini(&list);
    settings_put(set);
    return yes;
}

static int refuse(const struct err_row *why, const char *name, const struct addr *client, struct err *e)
{
    char text[ADDR_TEXT_SIZE];

    (void)err_set(e, why, "%s", name);
    return err_arg(e, "%s", addr_text(client, text));
}

/* `r`: what is reported; NULL for other changes. */
static int check_caller(struct configurl *c, struct db *d, const char *name, const struct config_report *r, const struct addr *client,
                        struct arena *arena, struct err *e)
{
    struct config_server *servers;
    bool managed;
    size_t n;
    int rv = store_config_servers(d, name, arena, &managed, &servers, &n, e);

    if (rv != 0)
        return rv;
    if (is_own(servers, n, client) || (r != NULL && configurl_is_confirmed(r, servers, n)))
        return 0;
    if (managed)
        return refuse(&ERR_CONFIG_FOREIGN, name, client, e);
    return is_allowed(c, client) ? 0 : refuse(&ERR_CONFIG_NETWORK, name, client, e);
}

/* --- changes --------------------------------------------------------------------------------------------------------------------- */

static int full(struct err *e)
{
    return err_set(e, &ERR_CONFIG_FULL, "%d", CONFIG_RECORDS_MAX);
}

static void set_reporter(struct configurl *c, struct config_record *r, const struct addr *client, char *text)
{
    r->reporter = addr_text(client, text);
    r->updated_us = clock_wall_us(c->conf.clock);
}

int configurl_report(struct configurl *c, struct db *d, struct config_report *r, const struct addr *client, struct arena *arena, bool *changed,
                     struct err *e)
{
    char text[ADDR_TEXT_SIZE];
    enum config_outcome outcome;
    int rv = check_caller(c, d, r->record.name, r, client, arena, e);

    *changed = false;
    if (rv != 0)
        return rv;
    set_reporter(c, &r->record, client, text);
    rv = store_config_report(d, &r->record, CONFIG_RECORDS_MAX, &outcome, e);
    r->record.reporter = "";
    if (rv != 0)
        return rv;
    *changed = outcome == CONFIG_CHANGED;
    if (*changed)
        log_info(&c->log, "root service reported", LOG_S("cluster", r->record.name), LOG_I("number", r->record.ob_cluster_id),
                 LOG_S("servers", r->record.servers), LOG_S("client", text));
    return outcome == CONFIG_FULL ? full(e) : 0;
}

int configurl_register(struct configurl *c, struct db *d, const char *name, int64_t id, const struct addr *client, struct arena *arena,
                       struct err *e)
{
    struct config_record r = { .name = name, .ob_cluster_id = id, .type = "PRIMARY", .servers = "[]" };
    char text[ADDR_TEXT_SIZE];
    enum config_outcome outcome;
    int rv = check_caller(c, d, name, NULL, client, arena, e);

    if (rv != 0)
        return rv;
    set_reporter(c, &r, client, text);
    rv = store_config_register(d, &r, CONFIG_RECORDS_MAX, &outcome, e);
    if (rv != 0)
        return rv;
    if (outcome == CONFIG_FULL)
        return full(e);
    if (outcome == CONFIG_EXISTS) {
        (void)err_set(e, &ERR_CONFIG_EXISTS, "%s", name);
        return err_arg(e, "%lld", (long long)id);
    }
    log_info(&c->log, "cluster registered", LOG_S("cluster", name), LOG_I("number", id), LOG_S("client", text));
    return 0;
}

int configurl_delete(struct configurl *c, struct db *d, const char *name, int64_t id, const struct addr *client, struct arena *arena,
                     uint64_t *n, struct err *e)
{
    char text[ADDR_TEXT_SIZE];
    int rv = check_caller(c, d, name, NULL, client, arena, e);

    if (rv == 0)
        rv = store_config_delete(d, name, id, n, e);
    if (rv == 0 && *n > 0)
        log_info(&c->log, "cluster removed from the registry", LOG_S("cluster", name), LOG_I("number", id),
                 LOG_S("client", addr_text(client, text)));
    return rv;
}

int configurl_confirm(struct configurl *c, struct db *d, const char *name, int64_t id, struct arena *arena, struct err *e)
{
    struct config_report r = { .record = { .name = name, .ob_cluster_id = id, .type = "PRIMARY", .reporter = "ocp" } };
    struct config_server *seen;
    struct config_rs *servers;
    enum config_outcome outcome;
    bool managed;
    size_t n;
    int rv = store_config_servers(d, name, arena, &managed, &seen, &n, e);

    servers = arena_array(arena, n + 1, sizeof *servers);
    for (size_t i = 0; rv == 0 && servers != NULL && i < n; i++) {
        const char *form = strchr(seen[i].ip, ':') != NULL ? "[%s]:%lld" : "%s:%lld";

        if (!seen[i].in_rs_list)
            continue;
        servers[r.n_servers].role = seen[i].with_rootserver ? CONFIG_LEADER : CONFIG_FOLLOWER;
        servers[r.n_servers].sql_port = seen[i].sql_port;
        servers[r.n_servers].address = arena_printf(arena, form, seen[i].ip, (long long)seen[i].port);
        if (servers[r.n_servers++].address == NULL)
            servers = NULL;
    }
    if (rv != 0 || servers == NULL)
        return rv != 0 ? rv : err_set(e, &ERR_NOMEM, "");
    r.servers = servers;
    r.record.stamp_us = r.record.updated_us = clock_wall_us(c->conf.clock);
    if (r.n_servers == 0)
        return 0;
    rv = config_report_finish(&r, arena, e);
    return rv == 0 ? store_config_report(d, &r.record, CONFIG_RECORDS_MAX, &outcome, e) : rv;
}

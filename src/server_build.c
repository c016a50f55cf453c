/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server_parts.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/console.h"
#include "api/stale.h"
#include "conf/parameters.h"
#include "config.h"
#include "ha/drive/drive.h"
#include "src/host/host.h"
#include "src/node/home.h"
#include "src/node/peers.h"
#include "src/node/revoked.h"
#include "src/configurl/configurl.h"
#include "src/package/package.h"
#include "src/obcluster/obcluster.h"
#include "src/setting/setting.h"
#include "src/store/embedded.h"
#include "src/iam/loginkey.h"
#include "src/tables.h"
#include "src/task/engine.h"
#include "src/vault/vault.h"

enum { MAX_LOOPS = 64, CRYPTO_THREADS = 2, CONNECT_THREADS = 4, VISIT_THREADS = 8, LONG_THREADS = 8 };

static struct sql_target *make_targets(const struct settings_db *db, unsigned *n)
{
    struct sql_target *targets = mem_array(db->endpoints.n + 1, sizeof *targets);

    if (targets == NULL)
        return NULL;
    for (unsigned i = 0; i < db->endpoints.n; i++)
        targets[i] = (struct sql_target){
            .host = db->endpoints.items[i].host,
            .port = db->endpoints.items[i].port,
            .user = db->user,
            .password = db->password,
            .database = db->database,
            .tls_ca = db->tls_ca[0] != '\0' ? db->tls_ca : NULL,
            .tls_required = db->tls_required,
            .connect_timeout_ms = (unsigned)db->connect_timeout_ms,
        };
    *n = db->endpoints.n;
    return targets;
}

/* The embedded MetaDB answers on a socket below its folder, to the user that this process runs as (store/embedded.h). */
static struct sql_target *make_embedded_target(struct server *s, const char *database, unsigned *n)
{
    struct sql_target *target = mem_zalloc(sizeof *target);
    const struct passwd *self = getpwuid(geteuid());

    (void)snprintf(s->embedded_socket, sizeof s->embedded_socket, "%s/sock", s->boot->standalone.data_dir);
    (void)snprintf(s->embedded_user, sizeof s->embedded_user, "%s", self != NULL ? self->pw_name : "");
    if (target != NULL)
        *target = (struct sql_target){ .socket = s->embedded_socket, .user = s->embedded_user, .database = database };
    *n = 1;
    return target;
}

static int take_settings(struct server *s, struct err *e)
{
    if (s->boot->standalone.enabled) {
        s->metadb_targets = make_embedded_target(s, s->boot->db.database, &s->n_metadb);
        s->monitordb_targets = make_embedded_target(s, s->boot->monitordb.database, &s->n_monitordb);
        return s->metadb_targets != NULL && s->monitordb_targets != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
    }
    s->metadb_targets = make_targets(&s->boot->db, &s->n_metadb);
    s->monitordb_targets = make_targets(&s->boot->monitordb, &s->n_monitordb);
    if (s->metadb_targets == NULL || s->monitordb_targets == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return 0;
}

static int make_node(struct server *s, struct err *e)
{
    const struct setting_addresses *listen = &s->boot->http.listen;
    const char *name = s->boot->node.name;

    if (name[0] == '\0') {
        if (gethostname(s->node_name, sizeof s->node_name - 1) != 0)
            return err_set(e, &ERR_IO, "the machine has no host name; set node.name");
    } else {
        (void)snprintf(s->node_name, sizeof s->node_name, "%s", name);
    }
    s->node = (struct api_node){
        .name = s->node_name,
        .zone = s->boot->node.zone,
        .version = PACKAGE_VERSION,
        .build_time = BUILD_TIME,
        .started_wall_us = clock_wall_us(&clock_system),
        .clock = &clock_system,
    };
    (void)snprintf(s->listen_address, sizeof s->listen_address, "%s:%u", listen->items[0].host, listen->items[0].port);
    s->self = (struct node){
        .name = s->node_name,
        .zone = s->boot->node.zone,
        .idc = s->boot->node.idc,
        .address = s->listen_address,
        .version = s->node.version,
        .build_time = s->node.build_time,
        .started_us = s->node.started_wall_us,
    };
    return 0;
}

static int make_pool(const char *name, unsigned n_threads, struct work_pool **out, struct err *e)
{
    struct work_conf conf = { .name = name, .n_threads = n_threads, .max_queued = 1024 };

    return work_pool_new(&conf, out, e);
}

static int make_pools(struct server *s, struct err *e)
{
    int rv = make_pool("crypto", CRYPTO_THREADS, &s->crypto, e);

    if (rv == 0)
        rv = make_pool("connect", CONNECT_THREADS, &s->connect, e);
    if (rv == 0)
        rv = make_pool("visits", VISIT_THREADS, &s->visits, e);
    if (rv == 0)
        rv = make_pool("long", LONG_THREADS, &s->longer, e);
    return rv;
}

static int make_iam(struct server *s, struct err *e)
{
    struct iam_conf conf = { .crypto_pool = s->crypto, .clock = &clock_system, .log = &s->log, .settings = s->box, .node = s->node.name };
    int rv = parameters_new(&s->parameters, e);

    conf.parameters = s->parameters;
    return rv == 0 ? iam_new(&conf, &s->shared.iam, e) : rv;
}

static int make_packages(struct server *s, struct err *e)
{
    const char *database = s->boot->package.database;
    struct packages_conf conf = {
        .schema = s->package_schema,
        .directory = s->boot->package.directory,
        .node = s->node.name,
        .parameters = s->parameters,
        .pool = s->longer,
        .log = &s->log,
    };

    if (database[0] != '\0')
        (void)snprintf(s->package_schema, sizeof s->package_schema, "%s", database);
    else
        (void)snprintf(s->package_schema, sizeof s->package_schema, "%s_package", s->boot->db.database);
    return packages_new(&conf, &s->domains.packages, e);
}

static int make_loop(const char *name, const struct log *log, struct loop **out, struct err *e)
{
    struct loop_conf conf = { name, &clock_system, log, LOOP_MAX_FIBERS, LOOP_STACK_BYTES };

    return loop_new(&conf, out, e);
}

struct db_conf server_db_conf(struct server *s, bool monitor)
{
    const struct settings_db *from = monitor ? &s->boot->monitordb : &s->boot->db;

    return (struct db_conf){
        .name = monitor ? "MonitorDB" : "MetaDB",
        .targets = monitor ? s->monitordb_targets : s->metadb_targets,
        .n_targets = monitor ? s->n_monitordb : s->n_metadb,
        .max_sessions = (unsigned)from->pool_size,
        .statement_timeout_ms = (unsigned)from->statement_timeout_ms,
        .connect_pool = s->connect,
        .log = &s->log,
        .seed = s->seed += 0x9e3779b97f4a7c15u,
    };
}

static int make_db(struct server *s, struct loop *l, bool monitor, struct db **out, struct err *e)
{
    struct db_conf conf = server_db_conf(s, monitor);

    return db_new(&conf, l, out, e);
}

/* ---- HTTP -------------------------------------------------------------------------------------------------------------- */

/* The API serves without it, too: what is wrong is logged, and its pages say that it is missing. */
static int make_console(struct server *s, struct err *e)
{
    const char *dir = s->boot->http.console_dir[0] != '\0' ? s->boot->http.console_dir : PKGDATADIR "/console";
    struct err why = { 0 };

    if (console_load(dir, &s->console, &why) == 0)
        return 0;
    log_warn(&s->log, "there is no console", LOG_S("folder", dir), LOG_E(&why));
    return console_absent(&s->console, e);
}

static int make_tls(struct server *s, struct err *e)
{
    struct tls_conf conf = { .cert_file = s->boot->http.tls_certificate, .key_file = s->boot->http.tls_key, .alpn = "h2,http/1.1" };

    return conf.cert_file[0] != '\0' ? tls_server_new(&conf, &s->tls, e) : 0;
}

static struct http_limits limits_of(const struct settings *set)
{
    return (struct http_limits){
        .connections = (unsigned)set->http.max_connections,
        .connections_per_client = (unsigned)set->http.max_connections_per_client,
        .header_bytes = (unsigned)set->http.max_header_bytes,
        .body_bytes = (uint64_t)set->http.max_upload_bytes,
        .handshake_ms = (unsigned)set->http.handshake_timeout_ms,
        .header_ms = (unsigned)set->http.header_timeout_ms,
        .body_ms = (unsigned)set->http.body_timeout_ms,
        .write_ms = (unsigned)set->http.write_timeout_ms,
        .idle_ms = (unsigned)set->http.idle_timeout_ms,
        .streams = (unsigned)set->http.max_streams,
    };
}

static int listen_all(struct server *s, struct worker *w, struct err *e)
{
    const struct setting_addresses *listen = &s->boot->http.listen;
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < listen->n; i++) {
        struct http_listen at = {
            .address = listen->items[i].host, .port = listen->items[i].port, .tls = s->tls, .proxy_protocol = s->boot->http.proxy_protocol,
        };

        rv = http_server_listen(w->api.http, &at, NULL, e);
    }
    return rv;
}

static int make_http(struct server *s, struct worker *w, struct err *e)
{
    struct http_limits limits = limits_of(s->boot);
    struct http_conf conf = {
        .loop = w->api.loop,
        .limits = &limits,
        .trusted = &s->trusted,
        .pool = s->longer,
        .name = "ocp-server",
        .serve = api_serve,
        .refuse = api_refuse,
        .data = &w->api,
    };
    int rv = http_server_new(&conf, &w->api.http, e);

    return rv == 0 ? listen_all(s, w, e) : rv;
}

static int make_worker(struct server *s, unsigned i, struct err *e)
{
    struct worker *w = &s->workers[i];
    int rv;

    w->server = s;
    w->api.shared = &s->shared;
    w->api.index = i;
    s->apis[i] = &w->api;
    (void)snprintf(w->name, sizeof w->name, "api-%u", i);
    rv = make_loop(w->name, &s->log, &w->api.loop, e);
    if (rv == 0)
        rv = make_db(s, w->api.loop, false, &w->api.metadb, e);
    if (rv == 0)
        rv = make_db(s, w->api.loop, true, &w->api.monitordb, e);
    if (rv == 0)
        rv = api_init(&w->api, s->seed += 0x9e3779b97f4a7c15u, e);
    if (rv == 0)
        rv = make_http(s, w, e);
    return rv;
}

int server_make_workers(struct server *s, struct err *e)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t n = s->boot->http.loops > 0 ? s->boot->http.loops : processors > 0 ? processors : 1;
    int rv = 0;

    s->n_workers = (unsigned)(n < MAX_LOOPS ? n : MAX_LOOPS);
    s->workers = mem_array(s->n_workers, sizeof *s->workers);
    s->apis = mem_array(s->n_workers, sizeof(struct api *));
    if (s->workers == NULL || s->apis == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->shared.loops = s->apis;
    s->shared.n_loops = s->n_workers;
    for (unsigned i = 0; rv == 0 && i < s->n_workers; i++)
        rv = make_worker(s, i, e);
    return rv;
}

static void free_workers(struct server *s)
{
    for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++) {
        struct worker *w = &s->workers[i];

        http_server_free(w->api.http);
        db_free(w->api.metadb);
        db_free(w->api.monitordb);
        api_fini(&w->api);
        loop_free(w->api.loop);
    }
}
static void share(struct server *s)
{
    audit_init(&s->audit, s->node.name, &s->log);
    s->shared.node = &s->node;
    s->shared.key_file = s->boot->key_file;
    s->shared.audit = &s->audit;
    s->shared.router = s->router;
    s->shared.console = s->console;
    s->shared.err_tables = all_errors;
    s->shared.crypto_pool = s->crypto;
    s->shared.connect_pool = s->connect;
    s->shared.long_pool = s->longer;
    s->shared.monitoring = &s->monitoring;
    s->shared.domains = &s->domains;
    s->shared.schedules = all_schedules;
}

int server_build(struct server *s, struct err *e)
{
    int rv = make_node(s, e);

    if (rv == 0)
        rv = take_settings(s, e);
    if (rv == 0)
        rv = cidr_list_parse((struct slice){ s->boot->http.trusted_proxies, strlen(s->boot->http.trusted_proxies) }, &s->trusted, e);
    if (rv == 0)
        rv = cidr_list_parse((struct slice){ s->boot->http.monitoring_allow, strlen(s->boot->http.monitoring_allow) }, &s->monitoring, e);
    if (rv == 0)
        rv = make_pools(s, e);
    if (rv == 0)
        rv = make_iam(s, e);
    if (rv == 0)
        rv = router_new(all_routes, &s->router, e);
    if (rv == 0)
        rv = make_packages(s, e);
    if (rv == 0)
        rv = make_console(s, e);
    if (rv == 0)
        rv = make_tls(s, e);
    if (rv == 0)
        rv = stale_new(&s->shared.stale, e);
    if (rv == 0)
        rv = make_loop("control", &s->log, &s->control, e);
    if (rv == 0)
        rv = make_db(s, s->control, false, &s->metadb, e);
    if (rv == 0)
        rv = make_db(s, s->control, true, &s->monitordb, e);
    if (rv == 0)
        share(s);
    return rv;
}

/* Everything in the reverse order of server_build; what was never made is NULL. */
void server_tear_down(struct server *s)
{
    for (unsigned i = 0; i < s->n_signals; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    (void)signal(SIGTERM, SIG_IGN); /* libuv has put the default action back, and the end is near already */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    raft_node_free(s->raft);
    work_pool_free(s->longer);
    work_pool_free(s->crypto);
    free_workers(s);
    peer_caller_free(s->caller);
    peers_free(s->shared.peers);
    drive_close(s->drive);
    db_free(s->metadb);
    db_free(s->monitordb);
    work_pool_free(s->connect);
    work_pool_free(s->visits);
    loop_free(s->control); /* runs the last posts of the workers, so their memory goes after it */
    mem_free(s->workers);
    mem_free(s->apis);
    drive_free(s->drive);
    obclusters_free(s->domains.obclusters);
    configurl_free(s->domains.configurl);
    hosts_free(s->domains.hosts);
    packages_free(s->domains.packages);
    leases_free(s->leases);
    task_engine_free(s->shared.tasks);
    schedules_free(s->schedules);
    login_keys_free(s->shared.login_keys);
    iam_free(s->shared.iam);
    setting_keeper_free(s->shared.setting);
    parameters_free(s->parameters);
    vault_free(s->shared.vault);
    tls_server_free(s->tls);
    tls_server_free(s->peer_tls);
    tls_server_free(s->call_tls);
    stale_free(s->shared.stale);
    node_revoked_free(s->revoked);
    node_home_close(s->home);
    router_free(s->router);
    console_free(s->console);
    cidr_list_fini(&s->trusted);
    cidr_list_fini(&s->monitoring);
    mem_free(s->metadb_targets);
    mem_free(s->monitordb_targets);
    notify_fini(&s->notify);
    settings_put(s->boot);
    mem_free(s);
}

struct user_context server_user_context(struct server *s)
{
    return (struct user_context){ s->shared.iam, s->metadb, s->crypto, &clock_system };
}

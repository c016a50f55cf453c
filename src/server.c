/* SPDX-License-Identifier: Apache-2.0 */
/* One process:
 *
 *   main thread    the control loop: signals, embedded MetaDB, schema, keys, background jobs, watchdog
 *   api-0 ...      one loop each: HTTP server, sessions to MetaDB, request fibers; they share the port and nothing else
 *   pools          crypto (password hashing), connect (DNS, TCP, TLS, login), long (files, compression)
 *
 * Start: listen at once (every call but health gets 503), then in a fiber: database, schema, keys, first administrator, ready.
 * Stop (SIGTERM): not ready, wait for the load balancer, GOAWAY and finish, stop the API loops, stop jobs and database, exit 0.
 * A second SIGTERM stops without waiting for clients. */
#include "src/server.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "conf/parameters.h"
#include "config.h"
#include "src/audit/audit.h"
#include "src/iam/iam.h"
#include "src/iam/user.h"
#include "src/io/fiber.h"
#include "src/io/notify.h"
#include "src/obcluster/obcluster.h"
#include "src/setting/setting.h"
#include "src/store/embedded.h"
#include "src/store/idempotency.h"
#include "src/store/migrate.h"
#include "src/tables.h"
#include "src/task/domains.h"
#include "src/task/engine.h"
#include "src/task/job.h"
#include "src/vault/vault.h"

enum { MAX_LOOPS = 64, STARTUP_MS = 600000, RETRY_MS = 500, FORCED_MS = 2000, CRYPTO_THREADS = 2, CONNECT_THREADS = 4, LONG_THREADS = 2,
       PRUNE_MS = 600000, AUDIT_KEEP_DAYS = 1095 };

struct server;

struct worker {
    struct server *server;
    struct api api;
    char name[16];
    bool running;
    struct loop_post drain_post, drained_post;
};

struct server {
    struct settings_box *box;
    const struct settings *boot;       /* as of the start; owned */
    const struct cli *cli;
    struct log_sink *sink;
    struct log log;
    struct notify notify;
    char node_name[256];
    struct api_node node;
    struct api_shared shared;
    struct domain_graph domains;
    struct work_pool *crypto, *connect, *longer;
    struct router *router;
    struct tls_server *tls;            /* NULL: cleartext */
    struct cidr_list trusted, monitoring;
    struct sql_target *metadb_targets, *monitordb_targets;
    unsigned n_metadb, n_monitordb;
    struct embedded *embedded;         /* NULL: the database is elsewhere */
    char embedded_socket[128], embedded_user[64];
    struct loop *control;
    struct db *metadb, *monitordb;     /* of the control loop */
    struct worker *workers;
    struct api **apis;
    unsigned n_workers;
    uv_signal_t signals[3];
    unsigned n_signals;
    int64_t stream_timeout_ms;         /* how long clients may take to finish; set when stopping */
    unsigned n_draining;               /* workers that have not reported yet */
    struct waitlist drained;
    bool stopping;
    struct job jobs[2];
    struct parameters *parameters;
    struct audit audit;
    int start_rv;                      /* what starting came to, and why */
    struct err start_error;
    uint64_t seed;
};

/* ---- settings into structs ------------------------------------------------------------------------------------------- */

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
        rv = make_pool("long", LONG_THREADS, &s->longer, e);
    return rv;
}

static int make_iam(struct server *s, struct err *e)
{
    struct iam_conf conf = { .crypto_pool = s->crypto, .clock = &clock_system, .log = &s->log };
    int rv = parameters_new(&s->parameters, e);

    conf.parameters = s->parameters;
    return rv == 0 ? iam_new(&conf, &s->shared.iam, e) : rv;
}

static int make_loop(const char *name, const struct log *log, struct loop **out, struct err *e)
{
    struct loop_conf conf = { name, &clock_system, log, LOOP_MAX_FIBERS, LOOP_STACK_BYTES };

    return loop_new(&conf, out, e);
}

static int make_db(struct server *s, struct loop *l, bool monitor, struct db **out, struct err *e)
{
    const struct settings_db *from = monitor ? &s->boot->monitordb : &s->boot->db;
    struct db_conf conf = {
        .name = monitor ? "MonitorDB" : "MetaDB",
        .targets = monitor ? s->monitordb_targets : s->metadb_targets,
        .n_targets = monitor ? s->n_monitordb : s->n_metadb,
        .max_sessions = (unsigned)from->pool_size,
        .statement_timeout_ms = (unsigned)from->statement_timeout_ms,
        .connect_pool = s->connect,
        .log = &s->log,
        .seed = s->seed += 0x9e3779b97f4a7c15u,
    };

    return db_new(&conf, l, out, e);
}

/* ---- HTTP -------------------------------------------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    struct addr a;

    return addr_parse((struct slice){ host, strlen(host) }, &a) && addr_is_loopback(&a);
}

static int check_cleartext(const struct settings *set, struct err *e)
{
    if (set->http.tls_certificate[0] != '\0' || set->http.allow_cleartext)
        return 0;
    for (unsigned i = 0; i < set->http.listen.n; i++)
        if (!is_loopback(set->http.listen.items[i].host))
            return err_set(e, &ERR_INVALID,
                           "http.listen: %s is not a loopback address and there is no TLS: set http.tls.certificate and http.tls.key, or "
                           "http.allow_cleartext = on where a trusted network or proxy protects the traffic",
                           set->http.listen.items[i].host);
    return 0;
}

static int make_tls(struct server *s, struct err *e)
{
    struct tls_conf conf = { .cert_file = s->boot->http.tls_certificate, .key_file = s->boot->http.tls_key, .alpn = "h2,http/1.1" };
    int rv = check_cleartext(s->boot, e);

    if (rv != 0 || conf.cert_file[0] == '\0')
        return rv;
    return tls_server_new(&conf, &s->tls, e);
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
        struct http_listen at = { listen->items[i].host, listen->items[i].port, s->tls, s->boot->http.proxy_protocol };

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

static int make_workers(struct server *s, struct err *e)
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

/* ---- stop ---------------------------------------------------------------------------------------------------------------- */

static void join_workers(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++) {
        if (!s->workers[i].running)
            continue;
        loop_stop(s->workers[i].api.loop);
        loop_thread_join(s->workers[i].api.loop);
        s->workers[i].running = false;
    }
}

/* Back on the control loop. */
static void on_drained(struct loop_post *post)
{
    struct worker *w = (struct worker *)((char *)post - offsetof(struct worker, drained_post));

    w->server->n_draining--;
    waitlist_wake_all(&w->server->drained);
}

static void drain_fiber(void *data)
{
    struct worker *w = data;
    struct err e = { 0 };

    (void)fiber_narrow_deadline(w->server->stream_timeout_ms);
    if (http_server_drain(w->api.http, &e) != 0)
        log_info(&w->server->log, "some clients did not finish in time", LOG_S("loop", w->name), LOG_E(&e));
    w->drained_post.fn = on_drained;
    loop_post(w->server->control, &w->drained_post);
}

static void on_drain(struct loop_post *post)
{
    struct worker *w = (struct worker *)((char *)post - offsetof(struct worker, drain_post));
    struct err e = { 0 };

    if (fiber_start(w->api.loop, "drain", drain_fiber, w, NULL, &e) == 0)
        return;
    w->drained_post.fn = on_drained;
    loop_post(w->server->control, &w->drained_post);
}

static void drain_workers(struct server *s)
{
    struct err e;

    for (unsigned i = 0; i < s->n_workers; i++) {
        s->workers[i].drain_post.fn = on_drain;
        s->n_draining++;
        loop_post(s->workers[i].api.loop, &s->workers[i].drain_post);
    }
    while (s->n_draining > 0)
        if (waitlist_wait(&s->drained, &e) != 0)
            break; /* the deadline: what is left is cut off */
}

static void stop_fiber(void *data)
{
    struct server *s = data;
    const struct settings *now = settings_get(s->box);
    int64_t lb_wait = now->drain.lb_wait_ms;
    int64_t streams = now->drain.stream_timeout_ms;
    struct err e;

    settings_put(now);
    s->stream_timeout_ms = streams;

    log_info(&s->log, "stopping: not ready any more, finishing requests");
    notify_stopping(&s->notify, "draining", lb_wait + streams + FORCED_MS);
    (void)fiber_narrow_deadline(lb_wait + streams + FORCED_MS);
    if (fiber_sleep(lb_wait, &e) != 0)
        log_info(&s->log, "stopping at once");
    drain_workers(s);
    join_workers(s);
    (void)fiber_shield(true);
    embedded_stop(s->embedded);
    loop_stop(s->control);
}

static void begin_stop(struct server *s)
{
    struct err e;

    if (s->stopping) { /* asked twice: do not wait for clients */
        for (unsigned i = 0; i < s->n_workers; i++)
            loop_stop(s->workers[i].api.loop);
        loop_stop(s->control);
        return;
    }
    s->stopping = true;
    s->node.draining = true;
    if (fiber_start(s->control, "stop", stop_fiber, s, NULL, &e) != 0)
        begin_stop(s);
}

/* ---- signals ----------------------------------------------------------------------------------------------------------- */

static void apply_reload(struct server *s)
{
    const struct settings *now = settings_get(s->box);

    s->sink->level = now->log.level;
    settings_put(now);
}

static void log_changes(struct server *s, const struct settings_change *changes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        log_info(&s->log, changes[i].applied ? "setting changed" : "setting changed in the file needs a restart",
                 LOG_S("setting", changes[i].setting->name));
}

static void log_problems(struct server *s, const struct settings_problems *problems)
{
    for (unsigned i = 0; i < problems->n; i++)
        log_warn(&s->log, "setting refused", LOG_S("source", problems->items[i].source), LOG_I("line", problems->items[i].line),
                 LOG_S("setting", problems->items[i].key), LOG_S("reason", problems->items[i].reason));
}

static void reload(struct server *s)
{
    struct settings_sources from = cli_sources(s->cli, environ);
    struct settings_problems problems;
    struct settings_change *changes;
    struct arena arena;
    unsigned n = 0;
    struct err e;

    notify_reloading(&s->notify);
    arena_init(&arena);
    settings_problems_init(&problems);
    if (settings_reload(s->box, &from, &problems, &arena, &changes, &n, &e) != 0)
        log_error(&s->log, "settings were not reloaded", LOG_E(&e));
    else
        apply_reload(s);
    log_problems(s, &problems);
    log_changes(s, changes, n);
    settings_problems_fini(&problems);
    arena_fini(&arena);
    if (s->tls != NULL && tls_server_reload(s->tls, &e) != 0)
        log_error(&s->log, "certificates were not reloaded", LOG_E(&e));
    log_info(&s->log, "reloaded");
    notify_ready(&s->notify, "serving");
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;

    if (number == SIGHUP)
        reload(s);
    else
        begin_stop(s);
}

static int watch_signals(struct server *s, struct err *e)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

    for (unsigned i = 0; i < 3; i++) {
        int rv = uv_signal_init(loop_uv(s->control), &s->signals[i]);

        s->signals[i].data = s;
        if (rv == 0) {
            s->n_signals++;
            rv = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
        }
        if (rv != 0)
            return err_set(e, &ERR_IO, "signal %d: %s", numbers[i], uv_strerror(rv));
    }
    return 0;
}

/* ---- start --------------------------------------------------------------------------------------------------------------- */

static int sign_of_life(void *data, struct err *e)
{
    struct server *s = data;

    (void)e;
    for (unsigned i = 0; i < s->n_workers; i++)
        if (clock_now_ms(&clock_system) - loop_stats(s->workers[i].api.loop).turned_at_ms > 5000)
            return err_set(e, &ERR_UNEXPECTED, "loop %s has not turned for 5 seconds", s->workers[i].name);
    notify_watchdog(&s->notify);
    return 0;
}

static int migrate_both(struct server *s, struct err *e)
{
    int rv = migrate(s->metadb, metadb_migrations, s->node.name, e);

    return rv == 0 ? migrate(s->monitordb, monitordb_migrations, s->node.name, e) : rv;
}

/* Waits for the database as long as it takes; what waiting cannot cure ends the process. */
static int prepare_database(struct server *s, struct err *e)
{
    bool told = false;
    int rv;

    while ((rv = migrate_both(s, e)) != 0) {
        struct err ended;

        if (err_is(e, &ERR_SCHEMA_NEWER) || err_is(e, &ERR_SCHEMA_CHANGED) || fiber_is_cancelled(fiber_current()))
            return rv;
        if (!told)
            log_warn(&s->log, "waiting for the database", LOG_E(e));
        told = true;
        rv = fiber_sleep(RETRY_MS, &ended);
        if (rv != 0)
            return rv;
    }
    return 0;
}

static int prepare_data_dir(struct server *s, struct err *e)
{
    if (mkdir(s->boot->data_dir, 0700) == 0 || errno == EEXIST)
        return 0;
    return err_set(e, &ERR_IO, "data_dir %s cannot be made: %s; make it, owned by the user that ocp-server runs as", s->boot->data_dir,
                   strerror(errno));
}

static int prepare_keys(struct server *s, struct err *e)
{
    bool created = false;
    char name[9];
    int rv = vault_new(s->boot->key_file, true, &created, &s->shared.vault, e);

    if (rv == 0)
        log_info(&s->log, created ? "master key made; keep a copy of the file" : "master key read", LOG_S("file", s->boot->key_file),
                 LOG_S("key", vault_key_name(s->shared.vault, name)));
    return rv == 0 ? setting_keeper_new(s->parameters, s->shared.vault, &s->log, &s->shared.setting, e) : rv;
}

/* Where nobody else reads it: a terminal or pipe that somebody gave us; the journal keeps things, so there a file of ours. */
static int tell_first_password(struct server *s, const char *password, struct err *e)
{
    char path[4096];
    FILE *f = stdout;

    if (!s->sink->journal) {
        (void)fprintf(f, "First administrator: user %s, password: %s (it must be changed at the first login)\n", USER_ADMIN, password);
        return fflush(f) == 0 ? 0 : err_set(e, &ERR_IO, "the first password could not be printed");
    }
    (void)snprintf(path, sizeof path, "%s/first-password", s->boot->data_dir);
    (void)umask(077);
    f = fopen(path, "we");
    if (f == NULL || fprintf(f, "%s\n", password) < 0 || fclose(f) != 0)
        return err_set(e, &ERR_IO, "%s: the first password could not be written", path);
    log_info(&s->log, "first administrator made; the password, to be changed at the first login, is in a file", LOG_S("user", USER_ADMIN),
             LOG_S("file", path));
    return 0;
}

static struct user_context user_context(struct server *s)
{
    return (struct user_context){ s->shared.iam, s->metadb, s->crypto, &clock_system };
}

static int prepare_admin(struct server *s, struct err *e)
{
    struct user_context c = user_context(s);
    char password[PASSWORD_RANDOM_SIZE];
    bool created = false;
    int rv = user_found_admin(&c, password, &created, e);

    if (rv == 0 && created)
        rv = tell_first_password(s, password, e);
    mem_wipe(password, sizeof password);
    return rv;
}

static void watch_users(void *data)
{
    struct server *s = data;

    iam_watch(s->shared.iam, s->metadb);
}

static int refresh_parameters(void *data, struct err *e)
{
    struct server *s = data;

    return setting_refresh(s->shared.setting, s->metadb, e);
}

static int prune(void *data, struct err *e)
{
    struct server *s = data;
    int rv = db_prune_outcomes(s->metadb, e);

    if (rv == 0)
        rv = store_idempotency_prune(s->metadb, e);
    return rv == 0 ? store_audit_prune(s->metadb, AUDIT_KEEP_DAYS, e) : rv;
}

static const struct job domain_jobs[] = {
    { "system parameters", SETTING_REFRESH_MS, 5000, refresh_parameters, false },
    { "prune", PRUNE_MS, 60000, prune, false },
    { NULL },
};

/* Needs the keys, so it is not part of build(). */
static int make_obclusters(struct server *s, struct err *e)
{
    struct obclusters_conf conf = {
        .vault = s->shared.vault,
        .connect_pool = s->connect,
        .settings = s->box,
        .clock = &clock_system,
        .log = &s->log,
        .node = s->node.name,
    };

    return obclusters_new(&conf, &s->domains.obclusters, e);
}

static int prepare_domains(struct server *s, struct err *e)
{
    int rv = refresh_parameters(s, e);

    if (rv == 0)
        rv = prepare_admin(s, e);
    if (rv == 0)
        rv = make_obclusters(s, e);
    if (rv == 0)
        rv = task_engine_adopt(s->shared.tasks, e);
    if (rv == 0)
        rv = obclusters_watch(s->domains.obclusters, s->metadb, s->seed += 0x9e3779b97f4a7c15u, e);
    if (rv == 0)
        rv = jobs_start(s->control, domain_jobs, s, &s->log, s->seed + 1, e);
    return rv == 0 ? fiber_start(s->control, "users", watch_users, s, NULL, e) : rv;
}

static int start_jobs(struct server *s, struct err *e)
{
    const struct job always[] = {
        { "sign of life", s->notify.watchdog_ms > 0 ? s->notify.watchdog_ms / 3 : 5000, 5000, sign_of_life, true },
        { NULL },
    };

    memcpy(s->jobs, always, sizeof always);
    return jobs_start(s->control, s->jobs, s, &s->log, s->seed, e);
}

static int start_embedded(struct server *s, struct err *e)
{
    const char *const databases[] = { s->boot->db.database, s->boot->monitordb.database, NULL };
    struct embedded_conf conf = {
        .dir = s->boot->standalone.data_dir,
        .databases = databases,
        .connect_pool = s->connect,
        .log = &s->log,
    };

    return s->boot->standalone.enabled ? embedded_start(&conf, &s->embedded, e) : 0;
}

static int prepare(struct server *s, struct err *e)
{
    int rv = prepare_data_dir(s, e);

    if (rv == 0)
        rv = prepare_keys(s, e);
    if (rv == 0)
        rv = start_jobs(s, e);
    if (rv == 0)
        rv = start_embedded(s, e);
    if (rv == 0)
        rv = prepare_database(s, e);
    if (rv == 0)
        rv = prepare_domains(s, e);
    return rv;
}

static void start_fiber(void *data)
{
    struct server *s = data;

    s->start_rv = prepare(s, &s->start_error);
    if (s->start_rv != 0) {
        if (!s->stopping)
            begin_stop(s);
        return;
    }
    s->node.ready = true;
    log_info(&s->log, "ready", LOG_S("version", s->node.version), LOG_I("loops", s->n_workers));
    notify_ready(&s->notify, "serving");
}

/* ---- the object graph ---------------------------------------------------------------------------------------------------- */

static int start_workers(struct server *s, struct err *e)
{
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < s->n_workers; i++) {
        rv = loop_thread_start(s->workers[i].api.loop, e);
        s->workers[i].running = rv == 0;
    }
    return rv;
}

static int make_tasks(struct server *s, struct err *e)
{
    struct task_engine_conf conf = {
        .flows = all_flows, .loop = s->control, .db = s->metadb, .data = &s->domains, .node = s->node.name, .log = &s->log,
    };

    return task_engine_new(&conf, &s->shared.tasks, e);
}

static int build(struct server *s, struct err *e)
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
        rv = make_tls(s, e);
    if (rv == 0)
        rv = make_loop("control", &s->log, &s->control, e);
    if (rv == 0)
        rv = make_db(s, s->control, false, &s->metadb, e);
    if (rv == 0)
        rv = make_db(s, s->control, true, &s->monitordb, e);
    if (rv == 0)
        rv = make_tasks(s, e);
    return rv;
}

static void share(struct server *s)
{
    audit_init(&s->audit, s->node.name, &s->log);
    s->shared.node = &s->node;
    s->shared.audit = &s->audit;
    s->shared.router = s->router;
    s->shared.err_tables = all_errors;
    s->shared.crypto_pool = s->crypto;
    s->shared.connect_pool = s->connect;
    s->shared.long_pool = s->longer;
    s->shared.monitoring = &s->monitoring;
    s->shared.domains = &s->domains;
}

static int build_and_start(struct server *s, struct err *e)
{
    int rv = build(s, e);

    if (rv != 0)
        return rv;
    share(s);
    rv = make_workers(s, e);
    if (rv == 0)
        rv = watch_signals(s, e);
    if (rv == 0)
        rv = fiber_start(s->control, "start", start_fiber, s, NULL, e);
    if (rv == 0)
        rv = start_workers(s, e);
    return rv;
}

/* Everything in the reverse order of build; what was never made is NULL. */
static void tear_down(struct server *s)
{
    for (unsigned i = 0; i < s->n_signals; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    (void)signal(SIGTERM, SIG_IGN); /* libuv has put the default action back, and the end is near already */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    work_pool_free(s->longer);
    work_pool_free(s->crypto);
    free_workers(s);
    db_free(s->metadb);
    db_free(s->monitordb);
    work_pool_free(s->connect);
    loop_free(s->control); /* runs the last posts of the workers, so their memory goes after it */
    mem_free(s->workers);
    mem_free(s->apis);
    obclusters_free(s->domains.obclusters);
    task_engine_free(s->shared.tasks);
    iam_free(s->shared.iam);
    setting_keeper_free(s->shared.setting);
    parameters_free(s->parameters);
    vault_free(s->shared.vault);
    tls_server_free(s->tls);
    router_free(s->router);
    cidr_list_fini(&s->trusted);
    cidr_list_fini(&s->monitoring);
    mem_free(s->metadb_targets);
    mem_free(s->monitordb_targets);
    notify_fini(&s->notify);
    settings_put(s->boot);
    mem_free(s);
}

static int make_server(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct server **out, struct err *e)
{
    struct server *s = mem_zalloc(sizeof *s);
    int rv;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->box = box;
    s->boot = settings_get(box);
    s->cli = cli;
    s->sink = sink;
    log_init(&s->log, sink);
    if (getrandom(&s->seed, sizeof s->seed, 0) != (ssize_t)sizeof s->seed)
        s->seed = (uint64_t)clock_wall_us(&clock_system);
    rv = notify_init(&s->notify, getenv("NOTIFY_SOCKET"), getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), e);
    if (rv != 0) {
        settings_put(s->boot);
        mem_free(s);
        return rv;
    }
    *out = s;
    return 0;
}

int server_run(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    struct server *s;
    int rv = make_server(box, cli, sink, &s, e);

    if (rv != 0)
        return rv;
    rv = build_and_start(s, e);
    if (rv == 0) {
        loop_run(s->control);
        rv = s->start_rv;
        if (rv != 0)
            *e = s->start_error;
    }
    join_workers(s);
    if (rv == 0)
        log_info(&s->log, "stopped");
    tear_down(s);
    return rv;
}

/* ---- reset password ------------------------------------------------------------------------------------------------------ */

static void reset_fiber(void *data)
{
    struct server *s = data;
    struct user_context c = user_context(s);
    char password[PASSWORD_RANDOM_SIZE];

    (void)fiber_narrow_deadline(60000);
    s->start_rv = user_reset_password(&c, s->cli->argument, password, &s->start_error);
    if (s->start_rv == 0)
        (void)printf("New password of user %s: %s (it must be changed at the next login)\n", s->cli->argument, password);
    mem_wipe(password, sizeof password);
    loop_stop(s->control);
}

int server_reset_password(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    struct server *s;
    int rv = make_server(box, cli, sink, &s, e);

    if (rv != 0)
        return rv;
    rv = build(s, e);
    if (rv == 0)
        rv = fiber_start(s->control, "reset password", reset_fiber, s, NULL, e);
    if (rv == 0) {
        loop_run(s->control);
        rv = s->start_rv;
        if (rv != 0)
            *e = s->start_error;
    }
    tear_down(s);
    return rv;
}

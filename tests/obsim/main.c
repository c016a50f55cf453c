/* SPDX-License-Identifier: Apache-2.0 */
/* obsim - simulated OceanBase clusters, for tests; under the name `observer`, one server of one. See README.md. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "tests/obsim/ctl.h"
#include "tests/obsim/observer.h"
#include "tests/obsim/process.h"
#include "tests/obsim/world.h"

enum { OPT_CLUSTER = 256, OPT_BASE, OPT_ZONES, OPT_SERVERS, OPT_TENANTS, OPT_ORACLE, OPT_VERSION, OPT_PORT, OPT_CLUSTERS, OPT_PASSWORD,
       OPT_CTL, OPT_LOG, OPT_SEED, OPT_SPEED, OPT_TABLES, OPT_TLS, OPT_ENTERPRISE };

static const int64_t gib = INT64_C(1) << 30;

struct options {
    char name[SIM_NAME];
    int64_t id;
    unsigned net, zones, servers, tenants, oracle_tenants, clusters;
    int port;
    const char *version, *password, *ctl, *log, *tables, *certificate;
    uint64_t seed;
    double speed;
    bool is_enterprise;
};

static const struct argp_option rows[] = {
    { "cluster", OPT_CLUSTER, "NAME:ID", 0, "name and number of the cluster; several get NAME, NAME2, NAME3 and the numbers behind ID", 0 },
    { "base", OPT_BASE, "127.N.0.0", 0, "network of the first cluster: its servers are 127.N.zone.server", 0 },
    { "zones", OPT_ZONES, "N", 0, "zones of each cluster", 0 },
    { "servers", OPT_SERVERS, "N", 0, "servers of each zone", 0 },
    { "tenants", OPT_TENANTS, "N", 0, "user tenants in MySQL mode", 0 },
    { "oracle-tenants", OPT_ORACLE, "N", 0, "user tenants in Oracle mode", 0 },
    { "enterprise", OPT_ENTERPRISE, NULL, 0, "not the community edition", 0 },
    { "version", OPT_VERSION, "4.2.1.0", 0, "of the kernel", 0 },
    { "port", OPT_PORT, "2881", 0, "for SQL, of every server", 0 },
    { "clusters", OPT_CLUSTERS, "N", 0, "so many of them, each on the next network", 0 },
    { "password", OPT_PASSWORD, "TEXT", 0, "of root@sys", 0 },
    { "ctl", OPT_CTL, "SOCKET", 0, "control by lines of JSON", 0 },
    { "log", OPT_LOG, "DIR", 0, "writes DIR/obsim_audit.jsonl: every statement", 0 },
    { "seed", OPT_SEED, "N", 0, "of all that is random", 0 },
    { "speed", OPT_SPEED, "X", 0, "what takes time takes 1/X of it", 0 },
    { "tables", OPT_TABLES, "DIR", 0, "folder of views.json and tables.json", 0 },
    { "tls", OPT_TLS, "FILE", 0, "PEM file with certificate and key: TLS is offered", 0 },
    { NULL },
};

static bool number(const char *text, long min, long max, unsigned *out)
{
    char *end;
    long v = strtol(text, &end, 10);

    *out = (unsigned)v;
    return *text != '\0' && *end == '\0' && v >= min && v <= max;
}

static bool take_cluster(struct options *o, const char *text)
{
    const char *colon = strrchr(text, ':');
    unsigned id = 1;

    if (colon != NULL && !number(colon + 1, 1, INT32_MAX, &id))
        return false;
    o->id = id;
    sim_name(o->name, (struct slice){ text, colon != NULL ? (size_t)(colon - text) : strlen(text) });
    return o->name[0] != '\0';
}

static bool take_base(struct options *o, const char *text)
{
    char rest;

    return sscanf(text, "127.%3u.0.0%c", &o->net, &rest) == 1 && o->net > 0 && o->net < 256;
}

static bool take(struct options *o, int key, const char *text)
{
    unsigned v = 0;
    bool ok = true;

    switch (key) {
    case OPT_CLUSTER: return take_cluster(o, text);
    case OPT_BASE: return take_base(o, text);
    case OPT_ZONES: return number(text, 1, 9, &o->zones);
    case OPT_SERVERS: return number(text, 1, 200, &o->servers);
    case OPT_TENANTS: return number(text, 0, 10000, &o->tenants);
    case OPT_ORACLE: return number(text, 0, 10000, &o->oracle_tenants);
    case OPT_CLUSTERS: return number(text, 1, 254, &o->clusters);
    case OPT_PORT: ok = number(text, 1, 65535, &v); o->port = (int)v; return ok;
    case OPT_SEED: ok = number(text, 0, INT32_MAX, &v); o->seed = v; return ok;
    case OPT_SPEED: o->speed = atof(text); return o->speed > 0;
    case OPT_VERSION: o->version = text; return strncmp(text, "4.", 2) == 0;
    case OPT_PASSWORD: o->password = text; return true;
    case OPT_CTL: o->ctl = text; return true;
    case OPT_LOG: o->log = text; return true;
    case OPT_TABLES: o->tables = text; return true;
    case OPT_TLS: o->certificate = text; return true;
    case OPT_ENTERPRISE: return o->is_enterprise = true;
    default: return false;
    }
}

static error_t on_option(int key, char *text, struct argp_state *state)
{
    if (key < OPT_CLUSTER)
        return key == ARGP_KEY_ARG ? ARGP_ERR_UNKNOWN : 0;
    if (key > OPT_ENTERPRISE)
        return ARGP_ERR_UNKNOWN;
    if (!take(state->input, key, text))
        argp_error(state, "%s is no value for this option", text);
    return 0;
}

/* Every server is a listener, every connection a socket and an eventfd. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* or accept says so */
}

static bool open_log(struct sim_world *w, const char *folder)
{
    char path[4096];

    if (folder == NULL)
        return true;
    (void)mkdir(folder, 0700); /* or open fails */
    (void)snprintf(path, sizeof path, "%s/obsim_audit.jsonl", folder);
    w->audit_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (w->audit_fd < 0)
        (void)fprintf(stderr, "obsim: %s: %s\n", path, strerror(errno));
    return w->audit_fd >= 0;
}

static bool open_tls(struct sim_world *w, const char *file)
{
    if (file == NULL)
        return true;
    w->tls = SSL_CTX_new(TLS_server_method());
    if (w->tls != NULL && SSL_CTX_use_certificate_chain_file(w->tls, file) == 1 && SSL_CTX_use_PrivateKey_file(w->tls, file, SSL_FILETYPE_PEM) == 1)
        return true;
    (void)fprintf(stderr, "obsim: %s is no PEM file with certificate and key\n", file);
    return false;
}

/* Room for every tenant's unit in its zone, and some more. */
static struct sim_capacity capacity_for(const struct options *o)
{
    int64_t units = (o->tenants + o->oracle_tenants) / o->servers + 16;

    return (struct sim_capacity){ .cpu = (double)units, .memory = 2 * gib * units, .log_disk = 6 * gib * units, .data_disk = 16 * gib * units };
}

static struct sim_cluster *make_cluster(const struct options *o, unsigned i)
{
    char name[SIM_NAME + 12], network[16];
    struct sim_cluster_conf conf = {
        .name = name, .id = o->id + i, .version = o->version, .network = network, .sql_port = o->port, .zones = o->zones,
        .servers = o->servers, .tenants = o->tenants, .oracle_tenants = o->oracle_tenants, .is_enterprise = o->is_enterprise,
        .now_us = clock_wall_us(&clock_system), .seed = o->seed + i,
        .capacity = capacity_for(o),
        .min_delay_us = (int64_t)(200000 / o->speed) + 1, .max_delay_us = (int64_t)(1000000 / o->speed) + 1,
    };
    struct sim_cluster *c;
    struct sim_tenant *sys;

    (void)snprintf(name, sizeof name, i > 0 ? "%s%u" : "%s", o->name, i + 1);
    (void)snprintf(network, sizeof network, "127.%u", (o->net + i - 1) % 255 + 1);
    c = sim_cluster_new(&conf);
    sys = sim_tenant_get(c, 1);
    sim_user_set_password(sim_user_find(sys, "root", "%"), sim_slice(o->password), conf.now_us);
    return c;
}

static bool listen_all(struct sim_deployment *d)
{
    for (size_t i = 0; i < d->observers.n; i++)
        if (!observer_listen(d->observers.items[i])) {
            (void)fprintf(stderr, "obsim: %s:%d: %s\n", d->observers.items[i]->server->ip, d->observers.items[i]->server->sql_port,
                          strerror(errno));
            return false;
        }
    return true;
}

static bool start(struct sim_world *w, const struct options *o)
{
    w->speed = o->speed;
    if (!open_log(w, o->log) || !open_tls(w, o->certificate))
        return false;
    for (unsigned i = 0; i < o->clusters; i++)
        if (!listen_all(world_add(w, make_cluster(o, i))))
            return false;
    return true;
}

static int run(struct sim_world *w, const struct options *o, int stop_fd)
{
    struct ctl *ctl = NULL;

    if (!start(w, o) || (o->ctl != NULL && (ctl = ctl_start(w, o->ctl)) == NULL))
        return EXIT_FAILURE;
    (void)printf("ready\n");
    (void)fflush(stdout);
    observer_accept(w, stop_fd);
    ctl_stop(ctl);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options o = { .name = "obcluster", .id = 1, .net = 1, .zones = 3, .servers = 1, .clusters = 1, .port = 2881, .version = "4.2.1.0",
                         .password = "", .tables = "tests/obsim", .seed = 1, .speed = 1 };
    const struct argp argp = { rows, on_option, NULL, "Simulates OceanBase clusters until SIGTERM.", NULL, NULL, NULL };
    struct sim_world *w;
    sigset_t ends;
    int stop_fd, status;

    if (strcmp(basename(argv[0]), "observer") == 0)
        return process_main(argc, argv);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &o); /* exits when it is not content */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &ends, NULL) != 0 || (stop_fd = signalfd(-1, &ends, SFD_CLOEXEC)) < 0)
        return EXIT_FAILURE;
    raise_limits();
    w = world_new(o.tables, o.seed);
    status = w != NULL ? run(w, &o, stop_fd) : EXIT_FAILURE;
    world_free(w);
    (void)close(stop_fd);
    return status;
}

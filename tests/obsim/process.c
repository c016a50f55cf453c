/* SPDX-License-Identifier: Apache-2.0 */
/* Start of an observer process:
 *
 *   options, folders, pid file ──▶ daemon ──▶ journal of the cluster ──▶ ports ──▶ data directory ──▶ options kept ──▶ "up" ──▶ serve
 *
 * Until it is a daemon it complains on stderr and exits with 1; from then on in log/observer.log, and is gone, as the kernel does. */
#include "tests/obsim/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/num.h"
#include "tests/obsim/conn.h"
#include "tests/obsim/ctl.h"
#include "tests/obsim/journal.h"
#include "tests/obsim/like.h"
#include "tests/obsim/observer.h"
#include "tests/obsim/process_home.h"
#include "tests/obsim/process_report.h"

/* At speed 1: a process starts for a while before it takes its ports, answers 8001 for as long again, and ends as slowly. */
enum { TICK_MS = 200, SOON_MS = 20, START_MS = 500, STOP_MS = 1000 };

struct process {
    struct process_package package;
    struct process_options options;
    struct process_home home;
    struct sim_world *world;          /* owned */
    struct sim_observer *observer;    /* borrowed: of this process */
    char ip[64];
    int rpc_port, sql_port;
    int rpc_listener;                 /* owned */
    int stop_fd;                      /* readable when it has to end */
    int ended[2];                     /* a pipe: its end tells the threads below to end */
    int64_t ready_us;                 /* from then on (conn_now_us) it takes logins */
    bool is_marked;                   /* its log directory shows that it is a member */
    pthread_t tick_thread, rpc_thread;
    struct process_report *report;
    struct ctl *ctl;
};

static bool fail(int number, const char *what, const char *why)
{
    home_log("observer.log", "ERROR", "SERVER", number, "%s: %s, ret=-%d", what, why, number);
    return false;
}

/* --- who it is ---------------------------------------------------------------------------------------------------------------------- */

static bool ip_of_device(const char *device, char *ip, size_t size)
{
    struct ifaddrs *all, *a;
    bool found = false;

    if (getifaddrs(&all) != 0)
        return false;
    for (a = all; a != NULL && !found; a = a->ifa_next)
        found = a->ifa_addr != NULL && a->ifa_addr->sa_family == AF_INET && strcmp(a->ifa_name, device) == 0 &&
                inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr, ip, (socklen_t)size) != NULL;
    freeifaddrs(all);
    return found;
}

static bool port_of(const struct sim_values *v, const char *name, int *port)
{
    int64_t n = 0;
    bool ok = num_parse_i64_in(sim_slice(values_get(v, name)), 1, 65535, &n);

    *port = (int)n;
    return ok;
}

static bool find_address(struct process *p)
{
    const struct sim_values *v = &p->home.config;

    if (!port_of(v, "mysql_port", &p->sql_port) || !port_of(v, "rpc_port", &p->rpc_port))
        return fail(4147, "mysql_port, rpc_port", "no port numbers");
    if (values_get(v, "local_ip")[0] != '\0')
        sim_short(p->ip, sizeof p->ip, sim_slice(values_get(v, "local_ip")));
    else if (!ip_of_device(values_get(v, "devname"), p->ip, sizeof p->ip))
        return fail(4016, values_get(v, "devname"), "no network device with an address");
    return true;
}

/* --- its cluster -------------------------------------------------------------------------------------------------------------------- */

static double number_of(const struct process *p, const char *name, double otherwise)
{
    double v;

    return num_parse_double(sim_slice(package_get(&p->package, name, "")), &v) && v > 0 ? v : otherwise;
}

static bool open_journal(struct process *p)
{
    const char *state = package_get(&p->package, "state", NULL);
    char build[SIM_NAME];
    struct journal_conf conf = {
        .folder = state, .speed = number_of(p, "speed", 1), .lease_us = (int64_t)(1000 * number_of(p, "lease_ms", 10000)),
        .cluster = { .name = values_get(&p->home.config, "cluster"), .version = package_get(&p->package, "version", NULL), .build = build,
                     .is_enterprise = package_is_enterprise(&p->package), .seed = (uint64_t)number_of(p, "seed", 1) },
    };

    package_build(&p->package, build);
    if (state == NULL)
        return fail(4016, "OBSIM_STATE", "not set, and etc/obsim.conf has no state");
    if (!num_parse_i64_in(sim_slice(values_get(&p->home.config, "cluster_id")), 1, INT64_C(4294901759), &conf.cluster.id))
        return fail(4147, "cluster_id", "no number of a cluster");
    return journal_open(p->world, &conf) != NULL || fail(4016, state, "the state of the cluster cannot be opened");
}

/* Tests may say that it does not start; and there can be only one of it. Under the lock. */
static bool may_start(struct process *p)
{
    const struct sim_deployment *d = p->world->deployments.items[0];
    char address[96];
    const char *times;

    (void)snprintf(address, sizeof address, "%s:%d", p->ip, p->rpc_port);
    times = sim_values_get(&d->refused_starts, address);
    if (times != NULL && strcmp(times, "0") != 0) {
        journal_record(p->world->journal, json_pack("{s:s, s:s, s:i}", "k", "refused", "ip", p->ip, "rpc_port", p->rpc_port));
        return fail(4016, address, "start refused by a test");
    }
    return journal_live(p->world->journal, p->ip, p->rpc_port) || fail(4017, address, strerror(errno));
}

static int64_t size_of(const struct process *p, const char *name, int64_t otherwise)
{
    int64_t v;

    return num_parse_size(sim_slice(values_get(&p->home.config, name)), &v) && v > 0 ? v : otherwise;
}

/* Known parameters among the options: at a first start all, later those that were given again. */
static json_t *shared_values(const struct process *p)
{
    const struct sim_values *from = p->home.is_first ? &p->home.config : &p->options.given;
    json_t *o = json_object();

    for (size_t i = 0; i < from->list.n; i++) {
        const struct sim_parameter *known = sim_parameter_find(sim_slice(from->list.items[i]->name));

        if (known != NULL && !known->of_tenant && json_object_set_new(o, known->name, json_string(from->list.items[i]->value)) != 0)
            abort();
    }
    return o;
}

static json_t *up_record(const struct process *p)
{
    static const int64_t gib = INT64_C(1) << 30;
    const struct sim_values *v = &p->home.config;
    int64_t memory = size_of(p, "memory_limit", 33 * gib), system = size_of(p, "system_memory", gib), cpu = 0;
    char build[SIM_NAME], build_version[2 * SIM_NAME];

    package_build(&p->package, build);
    (void)snprintf(build_version, sizeof build_version, "%s_%s", package_get(&p->package, "version", ""), build);
    if (!num_parse_i64_in(sim_slice(values_get(v, "cpu_count")), 1, 4096, &cpu))
        cpu = 16;
    return json_pack("{s:s, s:s, s:i, s:i, s:s, s:b, s:b, s:s, s:f, s:I, s:I, s:I, s:o}", "k", "up", "ip", p->ip, "rpc_port", p->rpc_port, "sql_port",
                     p->sql_port, "zone", values_get(v, "zone"), "blank", p->home.is_first, "knows_rootservice",
                     values_get(v, "rootservice_list")[0] != '\0' || values_get(v, "obconfig_url")[0] != '\0', "build", build_version, "cpu",
                     (double)cpu, "memory", (json_int_t)(memory > system ? memory - system : 0), "log_disk",
                     (json_int_t)size_of(p, "log_disk_size", 96 * gib), "data_disk", (json_int_t)size_of(p, "datafile_size", 256 * gib), "values",
                     shared_values(p));
}

/* --- ports -------------------------------------------------------------------------------------------------------------------------- */

/* What comes to the RPC port is taken and ended: it is there to be looked at. */
static void *serve_rpc(void *data)
{
    struct process *p = data;
    int fd;

    while ((fd = accept4(p->rpc_listener, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == ECONNABORTED || errno == EINTR)
        if (fd >= 0)
            (void)close(fd);
    return NULL;
}

static bool listen_rpc(struct process *p)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)p->rpc_port) };
    int one = 1;

    p->rpc_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->rpc_listener < 0)
        return false;
    (void)setsockopt(p->rpc_listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* or bind fails and says so */
    return inet_pton(AF_INET, p->ip, &address.sin_addr) == 1 && bind(p->rpc_listener, (struct sockaddr *)&address, sizeof address) == 0 &&
           listen(p->rpc_listener, SOMAXCONN) == 0;
}

/* A server of the address, not of the cluster yet, so that the ports are taken before anybody hears of it. Under the lock. */
static bool listen_all(struct process *p)
{
    p->observer = p->world->deployments.items[0]->observers.items[0];
    p->observer->answers_login = false;
    sim_short(p->observer->server->ip, sizeof p->observer->server->ip, sim_slice(p->ip));
    p->observer->server->sql_port = p->sql_port;
    p->observer->server->rpc_port = p->rpc_port;
    if (!listen_rpc(p))
        return fail(4016, "rpc_port", strerror(errno));
    return observer_listen(p->observer) || fail(4016, "mysql_port", strerror(errno));
}

/* Under the lock. */
static bool come_up(struct process *p)
{
    char address[96];

    if (!may_start(p) || !listen_all(p) || !home_open_data(&p->home) || !home_keep_config(&p->home))
        return false;
    journal_beat(p->world->journal, p->observer->server); /* who died while nobody was there to see it? */
    journal_record(p->world->journal, up_record(p));
    (void)snprintf(address, sizeof address, "%s:%d", p->ip, p->rpc_port);
    p->observer->server = sim_server_at(p->world->deployments.items[0]->cluster, sim_slice(address));
    audit_event(p->world, p->world->deployments.items[0]->cluster, p->observer->server, "up");
    if (p->observer->server->is_refused)
        home_log("observer.log", "ERROR", "SERVER", 4179, "the cluster does not take this server: its data is gone, or its version is another, ret=-4179");
    return true;
}

/* --- while it runs ------------------------------------------------------------------------------------------------------------------ */

static void report_membership(struct process *p)
{
    if (!p->observer->server->is_member || p->is_marked)
        return;
    home_mark_member(&p->home);
    home_log("rootservice.log", "INFO", "RS", 0, "server is a member, id=%lld", (long long)p->observer->server->id);
    p->is_marked = true;
}

/* The folder of the test is gone: so is the test. */
static void tick(struct process *p)
{
    world_lock(p->world);
    journal_beat(p->world->journal, p->observer->server);
    report_membership(p);
    if (conn_now_us() >= p->ready_us && p->ready_us != 0) {
        p->observer->answers_login = true;
        p->ready_us = 0;
    }
    if (journal_is_gone(p->world->journal))
        (void)kill(getpid(), SIGTERM); /* taken by stop_fd */
    world_unlock(p->world);
}

static void *keep_ticking(void *data)
{
    struct process *p = data;
    struct pollfd end = { .fd = p->ended[0], .events = POLLIN };

    while (poll(&end, 1, p->ready_us != 0 ? SOON_MS : TICK_MS) <= 0)
        tick(p);
    return NULL;
}

static bool start_threads(struct process *p)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d/ctl-%.16s-%d", journal_folder(p->world->journal), p->ip, p->rpc_port); /* short enough for a socket */
    p->ctl = ctl_start(p->world, path);
    p->report = report_start(p->observer, p->ended[0]);
    return p->ctl != NULL && p->report != NULL && pthread_create(&p->tick_thread, NULL, keep_ticking, p) == 0 &&
           pthread_create(&p->rpc_thread, NULL, serve_rpc, p) == 0;
}

static void end_threads(struct process *p)
{
    (void)close(p->ended[1]);
    (void)shutdown(p->rpc_listener, SHUT_RDWR); /* accept fails from now on */
    (void)pthread_join(p->tick_thread, NULL);   /* they were started */
    (void)pthread_join(p->rpc_thread, NULL);
    report_stop(p->report);
    ctl_stop(p->ctl);
    (void)close(p->rpc_listener);
}

static int serve(struct process *p)
{
    home_log("observer.log", "INFO", "SERVER", 0, "[OBSERVER_NOTICE] observer starts: %s:%d", p->ip, p->rpc_port);
    if (!start_threads(p))
        return EXIT_FAILURE;
    observer_accept(p->world, p->stop_fd);
    home_log("observer.log", "INFO", "SERVER", 0, "[OBSERVER_NOTICE] observer stops: SIGTERM");
    (void)poll(NULL, 0, (int)(STOP_MS / p->world->speed)); /* its ports are its own until it is gone */
    end_threads(p);
    return EXIT_SUCCESS;
}

/* False: it has to end before it has begun. */
static bool take_time(struct process *p)
{
    struct pollfd stop = { .fd = p->stop_fd, .events = POLLIN };
    int ms = (int)(START_MS / p->world->speed);

    if (poll(&stop, 1, ms) > 0)
        return false;
    p->ready_us = conn_now_us() + ms * INT64_C(1000);
    return true;
}

static int run(struct process *p)
{
    char tables[4200];
    bool is_up;

    (void)snprintf(tables, sizeof tables, "%s/etc", p->package.folder);
    if (!home_write_pid(&p->home) || !find_address(p))
        return EXIT_FAILURE;
    p->world = world_new(tables, 1);
    if (p->world == NULL)
        return EXIT_FAILURE;
    p->world->audit_fd = open("log/obsim_audit.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (!open_journal(p) || !take_time(p))
        return EXIT_FAILURE;
    world_lock(p->world);
    is_up = come_up(p);
    world_unlock(p->world);
    return is_up ? serve(p) : EXIT_FAILURE;
}

/* --- start -------------------------------------------------------------------------------------------------------------------------- */

static bool block_signals(struct process *p)
{
    sigset_t ends;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    p->stop_fd = pthread_sigmask(SIG_BLOCK, &ends, NULL) == 0 ? signalfd(-1, &ends, SFD_CLOEXEC) : -1;
    return p->stop_fd >= 0 && pipe2(p->ended, O_CLOEXEC) == 0;
}

/* Every connection is a socket and an eventfd. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* or accept says so */
}

/* The parent goes; what the child has to say goes to its log. */
static bool become_daemon(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), log = open("log/observer.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_t child = null >= 0 && log >= 0 ? fork() : -1;

    if (child > 0)
        _exit(EXIT_SUCCESS);
    return child == 0 && setsid() >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0 &&
           close(null) == 0 && close(log) == 0;
}

static int start(struct process *p)
{
    int status;

    if (!home_enter(&p->home, &p->options))
        return EXIT_FAILURE;
    if ((!p->options.stays && !become_daemon()) || !block_signals(p)) {
        perror("observer");
        return EXIT_FAILURE;
    }
    raise_limits();
    status = run(p);
    world_free(p->world);
    return status;
}

int process_main(int argc, char **argv)
{
    struct process p = { .home = { .pid_file = -1 } };
    enum process_wish wish = options_read(&p.options, argc, argv);
    int status = wish == PROCESS_BAD ? EXIT_FAILURE : EXIT_SUCCESS;

    if (wish == PROCESS_HELP)
        (void)printf("observer [-p mysql_port] [-P rpc_port] [-z zone] [-n appname] [-c cluster_id] [-d data_dir] [-i devname | -I local_ip]\n"
                     "         [-l log_level] [-r rs_list] [-o name=value,...] [-N] [-V]\n");
    if ((wish == PROCESS_RUN || wish == PROCESS_VERSION) && !package_read(&p.package))
        status = EXIT_FAILURE;
    else if (wish == PROCESS_VERSION) {
        package_print_version(&p.package, stdout);
        package_print_version(&p.package, stderr);
    } else if (wish == PROCESS_RUN) {
        status = start(&p);
    }
    home_fini(&p.home);
    sim_values_fini(&p.options.given);
    package_fini(&p.package);
    return status;
}

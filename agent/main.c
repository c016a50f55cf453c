/* SPDX-License-Identifier: Apache-2.0 */
/* ocp-agent: what ocp-server installs on every host. The name under which it is called, or its first argument, says what it does. */
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/names.h"
#include "config.h"
#include "src/io/crash.h"

static const struct frame_row rows[] = {
    { "ocp_agentd", "guards the others", agentd_main },
    { "pos_proxy", "executes commands of ocp-server", pos_proxy_main },
    { "ocp_exporter", "serves metrics to Prometheus", exporter_main },
    { "ob_cleaner", "removes old logs of observers and proxies", cleaner_main },
    { "obstat2", "collects SQL statistics", obstat2_main },
    { "ob_logtailer", "reads the logs of observers for alarms", logtailer_main },
    { "ocp_agent_ctl", "starts and stops these, installs and removes them", ctl_main },
    { .name = NULL },
};

/* What the others start, and nobody types. */
static const struct frame_row job_row = { JOB_NAME, "executes one slow command", job_main };

static const struct frame_row *row_of(const char *name)
{
    if (strcmp(name, job_row.name) == 0)
        return &job_row;
    for (const struct frame_row *r = rows; r->name != NULL; r++)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int usage(void)
{
    (void)printf("%s\nusage: ocp-agent [--home DIR] NAME [argument ...]\n", PACKAGE_STRING);
    for (const struct frame_row *r = rows; r->name != NULL; r++)
        (void)printf("  %-14s %s\n", r->name, r->doc);
    return 2;
}

/* The folder above the one that the program's file is in. */
static bool find_home(struct frame *f)
{
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    char *slash;

    if (n <= 0)
        return false;
    exe[n] = '\0';
    f->exe = arena_strdup(&f->arena, exe);
    for (unsigned i = 0; i < 2 && f->home == NULL; i++) {
        slash = strrchr(exe, '/');
        if (slash == NULL || slash == exe)
            return false;
        *slash = '\0';
    }
    if (f->home == NULL)
        f->home = arena_strdup(&f->arena, exe);
    return f->exe != NULL && f->home != NULL;
}

static int run(struct frame *f, int argc, char **argv)
{
    const struct frame_row *row = row_of(base_name(argv[0]));
    int used = 0, status;

    if (row == NULL && argc > 2 && strcmp(argv[1], "--home") == 0) {
        f->home = argv[2];
        used = 2;
    }
    if (row == NULL && argc > used + 1) {
        used++;
        row = row_of(argv[used]);
    }
    if (row == NULL)
        return usage();
    if (!find_home(f)) {
        (void)fprintf(stderr, "%s: the agent's folder cannot be told from the program's path; give --home\n", row->name);
        return 1;
    }
    f->name = row->name;
    status = row->main(f, argc - used, argv + used);
    return status;
}

int main(int argc, char **argv)
{
    struct frame f = { .sink = { .fd = STDERR_FILENO, .clock = &clock_system, .level = LOG_INFO }, .lock_fd = -1 };
    int status;

    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts(PACKAGE_VERSION) >= 0 ? 0 : 1;
    json_set_alloc_funcs(mem_alloc, mem_free);
    (void)mallopt(M_ARENA_MAX, 1); /* it is small and stays small */
    (void)mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(022);
    crash_install();
    arena_init(&f.arena);
    log_init(&f.log, &f.sink);
    status = run(&f, argc, argv);
    arena_fini(&f.arena);
    return status;
}

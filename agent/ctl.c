/* SPDX-License-Identifier: Apache-2.0 */
/* ocp_agent_ctl start|stop|restart|status|install|uninstall [group or process]: for people on the host, and for ocp-server over SSH. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/groups.h"
#include "agent/install.h"
#include "agent/names.h"
#include "agent/node_exporter.h"
#include "agent/process.h"
#include "agent/status.h"

enum { WAIT_MS = 20000, LOOK_US = 50000 };

static int complain(const struct err *e)
{
    char text[1024];

    (void)fprintf(stderr, "ocp_agent_ctl: %s\n", err_log_text(e, text, sizeof text));
    return 1;
}

/* ---- status -------------------------------------------------------------------------------------------------------------------------------- */

static int load_status(struct frame *f, struct agent_status *s)
{
    struct err e = { 0 };

    if (status_read(f, &f->arena, s, &e) != 0)
        return complain(&e);
    status_look(f, &f->arena, s);
    return 0;
}

static int run_status(struct frame *f, const char *name)
{
    struct agent_status s;
    pid_t agentd = frame_holder(f, "ocp_agentd");
    int status = load_status(f, &s);

    if (status != 0)
        return status;
    (void)printf("%-14s %-16s %-12s %8s %8s  %s\n", "PROCESS", "GROUP", "STATE", "PID", "RESTARTS", "NOTE");
    (void)printf("%-14s %-16s %-12s %8ld %8s\n", "ocp_agentd", "-", agentd > 0 ? "RUNNING" : "STOPPED", (long)agentd, "-");
    for (size_t i = 0; i < s.processes.n; i++) {
        const struct agent_process *p = &((const struct agent_process *)s.processes.items)[i];

        if (name == NULL || strcmp(name, p->name) == 0 || strcmp(name, p->group) == 0)
            (void)printf("%-14s %-16s %-12s %8lld %8lld  %s\n", p->name, p->group, p->state, p->pid == FIELD_NONE ? 0 : (long long)p->pid,
                         (long long)p->restarts, p->note != NULL ? p->note : "");
    }
    return agentd > 0 ? 0 : 3; /* as init scripts say "not running" */
}

/* ---- waiting for what was asked for ---------------------------------------------------------------------------------------------------------- */

static bool is_settled(struct frame *f, const struct wanted *w)
{
    struct agent_status s;
    const struct agent_process *list;

    if (load_status(f, &s) != 0)
        return false;
    list = s.processes.items;
    for (unsigned i = 0; guarded_rows[i].name != NULL; i++) {
        bool runs = false, there = strcmp(guarded_rows[i].name, "node_exporter") != 0 || node_exporter_is_there(f);

        for (size_t k = 0; k < s.processes.n; k++) {
            if (strcmp(list[k].name, guarded_rows[i].name) != 0)
                continue;
            if (strcmp(list[k].state, "STOPPING") == 0)
                return false;
            runs = list[k].pid != FIELD_NONE;
        }
        if (runs != (there && groups_want(w, i)))
            return false;
    }
    return true;
}

static bool wants_any(const struct wanted *w)
{
    for (unsigned i = 0; guarded_rows[i].name != NULL; i++)
        if (groups_want(w, i))
            return true;
    return false;
}

static int await(struct frame *f)
{
    int64_t until = clock_now_ms(&clock_system) + WAIT_MS;
    struct wanted w;
    struct err e = { 0 };
    bool fine = false;

    if (groups_load(f, &w, &e) != 0)
        return complain(&e);
    while (!fine && clock_now_ms(&clock_system) < until) {
        fine = is_settled(f, &w) && (frame_holder(f, "ocp_agentd") > 0) == wants_any(&w);
        if (!fine)
            (void)usleep(LOOK_US);
    }
    if (!fine)
        (void)fprintf(stderr, "ocp_agent_ctl: not all is as wanted yet; see ocp_agent_ctl status and the logs in %s/log\n", f->home);
    return fine ? 0 : 1;
}

static bool any_runs(struct frame *f)
{
    for (unsigned i = 0; guarded_rows[i].name != NULL; i++)
        if (frame_holder(f, guarded_rows[i].name) > 0)
            return true;
    return false;
}

/* Also stopping needs the guard, which alone knows all processes. */
static int need_agentd(struct frame *f, struct err *e)
{
    struct wanted w;
    int rv = groups_load(f, &w, e);

    if (rv != 0 || frame_holder(f, "ocp_agentd") > 0 || !(wants_any(&w) || any_runs(f)))
        return rv;
    return install_has_unit(f) ? install_systemctl("start", e) : install_start_agentd(f, e);
}

static int run_change(struct frame *f, enum agent_action action, const char *name)
{
    struct err e = { 0 };
    int rv = groups_change(f, action, name != NULL ? name : "ocp_agent", &e);

    if (rv == 0)
        rv = need_agentd(f, &e);
    return rv == 0 ? await(f) : complain(&e);
}

static int run_start(struct frame *f, const char *name)
{
    return run_change(f, AGENT_START, name);
}

static int run_stop(struct frame *f, const char *name)
{
    return run_change(f, AGENT_STOP, name);
}

static int run_restart(struct frame *f, const char *name)
{
    return run_change(f, AGENT_RESTART, name);
}

/* ---- install, uninstall ---------------------------------------------------------------------------------------------------------------------- */

static int run_install(struct frame *f, const char *name)
{
    struct err e = { 0 };

    (void)name;
    return install(f, &e) == 0 ? 0 : complain(&e);
}

static int run_uninstall(struct frame *f, const char *name)
{
    static const char *const groups[] = { "ob_monitor", "obproxy_monitor", "ocp_agent" };
    struct err e = { 0 };
    int rv = 0;

    (void)name;
    for (unsigned i = 0; rv == 0 && i < 3; i++)
        rv = groups_change(f, AGENT_STOP, groups[i], &e);
    if (rv == 0)
        rv = need_agentd(f, &e);
    if (rv != 0)
        return complain(&e);
    if (await(f) != 0)
        return 1;
    return uninstall(f, &e) == 0 ? 0 : complain(&e);
}

static const struct {
    const char *name;
    int (*run)(struct frame *f, const char *name);
    bool needs_conf;
} verbs[] = {
    { "start", run_start, true },     { "stop", run_stop, true },       { "restart", run_restart, true },
    { "status", run_status, true },   { "install", run_install, true }, { "uninstall", run_uninstall, true },
};

static int usage(void)
{
    (void)fputs("usage: ocp_agent_ctl start|stop|restart|status [ocp_agent|ob_monitor|obproxy_monitor|PROCESS]\n"
                "       ocp_agent_ctl install|uninstall\n", stderr);
    return 2;
}

int ctl_main(struct frame *f, int argc, char **argv)
{
    struct err e = { 0 };

    for (unsigned i = 0; argc >= 2 && argc <= 3 && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        if (verbs[i].needs_conf && frame_load(f, &e) != 0)
            return complain(&e);
        return verbs[i].run(f, argc > 2 ? argv[2] : NULL);
    }
    return usage();
}

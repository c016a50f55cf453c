/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/node_exporter.h"
#include "agent/process.h"

enum { LOOK_MS = 500 };

void guard_init(struct guard *g, struct frame *f, const struct guarded *row, struct waitlist *changed)
{
    *g = (struct guard){ .frame = f, .row = row, .changed = changed };
}

/* ---- watching --------------------------------------------------------------------------------------------------------------------------- */

static void on_watch_closed(uv_handle_t *handle)
{
    mem_free(handle);
}

static void unwatch(struct guard *g)
{
    if (g->watch == NULL)
        return;
    (void)uv_poll_stop(g->watch); /* documented to return 0 */
    (void)close(g->watch_fd);
    uv_close((uv_handle_t *)g->watch, on_watch_closed);
    g->watch = NULL;
}

static void on_end(uv_poll_t *poll, int status, int events)
{
    struct guard *g = poll->data;

    (void)status;
    (void)events;
    g->ended = true;
    (void)uv_poll_stop(poll); /* documented to return 0 */
    waitlist_wake_all(g->changed);
}

/* The kernel tells at once when it ends; kernels before 5.3 are asked now and then. */
static void watch(struct guard *g)
{
    long fd = syscall(SYS_pidfd_open, g->pid, 0);

    g->ended = fd < 0 && errno == ESRCH;
    g->watch = fd >= 0 ? mem_zalloc(sizeof *g->watch) : NULL;
    if (g->watch == NULL) {
        if (fd >= 0)
            (void)close((int)fd);
        return;
    }
    (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC); /* it is by itself */
    if (uv_poll_init(loop_uv(g->frame->loop), g->watch, (int)fd) != 0) {
        (void)close((int)fd);
        mem_free(g->watch);
        g->watch = NULL;
        return;
    }
    g->watch_fd = (int)fd;
    g->watch->data = g;
    (void)uv_poll_start(g->watch, UV_READABLE, on_end); /* fails only for a handle that is being closed */
    uv_unref((uv_handle_t *)g->watch);
}

static bool is_gone(const struct guard *g)
{
    struct process p;

    return g->ended || (g->watch == NULL && !process_look(g->pid, g->start_time, &p));
}

/* ---- starting and ending ------------------------------------------------------------------------------------------------------------------ */

static void enter(struct guard *g, enum guard_state state, int64_t now_ms)
{
    g->state = state;
    g->since_ms = now_ms;
}

static void back_off(struct guard *g, int64_t now_ms)
{
    int64_t ms = GUARD_FIRST_MS;

    for (unsigned i = 1; i < g->fails && ms < GUARD_LAST_MS; i++)
        ms *= 2;
    g->due_ms = now_ms + (ms < GUARD_LAST_MS ? ms : GUARD_LAST_MS);
    enter(g, GUARD_BACKING_OFF, now_ms);
}

static int spawn(struct guard *g, struct spawned *out, struct err *e)
{
    static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL };
    char link[4096], log[4096];
    const char *own[] = { link, NULL };
    const char *const *argv = own;
    struct daemon d = { .env = env, .input = -1, .output = -1 };
    int rv;

    (void)snprintf(link, sizeof link, "%s/bin/%s", g->frame->home, g->row->name);
    (void)snprintf(log, sizeof log, "%s/log/%s.log", g->frame->home, g->row->name);
    if (strcmp(g->row->name, "node_exporter") == 0)
        argv = node_exporter_argv(g->frame);
    d.argv = argv;
    d.output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    rv = daemon_spawn(&d, out, e);
    if (rv == 0)
        rv = daemon_go(out, argv[0], e);
    if (d.output >= 0)
        (void)close(d.output);
    return rv;
}

static void start(struct guard *g, int64_t now_ms)
{
    struct spawned s;
    struct err e = { 0 };
    int rv = spawn(g, &s, &e);

    if (rv != 0) {
        log_error(&g->frame->log, "a process cannot be started", LOG_S("process", g->row->name), LOG_E(&e));
        g->fails++;
        back_off(g, now_ms);
        return;
    }
    g->pid = s.pid;
    g->start_time = s.start_time;
    g->started_us = clock_wall_us(&clock_system);
    watch(g);
    enter(g, GUARD_RUNNING, now_ms);
    log_info(&g->frame->log, "started", LOG_S("process", g->row->name), LOG_I("pid", g->pid));
}

void guard_adopt(struct guard *g, pid_t pid, int64_t start_time, int64_t started_us, unsigned restarts)
{
    g->pid = pid;
    g->start_time = start_time;
    g->started_us = started_us;
    g->restarts = restarts;
    watch(g);
    enter(g, GUARD_RUNNING, clock_now_ms(&clock_system));
    log_info(&g->frame->log, "adopted", LOG_S("process", g->row->name), LOG_I("pid", pid));
}

void guard_stop(struct guard *g, int64_t now_ms)
{
    if (g->state == GUARD_RUNNING) {
        (void)kill(g->pid, SIGTERM); /* gone already is fine */
        g->due_ms = now_ms + GUARD_KILL_MS;
        enter(g, GUARD_STOPPING, now_ms);
    } else if (g->state == GUARD_BACKING_OFF) {
        enter(g, GUARD_STOPPED, now_ms);
    }
}

/* It has ended by itself: how soon it may come back depends on how long it has run. */
static void ended_by_itself(struct guard *g, int64_t now_ms)
{
    g->fails = now_ms - g->since_ms >= GUARD_CALM_MS ? 1 : g->fails + 1;
    g->restarts++;
    back_off(g, now_ms);
    log_warn(&g->frame->log, "a process has ended", LOG_S("process", g->row->name), LOG_I("pid", g->pid), LOG_I("again_in_ms", g->due_ms - now_ms),
             LOG_I("times", g->fails));
}

static void see_end(struct guard *g, int64_t now_ms)
{
    unwatch(g);
    if (g->state == GUARD_STOPPING) {
        enter(g, GUARD_STOPPED, now_ms);
        log_info(&g->frame->log, "stopped", LOG_S("process", g->row->name), LOG_I("pid", g->pid));
        g->fails = 0;
    } else {
        ended_by_itself(g, now_ms);
    }
    g->pid = 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool guard_look(struct guard *g, bool wanted, int64_t now_ms, int64_t *next_ms)
{
    enum guard_state former = g->state;
    pid_t pid = g->pid;

    if ((g->state == GUARD_RUNNING || g->state == GUARD_STOPPING) && is_gone(g))
        see_end(g, now_ms);
    if (!wanted)
        guard_stop(g, now_ms);
    else if (g->state == GUARD_STOPPED || (g->state == GUARD_BACKING_OFF && now_ms >= g->due_ms))
        start(g, now_ms);
    if (g->state == GUARD_STOPPING && now_ms >= g->due_ms) {
        (void)kill(g->pid, SIGKILL);
        g->due_ms = now_ms + LOOK_MS;
    }
    if (g->state == GUARD_BACKING_OFF || g->state == GUARD_STOPPING)
        *next_ms = earlier(*next_ms, g->due_ms);
    if (g->watch == NULL && (g->state == GUARD_RUNNING || g->state == GUARD_STOPPING))
        *next_ms = earlier(*next_ms, now_ms + LOOK_MS);
    return former != g->state || pid != g->pid;
}

void guard_fini(struct guard *g)
{
    unwatch(g);
}

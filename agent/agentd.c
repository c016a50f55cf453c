/* SPDX-License-Identifier: Apache-2.0 */
/* ocp_agentd guards the others: starts what is wanted (groups.h), starts again what ends, and leaves when there is nothing to guard. Told by
 * SIGHUP it looks again at what is wanted, and at an upgrade. SIGTERM ends what it guards, then itself. What those processes have started for
 * others (observers) is none of its business. Killed, it is started again (by systemd, or by pos_proxy) and finds its processes in
 * run/agentd.json.
 *
 *   upgrade: swap the program -> another pos_proxy -> answers? --yes--> all others, result, become the new program
 *                                                        └no, for UPGRADE_MS or UPGRADE_FAILS starts--> swap back, another pos_proxy, result */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/guard.h"
#include "agent/install.h"
#include "agent/names.h"
#include "agent/node_exporter.h"
#include "agent/process.h"
#include "agent/status.h"
#include "agent/upgrade.h"
#include "config.h"

enum { N_GUARDS = 6, IDLE_MS = 60000, UPGRADE_MS = 15000, UPGRADE_FAILS = 4, PING_MS = 3000, PING_EVERY_MS = 200, END_MS = 20000, END_LOOK_MS = 50 };

struct agentd {
    struct frame *frame;
    struct guard guards[N_GUARDS];
    struct wanted wanted;
    struct waitlist changed;
    uv_signal_t hup;
    bool look_again, started;
    bool renew;                      /* become the program that is there now */
    unsigned busy;                   /* bits: stays down while the program is swapped */
};

static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

/* ---- what is said of it ------------------------------------------------------------------------------------------------------------------- */

static const char *state_text(const struct agentd *a, unsigned i)
{
    const struct guard *g = &a->guards[i];

    if (strcmp(g->row->name, "node_exporter") == 0 && !node_exporter_is_there(a->frame))
        return "MISSING";
    return g->state == GUARD_RUNNING ? "RUNNING" : g->state == GUARD_BACKING_OFF ? "BACKING_OFF" : g->state == GUARD_STOPPING ? "STOPPING" : "STOPPED";
}

static int64_t port_of(const struct agentd *a, const char *name)
{
    const struct agent_conf *c = &a->frame->conf;

    return strcmp(name, "pos_proxy") == 0 ? c->port : strcmp(name, "ocp_exporter") == 0 ? c->exporter_port :
           strcmp(name, "node_exporter") == 0 ? c->node_exporter_port : FIELD_NONE;
}

/* The group that it is shown under: the first that wants it, else its first. */
static const char *group_of(const struct agentd *a, unsigned i)
{
    unsigned groups = guarded_rows[i].groups & a->wanted.groups;

    groups = groups != 0 ? groups : guarded_rows[i].groups;
    return group_name(groups & (~groups + 1));
}

static void describe(const struct agentd *a, unsigned i, struct agent_process *out)
{
    const struct guard *g = &a->guards[i];
    bool runs = g->pid > 0;

    *out = (struct agent_process){ .name = g->row->name, .group = group_of(a, i), .state = state_text(a, i), .pid = runs ? g->pid : FIELD_NONE,
                                   .start_time = runs ? g->start_time : FIELD_NONE, .started_us = runs ? g->started_us : FIELD_NONE,
                                   .restarts = g->restarts, .port = port_of(a, g->row->name), .rss_bytes = FIELD_NONE };
}

static void write_status(struct agentd *a)
{
    static const unsigned bits[] = { GROUP_AGENT, GROUP_MONITOR, GROUP_OBPROXY };
    struct agent_process processes[N_GUARDS];
    const char *groups[3];
    struct agent_status s = { .version = PACKAGE_VERSION, .groups = { groups, 0 }, .processes = { processes, N_GUARDS } };
    struct err e = { 0 };
    char path[4096];
    struct str text;

    for (unsigned i = 0; i < N_GUARDS; i++)
        describe(a, i, &processes[i]);
    for (unsigned i = 0; i < 3; i++)
        if ((a->wanted.groups & bits[i]) != 0)
            groups[s.groups.n++] = group_name(bits[i]);
    str_init(&text, NULL);
    fields_write(&text, agent_status_fields, &s, &style);
    (void)snprintf(path, sizeof path, "%s/run/agentd.json", a->frame->home);
    if (str_failed(&text) || frame_write(path, (struct slice){ text.s, text.n }, false, &e) != 0)
        log_warn(&a->frame->log, "the status is not written", LOG_E(&e));
    str_fini(&text);
}

/* ---- what was there before --------------------------------------------------------------------------------------------------------------- */

static void adopt(struct agentd *a)
{
    struct agent_status s;
    struct arena arena;
    struct err e = { 0 };
    int rv;

    arena_init(&arena);
    rv = status_read(a->frame, &arena, &s, &e);
    for (size_t k = 0; rv == 0 && k < s.processes.n; k++) {
        const struct agent_process *p = &((const struct agent_process *)s.processes.items)[k];
        struct process seen;

        for (unsigned i = 0; i < N_GUARDS && p->name != NULL && p->pid != FIELD_NONE && p->start_time != FIELD_NONE; i++)
            if (strcmp(p->name, guarded_rows[i].name) == 0 && process_look((pid_t)p->pid, p->start_time, &seen))
                guard_adopt(&a->guards[i], (pid_t)p->pid, p->start_time, p->started_us, p->restarts == FIELD_NONE ? 0 : (unsigned)p->restarts);
    }
    arena_fini(&arena);
}

/* One that was started in the moment in which the former guard died: its lock tells. */
static void adopt_holders(struct agentd *a)
{
    for (unsigned i = 0; i < N_GUARDS; i++) {
        pid_t pid = a->guards[i].pid == 0 ? frame_holder(a->frame, guarded_rows[i].name) : 0;
        struct process p;

        if (pid > 0 && process_look(pid, FIELD_NONE, &p))
            guard_adopt(&a->guards[i], pid, p.start_time, clock_wall_us(&clock_system), 0);
    }
}

static void make_links(struct agentd *a)
{
    char link[4096];

    for (unsigned i = 0; guarded_rows[i].name != NULL; i++) {
        (void)snprintf(link, sizeof link, "%s/bin/%s", a->frame->home, guarded_rows[i].name);
        if (strcmp(guarded_rows[i].name, "node_exporter") != 0 && symlink("ocp-agent", link) != 0 && errno != EEXIST)
            log_warn(&a->frame->log, "a link is missing", LOG_S("path", link), LOG_S("reason", strerror(errno)));
    }
}

/* ---- looking ------------------------------------------------------------------------------------------------------------------------------- */

static bool wants(const struct agentd *a, unsigned i)
{
    if ((a->busy & 1U << i) != 0)
        return false;
    if (strcmp(guarded_rows[i].name, "node_exporter") == 0 && !node_exporter_is_there(a->frame))
        return false;
    return groups_want(&a->wanted, i);
}

/* True when something changed. */
static bool look(struct agentd *a, int64_t *next_ms)
{
    int64_t now = clock_now_ms(&clock_system);
    bool changed = !a->started;

    *next_ms = now + IDLE_MS;
    for (unsigned i = 0; i < N_GUARDS; i++)
        changed |= guard_look(&a->guards[i], wants(a, i), now, next_ms);
    a->started = true;
    if (changed)
        write_status(a);
    return changed;
}

static bool is_idle(const struct agentd *a)
{
    for (unsigned i = 0; i < N_GUARDS; i++)
        if (groups_want(&a->wanted, i) || a->guards[i].pid > 0)
            return false;
    return true;
}

/* Looks, and unless something changed waits for the next event, `until_ms` at most. */
static int turn(struct agentd *a, int64_t until_ms, struct err *e)
{
    struct err why = { 0 };
    int64_t next, former;
    int rv;

    if (look(a, &next))
        return fiber_yield(e);
    next = next < until_ms ? next : until_ms;
    former = fiber_narrow_deadline(next - clock_now_ms(&clock_system) > 0 ? next - clock_now_ms(&clock_system) : 0);
    rv = a->look_again ? 0 : waitlist_wait(&a->changed, &why);
    fiber_restore_deadline(former);
    if (rv == 0 || err_is(&why, &ERR_TIMEOUT))
        return 0;
    *e = why;
    return rv;
}

/* ---- upgrade -------------------------------------------------------------------------------------------------------------------------------- */

/* Ends those of `bits`, waits, and lets them start again: with the program that is there now. */
static int restart(struct agentd *a, unsigned bits, struct err *e)
{
    bool any = true;
    int rv = 0;

    a->busy |= bits;
    while (rv == 0 && any) {
        rv = turn(a, clock_now_ms(&clock_system) + END_LOOK_MS, e);
        any = false;
        for (unsigned i = 0; i < N_GUARDS; i++)
            any |= (bits & 1U << i) != 0 && a->guards[i].pid > 0;
    }
    a->busy &= ~bits;
    return rv;
}

/* Errors: why it does not answer. CANCELLED: this process ends. */
static int await_answer(struct agentd *a, struct err *e)
{
    int64_t until = clock_now_ms(&clock_system) + UPGRADE_MS;
    struct err why = { 0 };
    int rv = 1;

    while (rv != 0 && clock_now_ms(&clock_system) < until && a->guards[0].fails < UPGRADE_FAILS) {
        int64_t former;

        rv = turn(a, clock_now_ms(&clock_system) + PING_EVERY_MS, e);
        if (rv != 0)
            return rv;
        err_clear(&why);
        former = fiber_narrow_deadline(PING_MS);
        rv = upgrade_ping(a->frame, &why);
        fiber_restore_deadline(former);
        if (rv == ERR_CANCELLED.code)
            break;
    }
    if (rv != 0)
        *e = why;
    return rv;
}

static int give_up(struct agentd *a, const struct upgrade *u, const struct err *why, struct err *e)
{
    struct err told = { 0 };
    char text[256];
    int rv;

    (void)err_set(&told, &ERR_AGENT_UPGRADE, "%s", u->version);
    (void)err_arg(&told, "%.120s", err_text(why, ERR_EN, text, sizeof text));
    log_error(&a->frame->log, "the upgrade is given up, the former program is back", LOG_S("version", u->version), LOG_E(why));
    rv = upgrade_swap_back(a->frame, e);
    if (rv == 0)
        rv = upgrade_end(a->frame, u, &told, e);
    return rv == 0 ? restart(a, 1, e) : rv;
}

static int succeed(struct agentd *a, const struct upgrade *u, struct err *e)
{
    int rv;

    log_info(&a->frame->log, "upgraded", LOG_S("version", u->version));
    rv = restart(a, ~1U, e);
    if (rv == 0)
        rv = upgrade_end(a->frame, u, NULL, e);
    a->renew = rv == 0;
    return rv;
}

static int run_upgrade(struct agentd *a, struct upgrade *u, struct err *e)
{
    struct err why = { 0 };
    int rv = upgrade_swap(a->frame, e);

    u->trying = 1;
    if (rv == 0)
        rv = upgrade_write(a->frame, u, e);
    if (rv == 0)
        rv = restart(a, 1, e);
    if (rv != 0)
        return rv;
    rv = await_answer(a, &why);
    if (rv == 0)
        return succeed(a, u, e);
    if (rv != ERR_CANCELLED.code)
        return give_up(a, u, &why, e);
    *e = why;
    return rv;
}

static int upgrade_if_wanted(struct agentd *a, struct err *e)
{
    struct err why = { 0 };
    struct arena arena;
    struct upgrade u;
    bool there;
    int rv;

    arena_init(&arena);
    rv = upgrade_read(a->frame, &arena, &u, &there, &why);
    if (rv == 0 && there)
        rv = run_upgrade(a, &u, &why);
    arena_fini(&arena);
    if (rv == ERR_CANCELLED.code && e != NULL)
        *e = why;
    else if (rv != 0)
        log_error(&a->frame->log, "the upgrade does not go on", LOG_E(&why));
    return rv == ERR_CANCELLED.code ? rv : 0;
}

/* ---- its life ------------------------------------------------------------------------------------------------------------------------------ */

static void on_hup(uv_signal_t *handle, int number)
{
    struct agentd *a = handle->data;

    (void)number;
    a->look_again = true;
    waitlist_wake_all(&a->changed);
}

/* Somebody has installed another program, and not by an upgrade. */
static bool is_replaced(const struct agentd *a)
{
    char path[4096];
    struct stat own, there;

    (void)snprintf(path, sizeof path, "%s/bin/ocp-agent", a->frame->home);
    return stat("/proc/self/exe", &own) == 0 && stat(path, &there) == 0 && (own.st_ino != there.st_ino || own.st_dev != there.st_dev);
}

static int begin_anew(struct agentd *a, struct err *e)
{
    int rv;

    log_info(&a->frame->log, "another program was installed: all begin anew with it");
    rv = restart(a, ~0U, e);
    a->renew = rv == 0;
    return rv;
}

static int load(struct agentd *a, struct err *e)
{
    struct err why = { 0 };
    int rv;

    a->look_again = false;
    if (groups_load(a->frame, &a->wanted, &why) != 0)
        log_error(&a->frame->log, "what is wanted cannot be read; it stays as it was", LOG_E(&why));
    write_status(a);
    rv = upgrade_if_wanted(a, e);
    return rv == 0 && !a->renew && is_replaced(a) ? begin_anew(a, e) : rv;
}

static int start(struct frame *f, void *data, struct err *e)
{
    struct agentd *a = data;
    struct err why = { 0 };
    int rv = 0;

    (void)uv_signal_init(loop_uv(f->loop), &a->hup); /* the loop is new: it has all it needs */
    a->hup.data = a;
    (void)uv_signal_start(&a->hup, on_hup, SIGHUP);
    uv_unref((uv_handle_t *)&a->hup);
    for (unsigned i = 0; i < N_GUARDS; i++)
        guard_init(&a->guards[i], f, &guarded_rows[i], &a->changed);
    make_links(a);
    if (install_refresh_unit(f, &why) != 0)
        log_warn(&f->log, "the unit of systemd stays as a former version wrote it", LOG_E(&why));
    adopt(a);
    adopt_holders(a);
    a->look_again = true;
    while (rv == 0 && !a->renew) {
        if (a->look_again)
            rv = load(a, e);
        if (rv == 0 && is_idle(a))
            break;
        if (rv == 0 && !a->renew)
            rv = turn(a, INT64_MAX, e);
    }
    if (rv == 0)
        log_info(&f->log, a->renew ? "becoming the new program" : "there is nothing to guard");
    loop_stop(f->loop);
    return rv;
}

/* Told to end: ends what it guards. After an upgrade, or with nothing to guard, there is nothing to end here. */
static void end_all(struct agentd *a)
{
    int64_t until = clock_now_ms(&clock_system) + END_MS;
    bool any = !a->renew;

    for (unsigned i = 0; any && i < N_GUARDS; i++)
        guard_stop(&a->guards[i], clock_now_ms(&clock_system));
    while (any && clock_now_ms(&clock_system) < until) {
        struct process p;

        any = false;
        for (unsigned i = 0; i < N_GUARDS; i++)
            any |= a->guards[i].pid > 0 && process_look(a->guards[i].pid, a->guards[i].start_time, &p);
        if (any)
            (void)usleep(END_LOOK_MS * 1000);
    }
}

static void stop(struct frame *f, void *data)
{
    struct agentd *a = data;

    (void)f;
    end_all(a);
    for (unsigned i = 0; i < N_GUARDS; i++)
        guard_fini(&a->guards[i]);
    uv_close((uv_handle_t *)&a->hup, NULL);
}

int agentd_main(struct frame *f, int argc, char **argv)
{
    struct agentd a = { .frame = f };
    char program[4096];
    int status;

    (void)argc;
    (void)argv;
    status = frame_run(f, start, stop, &a);
    if (!a.renew || status != 0)
        return status;
    (void)snprintf(program, sizeof program, "%s/bin/ocp_agentd", f->home); /* by its link: the kernel names it after that */
    (void)close(f->lock_fd); /* the new program takes the lock */
    (void)execl(program, program, (char *)NULL);
    (void)fprintf(stderr, "ocp_agentd: %s: %s\n", program, strerror(errno));
    return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about the agent itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/commands.h"
#include "agent/groups.h"
#include "agent/job.h"
#include "agent/serve.h"
#include "agent/upgrade.h"
#include "src/io/child.h"
#include "src/io/file.h"

int command_declare_root(struct running *r, void *answer, struct err *e)
{
    const struct agent_declare_root *d = r->args;
    struct record rec = { .type = RECORD_ROOT, .at_us = clock_wall_us(&clock_system), .path = d->path, .epoch = FIELD_NONE, .forgotten = FIELD_NONE,
                          .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1 };
    struct roots roots;
    int rv = roots_check_new(d->path, e);

    (void)answer;
    if (rv == 0)
        rv = commands_roots(r->commands, &r->arena, &roots, e);
    if (rv != 0 || roots_check(&roots, d->path, NULL) == 0)
        return rv; /* it lies below one already */
    rv = journal_add(r->commands->journal, &rec, e);
    return rv == 0 ? journal_sync(r->commands->journal, e) : rv;
}

struct changing {
    struct running *running;
    struct err err;
    int rv;
};

static void change(void *data)
{
    struct changing *c = data;
    const struct agent_control *args = c->running->args;

    for (size_t i = 0; c->rv == 0 && i < args->names.n; i++)
        c->rv = groups_change(c->running->commands->frame, (enum agent_action)args->action, args->names.items[i], &c->err);
}

int command_control(struct running *r, void *answer, struct err *e)
{
    struct changing c = { .running = r };
    int rv = commands_on_thread(r->commands, change, &c, e);

    (void)answer;
    if (rv == 0 && c.rv != 0) {
        *e = c.err;
        rv = c.rv;
    }
    return rv;
}

/* ---- install_self -------------------------------------------------------------------------------------------------------------------------- */

enum { COPY = 65536, VERSION_MS = 5000, AWAIT_MS = 100, GIVE_UP_MS = 120000 };

struct installing {
    struct running *running;
    struct job_result result;
    bool there, under_way;
    char program[4096], version[64];
    struct err err;
    int rv;
};

static int failed(struct installing *i, const char *why)
{
    (void)err_set(&i->err, &ERR_AGENT_UPGRADE, "%s", i->version[0] != '\0' ? i->version : "of this program");
    return err_arg(&i->err, "%s", why);
}

static bool copy_program(int from, int to)
{
    char buf[COPY];
    ssize_t n;

    while ((n = read(from, buf, sizeof buf)) > 0)
        if (!file_write_all(to, buf, (size_t)n))
            return false;
    return n == 0 && fchmod(to, 0755) == 0 && fsync(to) == 0;
}

static void copy_blob(void *data)
{
    struct installing *i = data;
    const struct agent_install_self *args = i->running->args;
    char blob[4096];
    int from, to;

    (void)snprintf(blob, sizeof blob, "%s/%.64s", i->running->commands->blobs, args->sha256);
    from = strspn(args->sha256, "0123456789abcdef") == AGENT_SHA256_SIZE - 1 ? open(blob, O_RDONLY | O_CLOEXEC) : -1;
    if (from < 0) {
        (void)err_set(&i->err, &ERR_AGENT_BLOB, "%s", args->sha256);
        i->rv = err_arg(&i->err, "the agent does not have it");
        return;
    }
    to = open(i->program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (to < 0 || !copy_program(from, to))
        i->rv = failed(i, strerror(errno));
    if (to >= 0)
        (void)close(to);
    (void)close(from);
}

/* A program that cannot even say its version is not tried. */
static int ask_version(struct installing *i, struct err *e)
{
    const char *argv[] = { i->program, "--version", NULL };
    const struct child_conf conf = { .argv = argv, .capture_bytes = sizeof i->version };
    struct child_result out;
    int64_t former = fiber_narrow_deadline(VERSION_MS);
    struct err why = { 0 };
    int rv = child_run(&conf, &i->running->arena, &out, &why);
    struct slice version;

    fiber_restore_deadline(former);
    version = rv == 0 ? slice_trim(slice_cut(&out.out, '\n')) : (struct slice){ "", 0 };
    (void)snprintf(i->version, sizeof i->version, "%.*s", (int)(version.n < 32 ? version.n : 32), version.s);
    if (rv == 0 && out.status.code == 0 && version.n > 0)
        return 0;
    (void)failed(i, rv != 0 ? why.arg[0] : "the program does not run on this host");
    *e = i->err;
    return i->err.row->code;
}

static void announce(void *data)
{
    struct installing *i = data;
    const struct upgrade u = { .key = &i->running->entry->key, .version = i->version };
    struct err why = { 0 };

    i->rv = upgrade_write(i->running->commands->frame, &u, &i->err);
    if (i->rv != 0 || groups_tell(i->running->commands->frame))
        return;
    (void)failed(i, "ocp_agentd does not run");
    if (upgrade_end(i->running->commands->frame, &u, &i->err, &why) != 0)
        i->err = why;
    i->rv = i->err.row->code;
}

static void look_for_end(void *data)
{
    struct installing *i = data;
    struct frame *f = i->running->commands->frame;
    struct upgrade u;

    i->rv = job_read_result(f->home, &i->running->entry->key, &i->running->arena, &i->result, &i->there, &i->err);
    if (i->rv == 0 && !i->there)
        i->rv = upgrade_read(f, &i->running->arena, &u, &i->under_way, &i->err);
}

static int on_thread(struct installing *i, void (*fn)(void *data), struct err *e)
{
    int rv = commands_on_thread(i->running->commands, fn, i, e);

    if (rv == 0 && i->rv != 0) {
        *e = i->err;
        rv = i->rv;
    }
    return rv;
}

/* This process itself is ended on the way: then its successor waits here. */
static int await_upgrade(struct installing *i, struct err *e)
{
    int64_t until = clock_now_ms(&clock_system) + GIVE_UP_MS;
    int rv = on_thread(i, look_for_end, e);

    while (rv == 0 && !i->there) {
        bool former;

        if (!i->under_way || clock_now_ms(&clock_system) >= until) {
            (void)failed(i, "nobody works on it any more");
            *e = i->err;
            return i->err.row->code;
        }
        former = fiber_shield(false);
        rv = fiber_sleep(AWAIT_MS, e);
        (void)fiber_shield(former);
        if (rv == 0)
            rv = on_thread(i, look_for_end, e);
    }
    if (rv == 0 && i->result.failure != NULL)
        rv = agent_failure_set(i->result.failure, e);
    return rv;
}

int command_install_self(struct running *r, void *answer, struct err *e)
{
    struct installing i = { .running = r };
    struct agent_installed *out = answer;
    int rv = 0;

    (void)snprintf(i.program, sizeof i.program, "%s/bin/ocp-agent.new", r->commands->frame->home);
    if (r->args != NULL)
        rv = on_thread(&i, copy_blob, e);
    if (rv == 0 && r->args != NULL)
        rv = ask_version(&i, e);
    if (rv == 0 && r->args != NULL)
        rv = on_thread(&i, announce, e);
    if (rv == 0)
        rv = await_upgrade(&i, e);
    if (rv == 0)
        rv = proxy_parse(i.result.answer, agent_installed_fields, out, &r->arena, e);
    return rv;
}

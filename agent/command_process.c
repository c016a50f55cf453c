/* SPDX-License-Identifier: Apache-2.0 */
/* start_process: look at the pid file -> make the process -> write it down -> pid file -> let it go -> still there after a moment. Whoever comes
 * after a crash at any point finds it by the pid file, or finds that it never became the program.
 * stop_process: TERM -> wait -> KILL -> gone. What is started is nobody's child and does not end with the agent. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/commands.h"
#include "agent/groups.h"
#include "agent/process.h"

enum { LOOK_MS = 20, OWN_PID_FILE_MS = 30000, SCOPE_MS = 30000 };

struct starting {
    struct running *running;
    const struct agent_start_process *args;
    struct roots roots;
    struct daemon daemon;
    struct user user;
    struct spawned spawned;
    struct process found;
    bool there;
    char unit[96];
    struct err err;
    int rv;
};

static int failed(const char *what, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_PROCESS, "%s", what);
    return err_arg(e, "%s", why);
}

static const char **copy_list(struct arena *arena, const struct field_strings *list)
{
    const char **out = arena_array(arena, list->n + 1, sizeof *out);

    for (size_t i = 0; out != NULL && i < list->n; i++)
        out[i] = list->items[i];
    return out;
}

static bool is_given(const struct field_strings *env, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < env->n; i++)
        if (strncmp(env->items[i], name, n) == 0 && env->items[i][n] == '=')
            return true;
    return false;
}

/* What the command gives, and what every program finds after a login unless the command says otherwise. */
static int make_env(struct starting *s, struct err *e)
{
    const struct {
        const char *name, *value;
    } usual[] = { { "PATH", "/usr/sbin:/usr/bin:/sbin:/bin" }, { "LANG", "C.UTF-8" }, { "HOME", s->user.home }, { "USER", s->user.name },
                  { "LOGNAME", s->user.name } };
    enum { N_USUAL = sizeof usual / sizeof usual[0] };
    const struct field_strings *given = &s->args->env;
    const char **env = arena_array(&s->running->arena, given->n + N_USUAL + 1, sizeof *env);
    size_t n = 0;
    bool lost = env == NULL;

    for (size_t i = 0; i < N_USUAL && !lost; i++) {
        if (is_given(given, usual[i].name) || usual[i].value[0] == '\0')
            continue;
        env[n++] = arena_printf(&s->running->arena, "%s=%s", usual[i].name, usual[i].value);
        lost = env[n - 1] == NULL;
    }
    for (size_t i = 0; i < given->n && !lost; i++)
        env[n++] = given->items[i];
    s->daemon.env = env;
    return lost ? err_set(e, &ERR_NOMEM, "") : 0;
}

/* Everything that it names lies below roots, and is there. */
static int check_places(struct starting *s, struct err *e)
{
    int fd, rv = s->args->argv.n > 0 ? roots_open(&s->roots, s->args->argv.items[0], O_RDONLY, 0, &fd, e) : err_set(e, &ERR_INVALID, "argv: is empty");

    if (rv != 0)
        return rv;
    (void)close(fd);
    if (s->args->cwd != NULL) {
        rv = roots_open(&s->roots, s->args->cwd, O_RDONLY | O_DIRECTORY, 0, &fd, e);
        if (rv != 0)
            return rv;
        (void)close(fd);
    }
    return s->args->log_file != NULL ? roots_open(&s->roots, s->args->log_file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0640, &s->daemon.output, e) : 0;
}

static int look_and_spawn(struct starting *s, struct err *e)
{
    int rv = 0;

    if (s->args->pid_file != NULL)
        rv = act_find_by_pid_file(&s->roots, s->args->pid_file, s->args->argv.items[0], &s->found, &s->there, e);
    if (rv != 0 || s->there)
        return rv;
    rv = user_find(s->args->user, &s->user, e);
    if (rv == 0)
        rv = make_env(s, e);
    if (rv == 0)
        rv = check_places(s, e);
    if (rv == 0 && s->args->user != NULL)
        s->daemon.user = &s->user;
    if (rv == 0 && s->daemon.output >= 0 && s->args->user != NULL && fchown(s->daemon.output, s->user.uid, s->user.gid) != 0)
        rv = roots_failed(s->args->log_file, e);
    if (rv == 0)
        rv = daemon_spawn(&s->daemon, &s->spawned, e);
    if (s->daemon.output >= 0)
        (void)close(s->daemon.output);
    return rv;
}

static void spawn(void *data)
{
    struct starting *s = data;

    s->rv = look_and_spawn(s, &s->err);
}

static void go(void *data)
{
    struct starting *s = data;

    s->rv = daemon_go(&s->spawned, s->args->argv.items[0], &s->err);
}

static void write_pid_file(void *data)
{
    struct starting *s = data;
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)s->spawned.pid);

    s->rv = act_replace(&s->roots, s->args->pid_file, (struct slice){ text, (size_t)n }, 0644, s->args->user, &s->err);
}

static void find_own(void *data)
{
    struct starting *s = data;

    s->rv = act_find_by_pid_file(&s->roots, s->args->pid_file, s->args->argv.items[0], &s->found, &s->there, &s->err);
}

static int on_thread(struct starting *s, void (*fn)(void *data), struct err *e)
{
    int rv = commands_on_thread(s->running->commands, fn, s, e);

    if (rv == 0 && s->rv != 0) {
        *e = s->err;
        rv = s->rv;
    }
    return rv;
}

static bool awaits_scope(const struct starting *s)
{
    return s->daemon.scope != NULL && process_runs(&s->found, s->daemon.scope);
}

/* Some programs take a moment to find out that they cannot run; before that, systemd may take its time with the scope. */
static int settle(struct starting *s, struct err *e)
{
    int64_t began = clock_now_ms(&clock_system), now = began, until = began + s->args->settle_ms;
    int rv = 0;

    for (;;) {
        if (!process_look(s->spawned.pid, s->spawned.start_time, &s->found))
            return failed(s->args->argv.items[0], "it ended right after its start", e);
        if (awaits_scope(s))
            until = now + s->args->settle_ms;
        if (now >= until)
            return 0;
        if (now - began >= SCOPE_MS + s->args->settle_ms)
            break;
        rv = fiber_sleep(LOOK_MS, e);
        if (rv != 0)
            return rv;
        now = clock_now_ms(&clock_system);
    }
    (void)kill(s->spawned.pid, SIGKILL); /* it shall not become the program after all */
    return failed(s->args->argv.items[0], "systemd has made no scope for it (systemctl list-jobs on the host)", e);
}

/* A program that daemonizes itself is another process in the end. */
static int await_own(struct starting *s, struct err *e)
{
    int64_t until = clock_now_ms(&clock_system) + OWN_PID_FILE_MS;
    int rv = on_thread(s, find_own, e);

    while (rv == 0 && !s->there) {
        if (clock_now_ms(&clock_system) >= until)
            return failed(s->args->argv.items[0], "its pid file names no process that runs it", e);
        rv = fiber_sleep(LOOK_MS, e);
        if (rv == 0)
            rv = on_thread(s, find_own, e);
    }
    return rv;
}

static int let_go(struct starting *s, struct err *e)
{
    bool own = s->args->own_pid_file == 1 && s->args->pid_file != NULL;
    int rv = running_note_process(s->running, s->spawned.pid, s->spawned.start_time, e);

    if (rv == 0 && s->args->pid_file != NULL && !own)
        rv = on_thread(s, write_pid_file, e);
    if (rv != 0) {
        daemon_drop(&s->spawned);
        return rv;
    }
    rv = on_thread(s, go, e);
    if (rv != 0)
        return rv;
    return own ? await_own(s, e) : settle(s, e);
}

static int start_new(struct starting *s, struct err *e)
{
    struct arena *arena = &s->running->arena;
    const char *slash = strrchr(s->args->argv.items[0], '/');
    int rv;

    (void)snprintf(s->unit, sizeof s->unit, "ocp-%.40s-%lld-%lld", slash != NULL ? slash + 1 : "", (long long)s->running->entry->key.step,
                   (long long)clock_now_ms(&clock_system));
    s->daemon = (struct daemon){ .argv = copy_list(arena, &s->args->argv), .cwd = s->args->cwd, .input = -1, .output = -1,
                                 .scope = s->running->commands->scope, .scope_name = s->unit, .limits = true };
    if (s->daemon.argv == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = on_thread(s, spawn, e);
    return rv != 0 || s->there ? rv : let_go(s, e);
}

int command_start_process(struct running *r, void *answer, struct err *e)
{
    struct starting s = { .running = r, .args = r->args, .spawned = { .go = -1, .failure = -1 } };
    int rv = s.args->argv.n == 0 ? err_set(e, &ERR_INVALID, "argv: is empty") : commands_roots(r->commands, &r->arena, &s.roots, e);
    bool already;

    if (rv == 0)
        rv = start_new(&s, e);
    if (rv != 0)
        return rv;
    already = s.spawned.pid == 0;
    *(struct agent_started *)answer = (struct agent_started){ s.found.pid, s.found.start_time, already };
    groups_program_started(r->commands->frame, s.args->argv.items[0]);
    return 0;
}

/* ---- stop_process ------------------------------------------------------------------------------------------------------------------------ */

struct stopping {
    const struct agent_stop_process *args;
    struct roots roots;
    struct process found;
    bool there;
    struct err err;
    int rv;
};

static void find(void *data)
{
    struct stopping *s = data;

    if (s->args->pid != FIELD_NONE)
        s->there = process_look((pid_t)s->args->pid, s->args->start_time, &s->found) && (s->args->exe == NULL || process_runs(&s->found, s->args->exe));
    else
        s->rv = act_find_by_pid_file(&s->roots, s->args->pid_file, s->args->exe, &s->found, &s->there, &s->err);
}

/* True when it is gone by then. Cut short when the agent ends or somebody wants it. */
static int await_end(struct running *r, struct stopping *s, int64_t ms, bool *gone, struct err *e)
{
    int64_t until = clock_now_ms(&clock_system) + ms;
    int rv = 0;

    for (;;) {
        bool former;

        *gone = !process_look(s->found.pid, s->found.start_time, &s->found);
        if (*gone || r->stop || clock_now_ms(&clock_system) >= until)
            return 0;
        former = fiber_shield(false);
        rv = fiber_sleep(LOOK_MS, e);
        (void)fiber_shield(former);
        if (rv != 0)
            return rv;
    }
}

static int refused(const struct stopping *s, struct err *e)
{
    char what[64];

    (void)snprintf(what, sizeof what, "process %ld", (long)s->found.pid);
    return failed(what, strerror(errno), e);
}

static int stop(struct running *r, struct stopping *s, struct agent_stopped *out, struct err *e)
{
    struct process its = s->found;
    bool gone = false;
    int rv;

    out->was_running = 1;
    if (kill(its.pid, SIGTERM) != 0 && errno != ESRCH)
        return refused(s, e);
    rv = await_end(r, s, s->args->grace_ms, &gone, e);
    if (rv != 0 || gone)
        return rv;
    if (r->stop)
        return err_set(e, &ERR_AGENT_STOPPED, "%s", "stop_process");
    out->killed = 1;
    s->found = its;
    if (kill(its.pid, SIGKILL) != 0 && errno != ESRCH)
        return refused(s, e);
    rv = await_end(r, s, 10000, &gone, e);
    return rv != 0 || gone ? rv : failed("the process", "it does not end, not even killed: it hangs in the kernel (a dead disk?)", e);
}

int command_stop_process(struct running *r, void *answer, struct err *e)
{
    struct stopping s = { .args = r->args };
    struct agent_stopped *out = answer;
    int rv = commands_roots(r->commands, &r->arena, &s.roots, e);

    *out = (struct agent_stopped){ 0 };
    if (rv == 0 && s.args->pid == FIELD_NONE && (s.args->pid_file == NULL || s.args->exe == NULL))
        rv = err_set(e, &ERR_INVALID, "pid with startTime, or pidFile with exe: one of them is required");
    if (rv == 0 && s.args->pid != FIELD_NONE && s.args->start_time == FIELD_NONE && s.args->exe == NULL)
        rv = err_set(e, &ERR_INVALID, "startTime: is required with pid");
    if (rv == 0)
        rv = commands_on_thread(r->commands, find, &s, e);
    if (rv == 0 && s.rv != 0) {
        *e = s.err;
        rv = s.rv;
    }
    return rv != 0 || !s.there ? rv : stop(r, &s, out, e);
}

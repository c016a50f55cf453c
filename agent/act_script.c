/* SPDX-License-Identifier: Apache-2.0 */
/* A script of a package runs to its end. Its stdout and stderr are those of this process: the job keeps them. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/act.h"
#include "agent/users.h"

struct run {
    const char **argv, **env;
    const char *cwd;
    struct user user;
    bool becomes;
};

static int failed(const char *script, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_SCRIPT, "%s", script);
    return err_arg(e, "%s", why);
}

static int make_argv(struct act *a, const struct agent_run_script *s, struct run *r, struct err *e)
{
    size_t n = 0;

    r->argv = arena_array(a->arena, s->args.n + 3, sizeof(char *));
    r->env = arena_array(a->arena, s->env.n + 1, sizeof(char *));
    if (r->argv == NULL || r->env == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (s->interpreter != NULL)
        r->argv[n++] = s->interpreter;
    r->argv[n++] = s->script;
    for (size_t i = 0; i < s->args.n; i++)
        r->argv[n++] = s->args.items[i];
    for (size_t i = 0; i < s->env.n; i++)
        r->env[i] = s->env.items[i];
    return 0;
}

/* The script and where it runs lie below roots; the interpreter is the host's. */
static int check_places(const struct act *a, const struct agent_run_script *s, struct err *e)
{
    int fd, rv = roots_open(a->roots, s->script, O_RDONLY, 0, &fd, e);

    if (rv != 0)
        return rv;
    (void)close(fd);
    if (s->cwd == NULL)
        return 0;
    rv = roots_open(a->roots, s->cwd, O_RDONLY | O_DIRECTORY, 0, &fd, e);
    if (rv == 0)
        (void)close(fd);
    return rv;
}

__attribute__((noreturn)) static void be_script(const struct run *r)
{
    if (r->becomes && (setgroups((size_t)r->user.n_groups, r->user.groups) != 0 || setgid(r->user.gid) != 0 || setuid(r->user.uid) != 0))
        _exit(126);
    if (chdir(r->cwd) != 0)
        _exit(126);
    (void)execve(r->argv[0], (char *const *)r->argv, (char *const *)r->env);
    (void)dprintf(STDERR_FILENO, "%s: %s\n", r->argv[0], strerror(errno));
    _exit(127);
}

static int run(const char *script, const struct run *r, int *status, struct err *e)
{
    pid_t pid = fork();

    if (pid == 0)
        be_script(r);
    if (pid < 0)
        return failed(script, strerror(errno), e);
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR)
            return failed(script, strerror(errno), e);
    return 0;
}

int act_run_script(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_run_script *s = args;
    struct run r = { .cwd = s->cwd != NULL ? s->cwd : "/", .becomes = geteuid() == 0 && s->user != NULL };
    char why[64];
    int status, rv = check_places(a, s, e);

    if (rv == 0)
        rv = user_find(s->user, &r.user, e);
    if (rv == 0)
        rv = make_argv(a, s, &r, e);
    if (rv == 0)
        rv = run(s->script, &r, &status, e);
    if (rv != 0)
        return rv;
    ((struct agent_script_answer *)answer)->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    (void)snprintf(why, sizeof why, WIFEXITED(status) ? "exit status %d" : "killed by signal %d", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return failed(s->script, why, e);
}

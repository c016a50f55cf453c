/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon is made by two forks:
 *
 *   agent --fork--> middle --fork--> daemon: own session, waits for the go --exec--> program (or systemd-run, which execs the program)
 *                     └─ tells the agent the daemon's pid, and ends: the daemon is a child of init from then on */
#include "agent/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/num.h"
#include "src/proto/agent.h"

/* FILES, TASKS: what OceanBase asks of its host. */
enum { STAT_SIZE = 1024, MAX_ARGV = 1100, FILES = 655350, TASKS = 655360 };

/* ---- looking ------------------------------------------------------------------------------------------------------------------- */

static ssize_t read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
    char path[64];
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = read(fd, buf, size - 1);
    (void)close(fd);
    if (n >= 0)
        buf[n] = '\0';
    return n;
}

/* Fields behind the name, which is in parentheses and may hold anything: the first is field 3. */
static bool read_stat(const char *text, struct process *out)
{
    const char *end = strrchr(text, ')');
    unsigned long long utime = 0, stime = 0, start = 0;
    long threads = 0, rss = 0;
    char state;

    if (end == NULL || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %ld %*d %llu %*u %ld", &state,
                              &utime, &stime, &threads, &start, &rss) != 6)
        return false;
    out->zombie = state == 'Z' || state == 'X';
    out->start_time = (int64_t)start;
    out->threads = threads;
    out->rss_bytes = (int64_t)rss * sysconf(_SC_PAGESIZE);
    out->cpu_ms = (int64_t)((utime + stime) * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
    return true;
}

static void read_exe(struct process *p)
{
    static const char deleted[] = " (deleted)";
    char path[64];
    size_t n;
    ssize_t got;

    (void)snprintf(path, sizeof path, "/proc/%ld/exe", (long)p->pid);
    got = readlink(path, p->exe, sizeof p->exe - 1);
    n = got > 0 ? (size_t)got : 0;
    p->exe[n] = '\0';
    if (n > sizeof deleted - 1 && strcmp(p->exe + n - (sizeof deleted - 1), deleted) == 0)
        p->exe[n - (sizeof deleted - 1)] = '\0';
}

bool process_look(pid_t pid, int64_t start_time, struct process *out)
{
    char text[STAT_SIZE], dir[64];
    struct stat st;

    *out = (struct process){ .pid = pid };
    if (pid <= 0 || read_proc(pid, "stat", text, sizeof text) <= 0 || !read_stat(text, out) || out->zombie)
        return false;
    if (start_time != FIELD_NONE && start_time != out->start_time)
        return false;
    (void)snprintf(dir, sizeof dir, "/proc/%ld", (long)pid);
    if (stat(dir, &st) == 0)
        out->uid = st.st_uid;
    read_exe(out);
    return true;
}

bool process_runs(const struct process *p, const char *path)
{
    struct stat its, wanted;
    char exe[64];

    if (strcmp(p->exe, path) == 0)
        return true;
    (void)snprintf(exe, sizeof exe, "/proc/%ld/exe", (long)p->pid);
    return stat(exe, &its) == 0 && stat(path, &wanted) == 0 && its.st_dev == wanted.st_dev && its.st_ino == wanted.st_ino;
}

/* ---- starting: from here to exec only what may be called after fork -------------------------------------------------------------- */

struct plan {
    const struct daemon *d;
    const char *argv[MAX_ARGV];
    unsigned n_argv;
    const char *const *env;
    struct arena arena;
    int go[2], failure[2], told[2];
};

static bool in_scope(const struct daemon *d)
{
    return d->scope != NULL && d->scope[0] != '\0';
}

__attribute__((noreturn)) static void fail_child(const struct plan *p)
{
    int number = errno;

    (void)!write(p->failure[1], &number, sizeof number); /* who reads it may be gone */
    _exit(127);
}

static bool put_fd(int fd, int as)
{
    if (fd < 0)
        fd = open("/dev/null", as == 0 ? O_RDONLY : O_WRONLY);
    return fd >= 0 && dup2(fd, as) == as;
}

/* Everything but 0 to 2 and the pipes that close by themselves at exec. */
static void keep_only_three(void)
{
    if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) == 0)
        return;
    for (int fd = 3; fd < 1024; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* most of them are not open */
}

static void reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        (void)signal(i, SIG_DFL); /* SIGKILL and SIGSTOP refuse */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* systemd-run, which must be root, changes user and group itself, and leaves the other groups as they are. */
static bool become(const struct user *u, bool scope)
{
    if (u == NULL || geteuid() != 0)
        return true;
    return setgroups((size_t)u->n_groups, u->groups) == 0 && (scope || (setgid(u->gid) == 0 && setuid(u->uid) == 0));
}

/* Both limits are `wanted` or what they are, whichever is more; who may not raise the hard one goes up to that. */
static void raise_limit(int resource, rlim_t wanted)
{
    struct rlimit l, most;

    if (getrlimit(resource, &l) != 0)
        return;
    most = (struct rlimit){ l.rlim_cur > wanted ? l.rlim_cur : wanted, l.rlim_max > wanted ? l.rlim_max : wanted };
    if (setrlimit(resource, &most) == 0)
        return;
    l.rlim_cur = most.rlim_cur < l.rlim_max ? most.rlim_cur : l.rlim_max;
    (void)setrlimit(resource, &l); /* as much as there is */
}

__attribute__((noreturn)) static void be_daemon(const struct plan *p)
{
    const struct daemon *d = p->d;
    char go;

    (void)close(p->go[1]);
    reset_signals();
    if (setsid() < 0 || !put_fd(d->input, 0) || !put_fd(d->output, 1) || !put_fd(d->output, 2))
        fail_child(p);
    keep_only_three();
    if (read(p->go[0], &go, 1) != 1)
        _exit(0); /* the agent is gone or has thought better of it: nothing has happened */
    if (d->limits) {
        raise_limit(RLIMIT_NOFILE, FILES);
        raise_limit(RLIMIT_NPROC, TASKS);
        raise_limit(RLIMIT_CORE, RLIM_INFINITY);
    }
    if (!become(d->user, in_scope(d)) || chdir(d->cwd != NULL ? d->cwd : "/") != 0)
        fail_child(p);
    (void)umask(027);
    (void)execve(p->argv[0], (char *const *)p->argv, (char *const *)p->env);
    fail_child(p);
}

__attribute__((noreturn)) static void be_middle(const struct plan *p)
{
    pid_t pid = fork();

    if (pid == 0)
        be_daemon(p);
    (void)!write(p->told[1], &pid, sizeof pid); /* unread: the agent sees an end of file */
    _exit(0);
}

/* ---- back in the agent --------------------------------------------------------------------------------------------------------------- */

static int failed(const char *what, int number, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_PROCESS, "%s", what);
    return err_arg(e, "%s", strerror(number));
}

static void add_word(struct plan *p, const char *word)
{
    if (word != NULL && p->n_argv < MAX_ARGV - 1)
        p->argv[p->n_argv++] = word;
    else
        p->n_argv = MAX_ARGV; /* out of memory or of room: make_argv tells */
}

/* systemd-run becomes the program after it has made the scope: the pid stays. The program's variables are none of systemd-run's own: it is root,
 * and LD_LIBRARY_PATH would have it load what others may write. */
static void add_scope(struct plan *p)
{
    static const char *const own[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL };
    const struct daemon *d = p->d;

    p->env = own;
    add_word(p, d->scope);
    add_word(p, "--scope");
    add_word(p, "--quiet");
    add_word(p, arena_printf(&p->arena, "--unit=%s", d->scope_name));
    if (d->user != NULL && geteuid() == 0) {
        add_word(p, arena_printf(&p->arena, "--uid=%u", (unsigned)d->user->uid));
        add_word(p, arena_printf(&p->arena, "--gid=%u", (unsigned)d->user->gid));
    }
    for (unsigned i = 0; d->env[i] != NULL; i++)
        add_word(p, arena_printf(&p->arena, "--setenv=%s", d->env[i]));
    add_word(p, "--");
}

static int make_argv(struct plan *p, struct err *e)
{
    p->env = p->d->env;
    if (in_scope(p->d))
        add_scope(p);
    for (unsigned i = 0; p->d->argv[i] != NULL; i++)
        add_word(p, p->d->argv[i]);
    return p->n_argv < MAX_ARGV ? 0 : failed(p->d->argv[0], ENOMEM, e);
}

static void close_pipe(int p[2])
{
    for (unsigned i = 0; i < 2; i++)
        if (p[i] >= 0)
            (void)close(p[i]);
}

static int fork_twice(struct plan *p, struct spawned *out, struct err *e)
{
    struct process seen;
    pid_t middle, pid = -1;
    ssize_t n;

    middle = fork();
    if (middle == 0)
        be_middle(p);
    if (middle < 0)
        return failed("fork", errno, e);
    (void)close(p->told[1]);
    (void)close(p->failure[1]);
    (void)close(p->go[0]);
    p->told[1] = p->failure[1] = p->go[0] = -1;
    n = read(p->told[0], &pid, sizeof pid);
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
        ;
    if (n != sizeof pid || pid < 0)
        return failed("fork", EAGAIN, e);
    if (!process_look(pid, FIELD_NONE, &seen))
        return failed("the new process", ESRCH, e);
    *out = (struct spawned){ pid, seen.start_time, p->go[1], p->failure[0] };
    p->go[1] = p->failure[0] = -1;
    return 0;
}

int daemon_spawn(const struct daemon *d, struct spawned *out, struct err *e)
{
    struct plan *p = mem_zalloc(sizeof *p);
    int rv;

    *out = (struct spawned){ .go = -1, .failure = -1 };
    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    p->d = d;
    p->go[0] = p->go[1] = p->failure[0] = p->failure[1] = p->told[0] = p->told[1] = -1;
    arena_init(&p->arena);
    rv = make_argv(p, e);
    if (rv != 0) {
        arena_fini(&p->arena);
        mem_free(p);
        return rv;
    }
    if (pipe2(p->go, O_CLOEXEC) != 0 || pipe2(p->failure, O_CLOEXEC) != 0 || pipe2(p->told, O_CLOEXEC) != 0)
        rv = failed("pipe", errno, e);
    else
        rv = fork_twice(p, out, e);
    close_pipe(p->go);
    close_pipe(p->failure);
    close_pipe(p->told);
    arena_fini(&p->arena);
    mem_free(p);
    return rv;
}

void daemon_drop(struct spawned *s)
{
    if (s->go >= 0)
        (void)close(s->go);
    if (s->failure >= 0)
        (void)close(s->failure);
    s->go = s->failure = -1;
}

int daemon_go(struct spawned *s, const char *path, struct err *e)
{
    int number = 0, rv = 0;
    ssize_t n;

    if (write(s->go, "g", 1) != 1)
        rv = failed(path, errno, e);
    (void)close(s->go);
    s->go = -1;
    while (rv == 0 && (n = read(s->failure, &number, sizeof number)) < 0 && errno == EINTR)
        ;
    if (rv == 0 && n == sizeof number)
        rv = failed(path, number, e);
    daemon_drop(s);
    return rv;
}

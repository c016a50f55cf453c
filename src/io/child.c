/* SPDX-License-Identifier: Apache-2.0 */
/* A child's life:
 *
 *   fork --> (in the child) session, signals, streams, user, folder, death signal --> exec
 *    |                          '--a step fails: step and errno go through the report pipe, exit 127
 *   report pipe closes: it is executed. Its end makes the pidfd readable --> drain the streams --> reap --> wake the waiters.
 *
 * The pidfd is watched like a socket, so no SIGCHLD handler is needed and several loops have children side by side. The
 * process id cannot be reused before we reap, and we send no signal after that. */
#include "src/io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/io/fiber.h"
#include "src/io/loop.h"

struct stream {
    uv_poll_t poll;
    struct child *child;
    enum child_stream which;
    int fd;                     /* owned; -1: closed */
    char *text;                 /* owned: what was captured, or the line under way */
    size_t n, space;
    bool cut;                   /* captured: something was dropped; lines: the rest of this line is being dropped */
};

struct child {
    struct stream streams[2];
    uv_poll_t exit_poll;
    int pidfd;                  /* owned; -1: closed */
    pid_t pid;
    size_t capture_bytes;
    void (*on_line)(void *data, enum child_stream stream, struct slice line);
    void *data;
    struct child_status status;
    bool ended, freed;
    struct waitlist waiting;
    unsigned n_handles;         /* not closed yet */
};

/* Both ends of everything, while the child is being started. */
struct plumbing {
    int in;
    int out[2][2];              /* by enum child_stream: read end, write end */
    int report[2];
};

enum step { STEP_SESSION, STEP_STREAMS, STEP_USER, STEP_FOLDER, STEP_DEATH_SIGNAL, STEP_EXEC };
static const char *const step_names[] = {
    [STEP_SESSION] = "new session", [STEP_STREAMS] = "connect its streams", [STEP_USER] = "change user",
    [STEP_FOLDER] = "enter its folder", [STEP_DEATH_SIGNAL] = "set its death signal", [STEP_EXEC] = "execute",
};

struct report {
    int step, number;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* pipes and memory files have nothing to lose */
    *fd = -1;
}

/* Between fork and exec: only async-signal-safe calls, no memory is allocated. */

static _Noreturn void fail(int report, enum step step)
{
    struct report r = { (int)step, errno };

    (void)!write(report, &r, sizeof r); /* when even this fails the exit status is left */
    _exit(127);
}

static void reset_signals(void)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &standard, NULL); /* fails for KILL, STOP and those of libc */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Leaves 0, 1, 2 and the report pipe as 3 and nothing else: all other files are closed by the time the report is. */
static bool connect_streams(const struct plumbing *p, int *report)
{
    int from[3] = { p->in, p->out[CHILD_OUT][1], p->out[CHILD_ERR][1] };

    /* out of the way of 0, 1 and 2 first, where one of them may lie already */
    for (int i = 0; i < 3; i++)
        if (from[i] >= 0 && (from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3)) < 0)
            return false;
    if (from[0] < 0 && (from[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], i) < 0)
            return false;
    if (*report != 3 && dup3(*report, 3, O_CLOEXEC) < 0)
        return false;
    *report = 3;
    (void)close_range(4, ~0U, 0); /* kernels before 5.9 lack it: there, CLOEXEC on all our files does the same at exec */
    return true;
}

static bool become(uid_t uid, gid_t gid)
{
    if (geteuid() != 0)
        return getuid() == uid && getgid() == gid ? true : (errno = EPERM, false);
    return setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0;
}

/* The signal is bound to the forking thread; changing the user forgets it, so this comes after. */
static bool set_death_signal(int number, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, number) != 0)
        return false;
    return getppid() == parent ? true : (errno = ESRCH, false);
}

static _Noreturn void run_child(const struct child_conf *conf, const struct plumbing *p, pid_t parent)
{
    static char *const no_env[] = { NULL };
    int report = fcntl(p->report[1], F_DUPFD_CLOEXEC, 3);

    reset_signals();
    if (setsid() < 0)
        fail(report, STEP_SESSION);
    if (!connect_streams(p, &report))
        fail(report, STEP_STREAMS);
    if (conf->set_user && !become(conf->uid, conf->gid))
        fail(report, STEP_USER);
    if (chdir(conf->cwd != NULL ? conf->cwd : "/") != 0)
        fail(report, STEP_FOLDER);
    if (conf->death_signal != 0 && !set_death_signal(conf->death_signal, parent))
        fail(report, STEP_DEATH_SIGNAL);
    /* execve takes pointers to constant text by tradition without const */
    (void)execve(conf->path != NULL ? conf->path : conf->argv[0], (char *const *)(uintptr_t)conf->argv,
                 conf->env != NULL ? (char *const *)(uintptr_t)conf->env : no_env);
    fail(report, STEP_EXEC);
}

/* In the parent. */

static void plumbing_fini(struct plumbing *p)
{
    close_fd(&p->in);
    for (int i = 0; i < 2; i++) {
        close_fd(&p->out[CHILD_OUT][i]);
        close_fd(&p->out[CHILD_ERR][i]);
        close_fd(&p->report[i]);
    }
}

static int input_file(struct slice input, struct err *e)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done < input.n) {
        ssize_t n = pwrite(fd, input.s + done, input.n - done, (off_t)done);

        if (n < 0 && errno != EINTR)
            close_fd(&fd);
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0)
        (void)err_set(e, &ERR_IO, "input of a child process: %s", strerror(errno));
    return fd;
}

static int plumbing_init(struct plumbing *p, const struct child_conf *conf, struct err *e)
{
    *p = (struct plumbing){ -1, { { -1, -1 }, { -1, -1 } }, { -1, -1 } };
    if (conf->input.n > 0 && (p->in = input_file(conf->input, e)) < 0)
        return ERR_IO.code;
    if (pipe2(p->out[CHILD_OUT], O_CLOEXEC) == 0 && pipe2(p->out[CHILD_ERR], O_CLOEXEC) == 0 && pipe2(p->report, O_CLOEXEC) == 0)
        return 0;
    (void)err_set(e, &ERR_IO, "pipe to a child process: %s", strerror(errno));
    plumbing_fini(p);
    return ERR_IO.code;
}

static void free_when_closed(struct child *c)
{
    if (!c->freed || !c->ended || c->n_handles > 0)
        return;
    for (int i = 0; i < 2; i++)
        mem_free(c->streams[i].text);
    mem_free(c);
}

static void on_stream_closed(uv_handle_t *handle)
{
    struct stream *s = handle->data;

    s->child->n_handles--;
    free_when_closed(s->child);
}

static void on_exit_poll_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;

    c->n_handles--;
    free_when_closed(c);
}

static bool has_room(struct stream *s, size_t limit)
{
    size_t space = s->space < 1024 ? 1024 : s->space * 2;
    char *text;

    if (s->n + 1 < s->space)
        return true;
    if (s->n >= limit)
        return false;
    text = mem_realloc(s->text, space);
    if (text == NULL)
        return false;
    s->text = text;
    s->space = space;
    return true;
}

static void keep(struct stream *s, const char *bytes, size_t n, size_t limit)
{
    while (n > 0) {
        size_t part;

        if (s->n >= limit || !has_room(s, limit)) {
            s->cut = true; /* also when memory is out: output is a courtesy, the exit status decides */
            return;
        }
        part = s->space - 1 - s->n;
        part = part < n ? part : n;
        part = part < limit - s->n ? part : limit - s->n;
        memcpy(s->text + s->n, bytes, part);
        s->n += part;
        s->text[s->n] = '\0';
        bytes += part;
        n -= part;
    }
}

static void end_line(struct stream *s)
{
    s->child->on_line(s->child->data, s->which, (struct slice){ s->text != NULL ? s->text : "", s->n });
    s->n = 0;
    s->cut = false;
}

static void take_lines(struct stream *s, const char *bytes, size_t n)
{
    while (n > 0) {
        const char *newline = memchr(bytes, '\n', n);
        size_t part = newline != NULL ? (size_t)(newline - bytes) : n;

        if (!s->cut)
            keep(s, bytes, part, CHILD_LINE_MAX);
        if (newline == NULL)
            return;
        end_line(s);
        bytes += part + 1;
        n -= part + 1;
    }
}

static void take(struct stream *s, const char *bytes, size_t n)
{
    if (s->child->freed)
        return;
    if (s->child->on_line != NULL)
        take_lines(s, bytes, n);
    else
        keep(s, bytes, n, s->child->capture_bytes);
}

static void stream_close(struct stream *s)
{
    if (s->fd < 0)
        return;
    if (s->child->on_line != NULL && !s->child->freed && (s->n > 0 || s->cut))
        end_line(s);
    uv_close((uv_handle_t *)&s->poll, on_stream_closed);
    close_fd(&s->fd); /* allowed as soon as uv_close has returned */
}

/* Reads once, at most `bound` bytes, and returns how many; 0 at the end or when nothing is there. */
static size_t stream_read(struct stream *s, size_t bound)
{
    char bytes[16384];
    ssize_t n = read(s->fd, bytes, bound < sizeof bytes ? bound : sizeof bytes);

    if (n > 0) {
        take(s, bytes, (size_t)n);
        return (size_t)n;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        stream_close(s);
    return 0;
}

static void on_stream_readable(uv_poll_t *poll, int status, int events)
{
    struct stream *s = poll->data;

    (void)status; /* whatever it is, read tells */
    (void)events;
    (void)stream_read(s, SIZE_MAX);
}

/* After its end all it wrote is in the pipes: read just that. A grandchild that holds them open may write for ever. */
static void stream_drain(struct stream *s)
{
    int there = 0;
    size_t n;

    if (s->fd < 0)
        return;
    if (ioctl(s->fd, FIONREAD, &there) != 0)
        there = 0;
    while (there > 0 && (n = stream_read(s, (size_t)there)) > 0)
        there -= (int)n;
    stream_close(s);
}

static void note_status(struct child *c, const siginfo_t *info)
{
    bool exited = info->si_code == CLD_EXITED;

    c->status = (struct child_status){ exited ? info->si_status : -1, exited ? 0 : info->si_status };
}

static void on_exit_readable(uv_poll_t *poll, int status, int events)
{
    struct child *c = poll->data;
    siginfo_t info = { 0 };

    (void)status;
    (void)events;
    if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0)
        return; /* not yet */
    stream_drain(&c->streams[CHILD_OUT]);
    stream_drain(&c->streams[CHILD_ERR]);
    note_status(c, &info);
    (void)waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG); /* it is a zombie: this removes it */
    c->ended = true;
    uv_close((uv_handle_t *)&c->exit_poll, on_exit_poll_closed);
    close_fd(&c->pidfd);
    waitlist_wake_all(&c->waiting);
}

static bool watch(uv_poll_t *poll, int fd, uv_poll_cb on_readable, void *data, unsigned *n_handles)
{
    poll->data = data;
    if (uv_poll_init(loop_uv(loop_current()), poll, fd) != 0)
        return false;
    (*n_handles)++;
    (void)uv_poll_start(poll, UV_READABLE, on_readable); /* fails only for a handle that is being closed */
    return true;
}

static void watch_stream(struct child *c, enum child_stream which, int *fd)
{
    struct stream *s = &c->streams[which];

    *s = (struct stream){ .child = c, .which = which, .fd = -1 };
    if (!watch(&s->poll, *fd, on_stream_readable, s, &c->n_handles))
        return; /* the kernel is out of epoll entries: the child writes into a closed pipe */
    s->fd = *fd;
    *fd = -1;
}

static pid_t fork_child(const struct child_conf *conf, const struct plumbing *p)
{
    pid_t parent = getpid();
    sigset_t all, former;
    pid_t pid;

    /* no handler of ours may run in the child */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &former);
    pid = fork();
    if (pid == 0)
        run_child(conf, p, parent);
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    return pid;
}

static void kill_unwatched(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static int launch(struct child *c, const struct child_conf *conf, struct plumbing *p, struct err *e)
{
    c->pid = fork_child(conf, p);
    if (c->pid < 0)
        return err_set(e, &ERR_IO, "start %s: %s", conf->argv[0], strerror(errno));
    c->pidfd = pidfd_open(c->pid, 0);
    if (c->pidfd < 0 || !watch(&c->exit_poll, c->pidfd, on_exit_readable, c, &c->n_handles)) {
        (void)err_set(e, &ERR_IO, "watch process of %s: %s", conf->argv[0], strerror(errno));
        kill_unwatched(c->pid);
        close_fd(&c->pidfd);
        return ERR_IO.code;
    }
    watch_stream(c, CHILD_OUT, &p->out[CHILD_OUT][0]);
    watch_stream(c, CHILD_ERR, &p->out[CHILD_ERR][0]);
    return 0;
}

struct report_wait {
    uv_poll_t poll;
    struct wait wait;
    unsigned n_handles;
};

static void on_report(uv_poll_t *poll, int status, int events)
{
    struct report_wait *w = poll->data;

    (void)status;
    (void)events;
    (void)uv_poll_stop(poll);
    wait_wake(&w->wait);
}

static void on_report_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

/* Until the program is executed or a step before it failed: a matter of milliseconds, so the wait is not cut short. */
static void wait_for_report(struct report_wait *w, int fd)
{
    bool former = fiber_shield(true);
    struct err ignored;

    wait_init(&w->wait);
    if (watch(&w->poll, fd, on_report, w, &w->n_handles)) {
        if (wait_for(&w->wait, &ignored) != 0)
            (void)fcntl(fd, F_SETFL, 0); /* the fiber's deadline has passed: read(2) waits instead */
        uv_close((uv_handle_t *)&w->poll, on_report_closed);
    } else {
        mem_free(w);
    }
    (void)fiber_shield(former);
}

static int read_report(int fd, const char *program, struct err *e)
{
    struct report r;
    ssize_t n;

    while ((n = read(fd, &r, sizeof r)) < 0 && errno == EINTR)
        continue;
    if (n != (ssize_t)sizeof r)
        return 0;
    (void)err_set(e, &ERR_IO, "start %s: %s: %s", program, step_names[r.step], strerror(r.number));
    if (e != NULL)
        e->lib_code = r.number;
    return ERR_IO.code;
}

int child_start(const struct child_conf *conf, struct child **out, struct err *e)
{
    struct child *c = mem_zalloc(sizeof *c);
    struct report_wait *w = mem_zalloc(sizeof *w);
    struct plumbing p;
    int rv = c != NULL && w != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = plumbing_init(&p, conf, e);
    if (rv != 0)
        goto free_memory;
    c->pidfd = c->streams[CHILD_OUT].fd = c->streams[CHILD_ERR].fd = -1;
    c->capture_bytes = conf->capture_bytes;
    c->on_line = conf->on_line;
    c->data = conf->data;
    rv = launch(c, conf, &p, e);
    if (rv != 0)
        goto close_plumbing;
    close_fd(&p.report[1]);
    wait_for_report(w, p.report[0]);
    rv = read_report(p.report[0], conf->path != NULL ? conf->path : conf->argv[0], e);
    plumbing_fini(&p);
    if (rv != 0) {
        child_free(c);
        return rv;
    }
    *out = c;
    return 0;

close_plumbing:
    plumbing_fini(&p);
free_memory:
    mem_free(w);
    mem_free(c);
    return rv;
}

pid_t child_pid(const struct child *c)
{
    return c->pid;
}

bool child_is_running(const struct child *c)
{
    return !c->ended;
}

int child_wait(struct child *c, struct child_status *status, struct err *e)
{
    while (!c->ended) {
        int rv = waitlist_wait(&c->waiting, e);

        if (rv != 0)
            return rv;
    }
    if (status != NULL)
        *status = c->status;
    return 0;
}

void child_kill(struct child *c, int signal)
{
    if (!c->ended)
        (void)kill(-c->pid, signal); /* fails when it is a zombie already; its end is on the way to us */
}

struct slice child_output(const struct child *c, enum child_stream stream)
{
    const struct stream *s = &c->streams[stream];

    return s->text != NULL ? (struct slice){ s->text, s->n } : SLICE("");
}

bool child_output_was_cut(const struct child *c, enum child_stream stream)
{
    return c->streams[stream].cut;
}

void child_free(struct child *c)
{
    if (c == NULL)
        return;
    c->freed = true;
    child_kill(c, SIGKILL);
    free_when_closed(c);
}

const char *child_status_text(const struct child_status *status, char *buf, size_t size)
{
    if (status->signal != 0)
        (void)snprintf(buf, size, "killed by signal %d (%s)", status->signal, strsignal(status->signal));
    else
        (void)snprintf(buf, size, "exit status %d", status->code);
    return buf;
}

static int collect(struct child *c, struct arena *arena, struct child_result *result, struct err *e)
{
    struct slice out = child_output(c, CHILD_OUT), err = child_output(c, CHILD_ERR);

    result->out = (struct slice){ arena_strndup(arena, out.s, out.n), out.n };
    result->err = (struct slice){ arena_strndup(arena, err.s, err.n), err.n };
    result->out_cut = child_output_was_cut(c, CHILD_OUT);
    result->err_cut = child_output_was_cut(c, CHILD_ERR);
    return result->out.s != NULL && result->err.s != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

int child_run(const struct child_conf *conf, struct arena *arena, struct child_result *result, struct err *e)
{
    struct child *c;
    int rv = child_start(conf, &c, e);

    if (rv != 0)
        return rv;
    rv = child_wait(c, &result->status, e);
    if (rv == 0)
        rv = collect(c, arena, result, e);
    child_free(c);
    return rv;
}

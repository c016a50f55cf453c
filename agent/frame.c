/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/num.h"
#include "src/io/crash.h"
#include "src/io/fiber.h"
#include "src/io/file.h"

enum { LOG_MAX_BYTES = 10 * 1024 * 1024, ROTATE_MS = 60000, FILE_MAX_BYTES = 1024 * 1024, MAX_FIBERS = 512, SEEN_MS = 1000,
       LOCK_TRIES = 250, LOCK_PAUSE_US = 20000 };

const char *frame_path(struct frame *f, const char *fmt, ...)
{
    struct str t;
    char rest[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(rest, sizeof rest, fmt, ap);
    va_end(ap);
    str_init(&t, &f->arena);
    str_printf(&t, "%s/%s", f->home, rest);
    return str_failed(&t) ? NULL : t.s;
}

/* ---- small files ---------------------------------------------------------------------------------------------------- */

static int file_error(const char *path, struct err *e)
{
    return err_set(e, &ERR_IO, "%s: %s", path, strerror(errno));
}

static int read_open(const char *path, int fd, struct arena *arena, struct slice *text, struct err *e)
{
    size_t n = 0, space = 4096;
    char *s = NULL;
    ssize_t got = 1;

    while (got > 0 && n < FILE_MAX_BYTES) {
        char *more = arena_alloc(arena, space + 1);

        if (more == NULL)
            return err_set(e, &ERR_NOMEM, "");
        if (n > 0)
            memcpy(more, s, n);
        s = more;
        while (n < space && (got = read(fd, s + n, space - n)) > 0)
            n += (size_t)got;
        space *= 4;
    }
    if (got < 0)
        return file_error(path, e);
    s[n] = '\0';
    *text = (struct slice){ s, n };
    return 0;
}

int frame_read(const char *path, struct arena *arena, struct slice *text, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rv;

    *text = (struct slice){ NULL, 0 };
    if (fd < 0)
        return errno == ENOENT ? 0 : file_error(path, e);
    rv = read_open(path, fd, arena, text, e);
    (void)close(fd);
    return rv;
}

static bool write_new(const char *path, struct slice text, bool durable)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && file_write_all(fd, text.s, text.n) && (!durable || fsync(fd) == 0);
    int number = errno;

    if (fd >= 0 && close(fd) != 0 && ok) {
        number = errno;
        ok = false;
    }
    errno = number;
    return ok;
}

int frame_write(const char *path, struct slice text, bool durable, struct err *e)
{
    char temporary[4096], dir[4096];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return err_set(e, &ERR_INVALID, "the path %s is too long", path);
    (void)snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
    if (write_new(temporary, text, durable) && rename(temporary, path) == 0 && (!durable || file_sync_dir(dir)))
        return 0;
    return file_error(path, e);
}

/* ---- one of each name ----------------------------------------------------------------------------------------------- */

static pid_t read_pid(int fd)
{
    char text[32];
    ssize_t n = pread(fd, text, sizeof text, 0);
    int64_t pid = 0;

    return n > 1 && num_parse_i64_in((struct slice){ text, (size_t)n - 1 }, 2, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* Who was killed right after a fork leaves a child that has the lock, too, until it has seen that its parent is gone. */
static bool take_lock(int fd)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        pid_t holder;

        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        holder = errno == EWOULDBLOCK ? read_pid(fd) : 0;
        if (holder == 0 || kill(holder, 0) == 0 || errno != ESRCH)
            return false;
        (void)usleep(LOCK_PAUSE_US);
    }
    return false;
}

int frame_lock(struct frame *f, struct err *e)
{
    const char *path = frame_path(f, "run/%s.pid", f->name);
    char text[32];
    int n;

    if (path == NULL)
        return err_set(e, &ERR_NOMEM, "");
    f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (f->lock_fd < 0)
        return file_error(path, e);
    if (!take_lock(f->lock_fd)) {
        (void)err_set(e, &ERR_CONFLICT, "%s", "process");
        return err_arg(e, "%s", f->name);
    }
    n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(f->lock_fd, 0) != 0 || pwrite(f->lock_fd, text, (size_t)n, 0) != n)
        return file_error(path, e);
    return 0;
}

pid_t frame_holder(struct frame *f, const char *name)
{
    char path[4096];
    pid_t pid = 0;
    int fd;

    (void)snprintf(path, sizeof path, "%s/run/%s.pid", f->home, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        pid = read_pid(fd);
    (void)close(fd);
    return pid;
}

void frame_note(struct frame *f, const char *text)
{
    char path[4096];
    struct err e = { 0 };

    (void)snprintf(path, sizeof path, "%s/run/%s.note", f->home, f->name);
    if (text == NULL)
        (void)unlink(path); /* gone is what is wanted */
    else if (frame_write(path, (struct slice){ text, strlen(text) }, false, &e) != 0)
        log_warn(&f->log, "the note for the status is not written", LOG_E(&e));
}

/* ---- ocp-server was here --------------------------------------------------------------------------------------------- */

static bool was_seen(struct frame *f)
{
    char path[4096];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/run/server-seen", f->home);
    if (stat(path, &st) != 0)
        return false;
    return (int64_t)st.st_mtim.tv_sec * 1000 >= clock_wall_us(&clock_system) / 1000 - clock_now_ms(&clock_system);
}

int frame_wait_server(struct frame *f, struct err *e)
{
    int rv = 0;

    if (was_seen(f))
        return 0;
    frame_note(f, "waits for the first call of ocp-server");
    while (rv == 0 && !was_seen(f))
        rv = fiber_sleep(SEEN_MS, e);
    frame_note(f, NULL);
    return rv;
}

void frame_server_seen(struct frame *f)
{
    char path[4096];
    struct err e = { 0 };

    (void)snprintf(path, sizeof path, "%s/run/server-seen", f->home);
    if (!was_seen(f) && frame_write(path, SLICE("seen\n"), false, &e) != 0)
        log_warn(&f->log, "cannot note that the server has called", LOG_E(&e));
}

/* ---- a process from its start to its end ------------------------------------------------------------------------------ */

struct life {
    struct frame *frame;
    int (*start)(struct frame *f, void *data, struct err *e);
    void *data;
    uv_signal_t signals[2];
    uv_timer_t rotate;
    bool failed;
};

/* The log goes on in a new file; stderr is that file, too, for what libraries and crashes say. */
static bool open_log(struct frame *f)
{
    int fd = open(f->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    bool ok = fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO;

    if (fd > STDERR_FILENO)
        (void)close(fd);
    return ok;
}

static void rotate_log(struct frame *f)
{
    char former[4096];
    struct stat st;

    if (f->log_file == NULL || fstat(STDERR_FILENO, &st) != 0 || st.st_size < LOG_MAX_BYTES)
        return;
    (void)snprintf(former, sizeof former, "%s.1", f->log_file);
    if (rename(f->log_file, former) != 0 || !open_log(f))
        log_warn(&f->log, "the log cannot be rotated", LOG_S("reason", strerror(errno)));
}

static void on_rotate(uv_timer_t *timer)
{
    rotate_log(timer->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct life *l = handle->data;

    log_info(&l->frame->log, "stopping", LOG_I("signal", number));
    loop_stop(l->frame->loop);
}

static void start_fiber(void *data)
{
    struct life *l = data;
    struct err e = { 0 };

    if (l->start(l->frame, l->data, &e) == 0)
        return;
    if (!err_is(&e, &ERR_CANCELLED))
        log_error(&l->frame->log, "stopped", LOG_E(&e));
    l->failed = !err_is(&e, &ERR_CANCELLED);
    loop_stop(l->frame->loop);
}

static void watch(struct life *l)
{
    static const int numbers[] = { SIGTERM, SIGINT };

    for (unsigned i = 0; i < 2; i++) {
        (void)uv_signal_init(loop_uv(l->frame->loop), &l->signals[i]); /* the loop is new: it has all it needs */
        l->signals[i].data = l;
        (void)uv_signal_start(&l->signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&l->signals[i]);
    }
    (void)uv_timer_init(loop_uv(l->frame->loop), &l->rotate); /* documented to return 0 */
    l->rotate.data = l->frame;
    (void)uv_timer_start(&l->rotate, on_rotate, ROTATE_MS, ROTATE_MS);
    uv_unref((uv_handle_t *)&l->rotate);
}

static void unwatch(struct life *l)
{
    uv_close((uv_handle_t *)&l->signals[0], NULL);
    uv_close((uv_handle_t *)&l->signals[1], NULL);
    uv_close((uv_handle_t *)&l->rotate, NULL);
}

static int run_loop(struct life *l, void (*stop)(struct frame *f, void *data), struct err *e)
{
    struct frame *f = l->frame;
    const struct loop_conf conf = { .name = f->name, .clock = &clock_system, .log = &f->log, .max_fibers = MAX_FIBERS,
                                    .stack_bytes = LOOP_STACK_BYTES };
    int rv = loop_new(&conf, &f->loop, e);

    if (rv != 0)
        return rv;
    watch(l);
    rv = fiber_start(f->loop, f->name, start_fiber, l, NULL, e);
    if (rv == 0)
        loop_run(f->loop);
    if (stop != NULL)
        stop(f, l->data);
    unwatch(l);
    loop_free(f->loop);
    f->loop = NULL;
    return rv;
}

static int prepare(struct frame *f, struct err *e)
{
    int rv = frame_load(f, e);

    if (rv == 0)
        rv = frame_lock(f, e);
    if (rv != 0)
        return rv;
    frame_note(f, NULL);
    f->log_file = frame_path(f, "log/%s.log", f->name);
    if (f->log_file == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (!open_log(f))
        return file_error(f->log_file, e);
    rotate_log(f);
    return 0;
}

int frame_run(struct frame *f, int (*start)(struct frame *f, void *data, struct err *e), void (*stop)(struct frame *f, void *data), void *data)
{
    struct life l = { .frame = f, .start = start, .data = data };
    struct err e = { 0 };
    char text[1024];
    int rv = prepare(f, &e);

    if (rv == 0)
        rv = run_loop(&l, stop, &e);
    if (rv != 0)
        (void)fprintf(stderr, "%s: %s\n", f->name, err_log_text(&e, text, sizeof text));
    return rv == 0 && !l.failed ? 0 : 1;
}

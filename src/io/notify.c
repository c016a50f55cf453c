/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "src/base/num.h"

static bool number(const char *s, int64_t *v)
{
    return num_parse_i64_in((struct slice){ s, strlen(s) }, 1, INT64_MAX, v);
}

/* The manager watches this process only if WATCHDOG_PID is absent or ours: a child inherits the variables. */
static int init_watchdog(struct notify *n, const char *usec, const char *pid, struct err *e)
{
    int64_t us, watched = getpid();

    if (usec == NULL)
        return 0;
    if (!number(usec, &us) || (pid != NULL && !number(pid, &watched)))
        return err_set(e, &ERR_INVALID, "WATCHDOG_USEC=%s WATCHDOG_PID=%s", usec, pid != NULL ? pid : "");
    if (watched == getpid())
        n->watchdog_ms = us < 1000 ? 1 : us / 1000;
    return 0;
}

static int init_socket(struct notify *n, const char *name, struct err *e)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t len = strlen(name);
    int rv;

    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof un.sun_path)
        return err_set(e, &ERR_INVALID, "NOTIFY_SOCKET=%s", name);
    memcpy(un.sun_path, name, len);
    if (name[0] == '@')
        un.sun_path[0] = '\0';
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n->fd < 0)
        return err_set(e, &ERR_IO, "socket: %s", strerror(errno));
    if (connect(n->fd, (struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        rv = err_set(e, &ERR_IO, "connect to NOTIFY_SOCKET=%s: %s", name, strerror(errno));
        notify_fini(n);
        return rv;
    }
    return 0;
}

int notify_init(struct notify *n, const char *socket, const char *watchdog_usec, const char *watchdog_pid, struct err *e)
{
    *n = (struct notify){ .fd = -1 };
    if (socket == NULL || socket[0] == '\0')
        return 0;
    if (init_watchdog(n, watchdog_usec, watchdog_pid, e) != 0)
        return err_wrap(e, "service manager");
    return init_socket(n, socket, e) != 0 ? err_wrap(e, "service manager") : 0;
}

void notify_fini(struct notify *n)
{
    if (n->fd >= 0)
        (void)close(n->fd); /* a datagram socket has nothing left to say */
    *n = (struct notify){ .fd = -1 };
}

static void say(const struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct notify *n, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    int len;

    if (n->fd < 0)
        return;
    va_start(ap, fmt);
    len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (len > 0)
        (void)send(n->fd, text, strnlen(text, sizeof text), MSG_NOSIGNAL); /* a deaf manager must not hurt the service */
}

void notify_ready(const struct notify *n, const char *status)
{
    say(n, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(const struct notify *n)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* the manager's clock, which Type=notify-reload compares */
    say(n, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reloading", (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

void notify_stopping(const struct notify *n, const char *status, int64_t needs_ms)
{
    say(n, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64 "\nSTATUS=%s", needs_ms * 1000, status);
}

void notify_status(const struct notify *n, const char *status)
{
    say(n, "STATUS=%s", status);
}

void notify_watchdog(const struct notify *n)
{
    say(n, "WATCHDOG=1");
}

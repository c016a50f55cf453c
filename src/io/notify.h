/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - tells the service manager (systemd, or anything that speaks sd_notify(3)) what the process is doing.
 * Every call is one datagram to the socket named by NOTIFY_SOCKET; it never waits, and without a manager it does nothing.
 * Any thread after notify_init. */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/clock.h"
#include "src/base/err.h"

struct notify {
    int fd;               /* owned, -1: nobody listens */
    int64_t watchdog_ms;  /* the manager wants a sign of life at least this often; 0: it does not watch */
};

/* Reads the manager's variables: NOTIFY_SOCKET (a path, or @name for an abstract socket), WATCHDOG_USEC, WATCHDOG_PID.
 * NULL stands for a variable that is not set. Errors: INVALID (a variable makes no sense), IO. */
MUST_CHECK int notify_init(struct notify *n, const char *socket, const char *watchdog_usec, const char *watchdog_pid, struct err *e);
void notify_fini(struct notify *n);

/* `status` is one line for people, e.g. "serving on 127.0.0.1:8080". */
void notify_ready(const struct notify *n, const char *status);
void notify_reloading(const struct notify *n); /* to be followed by notify_ready */
/* `needs_ms` more than the unit's TimeoutStopSec may be asked for: the manager waits at least that long from now on. */
void notify_stopping(const struct notify *n, const char *status, int64_t needs_ms);
void notify_status(const struct notify *n, const char *status);
void notify_watchdog(const struct notify *n);  /* a sign of life; send at watchdog_ms / 2 */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - processes of the host: looking at them in /proc, and starting daemons that are nobody's children. A process is named by its pid
 * and the time it was started (clock ticks since boot: proc(5), field 22), since pids are used again. Blocking; any thread. */
#ifndef AGENT_PROCESS_H
#define AGENT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/users.h"
#include "src/base/arena.h"
#include "src/base/err.h"

struct process {
    pid_t pid;
    int64_t start_time;
    bool zombie;
    int64_t rss_bytes, cpu_ms, threads;
    uid_t uid;
    char exe[4096];       /* without " (deleted)"; "" when it is not ours to see */
};
/* False when there is none with this pid (and start time, unless that is FIELD_NONE), or only its exit status is left. */
bool process_look(pid_t pid, int64_t start_time, struct process *out);
/* Does it run the program `path`? By name, or as the same file. */
bool process_runs(const struct process *p, const char *path);

/* A daemon to be started. Strings are borrowed until daemon_spawn returns. */
struct daemon {
    const char *const *argv;     /* ends with NULL; argv[0] is the path */
    const char *const *env;      /* ends with NULL; of the program alone: what makes the scope, as root, has none of it */
    const char *cwd;             /* NULL: / */
    const struct user *user;     /* NULL: stays who we are */
    int input, output;           /* descriptors that become stdin; stdout and stderr. -1: /dev/null */
    const char *scope;           /* program like systemd-run that puts it into a scope of its own; NULL or "": none */
    const char *scope_name;      /* of the unit */
    bool limits;                 /* files, processes and cores as a database needs them, as far as we may */
};
/* What waits to become it. */
struct spawned {
    pid_t pid;
    int64_t start_time;
    int go;                      /* write end: a byte lets it go on; closing it without ends it. -1: closed */
    int failure;                 /* read end: errno and step if it could not, end of file when it runs */
};
/* Makes the process, in a session of its own and a child of init; it waits for daemon_go before it becomes the program, and ends when this
 * process does first. Errors: AGENT_PROCESS, NOMEM. */
MUST_CHECK int daemon_spawn(const struct daemon *d, struct spawned *out, struct err *e);
/* Lets it go on, and waits until it is the program. Errors: AGENT_PROCESS (why it could not). */
MUST_CHECK int daemon_go(struct spawned *s, const char *path, struct err *e);
/* It never goes on. */
void daemon_drop(struct spawned *s);

#endif

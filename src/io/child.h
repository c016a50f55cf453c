/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - child processes: started by an argument vector with an explicit environment, in a session of their own, with
 * nothing inherited but stdin, stdout and stderr; their end is waited for like anything else. No shell, no PATH search.
 * A child belongs to the loop on which it was started; all calls are made there. */
#ifndef IO_CHILD_H
#define IO_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"

struct child;

enum child_stream { CHILD_OUT, CHILD_ERR };
enum { CHILD_LINE_MAX = 4096 };

/* Everything is borrowed until child_start returns, but `data`, which on_line gets until the child is freed. */
struct child_conf {
    const char *const *argv;    /* ends with NULL; argv[0] is the path of the program, or its name if `path` is given */
    const char *path;           /* NULL: argv[0] */
    const char *const *env;     /* "NAME=value", ends with NULL; NULL: an empty environment */
    const char *cwd;            /* NULL: "/" */
    bool set_user;              /* become uid and gid, without supplementary groups; needs root unless they are ours already */
    uid_t uid;
    gid_t gid;
    int death_signal;           /* sent by the kernel when the thread of this loop ends in whatever way; 0: the child lives on */
    struct slice input;         /* what it reads from stdin; empty: /dev/null */
    size_t capture_bytes;       /* kept of each stream when there is no on_line; what comes beyond it is read and dropped */
    /* Runs on the loop for each line without its newline, also for a last one that has none; the part of a line beyond
     * CHILD_LINE_MAX is dropped. Must neither wait nor free the child. NULL: capture. */
    void (*on_line)(void *data, enum child_stream stream, struct slice line);
    void *data;
};

struct child_status {
    int code;                   /* exit status; -1 when a signal ended it */
    int signal;                 /* 0 when it exited by itself */
};

/* Starts a program and waits until it is executed. From a fiber. `out` is to be freed by the caller.
 * Errors: IO (naming the step that failed: no such program, no such user or folder), NOMEM. */
MUST_CHECK int child_start(const struct child_conf *conf, struct child **out, struct err *e);
pid_t child_pid(const struct child *c);
/* True until it has ended and its status is known. */
bool child_is_running(const struct child *c);

/* Waits for its end; by then everything it wrote itself has been read (what grandchildren write later is not waited for).
 * Several fibers may wait. `status` may be NULL. Errors: TIMEOUT, CANCELLED; the child runs on then. */
MUST_CHECK int child_wait(struct child *c, struct child_status *status, struct err *e);

/* Sends a signal to the child and what it started in its session. Nothing happens when it has ended. */
void child_kill(struct child *c, int signal);

/* What was captured so far; NUL-terminated, the child's. */
struct slice child_output(const struct child *c, enum child_stream stream);
/* True when more came than was kept. */
bool child_output_was_cut(const struct child *c, enum child_stream stream);

/* Kills it if it still runs; the loop reaps it and frees the memory. NULL is fine. Nobody may be waiting. */
void child_free(struct child *c);

/* "exit status 3" or "killed by signal 9 (Killed)". Returns `buf`. */
const char *child_status_text(const struct child_status *status, char *buf, size_t size);

struct child_result {
    struct child_status status;
    struct slice out, err;      /* in the arena, NUL-terminated */
    bool out_cut, err_cut;
};
/* Starts, waits and collects; kills the child at the fiber's deadline or when the fiber is cancelled. A status other than 0 is
 * no error here. Errors: as child_start and child_wait. */
MUST_CHECK int child_run(const struct child_conf *conf, struct arena *arena, struct child_result *result, struct err *e);

#endif

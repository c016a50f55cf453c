/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - what the processes of the agent share. One program, ocp-agent, acts under each name (agent/main.c: one row a name, one file a
 * name); the frame gives it its folder, its settings, its log, a lock that makes it the only one of its name, and a loop.
 *
 *   HOME/bin   ocp-agent and a link for each name          HOME/conf  agent.conf, agent.crt, agent.key, authority.crt, groups
 *   HOME/run   NAME.pid (locked), NAME.note, server-seen   HOME/log   NAME.log, NAME.log.1      HOME/data  ledger, blobs, commands
 *
 * HOME is the folder above the one of the program, or what --home says. */
#ifndef AGENT_FRAME_H
#define AGENT_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/field.h"
#include "src/base/log.h"
#include "src/io/loop.h"

/* conf/agent.conf: lines of `key = value`. */
struct agent_conf {
    const char *ocp_id;               /* of the OCP cluster that it obeys */
    int64_t host_id;
    const char *listen;               /* IP address */
    int64_t port, exporter_port, node_exporter_port;
    const char *node_exporter;        /* program; NULL: none on this host */
    struct field_strings roots;       /* directories that commands may touch */
    int64_t epoch;                    /* floor at the installation */
    int64_t blob_quota;               /* bytes */
    const char *scope;                /* program that puts a process into a scope of systemd; "": none. NULL: systemd-run where systemd runs */
};
extern const struct field agent_conf_fields[];

struct frame;
/* One name. */
struct frame_row {
    const char *name, *doc;
    int (*main)(struct frame *f, int argc, char **argv); /* argv[0] is the name; returns the exit status */
};

struct frame {
    const char *name;
    struct arena arena;               /* for what lives as long as the process */
    const char *home, *exe;           /* exe: the program's own file */
    struct agent_conf conf;
    struct log_sink sink;
    struct log log;
    struct loop *loop;                /* NULL until frame_run */
    int lock_fd;
    const char *log_file;             /* NULL: stderr is not ours */
};

/* A path below HOME, in the frame's arena; NULL when memory is out. */
const char *frame_path(struct frame *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads conf/agent.conf. Errors: INVALID (line and reason), IO, NOMEM. */
MUST_CHECK int frame_load(struct frame *f, struct err *e);
/* Takes run/NAME.pid. Errors: CONFLICT (another one runs), IO. */
MUST_CHECK int frame_lock(struct frame *f, struct err *e);
/* A process of the agent from its start to SIGTERM: settings, lock, log, loop; start(f, data) runs in a fiber and may return while others go
 * on; stop(f, data), which may be NULL, runs when the loop is over. Returns the exit status. */
int frame_run(struct frame *f, int (*start)(struct frame *f, void *data, struct err *e), void (*stop)(struct frame *f, void *data), void *data);
/* Says in `ocp_agent_ctl status` and GET /agent/status what cannot be seen from outside ("nothing is collected yet"). NULL: nothing. */
void frame_note(struct frame *f, const char *text);

/* From a fiber: waits until ocp-server has called this agent since the host was booted. Errors: CANCELLED, TIMEOUT. */
MUST_CHECK int frame_wait_server(struct frame *f, struct err *e);
/* pos_proxy: ocp-server has called. */
void frame_server_seen(struct frame *f);

/* Who holds the lock of `name`: 0 when nobody does. */
pid_t frame_holder(struct frame *f, const char *name);

/* A small file as text, in the arena; *text NULL: there is none. Errors: IO, NOMEM. */
MUST_CHECK int frame_read(const char *path, struct arena *arena, struct slice *text, struct err *e);
/* Replaces a file as a whole; with `durable` it is on the disk when this returns. Blocking. Errors: IO. */
MUST_CHECK int frame_write(const char *path, struct slice text, bool durable, struct err *e);

#endif

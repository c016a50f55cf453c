/* SPDX-License-Identifier: Apache-2.0 */
/* act.h - what commands do, in plain blocking C: on a thread of the pool, or (AGENT_SLOW) in a process of its own. Commands that must know the
 * agent itself (start_process, stop_process, declare_root, control, install_self) are in commands.c. */
#ifndef AGENT_ACT_H
#define AGENT_ACT_H

#include "agent/roots.h"
#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/proto/agent.h"

#define ACT_MARK AGENT_MARK              /* whose a directory is */
#define ACT_PACKAGE ".ocp-package"       /* the package that a directory holds: its SHA-256 */

struct act {
    const struct roots *roots;           /* borrowed */
    const char *blobs;                   /* borrowed: directory of pushed packages, by SHA-256 */
    struct arena *arena;                 /* borrowed: for the answer */
    int64_t deadline_ms;                 /* of the boot clock */
};
struct act_row {
    const char *kind;
    int (*run)(struct act *a, const void *args, void *answer, struct err *e);
};
/* Ends with a row without kind. */
extern const struct act_row act_rows[];
/* NULL: it is none of these. */
const struct act_row *act_find(const char *kind);

int act_mkdirs(struct act *a, const void *args, void *answer, struct err *e);
int act_remove_tree(struct act *a, const void *args, void *answer, struct err *e);
int act_symlink(struct act *a, const void *args, void *answer, struct err *e);
int act_write_file(struct act *a, const void *args, void *answer, struct err *e);
int act_read_file(struct act *a, const void *args, void *answer, struct err *e);
int act_list_directory(struct act *a, const void *args, void *answer, struct err *e);
int act_extract_package(struct act *a, const void *args, void *answer, struct err *e);
int act_run_script(struct act *a, const void *args, void *answer, struct err *e);
int act_process_status(struct act *a, const void *args, void *answer, struct err *e);
int act_check_port(struct act *a, const void *args, void *answer, struct err *e);
int act_disk_usage(struct act *a, const void *args, void *answer, struct err *e);
int act_host_info(struct act *a, const void *args, void *answer, struct err *e);

/* The process that a pid file names, if it runs (and, with `exe` not NULL, runs that). *found false: none. Errors: AGENT_PATH, AGENT_FILE. */
struct process;
MUST_CHECK int act_find_by_pid_file(const struct roots *roots, const char *pid_file, const char *exe, struct process *out, bool *found,
                                    struct err *e);
/* Replaces a small file below a root as a whole. */
MUST_CHECK int act_replace(const struct roots *roots, const char *path, struct slice text, mode_t mode, const char *owner, struct err *e);
/* A text file in a directory that is open; *text "" when there is none. Errors: AGENT_FILE. */
MUST_CHECK int act_read_mark(int dir, const char *name, char *text, size_t size, struct err *e);

#endif

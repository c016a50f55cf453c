/* SPDX-License-Identifier: Apache-2.0 */
/* roots.h - directories that commands may touch, and ways into them that no link and no ".." leads out of: each path is opened beneath its root
 * (openat2 with RESOLVE_BENEATH; on kernels before 5.6 step by step, following no link at all). The root itself is trusted, as is what lies
 * above it. Blocking; any thread, while nobody changes the list. */
#ifndef AGENT_ROOTS_H
#define AGENT_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "src/base/err.h"

enum { ROOTS_NAME_SIZE = 256, ROOTS_MAX = 512 };

struct roots {
    const char *const *dirs;      /* borrowed; absolute */
    size_t n;
    bool walk;                    /* for tests: as if the kernel had no openat2 */
};

/* Is it a path that may be asked for: absolute, no "." or ".." or empty part, below a root (or the root itself)? Says nothing about the disk.
 * Errors: AGENT_PATH. */
MUST_CHECK int roots_check(const struct roots *r, const char *path, struct err *e);
/* May this become a root: absolute, clean, two parts deep or not the system's own? Errors: AGENT_PATH. */
MUST_CHECK int roots_check_new(const char *path, struct err *e);
/* As open(2), beneath its root. Errors: AGENT_PATH (it leads out), AGENT_FILE. */
MUST_CHECK int roots_open(const struct roots *r, const char *path, int flags, mode_t mode, int *fd, struct err *e);
/* Opens the directory that holds the path's last part, which is stored in `name`; for *at calls. The path must not be a root itself.
 * Errors: AGENT_PATH, AGENT_FILE. */
MUST_CHECK int roots_open_parent(const struct roots *r, const char *path, int *fd, char name[ROOTS_NAME_SIZE], struct err *e);
/* errno as AGENT_FILE. */
int roots_failed(const char *path, struct err *e);

#endif

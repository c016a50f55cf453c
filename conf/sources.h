/* SPDX-License-Identifier: Apache-2.0 */
/* sources.h - what file, environment and command line say about each setting, the strongest of them last. The texts are not
 * interpreted here; unknown keys and broken lines are noted as problems. */
#ifndef CONF_SOURCES_H
#define CONF_SOURCES_H

#include <sys/stat.h>

#include "conf/problems.h"

/* What the strongest source says about one setting. */
struct setting_given {
    struct setting_origin at;  /* source NULL: nobody said anything */
    struct slice text;         /* of a file (line > 0): in the arena, and may be written to */
    bool is_file;              /* text is the path of the file that holds the secret */
};

struct sources {
    struct setting_given *given;        /* one per row of the table */
    struct settings_problems *problems; /* borrowed */
    struct arena arena;                 /* texts of files and variables */
};

/* Collects; to be ended by sources_fini, also on failure. What `from` points to outlives it. Errors: NOMEM. */
MUST_CHECK int sources_collect(struct sources *to, const struct settings_sources *from, struct settings_problems *problems);
void sources_fini(struct sources *s);

struct sources_file {
    char *text;  /* in the arena, not terminated */
    size_t n;
    mode_t mode;
};
/* Reads a file of at most `max` bytes. Returns NULL, or why it could not be read; *nomem says that it was lack of memory. */
const char *sources_read_file(const char *path, size_t max, struct arena *arena, struct sources_file *out, bool *nomem);

#endif

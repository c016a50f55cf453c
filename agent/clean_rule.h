/* SPDX-License-Identifier: Apache-2.0 */
/* clean_rule.h - which old files of a directory ob_cleaner removes. Rules come from conf/ob_cleaner.json; without that file there are defaults. Pure.
 *
 * Only rotated files count: a log whose name ends with the moment of its rotation (observer.log.20260101120000123, also .wf, also
 * compressed), or core.NUMBER. Whatever a rule says, no other file is ever removed, nor one that a process has open, nor one that changed in the
 * last minute. */
#ifndef AGENT_CLEAN_RULE_H
#define AGENT_CLEAN_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/field.h"
#include "src/base/str.h"

enum { CLEAN_DAY_S = 86400, CLEAN_FRESH_S = 60 };

struct clean_rule {
    const char *directory;           /* shell pattern of directories; below one of the agent's roots */
    const char *pattern;             /* shell pattern of file names in them */
    int64_t max_age_days;            /* older files go at once; FIELD_NONE: never */
    int64_t max_bytes;               /* all of them together may take so much, else the oldest go; FIELD_NONE: any */
    int64_t disk_percent;            /* while the file system is fuller than this ... */
    int64_t retention_days;          /* ... files older than this go, and then */
    int64_t keep_percent;            /* the oldest, until so much of their size is left */
};
struct clean_conf {
    int64_t interval_s;
    int enabled;
    struct field_list rules;
};
extern const struct field clean_conf_fields[];

/* Reads the text of the file; `text`.s NULL: the defaults, which look into each root, its directories and their directories "log".
 * Errors: INVALID naming member and reason, REQUEST (no JSON), NOMEM. */
MUST_CHECK int clean_conf_read(struct slice text, struct field_strings roots, struct arena *arena, struct clean_conf *out, struct err *e);

/* Is it a log that was rotated away, or a core? */
bool clean_is_rotated(const char *name);

enum clean_reason { CLEAN_KEEP, CLEAN_AGE, CLEAN_SIZE, CLEAN_DISK_AGE, CLEAN_DISK };
extern const char *const clean_reasons[]; /* for logs */

struct clean_file {
    const char *name;
    int64_t bytes;                   /* that removing it frees */
    int64_t changed_s;               /* seconds since 1970 */
    size_t index;                    /* the caller's: where it was before */
    bool open;                       /* a process has it open */
    enum clean_reason reason;        /* of removing it */
};
struct clean_disk {
    int64_t total, used;             /* bytes, as df counts them */
};

/* Decides on files that match the rule: puts them in order, the oldest first, and sets `reason` of each. Returns how many are to go. */
size_t clean_decide(const struct clean_rule *rule, struct clean_file *files, size_t n, struct clean_disk disk, int64_t now_s);

#endif

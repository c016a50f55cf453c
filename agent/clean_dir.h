/* SPDX-License-Identifier: Apache-2.0 */
/* clean_dir.h - looks at the directories of a rule and removes what clean_rule.h decides. Blocks. Never leaves the agent's roots: a directory
 * counts by its real path, and names in it are taken as they are, links not followed. */
#ifndef AGENT_CLEAN_DIR_H
#define AGENT_CLEAN_DIR_H

#include "agent/clean_rule.h"
#include "src/base/log.h"

/* One look at everything. What processes have open is read once, when something is to be removed. */
struct clean_round {
    struct field_strings roots;      /* borrowed */
    const struct log *log;           /* borrowed */
    const char *proc;                /* "/proc" */
    int64_t now_s;
    /* private */
    struct arena arena;
    struct clean_open *open;
    size_t n_open;
    bool knows_open;
    /* what came of it */
    uint64_t n_files, n_removed;
    int64_t bytes_removed;
};

void clean_round_init(struct clean_round *r, struct field_strings roots, const struct log *log, int64_t now_s);
void clean_round_fini(struct clean_round *r);
/* Carries out one rule. What cannot be looked at or removed is logged, and keeps nothing else. Errors: NOMEM. */
MUST_CHECK int clean_by_rule(struct clean_round *r, const struct clean_rule *rule, struct err *e);

#endif

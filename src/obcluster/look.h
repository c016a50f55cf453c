/* SPDX-License-Identifier: Apache-2.0 */
/* look.h - what one look at a managed cluster shows, held against what was seen before. From fibers. */
#ifndef OBCLUSTER_LOOK_H
#define OBCLUSTER_LOOK_H

#include "src/obcluster/obcluster.h"
#include "src/oceanbase/probe.h"

ERR_DECLARE(ERR_OBCLUSTER_OTHER);      /* {0} cluster, {1} address: another instance answers there now */
extern const struct err_row *const look_err_rows[];

struct look {
    const char *type, *version, *full_version, *architecture, *instance;
    int64_t ob_cluster_id;             /* FIELD_NONE: the kernel has none */
    struct obtopology topology;        /* ids are 0 until look_merge */
};

/* What tells this instance from all others under whatever address; NULL when memory is out. Pure. */
const char *look_instance(const struct ob_probe *p, struct arena *arena);

/* Asks the server behind `s`, which was reached as `c` says. Errors: OBCLUSTER_OTHER, OB_FOREIGN, those of sql_run. */
MUST_CHECK int look_at(struct sql *s, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e);

/* Gives what was seen before its former ids and times, the rest `new_ids` (in order: as many as look_count_new says) and `now_us`. True when
 * something differs. Pure. */
bool look_merge(const struct obtopology *former, struct obtopology *seen, const int64_t *new_ids, int64_t now_us);
size_t look_count_new(const struct obtopology *former, const struct obtopology *seen);

/* Takes ids, merges, and writes when something differs from `former` or from what `c` says of it, when it had failed, or when `always`.
 * *written says so. A cluster that is gone or in another state than `c->status` is left alone (*written false).
 * Errors: those of db_transact. */
MUST_CHECK int look_keep(struct db *d, const struct obcluster *c, const struct obtopology *former, struct look *seen, bool always,
                         int64_t now_us, struct arena *arena, bool *written, struct err *e);

#endif

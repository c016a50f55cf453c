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
    const char *endpoints;             /* as in struct obcluster */
    int64_t ob_cluster_id;             /* FIELD_NONE: the kernel has none */
    struct obtopology topology;        /* ids are 0 until look_merge */
};

/* What tells this instance from all others under whatever address; NULL when memory is out. Pure. */
const char *look_instance(const struct ob_probe *p, struct arena *arena);
/* "4.2.1.0_100000102023092807-<commit>(Sep 28 2023 07:25:28)" -> "4.2.1.0-100000102023092807"; NULL when memory is out. Pure. */
const char *look_version(const char *build_version, struct arena *arena);

/* Is the server behind `s` one of the cluster `c`? One statement; servers of an OceanBase alone are asked, others pass.
 * Errors: OBCLUSTER_OTHER, those of sql_run. */
MUST_CHECK int look_verify(struct sql *s, const struct obcluster *c, struct err *e);
/* Asks the server behind `s`, which was reached as `c` says. The number of statements is the same however many servers and tenants there
 * are. Errors: OBCLUSTER_OTHER, OB_FOREIGN, those of sql_run. */
MUST_CHECK int look_at(struct sql *s, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e);

/* Gives what was seen before its former ids and times, the rest `new_ids` (in order: as many as look_count_new says) and `now_us`, and marks
 * what differs. True when something does. Unless `exact`, a disk that is a little fuller is no difference. Pure. */
bool look_merge(const struct obtopology *former, struct obtopology *seen, const int64_t *new_ids, int64_t now_us, bool exact);
size_t look_count_new(const struct obtopology *former, const struct obtopology *seen);
/* What is not seen any more. Errors: NOMEM. */
MUST_CHECK int look_gone(const struct obtopology *former, const struct obtopology *seen, struct arena *arena, struct obtopology_gone *out,
                         struct err *e);

/* The shard of standing work that a look belongs to, and the view in which it is leased to this node. */
struct look_lease {
    unsigned shard;
    int64_t view;
};

/* Takes ids, merges, and writes when something differs from `former` or from what `c` says of it, when it had failed, or when `always`
 * (which is exact, too). Only rows that differ are written. *written says so. A cluster that is gone or in another state than
 * `c->status` is left alone (*written false). `lease` (NULL: the caller is fenced otherwise) must still be this node's.
 * Errors: LEASE_LOST, those of db_transact. */
MUST_CHECK int look_keep(struct db *d, const struct obcluster *c, const struct obtopology *former, struct look *seen, bool always,
                         const struct look_lease *lease, int64_t now_us, struct arena *arena, bool *written, struct err *e);

#endif

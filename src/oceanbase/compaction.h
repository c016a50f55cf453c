/* SPDX-License-Identifier: Apache-2.0 */
/* compaction.h - major compaction (merge): its state (oceanbase.DBA_OB_MAJOR_COMPACTION, CDB_OB_MAJOR_COMPACTION on kernels that have it) and
 * starting it. */
#ifndef OCEANBASE_COMPACTION_H
#define OCEANBASE_COMPACTION_H

#include "src/io/sql.h"

struct ob_compaction {
    int64_t frozen_scn, last_scn, broadcast_scn;
    int64_t frozen_us, started_us, finished_us; /* 0: never */
    const char *status;                         /* IDLE, COMPACTING, VERIFYING */
    bool is_error, is_suspended;
    const char *info;
    int64_t tenant_id;                          /* the kernel's own number; 1 where it has one tenant */
};

/* The last of each tenant, of one if `tenant_id` is not -1. Errors: those of sql_run. */
MUST_CHECK int ob_compactions_list(struct sql *s, int64_t tenant_id, struct arena *arena, struct ob_compaction **out, size_t *n, struct err *e);
enum ob_compaction_order {
    OB_COMPACTION_START,        /* ALTER SYSTEM MAJOR FREEZE */
    OB_COMPACTION_SUSPEND,      /* ALTER SYSTEM SUSPEND MERGE */
    OB_COMPACTION_RESUME,       /* ALTER SYSTEM RESUME MERGE */
    OB_COMPACTION_CLEAR_ERROR,  /* ALTER SYSTEM CLEAR MERGE ERROR */
};
/* Each may be repeated. Errors: those of sql_run. */
MUST_CHECK int ob_compaction_order(struct sql *s, enum ob_compaction_order order, struct err *e);
/* ALTER SYSTEM MAJOR FREEZE, of one tenant (NULL: all). Running already: the kernel's own error, SQL_FAILED or SQL_RETRY. */
MUST_CHECK int ob_compaction_start(struct sql *s, const char *tenant, struct err *e);

#endif

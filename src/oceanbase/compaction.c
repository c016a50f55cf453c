/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/compaction.h"

static const struct sql_field columns[] = {
    SQL_FIELD(ob_compaction, frozen_scn, "FROZEN_SCN", SQL_C_INT64),
    SQL_FIELD(ob_compaction, last_scn, "LAST_SCN", SQL_C_INT64),
    SQL_FIELD(ob_compaction, broadcast_scn, "GLOBAL_BROADCAST_SCN", SQL_C_INT64),
    SQL_FIELD(ob_compaction, frozen_us, "FROZEN_TIME", SQL_C_TIME),
    SQL_FIELD(ob_compaction, started_us, "START_TIME", SQL_C_TIME),
    SQL_FIELD(ob_compaction, finished_us, "LAST_FINISH_TIME", SQL_C_TIME),
    SQL_FIELD(ob_compaction, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD(ob_compaction, is_error, "HAS_ERROR", SQL_C_BOOL),
    SQL_FIELD(ob_compaction, is_suspended, "SUSPENDED", SQL_C_BOOL),
    SQL_FIELD_OPT(ob_compaction, info, "INFO", SQL_C_TEXT),
    { NULL },
};

int ob_compaction_get(struct sql *s, struct arena *arena, struct ob_compaction *out, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s,
                     "SELECT m.*, is_error = 'YES' AS has_error, is_suspended = 'YES' AS suspended "
                     "FROM oceanbase.DBA_OB_MAJOR_COMPACTION m LIMIT 1",
                     NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    if (rows.n_rows != 1)
        return err_set(e, &ERR_UNEXPECTED, "DBA_OB_MAJOR_COMPACTION of %s is empty", sql_peer(s));
    *out = (struct ob_compaction){ .status = "" };
    return sql_fetch(&rows, columns, sizeof *out, out, e);
}

int ob_compaction_order(struct sql *s, enum ob_compaction_order order, struct err *e)
{
    static const char *const texts[] = {
        [OB_COMPACTION_START] = "ALTER SYSTEM MAJOR FREEZE",
        [OB_COMPACTION_SUSPEND] = "ALTER SYSTEM SUSPEND MERGE",
        [OB_COMPACTION_RESUME] = "ALTER SYSTEM RESUME MERGE",
        [OB_COMPACTION_CLEAR_ERROR] = "ALTER SYSTEM CLEAR MERGE ERROR",
    };
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, texts[order], NULL, 0, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

int ob_compaction_start(struct sql *s, struct err *e)
{
    return ob_compaction_order(s, OB_COMPACTION_START, e);
}

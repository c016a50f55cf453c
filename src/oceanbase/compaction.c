/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/compaction.h"

#include "src/oceanbase/engine.h"
#include "src/oceanbase/quote.h"

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
    SQL_FIELD_OPT(ob_compaction, tenant_id, "TENANT_ID", SQL_C_INT64),
    { NULL },
};

int ob_compactions_list(struct sql *s, int64_t tenant_id, struct arena *arena, struct ob_compaction **out, size_t *n, struct err *e)
{
    const struct sql_value values[] = { SQL_V_I(tenant_id), SQL_V_I(tenant_id) };
    struct sql_rows rows;
    int rv = sql_run(s, ob_queries(s)->compactions, values, 2, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        (*out)[i] = (struct ob_compaction){ .status = "", .tenant_id = 1 };
    *n = rows.n_rows;
    return sql_fetch(&rows, columns, sizeof **out, *out, e);
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

int ob_compaction_start(struct sql *s, const char *tenant, struct err *e)
{
    struct arena arena;
    struct str text;
    int rv;

    arena_init(&arena);
    str_init(&text, &arena);
    str_add(&text, tenant != NULL ? "ALTER SYSTEM MAJOR FREEZE TENANT = " : ob_queries(s)->freeze_all);
    if (tenant != NULL)
        quote_name(&text, tenant);
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : sql_run(s, str_c(&text), NULL, 0, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

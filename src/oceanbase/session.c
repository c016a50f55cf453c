/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/session.h"

#include <stdio.h>

ERR_DEFINE(ERR_OB_SESSION_UNKNOWN, 90403, 404, ERR_FINAL, "There is no session {0} (any more).", "会话 {0} 不存在或已结束。");

const struct err_row *const ob_session_err_rows[] = { &ERR_OB_SESSION_UNKNOWN, NULL };

enum { UNKNOWN_THREAD = 1094 };

static const struct sql_field columns[] = {
    SQL_FIELD(ob_session, id, "ID", SQL_C_INT64),
    SQL_FIELD(ob_session, user, "USER", SQL_C_TEXT),
    SQL_FIELD(ob_session, host, "HOST", SQL_C_TEXT),
    SQL_FIELD(ob_session, db, "DB", SQL_C_TEXT),
    SQL_FIELD(ob_session, command, "COMMAND", SQL_C_TEXT),
    SQL_FIELD(ob_session, time_s, "TIME", SQL_C_DOUBLE),
    SQL_FIELD(ob_session, state, "STATE", SQL_C_TEXT),
    SQL_FIELD(ob_session, info, "INFO", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_session, sql_id, "SQL_ID", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_session, client_ip, "USER_CLIENT_IP", SQL_C_TEXT),
    SQL_FIELD(ob_session, total_time_s, "TOTAL_TIME", SQL_C_DOUBLE),
    SQL_FIELD_OPT(ob_session, trans_state, "TRANS_STATE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_session, trans_id, "TRANS_ID", SQL_C_INT64),
    SQL_FIELD_OPT(ob_session, trace_id, "TRACE_ID", SQL_C_TEXT),
    { NULL },
};

int ob_sessions_list(struct sql *s, struct arena *arena, struct ob_session **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    struct sql_value limit = SQL_V_I(OB_SESSION_INFO_MAX);
    /* columns by name, for the sake of one: statements of megabytes in every session would make the answer too large. A kernel
     * without a database selected says so with the text NULL. */
    int rv = sql_run(s,
                     "SELECT id, user, host, NULLIF(db, 'NULL') AS db, command, time, total_time, state, LEFT(info, ?) AS info, sql_id, "
                     "user_client_ip, trans_state, trans_id, trace_id FROM oceanbase.V$OB_PROCESSLIST ORDER BY id",
                     &limit, 1, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return sql_fetch(&rows, columns, sizeof **out, *out, e);
}

int ob_session_kill(struct sql *s, int64_t id, bool query, struct err *e)
{
    struct arena arena;
    char text[64];
    int rv;

    arena_init(&arena);
    (void)snprintf(text, sizeof text, "KILL %s%lld", query ? "QUERY " : "", (long long)id);
    rv = sql_run(s, text, NULL, 0, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    if (rv != 0 && e->lib_code == UNKNOWN_THREAD)
        return err_set(e, &ERR_OB_SESSION_UNKNOWN, "%lld", (long long)id);
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/session.h"

#include <stdio.h>

#include "src/oceanbase/engine.h"

ERR_DEFINE(ERR_OB_SESSION_UNKNOWN, 90403, 404, ERR_FINAL, "There is no session {0} (any more).", "会话 {0} 不存在或已结束。");

const struct err_row *const ob_session_err_rows[] = { &ERR_OB_SESSION_UNKNOWN, NULL };

enum { UNKNOWN_THREAD = 1094, UNKNOWN_COLUMN = 1054, N_VALUES = 3 };

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
    SQL_FIELD_OPT(ob_session, total_time_s, "TOTAL_TIME", SQL_C_DOUBLE),
    SQL_FIELD_OPT(ob_session, trans_state, "TRANS_STATE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_session, trans_id, "TRANS_ID", SQL_C_INT64),
    SQL_FIELD_OPT(ob_session, trace_id, "TRACE_ID", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_session, tenant, "TENANT", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_session, ip, "SVR_IP", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_session, port, "SVR_PORT", SQL_C_INT64),
    SQL_FIELD_OPT(ob_session, sql_port, "SQL_PORT", SQL_C_INT64),
    { NULL },
};

int ob_sessions_list(struct sql *s, const char *tenant, struct arena *arena, struct ob_session **out, size_t *n, struct err *e)
{
    const struct ob_queries *q = ob_queries(s);
    const char *of = tenant != NULL ? tenant : "";
    const struct sql_value values[N_VALUES] = { SQL_V_I(OB_SESSION_INFO_MAX), sql_v_s(of), sql_v_s(of) };
    struct sql_rows rows;
    /* columns by name, for the sake of one: statements of megabytes in every session would make the answer too large. A kernel
     * without a database selected says so with the text NULL. */
    int rv = sql_run(s, q->sessions, values, N_VALUES, 0, arena, &rows, e);

    if (rv != 0 && e->lib_code == UNKNOWN_COLUMN && q->sessions_old != NULL)
        rv = sql_run(s, q->sessions_old, values, N_VALUES, 0, arena, &rows, e);
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

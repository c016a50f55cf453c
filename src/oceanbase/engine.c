/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/engine.h"

#define SESSION_COLUMNS                                                                                                          \
    "id, user, host, NULLIF(db, 'NULL') AS db, command, time, total_time, state, SUBSTR(info, 1, ?) AS info, sql_id, user_client_ip, " \
    "trans_state, trans_id, trace_id"
#define COMPACTION_COLUMNS "m.*, m.is_error = 'YES' AS has_error, m.is_suspended = 'YES' AS suspended"

#define EVENT_COLUMNS                                                                                                              \
    "timestamp, module, event, name1, value1, name2, value2, name3, value3, name4, value4, name5, value5, name6, value6, extra_info"
#define EVENT_RANGE                                                                                                                 \
    " WHERE (? IS NULL OR timestamp >= ?) AND (? IS NULL OR timestamp <= ?) AND (? IS NULL OR module = ?)"
#define ROOT_EVENTS "SELECT " EVENT_COLUMNS ", rs_svr_ip, rs_svr_port FROM oceanbase.DBA_OB_ROOTSERVICE_EVENT_HISTORY"
#define BOTH_EVENTS                                                                                                                 \
    ROOT_EVENTS " UNION ALL SELECT " EVENT_COLUMNS ", NULL AS rs_svr_ip, NULL AS rs_svr_port FROM oceanbase.DBA_OB_CLUSTER_EVENT_HISTORY"
#define EVENT_PAGE " ORDER BY timestamp DESC, module, event, value1, value2 LIMIT ? OFFSET ?"

static const struct ob_queries oceanbase = {
    .parameters = "SELECT * FROM oceanbase.GV$OB_PARAMETERS WHERE tenant_id IS NULL OR tenant_id = 1 ORDER BY name, zone, svr_ip, svr_port",
    .parameter = "SELECT * FROM oceanbase.GV$OB_PARAMETERS WHERE name = ? ORDER BY zone, svr_ip, svr_port",
    .sessions = "SELECT svr_ip, svr_port, sql_port, tenant, " SESSION_COLUMNS
                " FROM oceanbase.GV$OB_PROCESSLIST WHERE (? = '' OR tenant = ?) ORDER BY id, svr_ip, svr_port",
    .sessions_old = "SELECT * FROM oceanbase.GV$OB_PROCESSLIST WHERE ? > 0 AND (? = '' OR tenant = ?) "
                    "ORDER BY id, svr_ip, svr_port",
    .compactions = "SELECT " COMPACTION_COLUMNS " FROM oceanbase.CDB_OB_MAJOR_COMPACTION m WHERE (? < 0 OR m.tenant_id = ?) ORDER BY m.tenant_id",
    .events = "SELECT * FROM (" BOTH_EVENTS ") h" EVENT_RANGE EVENT_PAGE,
    .events_old = "SELECT * FROM (" ROOT_EVENTS ") h" EVENT_RANGE EVENT_PAGE,
    .event_count = "SELECT COUNT(*) FROM (" BOTH_EVENTS ") h" EVENT_RANGE,
    .event_count_old = "SELECT COUNT(*) FROM (" ROOT_EVENTS ") h" EVENT_RANGE,
    .freeze_all = "ALTER SYSTEM MAJOR FREEZE TENANT = ALL",
};

static const struct ob_queries seekdb = {
    .parameters = "SELECT * FROM oceanbase.V$OB_PARAMETERS ORDER BY name",
    .parameter = "SELECT * FROM oceanbase.V$OB_PARAMETERS WHERE name = ?",
    .sessions = "SELECT " SESSION_COLUMNS " FROM oceanbase.V$OB_PROCESSLIST WHERE ? IS NOT NULL AND ? IS NOT NULL ORDER BY id",
    .compactions = "SELECT " COMPACTION_COLUMNS " FROM oceanbase.DBA_OB_MAJOR_COMPACTION m WHERE ? IS NOT NULL AND ? IS NOT NULL",
    .freeze_all = "ALTER SYSTEM MAJOR FREEZE",
};

const struct ob_queries *ob_queries(const struct sql *s)
{
    return sql_engine(s) == SQL_OCEANBASE ? &oceanbase : &seekdb;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/server.h"

static const struct sql_field columns[] = {
    SQL_FIELD(ob_server, ip, "SVR_IP", SQL_C_TEXT),
    SQL_FIELD(ob_server, rpc_port, "SVR_PORT", SQL_C_INT64),
    SQL_FIELD(ob_server, sql_port, "SQL_PORT", SQL_C_INT64),
    SQL_FIELD(ob_server, cpu_capacity, "CPU_CAPACITY", SQL_C_DOUBLE),
    SQL_FIELD(ob_server, cpu_capacity_max, "CPU_CAPACITY_MAX", SQL_C_DOUBLE),
    SQL_FIELD(ob_server, cpu_assigned, "CPU_ASSIGNED", SQL_C_DOUBLE),
    SQL_FIELD(ob_server, cpu_assigned_max, "CPU_ASSIGNED_MAX", SQL_C_DOUBLE),
    SQL_FIELD(ob_server, memory_capacity, "MEM_CAPACITY", SQL_C_INT64),
    SQL_FIELD(ob_server, memory_assigned, "MEM_ASSIGNED", SQL_C_INT64),
    SQL_FIELD_OPT(ob_server, memory_limit, "MEMORY_LIMIT", SQL_C_INT64),
    SQL_FIELD(ob_server, log_disk_capacity, "LOG_DISK_CAPACITY", SQL_C_INT64),
    SQL_FIELD(ob_server, log_disk_assigned, "LOG_DISK_ASSIGNED", SQL_C_INT64),
    SQL_FIELD(ob_server, log_disk_used, "LOG_DISK_IN_USE", SQL_C_INT64),
    SQL_FIELD(ob_server, data_disk_capacity, "DATA_DISK_CAPACITY", SQL_C_INT64),
    SQL_FIELD_OPT(ob_server, data_disk_allocated, "DATA_DISK_ALLOCATED", SQL_C_INT64),
    SQL_FIELD(ob_server, data_disk_used, "DATA_DISK_IN_USE", SQL_C_INT64),
    SQL_FIELD_OPT(ob_server, data_disk_health, "DATA_DISK_HEALTH_STATUS", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_server, started_us, "START_SERVICE_TIME", SQL_C_INT64),
    SQL_FIELD_OPT(ob_server, created_us, "CREATE_TIME", SQL_C_TIME),
    SQL_FIELD_OPT(ob_server, role, "ROLE", SQL_C_TEXT),
    { NULL },
};

/* Kernels say 2^63-1 for "no limit set": that is no number of bytes. */
static void drop_unlimited(int64_t *v)
{
    if (*v == INT64_MAX)
        *v = -1;
}

int ob_server_get(struct sql *s, struct arena *arena, struct ob_server *out, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, "SELECT * FROM oceanbase.V$OB_SERVER_STAT LIMIT 1", NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    if (rows.n_rows != 1)
        return err_set(e, &ERR_UNEXPECTED, "V$OB_SERVER_STAT of %s is empty", sql_peer(s));
    *out = (struct ob_server){ .memory_limit = -1, .memory_assigned = -1, .data_disk_allocated = -1, .started_us = -1, .created_us = -1 };
    rv = sql_fetch(&rows, columns, sizeof *out, out, e);
    drop_unlimited(&out->memory_assigned);
    return rv;
}

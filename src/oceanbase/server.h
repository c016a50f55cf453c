/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - one server as it describes itself in oceanbase.V$OB_SERVER_STAT. */
#ifndef OCEANBASE_SERVER_H
#define OCEANBASE_SERVER_H

#include "src/io/sql.h"

/* Bytes, cores and microseconds since 1970; -1 where this kernel gives no value. */
struct ob_server {
    const char *ip;
    int64_t rpc_port, sql_port;
    double cpu_capacity, cpu_capacity_max, cpu_assigned, cpu_assigned_max;
    int64_t memory_capacity, memory_assigned, memory_limit;
    int64_t log_disk_capacity, log_disk_assigned, log_disk_used;
    int64_t data_disk_capacity, data_disk_allocated, data_disk_used;
    const char *data_disk_health;
    int64_t started_us, created_us;
    const char *role;                /* PRIMARY or STANDBY; NULL: unknown */
};

/* Errors: those of sql_run; UNEXPECTED when the view is empty. */
MUST_CHECK int ob_server_get(struct sql *s, struct arena *arena, struct ob_server *out, struct err *e);

#endif

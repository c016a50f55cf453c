/* SPDX-License-Identifier: Apache-2.0 */
/* topology.h - zones, servers, units and tenants of an OceanBase cluster (4.0 and newer) as the views of its tenant sys describe them.
 * Each kind is one statement, whatever the number of servers and tenants. Versions have different columns, so rows are asked for whole and
 * what a version does not have stays as ob_..._unknown says. Texts lie in the arena. Errors: those of sql_run and sql_fetch. */
#ifndef OCEANBASE_TOPOLOGY_H
#define OCEANBASE_TOPOLOGY_H

#include "src/io/sql.h"

enum { OB_UNKNOWN = -1, OB_SYS_TENANT = 1 };  /* numbers, bytes, cores and times that a version or a server does not tell */

struct ob_zone {
    const char *name, *region, *idc;
    const char *status;             /* ACTIVE, INACTIVE */
    const char *type;               /* ReadWrite */
    int64_t n_compacting;           /* tenants whose major compaction is not done there */
};
MUST_CHECK int ob_zones_list(struct sql *s, struct arena *arena, struct ob_zone **out, size_t *n, struct err *e);

/* DBA_OB_SERVERS; capacities come from GV$OB_SERVERS, which lists only servers that are alive. */
struct ob_observer {
    const char *ip, *zone;
    int64_t port, sql_port;         /* RPC and SQL */
    const char *with_rootserver;    /* YES, NO */
    const char *status;             /* ACTIVE, INACTIVE, DELETING */
    int64_t start_us, stop_us, offline_us;
    const char *build_version;      /* "4.2.1.0_100000102023092807-<commit>(Sep 28 2023 07:25:28)" */
    double cpu_capacity, cpu_capacity_max, cpu_assigned, cpu_assigned_max;
    int64_t memory_capacity, memory_assigned, log_disk_capacity, log_disk_assigned, log_disk_used, data_disk_capacity, data_disk_used;
};
MUST_CHECK int ob_observers_list(struct sql *s, struct arena *arena, struct ob_observer **out, size_t *n, struct err *e);

struct ob_unit {
    int64_t id, tenant_id;          /* tenant_id OB_UNKNOWN: its pool belongs to no tenant */
    const char *zone, *ip;
    int64_t port;                   /* RPC */
    const char *status;
    int64_t group_id, pool_id, config_id, pool_unit_count;
    const char *pool_name, *config_name;
    double max_cpu, min_cpu;
    int64_t memory, log_disk, max_iops, min_iops, iops_weight;
    const char *migrate_from_ip, *manual_migrate;
    int64_t migrate_from_port;
    int64_t log_disk_used, data_disk_used; /* from GV$OB_UNITS */
};
MUST_CHECK int ob_units_list(struct sql *s, struct arena *arena, struct ob_unit **out, size_t *n, struct err *e);

struct ob_tenant {
    int64_t id;
    const char *name, *type;        /* SYS, USER; META tenants are left out */
    const char *mode, *status, *primary_zone, *locality, *former_locality, *locked, *role, *switchover_status, *compatible;
    int64_t unit_num, created_us;
};
MUST_CHECK int ob_tenants_list(struct sql *s, struct arena *arena, struct ob_tenant **out, size_t *n, struct err *e);

/* The names under which proxies find tenants, whichever cluster leads: by tenant, one for each at most. Kernels before 4.2.5 have none. */
struct ob_service {
    int64_t tenant_id;
    const char *name, *status;      /* STARTED, STOPPING, STOPPED */
};
MUST_CHECK int ob_services_list(struct sql *s, struct arena *arena, struct ob_service **out, size_t *n, struct err *e);

/* One variable of one tenant; of those that describe a tenant: character_set_server, collation_server (both as numbers), time_zone, read_only,
 * lower_case_table_names, ob_tcp_invited_nodes. By tenant. */
struct ob_tenant_variable {
    int64_t tenant_id;
    const char *name, *value;
};
MUST_CHECK int ob_tenant_variables_list(struct sql *s, struct arena *arena, struct ob_tenant_variable **out, size_t *n, struct err *e);

/* Names for the numbers that the kernel keeps in variables: collation 45 is utf8mb4_general_ci of utf8mb4. A text that is no known number is
 * returned as it is. Pure. */
const char *ob_collation_name(const char *value);
const char *ob_charset_name(const char *value);

#endif

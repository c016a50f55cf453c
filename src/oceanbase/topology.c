/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/topology.h"

#include <math.h>
#include <string.h>

#include "src/base/num.h"

static const struct sql_field zone_columns[] = {
    SQL_FIELD(ob_zone, name, "ZONE", SQL_C_TEXT),
    SQL_FIELD(ob_zone, region, "REGION", SQL_C_TEXT),
    SQL_FIELD(ob_zone, idc, "IDC", SQL_C_TEXT),
    SQL_FIELD(ob_zone, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_zone, type, "TYPE", SQL_C_TEXT),
    SQL_FIELD(ob_zone, n_compacting, "N_COMPACTING", SQL_C_INT64),
    { NULL },
};

static const struct sql_field observer_columns[] = {
    SQL_FIELD(ob_observer, ip, "SVR_IP", SQL_C_TEXT),
    SQL_FIELD(ob_observer, port, "SVR_PORT", SQL_C_INT64),
    SQL_FIELD(ob_observer, zone, "ZONE", SQL_C_TEXT),
    SQL_FIELD(ob_observer, sql_port, "SQL_PORT", SQL_C_INT64),
    SQL_FIELD(ob_observer, with_rootserver, "WITH_ROOTSERVER", SQL_C_TEXT),
    SQL_FIELD(ob_observer, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD(ob_observer, start_us, "START_SERVICE_TIME", SQL_C_TIME),
    SQL_FIELD(ob_observer, stop_us, "STOP_TIME", SQL_C_TIME),
    SQL_FIELD_OPT(ob_observer, offline_us, "LAST_OFFLINE_TIME", SQL_C_TIME),
    SQL_FIELD(ob_observer, build_version, "BUILD_VERSION", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_observer, cpu_capacity, "CPU_CAPACITY", SQL_C_DOUBLE),
    SQL_FIELD_OPT(ob_observer, cpu_capacity_max, "CPU_CAPACITY_MAX", SQL_C_DOUBLE),
    SQL_FIELD_OPT(ob_observer, cpu_assigned, "CPU_ASSIGNED", SQL_C_DOUBLE),
    SQL_FIELD_OPT(ob_observer, cpu_assigned_max, "CPU_ASSIGNED_MAX", SQL_C_DOUBLE),
    SQL_FIELD_OPT(ob_observer, memory_capacity, "MEM_CAPACITY", SQL_C_INT64),
    SQL_FIELD_OPT(ob_observer, memory_assigned, "MEM_ASSIGNED", SQL_C_INT64),
    SQL_FIELD_OPT(ob_observer, log_disk_capacity, "LOG_DISK_CAPACITY", SQL_C_INT64),
    SQL_FIELD_OPT(ob_observer, log_disk_assigned, "LOG_DISK_ASSIGNED", SQL_C_INT64),
    SQL_FIELD_OPT(ob_observer, log_disk_used, "LOG_DISK_IN_USE", SQL_C_INT64),
    SQL_FIELD_OPT(ob_observer, data_disk_capacity, "DATA_DISK_CAPACITY", SQL_C_INT64),
    SQL_FIELD_OPT(ob_observer, data_disk_used, "DATA_DISK_IN_USE", SQL_C_INT64),
    { NULL },
};

static const struct sql_field unit_columns[] = {
    SQL_FIELD(ob_unit, id, "UNIT_ID", SQL_C_INT64),
    SQL_FIELD(ob_unit, tenant_id, "TENANT_ID", SQL_C_INT64),
    SQL_FIELD(ob_unit, zone, "ZONE", SQL_C_TEXT),
    SQL_FIELD(ob_unit, ip, "SVR_IP", SQL_C_TEXT),
    SQL_FIELD(ob_unit, port, "SVR_PORT", SQL_C_INT64),
    SQL_FIELD(ob_unit, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_unit, group_id, "UNIT_GROUP_ID", SQL_C_INT64),
    SQL_FIELD(ob_unit, pool_id, "RESOURCE_POOL_ID", SQL_C_INT64),
    SQL_FIELD(ob_unit, config_id, "UNIT_CONFIG_ID", SQL_C_INT64),
    SQL_FIELD(ob_unit, pool_unit_count, "UNIT_COUNT", SQL_C_INT64),
    SQL_FIELD(ob_unit, pool_name, "POOL_NAME", SQL_C_TEXT),
    SQL_FIELD(ob_unit, config_name, "CONFIG_NAME", SQL_C_TEXT),
    SQL_FIELD(ob_unit, max_cpu, "MAX_CPU", SQL_C_DOUBLE),
    SQL_FIELD(ob_unit, min_cpu, "MIN_CPU", SQL_C_DOUBLE),
    SQL_FIELD(ob_unit, memory, "MEMORY_SIZE", SQL_C_INT64),
    SQL_FIELD_OPT(ob_unit, log_disk, "LOG_DISK_SIZE", SQL_C_INT64),
    SQL_FIELD_OPT(ob_unit, max_iops, "MAX_IOPS", SQL_C_INT64),
    SQL_FIELD_OPT(ob_unit, min_iops, "MIN_IOPS", SQL_C_INT64),
    SQL_FIELD_OPT(ob_unit, iops_weight, "IOPS_WEIGHT", SQL_C_INT64),
    SQL_FIELD_OPT(ob_unit, migrate_from_ip, "MIGRATE_FROM_SVR_IP", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_unit, migrate_from_port, "MIGRATE_FROM_SVR_PORT", SQL_C_INT64),
    SQL_FIELD_OPT(ob_unit, manual_migrate, "MANUAL_MIGRATE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_unit, log_disk_used, "LOG_DISK_IN_USE", SQL_C_INT64),
    SQL_FIELD_OPT(ob_unit, data_disk_used, "DATA_DISK_IN_USE", SQL_C_INT64),
    { NULL },
};

static const struct sql_field tenant_columns[] = {
    SQL_FIELD(ob_tenant, id, "TENANT_ID", SQL_C_INT64),
    SQL_FIELD(ob_tenant, name, "TENANT_NAME", SQL_C_TEXT),
    SQL_FIELD(ob_tenant, type, "TENANT_TYPE", SQL_C_TEXT),
    SQL_FIELD(ob_tenant, created_us, "CREATE_TIME", SQL_C_TIME),
    SQL_FIELD(ob_tenant, primary_zone, "PRIMARY_ZONE", SQL_C_TEXT),
    SQL_FIELD(ob_tenant, locality, "LOCALITY", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_tenant, former_locality, "PREVIOUS_LOCALITY", SQL_C_TEXT),
    SQL_FIELD(ob_tenant, mode, "COMPATIBILITY_MODE", SQL_C_TEXT),
    SQL_FIELD(ob_tenant, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD(ob_tenant, locked, "LOCKED", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_tenant, role, "TENANT_ROLE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_tenant, switchover_status, "SWITCHOVER_STATUS", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_tenant, compatible, "COMPATIBLE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_tenant, unit_num, "UNIT_NUM", SQL_C_INT64),
    { NULL },
};

static const struct sql_field variable_columns[] = {
    SQL_FIELD(ob_tenant_variable, tenant_id, "TENANT_ID", SQL_C_INT64),
    SQL_FIELD(ob_tenant_variable, name, "NAME", SQL_C_TEXT),
    SQL_FIELD(ob_tenant_variable, value, "VALUE", SQL_C_TEXT),
    { NULL },
};

static const struct sql_field service_columns[] = {
    SQL_FIELD(ob_service, tenant_id, "TENANT_ID", SQL_C_INT64),
    SQL_FIELD(ob_service, name, "SERVICE_NAME", SQL_C_TEXT),
    SQL_FIELD(ob_service, status, "SERVICE_STATUS", SQL_C_TEXT),
    { NULL },
};

static const struct ob_zone unknown_zone = { "", "", "", "", "", 0 };
static const struct ob_observer unknown_observer = {
    .ip = "",
    .zone = "",
    .with_rootserver = "",
    .status = "",
    .start_us = OB_UNKNOWN,
    .stop_us = OB_UNKNOWN,
    .offline_us = OB_UNKNOWN,
    .build_version = "",
    .cpu_capacity = NAN,
    .cpu_capacity_max = NAN,
    .cpu_assigned = NAN,
    .cpu_assigned_max = NAN,
    .memory_capacity = OB_UNKNOWN,
    .memory_assigned = OB_UNKNOWN,
    .log_disk_capacity = OB_UNKNOWN,
    .log_disk_assigned = OB_UNKNOWN,
    .log_disk_used = OB_UNKNOWN,
    .data_disk_capacity = OB_UNKNOWN,
    .data_disk_used = OB_UNKNOWN,
};
static const struct ob_unit unknown_unit = {
    .tenant_id = OB_UNKNOWN,
    .zone = "",
    .ip = "",
    .status = "",
    .group_id = OB_UNKNOWN,
    .pool_id = OB_UNKNOWN,
    .config_id = OB_UNKNOWN,
    .pool_unit_count = OB_UNKNOWN,
    .pool_name = "",
    .config_name = "",
    .max_cpu = NAN,
    .min_cpu = NAN,
    .memory = OB_UNKNOWN,
    .log_disk = OB_UNKNOWN,
    .max_iops = OB_UNKNOWN,
    .min_iops = OB_UNKNOWN,
    .iops_weight = OB_UNKNOWN,
    .migrate_from_ip = "",
    .manual_migrate = "",
    .migrate_from_port = OB_UNKNOWN,
    .log_disk_used = OB_UNKNOWN,
    .data_disk_used = OB_UNKNOWN,
};
static const struct ob_tenant unknown_tenant = {
    .name = "",
    .type = "",
    .mode = "",
    .status = "",
    .primary_zone = "",
    .locality = "",
    .former_locality = "",
    .locked = "",
    .role = "",
    .switchover_status = "",
    .compatible = "",
    .unit_num = OB_UNKNOWN,
    .created_us = OB_UNKNOWN,
};
static const struct ob_service unknown_service = { .name = "", .status = "" };
static const struct ob_tenant_variable unknown_variable = { .name = "", .value = "" };

/* What is read, and into what. */
struct view {
    const char *text;
    const struct sql_field *columns;
    const void *unknown;
    size_t size;
};

static const struct view zones = {
    "SELECT z.*, m.n_compacting FROM oceanbase.DBA_OB_ZONES z LEFT JOIN "
    "(SELECT zone, COUNT(CASE WHEN status <> 'IDLE' THEN 1 END) AS n_compacting FROM oceanbase.CDB_OB_ZONE_MAJOR_COMPACTION GROUP BY zone) m "
    "ON m.zone = z.zone ORDER BY z.zone",
    zone_columns, &unknown_zone, sizeof unknown_zone,
};
/* Of two columns with one name the first counts: what DBA_OB_SERVERS and DBA_OB_UNITS say. */
static const struct view observers = {
    "SELECT s.*, g.* FROM oceanbase.DBA_OB_SERVERS s LEFT JOIN oceanbase.GV$OB_SERVERS g ON g.svr_ip = s.svr_ip AND g.svr_port = s.svr_port "
    "ORDER BY s.zone, s.svr_ip, s.svr_port",
    observer_columns, &unknown_observer, sizeof unknown_observer,
};
static const struct view units = {
    "SELECT p.name AS pool_name, p.unit_count, c.name AS config_name, u.*, g.* FROM oceanbase.DBA_OB_UNITS u "
    "LEFT JOIN oceanbase.DBA_OB_RESOURCE_POOLS p ON p.resource_pool_id = u.resource_pool_id "
    "LEFT JOIN oceanbase.DBA_OB_UNIT_CONFIGS c ON c.unit_config_id = u.unit_config_id "
    "LEFT JOIN oceanbase.GV$OB_UNITS g ON g.unit_id = u.unit_id AND g.tenant_id = u.tenant_id AND g.svr_ip = u.svr_ip "
    "AND g.svr_port = u.svr_port ORDER BY u.unit_id",
    unit_columns, &unknown_unit, sizeof unknown_unit,
};
static const struct view tenants = {
    "SELECT * FROM oceanbase.DBA_OB_TENANTS WHERE tenant_type <> 'META' ORDER BY tenant_id", tenant_columns, &unknown_tenant, sizeof unknown_tenant,
};
static const struct view variables = {
    "SELECT tenant_id, name, value FROM oceanbase.CDB_OB_SYS_VARIABLES WHERE name IN ('character_set_server', 'collation_server', 'time_zone', "
    "'read_only', 'lower_case_table_names', 'ob_tcp_invited_nodes') ORDER BY tenant_id",
    variable_columns, &unknown_variable, sizeof unknown_variable,
};

static const struct view services = {
    "SELECT tenant_id, service_name, service_status FROM oceanbase.CDB_OB_SERVICES ORDER BY tenant_id", service_columns, &unknown_service,
    sizeof unknown_service,
};

static int read_view(struct sql *s, const struct view *v, struct arena *arena, void **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, v->text, NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *out = arena_array(arena, rows.n_rows + 1, v->size);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        memcpy((char *)*out + i * v->size, v->unknown, v->size);
    *n = rows.n_rows;
    return sql_fetch(&rows, v->columns, v->size, *out, e);
}

int ob_zones_list(struct sql *s, struct arena *arena, struct ob_zone **out, size_t *n, struct err *e)
{
    void *rows = NULL;
    int rv = read_view(s, &zones, arena, &rows, n, e);

    *out = rows;
    return rv;
}

int ob_observers_list(struct sql *s, struct arena *arena, struct ob_observer **out, size_t *n, struct err *e)
{
    void *rows = NULL;
    int rv = read_view(s, &observers, arena, &rows, n, e);

    *out = rows;
    return rv;
}

int ob_units_list(struct sql *s, struct arena *arena, struct ob_unit **out, size_t *n, struct err *e)
{
    void *rows = NULL;
    int rv = read_view(s, &units, arena, &rows, n, e);

    *out = rows;
    return rv;
}

int ob_tenants_list(struct sql *s, struct arena *arena, struct ob_tenant **out, size_t *n, struct err *e)
{
    void *rows = NULL;
    int rv = read_view(s, &tenants, arena, &rows, n, e);

    *out = rows;
    return rv;
}

int ob_tenant_variables_list(struct sql *s, struct arena *arena, struct ob_tenant_variable **out, size_t *n, struct err *e)
{
    void *rows = NULL;
    int rv = read_view(s, &variables, arena, &rows, n, e);

    *out = rows;
    return rv;
}

int ob_services_list(struct sql *s, struct arena *arena, struct ob_service **out, size_t *n, struct err *e)
{
    enum { NO_SUCH_TABLE = 1146 };
    void *rows = NULL;
    int rv = read_view(s, &services, arena, &rows, n, e);

    *out = rows;
    if (rv != ERR_SQL_FAILED.code || e->lib_code != NO_SUCH_TABLE)
        return rv;
    err_clear(e);
    *n = 0;
    return 0;
}

/* --- names of collations ------------------------------------------------------------------------------------------------------ */

/* The ids are those of MySQL, which OceanBase keeps. */
static const struct {
    int64_t id;
    const char *collation, *charset;
} collations[] = {
    { 8, "latin1_swedish_ci", "latin1" },      { 28, "gbk_chinese_ci", "gbk" },           { 45, "utf8mb4_general_ci", "utf8mb4" },
    { 46, "utf8mb4_bin", "utf8mb4" },          { 47, "latin1_bin", "latin1" },            { 54, "utf16_general_ci", "utf16" },
    { 55, "utf16_bin", "utf16" },              { 63, "binary", "binary" },                { 87, "gbk_bin", "gbk" },
    { 101, "utf16_unicode_ci", "utf16" },      { 224, "utf8mb4_unicode_ci", "utf8mb4" },  { 248, "gb18030_chinese_ci", "gb18030" },
    { 249, "gb18030_bin", "gb18030" },         { 255, "utf8mb4_0900_ai_ci", "utf8mb4" },  { 309, "utf8mb4_0900_bin", "utf8mb4" },
};

static int find_collation(const char *value)
{
    int64_t id;

    if (!num_parse_i64((struct slice){ value, strlen(value) }, &id))
        return -1;
    for (size_t i = 0; i < sizeof collations / sizeof collations[0]; i++)
        if (collations[i].id == id)
            return (int)i;
    return -1;
}

const char *ob_collation_name(const char *value)
{
    int i = find_collation(value);

    return i >= 0 ? collations[i].collation : value;
}

const char *ob_charset_name(const char *value)
{
    int i = find_collation(value);

    return i >= 0 ? collations[i].charset : value;
}

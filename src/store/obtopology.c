/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/obtopology.h"

#include <math.h>
#include <string.h>

#include "src/store/many.h"

/* --- what the rows are ------------------------------------------------------------------------------------------------------ */

/* The columns of each table in the order of its field table below, from which rows are read and written. */
#define ZONE_UPDATE "name, region, idc, inner_status, type, compaction, updated_at"
#define ZONE_COLUMNS "id, cluster_id, created_at, " ZONE_UPDATE
#define SERVER_UPDATE                                                                                                         \
    "zone, ip, port, sql_port, version, inner_status, with_rootserver, in_rs_list, start_at, stop_at, offline_at, cpu_total, cpu_max, "  \
    "cpu_assigned, cpu_assigned_max, memory_total, memory_assigned, log_disk_total, log_disk_assigned, log_disk_used, data_disk_total, " \
    "data_disk_used, updated_at"
#define SERVER_COLUMNS "id, cluster_id, created_at, " SERVER_UPDATE
#define TENANT_UPDATE                                                                                                         \
    "ob_tenant_id, name, mode, status, charset, collation, time_zone, primary_zone, locality, former_locality, role, switchover_status, " \
    "compatible, whitelist, service, readonly, locked, unit_num, lower_case_names, born_at, updated_at"
#define TENANT_COLUMNS "id, cluster_id, created_at, " TENANT_UPDATE
#define UNIT_UPDATE                                                                                                           \
    "ob_tenant_id, zone, ip, port, status, group_id, pool_id, pool_name, pool_unit_count, config_id, config_name, max_cpu, min_cpu, " \
    "memory, log_disk, max_iops, min_iops, iops_weight, migrate_from_ip, migrate_from_port, manual_migrate, log_disk_used, "        \
    "data_disk_used, updated_at"
#define UNIT_COLUMNS "id, cluster_id, created_at, ob_unit_id, " UNIT_UPDATE

static const struct sql_field zone_fields[] = {
    SQL_FIELD(obzone, id, "id", SQL_C_INT64),
    SQL_FIELD(obzone, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obzone, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(obzone, name, "name", SQL_C_TEXT),
    SQL_FIELD(obzone, region, "region", SQL_C_TEXT),
    SQL_FIELD(obzone, idc, "idc", SQL_C_TEXT),
    SQL_FIELD(obzone, inner_status, "inner_status", SQL_C_TEXT),
    SQL_FIELD(obzone, type, "type", SQL_C_TEXT),
    SQL_FIELD(obzone, compaction, "compaction", SQL_C_TEXT),
    SQL_FIELD(obzone, updated_us, "updated_at", SQL_C_TIME),
    { .column = NULL },
};

static const struct sql_field server_fields[] = {
    SQL_FIELD(observer, id, "id", SQL_C_INT64),
    SQL_FIELD(observer, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(observer, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(observer, zone, "zone", SQL_C_TEXT),
    SQL_FIELD(observer, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(observer, port, "port", SQL_C_INT64),
    SQL_FIELD(observer, sql_port, "sql_port", SQL_C_INT64),
    SQL_FIELD(observer, version, "version", SQL_C_TEXT),
    SQL_FIELD(observer, inner_status, "inner_status", SQL_C_TEXT),
    SQL_FIELD(observer, with_rootserver, "with_rootserver", SQL_C_INT),
    SQL_FIELD(observer, in_rs_list, "in_rs_list", SQL_C_INT),
    SQL_FIELD(observer, start_us, "start_at", SQL_C_TIME),
    SQL_FIELD(observer, stop_us, "stop_at", SQL_C_TIME),
    SQL_FIELD(observer, offline_us, "offline_at", SQL_C_TIME),
    SQL_FIELD(observer, cpu_total, "cpu_total", SQL_C_DOUBLE),
    SQL_FIELD(observer, cpu_max, "cpu_max", SQL_C_DOUBLE),
    SQL_FIELD(observer, cpu_assigned, "cpu_assigned", SQL_C_DOUBLE),
    SQL_FIELD(observer, cpu_assigned_max, "cpu_assigned_max", SQL_C_DOUBLE),
    SQL_FIELD(observer, memory_total, "memory_total", SQL_C_INT64),
    SQL_FIELD(observer, memory_assigned, "memory_assigned", SQL_C_INT64),
    SQL_FIELD(observer, log_disk_total, "log_disk_total", SQL_C_INT64),
    SQL_FIELD(observer, log_disk_assigned, "log_disk_assigned", SQL_C_INT64),
    SQL_FIELD(observer, log_disk_used, "log_disk_used", SQL_C_INT64),
    SQL_FIELD(observer, data_disk_total, "data_disk_total", SQL_C_INT64),
    SQL_FIELD(observer, data_disk_used, "data_disk_used", SQL_C_INT64),
    SQL_FIELD(observer, updated_us, "updated_at", SQL_C_TIME),
    { .column = NULL },
};

static const struct sql_field tenant_fields[] = {
    SQL_FIELD(obtenant, id, "id", SQL_C_INT64),
    SQL_FIELD(obtenant, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obtenant, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(obtenant, ob_tenant_id, "ob_tenant_id", SQL_C_INT64),
    SQL_FIELD(obtenant, name, "name", SQL_C_TEXT),
    SQL_FIELD(obtenant, mode, "mode", SQL_C_TEXT),
    SQL_FIELD(obtenant, status, "status", SQL_C_TEXT),
    SQL_FIELD(obtenant, charset, "charset", SQL_C_TEXT),
    SQL_FIELD(obtenant, collation, "collation", SQL_C_TEXT),
    SQL_FIELD(obtenant, time_zone, "time_zone", SQL_C_TEXT),
    SQL_FIELD(obtenant, primary_zone, "primary_zone", SQL_C_TEXT),
    SQL_FIELD(obtenant, locality, "locality", SQL_C_TEXT),
    SQL_FIELD(obtenant, former_locality, "former_locality", SQL_C_TEXT),
    SQL_FIELD(obtenant, role, "role", SQL_C_TEXT),
    SQL_FIELD(obtenant, switchover_status, "switchover_status", SQL_C_TEXT),
    SQL_FIELD(obtenant, compatible, "compatible", SQL_C_TEXT),
    SQL_FIELD(obtenant, whitelist, "whitelist", SQL_C_TEXT),
    SQL_FIELD(obtenant, service, "service", SQL_C_TEXT),
    SQL_FIELD(obtenant, readonly, "readonly", SQL_C_INT),
    SQL_FIELD(obtenant, locked, "locked", SQL_C_INT),
    SQL_FIELD(obtenant, unit_num, "unit_num", SQL_C_INT64),
    SQL_FIELD(obtenant, lower_case_names, "lower_case_names", SQL_C_INT64),
    SQL_FIELD(obtenant, born_us, "born_at", SQL_C_TIME),
    SQL_FIELD(obtenant, updated_us, "updated_at", SQL_C_TIME),
    /* read only, so after all that is written */
    SQL_FIELD(obtenant, cluster_name, "cluster_name", SQL_C_TEXT),
    SQL_FIELD(obtenant, state, "state", SQL_C_TEXT),
    SQL_FIELD(obtenant, description, "description", SQL_C_TEXT),
    { .column = NULL },
};

static const struct sql_field unit_fields[] = {
    SQL_FIELD(obunit, id, "id", SQL_C_INT64),
    SQL_FIELD(obunit, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obunit, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(obunit, ob_unit_id, "ob_unit_id", SQL_C_INT64),
    SQL_FIELD(obunit, ob_tenant_id, "ob_tenant_id", SQL_C_INT64),
    SQL_FIELD(obunit, zone, "zone", SQL_C_TEXT),
    SQL_FIELD(obunit, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(obunit, port, "port", SQL_C_INT64),
    SQL_FIELD(obunit, status, "status", SQL_C_TEXT),
    SQL_FIELD(obunit, group_id, "group_id", SQL_C_INT64),
    SQL_FIELD(obunit, pool_id, "pool_id", SQL_C_INT64),
    SQL_FIELD(obunit, pool_name, "pool_name", SQL_C_TEXT),
    SQL_FIELD(obunit, pool_unit_count, "pool_unit_count", SQL_C_INT64),
    SQL_FIELD(obunit, config_id, "config_id", SQL_C_INT64),
    SQL_FIELD(obunit, config_name, "config_name", SQL_C_TEXT),
    SQL_FIELD(obunit, max_cpu, "max_cpu", SQL_C_DOUBLE),
    SQL_FIELD(obunit, min_cpu, "min_cpu", SQL_C_DOUBLE),
    SQL_FIELD(obunit, memory, "memory", SQL_C_INT64),
    SQL_FIELD(obunit, log_disk, "log_disk", SQL_C_INT64),
    SQL_FIELD(obunit, max_iops, "max_iops", SQL_C_INT64),
    SQL_FIELD(obunit, min_iops, "min_iops", SQL_C_INT64),
    SQL_FIELD(obunit, iops_weight, "iops_weight", SQL_C_INT64),
    SQL_FIELD(obunit, migrate_from_ip, "migrate_from_ip", SQL_C_TEXT),
    SQL_FIELD(obunit, migrate_from_port, "migrate_from_port", SQL_C_INT64),
    SQL_FIELD(obunit, manual_migrate, "manual_migrate", SQL_C_INT),
    SQL_FIELD(obunit, log_disk_used, "log_disk_used", SQL_C_INT64),
    SQL_FIELD(obunit, data_disk_used, "data_disk_used", SQL_C_INT64),
    SQL_FIELD(obunit, updated_us, "updated_at", SQL_C_TIME),
    { .column = NULL },
};

enum { N_ZONE = 10, N_SERVER = 26, N_TENANT = 24, N_UNIT = 28 };

static const struct observer initial_server = {
    .start_us = FIELD_NONE,
    .stop_us = FIELD_NONE,
    .offline_us = FIELD_NONE,
    .cpu_total = NAN,
    .cpu_max = NAN,
    .cpu_assigned = NAN,
    .cpu_assigned_max = NAN,
    .memory_total = FIELD_NONE,
    .memory_assigned = FIELD_NONE,
    .log_disk_total = FIELD_NONE,
    .log_disk_assigned = FIELD_NONE,
    .log_disk_used = FIELD_NONE,
    .data_disk_total = FIELD_NONE,
    .data_disk_used = FIELD_NONE,
};
static const struct obtenant initial_tenant = {
    .unit_num = FIELD_NONE, .lower_case_names = FIELD_NONE, .born_us = FIELD_NONE, .description = "",
};
static const struct obunit initial_unit = {
    .ob_tenant_id = FIELD_NONE,
    .group_id = FIELD_NONE,
    .pool_id = FIELD_NONE,
    .pool_unit_count = FIELD_NONE,
    .config_id = FIELD_NONE,
    .max_cpu = NAN,
    .min_cpu = NAN,
    .memory = FIELD_NONE,
    .log_disk = FIELD_NONE,
    .max_iops = FIELD_NONE,
    .min_iops = FIELD_NONE,
    .iops_weight = FIELD_NONE,
    .migrate_from_port = FIELD_NONE,
    .log_disk_used = FIELD_NONE,
    .data_disk_used = FIELD_NONE,
};

/* What OCP calls the kernel's words. */
#define TENANT_STATE                                                                                             \
    "CASE WHEN t.status = 'NORMAL' AND t.former_locality <> '' THEN 'MODIFYING' WHEN t.status = 'NORMAL' THEN 'NORMAL' " \
    "WHEN t.status LIKE 'DROP%' THEN 'DELETING' ELSE 'CREATING' END"

static const struct list_sort by_id[] = { { "id", "id" }, { NULL, NULL } };
static const struct list_sort tenant_sorts[] = {
    { "id", "t.id" },         { "name", "t.name" },     { "clusterName", "c.name" },
    { "mode", "t.mode" },     { "status", TENANT_STATE }, { "createTime", "t.created_at" },
    { NULL, NULL },
};

#define TENANT_READ                                                                                                              \
    "t.id, t.cluster_id, c.name AS cluster_name, t.created_at, t.ob_tenant_id, t.name, t.mode, t.status, t.charset, t.collation, "  \
    "t.time_zone, t.primary_zone, t.locality, t.former_locality, t.role, t.switchover_status, t.compatible, t.whitelist, t.service, t.readonly, " \
    "t.locked, t.unit_num, t.lower_case_names, t.born_at, t.updated_at, " TENANT_STATE " AS state, k.description"

static const struct list_kind zone_kind = {
    "zone", ZONE_COLUMNS, "obzone", NULL, by_id, "id", zone_fields, sizeof(struct obzone), NULL,
};
static const struct list_kind server_kind = {
    "server", SERVER_COLUMNS, "observer", NULL, by_id, "id", server_fields, sizeof(struct observer), &initial_server,
};
static const struct list_kind tenant_kind = {
    .noun = "tenant",
    .columns = TENANT_READ,
    .from = "obtenant t JOIN obcluster c ON c.id = t.cluster_id LEFT JOIN obtenant_kept k ON k.id = t.id",
    .sorts = tenant_sorts,
    .key = "t.id",
    .fields = tenant_fields,
    .size = sizeof(struct obtenant),
    .init = &initial_tenant,
};
static const struct list_kind unit_kind = {
    "unit", UNIT_COLUMNS, "obunit", NULL, by_id, "id", unit_fields, sizeof(struct obunit), &initial_unit,
};

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

/* Of these clusters; ids == NULL: of all. Ids are numbers, so they may stand in the text, as many as there are. */
static int read_kind(struct db *d, const struct list_kind *kind, const char *column, const int64_t *ids, size_t n, struct arena *arena,
                     void **out, size_t *n_out, struct err *e)
{
    static const struct store_page oldest_first = { .sort = "id" };
    struct filter f;

    filter_init(&f, arena);
    for (size_t i = 0; ids != NULL && i < n; i++)
        str_printf(&f.text, "%s%lld", i == 0 ? "" : ",", (long long)ids[i]);
    if (ids != NULL && f.text.n > 0) {
        const char *list = f.text.s;

        str_init(&f.text, arena);
        str_printf(&f.text, " AND %s IN (%s)", column, list);
    }
    return list_read(d, kind, &f, &oldest_first, arena, out, n_out, NULL, e);
}

int store_obtopology_read_some(struct db *d, const int64_t *cluster_ids, size_t n, struct arena *arena, struct obtopology *out, struct err *e)
{
    void *zones, *servers, *tenants, *units;
    int rv;

    *out = (struct obtopology){ .zones = NULL };
    if (cluster_ids != NULL && n == 0)
        return 0;
    rv = read_kind(d, &zone_kind, "cluster_id", cluster_ids, n, arena, &zones, &out->n_zones, e);
    if (rv != 0)
        return rv;
    rv = read_kind(d, &server_kind, "cluster_id", cluster_ids, n, arena, &servers, &out->n_servers, e);
    if (rv != 0)
        return rv;
    rv = read_kind(d, &tenant_kind, "t.cluster_id", cluster_ids, n, arena, &tenants, &out->n_tenants, e);
    if (rv != 0)
        return rv;
    rv = read_kind(d, &unit_kind, "cluster_id", cluster_ids, n, arena, &units, &out->n_units, e);
    if (rv != 0)
        return rv;
    out->zones = zones;
    out->servers = servers;
    out->tenants = tenants;
    out->units = units;
    return 0;
}

int store_obtopology_read(struct db *d, int64_t cluster_id, struct arena *arena, struct obtopology *out, struct err *e)
{
    return store_obtopology_read_some(d, cluster_id != -1 ? &cluster_id : NULL, 1, arena, out, e);
}

int store_obzone_places(struct db *d, struct arena *arena, struct obzone_place **out, size_t *n, struct err *e)
{
    static const struct sql_field place_fields[] = {
        SQL_FIELD(obzone_place, cluster_id, "cluster_id", SQL_C_INT64),
        SQL_FIELD(obzone_place, idc, "idc", SQL_C_TEXT),
        SQL_FIELD(obzone_place, n_zones, "n_zones", SQL_C_INT64),
        { NULL },
    };

    return db_list(d, "SELECT cluster_id, idc, COUNT(*) AS n_zones FROM obzone GROUP BY cluster_id, idc ORDER BY cluster_id", DB_NO_ARGS,
                   place_fields, sizeof **out, arena, (void **)out, n, e);
}

static const struct scope_column tenant_scope[] = {
    { .kind = "CLUSTER", .column = "t.cluster_id" },
    { .kind = "TENANT", .column = "t.cluster_id", .sub_column = "t.id" },
    { NULL },
};

int store_obtenant_list(struct db *d, const struct obtenant_filter *f, const struct store_page *page, struct arena *arena,
                        struct obtenant **out, size_t *n, int64_t *total, struct err *e)
{
    static const char *const named[] = { "t.name", NULL };
    struct filter conditions;
    void *items;
    int rv;

    filter_init(&conditions, arena);
    if (f != NULL) {
        filter_i64(&conditions, "t.cluster_id = ?", f->cluster_id);
        filter_contains(&conditions, named, f->name);
        filter_strings(&conditions, "t.mode IN", f->modes);
        filter_strings(&conditions, TENANT_STATE " IN", f->states);
        filter_bool(&conditions, "t.locked = ?", f->locked);
        filter_bool(&conditions, "t.readonly = ?", f->readonly);
        filter_scope(&conditions, f->scope, tenant_scope);
    }
    rv = list_read(d, &tenant_kind, &conditions, page, arena, &items, n, total, e);
    *out = rv == 0 ? items : NULL;
    return rv;
}

int store_obtenant_get(struct db *d, int64_t cluster_id, int64_t id, struct arena *arena, struct obtenant *out, struct err *e)
{
    int rv = list_get(d, &tenant_kind, "t.id = ?", SQL_V_I(id), arena, out, e);

    if (rv != 0 || out->cluster_id == cluster_id)
        return rv;
    (void)err_set(e, &ERR_NOT_FOUND, "tenant");
    return err_arg(e, "%lld", (long long)id);
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

/* Rows of one kind: where they go, their structs, and which member says that they changed. */
struct row_kind {
    struct many_kind many;
    const struct sql_field *fields; /* the first many.n_columns, in their order */
    size_t size, changed;
};

static const struct row_kind zone_rows = {
    { "obzone", ZONE_COLUMNS, N_ZONE, ZONE_UPDATE }, zone_fields, sizeof(struct obzone), offsetof(struct obzone, changed),
};
static const struct row_kind server_rows = {
    { "observer", SERVER_COLUMNS, N_SERVER, SERVER_UPDATE }, server_fields, sizeof(struct observer), offsetof(struct observer, changed),
};
static const struct row_kind tenant_rows = {
    { "obtenant", TENANT_COLUMNS, N_TENANT, TENANT_UPDATE }, tenant_fields, sizeof(struct obtenant), offsetof(struct obtenant, changed),
};
static const struct row_kind unit_rows = {
    { "obunit", UNIT_COLUMNS, N_UNIT, UNIT_UPDATE }, unit_fields, sizeof(struct obunit), offsetof(struct obunit, changed),
};

/* What stands at `at`, as a value; what the struct has for "unknown" is NULL. */
static struct sql_value value_at(enum sql_type type, const void *at)
{
    const char *text;
    int64_t number;
    double real;
    int small;

    switch (type) {
    case SQL_C_INT64:
    case SQL_C_TIME:
        memcpy(&number, at, sizeof number);
        return number == FIELD_NONE ? SQL_V_NULL : type == SQL_C_TIME ? SQL_V_TIME(number) : SQL_V_I(number);
    case SQL_C_DOUBLE:
        memcpy(&real, at, sizeof real);
        return isnan(real) ? SQL_V_NULL : SQL_V_D(real);
    case SQL_C_INT:
        memcpy(&small, at, sizeof small);
        return SQL_V_I(small);
    default:
        memcpy(&text, at, sizeof text);
        return sql_v_s(text);
    }
}

static int write_kind(struct tx *tx, const struct row_kind *kind, const void *rows, size_t n, struct arena *arena, struct err *e)
{
    struct sql_value *values = arena_array(arena, n + 1, kind->many.n_columns * sizeof *values), *next = values;
    size_t n_changed = 0;

    if (values == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)rows + i * kind->size;

        if (!*(const bool *)(row + kind->changed))
            continue;
        n_changed++;
        for (unsigned c = 0; c < kind->many.n_columns; c++)
            *next++ = value_at(kind->fields[c].type, row + kind->fields[c].offset);
    }
    return n_changed > 0 ? many_write(tx, &kind->many, values, n_changed, arena, e) : 0;
}

static int drop_gone(struct tx *tx, int64_t cluster_id, const struct obtopology_gone *g, struct arena *arena, struct err *e)
{
    int rv = many_drop(tx, "obzone", "cluster_id", cluster_id, g->zones, g->n_zones, arena, e);

    if (rv == 0)
        rv = many_drop(tx, "observer", "cluster_id", cluster_id, g->servers, g->n_servers, arena, e);
    if (rv == 0)
        rv = many_drop(tx, "obtenant", "cluster_id", cluster_id, g->tenants, g->n_tenants, arena, e);
    if (rv == 0)
        rv = many_drop(tx, "obtenant_kept", "cluster_id", cluster_id, g->tenants, g->n_tenants, arena, e);
    if (rv == 0)
        rv = many_drop(tx, "obunit", "cluster_id", cluster_id, g->units, g->n_units, arena, e);
    return rv;
}

int store_obtopology_write(struct tx *tx, int64_t cluster_id, const struct obtopology *seen, const struct obtopology_gone *gone, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = gone != NULL ? drop_gone(tx, cluster_id, gone, &arena, e) : 0;
    if (rv == 0)
        rv = write_kind(tx, &zone_rows, seen->zones, seen->n_zones, &arena, e);
    if (rv == 0)
        rv = write_kind(tx, &server_rows, seen->servers, seen->n_servers, &arena, e);
    if (rv == 0)
        rv = write_kind(tx, &tenant_rows, seen->tenants, seen->n_tenants, &arena, e);
    if (rv == 0)
        rv = write_kind(tx, &unit_rows, seen->units, seen->n_units, &arena, e);
    arena_fini(&arena);
    return rv;
}

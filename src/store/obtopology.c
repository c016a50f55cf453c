/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/obtopology.h"

#include <math.h>
#include <string.h>

#include "src/store/many.h"

/* --- what the rows are ------------------------------------------------------------------------------------------------------ */

#define ZONE_COLUMNS "id, cluster_id, name, region, idc, inner_status, created_at, updated_at"
#define ZONE_UPDATE "name, region, idc, inner_status, updated_at"
#define SERVER_COLUMNS                                                                                                        \
    "id, cluster_id, zone, ip, port, sql_port, version, inner_status, with_rootserver, start_at, stop_at, cpu_total, "      \
    "cpu_assigned, memory_total, memory_assigned, log_disk_total, log_disk_assigned, log_disk_used, data_disk_total, "     \
    "data_disk_used, created_at, updated_at"
#define SERVER_UPDATE                                                                                                         \
    "zone, ip, port, sql_port, version, inner_status, with_rootserver, start_at, stop_at, cpu_total, cpu_assigned, "        \
    "memory_total, memory_assigned, log_disk_total, log_disk_assigned, log_disk_used, data_disk_total, data_disk_used, " \
    "updated_at"
#define TENANT_COLUMNS                                                                                                        \
    "id, cluster_id, ob_tenant_id, name, mode, status, charset, collation, time_zone, primary_zone, locality, readonly, " \
    "locked, born_at, created_at, updated_at"
#define TENANT_UPDATE                                                                                                         \
    "ob_tenant_id, name, mode, status, charset, collation, time_zone, primary_zone, locality, readonly, locked, born_at, " \
    "updated_at"

enum { N_ZONE = 8, N_SERVER = 22, N_TENANT = 16 };

static const struct sql_field zone_fields[] = {
    SQL_FIELD(obzone, id, "id", SQL_C_INT64),
    SQL_FIELD(obzone, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obzone, name, "name", SQL_C_TEXT),
    SQL_FIELD(obzone, region, "region", SQL_C_TEXT),
    SQL_FIELD(obzone, idc, "idc", SQL_C_TEXT),
    SQL_FIELD(obzone, inner_status, "inner_status", SQL_C_TEXT),
    SQL_FIELD(obzone, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(obzone, updated_us, "updated_at", SQL_C_TIME),
    { .column = NULL },
};

static const struct sql_field server_fields[] = {
    SQL_FIELD(observer, id, "id", SQL_C_INT64),
    SQL_FIELD(observer, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(observer, zone, "zone", SQL_C_TEXT),
    SQL_FIELD(observer, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(observer, port, "port", SQL_C_INT64),
    SQL_FIELD(observer, sql_port, "sql_port", SQL_C_INT64),
    SQL_FIELD(observer, version, "version", SQL_C_TEXT),
    SQL_FIELD(observer, inner_status, "inner_status", SQL_C_TEXT),
    SQL_FIELD(observer, with_rootserver, "with_rootserver", SQL_C_INT),
    SQL_FIELD(observer, start_us, "start_at", SQL_C_TIME),
    SQL_FIELD(observer, stop_us, "stop_at", SQL_C_TIME),
    SQL_FIELD(observer, cpu_total, "cpu_total", SQL_C_DOUBLE),
    SQL_FIELD(observer, cpu_assigned, "cpu_assigned", SQL_C_DOUBLE),
    SQL_FIELD(observer, memory_total, "memory_total", SQL_C_INT64),
    SQL_FIELD(observer, memory_assigned, "memory_assigned", SQL_C_INT64),
    SQL_FIELD(observer, log_disk_total, "log_disk_total", SQL_C_INT64),
    SQL_FIELD(observer, log_disk_assigned, "log_disk_assigned", SQL_C_INT64),
    SQL_FIELD(observer, log_disk_used, "log_disk_used", SQL_C_INT64),
    SQL_FIELD(observer, data_disk_total, "data_disk_total", SQL_C_INT64),
    SQL_FIELD(observer, data_disk_used, "data_disk_used", SQL_C_INT64),
    SQL_FIELD(observer, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(observer, updated_us, "updated_at", SQL_C_TIME),
    { .column = NULL },
};

static const struct sql_field tenant_fields[] = {
    SQL_FIELD(obtenant, id, "id", SQL_C_INT64),
    SQL_FIELD(obtenant, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obtenant, cluster_name, "cluster_name", SQL_C_TEXT),
    SQL_FIELD(obtenant, ob_tenant_id, "ob_tenant_id", SQL_C_INT64),
    SQL_FIELD(obtenant, name, "name", SQL_C_TEXT),
    SQL_FIELD(obtenant, mode, "mode", SQL_C_TEXT),
    SQL_FIELD(obtenant, status, "status", SQL_C_TEXT),
    SQL_FIELD(obtenant, charset, "charset", SQL_C_TEXT),
    SQL_FIELD(obtenant, collation, "collation", SQL_C_TEXT),
    SQL_FIELD(obtenant, time_zone, "time_zone", SQL_C_TEXT),
    SQL_FIELD(obtenant, primary_zone, "primary_zone", SQL_C_TEXT),
    SQL_FIELD(obtenant, locality, "locality", SQL_C_TEXT),
    SQL_FIELD(obtenant, readonly, "readonly", SQL_C_INT),
    SQL_FIELD(obtenant, locked, "locked", SQL_C_INT),
    SQL_FIELD(obtenant, born_us, "born_at", SQL_C_TIME),
    SQL_FIELD(obtenant, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(obtenant, updated_us, "updated_at", SQL_C_TIME),
    { .column = NULL },
};

static const struct observer initial_server = {
    .start_us = FIELD_NONE,
    .stop_us = FIELD_NONE,
    .cpu_total = NAN,
    .cpu_assigned = NAN,
    .memory_total = FIELD_NONE,
    .memory_assigned = FIELD_NONE,
    .log_disk_total = FIELD_NONE,
    .log_disk_assigned = FIELD_NONE,
    .log_disk_used = FIELD_NONE,
    .data_disk_total = FIELD_NONE,
    .data_disk_used = FIELD_NONE,
};
static const struct obtenant initial_tenant = { .born_us = FIELD_NONE };

static const struct list_sort by_id[] = { { "id", "id" }, { NULL, NULL } };
static const struct list_sort tenant_sorts[] = {
    { "id", "t.id" },         { "name", "t.name" },     { "clusterName", "c.name" },
    { "mode", "t.mode" },     { "status", "t.status" }, { "createTime", "t.created_at" },
    { NULL, NULL },
};

#define TENANT_READ                                                                                                              \
    "t.id, t.cluster_id, c.name AS cluster_name, t.ob_tenant_id, t.name, t.mode, t.status, t.charset, t.collation, t.time_zone, " \
    "t.primary_zone, t.locality, t.readonly, t.locked, t.born_at, t.created_at, t.updated_at"

static const struct list_kind zone_kind = {
    "zone", ZONE_COLUMNS, "obzone", NULL, by_id, "id", zone_fields, sizeof(struct obzone), NULL,
};
static const struct list_kind server_kind = {
    "server", SERVER_COLUMNS, "observer", NULL, by_id, "id", server_fields, sizeof(struct observer), &initial_server,
};
static const struct list_kind tenant_kind = {
    .noun = "tenant",
    .columns = TENANT_READ,
    .from = "obtenant t JOIN obcluster c ON c.id = t.cluster_id",
    .sorts = tenant_sorts,
    .key = "t.id",
    .fields = tenant_fields,
    .size = sizeof(struct obtenant),
    .init = &initial_tenant,
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
    void *zones, *servers, *tenants;
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
    out->zones = zones;
    out->servers = servers;
    out->tenants = tenants;
    return 0;
}

int store_obtopology_read(struct db *d, int64_t cluster_id, struct arena *arena, struct obtopology *out, struct err *e)
{
    return store_obtopology_read_some(d, cluster_id != -1 ? &cluster_id : NULL, 1, arena, out, e);
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
        filter_strings(&conditions, "t.status IN", f->statuses);
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

static const struct many_kind zone_rows = { "obzone", ZONE_COLUMNS, N_ZONE, ZONE_UPDATE };
static const struct many_kind server_rows = { "observer", SERVER_COLUMNS, N_SERVER, SERVER_UPDATE };
static const struct many_kind tenant_rows = { "obtenant", TENANT_COLUMNS, N_TENANT, TENANT_UPDATE };

static struct sql_value number(int64_t v)
{
    return v == FIELD_NONE ? SQL_V_NULL : SQL_V_I(v);
}

static struct sql_value real(double v)
{
    return isnan(v) ? SQL_V_NULL : SQL_V_D(v);
}

static struct sql_value at(int64_t us)
{
    return us == FIELD_NONE ? SQL_V_NULL : SQL_V_TIME(us);
}

static void put_zone(struct sql_value *v, const void *row)
{
    const struct obzone *z = row;
    const struct sql_value values[N_ZONE] = {
        SQL_V_I(z->id),    SQL_V_I(z->cluster_id),    sql_v_s(z->name),          sql_v_s(z->region),
        sql_v_s(z->idc),   sql_v_s(z->inner_status),  SQL_V_TIME(z->created_us), SQL_V_TIME(z->updated_us),
    };

    memcpy(v, values, sizeof values);
}

static void put_server(struct sql_value *v, const void *row)
{
    const struct observer *s = row;
    const struct sql_value values[N_SERVER] = {
        SQL_V_I(s->id),
        SQL_V_I(s->cluster_id),
        sql_v_s(s->zone),
        sql_v_s(s->ip),
        SQL_V_I(s->port),
        SQL_V_I(s->sql_port),
        sql_v_s(s->version),
        sql_v_s(s->inner_status),
        SQL_V_I(s->with_rootserver),
        at(s->start_us),
        at(s->stop_us),
        real(s->cpu_total),
        real(s->cpu_assigned),
        number(s->memory_total),
        number(s->memory_assigned),
        number(s->log_disk_total),
        number(s->log_disk_assigned),
        number(s->log_disk_used),
        number(s->data_disk_total),
        number(s->data_disk_used),
        SQL_V_TIME(s->created_us),
        SQL_V_TIME(s->updated_us),
    };

    memcpy(v, values, sizeof values);
}

static void put_tenant(struct sql_value *v, const void *row)
{
    const struct obtenant *t = row;
    const struct sql_value values[N_TENANT] = {
        SQL_V_I(t->id),
        SQL_V_I(t->cluster_id),
        SQL_V_I(t->ob_tenant_id),
        sql_v_s(t->name),
        sql_v_s(t->mode),
        sql_v_s(t->status),
        sql_v_s(t->charset),
        sql_v_s(t->collation),
        sql_v_s(t->time_zone),
        sql_v_s(t->primary_zone),
        sql_v_s(t->locality),
        SQL_V_I(t->readonly),
        SQL_V_I(t->locked),
        at(t->born_us),
        SQL_V_TIME(t->created_us),
        SQL_V_TIME(t->updated_us),
    };

    memcpy(v, values, sizeof values);
}

/* Rows of one kind; each struct begins with its id. */
static int write_kind(struct tx *tx, int64_t cluster_id, const struct many_kind *kind, const void *rows, size_t n, size_t size,
                      void (*put)(struct sql_value *v, const void *row), struct arena *arena, struct err *e)
{
    struct sql_value *values = arena_array(arena, n + 1, kind->n_columns * sizeof *values);
    int64_t *ids = arena_array(arena, n + 1, sizeof *ids);
    int rv;

    if (values == NULL || ids == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)rows + i * size;

        memcpy(&ids[i], row, sizeof ids[i]);
        put(values + i * kind->n_columns, row);
    }
    rv = many_keep(tx, kind->table, "cluster_id", cluster_id, ids, n, arena, e);
    return rv == 0 && n > 0 ? many_write(tx, kind, values, n, arena, e) : rv;
}

_Static_assert(offsetof(struct obzone, id) == 0 && offsetof(struct observer, id) == 0 && offsetof(struct obtenant, id) == 0,
               "write_kind reads ids from the start of the rows");

int store_obtopology_write(struct tx *tx, int64_t cluster_id, const struct obtopology *seen, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = write_kind(tx, cluster_id, &zone_rows, seen->zones, seen->n_zones, sizeof *seen->zones, put_zone, &arena, e);
    if (rv == 0)
        rv = write_kind(tx, cluster_id, &server_rows, seen->servers, seen->n_servers, sizeof *seen->servers, put_server, &arena, e);
    if (rv == 0)
        rv = write_kind(tx, cluster_id, &tenant_rows, seen->tenants, seen->n_tenants, sizeof *seen->tenants, put_tenant, &arena, e);
    arena_fini(&arena);
    return rv;
}

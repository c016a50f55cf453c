/* SPDX-License-Identifier: Apache-2.0 */
/* The row "configurl" of store_sequence is the version. It is locked after the record, so reports that bring nothing new wait for nobody. */
#include "src/store/configurl.h"

#include <string.h>

#include "src/store/filter.h"

#define COLUMNS "name, ob_cluster_id, type, stamp_us, servers, reporter, updated_at"

static const struct sql_field fields[] = {
    SQL_FIELD(config_record, name, "name", SQL_C_TEXT),
    SQL_FIELD(config_record, ob_cluster_id, "ob_cluster_id", SQL_C_INT64),
    SQL_FIELD(config_record, type, "type", SQL_C_TEXT),
    SQL_FIELD(config_record, stamp_us, "stamp_us", SQL_C_INT64),
    SQL_FIELD(config_record, servers, "servers", SQL_C_TEXT),
    SQL_FIELD(config_record, reporter, "reporter", SQL_C_TEXT),
    SQL_FIELD(config_record, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};

int store_config_version(struct db *d, int64_t *version, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_read(d, "SELECT next_id FROM store_sequence WHERE name = 'configurl'", DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, version)))
        rv = err_set(e, &ERR_UNEXPECTED, "the row 'configurl' of store_sequence is missing");
    arena_fini(&arena);
    return rv;
}

int store_config_list(struct db *d, struct arena *arena, struct config_record **out, size_t *n, struct err *e)
{
    return db_list(d, "SELECT " COLUMNS " FROM config_record ORDER BY name, ob_cluster_id", DB_NO_ARGS, fields, sizeof **out, arena,
                   (void **)out, n, e);
}

/* --- changes ------------------------------------------------------------------------------------------------------------------- */

struct change_of {
    const struct config_record *r;
    int64_t max;
    enum config_outcome outcome;
    uint64_t n;
};

static int draw_version(struct tx *tx, struct err *e)
{
    return tx_exec(tx, "UPDATE store_sequence SET next_id = next_id + 1 WHERE name = 'configurl'", DB_NO_ARGS, NULL, e);
}

/* *found: the record is there, and locked. */
static int lock_record(struct tx *tx, const struct config_record *r, struct arena *arena, struct config_record *out, bool *found, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT " COLUMNS " FROM config_record WHERE name = ? AND ob_cluster_id = ? FOR UPDATE",
                    DB_ARGS(sql_v_s(r->name), SQL_V_I(r->ob_cluster_id)), arena, &rows, e);

    *found = rv == 0 && rows.n_rows == 1;
    memset(out, 0, sizeof *out);
    return *found ? sql_fetch(&rows, fields, sizeof *out, out, e) : rv;
}

static int is_full(struct tx *tx, int64_t max, bool *full, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int64_t n = 0;
    int rv;

    arena_init(&arena);
    rv = tx_run(tx, "SELECT COUNT(*) FROM config_record", DB_NO_ARGS, &arena, &rows, e);
    *full = rv == 0 && rows.n_rows == 1 && sql_i64(&rows, 0, 0, &n) && n >= max;
    arena_fini(&arena);
    return rv;
}

/* *there: somebody else has made it meanwhile. */
static int insert_record(struct tx *tx, struct change_of *c, bool *there, struct err *e)
{
    const struct config_record *r = c->r;
    bool full;
    int rv = is_full(tx, c->max, &full, e);

    *there = false;
    if (rv != 0)
        return rv;
    c->outcome = full ? CONFIG_FULL : CONFIG_CHANGED;
    if (full)
        return 0;
    rv = tx_exec(tx, "INSERT INTO config_record (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)",
                 DB_ARGS(sql_v_s(r->name), SQL_V_I(r->ob_cluster_id), sql_v_s(r->type), SQL_V_I(r->stamp_us), sql_v_s(r->servers),
                         sql_v_s(r->reporter), SQL_V_TIME(r->updated_us)),
                 NULL, e);
    *there = rv == ERR_SQL_DUPLICATE.code;
    if (*there)
        err_clear(e);
    return *there ? 0 : rv == 0 ? draw_version(tx, e) : rv;
}

static bool same_content(const struct config_record *a, const struct config_record *b)
{
    return strcmp(a->type, b->type) == 0 && strcmp(a->servers, b->servers) == 0;
}

static int update_record(struct tx *tx, struct change_of *c, const struct config_record *former, struct err *e)
{
    const struct config_record *r = c->r;
    int rv;

    c->outcome = r->stamp_us < former->stamp_us ? CONFIG_OLDER : same_content(r, former) ? CONFIG_SAME : CONFIG_CHANGED;
    if (c->outcome == CONFIG_OLDER || (c->outcome == CONFIG_SAME && r->stamp_us == former->stamp_us))
        return 0;
    rv = tx_exec(tx, "UPDATE config_record SET type = ?, stamp_us = ?, servers = ?, reporter = ?, updated_at = ? WHERE name = ? AND ob_cluster_id = ?",
                 DB_ARGS(sql_v_s(r->type), SQL_V_I(r->stamp_us), sql_v_s(r->servers), sql_v_s(r->reporter), SQL_V_TIME(r->updated_us),
                         sql_v_s(r->name), SQL_V_I(r->ob_cluster_id)),
                 NULL, e);
    return rv == 0 && c->outcome == CONFIG_CHANGED ? draw_version(tx, e) : rv;
}

static int report_in(struct tx *tx, void *data, struct err *e)
{
    struct change_of *c = data;
    struct config_record former;
    struct arena arena;
    bool there = true;
    int rv;

    arena_init(&arena);
    rv = lock_record(tx, c->r, &arena, &former, &there, e);
    if (rv == 0 && !there) {
        rv = insert_record(tx, c, &there, e);
        if (rv == 0 && there)
            rv = lock_record(tx, c->r, &arena, &former, &there, e);
    }
    if (rv == 0 && there)
        rv = update_record(tx, c, &former, e);
    arena_fini(&arena);
    return rv;
}

int store_config_report(struct db *d, const struct config_record *r, int64_t max, enum config_outcome *out, struct err *e)
{
    struct change_of c = { .r = r, .max = max };
    int rv = db_transact(d, report_in, &c, e);

    *out = c.outcome;
    return rv;
}

static int register_in(struct tx *tx, void *data, struct err *e)
{
    struct change_of *c = data;
    bool there;
    int rv = insert_record(tx, c, &there, e);

    if (there)
        c->outcome = CONFIG_EXISTS;
    return rv;
}

int store_config_register(struct db *d, const struct config_record *r, int64_t max, enum config_outcome *out, struct err *e)
{
    struct change_of c = { .r = r, .max = max };
    int rv = db_transact(d, register_in, &c, e);

    *out = c.outcome;
    return rv;
}

static int delete_in(struct tx *tx, void *data, struct err *e)
{
    struct change_of *c = data;
    int rv = c->r->ob_cluster_id < 0
                 ? tx_exec(tx, "DELETE FROM config_record WHERE name = ?", DB_ARGS(sql_v_s(c->r->name)), &c->n, e)
                 : tx_exec(tx, "DELETE FROM config_record WHERE name = ? AND ob_cluster_id = ?",
                           DB_ARGS(sql_v_s(c->r->name), SQL_V_I(c->r->ob_cluster_id)), &c->n, e);

    return rv == 0 && c->n > 0 ? draw_version(tx, e) : rv;
}

int store_config_delete(struct db *d, const char *name, int64_t ob_cluster_id, uint64_t *n, struct err *e)
{
    struct config_record r = { .name = name, .ob_cluster_id = ob_cluster_id };
    struct change_of c = { .r = &r };
    int rv = db_transact(d, delete_in, &c, e);

    *n = c.n;
    return rv;
}

/* --- what is known of managed clusters ------------------------------------------------------------------------------------------- */

static const struct sql_field server_fields[] = {
    SQL_FIELD(config_server, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(config_server, port, "port", SQL_C_INT64),
    SQL_FIELD(config_server, sql_port, "sql_port", SQL_C_INT64),
    SQL_FIELD(config_server, in_rs_list, "in_rs_list", SQL_C_BOOL),
    SQL_FIELD(config_server, with_rootserver, "with_rootserver", SQL_C_BOOL),
    { NULL },
};

/* A cluster without servers is one row with nothing but NULLs. */
int store_config_servers(struct db *d, const char *name, struct arena *arena, bool *managed, struct config_server **out, size_t *n,
                         struct err *e)
{
    int rv = db_list(d,
                     "SELECT s.ip, s.port, s.sql_port, s.in_rs_list, s.with_rootserver FROM obcluster c "
                     "LEFT JOIN observer s ON s.cluster_id = c.id WHERE c.name = ?",
                     DB_ARGS(sql_v_s(name)), server_fields, sizeof **out, arena, (void **)out, n, e);

    *managed = rv == 0 && *n > 0;
    if (rv == 0 && *n == 1 && (*out)->ip == NULL)
        *n = 0;
    return rv;
}

static const struct sql_field idc_fields[] = {
    SQL_FIELD(config_idc, idc, "idc", SQL_C_TEXT),
    SQL_FIELD(config_idc, region, "region", SQL_C_TEXT),
    { NULL },
};

int store_config_idcs(struct db *d, const char *name, struct arena *arena, struct config_idc **out, size_t *n, struct err *e)
{
    return db_list(d,
                   "SELECT DISTINCT z.idc, z.region FROM obzone z JOIN obcluster c ON c.id = z.cluster_id "
                   "WHERE c.name = ? AND z.idc <> '' ORDER BY z.idc, z.region",
                   DB_ARGS(sql_v_s(name)), idc_fields, sizeof **out, arena, (void **)out, n, e);
}

static const struct sql_field tenant_fields[] = {
    SQL_FIELD(config_tenant, cluster, "cluster", SQL_C_TEXT),
    SQL_FIELD(config_tenant, ob_cluster_id, "ob_cluster_id", SQL_C_INT64),
    SQL_FIELD(config_tenant, name, "name", SQL_C_TEXT),
    SQL_FIELD(config_tenant, ob_tenant_id, "ob_tenant_id", SQL_C_INT64),
    SQL_FIELD(config_tenant, role, "role", SQL_C_TEXT),
    { NULL },
};

int store_config_tenants(struct db *d, struct field_strings names, struct arena *arena, struct config_tenant **out, size_t *n, struct err *e)
{
    struct filter f;
    struct str text;

    filter_init(&f, arena);
    str_init(&text, arena);
    filter_strings(&f, "c.name IN", names);
    if (f.overflow)
        return err_set(e, &ERR_INVALID, "at most %d clusters at once", FILTER_MAX_VALUES);
    str_printf(&text,
               "SELECT c.name AS cluster, c.ob_cluster_id, t.name, t.ob_tenant_id, t.role FROM obtenant t JOIN obcluster c "
               "ON c.id = t.cluster_id WHERE t.role IN ('PRIMARY', 'STANDBY')%s ORDER BY c.name, t.ob_tenant_id",
               str_c(&f.text));
    if (str_failed(&text) || str_failed(&f.text))
        return err_set(e, &ERR_NOMEM, "");
    return db_list(d, text.s, f.values, f.n_values, tenant_fields, sizeof **out, arena, (void **)out, n, e);
}

static const struct sql_field service_fields[] = {
    SQL_FIELD(config_service, service, "service", SQL_C_TEXT),
    SQL_FIELD(config_service, tenant.cluster, "cluster", SQL_C_TEXT),
    SQL_FIELD(config_service, tenant.ob_cluster_id, "ob_cluster_id", SQL_C_INT64),
    SQL_FIELD(config_service, tenant.name, "name", SQL_C_TEXT),
    SQL_FIELD(config_service, tenant.ob_tenant_id, "ob_tenant_id", SQL_C_INT64),
    SQL_FIELD(config_service, tenant.role, "role", SQL_C_TEXT),
    { NULL },
};

int store_config_services(struct db *d, struct field_strings names, struct arena *arena, struct config_service **out, size_t *n, struct err *e)
{
    struct filter f;
    struct str text;

    filter_init(&f, arena);
    str_init(&text, arena);
    filter_strings(&f, "t.service IN", names);
    if (f.overflow)
        return err_set(e, &ERR_INVALID, "at most %d service names at once", FILTER_MAX_VALUES);
    str_printf(&text,
               "SELECT t.service, c.name AS cluster, c.ob_cluster_id, t.name, t.ob_tenant_id, t.role FROM obtenant t JOIN obcluster c "
               "ON c.id = t.cluster_id WHERE t.role IN ('PRIMARY', 'STANDBY')%s ORDER BY t.service, c.name, t.ob_tenant_id",
               str_c(&f.text));
    if (str_failed(&text) || str_failed(&f.text))
        return err_set(e, &ERR_NOMEM, "");
    return db_list(d, text.s, f.values, f.n_values, service_fields, sizeof **out, arena, (void **)out, n, e);
}

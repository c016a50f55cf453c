/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever makes a row that points to another one locks that one first, and so does whoever deletes it: there are no foreign keys. */
#include "src/store/place.h"

#include "src/store/change.h"

ERR_DEFINE(ERR_IN_USE, 90205, 409, ERR_FINAL, "The {0} {1} is used by {2}. Remove that first.", "{0} {1} 正被 {2} 使用，请先移除。");

const struct err_row *const place_err_rows[] = { &ERR_IN_USE, NULL };

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

static const struct list_sort region_sorts[] = {
    { "createTime", "created_at" }, { "id", "id" }, { "name", "name" }, { "updateTime", "updated_at" }, { NULL },
};
static const struct sql_field region_fields[] = {
    SQL_FIELD(region, id, "id", SQL_C_INT64),
    SQL_FIELD(region, name, "name", SQL_C_TEXT),
    SQL_FIELD(region, description, "description", SQL_C_TEXT),
    SQL_FIELD(region, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(region, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind region_kind = {
    .noun = "region",
    .columns = "id, name, description, created_at, updated_at",
    .from = "region",
    .sorts = region_sorts,
    .key = "id",
    .fields = region_fields,
    .size = sizeof(struct region),
};

static const struct list_sort idc_sorts[] = {
    { "createTime", "i.created_at" }, { "id", "i.id" },           { "name", "i.name" }, { "updateTime", "i.updated_at" },
    { "regionId", "i.region_id" },    { "regionName", "r.name" }, { NULL },
};
static const struct sql_field idc_fields[] = {
    SQL_FIELD(idc, id, "id", SQL_C_INT64),
    SQL_FIELD(idc, name, "name", SQL_C_TEXT),
    SQL_FIELD(idc, description, "description", SQL_C_TEXT),
    SQL_FIELD(idc, region_id, "region_id", SQL_C_INT64),
    SQL_FIELD(idc, region_name, "region_name", SQL_C_TEXT),
    SQL_FIELD(idc, region_description, "region_description", SQL_C_TEXT),
    SQL_FIELD(idc, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(idc, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind idc_kind = {
    .noun = "IDC",
    .columns = "i.id AS id, i.name AS name, i.description AS description, i.region_id AS region_id, r.name AS region_name, "
               "r.description AS region_description, i.created_at AS created_at, i.updated_at AS updated_at",
    .from = "idc i JOIN region r ON r.id = i.region_id",
    .sorts = idc_sorts,
    .key = "i.id",
    .fields = idc_fields,
    .size = sizeof(struct idc),
};

static const struct sql_field host_type_fields[] = {
    SQL_FIELD(host_type, id, "id", SQL_C_INT64),
    SQL_FIELD(host_type, name, "name", SQL_C_TEXT),
    SQL_FIELD(host_type, description, "description", SQL_C_TEXT),
    SQL_FIELD(host_type, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(host_type, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind host_type_kind = {
    .noun = "host type",
    .columns = "id, name, description, created_at, updated_at",
    .from = "host_type",
    .sorts = region_sorts,
    .key = "id",
    .fields = host_type_fields,
    .size = sizeof(struct host_type),
};

int store_region_list(struct db *d, const struct store_page *page, struct arena *arena, struct region **out, size_t *n, int64_t *total,
                      struct err *e)
{
    return list_read(d, &region_kind, NULL, page, arena, (void **)out, n, total, e);
}

int store_idc_list(struct db *d, const struct store_page *page, struct arena *arena, struct idc **out, size_t *n, int64_t *total,
                   struct err *e)
{
    return list_read(d, &idc_kind, NULL, page, arena, (void **)out, n, total, e);
}

int store_host_type_list(struct db *d, const struct store_page *page, struct arena *arena, struct host_type **out, size_t *n,
                         int64_t *total, struct err *e)
{
    return list_read(d, &host_type_kind, NULL, page, arena, (void **)out, n, total, e);
}

int store_region_get(struct db *d, int64_t id, struct arena *arena, struct region *out, struct err *e)
{
    return list_get(d, &region_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

int store_idc_get(struct db *d, int64_t id, struct arena *arena, struct idc *out, struct err *e)
{
    return list_get(d, &idc_kind, "i.id = ?", SQL_V_I(id), arena, out, e);
}

int store_host_type_get(struct db *d, int64_t id, struct arena *arena, struct host_type *out, struct err *e)
{
    return list_get(d, &host_type_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

int store_region_find(struct db *d, const char *name, struct arena *arena, struct region *out, struct err *e)
{
    return list_get(d, &region_kind, "name = ?", sql_v_s(name), arena, out, e);
}

int store_idc_find(struct db *d, const char *name, struct arena *arena, struct idc *out, struct err *e)
{
    return list_get(d, &idc_kind, "i.name = ?", sql_v_s(name), arena, out, e);
}

int store_host_type_find(struct db *d, const char *name, struct arena *arena, struct host_type *out, struct err *e)
{
    return list_get(d, &host_type_kind, "name = ?", sql_v_s(name), arena, out, e);
}

/* --- what points to what ---------------------------------------------------------------------------------------------------- */

/* The first number of the one row that `text` gives; *found is false when there is none. */
static int read_number(struct tx *tx, const char *text, int64_t id, bool *found, int64_t *v, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = tx_run(tx, text, DB_ARGS(SQL_V_I(id)), &arena, &rows, e);
    *found = rv == 0 && rows.n_rows > 0 && sql_i64(&rows, 0, 0, v);
    arena_fini(&arena);
    return rv;
}

static int hold(struct tx *tx, const char *text, const char *noun, int64_t id, struct err *e)
{
    bool found;
    int64_t same;
    int rv = read_number(tx, text, id, &found, &same, e);

    if (rv != 0 || found)
        return rv;
    (void)err_set(e, &ERR_NOT_FOUND, "%s", noun);
    return err_arg(e, "%lld", (long long)id);
}

static int hold_region(struct tx *tx, int64_t id, struct err *e)
{
    return hold(tx, "SELECT id FROM region WHERE id = ? FOR UPDATE", "region", id, e);
}

int store_idc_hold(struct tx *tx, int64_t id, struct err *e)
{
    return hold(tx, "SELECT id FROM idc WHERE id = ? FOR UPDATE", "IDC", id, e);
}

int store_host_type_hold(struct tx *tx, int64_t id, struct err *e)
{
    return hold(tx, "SELECT id FROM host_type WHERE id = ? FOR UPDATE", "host type", id, e);
}

static int refuse_used(struct tx *tx, const char *count, const char *noun, int64_t id, const char *users, struct err *e)
{
    int64_t n = 0;
    bool found;
    int rv = read_number(tx, count, id, &found, &n, e);

    if (rv != 0 || n == 0)
        return rv;
    (void)err_set(e, &ERR_IN_USE, "%s", noun);
    (void)err_arg(e, "%lld", (long long)id);
    return err_arg(e, "%lld %s", (long long)n, users);
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

int store_region_insert(struct db *d, const struct region *r, struct err *e)
{
    struct change c = { "region", r->name, false };

    return change_run(d, &c, "INSERT INTO region (id, name, description, created_at, updated_at) VALUES (?, ?, ?, NOW(6), NOW(6))",
                      DB_ARGS(SQL_V_I(r->id), sql_v_s(r->name), sql_v_s(r->description)), e);
}

int store_region_update(struct db *d, const struct region *r, struct err *e)
{
    struct change c = { "region", r->name, false };

    return change_run(d, &c, "UPDATE region SET name = ?, description = ?, updated_at = NOW(6) WHERE id = ?",
                      DB_ARGS(sql_v_s(r->name), sql_v_s(r->description), SQL_V_I(r->id)), e);
}

int store_host_type_insert(struct db *d, const struct host_type *t, struct err *e)
{
    struct change c = { "host type", t->name, false };

    return change_run(d, &c, "INSERT INTO host_type (id, name, description, created_at, updated_at) VALUES (?, ?, ?, NOW(6), NOW(6))",
                      DB_ARGS(SQL_V_I(t->id), sql_v_s(t->name), sql_v_s(t->description)), e);
}

int store_host_type_update(struct db *d, const struct host_type *t, struct err *e)
{
    struct change c = { "host type", t->name, false };

    return change_run(d, &c, "UPDATE host_type SET name = ?, description = ?, updated_at = NOW(6) WHERE id = ?",
                      DB_ARGS(sql_v_s(t->name), sql_v_s(t->description), SQL_V_I(t->id)), e);
}

static int insert_idc(struct tx *tx, void *data, struct err *e)
{
    const struct idc *i = data;
    struct change c = { "IDC", i->name, false };
    int rv = hold_region(tx, i->region_id, e);

    if (rv != 0)
        return rv;
    return change_run_in(tx, &c,
                         "INSERT INTO idc (id, name, description, region_id, created_at, updated_at) VALUES (?, ?, ?, ?, NOW(6), NOW(6))",
                         DB_ARGS(SQL_V_I(i->id), sql_v_s(i->name), sql_v_s(i->description), SQL_V_I(i->region_id)), e);
}

int store_idc_insert(struct db *d, const struct idc *i, struct err *e)
{
    struct idc copy = *i;

    return db_transact(d, insert_idc, &copy, e);
}

static int update_idc(struct tx *tx, void *data, struct err *e)
{
    const struct idc *i = data;
    struct change c = { "IDC", i->name, false };
    int rv = hold_region(tx, i->region_id, e);

    if (rv != 0)
        return rv;
    return change_run_in(tx, &c, "UPDATE idc SET name = ?, description = ?, region_id = ?, updated_at = NOW(6) WHERE id = ?",
                         DB_ARGS(sql_v_s(i->name), sql_v_s(i->description), SQL_V_I(i->region_id), SQL_V_I(i->id)), e);
}

int store_idc_update(struct db *d, const struct idc *i, struct err *e)
{
    struct idc copy = *i;

    return db_transact(d, update_idc, &copy, e);
}

static int delete_region(struct tx *tx, void *data, struct err *e)
{
    int64_t id = *(int64_t *)data;
    int rv = hold_region(tx, id, e);

    if (rv == 0)
        rv = refuse_used(tx, "SELECT COUNT(*) FROM idc WHERE region_id = ?", "region", id, "IDCs", e);
    return rv == 0 ? tx_exec(tx, "DELETE FROM region WHERE id = ?", DB_ARGS(SQL_V_I(id)), NULL, e) : rv;
}

static int delete_idc(struct tx *tx, void *data, struct err *e)
{
    int64_t id = *(int64_t *)data;
    int rv = store_idc_hold(tx, id, e);

    if (rv == 0)
        rv = refuse_used(tx, "SELECT COUNT(*) FROM host WHERE idc_id = ?", "IDC", id, "hosts", e);
    return rv == 0 ? tx_exec(tx, "DELETE FROM idc WHERE id = ?", DB_ARGS(SQL_V_I(id)), NULL, e) : rv;
}

static int delete_host_type(struct tx *tx, void *data, struct err *e)
{
    int64_t id = *(int64_t *)data;
    int rv = store_host_type_hold(tx, id, e);

    if (rv == 0)
        rv = refuse_used(tx, "SELECT COUNT(*) FROM host WHERE type_id = ?", "host type", id, "hosts", e);
    return rv == 0 ? tx_exec(tx, "DELETE FROM host_type WHERE id = ?", DB_ARGS(SQL_V_I(id)), NULL, e) : rv;
}

int store_region_delete(struct db *d, int64_t id, struct err *e)
{
    return db_transact(d, delete_region, &id, e);
}

int store_idc_delete(struct db *d, int64_t id, struct err *e)
{
    return db_transact(d, delete_idc, &id, e);
}

int store_host_type_delete(struct db *d, int64_t id, struct err *e)
{
    return db_transact(d, delete_host_type, &id, e);
}

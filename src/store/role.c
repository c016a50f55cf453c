/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/role.h"

#include "src/base/num.h"
#include "src/store/change.h"
#include "src/store/place.h"

static const struct list_sort sorts[] = { { "createTime", "created_at" }, { "id", "id" }, { "name", "name" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(role, id, "id", SQL_C_INT64),
    SQL_FIELD(role, name, "name", SQL_C_TEXT),
    SQL_FIELD(role, description, "description", SQL_C_TEXT),
    SQL_FIELD(role, permissions, "permissions", SQL_C_TEXT),
    SQL_FIELD(role, version, "version", SQL_C_INT64),
    SQL_FIELD(role, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(role, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind role_kind = {
    .noun = "role",
    .columns = "id, name, description, permissions, version, created_at, updated_at",
    .from = "role",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct role),
};
static const struct scope_column scope_columns[] = { { .kind = "ROLE", .column = "id" }, { NULL } };

int store_role_list(struct db *d, const struct role_filter *f, const struct store_page *page, struct arena *arena, struct role **out,
                    size_t *n, int64_t *total, struct err *e)
{
    static const char *const name[] = { "name", NULL };
    struct filter where;

    filter_init(&where, arena);
    if (f != NULL) {
        filter_contains(&where, name, f->name);
        filter_scope(&where, f->scope, scope_columns);
    }
    return list_read(d, &role_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_role_list_of(struct db *d, struct field_ints ids, struct arena *arena, struct role **out, size_t *n, struct err *e)
{
    struct scope_item *items = arena_array(arena, ids.n, sizeof *items);
    struct scope some = { items, ids.n };
    struct role_filter f = { .scope = &some };

    if (items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < ids.n; i++)
        items[i] = (struct scope_item){ "ROLE", ids.items[i], SCOPE_ANY };
    return store_role_list(d, &f, NULL, arena, out, n, NULL, e);
}

int store_role_get(struct db *d, int64_t id, struct arena *arena, struct role *out, struct err *e)
{
    return list_get(d, &role_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

int store_role_lock(struct tx *tx, const int64_t *ids, size_t n, size_t *found, struct err *e)
{
    struct arena arena;
    struct sql_rows rows;
    struct str text;
    int rv;

    *found = 0;
    if (n == 0)
        return 0;
    arena_init(&arena);
    str_init(&text, &arena);
    str_add(&text, "SELECT id FROM role WHERE id IN (");
    for (size_t i = 0; i < n; i++)
        str_printf(&text, "%s%lld", i > 0 ? "," : "", (long long)ids[i]);
    str_add(&text, ") ORDER BY id FOR UPDATE");
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : tx_run(tx, text.s, DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0)
        *found = rows.n_rows;
    arena_fini(&arena);
    return rv;
}

int store_role_insert(struct tx *tx, const struct role *r, struct err *e)
{
    struct change change = { "role", r->name, false };

    return change_run_in(tx, &change,
                         "INSERT INTO role (id, name, description, permissions, version, created_at, updated_at) "
                         "VALUES (?, ?, ?, ?, 1, NOW(6), NOW(6))",
                         DB_ARGS(SQL_V_I(r->id), sql_v_s(r->name), sql_v_s(r->description), sql_v_s(r->permissions)), e);
}

int store_role_update(struct tx *tx, const struct role *r, struct err *e)
{
    struct change change = { "role", r->name, true };
    int rv = change_run_in(tx, &change,
                           "UPDATE role SET name = ?, description = ?, permissions = ?, version = version + 1, updated_at = NOW(6) "
                           "WHERE id = ? AND version = ?",
                           DB_ARGS(sql_v_s(r->name), sql_v_s(r->description), sql_v_s(r->permissions), SQL_V_I(r->id), SQL_V_I(r->version)),
                           e);

    if (rv != 0)
        return rv;
    return tx_exec(tx, "UPDATE user SET credential_version = credential_version + 1 WHERE FIND_IN_SET(?, roles) > 0",
                   DB_ARGS(SQL_V_I(r->id)), NULL, e);
}

/* Says who has the role; 0 when nobody has. */
static int refuse_used(struct tx *tx, const struct role *r, struct arena *arena, struct err *e)
{
    struct sql_rows rows;
    struct slice name;
    int rv = tx_run(tx, "SELECT username FROM user WHERE FIND_IN_SET(?, roles) > 0 ORDER BY id LIMIT 1", DB_ARGS(SQL_V_I(r->id)), arena, &rows,
                    e);

    if (rv != 0 || rows.n_rows == 0)
        return rv;
    name = sql_text(&rows, 0, 0);
    (void)err_set(e, &ERR_IN_USE, "role");
    (void)err_arg(e, "%s", r->name);
    return err_arg(e, "user %.*s", SLICE_FMT(name));
}

int store_role_delete(struct tx *tx, const struct role *r, struct err *e)
{
    struct change change = { "role", r->name, false };
    struct arena arena;
    size_t found;
    int rv = store_role_lock(tx, &r->id, 1, &found, e);

    if (rv != 0)
        return rv;
    arena_init(&arena);
    rv = refuse_used(tx, r, &arena, e);
    arena_fini(&arena);
    return rv == 0 ? change_run_in(tx, &change, "DELETE FROM role WHERE id = ?", DB_ARGS(SQL_V_I(r->id)), e) : rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/user.h"

#include <string.h>

#include "src/base/field.h"

#define COLUMNS                                                                                                                          \
    "u.id, u.username, u.password_hash, u.must_change_password, u.enabled, u.locked, u.roles, u.credential_version, u.email, u.phone, " \
    "u.department, u.description, u.created_at, u.updated_at, u.last_login_at"

static const struct list_sort sorts[] = {
    { "createTime", "u.created_at" }, { "id", "u.id" }, { "username", "u.username" }, { "email", "u.email" },
    { "department", "u.department" }, { "updateTime", "u.updated_at" }, { "lastLoginTime", "u.last_login_at" }, { NULL },
};
static const struct sql_field columns[] = {
    SQL_FIELD(user, id, "id", SQL_C_INT64),
    SQL_FIELD(user, username, "username", SQL_C_TEXT),
    SQL_FIELD(user, password_hash, "password_hash", SQL_C_TEXT),
    SQL_FIELD(user, must_change_password, "must_change_password", SQL_C_INT),
    SQL_FIELD(user, enabled, "enabled", SQL_C_INT),
    SQL_FIELD(user, locked, "locked", SQL_C_INT),
    SQL_FIELD(user, roles, "roles", SQL_C_TEXT),
    SQL_FIELD(user, credential_version, "credential_version", SQL_C_INT64),
    SQL_FIELD(user, email, "email", SQL_C_TEXT),
    SQL_FIELD(user, phone, "phone", SQL_C_TEXT),
    SQL_FIELD(user, department, "department", SQL_C_TEXT),
    SQL_FIELD(user, description, "description", SQL_C_TEXT),
    SQL_FIELD(user, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(user, updated_us, "updated_at", SQL_C_TIME),
    SQL_FIELD(user, last_login_us, "last_login_at", SQL_C_TIME),
    { NULL },
};
static const struct user nobody = { .last_login_us = FIELD_NONE, .permissions = "" };
static const struct list_kind user_kind = {
    .noun = "user",
    .columns = COLUMNS,
    .from = "user u",
    .sorts = sorts,
    .key = "u.id",
    .fields = columns,
    .size = sizeof(struct user),
    .init = &nobody,
};
static const struct scope_column scope_columns[] = { { .kind = "USER", .column = "u.id" }, { NULL } };

/* The row comes once for each role that is no default role; its last column has what the role allows. */
static const char *join_permissions(const struct sql_rows *rows, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    for (size_t i = 0; i < rows->n_rows; i++) {
        struct slice lines = sql_text(rows, i, (int)rows->n_columns - 1);

        if (t.n > 0 && lines.n > 0)
            str_add_c(&t, '\n');
        str_add_n(&t, lines.s, lines.n);
    }
    return str_failed(&t) ? NULL : str_c(&t);
}

static int read_one(struct db *d, const char *condition, struct sql_value key, struct arena *arena, struct user **out, struct err *e)
{
    const char *text = arena_printf(arena,
                                    "SELECT " COLUMNS ", r.permissions FROM user u LEFT JOIN role r ON FIND_IN_SET(r.id, u.roles) > 0 "
                                    "WHERE %s",
                                    condition);
    struct sql_rows rows;
    struct user *found;
    int rv = text != NULL ? db_read(d, text, &key, 1, arena, &rows, e) : err_set(e, &ERR_NOMEM, "");

    *out = NULL;
    if (rv != 0 || rows.n_rows == 0)
        return rv;
    found = arena_array(arena, rows.n_rows, sizeof *found);
    if (found == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        found[i] = nobody;
    rv = sql_fetch(&rows, columns, sizeof *found, found, e);
    found->permissions = join_permissions(&rows, arena);
    if (rv == 0 && found->permissions == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        *out = found;
    return rv;
}

int store_user_find(struct db *d, const char *username, struct arena *arena, struct user **out, struct err *e)
{
    return read_one(d, "u.username = ?", sql_v_s(username), arena, out, e);
}

int store_user_get(struct db *d, int64_t id, struct arena *arena, struct user **out, struct err *e)
{
    return read_one(d, "u.id = ?", SQL_V_I(id), arena, out, e);
}

int store_user_list(struct db *d, const struct user_filter *f, const struct store_page *page, struct arena *arena, struct user **out, size_t *n,
                    int64_t *total, struct err *e)
{
    static const char *const name[] = { "u.username", NULL };
    static const char *const texts[] = { "u.username", "u.email", "u.phone", "u.department", "u.description", NULL };
    struct filter where;

    filter_init(&where, arena);
    if (f != NULL) {
        filter_contains(&where, name, f->username);
        filter_contains(&where, texts, f->keyword);
        filter_i64(&where, "FIND_IN_SET(?, u.roles) > 0", f->role_id);
        filter_bool(&where, "u.enabled = ?", f->enabled);
        filter_bool(&where, "u.locked = ?", f->locked);
        filter_scope(&where, f->scope, scope_columns);
    }
    return list_read(d, &user_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_user_ids(struct db *d, struct field_strings names, struct arena *arena, int64_t **out, struct err *e)
{
    struct filter where;
    struct user *users;
    size_t n;
    int rv;

    *out = arena_array(arena, names.n, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    filter_init(&where, arena);
    filter_strings(&where, "u.username IN", names);
    rv = list_read(d, &user_kind, &where, NULL, arena, (void **)&users, &n, NULL, e);
    for (size_t i = 0; rv == 0 && i < names.n; i++) {
        (*out)[i] = -1;
        for (size_t k = 0; k < n; k++) {
            if (strcmp(users[k].username, names.items[i]) == 0)
                (*out)[i] = users[k].id;
        }
    }
    return rv;
}

static void put_version(const struct sql_rows *rows, size_t row, const int64_t *ids, unsigned n, int64_t *versions)
{
    int64_t id, version;

    if (!sql_i64(rows, row, 0, &id) || !sql_i64(rows, row, 1, &version))
        return;
    for (unsigned i = 0; i < n; i++) {
        if (ids[i] == id)
            versions[i] = version;
    }
}

int store_user_versions(struct db *d, const int64_t *ids, unsigned n, int64_t *versions, struct err *e)
{
    struct arena arena;
    struct sql_rows rows;
    struct str text;
    int rv;

    arena_init(&arena);
    str_init(&text, &arena);
    str_add(&text, "SELECT id, credential_version FROM user WHERE enabled = 1 AND locked = 0 AND id IN (");
    for (unsigned i = 0; i < n; i++) {
        versions[i] = -1;
        if (i > 0)
            str_add_c(&text, ',');
        str_add_i64(&text, ids[i]);
    }
    str_add_c(&text, ')');
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : db_read(d, text.s, DB_NO_ARGS, &arena, &rows, e);
    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++)
        put_version(&rows, i, ids, n, versions);
    arena_fini(&arena);
    return rv;
}

int store_user_insert(struct tx *tx, const struct user *u, struct err *e)
{
    int rv = tx_exec(tx,
                     "INSERT INTO user (id, username, password_hash, must_change_password, enabled, locked, roles, credential_version, email, "
                     "phone, department, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     DB_ARGS(SQL_V_I(u->id), sql_v_s(u->username), sql_v_s(u->password_hash), SQL_V_I(u->must_change_password),
                             SQL_V_I(u->enabled), SQL_V_I(u->locked), sql_v_s(u->roles), SQL_V_I(u->credential_version), sql_v_s(u->email),
                             sql_v_s(u->phone), sql_v_s(u->department), sql_v_s(u->description), SQL_V_TIME(u->created_us),
                             SQL_V_TIME(u->updated_us)),
                     NULL, e);

    if (rv != ERR_SQL_DUPLICATE.code)
        return rv;
    (void)err_set(e, &ERR_NAME_USED, "user");
    return err_arg(e, "%s", u->username);
}

/* A change that names the version it saw. */
static int settle(int rv, uint64_t affected, int64_t id, struct err *e)
{
    if (rv != 0 || affected > 0)
        return rv;
    (void)err_set(e, &ERR_CONFLICT, "user");
    return err_arg(e, "%lld", (long long)id);
}

int store_user_set_password(struct tx *tx, int64_t id, int64_t version, const char *hash, bool must_change, int64_t now_us, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx,
                     "UPDATE user SET password_hash = ?, must_change_password = ?, credential_version = credential_version + 1, "
                     "updated_at = ? WHERE id = ? AND credential_version = ?",
                     DB_ARGS(sql_v_s(hash), SQL_V_I(must_change), SQL_V_TIME(now_us), SQL_V_I(id), SQL_V_I(version)), &affected, e);

    return settle(rv, affected, id, e);
}

int store_user_update(struct tx *tx, const struct user *u, int64_t version, bool raise, int64_t now_us, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx,
                     "UPDATE user SET email = ?, phone = ?, department = ?, description = ?, roles = ?, enabled = ?, locked = ?, "
                     "credential_version = credential_version + ?, updated_at = ? WHERE id = ? AND credential_version = ?",
                     DB_ARGS(sql_v_s(u->email), sql_v_s(u->phone), sql_v_s(u->department), sql_v_s(u->description), sql_v_s(u->roles),
                             SQL_V_I(u->enabled), SQL_V_I(u->locked), SQL_V_I(raise), SQL_V_TIME(now_us), SQL_V_I(u->id), SQL_V_I(version)),
                     &affected, e);

    return settle(rv, affected, u->id, e);
}

int store_user_delete(struct tx *tx, int64_t id, bool *found, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx, "DELETE FROM user WHERE id = ?", DB_ARGS(SQL_V_I(id)), &affected, e);

    *found = affected > 0;
    return rv;
}

int store_user_touch(struct tx *tx, int64_t id, int64_t now_us, struct err *e)
{
    return tx_exec(tx, "UPDATE user SET last_login_at = ? WHERE id = ?", DB_ARGS(SQL_V_TIME(now_us), SQL_V_I(id)), NULL, e);
}

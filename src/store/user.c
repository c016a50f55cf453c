/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/user.h"

#include <string.h>

#include "src/base/field.h"

#define COLUMNS                                                                                                       \
    "id, username, password_hash, must_change_password, enabled, roles, credential_version, email, description, "    \
    "created_at, updated_at, last_login_at"

static const struct sql_field columns[] = {
    SQL_FIELD(user, id, "id", SQL_C_INT64),
    SQL_FIELD(user, username, "username", SQL_C_TEXT),
    SQL_FIELD(user, password_hash, "password_hash", SQL_C_TEXT),
    SQL_FIELD(user, must_change_password, "must_change_password", SQL_C_INT),
    SQL_FIELD(user, enabled, "enabled", SQL_C_INT),
    SQL_FIELD(user, roles, "roles", SQL_C_TEXT),
    SQL_FIELD(user, credential_version, "credential_version", SQL_C_INT64),
    SQL_FIELD(user, email, "email", SQL_C_TEXT),
    SQL_FIELD(user, description, "description", SQL_C_TEXT),
    SQL_FIELD(user, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(user, updated_us, "updated_at", SQL_C_TIME),
    SQL_FIELD(user, last_login_us, "last_login_at", SQL_C_TIME),
    { NULL },
};

static int fetch(const struct sql_rows *rows, struct arena *arena, struct user **out, struct err *e)
{
    *out = arena_array(arena, rows->n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows->n_rows; i++)
        (*out)[i].last_login_us = FIELD_NONE;
    return sql_fetch(rows, columns, sizeof **out, *out, e);
}

static int read_one(struct db *d, const char *text, struct sql_value key, struct arena *arena, struct user **out, struct err *e)
{
    struct sql_rows rows;
    int rv = db_read(d, text, &key, 1, arena, &rows, e);

    *out = NULL;
    if (rv != 0 || rows.n_rows == 0)
        return rv;
    return fetch(&rows, arena, out, e);
}

int store_user_find(struct db *d, const char *username, struct arena *arena, struct user **out, struct err *e)
{
    return read_one(d, "SELECT " COLUMNS " FROM user WHERE username = ?", sql_v_s(username), arena, out, e);
}

int store_user_get(struct db *d, int64_t id, struct arena *arena, struct user **out, struct err *e)
{
    return read_one(d, "SELECT " COLUMNS " FROM user WHERE id = ?", SQL_V_I(id), arena, out, e);
}

/* '%', '_' and '!' mean themselves. */
static const char *like_pattern(const char *part, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    str_add_c(&t, '%');
    for (; *part != '\0'; part++) {
        if (strchr("%_!", *part) != NULL)
            str_add_c(&t, '!');
        str_add_c(&t, *part);
    }
    str_add_c(&t, '%');
    return str_failed(&t) ? NULL : t.s;
}

int store_user_list(struct db *d, const struct user_filter *f, struct arena *arena, struct user **out, size_t *n, int64_t *total, struct err *e)
{
    const char *pattern = like_pattern(f->username != NULL ? f->username : "", arena);
    const char *text = arena_printf(arena, "SELECT " COLUMNS " FROM user WHERE username LIKE ? ESCAPE '!' ORDER BY %s %s LIMIT ? OFFSET ?",
                                    f->by_name ? "username" : "id", f->descending ? "DESC" : "ASC");
    struct sql_rows rows;
    int rv;

    if (pattern == NULL || text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = db_read(d, "SELECT COUNT(*) AS n FROM user WHERE username LIKE ? ESCAPE '!'", DB_ARGS(sql_v_s(pattern)), arena, &rows, e);
    if (rv != 0)
        return rv;
    *total = 0;
    (void)sql_i64(&rows, 0, 0, total); /* COUNT gives one number */
    rv = db_read(d, text, DB_ARGS(sql_v_s(pattern), SQL_V_I(f->size), SQL_V_I((f->page - 1) * f->size)), arena, &rows, e);
    *n = rows.n_rows;
    return rv == 0 ? fetch(&rows, arena, out, e) : rv;
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
    str_add(&text, "SELECT id, credential_version FROM user WHERE enabled = 1 AND id IN (");
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
                     "INSERT INTO user (id, username, password_hash, must_change_password, enabled, roles, credential_version, email, "
                     "description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     DB_ARGS(SQL_V_I(u->id), sql_v_s(u->username), sql_v_s(u->password_hash), SQL_V_I(u->must_change_password),
                             SQL_V_I(u->enabled), sql_v_s(u->roles), SQL_V_I(u->credential_version), sql_v_s(u->email),
                             sql_v_s(u->description), SQL_V_TIME(u->created_us), SQL_V_TIME(u->updated_us)),
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
                     "UPDATE user SET email = ?, description = ?, roles = ?, enabled = ?, credential_version = credential_version + ?, "
                     "updated_at = ? WHERE id = ? AND credential_version = ?",
                     DB_ARGS(sql_v_s(u->email), sql_v_s(u->description), sql_v_s(u->roles), SQL_V_I(u->enabled), SQL_V_I(raise),
                             SQL_V_TIME(now_us), SQL_V_I(u->id), SQL_V_I(version)),
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

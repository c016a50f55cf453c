/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/accesskey.h"

#include "src/store/change.h"
#include "src/store/many.h"

static const struct list_sort sorts[] = { { "createTime", "created_at" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(accesskey, id, "id", SQL_C_INT64),
    SQL_FIELD(accesskey, key, "access_key", SQL_C_TEXT),
    SQL_FIELD(accesskey, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(accesskey, secret, "secret", SQL_C_BYTES),
    SQL_FIELD(accesskey, description, "description", SQL_C_TEXT),
    SQL_FIELD(accesskey, enabled, "enabled", SQL_C_INT),
    SQL_FIELD(accesskey, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(accesskey, updated_us, "updated_at", SQL_C_TIME),
    SQL_FIELD(accesskey, used_us, "used_at", SQL_C_TIME),
    { NULL },
};
static const struct accesskey unused = { .used_us = FIELD_NONE };
static const struct list_kind kind = {
    .noun = "access key",
    .columns = "id, access_key, user_id, secret, description, enabled, created_at, updated_at, used_at",
    .from = "access_key",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct accesskey),
    .init = &unused,
};

int store_accesskey_find(struct db *d, const char *key, struct arena *arena, struct accesskey **out, struct err *e)
{
    struct accesskey *k = arena_zalloc(arena, sizeof *k);
    int rv = k != NULL ? list_get(d, &kind, "access_key = ?", sql_v_s(key), arena, k, e) : err_set(e, &ERR_NOMEM, "");

    *out = rv == 0 ? k : NULL;
    return rv == ERR_NOT_FOUND.code ? 0 : rv;
}

static int not_found(int64_t id, struct err *e)
{
    (void)err_set(e, &ERR_NOT_FOUND, "access key");
    return err_arg(e, "%lld", (long long)id);
}

int store_accesskey_get(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct accesskey *out, struct err *e)
{
    int rv = list_get(d, &kind, "id = ?", SQL_V_I(id), arena, out, e);

    return rv == 0 && out->user_id != user_id ? not_found(id, e) : rv;
}

int store_accesskey_list(struct db *d, int64_t user_id, struct arena *arena, struct accesskey **out, size_t *n, struct err *e)
{
    struct filter f;

    filter_init(&f, arena);
    filter_i64(&f, "user_id = ?", user_id);
    return list_read(d, &kind, &f, NULL, arena, (void **)out, n, NULL, e);
}

struct insertion {
    const struct accesskey *key;
    unsigned max;
    bool full;
};

/* The user's row is locked, so that two requests do not both find room for the last one. */
static int tx_insert(struct tx *tx, void *data, struct err *e)
{
    struct insertion *i = data;
    const struct accesskey *k = i->key;
    struct arena arena;
    struct sql_rows rows;
    int64_t n = 0;
    int rv;

    arena_init(&arena);
    rv = tx_run(tx, "SELECT id FROM user WHERE id = ? FOR UPDATE", DB_ARGS(SQL_V_I(k->user_id)), &arena, &rows, e);
    if (rv == 0)
        rv = tx_run(tx, "SELECT COUNT(*) FROM access_key WHERE user_id = ?", DB_ARGS(SQL_V_I(k->user_id)), &arena, &rows, e);
    if (rv == 0)
        (void)sql_i64(&rows, 0, 0, &n); /* COUNT gives one number */
    arena_fini(&arena);
    i->full = n >= (int64_t)i->max;
    if (rv != 0 || i->full)
        return rv;
    return tx_exec(tx,
                   "INSERT INTO access_key (id, access_key, user_id, secret, description, enabled, created_at, updated_at) "
                   "VALUES (?, ?, ?, ?, ?, ?, NOW(6), NOW(6))",
                   DB_ARGS(SQL_V_I(k->id), sql_v_s(k->key), SQL_V_I(k->user_id), sql_v_bytes(k->secret.s, k->secret.n),
                           sql_v_s(k->description), SQL_V_I(k->enabled)),
                   NULL, e);
}

int store_accesskey_insert(struct db *d, const struct accesskey *k, unsigned max, bool *full, struct err *e)
{
    struct insertion i = { k, max, false };
    int rv = db_transact(d, tx_insert, &i, e);

    *full = i.full;
    return rv;
}

int store_accesskey_update(struct db *d, const struct accesskey *k, struct err *e)
{
    struct change c = { "access key", k->key, false };

    return change_run(d, &c, "UPDATE access_key SET description = ?, enabled = ?, updated_at = NOW(6) WHERE id = ? AND user_id = ?",
                      DB_ARGS(sql_v_s(k->description), SQL_V_I(k->enabled), SQL_V_I(k->id), SQL_V_I(k->user_id)), e);
}

int store_accesskey_delete(struct db *d, int64_t user_id, int64_t id, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "access key", change_id(id, text), false };

    return change_run(d, &c, "DELETE FROM access_key WHERE id = ? AND user_id = ?", DB_ARGS(SQL_V_I(id), SQL_V_I(user_id)), e);
}

int store_accesskey_delete_all(struct tx *tx, int64_t user_id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM access_key WHERE user_id = ?", DB_ARGS(SQL_V_I(user_id)), NULL, e);
}

int store_accesskey_touch(struct db *d, const int64_t *ids, size_t n, struct err *e)
{
    return many_touch(d, "UPDATE access_key SET used_at = NOW(6) WHERE id IN", ids, n, e);
}

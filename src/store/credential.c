/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/credential.h"

#include "src/store/change.h"

static const struct list_sort sorts[] = {
    { "createTime", "created_at" }, { "id", "id" }, { "name", "name" }, { "targetType", "target_type" }, { "updateTime", "updated_at" },
    { NULL },
};
static const struct sql_field fields[] = {
    SQL_FIELD(credential, id, "id", SQL_C_INT64),
    SQL_FIELD(credential, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(credential, target_type, "target_type", SQL_C_TEXT),
    SQL_FIELD(credential, name, "name", SQL_C_TEXT),
    SQL_FIELD(credential, description, "description", SQL_C_TEXT),
    SQL_FIELD(credential, kind, "kind", SQL_C_TEXT),
    SQL_FIELD(credential, username, "username", SQL_C_TEXT),
    SQL_FIELD(credential, secret, "secret", SQL_C_BYTES),
    SQL_FIELD(credential, extra, "extra", SQL_C_TEXT),
    SQL_FIELD(credential, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(credential, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind credential_kind = {
    .noun = "credential",
    .columns = "id, user_id, target_type, name, description, kind, username, secret, extra, created_at, updated_at",
    .from = "credential",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct credential),
};

int store_credential_list(struct db *d, int64_t user_id, const char *target_type, const char *name, const struct store_page *page,
                          struct arena *arena, struct credential **out, size_t *n, int64_t *total, struct err *e)
{
    struct filter where;

    filter_init(&where, arena);
    filter_i64(&where, "user_id = ?", user_id);
    filter_text(&where, "target_type = ?", target_type);
    filter_text(&where, "name = ?", name);
    return list_read(d, &credential_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_credential_open(struct db *d, int64_t id, struct arena *arena, struct credential *out, struct err *e)
{
    return list_get(d, &credential_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

int store_credential_get(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct credential *out, struct err *e)
{
    int rv = store_credential_open(d, id, arena, out, e);

    if (rv != 0 || out->user_id == user_id)
        return rv;
    (void)err_set(e, &ERR_NOT_FOUND, "credential");
    return err_arg(e, "%lld", (long long)id);
}

int store_credential_insert(struct tx *tx, const struct credential *c, struct err *e)
{
    struct change change = { "credential", c->name, false };

    return change_run_in(tx, &change,
                         "INSERT INTO credential (id, user_id, target_type, name, description, kind, username, secret, extra, created_at, "
                         "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(6), NOW(6))",
                         DB_ARGS(SQL_V_I(c->id), SQL_V_I(c->user_id), sql_v_s(c->target_type), sql_v_s(c->name), sql_v_s(c->description),
                                 sql_v_s(c->kind), sql_v_s(c->username), sql_v_bytes(c->secret.n > 0 ? c->secret.s : "", c->secret.n),
                                 sql_v_s(c->extra)),
                         e);
}

static int set_secret(struct tx *tx, const struct change *change, int64_t id, struct slice secret, struct err *e)
{
    return change_run_in(tx, change, "UPDATE credential SET secret = ? WHERE id = ?",
                         DB_ARGS(sql_v_bytes(secret.s, secret.n), SQL_V_I(id)), e);
}

int store_credential_update(struct tx *tx, const struct credential *c, struct err *e)
{
    struct change change = { "credential", c->name, false };
    int rv = change_run_in(tx, &change,
                           "UPDATE credential SET name = ?, description = ?, kind = ?, username = ?, extra = ?, updated_at = NOW(6) "
                           "WHERE id = ? AND user_id = ?",
                           DB_ARGS(sql_v_s(c->name), sql_v_s(c->description), sql_v_s(c->kind), sql_v_s(c->username), sql_v_s(c->extra),
                                   SQL_V_I(c->id), SQL_V_I(c->user_id)),
                           e);

    return rv == 0 && c->secret.n > 0 ? set_secret(tx, &change, c->id, c->secret, e) : rv;
}

int store_credential_delete(struct tx *tx, int64_t user_id, int64_t id, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change change = { "credential", change_id(id, text), false };

    return change_run_in(tx, &change, "DELETE FROM credential WHERE id = ? AND user_id = ?", DB_ARGS(SQL_V_I(id), SQL_V_I(user_id)), e);
}

int store_credential_delete_named(struct tx *tx, const char *target_type, const char *name, struct err *e)
{
    return tx_exec(tx, "DELETE FROM credential WHERE target_type = ? AND name = ?", DB_ARGS(sql_v_s(target_type), sql_v_s(name)), NULL, e);
}

int store_credential_delete_of(struct tx *tx, int64_t user_id, struct err *e)
{
    int rv = tx_exec(tx, "DELETE FROM credential WHERE user_id = ?", DB_ARGS(SQL_V_I(user_id)), NULL, e);

    return rv == 0 ? tx_exec(tx, "DELETE FROM credential_offer WHERE user_id = ?", DB_ARGS(SQL_V_I(user_id)), NULL, e) : rv;
}

int store_credential_after(struct db *d, int64_t after_id, unsigned max, struct arena *arena, struct credential **out, size_t *n, struct err *e)
{
    struct store_page page = { .number = 1, .size = max, .sort = "id" };
    struct filter where;

    filter_init(&where, arena);
    filter_i64(&where, "id > ?", after_id);
    return list_read(d, &credential_kind, &where, &page, arena, (void **)out, n, NULL, e);
}

int store_credential_reseal(struct tx *tx, int64_t id, struct slice former, struct slice sealed, bool *changed, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx, "UPDATE credential SET secret = ? WHERE id = ? AND secret = ?",
                     DB_ARGS(sql_v_bytes(sealed.s, sealed.n), SQL_V_I(id), sql_v_bytes(former.s, former.n)), &affected, e);

    *changed = affected == 1;
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/credential_offer.h"

#include "src/store/many.h"

#define COLUMNS                                                                                                                      \
    "id, user_id, from_id, from_name, status, target_type, name, description, kind, username, secret, extra, created_at, expires_at"

static const struct list_sort sorts[] = { { "createTime", "created_at" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(credential_offer, c.id, "id", SQL_C_INT64),
    SQL_FIELD(credential_offer, c.user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(credential_offer, from_id, "from_id", SQL_C_INT64),
    SQL_FIELD(credential_offer, from_name, "from_name", SQL_C_TEXT),
    SQL_FIELD(credential_offer, status, "status", SQL_C_INT),
    SQL_FIELD(credential_offer, c.target_type, "target_type", SQL_C_TEXT),
    SQL_FIELD(credential_offer, c.name, "name", SQL_C_TEXT),
    SQL_FIELD(credential_offer, c.description, "description", SQL_C_TEXT),
    SQL_FIELD(credential_offer, c.kind, "kind", SQL_C_TEXT),
    SQL_FIELD(credential_offer, c.username, "username", SQL_C_TEXT),
    SQL_FIELD(credential_offer, c.secret, "secret", SQL_C_BYTES),
    SQL_FIELD(credential_offer, c.extra, "extra", SQL_C_TEXT),
    SQL_FIELD(credential_offer, c.created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(credential_offer, expires_us, "expires_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind offer_kind = {
    .noun = "offer",
    .columns = COLUMNS,
    .from = "credential_offer",
    .where = "expires_at > NOW(6)",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct credential_offer),
};

int store_offer_list(struct db *d, int64_t user_id, struct arena *arena, struct credential_offer **out, size_t *n, struct err *e)
{
    struct filter where;

    filter_init(&where, arena);
    filter_i64(&where, "user_id = ?", user_id);
    filter_i64(&where, "status = ?", OFFER_OPEN);
    return list_read(d, &offer_kind, &where, NULL, arena, (void **)out, n, NULL, e);
}

int store_offer_get(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct credential_offer *out, struct err *e)
{
    int rv = list_get(d, &offer_kind, "id = ?", SQL_V_I(id), arena, out, e);

    if (rv != 0 || out->c.user_id == user_id)
        return rv;
    (void)err_set(e, &ERR_NOT_FOUND, "offer");
    return err_arg(e, "%lld", (long long)id);
}

enum { N_COLUMNS = 14 };
static const struct many_kind offer_rows = { "credential_offer", COLUMNS, N_COLUMNS, NULL };

int store_offer_insert(struct tx *tx, const struct credential_offer *offers, size_t n, struct arena *arena, struct err *e)
{
    struct sql_value *values = arena_array(arena, n * N_COLUMNS, sizeof *values);

    if (values == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        const struct credential_offer *o = &offers[i];
        const struct sql_value row[N_COLUMNS] = {
            SQL_V_I(o->c.id), SQL_V_I(o->c.user_id), SQL_V_I(o->from_id), sql_v_s(o->from_name), SQL_V_I(OFFER_OPEN), sql_v_s(o->c.target_type),
            sql_v_s(o->c.name), sql_v_s(o->c.description), sql_v_s(o->c.kind), sql_v_s(o->c.username),
            sql_v_bytes(o->c.secret.s, o->c.secret.n), sql_v_s(o->c.extra), SQL_V_TIME(o->c.created_us), SQL_V_TIME(o->expires_us),
        };

        for (size_t k = 0; k < N_COLUMNS; k++)
            values[i * N_COLUMNS + k] = row[k];
    }
    return many_write(tx, &offer_rows, values, n, arena, e);
}

int store_offer_settle(struct tx *tx, int64_t user_id, int64_t id, enum offer_status status, bool *done, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx, "UPDATE credential_offer SET status = ?, secret = '' WHERE id = ? AND user_id = ? AND status = ?",
                     DB_ARGS(SQL_V_I(status), SQL_V_I(id), SQL_V_I(user_id), SQL_V_I(OFFER_OPEN)), &affected, e);

    *done = affected > 0;
    return rv;
}

int store_offer_prune(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM credential_offer WHERE expires_at <= NOW(6) LIMIT ?", e);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/obtenant.h"

#include "src/store/change.h"

static const struct sql_field fields[] = {
    SQL_FIELD(obtenant_kept, id, "id", SQL_C_INT64),
    SQL_FIELD(obtenant_kept, description, "description", SQL_C_TEXT),
    SQL_FIELD(obtenant_kept, password, "password", SQL_C_BYTES),
    SQL_FIELD(obtenant_kept, password_version, "password_version", SQL_C_INT64),
    { .column = NULL },
};

static const struct list_sort sorts[] = { { "id", "id" }, { NULL, NULL } };

static const struct list_kind kind = {
    .noun = "tenant",
    .columns = "id, description, password, password_version",
    .from = "obtenant_kept",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct obtenant_kept),
};

int store_obtenant_kept_get(struct db *d, int64_t id, struct arena *arena, struct obtenant_kept *out, struct err *e)
{
    int rv = list_get(d, &kind, "id = ?", SQL_V_I(id), arena, out, e);

    if (rv == 0 || !err_is(e, &ERR_NOT_FOUND))
        return rv;
    *out = (struct obtenant_kept){ .id = id, .description = "", .password = { "", 0 } };
    return 0;
}

int store_obtenant_describe(struct tx *tx, int64_t cluster_id, int64_t id, const char *description, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO obtenant_kept (id, cluster_id, description, password, password_version) VALUES (?, ?, ?, '', 0) "
                   "ON DUPLICATE KEY UPDATE description = VALUES(description)",
                   DB_ARGS(SQL_V_I(id), SQL_V_I(cluster_id), sql_v_s(description)), NULL, e);
}

int store_obtenant_set_password(struct tx *tx, int64_t cluster_id, int64_t id, int64_t version, struct slice sealed, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change change = { "tenant", change_id(id, text), true };
    int rv = tx_exec(tx,
                     "INSERT INTO obtenant_kept (id, cluster_id, description, password, password_version) VALUES (?, ?, '', '', 0) "
                     "ON DUPLICATE KEY UPDATE cluster_id = VALUES(cluster_id)",
                     DB_ARGS(SQL_V_I(id), SQL_V_I(cluster_id)), NULL, e);

    if (rv != 0)
        return rv;
    return change_run_in(tx, &change,
                         "UPDATE obtenant_kept SET password = ?, password_version = password_version + 1 WHERE id = ? AND password_version = ?",
                         DB_ARGS(sql_v_bytes(sealed.n > 0 ? sealed.s : "", sealed.n), SQL_V_I(id), SQL_V_I(version)), e);
}

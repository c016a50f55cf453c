/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/loginkey.h"

#include "src/store/change.h"

static const struct sql_field fields[] = {
    SQL_FIELD(loginkey, bits, "bits", SQL_C_INT64),
    SQL_FIELD(loginkey, public_key, "public_key", SQL_C_TEXT),
    SQL_FIELD(loginkey, private_key, "private_key", SQL_C_BYTES),
    { NULL },
};

int store_loginkey_find(struct db *d, int64_t bits, struct arena *arena, struct loginkey **out, struct err *e)
{
    size_t n = 0;
    int rv = db_list(d, "SELECT bits, public_key, private_key FROM login_key WHERE bits = ?", DB_ARGS(SQL_V_I(bits)), fields, sizeof **out,
                     arena, (void **)out, &n, e);

    if (rv != 0 || n == 0)
        *out = NULL;
    return rv;
}

int store_loginkey_insert(struct db *d, const struct loginkey *k, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "login key", change_id(k->bits, text), false };

    return change_run(d, &c, "INSERT INTO login_key (bits, public_key, private_key, created_at) VALUES (?, ?, ?, NOW(6))",
                      DB_ARGS(SQL_V_I(k->bits), sql_v_s(k->public_key), sql_v_bytes(k->private_key.s, k->private_key.n)), e);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/sealed.h"

static struct sql_value key_value(const struct sealed_column *c, struct slice key)
{
    int64_t id = 0;

    if (c->part == NULL)
        return (struct sql_value){ .kind = SQL_TEXT, .text = key };
    for (size_t i = 0; i < key.n; i++) /* a number, as the database wrote it */
        id = id * 10 + (key.s[i] - '0');
    return SQL_V_I(id);
}

static struct sql_value value_of(const struct sealed_column *c, struct slice value)
{
    return c->is_base64 ? (struct sql_value){ .kind = SQL_TEXT, .text = value } : sql_v_bytes(value.s, value.n);
}

int store_sealed_after(struct db *d, const struct sealed_column *c, struct slice after, unsigned max, struct arena *arena,
                       struct sealed_row **out, size_t *n, struct err *e)
{
    const char *text = arena_printf(arena, "SELECT %s, %s FROM %s WHERE LENGTH(%s) > 0%s%s%s ORDER BY %s LIMIT %u", c->key, c->column, c->table,
                                    c->column, after.s != NULL ? " AND " : "", after.s != NULL ? c->key : "", after.s != NULL ? " > ?" : "",
                                    c->key, max);
    struct sql_value from = key_value(c, after);
    struct sql_rows rows;
    int rv = text != NULL ? db_read(d, text, &from, after.s != NULL ? 1 : 0, arena, &rows, e) : err_set(e, &ERR_NOMEM, "");

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    *out = arena_array(arena, rows.n_rows, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        (*out)[i] = (struct sealed_row){ sql_text(&rows, i, 0), sql_text(&rows, i, 1) };
    return 0;
}

int store_sealed_replace(struct tx *tx, const struct sealed_column *c, const struct sealed_row *former, struct slice value, struct err *e)
{
    struct arena arena;
    const char *text;
    int rv;

    arena_init(&arena);
    text = arena_printf(&arena, "UPDATE %s SET %s = ? WHERE %s = ? AND %s = ?", c->table, c->column, c->key, c->column);
    if (text == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else
        rv = tx_exec(tx, text, DB_ARGS(value_of(c, value), key_value(c, former->key), value_of(c, former->value)), NULL, e);
    arena_fini(&arena);
    return rv;
}

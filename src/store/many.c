/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/many.h"

#include <string.h>

enum { CHUNK = 500 };

static void add_row(struct str *t, unsigned n_columns)
{
    str_add_c(t, '(');
    for (unsigned i = 0; i < n_columns; i++)
        str_add(t, i == 0 ? "?" : ", ?");
    str_add_c(t, ')');
}

/* ON DUPLICATE KEY UPDATE a = VALUES(a), b = VALUES(b): the form that every server knows. */
static void add_update(struct str *t, const char *columns)
{
    struct slice rest = { columns, strlen(columns) };
    const char *before = " ON DUPLICATE KEY UPDATE ";

    while (rest.n > 0) {
        struct slice column = slice_trim(slice_cut(&rest, ','));

        str_printf(t, "%s%.*s = VALUES(%.*s)", before, SLICE_FMT(column), SLICE_FMT(column));
        before = ", ";
    }
}

static int write_chunk(struct tx *tx, const struct many_kind *kind, const struct sql_value *values, size_t n_rows, struct arena *arena,
                       struct err *e)
{
    struct str text;

    str_init(&text, arena);
    str_printf(&text, "INSERT INTO %s (%s) VALUES ", kind->table, kind->columns);
    for (size_t i = 0; i < n_rows; i++) {
        if (i > 0)
            str_add(&text, ", ");
        add_row(&text, kind->n_columns);
    }
    if (kind->update != NULL)
        add_update(&text, kind->update);
    if (str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    return tx_exec(tx, text.s, values, (unsigned)n_rows * kind->n_columns, NULL, e);
}

int many_write(struct tx *tx, const struct many_kind *kind, const struct sql_value *values, size_t n_rows, struct arena *arena,
               struct err *e)
{
    int rv = 0;

    for (size_t done = 0; rv == 0 && done < n_rows; done += CHUNK)
        rv = write_chunk(tx, kind, values + done * kind->n_columns, n_rows - done < CHUNK ? n_rows - done : CHUNK, arena, e);
    return rv;
}

static int drop_chunk(struct tx *tx, const char *table, const char *owner_column, int64_t owner, const int64_t *ids, size_t n,
                      struct arena *arena, struct err *e)
{
    struct str text;

    str_init(&text, arena);
    str_printf(&text, "DELETE FROM %s WHERE %s = ? AND id IN (", table, owner_column);
    for (size_t i = 0; i < n; i++)
        str_printf(&text, "%s%lld", i == 0 ? "" : ",", (long long)ids[i]);
    str_add_c(&text, ')');
    if (str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    return tx_exec(tx, text.s, DB_ARGS(SQL_V_I(owner)), NULL, e);
}

int many_drop(struct tx *tx, const char *table, const char *owner_column, int64_t owner, const int64_t *ids, size_t n, struct arena *arena,
              struct err *e)
{
    int rv = 0;

    for (size_t done = 0; rv == 0 && done < n; done += CHUNK)
        rv = drop_chunk(tx, table, owner_column, owner, ids + done, n - done < CHUNK ? n - done : CHUNK, arena, e);
    return rv;
}

static int tx_text(struct tx *tx, void *data, struct err *e)
{
    return tx_exec(tx, data, DB_NO_ARGS, NULL, e);
}

int many_touch(struct db *d, const char *update, const int64_t *ids, size_t n, struct err *e)
{
    struct str text;
    int rv;

    if (n == 0)
        return 0;
    str_init(&text, NULL);
    str_printf(&text, "%s (", update);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            str_add_c(&text, ',');
        str_add_i64(&text, ids[i]);
    }
    str_add_c(&text, ')');
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : db_transact(d, tx_text, text.s, e);
    str_fini(&text);
    return rv;
}

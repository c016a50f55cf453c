/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/schedule.h"

#include "src/base/field.h"

const char *const schedule_status_names[] = { "NEVER", "RUNNING", "SUCCESSFUL", "FAILED", NULL };

static const struct sql_field columns[] = {
    SQL_FIELD(schedule_row, name, "name", SQL_C_TEXT),
    SQL_FIELD(schedule_row, status, "status", SQL_C_INT),
    SQL_FIELD(schedule_row, wanted, "wanted", SQL_C_INT),
    SQL_FIELD(schedule_row, runs, "runs", SQL_C_INT64),
    SQL_FIELD(schedule_row, seen_us, "seen_at", SQL_C_TIME),
    SQL_FIELD(schedule_row, began_us, "began_at", SQL_C_TIME),
    SQL_FIELD(schedule_row, ended_us, "ended_at", SQL_C_TIME),
    SQL_FIELD(schedule_row, error, "error", SQL_C_TEXT),
    SQL_FIELD(schedule_row, node, "node", SQL_C_TEXT),
    { NULL },
};

int store_schedule_list(struct db *d, struct arena *arena, struct schedule_row **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = db_read(d, "SELECT name, status, wanted, runs, seen_at, began_at, ended_at, error, node FROM task_schedule ORDER BY name", DB_NO_ARGS,
                     arena, &rows, e);

    if (rv != 0)
        return rv;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        (*out)[i].began_us = (*out)[i].ended_us = FIELD_NONE;
    *n = rows.n_rows;
    return sql_fetch(&rows, columns, sizeof **out, *out, e);
}

struct statement {
    const char *text;
    const struct sql_value *values;
    unsigned n;
    uint64_t affected;
};

static int statement_body(struct tx *tx, void *data, struct err *e)
{
    struct statement *s = data;

    return tx_exec(tx, s->text, s->values, s->n, &s->affected, e);
}

int store_schedule_add(struct db *d, const char *name, int64_t now_us, struct err *e)
{
    const struct sql_value values[] = { sql_v_s(name), SQL_V_TIME(now_us) };
    struct statement s = { "INSERT INTO task_schedule (name, status, wanted, runs, seen_at, error, node) VALUES (?, 0, 0, 0, ?, '', '')", values, 2, 0 };
    int rv = db_transact(d, statement_body, &s, e);

    return rv != 0 && err_is(e, &ERR_SQL_DUPLICATE) ? 0 : rv;
}

int store_schedule_begin(struct db *d, const char *name, int64_t runs, const char *node, int64_t now_us, bool *mine, struct err *e)
{
    const struct sql_value values[] = { SQL_V_I(SCHEDULE_RUNNING), sql_v_s(node), SQL_V_TIME(now_us), sql_v_s(name), SQL_V_I(runs) };
    struct statement s = { "UPDATE task_schedule SET status = ?, wanted = 0, runs = runs + 1, node = ?, error = '', began_at = ?, ended_at = NULL "
                           "WHERE name = ? AND runs = ?",
                           values, 5, 0 };
    int rv = db_transact(d, statement_body, &s, e);

    *mine = rv == 0 && s.affected > 0;
    return rv;
}

int store_schedule_end(struct db *d, const char *name, int64_t runs, const char *error, int64_t now_us, struct err *e)
{
    const struct sql_value values[] = { SQL_V_I(error == NULL ? SCHEDULE_SUCCESSFUL : SCHEDULE_FAILED), sql_v_s(error != NULL ? error : ""),
                                        SQL_V_TIME(now_us), sql_v_s(name), SQL_V_I(runs) };
    struct statement s = { "UPDATE task_schedule SET status = ?, error = ?, ended_at = ? WHERE name = ? AND runs = ?", values, 5, 0 };

    return db_transact(d, statement_body, &s, e);
}

int store_schedule_want(struct db *d, const char *name, bool *found, struct err *e)
{
    const struct sql_value values[] = { sql_v_s(name) };
    struct statement s = { "UPDATE task_schedule SET wanted = 1 WHERE name = ?", values, 1, 0 };
    int rv = db_transact(d, statement_body, &s, e);

    *found = rv == 0 && s.affected > 0;
    return rv;
}

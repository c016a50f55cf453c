/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/object.h"

static const struct sql_field columns[] = {
    SQL_FIELD(ob_object, type, "type", SQL_C_TEXT),
    SQL_FIELD(ob_object, database, "db", SQL_C_TEXT),
    SQL_FIELD(ob_object, name, "name", SQL_C_TEXT),
    { NULL },
};

#define OF_PEOPLE(COLUMN) COLUMN " NOT IN ('oceanbase', 'information_schema', 'mysql') AND LEFT(" COLUMN ", 2) <> '__'"

int ob_objects_list(struct sql *s, struct arena *arena, struct ob_object **out, size_t *n, struct err *e)
{
    static const char text[] =
        "SELECT CASE WHEN table_type LIKE '%VIEW' THEN 'VIEW' ELSE 'TABLE' END AS type, table_schema AS db, table_name AS name "
        "FROM information_schema.tables WHERE " OF_PEOPLE("table_schema") " UNION ALL "
        "SELECT 'STORED_PROCEDURE', routine_schema, routine_name FROM information_schema.routines WHERE routine_type = 'PROCEDURE' AND "
        OF_PEOPLE("routine_schema") " ORDER BY 2, 3, 1";
    struct sql_rows rows;
    int rv = sql_run(s, text, NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return sql_fetch(&rows, columns, sizeof **out, *out, e);
}

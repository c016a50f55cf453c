/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/database.h"

#include <string.h>
#include <strings.h>

#include "src/oceanbase/quote.h"

static const struct sql_field columns[] = {
    SQL_FIELD(ob_database, name, "name", SQL_C_TEXT),
    SQL_FIELD(ob_database, charset, "charset", SQL_C_TEXT),
    SQL_FIELD(ob_database, collation, "collation", SQL_C_TEXT),
    SQL_FIELD(ob_database, read_only, "read_only", SQL_C_INT),
    SQL_FIELD(ob_database, comment, "comment", SQL_C_TEXT),
    SQL_FIELD(ob_database, id, "id", SQL_C_INT64),
    SQL_FIELD(ob_database, created_us, "created", SQL_C_TIME),
    { NULL },
};

bool ob_database_is_system(const char *name)
{
    static const char *const names[] = { "oceanbase", "information_schema", "mysql", "SYS", "LBACSYS", "ORAAUDITOR" };

    if (strncmp(name, "__", 2) == 0)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

int ob_databases_list(struct sql *s, struct arena *arena, struct ob_database **out, size_t *n, struct err *e)
{
    static const char text[] =
        "SELECT m.schema_name AS name, m.default_character_set_name AS charset, m.default_collation_name AS collation, "
        "CASE d.read_only WHEN 'YES' THEN 1 WHEN 'NO' THEN 0 ELSE -1 END AS read_only, d.comment AS comment, "
        "o.object_id AS id, o.created AS created "
        "FROM information_schema.schemata m LEFT JOIN oceanbase.DBA_OB_DATABASES d ON d.database_name = m.schema_name "
        "AND d.in_recyclebin = 'NO' "
        "LEFT JOIN oceanbase.DBA_OBJECTS o ON o.object_type = 'DATABASE' AND o.object_name = m.schema_name ORDER BY m.schema_name";
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

static int run(struct sql *s, const char *verb, const struct ob_database *d, struct err *e)
{
    struct sql_value values[2];
    unsigned n = 0;
    struct arena arena;
    struct str t;
    int rv;

    arena_init(&arena);
    str_init(&t, &arena);
    str_add(&t, verb);
    quote_name(&t, d->name);
    if (d->charset != NULL) {
        str_add(&t, " DEFAULT CHARACTER SET = ?");
        values[n++] = sql_v_s(d->charset);
    }
    if (d->collation != NULL) {
        str_add(&t, " DEFAULT COLLATE = ?");
        values[n++] = sql_v_s(d->collation);
    }
    if (d->read_only >= 0)
        str_add(&t, d->read_only > 0 ? " READ ONLY" : " READ WRITE");
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : sql_run(s, t.s, values, n, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

int ob_database_create(struct sql *s, const struct ob_database *d, struct err *e)
{
    return run(s, "CREATE DATABASE ", d, e);
}

int ob_database_alter(struct sql *s, const struct ob_database *d, struct err *e)
{
    return run(s, "ALTER DATABASE ", d, e);
}

int ob_database_drop(struct sql *s, const char *name, struct err *e)
{
    struct ob_database d = { .name = name, .read_only = -1 };

    return run(s, "DROP DATABASE ", &d, e);
}

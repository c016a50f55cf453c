/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/variable.h"

#include <stdio.h>
#include <string.h>

#include "src/base/num.h"

ERR_DEFINE(ERR_OB_VARIABLE_UNKNOWN, 90405, 404, ERR_FINAL, "The tenant has no variable {0}.", "租户变量 {0} 不存在。");
ERR_DEFINE(ERR_OB_VARIABLE_VALUE, 90406, 400, ERR_FINAL, "The tenant does not accept {1} for its variable {0}.",
           "租户变量 {0} 不接受取值 {1}。");
ERR_DEFINE(ERR_OB_VARIABLE_READ_ONLY, 90407, 400, ERR_FINAL, "The variable {0} cannot be changed for the whole tenant.",
           "变量 {0} 不能在租户级别修改。");

const struct err_row *const ob_variable_err_rows[] = { &ERR_OB_VARIABLE_UNKNOWN, &ERR_OB_VARIABLE_VALUE, &ERR_OB_VARIABLE_READ_ONLY, NULL };

static const struct sql_field columns[] = {
    SQL_FIELD(ob_variable, name, "name", SQL_C_TEXT),
    SQL_FIELD(ob_variable, value, "value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, min, "min_value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, max, "max_value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, scope, "scope", SQL_C_TEXT),
    SQL_FIELD(ob_variable, info, "info", SQL_C_TEXT),
    SQL_FIELD(ob_variable, default_value, "default_value", SQL_C_TEXT),
    { NULL },
};

int ob_variables_list(struct sql *s, struct arena *arena, struct ob_variable **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s,
                     "SELECT name, value, NULLIF(min_value, '') AS min_value, NULLIF(max_value, '') AS max_value, scope, "
                     "NULLIF(info, '') AS info, default_value FROM oceanbase.DBA_OB_SYS_VARIABLES ORDER BY name",
                     NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        (*out)[i].value = "";
    return sql_fetch(&rows, columns, sizeof **out, *out, e);
}

static bool is_word(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 128 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

static const struct err_row *row_of(int number)
{
    switch (number) {
    case 1193:
        return &ERR_OB_VARIABLE_UNKNOWN;
    case 1231:
    case 1232:
        return &ERR_OB_VARIABLE_VALUE;
    case 1228:
    case 1238:
        return &ERR_OB_VARIABLE_READ_ONLY;
    default:
        return NULL;
    }
}

int ob_variable_set(struct sql *s, const char *name, const char *value, struct err *e)
{
    struct sql_value v = sql_v_s(value);
    const struct err_row *row;
    struct arena arena;
    char text[256];
    int64_t number;
    int rv;

    if (!is_word(name))
        return err_set(e, &ERR_OB_VARIABLE_UNKNOWN, "%s", name);
    if (num_parse_i64((struct slice){ value, strlen(value) }, &number)) /* '10' would be refused where a number is wanted */
        v = SQL_V_I(number);
    (void)snprintf(text, sizeof text, "SET GLOBAL %s = ?", name);
    arena_init(&arena);
    rv = sql_run(s, text, &v, 1, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    row = rv != 0 ? row_of(e->lib_code) : NULL;
    if (row == NULL)
        return rv;
    (void)err_set(e, row, "%s", name);
    return err_arg(e, "%s", value);
}

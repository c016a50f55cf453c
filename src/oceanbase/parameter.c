/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/parameter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/oceanbase/engine.h"
#include "src/oceanbase/quote.h"

ERR_DEFINE(ERR_OB_PARAMETER_UNKNOWN, 11055, 400, ERR_FINAL, "The cluster has no parameter {0}.", "集群参数 {0} 不存在。");
ERR_DEFINE(ERR_OB_PARAMETER_VALUE, 11056, 400, ERR_FINAL, "The cluster does not accept {1} for its parameter {0}.",
           "集群参数 {0} 不接受取值 {1}。");

const struct err_row *const ob_parameter_err_rows[] = { &ERR_OB_PARAMETER_UNKNOWN, &ERR_OB_PARAMETER_VALUE, NULL };

enum { CONFIG_UNKNOWN = 5099, CONFIG_INVALID = 4147 };

const char *const ob_parameter_scope_names[] = { "CLUSTER", "ZONE", "SERVER", "TENANT", NULL };

static const struct sql_field columns[] = {
    SQL_FIELD(ob_parameter, name, "NAME", SQL_C_TEXT),
    SQL_FIELD(ob_parameter, value, "VALUE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, scope, "SCOPE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, data_type, "DATA_TYPE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, info, "INFO", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, section, "SECTION", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, edit_level, "EDIT_LEVEL", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, default_value, "DEFAULT_VALUE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, zone, "ZONE", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, ip, "SVR_IP", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, port, "SVR_PORT", SQL_C_INT64),
    SQL_FIELD_OPT(ob_parameter, tenant_id, "TENANT_ID", SQL_C_INT64),
    { NULL },
};

static int fetch(const struct sql_rows *rows, struct arena *arena, struct ob_parameter **out, struct err *e)
{
    *out = arena_array(arena, rows->n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows->n_rows; i++)
        (*out)[i] = (struct ob_parameter){ .value = "", .port = -1, .tenant_id = -1 };
    return sql_fetch(rows, columns, sizeof **out, *out, e);
}

int ob_parameters_list(struct sql *s, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, "SELECT * FROM oceanbase.V$OB_PARAMETERS ORDER BY name", NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    return fetch(&rows, arena, out, e);
}

int ob_parameter_get(struct sql *s, const char *name, struct arena *arena, struct ob_parameter *out, bool *found, struct err *e)
{
    struct sql_value value = sql_v_s(name);
    struct ob_parameter *one;
    struct sql_rows rows;
    int rv = sql_run(s, "SELECT * FROM oceanbase.V$OB_PARAMETERS WHERE name = ? LIMIT 1", &value, 1, 0, arena, &rows, e);

    if (rv == 0)
        rv = fetch(&rows, arena, &one, e);
    if (rv != 0)
        return rv;
    *found = rows.n_rows > 0;
    if (*found)
        *out = *one;
    return 0;
}

int ob_cluster_parameters_list(struct sql *s, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, ob_queries(s)->parameters, NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    return fetch(&rows, arena, out, e);
}

int ob_cluster_parameter_get(struct sql *s, const char *name, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e)
{
    struct sql_value value = sql_v_s(name);
    struct sql_rows rows;
    int rv = sql_run(s, ob_queries(s)->parameter, &value, 1, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    return fetch(&rows, arena, out, e);
}

bool ob_parameter_is_of_tenants(const struct ob_parameter *p)
{
    return p->scope != NULL && strcasecmp(p->scope, "TENANT") == 0;
}

bool ob_parameter_is_read_only(const struct ob_parameter *p)
{
    return p->edit_level != NULL && strcasecmp(p->edit_level, "READONLY") == 0;
}

bool ob_parameter_needs_restart(const struct ob_parameter *p)
{
    return p->edit_level != NULL && strcasecmp(p->edit_level, "STATIC_EFFECTIVE") == 0;
}

static bool is_word(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

/* `text` without blanks around it; NULL when nothing, an infinity or a description ("total size of memory") is left. */
static bool bound(struct slice text, struct arena *arena, const char **out)
{
    text = slice_trim(text);
    *out = NULL;
    if (text.n == 0 || memchr(text.s, ' ', text.n) != NULL || slice_starts(text, "+\xe2\x88\x9e") || slice_starts(text, "\xe2\x88\x9e") || slice_starts(text, "-\xe2\x88\x9e"))
        return true;
    *out = arena_strndup(arena, text.s, text.n);
    return *out != NULL;
}

/* "[1, 100] in integer", "(0, +infinity)", "0, [1G,)", or a list of words. */
static bool read_range(const char *text, struct arena *arena, struct ob_parameter_range *out)
{
    const char *open = strpbrk(text, "[("), *comma = open != NULL ? strchr(open, ',') : NULL;
    const char *close = comma != NULL ? strpbrk(comma, "])") : NULL;

    if (close == NULL || memchr(open + 1, '(', (size_t)(comma - open)) != NULL) {
        struct slice words = slice_trim((struct slice){ text, strcspn(text, "\n") });

        while (words.n > 0 && words.s[words.n - 1] == '.')
            words.n--;
        out->allowed = words.n > 0 ? arena_strndup(arena, words.s, words.n) : NULL;
        return words.n == 0 || out->allowed != NULL;
    }
    out->min_open = *open == '(';
    out->max_open = *close == ')';
    return bound((struct slice){ open + 1, (size_t)(comma - open - 1) }, arena, &out->min) &&
           bound((struct slice){ comma + 1, (size_t)(close - comma - 1) }, arena, &out->max);
}

bool ob_parameter_range(const struct ob_parameter *p, struct arena *arena, struct ob_parameter_range *out)
{
    const char *at = p->info != NULL ? strcasestr(p->info, "range:") : NULL;

    *out = (struct ob_parameter_range){ .min = NULL };
    if (at != NULL)
        return read_range(at + 6 + strspn(at + 6, " "), arena, out);
    if (p->data_type != NULL && strcasecmp(p->data_type, "BOOL") == 0)
        out->allowed = "True, False";
    return true;
}

int ob_parameter_refused(int rv, const char *name, const char *value, struct err *e)
{
    if (rv != 0 && e->lib_code == CONFIG_UNKNOWN)
        return err_set(e, &ERR_OB_PARAMETER_UNKNOWN, "%s", name);
    if (rv == 0 || e->lib_code != CONFIG_INVALID)
        return rv;
    (void)err_set(e, &ERR_OB_PARAMETER_VALUE, "%s", name);
    return err_arg(e, "%s", value != NULL ? value : "its default");
}

/* Some tenants at once are named by a word of the grammar. */
static bool is_group(const char *tenant)
{
    static const char *const groups[] = { "all", "all_user", "all_meta" };

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strcasecmp(tenant, groups[i]) == 0)
            return true;
    return false;
}

/* The clause that says where; *quoted is a value for a '?' in it, or NULL. */
static void add_target(struct str *text, const struct ob_parameter_target *t, const char **quoted)
{
    static const char *const clauses[] = { [OB_SCOPE_ZONE] = " ZONE = ?", [OB_SCOPE_SERVER] = " SERVER = ?", [OB_SCOPE_TENANT] = " TENANT = " };

    *quoted = NULL;
    if (t->scope == OB_SCOPE_CLUSTER)
        return;
    str_add(text, clauses[t->scope]);
    if (t->scope != OB_SCOPE_TENANT)
        *quoted = t->name;
    else if (is_group(t->name))
        str_add(text, t->name);
    else
        quote_name(text, t->name);
}

/* value NULL: back to the default. */
static int alter(struct sql *s, const char *name, const char *value, const struct ob_parameter_target *t, struct err *e)
{
    struct sql_value values[2];
    const char *quoted;
    unsigned n = 0;
    struct arena arena;
    struct str text;
    int rv;

    if (!is_word(name) || strlen(name) > 128)
        return err_set(e, &ERR_OB_PARAMETER_UNKNOWN, "%s", name);
    arena_init(&arena);
    str_init(&text, &arena);
    str_printf(&text, "ALTER SYSTEM %s %s%s", value != NULL ? "SET" : "RESET", name, value != NULL ? " = ?" : "");
    add_target(&text, t, &quoted);
    if (value != NULL)
        values[n++] = sql_v_s(value);
    if (quoted != NULL)
        values[n++] = sql_v_s(quoted);
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : sql_run(s, str_c(&text), values, n, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return ob_parameter_refused(rv, name, value, e);
}

static const struct ob_parameter_target everywhere = { OB_SCOPE_CLUSTER, "" };

int ob_parameter_set(struct sql *s, const char *name, const char *value, struct err *e)
{
    return alter(s, name, value, &everywhere, e);
}

int ob_parameter_set_at(struct sql *s, const char *name, const char *value, const struct ob_parameter_target *t, struct err *e)
{
    return alter(s, name, value, t, e);
}

int ob_parameter_reset(struct sql *s, const char *name, struct err *e)
{
    return alter(s, name, NULL, &everywhere, e);
}

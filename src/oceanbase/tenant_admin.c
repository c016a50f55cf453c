/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/tenant_admin.h"

#include <string.h>

#include "src/base/num.h"
#include "src/oceanbase/cluster_admin.h"
#include "src/oceanbase/quote.h"

static int fetch(const struct sql_rows *rows, const struct sql_field *columns, size_t size, struct arena *arena, void **out, size_t *n,
                 struct err *e)
{
    *n = rows->n_rows;
    *out = arena_array(arena, rows->n_rows + 1, size);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return sql_fetch(rows, columns, size, *out, e);
}

static int list(struct sql *s, const char *text, int64_t ob_tenant_id, const struct sql_field *columns, size_t size, struct arena *arena,
                void **out, size_t *n, struct err *e)
{
    struct sql_value id = SQL_V_I(ob_tenant_id);
    struct sql_rows rows;
    int rv = sql_run(s, text, &id, 1, 0, arena, &rows, e);

    return rv == 0 ? fetch(&rows, columns, size, arena, out, n, e) : rv;
}

/* --- one tenant --------------------------------------------------------------------------------------------------------------- */

static const struct sql_field now_columns[] = {
    SQL_FIELD(ob_tenant_now, name, "TENANT_NAME", SQL_C_TEXT),
    SQL_FIELD(ob_tenant_now, mode, "COMPATIBILITY_MODE", SQL_C_TEXT),
    SQL_FIELD(ob_tenant_now, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD(ob_tenant_now, locked, "IS_LOCKED", SQL_C_BOOL),
    { NULL },
};

int ob_tenant_find(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_tenant_now *out, bool *found, struct err *e)
{
    void *rows;
    size_t n;
    int rv = list(s,
                  "SELECT tenant_name, compatibility_mode, status, locked = 'YES' AS is_locked FROM oceanbase.DBA_OB_TENANTS "
                  "WHERE tenant_id = ?",
                  ob_tenant_id, now_columns, sizeof *out, arena, &rows, &n, e);

    *found = rv == 0 && n > 0;
    if (*found)
        *out = *(struct ob_tenant_now *)rows;
    return rv;
}

static const struct sql_field point_columns[] = {
    SQL_FIELD(ob_tenant_point, ip, "SVR_IP", SQL_C_TEXT),
    SQL_FIELD(ob_tenant_point, sql_port, "SQL_PORT", SQL_C_INT64),
    { NULL },
};

int ob_tenant_points(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_tenant_point **out, size_t *n, struct err *e)
{
    return list(s,
                "SELECT DISTINCT v.svr_ip, v.sql_port, CASE WHEN v.status <> 'ACTIVE' THEN 2 WHEN v.stop_time IS NOT NULL THEN 1 ELSE 0 END AS away "
                "FROM oceanbase.DBA_OB_UNITS u JOIN oceanbase.DBA_OB_SERVERS v ON v.svr_ip = u.svr_ip AND v.svr_port = u.svr_port "
                "WHERE u.tenant_id = ? ORDER BY 3, 1, 2",
                ob_tenant_id, point_columns, sizeof **out, arena, (void **)out, n, e);
}

static int run(struct sql *s, struct str *t, const struct sql_value *values, unsigned n, struct err *e)
{
    int rv = str_failed(t) ? err_set(e, &ERR_NOMEM, "") : sql_run(s, t->s, values, n, SQL_COMMIT, t->arena, NULL, e);

    arena_fini(t->arena);
    return rv;
}

static void begin(struct str *t, struct arena *arena, const char *text)
{
    arena_init(arena);
    str_init(t, arena);
    str_add(t, text);
}

int ob_tenant_set_locked(struct sql *s, const char *name, bool locked, struct err *e)
{
    struct arena arena;
    struct str t;

    begin(&t, &arena, "ALTER TENANT ");
    quote_name(&t, name);
    str_add(&t, locked ? " LOCK" : " UNLOCK");
    return run(s, &t, NULL, 0, e);
}

/* --- where leaders go --------------------------------------------------------------------------------------------------------- */

static bool has_zone(struct slice group, struct slice zone)
{
    while (group.n > 0) {
        struct slice one = slice_trim(slice_cut(&group, ','));

        if (one.n == zone.n && memcmp(one.s, zone.s, zone.n) == 0)
            return true;
    }
    return false;
}

/* Is every zone of `group` one of `other`? */
static bool is_within(struct slice group, struct slice other)
{
    while (group.n > 0)
        if (!has_zone(other, slice_trim(slice_cut(&group, ','))))
            return false;
    return true;
}

bool ob_primary_zone_is(const char *one, const char *other)
{
    struct slice a = { one, strlen(one) }, b = { other, strlen(other) };

    if (slice_is_nocase(a, "RANDOM") && slice_is_nocase(b, "RANDOM"))
        return true;
    while (a.n > 0 && b.n > 0) {
        struct slice x = slice_cut(&a, ';'), y = slice_cut(&b, ';');

        if (!is_within(x, y) || !is_within(y, x))
            return false;
    }
    return a.n == b.n;
}

static int primary_zone_is(struct sql *s, const char *name, const char *wanted, bool *yes, struct err *e)
{
    struct sql_value value = sql_v_s(name);
    struct sql_rows rows;
    struct arena arena;
    struct slice now;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, "SELECT primary_zone FROM oceanbase.DBA_OB_TENANTS WHERE tenant_name = ?", &value, 1, 0, &arena, &rows, e);
    if (rv == 0 && rows.n_rows == 0) {
        (void)err_set(e, &ERR_NOT_FOUND, "tenant");
        rv = err_arg(e, "%s", name);
    }
    now = rv == 0 ? sql_text(&rows, 0, 0) : (struct slice){ NULL, 0 };
    *yes = rv == 0 && now.s != NULL && ob_primary_zone_is(now.s, wanted);
    arena_fini(&arena);
    return rv;
}

int ob_tenant_set_primary_zone(struct sql *s, const char *name, const char *primary_zone, struct err *e)
{
    struct sql_value value = sql_v_s(primary_zone);
    struct arena arena;
    struct str t;
    bool yes;
    int rv = primary_zone_is(s, name, primary_zone, &yes, e);

    if (rv != 0 || yes)
        return rv;
    begin(&t, &arena, "ALTER TENANT ");
    quote_name(&t, name);
    str_add(&t, " PRIMARY_ZONE = ?");
    rv = run(s, &t, &value, 1, e);
    if (rv == 0)
        rv = primary_zone_is(s, name, primary_zone, &yes, e);
    return rv == 0 && !yes ? err_set(e, &ERR_OB_UNVERIFIED, "PRIMARY_ZONE = %s", primary_zone) : rv;
}

/* --- time zones --------------------------------------------------------------------------------------------------------------- */

bool ob_loads_time_zones(const char *version)
{
    static const int64_t since[] = { 4, 3, 5, 2 };
    struct slice rest = { version, strlen(version) };

    for (unsigned i = 0; i < sizeof since / sizeof since[0]; i++) {
        int64_t part;

        if (!num_parse_i64(slice_cut(&rest, '.'), &part))
            return false;
        if (part != since[i])
            return part > since[i];
    }
    return true;
}

int ob_time_zones_load(struct sql *s, const char *tenant, struct err *e)
{
    struct arena arena;
    struct str t;

    begin(&t, &arena, "ALTER SYSTEM LOAD MODULE DATA MODULE = timezone TENANT = ");
    quote_name(&t, tenant);
    return run(s, &t, NULL, 0, e);
}

/* --- system variables --------------------------------------------------------------------------------------------------------- */

static const struct sql_field variable_columns[] = {
    SQL_FIELD(ob_variable, name, "name", SQL_C_TEXT),
    SQL_FIELD(ob_variable, value, "value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, min, "min_value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, max, "max_value", SQL_C_TEXT),
    SQL_FIELD(ob_variable, scope, "scope", SQL_C_TEXT),
    SQL_FIELD(ob_variable, info, "info", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_variable, default_value, "default_value", SQL_C_TEXT),
    { NULL },
};

/* The view keeps switches as 0 and 1 and collations by number. Which variables are switches is seen at the tenant sys, which words its own. */
#define WORDED(COLUMN, COLLATION)                                                                                                  \
    "CASE WHEN g.variable_value IN ('ON', 'OFF') AND v." COLUMN " IN ('0', '1') THEN CASE v." COLUMN " WHEN '1' THEN 'ON' ELSE 'OFF' END " \
    "WHEN v.name LIKE 'collation%' THEN COALESCE(" COLLATION ".collation_name, v." COLUMN ") "                                     \
    "WHEN v.name LIKE 'character%' THEN COALESCE(" COLLATION ".character_set_name, v." COLUMN ") "                                 \
    "WHEN v." COLUMN " = y.value THEN COALESCE(g.variable_value, v." COLUMN ") ELSE v." COLUMN " END"

int ob_variables_of_tenant(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_variable **out, size_t *n, struct err *e)
{
    int rv = list(s,
                  "SELECT v.name, " WORDED("value", "c") " AS value, NULLIF(v.min_value, '') AS min_value, NULLIF(v.max_value, '') AS max_value, "
                  "v.scope, NULLIF(v.info, '') AS info, " WORDED("default_value", "d") " AS default_value "
                  "FROM oceanbase.CDB_OB_SYS_VARIABLES v LEFT JOIN oceanbase.CDB_OB_SYS_VARIABLES y ON y.tenant_id = 1 AND y.name = v.name "
                  "LEFT JOIN information_schema.GLOBAL_VARIABLES g ON g.variable_name = v.name "
                  "LEFT JOIN information_schema.collations c ON c.id = v.value LEFT JOIN information_schema.collations d "
                  "ON d.id = v.default_value WHERE v.tenant_id = ? ORDER BY v.name",
                  ob_tenant_id, variable_columns, sizeof **out, arena, (void **)out, n, e);

    for (size_t i = 0; rv == 0 && i < *n; i++)
        if ((*out)[i].value == NULL)
            (*out)[i].value = "";
    return rv;
}

static bool is_word(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 128 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

int ob_tenant_variable_set(struct sql *s, const char *tenant, const char *name, const char *value, struct err *e)
{
    struct sql_value v = sql_v_s(value);
    struct arena arena;
    struct str t;
    int64_t number;

    if (!is_word(name))
        return err_set(e, &ERR_OB_VARIABLE_UNKNOWN, "%s", name);
    if (num_parse_i64((struct slice){ value, strlen(value) }, &number))
        v = SQL_V_I(number);
    begin(&t, &arena, "ALTER TENANT ");
    quote_name(&t, tenant);
    str_printf(&t, " SET VARIABLES %s = ?", name);
    return ob_variable_refused(run(s, &t, &v, 1, e), name, value, e);
}

/* --- parameters --------------------------------------------------------------------------------------------------------------- */

static const struct sql_field parameter_columns[] = {
    SQL_FIELD(ob_parameter, name, "NAME", SQL_C_TEXT),
    SQL_FIELD(ob_parameter, value, "VALUE", SQL_C_TEXT),
    SQL_FIELD(ob_parameter, scope, "SCOPE", SQL_C_TEXT),
    SQL_FIELD(ob_parameter, data_type, "DATA_TYPE", SQL_C_TEXT),
    SQL_FIELD(ob_parameter, info, "INFO", SQL_C_TEXT),
    SQL_FIELD(ob_parameter, section, "SECTION", SQL_C_TEXT),
    SQL_FIELD(ob_parameter, edit_level, "EDIT_LEVEL", SQL_C_TEXT),
    SQL_FIELD_OPT(ob_parameter, default_value, "DEFAULT_VALUE", SQL_C_TEXT),
    { NULL },
};

int ob_parameters_of_tenant(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e)
{
    size_t n_rows, kept = 0;
    int rv = list(s, "SELECT * FROM oceanbase.GV$OB_PARAMETERS WHERE tenant_id = ? AND scope = 'TENANT' ORDER BY name, svr_ip, svr_port",
                  ob_tenant_id, parameter_columns, sizeof **out, arena, (void **)out, &n_rows, e);

    for (size_t i = 0; rv == 0 && i < n_rows; i++) { /* there is a row of each server */
        struct ob_parameter *p = &(*out)[i];

        if (p->name == NULL || (kept > 0 && strcmp((*out)[kept - 1].name, p->name) == 0))
            continue;
        (*out)[kept] = *p;
        if (p->value == NULL)
            (*out)[kept].value = "";
        kept++;
    }
    *n = kept;
    return rv;
}

int ob_tenant_parameter_set(struct sql *s, const char *tenant, const char *name, const char *value, struct err *e)
{
    struct sql_value v = sql_v_s(value);
    struct arena arena;
    struct str t;

    if (!is_word(name))
        return err_set(e, &ERR_OB_PARAMETER_UNKNOWN, "%s", name);
    begin(&t, &arena, "ALTER SYSTEM SET ");
    str_printf(&t, "%s = ? TENANT = ", name);
    quote_name(&t, tenant);
    return ob_parameter_refused(run(s, &t, &v, 1, e), name, value, e);
}

/* --- inside the tenant -------------------------------------------------------------------------------------------------------- */

int ob_tenant_of_session(struct sql *s, int64_t *ob_tenant_id, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, "SELECT effective_tenant_id()", NULL, 0, 0, &arena, &rows, e);
    if (rv == 0 && !sql_i64(&rows, 0, 0, ob_tenant_id))
        rv = err_set(e, &ERR_UNEXPECTED, "%s does not say which tenant a session is in", sql_peer(s));
    arena_fini(&arena);
    return rv;
}

int ob_oracle_password_set(struct sql *s, const char *password, struct err *e)
{
    struct arena arena;
    struct str t;

    if (strchr(password, '"') != NULL)
        return err_set(e, &ERR_INVALID, "a password in Oracle mode cannot have a double quote");
    begin(&t, &arena, "ALTER USER SYS IDENTIFIED BY \"");
    str_add(&t, password);
    str_add_c(&t, '"');
    return run(s, &t, NULL, 0, e);
}

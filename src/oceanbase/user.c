/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts are taken as 'name'@'%', the only host that OCP's operations know. */
#include "src/oceanbase/user.h"

#include <string.h>

#include "src/oceanbase/quote.h"

static const struct sql_field user_columns[] = {
    SQL_FIELD(ob_user, name, "USER_NAME", SQL_C_TEXT),
    SQL_FIELD(ob_user, host, "HOST", SQL_C_TEXT),
    SQL_FIELD(ob_user, is_role, "ROLE", SQL_C_BOOL),
    SQL_FIELD(ob_user, is_locked, "LOCKED", SQL_C_BOOL),
    SQL_FIELD(ob_user, password_changed_us, "PASSWORD_LAST_CHANGED", SQL_C_TIME),
    SQL_FIELD_OPT(ob_user, created_us, "CREATED", SQL_C_TIME),
    { NULL },
};

static int list(struct sql *s, const char *text, const struct sql_value *values, unsigned n_values, const struct sql_field *columns,
                size_t size, struct arena *arena, void **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, text, values, n_values, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    *out = arena_array(arena, rows.n_rows + 1, size);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return sql_fetch(&rows, columns, size, *out, e);
}

int ob_users_list(struct sql *s, struct arena *arena, struct ob_user **out, size_t *n, struct err *e)
{
    /* only the inner table knows since when; it may be closed to this login, or look different on another kernel */
    int rv = list(s,
                  "SELECT u.user_name, u.host, u.type = 'ROLE' AS role, u.is_locked = 'YES' AS locked, u.password_last_changed, "
                  "a.gmt_create AS created FROM oceanbase.DBA_OB_USERS u LEFT JOIN oceanbase.__all_user a "
                  "ON a.user_name = u.user_name AND a.host = u.host ORDER BY u.user_name, u.host",
                  NULL, 0, user_columns, sizeof **out, arena, (void **)out, n, e);

    if (rv == 0 || sql_is_dead(s) || !(err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_SQL_DENIED)))
        return rv;
    return list(s,
                "SELECT user_name, host, type = 'ROLE' AS role, is_locked = 'YES' AS locked, password_last_changed "
                "FROM oceanbase.DBA_OB_USERS ORDER BY user_name, host",
                NULL, 0, user_columns, sizeof **out, arena, (void **)out, n, e);
}

static const struct sql_field privilege_columns[] = {
    SQL_FIELD(ob_privilege, user, "user_name", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, host, "host", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, database, "db", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, object, "object", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, privilege, "privilege", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, with_grant, "with_grant", SQL_C_BOOL),
    { NULL },
};

/* GRANTEE is 'name'@'host', with nothing escaped: the part before the last "'@'" is the name. */
#define GRANTEE_COLUMNS                                                                                        \
    "SUBSTRING(grantee, 2, CHAR_LENGTH(grantee) - LOCATE('\\'@\\'', REVERSE(grantee)) - 3) AS user_name, " \
    "TRIM(BOTH '\\'' FROM SUBSTRING_INDEX(grantee, '@', -1)) AS host, "
#define GRANTED "privilege_type AS privilege, is_grantable = 'YES' AS with_grant "

int ob_privileges_list(struct sql *s, const char *user, struct arena *arena, struct ob_privilege **out, size_t *n, struct err *e)
{
    static const char everywhere[] = "SELECT " GRANTEE_COLUMNS "NULL AS db, NULL AS object, " GRANTED
                                     "FROM information_schema.user_privileges WHERE privilege_type <> 'USAGE'";
    static const char databases[] = "SELECT " GRANTEE_COLUMNS "table_schema AS db, NULL AS object, " GRANTED
                                    "FROM information_schema.schema_privileges WHERE privilege_type <> 'USAGE'";
    static const char objects[] = "SELECT " GRANTEE_COLUMNS "table_schema AS db, table_name AS object, " GRANTED
                                  "FROM information_schema.table_privileges WHERE privilege_type <> 'USAGE'";
    static const char *const parts[] = { everywhere, databases, objects };
    struct ob_privilege *found[3];
    size_t counts[3] = { 0 };
    struct sql_value grantee;
    struct str who;
    int rv = 0;

    str_init(&who, arena);
    str_printf(&who, "'%s'@'%%'", user != NULL ? user : "");
    grantee = sql_v_s(str_c(&who));
    *n = 0;
    for (unsigned i = 0; rv == 0 && i < 3; i++) {
        char *text = arena_printf(arena, "%s%s", parts[i], user != NULL ? " AND grantee = ?" : "");

        if (text == NULL || str_failed(&who))
            return err_set(e, &ERR_NOMEM, "");
        rv = list(s, text, &grantee, user != NULL ? 1 : 0, privilege_columns, sizeof *found[i], arena, (void **)&found[i], &counts[i], e);
        *n += counts[i];
    }
    if (rv != 0)
        return rv;
    *out = arena_array(arena, *n + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0, at = 0; i < 3; at += counts[i], i++)
        memcpy(*out + at, found[i], counts[i] * sizeof **out);
    return 0;
}

static const struct sql_field edge_columns[] = {
    SQL_FIELD(ob_role_edge, role, "from_user", SQL_C_TEXT),
    SQL_FIELD(ob_role_edge, user, "to_user", SQL_C_TEXT),
    { NULL },
};

int ob_role_edges_list(struct sql *s, struct arena *arena, struct ob_role_edge **out, size_t *n, struct err *e)
{
    return list(s, "SELECT from_user, to_user FROM mysql.role_edges WHERE to_host = '%' ORDER BY to_user, from_user", NULL, 0, edge_columns, sizeof **out, arena,
                (void **)out, n, e);
}

static int run(struct sql *s, const char *text, const struct sql_value *values, unsigned n, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, text, values, n, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

int ob_user_create(struct sql *s, const char *user, const char *password, struct err *e)
{
    struct sql_value values[] = { sql_v_s(user), sql_v_s(password) };

    return run(s, "CREATE USER ?@'%' IDENTIFIED BY ?", values, 2, e);
}

int ob_user_drop(struct sql *s, const char *user, struct err *e)
{
    struct sql_value value = sql_v_s(user);

    return run(s, "DROP USER ?@'%'", &value, 1, e);
}

int ob_user_set_password(struct sql *s, const char *user, const char *password, struct err *e)
{
    struct sql_value values[] = { sql_v_s(user), sql_v_s(password) };

    return run(s, "ALTER USER ?@'%' IDENTIFIED BY ?", values, 2, e);
}

int ob_user_set_locked(struct sql *s, const char *user, bool locked, struct err *e)
{
    struct sql_value value = sql_v_s(user);

    return run(s, locked ? "ALTER USER ?@'%' ACCOUNT LOCK" : "ALTER USER ?@'%' ACCOUNT UNLOCK", &value, 1, e);
}

int ob_role_create(struct sql *s, const char *role, struct err *e)
{
    struct sql_value value = sql_v_s(role);

    return run(s, "CREATE ROLE ?", &value, 1, e);
}

int ob_role_drop(struct sql *s, const char *role, struct err *e)
{
    struct sql_value value = sql_v_s(role);

    return run(s, "DROP ROLE ?", &value, 1, e);
}

static bool is_words(const char *text)
{
    return text[0] != '\0' && strlen(text) < 64 && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz")] == '\0';
}

static void add_target(struct str *t, const char *database, const char *object)
{
    str_add(t, " ON ");
    if (database == NULL) {
        str_add(t, "*.*");
        return;
    }
    quote_name(t, database);
    str_add_c(t, '.');
    if (object != NULL)
        quote_name(t, object);
    else
        str_add_c(t, '*');
}

static int finish(struct sql *s, struct str *t, enum ob_grant what, const char *user, struct err *e)
{
    struct sql_value value = sql_v_s(user);
    int rv;

    str_add(t, what == OB_GRANT ? " TO ?" : " FROM ?");
    rv = str_failed(t) ? err_set(e, &ERR_NOMEM, "") : run(s, t->s, &value, 1, e);
    str_fini(t);
    return rv;
}

int ob_privileges_change(struct sql *s, enum ob_grant what, const char *const *privileges, size_t n, const char *database,
                         const char *object, const char *user, struct err *e)
{
    struct str t;

    for (size_t i = 0; i < n; i++)
        if (!is_words(privileges[i]))
            return err_set(e, &ERR_INVALID, "privilege %s is none", privileges[i]);
    str_init(&t, NULL);
    str_add(&t, what == OB_GRANT ? "GRANT " : "REVOKE ");
    for (size_t i = 0; i < n; i++)
        str_printf(&t, "%s%s", i > 0 ? ", " : "", privileges[i]);
    add_target(&t, database, object);
    return finish(s, &t, what, user, e);
}

int ob_roles_change(struct sql *s, enum ob_grant what, const char *const *roles, size_t n, const char *user, struct err *e)
{
    struct str t;

    str_init(&t, NULL);
    str_add(&t, what == OB_GRANT ? "GRANT " : "REVOKE ");
    for (size_t i = 0; i < n; i++) {
        str_add(&t, i > 0 ? ", " : "");
        quote_name(&t, roles[i]);
    }
    return finish(s, &t, what, user, e);
}

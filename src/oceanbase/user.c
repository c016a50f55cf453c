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
    SQL_FIELD_OPT(ob_user, modified_us, "MODIFIED", SQL_C_TIME),
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

#define USER_COLUMNS "u.user_name, u.host, u.type = 'ROLE' AS role, u.is_locked = 'YES' AS locked, u.password_last_changed"
#define USER_ORDER " ORDER BY u.user_name, u.host"

/* Only the inner table knows since when; it may be closed to this login, or look different on another kernel. */
static int list_users(struct sql *s, const char *name, struct arena *arena, struct ob_user **out, size_t *n, struct err *e)
{
    const char *condition = name != NULL ? "WHERE u.user_name = ? AND u.host = '%'" : "";
    struct sql_value value = sql_v_s(name);
    unsigned n_values = name != NULL ? 1 : 0;
    const char *text = arena_printf(arena,
                                    "SELECT " USER_COLUMNS ", a.gmt_create AS created, a.gmt_modified AS modified "
                                    "FROM oceanbase.DBA_OB_USERS u LEFT JOIN oceanbase.__all_user a "
                                    "ON a.user_name = u.user_name AND a.host = u.host %s" USER_ORDER,
                                    condition);
    const char *simple = arena_printf(arena, "SELECT " USER_COLUMNS " FROM oceanbase.DBA_OB_USERS u %s" USER_ORDER, condition);
    int rv;

    if (text == NULL || simple == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = list(s, text, &value, n_values, user_columns, sizeof **out, arena, (void **)out, n, e);
    if (rv == 0 || sql_is_dead(s) || !(err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_SQL_DENIED)))
        return rv;
    return list(s, simple, &value, n_values, user_columns, sizeof **out, arena, (void **)out, n, e);
}

int ob_users_list(struct sql *s, struct arena *arena, struct ob_user **out, size_t *n, struct err *e)
{
    return list_users(s, NULL, arena, out, n, e);
}

int ob_user_get(struct sql *s, const char *name, struct arena *arena, struct ob_user *out, bool *found, struct err *e)
{
    struct ob_user *one;
    size_t n;
    int rv = list_users(s, name, arena, &one, &n, e);

    *found = rv == 0 && n > 0;
    if (*found)
        *out = *one;
    return rv;
}

static const struct sql_field privilege_columns[] = {
    SQL_FIELD(ob_privilege, user, "user_name", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, host, "host", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, on.database, "db", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, on.object, "object", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, object_type, "object_type", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, privilege, "privilege", SQL_C_TEXT),
    SQL_FIELD(ob_privilege, with_grant, "with_grant", SQL_C_BOOL),
    { NULL },
};

/* GRANTEE is 'name'@'host', with nothing escaped: the part before the last "'@'" is the name. */
#define GRANTEE(TABLE)                                                                                                     \
    "SUBSTRING(" TABLE "grantee, 2, CHAR_LENGTH(" TABLE "grantee) - LOCATE('\\'@\\'', REVERSE(" TABLE "grantee)) - 3) AS user_name, " \
    "TRIM(BOTH '\\'' FROM SUBSTRING_INDEX(" TABLE "grantee, '@', -1)) AS host, "
#define GRANTED "privilege_type AS privilege, is_grantable = 'YES' AS with_grant "
#define NO_OBJECT "NULL AS object, NULL AS object_type, "

/* Each selects the same columns; `grantee` is how its rows name the user as GRANTEE does. */
static const struct {
    const char *text, *grantee;
} privilege_parts[] = {
    { "SELECT " GRANTEE("") "NULL AS db, " NO_OBJECT GRANTED "FROM information_schema.user_privileges WHERE privilege_type <> 'USAGE'",
      "grantee" },
    { "SELECT " GRANTEE("") "table_schema AS db, " NO_OBJECT GRANTED
      "FROM information_schema.schema_privileges WHERE privilege_type <> 'USAGE'",
      "grantee" },
    { "SELECT " GRANTEE("p.") "p.table_schema AS db, p.table_name AS object, CASE WHEN t.table_type LIKE '%VIEW' THEN 'VIEW' "
      "WHEN t.table_type IS NOT NULL THEN 'TABLE' END AS object_type, p.privilege_type AS privilege, p.is_grantable = 'YES' AS with_grant "
      "FROM information_schema.table_privileges p LEFT JOIN information_schema.tables t ON t.table_schema = p.table_schema "
      "AND t.table_name = p.table_name WHERE p.privilege_type <> 'USAGE'",
      "p.grantee" },
    { "SELECT user AS user_name, host, NULL AS db, " NO_OBJECT "'GRANT OPTION' AS privilege, 1 AS with_grant FROM mysql.user "
      "WHERE grant_priv = 'Y'",
      "CONCAT('\\'', user, '\\'@\\'', host, '\\'')" },
    { "SELECT user AS user_name, host, db, " NO_OBJECT "'GRANT OPTION' AS privilege, 1 AS with_grant FROM mysql.db WHERE grant_priv = 'Y'",
      "CONCAT('\\'', user, '\\'@\\'', host, '\\'')" },
    { "SELECT user AS user_name, host, db, routine_name AS object, 'STORED_PROCEDURE' AS object_type, UPPER(proc_priv) AS privilege, "
      "proc_priv LIKE '%Grant%' AS with_grant FROM mysql.procs_priv WHERE routine_type = 'PROCEDURE'",
      "CONCAT('\\'', user, '\\'@\\'', host, '\\'')" },
};
enum { N_PARTS = sizeof privilege_parts / sizeof privilege_parts[0], ON_TABLES = 2, ON_ROUTINES = N_PARTS - 1 };

static size_t count_words(const char *text)
{
    size_t n = 1;

    for (; *text != '\0'; text++)
        n += *text == ',';
    return n;
}

/* "EXECUTE,ALTER ROUTINE,GRANT" is a row for each. */
static int split_routines(struct arena *arena, struct ob_privilege **rows, size_t *n, struct err *e)
{
    struct ob_privilege *out;
    size_t n_out = 0;

    for (size_t i = 0; i < *n; i++)
        n_out += count_words((*rows)[i].privilege);
    out = arena_array(arena, n_out + 1, sizeof *out);
    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    n_out = 0;
    for (size_t i = 0; i < *n; i++) {
        struct slice rest = { (*rows)[i].privilege, strlen((*rows)[i].privilege) };

        while (rest.n > 0) {
            struct slice word = slice_trim(slice_cut(&rest, ','));
            struct ob_privilege *p = &out[n_out++];

            *p = (*rows)[i];
            p->on.is_routine = true;
            p->privilege = slice_is(word, "GRANT") ? "GRANT OPTION" : arena_strndup(arena, word.s, word.n);
            if (p->privilege == NULL)
                return err_set(e, &ERR_NOMEM, "");
        }
    }
    *rows = out;
    *n = n_out;
    return 0;
}

/* The view of privileges on tables says only at each of them that it may be passed on. */
static int add_grant_options(struct arena *arena, struct ob_privilege **rows, size_t *n, struct err *e)
{
    struct ob_privilege *out = arena_array(arena, 2 * *n + 1, sizeof *out);
    size_t n_out = *n;

    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    memcpy(out, *rows, *n * sizeof *out);
    for (size_t i = 0; i < *n; i++) {
        const struct ob_privilege *p = &(*rows)[i], *former = n_out > *n ? &out[n_out - 1] : NULL;

        if (!p->with_grant || (former != NULL && strcmp(former->user, p->user) == 0 && strcmp(former->host, p->host) == 0 &&
                               strcmp(former->on.database, p->on.database) == 0 && strcmp(former->on.object, p->on.object) == 0))
            continue;
        out[n_out] = *p;
        out[n_out++].privilege = "GRANT OPTION";
    }
    *rows = out;
    *n = n_out;
    return 0;
}

static int list_part(struct sql *s, unsigned part, const char *user, struct arena *arena, struct ob_privilege **out, size_t *n, struct err *e)
{
    const char *who = arena_printf(arena, "'%s'@'%%'", user != NULL ? user : "");
    const char *text = user == NULL ? privilege_parts[part].text
                                    : arena_printf(arena, "%s AND %s = ?", privilege_parts[part].text, privilege_parts[part].grantee);
    struct sql_value value = sql_v_s(who);
    int rv;

    if (who == NULL || text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = list(s, text, &value, user != NULL ? 1 : 0, privilege_columns, sizeof **out, arena, (void **)out, n, e);
    if (rv == 0 && part == ON_TABLES)
        rv = add_grant_options(arena, out, n, e);
    return rv == 0 && part == ON_ROUTINES ? split_routines(arena, out, n, e) : rv;
}

int ob_privileges_list(struct sql *s, const char *user, struct arena *arena, struct ob_privilege **out, size_t *n, struct err *e)
{
    struct ob_privilege *found[N_PARTS];
    size_t counts[N_PARTS] = { 0 };
    int rv = 0;

    *n = 0;
    for (unsigned i = 0; rv == 0 && i < N_PARTS; i++) {
        rv = list_part(s, i, user, arena, &found[i], &counts[i], e);
        *n += counts[i];
    }
    if (rv != 0)
        return rv;
    *out = arena_array(arena, *n + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0, at = 0; i < N_PARTS; at += counts[i], i++)
        memcpy(*out + at, found[i], counts[i] * sizeof **out);
    return 0;
}

static const struct sql_field edge_columns[] = {
    SQL_FIELD(ob_role_edge, role, "from_user", SQL_C_TEXT),
    SQL_FIELD(ob_role_edge, user, "to_user", SQL_C_TEXT),
    SQL_FIELD(ob_role_edge, user_is_role, "to_role", SQL_C_BOOL),
    { NULL },
};

int ob_role_edges_list(struct sql *s, struct arena *arena, struct ob_role_edge **out, size_t *n, struct err *e)
{
    return list(s,
                "SELECT r.from_user, r.to_user, u.type = 'ROLE' AS to_role FROM mysql.role_edges r JOIN oceanbase.DBA_OB_USERS u "
                "ON u.user_name = r.to_user AND u.host = r.to_host WHERE r.to_host = '%' ORDER BY r.to_user, r.from_user",
                NULL, 0, edge_columns, sizeof **out, arena, (void **)out, n, e);
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

static void add_target(struct str *t, const struct ob_grant_on *on)
{
    str_add(t, on->is_routine ? " ON PROCEDURE " : " ON ");
    if (on->database == NULL) {
        str_add(t, "*.*");
        return;
    }
    quote_name(t, on->database);
    str_add_c(t, '.');
    if (on->object != NULL)
        quote_name(t, on->object);
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

int ob_privileges_change(struct sql *s, enum ob_grant what, const char *const *privileges, size_t n, const struct ob_grant_on *on,
                         const char *user, struct err *e)
{
    struct str t;

    for (size_t i = 0; i < n; i++)
        if (!is_words(privileges[i]))
            return err_set(e, &ERR_INVALID, "privilege %s is none", privileges[i]);
    str_init(&t, NULL);
    str_add(&t, what == OB_GRANT ? "GRANT " : "REVOKE ");
    for (size_t i = 0; i < n; i++)
        str_printf(&t, "%s%s", i > 0 ? ", " : "", privileges[i]);
    add_target(&t, on);
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

int ob_user_set_default_roles(struct sql *s, const char *user, struct err *e)
{
    struct sql_value value = sql_v_s(user);

    return run(s, "SET DEFAULT ROLE ALL TO ?@'%'", &value, 1, e);
}

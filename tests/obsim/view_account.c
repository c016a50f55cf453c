/* SPDX-License-Identifier: Apache-2.0 */
/* Users, roles and their privileges. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/view.h"

/* Which bit stands in which column of the kernel's views (PRIV_x) and of mysql.user and mysql.db (x_priv). */
static const struct {
    uint64_t privilege;
    const char *kernel, *mysql;
    bool on_database;                 /* of a database, too */
} columns[] = {
    { SIM_P(ALTER), "PRIV_ALTER", "Alter_priv", true },
    { SIM_P(CREATE), "PRIV_CREATE", "Create_priv", true },
    { SIM_P(DELETE), "PRIV_DELETE", "Delete_priv", true },
    { SIM_P(DROP), "PRIV_DROP", "Drop_priv", true },
    { SIM_P(GRANT_OPTION), "PRIV_GRANT_OPTION", "Grant_priv", true },
    { SIM_P(INSERT), "PRIV_INSERT", "Insert_priv", true },
    { SIM_P(UPDATE), "PRIV_UPDATE", "Update_priv", true },
    { SIM_P(SELECT), "PRIV_SELECT", "Select_priv", true },
    { SIM_P(INDEX), "PRIV_INDEX", "Index_priv", true },
    { SIM_P(CREATE_VIEW), "PRIV_CREATE_VIEW", "Create_view_priv", true },
    { SIM_P(SHOW_VIEW), "PRIV_SHOW_VIEW", "Show_view_priv", true },
    { SIM_P(SHOW_DATABASES), "PRIV_SHOW_DB", "Show_db_priv", false },
    { SIM_P(CREATE_USER), "PRIV_CREATE_USER", "Create_user_priv", false },
    { SIM_P(SUPER), "PRIV_SUPER", "Super_priv", false },
    { SIM_P(PROCESS), "PRIV_PROCESS", "Process_priv", false },
    { SIM_P(CREATE_SYNONYM), "PRIV_CREATE_SYNONYM", NULL, false },
    { SIM_P(FILE), "PRIV_FILE", "File_priv", false },
    { SIM_P(ALTER_TENANT), "PRIV_ALTER_TENANT", NULL, false },
    { SIM_P(ALTER_SYSTEM), "PRIV_ALTER_SYSTEM", NULL, false },
    { SIM_P(CREATE_RESOURCE_POOL), "PRIV_CREATE_RESOURCE_POOL", NULL, false },
    { SIM_P(CREATE_RESOURCE_UNIT), "PRIV_CREATE_RESOURCE_UNIT", NULL, false },
    { SIM_P(REPLICATION_SLAVE), "PRIV_REPL_SLAVE", "Repl_slave_priv", false },
    { SIM_P(REPLICATION_CLIENT), "PRIV_REPL_CLIENT", "Repl_client_priv", false },
    { SIM_P(DROP_DATABASE_LINK), "PRIV_DROP_DATABASE_LINK", "drop_database_link_priv", false },
    { SIM_P(CREATE_DATABASE_LINK), "PRIV_CREATE_DATABASE_LINK", "create_database_link_priv", false },
    { SIM_P(EXECUTE), "PRIV_EXECUTE", "Execute_priv", true },
    { SIM_P(ALTER_ROUTINE), "PRIV_ALTER_ROUTINE", "Alter_routine_priv", true },
    { SIM_P(CREATE_ROUTINE), "PRIV_CREATE_ROUTINE", "Create_routine_priv", true },
    { SIM_P(CREATE_TABLESPACE), "PRIV_CREATE_TABLESPACE", "Create_tablespace_priv", false },
    { SIM_P(SHUTDOWN), "PRIV_SHUTDOWN", "Shutdown_priv", false },
    { SIM_P(RELOAD), "PRIV_RELOAD", "Reload_priv", false },
    { SIM_P(REFERENCES), "PRIV_REFERENCES", "References_priv", true },
    { SIM_P(CREATE_ROLE), "PRIV_CREATE_ROLE", "Create_role_priv", false },
    { SIM_P(DROP_ROLE), "PRIV_DROP_ROLE", "Drop_role_priv", false },
    { SIM_P(TRIGGER), "PRIV_TRIGGER", "Trigger_priv", true },
    { SIM_P(LOCK_TABLES), "PRIV_LOCK_TABLE", "Lock_tables_priv", true },
    { SIM_P(EVENT), "PRIV_EVENT", "Event_priv", true },
};

/* Those that the views of a database's privileges have. */
enum { KERNEL_ON_DATABASE = 11 };

static void each_user(struct fill *f, void (*put)(struct fill *f, const struct sim_tenant *t, const struct sim_user *u))
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        for (size_t j = 0; fill_wants_tenant(f, t->id) && j < t->users.n; j++)
            put(f, t, t->users.items[j]);
    }
}

static const char *hash_of(const struct sim_user *u, char buf[48])
{
    char *p = buf;

    buf[0] = '\0';
    for (size_t i = 0; u->has_password && i < sizeof u->password; i++)
        p += snprintf(p, 4, "%s%02x", i == 0 ? "*" : "", u->password[i]);
    return buf;
}

static void put_user(struct fill *f, const struct sim_tenant *t, const struct sim_user *u)
{
    char hash[48];

    put_i(f, "TENANT_ID", t->id);
    put_s(f, "USER_NAME", u->name);
    put_s(f, "HOST", u->host);
    put_s(f, "PASSWD", hash_of(u, hash));
    put_s(f, "INFO", "");
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        put_yes(f, columns[i].kernel, (u->privileges & columns[i].privilege) != 0);
    put_yes(f, "IS_LOCKED", u->is_locked);
    put_i(f, "SSL_TYPE", 0);
    put_s(f, "TYPE", u->is_role ? "ROLE" : "USER");
    put_i(f, "PROFILE_ID", -1);
    put_time(f, "PASSWORD_LAST_CHANGED", u->password_changed_us);
    put_i(f, "MAX_CONNECTIONS", 0);
    put_i(f, "MAX_USER_CONNECTIONS", 0);
    put_row(f);
}

void fill_users(struct fill *f)
{
    each_user(f, put_user);
}

/* The inner table of the tenant itself. */
void fill_inner_users(struct fill *f)
{
    const struct sim_tenant *t = f->s->tenant;
    char hash[48];

    for (size_t i = 0; i < t->users.n; i++) {
        const struct sim_user *u = t->users.items[i];

        put_time(f, "gmt_create", u->created_us);
        put_time(f, "gmt_modified", u->modified_us);
        put_i(f, "tenant_id", 0);
        put_i(f, "user_id", u->id);
        put_s(f, "user_name", u->name);
        put_s(f, "host", u->host);
        put_s(f, "passwd", hash_of(u, hash));
        put_s(f, "info", "");
        put_i(f, "is_locked", u->is_locked);
        put_i(f, "type", u->is_role);
        put_time(f, "password_last_changed", u->password_changed_us);
        put_row(f);
    }
}

static void put_flags(struct fill *f, uint64_t privileges, bool on_database)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (columns[i].mysql != NULL && (!on_database || columns[i].on_database))
            put_s(f, columns[i].mysql, (privileges & columns[i].privilege) != 0 ? "Y" : "N");
    put_s(f, "Create_tmp_table_priv", "N");
}

void fill_mysql_user(struct fill *f)
{
    const struct sim_tenant *t = f->s->tenant;

    for (size_t i = 0; i < t->users.n; i++) {
        const struct sim_user *u = t->users.items[i];

        put_s(f, "Host", u->host);
        put_s(f, "User", u->name);
        put_s(f, "Password", "");
        put_flags(f, u->privileges, false);
        put_s(f, "plugin", "ob_native_password");
        put_s(f, "authentication_string", "");
        put_s(f, "password_expired", "");
        put_s(f, "account_locked", u->is_locked ? "Y" : "N");
        put_row(f);
    }
}

/* A user's grants on whole databases of this session's tenant. */
static void each_grant(struct fill *f, bool on_objects, bool on_routines,
                       void (*put)(struct fill *f, const struct sim_user *u, const struct sim_grant *g))
{
    const struct sim_tenant *t = f->s->tenant;

    for (size_t i = 0; i < t->users.n; i++)
        for (size_t j = 0; j < t->users.items[i]->grants.n; j++) {
            const struct sim_grant *g = t->users.items[i]->grants.items[j];

            if ((g->object[0] != '\0') == on_objects && g->is_routine == on_routines && g->privileges != 0)
                put(f, t->users.items[i], g);
        }
}

static void put_mysql_db(struct fill *f, const struct sim_user *u, const struct sim_grant *g)
{
    put_s(f, "Host", u->host);
    put_s(f, "Db", g->database);
    put_s(f, "User", u->name);
    put_flags(f, g->privileges, true);
    put_row(f);
}

void fill_mysql_db(struct fill *f)
{
    each_grant(f, false, false, put_mysql_db);
}

static void each_role(struct fill *f, void (*put)(struct fill *f, const struct sim_user *u, const struct sim_role_edge *e))
{
    const struct sim_tenant *t = f->s->tenant;

    for (size_t i = 0; i < t->users.n; i++)
        for (size_t j = 0; j < t->users.items[i]->roles.n; j++)
            put(f, t->users.items[i], t->users.items[i]->roles.items[j]);
}

static void put_edge(struct fill *f, const struct sim_user *u, const struct sim_role_edge *e)
{
    put_s(f, "FROM_HOST", e->host);
    put_s(f, "FROM_USER", e->role);
    put_s(f, "TO_HOST", u->host);
    put_s(f, "TO_USER", u->name);
    put_s(f, "WITH_ADMIN_OPTION", e->with_admin ? "Y" : "N");
    put_row(f);
}

void fill_role_edges(struct fill *f)
{
    each_role(f, put_edge);
}

static void put_default_role(struct fill *f, const struct sim_user *u, const struct sim_role_edge *e)
{
    if (!e->is_default)
        return;
    put_s(f, "HOST", u->host);
    put_s(f, "USER", u->name);
    put_s(f, "DEFAULT_ROLE_HOST", e->host);
    put_s(f, "DEFAULT_ROLE_USER", e->role);
    put_row(f);
}

void fill_default_roles(struct fill *f)
{
    each_role(f, put_default_role);
}

/* "Execute,Alter Routine,Grant" */
static void put_routine(struct fill *f, const struct sim_user *u, const struct sim_grant *g)
{
    static const struct {
        uint64_t privilege;
        const char *word;
    } words[] = { { SIM_P(EXECUTE), "Execute" }, { SIM_P(ALTER_ROUTINE), "Alter Routine" }, { SIM_P(GRANT_OPTION), "Grant" } };
    char text[64] = "";

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((g->privileges & words[i].privilege) != 0)
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] != '\0' ? "," : "", words[i].word);
    put_s(f, "Host", u->host);
    put_s(f, "Db", g->database);
    put_s(f, "User", u->name);
    put_s(f, "Routine_name", g->object);
    put_s(f, "Routine_type", sim_object_kind_name(g->kind));
    put_s(f, "Grantor", "root@%");
    put_s(f, "Proc_priv", text);
    put_time(f, "Timestamp", g->modified_us);
    put_row(f);
}

void fill_routine_privileges(struct fill *f)
{
    each_grant(f, true, true, put_routine);
}

/* --- information_schema ---------------------------------------------------------------------------------------------------------- */

/* A row for each privilege, USAGE when there is none. */
static void put_privileges(struct fill *f, const struct sim_user *u, const struct sim_grant *g, uint64_t privileges)
{
    uint64_t plain = privileges & ~SIM_P(GRANT_OPTION);
    char grantee[2 * SIM_NAME + 8];

    (void)snprintf(grantee, sizeof grantee, "'%s'@'%s'", u->name, u->host);
    for (int i = plain == 0 ? -1 : 0; i < (plain == 0 ? 0 : SIM_PRIVILEGE_N); i++) {
        if (i >= 0 && (plain >> i & 1) == 0)
            continue;
        put_s(f, "GRANTEE", grantee);
        put_s(f, "TABLE_CATALOG", "def");
        if (g != NULL)
            put_s(f, "TABLE_SCHEMA", g->database);
        if (g != NULL && g->object[0] != '\0')
            put_s(f, "TABLE_NAME", g->object);
        put_s(f, "PRIVILEGE_TYPE", i >= 0 ? sim_privileges[i].words : "USAGE");
        put_yes(f, "IS_GRANTABLE", (privileges & SIM_P(GRANT_OPTION)) != 0);
        put_row(f);
    }
}

void fill_user_privileges(struct fill *f)
{
    for (size_t i = 0; i < f->s->tenant->users.n; i++)
        put_privileges(f, f->s->tenant->users.items[i], NULL, f->s->tenant->users.items[i]->privileges);
}

static void put_grant(struct fill *f, const struct sim_user *u, const struct sim_grant *g)
{
    put_privileges(f, u, g, g->privileges);
}

void fill_schema_privileges(struct fill *f)
{
    each_grant(f, false, false, put_grant);
}

void fill_table_privileges(struct fill *f)
{
    each_grant(f, true, false, put_grant);
}

static void put_database_privileges(struct fill *f, const struct sim_tenant *t, const struct sim_user *u)
{
    for (size_t i = 0; i < u->grants.n; i++) {
        const struct sim_grant *g = u->grants.items[i];

        if (g->object[0] != '\0')
            continue;
        put_i(f, "TENANT_ID", t->id);
        put_i(f, "USER_ID", u->id);
        put_s(f, "USERNAME", u->name);
        put_s(f, "DATABASE_NAME", g->database);
        put_time(f, "GMT_CREATE", g->created_us);
        put_time(f, "GMT_MODIFIED", g->modified_us);
        for (size_t j = 0; j < KERNEL_ON_DATABASE; j++)
            put_yes(f, columns[j].kernel, (g->privileges & columns[j].privilege) != 0);
        put_row(f);
    }
}

void fill_database_privileges(struct fill *f)
{
    each_user(f, put_database_privileges);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Users, roles and objects of a tenant. What they may do is changed in dbgrant.c. */
#include "src/tenant/dbuser.h"

#include "api/api.h"
#include "api/dbgrant.h"
#include "api/tables.h"
#include "api/tenant_path.h"
#include "src/oceanbase/object.h"

static const struct field user_fields[] = {
    F_STRING(account, name, "username", DOC("Name.")),
    F_STRINGS(account, global, "globalPrivileges", DOC("What the user may do everywhere.")),
    F_LIST(account, databases, "dbPrivileges", db_privilege, db_privilege_fields, DOC("What the user may do in databases.")),
    F_LIST(account, objects, "objectPrivileges", object_privilege, object_privilege_fields, DOC("What the user may do with single objects.")),
    F_STRINGS(account, roles, "grantedRoles", DOC("Roles that the user has.")),
    F_BOOL(account, is_locked, "isLocked", DOC("Whether the user is locked.")),
    F_TIME(account, created_us, "createTime", DOC("When the user was made.")),
    F_LIST(account, connections, "connectionStrings", connection_string, connection_fields, DOC("How the user connects.")),
    F_STRINGS(account, accessible, "accessibleDatabases", DOC("Databases in which the user may do something.")),
    FIELD_END,
};

static const struct field role_fields[] = {
    F_STRING(account, name, "name", DOC("Name.")),
    F_TIME(account, created_us, "createTime", DOC("When the role was made.")),
    F_TIME(account, modified_us, "updateTime", DOC("When the role was changed.")),
    F_STRINGS(account, global, "globalPrivileges", DOC("What it lets do everywhere.")),
    F_LIST(account, databases, "dbPrivileges", db_privilege, db_privilege_fields, DOC("What it lets do in databases.")),
    F_LIST(account, objects, "objectPrivileges", object_privilege, object_privilege_fields, DOC("What it lets do with single objects.")),
    F_STRINGS(account, roles, "grantedRoles", DOC("Roles that it includes.")),
    F_STRINGS(account, user_grantees, "userGrantees", DOC("Users that have it.")),
    F_STRINGS(account, role_grantees, "roleGrantees", DOC("Roles that include it.")),
    FIELD_END,
};

/* --- users -------------------------------------------------------------------------------------------------------------------- */

struct user_in {
    const char *name, *password;
    struct field_strings global, roles;
    struct field_list databases;
    int save_credential;
};
static const struct field user_in_fields[] = {
    F_STRING(user_in, name, "username", .flags = FIELD_REQUIRED, .max = 1024, DOC("Name: a letter, then letters, digits and underscores.")),
    F_STRING(user_in, password, "password", .flags = FIELD_REQUIRED | FIELD_SECRET, .max = 256, DOC("Password.")),
    F_BOOL(user_in, save_credential, "saveToCredential", .def = "false", DOC("Whether to keep it in the caller's password box too.")),
    F_STRINGS(user_in, global, "globalPrivileges", DOC("What the user may do everywhere.")),
    F_LIST(user_in, databases, "dbPrivileges", db_privilege, db_privilege_in_fields, DOC("What the user may do in databases.")),
    F_STRINGS(user_in, roles, "roles", DOC("Roles of the user.")),
    FIELD_END,
};

struct password_in {
    const char *password;
    int save_credential;
};
static const struct field password_in_fields[] = {
    F_STRING(password_in, password, "newPassword", .flags = FIELD_REQUIRED | FIELD_SECRET, .max = 256, DOC("New password.")),
    F_BOOL(password_in, save_credential, "saveToCredential", .def = "false", DOC("Whether to keep it in the caller's password box too.")),
    FIELD_END,
};

static int list(struct call *c, enum account_kind kind, struct err *e)
{
    struct account *found;
    struct tenant t;
    size_t n;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = account_list(&t, kind, &found, &n, e);
    return rv == 0 ? call_list(c, found, n, e) : rv;
}

static int get(struct call *c, enum account_kind kind, const char *name, struct err *e)
{
    struct account found;
    struct tenant t;
    int rv = api_tenant_of(c, name, &t, e);

    if (rv == 0)
        rv = account_get(&t, kind, name, &found, e);
    return rv == 0 ? call_object(c, &found, e) : rv;
}

static int drop(struct call *c, enum account_kind kind, const char *name, struct err *e)
{
    struct tenant t;
    int rv = api_tenant_of(c, name, &t, e);

    return rv == 0 ? dbuser_drop(&t, kind, name, e) : rv;
}

static int api_dbuser_list(struct call *c, struct err *e)
{
    return list(c, ACCOUNT_USER, e);
}

static int api_dbuser_get(struct call *c, struct err *e)
{
    return get(c, ACCOUNT_USER, call_text(c, "username"), e);
}

static int api_dbuser_create(struct call *c, struct err *e)
{
    const struct user_in *in = c->body;
    struct dbuser_wish wish = {
        .kind = ACCOUNT_USER,
        .name = in->name,
        .password = in->password,
        .global = &in->global,
        .roles = &in->roles,
        .databases = &in->databases,
    };
    struct account made;
    struct tenant t;
    int rv = api_tenant_of(c, in->name, &t, e);

    if (rv == 0)
        rv = dbuser_create(&t, &wish, &made, e);
    if (rv != 0)
        return rv;
    if (in->save_credential == 1)
        api_tenant_keep_password(c, &t, in->name, in->password);
    return call_object(c, &made, e);
}

static int api_dbuser_delete(struct call *c, struct err *e)
{
    return drop(c, ACCOUNT_USER, call_text(c, "username"), e);
}

static int api_dbuser_change_password(struct call *c, struct err *e)
{
    const char *name = call_text(c, "username");
    const struct password_in *in = c->body;
    struct tenant t;
    int rv = api_tenant_of(c, name, &t, e);

    if (rv == 0)
        rv = dbuser_set_password(&t, name, in->password, e);
    if (rv == 0 && in->save_credential == 1)
        api_tenant_keep_password(c, &t, name, in->password);
    return rv;
}

static int set_locked(struct call *c, bool locked, struct err *e)
{
    const char *name = call_text(c, "username");
    struct tenant t;
    int rv = api_tenant_of(c, name, &t, e);

    return rv == 0 ? dbuser_set_locked(&t, name, locked, e) : rv;
}

static int api_dbuser_lock(struct call *c, struct err *e)
{
    return set_locked(c, true, e);
}

static int api_dbuser_unlock(struct call *c, struct err *e)
{
    return set_locked(c, false, e);
}

/* --- roles -------------------------------------------------------------------------------------------------------------------- */

struct role_in {
    const char *name;
    struct field_strings global, roles;
};
static const struct field role_in_fields[] = {
    F_STRING(role_in, name, "roleName", .flags = FIELD_REQUIRED, .max = 1024, DOC("Name: a letter, then letters, digits and underscores.")),
    F_STRINGS(role_in, global, "globalPrivileges", DOC("What it lets do everywhere.")),
    F_STRINGS(role_in, roles, "roles", DOC("Roles that it includes.")),
    FIELD_END,
};

static int api_dbrole_list(struct call *c, struct err *e)
{
    return list(c, ACCOUNT_ROLE, e);
}

static int api_dbrole_get(struct call *c, struct err *e)
{
    return get(c, ACCOUNT_ROLE, call_text(c, "roleName"), e);
}

static int api_dbrole_create(struct call *c, struct err *e)
{
    const struct role_in *in = c->body;
    struct dbuser_wish wish = { .kind = ACCOUNT_ROLE, .name = in->name, .global = &in->global, .roles = &in->roles };
    struct account made;
    struct tenant t;
    int rv = api_tenant_of(c, in->name, &t, e);

    if (rv == 0)
        rv = dbuser_create(&t, &wish, &made, e);
    return rv == 0 ? call_object(c, &made, e) : rv;
}

static int api_dbrole_delete(struct call *c, struct err *e)
{
    return drop(c, ACCOUNT_ROLE, call_text(c, "roleName"), e);
}

/* --- objects ------------------------------------------------------------------------------------------------------------------ */

struct objects {
    struct arena *arena;
    struct ob_object *list;
    size_t n;
};

static int work_objects(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct objects *o = step->data;

    return ob_objects_list(s, o->arena, &o->list, &o->n, e);
}

static int api_dbobject_list(struct call *c, struct err *e)
{
    struct objects o = { .arena = c->arena };
    struct db_object *views = NULL;
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = tenant_require_mysql(&t, &ERR_DBUSER_ORACLE, e);
    if (rv == 0)
        rv = tenant_ask(&t, work_objects, &o, e);
    if (rv == 0 && (views = arena_array(c->arena, o.n + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < o.n; i++) {
        const struct ob_object *from = &o.list[i];

        views[i] = (struct db_object){ from->type, from->name, from->database, arena_printf(c->arena, "%s.%s", from->database, from->name) };
        if (views[i].full_name == NULL)
            rv = err_set(e, &ERR_NOMEM, "");
    }
    return rv == 0 ? call_list(c, views, o.n, e) : rv;
}

#define USERS TENANT_PATH "/users"
#define ROLES TENANT_PATH "/roles"
#define TAG .tag = "Database users"
#define USER_OUT ROUTE_OUT(account, user_fields)
#define ROLE_OUT ROUTE_OUT(account, role_fields)

const struct route dbuser_routes[] = {
    ROUTE("ob-cluster-tenant-users-list", "GET", USERS, TENANT_READ, api_dbuser_list, REPLY_LIST, ROUTE_DOCUMENTED,
          "List the users of a tenant.", TAG, USER_OUT),
    ROUTE("ob-cluster-tenant-user-get", "GET", USERS "/{username}", TENANT_READ, api_dbuser_get, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Show a user of a tenant.", TAG, USER_OUT),
    ROUTE("ob-cluster-tenant-user-create", "POST", USERS, TENANT_UPDATE, api_dbuser_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Make a user of a tenant.", TAG, ROUTE_BODY(user_in, user_in_fields), USER_OUT),
    ROUTE("ob-cluster-tenant-user-delete", "DELETE", USERS "/{username}", TENANT_UPDATE, api_dbuser_delete, REPLY_NONE, ROUTE_DOCUMENTED,
          "Drop a user of a tenant.", TAG),
    ROUTE("ob-cluster-tenant-user-change-password", "POST", USERS "/{username}/changePassword", TENANT_UPDATE, api_dbuser_change_password,
          REPLY_NONE, ROUTE_DOCUMENTED, "Change the password of a user of a tenant.", TAG, ROUTE_BODY(password_in, password_in_fields)),
    ROUTE("ob-cluster-tenant-user-lock", "POST", USERS "/{username}/lock", TENANT_UPDATE, api_dbuser_lock, REPLY_NONE, ROUTE_DOCUMENTED,
          "Lock a user of a tenant: it can log in no more.", TAG),
    ROUTE("ob-cluster-tenant-user-unlock", "POST", USERS "/{username}/unlock", TENANT_UPDATE, api_dbuser_unlock, REPLY_NONE, ROUTE_DOCUMENTED,
          "Unlock a user of a tenant.", TAG),
    ROUTE("ob-cluster-tenant-roles-list", "GET", ROLES, TENANT_READ, api_dbrole_list, REPLY_LIST, ROUTE_DOCUMENTED,
          "List the roles of a tenant.", TAG, ROLE_OUT),
    ROUTE("ob-cluster-tenant-role-get", "GET", ROLES "/{roleName}", TENANT_READ, api_dbrole_get, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Show a role of a tenant.", TAG, ROLE_OUT),
    ROUTE("ob-cluster-tenant-role-create", "POST", ROLES, TENANT_UPDATE, api_dbrole_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Make a role of a tenant.", TAG, ROUTE_BODY(role_in, role_in_fields), ROLE_OUT),
    ROUTE("ob-cluster-tenant-role-delete", "DELETE", ROLES "/{roleName}", TENANT_UPDATE, api_dbrole_delete, REPLY_NONE, ROUTE_DOCUMENTED,
          "Drop a role of a tenant.", TAG),
    ROUTE("ob-cluster-tenant-objects-list", "GET", TENANT_PATH "/objects", TENANT_READ, api_dbobject_list, REPLY_LIST, ROUTE_DOCUMENTED,
          "List the tables, views and stored procedures of a tenant.", TAG, ROUTE_OUT(db_object, db_object_fields)),
    ROUTE_END,
};

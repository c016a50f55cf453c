/* SPDX-License-Identifier: Apache-2.0 */
/* What users and roles of a tenant may do: three verbs on four kinds of things. Each route has a handler of one line, made by a macro,
 * since a route's handler is told nothing but the call. */
#include "api/dbgrant.h"

#include <string.h>

#include "api/api.h"
#include "api/tables.h"
#include "api/tenant_path.h"
#include "src/tenant/grant.h"

const struct field db_object_fields[] = {
    F_STRING(db_object, type, "objectType", DOC("TABLE, VIEW or STORED_PROCEDURE; absent when the object is gone.")),
    F_STRING(db_object, name, "objectName", DOC("Name.")),
    F_STRING(db_object, schema, "schemaName", DOC("Database it is in.")),
    F_STRING(db_object, full_name, "fullName", DOC("Both.")),
    FIELD_END,
};

const struct field db_privilege_fields[] = {
    F_STRING(db_privilege, database, "dbName", DOC("Database.")),
    F_STRINGS(db_privilege, privileges, "privileges", DOC("Privileges in it.")),
    FIELD_END,
};

const struct field object_privilege_fields[] = {
    F_OBJECT(object_privilege, object, "dbObject", db_object, db_object_fields, DOC("Object.")),
    F_STRINGS(object_privilege, privileges, "privileges", DOC("Privileges on it.")),
    FIELD_END,
};

/* --- requests ----------------------------------------------------------------------------------------------------------------- */

enum { MAX_ITEMS = 1000 };
#define GIVEN FIELD_REQUIRED | FIELD_EMPTY_OK

const struct field db_privilege_in_fields[] = {
    F_STRING(db_privilege, database, "dbName", .flags = FIELD_REQUIRED, .max = 512, DOC("Database.")),
    F_STRINGS(db_privilege, privileges, "privileges", .flags = GIVEN, .max = MAX_ITEMS, DOC("Privileges, like SELECT or CREATE_VIEW.")),
    FIELD_END,
};

static const char *type_problem(const char *type)
{
    static const char *const types[] = { "TABLE", "VIEW", "STORED_PROCEDURE" };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i]) == 0)
            return NULL;
    return "must be TABLE, VIEW or STORED_PROCEDURE";
}

static const struct field object_in_fields[] = {
    F_STRING(db_object, type, "objectType", .def = "TABLE", .check = type_problem, DOC("TABLE, VIEW or STORED_PROCEDURE.")),
    F_STRING(db_object, name, "objectName", .flags = FIELD_REQUIRED, .max = 512, DOC("Name.")),
    F_STRING(db_object, schema, "schemaName", .flags = FIELD_REQUIRED, .max = 512, DOC("Database it is in.")),
    FIELD_END,
};
static const struct field object_privilege_in_fields[] = {
    F_OBJECT(object_privilege, object, "object", db_object, object_in_fields, .flags = FIELD_REQUIRED, .alias = "dbObject", DOC("Object.")),
    F_STRINGS(object_privilege, privileges, "privileges", .flags = GIVEN, .max = MAX_ITEMS, DOC("Privileges, like SELECT or EXECUTE.")),
    FIELD_END,
};

struct global_in {
    struct field_strings privileges;
};
static const struct field global_fields[] = {
    F_STRINGS(global_in, privileges, "globalPrivileges", .flags = GIVEN, .max = MAX_ITEMS, DOC("Privileges, like SELECT or PROCESS.")),
    FIELD_END,
};
struct privileges_in {
    struct field_list items;
};
static const struct field databases_fields[] = {
    F_LIST(privileges_in, items, "dbPrivileges", db_privilege, db_privilege_in_fields, .flags = GIVEN, .max = MAX_ITEMS,
           DOC("Privileges by database.")),
    FIELD_END,
};
static const struct field objects_fields[] = {
    F_LIST(privileges_in, items, "objectPrivileges", object_privilege, object_privilege_in_fields, .flags = GIVEN, .max = MAX_ITEMS,
           DOC("Privileges by object.")),
    FIELD_END,
};
struct roles_in {
    struct field_strings roles;
};
static const struct field roles_fields[] = {
    F_STRINGS(roles_in, roles, "roles", .flags = GIVEN, .max = MAX_ITEMS, DOC("Names of roles.")),
    FIELD_END,
};

/* --- handlers ----------------------------------------------------------------------------------------------------------------- */

static int prepare_global(struct grant_job *job, const void *body, struct err *e)
{
    return grant_global(job, &((const struct global_in *)body)->privileges, e);
}

static int prepare_databases(struct grant_job *job, const void *body, struct err *e)
{
    return grant_databases(job, &((const struct privileges_in *)body)->items, e);
}

static int prepare_objects(struct grant_job *job, const void *body, struct err *e)
{
    return grant_objects(job, &((const struct privileges_in *)body)->items, e);
}

static int prepare_roles(struct grant_job *job, const void *body, struct err *e)
{
    (void)e; /* nothing can go wrong */
    grant_roles(job, &((const struct roles_in *)body)->roles);
    return 0;
}

static int run(struct call *c, enum account_kind kind, enum grant_verb verb,
               int (*prepare)(struct grant_job *job, const void *body, struct err *e), struct err *e)
{
    const char *name = call_text(c, kind == ACCOUNT_USER ? "username" : "roleName");
    struct grant_job job = { .arena = c->arena, .kind = kind, .name = name, .verb = verb };
    struct tenant t;
    int rv = api_tenant_of(c, name, &t, e);

    if (rv == 0)
        rv = prepare(&job, c->body, e);
    return rv == 0 ? grant_run(&t, &job, e) : rv;
}

#define HANDLER(NAME, KIND, VERB, PREPARE)            \
    static int NAME(struct call *c, struct err *e)    \
    {                                                 \
        return run(c, KIND, VERB, PREPARE, e);        \
    }
#define HANDLERS(NAME, KIND, PREPARE)                 \
    HANDLER(NAME##_grant, KIND, GRANT_ADD, PREPARE)   \
    HANDLER(NAME##_revoke, KIND, GRANT_REMOVE, PREPARE) \
    HANDLER(NAME##_modify, KIND, GRANT_SET, PREPARE)
HANDLERS(user_global, ACCOUNT_USER, prepare_global)
HANDLERS(user_databases, ACCOUNT_USER, prepare_databases)
HANDLERS(user_objects, ACCOUNT_USER, prepare_objects)
HANDLERS(user_roles, ACCOUNT_USER, prepare_roles)
HANDLERS(role_global, ACCOUNT_ROLE, prepare_global)
HANDLERS(role_objects, ACCOUNT_ROLE, prepare_objects)
HANDLERS(role_roles, ACCOUNT_ROLE, prepare_roles)

#define USER TENANT_PATH "/users/{username}/"
#define ROLE TENANT_PATH "/roles/{roleName}/"
#define CHANGE(ID, PATH, HANDLE, DOC_TEXT, STRUCT, FIELDS)                                                                     \
    ROUTE(ID, "POST", PATH, TENANT_UPDATE, HANDLE, REPLY_NONE, ROUTE_DOCUMENTED, DOC_TEXT, .tag = "Database privileges", \
          ROUTE_BODY(STRUCT, FIELDS))
#define GLOBAL global_in, global_fields
#define DATABASES privileges_in, databases_fields
#define OBJECTS privileges_in, objects_fields
#define ROLES roles_in, roles_fields
#define CHANGE_(...) CHANGE(__VA_ARGS__)
#define OF_USER(VERB, WHAT, OPERATION, HANDLE, DOC_TEXT, BODY) \
    CHANGE_("ob-cluster-tenant-user-" VERB "-" WHAT, USER OPERATION, HANDLE, DOC_TEXT, BODY)
#define OF_ROLE(VERB, WHAT, OPERATION, HANDLE, DOC_TEXT, BODY) \
    CHANGE_("ob-cluster-tenant-role-" VERB "-" WHAT, ROLE OPERATION, HANDLE, DOC_TEXT, BODY)

const struct route dbgrant_routes[] = {
    OF_USER("grant", "global-privilege", "grantGlobalPrivilege", user_global_grant, "Let a user do more everywhere.", GLOBAL),
    OF_USER("revoke", "global-privilege", "revokeGlobalPrivilege", user_global_revoke, "Let a user do less everywhere.", GLOBAL),
    OF_USER("modify", "global-privilege", "modifyGlobalPrivilege", user_global_modify, "Set what a user may do everywhere.", GLOBAL),
    OF_USER("grant", "db-privilege", "grantDbPrivilege", user_databases_grant, "Let a user do more in databases.", DATABASES),
    OF_USER("revoke", "db-privilege", "revokeDbPrivilege", user_databases_revoke, "Let a user do less in databases.", DATABASES),
    OF_USER("modify", "db-privilege", "modifyDbPrivilege", user_databases_modify,
            "Set what a user may do in databases; those not named are taken away.", DATABASES),
    OF_USER("grant", "object-privilege", "grantObjectPrivilege", user_objects_grant, "Let a user do more with objects.", OBJECTS),
    OF_USER("revoke", "object-privilege", "revokeObjectPrivilege", user_objects_revoke, "Let a user do less with objects.", OBJECTS),
    OF_USER("modify", "object-privilege", "modifyObjectPrivilege", user_objects_modify,
            "Set what a user may do with the named objects; others stay as they are.", OBJECTS),
    OF_USER("grant", "role", "grantRole", user_roles_grant, "Give a user roles.", ROLES),
    OF_USER("revoke", "role", "revokeRole", user_roles_revoke, "Take roles from a user.", ROLES),
    OF_USER("modify", "role", "modifyRole", user_roles_modify, "Set the roles of a user.", ROLES),
    OF_ROLE("grant", "global-privilege", "grantGlobalPrivilege", role_global_grant, "Let a role do more everywhere.", GLOBAL),
    OF_ROLE("revoke", "global-privilege", "revokeGlobalPrivilege", role_global_revoke, "Let a role do less everywhere.", GLOBAL),
    OF_ROLE("modify", "global-privilege", "modifyGlobalPrivilege", role_global_modify, "Set what a role lets do everywhere.", GLOBAL),
    OF_ROLE("grant", "object-privilege", "grantObjectPrivilege", role_objects_grant, "Let a role do more with objects.", OBJECTS),
    OF_ROLE("revoke", "object-privilege", "revokeObjectPrivilege", role_objects_revoke, "Let a role do less with objects.", OBJECTS),
    OF_ROLE("modify", "object-privilege", "modifyObjectPrivilege", role_objects_modify,
            "Set what a role lets do with the named objects; others stay as they are.", OBJECTS),
    OF_ROLE("grant", "role", "grantRole", role_roles_grant, "Give a role the privileges of others.", ROLES),
    OF_ROLE("revoke", "role", "revokeRole", role_roles_revoke, "Take other roles from a role.", ROLES),
    OF_ROLE("modify", "role", "modifyRole", role_roles_modify, "Set the roles that a role includes.", ROLES),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Users. Roles are in role.c. */
#include <string.h>

#include "api/api.h"
#include "api/role.h"
#include "api/session.h"
#include "api/tables.h"
#include "src/iam/user.h"

const struct field user_fields[] = {
    F_INT(user_view, id, "id", DOC("Id of the user.")),
    F_STRING(user_view, username, "username", DOC("Unique name; it never changes.")),
    F_STRING(user_view, email, "email", DOC("Address for mail.")),
    F_STRING(user_view, phone, "phone", DOC("Telephone number.")),
    F_STRING(user_view, department, "department", DOC("Department.")),
    F_STRING(user_view, description, "description", DOC("Remark.")),
    F_LIST(user_view, roles, "roles", role_view, role_fields, DOC("Roles; what they allow adds up.")),
    F_BOOL(user_view, enabled, "enabled", DOC("Whether the user may log in.")),
    F_BOOL(user_view, locked, "locked", DOC("An administrator has locked the account.")),
    F_BOOL(user_view, must_change, "needChangePassword", DOC("The password must be changed before anything else.")),
    F_TIME(user_view, created_us, "createTime", DOC("When the user was made.")),
    F_TIME(user_view, updated_us, "updateTime", DOC("When the user was changed.")),
    F_TIME(user_view, last_login_us, "lastLoginTime", DOC("When the password was last verified.")),
    FIELD_END,
};

int user_view(const struct user *u, const struct roles *custom, struct arena *arena, struct user_view *out, struct err *e)
{
    *out = (struct user_view){
        .id = u->id,
        .username = u->username,
        .email = u->email,
        .phone = u->phone,
        .department = u->department,
        .description = u->description,
        .enabled = u->enabled,
        .locked = u->locked,
        .must_change = u->must_change_password,
        .created_us = u->created_us,
        .updated_us = u->updated_us,
        .last_login_us = u->last_login_us,
    };
    return role_views(u->roles, custom, arena, &out->roles, e);
}

int reply_user(struct call *c, const struct user *u, struct err *e)
{
    struct user_view view;
    struct roles custom;
    int rv = role_custom_of(c->db, u, 1, c->arena, &custom, e);

    if (rv == 0)
        rv = user_view(u, &custom, c->arena, &view, e);
    return rv == 0 ? call_object(c, &view, e) : rv;
}

struct user_context user_context_of(const struct call *c)
{
    const struct api_shared *s = c->api->shared;

    return (struct user_context){ s->iam, c->db, s->crypto_pool, s->node->clock };
}

static void about(struct call *c, int64_t id, const char *name)
{
    c->object_kind = "OCP_USER";
    c->object_id = id;
    c->object_name = name;
}

struct user_query {
    const char *username, *keyword;
    int64_t role_id;
    int enabled, locked;
};

static const struct field user_query_fields[] = {
    F_STRING(user_query, username, "username", .max = 128, DOC("Part of the name.")),
    F_STRING(user_query, keyword, "keyword", .max = 255, DOC("Part of name, address, telephone number, department or remark.")),
    F_INT(user_query, role_id, "roleId", DOC("Only users who have this role.")),
    F_BOOL(user_query, enabled, "enabled", DOC("Only users who may log in, or may not.")),
    F_BOOL(user_query, locked, "locked", DOC("Only users whom an administrator has locked, or has not.")),
    FIELD_END,
};

static const char *const user_sorts[] = { "id", "username", "email", "department", "createTime", "updateTime", "lastLoginTime", NULL };

static int api_user_list(struct call *c, struct err *e)
{
    const struct user_query *q = c->query;
    struct user_filter f = { q->username, q->keyword, q->role_id, q->enabled, q->locked, c->scope };
    struct store_page page = call_store_page(c);
    struct user_view *views = NULL;
    struct user *users;
    struct roles custom;
    int64_t total;
    size_t n = 0;
    int rv = store_user_list(c->db, &f, &page, c->arena, &users, &n, &total, e);

    if (rv == 0)
        rv = role_custom_of(c->db, users, n, c->arena, &custom, e);
    if (rv == 0 && (views = arena_array(c->arena, n, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = user_view(&users[i], &custom, c->arena, &views[i], e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

static int api_user_get(struct call *c, struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    return rv == 0 ? reply_user(c, u, e) : rv;
}

static bool is_before(struct field_ints roles, size_t end, int64_t id)
{
    for (size_t i = 0; i < end; i++) {
        if (roles.items[i] == id)
            return true;
    }
    return false;
}

/* Role ids as the row keeps them: "101,107", each once. NULL when memory is out. */
static const char *join_roles(const struct call *c, struct field_ints roles)
{
    struct str t;

    str_init(&t, c->arena);
    for (size_t i = 0; i < roles.n; i++) {
        if (!is_before(roles, i, roles.items[i]))
            str_printf(&t, "%s%lld", i > 0 ? "," : "", (long long)roles.items[i]);
    }
    return str_failed(&t) ? NULL : str_c(&t);
}

struct user_in {
    const char *username, *password, *email, *phone, *department, *description;
    struct field_ints roles;
    int enabled, must_change;
};

#define CONTACT_FIELDS                                                                                                              \
    F_STRING(user_in, email, "email", .max = 255, .flags = FIELD_EMPTY_OK, DOC("Address for mail.")),                               \
        F_STRING(user_in, phone, "phone", .alias = "mobile", .max = 64, .flags = FIELD_EMPTY_OK, DOC("Telephone number.")),         \
        F_STRING(user_in, department, "department", .max = 255, .flags = FIELD_EMPTY_OK, DOC("Department.")),                       \
        F_STRING(user_in, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("Remark."))

static const struct field user_create_fields[] = {
    F_STRING(user_in, username, "username", .flags = FIELD_REQUIRED, DOC("Unique name.")),
    F_STRING(user_in, password, "password", .flags = FIELD_REQUIRED | FIELD_SECRET, DOC("First password, in clear.")),
    CONTACT_FIELDS,
    F_INTS(user_in, roles, "roles", .max = 64, DOC("Ids of roles; without any the user gets PROFILE (101).")),
    F_BOOL(user_in, enabled, "enabled", .def = "true", DOC("Whether the user may log in.")),
    F_BOOL(user_in, must_change, "needChangePassword", .def = "false", DOC("The password must be changed at the first login.")),
    FIELD_END,
};

static const struct field user_update_fields[] = {
    CONTACT_FIELDS,
    F_INTS(user_in, roles, "roles", .max = 64, DOC("Ids of all roles that the user shall have; without any they stay.")),
    F_BOOL(user_in, enabled, "enabled", DOC("Whether the user may log in.")),
    FIELD_END,
};

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

static int api_user_create(struct call *c, struct err *e)
{
    const struct user_in *in = c->body;
    struct user_context context = user_context_of(c);
    struct user u = {
        .username = in->username,
        .email = or_empty(in->email),
        .phone = or_empty(in->phone),
        .department = or_empty(in->department),
        .description = or_empty(in->description),
        .enabled = in->enabled,
    };
    const char *password;
    int rv;

    about(c, -1, in->username);
    u.roles = in->roles.n > 0 ? join_roles(c, in->roles) : "101";
    if (u.roles == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = session_password(c, in->password, &password, e);
    if (rv == 0)
        rv = user_create(&context, c->user, &u, password, in->must_change == 1, c->arena, e);
    c->object_id = u.id;
    return rv == 0 ? reply_user(c, &u, e) : rv;
}

static int change_user(struct call *c, const struct user_update *change, struct err *e)
{
    struct user_context context = user_context_of(c);
    struct user *u;
    int rv = user_update(&context, c->user, call_id(c, "id"), change, c->arena, &u, e);

    if (rv != 0)
        return rv;
    c->object_name = u->username;
    return reply_user(c, u, e);
}

static int api_user_update(struct call *c, struct err *e)
{
    const struct user_in *in = c->body;
    struct user_update change = { in->email, in->phone, in->department, in->description, NULL, in->enabled, -1 };

    about(c, call_id(c, "id"), NULL);
    change.roles = in->roles.n > 0 ? join_roles(c, in->roles) : NULL;
    if (in->roles.n > 0 && change.roles == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return change_user(c, &change, e);
}

static int api_user_lock(struct call *c, struct err *e)
{
    const struct user_update change = { .enabled = -1, .locked = 1 };

    about(c, call_id(c, "id"), NULL);
    return change_user(c, &change, e);
}

static int api_user_delete(struct call *c, struct err *e)
{
    struct user_context context = user_context_of(c);

    about(c, call_id(c, "id"), NULL);
    return user_delete(&context, c->user, call_id(c, "id"), c->arena, &c->object_name, e);
}

static const struct field password_fields[] = {
    F_STRING(user_in, password, "password", .flags = FIELD_REQUIRED | FIELD_SECRET,
             DOC("New password, which the user must change at the next login.")),
    FIELD_END,
};

static int api_user_reset_password(struct call *c, struct err *e)
{
    const struct user_in *in = c->body;
    struct user_context context = user_context_of(c);
    const char *password;
    int rv = session_password(c, in->password, &password, e);

    about(c, call_id(c, "id"), NULL);
    return rv == 0 ? user_set_password(&context, c->user, call_id(c, "id"), password, c->arena, e) : rv;
}

static int api_user_unlock(struct call *c, struct err *e)
{
    const struct user_update change = { .enabled = -1, .locked = 0 };
    int rv;

    about(c, call_id(c, "id"), NULL);
    rv = change_user(c, &change, e);
    if (rv == 0)
        rv = iam_unlock(c->api->shared->iam, c->db, c->object_name, e);
    return rv;
}

#define USERS .tag = "Users"

const struct route iam_routes[] = {
    ROUTE("iam-users-list", "GET", "/api/v2/iam/users", "USER:?:READ", api_user_list, REPLY_PAGED, ROUTE_ADDITIONAL, "List the users.", USERS,
          .sort = user_sorts, ROUTE_QUERY(user_query, user_query_fields), ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-create", "POST", "/api/v2/iam/users", "USER:*:CREATE", api_user_create, REPLY_OBJECT, ROUTE_ADDITIONAL, "Create a user.",
          USERS, ROUTE_BODY(user_in, user_create_fields), ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-get", "GET", "/api/v2/iam/users/{id}", "USER:{id}:READ", api_user_get, REPLY_OBJECT, ROUTE_OWN, "Show a user.", USERS,
          ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-update", "PATCH", "/api/v2/iam/users/{id}", "USER:{id}:UPDATE", api_user_update, REPLY_OBJECT, ROUTE_OWN,
          "Change what is sent: how to reach the user, roles, whether the user may log in.", USERS, ROUTE_BODY(user_in, user_update_fields),
          ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-delete", "DELETE", "/api/v2/iam/users/{id}", "USER:{id}:DELETE", api_user_delete, REPLY_NONE, ROUTE_OWN,
          "Delete a user who is no administrator.", USERS),
    ROUTE("iam-user-reset-password", "POST", "/api/v2/iam/users/{id}/resetPassword", "USER:{id}:UPDATE", api_user_reset_password, REPLY_NONE,
          ROUTE_OWN, "Give a user a new password.", USERS, ROUTE_BODY(user_in, password_fields)),
    ROUTE("iam-user-lock", "POST", "/api/v2/iam/users/{id}/lock", "USER:{id}:UPDATE", api_user_lock, REPLY_OBJECT, ROUTE_OWN,
          "Lock the account of a user, who is out within two seconds.", USERS, ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-unlock", "POST", "/api/v2/iam/users/{id}/unlock", "USER:{id}:UPDATE", api_user_unlock, REPLY_OBJECT, ROUTE_OWN,
          "Unlock the account of a user, and forget the failed logins that this node has counted.", USERS, ROUTE_OUT(user_view, user_fields)),
    ROUTE_END,
};

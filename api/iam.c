/* SPDX-License-Identifier: Apache-2.0 */
/* Users, roles and permissions. */
#include <string.h>

#include "api/api.h"
#include "api/role.h"
#include "api/tables.h"
#include "src/iam/user.h"

/* ---- roles and permissions ------------------------------------------------------------------------------------------- */

const struct field role_fields[] = {
    F_INT(role_view, id, "id", DOC("Id of the role.")),
    F_STRING(role_view, name, "name", DOC("Unique name.")),
    F_TEXT2(role_view, description, "description", DOC("What it is for.")),
    F_STRINGS(role_view, permissions, "permissions", DOC("Permission expressions, DOMAIN:id:ACTION.")),
    F_BOOL(role_view, builtin, "builtin", DOC("Every installation has it; it cannot be changed or deleted.")),
    FIELD_END,
};

static void role_view(const struct role_row *row, struct role_view *out)
{
    size_t n = 0;

    while (n < ROLE_MAX_PERMISSIONS && row->permissions[n] != NULL)
        n++;
    *out = (struct role_view){ row->id, row->name, { row->doc[ERR_EN], row->doc[ERR_ZH] }, { (const char **)(uintptr_t)row->permissions, n }, true };
}

int role_views(const char *roles, struct arena *arena, struct field_list *out, struct err *e)
{
    struct slice rest = { roles, strlen(roles) };
    struct role_view *views = arena_array(arena, rest.n / 2 + 1, sizeof *views);
    const struct role_row *row;
    int64_t id;
    size_t n = 0;

    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rest.n > 0) {
        if (num_parse_i64(slice_cut(&rest, ','), &id) && (row = role_find(id)) != NULL)
            role_view(row, &views[n++]);
    }
    *out = (struct field_list){ views, n };
    return 0;
}

static int api_role_list(struct call *c, struct err *e)
{
    struct role_view *views;
    size_t n = 0;

    while (role_rows[n].name != NULL)
        n++;
    views = arena_array(c->arena, n, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        role_view(&role_rows[i], &views[i]);
    return call_list(c, views, n, e);
}

static int api_role_get(struct call *c, struct err *e)
{
    const struct role_row *row = role_find(call_id(c, "id"));
    struct role_view view;

    if (row == NULL) {
        (void)err_set(e, &ERR_NOT_FOUND, "role");
        return err_arg(e, "%lld", (long long)call_id(c, "id"));
    }
    role_view(row, &view);
    return call_object(c, &view, e);
}

struct permission_view {
    const char *domain, *parent, *description;
    struct field_strings actions;
};

static const struct field permission_fields[] = {
    F_STRING(permission_view, domain, "domain", DOC("First part of an expression, or third where the domain lies below another.")),
    F_STRING(permission_view, parent, "parentDomain", DOC("Domain it lies below.")),
    F_STRING(permission_view, description, "description", DOC("What it is about.")),
    F_STRINGS(permission_view, actions, "actions", DOC("Last part of an expression.")),
    FIELD_END,
};

static int api_permission_list(struct call *c, struct err *e)
{
    const char **actions = arena_array(c->arena, PERMISSION_EVERY_ACTION + 1, sizeof *actions);
    struct permission_view views[PERMISSION_N_DOMAINS];

    if (actions == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i <= PERMISSION_EVERY_ACTION; i++)
        actions[i] = permission_action_name(i);
    for (unsigned i = 0; i < PERMISSION_N_DOMAINS; i++) {
        enum permission_domain parent = permission_domain_parent(i);

        views[i] = (struct permission_view){
            .domain = permission_domain_name(i),
            .parent = parent != i ? permission_domain_name(parent) : NULL,
            .description = permission_domain_doc(i),
            .actions = { actions, PERMISSION_EVERY_ACTION + 1 },
        };
    }
    return call_list(c, views, PERMISSION_N_DOMAINS, e);
}

/* ---- users ----------------------------------------------------------------------------------------------------------- */

const struct field user_fields[] = {
    F_INT(user_view, id, "id", DOC("Id of the user.")),
    F_STRING(user_view, username, "username", DOC("Unique name; it never changes.")),
    F_STRING(user_view, email, "email", DOC("Address for mail.")),
    F_STRING(user_view, description, "description", DOC("Remark.")),
    F_LIST(user_view, roles, "roles", role_view, role_fields, DOC("Roles; what they allow adds up.")),
    F_BOOL(user_view, enabled, "enabled", DOC("Whether the user may log in.")),
    F_BOOL(user_view, must_change, "needChangePassword", DOC("The password must be changed before anything else.")),
    F_TIME(user_view, created_us, "createTime", DOC("When the user was made.")),
    F_TIME(user_view, updated_us, "updateTime", DOC("When the user was changed.")),
    F_TIME(user_view, last_login_us, "lastLoginTime", DOC("When the password was last verified.")),
    FIELD_END,
};

int user_view(const struct user *u, struct arena *arena, struct user_view *out, struct err *e)
{
    *out = (struct user_view){
        .id = u->id,
        .username = u->username,
        .email = u->email,
        .description = u->description,
        .enabled = u->enabled,
        .must_change = u->must_change_password,
        .created_us = u->created_us,
        .updated_us = u->updated_us,
        .last_login_us = u->last_login_us,
    };
    return role_views(u->roles, arena, &out->roles, e);
}

int reply_user(struct call *c, const struct user *u, struct err *e)
{
    struct user_view view;
    int rv = user_view(u, c->arena, &view, e);

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
    const char *username;
};

static const struct field user_query_fields[] = {
    F_STRING(user_query, username, "username", .max = 128, DOC("Part of the name.")),
    FIELD_END,
};

static const char *const user_sorts[] = { "id", "username", NULL };

static int api_user_list(struct call *c, struct err *e)
{
    const struct user_query *q = c->query;
    struct user_filter f = { q->username, strcmp(c->page.sort, "username") == 0, c->page.descending, c->page.number, c->page.size };
    struct user_view *views;
    struct user *users;
    int64_t total;
    size_t n;
    int rv = store_user_list(c->db, &f, c->arena, &users, &n, &total, e);

    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = user_view(&users[i], c->arena, &views[i], e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

static int api_user_get(struct call *c, struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    return rv == 0 ? reply_user(c, u, e) : rv;
}

/* Role ids as the row keeps them: "101,107". NULL when memory is out. */
static const char *join_roles(const struct call *c, struct field_ints roles)
{
    struct str t;

    str_init(&t, c->arena);
    for (size_t i = 0; i < roles.n; i++)
        str_printf(&t, "%s%lld", i > 0 ? "," : "", (long long)roles.items[i]);
    return str_failed(&t) ? NULL : str_c(&t);
}

struct user_in {
    const char *username, *password, *email, *description;
    struct field_ints roles;
    int enabled;
};

#define EMAIL_FIELD(STRUCT) F_STRING(STRUCT, email, "email", .max = 255, .flags = FIELD_EMPTY_OK, DOC("Address for mail."))
#define DESCRIPTION_FIELD(STRUCT) F_STRING(STRUCT, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("Remark."))

static const struct field user_create_fields[] = {
    F_STRING(user_in, username, "username", .flags = FIELD_REQUIRED, DOC("Unique name.")),
    F_STRING(user_in, password, "password", .flags = FIELD_REQUIRED | FIELD_SECRET, DOC("First password, in clear.")),
    EMAIL_FIELD(user_in),
    DESCRIPTION_FIELD(user_in),
    F_INTS(user_in, roles, "roles", .max = 64, DOC("Ids of roles; without any the user gets PROFILE (101).")),
    FIELD_END,
};

static const struct field user_update_fields[] = {
    EMAIL_FIELD(user_in),
    DESCRIPTION_FIELD(user_in),
    F_INTS(user_in, roles, "roles", .max = 64, DOC("Ids of all roles that the user shall have; without any they stay.")),
    F_BOOL(user_in, enabled, "enabled", DOC("Whether the user may log in.")),
    FIELD_END,
};

static int api_user_create(struct call *c, struct err *e)
{
    const struct user_in *in = c->body;
    struct user_context context = user_context_of(c);
    struct user u = { .username = in->username, .email = in->email != NULL ? in->email : "", .enabled = 1,
                      .description = in->description != NULL ? in->description : "" };
    int rv;

    about(c, -1, in->username);
    u.roles = in->roles.n > 0 ? join_roles(c, in->roles) : "101";
    if (u.roles == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = user_create(&context, c->user, &u, in->password, e);
    c->object_id = u.id;
    return rv == 0 ? reply_user(c, &u, e) : rv;
}

static int api_user_update(struct call *c, struct err *e)
{
    const struct user_in *in = c->body;
    struct user_context context = user_context_of(c);
    struct user_update change = { in->email, in->description, NULL, in->enabled };
    struct user *u;
    int rv;

    about(c, call_id(c, "id"), NULL);
    change.roles = in->roles.n > 0 ? join_roles(c, in->roles) : NULL;
    if (in->roles.n > 0 && change.roles == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = user_update(&context, c->user, call_id(c, "id"), &change, c->arena, &u, e);
    if (rv != 0)
        return rv;
    c->object_name = u->username;
    return reply_user(c, u, e);
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

    about(c, call_id(c, "id"), NULL);
    return user_set_password(&context, c->user, call_id(c, "id"), in->password, c->arena, e);
}

static int api_user_unlock(struct call *c, struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    if (rv != 0)
        return rv;
    about(c, u->id, u->username);
    iam_unlock(c->api->shared->iam, u->username);
    return 0;
}

#define USERS .tag = "Users"

const struct route iam_routes[] = {
    ROUTE("iam-users-list", "GET", "/api/v2/iam/users", "USER:*:READ", api_user_list, REPLY_PAGED, ROUTE_ADDITIONAL, "List the users.", USERS,
          .sort = user_sorts, ROUTE_QUERY(user_query, user_query_fields), ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-create", "POST", "/api/v2/iam/users", "USER:*:CREATE", api_user_create, REPLY_OBJECT, ROUTE_ADDITIONAL, "Create a user.",
          USERS, ROUTE_BODY(user_in, user_create_fields), ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-get", "GET", "/api/v2/iam/users/{id}", "USER:{id}:READ", api_user_get, REPLY_OBJECT, ROUTE_OWN, "Show a user.", USERS,
          ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-update", "PATCH", "/api/v2/iam/users/{id}", "USER:{id}:UPDATE", api_user_update, REPLY_OBJECT, ROUTE_OWN,
          "Change what is sent: address, remark, roles, whether the user may log in.", USERS, ROUTE_BODY(user_in, user_update_fields),
          ROUTE_OUT(user_view, user_fields)),
    ROUTE("iam-user-delete", "DELETE", "/api/v2/iam/users/{id}", "USER:{id}:DELETE", api_user_delete, REPLY_NONE, ROUTE_OWN,
          "Delete a user who is no administrator.", USERS),
    ROUTE("iam-user-reset-password", "POST", "/api/v2/iam/users/{id}/resetPassword", "USER:{id}:UPDATE", api_user_reset_password, REPLY_NONE,
          ROUTE_OWN, "Give a user a new password.", USERS, ROUTE_BODY(user_in, password_fields)),
    ROUTE("iam-user-unlock", "POST", "/api/v2/iam/users/{id}/unlock", "USER:{id}:UPDATE", api_user_unlock, REPLY_NONE, ROUTE_OWN,
          "Forget the failed logins that this node has counted for a user.", USERS),
    ROUTE("iam-roles-list", "GET", "/api/v2/iam/roles", "ROLE:*:READ", api_role_list, REPLY_LIST, ROUTE_OWN, "List the roles.", USERS,
          ROUTE_OUT(role_view, role_fields)),
    ROUTE("iam-role-get", "GET", "/api/v2/iam/roles/{id}", "ROLE:{id}:READ", api_role_get, REPLY_OBJECT, ROUTE_OWN, "Show a role.", USERS,
          ROUTE_OUT(role_view, role_fields)),
    ROUTE("iam-permissions-list", "GET", "/api/v2/iam/permissions", "ROLE:*:READ", api_permission_list, REPLY_LIST, ROUTE_OWN,
          "List what permissions can be about.", USERS, ROUTE_OUT(permission_view, permission_fields)),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Roles and permissions: the default roles, which are a table, and those that people make, which are rows. */
#include "api/role.h"

#include <string.h>
#include <strings.h>

#include "api/permit.h"
#include "api/tables.h"
#include "src/iam/customrole.h"

const struct field role_fields[] = {
    F_INT(role_view, id, "id", DOC("Id of the role.")),
    F_STRING(role_view, name, "name", DOC("Unique name.")),
    F_TEXT2(role_view, description, "description", DOC("What it is for.")),
    F_STRINGS(role_view, permissions, "permissions", DOC("Permission expressions, DOMAIN:id:ACTION.")),
    F_BOOL(role_view, builtin, "builtin", DOC("Every installation has it; it cannot be changed or deleted.")),
    F_TIME(role_view, created_us, "createTime", DOC("When it was made; a default role has none.")),
    F_TIME(role_view, updated_us, "updateTime", DOC("When it was last changed.")),
    FIELD_END,
};

/* ---- what they look like --------------------------------------------------------------------------------------------- */

static void default_view(const struct role_row *row, struct role_view *out)
{
    size_t n = 0;

    while (n < ROLE_MAX_PERMISSIONS && row->permissions[n] != NULL)
        n++;
    *out = (struct role_view){ row->id, row->name, { row->doc[ERR_EN], row->doc[ERR_ZH] },
                               { (const char **)(uintptr_t)row->permissions, n }, true, FIELD_NONE, FIELD_NONE };
}

static int custom_view(const struct role *r, struct arena *arena, struct role_view *out, struct err *e)
{
    struct slice rest = { r->permissions, strlen(r->permissions) };
    size_t n = 1;

    *out = (struct role_view){ r->id, r->name, { r->description, r->description }, { NULL, 0 }, false, r->created_us, r->updated_us };
    for (size_t i = 0; i < rest.n; i++)
        n += rest.s[i] == '\n';
    out->permissions.items = arena_array(arena, n, sizeof *out->permissions.items);
    if (out->permissions.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rest.n > 0) {
        struct slice line = slice_cut(&rest, '\n');
        const char *text = arena_strndup(arena, line.s, line.n);

        if (text == NULL)
            return err_set(e, &ERR_NOMEM, "");
        out->permissions.items[out->permissions.n++] = text;
    }
    return 0;
}

int role_custom_of(struct db *d, const struct user *users, size_t n, struct arena *arena, struct roles *out, struct err *e)
{
    struct field_ints ids = { NULL, 0 };
    size_t space = 1;

    *out = (struct roles){ NULL, 0 };
    for (size_t i = 0; i < n; i++)
        space += strlen(users[i].roles) / 2 + 1;
    ids.items = arena_array(arena, space, sizeof *ids.items);
    if (ids.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        struct slice rest = { users[i].roles, strlen(users[i].roles) };
        int64_t id;

        while (rest.n > 0) {
            if (num_parse_i64(slice_cut(&rest, ','), &id) && id >= ROLE_FIRST_CUSTOM)
                ids.items[ids.n++] = id;
        }
    }
    return ids.n == 0 ? 0 : store_role_list_of(d, ids, arena, &out->items, &out->n, e);
}

static const struct role *find_custom(const struct roles *custom, int64_t id)
{
    for (size_t i = 0; i < custom->n; i++) {
        if (custom->items[i].id == id)
            return &custom->items[i];
    }
    return NULL;
}

int role_views(const char *roles, const struct roles *custom, struct arena *arena, struct field_list *out, struct err *e)
{
    struct slice rest = { roles, strlen(roles) };
    struct role_view *views = arena_array(arena, rest.n / 2 + 1, sizeof *views);
    size_t n = 0;
    int rv = 0;

    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rv == 0 && rest.n > 0) {
        const struct role_row *row;
        const struct role *r;
        int64_t id;

        if (!num_parse_i64(slice_cut(&rest, ','), &id))
            continue;
        if ((row = role_find(id)) != NULL)
            default_view(row, &views[n++]);
        else if ((r = find_custom(custom, id)) != NULL)
            rv = custom_view(r, arena, &views[n++], e);
    }
    *out = (struct field_list){ views, n };
    return rv;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

struct role_query {
    const char *name;
    int builtin;
};

static const struct field role_query_fields[] = {
    F_STRING(role_query, name, "name", .max = 128, DOC("Part of the name.")),
    F_BOOL(role_query, builtin, "builtin", DOC("Only default roles, or only others.")),
    FIELD_END,
};

static size_t default_views(const struct call *c, const struct role_query *q, struct role_view *views)
{
    size_t n = 0;

    for (const struct role_row *r = role_rows; q->builtin != 0 && r->name != NULL; r++) {
        if (permit_sees(c, PERMISSION_ROLE, r->id) && (q->name == NULL || strcasestr(r->name, q->name) != NULL))
            default_view(r, &views[n++]);
    }
    return n;
}

static int api_role_list(struct call *c, struct err *e)
{
    const struct role_query *q = c->query;
    struct role_filter f = { .name = q->name, .scope = c->scope };
    struct role *rows = NULL;
    struct role_view *views;
    size_t n_rows = 0, n_default = 0, n;
    int rv = 0;

    while (role_rows[n_default].name != NULL)
        n_default++;
    if (q->builtin != 1)
        rv = store_role_list(c->db, &f, NULL, c->arena, &rows, &n_rows, NULL, e);
    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n_default + n_rows, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    n = default_views(c, q, views);
    for (size_t i = 0; rv == 0 && i < n_rows; i++)
        rv = custom_view(&rows[i], c->arena, &views[n++], e);
    return rv == 0 ? call_list(c, views, n, e) : rv;
}

static int reply_custom(struct call *c, const struct role *r, struct err *e)
{
    struct role_view view;
    int rv = custom_view(r, c->arena, &view, e);

    c->object_kind = "OCP_ROLE";
    c->object_id = r->id;
    c->object_name = r->name;
    return rv == 0 ? call_object(c, &view, e) : rv;
}

static int api_role_get(struct call *c, struct err *e)
{
    const struct role_row *row = role_find(call_id(c, "id"));
    struct role_view view;
    struct role r;
    int rv;

    if (row != NULL) {
        default_view(row, &view);
        return call_object(c, &view, e);
    }
    rv = store_role_get(c->db, call_id(c, "id"), c->arena, &r, e);
    return rv == 0 ? reply_custom(c, &r, e) : rv;
}

/* ---- changing -------------------------------------------------------------------------------------------------------- */

static const struct field role_create_fields[] = {
    F_STRING(role_spec, name, "name", .flags = FIELD_REQUIRED, DOC("Unique name: 2 to 32 letters, digits and underscores.")),
    F_STRING(role_spec, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("What it is for.")),
    F_STRINGS(role_spec, permissions, "permissions", .max = ROLE_MAX_EXPRESSIONS, .flags = FIELD_EMPTY_OK,
              DOC("Permission expressions: CLUSTER:12:READ, CLUSTER:12:TENANT:1003:UPDATE, HOST:7:*.")),
    FIELD_END,
};
static const struct field role_update_fields[] = {
    F_STRING(role_spec, name, "name", DOC("New name.")),
    F_STRING(role_spec, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("What it is for.")),
    F_STRINGS(role_spec, permissions, "permissions", .max = ROLE_MAX_EXPRESSIONS, DOC("All that it shall allow; without any they stay.")),
    FIELD_END,
};
static const struct field role_copy_fields[] = {
    F_STRING(role_spec, name, "name", .flags = FIELD_REQUIRED, DOC("Name of the copy.")),
    F_STRING(role_spec, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("What it is for; the original's if none is given.")),
    FIELD_END,
};

static int create(struct call *c, const struct role_spec *spec, struct err *e)
{
    struct role r;
    int rv;

    c->object_kind = "OCP_ROLE";
    c->object_name = spec->name;
    rv = role_create(c->db, c->user, spec, c->arena, &r, e);
    return rv == 0 ? reply_custom(c, &r, e) : rv;
}

static int api_role_create(struct call *c, struct err *e)
{
    return create(c, c->body, e);
}

static int api_role_copy(struct call *c, struct err *e)
{
    const struct role_row *row = role_find(call_id(c, "id"));
    struct role_spec spec = *(const struct role_spec *)c->body;
    struct role_view from;
    struct role r;
    int rv = 0;

    if (row != NULL) {
        default_view(row, &from);
    } else {
        rv = store_role_get(c->db, call_id(c, "id"), c->arena, &r, e);
        if (rv == 0)
            rv = custom_view(&r, c->arena, &from, e);
    }
    if (rv != 0)
        return rv;
    spec.permissions = from.permissions;
    if (spec.description == NULL)
        spec.description = from.description[c->style.lang];
    return create(c, &spec, e);
}

static int api_role_update(struct call *c, struct err *e)
{
    struct role r;
    int rv;

    c->object_kind = "OCP_ROLE";
    c->object_id = call_id(c, "id");
    rv = role_update(c->db, c->user, c->object_id, c->body, c->arena, &r, e);
    return rv == 0 ? reply_custom(c, &r, e) : rv;
}

static int api_role_delete(struct call *c, struct err *e)
{
    c->object_kind = "OCP_ROLE";
    c->object_id = call_id(c, "id");
    return role_delete(c->db, c->object_id, c->arena, &c->object_name, e);
}

/* ---- permissions ----------------------------------------------------------------------------------------------------- */

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

#define TAG .tag = "Users"
#define OUT ROUTE_OUT(role_view, role_fields)

const struct route role_routes[] = {
    ROUTE("iam-roles-list", "GET", "/api/v2/iam/roles", "ROLE:?:READ", api_role_list, REPLY_LIST, ROUTE_OWN,
          "List the roles: the default ones, then others, newest first.", TAG, ROUTE_QUERY(role_query, role_query_fields), OUT),
    ROUTE("iam-role-create", "POST", "/api/v2/iam/roles", "ROLE:*:CREATE", api_role_create, REPLY_OBJECT, ROUTE_OWN, "Make a role.", TAG,
          ROUTE_BODY(role_spec, role_create_fields), OUT),
    ROUTE("iam-role-get", "GET", "/api/v2/iam/roles/{id}", "ROLE:{id}:READ", api_role_get, REPLY_OBJECT, ROUTE_OWN, "Show a role.", TAG, OUT),
    ROUTE("iam-role-update", "PATCH", "/api/v2/iam/roles/{id}", "ROLE:{id}:UPDATE", api_role_update, REPLY_OBJECT, ROUTE_OWN,
          "Change what is sent of a role; it counts for all who have it within two seconds.", TAG, ROUTE_BODY(role_spec, role_update_fields), OUT),
    ROUTE("iam-role-delete", "DELETE", "/api/v2/iam/roles/{id}", "ROLE:{id}:DELETE", api_role_delete, REPLY_NONE, ROUTE_OWN,
          "Delete a role that no user has.", TAG),
    ROUTE("iam-role-copy", "POST", "/api/v2/iam/roles/{id}/copy", "ROLE:*:CREATE", api_role_copy, REPLY_OBJECT, ROUTE_OWN,
          "Make a role that allows the same as another one.", TAG, ROUTE_BODY(role_spec, role_copy_fields), OUT),
    ROUTE("iam-permissions-list", "GET", "/api/v2/iam/permissions", "ROLE:?:READ", api_permission_list, REPLY_LIST, ROUTE_OWN,
          "List what permissions can be about.", TAG, ROUTE_OUT(permission_view, permission_fields)),
    ROUTE_END,
};

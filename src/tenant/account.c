/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is read at once (users, privileges, who has which role, databases), sorted by account, and cut up in memory. */
#include "src/tenant/account.h"

#include <stdlib.h>
#include <string.h>

#include "src/oceanbase/database.h"
#include "src/tenant/privilege.h"

ERR_DEFINE(ERR_DBUSER_NOT_FOUND, 15252, 404, ERR_FINAL, "There is no database user {0}.", "数据库用户 {0} 不存在。");
ERR_DEFINE(ERR_DBUSER_PROTECTED, 15253, 403, ERR_FINAL, "The user {0} belongs to the system and cannot be changed this way.",
           "系统用户 {0} 不允许执行该操作。");
ERR_DEFINE(ERR_DBUSER_ORACLE, 15254, 400, ERR_FINAL,
           "The tenant {0} is in Oracle mode: its users, roles and objects cannot be seen or changed here. Use a client of Oracle mode.",
           "租户 {0} 为 Oracle 模式，暂不支持在此查看或变更其用户、角色和对象，请使用 Oracle 模式的客户端。");
ERR_DEFINE(ERR_DBROLE_NOT_FOUND, 15302, 404, ERR_FINAL, "There is no database role {0}.", "数据库角色 {0} 不存在。");

const struct err_row *const account_err_rows[] = { 
    &ERR_DBUSER_NOT_FOUND, &ERR_DBUSER_PROTECTED, &ERR_DBUSER_ORACLE, &ERR_DBROLE_NOT_FOUND, NULL,
 };

bool account_is_protected(const char *name)
{
    static const char *const names[] = { "root", "ORAAUDITOR", "LBACSYS", "ocp_monitor", "proxyro" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "__", 2) == 0;
}

int account_not_found(enum account_kind kind, const char *name, struct err *e)
{
    return err_set(e, kind == ACCOUNT_USER ? &ERR_DBUSER_NOT_FOUND : &ERR_DBROLE_NOT_FOUND, "%s", name);
}

int account_find(struct sql *s, enum account_kind kind, const char *name, struct arena *arena, struct err *e)
{
    struct ob_user u;
    bool found;
    int rv = ob_user_get(s, name, arena, &u, &found, e);

    if (rv != 0)
        return rv;
    return found && u.is_role == (kind == ACCOUNT_ROLE) ? 0 : account_not_found(kind, name, e);
}

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

/* A privilege with the name that its database has for people. */
struct grant {
    const struct ob_privilege *p;
    const char *database;
};

struct reading {
    struct arena *arena;
    const char *name;                 /* of the one wanted; NULL: all */
    struct ob_user *users;
    struct ob_privilege *privileges;
    struct ob_role_edge *edges;
    struct ob_database *databases;
    size_t n_users, n_privileges, n_edges, n_databases;
    struct grant *grants;             /* of accounts at '%', by account, database, object, privilege */
    size_t n_grants;
    struct ob_role_edge *by_role;     /* the edges, by role */
    struct field_strings all;         /* names of all databases that are shown */
};

static int read_users(struct sql *s, struct reading *r, struct err *e)
{
    bool found;
    int rv;

    if (r->name == NULL)
        return ob_users_list(s, r->arena, &r->users, &r->n_users, e);
    r->users = arena_zalloc(r->arena, sizeof *r->users);
    rv = r->users != NULL ? ob_user_get(s, r->name, r->arena, r->users, &found, e) : err_set(e, &ERR_NOMEM, "");
    r->n_users = rv == 0 && found ? 1 : 0;
    return rv;
}

static int work_read(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct reading *r = step->data;
    int rv = read_users(s, r, e);

    if (rv == 0 && r->n_users > 0)
        rv = ob_privileges_list(s, r->name, r->arena, &r->privileges, &r->n_privileges, e);
    if (rv == 0 && r->n_users > 0)
        rv = ob_role_edges_list(s, r->arena, &r->edges, &r->n_edges, e);
    if (rv == 0 && r->n_users > 0)
        rv = ob_databases_list(s, r->arena, &r->databases, &r->n_databases, e);
    return rv;
}

static int compare_texts(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int compare_grants(const void *left, const void *right)
{
    const struct grant *a = left, *b = right;
    int order = strcmp(a->p->user, b->p->user);

    if (order == 0)
        order = compare_texts(a->database, b->database);
    if (order == 0)
        order = compare_texts(a->p->on.object, b->p->on.object);
    if (order == 0)
        order = (int)a->p->on.is_routine - (int)b->p->on.is_routine;
    return order != 0 ? order : strcmp(a->p->privilege, b->p->privilege);
}

static int sort_grants(struct reading *r, struct err *e)
{
    r->grants = arena_array(r->arena, r->n_privileges + 1, sizeof *r->grants);
    if (r->grants == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < r->n_privileges; i++) {
        const struct ob_privilege *p = &r->privileges[i];
        const char *database = p->on.database;

        if (strcmp(p->host, "%") != 0)
            continue;
        if (database != NULL && p->on.object == NULL)
            database = database_of_pattern(database, r->arena);
        if (database == NULL && p->on.database != NULL)
            return err_set(e, &ERR_NOMEM, "");
        r->grants[r->n_grants++] = (struct grant){ p, database };
    }
    qsort(r->grants, r->n_grants, sizeof *r->grants, compare_grants);
    return 0;
}

static int compare_by_role(const void *left, const void *right)
{
    const struct ob_role_edge *a = left, *b = right;
    int order = strcmp(a->role, b->role);

    return order != 0 ? order : strcmp(a->user, b->user);
}

static int compare_by_user(const void *left, const void *right)
{
    const struct ob_role_edge *a = left, *b = right;
    int order = strcmp(a->user, b->user);

    return order != 0 ? order : strcmp(a->role, b->role);
}

static int sort_edges(struct reading *r, struct err *e)
{
    r->by_role = arena_array(r->arena, r->n_edges + 1, sizeof *r->by_role);
    if (r->by_role == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (r->n_edges > 0)
        memcpy(r->by_role, r->edges, r->n_edges * sizeof *r->by_role);
    qsort(r->by_role, r->n_edges, sizeof *r->by_role, compare_by_role);
    if (r->n_edges > 0)
        qsort(r->edges, r->n_edges, sizeof *r->edges, compare_by_user);
    return 0;
}

static int name_databases(struct reading *r, struct err *e)
{
    r->all.items = arena_array(r->arena, r->n_databases + 1, sizeof *r->all.items);
    if (r->all.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < r->n_databases; i++)
        if (strncmp(r->databases[i].name, "__", 2) != 0)
            r->all.items[r->all.n++] = r->databases[i].name;
    return 0;
}

/* The first of n items of `size` bytes, sorted by a name, whose name is not less. */
static size_t lower_bound(const void *items, size_t n, size_t size, const char *(*name_of)(const void *item), const char *name)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(name_of((const char *)items + middle * size), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const char *account_of_grant(const void *item)
{
    return ((const struct grant *)item)->p->user;
}

static const char *user_of_edge(const void *item)
{
    return ((const struct ob_role_edge *)item)->user;
}

static const char *role_of_edge(const void *item)
{
    return ((const struct ob_role_edge *)item)->role;
}

/* --- making accounts ---------------------------------------------------------------------------------------------------------- */

static bool is_same_target(const struct grant *a, const struct grant *b)
{
    return compare_texts(a->database, b->database) == 0 && compare_texts(a->p->on.object, b->p->on.object) == 0 &&
           a->p->on.is_routine == b->p->on.is_routine;
}

/* How many grants from `g` on, before `end`, are on the same thing. */
static size_t count_same(const struct grant *g, const struct grant *end)
{
    size_t n = 1;

    while (g + n < end && is_same_target(g, g + n))
        n++;
    return n;
}

/* The tokens of n grants on one thing, each once: a pattern and a name may say the same. */
static int tokens_of(const struct grant *g, size_t n, struct arena *arena, struct field_strings *out, struct err *e)
{
    *out = (struct field_strings){ arena_array(arena, n + 1, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        const char *token = privilege_token(g[i].p->privilege, arena);

        if (token == NULL)
            return err_set(e, &ERR_NOMEM, "");
        if (out->n == 0 || strcmp(out->items[out->n - 1], token) != 0)
            out->items[out->n++] = token;
    }
    return 0;
}

static int object_of(const struct grant *g, struct arena *arena, struct db_object **out, struct err *e)
{
    struct db_object *o = arena_alloc(arena, sizeof *o);

    if (o == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *o = (struct db_object){ g->p->object_type, g->p->on.object, g->database, arena_printf(arena, "%s.%s", g->database, g->p->on.object) };
    *out = o;
    return o->full_name != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* Grants from `g` on that are all on one thing. */
static int add_target(struct account *a, const struct grant *g, size_t n, struct arena *arena, struct err *e)
{
    struct field_strings tokens;
    int rv = tokens_of(g, n, arena, &tokens, e);

    if (rv != 0)
        return rv;
    if (g->database == NULL) {
        a->global = tokens;
    } else if (g->p->on.object == NULL) {
        ((struct db_privilege *)a->databases.items)[a->databases.n++] = (struct db_privilege){ g->database, tokens };
    } else {
        struct object_privilege *o = (struct object_privilege *)a->objects.items + a->objects.n++;

        o->privileges = tokens;
        rv = object_of(g, arena, &o->object, e);
    }
    return rv;
}

static int add_privileges(const struct reading *r, struct account *a, struct err *e)
{
    const struct grant *g = r->grants + lower_bound(r->grants, r->n_grants, sizeof *g, account_of_grant, a->name);
    const struct grant *all = r->grants + r->n_grants, *end = g;

    while (end < all && strcmp(end->p->user, a->name) == 0)
        end++;
    a->databases.items = arena_array(r->arena, (size_t)(end - g) + 1, sizeof(struct db_privilege));
    a->objects.items = arena_array(r->arena, (size_t)(end - g) + 1, sizeof(struct object_privilege));
    if (a->databases.items == NULL || a->objects.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (g < end) {
        size_t n = count_same(g, end);
        int rv = add_target(a, g, n, r->arena, e);

        if (rv != 0)
            return rv;
        g += n;
    }
    return 0;
}

static size_t count_edges(const struct ob_role_edge *edges, size_t n, const char *(*name_of)(const void *item), const char *name)
{
    size_t same = 0;

    while (same < n && strcmp(name_of(&edges[same]), name) == 0)
        same++;
    return same;
}

static int add_roles(const struct reading *r, struct account *a, struct err *e)
{
    const struct ob_role_edge *edge = r->edges + lower_bound(r->edges, r->n_edges, sizeof *edge, user_of_edge, a->name);
    size_t n = count_edges(edge, (size_t)(r->edges + r->n_edges - edge), user_of_edge, a->name);

    a->roles.items = arena_array(r->arena, n + 1, sizeof *a->roles.items);
    for (size_t i = 0; a->roles.items != NULL && i < n; i++)
        a->roles.items[a->roles.n++] = edge[i].role;
    return a->roles.items != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int add_grantees(const struct reading *r, struct account *a, struct err *e)
{
    const struct ob_role_edge *edge = r->by_role + lower_bound(r->by_role, r->n_edges, sizeof *edge, role_of_edge, a->name);
    size_t n = count_edges(edge, (size_t)(r->by_role + r->n_edges - edge), role_of_edge, a->name);

    a->user_grantees.items = arena_array(r->arena, n + 1, sizeof *a->roles.items);
    a->role_grantees.items = arena_array(r->arena, n + 1, sizeof *a->roles.items);
    if (a->user_grantees.items == NULL || a->role_grantees.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        struct field_strings *to = edge[i].user_is_role ? &a->role_grantees : &a->user_grantees;

        to->items[to->n++] = edge[i].user;
    }
    return 0;
}

static bool has_database(const struct account *a, const char *name)
{
    for (size_t i = 0; i < a->databases.n; i++)
        if (strcmp(((struct db_privilege *)a->databases.items)[i].database, name) == 0)
            return true;
    for (size_t i = 0; i < a->objects.n; i++)
        if (strcmp(((struct object_privilege *)a->objects.items)[i].object->schema, name) == 0)
            return true;
    return false;
}

/* Does it hold everywhere a privilege that concerns what is in databases? */
static bool reaches_all(const struct account *a)
{
    for (size_t i = 0; i < a->global.n; i++) {
        const struct privilege *p = privilege_find(a->global.items[i]);

        if (p != NULL && (p->levels & PRIVILEGE_DATABASE) != 0 && strcmp(p->token, "GRANT_OPTION") != 0)
            return true;
    }
    return false;
}

static int add_accessible(const struct reading *r, struct account *a, struct err *e)
{
    if (reaches_all(a)) {
        a->accessible = r->all;
        return 0;
    }
    a->accessible.items = arena_array(r->arena, a->databases.n + a->objects.n + 1, sizeof *a->accessible.items);
    if (a->accessible.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; a->databases.n + a->objects.n > 0 && i < r->all.n; i++)
        if (has_database(a, r->all.items[i]))
            a->accessible.items[a->accessible.n++] = r->all.items[i];
    return 0;
}

static int make_account(struct tenant *t, const struct reading *r, const struct ob_user *u, struct account *out, struct err *e)
{
    int rv;

    *out = (struct account){
        .name = u->name,
        .is_role = u->is_role,
        .is_locked = u->is_locked,
        .created_us = u->created_us > 0 ? u->created_us : FIELD_NONE,
        .modified_us = u->modified_us > 0 ? u->modified_us : FIELD_NONE,
    };
    rv = add_privileges(r, out, e);
    if (rv == 0)
        rv = add_roles(r, out, e);
    if (rv == 0 && u->is_role)
        rv = add_grantees(r, out, e);
    if (rv == 0)
        rv = add_accessible(r, out, e);
    return rv == 0 && !u->is_role ? tenant_connect_as(t, u->name, &out->connections, e) : rv;
}

static bool is_wanted(const struct ob_user *u, enum account_kind kind)
{
    return u->is_role == (kind == ACCOUNT_ROLE) && strcmp(u->host, "%") == 0 && strncmp(u->name, "__", 2) != 0;
}

static int read_all(struct tenant *t, struct reading *r, struct err *e)
{
    int rv = tenant_require_mysql(t, &ERR_DBUSER_ORACLE, e);

    if (rv == 0)
        rv = tenant_ask(t, work_read, r, e);
    if (rv == 0)
        rv = sort_grants(r, e);
    if (rv == 0)
        rv = sort_edges(r, e);
    return rv == 0 ? name_databases(r, e) : rv;
}

int account_list(struct tenant *t, enum account_kind kind, struct account **out, size_t *n, struct err *e)
{
    struct reading r = { .arena = t->arena };
    int rv = read_all(t, &r, e);

    if (rv != 0)
        return rv;
    *n = 0;
    *out = arena_array(t->arena, r.n_users + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < r.n_users; i++)
        if (is_wanted(&r.users[i], kind))
            rv = make_account(t, &r, &r.users[i], &(*out)[(*n)++], e);
    return rv;
}

int account_get(struct tenant *t, enum account_kind kind, const char *name, struct account *out, struct err *e)
{
    struct reading r = { .arena = t->arena, .name = name };
    int rv = read_all(t, &r, e);

    if (rv != 0)
        return rv;
    if (r.n_users == 0 || !is_wanted(r.users, kind))
        return account_not_found(kind, name, e);
    return make_account(t, &r, r.users, out, e);
}

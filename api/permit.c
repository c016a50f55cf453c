/* SPDX-License-Identifier: Apache-2.0 */
#include "api/permit.h"

#include <string.h>

#include "src/iam/principal.h"

enum { MAX_WAYS = 4 };

static bool path_id(void *data, struct slice name, int64_t *id)
{
    struct call *c = data;

    for (unsigned i = 0; i < c->n_params; i++) {
        if (c->params[i].name.n != name.n || memcmp(c->params[i].name.s, name.s, name.n) != 0)
            continue;
        *id = call_id_at(c, i);
        return true;
    }
    return false;
}

static int parse_ways(struct call *c, struct permission *ways, unsigned *n, struct err *e)
{
    struct slice rest = { c->route->permission, strlen(c->route->permission) };
    int rv = 0;

    for (*n = 0; rv == 0 && rest.n > 0; ++*n) {
        if (*n == MAX_WAYS)
            return err_set(e, &ERR_UNEXPECTED, "more than %d permissions of route %s", MAX_WAYS, c->route->id);
        rv = permission_parse(slice_cut(&rest, '|'), path_id, c, &ways[*n], e);
    }
    return rv;
}

/* Is it about some objects, and not all of them the caller's? */
static bool needs_scope(const struct call *c, const struct permission *ways, unsigned n)
{
    struct permission every = ways[0];
    bool some = false;

    for (unsigned i = 0; i < n; i++)
        some = some || permission_is_some(&ways[i]);
    if (!some)
        return false;
    every.id = every.id == PERMISSION_SOME ? PERMISSION_ANY : every.id;
    every.sub_id = every.sub_id == PERMISSION_SOME ? PERMISSION_ANY : every.sub_id;
    return !principal_may(c->user, &every);
}

static int make_scope(struct call *c, const struct permission *ways, unsigned n, struct err *e)
{
    struct scope *scope = arena_zalloc(c->arena, sizeof *scope);
    struct scope_item *items = arena_array(c->arena, (size_t)c->user->n_grants * n + 1, sizeof *items);

    if (scope == NULL || items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i < n; i++)
        principal_scope(c->user, &ways[i], items, &scope->n);
    scope->items = items;
    c->scope = scope;
    return 0;
}

int permit_check(struct call *c, struct err *e)
{
    struct permission ways[MAX_WAYS];
    unsigned n;
    int rv;

    if (strcmp(c->route->permission, PERM_LOGIN) == 0)
        return 0;
    rv = parse_ways(c, ways, &n, e);
    if (rv == 0)
        rv = permit_require(c, ways, n, e);
    if (rv == 0 && needs_scope(c, ways, n))
        rv = make_scope(c, ways, n, e);
    return rv;
}

int permit_require(const struct call *c, const struct permission *wanted, unsigned n, struct err *e)
{
    for (unsigned i = 1; i < n; i++) {
        if (principal_may(c->user, &wanted[i]))
            return 0;
    }
    return principal_require(c->user, &wanted[0], e);
}

bool permit_sees(const struct call *c, enum permission_domain kind, int64_t id)
{
    if (c->scope == NULL)
        return true;
    for (size_t i = 0; i < c->scope->n; i++) {
        const struct scope_item *item = &c->scope->items[i];

        if (strcmp(item->kind, permission_domain_name(kind)) == 0 && (item->id == SCOPE_ANY || item->id == id))
            return true;
    }
    return false;
}

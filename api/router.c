/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of path segments. Each node has literal children, at most one child for digits and one for text, and the routes that end
 * there, one per method. Matching tries literal, digits, text, in this order, and goes back when a branch leads nowhere. */
#include "api/router.h"

#include <stdio.h>
#include <string.h>

enum { MAX_METHODS = 6 };

struct node {
    struct slice segment;          /* of a literal; the parameter's name otherwise */
    struct node *literals;         /* first child; siblings by `next` */
    struct node *digits, *text;
    struct node *next;
    unsigned ends[MAX_METHODS];    /* index of a route + 1 */
};

struct router {
    struct arena arena;
    struct node root;
    const struct route **routes;
    unsigned n;
};

static bool is_digits_name(struct slice name)
{
    return slice_is(name, "id") || (name.n > 2 && memcmp(name.s + name.n - 2, "Id", 2) == 0);
}

bool route_is_change(const struct route *r)
{
    return strcmp(r->method, "GET") != 0 && (r->flags & ROUTE_READ_ONLY) == 0;
}

bool route_param(struct slice segment, struct slice *name, bool *is_digits)
{
    if (segment.n < 3 || segment.s[0] != '{' || segment.s[segment.n - 1] != '}')
        return false;
    *name = (struct slice){ segment.s + 1, segment.n - 2 };
    *is_digits = is_digits_name(*name);
    if (name->n > 5 && memcmp(name->s + name->n - 5, ":text", 5) == 0)
        name->n -= 5;
    return true;
}

static bool same(struct slice a, struct slice b)
{
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

static struct node *child(struct router *r, struct node *parent, struct slice segment)
{
    struct node **at = &parent->literals;
    bool is_digits;
    struct slice name = segment;

    if (route_param(segment, &name, &is_digits))
        at = is_digits ? &parent->digits : &parent->text;
    else
        while (*at != NULL && !same((*at)->segment, segment))
            at = &(*at)->next;
    if (*at == NULL) {
        *at = arena_zalloc(&r->arena, sizeof **at);
        if (*at != NULL)
            (*at)->segment = name;
    }
    return *at;
}

static int add(struct router *r, const struct route *route, struct err *e)
{
    struct slice rest = { route->path + 1, strlen(route->path) - 1 };
    struct node *at = &r->root;

    for (bool more = rest.n > 0; more;) {
        more = memchr(rest.s, '/', rest.n) != NULL; /* a slash at the end is a segment of its own: the empty one */
        at = child(r, at, slice_cut(&rest, '/'));
        if (at == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    for (unsigned i = 0; i < MAX_METHODS; i++) {
        if (at->ends[i] == 0) {
            r->routes[r->n++] = route;
            at->ends[i] = r->n;
            return 0;
        }
        if (strcmp(r->routes[at->ends[i] - 1]->method, route->method) == 0)
            break;
    }
    return err_set(e, &ERR_UNEXPECTED, "route %s %s is declared twice", route->method, route->path);
}

int router_new(const struct route *const *tables, struct router **out, struct err *e)
{
    struct router *r = mem_zalloc(sizeof *r);
    unsigned n = 0;
    int rv = 0;

    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    arena_init(&r->arena);
    for (const struct route *const *t = tables; *t != NULL; t++)
        for (const struct route *row = *t; row->id != NULL; row++)
            n++;
    r->routes = arena_array(&r->arena, n + 1, sizeof(struct route *));
    if (r->routes == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (const struct route *const *t = tables; rv == 0 && *t != NULL; t++)
        for (const struct route *row = *t; rv == 0 && row->id != NULL; row++)
            rv = add(r, row, e);
    if (rv != 0) {
        router_free(r);
        return rv;
    }
    *out = r;
    return 0;
}

void router_free(struct router *r)
{
    if (r == NULL)
        return;
    arena_fini(&r->arena);
    mem_free(r);
}

static bool is_digits(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.s[i] < '0' || s.s[i] > '9')
            return false;
    return s.n > 0;
}

static bool has_routes(const struct node *n)
{
    return n->ends[0] != 0;
}

static const struct node *descend(const struct node *at, struct slice rest, bool more, struct route_match *m);

static const struct node *try_param(const struct node *at, struct slice value, struct slice rest, bool more, struct route_match *m)
{
    const struct node *found;

    if (at == NULL || value.n == 0 || m->n_params >= CALL_MAX_PARAMS)
        return NULL;
    m->names[m->n_params] = at->segment;
    m->values[m->n_params] = value;
    m->n_params++;
    found = descend(at, rest, more, m);
    if (found == NULL)
        m->n_params--;
    return found;
}

/* Recursion is as deep as the deepest route: a path with more segments finds no child. */
static const struct node *descend(const struct node *at, struct slice rest, bool more, struct route_match *m)
{
    const struct node *found = NULL;
    struct slice segment;

    if (!more)
        return has_routes(at) ? at : NULL;
    more = memchr(rest.s, '/', rest.n) != NULL;
    segment = slice_cut(&rest, '/');
    for (const struct node *c = at->literals; c != NULL && found == NULL; c = c->next)
        if (same(c->segment, segment))
            found = descend(c, rest, more, m);
    if (found == NULL && is_digits(segment))
        found = try_param(at->digits, segment, rest, more, m);
    if (found == NULL)
        found = try_param(at->text, segment, rest, more, m);
    return found;
}

/* Routes that share a segment may call its parameter differently: it bears the name that this route gives it. */
static void name_params(struct route_match *m)
{
    struct slice rest = { m->route->path, strlen(m->route->path) };
    unsigned n = 0;
    bool is_digits;

    while (rest.n > 0 && n < m->n_params) {
        struct slice segment = slice_cut(&rest, '/');

        if (route_param(segment, &m->names[n], &is_digits))
            n++;
    }
}

static bool answers(const struct route *route, struct slice method)
{
    bool also = slice_is(method, "HEAD") || (slice_is(method, "OPTIONS") && (route->flags & ROUTE_PROBE) != 0);

    return slice_is(also ? SLICE("GET") : method, route->method);
}

static const char *also_by(const struct route *route)
{
    return strcmp(route->method, "GET") != 0 ? "" : (route->flags & ROUTE_PROBE) != 0 ? ", HEAD, OPTIONS" : ", HEAD";
}

static void choose(const struct router *r, const struct node *node, struct slice method, struct route_match *m)
{
    size_t n = 0;

    m->path_known = true;
    for (unsigned i = 0; i < MAX_METHODS && node->ends[i] != 0; i++) {
        const struct route *route = r->routes[node->ends[i] - 1];

        if (answers(route, method)) {
            m->route = route;
            m->index = node->ends[i] - 1;
        }
        n += (size_t)snprintf(m->allow + n, sizeof m->allow - n, "%s%s%s", n > 0 ? ", " : "", route->method, also_by(route));
    }
}

void router_find(const struct router *r, struct slice method, struct slice path, struct route_match *m)
{
    const struct node *node;

    m->route = NULL;
    m->index = 0;
    m->path_known = false;
    m->allow[0] = '\0';
    m->n_params = 0;
    if (path.n < 1 || path.s[0] != '/')
        return;
    node = descend(&r->root, (struct slice){ path.s + 1, path.n - 1 }, path.n > 1, m);
    if (node == NULL)
        return;
    choose(r, node, method, m);
    if (m->route != NULL)
        name_params(m);
}

unsigned router_count(const struct router *r)
{
    return r->n;
}

const struct route *router_at(const struct router *r, unsigned index)
{
    return r->routes[index];
}

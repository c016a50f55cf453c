/* SPDX-License-Identifier: Apache-2.0 */
/* router.h - finds the route of a method and a path. Literal segments win over parameters, and a parameter of digits over one of
 * text. Built once, then read by any thread. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/call.h"

struct router;

/* Builds it from `tables`, an array of route tables that ends with NULL; borrowed, outlive the router. Two rows with one
 * method and the same shape of path are UNEXPECTED. Errors: NOMEM, UNEXPECTED. */
MUST_CHECK int router_new(const struct route *const *tables, struct router **out, struct err *e);
void router_free(struct router *r);

struct route_match {
    const struct route *route;    /* NULL: no such path, or not with this method */
    unsigned index;               /* of the route, counted over all tables: for statistics */
    bool path_known;              /* the path has routes with other methods */
    char allow[64];               /* their methods, for 405 */
    struct slice names[CALL_MAX_PARAMS], values[CALL_MAX_PARAMS]; /* raw, not decoded */
    unsigned n_params;
};
/* HEAD finds the GET route. */
void router_find(const struct router *r, struct slice method, struct slice path, struct route_match *m);

/* All routes, in the order of their tables. */
unsigned router_count(const struct router *r);
const struct route *router_at(const struct router *r, unsigned index);

/* Name of a parameter segment "{name}" or "{name:text}"; *is_digits says what it matches. False for a literal. */
bool route_param(struct slice segment, struct slice *name, bool *is_digits);

#endif

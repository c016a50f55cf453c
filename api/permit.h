/* SPDX-License-Identifier: Apache-2.0 */
/* permit.h - may the caller do what the route is for? The row's permission column says what it takes: PERM_PUBLIC, PERM_LOGIN, or one or
 * more expressions (src/iam/permission.h) with "|" between them, of which one is enough:
 *
 *     "CLUSTER:{id}:UPDATE"                   this object of the path
 *     "CLUSTER:*:CREATE"                      every object: what is about none in particular
 *     "HOST:?:READ"                           any object of the kind: c->scope has those that the caller may see, for the store's query
 *     "TASK:?:READ|CLUSTER:?:READ"            the same over several kinds */
#ifndef API_PERMIT_H
#define API_PERMIT_H

#include "api/call.h"
#include "src/iam/permission.h"

/* Checks c->user against the route's expressions and sets c->scope: NULL when the caller may see everything, which who may do the first
 * expression to every object does. Errors: DENIED naming the first expression, UNEXPECTED, NOMEM. */
MUST_CHECK int permit_check(struct call *c, struct err *e);

/* For what the path does not tell: may the caller do one of `wanted` (n of them)? Errors: DENIED naming the first. */
MUST_CHECK int permit_require(const struct call *c, const struct permission *wanted, unsigned n, struct err *e);

/* Is the object in the caller's scope? For lists that are no query. */
bool permit_sees(const struct call *c, enum permission_domain kind, int64_t id);

#endif

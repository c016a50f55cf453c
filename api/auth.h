/* SPDX-License-Identifier: Apache-2.0 */
/* auth.h - who calls, and may they: the route's permission column is checked here and nowhere else. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/call.h"
#include "src/iam/iam.h"

/* Sets c->user and checks c->route->permission. May wait (first verification of a password). Errors: those of iam (401, 403, 429), DENIED,
 * PASSWORD_PENDING, DB_AWAY. */
MUST_CHECK int auth_check(struct call *c, struct err *e);

/* May a client of this address come in at all? `c->route` may be NULL. Errors: ADDRESS_DENIED. */
MUST_CHECK int auth_check_address(const struct call *c, struct err *e);
/* Does a page in a browser call? Then a 401 must not ask the browser for a login of its own. */
bool auth_is_console(const struct http_request *rq);

/* Values of the request's cookies that look like session ids, at most IAM_MAX_COOKIES. Returns how many. */
unsigned auth_sessions(const struct http_request *rq, struct slice out[IAM_MAX_COOKIES]);
bool auth_has_cookie(const struct http_request *rq, const char *name);

#endif

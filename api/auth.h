/* SPDX-License-Identifier: Apache-2.0 */
/* auth.h - who calls, and may they: the route's permission column is checked here and nowhere else. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/call.h"

/* Sets c->user and checks c->route->permission. May wait (first verification of a password). Errors: those of iam (401, 403, 429), DENIED,
 * PASSWORD_PENDING, DB_AWAY. */
MUST_CHECK int auth_check(struct call *c, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* whitelist.h - from where a tenant lets clients in, as its variable ob_tcp_invited_nodes says it: addresses, networks (10.0.0.0/8,
 * 10.0.0.0/255.0.0.0) and patterns with % (any characters) and _ (one), separated by commas. Pure. */
#ifndef TENANT_WHITELIST_H
#define TENANT_WHITELIST_H

#include <stdbool.h>

#include "src/base/err.h"

enum { WHITELIST_MAX = 65534 };

ERR_DECLARE(ERR_WHITELIST_TOO_LONG); /* 15033 */
ERR_DECLARE(ERR_WHITELIST_ENTRY);    /* {0} the entry that is none */
ERR_DECLARE(ERR_WHITELIST_LOCKOUT);  /* {0} address of this OCP that would not be let in any more */
extern const struct err_row *const whitelist_err_rows[];

/* Errors: WHITELIST_TOO_LONG, WHITELIST_ENTRY. */
MUST_CHECK int whitelist_check(const char *whitelist, struct err *e);
/* Would a client with this address be let in? */
bool whitelist_allows(const char *whitelist, const char *ip);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h - turns what came with a request into what the route's tables say: path parameters, page, query and body. */
#ifndef API_DECODE_H
#define API_DECODE_H

#include "api/router.h"

enum { DECODE_BODY_MAX = 4 * 1024 * 1024 };

/* Path parameters of `m`, decoded, into c. Errors: REQUEST, NOMEM. */
MUST_CHECK int decode_params(struct call *c, const struct route_match *m, struct err *e);
/* Page, sort and query. Errors: REQUEST, INVALID (names parameter and what is allowed), ERR_SORT, NOMEM. */
MUST_CHECK int decode_query(struct call *c, struct err *e);
/* Waits for the whole body as it comes; may be called again. Errors: those of http_body_all. */
MUST_CHECK int decode_raw_body(struct call *c, struct slice *out, struct err *e);
/* Reads and checks the body; waits for it. Errors: those of http_body_all, REQUEST, INVALID, NOMEM. */
MUST_CHECK int decode_body(struct call *c, struct err *e);

ERR_DECLARE(ERR_SORT); /* 1011 {0} member, {1} members that may be sorted by */

#endif

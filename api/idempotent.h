/* SPDX-License-Identifier: Apache-2.0 */
/* idempotent.h - one request, sent twice, acts once: header Idempotency-Key, or OCP's body member clientToken (8 to 64 characters).
 * The first request's reply is kept for 24 hours under (user, key) and given to every later one with the same method, path and body.
 * A key is without effect where the reply is a secret or a file, and before login; the OpenAPI document names it where it has one. */
#ifndef API_IDEMPOTENT_H
#define API_IDEMPOTENT_H

#include "api/call.h"

/* Runs c->route->handle, or replays. A first one whose node has ended is run again here if it has changed nothing; if all that it did was to
 * start a task, that is the reply. Errors: the handler's; IDEMPOTENCY_REUSED (409: the key came with another request),
 * IDEMPOTENCY_BUSY (409: the first one is still running), IDEMPOTENCY_LOST (409: it has changed something, and ended without a reply), INVALID
 * (bad key), DB_AWAY, REQUEST_OVERTAKEN (409: this one came to a halt, and a repetition goes on in its place). */
MUST_CHECK int idempotent_handle(struct call *c, struct err *e);

ERR_DECLARE(ERR_IDEMPOTENCY_REUSED); /* 90102 {0} key */
ERR_DECLARE(ERR_IDEMPOTENCY_BUSY); /* 90103 {0} key */
ERR_DECLARE(ERR_IDEMPOTENCY_LOST); /* 90108 {0} key, {1} node */
extern const struct err_row *const idempotent_err_rows[];

#endif

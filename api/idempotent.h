/* SPDX-License-Identifier: Apache-2.0 */
/* idempotent.h - one request, sent twice, acts once: header Idempotency-Key, or OCP's body member clientToken (8 to 64 characters).
 * The first request's reply is kept for 24 hours under (user, key) and given to every later one with the same method, path and body.
 * A key is without effect where the reply is a secret or a file, and before login; the OpenAPI document names it where it has one. */
#ifndef API_IDEMPOTENT_H
#define API_IDEMPOTENT_H

#include "api/call.h"

/* Runs c->route->handle, or replays. Errors: the handler's; IDEMPOTENCY_REUSED (409: the key came with another request),
 * IDEMPOTENCY_BUSY (409: the first one is still running, or ended without a known outcome), INVALID (bad key), DB_AWAY. */
MUST_CHECK int idempotent_handle(struct call *c, struct err *e);

ERR_DECLARE(ERR_IDEMPOTENCY_REUSED);
ERR_DECLARE(ERR_IDEMPOTENCY_BUSY);
extern const struct err_row *const idempotent_err_rows[];

#endif

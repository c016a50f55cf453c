/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.h - the OpenAPI 3.1 document of the routes, made from their tables. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/router.h"

/* Appends the document as compact JSON. `version` is the product's. */
void openapi_write(struct str *t, const struct router *r, const char *version);
/* Appends the routes as a JSON array for --dump routes: id, method, path, permission, reply, origin, flags, chapter, sentence. */
void routes_dump(struct str *t, const struct router *r);

#endif

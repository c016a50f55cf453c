/* SPDX-License-Identifier: Apache-2.0 */
/* The API's description of itself. */
#include "api/api.h"
#include "api/openapi.h"
#include "api/tables.h"

static int get_openapi(struct call *c, struct err *e)
{
    struct http_header type = { SLICE("content-type"), SLICE("application/json") };
    struct str t;

    str_init(&t, c->arena);
    openapi_write(&t, c->api->shared->router, c->api->shared->node->version);
    if (str_failed(&t))
        return err_set(e, &ERR_NOMEM, "");
    (void)http_reply(c->rq, 200, &type, 1, (struct slice){ t.s, t.n }, NULL); /* a client that left needs no answer */
    return 0;
}

const struct route openapi_routes[] = {
    ROUTE("openapi", "GET", "/api/v2/openapi.json", PERM_PUBLIC, get_openapi, REPLY_OWN, ROUTE_OWN,
          "Description of every operation (OpenAPI 3.1).", .tag = "System"),
    ROUTE_END,
};

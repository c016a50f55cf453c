/* SPDX-License-Identifier: Apache-2.0 */
#include "api/auth.h"

#include <string.h>

#include "api/api.h"
#include "src/iam/iam.h"

static bool path_id(void *data, struct slice name, int64_t *id)
{
    struct call *c = data;

    for (unsigned i = 0; i < c->n_params; i++) {
        if (c->params[i].name.n != name.n || memcmp(c->params[i].name.s, name.s, name.n) != 0)
            continue;
        *id = call_id_at(c, i);
        return true;
    }
    return false;
}

static int identify(struct call *c, struct err *e)
{
    struct iam_request rq = {
        .authorization = http_header(c->rq, "authorization"),
        .client = c->rq->client,
        .changes = route_is_change(c->route),
    };
    struct principal *user;
    int rv = iam_authenticate(c->api->shared->iam, c->db, &rq, c->arena, &user, e);

    if (rv == 0)
        c->user = user;
    return rv;
}

static int authorize(struct call *c, struct err *e)
{
    const char *wanted = c->route->permission;
    struct permission permission;
    int rv;

    if (c->user->must_change_password && (c->route->flags & ROUTE_ANY_PASSWORD) == 0)
        return err_set(e, &ERR_PASSWORD_PENDING, "");
    if (strcmp(wanted, PERM_LOGIN) == 0)
        return 0;
    rv = permission_parse((struct slice){ wanted, strlen(wanted) }, path_id, c, &permission, e);
    return rv == 0 ? principal_require(c->user, &permission, e) : rv;
}

static bool is_monitor(const struct call *c)
{
    return (c->route->flags & ROUTE_MONITORING) != 0 && cidr_list_has(c->api->shared->monitoring, &c->rq->client);
}

int auth_check(struct call *c, struct err *e)
{
    int rv;

    if (strcmp(c->route->permission, PERM_PUBLIC) == 0 || is_monitor(c))
        return 0;
    rv = identify(c, e);
    return rv == 0 ? authorize(c, e) : rv;
}

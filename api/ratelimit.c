/* SPDX-License-Identifier: Apache-2.0 */
/* How often a user may call. */
#include "src/iam/ratelimit.h"

#include "api/api.h"
#include "api/role.h"
#include "api/tables.h"

struct limits_view {
    int64_t calls[RATE_WINDOWS]; /* as rate_windows_s; FIELD_NONE: no limit */
};

#define LIMIT(I, NAME, TEXT) { .name = NAME, .type = FIELD_INT, .offset = offsetof(struct limits_view, calls) + (I) * sizeof(int64_t), \
                               .min = 0, .max = 1000000000, .doc = TEXT }

static const struct field limit_fields[] = {
    LIMIT(0, "per10Seconds", "Calls in 10 seconds; absent, or 0 when it is set: no limit."),
    LIMIT(1, "perMinute", "Calls in a minute."),
    LIMIT(2, "perHour", "Calls in an hour."),
    LIMIT(3, "perDay", "Calls in a day."),
    FIELD_END,
};

static int read_limits(struct call *c, int64_t user_id, struct limits_view *out, struct err *e)
{
    struct ratelimit *limits;
    size_t n;
    int rv = store_ratelimit_list(c->db, user_id, c->arena, &limits, &n, e);

    for (unsigned w = 0; w < RATE_WINDOWS; w++) {
        out->calls[w] = FIELD_NONE;
        for (size_t i = 0; rv == 0 && i < n; i++)
            if (limits[i].window_s == rate_windows_s[w])
                out->calls[w] = limits[i].max_calls;
    }
    return rv;
}

static int api_limit_get(struct call *c, struct err *e)
{
    struct limits_view now;
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    if (rv == 0)
        rv = read_limits(c, u->id, &now, e);
    return rv == 0 ? call_object(c, &now, e) : rv;
}

static int api_limit_update(struct call *c, struct err *e)
{
    const struct limits_view *in = c->body;
    struct ratelimit limits[RATE_WINDOWS];
    struct limits_view now;
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    if (rv == 0)
        rv = read_limits(c, u->id, &now, e);
    if (rv != 0)
        return rv;
    c->object_kind = "OCP_USER";
    c->object_id = u->id;
    c->object_name = u->username;
    for (unsigned w = 0; w < RATE_WINDOWS; w++) {
        int64_t calls = in->calls[w] != FIELD_NONE ? in->calls[w] : now.calls[w];

        now.calls[w] = calls > 0 ? calls : FIELD_NONE;
        limits[w] = (struct ratelimit){ u->id, rate_windows_s[w], calls > 0 ? calls : 0 };
    }
    rv = store_ratelimit_set(c->db, u->id, limits, RATE_WINDOWS, e);
    if (rv == 0)
        rv = iam_refresh_rules(c->api->shared->iam, c->db, e);
    return rv == 0 ? call_object(c, &now, e) : rv;
}

const struct route ratelimit_routes[] = {
    ROUTE("iam-user-rate-limit-get", "GET", "/api/v2/iam/users/{id}/rateLimit", "USER:{id}:READ", api_limit_get, REPLY_OBJECT, ROUTE_OWN,
          "Show how often a user may call.", .tag = "Users", ROUTE_OUT(limits_view, limit_fields)),
    ROUTE("iam-user-rate-limit-update", "PATCH", "/api/v2/iam/users/{id}/rateLimit", "USER:{id}:UPDATE", api_limit_update, REPLY_OBJECT,
          ROUTE_OWN, "Set how often a user may call; 0 takes a limit away.", .tag = "Users", ROUTE_BODY(limits_view, limit_fields),
          ROUTE_OUT(limits_view, limit_fields)),
    ROUTE_END,
};

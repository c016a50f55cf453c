/* SPDX-License-Identifier: Apache-2.0 */
#include "api/auth.h"

#include <string.h>

#include "api/api.h"
#include "api/decode.h"
#include "api/permit.h"
#include "api/query.h"
#include "src/iam/addressrule.h"
#include "src/iam/iam.h"

/* Browsers of the last years say with each call of a script what it is; a page that is opened navigates. */
bool auth_is_console(const struct http_request *rq)
{
    struct slice mode = http_header(rq, "sec-fetch-mode");

    return http_header(rq, "x-requested-with").s != NULL || http_header(rq, "x-xsrf-token").s != NULL ||
           (mode.s != NULL && !slice_is(mode, "navigate"));
}

/* Calls fn for each cookie; HTTP/2 clients may send one Cookie header per cookie. */
static void each_cookie(const struct http_request *rq, void (*fn)(struct slice name, struct slice value, void *data), void *data)
{
    struct slice rest, name, value;

    for (unsigned i = 0; i < rq->n_headers; i++) {
        if (!slice_is(rq->headers[i].name, "cookie"))
            continue;
        rest = rq->headers[i].value;
        while (cookie_next(&rest, &name, &value))
            fn(name, value, data);
    }
}

struct found {
    struct slice *out;
    unsigned n;
};

/* A browser may hold several of one name, for different paths. */
static void note_session(struct slice name, struct slice value, void *data)
{
    struct found *f = data;

    if (f->n < IAM_MAX_COOKIES && slice_is(name, COOKIE_SESSION) && cookie_is_value(value))
        f->out[f->n++] = value;
}

unsigned auth_sessions(const struct http_request *rq, struct slice out[IAM_MAX_COOKIES])
{
    struct found f = { out, 0 };

    each_cookie(rq, note_session, &f);
    return f.n;
}

struct wanted {
    const char *name;
    bool found;
};

static void note_name(struct slice name, struct slice value, void *data)
{
    struct wanted *w = data;

    (void)value;
    w->found |= slice_is(name, w->name);
}

bool auth_has_cookie(const struct http_request *rq, const char *name)
{
    struct wanted w = { name, false };

    each_cookie(rq, note_name, &w);
    return w.found;
}

/* RFC 9110 9.2.1 calls these methods safe. */
static bool is_safe(struct slice method)
{
    return slice_is(method, "GET") || slice_is(method, "HEAD") || slice_is(method, "OPTIONS") || slice_is(method, "TRACE");
}

/* Two headers could be read as one user here and as another by whoever stands in front: neither counts. */
static struct slice authorization(const struct http_request *rq)
{
    struct slice only = { NULL, 0 };

    for (unsigned i = 0; i < rq->n_headers; i++) {
        if (!slice_is(rq->headers[i].name, "authorization"))
            continue;
        only = only.s == NULL ? rq->headers[i].value : SLICE("twice");
    }
    return only;
}

/* ---- signed requests --------------------------------------------------------------------------------------------------- */

/* A body that is streamed to its handler would have been acted upon before its digest is known. */
static int whole_body(void *data, struct slice *out, struct err *e)
{
    struct call *c = data;

    if ((c->route->flags & ROUTE_BODY_RAW) != 0)
        return err_set(e, &ERR_REQUEST, "a request signed with an access key cannot upload here; use a password or a console session");
    return decode_raw_body(c, out, e);
}

static int describe(struct call *c, struct signed_request *out, struct err *e)
{
    const struct http_request *rq = c->rq;
    struct str canonical;
    int rv;

    *out = (struct signed_request){ .method = rq->method, .host = rq->authority, .target = rq->target, .headers = rq->headers,
                                    .n_headers = rq->n_headers };
    if (rq->query.s == NULL)
        return 0;
    str_init(&canonical, c->arena);
    str_add_n(&canonical, rq->path.s, rq->path.n);
    str_add_c(&canonical, '?');
    rv = query_canonical(rq->query, c->arena, &canonical, e);
    out->canonical = (struct slice){ canonical.s, canonical.n };
    return rv;
}

static int identify(struct call *c, struct err *e)
{
    struct signed_request signed_request;
    struct signature signature;
    struct iam_request rq = {
        .authorization = authorization(c->rq),
        .signed_request = &signed_request,
        .body = whole_body,
        .body_data = c,
        .csrf = http_header(c->rq, "x-xsrf-token"),
        .needs_csrf = !is_safe(c->rq->method),
        .target = c->rq->target,
        .client = c->rq->client,
        .user_agent = http_header(c->rq, "user-agent"),
        .changes = route_is_change(c->route),
    };
    struct principal *user;
    int rv = 0;

    if (signature_read(rq.authorization, &signature) == SIGNATURE_OK)
        rv = describe(c, &signed_request, e);
    if (rv != 0)
        return rv;
    rq.n_sessions = auth_sessions(c->rq, rq.sessions);
    rv = iam_authenticate(c->api->shared->iam, c->db, &rq, c->arena, &user, e);
    if (rv == 0)
        c->user = user;
    return rv;
}

static int authorize(struct call *c, struct err *e)
{
    if (c->user->must_change_password && (c->route->flags & ROUTE_ANY_PASSWORD) == 0)
        return err_set(e, &ERR_PASSWORD_PENDING, "");
    return permit_check(c, e);
}

static bool is_monitor(const struct call *c)
{
    return (c->route->flags & ROUTE_MONITORING) != 0 && cidr_list_has(c->api->shared->monitoring, &c->rq->client);
}

int auth_check_address(const struct call *c, struct err *e)
{
    char client[ADDR_TEXT_SIZE];

    if (iam_lets_in(c->api->shared->iam, &c->rq->client))
        return 0;
    if (c->route != NULL && ((c->route->flags & ROUTE_ANY_ADDRESS) != 0 || is_monitor(c)))
        return 0;
    return err_set(e, &ERR_ADDRESS_DENIED, "%s", addr_text(&c->rq->client, client));
}

/* The headers of the IETF's draft on rate limits, for the window that has the smallest part left. */
static int count_call(struct call *c, struct err *e)
{
    struct rate_state s;
    int rv = iam_count_call(c->api->shared->iam, c->user, &s, e);

    if (!s.limited)
        return rv;
    call_header(c, SLICE("ratelimit-limit"), arena_printf(c->arena, "%lld", (long long)s.limit));
    call_header(c, SLICE("ratelimit-remaining"), arena_printf(c->arena, "%lld", (long long)s.remaining));
    call_header(c, SLICE("ratelimit-reset"), arena_printf(c->arena, "%lld", (long long)s.reset_s));
    if (rv != 0)
        call_header(c, SLICE("retry-after"), arena_printf(c->arena, "%lld", (long long)s.reset_s));
    return rv;
}

int auth_check(struct call *c, struct err *e)
{
    int rv;

    if (strcmp(c->route->permission, PERM_PUBLIC) == 0 || is_monitor(c))
        return 0;
    rv = identify(c, e);
    if (rv == 0)
        rv = count_call(c, e);
    return rv == 0 ? authorize(c, e) : rv;
}

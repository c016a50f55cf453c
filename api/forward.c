/* SPDX-License-Identifier: Apache-2.0 */
#include "api/forward.h"

#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "api/decode.h"
#include "src/io/fiber.h"
#include "src/node/peers.h"

ERR_DEFINE(ERR_NO_LEADER, 90104, 503, ERR_RETRY, "No node leads this OCP at the moment. Nothing was changed; try again shortly.",
           "当前没有主节点。未做任何修改，请稍后重试。");

const struct err_row *const forward_err_rows[] = { &ERR_NO_LEADER, &ERR_NO_SUCCESSOR, NULL };

int forward_is_needed(const struct call *c, bool *needed, struct err *e)
{
    struct peers *peers = c->api->shared->peers;
    struct peers_leader leader;

    *needed = false;
    if ((c->route->flags & (ROUTE_LEADER | ROUTE_LEADER_FIRST)) == 0 || peers == NULL)
        return 0;
    if ((c->route->flags & ROUTE_LEADER_FIRST) != 0) {
        *needed = c->rq->peer_uri == NULL && peers_leader(peers, &leader) && !leader.self; /* one hop */
        return 0;
    }
    if (!peers_leader(peers, &leader))
        return err_set(e, &ERR_NO_LEADER, "");
    *needed = !leader.self;
    return *needed && c->rq->peer_uri != NULL ? err_set(e, &ERR_NO_LEADER, "") : 0; /* one hop */
}

/* ---- the request ------------------------------------------------------------------------------------------------------- */

/* What the API reads of a request, and what a signature covers; and all x-ocp-*. */
static const char *const taken_along[] = {
    "authorization", "cookie", "x-xsrf-token", "x-requested-with", "sec-fetch-mode", "idempotency-key", "accept-language", "content-type", "date",
    "user-agent", "if-none-match", NULL,
};

static bool goes_along(struct slice name)
{
    for (const char *const *n = taken_along; *n != NULL; n++)
        if (slice_is(name, *n))
            return true;
    return slice_starts(name, "x-ocp-");
}

struct lines {
    struct arena *arena;
    const char **items;
    unsigned n;
    bool failed;
};

/* curl takes a header without a value as one to be left out, unless it ends with ';'. */
static void add_line(struct lines *l, struct slice name, struct slice value)
{
    const char *line = value.n > 0 ? arena_printf(l->arena, "%.*s: %.*s", SLICE_FMT(name), SLICE_FMT(value))
                                   : arena_printf(l->arena, "%.*s;", SLICE_FMT(name));

    l->failed = l->failed || line == NULL;
    if (!l->failed)
        l->items[l->n++] = line;
}

static struct slice slice_of(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

enum { OWN_HEADERS = 5 };

static int make_headers(const struct call *c, const char *const **out, struct err *e)
{
    const struct http_request *rq = c->rq;
    struct lines l = { c->arena, arena_array(c->arena, rq->n_headers + OWN_HEADERS + 1, sizeof(char *)), 0, false };
    char client[ADDR_TEXT_SIZE];

    if (l.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    add_line(&l, SLICE("X-Forwarded-Node"), slice_of(c->api->shared->node->name));
    add_line(&l, SLICE("X-Forwarded-Trace"), slice_of(c->trace));
    add_line(&l, SLICE("X-Forwarded-For"), slice_of(addr_text(&rq->client, client)));
    add_line(&l, SLICE("X-Forwarded-Proto"), rq->scheme);
    if (rq->authority.n > 0)
        add_line(&l, SLICE("Host"), rq->authority);
    for (unsigned i = 0; i < rq->n_headers; i++)
        if (goes_along(rq->headers[i].name))
            add_line(&l, rq->headers[i].name, rq->headers[i].value);
    *out = l.items;
    return l.failed ? err_set(e, &ERR_NOMEM, "") : 0;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

/* The call runs in a fiber of its own, beside one that watches whether the leader is still the leader. */
struct attempt {
    struct peer_caller *caller;
    struct peer_call call;
    struct arena *arena;
    struct peer_answer answer;
    struct waitlist done;
    struct fiber *fiber;         /* NULL: it has ended */
    int64_t ms_left;
    bool cut_off;
    int rv;
    struct err e;
};

static void attempt_main(void *data)
{
    struct attempt *a = data;

    (void)fiber_narrow_deadline(a->ms_left);
    a->rv = peer_call(a->caller, &a->call, a->arena, &a->answer, &a->e);
    a->fiber = NULL;
    waitlist_wake_all(&a->done);
}

static bool wait_a_while(struct attempt *a)
{
    int64_t former = fiber_narrow_deadline(FORWARD_WATCH_MS);
    bool done = waitlist_wait(&a->done, NULL) == 0;

    fiber_restore_deadline(former);
    return done;
}

static void cut_off(struct attempt *a)
{
    bool shielded = fiber_shield(true);

    fiber_cancel(a->fiber);
    while (a->fiber != NULL)
        (void)wait_a_while(a);
    (void)fiber_shield(shielded);
}

/* Until it has ended, leadership has moved away from whom was asked, or our client has gone. The deadline is that of the attempt. */
static void watch(const struct peers *peers, struct attempt *a)
{
    int64_t left = FORWARD_GRACE_MS, former = fiber_deadline();
    struct peers_leader now;

    fiber_restore_deadline(INT64_MAX);
    while (a->fiber != NULL && left > 0 && !fiber_is_cancelled(fiber_current())) {
        left = !wait_a_while(a) && peers_leader(peers, &now) && now.node != a->call.node ? left - FORWARD_WATCH_MS : FORWARD_GRACE_MS;
    }
    a->cut_off = a->fiber != NULL;
    if (a->cut_off)
        cut_off(a);
    fiber_restore_deadline(former);
}

static int deposed(const struct attempt *a, struct err *e)
{
    (void)err_set(e, &ERR_PEER_LOST, "%llu", (unsigned long long)a->call.node);
    return err_arg(e, "it does not lead any more");
}

/* A leader that is paused or cut off keeps its connections and says nothing: who waits for it until its own deadline waits for nobody. */
static int run(const struct call *c, struct attempt *a, struct err *e)
{
    int rv = fiber_start(c->api->loop, "forward", attempt_main, a, &a->fiber, e);

    if (rv != 0)
        return rv;
    watch(c->api->shared->peers, a);
    if (a->cut_off)
        return fiber_is_cancelled(fiber_current()) ? err_set(e, &ERR_CANCELLED, "") : deposed(a, e);
    if (a->rv != 0)
        *e = a->e;
    return a->rv;
}

/* ---- the answer -------------------------------------------------------------------------------------------------------- */

/* What belongs to the connection that it came over, or is made here anew. */
static const char *const left_behind[] = {
    "connection", "keep-alive", "content-length", "content-encoding", "date", "server", "te", "trailer", "transfer-encoding", "upgrade", "vary", NULL,
};

static bool stays_behind(const char *name)
{
    for (const char *const *n = left_behind; *n != NULL; n++)
        if (strcasecmp(name, *n) == 0)
            return true;
    return false;
}

/* Names are lower case here, as the server's own are. */
static struct slice lower(struct arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);

    for (char *p = copy; p != NULL && *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy != NULL ? slice_of(copy) : (struct slice){ NULL, 0 };
}

static int reply(struct call *c, const struct peer_answer *a, struct err *e)
{
    struct http_header *headers = arena_array(c->arena, a->n_headers + 1, sizeof *headers);
    unsigned n = 0;

    if (headers == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i < a->n_headers; i++) {
        if (stays_behind(a->headers[i].name))
            continue;
        headers[n] = (struct http_header){ lower(c->arena, a->headers[i].name), slice_of(a->headers[i].value) };
        if (headers[n++].name.s == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    (void)http_reply(c->rq, a->status, headers, n, a->body, NULL); /* a client that left needs no answer */
    return 0;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

static int caller(struct api *a, struct peer_caller **out, struct err *e)
{
    int rv = a->caller == NULL ? peers_caller(a->shared->peers, a->loop, &a->caller, e) : 0;

    *out = a->caller;
    return rv;
}

/* The same call twice does no harm: it reads, or its key sees to that. */
static bool is_repeatable(const struct call *c)
{
    return !route_is_change(c->route) || http_header(c->rq, "idempotency-key").n > 0;
}

/* As it came; of a whole URL (RFC 9112 3.2.2) what follows the host. */
static const char *target_of(const struct call *c)
{
    const struct http_request *rq = c->rq;

    if (rq->target.s[0] == '/')
        return arena_strndup(c->arena, rq->target.s, rq->target.n);
    return arena_printf(c->arena, "%.*s%s%.*s", SLICE_FMT(rq->path), rq->query.s != NULL ? "?" : "", SLICE_FMT(rq->query));
}

int forward_call(struct call *c, struct err *e)
{
    struct attempt a = { .arena = c->arena };
    struct peers_leader leader;
    int rv;

    if (!peers_leader(c->api->shared->peers, &leader) || leader.self)
        return err_set(e, &ERR_NO_LEADER, "");
    a.call = (struct peer_call){
        .node = leader.node,
        .address = leader.address,
        .method = arena_strndup(c->arena, c->rq->method.s, c->rq->method.n),
        .target = target_of(c),
        .repeatable = is_repeatable(c),
    };
    if (a.call.method == NULL || a.call.target == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = decode_raw_body(c, &a.call.body, e);
    if (rv == 0)
        rv = make_headers(c, &a.call.headers, e);
    if (rv == 0)
        rv = caller(c->api, &a.caller, e);
    a.ms_left = fiber_ms_left() > FORWARD_SPARE_MS ? fiber_ms_left() - FORWARD_SPARE_MS : fiber_ms_left();
    if (rv == 0)
        rv = run(c, &a, e);
    return rv == 0 ? reply(c, &a.answer, e) : rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a request:
 *
 *   route --> who calls --> may they --> path, query, body by the tables --> same token before? --> handler --> audit --> reply
 *
 * Each stage may end it with an error, whose row gives status, code and sentence. */
#include <string.h>

#include "api/api.h"
#include "api/auth.h"
#include "api/console.h"
#include "api/decode.h"
#include "api/forward.h"
#include "api/idempotent.h"
#include "api/record.h"
#include "api/stale.h"
#include "src/iam/principal.h"
#include "src/io/fiber.h"
#include "src/node/peers.h"

ERR_DEFINE(ERR_ROUTE_UNKNOWN, 90101, 404, ERR_FINAL, "There is nothing at {0}. GET /api/v2/openapi.json lists what there is.",
           "{0} 不存在，可通过 GET /api/v2/openapi.json 查看全部接口。");
ERR_DEFINE(ERR_METHOD, 1008, 405, ERR_FINAL, "The method {0} is not possible here, only {1}.", "此处不支持方法 {0}，仅支持 {1}。");
ERR_DEFINE(ERR_PASSWORD_PENDING, 3020, 403, ERR_FINAL,
           "The first password must be changed before anything else: POST /api/v2/profiles/me/changePassword.",
           "请先修改初始密码：POST /api/v2/profiles/me/changePassword。");

ERR_DEFINE(ERR_NODE_WITNESS, 90769, 503, ERR_RETRY,
           "This node, {0}, is a witness: it votes for the others' leader and serves nobody. Ask another node, and take this one out of the load balancer's pool.",
           "当前节点 {0} 是见证节点，仅参与投票，不提供服务。请访问其他节点，并将该节点从负载均衡中移除。");

const struct err_row *const api_err_rows[] = { &ERR_ROUTE_UNKNOWN, &ERR_METHOD, &ERR_PASSWORD_PENDING, &ERR_NODE_WITNESS, &ERR_SORT, NULL };

const uint64_t api_bucket_us[API_BUCKETS] = { 250, 1000, 2500, 10000, 50000, 250000, 1000000, 5000000, 30000000 };

enum { AWAY_MS = 8000, AWAY_LOOK_MS = 200, TIMEOUT_MS = 30000, SLOW_TIMEOUT_MS = 300000, MAX_HEADERS = 8 + CALL_MAX_HEADERS };

int api_init(struct api *a, uint64_t seed, struct err *e)
{
    a->stats = mem_array(router_count(a->shared->router), sizeof *a->stats);
    a->trace_state = seed | 1;
    log_child(&a->log, loop_log(a->loop), "loop", "api");
    return a->stats != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

void api_fini(struct api *a)
{
    peer_caller_free(a->caller);
    a->caller = NULL;
    mem_free(a->stats);
    a->stats = NULL;
}

/* splitmix64: distinct for 2^64 requests, and it does not show the seed's neighbours. */
static void make_trace(struct api *a, char *trace)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t z = (a->trace_state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    for (int i = 0; i < TRACE_SIZE - 1; i++)
        trace[i] = digits[(z >> (60 - 4 * i)) & 15];
    trace[TRACE_SIZE - 1] = '\0';
}

/* A node passes on what it calls the call, so that its log and ours speak of one. */
static void take_trace(struct call *c)
{
    struct slice said = c->rq->peer_uri != NULL ? http_header(c->rq, "x-forwarded-trace") : (struct slice){ NULL, 0 };

    if (said.n != TRACE_SIZE - 1)
        return;
    for (size_t i = 0; i < said.n; i++)
        if (strchr("0123456789abcdef", said.s[i]) == NULL || said.s[i] == '\0')
            return;
    memcpy(c->trace, said.s, said.n);
}

/* The first language of Accept-Language that is ours; English otherwise. */
static enum err_lang language(const struct http_request *rq)
{
    struct slice rest = http_header(rq, "accept-language");

    while (rest.n > 0) {
        struct slice one = slice_trim(slice_cut(&rest, ','));

        if (slice_starts(one, "zh"))
            return ERR_ZH;
        if (slice_starts(one, "en"))
            return ERR_EN;
    }
    return ERR_EN;
}

static void call_init(struct call *c, struct http_request *rq, struct api *a)
{
    *c = (struct call){ .rq = rq, .api = a, .arena = rq->arena, .db = a->metadb, .status = 200, .object_id = -1, .stale_s = -1 };
    c->style = (struct field_style){ language(rq), 0 };
    c->stats = &a->unrouted;
    make_trace(a, c->trace);
    take_trace(c);
    str_init(&c->data, rq->arena);
}

static void add_envelope(struct call *c, bool successful)
{
    const struct api_node *node = c->api->shared->node;
    int64_t wall = clock_wall_us(node->clock);
    char time[CLOCK_TEXT_SIZE];
    struct str *t = &c->data;

    json_add_key(t, "successful");
    str_add(t, successful ? "true" : "false");
    json_add_key(t, "timestamp");
    str_printf(t, "\"%s\"", clock_iso(wall, 0, time));
    json_add_key(t, "duration");
    str_add_i64(t, clock_now_ms(node->clock) - c->rq->started_ms);
    if (c->stale_s >= 0) {
        json_add_key(t, "stale");
        str_add(t, "true");
    }
    json_add_key(t, "status");
    str_add_i64(t, c->status);
    json_add_key(t, "traceId");
    json_add_string(t, c->trace);
    json_add_key(t, "server");
    json_add_string(t, node->name);
    str_add_c(t, '}');
}

static void error_body(struct call *c)
{
    char text[ERR_TRAIL_SIZE + ERR_MAX_ARGS * ERR_ARG_SIZE];
    struct str *t = &c->data;

    str_clear(t);
    str_add(t, "{\"error\":{\"code\":");
    str_add_i64(t, c->error.row->code);
    str_add(t, ",\"message\":");
    json_add_string(t, err_text(&c->error, c->style.lang, text, sizeof text));
    str_add_c(t, '}');
    add_envelope(c, false);
}

static void log_error_reply(const struct call *c)
{
    const char *id = c->route != NULL ? c->route->id : "none";

    if (c->error.row->http >= 500)
        log_warn(&c->api->log, "request failed", LOG_S("trace", c->trace), LOG_S("operation", id), LOG_I("status", c->status),
                 LOG_E(&c->error));
    else
        log_debug(&c->api->log, "request refused", LOG_S("trace", c->trace), LOG_S("operation", id), LOG_I("status", c->status),
                  LOG_E(&c->error));
}

static bool has_header(const struct call *c, const char *name)
{
    for (unsigned i = 0; i < c->n_headers; i++)
        if (slice_is(c->headers[i].name, name))
            return true;
    return false;
}

static unsigned reply_headers(const struct call *c, const struct route_match *m, struct http_header *h)
{
    unsigned n = 0;

    h[n++] = (struct http_header){ SLICE("content-type"), SLICE("application/json") };
    h[n++] = (struct http_header){ SLICE("cache-control"), SLICE("no-store") };
    h[n++] = (struct http_header){ SLICE("x-content-type-options"), SLICE("nosniff") };
    if (c->status == 405)
        h[n++] = (struct http_header){ SLICE("allow"), { m->allow, strlen(m->allow) } };
    if ((c->status == 503 || c->status == 429) && !has_header(c, "retry-after"))
        h[n++] = (struct http_header){ SLICE("retry-after"), SLICE("1") };
    if (c->status == 401 && !auth_is_console(c->rq))
        h[n++] = (struct http_header){ SLICE("www-authenticate"), SLICE("Basic realm=\"OCP\", charset=\"UTF-8\"") };
    memcpy(&h[n], c->headers, c->n_headers * sizeof *h);
    return n + c->n_headers;
}

static void send_reply(struct call *c, const struct route_match *m)
{
    static const struct slice out_of_memory =
        SLICE("{\"successful\":false,\"status\":503,\"error\":{\"code\":90001,\"message\":\"This server is short of memory. Try again later.\"}}");
    struct http_header headers[MAX_HEADERS];
    struct slice body;

    if (c->error.row != NULL) {
        c->status = c->error.row->http;
        log_error_reply(c);
        error_body(c);
    } else if (c->route->reply != REPLY_BARE) {
        if (c->data.n == 0)
            str_add_c(&c->data, '{');
        add_envelope(c, true);
    }
    body = (struct slice){ c->data.s, c->data.n };
    if (str_failed(&c->data)) {
        c->status = 503;
        body = out_of_memory;
    }
    (void)http_reply(c->rq, c->status, headers, reply_headers(c, m, headers), body, NULL); /* a client that left needs no answer */
}

static int find_route(struct call *c, struct route_match *m, struct err *e)
{
    struct api_route_stats *stats = NULL;

    router_find(c->api->shared->router, c->rq->method, c->rq->path, m);
    if (!m->path_known) {
        console_find(c->api->shared->console, c->rq->method, c->rq->path, m);
        stats = &c->api->console;
    }
    if (m->route != NULL && (m->route->flags & ROUTE_NODES) != 0 && c->rq->peer_uri == NULL)
        *m = (struct route_match){ .route = NULL };
    c->route = m->route;
    if (m->route != NULL) {
        c->stats = stats != NULL ? stats : &c->api->stats[m->index];
        return 0;
    }
    if (!m->path_known)
        return err_set(e, &ERR_ROUTE_UNKNOWN, "%.*s", SLICE_FMT(c->rq->path));
    (void)err_set(e, &ERR_METHOD, "%.*s", SLICE_FMT(c->rq->method));
    return err_arg(e, "%s", m->allow);
}

static int handle(struct call *c, struct err *e)
{
    int rv = decode_query(c, e);

    if (rv == 0)
        rv = decode_body(c, e);
    if (rv == 0)
        rv = idempotent_handle(c, e);
    return rv;
}

static bool is_metadb_away(const struct call *c)
{
    struct peers *peers = c->api->shared->peers;

    return peers != NULL && !peers_metadb(peers);
}

static bool replay_stale(struct call *c)
{
    if (!stale_replay(c->api->shared->stale, c))
        return false;
    atomic_fetch_add_explicit(&c->api->stale, 1, memory_order_relaxed);
    call_header(c, SLICE("age"), arena_printf(c->arena, "%lld", (long long)c->stale_s));
    return true;
}

static int say_away(struct err *e)
{
    (void)err_set(e, &ERR_DB_AWAY, "MetaDB");
    return err_arg(e, "no answer in time");
}

/* While MetaDB is known to be away, a read for which there is a former answer tries for a moment only: what comes from elsewhere comes fresh. */
static int handle_or_replay(struct call *c, struct err *e)
{
    struct stale_store *stale = c->api->shared->stale;
    bool away = is_metadb_away(c), hurry = away && stale_has(stale, c);
    int64_t former = fiber_narrow_deadline(hurry ? STALE_WAIT_MS : INT64_MAX);
    int rv = handle(c, e);

    fiber_restore_deadline(former);
    if (rv == 0)
        stale_keep(stale, c);
    else if ((rv == ERR_TIMEOUT.code || rv == ERR_BUSY.code) && !route_is_change(c->route) && (hurry || is_metadb_away(c)))
        rv = say_away(e); /* MetaDB takes statements and answers none, or all sessions wait for it: to a read that is the same as being away */
    return rv == ERR_DB_AWAY.code && replay_stale(c) ? 0 : rv;
}

/* A change that nobody can vouch for while MetaDB is away waits for it as long as it would wait for MetaDB itself. */
static int authenticate(struct call *c, struct err *e)
{
    int64_t until = c->rq->started_ms + AWAY_MS;
    int rv = auth_check(c, e);

    while (rv == ERR_LOGIN_AWAY.code && route_is_change(c->route) && clock_now_ms(c->api->shared->node->clock) < until) {
        struct err ended;

        if (fiber_sleep(AWAY_LOOK_MS, &ended) != 0)
            return rv;
        rv = auth_check(c, e);
    }
    return rv;
}

/* Before the node is ready: health and the like, but no login. */
static bool answers_early(const struct route *r)
{
    return strcmp(r->permission, PERM_PUBLIC) == 0 && strcmp(r->method, "GET") == 0;
}

/* What a witness answers: what it is and how it does, and the other nodes. */
static bool witness_answers(const struct route *r)
{
    return (r->flags & (ROUTE_PROBE | ROUTE_MONITORING | ROUTE_NODES)) != 0;
}

static int check_state(const struct call *c, const struct route *r, struct err *e)
{
    const struct api_node *node = c->api->shared->node;

    if (!node->ready && !answers_early(r))
        return err_set(e, &ERR_BUSY, "this node is starting");
    return !node->witness || witness_answers(r) ? 0 : err_set(e, &ERR_NODE_WITNESS, "%s", node->name);
}

/* Whoever was a member when its connection began need not be one any more. */
static int check_node(const struct call *c, struct err *e)
{
    struct peers *peers = c->api->shared->peers;

    return c->rq->peer_uri == NULL || (peers != NULL && peers_is_member(peers, c->rq->peer_uri)) ? 0
           : err_set(e, &ERR_DENIED, "a node of this cluster");
}

/* *elsewhere: the leader has answered, or nobody can. */
static int ask_leader(struct call *c, bool *elsewhere, struct err *e)
{
    int rv = forward_is_needed(c, elsewhere, e);

    if (rv != 0 || !*elsewhere)
        return rv;
    rv = forward_call(c, e);
    if (rv == 0 || rv == ERR_CANCELLED.code || (c->route->flags & ROUTE_LEADER_FIRST) == 0)
        return rv;
    *elsewhere = false; /* what this node knows is better than nothing */
    err_clear(e);
    return 0;
}

static int process(struct call *c, struct route_match *m, struct err *e)
{
    int rv = find_route(c, m, e);
    bool elsewhere = false;

    if (check_node(c, e) != 0 || auth_check_address(c, e) != 0)
        return e->row->code;
    if (rv == 0)
        rv = check_state(c, m->route, e);
    if (rv == 0)
        rv = decode_params(c, m, e);
    if (rv == 0)
        rv = ask_leader(c, &elsewhere, e);
    if (elsewhere || rv == ERR_NO_LEADER.code)
        atomic_fetch_add_explicit(rv == 0 ? &c->api->forwarded : &c->api->not_forwarded, 1, memory_order_relaxed);
    if (elsewhere)
        return rv;
    if (rv == 0)
        rv = authenticate(c, e);
    if (rv == ERR_DENIED.code && c->user != NULL) /* somebody known tried what they may not */
        record_change(c, e);
    if (rv != 0)
        return rv;
    rv = handle_or_replay(c, e);
    record_change(c, rv != 0 ? e : NULL);
    return rv;
}

static void log_request(const struct call *c)
{
    char client[ADDR_TEXT_SIZE];

    log_debug(&c->api->log, "request", LOG_S("trace", c->trace), LOG_S("operation", c->route != NULL ? c->route->id : "none"),
              LOG_S("user", c->user != NULL ? c->user->name : ""), LOG_S("client", addr_text(&c->rq->client, client)),
              LOG_I("status", c->status), LOG_I("ms", clock_now_ms(c->api->shared->node->clock) - c->rq->started_ms));
}

static void count(struct call *c)
{
    struct api_route_stats *s = c->stats;
    int64_t ms = clock_now_ms(c->api->shared->node->clock) - c->rq->started_ms;
    uint64_t us = (uint64_t)(ms > 0 ? ms : 0) * 1000;
    unsigned i = 0;

    while (i < API_BUCKETS && us > api_bucket_us[i])
        i++;
    atomic_fetch_add_explicit(&s->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->sum_us, us, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->status[c->status / 100 % 6], 1, memory_order_relaxed);
}

void api_serve(struct http_request *rq, void *data)
{
    struct route_match m = { .route = NULL };
    struct call c;
    int64_t former;
    int rv;

    call_init(&c, rq, data);
    rq->data = &c;
    former = fiber_narrow_deadline(TIMEOUT_MS);
    rv = process(&c, &m, &c.error);
    fiber_restore_deadline(former);
    if (rv == 0)
        err_clear(&c.error);
    if (http_reply_status(rq) == 0)
        send_reply(&c, &m);
    else
        c.status = http_reply_status(rq);
    count(&c);
    log_request(&c);
    json_decref(c.json);
    rq->data = NULL;
}

void api_refuse(struct http_request *rq, const struct err *why, void *data)
{
    struct route_match m = { .route = NULL };
    struct call c;

    call_init(&c, rq, data);
    c.error = *why;
    send_reply(&c, &m);
    count(&c);
}

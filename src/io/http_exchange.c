/* SPDX-License-Identifier: Apache-2.0 */
/* An exchange belongs to two: to its protocol while it is attached, and to its fiber while serve runs. Whoever leaves last frees
 * it. Freed exchanges are kept with their memory for the next request. */
#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "src/io/http_conn.h"

enum { SPARE_MAX = 256, FIRST_BYTES = 3072, HEADERS_FIRST = 16 };

/* The exchange and the first memory of its arena in one allocation. */
struct body {
    struct http_exchange x;
    alignas(max_align_t) char first[FIRST_BYTES];
};

struct http_exchange *http_exchange_new(struct http_conn *c, enum http_version version)
{
    struct http_server *s = c->server;
    struct http_exchange *x = s->spare;

    if (x != NULL) {
        s->spare = x->next;
        s->n_spare--;
    } else {
        x = mem_alloc(sizeof(struct body));
        if (x == NULL)
            return NULL;
    }
    *x = (struct http_exchange){ .rq = { .version = version, .peer = c->peer, .client = c->peer, .tls = c->tls != NULL, .server = s },
                                 .server = s, .conn = c, .attached = true, .length = -1, .announced = -1, .next = c->exchanges };
    arena_init_buffer(&x->arena, ((struct body *)x)->first, FIRST_BYTES);
    x->rq.arena = &x->arena;
    x->rq.started_ms = x->moved_ms = s->now_ms;
    x->rq.method = x->rq.target = x->rq.path = x->rq.authority = SLICE("");
    x->rq.scheme = x->rq.tls ? SLICE("https") : SLICE("http");
    if (c->exchanges != NULL)
        c->exchanges->prev = x;
    c->exchanges = x;
    c->n_exchanges++;
    s->n_exchanges++;
    atomic_store_explicit(&s->count.in_flight, s->n_exchanges, memory_order_relaxed);
    return x;
}

static void report(struct http_exchange *x)
{
    struct http_server *s = x->server;
    struct http_outcome outcome = { x->status, x->received, x->sent, x->complete };

    if (s->conf.finished != NULL && (x->started || x->refused))
        s->conf.finished(&x->rq, &outcome, s->conf.data);
    if (x->started && !x->complete)
        HTTP_ADD(s->count.resets, 1);
}

static void exchange_free(struct http_exchange *x)
{
    struct http_server *s = x->server;

    report(x);
    http_chain_drop(&x->body, &s->blocks, SIZE_MAX);
    http_chain_drop(&x->queue, &s->blocks, SIZE_MAX);
    arena_fini(&x->arena);
    if (s->n_spare < SPARE_MAX && s->state != HTTP_CLOSED) {
        x->next = s->spare;
        s->spare = x;
        s->n_spare++;
    } else {
        mem_free(x);
    }
    s->n_exchanges--;
    atomic_store_explicit(&s->count.in_flight, s->n_exchanges, memory_order_relaxed);
    http_server_unref(s);
}

void http_exchange_detach(struct http_exchange *x)
{
    struct http_conn *c = x->conn;

    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        c->exchanges = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    c->n_exchanges--;
    x->next = x->prev = NULL;
    x->conn = NULL;
    x->attached = false;
    if (x->fiber == NULL)
        exchange_free(x);
    else if (!x->complete)
        fiber_cancel(x->fiber);
}

/* ---- header --------------------------------------------------------------------------------------------------------- */

static bool more_headers(struct http_exchange *x)
{
    unsigned space = x->headers_space > 0 ? x->headers_space * 2 : HEADERS_FIRST;
    struct http_header *h = arena_array(&x->arena, space, sizeof *h);

    if (h == NULL)
        return false;
    if (x->rq.n_headers > 0)
        memcpy(h, x->headers, x->rq.n_headers * sizeof *h);
    x->headers = h;
    x->rq.headers = h;
    x->headers_space = space;
    return true;
}

bool http_exchange_header(struct http_exchange *x, struct slice name, struct slice value)
{
    const struct http_limits *l = &x->server->limits;

    x->header_bytes += name.n + value.n + 32; /* as SETTINGS_MAX_HEADER_LIST_SIZE counts */
    if (x->rq.n_headers >= l->headers || x->header_bytes > (size_t)l->header_bytes + 32 * (size_t)l->headers) {
        x->limit = &ERR_HTTP_HEADER_SIZE;
        return true;
    }
    if (x->rq.n_headers == x->headers_space && !more_headers(x))
        return false;
    x->headers[x->rq.n_headers++] = (struct http_header){ name, value };
    return true;
}

struct slice http_header(const struct http_request *rq, const char *name)
{
    size_t n = strlen(name);

    for (unsigned i = 0; i < rq->n_headers; i++) {
        if (rq->headers[i].name.n == n && memcmp(rq->headers[i].name.s, name, n) == 0)
            return rq->headers[i].value;
    }
    return (struct slice){ NULL, 0 };
}

static bool list_has(struct slice list, const char *token)
{
    while (list.n > 0) {
        struct slice item = slice_cut(&list, ',');

        if (slice_is_nocase(slice_trim(slice_cut(&item, ';')), token))
            return true;
    }
    return false;
}

bool http_header_has(const struct http_request *rq, const char *name, const char *token)
{
    size_t n = strlen(name);

    for (unsigned i = 0; i < rq->n_headers; i++) {
        const struct http_header *h = &rq->headers[i];

        if (h->name.n == n && memcmp(h->name.s, name, n) == 0 && list_has(h->value, token))
            return true;
    }
    return false;
}

/* ---- what the header says ------------------------------------------------------------------------------------------- */

static struct slice tail(struct slice t, size_t from)
{
    return (struct slice){ t.s + from, t.n - from };
}

/* "http://host[:port]/path": the target's host counts, Host does not (RFC 9112 3.2.2). */
static bool split_absolute(struct http_request *rq, struct slice *path)
{
    size_t scheme = slice_starts(rq->target, "http://") ? 7 : slice_starts(rq->target, "https://") ? 8 : 0;
    struct slice rest = tail(rq->target, scheme);
    size_t host = 0;

    if (scheme == 0)
        return false;
    while (host < rest.n && rest.s[host] != '/' && rest.s[host] != '?')
        host++;
    rq->authority = (struct slice){ rest.s, host };
    *path = tail(rest, host);
    return http_host_is_valid(rq->authority);
}

static const char *resolve_target(struct http_request *rq)
{
    struct slice path = rq->target;

    if (!http_target_is_valid(rq->target))
        return "the request target holds a character that must be encoded";
    if (slice_is(rq->target, "*")) {
        rq->path = rq->target;
        return slice_is(rq->method, "OPTIONS") ? NULL : "the target * goes with OPTIONS only";
    }
    if (path.s[0] != '/' && !split_absolute(rq, &path))
        return "the request target is neither a path nor a URL of this server";
    rq->path = slice_cut(&path, '?');
    if (path.s[-1] == '?')
        rq->query = path;
    if (rq->path.n == 0)
        rq->path = SLICE("/");
    return NULL;
}

static struct slice trusted_word(struct http_exchange *x, const char *name)
{
    struct slice none = { NULL, 0 };

    return cidr_list_has(x->server->conf.trusted, &x->rq.peer) ? http_header(&x->rq, name) : none;
}

/* X-Forwarded-For names client, proxy 1, proxy 2, ...; from the right, whom our own proxies vouch for counts. Several such
 * headers are one list. An entry that is no address ends the search: what lies beyond it is hearsay. */
static void resolve_client(struct http_exchange *x)
{
    struct http_request *rq = &x->rq;
    const struct cidr_list *trusted = x->server->conf.trusted;

    for (unsigned i = rq->n_headers; i-- > 0 && cidr_list_has(trusted, &rq->client);) {
        struct slice list = rq->headers[i].value;

        if (!slice_is(rq->headers[i].name, "x-forwarded-for"))
            continue;
        while (list.n > 0 && cidr_list_has(trusted, &rq->client)) {
            const char *comma = memrchr(list.s, ',', list.n);
            struct slice last = comma != NULL ? tail(list, (size_t)(comma - list.s) + 1) : list;
            struct addr a;

            list.n = comma != NULL ? (size_t)(comma - list.s) : 0;
            if (!addr_parse_port(slice_trim(last), &a))
                return;
            rq->client = a;
        }
    }
}

static void resolve_scheme(struct http_exchange *x)
{
    struct slice said = trusted_word(x, "x-forwarded-proto");

    if (slice_is(said, "https"))
        x->rq.scheme = SLICE("https");
    else if (slice_is(said, "http"))
        x->rq.scheme = SLICE("http");
}

/* A node of ours has found out who its client is as we would have, and that is who counts. False when memory is out. */
static bool take_node(struct http_exchange *x)
{
    struct http_request *rq = &x->rq;
    struct slice said = http_header(rq, "x-forwarded-proto");
    struct addr a;

    if (addr_parse(http_header(rq, "x-forwarded-for"), &a))
        rq->client = a;
    if (said.s != NULL) {
        rq->scheme = slice_is(said, "https") ? SLICE("https") : SLICE("http");
        rq->tls = slice_is(said, "https");
    }
    rq->peer_uri = arena_strdup(rq->arena, tls_peer_uri(x->conn->tls));
    return rq->peer_uri != NULL;
}

static bool is_expectation_known(struct http_exchange *x)
{
    struct slice expect = http_header(&x->rq, "expect");

    if (expect.s == NULL || x->rq.version == HTTP_1_0)
        return true;
    x->expects = slice_is_nocase(expect, "100-continue") && !x->body_end;
    return slice_is_nocase(expect, "100-continue");
}

/* Refuses what must not be served; true when it did. */
static bool refuse_by_header(struct http_exchange *x)
{
    const struct http_limits *l = &x->server->limits;
    struct http_request *rq = &x->rq;
    const char *fault;

    if (x->limit != NULL) {
        http_exchange_refuse(x, x->limit, "%u bytes in %u headers", l->header_bytes, l->headers);
    } else if (rq->target.n > l->target_bytes) {
        http_exchange_refuse(x, &ERR_HTTP_TARGET_SIZE, "%u", l->target_bytes);
    } else if (slice_is(rq->method, "CONNECT")) {
        http_exchange_refuse(x, &ERR_HTTP_UNSUPPORTED, "method CONNECT");
    } else if ((fault = resolve_target(rq)) != NULL) {
        http_exchange_refuse(x, &ERR_HTTP_MALFORMED, "%s", fault);
    } else if (!is_expectation_known(x)) {
        http_exchange_refuse(x, &ERR_HTTP_EXPECTATION, "%.*s", SLICE_FMT(http_header(rq, "expect")));
    } else if (x->length > 0 && (uint64_t)x->length > l->body_bytes) {
        http_exchange_refuse(x, &ERR_HTTP_BODY_SIZE, "%llu", (unsigned long long)l->body_bytes);
    }
    return x->refused;
}

/* ---- serving -------------------------------------------------------------------------------------------------------- */

static void serve(void *data)
{
    struct http_exchange *x = data;
    struct http_server *s = x->server;

    s->conf.serve(&x->rq, s->conf.data);
    if (x->conn != NULL && x->status == 0)
        http_exchange_refuse(x, &ERR_UNEXPECTED, "no reply to %.*s %.*s", SLICE_FMT(x->rq.method), SLICE_FMT(x->rq.path));
    x->fiber = NULL;
    x->discards = true;
    if (x->attached)
        x->conn->proto->served(x);
    else
        exchange_free(x);
}

/* The exchange may be gone when this returns. */
void http_exchange_start(struct http_exchange *x)
{
    struct http_server *s = x->server;
    struct err e = { 0 };

    HTTP_ADD(s->count.requests[x->rq.version], 1);
    if (x->conn->from_node && !take_node(x)) {
        http_exchange_refuse(x, &ERR_NOMEM, "%s", "");
        return;
    }
    if (s->conf.trusted != NULL && !x->conn->from_node) {
        resolve_client(x);
        resolve_scheme(x);
    }
    if (refuse_by_header(x))
        return;
    if (x->conn->refused) {
        http_exchange_refuse(x, &ERR_BUSY, "%u connections at once", s->limits.connections);
        return;
    }
    x->started = true;
    if (fiber_start(s->conf.loop, "request", serve, x, &x->fiber, &e) != 0) {
        x->started = false;
        http_exchange_refuse(x, e.row, "%s", e.arg[0]);
    }
}

static unsigned refusal_index(int status)
{
    switch (status) {
    case 400: return 0;
    case 408: return 1;
    case 413: return 2;
    case 414: return 3;
    case 417: return 4;
    case 431: return 5;
    case 501: case 505: return 6;
    default: return 7;
    }
}

void http_exchange_refuse(struct http_exchange *x, const struct err_row *row, const char *fmt, ...)
{
    struct http_server *s = x->server;
    struct err e = { 0 };
    char text[ERR_ARG_SIZE];
    va_list ap;

    if (x->status != 0)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)err_set(&e, row, "%s", text);
    x->refused = x->discards = true;
    if (row->http != 500)
        HTTP_ADD(s->count.refused[refusal_index(row->http)], 1);
    if (s->conf.refuse != NULL)
        s->conf.refuse(&x->rq, &e, s->conf.data);
    if (x->status == 0)
        (void)http_reply_plain(&x->rq, &e); /* it fails only when the client is gone or memory is out */
}

/* ---- body in -------------------------------------------------------------------------------------------------------- */

static void wake_reader(struct http_exchange *x)
{
    if (x->reader != NULL)
        wait_wake(x->reader);
}

bool http_exchange_body(struct http_exchange *x, const char *bytes, size_t n)
{
    x->received += n;
    if (x->discards) {
        x->discarded += n;
        return true;
    }
    if (!http_chain_put(&x->body, &x->server->blocks, bytes, n, true))
        return false;
    wake_reader(x);
    return true;
}

void http_exchange_body_end(struct http_exchange *x, const char *fault)
{
    x->body_end = true;
    x->body_fault = fault;
    wake_reader(x);
}

/* ---- reply out ------------------------------------------------------------------------------------------------------ */

size_t http_exchange_pending(const struct http_exchange *x)
{
    return x->rest.n + x->queue.n;
}

bool http_exchange_is_drained(const struct http_exchange *x)
{
    return x->ended && x->rest.n + x->queue.n == 0;
}

size_t http_exchange_pull(struct http_exchange *x, size_t most)
{
    size_t pulled = 0, n;
    const char *bytes;

    if (x->rest.n > 0) {
        pulled = x->rest.n < most ? x->rest.n : most;
        http_conn_put(x->conn, x->rest.s, pulled);
        x->rest = tail(x->rest, pulled);
    }
    while (pulled < most && (bytes = http_chain_peek(&x->queue, &n)) != NULL) {
        n = n < most - pulled ? n : most - pulled;
        http_conn_put(x->conn, bytes, n);
        http_chain_drop(&x->queue, &x->server->blocks, n);
        pulled += n;
    }
    x->sent += pulled;
    if (pulled > 0)
        x->moved_ms = x->server->now_ms;
    if (x->writer != NULL && x->queue.n < HTTP_QUEUE_HIGH / 2)
        wait_wake(x->writer);
    return pulled;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.0 and 1.1. Requests of one connection are served one after the other; what is pipelined behind the present one is held.
 *
 *   HEAD --head complete--> BODY --body complete--> REPLY --reply written, serve returned--> HEAD ...
 *     '--head without body-------------------------^    '--not kept alive--> DEAF, connection ends
 *     '--broken, too large, too slow--> DEAF: an error is replied, then the connection ends
 *
 * The head is scanned strictly, copied into the exchange's arena, and only then given to llhttp, whose spans point into
 * that copy; headers and framing must come out the same in both. */
#include <string.h>

#include "src/io/http_conn.h"

#define EXPECT_FAULT "Content-Length, Transfer-Encoding or Connection is ambiguous"

static struct http_exchange *exchange_of(llhttp_t *p)
{
    return ((struct http_conn *)p->data)->h1.x;
}

/* ---- llhttp's callbacks: spans lie in the exchange's copy of the head, whole, since the head is given in one piece ----- */

static int on_url(llhttp_t *p, const char *at, size_t n)
{
    exchange_of(p)->rq.target = (struct slice){ at, n };
    return 0;
}

static int on_field(llhttp_t *p, const char *at, size_t n)
{
    struct http_conn *c = p->data;

    c->h1.name = (struct slice){ at, n };
    c->h1.value = (struct slice){ at + n, 0 };
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
    struct http_conn *c = p->data;

    c->h1.value = (struct slice){ at, n };
    return 0;
}

static int on_value_complete(llhttp_t *p)
{
    struct http_conn *c = p->data;
    struct http1 *h = &c->h1;

    if (h->state != H1_HEAD)
        return 0; /* a trailer; nobody may rely on it */
    for (size_t i = 0; i < h->name.n; i++) {
        char *b = (char *)(uintptr_t)h->name.s + i; /* our own copy */

        if (*b >= 'A' && *b <= 'Z')
            *b = (char)(*b | 0x20);
    }
    return http_exchange_header(h->x, h->name, slice_trim(h->value)) ? 0 : -1;
}

static int on_headers_complete(llhttp_t *p)
{
    struct http_conn *c = p->data;

    p->upgrade = 0; /* offers to speak another protocol are passed over */
    c->h1.keep_alive = llhttp_should_keep_alive(p) != 0;
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    return http_exchange_body(exchange_of(p), at, n) ? 0 : -1;
}

static int on_complete(llhttp_t *p)
{
    struct http_conn *c = p->data;

    c->h1.complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* ---- output --------------------------------------------------------------------------------------------------------- */

static const char *reason_phrase(int status)
{
    static const struct { int status; const char *phrase; } rows[] = {
        { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" },
        { 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" },
        { 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
        { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" }, { 412, "Precondition Failed" },
        { 413, "Content Too Large" }, { 414, "URI Too Long" }, { 415, "Unsupported Media Type" }, { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" }, { 423, "Locked" }, { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
        { 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status)
            return rows[i].phrase;
    }
    return "Status";
}

/* The head is built in one piece on the stack where it fits, since a call per word would cost more than the words. */
struct text {
    struct http_conn *c;
    size_t n;
    char s[1024];
};

static void add(struct text *t, const char *s, size_t n)
{
    if (n > sizeof t->s - t->n) {
        http_conn_put(t->c, t->s, t->n);
        t->n = 0;
    }
    if (n > sizeof t->s) {
        http_conn_put(t->c, s, n);
        return;
    }
    memcpy(t->s + t->n, s, n);
    t->n += n;
}

#define ADD(T, LITERAL) add((T), (LITERAL), sizeof(LITERAL) - 1)

static void add_number(struct text *t, uint64_t v, unsigned base)
{
    char digits[24];
    size_t at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v > 0);
    add(t, digits + at, sizeof digits - at);
}

static void add_header(struct text *t, struct slice name, struct slice value)
{
    add(t, name.s, name.n);
    ADD(t, ": ");
    add(t, value.s, value.n);
    ADD(t, "\r\n");
}

/* Whether the connection can go on after this reply. */
static bool may_keep_alive(const struct http_exchange *x)
{
    const struct http1 *h = &x->conn->h1;

    if (!h->keep_alive || x->refused || x->server->state != HTTP_OPEN || x->body_fault != NULL || x->slow)
        return false;
    if (x->body_end)
        return true;
    if (x->expects && !x->asked)
        return false; /* whether the client sends the body now is its own guess */
    return x->length < 0 || h->left <= x->server->limits.discard_bytes;
}

static void add_framing(struct text *t, struct http_exchange *x, int64_t length)
{
    struct http1 *h = &x->conn->h1;
    bool no_content = x->status == 204 || x->status == 304;

    h->chunked_reply = length < 0 && !no_content && x->rq.version == HTTP_1_1;
    if (length < 0 && !no_content && x->rq.version == HTTP_1_0)
        h->keep_alive = false; /* the end of the connection is the end of the body */
    if (h->chunked_reply)
        ADD(t, "transfer-encoding: chunked\r\n");
    if (length >= 0) {
        ADD(t, "content-length: ");
        add_number(t, (uint64_t)length, 10);
        ADD(t, "\r\n");
    }
    h->chunked_reply = h->chunked_reply && !x->bodyless;
    if (!h->keep_alive)
        ADD(t, "connection: close\r\n");
    else if (x->rq.version == HTTP_1_0)
        ADD(t, "connection: keep-alive\r\n");
}

static int reply_head(struct http_exchange *x, const struct http_header *headers, unsigned n, int64_t length, struct err *e)
{
    struct http_conn *c = x->conn;
    struct http_server *s = x->server;
    struct text t = { .c = c };

    c->h1.keep_alive = may_keep_alive(x);
    ADD(&t, "HTTP/1.1 ");
    add_number(&t, (uint64_t)x->status, 10);
    ADD(&t, " ");
    add(&t, reason_phrase(x->status), strlen(reason_phrase(x->status)));
    ADD(&t, "\r\ndate: ");
    add(&t, s->date, strlen(s->date));
    ADD(&t, "\r\n");
    if (s->conf.name != NULL)
        add_header(&t, SLICE("server"), (struct slice){ s->conf.name, strlen(s->conf.name) });
    for (unsigned i = 0; i < n; i++)
        add_header(&t, headers[i].name, headers[i].value);
    add_framing(&t, x, length);
    ADD(&t, "\r\n");
    http_conn_put(c, t.s, t.n);
    return c->doomed ? err_set(e, &ERR_NOMEM, "") : 0;
}

static void pull_chunk(struct http_conn *c, struct http_exchange *x)
{
    size_t n = http_exchange_pending(x);
    struct text t = { .c = c };

    n = n < HTTP_BLOCK_BYTES ? n : HTTP_BLOCK_BYTES;
    add_number(&t, n, 16);
    ADD(&t, "\r\n");
    http_conn_put(c, t.s, t.n);
    (void)http_exchange_pull(x, n); /* that many are pending */
    http_conn_put(c, "\r\n", 2);
}

static void listen_again(struct http_conn *c)
{
    struct http_server *s = c->server;
    const struct http_limits *l = &s->limits;

    c->h1.head = (struct http1_head){ .max_bytes = l->header_bytes, .max_target = l->target_bytes, .max_headers = l->headers };
    c->h1.state = H1_HEAD;
    c->h1.complete = false;
    c->paused = false;
    http_conn_deadline(c, s->state == HTTP_OPEN ? l->idle_ms : l->linger_ms);
    http_conn_set_idle(c, true);
}

/* The exchange is over when its reply is out, serve has returned, and the client has sent (or we need not see) the rest of its body. */
static void finish(struct http_conn *c)
{
    struct http1 *h = &c->h1;
    struct http_exchange *x = h->x;

    if (x->fiber != NULL || !x->complete || (h->keep_alive && !x->body_end))
        return;
    h->x = NULL;
    http_exchange_detach(x);
    if (h->keep_alive) {
        listen_again(c);
        return;
    }
    h->state = H1_DEAF;
    c->ending = true;
}

static void fill(struct http_conn *c)
{
    struct http1 *h = &c->h1;
    struct http_exchange *x = h->x;

    if (x == NULL || !http_conn_has_room(c))
        return; /* also without a body: who does not read replies gets no further ones */
    while (http_exchange_pending(x) > 0 && http_conn_has_room(c)) {
        if (h->chunked_reply)
            pull_chunk(c, x);
        else
            (void)http_exchange_pull(x, HTTP_OUT_HIGH);
    }
    if (http_exchange_is_drained(x) && !x->complete) {
        x->complete = true;
        if (h->chunked_reply)
            http_conn_put(c, "0\r\n\r\n", 5);
    }
    if (!c->doomed)
        finish(c);
}

/* ---- input ---------------------------------------------------------------------------------------------------------- */

static void go_deaf(struct http_conn *c)
{
    c->h1.keep_alive = false;
    c->h1.state = H1_DEAF;
    c->paused = false;
    http_conn_deadline(c, 0);
}

static bool new_exchange(struct http_conn *c, enum http_version version)
{
    http_conn_set_idle(c, false);
    c->h1.x = http_exchange_new(c, version);
    if (c->h1.x == NULL)
        c->doomed = true;
    return c->h1.x != NULL;
}

/* Answers a head that is no request. */
static void refuse_head(struct http_conn *c, enum http1_result r)
{
    const struct http_limits *l = &c->server->limits;
    struct http1 *h = &c->h1;

    if (h->x == NULL && !new_exchange(c, HTTP_1_1))
        return;
    h->x->body_end = true;
    go_deaf(c);
    switch (r) {
    case HTTP1_TARGET_SIZE:
        http_exchange_refuse(h->x, &ERR_HTTP_TARGET_SIZE, "%u", l->target_bytes);
        break;
    case HTTP1_HEADER_SIZE:
        http_exchange_refuse(h->x, &ERR_HTTP_HEADER_SIZE, "%u bytes", l->header_bytes);
        break;
    case HTTP1_HEADER_COUNT:
        http_exchange_refuse(h->x, &ERR_HTTP_HEADER_SIZE, "%u headers", l->headers);
        break;
    case HTTP1_UNSUPPORTED:
        http_exchange_refuse(h->x, &ERR_HTTP_UNSUPPORTED, "%s", h->head.reason);
        break;
    case HTTP1_VERSION:
        http_exchange_refuse(h->x, &ERR_HTTP_VERSION, "");
        break;
    case HTTP1_MORE:
        http_exchange_refuse(h->x, &ERR_HTTP_SLOW, "the request header");
        break;
    default:
        http_exchange_refuse(h->x, &ERR_HTTP_MALFORMED, "%s", h->head.reason);
    }
}

/* Lets llhttp read the head; NULL when it agrees with the scanner, else why not. */
static const char *parse_head(struct http_conn *c, const char *p, size_t n)
{
    struct http1 *h = &c->h1;
    struct http_exchange *x = h->x;
    bool has_body = h->head.chunked || h->head.length > 0;
    enum llhttp_errno rv;

    llhttp_init(&h->parser, HTTP_REQUEST, &settings);
    h->parser.data = c;
    rv = llhttp_execute(&h->parser, p, n);
    if (rv == HPE_INVALID_METHOD)
        return ""; /* a method it has never heard of */
    if (rv != (has_body ? HPE_OK : HPE_PAUSED))
        return rv == HPE_OK || rv == HPE_PAUSED ? EXPECT_FAULT : llhttp_get_error_reason(&h->parser);
    if (h->complete == has_body || (h->complete && llhttp_get_error_pos(&h->parser) != p + n))
        return EXPECT_FAULT;
    if (x->limit == NULL && (x->rq.n_headers != h->head.n_headers || x->rq.target.n != h->head.target_n))
        return "a header line is ambiguous";
    return NULL;
}

static void describe(struct http_conn *c, const char *p)
{
    struct http1 *h = &c->h1;
    struct http_exchange *x = h->x;

    x->rq.method = (struct slice){ p, h->head.method_n };
    x->rq.authority = http_header(&x->rq, "host");
    if (x->rq.authority.s == NULL)
        x->rq.authority = SLICE("");
    x->body_end = h->complete;
    x->length = h->head.chunked ? -1 : (int64_t)h->head.length;
    h->left = h->head.length;
    h->chunks = (struct http1_chunks){ .max_trailer_bytes = c->server->limits.header_bytes };
}

static void begin_request(struct http_conn *c, const char *head, size_t n)
{
    struct http1 *h = &c->h1;
    const char *fault;
    char *p;

    if (!new_exchange(c, h->head.minor == 0 ? HTTP_1_0 : HTTP_1_1))
        return;
    p = arena_alloc(&h->x->arena, n);
    if (p == NULL) {
        c->doomed = true;
        return;
    }
    n -= h->head.begin;
    memcpy(p, head + h->head.begin, n);
    fault = parse_head(c, p, n);
    if (fault == NULL) {
        describe(c, p);
        h->state = h->complete ? H1_REPLY : H1_BODY;
        http_conn_deadline(c, 0);
        http_exchange_start(h->x);
        return;
    }
    h->head.reason = fault[0] != '\0' ? fault : "method";
    refuse_head(c, fault[0] != '\0' ? HTTP1_MALFORMED : HTTP1_UNSUPPORTED);
}

static size_t take_head(struct http_conn *c, const char *p, size_t n)
{
    struct http1 *h = &c->h1;
    enum http1_result r;
    size_t used;

    if (h->head.line == 0 && h->head.searched == 0)
        http_conn_deadline(c, c->server->limits.header_ms); /* it begins with this byte */
    r = http1_head_scan(&h->head, p, n, &used);
    if (r == HTTP1_MORE)
        return 0;
    if (r != HTTP1_DONE) {
        refuse_head(c, r);
        return n;
    }
    begin_request(c, p, used);
    return used;
}

static void body_fault(struct http_conn *c, const char *why)
{
    struct http_exchange *x = c->h1.x;

    go_deaf(c);
    http_exchange_body_end(x, why);
}

/* Too much of a body that nobody wants. */
static void stop_discarding(struct http_conn *c)
{
    struct http_exchange *x = c->h1.x;

    go_deaf(c);
    x->body_end = true;
}

/* How many of the next bytes are the body's, at most; the framing must be sound. *end: they end it. */
static bool frame(struct http_conn *c, const char *p, size_t n, size_t *used, bool *end)
{
    struct http1 *h = &c->h1;

    if (h->head.chunked) {
        enum http1_result r = http1_chunks_scan(&h->chunks, p, n, used);

        *end = r == HTTP1_DONE;
        return r != HTTP1_MALFORMED;
    }
    *used = n < h->left ? n : (size_t)h->left;
    h->left -= *used;
    *end = h->left == 0;
    return true;
}

static size_t take_body(struct http_conn *c, const char *p, size_t n)
{
    struct http1 *h = &c->h1;
    struct http_exchange *x = h->x;
    size_t room = x->discards ? n : x->body.n < HTTP_QUEUE_HIGH ? HTTP_QUEUE_HIGH - x->body.n : 0;
    enum llhttp_errno rv;
    size_t used;
    bool end;

    if (room == 0) {
        c->paused = true;
        return 0;
    }
    if (!frame(c, p, n < room ? n : room, &used, &end)) {
        body_fault(c, h->chunks.reason);
        return n;
    }
    rv = llhttp_execute(&h->parser, p, used);
    if (rv != (end ? HPE_PAUSED : HPE_OK) || h->complete != end) {
        body_fault(c, rv == HPE_OK || rv == HPE_PAUSED ? EXPECT_FAULT : llhttp_get_error_reason(&h->parser));
        return n;
    }
    if (end) {
        h->state = H1_REPLY;
        http_conn_deadline(c, 0);
        http_exchange_body_end(x, NULL);
    } else if (x->discarded > c->server->limits.discard_bytes) {
        stop_discarding(c);
    }
    return used;
}

static size_t input(struct http_conn *c, const char *p, size_t n)
{
    size_t used = 0;

    while (used < n && !c->paused && !c->doomed && !c->ending) {
        size_t step = 0;

        switch (c->h1.state) {
        case H1_HEAD:
            step = take_head(c, p + used, n - used);
            break;
        case H1_BODY:
            step = take_body(c, p + used, n - used);
            break;
        case H1_REPLY:
            c->paused = true;
            break;
        case H1_DEAF:
            return n;
        }
        if (step == 0)
            break;
        used += step;
        if (used < n && !c->doomed)
            fill(c); /* perhaps that request is answered already, and the next one follows */
    }
    return used;
}

/* ---- events --------------------------------------------------------------------------------------------------------- */

static void eof(struct http_conn *c)
{
    struct http1 *h = &c->h1;
    struct http_exchange *x = h->x;

    if (x == NULL) {
        c->ending = true;
    } else if (x->fiber != NULL) {
        c->doomed = true; /* serve works for nobody any more */
    } else {
        h->keep_alive = false;
        x->body_end = true;
    }
}

static void drain(struct http_conn *c)
{
    if (c->h1.state == H1_HEAD && c->held.n == 0)
        http_conn_deadline(c, c->server->limits.linger_ms);
}

static void sweep(struct http_conn *c)
{
    (void)c; /* the connection's own deadlines cover everything */
}

static void expire(struct http_conn *c)
{
    if (c->h1.state == H1_HEAD && c->held.n > 0) {
        str_fini(&c->held);
        refuse_head(c, HTTP1_MORE);
    } else if (c->h1.state == H1_HEAD) {
        c->ending = true; /* nothing was asked, so nothing is said */
    } else {
        c->doomed = true;
    }
}

static void fini(struct http_conn *c)
{
    struct http_exchange *x = c->h1.x;

    c->h1.x = NULL;
    if (x != NULL)
        http_exchange_detach(x);
}

static void more(struct http_exchange *x)
{
    http_conn_touch(x->conn);
}

static void ask(struct http_exchange *x)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (!x->expects || x->body_end || x->received > 0 || x->status != 0)
        return;
    http_conn_put(x->conn, go_on, sizeof go_on - 1);
    http_conn_touch(x->conn);
}

static void took(struct http_exchange *x, size_t n)
{
    struct http_conn *c = x->conn;

    (void)n;
    if (c->h1.state != H1_BODY || !c->paused || x->body.n > HTTP_QUEUE_HIGH / 2)
        return;
    c->paused = false;
    http_conn_touch(c);
}

static void served(struct http_exchange *x)
{
    struct http_conn *c = x->conn;

    http_chain_drop(&x->body, &x->server->blocks, SIZE_MAX);
    if (!x->ended) {
        go_deaf(c);
        c->ending = true; /* without the end of the body, which tells the client that it is broken */
    } else if (!x->body_end) {
        c->paused = false;
        http_conn_deadline(c, x->server->limits.body_ms);
    }
    http_conn_touch(c);
}

const struct http_proto http1_proto = { input, fill, eof, drain, sweep, expire, fini, reply_head, more, ask, took, served };

void http1_begin(struct http_conn *c)
{
    c->proto = &http1_proto;
    memset(&c->h1, 0, sizeof c->h1);
    listen_again(c);
    http_conn_deadline(c, c->server->limits.header_ms); /* the first request has begun already */
}

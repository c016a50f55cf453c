/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 on nghttp2. A stream is an exchange; nghttp2 keeps the pointer, on_stream_close ends it.
 *
 * Floods. What costs the client nothing and us something is paid from two budgets of the connection that refill by half their size a
 * second: `resets` for streams that end by RST_STREAM from either side (rapid reset, and frames that provoke our resets), `control`
 * for PING, SETTINGS, PRIORITY, empty DATA, and WINDOW_UPDATEs that no DATA of ours explains. An empty budget, or
 * too many CONTINUATIONs, ends the connection with GOAWAY(ENHANCE_YOUR_CALM).
 *
 * Flow control. Windows open only by what the handlers have read (or nobody wants), so a stream holds at most stream_window bytes
 * and a connection connection_window. */
#include <string.h>

#include "src/io/http_conn.h"

enum { CONTINUATIONS_MAX = 16, OUTBOUND_MAX = 2000, FIXED_HEADERS = 4, FRAME_HEAD = 9, RESERVE_BYTES = 256 * 1024 };

/* nghttp2 1.52 frees a frame twice when an allocation of its own fails at the wrong moment. So an allocation that fails is repeated
 * with a reserve given back to the heap, and the connection ends with this turn. */
static bool draw_on_reserve(struct http_conn *c)
{
    struct http_server *s = c->server;

    c->doomed = true;
    http_conn_touch(c);
    if (s->reserve == NULL)
        return false;
    mem_free(s->reserve);
    s->reserve = NULL;
    return true;
}

static bool has_reserve(struct http_server *s)
{
    if (s->reserve == NULL)
        s->reserve = mem_alloc(RESERVE_BYTES);
    return s->reserve != NULL;
}

static void *h2_malloc(size_t size, void *data)
{
    void *p = mem_alloc(size);

    return p != NULL || !draw_on_reserve(data) ? p : mem_alloc(size);
}

static void h2_free(void *p, void *data)
{
    (void)data;
    mem_free(p);
}

static void *h2_calloc(size_t n, size_t size, void *data)
{
    void *p = mem_array(n, size);

    return p != NULL || !draw_on_reserve(data) ? p : mem_array(n, size);
}

static void *h2_realloc(void *former, size_t size, void *data)
{
    void *p = mem_realloc(former, size);

    return p != NULL || !draw_on_reserve(data) ? p : mem_realloc(former, size);
}

static struct http_exchange *exchange_of(struct http_conn *c, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(c->h2.session, stream);
}

/* ---- floods --------------------------------------------------------------------------------------------------------- */

static void refill(struct http_conn *c)
{
    const struct http_limits *l = &c->server->limits;
    double seconds = (double)(c->server->now_ms - c->h2.refilled_ms) / 1000;
    double resets = c->h2.resets + seconds * l->resets / 2, control = c->h2.control + seconds * l->control_frames / 2;

    c->h2.refilled_ms = c->server->now_ms;
    c->h2.resets = resets < l->resets ? resets : l->resets;
    c->h2.control = control < l->control_frames ? control : l->control_frames;
}

static int calm_down(struct http_conn *c)
{
    char peer[ADDR_TEXT_SIZE];

    if (c->h2.calm)
        return 0;
    c->h2.calm = true;
    HTTP_ADD(c->server->count.floods, 1);
    log_info(loop_log(c->server->conf.loop), "client floods -> goaway", LOG_S("peer", addr_text_port(&c->peer, peer)));
    http_conn_deadline(c, c->server->limits.linger_ms);
    return nghttp2_session_terminate_session(c->h2.session, NGHTTP2_ENHANCE_YOUR_CALM) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int spend(struct http_conn *c, double *budget)
{
    *budget -= 1;
    if (*budget >= 0)
        return 0;
    refill(c);
    return *budget >= 0 ? 0 : calm_down(c);
}

static bool is_empty_data(const nghttp2_frame_hd *hd)
{
    return hd->type == NGHTTP2_DATA && hd->length == 0 && (hd->flags & NGHTTP2_FLAG_END_STREAM) == 0;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *data)
{
    struct http_conn *c = data;

    (void)session;
    if (hd->type == NGHTTP2_CONTINUATION)
        return ++c->h2.n_continuations > CONTINUATIONS_MAX ? calm_down(c) : 0;
    c->h2.n_continuations = 0;
    if (hd->type == NGHTTP2_HEADERS || (hd->type == NGHTTP2_DATA && !is_empty_data(hd)))
        return 0;
    if (hd->type == NGHTTP2_RST_STREAM)
        return spend(c, &c->h2.resets);
    return spend(c, &c->h2.control);
}

/* A frame that makes nghttp2 reset the stream or complain is as cheap for the client as a reset. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code, void *data)
{
    struct http_conn *c = data;

    (void)session;
    (void)frame;
    (void)code;
    return spend(c, &c->h2.resets);
}

/* ---- requests ------------------------------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct http_conn *c = data;
    struct http_exchange *x;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    x = http_exchange_new(c, HTTP_2);
    if (x == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    x->stream = frame->hd.stream_id;
    c->h2.incoming = x;
    http_conn_deadline(c, 0);
    http_conn_set_idle(c, false);
    return nghttp2_session_set_stream_user_data(session, x->stream, x) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static bool keep(struct http_exchange *x, struct slice from, struct slice *to)
{
    const char *copy = arena_strndup(&x->arena, from.s, from.n);

    *to = (struct slice){ copy, from.n };
    return copy != NULL;
}

static bool take_pseudo(struct http_exchange *x, struct slice name, struct slice value)
{
    if (slice_is(name, ":method"))
        return keep(x, value, &x->rq.method);
    if (slice_is(name, ":path"))
        return keep(x, value, &x->rq.target);
    if (slice_is(name, ":authority"))
        return keep(x, value, &x->rq.authority);
    return true; /* :scheme is what the client believes, which is of no use */
}

static bool take_header(struct http_exchange *x, struct slice name, struct slice value)
{
    size_t both = x->header_bytes + name.n + value.n;
    struct slice n, v;

    if (x->limit != NULL || both > x->server->limits.header_bytes) {
        x->limit = &ERR_HTTP_HEADER_SIZE;
        return true;
    }
    if (!keep(x, name, &n) || !keep(x, value, &v))
        return false;
    if (slice_is(name, "host"))
        x->host = v;
    x->n_cookies += slice_is(name, "cookie");
    return http_exchange_header(x, n, v);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t n_name, const uint8_t *value,
                     size_t n_value, uint8_t flags, void *data)
{
    struct http_conn *c = data;
    struct http_exchange *x = c->h2.incoming;
    struct slice n = { (const char *)name, n_name }, v = { (const char *)value, n_value };

    (void)session;
    (void)flags;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST || x == NULL)
        return 0; /* trailers: nobody may rely on them */
    if (n.s[0] == ':' ? take_pseudo(x, n, v) : take_header(x, n, v))
        return 0;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Cookies may come in crumbs (RFC 9113 8.2.3): the first header gets them all. */
static bool join_cookies(struct http_exchange *x)
{
    struct http_header *first = NULL;
    struct str t;

    str_init(&t, &x->arena);
    for (unsigned i = 0; i < x->rq.n_headers; i++) {
        struct http_header *h = &x->headers[i];

        if (!slice_is(h->name, "cookie"))
            continue;
        if (first == NULL)
            first = h;
        else
            str_add(&t, "; ");
        str_add_n(&t, h->value.s, h->value.n);
    }
    if (first == NULL || str_failed(&t))
        return first == NULL;
    first->value = (struct slice){ str_c(&t), t.n };
    return true;
}

static int64_t announced_length(const struct http_request *rq)
{
    struct slice v = http_header(rq, "content-length"); /* nghttp2 has seen to it that it is one number */
    int64_t n = 0;

    if (v.s == NULL)
        return -1;
    for (size_t i = 0; i < v.n && n < INT64_MAX / 16; i++)
        n = n * 10 + (v.s[i] - '0');
    return n;
}

/* What is wrong with the header, NULL if nothing. nghttp2 has checked names, values and which pseudo-headers there are. */
static const char *describe(struct http_exchange *x)
{
    struct http_request *rq = &x->rq;

    if (!http_token_is_valid(rq->method))
        return "the method is no token";
    if (x->host.s != NULL && rq->authority.n > 0 && (x->host.n != rq->authority.n || strncasecmp(x->host.s, rq->authority.s, x->host.n) != 0))
        return "Host and :authority differ";
    if (rq->authority.n == 0 && x->host.s != NULL)
        rq->authority = x->host;
    if (!http_host_is_valid(rq->authority))
        return ":authority is not a host name with an optional port";
    if (x->limit == NULL && rq->target.n > 0 && rq->target.s[0] != '/' && !slice_is(rq->target, "*") && !slice_is(rq->method, "CONNECT"))
        return ":path does not begin with /";
    x->length = x->body_end ? 0 : announced_length(rq);
    return NULL;
}

static void begin_request(struct http_conn *c, bool end)
{
    struct http_exchange *x = c->h2.incoming;
    const char *fault;

    c->h2.incoming = NULL;
    if (x == NULL)
        return;
    x->body_end = end;
    x->rq.started_ms = c->server->now_ms;
    fault = x->n_cookies > 1 && !join_cookies(x) ? "too many cookies" : describe(x);
    if (fault != NULL && x->limit == NULL)
        http_exchange_refuse(x, &ERR_HTTP_MALFORMED, "%s", fault);
    else
        http_exchange_start(x);
}

static void end_body(struct http_conn *c, int32_t stream)
{
    struct http_exchange *x = exchange_of(c, stream);

    if (x != NULL)
        http_exchange_body_end(x, NULL);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct http_conn *c = data;
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        begin_request(c, end);
    else if (end && (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS))
        end_body(c, frame->hd.stream_id);
    return 0;
}

static int consume(struct http_conn *c, int32_t stream, size_t n)
{
    int rv = n > 0 ? nghttp2_session_consume(c->h2.session, stream, n) : 0;

    if (rv == NGHTTP2_ERR_NOMEM)
        c->doomed = true;
    return rv;
}

static void reset(struct http_exchange *x, uint32_t code)
{
    if (nghttp2_submit_rst_stream(x->conn->h2.session, NGHTTP2_FLAG_NONE, x->stream, code) != 0)
        x->conn->doomed = true;
    http_conn_touch(x->conn);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t n, void *data)
{
    struct http_conn *c = data;
    struct http_exchange *x = exchange_of(c, stream);

    (void)session;
    (void)flags;
    if (x == NULL)
        return consume(c, stream, n) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    if (!http_exchange_body(x, (const char *)bytes, n))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (!x->discards)
        return 0;
    if (x->discarded > c->server->limits.discard_bytes && x->complete)
        reset(x, NGHTTP2_NO_ERROR); /* RFC 9113 8.1: the reply is whole, the rest of the request is not wanted */
    return consume(c, stream, n) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *data)
{
    struct http_conn *c = data;
    struct http_exchange *x = exchange_of(c, stream);

    (void)session;
    if (x == NULL)
        return 0;
    if (c->h2.incoming == x)
        c->h2.incoming = NULL;
    if (x->body.n > 0 && nghttp2_session_consume_connection(c->h2.session, x->body.n) != 0)
        c->doomed = true;
    if (!x->body_end && code != NGHTTP2_NO_ERROR)
        http_chain_drop(&x->body, &c->server->blocks, SIZE_MAX);
    http_exchange_detach(x);
    if (c->n_exchanges == 0 && !c->h2.calm) {
        http_conn_deadline(c, c->server->limits.idle_ms);
        http_conn_set_idle(c, true);
    }
    return 0;
}

/* ---- replies -------------------------------------------------------------------------------------------------------- */

static ssize_t offer_data(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t size, uint32_t *flags,
                          nghttp2_data_source *source, void *data)
{
    struct http_exchange *x = source->ptr;
    size_t n = http_exchange_pending(x);

    (void)session;
    (void)stream;
    (void)buf;
    (void)data;
    if (n == 0 && !x->ended) {
        x->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n <= size && x->ended)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)(n < size ? n : size);
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t n, nghttp2_data_source *source,
                        void *data)
{
    struct http_conn *c = data;
    struct http_exchange *x = source->ptr;

    (void)session;
    http_conn_put(c, head, FRAME_HEAD);
    (void)http_exchange_pull(x, n); /* offer_data has said so many bytes are there */
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        x->complete = true;
    c->h2.control += 2; /* the client may answer with window updates */
    if (c->doomed)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return http_conn_has_room(c) ? 0 : NGHTTP2_ERR_PAUSE;
}

static nghttp2_nv pair(struct slice name, struct slice value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name.s, (uint8_t *)(uintptr_t)value.s, name.n, value.n,
                         NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };
}

static struct slice number_text(char *buf, size_t size, uint64_t v)
{
    size_t at = size;

    do {
        buf[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    return (struct slice){ buf + at, size - at };
}

static int reply_head(struct http_exchange *x, const struct http_header *headers, unsigned n, int64_t length, struct err *e)
{
    struct http_server *s = x->server;
    nghttp2_data_provider body = { .source = { .ptr = x }, .read_callback = offer_data };
    bool has_body = !x->bodyless && length != 0;
    nghttp2_nv *nv = arena_alloc(&x->arena, (n + FIXED_HEADERS) * sizeof *nv);
    unsigned k = 0;

    if (nv == NULL)
        return err_set(e, &ERR_NOMEM, "");
    nv[k++] = pair(SLICE(":status"), number_text(x->status_text, 3, (uint64_t)x->status));
    nv[k++] = pair(SLICE("date"), (struct slice){ s->date, strlen(s->date) });
    if (s->conf.name != NULL)
        nv[k++] = pair(SLICE("server"), (struct slice){ s->conf.name, strlen(s->conf.name) });
    for (unsigned i = 0; i < n; i++)
        nv[k++] = pair(headers[i].name, headers[i].value);
    if (length >= 0)
        nv[k++] = pair(SLICE("content-length"), number_text(x->length_text, sizeof x->length_text, (uint64_t)length));
    if (nghttp2_submit_response(x->conn->h2.session, x->stream, nv, k, has_body ? &body : NULL) != 0)
        return err_set(e, &ERR_NOMEM, "");
    x->complete = !has_body;
    return 0;
}

static void more(struct http_exchange *x)
{
    if (x->deferred && nghttp2_session_resume_data(x->conn->h2.session, x->stream) == NGHTTP2_ERR_NOMEM)
        x->conn->doomed = true;
    x->deferred = false;
    http_conn_touch(x->conn);
}

static void ask(struct http_exchange *x)
{
    nghttp2_nv nv = pair(SLICE(":status"), SLICE("100"));

    if (!x->expects || x->body_end || x->received > 0 || x->status != 0)
        return;
    if (nghttp2_submit_headers(x->conn->h2.session, NGHTTP2_FLAG_NONE, x->stream, NULL, &nv, 1, NULL) < 0)
        x->conn->doomed = true;
    http_conn_touch(x->conn);
}

static void took(struct http_exchange *x, size_t n)
{
    (void)consume(x->conn, x->stream, n); /* what can go wrong has doomed the connection */
    http_conn_touch(x->conn);
}

static void served(struct http_exchange *x)
{
    if (x->body.n > 0)
        took(x, x->body.n);
    http_chain_drop(&x->body, &x->server->blocks, SIZE_MAX);
    if (!x->ended)
        reset(x, x->slow ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR); /* a broken reply */
}

/* ---- the connection ------------------------------------------------------------------------------------------------- */

static size_t input(struct http_conn *c, const char *bytes, size_t n)
{
    struct http2 *h = &c->h2;
    ssize_t rv;

    if (c->writing && nghttp2_session_get_outbound_queue_size(h->session) > OUTBOUND_MAX) {
        c->paused = true; /* who does not read our answers gets no more of them */
        return 0;
    }
    rv = nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes, n);
    if (rv >= 0)
        return (size_t)rv;
    if (rv == NGHTTP2_ERR_FLOODED)
        (void)calm_down(c); /* it fails only when memory is out; the connection ends either way */
    else if (rv == NGHTTP2_ERR_BAD_CLIENT_MAGIC || nghttp2_session_terminate_session(h->session, NGHTTP2_INTERNAL_ERROR) != 0)
        c->doomed = true;
    http_conn_deadline(c, c->server->limits.linger_ms);
    return n;
}

static void fill(struct http_conn *c)
{
    nghttp2_session *session = c->h2.session;
    const uint8_t *bytes;
    ssize_t n;

    c->paused = false;
    while (http_conn_has_room(c) && (n = nghttp2_session_mem_send(session, &bytes)) != 0) {
        if (n < 0) {
            c->doomed = true;
            return;
        }
        http_conn_put(c, bytes, (size_t)n);
    }
    if (http_conn_has_room(c) && nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0)
        c->ending = true;
}

static void eof(struct http_conn *c)
{
    c->doomed = true;
}

static void drain(struct http_conn *c)
{
    if (c->h2.goaway_ms != 0 || nghttp2_submit_shutdown_notice(c->h2.session) != 0)
        return;
    c->h2.goaway_ms = c->server->now_ms + c->server->limits.linger_ms / 2; /* time for what is on its way */
}

static void say_goaway(struct http_conn *c)
{
    nghttp2_session *session = c->h2.session;

    c->h2.goaway_ms = INT64_MAX;
    if (nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR, NULL, 0) != 0)
        c->doomed = true;
}

/* A reply that waits for the client: not at all for write_ms, or below min_rate over a longer time. */
static bool is_stalled(struct http_exchange *x)
{
    const struct http_limits *l = &x->server->limits;

    if (http_exchange_pending(x) == 0)
        return false;
    x->blocked_ms += x->server->sweep_ms;
    return x->server->now_ms - x->moved_ms >= l->write_ms ||
           (x->blocked_ms >= l->write_ms && (int64_t)x->sent < x->blocked_ms * l->min_rate / 1000);
}

static void sweep_exchange(struct http_exchange *x)
{
    const struct http_limits *l = &x->server->limits;
    struct http_conn *c = x->conn;
    int64_t now = x->server->now_ms;

    if (c->h2.incoming == x) {
        if (now - x->rq.started_ms >= l->header_ms && nghttp2_session_terminate_session(c->h2.session, NGHTTP2_PROTOCOL_ERROR) != 0)
            c->doomed = true;
    } else if (is_stalled(x)) {
        reset(x, NGHTTP2_CANCEL);
    } else if (x->complete && x->fiber == NULL && !x->body_end && now - x->moved_ms >= l->body_ms) {
        reset(x, NGHTTP2_NO_ERROR);
    }
}

static void sweep(struct http_conn *c)
{
    if (c->h2.goaway_ms != 0 && c->server->now_ms >= c->h2.goaway_ms)
        say_goaway(c);
    for (struct http_exchange *x = c->exchanges, *next; x != NULL; x = next) {
        next = x->next;
        sweep_exchange(x);
    }
}

static void expire(struct http_conn *c)
{
    if (c->h2.calm || nghttp2_session_terminate_session(c->h2.session, NGHTTP2_NO_ERROR) != 0)
        c->doomed = true;
    http_conn_deadline(c, c->server->limits.linger_ms);
    c->h2.calm = true; /* next time is the last */
}

static void fini(struct http_conn *c)
{
    while (c->exchanges != NULL)
        http_exchange_detach(c->exchanges);
    nghttp2_session_del(c->h2.session);
    c->h2.session = NULL;
}

const struct http_proto http2_proto = { input, fill, eof, drain, sweep, expire, fini, reply_head, more, ask, took, served };

bool http2_server_init(struct http_server *s)
{
    nghttp2_session_callbacks *k;

    if (nghttp2_session_callbacks_new(&s->h2_callbacks) != 0 || nghttp2_option_new(&s->h2_option) != 0)
        return false;
    k = s->h2_callbacks;
    nghttp2_session_callbacks_set_on_begin_frame_callback(k, on_begin_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(k, on_invalid_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(k, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(k, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(k, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(k, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(k, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(k, on_send_data);
    nghttp2_option_set_no_auto_window_update(s->h2_option, 1);
    nghttp2_option_set_no_closed_streams(s->h2_option, 1);
    return true;
}

static bool submit_settings(struct http_conn *c)
{
    const struct http_limits *l = &c->server->limits;
    nghttp2_settings_entry entry[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, l->streams },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, l->stream_window },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, l->header_bytes },
        { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
    };

    return nghttp2_submit_settings(c->h2.session, NGHTTP2_FLAG_NONE, entry, sizeof entry / sizeof entry[0]) == 0 &&
           nghttp2_session_set_local_window_size(c->h2.session, NGHTTP2_FLAG_NONE, 0, (int32_t)l->connection_window) == 0;
}

bool http2_begin(struct http_conn *c)
{
    nghttp2_mem memory = { c, h2_malloc, h2_free, h2_calloc, h2_realloc };
    const struct http_limits *l = &c->server->limits;

    memset(&c->h2, 0, sizeof c->h2);
    c->h2.resets = l->resets;
    c->h2.control = l->control_frames;
    c->h2.refilled_ms = c->server->now_ms;
    if (!has_reserve(c->server) || nghttp2_session_server_new3(&c->h2.session, c->server->h2_callbacks, c, c->server->h2_option, &memory) != 0) {
        c->doomed = true;
        return false;
    }
    c->proto = &http2_proto;
    if (!submit_settings(c))
        c->doomed = true;
    http_conn_deadline(c, l->idle_ms);
    http_conn_set_idle(c, true);
    return true;
}

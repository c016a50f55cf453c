/* SPDX-License-Identifier: Apache-2.0 */
/* One connection, from its first byte to its last:
 *
 *   [PROXY header] --> [TLS handshake] --> first bytes or ALPN tell the protocol --> protocol --> ending --> lingering --> closed
 *
 * Input goes up through these stages; whatever a stage cannot use yet is held and offered again together with what comes next.
 * Output goes down: the protocol fills `out` (under TLS `plain`, which is encrypted into `out`), and one gathered write per turn
 * takes it to the kernel; what the kernel does not take at once waits for it in a libuv write, and meanwhile nothing more is
 * produced. Lingering: the last words have been written and the sending side is shut; what still comes in is thrown away for a
 * moment, since closing with unread input would make the kernel destroy those last words. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "src/io/http_conn.h"
#include "src/io/proxyline.h"

enum { BUFFERS_MAX = 32, KEEPALIVE_S = 60 };

void http_conn_touch(struct http_conn *c)
{
    if (c->in_turn || c->dirty || c->closed)
        return;
    c->dirty = true;
    c->next_dirty = c->server->dirty;
    c->server->dirty = c;
}

void http_conn_deadline(struct http_conn *c, unsigned ms)
{
    c->deadline_ms = ms > 0 ? c->server->now_ms + ms : INT64_MAX;
}

void http_conn_set_idle(struct http_conn *c, bool idle)
{
    struct http_counters *k = &c->server->count;

    if (c->counted_idle == idle)
        return;
    c->counted_idle = idle;
    atomic_store_explicit(&k->idle, atomic_load_explicit(&k->idle, memory_order_relaxed) + (idle ? 1u : -1u), memory_order_relaxed);
}

/* ---- closing -------------------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *c = handle->data;
    struct http_server *s = c->server;

    http_chain_drop(&c->out, &s->blocks, SIZE_MAX); /* kept until now: a write under way pointed into it */
    mem_free(c);
    s->n_handles--;
    http_server_unref(s);
}

static void leave_dirty(struct http_conn *c)
{
    struct http_conn **at = &c->server->dirty;

    while (*at != NULL && *at != c)
        at = &(*at)->next_dirty;
    if (*at != NULL)
        *at = c->next_dirty;
    c->dirty = false;
}

void http_conn_close(struct http_conn *c)
{
    struct http_server *s = c->server;

    if (c->closed)
        return;
    c->closed = true;
    if (c->dirty)
        leave_dirty(c);
    http_conn_set_idle(c, false);
    if (c->proto != NULL)
        c->proto->fini(c);
    tls_discard(c->tls);
    http_chain_drop(&c->plain, &s->blocks, SIZE_MAX);
    str_fini(&c->held);
    http_server_strike(c);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void linger(struct http_conn *c)
{
    uv_os_fd_t fd;

    c->lingering = true;
    str_fini(&c->held);
    http_conn_set_idle(c, false);
    if (c->eof || uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
        c->doomed = true;
        return;
    }
    http_conn_deadline(c, c->server->limits.linger_ms);
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static bool put_encrypted(void *data, const void *bytes, size_t n)
{
    struct http_conn *c = data;

    return http_chain_put(&c->out, &c->server->blocks, bytes, n, false);
}

void http_conn_put(struct http_conn *c, const void *bytes, size_t n)
{
    if (!http_chain_put(c->tls != NULL ? &c->plain : &c->out, &c->server->blocks, bytes, n, false))
        c->doomed = true;
}

bool http_conn_has_room(const struct http_conn *c)
{
    return !c->writing && !c->doomed && c->out.n + c->plain.n < HTTP_OUT_HIGH;
}

static void encrypt(struct http_conn *c)
{
    const char *bytes;
    size_t n;

    if (c->tls == NULL || !tls_is_open(c->tls))
        return;
    while (!c->doomed && (bytes = http_chain_peek(&c->plain, &n)) != NULL) {
        if (!tls_write(c->tls, bytes, n))
            c->doomed = true;
        http_chain_drop(&c->plain, &c->server->blocks, n);
    }
}

static void on_written(uv_write_t *req, int status)
{
    struct http_conn *c = req->data;
    struct http_server *s = c->server;

    if (c->closed)
        return;
    c->in_turn = true;
    http_server_look(s);
    c->writing = false;
    http_chain_drop(&c->out, &s->blocks, c->write_n);
    HTTP_ADD(s->count.sent_bytes, c->write_n);
    if (status != 0)
        c->doomed = true;
    http_conn_settle(c);
}

/* The kernel takes no more now, or others shall have a turn: the rest of `out` goes to libuv. */
static void write_later(struct http_conn *c)
{
    uv_buf_t buf[BUFFERS_MAX];
    unsigned n = http_chain_buffers(&c->out, buf, BUFFERS_MAX, &c->write_n);

    c->write.data = c;
    c->writing = true;
    c->write_began_ms = c->write_moved_ms = c->server->now_ms;
    c->write_left = c->write_n;
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, buf, n, on_written) == 0)
        return;
    c->writing = false;
    c->doomed = true;
}

/* Writes what it can; false when the rest has to wait. */
static bool write_now(struct http_conn *c, size_t *turn_bytes)
{
    uv_buf_t buf[BUFFERS_MAX];
    size_t wanted;
    unsigned n = http_chain_buffers(&c->out, buf, BUFFERS_MAX, &wanted);
    int rv;

    if (*turn_bytes > HTTP_TURN_BYTES) {
        write_later(c);
        return false;
    }
    rv = uv_try_write((uv_stream_t *)&c->tcp, buf, n);
    if (rv < 0 && rv != UV_EAGAIN) {
        c->doomed = true;
        return false;
    }
    if (rv > 0) {
        http_chain_drop(&c->out, &c->server->blocks, (size_t)rv);
        HTTP_ADD(c->server->count.sent_bytes, (unsigned)rv);
        *turn_bytes += (size_t)rv;
    }
    if (rv >= 0 && (size_t)rv == wanted)
        return true;
    write_later(c);
    return false;
}

static void flush(struct http_conn *c)
{
    size_t turn_bytes = 0;

    while (!c->writing && !c->doomed) {
        if (c->proto != NULL && !c->lingering)
            c->proto->fill(c);
        encrypt(c);
        if (c->doomed || c->out.n == 0 || !write_now(c, &turn_bytes))
            return;
    }
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static void choose(struct http_conn *c, bool h2)
{
    http_conn_deadline(c, c->server->limits.header_ms);
    if (h2 && !http2_begin(c))
        return;
    if (!h2)
        http1_begin(c);
    HTTP_ADD(c->server->count.protocol[h2], 1);
    if (c->server->state == HTTP_DRAINING)
        c->proto->drain(c);
}

/* The first bytes tell: an HTTP/2 client begins with "PRI". */
static bool knows_protocol(struct http_conn *c, const char *bytes, size_t n)
{
    size_t seen = n < 3 ? n : 3;

    if (c->proto != NULL)
        return true;
    if (c->tls != NULL) {
        choose(c, slice_is(tls_alpn(c->tls), "h2"));
    } else if (memcmp(bytes, "PRI", seen) != 0) {
        choose(c, false);
    } else if (n >= 3) {
        choose(c, true);
    }
    return c->proto != NULL;
}

/* Offers the held bytes again and again, until the protocol wants none of them. */
static void offer_held(struct http_conn *c)
{
    while (c->held.n > 0 && !c->paused && !c->doomed && knows_protocol(c, c->held.s, c->held.n)) {
        size_t used = c->proto->input(c, c->held.s, c->held.n);

        if (used == 0)
            return;
        if (used == c->held.n) {
            str_fini(&c->held);
            return;
        }
        memmove(c->held.s, c->held.s + used, c->held.n - used);
        c->held.n -= used;
    }
}

static void hold(struct http_conn *c, const char *bytes, size_t n)
{
    if (n == 0)
        return;
    str_add_n(&c->held, bytes, n);
    if (str_failed(&c->held))
        c->doomed = true;
}

static void take_clear(struct http_conn *c, const char *bytes, size_t n)
{
    size_t used = 0;

    if (c->lingering || c->ending)
        return;
    if (c->held.n > 0) {
        hold(c, bytes, n);
        offer_held(c);
        return;
    }
    if (!c->paused && knows_protocol(c, bytes, n))
        used = c->proto->input(c, bytes, n);
    hold(c, bytes + used, n - used);
}

static void handshake_failed(struct http_conn *c, const char *why)
{
    char peer[ADDR_TEXT_SIZE];

    c->ending = true;
    HTTP_ADD(c->server->count.handshakes_failed, 1);
    log_info(loop_log(c->server->conf.loop), "handshake failed", LOG_S("peer", addr_text_port(&c->peer, peer)), LOG_S("reason", why));
}

static void take_encrypted(struct http_conn *c, const char *bytes, size_t n)
{
    struct http_server *s = c->server;
    enum tls_state state = TLS_DATA;
    size_t got;

    tls_feed(c->tls, bytes, n);
    while (state == TLS_DATA && !c->doomed && !c->lingering) {
        bool open = tls_is_open(c->tls);

        state = tls_read(c->tls, s->plain, sizeof s->plain, &got);
        if (state == TLS_DATA)
            take_clear(c, s->plain, got);
        else if (state == TLS_FAILED && !open)
            handshake_failed(c, tls_reason(c->tls));
    }
    if (state == TLS_CLOSED || (state == TLS_FAILED && !c->ending))
        c->eof = true;
}

/* The handshake begins with the first byte, so that a connection that never speaks costs little. */
static void begin_tls(struct http_conn *c)
{
    c->tls = tls_new(c->tls_server, put_encrypted, c);
    c->tls_server = NULL;
    if (c->tls == NULL)
        c->doomed = true;
}

static void take(struct http_conn *c, const char *bytes, size_t n)
{
    if (n == 0 || c->lingering || c->ending)
        return;
    if (c->tls_server != NULL)
        begin_tls(c);
    if (c->doomed)
        return;
    if (c->tls != NULL)
        take_encrypted(c, bytes, n);
    else
        take_clear(c, bytes, n);
}

/* The PROXY header comes before everything else, and rarely in pieces. */
static void take_proxy_header(struct http_conn *c, const char *bytes, size_t n)
{
    struct str all = c->held;
    struct addr source;
    size_t used;

    if (all.n > 0) {
        str_add_n(&all, bytes, n);
        c->held = all;
        if (str_failed(&all)) {
            c->doomed = true;
            return;
        }
        bytes = all.s;
        n = all.n;
    }
    switch (proxyline_parse(bytes, n, &source, &used)) {
    case PROXYLINE_MORE:
        if (all.n == 0)
            hold(c, bytes, n);
        return;
    case PROXYLINE_BROKEN:
        handshake_failed(c, "no PROXY header");
        c->doomed = true;
        return;
    case PROXYLINE_DONE:
        c->wants_proxy = false;
    }
    if (source.known) {
        c->peer = source;
        http_server_count_client(c);
    }
    str_init(&c->held, NULL);
    take(c, bytes + used, n - used);
    if (all.n > 0)
        str_fini(&all);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct http_conn *c = handle->data;

    (void)wanted;
    *buf = uv_buf_init(c->server->inbox, sizeof c->server->inbox);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct http_conn *c = stream->data;

    if (n == 0)
        return; /* EAGAIN */
    c->in_turn = true;
    http_server_look(c->server);
    if (n < 0) {
        c->eof = true;
        c->doomed = c->doomed || n != UV_EOF || c->lingering;
    } else {
        HTTP_ADD(c->server->count.received_bytes, (size_t)n);
        if (c->wants_proxy)
            take_proxy_header(c, buf->base, (size_t)n);
        else
            take(c, buf->base, (size_t)n);
    }
    http_conn_settle(c);
}

/* Reading goes on even while the protocol is busy, so that a client that goes away is noticed; but not without end. */
static void read_or_not(struct http_conn *c)
{
    bool wanted = !c->eof && (!c->paused || c->held.n < c->server->limits.pipelined_bytes || c->lingering);

    if (wanted == c->reading)
        return;
    if (wanted && uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
        c->doomed = true;
    else if (!wanted)
        (void)uv_read_stop((uv_stream_t *)&c->tcp); /* documented to return 0 */
    c->reading = wanted;
}

/* ---- turns ---------------------------------------------------------------------------------------------------------- */

static void end(struct http_conn *c)
{
    if (c->tls != NULL && tls_is_open(c->tls)) {
        tls_close(c->tls);
        flush(c);
    }
    if (!c->writing && !c->doomed)
        linger(c);
}

void http_conn_settle(struct http_conn *c)
{
    size_t held;

    do {
        flush(c);
        held = c->held.n;
        if (!c->wants_proxy && !c->ending)
            offer_held(c);
    } while (c->held.n < held && !c->doomed);
    if (c->eof && !c->doomed && !c->ending && !c->lingering) {
        if (c->proto != NULL)
            c->proto->eof(c);
        else
            c->doomed = true;
        flush(c);
    }
    if (c->ending && !c->doomed && !c->writing && !c->lingering && c->out.n == 0)
        end(c);
    if (!c->doomed)
        read_or_not(c);
    c->in_turn = false;
    if (c->doomed)
        http_conn_close(c);
}

void http_conn_begin(struct http_conn *c, const struct http_listen *at)
{
    struct http_server *s = c->server;
    struct sockaddr_storage ss;
    int len = sizeof ss;

    HTTP_ADD(s->count.accepted[at->tls != NULL], 1);
    str_init(&c->held, NULL);
    c->tls_server = at->tls;
    c->from_node = at->nodes && at->tls != NULL;
    http_conn_deadline(c, s->limits.handshake_ms);
    if (!c->doomed && uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&ss, &len) == 0)
        c->peer = addr_from((struct sockaddr *)&ss);
    c->wants_proxy = at->proxy_protocol && cidr_list_has(s->conf.trusted, &c->peer);
    http_server_enrol(c);
    http_server_count_client(c);
    if (c->peer.known) {
        (void)uv_tcp_nodelay(&c->tcp, 1); /* both only matter for speed */
        (void)uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S);
    }
}

/* A write that does not move, or crawls. */
static bool is_stalled(struct http_conn *c)
{
    const struct http_limits *l = &c->server->limits;
    int64_t now = c->server->now_ms;
    size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);

    if (left < c->write_left) {
        c->write_left = left;
        c->write_moved_ms = now;
    }
    if (now - c->write_moved_ms >= l->write_ms)
        return true;
    return now - c->write_began_ms >= l->write_ms &&
           (int64_t)(c->write_n - c->write_left) < (now - c->write_began_ms) * l->min_rate / 1000;
}

/* While nothing is read, an end of the connection shows only in the kernel's own state of it. */
static bool is_gone(struct http_conn *c)
{
    struct tcp_info info = { .tcpi_state = 0 };
    socklen_t size = sizeof info;
    uv_os_fd_t fd;

    if (c->reading || c->eof || uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return false;
    return info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_CLOSE_WAIT;
}

void http_conn_sweep(struct http_conn *c)
{
    int64_t now = c->server->now_ms;

    c->in_turn = true;
    if ((c->writing && is_stalled(c)) || is_gone(c)) {
        c->doomed = true;
    } else if (now >= c->deadline_ms) {
        c->deadline_ms = INT64_MAX;
        if (c->proto == NULL || c->lingering)
            c->doomed = true;
        else
            c->proto->expire(c);
    } else if (c->proto != NULL) {
        c->proto->sweep(c);
    }
    http_conn_settle(c);
}

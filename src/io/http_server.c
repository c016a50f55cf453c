/* SPDX-License-Identifier: Apache-2.0 */
/* Life: OPEN --drain--> DRAINING --free--> CLOSED. The memory goes when every handle is closed and every exchange freed. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/http_conn.h"
#include "src/io/http_encode.h"

ERR_DEFINE(ERR_HTTP_MALFORMED, 90400, 400, ERR_FINAL, "The HTTP request is malformed: {0}.", "HTTP 请求格式错误：{0}。");
ERR_DEFINE(ERR_HTTP_SLOW, 90408, 408, ERR_RETRY, "The client was too slow with {0}.", "客户端发送或接收过慢：{0}。");
ERR_DEFINE(ERR_HTTP_BODY_SIZE, 90413, 413, ERR_FINAL, "The request body is larger than {0} bytes.", "请求体超过 {0} 字节。");
ERR_DEFINE(ERR_HTTP_TARGET_SIZE, 90414, 414, ERR_FINAL, "The request target is longer than {0} bytes.", "请求地址超过 {0} 字节。");
ERR_DEFINE(ERR_HTTP_EXPECTATION, 90417, 417, ERR_FINAL, "The expectation {0} cannot be met.", "无法满足请求的 Expect：{0}。");
ERR_DEFINE(ERR_HTTP_HEADER_SIZE, 90431, 431, ERR_FINAL, "The request header is too large: at most {0}.", "请求头过大：最多 {0}。");
ERR_DEFINE(ERR_HTTP_UNSUPPORTED, 90432, 501, ERR_FINAL, "This server does not support the {0}.", "服务不支持：{0}。");
ERR_DEFINE(ERR_HTTP_VERSION, 90505, 505, ERR_FINAL, "This server speaks HTTP/1.0, HTTP/1.1 and HTTP/2 only{0}.",
           "服务仅支持 HTTP/1.0、HTTP/1.1 和 HTTP/2{0}。");

const struct err_row *const http_err_rows[] = {
    &ERR_HTTP_MALFORMED,   &ERR_HTTP_SLOW,        &ERR_HTTP_BODY_SIZE,   &ERR_HTTP_TARGET_SIZE,
    &ERR_HTTP_EXPECTATION, &ERR_HTTP_HEADER_SIZE, &ERR_HTTP_UNSUPPORTED, &ERR_HTTP_VERSION, NULL,
};

enum { BACKLOG = 1024, REFUSED_MAX = 64, SWEEP_MIN_MS = 5, SWEEP_MAX_MS = 500 };

static const struct http_limits defaults = {
    .connections = 10000, .connections_per_client = 2000, .header_bytes = 32 * 1024, .headers = 100, .target_bytes = 8 * 1024,
    .body_bytes = UINT64_C(64) << 30, .discard_bytes = 1024 * 1024, .pipelined_bytes = 16 * 1024, .handshake_ms = 10000,
    .header_ms = 10000, .body_ms = 30000, .write_ms = 30000, .min_rate = 200, .idle_ms = 75000, .linger_ms = 2000,
    .streams = 128, .stream_window = 256 * 1024, .connection_window = 1024 * 1024, .resets = 200, .control_frames = 1000,
};

#define DEFAULT(FIELD) \
    if (l->FIELD == 0) \
    l->FIELD = defaults.FIELD

static void set_limits(struct http_limits *l, const struct http_limits *wanted)
{
    *l = wanted != NULL ? *wanted : defaults;
    DEFAULT(connections);
    DEFAULT(connections_per_client);
    DEFAULT(header_bytes);
    DEFAULT(headers);
    DEFAULT(target_bytes);
    DEFAULT(body_bytes);
    DEFAULT(discard_bytes);
    DEFAULT(pipelined_bytes);
    DEFAULT(handshake_ms);
    DEFAULT(header_ms);
    DEFAULT(body_ms);
    DEFAULT(write_ms);
    DEFAULT(min_rate);
    DEFAULT(idle_ms);
    DEFAULT(linger_ms);
    DEFAULT(streams);
    DEFAULT(stream_window);
    DEFAULT(connection_window);
    DEFAULT(resets);
    DEFAULT(control_frames);
}

/* Deadlines are kept to an eighth of the shortest. */
static unsigned sweep_interval(const struct http_limits *l)
{
    unsigned all[] = { l->handshake_ms, l->header_ms, l->body_ms, l->write_ms, l->idle_ms, l->linger_ms };
    unsigned ms = SWEEP_MAX_MS * 8;

    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        ms = all[i] < ms ? all[i] : ms;
    return ms / 8 > SWEEP_MIN_MS ? ms / 8 : SWEEP_MIN_MS;
}

void http_server_look(struct http_server *s)
{
    s->now_ms = loop_now_ms(s->conf.loop);
    if (s->now_ms - s->date_ms < 200)
        return;
    (void)clock_http_date(clock_wall_us(loop_clock(s->conf.loop)), s->date);
    s->date_ms = s->now_ms;
}

static void on_sweep(uv_timer_t *timer)
{
    struct http_server *s = timer->data;

    http_server_look(s);
    for (struct http_conn *c = s->conns, *next; c != NULL; c = next) {
        next = c->next;
        http_conn_sweep(c);
    }
}

/* The end of a turn: settles what fibers have touched. Settling runs no fiber, so the list only shrinks here. */
static void on_turn(void *data)
{
    struct http_server *s = data;

    if (s->dirty != NULL)
        http_server_look(s);
    while (s->dirty != NULL) {
        struct http_conn *c = s->dirty;

        s->dirty = c->next_dirty;
        c->next_dirty = NULL;
        c->dirty = false;
        c->in_turn = true;
        http_conn_settle(c);
    }
}

static void server_fini(struct http_server *s)
{
    while (s->spare != NULL) {
        struct http_exchange *x = s->spare;

        s->spare = x->next;
        mem_free(x);
    }
    http_pool_fini(&s->blocks);
    http_encoder_free(s->encoder);
    mem_free(s->reserve);
    nghttp2_session_callbacks_del(s->h2_callbacks);
    nghttp2_option_del(s->h2_option);
    mem_free(s);
}

void http_server_unref(struct http_server *s)
{
    if (s->state == HTTP_CLOSED && s->n_handles == 0 && s->n_exchanges == 0)
        server_fini(s);
}

static void on_sweep_closed(uv_handle_t *handle)
{
    struct http_server *s = handle->data;

    s->n_handles--;
    http_server_unref(s);
}

int http_server_new(const struct http_conf *conf, struct http_server **out, struct err *e)
{
    struct http_server *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->conf = *conf;
    set_limits(&s->limits, conf->limits);
    if (!http2_server_init(s)) {
        server_fini(s);
        return err_set(e, &ERR_NOMEM, "");
    }
    s->date_ms = INT64_MIN / 2;
    http_server_look(s);
    s->sweep_ms = sweep_interval(&s->limits);
    (void)uv_timer_init(loop_uv(conf->loop), &s->sweep); /* documented to return 0 */
    s->sweep.data = s;
    uv_unref((uv_handle_t *)&s->sweep);
    s->n_handles = 1;
    s->hook = (struct loop_hook){ .fn = on_turn, .data = s };
    loop_add_hook(conf->loop, &s->hook);
    *out = s;
    return 0;
}

/* ---- connections ---------------------------------------------------------------------------------------------------- */

static struct http_peer *peer_of(struct http_server *s, const struct addr *a)
{
    struct http_peer *k;

    HASH_FIND(hh, s->clients, a->ip, sizeof a->ip, k);
    if (k != NULL)
        return k;
    k = mem_zalloc(sizeof *k);
    if (k == NULL)
        return NULL;
    memcpy(k->ip, a->ip, sizeof k->ip);
    HASH_ADD(hh, s->clients, ip, sizeof k->ip, k);
    return k;
}

void http_server_count_client(struct http_conn *c)
{
    struct http_server *s = c->server;

    if (!c->peer.known || cidr_list_has(s->conf.trusted, &c->peer))
        return;
    c->client = peer_of(s, &c->peer);
    if (c->client == NULL) {
        c->doomed = true;
        return;
    }
    c->client->n++;
    if (c->client->n > s->limits.connections_per_client)
        http_server_refuse_conn(c);
}

void http_server_refuse_conn(struct http_conn *c)
{
    struct http_server *s = c->server;

    if (c->refused)
        return;
    HTTP_ADD(s->count.refused_connections, 1);
    c->refused = true;
    s->n_refused++;
    if (s->n_refused > REFUSED_MAX)
        c->doomed = true; /* too many even to be told why */
}

void http_server_enrol(struct http_conn *c)
{
    struct http_server *s = c->server;

    c->next = s->conns;
    if (s->conns != NULL)
        s->conns->prev = c;
    s->conns = c;
    s->n_conns++;
    atomic_store_explicit(&s->count.connections, s->n_conns, memory_order_relaxed);
    if (s->n_conns - s->n_refused > s->limits.connections)
        http_server_refuse_conn(c);
    if (s->n_conns == 1)
        (void)uv_timer_start(&s->sweep, on_sweep, s->sweep_ms, s->sweep_ms); /* fails only without a callback */
}

void http_server_strike(struct http_conn *c)
{
    struct http_server *s = c->server;

    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    s->n_conns--;
    s->n_refused -= c->refused;
    atomic_store_explicit(&s->count.connections, s->n_conns, memory_order_relaxed);
    if (c->client != NULL && --c->client->n == 0) {
        HASH_DEL(s->clients, c->client);
        mem_free(c->client);
    }
    c->client = NULL;
    if (s->n_conns > 0)
        return;
    (void)uv_timer_stop(&s->sweep); /* documented to return 0 */
    waitlist_wake_all(&s->drained);
}

static struct http_conn *conn_new(struct http_server *s)
{
    struct http_conn *c = mem_zalloc(sizeof *c);

    if (c == NULL)
        return NULL;
    if (uv_tcp_init(loop_uv(s->conf.loop), &c->tcp) != 0) {
        mem_free(c);
        return NULL;
    }
    c->server = s;
    c->tcp.data = c;
    s->n_handles++;
    return c;
}

static void accept_one(struct http_listener *l)
{
    struct http_server *s = l->server;
    struct http_conn *c = conn_new(s);

    if (c == NULL) {
        log_warn(loop_log(s->conf.loop), "no memory for another connection");
        return; /* libuv asks again when the next one comes */
    }
    c->in_turn = true;
    http_server_look(s);
    if (uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&c->tcp) != 0)
        c->doomed = true; /* gone before it was accepted */
    http_conn_begin(c, &l->at);
    http_conn_settle(c);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct http_listener *l = stream->data;

    if (status != 0)
        log_warn(loop_log(l->server->conf.loop), "accept failed", LOG_S("reason", uv_strerror(status)));
    else
        accept_one(l);
}

int http_server_adopt(struct http_server *s, int fd, const struct http_listen *at, struct err *e)
{
    struct http_conn *c = s->state == HTTP_OPEN ? conn_new(s) : NULL;
    int rv;

    if (c == NULL) {
        (void)close(fd);
        return err_set(e, s->state == HTTP_OPEN ? &ERR_NOMEM : &ERR_CANCELLED, "");
    }
    c->in_turn = true;
    http_server_look(s);
    rv = uv_tcp_open(&c->tcp, fd);
    if (rv != 0) {
        (void)close(fd);
        c->doomed = true;
    }
    http_conn_begin(c, at);
    http_conn_settle(c);
    return rv == 0 ? 0 : err_set(e, &ERR_IO, "take socket: %s", uv_strerror(rv));
}

/* ---- listening ------------------------------------------------------------------------------------------------------ */

/* A bound socket that shares its port with those of the other loops. -1 and errno on failure. */
static int bound_socket(const struct addr *a, unsigned port)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to(a, port, &ss);
    int on = 1, fd, number;

    fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        (ss.ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        bind(fd, (struct sockaddr *)&ss, len) == 0)
        return fd;
    number = errno;
    (void)close(fd);
    errno = number;
    return -1;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct http_listener *l = handle->data;
    struct http_server *s = l->server;

    mem_free(l);
    s->n_handles--;
    http_server_unref(s);
}

static unsigned actual_port(const struct http_listener *l)
{
    struct sockaddr_storage ss;
    int len = sizeof ss;

    if (uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    return addr_from((struct sockaddr *)&ss).port;
}

static int listen_on(struct http_listener *l, const struct addr *a)
{
    int fd = bound_socket(a, l->at.port);
    int rv = fd < 0 ? uv_translate_sys_error(errno) : uv_tcp_open(&l->tcp, fd);

    if (rv != 0 && fd >= 0)
        (void)close(fd);
    return rv != 0 ? rv : uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
}

int http_server_listen(struct http_server *s, const struct http_listen *at, unsigned *port, struct err *e)
{
    struct http_listener *l;
    struct addr a;
    int rv;

    if (!addr_parse((struct slice){ at->address, strlen(at->address) }, &a) || at->port > UINT16_MAX)
        return err_set(e, &ERR_INVALID, "%s port %u is not an IP address with a port to listen on", at->address, at->port);
    l = mem_zalloc(sizeof *l);
    if (l == NULL)
        return err_set(e, &ERR_NOMEM, "");
    l->server = s;
    l->at = *at;
    l->at.address = NULL; /* the caller's */
    rv = uv_tcp_init(loop_uv(s->conf.loop), &l->tcp);
    if (rv != 0) {
        mem_free(l);
        return err_set(e, &ERR_IO, "listen: %s", uv_strerror(rv));
    }
    l->tcp.data = l;
    s->n_handles++;
    rv = listen_on(l, &a);
    if (rv != 0) {
        uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
        return err_set(e, &ERR_IO, "listen on %s port %u: %s", at->address, at->port, uv_strerror(rv));
    }
    uv_unref((uv_handle_t *)&l->tcp);
    l->next = s->listeners;
    s->listeners = l;
    if (port != NULL)
        *port = actual_port(l);
    return 0;
}

/* ---- ending --------------------------------------------------------------------------------------------------------- */

static void adopt_late(struct http_listener *l, int fd)
{
    struct err e = { 0 };

    if (http_server_adopt(l->server, fd, &l->at, &e) != 0)
        log_info(loop_log(l->server->conf.loop), "connection from the backlog is lost", LOG_E(&e));
}

/* Those who wait in the backlog were promised an answer: takes them in before the socket closes. */
static void accept_rest(struct http_listener *l)
{
    uv_os_fd_t listening;
    int fd;

    if (uv_fileno((uv_handle_t *)&l->tcp, &listening) != 0)
        return;
    while ((fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        adopt_late(l, fd);
}

static void stop_listening(struct http_server *s, bool gently)
{
    while (s->listeners != NULL) {
        struct http_listener *l = s->listeners;

        s->listeners = l->next;
        if (gently)
            accept_rest(l);
        uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
    }
}

/* A connection whose turn it is (one of its requests asks for the drain) is settled when that turn ends. */
static void drain_conn(struct http_conn *c)
{
    bool settles = !c->in_turn;

    c->in_turn = true;
    if (c->proto != NULL)
        c->proto->drain(c);
    if (settles)
        http_conn_settle(c);
}

int http_server_drain(struct http_server *s, struct err *e)
{
    int rv = 0;

    if (s->state == HTTP_OPEN) {
        http_server_look(s);
        stop_listening(s, true);
        s->state = HTTP_DRAINING;
        for (struct http_conn *c = s->conns, *next; c != NULL; c = next) {
            next = c->next;
            drain_conn(c);
        }
    }
    while (s->n_conns > 0 && rv == 0)
        rv = waitlist_wait(&s->drained, e);
    return rv;
}

void http_server_free(struct http_server *s)
{
    if (s == NULL)
        return;
    s->state = HTTP_CLOSED;
    stop_listening(s, false);
    loop_remove_hook(s->conf.loop, &s->hook);
    while (s->conns != NULL)
        http_conn_close(s->conns);
    uv_close((uv_handle_t *)&s->sweep, on_sweep_closed);
}

#define GET(FIELD) .FIELD = atomic_load_explicit(&s->count.FIELD, memory_order_relaxed)

struct http_stats http_server_stats(const struct http_server *s)
{
    struct http_stats out = { GET(received_bytes), GET(sent_bytes), GET(resets), GET(refused_connections), GET(floods),
                              GET(handshakes_failed), GET(connections), GET(idle), GET(in_flight) };

    for (unsigned i = 0; i < 2; i++) {
        out.accepted[i] = atomic_load_explicit(&s->count.accepted[i], memory_order_relaxed);
        out.protocol[i] = atomic_load_explicit(&s->count.protocol[i], memory_order_relaxed);
    }
    for (unsigned i = 0; i < 3; i++)
        out.requests[i] = atomic_load_explicit(&s->count.requests[i], memory_order_relaxed);
    for (unsigned i = 0; i < 8; i++)
        out.refused[i] = atomic_load_explicit(&s->count.refused[i], memory_order_relaxed);
    return out;
}

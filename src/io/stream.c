/* SPDX-License-Identifier: Apache-2.0 */
/* libuv moves the bytes: what is read waits in one buffer, and reading stops while it is not empty; what is written goes to the kernel at
 * once as far as it takes it. A stream is freed when its handle is closed and its last write is over. */
#include "src/io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <uv.h>

#include "src/base/str.h"
#include "src/io/fiber.h"
#include "src/io/loop.h"
#include "src/io/tls.h"

ERR_DEFINE(ERR_STREAM_REFUSED, 90730, 503, ERR_RETRY, "{0} refuses connections: no process listens there.", "{0} 拒绝连接：没有进程在监听。");
ERR_DEFINE(ERR_STREAM_LOST, 90731, 503, ERR_RETRY, "The connection to {0} is lost: {1}.", "与 {0} 的连接已断开：{1}。");
ERR_DEFINE(ERR_STREAM_TLS, 90732, 503, ERR_FINAL, "{0} and this node do not accept each other's certificate: {1}.",
           "{0} 与本节点互不接受对方的证书：{1}。");

const struct err_row *const stream_err_rows[] = { &ERR_STREAM_REFUSED, &ERR_STREAM_LOST, &ERR_STREAM_TLS, NULL };

enum { READ_BYTES = 16384, BACKLOG = 128, USER_TIMEOUT_MS = 5000, KEEPALIVE_S = 5 };

struct stream {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct tls *tls;             /* owned; NULL: in the clear */
    struct addr peer;
    struct wait *reader;         /* who waits for bytes, or for the connection */
    struct waitlist writers;     /* who waits for room */
    int status;                  /* libuv's code of what ended the connection; 0: it lives */
    bool connected, ended, reading, closing, put_failed, has_early;
    bool peeking;                /* bytes are only waited for: they stay in the kernel */
    char early;                  /* came with the end of the handshake */
    size_t queued;
    unsigned n_writes;           /* under way */
    size_t n_in, used_in;
    char in[READ_BYTES];
};

struct write {
    uv_write_t request;
    struct stream *stream;
    size_t n;
    char bytes[];
};

struct stream_listener {
    uv_tcp_t tcp;
    struct tls_server *tls;
    struct waitlist line;
    struct stream *pending[STREAM_MAX_PENDING];
    unsigned n_pending;
};

/* --- life ------------------------------------------------------------------------------------------------------------------------ */

static void free_if_over(struct stream *s)
{
    if (!s->closing || s->n_writes > 0 || s->tcp.data != NULL)
        return;
    tls_discard(s->tls);
    mem_free(s);
}

static void on_closed(uv_handle_t *h)
{
    struct stream *s = h->data;

    h->data = NULL;
    free_if_over(s);
}

static void wake_all(struct stream *s)
{
    if (s->reader != NULL)
        wait_wake(s->reader);
    waitlist_wake_all(&s->writers);
}

static void end(struct stream *s, int status)
{
    if (s->status == 0)
        s->status = status;
    if (s->reading)
        (void)uv_read_stop((uv_stream_t *)&s->tcp);
    s->reading = false;
    wake_all(s);
}

void stream_abort(struct stream *s)
{
    end(s, UV_ECANCELED);
}

static void close_now(struct stream *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->tcp))
        uv_close((uv_handle_t *)&s->tcp, on_closed);
}

void stream_close(struct stream *s)
{
    if (s == NULL)
        return;
    if (s->tls != NULL && s->status == 0 && tls_is_open(s->tls))
        tls_close(s->tls);
    s->closing = true;
    if (s->n_writes == 0 || s->status != 0)
        close_now(s);
}

static int lost(struct stream *s, struct err *e)
{
    char text[ADDR_TEXT_SIZE];

    (void)err_set(e, &ERR_STREAM_LOST, "%s", addr_text_port(&s->peer, text));
    return err_arg(e, "%s", s->status != 0 ? uv_strerror(s->status) : "the peer has closed it");
}

static int refused(struct stream *s, struct err *e)
{
    char text[ADDR_TEXT_SIZE];

    (void)err_set(e, &ERR_STREAM_TLS, "%s", addr_text_port(&s->peer, text));
    return err_arg(e, "%s", tls_reason(s->tls)[0] != '\0' ? tls_reason(s->tls) : "no reason given");
}

/* --- writing --------------------------------------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
    struct write *w = (struct write *)request;
    struct stream *s = w->stream;

    s->queued -= w->n;
    s->n_writes--;
    mem_free(w);
    if (status != 0)
        end(s, status);
    waitlist_wake_all(&s->writers);
    if (s->closing && s->n_writes == 0)
        close_now(s);
    free_if_over(s);
}

/* As far as the kernel takes it at once; the rest is copied and waits. */
static bool send_bytes(struct stream *s, const void *bytes, size_t n)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)n);
    int done = s->n_writes == 0 && s->status == 0 ? uv_try_write((uv_stream_t *)&s->tcp, &buf, 1) : 0;
    struct write *w;

    if (done < 0 && done != UV_EAGAIN)
        end(s, done);
    if (s->status != 0)
        return false;
    if (done < 0)
        done = 0;
    n -= (size_t)done;
    if (n == 0)
        return true;
    w = mem_alloc(sizeof *w + n);
    if (w == NULL)
        return false;
    w->stream = s;
    w->n = n;
    memcpy(w->bytes, (const char *)bytes + done, n);
    buf = uv_buf_init(w->bytes, (unsigned)n);
    if (uv_write(&w->request, (uv_stream_t *)&s->tcp, &buf, 1, on_written) != 0) {
        mem_free(w);
        return false;
    }
    s->queued += n;
    s->n_writes++;
    return true;
}

static bool put(void *data, const void *bytes, size_t n)
{
    struct stream *s = data;

    if (!send_bytes(s, bytes, n) && s->status == 0)
        s->put_failed = true;
    return s->status == 0 && !s->put_failed;
}

int stream_write(struct stream *s, const void *bytes, size_t n, struct err *e)
{
    int rv = 0;

    while (rv == 0 && s->status == 0 && s->queued > STREAM_MAX_QUEUED)
        rv = waitlist_wait(&s->writers, e);
    if (rv != 0)
        return rv;
    if (s->status != 0)
        return lost(s, e);
    if (s->tls != NULL ? tls_write(s->tls, bytes, n) : send_bytes(s, bytes, n))
        return 0;
    return s->status != 0 ? lost(s, e) : err_set(e, &ERR_NOMEM, "");
}

size_t stream_queued(const struct stream *s)
{
    return s->queued;
}

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *buf)
{
    struct stream *s = h->data;

    (void)wanted;
    *buf = uv_buf_init(s->in, s->peeking ? 0 : sizeof s->in); /* no room: libuv says UV_ENOBUFS, and reads nothing */
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = h->data;

    (void)buf;
    if (n == 0)
        return;
    (void)uv_read_stop(h);
    s->reading = false;
    if (s->peeking && n == UV_ENOBUFS) {
        s->peeking = false;
    } else if (n > 0) {
        s->n_in = (size_t)n;
        s->used_in = 0;
        if (s->tls != NULL)
            tls_feed(s->tls, s->in, s->n_in);
    } else if (n == UV_EOF) {
        s->ended = true;
    } else {
        end(s, (int)n);
    }
    if (s->reader != NULL)
        wait_wake(s->reader);
}

static int park(struct stream *s, struct err *e)
{
    struct wait w;
    int rv;

    wait_init(&w);
    s->reader = &w;
    rv = wait_for(&w, e);
    s->reader = NULL;
    return rv;
}

static void start_reading(struct stream *s)
{
    int code;

    if (s->status != 0 || s->ended || s->reading)
        return;
    code = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
    s->reading = code == 0;
    if (code != 0)
        end(s, code);
}

/* Waits until bytes came or none will. */
static int need_bytes(struct stream *s, struct err *e)
{
    int rv = 0;

    start_reading(s);
    s->n_in = s->used_in = 0;
    while (rv == 0 && s->status == 0 && !s->ended && s->n_in == 0)
        rv = park(s, e);
    return rv != 0 ? rv : s->status != 0 ? lost(s, e) : 0;
}

static void look(struct stream *s, char *byte)
{
    ssize_t n = -1;
    int fd;

    if (uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0)
        n = recv(fd, byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0)
        end(s, uv_translate_sys_error(errno));
    s->ended = n == 0;
}

int stream_peek(struct stream *s, char *byte, struct err *e)
{
    int rv = 0;

    s->peeking = true;
    start_reading(s);
    while (rv == 0 && s->status == 0 && s->peeking)
        rv = park(s, e);
    if (rv != 0)
        return rv;
    if (s->status == 0)
        look(s, byte);
    return s->status != 0 || s->ended ? lost(s, e) : 0;
}

static int read_tls(struct stream *s, void *buf, size_t size, size_t *n, struct err *e)
{
    for (;;) {
        int rv;

        switch (tls_read(s->tls, buf, size, n)) {
        case TLS_DATA:
            return 0;
        case TLS_CLOSED:
            *n = 0;
            return 0;
        case TLS_FAILED:
            return s->status != 0 ? lost(s, e) : refused(s, e);
        case TLS_MORE:
            break;
        }
        if (s->ended)
            return lost(s, e); /* without a good-bye */
        rv = need_bytes(s, e);
        if (rv != 0)
            return rv;
    }
}

int stream_read(struct stream *s, void *buf, size_t size, size_t *n, struct err *e)
{
    int rv = 0;

    if (s->has_early) {
        s->has_early = false;
        *(char *)buf = s->early;
        *n = 1;
        return 0;
    }
    if (s->tls != NULL)
        return read_tls(s, buf, size, n, e);
    if (s->used_in == s->n_in)
        rv = need_bytes(s, e);
    if (rv != 0)
        return rv;
    *n = s->n_in - s->used_in < size ? s->n_in - s->used_in : size;
    memcpy(buf, s->in + s->used_in, *n);
    s->used_in += *n;
    return 0;
}

int stream_read_all(struct stream *s, void *buf, size_t n, struct err *e)
{
    while (n > 0) {
        size_t got;
        int rv = stream_read(s, buf, n, &got, e);

        if (rv != 0)
            return rv;
        if (got == 0)
            return lost(s, e);
        buf = (char *)buf + got;
        n -= got;
    }
    return 0;
}

/* Reading drives the handshake; what may come with its end is kept. */
int stream_handshake(struct stream *s, struct err *e)
{
    while (s->tls != NULL && !tls_is_open(s->tls)) {
        size_t n;
        int rv;

        switch (tls_read(s->tls, &s->early, 1, &n)) {
        case TLS_DATA:
            s->has_early = true;
            return 0;
        case TLS_CLOSED:
            return lost(s, e);
        case TLS_FAILED:
            return s->status != 0 ? lost(s, e) : refused(s, e);
        case TLS_MORE:
            break;
        }
        if (tls_is_open(s->tls))
            return 0;
        if (s->ended)
            return lost(s, e);
        rv = need_bytes(s, e);
        if (rv != 0)
            return rv;
    }
    return 0;
}

const char *stream_peer_uri(const struct stream *s)
{
    return s->tls != NULL ? tls_peer_uri(s->tls) : "";
}

struct addr stream_peer(const struct stream *s)
{
    return s->peer;
}

/* --- beginning ------------------------------------------------------------------------------------------------------------------- */

static struct stream *stream_new(struct loop *l)
{
    struct stream *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return NULL;
    if (uv_tcp_init(loop_uv(l), &s->tcp) != 0) {
        mem_free(s);
        return NULL;
    }
    s->tcp.data = s;
    return s;
}

/* A peer whose host vanished is given up soon; what cannot be set only costs speed. */
static void tune(struct stream *s)
{
    int ms = USER_TIMEOUT_MS, fd;

    (void)uv_tcp_nodelay(&s->tcp, 1);
    (void)uv_tcp_keepalive(&s->tcp, 1, KEEPALIVE_S);
    if (uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct stream *s = (struct stream *)((char *)request - offsetof(struct stream, connect));

    if (status != 0 && s->tcp.data != NULL)
        end(s, status);
    s->connected = true;
    if (s->reader != NULL)
        wait_wake(s->reader);
}

int stream_secure(struct stream *s, struct tls_server *tls, bool client, struct err *e)
{
    s->tls = client ? tls_new_client(tls, put, s) : tls_new(tls, put, s);
    if (s->tls == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (s->used_in < s->n_in)
        tls_feed(s->tls, s->in + s->used_in, s->n_in - s->used_in);
    return 0;
}

int stream_detach(struct stream *s)
{
    int fd, copy = -1;

    if (uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0)
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    stream_close(s);
    return copy;
}

static int connected(struct stream *s, struct tls_server *tls, struct err *e)
{
    char text[ADDR_TEXT_SIZE];

    if (s->status == UV_ECONNREFUSED)
        return err_set(e, &ERR_STREAM_REFUSED, "%s", addr_text_port(&s->peer, text));
    if (s->status != 0)
        return lost(s, e);
    tune(s);
    return tls != NULL ? stream_secure(s, tls, true, e) : 0;
}

int stream_connect(const struct addr *to, struct tls_server *tls, struct stream **out, struct err *e)
{
    struct stream *s = stream_new(loop_current());
    struct sockaddr_storage address;
    int code, rv = 0;

    *out = NULL;
    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->peer = *to;
    (void)addr_to(to, to->port, &address);
    code = uv_tcp_connect(&s->connect, &s->tcp, (struct sockaddr *)&address, on_connected);
    if (code != 0)
        end(s, code);
    while (rv == 0 && s->status == 0 && !s->connected)
        rv = park(s, e);
    if (rv == 0)
        rv = connected(s, tls, e);
    if (rv != 0) {
        stream_close(s);
        return rv;
    }
    *out = s;
    return 0;
}

/* --- listening ------------------------------------------------------------------------------------------------------------------- */

static void take_peer(struct stream *s)
{
    struct sockaddr_storage address;
    int size = sizeof address;

    if (uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&address, &size) == 0)
        s->peer = addr_from((struct sockaddr *)&address);
}

static struct stream *take_pending(struct stream_listener *l)
{
    struct stream *first = l->pending[0];

    memmove(l->pending, l->pending + 1, --l->n_pending * sizeof *l->pending);
    return first;
}

static void on_connection(uv_stream_t *h, int status)
{
    struct stream_listener *l = h->data;
    struct stream *s = status == 0 ? stream_new(loop_current()) : NULL;

    if (s == NULL)
        return;
    if (uv_accept(h, (uv_stream_t *)&s->tcp) != 0) {
        stream_close(s);
        return;
    }
    if (l->n_pending == STREAM_MAX_PENDING)
        stream_close(take_pending(l));
    take_peer(s);
    tune(s);
    if (l->tls != NULL && stream_secure(s, l->tls, false, NULL) != 0) {
        stream_close(s);
        return;
    }
    l->pending[l->n_pending++] = s;
    (void)waitlist_wake_one(&l->line);
}

int stream_listen(struct loop *l, const struct addr *at, struct tls_server *tls, struct stream_listener **out, struct err *e)
{
    struct stream_listener *s = mem_zalloc(sizeof *s);
    struct sockaddr_storage address;
    char text[ADDR_TEXT_SIZE];
    int code;

    *out = NULL;
    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->tls = tls;
    (void)addr_to(at, at->port, &address);
    code = uv_tcp_init(loop_uv(l), &s->tcp);
    if (code != 0) {
        mem_free(s);
        return err_set(e, &ERR_IO, "no socket: %s", uv_strerror(code));
    }
    s->tcp.data = s;
    code = uv_tcp_bind(&s->tcp, (struct sockaddr *)&address, 0);
    if (code == 0)
        code = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
    if (code != 0) {
        stream_listener_close(s);
        return err_set(e, &ERR_IO, "cannot listen on %s: %s", addr_text_port(at, text), uv_strerror(code));
    }
    *out = s;
    return 0;
}

uint16_t stream_listener_port(const struct stream_listener *s)
{
    struct sockaddr_storage address;
    int size = sizeof address;

    return uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&address, &size) == 0 ? addr_from((struct sockaddr *)&address).port : 0;
}

int stream_accept(struct stream_listener *s, struct stream **out, struct err *e)
{
    int rv = 0;

    while (rv == 0 && s->n_pending == 0)
        rv = waitlist_wait(&s->line, e);
    if (rv != 0)
        return rv;
    *out = take_pending(s);
    return 0;
}

static void on_listener_closed(uv_handle_t *h)
{
    mem_free(h->data);
}

void stream_listener_close(struct stream_listener *s)
{
    if (s == NULL)
        return;
    while (s->n_pending > 0)
        stream_close(s->pending[--s->n_pending]);
    uv_close((uv_handle_t *)&s->tcp, on_listener_closed);
}

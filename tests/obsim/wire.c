/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/obsim/packet.h"

void wire_init(struct wire *w, int fd)
{
    int one = 1;

    *w = (struct wire){ .fd = fd, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (w->wake < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        abort();
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* a hint */
}

void wire_fini(struct wire *w, bool reset)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    if (reset)
        (void)setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* or it just ends */
    else if (w->tls != NULL)
        (void)SSL_shutdown(w->tls); /* a courtesy */
    SSL_free(w->tls);
    (void)close(w->fd);
    (void)close(w->wake);
}

void wire_hear(struct wire *w)
{
    (void)!read(w->wake, &(uint64_t){ 0 }, sizeof(uint64_t)); /* it may be empty already */
}

/* Until the socket is ready for `events`, or one of the reasons to stop. In the middle of a message only the end counts as one. */
static enum wire_read wait_for(struct wire *w, short events, bool is_inside)
{
    struct pollfd fds[] = { { .fd = w->fd, .events = events }, { .fd = w->wake, .events = POLLIN } };

    for (;;) {
        int n = poll(fds, 2, -1);

        if (n < 0 && errno != EINTR)
            return WIRE_GONE;
        if (n > 0 && fds[1].revents != 0 && (!is_inside || w->ends))
            return WIRE_WOKEN;
        if (n > 0 && fds[1].revents != 0)
            wire_hear(w);
        else if (n > 0)
            return (fds[0].revents & events) == 0 ? WIRE_GONE : WIRE_OK;
    }
}

void wire_wake(struct wire *w)
{
    (void)!write(w->wake, &(uint64_t){ 1 }, sizeof(uint64_t)); /* a full counter wakes as well */
}

enum wire_read wire_rest(struct wire *w, int timeout_ms)
{
    struct pollfd fds[] = { { .fd = w->fd, .events = POLLRDHUP }, { .fd = w->wake, .events = POLLIN } };
    int n = poll(fds, 2, timeout_ms);

    if (n <= 0)
        return WIRE_OK;
    return fds[1].revents != 0 ? WIRE_WOKEN : WIRE_GONE;
}

/* What a TLS call wants to go on; GONE: it failed. */
static enum wire_read wait_tls(struct wire *w, int rv, bool is_inside)
{
    switch (SSL_get_error(w->tls, rv)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(w, POLLIN, is_inside);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(w, POLLOUT, is_inside);
    default:
        ERR_clear_error();
        return WIRE_GONE;
    }
}

bool wire_start_tls(struct wire *w, SSL_CTX *ctx)
{
    int rv;

    w->tls = SSL_new(ctx);
    if (w->tls == NULL || SSL_set_fd(w->tls, w->fd) != 1)
        abort();
    while ((rv = SSL_accept(w->tls)) != 1)
        if (wait_tls(w, rv, true) != WIRE_OK)
            return false;
    return true;
}

/* Some bytes, at least one. */
static enum wire_read read_some(struct wire *w, char *to, size_t n, bool is_inside, size_t *got)
{
    for (;;) {
        enum wire_read how;

        if (w->tls != NULL) {
            int rv = SSL_read_ex(w->tls, to, n, got);

            if (rv == 1)
                return WIRE_OK;
            how = wait_tls(w, rv, is_inside);
        } else {
            ssize_t rv = recv(w->fd, to, n, 0);

            if (rv > 0) {
                *got = (size_t)rv;
                return WIRE_OK;
            }
            how = rv < 0 && (errno == EAGAIN || errno == EINTR) ? wait_for(w, POLLIN, is_inside) : WIRE_GONE;
        }
        if (how != WIRE_OK)
            return how;
    }
}

static enum wire_read read_all(struct wire *w, char *to, size_t n, bool is_inside)
{
    while (n > 0) {
        size_t got = 0;
        enum wire_read how = read_some(w, to, n, is_inside, &got);

        if (how != WIRE_OK)
            return how;
        to += got;
        n -= got;
        is_inside = true;
    }
    return WIRE_OK;
}

/* `n` bytes to the end of the payload, or nowhere once it is full. */
static enum wire_read read_payload(struct wire *w, size_t n, size_t limit, struct str *payload, bool *is_full)
{
    char piece[4096];

    *is_full = *is_full || payload->n + n > limit;
    while (n > 0) {
        size_t want = n < sizeof piece ? n : sizeof piece;
        enum wire_read how = read_all(w, piece, want, true);

        if (how != WIRE_OK)
            return how;
        if (!*is_full)
            str_add_n(payload, piece, want);
        n -= want;
    }
    return WIRE_OK;
}

enum wire_read wire_read(struct wire *w, size_t limit, struct str *payload)
{
    bool is_full = false, is_inside = false;
    unsigned char header[PACKET_HEADER];
    size_t n;

    str_clear(payload);
    do {
        enum wire_read how = read_all(w, (char *)header, sizeof header, is_inside);


        if (how != WIRE_OK)
            return how;
        is_inside = true;
        n = header[0] | (size_t)header[1] << 8 | (size_t)header[2] << 16;
        w->seq = (uint8_t)(header[3] + 1);
        how = read_payload(w, n, limit, payload, &is_full);
        if (how != WIRE_OK)
            return how;
    } while (n == PACKET_MAX);
    return is_full || str_failed(payload) ? WIRE_TOO_LARGE : WIRE_OK;
}

bool wire_write(struct wire *w, struct slice bytes)
{
    while (bytes.n > 0) {
        enum wire_read how = WIRE_OK;
        size_t sent = 0;

        if (w->tls != NULL) {
            int rv = SSL_write_ex(w->tls, bytes.s, bytes.n, &sent);

            how = rv == 1 ? WIRE_OK : wait_tls(w, rv, true);
        } else {
            ssize_t rv = send(w->fd, bytes.s, bytes.n, MSG_NOSIGNAL);

            sent = rv > 0 ? (size_t)rv : 0;
            if (rv < 0)
                how = errno == EAGAIN || errno == EINTR ? wait_for(w, POLLOUT, true) : WIRE_GONE;
        }
        if (how != WIRE_OK)
            return false;
        bytes.s += sent;
        bytes.n -= sent;
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - TCP connections for fibers, in the clear or with mutual TLS (tls.h): between nodes, and to agents. One fiber may read while
 * another writes. All waits end with the fiber's deadline. The process
 * ignores SIGPIPE. Loop thread only. */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "src/base/err.h"
#include "src/io/addr.h"

struct loop;
struct stream;
struct stream_listener;
struct tls_server;

enum {
    STREAM_MAX_QUEUED = 1 << 20,      /* bytes written and not taken by the kernel yet; stream_write waits above it */
    STREAM_MAX_PENDING = 64,          /* accepted and not asked for yet; when more come the eldest is closed */
};

ERR_DECLARE(ERR_STREAM_REFUSED);      /* {0} address: the host is there and no process listens: whoever did is dead */
ERR_DECLARE(ERR_STREAM_LOST);         /* {0} address, {1} why: the connection is over */
ERR_DECLARE(ERR_STREAM_TLS);          /* {0} address, {1} why: the peer is not one of ours, or says so of us */
extern const struct err_row *const stream_err_rows[];

/* `tls` NULL: in the clear; borrowed as long as streams of it live. Port 0: any. From the loop's thread before it runs, or a fiber.
 * Errors: IO, NOMEM. */
MUST_CHECK int stream_listen(struct loop *l, const struct addr *at, struct tls_server *tls, struct stream_listener **out, struct err *e);
/* The port that it listens on. */
uint16_t stream_listener_port(const struct stream_listener *s);
/* Waits for the next connection; the handshake is not done yet. Errors: TIMEOUT, CANCELLED. */
MUST_CHECK int stream_accept(struct stream_listener *s, struct stream **out, struct err *e);
/* Nobody may wait in stream_accept. NULL is fine. */
void stream_listener_close(struct stream_listener *s);

/* Connects; the handshake is not done yet. Errors: STREAM_REFUSED, STREAM_LOST, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int stream_connect(const struct addr *to, struct tls_server *tls, struct stream **out, struct err *e);
/* Waits for the peer's first byte and shows it without taking it. In the clear, before anything is read.
 * Errors: STREAM_LOST, TIMEOUT, CANCELLED. */
MUST_CHECK int stream_peek(struct stream *s, char *byte, struct err *e);
/* In the clear so far: TLS from the next byte on, as the side that greets (`client`) or the one that is greeted. Errors: NOMEM. */
MUST_CHECK int stream_secure(struct stream *s, struct tls_server *tls, bool client, struct err *e);
/* Closes the stream but not its socket, of which nothing that was only peeked at is missing: it is the caller's. -1: no descriptor is left. */
int stream_detach(struct stream *s);
/* Shakes hands; nothing to do in the clear. Then stream_peer_uri is known. Errors: STREAM_TLS, STREAM_LOST, TIMEOUT, CANCELLED. */
MUST_CHECK int stream_handshake(struct stream *s, struct err *e);
/* The first URI of the peer's certificate; "" in the clear. */
const char *stream_peer_uri(const struct stream *s);
struct addr stream_peer(const struct stream *s);

/* Waits for at least one byte; *n 0: the peer has ended its side in order. Errors: STREAM_LOST, STREAM_TLS, TIMEOUT, CANCELLED. */
MUST_CHECK int stream_read(struct stream *s, void *buf, size_t size, size_t *n, struct err *e);
/* Exactly n bytes; an end before that is STREAM_LOST. */
MUST_CHECK int stream_read_all(struct stream *s, void *buf, size_t n, struct err *e);
/* Hands the bytes to the kernel or queues them; waits only while more than STREAM_MAX_QUEUED are queued. Errors: STREAM_LOST, TIMEOUT,
 * CANCELLED, NOMEM. */
MUST_CHECK int stream_write(struct stream *s, const void *bytes, size_t n, struct err *e);
/* Bytes that the kernel has not taken yet. */
size_t stream_queued(const struct stream *s);

/* Ends both sides at once: reads and writes that wait end with STREAM_LOST. From any fiber of the loop. */
void stream_abort(struct stream *s);
/* Frees it, after what is queued was sent or has failed, in the background. No fiber may use it any more. NULL is fine. */
void stream_close(struct stream *s);

#endif

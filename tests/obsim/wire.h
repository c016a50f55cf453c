/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - a socket, with or without TLS, and the MySQL packets on it. Every wait ends when the peer goes away or `wake` is written to.
 * One thread at a time. */
#ifndef OBSIM_WIRE_H
#define OBSIM_WIRE_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/base/str.h"

struct wire {
    int fd;                           /* owned, non-blocking */
    int wake;                         /* owned: an eventfd */
    SSL *tls;                         /* owned, NULL: in the clear */
    uint8_t seq;                      /* of the next packet */
    _Atomic bool ends;                /* set before wire_wake: stop even in the middle of a message */
};

void wire_init(struct wire *w, int fd);
/* Closes; `reset`: the peer sees a reset, not an end. */
void wire_fini(struct wire *w, bool reset);
/* Begins TLS on the server's side. False: failed. */
bool wire_start_tls(struct wire *w, SSL_CTX *ctx);

enum wire_read { WIRE_OK, WIRE_TOO_LARGE, WIRE_GONE, WIRE_WOKEN };
/* Reads one message (which may be several packets) into `*payload`. TOO_LARGE: it was longer than `limit`, and was thrown away. */
enum wire_read wire_read(struct wire *w, size_t limit, struct str *payload);
/* Writes all of it. False: the peer is gone, or it has to end. */
bool wire_write(struct wire *w, struct slice bytes);
/* Ends a wait, from any thread, and forgets that it was ended. */
void wire_wake(struct wire *w);
void wire_hear(struct wire *w);
/* Waits up to `timeout_ms` (-1: for ever) for a wake or the end of the peer. */
enum wire_read wire_rest(struct wire *w, int timeout_ms);

#endif

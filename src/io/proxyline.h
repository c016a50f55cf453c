/* SPDX-License-Identifier: Apache-2.0 */
/* proxyline.h - the PROXY protocol, versions 1 and 2: a load balancer tells in front of the first byte whom it speaks for. Pure. */
#ifndef IO_PROXYLINE_H
#define IO_PROXYLINE_H

#include <stddef.h>

#include "src/io/addr.h"

enum { PROXYLINE_MAX = 4096 }; /* longest header accepted; version 1 has at most 107 bytes by its definition */

enum proxyline_result {
    PROXYLINE_DONE,      /* *used bytes are the header */
    PROXYLINE_MORE,      /* so far a good beginning */
    PROXYLINE_BROKEN     /* not a PROXY header */
};

/* Reads a header from the first `n` bytes of a connection. When DONE, `source` is the client; it is not `known` when the
 * balancer speaks for itself (health check: LOCAL, UNKNOWN) or for a client without an IP address. */
enum proxyline_result proxyline_parse(const void *bytes, size_t n, struct addr *source, size_t *used);

#endif

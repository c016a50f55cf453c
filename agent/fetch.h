/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - GET from another exporter on this host, over HTTP/1. From a fiber. */
#ifndef AGENT_FETCH_H
#define AGENT_FETCH_H

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/addr.h"

enum { FETCH_MAX_BYTES = 4 * 1024 * 1024 };

/* What a whole answer to a request of HTTP/1.0 says: *body lies in it. Pure. Errors: INVALID (no answer, another status than 200, or cut off). */
MUST_CHECK int fetch_read(struct slice answer, struct slice *body, struct err *e);
/* `body` lies in the arena. Errors: STREAM_REFUSED, STREAM_LOST, TIMEOUT, CANCELLED, INVALID, NOMEM. */
MUST_CHECK int fetch_get(const struct addr *at, const char *path, struct arena *arena, struct slice *body, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - calls of one node to another: HTTP/2 requests to its peer port with mutual TLS (hello.h: PEER_CALL). We show the certificate of
 * this node, and the other side must show the one of the node that is meant, whatever its address. Connections are kept. One caller per
 * loop, used by its fibers. */
#ifndef PEER_CALL_H
#define PEER_CALL_H

#include <stdbool.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"
#include "src/peer/hello.h"

struct loop;
struct peer_caller;

ERR_DECLARE(ERR_PEER_AWAY);  /* {0} node, {1} why: it was not reached, and nothing was asked */
ERR_DECLARE(ERR_PEER_LOST);  /* {0} node, {1} why: it did not answer, and may or may not have done what it was asked */
extern const struct err_row *const peer_call_err_rows[];

/* Texts are copied. */
struct peer_caller_conf {
    struct loop *loop;                        /* borrowed, outlives the caller */
    const char *authority, *certificate, *key; /* PEM files; read for each new connection, so that they may be replaced */
    uint8_t cluster[PEER_CLUSTER_BYTES];
};
/* On the loop's thread, or before it runs. Errors: NOMEM. */
MUST_CHECK int peer_caller_new(const struct peer_caller_conf *conf, struct peer_caller **out, struct err *e);
/* No call may be under way. The loop frees the rest when it runs next. NULL is fine. */
void peer_caller_free(struct peer_caller *p);

enum { PEER_CONNECT_MS = 1500, PEER_ANSWER_MAX = 16 * 1024 * 1024 };

/* Strings are borrowed until peer_call returns. */
struct peer_call {
    uint64_t node;               /* who is meant */
    const char *address;         /* of its peer port: "ip:port" */
    const char *method, *target; /* target NUL-terminated, as a client would send it */
    const char *const *headers;  /* "Name: value", ends with NULL; NULL: none */
    struct slice body;
    bool repeatable;             /* the same twice does no harm: a kept connection may be used that turns out to be dead */
};
struct peer_header {
    const char *name, *value;
};
/* In the arena. */
struct peer_answer {
    int status;
    struct slice body;           /* at most PEER_ANSWER_MAX bytes */
    const struct peer_header *headers;
    unsigned n_headers;
};
/* Any status is a success. The fiber's deadline and cancellation end it at once.
 * Errors: PEER_AWAY, PEER_LOST (also when the deadline came after it was sent), CANCELLED, NOMEM, IO (a file of ours). */
MUST_CHECK int peer_call(struct peer_caller *p, const struct peer_call *call, struct arena *arena, struct peer_answer *out, struct err *e);

#endif

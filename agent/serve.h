/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - what the files of pos_proxy share: the proxy itself, and how a call is answered. Loop thread only. */
#ifndef AGENT_SERVE_H
#define AGENT_SERVE_H

#include "agent/frame.h"
#include "src/io/http.h"
#include "src/proto/agent.h"

struct proxy {
    struct frame *frame;              /* borrowed */
    struct tls_server *tls;           /* owned */
    struct http_server *http;         /* owned */
    char incarnation[AGENT_ID_SIZE], boot[AGENT_ID_SIZE];
    int64_t epoch;                    /* floor */
};

/* One call under way. */
struct proxy_call {
    struct proxy *proxy;
    struct http_request *rq;
    struct slice rest;                /* of the path, behind the route's */
    bool from_server;                 /* a node of our OCP cluster; else the agent's own guard */
};
/* Reads the body as the table says into `obj`. Errors: REQUEST, INVALID, those of http_body_all. */
MUST_CHECK int proxy_read(struct proxy_call *c, const struct field *fields, void *obj, struct err *e);
/* Replies with status 200 and the object. */
MUST_CHECK int proxy_answer(struct proxy_call *c, const struct field *fields, const void *obj, struct err *e);
/* Serves every request of pos_proxy; `data` is the proxy. */
void proxy_serve(struct http_request *rq, void *data);

int proxy_hello(struct proxy_call *c, struct err *e);
int proxy_ping(struct proxy_call *c, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - what the files of pos_proxy share: the proxy itself, and how a call is answered. Loop thread only. */
#ifndef AGENT_SERVE_H
#define AGENT_SERVE_H

#include "agent/blobs.h"
#include "agent/commands.h"
#include "agent/frame.h"
#include "src/io/http.h"
#include "src/proto/agent.h"

struct proxy {
    struct frame *frame;              /* borrowed */
    struct tls_server *tls;           /* owned */
    struct http_server *http;         /* owned */
    struct ledger *ledger;            /* owned */
    struct journal *journal;          /* owned */
    struct work_pool *pool;           /* owned */
    struct commands commands;
    struct blobs blobs;
    char boot[AGENT_ID_SIZE];
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
/* The same from a text. Errors: REQUEST, INVALID, NOMEM. */
MUST_CHECK int proxy_parse(const char *text, const struct field *fields, void *obj, struct arena *arena, struct err *e);
/* Replies with status 200 and the object, as it is now, when all that was taken in so far is on the disk. */
MUST_CHECK int proxy_answer(struct proxy_call *c, const struct field *fields, const void *obj, struct err *e);
/* Serves every request of pos_proxy; `data` is the proxy. */
void proxy_serve(struct http_request *rq, void *data);

/* Is the caller to be heard? Raises the floor. Errors: AGENT_OTHER, those of ledger_hear. */
MUST_CHECK int proxy_hear(struct proxy *p, const char *ocp_id, const char *incarnation, int64_t epoch, struct err *e);

/* The calls; each answers by itself. Errors: the refusal. */
int proxy_hello(struct proxy_call *c, struct err *e);
int proxy_ping(struct proxy_call *c, struct err *e);
int proxy_metrics(struct proxy_call *c, struct err *e);
int proxy_command(struct proxy_call *c, struct err *e);
int proxy_query(struct proxy_call *c, struct err *e);
int proxy_fence(struct proxy_call *c, struct err *e);
int proxy_stop(struct proxy_call *c, struct err *e);
int proxy_acknowledge(struct proxy_call *c, struct err *e);
int proxy_output(struct proxy_call *c, struct err *e);
int proxy_blob_get(struct proxy_call *c, struct err *e);
int proxy_blob_put(struct proxy_call *c, struct err *e);
int proxy_status(struct proxy_call *c, struct err *e);
int proxy_certificate(struct proxy_call *c, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - one API request on its way through a handler. The frame has matched the route, found out who calls, checked the
 * permission and decoded path, query and body by the route's tables before the handler runs; the handler answers with one call_*
 * function and returns 0, or returns an error and the frame words the reply. Everything is allocated from c->arena. */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/route.h"
#include "src/io/http.h"
#include "src/store/db.h"

struct api;
struct api_route_stats;
struct principal;
struct scope;

enum { CALL_MAX_PARAMS = 4, CALL_MAX_HEADERS = 8, TRACE_SIZE = 17 };

struct call_page {
    int64_t number, size;     /* from 1; rows per page */
    const char *sort;         /* one of route->sort */
    bool descending;
};

struct call {
    struct http_request *rq;           /* borrowed */
    const struct route *route;
    struct api *api;                   /* object graph of this loop: api/api.h */
    struct arena *arena;               /* of the request */
    struct db *db;                     /* MetaDB of this loop */
    const struct principal *user;      /* NULL on public routes */
    struct field_style style;          /* language and time zone of the reply */
    const struct scope *scope;         /* objects the caller may see where the route says "?"; NULL: all. For the store's query */
    struct call_page page;             /* of REPLY_PAGED */
    const void *query;                 /* struct of route->query; NULL without */
    const void *body;                  /* struct of route->body, or struct field_list for ROUTE_BODY_ARRAY; NULL without */
    char trace[TRACE_SIZE];            /* 16 hex digits: traceId of reply, logs and tasks */
    /* what the audit says this call is about; the handler may set them (strings in the arena or for ever) */
    const char *object_kind, *object_name;
    int64_t object_id;
    const char *object_parent;         /* what it belongs to: a tenant's cluster; NULL: nothing */
    int64_t task_id;                   /* task that goes on with it; 0: none */
    /* private to the frame */
    struct {
        struct slice name, value;
    } params[CALL_MAX_PARAMS];
    unsigned n_params;
    struct slice raw_body;             /* body as it came, if it was wanted before it was decoded; s == NULL: not yet */
    json_t *json;                      /* body as it came */
    struct http_header headers[CALL_MAX_HEADERS]; /* of the reply, beside the frame's own */
    unsigned n_headers;
    struct api_route_stats *stats;     /* where the call is counted */
    struct str data;                   /* the reply's data, ready JSON */
    int64_t stale_s;                   /* age of the data, when they are old because MetaDB is away; -1: they are not */
    struct err error;
    int status;
};

/* Path parameters. call_id: of a parameter that matches digits; a value beyond int64 is never found (-1). */
int64_t call_id(const struct call *c, const char *name);
int64_t call_id_at(const struct call *c, unsigned i); /* of the i-th parameter */
const char *call_text(const struct call *c, const char *name); /* percent-decoded; "" if the route has no such parameter */

/* Whether the client says that it holds the body with this tag already, so that 304 is the answer (RFC 9110 13.1.2). */
bool call_holds(const struct call *c, struct slice etag);

/* The page as the store wants it. */
struct store_page;
struct store_page call_store_page(const struct call *c);

/* Adds a header to the reply that the frame sends, also when it is an error; `value` lies in the arena or lives for ever. */
void call_header(struct call *c, struct slice name, const char *value);

/* Replies; once, then return what they return. Objects are written at once, so they may live on the handler's stack. */
int call_object(struct call *c, const void *object, struct err *e);                        /* REPLY_OBJECT, REPLY_BARE */
int call_list(struct call *c, const void *items, size_t n, struct err *e);                 /* REPLY_LIST */
int call_paged(struct call *c, const void *items, size_t n, int64_t total, struct err *e); /* REPLY_PAGED: one page's items, and how many there are */
/* REPLY_PAGED from a list that is wholly in memory, already sorted: cuts out the page. */
int call_paged_all(struct call *c, const void *items, size_t n, struct err *e);
/* REPLY_OBJECT with ready JSON text as data. */
int call_json(struct call *c, const char *json, struct err *e);

#endif

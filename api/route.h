/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - an operation of the API is one row: everything about it (who may, what comes in, what goes out, what it is for) stands
 * there, and dispatch, authorisation, validation, OpenAPI, audit, metrics and the docs read it. Tables are const, one per file
 * api/<noun>.c, end with ROUTE_END, and are collected by src/server.c. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include <stdbool.h>

#include "src/base/field.h"

struct call;

enum route_reply {
    REPLY_NONE,    /* envelope without data */
    REPLY_OBJECT,  /* data = one object by `out` */
    REPLY_LIST,    /* data.contents = all objects by `out` */
    REPLY_PAGED,   /* the same with data.page; the query has page, size and sort */
    REPLY_BARE,    /* an object by `out` without envelope */
    REPLY_OWN,     /* the handler replies by itself (text, file, stream) through c->rq */
};

enum route_origin {
    ROUTE_DOCUMENTED, /* in OCP's published reference (contract endpoints.json) */
    ROUTE_ADDITIONAL, /* sent by public client programs (contract additional.json) */
    ROUTE_OWN,        /* ours */
};

enum route_flags {
    ROUTE_BODY_ARRAY = 1 << 0,     /* the body is a JSON array of objects by `body`: c->body is a struct field_list */
    ROUTE_BODY_OPTIONAL = 1 << 1,  /* no body at all is fine: c->body has its defaults then */
    ROUTE_BODY_RAW = 1 << 2,       /* the handler reads the body by itself */
    ROUTE_READ_ONLY = 1 << 3,      /* changes nothing although the method is not GET: not audited, allowed while a first password waits */
    ROUTE_ASYNC = 1 << 4,          /* starts work and returns a task */
    ROUTE_SLOW = 1 << 5,           /* may take up to 5 minutes instead of 30 s: streams, downloads */
    ROUTE_ANY_PASSWORD = 1 << 6,   /* allowed to a user whose first password must still be changed */
    ROUTE_QUERY_FIRST = 1 << 7,    /* body members may come as query parameters, which win */
    ROUTE_ANY_ADDRESS = 1 << 17,   /* also for clients that the address allow-list keeps out: health, metrics */
    ROUTE_SECRET_REPLY = 1 << 16,  /* the reply has a secret that is shown once: it is not kept for repetitions with the same idempotency key */
    ROUTE_LEADER = 1 << 9,         /* the leader answers: another node forwards the call to it (api/forward.h). Never with ROUTE_BODY_RAW */
    ROUTE_LEADER_FIRST = 1 << 12,  /* the same, and where no leader can be asked this node answers as well as it can. Reads only */
    ROUTE_NODES = 1 << 10,         /* for the other nodes alone, over the peer port: for everybody else there is nothing here */
    ROUTE_PROBE = 1 << 11,         /* answers OPTIONS as well, as it does HEAD: load balancers ask so */
    ROUTE_MONITORING = 1 << 8,     /* callers on the monitoring allow-list need no login */
};

/* Permissions that are no expression. */
#define PERM_PUBLIC "public"     /* no login */
#define PERM_LOGIN "login"       /* any user */
/* Others: expressions, in which "{id}" stands for the path parameter of that name: "CLUSTER:{id}:UPDATE"; "?" for any object, and the list
 * shows what the caller may see: "HOST:?:READ". See api/permit.h. */

struct route {
    const char *id;                 /* operation id; of the contract where it has one */
    const char *method;
    const char *path;               /* "{id}" and names that end in "Id" match digits; other parameters match one segment; "{sqlId:text}" */
    const char *permission;
    int (*handle)(struct call *c, struct err *e);
    enum route_reply reply;
    enum route_origin origin;
    unsigned flags;
    const struct field *query;      /* NULL: none */
    size_t query_size;
    const struct field *body;       /* NULL: none; what comes is ignored */
    size_t body_size;
    const struct field *out;        /* of REPLY_OBJECT, LIST, PAGED, BARE */
    size_t out_size;
    const char *const *sort;        /* REPLY_PAGED: member names that may be sorted by, NULL-terminated; the first is the default, descending */
    const char *tag;                /* chapter of the docs: "Hosts" */
    const char *doc;                /* what it does, one sentence */
};

/* Does it change anything, as far as the row tells? Then it is audited, and refused while MetaDB cannot vouch for the caller. */
bool route_is_change(const struct route *r);

#define ROUTE_END { .id = NULL }
/* A row does not compile without permission, handler and sentence: the permission and the sentence are literals that are not empty. */
#define ROUTE_TEXT(LITERAL) (&("" LITERAL)[0 * sizeof(char[sizeof("" LITERAL) > 1 ? 1 : -1])])
#define ROUTE(ID, METHOD, PATH, PERMISSION, HANDLE, REPLY, ORIGIN, DOC_TEXT, ...)                                                     \
    { .id = (ID), .method = (METHOD), .path = (PATH), .permission = ROUTE_TEXT(PERMISSION), .handle = (HANDLE), .reply = (REPLY), .origin = (ORIGIN), \
      .doc = ROUTE_TEXT(DOC_TEXT), ##__VA_ARGS__ }
#define ROUTE_QUERY(STRUCT, FIELDS) .query = (FIELDS), .query_size = sizeof(struct STRUCT)
#define ROUTE_BODY(STRUCT, FIELDS) .body = (FIELDS), .body_size = sizeof(struct STRUCT)
#define ROUTE_OUT(STRUCT, FIELDS) .out = (FIELDS), .out_size = sizeof(struct STRUCT)

#endif

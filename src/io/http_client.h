/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h - HTTP requests to others: one client per loop, called from its fibers, connections kept and shared.
 * HTTP/1.1, or HTTP/2 where TLS agrees on it. No redirects, no cookies, no proxy from the environment, TLS 1.2 at least.
 * The process must ignore SIGPIPE: OpenSSL writes to sockets that the other side may have closed. */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include <stdbool.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/loop.h"

struct http_client;

struct http_client_conf {
    struct loop *loop;           /* borrowed, outlives the client */
    const char *user_agent;      /* NULL: ocp-server/VERSION */
    unsigned max_connections;    /* in use at once, further requests wait in line; 0: 256 */
    unsigned max_per_host;       /* 0: 16 */
};

ERR_DECLARE(ERR_HTTP_CONNECT);   /* {0} host and port, {1} reason: name, connection or TLS failed; nothing was ever sent */
ERR_DECLARE(ERR_HTTP_LOST);      /* {0} host and port, {1} reason: the connection ended before the answer did */
ERR_DECLARE(ERR_HTTP_TOO_LARGE); /* {0} host and port, {1} bytes allowed */
extern const struct err_row *const http_client_err_rows[];

/* On the loop's thread, or before it runs. Errors: NOMEM. */
MUST_CHECK int http_client_new(const struct http_client_conf *conf, struct http_client **out, struct err *e);
/* No fetch may be under way. The loop frees the rest when it runs next. NULL is fine. */
void http_client_free(struct http_client *c);

/* A body that is not in memory. The callbacks run on the loop and may block: for programs that have nothing else to do. */
struct http_stream {
    int64_t bytes;                                        /* of an upload: how many `read` gives */
    size_t (*read)(void *data, char *to, size_t n);       /* 0: it failed before its end */
    bool (*rewind)(void *data);                           /* begins anew: the request is sent once more */
    bool (*write)(void *data, const char *bytes, size_t n); /* of a download; false: it cannot be taken */
    void *data;
};

/* All strings are borrowed until http_fetch returns. */
struct http_fetch {
    const char *method;              /* NULL: GET */
    const char *url;                 /* http:// or https:// */
    const char *const *headers;      /* "Name: value", ends with NULL; NULL: none */
    struct slice body;               /* sent with Content-Length unless the method is GET or HEAD and it is empty */
    const struct http_stream *upload;   /* the body instead of `body`; NULL: none. Ends after a minute without progress */
    const struct http_stream *download; /* takes the body of an answer with status 200, which has no limit then; NULL: it is read into memory */
    const char *user, *password;     /* Basic authentication; NULL: none */
    const char *tls_ca;              /* PEM file of the accepted authorities; NULL: the system's */
    const char *tls_uri;             /* with tls_ca: not the host's name counts, but this URI in the server's certificate; NULL: the name */
    bool tls_unverified;             /* take any certificate: for people who said so */
    const char *tls_cert, *tls_key;  /* PEM files shown to the server; NULL: none */
    bool http2;                      /* http:// only: speak HTTP/2 from the first byte */
    bool once;                       /* use a new connection: a request on a kept one that turns out dead is sent again */
    unsigned connect_timeout_ms;     /* of name, TCP and TLS; 0: 5000 */
    size_t max_body_bytes;           /* of the answer; 0: 1 MiB */
};

struct http_header {
    const char *name, *value;
};

/* Everything lies in the arena given to http_fetch. */
struct http_fetched {
    int status;
    struct slice body;               /* NUL-terminated */
    const struct http_header *headers;
    unsigned n_headers;
    bool is_http2;
};

/* Sends one request and reads the whole answer; any status is a success here. From a fiber: its deadline and cancellation end
 * the call at once. Errors: HTTP_CONNECT, HTTP_LOST, HTTP_TOO_LARGE, INVALID (URL), IO (a PEM file), NOMEM, TIMEOUT, CANCELLED. */
MUST_CHECK int http_fetch(struct http_client *c, const struct http_fetch *req, struct arena *arena, struct http_fetched *res,
                          struct err *e);

/* Value of the first header of that name, any letter case; NULL when it is absent. */
const char *http_fetched_header(const struct http_fetched *res, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - HTTP/1.1 and HTTP/2 server of one loop. Each request runs in a fiber of its own from the moment its header is
 * complete: serve(rq) is straight-line code that reads the body, works, and replies once. Several servers, one per loop,
 * share a port (SO_REUSEPORT). Loop thread only, unless it says "any thread".
 *
 * When the client goes away (connection lost, stream reset) the fiber is cancelled: its waits and the calls below answer
 * ERR_CANCELLED. Requests that break a rule or a limit never reach serve; the `refuse` callback words their reply. The process
 * ignores SIGPIPE. */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/log.h"
#include "src/base/str.h"
#include "src/io/addr.h"
#include "src/io/loop.h"
#include "src/io/tls.h"
#include "src/io/work.h"

struct http_server;

/* Rows of the refusals; row->http is the status. */
ERR_DECLARE(ERR_HTTP_MALFORMED);    /* 400 {0} what is wrong; the connection (h2: the stream) ends with it */
ERR_DECLARE(ERR_HTTP_SLOW);         /* 408 {0} what the client was too slow with */
ERR_DECLARE(ERR_HTTP_BODY_SIZE);    /* 413 {0} bytes allowed */
ERR_DECLARE(ERR_HTTP_TARGET_SIZE);  /* 414 {0} bytes allowed */
ERR_DECLARE(ERR_HTTP_EXPECTATION);  /* 417 {0} the Expect header's value */
ERR_DECLARE(ERR_HTTP_HEADER_SIZE);  /* 431 {0} limit */
ERR_DECLARE(ERR_HTTP_UNSUPPORTED);  /* 501 {0} method or transfer coding */
ERR_DECLARE(ERR_HTTP_VERSION);      /* 505 {0} version */
extern const struct err_row *const http_err_rows[]; /* all of them, then NULL; others that refuse gets: BUSY, NOMEM, UNEXPECTED */

enum http_version { HTTP_1_0, HTTP_1_1, HTTP_2 };

struct http_header {
    struct slice name;   /* lower case */
    struct slice value;  /* without surrounding blanks */
};

/* A request. Everything it shows is valid until serve returns, and read-only but for `data`. */
struct http_request {
    struct slice method;          /* "GET"; any token */
    struct slice target;          /* as the client sent it */
    struct slice path;            /* raw, begins with '/' (or is "*") */
    struct slice query;           /* raw, without '?'; s == NULL: there was none */
    struct slice authority;       /* Host or :authority; "" only in HTTP/1.0 */
    struct slice scheme;          /* "http" or "https": how it came to this server (X-Forwarded-Proto of a trusted proxy counts) */
    const struct http_header *headers;
    unsigned n_headers;
    enum http_version version;
    struct addr peer;             /* the other end of the connection; with the PROXY protocol what that says */
    struct addr client;           /* the true client: X-Forwarded-For followed through trusted proxies; from a node what that says */
    const char *peer_uri;         /* the caller is a node of ours: the URI of its certificate; NULL: anybody else */
    bool tls;                     /* encrypted on its last hop; what a node has passed on: on its way to that node */
    struct arena *arena;          /* lives until the reply is sent */
    int64_t started_ms;           /* header complete; the loop clock's milliseconds */
    struct http_server *server;
    void *data;                   /* the caller's; NULL at first */
};

/* Value of the first header `name` (lower case); s == NULL when there is none. */
struct slice http_header(const struct http_request *rq, const char *name);
/* Whether the comma-separated lists of all headers `name` hold `token` (any letter case, parameters after ';' ignored). */
bool http_header_has(const struct http_request *rq, const char *name, const char *token);

/* ---- body: from the request's fiber ------------------------------------------------------------------------------- */

/* Bytes announced by Content-Length; -1 when unknown (chunked, or HTTP/2 without it), 0 when there is no body. */
int64_t http_body_length(const struct http_request *rq);
/* Waits for the whole body, at most `limit` bytes, in rq->arena, NUL-terminated. A client that asked for "100 Continue" gets it
 * now; one that announced more than `limit` is refused without. Once per request; "" when there is no body.
 * Errors: HTTP_BODY_SIZE, HTTP_SLOW, HTTP_MALFORMED (broken framing), CANCELLED, TIMEOUT, NOMEM. */
MUST_CHECK int http_body_all(struct http_request *rq, size_t limit, struct slice *out, struct err *e);
/* Waits for some of the body: 1 to `size` bytes, or *n == 0 at its end. The client is slowed down to the pace of these calls.
 * Errors: as http_body_all (HTTP_BODY_SIZE by limits.body_bytes). */
MUST_CHECK int http_body_read(struct http_request *rq, void *buf, size_t size, size_t *n, struct err *e);
/* What is left unread when serve returns is thrown away up to a bound; beyond it the connection (h2: the stream) is closed. */

/* ---- reply: once per request, from the request's fiber; http_reply also from refuse -------------------------------- */

/* Sends a whole reply. Names (lower case) and values of `headers` and the body are not copied: they lie in rq->arena or live
 * for ever. content-length, date, server and connection are added here, content-encoding and vary when the body is
 * compressed; HEAD gets the same without body. Waits only to compress a large body, and only in a fiber.
 * Errors: CANCELLED (client gone), UNEXPECTED (second reply, or a header with line breaks), NOMEM. Ignoring them is fine. */
int http_reply(struct http_request *rq, int status, const struct http_header *headers, unsigned n_headers, struct slice body,
               struct err *e);
/* The same in three parts, for bodies that are made while they are sent: downloads, server-sent events. `length` is announced
 * if >= 0 and must then be kept. http_reply_write copies, and waits while the client is behind; everything written is sent at
 * the end of the loop's turn. Without http_reply_end the client sees a broken reply. Errors: CANCELLED, TIMEOUT, HTTP_SLOW (the client
 * reads too slowly), UNEXPECTED, NOMEM. After a failure only returning is left. */
MUST_CHECK int http_reply_begin(struct http_request *rq, int status, const struct http_header *headers, unsigned n_headers,
                                int64_t length, struct err *e);
MUST_CHECK int http_reply_write(struct http_request *rq, const void *bytes, size_t n, struct err *e);
MUST_CHECK int http_reply_end(struct http_request *rq, struct err *e);
/* Sends `size` bytes of the open file `fd` from its start; reads on the server's work pool. The file stays the caller's.
 * Errors: as http_reply_begin, IO (also when the file is shorter). */
MUST_CHECK int http_reply_file(struct http_request *rq, int status, const struct http_header *headers, unsigned n_headers, int fd,
                               uint64_t size, struct err *e);
/* Whether a reply was begun, and its status (0 before). */
int http_reply_status(const struct http_request *rq);

/* ---- server -------------------------------------------------------------------------------------------------------- */

/* Every field: 0 stands for the default named. */
struct http_limits {
    unsigned connections;             /* of this server; 10 000 */
    unsigned connections_per_client;  /* from one address, trusted proxies excepted; 2 000 */
    unsigned header_bytes;            /* request line and headers together; 32 KiB */
    unsigned headers;                 /* 100 */
    unsigned target_bytes;            /* 8 KiB */
    uint64_t body_bytes;              /* 64 GiB; routes set lower ones by http_body_all */
    unsigned discard_bytes;           /* of a body nobody read, before the connection is closed; 1 MiB */
    unsigned pipelined_bytes;         /* HTTP/1.1: read ahead of the request in progress; 16 KiB */
    unsigned handshake_ms;            /* TLS and PROXY header together; 10 s */
    unsigned header_ms;               /* from a header's first byte to its last; 10 s */
    unsigned body_ms;                 /* without a byte of the body while it is waited for; 30 s */
    unsigned write_ms;                /* without the client taking a byte; 30 s */
    unsigned min_rate;                /* bytes a second, body or reply, averaged after body_ms / write_ms; 200 */
    unsigned idle_ms;                 /* between requests; 75 s */
    unsigned linger_ms;               /* after a refusal, for the client to read it; 2 s */
    unsigned streams;                 /* HTTP/2: at once, per connection; 128 */
    unsigned stream_window;           /* HTTP/2: bytes of a body taken in ahead of its reader; 256 KiB */
    unsigned connection_window;       /* HTTP/2: the same for all streams of a connection; 1 MiB */
    unsigned resets;                  /* HTTP/2: reset streams at a burst; 200; half of it comes back each second */
    unsigned control_frames;          /* HTTP/2: PING, SETTINGS, empty DATA and the like at a burst; 1 000; as above */
};

/* How a request ended, for logs and metrics. */
struct http_outcome {
    int status;              /* of the reply; 0: none was sent */
    uint64_t received_bytes; /* of the body */
    uint64_t sent_bytes;     /* of the body */
    bool complete;           /* the whole reply was handed to the kernel */
};

struct http_conf {
    struct loop *loop;                     /* borrowed, outlives the server; its clock and log are used */
    const struct http_limits *limits;      /* copied; NULL: defaults */
    const struct cidr_list *trusted;       /* borrowed, outlives the server: proxies whose word counts; NULL: none */
    struct work_pool *pool;                /* borrowed: reads files, compresses large bodies; NULL: done on the loop */
    const char *name;                      /* borrowed: Server header; NULL: none */
    void (*serve)(struct http_request *rq, void *data);  /* in a fiber; ends with a reply, or the client gets 500 */
    /* Replies (http_reply, without waiting) to a request that never reaches serve. NULL: a plain text. The request may be
     * incomplete: method and path are "" as far as they are unknown. */
    void (*refuse)(struct http_request *rq, const struct err *why, void *data);
    /* Optional; once per request, after serve returned and the reply ended; on the loop, must not wait. */
    void (*finished)(struct http_request *rq, const struct http_outcome *outcome, void *data);
    void *data;
};

struct http_listen {
    const char *address;        /* "0.0.0.0", "::1"; an IPv6 address does not take IPv4 clients */
    unsigned port;              /* 0: the kernel chooses */
    struct tls_server *tls;     /* borrowed, outlives the server; NULL: cleartext. Wants ALPN "h2,http/1.1" */
    bool nodes;                 /* nodes of ours call here: `tls` demands their certificates (tls_conf.client_ca); they become peer_uri */
    bool proxy_protocol;        /* peers in `trusted` begin with a PROXY header, version 1 or 2; others must not */
};

/* Makes a server that listens nowhere yet. Errors: NOMEM. */
MUST_CHECK int http_server_new(const struct http_conf *conf, struct http_server **out, struct err *e);
/* Listens; may be called several times. `port` (may be NULL) gets the actual one. Errors: INVALID (address), IO (port taken), NOMEM. */
MUST_CHECK int http_server_listen(struct http_server *s, const struct http_listen *at, unsigned *port, struct err *e);
/* Serves a connected stream socket, which it takes also on failure. `at` says how (its address and port are ignored). */
MUST_CHECK int http_server_adopt(struct http_server *s, int fd, const struct http_listen *at, struct err *e);
/* Accepts nobody any more, tells every client (GOAWAY, Connection: close), and waits until the last connection has ended
 * by itself. From a fiber. Errors: TIMEOUT, CANCELLED: some are left. */
MUST_CHECK int http_server_drain(struct http_server *s, struct err *e);
/* Closes everything at once and cancels the requests; not from one of them. Memory goes when the last fiber has returned and
 * the loop has run (or is freed). NULL is fine. */
void http_server_free(struct http_server *s);

struct http_stats {
    uint64_t accepted[2];             /* connections: cleartext, TLS */
    uint64_t protocol[2];             /* connections that turned out to speak HTTP/1, HTTP/2 */
    uint64_t requests[3];             /* by enum http_version */
    uint64_t received_bytes, sent_bytes; /* on the wire */
    uint64_t resets;                  /* streams reset and connections lost with a request under way */
    uint64_t refused_connections;     /* by the limits on connections */
    uint64_t refused[8];              /* requests by reason: 400, 408, 413, 414, 417, 431, 501 or 505, 503 */
    uint64_t floods;                  /* connections ended by GOAWAY(ENHANCE_YOUR_CALM) */
    uint64_t handshakes_failed;       /* TLS and PROXY header */
    unsigned connections, idle;       /* now; of these without a request */
    unsigned in_flight;               /* requests now */
};
/* Any thread; values are of one recent moment each. */
struct http_stats http_server_stats(const struct http_server *s);

#endif

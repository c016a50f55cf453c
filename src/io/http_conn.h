/* SPDX-License-Identifier: Apache-2.0 */
/* http_conn.h - what the files of the HTTP server share: server, connection, exchange. Private to src/io/http*.c.
 *
 *   http_server.c    listens, limits connections, sweeps for deadlines, drains
 *   http_conn.c      one connection: PROXY header, TLS, which protocol, reading, gathered writing, closing
 *   http1.c, http2.c the two protocols, behind struct http_proto
 *   http_exchange.c  one request and its reply: its fiber, its limits, its end
 *   http_body.c      the public calls that read a body;  http_reply.c: those that reply
 *
 * Turns. Everything happens in a turn of the loop: a read callback, a write callback, the sweep, or fibers that the loop runs. A
 * connection is settled at the end of each turn that touched it: output is produced, written with one call, and only there
 * may the connection be closed. Code further in (protocol callbacks, fibers) sets marks and calls http_conn_touch. */
#ifndef IO_HTTP_CONN_H
#define IO_HTTP_CONN_H

#include <stdatomic.h>

#include <llhttp.h>
#include <nghttp2/nghttp2.h>
#include <uthash.h>
#include <uv.h>

#include "src/io/fiber.h"
#include "src/io/http.h"
#include "src/io/http1_scan.h"
#include "src/io/http_chain.h"

struct http_conn;
struct http_exchange;
struct http_encoder;

enum {
    HTTP_READ_BYTES = 64 * 1024,  /* the loop's read buffer */
    HTTP_OUT_HIGH = 64 * 1024,    /* no more output is produced above it */
    HTTP_TURN_BYTES = 256 * 1024, /* written by one connection before others get a turn */
    HTTP_QUEUE_HIGH = 64 * 1024,  /* of a streamed reply, or of an HTTP/1 body that nobody reads yet */
};

/* Counters that other threads read. */
struct http_counters {
    _Atomic uint64_t accepted[2], protocol[2], requests[3], received_bytes, sent_bytes, resets, refused_connections, refused[8],
        floods, handshakes_failed;
    _Atomic unsigned connections, idle, in_flight;
};
#define HTTP_ADD(COUNTER, N) \
    atomic_store_explicit(&(COUNTER), atomic_load_explicit(&(COUNTER), memory_order_relaxed) + (N), memory_order_relaxed)

struct http_listener {
    uv_tcp_t tcp;
    struct http_server *server;
    struct http_listen at;
    struct http_listener *next;
};

struct http_peer {              /* connections of one address */
    uint8_t ip[16];
    unsigned n;
    UT_hash_handle hh;
};

enum http_server_state { HTTP_OPEN, HTTP_DRAINING, HTTP_CLOSED };

struct http_server {
    struct http_conf conf;
    struct http_limits limits;     /* every field set */
    enum http_server_state state;
    struct loop_hook hook;
    uv_timer_t sweep;              /* runs while there are connections */
    unsigned sweep_ms;
    struct http_listener *listeners; /* owned */
    struct http_conn *conns;       /* owned, those not closed yet */
    struct http_conn *dirty;       /* to be settled at the end of the turn */
    unsigned n_conns, n_refused;   /* of n_conns: those above the limit, told so */
    unsigned n_handles;            /* libuv handles not closed yet */
    unsigned n_exchanges;
    struct http_peer *clients;   /* owned, hash by address */
    struct waitlist drained;
    struct http_pool blocks;
    struct http_exchange *spare;   /* owned, freed exchanges */
    unsigned n_spare;
    struct http_encoder *encoder;  /* owned; NULL until needed */
    nghttp2_session_callbacks *h2_callbacks; /* owned */
    nghttp2_option *h2_option;     /* owned */
    void *reserve;                 /* owned; given back to the heap when memory is out */
    int64_t now_ms, date_ms;       /* this turn; when `date` was made */
    char date[CLOCK_TEXT_SIZE];
    struct http_counters count;
    char inbox[HTTP_READ_BYTES];   /* read buffer of all connections */
    char plain[HTTP_BLOCK_BYTES];  /* decrypted bytes of all connections */
};

/* What a protocol does for its connection and its exchanges. */
struct http_proto {
    /* Takes input; returns how many bytes it used up. The rest is kept and offered again, with more behind it. */
    size_t (*input)(struct http_conn *c, const char *bytes, size_t n);
    /* Produces output while http_conn_has_room. */
    void (*fill)(struct http_conn *c);
    void (*eof)(struct http_conn *c);      /* the client sends no more */
    void (*drain)(struct http_conn *c);    /* tell the client to go elsewhere */
    void (*sweep)(struct http_conn *c);    /* look for what is overdue */
    void (*expire)(struct http_conn *c);   /* c->deadline_ms has passed */
    void (*fini)(struct http_conn *c);     /* lets go of every exchange */

    int (*head)(struct http_exchange *x, const struct http_header *headers, unsigned n, int64_t length, struct err *e);
    void (*more)(struct http_exchange *x); /* more of the reply, or its end, is there */
    void (*ask)(struct http_exchange *x);  /* the body is wanted: 100 Continue */
    void (*took)(struct http_exchange *x, size_t n); /* so much of the body was read */
    void (*served)(struct http_exchange *x); /* serve returned; the exchange may be over */
};
extern const struct http_proto http1_proto, http2_proto;

struct http1 {
    llhttp_t parser;
    struct http_exchange *x;        /* the request in progress */
    struct http1_head head;
    struct http1_chunks chunks;
    uint64_t left;                  /* of a body with Content-Length */
    enum { H1_HEAD, H1_BODY, H1_REPLY, H1_DEAF } state; /* DEAF: input is thrown away until the connection closes */
    struct slice name, value;       /* of the header being parsed */
    bool keep_alive, chunked_reply, complete;
};

struct http2 {
    nghttp2_session *session;       /* owned */
    struct http_exchange *incoming; /* whose header block is arriving */
    double resets, control;         /* what is left of the bursts */
    int64_t refilled_ms;
    unsigned n_continuations;
    int64_t goaway_ms;              /* when the final GOAWAY of a drain is due; 0: none */
    bool calm;                      /* ended for flooding */
};

struct http_conn {
    uv_tcp_t tcp;
    uv_write_t write;
    struct http_server *server;
    struct http_conn *next, *prev;
    struct http_conn *next_dirty;
    const struct http_proto *proto;  /* NULL until known */
    union {
        struct http1 h1;
        struct http2 h2;
    };
    struct http_exchange *exchanges;
    unsigned n_exchanges;
    struct tls *tls;                 /* owned; NULL: cleartext */
    struct http_chain out, plain;    /* to the socket; to be encrypted */
    struct str held;                 /* input that could not be used yet */
    struct addr peer;
    struct tls_server *tls_server;   /* borrowed; until the session is made */
    struct http_peer *client;      /* borrowed: whose connections it counts among; NULL: nobody's */
    int64_t deadline_ms;             /* INT64_MAX: none */
    int64_t write_began_ms, write_moved_ms;
    size_t write_n, write_left;      /* of the write under way */
    bool wants_proxy, refused, counted_idle;
    bool from_node;                  /* its certificate says which */
    bool in_turn, dirty;             /* will be settled */
    bool reading, writing, paused;   /* paused: the protocol takes no input now */
    bool doomed;                     /* close now */
    bool ending;                     /* close when everything is written */
    bool lingering, eof, closed;
};

struct http_exchange {
    struct http_request rq;          /* first: a request is the head of its exchange */
    struct arena arena;
    struct http_server *server;
    struct http_conn *conn;          /* NULL once the connection or stream is gone */
    struct http_exchange *next, *prev; /* of the connection; `next` also of the spares */
    struct fiber *fiber;             /* NULL before and after serve */
    struct http_header *headers;     /* rq.headers, growing */
    unsigned headers_space;
    size_t header_bytes;
    const struct err_row *limit;     /* a limit its header broke */
    bool started, attached, refused; /* attached: the protocol still knows it */

    struct http_chain body;          /* received, not read */
    int64_t length;                  /* announced; -1: unknown */
    uint64_t received, discarded;
    bool body_end, expects, asked, discards;
    const char *body_fault;          /* the framing broke: why */
    bool slow;                       /* the client was too slow with its body, or with reading the reply */
    struct wait *reader;
    int64_t waited_ms;               /* for the client, by the reader */

    int status;                      /* of the reply begun; 0: none */
    bool bodyless, ended;            /* HEAD, 204, 304; nothing more will be written */
    int64_t announced;               /* length of the reply; -1: unknown */
    uint64_t written, sent;
    struct slice rest;               /* of a one-shot body */
    struct http_chain queue;         /* of a streamed body */
    struct wait *writer;
    int64_t moved_ms;                /* when the client last took something of it */
    bool complete;                   /* the protocol has put all of it into the output */

    int32_t stream;                  /* HTTP/2 */
    bool deferred;                   /* its data provider waits for more */
    int64_t blocked_ms;              /* for how long the client has left the reply waiting */
    struct slice host;               /* Host header; authority holds :authority meanwhile */
    unsigned n_cookies;
    char status_text[4], length_text[24];
};

/* ---- http_server.c */
/* Sets now_ms and the date. */
void http_server_look(struct http_server *s);
/* Frees the server when it is closed and nothing of it is left. */
void http_server_unref(struct http_server *s);
/* A connection appears; disappears. */
void http_server_enrol(struct http_conn *c);
void http_server_strike(struct http_conn *c);
/* Counts it among those of its client, once that is known. */
void http_server_count_client(struct http_conn *c);
/* It is one too many: it will be told so, or closed at once. */
void http_server_refuse_conn(struct http_conn *c);

/* ---- http_conn.c */
/* Takes a handle that was initialised, with a socket in it. */
void http_conn_begin(struct http_conn *c, const struct http_listen *at);
/* The connection will be settled at the end of the turn. */
void http_conn_touch(struct http_conn *c);
/* Ends a turn that began with c->in_turn = true. The connection may be gone afterwards. */
void http_conn_settle(struct http_conn *c);
/* Closes now; only from the end of a turn or from http_server_free. */
void http_conn_close(struct http_conn *c);
/* Appends output; when memory is out the connection is doomed. */
void http_conn_put(struct http_conn *c, const void *bytes, size_t n);
bool http_conn_has_room(const struct http_conn *c);
void http_conn_deadline(struct http_conn *c, unsigned ms);
void http_conn_sweep(struct http_conn *c);
void http_conn_set_idle(struct http_conn *c, bool idle);

/* ---- http_exchange.c */
/* A new exchange, attached to the connection. NULL when memory is out. */
struct http_exchange *http_exchange_new(struct http_conn *c, enum http_version version);
/* False when memory is out. Over a limit the header is not stored, and x->limit set. */
bool http_exchange_header(struct http_exchange *x, struct slice name, struct slice value);
/* The header is complete: checks it, then serves or refuses. */
void http_exchange_start(struct http_exchange *x);
/* Replies by conf.refuse, unless a reply was begun. `fmt` as in err_set. */
void http_exchange_refuse(struct http_exchange *x, const struct err_row *row, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The protocol lets go of it: it is freed now, or when serve returns, which is cancelled unless its reply is out. */
void http_exchange_detach(struct http_exchange *x);
/* Stores bytes of the body. False when memory is out. */
bool http_exchange_body(struct http_exchange *x, const char *bytes, size_t n);
/* The body has ended; `fault` if not well (literal). */
void http_exchange_body_end(struct http_exchange *x, const char *fault);
/* Moves up to `most` bytes of the reply's body to the connection's output; returns how many. */
size_t http_exchange_pull(struct http_exchange *x, size_t most);
size_t http_exchange_pending(const struct http_exchange *x);
/* Whether all of the reply has been pulled. */
bool http_exchange_is_drained(const struct http_exchange *x);

/* ---- http_reply.c */
/* Replies with the English sentence. Errors as http_reply. */
int http_reply_plain(struct http_request *rq, const struct err *why);

/* ---- http1.c, http2.c */
void http1_begin(struct http_conn *c);
/* False when memory is out: the connection is doomed. */
bool http2_begin(struct http_conn *c);
/* What all HTTP/2 sessions share. False when memory is out. */
bool http2_server_init(struct http_server *s);

#endif

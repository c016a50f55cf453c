/* SPDX-License-Identifier: Apache-2.0 */
/* http1_scan.h - the strict reader of HTTP/1 framing that every byte passes before llhttp sees it. Versions of llhttp differ in
 * what they let through (bare LF, blanks before a colon, odd chunk sizes); a request is served only when both agree, so the
 * strictness is the same everywhere. Pure. */
#ifndef IO_HTTP1_SCAN_H
#define IO_HTTP1_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/str.h"

enum http1_result {
    HTTP1_MORE,         /* well so far, not at the end */
    HTTP1_DONE,
    HTTP1_MALFORMED,    /* `reason` says why */
    HTTP1_TARGET_SIZE,
    HTTP1_HEADER_SIZE,
    HTTP1_HEADER_COUNT,
    HTTP1_UNSUPPORTED,  /* transfer coding */
    HTTP1_VERSION
};

/* A request's head: request line, headers, empty line. Zero it, set the limits, scan. */
struct http1_head {
    size_t max_bytes, max_target;
    unsigned max_headers;

    const char *reason;            /* literal; set with MALFORMED and UNSUPPORTED */
    size_t line;                   /* offset of the line that is not complete yet */
    size_t searched;               /* offset up to which there is no line end */
    size_t begin;                  /* offset of the request line */
    size_t method_n, target_at, target_n;
    unsigned n_headers;
    unsigned minor;                /* of HTTP/1.x */
    bool has_request_line, has_host, has_length, chunked;
    uint64_t length;               /* Content-Length */
};

/* Goes on where the last call stopped; `p` begins with the head's first byte each time. DONE: *used is the head's length. */
enum http1_result http1_head_scan(struct http1_head *h, const char *p, size_t n, size_t *used);

/* A chunked body: sizes, extensions, data, trailers. Zero it, set the limits, scan. */
struct http1_chunks {
    size_t max_trailer_bytes;

    const char *reason;
    int state;
    uint64_t left;                 /* of the chunk's data */
    unsigned digits;               /* of the present size */
    size_t n_line, n_trailer;      /* bytes of the present size line; of all trailers */
};

/* Looks at the next bytes of the body. *used is how many belong to it: all of them with MORE; up to its end with DONE. */
enum http1_result http1_chunks_scan(struct http1_chunks *c, const char *p, size_t n, size_t *used);

/* Whether `host` may stand in a Host header or an authority: host or address, optional port, nothing else; not empty. */
bool http_host_is_valid(struct slice host);
/* Whether every byte may stand in a request target: printable ASCII without blanks, '#' excepted. */
bool http_target_is_valid(struct slice target);
bool http_token_is_valid(struct slice token);
/* Whether a header's value holds no control character but the tab. */
bool http_value_is_valid(struct slice value);

#endif

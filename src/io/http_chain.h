/* SPDX-License-Identifier: Apache-2.0 */
/* http_chain.h - bytes on their way, in blocks that never move, so that a write under way may point into them.
 * Full-sized blocks come from and go back to a pool of the loop. Private to the HTTP server. */
#ifndef IO_HTTP_CHAIN_H
#define IO_HTTP_CHAIN_H

#include <stdint.h>

#include <uv.h>

#include "src/base/mem.h"

enum { HTTP_BLOCK_BYTES = 16 * 1024, HTTP_POOLED_BLOCKS = 64 };

struct http_block {
    struct http_block *next;
    uint32_t from, to, space;  /* bytes [from, to) of `space` are queued */
    char bytes[];
};

struct http_pool {
    struct http_block *free;   /* owned; all of HTTP_BLOCK_BYTES */
    unsigned n_free;
};
void http_pool_fini(struct http_pool *p);

struct http_chain {
    struct http_block *first, *last; /* owned */
    size_t n;                        /* bytes queued */
};

/* Appends a copy; false when memory is out (some of it may have been appended). `small`: blocks as large as needed instead of
 * full-sized ones, for what may wait long. */
MUST_CHECK bool http_chain_put(struct http_chain *c, struct http_pool *p, const void *bytes, size_t n, bool small);
/* Removes up to `size` bytes into `buf`; returns how many. */
size_t http_chain_take(struct http_chain *c, struct http_pool *p, void *buf, size_t size);
/* Removes up to `n` bytes. */
void http_chain_drop(struct http_chain *c, struct http_pool *p, size_t n);
/* The first bytes, contiguous; *n == 0 when empty. */
const char *http_chain_peek(const struct http_chain *c, size_t *n);
/* Points up to `most` buffers at the queued bytes; returns how many, and how many bytes that is. */
unsigned http_chain_buffers(const struct http_chain *c, uv_buf_t *buf, unsigned most, size_t *n_bytes);

#endif

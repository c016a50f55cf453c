/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/http_chain.h"

#include <string.h>

enum { SMALL_MIN = 1024 };

static struct http_block *take_block(struct http_pool *p, uint32_t space)
{
    struct http_block *b;

    if (space == HTTP_BLOCK_BYTES && p->free != NULL) {
        b = p->free;
        p->free = b->next;
        p->n_free--;
    } else {
        b = mem_alloc(sizeof *b + space);
    }
    if (b == NULL)
        return NULL;
    b->next = NULL;
    b->from = b->to = 0;
    b->space = space;
    return b;
}

static void give_block(struct http_pool *p, struct http_block *b)
{
    if (b->space != HTTP_BLOCK_BYTES || p->n_free >= HTTP_POOLED_BLOCKS) {
        mem_free(b);
        return;
    }
    b->next = p->free;
    p->free = b;
    p->n_free++;
}

void http_pool_fini(struct http_pool *p)
{
    while (p->free != NULL) {
        struct http_block *b = p->free;

        p->free = b->next;
        mem_free(b);
    }
    p->n_free = 0;
}

static struct http_block *extend(struct http_chain *c, struct http_pool *p, size_t n, bool small)
{
    uint32_t space = HTTP_BLOCK_BYTES;
    struct http_block *b;

    if (small && n < HTTP_BLOCK_BYTES)
        space = n > SMALL_MIN ? (uint32_t)n : SMALL_MIN;
    b = take_block(p, space);
    if (b == NULL)
        return NULL;
    if (c->last != NULL)
        c->last->next = b;
    else
        c->first = b;
    c->last = b;
    return b;
}

bool http_chain_put(struct http_chain *c, struct http_pool *p, const void *bytes, size_t n, bool small)
{
    const char *from = bytes;

    while (n > 0) {
        struct http_block *b = c->last;
        size_t room;

        if (b == NULL || b->to == b->space)
            b = extend(c, p, n, small);
        if (b == NULL)
            return false;
        room = b->space - b->to;
        room = room < n ? room : n;
        memcpy(b->bytes + b->to, from, room);
        b->to += (uint32_t)room;
        c->n += room;
        from += room;
        n -= room;
    }
    return true;
}

static void advance(struct http_chain *c, struct http_pool *p, size_t n)
{
    struct http_block *b = c->first;

    b->from += (uint32_t)n;
    c->n -= n;
    if (b->from < b->to)
        return;
    c->first = b->next;
    if (c->first == NULL)
        c->last = NULL;
    give_block(p, b);
}

const char *http_chain_peek(const struct http_chain *c, size_t *n)
{
    *n = c->first != NULL ? c->first->to - c->first->from : 0;
    return c->first != NULL ? c->first->bytes + c->first->from : NULL;
}

size_t http_chain_take(struct http_chain *c, struct http_pool *p, void *buf, size_t size)
{
    size_t taken = 0, n;
    const char *from;

    while (taken < size && (from = http_chain_peek(c, &n)) != NULL) {
        n = n < size - taken ? n : size - taken;
        memcpy((char *)buf + taken, from, n);
        advance(c, p, n);
        taken += n;
    }
    return taken;
}

void http_chain_drop(struct http_chain *c, struct http_pool *p, size_t n)
{
    size_t here;

    while (n > 0 && http_chain_peek(c, &here) != NULL) {
        here = here < n ? here : n;
        advance(c, p, here);
        n -= here;
    }
}

unsigned http_chain_buffers(const struct http_chain *c, uv_buf_t *buf, unsigned most, size_t *n_bytes)
{
    unsigned n = 0;

    *n_bytes = 0;
    for (struct http_block *b = c->first; b != NULL && n < most; b = b->next) {
        buf[n++] = uv_buf_init(b->bytes + b->from, b->to - b->from);
        *n_bytes += b->to - b->from;
    }
    return n;
}

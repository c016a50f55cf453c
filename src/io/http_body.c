/* SPDX-License-Identifier: Apache-2.0 */
/* The body's reader is the request's fiber. What it waits for is the client's doing, so that time is limited here: no byte for
 * body_ms, or after that a rate below min_rate, ends the body. */
#include <string.h>

#include "src/io/http_conn.h"

enum { FIRST_SPACE = 16 * 1024, TRUSTED_SPACE = 256 * 1024 };

#define EXCHANGE(RQ) ((struct http_exchange *)(RQ))

int64_t http_body_length(const struct http_request *rq)
{
    const struct http_exchange *x = (const struct http_exchange *)rq;

    return x->length >= 0 ? x->length : x->body_end && x->received == 0 ? 0 : -1;
}

static int too_slow(struct http_exchange *x, struct err *e)
{
    x->slow = true;
    return err_set(e, &ERR_HTTP_SLOW, "the request body, %llu bytes so far", (unsigned long long)x->received);
}

static bool is_crawling(const struct http_exchange *x)
{
    const struct http_limits *l = &x->server->limits;

    return x->waited_ms >= l->body_ms && (int64_t)x->received < x->waited_ms * l->min_rate / 1000;
}

/* Waits until there is some of the body, its end, or a reason to give up. */
static int wait_for_body(struct http_exchange *x, struct err *e)
{
    int64_t former = fiber_narrow_deadline(x->server->limits.body_ms);
    bool own = fiber_deadline() < former;
    int64_t began = loop_now_ms(x->server->conf.loop);
    struct wait w;
    int rv;

    wait_init(&w);
    x->reader = &w;
    rv = wait_for(&w, e);
    x->reader = NULL;
    fiber_restore_deadline(former);
    x->waited_ms += loop_now_ms(x->server->conf.loop) - began;
    if ((rv == ERR_TIMEOUT.code && own) || (rv == 0 && is_crawling(x)))
        return too_slow(x, e);
    return rv;
}

/* 0 when there is something to take or the body is at its end. */
static int await(struct http_exchange *x, struct err *e)
{
    int rv = 0;

    if (x->conn != NULL && !x->asked) {
        x->asked = true;
        x->conn->proto->ask(x);
    }
    while (rv == 0) {
        if (x->body.n > 0)
            return 0;
        if (x->body_fault != NULL)
            return err_set(e, &ERR_HTTP_MALFORMED, "%s", x->body_fault);
        if (x->body_end)
            return 0;
        if (x->conn == NULL)
            return err_set(e, &ERR_CANCELLED, "");
        rv = wait_for_body(x, e);
    }
    return rv;
}

static int take(struct http_exchange *x, void *buf, size_t size, size_t *n, struct err *e)
{
    int rv = await(x, e);

    if (rv != 0)
        return rv;
    *n = http_chain_take(&x->body, &x->server->blocks, buf, size);
    if (*n > 0 && x->conn != NULL)
        x->conn->proto->took(x, *n);
    return 0;
}

int http_body_read(struct http_request *rq, void *buf, size_t size, size_t *n, struct err *e)
{
    struct http_exchange *x = EXCHANGE(rq);
    uint64_t limit = x->server->limits.body_bytes;

    if (x->received > limit)
        return err_set(e, &ERR_HTTP_BODY_SIZE, "%llu", (unsigned long long)limit);
    return take(x, buf, size, n, e);
}

static int too_large(size_t limit, struct err *e)
{
    return err_set(e, &ERR_HTTP_BODY_SIZE, "%zu", limit);
}

static size_t first_space(const struct http_exchange *x, size_t limit)
{
    size_t space = x->length >= 0 ? (size_t)x->length : x->body_end ? x->body.n : FIRST_SPACE;

    space = space < TRUSTED_SPACE ? space : TRUSTED_SPACE; /* an announcement costs the client nothing */
    return space < limit ? space : limit;
}

int http_body_all(struct http_request *rq, size_t limit, struct slice *out, struct err *e)
{
    struct http_exchange *x = EXCHANGE(rq);
    struct str t;
    size_t n;
    int rv;

    if (x->length > 0 && (uint64_t)x->length > limit)
        return too_large(limit, e);
    str_init(&t, rq->arena);
    for (char *to = str_reserve(&t, first_space(x, limit)); to != NULL; to = str_reserve(&t, 1)) {
        size_t room = t.space - t.n - 1;

        room = room < limit - t.n + 1 ? room : limit - t.n + 1;
        rv = take(x, to, room, &n, e);
        if (rv != 0)
            return rv;
        t.n += n;
        if (t.n > limit)
            return too_large(limit, e);
        if (n > 0)
            continue;
        t.s[t.n] = '\0';
        *out = (struct slice){ t.s, t.n };
        return 0;
    }
    return err_set(e, &ERR_NOMEM, "");
}

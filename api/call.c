/* SPDX-License-Identifier: Apache-2.0 */
/* The reply's text is built in c->data from its first byte: '{"data":' + data; the frame (serve.c) adds the rest of the envelope. */
#include "api/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/list.h"

int64_t call_id_at(const struct call *c, unsigned i)
{
    int64_t v;

    errno = 0;
    v = strtoll(c->params[i].value.s, NULL, 10); /* NUL-terminated digits: the router saw to it */
    return errno == 0 ? v : -1;
}

int64_t call_id(const struct call *c, const char *name)
{
    for (unsigned i = 0; i < c->n_params; i++)
        if (slice_is(c->params[i].name, name))
            return call_id_at(c, i);
    return -1;
}

const char *call_text(const struct call *c, const char *name)
{
    for (unsigned i = 0; i < c->n_params; i++)
        if (slice_is(c->params[i].name, name))
            return c->params[i].value.s;
    return "";
}

/* A weak comparison, and any of several tags may match. */
static struct slice opaque(struct slice etag)
{
    return slice_starts(etag, "W/") ? (struct slice){ etag.s + 2, etag.n - 2 } : etag;
}

bool call_holds(const struct call *c, struct slice etag)
{
    struct slice rest = http_header(c->rq, "if-none-match"), ours = opaque(etag);

    while (rest.n > 0) {
        struct slice one = opaque(slice_trim(slice_cut(&rest, ',')));

        if ((one.n == ours.n && memcmp(one.s, ours.s, ours.n) == 0) || slice_is(one, "*"))
            return true;
    }
    return false;
}

struct store_page call_store_page(const struct call *c)
{
    return (struct store_page){ c->page.number, c->page.size, c->page.sort, c->page.descending };
}

void call_header(struct call *c, struct slice name, const char *value)
{
    if (c->n_headers < CALL_MAX_HEADERS && value != NULL)
        c->headers[c->n_headers++] = (struct http_header){ name, { value, strlen(value) } };
}

static int done(struct call *c, struct err *e)
{
    return str_failed(&c->data) ? err_set(e, &ERR_NOMEM, "") : 0;
}

static void begin(struct call *c)
{
    if (c->route->reply != REPLY_BARE)
        str_add_n(&c->data, "{\"data\":", 8);
}

int call_object(struct call *c, const void *object, struct err *e)
{
    begin(c);
    fields_write(&c->data, c->route->out, object, &c->style);
    return done(c, e);
}

static void add_contents(struct call *c, const void *items, size_t n)
{
    begin(c);
    str_add(&c->data, "{\"contents\":[");
    for (size_t i = 0; i < n; i++) {
        json_add_comma(&c->data);
        fields_write(&c->data, c->route->out, (const char *)items + i * c->route->out_size, &c->style);
    }
    str_add_c(&c->data, ']');
}

int call_list(struct call *c, const void *items, size_t n, struct err *e)
{
    add_contents(c, items, n);
    str_add_c(&c->data, '}');
    return done(c, e);
}

int call_paged(struct call *c, const void *items, size_t n, int64_t total, struct err *e)
{
    add_contents(c, items, n);
    str_printf(&c->data, ",\"page\":{\"number\":%lld,\"size\":%lld,\"totalElements\":%lld,\"totalPages\":%lld}}", (long long)c->page.number,
               (long long)c->page.size, (long long)total, (long long)((total + c->page.size - 1) / c->page.size));
    return done(c, e);
}

int call_paged_all(struct call *c, const void *items, size_t n, struct err *e)
{
    size_t size = (size_t)c->page.size;
    size_t skip = (size_t)(c->page.number - 1) < n / size + 1 ? (size_t)(c->page.number - 1) * size : n;
    size_t left = n > skip ? n - skip : 0;

    return call_paged(c, (const char *)items + (left > 0 ? skip * c->route->out_size : 0), left < size ? left : size, (int64_t)n, e);
}

int call_json(struct call *c, const char *json, struct err *e)
{
    begin(c);
    str_add(&c->data, json);
    return done(c, e);
}

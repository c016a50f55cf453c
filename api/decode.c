/* SPDX-License-Identifier: Apache-2.0 */
#include "api/decode.h"

#include <string.h>

#include "api/query.h"

ERR_DEFINE(ERR_SORT, 1011, 400, ERR_FINAL, "Sorting by {0} is not possible here. Sort by one of: {1}.", "此处不支持按 {0} 排序，可用字段：{1}。");

struct page_query {
    int64_t page, size;
    const char *sort;
};

static const struct field page_fields[] = {
    F_INT(page_query, page, "page", .min = 1, .max = 1000000000, .def = "1", DOC("Page to return, from 1.")),
    F_INT(page_query, size, "size", .min = 1, .max = 2000, .def = "10", DOC("Rows per page.")),
    F_STRING(page_query, sort, "sort", .max = 128, .alias = "order", DOC("Member to sort by and direction, like name,asc.")),
    FIELD_END,
};

int decode_params(struct call *c, const struct route_match *m, struct err *e)
{
    int rv;

    for (unsigned i = 0; i < m->n_params; i++) {
        c->params[i].name = m->names[i];
        rv = query_decode(m->values[i], false, c->arena, &c->params[i].value, e);
        if (rv != 0)
            return rv;
    }
    c->n_params = m->n_params;
    return 0;
}

static const char *sortable(const struct route *route, struct slice name)
{
    for (const char *const *s = route->sort; s != NULL && *s != NULL; s++)
        if (slice_is(name, *s))
            return *s;
    return NULL;
}

static int bad_sort(const struct call *c, struct slice name, struct err *e)
{
    struct str allowed;

    str_init(&allowed, c->arena);
    for (const char *const *s = c->route->sort; s != NULL && *s != NULL; s++)
        str_printf(&allowed, "%s%s", allowed.n > 0 ? ", " : "", *s);
    (void)err_set(e, &ERR_SORT, "%.*s", SLICE_FMT(name));
    return err_arg(e, "%s", str_c(&allowed));
}

/* "field,asc", "field", and the "asc,field" of two documented pages. */
static int read_sort(struct call *c, const char *text, struct err *e)
{
    struct slice rest = { text, strlen(text) };
    struct slice first = slice_trim(slice_cut(&rest, ','));
    struct slice second = slice_trim(rest);

    if (slice_is_nocase(first, "asc") || slice_is_nocase(first, "desc")) {
        struct slice swap = first;

        first = second;
        second = swap;
    }
    c->page.sort = sortable(c->route, first);
    c->page.descending = slice_is_nocase(second, "desc");
    if (c->page.sort == NULL)
        return bad_sort(c, first, e);
    if (second.n > 0 && !c->page.descending && !slice_is_nocase(second, "asc"))
        return err_set(e, &ERR_INVALID, "sort: the direction must be asc or desc");
    return 0;
}

static int decode_page(struct call *c, struct err *e)
{
    struct page_query q;
    int rv = fields_init(page_fields, &q, c->arena, e);

    if (rv == 0)
        rv = query_read(c->rq->query, page_fields, &q, c->arena, e);
    if (rv != 0)
        return rv;
    c->page = (struct call_page){ q.page, q.size, c->route->sort != NULL ? c->route->sort[0] : NULL, true };
    return q.sort != NULL ? read_sort(c, q.sort, e) : 0;
}

int decode_query(struct call *c, struct err *e)
{
    void *query;
    int rv = c->route->reply == REPLY_PAGED ? decode_page(c, e) : 0;

    if (rv != 0 || c->route->query == NULL)
        return rv;
    query = arena_zalloc(c->arena, c->route->query_size);
    if (query == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = fields_init(c->route->query, query, c->arena, e);
    if (rv == 0)
        rv = query_read(c->rq->query, c->route->query, query, c->arena, e);
    if (rv == 0)
        rv = fields_check_required(c->route->query, query, e);
    c->query = query;
    return rv;
}

/* curl calls everything it sends a form unless told otherwise: what looks like JSON is JSON. */
static bool is_form(const struct http_request *rq, struct slice text)
{
    return slice_starts(http_header(rq, "content-type"), "application/x-www-form-urlencoded") && text.s[0] != '{' && text.s[0] != '[';
}

/* The body's members may also be a form, or query parameters where the route says so. */
static int read_flat(struct call *c, struct slice form, void *body, struct err *e)
{
    int rv = fields_init(c->route->body, body, c->arena, e);

    if (rv == 0)
        rv = query_read(form, c->route->body, body, c->arena, e);
    if (rv == 0 && (c->route->flags & ROUTE_QUERY_FIRST) != 0)
        rv = query_read(c->rq->query, c->route->body, body, c->arena, e);
    return rv == 0 ? fields_check_required(c->route->body, body, e) : rv;
}

static int read_array(struct call *c, struct err *e)
{
    struct field list = { .name = "body", .type = FIELD_LIST, .fields = c->route->body, .size = c->route->body_size };
    struct field wrapped[2] = { list, FIELD_END };
    struct field_list *items = arena_zalloc(c->arena, sizeof *items);
    json_t *holder = json_pack("{s:O}", "body", c->json);
    int rv;

    if (items == NULL || holder == NULL) {
        json_decref(holder);
        return err_set(e, &ERR_NOMEM, "");
    }
    c->body = items;
    rv = fields_read(wrapped, holder, items, c->arena, e);
    json_decref(holder);
    return rv;
}

static int read_json(struct call *c, struct slice text, struct err *e)
{
    void *body;
    int rv = json_parse(text, &c->json, e);

    if (rv != 0)
        return rv;
    if ((c->route->flags & ROUTE_BODY_ARRAY) != 0)
        return read_array(c, e);
    body = arena_zalloc(c->arena, c->route->body_size);
    if (body == NULL)
        return err_set(e, &ERR_NOMEM, "");
    c->body = body;
    return fields_read(c->route->body, c->json, body, c->arena, e);
}

int decode_raw_body(struct call *c, struct slice *out, struct err *e)
{
    int rv = c->raw_body.s == NULL ? http_body_all(c->rq, DECODE_BODY_MAX, &c->raw_body, e) : 0;

    *out = c->raw_body;
    return rv;
}

int decode_body(struct call *c, struct err *e)
{
    struct slice text;
    void *body;
    int rv;

    if (c->route->body == NULL || (c->route->flags & ROUTE_BODY_RAW) != 0)
        return 0;
    rv = decode_raw_body(c, &text, e);
    if (rv != 0)
        return rv;
    text = slice_trim(text);
    if (text.n > 0 && !is_form(c->rq, text))
        return read_json(c, text, e);
    if (text.n == 0 && (c->route->flags & (ROUTE_BODY_OPTIONAL | ROUTE_QUERY_FIRST)) == 0)
        return err_set(e, &ERR_REQUEST, "a JSON body is needed");
    if ((c->route->flags & ROUTE_BODY_ARRAY) != 0)
        return err_set(e, &ERR_REQUEST, "a JSON array is needed as body");
    body = arena_zalloc(c->arena, c->route->body_size);
    if (body == NULL)
        return err_set(e, &ERR_NOMEM, "");
    c->body = body;
    return read_flat(c, text, body, e);
}

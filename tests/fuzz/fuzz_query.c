/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a request target to the router and the query reader. Decoding never reads or writes beyond its text, holds no NUL, and what was
 * read into a struct can be written as JSON that is JSON. */
#include <stdlib.h>
#include <string.h>

#include "api/query.h"
#include "api/router.h"
#include "src/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

struct query {
    const char *name;
    int64_t size, from_us;
    double ratio;
    int is_open, colour;
    struct field_strings tags;
    struct field_ints ids;
};

static const char *const colours[] = { "RED", "BLUE", NULL };

static const struct field fields[] = {
    F_STRING(query, name, "name", .max = 64),
    F_INT(query, size, "size", .min = 1, .max = 2000, .def = "10"),
    F_TIME(query, from_us, "from"),
    F_DOUBLE(query, ratio, "ratio"),
    F_BOOL(query, is_open, "open"),
    F_ENUM(query, colour, "colour", colours, .flags = FIELD_ANY_CASE),
    F_STRINGS(query, tags, "tags"),
    F_INTS(query, ids, "ids", .alias = "idList"),
    FIELD_END,
};

static int nothing(struct call *c, struct err *e)
{
    (void)c;
    (void)e;
    return 0;
}

#define ROW(ID, PATH) ROUTE(ID, "GET", PATH, PERM_LOGIN, nothing, REPLY_NONE, ROUTE_OWN, "Does nothing.")
static const struct route rows[] = {
    ROW("a", "/a"), ROW("b", "/a/{id}"), ROW("c", "/a/stats"), ROW("d", "/a/{id}/b/{name}"), ROW("e", "/a/b/{name}/{sqlId:text}"), ROUTE_END,
};
static const struct route *const tables[] = { rows, NULL };

static void check_path(const struct router *r, struct slice path, struct arena *a)
{
    struct route_match m;
    struct slice value;

    router_find(r, SLICE("GET"), path, &m);
    for (unsigned i = 0; m.route != NULL && i < m.n_params; i++) {
        MUST(m.values[i].s >= path.s && m.values[i].s + m.values[i].n <= path.s + path.n);
        if (query_decode(m.values[i], false, a, &value, NULL) == 0)
            MUST(value.n <= m.values[i].n && strlen(value.s) == value.n);
    }
}

static void check_query(struct slice text, struct arena *a)
{
    const struct field_style style = { ERR_EN, CLOCK_Z };
    struct query q;
    struct str t;
    json_t *json;
    struct err e;

    MUST(fields_init(fields, &q, a, &e) == 0);
    if (query_read(text, fields, &q, a, &e) != 0)
        return;
    MUST(q.size >= 1 && q.size <= 2000);
    MUST(q.name == NULL || strlen(q.name) <= 64);
    str_init(&t, a);
    fields_write(&t, fields, &q, &style);
    MUST(json_parse((struct slice){ t.s, t.n }, &json, &e) == 0);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = { (const char *)data, size };
    struct slice path = slice_cut(&rest, '?');
    struct router *r;
    struct arena a;

    arena_init(&a);
    MUST(router_new(tables, &r, NULL) == 0);
    check_path(r, path, &a);
    check_query(rest, &a);
    router_free(r);
    arena_fini(&a);
    return 0;
}

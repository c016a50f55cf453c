/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "api/openapi.h"
#include "api/query.h"
#include "api/router.h"

static int nothing(struct call *c, struct err *e)
{
    (void)c;
    (void)e;
    return 0;
}

struct thing {
    int64_t id;
    const char *name, *secret;
};

static const struct field thing_fields[] = {
    F_INT(thing, id, "id", DOC("Number.")),
    F_STRING(thing, name, "name", .flags = FIELD_REQUIRED, .max = 8, DOC("Name.")),
    F_STRING(thing, secret, "secret", .flags = FIELD_SECRET),
    FIELD_END,
};
static const char *const thing_sort[] = { "id", "name", NULL };

#define ROW(ID, METHOD, PATH) ROUTE(ID, METHOD, PATH, PERM_LOGIN, nothing, REPLY_NONE, ROUTE_OWN, "Does nothing.")

static const struct route first[] = {
    ROUTE("list", "GET", "/a/clusters", PERM_LOGIN, nothing, REPLY_PAGED, ROUTE_OWN, "Lists.", ROUTE_OUT(thing, thing_fields),
          .sort = thing_sort),
    ROUTE("create", "POST", "/a/clusters", PERM_LOGIN, nothing, REPLY_OBJECT, ROUTE_OWN, "Creates.", ROUTE_BODY(thing, thing_fields),
          ROUTE_OUT(thing, thing_fields)),
    ROW("get", "GET", "/a/clusters/{id}"),
    ROW("zone", "GET", "/a/clusters/{clusterId}/zones/{zoneName}"),
    ROW("stats", "GET", "/a/clusters/stats"),
    ROUTE_END,
};
static const struct route second[] = {
    ROW("verb", "POST", "/a/clusters/{id}/takeOver"),
    ROW("text", "GET", "/a/clusters/{id}/sqls/{sqlId:text}/text"),
    ROW("user", "GET", "/a/users/{username}"),
    ROW("users-special", "GET", "/a/users/{id}/roles"),
    ROW("users-slash", "GET", "/a/users/"),
    ROW("root", "GET", "/"),
    ROUTE_END,
};
static const struct route *const tables[] = { first, second, NULL };

static void expect(const struct router *r, const char *method, const char *path, const char *id, struct route_match *m)
{
    router_find(r, (struct slice){ method, strlen(method) }, (struct slice){ path, strlen(path) }, m);
    if (id == NULL) {
        assert_null(m->route);
    } else {
        assert_non_null(m->route);
        assert_string_equal(m->route->id, id);
    }
}

static void test_paths_find_their_routes(void **state)
{
    struct route_match m;
    struct router *r;
    struct err e;

    (void)state;
    assert_ok(router_new(tables, &r, &e), &e);
    assert_int_equal(router_count(r), 11);
    expect(r, "GET", "/", "root", &m);
    expect(r, "GET", "/a/clusters", "list", &m);
    expect(r, "HEAD", "/a/clusters", "list", &m);
    expect(r, "GET", "/a/clusters/stats", "stats", &m);
    expect(r, "GET", "/a/clusters/17", "get", &m);
    assert_true(slice_is(m.names[0], "id"));
    assert_true(slice_is(m.values[0], "17"));
    expect(r, "GET", "/a/clusters/17/zones/z%201", "zone", &m);
    assert_int_equal(m.n_params, 2);
    assert_true(slice_is(m.values[1], "z%201"));
    expect(r, "GET", "/a/clusters/1/sqls/abc/text", "text", &m);
    assert_true(slice_is(m.names[1], "sqlId"));
    expect(r, "GET", "/a/users/bob", "user", &m);
    expect(r, "GET", "/a/users/", "users-slash", &m);
    expect(r, "GET", "/a/users/7", "user", &m);
    expect(r, "GET", "/a/users/7/roles", "users-special", &m);
    router_free(r);
}

static void test_other_paths_and_methods_do_not(void **state)
{
    static const char *const paths[] = { "",      "a",           "/a",          "/a/",       "/a/clusters/",  "/a/clusters/x", "/a/clusters/1x",
                                         "//",    "/a//clusters", "/a/clusters/1/", "/a/clusters/1/zones", "/a/clusters/1/zones/", "/a/users",
                                         "/a/clusters/1/zones/z/more", "/../a/clusters", "/a/users/bob/roles", "/A/clusters" };
    struct route_match m;
    struct router *r;
    struct err e;

    (void)state;
    assert_ok(router_new(tables, &r, &e), &e);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        expect(r, "GET", paths[i], NULL, &m);
        assert_false(m.path_known);
    }
    expect(r, "DELETE", "/a/clusters", NULL, &m);
    assert_true(m.path_known);
    assert_string_equal(m.allow, "GET, HEAD, POST");
    router_free(r);
}

static void test_one_path_is_declared_once(void **state)
{
    static const struct route again[] = { ROW("other", "GET", "/a/clusters/{clusterId}"), ROUTE_END };
    static const struct route *const both[] = { first, again, NULL };
    struct router *r;
    struct err e;

    (void)state;
    assert_err(router_new(both, &r, &e), &e, ERR_UNEXPECTED);
}

static int builds(void *data)
{
    struct router *r;
    struct err e;
    int rv = router_new(tables, &r, &e);

    (void)data;
    if (rv == 0)
        router_free(r);
    return rv;
}

static void test_building_survives_failing_memory(void **state)
{
    (void)state;
    test_oom_sweep(builds, NULL);
}

static void test_openapi_is_json_with_every_route(void **state)
{
    struct router *r;
    struct str t;
    struct err e;
    json_t *j, *op;
    char *text;

    (void)state;
    str_init(&t, NULL);
    assert_ok(router_new(tables, &r, &e), &e);
    openapi_write(&t, r, "1.2.3");
    assert_ok(json_parse((struct slice){ t.s, t.n }, &j, &e), &e);
    assert_int_equal(json_object_size(json_object_get(j, "paths")), 10);
    op = json_object_get(json_object_get(json_object_get(j, "paths"), "/a/clusters"), "post");
    assert_string_equal(json_string_value(json_object_get(op, "operationId")), "create");
    text = json_dumps(json_object_get(op, "responses"), 0);
    assert_non_null(text);
    assert_null(strstr(text, "secret"));
    mem_free(text);
    assert_non_null(json_object_get(json_object_get(json_object_get(j, "paths"), "/a/clusters/{id}/sqls/{sqlId}/text"), "get"));
    json_decref(j);
    str_clear(&t);
    routes_dump(&t, r);
    assert_ok(json_parse((struct slice){ t.s, t.n }, &j, &e), &e);
    assert_int_equal(json_array_size(j), 11);
    json_decref(j);
    str_fini(&t);
    router_free(r);
}

static void test_queries_are_decoded(void **state)
{
    struct thing thing = { .id = FIELD_NONE };
    struct slice out;
    struct arena a;
    struct err e;

    (void)state;
    arena_init(&a);
    assert_ok(query_decode(SLICE("a%20b+c%2Fd"), true, &a, &out, &e), &e);
    assert_true(slice_is(out, "a b c/d"));
    assert_ok(query_decode(SLICE("a+b"), false, &a, &out, &e), &e);
    assert_true(slice_is(out, "a+b"));
    assert_err(query_decode(SLICE("%"), false, &a, &out, &e), &e, ERR_REQUEST);
    assert_err(query_decode(SLICE("%4"), false, &a, &out, &e), &e, ERR_REQUEST);
    assert_err(query_decode(SLICE("%zz"), false, &a, &out, &e), &e, ERR_REQUEST);
    assert_err(query_decode(SLICE("a%00"), false, &a, &out, &e), &e, ERR_REQUEST);
    assert_ok(query_read(SLICE("&&id=5&unknown=%41&name=&name=x%20y&novalue"), thing_fields, &thing, &a, &e), &e);
    assert_int_equal(thing.id, 5);
    assert_string_equal(thing.name, "x y");
    assert_err(query_read(SLICE("id=five"), thing_fields, &thing, &a, &e), &e, ERR_INVALID);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_find_their_routes),
        cmocka_unit_test(test_other_paths_and_methods_do_not),
        cmocka_unit_test(test_one_path_is_declared_once),
        cmocka_unit_test(test_building_survives_failing_memory),
        cmocka_unit_test(test_openapi_is_json_with_every_route),
        cmocka_unit_test(test_queries_are_decoded),
    };

    json_set_alloc_funcs(mem_alloc, mem_free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

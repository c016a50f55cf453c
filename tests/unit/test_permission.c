/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdlib.h>

#include "src/base/json.h"
#include "src/iam/role.h"

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static struct permission parsed(const char *s)
{
    struct permission p;
    struct err e = { 0 };

    assert_ok(permission_parse(text(s), NULL, NULL, &p, &e), &e);
    return p;
}

static bool allows(const char *granted, const char *wanted)
{
    struct permission g = parsed(granted), w = parsed(wanted);

    return permission_match(&g, &w);
}

static bool no_parameter(void *data, struct slice name, int64_t *id)
{
    (void)data;
    (void)name;
    (void)id;
    return false;
}

/* What a route asks for: "?" is any object. */
static bool allows_some(const char *granted, const char *wanted)
{
    struct permission g = parsed(granted), w;
    struct err e = { 0 };

    assert_ok(permission_parse(text(wanted), no_parameter, NULL, &w, &e), &e);
    return permission_match(&g, &w);
}

static void test_forms_read_back(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "*", "*" }, { "**", "**" }, { "CLUSTER:READ", "CLUSTER:*:READ" }, { "CLUSTER:7:*", "CLUSTER:7:*" },
        { "CLUSTER:7:TENANT:CREATE", "CLUSTER:7:TENANT:*:CREATE" }, { "CLUSTER:7:TENANT:9:READ", "CLUSTER:7:TENANT:9:READ" },
        { "TENANT:9:READ", "CLUSTER:*:TENANT:9:READ" }, { "TENANT:READ", "CLUSTER:*:TENANT:*:READ" },
        { "HOST:9223372036854775807:DELETE", "HOST:9223372036854775807:DELETE" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct permission p = parsed(cases[i].in);
        struct str t;

        str_init(&t, NULL);
        permission_add(&t, &p);
        assert_string_equal(str_c(&t), cases[i].out);
        str_fini(&t);
    }
}

static void test_wrong_forms_are_named(void **state)
{
    static const struct {
        const char *in, *reason;
    } cases[] = {
        { "CLUSTER", "action is missing" }, { "***", "action is missing" }, { "cluster:READ", "unknown domain" },
        { "NOTHING:1:READ", "unknown domain" }, { "CLUSTER:x:READ", "second part" }, { "CLUSTER::READ", "second part" },
        { "CLUSTER:-1:READ", "second part" }, { "CLUSTER:9223372036854775808:READ", "second part" }, { "CLUSTER:{id}:READ", "second part" },
        { "CLUSTER:1:HOST:READ", "subdomain" }, { "CLUSTER:1:CLUSTER:READ", "subdomain" }, { "HOST:1:TENANT:2:READ", "subdomain" },
        { "CLUSTER:1:TENANT:x:READ", "fourth part" }, { "CLUSTER:1:WRITE", "last part" }, { "CLUSTER:1:", "last part" },
        { "CLUSTER:1:TENANT:2:READ:1", "more than five" }, { "::::::::", "more than five" }, { " CLUSTER:READ", "unknown domain" },
    };
    char buf[512];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct permission p;
        struct err e = { 0 };

        assert_err(permission_parse(text(cases[i].in), NULL, NULL, &p, &e), &e, ERR_PERMISSION_INVALID);
        assert_non_null(strstr(err_text(&e, ERR_EN, buf, sizeof buf), cases[i].reason));
    }
    assert_err(permission_parse(text(""), NULL, NULL, &(struct permission){ 0 }, NULL), NULL, ERR_PERMISSION_EMPTY);
}

static void test_what_allows_what(void **state)
{
    (void)state;
    assert_true(allows("**", "CLUSTER:7:TENANT:9:DELETE"));
    assert_true(allows("**", "**"));
    assert_true(allows("*", "HOST:1:DELETE"));
    assert_false(allows("*", "CLUSTER:1:TENANT:2:READ"));
    assert_false(allows("*", "**"));
    assert_true(allows("CLUSTER:*:*", "CLUSTER:CREATE"));
    assert_true(allows("CLUSTER:*:*", "CLUSTER:7:READ"));
    assert_false(allows("CLUSTER:*:*", "CLUSTER:7:TENANT:READ"));
    assert_false(allows("CLUSTER:*:*", "HOST:READ"));
    assert_true(allows("CLUSTER:7:READ", "CLUSTER:7:READ"));
    assert_false(allows("CLUSTER:7:READ", "CLUSTER:8:READ"));
    assert_false(allows("CLUSTER:7:READ", "CLUSTER:READ"));
    assert_false(allows("CLUSTER:7:UPDATE", "CLUSTER:7:READ"));
    assert_false(allows("CLUSTER:*:READ", "CLUSTER:7:*"));
    assert_true(allows("CLUSTER:*:TENANT:*:READ", "CLUSTER:7:TENANT:9:READ"));
    assert_true(allows("CLUSTER:7:TENANT:*:*", "CLUSTER:7:TENANT:CREATE"));
    assert_false(allows("CLUSTER:8:TENANT:*:*", "CLUSTER:7:TENANT:CREATE"));
    assert_false(allows("CLUSTER:7:TENANT:9:READ", "CLUSTER:7:TENANT:READ"));
    assert_false(allows("CLUSTER:7:BACKUP:*:*", "CLUSTER:7:TENANT:READ"));
    assert_false(allows("CLUSTER:7:TENANT:*:*", "CLUSTER:7:READ"));
}

static void test_lists_show_what_is_allowed(void **state)
{
    (void)state;
    assert_true(allows_some("CLUSTER:7:READ", "CLUSTER:?:READ"));
    assert_true(allows_some("CLUSTER:*:TENANT:9:READ", "CLUSTER:7:TENANT:?:READ"));
    assert_true(allows_some("CLUSTER:7:TENANT:9:READ", "CLUSTER:?:TENANT:?:READ"));
    assert_false(allows_some("CLUSTER:7:TENANT:9:READ", "CLUSTER:?:READ"));
    assert_false(allows_some("CLUSTER:7:READ", "CLUSTER:?:TENANT:?:READ"));
    assert_false(allows_some("CLUSTER:8:TENANT:9:READ", "CLUSTER:7:TENANT:?:READ"));
    assert_false(allows_some("CLUSTER:7:READ", "CLUSTER:?:UPDATE"));
    assert_false(allows_some("CLUSTER:7:READ", "HOST:?:READ"));
    assert_true(allows_some("**", "HOST:?:READ"));
    assert_true(allows_some("*", "HOST:?:READ"));
}

static void test_no_role_may_hold_what_routes_ask(void **state)
{
    struct permission p;
    struct err e = { 0 };

    (void)state;
    assert_err(permission_parse(text("HOST:?:READ"), NULL, NULL, &p, &e), &e, ERR_PERMISSION_INVALID);
    assert_err(permission_parse(text("HOST:{id}:READ"), NULL, NULL, &p, &e), &e, ERR_PERMISSION_INVALID);
}

static bool look_up(void *data, struct slice name, int64_t *id)
{
    (void)data;
    *id = 7;
    return slice_is(name, "id");
}

static void test_routes_fill_in_ids(void **state)
{
    struct permission p, w = parsed("CLUSTER:7:TENANT:9:READ");
    struct err e = { 0 };

    (void)state;
    assert_ok(permission_parse(text("CLUSTER:{id}:TENANT:9:READ"), look_up, NULL, &p, &e), &e);
    assert_true(permission_match(&p, &w));
    assert_err(permission_parse(text("CLUSTER:{no}:READ"), look_up, NULL, &p, &e), &e, ERR_PERMISSION_INVALID);
}

static bool role_allows(const char *name, const char *wanted)
{
    const struct role_row *r = role_find_name(name);

    for (unsigned i = 0; i < ROLE_MAX_PERMISSIONS && r->permissions[i] != NULL; i++) {
        if (allows(r->permissions[i], wanted))
            return true;
    }
    return false;
}

static void test_default_roles(void **state)
{
    unsigned n = 0;

    (void)state;
    for (const struct role_row *r = role_rows; r->name != NULL; r++, n++) {
        assert_ptr_equal(role_find(r->id), r);
        assert_ptr_equal(role_find_name(r->name), r);
        assert_true(r->id < ROLE_FIRST_CUSTOM);
        assert_non_null(r->permissions[0]);
        for (unsigned i = 0; i < ROLE_MAX_PERMISSIONS && r->permissions[i] != NULL; i++)
            (void)parsed(r->permissions[i]);
    }
    assert_int_equal(n, 21);
    assert_int_equal(role_find_name("PROFILE")->id, 101);
    assert_null(role_find(1));
    assert_null(role_find_name("admin"));
    assert_true(role_allows("ADMIN", "USER:1:DELETE"));
    assert_true(role_allows("ALARM_VIEWER", "CLUSTER:1:TENANT:2:READ"));
    assert_true(role_allows("CLUSTER_MANAGER", "CLUSTER:CREATE"));
    assert_false(role_allows("CLUSTER_VIEWER", "CLUSTER:1:UPDATE"));
    assert_false(role_allows("TENANT_MANAGER", "CLUSTER:1:UPDATE"));
}

static void test_dump_is_json(void **state)
{
    struct str t;
    struct err e = { 0 };
    json_t *root;

    (void)state;
    str_init(&t, NULL);
    iam_dump_permissions(&t);
    assert_false(str_failed(&t));
    assert_ok(json_parse((struct slice){ t.s, t.n }, &root, &e), &e);
    assert_int_equal(json_array_size(json_object_get(root, "roles")), 21);
    assert_int_equal(json_array_size(json_object_get(root, "domains")), PERMISSION_N_DOMAINS);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(root, "domains"), 1), "domain")), "CLUSTER:*:TENANT");
    json_decref(root);
    str_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_read_back),       cmocka_unit_test(test_wrong_forms_are_named),
        cmocka_unit_test(test_what_allows_what),      cmocka_unit_test(test_lists_show_what_is_allowed),
        cmocka_unit_test(test_no_role_may_hold_what_routes_ask),
        cmocka_unit_test(test_routes_fill_in_ids),    cmocka_unit_test(test_default_roles),
        cmocka_unit_test(test_dump_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

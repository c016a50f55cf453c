/* SPDX-License-Identifier: Apache-2.0 */
/* Roles that people make, and who has them. */
#include "src/base/field.h"
#include "src/iam/customrole.h"
#include "src/iam/role.h"
#include "src/iam/user.h"
#include "src/store/place.h"
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static struct principal acting(struct test_store *t, int64_t id, const char *roles)
{
    struct principal p = { .user_id = id, .name = "actor" };
    struct user u = { .roles = roles };

    assert_ok(principal_grants(&u, &t->arena, &p.grants, &p.n_grants, &t->e), &t->e);
    return p;
}

static void begin(struct test_store *t)
{
    (void)test_store_sql(t, "DELETE FROM role");
    (void)test_store_sql(t, "DELETE FROM user");
}

static struct role_spec spec(const char *name, const char **permissions, size_t n)
{
    return (struct role_spec){ .name = name, .permissions = { permissions, n } };
}

static void add_user(struct test_store *t, int64_t id, const char *roles)
{
    char text[512];

    (void)snprintf(text, sizeof text,
                   "INSERT INTO user (id, username, password_hash, must_change_password, enabled, roles, credential_version, email, "
                   "description, created_at, updated_at) VALUES (%lld, 'u%lld', '', 0, 1, '%s', 1, '', '', NOW(6), NOW(6))",
                   (long long)id, (long long)id, roles);
    (void)test_store_sql(t, text);
}

static void role_names(struct test_store *t)
{
    static const char *const good[] = { "AB", "a1", "Dba_of_c1", "abcdefghijklmnopqrstuvwxyz012345" };
    static const char *const bad[] = { "", "A", "1a", "_a", "a_", "a b", "a-b", "\xc3\xa4z", "abcdefghijklmnopqrstuvwxyz0123456" };

    (void)t;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(role_name_problem(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(role_name_problem(bad[i]));
}
STORE_TEST(role_names)

static void roles_are_made(struct test_store *t)
{
    const char *wanted[] = { "CLUSTER:12:READ", " CLUSTER:12:READ ", "TENANT:1003:UPDATE", "HOST:7:*" }, *all[] = { "**" }, *star[] = { "*" },
               *wrong[] = { "CLUSTER:12:READ", "CLUSTER:12:WRITE" }, *empty[] = { "" };
    struct principal manager = acting(t, 5, "116"), admin = acting(t, 100, "100");
    struct role_spec s = spec("dba_c12", wanted, 4);
    struct role r;
    char buf[512];

    begin(t);
    assert_ok(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e);
    assert_true(r.id > ROLE_FIRST_CUSTOM && r.version == 1);
    assert_string_equal(r.permissions, "CLUSTER:12:READ\nCLUSTER:*:TENANT:1003:UPDATE\nHOST:7:*");
    assert_err(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e, ERR_NAME_USED);
    s.name = "admin";
    assert_err(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e, ERR_NAME_USED);
    s.name = "1";
    assert_err(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e, ERR_ROLE_NAME);
    s = spec("other", wrong, 2);
    assert_err(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e, ERR_PERMISSION_INVALID);
    assert_non_null(strstr(err_text(&t->e, ERR_EN, buf, sizeof buf), "CLUSTER:12:WRITE"));
    s = spec("other", empty, 1);
    assert_err(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e, ERR_PERMISSION_EMPTY);
    s = spec("other", NULL, 0);
    assert_err(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e, ERR_PERMISSION_EMPTY);
    s = spec("other", all, 1);
    assert_err(role_create(t->db, &admin, &s, &t->arena, &r, &t->e), &t->e, ERR_PERMISSION_INVALID);
    s = spec("other", star, 1);
    assert_err(role_create(t->db, &manager, &s, &t->arena, &r, &t->e), &t->e, ERR_ADMIN_NEEDED);
    assert_ok(role_create(t->db, &admin, &s, &t->arena, &r, &t->e), &t->e);
}
STORE_TEST(roles_are_made)

static void a_changed_role_counts_for_its_users(struct test_store *t)
{
    const char *first[] = { "CLUSTER:12:READ" }, *second[] = { "HOST:7:READ", "HOST:8:READ" };
    struct principal manager = acting(t, 41, "116"), admin = acting(t, 100, "100"), p = { .user_id = 40 };
    struct role_spec s = spec("readers", first, 1), change = spec(NULL, second, 2);
    struct role r;
    struct user *u;
    char roles[64];

    begin(t);
    assert_ok(role_create(t->db, &admin, &s, &t->arena, &r, &t->e), &t->e);
    (void)snprintf(roles, sizeof roles, "101,%lld", (long long)r.id);
    add_user(t, 40, roles);
    (void)snprintf(roles, sizeof roles, "116,%lld", (long long)r.id);
    add_user(t, 41, roles);
    add_user(t, 42, "101");
    assert_ok(role_update(t->db, &admin, r.id, &change, &t->arena, &r, &t->e), &t->e);
    assert_string_equal(r.name, "readers");
    assert_int_equal(test_store_number(t, "SELECT SUM(credential_version) FROM user WHERE id IN (40, 41)"), 4);
    assert_int_equal(test_store_number(t, "SELECT credential_version FROM user WHERE id = 42"), 1);
    assert_ok(store_user_get(t->db, 40, &t->arena, &u, &t->e), &t->e);
    assert_ok(principal_grants(u, &t->arena, &p.grants, &p.n_grants, &t->e), &t->e);
    assert_int_equal(p.n_grants, 3);
    assert_err(role_update(t->db, &manager, r.id, &change, &t->arena, &r, &t->e), &t->e, ERR_ADMIN_NEEDED);
    assert_err(role_update(t->db, &admin, ROLE_PROFILE, &change, &t->arena, &r, &t->e), &t->e, ERR_ROLE_DEFAULT);
    assert_err(role_update(t->db, &admin, 999999, &change, &t->arena, &r, &t->e), &t->e, ERR_NOT_FOUND);
}
STORE_TEST(a_changed_role_counts_for_its_users)

static void used_roles_stay(struct test_store *t)
{
    const char *first[] = { "CLUSTER:12:READ" };
    struct principal admin = acting(t, 100, "100");
    struct role_spec s = spec("readers", first, 1);
    const char *name;
    struct role r;
    char roles[64], buf[512];

    begin(t);
    assert_ok(role_create(t->db, &admin, &s, &t->arena, &r, &t->e), &t->e);
    (void)snprintf(roles, sizeof roles, "101,%lld", (long long)r.id);
    add_user(t, 40, roles);
    assert_err(role_delete(t->db, r.id, &t->arena, &name, &t->e), &t->e, ERR_IN_USE);
    assert_non_null(strstr(err_text(&t->e, ERR_EN, buf, sizeof buf), "u40"));
    (void)test_store_sql(t, "UPDATE user SET roles = '101' WHERE id = 40");
    assert_ok(role_delete(t->db, r.id, &t->arena, &name, &t->e), &t->e);
    assert_string_equal(name, "readers");
    assert_err(role_delete(t->db, r.id, &t->arena, &name, &t->e), &t->e, ERR_NOT_FOUND);
    assert_err(role_delete(t->db, ROLE_ADMIN, &t->arena, &name, &t->e), &t->e, ERR_ROLE_DEFAULT);
}
STORE_TEST(used_roles_stay)

static void scopes_say_what_is_allowed(struct test_store *t)
{
    struct user u = { .roles = "109", .permissions = "CLUSTER:12:READ\nCLUSTER:*:TENANT:3:READ\nCLUSTER:5:TENANT:*:*" };
    const struct permission tenants = { PERMISSION_SOME, PERMISSION_SOME, PERMISSION_CLUSTER, PERMISSION_TENANT, PERMISSION_READ },
                            hosts = { PERMISSION_SOME, PERMISSION_ANY, PERMISSION_HOST, PERMISSION_HOST, PERMISSION_READ };
    struct principal p = { .user_id = 1 };
    struct scope_item items[8];
    size_t n = 0;

    assert_ok(principal_grants(&u, &t->arena, &p.grants, &p.n_grants, &t->e), &t->e);
    principal_scope(&p, &tenants, items, &n);
    assert_int_equal(n, 2);
    assert_true(items[0].id == SCOPE_ANY && items[0].sub_id == 3 && items[1].id == 5 && items[1].sub_id == SCOPE_ANY);
    principal_scope(&p, &hosts, items, &n);
    assert_int_equal(n, 3);
    assert_string_equal(items[2].kind, "HOST");
    assert_int_equal(items[2].id, SCOPE_ANY);
}
STORE_TEST(scopes_say_what_is_allowed)

const struct CMUnitTest rules_role_tests[] = {
    STORE_UNIT(role_names),
    STORE_UNIT(roles_are_made),
    STORE_UNIT(a_changed_role_counts_for_its_users),
    STORE_UNIT(used_roles_stay),
    STORE_UNIT(scopes_say_what_is_allowed),
    { 0 },
};

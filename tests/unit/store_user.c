/* SPDX-License-Identifier: Apache-2.0 */
/* Users. */
#include "src/store/user.h"

#include "src/base/field.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static struct user sample(int64_t id, const char *name)
{
    return (struct user){ .id = id, .username = name, .password_hash = "$argon2id$", .must_change_password = 1, .enabled = 1, .roles = "100,101",
                          .credential_version = 1, .email = "", .phone = "", .department = "",
                          .description = "", .created_us = 1700000000123456, .updated_us = 1700000000123456 };
}

static int insert(struct tx *tx, void *data, struct err *e)
{
    return store_user_insert(tx, data, e);
}

static void add(struct test_store *t, struct user u)
{
    assert_ok(db_transact(t->db, insert, &u, &t->e), &t->e);
}

static void prepare(struct test_store *t)
{
    (void)test_store_sql(t, "DELETE FROM user");
}

static void users_are_found(struct test_store *t)
{
    struct user *u;

    prepare(t);
    add(t, sample(7, "anna"));
    assert_ok(store_user_find(t->db, "anna", &t->arena, &u, &t->e), &t->e);
    assert_int_equal(u->id, 7);
    assert_string_equal(u->roles, "100,101");
    assert_int_equal(u->created_us, 1700000000123456);
    assert_true(u->last_login_us == FIELD_NONE);
    assert_true(u->must_change_password && u->enabled);
    assert_ok(store_user_get(t->db, 7, &t->arena, &u, &t->e), &t->e);
    assert_string_equal(u->username, "anna");
    assert_ok(store_user_find(t->db, "ANNA", &t->arena, &u, &t->e), &t->e);
    assert_null(u);
    assert_ok(store_user_get(t->db, 8, &t->arena, &u, &t->e), &t->e);
    assert_null(u);
}
STORE_TEST(users_are_found)

static void names_are_unique(struct test_store *t)
{
    struct user again = sample(8, "anna");

    prepare(t);
    add(t, sample(7, "anna"));
    assert_err(db_transact(t->db, insert, &again, &t->e), &t->e, ERR_NAME_USED);
}
STORE_TEST(names_are_unique)

static void users_are_listed_by_pages(struct test_store *t)
{
    static const char *const names[] = { "a_1", "a_2", "b%3", "axx" };
    const struct scope_item items[] = { { "USER", 2, SCOPE_ANY }, { "HOST", 1, SCOPE_ANY }, { "USER", 4, SCOPE_ANY } };
    const struct scope some = { items, 3 }, none = { items + 1, 1 };
    struct user_filter f = { .role_id = FIELD_NONE, .enabled = -1, .locked = -1 };
    struct store_page page = { .number = 1, .size = 3, .sort = "username" };
    struct user *u;
    int64_t total;
    size_t n;

    prepare(t);
    for (int i = 0; i < 4; i++)
        add(t, sample(i + 1, names[i]));
    assert_ok(store_user_list(t->db, &f, &page, &t->arena, &u, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 4);
    assert_int_equal(n, 3);
    assert_string_equal(u[2].username, "axx");
    page.number = 2;
    assert_ok(store_user_list(t->db, &f, &page, &t->arena, &u, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 1);
    f.username = "a_";
    page = (struct store_page){ .number = 1, .size = 10, .sort = "id", .descending = true };
    assert_ok(store_user_list(t->db, &f, &page, &t->arena, &u, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 2);
    assert_string_equal(u[0].username, "a_2");
    f.username = "%";
    assert_ok(store_user_list(t->db, &f, &page, &t->arena, &u, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 1);
    f = (struct user_filter){ .role_id = 101, .enabled = 1, .locked = 0, .scope = &some };
    assert_ok(store_user_list(t->db, &f, &page, &t->arena, &u, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 2);
    assert_true(u[0].id == 4 && u[1].id == 2);
    f.scope = &none;
    assert_ok(store_user_list(t->db, &f, &page, &t->arena, &u, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 0);
    f = (struct user_filter){ .role_id = 10, .enabled = -1, .locked = -1 };
    assert_ok(store_user_list(t->db, &f, &page, &t->arena, &u, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 0);
}
STORE_TEST(users_are_listed_by_pages)

struct change {
    struct user user;
    int64_t version;
    bool raise;
};

static int set_password(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;

    return store_user_set_password(tx, c->user.id, c->version, "$argon2id$new", false, 1700000001000000, e);
}

static int update(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;

    return store_user_update(tx, &c->user, c->version, c->raise, 1700000001000000, e);
}

static int remove_user(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;

    return store_user_delete(tx, c->user.id, &c->raise, e);
}

static void changes_raise_the_version(struct test_store *t)
{
    const int64_t ids[] = { 7, 99, 8 };
    int64_t versions[3];
    struct change c = { .user = sample(7, "anna"), .version = 1 };
    struct user *u;

    prepare(t);
    add(t, sample(7, "anna"));
    add(t, sample(8, "ben"));
    assert_ok(store_user_versions(t->db, ids, 3, versions, &t->e), &t->e);
    assert_true(versions[0] == 1 && versions[1] == -1 && versions[2] == 1);
    assert_ok(db_transact(t->db, set_password, &c, &t->e), &t->e);
    assert_err(db_transact(t->db, set_password, &c, &t->e), &t->e, ERR_CONFLICT);
    assert_ok(store_user_get(t->db, 7, &t->arena, &u, &t->e), &t->e);
    assert_string_equal(u->password_hash, "$argon2id$new");
    assert_int_equal(u->credential_version, 2);
    assert_false(u->must_change_password);
    c.version = 2;
    c.user.email = "anna@example.com";
    assert_ok(db_transact(t->db, update, &c, &t->e), &t->e);
    c.raise = true;
    c.user.enabled = 0;
    assert_ok(db_transact(t->db, update, &c, &t->e), &t->e);
    assert_ok(store_user_versions(t->db, ids, 3, versions, &t->e), &t->e);
    assert_true(versions[0] == -1 && versions[2] == 1);
    assert_ok(store_user_get(t->db, 7, &t->arena, &u, &t->e), &t->e);
    assert_string_equal(u->email, "anna@example.com");
    assert_int_equal(u->credential_version, 3);
    assert_ok(db_transact(t->db, remove_user, &c, &t->e), &t->e);
    assert_true(c.raise);
    assert_ok(db_transact(t->db, remove_user, &c, &t->e), &t->e);
    assert_false(c.raise);
}
STORE_TEST(changes_raise_the_version)

const struct CMUnitTest store_user_tests[] = {
    STORE_UNIT(users_are_found),
    STORE_UNIT(names_are_unique),
    STORE_UNIT(users_are_listed_by_pages),
    STORE_UNIT(changes_raise_the_version),
    { 0 },
};

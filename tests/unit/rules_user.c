/* SPDX-License-Identifier: Apache-2.0 */
/* Users: the first administrator, who may change whom, passwords. */
#include "src/base/field.h"
#include "conf/parameters.h"
#include "src/iam/role.h"
#include "src/iam/user.h"
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static struct {
    struct work_pool *pool;
    struct parameters *parameters;
    struct user_context c;
} w;

static void begin(struct test_store *t)
{
    struct work_conf conf = { "crypto", 2, 16 };

    (void)test_store_sql(t, "DELETE FROM user");
    assert_ok(work_pool_new(&conf, &w.pool, &t->e), &t->e);
    assert_ok(parameters_new(&w.parameters, &t->e), &t->e);
    struct iam_conf iam = { .crypto_pool = w.pool, .clock = &clock_system, .log = &test_log, .parameters = w.parameters };
    w.c = (struct user_context){ NULL, t->db, w.pool, &clock_system };
    assert_ok(iam_new(&iam, &w.c.iam, &t->e), &t->e);
}

static void end(void)
{
    iam_free(w.c.iam);
    parameters_free(w.parameters);
    work_pool_free(w.pool);
}

static struct principal acting(struct test_store *t, int64_t id, const char *roles)
{
    struct principal p = { .user_id = id, .name = "actor" };
    struct user u = { .roles = roles };

    assert_ok(principal_grants(&u, &t->arena, &p.grants, &p.n_grants, &t->e), &t->e);
    return p;
}

/* "name:password" in base64 */
static int log_in(struct test_store *t, const char *base64, struct principal **who)
{
    struct iam_request rq = { .client = { .known = false } };
    char *header = arena_printf(&t->arena, "Basic %s", base64);

    rq.authorization = (struct slice){ header, strlen(header) };
    return iam_authenticate(w.c.iam, t->db, &rq, &t->arena, who, &t->e);
}

static void names(struct test_store *t)
{
    static const char *const good[] = { "anna", "a.b-c_9", "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl" };
    static const char *const bad[] = { "", "abc", "Anna", "1anna", "anna-", "an na", "\xc3\xa4nna", "anna'--",
                                       "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklm" };

    (void)t;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(username_problem(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(username_problem(bad[i]));
}
STORE_TEST(names)

static void the_first_administrator(struct test_store *t)
{
    char password[PASSWORD_RANDOM_SIZE], again[PASSWORD_RANDOM_SIZE] = "";
    struct principal who;
    struct user *u;
    bool created, matches;

    begin(t);
    assert_ok(user_found_admin(&w.c, password, &created, &t->e), &t->e);
    assert_true(created);
    assert_ok(user_found_admin(&w.c, again, &created, &t->e), &t->e);
    assert_false(created);
    assert_string_equal(again, "");
    assert_ok(user_get(t->db, USER_ADMIN_ID, &t->arena, &u, &t->e), &t->e);
    assert_true(u->must_change_password && u->enabled);
    assert_ok(password_verify(w.pool, u->password_hash, (struct slice){ password, strlen(password) }, &matches, &t->e), &t->e);
    assert_true(matches);
    who = acting(t, USER_ADMIN_ID, u->roles);
    assert_true(principal_may(&who, &(struct permission){ .domain = PERMISSION_ALL, .sub = PERMISSION_ALL }));
    assert_err(user_change_password(&w.c, &who, "wrong", "aaBB11##", &t->arena, &t->e), &t->e, ERR_OLD_PASSWORD);
    assert_err(user_change_password(&w.c, &who, password, password, &t->arena, &t->e), &t->e, ERR_SAME_PASSWORD);
    assert_err(user_change_password(&w.c, &who, password, "simple", &t->arena, &t->e), &t->e, ERR_PASSWORD_FORMAT);
    assert_ok(user_change_password(&w.c, &who, password, "aaBB11##", &t->arena, &t->e), &t->e);
    assert_ok(user_get(t->db, USER_ADMIN_ID, &t->arena, &u, &t->e), &t->e);
    assert_false(u->must_change_password);
    assert_int_equal(u->credential_version, 2);
    assert_ok(user_reset_password(&w.c, "admin", again, &t->e), &t->e);
    assert_ok(user_get(t->db, USER_ADMIN_ID, &t->arena, &u, &t->e), &t->e);
    assert_true(u->must_change_password);
    assert_err(user_reset_password(&w.c, "nobody", again, &t->e), &t->e, ERR_NOT_FOUND);
    end();
}
STORE_TEST(the_first_administrator)

static struct user fresh(const char *name, const char *roles)
{
    return (struct user){ .username = name, .email = "", .phone = "", .department = "", .description = "", .roles = roles, .enabled = 1 };
}

static void creating(struct test_store *t)
{
    static const struct {
        const char *name, *roles, *password;
        const struct err_row *row;
    } refused[] = {
        { "admin", "101", "aaBB11##", &ERR_USERNAME_RESERVED }, { "Anna", "101", "aaBB11##", &ERR_USERNAME_FORMAT },
        { "anna", "101", "short", &ERR_PASSWORD_FORMAT },       { "anna", "", "aaBB11##", &ERR_INVALID },
        { "anna", "101,5", "aaBB11##", &ERR_INVALID },          { "anna", "101,x", "aaBB11##", &ERR_INVALID },
        { "anna", "100", "aaBB11##", &ERR_ADMIN_NEEDED },
    };
    struct principal manager, admin, *who;
    struct user u = fresh("anna", "101,107"), again = u;

    begin(t);
    manager = acting(t, 5, "120");
    admin = acting(t, 100, "100");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct user wrong = fresh(refused[i].name, refused[i].roles);

        assert_err(user_create(&w.c, &manager, &wrong, refused[i].password, false, &t->arena, &t->e), &t->e, *refused[i].row);
    }
    assert_ok(user_create(&w.c, &manager, &u, "aaBB11##", false, &t->arena, &t->e), &t->e);
    assert_true(u.id > 1000);
    assert_err(user_create(&w.c, &manager, &again, "aaBB11##", false, &t->arena, &t->e), &t->e, ERR_NAME_USED);
    u = fresh("ben.admin", "100");
    assert_ok(user_create(&w.c, &admin, &u, "aaBB11##", false, &t->arena, &t->e), &t->e);
    assert_ok(log_in(t, "YW5uYTphYUJCMTEjIw==", &who), &t->e);
    assert_string_equal(who->name, "anna");
    assert_int_equal(who->n_grants, 7);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM user WHERE last_login_at IS NOT NULL"), 1);
    end();
}
STORE_TEST(creating)

static void updating(struct test_store *t)
{
    const struct user_update off = { .enabled = 0 }, roles = { .roles = "101,109", .enabled = -1 }, raise = { .roles = "100,101", .enabled = -1 },
                             mail = { .email = "anna@example.com", .enabled = -1 };
    char password[PASSWORD_RANDOM_SIZE];
    struct user u = fresh("anna", "101"), *out;
    struct principal manager, admin, *who;
    bool created;

    begin(t);
    manager = acting(t, 5, "120");
    admin = acting(t, 100, "100");
    assert_ok(user_found_admin(&w.c, password, &created, &t->e), &t->e);
    assert_ok(user_create(&w.c, &manager, &u, "aaBB11##", false, &t->arena, &t->e), &t->e);
    assert_ok(log_in(t, "YW5uYTphYUJCMTEjIw==", &who), &t->e);
    assert_ok(user_update(&w.c, &manager, u.id, &mail, &t->arena, &out, &t->e), &t->e);
    assert_string_equal(out->email, "anna@example.com");
    assert_int_equal(iam_stats(w.c.iam).verified, 1);
    assert_ok(user_update(&w.c, &manager, u.id, &roles, &t->arena, &out, &t->e), &t->e);
    assert_ok(log_in(t, "YW5uYTphYUJCMTEjIw==", &who), &t->e);
    assert_int_equal(who->n_grants, 3);         /* new roles count at once on this node */
    assert_err(user_update(&w.c, &manager, u.id, &raise, &t->arena, &out, &t->e), &t->e, ERR_ADMIN_NEEDED);
    assert_ok(user_update(&w.c, &manager, u.id, &off, &t->arena, &out, &t->e), &t->e);
    assert_err(log_in(t, "YW5uYTphYUJCMTEjIw==", &who), &t->e, ERR_ACCOUNT_DISABLED);
    assert_ok(user_update(&w.c, &admin, u.id, &raise, &t->arena, &out, &t->e), &t->e);
    assert_err(user_update(&w.c, &manager, u.id, &mail, &t->arena, &out, &t->e), &t->e, ERR_ADMIN_NEEDED);
    assert_err(user_update(&w.c, &admin, USER_ADMIN_ID, &off, &t->arena, &out, &t->e), &t->e, ERR_USER_UNLOCKABLE);
    assert_err(user_update(&w.c, &admin, USER_ADMIN_ID, &roles, &t->arena, &out, &t->e), &t->e, ERR_USER_ROLES_FIXED);
    assert_err(user_update(&w.c, &admin, 999999, &mail, &t->arena, &out, &t->e), &t->e, ERR_NOT_FOUND);
    end();
}
STORE_TEST(updating)

static void deleting(struct test_store *t)
{
    char password[PASSWORD_RANDOM_SIZE];
    struct user u = fresh("anna", "101");
    struct principal manager, admin, *who;
    const char *name;
    bool created;

    begin(t);
    manager = acting(t, 5, "120");
    admin = acting(t, 100, "100");
    assert_ok(user_found_admin(&w.c, password, &created, &t->e), &t->e);
    assert_ok(user_create(&w.c, &manager, &u, "aaBB11##", false, &t->arena, &t->e), &t->e);
    assert_ok(log_in(t, "YW5uYTphYUJCMTEjIw==", &who), &t->e);
    assert_err(user_delete(&w.c, who, u.id, &t->arena, &name, &t->e), &t->e, ERR_SELF_DELETE);
    assert_err(user_delete(&w.c, &manager, USER_ADMIN_ID, &t->arena, &name, &t->e), &t->e, ERR_USER_UNDELETABLE);
    assert_err(user_delete(&w.c, &admin, 999999, &t->arena, &name, &t->e), &t->e, ERR_NOT_FOUND);
    assert_ok(user_delete(&w.c, &manager, u.id, &t->arena, &name, &t->e), &t->e);
    assert_string_equal(name, "anna");
    assert_err(log_in(t, "YW5uYTphYUJCMTEjIw==", &who), &t->e, ERR_LOGIN_WRONG);
    end();
}
STORE_TEST(deleting)

static void passwords_set_by_others(struct test_store *t)
{
    char password[PASSWORD_RANDOM_SIZE];
    struct user u = fresh("anna", "101");
    struct principal manager, *who;
    bool created;

    begin(t);
    manager = acting(t, 5, "120");
    assert_ok(user_found_admin(&w.c, password, &created, &t->e), &t->e);
    assert_ok(user_create(&w.c, &manager, &u, "ccDD22##", false, &t->arena, &t->e), &t->e);
    assert_err(user_set_password(&w.c, &manager, USER_ADMIN_ID, "aaBB11##", &t->arena, &t->e), &t->e, ERR_ADMIN_NEEDED);
    assert_err(user_set_password(&w.c, &manager, u.id, "x", &t->arena, &t->e), &t->e, ERR_PASSWORD_FORMAT);
    assert_ok(user_set_password(&w.c, &manager, u.id, "aaBB11##", &t->arena, &t->e), &t->e);
    assert_ok(log_in(t, "YW5uYTphYUJCMTEjIw==", &who), &t->e);
    assert_true(who->must_change_password);
    end();
}
STORE_TEST(passwords_set_by_others)

const struct CMUnitTest rules_user_tests[] = {
    STORE_UNIT(names),    STORE_UNIT(the_first_administrator), STORE_UNIT(creating), STORE_UNIT(updating),
    STORE_UNIT(deleting), STORE_UNIT(passwords_set_by_others), { 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* System parameters: changed here, read there, secrets sealed. */
#include "src/base/field.h"
#include "src/setting/setting.h"
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static const unsigned char key[32] = { 1, 2, 3 };
static const struct principal who = { .user_id = 7, .name = "anna" };

struct node {
    struct parameters *parameters;
    struct setting_keeper *keeper;
    struct vault *vault;
};

static struct node begin(struct test_store *t)
{
    struct node n;

    assert_ok(vault_new_keys(key, NULL, &n.vault, &t->e), &t->e);
    assert_ok(parameters_new(&n.parameters, &t->e), &t->e);
    assert_ok(setting_keeper_new(n.parameters, n.vault, &test_log, &n.keeper, &t->e), &t->e);
    assert_ok(setting_refresh(n.keeper, t->db, &t->e), &t->e);
    return n;
}

static void end(struct node *n)
{
    setting_keeper_free(n->keeper);
    parameters_free(n->parameters);
    vault_free(n->vault);
}

static void clear(struct test_store *t)
{
    (void)test_store_sql(t, "DELETE FROM property");
    (void)test_store_sql(t, "DELETE FROM property_change");
}

#define ATTEMPTS "ocp.iam.login.max-attempts"
#define SECRET "ocp.analyze.es.client.password"

static void changes_reach_every_node(struct test_store *t)
{
    struct setting_view v;
    struct node a, b;

    clear(t);
    a = begin(t);
    b = begin(t);
    assert_int_equal(parameter_int(a.parameters, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 20);
    assert_ok(setting_change(a.keeper, t->db, &who, ATTEMPTS, "7", &t->arena, &v, &t->e), &t->e);
    assert_string_equal(v.value, "7");
    assert_true(v.changed && !v.pending);
    assert_string_equal(v.username, "anna");
    assert_int_equal(parameter_int(a.parameters, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 7);
    assert_int_equal(parameter_int(b.parameters, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 20);
    assert_ok(setting_refresh(b.keeper, t->db, &t->e), &t->e);
    assert_int_equal(parameter_int(b.parameters, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 7);
    assert_ok(setting_change(b.keeper, t->db, &who, ATTEMPTS, NULL, &t->arena, &v, &t->e), &t->e);
    assert_false(v.changed);
    assert_string_equal(v.value, "20");
    assert_true(v.updated_us == FIELD_NONE);
    assert_ok(setting_refresh(a.keeper, t->db, &t->e), &t->e);
    assert_int_equal(parameter_int(a.parameters, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 20);
    end(&a);
    end(&b);
}
STORE_TEST(changes_reach_every_node)

static void wrong_values_are_refused(struct test_store *t)
{
    struct setting_view v;
    struct node a;

    clear(t);
    a = begin(t);
    assert_err(setting_change(a.keeper, t->db, &who, "no.such", "1", &t->arena, &v, &t->e), &t->e, ERR_PROPERTY_NOT_FOUND);
    assert_err(setting_get(a.keeper, t->db, "no.such", &t->arena, &v, &t->e), &t->e, ERR_PROPERTY_NOT_FOUND);
    assert_err(setting_change(a.keeper, t->db, &who, ATTEMPTS, "many", &t->arena, &v, &t->e), &t->e, ERR_INVALID);
    assert_err(setting_change(a.keeper, t->db, &who, ATTEMPTS, "0", &t->arena, &v, &t->e), &t->e, ERR_INVALID);
    assert_err(setting_change(a.keeper, t->db, &who, "ocp.version", "5", &t->arena, &v, &t->e), &t->e, ERR_PROPERTY_FIXED);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM property"), 0);
    end(&a);
}
STORE_TEST(wrong_values_are_refused)

static void secrets_are_sealed_and_masked(struct test_store *t)
{
    struct store_page page = { .number = 1, .size = 10 };
    struct property_change *h;
    struct setting_view v;
    struct node a, b;
    const char *text;
    int64_t total;
    size_t n;

    clear(t);
    a = begin(t);
    b = begin(t);
    assert_ok(setting_get(a.keeper, t->db, SECRET, &t->arena, &v, &t->e), &t->e);
    assert_string_equal(v.value, "");
    assert_ok(setting_change(a.keeper, t->db, &who, SECRET, "p\xc3\xa4ss word", &t->arena, &v, &t->e), &t->e);
    assert_string_equal(v.value, "******");
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM property WHERE value LIKE '%word%'"), 0);
    assert_ok(setting_refresh(b.keeper, t->db, &t->e), &t->e);
    assert_ok(parameter_text(b.parameters, PARAM_OCP_ANALYZE_ES_CLIENT_PASSWORD, &t->arena, &text, &t->e), &t->e);
    assert_string_equal(text, "p\xc3\xa4ss word");
    assert_ok(setting_change(a.keeper, t->db, &who, SECRET, NULL, &t->arena, &v, &t->e), &t->e);
    assert_ok(setting_history(t->db, SECRET, &page, &t->arena, &h, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 2);
    assert_string_equal(h[0].old_value, "******");
    assert_null(h[0].new_value);
    assert_null(h[1].old_value);
    assert_string_equal(h[1].new_value, "******");
    end(&a);
    end(&b);
}
STORE_TEST(secrets_are_sealed_and_masked)

/* Another key cannot open it: the default stays, the rest is taken over. */
static void a_foreign_secret_harms_nothing(struct test_store *t)
{
    static const unsigned char other[32] = { 9 };
    struct setting_view v;
    struct node a, b;
    const char *text;

    clear(t);
    a = begin(t);
    b = begin(t);
    vault_free(b.vault);
    setting_keeper_free(b.keeper);
    assert_ok(vault_new_keys(other, NULL, &b.vault, &t->e), &t->e);
    assert_ok(setting_keeper_new(b.parameters, b.vault, &test_log, &b.keeper, &t->e), &t->e);
    assert_ok(setting_change(a.keeper, t->db, &who, SECRET, "word", &t->arena, &v, &t->e), &t->e);
    assert_ok(setting_change(a.keeper, t->db, &who, ATTEMPTS, "9", &t->arena, &v, &t->e), &t->e);
    assert_ok(setting_refresh(b.keeper, t->db, &t->e), &t->e);
    assert_int_equal(parameter_int(b.parameters, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 9);
    assert_ok(parameter_text(b.parameters, PARAM_OCP_ANALYZE_ES_CLIENT_PASSWORD, &t->arena, &text, &t->e), &t->e);
    assert_string_equal(text, "");
    end(&a);
    end(&b);
}
STORE_TEST(a_foreign_secret_harms_nothing)

static void lists_and_history(struct test_store *t)
{
    struct store_page page = { .number = 1, .size = 2 };
    struct setting_view *v, one;
    struct property_change *h;
    struct node a;
    int64_t total;
    size_t n;

    clear(t);
    a = begin(t);
    assert_ok(setting_list(a.keeper, t->db, NULL, &t->arena, &v, &n, &t->e), &t->e);
    assert_int_equal(n, N_PARAMETERS);
    assert_ok(setting_list(a.keeper, t->db, "LOGIN.max", &t->arena, &v, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_string_equal(v[0].row->name, ATTEMPTS);
    for (int i = 0; i < 3; i++) {
        const char *value = arena_printf(&t->arena, "%d", 30 + i);

        assert_ok(setting_change(a.keeper, t->db, &who, ATTEMPTS, value, &t->arena, &one, &t->e), &t->e);
        assert_ok(setting_change(a.keeper, t->db, &who, ATTEMPTS, value, &t->arena, &one, &t->e), &t->e);
    }
    assert_ok(setting_history(t->db, ATTEMPTS, &page, &t->arena, &h, &n, &total, &t->e), &t->e);
    assert_int_equal(total, 3);                     /* what changes nothing leaves nothing */
    assert_int_equal(n, 2);
    assert_string_equal(h[0].new_value, "32");
    assert_string_equal(h[0].old_value, "31");
    assert_err(setting_history(t->db, "no.such", &page, &t->arena, &h, &n, &total, &t->e), &t->e, ERR_PROPERTY_NOT_FOUND);
    end(&a);
}
STORE_TEST(lists_and_history)

const struct CMUnitTest rules_setting_tests[] = {
    STORE_UNIT(changes_reach_every_node),       STORE_UNIT(wrong_values_are_refused), STORE_UNIT(secrets_are_sealed_and_masked),
    STORE_UNIT(a_foreign_secret_harms_nothing), STORE_UNIT(lists_and_history),        { 0 },
};

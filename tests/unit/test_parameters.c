/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>

#include "conf/parameters.h"
#include "src/base/json.h"

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

static void test_rows_are_whole(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(N_PARAMETERS, 175);
    for (unsigned i = 0; i < N_PARAMETERS; i++) {
        const struct parameter *row = &parameter_table[i];

        assert_int_equal(parameter_find(text(row->name)), i); /* names are unique */
        assert_ok(parameter_check(row, text(row->def), &e), &e);
        assert_true(row->doc[ERR_EN][strlen(row->doc[ERR_EN]) - 1] == '.');
        assert_string_equal(row->doc[ERR_ZH] + strlen(row->doc[ERR_ZH]) - 3, "。");
        assert_int_equal(row->values != NULL, row->type == PARAMETER_ENUM);
        assert_non_null(parameter_group_names[row->group][ERR_ZH]);
    }
    assert_int_equal(parameter_find(text("ocp.nothing")), N_PARAMETERS);
}

static void test_dump_is_json(void **state)
{
    struct str t;
    json_t *dump, *row;
    struct err e;

    (void)state;
    str_init(&t, NULL);
    conf_dump_parameters(&t);
    assert_ok(json_parse((struct slice){ t.s, t.n }, &dump, &e), &e);
    assert_int_equal(json_array_size(dump), N_PARAMETERS);
    row = json_array_get(dump, PARAM_OBSDK_OPERATION_GLOBAL_TIMEOUT_MILLIS);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "obsdk.operation.global.timeout.millis");
    assert_string_equal(json_string_value(json_object_get(row, "unit")), "ms");
    assert_int_equal(json_integer_value(json_object_get(row, "min")), 10000);
    row = json_array_get(dump, PARAM_OCP_METRIC_COLLECT_INTERVAL_SECOND);
    assert_int_equal(json_array_size(json_object_get(row, "values")), 4);
    json_decref(dump);
    str_fini(&t);
}

static void refused(enum parameter_id id, const char *value, const char *reason)
{
    struct err e = { 0 };

    assert_err(parameter_check(&parameter_table[id], text(value), &e), &e, ERR_INVALID);
    assert_string_equal(e.arg[0], reason);
}

static void allowed(enum parameter_id id, const char *value)
{
    struct err e = { 0 };

    assert_ok(parameter_check(&parameter_table[id], text(value), &e), &e);
}

static void test_values_are_checked_against_their_row(void **state)
{
    static const char not_url[] = "is not a base URL such as https://ocp.example:8443, without a slash at its end";
    static const char *const bad_urls[] = { "ftp://a", "http://", "http://a/", "http://a:", "http://a:0", "http://a:99999", "http://[::1",
                                            "http://[]", "http://[::1]x", "http://a b", "http://u@h", "http://:80" };
    static const char *const good_urls[] = { "", "http://a", "https://ocp-1.example:8443", "http://10.0.0.1", "http://[::1]", "http://[::1]:80" };
    char expected[160];

    (void)state;
    refused(PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS, "many", "\"many\" is not a whole number");
    refused(PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS, "0", "\"0\" is not between 1 and 1000");
    refused(PARAM_OBSDK_OPERATION_GLOBAL_TIMEOUT_MILLIS, "9999", "\"9999\" is not between 10000 ms and 7200000 ms");
    refused(PARAM_SERVER_SERVLET_SESSION_TIMEOUT, "59s", "\"59s\" is not between 1m and 30d");
    refused(PARAM_SERVER_SERVLET_SESSION_TIMEOUT, "30", "\"30\" is not a number with its unit: ms, s, m, h or d");
    refused(PARAM_LOGGING_FILE_MAX_SIZE, "1TBB", "\"1TBB\" is not a number with its unit: B, KB, MB, GB or TB");
    refused(PARAM_OCP_IAM_AUTH_BASIC_ENABLED, "maybe", "\"maybe\" is not true or false");
    refused(PARAM_OCP_METRIC_COLLECT_INTERVAL_SECOND, "2", "\"2\" is not one of 1|5|10|15");
    refused(PARAM_OCP_INSPECTION_SCRIPS_SEQUENCE_AVAILABILITY_THRESHOLD_PERCENTAGE, "1.5", "\"1.5\" is not between 0 and 1");
    refused(PARAM_OCP_MONITOR_DATA_RETENTION_DAYS, "[]", "not a JSON object");
    refused(PARAM_OCP_ENV, "a\001", "control characters are not allowed");
    refused(PARAM_OCP_AGENT_HOME_PATH_PREFIX, "home", "\"home\" is not an absolute path");
    refused(PARAM_OCP_SYSTEM_DEFAULT_TIMEZONE, "Asia; rm", "\"Asia; rm\" is not a time zone such as Asia/Shanghai");
    refused(PARAM_OCP_ENV, "0123456789012345678901234567890123456789012345678901234567890123456789", "longer than 64 bytes");
    for (size_t i = 0; i < sizeof bad_urls / sizeof bad_urls[0]; i++) {
        (void)snprintf(expected, sizeof expected, "\"%s\" %s", bad_urls[i], not_url);
        refused(PARAM_OCP_SITE_URL, bad_urls[i], expected);
    }
    for (size_t i = 0; i < sizeof good_urls / sizeof good_urls[0]; i++)
        allowed(PARAM_OCP_SITE_URL, good_urls[i]);
    allowed(PARAM_OCP_MONITOR_DATA_RETENTION_DAYS, "{}");
    allowed(PARAM_OCP_SYSTEM_DEFAULT_TIMEZONE, "Etc/GMT+8");
    allowed(PARAM_OCP_ALARM_RECOVER_MESSAGE_TEMPLATE, "one\n\ttwo");
}

static void test_json_is_refused_with_its_place(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_err(parameter_check(&parameter_table[PARAM_OCP_MONITOR_DATA_RETENTION_DAYS], text("{\"a\":1"), &e), &e, ERR_INVALID);
    assert_memory_equal(e.arg[0], "not JSON: ", 10);
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

struct house {
    struct parameters *p;
    struct arena arena;
    struct parameter_change *changes;
    size_t n;
    struct err e;
};

static void open_house(struct house *h)
{
    arena_init(&h->arena);
    assert_ok(parameters_new(&h->p, &h->e), &h->e);
}

static void close_house(struct house *h)
{
    parameters_free(h->p);
    arena_fini(&h->arena);
}

/* Applies one value (none: name NULL) and the defaults of all others. */
static void apply(struct house *h, const char *name, const char *value)
{
    struct parameter_value v = { name, value };

    assert_ok(parameters_apply(h->p, &v, name != NULL ? 1 : 0, &h->arena, &h->changes, &h->n, &h->e), &h->e);
}

static const char *text_of(struct house *h, enum parameter_id id)
{
    const char *s;

    assert_ok(parameter_text(h->p, id, &h->arena, &s, &h->e), &h->e);
    return s;
}

static void test_defaults_are_in_force_at_first(void **state)
{
    struct house h;

    (void)state;
    open_house(&h);
    assert_int_equal(parameter_int(h.p, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 20);
    assert_int_equal(parameter_int(h.p, PARAM_SERVER_SERVLET_SESSION_TIMEOUT), 1800000);
    assert_int_equal(parameter_int(h.p, PARAM_LOGGING_FILE_MAX_SIZE), 104857600);
    assert_int_equal(parameter_int(h.p, PARAM_OCP_SYSTEM_DEFAULT_LANGUAGE), 0);
    assert_true(parameter_bool(h.p, PARAM_OCP_IAM_AUTH_BASIC_ENABLED));
    assert_true(parameter_double(h.p, PARAM_OCP_INSPECTION_SCRIPS_SEQUENCE_AVAILABILITY_THRESHOLD_PERCENTAGE) == 0.8);
    assert_string_equal(text_of(&h, PARAM_OCP_SITE_URL), "http://localhost:8080");
    close_house(&h);
}

static void test_live_parameters_change_and_return(void **state)
{
    struct house h;

    (void)state;
    open_house(&h);
    apply(&h, "ocp.iam.login.max-attempts", "5");
    assert_int_equal(h.n, 1);
    assert_true(h.changes[0].row == &parameter_table[PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS] && h.changes[0].news == PARAMETER_APPLIED);
    assert_int_equal(parameter_int(h.p, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 5);
    assert_string_equal(text_of(&h, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), "5");
    apply(&h, "ocp.iam.login.max-attempts", "5");
    assert_int_equal(h.n, 0);
    apply(&h, "name.of.a.newer.release", "x");
    assert_int_equal(h.n, 1);
    assert_int_equal(parameter_int(h.p, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 20);
    close_house(&h);
}

static void test_restart_parameters_wait(void **state)
{
    struct house h;

    (void)state;
    open_house(&h);
    apply(&h, "ocp.iam.csrf.enabled", "false"); /* the node starts */
    assert_false(parameter_bool(h.p, PARAM_OCP_IAM_CSRF_ENABLED));
    assert_false(parameter_is_pending(h.p, PARAM_OCP_IAM_CSRF_ENABLED));
    apply(&h, "ocp.iam.csrf.enabled", "true");
    assert_true(h.n == 1 && h.changes[0].news == PARAMETER_PENDING);
    assert_false(parameter_bool(h.p, PARAM_OCP_IAM_CSRF_ENABLED));
    assert_true(parameter_is_pending(h.p, PARAM_OCP_IAM_CSRF_ENABLED));
    apply(&h, "ocp.iam.csrf.enabled", "true");
    assert_int_equal(h.n, 0);
    apply(&h, "ocp.iam.csrf.enabled", "false");
    assert_true(h.n == 1 && h.changes[0].news == PARAMETER_APPLIED);
    assert_false(parameter_is_pending(h.p, PARAM_OCP_IAM_CSRF_ENABLED));
    close_house(&h);
}

static void test_refused_values_leave_the_former_in_force(void **state)
{
    struct house h;

    (void)state;
    open_house(&h);
    apply(&h, "ocp.iam.login.max-attempts", "7");
    apply(&h, "ocp.iam.login.max-attempts", "-7");
    assert_true(h.n == 1 && h.changes[0].news == PARAMETER_REFUSED);
    assert_string_equal(h.changes[0].reason, "\"-7\" is not between 1 and 1000");
    apply(&h, "ocp.iam.login.max-attempts", "-7");
    assert_int_equal(h.n, 0); /* said once */
    assert_int_equal(parameter_int(h.p, PARAM_OCP_IAM_LOGIN_MAX_ATTEMPTS), 7);
    apply(&h, "ocp.version", "9.9.9"); /* fixed */
    assert_string_equal(text_of(&h, PARAM_OCP_VERSION), "4.3.5");
    close_house(&h);
}

struct reader {
    struct parameters *p;
    _Atomic bool stop;
    _Atomic unsigned n_reads;
};

static void *read_values(void *data)
{
    struct reader *r = data;
    struct err e;

    while (!r->stop) {
        int64_t n = parameter_int(r->p, PARAM_OCP_ALARM_SEND_BATCH_MAX);
        struct arena a;
        const char *s;
        bool ok;

        arena_init(&a);
        ok = parameter_text(r->p, PARAM_OCP_ENV, &a, &s, &e) == 0 && (strcmp(s, "private") == 0 || strcmp(s, "public") == 0);
        arena_fini(&a);
        if (!ok || (n != 20 && n != 40))
            return data;
        r->n_reads++;
    }
    return NULL;
}

static void test_readers_on_other_threads(void **state)
{
    const struct parameter_value values[] = { { "ocp.alarm.send.batch-max", "40" }, { "ocp.env", "public" } };
    struct reader r = { .stop = false };
    struct house h;
    pthread_t thread;
    void *failed;

    (void)state;
    open_house(&h);
    r.p = h.p;
    assert_int_equal(pthread_create(&thread, NULL, read_values, &r), 0);
    for (int i = 0; i < 100 || r.n_reads < 100; i++) {
        assert_ok(parameters_apply(h.p, values, i % 2 == 0 ? 2 : 0, &h.arena, &h.changes, &h.n, &h.e), &h.e);
        arena_fini(&h.arena);
    }
    r.stop = true;
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    close_house(&h);
}

static int makes_and_applies(void *data)
{
    const struct parameter_value values[] = { { "ocp.alarm.send.batch-max", "x" }, { "ocp.env", "public" } };
    struct house h = { .n = 0 };
    const char *s;
    int rv = parameters_new(&h.p, &h.e);

    (void)data;
    if (rv != 0)
        return rv;
    arena_init(&h.arena);
    rv = parameters_apply(h.p, values, 2, &h.arena, &h.changes, &h.n, &h.e);
    if (rv == 0)
        assert_int_equal(h.n, 2);
    if (rv == 0)
        rv = parameter_text(h.p, PARAM_OCP_ENV, &h.arena, &s, &h.e);
    close_house(&h);
    return rv;
}

static void test_lack_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(makes_and_applies, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_dump_is_json),
        cmocka_unit_test(test_values_are_checked_against_their_row),
        cmocka_unit_test(test_json_is_refused_with_its_place),
        cmocka_unit_test(test_defaults_are_in_force_at_first),
        cmocka_unit_test(test_live_parameters_change_and_return),
        cmocka_unit_test(test_restart_parameters_wait),
        cmocka_unit_test(test_refused_values_leave_the_former_in_force),
        cmocka_unit_test(test_readers_on_other_threads),
        cmocka_unit_test(test_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

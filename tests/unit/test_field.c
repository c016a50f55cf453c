/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/field.h"

struct wheel {
    int64_t inches;
    const char *maker;
};

struct car {
    int64_t id;
    const char *name, *secret;
    double weight;
    int electric, colour;
    int64_t built_at;
    struct field_strings tags;
    struct field_ints doors;
    struct wheel *spare;
    struct field_list wheels;
    struct field_map notes;
    const char *summary[2];
    const char *extra;
};

static const char *const colours[] = { "RED", "BLUE", NULL };

static const char *no_spaces(const char *s)
{
    return strchr(s, ' ') != NULL ? "must not contain spaces" : NULL;
}

static const struct field wheel_fields[] = {
    F_INT(wheel, inches, "inches", .flags = FIELD_REQUIRED, .min = 10, .max = 30),
    F_STRING(wheel, maker, "maker"),
    FIELD_END,
};

static const struct field car_fields[] = {
    F_INT(car, id, "id"),
    F_STRING(car, name, "name", .flags = FIELD_REQUIRED, .max = 8, .check = no_spaces),
    F_STRING(car, secret, "secret", .flags = FIELD_SECRET),
    F_DOUBLE(car, weight, "weight"),
    F_BOOL(car, electric, "electric", .def = "false"),
    F_ENUM(car, colour, "colour", colours, .flags = FIELD_ANY_CASE),
    F_TIME(car, built_at, "builtAt", .alias = "built_at"),
    F_STRINGS(car, tags, "tags"),
    F_INTS(car, doors, "doors", .flags = FIELD_OMIT_EMPTY),
    F_OBJECT(car, spare, "spare", wheel, wheel_fields),
    F_LIST(car, wheels, "wheels", wheel, wheel_fields, .max = 4),
    F_MAP(car, notes, "notes", .flags = FIELD_OMIT_EMPTY),
    F_TEXT2(car, summary, "summary"),
    F_JSON(car, extra, "extra"),
    FIELD_END,
};

static const struct field_style english = { ERR_EN, CLOCK_Z };

/* Reads `text`, writes it back into `out`; returns what reading returned. */
static int round_trip(const char *text, char *out, size_t size, struct err *e)
{
    struct arena a;
    struct str t;
    struct car c;
    json_t *j = NULL;
    int rv;

    arena_init(&a);
    str_init(&t, NULL);
    rv = json_parse((struct slice){ text, strlen(text) }, &j, e);
    if (rv == 0)
        rv = fields_read(car_fields, j, &c, &a, e);
    if (rv == 0) {
        fields_write(&t, car_fields, &c, &english);
        rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : 0;
    }
    (void)snprintf(out, size, "%s", str_c(&t));
    json_decref(j);
    str_fini(&t);
    arena_fini(&a);
    return rv;
}

static const char full[] = "{\"id\":7,\"name\":\"a\\\"b\",\"weight\":1.5,\"electric\":true,\"colour\":\"BLUE\",\"builtAt\":\"2026-11-20T08:05:09."
                           "000Z\",\"tags\":[\"x\",\"y\"],\"doors\":[2,3],\"spare\":{\"inches\":15},\"wheels\":[{\"inches\":16,\"maker\":\"m\"},{"
                           "\"inches\":17}],\"notes\":{\"k\":\"v\"},\"extra\":{\"any\":[1,null]}}";

static void test_objects_round_trip(void **state)
{
    char out[2048];
    struct err e = { 0 };

    (void)state;
    assert_ok(round_trip(full, out, sizeof out, &e), &e);
    assert_string_equal(out, full);
    assert_ok(round_trip("{\"name\":\"n\",\"secret\":\"s\",\"unknown\":[{}],\"weight\":null}", out, sizeof out, &e), &e);
    assert_string_equal(out, "{\"name\":\"n\",\"electric\":false,\"tags\":[],\"wheels\":[]}");
    assert_ok(round_trip("{\"id\":\"12\",\"name\":\"n\",\"colour\":\"red\",\"tags\":\"a, b\",\"doors\":5,\"built_at\":\"2026-11-20 08:05:09\"}", out,
                         sizeof out, &e), &e);
    assert_string_equal(out, "{\"id\":12,\"name\":\"n\",\"electric\":false,\"colour\":\"RED\",\"builtAt\":\"2026-11-20T08:05:09.000Z\","
                             "\"tags\":[\"a\",\"b\"],\"doors\":[5],\"wheels\":[]}");
}

static void test_bad_members_are_named(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        { "{}", "name: is required" },
        { "{\"name\":\"\"}", "name: is required" },
        { "{\"name\":\"a b\"}", "name: must not contain spaces" },
        { "{\"name\":\"123456789\"}", "name: must have 0 to 8 characters, has 9" },
        { "{\"name\":5}", "name: must be a string" },
        { "{\"name\":\"n\",\"id\":1.5}", "id: must be an integer" },
        { "{\"name\":\"n\",\"id\":\"12x\"}", "id: must be an integer" },
        { "{\"name\":\"n\",\"id\":\"99999999999999999999\"}", "id: must be an integer" },
        { "{\"name\":\"n\",\"electric\":\"maybe\"}", "electric: must be true or false" },
        { "{\"name\":\"n\",\"colour\":\"PINK\"}", "colour: must be one of RED, BLUE" },
        { "{\"name\":\"n\",\"builtAt\":\"yesterday\"}", "builtAt: must be a time like 2026-11-20T08:00:00+08:00" },
        { "{\"name\":\"n\",\"spare\":{\"inches\":9}}", "inches: must be between 10 and 30, is 9" },
        { "{\"name\":\"n\",\"wheels\":[{},{}]}", "inches: is required" },
        { "{\"name\":\"n\",\"wheels\":[1]}", "a JSON object is expected" },
        { "{\"name\":\"n\",\"wheels\":{}}", "wheels: must be an array of objects" },
        { "{\"name\":\"n\",\"notes\":{\"k\":1}}", "notes: must be an object with string values" },
        { "[]", "a JSON object is expected" },
    };
    char out[2048], reason[512];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_err(round_trip(cases[i].text, out, sizeof out, &e), &e, ERR_INVALID);
        (void)snprintf(reason, sizeof reason, "Illegal argument: %s.", cases[i].reason);
        assert_string_equal(err_text(&e, ERR_EN, out, sizeof out), reason);
    }
}

static int sweep(void *data)
{
    char out[2048];
    struct err e;

    (void)data;
    return round_trip(full, out, sizeof out, &e);
}

struct wish {
    struct field_strings words;
    struct field_list wheels;
};

/* A list may have to be given, if only an empty one. */
static void test_lists_that_must_be_given(void **state)
{
    static const struct field fields[] = {
        F_STRINGS(wish, words, "words", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK),
        F_LIST(wish, wheels, "wheels", wheel, wheel_fields, .flags = FIELD_REQUIRED | FIELD_EMPTY_OK),
        FIELD_END,
    };
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {
        { "{\"words\":[],\"wheels\":[]}", true },   { "{\"words\":[\"a\"],\"wheels\":[]}", true },
        { "{\"words\":[]}", false },                { "{\"wheels\":[]}", false },
        { "{\"words\":null,\"wheels\":[]}", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *json = json_loads(cases[i].text, 0, NULL);
        struct arena arena;
        struct wish got;
        struct err e;

        arena_init(&arena);
        assert_int_equal(fields_read(fields, json, &got, &arena, &e) == 0, cases[i].fine);
        arena_fini(&arena);
        json_decref(json);
    }
}

static void test_reading_survives_failing_memory(void **state)
{
    (void)state;
    test_oom_sweep(sweep, NULL);
}

static void test_deep_json_is_refused_before_parsing(void **state)
{
    char deep[4096];
    json_t *j = NULL;
    struct err e;

    (void)state;
    memset(deep, '[', sizeof deep);
    assert_err(json_parse((struct slice){ deep, sizeof deep }, &j, &e), &e, ERR_REQUEST);
    assert_non_null(strstr(e.arg[0], "nested deeper"));
    memset(deep, ']', JSON_MAX_DEPTH * 2);
    memset(deep, '[', JSON_MAX_DEPTH);
    assert_ok(json_parse((struct slice){ deep, JSON_MAX_DEPTH * 2 }, &j, &e), &e);
    json_decref(j);
    assert_err(json_parse(SLICE("{\"a\":1,\"a\":2}"), &j, &e), &e, ERR_REQUEST);
    assert_ok(json_parse(SLICE("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""), &j, &e), &e);
    json_decref(j);
}

static void test_strings_are_escaped(void **state)
{
    struct str t;

    (void)state;
    str_init(&t, NULL);
    json_add_string(&t, "a\"\\\n\x01\x7f é \xff\xc3 \xed\xa0\x80 😀");
    assert_string_equal(str_c(&t), "\"a\\\"\\\\\\n\\u0001\\u007f é \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd 😀\"");
    str_clear(&t);
    json_add_double(&t, 0.1);
    str_add_c(&t, ' ');
    json_add_double(&t, 3.0);
    str_add_c(&t, ' ');
    json_add_double(&t, 1e300);
    assert_string_equal(str_c(&t), "0.1 3 1e+300");
    str_fini(&t);
}

static void test_secrets_are_masked(void **state)
{
    json_t *j = NULL;
    struct str t;
    struct err e;

    (void)state;
    str_init(&t, NULL);
    assert_ok(json_parse(SLICE("{\"name\":\"n\",\"secret\":\"s3cret\",\"password\":\"p\",\"spare\":{\"inches\":12,\"key\":\"k\"}}"), &j, &e), &e);
    fields_write_masked(&t, car_fields, j);
    assert_string_equal(str_c(&t), "{\"name\":\"n\",\"secret\":\"******\",\"spare\":{\"inches\":12}}");
    json_decref(j);
    str_fini(&t);
}

static void test_sentences_follow_the_language(void **state)
{
    struct field_style chinese = { ERR_ZH, 0 };
    struct arena a;
    struct str t;
    struct car c;
    struct err e;

    (void)state;
    arena_init(&a);
    str_init(&t, &a);
    assert_ok(fields_init(car_fields, &c, &a, &e), &e);
    c.summary[ERR_EN] = "one";
    c.summary[ERR_ZH] = "一";
    fields_write_members(&t, car_fields, &c, &chinese);
    assert_non_null(strstr(str_c(&t), "\"summary\":\"一\""));
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_round_trip),
        cmocka_unit_test(test_bad_members_are_named),
        cmocka_unit_test(test_lists_that_must_be_given),
        cmocka_unit_test(test_reading_survives_failing_memory),
        cmocka_unit_test(test_deep_json_is_refused_before_parsing),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_secrets_are_masked),
        cmocka_unit_test(test_sentences_follow_the_language),
    };

    json_set_alloc_funcs(mem_alloc, mem_free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

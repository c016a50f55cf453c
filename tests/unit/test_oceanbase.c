/* SPDX-License-Identifier: Apache-2.0 */
/* What src/oceanbase decides without a server; its statements are proven on the real kernel by tests/e2e/test_oceanbase.py. */
#include "tests/lib/test.h"

#include "src/oceanbase/parameter.h"
#include "src/oceanbase/probe.h"
#include "src/oceanbase/quote.h"
#include "src/oceanbase/tenant_admin.h"

static const char seekdb_comment[] = "OceanBase 4.3.5.3 seekdb (r1.4.0.0) (Built 1-d0cb Sep  8 2026)";

static void versions_are_told_apart(void **state)
{
    static const struct {
        const char *version, *comment, *product;
        enum ob_engine engine;
    } cases[] = {
        { "5.7.25-OceanBase seekdb-v1.4.0.0", seekdb_comment, "1.4.0.0", OB_ENGINE_SEEKDB },
        { "x", seekdb_comment, "1.4.0.0", OB_ENGINE_SEEKDB },
        { "5.7.25-OceanBase-v4.2.5.1", "OceanBase 4.2.5.1 (r101) (Built Jan  1 2026)", "4.2.5.1", OB_ENGINE_OCEANBASE },
        { "5.7.25-OceanBase_CE-v4.3.5.1", "OceanBase_CE 4.3.5.1 (r1)", "4.3.5.1", OB_ENGINE_OCEANBASE },
        { "x", "OceanBase 4.2.1.0 (r100)", "4.2.1.0", OB_ENGINE_OCEANBASE },
    };
    enum ob_engine engine;
    const char *product;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(ob_parse_version(cases[i].version, cases[i].comment, &arena, &engine, &product));
        assert_int_equal(engine, cases[i].engine);
        assert_string_equal(product, cases[i].product);
    }
    assert_false(ob_parse_version("10.11.19-MariaDB-0+deb12u1", "Debian 12", &arena, &engine, &product));
    assert_false(ob_parse_version("8.0.36", "MySQL Community Server - GPL", &arena, &engine, &product));
    arena_fini(&arena);
}

static void primary_zones_are_compared(void **state)
{
    (void)state;
    assert_true(ob_primary_zone_is("zone1;zone2,zone3", "zone1; zone3,zone2"));
    assert_true(ob_primary_zone_is("RANDOM", "random"));
    assert_true(ob_primary_zone_is("zone1", "zone1"));
    assert_false(ob_primary_zone_is("zone1;zone2", "zone2;zone1"));
    assert_false(ob_primary_zone_is("zone1,zone2", "zone1;zone2"));
    assert_false(ob_primary_zone_is("zone1,zone2", "zone1"));
    assert_false(ob_primary_zone_is("zone1;zone2", "zone1"));
    assert_false(ob_primary_zone_is("zone1", "zone10"));
    assert_false(ob_primary_zone_is("RANDOM", "zone1"));
    assert_false(ob_primary_zone_is("", "zone1"));
}

static void time_zones_are_loaded_since_a_version(void **state)
{
    (void)state;
    assert_true(ob_loads_time_zones("4.3.5.2"));
    assert_true(ob_loads_time_zones("4.3.5.10"));
    assert_true(ob_loads_time_zones("4.4.0.0"));
    assert_true(ob_loads_time_zones("5.0.0.0"));
    assert_false(ob_loads_time_zones("4.3.5.1"));
    assert_false(ob_loads_time_zones("4.2.5.7"));
    assert_false(ob_loads_time_zones("4.3"));
    assert_false(ob_loads_time_zones(""));
}

static void same(const char *a, const char *b)
{
    assert_string_equal(a != NULL ? a : "none", b != NULL ? b : "none");
}

static void ranges_are_read(void **state)
{
    static const struct {
        const char *info, *min, *max, *allowed;
        bool min_open, max_open;
    } cases[] = {
        { "how many. Range: [1, 100] in integer", "1", "100", NULL, false, false },
        { "Range: (1024, 65536) in integer", "1024", "65536", NULL, true, true },
        { "the size. Range: [0, +\xe2\x88\x9e)", "0", NULL, NULL, false, true },
        { "Range: 0, [1G,).", "1G", NULL, NULL, false, true },
        { "Range: [0B, total size of memory]", "0B", NULL, NULL, false, false },
        { "Range: (-\xe2\x88\x9e, 0s]", NULL, "0s", NULL, true, false },
        { "Range: none, zstd_1.0, lz4.", NULL, NULL, "none, zstd_1.0, lz4", false, false },
        { "Range: [1, 2", NULL, NULL, "[1, 2", false, false },
        { "Range:", NULL, NULL, NULL, false, false },
        { "no bounds at all", NULL, NULL, NULL, false, false },
    };
    struct ob_parameter_range r;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ob_parameter p = { .info = cases[i].info };

        assert_true(ob_parameter_range(&p, &arena, &r));
        same(r.min, cases[i].min);
        same(r.max, cases[i].max);
        same(r.allowed, cases[i].allowed);
        assert_int_equal(r.min_open, cases[i].min_open);
        assert_int_equal(r.max_open, cases[i].max_open);
    }
    assert_true(ob_parameter_range(&(struct ob_parameter){ .data_type = "BOOL", .info = "on or off" }, &arena, &r));
    same(r.allowed, "True, False");
    arena_fini(&arena);
}

static void names_are_quoted(void **state)
{
    struct str t;

    (void)state;
    str_init(&t, NULL);
    quote_name(&t, "a`; DROP DATABASE b; --");
    assert_string_equal(str_c(&t), "`a``; DROP DATABASE b; --`");
    str_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_told_apart),
        cmocka_unit_test(primary_zones_are_compared),
        cmocka_unit_test(time_zones_are_loaded_since_a_version),
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(names_are_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

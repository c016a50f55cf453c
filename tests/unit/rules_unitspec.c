/* SPDX-License-Identifier: Apache-2.0 */
/* Unit specifications: those of the schema and those that people make. */
#include "src/tenant/unitspec.h"
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static struct unitspec size(const char *name, double min_cpu, double max_cpu, int64_t min_gb, int64_t max_gb)
{
    return (struct unitspec){ .name = name, .min_cpu = min_cpu, .max_cpu = max_cpu, .min_memory_gb = min_gb, .max_memory_gb = max_gb };
}

static void built_in_specs_are_there_and_stay(struct test_store *t)
{
    struct store_page page = { .number = 1, .size = 100, .sort = "id" };
    struct unitspec *list;
    const char *name;
    int64_t total;
    size_t n;

    assert_ok(store_unitspec_list(t->db, NULL, UNITSPEC_SYSTEM, &page, &t->arena, &list, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 8);
    assert_int_equal(total, 8);
    assert_string_equal(list[0].name, "B");
    assert_true(list[0].max_cpu > 0.24 && list[0].max_cpu < 0.26);
    assert_string_equal(list[7].name, "S4");
    assert_int_equal(list[7].max_memory_gb, 40);
    assert_err(unitspec_remove(t->db, list[0].id, &t->arena, &name, &t->e), &t->e, ERR_UNITSPEC_SYSTEM);
    assert_string_equal(name, "B");
    assert_err(unitspec_remove(t->db, 999, &t->arena, &name, &t->e), &t->e, ERR_UNITSPEC_NOT_FOUND);
}
STORE_TEST(built_in_specs_are_there_and_stay)

static void custom_specs_come_and_go(struct test_store *t)
{
    struct unitspec s = size("C1", 1, 1.5, 2, 6), again = size("C1", 1, 1, 1, 1);
    struct unitspec *list;
    size_t n;

    assert_ok(unitspec_add(t->db, &s, &t->arena, &t->e), &t->e);
    assert_true(s.id > 1000);
    assert_string_equal(s.kind, UNITSPEC_CUSTOM);
    assert_err(unitspec_add(t->db, &again, &t->arena, &t->e), &t->e, ERR_UNITSPEC_EXISTS);
    assert_ok(store_unitspec_list(t->db, "c1", NULL, NULL, &t->arena, &list, &n, NULL, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].min_memory_gb, 2);
    assert_ok(unitspec_remove(t->db, s.id, &t->arena, NULL, &t->e), &t->e);
    assert_err(unitspec_remove(t->db, s.id, &t->arena, NULL, &t->e), &t->e, ERR_UNITSPEC_NOT_FOUND);
}
STORE_TEST(custom_specs_come_and_go)

static void sizes_have_bounds(struct test_store *t)
{
    const struct {
        struct unitspec s;
        const struct err_row *row;
    } cases[] = {
        { size("c", 1, 1, 1, 1), &ERR_UNITSPEC_NAME },        { size("1c", 1, 1, 1, 1), &ERR_UNITSPEC_NAME },
        { size("ok", 0.4, 1, 1, 1), &ERR_UNITSPEC_CPU },      { size("ok", 1, 999.5, 1, 1), &ERR_UNITSPEC_CPU },
        { size("ok", 1, 1, 0, 1), &ERR_UNITSPEC_MEMORY },     { size("ok", 1, 1, 1, 10001), &ERR_UNITSPEC_MEMORY },
        { size("ok", 2, 1, 1, 1), &ERR_UNITSPEC_CPU_ORDER },  { size("ok", 1, 1, 2, 1), &ERR_UNITSPEC_MEMORY_ORDER },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct unitspec s = cases[i].s;

        assert_err(unitspec_add(t->db, &s, &t->arena, &t->e), &t->e, *cases[i].row);
    }
}
STORE_TEST(sizes_have_bounds)

const struct CMUnitTest rules_unitspec_tests[] = {
    STORE_UNIT(built_in_specs_are_there_and_stay), STORE_UNIT(custom_specs_come_and_go), STORE_UNIT(sizes_have_bounds),
    { NULL, NULL, NULL, NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/keyed.h"

static void test_digests(void **state)
{
    const struct slice ab_c[] = { SLICE("ab"), SLICE("c") }, a_bc[] = { SLICE("a"), SLICE("bc") };
    uint8_t one[KEYED_SIZE], again[KEYED_SIZE], other[KEYED_SIZE];
    struct keyed k, k2;
    struct err e = { 0 };

    (void)state;
    assert_ok(keyed_init(&k, &e), &e);
    assert_ok(keyed_init(&k2, &e), &e);
    assert_true(keyed_digest(&k, ab_c, 2, one));
    assert_true(keyed_digest(&k, a_bc, 2, other));
    assert_false(keyed_equal(one, other));       /* the parts count, not their sum */
    assert_true(keyed_digest(&k, ab_c, 2, again));
    assert_true(keyed_equal(one, again));
    assert_true(keyed_digest(&k2, ab_c, 2, other));
    assert_false(keyed_equal(one, other));       /* another key */
    keyed_fini(&k);
    keyed_fini(&k);
    keyed_fini(&k2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_digests) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

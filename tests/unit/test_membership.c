/* SPDX-License-Identifier: Apache-2.0 */
/* Members as letters: V voter, S standby, P spare; lower case: it is not heard; 's' with ':' behind it is heard and has not caught up. The first
 * is the leader. */
#include <ctype.h>
#include <stdio.h>

#include "ha/step/membership.h"
#include "tests/lib/test.h"

struct members {
    struct membership_member m[16];
    unsigned n;
};

static struct members of(const char *text)
{
    struct members r = { .n = 0 };

    for (; *text != '\0'; text++) {
        struct membership_member *m = &r.m[r.n];
        char kind = (char)toupper((unsigned char)*text);

        if (*text == ':') {
            r.m[r.n - 1].caught_up = false;
            continue;
        }
        *m = (struct membership_member){ .id = r.n + 1, .self = r.n == 0, .alive = *text == kind, .caught_up = *text == kind };
        m->role = kind == 'V' ? MEMBERSHIP_VOTER : kind == 'S' ? MEMBERSHIP_STANDBY : MEMBERSHIP_SPARE;
        r.n++;
    }
    return r;
}

static void expect(const char *text, enum membership_action action, uint64_t id)
{
    struct members r = of(text);
    struct membership_do what = membership_next(r.m, r.n, false);

    if (what.action != action || what.id != id)
        fail_msg("%s: action %d on %llu", text, (int)what.action, (unsigned long long)what.id);
    assert_int_equal(membership_next(r.m, r.n, true).action, MEMBERSHIP_NOTHING);
}

static void voters_are_odd(void **state)
{
    (void)state;
    expect("V", MEMBERSHIP_NOTHING, 0);
    expect("VP", MEMBERSHIP_MAKE_STANDBY, 2);
    expect("Vp", MEMBERSHIP_MAKE_STANDBY, 2);        /* it gets the log when it comes */
    expect("VS", MEMBERSHIP_NOTHING, 0);             /* of two, one votes */
    expect("VSS", MEMBERSHIP_MAKE_VOTER, 2);
    expect("VVS", MEMBERSHIP_MAKE_VOTER, 3);
    expect("VVV", MEMBERSHIP_NOTHING, 0);
    expect("VSs", MEMBERSHIP_NOTHING, 0);            /* the second of the pair could not follow */
    expect("VSS:", MEMBERSHIP_NOTHING, 0);
    expect("VVVS", MEMBERSHIP_NOTHING, 0);
    expect("VVVSS", MEMBERSHIP_MAKE_VOTER, 4);
    expect("VVVVS", MEMBERSHIP_MAKE_VOTER, 5);
    expect("VVv", MEMBERSHIP_NOTHING, 0);            /* a voter that is down stays one: it may come back */
    expect("VVvSS", MEMBERSHIP_MAKE_VOTER, 4);
}

static void even_numbers_are_undone(void **state)
{
    (void)state;
    expect("VV", MEMBERSHIP_MAKE_STANDBY, 2);        /* one of three was removed */
    expect("VVs", MEMBERSHIP_MAKE_STANDBY, 2);
    expect("VVS:", MEMBERSHIP_MAKE_STANDBY, 2);
    expect("VVVV", MEMBERSHIP_MAKE_STANDBY, 4);
    expect("VVvV", MEMBERSHIP_MAKE_STANDBY, 3);      /* the one that is not there */
}

static enum membership_wait waits(const char *text, uint64_t id)
{
    struct members r = of(text);

    return membership_waits(r.m, r.n, id);
}

static void reasons_are_told(void **state)
{
    (void)state;
    assert_int_equal(waits("VS", 1), MEMBERSHIP_VOTES);
    assert_int_equal(waits("VS", 2), MEMBERSHIP_EVEN);
    assert_int_equal(waits("VVVS", 4), MEMBERSHIP_EVEN);
    assert_int_equal(waits("VSS", 2), MEMBERSHIP_SOON);
    assert_int_equal(waits("Vs", 2), MEMBERSHIP_SILENT);
    assert_int_equal(waits("VS:", 2), MEMBERSHIP_BEHIND);
    assert_int_equal(waits("VP", 2), MEMBERSHIP_BEHIND);
    assert_int_equal(waits("VSS:", 2), MEMBERSHIP_EVEN);
    assert_int_equal(waits("V", 9), MEMBERSHIP_VOTES);
    for (unsigned i = 0; i < MEMBERSHIP_WAITS; i++)
        assert_non_null(membership_wait_names[i]);
}

static enum membership_verdict may_add(const char *text)
{
    struct members r = of(text);

    assert_int_equal(membership_may_add(r.m, r.n, true, 5), MEMBERSHIP_CHANGING);
    return membership_may_add(r.m, r.n, false, 5);
}

static enum membership_verdict may_remove(const char *text, uint64_t id)
{
    struct members r = of(text);

    assert_int_equal(membership_may_remove(r.m, r.n, true, id), MEMBERSHIP_CHANGING);
    return membership_may_remove(r.m, r.n, false, id);
}

static void what_people_may_do(void **state)
{
    (void)state;
    assert_int_equal(may_add("V"), MEMBERSHIP_FINE);
    assert_int_equal(may_add("VVV"), MEMBERSHIP_FINE);
    assert_int_equal(may_add("VVv"), MEMBERSHIP_DOWN);
    assert_int_equal(may_add("Vs"), MEMBERSHIP_FINE);           /* no vote is lost with it */
    assert_int_equal(may_add("VVVVV"), MEMBERSHIP_FULL);
    assert_int_equal(may_remove("V", 1), MEMBERSHIP_LAST);
    assert_int_equal(may_remove("VS", 1), MEMBERSHIP_LAST);     /* the standby could not go on */
    assert_int_equal(may_remove("VS", 2), MEMBERSHIP_FINE);
    assert_int_equal(may_remove("VVV", 1), MEMBERSHIP_LEADS);
    assert_int_equal(may_remove("VVV", 2), MEMBERSHIP_FINE);
    assert_int_equal(may_remove("VVv", 3), MEMBERSHIP_FINE);    /* the dead one */
    assert_int_equal(may_remove("VVv", 2), MEMBERSHIP_QUORUM);  /* not the living one */
    assert_int_equal(may_remove("VVv", 1), MEMBERSHIP_QUORUM);
    assert_int_equal(may_remove("VVVvv", 2), MEMBERSHIP_QUORUM);
    assert_int_equal(may_remove("VVVVv", 2), MEMBERSHIP_FINE);
    assert_int_equal(may_remove("VVV", 9), MEMBERSHIP_FINE);
}

static void losses_that_are_survived(void **state)
{
    static const struct {
        const char *text;
        unsigned n;
    } cases[] = { { "V", 0 }, { "VS", 0 }, { "VV", 0 }, { "VVV", 1 }, { "VVv", 0 }, { "VVVS", 1 }, { "VVVVV", 2 }, { "VVVVv", 1 }, { "Vvv", 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct members r = of(cases[i].text);

        assert_int_equal(membership_tolerates(r.m, r.n), cases[i].n);
    }
}

/* Whatever there is at first: once all answer and have caught up, the steps end, with the largest odd number of voters. */
static void it_comes_to_rest(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 9; n++)
        for (unsigned pattern = 0; pattern < 1u << (n - 1); pattern++) {
            struct members r = { .n = n };
            unsigned steps = 0, voters = 0;

            for (unsigned i = 0; i < n; i++)
                r.m[i] = (struct membership_member){ i + 1, i == 0 || (pattern >> (i - 1) & 1) != 0 ? MEMBERSHIP_VOTER : MEMBERSHIP_SPARE, i == 0, true, true };
            for (;;) {
                struct membership_do what = membership_next(r.m, r.n, false);

                if (what.action == MEMBERSHIP_NOTHING)
                    break;
                assert_true(++steps < 4 * n);
                assert_int_not_equal(what.id, 1); /* never the leader */
                r.m[what.id - 1].role = what.action == MEMBERSHIP_MAKE_VOTER ? MEMBERSHIP_VOTER : MEMBERSHIP_STANDBY;
            }
            for (unsigned i = 0; i < n; i++)
                voters += r.m[i].role == MEMBERSHIP_VOTER;
            assert_int_equal(voters, n - (n % 2 == 0));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voters_are_odd),
        cmocka_unit_test(even_numbers_are_undone),
        cmocka_unit_test(reasons_are_told),
        cmocka_unit_test(what_people_may_do),
        cmocka_unit_test(losses_that_are_survived),
        cmocka_unit_test(it_comes_to_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of the simulated observer. */
#include "tests/lib/test.h"

#include "tests/obsim/login.h"
#include "tests/obsim/packet.h"
#include "tests/obsim/stmt.h"

static void check_name(const char *text, const char *user, const char *tenant, const char *cluster, const char *id)
{
    struct login_name name;

    login_split((struct slice){ text, strlen(text) }, &name);
    assert_true(slice_is(name.user, user) && slice_is(name.tenant, tenant) && slice_is(name.cluster, cluster) && slice_is(name.cluster_id, id));
}

static void test_login_names(void **state)
{
    (void)state;
    check_name("root", "root", "", "", "");
    check_name("root@sys", "root", "sys", "", "");
    check_name("u@t#c", "u", "t", "c", "");
    check_name("u@t#c:12", "u", "t", "c", "12");
    check_name("a@b@t", "a@b", "t", "", "");
    check_name("", "", "", "", "");
}

static void test_lengths(void **state)
{
    static const uint64_t values[] = { 0, 250, 251, 252, 255, 65535, 65536, (1 << 24) - 1, 1 << 24, UINT64_MAX };
    struct packet_reader r;
    struct str t;

    (void)state;
    str_init(&t, NULL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        packet_add_lenenc(&t, values[i]);
    r = (struct packet_reader){ .rest = { t.s, t.n } };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_true(packet_lenenc(&r) == values[i]);
    assert_true(!r.bad && r.rest.n == 0);
    (void)packet_int(&r, 1);
    assert_true(r.bad);
    str_fini(&t);
}

/* A message of 2^24 bytes is two packets; one of 2^24 - 1 is followed by an empty one. */
static void check_split(size_t n, size_t second)
{
    struct str t;
    struct packet_writer w = { .to = &t };
    struct packet_reader r;
    char *room;

    str_init(&t, NULL);
    packet_begin(&w);
    room = str_reserve(&t, n);
    assert_non_null(room);
    memset(room, 'x', n);
    t.n += n;
    packet_end(&w);
    r = (struct packet_reader){ .rest = { t.s, t.n } };
    assert_int_equal(packet_int(&r, 3), PACKET_MAX);
    assert_int_equal(packet_int(&r, 1), 0);
    (void)packet_bytes(&r, PACKET_MAX);
    assert_int_equal(packet_int(&r, 3), second);
    assert_int_equal(packet_int(&r, 1), 1);
    assert_true(packet_bytes(&r, second).n == second && !r.bad && r.rest.n == 0);
    str_fini(&t);
}

static void test_large_messages_are_split(void **state)
{
    (void)state;
    check_split(PACKET_MAX, 0);
    check_split((size_t)PACKET_MAX + 1, 1);
}

static void test_values_of_prepared_statements(void **state)
{
    static const char payload[] = "\0\1\0\0\0" "\4" "\1" "\x08\0" "\xfd\0" "\x06\0" "\x0c\0" "\xfb\xff\xff\xff\xff\xff\xff\xff" "\4it's"
                                  "\x07\xea\x07\x01\x02\x03\x04\x05";
    struct sim_stmts all = { 0 };
    struct sim_stmt *st = stmt_new(&all, SLICE("SELECT ?, ?, ?, ?, '?'"));
    struct str sql;

    (void)state;
    assert_int_equal(st->n_params, 4);
    str_init(&sql, NULL);
    assert_true(stmt_bind(st, (struct slice){ payload, sizeof payload - 1 }, &sql));
    assert_string_equal(str_c(&sql), "SELECT -5, 'it\\'s', NULL, '2026-01-02 03:04:05.000000', '?'");
    str_clear(&sql);
    assert_false(stmt_bind(st, (struct slice){ payload, sizeof payload - 3 }, &sql));
    str_fini(&sql);
    assert_ptr_equal(stmt_find(&all, st->id), st);
    stmt_close(&all, st->id);
    assert_null(stmt_find(&all, 1));
    stmts_fini(&all);
}

static void test_too_many_statements(void **state)
{
    struct sim_stmts all = { 0 };

    (void)state;
    for (int i = 0; i < STMTS_MAX; i++)
        assert_non_null(stmt_new(&all, SLICE("SELECT 1")));
    assert_null(stmt_new(&all, SLICE("SELECT 1")));
    stmts_fini(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login_names),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_large_messages_are_split),
        cmocka_unit_test(test_values_of_prepared_statements),
        cmocka_unit_test(test_too_many_statements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

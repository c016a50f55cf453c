/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/io/addr.h"
#include "src/io/proxyline.h"

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static void test_addresses_are_read_and_printed(void **state)
{
    static const struct { const char *in, *out; } rows[] = {
        { "10.1.2.3", "10.1.2.3" }, { "::ffff:10.1.2.3", "10.1.2.3" }, { "[::1]", "::1" }, { "2001:DB8::1", "2001:db8::1" },
        { "", NULL }, { "10.1.2", NULL }, { "10.1.2.256", NULL }, { "[10.1.2.3]", NULL }, { "::1]", NULL }, { "fe80::1%lo", NULL },
        { "10.1.2.3 ", NULL }, { "localhost", NULL },
    };
    char buf[ADDR_TEXT_SIZE];
    struct addr a;

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(addr_parse(text(rows[i].in), &a), rows[i].out != NULL);
        assert_string_equal(addr_text(&a, buf), rows[i].out != NULL ? rows[i].out : "-");
    }
    assert_false(addr_parse((struct slice){ "1.1.1.1\0", 8 }, &a));
}

static void test_ports_are_read_and_printed(void **state)
{
    static const struct { const char *in, *out; } rows[] = {
        { "10.1.2.3:80", "10.1.2.3:80" }, { "[::1]:65535", "[::1]:65535" }, { "10.1.2.3", "10.1.2.3:0" }, { "::1", "[::1]:0" },
        { "::1:", NULL }, { "10.1.2.3:", NULL }, { "10.1.2.3:65536", NULL }, { "10.1.2.3:-1", NULL }, { ":80", NULL }, { "x:80", NULL },
    };
    char buf[ADDR_TEXT_SIZE];
    struct addr a;

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(addr_parse_port(text(rows[i].in), &a), rows[i].out != NULL);
        if (rows[i].out != NULL)
            assert_string_equal(addr_text_port(&a, buf), rows[i].out);
    }
}

static bool has(const char *network, const char *address)
{
    struct cidr c;
    struct addr a;

    assert_true(cidr_parse(text(network), &c));
    assert_true(addr_parse(text(address), &a));
    return cidr_has(&c, &a);
}

static void test_networks_hold_their_addresses(void **state)
{
    struct addr nobody = { .known = false };
    struct cidr c;

    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.0.1"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("10.1.2.3", "10.1.2.3"));
    assert_false(has("10.1.2.3", "10.1.2.2"));
    assert_true(has("10.1.2.128/25", "10.1.2.129"));
    assert_false(has("10.1.2.128/25", "10.1.2.127"));
    assert_true(has("192.168.1.77/31", "192.168.1.76"));
    assert_true(has("0.0.0.0/0", "1.2.3.4"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("::/0", "1.2.3.4"));
    assert_false(cidr_parse(text("10.0.0.0/33"), &c));
    assert_false(cidr_parse(text("::/129"), &c));
    assert_false(cidr_parse(text("10.0.0.0/"), &c));
    assert_false(cidr_parse(text("10.0.0.0/a"), &c));
    assert_true(cidr_parse(text("::/0"), &c));
    assert_false(cidr_has(&c, &nobody));
}

static void test_lists_of_networks(void **state)
{
    struct cidr_list list;
    struct addr a;
    struct err e;

    (void)state;
    assert_ok(cidr_list_parse(text(" 10.0.0.0/8, ::1  192.168.0.1,"), &list, &e), &e);
    assert_int_equal(list.n, 3);
    assert_true(addr_parse(text("192.168.0.1"), &a));
    assert_true(cidr_list_has(&list, &a));
    assert_true(addr_parse(text("192.168.0.2"), &a));
    assert_false(cidr_list_has(&list, &a));
    cidr_list_fini(&list);
    assert_ok(cidr_list_parse(text(""), &list, &e), &e);
    assert_false(cidr_list_has(&list, &a));
    assert_false(cidr_list_has(NULL, &a));
    assert_err(cidr_list_parse(text("10.0.0.0/8 nonsense"), &list, &e), &e, ERR_INVALID);
    assert_non_null(strstr(e.arg[0], "nonsense"));
    assert_int_equal(list.n, 0);
}

static int parse_list(void *data)
{
    struct cidr_list list;
    int rv = cidr_list_parse(text("10.0.0.0/8 ::1"), &list, NULL);

    (void)data;
    cidr_list_fini(&list);
    return rv;
}

static void test_lists_survive_lack_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(parse_list, NULL);
}

/* ---- PROXY protocol --------------------------------------------------------------------------------------------------- */

static enum proxyline_result parse(struct slice bytes, struct addr *source, size_t *used)
{
    /* every beginning must be accepted as such */
    for (size_t n = 0; n < bytes.n; n++) {
        enum proxyline_result r = proxyline_parse(bytes.s, n, source, used);

        if (r != PROXYLINE_MORE)
            return r;
    }
    return proxyline_parse(bytes.s, bytes.n, source, used);
}

static void test_version_1_names_the_client(void **state)
{
    static const struct { const char *line, *source; } rows[] = {
        { "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1:56324" },
        { "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "[2001:db8::1]:1" },
        { "PROXY UNKNOWN\r\n", "-:0" },
        { "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "-:0" },
        { "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n", NULL },
        { "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n", NULL },
        { "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n", NULL },
        { "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n", NULL },
        { "PROXY TCP4 2001:db8::1 198.51.100.1 1 443\r\n", NULL },
        { "PROXY TCP6 192.0.2.1 2001:db8::2 1 443\r\n", NULL },
        { "PROXY TCP4  192.0.2.1 198.51.100.1 1 443\r\n", NULL },
        { "PROXY UDP4 192.0.2.1 198.51.100.1 1 443\r\n", NULL },
        { "proxy TCP4 192.0.2.1 198.51.100.1 1 443\r\n", NULL },
        { "PROXY \r\n", NULL },
        { "GET / HTTP/1.1\r\n", NULL },
        { "PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n", NULL },
    };
    char buf[ADDR_TEXT_SIZE];

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr source;
        size_t used;
        enum proxyline_result r = parse(text(rows[i].line), &source, &used);

        assert_int_equal(r, rows[i].source != NULL ? PROXYLINE_DONE : PROXYLINE_BROKEN);
        if (rows[i].source == NULL)
            continue;
        assert_int_equal(used, strlen(rows[i].line));
        assert_string_equal(addr_text_port(&source, buf), rows[i].source);
    }
}

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static void test_version_2_names_the_client(void **state)
{
    static const struct { struct slice bytes; const char *source; } rows[] = {
        { { V2 "\x21\x11\0\x0c" "\xc0\0\x02\x01" "\xc6\x33\x64\x01" "\xdc\x04" "\x01\xbb", 28 }, "192.0.2.1:56324" },
        { { V2 "\x21\x11\0\x0f" "\xc0\0\x02\x01" "\xc6\x33\x64\x01" "\xdc\x04" "\x01\xbb" "\x04\0\0", 31 }, "192.0.2.1:56324" },
        { { V2 "\x21\x21\0\x24" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" "\0\x01\0\x02", 52 },
          "[2001:db8::1]:1" },
        { { V2 "\x20\0\0\0", 16 }, "-:0" },          /* LOCAL */
        { { V2 "\x20\x11\0\0", 16 }, "-:0" },        /* LOCAL, whatever it says about families */
        { { V2 "\x21\0\0\0", 16 }, "-:0" },          /* UNSPEC */
        { { V2 "\x21\x31\0\x02zz", 18 }, "-:0" },    /* Unix */
        { { V2 "\x21\x11\0\x0b" "01234567890", 27 }, NULL },
        { { V2 "\x11\x11\0\x0c" "012345678901", 28 }, NULL },
        { { V2 "\x22\x11\0\x0c" "012345678901", 28 }, NULL },
        { { V2 "\x21\x13\0\x0c" "012345678901", 28 }, NULL },
        { { V2 "\x21\x41\0\x0c" "012345678901", 28 }, NULL },
        { { V2 "\x21\x11\xff\xff", 16 }, NULL },     /* longer than we read */
    };
    char buf[ADDR_TEXT_SIZE];

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr source;
        size_t used;
        enum proxyline_result r = parse(rows[i].bytes, &source, &used);

        assert_int_equal(r, rows[i].source != NULL ? PROXYLINE_DONE : PROXYLINE_BROKEN);
        if (rows[i].source == NULL)
            continue;
        assert_int_equal(used, rows[i].bytes.n);
        assert_string_equal(addr_text_port(&source, buf), rows[i].source);
    }
}

static void test_what_follows_the_header_is_left_alone(void **state)
{
    struct addr source;
    size_t used;

    (void)state;
    assert_int_equal(proxyline_parse("PROXY UNKNOWN\r\nGET /\r\n", 22, &source, &used), PROXYLINE_DONE);
    assert_int_equal(used, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_read_and_printed),
        cmocka_unit_test(test_ports_are_read_and_printed),
        cmocka_unit_test(test_networks_hold_their_addresses),
        cmocka_unit_test(test_lists_of_networks),
        cmocka_unit_test(test_lists_survive_lack_of_memory),
        cmocka_unit_test(test_version_1_names_the_client),
        cmocka_unit_test(test_version_2_names_the_client),
        cmocka_unit_test(test_what_follows_the_header_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

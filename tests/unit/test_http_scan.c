/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/io/http1_scan.h"

static enum http1_result scan(struct slice bytes, size_t step, struct http1_head *h, size_t *used)
{
    enum http1_result r = HTTP1_MORE;

    *h = (struct http1_head){ .max_bytes = 600, .max_target = 100, .max_headers = 5 };
    for (size_t n = step; r == HTTP1_MORE; n += step) {
        size_t seen = n < bytes.n ? n : bytes.n;
        char *copy = malloc(seen + 1); /* of exactly that size, so that reading beyond is seen */

        assert_non_null(copy);
        memcpy(copy, bytes.s, seen);
        r = http1_head_scan(h, copy, seen, used);
        free(copy);
        if (seen == bytes.n)
            break;
    }
    return r;
}

/* The verdict must not depend on the pieces in which the bytes come. */
static enum http1_result verdict(struct slice bytes, struct http1_head *h, size_t *used)
{
    enum http1_result r = scan(bytes, 1, h, used);

    for (size_t step = 2; step <= bytes.n; step += step < 8 ? 1 : bytes.n / 3 + 1) {
        size_t n = 0;

        assert_int_equal(scan(bytes, step, h, &n), r);
        if (r == HTTP1_DONE)
            assert_int_equal(n, *used);
    }
    return r;
}

struct shape {
    const char *text;
    enum http1_result result;
};

static void check(const struct shape *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct http1_head h;
        size_t used = 0;
        enum http1_result r = verdict((struct slice){ rows[i].text, strlen(rows[i].text) }, &h, &used);

        if (r != rows[i].result)
            fail_msg("result %d instead of %d (%s) for:\n%s", r, rows[i].result, h.reason != NULL ? h.reason : "", rows[i].text);
        if (r == HTTP1_DONE)
            assert_int_equal(used, strlen(rows[i].text));
        if (r == HTTP1_MALFORMED || r == HTTP1_UNSUPPORTED)
            assert_non_null(h.reason);
    }
}

#define CHECK(ROWS) check((ROWS), sizeof(ROWS) / sizeof(ROWS)[0])
#define H "Host: a\r\n"

static void test_sound_heads_are_read(void **state)
{
    static const struct shape rows[] = {
        { "GET / HTTP/1.1\r\n" H "\r\n", HTTP1_DONE },
        { "\r\nGET / HTTP/1.1\r\n" H "\r\n", HTTP1_DONE },
        { "GET / HTTP/1.0\r\n\r\n", HTTP1_DONE },
        { "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nX:\r\nY: \t a b \xc3\xa9 \t\r\n\r\n", HTTP1_DONE },
        { "POST /a?b=%20{}|^ HTTP/1.1\r\nhOsT: a.b:8080\r\nContent-Length: 00\r\n\r\n", HTTP1_DONE },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", HTTP1_DONE },
        { "GET / HTTP/1.1\r\n" H, HTTP1_MORE },
        { "", HTTP1_MORE },
        { "\r", HTTP1_MORE },
    };

    (void)state;
    CHECK(rows);
}

static void test_smuggling_shapes_are_refused(void **state)
{
    static const struct shape rows[] = {
        { "GET / HTTP/1.1\n" H "\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: a\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H "\n", HTTP1_MALFORMED },
        { "\nGET / HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r" H "\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost : a\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n Host: a\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H "X: b\r\n c\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H "X: b\r\n\tc\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H ": b\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H "X\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H "X\xc3\xa9: a\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\n" H H "\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 9999999999999999999\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b" "chunked\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_MALFORMED },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP1_UNSUPPORTED },
    };

    (void)state;
    CHECK(rows);
}

static void test_nul_is_refused(void **state)
{
    static const struct slice rows[] = {
        { "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29 },
        { "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 29 },
        { "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n", 34 },
    };
    struct http1_head h;
    size_t used;

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(verdict(rows[i], &h, &used), HTTP1_MALFORMED);
}

static void test_request_lines_are_strict(void **state)
{
    static const struct shape rows[] = {
        { "GET  / HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET /  HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1 \r\n" H "\r\n", HTTP1_MALFORMED },
        { " GET / HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET\t/\tHTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET /\r\n\r\n", HTTP1_MALFORMED },
        { "GET / http/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/1.x\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET /#a HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "G@T / HTTP/1.1\r\n" H "\r\n", HTTP1_MALFORMED },
        { "GET / HTTP/2.0\r\n" H "\r\n", HTTP1_VERSION },
        { "GET / HTTP/1.2\r\n" H "\r\n", HTTP1_VERSION },
        { "GET / HTTP/0.9\r\n" H "\r\n", HTTP1_VERSION },
    };

    (void)state;
    CHECK(rows);
}

static void test_limits_hold(void **state)
{
    char text[1200];
    struct http1_head h;
    size_t used;

    (void)state;
    (void)snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\n" H "\r\n", 99, 0);
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_DONE);
    (void)snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\n" H "\r\n", 100, 0);
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_TARGET_SIZE);
    (void)snprintf(text, sizeof text, "GET /%0*d", 200, 0);
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_TARGET_SIZE);
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" H "X: %0*d\r\n\r\n", 600 - 32, 0);
    assert_int_equal(strlen(text), 600);
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_DONE);
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" H "X: %0*d\r\n\r\n", 601 - 32, 0);
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_HEADER_SIZE);
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" H "X: %0*d", 1000, 0);
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_HEADER_SIZE);
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" H "a:\r\nb:\r\nc:\r\nd:\r\n\r\n");
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_DONE);
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" H "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\n\r\n");
    assert_int_equal(verdict((struct slice){ text, strlen(text) }, &h, &used), HTTP1_HEADER_COUNT);
}

static void test_findings(void **state)
{
    static const char text[] = "\r\nPATCH /a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 0017\r\n\r\nrest";
    struct http1_head h;
    size_t used;

    (void)state;
    assert_int_equal(scan((struct slice){ text, sizeof text - 1 }, sizeof text - 1, &h, &used), HTTP1_DONE);
    assert_string_equal(text + used, "rest");
    assert_int_equal(h.begin, 2);
    assert_int_equal(h.method_n, 5);
    assert_memory_equal(text + h.target_at, "/a/b ", 5);
    assert_int_equal(h.target_n, 4);
    assert_int_equal(h.length, 17);
    assert_true(h.has_length && !h.chunked && h.minor == 1 && h.n_headers == 2);
}

/* ---- chunks ----------------------------------------------------------------------------------------------------------- */

static enum http1_result scan_chunks(const char *text, size_t step, size_t *total)
{
    struct http1_chunks c = { .max_trailer_bytes = 100 };
    enum http1_result r = HTTP1_MORE;
    size_t n = strlen(text);

    *total = 0;
    while (r == HTTP1_MORE && *total < n) {
        size_t used = 0;

        r = http1_chunks_scan(&c, text + *total, step < n - *total ? step : n - *total, &used);
        *total += used;
    }
    return r;
}

static void test_chunks_are_strict(void **state)
{
    static const struct shape rows[] = {
        { "0\r\n\r\n", HTTP1_DONE },
        { "5\r\nhello\r\n0\r\n\r\n", HTTP1_DONE },
        { "00a;x=y;z=\"q\"\r\n0123456789\r\n000\r\nTrailer: a\r\nB:\r\n\r\n", HTTP1_DONE },
        { "5\r\nhello\r\n", HTTP1_MORE },
        { "5\r\nhel", HTTP1_MORE },
        { "\r\n", HTTP1_MALFORMED },
        { "g\r\n", HTTP1_MALFORMED },
        { "-1\r\n", HTTP1_MALFORMED },
        { "0x5\r\nhello\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { "5 \r\nhello\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { " 5\r\nhello\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { "5\nhello\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { "5\rhello\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { "5\r\nhello0\r\n\r\n", HTTP1_MALFORMED },
        { "5\r\nhello\n0\r\n\r\n", HTTP1_MALFORMED },
        { "5\r\nhello!\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { "5;a\nb\r\nhello\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { "5;a\rb\r\nhello\r\n0\r\n\r\n", HTTP1_MALFORMED },
        { "1234567890abcdef\r\n", HTTP1_MALFORMED },
        { "0000000000000000\r\n\r\n", HTTP1_MALFORMED },
        { "0\r\nTrailer : a\r\n\r\n", HTTP1_MALFORMED },
        { "0\r\n Trailer: a\r\n\r\n", HTTP1_MALFORMED },
        { "0\r\nTrailer: a\n\r\n", HTTP1_MALFORMED },
        { "0\r\n\rx", HTTP1_MALFORMED },
        { "0\r\nT: 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n", HTTP1_MALFORMED },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t step = 1; step <= strlen(rows[i].text); step++) {
            size_t total;

            assert_int_equal(scan_chunks(rows[i].text, step, &total), rows[i].result);
            if (rows[i].result == HTTP1_DONE)
                assert_int_equal(total, strlen(rows[i].text));
        }
    }
}

static void test_chunk_extensions_are_bounded(void **state)
{
    char text[400];
    size_t total;

    (void)state;
    (void)snprintf(text, sizeof text, "1;%0*d\r\nx\r\n0\r\n\r\n", 250, 0);
    assert_int_equal(scan_chunks(text, 7, &total), HTTP1_DONE);
    (void)snprintf(text, sizeof text, "1;%0*d\r\nx\r\n0\r\n\r\n", 300, 0);
    assert_int_equal(scan_chunks(text, 7, &total), HTTP1_MALFORMED);
}

/* The table of byte classes against the definitions it was made from. */
static void test_byte_classes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[1] = { (char)c };
        struct slice one = { text, 1 };
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        assert_int_equal(http_token_is_valid(one), alnum || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL));
        assert_int_equal(http_target_is_valid(one), c > 0x20 && c < 0x7f && c != '#');
        assert_int_equal(http_value_is_valid(one), c == '\t' || (c >= 0x20 && c != 0x7f));
        assert_int_equal(http_host_is_valid(one), alnum || (c != 0 && strchr("-._~%!$&'()*+,;=", c) != NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_heads_are_read),
        cmocka_unit_test(test_smuggling_shapes_are_refused),
        cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_request_lines_are_strict),
        cmocka_unit_test(test_limits_hold),
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_chunks_are_strict),
        cmocka_unit_test(test_chunk_extensions_are_bounded),
        cmocka_unit_test(test_byte_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

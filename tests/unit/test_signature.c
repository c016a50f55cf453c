/* SPDX-License-Identifier: Apache-2.0 */
/* Signed requests: the two published examples, and everything that must not pass. */
#include "tests/lib/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "api/query.h"
#include "src/base/clock.h"
#include "src/iam/signature.h"

#define SECRET SLICE("2fc0c299cc94c6be266f2ceece765d4d")
#define SCHEME "OCP-ACCESS-KEY-HMACSHA1 "

static struct slice sized(const char *text)
{
    return (struct slice){ text, strlen(text) };
}

/* ---- the two examples -------------------------------------------------------------------------------------------------- */

struct example {
    const char *authorization, *method, *host, *target, *body;
    struct http_header headers[6];
    unsigned n_headers;
    const char *text;
};

static const struct example examples[] = {
    { "OCP-ACCESS-KEY-HMACSHA1 cqammmxBpfGjFlto:XN8P+O+v3vUabB16ZCooq5wMJoY=", "POST", "ocp.alibaba.net:8080", "/api/v2/compute/idcs",
      "{\"name\":\"test01\",\"description\":\"test\",\"regionId\":1}",
      { { SLICE("content-type"), SLICE("application/json") },
        { SLICE("x-ocp-data"), SLICE("A,1") },
        { SLICE("date"), SLICE("Tue, 17 Jan 2023 09:13:57 GMT") } },
      3,
      "POST\n186974DB33A090A16D3E2CA35F547B56\napplication/json\nTue, 17 Jan 2023 09:13:57 GMT\nocp.alibaba.net:8080\nx-ocp-data:A,1\n"
      "/api/v2/compute/idcs" },
    { "OCP-ACCESS-KEY-HMACSHA1 cqammmxBpfGjFlto:TsQD6HDOuZuJ409m0wdnZPmijlc=", "GET", "ocp.alibaba.net:8080",
      "/api/v2/compute/idcs?size=100", "",
      { { SLICE("content-type"), SLICE("application/json;charset=utf-8") }, { SLICE("date"), SLICE("Tue, 17 Jan 2023 04:14:02 GMT") } },
      2,
      "GET\n\napplication/json;charset=utf-8\nTue, 17 Jan 2023 04:14:02 GMT\nocp.alibaba.net:8080\n\n/api/v2/compute/idcs?size=100" },
};

static struct signed_request request_of(const struct example *x)
{
    return (struct signed_request){ .method = sized(x->method), .host = sized(x->host), .target = sized(x->target), .headers = x->headers,
                                    .n_headers = x->n_headers };
}

static bool matches(const char *authorization, const struct signed_request *rq, const char *body, struct slice secret)
{
    struct signature s;
    struct arena arena;
    struct err e = { 0 };
    bool yes;

    assert_int_equal(signature_read(sized(authorization), &s), SIGNATURE_OK);
    arena_init(&arena);
    assert_ok(signature_matches(&s, rq, sized(body), secret, &arena, &yes, &e), &e);
    arena_fini(&arena);
    return yes;
}

static void test_examples(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct example *x = &examples[i];
        struct signed_request rq = request_of(x);
        struct str t;

        str_init(&t, NULL);
        signature_add_text(&t, &rq, i == 0 ? "186974DB33A090A16D3E2CA35F547B56" : "", rq.host, rq.target);
        assert_string_equal(str_c(&t), x->text);
        str_fini(&t);
        assert_true(matches(x->authorization, &rq, x->body, SECRET));
        assert_false(matches(x->authorization, &rq, x->body, SLICE("2fc0c299cc94c6be266f2ceece765d4e")));
    }
}

static void test_whatever_is_altered_counts_no_more(void **state)
{
    const struct example *x = &examples[0];
    struct signed_request right = request_of(x), rq;
    struct http_header headers[3];

    (void)state;
    assert_false(matches(x->authorization, &right, "{\"name\": \"test01\", \"description\": \"test\", \"regionId\": 1}", SECRET));
    assert_false(matches(x->authorization, &right, "", SECRET));
    rq = right, rq.method = SLICE("GET");
    assert_false(matches(x->authorization, &rq, x->body, SECRET));
    rq = right, rq.target = SLICE("/api/v2/compute/idcs?");
    assert_false(matches(x->authorization, &rq, x->body, SECRET));
    rq = right, rq.host = SLICE("ocp.alibaba.net");
    assert_false(matches(x->authorization, &rq, x->body, SECRET));
    for (unsigned i = 0; i < 3; i++) {
        memcpy(headers, x->headers, sizeof headers);
        headers[i].value.n--;
        rq = right, rq.headers = headers;
        assert_false(matches(x->authorization, &rq, x->body, SECRET));
        headers[i].value = (struct slice){ NULL, 0 };
        assert_false(matches(x->authorization, &rq, x->body, SECRET));
    }
    rq = right, rq.n_headers = 0;
    assert_false(matches(x->authorization, &rq, x->body, SECRET));
}

/* What a client does. */
static void sign(const struct signed_request *rq, char *header, size_t size)
{
    unsigned char mac[EVP_MAX_MD_SIZE], base64[64];
    unsigned n = 0;
    struct str t;

    str_init(&t, NULL);
    signature_add_text(&t, rq, "", rq->host, rq->target);
    assert_non_null(HMAC(EVP_sha1(), SECRET.s, (int)SECRET.n, (const unsigned char *)t.s, t.n, mac, &n));
    str_fini(&t);
    (void)EVP_EncodeBlock(base64, mac, (int)n);
    (void)snprintf(header, size, SCHEME "key:%s", (const char *)base64);
}

/* ---- what is signed ---------------------------------------------------------------------------------------------------- */

static void test_ocp_headers_are_sorted_and_joined(void **state)
{
    const struct http_header headers[] = {
        { SLICE("x-ocp-zone"), SLICE("z") }, { SLICE("x-ocp-a"), SLICE("2") },  { SLICE("x-other"), SLICE("no") },
        { SLICE("x-ocp-a"), SLICE("10") },   { SLICE("x-ocp-ab"), SLICE("") },
    };
    struct signed_request rq = { .method = SLICE("GET"), .headers = headers, .n_headers = 5 };
    struct str t;

    (void)state;
    str_init(&t, NULL);
    signature_add_text(&t, &rq, "", SLICE("h"), SLICE("/"));
    assert_string_equal(str_c(&t), "GET\n\n\n\nh\nx-ocp-a:10,2\nx-ocp-ab:\nx-ocp-zone:z\n/");
    str_fini(&t);
}

/* The signer kept or added a port that the header has not, or has. */
static void test_default_ports(void **state)
{
    static const struct {
        const char *signed_host, *sent;
        bool fits;
    } rows[] = {
        { "ocp.example:80", "ocp.example", true },   { "ocp.example:443", "ocp.example", true },    { "ocp.example", "ocp.example:80", true },
        { "ocp.example", "ocp.example:443", true },  { "ocp.example", "ocp.example:8080", false },  { "ocp.example:8080", "ocp.example", false },
        { "ocp.example:80", "ocp.example:443", false }, { "[::1]", "[::1]:80", true },              { "[::1]:443", "[::1]", true },
        { "other", "ocp.example", false },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signed_request rq = { .method = SLICE("GET"), .host = sized(rows[i].signed_host), .target = SLICE("/x") };
        char header[128];

        sign(&rq, header, sizeof header);
        rq.host = sized(rows[i].sent);
        assert_int_equal(matches(header, &rq, "", SECRET), rows[i].fits);
    }
}

static void test_canonical_query_is_accepted(void **state)
{
    static const struct {
        const char *query, *canonical;
    } rows[] = {
        { "b=2&a=1", "a=1&b=2" },
        { "t=2023-01-17T09:13:57%2b08:00", "t=2023-01-17T09%3A13%3A57%2B08%3A00" },
        { "a=z&a=b", "a=b,z" },
        { "a=x+y%20z&p=/", "a=x%20y%20z&p=%2F" },
        { "a=1,2&empty=&bare", "a=1%2C2&bare=&empty=" },
        { "u=%C3%A4-._~", "u=%C3%A4-._~" },
        { "", "" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signed_request rq = { .method = SLICE("GET"), .host = SLICE("h") };
        struct arena arena;
        struct err e = { 0 };
        struct str canonical;
        char header[128], sent[128];

        arena_init(&arena);
        str_init(&canonical, &arena);
        str_add(&canonical, "/x?");
        assert_ok(query_canonical(sized(rows[i].query), &arena, &canonical, &e), &e);
        assert_string_equal(str_c(&canonical) + 3, rows[i].canonical);
        rq.target = (struct slice){ canonical.s, canonical.n };
        sign(&rq, header, sizeof header);
        (void)snprintf(sent, sizeof sent, "/x?%s", rows[i].query);
        rq.canonical = rq.target;
        rq.target = sized(sent);
        assert_true(matches(header, &rq, "", SECRET));
        rq.canonical = (struct slice){ NULL, 0 };
        assert_int_equal(matches(header, &rq, "", SECRET), strcmp(rows[i].query, rows[i].canonical) == 0);
        arena_fini(&arena);
    }
}

/* ---- header and date --------------------------------------------------------------------------------------------------- */

static void test_the_header_is_read_strictly(void **state)
{
    static const char mac[] = "XN8P+O+v3vUabB16ZCooq5wMJoY=";
    static const struct {
        const char *before, *after;
        enum signature_read expected;
    } rows[] = {
        { SCHEME "k:", "", SIGNATURE_OK },
        { "ocp-access-key-hmacsha1 k:", "", SIGNATURE_ABSENT },
        { "OCP-ACCESS-KEY-HMACSHA256 k:", "", SIGNATURE_ABSENT },
        { "OCP-ACCESS-KEY-HMACSHA1\tk:", "", SIGNATURE_ABSENT },
        { SCHEME, "", SIGNATURE_MALFORMED },
        { SCHEME ":", "", SIGNATURE_MALFORMED },
        { SCHEME "k:", "A", SIGNATURE_MALFORMED },
        { SCHEME "k:A", "", SIGNATURE_MALFORMED },
        { SCHEME "k k:", "", SIGNATURE_MALFORMED },
        { SCHEME "k\x01:", "", SIGNATURE_MALFORMED },
        { SCHEME "k\xc3\xa4:", "", SIGNATURE_MALFORMED },
        { SCHEME "0123456789012345678901234567890123456789012345678901234567890123:", "", SIGNATURE_OK },
        { SCHEME "01234567890123456789012345678901234567890123456789012345678901234:", "", SIGNATURE_MALFORMED },
    };
    struct signature s;
    char text[256];

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(text, sizeof text, "%s%s%s", rows[i].before, mac, rows[i].after);
        assert_int_equal(signature_read(sized(text), &s), rows[i].expected);
    }
    assert_int_equal(signature_read((struct slice){ NULL, 0 }, &s), SIGNATURE_ABSENT);
    assert_int_equal(signature_read(SLICE("OCP-ACCESS-KEY-HMACSHA1 "), &s), SIGNATURE_MALFORMED);
}

static void test_the_window(void **state)
{
    const int64_t then_us = INT64_C(1673946837000000), minutes_us = 60 * INT64_C(1000000);
    struct signed_request rq = request_of(&examples[0]);
    struct signed_request without = { .headers = rq.headers, .n_headers = 2 };

    (void)state;
    assert_true(signature_is_timely(&rq, then_us));
    assert_true(signature_is_timely(&rq, then_us + 15 * minutes_us - 1));
    assert_false(signature_is_timely(&rq, then_us + 15 * minutes_us));
    assert_true(signature_is_timely(&rq, then_us - 15 * minutes_us + 1));
    assert_false(signature_is_timely(&rq, then_us - 15 * minutes_us));
    assert_false(signature_is_timely(&without, then_us));
}

static void test_dates(void **state)
{
    static const char *const bad[] = {
        "", "Tue", "Tue, 17 Jan 2023 09:13:57", "Tue, 17 Jan 2023 09:13:57 CET", "Tue, 17 Jan 2023 09:13:57 GMT+1", "17 Jan 2023 09:13:57 GMT",
        "Tue, 17 jan 2023 09:13:57 GMT", "Tue, 17 Jan 23 09:13:57 GMT", "Tue, 17 Jan 2023 24:13:57 GMT", "Tue 17 Jan 2023 09:13:57 GMT",
        "2023-01-17T09:13:57Z", "Tue, 32 Jan 2023 09:13:57 GMT", "Tuesday, 17-Jan-23 09:13:57 GMT", " Tue, 17 Jan 2023 09:13:57 GMT",
    };
    char text[CLOCK_TEXT_SIZE];
    int64_t us;

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(clock_parse_http_date(sized(bad[i]), &us));
    for (int64_t t = 0; t < INT64_C(4000000000000000); t += INT64_C(12345678000000)) {
        assert_true(clock_parse_http_date(sized(clock_http_date(t, text)), &us));
        assert_int_equal(us, t);
    }
    assert_true(clock_parse_http_date(SLICE("Tue, 3 Jan 2023 09:13:57 GMT"), &us));
    assert_int_equal(us, INT64_C(1672737237000000));
}

static int sign_once(void *data)
{
    struct signed_request rq = { .method = SLICE("GET"), .host = SLICE("h"), .target = SLICE("/x") };
    struct signature s;
    struct arena arena;
    struct err e = { 0 };
    bool yes;
    int rv;

    assert_int_equal(signature_read(sized(data), &s), SIGNATURE_OK);
    arena_init(&arena);
    rv = signature_matches(&s, &rq, SLICE(""), SECRET, &arena, &yes, &e);
    arena_fini(&arena);
    return rv;
}

static void test_out_of_memory(void **state)
{
    static char header[] = SCHEME "k:XN8P+O+v3vUabB16ZCooq5wMJoY=";

    (void)state;
    test_oom_sweep(sign_once, header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_whatever_is_altered_counts_no_more),
        cmocka_unit_test(test_ocp_headers_are_sorted_and_joined),
        cmocka_unit_test(test_default_ports),
        cmocka_unit_test(test_canonical_query_is_accepted),
        cmocka_unit_test(test_the_header_is_read_strictly),
        cmocka_unit_test(test_the_window),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

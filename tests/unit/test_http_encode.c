/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <zlib.h>
#include <zstd.h>

#include "src/io/http_chain.h"
#include "src/io/http_encode.h"

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static void test_the_best_coding_is_chosen(void **state)
{
    static const struct { const char *accept; enum http_coding coding; } rows[] = {
        { "", HTTP_IDENTITY }, { "gzip", HTTP_GZIP }, { "gzip, deflate, br, zstd", HTTP_ZSTD }, { "zstd;q=0.5, gzip", HTTP_GZIP },
        { "zstd;q=0.5, gzip;q=0.5", HTTP_ZSTD }, { "GZIP;q=1.000", HTTP_GZIP }, { "gzip;q=0", HTTP_IDENTITY }, { "*", HTTP_ZSTD },
        { "*;q=0.1, zstd;q=0", HTTP_GZIP }, { "identity", HTTP_IDENTITY }, { "gzip;q=2", HTTP_IDENTITY }, { "gzip;q=0.0001", HTTP_IDENTITY },
        { "br", HTTP_IDENTITY }, { ",,;,gzip;;q=0.3", HTTP_GZIP }, { "x-gzip", HTTP_GZIP }, { "gzipped", HTTP_IDENTITY },
        { "gzip;q=", HTTP_GZIP },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(http_coding_choose(text(rows[i].accept), 1u << HTTP_GZIP | 1u << HTTP_ZSTD), rows[i].coding);
    assert_int_equal(http_coding_choose(text("gzip, zstd"), 1u << HTTP_GZIP), HTTP_GZIP);
    assert_int_equal(http_coding_choose(text("gzip, zstd"), 0), HTTP_IDENTITY);
}

static void test_types_worth_compressing(void **state)
{
    (void)state;
    assert_true(http_type_is_compressible(text("application/json")));
    assert_true(http_type_is_compressible(text("Text/HTML; charset=utf-8")));
    assert_true(http_type_is_compressible(text("application/problem+json")));
    assert_true(http_type_is_compressible(text("image/svg+xml")));
    assert_false(http_type_is_compressible(text("text/event-stream")));
    assert_false(http_type_is_compressible(text("image/png")));
    assert_false(http_type_is_compressible(text("application/octet-stream")));
    assert_false(http_type_is_compressible((struct slice){ NULL, 0 }));
}

enum { BODY = 400 * 1000 };

static void unpack(enum http_coding coding, struct slice in, char *out, size_t size)
{
    if (coding == HTTP_ZSTD) {
        assert_int_equal(ZSTD_decompress(out, size, in.s, in.n), size);
    } else {
        z_stream z = { .next_in = (Bytef *)(uintptr_t)in.s, .avail_in = (uInt)in.n, .next_out = (Bytef *)out, .avail_out = (uInt)size };

        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.avail_out, 0);
        assert_int_equal(inflateEnd(&z), Z_OK);
    }
}

static void round_trip(struct http_encoder *c, enum http_coding coding, size_t n, struct work_pool *pool)
{
    static char in[BODY], out[BODY];
    struct arena arena;
    struct slice packed;

    for (size_t i = 0; i < n; i++)
        in[i] = (char)('a' + i % 7 + i / 1000 % 13);
    arena_init(&arena);
    assert_true(http_encode(c, coding, (struct slice){ in, n }, pool, &arena, &packed));
    assert_true(packed.n < n / 2);
    unpack(coding, packed, out, n);
    assert_memory_equal(in, out, n);
    arena_fini(&arena);
}

static void in_fiber(void *pool)
{
    struct http_encoder *c = http_encoder_new();

    assert_non_null(c);
    for (enum http_coding coding = HTTP_GZIP; coding < HTTP_CODINGS; coding++) {
        round_trip(c, coding, 2000, pool);
        round_trip(c, coding, BODY, pool);
        round_trip(c, coding, BODY, NULL);
        round_trip(c, coding, 5000, pool);
    }
    http_encoder_free(c);
}

static void test_bodies_come_back_whole(void **state)
{
    struct work_conf conf = { "compress", 1, 10 };
    struct work_pool *pool;
    struct err e;

    (void)state;
    assert_ok(work_pool_new(&conf, &pool, &e), &e);
    test_in_fiber(in_fiber, pool);
    assert_int_equal(work_stats(pool).done, 2); /* only the large bodies with a pool */
    work_pool_free(pool);
}

static void test_what_does_not_shrink_stays(void **state)
{
    struct http_encoder *c = http_encoder_new();
    struct arena arena;
    struct slice packed;

    (void)state;
    arena_init(&arena);
    assert_false(http_encode(c, HTTP_GZIP, SLICE("0f9A"), NULL, &arena, &packed));
    assert_false(http_encode(c, HTTP_ZSTD, SLICE("0f9A"), NULL, &arena, &packed));
    arena_fini(&arena);
    http_encoder_free(c);
}

/* ---- chains ----------------------------------------------------------------------------------------------------------- */

static void fill_and_empty(bool small)
{
    struct http_pool pool = { .free = NULL };
    struct http_chain c = { .n = 0 };
    unsigned char in[3000], out[3000];
    size_t put = 0, taken = 0;

    for (unsigned i = 0; i < sizeof in; i++)
        in[i] = (unsigned char)(i * 7);
    for (unsigned round = 1; round < 400; round++) {
        size_t n = round * 37 % sizeof in;

        for (size_t i = 0; i < n; i++)
            in[i] = (unsigned char)((put + i) * 13);
        assert_true(http_chain_put(&c, &pool, in, n, small));
        put += n;
        n = http_chain_take(&c, &pool, out, round * 53 % sizeof out);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[i], (unsigned char)((taken + i) * 13));
        taken += n;
        assert_int_equal(c.n, put - taken);
    }
    http_chain_drop(&c, &pool, SIZE_MAX);
    assert_int_equal(c.n, 0);
    assert_null(c.first);
    http_pool_fini(&pool);
}

static void test_chains_keep_bytes_in_order(void **state)
{
    (void)state;
    fill_and_empty(false);
    fill_and_empty(true);
}

static void test_chains_show_their_blocks(void **state)
{
    static char bytes[HTTP_BLOCK_BYTES * 3 + 5];
    struct http_pool pool = { .free = NULL };
    struct http_chain c = { .n = 0 };
    uv_buf_t buf[2];
    size_t n;

    (void)state;
    assert_true(http_chain_put(&c, &pool, bytes, sizeof bytes, false));
    http_chain_drop(&c, &pool, 10);
    assert_int_equal(http_chain_buffers(&c, buf, 2, &n), 2);
    assert_int_equal(n, 2 * HTTP_BLOCK_BYTES - 10);
    http_chain_drop(&c, &pool, SIZE_MAX);
    assert_int_equal(pool.n_free, 4);
    http_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_coding_is_chosen),
        cmocka_unit_test(test_types_worth_compressing),
        cmocka_unit_test(test_bodies_come_back_whole),
        cmocka_unit_test(test_what_does_not_shrink_stays),
        cmocka_unit_test(test_chains_keep_bytes_in_order),
        cmocka_unit_test(test_chains_show_their_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

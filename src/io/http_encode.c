/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/http_encode.h"

#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "src/io/fiber.h"

enum { POOL_BYTES = 256 * 1024, ZSTD_LEVEL = 1, GZIP_LEVEL = 1, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

struct http_encoder {
    z_stream gzip;
    ZSTD_CCtx *zstd;   /* owned; NULL until needed */
    bool has_gzip;
};

struct slice http_coding_name(enum http_coding c)
{
    static const struct slice names[] = {
        [HTTP_IDENTITY] = { "identity", 8 }, [HTTP_GZIP] = { "gzip", 4 }, [HTTP_ZSTD] = { "zstd", 4 },
    };

    return names[c];
}

/* ---- choosing ------------------------------------------------------------------------------------------------------- */

/* qvalue (RFC 9110 12.4.2) in thousandths; what is no qvalue counts as 0. */
static int read_q(struct slice v)
{
    int q = 0, scale = 1000;

    if (v.n == 0 || v.n > 5 || (v.s[0] != '0' && v.s[0] != '1') || (v.n > 1 && v.s[1] != '.'))
        return 0;
    for (size_t i = 0; i < v.n; i++) {
        if (i == 1)
            continue;
        if (v.s[i] < '0' || v.s[i] > '9')
            return 0;
        q += (v.s[i] - '0') * scale;
        scale /= 10;
    }
    return q <= 1000 ? q : 0;
}

static int q_of(struct slice parameters)
{
    while (parameters.n > 0) {
        struct slice p = slice_trim(slice_cut(&parameters, ';'));

        if (p.n > 2 && (p.s[0] == 'q' || p.s[0] == 'Q') && p.s[1] == '=')
            return read_q((struct slice){ p.s + 2, p.n - 2 });
    }
    return 1000;
}

enum http_coding http_coding_choose(struct slice accept, unsigned have)
{
    int q[HTTP_CODINGS] = { [HTTP_GZIP] = -1, [HTTP_ZSTD] = -1 };
    enum http_coding best = HTTP_IDENTITY;
    int any = -1, best_q = 0;

    while (accept.n > 0) {
        struct slice item = slice_cut(&accept, ',');
        struct slice name = slice_trim(slice_cut(&item, ';'));

        if (slice_is_nocase(name, "gzip") || slice_is_nocase(name, "x-gzip"))
            q[HTTP_GZIP] = q_of(item);
        else if (slice_is_nocase(name, "zstd"))
            q[HTTP_ZSTD] = q_of(item);
        else if (slice_is(name, "*"))
            any = q_of(item);
    }
    for (enum http_coding c = HTTP_GZIP; c < HTTP_CODINGS; c++) {
        int wish = q[c] >= 0 ? q[c] : any;

        if ((have & 1u << c) != 0 && wish > 0 && wish >= best_q) {
            best = c;
            best_q = wish;
        }
    }
    return best;
}

bool http_type_is_compressible(struct slice type)
{
    static const char *const whole[] = { "application/json", "application/javascript", "application/xml", "application/wasm",
                                         "application/openmetrics-text", "application/yaml", "application/sql",
                                         "application/manifest+json", "image/svg+xml" };
    struct slice name = slice_trim(slice_cut(&type, ';'));

    if (name.n > 5 && strncasecmp(name.s, "text/", 5) == 0)
        return !slice_is_nocase(name, "text/event-stream");
    if (name.n > 5 && (strncasecmp(name.s + name.n - 5, "+json", 5) == 0 || strncasecmp(name.s + name.n - 4, "+xml", 4) == 0))
        return true;
    for (unsigned i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        if (slice_is_nocase(name, whole[i]))
            return true;
    }
    return false;
}

/* ---- compressing ---------------------------------------------------------------------------------------------------- */

struct http_encoder *http_encoder_new(void)
{
    return mem_zalloc(sizeof(struct http_encoder));
}

void http_encoder_free(struct http_encoder *c)
{
    if (c == NULL)
        return;
    if (c->has_gzip)
        (void)deflateEnd(&c->gzip); /* complains only about unfinished output */
    (void)ZSTD_freeCCtx(c->zstd);   /* documented to return 0 */
    mem_free(c);
}

static size_t gzip(struct http_encoder *c, struct slice in, char *out, size_t size)
{
    z_stream *z = &c->gzip;

    if (!c->has_gzip && deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    c->has_gzip = true;
    if (deflateReset(z) != Z_OK || in.n > UINT32_MAX || size > UINT32_MAX)
        return 0;
    z->next_in = (Bytef *)(uintptr_t)in.s;
    z->avail_in = (uInt)in.n;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)size;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? size - z->avail_out : 0;
}

static size_t zstd(struct http_encoder *c, struct slice in, char *out, size_t size)
{
    size_t n;

    if (c->zstd == NULL)
        c->zstd = ZSTD_createCCtx();
    if (c->zstd == NULL)
        return 0;
    n = ZSTD_compressCCtx(c->zstd, out, size, in.s, in.n, ZSTD_LEVEL);
    return ZSTD_isError(n) ? 0 : n;
}

/* Compressed size, 0 if it does not fit into `size`. */
static size_t encode(struct http_encoder *c, enum http_coding coding, struct slice in, char *out, size_t size)
{
    return coding == HTTP_GZIP ? gzip(c, in, out, size) : zstd(c, in, out, size);
}

struct job {
    struct work work;
    enum http_coding coding;
    size_t n_in, n_out;
    char bytes[];       /* n_in bytes of input, then as many for output */
};

static void job_run(struct work *w)
{
    struct job *j = (struct job *)w;
    struct http_encoder *c = http_encoder_new();

    if (c != NULL)
        j->n_out = encode(c, j->coding, (struct slice){ j->bytes, j->n_in }, j->bytes + j->n_in, j->n_in);
    http_encoder_free(c);
}

static void job_drop(struct work *w)
{
    mem_free(w);
}

/* The job has a copy of the body, since the fiber may give up waiting and take the body with it. */
static bool encode_on_pool(struct work_pool *pool, enum http_coding coding, struct slice in, struct arena *arena, struct slice *out)
{
    struct job *j = in.n < SIZE_MAX / 4 ? mem_alloc(sizeof *j + 2 * in.n) : NULL;
    char *copy = NULL;

    if (j == NULL)
        return false;
    *j = (struct job){ .work = { .run = job_run, .drop = job_drop }, .coding = coding, .n_in = in.n };
    memcpy(j->bytes, in.s, in.n);
    if (work_run(pool, &j->work, NULL) != 0)
        return false; /* busy or cancelled: the body goes out as it is, if at all */
    if (j->n_out > 0)
        copy = arena_strndup(arena, j->bytes + j->n_in, j->n_out);
    *out = (struct slice){ copy, j->n_out };
    mem_free(j);
    return copy != NULL;
}

bool http_encode(struct http_encoder *c, enum http_coding coding, struct slice in, struct work_pool *pool, struct arena *arena,
                 struct slice *out)
{
    char *buf;

    if (in.n > POOL_BYTES && pool != NULL && fiber_current() != NULL)
        return encode_on_pool(pool, coding, in, arena, out);
    buf = arena_alloc(arena, in.n);
    if (buf == NULL)
        return false;
    *out = (struct slice){ buf, encode(c, coding, in, buf, in.n) };
    return out->n > 0;
}

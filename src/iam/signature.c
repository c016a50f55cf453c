/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/iam/authorization.h"
#include "src/io/fiber.h"

#define SCHEME "OCP-ACCESS-KEY-HMACSHA1 "
#define OCP_PREFIX "x-ocp-"

enum { MD5_TEXT = 33, PORTION = 256 * 1024, MAX_HOSTS = 3 };

enum signature_read signature_read(struct slice header, struct signature *out)
{
    struct slice mac, key;
    char bytes[SIGNATURE_BYTES + 1];

    if (header.s == NULL || !slice_starts(header, SCHEME))
        return SIGNATURE_ABSENT;
    mac = slice_trim((struct slice){ header.s + sizeof SCHEME - 1, header.n - (sizeof SCHEME - 1) });
    key = slice_cut(&mac, ':');
    if (key.n == 0 || key.n > SIGNATURE_MAX_KEY || authorization_base64(mac, bytes, sizeof bytes) != SIGNATURE_BYTES)
        return SIGNATURE_MALFORMED;
    for (size_t i = 0; i < key.n; i++)
        if (key.s[i] <= ' ' || key.s[i] > '~')
            return SIGNATURE_MALFORMED;
    out->key = key;
    memcpy(out->mac, bytes, SIGNATURE_BYTES);
    return SIGNATURE_OK;
}

static struct slice header_of(const struct signed_request *rq, const char *name)
{
    for (unsigned i = 0; i < rq->n_headers; i++)
        if (slice_is(rq->headers[i].name, name))
            return rq->headers[i].value;
    return (struct slice){ NULL, 0 };
}

bool signature_is_timely(const struct signed_request *rq, int64_t wall_us)
{
    int64_t then_us, window_us = SIGNATURE_WINDOW_MS * INT64_C(1000);

    if (!clock_parse_http_date(header_of(rq, "date"), &then_us))
        return false;
    return then_us > wall_us - window_us && then_us < wall_us + window_us;
}

/* ---- the text --------------------------------------------------------------------------------------------------------- */

static int compare_slices(struct slice a, struct slice b)
{
    int by_text = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

    return by_text != 0 ? by_text : a.n < b.n ? -1 : a.n > b.n;
}

static int compare_headers(const void *a, const void *b)
{
    const struct http_header *x = *(const struct http_header *const *)a, *y = *(const struct http_header *const *)b;
    int by_name = compare_slices(x->name, y->name);

    return by_name != 0 ? by_name : compare_slices(x->value, y->value);
}

/* name:value, sorted by name; several values of one name sorted and joined by commas. Names are in lower case already. */
static void add_ocp_headers(struct str *t, const struct signed_request *rq)
{
    const struct http_header *found[100]; /* as many as a request may have */
    unsigned n = 0;

    for (unsigned i = 0; i < rq->n_headers && n < sizeof found / sizeof *found; i++)
        if (slice_starts(rq->headers[i].name, OCP_PREFIX))
            found[n++] = &rq->headers[i];
    qsort(found, n, sizeof *found, compare_headers);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0 && compare_slices(found[i]->name, found[i - 1]->name) == 0) {
            str_add_c(t, ',');
        } else {
            if (i > 0)
                str_add_c(t, '\n');
            str_add_n(t, found[i]->name.s, found[i]->name.n);
            str_add_c(t, ':');
        }
        str_add_n(t, found[i]->value.s, found[i]->value.n);
    }
}

static void add_line(struct str *t, struct slice text)
{
    if (text.n > 0)
        str_add_n(t, text.s, text.n);
    str_add_c(t, '\n');
}

void signature_add_text(struct str *t, const struct signed_request *rq, const char *md5, struct slice host, struct slice target)
{
    add_line(t, rq->method);
    add_line(t, (struct slice){ md5, strlen(md5) });
    add_line(t, header_of(rq, "content-type"));
    add_line(t, header_of(rq, "date"));
    add_line(t, host);
    add_ocp_headers(t, rq);
    str_add_c(t, '\n');
    str_add_n(t, target.s, target.n);
}

/* ---- does it fit? ------------------------------------------------------------------------------------------------------ */

static bool add_portion(EVP_MD_CTX *md, const char *bytes, size_t n)
{
    return EVP_DigestUpdate(md, bytes, n) == 1;
}

/* Upper-case hex; "" for an empty body. */
static int md5_of(struct slice body, char text[MD5_TEXT], struct err *e)
{
    static const char digits[] = "0123456789ABCDEF";
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool ok = md != NULL && EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1;
    int rv = 0;

    for (size_t at = 0; ok && rv == 0 && at < body.n; at += PORTION) {
        ok = add_portion(md, body.s + at, body.n - at < PORTION ? body.n - at : PORTION);
        if (at + PORTION < body.n && fiber_current() != NULL)
            rv = fiber_yield(e);
    }
    ok = ok && EVP_DigestFinal_ex(md, bytes, &n) == 1;
    EVP_MD_CTX_free(md);
    if (rv == 0 && !ok)
        return err_set(e, &ERR_UNEXPECTED, "MD5");
    for (unsigned i = 0; i < n; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[body.n > 0 ? 2 * n : 0] = '\0';
    return rv;
}

static bool ends_with(struct slice a, struct slice end)
{
    return a.n > end.n && memcmp(a.s + a.n - end.n, end.s, end.n) == 0;
}

static bool has_port(struct slice host)
{
    size_t i = host.n;

    while (i > 0 && host.s[i - 1] >= '0' && host.s[i - 1] <= '9')
        i--;
    return i < host.n && i > 0 && host.s[i - 1] == ':';
}

/* As it came; some clients leave out the default port in the header but sign it, or the other way round. */
static unsigned hosts_of(struct slice host, struct arena *arena, struct slice out[MAX_HOSTS])
{
    static const struct slice ports[] = { SLICE(":80"), SLICE(":443") };
    unsigned n = 0;

    out[n++] = host;
    for (unsigned i = 0; i < 2; i++) {
        char *more;

        if (ends_with(host, ports[i]))
            out[n++] = (struct slice){ host.s, host.n - ports[i].n };
        if (has_port(host))
            continue;
        more = arena_printf(arena, "%.*s%s", SLICE_FMT(host), ports[i].s);
        if (more != NULL)
            out[n++] = (struct slice){ more, host.n + ports[i].n };
    }
    return n;
}

static bool fits(const struct signature *s, const struct str *text, struct slice secret)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    return HMAC(EVP_sha1(), secret.s, (int)secret.n, (const unsigned char *)text->s, text->n, mac, &n) != NULL && n == SIGNATURE_BYTES &&
           CRYPTO_memcmp(mac, s->mac, SIGNATURE_BYTES) == 0;
}

int signature_matches(const struct signature *s, const struct signed_request *rq, struct slice body, struct slice secret, struct arena *arena,
                      bool *matches, struct err *e)
{
    struct slice hosts[MAX_HOSTS], targets[] = { rq->target, rq->canonical };
    unsigned n_hosts = hosts_of(rq->host, arena, hosts);
    char md5[MD5_TEXT];
    struct str text;
    int rv = md5_of(body, md5, e);

    *matches = false;
    str_init(&text, arena);
    for (unsigned t = 0; rv == 0 && t < 2 && targets[t].s != NULL; t++)
        for (unsigned h = 0; h < n_hosts && !*matches; h++) {
            str_clear(&text);
            signature_add_text(&text, rq, md5, hosts[h], targets[t]);
            if (str_failed(&text))
                return err_set(e, &ERR_NOMEM, "");
            *matches = fits(s, &text, secret);
        }
    return rv;
}

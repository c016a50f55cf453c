/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "src/base/clock.h"

/* Host and target of an absolute URL without user information. */
static bool cut_url(const char *url, struct slice *host, const char **target)
{
    const char *at = strstr(url, "://");

    if (at == NULL)
        return false;
    at += 3;
    *host = (struct slice){ at, strcspn(at, "/?") };
    *target = at + host->n;
    return host->n > 0 && **target == '/';
}

static bool add_md5(struct str *t, struct slice body)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (body.n == 0)
        return true;
    if (EVP_Digest(body.s, body.n, md, &n, EVP_md5(), NULL) != 1)
        return false;
    for (unsigned i = 0; i < n; i++)
        str_printf(t, "%02X", md[i]);
    return true;
}

static bool add_text(struct str *t, const struct signing *s, const char *date)
{
    struct slice host;
    const char *target;
    bool ok = cut_url(s->url, &host, &target);

    str_printf(t, "%s\n", s->method);
    ok = ok && add_md5(t, s->body);
    if (ok)
        str_printf(t, "\n%s\n%s\n%.*s\n\n%s", s->content_type, date, SLICE_FMT(host), target);
    return ok;
}

int sign_headers(const struct signing *s, struct arena *arena, const char *headers[2], struct err *e)
{
    unsigned char mac[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];
    char date[CLOCK_TEXT_SIZE];
    struct str text;
    unsigned n = 0;

    str_init(&text, arena);
    if (!add_text(&text, s, clock_http_date(s->wall_us, date)) || str_failed(&text) ||
        HMAC(EVP_sha1(), s->secret, (int)strlen(s->secret), (const unsigned char *)text.s, text.n, mac, &n) == NULL)
        return err_set(e, &ERR_UNEXPECTED, "signing a call");
    (void)EVP_EncodeBlock(base64, mac, (int)n);
    headers[0] = arena_printf(arena, "Date: %s", date);
    headers[1] = arena_printf(arena, "Authorization: OCP-ACCESS-KEY-HMACSHA1 %s:%s", s->key, (const char *)base64);
    return headers[0] != NULL && headers[1] != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

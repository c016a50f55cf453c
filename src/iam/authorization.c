/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/authorization.h"

#include <string.h>
#include <strings.h>

/* 0 to 63, or -1. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Bytes written, or -1. Padding is optional, but where there is some it has to be right; unused bits must be 0. */
int authorization_base64(struct slice in, char *out, size_t size)
{
    unsigned bits = 0, n_bits = 0;
    size_t n = 0, pads = 0;

    while (in.n > 0 && in.s[in.n - 1] == '=' && pads < 2)
        in.n--, pads++;
    if ((pads > 0 && (in.n + pads) % 4 != 0) || in.n % 4 == 1)
        return -1;
    for (size_t i = 0; i < in.n; i++) {
        int v = base64_value(in.s[i]);

        if (v < 0)
            return -1;
        bits = (bits << 6 | (unsigned)v) & 0xfff;
        n_bits += 6;
        if (n_bits >= 8) {
            if (n == size)
                return -1;
            n_bits -= 8;
            out[n++] = (char)(bits >> n_bits & 0xff);
        }
    }
    return (bits & ((1u << n_bits) - 1)) == 0 ? (int)n : -1;
}

/* Length of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7), without control characters; 0: there is none. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : low;
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : high;
    if (n < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return p[0] == 0xc2 && p[1] < 0xa0 ? 0 : len; /* C1 controls */
}

static bool is_text(const char *s, size_t n)
{
    for (size_t i = 0, len; i < n; i += len) {
        len = utf8_length((const unsigned char *)s + i, n - i);
        if (len == 0)
            return false;
    }
    return true;
}

enum basic_read basic_read(struct slice header, struct basic_login *out)
{
    const char *colon;
    int n;

    if (header.s == NULL || header.n < 6 || strncasecmp(header.s, "basic", 5) != 0 || header.s[5] != ' ')
        return BASIC_ABSENT;
    n = authorization_base64(slice_trim((struct slice){ header.s + 6, header.n - 6 }), out->bytes, sizeof out->bytes);
    if (n < 0 || !is_text(out->bytes, (size_t)n))
        return BASIC_MALFORMED;
    colon = memchr(out->bytes, ':', (size_t)n);
    if (colon == NULL)
        return BASIC_MALFORMED;
    out->user = (struct slice){ out->bytes, (size_t)(colon - out->bytes) };
    out->password = (struct slice){ colon + 1, (size_t)n - out->user.n - 1 };
    return out->user.n > 0 && out->user.n <= BASIC_MAX_NAME ? BASIC_OK : BASIC_MALFORMED;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/cookie.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

enum { ID_BYTES = 32, HEX_DIGITS = COOKIE_VALUE_SIZE - 1 };

bool cookie_next(struct slice *rest, struct slice *name, struct slice *value)
{
    while (rest->n > 0) {
        struct slice pair = slice_cut(rest, ';');

        if (pair.n == 0 || memchr(pair.s, '=', pair.n) == NULL)
            continue;
        *name = slice_trim(slice_cut(&pair, '='));
        *value = slice_trim(pair);
        if (value->n >= 2 && value->s[0] == '"' && value->s[value->n - 1] == '"')
            *value = (struct slice){ value->s + 1, value->n - 2 };
        if (name->n > 0)
            return true;
    }
    return false;
}

bool cookie_is_value(struct slice text)
{
    if (text.n != HEX_DIGITS)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if ((text.s[i] < '0' || text.s[i] > '9') && (text.s[i] < 'a' || text.s[i] > 'f'))
            return false;
    return true;
}

static void to_hex(const unsigned char *bytes, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < ID_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[HEX_DIGITS] = '\0';
}

int cookie_make(char id[COOKIE_VALUE_SIZE], struct err *e)
{
    unsigned char bytes[ID_BYTES];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    to_hex(bytes, id);
    mem_wipe(bytes, sizeof bytes);
    return 0;
}

void cookie_digest(struct slice id, char digest[COOKIE_VALUE_SIZE])
{
    unsigned char md[SHA256_DIGEST_LENGTH];

    (void)SHA256((const unsigned char *)id.s, id.n, md); /* returns md */
    to_hex(md, digest);
}

/* The id is 256 random bits, so a hash of it with a prefix of its own tells nothing about the id or about its other digest. */
void cookie_csrf(struct slice id, char token[COOKIE_VALUE_SIZE])
{
    static const char prefix[] = "csrf:";
    unsigned char text[sizeof prefix - 1 + HEX_DIGITS], md[SHA256_DIGEST_LENGTH];

    memcpy(text, prefix, sizeof prefix - 1);
    memcpy(text + sizeof prefix - 1, id.s, HEX_DIGITS);
    (void)SHA256(text, sizeof text, md); /* returns md */
    to_hex(md, token);
    mem_wipe(text, sizeof text);
}

bool cookie_csrf_matches(struct slice id, struct slice token)
{
    char right[COOKIE_VALUE_SIZE];

    cookie_csrf(id, right);
    return token.n == HEX_DIGITS && CRYPTO_memcmp(right, token.s, HEX_DIGITS) == 0;
}

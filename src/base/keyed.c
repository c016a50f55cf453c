/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/keyed.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

int keyed_init(struct keyed *k, struct err *e)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0), OSSL_PARAM_construct_end() };
    unsigned char key[32];
    EVP_MAC *hmac;
    bool ok;

    k->mac = NULL;
    if (RAND_bytes(key, sizeof key) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    k->mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    ok = k->mac != NULL && EVP_MAC_init(k->mac, key, sizeof key, params) == 1;
    mem_wipe(key, sizeof key);
    if (ok)
        return 0;
    keyed_fini(k);
    return err_set(e, &ERR_NOMEM, "");
}

void keyed_fini(struct keyed *k)
{
    EVP_MAC_CTX_free(k->mac);
    k->mac = NULL;
}

bool keyed_digest(struct keyed *k, const struct slice *parts, unsigned n, uint8_t out[KEYED_SIZE])
{
    size_t size = 0;

    if (EVP_MAC_init(k->mac, NULL, 0, NULL) != 1)
        return false;
    for (unsigned i = 0; i < n; i++) {
        uint64_t length = parts[i].n;

        if (EVP_MAC_update(k->mac, (const unsigned char *)&length, sizeof length) != 1 ||
            EVP_MAC_update(k->mac, (const unsigned char *)parts[i].s, parts[i].n) != 1)
            return false;
    }
    return EVP_MAC_final(k->mac, out, &size, KEYED_SIZE) == 1 && size == KEYED_SIZE;
}

bool keyed_equal(const uint8_t a[KEYED_SIZE], const uint8_t b[KEYED_SIZE])
{
    return CRYPTO_memcmp(a, b, KEYED_SIZE) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* keyed.h - HMAC-SHA256 under a random key that lives and dies with its holder: for remembering that something was seen (a password,
 * a user's name) without keeping it, and for table keys that clients cannot steer. A microsecond each. One thread at a time. */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

enum { KEYED_SIZE = 32 };

struct keyed {
    void *mac; /* owned EVP_MAC_CTX holding the key */
};

/* Makes a key. Errors: UNEXPECTED (no randomness), NOMEM. */
MUST_CHECK int keyed_init(struct keyed *k, struct err *e);
void keyed_fini(struct keyed *k);

/* Digest of the parts, each with its length, so that ("ab","c") and ("a","bc") differ. False when libcrypto fails. */
MUST_CHECK bool keyed_digest(struct keyed *k, const struct slice *parts, unsigned n, uint8_t out[KEYED_SIZE]);

/* Compares in a time that does not tell where they differ. */
bool keyed_equal(const uint8_t a[KEYED_SIZE], const uint8_t b[KEYED_SIZE]);

#endif

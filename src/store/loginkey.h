/* SPDX-License-Identifier: Apache-2.0 */
/* loginkey.h - the key pairs with which browsers and programs may encrypt a password on its way to the server; one per size, shared by
 * all nodes. The private key is sealed (vault.h). */
#ifndef STORE_LOGINKEY_H
#define STORE_LOGINKEY_H

#include "src/store/db.h"

struct loginkey {
    int64_t bits;
    const char *public_key;      /* base64 of the SubjectPublicKeyInfo */
    struct slice private_key;    /* sealed */
};

/* NULL in *out when there is none of this size. Errors: those of db_read. */
MUST_CHECK int store_loginkey_find(struct db *d, int64_t bits, struct arena *arena, struct loginkey **out, struct err *e);
/* Errors: NAME_USED (another node was faster), those of db_transact. */
MUST_CHECK int store_loginkey_insert(struct db *d, const struct loginkey *k, struct err *e);

#endif

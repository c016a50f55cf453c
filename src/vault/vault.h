/* SPDX-License-Identifier: Apache-2.0 */
/* vault.h - seals the secrets that MetaDB keeps for managed objects (passwords, keys, secret parameters) with AES-256-GCM under a
 * key that is not in MetaDB: a file of this machine, the same on every node. A sealed secret names its key, so that two keys count
 * at a time while secrets move from the former to the present one, and it is bound to the object it belongs to: moved to another
 * row it does not open. Built once; then any thread. */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include <stdbool.h>

#include "src/base/err.h"
#include "src/base/str.h"

struct vault;

ERR_DECLARE(ERR_VAULT_FILE);    /* {0} file, {1} what is wrong with it and what to do */
ERR_DECLARE(ERR_VAULT_OPEN);    /* {0} kind of object, {1} id, {2} why: unknown key, tampered or moved */

/* Reads the key file: 64 hex digits, optionally a second line with the former key; or 32 (64) raw bytes. It must be a regular file that only
 * its owner may read (mode 0600 or 0400), or root owns it and our group may read it (0640). With `create` a missing file is made, 0600, with a
 * fresh key, and *created says so. Errors: VAULT_FILE, IO, NOMEM. */
MUST_CHECK int vault_new(const char *path, bool create, bool *created, struct vault **out, struct err *e);
/* From keys in memory: the present one and the former one (NULL: none), 32 bytes each. Errors: NOMEM. */
MUST_CHECK int vault_new_keys(const unsigned char *present, const unsigned char *former, struct vault **out, struct err *e);
/* Wipes the keys. NULL is fine. */
void vault_free(struct vault *v);

/* Where a secret belongs: kind ("credential", "property") and id of the row, and which of its secrets. */
struct vault_place {
    const char *kind;
    int64_t id;
    const char *part;    /* "passphrase"; "" if the row has but one */
};

enum { VAULT_OVERHEAD = 33 }; /* bytes that sealing adds: version, key, nonce, tag */

/* Appends the sealed bytes. Errors: UNEXPECTED, NOMEM. */
MUST_CHECK int vault_seal(const struct vault *v, const struct vault_place *at, struct slice secret, struct str *out, struct err *e);
/* Opens into a new heap text, to be freed by secret_free. Errors: VAULT_OPEN, NOMEM. */
MUST_CHECK int vault_open(const struct vault *v, const struct vault_place *at, struct slice sealed, char **secret, struct err *e);
/* True when it was sealed with another than the present key and should be sealed again. */
bool vault_is_old(const struct vault *v, struct slice sealed);
/* Wipes and frees what vault_open gave. NULL is fine. */
void secret_free(char *secret);

/* Four bytes that name the present key (8 hex digits), for logs and checks between nodes. `buf` holds 9 bytes. */
const char *vault_key_name(const struct vault *v, char *buf);

#endif

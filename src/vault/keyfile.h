/* SPDX-License-Identifier: Apache-2.0 */
/* keyfile.h - the file with the master key: one key in hex a line (or raw), the present one first, then another that counts as well. */
#ifndef VAULT_KEYFILE_H
#define VAULT_KEYFILE_H

#include "src/vault/vault.h"

enum { KEYFILE_KEY_SIZE = 32 };

struct keyfile {
    unsigned char keys[2][KEYFILE_KEY_SIZE];   /* to be wiped */
    unsigned n;
};

/* Reads it; with `create` a missing one is made. The rules of vault_new. Errors: VAULT_FILE, IO, NOMEM. */
MUST_CHECK int keyfile_read(const char *path, bool create, bool *created, struct keyfile *out, struct err *e);

/* Makes the file with these keys; one that holds the same present key is left as it is. Errors: VAULT_FILE (another key is there), IO, NOMEM. */
MUST_CHECK int keyfile_install(const char *path, const struct keyfile *keys, struct err *e);

/* A step of a change of keys, "prepare", "use" or "finish" (reseal.h), by a new file in place of the former. Whether MetaDB is ready for
 * "finish" is the caller's to look at. Errors: VAULT_FILE, KEY_STEP, NOMEM, UNEXPECTED. */
MUST_CHECK int keyfile_step(const char *path, const char *step, struct err *e);

#endif

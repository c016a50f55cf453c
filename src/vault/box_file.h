/* SPDX-License-Identifier: Apache-2.0 */
/* box_file.h - credentials as an encrypted file: magic "OCPBOX01", costs of Argon2id (passes, KiB, lanes: 4 bytes each, little endian), salt
 * (16), nonce (12), then AES-256-GCM of a JSON text with its tag (16); everything before the text is authenticated too. Who has the file
 * and its secret has the credentials; nothing else opens it. From fibers. */
#ifndef VAULT_BOX_FILE_H
#define VAULT_BOX_FILE_H

#include "src/base/arena.h"
#include "src/vault/credential.h"

ERR_DECLARE(ERR_BOX_FORMAT);   /* 8105: no such file, or damaged */
ERR_DECLARE(ERR_BOX_SECRET);   /* 8108: another secret, or the file was changed */

enum { BOX_MAX_BYTES = 4 * 1024 * 1024, BOX_MAX_CREDENTIALS = 1000, BOX_MIN_SECRET = 8, BOX_MAX_SECRET = 256 };

/* What to do with a credential whose name one has already. */
enum box_duplicate { BOX_SKIP, BOX_REPLACE, BOX_RENAME };
extern const char *const box_duplicate_names[]; /* SKIP, REPLACE, RENAME; then NULL */

struct box_context {
    struct credential_context c;
    struct work_pool *crypto_pool;
};

/* One's own credentials with these ids (n == 0: all) as a file in the arena. Errors: INVALID (secret), NOT_FOUND, VAULT_OPEN, those of
 * db_read, BUSY, CANCELLED, NOMEM. */
MUST_CHECK int box_export(const struct box_context *b, int64_t user_id, struct field_ints ids, const char *secret, struct arena *arena,
                          struct slice *file, struct err *e);

struct box_entry {
    int64_t number;              /* place in the file, from 1 */
    struct credential_view v;    /* id: of the credential it has become; 0: none */
    char *secret;                /* in the arena; wiped by box_forget */
    bool duplicate;              /* one has a credential of this name */
    const char *result;          /* after box_import: CREATED, REPLACED, RENAMED, SKIPPED */
};
/* Reads a file. What it says of hosts is passed over: their ids are another installation's. Errors: BOX_FORMAT, BOX_SECRET, those of db_read,
 * BUSY, CANCELLED, NOMEM. */
MUST_CHECK int box_read(const struct box_context *b, int64_t user_id, struct slice file, const char *secret, struct arena *arena,
                        struct box_entry **out, size_t *n, struct err *e);
/* Stores the entries whose `number` is among `numbers` (n == 0: all), all or none. Errors: INVALID, those of db_transact. */
MUST_CHECK int box_import(const struct box_context *b, int64_t user_id, struct box_entry *entries, size_t n, struct field_ints numbers,
                          enum box_duplicate duplicates, struct arena *arena, struct err *e);
void box_forget(struct box_entry *entries, size_t n);

#endif

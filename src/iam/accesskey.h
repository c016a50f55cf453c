/* SPDX-License-Identifier: Apache-2.0 */
/* accesskey.h - rules about access keys: whose, how many, what they look like. A key has the permissions of its user. It cannot make,
 * change or delete keys: who has stolen one must not be able to make it last. From fibers. */
#ifndef IAM_ACCESSKEY_H
#define IAM_ACCESSKEY_H

#include "src/iam/iam.h"

ERR_DECLARE(ERR_KEY_LIMIT);      /* 400 {0} how many a user may have */
ERR_DECLARE(ERR_KEY_BY_KEY);     /* 403 */
extern const struct err_row *const accesskey_err_rows[];

struct vault;

enum { ACCESSKEY_SIZE = 17, ACCESSKEY_SECRET_SIZE = 33, ACCESSKEY_MAX = 20 };

struct accesskey_context {
    struct iam *iam;
    struct db *db;
    const struct vault *vault;
};

/* Makes a key for `who`; `secret` is shown once and never again. Wipe it after use. `out->description` and `enabled` are set by the
 * caller, the rest is filled in. Errors: KEY_LIMIT, KEY_BY_KEY, those of vault_seal and db_transact. */
MUST_CHECK int accesskey_create(const struct accesskey_context *c, const struct principal *who, struct accesskey *out,
                                char secret[ACCESSKEY_SECRET_SIZE], struct arena *arena, struct err *e);
/* Changes a key of `user_id`; NULL and -1: stays. Errors: NOT_FOUND, KEY_BY_KEY, those of db_transact. */
MUST_CHECK int accesskey_update(const struct accesskey_context *c, const struct principal *who, int64_t user_id, int64_t id,
                                const char *description, int enabled, struct arena *arena, struct accesskey *out, struct err *e);
/* `name` (may be NULL) gets the key. Errors: NOT_FOUND, KEY_BY_KEY, those of db_transact. */
MUST_CHECK int accesskey_delete(const struct accesskey_context *c, const struct principal *who, int64_t user_id, int64_t id,
                                struct arena *arena, const char **name, struct err *e);
/* Opens the secret; to be freed by secret_free. Errors: those of vault_open. */
MUST_CHECK int accesskey_open(const struct vault *v, const struct accesskey *k, char **secret, struct err *e);

#endif

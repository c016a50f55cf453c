/* SPDX-License-Identifier: Apache-2.0 */
/* credential.h - the password box: what a user has stored to reach hosts, clusters and proxies with. A credential belongs to its
 * user; every call names that user, and those of others do not exist for it. */
#ifndef STORE_CREDENTIAL_H
#define STORE_CREDENTIAL_H

#include "src/store/list.h"

struct credential {
    int64_t id, user_id;
    const char *target_type;      /* HOST, OB, OBPROXY */
    const char *name;             /* unique among the user's */
    const char *description;      /* "": none */
    const char *kind;             /* PASSWORD, PRIVATE_KEY */
    const char *username;
    struct slice secret;          /* sealed under the place ("credential", id, ""); n == 0: none */
    const char *extra;            /* JSON object with the members that belong to one target type only */
    int64_t created_us, updated_us;
};

/* Newest first; `target_type` and `name` (exact) NULL or "": any. `page` NULL: all. Errors: those of list_read. */
MUST_CHECK int store_credential_list(struct db *d, int64_t user_id, const char *target_type, const char *name, const struct store_page *page,
                                     struct arena *arena, struct credential **out, size_t *n, int64_t *total, struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_credential_get(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct credential *out, struct err *e);
/* Whosever it is: for work that runs in the name of a user. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_credential_open(struct db *d, int64_t id, struct arena *arena, struct credential *out, struct err *e);

/* The id is the caller's (db_next_id), since the secret is sealed under it; times are set here. Errors: NAME_USED, those of tx_run. */
MUST_CHECK int store_credential_insert(struct tx *tx, const struct credential *c, struct err *e);
/* Writes name, description, kind, username and extra; the secret too unless its n is 0. Errors: NOT_FOUND, NAME_USED, those of tx_run. */
MUST_CHECK int store_credential_update(struct tx *tx, const struct credential *c, struct err *e);
MUST_CHECK int store_credential_delete(struct tx *tx, int64_t user_id, int64_t id, struct err *e);
/* All of a user, and what others have offered to them. Safe to repeat. */
MUST_CHECK int store_credential_delete_of(struct tx *tx, int64_t user_id, struct err *e);
/* Those with this name, of all users: what they are for is gone. Safe to repeat. */
MUST_CHECK int store_credential_delete_named(struct tx *tx, const char *target_type, const char *name, struct err *e);

/* Credentials after `after_id`, oldest first, at most `max`: to seal them anew under another key. */
MUST_CHECK int store_credential_after(struct db *d, int64_t after_id, unsigned max, struct arena *arena, struct credential **out, size_t *n,
                                      struct err *e);
/* Replaces a sealed secret if it is still `former`. *changed says whether it was. */
MUST_CHECK int store_credential_reseal(struct tx *tx, int64_t id, struct slice former, struct slice sealed, bool *changed, struct err *e);

#endif

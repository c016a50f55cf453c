/* SPDX-License-Identifier: Apache-2.0 */
/* accesskey.h - pairs of access key and secret with which programs of a user sign their requests. The secret is sealed (vault.h). */
#ifndef STORE_ACCESSKEY_H
#define STORE_ACCESSKEY_H

#include "src/store/list.h"

struct accesskey {
    int64_t id;
    const char *key;              /* what the program names itself by */
    int64_t user_id;
    struct slice secret;          /* sealed */
    const char *description;
    int enabled;
    int64_t created_us, updated_us;
    int64_t used_us;              /* last use, up to some ten seconds old; FIELD_NONE: never */
};

/* NULL in *out when there is no such key. Errors: those of db_read. */
MUST_CHECK int store_accesskey_find(struct db *d, const char *key, struct arena *arena, struct accesskey **out, struct err *e);
/* One of a user's keys. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_accesskey_get(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct accesskey *out, struct err *e);
/* Those of a user, newest first. Errors: those of db_read. */
MUST_CHECK int store_accesskey_list(struct db *d, int64_t user_id, struct arena *arena, struct accesskey **out, size_t *n, struct err *e);

/* Inserts it unless the user has `max` already (then *full). Errors: those of db_transact. */
MUST_CHECK int store_accesskey_insert(struct db *d, const struct accesskey *k, unsigned max, bool *full, struct err *e);
/* Writes description and enabled. Errors: NOT_FOUND, those of db_transact. */
MUST_CHECK int store_accesskey_update(struct db *d, const struct accesskey *k, struct err *e);
/* Errors: NOT_FOUND, those of db_transact. */
MUST_CHECK int store_accesskey_delete(struct db *d, int64_t user_id, int64_t id, struct err *e);
/* All of a user. Errors: those of tx_run. */
MUST_CHECK int store_accesskey_delete_all(struct tx *tx, int64_t user_id, struct err *e);
/* They were used just now. Errors: those of db_transact. */
MUST_CHECK int store_accesskey_touch(struct db *d, const int64_t *ids, size_t n, struct err *e);

#endif

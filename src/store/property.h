/* SPDX-License-Identifier: Apache-2.0 */
/* property.h - values of OCP's system parameters that differ from their defaults, and who changed them when. */
#ifndef STORE_PROPERTY_H
#define STORE_PROPERTY_H

#include "src/store/list.h"

struct property {
    const char *name;
    const char *value;            /* as text; a secret one in the form that its owner gave it (sealed, base64) */
    int64_t version;              /* grows with each change, over all properties */
    int64_t updated_us;
    int64_t user_id;              /* who changed it; 0: ocp-server itself */
    const char *username;
};

struct property_change {
    int64_t id;
    const char *name;
    const char *old_value;        /* NULL: it had its default */
    const char *new_value;        /* NULL: set back to its default */
    int64_t changed_us, user_id;
    const char *username;
};

/* All, in the order of their names. Errors: those of db_read. */
MUST_CHECK int store_property_all(struct db *d, struct arena *arena, struct property **out, size_t *n, struct err *e);
/* Number that grows with every change: cheap to ask every few seconds. 0: none yet. Errors: those of db_read. */
MUST_CHECK int store_property_version(struct db *d, int64_t *version, struct err *e);

/* Sets one value and writes its history; `value` NULL: back to the default. `change_id` is a new id (db_next_id). The value that was
 * replaced goes to *old (in the arena; NULL: the default). Setting what is set already changes nothing.
 * Errors: those of tx_run. */
MUST_CHECK int store_property_set(struct tx *tx, int64_t change_id, const char *name, const char *value, int64_t user_id, const char *username,
                                  struct arena *arena, const char **old, struct err *e);
/* Newest first. `name` NULL: of all. Errors: those of list_read. */
MUST_CHECK int store_property_history(struct db *d, const char *name, const struct store_page *page, struct arena *arena,
                                      struct property_change **out, size_t *n, int64_t *total, struct err *e);

#endif

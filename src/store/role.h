/* SPDX-License-Identifier: Apache-2.0 */
/* role.h - roles that people have made. Those of every installation are no rows: src/iam/role.h has them. A user's row names its roles
 * by id; whoever writes such a row locks the roles first, so that none is deleted under it. */
#ifndef STORE_ROLE_H
#define STORE_ROLE_H

#include "src/store/list.h"

struct role {
    int64_t id;
    const char *name;             /* unique */
    const char *description;      /* "": none */
    const char *permissions;      /* expressions, one a line */
    int64_t version;              /* grows with every change */
    int64_t created_us, updated_us;
};

struct role_filter {
    const char *name;             /* part of the name; NULL: any */
    const struct scope *scope;    /* NULL: all; kind ROLE */
};
/* Sorted by id, name; newest first by itself. `f`, `page` and `total` may be NULL. Errors: those of list_read. */
MUST_CHECK int store_role_list(struct db *d, const struct role_filter *f, const struct store_page *page, struct arena *arena,
                               struct role **out, size_t *n, int64_t *total, struct err *e);
/* Those with these ids, any number of them. */
MUST_CHECK int store_role_list_of(struct db *d, struct field_ints ids, struct arena *arena, struct role **out, size_t *n, struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_role_get(struct db *d, int64_t id, struct arena *arena, struct role *out, struct err *e);

/* Locks roles until the transaction ends; *found says how many of the `n` different ids there are. Errors: those of tx_run. */
MUST_CHECK int store_role_lock(struct tx *tx, const int64_t *ids, size_t n, size_t *found, struct err *e);

/* The id is the caller's (db_next_id), times are set here. Errors: NAME_USED, those of tx_run. */
MUST_CHECK int store_role_insert(struct tx *tx, const struct role *r, struct err *e);
/* Writes name, description and permissions if the row still has `r->version`, and ends the remembered logins of all its users.
 * Errors: NAME_USED, CONFLICT, those of tx_run. */
MUST_CHECK int store_role_update(struct tx *tx, const struct role *r, struct err *e);
/* Errors: NOT_FOUND, IN_USE naming some of the users who have it, those of tx_run. */
MUST_CHECK int store_role_delete(struct tx *tx, const struct role *r, struct err *e);

#endif

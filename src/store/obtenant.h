/* SPDX-License-Identifier: Apache-2.0 */
/* obtenant.h - what is kept here of a tenant beyond what its kernel says of it: a description, and its administrator's password. The row
 * comes with the first of them and goes with the tenant. Loop thread only, from fibers. */
#ifndef STORE_OBTENANT_H
#define STORE_OBTENANT_H

#include "src/store/list.h"

enum { OBTENANT_DESCRIPTION_MAX = 1024 };

struct obtenant_kept {
    int64_t id;                   /* of the tenant, as in struct obtenant */
    const char *description;      /* "": none */
    struct slice password;        /* of the administrator, sealed: place { "obtenant", id, "password" }; n == 0: none */
    int64_t password_version;     /* grows with every change; 0: there was never one */
};

/* A tenant of which nothing is kept has an empty row. Errors: those of db_read. */
MUST_CHECK int store_obtenant_kept_get(struct db *d, int64_t id, struct arena *arena, struct obtenant_kept *out, struct err *e);
/* Inside a transaction. Errors: those of tx_run. */
MUST_CHECK int store_obtenant_describe(struct tx *tx, int64_t cluster_id, int64_t id, const char *description, struct err *e);
/* Keeps a sealed password (n == 0: none any more) if the row still has `version`. Errors: CONFLICT, those of tx_run. */
MUST_CHECK int store_obtenant_set_password(struct tx *tx, int64_t cluster_id, int64_t id, int64_t version, struct slice sealed, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.h - the columns of MetaDB that hold sealed secrets, whatever table they are in: read and replaced batch by batch when the
 * master key changes. Names of tables and columns are this program's. */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include "src/store/db.h"

struct sealed_column {
    const char *table, *column;
    const char *key;               /* unique column that tells the rows apart */
    const char *kind, *part;       /* where a secret belongs (struct vault_place); part NULL: the key itself, and the id is 0 */
    bool is_base64;                /* a text, among others that are no secrets */
    int64_t id;                    /* of the place of all rows; 0: the row's key */
};

struct sealed_row {
    struct slice key;              /* as text */
    struct slice value;
};

/* Rows after the key `after` (s == NULL: from the first), in the order of their keys, at most `max`. Errors: those of db_read. */
MUST_CHECK int store_sealed_after(struct db *d, const struct sealed_column *c, struct slice after, unsigned max, struct arena *arena,
                                  struct sealed_row **out, size_t *n, struct err *e);
/* Replaces a value if it is still `former`: who changed it meanwhile used the present key. Errors: those of tx_run. */
MUST_CHECK int store_sealed_replace(struct tx *tx, const struct sealed_column *c, const struct sealed_row *former, struct slice value,
                                    struct err *e);

#endif

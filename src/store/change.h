/* SPDX-License-Identifier: Apache-2.0 */
/* change.h - one INSERT, UPDATE or DELETE of a named thing, with the errors that people can do something about. */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "src/store/db.h"

/* What a statement changes, for errors. */
struct change {
    const char *noun;       /* "user" */
    const char *name;       /* its name, or its id as text: change_id */
    bool versioned;         /* finding no row means that somebody else changed it first: CONFLICT instead of NOT_FOUND */
};

enum { CHANGE_ID_SIZE = 24 };
/* Writes an id as text; returns `buf`. */
const char *change_id(int64_t id, char *buf);

/* Errors: NAME_USED for a duplicate key; when no row was found NOT_FOUND, or CONFLICT if `versioned`; those of tx_exec. */
MUST_CHECK int change_run_in(struct tx *tx, const struct change *c, const char *text, const struct sql_value *values, unsigned n,
                             struct err *e);
/* The same in a transaction of its own. Errors: also those of db_transact. */
MUST_CHECK int change_run(struct db *d, const struct change *c, const char *text, const struct sql_value *values, unsigned n, struct err *e);

#endif

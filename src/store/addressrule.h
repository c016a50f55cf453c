/* SPDX-License-Identifier: Apache-2.0 */
/* addressrule.h - networks whose clients may come in. Without an enabled rule everybody may. */
#ifndef STORE_ADDRESSRULE_H
#define STORE_ADDRESSRULE_H

#include "src/store/list.h"

struct addressrule {
    int64_t id;
    const char *network;        /* "10.0.0.0/8", "2001:db8::/32", or a single address */
    const char *description;
    int enabled;
    const char *creator_name;
    int64_t created_us, updated_us;
};

/* All of them, newest first. Errors: those of db_read. */
MUST_CHECK int store_addressrule_list(struct db *d, struct arena *arena, struct addressrule **out, size_t *n, struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_addressrule_get(struct db *d, int64_t id, struct arena *arena, struct addressrule *out, struct err *e);

enum addressrule_write { ADDRESSRULE_INSERT, ADDRESSRULE_UPDATE, ADDRESSRULE_DELETE };
/* Makes one change, one at a time over all nodes, and raises the version of the rules. `accept` sees all rules as they are then; what it
 * returns, other than 0, undoes the change. Errors: NAME_USED, NOT_FOUND, those of accept and db_transact. */
MUST_CHECK int store_addressrule_write(struct db *d, enum addressrule_write what, const struct addressrule *rule,
                                       int (*accept)(const struct addressrule *rules, size_t n, void *data, struct err *e), void *data,
                                       struct err *e);

#endif

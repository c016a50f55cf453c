/* SPDX-License-Identifier: Apache-2.0 */
/* addressrule.h - rules about the networks whose clients may come in. A change that would shut out the address that makes it is refused;
 * loopback always gets in, so the machine's owner can mend everything. From fibers. */
#ifndef IAM_ADDRESSRULE_H
#define IAM_ADDRESSRULE_H

#include "src/io/addr.h"
#include "src/store/addressrule.h"

ERR_DECLARE(ERR_ADDRESS_DENIED);  /* 403 {0} address */
ERR_DECLARE(ERR_ADDRESS_LOCKOUT); /* 400 {0} address of the caller */
ERR_DECLARE(ERR_ADDRESS_LIMIT);   /* 400 {0} how many rules there may be */
extern const struct err_row *const addressrule_err_rows[];

enum { ADDRESSRULE_MAX = 256 };

/* NULL when it is a network, else what is wrong. Pure. */
const char *addressrule_problem(const char *network);

/* `client` makes the change; `rule->id` is filled in by addressrule_create. Errors: ADDRESS_LOCKOUT, ADDRESS_LIMIT, NAME_USED, NOT_FOUND,
 * those of db_transact. */
MUST_CHECK int addressrule_create(struct db *d, const struct addr *client, struct addressrule *rule, struct err *e);
MUST_CHECK int addressrule_update(struct db *d, const struct addr *client, const struct addressrule *rule, struct err *e);
MUST_CHECK int addressrule_delete(struct db *d, const struct addr *client, const struct addressrule *rule, struct err *e);

/* The enabled networks; to be freed with cidr_list_fini. Errors: those of db_read. */
MUST_CHECK int addressrule_networks(struct db *d, struct cidr_list *out, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* offer.h - sharing credentials: a copy of each, secret included, is offered to named users, who have seven days to accept or to ignore
 * it. What becomes of the original later is nothing to the copy. From fibers. */
#ifndef VAULT_OFFER_H
#define VAULT_OFFER_H

#include "src/base/clock.h"
#include "src/store/credential_offer.h"
#include "src/vault/credential.h"

ERR_DECLARE(ERR_OFFER_SETTLED);  /* 8106 {0} name: it was accepted or ignored already */

enum { OFFER_MAX_RECEIVERS = 50, OFFER_MAX_CREDENTIALS = 50 };

struct offer_view {
    struct credential_view v;    /* id: of the offer */
    const char *from;            /* user name */
    int64_t expires_us;
};

/* Offers each of `ids`, one's own, to each of `usernames`; *n gets how many offers were made. Errors: NOT_FOUND (a user or a credential),
 * INVALID (too many, none, or oneself), VAULT_OPEN, those of db_transact. */
MUST_CHECK int offer_make(const struct credential_context *c, int64_t user_id, const char *username, struct field_ints ids,
                          struct field_strings usernames, const struct clock *clock, struct arena *arena, size_t *n, struct err *e);
/* Those that wait for the user. Errors: those of db_read. */
MUST_CHECK int offer_list(const struct credential_context *c, int64_t user_id, struct arena *arena, struct offer_view **out, size_t *n,
                          struct err *e);
/* Makes it the user's own, under `name` (NULL: its own), with the hosts that it is for or without. Errors: NOT_FOUND, OFFER_SETTLED,
 * CREDENTIAL_NAME_USED, INVALID, VAULT_OPEN, those of db_transact. */
MUST_CHECK int offer_accept(const struct credential_context *c, int64_t user_id, int64_t id, const char *name, bool with_hosts,
                            struct arena *arena, struct credential_view *out, struct err *e);
/* Errors: NOT_FOUND, OFFER_SETTLED, those of db_transact. `name` gets its name. */
MUST_CHECK int offer_ignore(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, const char **name,
                            struct err *e);

#endif

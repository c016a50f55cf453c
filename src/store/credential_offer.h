/* SPDX-License-Identifier: Apache-2.0 */
/* credential_offer.h - credentials that a user has shared: each offer is a copy for one receiver, who accepts or ignores it within days. */
#ifndef STORE_CREDENTIAL_OFFER_H
#define STORE_CREDENTIAL_OFFER_H

#include "src/store/credential.h"

enum offer_status { OFFER_OPEN, OFFER_ACCEPTED, OFFER_IGNORED };
enum { OFFER_DAYS = 7 };

struct credential_offer {
    struct credential c;          /* id: of the offer; user_id: the receiver; the secret is sealed under ("credential_offer", id, "") */
    int64_t from_id;
    const char *from_name;
    int status;                   /* enum offer_status; one that is not open has no secret any more */
    int64_t expires_us;
};

/* Open ones of a receiver, newest first. Errors: those of list_read. */
MUST_CHECK int store_offer_list(struct db *d, int64_t user_id, struct arena *arena, struct credential_offer **out, size_t *n, struct err *e);
/* Whatever its state, as long as it has not expired. Errors: NOT_FOUND (also another receiver's), those of db_read. */
MUST_CHECK int store_offer_get(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct credential_offer *out, struct err *e);
/* Writes new ones in one statement; times are set here. `arena` is scratch. Errors: those of tx_run. */
MUST_CHECK int store_offer_insert(struct tx *tx, const struct credential_offer *offers, size_t n, struct arena *arena, struct err *e);
/* Ends an open offer and wipes its secret. *done is false when it was not open any more. */
MUST_CHECK int store_offer_settle(struct tx *tx, int64_t user_id, int64_t id, enum offer_status status, bool *done, struct err *e);
/* Deletes what has expired, in chunks. Errors: those of db_read. */
MUST_CHECK int store_offer_prune(struct db *d, struct err *e);

#endif

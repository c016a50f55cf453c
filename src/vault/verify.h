/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - does a credential let us in? Used by credential.c. */
#ifndef VAULT_VERIFY_H
#define VAULT_VERIFY_H

#include "src/vault/credential.h"

/* Tries the login: a credential for OB at the managed cluster that it names. What cannot be tried (hosts: there is no SSH client here; a
 * cluster that is not managed) is refused, never taken for good; for a HOST credential without hosts there is nothing to try but the
 * form of a private key. Errors: CREDENTIAL_UNVERIFIED, CREDENTIAL_KEY_FORMAT, those of db_read, CANCELLED, NOMEM. */
MUST_CHECK int credential_verify(const struct credential_context *c, const struct credential_view *v, const char *passphrase,
                                 struct arena *arena, struct err *e);

#endif

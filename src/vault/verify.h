/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - does a credential let us in? Used by credential.c. */
#ifndef VAULT_VERIFY_H
#define VAULT_VERIFY_H

#include "src/vault/credential.h"

/* Tries the login where the credential is for: HOST at each of its hosts over SSH (and there, unless it is root's, whether sudo asks for no
 * password), OB at the managed cluster or the address that it names, OBPROXY at its address. `out` gets one attempt per place; a HOST
 * credential without hosts has none. With `first_failure` it ends with the first one that fails. Errors: those of trying at all, not of
 * the login: those of db_read, CANCELLED, BUSY, NOMEM. */
MUST_CHECK int credential_try(const struct credential_context *c, const struct credential_view *v, const char *passphrase, bool first_failure,
                              struct arena *arena, struct credential_attempt **out, size_t *n, struct err *e);

/* The same as one answer. Errors: CREDENTIAL_UNVERIFIED, CREDENTIAL_SUDO, SSH_KEY, as credential_try. */
MUST_CHECK int credential_verify(const struct credential_context *c, const struct credential_view *v, const char *passphrase,
                                 struct arena *arena, struct err *e);

#endif

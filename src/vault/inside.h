/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what the files of the password box share. */
#ifndef VAULT_INSIDE_H
#define VAULT_INSIDE_H

#include "src/vault/credential.h"

/* A row as its owner sees it. Errors: NOMEM, those of JSON that cannot be read. */
MUST_CHECK int credential_view_of(const struct credential *row, struct arena *arena, struct credential_view *out, struct err *e);
/* The view and the secret as a row of `user_id`, sealed for the credential v->id. Without a secret the row has none. Errors: NOMEM, UNEXPECTED. */
MUST_CHECK int credential_row_of(const struct credential_context *c, const struct credential_view *v, int64_t user_id, const char *secret,
                                 struct arena *arena, struct credential *row, struct err *e);
/* May it be stored so? Errors: INVALID. */
MUST_CHECK int credential_check_view(const struct credential_view *v, struct err *e);

#endif

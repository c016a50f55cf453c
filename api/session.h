/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - the cookies of a console session. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/call.h"
#include "src/iam/iam.h"

/* Adds the two cookies of the session to the reply. Errors: NOMEM. */
MUST_CHECK int session_cookies(struct call *c, const struct iam_ticket *ticket, struct err *e);
/* The password that a client sent, decrypted if it is encrypted (iam/loginkey.h). Errors: those of login_keys_open. */
MUST_CHECK int session_password(struct call *c, const char *sent, const char **password, struct err *e);

#endif

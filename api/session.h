/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - the cookies of a console session. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/call.h"
#include "src/iam/iam.h"

/* Adds the two cookies of the session to the reply. Errors: NOMEM. */
MUST_CHECK int session_cookies(struct call *c, const struct iam_ticket *ticket, struct err *e);
#endif

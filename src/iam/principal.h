/* SPDX-License-Identifier: Apache-2.0 */
/* principal.h - who calls. However somebody has shown who they are (password, console session, access key), a request carries one of
 * these, in its arena. */
#ifndef IAM_PRINCIPAL_H
#define IAM_PRINCIPAL_H

#include "src/base/arena.h"
#include "src/iam/permission.h"
#include "src/io/addr.h"
#include "src/store/login.h"

struct principal {
    int64_t user_id;
    const char *name;
    const struct permission *grants;   /* of all roles together */
    unsigned n_grants;
    int64_t credential_version;        /* of the user's row when it was last read: any change of password, state or roles raises it */
    bool must_change_password;         /* the first password still waits to be changed: nothing but that is allowed */
    bool stale;                        /* MetaDB is away and could not confirm this user: reads only */
    struct addr client;
    enum login_kind login;             /* how it was shown */
    int64_t login_id;                  /* of the session or access key; 0: a password */
    int64_t login_created_us, login_expires_us; /* of a session: since when and until when at the most */
};

/* The permissions of a list of role ids ("100,101"; unknown ones give nothing) in `arena`. Errors: NOMEM. */
MUST_CHECK int principal_grants(const char *roles, struct arena *arena, const struct permission **grants, unsigned *n, struct err *e);

/* Whether the principal may do `wanted`. */
bool principal_may(const struct principal *p, const struct permission *wanted);
/* Whether it may for at least one object: for lists, which then show what is allowed. */
bool principal_may_some(const struct principal *p, const struct permission *wanted);
/* 0 when it may. Errors: DENIED naming the permission that is missing. */
MUST_CHECK int principal_require(const struct principal *p, const struct permission *wanted, struct err *e);

#endif

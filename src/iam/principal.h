/* SPDX-License-Identifier: Apache-2.0 */
/* principal.h - who calls. However somebody has shown who they are (password, console session, access key), a request carries one of
 * these, in its arena. */
#ifndef IAM_PRINCIPAL_H
#define IAM_PRINCIPAL_H

#include "src/base/arena.h"
#include "src/iam/permission.h"
#include "src/io/addr.h"
#include "src/store/filter.h"
#include "src/store/login.h"
#include "src/store/user.h"

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

/* What the roles of a user allow together, in `arena`: default ones by id, others as the row's `permissions` say. A role that is gone and
 * an expression that cannot be read give nothing. Errors: NOMEM. */
MUST_CHECK int principal_grants(const struct user *user, struct arena *arena, const struct permission **grants, unsigned *n, struct err *e);

/* An administrator may do everything: has the role ADMIN. */
bool principal_is_admin(const struct principal *p);
/* Whether the principal may do `wanted`. */
bool principal_may(const struct principal *p, const struct permission *wanted);
/* Appends to `items`, from *n on, the objects for which it may do `wanted`; there is room for n_grants more. */
void principal_scope(const struct principal *p, const struct permission *wanted, struct scope_item *items, size_t *n);
/* 0 when it may. Errors: DENIED naming the permission that is missing. */
MUST_CHECK int principal_require(const struct principal *p, const struct permission *wanted, struct err *e);

#endif

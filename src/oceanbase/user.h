/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - users and roles of a tenant in MySQL mode, and what they may do. */
#ifndef OCEANBASE_USER_H
#define OCEANBASE_USER_H

#include "src/io/sql.h"

struct ob_user {
    const char *name, *host;
    bool is_role, is_locked;
    int64_t password_changed_us;  /* 0: unknown */
    int64_t created_us, modified_us; /* 0: this kernel does not say, or not to this login */
};
/* Users and roles, by name. Errors: those of sql_run. */
MUST_CHECK int ob_users_list(struct sql *s, struct arena *arena, struct ob_user **out, size_t *n, struct err *e);
/* The user or role of this name; *found says whether there is one. */
MUST_CHECK int ob_user_get(struct sql *s, const char *name, struct arena *arena, struct ob_user *out, bool *found, struct err *e);

/* What a privilege is about: everything (database NULL), a database (object NULL), an object. On a whole database its name is a pattern:
 * `_` and `%` stand for other characters unless a backslash is before them. */
struct ob_grant_on {
    const char *database, *object;
    bool is_routine;              /* the object is a stored procedure */
};
struct ob_privilege {
    const char *user, *host;
    struct ob_grant_on on;
    const char *object_type;      /* TABLE, VIEW, STORED_PROCEDURE; NULL without object, or when it is gone */
    const char *privilege;        /* "CREATE VIEW", in capitals, as the server's grammar has it; USAGE is left out */
    bool with_grant;              /* may be passed on; there is a row for GRANT OPTION itself as well */
};
/* Of all users and roles in a fixed number of queries, or of `user` alone. */
MUST_CHECK int ob_privileges_list(struct sql *s, const char *user, struct arena *arena, struct ob_privilege **out, size_t *n, struct err *e);

struct ob_role_edge {
    const char *role, *user;      /* `role` was granted to `user` */
    bool user_is_role;
};
/* By user and role. */
MUST_CHECK int ob_role_edges_list(struct sql *s, struct arena *arena, struct ob_role_edge **out, size_t *n, struct err *e);

/* Statements of account management; `password` goes as a value and is never logged. Errors: those of sql_run. */
MUST_CHECK int ob_user_create(struct sql *s, const char *user, const char *password, struct err *e);
MUST_CHECK int ob_user_drop(struct sql *s, const char *user, struct err *e);
MUST_CHECK int ob_user_set_password(struct sql *s, const char *user, const char *password, struct err *e);
MUST_CHECK int ob_user_set_locked(struct sql *s, const char *user, bool locked, struct err *e);
MUST_CHECK int ob_role_create(struct sql *s, const char *role, struct err *e);
MUST_CHECK int ob_role_drop(struct sql *s, const char *role, struct err *e);

enum ob_grant { OB_GRANT, OB_REVOKE };
/* Privileges must be words of the server's grammar ("SELECT", "CREATE VIEW"): others are INVALID before anything is sent. */
MUST_CHECK int ob_privileges_change(struct sql *s, enum ob_grant what, const char *const *privileges, size_t n,
                                    const struct ob_grant_on *on, const char *user, struct err *e);
MUST_CHECK int ob_roles_change(struct sql *s, enum ob_grant what, const char *const *roles, size_t n, const char *user, struct err *e);
/* All roles that `user` has are in force from its next login on. */
MUST_CHECK int ob_user_set_default_roles(struct sql *s, const char *user, struct err *e);

#endif

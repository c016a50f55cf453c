/* SPDX-License-Identifier: Apache-2.0 */
/* customrole.h - rules about roles that people make: what they may be called and allow, and who may change them. The default ones
 * (role.h) are never changed. Nobody but an administrator widens what they may do themselves. From fibers. */
#ifndef IAM_CUSTOMROLE_H
#define IAM_CUSTOMROLE_H

#include "src/iam/principal.h"
#include "src/store/role.h"

ERR_DECLARE(ERR_ROLE_NAME);    /* {0} what is wrong */
ERR_DECLARE(ERR_ROLE_DEFAULT); /* {0} name */
extern const struct err_row *const role_err_rows[];

enum { ROLE_MAX_EXPRESSIONS = 1000 };

/* NULL when a role may be called so (2 to 32 letters, digits and underscores, a letter first, a letter or digit last), else what is wrong
 * with it. Pure. */
const char *role_name_problem(const char *name);

/* Errors: NOT_FOUND, ROLE_DEFAULT for the id of a default role, those of db_read. */
MUST_CHECK int role_get(struct db *d, int64_t id, struct arena *arena, struct role *out, struct err *e);

/* What a role shall be. NULL, or n == 0: as it is (in a new one: none). */
struct role_spec {
    const char *name, *description;
    struct field_strings permissions;
};
/* `who` makes a role. Errors: ROLE_NAME, PERMISSION_EMPTY, PERMISSION_INVALID, ADMIN_NEEDED, NAME_USED, INVALID, those of db_transact. */
MUST_CHECK int role_create(struct db *d, const struct principal *who, const struct role_spec *spec, struct arena *arena, struct role *out,
                           struct err *e);
/* Within two seconds it counts for all users who have the role, on every node. Errors: as role_get and role_create; CONFLICT. */
MUST_CHECK int role_update(struct db *d, const struct principal *who, int64_t id, const struct role_spec *spec, struct arena *arena,
                           struct role *out, struct err *e);
/* Errors: as role_get; IN_USE while a user has it; those of db_transact. */
MUST_CHECK int role_delete(struct db *d, int64_t id, struct arena *arena, const char **name, struct err *e);

/* Role ids of "100,1001" that are no default roles. Errors: INVALID for what is neither an id nor, below ROLE_FIRST_CUSTOM, a default
 * role; NOMEM. */
MUST_CHECK int role_custom_ids(const char *roles, struct arena *arena, struct field_ints *out, struct err *e);

#endif

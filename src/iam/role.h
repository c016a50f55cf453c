/* SPDX-License-Identifier: Apache-2.0 */
/* role.h - the roles that every installation has. They cannot be changed or deleted; ids are fixed, since client programs
 * send them (101 is the role that every user should have). Pure. */
#ifndef IAM_ROLE_H
#define IAM_ROLE_H

#include "src/iam/permission.h"

enum { ROLE_ADMIN = 100, ROLE_PROFILE = 101, ROLE_FIRST_CUSTOM = 1000, ROLE_MAX_PERMISSIONS = 8 };

struct role_row {
    int64_t id;
    const char *name;
    const char *doc[2];                             /* by enum err_lang */
    const char *permissions[ROLE_MAX_PERMISSIONS];  /* expressions, then NULL */
};

/* Ends with name NULL. */
extern const struct role_row role_rows[];

/* NULL when there is none. */
const struct role_row *role_find(int64_t id);
const struct role_row *role_find_name(const char *name);

/* Appends {"domains":[...],"roles":[...]}: for --dump permissions and the docs. */
void iam_dump_permissions(struct str *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* role.h - how users and their roles look on the wire; shared by iam.c, role.c and profile.c. */
#ifndef API_ROLE_H
#define API_ROLE_H

#include "api/call.h"
#include "src/base/num.h"
#include "src/iam/role.h"
#include "src/iam/user.h"
#include "src/store/role.h"

struct role_view {
    int64_t id;
    const char *name;
    const char *description[2];
    struct field_strings permissions;
    int builtin;
    int64_t created_us, updated_us;
};
extern const struct field role_fields[];

/* Roles that are rows. */
struct roles {
    struct role *items;
    size_t n;
};
/* Those that some users have, in one statement. Errors: those of db_read. */
MUST_CHECK int role_custom_of(struct db *d, const struct user *users, size_t n, struct arena *arena, struct roles *out, struct err *e);
/* The roles of a list of ids ("100,1001"), the custom ones from `custom`. Errors: NOMEM. */
MUST_CHECK int role_views(const char *roles, const struct roles *custom, struct arena *arena, struct field_list *out, struct err *e);

struct user_view {
    int64_t id;
    const char *username, *email, *phone, *department, *description;
    struct field_list roles;
    int enabled, locked, must_change;
    int64_t created_us, updated_us, last_login_us;
};
extern const struct field user_fields[];
/* Errors: NOMEM. */
MUST_CHECK int user_view(const struct user *u, const struct roles *custom, struct arena *arena, struct user_view *out, struct err *e);
/* Replies with the user. */
int reply_user(struct call *c, const struct user *u, struct err *e);

struct user_context user_context_of(const struct call *c);

#endif

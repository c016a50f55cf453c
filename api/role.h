/* SPDX-License-Identifier: Apache-2.0 */
/* role.h - how users and their roles look on the wire; shared by iam.c and profile.c. */
#ifndef API_ROLE_H
#define API_ROLE_H

#include "api/call.h"
#include "src/base/num.h"
#include "src/iam/role.h"
#include "src/iam/user.h"

struct role_view {
    int64_t id;
    const char *name;
    const char *description[2];
    struct field_strings permissions;
    int builtin;
};
extern const struct field role_fields[];
/* The roles of a list of ids ("100,101"). Errors: NOMEM. */
MUST_CHECK int role_views(const char *roles, struct arena *arena, struct field_list *out, struct err *e);

struct user_view {
    int64_t id;
    const char *username, *email, *description;
    struct field_list roles;
    int enabled, must_change;
    int64_t created_us, updated_us, last_login_us;
};
extern const struct field user_fields[];
/* Errors: NOMEM. */
MUST_CHECK int user_view(const struct user *u, struct arena *arena, struct user_view *out, struct err *e);
/* Replies with the user. */
int reply_user(struct call *c, const struct user *u, struct err *e);

struct user_context user_context_of(const struct call *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One's own profile (contract additional.md 5.4). */
#include <string.h>

#include "api/api.h"
#include "api/role.h"
#include "api/session.h"
#include "api/tables.h"

/* ---- profile --------------------------------------------------------------------------------------------------------- */

static void about_me(struct call *c)
{
    c->object_kind = "OCP_USER";
    c->object_id = c->user->user_id;
    c->object_name = c->user->name;
}

static int api_profile_get(struct call *c, struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, c->user->user_id, c->arena, &u, e);

    return rv == 0 ? reply_user(c, u, e) : rv;
}

struct profile_in {
    const char *email, *phone, *department, *description;
};

static const struct field profile_in_fields[] = {
    F_STRING(profile_in, email, "email", .max = 255, .flags = FIELD_EMPTY_OK, DOC("Address for mail.")),
    F_STRING(profile_in, phone, "phone", .alias = "mobile", .max = 64, .flags = FIELD_EMPTY_OK, DOC("Telephone number.")),
    F_STRING(profile_in, department, "department", .max = 255, .flags = FIELD_EMPTY_OK, DOC("Department.")),
    F_STRING(profile_in, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("Remark.")),
    FIELD_END,
};

static int api_profile_update(struct call *c, struct err *e)
{
    const struct profile_in *in = c->body;
    struct user_context context = user_context_of(c);
    struct user_update change = { in->email, in->phone, in->department, in->description, NULL, -1, -1 };
    struct user *u;
    int rv;

    about_me(c);
    rv = user_update(&context, c->user, c->user->user_id, &change, c->arena, &u, e);
    return rv == 0 ? reply_user(c, u, e) : rv;
}

struct password_in {
    const char *current, *fresh;
};

static const struct field password_in_fields[] = {
    F_STRING(password_in, current, "currentPassword", .flags = FIELD_REQUIRED | FIELD_SECRET, .alias = "oldPassword", DOC("Present password.")),
    F_STRING(password_in, fresh, "newPassword", .flags = FIELD_REQUIRED | FIELD_SECRET, DOC("New password.")),
    FIELD_END,
};

static int api_profile_change_password(struct call *c, struct err *e)
{
    const struct password_in *in = c->body;
    struct user_context context = user_context_of(c);

    const char *current, *fresh;
    struct iam_ticket ticket;
    int rv = session_password(c, in->current, &current, e);

    about_me(c);
    if (rv == 0)
        rv = session_password(c, in->fresh, &fresh, e);
    if (rv == 0)
        rv = user_change_password(&context, c->user, current, fresh, c->arena, e);
    if (rv != 0 || c->user->login != LOGIN_SESSION)
        return rv;
    /* all sessions ended with the old password: who asked gets a new one */
    rv = iam_begin_session(context.iam, c->db, c->user, http_header(c->rq, "user-agent"), c->arena, &ticket, e);
    if (rv == 0)
        rv = session_cookies(c, &ticket, e);
    mem_wipe(ticket.session, sizeof ticket.session);
    return rv;
}

#define PROFILE .tag = "Profile"

const struct route profile_routes[] = {
    ROUTE("profile-me-get", "GET", "/api/v2/profiles/me", PERM_LOGIN, api_profile_get, REPLY_OBJECT, ROUTE_ADDITIONAL, "Show who is logged in.",
          PROFILE, .flags = ROUTE_ANY_PASSWORD, ROUTE_OUT(user_view, user_fields)),
    ROUTE("profile-me-update", "PATCH", "/api/v2/profiles/me", "PROFILE:*:UPDATE", api_profile_update, REPLY_OBJECT, ROUTE_OWN,
          "Change how to reach oneself.", PROFILE, ROUTE_BODY(profile_in, profile_in_fields), ROUTE_OUT(user_view, user_fields)),
    ROUTE("profile-me-change-password", "POST", "/api/v2/profiles/me/changePassword", PERM_LOGIN, api_profile_change_password, REPLY_NONE,
          ROUTE_OWN, "Change one's own password.", PROFILE, .flags = ROUTE_ANY_PASSWORD, ROUTE_BODY(password_in, password_in_fields)),
    ROUTE_END,
};

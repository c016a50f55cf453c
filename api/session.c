/* SPDX-License-Identifier: Apache-2.0 */
/* Console sessions: login, logout, who is logged in, and the lists from which sessions can be ended (contract additional.md 2.6).
 * The cookie of the session is out of reach of scripts and of other sites; the cookie of the CSRF token is there to be read. */
#include "api/session.h"

#include <string.h>

#include "api/api.h"
#include "api/auth.h"
#include "api/role.h"
#include "api/tables.h"
#include "src/iam/loginkey.h"

/* ---- cookies --------------------------------------------------------------------------------------------------------- */

static const char *secure(const struct call *c)
{
    return c->rq->tls || slice_is(c->rq->scheme, "https") ? "; Secure" : "";
}

static int set_cookies(struct call *c, const char *session, const char *csrf, const char *age, struct err *e)
{
    const char *first = arena_printf(c->arena, COOKIE_SESSION "=%s; Path=/; HttpOnly; SameSite=Strict%s%s", session, secure(c), age);
    const char *second = arena_printf(c->arena, COOKIE_CSRF "=%s; Path=/; SameSite=Strict%s%s", csrf, secure(c), age);

    if (first == NULL || second == NULL)
        return err_set(e, &ERR_NOMEM, "");
    call_header(c, SLICE("set-cookie"), first);
    call_header(c, SLICE("set-cookie"), second);
    return 0;
}

int session_cookies(struct call *c, const struct iam_ticket *ticket, struct err *e)
{
    return set_cookies(c, ticket->session, ticket->csrf, "", e);
}

int session_password(struct call *c, const char *sent, const char **password, struct err *e)
{
    return login_keys_open(c->api->shared->login_keys, c->api->shared->crypto_pool, sent, c->arena, password, e);
}

/* ---- login and logout ------------------------------------------------------------------------------------------------- */

struct login_in {
    const char *username, *password;
};

static const struct field login_in_fields[] = {
    F_STRING(login_in, username, "username", .flags = FIELD_REQUIRED, .max = 128, DOC("Name of the user.")),
    F_STRING(login_in, password, "password", .flags = FIELD_REQUIRED | FIELD_SECRET, .max = 1024, DOC("Password, in clear or encrypted under the login key.")),
    FIELD_END,
};

struct login_out {
    const char *location;
    int must_change;
};

static const struct field login_out_fields[] = {
    F_STRING(login_out, location, "location", DOC("Where the console goes on.")),
    F_BOOL(login_out, must_change, "needChangePassword", DOC("The password must be changed before anything else.")),
    FIELD_END,
};

static int api_login(struct call *c, struct err *e)
{
    const struct login_in *in = c->body;
    struct iam_login login = {
        .username = { in->username, strlen(in->username) },
        .client = c->rq->client,
        .user_agent = http_header(c->rq, "user-agent"),
    };
    struct login_out out = { "/", false };
    struct iam_ticket ticket;
    const char *password;
    int rv = session_password(c, in->password, &password, e);

    if (rv != 0)
        return rv;
    login.password = (struct slice){ password, strlen(password) };
    login.n_former = auth_sessions(c->rq, login.former);
    rv = iam_log_in(c->api->shared->iam, c->db, &login, c->arena, &ticket, e);
    if (rv != 0)
        return rv;
    rv = session_cookies(c, &ticket, e);
    mem_wipe(ticket.session, sizeof ticket.session);
    out.must_change = ticket.who->must_change_password;
    return rv == 0 ? call_object(c, &out, e) : rv;
}

static int api_logout(struct call *c, struct err *e)
{
    struct login_out out = { "/login", -1 };
    int rv = 0;

    if (c->user->login == LOGIN_SESSION)
        rv = iam_end_session(c->api->shared->iam, c->db, c->user->user_id, c->user->login_id, e);
    if (rv != 0 && rv != ERR_NOT_FOUND.code) /* ended by somebody else just now: just as well */
        return rv;
    err_clear(e);
    rv = set_cookies(c, "", "", "; Max-Age=0", e);
    return rv == 0 ? call_object(c, &out, e) : rv;
}

/* ---- who is logged in -------------------------------------------------------------------------------------------------- */

static const char *const login_names[] = { [LOGIN_PASSWORD] = "PASSWORD", [LOGIN_SESSION] = "SESSION", [LOGIN_KEY] = "ACCESS_KEY", NULL };

struct session_now {
    int64_t user_id;
    const char *username;
    struct field_strings permissions;
    int must_change, login;
    int64_t idle_s, created_us, expires_us;
};

static const struct field session_now_fields[] = {
    F_INT(session_now, user_id, "userId", DOC("Id of the user.")),
    F_STRING(session_now, username, "username", DOC("Name of the user.")),
    F_STRINGS(session_now, permissions, "permissions", DOC("What the user may do, as permission expressions of all roles together.")),
    F_BOOL(session_now, must_change, "needChangePassword", DOC("The password must be changed before anything else.")),
    F_ENUM(session_now, login, "loginType", login_names, DOC("How the user has shown who it is.")),
    F_INT(session_now, idle_s, "idleTimeoutSeconds", DOC("After how long without a request a session ends.")),
    F_TIME(session_now, created_us, "createTime", DOC("When the session began; not without a session.")),
    F_TIME(session_now, expires_us, "expireTime", DOC("When the session ends at the latest; not without a session.")),
    FIELD_END,
};

static int grant_texts(const struct call *c, struct field_strings *out, struct err *e)
{
    const char **texts = arena_array(c->arena, c->user->n_grants, sizeof *texts);
    struct str t;

    if (texts == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i < c->user->n_grants; i++) {
        str_init(&t, c->arena);
        permission_add(&t, &c->user->grants[i]);
        if (str_failed(&t))
            return err_set(e, &ERR_NOMEM, "");
        texts[i] = str_c(&t);
    }
    *out = (struct field_strings){ texts, c->user->n_grants };
    return 0;
}

/* A browser that lost the readable cookie gets it again. */
static int renew_csrf(struct call *c, struct err *e)
{
    struct slice sessions[IAM_MAX_COOKIES];
    char token[COOKIE_VALUE_SIZE];
    const char *cookie;

    if (c->user->login != LOGIN_SESSION || auth_sessions(c->rq, sessions) != 1 || auth_has_cookie(c->rq, COOKIE_CSRF))
        return 0;
    cookie_csrf(sessions[0], token);
    cookie = arena_printf(c->arena, COOKIE_CSRF "=%s; Path=/; SameSite=Strict%s", token, secure(c));
    if (cookie == NULL)
        return err_set(e, &ERR_NOMEM, "");
    call_header(c, SLICE("set-cookie"), cookie);
    return 0;
}

static int api_session_get(struct call *c, struct err *e)
{
    const struct principal *who = c->user;
    bool is_session = who->login == LOGIN_SESSION;
    struct session_now now = {
        .user_id = who->user_id,
        .username = who->name,
        .must_change = who->must_change_password,
        .login = (int)who->login,
        .idle_s = iam_idle_ms(c->api->shared->iam) / 1000,
        .created_us = is_session ? who->login_created_us : FIELD_NONE,
        .expires_us = is_session ? who->login_expires_us : FIELD_NONE,
    };
    int rv = grant_texts(c, &now.permissions, e);

    if (rv == 0)
        rv = renew_csrf(c, e);
    return rv == 0 ? call_object(c, &now, e) : rv;
}

/* ---- lists of sessions -------------------------------------------------------------------------------------------------- */

struct session_view {
    int64_t id;
    const char *client_ip, *user_agent;
    int64_t created_us, seen_us, expires_us;
    int current;
};

static const struct field session_fields[] = {
    F_INT(session_view, id, "id", DOC("Id of the session; it opens nothing.")),
    F_STRING(session_view, client_ip, "clientIp", DOC("Address from which the user logged in.")),
    F_STRING(session_view, user_agent, "userAgent", DOC("What the browser said it is.")),
    F_TIME(session_view, created_us, "createTime", DOC("When the user logged in.")),
    F_TIME(session_view, seen_us, "lastSeenTime", DOC("Last request, up to some ten seconds old.")),
    F_TIME(session_view, expires_us, "expireTime", DOC("When it ends at the latest.")),
    F_BOOL(session_view, current, "current", DOC("Whether it is the one that asks.")),
    FIELD_END,
};

static const char *const session_sorts[] = { "createTime", "lastSeenTime", NULL };

static int list_sessions(struct call *c, int64_t user_id, struct err *e)
{
    const struct store_page page = call_store_page(c);
    struct session *sessions;
    struct session_view *views;
    int64_t total;
    size_t n;
    int rv = store_session_list(c->db, user_id, &page, c->arena, &sessions, &n, &total, e);

    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        views[i] = (struct session_view){
            .id = sessions[i].id,
            .client_ip = sessions[i].client_ip,
            .user_agent = sessions[i].user_agent,
            .created_us = sessions[i].created_us,
            .seen_us = sessions[i].seen_us,
            .expires_us = sessions[i].expires_us,
            .current = c->user->login == LOGIN_SESSION && c->user->login_id == sessions[i].id,
        };
    return call_paged(c, views, n, total, e);
}

static int api_my_sessions(struct call *c, struct err *e)
{
    return list_sessions(c, c->user->user_id, e);
}

static int api_my_session_delete(struct call *c, struct err *e)
{
    c->object_kind = "SESSION";
    c->object_id = call_id(c, "id");
    c->object_name = c->user->name;
    return iam_end_session(c->api->shared->iam, c->db, c->user->user_id, call_id(c, "id"), e);
}

static int api_user_sessions(struct call *c, struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    return rv == 0 ? list_sessions(c, u->id, e) : rv;
}

static int api_user_session_delete(struct call *c, struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    if (rv != 0)
        return rv;
    c->object_kind = "SESSION";
    c->object_id = call_id(c, "sessionId");
    c->object_name = u->username;
    return iam_end_session(c->api->shared->iam, c->db, u->id, call_id(c, "sessionId"), e);
}

#define LOGIN .tag = "Login"

const struct route session_routes[] = {
    ROUTE("iam-login", "POST", "/api/v2/iam/login", PERM_PUBLIC, api_login, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "Log in at the console, by form or JSON; the reply sets the cookies of the session.", LOGIN, .flags = ROUTE_READ_ONLY,
          ROUTE_BODY(login_in, login_in_fields), ROUTE_OUT(login_out, login_out_fields)),
    ROUTE("iam-logout", "POST", "/api/v2/iam/logout", PERM_LOGIN, api_logout, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "End the session that asks, and remove its cookies.", LOGIN, .flags = ROUTE_READ_ONLY | ROUTE_ANY_PASSWORD,
          ROUTE_OUT(login_out, login_out_fields)),
    ROUTE("session-get", "GET", "/api/v2/session", PERM_LOGIN, api_session_get, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "Show who is logged in, what they may do, and how long the session lasts.", LOGIN, .flags = ROUTE_ANY_PASSWORD,
          ROUTE_OUT(session_now, session_now_fields)),
    ROUTE("profile-sessions-list", "GET", "/api/v2/profiles/me/sessions", PERM_LOGIN, api_my_sessions, REPLY_PAGED, ROUTE_OWN,
          "List one's own sessions, newest first.", LOGIN, .sort = session_sorts, ROUTE_OUT(session_view, session_fields)),
    ROUTE("profile-session-delete", "DELETE", "/api/v2/profiles/me/sessions/{id}", PERM_LOGIN, api_my_session_delete, REPLY_NONE, ROUTE_OWN,
          "End one of one's own sessions.", LOGIN),
    ROUTE("iam-user-sessions-list", "GET", "/api/v2/iam/users/{id}/sessions", "USER:{id}:READ", api_user_sessions, REPLY_PAGED, ROUTE_OWN,
          "List the sessions of a user, newest first.", LOGIN, .sort = session_sorts, ROUTE_OUT(session_view, session_fields)),
    ROUTE("iam-user-session-delete", "DELETE", "/api/v2/iam/users/{id}/sessions/{sessionId}", "USER:{id}:UPDATE", api_user_session_delete,
          REPLY_NONE, ROUTE_OWN, "End a session of a user.", LOGIN),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Who logged in, or tried to. */
#include "api/api.h"
#include "api/tables.h"
#include "src/iam/iam.h"
#include "src/store/loginhistory.h"

static const char *const methods[] = { LOGIN_BY_BASIC, LOGIN_BY_CONSOLE, LOGIN_BY_KEY, NULL };
static const char *const results[] = { "FAILED", "SUCCESS", NULL };

struct login_view {
    int64_t id, user_id;
    const char *username, *client_ip, *user_agent, *method, *node;
    int result;
    int64_t code;
    const char *reason[2];
    int64_t at_us;
};

static const struct field login_fields[] = {
    F_INT(login_view, id, "id", DOC("Id of the record.")),
    F_STRING(login_view, username, "username", DOC("Name that was given.")),
    F_INT(login_view, user_id, "userId", DOC("Id of the user; absent: there is none of this name.")),
    F_STRING(login_view, client_ip, "clientIp", DOC("Address of the client.")),
    F_STRING(login_view, user_agent, "userAgent", DOC("What the client said it is.")),
    F_STRING(login_view, method, "method", DOC("BASIC, CONSOLE or ACCESS_KEY. Programs that send a password or signature with each request are "
                                               "noted when a node has not seen them for a while.")),
    F_ENUM(login_view, result, "result", results, DOC("How it ended.")),
    F_INT(login_view, code, "errorCode", DOC("Code of the error; absent after success.")),
    F_TEXT2(login_view, reason, "reason", DOC("Why it failed.")),
    F_STRING(login_view, node, "node", DOC("Node that was asked.")),
    F_TIME(login_view, at_us, "loginTime", DOC("When it was.")),
    FIELD_END,
};

static const struct {
    const struct err_row *row;
    int code;
    const char *text[2];
} reasons[] = {
    { &ERR_LOGIN_WRONG, 0, { "wrong password", "密码错误" } },
    { NULL, LOGIN_UNKNOWN_USER, { "no such user", "用户不存在" } },
    { &ERR_ACCOUNT_DISABLED, 0, { "the account is disabled", "账号已禁用" } },
    { &ERR_ACCOUNT_LOCKED, 0, { "the account is locked", "账号已锁定" } },
};

static void give_reason(struct login_view *v)
{
    for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (v->code != (reasons[i].row != NULL ? reasons[i].row->code : reasons[i].code))
            continue;
        v->reason[ERR_EN] = reasons[i].text[ERR_EN];
        v->reason[ERR_ZH] = reasons[i].text[ERR_ZH];
    }
}

static struct login_view view_of(const struct login_event *e)
{
    struct login_view v = {
        .id = e->id,
        .user_id = e->user_id > 0 ? e->user_id : FIELD_NONE,
        .username = e->username,
        .client_ip = e->client_ip,
        .user_agent = e->user_agent,
        .method = e->method,
        .node = e->node,
        .result = e->succeeded,
        .code = e->code != 0 ? e->code : FIELD_NONE,
        .at_us = e->at_us,
    };

    give_reason(&v);
    return v;
}

struct login_query {
    const char *username, *client_ip;
    int method, result;
    int64_t user_id, from_us, until_us;
};

#define COMMON                                                                                                    \
    F_STRING(login_query, client_ip, "clientIp", .max = 64, DOC("Part of the client's address.")),                \
        F_ENUM(login_query, method, "method", methods, .flags = FIELD_ANY_CASE, DOC("Only logins of this kind.")), \
        F_ENUM(login_query, result, "result", results, .flags = FIELD_ANY_CASE, DOC("Only what ended so.")),      \
        F_TIME(login_query, from_us, "startTime", DOC("Not before.")),                                            \
        F_TIME(login_query, until_us, "endTime", DOC("Not after.")), FIELD_END

static const struct field mine_fields[] = { COMMON };
static const struct field query_fields[] = {
    F_STRING(login_query, username, "username", .max = 128, DOC("Part of the user's name.")),
    F_INT(login_query, user_id, "userId", .min = 0, .max = INT64_MAX, DOC("Only this user.")),
    COMMON,
};

static const char *const sorts[] = { "loginTime", "username", "clientIp", NULL };

static int list(struct call *c, int64_t user_id, const char *username, struct err *e)
{
    const struct login_query *q = c->query;
    const struct store_page page = call_store_page(c);
    const struct login_filter f = {
        .username = username,
        .client_ip = q->client_ip,
        .method = q->method >= 0 ? methods[q->method] : NULL,
        .succeeded = q->result,
        .user_id = user_id,
        .from_us = q->from_us,
        .until_us = q->until_us,
    };
    struct login_event *events;
    struct login_view *views;
    int64_t total;
    size_t n;
    int rv = store_login_history_list(c->db, &f, &page, c->arena, &events, &n, &total, e);

    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        views[i] = view_of(&events[i]);
    return call_paged(c, views, n, total, e);
}

static int api_login_list(struct call *c, struct err *e)
{
    const struct login_query *q = c->query;

    return list(c, q->user_id, q->username, e);
}

static int api_my_login_list(struct call *c, struct err *e)
{
    return list(c, c->user->user_id, NULL, e);
}

#define LOGIN .tag = "Login"

const struct route loginhistory_routes[] = {
    ROUTE("iam-login-histories-list", "GET", "/api/v2/iam/loginHistories", "USER:*:READ", api_login_list, REPLY_PAGED, ROUTE_OWN,
          "List who logged in or tried to, newest first.", LOGIN, .sort = sorts, ROUTE_QUERY(login_query, query_fields),
          ROUTE_OUT(login_view, login_fields)),
    ROUTE("profile-login-histories-list", "GET", "/api/v2/profiles/me/loginHistories", "PROFILE:*:READ", api_my_login_list, REPLY_PAGED,
          ROUTE_OWN, "List one's own logins, newest first.", LOGIN, .sort = sorts, ROUTE_QUERY(login_query, mine_fields),
          ROUTE_OUT(login_view, login_fields)),
    ROUTE_END,
};

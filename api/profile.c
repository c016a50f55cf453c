/* SPDX-License-Identifier: Apache-2.0 */
/* One's own profile and password box (contract additional.md 5.3, 5.4). */
#include <string.h>

#include "api/api.h"
#include "api/role.h"
#include "api/session.h"
#include "api/tables.h"
#include "src/vault/credential.h"

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

    struct iam_ticket ticket;
    int rv;

    about_me(c);
    rv = user_change_password(&context, c->user, in->current, in->fresh, c->arena, e);
    if (rv != 0 || c->user->login != LOGIN_SESSION)
        return rv;
    /* all sessions ended with the old password: who asked gets a new one */
    rv = iam_begin_session(context.iam, c->db, c->user, session_agent(c), c->arena, &ticket, e);
    if (rv == 0)
        rv = session_cookies(c, &ticket, e);
    mem_wipe(ticket.session, sizeof ticket.session);
    return rv;
}

/* ---- password box ---------------------------------------------------------------------------------------------------- */

/* The property object of any target, in and out; each target has its own table of members. */
struct property_view {
    int kind;
    const char *username, *passphrase, *cluster_name, *tenant_name;
    struct field_ints host_ids;
};

#define USERNAME F_STRING(property_view, username, "username", DOC("Name to log in with."))
#define PASSPHRASE(TEXT) F_STRING(property_view, passphrase, "passphrase", .flags = FIELD_SECRET | FIELD_EMPTY_OK, DOC(TEXT))
#define CLUSTER F_STRING(property_view, cluster_name, "clusterName", DOC("Cluster it is for."))

static const struct field ssh_fields[] = {
    F_ENUM(property_view, kind, "type", credential_kind_names, .flags = FIELD_ANY_CASE, DOC("How to log in.")),
    USERNAME,
    PASSPHRASE("Password, or the whole text of the private key; never returned."),
    F_INTS(property_view, host_ids, "hostIdList", .max = 1000, DOC("Hosts it is for; empty: any.")),
    FIELD_END,
};
static const struct field ob_fields[] = {
    CLUSTER,
    F_STRING(property_view, tenant_name, "tenantName", DOC("Tenant it is for; none: sys.")),
    USERNAME,
    PASSPHRASE("Password; never returned."),
    FIELD_END,
};
static const struct field proxy_fields[] = { CLUSTER, USERNAME, PASSPHRASE("Password; never returned."), FIELD_END };

struct credential_in {
    int target, validate;
    const char *name, *description;
    struct property_view *ssh, *ob, *proxy;
};

#define PROPERTIES(STRUCT)                                                                                                            \
    F_OBJECT(STRUCT, ssh, "sshCredentialProperty", property_view, ssh_fields, DOC("Login of a host.")),                               \
        F_OBJECT(STRUCT, ob, "obJdbcCredentialProperty", property_view, ob_fields, DOC("Login of an OceanBase tenant.")),             \
        F_OBJECT(STRUCT, proxy, "obProxyCredentialProperty", property_view, proxy_fields, DOC("Login of an OBProxy cluster."))
#define IN_MEMBERS                                                                                                                    \
    F_STRING(credential_in, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("Remark.")),                        \
        F_BOOL(credential_in, validate, "validate", .def = "false", DOC("Try the login before storing it.")), PROPERTIES(credential_in), \
        FIELD_END

static const struct field credential_create_fields[] = {
    F_ENUM(credential_in, target, "targetType", credential_target_names, .flags = FIELD_REQUIRED | FIELD_ANY_CASE, DOC("What it opens.")),
    F_STRING(credential_in, name, "name", .flags = FIELD_REQUIRED, .max = 64, DOC("Name, unique among one's own.")),
    IN_MEMBERS,
};
static const struct field credential_update_fields[] = {
    F_ENUM(credential_in, target, "targetType", credential_target_names, .flags = FIELD_ANY_CASE, DOC("What it opens; it cannot change.")),
    F_STRING(credential_in, name, "name", .max = 64, DOC("Name, unique among one's own.")),
    IN_MEMBERS,
};

struct credential_out {
    int64_t id;
    int target;
    const char *name, *description;
    struct property_view *ssh, *ob, *proxy;
    int64_t created_us, updated_us;
};

static const struct field credential_out_fields[] = {
    F_INT(credential_out, id, "id", DOC("Id of the credential.")),
    F_ENUM(credential_out, target, "targetType", credential_target_names, DOC("What it opens.")),
    F_STRING(credential_out, name, "name", DOC("Name.")),
    F_STRING(credential_out, description, "description", DOC("Remark.")),
    PROPERTIES(credential_out),
    F_TIME(credential_out, created_us, "createTime", DOC("When it was made.")),
    F_TIME(credential_out, updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

static int out_view(const struct credential_view *v, struct arena *arena, struct credential_out *out, struct err *e)
{
    struct property_view *property = arena_zalloc(arena, sizeof *property);

    if (property == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *property = (struct property_view){ v->kind, v->username, NULL, v->cluster_name, v->tenant_name, { v->host_ids, v->n_host_ids } };
    *out = (struct credential_out){ .id = v->id, .target = v->target, .name = v->name, .description = v->description,
                                    .created_us = v->created_us, .updated_us = v->updated_us };
    out->ssh = v->target == CREDENTIAL_HOST ? property : NULL;
    out->ob = v->target == CREDENTIAL_OB ? property : NULL;
    out->proxy = v->target == CREDENTIAL_OBPROXY ? property : NULL;
    return 0;
}

static int reply_credential(struct call *c, const struct credential_view *v, struct err *e)
{
    struct credential_out out;
    int rv = out_view(v, c->arena, &out, e);

    c->object_id = v->id;
    c->object_name = v->name;
    return rv == 0 ? call_object(c, &out, e) : rv;
}

static struct credential_context context_of(const struct call *c)
{
    return (struct credential_context){ c->db, c->api->shared->vault, c->api->shared->connect_pool };
}

/* The property object that belongs to `target`; the others are passed over, empty or not. */
static struct credential_spec spec_of(const struct credential_in *in, int target)
{
    const struct property_view *p = target == CREDENTIAL_HOST ? in->ssh : target == CREDENTIAL_OB ? in->ob : in->proxy;
    struct credential_spec spec = { .target = in->target, .name = in->name, .description = in->description, .kind = -1,
                                    .validate = in->validate == 1 };

    if (p == NULL)
        return spec;
    spec.kind = target == CREDENTIAL_HOST ? p->kind : -1;
    spec.username = p->username;
    spec.passphrase = p->passphrase;
    spec.cluster_name = p->cluster_name;
    spec.tenant_name = p->tenant_name;
    spec.host_ids = p->host_ids.items;
    spec.n_host_ids = p->host_ids.n;
    spec.has_host_ids = target == CREDENTIAL_HOST;
    return spec;
}

struct credential_query {
    int target;
};

static const struct field credential_query_fields[] = {
    F_ENUM(credential_query, target, "targetType", credential_target_names, .flags = FIELD_ANY_CASE, DOC("Only those for this.")),
    FIELD_END,
};

static int api_credential_list(struct call *c, struct err *e)
{
    const struct credential_query *q = c->query;
    struct credential_context context = context_of(c);
    struct credential_view *views;
    struct credential_out *out;
    size_t n;
    int rv = credential_list(&context, c->user->user_id, q->target, c->arena, &views, &n, e);

    if (rv != 0)
        return rv;
    out = arena_array(c->arena, n, sizeof *out);
    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = out_view(&views[i], c->arena, &out[i], e);
    return rv == 0 ? call_list(c, out, n, e) : rv;
}

static int api_credential_get(struct call *c, struct err *e)
{
    struct credential_context context = context_of(c);
    struct credential_view v;
    int rv = credential_get(&context, c->user->user_id, call_id(c, "id"), c->arena, &v, e);

    return rv == 0 ? reply_credential(c, &v, e) : rv;
}

static int api_credential_create(struct call *c, struct err *e)
{
    const struct credential_in *in = c->body;
    struct credential_spec spec = spec_of(in, in->target);
    struct credential_context context = context_of(c);
    struct credential_view v;
    int rv;

    c->object_kind = "CREDENTIAL";
    c->object_name = in->name;
    rv = credential_create(&context, c->user->user_id, &spec, c->arena, &v, e);
    return rv == 0 ? reply_credential(c, &v, e) : rv;
}

static int api_credential_update(struct call *c, struct err *e)
{
    struct credential_context context = context_of(c);
    struct credential_spec spec;
    struct credential_view v;
    int rv;

    c->object_kind = "CREDENTIAL";
    c->object_id = call_id(c, "id");
    rv = credential_get(&context, c->user->user_id, c->object_id, c->arena, &v, e);
    if (rv != 0)
        return rv;
    spec = spec_of(c->body, v.target);
    rv = credential_update(&context, c->user->user_id, v.id, &spec, c->arena, &v, e);
    return rv == 0 ? reply_credential(c, &v, e) : rv;
}

static int api_credential_delete(struct call *c, struct err *e)
{
    struct credential_context context = context_of(c);

    c->object_kind = "CREDENTIAL";
    c->object_id = call_id(c, "id");
    return credential_delete(&context, c->user->user_id, c->object_id, c->arena, &c->object_name, e);
}

#define PROFILE .tag = "Profile"
#define BOX .tag = "Password box"

const struct route profile_routes[] = {
    ROUTE("profile-me-get", "GET", "/api/v2/profiles/me", PERM_LOGIN, api_profile_get, REPLY_OBJECT, ROUTE_ADDITIONAL, "Show who is logged in.",
          PROFILE, .flags = ROUTE_ANY_PASSWORD, ROUTE_OUT(user_view, user_fields)),
    ROUTE("profile-me-update", "PATCH", "/api/v2/profiles/me", "PROFILE:*:UPDATE", api_profile_update, REPLY_OBJECT, ROUTE_OWN,
          "Change how to reach oneself.", PROFILE, ROUTE_BODY(profile_in, profile_in_fields), ROUTE_OUT(user_view, user_fields)),
    ROUTE("profile-me-change-password", "POST", "/api/v2/profiles/me/changePassword", PERM_LOGIN, api_profile_change_password, REPLY_NONE,
          ROUTE_OWN, "Change one's own password.", PROFILE, .flags = ROUTE_ANY_PASSWORD, ROUTE_BODY(password_in, password_in_fields)),
    ROUTE("profile-credentials-list", "GET", "/api/v2/profiles/me/credentials", "PROFILE:*:READ", api_credential_list, REPLY_LIST,
          ROUTE_ADDITIONAL, "List one's own credentials, newest first.", BOX, ROUTE_QUERY(credential_query, credential_query_fields),
          ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-create", "POST", "/api/v2/profiles/me/credentials", "PROFILE:*:CREATE", api_credential_create, REPLY_OBJECT,
          ROUTE_ADDITIONAL, "Store a credential.", BOX, ROUTE_BODY(credential_in, credential_create_fields),
          ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-get", "GET", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:READ", api_credential_get, REPLY_OBJECT,
          ROUTE_ADDITIONAL, "Show a credential, without its passphrase.", BOX, ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-update", "PUT", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:UPDATE", api_credential_update, REPLY_OBJECT,
          ROUTE_ADDITIONAL, "Change a credential; without a passphrase the stored one stays.", BOX,
          ROUTE_BODY(credential_in, credential_update_fields), ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-patch", "PATCH", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:UPDATE", api_credential_update, REPLY_OBJECT,
          ROUTE_OWN, "Change what is sent of a credential.", BOX, ROUTE_BODY(credential_in, credential_update_fields),
          ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-delete", "DELETE", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:DELETE", api_credential_delete, REPLY_NONE,
          ROUTE_ADDITIONAL, "Delete a credential.", BOX),
    ROUTE_END,
};

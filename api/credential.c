/* SPDX-License-Identifier: Apache-2.0 */
/* The password box: one's own credentials (contract additional.md 5.3). */
#include <string.h>

#include "api/api.h"
#include "api/credential.h"
#include "api/tables.h"
#include "src/iam/principal.h"

#define USERNAME F_STRING(property_view, username, "username", DOC("Name to log in with."))
#define PASSPHRASE(TEXT) F_STRING(property_view, passphrase, "passphrase", .flags = FIELD_SECRET | FIELD_EMPTY_OK, DOC(TEXT))
#define CLUSTER F_STRING(property_view, cluster_name, "clusterName", DOC("Cluster it is for."))
#define PLACE                                                                                                                         \
    F_STRING(property_view, address, "address", .max = 128, .flags = FIELD_EMPTY_OK, DOC("Where to try the login, if not at the managed cluster.")), \
        F_INT(property_view, port, "port", .min = 1, .max = 65535, DOC("Port of the address."))

const struct field ssh_property_fields[] = {
    F_ENUM(property_view, kind, "type", credential_kind_names, .flags = FIELD_ANY_CASE, DOC("How to log in.")),
    USERNAME,
    PASSPHRASE("Password, or the whole text of the private key; never returned."),
    F_STRING(property_view, key_passphrase, "keyPassphrase", .flags = FIELD_SECRET | FIELD_EMPTY_OK,
             DOC("Passphrase that opens the private key; never returned.")),
    F_INTS(property_view, host_ids, "hostIdList", .max = 1000, DOC("Hosts it is for; empty: any.")),
    FIELD_END,
};
const struct field ob_property_fields[] = {
    CLUSTER,
    F_STRING(property_view, tenant_name, "tenantName", DOC("Tenant it is for; none: sys.")),
    USERNAME,
    PASSPHRASE("Password; never returned."),
    PLACE,
    FIELD_END,
};
const struct field proxy_property_fields[] = { CLUSTER, USERNAME, PASSPHRASE("Password; never returned."), PLACE, FIELD_END };

struct credential_in {
    int target, validate;
    const char *name, *description;
    struct property_view *ssh, *ob, *proxy;
};

#define IN_MEMBERS                                                                                                                    \
    F_STRING(credential_in, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("Remark.")),                        \
        F_BOOL(credential_in, validate, "validate", .def = "false", DOC("Try the login before storing it.")), CREDENTIAL_PROPERTIES(credential_in), \
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

const struct field credential_out_fields[] = {
    F_INT(credential_out, id, "id", DOC("Id of the credential.")),
    F_ENUM(credential_out, target, "targetType", credential_target_names, DOC("What it opens.")),
    F_STRING(credential_out, name, "name", DOC("Name.")),
    F_STRING(credential_out, description, "description", DOC("Remark.")),
    CREDENTIAL_PROPERTIES(credential_out),
    F_TIME(credential_out, created_us, "createTime", DOC("When it was made.")),
    F_TIME(credential_out, updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

int credential_out_view(const struct credential_view *v, struct arena *arena, struct credential_out *out, struct err *e)
{
    struct property_view *property = arena_zalloc(arena, sizeof *property);

    if (property == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *property = (struct property_view){
        .kind = v->kind,
        .username = v->username,
        .cluster_name = v->cluster_name,
        .tenant_name = v->tenant_name,
        .address = v->address,
        .port = v->port > 0 ? v->port : FIELD_NONE,
        .host_ids = { v->host_ids, v->n_host_ids },
    };
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
    int rv = credential_out_view(v, c->arena, &out, e);

    c->object_id = v->id;
    c->object_name = v->name;
    return rv == 0 ? call_object(c, &out, e) : rv;
}

struct credential_context credential_context_of(const struct call *c)
{
    const struct api_shared *s = c->api->shared;

    return (struct credential_context){ c->db, s->vault, s->connect_pool, s->long_pool };
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
    spec.key_passphrase = p->key_passphrase;
    spec.cluster_name = p->cluster_name;
    spec.address = p->address;
    spec.port = p->port;
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
    struct credential_context context = credential_context_of(c);
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
        rv = credential_out_view(&views[i], c->arena, &out[i], e);
    return rv == 0 ? call_list(c, out, n, e) : rv;
}

static int api_credential_get(struct call *c, struct err *e)
{
    struct credential_context context = credential_context_of(c);
    struct credential_view v;
    int rv = credential_get(&context, c->user->user_id, call_id(c, "id"), c->arena, &v, e);

    return rv == 0 ? reply_credential(c, &v, e) : rv;
}

static int api_credential_create(struct call *c, struct err *e)
{
    const struct credential_in *in = c->body;
    struct credential_spec spec = spec_of(in, in->target);
    struct credential_context context = credential_context_of(c);
    struct credential_view v;
    int rv;

    c->object_kind = "CREDENTIAL";
    c->object_name = in->name;
    rv = credential_create(&context, c->user->user_id, &spec, c->arena, &v, e);
    return rv == 0 ? reply_credential(c, &v, e) : rv;
}

static int api_credential_update(struct call *c, struct err *e)
{
    struct credential_context context = credential_context_of(c);
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
    struct credential_context context = credential_context_of(c);

    c->object_kind = "CREDENTIAL";
    c->object_id = call_id(c, "id");
    return credential_delete(&context, c->user->user_id, c->object_id, c->arena, &c->object_name, e);
}

/* ---- trying them ----------------------------------------------------------------------------------------------------- */

struct attempt_view {
    int64_t host_id;
    const char *where, *fingerprint, *message;
    int valid;
    int64_t code;
};
static const struct field attempt_fields[] = {
    F_INT(attempt_view, host_id, "hostId", DOC("Host where it was tried.")),
    F_STRING(attempt_view, where, "address", DOC("Where it was tried.")),
    F_STRING(attempt_view, fingerprint, "fingerprint", DOC("The host's key, as OpenSSH shows it.")),
    F_BOOL(attempt_view, valid, "valid", DOC("Whether it lets one in.")),
    F_INT(attempt_view, code, "errorCode", DOC("Code of the error.")),
    F_STRING(attempt_view, message, "message", DOC("Why it does not.")),
    FIELD_END,
};

struct check_view {
    int64_t id;
    const char *name;
    int valid;
    struct field_list attempts;
};
static const struct field check_fields[] = {
    F_INT(check_view, id, "id", DOC("Id of the credential.")),
    F_STRING(check_view, name, "name", DOC("Its name.")),
    F_BOOL(check_view, valid, "valid", DOC("Whether it lets one in everywhere; one without any place to try is valid.")),
    F_LIST(check_view, attempts, "attempts", attempt_view, attempt_fields, DOC("Where it was tried.")),
    FIELD_END,
};

struct check_in {
    struct field_ints ids;
};
static const struct field check_in_fields[] = {
    F_INTS(check_in, ids, "credentialIds", .max = 100, DOC("Ids of the credentials; empty: all of one's own, at most 100.")),
    FIELD_END,
};

enum { MESSAGE_SIZE = 1024 };

static int attempt_view(const struct call *c, const struct credential_attempt *a, struct attempt_view *out, struct err *e)
{
    char text[MESSAGE_SIZE];

    *out = (struct attempt_view){ a->host_id > 0 ? a->host_id : FIELD_NONE, a->where, a->fingerprint, NULL, a->valid, FIELD_NONE };
    if (a->valid)
        return 0;
    out->code = a->why.row->code;
    out->message = arena_strdup(c->arena, err_text(&a->why, c->style.lang, text, sizeof text));
    return out->message != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int check_one(const struct call *c, int64_t id, struct check_view *out, struct err *e)
{
    struct credential_context context = credential_context_of(c);
    struct credential_attempt *attempts;
    struct attempt_view *views;
    struct credential_view v;
    size_t n;
    int rv = credential_check(&context, c->user->user_id, id, c->arena, &v, &attempts, &n, e);

    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *out = (struct check_view){ v.id, v.name, true, { views, n } };
    for (size_t i = 0; rv == 0 && i < n; i++) {
        rv = attempt_view(c, &attempts[i], &views[i], e);
        out->valid = out->valid && attempts[i].valid;
    }
    return rv;
}

/* The ids asked for, or all of one's own. */
static int wanted_ids(const struct call *c, const struct check_in *in, struct field_ints *out, struct err *e)
{
    struct credential_context context = credential_context_of(c);
    struct credential_view *views;
    size_t n;
    int rv;

    *out = in->ids;
    if (in->ids.n > 0)
        return 0;
    rv = credential_list(&context, c->user->user_id, -1, c->arena, &views, &n, e);
    if (rv != 0)
        return rv;
    n = n < 100 ? n : 100;
    *out = (struct field_ints){ arena_array(c->arena, n, sizeof *out->items), n };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        out->items[i] = views[i].id;
    return 0;
}

static int api_credential_validate(struct call *c, struct err *e)
{
    struct check_view *views;
    struct field_ints ids;
    int rv = wanted_ids(c, c->body, &ids, e);

    if (rv != 0)
        return rv;
    views = arena_array(c->arena, ids.n, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < ids.n; i++)
        rv = check_one(c, ids.items[i], &views[i], e);
    return rv == 0 ? call_list(c, views, ids.n, e) : rv;
}

#define BOX .tag = "Password box"

const struct route credential_routes[] = {
    ROUTE("profile-credentials-list", "GET", "/api/v2/profiles/me/credentials", "PROFILE:*:READ", api_credential_list, REPLY_LIST,
          ROUTE_ADDITIONAL, "List one's own credentials, newest first.", BOX, ROUTE_QUERY(credential_query, credential_query_fields),
          ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-create", "POST", "/api/v2/profiles/me/credentials", "PROFILE:*:CREATE", api_credential_create, REPLY_OBJECT,
          ROUTE_ADDITIONAL, "Store a credential.", BOX, .flags = ROUTE_SLOW, ROUTE_BODY(credential_in, credential_create_fields),
          ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-get", "GET", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:READ", api_credential_get, REPLY_OBJECT,
          ROUTE_ADDITIONAL, "Show a credential, without its passphrase.", BOX, ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-update", "PUT", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:UPDATE", api_credential_update, REPLY_OBJECT,
          ROUTE_ADDITIONAL, "Change a credential; without a passphrase the stored one stays.", BOX,
          .flags = ROUTE_SLOW, ROUTE_BODY(credential_in, credential_update_fields), ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-patch", "PATCH", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:UPDATE", api_credential_update, REPLY_OBJECT,
          ROUTE_OWN, "Change what is sent of a credential.", BOX, .flags = ROUTE_SLOW, ROUTE_BODY(credential_in, credential_update_fields),
          ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-delete", "DELETE", "/api/v2/profiles/me/credentials/{id}", "PROFILE:*:DELETE", api_credential_delete, REPLY_NONE,
          ROUTE_ADDITIONAL, "Delete a credential.", BOX),
    ROUTE("profile-credentials-validate", "POST", "/api/v2/profiles/me/credentials/validate", "PROFILE:*:READ", api_credential_validate,
          REPLY_LIST, ROUTE_OWN, "Try stored credentials everywhere they are for.", BOX, ROUTE_BODY(check_in, check_in_fields),
          .flags = ROUTE_READ_ONLY | ROUTE_BODY_OPTIONAL | ROUTE_SLOW, ROUTE_OUT(check_view, check_fields)),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Access keys: one's own, and for administrators those of others. The secret is in the reply that makes a key, and nowhere else. */
#include <string.h>

#include "api/api.h"
#include "api/role.h"
#include "api/tables.h"
#include "src/iam/accesskey.h"

struct key_view {
    int64_t id;
    const char *key, *secret, *description;
    int enabled;
    int64_t created_us, updated_us, used_us;
};

#define KEY_MEMBERS                                                                                                  \
    F_INT(key_view, id, "id", DOC("Id of the key.")),                                                                \
        F_STRING(key_view, key, "accessKey", DOC("What a program names itself by.")),                                \
        F_STRING(key_view, description, "description", DOC("Remark.")),                                              \
        F_BOOL(key_view, enabled, "enabled", DOC("Whether requests signed with it count.")),                         \
        F_TIME(key_view, created_us, "createTime", DOC("When it was made.")),                                        \
        F_TIME(key_view, updated_us, "updateTime", DOC("When it was changed.")),                                     \
        F_TIME(key_view, used_us, "lastUsedTime", DOC("Last use, up to some ten seconds old; absent: never.")), FIELD_END

static const struct field key_fields[] = { KEY_MEMBERS };
static const struct field new_key_fields[] = {
    F_STRING(key_view, secret, "secretKey", DOC("The secret that requests are signed with. It is shown this once.")),
    KEY_MEMBERS,
};

static struct key_view view_of(const struct accesskey *k)
{
    return (struct key_view){ k->id, k->key, NULL, k->description, k->enabled, k->created_us, k->updated_us, k->used_us };
}

static struct accesskey_context context_of(const struct call *c)
{
    return (struct accesskey_context){ c->api->shared->iam, c->db, c->api->shared->vault };
}

static void about(struct call *c, int64_t id, const char *name)
{
    c->object_kind = "ACCESS_KEY";
    c->object_id = id;
    c->object_name = name;
}

static int list_keys(struct call *c, int64_t user_id, struct err *e)
{
    struct accesskey *keys;
    struct key_view *views;
    size_t n;
    int rv = store_accesskey_list(c->db, user_id, c->arena, &keys, &n, e);

    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        views[i] = view_of(&keys[i]);
    return call_list(c, views, n, e);
}

struct key_in {
    const char *description;
    int enabled;
};

#define DESCRIPTION F_STRING(key_in, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("Remark: which program it is for."))

static const struct field create_fields[] = { DESCRIPTION, FIELD_END };
static const struct field update_fields[] = {
    DESCRIPTION,
    F_BOOL(key_in, enabled, "enabled", DOC("Whether requests signed with it count.")),
    FIELD_END,
};

static int api_my_keys(struct call *c, struct err *e)
{
    return list_keys(c, c->user->user_id, e);
}

static int api_key_create(struct call *c, struct err *e)
{
    const struct key_in *in = c->body;
    struct accesskey_context context = context_of(c);
    struct accesskey k = { .description = in->description != NULL ? in->description : "", .enabled = 1, .used_us = FIELD_NONE };
    char secret[ACCESSKEY_SECRET_SIZE];
    struct key_view view;
    int rv;

    about(c, -1, c->user->name);
    rv = accesskey_create(&context, c->user, &k, secret, c->arena, e);
    if (rv != 0)
        return rv;
    about(c, k.id, k.key);
    view = view_of(&k);
    view.secret = secret;
    rv = call_object(c, &view, e);
    mem_wipe(secret, sizeof secret);
    return rv;
}

static int api_key_update(struct call *c, struct err *e)
{
    const struct key_in *in = c->body;
    struct accesskey_context context = context_of(c);
    struct accesskey k;
    struct key_view view;
    int rv;

    about(c, call_id(c, "id"), NULL);
    rv = accesskey_update(&context, c->user, c->user->user_id, call_id(c, "id"), in->description, in->enabled, c->arena, &k, e);
    if (rv != 0)
        return rv;
    about(c, k.id, k.key);
    view = view_of(&k);
    return call_object(c, &view, e);
}

static int api_key_delete(struct call *c, struct err *e)
{
    struct accesskey_context context = context_of(c);

    about(c, call_id(c, "id"), NULL);
    return accesskey_delete(&context, c->user, c->user->user_id, call_id(c, "id"), c->arena, &c->object_name, e);
}

static int api_user_keys(struct call *c, struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, call_id(c, "id"), c->arena, &u, e);

    return rv == 0 ? list_keys(c, u->id, e) : rv;
}

static int api_user_key_delete(struct call *c, struct err *e)
{
    struct accesskey_context context = context_of(c);

    about(c, call_id(c, "keyId"), NULL);
    return accesskey_delete(&context, c->user, call_id(c, "id"), call_id(c, "keyId"), c->arena, &c->object_name, e);
}

#define KEYS .tag = "Access keys"

const struct route accesskey_routes[] = {
    ROUTE("profile-access-keys-list", "GET", "/api/v2/profiles/me/accessKeys", "PROFILE:*:READ", api_my_keys, REPLY_LIST, ROUTE_OWN,
          "List one's own access keys, newest first.", KEYS, ROUTE_OUT(key_view, key_fields)),
    ROUTE("profile-access-key-create", "POST", "/api/v2/profiles/me/accessKeys", "PROFILE:*:CREATE", api_key_create, REPLY_OBJECT, ROUTE_OWN,
          "Make an access key; its secret is shown this once.", KEYS, .flags = ROUTE_SECRET_REPLY | ROUTE_BODY_OPTIONAL,
          ROUTE_BODY(key_in, create_fields), ROUTE_OUT(key_view, new_key_fields)),
    ROUTE("profile-access-key-update", "PATCH", "/api/v2/profiles/me/accessKeys/{id}", "PROFILE:*:UPDATE", api_key_update, REPLY_OBJECT,
          ROUTE_OWN, "Enable or disable an access key, or change its remark.", KEYS, ROUTE_BODY(key_in, update_fields),
          ROUTE_OUT(key_view, key_fields)),
    ROUTE("profile-access-key-delete", "DELETE", "/api/v2/profiles/me/accessKeys/{id}", "PROFILE:*:DELETE", api_key_delete, REPLY_NONE,
          ROUTE_OWN, "Delete an access key.", KEYS),
    ROUTE("iam-user-access-keys-list", "GET", "/api/v2/iam/users/{id}/accessKeys", "USER:{id}:READ", api_user_keys, REPLY_LIST, ROUTE_OWN,
          "List the access keys of a user, newest first.", KEYS, ROUTE_OUT(key_view, key_fields)),
    ROUTE("iam-user-access-key-delete", "DELETE", "/api/v2/iam/users/{id}/accessKeys/{keyId}", "USER:{id}:UPDATE", api_user_key_delete,
          REPLY_NONE, ROUTE_OWN, "Delete an access key of a user.", KEYS),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tenant_path.h"

#include "api/api.h"
#include "src/iam/principal.h"
#include "src/task/domains.h"
#include "src/vault/credential.h"

const struct field connection_fields[] = {
    F_STRING(connection_string, type, "type", DOC("DIRECT: to the server itself.")),
    F_STRING(connection_string, zone, "obZone", DOC("Zone of that server; absent where there is but one.")),
    F_STRING(connection_string, text, "connectionString", DOC("How to connect.")),
    FIELD_END,
};

int api_tenant_of(struct call *c, const char *object, struct tenant *out, struct err *e)
{
    bool other = call_text(c, "id")[0] == '\0';
    int rv;

    c->object_kind = "OB_TENANT";
    c->object_id = call_id(c, "tenantId");
    c->object_name = object;
    rv = tenant_open(c->api->shared->domains->obclusters, c->db, call_id(c, other ? "clusterId" : "id"), c->object_id, c->user->user_id,
                     c->arena, out, e);
    if (rv == 0)
        c->object_parent = out->cluster.name;
    if (rv == 0)
        c->object_name = object == NULL ? out->row.name : arena_printf(c->arena, "%s/%s", out->row.name, object);
    return rv;
}

void api_tenant_keep_password(struct call *c, const struct tenant *t, const char *user, const char *password)
{
    const struct api_shared *shared = c->api->shared;
    struct credential_context context = { c->db, shared->vault, shared->connect_pool };
    struct credential_spec spec = {
        .target = CREDENTIAL_OB,
        .name = arena_printf(c->arena, "%s:%s:%s", t->cluster.name, t->row.name, user),
        .kind = CREDENTIAL_PASSWORD,
        .username = user,
        .passphrase = password,
        .cluster_name = t->cluster.name,
        .tenant_name = t->row.name,
    };
    struct err e;

    if ((spec.name != NULL ? credential_save(&context, c->user->user_id, &spec, c->arena, &e) : err_set(&e, &ERR_NOMEM, "")) != 0)
        log_warn(&c->api->log, "a changed password was not kept in the password box", LOG_S("trace", c->trace), LOG_S("user", user), LOG_E(&e));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* credential.h - how credentials look on the wire; shared by credential.c, credential_share.c and credential_file.c. */
#ifndef API_CREDENTIAL_H
#define API_CREDENTIAL_H

#include "api/call.h"
#include "src/vault/credential.h"

/* The property object of any target, in and out; each target has its own table of members. */
struct property_view {
    int kind;
    const char *username, *passphrase, *key_passphrase, *cluster_name, *tenant_name, *address;
    int64_t port;
    struct field_ints host_ids;
};
extern const struct field ssh_property_fields[], ob_property_fields[], proxy_property_fields[];

#define CREDENTIAL_PROPERTIES_OF(STRUCT, IN)                                                                                          \
    F_OBJECT(STRUCT, IN ssh, "sshCredentialProperty", property_view, ssh_property_fields, DOC("Login of a host.")),                   \
        F_OBJECT(STRUCT, IN ob, "obJdbcCredentialProperty", property_view, ob_property_fields, DOC("Login of an OceanBase tenant.")), \
        F_OBJECT(STRUCT, IN proxy, "obProxyCredentialProperty", property_view, proxy_property_fields, DOC("Login of an OBProxy cluster."))
#define CREDENTIAL_PROPERTIES(STRUCT) CREDENTIAL_PROPERTIES_OF(STRUCT, )

struct credential_out {
    int64_t id;
    int target;
    const char *name, *description;
    struct property_view *ssh, *ob, *proxy;
    int64_t created_us, updated_us;
};
extern const struct field credential_out_fields[];
/* Without the passphrase. Errors: NOMEM. */
MUST_CHECK int credential_out_view(const struct credential_view *v, struct arena *arena, struct credential_out *out, struct err *e);

struct credential_context credential_context_of(const struct call *c);

#endif

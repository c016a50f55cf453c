/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_path.h - what the operations on one tenant share: who is meant by the path, and the password box. */
#ifndef API_TENANT_PATH_H
#define API_TENANT_PATH_H

#include "api/call.h"
#include "src/tenant/tenant.h"

#define TENANT_PATH "/api/v2/ob/clusters/{id}/tenants/{tenantId}"
#define TENANT_READ "CLUSTER:{id}:TENANT:{tenantId}:READ"
#define TENANT_UPDATE "CLUSTER:{id}:TENANT:{tenantId}:UPDATE"

/* The tenant that the path parameters id (or clusterId) and tenantId name. The audit is told that the call is about it, or about
 * `object` in it (NULL: about itself). Errors: those of tenant_open. */
MUST_CHECK int api_tenant_of(struct call *c, const char *object, struct tenant *out, struct err *e);

/* Keeps the password of a database user in the caller's password box, under a name made of cluster, tenant and user. The password is
 * in force already: that it could not be kept goes to the log only. */
void api_tenant_keep_password(struct call *c, const struct tenant *t, const char *user, const char *password);

extern const struct field connection_fields[];

#endif

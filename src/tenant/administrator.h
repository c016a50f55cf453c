/* SPDX-License-Identifier: Apache-2.0 */
/* administrator.h - logging in to a tenant as its administrator: root, in Oracle mode SYS. What lies inside a tenant (databases, users, roles,
 * privileges) is seen and changed by him alone; all else about a tenant is done from the tenant sys and needs no password of his.
 *
 * Passwords that are tried, in this order, until one is accepted:
 *   1. the one kept here, sealed: since it was changed through OCP, or given to it as changePassword's newPassword
 *   2. those in the caller's password box for this cluster, tenant and user (target type OB); sessions opened with them are his alone
 *   3. where none is kept, the empty one: that of a new tenant
 * When none is, OBTENANT_PASSWORD says how to give the present one. The tenant sys, and a kernel of one tenant, are the cluster's
 * administrator's: his password is the cluster's. From fibers. */
#ifndef TENANT_ADMINISTRATOR_H
#define TENANT_ADMINISTRATOR_H

#include "src/obcluster/link.h"
#include "src/tenant/tenant.h"

/* "root" or "SYS". */
const char *administrator_name(const struct tenant *t);
/* Is the tenant's administrator that of the cluster? */
bool administrator_is_of_cluster(const struct tenant *t);

/* A pooled session as above. Errors: those of link_take and link_take_tenant, db_read, VAULT_OPEN. */
MUST_CHECK int administrator_take(struct tenant *t, struct link **out, struct err *e);

/* Changes his password in the tenant and here, and verifies it by a login. When none of the known passwords is accepted because somebody changed
 * it elsewhere, `old_password` (may be NULL) is used, or `new_password` if the tenant has it already: then it is only kept.
 * Errors: TENANT_PASSWORD, OBCLUSTER_OLD_PASSWORD, OBCLUSTER_STATE, those of link_take_tenant, OBCLUSTER_REFUSED, OBCLUSTER_UNKNOWN, those of
 * db_transact and, for the administrator of the cluster, of obcluster_change_password. */
MUST_CHECK int administrator_set_password(struct tenant *t, const char *old_password, const char *new_password, struct err *e);

#endif

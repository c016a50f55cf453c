/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_admin.h - one tenant of an OceanBase cluster, seen and changed from the tenant sys, whose administrator needs no password of it.
 * Tenants are found by number and changed by name: a dropped tenant's name may be another's by now. */
#ifndef OCEANBASE_TENANT_ADMIN_H
#define OCEANBASE_TENANT_ADMIN_H

#include "src/oceanbase/parameter.h"
#include "src/oceanbase/variable.h"

struct ob_tenant_now {
    const char *name, *mode, *status;   /* "MYSQL", "ORACLE"; "NORMAL", "CREATING", "DROPPING" ... */
    bool locked;
};
/* *found: is there a tenant of this number? Errors: those of sql_run. */
MUST_CHECK int ob_tenant_find(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_tenant_now *out, bool *found, struct err *e);

/* Where the tenant has units: servers that let its users in, those that serve first. */
struct ob_tenant_point {
    const char *ip;
    int64_t sql_port;
};
MUST_CHECK int ob_tenant_points(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_tenant_point **out, size_t *n,
                                struct err *e);

/* ALTER TENANT name LOCK, UNLOCK: whether new connections are let in. May be repeated. Errors: those of sql_run; the tenant is gone: lib_code
 * 5157, as everywhere here. */
MUST_CHECK int ob_tenant_set_locked(struct sql *s, const char *name, bool locked, struct err *e);

/* ALTER TENANT name PRIMARY_ZONE = ...: where its leaders go, by preference ("zone1,zone2;zone3", or RANDOM). Nothing when it is so already; leaders
 * move afterwards. Errors: OB_UNVERIFIED, NOT_FOUND (the tenant), those of sql_run. */
MUST_CHECK int ob_tenant_set_primary_zone(struct sql *s, const char *name, const char *primary_zone, struct err *e);
/* Do both mean the same preference? Zones of equal rank come in any order. Pure. */
bool ob_primary_zone_is(const char *one, const char *other);
/* Does a server of this version ("4.3.5.2") bring its time zones into a tenant by a statement? Before that a script of its package does. Pure. */
bool ob_loads_time_zones(const char *version);
/* ALTER SYSTEM LOAD MODULE DATA: the named time zones of the server's package come into the tenant; what is there is replaced by the same. */
MUST_CHECK int ob_time_zones_load(struct sql *s, const char *tenant, struct err *e);

/* Its system variables by name; numbers of collations and switches as SHOW VARIABLES words them. Errors: those of sql_run. */
MUST_CHECK int ob_variables_of_tenant(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_variable **out, size_t *n,
                                      struct err *e);
/* ALTER TENANT name SET VARIABLES ...; a value that is a whole number goes as one. Errors: OB_VARIABLE_*, those of sql_run. */
MUST_CHECK int ob_tenant_variable_set(struct sql *s, const char *tenant, const char *name, const char *value, struct err *e);

/* The parameters that are the tenant's own, by name, each once. Errors: those of sql_run. */
MUST_CHECK int ob_parameters_of_tenant(struct sql *s, int64_t ob_tenant_id, struct arena *arena, struct ob_parameter **out, size_t *n,
                                       struct err *e);
/* ALTER SYSTEM SET name = value TENANT = tenant. Errors: OB_PARAMETER_*, those of sql_run. */
MUST_CHECK int ob_tenant_parameter_set(struct sql *s, const char *tenant, const char *name, const char *value, struct err *e);

/* In the tenant itself: the number of the tenant that the session is in. Errors: those of sql_run. */
MUST_CHECK int ob_tenant_of_session(struct sql *s, int64_t *ob_tenant_id, struct err *e);
/* In a tenant in Oracle mode: ALTER USER SYS IDENTIFIED BY "password"; a password with a double quote is INVALID. Errors: those of sql_run. */
MUST_CHECK int ob_oracle_password_set(struct sql *s, const char *password, struct err *e);

#endif

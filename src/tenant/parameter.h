/* SPDX-License-Identifier: Apache-2.0 */
/* parameter.h - parameters of a tenant: its system variables, and the kernel's parameters of tenants where it has some. From fibers. */
#ifndef TENANT_PARAMETER_H
#define TENANT_PARAMETER_H

#include "src/tenant/tenant.h"

ERR_DECLARE(ERR_TENANT_PARAMETER_UNKNOWN);  /* 15060 {0} name */
ERR_DECLARE(ERR_TENANT_PARAMETER_FIXED);    /* 15061 {0} name */
extern const struct err_row *const tenant_parameter_err_rows[];

#define TENANT_WHITELIST "ob_tcp_invited_nodes"

struct tenant_range {
    const char *type;                  /* BOOL, INT, STRING; for parameters also CAPACITY, TIME ... */
    const char *allowed;               /* "": any */
    const char *min, *max;             /* NULL: none is said */
};
struct tenant_parameter {
    const char *name, *value, *default_value, *info;
    const char *kind;                  /* OB_SYSTEM_VARIABLE, OB_TENANT_PARAMETER */
    const char *mode;                  /* of tenants that have it: MYSQL, ORACLE */
    int readonly;
    struct tenant_range *range;
};
/* By name. Errors: those of tenant_ask_sys. */
MUST_CHECK int tenant_parameter_list(struct tenant *t, struct tenant_parameter **out, size_t *n, struct err *e);
/* The few of them that a tenant's details show; one query. */
struct tenant_live {
    const char *whitelist;             /* NULL: the kernel does not say */
    bool sql_audit;                    /* statements are recorded; false on a kernel that cannot */
    int locked;                        /* -1: the kernel knows no locks */
};
/* Errors: those of tenant_ask_sys. */
MUST_CHECK int tenant_live_get(struct tenant *t, struct tenant_live *out, struct err *e);

struct tenant_parameter_wish {
    const char *name, *value;
};
/* Checks all names first, then sets one after the other until one fails, and keeps in the history what became of each. A whitelist that
 * would shut out OCP itself is refused. Errors: TENANT_PARAMETER_UNKNOWN, TENANT_PARAMETER_FIXED, OB_VARIABLE_VALUE, OB_PARAMETER_VALUE,
 * those of whitelist_check, WHITELIST_LOCKOUT, those of tenant_change_sys and db_transact. */
MUST_CHECK int tenant_parameter_change(struct tenant *t, const struct tenant_parameter_wish *wishes, size_t n, const struct obcluster_user *who,
                                       struct err *e);

#endif

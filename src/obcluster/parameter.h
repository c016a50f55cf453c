/* SPDX-License-Identifier: Apache-2.0 */
/* parameter.h - parameters of a managed cluster: changing them, and remembering who did. */
#ifndef OBCLUSTER_PARAMETER_H
#define OBCLUSTER_PARAMETER_H

#include "src/obcluster/obcluster.h"
#include "src/oceanbase/parameter.h"

/* INT, CAPACITY, TIME ... as OCP names the types of parameters; "STRING" for what it does not know. */
const char *parameter_type(const struct ob_parameter *p);

/* All, by name, once for each server. Errors: those of link_take and link_give. */
MUST_CHECK int parameter_list(struct obclusters *o, const struct obcluster *c, struct arena *arena, struct ob_parameter **out, size_t *n,
                              struct err *e);

struct parameter_wish {
    const char *name, *value;
    struct ob_parameter_target target;
    int64_t ob_tenant_id;              /* of the tenant that is the target; -1: all user tenants */
};
/* Checks all, then sets one after the other until one fails, and records what became of each, the rest as skipped, in the history. A
 * lost answer is settled by reading the parameter. Errors: OB_PARAMETER_UNKNOWN, OB_PARAMETER_VALUE, OBCLUSTER_READ_ONLY, OBCLUSTER_SCOPE,
 * OBCLUSTER_STATE, those of link.h, those of db_transact. */
MUST_CHECK int parameter_change(struct obclusters *o, struct db *d, const struct obcluster *c, const struct parameter_wish *wishes, size_t n,
                                const struct obcluster_user *who, struct arena *arena, struct err *e);

#endif

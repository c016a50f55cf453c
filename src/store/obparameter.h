/* SPDX-License-Identifier: Apache-2.0 */
/* obparameter.h - who changed which parameter of a managed cluster or tenant, when, from what to what. */
#ifndef STORE_OBPARAMETER_H
#define STORE_OBPARAMETER_H

#include "src/store/list.h"

struct obparameter_change {
    int64_t id, cluster_id;
    int64_t tenant_id;              /* our id; -1: a parameter of the cluster */
    const char *name, *old_value, *new_value; /* old_value NULL: not known */
    int64_t user_id;
    const char *user_name;
    const char *outcome;            /* "SUCCESSFUL", "FAILED", "UNKNOWN", "SKIPPED" (an earlier one of the request failed) */
    const char *reason;             /* ""; why it failed */
    int64_t changed_us;
    const char *scope, *target;     /* "CLUSTER" and ""; "ZONE", "SERVER", "TENANT" and its name; both "": a parameter of the tenant */
};

/* Inside a transaction. */
MUST_CHECK int store_obparameter_record(struct tx *tx, const struct obparameter_change *changes, size_t n, struct err *e);

/* Newest first. `tenant_id` -1: the cluster's own; `name` NULL: of all. Errors: those of list_read. */
MUST_CHECK int store_obparameter_history(struct db *d, int64_t cluster_id, int64_t tenant_id, const char *name, const struct store_page *page,
                                         struct arena *arena, struct obparameter_change **out, size_t *n, int64_t *total, struct err *e);

#endif

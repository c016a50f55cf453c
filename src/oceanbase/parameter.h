/* SPDX-License-Identifier: Apache-2.0 */
/* parameter.h - parameters of a managed OceanBase (oceanbase.GV$OB_PARAMETERS, V$OB_PARAMETERS, ALTER SYSTEM). */
#ifndef OCEANBASE_PARAMETER_H
#define OCEANBASE_PARAMETER_H

#include "src/io/sql.h"

struct ob_parameter {
    const char *name, *value;
    const char *scope;          /* CLUSTER or TENANT */
    const char *data_type;      /* INT, STRING, BOOL, CAPACITY, TIME ...; NULL: unknown */
    const char *info;           /* what it is for, in the kernel's words */
    const char *section;
    const char *edit_level;     /* READONLY, STATIC_EFFECTIVE (needs a restart), DYNAMIC_EFFECTIVE */
    const char *default_value;  /* NULL: the kernel does not say */
    const char *zone, *ip;      /* of the server that has this value; NULL: this kernel is one server */
    int64_t port;               /* its RPC port; -1 */
    int64_t tenant_id;          /* the kernel's own number; -1: a parameter of the cluster, or this kernel has one tenant */
};

/* All that the session's tenant sees on the server it is on, by name. Errors: those of sql_run. */
MUST_CHECK int ob_parameters_list(struct sql *s, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e);
/* One of them; *found says whether there is such a parameter. */
MUST_CHECK int ob_parameter_get(struct sql *s, const char *name, struct arena *arena, struct ob_parameter *out, bool *found, struct err *e);
/* Of the cluster, once for each server, by name; of tenants those of sys. Errors: those of sql_run. */
MUST_CHECK int ob_cluster_parameters_list(struct sql *s, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e);
/* One of them, wherever and for whichever tenant it has a value. */
MUST_CHECK int ob_cluster_parameter_get(struct sql *s, const char *name, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e);
bool ob_parameter_is_of_tenants(const struct ob_parameter *p);
bool ob_parameter_is_read_only(const struct ob_parameter *p);
bool ob_parameter_needs_restart(const struct ob_parameter *p);

ERR_DECLARE(ERR_OB_PARAMETER_UNKNOWN); /* {0} name (server error 5099) */
ERR_DECLARE(ERR_OB_PARAMETER_VALUE);   /* {0} name, {1} value (server error 4147) */
extern const struct err_row *const ob_parameter_err_rows[];

/* The end `rv` of a statement that set a parameter (value NULL: to its default), worded as one of these rows where it is one. */
int ob_parameter_refused(int rv, const char *name, const char *value, struct err *e);

/* Bounds as the kernel words them in `info`: "... Range: [1, 100] in integer". Texts lie in `arena`; NULL: none is said. */
struct ob_parameter_range {
    const char *min, *max;      /* "1", "100"; NULL also for an open end */
    bool min_open, max_open;    /* the bound itself is not allowed */
    const char *allowed;        /* list of words, as it stands there */
};
/* False when memory is out. */
MUST_CHECK bool ob_parameter_range(const struct ob_parameter *p, struct arena *arena, struct ob_parameter_range *out);

/* ALTER SYSTEM RESET name: back to the default. Errors: as ob_parameter_set. */
MUST_CHECK int ob_parameter_reset(struct sql *s, const char *name, struct err *e);
/* ALTER SYSTEM SET name = 'value'. The name must be a plain word. Errors: OB_PARAMETER_UNKNOWN, OB_PARAMETER_VALUE, those of sql_run. */
MUST_CHECK int ob_parameter_set(struct sql *s, const char *name, const char *value, struct err *e);

/* Where a value shall count. */
struct ob_parameter_target {
    enum ob_parameter_scope {
        OB_SCOPE_CLUSTER,
        OB_SCOPE_ZONE,
        OB_SCOPE_SERVER,
        OB_SCOPE_TENANT,
    } scope;
    const char *name;           /* zone; "10.0.0.1:2882", "[::1]:2882"; tenant; "" for the cluster */
};
extern const char *const ob_parameter_scope_names[]; /* "CLUSTER", "ZONE", "SERVER", "TENANT", NULL */
MUST_CHECK int ob_parameter_set_at(struct sql *s, const char *name, const char *value, const struct ob_parameter_target *t, struct err *e);

#endif

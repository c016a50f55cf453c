/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.h - tenants of managed clusters: where operations on them go, and how their outcome is found out.
 *
 *   what                                                          | session                              | functions
 *   --------------------------------------------------------------+--------------------------------------+----------------------------
 *   databases, users, roles, privileges, objects                  | the tenant's administrator           | tenant_ask, tenant_change
 *   parameters, variables, whitelist, lock, sessions, compactions | the cluster's, in the tenant sys     | tenant_ask_sys, tenant_change_sys
 *
 * A kernel of one tenant (seekdb) is served by one session for both; what it has no statement for is refused with TENANT_UNSUPPORTED. What lies
 * inside a tenant in Oracle mode is refused too, before anything is asked. From fibers. */
#ifndef TENANT_TENANT_H
#define TENANT_TENANT_H

#include "src/obcluster/obcluster.h"

struct sql;

ERR_DECLARE(ERR_TENANT_NOT_FOUND);    /* 15023 {0} id, {1} cluster */
ERR_DECLARE(ERR_TENANT_UNSUPPORTED);  /* 15025 {0} tenant, {1} what cannot be done with it, for it holds the system */
ERR_DECLARE(ERR_TENANT_STATE);        /* 15025 {0} tenant, {1} its state */
ERR_DECLARE(ERR_TENANT_PASSWORD);     /* 15034 {0} what is wrong with it */
ERR_DECLARE(ERR_TENANT_PRIMARY_ZONE); /* 15032 {0} what was given, {1} zones of the cluster */
extern const struct err_row *const tenant_err_rows[];

/* A tenant and the cluster it is in, as rows just read. Strings lie in `arena`. */
struct tenant {
    struct obclusters *obclusters;    /* borrowed, as db and arena */
    struct db *db;
    struct arena *arena;
    struct obcluster cluster;
    struct obtenant row;
    int64_t user_id;                  /* who asks: his password box counts */
    struct obtopology *topology;      /* of the cluster; NULL until tenant_topology read it */
};
enum { TENANT_SYS = 1 };              /* the kernel's number of the tenant sys */
/* Errors: OBCLUSTER_NOT_FOUND, TENANT_NOT_FOUND, those of db_read. */
MUST_CHECK int tenant_open(struct obclusters *o, struct db *d, int64_t cluster_id, int64_t tenant_id, int64_t user_id, struct arena *arena,
                           struct tenant *out, struct err *e);

/* Has the kernel of the cluster one tenant and no more? */
bool tenant_alone_in(const struct obcluster *c);
bool tenant_is_alone(const struct tenant *t);
bool tenant_is_oracle(const struct tenant *t);
/* Errors: `refusal`, for a tenant in Oracle mode. */
MUST_CHECK int tenant_require_mysql(const struct tenant *t, const struct err_row *refusal, struct err *e);

/* One run of some work on a session of the tenant. */
struct tenant_step {
    void *data;
    bool again;                       /* an earlier run may have done all of it, or a part: what is done already is no error */
    bool changed;                     /* to be set by the work once a statement has taken effect */
    const char *tenant;               /* in the tenant sys: its name at present; NULL: the kernel has but one tenant */
};
typedef int (*tenant_work)(struct sql *s, struct tenant_step *step, struct err *e);

/* Run work that only looks, inside the tenant and in the tenant sys. Errors: those of administrator_take, or link_take and OBTENANT_GONE; of the
 * work, and the wordings of link_give. */
MUST_CHECK int tenant_ask(struct tenant *t, tenant_work work, void *data, struct err *e);
MUST_CHECK int tenant_ask_sys(struct tenant *t, tenant_work work, void *data, struct err *e);
/* Run work that changes something. Where the connection is lost in the middle, it runs again on new sessions (`again` set) until it is
 * known that everything is done, for some seconds; so the work may be repeated. Errors: OBCLUSTER_STATE, TENANT_STATE,
 * as tenant_ask, and OBCLUSTER_UNKNOWN when it could not be found out. */
MUST_CHECK int tenant_change(struct tenant *t, tenant_work work, void *data, struct err *e);
MUST_CHECK int tenant_change_sys(struct tenant *t, tenant_work work, void *data, struct err *e);

/* Whether new connections are let in. Errors: TENANT_UNSUPPORTED, those of tenant_change_sys. */
MUST_CHECK int tenant_set_locked(struct tenant *t, bool locked, struct err *e);
/* A remark of people, kept here. Errors: those of db_transact. */
MUST_CHECK int tenant_describe(struct tenant *t, const char *description, struct err *e);

/* What is in the cluster as it was seen last, read once. Errors: those of db_read. */
MUST_CHECK int tenant_topology(struct tenant *t, const struct obtopology **out, struct err *e);

/* How a client reaches the tenant. */
struct connection_string {
    const char *type;                 /* DIRECT */
    const char *zone;                 /* of the server; NULL: the kernel has but one */
    const char *text;
};
/* For an account (obclient ...), or for a database (JDBC): one of each zone that has a unit of the tenant, in its server that serves. A list of
 * struct connection_string. Errors: NOMEM, those of db_read. */
MUST_CHECK int tenant_connect_as(struct tenant *t, const char *user, struct field_list *out, struct err *e);
MUST_CHECK int tenant_connect_to(struct tenant *t, const char *database, struct field_list *out, struct err *e);

/* The zones of the cluster as one text, "zone1;zone2". "" when none is known. Errors: those of db_read. */
MUST_CHECK int tenant_zones(struct tenant *t, const char **out, struct err *e);
/* Is `wanted` (NULL, "", RANDOM, zones separated by ; or ,) a primary zone among `zones`? Errors: TENANT_PRIMARY_ZONE. Pure. */
MUST_CHECK int primary_zone_check(const char *wanted, const char *zones, struct err *e);

#endif

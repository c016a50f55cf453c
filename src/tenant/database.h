/* SPDX-License-Identifier: Apache-2.0 */
/* database.h - databases of a tenant in MySQL mode. From fibers. */
#ifndef TENANT_DATABASE_H
#define TENANT_DATABASE_H

#include "src/tenant/tenant.h"

ERR_DECLARE(ERR_DATABASE_NAME);       /* 15200 {0} name */
ERR_DECLARE(ERR_DATABASE_EXISTS);     /* 15201 {0} name */
ERR_DECLARE(ERR_DATABASE_NOT_FOUND);  /* 15202 {0} name */
ERR_DECLARE(ERR_DATABASE_NO_CHANGE);  /* 15203 */
ERR_DECLARE(ERR_DATABASE_SYSTEM);     /* 15204 {0} name */
ERR_DECLARE(ERR_DATABASE_COLLATION);  /* 15205 {0} collation */
ERR_DECLARE(ERR_DATABASE_ORACLE);     /* 15206 {0} tenant: it is in Oracle mode and has none; of all functions here */
extern const struct err_row *const database_err_rows[];

struct database {
    int64_t id, created_us;           /* FIELD_NONE: the kernel does not say */
    const char *name, *charset, *collation, *primary_zone;
    int read_only;                    /* -1: the kernel does not say */
    struct field_list urls;           /* struct connection_string */
};

struct database_wish {
    const char *name;
    const char *collation;            /* or the name of a character set; NULL: the kernel's own, or as it is */
    const char *primary_zone;         /* NULL: that of the tenant */
    int read_only;                    /* -1: as it is */
};

/* All but the kernel's hidden ones, by name. Errors: those of tenant_ask. */
MUST_CHECK int database_list(struct tenant *t, struct database **out, size_t *n, struct err *e);
/* Errors: DATABASE_NAME, DATABASE_EXISTS, DATABASE_SYSTEM, DATABASE_COLLATION, TENANT_PRIMARY_ZONE, those of tenant_change. */
MUST_CHECK int database_create(struct tenant *t, const struct database_wish *wish, struct database *out, struct err *e);
/* Errors: DATABASE_NOT_FOUND, DATABASE_NO_CHANGE, DATABASE_SYSTEM, DATABASE_COLLATION, TENANT_PRIMARY_ZONE, those of tenant_change. */
MUST_CHECK int database_update(struct tenant *t, const struct database_wish *wish, struct database *out, struct err *e);
/* With everything in it. Errors: DATABASE_NOT_FOUND, DATABASE_SYSTEM, those of tenant_change. */
MUST_CHECK int database_drop(struct tenant *t, const char *name, struct err *e);

#endif

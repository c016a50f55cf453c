/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - users and roles of a tenant in MySQL mode with all that they may do, as OCP shows them. From fibers. */
#ifndef TENANT_ACCOUNT_H
#define TENANT_ACCOUNT_H

#include "src/oceanbase/user.h"
#include "src/tenant/tenant.h"

ERR_DECLARE(ERR_DBUSER_NOT_FOUND);    /* 15252 {0} name */
ERR_DECLARE(ERR_DBUSER_PROTECTED);    /* 15253 {0} name */
ERR_DECLARE(ERR_DBUSER_ORACLE);       /* 15254 {0} tenant: users, roles and objects of tenants in Oracle mode */
ERR_DECLARE(ERR_DBROLE_NOT_FOUND);    /* 15302 {0} name */
extern const struct err_row *const account_err_rows[];

enum account_kind { ACCOUNT_USER, ACCOUNT_ROLE };

struct db_object {
    const char *type;                 /* TABLE, VIEW, STORED_PROCEDURE; NULL: it is gone */
    const char *name, *schema, *full_name;
};
struct db_privilege {
    const char *database;
    struct field_strings privileges;  /* OCP's tokens, as everywhere here */
};
struct object_privilege {
    struct db_object *object;
    struct field_strings privileges;
};

struct account {
    const char *name;
    bool is_role;
    int is_locked;
    int64_t created_us, modified_us;  /* FIELD_NONE: the kernel does not say */
    struct field_strings global;
    struct field_list databases;      /* struct db_privilege */
    struct field_list objects;        /* struct object_privilege */
    struct field_strings roles;       /* that it has */
    struct field_strings user_grantees, role_grantees; /* of a role: who has it */
    struct field_strings accessible;  /* databases in which it may do something */
    struct field_list connections;    /* struct connection_string; of a user */
};

/* All users, or all roles, by name; in a fixed number of queries. Errors: DBUSER_ORACLE, those of tenant_ask. */
MUST_CHECK int account_list(struct tenant *t, enum account_kind kind, struct account **out, size_t *n, struct err *e);
/* Errors: DBUSER_ORACLE, DBUSER_NOT_FOUND, DBROLE_NOT_FOUND, those of tenant_ask. */
MUST_CHECK int account_get(struct tenant *t, enum account_kind kind, const char *name, struct account *out, struct err *e);

/* Belongs to the kernel or to OCP: may be seen, but neither dropped nor locked nor given other privileges. Pure. */
bool account_is_protected(const char *name);
/* Within work on a session: the account of this name and kind. Errors: DBUSER_NOT_FOUND, DBROLE_NOT_FOUND, those of sql_run. */
MUST_CHECK int account_find(struct sql *s, enum account_kind kind, const char *name, struct arena *arena, struct err *e);
int account_not_found(enum account_kind kind, const char *name, struct err *e);

#endif

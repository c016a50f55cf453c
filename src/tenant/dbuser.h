/* SPDX-License-Identifier: Apache-2.0 */
/* dbuser.h - users and roles of a tenant in MySQL mode: making, dropping, passwords, locks. From fibers. */
#ifndef TENANT_DBUSER_H
#define TENANT_DBUSER_H

#include "src/tenant/grant.h"

ERR_DECLARE(ERR_DBUSER_NAME);         /* 15250 {0} name */
ERR_DECLARE(ERR_DBUSER_EXISTS);       /* 15251 {0} name */
ERR_DECLARE(ERR_DBROLE_NAME);         /* 15300 {0} name */
ERR_DECLARE(ERR_DBROLE_CONFLICT);     /* 15301 {0} name: of a role or of a user */
extern const struct err_row *const dbuser_err_rows[];

/* A new user, or with kind ACCOUNT_ROLE a new role, which has neither password nor privileges in databases. */
struct dbuser_wish {
    enum account_kind kind;
    const char *name, *password;
    const struct field_strings *global, *roles;  /* tokens, names of roles */
    const struct field_list *databases;          /* struct db_privilege; NULL: none */
};
/* All or nothing: when a privilege cannot be granted the account is dropped again. Errors: DBUSER_NAME, DBUSER_EXISTS, DBROLE_NAME,
 * DBROLE_CONFLICT, TENANT_PASSWORD, DBUSER_ORACLE (as all here), those of grant_run. */
MUST_CHECK int dbuser_create(struct tenant *t, const struct dbuser_wish *wish, struct account *out, struct err *e);
/* Errors: DBUSER_NOT_FOUND, DBROLE_NOT_FOUND, DBUSER_PROTECTED, those of tenant_change. */
MUST_CHECK int dbuser_drop(struct tenant *t, enum account_kind kind, const char *name, struct err *e);
/* The administrator's own password is changed here as well. Errors: TENANT_PASSWORD, DBUSER_NOT_FOUND, DBUSER_PROTECTED, those of
 * tenant_change and administrator_set_password. */
MUST_CHECK int dbuser_set_password(struct tenant *t, const char *name, const char *password, struct err *e);
/* Errors: as dbuser_drop. */
MUST_CHECK int dbuser_set_locked(struct tenant *t, const char *name, bool locked, struct err *e);

#endif

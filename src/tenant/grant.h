/* SPDX-License-Identifier: Apache-2.0 */
/* grant.h - changes what users and roles of a tenant may do. What is there is read first and only the difference is granted and revoked, so
 * a change may be repeated at any time. From fibers. */
#ifndef TENANT_GRANT_H
#define TENANT_GRANT_H

#include "src/tenant/account.h"

ERR_DECLARE(ERR_GRANT_OBJECT); /* 15258's sibling: {0} type, {1} name: there is no such object */
extern const struct err_row *const grant_err_rows[];

enum grant_verb { GRANT_ADD, GRANT_REMOVE, GRANT_SET };

/* One change, prepared: everything that can be checked without the tenant is checked. */
struct grant_job {
    struct arena *arena;
    enum account_kind kind;
    const char *name;                  /* of the account */
    enum grant_verb verb;
    struct grant_target *targets;      /* what privileges are about; none: the job is about roles */
    size_t n_targets;
    bool all_databases;                /* SET: databases that are not among the targets lose their privileges */
    struct field_strings roles;
};

/* `tokens` everywhere. Errors: DB_PRIVILEGE. */
MUST_CHECK int grant_global(struct grant_job *job, const struct field_strings *tokens, struct err *e);
/* A list of struct db_privilege; SET makes them all that the account has in databases. Errors: DB_PRIVILEGE. */
MUST_CHECK int grant_databases(struct grant_job *job, const struct field_list *privileges, struct err *e);
/* A list of struct object_privilege; SET concerns the objects in it. Errors: OBJECT_PRIVILEGE. */
MUST_CHECK int grant_objects(struct grant_job *job, const struct field_list *privileges, struct err *e);
/* Roles are granted to the account and are in force from its next login on. */
void grant_roles(struct grant_job *job, const struct field_strings *roles);

/* Carries the job out. Errors: DBUSER_ORACLE, DBUSER_NOT_FOUND, DBROLE_NOT_FOUND (the account, or a role to be granted), DBUSER_PROTECTED,
 * DATABASE_NOT_FOUND, GRANT_OBJECT, those of tenant_change. */
MUST_CHECK int grant_run(struct tenant *t, struct grant_job *job, struct err *e);
/* The same as a part of other work: step->data is the job. */
MUST_CHECK int grant_work(struct sql *s, struct tenant_step *step, struct err *e);

#endif

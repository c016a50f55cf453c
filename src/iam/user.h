/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - rules about users: what names and passwords they may have, who may change whom. The account `admin` is made at the first
 * start and stays: always enabled, always administrator. Only administrators make, change or delete administrators.
 * From fibers. */
#ifndef IAM_USER_H
#define IAM_USER_H

#include "src/iam/iam.h"
#include "src/iam/password.h"

ERR_DECLARE(ERR_USERNAME_FORMAT);    /* {0} what is wrong */
ERR_DECLARE(ERR_USERNAME_RESERVED);  /* {0} name */
ERR_DECLARE(ERR_SAME_PASSWORD);
ERR_DECLARE(ERR_OLD_PASSWORD);
ERR_DECLARE(ERR_USER_UNDELETABLE);   /* {0} name */
ERR_DECLARE(ERR_USER_ROLES_FIXED);   /* {0} name */
ERR_DECLARE(ERR_USER_UNLOCKABLE);    /* {0} name */
ERR_DECLARE(ERR_SELF_DELETE);
ERR_DECLARE(ERR_SELF_LOCK);
ERR_DECLARE(ERR_ADMIN_NEEDED);       /* {0} what for */
extern const struct err_row *const user_err_rows[];

enum { USER_ADMIN_ID = 100 };
#define USER_ADMIN "admin"

/* What user operations need. */
struct user_context {
    struct iam *iam;
    struct db *db;
    struct work_pool *crypto_pool;
    const struct clock *clock;
};

/* NULL when a name may be given to a new user (4 to 48 of a-z 0-9 . _ -, a letter first, a letter or digit last), else what is
 * wrong with it. Pure. */
const char *username_problem(const char *name);

/* Makes the first administrator if there is none; `password` gets the generated one, which must be changed at the first login.
 * Any number of nodes may call it at once: one of them creates. Errors: those of password_hash and db_transact. */
MUST_CHECK int user_found_admin(const struct user_context *c, char password[PASSWORD_RANDOM_SIZE], bool *created, struct err *e);
/* Gives the user a random password, which must be changed at the next login, and enables the account. For people who have the machine.
 * Errors: NOT_FOUND and as above. */
MUST_CHECK int user_reset_password(const struct user_context *c, const char *username, char password[PASSWORD_RANDOM_SIZE], struct err *e);

/* Is `id` in a list of role ids ("100,101")? Pure. */
bool user_has_role(const char *roles, int64_t id);

/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int user_get(struct db *d, int64_t id, struct arena *arena, struct user **out, struct err *e);

/* `who` creates `u`: username, email, phone, department, description, roles and enabled are set by the caller, the rest is filled in.
 * `must_change`: the password has to be changed at the first login. Errors: USERNAME_FORMAT,
 * USERNAME_RESERVED, PASSWORD_FORMAT, ADMIN_NEEDED, NAME_USED, INVALID (roles, email, phone ...), those of password_hash and db_transact. */
MUST_CHECK int user_create(const struct user_context *c, const struct principal *who, struct user *u, const char *password,
                           bool must_change, struct arena *arena, struct err *e);

/* What an update may change; NULL or -1: stays. */
struct user_update {
    const char *email, *phone, *department, *description;
    const char *roles;   /* ids: "101,107" */
    int enabled, locked;
};
/* `who` changes the user; `out` is it as it is then. Errors: NOT_FOUND, USER_ROLES_FIXED, USER_UNLOCKABLE, ADMIN_NEEDED, INVALID, CONFLICT, those of db_transact. */
MUST_CHECK int user_update(const struct user_context *c, const struct principal *who, int64_t id, const struct user_update *change,
                           struct arena *arena, struct user **out, struct err *e);
/* Errors: NOT_FOUND, SELF_DELETE, USER_UNDELETABLE, those of db_transact. `name` (may be NULL) gets the deleted user's name. */
MUST_CHECK int user_delete(const struct user_context *c, const struct principal *who, int64_t id, struct arena *arena, const char **name,
                           struct err *e);

/* `who` gives another user a password, which that one must change at the next login. Errors: NOT_FOUND, ADMIN_NEEDED, PASSWORD_FORMAT ... */
MUST_CHECK int user_set_password(const struct user_context *c, const struct principal *who, int64_t id, const char *password,
                                 struct arena *arena, struct err *e);
/* Changes one's own password. Errors: OLD_PASSWORD, SAME_PASSWORD, PASSWORD_FORMAT, CONFLICT, those of password_verify and db_transact. */
MUST_CHECK int user_change_password(const struct user_context *c, const struct principal *who, const char *old, const char *fresh,
                                    struct arena *arena, struct err *e);

#endif

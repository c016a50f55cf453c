/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - people and programs that may log in. `credential_version` grows with every change that must end remembered logins: of
 * password, roles and state. */
#ifndef STORE_USER_H
#define STORE_USER_H

#include "src/store/list.h"

struct user {
    int64_t id;
    const char *username;         /* never changes */
    const char *password_hash;    /* encoded Argon2id; never leaves the server */
    int must_change_password;     /* the first password, or one that an administrator has set */
    int enabled;
    const char *roles;            /* ids of roles: "100,101" */
    int64_t credential_version;
    const char *email, *phone, *department, *description; /* "": none */
    int locked;                   /* an administrator has locked the account */
    const char *permissions;      /* read only, not in lists: what the roles that are no default roles allow, one expression a line */
    int64_t created_us, updated_us;
    int64_t last_login_us;        /* last verification of the password; FIELD_NONE: never */
};

/* One user; NULL in *out when there is none. Both fill `permissions`. Errors: those of db_read. */
MUST_CHECK int store_user_find(struct db *d, const char *username, struct arena *arena, struct user **out, struct err *e);
MUST_CHECK int store_user_get(struct db *d, int64_t id, struct arena *arena, struct user **out, struct err *e);

struct user_filter {
    const char *username;         /* part of the name; NULL: any */
    const char *keyword;          /* part of name, email, phone, department or description; NULL: any */
    int64_t role_id;              /* FIELD_NONE: any */
    int enabled, locked;          /* -1: any */
    const struct scope *scope;    /* NULL: all; kind USER */
};
/* Sorted by id, username, email, department, createTime, updateTime, lastLoginTime; newest first by itself. `f` and `page` may be NULL.
 * Errors: those of list_read. */
MUST_CHECK int store_user_list(struct db *d, const struct user_filter *f, const struct store_page *page, struct arena *arena, struct user **out,
                               size_t *n, int64_t *total, struct err *e);

/* Ids of the users with these names, in their order; -1 where there is none. One statement. Errors: INVALID (too many), those of db_read. */
MUST_CHECK int store_user_ids(struct db *d, struct field_strings names, struct arena *arena, int64_t **out, struct err *e);

/* Credential versions of `n` users; -1 for those that are gone, disabled or locked. Errors: those of db_read. */
MUST_CHECK int store_user_versions(struct db *d, const int64_t *ids, unsigned n, int64_t *versions, struct err *e);

/* Inside a transaction. Errors: NAME_USED, those of tx_run. */
MUST_CHECK int store_user_insert(struct tx *tx, const struct user *u, struct err *e);
/* Sets the password if the row still has `version`. Errors: CONFLICT, those of tx_run. */
MUST_CHECK int store_user_set_password(struct tx *tx, int64_t id, int64_t version, const char *hash, bool must_change, int64_t now_us,
                                       struct err *e);
/* Writes email, phone, department, description, roles, enabled and locked, if the row still has `version`; `raise` when remembered logins must end. */
MUST_CHECK int store_user_update(struct tx *tx, const struct user *u, int64_t version, bool raise, int64_t now_us, struct err *e);
/* *found is false when there was none. */
MUST_CHECK int store_user_delete(struct tx *tx, int64_t id, bool *found, struct err *e);
MUST_CHECK int store_user_touch(struct tx *tx, int64_t id, int64_t now_us, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* credential.h - rules of the password box: credentials of one user for hosts, OceanBase tenants and OBProxies. Passphrases go in
 * and are used, they never come out again. From fibers. */
#ifndef VAULT_CREDENTIAL_H
#define VAULT_CREDENTIAL_H

#include "src/io/work.h"
#include "src/store/credential.h"
#include "src/vault/vault.h"

ERR_DECLARE(ERR_CREDENTIAL_NAME_USED);  /* {0} name */
ERR_DECLARE(ERR_CREDENTIAL_DENIED);     /* {0} id: it is another user's */
ERR_DECLARE(ERR_CREDENTIAL_FOREIGN);    /* {0} id: another user's cannot be deleted */
ERR_DECLARE(ERR_CREDENTIAL_SUDO);       /* {0} host: the user cannot use sudo there without a password */
ERR_DECLARE(ERR_CREDENTIAL_UNVERIFIED); /* {0} why: the login was tried and failed, or could not be tried */
extern const struct err_row *const vault_err_rows[]; /* of src/vault, then NULL */

enum credential_target { CREDENTIAL_HOST, CREDENTIAL_OB, CREDENTIAL_OBPROXY };
extern const char *const credential_target_names[]; /* HOST, OB, OBPROXY; then NULL */
enum credential_kind { CREDENTIAL_PASSWORD, CREDENTIAL_PRIVATE_KEY };
extern const char *const credential_kind_names[];

struct credential_context {
    struct db *db;
    const struct vault *vault;
    struct work_pool *connect_pool;
    struct work_pool *long_pool;  /* for SSH and private keys */
};

/* What is to be stored. Strings NULL: not given; in an update they stay as they are. */
struct credential_spec {
    int target;                   /* enum credential_target; -1 in an update: stays (it cannot change) */
    const char *name, *description;
    int kind;                     /* enum credential_kind; -1: PASSWORD, or stays */
    const char *username;
    const char *passphrase;       /* password, or the whole text of a private key */
    const char *key_passphrase;   /* that opens the private key; sealed with it */
    const char *cluster_name;     /* OB, OBPROXY */
    const char *address;          /* OB, OBPROXY: where to try it, if not at the managed cluster */
    int64_t port;                 /* of it; 0: not given */
    const char *tenant_name;      /* OB; sys when none is given */
    const int64_t *host_ids;      /* HOST */
    size_t n_host_ids;
    bool has_host_ids;            /* the list was given, if only an empty one */
    bool validate;                /* try the login before storing */
};

/* A stored one, as its owner sees it. */
struct credential_view {
    int64_t id;
    int target, kind;
    const char *name, *description, *username;
    const char *cluster_name, *tenant_name, *address; /* NULL: none */
    int64_t port;                           /* 0: none */
    int64_t *host_ids;
    size_t n_host_ids;
    int64_t created_us, updated_us;
};

/* How a login ended in one place. */
struct credential_attempt {
    int64_t host_id;              /* 0: no host */
    const char *where;            /* address, or name of the cluster */
    const char *fingerprint;      /* of the host's key; NULL: none was shown */
    bool valid;
    struct err why;               /* it is not valid */
};
/* Tries a stored one everywhere it is for. Errors: as credential_get; VAULT_OPEN, CANCELLED, BUSY, NOMEM. */
MUST_CHECK int credential_check(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, struct credential_view *v,
                                struct credential_attempt **out, size_t *n, struct err *e);

/* The user's, newest first; `target` -1: all. Errors: those of db_read. */
MUST_CHECK int credential_list(const struct credential_context *c, int64_t user_id, int target, struct arena *arena, struct credential_view **out,
                               size_t *n, struct err *e);
/* Errors: NOT_FOUND, CREDENTIAL_DENIED, those of db_read. */
MUST_CHECK int credential_get(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, struct credential_view *out,
                              struct err *e);
/* Errors: INVALID, CREDENTIAL_NAME_USED, CREDENTIAL_UNVERIFIED, SSH_KEY, those of db_transact. */
MUST_CHECK int credential_create(const struct credential_context *c, int64_t user_id, const struct credential_spec *spec, struct arena *arena,
                                 struct credential_view *out, struct err *e);
/* Errors: as credential_get and credential_create. */
MUST_CHECK int credential_update(const struct credential_context *c, int64_t user_id, int64_t id, const struct credential_spec *spec,
                                 struct arena *arena, struct credential_view *out, struct err *e);
/* Errors: NOT_FOUND, CREDENTIAL_FOREIGN, those of db_transact. `name` gets the name of what was deleted. */
MUST_CHECK int credential_delete(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, const char **name,
                                 struct err *e);

/* Creates the credential, or updates the one of the same name: for operations that offer to remember a password.
 * Errors: as credential_create. */
MUST_CHECK int credential_save(const struct credential_context *c, int64_t user_id, const struct credential_spec *spec, struct arena *arena,
                               struct err *e);

/* Opens one for use. `secret` is to be freed with secret_free. Errors: NOT_FOUND, CREDENTIAL_DENIED, VAULT_OPEN, those of db_read. */
MUST_CHECK int credential_open(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena,
                               struct credential_view *out, char **secret, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* obcluster.h - managed OceanBase clusters: what they are, how to reach them, and how the last look at them ended. What was seen inside
 * (zones, servers, tenants) is in obtopology.h. */
#ifndef STORE_OBCLUSTER_H
#define STORE_OBCLUSTER_H

#include "src/store/list.h"

#define OBCLUSTER_STATUSES(X)                                                                                                       \
    X(RUNNING) X(CREATING) X(DELETING) X(STARTING) X(RESTARTING) X(STOPPING) X(STOPPED) X(TAKINGOVER) X(MOVINGOUT) X(SWITCHOVER) \
    X(FAILOVER) X(OPERATING)
enum obcluster_status {
#define X(NAME) OBCLUSTER_##NAME,
    OBCLUSTER_STATUSES(X)
#undef X
};
extern const char *const obcluster_status_names[]; /* ends with NULL */

struct obcluster {
    int64_t id;
    const char *name;             /* unique */
    int64_t ob_cluster_id;        /* the kernel's own number; FIELD_NONE: it has none */
    const char *engine;           /* "OCEANBASE", "SEEKDB" */
    const char *type;             /* "PRIMARY", "STANDBY" */
    int status;                   /* enum obcluster_status */
    const char *address;          /* where it was taken over: host name or IP address */
    int64_t port;                 /* of SQL */
    const char *connection_mode;  /* "direct", "proxy" */
    const char *username;         /* of its administrator, as the server wants it */
    struct slice password;        /* sealed: place { "obcluster", id, "password" } */
    int64_t password_version;     /* grows with every change of address, user name or password */
    struct slice proxyro_password; /* sealed: part "proxyro"; n == 0: none */
    const char *instance;         /* what tells this instance from others under whatever address; unique */
    const char *version;          /* "4.3.5.3" */
    const char *full_version;     /* as the kernel prints it */
    const char *architecture;     /* ""; "x86_64" */
    int64_t creator_id;
    const char *creator_name;
    int64_t created_us, updated_us; /* updated: what people decide, not what is seen */
    int64_t seen_us;              /* last time it answered (kept to the minute while nothing changes); FIELD_NONE: never */
    const char *endpoints;        /* where its servers listen for SQL, as it says: "10.0.0.1:2881,[::2]:2881,-10.0.0.3:2881", "-": it does not
                                     serve at the moment; "": not known */
    const char *failure;          /* why it cannot be asked at the moment; "": it can */
    int64_t failed_us;            /* since when it cannot; FIELD_NONE */
};

ERR_DECLARE(ERR_OBCLUSTER_NOT_FOUND); /* 11001 {0} id */
ERR_DECLARE(ERR_OBCLUSTER_MANAGED);   /* 11034 {0} name, {1} address of what is there already */
extern const struct err_row *const store_obcluster_err_rows[];

/* Errors: OBCLUSTER_NOT_FOUND, those of db_read. */
MUST_CHECK int store_obcluster_get(struct db *d, int64_t id, struct arena *arena, struct obcluster *out, struct err *e);

struct obcluster_filter {
    const char *name;             /* part of the name; NULL: any */
    unsigned statuses;            /* bits 1 << enum obcluster_status; 0: any */
    const int64_t *ids;           /* only these; NULL: any */
    size_t n_ids;
    const struct scope *scope;    /* NULL: all; kind CLUSTER */
};
/* Sorted by id, name, status, createTime, updateTime; newest first by itself. `f`, `page` and `total` may be NULL. Errors: those of
 * list_read. */
MUST_CHECK int store_obcluster_list(struct db *d, const struct obcluster_filter *f, const struct store_page *page, struct arena *arena,
                                    struct obcluster **out, size_t *n, int64_t *total, struct err *e);
/* Which managed cluster has this address, instance or name ("" and NULL match none)? *out is NULL when none has. */
MUST_CHECK int store_obcluster_find(struct db *d, const char *address, int64_t port, const char *instance, const char *name,
                                    struct arena *arena, struct obcluster **out, struct err *e);

/* The row, locked until the transaction ends. Errors: OBCLUSTER_NOT_FOUND, those of tx_run. */
MUST_CHECK int store_obcluster_lock(struct tx *tx, int64_t id, struct arena *arena, struct obcluster *out, struct err *e);

/* Inside a transaction. Errors: OBCLUSTER_MANAGED (name, address or instance is there), those of tx_run. */
MUST_CHECK int store_obcluster_insert(struct tx *tx, const struct obcluster *c, struct err *e);
/* Moves the status from `from` to `to`; *moved is false when it is another by now, or the cluster is gone. */
MUST_CHECK int store_obcluster_move(struct tx *tx, int64_t id, enum obcluster_status from, enum obcluster_status to, int64_t now_us,
                                    bool *moved, struct err *e);
/* Keeps a new sealed password if the row still has `version`. Errors: CONFLICT, those of tx_run. */
MUST_CHECK int store_obcluster_set_password(struct tx *tx, int64_t id, int64_t version, struct slice sealed, int64_t now_us, struct err *e);
/* It was founded: what tells it from others is known from now on. Errors: those of tx_exec. */
MUST_CHECK int store_obcluster_set_instance(struct tx *tx, int64_t id, const char *instance, struct err *e);
/* Removes it with everything that is known of it: zones, servers, tenants, units, parameter history. Its tasks stay. Safe to repeat. */
MUST_CHECK int store_obcluster_delete(struct tx *tx, int64_t id, struct err *e);

/* It answered: clears the failure and keeps when. What it says of itself (versions, architecture, ob_cluster_id, endpoints) goes along. */
MUST_CHECK int store_obcluster_set_seen(struct tx *tx, const struct obcluster *c, int64_t now_us, struct err *e);
/* It did not answer; `failed_us` of an earlier failure stays. */
MUST_CHECK int store_obcluster_set_failed(struct tx *tx, int64_t id, const char *failure, int64_t now_us, struct err *e);

#endif

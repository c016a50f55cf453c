/* SPDX-License-Identifier: Apache-2.0 */
/* obtopology.h - zones, servers and tenants of the managed clusters as the last refresh saw them. Ids are ours and last as long as the
 * object does. Values that a kernel does not have are FIELD_NONE or "". */
#ifndef STORE_OBTOPOLOGY_H
#define STORE_OBTOPOLOGY_H

#include "src/store/list.h"

struct obzone {
    int64_t id, cluster_id;
    const char *name;
    const char *region, *idc;       /* "": the kernel names none */
    const char *inner_status;       /* the kernel's word: "ACTIVE" */
    int64_t created_us, updated_us; /* when it was first seen, and last changed */
};

struct observer {
    int64_t id, cluster_id;
    const char *zone;
    const char *ip;
    int64_t port, sql_port;         /* RPC and SQL */
    const char *version;
    const char *inner_status;
    int with_rootserver;
    int64_t start_us;               /* when it began to serve; FIELD_NONE */
    int64_t stop_us;                /* when it was stopped; FIELD_NONE */
    double cpu_total, cpu_assigned; /* NAN: unknown */
    int64_t memory_total, memory_assigned, log_disk_total, log_disk_assigned, log_disk_used, data_disk_total, data_disk_used; /* bytes */
    int64_t created_us, updated_us;
};

struct obtenant {
    int64_t id, cluster_id;
    const char *cluster_name;       /* read only */
    int64_t ob_tenant_id;           /* the kernel's own number */
    const char *name, *mode;        /* "MYSQL", "ORACLE" */
    const char *status;             /* "NORMAL" */
    const char *charset, *collation, *time_zone, *primary_zone, *locality; /* "": unknown */
    int readonly, locked;
    int64_t born_us;                /* when the kernel created it; FIELD_NONE */
    int64_t created_us, updated_us;
};

struct obtopology {
    struct obzone *zones;
    struct observer *servers;
    struct obtenant *tenants;
    size_t n_zones, n_servers, n_tenants;
};

/* Of one cluster, or of all when cluster_id is -1, each kind sorted by cluster and id; three queries. Errors: those of db_read. */
MUST_CHECK int store_obtopology_read(struct db *d, int64_t cluster_id, struct arena *arena, struct obtopology *out, struct err *e);
/* The same of several clusters. */
MUST_CHECK int store_obtopology_read_some(struct db *d, const int64_t *cluster_ids, size_t n, struct arena *arena, struct obtopology *out,
                                          struct err *e);
/* Makes the rows of a cluster what `seen` says: rows with the ids in it are written or updated (but never created_us), all others of the
 * cluster are removed. Two statements per kind, whatever the number of rows. The caller has locked the cluster's row. Safe to repeat. */
MUST_CHECK int store_obtopology_write(struct tx *tx, int64_t cluster_id, const struct obtopology *seen, struct err *e);

struct obtenant_filter {
    int64_t cluster_id;             /* FIELD_NONE: any */
    const char *name;               /* part of it; NULL: any */
    struct field_strings modes, statuses;
    int locked, readonly;           /* -1: any */
    const struct scope *scope;      /* NULL: all; kinds CLUSTER and TENANT */
};
/* Sorted by id, name, clusterName, mode, status, createTime; newest first by itself. `f`, `page` and `total` may be NULL. */
MUST_CHECK int store_obtenant_list(struct db *d, const struct obtenant_filter *f, const struct store_page *page, struct arena *arena,
                                   struct obtenant **out, size_t *n, int64_t *total, struct err *e);
/* One tenant of a cluster by our id. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_obtenant_get(struct db *d, int64_t cluster_id, int64_t id, struct arena *arena, struct obtenant *out, struct err *e);

#endif

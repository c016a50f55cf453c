/* SPDX-License-Identifier: Apache-2.0 */
/* obtopology.h - zones, servers, tenants and units of the managed clusters as the last refresh saw them. Ids are ours and last as long as the
 * object does. Values that a kernel does not have are FIELD_NONE or "". */
#ifndef STORE_OBTOPOLOGY_H
#define STORE_OBTOPOLOGY_H

#include "src/store/list.h"

struct obzone {
    int64_t id, cluster_id;
    const char *name;
    const char *region, *idc;       /* "": the kernel names none */
    const char *inner_status;       /* the kernel's word: "ACTIVE" */
    const char *type;               /* "ReadWrite"; "": the kernel does not say */
    const char *compaction;         /* "IDLE", "COMPACTING": a major compaction of some tenant; "": the kernel does not say */
    int64_t created_us, updated_us; /* when it was first seen, and last changed */
    bool changed;                   /* write only: it differs from the row that is there */
};

struct observer {
    int64_t id, cluster_id;
    const char *zone;
    const char *ip;
    int64_t port, sql_port;         /* RPC and SQL */
    const char *version;
    const char *inner_status;
    int with_rootserver;            /* the root service runs there */
    int in_rs_list;                 /* it may run there: a unit of the tenant sys is on it */
    int64_t start_us;               /* when it began to serve; FIELD_NONE */
    int64_t stop_us;                /* when it was stopped; FIELD_NONE */
    int64_t offline_us;             /* when it was lost last; FIELD_NONE */
    double cpu_total, cpu_max;      /* cores, and cores that may be promised; NAN: unknown */
    double cpu_assigned, cpu_assigned_max;
    int64_t memory_total, memory_assigned, log_disk_total, log_disk_assigned, log_disk_used, data_disk_total, data_disk_used; /* bytes */
    int64_t created_us, updated_us;
    bool changed;
};

struct obtenant {
    int64_t id, cluster_id;
    const char *cluster_name;       /* read only, as state and description */
    const char *state;              /* "NORMAL", "CREATING", "MODIFYING" (its locality is being changed), "DELETING" */
    const char *description;        /* kept here (store/obtenant.h); "": none */
    int64_t ob_tenant_id;           /* the kernel's own number */
    const char *name, *mode;        /* "MYSQL", "ORACLE" */
    const char *status;             /* the kernel's word: "NORMAL", "CREATING", "DROPPING", "RESTORE" */
    const char *charset, *collation, *time_zone, *primary_zone, *locality; /* "": unknown */
    const char *former_locality;    /* while the locality is being changed; "": it is not */
    const char *role;               /* "PRIMARY", "STANDBY", "RESTORE"; "": the kernel knows no roles */
    const char *switchover_status;  /* "NORMAL"; "" */
    const char *compatible;         /* version its data is kept for, "4.2.1.0"; "" */
    const char *whitelist;          /* addresses that may log in; NULL: unknown */
    const char *service;            /* name under which proxies find it; NULL: none that lets anybody in */
    int readonly, locked;
    int64_t unit_num;               /* units in each zone; FIELD_NONE: unknown */
    int64_t lower_case_names;       /* lower_case_table_names; FIELD_NONE: unknown */
    int64_t born_us;                /* when the kernel created it; FIELD_NONE */
    int64_t created_us, updated_us;
    bool changed;
};

/* A share of one server's resources, granted to a tenant as a part of a resource pool. */
struct obunit {
    int64_t id, cluster_id;
    int64_t ob_unit_id;             /* the kernel's own number */
    int64_t ob_tenant_id;           /* FIELD_NONE: its pool belongs to no tenant */
    const char *zone, *ip;
    int64_t port;                   /* RPC */
    const char *status;             /* "ACTIVE", "DELETING" */
    int64_t group_id;               /* FIELD_NONE */
    int64_t pool_id;                /* FIELD_NONE: the kernel has no pools */
    const char *pool_name;          /* "" */
    int64_t pool_unit_count;        /* units of the pool in each zone */
    int64_t config_id;
    const char *config_name;        /* "" */
    double max_cpu, min_cpu;
    int64_t memory, log_disk;       /* bytes, as all sizes; FIELD_NONE: unknown */
    int64_t max_iops, min_iops, iops_weight;
    const char *migrate_from_ip;    /* "": it is not being moved */
    int64_t migrate_from_port;
    int manual_migrate;
    int64_t log_disk_used, data_disk_used;
    int64_t created_us, updated_us;
    bool changed;
};

struct obtopology {
    struct obzone *zones;
    struct observer *servers;
    struct obtenant *tenants;
    struct obunit *units;
    size_t n_zones, n_servers, n_tenants, n_units;
};

/* Ids of rows that are there no more. */
struct obtopology_gone {
    int64_t *zones, *servers, *tenants, *units;
    size_t n_zones, n_servers, n_tenants, n_units;
};

/* Of one cluster, or of all when cluster_id is -1, each kind sorted by id; four queries. Errors: those of db_read. */
MUST_CHECK int store_obtopology_read(struct db *d, int64_t cluster_id, struct arena *arena, struct obtopology *out, struct err *e);
/* The same of several clusters. */
MUST_CHECK int store_obtopology_read_some(struct db *d, const int64_t *cluster_ids, size_t n, struct arena *arena, struct obtopology *out,
                                          struct err *e);
/* How many zones of each cluster stand in which IDC ("": the kernel names none), sorted by cluster. Errors: those of db_read. */
struct obzone_place {
    int64_t cluster_id;
    const char *idc;
    int64_t n_zones;
};
MUST_CHECK int store_obzone_places(struct db *d, struct arena *arena, struct obzone_place **out, size_t *n, struct err *e);
/* Removes the rows of the cluster that `gone` names (NULL: none) and writes or updates (but never id and created_us) those of `seen` that are
 * marked as changed. At most two statements per kind and 500 rows, none for a kind in which nothing changed. The caller has locked the
 * cluster's row. Safe to repeat. */
MUST_CHECK int store_obtopology_write(struct tx *tx, int64_t cluster_id, const struct obtopology *seen, const struct obtopology_gone *gone,
                                      struct err *e);

struct obtenant_filter {
    int64_t cluster_id;             /* FIELD_NONE: any */
    const char *name;               /* part of it; NULL: any */
    struct field_strings modes, states;
    int locked, readonly;           /* -1: any */
    const struct scope *scope;      /* NULL: all; kinds CLUSTER and TENANT */
};
/* Sorted by id, name, clusterName, mode, status, createTime; newest first by itself. `f`, `page` and `total` may be NULL. */
MUST_CHECK int store_obtenant_list(struct db *d, const struct obtenant_filter *f, const struct store_page *page, struct arena *arena,
                                   struct obtenant **out, size_t *n, int64_t *total, struct err *e);
/* One tenant of a cluster by our id. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_obtenant_get(struct db *d, int64_t cluster_id, int64_t id, struct arena *arena, struct obtenant *out, struct err *e);

#endif

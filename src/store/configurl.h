/* SPDX-License-Identifier: Apache-2.0 */
/* configurl.h - which servers of which OceanBase cluster run the root service, as observers report it and proxies ask for it: one record
 * per cluster name and number. Every change that readers can see draws a new version, so that what was read may be kept until then. */
#ifndef STORE_CONFIGURL_H
#define STORE_CONFIGURL_H

#include "src/base/field.h"
#include "src/store/db.h"

struct config_record {
    const char *name;            /* of the cluster, as its servers say it */
    int64_t ob_cluster_id;       /* 0: registered without a number */
    const char *type;            /* "PRIMARY", "STANDBY" */
    int64_t stamp_us;            /* of the report, by the reporter's clock; 0: only registered so far */
    const char *servers;         /* JSON array: [{"address":"10.0.0.1:2882","role":"LEADER","sql_port":2881}] */
    const char *reporter;        /* address that changed it last */
    int64_t updated_us;
};

enum config_outcome {
    CONFIG_SAME,                 /* at most the time of the report is new */
    CONFIG_CHANGED,
    CONFIG_OLDER,                /* a later report is there: nothing was changed */
    CONFIG_EXISTS,               /* registered already: nothing was changed */
    CONFIG_FULL,                 /* as many records as may be are there: nothing was changed */
};

/* Grows with every change that readers can see. Errors: those of db_read. */
MUST_CHECK int store_config_version(struct db *d, int64_t *version, struct err *e);
/* All of them, by name and number. Errors: those of db_read. */
MUST_CHECK int store_config_list(struct db *d, struct arena *arena, struct config_record **out, size_t *n, struct err *e);

/* Keeps a report unless a later one is there; a new record only while there are less than `max`. Errors: those of db_transact. */
MUST_CHECK int store_config_report(struct db *d, const struct config_record *r, int64_t max, enum config_outcome *out, struct err *e);
/* Makes the record, without servers. Errors: those of db_transact. */
MUST_CHECK int store_config_register(struct db *d, const struct config_record *r, int64_t max, enum config_outcome *out, struct err *e);
/* Removes the record of this number, or with -1 all of the name. *n: how many there were. Errors: those of db_transact. */
MUST_CHECK int store_config_delete(struct db *d, const char *name, int64_t ob_cluster_id, uint64_t *n, struct err *e);

/* A server of the managed cluster of this name, as it was seen last. */
struct config_server {
    const char *ip;
    int64_t port, sql_port;      /* RPC and SQL */
    int in_rs_list, with_rootserver;
};
/* *managed: there is a managed cluster of this name. Errors: those of db_read. */
MUST_CHECK int store_config_servers(struct db *d, const char *name, struct arena *arena, bool *managed, struct config_server **out, size_t *n,
                                    struct err *e);

/* IDCs and their regions, of the managed cluster of this name; none when there is no such cluster. Errors: those of db_read. */
struct config_idc {
    const char *idc, *region;
};
MUST_CHECK int store_config_idcs(struct db *d, const char *name, struct arena *arena, struct config_idc **out, size_t *n, struct err *e);

/* Tenants with a role, of the managed clusters with these names, by cluster and number. Errors: those of db_read, INVALID (too many names). */
struct config_tenant {
    const char *cluster;
    int64_t ob_cluster_id;
    const char *name;
    int64_t ob_tenant_id;
    const char *role;            /* "PRIMARY", "STANDBY" */
};
/* Those that are found under one of these service names, by service, cluster and number. Errors: INVALID (too many), those of db_read. */
struct config_service {
    const char *service;
    struct config_tenant tenant;
};
MUST_CHECK int store_config_services(struct db *d, struct field_strings names, struct arena *arena, struct config_service **out, size_t *n,
                                     struct err *e);
MUST_CHECK int store_config_tenants(struct db *d, struct field_strings names, struct arena *arena, struct config_tenant **out, size_t *n,
                                    struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* obcluster_view.h - managed clusters, zones, servers and units on the wire, put together from rows. */
#ifndef API_OBCLUSTER_VIEW_H
#define API_OBCLUSTER_VIEW_H

#include "api/call.h"
#include "src/obcluster/obcluster.h"

struct host;

/* Rows behind a reply: of the clusters asked for, and of hosts that bear the addresses of their servers. */
struct obcluster_rows {
    struct obcluster *clusters;
    size_t n_clusters;
    struct obtopology topology;
    struct host *hosts;
    size_t n_hosts;
};
/* Completes rows whose clusters are set. A fixed number of queries. */
MUST_CHECK int obcluster_rows_read(struct call *c, struct obcluster_rows *rows, struct err *e);
/* Of the cluster that the path parameter `param` names. Errors: OBCLUSTER_NOT_FOUND ... */
MUST_CHECK int obcluster_rows_one(struct call *c, const char *param, struct obcluster_rows *rows, struct err *e);
/* The cluster that the path parameter names; sets what the audit says the call is about. */
MUST_CHECK int api_obcluster_of(struct call *c, const char *param, struct obcluster *out, struct err *e);

struct root_server_view {
    const char *address, *role;
    int64_t sql_port;
};
struct tenant_name_view {
    int64_t id;
    const char *name;
};
struct observer_view {
    int64_t id, cluster_id, host_id;
    const char *ip, *version, *status, *inner_status, *zone, *region, *idc, *host_type;
    int64_t port, sql_port;
    int with_rootserver;
    bool in_rs_list;
    struct field_strings operations;
    int64_t start_us, stop_us, updated_us;
};
struct obzone_view {
    int64_t id, cluster_id, ob_cluster_id, idc_id;
    const char *name, *region, *idc, *status, *inner_status, *type, *compaction;
    int64_t n_servers, n_hosts;
    struct root_server_view *root_server;
    struct field_list servers;
    int64_t created_us, updated_us;
};
struct alarm_summary_view {
    int64_t level, count;
    const char *link, *data_link;
};
struct obcluster_view {
    int64_t id, ob_cluster_id;
    const char *name, *engine, *type, *status, *version, *full_version, *architecture, *address, *connection_mode, *creator, *failure;
    int64_t port;
    int64_t n_regions, n_servers, n_tenants;
    struct field_list root_servers, zones, tenants, standbys, alarms;
    int stale;
    int64_t seen_us, failed_us, created_us, updated_us;
};
extern const struct field observer_fields[], obzone_fields[], obcluster_fields[];

MUST_CHECK int obcluster_view_make(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, struct obcluster_view *out,
                                   struct err *e);
/* All zones of one cluster. */
MUST_CHECK int obzone_views(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, struct obzone_view **out, size_t *n,
                            struct err *e);
/* The servers of one cluster, of one zone if `zone` is not NULL. */
MUST_CHECK int observer_views(struct call *c, const struct obcluster_rows *rows, const struct obcluster *of, const char *zone,
                              struct observer_view **out, size_t *n, struct err *e);

#endif

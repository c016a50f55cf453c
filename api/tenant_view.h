/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_view.h - what tenants look like on the wire. */
#ifndef API_TENANT_VIEW_H
#define API_TENANT_VIEW_H

#include "api/call.h"
#include "src/tenant/tenant.h"

struct tenant_view {
    int64_t id, cluster_id, ob_cluster_id, ob_tenant_id, created_us, unit_num;
    const char *name, *cluster_name, *cluster_type, *cluster_status, *engine, *mode, *role, *primary_zone, *zone_list, *locality, *status,
        *version, *compatible, *description;
    const char *charset, *collation, *time_zone, *whitelist;
    int locked, readonly, sql_audit;
    struct field_list zones, connections;
};
extern const struct field tenant_summary_fields[], tenant_detail_fields[];

struct tenant_unit_view {
    int64_t id, pool_id, server_id, port;
    const char *ip, *zone, *status;
};
extern const struct field tenant_unit_fields[];

/* The row of a list. `topology` (NULL: not needed) has the zones of a cluster of one tenant. Errors: NOMEM. */
MUST_CHECK int tenant_view_of(struct call *c, const struct obtenant *row, const struct obcluster *cluster, const struct obtopology *topology,
                              struct tenant_view *out, struct err *e);
/* All that is kept of one tenant; what only the kernel knows is left absent. Errors: NOMEM, those of db_read. */
MUST_CHECK int tenant_view_detail(struct call *c, struct tenant *t, struct tenant_view *out, struct err *e);
/* Its units in a zone (NULL: in all), a list of struct tenant_unit_view. Errors: as before. */
MUST_CHECK int tenant_view_units(struct call *c, struct tenant *t, const char *zone, struct field_list *out, struct err *e);

#endif

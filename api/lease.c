/* SPDX-License-Identifier: Apache-2.0 */
/* Standing work: which node looks at which managed clusters. */
#include "api/api.h"
#include "api/tables.h"
#include "src/obcluster/obcluster.h"
#include "src/store/worklease.h"

static const char *const sorts[] = { "shard", "view", "expireTime", NULL };

struct lease_out {
    struct worklease lease;
    int64_t clusters;
};

static const struct field lease_fields[] = {
    F_INT(lease_out, lease.shard, "shard", DOC("Number of the shard, 0 to 255. A managed cluster belongs to one of them for ever.")),
    F_STRING(lease_out, lease.status, "status",
             DOC("HELD: its node does the work; MOVING: it is asked to hand it over; EXPIRED: nobody does; FREE: nobody ever did.")),
    F_INT(lease_out, lease.node_id, "nodeId", DOC("Id of the node that it is leased to; 0: nobody.")),
    F_STRING(lease_out, lease.node_name, "nodeName", DOC("Name of that node.")),
    F_INT(lease_out, lease.next_id, "nextNodeId", DOC("Id of the node that is to get it; 0: it stays.")),
    F_STRING(lease_out, lease.next_name, "nextNodeName", DOC("Name of that node.")),
    F_INT(lease_out, lease.view, "view", DOC("Grows with each change of owner; results of an older view are refused.")),
    F_INT(lease_out, clusters, "clusters", DOC("How many managed clusters belong to the shard.")),
    F_INT(lease_out, lease.results, "results", DOC("How often results were written under a lease of it.")),
    F_TIME(lease_out, lease.expires_us, "expireTime", DOC("When the lease ends unless it is renewed; 2000-01-01 when it was given back.")),
    FIELD_END,
};

static int count_clusters(struct call *c, int64_t count[LEASING_SHARDS], struct err *e)
{
    struct obcluster *clusters;
    size_t n;
    int rv = store_obcluster_list(c->db, NULL, NULL, c->arena, &clusters, &n, NULL, e);

    for (size_t i = 0; rv == 0 && i < n; i++)
        count[leasing_shard(clusters[i].id)]++;
    return rv;
}

static int api_lease_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    int64_t count[LEASING_SHARDS] = { 0 }, total;
    struct worklease *list;
    struct lease_out *out;
    size_t n;
    int rv = store_worklease_list(c->db, &page, c->arena, &list, &n, &total, e);

    if (rv == 0)
        rv = count_clusters(c, count, e);
    if (rv != 0)
        return rv;
    out = arena_array(c->arena, n + 1, sizeof *out);
    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        out[i] = (struct lease_out){ list[i], count[list[i].shard % LEASING_SHARDS] };
    return call_paged(c, out, n, total, e);
}

const struct route lease_routes[] = {
    ROUTE("ocp-leases-list", "GET", "/api/v2/ocp/leases", "PROPERTY:*:READ", api_lease_list, REPLY_PAGED, ROUTE_OWN,
          "List the shards of standing work and the nodes that do it.", ROUTE_OUT(lease_out, lease_fields), .sort = sorts, .tag = "OCP nodes"),
    ROUTE_END,
};

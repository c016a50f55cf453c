/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of this OCP. */
#include "src/store/node.h"

#include <string.h>

#include "api/api.h"
#include "api/tables.h"

static const char *const sorts[] = { "name", "id", "zone", "version", "startTime", "seenTime", NULL };

struct node_out {
    struct node node;
    int self;
};

static const struct field node_fields[] = {
    F_INT(node_out, node.id, "id", DOC("Id of the node.")),
    F_STRING(node_out, node.name, "name", DOC("Its name: of its settings, or the machine's host name.")),
    F_STRING(node_out, node.zone, "zone", DOC("Zone of OCP that it belongs to.")),
    F_STRING(node_out, node.idc, "idc", DOC("IDC it stands in, as its settings say.")),
    F_STRING(node_out, node.address, "address", DOC("Address that its API listens on.")),
    F_STRING(node_out, node.peer_address, "peerAddress", DOC("Where the other nodes reach it.")),
    F_BOOL(node_out, node.witness, "witness", DOC("Votes, never leads, and serves nobody.")),
    F_BOOL(node_out, node.drain_wanted, "drainWanted", DOC("Somebody wants it without work.")),
    F_STRING(node_out, node.version, "version", DOC("Version of ocp-server on it.")),
    F_STRING(node_out, node.build_time, "buildTime", DOC("When that was built.")),
    F_STRING(node_out, node.status, "status", DOC("JOINING: never seen; ONLINE, DRAINING, or OFFLINE: not seen for " NODE_DOWN_SECONDS " seconds.")),
    F_BOOL(node_out, self, "self", DOC("Is it the node that answers this call?")),
    F_TIME(node_out, node.started_us, "startTime", DOC("When its process was started.")),
    F_TIME(node_out, node.seen_us, "seenTime", DOC("When it last said that it is there.")),
    F_TIME(node_out, node.created_us, "createTime", DOC("When it was first seen.")),
    FIELD_END,
};

static struct node_out out_of(const struct call *c, const struct node *n)
{
    return (struct node_out){ .node = *n, .self = strcmp(n->name, c->api->shared->node->name) == 0 };
}

static int api_node_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct node_out *out;
    struct node *list;
    int64_t total;
    size_t n;
    int rv = store_node_list(c->db, &page, c->arena, &list, &n, &total, e);

    if (rv != 0)
        return rv;
    out = arena_array(c->arena, n, sizeof *out);
    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        out[i] = out_of(c, &list[i]);
    return call_paged(c, out, n, total, e);
}

static int api_node_get(struct call *c, struct err *e)
{
    struct node_out out;
    struct node n;
    int rv = store_node_get(c->db, call_id(c, "id"), c->arena, &n, e);

    if (rv != 0)
        return rv;
    out = out_of(c, &n);
    return call_object(c, &out, e);
}

const struct route node_routes[] = {
    ROUTE("ocp-nodes-list", "GET", "/api/v2/ocp/nodes", "PROPERTY:*:READ", api_node_list, REPLY_PAGED, ROUTE_OWN, "List the nodes of this OCP.",
          ROUTE_OUT(node_out, node_fields), .sort = sorts, .tag = "OCP nodes"),
    ROUTE("ocp-node-get", "GET", "/api/v2/ocp/nodes/{id}", "PROPERTY:*:READ", api_node_get, REPLY_OBJECT, ROUTE_OWN, "Show a node of this OCP.",
          ROUTE_OUT(node_out, node_fields), .tag = "OCP nodes"),
    ROUTE_END,
};

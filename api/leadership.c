/* SPDX-License-Identifier: Apache-2.0 */
/* Who led this OCP's nodes, and why leadership changed. */
#include "api/api.h"
#include "api/tables.h"
#include "src/store/leader.h"

static const char *const sorts[] = { "epoch", "claimTime", NULL };

static const struct field leadership_fields[] = {
    F_INT(leadership_row, epoch, "epoch", DOC("Number of the leadership; it only grows, and every write of a leader is bound to it.")),
    F_INT(leadership_row, generation, "generation", DOC("Generation of the cluster of nodes: grows when it is founded anew after a disaster.")),
    F_INT(leadership_row, term, "term", DOC("Term of the election.")),
    F_INT(leadership_row, node_id, "nodeId", DOC("Id of the node that led.")),
    F_STRING(leadership_row, node_name, "nodeName", DOC("Name of the node that led.")),
    F_STRING(leadership_row, cause, "cause", DOC("Why it was elected: STARTED (nobody led), DIED (the former leader's process ended), SILENT (the former "
                                                 "leader was not heard any more), HANDED_OVER (the former leader asked for it).")),
    F_TIME(leadership_row, claimed_us, "claimTime", DOC("Since when it could write.")),
    FIELD_END,
};

static int api_leadership_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct leadership_row *list;
    int64_t total;
    size_t n;
    int rv = leader_history(c->db, &page, c->arena, &list, &n, &total, e);

    return rv == 0 ? call_paged(c, list, n, total, e) : err_wrap(e, "list leaderships");
}

const struct route leadership_routes[] = {
    ROUTE("ocp-leaderships-list", "GET", "/api/v2/ocp/leaderships", "PROPERTY:*:READ", api_leadership_list, REPLY_PAGED, ROUTE_OWN,
          "List the leaderships of this OCP's nodes, newest first.", ROUTE_OUT(leadership_row, leadership_fields), .sort = sorts, .tag = "OCP nodes"),
    ROUTE_END,
};

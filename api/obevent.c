/* SPDX-License-Identifier: Apache-2.0 */
/* What managed clusters have recorded of themselves: servers and zones that came and went, tenants, upgrades. */
#include "src/oceanbase/event.h"

#include "api/api.h"
#include "api/obcluster_view.h"
#include "api/tables.h"
#include "src/obcluster/link.h"
#include "src/task/domains.h"

struct event_query {
    int64_t from_us, to_us;
    const char *module;
};
static const struct field event_query_fields[] = {
    F_TIME(event_query, from_us, "startTime", DOC("Only events from then on.")),
    F_TIME(event_query, to_us, "endTime", DOC("Only events up to then.")),
    F_STRING(event_query, module, "module", .max = 256, DOC("Only events of this module, e.g. server, zone, unit, tenant.")),
    FIELD_END,
};

struct event_view {
    int64_t at_us, port;
    const char *module, *event, *extra, *ip;
    struct field_map values;
};
static const struct field event_fields[] = {
    F_TIME(event_view, at_us, "time", DOC("When.")),
    F_STRING(event_view, module, "module", DOC("Which part of the cluster.")),
    F_STRING(event_view, event, "event", DOC("What happened.")),
    F_MAP(event_view, values, "values", DOC("To what, in the cluster's own names.")),
    F_STRING(event_view, extra, "extraInfo", DOC("More about it.")),
    F_STRING(event_view, ip, "rsSvrIp", DOC("Server that had the root service.")),
    F_INT(event_view, port, "rsSvrPort", DOC("Its RPC port.")),
    FIELD_END,
};

static const char *given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static int view_of(struct call *c, const struct ob_event *event, struct event_view *out, struct err *e)
{
    const char **keys = arena_array(c->arena, OB_EVENT_VALUES, sizeof *keys), **values = arena_array(c->arena, OB_EVENT_VALUES, sizeof *values);
    size_t n = 0;

    if (keys == NULL || values == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i < OB_EVENT_VALUES; i++) {
        if (given(event->names[i]) == NULL)
            continue;
        keys[n] = event->names[i];
        values[n++] = event->values[i] != NULL ? event->values[i] : "";
    }
    *out = (struct event_view){
        .at_us = event->at_us,
        .port = event->port >= 0 ? event->port : FIELD_NONE,
        .module = event->module,
        .event = event->event,
        .extra = given(event->extra),
        .ip = given(event->ip),
        .values = { keys, values, n },
    };
    return 0;
}

static int64_t or_open(int64_t us)
{
    return us != FIELD_NONE ? us : -1;
}

static int api_obevent_list(struct call *c, struct err *e)
{
    const struct event_query *q = c->query;
    struct ob_event_filter f = {
        .from_us = or_open(q->from_us),
        .to_us = or_open(q->to_us),
        .module = q->module,
        .limit = c->page.size,
        .offset = (c->page.number - 1) * c->page.size,
    };
    struct event_view *views;
    struct ob_event *list;
    struct obcluster row;
    struct link *k;
    int64_t total;
    size_t n;
    int rv = api_obcluster_of(c, "id", &row, e);

    if (rv == 0)
        rv = link_take(c->api->shared->domains->obclusters, &row, &k, e);
    if (rv == 0)
        rv = link_give(k, ob_events_list(link_sql(k), &f, c->arena, &list, &n, &total, e), e);
    if (rv != 0)
        return rv;
    views = arena_array(c->arena, n + 1, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = view_of(c, &list[i], &views[i], e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

static const char *const sorts[] = { "time", NULL };

const struct route obevent_routes[] = {
    ROUTE("ob-cluster-events-list", "GET", "/api/v2/ob/clusters/{id}/events", "CLUSTER:{id}:READ", api_obevent_list, REPLY_PAGED, ROUTE_OWN,
          "List what happened in a cluster, as it has recorded it, newest first.", .tag = "Clusters",
          ROUTE_QUERY(event_query, event_query_fields), ROUTE_OUT(event_view, event_fields), .sort = sorts),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The record of changes. */
#include "src/audit/audit.h"

#include <string.h>

#include "api/api.h"
#include "api/tables.h"

static const struct field event_fields[] = {
    F_INT(audit_event, id, "id", DOC("Id of the event.")),
    F_STRING(audit_event, event, "operationEvent", DOC("What was done, as OCP calls it.")),
    F_STRING(audit_event, type, "eventType", DOC("What it was done to, roughly.")),
    F_STRING(audit_event, resource_type, "resourceType", DOC("Kind of object.")),
    F_INT(audit_event, resource_id, "resourceId", DOC("Id of the object; 0: none.")),
    F_STRING(audit_event, resource_name, "resourceName", DOC("Name of the object.")),
    F_STRING(audit_event, parent_resource, "parentResource", DOC("Object it belongs to.")),
    F_STRING(audit_event, username, "operatorName", DOC("Who did it.")),
    F_INT(audit_event, user_id, "operatorId", DOC("Id of the user who did it.")),
    F_STRING(audit_event, status, "status", DOC("SUCCESS or FAILED.")),
    F_INT(audit_event, task_id, "taskId", DOC("Task that goes on with it.")),
    F_STRING(audit_event, execution, "executionType", DOC("NEW or RETRY.")),
    F_STRING(audit_event, info, "eventInfo", DOC("JSON: what was asked for, with secrets masked, and why it failed.")),
    F_STRING(audit_event, client_ip, "clientIp", DOC("Address of the client.")),
    F_TIME(audit_event, started_us, "startTime", DOC("When the request came.")),
    F_TIME(audit_event, ended_us, "endTime", DOC("When it was answered.")),
    F_STRING(audit_event, operation, "operation", DOC("Id of the operation of the API.")),
    F_INT(audit_event, code, "errorCode", DOC("Code of the error; 0: none.")),
    F_STRING(audit_event, trace, "traceId", DOC("The request's traceId, as in its reply and in the log.")),
    F_STRING(audit_event, node, "node", DOC("Node that served it.")),
    FIELD_END,
};

static const char *const statuses[] = { "SUCCESS", "FAILED", NULL };

struct event_query {
    struct field_strings types, events, operations, resource_types;
    struct field_ints users;
    const char *resource_name, *info, *username, *keyword, *trace, *client_ip;
    int status;
    int64_t from_us, until_us, resource_id, task_id;
};

static const struct field query_fields[] = {
    F_STRINGS(event_query, types, "eventType", .max = 32, DOC("Only these types.")),
    F_STRINGS(event_query, events, "operationEvent", .max = 32, DOC("Only these events.")),
    F_STRING(event_query, resource_name, "resourceName", .max = 255, DOC("Part of the object's name.")),
    F_INTS(event_query, users, "operatorId", .max = 32, DOC("Only what these users did.")),
    F_STRING(event_query, info, "eventInfo", .max = 1024, DOC("Part of eventInfo.")),
    F_STRINGS(event_query, operations, "operation", .max = 32, DOC("Only these operations of the API.")),
    F_STRINGS(event_query, resource_types, "resourceType", .max = 32, DOC("Only these kinds of object.")),
    F_INT(event_query, resource_id, "resourceId", DOC("Only what was done to the object with this id.")),
    F_STRING(event_query, username, "operatorName", .max = 128, DOC("Part of the user's name.")),
    F_STRING(event_query, keyword, "keyword", .max = 255, DOC("Part of operation, object, parent, user, client address or eventInfo.")),
    F_STRING(event_query, trace, "traceId", .max = 64, DOC("Only the request with this traceId.")),
    F_STRING(event_query, client_ip, "clientIp", .max = 64, DOC("Only from this address.")),
    F_INT(event_query, task_id, "taskId", DOC("Only what this task goes on with.")),
    F_ENUM(event_query, status, "status", statuses, .flags = FIELD_ANY_CASE, DOC("Only what ended so.")),
    F_TIME(event_query, from_us, "startTime", DOC("Not before.")),
    F_TIME(event_query, until_us, "endTime", DOC("Not after.")),
    FIELD_END,
};

static const char *const sorts[] = { "startTime", "endTime", "id", "operatorName", "status", NULL };

/* What is not there is left out. */
static void tidy(struct audit_event *event)
{
    if (event->task_id == 0)
        event->task_id = FIELD_NONE;
    if (event->parent_resource != NULL && event->parent_resource[0] == '\0')
        event->parent_resource = NULL;
}

static int api_event_list(struct call *c, struct err *e)
{
    const struct event_query *q = c->query;
    struct audit_filter f = {
        .types = q->types,
        .events = q->events,
        .user_ids = q->users,
        .resource_name = q->resource_name,
        .info = q->info,
        .status = q->status >= 0 ? statuses[q->status] : NULL,
        .from_us = q->from_us,
        .until_us = q->until_us,
        .task_id = q->task_id,
        .operations = q->operations,
        .resource_types = q->resource_types,
        .resource_id = q->resource_id,
        .username = q->username,
        .keyword = q->keyword,
        .trace = q->trace,
        .client_ip = q->client_ip,
    };
    struct store_page page = call_store_page(c);
    struct audit_event *events;
    int64_t total;
    size_t n;
    int rv = store_audit_list(c->db, &f, &page, c->arena, &events, &n, &total, e);

    for (size_t i = 0; rv == 0 && i < n; i++)
        tidy(&events[i]);
    return rv == 0 ? call_paged(c, events, n, total, e) : rv;
}

static int api_event_get(struct call *c, struct err *e)
{
    struct audit_event event;
    int rv = store_audit_get(c->db, call_id(c, "id"), c->arena, &event, e);

    if (rv != 0)
        return rv;
    tidy(&event);
    return call_object(c, &event, e);
}

struct operation_out {
    const char *operation, *event, *type, *resource_type, *description;
};

static const struct field operation_fields[] = {
    F_STRING(operation_out, operation, "operation", DOC("Id of the operation of the API.")),
    F_STRING(operation_out, event, "operationEvent", DOC("Name under which it is recorded.")),
    F_STRING(operation_out, type, "eventType", DOC("Type under which it is recorded.")),
    F_STRING(operation_out, resource_type, "resourceType", DOC("Kind of object.")),
    F_STRING(operation_out, description, "description", DOC("What it does.")),
    FIELD_END,
};

static int api_operation_list(struct call *c, struct err *e)
{
    const struct router *router = c->api->shared->router;
    unsigned n = router_count(router), n_out = 0;
    struct operation_out *out = arena_array(c->arena, n, sizeof *out);
    char *made = arena_array(c->arena, n, AUDIT_NAME_SIZE);

    if (out == NULL || made == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i < n; i++) {
        const struct route *route = router_at(router, i);
        struct audit_operation o;

        if (!route_is_change(route))
            continue;
        o = audit_operation_of(route->id, made + (size_t)i * AUDIT_NAME_SIZE);
        out[n_out++] = (struct operation_out){ route->id, o.event, o.type, o.resource_type, route->doc };
    }
    return call_list(c, out, n_out, e);
}

#define AUDIT .tag = "Audit"

const struct route audit_routes[] = {
    ROUTE("audit-events-list", "GET", "/api/v2/audit/events", "AUDIT:*:READ", api_event_list, REPLY_PAGED, ROUTE_DOCUMENTED,
          "List changes and who made them, newest first.", AUDIT, .sort = sorts, ROUTE_QUERY(event_query, query_fields),
          ROUTE_OUT(audit_event, event_fields)),
    ROUTE("audit-event-get", "GET", "/api/v2/audit/events/{id}", "AUDIT:*:READ", api_event_get, REPLY_OBJECT, ROUTE_OWN, "Show one change.", AUDIT,
          ROUTE_OUT(audit_event, event_fields)),
    ROUTE("audit-operations-list", "GET", "/api/v2/audit/operations", "AUDIT:*:READ", api_operation_list, REPLY_LIST, ROUTE_OWN,
          "List the operations that are recorded.", AUDIT, ROUTE_OUT(operation_out, operation_fields)),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "api/record.h"

#include <string.h>

#include "api/api.h"
#include "src/audit/audit.h"
#include "src/iam/principal.h"

enum { REASON_SIZE = 1024 };

/* What was asked for with its secrets masked, and why it failed. */
static const char *details(struct call *c, const struct err *why)
{
    char reason[REASON_SIZE];
    struct str t;

    str_init(&t, c->arena);
    str_add_c(&t, '{');
    if (c->json != NULL && c->route->body != NULL) {
        json_add_key(&t, "request");
        fields_write_masked(&t, c->route->body, c->json);
    }
    if (why != NULL) {
        json_add_key(&t, "reason");
        json_add_string(&t, err_text(why, ERR_EN, reason, sizeof reason));
    }
    str_add_c(&t, '}');
    return str_failed(&t) ? "{}" : t.s;
}

void record_as(struct call *c, const char *id, const struct err *why)
{
    const struct api_node *node = c->api->shared->node;
    int64_t now = clock_wall_us(node->clock);
    char client[ADDR_TEXT_SIZE];
    struct audit_event event = { .parent_resource = c->object_parent != NULL ? c->object_parent : "", .task_id = c->task_id };
    struct audit_operation operation;
    char made[AUDIT_NAME_SIZE];

    operation = audit_operation_of(id, made);
    event.operation = id;
    event.execution = strcmp(id, "task-instance-retry") == 0 ? "RETRY" : "NEW";
    event.event = operation.event;
    event.type = operation.type;
    event.resource_type = c->object_kind != NULL ? c->object_kind : operation.resource_type;
    event.resource_id = c->object_id > 0 ? c->object_id : 0;
    event.resource_name = c->object_name != NULL ? c->object_name : "";
    event.user_id = c->user != NULL ? c->user->user_id : 0;
    event.username = c->user != NULL ? c->user->name : "";
    event.client_ip = addr_text(&c->rq->client, client);
    event.status = why == NULL ? "SUCCESS" : "FAILED";
    event.code = why != NULL ? why->row->code : 0;
    event.info = details(c, why);
    event.trace = c->trace;
    event.ended_us = now;
    event.started_us = now - (clock_now_ms(node->clock) - c->rq->started_ms) * 1000;
    audit_write(c->api->shared->audit, c->db, &event);
}

void record_change(struct call *c, const struct err *why)
{
    if (route_is_change(c->route))
        record_as(c, c->route->id, why);
}

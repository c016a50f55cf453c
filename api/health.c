/* SPDX-License-Identifier: Apache-2.0 */
/* Health, as load balancers and service managers ask for it. None of these waits for MetaDB longer than its cache says, none
 * needs a login, and none tells more than up, down and why. This node is a cluster of one: MetaDB being away does not make it
 * unready, since a load balancer's own error page would tell callers less than our JSON does. */
#include "api/api.h"
#include "api/tables.h"

#include <string.h>

enum { LIVE_MS = 5000, METADB_MS = 2000 };

struct health {
    const char *status, *reason, *node, *zone, *role, *metadb, *version;
    int64_t uptime_s;
    int draining;
};

static const struct field health_fields[] = {
    F_STRING(health, status, "status", DOC("ok, or what is not.")),
    F_STRING(health, reason, "reason", DOC("Why this node is not ready.")),
    F_STRING(health, node, "node", DOC("Name of this node.")),
    F_STRING(health, zone, "zone", DOC("Zone of this node.")),
    F_STRING(health, role, "role", DOC("single: a cluster of one node.")),
    F_STRING(health, metadb, "metadb", DOC("up or down.")),
    F_STRING(health, version, "version", DOC("Version of ocp-server.")),
    F_INT(health, uptime_s, "uptimeSeconds", DOC("Seconds since the start.")),
    F_BOOL(health, draining, "draining", DOC("Whether the node is about to stop.")),
    FIELD_END,
};

static int reply_text(struct call *c, int status, const char *text)
{
    struct http_header type = { SLICE("content-type"), SLICE("text/plain; charset=utf-8") };

    (void)http_reply(c->rq, status, &type, 1, (struct slice){ text, strlen(text) }, NULL); /* a client that left needs no answer */
    return 0;
}

static int livez(struct call *c, struct err *e)
{
    const struct api_shared *s = c->api->shared;
    int64_t now = clock_now_ms(s->node->clock);

    (void)e;
    for (unsigned i = 0; i < s->n_loops; i++)
        if (now - loop_stats(s->loops[i]->loop).turned_at_ms > LIVE_MS)
            return reply_text(c, 503, "a loop has not turned for 5 seconds\n");
    return reply_text(c, 200, "ok\n");
}

/* NULL when this node is ready. */
static const char *not_ready(const struct api_node *node)
{
    if (node->draining)
        return "this node is draining";
    if (!node->ready)
        return "this node is starting: MetaDB's schema or the keys are not there yet";
    return NULL;
}

static int readyz(struct call *c, struct err *e)
{
    const char *reason = not_ready(c->api->shared->node);

    (void)e;
    return reply_text(c, reason == NULL ? 200 : 503, reason == NULL ? "ok\n" : arena_printf(c->arena, "%s\n", reason));
}

static int health(struct call *c, struct err *e)
{
    const struct api_node *node = c->api->shared->node;
    struct health h = { .node = node->name, .zone = node->zone, .role = "single", .version = node->version, .draining = node->draining };

    h.reason = not_ready(node);
    h.status = h.reason == NULL ? "ok" : "not ready";
    h.metadb = db_is_up(c->db, METADB_MS) ? "up" : "down";
    h.uptime_s = (clock_wall_us(node->clock) - node->started_wall_us) / 1000000;
    c->status = h.reason == NULL ? 200 : 503;
    return call_object(c, &h, e);
}

/* The words that OCP's own probe answers. */
static int status(struct call *c, struct err *e)
{
    const char *reason = not_ready(c->api->shared->node);

    (void)e;
    if (reason != NULL)
        return reply_text(c, 503, "bad");
    return reply_text(c, 200, db_is_up(c->db, METADB_MS) ? "okay" : "bad metadb");
}

const struct route health_routes[] = {
    ROUTE("livez", "GET", "/livez", PERM_PUBLIC, livez, REPLY_OWN, ROUTE_OWN,
          "Whether the event loops turn: for the service manager's decision to restart.", .tag = "Health", .flags = ROUTE_ANY_ADDRESS),
    ROUTE("readyz", "GET", "/readyz", PERM_PUBLIC, readyz, REPLY_OWN, ROUTE_OWN,
          "Whether this node should get requests: for load balancers.", .tag = "Health", .flags = ROUTE_ANY_ADDRESS),
    ROUTE("health", "GET", "/health", PERM_PUBLIC, health, REPLY_BARE, ROUTE_OWN, "How this node does, for people.", .tag = "Health", .flags = ROUTE_ANY_ADDRESS,
          ROUTE_OUT(health, health_fields)),
    ROUTE("status-get", "GET", "/api/status", PERM_PUBLIC, status, REPLY_OWN, ROUTE_DOCUMENTED,
          "okay, or bad and the component that is down.", .tag = "Health", .flags = ROUTE_ANY_ADDRESS),
    ROUTE_END,
};

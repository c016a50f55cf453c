/* SPDX-License-Identifier: Apache-2.0 */
/* What this OCP is, as client programs ask before anything else (contract additional.md section 3). */
#include <string.h>

#include "api/api.h"
#include "api/tables.h"
#include "src/iam/loginkey.h"
#include "src/store/host_agent.h"

/* Deployment tools compare this with the OCP release they need, number by number up to the first '_'. */
#define COMPATIBLE_RELEASE "4.3.5"

struct info {
    const char *name, *group, *artifact, *build_time, *build_version, *build_java_version, *spring_boot_version;
};

static const struct field info_fields[] = {
    F_STRING(info, name, "name", DOC("Name of the product.")),
    F_STRING(info, group, "group", DOC("Group of the build.")),
    F_STRING(info, artifact, "artifact", DOC("Name of the program.")),
    F_STRING(info, build_time, "buildTime", DOC("When it was built.")),
    F_STRING(info, build_version, "buildVersion", DOC("OCP release it is compatible with, '_', and the version of ocp-server.")),
    F_STRING(info, build_java_version, "buildJavaVersion", DOC("What OCP tells here about Java: none.")),
    F_STRING(info, spring_boot_version, "springBootVersion", DOC("What OCP tells here about Spring Boot: none.")),
    FIELD_END,
};

static int info(struct call *c, struct err *e)
{
    const struct api_node *node = c->api->shared->node;
    struct info i = { "OCP", "ocp", "ocp-server", node->build_time, NULL, "none", "none" };

    i.build_version = arena_printf(c->arena, COMPATIBLE_RELEASE "_%s", node->version);
    return i.build_version != NULL ? call_object(c, &i, e) : err_set(e, &ERR_NOMEM, "");
}

/* Tools take this as the readiness probe: 200 only when the rest can be served. */
static int get_time(struct call *c, struct err *e)
{
    const struct api_node *node = c->api->shared->node;
    struct http_header type = { SLICE("content-type"), SLICE("text/plain; charset=utf-8") };
    char *text = arena_alloc(c->arena, CLOCK_TEXT_SIZE);

    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (!node->ready)
        return err_set(e, &ERR_BUSY, "this node is starting");
    (void)clock_iso(clock_wall_us(node->clock), 0, text);
    (void)http_reply(c->rq, 200, &type, 1, (struct slice){ text, strlen(text) }, NULL); /* a client that left needs no answer */
    return 0;
}

struct login_key {
    const char *public_key;
};

static const struct field login_key_fields[] = {
    F_STRING(login_key, public_key, "publicKey", DOC("Key to encrypt passwords with; empty: they go as they are.")),
    FIELD_END,
};

static int login_key(struct call *c, struct err *e)
{
    struct login_key k;

    if (!c->api->shared->node->ready)
        return err_set(e, &ERR_BUSY, "this node is starting");
    k.public_key = login_keys_public(c->api->shared->login_keys);

    return call_object(c, &k, e);
}

struct mc_info {
    int enabled;
    const char *role, *name;
};

static const struct field mc_info_fields[] = {
    F_BOOL(mc_info, enabled, "enabled", DOC("Whether this OCP is paired with others.")),
    F_STRING(mc_info, role, "role", DOC("LEADER or FOLLOWER.")),
    F_STRING(mc_info, name, "name", DOC("Name of this OCP.")),
    FIELD_END,
};

static int mc_info(struct call *c, struct err *e)
{
    struct mc_info i = { false, "LEADER", c->api->shared->node->zone };

    return call_object(c, &i, e);
}

static bool may_see_host(const struct scope *scope, int64_t host_id)
{
    for (size_t i = 0; scope != NULL && i < scope->n; i++)
        if (strcmp(scope->items[i].kind, "HOST") == 0 && (scope->items[i].id == host_id || scope->items[i].id == SCOPE_ANY))
            return true;
    return scope == NULL;
}

/* Where an agent serves metrics of its host; the path is a label that Prometheus takes for itself. */
static void add_target(struct str *t, const struct host_agent *a)
{
    bool v6 = strchr(a->ip, ':') != NULL;

    json_add_comma(t);
    str_printf(t, "{\"targets\":[\"%s%s%s:%lld\"],\"labels\":{\"svr_ip\":\"%s\",\"host_id\":\"%lld\",\"__metrics_path__\":\"/metrics/node/host\"}}",
               v6 ? "[" : "", a->ip, v6 ? "]" : "", (long long)a->monitor_port, a->ip, (long long)a->host_id);
}

/* Every host that has an agent, whether it answers now or not: Prometheus shall notice. */
static int prometheus_sd(struct call *c, struct err *e)
{
    struct http_header type = { SLICE("content-type"), SLICE("application/json") };
    struct host_agent *agents;
    struct str t;
    size_t n;
    int rv = store_host_agent_all(c->db, c->arena, &agents, &n, e);

    if (rv != 0)
        return rv;
    str_init(&t, c->arena);
    str_add_c(&t, '[');
    for (size_t i = 0; i < n; i++)
        if (may_see_host(c->scope, agents[i].host_id))
            add_target(&t, &agents[i]);
    str_add_c(&t, ']');
    if (str_failed(&t))
        return err_set(e, &ERR_NOMEM, "");
    (void)http_reply(c->rq, 200, &type, 1, (struct slice){ t.s, t.n }, NULL); /* a client that left needs no answer */
    return 0;
}

const struct route system_routes[] = {
    ROUTE("info-get", "GET", "/api/v2/info", PERM_LOGIN, info, REPLY_BARE, ROUTE_DOCUMENTED, "Which OCP this is.", .tag = "System",
          ROUTE_OUT(info, info_fields)),
    ROUTE("time-get", "GET", "/api/v2/time", PERM_PUBLIC, get_time, REPLY_OWN, ROUTE_DOCUMENTED, "The time of this node, as text.",
          .tag = "System"),
    ROUTE("login-key-get", "GET", "/api/v2/loginKey", PERM_PUBLIC, login_key, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "Public key for passwords on their way to the server.", .tag = "System", ROUTE_OUT(login_key, login_key_fields)),
    ROUTE("mc-info-get", "GET", "/api/v2/mc/info", PERM_PUBLIC, mc_info, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "How this OCP stands among others.", .tag = "System", ROUTE_OUT(mc_info, mc_info_fields)),
    ROUTE("monitor-prometheus-sd", "GET", "/api/v2/monitor/prometheus_sd", "HOST:?:READ", prometheus_sd, REPLY_OWN, ROUTE_ADDITIONAL,
          "Targets for Prometheus (HTTP service discovery).", .tag = "System"),
    ROUTE_END,
};

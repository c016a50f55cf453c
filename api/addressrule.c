/* SPDX-License-Identifier: Apache-2.0 */
/* The networks whose clients may come in. */
#include "src/iam/addressrule.h"

#include "api/api.h"
#include "api/tables.h"
#include "src/iam/iam.h"

static const struct field rule_fields[] = {
    F_INT(addressrule, id, "id", DOC("Id of the rule.")),
    F_STRING(addressrule, network, "network", DOC("Network or single address.")),
    F_STRING(addressrule, description, "description", DOC("Remark.")),
    F_BOOL(addressrule, enabled, "enabled", DOC("Whether it counts.")),
    F_STRING(addressrule, creator_name, "creator", DOC("Who made it.")),
    F_TIME(addressrule, created_us, "createTime", DOC("When it was made.")),
    F_TIME(addressrule, updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

struct rule_in {
    const char *network, *description;
    int enabled;
};

#define NETWORK(FLAGS) F_STRING(rule_in, network, "network", .flags = (FLAGS), .max = 64, .check = addressrule_problem, \
                                .example = "10.0.0.0/8", DOC("Network such as 10.0.0.0/8 or 2001:db8::/32, or a single address."))
#define OTHERS                                                                                                       \
    F_STRING(rule_in, description, "description", .max = 1024, .flags = FIELD_EMPTY_OK, DOC("Remark.")),             \
        F_BOOL(rule_in, enabled, "enabled", DOC("Whether it counts; a new rule does by itself.")), FIELD_END

static const struct field create_fields[] = { NETWORK(FIELD_REQUIRED), OTHERS };
static const struct field update_fields[] = { NETWORK(0), OTHERS };

static void about(struct call *c, int64_t id, const char *name)
{
    c->object_kind = "ADDRESS_RULE";
    c->object_id = id;
    c->object_name = name;
}

/* The rules count here at once, on other nodes within two seconds. */
static int reply_rule(struct call *c, int64_t id, struct err *e)
{
    struct addressrule rule;
    int rv = iam_refresh_rules(c->api->shared->iam, c->db, e);

    if (rv == 0)
        rv = store_addressrule_get(c->db, id, c->arena, &rule, e);
    return rv == 0 ? call_object(c, &rule, e) : rv;
}

static int api_rule_list(struct call *c, struct err *e)
{
    struct addressrule *rules;
    size_t n;
    int rv = store_addressrule_list(c->db, c->arena, &rules, &n, e);

    return rv == 0 ? call_list(c, rules, n, e) : rv;
}

static int api_rule_get(struct call *c, struct err *e)
{
    struct addressrule rule;
    int rv = store_addressrule_get(c->db, call_id(c, "id"), c->arena, &rule, e);

    return rv == 0 ? call_object(c, &rule, e) : rv;
}

static int api_rule_create(struct call *c, struct err *e)
{
    const struct rule_in *in = c->body;
    struct addressrule rule = {
        .network = in->network,
        .description = in->description != NULL ? in->description : "",
        .enabled = in->enabled != 0,
        .creator_name = c->user->name,
    };
    int rv;

    about(c, -1, in->network);
    rv = addressrule_create(c->db, &c->rq->client, &rule, e);
    if (rv != 0)
        return rv;
    c->object_id = rule.id;
    return reply_rule(c, rule.id, e);
}

static int api_rule_update(struct call *c, struct err *e)
{
    const struct rule_in *in = c->body;
    struct addressrule rule;
    int rv;

    about(c, call_id(c, "id"), NULL);
    rv = store_addressrule_get(c->db, c->object_id, c->arena, &rule, e);
    if (rv != 0)
        return rv;
    rule.network = in->network != NULL ? in->network : rule.network;
    rule.description = in->description != NULL ? in->description : rule.description;
    rule.enabled = in->enabled >= 0 ? in->enabled : rule.enabled;
    c->object_name = rule.network;
    rv = addressrule_update(c->db, &c->rq->client, &rule, e);
    return rv == 0 ? reply_rule(c, rule.id, e) : rv;
}

static int api_rule_delete(struct call *c, struct err *e)
{
    struct addressrule rule;
    int rv;

    about(c, call_id(c, "id"), NULL);
    rv = store_addressrule_get(c->db, c->object_id, c->arena, &rule, e);
    if (rv != 0)
        return rv;
    c->object_name = rule.network;
    rv = addressrule_delete(c->db, &c->rq->client, &rule, e);
    return rv == 0 ? iam_refresh_rules(c->api->shared->iam, c->db, e) : rv;
}

#define ADDRESSES .tag = "Addresses"

const struct route addressrule_routes[] = {
    ROUTE("iam-address-rules-list", "GET", "/api/v2/iam/addressRules", "PROPERTY:*:READ", api_rule_list, REPLY_LIST, ROUTE_OWN,
          "List the networks whose clients may come in; without an enabled rule everybody may.", ADDRESSES,
          ROUTE_OUT(addressrule, rule_fields)),
    ROUTE("iam-address-rule-create", "POST", "/api/v2/iam/addressRules", "PROPERTY:*:CREATE", api_rule_create, REPLY_OBJECT, ROUTE_OWN,
          "Let the clients of a network in. The first enabled rule shuts out all others.", ADDRESSES, ROUTE_BODY(rule_in, create_fields),
          ROUTE_OUT(addressrule, rule_fields)),
    ROUTE("iam-address-rule-get", "GET", "/api/v2/iam/addressRules/{id}", "PROPERTY:*:READ", api_rule_get, REPLY_OBJECT, ROUTE_OWN,
          "Show an address rule.", ADDRESSES, ROUTE_OUT(addressrule, rule_fields)),
    ROUTE("iam-address-rule-update", "PATCH", "/api/v2/iam/addressRules/{id}", "PROPERTY:*:UPDATE", api_rule_update, REPLY_OBJECT, ROUTE_OWN,
          "Change what is sent of an address rule.", ADDRESSES, ROUTE_BODY(rule_in, update_fields), ROUTE_OUT(addressrule, rule_fields)),
    ROUTE("iam-address-rule-delete", "DELETE", "/api/v2/iam/addressRules/{id}", "PROPERTY:*:DELETE", api_rule_delete, REPLY_NONE, ROUTE_OWN,
          "Delete an address rule.", ADDRESSES),
    ROUTE_END,
};

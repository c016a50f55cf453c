/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of tenants. */
#include "src/tenant/parameter.h"

#include "api/api.h"
#include "api/tables.h"
#include "api/tenant_path.h"
#include "src/iam/principal.h"

static const struct field range_fields[] = {
    F_STRING(tenant_range, type, "type", DOC("BOOL, INT, STRING ...")),
    F_STRING(tenant_range, allowed, "allowedValues", DOC("Words, separated by commas; empty: any.")),
    F_STRING(tenant_range, min, "minValue", DOC("Smallest value; absent: none is said.")),
    F_STRING(tenant_range, max, "maxValue", DOC("Largest value; absent: none is said.")),
    FIELD_END,
};
static const struct field parameter_fields[] = {
    F_STRING(tenant_parameter, name, "name", DOC("Name.")),
    F_STRING(tenant_parameter, kind, "parameterType", DOC("OB_SYSTEM_VARIABLE or OB_TENANT_PARAMETER.")),
    F_STRING(tenant_parameter, mode, "compatibleType", DOC("Mode of tenants that have it: MYSQL or ORACLE.")),
    F_BOOL(tenant_parameter, readonly, "readonly", DOC("Whether it cannot be changed.")),
    F_STRING(tenant_parameter, default_value, "defaultValue", DOC("Value unless it is set.")),
    F_STRING(tenant_parameter, value, "currentValue", DOC("Value in force.")),
    F_STRING(tenant_parameter, info, "description", DOC("What it is for, in the kernel's words.")),
    F_OBJECT(tenant_parameter, range, "valueRange", tenant_range, range_fields, DOC("What a value may be.")),
    FIELD_END,
};

struct parameter_in {
    const char *name, *value, *type;
};
static const struct field parameter_in_fields[] = {
    F_STRING(parameter_in, name, "name", .flags = FIELD_REQUIRED, .max = 128, DOC("Name.")),
    F_STRING(parameter_in, value, "value", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK | FIELD_SCALAR, .max = 65534, DOC("New value.")),
    F_STRING(parameter_in, type, "parameterType", .max = 64, DOC("Ignored: the name says it.")),
    FIELD_END,
};

static int api_tenant_parameter_list(struct call *c, struct err *e)
{
    struct tenant_parameter *found;
    struct tenant t;
    size_t n;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = tenant_parameter_list(&t, &found, &n, e);
    return rv == 0 ? call_list(c, found, n, e) : rv;
}

static int api_tenant_parameter_update(struct call *c, struct err *e)
{
    const struct field_list *in = c->body;
    const struct parameter_in *items = in->items;
    struct tenant_parameter_wish *wishes = arena_array(c->arena, in->n + 1, sizeof *wishes);
    struct obcluster_user who = { c->user->user_id, c->user->name };
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0 && wishes == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < in->n; i++)
        wishes[i] = (struct tenant_parameter_wish){ items[i].name, items[i].value };
    return rv == 0 ? tenant_parameter_change(&t, wishes, in->n, &who, e) : rv;
}

#define PARAMETERS .tag = "Tenant parameters"

const struct route tenant_parameter_routes[] = {
    ROUTE("ob-cluster-tenant-parameters-list", "GET", TENANT_PATH "/parameters", TENANT_READ, api_tenant_parameter_list, REPLY_LIST,
          ROUTE_DOCUMENTED, "List the parameters of a tenant.", PARAMETERS, ROUTE_OUT(tenant_parameter, parameter_fields)),
    ROUTE("ob-cluster-tenant-parameters-update", "PUT", TENANT_PATH "/parameters", TENANT_UPDATE, api_tenant_parameter_update, REPLY_NONE,
          ROUTE_DOCUMENTED, "Change parameters of a tenant.", PARAMETERS, ROUTE_BODY(parameter_in, parameter_in_fields),
          .flags = ROUTE_BODY_ARRAY),
    ROUTE_END,
};

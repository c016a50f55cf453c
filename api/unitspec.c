/* SPDX-License-Identifier: Apache-2.0 */
/* Unit specifications. */
#include "src/tenant/unitspec.h"

#include <math.h>

#include "api/api.h"
#include "api/tables.h"

static const char *const sorts[] = { "createTime", "id", "name", "type", "maxCpuCoreCount", "maxMemorySize", NULL };

static const struct field spec_fields[] = {
    F_INT(unitspec, id, "id", DOC("Id of the specification.")),
    F_STRING(unitspec, name, "name", DOC("Unique name.")),
    F_STRING(unitspec, kind, "type", DOC("SYSTEM: comes with OCP and stays; CUSTOM.")),
    F_DOUBLE(unitspec, max_cpu, "maxCpuCoreCount", DOC("CPU cores at most.")),
    F_DOUBLE(unitspec, min_cpu, "minCpuCoreCount", DOC("CPU cores at least.")),
    F_INT(unitspec, max_memory_gb, "maxMemorySize", DOC("Memory at most, in GB.")),
    F_INT(unitspec, min_memory_gb, "minMemorySize", DOC("Memory at least, in GB.")),
    FIELD_END,
};

struct spec_query {
    const char *name, *kind;
};
static const struct field query_fields[] = {
    F_STRING(spec_query, name, "name", .max = 128, DOC("Part of the name.")),
    F_STRING(spec_query, kind, "type", .max = 16, DOC("SYSTEM or CUSTOM.")),
    FIELD_END,
};

struct spec_in {
    const char *name;
    double max_cpu, min_cpu;
    int64_t max_memory_gb, min_memory_gb;
};
static const struct field in_fields[] = {
    F_STRING(spec_in, name, "name", .flags = FIELD_REQUIRED, .max = 128, DOC("Unique name.")),
    F_DOUBLE(spec_in, max_cpu, "maxCpuCoreCount", .flags = FIELD_REQUIRED, DOC("CPU cores at most, 0.5 to 999.")),
    F_DOUBLE(spec_in, min_cpu, "minCpuCoreCount", DOC("CPU cores at least; when absent as many as at most.")),
    F_INT(spec_in, max_memory_gb, "maxMemorySize", .flags = FIELD_REQUIRED, DOC("Memory at most, in GB, 1 to 10000.")),
    F_INT(spec_in, min_memory_gb, "minMemorySize", DOC("Memory at least, in GB; when absent as much as at most.")),
    FIELD_END,
};

static int api_unitspec_list(struct call *c, struct err *e)
{
    const struct spec_query *q = c->query;
    struct store_page page = call_store_page(c);
    struct unitspec *list;
    int64_t total;
    size_t n;
    int rv = store_unitspec_list(c->db, q->name, q->kind, &page, c->arena, &list, &n, &total, e);

    return rv == 0 ? call_paged(c, list, n, total, e) : rv;
}

static int api_unitspec_create(struct call *c, struct err *e)
{
    const struct spec_in *in = c->body;
    struct unitspec s = {
        .name = in->name,
        .min_cpu = isnan(in->min_cpu) ? in->max_cpu : in->min_cpu,
        .max_cpu = in->max_cpu,
        .min_memory_gb = in->min_memory_gb == FIELD_NONE ? in->max_memory_gb : in->min_memory_gb,
        .max_memory_gb = in->max_memory_gb,
    };
    int rv;

    c->object_name = in->name;
    rv = unitspec_add(c->db, &s, c->arena, e);
    if (rv != 0)
        return rv;
    c->object_id = s.id;
    return call_object(c, &s, e);
}

static int api_unitspec_delete(struct call *c, struct err *e)
{
    c->object_id = call_id(c, "specId");
    return unitspec_remove(c->db, c->object_id, c->arena, &c->object_name, e);
}

#define TAG .tag = "Unit specifications"

const struct route unitspec_routes[] = {
    ROUTE("ob-unit-specs-list", "GET", "/api/v2/ob/unitSpecs", PERM_LOGIN, api_unitspec_list, REPLY_PAGED, ROUTE_DOCUMENTED,
          "List the unit specifications.", TAG, ROUTE_QUERY(spec_query, query_fields), ROUTE_OUT(unitspec, spec_fields), .sort = sorts),
    ROUTE("ob-unit-spec-create", "POST", "/api/v2/ob/unitSpecs", "CLUSTER:*:TENANT:*:CREATE", api_unitspec_create, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Make a unit specification.", TAG, ROUTE_BODY(spec_in, in_fields), ROUTE_OUT(unitspec, spec_fields)),
    ROUTE("ob-unit-spec-delete", "DELETE", "/api/v2/ob/unitSpecs/{specId}", "CLUSTER:*:TENANT:*:DELETE", api_unitspec_delete, REPLY_NONE,
          ROUTE_DOCUMENTED, "Delete a unit specification.", TAG),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Regions, IDCs and host types. */
#include "api/api.h"
#include "api/tables.h"
#include "src/host/host.h"

static const char *const sorts[] = { "createTime", "id", "name", "updateTime", NULL };

static const struct field region_fields[] = {
    F_INT(region, id, "id", DOC("Id of the region.")),
    F_STRING(region, name, "name", DOC("Unique name.")),
    F_STRING(region, description, "description", DOC("Remark.")),
    F_TIME(region, created_us, "createTime", DOC("When it was made.")),
    F_TIME(region, updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

static const struct field idc_fields[] = {
    F_INT(idc, id, "id", DOC("Id of the IDC.")),
    F_STRING(idc, name, "name", DOC("Unique name.")),
    F_STRING(idc, description, "description", DOC("Remark.")),
    F_INT(idc, region_id, "regionId", DOC("Region it lies in.")),
    F_STRING(idc, region_name, "regionName", DOC("Name of the region.")),
    F_TIME(idc, created_us, "createTime", DOC("When it was made.")),
    F_TIME(idc, updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

static const struct field type_fields[] = {
    F_INT(host_type, id, "id", DOC("Id of the host type.")),
    F_STRING(host_type, name, "name", DOC("Unique name.")),
    F_STRING(host_type, description, "description", DOC("Remark.")),
    F_TIME(host_type, created_us, "createTime", DOC("When it was made.")),
    F_TIME(host_type, updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

struct place_in {
    const char *name, *description;
    int64_t region_id;
};

static const struct field region_in[] = {
    F_STRING(place_in, name, "name", .flags = FIELD_REQUIRED, .check = place_name_problem, DOC("Unique name.")),
    F_STRING(place_in, description, "description", .max = 255, .def = "", .flags = FIELD_EMPTY_OK, DOC("Remark.")),
    FIELD_END,
};

static const struct field idc_in[] = {
    F_STRING(place_in, name, "name", .flags = FIELD_REQUIRED, .check = place_name_problem, DOC("Unique name.")),
    F_STRING(place_in, description, "description", .max = 255, .def = "", .flags = FIELD_EMPTY_OK, DOC("Remark.")),
    F_INT(place_in, region_id, "regionId", .flags = FIELD_REQUIRED, DOC("Region it lies in.")),
    FIELD_END,
};

static const struct field type_in[] = {
    F_STRING(place_in, name, "name", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK, .max = 64, DOC("Unique name; empty: the built-in type.")),
    F_STRING(place_in, description, "description", .max = 255, .def = "", .flags = FIELD_EMPTY_OK, DOC("Remark.")),
    FIELD_END,
};

static void about(struct call *c, const char *kind, int64_t id, const char *name)
{
    c->object_kind = kind;
    c->object_id = id;
    c->object_name = name;
}

static int api_region_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct region *list;
    int64_t total;
    size_t n;
    int rv = store_region_list(c->db, &page, c->arena, &list, &n, &total, e);

    return rv == 0 ? call_paged(c, list, n, total, e) : rv;
}

static int api_region_get(struct call *c, struct err *e)
{
    struct region r;
    int rv = store_region_get(c->db, call_id(c, "regionId"), c->arena, &r, e);

    return rv == 0 ? call_object(c, &r, e) : rv;
}

static int api_region_create(struct call *c, struct err *e)
{
    const struct place_in *in = c->body;
    struct region r = { .name = in->name, .description = in->description };
    int rv = db_next_id(c->db, &r.id, e);

    about(c, "REGION", r.id, in->name);
    if (rv == 0)
        rv = store_region_insert(c->db, &r, e);
    if (rv == 0)
        rv = store_region_get(c->db, r.id, c->arena, &r, e);
    return rv == 0 ? call_object(c, &r, e) : rv;
}

static int api_region_delete(struct call *c, struct err *e)
{
    about(c, "REGION", call_id(c, "regionId"), NULL);
    return store_region_delete(c->db, c->object_id, e);
}

static int api_idc_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct idc *list;
    int64_t total;
    size_t n;
    int rv = store_idc_list(c->db, &page, c->arena, &list, &n, &total, e);

    return rv == 0 ? call_paged(c, list, n, total, e) : rv;
}

static int api_idc_get(struct call *c, struct err *e)
{
    struct idc i;
    int rv = store_idc_get(c->db, call_id(c, "idcId"), c->arena, &i, e);

    return rv == 0 ? call_object(c, &i, e) : rv;
}

static int api_idc_create(struct call *c, struct err *e)
{
    const struct place_in *in = c->body;
    struct idc i = { .name = in->name, .description = in->description, .region_id = in->region_id };
    int rv = db_next_id(c->db, &i.id, e);

    about(c, "IDC", i.id, in->name);
    if (rv == 0)
        rv = store_idc_insert(c->db, &i, e);
    if (rv == 0)
        rv = store_idc_get(c->db, i.id, c->arena, &i, e);
    return rv == 0 ? call_object(c, &i, e) : rv;
}

static int api_idc_delete(struct call *c, struct err *e)
{
    about(c, "IDC", call_id(c, "idcId"), NULL);
    return store_idc_delete(c->db, c->object_id, e);
}

static int api_host_type_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct host_type *list;
    int64_t total;
    size_t n;
    int rv = store_host_type_list(c->db, &page, c->arena, &list, &n, &total, e);

    return rv == 0 ? call_paged(c, list, n, total, e) : rv;
}

static int api_host_type_get(struct call *c, struct err *e)
{
    struct host_type t;
    int rv = store_host_type_get(c->db, call_id(c, "hostTypeId"), c->arena, &t, e);

    return rv == 0 ? call_object(c, &t, e) : rv;
}

static int api_host_type_create(struct call *c, struct err *e)
{
    const struct place_in *in = c->body;
    struct host_type t;
    int rv;

    about(c, "HOST_TYPE", -1, in->name);
    rv = host_type_add(c->db, in->name, in->description, c->arena, &t, e);
    if (rv != 0)
        return rv;
    c->object_id = t.id;
    return call_object(c, &t, e);
}

static int api_host_type_delete(struct call *c, struct err *e)
{
    about(c, "HOST_TYPE", call_id(c, "hostTypeId"), NULL);
    return store_host_type_delete(c->db, c->object_id, e);
}

#define READ "HOST:?:READ"
#define TAG .tag = "Hosts"

const struct route place_routes[] = {
    ROUTE("regions-list", "GET", "/api/v2/compute/regions", READ, api_region_list, REPLY_PAGED, ROUTE_DOCUMENTED, "List the regions.", TAG,
          ROUTE_OUT(region, region_fields), .sort = sorts),
    ROUTE("region-get", "GET", "/api/v2/compute/regions/{regionId}", READ, api_region_get, REPLY_OBJECT, ROUTE_DOCUMENTED, "Show a region.", TAG,
          ROUTE_OUT(region, region_fields)),
    ROUTE("region-create", "POST", "/api/v2/compute/regions", "HOST:*:CREATE", api_region_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Make a region.", TAG, ROUTE_BODY(place_in, region_in), ROUTE_OUT(region, region_fields)),
    ROUTE("region-delete", "DELETE", "/api/v2/compute/regions/{regionId}", "HOST:*:DELETE", api_region_delete, REPLY_NONE, ROUTE_DOCUMENTED,
          "Delete a region that has no IDC.", TAG),
    ROUTE("idcs-list", "GET", "/api/v2/compute/idcs", READ, api_idc_list, REPLY_PAGED, ROUTE_DOCUMENTED, "List the IDCs.", TAG,
          ROUTE_OUT(idc, idc_fields), .sort = sorts),
    ROUTE("idc-get", "GET", "/api/v2/compute/idcs/{idcId}", READ, api_idc_get, REPLY_OBJECT, ROUTE_DOCUMENTED, "Show an IDC.", TAG,
          ROUTE_OUT(idc, idc_fields)),
    ROUTE("idc-create", "POST", "/api/v2/compute/idcs", "HOST:*:CREATE", api_idc_create, REPLY_OBJECT, ROUTE_DOCUMENTED, "Make an IDC.", TAG,
          ROUTE_BODY(place_in, idc_in), ROUTE_OUT(idc, idc_fields)),
    ROUTE("idc-delete", "DELETE", "/api/v2/compute/idcs/{idcId}", "HOST:*:DELETE", api_idc_delete, REPLY_NONE, ROUTE_DOCUMENTED,
          "Delete an IDC that has no host.", TAG),
    ROUTE("host-types-list", "GET", "/api/v2/compute/hostTypes", READ, api_host_type_list, REPLY_PAGED, ROUTE_DOCUMENTED,
          "List the host types.", TAG, ROUTE_OUT(host_type, type_fields), .sort = sorts),
    ROUTE("host-type-get", "GET", "/api/v2/compute/hostTypes/{hostTypeId}", READ, api_host_type_get, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Show a host type.", TAG, ROUTE_OUT(host_type, type_fields)),
    ROUTE("host-type-create", "POST", "/api/v2/compute/hostTypes", "HOST:*:CREATE", api_host_type_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Make a host type; without a name the built-in one is returned.", TAG, ROUTE_BODY(place_in, type_in), ROUTE_OUT(host_type, type_fields)),
    ROUTE("host-type-delete", "DELETE", "/api/v2/compute/hostTypes/{hostTypeId}", "HOST:*:DELETE", api_host_type_delete, REPLY_NONE,
          ROUTE_DOCUMENTED, "Delete a host type that no host has.", TAG),
    ROUTE_END,
};

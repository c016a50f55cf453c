/* SPDX-License-Identifier: Apache-2.0 */
/* Databases of a tenant. */
#include "src/tenant/database.h"

#include "api/api.h"
#include "api/tables.h"
#include "api/tenant_path.h"

static const struct field database_fields[] = {
    F_INT(database, id, "id", DOC("The kernel's number.")),
    F_STRING(database, name, "dbName", DOC("Name.")),
    F_STRING(database, charset, "charset", DOC("Character set.")),
    F_STRING(database, collation, "collation", DOC("Collation.")),
    F_STRING(database, primary_zone, "primaryZone", DOC("Zones that lead, by priority.")),
    F_BOOL(database, read_only, "readonly", DOC("Whether nothing in it can be changed.")),
    F_TIME(database, created_us, "createTime", DOC("When it was made.")),
    F_LIST(database, urls, "connectionUrls", connection_string, connection_fields, DOC("How to connect to it.")),
    FIELD_END,
};

struct database_in {
    const char *name, *collation, *primary_zone;
    int read_only;
};
#define COMMON_FIELDS                                                                                                              \
    F_STRING(database_in, primary_zone, "primaryZone", .max = 127, DOC("Zones that lead, by priority: that of the tenant when absent.")), \
        F_BOOL(database_in, read_only, "readonly", DOC("Whether nothing in it can be changed."))
static const struct field create_fields[] = {
    F_STRING(database_in, name, "dbName", .flags = FIELD_REQUIRED, .max = 1024, DOC("Name: a letter, then letters, digits and underscores.")),
    F_STRING(database_in, collation, "collation", .def = "utf8mb4_general_ci", .max = 64, DOC("Collation, or a character set.")),
    COMMON_FIELDS,
    FIELD_END,
};
static const struct field update_fields[] = {
    F_STRING(database_in, collation, "collation", .max = 64, DOC("Collation, or a character set.")),
    COMMON_FIELDS,
    FIELD_END,
};

static int api_database_list(struct call *c, struct err *e)
{
    struct database *list;
    struct tenant t;
    size_t n;
    int rv = api_tenant_of(c, NULL, &t, e);

    if (rv == 0)
        rv = database_list(&t, &list, &n, e);
    return rv == 0 ? call_list(c, list, n, e) : rv;
}

static int api_database_create(struct call *c, struct err *e)
{
    const struct database_in *in = c->body;
    struct database_wish wish = { in->name, in->collation, in->primary_zone, in->read_only };
    struct database made;
    struct tenant t;
    int rv = api_tenant_of(c, in->name, &t, e);

    if (rv == 0)
        rv = database_create(&t, &wish, &made, e);
    return rv == 0 ? call_object(c, &made, e) : rv;
}

static int api_database_update(struct call *c, struct err *e)
{
    const struct database_in *in = c->body;
    struct database_wish wish = { call_text(c, "dbName"), in->collation, in->primary_zone, in->read_only };
    struct database changed;
    struct tenant t;
    int rv = api_tenant_of(c, wish.name, &t, e);

    if (rv == 0)
        rv = database_update(&t, &wish, &changed, e);
    return rv == 0 ? call_object(c, &changed, e) : rv;
}

static int api_database_delete(struct call *c, struct err *e)
{
    const char *name = call_text(c, "dbName");
    struct tenant t;
    int rv = api_tenant_of(c, name, &t, e);

    return rv == 0 ? database_drop(&t, name, e) : rv;
}

#define TAG .tag = "Databases"
#define OUT ROUTE_OUT(database, database_fields)

const struct route database_routes[] = {
    ROUTE("ob-cluster-tenant-databases-list", "GET", TENANT_PATH "/databases", TENANT_READ, api_database_list, REPLY_LIST, ROUTE_DOCUMENTED,
          "List the databases of a tenant.", TAG, OUT),
    ROUTE("ob-cluster-tenant-database-create", "POST", TENANT_PATH "/databases", TENANT_UPDATE, api_database_create, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Make a database.", TAG, ROUTE_BODY(database_in, create_fields), OUT),
    ROUTE("ob-cluster-tenant-database-update", "PUT", TENANT_PATH "/databases/{dbName}", TENANT_UPDATE, api_database_update, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Change collation and read-only mode of a database.", TAG, ROUTE_BODY(database_in, update_fields), OUT),
    ROUTE("ob-cluster-tenant-database-delete", "DELETE", TENANT_PATH "/databases/{dbName}", TENANT_UPDATE, api_database_delete, REPLY_NONE,
          ROUTE_DOCUMENTED, "Drop a database with everything in it.", TAG),
    ROUTE_END,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* What changes a managed cluster as a whole, its zones and its servers: each is a task. */
#include "api/api.h"
#include "api/obcluster_view.h"
#include "api/tables.h"
#include "api/task.h"
#include "src/iam/principal.h"
#include "src/obcluster/create.h"
#include "src/obcluster/operate.h"
#include "src/obcluster/scale.h"
#include "src/task/domains.h"

static int operate(struct call *c, struct operate *want, struct err *e)
{
    struct obcluster_user who = { c->user->user_id, c->user->name };
    struct obcluster_started started;
    struct obcluster row;
    int rv = api_obcluster_of(c, "id", &row, e);

    if (rv != 0)
        return rv;
    want->cluster_id = row.id;
    rv = obcluster_operate(c->api->shared->domains->obclusters, c->db, c->api->shared->tasks, want, &who, c->arena, &started, e);
    return rv == 0 ? api_task_reply(c, started.task_id, e) : rv;
}

static int of_zone(struct call *c, enum operation what, struct err *e)
{
    struct operate want = { .what = what, .zone = call_text(c, "zoneName") };

    return operate(c, &want, e);
}

static int api_zone_stop(struct call *c, struct err *e)
{
    return of_zone(c, OPERATE_STOP_ZONE, e);
}

static int api_zone_start(struct call *c, struct err *e)
{
    return of_zone(c, OPERATE_START_ZONE, e);
}

struct force_in {
    int force;
};
static const struct field force_fields[] = {
    F_BOOL(force_in, force, "force", .def = "false", DOC("Although a log stream may lose its majority: the service may be interrupted.")),
    FIELD_END,
};

static int api_server_stop(struct call *c, struct err *e)
{
    const struct force_in *in = c->body;
    struct operate want = { .what = OPERATE_STOP_SERVER, .server_id = call_id(c, "serverId"), .force = in->force == 1 };

    return operate(c, &want, e);
}

static int api_server_start(struct call *c, struct err *e)
{
    struct operate want = { .what = OPERATE_START_SERVER, .server_id = call_id(c, "serverId") };

    return operate(c, &want, e);
}

static int api_zone_restart(struct call *c, struct err *e)
{
    return of_zone(c, OPERATE_RESTART_ZONE, e);
}

static int api_server_restart(struct call *c, struct err *e)
{
    const struct force_in *in = c->body;
    struct operate want = { .what = OPERATE_RESTART_SERVER, .server_id = call_id(c, "serverId"), .force = in->force == 1 };

    return operate(c, &want, e);
}

static const struct field zone_fields[] = {
    F_STRING(create_zone, name, "name", .flags = FIELD_REQUIRED, .max = 64, DOC("Name of the zone.")),
    F_STRING(create_zone, idc_name, "idcName", .flags = FIELD_REQUIRED, .max = 255, DOC("IDC in which its hosts stand.")),
    F_INTS(create_zone, servers, "servers", .flags = FIELD_REQUIRED, .max = 60, DOC("Ids of its hosts; the first is one of the founders.")),
    F_STRING(create_zone, package, "rpmName", .max = 255, DOC("The cluster's package; another one is refused.")),
    F_STRING(create_zone, architecture, "architecture", .max = 32, DOC("The package's; another one is refused.")),
    FIELD_END,
};

/* --- more and fewer -------------------------------------------------------------------------------------------------------------- */

static int scale(struct call *c, struct scale *want, struct err *e)
{
    struct obcluster_user who = { c->user->user_id, c->user->name };
    struct obcluster_started started;
    struct obcluster row;
    int rv = api_obcluster_of(c, "id", &row, e);

    if (rv != 0)
        return rv;
    want->cluster_id = row.id;
    rv = obcluster_scale(c->api->shared->domains->obclusters, c->db, c->api->shared->tasks, want, &who, c->arena, &started, e);
    return rv == 0 ? api_task_reply(c, started.task_id, e) : rv;
}

static int api_zone_create(struct call *c, struct err *e)
{
    const struct create_zone *in = c->body;
    struct scale want = { .what = SCALE_ADD_ZONE, .zone = in->name, .idc_name = in->idc_name, .package = in->package, .architecture = in->architecture,
                          .hosts = in->servers };

    return scale(c, &want, e);
}

static int api_zone_delete(struct call *c, struct err *e)
{
    struct scale want = { .what = SCALE_DELETE_ZONE, .zone = call_text(c, "zoneName") };

    return scale(c, &want, e);
}

struct servers_in {
    const char *zone;
    struct field_ints servers;
};
static const struct field add_fields[] = {
    F_STRING(servers_in, zone, "zoneName", .flags = FIELD_REQUIRED, .max = 64, DOC("Zone that they join.")),
    F_INTS(servers_in, servers, "servers", .flags = FIELD_REQUIRED, .max = 60, DOC("Ids of hosts.")),
    FIELD_END,
};
static const struct field delete_fields[] = {
    F_INTS(servers_in, servers, "servers", .flags = FIELD_REQUIRED, .max = 60, DOC("Ids of servers.")),
    FIELD_END,
};

static int api_server_create(struct call *c, struct err *e)
{
    const struct servers_in *in = c->body;
    struct scale want = { .what = SCALE_ADD_SERVERS, .zone = in->zone, .hosts = in->servers };

    return scale(c, &want, e);
}

static int api_server_delete(struct call *c, struct err *e)
{
    const struct servers_in *in = c->body;
    struct scale want = { .what = SCALE_DELETE_SERVERS, .servers = in->servers };

    return scale(c, &want, e);
}

struct replace_in {
    int64_t host_id;
};
static const struct field replace_fields[] = {
    F_INT(replace_in, host_id, "hostId", .flags = FIELD_REQUIRED, DOC("Host that takes its place.")),
    FIELD_END,
};

static int api_server_replace(struct call *c, struct err *e)
{
    int64_t host = ((const struct replace_in *)c->body)->host_id, server = call_id(c, "serverId");
    struct scale want = { .what = SCALE_REPLACE, .hosts = { &host, 1 }, .servers = { &server, 1 } };

    return scale(c, &want, e);
}

/* --- the cluster ----------------------------------------------------------------------------------------------------------------- */

static int of_cluster(struct call *c, enum operation what, bool force, struct err *e)
{
    struct operate want = { .what = what, .force = force };

    return operate(c, &want, e);
}

static int api_cluster_stop(struct call *c, struct err *e)
{
    return of_cluster(c, OPERATE_STOP, false, e);
}

static int api_cluster_start(struct call *c, struct err *e)
{
    return of_cluster(c, OPERATE_START, false, e);
}

static int api_cluster_restart(struct call *c, struct err *e)
{
    const struct force_in *in = c->body;

    return of_cluster(c, OPERATE_RESTART, in->force == 1, e);
}

static int api_cluster_delete(struct call *c, struct err *e)
{
    return of_cluster(c, OPERATE_DELETE, false, e);
}

static const struct field restart_fields[] = {
    F_BOOL(force_in, force, "force", .def = "false", DOC("All observers at once instead of zone by zone: the service is interrupted.")),
    FIELD_END,
};

/* --- creating -------------------------------------------------------------------------------------------------------------------- */

struct attributes_in {
    const char *install, *run, *data, *log, *disk_style, *os_user;
    int64_t sql_port, port;
};
static const struct field attributes_fields[] = {
    F_STRING(attributes_in, install, "InstallPath", .def = "/home/admin/oceanbase", .max = 200, DOC("Directory of programs.")),
    F_STRING(attributes_in, run, "RunPath", .def = "", .flags = FIELD_EMPTY_OK, .max = 200, DOC("Directory in which observers run; empty: InstallPath.")),
    F_STRING(attributes_in, data, "DataDiskPath", .def = "/data/1", .max = 200, DOC("Directory of data files.")),
    F_STRING(attributes_in, log, "LogDiskPath", .def = "/data/log1", .max = 200, DOC("Directory of the redo log.")),
    F_STRING(attributes_in, disk_style, "DiskPathStyle", .max = 32, DOC("Ignored: a directory of the cluster's name is made in each.")),
    F_STRING(attributes_in, os_user, "OperatingSystemUser", .def = "admin", .max = 32, DOC("User whose processes the observers are.")),
    F_INT(attributes_in, sql_port, "SqlPort", .def = "2881", .min = 1, .max = 65535, DOC("Port of SQL.")),
    F_INT(attributes_in, port, "SvrPort", .def = "2882", .min = 1, .max = 65535, DOC("Port of RPC.")),
    FIELD_END,
};
static const struct field parameter_fields[] = {
    F_STRING(layout_parameter, name, "name", .flags = FIELD_REQUIRED, .max = 128, DOC("Name of the parameter.")),
    F_STRING(layout_parameter, value, "value", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK | FIELD_SCALAR, .max = 1024, DOC("Its value.")),
    FIELD_END,
};
static const struct field sys_unit_fields[] = {
    F_STRING(create_sys_unit, memory, "memorySize", .def = "", .flags = FIELD_EMPTY_OK, .max = 32, .example = "4G", DOC("Memory of the tenant sys on each server.")),
    F_STRING(create_sys_unit, log_disk, "logDiskSize", .def = "", .flags = FIELD_EMPTY_OK, .max = 32, .example = "8G", DOC("Its redo log's room there.")),
    FIELD_END,
};
struct create_in {
    const char *name, *package, *type, *password, *primary_zone, *proxyro_user, *proxyro_password;
    const char *load_type, *primary_cluster, *arbitration, *overselling;
    struct field_list zones, parameters;
    struct field_ints proxy_clusters;
    struct attributes_in *attributes;
    struct create_sys_unit *sys_unit;
    int save_credential, cgroup, extra_tenant;
};
static const struct field create_fields[] = {
    F_STRING(create_in, name, "name", .flags = FIELD_REQUIRED, .max = 64, DOC("Name of the cluster.")),
    F_STRING(create_in, package, "rpmName", .flags = FIELD_REQUIRED, .max = 255, DOC("File name of the package of observers.")),
    F_STRING(create_in, type, "type", .flags = FIELD_REQUIRED, .max = 16, DOC("PRIMARY.")),
    F_STRING(create_in, password, "password", .flags = FIELD_REQUIRED | FIELD_SECRET, .max = 128, DOC("Password of root in the tenant sys.")),
    F_LIST(create_in, zones, "zones", create_zone, zone_fields, .flags = FIELD_REQUIRED, .max = 60, DOC("Its zones.")),
    F_STRING(create_in, primary_zone, "primaryZone", .def = "", .flags = FIELD_EMPTY_OK, .max = 512, DOC("Zones that leaders go to, by preference.")),
    F_OBJECT(create_in, attributes, "attributes", attributes_in, attributes_fields, DOC("Where its files lie, whose processes they are, ports.")),
    F_LIST(create_in, parameters, "startupParameters", layout_parameter, parameter_fields, .max = 200, DOC("Parameters for the first start.")),
    F_OBJECT(create_in, sys_unit, "sysUnitConfig", create_sys_unit, sys_unit_fields, DOC("Resources of the tenant sys; absent: as the kernel chooses.")),
    F_STRING(create_in, proxyro_user, "obproxyUserName", .max = 64, DOC("proxyro: another user is refused.")),
    F_INTS(create_in, proxy_clusters, "obproxyClusterIds", .max = 100, DOC("Refused: proxies find it by the config URL.")),
    F_STRING(create_in, arbitration, "arbitrationServiceId", .flags = FIELD_SCALAR, .max = 64, DOC("Refused: there are no arbitration services here.")),
    F_JSON(create_in, primary_cluster, "primaryClusterInfo", DOC("Refused: only primary clusters are created.")),
    F_STRING(create_in, overselling, "oversellingFactor", .flags = FIELD_SCALAR, .max = 32, DOC("1; others are refused: give resource_hard_limit.")),
    F_BOOL(create_in, cgroup, "cgroupEnabled", .def = "false", DOC("true is refused: control groups are prepared on the hosts.")),
    F_BOOL(create_in, extra_tenant, "createExtraTenant", .def = "false", DOC("true is refused: create tenants afterwards.")),
    F_STRING(create_in, load_type, "loadType", .max = 64, DOC("Refused: give the parameters of the load in startupParameters.")),
    F_STRING(create_in, proxyro_password, "proxyroPassword", .def = "", .alias = "obproxyPassword", .flags = FIELD_EMPTY_OK | FIELD_SECRET, .max = 128,
             DOC("Password of the user of proxies; empty: one is made.")),
    F_BOOL(create_in, save_credential, "saveToCredential", .def = "false", DOC("Whether to keep root's password in the caller's password box too.")),
    FIELD_END,
};

static struct create_want want_of(const struct create_in *in)
{
    struct create_want w = {
        .name = in->name,
        .package = in->package,
        .type = in->type,
        .password = in->password,
        .proxyro_password = in->proxyro_password,
        .primary_zone = in->primary_zone,
        .zones = in->zones.items,
        .n_zones = in->zones.n,
        .paths = layout_defaults,
        .os_user = "admin",
        .port = 2882,
        .sql_port = 2881,
        .parameters = in->parameters.items,
        .n_parameters = in->parameters.n,
        .sys_unit = { "", "" },
        .beside = { in->proxyro_user, in->load_type, in->primary_cluster, in->arbitration, in->overselling, in->proxy_clusters.n, in->cgroup == 1,
                    in->extra_tenant == 1 },
    };

    if (in->sys_unit != NULL)
        w.sys_unit = *in->sys_unit;
    if (in->attributes != NULL) {
        w.paths = (struct layout_paths){ in->attributes->install, in->attributes->run, in->attributes->data, in->attributes->log };
        w.os_user = in->attributes->os_user;
        w.port = in->attributes->port;
        w.sql_port = in->attributes->sql_port;
    }
    return w;
}

static int api_cluster_create(struct call *c, struct err *e)
{
    const struct create_in *in = c->body;
    struct obcluster_user who = { c->user->user_id, c->user->name };
    struct obclusters *o = c->api->shared->domains->obclusters;
    struct create_want want = want_of(in);
    struct obcluster_started started;
    struct err kept;
    int rv;

    c->object_kind = "OB_CLUSTER";
    c->object_name = in->name;
    rv = obcluster_create(o, c->db, c->api->shared->tasks, &want, &who, c->arena, &started, e);
    if (rv != 0)
        return rv;
    c->object_id = started.cluster_id;
    if (in->save_credential == 1 && obcluster_save_login(o, c->db, started.name, in->password, who.id, c->arena, &kept) != 0)
        log_warn(&c->api->log, "a cluster's password was not kept in the password box", LOG_S("cluster", started.name), LOG_E(&kept));
    return api_task_reply(c, started.task_id, e);
}

struct check_out {
    int valid;
    struct field_strings messages;
};
static const struct field check_fields[] = {
    F_BOOL(check_out, valid, "valid", DOC("Whether nothing speaks against it so far; hosts are looked at by the task.")),
    F_STRINGS(check_out, messages, "messages", DOC("All reasons against it.")),
    FIELD_END,
};

static int api_cluster_create_check(struct call *c, struct err *e)
{
    struct create_want want = want_of(c->body);
    struct create_reasons reasons;
    struct check_out out = { .valid = true };
    int rv = obcluster_create_check(c->db, &want, c->arena, &reasons, e);

    if (rv != 0)
        return rv;
    out.valid = reasons.n == 0;
    out.messages.items = arena_array(c->arena, reasons.n + 1, sizeof *out.messages.items);
    for (size_t i = 0; out.messages.items != NULL && i < reasons.n; i++) {
        char *text = arena_alloc(c->arena, ERR_MAX_ARGS * ERR_ARG_SIZE + ERR_TRAIL_SIZE);

        if (text == NULL)
            return err_set(e, &ERR_NOMEM, "");
        out.messages.items[out.messages.n++] = err_text(&reasons.items[i], c->style.lang, text, ERR_MAX_ARGS * ERR_ARG_SIZE + ERR_TRAIL_SIZE);
    }
    return out.messages.items != NULL ? call_object(c, &out, e) : err_set(e, &ERR_NOMEM, "");
}

#define TAG .tag = "Clusters"
#define ALL "/api/v2/ob/clusters"
#define ONE ALL "/{id}"
#define ZONE ONE "/zones/{zoneName}"
#define SERVER ONE "/servers/{serverId}"
#define UPDATE "CLUSTER:{id}:UPDATE"
#define TASK .flags = ROUTE_ASYNC, ROUTE_OUT(task_started, task_started_fields)
#define TASK_TEXT .flags = ROUTE_ASYNC, ROUTE_OUT(task_started, task_started_text_fields)

const struct route oboperate_routes[] = {
    ROUTE("ob-cluster-create", "POST", ALL, "CLUSTER:*:CREATE", api_cluster_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Create a cluster on hosts of this OCP.", TAG, ROUTE_BODY(create_in, create_fields), TASK_TEXT),
    ROUTE("ob-cluster-create-pre-check", "POST", ALL "/createPreCheck", "CLUSTER:*:CREATE", api_cluster_create_check, REPLY_OBJECT, ROUTE_OWN,
          "Look whether a cluster can be created like this: every reason against it.", TAG, ROUTE_BODY(create_in, create_fields),
          .flags = ROUTE_READ_ONLY, ROUTE_OUT(check_out, check_fields)),
    ROUTE("ob-cluster-delete", "DELETE", ONE, "CLUSTER:{id}:DELETE", api_cluster_delete, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Delete a cluster that this OCP has installed, with all its data.", TAG, TASK_TEXT),
    ROUTE("ob-cluster-stop", "POST", ONE "/stop", UPDATE, api_cluster_stop, REPLY_OBJECT, ROUTE_DOCUMENTED, "Stop all observers of a cluster.", TAG, TASK_TEXT),
    ROUTE("ob-cluster-start", "POST", ONE "/start", UPDATE, api_cluster_start, REPLY_OBJECT, ROUTE_DOCUMENTED, "Start all observers of a cluster.", TAG,
          TASK_TEXT),
    ROUTE("ob-cluster-restart", "POST", ONE "/restart", UPDATE, api_cluster_restart, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Restart the observers of a cluster, zone by zone.", TAG, ROUTE_BODY(force_in, restart_fields), .flags = ROUTE_ASYNC | ROUTE_BODY_OPTIONAL,
          ROUTE_OUT(task_started, task_started_text_fields)),
    ROUTE("ob-cluster-zone-stop", "POST", ZONE "/stop", UPDATE, api_zone_stop, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Take a zone out of service; its processes run on.", TAG, TASK),
    ROUTE("ob-cluster-zone-start", "POST", ZONE "/start", UPDATE, api_zone_start, REPLY_OBJECT, ROUTE_DOCUMENTED, "Take a zone into service again.",
          TAG, TASK),
    ROUTE("ob-cluster-server-stop", "POST", SERVER "/stop", UPDATE, api_server_stop, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Take a server out of service; its process runs on.", TAG, ROUTE_BODY(force_in, force_fields), .flags = ROUTE_ASYNC | ROUTE_BODY_OPTIONAL,
          ROUTE_OUT(task_started, task_started_text_fields)),
    ROUTE("ob-cluster-server-start", "POST", SERVER "/start", UPDATE, api_server_start, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Take a server into service again.", TAG, TASK_TEXT),
    ROUTE("ob-cluster-zone-restart", "POST", ZONE "/restart", UPDATE, api_zone_restart, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Restart the observers of a zone.", TAG, TASK),
    ROUTE("ob-cluster-zone-create", "POST", ONE "/zones", UPDATE, api_zone_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Add a zone with its servers.", TAG, ROUTE_BODY(create_zone, zone_fields), TASK_TEXT),
    ROUTE("ob-cluster-zone-delete", "DELETE", ZONE, UPDATE, api_zone_delete, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Delete a zone with its servers, which hold no units any more.", TAG, TASK_TEXT),
    ROUTE("ob-cluster-server-restart", "POST", SERVER "/restart", UPDATE, api_server_restart, REPLY_OBJECT, ROUTE_DOCUMENTED, "Restart an observer.",
          TAG, ROUTE_BODY(force_in, force_fields), .flags = ROUTE_ASYNC | ROUTE_BODY_OPTIONAL, ROUTE_OUT(task_started, task_started_fields)),
    ROUTE("ob-cluster-server-create", "POST", ONE "/servers", UPDATE, api_server_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Add servers to a zone.", TAG, ROUTE_BODY(servers_in, add_fields), TASK_TEXT),
    ROUTE("ob-cluster-server-batch-delete", "POST", ONE "/servers/batchDelete", UPDATE, api_server_delete, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Delete servers, whose units move to others of their zone.", TAG, ROUTE_BODY(servers_in, delete_fields), TASK),
    ROUTE("ob-cluster-server-replace", "POST", SERVER "/replace", UPDATE, api_server_replace, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Replace a server by one on another host, which takes its units.", TAG, ROUTE_BODY(replace_in, replace_fields), TASK_TEXT),
    ROUTE_END,
};

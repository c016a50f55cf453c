/* SPDX-License-Identifier: Apache-2.0 */
/* Managed OceanBase clusters: what there is, taking over, moving out, password. */
#include "src/obcluster/obcluster.h"

#include <string.h>

#include "api/api.h"
#include "api/obcluster_view.h"
#include "api/tables.h"
#include "api/task.h"
#include "src/iam/principal.h"
#include "src/task/domains.h"

static struct obclusters *domain(const struct call *c)
{
    return c->api->shared->domains->obclusters;
}

static struct obcluster_user caller(const struct call *c)
{
    return (struct obcluster_user){ c->user->user_id, c->user->name };
}

/* --- lists ------------------------------------------------------------------------------------------------------------------ */

static const char *const sorts[] = { "createTime", "id", "name", "status", "updateTime", NULL };

struct list_query {
    const char *name;
    struct field_strings status;
    int with_standby;
};
static const struct field list_query_fields[] = {
    F_STRING(list_query, name, "name", .max = 128, DOC("Part of the name.")),
    F_STRINGS(list_query, status, "status", .max = 12, DOC("Only clusters with one of these states.")),
    F_BOOL(list_query, with_standby, "withStandby", DOC("Whether standby clusters are listed too; there are none yet.")),
    FIELD_END,
};

static int status_bit(const char *name, unsigned *bits, struct err *e)
{
    for (unsigned i = 0; obcluster_status_names[i] != NULL; i++) {
        if (strcmp(obcluster_status_names[i], name) != 0)
            continue;
        *bits |= 1u << i;
        return 0;
    }
    return err_set(e, &ERR_INVALID, "status: there is no state \"%.40s\" of clusters", name);
}

static int api_obcluster_list(struct call *c, struct err *e)
{
    const struct list_query *q = c->query;
    struct obcluster_filter f = { .name = q->name, .scope = c->scope };
    struct store_page page = call_store_page(c);
    struct obcluster_rows rows = { .clusters = NULL };
    struct obcluster_view *views = NULL;
    int64_t total;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < q->status.n; i++)
        rv = status_bit(q->status.items[i], &f.statuses, e);
    if (rv == 0)
        rv = store_obcluster_list(c->db, &f, &page, c->arena, &rows.clusters, &rows.n_clusters, &total, e);
    if (rv == 0)
        rv = obcluster_rows_read(c, &rows, e);
    if (rv == 0 && (views = arena_array(c->arena, rows.n_clusters + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < rows.n_clusters; i++)
        rv = obcluster_view_make(c, &rows, &rows.clusters[i], &views[i], e);
    return rv == 0 ? call_paged(c, views, rows.n_clusters, total, e) : rv;
}

static int api_obcluster_get(struct call *c, struct err *e)
{
    struct obcluster_rows rows;
    struct obcluster_view view;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    if (rv == 0)
        rv = obcluster_view_make(c, &rows, rows.clusters, &view, e);
    return rv == 0 ? call_object(c, &view, e) : rv;
}

static int api_obzone_list(struct call *c, struct err *e)
{
    struct obcluster_rows rows;
    struct obzone_view *views;
    size_t n;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    if (rv == 0)
        rv = obzone_views(c, &rows, rows.clusters, &views, &n, e);
    return rv == 0 ? call_list(c, views, n, e) : rv;
}

struct server_query {
    const char *region, *idc;
};
static const struct field server_query_fields[] = {
    F_STRING(server_query, region, "regionName", .max = 128, DOC("Only servers of this region.")),
    F_STRING(server_query, idc, "idcName", .max = 128, DOC("Only servers of this IDC.")),
    FIELD_END,
};

static bool is_wanted(const char *wanted, const char *value)
{
    return wanted == NULL || (value != NULL && strcmp(wanted, value) == 0);
}

static int api_observer_list(struct call *c, struct err *e)
{
    const struct server_query *q = c->query;
    struct obcluster_rows rows;
    struct observer_view *views;
    size_t n, n_wanted = 0;
    int rv = obcluster_rows_one(c, "clusterId", &rows, e);

    if (rv == 0)
        rv = observer_views(c, &rows, rows.clusters, NULL, &views, &n, e);
    for (size_t i = 0; rv == 0 && i < n; i++)
        if (is_wanted(q->region, views[i].region) && is_wanted(q->idc, views[i].idc))
            views[n_wanted++] = views[i];
    return rv == 0 ? call_list(c, views, n_wanted, e) : rv;
}

static bool has_zone(const struct obcluster_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->topology.n_zones; i++)
        if (strcmp(rows->topology.zones[i].name, name) == 0)
            return true;
    return false;
}

static int api_obzone_server_list(struct call *c, struct err *e)
{
    const char *zone = call_text(c, "zoneName");
    struct obcluster_rows rows;
    struct observer_view *views;
    size_t n;
    int rv = obcluster_rows_one(c, "clusterId", &rows, e);

    if (rv == 0 && !has_zone(&rows, zone)) {
        (void)err_set(e, &ERR_NOT_FOUND, "zone");
        rv = err_arg(e, "%s", zone);
    }
    if (rv == 0)
        rv = observer_views(c, &rows, rows.clusters, zone, &views, &n, e);
    return rv == 0 ? call_list(c, views, n, e) : rv;
}

/* --- take-over -------------------------------------------------------------------------------------------------------------- */

struct host_info {
    const char *kind;
    int64_t type_id, credential_id, ssh_port;
};
static const struct field host_info_fields[] = {
    F_STRING(host_info, kind, "kind", DOC("Machine or container.")),
    F_INT(host_info, type_id, "hostTypeId", DOC("Host type.")),
    F_INT(host_info, credential_id, "credentialId", DOC("Credential of the password box.")),
    F_INT(host_info, ssh_port, "sshPort", .min = 1, .max = 65535, .def = "22", DOC("Port of the SSH server.")),
    FIELD_END,
};

struct take_over_in {
    const char *password, *address, *mode, *cluster_name, *proxyro_password, *vpc_name;
    int64_t port, ob_cluster_id, vpc_id, primary_id;
    int save_credential, switch_config_url;
    struct host_info *host;
};
#define TARGET_FIELDS                                                                                                                    \
    F_STRING(take_over_in, password, "rootSysPassword", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK | FIELD_SECRET, .max = 256,               \
             DOC("Password of root in the tenant sys.")),                                                                                \
        F_STRING(take_over_in, address, "address", .flags = FIELD_REQUIRED, .max = 255, DOC("Address or name of a server of the cluster.")), \
        F_INT(take_over_in, port, "port", .flags = FIELD_REQUIRED, .min = 1, .max = 65535, DOC("Its SQL port.")),                         \
        F_STRING(take_over_in, mode, "connectionMode", .max = 32, DOC("direct, or proxy; any letter case.")),                             \
        F_STRING(take_over_in, cluster_name, "clusterName", .max = 128,                                                                  \
                 DOC("Name to give it; absent: the kernel's own, or one made from the address. Required with proxy.")),                  \
        F_INT(take_over_in, ob_cluster_id, "obClusterId", DOC("Number of a standby cluster behind a proxy.")),                            \
        F_STRING(take_over_in, proxyro_password, "proxyroPassword", .flags = FIELD_SECRET, .max = 256, DOC("Password to hand to proxies.")), \
        F_BOOL(take_over_in, save_credential, "saveToCredential", DOC("Whether to keep the login in the caller's password box too.")),    \
        F_STRING(take_over_in, vpc_name, "vpcName", DOC("Ignored.")), F_INT(take_over_in, vpc_id, "vpcId", DOC("Ignored."))
static const struct field check_in_fields[] = { TARGET_FIELDS, FIELD_END };
static const struct field take_over_in_fields[] = {
    TARGET_FIELDS,
    F_BOOL(take_over_in, switch_config_url, "switchConfigUrl", .def = "true", DOC("Whether observers shall take their config URL from here.")),
    F_OBJECT(take_over_in, host, "hostInfo", host_info, host_info_fields, DOC("How to log in to hosts that are not known yet; not needed here.")),
    F_INT(take_over_in, primary_id, "primaryClusterId", DOC("Primary cluster of a standby.")),
    FIELD_END,
};

struct check_result {
    int valid;
    struct field_strings messages;
};
static const struct field check_result_fields[] = {
    F_BOOL(check_result, valid, "valid", DOC("Whether it can be taken over.")),
    F_STRINGS(check_result, messages, "messages", DOC("Why not.")),
    FIELD_END,
};
struct check_view {
    const char *name, *engine;
    int64_t ob_cluster_id;
    struct check_result *result;
};
static const struct field check_fields[] = {
    F_STRING(check_view, name, "clusterName", DOC("Name it would get.")),
    F_INT(check_view, ob_cluster_id, "obClusterId", DOC("Its own number, where its kernel has one.")),
    F_STRING(check_view, engine, "engine", DOC("SEEKDB or OCEANBASE.")),
    F_OBJECT(check_view, result, "result", check_result, check_result_fields, DOC("Outcome.")),
    FIELD_END,
};

static struct take_over wish_of(const struct take_over_in *in)
{
    return (struct take_over){ in->address, in->port, in->password, in->mode, in->cluster_name, in->ob_cluster_id, in->proxyro_password,
                               in->switch_config_url == 1 };
}

static int api_take_over_check(struct call *c, struct err *e)
{
    struct take_over want = wish_of(c->body);
    struct check_result result = { .valid = false };
    struct check_view view = { .result = &result };
    struct take_over_found found;
    char texts[TAKE_OVER_REASONS][1024];
    const char *messages[TAKE_OVER_REASONS];
    int rv = obcluster_take_over_check(domain(c), c->db, &want, c->arena, &found, e);

    if (rv != 0)
        return rv;
    result.valid = found.valid;
    for (unsigned i = 0; i < found.n_why; i++)
        messages[i] = err_text(&found.why[i], c->style.lang, texts[i], sizeof texts[i]);
    result.messages = (struct field_strings){ messages, found.n_why };
    view.name = found.name;
    view.engine = found.engine;
    view.ob_cluster_id = found.ob_cluster_id;
    return call_object(c, &view, e);
}

/* Asked for beside the work itself, which is done: what goes wrong here is told in the log. */
static void save_login(struct call *c, int wanted, const char *cluster_name, const char *password)
{
    struct err e;

    if (wanted == 1 && obcluster_save_login(domain(c), c->db, cluster_name, password, c->user->user_id, c->arena, &e) != 0)
        log_warn(&c->api->log, "a cluster's password was not kept in the password box", LOG_S("cluster", cluster_name),
                 LOG_S("user", c->user->name), LOG_E(&e));
}

static int api_take_over(struct call *c, struct err *e)
{
    const struct take_over_in *in = c->body;
    struct take_over want = wish_of(in);
    struct obcluster_user who = caller(c);
    struct obcluster_started started;
    int rv;

    c->object_kind = "OB_CLUSTER";
    c->object_name = want.address;
    rv = obcluster_take_over(domain(c), c->db, c->api->shared->tasks, &want, &who, c->arena, &started, e);
    if (rv != 0)
        return rv;
    c->object_id = started.cluster_id;
    c->object_name = started.name;
    save_login(c, in->save_credential, started.name, want.password);
    return api_task_reply(c, started.task_id, e);
}

/* --- move-out, password ----------------------------------------------------------------------------------------------------- */

struct move_out_in {
    int delete_host, force, retain;
    struct field_ints delete_hosts, skip_hosts;
    const char *config_address;
};
static const char *config_address_problem(const char *value)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:-[]";
    const char *rest = strncmp(value, "http://", 7) == 0 ? value + 7 : strncmp(value, "https://", 8) == 0 ? value + 8 : "";

    return rest[0] != '\0' && strspn(rest, allowed) == strlen(rest) ? NULL : "must be like http://10.0.0.1:8080";
}

static const struct field move_out_in_fields[] = {
    F_BOOL(move_out_in, delete_host, "deleteHost", .def = "false", DOC("Whether its hosts are forgotten too; they are kept here.")),
    F_INTS(move_out_in, delete_hosts, "deleteHostIds", DOC("Hosts to forget.")),
    F_INTS(move_out_in, skip_hosts, "skipOperationHostIds", DOC("Hosts to leave alone.")),
    F_BOOL(move_out_in, force, "force", .def = "false", DOC("Although another task of the cluster is not finished.")),
    F_BOOL(move_out_in, retain, "retainClusterInfo", .def = "false", DOC("Ignored: nothing of the cluster is kept.")),
    F_STRING(move_out_in, config_address, "targetConfigAddress", .max = 255, .check = config_address_problem, .example = "http://10.0.0.1:8080",
             DOC("Where its observers find a config URL from then on; absent: as they do now.")),
    FIELD_END,
};

static int api_move_out(struct call *c, struct err *e)
{
    const struct move_out_in *in = c->body;
    struct obcluster_user who = caller(c);
    struct obcluster_started started;
    struct obcluster row;
    int rv = api_obcluster_of(c, "id", &row, e);

    if (rv == 0)
        rv = obcluster_move_out(domain(c), c->db, c->api->shared->tasks, row.id, in->force == 1, in->config_address, &who, c->arena, &started, e);
    return rv == 0 ? api_task_reply(c, started.task_id, e) : rv;
}

struct password_in {
    const char *new_password, *old_password;
    int save_credential;
};
static const struct field password_in_fields[] = {
    F_STRING(password_in, new_password, "newPassword", .flags = FIELD_REQUIRED | FIELD_SECRET, .max = 128, DOC("New password of root in the tenant sys.")),
    F_STRING(password_in, old_password, "oldPassword", .flags = FIELD_SECRET, .max = 256,
             DOC("Present password; needed when it was changed elsewhere.")),
    F_BOOL(password_in, save_credential, "saveToCredential", DOC("Whether to keep it in the caller's password box too.")),
    FIELD_END,
};

static int api_change_password(struct call *c, struct err *e)
{
    const struct password_in *in = c->body;
    struct password_change want = { in->old_password, in->new_password };
    struct obcluster row;
    int rv = api_obcluster_of(c, "id", &row, e);

    if (rv == 0)
        rv = obcluster_change_password(domain(c), c->db, &row, &want, c->arena, e);
    if (rv == 0)
        save_login(c, in->save_credential, row.name, want.new_password);
    return rv;
}

/* --- routes ----------------------------------------------------------------------------------------------------------------- */

#define TAG .tag = "Clusters"
#define ALL "/api/v2/ob/clusters"
#define ONE ALL "/{id}"
#define READ "CLUSTER:{id}:READ"
#define READ_C "CLUSTER:{clusterId}:READ"

const struct route obcluster_routes[] = {
    ROUTE("ob-clusters-list", "GET", ALL, "CLUSTER:?:READ", api_obcluster_list, REPLY_PAGED, ROUTE_DOCUMENTED, "List the managed clusters.", TAG,
          ROUTE_QUERY(list_query, list_query_fields), ROUTE_OUT(obcluster_view, obcluster_fields), .sort = sorts),
    ROUTE("ob-cluster-get", "GET", ONE, READ, api_obcluster_get, REPLY_OBJECT, ROUTE_ADDITIONAL, "Show a cluster.", TAG,
          ROUTE_OUT(obcluster_view, obcluster_fields)),
    ROUTE("ob-cluster-zones-list", "GET", ONE "/zones", READ, api_obzone_list, REPLY_LIST, ROUTE_DOCUMENTED, "List the zones of a cluster.", TAG,
          ROUTE_OUT(obzone_view, obzone_fields)),
    ROUTE("ob-cluster-servers-list", "GET", ALL "/{clusterId}/servers", READ_C, api_observer_list, REPLY_LIST, ROUTE_DOCUMENTED,
          "List the servers of a cluster.", TAG, ROUTE_QUERY(server_query, server_query_fields), ROUTE_OUT(observer_view, observer_fields)),
    ROUTE("ob-cluster-zone-servers-list", "GET", ALL "/{clusterId}/zones/{zoneName}/servers", READ_C, api_obzone_server_list, REPLY_LIST,
          ROUTE_DOCUMENTED, "List the servers of a zone.", TAG, ROUTE_OUT(observer_view, observer_fields)),
    ROUTE("ob-cluster-take-over-pre-check", "POST", ALL "/takeOverPreCheck", "CLUSTER:*:CREATE", api_take_over_check, REPLY_OBJECT,
          ROUTE_ADDITIONAL, "Look whether a cluster can be taken over.", TAG, ROUTE_BODY(take_over_in, check_in_fields), .flags = ROUTE_READ_ONLY,
          ROUTE_OUT(check_view, check_fields)),
    ROUTE("ob-cluster-take-over", "POST", ALL "/takeOver", "CLUSTER:*:CREATE", api_take_over, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "Take over a running cluster.", TAG, ROUTE_BODY(take_over_in, take_over_in_fields), .flags = ROUTE_ASYNC,
          ROUTE_OUT(task_started, task_started_fields)),
    ROUTE("ob-cluster-move-out", "POST", ONE "/moveOut", "CLUSTER:{id}:DELETE", api_move_out, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "Forget a cluster, which keeps running.", TAG, ROUTE_BODY(move_out_in, move_out_in_fields),
          .flags = ROUTE_ASYNC | ROUTE_BODY_OPTIONAL, ROUTE_OUT(task_started, task_started_fields)),
    ROUTE("ob-cluster-change-password", "POST", ONE "/changePassword", "CLUSTER:{id}:UPDATE", api_change_password, REPLY_NONE, ROUTE_DOCUMENTED,
          "Change the password of root in the tenant sys.", TAG, ROUTE_BODY(password_in, password_in_fields)),
    ROUTE_END,
};

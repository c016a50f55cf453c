/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts. */
#include "src/host/host.h"

#include <string.h>

#include "api/api.h"
#include "api/permit.h"
#include "api/tables.h"
#include "api/task.h"
#include "src/iam/principal.h"
#include "src/task/domains.h"

static const char *const kinds[] = { "DEDICATED_PHYSICAL_MACHINE", "DEDICATED_CONTAINER", "DEDICATED_ECS", NULL };
static const char *const sorts[] = { "createTime", "id", "name", "innerIpAddress", "status", "updateTime", NULL };

static const struct field host_fields[] = {
    F_INT(host, id, "id", DOC("Id of the host.")),
    F_STRING(host, name, "name", DOC("Name; its address as long as the host itself was not asked.")),
    F_STRING(host, alias, "alias", DOC("Name that people gave it.")),
    F_STRING(host, description, "description", DOC("Remark.")),
    F_STRING(host, operating_system, "operatingSystem", DOC("Operating system.")),
    F_STRING(host, operating_system_release, "operatingSystemRelease", DOC("Its release.")),
    F_STRING(host, architecture, "architecture", DOC("x86_64 or aarch64.")),
    F_STRING(host, serial_number, "serialNumber", DOC("Serial number of the machine.")),
    F_STRING(host, ip, "innerIpAddress", DOC("Address that OCP uses.")),
    F_INT(host, ssh_port, "sshPort", DOC("Port of its SSH server.")),
    F_STRING(host, kind, "kind", DOC("Machine or container.")),
    F_STRING(host, publish_ports, "publishPorts", DOC("Ports that a container publishes, separated by commas.")),
    F_STRING(host, status, "status", DOC("NEW until it was reached, AVAILABLE, ONLINE, OFFLINE, DELETING.")),
    F_INT(host, idc_id, "idcId", DOC("IDC it stands in.")),
    F_STRING(host, idc_name, "idcName", DOC("Name of the IDC.")),
    F_STRING(host, idc_description, "idcDescription", DOC("Remark of the IDC.")),
    F_INT(host, type_id, "typeId", DOC("Host type.")),
    F_STRING(host, type_name, "typeName", DOC("Name of the host type.")),
    F_STRING(host, type_description, "typeDescription", DOC("Remark of the host type.")),
    F_INT(host, region_id, "regionId", DOC("Region of the IDC.")),
    F_STRING(host, region_name, "regionName", DOC("Name of the region.")),
    F_STRING(host, region_description, "regionDescription", DOC("Remark of the region.")),
    F_TIME(host, created_us, "createTime", DOC("When it was added.")),
    F_TIME(host, updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

struct host_query {
    struct field_strings status;
    const char *keyword;
    struct field_ints idc_id;
};
static const struct field host_query_fields[] = {
    F_STRINGS(host_query, status, "status", DOC("Only hosts with one of these states.")),
    F_STRING(host_query, keyword, "keyword", .max = 255, DOC("Part of name, alias, address or description.")),
    F_INTS(host_query, idc_id, "idcId", DOC("Only hosts of these IDCs.")),
    FIELD_END,
};

struct basic_data {
    const char *ip, *serial_number;
};
static const struct field basic_fields[] = {
    F_STRING(basic_data, ip, "innerIpAddress", .flags = FIELD_REQUIRED, .max = 64, DOC("IPv4 or IPv6 address.")),
    F_STRING(basic_data, serial_number, "serialNumber", .max = 128, DOC("Serial number of the machine.")),
    FIELD_END,
};

struct host_in {
    struct field_list hosts;
    int64_t ssh_port, idc_id, type_id, credential_id;
    int kind;
    struct field_ints publish_ports;
    const char *alias, *description;
};
static const struct field host_in_fields[] = {
    F_LIST(host_in, hosts, "hostBasicDataList", basic_data, basic_fields, .flags = FIELD_REQUIRED, .min = 1, .max = 50,
           DOC("The hosts, at most 50.")),
    F_INT(host_in, ssh_port, "sshPort", .flags = FIELD_REQUIRED, .min = 1, .max = 65535, DOC("Port of their SSH servers.")),
    F_ENUM(host_in, kind, "kind", kinds, .flags = FIELD_REQUIRED | FIELD_ANY_CASE, DOC("Machine or container.")),
    F_INTS(host_in, publish_ports, "publishPorts", DOC("Ports that a container publishes.")),
    F_INT(host_in, idc_id, "idcId", .flags = FIELD_REQUIRED, DOC("IDC they stand in.")),
    F_INT(host_in, type_id, "typeId", .flags = FIELD_REQUIRED, DOC("Host type.")),
    F_INT(host_in, credential_id, "credentialId", .flags = FIELD_REQUIRED, DOC("Credential of the password box to log in with.")),
    F_STRING(host_in, alias, "alias", .max = 255, .def = "", .flags = FIELD_EMPTY_OK, DOC("Name that people give it.")),
    F_STRING(host_in, description, "description", .max = 255, .def = "", .flags = FIELD_EMPTY_OK, DOC("Remark.")),
    FIELD_END,
};

static int api_host_list(struct call *c, struct err *e)
{
    const struct host_query *q = c->query;
    struct host_filter f = { .status = q->status, .keyword = q->keyword, .idc_ids = q->idc_id, .scope = c->scope };
    struct store_page page = call_store_page(c);
    struct host *list;
    int64_t total;
    size_t n;
    int rv = store_host_list(c->db, &f, &page, c->arena, &list, &n, &total, e);

    return rv == 0 ? call_paged(c, list, n, total, e) : rv;
}

static int api_host_get(struct call *c, struct err *e)
{
    struct host h;
    int rv = store_host_get(c->db, call_id(c, "hostId"), c->arena, &h, e);

    return rv == 0 ? call_object(c, &h, e) : rv;
}

static const char *ports_text(struct call *c, const struct field_ints *ports)
{
    struct str t;

    str_init(&t, c->arena);
    for (size_t i = 0; i < ports->n; i++) {
        str_add(&t, i > 0 ? "," : "");
        str_add_i64(&t, ports->items[i]);
    }
    return str_failed(&t) ? NULL : str_c(&t);
}

/* The lists of addresses and serial numbers that host_add wants. */
static int take_hosts(struct call *c, const struct field_list *list, struct host_add *a, struct err *e)
{
    const struct basic_data *hosts = list->items;
    const char **ips = arena_array(c->arena, list->n, sizeof *ips);
    const char **serials = arena_array(c->arena, list->n, sizeof *serials);

    if (ips == NULL || serials == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < list->n; i++) {
        ips[i] = hosts[i].ip;
        serials[i] = hosts[i].serial_number;
    }
    a->ips = ips;
    a->serial_numbers = serials;
    a->n = list->n;
    return 0;
}

static int take_body(struct call *c, struct host_add *a, struct err *e)
{
    const struct host_in *in = c->body;

    *a = (struct host_add){
        .ssh_port = in->ssh_port,
        .idc_id = in->idc_id,
        .type_id = in->type_id,
        .credential_id = in->credential_id,
        .kind = kinds[in->kind],
        .publish_ports = ports_text(c, &in->publish_ports),
        .alias = in->alias,
        .description = in->description,
        .user_id = c->user->user_id,
        .username = c->user->name,
        .node = c->api->shared->node->name,
    };
    return a->publish_ports != NULL ? take_hosts(c, &in->hosts, a, e) : err_set(e, &ERR_NOMEM, "");
}

static int api_host_batch_create(struct call *c, struct err *e)
{
    const struct host_in *in = c->body;
    int64_t *ids = arena_array(c->arena, in->hosts.n, sizeof *ids);
    struct host_add a;
    int64_t task_id;
    int rv = ids != NULL ? take_body(c, &a, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = host_add(c->db, &a, c->arena, ids, &task_id, e);
    if (rv != 0)
        return rv;
    c->object_kind = "COMPUTE_HOST";
    c->object_name = a.ips[0];
    c->object_id = ids[0];
    task_kick(c->api->shared->tasks);
    return api_task_reply_hosts(c, task_id, ids, a.n, e);
}

/* ---- checking before ------------------------------------------------------------------------------------------------------- */

struct finding_view {
    const char *ip, *check, *reason;
    int passed;
    int64_t code;
};
static const struct field finding_fields[] = {
    F_STRING(finding_view, ip, "innerIpAddress", DOC("The host.")),
    F_STRING(finding_view, check, "check",
             DOC("What was looked at: ssh, sudo, latency, clock, system, address, ports, directory, disk, or batch (are they alike?).")),
    F_BOOL(finding_view, passed, "passed", DOC("Whether nothing speaks against it.")),
    F_INT(finding_view, code, "errorCode", DOC("Code of the reason against it.")),
    F_STRING(finding_view, reason, "reason", DOC("What speaks against it, and what to do.")),
    FIELD_END,
};
struct precheck_view {
    int valid;
    struct field_strings messages;
    struct field_list findings;
};
static const struct field precheck_fields[] = {
    F_BOOL(precheck_view, valid, "valid", DOC("Whether they can be added.")),
    F_STRINGS(precheck_view, messages, "messages", DOC("Every reason against it.")),
    F_LIST(precheck_view, findings, "checkResults", finding_view, finding_fields, DOC("Each host and rule.")),
    FIELD_END,
};

static int show_findings(struct call *c, const struct host_finding *f, size_t n, struct precheck_view *v, struct err *e)
{
    struct finding_view *views = arena_array(c->arena, n + 1, sizeof *views);
    const char **messages = arena_array(c->arena, n + 1, sizeof *messages);
    char text[1024];

    if (views == NULL || messages == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        views[i] = (struct finding_view){ f[i].ip, host_check_names[f[i].check], NULL, f[i].passed, FIELD_NONE };
        if (f[i].passed)
            continue;
        views[i].reason = arena_strdup(c->arena, err_text(&f[i].why, c->style.lang, text, sizeof text));
        views[i].code = f[i].why.row->code;
        if (views[i].reason == NULL)
            return err_set(e, &ERR_NOMEM, "");
        messages[v->messages.n++] = views[i].reason;
    }
    v->messages.items = messages;
    v->findings = (struct field_list){ views, n };
    v->valid = v->messages.n == 0;
    return 0;
}

static int api_host_precheck(struct call *c, struct err *e)
{
    struct precheck_view view = { .valid = 0 };
    struct host_finding *findings;
    struct host_add a;
    size_t n, failed;
    int rv = take_body(c, &a, e);

    if (rv == 0)
        rv = host_precheck(c->api->shared->domains->hosts, c->db, &a, c->arena, &findings, &n, &failed, e);
    if (rv == 0)
        rv = show_findings(c, findings, n, &view, e);
    return rv == 0 ? call_object(c, &view, e) : rv;
}

static int api_host_delete(struct call *c, struct err *e)
{
    int64_t id = call_id(c, "hostId");

    c->object_kind = "COMPUTE_HOST";
    c->object_id = id;
    return host_remove(c->db, &id, 1, e);
}

struct host_ids {
    struct field_ints ids;
};
static const struct field host_ids_fields[] = {
    F_INTS(host_ids, ids, "hostIdList", .flags = FIELD_REQUIRED, .min = 1, .max = 50, DOC("Ids of the hosts.")),
    FIELD_END,
};

/* Each host of the list is asked for by itself. */
static int require_all(const struct call *c, struct field_ints ids, struct err *e)
{
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < ids.n; i++) {
        struct permission wanted = { ids.items[i], PERMISSION_ANY, PERMISSION_HOST, PERMISSION_HOST, PERMISSION_DELETE };

        rv = permit_require(c, &wanted, 1, e);
    }
    return rv;
}

static int api_host_batch_delete(struct call *c, struct err *e)
{
    const struct host_ids *in = c->body;
    int rv = require_all(c, in->ids, e);

    if (rv != 0)
        return rv;
    c->object_kind = "COMPUTE_HOST";
    c->object_id = in->ids.items[0];
    return host_remove(c->db, in->ids.items, in->ids.n, e);
}

#define TAG .tag = "Hosts"

const struct route host_routes[] = {
    ROUTE("hosts-list", "GET", "/api/v2/compute/hosts", "HOST:?:READ", api_host_list, REPLY_PAGED, ROUTE_DOCUMENTED, "List the hosts.", TAG,
          ROUTE_QUERY(host_query, host_query_fields), ROUTE_OUT(host, host_fields), .sort = sorts),
    ROUTE("host-get", "GET", "/api/v2/compute/hosts/{hostId}", "HOST:{hostId}:READ", api_host_get, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Show a host.", TAG, ROUTE_OUT(host, host_fields)),
    ROUTE("host-batch-create", "POST", "/api/v2/compute/hosts/batchCreate", "HOST:*:CREATE", api_host_batch_create, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Add hosts.", TAG, ROUTE_BODY(host_in, host_in_fields), .flags = ROUTE_ASYNC, ROUTE_OUT(task_hosts, task_hosts_fields)),
    ROUTE("host-batch-precheck", "POST", "/api/v2/compute/hosts/batchCreatePreCheck", "HOST:*:CREATE", api_host_precheck, REPLY_OBJECT,
          ROUTE_OWN, "Look whether hosts can be added, and tell every reason against it.", TAG, ROUTE_BODY(host_in, host_in_fields),
          .flags = ROUTE_READ_ONLY | ROUTE_SLOW, ROUTE_OUT(precheck_view, precheck_fields)),
    ROUTE("host-delete", "DELETE", "/api/v2/compute/hosts/{hostId}", "HOST:{hostId}:DELETE", api_host_delete, REPLY_NONE, ROUTE_DOCUMENTED,
          "Forget a host.", TAG),
    ROUTE("host-batch-delete", "POST", "/api/v2/compute/hosts/batchDelete", "HOST:?:DELETE", api_host_batch_delete, REPLY_NONE,
          ROUTE_DOCUMENTED, "Forget hosts.", TAG, ROUTE_BODY(host_ids, host_ids_fields)),
    ROUTE_END,
};

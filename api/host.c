/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts. */
#include "src/host/host.h"

#include <string.h>

#include "api/api.h"
#include "api/hosts.h"
#include "api/tables.h"
#include "api/task.h"
#include "src/iam/principal.h"
#include "src/store/host_service.h"
#include "src/task/domains.h"

static const char *const kinds[] = { "DEDICATED_PHYSICAL_MACHINE", "DEDICATED_CONTAINER", "DEDICATED_ECS", NULL };
static const char *const sorts[] = { "createTime", "id", "name", "innerIpAddress", "status", "updateTime", NULL };

struct service_view {
    const char *name, *version, *type;
    int64_t package_id;
};
static const struct field service_fields[] = {
    F_STRING(service_view, name, "name", DOC("Name of the cluster, or of the agent.")),
    F_STRING(service_view, version, "version", DOC("Its version.")),
    F_STRING(service_view, type, "type", DOC("OB_CLUSTER or OCP_AGENT.")),
    F_INT(service_view, package_id, "softwarePackageId", DOC("Package that it was installed from.")),
    FIELD_END,
};
struct host_view {
    struct host h;
    struct field_list services;
};
static const struct field host_fields[] = {
    F_INT(host_view, h.id, "id", DOC("Id of the host.")),
    F_STRING(host_view, h.name, "name", DOC("Name; its address as long as the host itself was not asked.")),
    F_STRING(host_view, h.alias, "alias", DOC("Name that people gave it.")),
    F_STRING(host_view, h.description, "description", DOC("Remark.")),
    F_STRING(host_view, h.operating_system, "operatingSystem", DOC("Operating system.")),
    F_STRING(host_view, h.operating_system_release, "operatingSystemRelease", DOC("Its release.")),
    F_STRING(host_view, h.architecture, "architecture", DOC("x86_64 or aarch64.")),
    F_STRING(host_view, h.serial_number, "serialNumber", DOC("Serial number of the machine.")),
    F_STRING(host_view, h.ip, "innerIpAddress", DOC("Address that OCP uses.")),
    F_INT(host_view, h.ssh_port, "sshPort", DOC("Port of its SSH server.")),
    F_STRING(host_view, h.kind, "kind", DOC("Machine or container.")),
    F_STRING(host_view, h.publish_ports, "publishPorts", DOC("Ports that a container publishes, separated by commas.")),
    F_LIST(host_view, services, "services", service_view, service_fields, DOC("What OCP manages there.")),
    F_STRING(host_view, h.status, "status", DOC("NEW until it was reached, AVAILABLE, ONLINE, OFFLINE, DELETING.")),
    F_INT(host_view, h.idc_id, "idcId", DOC("IDC it stands in.")),
    F_STRING(host_view, h.idc_name, "idcName", DOC("Name of the IDC.")),
    F_STRING(host_view, h.idc_description, "idcDescription", DOC("Remark of the IDC.")),
    F_INT(host_view, h.type_id, "typeId", DOC("Host type.")),
    F_STRING(host_view, h.type_name, "typeName", DOC("Name of the host type.")),
    F_STRING(host_view, h.type_description, "typeDescription", DOC("Remark of the host type.")),
    F_INT(host_view, h.region_id, "regionId", DOC("Region of the IDC.")),
    F_STRING(host_view, h.region_name, "regionName", DOC("Name of the region.")),
    F_STRING(host_view, h.region_description, "regionDescription", DOC("Remark of the region.")),
    F_INT(host_view, h.agent_id, "hostAgentId", DOC("Id of its agent.")),
    F_STRING(host_view, h.agent_version, "hostAgentVersion", DOC("Version of its agent.")),
    F_STRING(host_view, h.agent_status, "hostAgentStatus",
             DOC("AVAILABLE, RESTARTING, STOPPING, REINTSTALLING, OFFLINE or DELETED.")),
    F_STRING(host_view, h.fingerprint, "sshFingerprint", DOC("Key of its SSH server, pinned at the first contact.")),
    F_STRING(host_view, h.ocp_id, "ocpId", DOC("OCP cluster that its agent obeys.")),
    F_TIME(host_view, h.created_us, "createTime", DOC("When it was added.")),
    F_TIME(host_view, h.updated_us, "updateTime", DOC("When it was changed.")),
    FIELD_END,
};

struct host_query {
    struct field_strings status;
    const char *keyword;
    struct field_ints idc_id;
    struct field_strings with_services, without_services;
};
static const struct field host_query_fields[] = {
    F_STRINGS(host_query, status, "status", DOC("Only hosts with one of these states.")),
    F_STRING(host_query, keyword, "keyword", .max = 255, DOC("Part of name, alias, address or description.")),
    F_INTS(host_query, idc_id, "idcId", DOC("Only hosts of these IDCs.")),
    F_STRINGS(host_query, with_services, "includedServiceType", .max = 10, DOC("Only hosts with one of these services (OB_CLUSTER, OCP_AGENT ...).")),
    F_STRINGS(host_query, without_services, "excludedServiceType", .max = 10, DOC("Only hosts with none of these services.")),
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

/* With what runs there, in two questions for all of them. */
static int view_hosts(struct call *c, const struct host *hosts, size_t n, struct host_view **out, struct err *e)
{
    int64_t *ids = arena_array(c->arena, n + 1, sizeof *ids);
    struct host_view *views = arena_array(c->arena, n + 1, sizeof *views);
    struct service_view *kept;
    struct host_service *found;
    size_t n_found, k = 0;
    int rv;

    if (ids == NULL || views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        ids[i] = hosts[i].id;
    rv = store_host_services(c->db, ids, n, c->arena, &found, &n_found, e);
    if (rv != 0)
        return rv;
    kept = arena_array(c->arena, n_found + 1, sizeof *kept);
    if (kept == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        views[i] = (struct host_view){ hosts[i], { &kept[k], 0 } };
        for (size_t j = 0; j < n_found; j++)
            if (found[j].host_id == hosts[i].id) {
                kept[k++] = (struct service_view){ found[j].name, found[j].version, found[j].type, found[j].package_id };
                views[i].services.n++;
            }
    }
    *out = views;
    return 0;
}

static int api_host_list(struct call *c, struct err *e)
{
    const struct host_query *q = c->query;
    struct host_filter f = {
        .status = q->status,
        .keyword = q->keyword,
        .idc_ids = q->idc_id,
        .with_services = q->with_services,
        .without_services = q->without_services,
        .scope = c->scope,
    };
    struct store_page page = call_store_page(c);
    struct host_view *views;
    struct host *list;
    int64_t total;
    size_t n;
    int rv = store_host_list(c->db, &f, &page, c->arena, &list, &n, &total, e);

    if (rv == 0)
        rv = view_hosts(c, list, n, &views, e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

static int api_host_get(struct call *c, struct err *e)
{
    struct host_view *view;
    struct host h;
    int rv = store_host_get(c->db, call_id(c, "hostId"), c->arena, &h, e);

    if (rv == 0)
        rv = view_hosts(c, &h, 1, &view, e);
    return rv == 0 ? call_object(c, view, e) : rv;
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
             DOC("What was looked at: ssh, sudo, latency, clock, system, address, ports, directory, disk, known (is it a host already?), or batch (are they alike?).")),
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

/* ---- deleting and changing ------------------------------------------------------------------------------------------------- */

struct delete_query {
    int force;
};
static const struct field delete_query_fields[] = {
    F_BOOL(delete_query, force, "force", .def = "false", DOC("The host is gone for good: nothing is removed there.")),
    FIELD_END,
};

static int start_delete(struct call *c, const int64_t *ids, size_t n, struct err *e)
{
    const struct delete_query *q = c->query;
    struct host_work w = {
        .what = HOST_DELETE,
        .ids = ids,
        .n = n,
        .force = q->force == 1,
        .user_id = c->user->user_id,
        .username = c->user->name,
        .node = c->api->shared->node->name,
    };
    int rv;

    c->object_kind = "COMPUTE_HOST";
    c->object_id = ids[0];
    rv = host_start(c->db, &w, c->arena, &c->task_id, e);
    if (rv == 0)
        task_kick(c->api->shared->tasks);
    return rv;
}

static int api_host_delete(struct call *c, struct err *e)
{
    int64_t id = call_id(c, "hostId");

    return start_delete(c, &id, 1, e);
}

struct host_ids {
    struct field_ints ids;
};
static const struct field host_ids_fields[] = {
    F_INTS(host_ids, ids, "hostIdList", .flags = FIELD_REQUIRED, .min = 1, .max = 50, DOC("Ids of the hosts.")),
    FIELD_END,
};

static int api_host_batch_delete(struct call *c, struct err *e)
{
    const struct host_ids *in = c->body;
    int rv = permit_hosts(c, in->ids, PERMISSION_DELETE, e);

    return rv == 0 ? start_delete(c, in->ids.items, in->ids.n, e) : rv;
}

struct host_change_in {
    const char *alias, *description;
    int kind;
    struct field_ints publish_ports;
    int64_t ssh_port, idc_id, type_id, credential_id;
};
static const struct field host_change_fields[] = {
    F_STRING(host_change_in, alias, "alias", .max = 255, .flags = FIELD_EMPTY_OK, DOC("Name that people give it.")),
    F_STRING(host_change_in, description, "description", .max = 255, .flags = FIELD_EMPTY_OK, DOC("Remark.")),
    F_ENUM(host_change_in, kind, "kind", kinds, .flags = FIELD_ANY_CASE, DOC("Machine or container.")),
    F_INTS(host_change_in, publish_ports, "publishPorts", DOC("Ports that a container publishes.")),
    F_INT(host_change_in, ssh_port, "sshPort", .min = 1, .max = 65535, DOC("Port of its SSH server.")),
    F_INT(host_change_in, idc_id, "idcId", DOC("IDC it stands in; fixed while OceanBase servers run there.")),
    F_INT(host_change_in, type_id, "typeId", DOC("Host type.")),
    F_INT(host_change_in, credential_id, "credentialId", DOC("Credential of the password box to log in with.")),
    FIELD_END,
};

static int api_host_update(struct call *c, struct err *e)
{
    const struct host_change_in *in = c->body;
    struct host_change change = {
        .alias = in->alias,
        .description = in->description,
        .kind = in->kind >= 0 ? kinds[in->kind] : NULL,
        .publish_ports = in->publish_ports.n > 0 ? ports_text(c, &in->publish_ports) : NULL,
        .ssh_port = in->ssh_port,
        .idc_id = in->idc_id,
        .type_id = in->type_id,
        .credential_id = in->credential_id,
        .user_id = c->user->user_id,
    };
    int rv = host_change(c->db, call_id(c, "hostId"), &change, c->arena, e);

    c->object_kind = "COMPUTE_HOST";
    c->object_id = call_id(c, "hostId");
    return rv == 0 ? api_host_get(c, e) : rv;
}

/* ---- the key of its SSH server ----------------------------------------------------------------------------------------------- */

struct key_view {
    const char *pinned, *shown;
    int same;
};
static const struct field key_fields[] = {
    F_STRING(key_view, pinned, "pinned", DOC("Fingerprint that counts; none: it was never reached.")),
    F_STRING(key_view, shown, "shown", DOC("Fingerprint that its SSH server shows now.")),
    F_BOOL(key_view, same, "same", DOC("Whether they are the same.")),
    FIELD_END,
};

static int api_host_key_get(struct call *c, struct err *e)
{
    struct key_view view = { .same = 0 };
    struct host h;
    int rv = store_host_get(c->db, call_id(c, "hostId"), c->arena, &h, e);

    if (rv == 0)
        rv = host_present_key(c->api->shared->domains->hosts, c->db, h.id, c->arena, &view.shown, e);
    if (rv != 0)
        return rv;
    view.pinned = h.fingerprint[0] != '\0' ? h.fingerprint : NULL;
    view.same = strcmp(h.fingerprint, view.shown) == 0;
    return call_object(c, &view, e);
}

struct key_in {
    const char *fingerprint;
};
static const struct field key_in_fields[] = {
    F_STRING(key_in, fingerprint, "fingerprint", .flags = FIELD_REQUIRED, .max = 63,
             DOC("What the host shows, as read at the host itself: SHA256:...")),
    FIELD_END,
};

static int api_host_key_accept(struct call *c, struct err *e)
{
    const struct key_in *in = c->body;

    c->object_kind = "COMPUTE_HOST";
    c->object_id = call_id(c, "hostId");
    return host_accept_key(c->db, call_id(c, "hostId"), in->fingerprint, e);
}

#define TAG .tag = "Hosts"

const struct route host_routes[] = {
    ROUTE("hosts-list", "GET", "/api/v2/compute/hosts", "HOST:?:READ", api_host_list, REPLY_PAGED, ROUTE_DOCUMENTED, "List the hosts.", TAG,
          ROUTE_QUERY(host_query, host_query_fields), ROUTE_OUT(host_view, host_fields), .sort = sorts),
    ROUTE("host-get", "GET", "/api/v2/compute/hosts/{hostId}", "HOST:{hostId}:READ", api_host_get, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Show a host.", TAG, ROUTE_OUT(host_view, host_fields)),
    ROUTE("host-batch-create", "POST", "/api/v2/compute/hosts/batchCreate", "HOST:*:CREATE", api_host_batch_create, REPLY_OBJECT,
          ROUTE_DOCUMENTED, "Add hosts.", TAG, ROUTE_BODY(host_in, host_in_fields), .flags = ROUTE_ASYNC, ROUTE_OUT(task_hosts, task_hosts_fields)),
    ROUTE("host-batch-precheck", "POST", "/api/v2/compute/hosts/batchCreatePreCheck", "HOST:*:CREATE", api_host_precheck, REPLY_OBJECT,
          ROUTE_OWN, "Look whether hosts can be added, and tell every reason against it.", TAG, ROUTE_BODY(host_in, host_in_fields),
          .flags = ROUTE_READ_ONLY | ROUTE_SLOW, ROUTE_OUT(precheck_view, precheck_fields)),
    ROUTE("host-delete", "DELETE", "/api/v2/compute/hosts/{hostId}", "HOST:{hostId}:DELETE", api_host_delete, REPLY_NONE, ROUTE_DOCUMENTED,
          "Delete a host, with its agent.", TAG, ROUTE_QUERY(delete_query, delete_query_fields)),
    ROUTE("host-batch-delete", "POST", "/api/v2/compute/hosts/batchDelete", "HOST:?:DELETE", api_host_batch_delete, REPLY_NONE,
          ROUTE_DOCUMENTED, "Delete hosts, with their agents.", TAG, ROUTE_QUERY(delete_query, delete_query_fields), ROUTE_BODY(host_ids, host_ids_fields)),
    ROUTE("host-update", "PATCH", "/api/v2/compute/hosts/{hostId}", "HOST:{hostId}:UPDATE", api_host_update, REPLY_OBJECT, ROUTE_OWN,
          "Change what is recorded of a host.", TAG, ROUTE_BODY(host_change_in, host_change_fields), ROUTE_OUT(host_view, host_fields)),
    ROUTE("host-ssh-key-get", "GET", "/api/v2/compute/hosts/{hostId}/sshKey", "HOST:{hostId}:READ", api_host_key_get, REPLY_OBJECT, ROUTE_OWN,
          "Show the key of a host's SSH server, and the one that counts.", TAG, ROUTE_OUT(key_view, key_fields)),
    ROUTE("host-ssh-key-accept", "POST", "/api/v2/compute/hosts/{hostId}/sshKey/accept", "HOST:{hostId}:UPDATE", api_host_key_accept, REPLY_NONE,
          ROUTE_OWN, "From now on take this key of a host's SSH server for the right one.", TAG, ROUTE_BODY(key_in, key_in_fields)),
    ROUTE_END,
};

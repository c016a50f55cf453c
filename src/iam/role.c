/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/role.h"

#include <string.h>

#include "src/base/json.h"

const struct role_row role_rows[] = {
    { ROLE_ADMIN, "ADMIN", { "Everything.", "系统管理员，拥有全部权限。" }, { "**" } },
    { ROLE_PROFILE, "PROFILE", { "One's own profile and password box; every user should have it.", "个人中心与密码箱，每个用户都应拥有。" },
      { "PROFILE:*:*" } },
    { 102, "ALARM_MANAGER", { "Manage alarms and read what they are about.", "管理告警，查看相关资源。" },
      { "ALARM:*:*", "CLUSTER:*:READ", "TENANT:*:READ", "HOST:*:READ", "USER:*:READ" } },
    { 103, "ALARM_VIEWER", { "Read alarms and what they are about.", "查看告警及相关资源。" },
      { "ALARM:*:READ", "CLUSTER:*:READ", "TENANT:*:READ", "HOST:*:READ", "USER:*:READ" } },
    { 104, "AUDIT_VIEWER", { "Read the record of changes.", "查看操作审计。" }, { "AUDIT:*:READ" } },
    { 105, "BACKUP_MANAGER", { "Manage backup and restore, tasks and packages.", "管理备份恢复、任务与软件包。" },
      { "CLUSTER:*:BACKUP:*:*", "CLUSTER:*:READ", "CLUSTER:*:TENANT:*:READ", "HOST:*:READ", "ALARM:*:READ", "TASK:*:*", "PACKAGE:*:*" } },
    { 106, "CLUSTER_MANAGER", { "Manage OceanBase clusters, OBProxy clusters and hosts.", "管理 OceanBase 集群、OBProxy 集群与主机。" },
      { "CLUSTER:*:*", "HOST:*:*", "TASK:*:*", "ALARM:*:*", "USER:*:READ", "PACKAGE:*:*", "OBPROXY:*:*" } },
    { 107, "CLUSTER_VIEWER", { "Read clusters and related resources.", "查看集群及相关资源。" },
      { "CLUSTER:*:READ", "HOST:*:READ", "TASK:*:READ", "ALARM:*:READ", "PACKAGE:*:READ", "OBPROXY:*:READ" } },
    { 108, "HOST_MANAGER", { "Manage hosts and packages.", "管理主机与软件包。" }, { "HOST:*:*", "PACKAGE:*:*" } },
    { 109, "HOST_VIEWER", { "Read hosts and packages.", "查看主机与软件包。" }, { "HOST:*:READ", "PACKAGE:*:READ" } },
    { 110, "INSPECTION_MANAGER", { "Manage and run inspections.", "管理并执行巡检。" }, { "INSPECTION:*:*" } },
    { 111, "OBPROXY_MANAGER", { "Manage OBProxy clusters and packages.", "管理 OBProxy 集群与软件包。" },
      { "OBPROXY:*:*", "PACKAGE:*:*", "CLUSTER:*:READ", "HOST:*:READ" } },
    { 112, "OBPROXY_VIEWER", { "Read OBProxy clusters and related resources.", "查看 OBProxy 集群及相关资源。" },
      { "OBPROXY:*:READ", "PACKAGE:*:READ", "CLUSTER:*:READ", "HOST:*:READ" } },
    { 113, "PACKAGE_MANAGER", { "Manage software packages.", "管理软件包。" }, { "PACKAGE:*:*" } },
    { 114, "PACKAGE_VIEWER", { "Read software packages.", "查看软件包。" }, { "PACKAGE:*:READ" } },
    { 115, "PROPERTY_MANAGER", { "Manage system parameters.", "管理系统参数。" }, { "PROPERTY:*:*" } },
    { 116, "ROLE_MANAGER", { "Manage roles.", "管理角色。" }, { "ROLE:*:*" } },
    { 117, "TASK_MANAGER", { "Manage tasks.", "管理任务。" }, { "TASK:*:*" } },
    { 118, "TENANT_MANAGER", { "Manage the tenants of all clusters.", "管理所有集群的租户。" },
      { "CLUSTER:*:TENANT:*:*", "CLUSTER:*:READ", "HOST:*:READ", "TASK:*:READ", "ALARM:*:READ", "OBPROXY:*:READ" } },
    { 119, "TENANT_VIEWER", { "Read the tenants of all clusters.", "查看所有集群的租户。" },
      { "CLUSTER:*:TENANT:*:READ", "CLUSTER:*:READ", "HOST:*:READ", "TASK:*:READ", "ALARM:*:READ", "OBPROXY:*:READ" } },
    { 120, "USER_MANAGER", { "Manage users and read roles.", "管理用户，查看角色。" }, { "USER:*:*", "ROLE:*:READ" } },
    { .name = NULL },
};

const struct role_row *role_find(int64_t id)
{
    for (const struct role_row *r = role_rows; r->name != NULL; r++) {
        if (r->id == id)
            return r;
    }
    return NULL;
}

const struct role_row *role_find_name(const char *name)
{
    for (const struct role_row *r = role_rows; r->name != NULL; r++) {
        if (strcmp(r->name, name) == 0)
            return r;
    }
    return NULL;
}

static void dump_domain(struct str *t, enum permission_domain domain)
{
    enum permission_domain parent = permission_domain_parent(domain);

    json_add_comma(t);
    str_add_c(t, '{');
    json_add_key(t, "domain");
    str_add_c(t, '"');
    if (parent != domain)
        str_printf(t, "%s:*:", permission_domain_name(parent));
    str_printf(t, "%s\"", permission_domain_name(domain));
    json_add_key(t, "actions");
    str_add(t, "[\"CREATE\",\"READ\",\"UPDATE\",\"DELETE\",\"*\"]");
    json_add_key(t, "doc");
    json_add_string(t, permission_domain_doc(domain));
    str_add_c(t, '}');
}

static void dump_role(struct str *t, const struct role_row *r)
{
    json_add_comma(t);
    str_add_c(t, '{');
    json_add_key(t, "id");
    str_add_i64(t, r->id);
    json_add_key(t, "name");
    json_add_string(t, r->name);
    json_add_key(t, "doc");
    json_add_string(t, r->doc[ERR_EN]);
    json_add_key(t, "permissions");
    str_add_c(t, '[');
    for (unsigned i = 0; i < ROLE_MAX_PERMISSIONS && r->permissions[i] != NULL; i++) {
        json_add_comma(t);
        json_add_string(t, r->permissions[i]);
    }
    str_add(t, "]}");
}

void iam_dump_permissions(struct str *t)
{
    str_add(t, "{\"domains\":[");
    for (unsigned i = 0; i < PERMISSION_N_DOMAINS; i++)
        dump_domain(t, i);
    str_add(t, "],\"roles\":[");
    for (const struct role_row *r = role_rows; r->name != NULL; r++)
        dump_role(t, r);
    str_add(t, "]}");
}

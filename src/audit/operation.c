/* SPDX-License-Identifier: Apache-2.0 */
/* The names that OCP documents for changes (query parameters of GET /api/v2/audit/events), by operation. */
#include <string.h>

#include "src/audit/audit.h"

#define HOSTS(EVENT) (EVENT), "COMPUTE_HOST_MANAGEMENT", "COMPUTE_HOST"
#define CLUSTERS(EVENT) (EVENT), "OB_CLUSTER_MANAGEMENT", "OB_CLUSTER"
#define TENANTS(EVENT) (EVENT), "OB_TENANT_MANAGEMENT", "OB_TENANT"
#define BACKUPS(EVENT) (EVENT), "BACKUP_RESTORE", "OB_CLUSTER"
#define PROXIES(EVENT) (EVENT), "OB_PROXY_CLUSTER_MANAGEMENT", "OB_PROXY_CLUSTER"
#define USERS(EVENT) (EVENT), "OCP_USER_MANAGEMENT", "OCP_USER"
#define ROLES(EVENT) (EVENT), "OCP_USER_MANAGEMENT", "OCP_ROLE"
#define SERVICE(EVENT) (EVENT), "OCP_CLUSTER_MANAGEMENT", "OCP_CLUSTER"

const struct audit_operation audit_operations[] = {
    { "host-batch-create", HOSTS("ADD_HOSTS") },
    { "host-update", HOSTS("UPDATE_HOST") },
    { "host-delete", HOSTS("DELETE_HOSTS") },
    { "host-batch-delete", HOSTS("DELETE_HOSTS") },
    { "hosts-import", HOSTS("ADD_HOSTS") },
    { "host-agent-stop", HOSTS("STOP_OCP_AGENT") },
    { "host-batch-stop-agents", HOSTS("STOP_OCP_AGENT") },
    { "host-agent-restart", HOSTS("RESTART_OCP_AGENT") },
    { "host-batch-restart-agents", HOSTS("RESTART_OCP_AGENT") },
    { "host-agent-process-restart", HOSTS("RESTART_OCP_AGENT") },
    { "host-agent-process-stop", HOSTS("STOP_OCP_AGENT") },
    { "ob-cluster-create", CLUSTERS("CREATE_OB_CLUSTER") },
    { "ob-cluster-delete", CLUSTERS("DELETE_OB_CLUSTER") },
    { "ob-cluster-stop", CLUSTERS("STOP_OB_CLUSTER") },
    { "ob-cluster-start", CLUSTERS("START_OB_CLUSTER") },
    { "ob-cluster-restart", CLUSTERS("RESTART_OB_CLUSTER") },
    { "ob-cluster-upgrade", CLUSTERS("UPGRADE_OB_CLUSTER") },
    { "ob-cluster-zone-create", CLUSTERS("ADD_OB_ZONES") },
    { "ob-cluster-zone-delete", CLUSTERS("DELETE_OB_ZONES") },
    { "ob-cluster-server-create", CLUSTERS("ADD_OB_SERVERS") },
    { "ob-cluster-server-batch-delete", CLUSTERS("DELETE_OB_SERVERS") },
    { "ob-cluster-server-stop", CLUSTERS("STOP_OB_SERVER") },
    { "ob-cluster-server-start", CLUSTERS("START_OB_SERVER") },
    { "ob-cluster-server-restart", CLUSTERS("RESTART_OB_SERVER") },
    { "ob-cluster-server-replace", CLUSTERS("REPLACE_OB_SERVER") },
    { "ob-cluster-change-password", CLUSTERS("CHANGE_OB_CLUSTER_PASSWORD") },
    { "ob-cluster-parameters-update", CLUSTERS("UPDATE_OB_CLUSTER_PARAMETERS") },
    { "ob-cluster-switchover", CLUSTERS("SWITCHOVER_OB_CLUSTER") },
    { "ob-cluster-failover", CLUSTERS("FAILOVER_OB_CLUSTER") },
    { "ob-cluster-take-over", CLUSTERS("TAKE_OVER_OB_CLUSTER") },
    { "ob-cluster-move-out", CLUSTERS("MOVE_OUT_OB_CLUSTER") },
    { "ob-cluster-tenant-create-tenant", TENANTS("CREATE_TENANT") },
    { "ob-cluster-tenant-create", TENANTS("CREATE_TENANT") },
    { "ob-cluster-tenant-delete", TENANTS("DELETE_TENANT") },
    { "ob-cluster-tenant-lock", TENANTS("LOCK_TENANT") },
    { "ob-cluster-tenant-unlock", TENANTS("UNLOCK_TENANT") },
    { "ob-cluster-tenant-unit-delete", TENANTS("DELETE_UNIT") },
    { "ob-cluster-tenant-add-replica", TENANTS("ADD_REPLICA") },
    { "ob-cluster-tenant-delete-replica", TENANTS("DELETE_REPLICA") },
    { "ob-cluster-tenant-modify-replica", TENANTS("MODIFY_REPLICA") },
    { "ob-cluster-tenant-modify-primary-zone", TENANTS("MODIFY_TENANT_PRIMARY_ZONE") },
    { "ob-cluster-tenant-modify-whitelist", TENANTS("MODIFY_TENANT_WHITE_LIST") },
    { "ob-cluster-tenant-parameters-update", TENANTS("MODIFY_TENANT_PARAMETERS") },
    { "ob-cluster-tenant-database-create", TENANTS("CREATE_DATABASE") },
    { "ob-cluster-tenant-database-update", TENANTS("MODIFY_DATABASE") },
    { "ob-cluster-tenant-database-delete", TENANTS("DELETE_DATABASE") },
    { "ob-cluster-tenant-user-create", TENANTS("CREATE_DATABASE_USER") },
    { "ob-cluster-tenant-user-delete", TENANTS("DELETE_DATABASE_USER") },
    { "ob-cluster-tenant-user-change-password", TENANTS("UPDATE_DATABASE_USER") },
    { "ob-cluster-tenant-user-lock", TENANTS("LOCK_DATABASE_USER") },
    { "ob-cluster-tenant-user-unlock", TENANTS("UNLOCK_DATABASE_USER") },
    { "ob-cluster-tenant-role-create", TENANTS("CREATE_DATABASE_ROLE") },
    { "ob-cluster-tenant-role-delete", TENANTS("DELETE_DATABASE_ROLE") },
    { "ob-cluster-tenant-user-grant-global-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-grant-role", TENANTS("UPDATE_DATABASE_USER") },
    { "ob-cluster-tenant-user-grant-db-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-grant-object-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-revoke-global-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-revoke-role", TENANTS("UPDATE_DATABASE_USER") },
    { "ob-cluster-tenant-user-revoke-db-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-revoke-object-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-modify-global-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-modify-role", TENANTS("UPDATE_DATABASE_USER") },
    { "ob-cluster-tenant-user-modify-db-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-user-modify-object-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-role-grant-global-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-role-grant-role", TENANTS("UPDATE_DATABASE_ROLE") },
    { "ob-cluster-tenant-role-grant-object-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-role-revoke-global-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-role-revoke-role", TENANTS("UPDATE_DATABASE_ROLE") },
    { "ob-cluster-tenant-role-revoke-object-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-role-modify-global-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-tenant-role-modify-role", TENANTS("UPDATE_DATABASE_ROLE") },
    { "ob-cluster-tenant-role-modify-object-privilege", TENANTS("MODIFY_DATABASE_PRIVILEGE") },
    { "ob-cluster-backup-config-backup-strategy-create", BACKUPS("CREATE_BACKUP_STRATEGY") },
    { "ob-cluster-backup-restore", BACKUPS("START_RESTORE_TENANT") },
    { "ob-cluster-backup-backup-now", BACKUPS("START_DATA_BACKUP") },
    { "obproxy-cluster-create", PROXIES("CREATE_OB_PROXY_CLUSTER") },
    { "obproxy-cluster-delete", PROXIES("DELETE_OB_PROXY_CLUSTER") },
    { "obproxy-cluster-patch", PROXIES("PATCH_OB_PROXY_CLUSTER") },
    { "obproxy-cluster-obproxy-batch-add", PROXIES("ADD_OB_PROXIES") },
    { "obproxy-cluster-obproxy-delete", PROXIES("DELETE_OB_PROXIES") },
    { "obproxy-cluster-obproxy-restart", PROXIES("RESTART_OB_PROXIES") },
    { "obproxy-cluster-obproxy-upgrade", PROXIES("UPGRADE_OB_PROXIES") },
    { "obproxy-cluster-ob-link-batch-add", PROXIES("ADD_OB_PROXY_OB_LINK") },
    { "obproxy-cluster-ob-link-delete", PROXIES("DELETE_OB_PROXY_OB_LINK") },
    { "obproxy-password", PROXIES("CHANGE_PROXY_SYS_PASSWORD") },
    { "iam-user-create", USERS("CREATE_USER") },
    { "iam-user-delete", USERS("DELETE_USER") },
    { "iam-user-update", USERS("UPDATE_USER") },
    { "iam-user-lock", USERS("UPDATE_USER") },
    { "iam-user-unlock", USERS("UPDATE_USER") },
    { "iam-user-reset-password", USERS("CHANGE_USER_PASSWORD") },
    { "profile-me-update", USERS("UPDATE_USER") },
    { "profile-me-change-password", USERS("CHANGE_USER_PASSWORD") },
    { "iam-role-create", ROLES("CREATE_ROLE") },
    { "iam-role-copy", ROLES("CREATE_ROLE") },
    { "iam-role-update", ROLES("UPDATE_ROLE") },
    { "iam-role-delete", ROLES("DELETE_ROLE") },
    { NULL, NULL, NULL, NULL },
};

/* Where the others belong: by the longest of these that their id begins with. */
static const struct audit_operation families[] = {
    { "region-", HOSTS("") },
    { "idc-", HOSTS("") },
    { "host-", HOSTS("") },
    { "software-package-", HOSTS("") },
    { "file-upload-", HOSTS("") },
    { "ob-cluster-", CLUSTERS("") },
    { "ob-unit-spec-", CLUSTERS("") },
    { "config-url-", CLUSTERS("") },
    { "ob-cluster-tenant-", TENANTS("") },
    { "ob-cluster-backup-", BACKUPS("") },
    { "obproxy-", PROXIES("") },
    { "iam-user-", USERS("") },
    { "profile-", USERS("") },
    { "iam-role-", ROLES("") },
    { "", SERVICE("") },
};

static void make_name(const char *operation, char *made)
{
    size_t n = 0;

    for (; operation[n] != '\0' && n + 1 < AUDIT_NAME_SIZE; n++) {
        char c = operation[n];

        made[n] = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    made[n] = '\0';
}

static const struct audit_operation *family_of(const char *operation)
{
    const struct audit_operation *best = NULL;

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        size_t n = strlen(families[i].operation);

        if (strncmp(operation, families[i].operation, n) == 0 && (best == NULL || n > strlen(best->operation)))
            best = &families[i];
    }
    return best; /* "" begins everything */
}

struct audit_operation audit_operation_of(const char *operation, char *made)
{
    const struct audit_operation *family;

    for (const struct audit_operation *row = audit_operations; row->operation != NULL; row++) {
        if (strcmp(row->operation, operation) == 0)
            return *row;
    }
    family = family_of(operation);
    make_name(operation, made);
    return (struct audit_operation){ operation, made, family->type, family->resource_type };
}

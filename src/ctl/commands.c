/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of commands, options and exit statuses. A command that only reads is one row here; one with steps of its own has a
 * function in run_*.c. */
#include "src/ctl/ctl.h"

const struct option_row option_rows[N_OPTIONS] = {
    [OPT_SERVER] = { "server", 's', "URL[,URL..]", "OCP_SERVER", NULL, "Endpoints of OCP; the first that is ready is used. Default http://127.0.0.1:8080" },
    [OPT_USER] = { "user", 'u', "NAME", "OCP_USER", NULL, "User to log in as; \"\": no login. Default admin" },
    [OPT_PASSWORD_FILE] = { "password-file", 'p', "FILE", "OCP_PASSWORD_FILE", NULL, "File whose first line is the password; -: standard input" },
    [OPT_CA] = { "ca", 0, "FILE", "OCP_CA", NULL, "PEM file of the authorities that the server's certificate must come from" },
    [OPT_INSECURE] = { "insecure", 'k', NULL, NULL, NULL, "Do not verify the server's certificate" },
    [OPT_OUTPUT] = { "output", 'o', "table|json", NULL, NULL, "Shape of what is printed. Default table" },
    [OPT_TIMEOUT] = { "timeout", 0, "TIME", NULL, NULL, "Longest time for one call (30s), and with --wait for the task (1h)" },
    [OPT_LANGUAGE] = { "language", 0, "en|zh", NULL, NULL, "Language of the server's texts" },
    [OPT_HELP] = { "help", 'h', NULL, NULL, NULL, "Print this text" },
    [OPT_VERSION] = { "version", 'V', NULL, NULL, NULL, "Print the version" },
    [OPT_DUMP] = { "dump", 0, "commands", NULL, NULL, "Print all commands as JSON" },

    [OPT_ADDRESS] = { "address", 'a', "HOST", NULL, NULL, "Address of any server of the cluster" },
    [OPT_PORT] = { "port", 'P', "PORT", NULL, NULL, "SQL port of that server. Default 2881" },
    [OPT_ROOT_PASSWORD_FILE] = { "root-password-file", 0, "FILE", NULL, NULL, "File with the password of root@sys; else OCP_ROOT_PASSWORD, else it is asked for" },
    [OPT_NEW_PASSWORD_FILE] = { "new-password-file", 0, "FILE", NULL, NULL, "File with the new password; else OCP_NEW_PASSWORD, else it is asked for" },
    [OPT_WAIT] = { "wait", 'w', NULL, NULL, NULL, "Follow the task to its end" },
    [OPT_NAME] = { "name", 0, "TEXT", NULL, "name", "Only those with this in their name" },
    [OPT_STATUS] = { "status", 0, "STATUS", NULL, "status", "Only those in this state" },
    [OPT_CLUSTER] = { "cluster-id", 0, "ID", NULL, "clusterId", "Only those of this cluster" },
    [OPT_TENANT] = { "tenant", 't', "TENANT", NULL, NULL, "Of this tenant, not of the cluster" },
    [OPT_STATEMENT] = { "statement", 0, NULL, NULL, NULL, "End only the statement that runs; the session stays" },
    [OPT_PAGE] = { "page", 0, "N", NULL, "page", "Which page of the list, from 1" },
    [OPT_SIZE] = { "size", 0, "N", NULL, "size", "Rows of a page, up to 2000. Default 10" },
    [OPT_CONFIG] = { "config", 'c', "FILE", NULL, NULL, "Settings file of ocp-server" },
};

const struct exit_row exit_rows[] = {
    { 0, "Done." },
    { EXIT_REFUSED, "The server answered with an error, or is not ready (status, check)." },
    { EXIT_USAGE, "The command line is wrong, or something on this machine (file, terminal, memory)." },
    { EXIT_UNREACHABLE, "No server could be reached." },
    { EXIT_LOGIN, "Wrong user or password, or not allowed to that user." },
    { EXIT_TASK_FAILED, "The task that was waited for has failed." },
    { EXIT_LATE, "The task that was waited for is not over after --timeout." },
    { 0, NULL },
};

#define COLUMNS(...) (const struct column[]){ __VA_ARGS__, { NULL, NULL } }
enum { PAGED = TAKES(OPT_PAGE) | TAKES(OPT_SIZE) };

const struct command command_rows[] = {
    { "status", "", 0, true, ctl_status, NULL, NULL, "How the node behind the endpoint does" },
    { "check", "", 0, true, ctl_check, NULL, NULL, "Whether each endpoint is alive and ready" },

    { "clusters", "", PAGED | TAKES(OPT_NAME) | TAKES(OPT_STATUS), false, ctl_get, "/api/v2/ob/clusters",
      COLUMNS({ "ID", "id" }, { "NAME", "name" }, { "STATUS", "status" }, { "ENGINE", "engine" }, { "VERSION", "obVersion" },
              { "ADDRESS", "address" }, { "PORT", "port" }, { "TENANTS", "tenantCount" }, { "STALE", "stale" }, { "TAKEN OVER", "createTime" }),
      "Managed clusters" },
    { "cluster", "CLUSTER", 0, false, ctl_get, "/api/v2/ob/clusters/{CLUSTER}",
      COLUMNS({ "id", "id" }, { "name", "name" }, { "status", "status" }, { "engine", "engine" }, { "version", "fullVersion" },
              { "architecture", "architecture" }, { "type", "type" }, { "OceanBase id", "obClusterId" }, { "address", "address" },
              { "port", "port" }, { "zones", "zones.name" }, { "tenants", "tenants.name" }, { "taken over", "createTime" },
              { "by", "creator" }, { "stale", "stale" }, { "last seen", "lastSeenTime" }, { "unreachable since", "unreachableTime" },
              { "reason", "failToQueryFromObReason" }),
      "One managed cluster" },
    { "cluster change-password", "CLUSTER", TAKES(OPT_NEW_PASSWORD_FILE), false, ctl_cluster_password, NULL, NULL,
      "Change root's password in a cluster, or tell OCP the one it has got meanwhile" },
    { "takeover", "", TAKES(OPT_ADDRESS) | TAKES(OPT_PORT) | TAKES(OPT_ROOT_PASSWORD_FILE) | TAKES(OPT_WAIT), false, ctl_takeover, NULL, NULL,
      "Take over a running cluster, logging in to it as root@sys" },
    { "moveout", "CLUSTER", TAKES(OPT_WAIT), false, ctl_moveout, NULL, NULL, "Stop managing a cluster; it keeps running" },

    { "tasks", "", PAGED | TAKES(OPT_NAME) | TAKES(OPT_STATUS) | TAKES(OPT_CLUSTER), false, ctl_get, "/api/v2/tasks/instances",
      COLUMNS({ "ID", "id" }, { "NAME", "name" }, { "STATUS", "status" }, { "CLUSTER", "cluster.name" }, { "STARTED", "startTime" },
              { "FINISHED", "finishTime" }),
      "Tasks, newest first" },
    { "task", "TASK", TAKES(OPT_WAIT), false, ctl_task, NULL, NULL, "One task and its steps" },

    { "hosts", "", PAGED | TAKES(OPT_STATUS), false, ctl_get, "/api/v2/compute/hosts",
      COLUMNS({ "ID", "id" }, { "NAME", "name" }, { "ADDRESS", "innerIpAddress" }, { "STATUS", "status" }, { "TYPE", "typeName" },
              { "IDC", "idcName" }, { "REGION", "regionName" }),
      "Hosts" },
    { "tenants", "CLUSTER", PAGED | TAKES(OPT_NAME) | TAKES(OPT_STATUS), false, ctl_get, "/api/v2/ob/clusters/{CLUSTER}/tenants",
      COLUMNS({ "ID", "id" }, { "NAME", "name" }, { "MODE", "mode" }, { "STATUS", "status" }, { "LOCKED", "locked" },
              { "READ ONLY", "readonly" }, { "CREATED", "createTime" }),
      "Tenants of a cluster" },
    { "databases", "CLUSTER TENANT", 0, false, ctl_get, "/api/v2/ob/clusters/{CLUSTER}/tenants/{TENANT}/databases",
      COLUMNS({ "NAME", "dbName" }, { "CHARSET", "charset" }, { "COLLATION", "collation" }, { "READ ONLY", "readonly" },
              { "CREATED", "createTime" }),
      "Databases of a tenant" },
    { "sessions", "CLUSTER", PAGED | TAKES(OPT_TENANT), false, ctl_get, "/api/v2/ob/clusters/{CLUSTER}/tenants/{TENANT}/sessions",
      COLUMNS({ "ID", "id" }, { "USER", "dbUser" }, { "FROM", "clientIp" }, { "DATABASE", "dbName" }, { "COMMAND", "dbCommand" },
              { "STATUS", "status" }, { "SECONDS", "timeSeconds" }, { "STATEMENT", "info" }),
      "Sessions of a cluster" },
    { "session kill", "CLUSTER SESSION", TAKES(OPT_TENANT) | TAKES(OPT_STATEMENT), false, ctl_session_kill, NULL, NULL, "End a session" },
    { "compactions", "CLUSTER", TAKES(OPT_TENANT), false, ctl_get, "/api/v2/ob/clusters/{CLUSTER}/tenants/{TENANT}/compactions",
      COLUMNS({ "STATUS", "status" }, { "ERROR", "error" }, { "SUSPENDED", "suspended" }, { "STARTED", "startTime" },
              { "FINISHED", "lastFinishTime" }),
      "How far the last major compaction is" },
    { "compaction start", "CLUSTER", TAKES(OPT_TENANT), false, ctl_compaction_start, NULL, NULL, "Start a major compaction" },
    { "parameters", "CLUSTER [PATTERN]", TAKES(OPT_TENANT), false, ctl_parameters, NULL, NULL,
      "Parameters of a cluster; a pattern like '*memory*' chooses by name" },
    { "parameter set", "CLUSTER NAME=VALUE...", TAKES(OPT_TENANT), false, ctl_parameter_set, NULL, NULL, "Change parameters of a cluster" },

    { "properties", "[PATTERN]", 0, false, ctl_properties, NULL, NULL, "System parameters of OCP itself" },
    { "property set", "KEY VALUE", 0, false, ctl_property_set, NULL, NULL, "Change a system parameter of OCP" },
    { "property reset", "KEY", 0, false, ctl_property_reset, NULL, NULL, "Bring a system parameter of OCP back to its default" },

    { "users", "", PAGED, false, ctl_get, "/api/v2/iam/users",
      COLUMNS({ "ID", "id" }, { "NAME", "username" }, { "ROLES", "roles.name" }, { "ENABLED", "enabled" }, { "LAST LOGIN", "lastLoginTime" }),
      "Users of OCP" },
    { "events", "", PAGED, false, ctl_get, "/api/v2/audit/events",
      COLUMNS({ "ID", "id" }, { "WHEN", "startTime" }, { "WHO", "operatorName" }, { "FROM", "clientIp" }, { "WHAT", "operation" },
              { "OBJECT", "resourceName" }, { "RESULT", "status" }, { "CODE", "errorCode" }),
      "Changes and who made them, newest first" },
    { "user change-password", "", TAKES(OPT_NEW_PASSWORD_FILE), false, ctl_change_password, NULL, NULL, "Change one's own password" },
    { "user reset-password", "NAME", TAKES(OPT_CONFIG), true, ctl_reset_password, NULL, NULL,
      "Give a user a new password and print it; on an OCP node, as the service's user" },

    { "api", "METHOD PATH [BODY]", 0, false, ctl_api, NULL, NULL, "Any call of the API; the body is JSON, or @FILE, or @- for standard input" },
    { .name = NULL },
};

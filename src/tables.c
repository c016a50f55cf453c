/* SPDX-License-Identifier: Apache-2.0 */
#include "src/tables.h"

#include <string.h>

#include "api/api.h"
#include "api/forward.h"
#include "api/idempotent.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/tables.h"
#include "conf/parameters.h"
#include "conf/settings.h"
#include "config.h"
#include "raft/dir.h"
#include "raft/node.h"
#include "src/configurl/configurl.h"
#include "src/host/agent.h"
#include "src/host/host.h"
#include "src/host/program.h"
#include "src/host/renew.h"
#include "src/iam/accesskey.h"
#include "src/iam/addressrule.h"
#include "src/iam/customrole.h"
#include "src/iam/ratelimit.h"
#include "src/iam/role.h"
#include "src/iam/user.h"
#include "src/io/ssh.h"
#include "src/io/stream.h"
#include "src/node/change.h"
#include "src/node/found.h"
#include "src/node/members.h"
#include "src/node/registry.h"
#include "src/obcluster/create_check.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/obcluster/obcluster.h"
#include "src/obcluster/operate.h"
#include "src/obcluster/safety.h"
#include "src/obcluster/scale.h"
#include "src/obcluster/claim.h"
#include "src/obcluster/step_sys.h"
#include "src/obcluster/steps.h"
#include "src/oceanbase/cluster_admin.h"
#include "src/oceanbase/parameter.h"
#include "src/peer/agent.h"
#include "src/peer/call.h"
#include "src/peer/hello.h"
#include "src/oceanbase/probe.h"
#include "src/oceanbase/session.h"
#include "src/oceanbase/time_zone_file.h"
#include "src/oceanbase/variable.h"
#include "src/io/rpm.h"
#include "src/package/package.h"
#include "src/store/package_blob.h"
#include "src/setting/setting.h"
#include "src/store/embedded.h"
#include "src/store/idempotency.h"
#include "src/store/leader.h"
#include "src/store/worklease.h"
#include "src/store/migrate.h"
#include "src/store/obinstall.h"
#include "src/store/place.h"
#include "src/store/task.h"
#include "src/task/flow.h"
#include "src/tenant/database.h"
#include "src/tenant/dbuser.h"
#include "src/tenant/parameter.h"
#include "src/tenant/privilege.h"
#include "src/tenant/unitspec.h"
#include "src/tenant/whitelist.h"
#include "src/vault/credential.h"

/* A test's server adds rows of its own: flows, and routes that start them. */
#ifdef TABLES_MORE
#include TABLES_MORE
#else
#define MORE_FLOWS
#define MORE_ROUTES
#endif

const struct route *const all_routes[] = {
    accesskey_routes,
    addressrule_routes,
    audit_routes,
    configurl_routes,
    health_routes,
    host_routes,
    hostagent_routes,
    credential_routes,
    credential_share_routes,
    iam_routes,
    role_routes,
    loginhistory_routes,
    metrics_routes,
    node_routes,
    leader_routes,
    ocpcluster_routes,
    leadership_routes,
    lease_routes,
    obcapacity_routes,
    obevent_routes,
    obcluster_routes,
    oboperate_routes,
    obparameter_routes,
    obsession_routes,
    openapi_routes,
    package_routes,
    page_routes,
    place_routes,
    profile_routes,
    property_routes,
    ratelimit_routes,
    session_routes,
    system_routes,
    task_routes,
    task_event_routes,
    task_lock_routes,
    task_schedule_routes,
    unitspec_routes, tenant_routes, tenant_parameter_routes, database_routes, dbuser_routes, dbgrant_routes,
    MORE_ROUTES
    NULL,
};

static const struct task_flow *const *const flows[] = { host_flows, obcluster_flows, MORE_FLOWS NULL };
const struct task_flow *const *const *const all_flows = flows;

const struct schedule *const all_schedules[] = { task_schedules, obcluster_schedules, host_schedules, NULL };

/* One a line: several hands add to it. */
const struct err_row *const *const all_errors[] = {
    err_rows,
    sql_err_rows,
    ssh_err_rows,
    http_err_rows,
    tls_err_rows,
    store_err_rows,
    place_err_rows,
    leader_err_rows,
    worklease_err_rows,
    embedded_err_rows,
    task_err_rows,
    task_flow_err_rows,
    task_schedule_err_rows,
    oceanbase_err_rows,
    ob_parameter_err_rows,
    ob_cluster_admin_err_rows,
    ob_session_err_rows,
    iam_err_rows,
    accesskey_err_rows,
    addressrule_err_rows,
    ratelimit_err_rows,
    user_err_rows,
    role_err_rows,
    vault_err_rows,
    setting_err_rows,
    host_err_rows,
    configurl_err_rows,
    host_agent_err_rows,
    host_renew_err_rows,
    host_check_err_rows,
    host_flow_err_rows,
    host_program_err_rows,
    store_obcluster_err_rows,
    store_obinstall_err_rows,
    link_err_rows,
    look_err_rows,
    obcluster_err_rows,
    create_check_err_rows,
    safety_err_rows,
    steps_err_rows,
    operate_err_rows,
    scale_err_rows,
    step_host_err_rows,
    step_check_err_rows,
    step_sys_err_rows,
    claim_err_rows,
    time_zone_file_err_rows,
    api_err_rows,
    forward_err_rows,
    idempotency_err_rows,
    idempotent_err_rows,
    privilege_err_rows,
    unitspec_err_rows,
    whitelist_err_rows,
    tenant_err_rows,
    tenant_parameter_err_rows,
    database_err_rows,
    account_err_rows,
    dbuser_err_rows,
    grant_err_rows,
    ob_variable_err_rows,
    stream_err_rows,
    peer_err_rows,
    peer_call_err_rows,
    agent_err_rows,
    agent_client_err_rows,
    consensus_err_rows,
    raft_dir_err_rows,
    raft_node_err_rows,
    node_err_rows,
    node_found_err_rows,
    node_registry_err_rows,
    bundle_err_rows,
    rpm_err_rows,
    store_package_err_rows,
    package_err_rows,
    members_err_rows,
    node_change_err_rows,
    NULL,
};

static void dump_routes(struct str *t)
{
    struct router *r;

    if (router_new(all_routes, &r, NULL) != 0) {
        t->failed = true;
        return;
    }
    routes_dump(t, r);
    router_free(r);
}

static void dump_openapi(struct str *t)
{
    struct router *r;

    if (router_new(all_routes, &r, NULL) != 0) {
        t->failed = true;
        return;
    }
    openapi_write(t, r, PACKAGE_VERSION);
    router_free(r);
}

static void dump_error(struct str *t, const struct err_row *row)
{
    static const char *const retry[] = { "final", "retry", "unknown" };

    json_add_comma(t);
    str_printf(t, "{\"code\":%d,\"symbol\":\"%s\",\"status\":%d,\"retry\":\"%s\",\"en\":", row->code, row->symbol, row->http, retry[row->retry]);
    json_add_string(t, row->text[ERR_EN]);
    json_add_key(t, "zh");
    json_add_string(t, row->text[ERR_ZH]);
    str_add_c(t, '}');
}

static void dump_errors(struct str *t)
{
    str_add_c(t, '[');
    for (const struct err_row *const *const *table = all_errors; *table != NULL; table++)
        for (const struct err_row *const *row = *table; *row != NULL; row++)
            dump_error(t, *row);
    str_add_c(t, ']');
}

static void dump_migrations(struct str *t)
{
    str_add(t, "{\"MetaDB\":");
    migrations_dump(t, "MetaDB", metadb_migrations);
    str_add(t, ",\"MonitorDB\":");
    migrations_dump(t, "MonitorDB", monitordb_migrations);
    str_add_c(t, '}');
}

static const struct {
    const char *name;
    void (*dump)(struct str *t);
} dumps[] = {
    { "settings", conf_dump_settings }, { "routes", dump_routes },           { "errors", dump_errors },
    { "metrics", metrics_dump },        { "permissions", iam_dump_permissions }, { "migrations", dump_migrations },
    { "parameters", conf_dump_parameters }, { "openapi", dump_openapi },
};

enum { N_DUMPS = sizeof dumps / sizeof dumps[0] };

const char *const tables_names[] = { "settings", "routes", "errors", "metrics", "permissions", "migrations", "parameters", "openapi", NULL };

_Static_assert(sizeof tables_names / sizeof tables_names[0] == N_DUMPS + 1, "every dump has its name in the help");

bool tables_dump(struct str *t, const char *name)
{
    for (unsigned i = 0; i < N_DUMPS; i++) {
        if (strcmp(dumps[i].name, name) != 0)
            continue;
        dumps[i].dump(t);
        return true;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that change hosts and their agents. */
#include "src/ctl/ctl.h"

#define HOST "/api/v2/compute/hosts/{HOST}"

int ctl_host_delete(struct ctl *c, struct err *e)
{
    return ctl_change(c, "DELETE", ctl_option(c, OPT_FORCE) != NULL ? HOST "?force=true" : HOST, NULL,
                      "The host is being deleted; ocpctl tasks shows how far it is.", e);
}

int ctl_host_accept_key(struct ctl *c, struct err *e)
{
    return ctl_change(c, "POST", HOST "/sshKey/accept", json_pack("{s:s}", "fingerprint", ctl_operand(c, 1)), "This key counts from now on.", e);
}

int ctl_agent_stop(struct ctl *c, struct err *e)
{
    return ctl_start(c, HOST "/agent/stop", json_object(), e);
}

int ctl_agent_restart(struct ctl *c, struct err *e)
{
    return ctl_start(c, HOST "/agent/restart", json_object(), e);
}

int ctl_agent_install(struct ctl *c, struct err *e)
{
    return ctl_start(c, HOST "/agent/reinstall", json_object(), e);
}

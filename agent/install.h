/* SPDX-License-Identifier: Apache-2.0 */
/* install.h - the agent's place on a host: its folders and links, and a unit of systemd where that runs. Blocking; in
 * ocp_agent_ctl, and in ocp_agentd before it does anything else. */
#ifndef AGENT_INSTALL_H
#define AGENT_INSTALL_H

#include "agent/frame.h"

#define INSTALL_UNIT "ocp_agentd.service"
#define INSTALL_UNIT_FILE "/etc/systemd/system/" INSTALL_UNIT

/* Folders, links, modes, unit; may be repeated. Errors: IO. */
MUST_CHECK int install(struct frame *f, struct err *e);
/* Removes the unit and the whole of HOME; the agent's processes have ended. What they started for others runs on. Errors: IO. */
MUST_CHECK int uninstall(struct frame *f, struct err *e);
/* The unit is as this version of the agent writes it; where there is none, none is made. For after an upgrade. Errors: IO, NOMEM. */
MUST_CHECK int install_refresh_unit(struct frame *f, struct err *e);
/* Root, systemd runs, and agent.conf does not say to leave it alone. */
bool install_uses_systemd(const struct frame *f);
/* Is ocp_agentd started by systemd? */
bool install_has_unit(struct frame *f);
/* Starts it as a daemon. Errors: AGENT_PROCESS, NOMEM. */
MUST_CHECK int install_start_agentd(struct frame *f, struct err *e);
/* systemctl VERB ocp_agentd.service. Errors: IO. */
MUST_CHECK int install_systemctl(const char *verb, struct err *e);

#endif

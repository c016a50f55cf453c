/* SPDX-License-Identifier: Apache-2.0 */
/* groups.h - which processes of the agent are wanted: groups ocp_agent, ob_monitor (alias ocp_monitor) and obproxy_monitor, as the file
 * conf/groups says, a line each; names that were stopped one by one are lines "-NAME". ocp_agentd reads it when told to. Any thread. */
#ifndef AGENT_GROUPS_H
#define AGENT_GROUPS_H

#include "agent/frame.h"
#include "src/proto/agent.h"

struct guarded {
    const char *name;
    unsigned groups;              /* bits of enum group: any of these being wanted makes it wanted */
};
enum group { GROUP_AGENT = 1 << 0, GROUP_MONITOR = 1 << 1, GROUP_OBPROXY = 1 << 2 };
extern const struct guarded guarded_rows[]; /* in the order of their start; ends with a row without name */
/* "ocp_agent"... of one bit. */
const char *group_name(unsigned group);

struct wanted {
    unsigned groups;              /* bits */
    unsigned stopped;             /* bits by row of guarded_rows: not these */
};
/* Errors: IO, NOMEM. */
MUST_CHECK int groups_load(struct frame *f, struct wanted *out, struct err *e);
bool groups_want(const struct wanted *w, unsigned row);
/* Starts or stops a group or a process by name, durably, and tells ocp_agentd, if it runs. Restart: *tells is all it does.
 * Errors: NOT_FOUND (no such name), CONFLICT (ocp_agentd cannot be stopped alone), IO. */
MUST_CHECK int groups_change(struct frame *f, enum agent_action action, const char *name, struct err *e);
/* Tells ocp_agentd to look at the file; false: it does not run. */
bool groups_tell(struct frame *f);
/* A program of the OceanBase family was started here: its group is wanted from now on. */
void groups_program_started(struct frame *f, const char *program);

#endif

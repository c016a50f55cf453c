/* SPDX-License-Identifier: Apache-2.0 */
/* self.h - metrics about the agent's own processes and this one, read from /proc. Blocks for a moment. */
#ifndef AGENT_SELF_H
#define AGENT_SELF_H

#include "agent/frame.h"

/* Appends process_... of this process: processor time, memory, descriptors, start, threads. */
void self_add_process(struct str *t);
/* Appends, for each process of the agent, host_agent_process_status and process_exists (1: it runs), and what it takes: ocp_agent_process_...
 * with its name as the label `process`. */
void self_add_agent(struct frame *f, struct str *t);
/* Appends process_exists{name=...} of the programs that keep the clock (ntpd, chronyd). */
void self_add_clock_keepers(struct str *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - run/agentd.json: what ocp_agentd says of the processes that it guards. Blocking; any thread. */
#ifndef AGENT_STATUS_H
#define AGENT_STATUS_H

#include "agent/frame.h"
#include "src/proto/agent.h"

/* As it was written last; empty when nobody did. Errors: IO, NOMEM. */
MUST_CHECK int status_read(struct frame *f, struct arena *arena, struct agent_status *out, struct err *e);
/* Adds what can be seen now: memory, what they say of themselves, and that one is gone. */
void status_look(struct frame *f, struct arena *arena, struct agent_status *s);

#endif

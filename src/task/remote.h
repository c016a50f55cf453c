/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h - what steps do on hosts, so that nothing is done twice whoever dies or is paused when:
 *
 *   task_host_open: was the step dispatched before? then fence -> no older dispatch starts anything there -> what older ones still run is waited for
 *   task_host_command: did an older dispatch do exactly this? then its result is ours; else key (this dispatch, next seq) -> agent_command
 *   the step's outcome is recorded -> the agents are told that they may forget
 *
 * Commands that must not be done twice (run_script, start_process without a pid file) are noted in MetaDB before the first of a step is sent to a
 * host (store/subtask_once.h), with the agent's incarnation: after an installation anew, which remembers nothing, the step is for a person. Their
 * results stay with the agent until the step is through, whatever becomes of its dispatches; a person who was told that nobody knows decides
 * with a retry that it is done again. A rollback takes over nothing of the run.
 *
 * An agent that cannot be reached, or that went away without an answer, fails the step with an error that may pass (AGENT_AWAY): what it may
 * still run is found when it is back. A newer leader is no failure: the same key goes out again under its epoch. From the step's fiber. */
#ifndef TASK_REMOTE_H
#define TASK_REMOTE_H

#include "src/peer/agent.h"
#include "src/task/flow.h"

struct task_host;

/* A host that the step touches; lives until the step has ended. `client` is borrowed until then; `at` is copied. Repeated for the same host it
 * answers the same. Errors: TASK_UNKNOWN (an older dispatch may or may not have done something that must not be done twice), those of
 * agent_fence and agent_query, of db_read, NOMEM. */
MUST_CHECK int task_host_open(struct task_run *r, struct agent_client *client, const struct agent_at *at, struct task_host **out, struct err *e);
/* Executes it there, to its end; its output comes into the step's log. `args` and `answer` (which may be NULL) are the kind's structs.
 * Errors: TASK_UNKNOWN (it may or may not have been done, and must not be done twice), AGENT_AWAY, the others of agent_command and
 * agent_result_read. */
MUST_CHECK int task_host_command(struct task_host *h, const char *kind, const void *args, void *answer, struct err *e);
/* For other calls of its agent that may simply be repeated (a package is pushed): AGENT_LOST becomes AGENT_AWAY. Returns the code. */
int task_host_lost(const struct task_host *h, int rv, struct err *e);
/* Who it is. */
const struct agent_at *task_host_at(const struct task_host *h);

#endif

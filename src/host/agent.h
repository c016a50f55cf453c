/* SPDX-License-Identifier: Apache-2.0 */
/* agent.h - the agents of hosts as the rest of ocp-server reaches them. From fibers of any loop. */
#ifndef HOST_AGENT_H
#define HOST_AGENT_H

#include "src/peer/agent.h"
#include "src/store/host_agent.h"
#include "src/task/remote.h"

struct db;
struct hosts;

ERR_DECLARE(ERR_HOST_NO_AGENT); /* 7030 {0} host: no agent was ever deployed there */
ERR_DECLARE(ERR_HOST_CERTIFICATE_ENDED); /* {0} host, {1} when, {2} why it cannot be asked */
ERR_DECLARE(ERR_HOST_PROCESS_FIXED); /* 7019 {0} process: it is stopped and started with the whole agent only */
extern const struct err_row *const host_agent_err_rows[];

/* The client of this loop; it lives as long as the loop. Errors: NOMEM. */
MUST_CHECK int host_client(struct hosts *h, struct agent_client **out, struct err *e);
/* Where the agent of a host is; `incarnation` is the recorded one, NULL if it never answered. Texts lie in the arena.
 * Errors: HOST_NO_AGENT, those of db_read. */
MUST_CHECK int host_agent_at(struct db *d, int64_t host_id, struct arena *arena, struct agent_at *out, struct err *e);

/* The agent of a host for a step (src/task/remote.h). Errors: HOST_NO_AGENT, those of task_host_open and db_read. */
MUST_CHECK int host_of_step(struct task_run *r, int64_t host_id, struct task_host **out, struct err *e);

/* Says hello to whatever agent is there now. Errors: those of agent_hello. */
MUST_CHECK int host_hello(struct hosts *h, const struct agent_at *at, int64_t epoch, struct arena *arena, struct agent_hello *out, struct err *e);
/* Reads its processes, as rows for store_host_process_put; known processes keep their ids. Errors: those of agent_status, db_read. */
MUST_CHECK int host_processes(struct hosts *h, struct db *d, const struct agent_at *at, struct arena *arena, struct host_process **out, size_t *n,
                              const char **version, const char **incarnation, struct err *e);

/* Starts, stops or starts anew processes of an agent, by name or group, and records them as they are then. Errors: HOST_NO_AGENT, those of
 * agent_command and db_read. */
MUST_CHECK int host_control(struct hosts *h, struct db *d, const struct host_agent *a, enum agent_action action, const char *name,
                            struct arena *arena, struct err *e);
/* Asks the agent under `epoch` (the leader's), and records what it says: seen or missed, and its processes. Errors: those of db_transact; that the agent
 * does not answer, or obeys nobody who leads, is none. */
MUST_CHECK int host_look(struct hosts *h, struct db *d, const struct host_agent *a, const char *ocp_id, int64_t epoch, struct arena *arena,
                         struct err *e);

#endif

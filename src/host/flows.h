/* SPDX-License-Identifier: Apache-2.0 */
/* flows.h - the flows of src/host, for the code that starts them. All have the argument "hostIds"; a target is the id of a host, its label the
 * address. */
#ifndef HOST_FLOWS_H
#define HOST_FLOWS_H

#include "src/host/inside.h"
#include "src/host/probe.h"
#include "src/store/host_agent.h"
#include "src/task/flow.h"

extern const struct task_flow host_flow_add, host_flow_install, host_flow_delete, host_flow_stop, host_flow_restart, host_flow_upgrade;

/* For plan(): the hosts, in order. */
struct host_targets {
    struct task_target *items;
    size_t n;
    bool force;                 /* delete: the hosts are gone for good, nothing is removed there */
};

/* ---- for the steps ---- */

struct hosts *flow_hosts(struct task_run *r);
/* The host that the step is for. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int flow_host(struct task_run *r, struct host *out, struct err *e);
/* All hosts of the task that are still there, in the order of their ids. Errors: those of db_read. */
MUST_CHECK int flow_all_hosts(struct task_run *r, struct host **out, size_t *n, struct err *e);
/* A shell on it, as its credential says; its key must be the pinned one. Close login and shell. Errors: those of host_login_open, host_shell_open. */
MUST_CHECK int flow_shell(struct task_run *r, const struct host *h, struct host_login *login, struct shell *out, struct err *e);
/* Its agent's row. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int flow_agent(struct task_run *r, int64_t host_id, struct host_agent *out, struct err *e);

/* A row's state changes, guarded by the run. NULL: stays. Errors: those of task_transact. */
MUST_CHECK int flow_set_status(struct task_run *r, int64_t host_id, const char *host_status, const char *agent_status, struct err *e);

/* Runs `act` in a shell on the step's host. A host that has no agent, or is gone, has nothing to be done. */
typedef int (*flow_acting)(struct shell *s, const struct host *h, const struct host_agent *a, struct task_run *r, struct err *e);
MUST_CHECK int flow_act(struct task_run *r, flow_acting act, struct err *e);
/* Step: the agent answers and its host is AVAILABLE; else its last words are told. */
int flow_greet_agent(struct task_run *r, struct err *e);
enum { FLOW_GREET_S = 60 };
/* Steps: removes the agent of the step's host, and its rows; forgets all hosts of the task. */
int flow_remove_agent(struct task_run *r, struct err *e);
int flow_forget(struct task_run *r, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what the files of src/host share. */
#ifndef HOST_INSIDE_H
#define HOST_INSIDE_H

#include "src/host/host.h"

struct host_programs;

struct hosts {
    struct hosts_conf conf;
    struct host_programs *programs; /* owned */
    int64_t watched_ms;             /* control loop: when the agents were asked last; 0: never */
};

/* Where the agent is on a host whose parameter ocp.agent.home.path.prefix is `prefix`. */
#define HOST_AGENT_DIR "ocp_agent"
enum { HOST_NODE_EXPORTER_PORT = 63000 };

struct task_new;
struct host_targets;

/* Arguments, targets and locks of a task about these hosts. Errors: NOMEM. */
MUST_CHECK int host_task_about(struct task_new *task, struct host_targets *t, const int64_t *ids, const char *const *ips, size_t n,
                               struct arena *arena, struct err *e);
/* The password box of others is closed. Errors: HOST_CREDENTIAL, those of db_read. */
MUST_CHECK int host_check_credential(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct err *e);

#endif

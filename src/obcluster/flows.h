/* SPDX-License-Identifier: Apache-2.0 */
/* flows.h - the flows of src/obcluster, for the code that starts them. */
#ifndef OBCLUSTER_FLOWS_H
#define OBCLUSTER_FLOWS_H

#include "src/task/engine.h"

/* The observers that were installed, for plans: servers[i] (id of its row; label address) is in the zone zones[i], and those of a zone stand
 * together. */
struct install_plan {
    const struct task_target *servers, *zones;
    size_t n_servers;
};

struct obinstall_server;
/* Of servers sorted by zone (store_obinstall_servers). Errors: INVALID (too many), NOMEM. */
MUST_CHECK int install_plan_make(const struct obinstall_server *servers, size_t n, struct arena *arena, struct install_plan *out, struct err *e);

extern const struct task_flow flow_take_over, flow_move_out;
extern const struct task_flow flow_create, flow_delete, flow_stop, flow_start, flow_restart, flow_force_restart;
extern const struct task_flow flow_stop_zone, flow_start_zone, flow_stop_server, flow_start_server, flow_restart_servers, flow_force_restart_servers;
extern const struct task_flow flow_add_servers, flow_add_zone, flow_delete_servers, flow_delete_zone, flow_replace_server;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* flows.h - the flows of src/obcluster, for the code that starts them. */
#ifndef OBCLUSTER_FLOWS_H
#define OBCLUSTER_FLOWS_H

#include "src/task/engine.h"

extern const struct task_flow flow_take_over, flow_move_out;
extern const struct task_flow flow_stop_zone, flow_start_zone, flow_stop_server, flow_start_server;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what the files of src/host share. */
#ifndef HOST_INSIDE_H
#define HOST_INSIDE_H

#include "src/host/host.h"

struct host_programs;

struct hosts {
    struct hosts_conf conf;
    struct host_programs *programs; /* owned */
};

/* Where the agent is on a host whose parameter ocp.agent.home.path.prefix is `prefix`. */
#define HOST_AGENT_DIR "ocp_agent"
enum { HOST_NODE_EXPORTER_PORT = 63000 };

#endif

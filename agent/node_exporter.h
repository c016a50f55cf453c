/* SPDX-License-Identifier: Apache-2.0 */
/* node_exporter.h - how the Prometheus node exporter, which is not ours, is run. */
#ifndef AGENT_NODE_EXPORTER_H
#define AGENT_NODE_EXPORTER_H

#include "agent/frame.h"

/* Is there one on this host? */
bool node_exporter_is_there(const struct frame *f);
/* Its program and arguments, in static memory. */
const char *const *node_exporter_argv(const struct frame *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* metric_text.h - Prometheus' text format: reads samples, and makes of node_exporter's what OCP calls them. Pure. */
#ifndef AGENT_METRIC_TEXT_H
#define AGENT_METRIC_TEXT_H

#include <stdbool.h>

#include "src/base/str.h"

/* A line `name{labels} value`; its parts lie in the text. */
struct metric_sample {
    struct slice name, labels, value;   /* labels without braces, "" without any */
};
/* The next sample of `*rest`; comments and lines that are none are passed over. False at the end. */
bool metric_next(struct slice *rest, struct metric_sample *out);
/* Value of a label as it stands, with its escapes; s == NULL: there is none. */
struct slice metric_label(struct slice labels, const char *name);

/* Appends what OCP's expressions want of a host, from the text of a node_exporter: times of processors one by one and summed up, how many processors,
 * load, memory, file systems and disks that are real, network, clock. The rest is left out. */
void metric_add_host(struct str *t, struct slice node_exporter);

#endif

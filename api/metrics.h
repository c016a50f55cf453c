/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - what ocp-server tells Prometheus about itself: a table of metrics, each with the function that reads it. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/api.h"

/* Appends all metrics in the text format (version 0.0.4), summed or labelled by loop. Reads what other loops write without
 * stopping them. */
void metrics_write(struct str *t, const struct api_shared *shared);
/* Appends the metrics' names, types and sentences as a JSON array, for --dump metrics. */
void metrics_dump(struct str *t);

#endif

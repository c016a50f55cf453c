/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - what the root service and the cluster have recorded of themselves (DBA_OB_ROOTSERVICE_EVENT_HISTORY and, on versions that have
 * it, DBA_OB_CLUSTER_EVENT_HISTORY). */
#ifndef OCEANBASE_EVENT_H
#define OCEANBASE_EVENT_H

#include "src/io/sql.h"

enum { OB_EVENT_VALUES = 6 };

struct ob_event {
    int64_t at_us;
    const char *module, *event;                      /* "server", "add_server" */
    const char *names[OB_EVENT_VALUES], *values[OB_EVENT_VALUES]; /* NULL or "": none */
    const char *extra;                               /* NULL: none */
    const char *ip;                                  /* of the root service at that time; NULL: not recorded */
    int64_t port;                                    /* its RPC port; -1 */
};

struct ob_event_filter {
    int64_t from_us, to_us;                          /* -1: open */
    const char *module;                              /* NULL: any */
    int64_t limit, offset;
};
/* One page, newest first; *total counts all that match. A kernel that keeps no events has none. Errors: those of sql_run. */
MUST_CHECK int ob_events_list(struct sql *s, const struct ob_event_filter *f, struct arena *arena, struct ob_event **out, size_t *n,
                              int64_t *total, struct err *e);

#endif

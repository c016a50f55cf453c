/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - the record of changes: each request that changes something, or tried to, leaves one event. Which OCP name an operation of
 * ours has is a table; an operation without a row is recorded under a name made from its id. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include <stdatomic.h>

#include "src/base/log.h"
#include "src/store/audit.h"

/* What OCP calls an operation. */
struct audit_operation {
    const char *operation;      /* id of the route; NULL ends the table */
    const char *event;          /* ADD_HOSTS */
    const char *type;           /* COMPUTE_HOST_MANAGEMENT */
    const char *resource_type;  /* COMPUTE_HOST */
};
extern const struct audit_operation audit_operations[];

enum { AUDIT_NAME_SIZE = 64 };
/* The row of a route. Where there is none, the event's name is made from the id, in `made` (AUDIT_NAME_SIZE bytes, as long-lived as
 * the result): "site-unbind" is SITE_UNBIND; type and resource type are those of the family that its beginning tells. Pure. */
struct audit_operation audit_operation_of(const char *operation, char *made);

struct audit {
    const char *node;                 /* borrowed: who serves */
    const struct log *log;            /* borrowed */
    _Atomic uint64_t written, failed; /* events; those that MetaDB did not take */
};
void audit_init(struct audit *a, const char *node, const struct log *log);

/* Writes one event, which has everything but its id and node. Never fails the request: what cannot be written is an error in the log,
 * with what matters of the event, and is counted. From the request's fiber; not cut short when the client is gone. */
void audit_write(struct audit *a, struct db *d, struct audit_event *event);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.h - what the files about hosts share. */
#ifndef API_HOSTS_H
#define API_HOSTS_H

#include "api/call.h"
#include "api/permit.h"

/* Each host of the list is asked for by itself. Errors: DENIED. */
MUST_CHECK int permit_hosts(const struct call *c, struct field_ints ids, enum permission_action action, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* push.h - brings a package to the agent of a host, as a blob that is named by its SHA-256 (src/peer/agent.h). */
#ifndef PACKAGE_PUSH_H
#define PACKAGE_PUSH_H

#include "src/package/package.h"
#include "src/peer/agent.h"

/* Sends what the agent does not have yet; who has it all gets nothing. Notes the host with the package. Safe to repeat, also after it stopped
 * anywhere: it goes on where the agent is. A chunk at a time is in memory. `out`, in `arena`, is the package. Errors: PACKAGE_UNKNOWN, those
 * of package_read, agent_blob_have and agent_push_blob, AGENT_BLOB (the agent does not come on). */
MUST_CHECK int package_push(struct packages *p, struct db *d, struct agent_client *c, const struct agent_at *at, int64_t package_id,
                            struct arena *arena, struct package *out, struct err *e);

#endif

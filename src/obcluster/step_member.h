/* SPDX-License-Identifier: Apache-2.0 */
/* step_member.h - steps by which a server that this OCP has installed becomes one of its cluster, or is one no more. The step's target is the server
 * (its row's id). Each is safe to run twice. */
#ifndef OBCLUSTER_STEP_MEMBER_H
#define OBCLUSTER_STEP_MEMBER_H

#include "src/obcluster/step_host.h"

MUST_CHECK int member_add(struct task_run *r, struct err *e);
/* Begins to delete it; its units move to other servers of the zone. */
MUST_CHECK int member_delete(struct task_run *r, struct err *e);
/* Waits until the cluster has no such server any more. */
MUST_CHECK int member_wait_gone(struct task_run *r, struct err *e);
/* Added before, in a task that is rolled back: deleted, and gone. */
MUST_CHECK int member_remove(struct task_run *r, struct err *e);
/* Waits until it is ACTIVE and serves. */
MUST_CHECK int member_wait_service(struct task_run *r, struct err *e);
/* Its row goes: its process and files are gone before. */
MUST_CHECK int member_forget(struct task_run *r, struct err *e);
/* Units of the argument "from" (address) go to the target, until none is left. */
MUST_CHECK int member_take_units(struct task_run *r, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - makes the steps of a task from its flow; plan_then and its kin are in flow.h. Pure. */
#ifndef TASK_PLAN_H
#define TASK_PLAN_H

#include "src/task/flow.h"

enum { PLAN_MAX_STEPS = 20000, PLAN_TARGET_SIZE = 255 };

/* The steps, in the arena: everything but ids, task and times. Errors: INVALID (a step that the flow does not have, a target that is too long, none
 * or too many steps), NOMEM. */
MUST_CHECK int plan_make(const struct task_flow *flow, const void *data, struct arena *arena, struct subtask **out, size_t *n, struct err *e);
/* NULL when the flow has no such step. */
const struct task_step *plan_step(const struct task_flow *flow, const char *name);

#endif

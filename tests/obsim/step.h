/* SPDX-License-Identifier: Apache-2.0 */
/* step.h - what time does: the second half of statements. */
#ifndef OBSIM_STEP_H
#define OBSIM_STEP_H

#include "tests/obsim/state.h"

/* Does a step whose time has come; c->now_us is that time. */
void step_do(struct sim_cluster *c, const struct sim_step *step);
/* Starts a major compaction of the tenant; false: the last one is still running. */
bool step_major_start(struct sim_cluster *c, struct sim_tenant *t);
/* Goes on with one that was suspended or had an error. */
void step_major_resume(struct sim_cluster *c, struct sim_tenant *t);

#endif

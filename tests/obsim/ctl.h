/* SPDX-License-Identifier: Apache-2.0 */
/* ctl.h - control of the simulated clusters: a unix socket, a line of JSON in, a line of JSON out. README.md lists the commands. */
#ifndef OBSIM_CTL_H
#define OBSIM_CTL_H

#include <jansson.h>

struct ctl;
struct sim_world;

/* Listens; serves one client after the other on a thread of its own. NULL with a line on stderr. */
struct ctl *ctl_start(struct sim_world *w, const char *path);
/* NULL is fine. */
void ctl_stop(struct ctl *c);

/* One command; the answer is a new reference: {"ok": true, ...} or {"ok": false, "error": "..."}. Without the lock. */
json_t *ctl_run(struct sim_world *w, json_t *command);
/* Does one that concerns a whole cluster, under the lock; the caller owns the answer. */
struct sim_deployment;
json_t *ctl_apply(struct sim_deployment *d, const json_t *command);

#endif

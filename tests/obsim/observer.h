/* SPDX-License-Identifier: Apache-2.0 */
/* observer.h - life and death of simulated server processes: listening, dying, hanging, coming back. Under the lock. */
#ifndef OBSIM_OBSERVER_H
#define OBSIM_OBSERVER_H

#include "tests/obsim/world.h"

/* Listens on its address. False, with errno, when the address cannot be had. */
bool observer_listen(struct sim_observer *o);
/* The process dies: its connections are reset, its port refuses. The cluster notices after a while. */
void observer_kill(struct sim_observer *o);
/* It runs again; with `version` ("4.2.1.2") and its build when they are not NULL. False, with errno: its address cannot be had. */
bool observer_start(struct sim_observer *o, const char *build_version);
/* It stops to answer, or goes on. Whether the cluster notices is another matter (the lease). */
void observer_hang(struct sim_observer *o, bool is_hung);
/* Ends or resets all of its connections. */
void observer_drop(struct sim_observer *o, bool reset);

/* Thread that accepts; returns when `stop_fd` becomes readable. Without the lock. */
void observer_accept(struct sim_world *w, int stop_fd);

#endif

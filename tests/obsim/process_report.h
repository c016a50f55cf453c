/* SPDX-License-Identifier: Apache-2.0 */
/* process_report.h - what an observer tells the config URL: the server with the root service posts the list of root servers, when it
 * changes, when obconfig_url does, and every 10 seconds. */
#ifndef OBSIM_PROCESS_REPORT_H
#define OBSIM_PROCESS_REPORT_H

#include "tests/obsim/world.h"

struct process_report;

/* Starts a thread of its own, which ends when `end_fd` becomes readable or is closed by its writer. */
struct process_report *report_start(struct sim_observer *o, int end_fd);
void report_stop(struct process_report *r);

#endif

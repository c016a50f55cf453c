/* SPDX-License-Identifier: Apache-2.0 */
/* step_sys.h - steps by which a cluster that was just founded gets what was asked for: its tenant sys and its parameters;
 * and by which one that is taken over or moved out says whose it is. Each is safe to run twice. */
#ifndef OBCLUSTER_STEP_SYS_H
#define OBCLUSTER_STEP_SYS_H

#include "src/obcluster/step_host.h"

#define STEP_SYS "sys"

MUST_CHECK int sys_set_primary_zone(struct task_run *r, struct err *e);
/* Memory and log disk of sys: the arguments sysMemory and sysLogDisk, "": as they are. */
MUST_CHECK int sys_adjust_unit(struct task_run *r, struct err *e);
/* Time zones are known by their names: by the kernel's statement, or from the package's file. */
MUST_CHECK int sys_load_time_zones(struct task_run *r, struct err *e);
/* Startup parameters, and the config URL: every server has the value. */
MUST_CHECK int sys_set_parameters(struct task_run *r, struct err *e);

/* A cluster that is taken over takes its config URL from here (argument switchConfigUrl), and so says whose it is. Errors: TAKE_OVER_FOREIGN. */
MUST_CHECK int sys_claim(struct task_run *r, struct err *e);
/* One that is moved out is nobody's; its config URL is that of the argument targetConfigAddress, or stays without us as its owner. */
MUST_CHECK int sys_unclaim(struct task_run *r, struct err *e);

ERR_DECLARE(ERR_TIME_ZONE_ROWS);     /* {0} table, {1} rows it has, {2} rows it should have */
extern const struct err_row *const step_sys_err_rows[];

#endif

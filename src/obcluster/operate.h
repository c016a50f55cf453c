/* SPDX-License-Identifier: Apache-2.0 */
/* operate.h - starts the tasks that change a managed cluster, its zones and servers: what can be refused at once is refused at once, the rest the
 * task's own checks find. One task at a time changes a cluster (lock "obcluster"). */
#ifndef OBCLUSTER_OPERATE_H
#define OBCLUSTER_OPERATE_H

#include "src/obcluster/obcluster.h"

ERR_DECLARE(ERR_OBSERVER_NOT_FOUND); /* 13001 {0} id */
extern const struct err_row *const operate_err_rows[];

enum operation {
    OPERATE_STOP_ZONE, OPERATE_START_ZONE, OPERATE_STOP_SERVER, OPERATE_START_SERVER,
    OPERATE_RESTART_ZONE, OPERATE_RESTART_SERVER,                 /* of a cluster that this OCP has installed, as all that follow */
    OPERATE_STOP, OPERATE_START, OPERATE_RESTART, OPERATE_DELETE,
};

struct operate {
    enum operation what;
    int64_t cluster_id;
    const char *zone;                     /* of the zone's operations */
    int64_t server_id;                    /* of the servers' */
    bool force;                           /* although majorities may be lost; restarting: all at once, instead of zone by zone */
};
/* Errors: OBCLUSTER_NOT_FOUND, OBCLUSTER_STATE, OBSERVER_NOT_FOUND, OB_ZONE_GONE, OBINSTALL_NONE, those of safety_may_stop, safety_may_roll and link_take,
 * TASK_LOCKED, those of db_transact. */
MUST_CHECK int obcluster_operate(struct obclusters *o, struct db *d, struct task_engine *t, const struct operate *want,
                                 const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e);

#endif

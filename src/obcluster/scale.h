/* SPDX-License-Identifier: Apache-2.0 */
/* scale.h - starts the tasks by which a cluster that this OCP has installed gets or loses zones and servers (flow_scale.c). */
#ifndef OBCLUSTER_SCALE_H
#define OBCLUSTER_SCALE_H

#include "src/obcluster/create_check.h"
#include "src/obcluster/obcluster.h"

ERR_DECLARE(ERR_ZONE_THERE);       /* 12003 {0} zone: the cluster has it already */
ERR_DECLARE(ERR_SCALE_FOREIGN);    /* {0} server: it was not installed by this OCP */
extern const struct err_row *const scale_err_rows[];

enum scale_what { SCALE_ADD_ZONE, SCALE_ADD_SERVERS, SCALE_DELETE_ZONE, SCALE_DELETE_SERVERS, SCALE_REPLACE };

struct scale {
    enum scale_what what;
    int64_t cluster_id;
    const char *zone;              /* of all but DELETE_SERVERS and REPLACE */
    const char *idc_name;          /* ADD_ZONE */
    const char *package, *architecture; /* ADD_ZONE: must be the cluster's; NULL: not said */
    struct field_ints hosts;       /* ADD_*; REPLACE: one */
    struct field_ints servers;     /* DELETE_SERVERS; REPLACE: one */
};
/* Errors: OBCLUSTER_NOT_FOUND, OBCLUSTER_STATE, OBINSTALL_NONE, ZONE_THERE, OB_ZONE_GONE, OBSERVER_NOT_FOUND, SCALE_FOREIGN, those of
 * create_refuse, safety_may_delete and safety_may_delete_zone, TASK_LOCKED, those of db_transact. */
MUST_CHECK int obcluster_scale(struct obclusters *o, struct db *d, struct task_engine *t, const struct scale *want,
                               const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e);

#endif

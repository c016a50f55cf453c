/* SPDX-License-Identifier: Apache-2.0 */
/* create.h - starts the creation of a cluster on hosts of this OCP (flow_create.c). */
#ifndef OBCLUSTER_CREATE_H
#define OBCLUSTER_CREATE_H

#include "src/obcluster/create_check.h"
#include "src/obcluster/obcluster.h"

/* Every reason against it that MetaDB knows; what only the hosts know the task finds. Returns 0 also when there are reasons. Errors: those of
 * db_read, INVALID (too many hosts), NOMEM. */
MUST_CHECK int obcluster_create_check(struct db *d, const struct create_want *want, struct arena *arena, struct create_reasons *out,
                                      struct err *e);
/* Checks again and starts the task, in one transaction with the rows of cluster and servers.
 * Errors: that reason or CREATE_REFUSED, OBINSTALL_TAKEN, TASK_LOCKED, those of db_transact. */
MUST_CHECK int obcluster_create(struct obclusters *o, struct db *d, struct task_engine *t, const struct create_want *want,
                                const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e);

#endif

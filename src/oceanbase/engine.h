/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - what is asked of each kind of kernel, in one place: a seekdb has one server and one tenant, and views without SVR_IP and
 * TENANT_ID; an OceanBase has GV$ and CDB_ views over all of them. Const; any thread. */
#ifndef OCEANBASE_ENGINE_H
#define OCEANBASE_ENGINE_H

#include "src/io/sql.h"

/* Statements. Their '?' are in the order in which the functions that use them say. */
struct ob_queries {
    const char *parameters;         /* of the cluster, on each server; of tenants those of sys */
    const char *parameter;          /* one of them: its name */
    const char *sessions;           /* length of statements, tenant twice ("": all) */
    const char *sessions_old;       /* likewise, where columns of the former are unknown (1054); NULL: there is no such version */
    const char *compactions;        /* tenant's number twice (-1: all) */
    const char *events;             /* from, to, module, each twice (NULL: any); then limit, offset; NULL: it keeps no events */
    const char *events_old;         /* for versions without the newer of the two histories (1146) */
    const char *event_count, *event_count_old;
    const char *freeze_all;         /* major compaction of all tenants */
};
/* Of the server behind `s`, by what it answered at login. */
const struct ob_queries *ob_queries(const struct sql *s);

#endif

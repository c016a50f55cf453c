/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h - the route tables of api/, one per file; src/server.c collects them. */
#ifndef API_TABLES_H
#define API_TABLES_H

#include "api/route.h"

extern const struct route accesskey_routes[];
extern const struct route addressrule_routes[];
extern const struct route audit_routes[];
extern const struct route configurl_routes[];
extern const struct route database_routes[];
extern const struct route dbgrant_routes[];
extern const struct route dbuser_routes[];
extern const struct route health_routes[];
extern const struct route host_routes[];
extern const struct route hostagent_routes[];
extern const struct route credential_routes[];
extern const struct route credential_share_routes[];
extern const struct route iam_routes[];
extern const struct route role_routes[];
extern const struct route loginhistory_routes[];
extern const struct route metrics_routes[];
extern const struct route node_routes[];
extern const struct route leader_routes[];
extern const struct route ocpcluster_routes[];
extern const struct route leadership_routes[];
extern const struct route lease_routes[];
extern const struct route obcapacity_routes[];
extern const struct route obevent_routes[];
extern const struct route obcluster_routes[];
extern const struct route oboperate_routes[];
extern const struct route obparameter_routes[];
extern const struct route obsession_routes[];
extern const struct route openapi_routes[];
extern const struct route package_routes[];
extern const struct route page_routes[];
extern const struct route place_routes[];
extern const struct route profile_routes[];
extern const struct route property_routes[];
extern const struct route ratelimit_routes[];
extern const struct route session_routes[];
extern const struct route system_routes[];
extern const struct route task_routes[];
extern const struct route task_event_routes[];
extern const struct route task_lock_routes[];
extern const struct route task_schedule_routes[];
extern const struct err_row *const task_schedule_err_rows[];
extern const struct route tenant_parameter_routes[];
extern const struct route tenant_routes[];
extern const struct route unitspec_routes[];

#endif

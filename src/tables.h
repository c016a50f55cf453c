/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h - every declared-once table of the tree, collected: what --dump prints and what the server is built from. */
#ifndef TABLES_H
#define TABLES_H

#include "api/route.h"
#include "src/base/str.h"
#include "src/task/engine.h"
#include "src/task/schedules.h"

/* Route tables of all domains; ends with NULL. */
extern const struct route *const all_routes[];
/* Tables of error rows of all modules; ends with NULL. */
extern const struct err_row *const *const all_errors[];

/* Flows of all domains; ends with NULL. */
extern const struct task_flow *const *const *const all_flows;

/* Work by the clock of all domains; ends with NULL. */
extern const struct schedule *const all_schedules[];

/* Appends the table `name` as a JSON array. False when there is no such table. */
MUST_CHECK bool tables_dump(struct str *t, const char *name);
/* Names that tables_dump knows, NULL-terminated. */
extern const char *const tables_names[];

#endif

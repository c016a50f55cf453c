/* SPDX-License-Identifier: Apache-2.0 */
/* more.h - rows that the server of the tests has beside those of src/tables.c, which includes this. */
#ifndef TESTS_FLOWS_MORE_H
#define TESTS_FLOWS_MORE_H

#include "api/route.h"
#include "src/task/flow.h"

extern const struct task_flow *const test_flows[];
extern const struct route test_routes[];

#define MORE_FLOWS test_flows,
#define MORE_ROUTES test_routes,

#endif

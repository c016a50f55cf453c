/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - every statement of the simulated kernel but SELECT: ALTER SYSTEM, resource units, pools and tenants, accounts, databases,
 * SHOW, SET, KILL, transactions. Parsed here, independently of the product. */
#ifndef OBSIM_COMMAND_H
#define OBSIM_COMMAND_H

#include <stdbool.h>

#include "src/base/str.h"

struct sim_session;
struct sim_reply;

/* Runs `sql` (one statement, a ';' at its end is no matter) for the session: changes the cluster and fills the reply, exactly once.
 * Returns the errno that was replied, 0: OK or rows. 1064 for what is no statement of ours. */
int command_run(struct sim_session *s, struct slice sql, struct sim_reply *out);

/* What may follow EXPLAIN is not looked at: 1064, as for all that is not known. True for a statement that the SELECT engine has to answer
 * (SELECT, WITH, or one in parentheses), comments and hints before it skipped. */
bool command_is_select(struct slice sql);

/* May it change what others see? False for what reads, or concerns the session alone. */
bool command_changes(struct slice sql);
/* Is it ALTER SYSTEM BOOTSTRAP? */
bool command_bootstraps(struct slice sql);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* subtask_once.h - where a step has begun what must not be done twice on a host, and which installation of the agent was to do it: the intent
 * on our side, committed before the command is sent. An agent that was installed anew remembers nothing; this row does.
 * Loop thread only, from fibers. */
#ifndef STORE_SUBTASK_ONCE_H
#define STORE_SUBTASK_ONCE_H

#include "src/store/task.h"

struct subtask_once {
    int64_t subtask_id, host_id;
    int is_back;                  /* by its rollback */
    int64_t dispatch;             /* that began it */
    const char *incarnation;      /* of the agent */
};
/* The row of this step, host and direction, in the arena; NULL: nothing was begun there. Errors: those of db_read. */
MUST_CHECK int store_subtask_once_find(struct db *d, int64_t subtask_id, int64_t host_id, int is_back, struct arena *arena, struct subtask_once **out,
                                       struct err *e);
/* Errors: those of tx_exec. */
MUST_CHECK int store_subtask_once_begin_in(struct tx *tx, const struct subtask_once *o, struct err *e);
/* Exactly this one is settled. Errors: those of db_transact. */
MUST_CHECK int store_subtask_once_settle(struct db *d, const struct subtask_once *o, struct err *e);
/* The step is through under `dispatch`: all that it or older ones began. Errors: those of db_transact. */
MUST_CHECK int store_subtask_once_settle_all(struct db *d, int64_t subtask_id, int64_t dispatch, struct err *e);
/* Deletes what nobody has settled of steps that ended, one way or another, 90 days ago: agents have forgotten their results long before.
 * Errors: those of db_prune. */
MUST_CHECK int store_subtask_once_prune(struct db *d, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* change.h - what people, workers and the leader do to a task: each is one transaction that locks the task with its steps, decides (decide.h),
 * writes what changed, and takes or frees locks. From fibers. */
#ifndef TASK_CHANGE_H
#define TASK_CHANGE_H

#include "src/task/decide.h"

/* A person's. The leader is to be kicked afterwards. Errors: TASK_NOT_FOUND, NOT_FOUND (step), TASK_STATE, TASK_NO_ROLLBACK, SUBTASK_NO_SKIP,
 * TASK_LOCKED (another task holds what it needs by now), those of db_transact. */
MUST_CHECK int task_retry(struct db *d, int64_t id, struct err *e);
MUST_CHECK int task_rollback(struct db *d, int64_t id, struct err *e);
MUST_CHECK int subtask_retry(struct db *d, int64_t task_id, int64_t id, struct err *e);
MUST_CHECK int subtask_skip(struct db *d, int64_t task_id, int64_t id, struct err *e);
MUST_CHECK int subtask_cancel(struct db *d, int64_t task_id, int64_t id, struct err *e);

/* A worker's: `s` is the step as it was given to it (with the dispatch of CANCELING for DECIDE_STOPPED). `error` is for people, NULL: none.
 * Errors: TASK_OVERTAKEN, those of db_transact. */
MUST_CHECK int task_report(struct db *d, const struct subtask *s, enum decide_event event, const char *error, struct err *e);
/* The leader's, with its own db: the step's worker is lost. Errors: TASK_OVERTAKEN (it has ended meanwhile), those of db_transact. */
MUST_CHECK int task_lost(struct db *d, const struct subtask *s, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - SQL that a step sends to a managed cluster. The receiver cannot fence it, so the session is a row:
 *
 *   connect --> task_session_open: commits (server, connection id) for this very dispatch --> only then change anything over it
 *   a later dispatch: task_session_older --> kill each there, see it gone, wait out its query timeout --> task_session_close --> check, act, verify
 *
 * A session that was lost is never replaced silently: connect anew and open that one. From the step's fiber. */
#ifndef TASK_SESSION_H
#define TASK_SESSION_H

#include "src/store/subtask.h"
#include "src/task/flow.h"

/* From now on this session may change state for this run. Errors: TASK_OVERTAKEN, those of db_transact. */
MUST_CHECK int task_session_open(struct task_run *r, const char *server, int64_t connection_id, struct err *e);
/* Sessions that earlier dispatches of this step have opened and nobody has closed; in the step's arena. */
MUST_CHECK int task_session_older(struct task_run *r, struct task_session **out, size_t *n, struct err *e);
/* The session is gone, there as well. Errors: TASK_OVERTAKEN, those of db_transact. */
MUST_CHECK int task_session_close(struct task_run *r, const char *server, int64_t connection_id, struct err *e);

#endif

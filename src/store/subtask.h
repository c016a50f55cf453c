/* SPDX-License-Identifier: Apache-2.0 */
/* subtask.h - steps as leader and workers read and write them: dispatch, outcome, context, log; and the leases of workers.
 * Loop thread only, from fibers. */
#ifndef STORE_SUBTASK_H
#define STORE_SUBTASK_H

#include "src/store/task.h"

/* ---- changes ---------------------------------------------------------------------------------------------------------------- */

/* Writes status, operation, dispatch, attempts, error, worker and delay of `now` if the row is still in the state and dispatch of `was`.
 * Errors: TASK_OVERTAKEN, those of tx_exec. */
MUST_CHECK int store_subtask_move_in(struct tx *tx, const struct subtask *was, const struct subtask *now, struct err *e);
/* Writes to the row, so that nobody else changes it before the transaction ends, if it is still running here under this dispatch.
 * Errors: TASK_OVERTAKEN, those of tx_exec. */
MUST_CHECK int store_subtask_guard_in(struct tx *tx, const struct subtask *s, struct err *e);

/* ---- the leader --------------------------------------------------------------------------------------------------------------- */

/* READY steps whose time has come, the oldest first: id, task_id, dispatch, and worker_id, who ran it before. */
MUST_CHECK int store_subtask_due(struct db *d, unsigned limit, struct arena *arena, struct subtask **out, size_t *n, struct err *e);
/* RUNNING and CANCELING steps: id, task_id, dispatch, status, worker_id, incarnation. */
MUST_CHECK int store_subtask_active(struct db *d, struct arena *arena, struct subtask **out, size_t *n, struct err *e);
/* READY -> RUNNING at this worker under the next dispatch. *done false: it is not READY under its dispatch any more. Errors: those of tx_exec. */
MUST_CHECK int store_subtask_dispatch_in(struct tx *tx, const struct subtask *s, int64_t worker_id, int64_t incarnation, const char *worker,
                                         int64_t epoch, bool *done, struct err *e);

/* ---- workers ------------------------------------------------------------------------------------------------------------------- */

/* Steps that this process is to run (RUNNING) or to stop (CANCELING): whole rows. */
MUST_CHECK int store_subtask_mine(struct db *d, int64_t worker_id, int64_t incarnation, struct arena *arena, struct subtask **out, size_t *n,
                                  struct err *e);

enum { TASK_WORKER_TTL_MS = 10000 };
struct task_worker {
    int64_t node_id, incarnation;
    const char *name;
    int draining;                 /* takes no new steps */
    int64_t left_us;              /* read only: until its lease runs out, by MetaDB's clock; negative: it has */
};
/* Makes, or prolongs, the lease of this process. A row of another start of the same node becomes this one's. Errors: those of db_transact. */
MUST_CHECK int store_task_worker_renew(struct db *d, const struct task_worker *w, struct err *e);
/* Ends the lease of this process. Errors: those of db_transact. */
MUST_CHECK int store_task_worker_leave(struct db *d, const struct task_worker *w, struct err *e);
MUST_CHECK int store_task_worker_list(struct db *d, struct arena *arena, struct task_worker **out, size_t *n, struct err *e);

/* ---- context ------------------------------------------------------------------------------------------------------------------- */

/* NULL when there is none. */
MUST_CHECK int store_task_context_get(struct db *d, int64_t task_id, const char *key, struct arena *arena, const char **value, struct err *e);
MUST_CHECK int store_task_context_set_in(struct tx *tx, int64_t task_id, const char *key, const char *value, struct err *e);

/* ---- log ----------------------------------------------------------------------------------------------------------------------- */

struct subtask_line {
    int64_t subtask_id;
    int64_t seq;                  /* grows, for each step */
    int64_t at_us;
    const char *text;
};
/* Adds lines to logs of steps, a few hundred in a statement; one whose `seq` is there already stands. Errors: those of db_transact. */
MUST_CHECK int store_subtask_log(struct db *d, const struct subtask_line *lines, size_t n, struct arena *arena, struct err *e);
/* The newest `limit` lines with a `seq` above `after`, in their order. */
MUST_CHECK int store_subtask_lines(struct db *d, int64_t subtask_id, int64_t after, unsigned limit, struct arena *arena, struct subtask_line **out,
                                   size_t *n, struct err *e);
/* How far somebody has read the log of a step. */
struct subtask_mark {
    int64_t subtask_id, seq;
};
/* Lines behind these marks, no more than `limit`, in one statement: in the order of time, while those of one step stay in their own. None is passed
 * over: what is not among them is behind them. */
MUST_CHECK int store_subtask_new_lines(struct db *d, const struct subtask_mark *marks, size_t n_marks, unsigned limit, struct arena *arena,
                                       struct subtask_line **out, size_t *n, struct err *e);
/* Deletes lines that are older than 90 days, and what was begun once by steps that ended so long ago. Errors: those of db_prune. */
MUST_CHECK int store_task_prune(struct db *d, struct err *e);
/* Deletes tasks that ended more than `days` ago, 90 at least, some thousands of them; not those that hold locks. Errors: those of db_transact. */
MUST_CHECK int store_task_prune_old(struct db *d, int64_t days, struct err *e);

/* ---- sessions to managed clusters: src/task/session.h ----------------------------------------------------------------------------- */

struct task_session {
    const char *server;           /* "address:port" of the very server, not of a proxy */
    int64_t connection_id;        /* there */
    int64_t dispatch, age_us;     /* read only: of whom; since when by MetaDB's clock */
};
MUST_CHECK int store_task_session_open_in(struct tx *tx, const struct subtask *s, const struct task_session *session, struct err *e);
/* Of this step, by dispatches before s->dispatch. */
MUST_CHECK int store_task_session_older(struct db *d, const struct subtask *s, struct arena *arena, struct task_session **out, size_t *n,
                                        struct err *e);
MUST_CHECK int store_task_session_close_in(struct tx *tx, const struct subtask *s, const struct task_session *session, struct err *e);

#endif

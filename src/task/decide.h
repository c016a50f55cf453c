/* SPDX-License-Identifier: Apache-2.0 */
/* decide.h - what may become of a task and its steps: pure functions over the rows, no I/O, no clock.
 *
 *   PENDING ──all before it done──▶ READY ──dispatch d+1──▶ RUNNING ──▶ SUCCESSFUL
 *                                     ▲                        │ │ ├──▶ FAILED ───┐
 *                                     │◀─ lost worker (d+1) ───┘ │ └──▶ UNKNOWN ──┤
 *                                     │◀─ passing failure (d+1, later) ──┤        │
 *                                     │◀─ declined (d+1, later) ─────────┤        │
 *                                     │      declined too often ──▶ FAILED        │
 *                                     │◀──────────────── retry (d+1) ─────────────┤
 *                                                                SKIPPED ◀─ skip ─┤
 *                                                         CANCELLED ◀─ cancel ────┘
 *   RUNNING ──cancel (d+1)──▶ CANCELING ──its worker has stopped it──▶ FAILED;  its worker is lost ──▶ UNKNOWN
 *   READY ──cancel (d+1)──▶ FAILED
 *
 *   rollback of the task: every step that was ever dispatched goes, after all that came behind it, READY (d+1, operation ROLLBACK) ──▶ RUNNING
 *   ──▶ ROLLED_BACK, or FAILED (retry goes on rolling back). Steps without anything to undo are ROLLED_BACK at once.
 *
 * SUCCESSFUL, SKIPPED, CANCELLED and ROLLED_BACK are left by a rollback alone. Every arrow into or out of RUNNING and each that a person asks
 * for raises the dispatch. */
#ifndef TASK_DECIDE_H
#define TASK_DECIDE_H

#include "src/store/task.h"

/* What is asked for. */
enum decide_event {
    DECIDE_DONE,      /* run or rollback returned 0 */
    DECIDE_FAILED,    /* it failed for good */
    DECIDE_PASSING,   /* it failed, and may succeed later */
    DECIDE_UNKNOWN,   /* it cannot tell whether it acted */
    DECIDE_STOPPED,   /* its worker has stopped it after CANCELING */
    DECIDE_LOST,      /* its worker is gone */
    DECIDE_DECLINED,  /* its worker does not begin it: it is of a version that does not know it, or drained; another one may */
    DECIDE_RETRY, DECIDE_SKIP, DECIDE_CANCEL, /* a person's */
    DECIDE_EVENTS,
};

/* How a request of a person ends. */
enum decide_answer { DECIDE_OK, DECIDE_STATE /* 4007 */, DECIDE_NO_SKIP /* 4010 */, DECIDE_NO_ROLLBACK /* 4009 */ };

/* Applies an event to one step. DECIDE_STATE: the step's state does not allow it, and nothing was changed.
 * Whatever changed the steps of a task, decide_settle is next. */
enum decide_answer decide_step(const struct task *t, struct subtask *s, enum decide_event event);
/* All failed and unknown steps again; the task is to be FAILED. */
enum decide_answer decide_retry(struct task *t);
/* Begins to roll a FAILED task back. */
enum decide_answer decide_rollback(struct task *t);
/* Makes steps READY, in forward or backward order, and says in t->status and t->operation how the task stands. With `undo` set, a failure begins a
 * rollback by itself. `scratch` has n_subtasks + 1 elements. */
void decide_settle(struct task *t, int64_t *scratch);
/* May others take what this task has locked? A step of unknown outcome may still act. */
bool decide_frees_locks(const struct task *t);
/* Milliseconds before the attempt after `attempts` failed ones: 1 s, 2 s, 4 s ... 1 min. */
int64_t decide_pause_ms(int64_t attempts);
/* A step that was declined this often, which takes a good hour, fails: nobody knows it. */
enum { DECIDE_DECLINES = 400 };

/* Is a worker gone, so that its steps go to others? `up_ms`: for how long MetaDB has been answering the leader without a break: leases could not be
 * prolonged before. */
struct decide_worker {
    bool registered;      /* there is a row with the incarnation that runs the step */
    bool process_dead;    /* its host says so */
    int64_t left_us;      /* of its lease; negative: run out */
};
bool decide_is_lost(const struct decide_worker *w, int64_t up_ms);

#endif

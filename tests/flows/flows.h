/* SPDX-License-Identifier: Apache-2.0 */
/* flows.h - flows of the tests: a server of their own has them and a route that starts them (more.h). */
#ifndef TESTS_FLOWS_FLOWS_H
#define TESTS_FLOWS_FLOWS_H

#include "src/task/engine.h"
#include "src/task/flow.h"

/* The example of docs/flows.md. */
struct greeting {
    const struct task_target *people;
    size_t n;
    int64_t book;                /* no two tasks write in it at once; 0: it does not matter */
    int64_t user_id;
    const char *username, *node;
    const char *arguments;       /* {"text":"Hello"} */
};
extern const struct task_flow flow_greet;
/* Errors: those of task_prepare, task_insert and db_transact. */
MUST_CHECK int greet_start(struct db *d, struct task_engine *t, const struct greeting *g, struct arena *arena, int64_t *id, struct err *e);

/* Steps that wait and fail as a test wants it (trial.c):
 *
 *   begin --> act (each target, `width` at a time) --> end
 *
 * Rows of trial_control say what becomes of "act" for a target: "hold" (waits, after it has checked, until the row is gone), "fail", "pass" (a failure
 * that may pass), "unknown", "talk" (1500 lines of log), "garble" (fails; what it says is not UTF-8). Effects are rows of trial_effect, counted there. */
struct trial {
    const struct task_target *targets;
    size_t n;
    unsigned width;
    bool chain;                  /* a second step for each target: "act again" */
    bool brief;                  /* the steps have a second, no more */
    unsigned length;             /* so many "idle" steps before the end */
};
extern const struct task_flow flow_trial;
/* Fails as a row of trial_control wants it of this step's target; `what`: "fail", "pass", "unknown". */
MUST_CHECK int trial_fail(struct task_run *r, const char *what, struct err *e);

/* run script (each host), which then passes, fails... as its row wants it (errand.c). Argument: "script", a path there. */
struct errand {
    const struct task_target *hosts; /* ids */
    size_t n;
};
extern const struct task_flow flow_errand;

#endif

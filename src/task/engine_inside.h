/* SPDX-License-Identifier: Apache-2.0 */
/* engine_inside.h - what the files of the engine share: the leader's side (schedule.c), the worker's (work.c), one run of a step (run.c). */
#ifndef TASK_ENGINE_INSIDE_H
#define TASK_ENGINE_INSIDE_H

#include <stdatomic.h>

#include "src/io/fiber.h"
#include "src/store/subtask.h"
#include "src/task/decide.h"
#include "src/task/engine.h"

struct scheduler;
struct task_host;
struct worker_state;

enum { TASK_DB_RETRY_MS = 300, TASK_DB_CALL_MS = 30000, TASK_LOOK_MS = 1000, TASK_ENDED = 64 };

/* Wakes one fiber of the loop; a ring while it works is not lost. */
struct bell {
    bool rung;
    struct waitlist line;
};
void bell_ring(struct bell *b);
/* Until it is rung, `ms` have passed, or the fiber is cancelled (false). */
bool bell_wait(struct bell *b, int64_t ms);

struct task_engine {
    struct task_engine_conf conf;
    struct log log;
    struct scheduler *scheduler;   /* NULL: this node does not lead */
    struct fiber *worker;          /* NULL: it takes no steps */
    struct bell work, plan;        /* the worker's and the scheduler's */
    struct waitlist left;          /* who waits for the last run to end */
    struct task_run *runs;         /* each has a fiber */
    struct { int64_t id, dispatch; } ended[TASK_ENDED]; /* runs that have ended while the worker was reading its rows, which may still show them */
    unsigned n_ended;
    size_t n_lines;                /* of all runs, in memory */
    int64_t renewed_ms;            /* when the worker's lease was last prolonged, by the loop's clock; 0: never */
    bool draining, leaving;
    _Atomic uint64_t dispatched, taken_over, ran, failed, retried, refused;
    _Atomic unsigned running, workers;
};

/* Why a run is ended from outside. */
enum task_stop { TASK_GOES_ON, TASK_STOP_ASKED /* cancelled by a person */, TASK_STOP_OVERTAKEN, TASK_STOP_LEAVING };

/* A line that MetaDB does not have yet. */
struct run_line {
    struct run_line *next;
    int64_t seq, at_us;
    char text[];
};
struct run_lines {
    struct run_line *first, *last;
    size_t n;
};

struct task_run {
    struct task_engine *engine;
    struct task_run *next;         /* of engine->runs */
    struct fiber *fiber;           /* NULL: it has not begun */
    enum task_stop stop;
    struct subtask step;           /* the row as it was dispatched; texts in `arena` */
    int64_t stop_dispatch;         /* of CANCELING, when stop is TASK_STOP_ASKED */
    struct task task;
    const struct task_flow *flow;
    struct arena arena;
    json_t *arguments;             /* owned; NULL until they are asked for */
    struct log log;
    struct run_lines lines, last_lines; /* that wait to be written; the end of a log that is too long */
    int64_t n_lines;               /* that have a number */
    bool is_writing;               /* some of them are on their way to MetaDB; the run lives until they are there */
    struct waitlist written;
    int64_t seq;                   /* of commands */
    struct task_host *hosts;       /* that the step has touched (remote.c); in `arena` */
    void (*recorded)(struct task_run *r, enum decide_event outcome); /* once it is in MetaDB and counts; in the step's fiber; NULL: nothing */
};

/* run.c: a step's fiber; `data` is the run, which it frees. */
void task_run_fiber(void *data);
void task_run_free(struct task_run *r);
/* Did something outside refuse or not answer? */
bool task_is_passing(const struct err *e);

/* run_log.c: lines of all runs go to MetaDB, a few statements whatever their number. One fiber. Errors: those of store_subtask_log; then they wait. */
MUST_CHECK int task_write_logs(struct task_engine *t, struct err *e);
/* No more lines come. */
void task_run_end_log(struct task_run *r);
/* Lines of this run; also waits for those that are on their way. Errors: as above. */
MUST_CHECK int task_run_write_log(struct task_run *r, struct err *e);
/* Until none of its lines is on its way. */
void task_run_await_log(struct task_run *r);
void task_run_free_log(struct task_run *r);

/* work.c: the run of this step is over. */
void task_remember_end(struct task_engine *t, const struct subtask *s);

const struct task_flow *task_engine_flow(const struct task_engine *t, const char *name);

#endif

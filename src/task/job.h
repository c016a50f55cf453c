/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - small work that comes again and again on one loop: refreshing snapshots, pruning old rows. Domains declare their jobs
 * in const tables; each job has a fiber of its own, starts at a random moment of its interval, and never overlaps with itself. */
#ifndef TASK_JOB_H
#define TASK_JOB_H

#include "src/base/log.h"
#include "src/io/loop.h"

struct job {
    const char *name;                       /* NULL ends a table; also the fiber's name */
    int64_t interval_ms;                    /* between the end of one run and the next, give or take a tenth */
    int64_t timeout_ms;                     /* deadline of one run */
    int (*run)(void *data, struct err *e);  /* data as given to jobs_start */
    bool at_once;                           /* the first run does not wait */
};

struct jobs;

/* Starts a fiber for each row. `data` is borrowed and outlives the jobs. A failure is logged when it begins and when it is over, not each
 * time. They end when the loop stops, or by jobs_stop(*out); `out` may be NULL. Errors: NOMEM, BUSY; then none of them goes on. */
MUST_CHECK int jobs_start(struct loop *l, const struct job *table, void *data, const struct log *log, uint64_t seed, struct jobs **out,
                          struct err *e);
/* From now on none of them does anything any more: what they wait for ends with CANCELLED. NULL is fine. */
void jobs_stop(struct jobs *j);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* work.h - pools of threads for what would block a loop: password hashing, connecting and DNS, long work.
 * A fiber hands in a job and waits for it like for anything else. */
#ifndef IO_WORK_H
#define IO_WORK_H

#include "src/base/err.h"
#include "src/io/loop.h"

struct work_pool;

struct work_conf {
    const char *name;        /* borrowed, outlives the pool; threads bear it */
    unsigned n_threads;      /* at most; threads start when there is work */
    unsigned max_queued;     /* jobs waiting for a thread; above it work_run answers ERR_BUSY */
};

/* Any thread. Errors: NOMEM. */
MUST_CHECK int work_pool_new(const struct work_conf *conf, struct work_pool **out, struct err *e);
/* Waits for the jobs that run, drops those that wait. Any thread but its own; no loop may still hand in jobs. */
void work_pool_free(struct work_pool *p);

/* A job: the head of the caller's heap struct, which holds private input and output. */
struct work {
    void (*run)(struct work *w);   /* on a thread of the pool; sees nothing but the job */
    void (*drop)(struct work *w);  /* frees the job; called by the pool, on any thread, when the fiber gave up waiting */
    /* private to work.c */
    struct loop *loop;
    struct loop_post post;
    struct work *next;
    void *waiting;
    int state;
};

/* Runs `w` and waits. Returns 0 when it has run: the job is the caller's again. On every error the pool has taken the job
 * and drops it (at once or when its thread is done with it). Errors: BUSY, TIMEOUT, CANCELLED.
 * From a fiber: the fiber waits, its deadline counts. From another thread: runs the job right here. */
MUST_CHECK int work_run(struct work_pool *p, struct work *w, struct err *e);

struct work_stats {
    unsigned queued, running, threads;
    uint64_t done, refused, abandoned;
};
/* Any thread. */
struct work_stats work_stats(struct work_pool *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - an event loop on one thread, and the fibers that live on it.
 * Everything here belongs to the loop's thread unless it says "any thread". */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "src/base/clock.h"
#include "src/base/err.h"
#include "src/base/log.h"

struct loop;

struct loop_conf {
    const char *name;             /* borrowed, outlives the loop; also the thread's name */
    const struct clock *clock;    /* borrowed, outlives the loop */
    const struct log *log;        /* borrowed, outlives the loop */
    unsigned max_fibers;          /* fiber_start answers ERR_BUSY above it */
    size_t stack_bytes;           /* address space of one fiber's stack, without its guard page */
};

enum { LOOP_MAX_FIBERS = 8192, LOOP_STACK_BYTES = 256 * 1024 };

/* Makes a loop that does not run yet. Errors: NOMEM, IO. */
MUST_CHECK int loop_new(const struct loop_conf *conf, struct loop **out, struct err *e);
/* The loop must not run, and no fiber may be left. Closes what is its own; handles of others must be closed already. */
void loop_free(struct loop *l);

/* Runs on this thread until loop_stop was called, all fibers have ended and every handle is closed or unreferenced. */
void loop_run(struct loop *l);
/* Runs what is ready now and returns; for tests. */
void loop_run_once(struct loop *l, bool may_block);
/* The loop running on this thread; NULL on other threads. */
struct loop *loop_current(void);

/* Runs `fn` once on a thread of its own. loop_thread_join waits until loop_run has returned there. Errors: IO. */
MUST_CHECK int loop_thread_start(struct loop *l, struct err *e);
void loop_thread_join(struct loop *l);

/* Any thread. Runs fn(data) on the loop, later, in the order of posting. Never fails: `post` is the caller's memory,
 * untouched until fn runs. */
struct loop_post {
    void (*fn)(struct loop_post *post);
    struct loop_post *next; /* the loop's */
};
void loop_post(struct loop *l, struct loop_post *post);

/* Any thread. Cancels all fibers, refuses new ones with ERR_CANCELLED, and lets loop_run return when they have ended. */
void loop_stop(struct loop *l);

/* Calls fn(data) each time the loop has run all that was ready, before it waits for the kernel: the place to flush what
 * fibers have produced. `hook` is the caller's memory. */
struct loop_hook {
    void (*fn)(void *data);
    void *data;
    struct loop_hook *next; /* the loop's */
};
void loop_add_hook(struct loop *l, struct loop_hook *hook);
void loop_remove_hook(struct loop *l, struct loop_hook *hook);

/* One object of a module per loop, made at the module's first use there and closed with the loop. Embedded in that object. */
struct loop_local {
    const void *key;                         /* the address of something static of the module */
    void (*close)(struct loop_local *local); /* from loop_free: closes its handles; frees it, in their close callback */
    struct loop_local *next;                 /* the loop's */
};
void loop_add_local(struct loop *l, struct loop_local *local);
/* NULL when none was added under `key`. */
struct loop_local *loop_local(struct loop *l, const void *key);

uv_loop_t *loop_uv(struct loop *l);
const struct clock *loop_clock(const struct loop *l);
const struct log *loop_log(const struct loop *l);
/* Milliseconds since boot as of the last time the loop looked. */
int64_t loop_now_ms(const struct loop *l);

struct loop_stats {
    unsigned fibers, peak_fibers;   /* alive now; most at once */
    uint64_t started, refused;      /* fibers since the start; by the cap */
    uint64_t turns;                 /* iterations */
    uint64_t busy_us, longest_us;   /* time between two waits for the kernel: sum, and longest single one since the last call */
    int64_t turned_at_ms;           /* last iteration, in the clock's milliseconds */
};
/* Any thread (values are of one recent moment each). Resets longest_us. */
struct loop_stats loop_stats(struct loop *l);

#endif

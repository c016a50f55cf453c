/* SPDX-License-Identifier: Apache-2.0 */
/* sched.h - the part of a loop that runs fibers; private to loop.c, fiber.c and crash.c. */
#ifndef IO_SCHED_H
#define IO_SCHED_H

#include <stdatomic.h>

#include <uv.h>

#include "src/io/fiber.h"
#include "src/io/loop.h"
#include "src/io/switch.h"

enum fiber_state { FIBER_READY, FIBER_RUNNING, FIBER_PARKED, FIBER_ENDED };

struct fiber {
    struct context context;
    struct stack stack;          /* owned; kept when the fiber goes back to the pool */
    uv_timer_t timer;            /* owned; of the present wait */
    struct loop *loop;
    const char *name;            /* borrowed */
    void (*fn)(void *data);
    void *data;
    enum fiber_state state;
    bool cancelled, shielded;
    void *carried;
    int64_t deadline_ms;
    struct wait *wait;           /* the present wait; NULL while it runs */
    struct fiber *next_ready;    /* run queue, or the pool's free list */
    struct fiber *next, *prev;   /* all living fibers of the loop */
};

struct sched {
    struct loop *loop;
    struct context main;         /* the thread's own stack */
    struct fiber *current;       /* running now; NULL: a callback */
    struct fiber *ready_first, *ready_last;
    struct fiber *yielded_first, *yielded_last; /* become ready once the kernel has been looked at */
    struct fiber *living;
    struct fiber *pool;          /* ended fibers with their stacks */
    unsigned pooled;
    unsigned max_fibers;
    size_t stack_bytes;
    bool stopping;

    /* written by the loop, read by any thread */
    _Atomic unsigned n_living, peak;
    _Atomic uint64_t n_started, n_refused;
};

/* Adds to a counter that only this thread writes; no locked instruction is needed. */
#define SCHED_ADD(COUNTER, N) \
    atomic_store_explicit(&(COUNTER), atomic_load_explicit(&(COUNTER), memory_order_relaxed) + (N), memory_order_relaxed)
#define SCHED_GET(COUNTER) atomic_load_explicit(&(COUNTER), memory_order_relaxed)

void sched_init(struct sched *s, struct loop *l, const struct loop_conf *conf);
/* Begins closing the pooled fibers' timers; the loop must run until they are closed, then sched_fini frees them. */
void sched_close(struct sched *s);
void sched_fini(struct sched *s);
/* Runs every ready fiber, also those that become ready meanwhile, up to a bound; true when some are left or have yielded. */
bool sched_run(struct sched *s);
/* The kernel has been looked at: what had yielded is ready again. */
void sched_end_yield(struct sched *s);
void sched_stop(struct sched *s);
struct sched *loop_sched(struct loop *l);

#endif

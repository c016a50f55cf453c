/* SPDX-License-Identifier: Apache-2.0 */
/* fiber.h - straight-line code on an event loop.
 * A fiber is a stackful coroutine that belongs to one loop for life. It runs until it waits; every wait has a deadline and
 * can be cancelled. Nothing but what the fiber owns may be assumed unchanged across a wait. Loop thread only. */
#ifndef IO_FIBER_H
#define IO_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/err.h"

struct fiber;
struct loop;

/* Starts fn(data) in a new fiber named `name` (borrowed, outlives it). From a callback it runs at once until its first wait,
 * from another fiber it runs next. `out` may be NULL; what it gets is valid until fn returns.
 * Errors: BUSY (too many fibers), NOMEM, CANCELLED (the loop is stopping). */
MUST_CHECK int fiber_start(struct loop *l, const char *name, void (*fn)(void *data), void *data, struct fiber **out,
                           struct err *e);

/* The running fiber; NULL in a callback. */
struct fiber *fiber_current(void);
struct loop *fiber_loop(const struct fiber *f);
const char *fiber_name(const struct fiber *f);

/* Makes the present and every later wait of `f` end with ERR_CANCELLED. Never runs `f` from inside this call. */
void fiber_cancel(struct fiber *f);
bool fiber_is_cancelled(const struct fiber *f);
/* While shielded, waits of the running fiber are not cut short by cancellation: for undoing. Returns the former state. */
bool fiber_shield(bool on);

/* The running fiber's deadline in the clock's milliseconds; INT64_MAX when it has none. No wait lasts beyond it. */
int64_t fiber_deadline(void);
/* Narrows the deadline to `timeout_ms` from now if that is earlier, and returns the former one for fiber_restore_deadline. */
int64_t fiber_narrow_deadline(int64_t timeout_ms);
void fiber_restore_deadline(int64_t former);
/* Milliseconds left until the deadline, 0 when it has passed, INT32_MAX at the most. */
int fiber_ms_left(void);

/* One pointer that the running fiber carries along, NULL at first: for what lower layers must find without being handed it. */
void *fiber_carried(void); /* NULL in a callback */
void fiber_carry(void *p);

/* One wait of the running fiber for one event. Lives in the fiber's own memory; whoever wakes it forgets it before the
 * wait returns, or the waiting side takes it back (unlinks it) after a wait that failed. */
struct wait {
    struct fiber *fiber;
    bool woken;
};
/* Binds `w` to the running fiber. */
void wait_init(struct wait *w);
/* Parks the fiber until wait_wake(w). Returns 0 when woken (also if that came before this call).
 * Errors: TIMEOUT, CANCELLED; the deadline is the fiber's own. */
MUST_CHECK int wait_for(struct wait *w, struct err *e);
/* Makes the fiber run next; never runs it from inside this call. Harmless when repeated before the wait returns. */
void wait_wake(struct wait *w);

/* Lets everything else that is ready run first, and what the kernel has ready, too. Errors: CANCELLED. */
MUST_CHECK int fiber_yield(struct err *e);
/* Errors: TIMEOUT (the fiber's deadline came first), CANCELLED. */
MUST_CHECK int fiber_sleep(int64_t ms, struct err *e);

/* Fibers in line for something, first come first served. */
struct waiter;
struct waitlist {
    struct waiter *first, *last;
};
/* Waits in line. Errors: TIMEOUT, CANCELLED (then the fiber has left the line). */
MUST_CHECK int waitlist_wait(struct waitlist *list, struct err *e);
/* Wakes the first in line; false when nobody waits. */
bool waitlist_wake_one(struct waitlist *list);
void waitlist_wake_all(struct waitlist *list);

/* Mutual exclusion of fibers of one loop across waits. */
struct fiber_mutex {
    bool locked;
    struct waitlist line;
};
MUST_CHECK int fiber_mutex_lock(struct fiber_mutex *m, struct err *e);
void fiber_mutex_unlock(struct fiber_mutex *m);

/* Fibers that are waited for together. */
struct fiber_group {
    unsigned running;
    struct waitlist done;
};
/* Starts fn(data) as a member. Errors as fiber_start. */
MUST_CHECK int fiber_group_start(struct fiber_group *g, struct loop *l, const char *name, void (*fn)(void *data), void *data,
                                 struct err *e);
/* Waits until no member runs. Errors: TIMEOUT, CANCELLED: members may still run and use what they were given, so wait
 * shielded wherever that is the caller's stack. */
MUST_CHECK int fiber_group_wait(struct fiber_group *g, struct err *e);
/* Runs fn for each of `n` items of `size` bytes, side by side, each until the caller's deadline. Returns when all have ended, so items may lie on
 * the caller's stack; what became of each is for the items to say. Errors, when not all were started: those of fiber_start. */
MUST_CHECK int fiber_each(const char *name, void (*fn)(void *item), void *items, size_t size, size_t n, struct err *e);

#endif

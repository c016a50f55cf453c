/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h - one process that ocp_agentd guards: started when it is wanted, started again when it ends, less and less often when it ends at once.
 *
 *   STOPPED --wanted--> RUNNING --ends--> BACKING_OFF --its time--> RUNNING        not wanted any more: TERM, KILL after a while, STOPPED
 *
 * A process that is there already (of a former ocp_agentd) is adopted. Loop thread only. */
#ifndef AGENT_GUARD_H
#define AGENT_GUARD_H

#include "agent/groups.h"
#include "src/io/fiber.h"

enum { GUARD_FIRST_MS = 100, GUARD_LAST_MS = 60000, GUARD_CALM_MS = 10000, GUARD_KILL_MS = 15000 };
enum guard_state { GUARD_STOPPED, GUARD_RUNNING, GUARD_STOPPING, GUARD_BACKING_OFF };

struct guard {
    struct frame *frame;             /* borrowed */
    const struct guarded *row;
    enum guard_state state;
    pid_t pid;
    int64_t start_time, started_us;
    int64_t since_ms, due_ms;        /* of this state; when to try again, or to kill */
    unsigned fails, restarts;        /* in a row; in all */
    uv_poll_t *watch;                /* of its pidfd; NULL: looked at now and then */
    int watch_fd;                    /* the pidfd, with watch */
    struct waitlist *changed;        /* borrowed: woken when it ends */
    bool ended;
};

void guard_init(struct guard *g, struct frame *f, const struct guarded *row, struct waitlist *changed);
/* A process of a former guard. */
void guard_adopt(struct guard *g, pid_t pid, int64_t start_time, int64_t started_us, unsigned restarts);
/* One look: does what is due now; true when something changed. *next_ms: when to look again at the latest. From a fiber. */
bool guard_look(struct guard *g, bool wanted, int64_t now_ms, int64_t *next_ms);
/* SIGTERM, at once, to be seen gone by later looks. */
void guard_stop(struct guard *g, int64_t now_ms);
/* Forgets the process without ending it; closes what is the loop's. */
void guard_fini(struct guard *g);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* remote_inside.h - what remote.c (while a step runs) and remote_end.c (after its outcome was recorded) share. */
#ifndef TASK_REMOTE_INSIDE_H
#define TASK_REMOTE_INSIDE_H

#include "src/store/subtask_once.h"
#include "src/task/engine_inside.h"
#include "src/task/remote.h"

/* What this dispatch made of an older one's result. */
enum older_use { USE_NONE, USE_TAKEN, USE_TOLD /* nobody knows what it did, and the step has said so */ };

struct used_key {
    struct agent_key key;
    bool stays;                       /* it did, or may have done, what must not be done twice */
    bool is_told;                     /* the step has said that nobody knows */
};

struct task_host {
    struct task_run *run;
    struct agent_client *client;      /* borrowed */
    struct agent_at at;
    struct agent_key key;             /* of this dispatch; seq does not count */
    int64_t epoch;                    /* as shown to the agent: that of the dispatch, until the agent has heard of a newer leader */
    struct agent_reply *older;        /* what older dispatches have left, all of it ended */
    enum older_use *use;              /* of older */
    size_t n_older;
    struct used_key *used;            /* in this dispatch, and known to have ended */
    size_t n_used, space;
    int64_t since;                    /* the first dispatch that went this way and began what must not be done twice here; 0: this one has not yet */
    const struct subtask_once *lost;  /* begun by an agent that is not there any more; NULL: none */
    struct task_host *next;           /* of run->hosts */
};

/* remote_end.c: tells the agents; in the step's fiber. */
void task_hosts_recorded(struct task_run *r, enum decide_event outcome);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* target.h - what steps act on: hosts with an agent, and a managed cluster that knows nothing of us. Calls travel, late, twice or never; agents
 * and their commands end in the middle. Effects are counted here, at the target, and not by what anybody says about them. */
#ifndef TESTS_SIM_TARGET_H
#define TESTS_SIM_TARGET_H

#include "tests/sim/sim.h"

struct targets;

enum { TARGET_HOSTS = 3, TARGET_QUERY_MS = 500, TARGET_START_MS = 2000 /* a command may be started so long after it was sent */ };

/* The first four are for agents, the others for the cluster. */
enum target_verb { TARGET_FENCE, TARGET_QUERY, TARGET_COMMAND, TARGET_ACKNOWLEDGE, TARGET_OPEN, TARGET_KILL, TARGET_CHECK, TARGET_EXECUTE };
enum target_answer {
    TARGET_SILENT,      /* no answer (yet) */
    TARGET_CLEAR,       /* FENCE: nothing older runs; the new dispatch is the lowest that is let in. KILL: the session is gone. CHECK: not done */
    TARGET_RUNNING,     /* something (older) still runs */
    TARGET_DONE,        /* it was done, or is */
    TARGET_FAILED,      /* it ended without having done anything */
    TARGET_UNKNOWN,     /* the agent cannot tell whether it was done */
    TARGET_OLD,         /* refused: a newer dispatch is known */
    TARGET_EPOCH,       /* refused: a newer epoch is known */
    TARGET_LATE,        /* refused: it may not be started any more */
    TARGET_OTHER,       /* refused: the agent was installed anew */
    TARGET_OPENED,      /* the session's number is the call's value */
    TARGET_GONE,        /* there is no such session any more */
};
struct target_call {
    enum target_verb verb;
    int64_t task, dispatch, epoch;
    int64_t incarnation; /* of the agent that is meant */
    unsigned step;
    uint64_t session;
};

/* NULL when memory is out. */
struct targets *targets_new(struct sim_rng *rng, struct sim_counts *counts);
void targets_free(struct targets *t);
/* `epoch`: as MetaDB has it, for agents that are installed anew. */
void targets_run(struct targets *t, int64_t now_ms, int64_t epoch, bool calm);
/* What broke a rule, "" if nothing did. */
const char *targets_broken(const struct targets *t);

/* Sends a call; its number. */
uint64_t targets_say(struct targets *t, const struct target_call *call);
enum target_answer targets_answer(const struct targets *t, uint64_t number, uint64_t *value);
/* A worker has seen the sessions of older dispatches gone, and has waited for what they may have left behind. */
void targets_fenced(struct targets *t, int64_t task, unsigned step, int64_t dispatch);
/* Of the agent there; 0: it is not up. */
int64_t targets_incarnation(const struct targets *t, unsigned host);
unsigned targets_host(int64_t task, unsigned step);
/* Every other step goes to an agent. */
bool targets_is_agent(int64_t task, unsigned step);

/* --- for the checks --------------------------------------------------------------------------------------------------------------- */

unsigned targets_effects(const struct targets *t, int64_t task, unsigned step);
/* A MetaDB that was restored knows of less than was done: what tasks up to this one do is not counted. */
void targets_forgive(struct targets *t, int64_t task);
bool targets_counts(const struct targets *t, int64_t task);

#endif

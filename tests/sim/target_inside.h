/* SPDX-License-Identifier: Apache-2.0 */
/* target_inside.h - what the parts of the targets share: calls, effects and the cluster (target.c), hosts with their agents (target_agent.c). */
#ifndef TESTS_SIM_TARGET_INSIDE_H
#define TESTS_SIM_TARGET_INSIDE_H

#include "agent/ledger.h"
#include "tests/sim/target.h"

enum { TARGET_MARKS = 4096, TARGET_STEPS = 4, TARGET_SESSIONS = 64, TARGET_JOBS = 64, TARGET_CALLS = 256, TARGET_BITS = 32 };

/* The truth about a step, whatever anybody believes. Bits are dispatches. */
struct mark {
    int64_t task;
    unsigned effects;
    int64_t fenced;               /* nothing of an older dispatch may act any more */
    uint32_t told;                /* somebody was told that it was done */
    uint32_t acknowledged;        /* and nobody asks any more */
    uint32_t buried;              /* somebody was told that it never came */
};

/* A record in a journal, with what it points at. */
struct written {
    struct record record;
    struct agent_key key;
    char incarnation[AGENT_ID_SIZE], boot[AGENT_ID_SIZE];
};

/* pos_proxy of a host, and the host. What counts records counts all that were ever added. */
struct agent {
    struct ledger *ledger;
    struct written *journal;      /* what the file has, and what is on its way there */
    unsigned n, space;
    uint64_t added, syncing, synced;
    int64_t sync_ms;              /* when the sync under way is done; 0: there is none */
    int64_t paused_until_ms, down_until_ms;
    int64_t incarnation, boot, life; /* life: of the process; the others as in the protocol, in numbers */
    int64_t heard;                /* the truth: an answer has told that this epoch was heard */
};

/* What a command does: in the agent, or as a process of its own. */
struct job {
    enum { JOB_FREE, JOB_INTENT, JOB_SPAWNED, JOB_ACTS, JOB_ENDED } at;
    unsigned host, step;
    int64_t task, dispatch, start_by_ms, ends_ms;
    uint64_t needs;               /* records to be on the disk before it goes on */
    bool is_slow, fails, is_lost; /* slow: a process of its own; lost: it died without leaving a result */
};

struct session {
    uint64_t id;                  /* 0: none */
    int64_t task, dispatch;
    unsigned step;
    bool killed;                  /* or its connection broke */
    int64_t used_ms, ends_ms;     /* ends_ms: of its statement; 0: none */
    int64_t last_ms;              /* what is said on it arrives in order */
};

struct sent {
    uint64_t number;              /* 0: free */
    struct target_call call;
    int64_t boot, start_by_ms, at_ms, again_ms, back_ms, sent_ms;
    enum target_answer answer;
    uint64_t value;
    uint64_t needs;               /* its answer waits for so many records, of this process; 0: for nothing */
    int64_t life;
};

struct targets {
    struct sim_rng *rng;
    struct sim_counts *counts;
    int64_t now_ms, epoch, forgiven, next_incarnation;
    bool calm;
    uint64_t next_call, first_call, next_session;
    struct mark marks[TARGET_MARKS];
    struct agent agents[TARGET_HOSTS];
    struct job jobs[TARGET_JOBS];
    struct session sessions[TARGET_SESSIONS];
    struct sent calls[TARGET_CALLS];
    char broken[200];
};

void target_break(struct targets *t, const char *what, int64_t task, unsigned step, int64_t dispatch);
struct mark *target_mark(struct targets *t, int64_t task, unsigned step);
/* It happens. */
void target_effect(struct targets *t, int64_t task, unsigned step, int64_t dispatch);

/* --- target_agent.c --------------------------------------------------------------------------------------------------------------- */

bool agents_init(struct targets *t);
void agents_fini(struct targets *t);
/* Nobody hears what is said to it now: what waits is heard later (paused), or never. */
bool agent_is_paused(const struct targets *t, unsigned host);
/* What it answers; s->needs: once so many records are on its disk. TARGET_SILENT: it does not. */
enum target_answer agent_hears(struct targets *t, struct sent *s);
/* May the answer leave? *lost: it never will. */
bool agent_may_answer(const struct targets *t, const struct sent *s, bool *lost);
/* The answer leaves: what it says has to be true from now on. */
void agent_has_said(struct targets *t, const struct sent *s);
void agents_run(struct targets *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* agentdouble.h - one agent without its host: answers the calls of src/peer/agent.h, linked in its place, out of the agent's own ledger. What
 * becomes of commands is set beforehand; what they do is counted. */
#ifndef TESTS_LIB_AGENTDOUBLE_H
#define TESTS_LIB_AGENTDOUBLE_H

#include "agent/ledger.h"
#include "src/base/arena.h"
#include "src/peer/agent.h"

/* What becomes of one command that is new to it. */
enum double_fate {
    DOUBLE_DOES,       /* done, and answered */
    DOUBLE_FAILS,      /* done badly, and answered */
    DOUBLE_BREAKS,     /* the agent ended in the midst of it: nobody knows */
    DOUBLE_MUTE,       /* done, the answer is lost */
    DOUBLE_RUNS,       /* it runs on, and nobody is answered; `rounds` queries later it is done */
};

enum { DOUBLE_FATES = 16 };

struct agent_client {
    struct ledger *ledger;
    struct arena arena;
    enum double_fate fates[DOUBLE_FATES]; /* of the next commands, in order; then DOUBLE_DOES */
    size_t n_fates, at_fate;
    unsigned rounds;
    bool is_away;
    const char *output;           /* of commands that are slow; NULL: none */
    unsigned starts, fences, queries, acknowledged, hellos;
    struct agent_key last;        /* of the last command that came */
    const char *last_kind;        /* "" before it */
    int64_t last_epoch;
    char incarnation[AGENT_ID_SIZE];
};

void double_init(struct agent_client *c);
void double_fini(struct agent_client *c);
/* Somebody installs it anew: it has forgotten everything. */
void double_install_anew(struct agent_client *c);
/* Another node's call: it leads under this epoch. */
void double_hears(struct agent_client *c, int64_t epoch);

#endif

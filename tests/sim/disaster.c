/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator does when a cluster cannot help itself. All that runs is stopped, as far as it is reached; what is not (a host that sleeps, or was
 * believed to be lost) comes back later with all that it had. */
#include "tests/sim/world.h"

#include <stdlib.h>

enum { ONE_IN = 3, RETURNS_MS = 20000 };

void disaster_plan(struct run *s)
{
    int64_t length_ms = (int64_t)s->conf.seconds * 1000;

    if (s->newest > 0) /* one seldom comes alone */
        length_ms /= 3;
    s->disaster_ms = sim_once_in(&s->rng, ONE_IN - (s->newest > 0)) ? s->now_ms + sim_below(&s->rng, (uint32_t)length_ms) : INT64_MAX;
}

/* Any that can be reached, in a random order. */
static unsigned pick_founders(struct run *s, unsigned wanted, unsigned founders[SIM_NODES])
{
    unsigned first = sim_below(&s->rng, SIM_NODES), n = 0;

    for (unsigned i = 0; i < SIM_NODES && n < wanted; i++)
        if (!s->nodes[(first + i) % SIM_NODES].paused)
            founders[n++] = (first + i) % SIM_NODES;
    return n;
}

/* Hosts that nobody could stop go on; the others come back with what is on their disks. */
static void stop_all(struct run *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].c == NULL || s->nodes[i].paused || sim_once_in(&s->rng, 6))
            continue;
        sim_crash(s, i);
        s->nodes[i].boot_ms = s->now_ms + sim_below(&s->rng, RETURNS_MS);
    }
}

static void count(struct run *s, bool restored, unsigned n_lost)
{
    if (restored)
        s->counts->restores++;
    else if (n_lost == SIM_NODES)
        s->counts->recoveries_of_all++;
    else
        s->counts->recoveries++;
}

static void found_anew(struct run *s)
{
    unsigned founders[SIM_NODES], n = pick_founders(s, sim_once_in(&s->rng, 3) ? 5 : 3, founders), lost = SIM_NODES;
    bool restored = sim_once_in(&s->rng, 3), all = sim_once_in(&s->rng, 2);

    if (n < 3)
        return; /* nobody to found it with: later, perhaps */
    stop_all(s);
    s->generation = metadb_found_anew(s->db, restored);
    if (restored)
        targets_forgive(s->targets, s->next_task);
    s->newest++;
    s->clusters[s->newest].committed = malloc(SIM_LOG * sizeof(struct stored));
    for (unsigned i = 0; i < n - (n + 1) % 2; i++) {
        if (!sim_wipe(s, founders[i], founders, n - (n + 1) % 2))
            sim_broken(s, founders[i], "cannot found");
        s->nodes[founders[i]].boot_ms = s->now_ms + sim_below(&s->rng, 1000);
    }
    for (unsigned i = 0; i < SIM_NODES; i++) {
        bool is_old = s->nodes[i].cluster != s->newest;

        if (is_old && all && !s->nodes[i].paused && s->nodes[i].c == NULL)
            s->nodes[i].ended = true; /* its disk is gone, too */
        lost -= is_old && !s->nodes[i].ended;
    }
    count(s, restored, lost);
}

void disaster_strike(struct run *s)
{
    if (s->calm || s->now_ms < s->disaster_ms)
        return;
    if (s->newest + 1 < MAX_CLUSTERS)
        found_anew(s);
    disaster_plan(s);
}

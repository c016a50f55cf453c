/* SPDX-License-Identifier: Apache-2.0 */
#include "ha/step/membership.h"

#include <stddef.h>

const char *const membership_wait_names[MEMBERSHIP_WAITS] = { "", "SILENT", "BEHIND", "EVEN", "SOON" };

static unsigned count_voters(const struct membership_member *m, unsigned n)
{
    unsigned voters = 0;

    for (unsigned i = 0; i < n; i++)
        voters += m[i].role == MEMBERSHIP_VOTER;
    return voters;
}

static bool can_vote(const struct membership_member *m)
{
    return m->role == MEMBERSHIP_STANDBY && m->alive && m->caught_up;
}

static unsigned count_ready(const struct membership_member *m, unsigned n)
{
    unsigned ready = 0;

    for (unsigned i = 0; i < n; i++)
        ready += can_vote(&m[i]);
    return ready;
}

static struct membership_do make(enum membership_action action, const struct membership_member *m)
{
    return m != NULL ? (struct membership_do){ action, m->id } : (struct membership_do){ MEMBERSHIP_NOTHING, 0 };
}

static const struct membership_member *first_spare(const struct membership_member *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (m[i].role == MEMBERSHIP_SPARE)
            return &m[i];
    return NULL;
}

static const struct membership_member *first_ready(const struct membership_member *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (can_vote(&m[i]))
            return &m[i];
    return NULL;
}

/* The voter that can best be done without: one that does not answer, else the last. Never the leader. */
static const struct membership_member *spare_voter(const struct membership_member *m, unsigned n)
{
    const struct membership_member *best = NULL;

    for (unsigned i = 0; i < n; i++)
        if (m[i].role == MEMBERSHIP_VOTER && !m[i].self && (best == NULL || best->alive))
            best = &m[i];
    return best;
}

struct membership_do membership_next(const struct membership_member *m, unsigned n, bool changing)
{
    unsigned voters = count_voters(m, n), ready = count_ready(m, n);

    if (changing)
        return make(MEMBERSHIP_NOTHING, NULL);
    if (first_spare(m, n) != NULL)
        return make(MEMBERSHIP_MAKE_STANDBY, first_spare(m, n));
    if (voters % 2 == 0)
        return ready > 0 ? make(MEMBERSHIP_MAKE_VOTER, first_ready(m, n)) : make(MEMBERSHIP_MAKE_STANDBY, spare_voter(m, n));
    return ready >= 2 ? make(MEMBERSHIP_MAKE_VOTER, first_ready(m, n)) : make(MEMBERSHIP_NOTHING, NULL);
}

static const struct membership_member *find(const struct membership_member *m, unsigned n, uint64_t id)
{
    for (unsigned i = 0; i < n; i++)
        if (m[i].id == id)
            return &m[i];
    return NULL;
}

enum membership_wait membership_waits(const struct membership_member *m, unsigned n, uint64_t id)
{
    const struct membership_member *one = find(m, n, id);

    if (one == NULL || one->role == MEMBERSHIP_VOTER)
        return MEMBERSHIP_VOTES;
    if (!one->alive)
        return MEMBERSHIP_SILENT;
    if (one->role == MEMBERSHIP_SPARE || !one->caught_up)
        return MEMBERSHIP_BEHIND;
    return count_voters(m, n) % 2 == 1 && count_ready(m, n) < 2 ? MEMBERSHIP_EVEN : MEMBERSHIP_SOON;
}

enum membership_verdict membership_may_add(const struct membership_member *m, unsigned n, bool changing, unsigned most)
{
    if (changing)
        return MEMBERSHIP_CHANGING;
    if (n >= most)
        return MEMBERSHIP_FULL;
    for (unsigned i = 0; i < n; i++)
        if (m[i].role == MEMBERSHIP_VOTER && !m[i].alive)
            return MEMBERSHIP_DOWN;
    return MEMBERSHIP_FINE;
}

enum membership_verdict membership_may_remove(const struct membership_member *m, unsigned n, bool changing, uint64_t id)
{
    const struct membership_member *one = find(m, n, id);
    unsigned voters = 0, alive = 0;

    if (changing)
        return MEMBERSHIP_CHANGING;
    if (one == NULL)
        return MEMBERSHIP_FINE; /* it is none: there is nothing to lose */
    for (unsigned i = 0; i < n; i++)
        if (m[i].role == MEMBERSHIP_VOTER && m[i].id != id) {
            voters++;
            alive += m[i].alive;
        }
    if (voters == 0)
        return MEMBERSHIP_LAST;
    if (alive < voters / 2 + 1)
        return MEMBERSHIP_QUORUM;
    return one->self ? MEMBERSHIP_LEADS : MEMBERSHIP_FINE;
}

unsigned membership_tolerates(const struct membership_member *m, unsigned n)
{
    unsigned voters = count_voters(m, n), lost = 0;

    for (unsigned i = 0; i < n; i++)
        lost += m[i].role == MEMBERSHIP_VOTER && !m[i].alive;
    return voters > 0 && (voters - 1) / 2 > lost ? (voters - 1) / 2 - lost : 0;
}

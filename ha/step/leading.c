/* SPDX-License-Identifier: Apache-2.0 */
#include "ha/step/leading.h"

#include <stddef.h>

const char *const leading_state_names[LEADING_STATES] = { "FOLLOWING", "ELECTED", "CONFIRMED", "ACTIVE", "STALE", "ENDED" };

enum event { LOST, ELECTED, CONFIRMED, CLAIMED, OVERTAKEN, FENCED, GIVEN_UP, N_EVENTS };

#define _ LEADING_STATES /* the event means nothing in this state */
#define FOLLOWING LEADING_FOLLOWING
static const enum leading_state next_state[LEADING_STATES][N_EVENTS] = {
    /*                       LOST       ELECTED          CONFIRMED          CLAIMED         OVERTAKEN      FENCED         GIVEN_UP */
    [LEADING_FOLLOWING] = { _,         LEADING_ELECTED, LEADING_CONFIRMED, _,              _,             _,             LEADING_ENDED },
    [LEADING_ELECTED]   = { FOLLOWING, _,               LEADING_CONFIRMED, _,              _,             _,             LEADING_ENDED },
    [LEADING_CONFIRMED] = { FOLLOWING, _,               _,                 LEADING_ACTIVE, LEADING_STALE, _,             LEADING_ENDED },
    [LEADING_ACTIVE]    = { FOLLOWING, _,               _,                 _,              _,             LEADING_STALE, LEADING_ENDED },
    [LEADING_STALE]     = { FOLLOWING, _,               _,                 _,              _,             _,             LEADING_ENDED },
    [LEADING_ENDED]     = { _,         _,               _,                 _,              _,             _,             _ },
};
#undef _
#undef FOLLOWING

/* On the way into a state. */
static const unsigned on_entry[LEADING_STATES] = {
    [LEADING_ACTIVE] = LEADING_START_WORK, [LEADING_STALE] = LEADING_TRANSFER, [LEADING_ENDED] = LEADING_END,
};

static struct leading_do result(const struct leading *l, unsigned actions)
{
    return (struct leading_do){ .actions = actions, .term = l->term, .epoch = l->epoch };
}

static struct leading_do both(struct leading_do first, struct leading_do second)
{
    second.actions |= first.actions;
    return second;
}

static struct leading_do move(struct leading *l, enum event ev)
{
    enum leading_state former = l->state, next = next_state[former][ev];

    if (next == LEADING_STATES)
        return result(l, 0);
    l->state = next;
    if (next != LEADING_ACTIVE)
        l->epoch = 0;
    if (next != LEADING_CONFIRMED)
        l->claiming = false;
    return result(l, on_entry[next] | (former == LEADING_ACTIVE ? LEADING_STOP_WORK : 0u));
}

void leading_init(struct leading *l, unsigned election_ms)
{
    *l = (struct leading){ .state = LEADING_FOLLOWING, .election_ms = election_ms };
}

/* Claims as soon as it may, unless it drains: then somebody else is to lead. */
static struct leading_do claim_if_due(struct leading *l, int64_t now_ms)
{
    if (l->state != LEADING_CONFIRMED || l->claiming || l->draining || now_ms < l->claim_at_ms)
        return result(l, 0);
    l->claiming = true;
    return result(l, LEADING_CLAIM);
}

/* Hands leadership away, one try per election timeout; who gets it knows first. */
static struct leading_do drain_if_due(struct leading *l, int64_t now_ms)
{
    bool leader = l->state != LEADING_FOLLOWING && l->state != LEADING_ENDED;

    if (!l->draining || !leader || now_ms < l->drain_at_ms || l->drain_tries >= LEADING_DRAIN_TRIES)
        return result(l, 0);
    l->drain_tries++;
    l->drain_at_ms = now_ms + (int64_t)l->election_ms;
    return result(l, LEADING_TRANSFER);
}

struct leading_do leading_tick(struct leading *l, int64_t now_ms)
{
    return both(claim_if_due(l, now_ms), drain_if_due(l, now_ms));
}

struct leading_do leading_raft(struct leading *l, const struct leading_raft *r, int64_t now_ms)
{
    struct leading_do did = result(l, 0);

    if (!r->elected || r->term != l->term)
        did = move(l, LOST);
    if (l->state != LEADING_ENDED && r->elected) {
        if (r->term != l->term) {
            l->claim_at_ms = 0;
            l->claim_pause_ms = LEADING_CLAIM_FIRST_MS;
        }
        l->term = r->term;
        did = both(did, move(l, r->leads ? CONFIRMED : ELECTED));
    }
    return both(did, leading_tick(l, now_ms));
}

static bool is_about(const struct leading *l, uint64_t term)
{
    return l->state == LEADING_CONFIRMED && l->term == term;
}

struct leading_do leading_claimed(struct leading *l, uint64_t term, int64_t epoch)
{
    struct leading_do did;

    if (!is_about(l, term))
        return result(l, 0); /* another leadership by now: that epoch is nobody's */
    did = move(l, CLAIMED);
    l->epoch = did.epoch = epoch;
    l->activations++;
    return did;
}

struct leading_do leading_overtaken(struct leading *l, uint64_t term)
{
    if (!is_about(l, term))
        return result(l, 0);
    l->overtaken++;
    return move(l, OVERTAKEN);
}

struct leading_do leading_given_up(struct leading *l)
{
    return move(l, GIVEN_UP);
}

struct leading_do leading_claim_failed(struct leading *l, uint64_t term, int64_t now_ms)
{
    if (!is_about(l, term))
        return result(l, 0);
    l->claiming = false;
    l->claim_at_ms = now_ms + l->claim_pause_ms;
    l->claim_pause_ms = l->claim_pause_ms < LEADING_CLAIM_LAST_MS / 2 ? l->claim_pause_ms * 2 : LEADING_CLAIM_LAST_MS;
    return result(l, 0);
}

struct leading_do leading_fenced(struct leading *l, int64_t epoch)
{
    if (l->state != LEADING_ACTIVE || l->epoch != epoch)
        return result(l, 0);
    l->fenced++;
    return move(l, FENCED);
}

bool leading_asks_peers(const struct leading *l)
{
    return l->failed_probes + 1 >= LEADING_PROBES && l->state != LEADING_FOLLOWING && l->state != LEADING_ENDED;
}

uint64_t leading_better(uint64_t before, bool reached, uint64_t after)
{
    return before != 0 && !reached ? after : 0;
}

/* Leading from a place that MetaDB is out of reach of helps nobody; if nobody reaches it, moving helps nobody either. */
struct leading_do leading_probed(struct leading *l, bool reached, uint64_t better, int64_t now_ms)
{
    struct leading_do did = result(l, 0);

    l->failed_probes = reached ? 0 : l->failed_probes + 1;
    if (l->state == LEADING_FOLLOWING || l->state == LEADING_ENDED || l->failed_probes < LEADING_PROBES || better == 0)
        return did;
    if (l->moved_ms != 0 && now_ms - l->moved_ms < LEADING_MOVE_MS)
        return did;
    l->moved_ms = now_ms;
    did.actions = LEADING_TRANSFER;
    did.to = better;
    return did;
}

struct leading_do leading_drain(struct leading *l, bool on, int64_t now_ms)
{
    struct leading_do did = result(l, 0);

    if (l->draining == on)
        return did;
    l->draining = on;
    l->drain_tries = 0;
    l->drain_at_ms = now_ms;
    if (on && l->state == LEADING_ACTIVE) { /* nothing new is started; the epoch stays until somebody else has claimed */
        l->state = LEADING_CONFIRMED;
        l->epoch = 0;
        did.actions = LEADING_STOP_WORK;
    }
    return both(did, leading_tick(l, now_ms));
}

int64_t leading_epoch(const struct leading *l)
{
    return l->state == LEADING_ACTIVE ? l->epoch : 0;
}

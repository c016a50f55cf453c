/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/metadb_inside.h"

#include <string.h>

enum { LONG_AGO_MS = -(1 << 30) };

static int64_t clock_of(const struct metadb *m)
{
    return m->now_ms + m->skew_ms;
}

static struct lease_data *data_of(struct metadb *m, const struct tx *t)
{
    return &m->data[t - m->txs];
}

static bool runs(const struct metadb *m, unsigned shard)
{
    return m->now.leases[shard].expires_ms > clock_of(m);
}

static bool is_own(const struct metadb *m, const struct tx *t, unsigned shard)
{
    return m->now.leases[shard].node_id == t->node + 1 && runs(m, shard);
}

/* --- statements --------------------------------------------------------------------------------------------------------------------- */

static bool beat(struct metadb *m, struct tx *t)
{
    m->now.nodes[t->node] = (struct metadb_node){ true, t->draining, clock_of(m) };
    return true;
}

static bool renew(struct metadb *m, struct tx *t)
{
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (is_own(m, t, i) && !metadb_lock(m, t, LEASE_ROW + i))
            return false;
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (is_own(m, t, i))
            m->now.leases[i].expires_ms = clock_of(m) + LEASING_TTL_MS;
    m->counts->renewals++;
    return true;
}

static bool read_leases(struct metadb *m, struct tx *t)
{
    struct metadb_world *w = &data_of(m, t)->world;

    w->now_ms = clock_of(m);
    memcpy(w->leases, m->now.leases, sizeof w->leases);
    memcpy(w->nodes, m->now.nodes, sizeof w->nodes);
    return true;
}

static bool release_leases(struct metadb *m, struct tx *t)
{
    const struct lease_data *d = data_of(m, t);

    for (unsigned i = 0; i < d->n; i++)
        if (!metadb_lock(m, t, LEASE_ROW + d->changes[i].shard))
            return false;
    for (unsigned i = 0; i < d->n; i++) {
        const struct metadb_change *c = &d->changes[i];

        if (!is_own(m, t, c->shard) || m->now.leases[c->shard].view != c->view)
            continue;
        m->now.leases[c->shard].expires_ms = LONG_AGO_MS;
        m->counts->releases++;
    }
    return true;
}

static bool lock_leases(struct metadb *m, struct tx *t)
{
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (!metadb_lock(m, t, LEASE_ROW + i))
            return false;
    return true;
}

/* A lease that runs is taken from the dead alone. All rows are locked. */
static bool change(struct metadb *m, struct tx *t)
{
    struct lease_data *d = data_of(m, t);
    unsigned kept = 0;

    t->view = t->epoch << 20;
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (m->now.leases[i].view > t->view)
            t->view = m->now.leases[i].view;
    t->view++;
    for (unsigned i = 0; i < d->n; i++)
        if (d->changes[i].is_ask || d->changes[i].from_dead || !runs(m, d->changes[i].shard))
            d->changes[kept++] = d->changes[i];
    d->n = kept;
    t->has_changes = true;
    return true;
}

static bool guard(struct metadb *m, struct tx *t)
{
    if (!metadb_lock(m, t, LEASE_ROW + t->shard))
        return false;
    t->has_result = m->now.leases[t->shard].view == t->view;
    if (!t->has_result)
        t->answer = METADB_NO_ROW;
    return true;
}

bool metadb_perform_lease(struct metadb *m, struct tx *t)
{
    static bool (*const perform[])(struct metadb *m, struct tx *t) = {
        [BEAT] = beat, [RENEW] = renew, [READ] = read_leases, [RELEASE] = release_leases, [LOCK_LEASES] = lock_leases, [CHANGE] = change, [GUARD] = guard,
    };

    t->answer = METADB_OK;
    if (perform[t->verb](m, t))
        return true;
    t->answer = METADB_WAITING;
    return false;
}

/* --- COMMIT --------------------------------------------------------------------------------------------------------------------------- */

static void grant(struct metadb *m, const struct tx *t, const struct metadb_change *c)
{
    struct metadb_lease *l = &m->now.leases[c->shard];

    if (t->view <= m->highest_view[c->shard])
        metadb_break(m, "a view was given out before", (uint64_t)t->view, (uint64_t)m->highest_view[c->shard]);
    m->highest_view[c->shard] = t->view;
    if (c->from_dead)
        m->owners_mixed_ms[c->shard] = m->now_ms + LEASING_TTL_MS;
    m->counts->grants++;
    m->counts->lease_moves += l->node_id != 0 && l->node_id != c->to;
    m->counts->from_dead += c->from_dead;
    *l = (struct metadb_lease){ c->to, 0, t->view, clock_of(m) + LEASING_TTL_MS };
}

void metadb_apply_leases(struct metadb *m, struct tx *t)
{
    const struct metadb_lease *l = &m->now.leases[t->shard];
    struct lease_data *d = data_of(m, t);

    for (unsigned i = 0; t->has_changes && i < d->n; i++) {
        const struct metadb_change *c = &d->changes[i];

        m->changed_ms[c->shard] = m->now_ms;
        if (c->is_ask)
            m->now.leases[c->shard].next_id = c->to;
        else
            grant(m, t, c);
        m->counts->asks += d->changes[i].is_ask;
    }
    if (!t->has_result)
        return;
    m->counts->results++;
    if (l->view != t->view || l->node_id != t->node + 1)
        metadb_break(m, "a result of a former view was accepted", t->shard, (uint64_t)t->view);
}

/* --- clients -------------------------------------------------------------------------------------------------------------------------- */

void metadb_beat(struct metadb *m, int tx, bool draining)
{
    metadb_say(m, tx, BEAT)->draining = draining;
}

void metadb_renew(struct metadb *m, int tx)
{
    (void)metadb_say(m, tx, RENEW);
}

void metadb_read_leases(struct metadb *m, int tx)
{
    (void)metadb_say(m, tx, READ);
}

void metadb_release(struct metadb *m, int tx, const unsigned *shards, const int64_t *views, unsigned n)
{
    struct lease_data *d = data_of(m, metadb_say(m, tx, RELEASE));

    d->n = n;
    for (unsigned i = 0; i < n; i++)
        d->changes[i] = (struct metadb_change){ .shard = shards[i], .view = views[i] };
}

const struct metadb_world *metadb_found(const struct metadb *m, int tx)
{
    return &m->data[tx].world;
}

void metadb_lock_leases(struct metadb *m, int tx)
{
    (void)metadb_say(m, tx, LOCK_LEASES);
}

void metadb_change(struct metadb *m, int tx, const struct metadb_change *changes, unsigned n, int64_t epoch)
{
    struct tx *t = metadb_say(m, tx, CHANGE);
    struct lease_data *d = data_of(m, t);

    t->epoch = epoch;
    d->n = n;
    memcpy(d->changes, changes, n * sizeof *changes);
}

void metadb_guard(struct metadb *m, int tx, unsigned shard, int64_t view)
{
    struct tx *t = metadb_say(m, tx, GUARD);

    t->shard = shard;
    t->view = view;
}

/* --- for the checks ------------------------------------------------------------------------------------------------------------------- */

bool metadb_is_mixed(const struct metadb *m, unsigned shard)
{
    return m->now_ms < m->clock_mixed_ms || m->now_ms < m->owners_mixed_ms[shard];
}

const struct metadb_lease *metadb_lease(const struct metadb *m, unsigned shard)
{
    return &m->now.leases[shard];
}

int64_t metadb_lease_changed_ms(const struct metadb *m, unsigned shard)
{
    return m->changed_ms[shard];
}

bool metadb_lease_runs(const struct metadb *m, unsigned shard)
{
    return runs(m, shard);
}

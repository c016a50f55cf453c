/* SPDX-License-Identifier: Apache-2.0 */
#include "ha/step/leasing.h"

#include <math.h>
#include <string.h>

const char *const leasing_state_names[LEASING_STATES] = { "SILENT", "UP", "LEAVING", "HELD", "DEAD", "AWAY" };

enum fact { SEEN, DRAINS, WITHDRAWN, MISSED, DIED, N_FACTS };

static const enum leasing_state next_state[LEASING_STATES][N_FACTS] = {
    /*                    SEEN        DRAINS           WITHDRAWN     MISSED          DIED */
    [LEASING_SILENT]  = { LEASING_UP, LEASING_LEAVING, LEASING_AWAY, LEASING_SILENT, LEASING_DEAD },
    [LEASING_UP]      = { LEASING_UP, LEASING_LEAVING, LEASING_AWAY, LEASING_SILENT, LEASING_DEAD },
    [LEASING_LEAVING] = { LEASING_UP, LEASING_LEAVING, LEASING_AWAY, LEASING_HELD,   LEASING_HELD },
    [LEASING_HELD]    = { LEASING_UP, LEASING_LEAVING, LEASING_AWAY, LEASING_HELD,   LEASING_HELD },
    [LEASING_DEAD]    = { LEASING_UP, LEASING_LEAVING, LEASING_AWAY, LEASING_DEAD,   LEASING_DEAD },
    [LEASING_AWAY]    = { LEASING_UP, LEASING_AWAY,    LEASING_AWAY, LEASING_SILENT, LEASING_DEAD },
};

/* Finalizer of splitmix64: each bit of the result depends on all of x. */
static uint64_t mixed(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

unsigned leasing_shard(int64_t id)
{
    return (unsigned)(mixed((uint64_t)id) % LEASING_SHARDS);
}

/* --- where objects are -------------------------------------------------------------------------------------------------------------- */

struct vote {
    unsigned shard;
    const char *idc; /* NULL: it has no IDC with more than half of its parts */
};

/* The object that begins at *at; moves *at to the next one. */
static struct vote next_vote(const struct leasing_place *places, size_t n, size_t *at)
{
    const struct leasing_place *first = &places[*at], *most = first;
    int64_t all = 0;

    for (; *at < n && places[*at].id == first->id; ++*at) {
        all += places[*at].n;
        if (places[*at].n > most->n)
            most = &places[*at];
    }
    return (struct vote){ leasing_shard(first->id), most->idc[0] != '\0' && most->n * 2 > all ? most->idc : NULL };
}

static bool is_for(const struct vote *v, const char *idc)
{
    return v->idc != NULL && strcmp(v->idc, idc) == 0;
}

/* Majority vote of Boyer and Moore: the first pass finds the only candidate there can be, the second counts. */
void leasing_idcs(const struct leasing_place *places, size_t n, const char *idcs[LEASING_SHARDS])
{
    int64_t lead[LEASING_SHARDS] = { 0 };

    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        idcs[i] = "";
    for (size_t at = 0; at < n;) {
        struct vote v = next_vote(places, n, &at);

        if (lead[v.shard] == 0)
            idcs[v.shard] = v.idc != NULL ? v.idc : "";
        lead[v.shard] += lead[v.shard] == 0 || is_for(&v, idcs[v.shard]) ? 1 : -1;
    }
    memset(lead, 0, sizeof lead);
    for (size_t at = 0; at < n;) {
        struct vote v = next_vote(places, n, &at);

        lead[v.shard] += is_for(&v, idcs[v.shard]) ? 1 : -1;
    }
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (lead[i] <= 0)
            idcs[i] = "";
}

/* --- the leader: what it makes of the nodes --------------------------------------------------------------------------------------- */

void leasing_begin(struct leasing *l, int64_t now_ms)
{
    *l = (struct leasing){ .sighted_ms = now_ms, .moves_ms = now_ms, .moves = LEASING_MOVES };
}

void leasing_lost_sight(struct leasing *l, int64_t now_ms)
{
    l->sighted_ms = now_ms;
}

static enum fact fact_of(const struct leasing_node *n)
{
    if (n->dead)
        return DIED;
    if (n->seen_ms >= LEASING_FRESH_MS)
        return MISSED;
    return n->away ? WITHDRAWN : n->draining ? DRAINS : SEEN;
}

static struct leasing_known *find_known(struct leasing *l, int64_t id)
{
    for (unsigned i = 0; i < l->n_nodes; i++)
        if (l->nodes[i].id == id)
            return &l->nodes[i];
    return NULL;
}

/* A leader that has just begun knows from the row alone whether a node that is gone had been stopping. */
static struct leasing_known first_sight(const struct leasing_node *n, int64_t now_ms)
{
    return (struct leasing_known){ n->id, now_ms - n->seen_ms, n->draining && !n->away ? LEASING_LEAVING : LEASING_SILENT };
}

static struct leasing_known take_fact(struct leasing_known k, const struct leasing_node *n, int64_t now_ms)
{
    enum leasing_state next = next_state[k.state][fact_of(n)];

    if (next != k.state)
        k.since_ms = next == LEASING_HELD ? now_ms - n->seen_ms : now_ms;
    k.state = next;
    if (now_ms - k.since_ms >= LEASING_HOLD_MS) /* that was no restart */
        k.state = next == LEASING_HELD ? LEASING_DEAD : next == LEASING_LEAVING ? LEASING_AWAY : next;
    return k;
}

static void look_at_nodes(struct leasing *l, const struct leasing_world *w, int64_t now_ms)
{
    struct leasing_known fresh[LEASING_NODES];
    unsigned n = w->n_nodes < LEASING_NODES ? w->n_nodes : LEASING_NODES;

    for (unsigned i = 0; i < n; i++) {
        const struct leasing_known *k = find_known(l, w->nodes[i].id);

        fresh[i] = take_fact(k != NULL ? *k : first_sight(&w->nodes[i], now_ms), &w->nodes[i], now_ms);
    }
    memcpy(l->nodes, fresh, n * sizeof *fresh);
    l->n_nodes = n;
}

/* Of a node that nobody knows, leases count till they end. */
static enum leasing_state state_of(struct leasing *l, int64_t id)
{
    const struct leasing_known *k = find_known(l, id);

    return k != NULL ? k->state : LEASING_SILENT;
}

/* --- the leader: where a shard belongs -------------------------------------------------------------------------------------------- */

/* Highest score wins (weighted rendezvous): without a node only its own shards go elsewhere. */
static double score(const struct leasing_node *n, unsigned shard)
{
    double u = ((double)(mixed(mixed((uint64_t)n->id) ^ shard) >> 11) + 0.5) / 9007199254740992.0;

    return -(double)n->weight / log(u);
}

static int64_t best_of(const struct leasing *l, const struct leasing_world *w, unsigned shard, const char *idc)
{
    int64_t best = 0;
    double highest = 0;

    for (unsigned i = 0; i < l->n_nodes; i++) {
        const struct leasing_node *n = &w->nodes[i];

        if (l->nodes[i].state != LEASING_UP || n->weight == 0 || (idc != NULL && strcmp(n->idc, idc) != 0) || score(n, shard) <= highest)
            continue;
        highest = score(n, shard);
        best = n->id;
    }
    return best;
}

/* Near to what it looks at, if anybody is there. */
static int64_t home_of(const struct leasing *l, const struct leasing_world *w, unsigned shard)
{
    const char *idc = w->idcs != NULL && w->idcs[shard] != NULL && w->idcs[shard][0] != '\0' ? w->idcs[shard] : NULL;
    int64_t near = idc != NULL ? best_of(l, w, shard, idc) : 0;

    return near != 0 ? near : best_of(l, w, shard, NULL);
}

/* --- the leader: what changes ------------------------------------------------------------------------------------------------------ */

struct plan {
    struct leasing *l;
    const struct leasing_world *w;
    bool settled;
    struct leasing_change *out;
    unsigned n;
};

static void add(struct plan *p, struct leasing_change c)
{
    p->out[p->n++] = c;
}

/* Takes one of the moves that this second has left. */
static bool may_move(struct plan *p)
{
    if (p->l->moves <= 0)
        return false;
    p->l->moves--;
    return true;
}

/* Its lease has ended, or its owner's process is gone. */
static void grant(struct plan *p, unsigned shard, bool from_dead)
{
    const struct leasing_lease *was = &p->w->leases[shard];
    enum leasing_state owner = was->node_id != 0 ? state_of(p->l, was->node_id) : LEASING_DEAD;
    int64_t to = home_of(p->l, p->w, shard);

    if (was->next_id != 0 && !from_dead && state_of(p->l, was->next_id) == LEASING_UP)
        to = was->next_id; /* counted when it was asked for */
    else if (owner == LEASING_LEAVING || owner == LEASING_HELD)
        return;
    else if (owner == LEASING_UP && (!p->settled || p->l->moves <= 0))
        to = was->node_id; /* so that an outage of MetaDB makes nothing move */
    else if (owner == LEASING_SILENT && !p->settled)
        return;
    else if (to == 0 || (was->node_id != 0 && to != was->node_id && !may_move(p)))
        return;
    add(p, (struct leasing_change){ shard, to, false, from_dead });
}

/* Its owner is there and holds it. */
static void ask(struct plan *p, unsigned shard)
{
    const struct leasing_lease *was = &p->w->leases[shard];
    int64_t home = home_of(p->l, p->w, shard), wanted = home == was->node_id ? 0 : home;

    if (wanted == was->next_id || !p->settled || (wanted != 0 && !may_move(p)))
        return;
    add(p, (struct leasing_change){ shard, wanted, true, false });
}

static void plan_shard(struct plan *p, unsigned shard)
{
    const struct leasing_lease *was = &p->w->leases[shard];
    enum leasing_state owner = was->node_id != 0 ? state_of(p->l, was->node_id) : LEASING_DEAD;

    if (was->node_id == 0 || was->left_ms <= 0 || owner == LEASING_DEAD)
        grant(p, shard, was->left_ms > 0 && was->node_id != 0);
    else if (owner == LEASING_UP || owner == LEASING_AWAY)
        ask(p, shard);
}

/* Has everybody who holds something had the time to be seen? */
static bool is_settled(struct leasing *l, const struct leasing_world *w, int64_t now_ms)
{
    if (now_ms - l->sighted_ms >= LEASING_SETTLE_MS)
        return true;
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (w->leases[i].node_id != 0 && state_of(l, w->leases[i].node_id) == LEASING_SILENT)
            return false;
    return true;
}

unsigned leasing_plan(struct leasing *l, const struct leasing_world *w, int64_t now_ms, struct leasing_change *out)
{
    struct plan p = { .l = l, .w = w, .out = out };

    look_at_nodes(l, w, now_ms);
    if (now_ms - l->moves_ms >= 1000) {
        l->moves = LEASING_MOVES;
        l->moves_ms = now_ms;
    }
    p.settled = is_settled(l, w, now_ms);
    for (unsigned shard = 0; shard < LEASING_SHARDS; shard++)
        plan_shard(&p, shard);
    return p.n;
}

/* --- a node ------------------------------------------------------------------------------------------------------------------------- */

void leasing_side_init(struct leasing_side *s)
{
    *s = (struct leasing_side){ .renewed_ms = INT64_MIN };
}

bool leasing_wants_renewal(const struct leasing_side *s, int64_t now_ms)
{
    if (s->leaves || leasing_until_ms(s) == INT64_MAX)
        return false;
    return s->renewed_ms == INT64_MIN || now_ms - s->renewed_ms >= LEASING_RENEW_MS;
}

void leasing_renewed(struct leasing_side *s, int64_t sent_ms)
{
    s->renewed_ms = sent_ms;
}

/* What the row makes of a shard. A lease of an older view is none; one that was given back is given back again until it is gone: what was sent
 * to MetaDB may arrive at any time, so nothing is begun under it any more, whatever the leader makes of it meanwhile. */
static enum leasing_part part_of(const struct leasing_side *s, const struct leasing_held *h, const struct leasing_row *row, int64_t until_ms,
                                 int64_t sent_ms)
{
    if (row == NULL || row->view < h->view)
        return LEASING_NONE;
    if (s->leaves || row->next_id != 0 || row->view <= h->released)
        return LEASING_STOPPING;
    return until_ms > sent_ms ? LEASING_HOLDING : LEASING_NONE;
}

static bool take_row(struct leasing_side *s, struct leasing_held *h, const struct leasing_row *row, int64_t sent_ms, bool *kicked)
{
    int64_t left = row == NULL ? 0 : row->left_ms < LEASING_TTL_MS ? row->left_ms : LEASING_TTL_MS;
    int64_t until = sent_ms + left - (LEASING_TTL_MS - LEASING_STOP_MS);
    struct leasing_held was = *h;

    h->part = part_of(s, h, row, until, sent_ms);
    if (h->part == LEASING_NONE)
        return was.part == LEASING_HOLDING;
    h->view = row->view;
    h->until_ms = until;
    h->kicks = row->kicks;
    if (kicked != NULL && was.view == row->view)
        *kicked = was.kicks != row->kicks;
    return (was.part == LEASING_HOLDING) != (h->part == LEASING_HOLDING) || (h->part == LEASING_HOLDING && was.view != h->view);
}

bool leasing_read(struct leasing_side *s, const struct leasing_row *rows, unsigned n, int64_t sent_ms, bool *kicked)
{
    const struct leasing_row *of[LEASING_SHARDS] = { NULL };
    bool changed = false;

    for (unsigned i = 0; i < n; i++)
        if (rows[i].shard < LEASING_SHARDS) {
            of[rows[i].shard] = &rows[i];
            if (!s->has_read)
                s->shards[rows[i].shard].released = rows[i].view;
        }
    s->has_read = true;
    for (unsigned i = 0; i < LEASING_SHARDS; i++) {
        if (kicked != NULL)
            kicked[i] = false;
        changed |= take_row(s, &s->shards[i], of[i], sent_ms, kicked != NULL ? &kicked[i] : NULL);
    }
    return changed;
}

bool leasing_expire(struct leasing_side *s, int64_t now_ms)
{
    bool changed = false;

    for (unsigned i = 0; i < LEASING_SHARDS; i++) {
        struct leasing_held *h = &s->shards[i];

        if ((h->part != LEASING_HOLDING && h->part != LEASING_STOPPING) || now_ms < h->until_ms)
            continue;
        changed |= h->part == LEASING_HOLDING;
        h->part = LEASING_NONE;
    }
    return changed;
}

void leasing_leave(struct leasing_side *s)
{
    s->leaves = true;
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (s->shards[i].part == LEASING_HOLDING)
            s->shards[i].part = LEASING_STOPPING;
}

bool leasing_holds(const struct leasing_side *s, unsigned shard, int64_t now_ms, int64_t *view)
{
    const struct leasing_held *h = &s->shards[shard];

    *view = h->view;
    return h->part == LEASING_HOLDING && now_ms < h->until_ms;
}

bool leasing_enter(struct leasing_side *s, unsigned shard, int64_t now_ms, int64_t *view)
{
    if (!leasing_holds(s, shard, now_ms, view))
        return false;
    s->shards[shard].acting++;
    return true;
}

void leasing_exit(struct leasing_side *s, unsigned shard)
{
    s->shards[shard].acting--;
}

unsigned leasing_to_release(struct leasing_side *s, unsigned shards[LEASING_SHARDS], int64_t views[LEASING_SHARDS])
{
    unsigned n = 0;

    for (unsigned i = 0; i < LEASING_SHARDS; i++) {
        if (s->shards[i].part != LEASING_STOPPING || s->shards[i].acting > 0)
            continue;
        s->shards[i].released = s->shards[i].view;
        shards[n] = i;
        views[n++] = s->shards[i].view;
    }
    return n;
}

void leasing_released(struct leasing_side *s, unsigned shard, int64_t view)
{
    struct leasing_held *h = &s->shards[shard];

    if (h->part == LEASING_STOPPING && h->view == view)
        h->part = LEASING_RELEASED;
}

int64_t leasing_until_ms(const struct leasing_side *s)
{
    int64_t until = INT64_MAX;

    for (unsigned i = 0; i < LEASING_SHARDS; i++) {
        const struct leasing_held *h = &s->shards[i];

        if ((h->part == LEASING_HOLDING || h->part == LEASING_STOPPING) && h->until_ms < until)
            until = h->until_ms;
    }
    return until;
}

unsigned leasing_count(const struct leasing_side *s, int64_t now_ms)
{
    unsigned n = 0;
    int64_t view;

    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        n += leasing_holds(s, i, now_ms, &view);
    return n;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/worker.h"

#include <string.h>

enum { CALL_MS = 1500, HOT_SHARDS = 12, TRY_SHARDS = 8 };

/* --- a round with MetaDB ------------------------------------------------------------------------------------------------------------ */

static void hang_up(struct sim_worker *w, int *tx)
{
    if (*tx >= 0)
        metadb_rollback(w->db, *tx);
    *tx = -1;
}

static void end_round(struct sim_worker *w, int64_t now_ms)
{
    hang_up(w, &w->tx);
    w->at = ROUND_RESTS;
    w->next_ms = now_ms + LEASING_ROUND_MS - 50 + sim_below(w->rng, 50);
    if (leasing_expire(&w->side, now_ms))
        w->counts->run_out++;
}

static void say(struct sim_worker *w, int at, int64_t now_ms)
{
    hang_up(w, &w->tx);
    w->at = at;
    w->sent_ms = now_ms;
    w->tx = metadb_begin(w->db, w->node);
    if (w->tx < 0) {
        end_round(w, now_ms);
        return;
    }
    if (at == ROUND_BEATS)
        metadb_beat(w->db, w->tx, w->draining);
    else if (at == ROUND_RENEWS)
        metadb_renew(w->db, w->tx);
    else if (at == ROUND_READS)
        metadb_read_leases(w->db, w->tx);
    else
        metadb_release(w->db, w->tx, w->released, w->released_views, w->n_released);
}

static void take_leases(struct sim_worker *w)
{
    const struct metadb_world *found = metadb_found(w->db, w->tx);
    struct leasing_row rows[LEASING_SHARDS];
    unsigned n = 0;

    for (unsigned i = 0; i < LEASING_SHARDS; i++) {
        const struct metadb_lease *l = &found->leases[i];

        if (l->node_id == w->node + 1 && l->expires_ms > found->now_ms)
            rows[n++] = (struct leasing_row){ i, l->view, l->next_id, 0, l->expires_ms - found->now_ms };
    }
    (void)leasing_read(&w->side, rows, n, w->asked_ms, NULL);
}

static void answered(struct sim_worker *w, int64_t now_ms)
{
    switch (w->at) {
    case ROUND_BEATS:
        w->asked_ms = now_ms;
        say(w, leasing_wants_renewal(&w->side, now_ms) ? ROUND_RENEWS : ROUND_READS, now_ms);
        return;
    case ROUND_RENEWS:
        leasing_renewed(&w->side, w->asked_ms);
        say(w, ROUND_READS, now_ms);
        return;
    case ROUND_READS:
        take_leases(w);
        w->n_released = leasing_to_release(&w->side, w->released, w->released_views);
        if (w->n_released > 0) {
            say(w, ROUND_RELEASES, now_ms);
            return;
        }
        break;
    case ROUND_RELEASES:
        for (unsigned i = 0; i < w->n_released; i++)
            leasing_released(&w->side, w->released[i], w->released_views[i]);
        break;
    case ROUND_RESTS:
        break;
    }
    end_round(w, now_ms);
}

static void run_round(struct sim_worker *w, int64_t now_ms)
{
    enum metadb_answer a;

    if (w->at == ROUND_RESTS) {
        if (now_ms >= w->next_ms)
            say(w, ROUND_BEATS, now_ms);
        return;
    }
    a = metadb_answer(w->db, w->tx);
    if (a == METADB_OK)
        answered(w, now_ms);
    else if (a != METADB_WAITING || now_ms - w->sent_ms >= CALL_MS)
        end_round(w, now_ms);
}

/* --- pieces of work ------------------------------------------------------------------------------------------------------------------- */

static void end_act(struct sim_worker *w, struct sim_act *a)
{
    hang_up(w, &a->tx);
    a->at = ACT_NONE;
    leasing_exit(&w->side, a->shard);
}

static struct sim_act *free_act(struct sim_worker *w)
{
    for (unsigned i = 0; i < WORKER_ACTS; i++)
        if (w->acts[i].at == ACT_NONE)
            return &w->acts[i];
    return NULL;
}

static void begin_act(struct sim_worker *w, int64_t now_ms)
{
    struct sim_act *a = free_act(w);

    w->act_ms = now_ms + 20 + sim_below(w->rng, 150);
    for (unsigned i = 0; a != NULL && i < TRY_SHARDS; i++) {
        unsigned shard = sim_below(w->rng, sim_once_in(w->rng, 4) ? LEASING_SHARDS : HOT_SHARDS);

        if (!leasing_enter(&w->side, shard, now_ms, &a->view))
            continue;
        a->at = ACT_LOOKS;
        a->shard = shard;
        a->next_ms = now_ms + sim_below(w->rng, sim_once_in(w->rng, 8) ? 4000 : 300);
        return;
    }
}

static void say_result(struct sim_worker *w, struct sim_act *a, int at, int64_t now_ms)
{
    a->at = at;
    a->sent_ms = now_ms;
    if (at == ACT_GUARDS)
        metadb_guard(w->db, a->tx, a->shard, a->view);
    else
        metadb_commit(w->db, a->tx);
}

static void run_result(struct sim_worker *w, struct sim_act *a, int64_t now_ms)
{
    enum metadb_answer answer = metadb_answer(w->db, a->tx);

    if (answer == METADB_WAITING && now_ms - a->sent_ms < CALL_MS)
        return;
    if (answer == METADB_OK && a->at == ACT_GUARDS) {
        say_result(w, a, ACT_COMMITS, now_ms);
        return;
    }
    w->counts->refused_results += answer == METADB_NO_ROW;
    end_act(w, a); /* written, refused, or looked at anew another time */
}

/* Who is asked to hand a shard over may finish what is under way, as long as the lease runs. */
static bool may_finish(const struct sim_worker *w, const struct sim_act *a, int64_t now_ms)
{
    const struct leasing_held *h = &w->side.shards[a->shard];

    return h->part != LEASING_NONE && h->view == a->view && now_ms < h->until_ms;
}

/* Whoever must stop stops before anything else. */
static void run_act(struct sim_worker *w, struct sim_act *a, int64_t now_ms)
{
    if (!may_finish(w, a, now_ms)) {
        /* What was sent when a paused node slept may still be done: it is refused. */
        w->counts->stopped_acts++;
        end_act(w, a);
        return;
    }
    if (a->at == ACT_LOOKS && now_ms >= a->next_ms)
        a->at = ACT_BEGINS;
    if (a->at == ACT_BEGINS) {
        a->tx = metadb_begin(w->db, w->node);
        if (a->tx >= 0)
            say_result(w, a, ACT_GUARDS, now_ms);
        else
            end_act(w, a);
    } else if (a->at == ACT_GUARDS || a->at == ACT_COMMITS) {
        run_result(w, a, now_ms);
    }
}

/* --- from outside --------------------------------------------------------------------------------------------------------------------- */

void sim_worker_init(struct sim_worker *w, struct metadb *db, struct sim_rng *rng, struct sim_counts *counts, unsigned node)
{
    *w = (struct sim_worker){ .db = db, .rng = rng, .counts = counts, .node = node, .tx = -1 };
    for (unsigned i = 0; i < WORKER_ACTS; i++)
        w->acts[i].tx = -1;
    leasing_side_init(&w->side);
}

void sim_worker_die(struct sim_worker *w)
{
    sim_worker_init(w, w->db, w->rng, w->counts, w->node);
}

void sim_worker_drain(struct sim_worker *w)
{
    w->draining = true;
    leasing_leave(&w->side);
    if (w->at == ROUND_RESTS)
        w->next_ms = 0;
}

bool sim_worker_is_at_rest(const struct sim_worker *w)
{
    if (w->at != ROUND_RESTS || w->next_ms == 0)
        return false;
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (w->side.shards[i].part == LEASING_HOLDING || w->side.shards[i].part == LEASING_STOPPING)
            return false;
    return true;
}

void sim_worker_run(struct sim_worker *w, int64_t now_ms)
{
    for (unsigned i = 0; i < WORKER_ACTS; i++)
        if (w->acts[i].at != ACT_NONE)
            run_act(w, &w->acts[i], now_ms);
    run_round(w, now_ms);
    if (now_ms >= w->act_ms)
        begin_act(w, now_ms);
}

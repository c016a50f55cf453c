/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/metadb_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void metadb_break(struct metadb *m, const char *what, uint64_t a, uint64_t b)
{
    if (m->broken[0] == '\0')
        (void)snprintf(m->broken, sizeof m->broken, "MetaDB: %s (%llu, %llu)", what, (unsigned long long)a, (unsigned long long)b);
}

struct metadb *metadb_new(struct sim_rng *rng, struct sim_counts *counts)
{
    struct metadb *m = calloc(1, sizeof *m);

    m->rng = rng;
    m->counts = counts;
    m->now.row = (struct metadb_row){ .generation = 1 };
    m->data = calloc(METADB_TXS, sizeof *m->data);
    m->task_data = calloc(METADB_TXS, sizeof *m->task_data);
    metadb_back_up(m);
    for (unsigned i = 0; i < N_ROWS; i++)
        m->owner[i] = -1;
    return m;
}

void metadb_free(struct metadb *m)
{
    free(m->task_data);
    free(m->data);
    free(m);
}

/* --- locks ------------------------------------------------------------------------------------------------------------------------- */

static int number(const struct metadb *m, const struct tx *t)
{
    return (int)(t - m->txs);
}

bool metadb_lock(struct metadb *m, const struct tx *t, unsigned row)
{
    if (m->owner[row] != -1 && m->owner[row] != number(m, t))
        return false;
    m->owner[row] = number(m, t);
    return true;
}

static void release(struct metadb *m, const struct tx *t)
{
    for (unsigned i = 0; i < N_ROWS; i++)
        if (m->owner[i] == number(m, t))
            m->owner[i] = -1;
}

static void close_tx(struct metadb *m, struct tx *t)
{
    release(m, t);
    *t = (struct tx){ .state = FREE };
}

/* Rolled back at the server; the client learns it with its next statement, or in place of an answer. */
static void roll_back(struct metadb *m, struct tx *t)
{
    release(m, t);
    if (t->orphan) {
        close_tx(m, t);
        return;
    }
    t->has_token = t->has_claim = t->has_fence = t->has_serial = t->has_result = t->has_changes = false;
    metadb_forget_tasks(m, t);
    t->verb = NOTHING;
    t->state = ANSWERED;
    t->answer = METADB_LOST;
}

/* --- statements: true when done, false when a lock is wanted ------------------------------------------------------------------------- */

static bool token_is_there(const struct metadb *m, uint64_t token)
{
    for (unsigned i = 0; i < m->now.n_tokens; i++)
        if (m->now.tokens[i] == token)
            return true;
    return false;
}

/* An insert of the same key waits for one that is not committed. */
static bool insert_token(struct metadb *m, struct tx *t)
{
    for (unsigned i = 0; i < METADB_TXS; i++)
        if (&m->txs[i] != t && m->txs[i].state != FREE && m->txs[i].has_token && m->txs[i].kept_token == t->token)
            return false;
    t->answer = token_is_there(m, t->token) ? METADB_DUPLICATE : METADB_OK;
    if (t->answer == METADB_OK) {
        t->has_token = true;
        t->kept_token = t->token;
    }
    return true;
}

static bool is_newer(const struct metadb_row *a, const struct metadb_row *b)
{
    return a->generation > b->generation || (a->generation == b->generation && a->term > b->term);
}

static bool claim(struct metadb *m, struct tx *t)
{
    if (!metadb_lock(m, t, EPOCH_ROW))
        return false;
    t->row = m->now.row;
    t->answer = METADB_NO_ROW;
    if (!is_newer(&t->wanted, &m->now.row))
        return true;
    t->row = t->wanted;
    t->row.epoch = m->now.row.epoch + 1;
    t->has_claim = true;
    t->answer = METADB_OK;
    return true;
}

static bool move_fence(struct metadb *m, struct tx *t)
{
    for (unsigned i = 0; i < METADB_SLOTS; i++)
        if (!metadb_lock(m, t, FENCE_ROW + i))
            return false;
    t->has_fence = true;
    t->answer = METADB_OK;
    return true;
}

static bool pass_fence(struct metadb *m, struct tx *t)
{
    if (!metadb_lock(m, t, FENCE_ROW + t->slot))
        return false;
    t->wrote_fence = m->now.fence[t->slot] == t->epoch;
    t->answer = t->wrote_fence ? METADB_OK : METADB_NO_ROW;
    return true;
}

static bool write_object(struct metadb *m, struct tx *t)
{
    if (!metadb_lock(m, t, OBJECT_ROW + t->object))
        return false;
    t->has_serial = true;
    t->kept_serial = t->serial;
    t->serial_epoch = t->epoch;
    t->answer = METADB_OK;
    return true;
}

static void apply_claim(struct metadb *m, const struct tx *t)
{
    if (t->row.epoch <= m->highest_epoch)
        metadb_break(m, "an epoch was given out before", (uint64_t)t->row.epoch, (uint64_t)m->highest_epoch);
    if (t->cluster != m->newest)
        metadb_break(m, "a cluster that was given up has claimed", t->cluster, m->newest);
    if (!is_newer(&t->row, &m->now.row))
        metadb_break(m, "a claim is not newer than the one before", t->row.term, m->now.row.term);
    m->now.row = t->row;
    m->highest_epoch = t->row.epoch;
    m->counts->claims++;
    for (unsigned i = 0; t->has_fence && i < METADB_SLOTS; i++)
        m->now.fence[i] = t->row.epoch;
}

static bool commit(struct metadb *m, struct tx *t)
{
    if (t->has_claim)
        apply_claim(m, t);
    if (t->has_serial && t->serial_epoch != m->now.row.epoch)
        metadb_break(m, "a transaction of an older epoch has committed", (uint64_t)t->serial_epoch, (uint64_t)m->now.row.epoch);
    if (t->has_serial && ++m->now.applied[t->kept_serial % MAX_SERIALS] > 1)
        metadb_break(m, "a write took effect twice", t->kept_serial, 0);
    metadb_apply_leases(m, t);
    metadb_apply_tasks(m, t);
    metadb_forget_tasks(m, t);
    if (t->has_token && m->now.n_tokens < METADB_TOKENS)
        m->now.tokens[m->now.n_tokens++] = t->kept_token;
    release(m, t);
    t->has_token = t->has_claim = t->has_fence = t->has_serial = t->has_result = t->has_changes = false;
    t->answer = METADB_OK;
    return true;
}

static bool perform(struct metadb *m, struct tx *t)
{
    switch (t->verb) {
    case TOKEN:
        return insert_token(m, t);
    case CLAIM:
        return claim(m, t);
    case MOVE_FENCE:
        return move_fence(m, t);
    case PASS_FENCE:
        return pass_fence(m, t);
    case WRITE:
        return write_object(m, t);
    case COMMIT:
        return commit(m, t);
    case NOTHING:
        break;
    default:
        if (t->verb >= RENEW_WORKER ? !metadb_perform_task(m, t) : !metadb_perform_lease(m, t))
            return false;
        if (metadb_lasts(t->verb))
            release(m, t);
    }
    return true;
}

/* --- time -------------------------------------------------------------------------------------------------------------------------- */

/* The answer of a COMMIT may be lost on the way; other answers are lost only with the connection. */
static void answer(struct metadb *m, struct tx *t)
{
    bool lost = m->cut[t->node] || (metadb_lasts(t->verb) && !m->calm && sim_once_in(m->rng, 25));

    if (t->orphan) {
        close_tx(m, t);
        return;
    }
    t->state = ANSWERED;
    if (lost && metadb_lasts(t->verb)) {
        m->counts->unknown_commits += t->verb == COMMIT;
        t->answer = METADB_LOST;
    } else if (lost) {
        roll_back(m, t);
    }
}

static void run_tx(struct metadb *m, struct tx *t)
{
    bool is_open = t->state != FREE && !metadb_lasts(t->verb) && !(t->state == ANSWERED && t->answer == METADB_LOST);

    if (is_open && m->now_ms - t->begun_ms > METADB_TRX_MS) { /* the server's own limit frees the locks of who sleeps */
        m->counts->timed_out_txs++;
        roll_back(m, t);
        return;
    }
    if (t->state == FREE || t->state == ANSWERED || t->state == AWAITING_CLIENT || m->now_ms < t->at_ms)
        return;
    if (perform(m, t)) {
        answer(m, t);
        return;
    }
    if (t->state != BLOCKED) {
        t->state = BLOCKED;
        t->blocked_ms = m->now_ms;
        m->counts->lock_waits++;
    } else if (m->now_ms - t->blocked_ms >= METADB_LOCK_MS) {
        t->answer = METADB_LOCKED;
        answer(m, t);
    }
}

void metadb_run(struct metadb *m, int64_t now_ms, bool calm)
{
    m->now_ms = now_ms;
    m->calm = calm;
    if (now_ms < m->stalled_until_ms || now_ms < m->down_until_ms)
        return;
    for (unsigned i = 0; i < METADB_TXS; i++)
        run_tx(m, &m->txs[i]);
}

void metadb_stall(struct metadb *m, int64_t until_ms)
{
    m->stalled_until_ms = until_ms;
}

/* A COMMIT under way may have been done, and nobody hears of it. */
void metadb_fail_over(struct metadb *m, int64_t now_ms)
{
    m->down_until_ms = now_ms + 200 + sim_below(m->rng, 4000);
    for (unsigned i = 0; i < METADB_TXS; i++) {
        struct tx *t = &m->txs[i];

        if (t->state == FREE)
            continue;
        if (t->verb == COMMIT && t->state == SENT && sim_once_in(m->rng, 2)) {
            (void)commit(m, t);
            m->counts->unknown_commits++;
        }
        roll_back(m, t);
    }
}

void metadb_jump(struct metadb *m, int64_t by_ms)
{
    m->skew_ms += by_ms;
    m->clock_mixed_ms = m->now_ms + 2 * LEASING_TTL_MS;
}

void metadb_back_up(struct metadb *m)
{
    m->backup = m->now;
}

uint64_t metadb_found_anew(struct metadb *m, bool restored)
{
    int64_t ahead = 1000000 + m->now_ms; /* the calendar, in the model's seconds */

    for (unsigned i = 0; i < METADB_TXS; i++)
        if (m->txs[i].state != FREE)
            roll_back(m, &m->txs[i]);
    if (restored) {
        m->now = m->backup;
        m->clock_mixed_ms = m->now_ms + 2 * LEASING_TTL_MS;
        metadb_fail_tasks(m);
    }
    m->now.row.generation++;
    if (restored && m->now.row.generation < (uint64_t)ahead)
        m->now.row.generation = (uint64_t)ahead;
    m->now.row.term = m->now.row.node_id = 0;
    m->now.row.epoch = restored && m->now.row.epoch + 1000 < ahead ? ahead : m->now.row.epoch + 1;
    for (unsigned i = 0; i < METADB_SLOTS; i++)
        m->now.fence[i] = m->now.row.epoch;
    m->newest++;
    memset(m->now.nodes, 0, sizeof m->now.nodes); /* who is a member says so again */
    return m->now.row.generation;
}

void metadb_client_is_of(struct metadb *m, unsigned node, unsigned cluster)
{
    m->cluster_of[node] = cluster;
}

void metadb_client_died(struct metadb *m, unsigned node)
{
    for (unsigned i = 0; i < METADB_TXS; i++) {
        struct tx *t = &m->txs[i];

        if (t->state == FREE || t->node != node)
            continue;
        t->orphan = true;
        if (!metadb_lasts(t->verb) || (t->state != SENT && t->state != BLOCKED))
            close_tx(m, t);
    }
}

void metadb_cut(struct metadb *m, unsigned node, bool cut)
{
    m->cut[node] = cut;
}

bool metadb_is_cut(const struct metadb *m, unsigned node)
{
    return m->cut[node];
}

const char *metadb_broken(const struct metadb *m)
{
    return m->broken;
}

/* --- clients ------------------------------------------------------------------------------------------------------------------------ */

int metadb_begin(struct metadb *m, unsigned node)
{
    if (m->cut[node] || m->now_ms < m->down_until_ms)
        return -1;
    for (int i = 0; i < METADB_TXS; i++) {
        if (m->txs[i].state != FREE)
            continue;
        metadb_forget_tasks(m, &m->txs[i]);
        m->txs[i] = (struct tx){ .state = AWAITING_CLIENT, .node = node, .begun_ms = m->now_ms, .cluster = m->cluster_of[node] };
        return i;
    }
    return -1;
}

/* Sends a statement; one that is sent into a broken connection is lost. */
struct tx *metadb_say(struct metadb *m, int tx, enum verb verb)
{
    struct tx *t = &m->txs[tx];

    if (t->state == ANSWERED && t->answer == METADB_LOST)
        return t;
    t->verb = verb;
    t->answer = METADB_WAITING;
    t->state = SENT;
    t->at_ms = m->now_ms + 1 + sim_below(m->rng, m->calm ? 5 : 20);
    if (metadb_lasts(verb) && !m->calm && sim_once_in(m->rng, 30))
        t->at_ms += sim_below(m->rng, 1500); /* lands late */
    if (m->cut[t->node])
        roll_back(m, t);
    return t;
}

void metadb_insert_token(struct metadb *m, int tx, uint64_t token)
{
    metadb_say(m, tx, TOKEN)->token = token;
}

void metadb_claim(struct metadb *m, int tx, uint64_t generation, uint64_t term, uint64_t node_id)
{
    metadb_say(m, tx, CLAIM)->wanted = (struct metadb_row){ generation, term, node_id, 0 };
}

void metadb_move_fence(struct metadb *m, int tx)
{
    (void)metadb_say(m, tx, MOVE_FENCE);
}

void metadb_pass_fence(struct metadb *m, int tx, unsigned slot, int64_t epoch)
{
    struct tx *t = metadb_say(m, tx, PASS_FENCE);

    t->slot = slot;
    t->epoch = epoch;
}

void metadb_write(struct metadb *m, int tx, unsigned object, uint64_t serial, int64_t epoch)
{
    struct tx *t = metadb_say(m, tx, WRITE);

    t->object = object;
    t->serial = serial;
    t->epoch = epoch;
}

void metadb_commit(struct metadb *m, int tx)
{
    (void)metadb_say(m, tx, COMMIT);
}

void metadb_rollback(struct metadb *m, int tx)
{
    struct tx *t = &m->txs[tx];

    if (metadb_lasts(t->verb) && (t->state == SENT || t->state == BLOCKED))
        t->orphan = true; /* it may still land */
    else
        close_tx(m, t);
}

enum metadb_answer metadb_answer(const struct metadb *m, int tx)
{
    return m->txs[tx].state == ANSWERED ? m->txs[tx].answer : METADB_WAITING;
}

struct metadb_row metadb_read(const struct metadb *m, int tx)
{
    return m->txs[tx].row;
}

int64_t metadb_epoch(const struct metadb *m)
{
    return m->now.row.epoch;
}

bool metadb_has_serial(const struct metadb *m, uint64_t serial)
{
    return m->now.applied[serial % MAX_SERIALS] > 0;
}

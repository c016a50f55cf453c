/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/leader.h"

#include <stdio.h>
#include <string.h>

enum { STATEMENT_MS = 1000, PAUSE_MS = 40, PROBE_MS = 1000 };

static void obey(struct sim_leader *l, struct leading_do did, int64_t now_ms);

static void broken(struct sim_leader *l, const char *what, uint64_t a)
{
    if (l->broken[0] == '\0')
        (void)snprintf(l->broken, sizeof l->broken, "%s (%llu)", what, (unsigned long long)a);
}

/* --- one transaction ------------------------------------------------------------------------------------------------------------------ */

static void drop(struct sim_leader *l, struct program *p)
{
    if (p->tx >= 0)
        metadb_rollback(l->db, p->tx);
    p->tx = -1;
}

static void again(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    drop(l, p);
    p->at = AT_BEGIN;
    p->next_ms = now_ms + PAUSE_MS + sim_below(l->rng, PAUSE_MS);
}

static void finish(struct sim_leader *l, struct program *p)
{
    drop(l, p);
    p->kind = PROGRAM_NONE;
}

static void claim_ended(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    uint64_t term = p->term;
    struct metadb_row row = p->row;

    finish(l, p);
    if (row.generation == l->generation && row.term == term && row.node_id == l->node + 1)
        obey(l, leading_claimed(&l->leading, term, row.epoch), now_ms);
    else
        obey(l, row.generation > l->generation ? leading_given_up(&l->leading) : leading_overtaken(&l->leading, term), now_ms);
}

static void committed(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    if (p->kind == PROGRAM_CLAIM) {
        claim_ended(l, p, now_ms);
        return;
    }
    if (p->kind == PROGRAM_ASSIGN) {
        finish(l, p);
        return;
    }
    l->counts->writes++;
    if (!metadb_has_serial(l->db, p->serial))
        broken(l, "an acknowledged write is not there", p->serial);
    finish(l, p);
}

static void say(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    p->sent_ms = now_ms;
    switch (p->at) {
    case AT_TOKEN:
        metadb_insert_token(l->db, p->tx, p->token);
        break;
    case AT_CLAIM:
        metadb_claim(l->db, p->tx, l->generation, p->term, l->node + 1);
        break;
    case AT_MOVE_FENCE:
        metadb_move_fence(l->db, p->tx);
        break;
    case AT_PASS_FENCE:
        metadb_pass_fence(l->db, p->tx, p->slot, p->epoch);
        break;
    case AT_WRITE:
        metadb_write(l->db, p->tx, (unsigned)(p->serial % METADB_OBJECTS), p->serial, p->epoch);
        break;
    case AT_LOCK:
        metadb_lock_leases(l->db, p->tx);
        break;
    case AT_CHANGE:
        metadb_change(l->db, p->tx, l->changes, l->n_changes, p->epoch);
        break;
    case AT_COMMIT:
        metadb_commit(l->db, p->tx);
        break;
    case AT_READ:
        metadb_read_leases(l->db, p->tx);
        break;
    case AT_BEGIN:
        break;
    }
}

static void begin(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    p->tx = metadb_begin(l->db, l->node);
    if (p->tx < 0) {
        p->next_ms = now_ms + PAUSE_MS;
        return;
    }
    if (!p->unknown)
        p->token = ++*l->next_token;
    p->at = p->kind == PROGRAM_ASSIGN && l->n_changes == 0 ? AT_READ : AT_TOKEN;
    say(l, p, now_ms);
}

/* A COMMIT without an answer is settled with the same token; everything else is simply done again. */
static void lost(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    if (p->at == AT_COMMIT)
        p->unknown = true;
    again(l, p, now_ms);
}

static void go_to(struct sim_leader *l, struct program *p, int at, int64_t now_ms)
{
    p->at = at;
    say(l, p, now_ms);
}

static void token_answered(struct sim_leader *l, struct program *p, enum metadb_answer a, int64_t now_ms)
{
    if (a == METADB_DUPLICATE) {
        if (!p->unknown)
            broken(l, "a fresh token is used already", p->token);
        l->counts->settled_committed++;
        committed(l, p, now_ms);
        return;
    }
    if (p->unknown)
        l->counts->settled_lost++;
    p->unknown = false;
    go_to(l, p, p->kind == PROGRAM_CLAIM ? AT_CLAIM : AT_PASS_FENCE, now_ms);
}

static struct leasing_node node_of(const struct sim_leader *l, const struct metadb_world *found, unsigned i)
{
    return (struct leasing_node){
        .id = i + 1,
        .idc = "",
        .seen_ms = found->now_ms - found->nodes[i].seen_ms,
        .dead = l->dead & 1u << i,
        .draining = found->nodes[i].draining,
        .away = l->strangers & 1u << i,
        .weight = LEASING_WEIGHT,
    };
}

/* The leader's round: what it has read, and what it makes of it. */
static void plan(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    const struct metadb_world *found = metadb_found(l->db, p->tx);
    struct leasing_node nodes[SIM_NODES];
    struct leasing_lease leases[LEASING_SHARDS];
    struct leasing_world w = { .nodes = nodes, .leases = leases };
    struct leasing_change out[LEASING_SHARDS];

    for (unsigned i = 0; i < SIM_NODES; i++)
        if (found->nodes[i].there)
            nodes[w.n_nodes++] = node_of(l, found, i);
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        leases[i] = (struct leasing_lease){ found->leases[i].node_id, found->leases[i].next_id, found->leases[i].expires_ms - found->now_ms };
    l->n_changes = leasing_plan(&l->leasing, &w, now_ms, out);
    for (unsigned i = 0; i < l->n_changes; i++)
        l->changes[i] = (struct metadb_change){ .shard = out[i].shard, .to = out[i].to, .is_ask = out[i].is_ask, .from_dead = out[i].from_dead };
    if (l->n_changes > 0)
        again(l, p, now_ms - PAUSE_MS * 2);
    else
        finish(l, p);
}

static void answered(struct sim_leader *l, struct program *p, enum metadb_answer a, int64_t now_ms)
{
    switch (p->at) {
    case AT_TOKEN:
        token_answered(l, p, a, now_ms);
        break;
    case AT_CLAIM:
        p->row = metadb_read(l->db, p->tx);
        if (a == METADB_OK)
            go_to(l, p, AT_MOVE_FENCE, now_ms);
        else
            claim_ended(l, p, now_ms);
        break;
    case AT_READ:
        plan(l, p, now_ms);
        break;
    case AT_LOCK:
        go_to(l, p, AT_CHANGE, now_ms);
        break;
    case AT_MOVE_FENCE:
    case AT_WRITE:
    case AT_CHANGE:
        go_to(l, p, AT_COMMIT, now_ms);
        break;
    case AT_PASS_FENCE:
        if (a == METADB_OK) {
            go_to(l, p, p->kind == PROGRAM_ASSIGN ? AT_LOCK : AT_WRITE, now_ms);
        } else {
            int64_t epoch = p->epoch;

            l->counts->fenced++;
            finish(l, p);
            obey(l, leading_fenced(&l->leading, epoch), now_ms);
        }
        break;
    case AT_COMMIT:
        committed(l, p, now_ms);
        break;
    case AT_BEGIN:
        break;
    }
}

static void run_program(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    enum metadb_answer a;

    if (p->at == AT_BEGIN) {
        if (now_ms >= p->next_ms)
            begin(l, p, now_ms);
        return;
    }
    a = metadb_answer(l->db, p->tx);
    if (a == METADB_WAITING) {
        if (now_ms - p->sent_ms >= STATEMENT_MS)
            lost(l, p, now_ms);
    } else if (a == METADB_LOST) {
        lost(l, p, now_ms);
    } else if (a == METADB_LOCKED) {
        again(l, p, now_ms);
    } else {
        answered(l, p, a, now_ms);
    }
}

/* --- decisions ------------------------------------------------------------------------------------------------------------------------ */

static struct program *free_program(struct sim_leader *l)
{
    for (unsigned i = 0; i < LEADER_PROGRAMS; i++)
        if (l->programs[i].kind == PROGRAM_NONE)
            return &l->programs[i];
    return NULL;
}

static void stop_work(struct sim_leader *l)
{
    for (unsigned i = 0; i < LEADER_PROGRAMS; i++)
        if (l->programs[i].kind == PROGRAM_WORK || l->programs[i].kind == PROGRAM_ASSIGN)
            finish(l, &l->programs[i]);
}

static void start_claim(struct sim_leader *l, uint64_t term, int64_t now_ms)
{
    struct program *p = NULL;

    for (unsigned i = 0; i < LEADER_PROGRAMS; i++) /* one of a former term is of no use any more */
        if (l->programs[i].kind == PROGRAM_CLAIM)
            finish(l, &l->programs[i]);
    p = free_program(l);
    if (p == NULL)
        return;
    *p = (struct program){ .kind = PROGRAM_CLAIM, .at = AT_BEGIN, .tx = -1, .term = term, .next_ms = now_ms };
}

static void obey(struct sim_leader *l, struct leading_do did, int64_t now_ms)
{
    if (did.actions & LEADING_STOP_WORK)
        stop_work(l);
    if (did.actions & LEADING_CLAIM)
        start_claim(l, did.term, now_ms);
    if (did.actions & LEADING_TRANSFER) {
        l->wanted |= LEADING_TRANSFER;
        l->transfer_to = did.to;
    }
    l->wanted |= did.actions & LEADING_END;
}

static void start_work(struct sim_leader *l, int64_t now_ms)
{
    struct program *p = free_program(l);

    l->work_ms = now_ms + 20 + sim_below(l->rng, 150);
    if (p != NULL)
        *p = (struct program){ .kind = PROGRAM_WORK, .at = AT_BEGIN, .tx = -1, .epoch = leading_epoch(&l->leading), .serial = ++*l->next_serial,
                               .slot = sim_below(l->rng, METADB_SLOTS), .next_ms = now_ms };
}

/* One round at a time; a former one that could not be ended counts as MetaDB out of sight. */
static void start_assign(struct sim_leader *l, int64_t now_ms)
{
    struct program *p;

    l->assign_ms = now_ms + LEASING_ROUND_MS;
    if (l->leasing_epoch != leading_epoch(&l->leading)) {
        leasing_begin(&l->leasing, now_ms);
        l->leasing_epoch = leading_epoch(&l->leading);
    }
    for (unsigned i = 0; i < LEADER_PROGRAMS; i++)
        if (l->programs[i].kind == PROGRAM_ASSIGN) {
            leasing_lost_sight(&l->leasing, now_ms);
            return;
        }
    p = free_program(l);
    l->n_changes = 0;
    if (p != NULL)
        *p = (struct program){ .kind = PROGRAM_ASSIGN, .at = AT_BEGIN, .tx = -1, .epoch = leading_epoch(&l->leading), .next_ms = now_ms };
}

void sim_leader_init(struct sim_leader *l, struct metadb *db, struct sim_rng *rng, struct sim_counts *counts, unsigned node, unsigned election_ms,
                     uint64_t *next_token, uint64_t *next_serial)
{
    *l = (struct sim_leader){ .db = db, .rng = rng, .counts = counts, .node = node, .next_token = next_token, .next_serial = next_serial };
    leading_init(&l->leading, election_ms);
}

void sim_leader_die(struct sim_leader *l)
{
    metadb_client_died(l->db, l->node);
    memset(l->programs, 0, sizeof l->programs);
    leading_init(&l->leading, l->leading.election_ms);
    l->leasing_epoch = 0;
    l->work_ms = l->probe_ms = l->assign_ms = 0;
    l->wanted = 0;
}

void sim_leader_raft(struct sim_leader *l, const struct leading_raft *r, int64_t now_ms)
{
    obey(l, leading_raft(&l->leading, r, now_ms), now_ms);
}

void sim_leader_run(struct sim_leader *l, uint64_t better, int64_t now_ms)
{
    obey(l, leading_tick(&l->leading, now_ms), now_ms);
    if (now_ms >= l->probe_ms) {
        l->probe_ms = now_ms + PROBE_MS;
        obey(l, leading_probed(&l->leading, !metadb_is_cut(l->db, l->node), better, now_ms), now_ms);
    }
    if (leading_epoch(&l->leading) != 0 && now_ms >= l->work_ms)
        start_work(l, now_ms);
    if (leading_epoch(&l->leading) != 0 && now_ms >= l->assign_ms)
        start_assign(l, now_ms);
    for (unsigned i = 0; i < LEADER_PROGRAMS; i++)
        if (l->programs[i].kind != PROGRAM_NONE)
            run_program(l, &l->programs[i], now_ms);
}

void sim_leader_fenced(struct sim_leader *l, int64_t epoch, int64_t now_ms)
{
    obey(l, leading_fenced(&l->leading, epoch), now_ms);
}

unsigned sim_leader_wants(struct sim_leader *l, uint64_t *transfer_to)
{
    unsigned wanted = l->wanted;

    *transfer_to = l->transfer_to;
    l->wanted = 0;
    return wanted;
}

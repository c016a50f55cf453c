/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/leader.h"

#include <stdio.h>
#include <string.h>

enum { GENERATION = 1, STATEMENT_MS = 1000, PAUSE_MS = 40, PROBE_MS = 1000 };

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
    if (row.generation == GENERATION && row.term == term && row.node_id == l->node + 1)
        obey(l, leading_claimed(&l->leading, term, row.epoch), now_ms);
    else
        obey(l, row.generation > GENERATION ? leading_given_up(&l->leading) : leading_overtaken(&l->leading, term), now_ms);
}

static void committed(struct sim_leader *l, struct program *p, int64_t now_ms)
{
    if (p->kind == PROGRAM_CLAIM) {
        claim_ended(l, p, now_ms);
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
        metadb_claim(l->db, p->tx, GENERATION, p->term, l->node + 1);
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
    case AT_COMMIT:
        metadb_commit(l->db, p->tx);
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
    p->at = AT_TOKEN;
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
    case AT_MOVE_FENCE:
    case AT_WRITE:
        go_to(l, p, AT_COMMIT, now_ms);
        break;
    case AT_PASS_FENCE:
        if (a == METADB_OK) {
            go_to(l, p, AT_WRITE, now_ms);
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
        if (l->programs[i].kind == PROGRAM_WORK)
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
    for (unsigned i = 0; i < LEADER_PROGRAMS; i++)
        if (l->programs[i].kind != PROGRAM_NONE)
            run_program(l, &l->programs[i], now_ms);
}

unsigned sim_leader_wants(struct sim_leader *l, uint64_t *transfer_to)
{
    unsigned wanted = l->wanted;

    *transfer_to = l->transfer_to;
    l->wanted = 0;
    return wanted;
}

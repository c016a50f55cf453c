/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus under faults. Checked after every event: one leader a term; equal committed entries everywhere, for ever; terms and
 * durable votes never go back; nothing is sent before term and vote are stored; a node that leads has everything that was committed. Checked
 * after a calm: one leader, all logs equal. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raft/disk.h"
#include "raft/message.h"
#include "tests/sim/world.h"

/* --- chance ---------------------------------------------------------------------------------------------------------------------- */

uint32_t sim_below(struct sim_rng *r, uint32_t n)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return n == 0 ? 0 : (uint32_t)((r->state >> 11) % n);
}

bool sim_once_in(struct sim_rng *r, uint32_t n)
{
    return sim_below(r, n) == 0;
}

void sim_broken(struct run *s, unsigned i, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (s->broken)
        return;
    s->broken = true;
    n = snprintf(s->why, 512, "seed %llu, %lld ms, node %u: ", (unsigned long long)s->conf.seed, (long long)s->now_ms, i + 1);
    va_start(ap, fmt);
    (void)vsnprintf(s->why + n, (size_t)(512 - n), fmt, ap);
    va_end(ap);
}

/* Chance of a fault; in every other run there are fewer, so that what takes long (leases that run out, sleepers that wake) comes to its end. */
static bool fault_once_in(struct run *s, uint32_t n)
{
    return sim_once_in(&s->rng, s->conf.seed % 2 == 0 ? n * FEWER : n);
}

int64_t sim_clock(const struct run *s, unsigned i)
{
    return s->now_ms + s->nodes[i].skew_ms;
}

/* --- network --------------------------------------------------------------------------------------------------------------------- */

static void reset_link(struct run *s, unsigned a, unsigned b)
{
    s->connection[a][b]++;
    s->last_arrival[a][b] = s->now_ms;
}

/* What is on the wire of a former connection never arrives. */
static void put_on_wire(struct run *s, struct packet *p)
{
    unsigned a = p->from, b = p->to;
    int64_t at = s->now_ms + 1 + sim_below(&s->rng, LINK_MS);
    struct packet **place = &s->wire;

    if (s->cut[a][b] || (!s->calm && sim_once_in(&s->rng, 60))) {
        s->counts->losses++;
        if (!s->cut[a][b]) { /* TCP loses nothing but with the connection */
            reset_link(s, a, b);
            s->counts->resets++;
        }
        free(p->bytes);
        free(p);
        return;
    }
    if (!s->calm && sim_once_in(&s->rng, 400))
        at += sim_below(&s->rng, STALL_MS);
    if (at <= s->last_arrival[a][b])
        at = s->last_arrival[a][b] + 1;
    s->last_arrival[a][b] = at;
    p->at_ms = at;
    p->connection = s->connection[a][b];
    while (*place != NULL && (*place)->at_ms <= at)
        place = &(*place)->next;
    p->next = *place;
    *place = p;
}

static void send_held(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];

    while (n->held != NULL && n->held->after <= n->metas_done) {
        struct packet *p = n->held;

        n->held = p->next;
        put_on_wire(s, p);
    }
}

static void hold_packets(struct run *s, unsigned i, const struct consensus_work *w)
{
    struct node *n = &s->nodes[i];
    struct packet **end = &n->held;

    while (*end != NULL)
        end = &(*end)->next;
    for (unsigned k = 0; k < w->n_packets; k++) {
        struct packet *p = calloc(1, sizeof *p);

        *p = (struct packet){ .from = i, .to = (unsigned)w->packets[k].to - 1, .cluster = n->cluster, .after = n->metas_wanted, .n = w->packets[k].bytes.n };
        p->bytes = malloc(p->n);
        memcpy(p->bytes, w->packets[k].bytes.s, p->n);
        *end = p;
        end = &p->next;
    }
    send_held(s, i);
}

/* --- disk ------------------------------------------------------------------------------------------------------------------------ */

static void queue_write(struct run *s, unsigned i, struct pending *w)
{
    struct node *n = &s->nodes[i];
    int64_t delay = 1 + sim_below(&s->rng, 15);

    if (s->now_ms < n->slow_until_ms)
        delay += 500 + sim_below(&s->rng, 2000);
    w->at_ms = s->now_ms + delay > n->last_write_ms ? s->now_ms + delay : n->last_write_ms;
    n->last_write_ms = w->at_ms;
    if (w->at_ms - s->now_ms > ELECTION_MS / 2) /* as raft/node.c tells it, by the slowest of its last writes */
        n->remembers_slow_ms = w->at_ms + RAFT_DISK_SAMPLES * RAFT_DISK_TOUCH_MS;
    if (n->last != NULL)
        n->last->next = w;
    else
        n->first = w;
    n->last = w;
}

static void want_meta(struct run *s, unsigned i, const struct consensus_work *w)
{
    struct pending *p = calloc(1, sizeof *p);

    *p = (struct pending){ .meta = true, .term = w->term, .vote = w->vote };
    s->nodes[i].metas_wanted++;
    queue_write(s, i, p);
}

static void want_entries(struct run *s, unsigned i, const struct consensus_write *w)
{
    struct pending *p = calloc(1, sizeof *p);

    *p = (struct pending){ .index = w->index, .n = w->n, .entries = calloc(w->n, sizeof *p->entries) };
    for (unsigned k = 0; k < w->n; k++) {
        p->entries[k] = (struct stored){ w->entries[k].term, (uint64_t)w->entries[k].kind, w->entries[k].size, "" };
        if (w->entries[k].size > sizeof p->entries[k].data)
            sim_broken(s, i, "an entry of %u bytes", w->entries[k].size);
        else
            memcpy(p->entries[k].data, w->entries[k].data, w->entries[k].size);
    }
    queue_write(s, i, p);
}

static void free_pending(struct pending *p)
{
    free(p->entries);
    free(p);
}

/* --- checks after each event ------------------------------------------------------------------------------------------------------ */

static void check_commit(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];
    struct cluster *of = &s->clusters[n->cluster];
    struct consensus_status st = consensus_status(n->c);

    for (; n->applied < st.commit; n->applied++) {
        struct entry en = consensus_entry(n->c, n->applied + 1);
        struct stored *was = &of->committed[n->applied];

        if (n->applied >= SIM_LOG) {
            sim_broken(s, i, "the log is longer than the simulation keeps");
            return;
        }
        if (n->applied == of->n_committed) {
            *was = (struct stored){ en.term, (uint64_t)en.kind, en.size, "" };
            memcpy(was->data, en.data, en.size < sizeof was->data ? en.size : sizeof was->data);
            of->n_committed++;
            s->counts->commits++;
        } else if (was->term != en.term || was->size != en.size || memcmp(was->data, en.data, en.size) != 0) {
            sim_broken(s, i, "commits another entry %llu than was committed before", (unsigned long long)n->applied + 1);
        }
    }
    if (st.leads && n->applied < of->n_committed && st.term >= of->committed[of->n_committed - 1].term)
        sim_broken(s, i, "leads in term %llu and lacks committed entries", (unsigned long long)st.term);
}

static void check_role(struct run *s, unsigned i)
{
    uint64_t *leader_of = s->clusters[s->nodes[i].cluster].leader_of;
    struct consensus_status st = consensus_status(s->nodes[i].c);

    if (st.role != CONSENSUS_LEADER || st.term >= MAX_TERMS)
        return;
    if (leader_of[st.term] == 0) {
        leader_of[st.term] = i + 1;
        s->counts->elections++;
    } else if (leader_of[st.term] != i + 1) {
        sim_broken(s, i, "is a second leader of term %llu, after %llu", (unsigned long long)st.term, (unsigned long long)leader_of[st.term]);
    }
}

/* An active leader has claimed an epoch that is committed, and its claims only grow. */
static void check_leader(struct run *s, unsigned i)
{
    const struct sim_leader *l = &s->nodes[i].leader;
    int64_t epoch = leading_epoch(&l->leading);

    if (epoch > metadb_epoch(s->db))
        sim_broken(s, i, "is active under epoch %lld, which was not claimed", (long long)epoch);
    if (l->broken[0] != '\0')
        sim_broken(s, i, "%s", l->broken);
    if (metadb_broken(s->db)[0] != '\0')
        sim_broken(s, i, "%s", metadb_broken(s->db));
}

static void tell_leader(struct run *s, unsigned i)
{
    struct consensus_status st = consensus_status(s->nodes[i].c);
    const struct leading_raft r = { st.role == CONSENSUS_LEADER, st.leads, st.term };

    sim_leader_raft(&s->nodes[i].leader, &r, sim_clock(s, i));
    check_leader(s, i);
}

/* --- driving one node ------------------------------------------------------------------------------------------------------------- */

static void do_work(struct run *s, unsigned i)
{
    const struct consensus_work *w = consensus_work(s->nodes[i].c);

    if (w->meta)
        want_meta(s, i, w);
    for (unsigned k = 0; k < w->n_writes; k++)
        want_entries(s, i, &w->writes[k]);
    hold_packets(s, i, w);
    consensus_work_done(s->nodes[i].c);
    check_role(s, i);
    check_commit(s, i);
    tell_leader(s, i);
}

/* After each call: fatal errors are bugs here, since no disk has failed without the node having crashed. */
static void after(struct run *s, unsigned i, int rv, const struct err *e)
{
    char text[256];

    if (rv == ERR_RAFT_FATAL.code || rv == ERR_NOMEM.code || rv == ERR_RAFT_MESSAGE.code)
        sim_broken(s, i, "%s", err_log_text(e, text, sizeof text));
    else
        do_work(s, i);
}

static void boot(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];
    struct entry *entries = calloc(n->n_log + 1, sizeof *entries);
    char address[16];
    struct consensus_conf conf = { i + 1, address, ELECTION_MS, HEARTBEAT_MS, sim_below(&s->rng, 1u << 30) };
    struct consensus_stored_state stored = { n->term, n->vote, entries, n->n_log };
    struct err e = { 0 };
    int rv;

    (void)snprintf(address, sizeof address, "n%u:8081", i + 1);
    for (unsigned k = 0; k < n->n_log; k++)
        entries[k] = (struct entry){ n->log[k].term, (enum entry_kind)n->log[k].kind, (uint32_t)n->log[k].size, n->log[k].data };
    n->applied = 0;
    n->leader.generation = n->generation;
    metadb_client_is_of(s->db, i, n->cluster);
    n->skew_ms = sim_below(&s->rng, 100000);
    for (unsigned k = 0; k < SIM_NODES; k++) { /* connections are made anew */
        reset_link(s, i, k);
        reset_link(s, k, i);
    }
    rv = consensus_new(&conf, &stored, sim_clock(s, i), &n->c, &e);
    free(entries);
    after(s, i, rv, &e);
}

static void drop_pending(struct run *s, struct node *n)
{
    while (n->first != NULL) {
        struct pending *p = n->first;

        n->first = p->next;
        s->counts->torn_metas += p->meta;
        free_pending(p);
    }
    n->last = NULL;
    n->last_write_ms = 0;
    while (n->held != NULL) {
        struct packet *p = n->held;

        n->held = p->next;
        free(p->bytes);
        free(p);
    }
    n->metas_wanted = n->metas_done = 0;
}

void sim_crash(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];

    consensus_free(n->c);
    n->c = NULL;
    sim_leader_die(&n->leader);
    sim_worker_die(&n->worker);
    sim_tasker_die(&n->tasker, ++s->incarnations[i]);
    n->paused = false;
    n->slow_until_ms = n->raft_wakes_ms = n->remembers_slow_ms = 0;
    n->boot_ms = s->now_ms + sim_below(&s->rng, 2000);
    drop_pending(s, n);
}

static void finish_write(struct run *s, unsigned i, const struct pending *p)
{
    struct node *n = &s->nodes[i];
    struct err e = { 0 };

    if (p->meta) {
        if (p->term < n->term || (p->term == n->term && n->vote != 0 && p->vote != n->vote))
            sim_broken(s, i, "stores term %llu vote %llu after term %llu vote %llu", (unsigned long long)p->term, (unsigned long long)p->vote,
                   (unsigned long long)n->term, (unsigned long long)n->vote);
        n->term = p->term;
        n->vote = p->vote;
        n->metas_done++;
        send_held(s, i);
        return;
    }
    if (p->index > n->n_log + 1 || p->index + p->n >= SIM_LOG) {
        sim_broken(s, i, "writes entry %llu after %u", (unsigned long long)p->index, n->n_log);
        return;
    }
    memcpy(&n->log[p->index - 1], p->entries, p->n * sizeof *p->entries);
    n->n_log = (unsigned)p->index - 1 + p->n;
    after(s, i, consensus_stored(n->c, p->index + p->n - 1, p->entries[p->n - 1].term, sim_clock(s, i), &e), &e);
}

static void run_disk(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];

    while (n->c != NULL && n->first != NULL && n->first->at_ms <= s->now_ms) {
        struct pending *p = n->first;

        if (n->failing) { /* fail-stop: the process ends before anything else is done */
            n->failing = false;
            s->counts->failed_disks++;
            sim_crash(s, i);
            return;
        }
        n->first = p->next;
        if (n->first == NULL)
            n->last = NULL;
        finish_write(s, i, p);
        free_pending(p);
    }
}

static void deliver(struct run *s)
{
    struct packet **place = &s->wire;

    while (*place != NULL && (*place)->at_ms <= s->now_ms && !s->broken) {
        struct packet *p = *place;
        struct node *n = &s->nodes[p->to];
        struct err e = { 0 };

        if (n->paused || s->now_ms < n->raft_wakes_ms) { /* waits in the kernel's buffers */
            place = &p->next;
            continue;
        }
        *place = p->next;
        if (n->c != NULL && p->connection == s->connection[p->from][p->to] && p->cluster == n->cluster)
            after(s, p->to, consensus_receive(n->c, p->from + 1, (struct slice){ p->bytes, p->n }, sim_clock(s, p->to), &e), &e);
        free(p->bytes);
        free(p);
    }
}

static void tick(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];
    struct err e = { 0 };

    if (n->c == NULL || n->paused || s->now_ms < n->raft_wakes_ms)
        return;
    run_disk(s, i);
    if (n->c != NULL)
        consensus_set_slow(n->c, s->now_ms < n->remembers_slow_ms);
    if (n->c != NULL && sim_clock(s, i) >= consensus_due_ms(n->c))
        after(s, i, consensus_tick(n->c, sim_clock(s, i), &e), &e);
}

/* --- leading ---------------------------------------------------------------------------------------------------------------------- */

static bool is_other(const struct run *s, unsigned i, unsigned k)
{
    return i != k && s->nodes[k].cluster == s->nodes[i].cluster;
}

static uint64_t one_that_reaches_metadb(const struct run *s, unsigned but)
{
    for (unsigned i = 0; i < SIM_NODES; i++)
        if (is_other(s, but, i) && s->nodes[i].c != NULL && !s->nodes[i].paused && !metadb_is_cut(s->db, i) &&
            consensus_match(s->nodes[but].c, i + 1) > 0)
            return i + 1;
    return 0;
}

/* What the peers' links and the list of members say of the others. */
static void tell_of_others(struct run *s, unsigned i)
{
    struct sim_leader *l = &s->nodes[i].leader;
    struct member members[RAFT_MAX_MEMBERS];
    unsigned n = consensus_members(s->nodes[i].c, members);

    l->dead = 0;
    l->strangers = (1u << SIM_NODES) - 1;
    for (unsigned k = 0; k < n; k++) {
        unsigned other = (unsigned)members[k].id - 1;

        l->strangers &= ~(1u << other);
        if (s->nodes[other].c == NULL && !s->cut[i][other] && !s->cut[other][i])
            l->dead |= 1u << other;
    }
}

/* A node that stops gives back what it has, and ends. */
static void drain(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];

    if (!n->worker.draining || (!sim_worker_is_at_rest(&n->worker) && s->now_ms < n->drain_until_ms))
        return;
    sim_crash(s, i);
    n->boot_ms = s->now_ms + sim_below(&s->rng, !s->calm && sim_once_in(&s->rng, 4) ? 40000 : 3000);
    s->counts->restarts++;
}

static void run_tasks(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];
    struct sim_tasker *t = &n->tasker;

    sim_tasker_run(t, leading_epoch(&n->leader.leading), n->leader.dead, s->calm, sim_clock(s, i));
    if (t->fenced != 0)
        sim_leader_fenced(&n->leader, t->fenced, sim_clock(s, i));
    t->fenced = 0;
    if (t->broken[0] != '\0')
        sim_broken(s, i, "%s", t->broken);
}

static void lead(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];
    struct err e = { 0 };
    unsigned wanted;
    uint64_t to;

    if (n->c == NULL || n->paused)
        return;
    if (leading_epoch(&n->leader.leading) != 0)
        tell_of_others(s, i);
    sim_worker_run(&n->worker, sim_clock(s, i));
    run_tasks(s, i);
    sim_leader_run(&n->leader, one_that_reaches_metadb(s, i), sim_clock(s, i));
    wanted = sim_leader_wants(&n->leader, &to);
    if (wanted & LEADING_END) { /* its claim was refused: its cluster was given up */
        sim_crash(s, i);
        n->ended = true;
        s->counts->given_up++;
        return;
    }
    if (wanted & LEADING_TRANSFER) {
        s->counts->moves++;
        after(s, i, consensus_transfer(n->c, to, sim_clock(s, i), &e), &e);
    }
    check_leader(s, i);
    drain(s, i);
}

static void fault_metadb(struct run *s)
{
    unsigned i = sim_below(&s->rng, SIM_NODES);

    if (s->calm)
        return;
    if (fault_once_in(s, 2000)) {
        metadb_fail_over(s->db, s->now_ms);
        s->counts->failovers++;
    } else if (fault_once_in(s, 1500)) {
        metadb_stall(s->db, s->now_ms + sim_below(&s->rng, 4000));
        s->counts->stalls++;
    } else if (sim_once_in(&s->rng, 6000)) {
        metadb_jump(s->db, (int64_t)sim_below(&s->rng, 40000) - 20000);
        s->counts->db_jumps++;
    } else if (sim_once_in(&s->rng, 3000)) {
        metadb_back_up(s->db);
    } else if (fault_once_in(s, 400) && s->now_ms >= s->nodes[i].cut_until_ms) {
        metadb_cut(s->db, i, !metadb_is_cut(s->db, i));
        s->counts->db_cuts += metadb_is_cut(s->db, i);
    }
}

/* --- faults ----------------------------------------------------------------------------------------------------------------------- */

static void cut_some(struct run *s, bool both_ways)
{
    for (unsigned a = 0; a < SIM_NODES; a++)
        for (unsigned b = 0; b < a; b++) {
            bool cut = sim_below(&s->rng, 100) < 35;

            s->cut[a][b] = cut;
            s->cut[b][a] = both_ways ? cut : sim_below(&s->rng, 100) < 35;
        }
    if (both_ways)
        s->counts->partitions++;
    else
        s->counts->one_way++;
}

static void heal(struct run *s)
{
    for (unsigned a = 0; a < SIM_NODES; a++)
        for (unsigned b = 0; b < SIM_NODES; b++) {
            if (s->cut[a][b])
                reset_link(s, a, b);
            s->cut[a][b] = false;
        }
}

/* What the liveness links of the others say when a process dies. */
static void tell_of_death(struct run *s, unsigned dead)
{
    unsigned rank = 0;

    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].c == NULL || s->nodes[i].paused || s->cut[dead][i] || s->nodes[i].cluster != s->nodes[dead].cluster)
            continue;
        consensus_leader_died(s->nodes[i].c, dead + 1, 60 * (int64_t)rank++ + sim_below(&s->rng, 10), sim_clock(s, i));
        s->counts->died++;
    }
}

/* Who leads is the interesting one, and who is about to act, whose sleep is to outlast its lease. */
static unsigned pause_one_in(const struct run *s, unsigned i)
{
    const struct node *n = &s->nodes[i];

    if (sim_tasker_is_about_to_act(&n->tasker, sim_clock(s, i)))
        return 60;
    return (leading_epoch(&n->leader.leading) != 0 ? 800u : 2500u) * (s->conf.seed % 2 == 0 ? FEWER : 1u);
}

static void fault_node(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];

    if (n->c == NULL) {
        if (s->now_ms >= n->boot_ms && n->member_once && !n->ended)
            boot(s, i);
        return;
    }
    if (n->paused) {
        if (s->now_ms >= n->resume_ms) {
            n->paused = false;
            n->raft_wakes_ms = s->now_ms + (sim_once_in(&s->rng, 2) ? sim_below(&s->rng, 300) : 0);
        }
        return;
    }
    if (s->calm || s->now_ms < n->cut_until_ms) /* who was cut off while it dawdled lives on: few would ever act as zombies otherwise */
        return;
    if (fault_once_in(s, 1500)) {
        sim_crash(s, i);
        s->counts->crashes++;
        if (sim_once_in(&s->rng, 2))
            tell_of_death(s, i);
    } else if (sim_once_in(&s->rng, pause_one_in(s, i))) {
        n->paused = true;
        n->resume_ms = s->now_ms + (sim_tasker_is_about_to_act(&n->tasker, sim_clock(s, i)) ? 8000 + sim_below(&s->rng, 16000) : sim_below(&s->rng, 6000));
        s->counts->pauses++;
    } else if (sim_tasker_is_about_to_act(&n->tasker, sim_clock(s, i)) && sim_once_in(&s->rng, 25)) {
        sim_tasker_dawdle(&n->tasker, sim_clock(s, i));
        metadb_cut(s->db, i, true);
        n->cut_until_ms = s->now_ms + CUT_MS;
        s->counts->cut_runs++;
    } else if (fault_once_in(s, 4000)) {
        n->slow_until_ms = s->now_ms + sim_below(&s->rng, 5000);
        s->counts->slow_disks++;
    } else if (fault_once_in(s, 6000) && !n->worker.draining) {
        sim_worker_drain(&n->worker);
        n->drain_until_ms = s->now_ms + 4000;
    } else if (fault_once_in(s, 8000)) {
        n->failing = true;
    } else if (fault_once_in(s, 6000)) {
        n->skew_ms += sim_below(&s->rng, 20000); /* CLOCK_BOOTTIME never goes back, but the machine may have slept */
        s->counts->skews++;
    }
}

/* --- the operator: transfers and members ------------------------------------------------------------------------------------------- */

static unsigned voters_of(const struct consensus *c, struct member *members, unsigned *n)
{
    unsigned voters = 0;

    *n = consensus_members(c, members);
    for (unsigned k = 0; k < *n; k++)
        voters += members[k].role == MEMBER_VOTER;
    return voters;
}

static const struct member *find_member(const struct member *members, unsigned n, uint64_t id)
{
    for (unsigned k = 0; k < n; k++)
        if (members[k].id == id)
            return &members[k];
    return NULL;
}

/* The log of a cluster of these voters begins with them. */
static bool first_entry(const unsigned *voters, unsigned n, struct stored *out)
{
    struct member members[SIM_NODES];
    char addresses[SIM_NODES][16];
    struct arena arena;
    struct entry first;
    struct err e;
    bool good;

    arena_init(&arena);
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(addresses[i], sizeof addresses[i], "n%u:8081", voters[i] + 1);
        members[i] = (struct member){ voters[i] + 1, addresses[i], MEMBER_VOTER };
    }
    good = consensus_first_entry(members, n, &arena, &first, &e) == 0;
    if (good) {
        *out = (struct stored){ first.term, (uint64_t)first.kind, first.size, "" };
        memcpy(out->data, first.data, first.size);
    }
    arena_fini(&arena);
    return good;
}

bool sim_wipe(struct run *s, unsigned i, const unsigned *voters, unsigned n_voters)
{
    struct node *n = &s->nodes[i];

    sim_crash(s, i);
    n->ended = n->failing = false;
    n->cluster = s->newest;
    n->generation = s->generation;
    n->term = n_voters > 0;
    n->vote = 0;
    n->n_log = n_voters > 0;
    n->member_once = n_voters > 0;
    return n_voters == 0 || first_entry(voters, n_voters, &n->log[0]);
}

static bool found(struct run *s)
{
    unsigned voters[SIM_NODES];

    s->generation = 1;
    for (unsigned i = 0; i < SIM_NODES; i++) {
        voters[i] = i;
        s->nodes[i].log = malloc(SIM_LOG * sizeof(struct stored));
    }
    for (unsigned i = 0; i < SIM_NODES; i++)
        if (!sim_wipe(s, i, voters, i < s->conf.voters ? s->conf.voters : 0))
            return false;
    for (unsigned i = 0; i < SIM_NODES; i++)
        s->nodes[i].boot_ms = 0;
    return true;
}

/* A node of a cluster that was given up: its operator deletes the Raft directory, and it may be added. */
static int take_in(struct run *s, unsigned k)
{
    if (s->nodes[k].c == NULL || !s->nodes[k].paused)
        (void)sim_wipe(s, k, NULL, 0);
    return 0;
}

/* One wish about node `k`: in when it is out, one role up when it is in, out when it is a voter and enough are left. */
static int change_member(struct run *s, struct consensus *c, unsigned k, int64_t now_ms, struct err *e)
{
    struct member members[RAFT_MAX_MEMBERS], new_one;
    char address[16];
    unsigned n, voters = voters_of(c, members, &n);
    const struct member *m = find_member(members, n, k + 1);

    if (s->nodes[k].ended || s->nodes[k].cluster != s->newest)
        return take_in(s, k);
    (void)snprintf(address, sizeof address, "n%u:8081", k + 1);
    new_one = (struct member){ k + 1, address, MEMBER_SPARE };
    if (m == NULL) {
        s->nodes[k].member_once = true;
        s->counts->added++;
        return consensus_add(c, &new_one, now_ms, e);
    }
    if (m->role == MEMBER_SPARE)
        return consensus_assign(c, k + 1, MEMBER_STANDBY, now_ms, e);
    if (m->role == MEMBER_STANDBY) {
        int rv = consensus_assign(c, k + 1, MEMBER_VOTER, now_ms, e);

        s->counts->promoted += rv == 0;
        return rv;
    }
    if (voters <= 3)
        return 0;
    s->counts->removed++;
    return consensus_remove(c, k + 1, now_ms, e);
}

static void operate(struct run *s, unsigned i)
{
    struct node *n = &s->nodes[i];
    struct err e = { 0 };

    if (n->c == NULL || n->paused || s->calm || n->cluster != s->newest || consensus_status(n->c).role != CONSENSUS_LEADER)
        return;
    if (sim_once_in(&s->rng, 600)) {
        s->counts->transfers++;
        after(s, i, consensus_transfer(n->c, sim_once_in(&s->rng, 2) ? 0 : sim_below(&s->rng, SIM_NODES) + 1, sim_clock(s, i), &e), &e);
    } else if (sim_once_in(&s->rng, 250)) {
        after(s, i, change_member(s, n->c, sim_below(&s->rng, SIM_NODES), sim_clock(s, i), &e), &e);
    } else if (sim_once_in(&s->rng, 30)) {
        after(s, i, consensus_note(n->c, sim_clock(s, i), &e), &e);
    }
}

/* --- a run ------------------------------------------------------------------------------------------------------------------------ */

/* No two nodes act on a shard, unless the one that must stop cannot know it yet. Whoever sleeps does not act. */
static void check_acts(struct run *s)
{
    unsigned char owner[LEASING_SHARDS] = { 0 };

    for (unsigned i = 0; i < SIM_NODES && !s->broken; i++) {
        const struct node *n = &s->nodes[i];

        for (unsigned k = 0; n->c != NULL && !n->paused && k < WORKER_ACTS; k++) {
            const struct sim_act *a = &n->worker.acts[k];

            if (a->at == ACT_NONE)
                continue;
            if (owner[a->shard] != 0 && owner[a->shard] != i + 1 && !metadb_is_mixed(s->db, a->shard))
                sim_broken(s, i, "acts on shard %u while node %u does; the lease is node %lld's in view %lld, ours %lld", a->shard, owner[a->shard],
                           (long long)metadb_lease(s->db, a->shard)->node_id, (long long)metadb_lease(s->db, a->shard)->view, (long long)a->view);
            owner[a->shard] = (unsigned char)(i + 1);
        }
    }
}

/* After the calm each shard is held by the node that it is leased to, or waits for one that is not there. */
static void check_leases(struct run *s)
{
    enum { HEARD_MS = 6000 }; /* so long until a node has read what it was given, and has ended what it does on what it is to hand over */
    int64_t view;

    for (unsigned shard = 0; shard < LEASING_SHARDS && !s->broken; shard++) {
        const struct metadb_lease *l = metadb_lease(s->db, shard);
        const struct node *n = l->node_id != 0 ? &s->nodes[l->node_id - 1] : NULL;

        if (n == NULL)
            sim_broken(s, 0, "shard %u is nobody's after the calm", shard);
        else if (n->c != NULL && s->now_ms - metadb_lease_changed_ms(s->db, shard) > HEARD_MS && (!leasing_holds(&n->worker.side, shard, sim_clock(s, (unsigned)l->node_id - 1), &view) || view != l->view))
            sim_broken(s, (unsigned)l->node_id - 1, "does not hold shard %u after the calm: %s, to go to %lld, part %d", shard,
                       metadb_lease_runs(s->db, shard) ? "leased" : "not leased any more", (long long)l->next_id, n->worker.side.shards[shard].part);
    }
}

/* Bits of nodes that run. */
static unsigned running(const struct run *s)
{
    unsigned up = 0;

    for (unsigned i = 0; i < SIM_NODES; i++)
        up |= s->nodes[i].c != NULL && !s->nodes[i].paused ? 1u << i : 0;
    return up;
}

static void run_clients(struct run *s)
{
    struct sim_tasker *nodes[SIM_NODES];

    for (unsigned i = 0; i < SIM_NODES; i++)
        nodes[i] = &s->nodes[i].tasker;
    sim_clients_run(nodes, running(s), s->clients, &s->next_key, s->calm, s->now_ms);
    targets_run(s->targets, s->now_ms, metadb_epoch(s->db), s->calm);
    for (unsigned i = 0; i < TARGET_HOSTS; i++)
        if (targets_incarnation(s->targets, i) != 0)
            metadb_met_agent(s->db, i, targets_incarnation(s->targets, i));
    if (targets_broken(s->targets)[0] != '\0')
        sim_broken(s, 0, "%s", targets_broken(s->targets));
}

static void one_step(struct run *s)
{
    for (unsigned i = 0; i < SIM_NODES && !s->broken; i++) {
        fault_node(s, i);
        tick(s, i);
        operate(s, i);
        lead(s, i);
    }
    deliver(s);
    check_acts(s);
    disaster_strike(s);
    fault_metadb(s);
    run_clients(s);
    metadb_run(s->db, s->now_ms, s->calm);
    if (!s->calm && fault_once_in(s, 200))
        cut_some(s, sim_once_in(&s->rng, 2));
    else if (!s->scripted && sim_once_in(&s->rng, 150))
        heal(s);
    s->now_ms += STEP_MS;
}

static void begin_calm(struct run *s)
{
    s->calm = true;
    heal(s);
    for (unsigned i = 0; i < SIM_NODES; i++) {
        s->nodes[i].boot_ms = s->nodes[i].resume_ms = s->now_ms;
        s->nodes[i].failing = false;
        s->nodes[i].slow_until_ms = 0;
        metadb_cut(s->db, i, false);
    }
}

/* " n1 follower of 2 in term 7, log 12/12 of 3 members, ..." */
static const char *describe(const struct run *s, char text[400])
{
    static const char *const roles[] = { "?", "follower", "candidate", "leader" };
    int n = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < SIM_NODES; i++) {
        struct member members[RAFT_MAX_MEMBERS];
        struct consensus_status st;

        if (s->nodes[i].c == NULL || n > 330)
            continue;
        st = consensus_status(s->nodes[i].c);
        n += snprintf(text + n, (size_t)(400 - n), " n%u %s(%llu) t%llu %llu/%llu m%u,", i + 1, roles[st.role], (unsigned long long)st.leader,
                      (unsigned long long)st.term, (unsigned long long)st.commit, (unsigned long long)st.last, consensus_members(s->nodes[i].c, members));
    }
    return text;
}

/* After the calm: one leader, and every member has everything. */
static void check_settled(struct run *s)
{
    unsigned leaders = 0, n = 0;
    struct member members[RAFT_MAX_MEMBERS];
    char text[400];

    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].c == NULL || s->nodes[i].cluster != s->newest || !consensus_status(s->nodes[i].c).leads)
            continue;
        leaders++;
        n = consensus_members(s->nodes[i].c, members);
        if (leading_epoch(&s->nodes[i].leader.leading) != metadb_epoch(s->db))
            sim_broken(s, i, "leads after the calm under epoch %lld of %lld, %s", (long long)leading_epoch(&s->nodes[i].leader.leading),
                   (long long)metadb_epoch(s->db), leading_state_names[s->nodes[i].leader.leading.state]);
    }
    if (leaders != 1)
        sim_broken(s, 0, "%u leaders after %d ms of calm:%s", leaders, CALM_MS, describe(s, text));
    for (unsigned k = 0; k < n; k++)
        if (members[k].role != MEMBER_SPARE && s->nodes[members[k].id - 1].applied != s->clusters[s->newest].n_committed)
            sim_broken(s, (unsigned)members[k].id - 1, "has %llu of %llu entries after the calm:%s", (unsigned long long)s->nodes[members[k].id - 1].applied,
                   (unsigned long long)s->clusters[s->newest].n_committed, describe(s, text));
    check_leases(s);
    if (!s->broken && sim_clients_check(s->db, s->clients, s->incarnations, running(s), text) != NULL)
        sim_broken(s, 0, "%s", text);
    s->counts->settled += !s->broken;
}

static void tear_down(struct run *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        consensus_free(s->nodes[i].c);
        drop_pending(s, &s->nodes[i]);
        free(s->nodes[i].log);
    }
    while (s->wire != NULL) {
        struct packet *p = s->wire;

        s->wire = p->next;
        free(p->bytes);
        free(p);
    }
    for (unsigned i = 0; i <= s->newest; i++)
        free(s->clusters[i].committed);
    metadb_free(s->db);
    targets_free(s->targets);
    free(s);
}

static struct run *new_run(const struct sim_conf *conf, struct sim_counts *counts, char why[512])
{
    struct run *s = calloc(1, sizeof *s);

    s->conf = *conf;
    s->counts = counts;
    s->why = why;
    s->rng.state = conf->seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    s->clusters[0].committed = malloc(SIM_LOG * sizeof(struct stored));
    s->now_ms = 1000;
    s->db = metadb_new(&s->rng, counts);
    s->targets = targets_new(&s->rng, counts);
    disaster_plan(s);
    for (unsigned i = 0; i < SIM_NODES; i++) {
        struct sim_tasker *t = &s->nodes[i].tasker;

        sim_tasker_init(t, s->db, s->targets, &s->rng, counts, i);
        t->incarnations = s->incarnations;
        t->clients = s->clients;
        t->next_token = &s->next_token;
        t->next_claim = &s->next_claim;
        t->next_task = &s->next_task;
        sim_worker_init(&s->nodes[i].worker, s->db, &s->rng, counts, i);
        sim_leader_init(&s->nodes[i].leader, s->db, &s->rng, counts, i, ELECTION_MS, &s->next_token, &s->next_serial);
    }
    if (!found(s))
        sim_broken(s, 0, "the cluster could not be founded");
    return s;
}

bool sim_run(const struct sim_conf *conf, struct sim_counts *counts, char why[512])
{
    struct run *s = new_run(conf, counts, why);
    int64_t end = s->now_ms + (int64_t)conf->seconds * 1000;
    bool good;

    while (!s->broken && s->now_ms < end)
        one_step(s);
    begin_calm(s);
    while (!s->broken && s->now_ms < end + CALM_MS)
        one_step(s);
    if (!s->broken)
        check_settled(s);
    good = !s->broken;
    tear_down(s);
    return good;
}

/* --- scenarios -------------------------------------------------------------------------------------------------------------------- */

static void run_until(struct run *s, int64_t until_ms)
{
    while (!s->broken && s->now_ms < until_ms)
        one_step(s);
}

static int find_leader(const struct run *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++)
        if (s->nodes[i].c != NULL && consensus_status(s->nodes[i].c).leads)
            return (int)i;
    return -1;
}

static uint64_t highest_term(const struct run *s)
{
    uint64_t term = 0;

    for (unsigned i = 0; i < SIM_NODES; i++)
        if (s->nodes[i].c != NULL && consensus_status(s->nodes[i].c).term > term)
            term = consensus_status(s->nodes[i].c).term;
    return term;
}

static void hand_to_the_deaf(struct run *s)
{
    enum { STEADY_MS = 5000, ASKED_MS = 2000, WATCHED_MS = 20000, TERMS = 12 }; /* votes may be split now and then */
    unsigned heir;
    int leader;
    uint64_t term;
    struct err e;

    run_until(s, s->now_ms + STEADY_MS);
    leader = find_leader(s);
    if (leader < 0) {
        sim_broken(s, 0, "nobody leads");
        return;
    }
    heir = ((unsigned)leader + 1) % s->conf.voters;
    after(s, (unsigned)leader, consensus_transfer(s->nodes[leader].c, heir + 1, sim_clock(s, (unsigned)leader), &e), &e);
    for (int64_t until = s->now_ms + ASKED_MS; s->now_ms < until && consensus_status(s->nodes[heir].c).role == CONSENSUS_FOLLOWER;)
        one_step(s);
    for (unsigned i = 0; i < SIM_NODES; i++)
        s->cut[i][heir] = true;
    term = highest_term(s);
    run_until(s, s->now_ms + WATCHED_MS);
    if (highest_term(s) > term + TERMS)
        sim_broken(s, heir, "hears nobody and unseats leader after leader: %llu terms in %d s", (unsigned long long)(highest_term(s) - term), WATCHED_MS / 1000);
    else if (find_leader(s) < 0)
        sim_broken(s, heir, "hears nobody, and so nobody leads");
}

bool sim_deaf_heir(const struct sim_conf *conf, struct sim_counts *counts, char why[512])
{
    struct run *s = new_run(conf, counts, why);
    bool good;

    s->calm = s->scripted = true;
    hand_to_the_deaf(s);
    good = !s->broken;
    tear_down(s);
    return good;
}

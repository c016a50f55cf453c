/* SPDX-License-Identifier: Apache-2.0 */
#include "ha/drive/drive.h"

#include <pthread.h>
#include <stdatomic.h>

#include "src/io/fiber.h"

enum { CLAIM_MS = 8000, PROBE_MS = 1000, PROBE_PAUSE_MS = 50, RECONNECT_MS = 1100, TICK_MS = 25, REQUEST_MS = 2000 };

struct drive {
    struct drive_conf conf;
    struct log log;
    struct leader_db *db;
    struct leading step;
    struct raft_node *raft;          /* NULL until drive_start */
    struct loop_post changed_post;
    _Atomic bool changed_posted;
    struct waitlist ticker;          /* its fiber waits here while nothing is due */
    struct waitlist drained;
    bool working;
    uint64_t to;                     /* whom leadership is handed to: of the transfer under way */
    pthread_mutex_t lock;            /* of what follows, for other threads */
    struct leadership leadership;
    struct drive_status status;
};

static int64_t now_ms(const struct drive *d)
{
    return clock_now_ms(loop_clock(d->conf.loop));
}

/* --- what others see ----------------------------------------------------------------------------------------------------------------- */

static void publish(struct drive *d)
{
    int64_t epoch = leading_epoch(&d->step);

    (void)pthread_mutex_lock(&d->lock);
    if (epoch != d->status.epoch)
        d->status.active_us = epoch != 0 ? clock_wall_us(loop_clock(d->conf.loop)) : 0;
    d->status.state = d->step.state;
    d->status.term = d->step.term;
    d->status.epoch = epoch;
    d->status.draining = d->step.draining;
    d->status.activations = d->step.activations;
    d->status.fenced = d->step.fenced;
    d->status.overtaken = d->step.overtaken;
    d->leadership = (struct leadership){
        .generation = d->conf.generation, .term = (int64_t)d->step.term, .node_id = d->conf.node_id, .epoch = epoch, .node_name = d->conf.node_name,
    };
    (void)pthread_mutex_unlock(&d->lock);
}

struct drive_status drive_status(struct drive *d)
{
    struct drive_status s;

    (void)pthread_mutex_lock(&d->lock);
    s = d->status;
    (void)pthread_mutex_unlock(&d->lock);
    return s;
}

bool drive_leadership(struct drive *d, struct leadership *out)
{
    (void)pthread_mutex_lock(&d->lock);
    *out = d->leadership;
    (void)pthread_mutex_unlock(&d->lock);
    return out->epoch != 0;
}

struct db *drive_db(struct drive *d)
{
    return leader_db(d->db);
}

/* --- what is done ---------------------------------------------------------------------------------------------------------------------- */

static void perform(struct drive *d, struct leading_do what);

static const char *cause(struct drive *d)
{
    struct raft_node_status s;

    raft_node_status(d->raft, &s);
    return consensus_cause_names[s.consensus.cause];
}

static void claim_fiber(void *data)
{
    struct drive *d = data;
    uint64_t term = d->step.term;
    struct leadership l = {
        .generation = d->conf.generation, .term = (int64_t)term, .node_id = d->conf.node_id, .node_name = d->conf.node_name, .cause = cause(d),
    };
    enum leader_claimed how;
    struct err e = { 0 };
    int rv;

    (void)fiber_narrow_deadline(CLAIM_MS);
    rv = leader_claim(leader_db(d->db), &l, &how, &e);
    if (rv == ERR_LEADER_GIVEN_UP.code) {
        perform(d, leading_given_up(&d->step));
        return;
    }
    if (rv != 0)
        log_warn(&d->log, "the epoch could not be claimed", LOG_I("term", term), LOG_E(&e));
    perform(d, rv != 0                  ? leading_claim_failed(&d->step, term, now_ms(d))
               : how == LEADER_CLAIMED ? leading_claimed(&d->step, term, l.epoch)
                                       : leading_overtaken(&d->step, term));
}

static void transfer_fiber(void *data)
{
    struct drive *d = data;
    struct member to = { .id = d->to };
    struct err e = { 0 };

    (void)fiber_narrow_deadline(REQUEST_MS);
    if (raft_node_request(d->raft, RAFT_REQUEST_TRANSFER, &to, &e) != 0)
        log_info(&d->log, "leadership stays here for now", LOG_E(&e));
}

static void start_fiber(struct drive *d, const char *name, void (*fn)(void *data))
{
    struct err e;

    if (fiber_start(d->conf.loop, name, fn, d, NULL, &e) != 0)
        log_warn(&d->log, "a step of leadership was not taken", LOG_S("step", name), LOG_E(&e));
}

static void begin_claim(struct drive *d)
{
    struct err e;

    if (fiber_start(d->conf.loop, "claim", claim_fiber, d, NULL, &e) != 0)
        (void)leading_claim_failed(&d->step, d->step.term, now_ms(d)); /* orders nothing; the ticker tries again */
}

static void stop_work(struct drive *d)
{
    if (!d->working)
        return;
    d->working = false;
    leader_db_lead(d->db, NULL);
    d->conf.stop_work(d->conf.data);
    log_info(&d->log, "leads no more", LOG_S("state", leading_state_names[d->step.state]));
}

static void start_work(struct drive *d, const struct leading_do *what)
{
    struct leadership l = { .generation = d->conf.generation, .term = (int64_t)what->term, .node_id = d->conf.node_id, .epoch = what->epoch };

    d->working = true;
    leader_db_lead(d->db, &l);
    log_info(&d->log, "leads", LOG_I("term", what->term), LOG_I("epoch", what->epoch));
    d->conf.start_work(d->conf.data);
}

static void end(struct drive *d)
{
    struct err e = { 0 };

    (void)err_set(&e, &ERR_LEADER_GIVEN_UP, "%lld", (long long)d->conf.generation);
    d->conf.given_up(&e, d->conf.data);
}

static void perform(struct drive *d, struct leading_do what)
{
    publish(d); /* before work stops or starts: other threads open transactions by it */
    if (what.actions & LEADING_STOP_WORK)
        stop_work(d);
    if (what.actions & LEADING_CLAIM)
        begin_claim(d);
    if (what.actions & LEADING_START_WORK)
        start_work(d, &what);
    if (what.actions & LEADING_TRANSFER) {
        d->to = what.to;
        start_fiber(d, "hand over", transfer_fiber);
    }
    if (what.actions & LEADING_END)
        end(d);
    waitlist_wake_all(&d->ticker);
    if (d->step.state == LEADING_FOLLOWING || d->step.state == LEADING_ENDED)
        waitlist_wake_all(&d->drained);
}

/* --- what happens -------------------------------------------------------------------------------------------------------------------- */

static void look_at_raft(struct drive *d)
{
    struct raft_node_status s;
    struct leading_raft r;

    if (d->raft == NULL)
        return;
    raft_node_status(d->raft, &s);
    r = (struct leading_raft){ s.consensus.role == CONSENSUS_LEADER, s.consensus.leads, s.consensus.term };
    perform(d, leading_raft(&d->step, &r, now_ms(d)));
}

static void on_changed(struct loop_post *post)
{
    struct drive *d = (struct drive *)((char *)post - offsetof(struct drive, changed_post));

    d->changed_posted = false;
    look_at_raft(d);
}

void drive_changed(struct raft_node *raft, void *data)
{
    struct drive *d = data;

    (void)raft;
    if (!atomic_exchange(&d->changed_posted, true))
        loop_post(d->conf.loop, &d->changed_post);
}

static void on_fenced(int64_t epoch, void *data)
{
    struct drive *d = data;

    log_warn(&d->log, "a newer leader has taken over", LOG_I("epoch", epoch));
    perform(d, leading_fenced(&d->step, epoch));
}

/* Something is due soon: a claim that failed is tried again, a leadership that is to go is handed over again. */
static bool is_pending(const struct drive *d)
{
    return (d->step.state == LEADING_CONFIRMED && !d->step.claiming) || (d->step.draining && d->step.state != LEADING_FOLLOWING);
}

static void tick_fiber(void *data)
{
    struct drive *d = data;
    struct err e;

    while (!fiber_is_cancelled(fiber_current())) {
        if (!is_pending(d)) {
            if (waitlist_wait(&d->ticker, &e) != 0)
                break;
            continue;
        }
        if (fiber_sleep(TICK_MS, &e) != 0)
            break;
        perform(d, leading_tick(&d->step, now_ms(d)));
    }
}

/* A probe that was refused at once says little when MetaDB is just coming back and another node has seen it first. */
static bool is_back(struct drive *d)
{
    struct err e;

    return fiber_sleep(RECONNECT_MS, &e) == 0 && db_is_up(leader_db(d->db), PROBE_MS);
}

/* Who says that it reaches MetaDB? */
static uint64_t other_node(struct drive *d)
{
    return d->conf.reaches_metadb != NULL ? d->conf.reaches_metadb(d->conf.data) : 0;
}

static void probe(struct drive *d)
{
    uint64_t before = leading_asks_peers(&d->step) ? other_node(d) : 0, better;
    int64_t began = now_ms(d);
    bool reached = db_is_up(leader_db(d->db), PROBE_MS), at_once = now_ms(d) - began < PROBE_MS / 2;

    better = leading_better(before, reached, before != 0 && !reached ? other_node(d) : 0);
    if (better != 0 && at_once)
        reached = is_back(d);
    (void)pthread_mutex_lock(&d->lock);
    d->status.metadb = reached;
    (void)pthread_mutex_unlock(&d->lock);
    perform(d, leading_probed(&d->step, reached, better, now_ms(d)));
}

static void probe_fiber(void *data)
{
    struct drive *d = data;
    int64_t due;
    struct err e;

    do {
        due = now_ms(d) + PROBE_MS; /* a probe that waits in vain takes all of it */
        probe(d);
    } while (fiber_sleep(due > now_ms(d) ? due - now_ms(d) : PROBE_PAUSE_MS, &e) == 0);
}

/* --- draining ------------------------------------------------------------------------------------------------------------------------- */

void drive_drain(struct drive *d, bool on)
{
    perform(d, leading_drain(&d->step, on || d->conf.witness, now_ms(d)));
}

void drive_wait_drained(struct drive *d)
{
    struct err e;

    while (d->step.state != LEADING_FOLLOWING && d->step.state != LEADING_ENDED && d->step.drain_tries < LEADING_DRAIN_TRIES)
        if (waitlist_wait(&d->drained, &e) != 0)
            return;
}

/* --- beginning and end ---------------------------------------------------------------------------------------------------------------- */

int drive_new(const struct drive_conf *conf, struct drive **out, struct err *e)
{
    struct drive *d = mem_zalloc(sizeof *d);
    struct leader_db_conf db = { .db = *conf->metadb, .node_id = conf->node_id, .fenced = on_fenced, .data = d };
    int rv;

    if (d == NULL)
        return err_set(e, &ERR_NOMEM, "");
    d->conf = *conf;
    d->changed_post.fn = on_changed;
    log_child(&d->log, conf->log, "part", "leadership");
    (void)pthread_mutex_init(&d->lock, NULL);
    leading_init(&d->step, conf->election_ms != 0 ? conf->election_ms : RAFT_ELECTION_MS);
    rv = leader_db_new(&db, conf->loop, &d->db, e);
    if (rv != 0) {
        mem_free(d);
        return rv;
    }
    *out = d;
    return 0;
}

void drive_close(struct drive *d)
{
    if (d == NULL)
        return;
    d->raft = NULL;
    leader_db_free(d->db);
    d->db = NULL;
}

void drive_free(struct drive *d)
{
    if (d == NULL)
        return;
    (void)pthread_mutex_destroy(&d->lock);
    mem_free(d);
}

int drive_start(struct drive *d, struct raft_node *raft, struct err *e)
{
    int rv = fiber_start(d->conf.loop, "leadership", tick_fiber, d, NULL, e);

    if (rv == 0)
        rv = fiber_start(d->conf.loop, "probe of MetaDB", probe_fiber, d, NULL, e);
    if (rv != 0)
        return rv;
    d->raft = raft;
    if (d->conf.witness)
        drive_drain(d, true);
    look_at_raft(d);
    return 0;
}

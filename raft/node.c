/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "raft/message.h"
#include "raft/node_inside.h"

ERR_DEFINE(ERR_RAFT_DISK, 90715, 500, ERR_FINAL, "The Raft directory cannot be written, so this node ends: {0}.",
           "无法写入 Raft 目录，本节点退出：{0}。");

const struct err_row *const raft_node_err_rows[] = { &ERR_RAFT_DISK, NULL };

enum { WATCHDOG_MS = 250, MAX_FIBERS = 256, MAX_DONE = 256 };

/* --- the end --------------------------------------------------------------------------------------------------------------------- */

void raft_node_die(struct raft_node *n, int status, const struct err *why)
{
    if (n->conf.die != NULL) {
        n->conf.die(status, why, n->conf.data);
        return;
    }
    log_error(&n->log, "this node cannot go on", LOG_I("status", status), LOG_E(why));
    _exit(status);
}

/* --- status ---------------------------------------------------------------------------------------------------------------------- */

static bool differs(const struct consensus_status *a, const struct consensus_status *b)
{
    return a->role != b->role || a->term != b->term || a->leader != b->leader || a->leads != b->leads;
}

static void fill_peer(struct raft_node *n, const struct member *m, struct raft_peer_status *out)
{
    const struct link *k = raft_link(n, m->id);

    *out = (struct raft_peer_status){ .member = *m, .match = consensus_match(n->c, m->id) };
    (void)snprintf(out->address, sizeof out->address, "%s", m->address);
    if (m->id == n->identity.node) {
        out->connected = true;
        out->heard_ms = loop_now_ms(n->loop);
    } else if (k != NULL) {
        out->connected = k->stream != NULL;
        out->dead = k->dead;
        out->heard_ms = k->heard_ms;
    }
}

static void publish(struct raft_node *n)
{
    struct raft_disk_health disk = raft_disk_health(n->disk);
    struct raft_node_status next = { .identity = n->identity, .consensus = consensus_status(n->c), .changes = n->status.changes,
                                     .disk_slow_ms = disk.slow_ms, .disk_free_mib = disk.free_mib, .election_ms = n->conf.election_ms };
    struct member members[RAFT_MAX_MEMBERS];
    bool changed = differs(&next.consensus, &n->status.consensus);

    next.n_peers = consensus_members(n->c, members);
    for (unsigned i = 0; i < next.n_peers; i++)
        fill_peer(n, &members[i], &next.peers[i]);
    next.changes += changed;
    (void)pthread_mutex_lock(&n->status_lock);
    n->status = next;
    for (unsigned i = 0; i < next.n_peers; i++)
        n->status.peers[i].member.address = n->status.peers[i].address;
    (void)pthread_mutex_unlock(&n->status_lock);
    if (!changed)
        return;
    log_info(&n->log, next.consensus.leads ? "leads" : next.consensus.role == CONSENSUS_LEADER ? "elected"
                      : next.consensus.role == CONSENSUS_CANDIDATE                             ? "runs"
                                                                                               : "follows",
             LOG_I("term", next.consensus.term), LOG_I("leader", next.consensus.leader));
    if (n->conf.changed != NULL)
        n->conf.changed(n, n->conf.data);
}

void raft_node_status(struct raft_node *n, struct raft_node_status *out)
{
    (void)pthread_mutex_lock(&n->status_lock);
    *out = n->status;
    (void)pthread_mutex_unlock(&n->status_lock);
    for (unsigned i = 0; i < out->n_peers; i++)
        out->peers[i].member.address = out->peers[i].address;
}

bool raft_node_has_successor(const struct raft_node_status *s)
{
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i].member.id != s->identity.node && s->peers[i].member.role == MEMBER_VOTER && s->peers[i].connected)
            return true;
    return false;
}

/* --- work ------------------------------------------------------------------------------------------------------------------------ */

static void send_held(struct raft_node *n)
{
    while (n->held.first != NULL && n->held.first->after <= n->metas_done)
        raft_links_send(n, parcels_take(&n->held));
}

static int hold(struct raft_node *n, const struct consensus_packet *from, struct err *e)
{
    struct parcel *p = mem_alloc(sizeof *p + from->bytes.n);

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    p->to = from->to;
    p->after = n->metas_wanted;
    p->n = from->bytes.n;
    memcpy(p->bytes, from->bytes.s, from->bytes.n);
    parcels_add(&n->held, p);
    return 0;
}

static int begin_work(struct raft_node *n, struct err *e)
{
    const struct consensus_work *w = consensus_work(n->c);
    int rv = 0;

    if (w->meta) {
        n->metas_wanted++;
        rv = raft_disk_meta(n->disk, w->term, w->vote, e);
    }
    for (unsigned i = 0; rv == 0 && i < w->n_writes; i++)
        rv = raft_disk_write(n->disk, &w->writes[i], e);
    for (unsigned i = 0; rv == 0 && i < w->n_packets; i++)
        rv = hold(n, &w->packets[i], e);
    consensus_work_done(n->c);
    send_held(n);
    return rv;
}

static void on_timer(uv_timer_t *timer);

static void arm_timer(struct raft_node *n)
{
    int64_t due = consensus_due_ms(n->c) - clock_now_ms(&clock_system);

    if (due < 0)
        due = 0;
    if (due > WATCHDOG_MS)
        due = WATCHDOG_MS;
    (void)uv_timer_start(&n->timer, on_timer, (uint64_t)due, 0); /* cannot fail with a callback */
}

static bool is_refusal(int rv)
{
    return rv == ERR_RAFT_NOT_LEADER.code || rv == ERR_RAFT_BUSY.code || rv == ERR_RAFT_MEMBER.code;
}

void raft_node_after(struct raft_node *n, int rv, const struct err *e)
{
    struct err why = { 0 };

    if (n->stopping)
        return;
    if (rv != 0 && !is_refusal(rv)) {
        raft_node_die(n, RAFT_EXIT_FATAL, e);
        return;
    }
    if (begin_work(n, &why) != 0) {
        raft_node_die(n, RAFT_EXIT_FATAL, &why);
        return;
    }
    raft_links_update(n);
    publish(n);
    arm_timer(n);
}

/* --- the watchdog of the disk ---------------------------------------------------------------------------------------------------- */

static void judge_disk(struct raft_node *n, const struct raft_disk_health *h)
{
    bool slow = h->slow_ms > n->conf.election_ms / 2 || h->busy_ms > n->conf.election_ms / 2;

    consensus_set_slow(n->c, slow);
    if (slow == n->slow)
        return;
    n->slow = slow;
    if (slow)
        log_warn(&n->log, "the disk is slow -> other nodes lead if they can", LOG_I("ms", h->slow_ms > h->busy_ms ? h->slow_ms : h->busy_ms));
    else
        log_info(&n->log, "the disk is as fast again as it must be");
}

/* Heartbeats need no disk, so Raft alone never deposes a leader whose disk hangs: it hands leadership away, and then ends. */
static int watch_disk(struct raft_node *n, int64_t now, struct err *e)
{
    struct raft_disk_health h = raft_disk_health(n->disk);
    struct err why = { 0 };

    judge_disk(n, &h);
    if (h.busy_ms <= 2 * (int64_t)n->conf.election_ms) {
        n->hung_ms = 0;
        return 0;
    }
    if (n->hung_ms == 0) {
        n->hung_ms = now;
        log_error(&n->log, "the disk hangs", LOG_I("ms", h.busy_ms));
        if (consensus_transfer(n->c, 0, now, &why) != 0)
            log_info(&n->log, "leadership stays where it is", LOG_E(&why));
        return 0;
    }
    if (now - n->hung_ms < (int64_t)n->conf.election_ms)
        return 0;
    return err_set(e, &ERR_RAFT_DISK, "a write has taken %lld ms and is not over", (long long)h.busy_ms);
}

static void on_timer(uv_timer_t *timer)
{
    struct raft_node *n = timer->data;
    int64_t now = clock_now_ms(&clock_system);
    struct err e = { 0 };

    if (n->stopping)
        return;
    if (watch_disk(n, now, &e) != 0) {
        raft_node_die(n, RAFT_EXIT_DISK, &e);
        return;
    }
    raft_node_after(n, consensus_tick(n->c, now, &e), &e);
}

/* --- what the disk says ------------------------------------------------------------------------------------------------------------ */

static void on_disk(struct loop_post *post)
{
    struct raft_node *n = (struct raft_node *)((char *)post - offsetof(struct raft_node, disk_post));
    struct {
        uint64_t index, term;
    } entries[MAX_DONE];
    unsigned count;
    bool failed;
    struct err e = { 0 }, why = { 0 };

    atomic_store(&n->disk_posted, false);
    (void)pthread_mutex_lock(&n->disk_lock);
    n->metas_done += n->done.metas;
    count = n->done.n_entries;
    memcpy(entries, n->done.entries, count * sizeof *entries);
    failed = n->done.failed;
    why = n->done.why;
    n->done.metas = 0;
    n->done.n_entries = 0;
    (void)pthread_mutex_unlock(&n->disk_lock);
    if (failed && !n->stopping) {
        (void)err_set(&e, &ERR_RAFT_DISK, "%s", why.arg[0]);
        raft_node_die(n, RAFT_EXIT_DISK, &e);
        return;
    }
    if (n->stopping)
        return;
    send_held(n);
    for (unsigned i = 0; i < count; i++)
        raft_node_after(n, consensus_stored(n->c, entries[i].index, entries[i].term, clock_now_ms(&clock_system), &e), &e);
}

static void post_disk(struct raft_node *n)
{
    if (!atomic_exchange(&n->disk_posted, true))
        loop_post(n->loop, &n->disk_post);
}

static void meta_done(void *data)
{
    struct raft_node *n = data;

    (void)pthread_mutex_lock(&n->disk_lock);
    n->done.metas++;
    (void)pthread_mutex_unlock(&n->disk_lock);
    post_disk(n);
}

/* When the list is full the newest takes the last place: it confirms what came before, too. */
static void entries_done(uint64_t index, uint64_t term, void *data)
{
    struct raft_node *n = data;
    unsigned at;

    (void)pthread_mutex_lock(&n->disk_lock);
    at = n->done.n_entries < MAX_DONE ? n->done.n_entries++ : MAX_DONE - 1;
    n->done.entries[at].index = index;
    n->done.entries[at].term = term;
    (void)pthread_mutex_unlock(&n->disk_lock);
    post_disk(n);
}

static void disk_failed(const struct err *why, void *data)
{
    struct raft_node *n = data;

    (void)pthread_mutex_lock(&n->disk_lock);
    n->done.failed = true;
    n->done.why = *why;
    (void)pthread_mutex_unlock(&n->disk_lock);
    post_disk(n);
}

/* --- requests from other threads ---------------------------------------------------------------------------------------------------- */

/* Shared by both threads; the last one frees it. */
struct request {
    struct loop_post to_raft, back;
    struct raft_node *node;
    struct loop *asker;
    enum raft_request what;
    struct member member;
    char address[ADDR_TEXT_SIZE + 72];
    int rv;
    struct err e;
    struct wait *wait;           /* of the asking fiber; NULL: it gave up */
};

static int perform(struct raft_node *n, struct request *r)
{
    int64_t now = clock_now_ms(&clock_system);

    switch (r->what) {
    case RAFT_REQUEST_TRANSFER:
        return consensus_transfer(n->c, r->member.id, now, &r->e);
    case RAFT_REQUEST_ADD:
        return consensus_add(n->c, &r->member, now, &r->e);
    case RAFT_REQUEST_ASSIGN:
        return consensus_assign(n->c, r->member.id, r->member.role, now, &r->e);
    case RAFT_REQUEST_REMOVE:
        return consensus_remove(n->c, r->member.id, now, &r->e);
    case RAFT_REQUEST_NOTE:
        return consensus_note(n->c, now, &r->e);
    }
    return 0;
}

static void on_answer(struct loop_post *post)
{
    struct request *r = (struct request *)((char *)post - offsetof(struct request, back));

    if (r->wait != NULL)
        wait_wake(r->wait);
    else
        mem_free(r);
}

static void on_request(struct loop_post *post)
{
    struct request *r = (struct request *)((char *)post - offsetof(struct request, to_raft));

    r->rv = r->node->stopping ? err_set(&r->e, &ERR_CANCELLED, "") : perform(r->node, r);
    raft_node_after(r->node, r->rv, &r->e);
    r->back.fn = on_answer;
    loop_post(r->asker, &r->back);
}

int raft_node_request(struct raft_node *n, enum raft_request what, const struct member *m, struct err *e)
{
    struct request *r = mem_zalloc(sizeof *r);
    struct wait w;
    int rv;

    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    r->node = n;
    r->asker = loop_current();
    r->what = what;
    if (m != NULL) {
        r->member = *m;
        (void)snprintf(r->address, sizeof r->address, "%s", m->address != NULL ? m->address : "");
        r->member.address = r->address;
    }
    wait_init(&w);
    r->wait = &w;
    r->to_raft.fn = on_request;
    loop_post(n->loop, &r->to_raft);
    rv = wait_for(&w, e);
    if (rv != 0) {
        r->wait = NULL; /* on_answer frees it */
        return rv;
    }
    rv = r->rv;
    if (e != NULL)
        *e = r->e;
    mem_free(r);
    return rv;
}

/* --- beginning and end ---------------------------------------------------------------------------------------------------------- */

static int make_consensus(struct raft_node *n, struct err *e)
{
    struct consensus_conf conf = { n->identity.node, n->address, n->conf.election_ms, n->conf.heartbeat_ms, 0 };
    struct consensus_stored_state stored = {
        .term = n->conf.state->term, .vote = n->conf.state->vote, .entries = n->conf.state->entries, .n_entries = n->conf.state->n_entries,
    };

    if (RAND_bytes((unsigned char *)&conf.seed, sizeof conf.seed) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no randomness");
    return consensus_new(&conf, &stored, clock_now_ms(&clock_system), &n->c, e);
}

static int make_loop(struct raft_node *n, struct err *e)
{
    struct loop_conf conf = { "raft", &clock_system, &n->log, MAX_FIBERS, LOOP_STACK_BYTES };
    int rv = loop_new(&conf, &n->loop, e);

    if (rv != 0)
        return rv;
    n->timer.data = n;
    return uv_timer_init(loop_uv(n->loop), &n->timer) == 0 ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int make_disk(struct raft_node *n, struct err *e)
{
    struct raft_disk_conf conf = { n->conf.dir, meta_done, entries_done, disk_failed, n };
    int rv = raft_disk_new(&conf, &n->disk, e);

    if (rv == 0)
        n->conf.dir = NULL;
    return rv;
}

static void on_start(struct loop_post *post)
{
    struct raft_node *n = (struct raft_node *)((char *)post - offsetof(struct raft_node, start_post));
    struct err e = { 0 };

    raft_node_after(n, raft_links_accept(n, &e), &e);
}

static void on_stop(struct loop_post *post)
{
    struct raft_node *n = (struct raft_node *)((char *)post - offsetof(struct raft_node, stop_post));

    n->stopping = true;
    uv_close((uv_handle_t *)&n->timer, NULL);
    loop_stop(n->loop);
}

static void tear_down(struct raft_node *n)
{
    raft_disk_free(n->disk);
    raft_dir_close(n->conf.dir);
    raft_links_close(n);
    parcels_drop(&n->held);
    if (n->loop != NULL)
        loop_free(n->loop);
    consensus_free(n->c);
    (void)pthread_mutex_destroy(&n->disk_lock);
    (void)pthread_mutex_destroy(&n->status_lock);
    mem_free(n);
}

static void prepare(struct raft_node *n, const struct raft_node_conf *conf)
{
    n->conf = *conf;
    n->conf.election_ms = conf->election_ms != 0 ? conf->election_ms : RAFT_ELECTION_MS;
    n->conf.heartbeat_ms = conf->heartbeat_ms != 0 ? conf->heartbeat_ms : RAFT_HEARTBEAT_MS;
    n->identity = n->status.identity = conf->state->identity;
    n->disk_post.fn = on_disk;
    n->start_post.fn = on_start;
    n->stop_post.fn = on_stop;
    (void)snprintf(n->address, sizeof n->address, "%s", conf->address);
    log_child(&n->log, conf->log, "part", "raft");
    (void)pthread_mutex_init(&n->disk_lock, NULL);
    (void)pthread_mutex_init(&n->status_lock, NULL);
}

int raft_node_new(const struct raft_node_conf *conf, struct raft_node **out, struct err *e)
{
    struct raft_node *n = mem_zalloc(sizeof *n);
    int rv;

    *out = NULL;
    if (n == NULL) {
        raft_dir_close(conf->dir);
        return err_set(e, &ERR_NOMEM, "");
    }
    prepare(n, conf);
    rv = make_consensus(n, e);
    if (rv == 0)
        rv = make_loop(n, e);
    if (rv == 0)
        rv = make_disk(n, e);
    if (rv == 0)
        rv = raft_links_listen(n, e);
    if (rv == 0) {
        loop_post(n->loop, &n->start_post);
        rv = loop_thread_start(n->loop, e);
    }
    if (rv != 0) {
        if (n->loop != NULL) {
            loop_stop(n->loop);
            uv_close((uv_handle_t *)&n->timer, NULL);
            loop_run(n->loop);
        }
        tear_down(n);
        return rv;
    }
    n->conf.state = NULL;
    *out = n;
    return 0;
}

void raft_node_free(struct raft_node *n)
{
    if (n == NULL)
        return;
    loop_post(n->loop, &n->stop_post);
    loop_thread_join(n->loop);
    tear_down(n);
}

uint16_t raft_node_port(const struct raft_node *n)
{
    return n->port;
}

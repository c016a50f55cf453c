/* SPDX-License-Identifier: Apache-2.0 */
/* The library's log knows terms only; the entries are here. What is handed to the library goes in batches of its own allocator, and comes
 * back through raft_update.entries (events.html of libraft 0.22.1; the rules of ownership changed after that version). */
#include <string.h>

#include "raft/inside.h"

_Static_assert(RAFT_VERSION_NUMBER == 2201, "fields of struct raft are used, and ownership rules, that hold for libraft 0.22.1");
_Static_assert((int)MEMBER_STANDBY == RAFT_STANDBY && (int)MEMBER_VOTER == RAFT_VOTER && (int)MEMBER_SPARE == RAFT_SPARE, "same numbers");
_Static_assert((int)ENTRY_COMMAND == RAFT_COMMAND && (int)ENTRY_BARRIER == RAFT_BARRIER && (int)ENTRY_CHANGE == RAFT_CHANGE, "same numbers");
_Static_assert((int)CONSENSUS_FOLLOWER == RAFT_FOLLOWER && (int)CONSENSUS_LEADER == RAFT_LEADER, "same numbers");

ERR_DEFINE(ERR_RAFT_FATAL, 90711, 500, ERR_FINAL, "The consensus of the nodes cannot go on here: {0}.", "本节点的共识模块无法继续：{0}。");
ERR_DEFINE(ERR_RAFT_NOT_LEADER, 90712, 503, ERR_RETRY, "This node does not lead.", "本节点不是主节点。");
ERR_DEFINE(ERR_RAFT_BUSY, 90713, 503, ERR_RETRY, "The nodes cannot do that now: {0}. Try again in a moment.", "当前无法执行：{0}，请稍后重试。");
ERR_DEFINE(ERR_RAFT_MEMBER, 90714, 400, ERR_FINAL, "Member {0}: {1}.", "成员 {0}：{1}。");

const struct err_row *const consensus_err_rows[] = {
    &ERR_RAFT_FATAL, &ERR_RAFT_NOT_LEADER, &ERR_RAFT_BUSY, &ERR_RAFT_MEMBER, &ERR_RAFT_MESSAGE, NULL,
};

enum { CAPACITY = 60000, MAX_INFLIGHT = 32, COMMAND_BYTES = 8 };

/* --- what a step leads to ------------------------------------------------------------------------------------------------------ */

static int take_entries(struct consensus *c, const struct raft_update *u, struct err *e)
{
    int rv = 0;

    if (u->entries.n == 0 || u->entries.index == 0 || u->entries.index > c->n_log + 1)
        return consensus_fatal(e, "the library leaves a gap in the log");
    consensus_cut(c, u->entries.index - 1);
    for (unsigned i = 0; rv == 0 && i < u->entries.n; i++) {
        const struct raft_entry *from = &u->entries.batch[i];
        struct entry en = { from->term, (enum entry_kind)from->type, (uint32_t)from->buf.len, from->buf.base };

        rv = consensus_push(c, &en, e);
    }
    raft_free(u->entries.batch[0].batch);
    return rv == 0 ? consensus_want_write(c, u->entries.index, u->entries.n, e) : rv;
}

int consensus_submit(struct consensus *c, const struct entry *en, struct err *e)
{
    struct raft_entry *batch;
    struct raft_event event = { .type = RAFT_SUBMIT };
    bool taken;
    int rv;

    if (c->n_log - c->raft.last_stored >= RAFT_MAX_UNWRITTEN)
        return err_set(e, &ERR_RAFT_BUSY, "the disk has not written what came before");
    batch = consensus_batch(en, 1);
    if (batch == NULL)
        return err_set(e, &ERR_NOMEM, "");
    event.submit.entries = batch;
    event.submit.n = 1;
    rv = consensus_step(c, &event, c->now_ms, &taken, e);
    if (!taken)
        raft_free(batch->batch);
    raft_free(batch);
    return rv;
}

static int submit_command(struct consensus *c, struct err *e)
{
    static const uint64_t nothing;
    const struct entry en = { raft_current_term(&c->raft), ENTRY_COMMAND, COMMAND_BYTES, &nothing };

    return consensus_submit(c, &en, e);
}

static int submit_barrier(struct consensus *c, struct err *e)
{
    struct err why = { 0 };
    int rv = submit_command(c, &why);

    if (rv == 0)
        c->barrier = c->n_log;
    if (rv == 0 || err_is(&why, &ERR_RAFT_BUSY) || err_is(&why, &ERR_RAFT_NOT_LEADER))
        return 0; /* the next tick tries again */
    if (e != NULL)
        *e = why;
    return rv;
}

static int on_role(struct consensus *c, struct err *e)
{
    c->barrier = 0;
    c->n_peers = 0;
    return c->raft.state == RAFT_LEADER ? submit_barrier(c, e) : 0;
}

static int apply_change(struct consensus *c, uint64_t index, struct err *e)
{
    const struct entry *en = &c->log[index - 1];
    struct raft_buffer buffer = { (void *)en->data, en->size };
    struct raft_event event = { .type = RAFT_CONFIGURATION };

    event.configuration.index = index;
    if (raft_configuration_decode(&buffer, &event.configuration.conf) != 0)
        return consensus_fatal(e, "a committed change of members cannot be read");
    return consensus_step(c, &event, c->now_ms, NULL, e);
}

static int on_commit(struct consensus *c, struct err *e)
{
    int rv = 0;

    while (rv == 0 && c->applied < raft_commit_index(&c->raft)) {
        if (c->applied >= c->n_log)
            return consensus_fatal(e, "the library commits what the log does not have");
        c->applied++;
        if (c->log[c->applied - 1].kind == ENTRY_CHANGE)
            rv = apply_change(c, c->applied, e);
    }
    return rv;
}

static int handle(struct consensus *c, const struct raft_update *u, struct err *e)
{
    int rv = 0;

    if ((u->flags & (RAFT_UPDATE_CURRENT_TERM)) || (u->flags & (RAFT_UPDATE_VOTED_FOR)))
        c->out.meta = true;
    if (u->flags & (RAFT_UPDATE_SNAPSHOT))
        return consensus_fatal(e, "the library wants a snapshot");
    if (u->flags & (RAFT_UPDATE_ENTRIES))
        rv = take_entries(c, u, e);
    if (rv == 0 && (u->flags & (RAFT_UPDATE_MESSAGES)))
        rv = consensus_want_packets(c, u, e);
    if (rv == 0 && (u->flags & (RAFT_UPDATE_STATE)))
        rv = on_role(c, e);
    if (rv == 0 && (u->flags & (RAFT_UPDATE_COMMIT_INDEX)))
        rv = on_commit(c, e);
    return rv;
}

static int refused(const struct consensus *c, int code, struct err *e)
{
    switch (code) {
    case RAFT_NOTLEADER:
        return err_set(e, &ERR_RAFT_NOT_LEADER, "");
    case RAFT_CANTCHANGE:
        return err_set(e, &ERR_RAFT_BUSY, "another change of members, or a transfer, is under way");
    case RAFT_BADID:
    case RAFT_NOTFOUND:
        (void)err_set(e, &ERR_RAFT_MEMBER, "?");
        return err_arg(e, "%s", c->raft.errmsg[0] != '\0' ? c->raft.errmsg : "no such voter");
    case RAFT_NOMEM:
        return err_set(e, &ERR_NOMEM, "");
    default:
        return err_set(e, &ERR_RAFT_FATAL, "libraft says %d, %s (%s)", code, raft_strerror(code), c->raft.errmsg);
    }
}

const char *const consensus_cause_names[CONSENSUS_CAUSES] = { "STARTED", "DIED", "SILENT", "HANDED_OVER" };

/* Keeps why this node runs, when it begins to. */
static void note_cause(struct consensus *c, const struct raft_event *event, bool was_follower)
{
    bool asked = event->type == RAFT_RECEIVE && event->receive.message->type == RAFT_TIMEOUT_NOW;

    if (c->raft.state == RAFT_FOLLOWER && c->raft.follower_state.current_leader.id != 0) {
        c->has_followed = true;
        c->next_cause = CONSENSUS_SILENT;
    } else if (c->raft.state != RAFT_FOLLOWER && was_follower) {
        c->cause = asked ? CONSENSUS_HANDED_OVER : c->has_followed ? c->next_cause : CONSENSUS_STARTED;
    }
}

int consensus_step(struct consensus *c, struct raft_event *event, int64_t now_ms, bool *taken, struct err *e)
{
    bool was_follower = c->raft.state == RAFT_FOLLOWER;
    struct raft_update update = { 0 };
    int code;

    c->now_ms = now_ms;
    event->time = (raft_time)now_ms;
    event->capacity = CAPACITY;
    c->raft.errmsg[0] = '\0';
    code = raft_step(&c->raft, event, &update);
    note_cause(c, event, was_follower);
    if (taken != NULL)
        *taken = code == 0;
    return code == 0 ? handle(c, &update, e) : refused(c, code, e);
}

/* --- what happens --------------------------------------------------------------------------------------------------------------- */

static bool is_follower(const struct consensus *c)
{
    return c->raft.state == RAFT_FOLLOWER;
}

static bool is_leader(const struct consensus *c)
{
    return c->raft.state == RAFT_LEADER;
}

static uint64_t known_leader(const struct consensus *c)
{
    return is_leader(c) ? c->raft.id : is_follower(c) ? c->raft.follower_state.current_leader.id : 0;
}

static int64_t forget_at(const struct consensus *c)
{
    return (int64_t)c->raft.election_timer_start + c->raft.election_timeout;
}

int64_t consensus_due_ms(const struct consensus *c)
{
    int64_t due = (int64_t)raft_timeout(&c->raft);

    if (is_follower(c) && known_leader(c) != 0 && forget_at(c) < due)
        due = forget_at(c);
    return due;
}

/* A follower that knows a leader refuses every vote until its own random timer has run out: the others' elections fail meanwhile. */
static void forget_silent_leader(struct consensus *c, int64_t now_ms)
{
    if (is_follower(c) && known_leader(c) != 0 && now_ms >= forget_at(c))
        c->raft.follower_state.current_leader.id = 0;
}

static struct peer *stuck_peer(struct consensus *c, int64_t now_ms)
{
    for (unsigned i = 0; i < c->n_peers; i++) {
        struct peer *p = &c->peers[i];
        uint64_t match = consensus_match(c, p->id);

        if (match != p->match || match >= c->n_log || now_ms - p->heard_ms > c->raft.election_timeout)
            p->moved_ms = now_ms;
        p->match = match;
        if (now_ms - p->moved_ms >= RAFT_STUCK_MS)
            return p;
    }
    return NULL;
}

static uint64_t other_voter(const struct consensus *c, uint64_t than)
{
    uint64_t best = 0;

    for (unsigned i = 0; i < c->raft.configuration.n; i++) {
        const struct raft_server *s = &c->raft.configuration.servers[i];

        if (s->role != RAFT_VOTER || s->id == c->raft.id || s->id == than)
            continue;
        if (best == 0 || consensus_match(c, s->id) > consensus_match(c, best))
            best = s->id;
    }
    return best;
}

/* The library's count of what is under way to a follower can go wrong for the rest of a term (libraft.md 4); a new leader counts anew. */
static int cure_stuck_peer(struct consensus *c, int64_t now_ms, struct err *e)
{
    struct peer *p = stuck_peer(c, now_ms);
    uint64_t to = p != NULL ? other_voter(c, p->id) : 0;
    struct err why = { 0 };
    int rv;

    if (to == 0 || raft_transferee(&c->raft) != 0)
        return 0;
    p->moved_ms = now_ms;
    rv = consensus_transfer(c, to, now_ms, &why);
    if (rv == ERR_RAFT_FATAL.code || rv == ERR_NOMEM.code) {
        if (e != NULL)
            *e = why;
        return rv;
    }
    return 0;
}

static int lead_on(struct consensus *c, int64_t now_ms, struct err *e)
{
    int rv = c->barrier == 0 ? submit_barrier(c, e) : 0;

    return rv == 0 && is_leader(c) ? cure_stuck_peer(c, now_ms, e) : rv;
}

/* Whom leadership was handed to may tell the others once to leave the leader that they hear. The library goes on so with every later try, so
 * a member that cannot win (it was removed meanwhile, or lags) would unseat leader after leader: from the second try on it asks first. */
static void disrupt_once(struct consensus *c)
{
    if (c->raft.state != RAFT_CANDIDATE || !c->raft.candidate_state.disrupt_leader)
        return;
    c->raft.candidate_state.disrupt_leader = false;
    c->raft.candidate_state.in_pre_vote = true;
}

/* Whose disk is slow lets one election timeout pass in which the others run, and no more: all may be slow, on one storage. */
static bool yields(struct consensus *c, int64_t now_ms)
{
    if (!c->slow || c->has_yielded || !is_follower(c))
        return false;
    c->has_yielded = true;
    c->raft.election_timer_start = (raft_time)now_ms;
    return true;
}

int consensus_tick(struct consensus *c, int64_t now_ms, struct err *e)
{
    struct raft_event event = { .type = RAFT_TIMEOUT };
    int rv = 0;

    c->now_ms = now_ms;
    c->has_yielded = c->has_yielded && known_leader(c) == 0;
    forget_silent_leader(c, now_ms);
    if (now_ms >= (int64_t)raft_timeout(&c->raft)) {
        disrupt_once(c);
        if (!yields(c, now_ms))
            rv = consensus_step(c, &event, now_ms, NULL, e);
    }
    return rv == 0 && is_leader(c) ? lead_on(c, now_ms, e) : rv;
}

int consensus_stored(struct consensus *c, uint64_t index, uint64_t term, int64_t now_ms, struct err *e)
{
    struct raft_event event = { .type = RAFT_PERSISTED_ENTRIES };

    if (index > c->n_log || index <= c->raft.last_stored || c->log[index - 1].term != term)
        return 0; /* cut off and replaced meanwhile: that write answers for itself */
    event.persisted_entries.index = index;
    return consensus_step(c, &event, now_ms, NULL, e);
}

/* --- messages in ---------------------------------------------------------------------------------------------------------------- */

/* xorshift64: election timeouts only. */
static uint64_t next_random(struct consensus *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random;
}

static struct peer *peer_of(struct consensus *c, uint64_t id)
{
    for (unsigned i = 0; i < c->n_peers; i++)
        if (c->peers[i].id == id)
            return &c->peers[i];
    if (c->n_peers == RAFT_MAX_MEMBERS)
        return NULL;
    c->peers[c->n_peers] = (struct peer){ .id = id, .moved_ms = c->now_ms };
    return &c->peers[c->n_peers++];
}

static int receive(struct consensus *c, struct raft_message *m, int64_t now_ms, struct err *e)
{
    struct raft_event event = { .type = RAFT_RECEIVE };

    event.receive.message = m;
    return consensus_step(c, &event, now_ms, NULL, e);
}

static struct raft_server *self_of(struct consensus *c)
{
    for (unsigned i = 0; i < c->raft.configuration.n; i++)
        if (c->raft.configuration.servers[i].id == c->raft.id)
            return &c->raft.configuration.servers[i];
    return NULL;
}

/* Who is asked for its vote is a voter by the candidate's log, and votes whatever its own log says of it (Ongaro, 4.1): it may not have heard of its
 * promotion, and without its vote there may be nobody to tell it. The library lets only those vote who know. */
static int receive_vote(struct consensus *c, struct raft_message *m, int64_t now_ms, struct err *e)
{
    struct raft_server *self = is_follower(c) ? self_of(c) : NULL;
    int rv, role;

    if (self == NULL)
        return receive(c, m, now_ms, e);
    role = self->role;
    self->role = RAFT_VOTER;
    rv = receive(c, m, now_ms, e);
    self->role = role;
    return rv;
}

/* Entries n of the message from `first` on, as a message of their own. */
static int receive_part(struct consensus *c, struct raft_message *to, const struct message *m, unsigned first, unsigned n, int64_t now_ms,
                        struct err *e)
{
    struct raft_append_entries *a = &to->append_entries;
    int rv;

    a->version = m->version;
    a->term = m->term;
    a->prev_log_index = m->append.prev_index + first;
    a->prev_log_term = first == 0 ? m->append.prev_term : m->append.entries[first - 1].term;
    a->leader_commit = m->append.commit;
    a->entries = n > 0 ? consensus_batch(m->append.entries + first, n) : NULL;
    a->n_entries = n;
    if (n > 0 && a->entries == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = receive(c, to, now_ms, e);
    raft_free(a->entries);
    return rv;
}

static unsigned part_length(const struct message *m, unsigned first)
{
    unsigned n = 0;

    while (first + n < m->append.n_entries && m->append.entries[first + n].kind != ENTRY_CHANGE)
        n++;
    return n > 0 || m->append.n_entries == 0 ? n : 1;
}

static bool holds(const struct consensus *c, uint64_t index, uint64_t term)
{
    return index <= c->n_log && index > 0 && c->log[index - 1].term == term;
}

/* Of a batch the library looks for a change of members at the wrong index unless it comes first (libraft.md 7): each goes in alone. */
static int receive_append(struct consensus *c, struct raft_message *to, const struct message *m, int64_t now_ms, struct err *e)
{
    unsigned n = part_length(m, 0);
    int rv = receive_part(c, to, m, 0, n, now_ms, e);

    for (unsigned first = n; rv == 0 && first < m->append.n_entries; first += n) {
        if (!holds(c, m->append.prev_index + first, m->append.entries[first - 1].term))
            return 0; /* the part before was refused */
        n = part_length(m, first);
        rv = receive_part(c, to, m, first, n, now_ms, e);
    }
    if (rv == 0 && is_follower(c) && known_leader(c) == to->server_id)
        c->raft.follower_state.randomized_election_timeout = c->raft.election_timeout + (unsigned)(next_random(c) % c->raft.election_timeout);
    return rv;
}

static int receive_message(struct consensus *c, struct raft_message *to, const struct message *m, int64_t now_ms, struct err *e)
{
    int rv;

    switch (m->kind) {
    case MESSAGE_APPEND:
        c->refusing = m->term < raft_current_term(&c->raft);
        rv = receive_append(c, to, m, now_ms, e);
        c->refusing = false;
        return rv;
    case MESSAGE_APPEND_RESULT:
        to->append_entries_result = (struct raft_append_entries_result){
            .version = m->version, .term = m->term, .rejected = m->append_result.rejected, .last_log_index = m->append_result.last_index,
            .features = m->append_result.features, .capacity = CAPACITY,
        };
        break;
    case MESSAGE_VOTE:
        to->request_vote = (struct raft_request_vote){
            .version = m->version, .term = m->term, .candidate_id = m->vote.candidate, .last_log_index = m->vote.last_index,
            .last_log_term = m->vote.last_term, .disrupt_leader = m->vote.disrupt_leader, .pre_vote = m->vote.pre_vote,
        };
        return receive_vote(c, to, now_ms, e);
    case MESSAGE_VOTE_RESULT:
        to->request_vote_result = (struct raft_request_vote_result){
            .version = m->version, .term = m->term, .vote_granted = m->vote_result.granted, .pre_vote = m->vote_result.pre_vote,
            .features = m->vote_result.features, .capacity = CAPACITY,
        };
        break;
    case MESSAGE_TIMEOUT_NOW:
        to->timeout_now = (struct raft_timeout_now){
            .version = m->version, .term = m->term, .last_log_index = m->timeout_now.last_index, .last_log_term = m->timeout_now.last_term,
        };
        break;
    }
    return receive(c, to, now_ms, e);
}

static const char *address_of(const struct consensus *c, uint64_t id)
{
    for (unsigned i = 0; i < c->raft.configuration.n; i++)
        if (c->raft.configuration.servers[i].id == id)
            return c->raft.configuration.servers[i].address;
    return "";
}

int consensus_receive(struct consensus *c, uint64_t from, struct slice bytes, int64_t now_ms, struct err *e)
{
    struct raft_message to = { .server_id = from };
    struct arena arena;
    struct message m;
    struct peer *p;
    int rv;

    arena_init(&arena);
    c->now_ms = now_ms;
    rv = message_decode(bytes, &arena, &m, e);
    if (rv == 0 && m.kind == MESSAGE_VOTE && m.vote.candidate != from)
        rv = err_set(e, &ERR_RAFT_MESSAGE, "a vote is asked for in the name of another");
    if (rv == 0) {
        p = is_leader(c) ? peer_of(c, from) : NULL;
        if (p != NULL)
            p->heard_ms = now_ms;
        to.type = (enum raft_message_type)m.kind;
        to.server_address = arena_strdup(&arena, address_of(c, from)); /* a change of members frees the library's own */
        rv = to.server_address != NULL ? receive_message(c, &to, &m, now_ms, e) : err_set(e, &ERR_NOMEM, "");
    }
    arena_fini(&arena);
    return rv;
}

void consensus_leader_died(struct consensus *c, uint64_t id, int64_t delay_ms, int64_t now_ms)
{
    uint64_t leader = known_leader(c);

    if (!is_follower(c) || (leader != id && leader != 0))
        return;
    c->has_yielded = c->slow;
    c->next_cause = CONSENSUS_DIED;
    c->raft.follower_state.current_leader.id = 0;
    c->raft.election_timer_start = (raft_time)(now_ms - (int64_t)c->raft.election_timeout);
    c->raft.follower_state.randomized_election_timeout = c->raft.election_timeout * (c->slow ? 2 : 1) + (unsigned)delay_ms;
}

void consensus_set_slow(struct consensus *c, bool slow)
{
    c->slow = slow;
}

int consensus_note(struct consensus *c, int64_t now_ms, struct err *e)
{
    c->now_ms = now_ms;
    if (!is_leader(c))
        return err_set(e, &ERR_RAFT_NOT_LEADER, "");
    return submit_command(c, e);
}

/* --- beginning and end ---------------------------------------------------------------------------------------------------------- */

static int load_log(struct consensus *c, const struct consensus_stored_state *stored, struct err *e)
{
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < stored->n_entries; i++)
        rv = consensus_push(c, &stored->entries[i], e);
    return rv;
}

static int start(struct consensus *c, const struct consensus_stored_state *stored, int64_t now_ms, struct err *e)
{
    struct raft_event event = { .type = RAFT_START };
    struct raft_entry *batch = NULL;
    int rv;

    if (stored->n_entries > 0) {
        batch = consensus_batch(stored->entries, (unsigned)stored->n_entries);
        if (batch == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    event.start.term = stored->term;
    event.start.voted_for = stored->vote;
    event.start.start_index = 1;
    event.start.entries = batch;
    event.start.n_entries = (unsigned)stored->n_entries;
    rv = consensus_step(c, &event, now_ms, NULL, e);
    if (batch != NULL)
        raft_free(batch->batch);
    raft_free(batch);
    return rv;
}

static bool is_alone(const struct consensus *c)
{
    const struct raft_configuration *all = &c->raft.configuration;
    unsigned others = 0;

    for (unsigned i = 0; i < all->n; i++)
        others += all->servers[i].id != c->raft.id && all->servers[i].role == RAFT_VOTER;
    return all->n > 0 && others == 0;
}

int consensus_new(const struct consensus_conf *conf, const struct consensus_stored_state *stored, int64_t now_ms, struct consensus **out,
                  struct err *e)
{
    struct consensus *c = mem_zalloc(sizeof *c);
    int rv;

    *out = NULL;
    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    arena_init(&c->out.arena);
    c->random = conf->seed | UINT64_C(0x100000001);
    if (raft_init(&c->raft, NULL, NULL, conf->id, conf->address) != 0) {
        mem_free(c);
        return err_set(e, &ERR_NOMEM, "");
    }
    c->raft.tracer = NULL;
    raft_set_pre_vote(&c->raft, true);
    raft_set_heartbeat_timeout(&c->raft, conf->heartbeat_ms);
    raft_set_election_timeout(&c->raft, conf->election_ms);
    raft_seed(&c->raft, conf->seed);
    raft_set_max_inflight_entries(&c->raft, MAX_INFLIGHT);
    raft_set_capacity_threshold(&c->raft, 0);
    rv = load_log(c, stored, e);
    if (rv == 0)
        rv = start(c, stored, now_ms, e);
    if (rv != 0) {
        consensus_free(c);
        return rv;
    }
    if (is_alone(c))
        consensus_leader_died(c, 0, 0, now_ms); /* there is nobody to wait for */
    *out = c;
    return 0;
}

void consensus_free(struct consensus *c)
{
    if (c == NULL)
        return;
    raft_close(&c->raft, NULL);
    consensus_cut(c, 0);
    mem_free(c->log);
    arena_fini(&c->out.arena);
    mem_free(c);
}

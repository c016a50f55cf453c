/* SPDX-License-Identifier: Apache-2.0 */
/* What a consensus holds and what it hands out: entries, writes, packets. */
#include <string.h>

#include "raft/inside.h"

int consensus_fatal(struct err *e, const char *what)
{
    return err_set(e, &ERR_RAFT_FATAL, "%s", what);
}

/* --- the log ------------------------------------------------------------------------------------------------------------------ */

void consensus_cut(struct consensus *c, size_t n)
{
    while (c->n_log > n)
        mem_free((void *)c->log[--c->n_log].data);
}

int consensus_push(struct consensus *c, const struct entry *en, struct err *e)
{
    void *data = mem_alloc(en->size);

    if (data == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (c->n_log == c->log_space) {
        size_t space = c->log_space * 2 + 16;
        struct entry *grown = mem_realloc(c->log, space * sizeof *grown);

        if (grown == NULL) {
            mem_free(data);
            return err_set(e, &ERR_NOMEM, "");
        }
        c->log = grown;
        c->log_space = space;
    }
    memcpy(data, en->data, en->size);
    c->log[c->n_log] = *en;
    c->log[c->n_log++].data = data;
    return 0;
}

/* The same entries as one batch of the library's: array and batch are both the caller's to free unless the library takes them. */
struct raft_entry *consensus_batch(const struct entry *from, unsigned n)
{
    struct raft_entry *batch = raft_calloc(n, sizeof *batch);
    size_t bytes = 0;
    char *data;

    for (unsigned i = 0; i < n; i++)
        bytes += from[i].size;
    data = batch != NULL ? raft_malloc(bytes) : NULL;
    if (data == NULL) {
        raft_free(batch);
        return NULL;
    }
    for (unsigned i = 0, at = 0; i < n; at += from[i++].size) {
        memcpy(data + at, from[i].data, from[i].size);
        batch[i] = (struct raft_entry){
            .term = from[i].term, .type = (enum raft_entry_type)from[i].kind, .buf = { data + at, from[i].size }, .batch = data,
        };
    }
    return batch;
}

/* --- gathering work ------------------------------------------------------------------------------------------------------------ */

/* Room for one more in an array of the work's arena. */
static void *grow(struct arena *arena, void *items, unsigned n, unsigned *space, size_t size)
{
    void *grown;

    if (n < *space)
        return items;
    *space = *space * 2 + 4;
    grown = arena_array(arena, *space, size);
    if (grown != NULL && n > 0)
        memcpy(grown, items, n * size);
    return grown;
}

int consensus_want_write(struct consensus *c, uint64_t index, unsigned n, struct err *e)
{
    struct entry *copy = arena_array(&c->out.arena, n, sizeof *copy);

    c->out.writes = grow(&c->out.arena, c->out.writes, c->out.n_writes, &c->out.writes_space, sizeof *c->out.writes);
    if (copy == NULL || c->out.writes == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i < n; i++) {
        const struct entry *en = &c->log[index - 1 + i];
        void *data = arena_alloc(&c->out.arena, en->size);

        if (data == NULL)
            return err_set(e, &ERR_NOMEM, "");
        memcpy(data, en->data, en->size);
        copy[i] = *en;
        copy[i].data = data;
    }
    c->out.writes[c->out.n_writes++] = (struct consensus_write){ index, copy, n };
    return 0;
}

static int want_packet(struct consensus *c, uint64_t to, const struct message *m, struct err *e)
{
    struct str bytes;

    str_init(&bytes, &c->out.arena);
    message_encode(m, &bytes);
    c->out.packets = grow(&c->out.arena, c->out.packets, c->out.n_packets, &c->out.packets_space, sizeof *c->out.packets);
    if (str_failed(&bytes) || c->out.packets == NULL)
        return err_set(e, &ERR_NOMEM, "");
    c->out.packets[c->out.n_packets++] = (struct consensus_packet){ to, { bytes.s, bytes.n } };
    return 0;
}

const struct consensus_work *consensus_work(struct consensus *c)
{
    c->work = (struct consensus_work){
        .meta = c->out.meta,
        .term = raft_current_term(&c->raft),
        .vote = raft_voted_for(&c->raft),
        .writes = c->out.writes,
        .n_writes = c->out.n_writes,
        .packets = c->out.packets,
        .n_packets = c->out.n_packets,
    };
    return &c->work;
}

void consensus_work_done(struct consensus *c)
{
    arena_fini(&c->out.arena);
    memset(&c->out, 0, sizeof c->out);
    arena_init(&c->out.arena);
}

/* --- messages out -------------------------------------------------------------------------------------------------------------- */

static int take_append(struct consensus *c, const struct raft_append_entries *from, struct message *m, struct err *e)
{
    uint64_t prev = from->prev_log_index;

    if (from->n_entries > ENTRY_MAX_PER_MESSAGE || prev + from->n_entries > c->n_log)
        return consensus_fatal(e, "the library sends entries that the log does not have");
    m->version = from->version;
    m->term = from->term;
    m->append.prev_index = prev;
    m->append.prev_term = from->prev_log_term;
    m->append.commit = from->leader_commit;
    m->append.entries = c->log + prev;
    m->append.n_entries = from->n_entries;
    return 0;
}

/* To a leader of an older term the library answers with its hint of where our log ends not set at all; with a request from the very beginning
 * of the log that refusal even looks like an acknowledgement of that many entries (libraft 0.22.1, recv_append_entries.c). */
static int take_append_result(const struct consensus *c, const struct raft_append_entries_result *from, struct message *m, struct err *e)
{
    uint64_t last = c->refusing ? 0 : from->last_log_index;

    if (last > c->n_log)
        return consensus_fatal(e, "the library acknowledges entries that the log does not have");
    m->version = from->version;
    m->term = from->term;
    m->append_result.rejected = from->rejected;
    m->append_result.last_index = last;
    m->append_result.features = from->features;
    return 0;
}

static int take_vote_result(struct consensus *c, const struct raft_request_vote_result *from, struct message *m)
{
    m->version = from->version;
    m->term = from->term;
    /* A denied pre-vote answers with the asker's own term, so two nodes of older terms can ask for ever: tell ours (libraft.md 4). */
    if (from->pre_vote && !from->vote_granted && raft_current_term(&c->raft) > m->term)
        m->term = raft_current_term(&c->raft);
    m->vote_result.granted = from->vote_granted;
    m->vote_result.pre_vote = from->pre_vote;
    m->vote_result.features = from->features;
    return 0;
}

static int take_message(struct consensus *c, const struct raft_message *from, struct message *m, struct err *e)
{
    *m = (struct message){ .kind = (enum message_kind)from->type };
    switch (from->type) {
    case RAFT_APPEND_ENTRIES:
        return take_append(c, &from->append_entries, m, e);
    case RAFT_APPEND_ENTRIES_RESULT:
        return take_append_result(c, &from->append_entries_result, m, e);
    case RAFT_REQUEST_VOTE:
        m->version = from->request_vote.version;
        m->term = from->request_vote.term;
        m->vote.candidate = from->request_vote.candidate_id;
        m->vote.last_index = from->request_vote.last_log_index;
        m->vote.last_term = from->request_vote.last_log_term;
        m->vote.disrupt_leader = from->request_vote.disrupt_leader;
        m->vote.pre_vote = from->request_vote.pre_vote;
        return 0;
    case RAFT_REQUEST_VOTE_RESULT:
        return take_vote_result(c, &from->request_vote_result, m);
    case RAFT_TIMEOUT_NOW:
        m->version = from->timeout_now.version;
        m->term = from->timeout_now.term;
        m->timeout_now.last_index = from->timeout_now.last_log_index;
        m->timeout_now.last_term = from->timeout_now.last_log_term;
        return 0;
    case RAFT_INSTALL_SNAPSHOT:
        break;
    }
    return consensus_fatal(e, "the library sends a message of an unknown kind");
}

int consensus_want_packets(struct consensus *c, const struct raft_update *u, struct err *e)
{
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < u->messages.n; i++) {
        struct message m;

        if (u->messages.batch[i].server_id == 0) /* to a leader that was forgotten meanwhile: its next heartbeat is answered */
            continue;
        rv = take_message(c, &u->messages.batch[i], &m, e);
        if (rv == 0)
            rv = want_packet(c, u->messages.batch[i].server_id, &m, e);
    }
    return rv;
}

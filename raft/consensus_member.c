/* SPDX-License-Identifier: Apache-2.0 */
/* Members and leadership as they are asked for, and what a consensus says of itself. */
#include <stdio.h>
#include <string.h>

#include "raft/inside.h"

static int bad_member(struct err *e, uint64_t id, const char *what)
{
    (void)err_set(e, &ERR_RAFT_MEMBER, "%llu", (unsigned long long)id);
    return err_arg(e, "%s", what);
}

/* --- changes of members -------------------------------------------------------------------------------------------------------- */

/* Encodes into `data` (of ENTRY_MAX_BYTES), padded with zeros to a multiple of eight. */
static int encode(const struct raft_configuration *conf, char *data, uint32_t *size, struct err *e)
{
    struct raft_buffer buffer;

    if (raft_configuration_encode(conf, &buffer) != 0)
        return err_set(e, &ERR_NOMEM, "");
    if (buffer.len > ENTRY_MAX_BYTES) {
        raft_free(buffer.base);
        return err_set(e, &ERR_RAFT_BUSY, "the members' addresses are too long together");
    }
    memset(data, 0, ENTRY_MAX_BYTES);
    memcpy(data, buffer.base, buffer.len);
    *size = ((uint32_t)buffer.len + ENTRY_ALIGN - 1) / ENTRY_ALIGN * ENTRY_ALIGN;
    raft_free(buffer.base);
    return 0;
}

static int submit_members(struct consensus *c, const struct raft_configuration *conf, struct err *e)
{
    char data[ENTRY_MAX_BYTES];
    struct entry en = { raft_current_term(&c->raft), ENTRY_CHANGE, 0, data };
    int rv = encode(conf, data, &en.size, e);

    return rv == 0 ? consensus_submit(c, &en, e) : rv;
}

static int require_leader(const struct consensus *c, struct err *e)
{
    if (c->raft.state != RAFT_LEADER)
        return err_set(e, &ERR_RAFT_NOT_LEADER, "");
    if (c->raft.configuration_uncommitted_index != 0)
        return err_set(e, &ERR_RAFT_BUSY, "another change of members is under way");
    if (c->barrier == 0 || raft_commit_index(&c->raft) < c->barrier)
        return err_set(e, &ERR_RAFT_BUSY, "the leader has just been elected");
    return 0;
}

static const struct raft_server *find(const struct consensus *c, uint64_t id)
{
    for (unsigned i = 0; i < c->raft.configuration.n; i++)
        if (c->raft.configuration.servers[i].id == id)
            return &c->raft.configuration.servers[i];
    return NULL;
}

static int add_all(struct raft_configuration *to, const struct consensus *c, uint64_t but, uint64_t changed, int role, struct err *e)
{
    for (unsigned i = 0; i < c->raft.configuration.n; i++) {
        const struct raft_server *s = &c->raft.configuration.servers[i];

        if (s->id == but)
            continue;
        if (raft_configuration_add(to, s->id, s->address, s->id == changed ? role : s->role) != 0)
            return err_set(e, &ERR_NOMEM, "");
    }
    return 0;
}

int consensus_add(struct consensus *c, const struct member *m, int64_t now_ms, struct err *e)
{
    struct raft_configuration conf;
    int rv = require_leader(c, e);

    c->now_ms = now_ms;
    if (rv != 0)
        return rv;
    if (m->id == 0 || find(c, m->id) != NULL)
        return bad_member(e, m->id, "there is one of this id already");
    if (c->raft.configuration.n >= RAFT_MAX_MEMBERS)
        return bad_member(e, m->id, "there are as many members as there may be");
    raft_configuration_init(&conf);
    rv = add_all(&conf, c, 0, 0, 0, e);
    if (rv == 0 && raft_configuration_add(&conf, m->id, m->address, RAFT_SPARE) != 0)
        rv = bad_member(e, m->id, "its address is another member's");
    if (rv == 0)
        rv = submit_members(c, &conf, e);
    raft_configuration_close(&conf);
    return rv;
}

static int require_assignable(const struct consensus *c, uint64_t id, enum member_role role, struct err *e)
{
    const struct raft_server *s = find(c, id);

    if (s == NULL)
        return bad_member(e, id, "there is none of this id");
    if (s->role == (int)role)
        return bad_member(e, id, "it has this role");
    if (id == c->raft.id)
        return bad_member(e, id, "the leader keeps its role; transfer leadership first");
    if (role == MEMBER_VOTER && (s->role != RAFT_STANDBY || consensus_match(c, id) < raft_commit_index(&c->raft)))
        return err_set(e, &ERR_RAFT_BUSY, "member %llu has not caught up with the log", (unsigned long long)id);
    return 0;
}

int consensus_assign(struct consensus *c, uint64_t id, enum member_role role, int64_t now_ms, struct err *e)
{
    struct raft_configuration conf;
    int rv = require_leader(c, e);

    c->now_ms = now_ms;
    if (rv == 0)
        rv = require_assignable(c, id, role, e);
    if (rv != 0)
        return rv;
    raft_configuration_init(&conf);
    rv = add_all(&conf, c, 0, id, (int)role, e);
    if (rv == 0)
        rv = submit_members(c, &conf, e);
    raft_configuration_close(&conf);
    return rv;
}

int consensus_remove(struct consensus *c, uint64_t id, int64_t now_ms, struct err *e)
{
    struct raft_configuration conf;
    int rv = require_leader(c, e);

    c->now_ms = now_ms;
    if (rv != 0)
        return rv;
    if (find(c, id) == NULL)
        return bad_member(e, id, "there is none of this id");
    if (id == c->raft.id)
        return bad_member(e, id, "it leads; transfer leadership first");
    raft_configuration_init(&conf);
    rv = add_all(&conf, c, id, 0, 0, e);
    if (rv == 0)
        rv = submit_members(c, &conf, e);
    raft_configuration_close(&conf);
    return rv;
}

int consensus_transfer(struct consensus *c, uint64_t id, int64_t now_ms, struct err *e)
{
    struct raft_event event = { .type = RAFT_TRANSFER };
    const struct raft_server *s = find(c, id);

    if (c->raft.state != RAFT_LEADER)
        return err_set(e, &ERR_RAFT_NOT_LEADER, "");
    if (raft_transferee(&c->raft) != 0)
        return err_set(e, &ERR_RAFT_BUSY, "leadership is being transferred already");
    if (id != 0 && (s == NULL || s->role != RAFT_VOTER || id == c->raft.id))
        return bad_member(e, id, "it is no other voter");
    event.transfer.server_id = id;
    return consensus_step(c, &event, now_ms, NULL, e);
}

int consensus_first_entry(const struct member *members, unsigned n, struct arena *arena, struct entry *out, struct err *e)
{
    char *data = arena_alloc(arena, ENTRY_MAX_BYTES);
    struct raft_configuration conf;
    int rv = data != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    raft_configuration_init(&conf);
    for (unsigned i = 0; rv == 0 && i < n; i++)
        if (members[i].id == 0 || raft_configuration_add(&conf, members[i].id, members[i].address, (int)members[i].role) != 0)
            rv = bad_member(e, members[i].id, "id or address is used twice, or 0");
    *out = (struct entry){ 1, ENTRY_CHANGE, 0, data };
    if (rv == 0)
        rv = encode(&conf, data, &out->size, e);
    raft_configuration_close(&conf);
    return rv;
}

/* --- status -------------------------------------------------------------------------------------------------------------------- */

struct entry consensus_entry(const struct consensus *c, uint64_t index)
{
    return c->log[index - 1];
}

uint64_t consensus_match(const struct consensus *c, uint64_t id)
{
    raft_index index;

    if (c->raft.state != RAFT_LEADER || find(c, id) == NULL || raft_match_index(&c->raft, id, &index) != 0)
        return 0;
    return index;
}

static int64_t heard_of(const struct consensus *c, uint64_t id)
{
    if (id == c->raft.id)
        return c->now_ms;
    for (unsigned i = 0; i < c->n_peers; i++)
        if (c->peers[i].id == id)
            return c->peers[i].heard_ms;
    return 0;
}

/* The latest moment at or after which a majority of the voters was heard. */
static int64_t majority_heard_ms(const struct consensus *c)
{
    int64_t heard[RAFT_MAX_MEMBERS] = { 0 };
    unsigned n = 0;

    for (unsigned i = 0; i < c->raft.configuration.n && n < RAFT_MAX_MEMBERS; i++) {
        unsigned at = n;
        int64_t ms = heard_of(c, c->raft.configuration.servers[i].id);

        if (c->raft.configuration.servers[i].role != RAFT_VOTER)
            continue;
        for (; at > 0 && heard[at - 1] < ms; at--)
            heard[at] = heard[at - 1];
        heard[at] = ms;
        n++;
    }
    return n > 0 ? heard[n / 2] : 0;
}

struct consensus_status consensus_status(const struct consensus *c)
{
    const struct raft *r = &c->raft;
    unsigned short state = c->raft.state;
    struct consensus_status s = {
        .role = (enum consensus_role)state,
        .cause = c->cause,
        .term = raft_current_term(r),
        .vote = raft_voted_for(r),
        .commit = raft_commit_index(r),
        .last = c->n_log,
        .stored = r->last_stored,
        .changing = r->configuration_uncommitted_index != 0,
    };

    if (state == RAFT_LEADER) {
        s.leader = r->id;
        s.leads = c->barrier != 0 && s.commit >= c->barrier;
        s.heard_ms = majority_heard_ms(c);
        s.transferring_to = raft_transferee(r);
    } else if (state == RAFT_FOLLOWER) {
        s.leader = r->follower_state.current_leader.id;
        s.heard_ms = s.leader != 0 ? (int64_t)r->election_timer_start : 0;
    }
    return s;
}

unsigned consensus_members(const struct consensus *c, struct member *out)
{
    unsigned n = c->raft.configuration.n < RAFT_MAX_MEMBERS ? c->raft.configuration.n : RAFT_MAX_MEMBERS;

    for (unsigned i = 0; i < n; i++) {
        const struct raft_server *s = &c->raft.configuration.servers[i];

        out[i] = (struct member){ s->id, s->address, (enum member_role)s->role };
    }
    return n;
}

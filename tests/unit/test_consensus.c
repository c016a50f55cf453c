/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between nodes, and one consensus alone; several of them under faults are simulated in tests/sim. */
#include <stdlib.h>

#include "raft/consensus.h"
#include "raft/message.h"
#include "tests/lib/test.h"

static const char eight[8] = "command";

/* --- messages ------------------------------------------------------------------------------------------------------------------- */

static struct message decoded(const struct message *m, struct arena *arena)
{
    struct message out;
    struct err e = { 0 };
    struct str bytes;

    str_init(&bytes, arena);
    message_encode(m, &bytes);
    assert_ok(message_decode((struct slice){ bytes.s, bytes.n }, arena, &out, &e), &e);
    assert_int_equal(out.kind, m->kind);
    assert_int_equal(out.term, m->term);
    assert_int_equal(out.version, m->version);
    return out;
}

static void messages_come_back(void **state)
{
    struct entry entries[2] = { { 3, ENTRY_COMMAND, 8, eight }, { 4, ENTRY_BARRIER, 8, eight } };
    struct message m = { .kind = MESSAGE_APPEND, .version = 2, .term = 7 }, got;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    m.append.prev_index = 11;
    m.append.prev_term = 6;
    m.append.commit = 9;
    m.append.entries = entries;
    m.append.n_entries = 2;
    got = decoded(&m, &arena);
    assert_int_equal(got.append.n_entries, 2);
    assert_int_equal(got.append.entries[1].term, 4);
    assert_int_equal(got.append.entries[1].kind, ENTRY_BARRIER);
    assert_memory_equal(got.append.entries[0].data, eight, 8);
    assert_int_equal(got.append.prev_index + got.append.prev_term + got.append.commit, 26);
    m = (struct message){ .kind = MESSAGE_VOTE, .term = 1, .vote = { 2, 3, 4, true, false } };
    got = decoded(&m, &arena);
    assert_true(got.vote.disrupt_leader && !got.vote.pre_vote && got.vote.candidate == 2 && got.vote.last_term == 4);
    m = (struct message){ .kind = MESSAGE_VOTE_RESULT, .vote_result = { false, true, 5 } };
    got = decoded(&m, &arena);
    assert_true(!got.vote_result.granted && got.vote_result.pre_vote && got.vote_result.features == 5);
    m = (struct message){ .kind = MESSAGE_APPEND_RESULT, .append_result = { 1, 2, 3 } };
    assert_int_equal(decoded(&m, &arena).append_result.last_index, 2);
    m = (struct message){ .kind = MESSAGE_TIMEOUT_NOW, .timeout_now = { 8, 9 } };
    assert_int_equal(decoded(&m, &arena).timeout_now.last_term, 9);
    arena_fini(&arena);
}

static void expect_malformed(const char *bytes, size_t n)
{
    struct message out;
    struct arena arena;
    struct err e = { 0 };

    arena_init(&arena);
    assert_err(message_decode((struct slice){ bytes, n }, &arena, &out, &e), &e, ERR_RAFT_MESSAGE);
    arena_fini(&arena);
}

static void malformed_messages_are_refused(void **state)
{
    struct message m = { .kind = MESSAGE_TIMEOUT_NOW, .term = 5, .timeout_now = { 8, 9 } };
    struct str good;

    (void)state;
    str_init(&good, NULL);
    message_encode(&m, &good);
    for (size_t n = 0; n < good.n; n++)
        expect_malformed(good.s, n);
    for (size_t at = 0; at < 8; at++) { /* version, kind, version of the kind, zero, length */
        good.s[at] ^= 0x40;
        expect_malformed(good.s, good.n);
        good.s[at] ^= 0x40;
    }
    good.s[1] = 5; /* a snapshot */
    expect_malformed(good.s, good.n);
    good.s[1] = 6;
    good.s[15] = 0x40; /* a term beyond 2^62 */
    expect_malformed(good.s, good.n);
    str_fini(&good);
}

static void length_is_checked_before_reading(void **state)
{
    char header[MESSAGE_HEADER_BYTES] = { 1, MESSAGE_APPEND, 0, 0, 8, 0, 0, 0 };
    struct err e = { 0 };
    size_t bytes;

    (void)state;
    assert_ok(message_length(header, &bytes, &e), &e);
    assert_int_equal(bytes, 16);
    header[7] = 0x7f;
    assert_err(message_length(header, &bytes, &e), &e, ERR_RAFT_MESSAGE);
}

/* --- one node ------------------------------------------------------------------------------------------------------------------- */

static int lonely(void *data)
{
    const struct member me = { 1, "127.0.0.1:8081", MEMBER_VOTER };
    const struct consensus_conf conf = { 1, "127.0.0.1:8081", 1000, 100, 7 };
    const struct consensus_work *w;
    struct consensus *c = NULL;
    struct arena arena;
    struct entry first;
    struct err e = { 0 };
    int rv;

    (void)data;
    arena_init(&arena);
    rv = consensus_first_entry(&me, 1, &arena, &first, &e);
    if (rv == 0)
        rv = consensus_new(&conf, &(struct consensus_stored_state){ 1, 0, &first, 1 }, 5, &c, &e);
    if (rv == 0) {
        w = consensus_work(c);
        assert_true(w->n_packets == 0);
        if (w->n_writes > 0) { /* the library's own barrier, or ours */
            const struct consensus_write *last = &w->writes[w->n_writes - 1];
            uint64_t index = last->index + last->n - 1, term = last->entries[last->n - 1].term;

            consensus_work_done(c);
            rv = consensus_stored(c, index, term, 6, &e);
        }
    }
    if (rv == 0) {
        assert_int_equal(consensus_status(c).role, CONSENSUS_LEADER);
        assert_true(consensus_status(c).leads);
    }
    consensus_free(c);
    arena_fini(&arena);
    return rv;
}

static void one_alone_leads(void **state)
{
    (void)state;
    assert_int_equal(lonely(NULL), 0);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    test_oom_sweep(lonely, NULL);
}

/* --- one of three, alone with its clock ------------------------------------------------------------------------------------------- */

enum { ELECTION_MS = 1000, STEP_MS = 10 };

static struct consensus *one_of_three(enum member_role role)
{
    const struct member members[3] = { { 1, "a:1", role }, { 2, "b:1", MEMBER_VOTER }, { 3, "c:1", MEMBER_VOTER } };
    const struct consensus_conf conf = { 1, "a:1", ELECTION_MS, 100, 7 };
    struct consensus *c = NULL;
    struct arena arena;
    struct entry first;
    struct err e = { 0 };

    arena_init(&arena);
    assert_ok(consensus_first_entry(members, 3, &arena, &first, &e), &e);
    assert_ok(consensus_new(&conf, &(struct consensus_stored_state){ 1, 0, &first, 1 }, 0, &c, &e), &e);
    consensus_work_done(c);
    arena_fini(&arena);
    return c;
}

static struct consensus *voter_of_three(void)
{
    return one_of_three(MEMBER_VOTER);
}

/* Member 2 says that it leads term 1. */
static void hear_leader(struct consensus *c, int64_t now_ms)
{
    struct message m = { .kind = MESSAGE_APPEND, .term = 1, .append = { .prev_index = 1, .prev_term = 1, .commit = 1 } };
    struct err e = { 0 };
    struct str bytes;

    str_init(&bytes, NULL);
    message_encode(&m, &bytes);
    assert_ok(consensus_receive(c, 2, (struct slice){ bytes.s, bytes.n }, now_ms, &e), &e);
    consensus_work_done(c);
    str_fini(&bytes);
    assert_int_equal(consensus_status(c).leader, 2);
}

/* When it asks for votes, from `now_ms` on; -1 when it has not done so until `end_ms`. */
static int64_t runs_at(struct consensus *c, int64_t now_ms, int64_t end_ms)
{
    struct err e = { 0 };

    for (; now_ms <= end_ms; now_ms += STEP_MS) {
        assert_ok(consensus_tick(c, now_ms, &e), &e);
        consensus_work_done(c);
        if (consensus_status(c).role == CONSENSUS_CANDIDATE)
            return now_ms;
    }
    return -1;
}

static void a_slow_disk_lets_others_run_first(void **state)
{
    struct consensus *c = voter_of_three();
    int64_t at;

    (void)state;
    consensus_set_slow(c, true);
    for (int64_t now = 0; now < 5000; now += 100)
        hear_leader(c, now);
    at = runs_at(c, 4910, 30000);
    assert_in_range(at, 4900 + 2 * ELECTION_MS, 4900 + 4 * ELECTION_MS + 2 * STEP_MS); /* whose disk is fine has run within two */
    at = runs_at(c, at + STEP_MS, at + 10 * ELECTION_MS);
    assert_int_not_equal(at, -1); /* and tries again */
    consensus_free(c);
}

static void a_slow_disk_comes_after_the_others_when_the_leader_dies(void **state)
{
    struct consensus *c = voter_of_three();
    int64_t at;

    (void)state;
    consensus_set_slow(c, true);
    hear_leader(c, 100);
    consensus_leader_died(c, 2, 60, 200);
    assert_int_equal(consensus_status(c).leader, 0); /* it votes for whoever runs */
    at = runs_at(c, 200, 30000);
    assert_in_range(at, 260 + ELECTION_MS, 260 + ELECTION_MS + 2 * STEP_MS);
    consensus_free(c);
}

/* Does it vote for member 2, whose log is longer, in term 2? */
static bool votes(struct consensus *c)
{
    struct message m = { .kind = MESSAGE_VOTE, .term = 2, .vote = { .candidate = 2, .last_index = 5, .last_term = 1 } };
    const struct consensus_work *w;
    struct err e = { 0 };
    struct message reply;
    struct arena arena;
    struct str bytes;
    bool granted;

    str_init(&bytes, NULL);
    arena_init(&arena);
    message_encode(&m, &bytes);
    assert_ok(consensus_receive(c, 2, (struct slice){ bytes.s, bytes.n }, 10, &e), &e);
    w = consensus_work(c);
    assert_int_equal(w->n_packets, 1);
    assert_ok(message_decode(w->packets[0].bytes, &arena, &reply, &e), &e);
    assert_int_equal(reply.kind, MESSAGE_VOTE_RESULT);
    granted = reply.vote_result.granted;
    consensus_work_done(c);
    arena_fini(&arena);
    str_fini(&bytes);
    return granted;
}

/* It was promoted, or removed and added anew, and has not heard of it: without its vote there may be nobody to tell it. */
static void whoever_is_asked_votes_whatever_it_knows_of_its_own_role(void **state)
{
    static const enum member_role roles[] = { MEMBER_VOTER, MEMBER_STANDBY, MEMBER_SPARE };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct member members[RAFT_MAX_MEMBERS];
        struct consensus *c = one_of_three(roles[i]);

        assert_true(votes(c));
        assert_int_equal(consensus_status(c).vote, 2);
        assert_int_equal(consensus_members(c, members), 3);
        assert_int_equal(members[0].role, roles[i]);
        consensus_free(c);
    }
}

static void bad_members_are_refused(void **state)
{
    const struct member twice[2] = { { 1, "a:1", MEMBER_VOTER }, { 1, "b:1", MEMBER_VOTER } }, zero = { 0, "a:1", MEMBER_VOTER };
    struct arena arena;
    struct entry en;
    struct err e = { 0 };

    (void)state;
    arena_init(&arena);
    assert_err(consensus_first_entry(twice, 2, &arena, &en, &e), &e, ERR_RAFT_MEMBER);
    assert_err(consensus_first_entry(&zero, 1, &arena, &en, &e), &e, ERR_RAFT_MEMBER);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back),
        cmocka_unit_test(malformed_messages_are_refused),
        cmocka_unit_test(length_is_checked_before_reading),
        cmocka_unit_test(one_alone_leads),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(whoever_is_asked_votes_whatever_it_knows_of_its_own_role),
        cmocka_unit_test(bad_members_are_refused),
        cmocka_unit_test(a_slow_disk_lets_others_run_first),
        cmocka_unit_test(a_slow_disk_comes_after_the_others_when_the_leader_dies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

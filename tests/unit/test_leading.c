/* SPDX-License-Identifier: Apache-2.0 */
/* Leadership, step by step. */
#include "ha/step/leading.h"
#include "tests/lib/test.h"

static struct leading_do raft(struct leading *l, bool elected, bool leads, uint64_t term, int64_t now_ms)
{
    return leading_raft(l, &(struct leading_raft){ elected, leads, term }, now_ms);
}

static struct leading active(uint64_t term, int64_t epoch)
{
    struct leading l;
    struct leading_do did;

    leading_init(&l, 1000);
    did = raft(&l, true, false, term, 0);
    assert_int_equal(did.actions, 0);
    assert_int_equal(l.state, LEADING_ELECTED);
    did = raft(&l, true, true, term, 1);
    assert_int_equal(did.actions, LEADING_CLAIM);
    assert_int_equal(did.term, term);
    did = leading_claimed(&l, term, epoch);
    assert_int_equal(did.actions, LEADING_START_WORK);
    assert_int_equal(did.epoch, epoch);
    assert_int_equal(leading_epoch(&l), epoch);
    return l;
}

static void leads_from_election_to_loss(void **state)
{
    struct leading l = active(5, 40);
    struct leading_do did = raft(&l, false, false, 6, 2);

    (void)state;
    assert_int_equal(did.actions, LEADING_STOP_WORK);
    assert_int_equal(l.state, LEADING_FOLLOWING);
    assert_int_equal(leading_epoch(&l), 0);
}

static void lost_and_regained_in_one_breath_stops_first(void **state)
{
    struct leading l = active(5, 40);
    struct leading_do did = raft(&l, true, true, 7, 2);

    (void)state;
    assert_int_equal(did.actions, LEADING_STOP_WORK | LEADING_CLAIM);
    assert_int_equal(did.term, 7);
    assert_int_equal(leading_epoch(&l), 0);
}

static void a_claim_of_another_term_counts_for_nothing(void **state)
{
    struct leading l;

    (void)state;
    leading_init(&l, 1000);
    (void)raft(&l, true, true, 5, 0);
    (void)raft(&l, true, true, 6, 1); /* its claim for 5 is still under way */
    assert_int_equal(leading_claimed(&l, 5, 40).actions, 0);
    assert_int_equal(l.state, LEADING_CONFIRMED);
    assert_int_equal(leading_claimed(&l, 6, 41).actions, LEADING_START_WORK);
    assert_int_equal(leading_overtaken(&l, 6).actions, 0); /* too late: it is active */
}

static void failed_claims_are_repeated_with_pauses(void **state)
{
    struct leading l;
    int64_t now = 0, pause = LEADING_CLAIM_FIRST_MS;

    (void)state;
    leading_init(&l, 1000);
    assert_int_equal(raft(&l, true, true, 5, now).actions, LEADING_CLAIM);
    assert_int_equal(leading_tick(&l, now + 10000).actions, 0); /* one at a time */
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(leading_claim_failed(&l, 5, now).actions, 0);
        assert_int_equal(leading_tick(&l, now + pause - 1).actions, 0);
        now += pause;
        assert_int_equal(leading_tick(&l, now).actions, LEADING_CLAIM);
        pause = pause < LEADING_CLAIM_LAST_MS / 2 ? pause * 2 : LEADING_CLAIM_LAST_MS;
    }
    assert_int_equal(pause, LEADING_CLAIM_LAST_MS);
    assert_int_equal(raft(&l, true, true, 6, now).actions, LEADING_CLAIM); /* a new term begins at once */
}

static void fenced_and_overtaken_hand_leadership_away(void **state)
{
    struct leading l = active(5, 40), m;

    (void)state;
    assert_int_equal(leading_fenced(&l, 39).actions, 0); /* an older epoch of its own */
    assert_int_equal(leading_fenced(&l, 40).actions, LEADING_STOP_WORK | LEADING_TRANSFER);
    assert_int_equal(l.state, LEADING_STALE);
    assert_int_equal(raft(&l, true, true, 5, 9).actions, 0); /* still that term */
    assert_int_equal(raft(&l, true, true, 8, 9).actions, LEADING_CLAIM);
    leading_init(&m, 1000);
    (void)raft(&m, true, true, 3, 0);
    assert_int_equal(leading_overtaken(&m, 3).actions, LEADING_TRANSFER);
    assert_int_equal(m.state, LEADING_STALE);
}

static void a_given_up_cluster_ends_the_process(void **state)
{
    struct leading l = active(5, 40);

    (void)state;
    assert_int_equal(leading_given_up(&l).actions, LEADING_STOP_WORK | LEADING_END);
    assert_int_equal(raft(&l, true, true, 9, 1).actions, 0);
    assert_int_equal(l.state, LEADING_ENDED);
}

static void leadership_goes_where_metadb_answers(void **state)
{
    struct leading l = active(5, 40);
    struct leading_do did;

    (void)state;
    assert_int_equal(leading_probed(&l, false, 3, 1000).actions, 0);
    assert_int_equal(leading_probed(&l, false, 3, 2000).actions, 0);
    did = leading_probed(&l, false, 3, 3000);
    assert_int_equal(did.actions, LEADING_TRANSFER);
    assert_int_equal(did.to, 3);
    assert_int_equal(leading_probed(&l, false, 3, 4000).actions, 0); /* not again so soon */
    assert_int_equal(leading_probed(&l, false, 3, 33001).actions, LEADING_TRANSFER);
    assert_int_equal(leading_probed(&l, true, 3, 64000).actions, 0);
    for (int64_t now = 65000; now < 70000; now += 1000)
        assert_int_equal(leading_probed(&l, false, 0, now).actions, 0); /* nobody reaches it */
}

/* MetaDB that goes for all fails here first, or comes back elsewhere first: then leadership stays. */
static void leadership_stays_unless_metadb_answered_others_before_and_after(void **state)
{
    struct leading l = active(5, 40);

    (void)state;
    assert_int_equal(leading_better(3, false, 3), 3);
    assert_int_equal(leading_better(2, false, 3), 3); /* who says so now */
    assert_int_equal(leading_better(0, false, 3), 0); /* it came back there while the probe waited */
    assert_int_equal(leading_better(3, false, 0), 0); /* it went there meanwhile */
    assert_int_equal(leading_better(3, true, 3), 0);
    assert_int_equal(leading_better(0, false, 0), 0);

    assert_false(leading_asks_peers(&l)); /* nobody is asked for nothing */
    (void)leading_probed(&l, false, 0, 1000);
    assert_false(leading_asks_peers(&l));
    (void)leading_probed(&l, false, 0, 2000);
    assert_true(leading_asks_peers(&l));
    assert_int_equal(leading_probed(&l, false, leading_better(0, false, 3), 3000).actions, 0);
    assert_true(leading_asks_peers(&l));
    assert_int_equal(leading_probed(&l, false, leading_better(3, false, 3), 4000).actions, LEADING_TRANSFER);
    (void)leading_probed(&l, true, 0, 5000);
    assert_false(leading_asks_peers(&l));
    l.failed_probes = LEADING_PROBES;
    l.state = LEADING_FOLLOWING;
    assert_false(leading_asks_peers(&l));
    l.state = LEADING_ENDED;
    assert_false(leading_asks_peers(&l));
}

static void draining_stops_and_hands_away(void **state)
{
    struct leading l = active(5, 40);

    (void)state;
    assert_int_equal(leading_drain(&l, true, 100).actions, LEADING_STOP_WORK | LEADING_TRANSFER);
    assert_int_equal(leading_drain(&l, true, 101).actions, 0);
    assert_int_equal(leading_tick(&l, 1099).actions, 0);
    assert_int_equal(leading_tick(&l, 1100).actions, LEADING_TRANSFER);
    assert_int_equal(leading_tick(&l, 2100).actions, LEADING_TRANSFER);
    assert_int_equal(leading_tick(&l, 9000).actions, 0); /* three tries */
    assert_int_equal(raft(&l, true, true, 6, 9001).actions, 0); /* elected again: claims nothing */
    assert_int_equal(leading_drain(&l, false, 9002).actions, LEADING_CLAIM);
}

/* Whatever happens in whatever order: work never runs without an epoch, and it is stopped before anything else is started. */
static void no_order_of_events_lets_work_run_unfenced(void **state)
{
    uint64_t random = 88172645463325252u;
    struct leading l;
    bool works = false;
    int64_t now = 0, epoch = 0;

    (void)state;
    leading_init(&l, 1000);
    for (unsigned i = 0; i < 200000; i++) {
        struct leading_do did = { 0 };

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        now += (int64_t)(random % 97);
        switch (random >> 32 & 7) {
        case 0:
            did = raft(&l, random & 1, random & 2, l.term + (random >> 8 & 1), now);
            break;
        case 1:
            did = leading_claimed(&l, l.term - (random >> 8 & 1), ++epoch);
            break;
        case 2:
            did = leading_overtaken(&l, l.term);
            break;
        case 3:
            did = leading_claim_failed(&l, l.term, now);
            break;
        case 4:
            did = leading_fenced(&l, epoch - (int64_t)(random >> 8 & 1));
            break;
        case 5:
            did = leading_drain(&l, random & 1, now);
            break;
        case 6:
            did = leading_probed(&l, random & 1, random >> 9 & 3, now);
            break;
        default:
            did = leading_tick(&l, now);
        }
        if (did.actions & LEADING_STOP_WORK) {
            assert_true(works);
            works = false;
        }
        if (did.actions & LEADING_START_WORK) {
            assert_false(works);
            assert_int_equal(did.epoch, leading_epoch(&l));
            works = true;
        }
        assert_int_equal(works, leading_epoch(&l) != 0);
    }
    assert_true(l.activations > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leads_from_election_to_loss),
        cmocka_unit_test(lost_and_regained_in_one_breath_stops_first),
        cmocka_unit_test(a_claim_of_another_term_counts_for_nothing),
        cmocka_unit_test(failed_claims_are_repeated_with_pauses),
        cmocka_unit_test(fenced_and_overtaken_hand_leadership_away),
        cmocka_unit_test(a_given_up_cluster_ends_the_process),
        cmocka_unit_test(leadership_goes_where_metadb_answers),
        cmocka_unit_test(leadership_stays_unless_metadb_answered_others_before_and_after),
        cmocka_unit_test(draining_stops_and_hands_away),
        cmocka_unit_test(no_order_of_events_lets_work_run_unfenced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of standing work: what the leader changes, and what a node may do. */
#include <string.h>

#include "ha/step/leasing.h"
#include "tests/lib/test.h"

enum { MAX_NODES = 5 };

/* A MetaDB of three arrays, and a leader that does what it plans. */
struct world {
    struct leasing l;
    struct leasing_node nodes[MAX_NODES];
    unsigned n_nodes;
    struct leasing_lease leases[LEASING_SHARDS];
    const char *idcs[LEASING_SHARDS];
    struct leasing_change changes[LEASING_SHARDS];
    unsigned n;
    int64_t now_ms;
};

static void set_up(struct world *w, unsigned n_nodes)
{
    memset(w, 0, sizeof *w);
    w->n_nodes = n_nodes;
    w->now_ms = 1000000;
    for (unsigned i = 0; i < n_nodes; i++)
        w->nodes[i] = (struct leasing_node){ .id = 1001 + i, .idc = "", .seen_ms = 1000, .weight = LEASING_WEIGHT };
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        w->idcs[i] = "";
    leasing_begin(&w->l, w->now_ms);
}

static void plan(struct world *w)
{
    const struct leasing_world seen = { w->nodes, w->n_nodes, w->leases, w->idcs };

    w->n = leasing_plan(&w->l, &seen, w->now_ms, w->changes);
}

static void perform(struct world *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        struct leasing_lease *l = &w->leases[w->changes[i].shard];

        if (w->changes[i].is_ask)
            l->next_id = w->changes[i].to;
        else
            *l = (struct leasing_lease){ w->changes[i].to, 0, LEASING_TTL_MS };
    }
}

/* Everybody renews and gives up what is asked for. */
static void live(struct world *w)
{
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        w->leases[i].left_ms = w->leases[i].next_id != 0 ? 0 : LEASING_TTL_MS;
}

/* Rounds until nothing changes any more; how many moved. */
static unsigned settle(struct world *w)
{
    unsigned moved = 0;

    for (unsigned i = 0; i < 100; i++) {
        plan(w);
        if (w->n == 0)
            return moved;
        for (unsigned k = 0; k < w->n; k++)
            moved += !w->changes[k].is_ask;
        perform(w);
        live(w);
        w->now_ms += LEASING_ROUND_MS;
    }
    fail_msg("it never settles");
    return 0;
}

static unsigned held_by(const struct world *w, int64_t id)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        n += w->leases[i].node_id == id;
    return n;
}

static enum leasing_state state_of(const struct world *w, unsigned i)
{
    return w->l.nodes[i].state;
}

static void everything_is_given_at_once_and_evenly(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3);
    plan(&w);
    assert_int_equal(w.n, LEASING_SHARDS);
    perform(&w);
    for (int64_t id = 1001; id <= 1003; id++)
        assert_in_range(held_by(&w, id), 60, 110);
    plan(&w);
    assert_int_equal(w.n, 0);
}

static void weight_is_a_share(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3);
    w.nodes[0].weight = 3 * LEASING_WEIGHT;
    w.nodes[2].weight = 0;
    (void)settle(&w);
    assert_in_range(held_by(&w, 1001), 170, 215);
    assert_int_equal(held_by(&w, 1003), 0);
}

static void a_dead_node_loses_its_shards_at_once_and_others_keep_theirs(void **state)
{
    struct world w;
    unsigned of_dead, moved = 0;

    (void)state;
    set_up(&w, 3);
    (void)settle(&w);
    of_dead = held_by(&w, 1002);
    w.nodes[1].dead = true;
    plan(&w);
    assert_int_equal(state_of(&w, 1), LEASING_DEAD);
    assert_int_equal(w.n, LEASING_MOVES); /* not more in a second */
    for (unsigned i = 0; i < w.n; i++) {
        assert_int_equal(w.leases[w.changes[i].shard].node_id, 1002);
        assert_true(w.changes[i].from_dead);
    }
    moved = w.n;
    perform(&w);
    live(&w);
    w.now_ms += 500;
    plan(&w);
    assert_int_equal(w.n, 0);
    w.now_ms += 500;
    moved += settle(&w);
    assert_int_equal(moved, of_dead);
    assert_int_equal(held_by(&w, 1002), 0);
    w.nodes[1].dead = false; /* back: gets back what it had, each asked for first */
    plan(&w);
    for (unsigned i = 0; i < w.n; i++)
        assert_true(w.changes[i].is_ask && w.changes[i].to == 1002);
    perform(&w);
    live(&w);
    w.now_ms += LEASING_ROUND_MS;
    assert_int_equal(settle(&w), of_dead);
}

static void a_silent_node_keeps_its_leases_until_they_end(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3);
    (void)settle(&w);
    w.now_ms += LEASING_SETTLE_MS;
    w.nodes[1].seen_ms = LEASING_FRESH_MS;
    plan(&w);
    assert_int_equal(state_of(&w, 1), LEASING_SILENT);
    assert_int_equal(w.n, 0);
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        w.leases[i].left_ms = w.leases[i].node_id == 1002 ? 0 : LEASING_TTL_MS;
    plan(&w);
    assert_int_equal(w.n, LEASING_MOVES);
    for (unsigned i = 0; i < w.n; i++)
        assert_false(w.changes[i].from_dead);
}

static void nobody_moves_because_metadb_was_away(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3);
    (void)settle(&w);
    w.now_ms += 20000;
    leasing_lost_sight(&w.l, w.now_ms);
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        w.leases[i].left_ms = -5000;
    w.nodes[1].seen_ms = w.nodes[2].seen_ms = 20000; /* only the leader has said that it is there again */
    plan(&w);
    for (unsigned i = 0; i < w.n; i++)
        assert_int_equal(w.leases[w.changes[i].shard].node_id, w.changes[i].to);
    assert_int_equal(w.n, held_by(&w, 1001));
    perform(&w);
    w.nodes[1].seen_ms = w.nodes[2].seen_ms = 100;
    w.now_ms += 1000;
    plan(&w);
    for (unsigned i = 0; i < w.n; i++)
        assert_int_equal(w.leases[w.changes[i].shard].node_id, w.changes[i].to);
    assert_int_equal(w.n, LEASING_SHARDS - held_by(&w, 1001));
}

static void shards_wait_for_a_node_that_restarts(void **state)
{
    struct world w;
    unsigned own;

    (void)state;
    set_up(&w, 3);
    (void)settle(&w);
    own = held_by(&w, 1003);
    w.nodes[2].draining = true;
    plan(&w);
    assert_int_equal(state_of(&w, 2), LEASING_LEAVING);
    for (unsigned i = 0; i < LEASING_SHARDS; i++) /* it gives them back, and goes */
        w.leases[i].left_ms = w.leases[i].node_id == 1003 ? 0 : LEASING_TTL_MS;
    plan(&w);
    assert_int_equal(w.n, 0);
    w.nodes[2].dead = true;
    w.now_ms += LEASING_HOLD_MS - 2000;
    w.nodes[2].seen_ms = 10000;
    plan(&w);
    assert_int_equal(state_of(&w, 2), LEASING_HELD);
    assert_int_equal(w.n, 0);
    leasing_begin(&w.l, w.now_ms); /* a new leader sees the same in the row */
    plan(&w);
    assert_int_equal(state_of(&w, 2), LEASING_HELD);
    assert_int_equal(w.n, 0);
    w.nodes[2] = (struct leasing_node){ .id = 1003, .idc = "", .weight = LEASING_WEIGHT };
    plan(&w);
    assert_int_equal(w.n, own);
    for (unsigned i = 0; i < w.n; i++)
        assert_int_equal(w.changes[i].to, 1003);
}

static void who_does_not_come_back_has_lost_its_shards(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3);
    (void)settle(&w);
    w.nodes[2].draining = true;
    plan(&w);
    w.nodes[2].dead = true;
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        w.leases[i].left_ms = w.leases[i].node_id == 1003 ? 0 : LEASING_TTL_MS;
    w.now_ms += LEASING_HOLD_MS;
    w.nodes[2].seen_ms = LEASING_HOLD_MS + 1000;
    plan(&w);
    assert_int_equal(state_of(&w, 2), LEASING_DEAD);
    assert_int_equal(w.n, LEASING_MOVES);
    set_up(&w, 2); /* one that drains and drains */
    (void)settle(&w);
    w.nodes[0].draining = true;
    plan(&w);
    w.now_ms += LEASING_HOLD_MS;
    plan(&w);
    assert_int_equal(state_of(&w, 0), LEASING_AWAY);
    plan(&w);
    assert_int_equal(state_of(&w, 0), LEASING_AWAY);
    w.nodes[0].draining = false;
    plan(&w);
    assert_int_equal(state_of(&w, 0), LEASING_UP);
}

static void people_take_work_from_a_node(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3);
    (void)settle(&w);
    w.nodes[0].away = true;
    plan(&w);
    assert_int_equal(w.n, LEASING_MOVES);
    for (unsigned i = 0; i < w.n; i++)
        assert_true(w.changes[i].is_ask && w.leases[w.changes[i].shard].node_id == 1001 && w.changes[i].to != 1001);
    perform(&w);
    w.nodes[0].away = false; /* they think better of it before it has given anything up */
    w.now_ms += 1000;
    plan(&w);
    for (unsigned i = 0; i < w.n; i++)
        assert_true(w.changes[i].is_ask && w.changes[i].to == 0);
    assert_int_equal(w.n, LEASING_MOVES);
    perform(&w);
    w.nodes[0].away = true;
    w.now_ms += 1000;
    (void)settle(&w);
    assert_int_equal(held_by(&w, 1001), 0);
}

static void work_is_done_near_by(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3);
    w.nodes[0].idc = "east";
    w.nodes[1].idc = w.nodes[2].idc = "west";
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        w.idcs[i] = i < 100 ? "east" : i < 200 ? "north" : "";
    (void)settle(&w);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(w.leases[i].node_id, 1001);
    w.nodes[0].dead = true; /* nobody else is near: anybody */
    (void)settle(&w);
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        assert_int_not_equal(w.leases[i].node_id, 1001);
}

static void a_shard_belongs_where_most_of_it_stands(void **state)
{
    struct leasing_place places[] = {
        { 1, "east", 2 }, { 1, "west", 1 },                  /* mostly east */
        { 2, "east", 1 }, { 2, "west", 1 }, { 2, "", 1 },    /* nowhere in particular */
        { 3, "", 3 },
        { 4, "west", 3 },
    };
    const char *idcs[LEASING_SHARDS];
    struct leasing_place many[3];
    int64_t same[3] = { 5 };

    (void)state;
    leasing_idcs(places, sizeof places / sizeof places[0], idcs);
    assert_string_equal(idcs[leasing_shard(1)], "east");
    assert_string_equal(idcs[leasing_shard(2)], "");
    assert_string_equal(idcs[leasing_shard(3)], "");
    assert_string_equal(idcs[leasing_shard(4)], "west");
    for (unsigned i = 1; i < 3; i++) /* three objects of one shard */
        for (same[i] = same[i - 1] + 1; leasing_shard(same[i]) != leasing_shard(same[0]);)
            same[i]++;
    for (unsigned i = 0; i < 3; i++)
        many[i] = (struct leasing_place){ same[i], i < 1 ? "east" : "west", 3 };
    leasing_idcs(many, 3, idcs);
    assert_string_equal(idcs[leasing_shard(same[0])], "west");
    many[1].idc = "";
    leasing_idcs(many, 3, idcs);
    assert_string_equal(idcs[leasing_shard(same[0])], "");
    leasing_idcs(NULL, 0, idcs);
    assert_string_equal(idcs[0], "");
}

/* --- a node ------------------------------------------------------------------------------------------------------------------- */

/* One that found nothing of a former process. */
static void begin(struct leasing_side *s)
{
    leasing_side_init(s);
    (void)leasing_read(s, NULL, 0, 0, NULL);
}

static bool reads(struct leasing_side *s, const struct leasing_row *row, int64_t sent_ms)
{
    return leasing_read(s, row, row != NULL, sent_ms, NULL);
}

static void a_node_stops_before_its_lease_ends(void **state)
{
    struct leasing_side s;
    struct leasing_row row = { .shard = 7, .view = 40, .left_ms = LEASING_TTL_MS };
    int64_t view;

    (void)state;
    begin(&s);
    assert_false(leasing_wants_renewal(&s, 0)); /* it has nothing */
    assert_true(reads(&s, &row, 1000));
    assert_false(reads(&s, &row, 1000));
    assert_true(leasing_holds(&s, 7, 1000, &view));
    assert_int_equal(view, 40);
    assert_true(leasing_wants_renewal(&s, 1000));
    leasing_renewed(&s, 1000);
    assert_false(leasing_wants_renewal(&s, 1000 + LEASING_RENEW_MS - 1));
    assert_true(leasing_wants_renewal(&s, 1000 + LEASING_RENEW_MS));
    assert_true(leasing_holds(&s, 7, 1000 + LEASING_STOP_MS - 1, &view));
    assert_false(leasing_holds(&s, 7, 1000 + LEASING_STOP_MS, &view));
    assert_int_equal(leasing_until_ms(&s), 1000 + LEASING_STOP_MS);
    assert_true(leasing_expire(&s, 1000 + LEASING_STOP_MS));
    assert_false(leasing_expire(&s, 1000 + LEASING_STOP_MS));
    row.left_ms = LEASING_TTL_MS - LEASING_STOP_MS; /* nobody else can have it yet, but it is too late to begin anything */
    assert_false(reads(&s, &row, 9000));
    assert_false(leasing_holds(&s, 7, 9000, &view));
    row.left_ms = 3600000; /* MetaDB's clock was set back */
    assert_true(reads(&s, &row, 9000));
    assert_int_equal(leasing_until_ms(&s), 9000 + LEASING_STOP_MS);
}

static void nothing_is_released_while_it_acts(void **state)
{
    struct leasing_side s;
    struct leasing_row row = { .shard = 7, .view = 40, .left_ms = LEASING_TTL_MS };
    unsigned shards[LEASING_SHARDS];
    int64_t views[LEASING_SHARDS], view;

    (void)state;
    begin(&s);
    (void)reads(&s, &row, 1000);
    assert_true(leasing_enter(&s, 7, 1000, &view));
    assert_false(leasing_enter(&s, 8, 1000, &view));
    row.next_id = 1002;
    assert_true(reads(&s, &row, 1000));
    assert_false(leasing_enter(&s, 7, 1000, &view));
    assert_int_equal(leasing_to_release(&s, shards, views), 0);
    leasing_exit(&s, 7);
    assert_int_equal(leasing_to_release(&s, shards, views), 1);
    assert_int_equal(shards[0], 7);
    assert_int_equal(views[0], 40);
    leasing_released(&s, 7, 40);
    assert_int_equal(leasing_to_release(&s, shards, views), 0);
    row.next_id = 0; /* a reading that lags behind */
    assert_false(reads(&s, &row, 1000));
    assert_int_equal(leasing_to_release(&s, shards, views), 1); /* again: harmless */
    (void)reads(&s, NULL, 1000);
    assert_int_equal(leasing_to_release(&s, shards, views), 0);
    assert_false(reads(&s, &row, 1000));
    assert_false(leasing_holds(&s, 7, 1000, &view));
    row.view = 41;
    assert_true(reads(&s, &row, 1000));
    assert_true(leasing_holds(&s, 7, 1000, &view));
    row.view = 39;
    assert_true(reads(&s, &row, 1000));
    assert_false(leasing_holds(&s, 7, 1000, &view));
}

/* Found by the simulation: the release has no answer, the leader lets the node keep the shard after all, and then the release arrives. */
static void nothing_is_begun_under_what_may_be_released_any_moment(void **state)
{
    struct leasing_side s;
    struct leasing_row row = { .shard = 7, .view = 40, .next_id = 2, .left_ms = LEASING_TTL_MS };
    unsigned shards[LEASING_SHARDS];
    int64_t views[LEASING_SHARDS], view;

    (void)state;
    begin(&s);
    (void)reads(&s, &row, 1000);
    assert_int_equal(leasing_to_release(&s, shards, views), 1); /* no answer */
    row.next_id = 0;
    assert_false(reads(&s, &row, 1100));
    assert_false(leasing_holds(&s, 7, 1100, &view));
    assert_int_equal(leasing_to_release(&s, shards, views), 1);
    row.view = 41;
    assert_true(reads(&s, &row, 1200));
    assert_true(leasing_holds(&s, 7, 1200, &view));
}

/* Found by the simulation: what a former process has asked MetaDB for may arrive after this one has begun. */
static void what_a_former_process_held_is_given_back(void **state)
{
    struct leasing_side s;
    struct leasing_row row = { .shard = 7, .view = 40, .left_ms = LEASING_TTL_MS };
    unsigned shards[LEASING_SHARDS];
    int64_t views[LEASING_SHARDS], view;

    (void)state;
    leasing_side_init(&s);
    assert_false(reads(&s, &row, 1000));
    assert_false(leasing_holds(&s, 7, 1000, &view));
    assert_int_equal(leasing_to_release(&s, shards, views), 1);
    assert_int_equal(views[0], 40);
    leasing_released(&s, 7, 40);
    row.view = 41;
    assert_true(reads(&s, &row, 1100));
    assert_true(leasing_holds(&s, 7, 1100, &view));
}

static void who_leaves_takes_nothing_any_more(void **state)
{
    struct leasing_side s;
    struct leasing_row rows[] = { { .shard = 7, .view = 40, .left_ms = LEASING_TTL_MS }, { .shard = 9, .view = 41, .left_ms = LEASING_TTL_MS } };
    unsigned shards[LEASING_SHARDS];
    int64_t views[LEASING_SHARDS], view;

    (void)state;
    begin(&s);
    (void)leasing_read(&s, rows, 1, 1000, NULL);
    leasing_leave(&s);
    assert_false(leasing_holds(&s, 7, 1000, &view));
    assert_false(leasing_wants_renewal(&s, 1000000));
    (void)leasing_read(&s, rows, 2, 1000, NULL); /* granted meanwhile: given back, too */
    assert_false(leasing_holds(&s, 9, 1000, &view));
    assert_int_equal(leasing_to_release(&s, shards, views), 2);
    assert_int_equal(leasing_count(&s, 1000), 0);
}

static void kicks_are_heard_once(void **state)
{
    struct leasing_side s;
    struct leasing_row row = { .shard = 7, .view = 40, .left_ms = LEASING_TTL_MS, .kicks = 3 };
    bool kicked[LEASING_SHARDS];

    (void)state;
    begin(&s);
    (void)leasing_read(&s, &row, 1, 1000, kicked);
    assert_false(kicked[7]); /* the first look comes by itself */
    row.kicks = 5;
    (void)leasing_read(&s, &row, 1, 1000, kicked);
    assert_true(kicked[7]);
    (void)leasing_read(&s, &row, 1, 1000, kicked);
    assert_false(kicked[7]);
}

/* --- both together -------------------------------------------------------------------------------------------------------------- */

static void shards_spread_over_ids(void **state)
{
    unsigned count[LEASING_SHARDS] = { 0 };

    (void)state;
    for (int64_t id = 1000; id < 1000 + 100 * LEASING_SHARDS; id++)
        count[leasing_shard(id)]++;
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        assert_in_range(count[i], 50, 160);
}

/* Whatever is seen of the nodes: a lease that runs changes hands only when its owner is dead, and it goes to somebody who is there. */
static void no_order_of_events_takes_a_running_lease(void **state)
{
    uint64_t random = 88172645463325252u;
    struct world w;
    unsigned granted = 0, asked = 0, taken = 0;

    (void)state;
    set_up(&w, MAX_NODES);
    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned i = 0; i < MAX_NODES; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if (random % 7 == 0)
                w.nodes[i] = (struct leasing_node){ .id = 1001 + i, .idc = "", .weight = LEASING_WEIGHT, .dead = (random >> 8) % 4 == 0,
                                                    .seen_ms = (random >> 12) % 3 == 0 ? 20000 : 300, .draining = (random >> 16) % 4 == 0,
                                                    .away = (random >> 20) % 6 == 0 };
        }
        w.leases[random % LEASING_SHARDS].left_ms = 0;
        w.now_ms += 200 + (int64_t)(random >> 24) % 1500;
        if (random % 50 == 0)
            leasing_begin(&w.l, w.now_ms);
        plan(&w);
        for (unsigned i = 0; i < w.n; i++) {
            const struct leasing_change *c = &w.changes[i];
            const struct leasing_lease *was = &w.leases[c->shard];

            granted += !c->is_ask;
            asked += c->is_ask;
            taken += c->from_dead;
            assert_true(i == 0 || c->shard > w.changes[i - 1].shard);
            assert_true(c->is_ask || was->left_ms <= 0 || was->node_id == 0 || c->from_dead);
            for (unsigned k = 0; k < MAX_NODES; k++) {
                if (w.nodes[k].id == c->to)
                    assert_int_equal(state_of(&w, k), LEASING_UP);
                if (w.nodes[k].id == was->node_id && c->from_dead)
                    assert_int_equal(state_of(&w, k), LEASING_DEAD);
            }
        }
        perform(&w);
    }
    assert_true(granted > 10000 && asked > 1000 && taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_given_at_once_and_evenly),
        cmocka_unit_test(weight_is_a_share),
        cmocka_unit_test(a_dead_node_loses_its_shards_at_once_and_others_keep_theirs),
        cmocka_unit_test(a_silent_node_keeps_its_leases_until_they_end),
        cmocka_unit_test(nobody_moves_because_metadb_was_away),
        cmocka_unit_test(shards_wait_for_a_node_that_restarts),
        cmocka_unit_test(who_does_not_come_back_has_lost_its_shards),
        cmocka_unit_test(people_take_work_from_a_node),
        cmocka_unit_test(work_is_done_near_by),
        cmocka_unit_test(a_shard_belongs_where_most_of_it_stands),
        cmocka_unit_test(a_node_stops_before_its_lease_ends),
        cmocka_unit_test(nothing_is_released_while_it_acts),
        cmocka_unit_test(nothing_is_begun_under_what_may_be_released_any_moment),
        cmocka_unit_test(what_a_former_process_held_is_given_back),
        cmocka_unit_test(who_leaves_takes_nothing_any_more),
        cmocka_unit_test(kicks_are_heard_once),
        cmocka_unit_test(shards_spread_over_ids),
        cmocka_unit_test(no_order_of_events_takes_a_running_lease),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

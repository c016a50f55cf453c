/* SPDX-License-Identifier: Apache-2.0 */
/* Standing work of two nodes and a leader on one real MetaDB. Nothing waits for time: each test goes on when what it waits for has happened. */
#include <stdio.h>

#include "ha/drive/leases.h"
#include "tests/lib/store.h"

struct place {
    struct test_store *t;
    struct node self;
    struct leases *leases;
    struct leases_user user;
    struct waitlist *events;
    unsigned n_kicked, kicked;
};

struct world {
    struct test_store *t;
    struct place a, b;
    struct waitlist events;
    struct leadership leader;
    int64_t dead;
};

static int64_t term;

static void on_changed(void *data)
{
    struct place *p = data;

    waitlist_wake_all(p->events);
}

static void on_kicked(unsigned shard, void *data)
{
    struct place *p = data;

    p->n_kicked++;
    p->kicked = shard;
    waitlist_wake_all(p->events);
}

static void add_node(struct world *w, struct place *p, const char *name)
{
    struct leases_conf conf = { .loop = loop_current(), .db = w->t->db, .log = &test_log, .self = &p->self, .seed = 7 };

    *p = (struct place){ .t = w->t, .events = &w->events, .user = { .changed = on_changed, .kicked = on_kicked, .data = p } };
    p->self = (struct node){ .name = name, .zone = "", .idc = "", .address = "", .version = "", .build_time = "", .peer_address = "" };
    assert_ok(store_node_register(w->t->db, &p->self, &w->t->e), &w->t->e);
    assert_ok(leases_new(&conf, &p->leases, &w->t->e), &w->t->e);
    leases_add_user(p->leases, &p->user);
    assert_ok(leases_start(p->leases, &w->t->e), &w->t->e);
}

static void set_up(struct world *w, struct test_store *t)
{
    enum leader_claimed how;

    *w = (struct world){ .t = t };
    (void)test_store_sql(t, "DELETE FROM node");
    (void)test_store_sql(t, "UPDATE work_lease SET node_id = 0, next_id = 0, expires_at = '2000-01-01'");
    w->leader = (struct leadership){ .generation = 1, .term = ++term, .node_id = 1 };
    assert_ok(leader_claim(t->db, &w->leader, &how, &t->e), &t->e);
    add_node(w, &w->a, "a");
    add_node(w, &w->b, "b");
}

static void tear_down(struct world *w)
{
    leases_leave(w->a.leases);
    leases_leave(w->b.leases);
}

static bool is_dead(int64_t id, void *data)
{
    const struct world *w = data;

    return id == w->dead;
}

/* A leader's round, and until something is told or a moment has passed: whoever waits looks again. */
static void go_on(struct world *w)
{
    int64_t former;
    struct err e;

    (void)test_store_sql(w->t, "UPDATE node SET seen_at = NOW(6)");
    assert_ok(leases_assign(w->a.leases, w->t->db, &w->leader, is_dead, w, &w->t->e), &w->t->e);
    former = fiber_narrow_deadline(200);
    if (waitlist_wait(&w->events, &e) != 0)
        err_clear(&e);
    fiber_restore_deadline(former);
    assert_true(fiber_ms_left() > 0);
}

static unsigned held(const struct place *p)
{
    return leases_stats(p->leases).held;
}

static bool holds(const struct place *p, unsigned shard)
{
    int64_t view;

    return leases_hold(p->leases, shard, &view);
}

static int64_t number(struct world *w, const char *what, unsigned shard)
{
    char text[128];

    (void)snprintf(text, sizeof text, "SELECT %s FROM work_lease WHERE shard = %u", what, shard);
    return test_store_number(w->t, text);
}

static int guarded(struct tx *tx, void *data, struct err *e)
{
    const int64_t *shard_and_view = data;

    return lease_guard(tx, (unsigned)shard_and_view[0], shard_and_view[1], e);
}

static void shards_are_shared_and_handed_over_at_rest(struct test_store *t)
{
    struct world w;
    unsigned shard = 0;
    int64_t view, newer, old[2];

    set_up(&w, t);
    while (held(&w.a) + held(&w.b) < LEASING_SHARDS)
        go_on(&w);
    assert_in_range(held(&w.a), 90, 166);
    while (!holds(&w.a, shard))
        shard++;
    assert_false(leases_enter(w.b.leases, shard, &view));
    assert_true(leases_enter(w.a.leases, shard, &view));

    (void)test_store_sql(t, "UPDATE node SET drain_wanted = 1 WHERE name = 'a'");
    while (held(&w.b) + 1 < LEASING_SHARDS)
        go_on(&w);
    go_on(&w);
    assert_int_equal(held(&w.a), 0);
    assert_false(holds(&w.b, shard)); /* what acts is not handed over */
    assert_int_equal(number(&w, "node_id", shard), w.a.self.id);
    leases_exit(w.a.leases, shard);
    while (!holds(&w.b, shard))
        go_on(&w);
    assert_true(leases_hold(w.b.leases, shard, &newer) && newer > view);
    old[0] = shard;
    old[1] = view;
    assert_err(db_transact(t->db, guarded, old, &t->e), &t->e, ERR_LEASE_LOST);
    old[1] = newer;
    assert_ok(db_transact(t->db, guarded, old, &t->e), &t->e);
    tear_down(&w);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM work_lease WHERE expires_at > NOW(6)"), 0);
    leases_free(w.a.leases);
    leases_free(w.b.leases);
}
STORE_TEST(shards_are_shared_and_handed_over_at_rest)

static void shards_of_a_dead_process_go_at_once_and_kicks_find_the_owner(struct test_store *t)
{
    struct world w;
    unsigned shard = 0;

    set_up(&w, t);
    while (held(&w.a) + held(&w.b) < LEASING_SHARDS)
        go_on(&w);
    while (!holds(&w.b, shard))
        shard++;
    leases_kick(w.a.leases, shard);
    while (w.b.n_kicked == 0)
        go_on(&w);
    assert_int_equal(w.b.kicked, shard);
    assert_int_equal(w.a.n_kicked, 0);
    leases_kick(w.b.leases, shard);
    assert_int_equal(w.b.n_kicked, 2);

    w.dead = w.b.self.id; /* although it goes on renewing here: a broken link lies, and views tell */
    while (!holds(&w.a, shard))
        go_on(&w);
    while (holds(&w.b, shard))
        go_on(&w);
    assert_true(leases_stats(w.a.leases).moved > 0);
    tear_down(&w);
    leases_free(w.a.leases);
    leases_free(w.b.leases);
}
STORE_TEST(shards_of_a_dead_process_go_at_once_and_kicks_find_the_owner)

/* A node that has renewed its leases and then finds none of them stops. */
static void who_cannot_renew_stops(struct test_store *t)
{
    struct world w;

    set_up(&w, t);
    while (held(&w.a) == 0 || leases_stats(w.a.leases).renewals == 0)
        go_on(&w);
    w.a.self.id = w.b.self.id + 1000; /* it renews what nobody has leased to it */
    while (held(&w.a) > 0)
        go_on(&w);
    tear_down(&w);
    leases_free(w.a.leases);
    leases_free(w.b.leases);
}
STORE_TEST(who_cannot_renew_stops)

static const struct CMUnitTest tests[] = {
    STORE_UNIT(shards_are_shared_and_handed_over_at_rest),
    STORE_UNIT(shards_of_a_dead_process_go_at_once_and_kicks_find_the_owner),
    STORE_UNIT(who_cannot_renew_stops),
    { 0 },
};
static const struct CMUnitTest *const groups[] = { tests };

int main(void)
{
    return test_store_main("leases", groups, 1);
}

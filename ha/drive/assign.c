/* SPDX-License-Identifier: Apache-2.0 */
/* The leader's round: three reads, a plan, one transaction if something changes. */
#include "ha/drive/leases_inside.h"
#include "src/store/obtopology.h"

enum { PLACES_MS = 30000, FORGET_MS = 10 * LEASING_HOLD_MS };

/* Whether a node's process is known to be gone. */
struct deaths {
    bool (*is_dead)(int64_t node_id, void *data);
    void *data;
};

/* --- what there is ------------------------------------------------------------------------------------------------------------------ */

static int read_places(struct leases *l, struct db *d, struct err *e)
{
    struct leasing_place *places;
    struct obzone_place *found;
    struct arena arena;
    size_t n;
    int rv;

    if (l->places_ms != INT64_MIN && leases_now_ms(l) - l->places_ms < PLACES_MS)
        return 0;
    arena_init(&arena);
    rv = store_obzone_places(d, &arena, &found, &n, e);
    places = rv == 0 ? arena_array(&arena, n + 1, sizeof *places) : NULL;
    if (rv == 0 && places == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv != 0) {
        arena_fini(&arena);
        return rv;
    }
    for (size_t i = 0; i < n; i++)
        places[i] = (struct leasing_place){ found[i].cluster_id, found[i].idc, found[i].n_zones };
    leasing_idcs(places, n, l->idcs);
    arena_fini(&l->places_arena);
    l->places_arena = arena; /* the names lie there */
    l->places_ms = leases_now_ms(l);
    return 0;
}

static struct leasing_node node_of(const struct node *n, const struct deaths *deaths)
{
    return (struct leasing_node){
        .id = n->id,
        .idc = n->idc,
        .seen_ms = n->unseen_us / 1000,
        .dead = deaths->is_dead != NULL && deaths->is_dead(n->id, deaths->data),
        .draining = n->draining,
        .away = n->drain_wanted || n->witness,
        .weight = LEASING_WEIGHT,
    };
}

/* Rows of nodes that have not been there for long are left out; what was leased to them has ended. */
static int read_nodes(struct db *d, const struct deaths *deaths, struct arena *arena, struct leasing_world *w, struct err *e)
{
    struct leasing_node *nodes;
    struct node *found;
    size_t n;
    int rv = store_node_list(d, NULL, arena, &found, &n, NULL, e);

    if (rv != 0)
        return rv;
    nodes = arena_array(arena, n + 1, sizeof *nodes);
    if (nodes == NULL)
        return err_set(e, &ERR_NOMEM, "");
    w->nodes = nodes;
    w->n_nodes = 0;
    for (size_t i = 0; i < n; i++)
        if (found[i].unseen_us / 1000 < FORGET_MS)
            nodes[w->n_nodes++] = node_of(&found[i], deaths);
    return 0;
}

static int read_leases(struct db *d, struct arena *arena, struct leasing_world *w, struct err *e)
{
    struct leasing_lease *leases = arena_array(arena, LEASING_SHARDS, sizeof *leases);
    struct worklease *found;
    size_t n = 0;
    int rv;

    if (leases == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = store_worklease_list(d, NULL, arena, &found, &n, NULL, e);
    for (size_t i = 0; rv == 0 && i < n; i++)
        if (found[i].shard < LEASING_SHARDS)
            leases[found[i].shard] = (struct leasing_lease){ found[i].node_id, found[i].next_id, found[i].left_us / 1000 };
    w->leases = leases;
    return rv;
}

/* --- what changes ------------------------------------------------------------------------------------------------------------------- */

static int write_plan(struct leases *l, struct db *d, const struct leadership *leader, const struct leasing_world *w, struct arena *arena,
                      struct err *e)
{
    struct leasing_change *plan = arena_array(arena, LEASING_SHARDS, sizeof *plan);
    struct worklease_change *changes = arena_array(arena, LEASING_SHARDS, sizeof *changes);
    unsigned n, moved = 0, granted = 0;
    int64_t view;
    int rv;

    if (plan == NULL || changes == NULL)
        return err_set(e, &ERR_NOMEM, "");
    n = leasing_plan(&l->plan, w, leases_now_ms(l), plan);
    for (unsigned i = 0; i < n; i++) {
        int64_t owner = w->leases[plan[i].shard].node_id;

        changes[i] = (struct worklease_change){ plan[i].shard, plan[i].to, plan[i].is_ask, plan[i].from_dead };
        granted += !plan[i].is_ask;
        moved += !plan[i].is_ask && owner != 0 && owner != plan[i].to;
    }
    rv = store_worklease_change(d, leader, changes, n, &view, e);
    if (rv != 0 || granted == 0)
        return rv;
    l->count.granted += granted;
    l->count.moved += moved;
    log_info(&l->log, "shards of standing work assigned", LOG_I("shards", granted), LOG_I("moved", moved), LOG_I("view", view));
    waitlist_wake_all(&l->wake); /* some may be this node's */
    return 0;
}

int leases_assign(struct leases *l, struct db *d, const struct leadership *leader, bool (*is_dead)(int64_t node_id, void *data), void *data,
                  struct err *e)
{
    const struct deaths deaths = { is_dead, data };
    struct leasing_world w = { .idcs = l->idcs };
    struct arena arena;
    int rv;

    if (l->epoch != leader->epoch) {
        leasing_begin(&l->plan, leases_now_ms(l));
        l->epoch = leader->epoch;
        l->places_ms = INT64_MIN;
    }
    arena_init(&arena);
    rv = read_places(l, d, e);
    if (rv == 0)
        rv = read_nodes(d, &deaths, &arena, &w, e);
    if (rv == 0)
        rv = read_leases(d, &arena, &w, e);
    if (rv == 0)
        rv = write_plan(l, d, leader, &w, &arena, e);
    if (rv != 0)
        leasing_lost_sight(&l->plan, leases_now_ms(l));
    arena_fini(&arena);
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A round of this node: ask MetaDB, within the time that what is held still has; tell; release. When MetaDB does not answer, the round ends at the
 * moment from which the first lease must not be used any more, and that is told, too. */
#include "ha/drive/leases_inside.h"

_Static_assert((int)WORKLEASE_SHARDS == (int)LEASING_SHARDS, "one row a shard");
_Static_assert((int)WORKLEASE_TTL_MS == (int)LEASING_TTL_MS, "one ttl");

enum { CALL_MS = 2000, JITTER_MS = 50 };

/* --- who works -------------------------------------------------------------------------------------------------------------------- */

void leases_add_user(struct leases *l, struct leases_user *u)
{
    u->next = l->users;
    l->users = u;
}

static void tell_changed(struct leases *l)
{
    l->count.held = leasing_count(&l->side, leases_now_ms(l));
    for (struct leases_user *u = l->users; u != NULL; u = u->next)
        u->changed(u->data);
}

static void tell_kicked(struct leases *l, unsigned shard)
{
    for (struct leases_user *u = l->users; u != NULL; u = u->next)
        u->kicked(shard, u->data);
}

bool leases_hold(const struct leases *l, unsigned shard, int64_t *view)
{
    return leasing_holds(&l->side, shard, leases_now_ms(l), view);
}

bool leases_enter(struct leases *l, unsigned shard, int64_t *view)
{
    return leasing_enter(&l->side, shard, leases_now_ms(l), view);
}

void leases_exit(struct leases *l, unsigned shard)
{
    leasing_exit(&l->side, shard);
    if (l->side.shards[shard].part == LEASING_STOPPING && l->side.shards[shard].acting == 0)
        waitlist_wake_all(&l->wake); /* somebody else waits for it */
}

void leases_kick(struct leases *l, unsigned shard)
{
    int64_t view;

    if (leases_hold(l, shard, &view)) {
        tell_kicked(l, shard);
        return;
    }
    l->kicks[shard] = true;
    waitlist_wake_all(&l->wake);
}

/* --- a round of this node --------------------------------------------------------------------------------------------------------- */

static int read_held(struct leases *l, int64_t sent_ms, struct err *e)
{
    bool kicked[LEASING_SHARDS];
    struct leasing_row *rows;
    struct worklease *found;
    struct arena arena;
    size_t n = 0;
    int rv;

    arena_init(&arena);
    rv = store_worklease_read(l->conf.db, l->conf.self->id, &arena, &found, &n, e);
    rows = rv == 0 ? arena_array(&arena, n + 1, sizeof *rows) : NULL;
    if (rv == 0 && rows == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rows[i] = (struct leasing_row){ (unsigned)found[i].shard, found[i].view, found[i].next_id, found[i].kicks, found[i].left_us / 1000 };
    if (rv == 0 && leasing_read(&l->side, rows, (unsigned)n, sent_ms, kicked))
        tell_changed(l);
    for (unsigned i = 0; rv == 0 && i < LEASING_SHARDS; i++)
        if (kicked[i])
            tell_kicked(l, i);
    arena_fini(&arena);
    return rv;
}

/* What is left of the leases counts from before the question was sent. */
static int ask(struct leases *l, struct err *e)
{
    int64_t sent_ms = leases_now_ms(l);
    int rv = 0;

    if (leasing_wants_renewal(&l->side, sent_ms)) {
        rv = store_worklease_renew(l->conf.db, l->conf.self->id, e);
        if (rv != 0)
            return rv;
        leasing_renewed(&l->side, sent_ms);
        l->count.renewals++;
    }
    return read_held(l, sent_ms, e);
}

static int release(struct leases *l, struct err *e)
{
    unsigned shards[LEASING_SHARDS], n;
    int64_t views[LEASING_SHARDS];
    int rv;

    n = leasing_to_release(&l->side, shards, views);
    rv = store_worklease_release(l->conf.db, l->conf.self->id, shards, views, n, e);
    for (unsigned i = 0; rv == 0 && i < n; i++)
        leasing_released(&l->side, shards[i], views[i]);
    return rv;
}

static int pass_kicks_on(struct leases *l, struct err *e)
{
    unsigned shards[LEASING_SHARDS], n = 0;
    int rv;

    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (l->kicks[i])
            shards[n++] = i;
    for (unsigned i = 0; i < n; i++)
        l->kicks[shards[i]] = false;
    rv = store_worklease_kick(l->conf.db, shards, n, e);
    for (unsigned i = 0; rv != 0 && i < n; i++)
        l->kicks[shards[i]] = true;
    return rv;
}

/* Of the time in which what is held may be used; not longer than one round may take. */
static int64_t left_ms(const struct leases *l)
{
    int64_t until = leasing_until_ms(&l->side), now = leases_now_ms(l);

    return until == INT64_MAX || until - now > CALL_MS ? CALL_MS : until > now ? until - now : 1;
}

static void report(struct leases *l, int rv, const struct err *e)
{
    if (rv != 0 && err_is(e, &ERR_CANCELLED))
        return;
    l->count.failures += rv != 0;
    if (rv != 0 && !l->failing)
        log_warn(&l->log, "leases of standing work cannot be renewed", LOG_E(e));
    if (rv == 0 && l->failing)
        log_info(&l->log, "leases of standing work are renewed again");
    l->failing = rv != 0;
}

static void let_go(struct leases *l, unsigned held_before)
{
    unsigned held;

    if (!leasing_expire(&l->side, leases_now_ms(l)))
        return;
    held = leasing_count(&l->side, leases_now_ms(l));
    l->count.lost += held_before > held ? held_before - held : 0;
    log_warn(&l->log, "leases of standing work have run out", LOG_I("held", held));
    tell_changed(l);
}

static void round_of_node(struct leases *l)
{
    int64_t former = fiber_narrow_deadline(left_ms(l));
    unsigned held = l->count.held;
    struct err e = { 0 };
    int rv = ask(l, &e);

    if (rv == 0)
        rv = release(l, &e);
    if (rv == 0)
        rv = pass_kicks_on(l, &e);
    fiber_restore_deadline(former);
    report(l, rv, &e);
    let_go(l, held);
}

static bool is_at_rest(const struct leases *l)
{
    for (unsigned i = 0; i < LEASING_SHARDS; i++)
        if (l->side.shards[i].part == LEASING_HOLDING || l->side.shards[i].part == LEASING_STOPPING)
            return false;
    return true;
}

/* Until somebody wakes it, or the next round is due. */
static bool rest(struct leases *l)
{
    int64_t pause = LEASING_ROUND_MS - (int64_t)(l->conf.seed % JITTER_MS), left = left_ms(l);
    int64_t former = fiber_narrow_deadline(left < pause ? left : pause);
    struct err e;

    l->conf.seed = l->conf.seed * 6364136223846793005u + 1442695040888963407u;
    if (waitlist_wait(&l->wake, &e) != 0)
        err_clear(&e); /* time is over, or cancelled */
    fiber_restore_deadline(former);
    return !fiber_is_cancelled(fiber_current());
}

static void node_main(void *data)
{
    struct leases *l = data;

    do {
        if (l->conf.self->id != 0)
            round_of_node(l);
    } while (!(l->side.leaves && is_at_rest(l)) && rest(l));
    l->works = false;
    waitlist_wake_all(&l->resting);
}

void leases_leave(struct leases *l)
{
    struct err e;

    leasing_leave(&l->side);
    tell_changed(l);
    while (l->works) {
        waitlist_wake_all(&l->wake);
        if (waitlist_wait(&l->resting, &e) != 0)
            return;
    }
}

/* --- beginning and end -------------------------------------------------------------------------------------------------------------- */

struct leases_stats leases_stats(const struct leases *l)
{
    return (struct leases_stats){
        .held = l->count.held,
        .renewals = l->count.renewals,
        .failures = l->count.failures,
        .lost = l->count.lost,
        .granted = l->count.granted,
        .moved = l->count.moved,
        .refused = worklease_refused(),
    };
}

int leases_new(const struct leases_conf *conf, struct leases **out, struct err *e)
{
    struct leases *l = mem_zalloc(sizeof *l);

    if (l == NULL)
        return err_set(e, &ERR_NOMEM, "");
    l->conf = *conf;
    log_child(&l->log, conf->log, "part", "leases");
    leasing_side_init(&l->side);
    arena_init(&l->places_arena);
    l->places_ms = INT64_MIN;
    *out = l;
    return 0;
}

int leases_start(struct leases *l, struct err *e)
{
    int rv = fiber_start(l->conf.loop, "leases", node_main, l, NULL, e);

    l->works = rv == 0;
    return rv;
}

void leases_free(struct leases *l)
{
    if (l == NULL)
        return;
    arena_fini(&l->places_arena);
    mem_free(l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The background look at managed clusters, on the control loop. Of several nodes one looks at each cluster: the one that the cluster's shard is
 * leased to (ha/drive/leases.h); what it writes is refused once the shard is another's.
 *
 *   guard fiber:   list clusters -> start a watcher for each RUNNING one of ours, cancel those that are gone or not ours -> wait -> again
 *   watcher fiber: look (link.h, 10 s at most; another server when one hangs) -> keep what differs -> wait refresh.interval, give or take
 *                  a tenth -> again
 *
 * A cluster that does not answer is noted once with the reason, and looked at less and less often, down to once a minute. What is seen
 * is written only when it differs from what was written, and once a minute so that people see that it was seen. How many people look
 * at the clusters makes no difference here. */
#include <string.h>

#include "src/io/fiber.h"
#include "src/obcluster/endpoint.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/task/schedules.h"

enum { GUARD_MS = 5000, MAX_BACKOFF_MS = 60000, SEEN_MS = 60000, CALL_MS = 30000, STALE_US = 180 * 1000000, FAILURE_SIZE = 1024, MAX_TRIES = 3, TRY_MS = 4000 };

struct watcher {
    struct watch *watch;
    struct fiber *fiber;
    struct obcluster next, row;       /* as the guard read it last, and as the look under way uses it */
    struct arena next_arena, row_arena;
    struct obtopology former;         /* as written last */
    struct arena former_arena;
    bool has_former;
    bool wanted;                      /* scratch of the guard */
    bool gone;                        /* cancelled: it ends by itself */
    struct look_lease lease;          /* under which it looks; entered */
    int64_t written_ms;               /* INT64_MIN: not by this watcher */
    unsigned failures;                /* in a row */
    char failure[FAILURE_SIZE];       /* as written last; "": it answers */
    struct waitlist wake;
    struct log log;
    struct watcher *next_watcher;
};

struct watch {
    struct loop_local local;
    struct obclusters *o;
    struct db *db;
    struct loop *loop;
    struct watcher *watchers;
    struct waitlist wake;
    struct leases_user user;
    uint64_t random;
    bool failing;                     /* the list could not be read */
};

static const char watch_key;

/* --- waiting ------------------------------------------------------------------------------------------------------------------ */

/* xorshift64: only spreads looks, nobody may rely on it. */
static int64_t jittered(struct watch *w, int64_t ms)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return ms - ms / 10 + (int64_t)(w->random % (uint64_t)(ms / 5 + 1));
}

/* Until somebody wakes the line, or `ms` are over. False when the fiber is cancelled. */
static bool rest(struct waitlist *line, int64_t ms)
{
    int64_t former = fiber_narrow_deadline(ms);
    struct err e;

    if (waitlist_wait(line, &e) != 0)
        err_clear(&e); /* time is over, or cancelled: the last is asked below */
    fiber_restore_deadline(former);
    return !fiber_is_cancelled(fiber_current());
}

static int64_t pause_ms(struct watcher *r)
{
    int64_t ms = obclusters_interval_ms(r->watch->o);
    unsigned doublings = r->failures < 10 ? r->failures : 10;

    if (r->failures > 0 && (ms << doublings) > ms)
        ms = (ms << doublings) < MAX_BACKOFF_MS ? ms << doublings : (ms > MAX_BACKOFF_MS ? ms : MAX_BACKOFF_MS);
    return jittered(r->watch, ms);
}

/* --- whose a cluster is --------------------------------------------------------------------------------------------------------- */

/* Begins a piece of standing work, if the shard is this node's; `lease` says under which view. */
static bool enter(struct watch *w, int64_t cluster_id, struct look_lease *lease)
{
    lease->shard = leasing_shard(cluster_id);
    lease->view = 0;
    return w->o->conf.leases == NULL || leases_enter(w->o->conf.leases, lease->shard, &lease->view);
}

static void leave(struct watch *w, const struct look_lease *lease)
{
    if (w->o->conf.leases != NULL)
        leases_exit(w->o->conf.leases, lease->shard);
}

static bool is_ours(const struct watcher *r)
{
    struct leases *leases = r->watch->o->conf.leases;
    int64_t view;

    return leases == NULL || (leases_hold(leases, r->lease.shard, &view) && view == r->lease.view);
}

static const struct look_lease *lease_of(const struct watcher *r)
{
    return r->watch->o->conf.leases != NULL ? &r->lease : NULL;
}

/* --- one look ----------------------------------------------------------------------------------------------------------------- */

static void swap_arenas(struct arena *a, struct arena *b)
{
    struct arena kept = *a;

    *a = *b;
    *b = kept;
}

/* The newest row the guard has read. */
static void take_row(struct watcher *r)
{
    if (r->next.id == 0)
        return;
    swap_arenas(&r->row_arena, &r->next_arena);
    r->row = r->next;
    r->next.id = 0;
    arena_fini(&r->next_arena);
}

static int read_former(struct watcher *r, struct err *e)
{
    int rv;

    if (r->has_former)
        return 0;
    arena_fini(&r->former_arena);
    rv = store_obtopology_read(r->watch->db, r->row.id, &r->former_arena, &r->former, e);
    r->has_former = rv == 0;
    return rv;
}

/* *lost: a server took the questions and did not answer them; another may. */
static int ask_one(struct watcher *r, struct arena *arena, struct look *seen, bool *lost, struct err *e)
{
    struct link *k;
    int rv = link_take(r->watch->o, &r->row, &k, e);

    *lost = false;
    if (rv != 0)
        return rv;
    rv = look_at(link_sql(k), &r->row, arena, seen, e);
    *lost = rv != 0 && sql_is_dead(link_sql(k));
    return link_give(k, rv, e);
}

/* A server that hangs costs a part of the time of one look, not the look. */
static int ask(struct watcher *r, struct arena *arena, struct look *seen, struct err *e)
{
    struct endpoint all[ENDPOINT_MAX];
    bool lost = true;
    int rv = 0;

    for (unsigned i = 0; lost && i < MAX_TRIES; i++) {
        bool is_last = i + 1 == MAX_TRIES || endpoints_of(r->watch->o, &r->row, all) == 1;
        int64_t former = fiber_narrow_deadline(is_last ? LINK_TIMEOUT_MS : TRY_MS);

        rv = ask_one(r, arena, seen, &lost, e);
        lost = lost && !is_last && !err_is(e, &ERR_CANCELLED);
        fiber_restore_deadline(former);
    }
    return rv;
}

static int64_t wall_us(const struct watcher *r)
{
    return clock_wall_us(r->watch->o->conf.clock);
}

static int64_t now_ms(const struct watcher *r)
{
    return clock_now_ms(r->watch->o->conf.clock);
}

static int keep(struct watcher *r, struct look *seen, struct arena *arena, struct err *e)
{
    bool always = r->failure[0] != '\0' || r->written_ms == INT64_MIN || now_ms(r) - r->written_ms >= SEEN_MS;
    bool written;
    int rv;

    if (always)
        r->has_former = false; /* what another node has written since counts */
    rv = read_former(r, e);
    if (rv != 0)
        return rv;
    rv = look_keep(r->watch->db, &r->row, &r->former, seen, always, lease_of(r), wall_us(r), arena, &written, e);
    if (rv != 0 || !written)
        return rv;
    r->written_ms = now_ms(r);
    r->has_former = false; /* read anew before the next comparison: what was seen lies in the look's arena */
    arena_fini(&r->former_arena);
    return 0;
}

/* For the next look; until the guard reads the row anew. */
static void take_endpoints(struct watcher *r, const struct look *seen)
{
    const char *copy = strcmp(r->row.endpoints, seen->endpoints) != 0 ? arena_strdup(&r->row_arena, seen->endpoints) : NULL;

    if (copy != NULL)
        r->row.endpoints = copy;
}

static void answered(struct watcher *r)
{
    if (r->failures > 0)
        log_info(&r->log, "cluster answers again");
    r->failures = 0;
    r->failure[0] = '\0';
    r->row.failure = "";
}

struct note {
    struct watcher *watcher;
    const char *text;
};

static int note_body(struct tx *tx, void *data, struct err *e)
{
    const struct note *n = data;
    const struct look_lease *lease = lease_of(n->watcher);
    int rv = lease != NULL ? lease_guard(tx, lease->shard, lease->view, e) : 0;

    return rv != 0 ? rv : store_obcluster_set_failed(tx, n->watcher->row.id, n->text, wall_us(n->watcher), e);
}

/* What was seen could not be written. */
static void not_kept(struct watcher *r, const char *what, const struct err *e)
{
    if (err_is(e, &ERR_LEASE_LOST))
        log_info(&r->log, "another node looks at the cluster by now");
    else if (!err_is(e, &ERR_CANCELLED))
        log_warn(&r->log, what, LOG_E(e));
}

static void note_failure(struct watcher *r, const struct err *why)
{
    struct note note = { r, NULL };
    char text[FAILURE_SIZE];
    struct err e;

    note.text = err_text(why, ERR_EN, text, sizeof text);
    if (r->failures++ == 0)
        log_warn(&r->log, "cluster cannot be looked at", LOG_E(why));
    if (strcmp(text, r->failure) == 0)
        return;
    if (db_transact(r->watch->db, note_body, &note, &e) != 0)
        not_kept(r, "failure of a cluster was not noted", &e);
    else
        memcpy(r->failure, text, sizeof text);
}

/* Failures of MetaDB are not the cluster's: they are logged and the look comes again. */
static void look(struct watcher *r)
{
    struct look seen;
    struct arena arena;
    struct err e = { 0 };
    int rv;

    arena_init(&arena);
    rv = ask(r, &arena, &seen, &e);
    if (rv != 0 && !err_is(&e, &ERR_CANCELLED) && !err_is(&e, &ERR_BUSY) && !err_is(&e, &ERR_NOMEM)) {
        note_failure(r, &e);
    } else if (rv == 0) {
        rv = keep(r, &seen, &arena, &e);
        take_endpoints(r, &seen);
        if (rv == 0)
            answered(r);
        else
            not_kept(r, "what was seen of a cluster was not kept", &e);
    }
    arena_fini(&arena);
}

/* --- watchers ----------------------------------------------------------------------------------------------------------------- */

static void watcher_free(struct watcher *r)
{
    struct watcher **at = &r->watch->watchers;

    while (*at != r)
        at = &(*at)->next_watcher;
    *at = r->next_watcher;
    leave(r->watch, &r->lease);
    arena_fini(&r->next_arena);
    arena_fini(&r->row_arena);
    arena_fini(&r->former_arena);
    mem_free(r);
}

static void watcher_main(void *data)
{
    struct watcher *r = data;

    while (is_ours(r)) {
        int64_t former = fiber_narrow_deadline(CALL_MS);

        take_row(r);
        look(r);
        fiber_restore_deadline(former);
        if (!rest(&r->wake, pause_ms(r)))
            break;
    }
    link_forget(r->watch->o, r->row.id);
    watcher_free(r);
}

/* A copy of what a look needs. */
static int copy_row(const struct obcluster *c, struct arena *arena, struct obcluster *out)
{
    const char **texts[] = { &out->name, &out->engine, &out->type, &out->address, &out->connection_mode, &out->username, &out->instance,
                             &out->version, &out->full_version, &out->architecture, &out->creator_name, &out->endpoints,
                             &out->failure };

    *out = *c;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = arena_strdup(arena, *texts[i]);
        if (*texts[i] == NULL)
            return ERR_NOMEM.code;
    }
    out->password.s = arena_strndup(arena, c->password.s, c->password.n);
    out->proxyro_password = (struct slice){ NULL, 0 };
    return out->password.s != NULL ? 0 : ERR_NOMEM.code;
}

static void offer_row(struct watcher *r, const struct obcluster *c)
{
    bool is_new = c->password_version != r->row.password_version || c->status != r->row.status;

    r->next.id = 0;
    arena_fini(&r->next_arena);
    if (copy_row(c, &r->next_arena, &r->next) != 0)
        r->next.id = 0; /* the row of before serves until memory is there */
    if (is_new && r->failures > 0)
        waitlist_wake_all(&r->wake);
}

static struct watcher *find_watcher(struct watch *w, int64_t id)
{
    struct watcher *r = w->watchers;

    while (r != NULL && (r->row.id != id || r->gone))
        r = r->next_watcher;
    return r;
}

static int start_watcher(struct watch *w, const struct obcluster *c, const struct look_lease *lease, struct err *e)
{
    struct watcher *r = mem_zalloc(sizeof *r);
    int rv;

    if (r == NULL) {
        leave(w, lease);
        return err_set(e, &ERR_NOMEM, "");
    }
    r->watch = w;
    r->lease = *lease;
    r->written_ms = INT64_MIN;
    r->wanted = true;
    r->row.id = c->id;
    r->row.password_version = c->password_version;
    r->row.status = c->status;
    log_child(&r->log, &w->o->log, "cluster", c->name);
    (void)strncpy(r->failure, c->failure, sizeof r->failure - 1);
    r->next_watcher = w->watchers;
    w->watchers = r;
    if (copy_row(c, &r->next_arena, &r->next) != 0) {
        watcher_free(r);
        return err_set(e, &ERR_NOMEM, "");
    }
    rv = fiber_start(w->loop, "watch", watcher_main, r, &r->fiber, e);
    if (rv != 0)
        watcher_free(r);
    return rv;
}

static int take_in(struct watch *w, const struct obcluster *c, struct err *e)
{
    struct watcher *r = find_watcher(w, c->id);
    struct look_lease lease;

    if (r != NULL && is_ours(r)) {
        r->wanted = true;
        offer_row(r, c);
        return 0;
    }
    return enter(w, c->id, &lease) ? start_watcher(w, c, &lease, e) : 0;
}

static void end_watcher(struct watcher *r)
{
    if (r->gone)
        return;
    r->gone = true;
    fiber_cancel(r->fiber);
}

static void let_go(struct watch *w)
{
    for (struct watcher *r = w->watchers; r != NULL; r = r->next_watcher)
        if (!r->wanted)
            end_watcher(r);
}

/* --- guard -------------------------------------------------------------------------------------------------------------------- */

static int read_set(struct watch *w, struct err *e)
{
    struct obcluster_filter running = { .statuses = 1u << OBCLUSTER_RUNNING };
    struct obcluster *c;
    struct arena arena;
    size_t n = 0;
    int rv;

    arena_init(&arena);
    rv = store_obcluster_list(w->db, &running, NULL, &arena, &c, &n, NULL, e);
    for (struct watcher *r = w->watchers; rv == 0 && r != NULL; r = r->next_watcher)
        r->wanted = false;
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = take_in(w, &c[i], e);
    if (rv == 0)
        let_go(w);
    arena_fini(&arena);
    return rv;
}

static void report(struct watch *w, int rv, const struct err *e)
{
    if (rv != 0 && !w->failing && !err_is(e, &ERR_CANCELLED))
        log_warn(&w->o->log, "the list of clusters cannot be read", LOG_E(e));
    if (rv == 0 && w->failing)
        log_info(&w->o->log, "the list of clusters can be read again");
    w->failing = rv != 0;
}

static void guard_main(void *data)
{
    struct watch *w = data;
    int64_t interval;

    do {
        int64_t former = fiber_narrow_deadline(CALL_MS);
        struct err e = { 0 };
        int rv = read_set(w, &e);

        fiber_restore_deadline(former);
        report(w, rv, &e);
        interval = obclusters_interval_ms(w->o);
    } while (rest(&w->wake, jittered(w, interval < GUARD_MS ? interval : GUARD_MS)));
}

/* --- from outside ------------------------------------------------------------------------------------------------------------- */

/* Other shards are this node's now. */
static void on_leases_changed(void *data)
{
    struct watch *w = data;

    for (struct watcher *r = w->watchers; r != NULL; r = r->next_watcher)
        if (!is_ours(r))
            end_watcher(r);
    waitlist_wake_all(&w->wake);
}

/* Somebody has changed something about a cluster of ours: its row is read anew, and if it fails it is looked at. */
static void on_kicked(unsigned shard, void *data)
{
    struct watch *w = data;

    waitlist_wake_all(&w->wake);
    for (struct watcher *r = w->watchers; r != NULL; r = r->next_watcher)
        if (r->lease.shard == shard && r->failures > 0)
            waitlist_wake_all(&r->wake);
}

/* From loop_free: all fibers have ended. */
static void on_close(struct loop_local *local)
{
    struct watch *w = (struct watch *)local;

    (void)pthread_mutex_lock(&w->o->lock);
    w->o->watch = NULL;
    (void)pthread_mutex_unlock(&w->o->lock);
    mem_free(w);
}

int obclusters_watch(struct obclusters *o, struct db *d, uint64_t seed, struct err *e)
{
    struct watch *w = mem_zalloc(sizeof *w);
    int rv;

    if (w == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *w = (struct watch){ .local = { .key = &watch_key, .close = on_close }, .o = o, .db = d, .loop = loop_current(), .random = seed | 1 };
    rv = fiber_start(w->loop, "watch-guard", guard_main, w, NULL, e);
    if (rv != 0) {
        mem_free(w);
        return rv;
    }
    loop_add_local(w->loop, &w->local);
    w->user = (struct leases_user){ .changed = on_leases_changed, .kicked = on_kicked, .data = w };
    if (o->conf.leases != NULL)
        leases_add_user(o->conf.leases, &w->user);
    (void)pthread_mutex_lock(&o->lock);
    o->watch = w;
    (void)pthread_mutex_unlock(&o->lock);
    return 0;
}

struct nudge {
    struct loop_post post;
    struct watch *watch;
    unsigned shard;
};

static void on_nudge(struct loop_post *post)
{
    struct nudge *n = (struct nudge *)post;

    if (n->watch->o->conf.leases != NULL)
        leases_kick(n->watch->o->conf.leases, n->shard);
    else
        on_kicked(n->shard, n->watch);
    mem_free(n);
}

void obclusters_look_soon(struct obclusters *o, int64_t cluster_id)
{
    struct nudge *n = mem_zalloc(sizeof *n);
    struct watch *watch;

    if (n == NULL)
        return; /* the next look comes by itself */
    (void)pthread_mutex_lock(&o->lock);
    watch = o->watch;
    n->watch = watch;
    n->shard = leasing_shard(cluster_id);
    n->post.fn = on_nudge;
    if (watch != NULL)
        loop_post(watch->loop, &n->post); /* from here on it is the loop's */
    (void)pthread_mutex_unlock(&o->lock);
    if (watch == NULL)
        mem_free(n);
}

bool obcluster_is_stale(struct obclusters *o, const struct obcluster *c)
{
    int64_t allowed_us = STALE_US + 3000 * obclusters_interval_ms(o);

    if (c->failure[0] != '\0')
        return true;
    return c->seen_us == FIELD_NONE || clock_wall_us(o->conf.clock) - c->seen_us > allowed_us;
}

#define EACH_MINUTE "0 * * * * *"
const struct schedule obcluster_schedules[] = {
    { "sync-clusters", "Sync all cluster info", "Reads version, zones, servers, units and capacity of every managed cluster.", EACH_MINUTE, 0, NULL },
    { "check-clusters", "Check all cluster status", "Sees that every managed cluster answers.", EACH_MINUTE, 0, NULL },
    { "sync-root-services", "Sync root service list", "Reads on which servers the root service of every managed cluster runs; the config URL tells it.",
      "0 */2 * * * ?", 0, NULL },
    { "sync-tenants", "Sync tenant information", "Reads the tenants of every managed cluster.", "30 0/1 * * * ?", 0, NULL },
    { .name = NULL },
};

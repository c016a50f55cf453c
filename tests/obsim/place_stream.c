/* SPDX-License-Identifier: Apache-2.0 */
/* A user tenant has log stream 1 and one more for each unit group; sys and meta tenants have log stream 1 only. A stream has a replica in
 * each zone of the locality, on the unit of its group there (log stream 1: of the first group). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/base/num.h"
#include "tests/obsim/place.h"

struct sim_pool *place_pool_of(struct sim_cluster *c, int64_t tenant_id, const char *zone)
{
    for (size_t i = 0; i < c->pools.n; i++) {
        struct sim_pool *p = c->pools.items[i];

        for (size_t k = 0; p->tenant_id == tenant_id && k < p->zones.n; k++)
            if (strcasecmp(p->zones.items[k]->s, zone) == 0)
                return p;
    }
    return NULL;
}

/* --- unit groups -------------------------------------------------------------------------------------------------------------- */

/* The groups of the tenant in use, in ascending order. */
enum { MAX_GROUPS = 64 };
static size_t groups_of(struct sim_cluster *c, int64_t tenant_id, int64_t groups[MAX_GROUPS])
{
    size_t n = 0;

    for (size_t i = 0; i < c->units.n; i++) {
        const struct sim_unit *u = c->units.items[i];
        const struct sim_pool *p = sim_pool_get(c, u->pool_id);
        size_t at = 0;

        if (p->tenant_id != tenant_id || u->group_id == 0 || u->is_deleting)
            continue;
        while (at < n && groups[at] < u->group_id)
            at++;
        if (n == MAX_GROUPS || (at < n && groups[at] == u->group_id))
            continue;
        memmove(groups + at + 1, groups + at, (n - at) * sizeof *groups);
        groups[at] = u->group_id;
        n++;
    }
    return n;
}

static bool has_group(struct sim_cluster *c, const struct sim_pool *pool, const char *zone, int64_t group)
{
    for (size_t i = 0; i < c->units.n; i++) {
        const struct sim_unit *u = c->units.items[i];

        if (u->pool_id == pool->id && u->group_id == group && strcasecmp(u->zone, zone) == 0)
            return true;
    }
    return false;
}

void place_grant(struct sim_cluster *c, struct sim_pool *pool, struct sim_tenant *t)
{
    int64_t groups[MAX_GROUPS];

    pool->tenant_id = t->id;
    pool->modified_us = c->now_us;
    for (size_t i = 0; i < c->units.n; i++) {
        struct sim_unit *u = c->units.items[i];
        size_t n, at = 0;

        if (u->pool_id != pool->id || u->group_id != 0)
            continue;
        n = groups_of(c, t->id, groups);
        while (at < n && has_group(c, pool, u->zone, groups[at]))
            at++;
        u->group_id = at < n ? groups[at] : c->next_group++;
        u->modified_us = c->now_us;
    }
}

void place_revoke(struct sim_cluster *c, struct sim_pool *pool)
{
    pool->tenant_id = 0;
    pool->modified_us = c->now_us;
    for (size_t i = c->units.n; i-- > 0;) {
        struct sim_unit *u = c->units.items[i];

        if (u->pool_id != pool->id)
            continue;
        if (u->is_deleting) {
            sim_remove(&c->units, i);
            continue;
        }
        u->group_id = 0;
        u->modified_us = c->now_us;
    }
}

/* --- locality and primary zone ---------------------------------------------------------------------------------------------------- */

static bool read_type(struct slice text, const char **name)
{
    static const struct {
        const char *given, *printed;
    } types[] = { { "F", "FULL" }, { "FULL", "FULL" }, { "R", "READONLY" }, { "READONLY", "READONLY" }, { "C", "COLUMNSTORE" },
                  { "COLUMNSTORE", "COLUMNSTORE" } };
    size_t n = 0;

    while (n < text.n && text.s[n] != '{')
        n++;
    if (n < text.n && !slice_is((struct slice){ text.s + n, text.n - n }, "{1}"))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_is_nocase((struct slice){ text.s, n }, types[i].given)) {
            *name = types[i].printed;
            return true;
        }
    return false;
}

bool place_locality_read(struct slice text, struct str *out)
{
    enum { MAX_ZONES = 32 };
    struct slice rest = slice_trim(text);

    for (int n = 0; rest.n > 0; n++) {
        struct slice zone = slice_trim(slice_cut(&rest, ',')), type = slice_trim(slice_cut(&zone, '@'));
        const char *name;

        zone = slice_trim(zone);
        if (n == MAX_ZONES || zone.n == 0 || zone.n >= SIM_NAME || !read_type(type, &name))
            return false;
        str_printf(out, "%s%s{1}@%.*s", out->n > 0 ? ", " : "", name, SLICE_FMT(zone));
        rest = slice_trim(rest);
    }
    return out->n > 0;
}

char place_locality_type(const char *locality, const char *zone)
{
    struct slice rest = sim_slice(locality);

    while (rest.n > 0) {
        struct slice name = slice_trim(slice_cut(&rest, ',')), type = slice_cut(&name, '@');

        if (slice_is_nocase(name, zone))
            return type.s[0];
    }
    return '\0';
}

int place_zone_rank(const char *primary_zone, const char *zone)
{
    struct slice rest = sim_slice(primary_zone);
    int rank = 0;

    if (rest.n == 0 || slice_is_nocase(rest, "RANDOM"))
        return 0;
    for (; rest.n > 0; rank++) {
        struct slice equals = slice_cut(&rest, ';');

        while (equals.n > 0)
            if (slice_is_nocase(slice_trim(slice_cut(&equals, ',')), zone))
                return rank;
    }
    return rank;
}

/* --- replicas ---------------------------------------------------------------------------------------------------------------- */

static const struct sim_unit *unit_of(struct sim_cluster *c, int64_t tenant_id, const char *zone, int64_t group)
{
    for (size_t i = 0; i < c->units.n; i++) {
        const struct sim_unit *u = c->units.items[i];

        if (u->group_id == group && strcasecmp(u->zone, zone) == 0 && sim_pool_get(c, u->pool_id)->tenant_id == tenant_id)
            return u;
    }
    return NULL;
}

static struct sim_replica *replica_on(struct sim_ls *ls, int64_t server_id)
{
    for (size_t i = 0; i < ls->replicas.n; i++)
        if (ls->replicas.items[i]->server_id == server_id)
            return ls->replicas.items[i];
    return NULL;
}

/* Replicas where the units of the group are, and nowhere else; those that stay keep their role. */
static void place_replicas(struct sim_cluster *c, struct sim_ls *ls, int64_t owner, int64_t group, const char *locality)
{
    bool wanted[64] = { false };

    for (size_t z = 0; z < c->zones.n; z++) {
        const char *zone = c->zones.items[z]->name;
        char type = place_locality_type(locality, zone);
        const struct sim_unit *u = type != '\0' ? unit_of(c, owner, zone, group) : NULL;
        struct sim_replica *r = u != NULL ? replica_on(ls, u->server_id) : NULL;

        if (u == NULL || ls->replicas.n == 64)
            continue;
        if (r == NULL) {
            r = sim_push(&ls->replicas);
            r->server_id = u->server_id;
            r->in_sync = true;
        }
        r->type = type;
        for (size_t i = 0; i < ls->replicas.n; i++)
            if (ls->replicas.items[i] == r)
                wanted[i] = true;
    }
    for (size_t i = ls->replicas.n; i-- > 0;)
        if (!wanted[i])
            sim_remove(&ls->replicas, i);
}

static struct sim_ls *stream_of(struct sim_cluster *c, struct sim_tenant *t, int64_t id, int64_t group)
{
    struct sim_ls *ls;

    for (size_t i = 0; i < t->streams.n; i++)
        if (id != 0 ? t->streams.items[i]->id == id : t->streams.items[i]->group_id == group)
            return t->streams.items[i];
    ls = sim_push(&t->streams);
    ls->id = id != 0 ? id : t->next_ls++;
    ls->group_id = id != 0 ? 0 : group;
    ls->proposal = 1;
    ls->created_us = c->now_us;
    return ls;
}

static void free_stream(struct sim_tenant *t, size_t i)
{
    struct sim_ls *ls = t->streams.items[i];

    sim_clear(&ls->replicas);
    mem_free(ls->primary_zone);
    sim_remove(&t->streams, i);
}

static void place_own(struct sim_cluster *c, struct sim_tenant *t, int64_t owner, const int64_t *groups, size_t n)
{
    place_replicas(c, stream_of(c, t, 1, 0), owner, groups[0], t->locality);
    for (size_t i = 0; i < n && t->type == SIM_TENANT_USER; i++)
        place_replicas(c, stream_of(c, t, 0, groups[i]), owner, groups[i], t->locality);
    for (size_t i = t->streams.n; i-- > 0;) {
        bool is_wanted = t->streams.items[i]->id == 1;

        for (size_t k = 0; k < n && !is_wanted; k++)
            is_wanted = groups[k] == t->streams.items[i]->group_id;
        if (!is_wanted)
            free_stream(t, i);
    }
}

/* --- leaders ----------------------------------------------------------------------------------------------------------------- */

static size_t voters(const struct sim_cluster *c, const struct sim_ls *ls, bool only_alive)
{
    size_t n = 0;

    for (size_t i = 0; i < ls->replicas.n; i++) {
        const struct sim_replica *r = ls->replicas.items[i];
        const struct sim_server *s = sim_server_find((struct sim_cluster *)c, r->server_id);

        n += r->type == 'F' && (!only_alive || (s != NULL && s->is_alive && s->status != SIM_SERVER_INACTIVE));
    }
    return n;
}

/* Is `a` a better leader than `b`? Zones of a higher priority first, then the present one, then by turns. */
static bool is_better(struct sim_cluster *c, const struct sim_ls *ls, const char *primary_zone, size_t a, size_t b)
{
    const struct sim_replica *ra = ls->replicas.items[a], *rb = ls->replicas.items[b];
    int rank_a = place_zone_rank(primary_zone, sim_server_find(c, ra->server_id)->zone);
    int rank_b = place_zone_rank(primary_zone, sim_server_find(c, rb->server_id)->zone);
    size_t turn = (size_t)ls->id % ls->replicas.n, n = ls->replicas.n;

    if (rank_a != rank_b)
        return rank_a < rank_b;
    if (ra->is_leader != rb->is_leader)
        return ra->is_leader;
    return (a + n - turn) % n < (b + n - turn) % n;
}

static void elect(struct sim_cluster *c, const struct sim_tenant *t, struct sim_ls *ls)
{
    bool has_majority = 2 * voters(c, ls, true) > voters(c, ls, false);
    const char *primary_zone = sim_c(t->primary_zone);
    int64_t old = sim_ls_leader(ls), new = 0;
    size_t best = ls->replicas.n;

    for (size_t i = 0; has_majority && i < ls->replicas.n; i++) {
        const struct sim_replica *r = ls->replicas.items[i];
        const struct sim_server *s = sim_server_find(c, r->server_id);

        if (r->type == 'F' && s != NULL && sim_server_serves(c, s) && (best == ls->replicas.n || is_better(c, ls, primary_zone, i, best)))
            best = i;
    }
    for (size_t i = 0; i < ls->replicas.n; i++) {
        ls->replicas.items[i]->is_leader = i == best;
        if (i == best)
            new = ls->replicas.items[i]->server_id;
    }
    sim_text(&ls->primary_zone, sim_slice(primary_zone));
    if (new != 0 && new != old)
        ls->proposal++;
}

static void elect_all(struct sim_cluster *c, struct sim_tenant *t)
{
    for (size_t k = 0; k < t->streams.n; k++) {
        struct sim_ls *ls = t->streams.items[k];

        for (size_t r = 0; r < ls->replicas.n; r++) {
            const struct sim_server *s = sim_server_find(c, ls->replicas.items[r]->server_id);

            ls->replicas.items[r]->in_sync = s != NULL && s->is_alive && s->status != SIM_SERVER_INACTIVE;
        }
        elect(c, t, ls);
    }
}

void place_leaders(struct sim_cluster *c)
{
    for (size_t i = 0; i < c->tenants.n; i++)
        elect_all(c, c->tenants.items[i]);
}

void place_streams(struct sim_cluster *c, struct sim_tenant *t)
{
    struct sim_tenant *meta = t->type == SIM_TENANT_USER ? sim_tenant_get(c, t->id - 1) : NULL;
    int64_t groups[MAX_GROUPS];
    size_t n = groups_of(c, t->id, groups);

    if (n == 0)
        return;
    place_own(c, t, t->id, groups, n);
    if (meta != NULL)
        place_own(c, meta, t->id, groups, 1);
    elect_all(c, t);
    if (meta != NULL)
        elect_all(c, meta);
}

/* --- stopping ----------------------------------------------------------------------------------------------------------------- */

static bool is_among(struct sim_server *const *servers, size_t n, const struct sim_server *s)
{
    for (size_t i = 0; i < n; i++)
        if (servers[i] == s)
            return true;
    return false;
}

/* Another zone in which something is stopped already: zones stop one at a time. */
static bool another_stopped(struct sim_cluster *c, const char *zone, struct place_error *e)
{
    e->number = 4660;
    (void)snprintf(e->text, sizeof e->text, "cannot stop server or stop zone in multiple zones");
    for (size_t i = 0; i < c->zones.n; i++)
        if (!c->zones.items[i]->is_active && strcasecmp(c->zones.items[i]->name, zone) != 0)
            return true;
    for (size_t i = 0; i < c->servers.n; i++) {
        const struct sim_server *s = c->servers.items[i];

        if (s->is_member && s->stop_us != 0 && strcasecmp(s->zone, zone) != 0)
            return true;
    }
    return false;
}

static bool stream_survives(struct sim_cluster *c, const struct sim_tenant *t, const struct sim_ls *ls, struct sim_server *const *servers,
                            size_t n, bool checks_log, struct place_error *e)
{
    size_t all = 0, left = 0;

    for (size_t i = 0; i < ls->replicas.n; i++) {
        const struct sim_replica *r = ls->replicas.items[i];
        const struct sim_server *s = sim_server_find(c, r->server_id);
        bool stays = s != NULL && s->is_alive && s->status != SIM_SERVER_INACTIVE && !is_among(servers, n, s);

        if (r->type != 'F')
            continue;
        all++;
        left += stays;
        if (stays && checks_log && !r->in_sync) {
            (void)snprintf(e->text, sizeof e->text, "Tenant(%lld) LS(%lld) log not sync, stop server not allowed", (long long)t->id,
                           (long long)ls->id);
            return false;
        }
    }
    if (sim_ls_leader(ls) == 0 || 2 * left <= all) {
        (void)snprintf(e->text, sizeof e->text, "Tenant(%lld) LS(%lld) has %s, stop server not allowed", (long long)t->id, (long long)ls->id,
                       sim_ls_leader(ls) == 0 ? "no leader" : "no enough valid paxos member after stop server");
        return false;
    }
    return true;
}

static bool all_survive(struct sim_cluster *c, struct sim_server *const *servers, size_t n, bool checks_log, struct place_error *e)
{
    e->number = 4179;
    for (size_t i = 0; i < c->tenants.n; i++)
        for (size_t k = 0; k < c->tenants.items[i]->streams.n; k++)
            if (!stream_survives(c, c->tenants.items[i], c->tenants.items[i]->streams.items[k], servers, n, checks_log, e))
                return false;
    return true;
}

bool place_may_stop(struct sim_cluster *c, struct sim_server *const *servers, size_t n, const char *zone, enum place_stop how,
                    struct place_error *e)
{
    size_t others = 0;

    e->number = 4179;
    for (size_t i = 0; i < c->zones.n; i++)
        others += c->zones.items[i]->is_active && strcasecmp(c->zones.items[i]->name, zone) != 0;
    if (others == 0) {
        (void)snprintf(e->text, sizeof e->text, "stop the last active zone not allowed");
        return false;
    }
    if (how == PLACE_ISOLATE)
        return true;
    return !another_stopped(c, zone, e) && all_survive(c, servers, n, how == PLACE_STOP, e);
}

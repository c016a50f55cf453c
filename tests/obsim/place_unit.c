/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/place.h"

static bool is_in(const struct sim_server *s, const char *zone)
{
    return s->is_member && strcasecmp(s->zone, zone) == 0;
}

/* Units that count against the pool on a server: its own, and those of its tenant's other pools. */
static bool has_sibling(struct sim_cluster *c, const struct sim_server *s, const struct sim_pool *pool)
{
    for (size_t i = 0; i < c->units.n; i++) {
        const struct sim_unit *u = c->units.items[i];
        const struct sim_pool *other;

        if (u->server_id != s->id && u->migrate_from != s->id)
            continue;
        other = sim_pool_get(c, u->pool_id);
        if (u->pool_id == pool->id || (pool->tenant_id != 0 && other->tenant_id == pool->tenant_id))
            return true;
    }
    return false;
}

static double hard_limit(struct sim_cluster *c)
{
    const char *text = sim_parameter_value(c, sim_parameter_find(SLICE("resource_hard_limit")), NULL, NULL);

    return strtod(text, NULL) / 100;
}

static const char *shortage(struct sim_cluster *c, const struct sim_server *s, struct sim_capacity used, const struct sim_unit_config *u)
{
    if (used.cpu + u->max_cpu > s->capacity.cpu * hard_limit(c) + 1e-9)
        return "CPU";
    if (used.memory + u->memory > s->capacity.memory)
        return "MEMORY";
    return used.log_disk + u->log_disk > s->capacity.log_disk ? "LOG_DISK" : NULL;
}

bool place_fits(struct sim_cluster *c, const struct sim_server *s, const struct sim_pool *pool, const char **why)
{
    *why = NULL;
    if (s->status != SIM_SERVER_ACTIVE || !s->is_alive || has_sibling(c, s, pool))
        return false;
    *why = shortage(c, s, sim_server_assigned(c, s), sim_config_get(c, pool->config_id));
    return *why == NULL;
}

/* The one with most cores left. `usable` counts those that could take one if they had room. */
static struct sim_server *choose(struct sim_cluster *c, const struct sim_pool *pool, const char *zone, int *usable, struct place_error *e)
{
    struct sim_server *best = NULL;
    double most = -1;

    *usable = 0;
    for (size_t i = 0; i < c->servers.n; i++) {
        struct sim_server *s = c->servers.items[i];
        const char *why;
        double left;

        if (!is_in(s, zone))
            continue;
        left = s->capacity.cpu - sim_server_assigned(c, s).cpu;
        if (place_fits(c, s, pool, &why) && left > most) {
            best = s;
            most = left;
        } else if (why != NULL) {
            (*usable)++;
            (void)snprintf(e->text, sizeof e->text,
                           "zone '%s' resource not enough to hold 1 unit. You can check resource info by views: DBA_OB_UNITS, GV$OB_UNITS, "
                           "GV$OB_SERVERS. server '\"%s:%d\"' %s resource not enough",
                           zone, s->ip, s->rpc_port, why);
        }
    }
    return best;
}

bool place_units(struct sim_cluster *c, struct sim_pool *pool, const char *zone, int n, struct place_error *e)
{
    size_t before = c->units.n;

    for (int i = 0; i < n; i++) {
        int usable;
        struct sim_server *s = choose(c, pool, zone, &usable, e);
        struct sim_unit *u;

        if (s == NULL) {
            e->number = usable > 0 ? 4733 : 4734;
            if (usable == 0)
                (void)snprintf(e->text, sizeof e->text, "zone '%s' server not enough to hold %d unit(s). You can check server status by view "
                               "DBA_OB_SERVERS", zone, n);
            while (c->units.n > before)
                sim_remove(&c->units, c->units.n - 1);
            return false;
        }
        u = sim_push(&c->units);
        u->id = c->next_unit++;
        u->pool_id = pool->id;
        sim_name(u->zone, sim_slice(s->zone));
        u->server_id = s->id;
        u->created_us = u->modified_us = c->now_us;
    }
    return true;
}

bool place_config_fits(struct sim_cluster *c, const struct sim_unit_config *old, const struct sim_unit_config *wanted, struct place_error *e)
{
    for (size_t i = 0; i < c->servers.n; i++) {
        struct sim_server *s = c->servers.items[i];
        struct sim_capacity used = sim_server_assigned(c, s);
        const char *why = NULL;

        for (size_t k = 0; k < c->units.n && why == NULL; k++) {
            const struct sim_unit *u = c->units.items[k];

            if (u->server_id != s->id || sim_pool_get(c, u->pool_id)->config_id != old->id)
                continue;
            used = (struct sim_capacity){ used.cpu - old->max_cpu, used.memory - old->memory, used.log_disk - old->log_disk, 0 };
            why = shortage(c, s, used, wanted);
            used = (struct sim_capacity){ used.cpu + wanted->max_cpu, used.memory + wanted->memory, used.log_disk + wanted->log_disk, 0 };
        }
        if (why == NULL)
            continue;
        e->number = 4733;
        (void)snprintf(e->text, sizeof e->text,
                       "zone '%s' resource not enough to hold 1 unit. You can check resource info by views: DBA_OB_UNITS, GV$OB_UNITS, "
                       "GV$OB_SERVERS. server '\"%s:%d\"' %s resource not enough",
                       s->zone, s->ip, s->rpc_port, why);
        return false;
    }
    return true;
}

struct sim_server *place_refuge(struct sim_cluster *c, const struct sim_unit *u)
{
    struct place_error ignored;
    int usable;

    return choose(c, sim_pool_get(c, u->pool_id), u->zone, &usable, &ignored);
}

void place_move(struct sim_cluster *c, struct sim_unit *u, struct sim_server *to, bool is_manual, struct slice sql)
{
    struct sim_job *j = sim_job_start(c, SIM_JOB_UNIT, "MIGRATE_UNIT", sql);
    char number[32];

    j->unit_id = u->id;
    j->tenant_id = sim_pool_get(c, u->pool_id)->tenant_id;
    j->server_id = to->id;
    u->migrate_from = u->server_id;
    u->server_id = to->id;
    u->is_manual = is_manual;
    u->modified_us = c->now_us;
    sim_schedule(c, SIM_STEP_UNIT_MIGRATE, u->id)->other = j->id;
    (void)snprintf(number, sizeof number, "%lld", (long long)u->id);
    sim_note(c, "unit", "migrate_unit", "unit_id", number, "destination", to->ip, NULL);
}

void place_remove_units(struct sim_cluster *c, int64_t pool_id, const char *zone)
{
    for (size_t i = c->units.n; i-- > 0;) {
        const struct sim_unit *u = c->units.items[i];

        if (u->pool_id == pool_id && (zone == NULL || strcasecmp(u->zone, zone) == 0))
            sim_remove(&c->units, i);
    }
}

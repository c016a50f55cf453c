/* SPDX-License-Identifier: Apache-2.0 */
/* A whole cluster, made at rest. */
#include <stdio.h>

#include "tests/obsim/build.h"
#include "tests/obsim/like.h"
#include "tests/obsim/place.h"

#define GIB (INT64_C(1) << 30)

static struct sim_unit_config *first_config(struct sim_cluster *c, const char *name, double cpu, int64_t memory)
{
    struct sim_unit_config *u = sim_push(&c->configs);

    u->id = c->next_config++;
    sim_name(u->name, sim_slice(name));
    u->max_cpu = u->min_cpu = cpu;
    u->memory = memory;
    u->log_disk = 3 * memory;
    u->max_iops = u->min_iops = INT64_MAX;
    u->iops_weight = (int64_t)cpu;
    u->created_us = u->modified_us = c->now_us;
    return u;
}

static void first_servers(struct sim_cluster *c, const struct sim_cluster_conf *conf)
{
    static const struct sim_capacity usual = { 16, 32 * GIB, 96 * GIB, 256 * GIB };

    for (unsigned z = 1; z <= (conf->zones > 0 ? conf->zones : 1); z++) {
        struct sim_zone *zone;
        char name[32], idc[32];

        (void)snprintf(name, sizeof name, "zone%u", z);
        (void)snprintf(idc, sizeof idc, "idc%u", z);
        zone = build_zone(c, name, "region1", idc, true);
        for (unsigned k = 1; k <= (conf->servers > 0 ? conf->servers : 1); k++) {
            struct sim_server *s = sim_push(&c->servers);

            s->id = c->next_server++;
            (void)snprintf(s->ip, sizeof s->ip, "%s.%u.%u", conf->network != NULL ? conf->network : "10.0", z, k);
            s->rpc_port = conf->rpc_port > 0 ? conf->rpc_port : 2882;
            s->sql_port = conf->sql_port > 0 ? conf->sql_port : 2881;
            sim_name(s->zone, sim_slice(zone->name));
            s->is_member = s->is_alive = true;
            s->status = SIM_SERVER_ACTIVE;
            s->start_service_us = s->created_us = s->modified_us = c->now_us;
            s->minor_freeze_us = c->now_us;
            (void)snprintf(s->build_version, sizeof s->build_version, "%s_%s", c->version, c->build);
            s->capacity = conf->capacity.cpu > 0 ? conf->capacity : usual;
        }
    }
}

/* A pool over all zones for the tenant, a unit in each, and its log streams. */
static void settle(struct sim_cluster *c, struct sim_tenant *t, const char *pool, int64_t config)
{
    struct sim_pool *p = build_pool(c, pool, config, 1);
    struct place_error ignored;
    struct str locality;

    str_init(&locality, NULL);
    for (size_t i = 0; i < c->zones.n; i++) {
        build_pool_zone(p, c->zones.items[i]->name);
        (void)place_units(c, p, c->zones.items[i]->name, 1, &ignored); /* a tenant without room has no replica there */
        str_printf(&locality, "%sFULL{1}@%s", i > 0 ? ", " : "", c->zones.items[i]->name);
    }
    sim_text(&t->locality, sim_slice(str_c(&locality)));
    if (t->type == SIM_TENANT_USER)
        sim_text(&sim_tenant_get(c, t->id - 1)->locality, sim_slice(str_c(&locality)));
    str_fini(&locality);
    place_grant(c, p, t);
    t->status = SIM_TENANT_NORMAL;
    if (t->type == SIM_TENANT_USER)
        sim_tenant_get(c, t->id - 1)->status = SIM_TENANT_NORMAL;
    place_streams(c, t);
}

/* Half of the smallest server, when that is less than what sys likes to have. */
static int64_t sys_memory(const struct sim_cluster *c)
{
    int64_t memory = 2 * GIB;

    for (size_t i = 0; i < c->servers.n; i++)
        if (c->servers.items[i]->is_member && c->servers.items[i]->capacity.memory / 2 < memory)
            memory = c->servers.items[i]->capacity.memory / 2;
    return memory > GIB ? memory : GIB;
}

static void settle_sys(struct sim_cluster *c)
{
    struct sim_tenant *sys = sim_tenant_get(c, 1);

    if (sys == NULL)
        sys = build_tenant(c, "sys", SIM_TENANT_SYS, false);
    settle(c, sys, "sys_pool", first_config(c, "sys_unit_config", 1, sys_memory(c))->id);
    c->next_config = c->next_pool = c->next_unit = c->next_group = 1001;
}

static void first_tenants(struct sim_cluster *c, const struct sim_cluster_conf *conf)
{
    struct sim_unit_config *user;

    if (conf->tenants + conf->oracle_tenants == 0)
        return;
    user = first_config(c, "unit1", 1, 2 * GIB);
    for (unsigned i = 0; i < conf->tenants + conf->oracle_tenants; i++) {
        bool is_oracle = i >= conf->tenants;
        char name[32], pool[64];

        (void)snprintf(name, sizeof name, "%s%u", is_oracle ? "oracle" : "tenant", is_oracle ? i - conf->tenants + 1 : i + 1);
        (void)snprintf(pool, sizeof pool, "pool_%s", name);
        settle(c, build_tenant(c, name, SIM_TENANT_USER, is_oracle), pool, user->id);
    }
}

/* What all clusters have, with or without servers. */
static void begin(struct sim_cluster *c)
{
    char id[32];

    c->created_us = c->now_us;
    c->next_server = c->next_config = c->next_pool = c->next_unit = c->next_group = c->next_job = c->next_client = 1;
    c->next_tenant = 1001;
    (void)snprintf(id, sizeof id, "%lld", (long long)c->id);
    sim_values_set(&c->parameters, "cluster", sim_slice(c->name), c->now_us);
    sim_values_set(&c->parameters, "cluster_id", sim_slice(id), c->now_us);
    sim_values_set(&c->parameters, "min_observer_version", sim_slice(c->version), c->now_us);
    sim_values_set(&c->parameters, "__min_full_resource_pool_memory", SLICE("1G"), c->now_us);
}

static struct sim_cluster *empty(const struct sim_cluster_conf *conf)
{
    static const char usual[] = "100000102023092807-7b0f43693565654bb1d7343f728bc2013dfff959(Sep 28 2023 07:25:28)";
    struct sim_cluster *c = sim_alloc(sizeof *c);

    sim_name(c->name, sim_slice(conf->name != NULL ? conf->name : "obcluster"));
    c->id = conf->id != 0 ? conf->id : 1;
    sim_short(c->version, sizeof c->version, sim_slice(conf->version != NULL ? conf->version : "4.2.1.0"));
    sim_name(c->build, sim_slice(conf->build != NULL ? conf->build : usual));
    c->is_enterprise = conf->is_enterprise || conf->oracle_tenants > 0;
    c->now_us = conf->now_us;
    c->random = conf->seed;
    c->min_delay_us = conf->max_delay_us > 0 ? conf->min_delay_us : 200000;
    c->max_delay_us = conf->max_delay_us > 0 ? conf->max_delay_us : 1000000;
    begin(c);
    return c;
}

struct sim_cluster *sim_cluster_new(const struct sim_cluster_conf *conf)
{
    struct sim_cluster *c = empty(conf);

    first_servers(c, conf);
    settle_sys(c);
    first_tenants(c, conf);
    c->is_bootstrapped = true;
    return c;
}

struct sim_cluster *sim_cluster_blank(const struct sim_cluster_conf *conf)
{
    struct sim_cluster *c = empty(conf);

    (void)build_tenant(c, "sys", SIM_TENANT_SYS, false); /* whose root bootstraps it */
    return c;
}

void sim_cluster_forget(struct sim_cluster *c)
{
    sim_cluster_clear(c);
    for (size_t i = 0; i < c->servers.n; i++) {
        struct sim_server *s = c->servers.items[i];

        s->id = 0;
        s->is_member = s->is_refused = false;
        s->status = SIM_SERVER_INACTIVE;
    }
    c->is_bootstrapped = false;
    begin(c);
    (void)build_tenant(c, "sys", SIM_TENANT_SYS, false); /* as above */
}

void sim_cluster_found(struct sim_cluster *c)
{
    for (size_t i = 0; i < c->founders.n; i++) {
        const struct sim_founder *f = c->founders.items[i];
        struct sim_server *s = f->server;

        if (sim_zone_find(c, sim_slice(f->zone)) == NULL)
            (void)build_zone(c, f->zone, f->region, f->idc, true); /* found again by name */
        s->id = c->next_server++;
        s->is_member = true;
        s->status = s->is_alive ? SIM_SERVER_ACTIVE : SIM_SERVER_INACTIVE;
        s->start_service_us = s->is_alive ? c->now_us : 0;
        s->created_us = s->modified_us = s->minor_freeze_us = c->now_us;
    }
    sim_clear(&c->founders);
    c->created_us = c->now_us;
    settle_sys(c);
    c->is_bootstrapped = true;
}

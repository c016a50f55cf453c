/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE RESOURCE POOL [IF NOT EXISTS] p UNIT [=] 'u', UNIT_NUM [=] n, ZONE_LIST [=] ('z', ...)
 * ALTER RESOURCE POOL p {UNIT | UNIT_NUM | ZONE_LIST} ...; ALTER RESOURCE POOL p SPLIT INTO ('a', 'b') ON ('z1', 'z2')
 * ALTER RESOURCE POOL MERGE ('a', 'b') INTO ('p'); DROP RESOURCE POOL [IF EXISTS] p */
#include <string.h>
#include <strings.h>

#include "tests/obsim/build.h"
#include "tests/obsim/cmd.h"

struct given {
    struct slice unit;                /* s NULL: not given */
    int64_t unit_num;                 /* 0: not given */
    struct parse_list zones;          /* n 0: not given */
};

static bool read_option(struct cmd *x, struct given *g)
{
    if (parse_words(&x->p, "UNIT"))
        return cmd_name_after_equal(x, &g->unit);
    if (parse_words(&x->p, "UNIT_NUM"))
        return cmd_i64_after_equal(x, &g->unit_num);
    if (!parse_words(&x->p, "ZONE_LIST"))
        return false;
    (void)parse_mark(&x->p, "="); /* may be missing */
    return parse_names(&x->p, false, &g->zones);
}

static int read_options(struct cmd *x, struct given *g)
{
    *g = (struct given){ .unit_num = 0 };
    do {
        if (!read_option(x, g))
            return cmd_syntax(x);
    } while (parse_mark(&x->p, ","));
    return cmd_end(x);
}

static int no_pool(struct cmd *x, struct slice name)
{
    return cmd_fail(x, 4650, "Resource pool '%.*s' not exist", SLICE_FMT(name));
}

/* All are zones, none twice. Errors: 4018, 4641. */
static int check_zones(struct cmd *x, const struct parse_list *zones)
{
    for (size_t i = 0; i < zones->n; i++) {
        if (sim_zone_find(x->c, zones->items[i]) == NULL)
            return cmd_fail(x, 4018, "zone '%.*s' not exist", SLICE_FMT(zones->items[i]));
        for (size_t k = 0; k < i; k++)
            if (zones->items[k].n == zones->items[i].n && strncasecmp(zones->items[k].s, zones->items[i].s, zones->items[i].n) == 0)
                return cmd_fail(x, 4641, "zone '%.*s' duplicated", SLICE_FMT(zones->items[i]));
    }
    return 0;
}

static int make(struct cmd *x, struct slice name, const struct given *g, const struct sim_unit_config *u, int64_t unit_num)
{
    struct sim_pool *p = build_pool(x->c, cmd_text(x, name), u->id, (int)unit_num);
    struct place_error e;

    for (size_t i = 0; i < (g->zones.n > 0 ? g->zones.n : x->c->zones.n); i++) {
        const char *zone = g->zones.n > 0 ? sim_zone_find(x->c, g->zones.items[i])->name : x->c->zones.items[i]->name;

        if (!place_units(x->c, p, zone, (int)unit_num, &e)) {
            build_pool_remove(x->c, p);
            return cmd_place_failed(x, &e);
        }
        build_pool_zone(p, zone);
    }
    sim_note(x->c, "unit", "create_resource_pool", "name", p->name, NULL);
    return cmd_ok(x);
}

enum { MAX_UNIT_NUM = 64 };

static int create(struct cmd *x)
{
    int if_not = cmd_if_not_exists(x), rv;
    const struct sim_unit_config *u;
    struct slice name;
    struct given g;

    if (if_not < 0 || !parse_name_or_string(&x->p, &name) || name.n >= SIM_NAME)
        return cmd_syntax(x);
    rv = read_options(x, &g);
    if (rv != 0)
        return rv;
    if (g.unit.s == NULL || g.unit_num == 0)
        return cmd_fail(x, 4276, "Miss argument '%s'", g.unit.s == NULL ? "unit" : "unit_num");
    u = sim_config_find(x->c, g.unit);
    if (u == NULL)
        return cmd_fail(x, 4648, "Resource unit '%.*s' not exist", SLICE_FMT(g.unit));
    if (sim_pool_find(x->c, name) != NULL)
        return if_not > 0 ? cmd_ok(x) : cmd_fail(x, 4651, "Resource pool '%.*s' already exist", SLICE_FMT(name));
    rv = check_zones(x, &g.zones);
    if (rv != 0)
        return rv;
    if (g.unit_num > MAX_UNIT_NUM)
        return cmd_fail(x, 4656, "resource pool unit num is bigger than zone server count");
    return make(x, name, &g, u, g.unit_num);
}

/* --- alter -------------------------------------------------------------------------------------------------------------------- */

static int change_unit(struct cmd *x, struct sim_pool *p, struct slice unit)
{
    const struct sim_unit_config *u = sim_config_find(x->c, unit), *old = sim_config_get(x->c, p->config_id);
    struct sim_unit_config wanted;
    struct place_error e;
    int64_t all = p->config_id;

    if (u == NULL)
        return cmd_fail(x, 4648, "Resource unit '%.*s' not exist", SLICE_FMT(unit));
    if (u->id == old->id)
        return 0;
    /* only this pool changes: its units are looked at under a config of their own */
    wanted = *old;
    wanted.id = -1;
    p->config_id = -1;
    *sim_push(&x->c->configs) = wanted;
    if (!place_config_fits(x->c, x->c->configs.items[x->c->configs.n - 1], u, &e)) {
        p->config_id = all;
        sim_remove(&x->c->configs, x->c->configs.n - 1);
        return cmd_place_failed(x, &e);
    }
    sim_remove(&x->c->configs, x->c->configs.n - 1);
    p->config_id = u->id;
    return 0;
}

/* Takes units of each zone away, the newest first, until `n` are left there. */
static void shrink(struct sim_cluster *c, const struct sim_pool *p, int n)
{
    for (size_t z = 0; z < p->zones.n; z++) {
        int left = 0;

        for (size_t i = 0; i < c->units.n; i++)
            left += c->units.items[i]->pool_id == p->id && strcasecmp(c->units.items[i]->zone, p->zones.items[z]->s) == 0;
        for (size_t i = c->units.n; i-- > 0 && left > n;)
            if (c->units.items[i]->pool_id == p->id && strcasecmp(c->units.items[i]->zone, p->zones.items[z]->s) == 0) {
                sim_remove(&c->units, i);
                left--;
            }
    }
}

static int change_number(struct cmd *x, struct sim_pool *p, int64_t n)
{
    struct place_error e;

    if (p->tenant_id != 0)
        return cmd_fail(x, 4179, "alter unit num of resource pool '%s' which has been granted to a tenant not allowed", p->name);
    if (n < 1 || n > MAX_UNIT_NUM)
        return cmd_fail(x, 4656, "resource pool unit num is bigger than zone server count");
    for (size_t z = 0; z < p->zones.n && n > p->unit_num; z++)
        if (!place_units(x->c, p, p->zones.items[z]->s, (int)n - p->unit_num, &e)) {
            shrink(x->c, p, p->unit_num);
            return cmd_place_failed(x, &e);
        }
    shrink(x->c, p, (int)n);
    p->unit_num = (int)n;
    return 0;
}

static bool has_zone(const struct sim_pool *p, const char *zone)
{
    for (size_t i = 0; i < p->zones.n; i++)
        if (strcasecmp(p->zones.items[i]->s, zone) == 0)
            return true;
    return false;
}

static bool is_listed(const struct parse_list *zones, const char *zone)
{
    for (size_t i = 0; i < zones->n; i++)
        if (slice_is_nocase(zones->items[i], zone))
            return true;
    return false;
}

static void leave_zone(struct sim_cluster *c, struct sim_pool *p, size_t i)
{
    place_remove_units(c, p->id, p->zones.items[i]->s);
    sim_remove(&p->zones, i);
}

/* A zone in which the tenant has replicas cannot leave the pool. */
static int change_zones(struct cmd *x, struct sim_pool *p, const struct parse_list *zones)
{
    const struct sim_tenant *t = sim_tenant_get(x->c, p->tenant_id);
    struct place_error e;
    size_t before = p->zones.n;
    int rv = check_zones(x, zones);

    if (rv != 0)
        return rv;
    for (size_t i = 0; i < p->zones.n && t != NULL; i++)
        if (!is_listed(zones, p->zones.items[i]->s) && place_locality_type(t->locality, p->zones.items[i]->s) != '\0')
            return cmd_fail(x, 4179, "alter resource pool zone list with zone '%s' in the tenant's locality not allowed", p->zones.items[i]->s);
    for (size_t i = 0; i < zones->n; i++) {
        const char *zone = sim_zone_find(x->c, zones->items[i])->name;

        if (has_zone(p, zone))
            continue;
        if (!place_units(x->c, p, zone, p->unit_num, &e)) {
            while (p->zones.n > before)
                leave_zone(x->c, p, p->zones.n - 1);
            return cmd_place_failed(x, &e);
        }
        build_pool_zone(p, zone);
    }
    for (size_t i = p->zones.n; i-- > 0;)
        if (!is_listed(zones, p->zones.items[i]->s))
            leave_zone(x->c, p, i);
    if (p->tenant_id != 0)
        place_grant(x->c, p, sim_tenant_get(x->c, p->tenant_id));
    return 0;
}

/* Gives one zone of the pool, with its units, to another. */
static void hand_over(struct sim_cluster *c, struct sim_pool *from, struct sim_pool *to, const char *zone)
{
    for (size_t i = 0; i < c->units.n; i++)
        if (c->units.items[i]->pool_id == from->id && strcasecmp(c->units.items[i]->zone, zone) == 0)
            c->units.items[i]->pool_id = to->id;
    build_pool_zone(to, zone);
}

static int split(struct cmd *x, struct sim_pool *p)
{
    struct parse_list names, zones;
    int rv;

    if (!parse_words(&x->p, "INTO") || !parse_names(&x->p, false, &names) || !parse_words(&x->p, "ON") || !parse_names(&x->p, false, &zones))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (names.n != zones.n || zones.n != p->zones.n)
        return cmd_fail(x, 4179, "split resource pool into a number of pools other than that of its zones not allowed");
    for (size_t i = 0; i < names.n; i++) {
        if (sim_pool_find(x->c, names.items[i]) != NULL)
            return cmd_fail(x, 4651, "Resource pool '%.*s' already exist", SLICE_FMT(names.items[i]));
        if (!has_zone(p, cmd_text(x, zones.items[i])))
            return cmd_fail(x, 4018, "zone '%.*s' not exist", SLICE_FMT(zones.items[i]));
    }
    for (size_t i = 0; i < names.n; i++) {
        struct sim_pool *part = build_pool(x->c, cmd_text(x, names.items[i]), p->config_id, p->unit_num);

        part->tenant_id = p->tenant_id;
        hand_over(x->c, p, part, sim_zone_find(x->c, zones.items[i])->name);
    }
    build_pool_remove(x->c, p);
    return cmd_ok(x);
}

static bool can_merge(const struct sim_pool *a, const struct sim_pool *b)
{
    for (size_t i = 0; i < b->zones.n; i++)
        if (has_zone(a, b->zones.items[i]->s))
            return false;
    return a->config_id == b->config_id && a->unit_num == b->unit_num && a->tenant_id == b->tenant_id;
}

static int merge(struct cmd *x)
{
    struct parse_list names, into;
    struct sim_pool *whole, *first;
    int rv;

    if (!parse_names(&x->p, false, &names) || !parse_words(&x->p, "INTO") || !parse_names(&x->p, false, &into) || into.n != 1)
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    first = sim_pool_find(x->c, names.items[0]);
    for (size_t i = 0; i < names.n; i++) {
        const struct sim_pool *p = sim_pool_find(x->c, names.items[i]);

        if (p == NULL)
            return no_pool(x, names.items[i]);
        if (names.n < 2 || (i > 0 && !can_merge(first, p)))
            return cmd_fail(x, 4179, "merge resource pools with different units, unit numbers or tenants, or with the same zones not allowed");
    }
    if (sim_pool_find(x->c, into.items[0]) != NULL)
        return cmd_fail(x, 4651, "Resource pool '%.*s' already exist", SLICE_FMT(into.items[0]));
    whole = build_pool(x->c, cmd_text(x, into.items[0]), first->config_id, first->unit_num);
    whole->tenant_id = first->tenant_id;
    for (size_t i = 0; i < names.n; i++) {
        struct sim_pool *p = sim_pool_find(x->c, names.items[i]);

        for (size_t z = 0; z < p->zones.n; z++)
            hand_over(x->c, p, whole, p->zones.items[z]->s);
        build_pool_remove(x->c, p);
    }
    return cmd_ok(x);
}

static int alter(struct cmd *x)
{
    struct sim_pool *p;
    struct slice name;
    struct given g;
    int rv;

    if (!parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    p = sim_pool_find(x->c, name);
    if (parse_words(&x->p, "SPLIT"))
        return p != NULL ? split(x, p) : no_pool(x, name);
    rv = read_options(x, &g);
    if (rv != 0)
        return rv;
    if (p == NULL)
        return no_pool(x, name);
    if ((g.unit.s != NULL) + (g.unit_num != 0) + (g.zones.n > 0) > 1)
        return cmd_fail(x, 1235, "alter unit_num, resource_unit, zone_list in one cmd is not supported");
    if (g.unit.s != NULL)
        rv = change_unit(x, p, g.unit);
    else if (g.unit_num != 0)
        rv = change_number(x, p, g.unit_num);
    else
        rv = change_zones(x, p, &g.zones);
    if (rv != 0)
        return rv;
    p->modified_us = x->c->now_us;
    sim_note(x->c, "unit", "alter_resource_pool", "name", p->name, NULL);
    return cmd_ok(x);
}

static int drop(struct cmd *x)
{
    int if_exists = cmd_if_exists(x), rv;
    struct sim_pool *p;
    struct slice name;

    if (if_exists < 0 || !parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    p = sim_pool_find(x->c, name);
    if (p == NULL)
        return if_exists > 0 ? cmd_ok(x) : no_pool(x, name);
    if (p->tenant_id != 0)
        return cmd_fail(x, 4626, "resource pool '%s' has already been granted to a tenant", p->name);
    sim_note(x->c, "unit", "drop_resource_pool", "name", p->name, NULL);
    build_pool_remove(x->c, p);
    return cmd_ok(x);
}

const struct cmd_row cmd_pool_rows[] = {
    { "CREATE RESOURCE POOL", create, CMD_SYS, SIM_P(CREATE_RESOURCE_POOL), 0 },
    { "ALTER RESOURCE POOL", alter, CMD_SYS, SIM_P(CREATE_RESOURCE_POOL), 0 },
    { "ALTER RESOURCE POOL MERGE", merge, CMD_SYS, SIM_P(CREATE_RESOURCE_POOL), 0 },
    { "DROP RESOURCE POOL", drop, CMD_SYS, SIM_P(CREATE_RESOURCE_POOL), 0 },
    { "", NULL, 0, 0, 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE RESOURCE UNIT [IF NOT EXISTS] u MAX_CPU [=] n [, MIN_CPU [=] n], MEMORY_SIZE [=] '4G' [, LOG_DISK_SIZE ...] [, MAX_IOPS n]
 * [, MIN_IOPS n] [, IOPS_WEIGHT n]; ALTER RESOURCE UNIT u ...; DROP RESOURCE UNIT [IF EXISTS] u */
#include <stdlib.h>
#include <string.h>

#include "src/base/num.h"
#include "tests/obsim/cmd.h"

/* What was given; negative: not given. */
struct given {
    double max_cpu, min_cpu;
    int64_t memory, log_disk, max_iops, min_iops, weight;
};

static bool read_cpu(struct cmd *x, double *out)
{
    struct slice text;

    (void)parse_mark(&x->p, "="); /* may be missing */
    return (parse_number(&x->p, &text) || parse_string(&x->p, &text)) && num_parse_double(slice_trim(text), out);
}

static bool read_option(struct cmd *x, struct given *g)
{
    if (parse_words(&x->p, "MAX_CPU"))
        return read_cpu(x, &g->max_cpu);
    if (parse_words(&x->p, "MIN_CPU"))
        return read_cpu(x, &g->min_cpu);
    if (parse_words(&x->p, "MEMORY_SIZE"))
        return cmd_size_after_equal(x, &g->memory);
    if (parse_words(&x->p, "LOG_DISK_SIZE"))
        return cmd_size_after_equal(x, &g->log_disk);
    if (parse_words(&x->p, "MAX_IOPS"))
        return cmd_size_after_equal(x, &g->max_iops);
    if (parse_words(&x->p, "MIN_IOPS"))
        return cmd_size_after_equal(x, &g->min_iops);
    return parse_words(&x->p, "IOPS_WEIGHT") && cmd_size_after_equal(x, &g->weight);
}

static int read(struct cmd *x, struct slice *name, struct given *g)
{
    *g = (struct given){ -1, -1, -1, -1, -1, -1, -1 };
    if (!parse_name_or_string(&x->p, name) || name->n >= SIM_NAME)
        return cmd_syntax(x);
    do {
        if (!read_option(x, g))
            return cmd_syntax(x);
    } while (parse_mark(&x->p, ","));
    return cmd_end(x);
}

#define GIB (INT64_C(1) << 30)

static void take(struct sim_unit_config *u, const struct given *g)
{
    u->max_cpu = g->max_cpu >= 0 ? g->max_cpu : u->max_cpu;
    u->min_cpu = g->min_cpu >= 0 ? g->min_cpu : u->min_cpu > 0 && u->min_cpu <= u->max_cpu ? u->min_cpu : u->max_cpu;
    u->memory = g->memory >= 0 ? g->memory : u->memory;
    u->log_disk = g->log_disk >= 0 ? g->log_disk : u->log_disk > 0 ? u->log_disk : 3 * u->memory < 2 * GIB ? 2 * GIB : 3 * u->memory;
    u->min_iops = g->min_iops >= 0 ? g->min_iops : u->min_iops > 0 ? u->min_iops : INT64_MAX;
    u->max_iops = g->max_iops >= 0 ? g->max_iops : u->max_iops > 0 ? u->max_iops : INT64_MAX;
    u->iops_weight = g->weight >= 0 ? g->weight : u->iops_weight > 0 ? u->iops_weight : (int64_t)u->max_cpu;
}

static int below(struct cmd *x, const char *what, const char *limit)
{
    return cmd_fail(x, 4659, "invalid resource unit, %s is below limit %s", what, limit);
}

/* What sys got when the cluster was founded may be little, as long as it is not changed. */
static int check(struct cmd *x, const struct sim_unit_config *u, bool keeps_memory)
{
    const struct sim_parameter *p = sim_parameter_find(SLICE("__min_full_resource_pool_memory"));
    const char *limit = sim_parameter_value(x->c, p, NULL, NULL);
    int64_t bytes = 0;

    if (u->max_cpu < 1 || u->min_cpu < 1)
        return below(x, u->max_cpu < 1 ? "MAX_CPU" : "MIN_CPU", "1");
    if (num_parse_size(sim_slice(limit), &bytes) && u->memory < bytes && !keeps_memory)
        return below(x, "MEMORY_SIZE", limit);
    if (u->log_disk < 2 * GIB)
        return below(x, "LOG_DISK_SIZE", "2G");
    if (u->min_iops < 1024 || u->max_iops < 1024)
        return below(x, u->min_iops < 1024 ? "MIN_IOPS" : "MAX_IOPS", "1024");
    if (u->min_cpu > u->max_cpu || u->min_iops > u->max_iops)
        return cmd_fail(x, 4736, "invalid resource unit, MIN_%s is greater than MAX_%s", u->min_cpu > u->max_cpu ? "CPU" : "IOPS",
                        u->min_cpu > u->max_cpu ? "CPU" : "IOPS");
    return 0;
}

static int create(struct cmd *x)
{
    int if_not = cmd_if_not_exists(x), rv;
    struct sim_unit_config made = { .id = 0 };
    struct slice name;
    struct given g;

    rv = if_not < 0 ? cmd_syntax(x) : read(x, &name, &g);
    if (rv != 0)
        return rv;
    if (sim_config_find(x->c, name) != NULL)
        return if_not > 0 ? cmd_ok(x) : cmd_fail(x, 4649, "Resource unit '%.*s' already exist", SLICE_FMT(name));
    if (g.max_cpu < 0 || g.memory < 0)
        return cmd_fail(x, 4276, "Miss argument '%s'", g.max_cpu < 0 ? "MAX_CPU" : "MEMORY_SIZE");
    take(&made, &g);
    rv = check(x, &made, false);
    if (rv != 0)
        return rv;
    made.id = x->c->next_config++;
    sim_name(made.name, name);
    made.created_us = made.modified_us = x->c->now_us;
    *sim_push(&x->c->configs) = made;
    sim_note(x->c, "unit", "create_resource_unit", "name", made.name, NULL);
    return cmd_ok(x);
}

static int alter(struct cmd *x)
{
    struct sim_unit_config wanted, *u;
    struct place_error e;
    struct slice name;
    struct given g;
    int rv = read(x, &name, &g);

    if (rv != 0)
        return rv;
    u = sim_config_find(x->c, name);
    if (u == NULL)
        return cmd_fail(x, 4648, "Resource unit '%.*s' not exist", SLICE_FMT(name));
    wanted = *u;
    take(&wanted, &g);
    rv = check(x, &wanted, u->id == 1 && g.memory < 0);
    if (rv != 0)
        return rv;
    if (!place_config_fits(x->c, u, &wanted, &e))
        return cmd_place_failed(x, &e);
    *u = wanted;
    u->modified_us = x->c->now_us;
    sim_note(x->c, "unit", "alter_resource_unit", "name", u->name, NULL);
    return cmd_ok(x);
}

static int drop(struct cmd *x)
{
    int if_exists = cmd_if_exists(x), rv;
    struct sim_unit_config *u;
    struct slice name;

    if (if_exists < 0 || !parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    u = sim_config_find(x->c, name);
    if (u == NULL)
        return if_exists > 0 ? cmd_ok(x) : cmd_fail(x, 4648, "Resource unit '%.*s' not exist", SLICE_FMT(name));
    for (size_t i = 0; i < x->c->pools.n; i++)
        if (x->c->pools.items[i]->config_id == u->id)
            return cmd_fail(x, 4634, "Resource unit '%s' is referenced by some resource pool", u->name);
    sim_note(x->c, "unit", "drop_resource_unit", "name", u->name, NULL);
    for (size_t i = 0; i < x->c->configs.n; i++)
        if (x->c->configs.items[i] == u) {
            sim_remove(&x->c->configs, i);
            break;
        }
    return cmd_ok(x);
}

const struct cmd_row cmd_unit_rows[] = {
    { "CREATE RESOURCE UNIT", create, CMD_SYS, SIM_P(CREATE_RESOURCE_UNIT), 0 },
    { "ALTER RESOURCE UNIT", alter, CMD_SYS, SIM_P(CREATE_RESOURCE_UNIT), 0 },
    { "DROP RESOURCE UNIT", drop, CMD_SYS, SIM_P(CREATE_RESOURCE_UNIT), 0 },
    { "", NULL, 0, 0, 0 },
};

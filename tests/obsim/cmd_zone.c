/* SPDX-License-Identifier: Apache-2.0 */
/* ALTER SYSTEM {ADD | DELETE | START | STOP | FORCE STOP | ISOLATE | ALTER | CHANGE | MODIFY} ZONE zone [SET] [REGION [=] 'r'] [, IDC [=] 'i']
 * [, ZONE_TYPE [=] READWRITE] */
#include <string.h>
#include <strings.h>

#include "tests/obsim/build.h"
#include "tests/obsim/cmd.h"

struct options {
    struct slice region, idc;         /* s NULL: not given */
};

static int read_options(struct cmd *x, struct options *o)
{
    *o = (struct options){ { NULL, 0 }, { NULL, 0 } };
    (void)parse_words(&x->p, "SET"); /* may be missing */
    if (parse_peek(&x->p)->kind != LEX_WORD)
        return 0;
    do {
        struct slice type;
        bool bad = false;

        if (parse_option(&x->p, "REGION", &o->region, &bad) || parse_option(&x->p, "IDC", &o->idc, &bad))
            continue;
        if (bad || !parse_option(&x->p, "ZONE_TYPE", &type, &bad) ||
            (!slice_is_nocase(type, "READWRITE") && !slice_is_nocase(type, "ENCRYPTION") && !slice_is_nocase(type, "READONLY")))
            return cmd_syntax(x);
    } while (parse_mark(&x->p, ","));
    return 0;
}

static int read_name(struct cmd *x, struct slice *name)
{
    return parse_name_or_string(&x->p, name) && name->n < SIM_NAME ? 0 : cmd_syntax(x);
}

static int add(struct cmd *x)
{
    struct options o;
    struct slice name;
    int rv = read_name(x, &name);

    if (rv == 0)
        rv = read_options(x, &o);
    if (rv == 0)
        rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (sim_zone_find(x->c, name) != NULL)
        return cmd_fail(x, 4017, "Entry already exist");
    (void)build_zone(x->c, cmd_text(x, name), o.region.s != NULL ? cmd_text(x, o.region) : "default_region",
                     o.idc.s != NULL ? cmd_text(x, o.idc) : "", false); /* found again by name */
    sim_note(x->c, "zone", "add_zone", "zone", cmd_text(x, name), NULL);
    return cmd_ok(x);
}

/* The zone that is meant, after its name was read and the statement has ended. Errors: those of cmd_end, 4018. */
static int find(struct cmd *x, struct sim_zone **z)
{
    struct slice name;
    int rv = read_name(x, &name);

    if (rv == 0)
        rv = cmd_end(x);
    if (rv != 0)
        return rv;
    *z = sim_zone_find(x->c, name);
    return *z != NULL ? 0 : cmd_fail(x, 4018, "Entry not exist");
}

static int alter(struct cmd *x)
{
    struct options o;
    struct sim_zone *z;
    struct slice name;
    int rv = read_name(x, &name);

    if (rv == 0)
        rv = read_options(x, &o);
    if (rv == 0 && o.region.s == NULL && o.idc.s == NULL)
        rv = cmd_syntax(x);
    if (rv == 0)
        rv = cmd_end(x);
    if (rv != 0)
        return rv;
    z = sim_zone_find(x->c, name);
    if (z == NULL)
        return cmd_fail(x, 4018, "Entry not exist");
    if (o.region.s != NULL)
        sim_name(z->region, o.region);
    if (o.idc.s != NULL)
        sim_name(z->idc, o.idc);
    z->modified_us = x->c->now_us;
    sim_note(x->c, "zone", "alter_zone", "zone", z->name, NULL);
    return cmd_ok(x);
}

static int delete(struct cmd *x)
{
    struct sim_zone *z;
    int rv = find(x, &z);

    if (rv != 0)
        return rv;
    for (size_t i = 0; i < x->c->servers.n; i++)
        if (x->c->servers.items[i]->is_member && strcasecmp(x->c->servers.items[i]->zone, z->name) == 0)
            return cmd_fail(x, 4668, "The zone is not empty");
    if (z->is_active)
        return cmd_fail(x, 4633, "Zone status not match");
    sim_note(x->c, "zone", "delete_zone", "zone", z->name, NULL);
    for (size_t i = 0; i < x->c->zones.n; i++)
        if (x->c->zones.items[i] == z) {
            sim_remove(&x->c->zones, i);
            break;
        }
    return cmd_ok(x);
}

static void switch_zone(struct cmd *x, struct sim_zone *z, bool is_active)
{
    z->is_active = is_active;
    z->modified_us = x->c->now_us;
    (void)sim_schedule(x->c, SIM_STEP_LEADERS, 0);
    sim_note(x->c, "zone", is_active ? "start_zone" : "stop_zone", "zone", z->name, NULL);
}

static int start(struct cmd *x)
{
    struct sim_zone *z;
    int rv = find(x, &z);

    if (rv != 0)
        return rv;
    if (z->is_active)
        return cmd_fail(x, 4633, "Zone status not match");
    switch_zone(x, z, true);
    return cmd_ok(x);
}

static int stop(struct cmd *x)
{
    struct sim_server **servers = arena_array(&x->arena, x->c->servers.n + 1, sizeof *servers);
    struct place_error e;
    struct sim_zone *z;
    size_t n = 0;
    int rv = find(x, &z);

    if (rv != 0)
        return rv;
    if (!z->is_active)
        return cmd_ok(x);
    for (size_t i = 0; i < x->c->servers.n && servers != NULL; i++)
        if (x->c->servers.items[i]->is_member && strcasecmp(x->c->servers.items[i]->zone, z->name) == 0)
            servers[n++] = x->c->servers.items[i];
    if (!place_may_stop(x->c, servers, n, z->name, (enum place_stop)x->row->arg, &e))
        return cmd_place_failed(x, &e);
    switch_zone(x, z, false);
    return cmd_ok(x);
}

#define ROW(WORDS, RUN, ARG) { "ALTER SYSTEM " WORDS, RUN, CMD_SYS, SIM_P(ALTER_SYSTEM), ARG }
const struct cmd_row cmd_zone_rows[] = {
    ROW("ADD ZONE", add, 0),
    ROW("ALTER ZONE", alter, 0),
    ROW("CHANGE ZONE", alter, 0),
    ROW("MODIFY ZONE", alter, 0),
    ROW("DELETE ZONE", delete, 0),
    ROW("START ZONE", start, 0),
    ROW("STOP ZONE", stop, PLACE_STOP),
    ROW("FORCE STOP ZONE", stop, PLACE_FORCE_STOP),
    ROW("ISOLATE ZONE", stop, PLACE_ISOLATE),
    { "", NULL, 0, 0, 0 },
};

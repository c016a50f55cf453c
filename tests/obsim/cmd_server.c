/* SPDX-License-Identifier: Apache-2.0 */
/* ALTER SYSTEM {ADD | DELETE | CANCEL DELETE | START | STOP | FORCE STOP | ISOLATE} SERVER 'ip:port' [, ...] [ZONE [=] 'zone']
 * Servers are taken one after another; those before the one that fails stay done. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"

enum verb { ADD, DELETE, CANCEL, START, STOP, FORCE_STOP, ISOLATE };

static void note(struct cmd *x, const struct sim_server *s, const char *event)
{
    char address[80];

    (void)snprintf(address, sizeof address, "\"%s:%d\"", s->ip, s->rpc_port);
    sim_note(x->c, "server", event, "server", address, "zone", s->zone, NULL);
}

/* With the number of units that it still has. */
static void note_delete(struct cmd *x, const struct sim_server *s)
{
    char address[80], units[24];
    unsigned n = 0;

    for (size_t i = 0; i < x->c->units.n; i++)
        n += x->c->units.items[i]->server_id == s->id || x->c->units.items[i]->migrate_from == s->id;
    (void)snprintf(address, sizeof address, "\"%s:%d\"", s->ip, s->rpc_port);
    (void)snprintf(units, sizeof units, "%u", n);
    sim_note(x->c, "server", "delete_server", "server", address, "zone", s->zone, "unit_num", units, NULL);
}

static int missing(struct cmd *x)
{
    return cmd_fail(x, 4018, "Entry not exist");
}

/* --- each with one server ------------------------------------------------------------------------------------------------------- */

static int add(struct cmd *x, struct slice address, const struct sim_zone *wanted)
{
    struct sim_server *s = sim_server_at(x->c, address);
    const struct sim_zone *z = wanted;

    if (s != NULL && s->is_member)
        return cmd_fail(x, 4017, "Entry already exist");
    if (s == NULL || !s->is_alive)
        return cmd_fail(x, 4012, "Timeout, query has reached the maximum query timeout");
    if (s->id != 0)
        return cmd_fail(x, 4179, "add non-empty server not allowed");
    if (z == NULL)
        z = sim_zone_find(x->c, sim_slice(s->zone));
    if (z == NULL)
        return cmd_fail(x, 4018, "Entry not exist");
    if (s->zone[0] != '\0' && strcasecmp(s->zone, z->name) != 0)
        return cmd_fail(x, 4631, "Server zone not match");
    if (!z->is_active)
        return cmd_fail(x, 4655, "Zone not active");
    s->id = x->c->next_server++;
    s->is_member = true;
    s->status = SIM_SERVER_ACTIVE;
    sim_name(s->zone, sim_slice(z->name));
    s->start_service_us = s->stop_us = s->last_offline_us = s->block_migrate_us = 0;
    s->created_us = s->modified_us = x->c->now_us;
    (void)sim_schedule(x->c, SIM_STEP_SERVER_ONLINE, s->id);
    note(x, s, "add_server");
    return 0;
}

/* Each unit on it needs another server of the zone. */
static bool has_refuges(struct sim_cluster *c, const struct sim_server *s)
{
    for (size_t i = 0; i < c->units.n; i++)
        if (c->units.items[i]->server_id == s->id && place_refuge(c, c->units.items[i]) == NULL)
            return false;
    return true;
}

static int delete(struct cmd *x, struct sim_server *s)
{
    enum sim_server_status before = s->status;
    struct sim_job *j;

    if (s->status == SIM_SERVER_DELETING)
        return cmd_fail(x, 4628, "Server already deleted");
    s->status = SIM_SERVER_DELETING; /* takes no units from now on */
    if (!has_refuges(x->c, s)) {
        s->status = before;
        return cmd_fail(x, 4624, "Machine resource is not enough to hold a new unit");
    }
    s->modified_us = x->c->now_us;
    j = sim_job_start(x->c, SIM_JOB_SERVER, "DELETE_SERVER", x->sql);
    j->server_id = s->id;
    sim_schedule(x->c, SIM_STEP_SERVER_DELETE, s->id)->other = j->id;
    note_delete(x, s);
    return 0;
}

static struct sim_job *running(struct sim_cluster *c, enum sim_job_kind kind, int64_t server_id, int64_t unit_id)
{
    for (size_t i = 0; i < c->jobs.n; i++) {
        struct sim_job *j = c->jobs.items[i];

        if (j->kind == kind && strcmp(j->status, "INPROGRESS") == 0 && (kind == SIM_JOB_UNIT ? j->unit_id == unit_id : j->server_id == server_id))
            return j;
    }
    return NULL;
}

enum { CANCELED = -4072 };

static int cancel(struct cmd *x, struct sim_server *s)
{
    struct sim_job *j = running(x->c, SIM_JOB_SERVER, s->id, 0);

    if (s->status != SIM_SERVER_DELETING)
        return cmd_fail(x, 4629, "Server is not in deleting status");
    s->status = s->is_alive ? SIM_SERVER_ACTIVE : SIM_SERVER_INACTIVE;
    s->modified_us = x->c->now_us;
    if (j != NULL)
        sim_job_end(x->c, j, "FAILED", CANCELED);
    for (size_t i = 0; i < x->c->units.n; i++) { /* those on their way come back */
        struct sim_unit *u = x->c->units.items[i];

        if (u->migrate_from != s->id)
            continue;
        j = running(x->c, SIM_JOB_UNIT, 0, u->id);
        if (j != NULL)
            sim_job_end(x->c, j, "FAILED", CANCELED);
        u->server_id = s->id;
        u->migrate_from = 0;
    }
    note(x, s, "cancel_delete_server");
    return 0;
}

static int start(struct cmd *x, struct sim_server *s)
{
    if (!s->is_alive)
        return cmd_fail(x, 4012, "Timeout, query has reached the maximum query timeout");
    if (s->stop_us == 0)
        return 0;
    s->stop_us = 0;
    s->modified_us = x->c->now_us;
    (void)sim_schedule(x->c, SIM_STEP_LEADERS, 0);
    note(x, s, "start_server");
    return 0;
}

static int stop(struct cmd *x, struct sim_server *s, enum place_stop how)
{
    struct place_error e;

    if (s->stop_us != 0)
        return 0;
    if (!place_may_stop(x->c, &s, 1, s->zone, how, &e))
        return cmd_place_failed(x, &e);
    s->stop_us = s->modified_us = x->c->now_us;
    (void)sim_schedule(x->c, SIM_STEP_LEADERS, 0);
    note(x, s, "stop_server");
    return 0;
}

/* --- all of the list ---------------------------------------------------------------------------------------------------------------- */

static int one(struct cmd *x, struct slice address, const struct sim_zone *zone)
{
    struct sim_server *s = sim_server_at(x->c, address);

    if (x->row->arg == ADD)
        return add(x, address, zone);
    if (s == NULL || !s->is_member)
        return missing(x);
    if (zone != NULL && strcasecmp(zone->name, s->zone) != 0)
        return cmd_fail(x, 4631, "Server zone not match");
    switch (x->row->arg) {
    case DELETE:
        return delete(x, s);
    case CANCEL:
        return cancel(x, s);
    case START:
        return start(x, s);
    default:
        return stop(x, s, x->row->arg == STOP ? PLACE_STOP : x->row->arg == FORCE_STOP ? PLACE_FORCE_STOP : PLACE_ISOLATE);
    }
}

/* Servers of several zones cannot be stopped at once. */
static bool in_one_zone(struct sim_cluster *c, const struct parse_list *addresses)
{
    const char *zone = NULL;

    for (size_t i = 0; i < addresses->n; i++) {
        const struct sim_server *s = sim_server_at(c, addresses->items[i]);

        if (s == NULL || !s->is_member)
            continue;
        if (zone != NULL && strcasecmp(zone, s->zone) != 0)
            return false;
        zone = s->zone;
    }
    return true;
}

static int servers(struct cmd *x)
{
    struct parse_list addresses = { .n = 0 };
    const struct sim_zone *zone = NULL;
    struct slice name = { NULL, 0 };
    bool bad = false;
    int rv;

    do {
        if (addresses.n == PARSE_LIST_MAX || !parse_string(&x->p, &addresses.items[addresses.n]))
            return cmd_syntax(x);
        addresses.n++;
    } while (parse_mark(&x->p, ","));
    if (!parse_option(&x->p, "ZONE", &name, &bad) && bad)
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    zone = name.s != NULL ? sim_zone_find(x->c, name) : NULL;
    if (name.s != NULL && zone == NULL)
        return missing(x);
    if (x->row->arg >= STOP && !in_one_zone(x->c, &addresses))
        return cmd_fail(x, 4660, "cannot stop server or stop zone in multiple zones");
    for (size_t i = 0; i < addresses.n && rv == 0; i++)
        rv = one(x, addresses.items[i], zone);
    return rv != 0 ? rv : cmd_ok(x);
}

/* --- units ------------------------------------------------------------------------------------------------------------------------ */

/* MIGRATE UNIT [=] n DESTINATION [=] 'ip:port' */
static int migrate(struct cmd *x)
{
    struct sim_server *to;
    struct slice address;
    struct sim_unit *u;
    const char *why;
    int64_t id;
    int rv;

    if (!cmd_i64_after_equal(x, &id) || !parse_words(&x->p, "DESTINATION") || !cmd_name_after_equal(x, &address))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    u = sim_unit_get(x->c, id);
    to = sim_server_at(x->c, address);
    if (u == NULL || to == NULL || !to->is_member)
        return missing(x);
    if (u->migrate_from != 0)
        return cmd_fail(x, 4665, "Unit is migrating, can not migrate again");
    if (to->id == u->server_id)
        return cmd_ok(x);
    if (strcasecmp(to->zone, u->zone) != 0)
        return cmd_fail(x, 4179, "migrate unit between zones not allowed");
    if (!place_fits(x->c, to, sim_pool_get(x->c, u->pool_id), &why)) {
        if (why == NULL)
            return cmd_fail(x, 4734, "zone '%s' server not enough to hold 1 unit", u->zone);
        return cmd_fail(x, 4733, "server '\"%s:%d\"' %s resource not enough", to->ip, to->rpc_port, why);
    }
    place_move(x->c, u, to, true, x->sql);
    return cmd_ok(x);
}

static int cancel_migrate(struct cmd *x)
{
    struct sim_unit *u;
    struct sim_job *j;
    int64_t id;
    int rv;

    if (!cmd_i64_after_equal(x, &id))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    u = sim_unit_get(x->c, id);
    if (u == NULL)
        return missing(x);
    j = running(x->c, SIM_JOB_UNIT, 0, id);
    if (u->migrate_from == 0 || j == NULL)
        return cmd_fail(x, 4179, "cancel migrate unit which is not migrating not allowed");
    sim_job_end(x->c, j, "FAILED", CANCELED);
    u->server_id = u->migrate_from;
    u->migrate_from = 0;
    u->is_manual = false;
    u->modified_us = x->c->now_us;
    return cmd_ok(x);
}

#define ROW(WORDS, RUN, ARG) { "ALTER SYSTEM " WORDS, RUN, CMD_SYS, SIM_P(ALTER_SYSTEM), ARG }
const struct cmd_row cmd_server_rows[] = {
    ROW("ADD SERVER", servers, ADD),
    ROW("DELETE SERVER", servers, DELETE),
    ROW("CANCEL DELETE SERVER", servers, CANCEL),
    ROW("START SERVER", servers, START),
    ROW("STOP SERVER", servers, STOP),
    ROW("FORCE STOP SERVER", servers, FORCE_STOP),
    ROW("ISOLATE SERVER", servers, ISOLATE),
    ROW("MIGRATE UNIT", migrate, 0),
    ROW("CANCEL MIGRATE UNIT", cancel_migrate, 0),
    { "", NULL, 0, 0, 0 },
};

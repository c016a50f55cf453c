/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/obsim/build.h"
#include "tests/obsim/like.h"
#include "tests/obsim/step.h"

#define GIB (INT64_C(1) << 30)

/* --- servers ------------------------------------------------------------------------------------------------------------------- */

const char *sim_server_status_name(enum sim_server_status status)
{
    static const char *const names[] = { "ACTIVE", "INACTIVE", "DELETING" };

    return names[status];
}

bool sim_server_serves(const struct sim_cluster *c, const struct sim_server *s)
{
    const struct sim_zone *z = sim_zone_find((struct sim_cluster *)c, sim_slice(s->zone));

    return s->is_member && s->is_alive && s->status != SIM_SERVER_INACTIVE && s->start_service_us != 0 && s->stop_us == 0 && z != NULL &&
           z->is_active;
}

/* What was set while it ran and needs a start is in force now. */
static void take_pending(struct sim_server *s, int64_t now_us)
{
    for (size_t i = 0; i < s->pending.list.n; i++)
        sim_values_set(&s->parameters, s->pending.list.items[i]->name, sim_slice(s->pending.list.items[i]->value), now_us);
    sim_values_fini(&s->pending);
}

void sim_server_alive(struct sim_cluster *c, struct sim_server *s, bool is_alive, const char *build_version)
{
    if (build_version != NULL)
        sim_name(s->build_version, sim_slice(build_version));
    if (s->is_alive == is_alive)
        return;
    c->changes++;
    s->is_alive = is_alive;
    if (is_alive)
        take_pending(s, c->now_us);
    if (s->is_member)
        (void)sim_schedule(c, is_alive ? SIM_STEP_SERVER_ONLINE : SIM_STEP_SERVER_OFFLINE, s->id);
}

struct sim_server *sim_server_blank(struct sim_cluster *c, const char *ip, int rpc_port, int sql_port, const char *zone)
{
    struct sim_server *s = NULL;

    for (size_t i = 0; i < c->servers.n && s == NULL; i++)
        if (strcmp(c->servers.items[i]->ip, ip) == 0 && c->servers.items[i]->rpc_port == rpc_port && !c->servers.items[i]->is_member)
            s = c->servers.items[i];
    if (s == NULL)
        s = sim_push(&c->servers);
    sim_short(s->ip, sizeof s->ip, sim_slice(ip));
    sim_name(s->zone, sim_slice(zone));
    s->id = 0;
    s->rpc_port = rpc_port;
    s->sql_port = sql_port;
    s->is_alive = true;
    s->status = SIM_SERVER_INACTIVE;
    (void)snprintf(s->build_version, sizeof s->build_version, "%s_%s", c->version, c->build);
    s->capacity = (struct sim_capacity){ 16, 32 * GIB, 96 * GIB, 256 * GIB };
    c->changes++;
    return s;
}

struct sim_capacity sim_server_assigned(struct sim_cluster *c, const struct sim_server *s)
{
    struct sim_capacity sum = { 0, 0, 0, 0 };

    for (size_t i = 0; i < c->units.n; i++) {
        const struct sim_unit *u = c->units.items[i];
        const struct sim_unit_config *config;

        if (u->server_id != s->id && u->migrate_from != s->id)
            continue;
        config = sim_config_get(c, sim_pool_get(c, u->pool_id)->config_id);
        sum.cpu += config->max_cpu;
        sum.memory += config->memory;
        sum.log_disk += config->log_disk;
    }
    return sum;
}

/* --- jobs, history, time -------------------------------------------------------------------------------------------------------- */

struct sim_job *sim_job_start(struct sim_cluster *c, enum sim_job_kind kind, const char *type, struct slice sql)
{
    const struct sim_server *rs = sim_rootserver(c);
    struct sim_job *j = sim_push(&c->jobs);

    j->kind = kind;
    j->id = c->next_job++;
    j->type = type;
    j->status = "INPROGRESS";
    j->started_us = j->modified_us = c->now_us;
    if (sql.n > 0)
        sim_text(&j->sql_text, sql);
    if (rs != NULL) {
        sim_short(j->rs_ip, sizeof j->rs_ip, sim_slice(rs->ip));
        j->rs_port = rs->rpc_port;
    }
    return j;
}

void sim_job_end(struct sim_cluster *c, struct sim_job *j, const char *status, int result)
{
    j->status = status;
    j->result = result;
    j->progress = result == 0 ? 100 : j->progress;
    j->modified_us = c->now_us;
}

enum { MAX_EVENTS = 2000 };

static void free_event(struct sim_cluster *c, size_t i)
{
    for (int k = 0; k < SIM_EVENT_PAIRS; k++)
        mem_free(c->events.items[i]->values[k]);
    sim_remove(&c->events, i);
}

void sim_note(struct sim_cluster *c, const char *module, const char *event, ...)
{
    const struct sim_server *rs = sim_rootserver(c);
    struct sim_event *n;
    const char *name;
    va_list args;

    if (c->events.n == MAX_EVENTS)
        free_event(c, 0);
    n = sim_push(&c->events);
    n->us = c->now_us;
    sim_short(n->module, sizeof n->module, sim_slice(module));
    sim_short(n->event, sizeof n->event, sim_slice(event));
    va_start(args, event);
    for (int k = 0; k < SIM_EVENT_PAIRS && (name = va_arg(args, const char *)) != NULL; k++) {
        sim_short(n->names[k], sizeof n->names[k], sim_slice(name));
        sim_text(&n->values[k], sim_slice(sim_c(va_arg(args, const char *))));
    }
    va_end(args);
    if (rs != NULL) {
        sim_short(n->rs_ip, sizeof n->rs_ip, sim_slice(rs->ip));
        n->rs_port = rs->rpc_port;
    }
}

struct sim_step *sim_schedule(struct sim_cluster *c, enum sim_step_kind kind, int64_t id)
{
    uint64_t span = (uint64_t)(c->max_delay_us - c->min_delay_us) + 1;
    struct sim_step *s = sim_push(&c->steps);

    s->kind = kind;
    s->id = id;
    s->at_us = c->now_us + c->min_delay_us + (int64_t)(sim_random(&c->random) % span);
    c->changes++;
    return s;
}

enum sim_step_kind sim_step_named(struct slice name)
{
    static const char *const names[SIM_STEP_N] = {
        [SIM_STEP_BOOTSTRAP] = "bootstrap",           [SIM_STEP_SERVER_ONLINE] = "server_online",   [SIM_STEP_SERVER_OFFLINE] = "server_offline",
        [SIM_STEP_SERVER_DELETE] = "server_delete",   [SIM_STEP_LEADERS] = "leaders",               [SIM_STEP_UNIT_MIGRATE] = "unit_migrate",
        [SIM_STEP_TENANT_CREATED] = "tenant_created", [SIM_STEP_TENANT_DROPPED] = "tenant_dropped", [SIM_STEP_TENANT_JOB] = "tenant_job",
        [SIM_STEP_MAJOR] = "major",                   [SIM_STEP_MINOR] = "minor",
    };
    int i = 0;

    while (i < SIM_STEP_N && !slice_is(name, names[i]))
        i++;
    return (enum sim_step_kind)i;
}

/* The earliest that is not held; c->steps.n when there is none. */
static size_t next_step(const struct sim_cluster *c)
{
    size_t best = c->steps.n;

    for (size_t i = 0; i < c->steps.n; i++)
        if (!c->held[c->steps.items[i]->kind] && (best == c->steps.n || c->steps.items[i]->at_us < c->steps.items[best]->at_us))
            best = i;
    return best;
}

int64_t sim_next_us(const struct sim_cluster *c)
{
    size_t i = next_step(c);

    return i < c->steps.n ? c->steps.items[i]->at_us : 0;
}

void sim_advance(struct sim_cluster *c, int64_t now_us)
{
    for (size_t i = next_step(c); i < c->steps.n && c->steps.items[i]->at_us <= now_us; i = next_step(c)) {
        struct sim_step step = *c->steps.items[i];

        sim_remove(&c->steps, i);
        if (step.at_us > c->now_us)
            c->now_us = step.at_us;
        step_do(c, &step);
    }
    if (now_us > c->now_us)
        c->now_us = now_us;
}

void sim_cluster_clear(struct sim_cluster *c)
{
    build_cluster_fini(c);
    for (size_t i = 0; i < c->servers.n; i++) {
        sim_values_fini(&c->servers.items[i]->parameters);
        sim_values_fini(&c->servers.items[i]->pending);
    }
    for (size_t i = 0; i < c->jobs.n; i++) {
        mem_free(c->jobs.items[i]->sql_text);
        mem_free(c->jobs.items[i]->extra);
    }
    while (c->events.n > 0)
        free_event(c, c->events.n - 1);
    sim_clear(&c->zones);
    sim_clear(&c->founders);
    sim_clear(&c->configs);
    sim_clear(&c->units);
    sim_clear(&c->jobs);
    sim_clear(&c->events);
    sim_clear(&c->steps);
    sim_values_fini(&c->parameters);
}

void sim_cluster_free(struct sim_cluster *c)
{
    sim_cluster_clear(c);
    for (size_t i = 0; i < c->clients.n; i++)
        mem_free(c->clients.items[i]->info);
    sim_clear(&c->servers);
    sim_clear(&c->clients);
    mem_free(c);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*  BOOTSTRAP      BOOTSTRAP: zones, members, tenant sys
 *  add / return   SERVER_ONLINE: in service ──▶ LEADERS
 *  death          SERVER_OFFLINE: INACTIVE ──▶ LEADERS
 *  DELETE SERVER  SERVER_DELETE: a unit moves (UNIT_MIGRATE), again until none is left ──▶ the row goes
 *  stop / start   LEADERS
 *  tenants        TENANT_CREATED, TENANT_DROPPED, TENANT_JOB (locality, primary zone, unit number)
 *  compaction     MAJOR: broadcast ──▶ zones done ──▶ checksum ──▶ idle;  MINOR: checkpoints */
#include "tests/obsim/step.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/build.h"
#include "tests/obsim/place.h"

/* --- servers ------------------------------------------------------------------------------------------------------------------ */

static void bootstrap(struct sim_cluster *c, const struct sim_step *step)
{
    (void)step; /* the founders are noted in the cluster */
    sim_cluster_found(c);
    sim_note(c, "bootstrap", "bootstrap_succeed", "rs_list", c->servers.items[0]->ip, NULL);
}

static void server_online(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_server *s = sim_server_find(c, step->id);

    if (s == NULL || !s->is_member || !s->is_alive)
        return;
    if (s->status == SIM_SERVER_INACTIVE)
        s->status = SIM_SERVER_ACTIVE;
    s->start_service_us = c->now_us;
    s->modified_us = c->now_us;
    sim_note(c, "server", "online", "server", s->ip, NULL);
    (void)sim_schedule(c, SIM_STEP_LEADERS, 0);
}

static void server_offline(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_server *s = sim_server_find(c, step->id);

    if (s == NULL || !s->is_member || s->is_alive)
        return;
    if (s->status == SIM_SERVER_ACTIVE)
        s->status = SIM_SERVER_INACTIVE;
    s->start_service_us = 0;
    s->last_offline_us = s->modified_us = c->now_us;
    sim_note(c, "server", "lease_expire", "server", s->ip, NULL);
    (void)sim_schedule(c, SIM_STEP_LEADERS, 0);
}

/* A unit that is on the server and not on its way; `*is_busy`: one arrives there or leaves it. */
static struct sim_unit *unit_to_move(struct sim_cluster *c, int64_t server_id, bool *is_busy)
{
    struct sim_unit *found = NULL;

    *is_busy = false;
    for (size_t i = 0; i < c->units.n; i++) {
        struct sim_unit *u = c->units.items[i];

        if (u->migrate_from == server_id || (u->server_id == server_id && u->migrate_from != 0))
            *is_busy = true;
        else if (u->server_id == server_id && found == NULL)
            found = u;
    }
    return found;
}

static void server_gone(struct sim_cluster *c, struct sim_server *s, int64_t job)
{
    struct sim_job *j = sim_job_find(c, job);

    s->is_member = false;
    s->status = SIM_SERVER_INACTIVE;
    s->zone[0] = '\0';
    sim_values_fini(&s->parameters);
    sim_values_fini(&s->pending);
    if (j != NULL)
        sim_job_end(c, j, "SUCCESS", 0);
    sim_note(c, "server", "finish_delete_server", "server", s->ip, NULL);
}

static void server_delete(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_server *s = sim_server_find(c, step->id), *to;
    bool is_busy;
    struct sim_unit *u;

    if (s == NULL || !s->is_member || s->status != SIM_SERVER_DELETING)
        return;
    u = unit_to_move(c, s->id, &is_busy);
    if (u == NULL && !is_busy) {
        server_gone(c, s, step->other);
        return;
    }
    to = u != NULL ? place_refuge(c, u) : NULL;
    if (to != NULL)
        place_move(c, u, to, false, SLICE(""));
    sim_schedule(c, SIM_STEP_SERVER_DELETE, s->id)->other = step->other;
}

static void unit_migrate(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_unit *u = sim_unit_get(c, step->id);
    struct sim_job *j = sim_job_find(c, step->other);
    struct sim_tenant *t;

    if (u == NULL || j == NULL || strcmp(j->status, "INPROGRESS") != 0)
        return;
    u->migrate_from = 0;
    u->is_manual = false;
    u->modified_us = c->now_us;
    sim_job_end(c, j, "SUCCESS", 0);
    t = sim_tenant_get(c, sim_pool_get(c, u->pool_id)->tenant_id);
    if (t != NULL)
        place_streams(c, t);
}

/* --- tenants ------------------------------------------------------------------------------------------------------------------ */

static void tenant_created(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_tenant *t = sim_tenant_get(c, step->id), *meta = sim_tenant_get(c, step->id - 1);

    if (t == NULL || t->status != SIM_TENANT_CREATING)
        return;
    t->status = meta->status = SIM_TENANT_NORMAL;
    t->modified_us = meta->modified_us = c->now_us;
    place_streams(c, t);
    sim_note(c, "tenant", "create_tenant_end", "tenant", t->name, NULL);
}

static void tenant_dropped(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_tenant *t = sim_tenant_get(c, step->id);

    if (t == NULL || t->status != SIM_TENANT_DROPPING)
        return;
    sim_note(c, "tenant", "drop_tenant_end", "tenant", t->name, NULL);
    build_tenant_remove(c, t);
}

/* Units beyond the wanted number go with their groups. */
static void drop_deleting_units(struct sim_cluster *c, int64_t tenant_id)
{
    for (size_t i = c->units.n; i-- > 0;) {
        const struct sim_unit *u = c->units.items[i];

        if (u->is_deleting && sim_pool_get(c, u->pool_id)->tenant_id == tenant_id)
            sim_remove(&c->units, i);
    }
}

static void tenant_job(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_job *j = sim_job_find(c, step->id);
    struct sim_tenant *t = j != NULL ? sim_tenant_get(c, j->tenant_id) : NULL;

    if (t == NULL || strcmp(j->status, "INPROGRESS") != 0)
        return;
    if (strstr(j->type, "LOCALITY") != NULL) {
        mem_free(t->previous_locality);
        t->previous_locality = NULL;
    } else if (strstr(j->type, "UNIT_NUM") != NULL) {
        drop_deleting_units(c, t->id);
    }
    t->modified_us = c->now_us;
    place_streams(c, t);
    sim_job_end(c, j, "SUCCESS", 0);
    sim_note(c, "tenant", "finish_job", "job_type", j->type, "tenant", t->name, NULL);
}

/* --- compaction --------------------------------------------------------------------------------------------------------------- */

static struct sim_compaction_zone *zone_of(struct sim_compaction *m, const char *zone)
{
    struct sim_compaction_zone *z;

    for (size_t i = 0; i < m->zones.n; i++)
        if (strcasecmp(m->zones.items[i]->zone, zone) == 0)
            return m->zones.items[i];
    z = sim_push(&m->zones);
    sim_name(z->zone, sim_slice(zone));
    return z;
}

static void start_zones(struct sim_cluster *c, const struct sim_tenant *t, struct sim_compaction *m)
{
    m->broadcast_scn = m->frozen_scn;
    for (size_t i = 0; i < c->zones.n; i++) {
        struct sim_compaction_zone *z;

        if (place_locality_type(t->locality, c->zones.items[i]->name) == '\0')
            continue;
        z = zone_of(m, c->zones.items[i]->name);
        z->broadcast_scn = m->broadcast_scn;
        z->started_us = c->now_us;
        z->status = "COMPACTION";
    }
}

/* The first zone that still merges is done. False: there is none. */
static bool finish_zone(struct sim_cluster *c, struct sim_compaction *m)
{
    for (size_t i = 0; i < m->zones.n; i++) {
        struct sim_compaction_zone *z = m->zones.items[i];

        if (z->last_scn == z->broadcast_scn)
            continue;
        z->last_scn = z->broadcast_scn;
        z->finished_us = c->now_us;
        z->status = "IDLE";
        return true;
    }
    return false;
}

static void major(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_tenant *t = sim_tenant_get(c, step->id);
    struct sim_compaction *m = t != NULL ? &t->compaction : NULL;

    if (m == NULL || m->is_suspended || m->is_error || m->last_scn == m->frozen_scn)
        return;
    if (m->broadcast_scn != m->frozen_scn)
        start_zones(c, t, m);
    else if (strcmp(m->status, "COMPACTION") == 0 && !finish_zone(c, m))
        m->status = "CHECKSUM";
    else if (strcmp(m->status, "CHECKSUM") == 0) {
        m->status = "IDLE";
        m->last_scn = m->broadcast_scn;
        m->finished_us = c->now_us;
        return;
    }
    (void)sim_schedule(c, SIM_STEP_MAJOR, t->id);
}

bool step_major_start(struct sim_cluster *c, struct sim_tenant *t)
{
    struct sim_compaction *m = &t->compaction;

    if (m->last_scn != m->frozen_scn)
        return false;
    m->frozen_scn = c->now_us * 1000;
    m->started_us = c->now_us;
    m->status = "COMPACTION";
    (void)sim_schedule(c, SIM_STEP_MAJOR, t->id);
    return true;
}

void step_major_resume(struct sim_cluster *c, struct sim_tenant *t)
{
    for (size_t i = 0; i < c->steps.n; i++)
        if (c->steps.items[i]->kind == SIM_STEP_MAJOR && c->steps.items[i]->id == t->id)
            return;
    if (t->compaction.last_scn != t->compaction.frozen_scn)
        (void)sim_schedule(c, SIM_STEP_MAJOR, t->id);
}

static void minor(struct sim_cluster *c, const struct sim_step *step)
{
    struct sim_server *s = sim_server_find(c, step->id);

    if (s != NULL && s->is_alive)
        s->minor_freeze_us = c->now_us;
}

static void leaders(struct sim_cluster *c, const struct sim_step *step)
{
    (void)step; /* all streams at once */
    place_leaders(c);
}

void step_do(struct sim_cluster *c, const struct sim_step *step)
{
    static void (*const steps[SIM_STEP_N])(struct sim_cluster *c, const struct sim_step *step) = {
        [SIM_STEP_BOOTSTRAP] = bootstrap,           [SIM_STEP_SERVER_ONLINE] = server_online,   [SIM_STEP_SERVER_OFFLINE] = server_offline,
        [SIM_STEP_SERVER_DELETE] = server_delete,
        [SIM_STEP_LEADERS] = leaders,               [SIM_STEP_UNIT_MIGRATE] = unit_migrate,     [SIM_STEP_TENANT_CREATED] = tenant_created,
        [SIM_STEP_TENANT_DROPPED] = tenant_dropped, [SIM_STEP_TENANT_JOB] = tenant_job,         [SIM_STEP_MAJOR] = major,
        [SIM_STEP_MINOR] = minor,
    };

    c->changes++;
    steps[step->kind](c, step);
}

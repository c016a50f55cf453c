/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants, their log streams and compactions. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/view.h"

static const int64_t no_limit_scn = INT64_C(4611686018427387903);

/* Of sys all of them, of others themselves and (CDB_ is not theirs) nobody else. */
static bool shows_tenant(const struct fill *f, const struct sim_tenant *t)
{
    return f->s->tenant->type == SIM_TENANT_SYS || t->id == f->s->tenant_id;
}

static int64_t first_scn(const struct fill *f, const struct sim_tenant *t)
{
    return t->streams.n > 0 ? sim_ls_end_scn(f->c, t->streams.items[0]) : f->c->now_us * 1000;
}

void fill_tenants(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];
        int64_t scn = first_scn(f, t);

        if (!shows_tenant(f, t))
            continue;
        put_i(f, "TENANT_ID", t->id);
        put_s(f, "TENANT_NAME", t->name);
        put_s(f, "TENANT_TYPE", sim_tenant_type_name(t->type));
        put_time(f, "CREATE_TIME", t->created_us);
        put_time(f, "MODIFY_TIME", t->modified_us);
        put_s(f, "PRIMARY_ZONE", sim_c(t->primary_zone));
        put_s(f, "LOCALITY", sim_c(t->locality));
        put_s(f, "PREVIOUS_LOCALITY", t->previous_locality);
        put_s(f, "COMPATIBILITY_MODE", t->is_oracle ? "ORACLE" : "MYSQL");
        put_s(f, "STATUS", sim_tenant_status_name(t->status));
        put_yes(f, "IN_RECYCLEBIN", t->in_recyclebin);
        put_yes(f, "LOCKED", t->is_locked);
        put_s(f, "TENANT_ROLE", "PRIMARY");
        put_s(f, "SWITCHOVER_STATUS", "NORMAL");
        put_i(f, "SWITCHOVER_EPOCH", 0);
        if (t->type == SIM_TENANT_USER) {
            put_i(f, "SYNC_SCN", scn);
            put_i(f, "REPLAYABLE_SCN", scn);
            put_i(f, "READABLE_SCN", scn);
            put_i(f, "RECOVERY_UNTIL_SCN", no_limit_scn);
        }
        put_s(f, "LOG_MODE", "NOARCHIVELOG");
        put_s(f, "ARBITRATION_SERVICE_STATUS", t->has_arbitration ? "ENABLED" : "DISABLED");
        put_i(f, "UNIT_NUM", t->unit_num);
        put_s(f, "COMPATIBLE", t->compatible);
        put_i(f, "MAX_LS_ID", t->streams.n > 0 ? t->streams.items[t->streams.n - 1]->id : 1);
        put_s(f, "RESTORE_DATA_MODE", "NORMAL");
        put_row(f);
    }
}

void fill_inner_tenants(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        put_time(f, "gmt_create", t->created_us);
        put_time(f, "gmt_modified", t->modified_us);
        put_i(f, "tenant_id", t->id);
        put_s(f, "tenant_name", t->name);
        put_s(f, "primary_zone", sim_c(t->primary_zone));
        put_i(f, "locked", t->is_locked);
        put_s(f, "info", sim_c(t->comment));
        put_s(f, "locality", sim_c(t->locality));
        put_s(f, "previous_locality", sim_c(t->previous_locality));
        put_i(f, "compatibility_mode", t->is_oracle);
        put_s(f, "status", sim_tenant_status_name(t->status));
        put_i(f, "in_recyclebin", t->in_recyclebin);
        put_row(f);
    }
}

void fill_access_points(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        if (!fill_wants_tenant(f, t->id) || t->type == SIM_TENANT_META)
            continue;
        for (size_t j = 0; j < f->c->servers.n; j++) {
            const struct sim_server *s = f->c->servers.items[j];

            if (!s->is_member || !s->is_alive || !sim_tenant_is_on(f->c, t, s->id))
                continue;
            put_i(f, "TENANT_ID", t->id);
            put_s(f, "TENANT_NAME", t->name);
            put_s(f, "SVR_IP", s->ip);
            put_i(f, "SQL_PORT", s->sql_port);
            put_row(f);
        }
    }
}

void fill_services(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        if (!fill_wants_tenant(f, t->id) || t->service[0] == '\0')
            continue;
        put_i(f, "TENANT_ID", t->id);
        put_time(f, "CREATE_TIME", t->modified_us);
        put_time(f, "MODIFIED_TIME", t->modified_us);
        put_i(f, "SERVICE_NAME_ID", t->id);
        put_s(f, "SERVICE_NAME", t->service);
        put_s(f, "SERVICE_STATUS", t->is_service_stopped ? "STOPPED" : "STARTED");
        put_row(f);
    }
}

/* --- log streams ------------------------------------------------------------------------------------------------------------------ */

/* Calls back for each stream of each tenant in reach. */
static void each_stream(struct fill *f, void (*put)(struct fill *f, const struct sim_tenant *t, const struct sim_ls *ls))
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        for (size_t j = 0; fill_wants_tenant(f, t->id) && j < t->streams.n; j++)
            put(f, t, t->streams.items[j]);
    }
}

static void put_stream(struct fill *f, const struct sim_tenant *t, const struct sim_ls *ls)
{
    put_i(f, "TENANT_ID", t->id);
    put_i(f, "LS_ID", ls->id);
    put_s(f, "STATUS", t->status == SIM_TENANT_CREATING ? "CREATING" : "NORMAL");
    put_i(f, "CREATE_SCN", ls->created_us * 1000);
    put_i(f, "SYNC_SCN", sim_ls_end_scn(f->c, ls));
    put_i(f, "READABLE_SCN", sim_ls_end_scn(f->c, ls));
    put_s(f, "PRIMARY_ZONE", sim_c(ls->primary_zone));
    put_i(f, "UNIT_GROUP_ID", ls->group_id);
    put_i(f, "LS_GROUP_ID", ls->group_id);
    put_s(f, "FLAG", "");
    put_row(f);
}

void fill_streams(struct fill *f)
{
    each_stream(f, put_stream);
}

/* "10.0.0.1:2882:1,10.0.0.2:2882:1" */
static void add_members(const struct fill *f, const struct sim_ls *ls, struct str *out)
{
    for (size_t i = 0; i < ls->replicas.n; i++) {
        const struct sim_server *s = sim_server_find(f->c, ls->replicas.items[i]->server_id);

        if (s != NULL && ls->replicas.items[i]->type == 'F')
            str_printf(out, "%s%s:%d:1", out->n > 0 ? "," : "", s->ip, s->rpc_port);
    }
}

static int64_t count_members(const struct sim_ls *ls)
{
    int64_t n = 0;

    for (size_t i = 0; i < ls->replicas.n; i++)
        n += ls->replicas.items[i]->type == 'F';
    return n;
}

static void put_locations(struct fill *f, const struct sim_tenant *t, const struct sim_ls *ls)
{
    struct str members;

    str_init(&members, NULL);
    add_members(f, ls, &members);
    for (size_t i = 0; i < ls->replicas.n; i++) {
        const struct sim_replica *r = ls->replicas.items[i];
        const struct sim_server *s = sim_server_find(f->c, r->server_id);

        if (s == NULL)
            continue;
        put_time(f, "CREATE_TIME", ls->created_us);
        put_time(f, "MODIFY_TIME", ls->created_us);
        put_i(f, "TENANT_ID", t->id);
        put_i(f, "LS_ID", ls->id);
        put_address(f, s);
        put_i(f, "SQL_PORT", s->sql_port);
        put_s(f, "ZONE", s->zone);
        put_s(f, "ROLE", r->is_leader ? "LEADER" : "FOLLOWER");
        if (r->is_leader)
            put_s(f, "MEMBER_LIST", str_c(&members));
        put_i(f, "PAXOS_REPLICA_NUMBER", r->is_leader ? count_members(ls) : -1);
        put_s(f, "REPLICA_TYPE", r->type == 'F' ? "FULL" : "READONLY");
        put_s(f, "REBUILD", "FALSE");
        put_row(f);
    }
    str_fini(&members);
}

void fill_locations(struct fill *f)
{
    each_stream(f, put_locations);
}

static void put_log_stats(struct fill *f, const struct sim_tenant *t, const struct sim_ls *ls)
{
    int64_t scn = sim_ls_end_scn(f->c, ls);
    struct str members;

    str_init(&members, NULL);
    add_members(f, ls, &members);
    for (size_t i = 0; i < ls->replicas.n; i++) {
        const struct sim_replica *r = ls->replicas.items[i];
        const struct sim_server *s = sim_server_find(f->c, r->server_id);
        int64_t lsn = (scn / 1000 - ls->created_us) / 100;

        if (s == NULL || !fill_wants_server(f, s))
            continue;
        put_i(f, "TENANT_ID", t->id);
        put_i(f, "LS_ID", ls->id);
        put_address(f, s);
        put_s(f, "ROLE", r->is_leader ? "LEADER" : "FOLLOWER");
        put_i(f, "PROPOSAL_ID", ls->proposal);
        put_s(f, "CONFIG_VERSION", "{proposal_id:1, config_seq:1}");
        put_s(f, "ACCESS_MODE", "APPEND");
        put_s(f, "PAXOS_MEMBER_LIST", str_c(&members));
        put_i(f, "PAXOS_REPLICA_NUM", count_members(ls));
        put_yes(f, "IN_SYNC", r->in_sync);
        put_i(f, "BASE_LSN", 0);
        put_i(f, "BEGIN_LSN", 0);
        put_i(f, "BEGIN_SCN", ls->created_us * 1000);
        put_i(f, "END_LSN", lsn);
        put_i(f, "END_SCN", scn);
        put_i(f, "MAX_LSN", lsn);
        put_i(f, "MAX_SCN", scn);
        put_s(f, "ARBITRATION_MEMBER", "");
        put_s(f, "DEGRADED_LIST", "");
        put_s(f, "LEARNER_LIST", "");
        put_row(f);
    }
    str_fini(&members);
}

void fill_log_stats(struct fill *f)
{
    each_stream(f, put_log_stats);
}

static void put_inner_streams(struct fill *f, const struct sim_tenant *t, const struct sim_ls *ls)
{
    for (size_t i = 0; i < ls->replicas.n; i++) {
        const struct sim_server *s = sim_server_find(f->c, ls->replicas.items[i]->server_id);

        if (s == NULL || !fill_wants_server(f, s))
            continue;
        put_address(f, s);
        put_i(f, "tenant_id", t->id);
        put_i(f, "ls_id", ls->id);
        put_s(f, "replica_type", ls->replicas.items[i]->type == 'F' ? "FULL" : "READONLY");
        put_s(f, "ls_state", ls->replicas.items[i]->is_leader ? "LEADER" : "FOLLOWER");
        put_i(f, "tablet_count", (int64_t)t->objects.n);
        put_i(f, "weak_read_scn", sim_ls_end_scn(f->c, ls));
        put_s(f, "need_rebuild", "NO");
        put_i(f, "checkpoint_scn", (s->minor_freeze_us > ls->created_us ? s->minor_freeze_us : ls->created_us) * 1000);
        put_i(f, "migrate_status", 0);
        put_row(f);
    }
}

void fill_inner_streams(struct fill *f)
{
    each_stream(f, put_inner_streams);
}

void fill_schema_info(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        for (size_t j = 0; fill_wants_tenant(f, t->id) && j < f->c->servers.n; j++) {
            const struct sim_server *s = f->c->servers.items[j];

            if (!fill_wants_server(f, s))
                continue;
            put_address(f, s);
            put_i(f, "TENANT_ID", t->id);
            put_i(f, "REFRESHED_SCHEMA_VERSION", t->modified_us);
            put_i(f, "RECEIVED_SCHEMA_VERSION", t->modified_us);
            put_i(f, "SCHEMA_COUNT", 1000 + (int64_t)t->objects.n);
            put_i(f, "SCHEMA_SIZE", 1 << 20);
            put_i(f, "MIN_SSTABLE_SCHEMA_VERSION", 1);
            put_row(f);
        }
    }
}

/* --- compaction -------------------------------------------------------------------------------------------------------------------- */

void fill_compactions(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];
        const struct sim_compaction *m = &t->compaction;

        if (!fill_wants_tenant(f, t->id))
            continue;
        put_i(f, "TENANT_ID", t->id);
        put_i(f, "FROZEN_SCN", m->frozen_scn);
        put_time(f, "FROZEN_TIME", m->frozen_scn / 1000);
        put_i(f, "GLOBAL_BROADCAST_SCN", m->broadcast_scn);
        put_i(f, "LAST_SCN", m->last_scn);
        put_time(f, "LAST_FINISH_TIME", m->finished_us);
        put_time(f, "START_TIME", m->started_us);
        put_s(f, "STATUS", m->status);
        put_yes(f, "IS_ERROR", m->is_error);
        put_yes(f, "IS_SUSPENDED", m->is_suspended);
        put_s(f, "INFO", sim_c(m->info));
        put_row(f);
    }
}

void fill_zone_compactions(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        for (size_t j = 0; fill_wants_tenant(f, t->id) && j < t->compaction.zones.n; j++) {
            const struct sim_compaction_zone *z = t->compaction.zones.items[j];

            put_i(f, "TENANT_ID", t->id);
            put_s(f, "ZONE", z->zone);
            put_i(f, "BROADCAST_SCN", z->broadcast_scn);
            put_i(f, "LAST_SCN", z->last_scn);
            put_time(f, "LAST_FINISH_TIME", z->finished_us);
            put_time(f, "START_TIME", z->started_us);
            put_s(f, "STATUS", z->status);
            put_row(f);
        }
    }
}

/* A tablet for each table and index, in the tenant's last stream. */
void fill_tablets(struct fill *f)
{
    enum { FIRST_TABLET = 200000, BYTES = 2 << 20 };

    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];
        const struct sim_ls *ls = t->streams.n > 0 ? t->streams.items[t->streams.n - 1] : NULL;

        for (size_t j = 0; ls != NULL && fill_wants_tenant(f, t->id) && j < t->objects.n; j++) {
            const struct sim_object *o = t->objects.items[j];

            for (size_t k = 0; (o->kind == SIM_TABLE || o->kind == SIM_INDEX) && k < ls->replicas.n; k++) {
                put_time(f, "CREATE_TIME", o->created_us);
                put_time(f, "MODIFY_TIME", o->modified_us);
                put_i(f, "TENANT_ID", t->id);
                put_i(f, "TABLET_ID", FIRST_TABLET + o->id);
                put_address(f, sim_server_find(f->c, ls->replicas.items[k]->server_id));
                put_i(f, "LS_ID", ls->id);
                put_i(f, "COMPACTION_SCN", t->compaction.last_scn);
                put_i(f, "DATA_SIZE", BYTES);
                put_i(f, "REQUIRED_SIZE", 2 * BYTES);
                put_row(f);
            }
        }
    }
}

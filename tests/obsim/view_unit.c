/* SPDX-License-Identifier: Apache-2.0 */
/* Resource units, pools, jobs and events of the cluster. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/view.h"

void fill_unit_configs(struct fill *f)
{
    for (size_t i = 0; i < f->c->configs.n; i++) {
        const struct sim_unit_config *u = f->c->configs.items[i];

        put_i(f, "UNIT_CONFIG_ID", u->id);
        put_s(f, "NAME", u->name);
        put_time(f, "CREATE_TIME", u->created_us);
        put_time(f, "MODIFY_TIME", u->modified_us);
        put_d(f, "MAX_CPU", u->max_cpu);
        put_d(f, "MIN_CPU", u->min_cpu);
        put_i(f, "MEMORY_SIZE", u->memory);
        put_i(f, "LOG_DISK_SIZE", u->log_disk);
        put_i(f, "MAX_IOPS", u->max_iops);
        put_i(f, "MIN_IOPS", u->min_iops);
        put_i(f, "IOPS_WEIGHT", u->iops_weight);
        put_i(f, "DATA_DISK_SIZE", 0);
        put_row(f);
    }
}

void fill_pools(struct fill *f)
{
    struct str zones;

    str_init(&zones, NULL);
    for (size_t i = 0; i < f->c->pools.n; i++) {
        const struct sim_pool *p = f->c->pools.items[i];

        str_clear(&zones);
        for (size_t j = 0; j < p->zones.n; j++)
            str_printf(&zones, "%s%s", j > 0 ? ";" : "", p->zones.items[j]->s);
        put_i(f, "RESOURCE_POOL_ID", p->id);
        put_s(f, "NAME", p->name);
        if (p->tenant_id != 0)
            put_i(f, "TENANT_ID", p->tenant_id);
        put_time(f, "CREATE_TIME", p->created_us);
        put_time(f, "MODIFY_TIME", p->modified_us);
        put_i(f, "UNIT_COUNT", p->unit_num);
        put_i(f, "UNIT_CONFIG_ID", p->config_id);
        put_s(f, "ZONE_LIST", str_c(&zones));
        put_s(f, "REPLICA_TYPE", "FULL");
        put_row(f);
    }
    str_fini(&zones);
}

void fill_units(struct fill *f)
{
    for (size_t i = 0; i < f->c->units.n; i++) {
        const struct sim_unit *u = f->c->units.items[i];
        const struct sim_pool *p = sim_pool_get(f->c, u->pool_id);
        const struct sim_unit_config *config = p != NULL ? sim_config_get(f->c, p->config_id) : NULL;
        const struct sim_server *from = u->migrate_from != 0 ? sim_server_find(f->c, u->migrate_from) : NULL;

        if (config == NULL)
            continue;
        put_i(f, "UNIT_ID", u->id);
        if (p->tenant_id != 0)
            put_i(f, "TENANT_ID", p->tenant_id);
        put_s(f, "STATUS", u->is_deleting ? "DELETING" : "ACTIVE");
        put_i(f, "RESOURCE_POOL_ID", p->id);
        put_i(f, "UNIT_GROUP_ID", u->group_id);
        put_time(f, "CREATE_TIME", u->created_us);
        put_time(f, "MODIFY_TIME", u->modified_us);
        put_s(f, "ZONE", u->zone);
        put_address(f, sim_server_find(f->c, u->server_id));
        if (from != NULL) {
            put_s(f, "MIGRATE_FROM_SVR_IP", from->ip);
            put_i(f, "MIGRATE_FROM_SVR_PORT", from->rpc_port);
            put_yes(f, "MANUAL_MIGRATE", u->is_manual);
        }
        put_i(f, "UNIT_CONFIG_ID", config->id);
        put_d(f, "MAX_CPU", config->max_cpu);
        put_d(f, "MIN_CPU", config->min_cpu);
        put_i(f, "MEMORY_SIZE", config->memory);
        put_i(f, "LOG_DISK_SIZE", config->log_disk);
        put_i(f, "MAX_IOPS", config->max_iops);
        put_i(f, "MIN_IOPS", config->min_iops);
        put_i(f, "IOPS_WEIGHT", config->iops_weight);
        put_row(f);
    }
}

/* A unit gives its tenant and, of a user tenant, a share to the meta tenant: a row each. */
static void put_share(struct fill *f, const struct sim_unit *u, const struct sim_unit_config *config, const struct sim_server *s,
                      int64_t tenant_id, double share)
{
    const struct sim_zone *z = sim_zone_find(f->c, sim_slice(u->zone));
    int64_t log = (int64_t)((double)config->log_disk * share);

    if (!fill_wants_tenant(f, tenant_id))
        return;
    put_address(f, s);
    put_i(f, "UNIT_ID", u->id);
    put_i(f, "TENANT_ID", tenant_id);
    put_s(f, "ZONE", u->zone);
    put_s(f, "ZONE_TYPE", "ReadWrite");
    put_s(f, "REGION", z != NULL ? z->region : "");
    put_d(f, "MAX_CPU", config->max_cpu);
    put_d(f, "MIN_CPU", config->min_cpu);
    put_i(f, "MEMORY_SIZE", (int64_t)((double)config->memory * share));
    put_i(f, "MAX_IOPS", config->max_iops);
    put_i(f, "MIN_IOPS", config->min_iops);
    put_i(f, "IOPS_WEIGHT", config->iops_weight);
    put_i(f, "LOG_DISK_SIZE", log);
    put_i(f, "LOG_DISK_IN_USE", log / 10);
    put_i(f, "DATA_DISK_IN_USE", log / 20);
    put_s(f, "STATUS", u->migrate_from != 0 ? "MIGRATING IN" : "NORMAL");
    put_time(f, "CREATE_TIME", u->created_us);
    put_row(f);
}

void fill_unit_stats(struct fill *f)
{
    for (size_t i = 0; i < f->c->units.n; i++) {
        const struct sim_unit *u = f->c->units.items[i];
        const struct sim_pool *p = sim_pool_get(f->c, u->pool_id);
        const struct sim_unit_config *config = p != NULL ? sim_config_get(f->c, p->config_id) : NULL;
        const struct sim_server *s = sim_server_find(f->c, u->server_id);
        const struct sim_tenant *t = p != NULL ? sim_tenant_get(f->c, p->tenant_id) : NULL;

        if (config == NULL || s == NULL || t == NULL || !fill_wants_server(f, s))
            continue;
        put_share(f, u, config, s, t->id, t->type == SIM_TENANT_USER ? 0.9 : 1);
        if (t->type == SIM_TENANT_USER)
            put_share(f, u, config, s, t->id - 1, 0.1);
    }
}

/* --- jobs and events ------------------------------------------------------------------------------------------------------------- */

void fill_jobs(struct fill *f)
{
    enum sim_job_kind kind = strcasecmp(f->table->name, "DBA_OB_TENANT_JOBS") == 0 ? SIM_JOB_TENANT
                             : strcasecmp(f->table->name, "DBA_OB_UNIT_JOBS") == 0 ? SIM_JOB_UNIT : SIM_JOB_SERVER;

    for (size_t i = 0; i < f->c->jobs.n; i++) {
        const struct sim_job *j = f->c->jobs.items[i];
        bool is_running = strcmp(j->status, "INPROGRESS") == 0;

        if (j->kind != kind)
            continue;
        put_i(f, "JOB_ID", j->id);
        put_s(f, "JOB_TYPE", j->type);
        put_s(f, "JOB_STATUS", j->status);
        if (!is_running)
            put_i(f, "RESULT_CODE", j->result);
        put_i(f, "PROGRESS", j->progress);
        put_time(f, "START_TIME", j->started_us);
        put_time(f, "MODIFY_TIME", j->modified_us);
        if (kind != SIM_JOB_SERVER && j->tenant_id != 0)
            put_i(f, "TENANT_ID", j->tenant_id);
        if (kind == SIM_JOB_UNIT)
            put_i(f, "UNIT_ID", j->unit_id);
        if (kind == SIM_JOB_SERVER)
            put_address(f, sim_server_find(f->c, j->server_id));
        put_s(f, "SQL_TEXT", sim_c(j->sql_text));
        put_s(f, "EXTRA_INFO", j->extra);
        put_s(f, "RS_SVR_IP", j->rs_ip);
        put_i(f, "RS_SVR_PORT", j->rs_port);
        put_row(f);
    }
}

static void put_event(struct fill *f, const struct sim_event *e)
{
    char name[16];

    put_time(f, "TIMESTAMP", e->us);
    put_s(f, "MODULE", e->module);
    put_s(f, "EVENT", e->event);
    for (int i = 0; i < SIM_EVENT_PAIRS && e->names[i][0] != '\0'; i++) {
        (void)snprintf(name, sizeof name, "NAME%d", i + 1);
        put_s(f, name, e->names[i]);
        (void)snprintf(name, sizeof name, "VALUE%d", i + 1);
        put_s(f, name, sim_c(e->values[i]));
    }
}

void fill_events(struct fill *f)
{
    for (size_t i = 0; i < f->c->events.n; i++) {
        const struct sim_event *e = f->c->events.items[i];

        put_event(f, e);
        put_s(f, "EXTRA_INFO", "");
        put_s(f, "RS_SVR_IP", e->rs_ip);
        put_i(f, "RS_SVR_PORT", e->rs_port);
        put_row(f);
    }
}

/* What concerns the cluster as a whole: its making and its upgrades. */
void fill_cluster_events(struct fill *f)
{
    for (size_t i = 0; i < f->c->events.n; i++) {
        const struct sim_event *e = f->c->events.items[i];

        if (strcasecmp(e->module, "bootstrap") != 0 && strcasecmp(e->module, "upgrade") != 0)
            continue;
        put_event(f, e);
        put_row(f);
    }
}

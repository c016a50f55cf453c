/* SPDX-License-Identifier: Apache-2.0 */
/* Servers and zones. */
#include <stdio.h>
#include <string.h>

#include "tests/obsim/view.h"

enum { NO_LIMIT_CPU = 100 };

static const int64_t system_memory = INT64_C(1) << 30;

void fill_servers(struct fill *f)
{
    const struct sim_server *rs = sim_rootserver(f->c);

    for (size_t i = 0; i < f->c->servers.n; i++) {
        const struct sim_server *s = f->c->servers.items[i];

        if (!s->is_member || fill_hides(f, s))
            continue;
        put_address(f, s);
        put_i(f, "ID", s->id);
        put_s(f, "ZONE", s->zone);
        put_i(f, "SQL_PORT", s->sql_port);
        put_yes(f, "WITH_ROOTSERVER", s == rs);
        put_s(f, "STATUS", sim_server_status_name(s->status));
        put_time(f, "START_SERVICE_TIME", s->start_service_us);
        put_time(f, "STOP_TIME", s->stop_us);
        put_time(f, "BLOCK_MIGRATE_IN_TIME", s->block_migrate_us);
        put_time(f, "LAST_OFFLINE_TIME", s->last_offline_us);
        put_time(f, "CREATE_TIME", s->created_us);
        put_time(f, "MODIFY_TIME", s->modified_us);
        put_s(f, "BUILD_VERSION", s->build_version);
        put_row(f);
    }
}

void fill_zones(struct fill *f)
{
    for (size_t i = 0; i < f->c->zones.n; i++) {
        const struct sim_zone *z = f->c->zones.items[i];

        put_s(f, "ZONE", z->name);
        put_time(f, "CREATE_TIME", z->created_us);
        put_time(f, "MODIFY_TIME", z->modified_us);
        put_s(f, "STATUS", z->is_active ? "ACTIVE" : "INACTIVE");
        put_s(f, "IDC", z->idc);
        put_s(f, "REGION", z->region);
        put_s(f, "TYPE", "ReadWrite");
        put_row(f);
    }
}

/* What a unit has filled of its share: a tenth, so that figures differ and stay below the limits. */
static int64_t used(int64_t assigned)
{
    return assigned / 10;
}

void fill_server_stats(struct fill *f)
{
    for (size_t i = 0; i < f->c->servers.n; i++) {
        const struct sim_server *s = f->c->servers.items[i];
        struct sim_capacity a = sim_server_assigned(f->c, s);

        if (!fill_wants_server(f, s))
            continue;
        put_address(f, s);
        put_s(f, "ZONE", s->zone);
        put_i(f, "SQL_PORT", s->sql_port);
        put_i(f, "CPU_CAPACITY", (int64_t)s->capacity.cpu);
        put_d(f, "CPU_CAPACITY_MAX", s->capacity.cpu);
        put_d(f, "CPU_ASSIGNED", a.cpu);
        put_d(f, "CPU_ASSIGNED_MAX", a.cpu);
        put_i(f, "MEM_CAPACITY", s->capacity.memory);
        put_i(f, "MEM_ASSIGNED", a.memory);
        put_i(f, "LOG_DISK_CAPACITY", s->capacity.log_disk);
        put_i(f, "LOG_DISK_ASSIGNED", a.log_disk);
        put_i(f, "LOG_DISK_IN_USE", used(a.log_disk));
        put_i(f, "DATA_DISK_CAPACITY", s->capacity.data_disk);
        put_i(f, "DATA_DISK_IN_USE", used(s->capacity.data_disk));
        put_s(f, "DATA_DISK_HEALTH_STATUS", "NORMAL");
        put_i(f, "MEMORY_LIMIT", s->capacity.memory + system_memory);
        put_i(f, "DATA_DISK_ALLOCATED", s->capacity.data_disk);
        put_row(f);
    }
}

void fill_inner_servers(struct fill *f)
{
    static const char *const names[] = { "ACTIVE", "INACTIVE", "DELETING" };
    const struct sim_server *rs = sim_rootserver(f->c);

    for (size_t i = 0; i < f->c->servers.n; i++) {
        const struct sim_server *s = f->c->servers.items[i];

        if (!s->is_member || fill_hides(f, s))
            continue;
        put_time(f, "gmt_create", s->created_us);
        put_time(f, "gmt_modified", s->modified_us);
        put_address(f, s);
        put_i(f, "id", s->id);
        put_s(f, "zone", s->zone);
        put_i(f, "inner_port", s->sql_port);
        put_i(f, "with_rootserver", s == rs);
        put_s(f, "status", names[s->status]);
        put_i(f, "block_migrate_in_time", s->block_migrate_us);
        put_s(f, "build_version", s->build_version);
        put_i(f, "stop_time", s->stop_us);
        put_i(f, "start_service_time", s->start_service_us);
        put_i(f, "first_sessid", 0);
        put_i(f, "with_partition", 1);
        put_i(f, "last_offline_time", s->last_offline_us);
        put_row(f);
    }
}

static void put_zone_value(struct fill *f, const char *zone, const char *name, int64_t value, const char *info, int64_t created_us,
                           int64_t modified_us)
{
    put_time(f, "gmt_create", created_us);
    put_time(f, "gmt_modified", modified_us);
    put_s(f, "zone", zone);
    put_s(f, "name", name);
    put_i(f, "value", value);
    put_s(f, "info", info);
    put_row(f);
}

void fill_inner_zones(struct fill *f)
{
    put_zone_value(f, "", "cluster", 0, f->c->name, f->c->created_us, f->c->created_us);
    put_zone_value(f, "", "config_version", f->c->created_us, "", f->c->created_us, f->c->created_us);
    put_zone_value(f, "", "lease_info_version", f->c->created_us, "", f->c->created_us, f->c->created_us);
    for (size_t i = 0; i < f->c->zones.n; i++) {
        const struct sim_zone *z = f->c->zones.items[i];

        put_zone_value(f, z->name, "status", z->is_active ? 2 : 1, z->is_active ? "ACTIVE" : "INACTIVE", z->created_us, z->modified_us);
        put_zone_value(f, z->name, "region", 0, z->region, z->created_us, z->modified_us);
        put_zone_value(f, z->name, "idc", 0, z->idc, z->created_us, z->modified_us);
        put_zone_value(f, z->name, "zone_type", 0, "ReadWrite", z->created_us, z->modified_us);
        put_zone_value(f, z->name, "recovery_status", 0, "NORMAL", z->created_us, z->modified_us);
        put_zone_value(f, z->name, "storage_type", 0, "LOCAL", z->created_us, z->modified_us);
    }
}

static int64_t percent(double part, double whole)
{
    return whole > 0 ? (int64_t)(NO_LIMIT_CPU * part / whole) : 0;
}

static int64_t count_units(const struct sim_cluster *c, const struct sim_server *s, bool moving)
{
    int64_t n = 0;

    for (size_t i = 0; i < c->units.n; i++)
        n += c->units.items[i]->server_id == s->id && (!moving || c->units.items[i]->migrate_from != 0);
    return n;
}

static int64_t count_leaders(const struct sim_cluster *c, const struct sim_server *s)
{
    int64_t n = 0;

    for (size_t i = 0; i < c->tenants.n; i++)
        for (size_t j = 0; j < c->tenants.items[i]->streams.n; j++)
            n += sim_ls_leader(c->tenants.items[i]->streams.items[j]) == s->id;
    return n;
}

void fill_inner_server_stats(struct fill *f)
{
    const struct sim_server *rs = sim_rootserver(f->c);

    for (size_t i = 0; i < f->c->servers.n; i++) {
        const struct sim_server *s = f->c->servers.items[i];
        struct sim_capacity a = sim_server_assigned(f->c, s);

        if (!s->is_member || fill_hides(f, s))
            continue;
        put_address(f, s);
        put_s(f, "zone", s->zone);
        put_d(f, "cpu_total", s->capacity.cpu);
        put_d(f, "cpu_assigned", a.cpu);
        put_i(f, "cpu_assigned_percent", percent(a.cpu, s->capacity.cpu));
        put_i(f, "mem_total", s->capacity.memory);
        put_i(f, "mem_assigned", a.memory);
        put_i(f, "mem_assigned_percent", percent((double)a.memory, (double)s->capacity.memory));
        put_i(f, "disk_total", s->capacity.data_disk);
        put_i(f, "disk_assigned", used(s->capacity.data_disk));
        put_i(f, "disk_assigned_percent", percent(1, 10));
        put_i(f, "unit_num", count_units(f->c, s, false));
        put_i(f, "migrating_unit_num", count_units(f->c, s, true));
        put_i(f, "leader_count", count_leaders(f->c, s));
        put_i(f, "id", s->id);
        put_i(f, "inner_port", s->sql_port);
        put_s(f, "build_version", s->build_version);
        put_i(f, "register_time", s->created_us);
        put_i(f, "last_heartbeat_time", s->is_alive ? f->s->now_us : s->last_offline_us);
        put_i(f, "block_migrate_in_time", s->block_migrate_us);
        put_i(f, "start_service_time", s->start_service_us);
        put_i(f, "last_offline_time", s->last_offline_us);
        put_i(f, "stop_time", s->stop_us);
        put_s(f, "admin_status", s->status == SIM_SERVER_DELETING ? "DELETING" : "NORMAL");
        put_s(f, "heartbeat_status", s->is_alive ? "alive" : "lease_expired");
        put_i(f, "with_rootserver", s == rs);
        put_i(f, "with_partition", 1);
        put_i(f, "mem_in_use", used(a.memory));
        put_i(f, "disk_in_use", used(s->capacity.data_disk));
        put_s(f, "clock_sync_status", "SYNC");
        put_d(f, "cpu_capacity", s->capacity.cpu);
        put_d(f, "cpu_max_assigned", a.cpu);
        put_i(f, "mem_capacity", s->capacity.memory);
        put_i(f, "mem_max_assigned", a.memory);
        put_row(f);
    }
}

void fill_inner_disks(struct fill *f)
{
    for (size_t i = 0; i < f->c->servers.n; i++) {
        const struct sim_server *s = f->c->servers.items[i];

        if (!fill_wants_server(f, s))
            continue;
        put_address(f, s);
        put_i(f, "total_size", s->capacity.data_disk);
        put_i(f, "used_size", used(s->capacity.data_disk));
        put_i(f, "free_size", s->capacity.data_disk - used(s->capacity.data_disk));
        put_i(f, "is_disk_valid", 1);
        put_i(f, "disk_error_begin_ts", 0);
        put_i(f, "allocated_size", s->capacity.data_disk);
        put_row(f);
    }
}

void fill_inner_core(struct fill *f)
{
    put_time(f, "gmt_create", f->c->created_us);
    put_time(f, "gmt_modified", f->c->created_us);
    put_s(f, "table_name", "__all_global_stat");
    put_i(f, "row_id", 1);
    put_s(f, "column_name", "baseline_schema_version");
    put_i(f, "column_value", f->c->created_us);
    put_row(f);
}

/* Of time zones, which are not simulated, there are as many rows as were told. */
void fill_time_zones(struct fill *f)
{
    for (unsigned i = 0; i < SIM_TIME_ZONE_TABLES; i++)
        for (int64_t n = 0; strcmp(f->table->name, sim_time_zone_tables[i]) == 0 && n < f->c->time_zone_rows[i]; n++) {
            put_i(f, "tenant_id", 0);
            if (i == SIM_TIME_ZONE_TABLES - 1)
                put_s(f, "name", "current_timezone_version");
            put_row(f);
        }
}

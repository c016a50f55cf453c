/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/view.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/world.h"

#define OB "oceanbase"
#define IS "information_schema"
#define PAIR(STEM, FILL, MOVES) { OB, "CDB_" STEM, FILL, MOVES }, { OB, "DBA_" STEM, FILL, MOVES }
#define BOTH(STEM, FILL, MOVES) { OB, "GV$" STEM, FILL, MOVES }, { OB, "V$" STEM, FILL, MOVES }

const struct sim_view sim_views[] = {
    { OB, "DBA_OB_SERVERS", fill_servers, false },
    { OB, "DBA_OB_ZONES", fill_zones, false },
    BOTH("OB_SERVERS", fill_server_stats, false),
    { OB, "__all_server", fill_inner_servers, false },
    { OB, "__all_zone", fill_inner_zones, false },
    { OB, "__all_virtual_server_stat", fill_inner_server_stats, true },
    { OB, "__all_virtual_disk_stat", fill_inner_disks, false },
    { OB, "__all_core_table", fill_inner_core, false },
    { OB, "__all_tenant_time_zone", fill_time_zones, false },
    { OB, "__all_tenant_time_zone_name", fill_time_zones, false },
    { OB, "__all_tenant_time_zone_transition", fill_time_zones, false },
    { OB, "__all_tenant_time_zone_transition_type", fill_time_zones, false },
    { OB, "__all_sys_stat", fill_time_zones, false },
    { OB, "DBA_OB_UNIT_CONFIGS", fill_unit_configs, false },
    { OB, "DBA_OB_RESOURCE_POOLS", fill_pools, false },
    { OB, "DBA_OB_UNITS", fill_units, false },
    BOTH("OB_UNITS", fill_unit_stats, false),
    { OB, "DBA_OB_TENANTS", fill_tenants, true },
    { OB, "__all_tenant", fill_inner_tenants, false },
    PAIR("OB_ACCESS_POINT", fill_access_points, false),
    PAIR("OB_SERVICES", fill_services, false),
    { OB, "DBA_OB_TENANT_JOBS", fill_jobs, false },
    { OB, "DBA_OB_UNIT_JOBS", fill_jobs, false },
    { OB, "DBA_OB_SERVER_JOBS", fill_jobs, false },
    { OB, "DBA_OB_ROOTSERVICE_EVENT_HISTORY", fill_events, false },
    { OB, "DBA_OB_CLUSTER_EVENT_HISTORY", fill_cluster_events, false },
    PAIR("OB_LS", fill_streams, true),
    PAIR("OB_LS_LOCATIONS", fill_locations, false),
    BOTH("OB_LOG_STAT", fill_log_stats, true),
    { OB, "__all_virtual_ls_info", fill_inner_streams, true },
    { OB, "GV$OB_SERVER_SCHEMA_INFO", fill_schema_info, false },
    PAIR("OB_MAJOR_COMPACTION", fill_compactions, false),
    PAIR("OB_ZONE_MAJOR_COMPACTION", fill_zone_compactions, false),
    { OB, "CDB_OB_TABLET_REPLICAS", fill_tablets, false },
    BOTH("OB_PARAMETERS", fill_parameters, false),
    { OB, "__all_virtual_sys_parameter_stat", fill_inner_parameters, false },
    PAIR("OB_SYS_VARIABLES", fill_variables, false),
    { IS, "GLOBAL_VARIABLES", fill_variable_values, false },
    { IS, "SESSION_VARIABLES", fill_variable_values, true },
    PAIR("OB_USERS", fill_users, false),
    { OB, "__all_user", fill_inner_users, false },
    { "mysql", "user", fill_mysql_user, false },
    { "mysql", "db", fill_mysql_db, false },
    { "mysql", "role_edges", fill_role_edges, false },
    { "mysql", "default_roles", fill_default_roles, false },
    { "mysql", "procs_priv", fill_routine_privileges, false },
    { IS, "USER_PRIVILEGES", fill_user_privileges, false },
    { IS, "SCHEMA_PRIVILEGES", fill_schema_privileges, false },
    { IS, "TABLE_PRIVILEGES", fill_table_privileges, false },
    PAIR("OB_DATABASE_PRIVILEGE", fill_database_privileges, false),
    PAIR("OB_DATABASES", fill_databases, false),
    { IS, "SCHEMATA", fill_schemata, false },
    PAIR("OBJECTS", fill_objects, false),
    { IS, "TABLES", fill_schema_tables, false },
    { IS, "COLUMNS", fill_schema_columns, false },
    { IS, "ROUTINES", fill_routines, false },
    { OB, "CDB_TABLES", fill_table_list, false },
    { OB, "CDB_INDEXES", fill_indexes, false },
    { OB, "DBA_RECYCLEBIN", fill_recyclebin, false },
    { IS, "COLLATIONS", fill_collations, false },
    { IS, "CHARACTER_SETS", fill_charsets, false },
    { IS, "ENGINES", fill_engines, false },
    BOTH("OB_PROCESSLIST", fill_sessions, true),
    { IS, "PROCESSLIST", fill_processlist, true },
    { NULL },
};

const struct sim_view *view_find(const char *database, const char *name)
{
    for (const struct sim_view *v = sim_views; v->name != NULL; v++)
        if (strcasecmp(v->name, name) == 0 && strcasecmp(v->database, database) == 0)
            return v;
    return NULL;
}

/* --- putting --------------------------------------------------------------------------------------------------------------------- */

/* A fill serves several tables; a name that none of them has is a mistake of ours. */
static void check_sisters(const struct fill *f, const char *column)
{
    for (size_t i = 0; i < f->tables->list.n; i++) {
        const struct sim_table *t = f->tables->list.items[i];

        if (t->view == NULL || t->view->run != f->table->view->run)
            continue;
        for (size_t j = 0; j < t->columns.n; j++)
            if (strcasecmp(t->columns.items[j]->name, column) == 0)
                return;
    }
    (void)fprintf(stderr, "obsim: %s has no column %s\n", f->table->name, column);
    abort();
}

/* Number of the column among those that are there, from 1; 0: it is not there. Fills put in the order of the columns, mostly. */
static int place_of(struct fill *f, const char *column)
{
    size_t n = f->table->columns.n;

    for (size_t i = 0; i < n; i++) {
        size_t at = (f->next + i) % n;
        int place = 0;

        if (strcasecmp(f->table->columns.items[at]->name, column) != 0)
            continue;
        f->next = at + 1;
        if (!table_has(f->table->columns.items[at], f->is_newer))
            return 0;
        for (size_t j = 0; j <= at; j++)
            place += table_has(f->table->columns.items[j], f->is_newer);
        return place;
    }
    check_sisters(f, column);
    return 0;
}

void put_s(struct fill *f, const char *column, const char *v)
{
    int place = place_of(f, column);

    if (place > 0 && v != NULL && sqlite3_bind_text(f->insert, place, v, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        abort();
}

void put_i(struct fill *f, const char *column, int64_t v)
{
    int place = place_of(f, column);

    if (place > 0 && sqlite3_bind_int64(f->insert, place, v) != SQLITE_OK)
        abort();
}

void put_d(struct fill *f, const char *column, double v)
{
    int place = place_of(f, column);

    if (place > 0 && sqlite3_bind_double(f->insert, place, v) != SQLITE_OK)
        abort();
}

void put_time(struct fill *f, const char *column, int64_t us)
{
    char buf[40];

    put_s(f, column, us != 0 ? session_time(f->s, us, buf) : NULL);
}

void put_yes(struct fill *f, const char *column, bool v)
{
    put_s(f, column, v ? "YES" : "NO");
}

void put_address(struct fill *f, const struct sim_server *s)
{
    put_s(f, "SVR_IP", s != NULL ? s->ip : NULL);
    if (s != NULL)
        put_i(f, "SVR_PORT", s->rpc_port);
}

void put_row(struct fill *f)
{
    if (sqlite3_step(f->insert) != SQLITE_DONE || sqlite3_reset(f->insert) != SQLITE_OK || sqlite3_clear_bindings(f->insert) != SQLITE_OK)
        abort();
    f->next = 0;
}

/* --- reach ----------------------------------------------------------------------------------------------------------------------- */

static bool starts(const struct fill *f, const char *prefix)
{
    return strncasecmp(f->table->name, prefix, strlen(prefix)) == 0;
}

bool fill_wants_tenant(const struct fill *f, int64_t tenant_id)
{
    if (tenant_id == f->s->tenant_id)
        return true;
    return f->s->tenant->type == SIM_TENANT_SYS && (starts(f, "CDB_") || starts(f, "GV$") || starts(f, "V$") || starts(f, "__all_"));
}

bool fill_hides(const struct fill *f, const struct sim_server *s)
{
    const struct sim_deployment *d = f->s->observer->deployment;

    for (size_t i = 0; i < d->observers.n; i++)
        if (d->observers.items[i]->server == s)
            return d->observers.items[i]->is_hidden;
    return false;
}

/* A server that hangs answers no view, whether the others know or not. */
static bool answers(const struct fill *f, const struct sim_server *s)
{
    const struct sim_deployment *d = f->s->observer->deployment;

    for (size_t i = 0; i < d->observers.n; i++)
        if (d->observers.items[i]->server == s)
            return d->observers.items[i]->listener >= 0 && !d->observers.items[i]->is_hung;
    return true;
}

bool fill_wants_server(const struct fill *f, const struct sim_server *s)
{
    if (!s->is_member || !s->is_alive || fill_hides(f, s) || !answers(f, s))
        return s == f->s->server && s->is_member;
    return s == f->s->server || !starts(f, "V$");
}

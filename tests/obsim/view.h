/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - rows of the kernel's views out of the state of a cluster. A view has a function that puts its rows; which tenants and servers
 * they are of follows from the view's name and who asks:
 *
 *   CDB_  every tenant (seen by sys alone)       GV$  every server that is alive; of user tenants only what is theirs
 *   DBA_  the tenant of the session              V$   the server of the session
 */
#ifndef OBSIM_VIEW_H
#define OBSIM_VIEW_H

#include "tests/obsim/session.h"
#include "tests/obsim/tables.h"

struct sqlite3_stmt;

struct fill {
    struct sim_session *s;
    struct sim_cluster *c;
    const struct sim_tables *tables;  /* all of them */
    const struct sim_table *table;    /* to be filled */
    bool is_newer;                    /* version 4.3 and up: newer columns are there, too */
    struct sqlite3_stmt *insert;
    size_t next;                      /* column behind the last one that was put */
};

struct sim_view {
    const char *database, *name;
    void (*run)(struct fill *f);
    bool moves;                       /* its rows change with the clock alone */
};
extern const struct sim_view sim_views[];
const struct sim_view *view_find(const char *database, const char *name);

/* Puts one value into the row; a column that this table lacks and its sisters have is passed over. */
void put_s(struct fill *f, const char *column, const char *v);  /* NULL: SQL NULL */
void put_i(struct fill *f, const char *column, int64_t v);
void put_d(struct fill *f, const char *column, double v);
void put_time(struct fill *f, const char *column, int64_t us);  /* in the session's time zone; 0: SQL NULL */
void put_yes(struct fill *f, const char *column, bool v);       /* YES or NO */
void put_address(struct fill *f, const struct sim_server *s);   /* SVR_IP, SVR_PORT; NULL: SQL NULL */
void put_row(struct fill *f);

/* Is it within the view's reach? */
bool fill_wants_tenant(const struct fill *f, int64_t tenant_id);
bool fill_wants_server(const struct fill *f, const struct sim_server *s); /* alive, and all or this one */
bool fill_hides(const struct fill *f, const struct sim_server *s);        /* by order of a test */

/* The fills, by subject. */
void fill_servers(struct fill *f);
void fill_zones(struct fill *f);
void fill_server_stats(struct fill *f);
void fill_inner_servers(struct fill *f);
void fill_inner_zones(struct fill *f);
void fill_inner_server_stats(struct fill *f);
void fill_inner_disks(struct fill *f);
void fill_inner_core(struct fill *f);
void fill_time_zones(struct fill *f);
void fill_unit_configs(struct fill *f);
void fill_pools(struct fill *f);
void fill_units(struct fill *f);
void fill_unit_stats(struct fill *f);
void fill_tenants(struct fill *f);
void fill_inner_tenants(struct fill *f);
void fill_access_points(struct fill *f);
void fill_services(struct fill *f);
void fill_jobs(struct fill *f);
void fill_events(struct fill *f);
void fill_cluster_events(struct fill *f);
void fill_streams(struct fill *f);
void fill_locations(struct fill *f);
void fill_log_stats(struct fill *f);
void fill_inner_streams(struct fill *f);
void fill_schema_info(struct fill *f);
void fill_compactions(struct fill *f);
void fill_zone_compactions(struct fill *f);
void fill_tablets(struct fill *f);
void fill_parameters(struct fill *f);
void fill_inner_parameters(struct fill *f);
void fill_variables(struct fill *f);
void fill_variable_values(struct fill *f);
void fill_users(struct fill *f);
void fill_inner_users(struct fill *f);
void fill_mysql_user(struct fill *f);
void fill_mysql_db(struct fill *f);
void fill_role_edges(struct fill *f);
void fill_default_roles(struct fill *f);
void fill_routine_privileges(struct fill *f);
void fill_user_privileges(struct fill *f);
void fill_schema_privileges(struct fill *f);
void fill_table_privileges(struct fill *f);
void fill_database_privileges(struct fill *f);
void fill_databases(struct fill *f);
void fill_schemata(struct fill *f);
void fill_objects(struct fill *f);
void fill_schema_tables(struct fill *f);
void fill_schema_columns(struct fill *f);
void fill_routines(struct fill *f);
void fill_table_list(struct fill *f);
void fill_indexes(struct fill *f);
void fill_recyclebin(struct fill *f);
void fill_collations(struct fill *f);
void fill_charsets(struct fill *f);
void fill_engines(struct fill *f);
void fill_sessions(struct fill *f);
void fill_processlist(struct fill *f);

#endif

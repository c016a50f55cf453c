/* SPDX-License-Identifier: Apache-2.0 */
/* SHOW ...: rows first, then LIKE or WHERE over them. SHOW GRANTS, SHOW CREATE and SHOW PROCESSLIST are in cmd_show_*.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd_show.h"

static void columns(struct cmd *x, const char *const *names)
{
    for (; *names != NULL; names++)
        reply_column(x->out, *names, SIM_T_VARCHAR);
}

int show_end(struct cmd *x, unsigned like_column)
{
    int rv = cmd_filter(x, like_column);

    return rv != 0 ? rv : cmd_end(x);
}

/* --- parameters ------------------------------------------------------------------------------------------------------------------------ */

static void parameter_row(struct cmd *x, const struct sim_parameter *p, const struct sim_server *s, const struct sim_tenant *t)
{
    const char *value = sim_parameter_value(x->c, p, s, t);

    if (strcmp(p->name, "zone") == 0)
        value = s->zone;
    else if (strcmp(p->name, "local_ip") == 0)
        value = s->ip;
    reply_cell(x->out, s->zone);
    reply_cell(x->out, "observer");
    reply_cell(x->out, s->ip);
    reply_cell_i64(x->out, s->rpc_port);
    reply_cell(x->out, p->name);
    reply_cell(x->out, sim_parameter_type_name(p->type));
    if (strcmp(p->name, "mysql_port") == 0 || strcmp(p->name, "rpc_port") == 0)
        reply_cell_i64(x->out, p->name[0] == 'm' ? s->sql_port : s->rpc_port);
    else
        reply_cell(x->out, value);
    reply_cell(x->out, p->info);
    reply_cell(x->out, p->section);
    reply_cell(x->out, p->of_tenant ? "TENANT" : "CLUSTER");
    reply_cell(x->out, "DEFAULT");
    reply_cell(x->out, sim_parameter_edit_name(p->edit));
    reply_cell(x->out, p->default_value);
    reply_cell_i64(x->out, strcmp(value, p->default_value) == 0);
}

/* The clause behind LIKE or WHERE: only the grammar of these is looked at, then the way is gone back. */
static int read_tenant_clause(struct cmd *x, const struct sim_tenant **t)
{
    struct parse start = x->p;
    struct sim_tenant **tenants;
    size_t n;
    int rv = cmd_filter(x, 0);

    *t = x->t;
    if (rv == 0)
        rv = cmd_tenants(x, &tenants, &n);
    if (rv == 0 && n > 0)
        *t = tenants[0];
    if (rv == 0)
        rv = cmd_end(x);
    x->p = start;
    return rv;
}

static int show_parameters(struct cmd *x)
{
    static const char *const names[] = { "zone", "svr_type", "svr_ip", "svr_port", "name", "data_type", "value", "info", "section", "scope", "source",
                                         "edit_level", "default_value", "isdefault", NULL };
    const struct sim_tenant *t;
    int rv = read_tenant_clause(x, &t);

    if (rv != 0)
        return rv;
    columns(x, names);
    for (size_t k = 0; k < x->c->servers.n; k++) {
        const struct sim_server *s = x->c->servers.items[k];

        for (size_t i = 0; i < sim_parameters_n && ((s->is_member && s->is_alive) || s == x->s->server); i++)
            parameter_row(x, &sim_parameters[i], s, t);
    }
    return cmd_filter(x, 4);
}

/* --- variables ------------------------------------------------------------------------------------------------------------------------- */

static void variable_row(struct cmd *x, const struct sim_variable *v, const struct sim_values *session)
{
    const char *edition = x->c->is_enterprise ? "" : "_CE";

    reply_cell(x->out, v->name);
    if (strcmp(v->name, "version") == 0)
        reply_cell_printf(x->out, "5.7.25-OceanBase%s-v%s", edition, x->c->version);
    else if (strcmp(v->name, "version_comment") == 0)
        reply_cell_printf(x->out, "OceanBase%s %s (r%.*s) (Built %s", edition, x->c->version, (int)strcspn(x->c->build, "("), x->c->build,
                          x->c->build + strcspn(x->c->build, "(") + 1);
    else if (strcmp(v->name, "port") == 0)
        reply_cell_i64(x->out, x->s->server->sql_port);
    else
        reply_cell(x->out, sim_variable_value(x->t, session, v));
}

static int show_variables(struct cmd *x)
{
    static const char *const names[] = { "Variable_name", "Value", NULL };
    bool is_global = x->row->arg;

    columns(x, names);
    for (size_t i = 0; i < sim_variables_n; i++)
        if (!is_global || (sim_variables[i].flags & SIM_V_GLOBAL) != 0)
            variable_row(x, &sim_variables[i], is_global ? NULL : &x->s->variables);
    return show_end(x, 0);
}

/* --- databases and what is in them ----------------------------------------------------------------------------------------------------- */

static bool is_seen(struct cmd *x, const char *database)
{
    const struct sim_user *u = cmd_account(x);

    if (strncmp(database, "__", 2) == 0 || (!x->t->is_oracle && (strcmp(database, "SYS") == 0 || strcmp(database, "LBACSYS") == 0 ||
                                                                  strcmp(database, "ORAAUDITOR") == 0)))
        return false;
    return strcasecmp(database, "information_schema") == 0 || cmd_may(x, SIM_P(SHOW_DATABASES), "") ||
           (u != NULL && sim_user_privileges(sim_tenant_get(x->c, x->s->client->tenant_id), u, database) != 0);
}

static int show_databases(struct cmd *x)
{
    static const char *const names[] = { "Database", NULL };

    columns(x, names);
    for (size_t i = 0; i < x->t->databases.n; i++)
        if (is_seen(x, x->t->databases.items[i]->name))
            reply_cell(x->out, x->t->databases.items[i]->name);
    return show_end(x, 0);
}

/* SHOW [FULL] TABLES [{FROM | IN} d] */
static int show_tables(struct cmd *x)
{
    const struct sim_database *d;
    struct slice given;
    const char *name;
    char title[SIM_NAME + 16];

    if (parse_words(&x->p, "FROM") || parse_words(&x->p, "IN")) {
        if (!parse_name(&x->p, &given))
            return cmd_syntax(x);
        name = cmd_text(x, given);
    } else {
        name = cmd_current_database(x);
        if (name == NULL)
            return 1046;
    }
    d = sim_database_find(x->t, name);
    if (d == NULL)
        return cmd_fail(x, 1049, "Unknown database '%s'", name);
    (void)snprintf(title, sizeof title, "Tables_in_%s", d->name);
    reply_column(x->out, title, SIM_T_VARCHAR);
    if (x->row->arg)
        reply_column(x->out, "Table_type", SIM_T_VARCHAR);
    for (size_t i = 0; i < x->t->objects.n; i++) {
        const struct sim_object *o = x->t->objects.items[i];

        if (strcasecmp(o->database, d->name) != 0 || (o->kind != SIM_TABLE && o->kind != SIM_VIEW))
            continue;
        reply_cell(x->out, o->name);
        if (x->row->arg)
            reply_cell(x->out, o->kind == SIM_TABLE ? "BASE TABLE" : "VIEW");
    }
    return show_end(x, 0);
}

static int show_recyclebin(struct cmd *x)
{
    static const char *const names[] = { "OBJECT_NAME", "ORIGINAL_NAME", "TYPE", "CREATETIME", NULL };

    columns(x, names);
    for (size_t i = 0; i < x->t->recyclebin.n; i++) {
        const struct sim_dropped *r = x->t->recyclebin.items[i];

        reply_cell(x->out, r->name);
        reply_cell(x->out, r->original);
        reply_cell(x->out, r->type);
        reply_cell(x->out, cmd_time(x, r->created_us));
    }
    for (size_t i = 0; i < x->c->tenants.n && x->t->type == SIM_TENANT_SYS; i++) {
        const struct sim_tenant *t = x->c->tenants.items[i];

        if (!t->in_recyclebin)
            continue;
        reply_cell(x->out, t->name);
        reply_cell(x->out, t->original);
        reply_cell(x->out, "TENANT");
        reply_cell(x->out, cmd_time(x, t->modified_us));
    }
    return cmd_end(x);
}

/* --- character sets, and what clients ask for out of habit ------------------------------------------------------------------------------ */

static int show_charset(struct cmd *x)
{
    static const char *const names[] = { "Charset", "Description", "Default collation", "Maxlen", NULL };

    columns(x, names);
    for (size_t i = 0; i < sim_collations_n; i++) {
        const struct sim_collation *c = &sim_collations[i];

        if (!c->is_default)
            continue;
        reply_cell(x->out, c->charset);
        reply_cell(x->out, strcmp(c->charset, "utf8mb4") == 0 ? "UTF-8 Unicode" : c->charset);
        reply_cell(x->out, c->name);
        reply_cell_i64(x->out, strncmp(c->charset, "utf", 3) == 0 || strcmp(c->charset, "gb18030") == 0 ? 4 : strcmp(c->charset, "binary") == 0 ? 1 : 2);
    }
    return show_end(x, 0);
}

static int show_collation(struct cmd *x)
{
    static const char *const names[] = { "Collation", "Charset", "Id", "Default", "Compiled", "Sortlen", NULL };

    columns(x, names);
    for (size_t i = 0; i < sim_collations_n; i++) {
        const struct sim_collation *c = &sim_collations[i];

        reply_cell(x->out, c->name);
        reply_cell(x->out, c->charset);
        reply_cell_i64(x->out, c->id);
        reply_cell(x->out, c->is_default ? "Yes" : "");
        reply_cell(x->out, "Yes");
        reply_cell_i64(x->out, 1);
    }
    return show_end(x, 0);
}

static int show_warnings(struct cmd *x)
{
    static const char *const names[] = { "Level", "Code", "Message", NULL };

    columns(x, names);
    return cmd_end(x);
}

static int show_status(struct cmd *x)
{
    static const char *const names[] = { "Variable_name", "Value", NULL };

    columns(x, names);
    reply_cell(x->out, "Threads_connected");
    reply_cell_i64(x->out, (int64_t)x->c->clients.n);
    reply_cell(x->out, "Uptime");
    reply_cell_i64(x->out, (x->c->now_us - x->s->server->start_service_us) / 1000000);
    return show_end(x, 0);
}

static int show_tenant(struct cmd *x)
{
    static const char *const names[] = { "Current_tenant_name", NULL };

    columns(x, names);
    reply_cell(x->out, x->t->name);
    return cmd_end(x);
}

const struct cmd_row cmd_show_rows[] = {
    { "SHOW PARAMETERS", show_parameters, CMD_ORACLE, 0, 0 },
    { "SHOW VARIABLES", show_variables, CMD_ORACLE, 0, 0 },
    { "SHOW SESSION VARIABLES", show_variables, CMD_ORACLE, 0, 0 },
    { "SHOW LOCAL VARIABLES", show_variables, CMD_ORACLE, 0, 0 },
    { "SHOW GLOBAL VARIABLES", show_variables, CMD_ORACLE, 0, 1 },
    { "SHOW DATABASES", show_databases, 0, 0, 0 },
    { "SHOW SCHEMAS", show_databases, 0, 0, 0 },
    { "SHOW TABLES", show_tables, 0, 0, 0 },
    { "SHOW FULL TABLES", show_tables, 0, 0, 1 },
    { "SHOW RECYCLEBIN", show_recyclebin, CMD_ORACLE, 0, 0 },
    { "SHOW CHARSET", show_charset, 0, 0, 0 },
    { "SHOW CHARACTER SET", show_charset, 0, 0, 0 },
    { "SHOW COLLATION", show_collation, 0, 0, 0 },
    { "SHOW WARNINGS", show_warnings, CMD_ORACLE, 0, 0 },
    { "SHOW ERRORS", show_warnings, CMD_ORACLE, 0, 0 },
    { "SHOW STATUS", show_status, 0, 0, 0 },
    { "SHOW GLOBAL STATUS", show_status, 0, 0, 0 },
    { "SHOW TENANT", show_tenant, CMD_ORACLE, 0, 0 },
    { "SHOW GRANTS", show_grants, 0, 0, 0 },
    { "SHOW PROCESSLIST", show_processlist, CMD_ORACLE, 0, 0 },
    { "SHOW FULL PROCESSLIST", show_processlist, CMD_ORACLE, 0, 1 },
    { "SHOW CREATE DATABASE", show_create_database, 0, 0, 0 },
    { "SHOW CREATE SCHEMA", show_create_database, 0, 0, 0 },
    { "SHOW CREATE TENANT", show_create_tenant, CMD_SYS, 0, 0 },
    { "", NULL, 0, 0, 0 },
};

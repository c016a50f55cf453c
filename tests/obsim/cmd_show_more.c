/* SPDX-License-Identifier: Apache-2.0 */
/* SHOW GRANTS [FOR u | FOR CURRENT_USER[()]]; SHOW [FULL] PROCESSLIST; SHOW CREATE DATABASE d; SHOW CREATE TENANT t */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd_show.h"

/* --- grants ---------------------------------------------------------------------------------------------------------------------------- */

static void add_words(struct str *t, uint64_t privileges, unsigned level)
{
    uint64_t all = sim_privileges_all(level);
    bool is_first = true;

    if ((privileges & all) == all) {
        str_add(t, "ALL PRIVILEGES");
        return;
    }
    for (unsigned i = 0; i < SIM_PRIVILEGE_N; i++) {
        if ((privileges & (UINT64_C(1) << i)) == 0 || i == SIM_BIT_GRANT_OPTION)
            continue;
        str_printf(t, "%s%s", is_first ? "" : ", ", sim_privileges[i].words);
        is_first = false;
    }
    if (is_first)
        str_add(t, "USAGE");
}

static void add_account(struct str *t, const struct sim_user *u)
{
    if (strcmp(u->host, "%") == 0)
        str_printf(t, "'%s'", u->name);
    else
        str_printf(t, "'%s'@'%s'", u->name, u->host);
}

/* `on`: NULL: everything. */
static void grant_row(struct cmd *x, const struct sim_user *u, uint64_t privileges, const struct sim_grant *on)
{
    unsigned level = on == NULL ? 0 : on->object[0] == '\0' ? SIM_ON_DATABASE : on->is_routine ? SIM_ON_ROUTINE : SIM_ON_TABLE;
    struct str t;

    str_init(&t, &x->arena);
    str_add(&t, "GRANT ");
    add_words(&t, privileges, level);
    str_add(&t, " ON ");
    if (on == NULL)
        str_add(&t, "*.*");
    else if (level == SIM_ON_DATABASE)
        str_printf(&t, "`%s`.*", on->database);
    else
        str_printf(&t, "%s`%s`.`%s`", on->is_routine ? on->kind == SIM_PROCEDURE ? "PROCEDURE " : "FUNCTION " : "", on->database, on->object);
    str_add(&t, " TO ");
    add_account(&t, u);
    if ((privileges & SIM_P(GRANT_OPTION)) != 0)
        str_add(&t, " WITH GRANT OPTION");
    reply_cell(x->out, str_c(&t));
}

static void role_row(struct cmd *x, const struct sim_user *u)
{
    struct str t;

    if (u->roles.n == 0)
        return;
    str_init(&t, &x->arena);
    str_add(&t, "GRANT ");
    for (size_t i = 0; i < u->roles.n; i++)
        str_printf(&t, "%s`%s`@`%s`", i > 0 ? "," : "", u->roles.items[i]->role, u->roles.items[i]->host);
    str_printf(&t, " TO `%s`@`%s`", u->name, u->host);
    reply_cell(x->out, str_c(&t));
}

int show_grants(struct cmd *x)
{
    struct cmd_account_name who;
    const struct sim_user *u = cmd_account(x);
    char title[2 * SIM_NAME + 16];
    bool is_other = false;
    int rv;

    if (parse_words(&x->p, "FOR")) {
        if (parse_words(&x->p, "CURRENT_USER")) {
            if (parse_mark(&x->p, "(") && !parse_mark(&x->p, ")"))
                return cmd_syntax(x);
        } else {
            if (!cmd_account_name(x, &who))
                return cmd_syntax(x);
            u = sim_user_find(x->t, who.name, who.host);
            is_other = true;
        }
    }
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (is_other && u != cmd_account(x) && !cmd_may(x, SIM_P(SELECT), "mysql"))
        return cmd_fail(x, 1044, "Access denied for user '%s'@'%s' to database 'mysql'", x->s->user, x->s->account_host);
    if (u == NULL)
        return cmd_fail(x, 1141, "There is no such grant defined for user '%s' on host '%s'", is_other ? who.name : x->s->user,
                        is_other ? who.host : x->s->account_host);
    (void)snprintf(title, sizeof title, "Grants for %s@%s", u->name, u->host);
    reply_column(x->out, title, SIM_T_VARCHAR);
    grant_row(x, u, u->privileges, NULL);
    for (size_t i = 0; i < u->grants.n; i++)
        grant_row(x, u, u->grants.items[i]->privileges, u->grants.items[i]);
    role_row(x, u);
    return 0;
}

/* --- processlist ----------------------------------------------------------------------------------------------------------------------- */

static bool is_seen(struct cmd *x, const struct sim_client *k)
{
    if (x->t->type != SIM_TENANT_SYS && k->tenant_id != x->t->id)
        return false;
    return cmd_may(x, SIM_P(PROCESS), "") || strcmp(k->user, x->s->client->user) == 0;
}

int show_processlist(struct cmd *x)
{
    static const char *const brief[] = { "Id", "User", "Host", "db", "Command", "Time", "State", "Info", NULL };
    static const char *const full[] = { "Id", "User", "Tenant", "Host", "db", "Command", "Time", "State", "Info", "Ip", "Port", NULL };
    bool is_full = x->row->arg;

    for (const char *const *name = is_full ? full : brief; *name != NULL; name++)
        reply_column(x->out, *name, SIM_T_VARCHAR);
    for (size_t i = 0; i < x->c->clients.n; i++) {
        const struct sim_client *k = x->c->clients.items[i];
        const struct sim_tenant *t = sim_tenant_get(x->c, k->tenant_id);
        const struct sim_server *s = sim_server_find(x->c, k->server_id);

        if (!is_seen(x, k) || (!is_full && k->server_id != x->s->client->server_id))
            continue;
        reply_cell_i64(x->out, k->id);
        reply_cell(x->out, k->user);
        if (is_full)
            reply_cell(x->out, t != NULL ? t->name : "");
        reply_cell(x->out, k->host);
        reply_cell(x->out, k->database[0] != '\0' ? k->database : NULL);
        reply_cell(x->out, sim_c(k->command));
        reply_cell_i64(x->out, (x->c->now_us - k->since_us) / 1000000);
        reply_cell(x->out, sim_c(k->state));
        reply_cell(x->out, k->info);
        if (is_full) {
            reply_cell(x->out, s != NULL ? s->ip : "");
            reply_cell_i64(x->out, s != NULL ? s->sql_port : 0);
        }
    }
    return cmd_end(x);
}

/* --- SHOW CREATE ----------------------------------------------------------------------------------------------------------------------- */

int show_create_database(struct cmd *x)
{
    const struct sim_database *d;
    struct slice given;
    int rv;

    (void)parse_words(&x->p, "IF NOT EXISTS"); /* may be missing */
    if (!parse_name(&x->p, &given))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    d = sim_database_find(x->t, cmd_text(x, given));
    if (d == NULL)
        return cmd_fail(x, 1049, "Unknown database '%.*s'", SLICE_FMT(given));
    reply_column(x->out, "Database", SIM_T_VARCHAR);
    reply_column(x->out, "Create Database", SIM_T_VARCHAR);
    reply_cell(x->out, d->name);
    reply_cell_printf(x->out, "CREATE DATABASE `%s` DEFAULT CHARACTER SET = %s%s%s%s", d->name, d->charset,
                      sim_collation_find(sim_slice(d->collation))->is_default ? "" : " DEFAULT COLLATE = ",
                      sim_collation_find(sim_slice(d->collation))->is_default ? "" : d->collation, d->is_read_only ? " READ ONLY" : "");
    return 0;
}

int show_create_tenant(struct cmd *x)
{
    const struct sim_tenant *t;
    struct slice given;
    bool is_first = true;
    struct str text;
    int rv;

    if (!parse_name_or_string(&x->p, &given))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    t = sim_tenant_find(x->c, given);
    if (t == NULL)
        return cmd_fail(x, 5157, "Unknown tenant '%.*s'", SLICE_FMT(given));
    str_init(&text, &x->arena);
    str_printf(&text, "CREATE TENANT `%s` charset=%s, collate=%s, replica_num=%zu, primary_zone='%s', resource_pool_list=(", t->name, t->charset,
               t->collation, t->streams.n > 0 ? t->streams.items[0]->replicas.n : 0, sim_c(t->primary_zone));
    for (size_t i = 0; i < x->c->pools.n; i++)
        if (x->c->pools.items[i]->tenant_id == t->id) {
            str_printf(&text, "%s'%s'", is_first ? "" : ",", x->c->pools.items[i]->name);
            is_first = false;
        }
    str_printf(&text, "), locality='%s'%s", sim_c(t->locality), t->is_read_only ? ", read only" : "");
    reply_column(x->out, "Tenant", SIM_T_VARCHAR);
    reply_column(x->out, "Create Tenant", SIM_T_VARCHAR);
    reply_cell(x->out, t->name);
    reply_cell(x->out, str_c(&text));
    return 0;
}

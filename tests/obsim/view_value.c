/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters and system variables. */
#include <string.h>
#include <strings.h>

#include "tests/obsim/identity.h"
#include "tests/obsim/view.h"

static void put_parameter(struct fill *f, const struct sim_server *s, const struct sim_parameter *p, const struct sim_tenant *t)
{
    const char *value = sim_parameter_value(f->c, p, s, t);

    put_address(f, s);
    put_s(f, "ZONE", s->zone);
    put_s(f, "SCOPE", p->of_tenant ? "TENANT" : "CLUSTER");
    if (p->of_tenant)
        put_i(f, "TENANT_ID", t->id);
    put_s(f, "NAME", p->name);
    put_s(f, "DATA_TYPE", sim_parameter_type_name(p->type));
    put_s(f, "VALUE", value);
    put_s(f, "INFO", p->info);
    put_s(f, "SECTION", p->section);
    put_s(f, "EDIT_LEVEL", sim_parameter_edit_name(p->edit));
    put_s(f, "DEFAULT_VALUE", p->default_value);
    put_yes(f, "ISDEFAULT", strcmp(value, p->default_value) == 0);
    put_row(f);
}

/* Parameters of a tenant are shown by the servers that it is on. */
static void put_parameters_of(struct fill *f, const struct sim_server *s, const struct sim_tenant *t)
{
    if (!fill_wants_tenant(f, t->id) || !sim_tenant_is_on(f->c, t, s->id))
        return;
    for (size_t i = 0; i < sim_parameters_n; i++)
        if (sim_parameters[i].of_tenant)
            put_parameter(f, s, &sim_parameters[i], t);
}

void fill_parameters(struct fill *f)
{
    for (size_t i = 0; i < f->c->servers.n; i++) {
        const struct sim_server *s = f->c->servers.items[i];

        if (!fill_wants_server(f, s))
            continue;
        for (size_t j = 0; j < sim_parameters_n; j++)
            if (!sim_parameters[j].of_tenant)
                put_parameter(f, s, &sim_parameters[j], NULL);
        for (size_t j = 0; j < f->c->tenants.n; j++)
            put_parameters_of(f, s, f->c->tenants.items[j]);
    }
}

void fill_inner_parameters(struct fill *f)
{
    for (size_t i = 0; i < f->c->servers.n; i++) {
        const struct sim_server *s = f->c->servers.items[i];

        for (size_t j = 0; fill_wants_server(f, s) && j < sim_parameters_n; j++) {
            const struct sim_parameter *p = &sim_parameters[j];
            const char *value = sim_parameter_value(f->c, p, s, p->of_tenant ? f->s->tenant : NULL);

            put_s(f, "zone", s->zone);
            put_s(f, "svr_type", "observer");
            put_address(f, s);
            put_s(f, "name", p->name);
            put_s(f, "data_type", sim_parameter_type_name(p->type));
            put_s(f, "value", value);
            put_s(f, "value_strict", value);
            put_s(f, "info", p->info);
            put_i(f, "need_reboot", p->edit == SIM_STATIC);
            put_s(f, "section", p->section);
            put_s(f, "visible_level", "");
            put_s(f, "scope", p->of_tenant ? "TENANT" : "CLUSTER");
            put_s(f, "source", "DEFAULT");
            put_s(f, "edit_level", sim_parameter_edit_name(p->edit));
            put_s(f, "default_value", p->default_value);
            put_i(f, "isdefault", strcmp(value, p->default_value) == 0);
            put_row(f);
        }
    }
}

/* --- variables ---------------------------------------------------------------------------------------------------------------------- */

static const char *scope_name(const struct sim_variable *v)
{
    unsigned both = SIM_V_GLOBAL | SIM_V_SESSION;

    return (v->flags & both) == both ? "GLOBAL | SESSION" : (v->flags & SIM_V_SESSION) != 0 ? "SESSION" : "GLOBAL";
}

void fill_variables(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        for (size_t j = 0; fill_wants_tenant(f, t->id) && j < sim_variables_n; j++) {
            const struct sim_variable *v = &sim_variables[j];
            const char *value = sim_variable_value(t, NULL, v);

            put_time(f, "CREATE_TIME", t->created_us);
            put_time(f, "MODIFY_TIME", t->created_us);
            put_i(f, "TENANT_ID", t->id);
            put_s(f, "NAME", v->name);
            put_s(f, "VALUE", value);
            put_s(f, "MIN_VALUE", v->min != NULL ? v->min : "");
            put_s(f, "MAX_VALUE", v->max != NULL ? v->max : "");
            put_s(f, "SCOPE", scope_name(v));
            put_s(f, "INFO", v->info);
            put_s(f, "DEFAULT_VALUE", v->default_value);
            put_yes(f, "ISDEFAULT", strcmp(value, v->default_value) == 0);
            put_row(f);
        }
    }
}

void fill_variable_values(struct fill *f)
{
    bool is_global = strcasecmp(f->table->name, "GLOBAL_VARIABLES") == 0;
    char buf[256];

    for (size_t i = 0; i < sim_variables_n; i++) {
        const struct sim_variable *v = &sim_variables[i];
        const char *own = identity_variable(f->s, sim_slice(v->name), buf, sizeof buf);

        if (is_global && (v->flags & SIM_V_GLOBAL) == 0)
            continue;
        put_s(f, "VARIABLE_NAME", v->name);
        put_s(f, "VARIABLE_VALUE", own != NULL ? own : sim_variable_value(f->s->tenant, is_global ? NULL : &f->s->variables, v));
        put_row(f);
    }
}

void fill_collations(struct fill *f)
{
    for (size_t i = 0; i < sim_collations_n; i++) {
        const struct sim_collation *c = &sim_collations[i];

        put_s(f, "COLLATION_NAME", c->name);
        put_s(f, "CHARACTER_SET_NAME", c->charset);
        put_i(f, "ID", c->id);
        put_s(f, "IS_DEFAULT", c->is_default ? "Yes" : "");
        put_s(f, "IS_COMPILED", "Yes");
        put_i(f, "SORTLEN", 1);
        put_row(f);
    }
}

void fill_charsets(struct fill *f)
{
    for (size_t i = 0; i < sim_collations_n; i++) {
        const struct sim_collation *c = &sim_collations[i];

        if (!c->is_default)
            continue;
        put_s(f, "CHARACTER_SET_NAME", c->charset);
        put_s(f, "DEFAULT_COLLATE_NAME", c->name);
        put_s(f, "DESCRIPTION", c->charset);
        put_i(f, "MAXLEN", strcmp(c->charset, "utf8mb4") == 0 ? 4 : strcmp(c->charset, "binary") == 0 ? 1 : 2);
        put_row(f);
    }
}

void fill_engines(struct fill *f)
{
    put_s(f, "ENGINE", "OceanBase");
    put_s(f, "SUPPORT", "YES");
    put_s(f, "COMMENT", "Supports transactions");
    put_s(f, "TRANSACTIONS", "YES");
    put_s(f, "XA", "NO");
    put_s(f, "SAVEPOINTS", "NO");
    put_row(f);
}

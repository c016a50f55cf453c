/* SPDX-License-Identifier: Apache-2.0 */
/* ALTER SYSTEM SET name = value [COMMENT 'c'] [SCOPE = MEMORY|SPFILE|BOTH] [SERVER = 'ip:port' | ZONE = 'z' | TENANT = t] [, ...]
 * ALTER SYSTEM RESET name [, name ...] [SCOPE ...] [SERVER | ZONE | TENANT] */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"

enum { MAX_ITEMS = 32, MAX_SERVERS = 64 };

struct item {
    const struct sim_parameter *p;
    const char *value;                /* NULL: back to the default */
};

struct change {
    struct item items[MAX_ITEMS];
    size_t n;
    struct sim_server *servers[MAX_SERVERS]; /* of SERVER or ZONE; none: all */
    size_t n_servers;
    struct sim_tenant **tenants;      /* of TENANT; none: the session's own */
    size_t n_tenants;
};

/* true, false, NULL are values, too; numbers may have a sign. */
static bool value_text(struct cmd *x, struct slice *out)
{
    const struct lex_token *t = parse_peek(&x->p);

    if (parse_string(&x->p, out) || parse_number(&x->p, out))
        return true;
    if (t->kind != LEX_WORD && t->kind != LEX_NAME)
        return false;
    *out = parse_next(&x->p)->text;
    return true;
}

/* Values of BOOL are shown as True and False, however they were given. */
static const char *kept(struct cmd *x, const struct sim_parameter *p, struct slice value)
{
    static const char *const yes[] = { "true", "t", "on", "yes", "y", "1" };

    for (size_t i = 0; p->type == SIM_P_BOOL && i < sizeof yes / sizeof yes[0]; i++)
        if (slice_is_nocase(value, yes[i]))
            return "True";
    return p->type == SIM_P_BOOL ? "False" : cmd_text(x, value);
}

static int unknown(struct cmd *x)
{
    return cmd_fail(x, 5099, "System config unknown");
}

static int invalid(struct cmd *x)
{
    return cmd_fail(x, 4147, "Invalid config");
}

static int read_place(struct cmd *x, struct change *ch)
{
    struct slice text;
    bool bad = false;

    if (parse_option(&x->p, "SERVER", &text, &bad)) {
        struct sim_server *s = sim_server_at(x->c, text);

        if (s == NULL || !s->is_member)
            return cmd_fail(x, 4018, "Entry not exist");
        ch->servers[ch->n_servers++] = s;
    } else if (!bad && parse_option(&x->p, "ZONE", &text, &bad)) {
        if (sim_zone_find(x->c, text) == NULL)
            return cmd_fail(x, 4018, "Entry not exist");
        for (size_t i = 0; i < x->c->servers.n && ch->n_servers < MAX_SERVERS; i++)
            if (x->c->servers.items[i]->is_member && slice_is_nocase(text, x->c->servers.items[i]->zone))
                ch->servers[ch->n_servers++] = x->c->servers.items[i];
    }
    return bad ? cmd_syntax(x) : cmd_tenants(x, &ch->tenants, &ch->n_tenants);
}

/* COMMENT and SCOPE have no effect that could be seen here. */
static int read_scope(struct cmd *x)
{
    struct slice text;
    bool bad = false;

    (void)parse_option(&x->p, "COMMENT", &text, &bad); /* `bad` tells */
    if (!bad && parse_words(&x->p, "SCOPE")) {
        (void)parse_mark(&x->p, "="); /* may be missing */
        if (!parse_words(&x->p, "MEMORY") && !parse_words(&x->p, "SPFILE") && !parse_words(&x->p, "BOTH"))
            return cmd_syntax(x);
    }
    return bad ? cmd_syntax(x) : 0;
}

/* May this item be changed where it is wanted? */
static int check(struct cmd *x, const struct change *ch, const struct item *i)
{
    if (i->p->edit == SIM_READ_ONLY)
        return cmd_fail(x, 4147, "Invalid config");
    if (!i->p->of_tenant && x->t->type != SIM_TENANT_SYS)
        return cmd_fail(x, 1227, "Access denied; you need (at least one of) the ALTER SYSTEM privilege(s) for this operation");
    if ((i->p->of_tenant && ch->n_servers > 0) || (!i->p->of_tenant && ch->n_tenants > 0))
        return cmd_fail(x, 4179, "%s not allowed",
                        i->p->of_tenant ? "setting a tenant parameter by server or zone" : "setting a cluster parameter by tenant");
    return 0;
}

static void store(struct cmd *x, struct sim_values *v, const struct item *i)
{
    if (i->value != NULL)
        sim_values_set(v, i->p->name, sim_slice(i->value), x->c->now_us);
    else
        sim_values_remove(v, i->p->name);
}

/* STATIC_EFFECTIVE values wait on each server for its next start. */
static void apply_cluster(struct cmd *x, const struct change *ch, const struct item *i)
{
    bool is_static = i->p->edit == SIM_STATIC;

    if (ch->n_servers == 0 && !is_static) {
        store(x, &x->c->parameters, i);
        for (size_t k = 0; k < x->c->servers.n; k++)
            sim_values_remove(&x->c->servers.items[k]->parameters, i->p->name);
    }
    for (size_t k = 0; k < x->c->servers.n; k++) {
        struct sim_server *s = x->c->servers.items[k];
        bool is_meant = ch->n_servers == 0 && is_static && s->is_member;
        struct item whole = { i->p, i->value != NULL ? i->value : i->p->default_value };

        for (size_t m = 0; m < ch->n_servers; m++)
            is_meant = is_meant || ch->servers[m] == s;
        if (is_meant)
            store(x, is_static ? &s->pending : &s->parameters, &whole);
    }
}

static void apply(struct cmd *x, const struct change *ch, const struct item *i)
{
    if (!i->p->of_tenant) {
        apply_cluster(x, ch, i);
        return;
    }
    if (ch->n_tenants == 0)
        store(x, &x->t->parameters, i);
    for (size_t k = 0; k < ch->n_tenants; k++)
        store(x, &ch->tenants[k]->parameters, i);
}

static int finish(struct cmd *x, struct change *ch)
{
    int rv = cmd_end(x);

    for (size_t i = 0; i < ch->n && rv == 0; i++)
        rv = check(x, ch, &ch->items[i]);
    if (rv != 0)
        return rv;
    for (size_t i = 0; i < ch->n; i++) {
        apply(x, ch, &ch->items[i]);
        sim_note(x->c, "root_service", ch->items[i].value != NULL ? "admin_set_config" : "admin_reset_config", "name", ch->items[i].p->name,
                 "value", ch->items[i].value, NULL);
    }
    return cmd_ok(x);
}

static int set(struct cmd *x)
{
    struct change ch = { .n = 0 };
    struct slice names[MAX_ITEMS], given[MAX_ITEMS];
    int rv = 0;

    do {
        if (ch.n == MAX_ITEMS || !parse_name(&x->p, &names[ch.n]) || !parse_mark(&x->p, "=") || !value_text(x, &given[ch.n]))
            return cmd_syntax(x);
        ch.n++;
        rv = read_scope(x);
        if (rv == 0)
            rv = read_place(x, &ch);
    } while (rv == 0 && parse_mark(&x->p, ","));
    if (rv == 0 && !parse_end(&x->p))
        rv = cmd_syntax(x);
    for (size_t i = 0; i < ch.n && rv == 0; i++) {
        ch.items[i].p = sim_parameter_find(names[i]);
        if (ch.items[i].p == NULL)
            return unknown(x);
        if (!sim_parameter_accepts(ch.items[i].p, given[i]))
            return invalid(x);
        ch.items[i].value = kept(x, ch.items[i].p, given[i]);
    }
    return rv != 0 ? rv : finish(x, &ch);
}

static int reset(struct cmd *x)
{
    struct change ch = { .n = 0 };
    struct slice name;
    int rv;

    do {
        if (ch.n == MAX_ITEMS || !parse_name(&x->p, &name))
            return cmd_syntax(x);
        ch.items[ch.n++].p = sim_parameter_find(name);
        if (ch.items[ch.n - 1].p == NULL)
            return unknown(x);
    } while (parse_mark(&x->p, ","));
    rv = read_scope(x);
    if (rv == 0)
        rv = read_place(x, &ch);
    return rv != 0 ? rv : finish(x, &ch);
}

const struct cmd_row cmd_parameter_rows[] = {
    { "ALTER SYSTEM SET", set, CMD_ORACLE, SIM_P(ALTER_SYSTEM), 0 },
    { "ALTER SYSTEM RESET", reset, CMD_ORACLE, SIM_P(ALTER_SYSTEM), 0 },
    { "", NULL, 0, 0, 0 },
};

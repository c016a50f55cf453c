/* SPDX-License-Identifier: Apache-2.0 */
/* {CREATE | ALTER} {DATABASE | SCHEMA} [IF NOT EXISTS] d [SET] [DEFAULT] {CHARACTER SET | CHARSET} [=] cs, [DEFAULT] COLLATE [=] c, READ ONLY,
 * READ WRITE; DROP {DATABASE | SCHEMA} [IF EXISTS] d */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/build.h"
#include "tests/obsim/cmd.h"

struct options {
    struct slice charset, collation, comment; /* s NULL: not given */
    int read_only;                            /* -1: not given */
    size_t n;
};

static bool read_word(struct cmd *x, struct slice *out)
{
    (void)parse_mark(&x->p, "="); /* may be missing */
    if (parse_words(&x->p, "BINARY")) {
        *out = SLICE("binary");
        return true;
    }
    return parse_name_or_string(&x->p, out);
}

/* False: none begins here, or (`*bad`) a wrong one. */
static bool read_option(struct cmd *x, struct options *o, bool *bad)
{
    if (parse_words(&x->p, "READ ONLY") || parse_words(&x->p, "READ WRITE")) {
        o->read_only = slice_is_nocase(parse_peek(&x->p)[-1].text, "ONLY");
        return true;
    }
    (void)parse_words(&x->p, "DEFAULT"); /* may be missing */
    if (parse_words(&x->p, "CHARACTER SET") || parse_words(&x->p, "CHARSET"))
        *bad = !read_word(x, &o->charset);
    else if (parse_words(&x->p, "COLLATE"))
        *bad = !read_word(x, &o->collation);
    else if (parse_words(&x->p, "COMMENT"))
        *bad = !read_word(x, &o->comment);
    else
        return false;
    return !*bad;
}

static int read_options(struct cmd *x, struct options *o)
{
    bool bad = false;

    *o = (struct options){ .read_only = -1 };
    while (read_option(x, o, &bad)) {
        o->n++;
        (void)parse_mark(&x->p, ","); /* may be missing */
    }
    return bad ? cmd_syntax(x) : 0;
}

/* Errors: 1115, 1273, 1253. `*out` NULL: neither was given. */
static int check_options(struct cmd *x, const struct options *o, const struct sim_collation **out)
{
    const struct sim_collation *of_set = o->charset.s != NULL ? sim_charset_find(o->charset) : NULL;

    *out = of_set;
    if (o->charset.s != NULL && of_set == NULL)
        return cmd_fail(x, 1115, "Unknown character set: '%.*s'", SLICE_FMT(o->charset));
    if (o->collation.s == NULL)
        return 0;
    *out = sim_collation_find(o->collation);
    if (*out == NULL)
        return cmd_fail(x, 1273, "Unknown collation: '%.*s'", SLICE_FMT(o->collation));
    if (of_set != NULL && strcmp(of_set->charset, (*out)->charset) != 0)
        return cmd_fail(x, 1253, "COLLATION '%s' is not valid for CHARACTER SET '%s'", (*out)->name, of_set->charset);
    return 0;
}

/* As it is stored: in small letters, where the tenant compares names without case. Errors: 1059. */
static int stored_name(struct cmd *x, struct slice given, const char **out)
{
    const char *mode = sim_variable_value(x->t, NULL, sim_variable_find(SLICE("lower_case_table_names")));
    char *name = (char *)cmd_text(x, given);

    if (given.n == 0 || given.n > 128)
        return cmd_fail(x, 1059, "Identifier name '%.*s' is too long", (int)(given.n < 128 ? given.n : 128), given.s);
    for (char *p = name; *p != '\0' && strcmp(mode, "1") == 0; p++)
        *p = (char)tolower((unsigned char)*p);
    *out = name;
    return 0;
}

static void apply(struct sim_database *d, const struct options *o, const struct sim_collation *c)
{
    if (c != NULL) {
        sim_short(d->charset, sizeof d->charset, sim_slice(c->charset));
        sim_short(d->collation, sizeof d->collation, sim_slice(c->name));
    }
    if (o->read_only >= 0)
        d->is_read_only = o->read_only > 0;
    if (o->comment.s != NULL)
        sim_text(&d->comment, o->comment);
}

static int create(struct cmd *x)
{
    int if_not = cmd_if_not_exists(x), rv;
    const struct sim_collation *collation;
    const char *name = "";
    struct options o;
    struct slice given;

    if (if_not < 0 || !parse_name(&x->p, &given))
        return cmd_syntax(x);
    rv = read_options(x, &o);
    if (rv == 0)
        rv = stored_name(x, given, &name);
    if (rv == 0)
        rv = cmd_end_on(x, SIM_P(CREATE), name);
    if (rv == 0)
        rv = check_options(x, &o, &collation);
    if (rv != 0)
        return rv;
    if (sim_database_find(x->t, name) != NULL)
        return if_not > 0 ? cmd_ok(x) : cmd_fail(x, 1007, "Can't create database '%s'; database exists", name);
    apply(build_database(x->c, x->t, name, collation), &o, NULL);
    return reply_ok(x->out, 1);
}

static int no_right(struct cmd *x, const char *name)
{
    return cmd_fail(x, 1044, "Access denied for user '%s'@'%s' to database '%s'", x->s->user, x->s->account_host, name);
}

static int alter(struct cmd *x)
{
    const struct sim_collation *collation;
    struct sim_database *d;
    const char *name;
    struct options o;
    struct slice given;
    int rv;

    if (parse_is_word(&x->p, "DEFAULT") || parse_is_word(&x->p, "CHARSET") || parse_is_word(&x->p, "SET") || !parse_name(&x->p, &given)) {
        name = cmd_current_database(x);
        if (name == NULL)
            return 1046;
        given = sim_slice(name);
    }
    (void)parse_words(&x->p, "SET"); /* may be missing */
    rv = read_options(x, &o);
    if (rv == 0 && o.n == 0)
        rv = cmd_syntax(x);
    name = cmd_text(x, given);
    if (rv == 0)
        rv = cmd_end_on(x, SIM_P(ALTER), name);
    if (rv == 0)
        rv = check_options(x, &o, &collation);
    if (rv != 0)
        return rv;
    d = sim_database_find(x->t, name);
    if (d == NULL)
        return cmd_fail(x, 1049, "Unknown database '%s'", name);
    if (cmd_is_system_database(name))
        return no_right(x, name);
    apply(d, &o, collation);
    d->modified_us = x->c->now_us;
    return reply_ok(x->out, 1);
}

static void to_recyclebin(struct cmd *x, const struct sim_database *d)
{
    struct sim_dropped *r = sim_push(&x->t->recyclebin);

    (void)snprintf(r->name, sizeof r->name, "__recycle_$_%lld_%lld", (long long)x->c->id, (long long)(x->c->now_us + (int64_t)x->t->recyclebin.n));
    sim_name(r->original, sim_slice(d->name));
    sim_name(r->database, sim_slice(d->name));
    r->type = "DATABASE";
    r->created_us = x->c->now_us;
}

static int drop(struct cmd *x)
{
    const char *bin = sim_variable_value(x->t, &x->s->variables, sim_variable_find(SLICE("recyclebin")));
    int if_exists = cmd_if_exists(x), rv;
    struct sim_database *d;
    const char *name;
    struct slice given;

    if (if_exists < 0 || !parse_name(&x->p, &given))
        return cmd_syntax(x);
    name = cmd_text(x, given);
    rv = cmd_end_on(x, SIM_P(DROP), name);
    if (rv != 0)
        return rv;
    d = sim_database_find(x->t, name);
    if (d == NULL)
        return if_exists > 0 ? cmd_ok(x) : cmd_fail(x, 1008, "Can't drop database '%s'; database doesn't exist", name);
    if (cmd_is_system_database(name))
        return no_right(x, name);
    if (strcmp(bin, "ON") == 0)
        to_recyclebin(x, d);
    for (size_t i = 0; i < x->c->clients.n; i++) /* nobody is in it any more */
        if (x->c->clients.items[i]->tenant_id == x->t->id && strcasecmp(x->c->clients.items[i]->database, name) == 0)
            x->c->clients.items[i]->database[0] = '\0';
    build_database_remove(x->t, d);
    return cmd_ok(x);
}

static int use(struct cmd *x)
{
    const struct sim_database *d;
    struct slice given;
    const char *name;

    if (!parse_name(&x->p, &given) || !parse_end(&x->p))
        return cmd_syntax(x);
    name = cmd_text(x, given);
    d = sim_database_find(x->t, name);
    if (d == NULL)
        return cmd_fail(x, 1049, "Unknown database '%s'", name);
    if (strcasecmp(name, "information_schema") != 0 && !x->t->is_oracle) {
        const struct sim_user *u = cmd_account(x);

        if (u == NULL || sim_user_privileges(sim_tenant_get(x->c, x->s->client->tenant_id), u, name) == 0)
            return no_right(x, name);
    }
    sim_name(x->s->client->database, sim_slice(d->name));
    return cmd_ok(x);
}

const struct cmd_row cmd_database_rows[] = {
    { "CREATE DATABASE", create, 0, 0, 0 },
    { "CREATE SCHEMA", create, 0, 0, 0 },
    { "ALTER DATABASE", alter, 0, 0, 0 },
    { "ALTER SCHEMA", alter, 0, 0, 0 },
    { "DROP DATABASE", drop, 0, 0, 0 },
    { "DROP SCHEMA", drop, 0, 0, 0 },
    { "USE", use, CMD_ORACLE, 0, 0 },
    { "", NULL, 0, 0, 0 },
};

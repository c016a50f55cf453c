/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE USER [IF NOT EXISTS] u [IDENTIFIED BY 'p'] [, ...] [ACCOUNT LOCK | UNLOCK]; ALTER USER u {IDENTIFIED BY 'p' | ACCOUNT LOCK | UNLOCK};
 * DROP USER [IF EXISTS] u, ...; RENAME USER a TO b, ...; CREATE / DROP ROLE r, ...; SET PASSWORD [FOR u] = 'p';
 * SET DEFAULT ROLE {NONE | ALL | r, ...} TO u, ... */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/base/num.h"
#include "tests/obsim/build.h"
#include "tests/obsim/cmd.h"

enum { MAX_ACCOUNTS = 32, MAX_USER_NAME = 64 };

struct spec {
    struct cmd_account_name name;
    bool has_password, is_hash;
    struct slice password;
};

static int failed(struct cmd *x, const char *what, const struct cmd_account_name *who)
{
    return cmd_fail(x, 1396, "Operation %s failed for '%s'@'%s'", what, who->name, who->host);
}

/* IDENTIFIED BY [PASSWORD] 'p', IDENTIFIED WITH plugin [BY 'p']; in Oracle mode a name. Errors: 1064, 1524. */
static int read_password(struct cmd *x, struct spec *s)
{
    struct slice plugin;

    s->has_password = false;
    if (!parse_words(&x->p, "IDENTIFIED"))
        return 0;
    if (parse_words(&x->p, "WITH")) {
        if (!parse_name_or_string(&x->p, &plugin))
            return cmd_syntax(x);
        if (!slice_is_nocase(plugin, "mysql_native_password") && !slice_is_nocase(plugin, "ob_native_password"))
            return cmd_fail(x, 1524, "Plugin '%.*s' is not loaded", SLICE_FMT(plugin));
        if (!parse_is_word(&x->p, "BY"))
            return 0;
    }
    if (!parse_words(&x->p, "BY"))
        return cmd_syntax(x);
    s->is_hash = parse_words(&x->p, "PASSWORD");
    s->has_password = x->t->is_oracle ? parse_name_or_string(&x->p, &s->password) : parse_string(&x->p, &s->password);
    return s->has_password ? 0 : cmd_syntax(x);
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "*" and 40 hex digits. Errors: 1372. */
static int set_hash(struct cmd *x, struct sim_user *u, struct slice text)
{
    unsigned char bytes[20];

    for (size_t i = 0; i < 20; i++) {
        int high = text.n == 41 && text.s[0] == '*' ? hex(text.s[2 * i + 1]) : -1, low = high >= 0 ? hex(text.s[2 * i + 2]) : -1;

        if (low < 0)
            return cmd_fail(x, 1372, "Password hash should be a 41-digit hexadecimal number");
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    memcpy(u->password, bytes, sizeof bytes);
    u->has_password = true;
    u->password_changed_us = u->modified_us = x->c->now_us;
    return 0;
}

static int check_password(struct cmd *x, const struct spec *s)
{
    const char *length = sim_variable_value(x->t, NULL, sim_variable_find(SLICE("validate_password_length")));
    int64_t n = 0;

    if (s->has_password && !s->is_hash && num_parse_i64(sim_slice(length), &n) && (int64_t)s->password.n < n)
        return cmd_fail(x, 1819, "Your password does not satisfy the current policy requirements");
    return 0;
}

static int set_password(struct cmd *x, struct sim_user *u, const struct spec *s)
{
    if (!s->has_password)
        return 0;
    if (s->is_hash)
        return set_hash(x, u, s->password);
    sim_user_set_password(u, s->password, x->c->now_us);
    return 0;
}

/* REQUIRE ..., PASSWORD EXPIRE ..., WITH MAX_... n, ACCOUNT LOCK | UNLOCK. `*lock`: 1, 0, -1 not said. */
static int read_tail(struct cmd *x, int *lock)
{
    int64_t n;

    *lock = -1;
    if (parse_words(&x->p, "REQUIRE") && !parse_words(&x->p, "NONE") && !parse_words(&x->p, "SSL") && !parse_words(&x->p, "X509"))
        return cmd_syntax(x);
    while (parse_words(&x->p, "WITH MAX_CONNECTIONS_PER_HOUR") || parse_words(&x->p, "WITH MAX_USER_CONNECTIONS"))
        if (!parse_i64(&x->p, &n))
            return cmd_syntax(x);
    if (parse_words(&x->p, "PASSWORD EXPIRE") && !parse_words(&x->p, "NEVER"))
        (void)parse_words(&x->p, "DEFAULT"); /* may be missing */
    if (!parse_words(&x->p, "ACCOUNT"))
        return 0;
    *lock = parse_words(&x->p, "LOCK");
    return *lock != 0 || parse_words(&x->p, "UNLOCK") ? 0 : cmd_syntax(x);
}

static int read_specs(struct cmd *x, struct spec *specs, size_t *n)
{
    int rv;

    *n = 0;
    do {
        if (*n == MAX_ACCOUNTS || !cmd_account_name(x, &specs[*n].name))
            return cmd_syntax(x);
        rv = read_password(x, &specs[(*n)++]);
    } while (rv == 0 && parse_mark(&x->p, ","));
    return rv;
}

static int create_user(struct cmd *x)
{
    int if_not = cmd_if_not_exists(x), lock, rv;
    struct spec specs[MAX_ACCOUNTS] = { { .has_password = false } };
    size_t n;

    rv = if_not < 0 ? cmd_syntax(x) : read_specs(x, specs, &n);
    if (rv == 0)
        rv = read_tail(x, &lock);
    if (rv == 0)
        rv = cmd_end(x);
    for (size_t i = 0; rv == 0 && i < n; i++) {
        if (strlen(specs[i].name.name) > MAX_USER_NAME)
            return cmd_fail(x, 1470, "String '%s' is too long for user name (should be no longer than %d)", specs[i].name.name, MAX_USER_NAME);
        if (sim_user_find(x->t, specs[i].name.name, specs[i].name.host) != NULL && if_not == 0)
            return failed(x, "CREATE USER", &specs[i].name);
        rv = check_password(x, &specs[i]);
    }
    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct sim_user *u;

        if (sim_user_find(x->t, specs[i].name.name, specs[i].name.host) != NULL)
            continue;
        u = build_user(x->c, x->t, sim_slice(specs[i].name.name), sim_slice(specs[i].name.host));
        u->is_locked = lock == 1;
        rv = set_password(x, u, &specs[i]);
        if (rv != 0)
            build_user_remove(x->t, u);
    }
    return rv != 0 ? rv : cmd_ok(x);
}

static bool is_self(struct cmd *x, const struct sim_user *u)
{
    return cmd_account(x) == u;
}

/* Its own password may everybody change. */
static int check_right(struct cmd *x, const struct sim_user *u)
{
    if ((u != NULL && is_self(x, u)) || cmd_may(x, SIM_P(CREATE_USER), ""))
        return 0;
    return cmd_fail(x, 1227, "Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation");
}

static int unknown_user(struct cmd *x, const struct cmd_account_name *who)
{
    if (x->t->is_oracle)
        return cmd_fail(x, 1918, "user '%s' does not exist", who->name);
    return failed(x, "ALTER USER", who);
}

static int alter_user(struct cmd *x)
{
    int if_exists = cmd_if_exists(x), lock, rv;
    struct spec specs[MAX_ACCOUNTS] = { { .has_password = false } };
    size_t n;

    rv = if_exists < 0 ? cmd_syntax(x) : read_specs(x, specs, &n);
    if (rv == 0)
        rv = read_tail(x, &lock);
    if (rv == 0)
        rv = cmd_end(x);
    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct sim_user *u = sim_user_find(x->t, specs[i].name.name, specs[i].name.host);

        rv = check_right(x, u);
        if (rv == 0 && (u == NULL || u->is_role) && if_exists == 0)
            return unknown_user(x, &specs[i].name);
        if (rv == 0)
            rv = check_password(x, &specs[i]);
    }
    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct sim_user *u = sim_user_find(x->t, specs[i].name.name, specs[i].name.host);

        if (u == NULL)
            continue;
        rv = set_password(x, u, &specs[i]);
        if (lock >= 0)
            u->is_locked = lock == 1;
        u->modified_us = x->c->now_us;
    }
    return rv != 0 ? rv : cmd_ok(x);
}

static int read_accounts(struct cmd *x, struct cmd_account_name *names, size_t *n)
{
    *n = 0;
    do {
        if (*n == MAX_ACCOUNTS || !cmd_account_name(x, &names[(*n)++]))
            return cmd_syntax(x);
    } while (parse_mark(&x->p, ","));
    return 0;
}

/* DROP USER and DROP ROLE: nothing is dropped when one of them is missing. */
static int drop(struct cmd *x)
{
    bool is_role = x->row->arg;
    int if_exists = cmd_if_exists(x), rv;
    struct cmd_account_name names[MAX_ACCOUNTS];
    size_t n;

    rv = if_exists < 0 ? cmd_syntax(x) : read_accounts(x, names, &n);
    if (rv == 0)
        rv = cmd_end(x);
    for (size_t i = 0; rv == 0 && i < n; i++) {
        const struct sim_user *u = sim_user_find(x->t, names[i].name, names[i].host);

        if ((u == NULL && if_exists == 0) || (u != NULL && u->is_role != is_role))
            return failed(x, is_role ? "DROP ROLE" : "DROP USER", &names[i]);
    }
    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct sim_user *u = sim_user_find(x->t, names[i].name, names[i].host);

        if (u != NULL)
            build_user_remove(x->t, u);
    }
    return rv != 0 ? rv : cmd_ok(x);
}

static int create_role(struct cmd *x)
{
    int if_not = cmd_if_not_exists(x), rv;
    struct cmd_account_name names[MAX_ACCOUNTS];
    size_t n;

    rv = if_not < 0 ? cmd_syntax(x) : read_accounts(x, names, &n);
    if (rv == 0)
        rv = cmd_end(x);
    for (size_t i = 0; rv == 0 && i < n; i++) {
        if (strlen(names[i].name) > MAX_USER_NAME)
            return cmd_fail(x, 1470, "String '%s' is too long for user name (should be no longer than %d)", names[i].name, MAX_USER_NAME);
        if (sim_user_find(x->t, names[i].name, names[i].host) != NULL && if_not == 0)
            return failed(x, "CREATE ROLE", &names[i]);
    }
    for (size_t i = 0; rv == 0 && i < n; i++)
        if (sim_user_find(x->t, names[i].name, names[i].host) == NULL) {
            struct sim_user *u = build_user(x->c, x->t, sim_slice(names[i].name), sim_slice(names[i].host));

            u->is_role = u->is_locked = true;
        }
    return rv != 0 ? rv : cmd_ok(x);
}

static void rename_edges(struct sim_tenant *t, const struct cmd_account_name *from, const struct cmd_account_name *to)
{
    for (size_t i = 0; i < t->users.n; i++)
        for (size_t k = 0; k < t->users.items[i]->roles.n; k++) {
            struct sim_role_edge *edge = t->users.items[i]->roles.items[k];

            if (strcmp(edge->role, from->name) != 0 || strcasecmp(edge->host, from->host) != 0)
                continue;
            sim_name(edge->role, sim_slice(to->name));
            sim_name(edge->host, sim_slice(to->host));
        }
}

static int rename_user(struct cmd *x)
{
    struct cmd_account_name from[MAX_ACCOUNTS], to[MAX_ACCOUNTS];
    size_t n = 0;
    int rv;

    do {
        if (n == MAX_ACCOUNTS || !cmd_account_name(x, &from[n]) || !parse_words(&x->p, "TO") || !cmd_account_name(x, &to[n]))
            return cmd_syntax(x);
        n++;
    } while (parse_mark(&x->p, ","));
    rv = cmd_end(x);
    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct sim_user *u = sim_user_find(x->t, from[i].name, from[i].host);

        if (u == NULL || sim_user_find(x->t, to[i].name, to[i].host) != NULL)
            return failed(x, "RENAME USER", &from[i]);
        rename_edges(x->t, &from[i], &to[i]);
        sim_name(u->name, sim_slice(to[i].name));
        sim_name(u->host, sim_slice(to[i].host));
        u->modified_us = x->c->now_us;
    }
    return rv != 0 ? rv : cmd_ok(x);
}

/* SET PASSWORD [FOR u] = {'p' | PASSWORD('p')} */
static int set_password_for(struct cmd *x)
{
    struct cmd_account_name who;
    struct spec s = { .has_password = true };
    bool is_call;
    struct sim_user *u;
    int rv;

    sim_name(who.name, sim_slice(x->s->user));
    sim_name(who.host, sim_slice(x->s->account_host));
    if (parse_words(&x->p, "FOR") && !cmd_account_name(x, &who))
        return cmd_syntax(x);
    if (!parse_mark(&x->p, "="))
        return cmd_syntax(x);
    is_call = parse_words(&x->p, "PASSWORD");
    if (is_call && !parse_mark(&x->p, "("))
        return cmd_syntax(x);
    if (!parse_string(&x->p, &s.password) || (is_call && !parse_mark(&x->p, ")")))
        return cmd_syntax(x);
    rv = cmd_end(x);
    u = sim_user_find(x->t, who.name, who.host);
    if (rv == 0)
        rv = check_right(x, u);
    if (rv == 0)
        rv = check_password(x, &s);
    if (rv == 0 && (u == NULL || u->is_role))
        rv = cmd_fail(x, 1133, "Can't find any matching row in the user table");
    if (rv == 0)
        rv = set_password(x, u, &s);
    return rv != 0 ? rv : cmd_ok(x);
}

/* --- default roles ----------------------------------------------------------------------------------------------------------------- */

static struct sim_role_edge *edge_of(struct sim_user *u, const struct cmd_account_name *role)
{
    for (size_t i = 0; i < u->roles.n; i++)
        if (strcmp(u->roles.items[i]->role, role->name) == 0 && strcasecmp(u->roles.items[i]->host, role->host) == 0)
            return u->roles.items[i];
    return NULL;
}

static int set_default_role(struct cmd *x)
{
    struct cmd_account_name roles[MAX_ACCOUNTS], users[MAX_ACCOUNTS];
    size_t n_roles = 0, n_users = 0;
    bool none = parse_words(&x->p, "NONE"), all = !none && parse_words(&x->p, "ALL");
    int rv = none || all ? 0 : read_accounts(x, roles, &n_roles);

    if (rv == 0 && !parse_words(&x->p, "TO"))
        rv = cmd_syntax(x);
    if (rv == 0)
        rv = read_accounts(x, users, &n_users);
    if (rv == 0)
        rv = cmd_end(x);
    for (size_t i = 0; rv == 0 && i < n_users; i++) {
        struct sim_user *u = sim_user_find(x->t, users[i].name, users[i].host);

        rv = check_right(x, u);
        if (rv == 0 && u == NULL)
            return cmd_fail(x, 3523, "Unknown authorization ID `%s`@`%s`", users[i].name, users[i].host);
        for (size_t k = 0; rv == 0 && k < n_roles; k++)
            if (edge_of(u, &roles[k]) == NULL)
                return cmd_fail(x, 3530, "`%s`@`%s` is not granted to `%s`@`%s`", roles[k].name, roles[k].host, u->name, u->host);
    }
    for (size_t i = 0; rv == 0 && i < n_users; i++) {
        struct sim_user *u = sim_user_find(x->t, users[i].name, users[i].host);

        for (size_t k = 0; k < u->roles.n; k++)
            u->roles.items[k]->is_default = all;
        for (size_t k = 0; k < n_roles; k++)
            edge_of(u, &roles[k])->is_default = true;
    }
    return rv != 0 ? rv : cmd_ok(x);
}

const struct cmd_row cmd_account_rows[] = {
    { "CREATE USER", create_user, 0, SIM_P(CREATE_USER), 0 },
    { "ALTER USER", alter_user, CMD_ORACLE, 0, 0 },
    { "DROP USER", drop, 0, SIM_P(CREATE_USER), 0 },
    { "RENAME USER", rename_user, 0, SIM_P(CREATE_USER), 0 },
    { "CREATE ROLE", create_role, 0, SIM_P(CREATE_ROLE), 0 },
    { "DROP ROLE", drop, 0, SIM_P(DROP_ROLE), 1 },
    { "SET PASSWORD", set_password_for, 0, 0, 0 },
    { "SET DEFAULT ROLE", set_default_role, 0, 0, 0 },
    { "", NULL, 0, 0, 0 },
};

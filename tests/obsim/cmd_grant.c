/* SPDX-License-Identifier: Apache-2.0 */
/* GRANT p, ... ON [TABLE | PROCEDURE | FUNCTION] {*.* | * | db.* | [db.]object} TO u [IDENTIFIED BY 'p'], ... [WITH GRANT OPTION]
 * REVOKE p, ... ON ... FROM u, ...; REVOKE ALL [PRIVILEGES], GRANT OPTION FROM u, ...
 * GRANT r, ... TO u, ... [WITH ADMIN OPTION]; REVOKE r, ... FROM u, ... */
#include <string.h>
#include <strings.h>

#include "tests/obsim/build.h"
#include "tests/obsim/cmd.h"

enum { MAX_NAMES = 32 };

struct target {
    char database[SIM_NAME], object[SIM_NAME]; /* "": all of them */
    bool is_routine;
    enum sim_object_kind kind;        /* of a routine */
    unsigned level;                   /* 0 or SIM_ON_... */
};

struct order {
    uint64_t privileges;
    bool is_all;                      /* ALL [PRIVILEGES] */
    struct target on;
    struct cmd_account_name names[MAX_NAMES];
    struct slice passwords[MAX_NAMES]; /* s NULL: none given */
    size_t n;
};

/* --- grammar ------------------------------------------------------------------------------------------------------------------------ */

static bool read_privilege(struct parse *p, struct order *o)
{
    int best = -1;
    size_t best_at = p->at;

    if (parse_words(p, "USAGE"))
        return true;
    if (parse_words(p, "ALL")) {
        (void)parse_words(p, "PRIVILEGES"); /* may be missing */
        return o->is_all = true;
    }
    for (int i = 0; i < SIM_PRIVILEGE_N; i++) {
        struct parse q = *p;

        if (parse_words(&q, sim_privileges[i].words) && q.at > best_at) {
            best = i;
            best_at = q.at;
        }
    }
    if (best < 0)
        return false;
    o->privileges |= UINT64_C(1) << best;
    p->at = best_at;
    return true;
}

/* "p, ... ON" is read. Nothing is taken when it is none: then it is about roles. */
static bool read_privileges(struct cmd *x, struct order *o)
{
    struct parse p = x->p;

    do {
        if (!read_privilege(&p, o))
            return false;
    } while (parse_mark(&p, ","));
    if (!parse_words(&p, "ON"))
        return false;
    x->p = p;
    return true;
}

/* Errors: 1064. */
static int read_target(struct cmd *x, struct target *t)
{
    struct slice first, second;

    *t = (struct target){ .level = 0 };
    if (parse_words(&x->p, "PROCEDURE") || parse_words(&x->p, "FUNCTION")) {
        t->is_routine = true;
        t->kind = slice_is_nocase(parse_peek(&x->p)[-1].text, "PROCEDURE") ? SIM_PROCEDURE : SIM_FUNCTION;
    } else {
        (void)parse_words(&x->p, "TABLE"); /* may be missing */
    }
    if (parse_mark(&x->p, "*")) {
        if (parse_mark(&x->p, "."))
            return parse_mark(&x->p, "*") && !t->is_routine ? 0 : cmd_syntax(x);
        t->level = SIM_ON_DATABASE;
        sim_name(t->database, sim_slice(x->s->client->database));
        return 0;
    }
    if (!parse_name(&x->p, &first) || first.n >= SIM_NAME)
        return cmd_syntax(x);
    t->level = t->is_routine ? SIM_ON_ROUTINE : SIM_ON_TABLE;
    if (!parse_mark(&x->p, ".")) {
        sim_name(t->object, first);
        sim_name(t->database, sim_slice(x->s->client->database));
        return 0;
    }
    sim_name(t->database, first);
    if (parse_mark(&x->p, "*")) {
        t->level = SIM_ON_DATABASE;
        return t->is_routine ? cmd_syntax(x) : 0;
    }
    if (!parse_name(&x->p, &second) || second.n >= SIM_NAME)
        return cmd_syntax(x);
    sim_name(t->object, second);
    return 0;
}

static int read_names(struct cmd *x, struct order *o, bool with_passwords)
{
    o->n = 0;
    do {
        if (o->n == MAX_NAMES || !cmd_account_name(x, &o->names[o->n]))
            return cmd_syntax(x);
        o->passwords[o->n] = (struct slice){ NULL, 0 };
        if (with_passwords && parse_words(&x->p, "IDENTIFIED BY") && !parse_string(&x->p, &o->passwords[o->n]))
            return cmd_syntax(x);
        o->n++;
    } while (parse_mark(&x->p, ","));
    return 0;
}

/* --- checks ------------------------------------------------------------------------------------------------------------------------- */

/* What is granted must exist at this level; ALL means what does. Errors: 1046, 1221, 1144, 1146, 1305. */
static int check_target(struct cmd *x, struct order *o, bool must_exist)
{
    const struct target *t = &o->on;

    if (t->level != 0 && t->database[0] == '\0')
        return cmd_fail(x, 1046, "No database selected");
    if (o->is_all)
        o->privileges |= sim_privileges_all(t->level);
    for (unsigned i = 0; i < SIM_PRIVILEGE_N && t->level != 0; i++) {
        if ((o->privileges & (UINT64_C(1) << i)) == 0 || (sim_privileges[i].levels & t->level) != 0)
            continue;
        if (t->level == SIM_ON_DATABASE)
            return cmd_fail(x, 1221, "Incorrect usage of DB GRANT and GLOBAL PRIVILEGES");
        return cmd_fail(x, 1144, "Illegal GRANT/REVOKE command; please consult the manual to see which privileges can be used");
    }
    if (t->object[0] == '\0' || !must_exist)
        return 0;
    if (t->is_routine && sim_object_find(x->t, t->database, t->object, t->kind) == NULL)
        return cmd_fail(x, 1305, "%s %s.%s does not exist", sim_object_kind_name(t->kind), t->database, t->object);
    if (!t->is_routine && sim_object_find(x->t, t->database, t->object, SIM_TABLE) == NULL &&
        sim_object_find(x->t, t->database, t->object, SIM_VIEW) == NULL && !cmd_is_system_database(t->database) &&
        (o->privileges & SIM_P(CREATE)) == 0)
        return cmd_fail(x, 1146, "Table '%s.%s' doesn't exist", t->database, t->object);
    return 0;
}

/* Only what one holds, and with GRANT OPTION, can be given on. Errors: 1227, 1044. */
static int check_right(struct cmd *x, const struct order *o)
{
    if (cmd_may(x, o->privileges | SIM_P(GRANT_OPTION), o->on.database))
        return 0;
    if (o->on.level == 0)
        return cmd_fail(x, 1227, "Access denied; you need (at least one of) the GRANT OPTION privilege(s) for this operation");
    return cmd_fail(x, 1044, "Access denied for user '%s'@'%s' to database '%s'", x->s->user, x->s->account_host, o->on.database);
}

/* --- privileges ---------------------------------------------------------------------------------------------------------------------- */

static size_t grant_index(const struct sim_user *u, const struct target *t)
{
    size_t i = 0;

    for (; i < u->grants.n; i++) {
        const struct sim_grant *g = u->grants.items[i];

        if (strcasecmp(g->database, t->database) == 0 && strcasecmp(g->object, t->object) == 0 && g->is_routine == t->is_routine &&
            (!t->is_routine || g->kind == t->kind))
            break;
    }
    return i;
}

static void give(struct cmd *x, struct sim_user *u, const struct order *o)
{
    size_t i = grant_index(u, &o->on);
    struct sim_grant *g;

    u->modified_us = x->c->now_us;
    if (o->on.level == 0) {
        u->privileges |= o->privileges;
        return;
    }
    if (o->privileges == 0)
        return;
    g = i < u->grants.n ? u->grants.items[i] : sim_push(&u->grants);
    if (g->privileges == 0) {
        sim_name(g->database, sim_slice(o->on.database));
        sim_name(g->object, sim_slice(o->on.object));
        g->is_routine = o->on.is_routine;
        g->kind = o->on.kind;
        g->created_us = x->c->now_us;
    }
    g->privileges |= o->privileges;
    g->modified_us = x->c->now_us;
}

/* Errors: 1141, 1147, 1403 where nothing was granted there at all. */
static int take(struct cmd *x, struct sim_user *u, const struct order *o)
{
    size_t i = grant_index(u, &o->on);

    u->modified_us = x->c->now_us;
    if (o->on.level == 0) {
        u->privileges &= ~o->privileges;
        return 0;
    }
    if (i == u->grants.n) {
        if (o->on.level == SIM_ON_DATABASE)
            return cmd_fail(x, 1141, "There is no such grant defined for user '%s' on host '%s'", u->name, u->host);
        return cmd_fail(x, o->on.is_routine ? 1403 : 1147, "There is no such grant defined for user '%s' on host '%s' on %s '%s'", u->name, u->host,
                        o->on.is_routine ? "routine" : "table", o->on.object);
    }
    u->grants.items[i]->privileges &= ~o->privileges;
    u->grants.items[i]->modified_us = x->c->now_us;
    if (u->grants.items[i]->privileges == 0)
        sim_remove(&u->grants, i);
    return 0;
}

static int grant_privileges(struct cmd *x, struct order *o)
{
    int rv = read_target(x, &o->on);

    if (rv == 0 && !parse_words(&x->p, "TO"))
        rv = cmd_syntax(x);
    if (rv == 0)
        rv = read_names(x, o, true);
    if (rv == 0 && parse_words(&x->p, "WITH GRANT OPTION"))
        o->privileges |= SIM_P(GRANT_OPTION);
    if (rv == 0)
        rv = cmd_end(x);
    if (rv == 0)
        rv = check_target(x, o, true);
    if (rv == 0)
        rv = check_right(x, o);
    for (size_t i = 0; rv == 0 && i < o->n; i++)
        if (sim_user_find(x->t, o->names[i].name, o->names[i].host) == NULL && o->passwords[i].s == NULL)
            return cmd_fail(x, 1410, "You are not allowed to create a user with GRANT");
    for (size_t i = 0; rv == 0 && i < o->n; i++) {
        struct sim_user *u = sim_user_find(x->t, o->names[i].name, o->names[i].host);

        if (u == NULL)
            u = build_user(x->c, x->t, sim_slice(o->names[i].name), sim_slice(o->names[i].host));
        if (o->passwords[i].s != NULL)
            sim_user_set_password(u, o->passwords[i], x->c->now_us);
        give(x, u, o);
    }
    return rv != 0 ? rv : cmd_ok(x);
}

static int no_user(struct cmd *x, const struct cmd_account_name *who)
{
    return cmd_fail(x, 1141, "There is no such grant defined for user '%s' on host '%s'", who->name, who->host);
}

static int revoke_privileges(struct cmd *x, struct order *o)
{
    int rv = read_target(x, &o->on);

    if (rv == 0 && !parse_words(&x->p, "FROM"))
        rv = cmd_syntax(x);
    if (rv == 0)
        rv = read_names(x, o, false);
    if (rv == 0)
        rv = cmd_end(x);
    if (rv == 0)
        rv = check_target(x, o, false);
    if (rv == 0)
        rv = check_right(x, o);
    for (size_t i = 0; rv == 0 && i < o->n; i++) {
        struct sim_user *u = sim_user_find(x->t, o->names[i].name, o->names[i].host);

        rv = u != NULL ? take(x, u, o) : no_user(x, &o->names[i]);
    }
    return rv != 0 ? rv : cmd_ok(x);
}

/* REVOKE ALL [PRIVILEGES], GRANT OPTION FROM u */
static int revoke_everything(struct cmd *x, struct order *o)
{
    int rv = parse_words(&x->p, "FROM") ? read_names(x, o, false) : cmd_syntax(x);

    o->privileges = 0;
    if (rv == 0)
        rv = cmd_end(x);
    if (rv == 0)
        rv = check_right(x, o);
    for (size_t i = 0; rv == 0 && i < o->n; i++) {
        struct sim_user *u = sim_user_find(x->t, o->names[i].name, o->names[i].host);

        if (u == NULL)
            return cmd_fail(x, 1269, "Can't revoke all privileges for one or more of the requested users");
        u->privileges = 0;
        sim_clear(&u->grants);
        u->modified_us = x->c->now_us;
    }
    return rv != 0 ? rv : cmd_ok(x);
}

/* --- roles --------------------------------------------------------------------------------------------------------------------------- */

static size_t edge_index(const struct sim_user *u, const struct cmd_account_name *role)
{
    size_t i = 0;

    while (i < u->roles.n && (strcmp(u->roles.items[i]->role, role->name) != 0 || strcasecmp(u->roles.items[i]->host, role->host) != 0))
        i++;
    return i;
}

static int check_roles(struct cmd *x, const struct order *roles, const struct order *users)
{
    for (size_t i = 0; i < roles->n; i++)
        if (sim_user_find(x->t, roles->names[i].name, roles->names[i].host) == NULL)
            return cmd_fail(x, 3523, "Unknown authorization ID `%s`@`%s`", roles->names[i].name, roles->names[i].host);
    for (size_t i = 0; i < users->n; i++)
        if (sim_user_find(x->t, users->names[i].name, users->names[i].host) == NULL)
            return cmd_fail(x, 3523, "Unknown authorization ID `%s`@`%s`", users->names[i].name, users->names[i].host);
    return cmd_may(x, SIM_P(GRANT_OPTION), "") || cmd_may(x, SIM_P(SUPER), "")
               ? 0
               : cmd_fail(x, 1227, "Access denied; you need (at least one of) the WITH ADMIN, ROLE_ADMIN, SUPER privilege(s) for this operation");
}

static void change_edges(struct sim_user *u, const struct order *roles, bool is_grant, bool with_admin)
{
    for (size_t k = 0; k < roles->n; k++) {
        size_t at = edge_index(u, &roles->names[k]);

        if (is_grant && at == u->roles.n) {
            struct sim_role_edge *edge = sim_push(&u->roles);

            sim_name(edge->role, sim_slice(roles->names[k].name));
            sim_name(edge->host, sim_slice(roles->names[k].host));
        }
        if (is_grant)
            u->roles.items[at]->with_admin |= with_admin;
        else if (at < u->roles.n)
            sim_remove(&u->roles, at);
    }
}

static int change_roles(struct cmd *x, struct order *roles, bool is_grant)
{
    struct order users = { .n = 0 };
    bool with_admin = false;
    int rv = read_names(x, roles, false);

    if (rv == 0 && !parse_words(&x->p, is_grant ? "TO" : "FROM"))
        rv = cmd_syntax(x);
    if (rv == 0)
        rv = read_names(x, &users, false);
    if (rv == 0 && is_grant)
        with_admin = parse_words(&x->p, "WITH ADMIN OPTION");
    if (rv == 0)
        rv = cmd_end(x);
    if (rv == 0)
        rv = check_roles(x, roles, &users);
    for (size_t i = 0; rv == 0 && i < users.n; i++)
        change_edges(sim_user_find(x->t, users.names[i].name, users.names[i].host), roles, is_grant, with_admin);
    return rv != 0 ? rv : cmd_ok(x);
}

static int grant(struct cmd *x)
{
    struct order o = { .n = 0 };

    return read_privileges(x, &o) ? grant_privileges(x, &o) : change_roles(x, &o, true);
}

static int revoke(struct cmd *x)
{
    struct order o = { .n = 0 };

    if (parse_words(&x->p, "ALL PRIVILEGES") || parse_words(&x->p, "ALL")) {
        if (parse_mark(&x->p, ","))
            return parse_words(&x->p, "GRANT OPTION") ? revoke_everything(x, &o) : cmd_syntax(x);
        if (!parse_words(&x->p, "ON"))
            return cmd_syntax(x);
        o.is_all = true;
        return revoke_privileges(x, &o);
    }
    return read_privileges(x, &o) ? revoke_privileges(x, &o) : change_roles(x, &o, false);
}

const struct cmd_row cmd_grant_rows[] = {
    { "GRANT", grant, 0, 0, 0 },
    { "REVOKE", revoke, 0, 0, 0 },
    { "", NULL, 0, 0, 0 },
};

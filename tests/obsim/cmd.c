/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "src/base/num.h"

static const struct cmd_row *const tables[] = {
    cmd_account_rows, cmd_bootstrap_rows, cmd_compaction_rows, cmd_database_rows, cmd_grant_rows, cmd_object_rows, cmd_parameter_rows, cmd_pool_rows, cmd_server_rows,
    cmd_session_rows, cmd_set_rows, cmd_show_rows, cmd_system_rows, cmd_tenant_rows, cmd_time_zone_rows, cmd_unit_rows, cmd_zone_rows,
};

/* --- replies ------------------------------------------------------------------------------------------------------------------- */

int cmd_syntax(struct cmd *x)
{
    size_t at = parse_peek(&x->p)->at, line = 1, n = x->sql.n - at < 80 ? x->sql.n - at : 80;

    for (size_t i = 0; i < at; i++)
        line += x->sql.s[i] == '\n';
    return cmd_fail(x, 1064,
                    "You have an error in your SQL syntax; check the manual that corresponds to your OceanBase version for the right syntax "
                    "to use near '%.*s' at line %zu",
                    (int)n, x->sql.s + at, line);
}

int cmd_ok(struct cmd *x)
{
    return reply_ok(x->out, 0);
}

int cmd_place_failed(struct cmd *x, const struct place_error *e)
{
    return cmd_fail(x, (unsigned)e->number, "%s", e->text);
}

/* --- rights -------------------------------------------------------------------------------------------------------------------- */

struct sim_user *cmd_account(const struct cmd *x)
{
    struct sim_tenant *home = sim_tenant_get(x->c, x->s->client->tenant_id);

    return home != NULL ? sim_user_find(home, x->s->user, x->s->account_host) : NULL;
}

bool cmd_may(const struct cmd *x, uint64_t privilege, const char *database)
{
    const struct sim_user *u = cmd_account(x);

    return u != NULL && (sim_user_privileges(sim_tenant_get(x->c, x->s->client->tenant_id), u, database) & privilege) == privilege;
}

static int denied(struct cmd *x, uint64_t privilege)
{
    const char *words = "SUPER";

    for (unsigned i = 0; i < SIM_PRIVILEGE_N; i++)
        if ((privilege & (UINT64_C(1) << i)) != 0)
            words = sim_privileges[i].words;
    return cmd_fail(x, 1227, "Access denied; you need (at least one of) the %s privilege(s) for this operation", words);
}

int cmd_end(struct cmd *x)
{
    if (!parse_end(&x->p))
        return cmd_syntax(x);
    if ((x->row->flags & CMD_SYS) != 0 && x->t->type != SIM_TENANT_SYS)
        return denied(x, x->row->privilege);
    return cmd_may(x, x->row->privilege, "") ? 0 : denied(x, x->row->privilege);
}

int cmd_end_on(struct cmd *x, uint64_t privilege, const char *database)
{
    if (!parse_end(&x->p))
        return cmd_syntax(x);
    if (cmd_may(x, privilege, database))
        return 0;
    return cmd_fail(x, 1044, "Access denied for user '%s'@'%s' to database '%s'", x->s->user, x->s->account_host, database);
}

/* --- grammar that is shared ------------------------------------------------------------------------------------------------------ */

const char *cmd_text(struct cmd *x, struct slice s)
{
    const char *made = arena_strndup(&x->arena, s.s, s.n);

    if (made == NULL)
        abort();
    return made;
}

int cmd_if_exists(struct cmd *x)
{
    if (!parse_words(&x->p, "IF"))
        return 0;
    return parse_words(&x->p, "EXISTS") ? 1 : -1;
}

int cmd_if_not_exists(struct cmd *x)
{
    if (!parse_words(&x->p, "IF"))
        return 0;
    return parse_words(&x->p, "NOT EXISTS") ? 1 : -1;
}

bool cmd_name_after_equal(struct cmd *x, struct slice *out)
{
    (void)parse_mark(&x->p, "="); /* may be missing */
    return parse_name_or_string(&x->p, out) && out->n < SIM_NAME;
}

bool cmd_i64_after_equal(struct cmd *x, int64_t *out)
{
    (void)parse_mark(&x->p, "="); /* may be missing */
    return parse_i64(&x->p, out);
}

bool cmd_size_after_equal(struct cmd *x, int64_t *out)
{
    struct slice text;

    (void)parse_mark(&x->p, "="); /* may be missing */
    return parse_i64(&x->p, out) || (parse_string(&x->p, &text) && num_parse_size(slice_trim(text), out));
}

static bool is_named(const struct sim_tenant *t, struct slice name)
{
    if (slice_is_nocase(name, "ALL"))
        return t->type != SIM_TENANT_META;
    if (slice_is_nocase(name, "ALL_USER"))
        return t->type == SIM_TENANT_USER;
    if (slice_is_nocase(name, "ALL_META"))
        return t->type == SIM_TENANT_META;
    return slice_is_nocase(name, t->name);
}

static bool is_group(struct slice name)
{
    return slice_is_nocase(name, "ALL") || slice_is_nocase(name, "ALL_USER") || slice_is_nocase(name, "ALL_META");
}

static bool next_tenant_name(struct cmd *x, struct slice *name)
{
    if (!parse_is_word(&x->p, "ALL"))
        return parse_name_or_string(&x->p, name);
    *name = parse_next(&x->p)->text;
    return true;
}

int cmd_tenants(struct cmd *x, struct sim_tenant ***out, size_t *n)
{
    struct slice name;

    *n = 0;
    *out = arena_array(&x->arena, x->c->tenants.n * PARSE_LIST_MAX + 1, sizeof **out);
    if (*out == NULL)
        abort();
    if (!parse_words(&x->p, "TENANT"))
        return 0;
    (void)parse_mark(&x->p, "="); /* may be missing */
    for (int names = 0; names == 0 || parse_mark(&x->p, ","); names++) {
        size_t before = *n;

        if (names == PARSE_LIST_MAX || !next_tenant_name(x, &name))
            return cmd_syntax(x);
        for (size_t i = 0; i < x->c->tenants.n; i++)
            if (!x->c->tenants.items[i]->in_recyclebin && is_named(x->c->tenants.items[i], name))
                (*out)[(*n)++] = x->c->tenants.items[i];
        if (*n == before && !is_group(name))
            return cmd_fail(x, 5157, "Unknown tenant '%.*s'", SLICE_FMT(name));
    }
    if (x->t->type != SIM_TENANT_SYS && (*n != 1 || (*out)[0] != x->t))
        return denied(x, SIM_P(ALTER_SYSTEM));
    return 0;
}

bool cmd_account_name(struct cmd *x, struct cmd_account_name *out)
{
    bool is_bare = parse_peek(&x->p)->kind == LEX_WORD;
    struct slice name, host = SLICE("%");

    if (!parse_name_or_string(&x->p, &name) || name.n >= SIM_NAME)
        return false;
    if (parse_mark(&x->p, "@") && !parse_mark(&x->p, "%") && (!parse_name_or_string(&x->p, &host) || host.n >= SIM_NAME))
        return false;
    if (x->t->is_oracle && is_bare)
        for (size_t i = 0; i <= name.n && i < SIM_NAME; i++) /* bare names are in capitals there */
            out->name[i] = (char)(i < name.n && name.s[i] >= 'a' && name.s[i] <= 'z' ? name.s[i] - 'a' + 'A' : i < name.n ? name.s[i] : '\0');
    else
        sim_name(out->name, name);
    sim_name(out->host, host);
    return true;
}

const char *cmd_current_database(struct cmd *x)
{
    if (x->s->client->database[0] != '\0')
        return x->s->client->database;
    (void)cmd_fail(x, 1046, "No database selected");
    return NULL;
}

bool cmd_qualified_name(struct cmd *x, char database[SIM_NAME], char name[SIM_NAME])
{
    struct slice first, second;

    if (!parse_name(&x->p, &first) || first.n >= SIM_NAME)
        return false;
    if (parse_mark(&x->p, ".")) {
        if (!parse_name(&x->p, &second) || second.n >= SIM_NAME)
            return false;
        sim_name(database, first);
        sim_name(name, second);
        return true;
    }
    sim_name(database, sim_slice(x->s->client->database));
    sim_name(name, first);
    return true;
}

bool cmd_is_system_database(const char *name)
{
    static const char *const names[] = { "information_schema", "mysql", "oceanbase", "__recyclebin", "__public", "SYS", "LBACSYS", "ORAAUDITOR" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

const char *cmd_time(struct cmd *x, int64_t us)
{
    const struct sim_variable *v = sim_variable_find(SLICE("time_zone"));
    const char *zone = sim_variable_value(x->t, &x->s->variables, v), *made;
    int hours = 0, minutes = 0, sign = zone[0] == '-' ? -1 : 1;
    struct tm tm = { 0 };
    time_t seconds;

    if (zone[0] == '+' || zone[0] == '-')
        (void)sscanf(zone + 1, "%2d:%2d", &hours, &minutes); /* of the form that was accepted */
    us += (int64_t)sign * (hours * 60 + minutes) * 60 * 1000000;
    seconds = (time_t)(us / 1000000);
    (void)gmtime_r(&seconds, &tm);
    made = arena_printf(&x->arena, "%04d-%02d-%02d %02d:%02d:%02d.%06d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                        tm.tm_sec, (int)(us % 1000000));
    if (made == NULL)
        abort();
    return made;
}

/* --- dispatch ------------------------------------------------------------------------------------------------------------------ */

static const struct cmd_row *find(struct cmd *x)
{
    const struct cmd_row *best = NULL;
    size_t best_at = 0;

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct cmd_row *row = tables[i]; row->run != NULL; row++) {
            struct parse p = x->p;

            if (parse_words(&p, row->words) && p.at > best_at) {
                best = row;
                best_at = p.at;
            }
        }
    x->p.at = best_at;
    return best;
}

/* How names and strings are quoted follows from the session. */
static unsigned lex_flags(const struct sim_session *s)
{
    const char *mode = sim_variable_value(s->tenant, &s->variables, sim_variable_find(SLICE("sql_mode")));
    unsigned flags = s->tenant->is_oracle ? LEX_ANSI_QUOTES | LEX_NO_BACKSLASH : 0;

    flags |= strstr(mode, "ANSI") != NULL ? LEX_ANSI_QUOTES : 0;
    return flags | (strstr(mode, "NO_BACKSLASH_ESCAPES") != NULL ? LEX_NO_BACKSLASH : 0);
}

static int run(struct cmd *x)
{
    if (!lex_all(x->sql, lex_flags(x->s), &x->arena, &x->lex))
        abort();
    x->p = (struct parse){ &x->lex, 0 };
    if (parse_end(&x->p))
        return cmd_fail(x, 1065, "Query was empty");
    x->p.at = 0;
    x->row = find(x);
    if (x->row == NULL)
        return cmd_syntax(x);
    if (x->t->is_oracle && (x->row->flags & CMD_ORACLE) == 0)
        return cmd_fail(x, 4007, "Not supported feature or function");
    return x->row->run(x);
}

int command_run(struct sim_session *s, struct slice sql, struct sim_reply *out)
{
    struct cmd x = { .s = s, .c = s->cluster, .t = s->tenant, .out = out, .sql = slice_trim(sql) };
    int number;

    arena_init(&x.arena);
    while (x.sql.n > 0 && x.sql.s[x.sql.n - 1] == ';')
        x.sql = slice_trim((struct slice){ x.sql.s, x.sql.n - 1 });
    number = run(&x);
    arena_fini(&x.arena);
    s->cluster->changes++;
    return number;
}

/* The first tokens of a statement; the rest of a long one is not looked at. */
static void begin_of(struct slice sql, struct arena *arena, struct lex *lex)
{
    arena_init(arena);
    if (!lex_all(sql.n > 4096 ? (struct slice){ sql.s, 4096 } : sql, 0, arena, lex))
        abort();
}

bool command_is_select(struct slice sql)
{
    struct arena arena;
    struct lex lex;
    size_t at = 0;
    bool is;

    begin_of(sql, &arena, &lex);
    while (lex.tokens[at].kind == LEX_MARK && slice_is(lex.tokens[at].text, "("))
        at++;
    is = lex.tokens[at].kind == LEX_WORD &&
         (slice_is_nocase(lex.tokens[at].text, "SELECT") || (at == 0 && slice_is_nocase(lex.tokens[at].text, "WITH")));
    arena_fini(&arena);
    return is;
}

static bool is_word_of(const struct lex_token *t, const char *const *words)
{
    for (; *words != NULL; words++)
        if (t->kind == LEX_WORD && slice_is_nocase(t->text, *words))
            return true;
    return false;
}

bool command_changes(struct slice sql)
{
    static const char *const local[] = { "SELECT", "WITH", "SHOW", "USE", "BEGIN", "START", "COMMIT", "ROLLBACK", "KILL", NULL };
    static const char *const set[] = { "SET", NULL }, *const shared[] = { "GLOBAL", "PASSWORD", "ROLE", NULL };
    struct arena arena;
    struct lex lex;
    bool changes;

    begin_of(sql, &arena, &lex);
    changes = !is_word_of(&lex.tokens[0], local);
    if (is_word_of(&lex.tokens[0], set)) {
        changes = false;
        for (size_t i = 1; lex.tokens[i].kind != LEX_END && !changes; i++)
            changes = is_word_of(&lex.tokens[i], shared);
    }
    arena_fini(&arena);
    return changes;
}

bool command_bootstraps(struct slice sql)
{
    struct arena arena;
    struct lex lex;
    bool is;

    begin_of(sql, &arena, &lex);
    is = parse_words(&(struct parse){ &lex, 0 }, "ALTER SYSTEM BOOTSTRAP");
    arena_fini(&arena);
    return is;
}

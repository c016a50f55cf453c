/* SPDX-License-Identifier: Apache-2.0 */
/* SET [GLOBAL | SESSION | LOCAL] v = value, @@global.v = value, @u = value, ...; SET NAMES cs [COLLATE c]; SET CHARACTER SET cs;
 * SET [GLOBAL | SESSION] TRANSACTION {ISOLATION LEVEL ... | READ ONLY | READ WRITE} */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"

enum { MAX_ITEMS = 32 };

static int refused(struct cmd *x, const struct sim_variable *v, const struct cmd_assignment *a, int number)
{
    switch (number) {
    case 1115:
        return cmd_fail(x, 1115, "Unknown character set: '%.*s'", SLICE_FMT(a->value));
    case 1273:
        return cmd_fail(x, 1273, "Unknown collation: '%.*s'", SLICE_FMT(a->value));
    case 1298:
        return cmd_fail(x, 1298, "Unknown or incorrect time zone: '%.*s'", SLICE_FMT(a->value));
    case 1232:
        return cmd_fail(x, 1232, "Incorrect argument type to variable '%s'", v->name);
    default:
        return cmd_fail(x, 1231, "Variable '%s' can't be set to the value of '%.*s'", v->name, SLICE_FMT(a->value));
    }
}

/* The value of another variable: @@[global. | session.]name. */
static bool read_reference(struct cmd *x, struct cmd_assignment *a)
{
    bool is_global = parse_words(&x->p, "GLOBAL"), is_scoped = is_global || parse_words(&x->p, "SESSION");
    const struct sim_variable *v;
    struct slice name;

    if ((is_scoped && !parse_mark(&x->p, ".")) || !parse_name(&x->p, &name))
        return false;
    v = sim_variable_find(name);
    a->value = sim_slice(v != NULL ? sim_variable_value(x->t, is_global ? NULL : &x->s->variables, v) : "");
    a->is_text = v != NULL && v->type != SIM_V_INT;
    return true;
}

static bool read_value(struct cmd *x, struct cmd_assignment *a)
{
    const struct lex_token *t = parse_peek(&x->p);

    a->is_text = a->is_default = false;
    if (parse_words(&x->p, "DEFAULT"))
        return a->is_default = true;
    if (parse_mark(&x->p, "@@"))
        return read_reference(x, a);
    if (parse_number(&x->p, &a->value))
        return true;
    a->is_text = true;
    if (parse_string(&x->p, &a->value))
        return true;
    if (t->kind != LEX_WORD && t->kind != LEX_NAME)
        return false;
    a->value = parse_next(&x->p)->text; /* ON, binary, READ and others: also reserved ones */
    return true;
}

bool cmd_read_assignment(struct cmd *x, struct cmd_assignment *a)
{
    return parse_name(&x->p, &a->name) && (parse_mark(&x->p, "=") || parse_mark(&x->p, ":=")) && read_value(x, a);
}

int cmd_check_assignment(struct cmd *x, const struct cmd_assignment *a, unsigned scope, bool at_creation, const struct sim_variable **v,
                         const char **value)
{
    struct str t;
    int number;

    *v = sim_variable_find(a->name);
    if (*v == NULL)
        return cmd_fail(x, 1193, "Unknown system variable '%.*s'", SLICE_FMT(a->name));
    if (((*v)->flags & SIM_V_FIXED) != 0 && !(at_creation && ((*v)->flags & SIM_V_AT_CREATION) != 0))
        return cmd_fail(x, 1238, "Variable '%s' is a read only variable", (*v)->name);
    if (((*v)->flags & scope) == 0)
        return scope == SIM_V_GLOBAL ? cmd_fail(x, 1228, "Variable '%s' is a SESSION variable and can't be used with SET GLOBAL", (*v)->name)
                                     : cmd_fail(x, 1229, "Variable '%s' is a GLOBAL variable and should be set with SET GLOBAL", (*v)->name);
    *value = NULL;
    if (a->is_default)
        return 0;
    str_init(&t, &x->arena);
    number = sim_variable_accept(*v, a->value, a->is_text, &t);
    *value = str_c(&t);
    return number == 0 ? 0 : refused(x, *v, a, number);
}

/* Those that are two names of one thing change together. */
void cmd_assign(struct cmd *x, struct sim_values *to, const struct sim_variable *v, const char *value)
{
    static const char *const pairs[][2] = { { "tx_isolation", "transaction_isolation" }, { "tx_read_only", "transaction_read_only" } };

    for (size_t i = 0; i < 2 * sizeof pairs / sizeof pairs[0]; i++)
        if (strcmp(v->name, pairs[i / 2][i % 2]) == 0 && value != NULL)
            sim_values_set(to, pairs[i / 2][1 - i % 2], sim_slice(value), x->c->now_us);
    if (value != NULL)
        sim_values_set(to, v->name, sim_slice(value), x->c->now_us);
    else
        sim_values_remove(to, v->name);
}

/* --- SET -------------------------------------------------------------------------------------------------------------------------- */

struct item {
    struct cmd_assignment a;
    unsigned scope;                   /* 0: a variable of the user */
};

static unsigned read_scope(struct cmd *x, unsigned otherwise)
{
    if (parse_words(&x->p, "GLOBAL"))
        return SIM_V_GLOBAL;
    return parse_words(&x->p, "SESSION") || parse_words(&x->p, "LOCAL") ? SIM_V_SESSION : otherwise;
}

static bool read_item(struct cmd *x, struct item *i)
{
    if (parse_mark(&x->p, "@")) {
        i->scope = 0;
        return cmd_read_assignment(x, &i->a);
    }
    if (parse_mark(&x->p, "@@")) {
        unsigned scope = read_scope(x, 0);

        i->scope = scope != 0 ? scope : SIM_V_SESSION;
        return (scope == 0 || parse_mark(&x->p, ".")) && cmd_read_assignment(x, &i->a);
    }
    i->scope = read_scope(x, SIM_V_SESSION);
    return cmd_read_assignment(x, &i->a);
}

static int check_right(struct cmd *x, const struct item *i)
{
    if (i->scope != SIM_V_GLOBAL || cmd_may(x, SIM_P(ALTER_SYSTEM), "") || cmd_may(x, SIM_P(SUPER), ""))
        return 0;
    return cmd_fail(x, 1227, "Access denied; you need (at least one of) the SUPER or ALTER SYSTEM privilege(s) for this operation");
}

static int apply(struct cmd *x, const struct item *i)
{
    const struct sim_variable *v;
    const char *value, *name;
    int rv;

    if (i->scope == 0) {
        name = arena_printf(&x->arena, "@%.*s", SLICE_FMT(i->a.name));
        if (name == NULL)
            abort();
        sim_values_set(&x->s->variables, name, i->a.is_default ? SLICE("") : i->a.value, x->c->now_us);
        return 0;
    }
    rv = cmd_check_assignment(x, &i->a, i->scope, false, &v, &value);
    if (rv == 0)
        cmd_assign(x, i->scope == SIM_V_GLOBAL ? &x->t->variables : &x->s->variables, v, value);
    return rv;
}

static int set(struct cmd *x)
{
    struct item items[MAX_ITEMS];
    size_t n = 0;
    int rv;

    do {
        if (n == MAX_ITEMS || !read_item(x, &items[n]))
            return cmd_syntax(x);
        n++;
    } while (parse_mark(&x->p, ","));
    rv = cmd_end(x);
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = check_right(x, &items[i]);
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = apply(x, &items[i]);
    return rv != 0 ? rv : cmd_ok(x);
}

static void set_session(struct cmd *x, const char *name, const char *value)
{
    sim_values_set(&x->s->variables, name, sim_slice(value), x->c->now_us);
}

/* SET NAMES, SET CHARACTER SET (`arg` 1: the connection gets what the database has). */
static int set_names(struct cmd *x)
{
    const struct sim_collation *c, *wanted = NULL;
    struct slice charset, collation = { NULL, 0 };
    int rv;

    (void)parse_mark(&x->p, "="); /* some clients send it */
    if (parse_words(&x->p, "DEFAULT"))
        charset = SLICE("utf8mb4");
    else if (parse_words(&x->p, "BINARY"))
        charset = SLICE("binary");
    else if (!parse_name_or_string(&x->p, &charset))
        return cmd_syntax(x);
    if (parse_words(&x->p, "COLLATE") && !parse_name_or_string(&x->p, &collation))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    c = sim_charset_find(charset);
    if (c == NULL)
        return cmd_fail(x, 1115, "Unknown character set: '%.*s'", SLICE_FMT(charset));
    if (collation.s != NULL && (wanted = sim_collation_find(collation)) == NULL)
        return cmd_fail(x, 1273, "Unknown collation: '%.*s'", SLICE_FMT(collation));
    if (wanted != NULL && strcmp(wanted->charset, c->charset) != 0)
        return cmd_fail(x, 1253, "COLLATION '%s' is not valid for CHARACTER SET '%s'", wanted->name, c->charset);
    set_session(x, "character_set_client", c->charset);
    set_session(x, "character_set_results", c->charset);
    set_session(x, "character_set_connection", c->charset);
    set_session(x, "collation_connection", wanted != NULL ? wanted->name : c->name);
    return cmd_ok(x);
}

static bool read_level(struct cmd *x, const char **level)
{
    static const char *const levels[][2] = { { "READ UNCOMMITTED", "READ-UNCOMMITTED" }, { "READ COMMITTED", "READ-COMMITTED" },
                                             { "REPEATABLE READ", "REPEATABLE-READ" }, { "SERIALIZABLE", "SERIALIZABLE" } };

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (parse_words(&x->p, levels[i][0])) {
            *level = levels[i][1];
            return true;
        }
    return false;
}

static int set_transaction(struct cmd *x)
{
    struct sim_values *to = x->row->arg == SIM_V_GLOBAL ? &x->t->variables : &x->s->variables;
    const char *level = NULL, *read_only = NULL;
    int rv;

    do {
        if (parse_words(&x->p, "ISOLATION LEVEL")) {
            if (!read_level(x, &level))
                return cmd_syntax(x);
        } else if (parse_words(&x->p, "READ ONLY")) {
            read_only = "ON";
        } else if (parse_words(&x->p, "READ WRITE")) {
            read_only = "OFF";
        } else {
            return cmd_syntax(x);
        }
    } while (parse_mark(&x->p, ","));
    rv = cmd_end(x);
    if (rv == 0)
        rv = check_right(x, &(struct item){ .scope = (unsigned)x->row->arg });
    if (rv != 0)
        return rv;
    if (level != NULL)
        cmd_assign(x, to, sim_variable_find(SLICE("tx_isolation")), level);
    if (read_only != NULL)
        cmd_assign(x, to, sim_variable_find(SLICE("tx_read_only")), read_only);
    return cmd_ok(x);
}

const struct cmd_row cmd_set_rows[] = {
    { "SET", set, CMD_ORACLE, 0, 0 },
    { "SET NAMES", set_names, CMD_ORACLE, 0, 0 },
    { "SET CHARACTER SET", set_names, CMD_ORACLE, 0, 1 },
    { "SET CHARSET", set_names, CMD_ORACLE, 0, 1 },
    { "SET TRANSACTION", set_transaction, CMD_ORACLE, 0, SIM_V_SESSION },
    { "SET SESSION TRANSACTION", set_transaction, CMD_ORACLE, 0, SIM_V_SESSION },
    { "SET GLOBAL TRANSACTION", set_transaction, CMD_ORACLE, 0, SIM_V_GLOBAL },
    { "", NULL, 0, 0, 0 },
};

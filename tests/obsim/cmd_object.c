/* SPDX-License-Identifier: Apache-2.0 */
/* Names of tables, views, indexes and routines, for lists of objects: what is behind the name is skipped.
 * CREATE TABLE [IF NOT EXISTS] t (...) ...; CREATE [OR REPLACE] VIEW v AS ...; CREATE [UNIQUE] INDEX i ON t (...);
 * CREATE {PROCEDURE | FUNCTION} p (...) ...; DROP {TABLE | VIEW} [IF EXISTS] a, ...; DROP INDEX i ON t; DROP {PROCEDURE | FUNCTION} p */
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"

enum { REPLACE = 16, MAX_DROPS = 32 };

/* The rest: at least one token, none of them wrong, parentheses in pairs. */
static bool skip_rest(struct cmd *x)
{
    int depth = 0;
    size_t n = 0;

    for (const struct lex_token *t = parse_peek(&x->p); t->kind != LEX_END; t = parse_peek(&x->p), n++) {
        if (t->kind == LEX_BAD)
            return false;
        depth += t->kind == LEX_MARK && slice_is(t->text, "(");
        depth -= t->kind == LEX_MARK && slice_is(t->text, ")");
        if (depth < 0)
            return false;
        (void)parse_next(&x->p); /* its kind is known */
    }
    return n > 0 && depth == 0;
}

/* Errors: 1046, 1049. */
static int check_database(struct cmd *x, const char *database)
{
    if (database[0] == '\0')
        return cmd_fail(x, 1046, "No database selected");
    return sim_database_find(x->t, database) != NULL ? 0 : cmd_fail(x, 1049, "Unknown database '%s'", database);
}

static struct sim_object *add(struct cmd *x, const char *database, const char *name, enum sim_object_kind kind)
{
    struct sim_object *o = sim_push(&x->t->objects);

    o->id = x->t->next_object++;
    o->kind = kind;
    sim_name(o->database, sim_slice(database));
    sim_name(o->name, sim_slice(name));
    o->created_us = o->modified_us = x->c->now_us;
    return o;
}

static void take_out(struct sim_tenant *t, const struct sim_object *o)
{
    for (size_t i = 0; i < t->objects.n; i++)
        if (t->objects.items[i] == o) {
            sim_remove(&t->objects, i);
            return;
        }
}

/* Tables and views share their names. */
static struct sim_object *relation(struct cmd *x, const char *database, const char *name)
{
    struct sim_object *o = sim_object_find(x->t, database, name, SIM_TABLE);

    return o != NULL ? o : sim_object_find(x->t, database, name, SIM_VIEW);
}

static int create(struct cmd *x)
{
    enum sim_object_kind kind = (enum sim_object_kind)(x->row->arg & ~REPLACE);
    bool is_routine = kind == SIM_PROCEDURE || kind == SIM_FUNCTION;
    int if_not = cmd_if_not_exists(x), rv;
    char database[SIM_NAME], name[SIM_NAME];
    struct sim_object *old;

    if (if_not < 0 || !cmd_qualified_name(x, database, name) || !skip_rest(x))
        return cmd_syntax(x);
    rv = check_database(x, database);
    if (rv == 0)
        rv = cmd_end_on(x, kind == SIM_VIEW ? SIM_P(CREATE_VIEW) : is_routine ? SIM_P(CREATE_ROUTINE) : SIM_P(CREATE), database);
    if (rv != 0)
        return rv;
    old = is_routine ? sim_object_find(x->t, database, name, kind) : relation(x, database, name);
    if (old != NULL && (x->row->arg & REPLACE) != 0 && old->kind == kind) {
        old->modified_us = x->c->now_us;
        return cmd_ok(x);
    }
    if (old != NULL && if_not == 0)
        return is_routine ? cmd_fail(x, 1304, "%s %s already exists", sim_object_kind_name(kind), name)
                          : cmd_fail(x, 1050, "Table '%s' already exists", name);
    if (old == NULL)
        (void)add(x, database, name, kind); /* found again by name */
    return cmd_ok(x);
}

static struct sim_object *index_of(struct cmd *x, const char *database, const char *table, const char *name)
{
    for (size_t i = 0; i < x->t->objects.n; i++) {
        struct sim_object *o = x->t->objects.items[i];

        if (o->kind == SIM_INDEX && strcasecmp(o->database, database) == 0 && strcasecmp(o->table, table) == 0 && strcasecmp(o->name, name) == 0)
            return o;
    }
    return NULL;
}

/* name ON table; the database is that of the table. */
static bool read_index(struct cmd *x, struct slice *name, char database[SIM_NAME], char table[SIM_NAME])
{
    return parse_name(&x->p, name) && name->n < SIM_NAME && parse_words(&x->p, "ON") && cmd_qualified_name(x, database, table);
}

static int create_index(struct cmd *x)
{
    char database[SIM_NAME], table[SIM_NAME];
    int if_not = cmd_if_not_exists(x), rv;
    struct slice name;

    if (if_not < 0 || !read_index(x, &name, database, table) || !skip_rest(x))
        return cmd_syntax(x);
    rv = check_database(x, database);
    if (rv == 0)
        rv = cmd_end_on(x, SIM_P(INDEX), database);
    if (rv != 0)
        return rv;
    if (sim_object_find(x->t, database, table, SIM_TABLE) == NULL)
        return cmd_fail(x, 1146, "Table '%s.%s' doesn't exist", database, table);
    if (index_of(x, database, table, cmd_text(x, name)) != NULL)
        return if_not > 0 ? cmd_ok(x) : cmd_fail(x, 1061, "Duplicate key name '%.*s'", SLICE_FMT(name));
    sim_name(add(x, database, cmd_text(x, name), SIM_INDEX)->table, sim_slice(table));
    return cmd_ok(x);
}

static int drop_index(struct cmd *x)
{
    char database[SIM_NAME], table[SIM_NAME];
    struct sim_object *o;
    struct slice name;
    int rv;

    if (!read_index(x, &name, database, table))
        return cmd_syntax(x);
    rv = check_database(x, database);
    if (rv == 0)
        rv = cmd_end_on(x, SIM_P(INDEX), database);
    if (rv != 0)
        return rv;
    o = index_of(x, database, table, cmd_text(x, name));
    if (o == NULL)
        return cmd_fail(x, 1091, "Can't DROP '%.*s'; check that column/key exists", SLICE_FMT(name));
    take_out(x->t, o);
    return cmd_ok(x);
}

/* With the indexes of a table. */
static void drop_one(struct cmd *x, struct sim_object *o)
{
    for (size_t i = x->t->objects.n; i-- > 0 && o->kind == SIM_TABLE;) {
        const struct sim_object *k = x->t->objects.items[i];

        if (k->kind == SIM_INDEX && strcasecmp(k->database, o->database) == 0 && strcasecmp(k->table, o->name) == 0)
            sim_remove(&x->t->objects, i);
    }
    take_out(x->t, o);
}

static int drop(struct cmd *x)
{
    enum sim_object_kind kind = (enum sim_object_kind)x->row->arg;
    bool is_routine = kind == SIM_PROCEDURE || kind == SIM_FUNCTION;
    char databases[MAX_DROPS][SIM_NAME], names[MAX_DROPS][SIM_NAME];
    int if_exists = cmd_if_exists(x), rv = 0;
    size_t n = 0;

    do {
        if (if_exists < 0 || n == MAX_DROPS || !cmd_qualified_name(x, databases[n], names[n]))
            return cmd_syntax(x);
        n++;
    } while (!is_routine && parse_mark(&x->p, ","));
    if (!parse_end(&x->p))
        return cmd_syntax(x);
    for (size_t i = 0; rv == 0 && i < n; i++) {
        rv = check_database(x, databases[i]);
        if (rv == 0)
            rv = cmd_end_on(x, is_routine ? SIM_P(ALTER_ROUTINE) : SIM_P(DROP), databases[i]);
        if (rv == 0 && sim_object_find(x->t, databases[i], names[i], kind) == NULL && if_exists == 0)
            return is_routine ? cmd_fail(x, 1305, "%s %s.%s does not exist", sim_object_kind_name(kind), databases[i], names[i])
                              : cmd_fail(x, 1051, "Unknown table '%s.%s'", databases[i], names[i]);
    }
    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct sim_object *o = sim_object_find(x->t, databases[i], names[i], kind);

        if (o != NULL)
            drop_one(x, o);
    }
    return rv != 0 ? rv : cmd_ok(x);
}

const struct cmd_row cmd_object_rows[] = {
    { "CREATE TABLE", create, 0, 0, SIM_TABLE },
    { "CREATE VIEW", create, 0, 0, SIM_VIEW },
    { "CREATE OR REPLACE VIEW", create, 0, 0, SIM_VIEW | REPLACE },
    { "CREATE PROCEDURE", create, 0, 0, SIM_PROCEDURE },
    { "CREATE FUNCTION", create, 0, 0, SIM_FUNCTION },
    { "CREATE INDEX", create_index, 0, 0, 0 },
    { "CREATE UNIQUE INDEX", create_index, 0, 0, 0 },
    { "DROP TABLE", drop, 0, 0, SIM_TABLE },
    { "DROP VIEW", drop, 0, 0, SIM_VIEW },
    { "DROP PROCEDURE", drop, 0, 0, SIM_PROCEDURE },
    { "DROP FUNCTION", drop, 0, 0, SIM_FUNCTION },
    { "DROP INDEX", drop_index, 0, 0, 0 },
    { "", NULL, 0, 0, 0 },
};

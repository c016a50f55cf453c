/* SPDX-License-Identifier: Apache-2.0 */
/* One SQLite in memory for each shape of the kernel's tables (up to 4.2; from 4.3 on). SQLite's authorizer names the tables that a
 * statement reads; these are emptied and filled from the state before it runs, unless nothing has changed since. */
#include "tests/obsim/select.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/command.h"
#include "tests/obsim/functions.h"
#include "tests/obsim/lex.h"
#include "tests/obsim/prepass.h"
#include "tests/obsim/view.h"
#include "tests/obsim/world.h"

enum { TOUCHED_MAX = 64, SYS = 1 };

/* What a table was filled for. */
struct content {
    const struct sim_cluster *cluster;
    int64_t changes, tenant_id, server_id;
    int zone_min;
    bool is_known;
};

struct shape {
    sqlite3 *db;                      /* owned; NULL: not used yet */
    struct content *contents;         /* owned; by number of the table */
    bool is_newer;
};

struct sim_engine {
    struct sim_tables tables;
    struct shape shapes[2];
    struct sim_session *session;      /* whose statement runs */
    /* found by the authorizer */
    size_t touched[TOUCHED_MAX], n_touched;
    char missing[SIM_NAME];
};

/* --- making it ------------------------------------------------------------------------------------------------------------------ */

static void must(sqlite3 *db, const char *sql)
{
    char *text = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &text) == SQLITE_OK)
        return;
    (void)fprintf(stderr, "obsim: %s: %s\n", sql, text);
    abort();
}

/* As SQLite is told, and tells of a column of a result: it knows bigint, double and varchar, and keeps times as texts. */
static const char *type_name(const struct sim_table_column *c)
{
    switch (c->type) {
    case SIM_T_BIGINT:
        return c->is_unsigned ? "bigint unsigned" : "bigint";
    case SIM_T_DOUBLE:
        return "double";
    case SIM_T_TIMESTAMP:
        return "timestamp";
    case SIM_T_DATETIME:
        return "datetime";
    case SIM_T_DECIMAL:
        return "decimal";
    case SIM_T_TEXT:
    case SIM_T_VARCHAR:
        break;
    }
    return "varchar";
}

static void create_table(sqlite3 *db, const struct sim_table *t, bool is_newer)
{
    const char *comma = "";
    struct str sql;

    str_init(&sql, NULL);
    str_printf(&sql, "CREATE TABLE %s.\"%s\" (", t->database, t->name);
    for (size_t i = 0; i < t->columns.n; i++) {
        const struct sim_table_column *c = t->columns.items[i];

        if (!table_has(c, is_newer))
            continue;
        str_printf(&sql, "%s\"%s\" %s%s", comma, c->name, type_name(c), c->type == SIM_T_VARCHAR || c->type == SIM_T_TEXT ? " COLLATE NOCASE" : "");
        comma = ", ";
    }
    str_add(&sql, ")");
    must(db, str_c(&sql));
    str_fini(&sql);
}

static int authorize(void *data, int action, const char *a, const char *b, const char *database, const char *view);

static void make_shape(struct sim_engine *e, struct shape *s)
{
    if (sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        abort();
    must(s->db, "ATTACH ':memory:' AS oceanbase; ATTACH ':memory:' AS mysql; ATTACH ':memory:' AS information_schema");
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL); /* "x" is a name, never a text */
    for (size_t i = 0; i < e->tables.list.n; i++)
        create_table(s->db, e->tables.list.items[i], s->is_newer);
    s->contents = sim_alloc(e->tables.list.n * sizeof *s->contents);
    functions_register(s->db, &e->session);
}

struct sim_engine *engine_new(const char *folder)
{
    struct sim_engine *e = sim_alloc(sizeof *e);

    e->shapes[1].is_newer = true;
    if (!tables_load(folder, &e->tables)) {
        engine_free(e);
        return NULL;
    }
    for (size_t i = 0; i < e->tables.list.n; i++)
        e->tables.list.items[i]->view = view_find(e->tables.list.items[i]->database, e->tables.list.items[i]->name);
    return e;
}

void engine_free(struct sim_engine *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < 2; i++) {
        (void)sqlite3_close(e->shapes[i].db); /* no statement is open */
        mem_free(e->shapes[i].contents);
    }
    tables_fini(&e->tables);
    mem_free(e);
}

/* --- what a statement reads ------------------------------------------------------------------------------------------------------ */

static void touch(struct sim_engine *e, const char *database, const char *name)
{
    for (size_t i = 0; i < e->tables.list.n; i++) {
        const struct sim_table *t = e->tables.list.items[i];

        if (strcasecmp(t->name, name) != 0 || strcasecmp(t->database, database) != 0)
            continue;
        for (size_t j = 0; j < e->n_touched; j++)
            if (e->touched[j] == i)
                return;
        if (e->n_touched < TOUCHED_MAX)
            e->touched[e->n_touched++] = i;
        if (!t->in_user_tenant && e->session->tenant->type != SIM_TENANT_SYS)
            (void)snprintf(e->missing, sizeof e->missing, "%s.%s", t->database, t->name);
        return;
    }
}

/* SELECT and nothing else; SQLite's own tables do not exist. */
static int authorize(void *data, int action, const char *a, const char *b, const char *database, const char *view)
{
    struct sim_engine *e = data;

    (void)b;
    (void)view;
    if (action == SQLITE_SELECT || action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE)
        return SQLITE_OK;
    if (action != SQLITE_READ)
        return SQLITE_DENY;
    if (strncasecmp(a, "sqlite_", 7) == 0) {
        sim_name(e->missing, sim_slice(a));
        return SQLITE_DENY;
    }
    if (database != NULL)
        touch(e, database, a);
    return SQLITE_OK;
}

/* --- errors ---------------------------------------------------------------------------------------------------------------------- */

static const char *database_of(const struct sim_session *s)
{
    return s->client->database[0] != '\0' ? s->client->database : "oceanbase";
}

static int no_table(struct sim_session *s, const char *name, struct sim_reply *out)
{
    const char *dot = strchr(name, '.');
    char database[SIM_NAME];

    if (dot == NULL)
        return reply_error(out, 1146, "Table '%s.%s' doesn't exist", database_of(s), name);
    sim_name(database, (struct slice){ name, (size_t)(dot - name) });
    if (sim_database_find(s->tenant, database) == NULL)
        return reply_error(out, 1049, "Unknown database '%s'", database);
    return reply_error(out, 1146, "Table '%s' doesn't exist", name);
}

static const char *behind(const char *text, const char *start)
{
    const char *at = strstr(text, start);

    return at != NULL ? at + strlen(start) : NULL;
}

static const char syntax[] = "You have an error in your SQL syntax; check the manual that corresponds to your OceanBase version for the right syntax "
                             "to use near '%.*s' at line 1";

static int syntax_error(struct slice near, struct sim_reply *out)
{
    return reply_error(out, 1064, syntax, (int)(near.n < 80 ? near.n : 80), near.s);
}

/* SQLite's words in the kernel's numbers. */
static int explain(struct sim_session *s, sqlite3 *db, struct slice sql, struct sim_reply *out)
{
    const char *text = sqlite3_errmsg(db), *at;

    if ((at = behind(text, "no such table: ")) != NULL)
        return no_table(s, at, out);
    if ((at = behind(text, "no such column: ")) != NULL)
        return reply_error(out, 1054, "Unknown column '%s' in 'field list'", at);
    if ((at = behind(text, "no such function: ")) != NULL)
        return reply_error(out, 1305, "FUNCTION %s does not exist", at);
    if ((at = behind(text, "ambiguous column name: ")) != NULL)
        return reply_error(out, 1052, "Column '%s' in field list is ambiguous", at);
    if ((at = behind(text, "wrong number of arguments to function ")) != NULL)
        return reply_error(out, 1582, "Incorrect parameter count in the call to native function '%.*s'", (int)strcspn(at, "("), at);
    if (strstr(text, "misuse of aggregate") != NULL)
        return reply_error(out, 1111, "Invalid use of group function");
    if ((at = behind(text, "Unknown system variable ")) != NULL)
        return reply_error(out, 1193, "%s", text);
    if (strstr(text, "do not have the same number of result columns") != NULL)
        return reply_error(out, 1222, "The used SELECT statements have a different number of columns");
    return syntax_error(sql, out);
}

/* --- running --------------------------------------------------------------------------------------------------------------------- */

static bool is_current(const struct content *now, const struct content *then, const struct sim_table *t)
{
    return then->is_known && (t->view == NULL || (!t->view->moves && memcmp(now, then, sizeof *now) == 0));
}

static void fill_table(struct sim_engine *e, struct shape *shape, size_t number)
{
    const struct sim_table *t = e->tables.list.items[number];
    struct sim_session *s = e->session;
    struct content now;
    struct fill f = { .s = s, .c = s->cluster, .tables = &e->tables, .table = t, .is_newer = shape->is_newer };
    struct str sql;
    char *clear;

    memset(&now, 0, sizeof now); /* padding is compared, too */
    now.cluster = s->cluster;
    now.changes = s->cluster->changes;
    now.tenant_id = s->tenant_id;
    now.server_id = s->server->id;
    now.zone_min = session_zone_min(s);
    now.is_known = true;
    if (is_current(&now, &shape->contents[number], t))
        return;
    shape->contents[number] = now;
    if (t->view == NULL)
        return;
    clear = sqlite3_mprintf("DELETE FROM %s.\"%w\"", t->database, t->name);
    must(shape->db, clear);
    sqlite3_free(clear);
    str_init(&sql, NULL);
    str_printf(&sql, "INSERT INTO %s.\"%s\" VALUES (?", t->database, t->name);
    for (size_t i = 1; i < t->columns.n; i++)
        if (table_has(t->columns.items[i], shape->is_newer))
            str_add(&sql, ", ?");
    str_add(&sql, ")");
    if (sqlite3_prepare_v2(shape->db, str_c(&sql), (int)sql.n, &f.insert, NULL) != SQLITE_OK)
        abort();
    str_fini(&sql);
    t->view->run(&f);
    (void)sqlite3_finalize(f.insert); /* its failures were seen row by row */
}

/* A view over all servers asks those that hang, too, when a test wants that. */
static bool waits_for_servers(const struct sim_engine *e)
{
    const struct sim_deployment *d = e->session->observer->deployment;
    bool hangs = false, asks = false;

    for (size_t i = 0; i < d->observers.n; i++)
        hangs = hangs || d->observers.items[i]->is_hung;
    for (size_t i = 0; i < e->n_touched; i++)
        asks = asks || strncmp(e->tables.list.items[e->touched[i]]->name, "GV$", 3) == 0;
    return d->gv_waits && hangs && asks;
}

static enum sim_column_type declared_type(const char *declared, bool *is_unsigned)
{
    static const struct {
        const char *name;
        enum sim_column_type type;
    } names[] = { { "bigint", SIM_T_BIGINT }, { "double", SIM_T_DOUBLE }, { "timestamp", SIM_T_TIMESTAMP }, { "datetime", SIM_T_DATETIME },
                  { "decimal", SIM_T_DECIMAL } };

    *is_unsigned = strcmp(declared, "bigint unsigned") == 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(declared, names[i].name, strlen(names[i].name)) == 0)
            return names[i].type;
    return SIM_T_VARCHAR;
}

static enum sim_column_type seen_type(int type)
{
    return type == SQLITE_INTEGER ? SIM_T_BIGINT : type == SQLITE_FLOAT ? SIM_T_DOUBLE : SIM_T_VARCHAR;
}

/* "sysvar('x')" is how the rewritten statement has @@x. */
static void add_column(struct sim_reply *out, sqlite3_stmt *st, int i, bool has_row)
{
    const char *name = sqlite3_column_name(st, i), *declared = sqlite3_column_decltype(st, i);
    bool is_unsigned = false;
    enum sim_column_type type = declared != NULL ? declared_type(declared, &is_unsigned) : has_row ? seen_type(sqlite3_column_type(st, i)) : SIM_T_VARCHAR;
    char buf[SIM_NAME + 2];

    if (strncmp(name, "sysvar('", 8) == 0) {
        (void)snprintf(buf, sizeof buf, "@@%.*s", (int)strcspn(name + 8, "'"), name + 8);
        name = buf;
    }
    reply_column(out, name, type);
    out->columns[out->n_columns - 1].is_unsigned = is_unsigned;
}

static void add_cell(struct sim_reply *out, sqlite3_stmt *st, int i)
{
    const char *text;

    if (sqlite3_column_type(st, i) == SQLITE_FLOAT) {
        reply_cell_printf(out, "%.15g", sqlite3_column_double(st, i));
        return;
    }
    text = (const char *)sqlite3_column_text(st, i);
    reply_cell_n(out, (struct slice){ text, text != NULL ? (size_t)sqlite3_column_bytes(st, i) : 0 });
}

static int fetch(struct sim_session *s, sqlite3 *db, sqlite3_stmt *st, struct slice sql, struct sim_reply *out)
{
    int n = sqlite3_column_count(st), rv = sqlite3_step(st);

    if (rv == SQLITE_ROW || rv == SQLITE_DONE)
        for (int i = 0; i < n; i++)
            add_column(out, st, i, rv == SQLITE_ROW);
    for (; rv == SQLITE_ROW; rv = sqlite3_step(st))
        for (int i = 0; i < n; i++)
            add_cell(out, st, i);
    if (rv == SQLITE_DONE)
        return 0;
    reply_clear(out);
    return explain(s, db, sql, out);
}

static struct shape *shape_of(struct sim_engine *e, const struct sim_cluster *c)
{
    bool is_newer = strncmp(c->version, "4.", 2) == 0 && c->version[2] >= '3';
    struct shape *s = &e->shapes[is_newer ? 1 : 0];

    if (s->db == NULL)
        make_shape(e, s);
    return s;
}

static struct prepass mode_of(const struct sim_session *s)
{
    const char *mode = session_variable(s, "sql_mode");
    struct prepass p = { .lex_flags = 0 };

    if (mode == NULL)
        return p;
    p.lex_flags = (strcasestr(mode, "NO_BACKSLASH_ESCAPES") != NULL ? LEX_NO_BACKSLASH : 0u) |
                  (strcasestr(mode, "ANSI_QUOTES") != NULL ? LEX_ANSI_QUOTES : 0u);
    p.pipes_concat = strcasestr(mode, "PIPES_AS_CONCAT") != NULL;
    return p;
}

/* The statement as SQLite takes it; `*st` NULL: an error was replied. */
static int prepare(struct sim_engine *e, struct shape *shape, struct slice sql, sqlite3_stmt **st, struct sim_reply *out)
{
    struct prepass mode = mode_of(e->session);
    struct slice near;
    bool unqualified;
    struct str text;
    int rv = 0;

    *st = NULL;
    e->n_touched = 0;
    e->missing[0] = '\0';
    str_init(&text, NULL);
    switch (prepass_run(&mode, sql, &text, &unqualified, &near)) {
    case PREPASS_SYNTAX:
        rv = syntax_error(near, out);
        break;
    case PREPASS_SEVERAL:
        rv = reply_error(out, 1149, "You have an error in your SQL syntax; multi-statements are off");
        break;
    case PREPASS_OK:
        if (unqualified && e->session->client->database[0] == '\0') {
            rv = reply_error(out, 1046, "No database selected");
            break;
        }
        (void)sqlite3_set_authorizer(shape->db, authorize, e);
        if (sqlite3_prepare_v2(shape->db, str_c(&text), (int)text.n, st, NULL) != SQLITE_OK || *st == NULL)
            rv = e->missing[0] != '\0' ? no_table(e->session, e->missing, out) : explain(e->session, shape->db, sql, out);
        else if (e->missing[0] != '\0')
            rv = no_table(e->session, e->missing, out);
        (void)sqlite3_set_authorizer(shape->db, NULL, NULL);
        break;
    }
    str_fini(&text);
    if (rv != 0) {
        (void)sqlite3_finalize(*st); /* its failure was told already */
        *st = NULL;
    }
    return rv;
}

static int select_in(struct sim_session *s, struct slice sql, bool columns_only, struct sim_reply *out)
{
    struct sim_engine *e = s->observer->deployment->world->engine;
    struct shape *shape = shape_of(e, s->cluster);
    sqlite3_stmt *st;
    int rv;

    e->session = s;
    s->sleep_us = 0;
    rv = prepare(e, shape, sql, &st, out);
    if (rv != 0)
        return rv;
    if (columns_only) {
        for (int i = 0; i < sqlite3_column_count(st); i++)
            add_column(out, st, i, false);
        (void)sqlite3_finalize(st); /* it has not run */
        return 0;
    }
    must(shape->db, "BEGIN");
    for (size_t i = 0; i < e->n_touched; i++)
        fill_table(e, shape, e->touched[i]);
    must(shape->db, "COMMIT");
    rv = fetch(s, shape->db, st, sql, out);
    (void)sqlite3_finalize(st); /* its failure was told by fetch */
    out->takes_us += waits_for_servers(e) ? INT64_MAX / 2 : s->sleep_us;
    return rv;
}

int select_run(struct sim_session *s, struct slice sql, struct sim_reply *out)
{
    return select_in(s, sql, false, out);
}

int select_columns(struct sim_session *s, struct slice sql, struct sim_reply *out)
{
    return command_is_select(sql) ? select_in(s, sql, true, out) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements of a session, by text, most recently used first; the 33rd closes the oldest. A server that has
 * forgotten one, or changed the tables below it, makes us prepare it again, once. libmariadb hands each row over as
 * it came; sql_binary.c makes of it what the text protocol would have sent. */
#include "src/io/sql_session.h"

#include <mysqld_error.h>
#include <string.h>

enum {
    LONG_DATA = 64 << 10,    /* larger values are sent in pieces of their own */
    OB_TOO_MANY_CURSORS = 5930,
    NEW_METADATA = 2057,
    STALE = -2,
};

struct sql_stmt {
    struct sql_stmt *next;
    char *text;              /* owned */
    MYSQL_STMT *stmt;        /* owned */
    MYSQL_BIND *params;      /* owned */
    char (*times)[32];       /* owned; text of SQL_TIME values, by parameter */
    unsigned n_params;
    struct sql_column *columns; /* owned; of the row that is being read */
    unsigned n_columns;
};

static void stmt_free(struct sql_stmt *st)
{
    if (st->stmt != NULL)
        (void)mysql_stmt_close(st->stmt); /* the server answers nothing to it */
    mem_free(st->text);
    mem_free(st->params);
    mem_free(st->times);
    mem_free(st->columns);
    mem_free(st);
}

void sql_stmts_free(struct sql *s)
{
    while (s->stmts != NULL) {
        struct sql_stmt *st = s->stmts;

        s->stmts = st->next;
        stmt_free(st);
    }
    s->n_stmts = 0;
}

static void forget_oldest(struct sql *s)
{
    struct sql_stmt **at = &s->stmts;

    while ((*at)->next != NULL)
        at = &(*at)->next;
    stmt_free(*at);
    *at = NULL;
    s->n_stmts--;
}

static void forget_first(struct sql *s)
{
    struct sql_stmt *st = s->stmts;

    s->stmts = st->next;
    s->n_stmts--;
    stmt_free(st);
}

/* Puts it first. */
static struct sql_stmt *find(struct sql *s, const char *text)
{
    for (struct sql_stmt **at = &s->stmts; *at != NULL; at = &(*at)->next) {
        struct sql_stmt *st = *at;

        if (strcmp(st->text, text) == 0) {
            *at = st->next;
            st->next = s->stmts;
            s->stmts = st;
            return st;
        }
    }
    return NULL;
}

static int fail(struct sql_result *r, struct sql_stmt *st, struct err *e)
{
    return sql_fail(r->s, (int)mysql_stmt_errno(st->stmt), mysql_stmt_error(st->stmt), r->effect, e);
}

/* -1 when the server does not prepare it. */
static int prepare(struct sql_result *r, struct sql_stmt *st, struct err *e)
{
    static const struct sql_effect nothing = { .reads = true };
    unsigned number;

    r->s->head = false;
    if (mysql_stmt_prepare(st->stmt, st->text, strlen(st->text)) == 0)
        return 0;
    number = mysql_stmt_errno(st->stmt);
    if (number == ER_UNSUPPORTED_PS || number == ER_MAX_PREPARED_STMT_COUNT_REACHED || number == OB_TOO_MANY_CURSORS)
        return -1;
    return sql_fail(r->s, (int)number, mysql_stmt_error(st->stmt), &nothing, e);
}

static int make_binds(struct sql_stmt *st)
{
    st->n_params = (unsigned)mysql_stmt_param_count(st->stmt);
    st->n_columns = mysql_stmt_field_count(st->stmt);
    if (st->n_columns > SQL_COLUMNS_MAX)
        return -1; /* by text it is refused */
    st->params = mem_array(st->n_params, sizeof *st->params);
    st->times = mem_array(st->n_params, sizeof *st->times);
    st->columns = mem_array(st->n_columns, sizeof *st->columns);
    return st->params != NULL && st->times != NULL && st->columns != NULL ? 0 : ERR_NOMEM.code;
}

static int stmt_new(struct sql_result *r, const char *text, struct sql_stmt **out, struct err *e)
{
    struct sql_stmt *st = mem_zalloc(sizeof *st);
    int rv;

    if (st == NULL)
        return err_set(e, &ERR_NOMEM, "");
    st->text = mem_strdup(text);
    st->stmt = mysql_stmt_init(r->s->mysql);
    if (st->text == NULL || st->stmt == NULL) {
        rv = err_set(e, &ERR_NOMEM, "");
    } else {
        rv = prepare(r, st, e);
        if (rv == 0)
            rv = make_binds(st);
        if (rv == ERR_NOMEM.code && !r->s->dead)
            (void)err_set(e, &ERR_NOMEM, "");
    }
    if (rv != 0) {
        stmt_free(st);
        return rv;
    }
    *out = st;
    return 0;
}

static int get(struct sql_result *r, const char *text, struct sql_stmt **out, struct err *e)
{
    struct sql *s = r->s;
    int rv;

    *out = find(s, text);
    if (*out != NULL)
        return 0;
    if (s->n_stmts >= SQL_STMTS_MAX)
        forget_oldest(s);
    rv = stmt_new(r, text, out, e);
    if (rv == -1 && s->n_stmts > 0) {
        sql_stmts_free(s); /* the server may allow fewer than we keep */
        rv = stmt_new(r, text, out, e);
    }
    if (rv == 0) {
        (*out)->next = s->stmts;
        s->stmts = *out;
        s->n_stmts++;
    }
    return rv;
}

static void bind_text(MYSQL_BIND *b, enum enum_field_types type, const char *text, size_t n)
{
    b->buffer_type = type;
    b->buffer = (void *)text;
    b->buffer_length = n;
    b->length_value = n;
    b->length = &b->length_value;
}

static void bind_value(MYSQL_BIND *b, const struct sql_value *v, char *time_buf)
{
    *b = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_NULL };
    switch (v->kind) {
    case SQL_NULL:
        break;
    case SQL_INT:
    case SQL_UINT:
        b->buffer_type = MYSQL_TYPE_LONGLONG;
        b->buffer = (void *)&v->i; /* both kinds lie in the same eight bytes */
        b->is_unsigned = v->kind == SQL_UINT;
        break;
    case SQL_DOUBLE:
        b->buffer_type = MYSQL_TYPE_DOUBLE;
        b->buffer = (void *)&v->d;
        break;
    case SQL_TIME:
        bind_text(b, MYSQL_TYPE_STRING, sql_time_text(v->i, time_buf), 26);
        break;
    case SQL_TEXT:
        bind_text(b, MYSQL_TYPE_STRING, v->text.s, v->text.n);
        break;
    case SQL_BYTES:
        bind_text(b, MYSQL_TYPE_BLOB, v->text.s, v->text.n);
        break;
    }
}

/* Sends large values ahead, each in pieces. Nothing is executed yet. */
static int send_large(struct sql_result *r, struct sql_stmt *st, struct err *e)
{
    int rv = 0;

    for (unsigned i = 0; i < st->n_params; i++) {
        const MYSQL_BIND *b = &st->params[i];

        if (b->length == NULL || b->length_value <= LONG_DATA)
            continue;
        for (size_t done = 0; done < b->length_value && rv == 0; done += SQL_PIECE) {
            size_t n = b->length_value - done < SQL_PIECE ? b->length_value - done : SQL_PIECE;

            if (mysql_stmt_send_long_data(st->stmt, i, (const char *)b->buffer + done, n) != 0)
                return fail(r, st, e);
            rv = sql_result_pause(r, e);
        }
    }
    return rv;
}

/* True when the server has not executed the statement, or executing it again does no harm. */
static bool is_stale(const struct sql_result *r, unsigned number)
{
    return number == ER_UNKNOWN_STMT_HANDLER || number == ER_NEED_REPREPARE || (number == NEW_METADATA && r->effect->reads);
}

/* STALE: to be prepared and executed again. */
static int execute(struct sql_result *r, struct sql_stmt *st, const struct sql_value *values, struct err *e)
{
    int rv;

    for (unsigned i = 0; i < st->n_params; i++)
        bind_value(&st->params[i], &values[i], st->times[i]);
    if (st->n_params > 0 && mysql_stmt_bind_param(st->stmt, st->params) != 0)
        return fail(r, st, e);
    rv = send_large(r, st, e);
    if (rv != 0)
        return rv;
    r->s->head = true;
    if (mysql_stmt_execute(st->stmt) == 0)
        return 0;
    return is_stale(r, mysql_stmt_errno(st->stmt)) ? STALE : fail(r, st, e);
}

static int take_row(struct sql_result *r, struct sql_stmt *st, struct err *e)
{
    struct slice *cells;
    size_t bytes = 0;
    int rv;

    if (!sql_binary_row(r->s->row, st->stmt->fields, st->columns, st->n_columns))
        return sql_abort(r->s, &ERR_SQL_LOST, "malformed row", r->effect, e);
    for (unsigned i = 0; i < st->n_columns; i++)
        bytes += st->columns[i].cell.n;
    rv = sql_result_row(r, bytes, &cells, e);
    for (unsigned i = 0; i < st->n_columns && rv == 0; i++)
        cells[i] = st->columns[i].cell;
    return rv == 0 ? sql_result_keep(r, cells, e) : rv;
}

static int take_rows(struct sql_result *r, struct sql_stmt *st, struct err *e)
{
    const MYSQL *m = r->s->mysql;
    /* the statement itself keeps the names of when it was prepared */
    bool fresh = m->fields != NULL && m->field_count == st->n_columns;
    int rv = sql_result_begin(r, fresh ? m->fields : st->stmt->fields, st->n_columns, e);
    int got = 0;

    while (rv == 0 && (got = mysql_stmt_fetch(st->stmt)) != MYSQL_NO_DATA)
        rv = got == 0 ? take_row(r, st, e) : fail(r, st, e);
    return rv;
}

static int take_result(struct sql_result *r, struct sql_stmt *st, struct err *e)
{
    int rv = 0;

    if (mysql_stmt_field_count(st->stmt) != st->n_columns)
        rv = sql_abort(r->s, &ERR_SQL_FAILED, "the columns of a prepared statement have changed", r->effect, e);
    else if (st->n_columns > 0)
        rv = take_rows(r, st, e);
    if (rv == 0 && st->n_columns == 0) {
        r->rows.affected = mysql_stmt_affected_rows(st->stmt);
        r->rows.insert_id = mysql_stmt_insert_id(st->stmt);
    }
    (void)mysql_stmt_free_result(st->stmt); /* reads what was left, which ends at once in a dropped session */
    return rv;
}

int sql_stmt_run(struct sql_result *r, const char *text, const struct sql_value *values, unsigned n_values, struct err *e)
{
    struct sql_stmt *st;
    int rv = STALE;

    for (int tries = 0; tries < 2 && rv == STALE; tries++) {
        rv = get(r, text, &st, e);
        if (rv != 0)
            return rv;
        if (st->n_params != n_values)
            return err_set(e, &ERR_UNEXPECTED, "statement has %u places for values, %u were given", st->n_params, n_values);
        rv = execute(r, st, values, e);
        if (rv == STALE)
            forget_first(r->s);
    }
    if (rv == STALE)
        return sql_abort(r->s, &ERR_SQL_RETRY, "the prepared statement becomes stale again and again", r->effect, e);
    return rv == 0 ? take_result(r, st, e) : rv;
}

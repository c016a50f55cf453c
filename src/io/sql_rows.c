/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/sql_session.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "src/base/num.h"

enum { KEEP_CELLS = 4096, FIRST_CELLS = 256, COPY_CELLS = 16384 };

static int out_of_memory(struct sql_result *r, struct err *e)
{
    return sql_abort(r->s, &ERR_NOMEM, "out of memory while reading rows", r->effect, e);
}

int sql_result_begin(struct sql_result *r, const MYSQL_FIELD *fields, unsigned n, struct err *e)
{
    const char **names;

    if (n > SQL_COLUMNS_MAX)
        return sql_abort(r->s, &ERR_SQL_FAILED, "the result has more than 4096 columns", r->effect, e);
    names = arena_array(r->arena, n, sizeof *names);
    r->rows.peer = arena_strdup(r->arena, r->s->peer);
    if (names == NULL || r->rows.peer == NULL)
        return out_of_memory(r, e);
    for (unsigned i = 0; i < n; i++) {
        names[i] = arena_strdup(r->arena, fields[i].name != NULL ? fields[i].name : "");
        if (names[i] == NULL)
            return out_of_memory(r, e);
    }
    sql_may_receive(r->s, SQL_BYTES_MAX + SQL_HEAD_MAX);
    r->rows.columns = names;
    r->rows.n_columns = n;
    return 0;
}

static bool grow_cells(struct sql *s, size_t wanted)
{
    size_t space = s->cells_space > 0 ? s->cells_space : FIRST_CELLS;
    struct slice *cells;

    while (space < wanted)
        space *= 2;
    cells = mem_realloc(s->cells, space * sizeof *cells);
    if (cells == NULL)
        return false;
    s->cells = cells;
    s->cells_space = space;
    return true;
}

int sql_result_pause(struct sql_result *r, struct err *e)
{
    struct err ended;

    if (sql_pause(r->s, &ended) == 0)
        return 0;
    return sql_abort(r->s, ended.row, err_is(&ended, &ERR_TIMEOUT) ? "deadline passed" : "cancelled", r->effect, e);
}

int sql_result_row(struct sql_result *r, size_t bytes, struct slice **cells, struct err *e)
{
    unsigned n = r->rows.n_columns;
    size_t first = r->rows.n_rows * n;

    r->bytes += bytes + n * sizeof **cells;
    if (r->rows.n_rows >= r->max_rows)
        return sql_abort(r->s, &ERR_SQL_FAILED, "the result has too many rows", r->effect, e);
    if (r->bytes > SQL_BYTES_MAX)
        return sql_abort(r->s, &ERR_SQL_FAILED, "the result is larger than 64 MiB", r->effect, e);
    if (first + n > r->s->cells_space && !grow_cells(r->s, first + n))
        return out_of_memory(r, e);
    r->text = arena_alloc(r->arena, bytes + n);
    if (r->text == NULL)
        return out_of_memory(r, e);
    *cells = r->s->cells + first;
    r->rows.n_rows++;
    return sql_result_pause(r, e);
}

static int copy(struct sql_result *r, const char *from, size_t n, struct err *e)
{
    int rv = 0;

    for (size_t done = 0; done < n && rv == 0; done += SQL_PIECE) {
        memcpy(r->text + done, from + done, n - done < SQL_PIECE ? n - done : SQL_PIECE);
        rv = n > SQL_PIECE ? sql_result_pause(r, e) : 0;
    }
    r->text[n] = '\0';
    return rv;
}

int sql_result_keep(struct sql_result *r, struct slice *cells, struct err *e)
{
    int rv = 0;

    for (unsigned i = 0; i < r->rows.n_columns && rv == 0; i++) {
        if (cells[i].s == NULL)
            continue;
        rv = copy(r, cells[i].s, cells[i].n, e);
        cells[i].s = r->text;
        r->text += cells[i].n + 1;
    }
    return rv;
}

static void shrink_cells(struct sql *s)
{
    if (s->cells_space <= KEEP_CELLS)
        return;
    mem_free(s->cells);
    s->cells = NULL;
    s->cells_space = 0;
}

/* The result is complete: running out of time here is no longer an error. */
int sql_result_end(struct sql_result *r, struct err *e)
{
    size_t n = r->rows.n_rows * r->rows.n_columns;
    struct slice *cells = n > 0 ? arena_alloc(r->arena, n * sizeof *cells) : NULL;
    bool pausing = true;

    if (n > 0 && cells == NULL)
        return out_of_memory(r, e);
    for (size_t done = 0; done < n; done += COPY_CELLS) {
        memcpy(cells + done, r->s->cells + done, (n - done < COPY_CELLS ? n - done : COPY_CELLS) * sizeof *cells);
        pausing = pausing && sql_pause(r->s, NULL) == 0;
    }
    r->rows.cells = cells;
    shrink_cells(r->s);
    return 0;
}

struct sql_value sql_v_s(const char *s)
{
    return s != NULL ? (struct sql_value){ .kind = SQL_TEXT, .text = { s, strlen(s) } } : SQL_V_NULL;
}

struct sql_value sql_v_bytes(const void *bytes, size_t n)
{
    return (struct sql_value){ .kind = SQL_BYTES, .text = { bytes, n } };
}

int sql_column(const struct sql_rows *rows, const char *name)
{
    for (unsigned i = 0; i < rows->n_columns; i++) {
        if (strcasecmp(rows->columns[i], name) == 0)
            return (int)i;
    }
    return -1;
}

struct slice sql_text(const struct sql_rows *rows, size_t row, int column)
{
    if (row >= rows->n_rows || column < 0 || (unsigned)column >= rows->n_columns)
        return (struct slice){ NULL, 0 };
    return rows->cells[row * rows->n_columns + (unsigned)column];
}

bool sql_i64(const struct sql_rows *rows, size_t row, int column, int64_t *v)
{
    struct slice text = sql_text(rows, row, column);

    return text.s != NULL && num_parse_i64(text, v);
}

bool sql_double(const struct sql_rows *rows, size_t row, int column, double *v)
{
    struct slice text = sql_text(rows, row, column);

    return text.s != NULL && num_parse_double(text, v);
}

bool sql_time_us(const struct sql_rows *rows, size_t row, int column, int64_t *wall_us)
{
    struct slice text = sql_text(rows, row, column);

    return text.s != NULL && clock_parse_iso(text, wall_us);
}

/* False when the cell does not fit the type. */
static bool store(const struct sql_rows *rows, size_t row, int column, enum sql_type type, void *to)
{
    struct slice text = sql_text(rows, row, column);
    int64_t i = 0;

    switch (type) {
    case SQL_C_INT64:
        return sql_i64(rows, row, column, to);
    case SQL_C_INT:
        if (!num_parse_i64_in(text, INT_MIN, INT_MAX, &i))
            return false;
        *(int *)to = (int)i;
        return true;
    case SQL_C_BOOL:
        if (!num_parse_i64(text, &i))
            return false;
        *(bool *)to = i != 0;
        return true;
    case SQL_C_DOUBLE:
        return sql_double(rows, row, column, to);
    case SQL_C_TEXT:
        *(const char **)to = text.s;
        return strlen(text.s) == text.n;
    case SQL_C_TIME:
        return sql_time_us(rows, row, column, to);
    case SQL_C_BYTES:
        *(struct slice *)to = text;
        return true;
    }
    return false;
}

static int misfit(const struct sql_rows *rows, struct err *e, const char *what, const char *column, struct slice value)
{
    (void)err_set(e, &ERR_SQL_FAILED, "%s", rows->peer != NULL ? rows->peer : "");
    return err_arg(e, "%s %s%s%.*s", what, column, value.s != NULL ? ": " : "", (int)(value.n < 60 ? value.n : 60),
                   value.s != NULL ? value.s : "");
}

int sql_fetch(const struct sql_rows *rows, const struct sql_field *fields, size_t size, void *out, struct err *e)
{
    for (const struct sql_field *f = fields; f->column != NULL; f++) {
        int column = sql_column(rows, f->column);

        if (column < 0 && !f->optional)
            return misfit(rows, e, "the result lacks the column", f->column, (struct slice){ NULL, 0 });
        for (size_t row = 0; row < rows->n_rows && column >= 0; row++) {
            struct slice value = sql_text(rows, row, column);

            if (value.s != NULL && !store(rows, row, column, f->type, (char *)out + row * size + f->offset))
                return misfit(rows, e, "unexpected value of the column", f->column, value);
        }
    }
    return 0;
}

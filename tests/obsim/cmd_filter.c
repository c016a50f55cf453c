/* SPDX-License-Identifier: Apache-2.0 */
/* The WHERE and LIKE of SHOW: the condition is read again for every row.
 *   or:   and [OR and]...     and: one [AND one]...
 *   one:  ( or ) | NOT one | column {= <> != < <= > >=} literal | column [NOT] LIKE 'p' | column [NOT] IN (literal, ...) | column IS [NOT] NULL */
#include <strings.h>

#include "src/base/num.h"
#include "tests/obsim/cmd.h"

struct filter {
    struct cmd *x;
    struct parse p;
    size_t row;
    bool has_row;                     /* false: only the grammar is looked at */
    struct slice unknown;             /* a column that is none; s NULL: all are known */
    int depth;
};

enum { MAX_DEPTH = 32 };

static bool read_or(struct filter *f, bool *is);

static bool literal(struct filter *f, struct slice *out)
{
    return parse_string(&f->p, out) || parse_number(&f->p, out);
}

static struct slice cell(struct filter *f, struct slice column)
{
    const struct sim_reply *r = f->x->out;

    for (unsigned i = 0; i < r->n_columns; i++)
        if (slice_is_nocase(column, r->columns[i].name))
            return f->has_row ? reply_at(r, f->row, i) : (struct slice){ "", 0 };
    if (f->unknown.s == NULL && r->n_columns > 0)
        f->unknown = column;
    return (struct slice){ "", 0 };
}

/* Numbers as numbers, others as text without regard to case. */
static int compare(struct slice a, struct slice b)
{
    double x, y;
    size_t n = a.n < b.n ? a.n : b.n;
    int order;

    if (num_parse_double(a, &x) && num_parse_double(b, &y))
        return (x > y) - (x < y);
    order = n > 0 ? strncasecmp(a.s, b.s, n) : 0;
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static bool read_comparison(struct filter *f, struct slice value, bool *is)
{
    static const struct {
        const char *mark;
        bool less, equal, greater;
    } marks[] = { { "=", false, true, false }, { "<>", true, false, true }, { "!=", true, false, true },
                  { "<=", true, true, false }, { "<", true, false, false }, { ">=", false, true, true },
                  { ">", false, false, true } };
    struct slice other;

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        int order;

        if (!parse_mark(&f->p, marks[i].mark))
            continue;
        if (!literal(f, &other))
            return false;
        order = value.s != NULL ? compare(value, other) : 0;
        *is = value.s != NULL && (order < 0 ? marks[i].less : order > 0 ? marks[i].greater : marks[i].equal);
        return true;
    }
    return false;
}

static bool read_in(struct filter *f, struct slice value, bool *is)
{
    struct slice other;

    *is = false;
    if (!parse_mark(&f->p, "("))
        return false;
    do {
        if (!literal(f, &other))
            return false;
        *is = *is || (value.s != NULL && compare(value, other) == 0);
    } while (parse_mark(&f->p, ","));
    return parse_mark(&f->p, ")");
}

static bool read_test(struct filter *f, bool *is)
{
    struct slice column, value, pattern;
    bool negative;

    if (!parse_name(&f->p, &column))
        return false;
    value = cell(f, column);
    if (parse_words(&f->p, "IS")) {
        negative = parse_words(&f->p, "NOT");
        *is = (value.s == NULL) != negative;
        return parse_words(&f->p, "NULL");
    }
    negative = parse_words(&f->p, "NOT");
    if (parse_words(&f->p, "LIKE")) {
        if (!parse_string(&f->p, &pattern))
            return false;
        *is = value.s != NULL && sim_like(pattern, value) != negative;
        return true;
    }
    if (parse_words(&f->p, "IN")) {
        bool found;

        if (!read_in(f, value, &found))
            return false;
        *is = value.s != NULL && found != negative;
        return true;
    }
    return !negative && read_comparison(f, value, is);
}

static bool read_one(struct filter *f, bool *is)
{
    bool ok;

    if (++f->depth > MAX_DEPTH)
        return false;
    if (parse_words(&f->p, "NOT")) {
        ok = read_one(f, is);
        *is = !*is;
    } else if (parse_mark(&f->p, "(")) {
        ok = read_or(f, is) && parse_mark(&f->p, ")");
    } else {
        ok = read_test(f, is);
    }
    f->depth--;
    return ok;
}

static bool read_and(struct filter *f, bool *is)
{
    bool other = false;

    if (!read_one(f, is))
        return false;
    while (parse_words(&f->p, "AND") || parse_mark(&f->p, "&&")) {
        if (!read_one(f, &other))
            return false;
        *is = *is && other;
    }
    return true;
}

static bool read_or(struct filter *f, bool *is)
{
    bool other = false;

    *is = false;
    if (!read_and(f, is))
        return false;
    while (parse_words(&f->p, "OR") || parse_mark(&f->p, "||")) {
        if (!read_and(f, &other))
            return false;
        *is = *is || other;
    }
    return true;
}

static bool where(struct filter *f, bool *is)
{
    f->depth = 0;
    return read_or(f, is);
}

/* Rows that do not fit are written over by those that do. */
static void keep(struct sim_reply *r, size_t row, size_t *kept)
{
    for (unsigned i = 0; i < r->n_columns; i++)
        r->cells[*kept * r->n_columns + i] = r->cells[row * r->n_columns + i];
    (*kept)++;
}

int cmd_filter(struct cmd *x, unsigned like_column)
{
    struct filter f = { .x = x };
    size_t kept = 0, rows = reply_n_rows(x->out);
    struct slice pattern = { NULL, 0 };
    bool is_where, is = true;

    if (parse_words(&x->p, "LIKE")) {
        if (!parse_string(&x->p, &pattern))
            return cmd_syntax(x);
        is_where = false;
    } else if (parse_words(&x->p, "WHERE")) {
        is_where = true;
    } else {
        return 0;
    }
    f.p = x->p;
    if (is_where && !where(&f, &is)) {
        x->p = f.p;
        return cmd_syntax(x);
    }
    if (f.unknown.s != NULL)
        return cmd_fail(x, 1054, "Unknown column '%.*s' in 'where clause'", SLICE_FMT(f.unknown));
    for (size_t row = 0; row < rows; row++) {
        f.p = x->p;
        f.row = row;
        f.has_row = true;
        if (is_where)
            (void)where(&f, &is); /* its grammar was looked at */
        else
            is = sim_like(pattern, reply_at(x->out, row, like_column));
        if (is)
            keep(x->out, row, &kept);
    }
    if (x->out->n_columns > 0)
        x->out->n_cells = kept * x->out->n_columns;
    if (is_where) {
        f.p = x->p;
        f.has_row = false;
        (void)where(&f, &is); /* to find its end */
        x->p = f.p;
    }
    return 0;
}

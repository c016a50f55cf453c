/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/list.h"

#include <string.h>

enum { MAX_PAGE_SIZE = 100000 };
static const int64_t max_offset = INT64_C(1) << 50; /* servers add the size to it */

/* --- text ------------------------------------------------------------------------------------------------------------------- */

static void add_where(struct str *t, const struct list_kind *kind, const struct filter *f)
{
    str_add(t, " WHERE ");
    str_add(t, kind->where != NULL ? kind->where : "1 = 1");
    if (f != NULL)
        str_add(t, str_c(&f->text));
}

static void add_order(struct str *t, const struct list_kind *kind, const struct store_page *page)
{
    const struct list_sort *sort = kind->sorts;
    const char *direction = "DESC";

    for (const struct list_sort *s = kind->sorts; page != NULL && page->sort != NULL && s->member != NULL; s++) {
        if (strcmp(s->member, page->sort) == 0) {
            sort = s;
            direction = page->descending ? "DESC" : "ASC";
        }
    }
    str_printf(t, " ORDER BY %s %s", sort->column, direction);
    if (strcmp(sort->column, kind->key) != 0)
        str_printf(t, ", %s %s", kind->key, direction);
}

/* Rows before the page, or more than there can be. */
static int64_t page_offset(const struct store_page *page)
{
    int64_t offset;

    if (page->number <= 1)
        return 0;
    return __builtin_mul_overflow(page->number - 1, page->size, &offset) || offset > max_offset ? max_offset : offset;
}

static bool is_whole(const struct store_page *page)
{
    return page == NULL || page->size <= 0;
}

/* --- rows ------------------------------------------------------------------------------------------------------------------- */

static int take_rows(const struct list_kind *kind, const struct sql_rows *rows, struct arena *arena, void **out, struct err *e)
{
    char *items = arena_array(arena, rows->n_rows > 0 ? rows->n_rows : 1, kind->size);

    if (items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; kind->init != NULL && i < rows->n_rows; i++)
        memcpy(items + i * kind->size, kind->init, kind->size);
    *out = items;
    return sql_fetch(rows, kind->fields, kind->size, items, e);
}

static int run(struct db *d, struct str *text, const struct filter *f, struct arena *arena, struct sql_rows *rows, struct err *e)
{
    if (str_failed(text) || (f != NULL && str_failed(&f->text)))
        return err_set(e, &ERR_NOMEM, "");
    if (f != NULL && f->overflow)
        return err_set(e, &ERR_INVALID, "at most %d values may be given to filter by", FILTER_MAX_VALUES);
    return db_read(d, str_c(text), f != NULL ? f->values : NULL, f != NULL ? f->n_values : 0, arena, rows, e);
}

static int count(struct db *d, const struct list_kind *kind, const struct filter *f, struct arena *arena, int64_t *total, struct err *e)
{
    struct sql_rows rows;
    struct str text;
    int rv;

    str_init(&text, arena);
    str_printf(&text, "SELECT COUNT(*) FROM %s", kind->from);
    add_where(&text, kind, f);
    rv = run(d, &text, f, arena, &rows, e);
    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, total)))
        rv = err_set(e, &ERR_UNEXPECTED, "the number of rows (%s) is no number", kind->noun);
    return rv;
}

int list_read(struct db *d, const struct list_kind *kind, const struct filter *f, const struct store_page *page, struct arena *arena,
              void **out, size_t *n, int64_t *total, struct err *e)
{
    int64_t offset = is_whole(page) ? 0 : page_offset(page);
    struct sql_rows rows;
    struct str text;
    int rv;

    str_init(&text, arena);
    str_printf(&text, "SELECT %s FROM %s", kind->columns, kind->from);
    add_where(&text, kind, f);
    add_order(&text, kind, page);
    if (!is_whole(page))
        str_printf(&text, " LIMIT %lld OFFSET %lld", (long long)(page->size < MAX_PAGE_SIZE ? page->size : MAX_PAGE_SIZE), (long long)offset);
    rv = run(d, &text, f, arena, &rows, e);
    if (rv == 0)
        rv = take_rows(kind, &rows, arena, out, e);
    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    if (total == NULL)
        return 0;
    *total = offset + (int64_t)rows.n_rows;
    if (is_whole(page) || (rows.n_rows < (size_t)page->size && (rows.n_rows > 0 || offset == 0)))
        return 0; /* the end was seen */
    return count(d, kind, f, arena, total, e);
}

/* --- one row ---------------------------------------------------------------------------------------------------------------- */

static void write_get(struct str *text, const struct list_kind *kind, const char *condition, bool lock)
{
    str_printf(text, "SELECT %s FROM %s WHERE %s", kind->columns, kind->from, condition);
    if (kind->where != NULL)
        str_printf(text, " AND %s", kind->where);
    if (lock)
        str_add(text, " FOR UPDATE");
}

static int take_one(const struct list_kind *kind, const struct sql_rows *rows, struct sql_value value, void *out, struct err *e)
{
    if (rows->n_rows == 0) {
        (void)err_set(e, &ERR_NOT_FOUND, "%s", kind->noun);
        return value.kind == SQL_TEXT ? err_arg(e, "%.*s", SLICE_FMT(value.text)) : err_arg(e, "%lld", (long long)value.i);
    }
    if (rows->n_rows > 1)
        return err_set(e, &ERR_UNEXPECTED, "more than one %s where one is possible", kind->noun);
    if (kind->init != NULL)
        memcpy(out, kind->init, kind->size);
    else
        memset(out, 0, kind->size);
    return sql_fetch(rows, kind->fields, kind->size, out, e);
}

int list_get(struct db *d, const struct list_kind *kind, const char *condition, struct sql_value value, struct arena *arena, void *out,
             struct err *e)
{
    struct sql_rows rows;
    struct str text;
    int rv;

    str_init(&text, arena);
    write_get(&text, kind, condition, false);
    if (str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    rv = db_read(d, str_c(&text), &value, 1, arena, &rows, e);
    return rv == 0 ? take_one(kind, &rows, value, out, e) : rv;
}

int list_get_in(struct tx *tx, const struct list_kind *kind, const char *condition, struct sql_value value, bool lock, struct arena *arena,
                void *out, struct err *e)
{
    struct sql_rows rows;
    struct str text;
    int rv;

    str_init(&text, arena);
    write_get(&text, kind, condition, lock);
    if (str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    rv = tx_run(tx, str_c(&text), &value, 1, arena, &rows, e);
    return rv == 0 ? take_one(kind, &rows, value, out, e) : rv;
}

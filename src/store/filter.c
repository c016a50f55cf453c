/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/filter.h"

#include <string.h>

void filter_init(struct filter *f, struct arena *arena)
{
    f->n_values = 0;
    f->overflow = false;
    str_init(&f->text, arena);
}

static void add_value(struct filter *f, struct sql_value v)
{
    if (f->n_values < FILTER_MAX_VALUES)
        f->values[f->n_values++] = v;
    else
        f->overflow = true;
}

static void add(struct filter *f, const char *condition, struct sql_value v)
{
    str_add(&f->text, " AND ");
    str_add(&f->text, condition);
    add_value(f, v);
}

static bool is_given(const char *value)
{
    return value != NULL && value[0] != '\0';
}

void filter_text(struct filter *f, const char *condition, const char *value)
{
    if (is_given(value))
        add(f, condition, sql_v_s(value));
}

void filter_i64(struct filter *f, const char *condition, int64_t value)
{
    if (value != FIELD_NONE)
        add(f, condition, SQL_V_I(value));
}

void filter_time(struct filter *f, const char *condition, int64_t wall_us)
{
    if (wall_us != FIELD_NONE)
        add(f, condition, SQL_V_TIME(wall_us));
}

void filter_bool(struct filter *f, const char *condition, int value)
{
    if (value >= 0)
        add(f, condition, SQL_V_I(value));
}

void filter_contains(struct filter *f, const char *const *columns, const char *value)
{
    if (!is_given(value))
        return;
    for (size_t i = 0; columns[i] != NULL; i++) {
        str_add(&f->text, i == 0 ? " AND (" : " OR ");
        str_printf(&f->text, "LOCATE(LOWER(?), LOWER(%s)) > 0", columns[i]);
        add_value(f, sql_v_s(value));
    }
    str_add_c(&f->text, ')');
}

static void begin_in(struct filter *f, const char *in, size_t n)
{
    str_printf(&f->text, " AND %s (", in);
    for (size_t i = 0; i < n; i++)
        str_add(&f->text, i == 0 ? "?" : ", ?");
    str_add_c(&f->text, ')');
}

void filter_strings(struct filter *f, const char *in, struct field_strings values)
{
    if (values.n == 0)
        return;
    begin_in(f, in, values.n);
    for (size_t i = 0; i < values.n; i++)
        add_value(f, sql_v_s(values.items[i]));
}

void filter_ints(struct filter *f, const char *in, struct field_ints values)
{
    if (values.n == 0)
        return;
    begin_in(f, in, values.n);
    for (size_t i = 0; i < values.n; i++)
        add_value(f, SQL_V_I(values.items[i]));
}

/* ---- what a caller may see --------------------------------------------------------------------------------------------- */

static void begin_or(struct filter *f, const char *column)
{
    str_add(&f->text, " OR ");
    str_add(&f->text, column);
}

/* An item that no list of ids can hold: every object, or one that takes two ids to name. */
static void add_item(struct filter *f, const struct scope_column *c, const struct scope_item *item)
{
    const char *last = c->sub_column != NULL ? c->sub_column : c->column;
    bool any_sub = c->sub_column == NULL || item->sub_id == SCOPE_ANY;

    str_add(&f->text, " OR (");
    if (item->id != SCOPE_ANY)
        str_printf(&f->text, "%s = %lld", c->column, (long long)item->id);
    else
        str_add(&f->text, "1 = 1");
    if (!any_sub)
        str_printf(&f->text, " AND %s = %lld", c->sub_column, (long long)item->sub_id);
    else if (c->optional)
        str_printf(&f->text, " AND %s > 0", last);
    str_add_c(&f->text, ')');
}

static bool is_plain(const struct scope_column *c, const struct scope_item *item)
{
    return c->sub_column == NULL && item->id != SCOPE_ANY;
}

static void add_column(struct filter *f, const struct scope_column *c, const struct scope *scope)
{
    bool open = false;

    for (size_t i = 0; i < scope->n; i++) {
        const struct scope_item *item = &scope->items[i];

        if (strcmp(item->kind, c->kind) != 0 || !is_plain(c, item))
            continue;
        if (!open)
            begin_or(f, c->column);
        str_printf(&f->text, "%s%lld", open ? "," : " IN (", (long long)item->id);
        open = true;
    }
    if (open)
        str_add_c(&f->text, ')');
    for (size_t i = 0; i < scope->n; i++) {
        if (strcmp(scope->items[i].kind, c->kind) == 0 && !is_plain(c, &scope->items[i]))
            add_item(f, c, &scope->items[i]);
    }
}

void filter_scope(struct filter *f, const struct scope *scope, const struct scope_column *columns)
{
    if (scope == NULL)
        return;
    str_add(&f->text, " AND (1 = 0");
    for (; columns->kind != NULL; columns++)
        add_column(f, columns, scope);
    str_add_c(&f->text, ')');
}

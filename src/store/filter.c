/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/filter.h"

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

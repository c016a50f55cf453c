/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "src/base/num.h"
#include "tests/obsim/state.h"

const struct sim_parameter *sim_parameter_find(struct slice name)
{
    for (size_t i = 0; i < sim_parameters_n; i++)
        if (slice_is_nocase(name, sim_parameters[i].name))
            return &sim_parameters[i];
    return NULL;
}

const char *sim_parameter_type_name(enum sim_parameter_type type)
{
    static const char *const names[] = { "INT", "DOUBLE", "BOOL", "CAPACITY", "TIME", "MOMENT", "STRING", "STRING_LIST" };

    return names[type];
}

const char *sim_parameter_edit_name(enum sim_parameter_edit edit)
{
    static const char *const names[] = { "DYNAMIC_EFFECTIVE", "STATIC_EFFECTIVE", "READONLY" };

    return names[edit];
}

/* Digits with a unit of the table behind them, as a number of the smallest one; without a unit, `plain` of them. */
struct unit {
    const char *name;
    int64_t factor;
};

static bool with_unit(struct slice text, const struct unit *units, int64_t plain, double *v)
{
    size_t n = 0;
    int64_t digits;

    text = slice_trim(text);
    while (n < text.n && text.s[n] >= '0' && text.s[n] <= '9')
        n++;
    if (!num_parse_i64((struct slice){ text.s, n }, &digits))
        return false;
    *v = (double)digits * (double)plain;
    text = (struct slice){ text.s + n, text.n - n };
    if (text.n == 0)
        return true;
    for (; units->name != NULL; units++)
        if (slice_is_nocase(text, units->name)) {
            *v = (double)digits * (double)units->factor;
            return true;
        }
    return false;
}

static const struct unit sizes[] = {
    { "B", 1 },         { "K", 1 << 10 },   { "KB", 1 << 10 },           { "M", 1 << 20 },            { "MB", 1 << 20 },
    { "G", 1 << 30 },   { "GB", 1 << 30 },  { "T", INT64_C(1) << 40 },   { "TB", INT64_C(1) << 40 },  { "P", INT64_C(1) << 50 },
    { "PB", INT64_C(1) << 50 }, { NULL, 0 },
};
static const struct unit times[] = {
    { "us", 1 }, { "ms", 1000 }, { "s", 1000000 }, { "m", 60000000 }, { "h", INT64_C(3600000000) }, { "d", INT64_C(86400000000) }, { NULL, 0 },
};

static bool to_number(enum sim_parameter_type type, struct slice text, double *v)
{
    int64_t whole;

    switch (type) {
    case SIM_P_INT:
        if (!num_parse_i64(slice_trim(text), &whole))
            return false;
        *v = (double)whole;
        return true;
    case SIM_P_DOUBLE:
        return num_parse_double(slice_trim(text), v);
    case SIM_P_CAPACITY:
        return with_unit(text, sizes, 1, v);
    default:
        return with_unit(text, times, 1000000, v);
    }
}

static bool among(struct slice value, const char *words)
{
    struct slice rest = sim_slice(words);

    while (rest.n > 0) {
        struct slice word = slice_cut(&rest, '|');

        if (word.n == value.n && strncasecmp(word.s, value.s, word.n) == 0)
            return true;
    }
    return false;
}

static bool in_range(const struct sim_parameter *p, struct slice value)
{
    double v, bound;

    if (p->words != NULL && among(value, p->words))
        return true;
    if (!to_number(p->type, value, &v))
        return false;
    if (p->min != NULL && to_number(p->type, sim_slice(p->min), &bound) && v < bound)
        return false;
    return p->max == NULL || !to_number(p->type, sim_slice(p->max), &bound) || v <= bound;
}

static bool is_bool(struct slice v)
{
    static const char *const words[] = { "true", "false", "t", "f", "on", "off", "yes", "no", "y", "n", "1", "0" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_is_nocase(v, words[i]))
            return true;
    return false;
}

static bool is_moment(struct slice v)
{
    struct slice rest = v, hours = slice_cut(&rest, ':');
    int64_t h, m;

    if (slice_is_nocase(v, "disable"))
        return true;
    return hours.n > 0 && hours.n <= 2 && rest.n == 2 && num_parse_i64_in(hours, 0, 23, &h) && num_parse_i64_in(rest, 0, 59, &m);
}

bool sim_parameter_accepts(const struct sim_parameter *p, struct slice value)
{
    if (value.n > 4096)
        return false;
    switch (p->type) {
    case SIM_P_BOOL:
        return is_bool(value);
    case SIM_P_MOMENT:
        return is_moment(value);
    case SIM_P_STRING:
    case SIM_P_STRING_LIST:
        return p->words == NULL || among(value, p->words);
    default:
        return in_range(p, value);
    }
}

static const char *configured(const struct sim_cluster *c, const struct sim_parameter *p, const struct sim_server *s, bool in_force)
{
    const char *value = in_force || s == NULL ? NULL : sim_values_get(&s->pending, p->name);

    if (value == NULL && s != NULL)
        value = sim_values_get(&s->parameters, p->name);
    if (value == NULL)
        value = sim_values_get(&c->parameters, p->name);
    return value != NULL ? value : p->default_value;
}

static const char *of_tenant(const struct sim_parameter *p, const struct sim_tenant *t)
{
    const char *value = t != NULL ? sim_values_get(&t->parameters, p->name) : NULL;

    return value != NULL ? value : p->default_value;
}

const char *sim_parameter_value(const struct sim_cluster *c, const struct sim_parameter *p, const struct sim_server *s,
                                const struct sim_tenant *t)
{
    return p->of_tenant ? of_tenant(p, t) : configured(c, p, s, false);
}

const char *sim_parameter_in_force(const struct sim_cluster *c, const struct sim_parameter *p, const struct sim_server *s,
                                   const struct sim_tenant *t)
{
    return p->of_tenant ? of_tenant(p, t) : configured(c, p, s, true);
}

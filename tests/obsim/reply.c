/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers with a SQLSTATE of their own; the kernel sends HY000 with the others. */
static const struct {
    unsigned number;
    char state[6];
} states[] = {
    { 1040, "08004" }, { 1044, "42000" }, { 1045, "28000" }, { 1046, "3D000" }, { 1047, "08S01" }, { 1049, "42000" }, { 1050, "42S01" },
    { 1054, "42S22" }, { 1055, "42000" }, { 1062, "23000" }, { 1064, "42000" }, { 1065, "42000" }, { 1094, "HY000" }, { 1109, "42S02" },
    { 1115, "42000" }, { 1142, "42000" }, { 1146, "42S02" }, { 1149, "42000" }, { 1153, "08S01" }, { 1193, "HY000" }, { 1227, "42000" },
    { 1231, "42000" }, { 1232, "42000" }, { 1235, "42000" }, { 1317, "70100" }, { 1370, "42000" }, { 5099, "42000" },
    { 8001, "08004" }, { 8002, "08004" },
};

const char *reply_sqlstate(unsigned number)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (states[i].number == number)
            return states[i].state;
    return "HY000";
}

static void *need(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

void reply_init(struct sim_reply *r)
{
    *r = (struct sim_reply){ .kind = SIM_REPLY_OK };
    arena_init(&r->arena);
}

void reply_fini(struct sim_reply *r)
{
    mem_free(r->columns);
    mem_free(r->cells);
    arena_fini(&r->arena);
}

void reply_clear(struct sim_reply *r)
{
    reply_fini(r);
    reply_init(r);
}

int reply_ok(struct sim_reply *r, uint64_t affected)
{
    r->kind = SIM_REPLY_OK;
    r->affected = affected;
    return 0;
}

static char *format(struct sim_reply *r, const char *fmt, va_list args)
{
    va_list again;
    char *text;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        abort();
    text = need(arena_alloc(&r->arena, (size_t)n + 1));
    (void)vsnprintf(text, (size_t)n + 1, fmt, args);
    return text;
}

int reply_error(struct sim_reply *r, unsigned number, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    r->text = format(r, fmt, args);
    va_end(args);
    r->kind = SIM_REPLY_ERROR;
    r->number = number;
    (void)snprintf(r->sqlstate, sizeof r->sqlstate, "%s", reply_sqlstate(number));
    return (int)number;
}

/* The array with room for one more. */
static void *grow(void *array, size_t n, size_t *space, size_t size)
{
    if (n < *space)
        return array;
    *space = *space > 0 ? 2 * *space : 16;
    return need(mem_realloc(array, *space * size));
}

void reply_column(struct sim_reply *r, const char *name, enum sim_column_type type)
{
    size_t space = r->space_columns;

    r->kind = SIM_REPLY_ROWS;
    r->columns = grow(r->columns, r->n_columns, &space, sizeof *r->columns);
    r->space_columns = (unsigned)space;
    r->columns[r->n_columns++] = (struct sim_column){ .name = need(arena_strdup(&r->arena, name)), .type = type };
}

static void add(struct sim_reply *r, const char *text, size_t n)
{
    r->cells = grow(r->cells, r->n_cells, &r->space_cells, sizeof *r->cells);
    r->cells[r->n_cells++] = (struct slice){ text, n };
}

void reply_cell_n(struct sim_reply *r, struct slice text)
{
    add(r, text.s != NULL ? need(arena_strndup(&r->arena, text.s, text.n)) : NULL, text.s != NULL ? text.n : 0);
}

void reply_cell(struct sim_reply *r, const char *text)
{
    reply_cell_n(r, (struct slice){ text, text != NULL ? strlen(text) : 0 });
}

void reply_cell_i64(struct sim_reply *r, int64_t v)
{
    reply_cell_printf(r, "%" PRId64, v);
}

void reply_cell_printf(struct sim_reply *r, const char *fmt, ...)
{
    va_list args;
    const char *text;

    va_start(args, fmt);
    text = format(r, fmt, args);
    va_end(args);
    add(r, text, strlen(text));
}

size_t reply_n_rows(const struct sim_reply *r)
{
    return r->n_columns > 0 ? r->n_cells / r->n_columns : 0;
}

struct slice reply_at(const struct sim_reply *r, size_t row, unsigned column)
{
    return r->cells[row * r->n_columns + column];
}

/* SPDX-License-Identifier: Apache-2.0 */
/* {REPLACE | INSERT} INTO [db.]table (column, ...) VALUES (value, ...) [, ...] and DELETE FROM [db.]table [WHERE column = value], of the tables
 * that time zones are imported into and no other: how many rows there are is all that is kept. */
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"

const char *const sim_time_zone_tables[SIM_TIME_ZONE_TABLES] = {
    "__all_tenant_time_zone", "__all_tenant_time_zone_name", "__all_tenant_time_zone_transition", "__all_tenant_time_zone_transition_type",
    "__all_sys_stat",
};

/* 1146 for another table; replied when the result is not 0. */
static int find(struct cmd *x, unsigned *out)
{
    char database[SIM_NAME], name[SIM_NAME];

    if (!cmd_qualified_name(x, database, name))
        return cmd_syntax(x);
    for (*out = 0; *out < SIM_TIME_ZONE_TABLES; ++*out)
        if (strcasecmp(database, "oceanbase") == 0 && strcasecmp(name, sim_time_zone_tables[*out]) == 0)
            return 0;
    return cmd_fail(x, 1146, "Table '%s.%s' doesn't exist", database, name);
}

static bool read_value(struct cmd *x)
{
    struct slice value;

    return parse_number(&x->p, &value) || parse_string(&x->p, &value);
}

/* "(a, b)": how many there are; 0: none, or it is wrong. */
static size_t read_row(struct cmd *x, bool of_names)
{
    struct slice name;
    size_t n = 0;

    if (!parse_mark(&x->p, "("))
        return 0;
    do {
        if (!(of_names ? parse_name(&x->p, &name) : read_value(x)))
            return 0;
        n++;
    } while (parse_mark(&x->p, ","));
    return parse_mark(&x->p, ")") ? n : 0;
}

static int insert(struct cmd *x)
{
    int64_t rows = 0;
    unsigned table;
    size_t columns;
    int rv = find(x, &table);

    if (rv != 0)
        return rv;
    columns = read_row(x, true);
    if (columns == 0 || !parse_words(&x->p, "VALUES"))
        return cmd_syntax(x);
    do {
        size_t n = read_row(x, false);

        if (n == 0)
            return cmd_syntax(x);
        if (n != columns)
            return cmd_fail(x, 1136, "Column count doesn't match value count at row %lld", (long long)rows + 1);
        rows++;
    } while (parse_mark(&x->p, ","));
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    x->c->time_zone_rows[table] += rows;
    return cmd_ok(x);
}

static int delete(struct cmd *x)
{
    struct slice column;
    unsigned table;
    int rv = find(x, &table);

    if (rv != 0)
        return rv;
    if (parse_words(&x->p, "WHERE") && (!parse_name(&x->p, &column) || !parse_mark(&x->p, "=") || !read_value(x)))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    x->c->time_zone_rows[table] = 0;
    return cmd_ok(x);
}

const struct cmd_row cmd_time_zone_rows[] = {
    { "REPLACE INTO", insert, CMD_SYS, SIM_P(ALTER_SYSTEM), 0 },
    { "INSERT INTO", insert, CMD_SYS, SIM_P(ALTER_SYSTEM), 0 },
    { "DELETE FROM", delete, CMD_SYS, SIM_P(ALTER_SYSTEM), 0 },
    { "", NULL, 0, 0, 0 },
};

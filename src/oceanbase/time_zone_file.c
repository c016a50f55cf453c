/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/time_zone_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/base/num.h"

ERR_DEFINE(ERR_TIME_ZONE_FILE, 90844, 500, ERR_FINAL,
           "The package's file of time zones cannot be used: its line {0} begins with \"{1}\". Load them by the package's own script, or skip this step.",
           "软件包的时区文件不可用：第 {0} 行以“{1}”开头。请使用软件包自带脚本导入，或跳过该步骤。");

const struct err_row *const time_zone_file_err_rows[] = { &ERR_TIME_ZONE_FILE, NULL };

enum { STATEMENT_MAX = 1024 * 1024, SHOWN = 40 };

#define PREFIX "oceanbase.__all_tenant_"
const char *const time_zone_tables[TIME_ZONE_TABLES] = {
    PREFIX "time_zone", PREFIX "time_zone_name", PREFIX "time_zone_transition", PREFIX "time_zone_transition_type",
};
/* As the file calls them. */
static const char *table(unsigned i)
{
    return time_zone_tables[i] + sizeof PREFIX - 1;
}

struct reader {
    struct str sql;          /* the statement so far */
    int64_t line;
    time_zone_run run;
    void *data;
    struct time_zone_plan *out;
};

static int refuse(const struct reader *r, struct slice line, struct err *e)
{
    char begin[SHOWN + 1];

    (void)snprintf(begin, sizeof begin, "%.*s", (int)(line.n < SHOWN ? line.n : SHOWN), line.s);
    (void)err_set(e, &ERR_TIME_ZONE_FILE, "%lld", (long long)r->line);
    return err_arg(e, "%s", begin);
}

static bool starts(struct slice a, const char *with)
{
    size_t n = strlen(with);

    return a.n >= n && strncasecmp(a.s, with, n) == 0;
}

/* The word at its begin is cut. */
static bool take(struct slice *a, const char *word)
{
    if (!starts(*a, word))
        return false;
    a->s += strlen(word);
    a->n -= strlen(word);
    *a = slice_trim(*a);
    return true;
}

/* "time_zone_name (..." -> 1; TIME_ZONE_TABLES: none of them. */
static unsigned take_table(struct slice *a)
{
    size_t n = 0;
    unsigned i = 0;

    while (n < a->n && strchr(" \t(;", a->s[n]) == NULL)
        n++;
    while (i < TIME_ZONE_TABLES && !slice_is_nocase((struct slice){ a->s, n }, table(i)))
        i++;
    a->s += n;
    a->n -= n;
    return i;
}

/* The number of the tenant is 0 in its own tables. */
static void add_values(struct str *t, struct slice rest)
{
    static const struct slice placeholder = SLICE("(tid,");

    while (rest.n > 0) {
        const char *at = memmem(rest.s, rest.n, placeholder.s, placeholder.n);
        size_t n = at != NULL ? (size_t)(at - rest.s) : rest.n;

        str_add_n(t, rest.s, n);
        rest.s += n;
        rest.n -= n;
        if (at == NULL)
            return;
        str_add(t, "(0,");
        rest.s += placeholder.n;
        rest.n -= placeholder.n;
    }
}

static int begin(struct reader *r, struct slice line, struct err *e)
{
    struct slice rest = line;
    bool empties = take(&rest, "TRUNCATE TABLE ");
    unsigned i = empties || take(&rest, "REPLACE INTO ") || take(&rest, "INSERT INTO ") ? take_table(&rest) : TIME_ZONE_TABLES;

    if (i == TIME_ZONE_TABLES || (empties && !slice_is(slice_trim(rest), ";")))
        return refuse(r, line, e);
    str_printf(&r->sql, "%s %s", empties ? "DELETE FROM" : "REPLACE INTO", time_zone_tables[i]);
    add_values(&r->sql, rest);
    return 0;
}

/* Values of a statement that began on a line before. */
static int go_on(struct reader *r, struct slice line, struct err *e)
{
    if (line.n > 0 && strchr("(,;", line.s[0]) == NULL)
        return refuse(r, line, e);
    str_add_c(&r->sql, '\n');
    add_values(&r->sql, line);
    return 0;
}

static int run_if_whole(struct reader *r, struct slice line, struct err *e)
{
    int rv;

    if (str_failed(&r->sql))
        return err_set(e, &ERR_NOMEM, "");
    if (r->sql.n > STATEMENT_MAX)
        return refuse(r, line, e);
    if (r->sql.n == 0 || r->sql.s[r->sql.n - 1] != ';')
        return 0;
    r->sql.s[--r->sql.n] = '\0';
    if (strchr(r->sql.s, ';') != NULL)
        return refuse(r, line, e);
    rv = r->run(r->sql.s, r->data, e);
    str_clear(&r->sql);
    return rv;
}

static bool take_count(struct reader *r, struct slice line)
{
    struct slice name = slice_trim(slice_cut(&line, ' '));
    unsigned i = 0;

    while (i < TIME_ZONE_TABLES && !slice_is_nocase(name, table(i)))
        i++;
    return i < TIME_ZONE_TABLES && take(&line, "count:") && num_parse_i64(line, &r->out->expected[i]);
}

static int take_version(struct reader *r, struct slice line, struct err *e)
{
    struct slice rest = line;

    if ((!take(&rest, "DELETE FROM ") && !take(&rest, "REPLACE INTO ") && !take(&rest, "INSERT INTO ")) || !take(&rest, "oceanbase.__all_sys_stat") ||
        line.s[line.n - 1] != ';' || memchr(line.s, ';', line.n - 1) != NULL || r->out->n_version == TIME_ZONE_VERSION_MAX)
        return refuse(r, line, e);
    r->out->version[r->out->n_version++] = (struct slice){ line.s, line.n - 1 };
    return 0;
}

static int read_line(struct reader *r, struct slice line, struct err *e)
{
    int rv;

    r->line++;
    if (r->sql.n > 0)
        rv = go_on(r, line, e);
    else if (line.n == 0 || starts(line, "SET autocommit") || starts(line, "ALTER TABLE time_zone_transition") || take_count(r, line))
        return 0;
    else if (memmem(line.s, line.n, "__all_sys_stat", 14) != NULL)
        return take_version(r, line, e);
    else
        rv = begin(r, line, e);
    return rv == 0 ? run_if_whole(r, line, e) : rv;
}

int time_zone_file_read(struct slice text, time_zone_run run, void *data, struct time_zone_plan *out, struct err *e)
{
    struct reader r = { .run = run, .data = data, .out = out };
    int rv = 0;

    *out = (struct time_zone_plan){ .expected = { -1, -1, -1, -1 } };
    str_init(&r.sql, NULL);
    while (rv == 0 && text.n > 0)
        rv = read_line(&r, slice_trim(slice_cut(&text, '\n')), e);
    if (rv == 0 && r.sql.n > 0)
        rv = refuse(&r, SLICE("the end in a statement"), e);
    str_fini(&r.sql);
    return rv;
}

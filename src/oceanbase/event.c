/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/event.h"

#include "src/oceanbase/engine.h"

enum { NO_SUCH_TABLE = 1146, N_RANGE = 6, N_PAGE = 8 };

#define PAIR(I, NAME, VALUE) SQL_FIELD(ob_event, names[I], NAME, SQL_C_TEXT), SQL_FIELD(ob_event, values[I], VALUE, SQL_C_TEXT)

static const struct sql_field columns[] = {
    SQL_FIELD(ob_event, at_us, "TIMESTAMP", SQL_C_TIME),
    SQL_FIELD(ob_event, module, "MODULE", SQL_C_TEXT),
    SQL_FIELD(ob_event, event, "EVENT", SQL_C_TEXT),
    PAIR(0, "NAME1", "VALUE1"),
    PAIR(1, "NAME2", "VALUE2"),
    PAIR(2, "NAME3", "VALUE3"),
    PAIR(3, "NAME4", "VALUE4"),
    PAIR(4, "NAME5", "VALUE5"),
    PAIR(5, "NAME6", "VALUE6"),
    SQL_FIELD(ob_event, extra, "EXTRA_INFO", SQL_C_TEXT),
    SQL_FIELD(ob_event, ip, "RS_SVR_IP", SQL_C_TEXT),
    SQL_FIELD(ob_event, port, "RS_SVR_PORT", SQL_C_INT64),
    { NULL },
};

static struct sql_value at(int64_t us)
{
    return us >= 0 ? SQL_V_TIME(us) : SQL_V_NULL;
}

/* Versions without the second history answer 1146. */
static int ask(struct sql *s, const char *text, const char *text_old, const struct sql_value *values, unsigned n, struct arena *arena,
               struct sql_rows *rows, struct err *e)
{
    int rv = sql_run(s, text, values, n, 0, arena, rows, e);

    return rv != 0 && e->lib_code == NO_SUCH_TABLE ? sql_run(s, text_old, values, n, 0, arena, rows, e) : rv;
}

static int fetch(const struct sql_rows *rows, struct arena *arena, struct ob_event **out, size_t *n, struct err *e)
{
    *out = arena_array(arena, rows->n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows->n_rows; i++)
        (*out)[i].port = -1;
    *n = rows->n_rows;
    return sql_fetch(rows, columns, sizeof **out, *out, e);
}

int ob_events_list(struct sql *s, const struct ob_event_filter *f, struct arena *arena, struct ob_event **out, size_t *n, int64_t *total,
                   struct err *e)
{
    const struct ob_queries *q = ob_queries(s);
    const struct sql_value values[N_PAGE] = {
        at(f->from_us), at(f->from_us), at(f->to_us), at(f->to_us), sql_v_s(f->module), sql_v_s(f->module), SQL_V_I(f->limit), SQL_V_I(f->offset),
    };
    struct sql_rows rows;
    int rv;

    *out = NULL;
    *n = 0;
    *total = 0;
    if (q->events == NULL)
        return 0;
    rv = ask(s, q->event_count, q->event_count_old, values, N_RANGE, arena, &rows, e);
    if (rv != 0)
        return rv;
    (void)sql_i64(&rows, 0, 0, total); /* a count is a number */
    rv = ask(s, q->events, q->events_old, values, N_PAGE, arena, &rows, e);
    return rv == 0 ? fetch(&rows, arena, out, n, e) : rv;
}

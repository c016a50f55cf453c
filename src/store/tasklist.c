/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of tasks, of which there may be a million: the rows before a page are passed over in an index, and only those of the page are read. */
#include "src/base/field.h"
#include "src/store/task_inside.h"

static const struct scope_column scope_columns[] = {
    { .kind = "TASK", .column = "id" },
    { .kind = "CLUSTER", .column = "cluster_id", .optional = true },
    { .kind = "TENANT", .column = "cluster_id", .sub_column = "tenant_id", .optional = true },
    { NULL },
};

static int64_t or_none(int64_t id)
{
    return id >= 0 ? id : FIELD_NONE;
}

static void filter_statuses(struct filter *w, unsigned statuses, struct arena *arena)
{
    int64_t *values = arena_array(arena, 3, sizeof *values);
    struct field_ints list = { values, 0 };

    if (values == NULL || statuses == 0)
        return;
    for (int i = 0; i < 3; i++)
        if ((statuses & 1u << i) != 0)
            values[list.n++] = i;
    filter_ints(w, "status IN", list);
}

static void filter(struct filter *w, const struct task_filter *f, struct arena *arena)
{
    static const char *const name[] = { "name", NULL };

    filter_init(w, arena);
    filter_contains(w, name, f->name);
    filter_text(w, "cluster_name = ?", f->cluster_name);
    filter_text(w, "tenant_name = ?", f->tenant_name);
    filter_i64(w, "cluster_id = ?", or_none(f->cluster_id));
    filter_i64(w, "tenant_id = ?", or_none(f->tenant_id));
    filter_i64(w, "creator_id = ?", or_none(f->creator_id));
    filter_i64(w, "id IN (SELECT task_id FROM task_host WHERE host_id = ?)", or_none(f->host_id));
    filter_bool(w, "type = ?", f->type);
    filter_statuses(w, f->statuses, arena);
    filter_scope(w, f->scope, scope_columns);
}

/* Nobody pages through more, and counting a million rows for each page would cost more than the page. */
static int count(struct db *d, const struct filter *w, struct arena *arena, int64_t *total, struct err *e)
{
    char *text = arena_printf(arena, "SELECT COUNT(*) AS n FROM (SELECT 1 FROM task WHERE 1 = 1%s LIMIT %d) AS some", str_c(&w->text),
                              TASK_COUNT_MAX);
    struct sql_rows rows;
    int rv;

    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = db_read(d, text, w->values, w->n_values, arena, &rows, e);
    if (rv == 0 && !sql_i64(&rows, 0, 0, total))
        rv = err_set(e, &ERR_UNEXPECTED, "the number of tasks cannot be read");
    return rv;
}

/* Left to itself, MariaDB passes over whole rows when nothing narrows the list, and sorts all of it when several states are asked for. */
static const char *index_of(const struct task_filter *f)
{
    bool one_status = f->statuses != 0 && (f->statuses & (f->statuses - 1)) == 0;
    bool is_narrow = f->name != NULL || f->cluster_name != NULL || f->tenant_name != NULL || f->cluster_id >= 0 || f->tenant_id >= 0 ||
                     f->creator_id >= 0 || f->host_id >= 0 || f->scope != NULL;

    return one_status || is_narrow ? "" : " FORCE INDEX (task_in_order)";
}

int store_task_list(struct db *d, const struct task_filter *f, struct arena *arena, struct task **out, size_t *n, int64_t *total,
                    struct err *e)
{
    const char *order = f->descending ? "DESC" : "ASC";
    struct sql_rows rows;
    struct filter w;
    char *text;
    int rv;

    filter(&w, f, arena);
    text = arena_printf(arena,
                        "SELECT " TASK_COLUMNS ", " TENANT_COLUMNS " FROM task JOIN (SELECT id AS page_id FROM task%s WHERE 1 = 1%s ORDER BY id %s "
                        "LIMIT %lld OFFSET %lld) AS page ON page.page_id = task.id ORDER BY id %s",
                        index_of(f), str_c(&w.text), order, (long long)f->size, (long long)((f->page - 1) * f->size), order);
    if (str_failed(&w.text) || text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = count(d, &w, arena, total, e);
    if (rv == 0)
        rv = db_read(d, text, w.values, w.n_values, arena, &rows, e);
    if (rv == 0)
        rv = task_fetch(&rows, arena, out, e);
    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    return task_add_steps(d, *out, *n, f->descending, arena, e);
}

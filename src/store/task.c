/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/task.h"

#include <string.h>

#include "src/base/field.h"

ERR_DEFINE(ERR_TASK_NOT_FOUND, 4001, 404, ERR_FINAL, "The task {0} does not exist.", "任务 {0} 不存在。");
ERR_DEFINE(ERR_TASK_STATE, 4007, 409, ERR_FINAL, "The task {0} is {1}; only a failed task can be run again.",
           "任务 {0} 当前状态为 {1}，仅失败的任务可以重试。");
ERR_DEFINE(ERR_TASK_OVERTAKEN, 90301, 409, ERR_FINAL, "The step {0} was dispatched again meanwhile; this result does not count.",
           "步骤 {0} 已被重新派发，本次结果无效。");

const struct err_row *const task_err_rows[] = { &ERR_TASK_NOT_FOUND, &ERR_TASK_STATE, &ERR_TASK_OVERTAKEN, NULL };

const char *const task_status_names[] = { "RUNNING", "SUCCESSFUL", "FAILED", NULL };
const char *const subtask_status_names[] = { "PENDING", "READY", "RUNNING", "CANCELING", "FAILED", "SUCCESSFUL", NULL };

#define TASK_COLUMNS                                                                                                              \
    "id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, creator_id, creator_name, " \
    "status, prohibit_rollback, executor, context, created_at, started_at, finished_at"
#define SUBTASK_COLUMNS \
    "id, task_id, series, dispatch, name, description, timeout_s, status, worker, error, created_at, started_at, finished_at"

static const struct sql_field task_columns[] = {
    SQL_FIELD(task, id, "id", SQL_C_INT64),
    SQL_FIELD(task, flow, "flow", SQL_C_TEXT),
    SQL_FIELD(task, name, "name", SQL_C_TEXT),
    SQL_FIELD(task, definition_id, "definition_id", SQL_C_INT64),
    SQL_FIELD(task, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(task, ob_cluster_id, "ob_cluster_id", SQL_C_INT64),
    SQL_FIELD(task, tenant_id, "tenant_id", SQL_C_INT64),
    SQL_FIELD(task, cluster_name, "cluster_name", SQL_C_TEXT),
    SQL_FIELD(task, tenant_name, "tenant_name", SQL_C_TEXT),
    SQL_FIELD(task, creator_id, "creator_id", SQL_C_INT64),
    SQL_FIELD(task, creator_name, "creator_name", SQL_C_TEXT),
    SQL_FIELD(task, status, "status", SQL_C_INT),
    SQL_FIELD(task, prohibit_rollback, "prohibit_rollback", SQL_C_INT),
    SQL_FIELD(task, executor, "executor", SQL_C_TEXT),
    SQL_FIELD(task, context, "context", SQL_C_TEXT),
    SQL_FIELD(task, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(task, started_us, "started_at", SQL_C_TIME),
    SQL_FIELD(task, finished_us, "finished_at", SQL_C_TIME),
    { NULL },
};

static const struct sql_field subtask_columns[] = {
    SQL_FIELD(subtask, id, "id", SQL_C_INT64),
    SQL_FIELD(subtask, task_id, "task_id", SQL_C_INT64),
    SQL_FIELD(subtask, series, "series", SQL_C_INT64),
    SQL_FIELD(subtask, dispatch, "dispatch", SQL_C_INT64),
    SQL_FIELD(subtask, name, "name", SQL_C_TEXT),
    SQL_FIELD(subtask, description, "description", SQL_C_TEXT),
    SQL_FIELD(subtask, timeout_s, "timeout_s", SQL_C_INT64),
    SQL_FIELD(subtask, status, "status", SQL_C_INT),
    SQL_FIELD(subtask, worker, "worker", SQL_C_TEXT),
    SQL_FIELD(subtask, error, "error", SQL_C_TEXT),
    SQL_FIELD(subtask, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(subtask, started_us, "started_at", SQL_C_TIME),
    SQL_FIELD(subtask, finished_us, "finished_at", SQL_C_TIME),
    { NULL },
};

static int insert_subtask(struct tx *tx, const struct subtask *s, int64_t task_id, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO subtask (id, task_id, series, dispatch, name, description, timeout_s, status, worker, error, created_at) "
                   "VALUES (?, ?, ?, 0, ?, ?, ?, ?, '', '', ?)",
                   DB_ARGS(SQL_V_I(s->id), SQL_V_I(task_id), SQL_V_I(s->series), sql_v_s(s->name), sql_v_s(s->description),
                           SQL_V_I(s->timeout_s), SQL_V_I(s->status), SQL_V_TIME(s->created_us)),
                   NULL, e);
}

int store_task_insert(struct tx *tx, const struct task *t, struct err *e)
{
    int rv = tx_exec(tx,
                     "INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, "
                     "creator_id, creator_name, status, prohibit_rollback, executor, context, created_at, started_at) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     DB_ARGS(SQL_V_I(t->id), sql_v_s(t->flow), sql_v_s(t->name), SQL_V_I(t->definition_id), SQL_V_I(t->cluster_id),
                             SQL_V_I(t->ob_cluster_id), SQL_V_I(t->tenant_id), sql_v_s(t->cluster_name), sql_v_s(t->tenant_name),
                             SQL_V_I(t->creator_id), sql_v_s(t->creator_name), SQL_V_I(t->status), SQL_V_I(t->prohibit_rollback),
                             sql_v_s(t->executor), sql_v_s(t->context), SQL_V_TIME(t->created_us), SQL_V_TIME(t->created_us)),
                     NULL, e);

    for (size_t i = 0; rv == 0 && i < t->n_subtasks; i++)
        rv = insert_subtask(tx, &t->subtasks[i], t->id, e);
    return rv;
}

static void init_times(struct task *tasks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tasks[i].started_us = tasks[i].finished_us = FIELD_NONE;
}

static int fetch_tasks(const struct sql_rows *rows, struct arena *arena, struct task **out, struct err *e)
{
    *out = arena_array(arena, rows->n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    init_times(*out, rows->n_rows);
    return sql_fetch(rows, task_columns, sizeof **out, *out, e);
}

/* Hands each task its part of the steps, which are sorted by task and series. */
static void share_out(struct task *tasks, size_t n, struct subtask *steps, size_t n_steps)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_steps; k++) {
            if (steps[k].task_id != tasks[i].id)
                continue;
            if (tasks[i].n_subtasks++ == 0)
                tasks[i].subtasks = &steps[k];
        }
    }
}

static int add_subtasks(struct db *d, struct task *tasks, size_t n, struct arena *arena, struct err *e)
{
    struct sql_rows rows;
    struct subtask *steps;
    struct str in;
    int rv;

    if (n == 0)
        return 0;
    str_init(&in, arena);
    str_add(&in, "SELECT " SUBTASK_COLUMNS " FROM subtask WHERE task_id IN (");
    for (size_t i = 0; i < n; i++)
        str_printf(&in, "%s%lld", i > 0 ? "," : "", (long long)tasks[i].id);
    str_add(&in, ") ORDER BY task_id, series");
    if (str_failed(&in))
        return err_set(e, &ERR_NOMEM, "");
    rv = db_read(d, in.s, DB_NO_ARGS, arena, &rows, e);
    if (rv != 0)
        return rv;
    steps = arena_array(arena, rows.n_rows + 1, sizeof *steps);
    if (steps == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        steps[i].started_us = steps[i].finished_us = FIELD_NONE;
    rv = sql_fetch(&rows, subtask_columns, sizeof *steps, steps, e);
    if (rv == 0)
        share_out(tasks, n, steps, rows.n_rows);
    return rv;
}

int store_task_get(struct db *d, int64_t id, struct arena *arena, struct task *out, struct err *e)
{
    struct sql_rows rows;
    struct task *found;
    int rv = db_read(d, "SELECT " TASK_COLUMNS " FROM task WHERE id = ?", DB_ARGS(SQL_V_I(id)), arena, &rows, e);

    if (rv == 0 && rows.n_rows == 0)
        return err_set(e, &ERR_TASK_NOT_FOUND, "%lld", (long long)id);
    if (rv == 0)
        rv = fetch_tasks(&rows, arena, &found, e);
    if (rv == 0)
        rv = add_subtasks(d, found, 1, arena, e);
    if (rv == 0)
        *out = *found;
    return rv;
}

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

static void filter(struct filter *w, const struct task_filter *f, struct arena *arena)
{
    static const char *const name[] = { "name", NULL };

    filter_init(w, arena);
    filter_contains(w, name, f->name);
    filter_text(w, "cluster_name = ?", f->cluster_name);
    filter_i64(w, "cluster_id = ?", or_none(f->cluster_id));
    filter_i64(w, "tenant_id = ?", or_none(f->tenant_id));
    filter_i64(w, "creator_id = ?", or_none(f->creator_id));
    filter_bool(w, "status = ?", f->status);
    filter_scope(w, f->scope, scope_columns);
}

static int count(struct db *d, const struct filter *w, struct arena *arena, int64_t *total, struct err *e)
{
    char *text = arena_printf(arena, "SELECT COUNT(*) AS n FROM task WHERE 1 = 1%s", str_c(&w->text));
    struct sql_rows rows;
    int rv;

    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = db_read(d, text, w->values, w->n_values, arena, &rows, e);
    if (rv == 0 && !sql_i64(&rows, 0, 0, total))
        rv = err_set(e, &ERR_UNEXPECTED, "the number of tasks cannot be read");
    return rv;
}

int store_task_list(struct db *d, const struct task_filter *f, struct arena *arena, struct task **out, size_t *n, int64_t *total,
                    struct err *e)
{
    struct sql_rows rows;
    struct filter w;
    char *text;
    int rv;

    filter(&w, f, arena);
    text = arena_printf(arena, "SELECT " TASK_COLUMNS " FROM task WHERE 1 = 1%s ORDER BY id %s LIMIT %lld OFFSET %lld", str_c(&w.text),
                        f->descending ? "DESC" : "ASC", (long long)f->size, (long long)((f->page - 1) * f->size));
    if (str_failed(&w.text) || text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = count(d, &w, arena, total, e);
    if (rv == 0)
        rv = db_read(d, text, w.values, w.n_values, arena, &rows, e);
    if (rv == 0)
        rv = fetch_tasks(&rows, arena, out, e);
    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    return add_subtasks(d, *out, *n, arena, e);
}

int store_task_unfinished(struct db *d, int64_t cluster_id, struct arena *arena, int64_t **ids, size_t *n, struct err *e)
{
    const char *text = cluster_id < 0 ? "SELECT id FROM task WHERE status = 0 ORDER BY id"
                                      : "SELECT id FROM task WHERE status = 0 AND cluster_id = ? ORDER BY id";
    struct sql_value value = SQL_V_I(cluster_id);
    struct sql_rows rows;
    int rv = db_read(d, text, &value, cluster_id < 0 ? 0 : 1, arena, &rows, e);

    if (rv != 0)
        return rv;
    *ids = arena_array(arena, rows.n_rows + 1, sizeof **ids);
    if (*ids == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (*n = 0; *n < rows.n_rows; (*n)++)
        if (!sql_i64(&rows, *n, 0, &(*ids)[*n]))
            return err_set(e, &ERR_UNEXPECTED, "the id of a task cannot be read");
    return 0;
}

/* One statement that must find its row. */
struct guarded {
    const char *text;
    const struct sql_value *values;
    unsigned n;
    int64_t step;
    uint64_t affected;
};

static int run_guarded(struct tx *tx, void *data, struct err *e)
{
    struct guarded *g = data;
    int rv = tx_exec(tx, g->text, g->values, g->n, &g->affected, e);

    if (rv == 0 && g->affected == 0)
        rv = err_set(e, &ERR_TASK_OVERTAKEN, "%lld", (long long)g->step);
    return rv;
}

int store_subtask_dispatch(struct db *d, const struct subtask *s, const char *worker, struct err *e)
{
    struct sql_value values[] = { SQL_V_I(SUBTASK_RUNNING), sql_v_s(worker), SQL_V_I(s->id), SQL_V_I(s->dispatch), SQL_V_I(SUBTASK_SUCCESSFUL) };
    struct guarded g = { "UPDATE subtask SET dispatch = dispatch + 1, status = ?, worker = ?, error = '', started_at = NOW(6), finished_at = NULL "
                         "WHERE id = ? AND dispatch = ? AND status <> ?",
                         values, 5, s->id, 0 };

    return db_transact(d, run_guarded, &g, e);
}

int store_subtask_finish(struct db *d, int64_t id, int64_t dispatch, const char *error, struct err *e)
{
    struct sql_value values[] = { SQL_V_I(error == NULL ? SUBTASK_SUCCESSFUL : SUBTASK_FAILED), sql_v_s(error != NULL ? error : ""),
                                  SQL_V_I(id), SQL_V_I(dispatch), SQL_V_I(SUBTASK_RUNNING) };
    struct guarded g = { "UPDATE subtask SET status = ?, error = ?, finished_at = NOW(6) WHERE id = ? AND dispatch = ? AND status = ?", values,
                         5, id, 0 };

    return db_transact(d, run_guarded, &g, e);
}

static int run_plain(struct tx *tx, void *data, struct err *e)
{
    struct guarded *g = data;

    return tx_exec(tx, g->text, g->values, g->n, &g->affected, e);
}

int store_task_set_context(struct db *d, int64_t id, const char *context, struct err *e)
{
    struct sql_value values[] = { sql_v_s(context), SQL_V_I(id) };
    struct guarded g = { "UPDATE task SET context = ? WHERE id = ?", values, 2, 0, 0 };

    return db_transact(d, run_plain, &g, e);
}

int store_task_finish(struct db *d, int64_t id, enum task_status status, struct err *e)
{
    struct sql_value values[] = { SQL_V_I(status), SQL_V_I(id), SQL_V_I(TASK_RUNNING) };
    struct guarded g = { "UPDATE task SET status = ?, finished_at = NOW(6) WHERE id = ? AND status = ?", values, 3, 0, 0 };

    return db_transact(d, run_plain, &g, e);
}

int store_task_fail_all_in(struct tx *tx, const char *reason, struct err *e)
{
    int rv = tx_exec(tx,
                     "UPDATE subtask SET status = ?, error = ?, dispatch = dispatch + 1, finished_at = NOW(6) WHERE status IN (?, ?, ?) "
                     "AND task_id IN (SELECT id FROM task WHERE status = ?)",
                     DB_ARGS(SQL_V_I(SUBTASK_FAILED), sql_v_s(reason), SQL_V_I(SUBTASK_READY), SQL_V_I(SUBTASK_RUNNING),
                             SQL_V_I(SUBTASK_CANCELING), SQL_V_I(TASK_RUNNING)),
                     NULL, e);

    if (rv == 0)
        rv = tx_exec(tx, "UPDATE task SET status = ?, finished_at = NOW(6) WHERE status = ?", DB_ARGS(SQL_V_I(TASK_FAILED), SQL_V_I(TASK_RUNNING)),
                     NULL, e);
    return rv;
}

static int run_retry(struct tx *tx, void *data, struct err *e)
{
    struct guarded *g = data;
    struct sql_value step[] = { SQL_V_I(SUBTASK_READY), SQL_V_I(g->step), SQL_V_I(SUBTASK_FAILED) };
    int rv = tx_exec(tx, "UPDATE task SET status = 0, finished_at = NULL WHERE id = ? AND status = 2", g->values, g->n, &g->affected, e);

    if (rv == 0 && g->affected > 0)
        rv = tx_exec(tx, "UPDATE subtask SET status = ?, dispatch = dispatch + 1 WHERE task_id = ? AND status = ?", step, 3, NULL, e);
    return rv;
}

int store_task_retry(struct db *d, int64_t id, bool *changed, struct err *e)
{
    struct sql_value values[] = { SQL_V_I(id) };
    struct guarded g = { NULL, values, 1, id, 0 };
    int rv = db_transact(d, run_retry, &g, e);

    *changed = rv == 0 && g.affected > 0;
    return rv;
}

int store_subtask_log(struct db *d, int64_t subtask_id, int64_t seq, const char *text, struct err *e)
{
    struct sql_value values[] = { SQL_V_I(subtask_id), SQL_V_I(seq), sql_v_s(text) };
    struct guarded g = { "INSERT INTO subtask_log (subtask_id, seq, logged_at, text) VALUES (?, ?, NOW(6), ?)", values, 3, 0, 0 };
    int rv = db_transact(d, run_plain, &g, e);

    return rv != 0 && err_is(e, &ERR_SQL_DUPLICATE) ? 0 : rv;
}

static const struct sql_field line_columns[] = {
    SQL_FIELD(subtask_line, at_us, "logged_at", SQL_C_TIME),
    SQL_FIELD(subtask_line, text, "text", SQL_C_TEXT),
    { NULL },
};

int store_subtask_lines(struct db *d, int64_t subtask_id, struct arena *arena, struct subtask_line **out, size_t *n, struct err *e)
{
    return db_list(d, "SELECT logged_at, text FROM subtask_log WHERE subtask_id = ? ORDER BY seq", DB_ARGS(SQL_V_I(subtask_id)), line_columns,
                   sizeof **out, arena, (void **)out, n, e);
}

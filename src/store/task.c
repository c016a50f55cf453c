/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/task.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/field.h"
#include "src/store/idempotency.h"
#include "src/store/many.h"
#include "src/store/task_inside.h"

ERR_DEFINE(ERR_TASK_NOT_FOUND, 4001, 404, ERR_FINAL, "The task {0} does not exist.", "任务 {0} 不存在。");
ERR_DEFINE(ERR_TASK_STATE, 4007, 409, ERR_FINAL, "The task {0} cannot be changed this way now: {1}.", "任务 {0} 当前状态不允许此操作：{1}。");
ERR_DEFINE(ERR_TASK_NO_ROLLBACK, 4009, 409, ERR_FINAL, "The task {0} cannot be rolled back. Repair what its failed step names, and retry it.",
           "任务 {0} 不允许回滚，请处理失败步骤提示的问题后重试。");
ERR_DEFINE(ERR_SUBTASK_NO_SKIP, 4010, 409, ERR_FINAL, "The step {0} must not be skipped: later steps need what it does. Retry it.",
           "步骤 {0} 不允许跳过，后续步骤依赖其结果，请重试。");
ERR_DEFINE(ERR_TASK_OVERTAKEN, 90301, 409, ERR_FINAL, "The step {0} was dispatched again meanwhile; this result does not count.",
           "步骤 {0} 已被重新派发，本次结果无效。");
ERR_DEFINE(ERR_TASK_UNKNOWN, 90330, 500, ERR_FINAL, "Nobody can tell whether this was done: {0}. Look, then retry or skip the step.",
           "无法确认操作是否已执行：{0}。请检查后重试或跳过该步骤。");

const struct err_row *const task_err_rows[] = { &ERR_TASK_NOT_FOUND,  &ERR_TASK_STATE,   &ERR_TASK_NO_ROLLBACK, &ERR_SUBTASK_NO_SKIP,
                                                &ERR_TASK_OVERTAKEN, &ERR_TASK_UNKNOWN, &ERR_TASK_LOCKED,      NULL };

const char *const task_status_names[] = { "RUNNING", "SUCCESSFUL", "FAILED", NULL };
const char *const task_operation_names[] = { "EXECUTE", "RETRY", "ROLLBACK", "SKIP", "CANCEL", "UNDO", NULL };
const char *const task_type_names[] = { "MANUAL", "SYS_ONECE", "SCHEDULED", "SYS_SCHEDULED", NULL };
const char *const subtask_status_names[] = { "PENDING", "READY",   "RUNNING", "CANCELING", "FAILED", "SUCCESSFUL",
                                             "UNKNOWN", "SKIPPED", "CANCELLED", "ROLLED_BACK", NULL };

#define SUBTASK_COLUMNS                                                                                                                    \
    "id, task_id, series, stage, width, place, up_first, up_last, dispatch, name, description, target, label, timeout_s, retries, attempts, " \
    "declines, flags, status, operation, worker_id, incarnation, epoch, worker, error, created_at, started_at, finished_at"

static const struct sql_field task_columns[] = {
    SQL_FIELD(task, id, "id", SQL_C_INT64),
    SQL_FIELD(task, flow, "flow", SQL_C_TEXT),
    SQL_FIELD(task, name, "name", SQL_C_TEXT),
    SQL_FIELD(task, definition_id, "definition_id", SQL_C_INT64),
    SQL_FIELD(task, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(task, ob_cluster_id, "ob_cluster_id", SQL_C_INT64),
    SQL_FIELD(task, tenant_id, "tenant_id", SQL_C_INT64),
    SQL_FIELD_OPT(task, ob_tenant_id, "ob_tenant_id", SQL_C_INT64),
    SQL_FIELD_OPT(task, tenant_mode, "tenant_mode", SQL_C_TEXT),
    SQL_FIELD(task, host_id, "host_id", SQL_C_INT64),
    SQL_FIELD(task, cluster_name, "cluster_name", SQL_C_TEXT),
    SQL_FIELD(task, tenant_name, "tenant_name", SQL_C_TEXT),
    SQL_FIELD(task, creator_id, "creator_id", SQL_C_INT64),
    SQL_FIELD(task, creator_name, "creator_name", SQL_C_TEXT),
    SQL_FIELD(task, status, "status", SQL_C_INT),
    SQL_FIELD(task, operation, "operation", SQL_C_INT),
    SQL_FIELD(task, type, "type", SQL_C_INT),
    SQL_FIELD(task, prohibit_rollback, "prohibit_rollback", SQL_C_INT),
    SQL_FIELD(task, undo, "undo_on_failure", SQL_C_INT),
    SQL_FIELD(task, executor, "executor", SQL_C_TEXT),
    SQL_FIELD(task, arguments, "arguments", SQL_C_TEXT),
    SQL_FIELD(task, locks, "locks", SQL_C_TEXT),
    SQL_FIELD(task, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(task, started_us, "started_at", SQL_C_TIME),
    SQL_FIELD(task, finished_us, "finished_at", SQL_C_TIME),
    { NULL },
};

const struct sql_field subtask_columns[] = {
    SQL_FIELD_OPT(subtask, id, "id", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, task_id, "task_id", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, series, "series", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, stage, "stage", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, width, "width", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, place, "place", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, up_first, "up_first", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, up_last, "up_last", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, dispatch, "dispatch", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, name, "name", SQL_C_TEXT),
    SQL_FIELD_OPT(subtask, description, "description", SQL_C_TEXT),
    SQL_FIELD_OPT(subtask, target, "target", SQL_C_TEXT),
    SQL_FIELD_OPT(subtask, label, "label", SQL_C_TEXT),
    SQL_FIELD_OPT(subtask, timeout_s, "timeout_s", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, retries, "retries", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, attempts, "attempts", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, declines, "declines", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, flags, "flags", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, status, "status", SQL_C_INT),
    SQL_FIELD_OPT(subtask, operation, "operation", SQL_C_INT),
    SQL_FIELD_OPT(subtask, worker_id, "worker_id", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, incarnation, "incarnation", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, epoch, "epoch", SQL_C_INT64),
    SQL_FIELD_OPT(subtask, worker, "worker", SQL_C_TEXT),
    SQL_FIELD_OPT(subtask, error, "error", SQL_C_TEXT),
    SQL_FIELD_OPT(subtask, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD_OPT(subtask, started_us, "started_at", SQL_C_TIME),
    SQL_FIELD_OPT(subtask, finished_us, "finished_at", SQL_C_TIME),
    { NULL },
};


/* ---- writing --------------------------------------------------------------------------------------------------------------- */

enum { SUBTASK_VALUES = 21 };
static const struct many_kind subtask_kind = {
    .table = "subtask",
    .columns = "id, task_id, series, stage, width, place, up_first, up_last, dispatch, name, description, target, label, timeout_s, retries, "
               "flags, status, operation, worker, error, created_at",
    .n_columns = SUBTASK_VALUES,
};

static int insert_subtasks(struct tx *tx, const struct task *t, struct arena *arena, struct err *e)
{
    struct sql_value *values = arena_array(arena, t->n_subtasks * SUBTASK_VALUES, sizeof *values);

    if (values == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < t->n_subtasks; i++) {
        const struct subtask *s = &t->subtasks[i];
        struct sql_value *v = &values[i * SUBTASK_VALUES];
        const int64_t numbers[] = { s->id, t->id, s->series, s->stage, s->width, s->place, s->up_first, s->up_last, 0 };

        for (unsigned k = 0; k < 9; k++)
            *v++ = SQL_V_I(numbers[k]);
        *v++ = sql_v_s(s->name);
        *v++ = sql_v_s(s->description);
        *v++ = sql_v_s(s->target);
        *v++ = sql_v_s(s->label);
        *v++ = SQL_V_I(s->timeout_s);
        *v++ = SQL_V_I(s->retries);
        *v++ = SQL_V_I(s->flags);
        *v++ = SQL_V_I(s->status);
        *v++ = SQL_V_I(s->operation);
        *v++ = sql_v_s("");
        *v++ = sql_v_s("");
        *v++ = SQL_V_TIME(s->created_us);
    }
    return many_write(tx, &subtask_kind, values, t->n_subtasks, arena, e);
}

static const struct many_kind host_kind = { .table = "task_host", .columns = "host_id, task_id", .n_columns = 2 };

/* Those whose locks it takes: the tasks of a host are looked up by it. */
static int insert_hosts(struct tx *tx, const struct task *t, struct arena *arena, struct err *e)
{
    struct slice rest = { t->locks, strlen(t->locks) };
    struct sql_value *values = arena_array(arena, rest.n + 1, sizeof *values);       /* a host takes more characters than values */
    size_t n = 0;

    if (values == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rest.n > 0) {
        struct slice one = slice_cut(&rest, ',');

        if (!slice_is(slice_cut(&one, ' '), "host"))
            continue;
        values[n++] = SQL_V_I(strtoll(one.s, NULL, 10));
        values[n++] = SQL_V_I(t->id);
    }
    return n > 0 ? many_write(tx, &host_kind, values, n / 2, arena, e) : 0;
}

/* The column `context` is of former versions and holds nothing any more. */
int store_task_insert(struct tx *tx, const struct task *t, struct arena *arena, struct err *e)
{
    int rv = tx_exec(tx,
                     "INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, host_id, cluster_name, tenant_name, "
                     "creator_id, creator_name, status, operation, type, prohibit_rollback, undo_on_failure, executor, arguments, locks, context, created_at, "
                     "started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)",
                     DB_ARGS(SQL_V_I(t->id), sql_v_s(t->flow), sql_v_s(t->name), SQL_V_I(t->definition_id), SQL_V_I(t->cluster_id),
                             SQL_V_I(t->ob_cluster_id), SQL_V_I(t->tenant_id), SQL_V_I(t->host_id), sql_v_s(t->cluster_name),
                             sql_v_s(t->tenant_name), SQL_V_I(t->creator_id), sql_v_s(t->creator_name), SQL_V_I(t->status),
                             SQL_V_I(t->operation), SQL_V_I(t->type), SQL_V_I(t->prohibit_rollback), SQL_V_I(t->undo), sql_v_s(t->executor),
                             sql_v_s(t->arguments), sql_v_s(t->locks), SQL_V_TIME(t->created_us), SQL_V_TIME(t->created_us)),
                     NULL, e);

    if (rv == 0)
        rv = store_idempotency_note_task(tx, t->id, e);
    if (rv == 0)
        rv = insert_hosts(tx, t, arena, e);
    return rv == 0 ? insert_subtasks(tx, t, arena, e) : rv;
}

int store_task_move_in(struct tx *tx, int64_t id, int status, int operation, struct err *e)
{
    const char *text = status == TASK_RUNNING ? "UPDATE task SET status = ?, operation = ?, finished_at = NULL WHERE id = ?"
                                              : "UPDATE task SET status = ?, operation = ?, finished_at = NOW(6) WHERE id = ?";

    return tx_exec(tx, text, DB_ARGS(SQL_V_I(status), SQL_V_I(operation), SQL_V_I(id)), NULL, e);
}

int store_task_fail_all_in(struct tx *tx, const char *reason, struct err *e)
{
    int rv = tx_exec(tx,
                     "UPDATE subtask SET status = ?, error = ?, dispatch = dispatch + 1, finished_at = NOW(6) WHERE status IN (?, ?, ?)",
                     DB_ARGS(SQL_V_I(SUBTASK_UNKNOWN), sql_v_s(reason), SQL_V_I(SUBTASK_READY), SQL_V_I(SUBTASK_RUNNING),
                             SQL_V_I(SUBTASK_CANCELING)),
                     NULL, e);

    if (rv == 0)
        rv = tx_exec(tx, "UPDATE task SET status = ?, finished_at = NOW(6) WHERE status = ?", DB_ARGS(SQL_V_I(TASK_FAILED), SQL_V_I(TASK_RUNNING)),
                     NULL, e);
    return rv;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static void init_absent(struct task *tasks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tasks[i].started_us = tasks[i].finished_us = tasks[i].ob_tenant_id = FIELD_NONE;
}

int task_fetch(const struct sql_rows *rows, struct arena *arena, struct task **out, struct err *e)
{
    *out = arena_array(arena, rows->n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    init_absent(*out, rows->n_rows);
    return sql_fetch(rows, task_columns, sizeof **out, *out, e);
}

/* Hands each task its part of the steps, which are sorted by task and series; the tasks are sorted by id, one way or the other. */
static void share_out(struct task *tasks, size_t n, struct subtask *steps, size_t n_steps, bool descending)
{
    for (size_t k = 0, at = 0; k < n_steps; k++) {
        struct task *t;

        while (at < n && tasks[descending ? n - 1 - at : at].id != steps[k].task_id)
            at++;
        if (at == n)
            return;
        t = &tasks[descending ? n - 1 - at : at];
        if (t->n_subtasks++ == 0)
            t->subtasks = &steps[k];
    }
}

int subtask_fetch(const struct sql_rows *rows, struct arena *arena, struct subtask **out, size_t *n, struct err *e)
{
    static const struct subtask blank = { .name = "", .description = "", .target = "", .label = "", .worker = "", .error = "",
                                          .created_us = FIELD_NONE, .started_us = FIELD_NONE, .finished_us = FIELD_NONE };
    int rv;

    *n = rows->n_rows;
    *out = arena_array(arena, rows->n_rows + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows->n_rows; i++)
        (*out)[i] = blank;
    rv = sql_fetch(rows, subtask_columns, sizeof **out, *out, e);
    for (size_t i = 0; rv == 0 && i < rows->n_rows; i++)
        if ((*out)[i].stage == 0) /* made by a former version: one step after the other */
            (*out)[i].stage = (*out)[i].series, (*out)[i].up_first = (*out)[i].up_last = (*out)[i].series - 1;
    return rv;
}

int task_add_steps(struct db *d, struct task *tasks, size_t n, bool descending, struct arena *arena, struct err *e)
{
    struct sql_rows rows;
    struct subtask *steps;
    struct str in;
    size_t n_steps;
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
    if (rv == 0)
        rv = subtask_fetch(&rows, arena, &steps, &n_steps, e);
    if (rv == 0)
        share_out(tasks, n, steps, n_steps, descending);
    return rv;
}

int store_task_get_head(struct db *d, int64_t id, struct arena *arena, struct task *out, struct err *e)
{
    struct sql_rows rows;
    struct task *found;
    int rv = db_read(d, "SELECT " TASK_COLUMNS ", " TENANT_COLUMNS " FROM task WHERE id = ?", DB_ARGS(SQL_V_I(id)), arena, &rows, e);

    if (rv == 0 && rows.n_rows == 0)
        return err_set(e, &ERR_TASK_NOT_FOUND, "%lld", (long long)id);
    if (rv == 0)
        rv = task_fetch(&rows, arena, &found, e);
    if (rv == 0)
        *out = *found;
    return rv;
}

int store_task_get(struct db *d, int64_t id, struct arena *arena, struct task *out, struct err *e)
{
    int rv = store_task_get_head(d, id, arena, out, e);

    return rv == 0 ? task_add_steps(d, out, 1, false, arena, e) : rv;
}

int store_task_lock_in(struct tx *tx, int64_t id, struct arena *arena, struct task *out, struct err *e)
{
    struct sql_rows rows;
    struct task *found;
    int rv = tx_run(tx, "SELECT " TASK_COLUMNS " FROM task WHERE id = ? FOR UPDATE", DB_ARGS(SQL_V_I(id)), arena, &rows, e);

    if (rv == 0 && rows.n_rows == 0)
        return err_set(e, &ERR_TASK_NOT_FOUND, "%lld", (long long)id);
    if (rv == 0)
        rv = task_fetch(&rows, arena, &found, e);
    if (rv == 0)
        rv = tx_run(tx, "SELECT " SUBTASK_COLUMNS " FROM subtask WHERE task_id = ? ORDER BY series FOR UPDATE", DB_ARGS(SQL_V_I(id)), arena,
                    &rows, e);
    if (rv == 0)
        rv = subtask_fetch(&rows, arena, &found->subtasks, &found->n_subtasks, e);
    if (rv == 0)
        *out = *found;
    return rv;
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

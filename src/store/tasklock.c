/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "src/store/list.h"
#include "src/store/task.h"

ERR_DEFINE(ERR_TASK_LOCKED, 90331, 409, ERR_RETRY, "The {0} {1} is being changed by task {2} ({3}). Wait until that task is finished.",
           "{0} {1} 正在被任务 {2}（{3}）变更，请等待该任务结束。");

static int compare(const void *a, const void *b)
{
    const struct task_lock_want *x = a, *y = b;
    int order = strcmp(x->kind, y->kind);

    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

/* Always in the same order, so that two tasks never wait for each other's. */
char *store_task_locks_text(const struct task_lock_want *wants, size_t n, struct arena *arena)
{
    struct task_lock_want *sorted = arena_array(arena, n + 1, sizeof *sorted);
    struct str t;

    if (sorted == NULL)
        return NULL;
    if (n > 0)
        memcpy(sorted, wants, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    str_init(&t, arena);
    str_add(&t, "");
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare(&sorted[i - 1], &sorted[i]) != 0)
            str_printf(&t, "%s%s %lld", t.n > 0 ? "," : "", sorted[i].kind, (long long)sorted[i].id);
    return str_failed(&t) ? NULL : arena_strdup(arena, str_c(&t));
}

/* Somebody has it: who? The row may be gone again by now. */
static int check_holder(struct tx *tx, int64_t task_id, const char *kind, int64_t id, struct arena *arena, struct err *e)
{
    struct sql_rows rows;
    int64_t holder = 0;
    const char *name = "";
    int rv = tx_run(tx, "SELECT task_id FROM task_lock WHERE kind = ? AND object_id = ? FOR UPDATE", DB_ARGS(sql_v_s(kind), SQL_V_I(id)), arena,
                    &rows, e);

    if (rv != 0)
        return rv;
    if (rows.n_rows > 0 && sql_i64(&rows, 0, 0, &holder) && holder == task_id)
        return 0;
    rv = tx_run(tx, "SELECT name FROM task WHERE id = ?", DB_ARGS(SQL_V_I(holder)), arena, &rows, e);
    if (rv != 0)
        return rv;
    if (rows.n_rows > 0)
        name = sql_text(&rows, 0, 0).s;
    (void)err_set(e, &ERR_TASK_LOCKED, "%s", kind);
    (void)err_arg(e, "%lld", (long long)id);
    (void)err_arg(e, "%lld", (long long)holder);
    return err_arg(e, "%s", name);
}

static int take(struct tx *tx, int64_t task_id, const char *kind, int64_t id, struct arena *arena, struct err *e)
{
    int rv = tx_exec(tx, "INSERT INTO task_lock (kind, object_id, task_id, locked_at) VALUES (?, ?, ?, NOW(6))",
                     DB_ARGS(sql_v_s(kind), SQL_V_I(id), SQL_V_I(task_id)), NULL, e);

    return rv != 0 && err_is(e, &ERR_SQL_DUPLICATE) ? check_holder(tx, task_id, kind, id, arena, e) : rv;
}

int store_task_locks_take_in(struct tx *tx, int64_t task_id, const char *locks, struct arena *arena, struct err *e)
{
    struct slice rest = { locks, strlen(locks) };
    int rv = 0;

    while (rv == 0 && rest.n > 0) {
        struct slice one = slice_cut(&rest, ','), kind = slice_cut(&one, ' ');
        char *name = arena_strndup(arena, kind.s, kind.n), *id = arena_strndup(arena, one.s, one.n);

        if (name == NULL || id == NULL)
            return err_set(e, &ERR_NOMEM, "");
        rv = take(tx, task_id, name, strtoll(id, NULL, 10), arena, e);
    }
    return rv;
}

int store_task_locks_free_in(struct tx *tx, int64_t task_id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM task_lock WHERE task_id = ?", DB_ARGS(SQL_V_I(task_id)), NULL, e);
}

static const struct list_sort sorts[] = { { "lockTime", "l.locked_at" }, { "taskId", "l.task_id" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(task_lock, kind, "kind", SQL_C_TEXT),
    SQL_FIELD(task_lock, id, "object_id", SQL_C_INT64),
    SQL_FIELD(task_lock, task_id, "task_id", SQL_C_INT64),
    SQL_FIELD(task_lock, locked_us, "locked_at", SQL_C_TIME),
    SQL_FIELD(task_lock, task_name, "task_name", SQL_C_TEXT),
    SQL_FIELD(task_lock, creator_name, "creator_name", SQL_C_TEXT),
    SQL_FIELD(task_lock, task_status, "status", SQL_C_INT),
    { NULL },
};
static const struct list_kind lock_kind = {
    .noun = "lock",
    .columns = "l.kind, l.object_id, l.task_id, l.locked_at, t.name AS task_name, t.creator_name, t.status",
    .from = "task_lock l JOIN task t ON t.id = l.task_id",
    .sorts = sorts,
    .key = "l.object_id",
    .fields = fields,
    .size = sizeof(struct task_lock),
};

int store_task_lock_list(struct db *d, const struct store_page *page, struct arena *arena, struct task_lock **out, size_t *n, int64_t *total,
                         struct err *e)
{
    return list_read(d, &lock_kind, NULL, page, arena, (void **)out, n, total, e);
}

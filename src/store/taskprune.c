/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of tasks goes with time: lines of logs first, then the tasks. */
#include "src/store/subtask.h"
#include "src/store/subtask_once.h"

enum { TASKS_AT_ONCE = 100, ROUNDS = 20 };

int store_task_prune(struct db *d, struct err *e)
{
    int rv = db_prune(d, "DELETE FROM subtask_log WHERE logged_at < NOW(6) - INTERVAL 90 DAY LIMIT ?", e);

    return rv == 0 ? store_subtask_once_prune(d, e) : rv;
}

struct pruning {
    int64_t days;
    size_t n;                /* tasks of the last round */
};

/* Who holds locks has a step of which nobody knows what it did. "(1,2,3)", or NULL. */
static int find_old(struct tx *tx, struct pruning *p, struct arena *arena, const char **ids, struct err *e)
{
    struct sql_rows rows;
    struct str in;
    int rv = tx_run(tx,
                    "SELECT id FROM task WHERE finished_at < NOW(6) - INTERVAL ? DAY AND status <> ? AND "
                    "NOT EXISTS (SELECT 1 FROM task_lock l WHERE l.task_id = task.id) ORDER BY finished_at LIMIT ? FOR UPDATE",
                    DB_ARGS(SQL_V_I(p->days), SQL_V_I(TASK_RUNNING), SQL_V_I(TASKS_AT_ONCE)), arena, &rows, e);

    if (rv != 0)
        return rv;
    p->n = rows.n_rows;
    str_init(&in, arena);
    str_add_c(&in, '(');
    for (size_t i = 0; i < rows.n_rows; i++) {
        int64_t id;

        if (!sql_i64(&rows, i, 0, &id))
            return err_set(e, &ERR_UNEXPECTED, "the id of a task cannot be read");
        str_printf(&in, "%s%lld", i > 0 ? "," : "", (long long)id);
    }
    str_add_c(&in, ')');
    *ids = str_c(&in);
    return str_failed(&in) ? err_set(e, &ERR_NOMEM, "") : 0;
}

static int prune_in(struct tx *tx, struct pruning *p, struct arena *arena, struct err *e)
{
    static const struct {
        const char *before, *after;
    } statements[] = {
        { "DELETE FROM task_session WHERE subtask_id IN (SELECT id FROM subtask WHERE task_id IN ", ")" },
        { "DELETE FROM subtask WHERE task_id IN ", "" },
        { "DELETE FROM task_context WHERE task_id IN ", "" },
        { "DELETE FROM task_host WHERE task_id IN ", "" },
        { "DELETE FROM package_use WHERE task_id IN ", "" },
        { "DELETE FROM task WHERE id IN ", "" },
    };
    const char *ids = "";
    int rv = find_old(tx, p, arena, &ids, e);

    for (size_t i = 0; rv == 0 && p->n > 0 && i < sizeof statements / sizeof *statements; i++) {
        struct str text;

        str_init(&text, arena);
        str_add(&text, statements[i].before);
        str_add(&text, ids);
        str_add(&text, statements[i].after);
        rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : tx_exec(tx, str_c(&text), DB_NO_ARGS, NULL, e);
    }
    return rv;
}

static int prune_body(struct tx *tx, void *data, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = prune_in(tx, data, &arena, e);
    arena_fini(&arena);
    return rv;
}

int store_task_prune_old(struct db *d, int64_t days, struct err *e)
{
    struct pruning p = { days, TASKS_AT_ONCE };
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < ROUNDS && p.n == TASKS_AT_ONCE; i++)
        rv = db_transact(d, prune_body, &p, e);
    return rv;
}

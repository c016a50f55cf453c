/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/io/fiber.h"
#include "tests/flows/flows.h"

enum { POLL_MS = 50, LONG_POLL_MS = 10000 };

static void plan(struct plan *p, const void *data)
{
    const struct trial *t = data;

    plan_then(p, "begin", NULL);
    plan_each(p, t->brief ? "act soon" : "act", t->targets, t->n, t->width);
    if (t->chain)
        plan_on(p, "act again", t->width);
    for (unsigned i = 0; i < t->length; i++)
        plan_then(p, "idle", NULL);
    plan_then(p, "end", NULL);
}

/* ---- what the test wants ------------------------------------------------------------------------------------------------------------- */

static int is_wanted(struct task_run *r, const char *what, bool *out, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_read(task_db(r), "SELECT 1 FROM trial_control WHERE what = ? AND target = ?", DB_ARGS(sql_v_s(what), sql_v_s(task_target(r))), &arena, &rows, e);
    *out = rv == 0 && rows.n_rows > 0;
    arena_fini(&arena);
    return rv;
}

static int hold(struct task_run *r, struct err *e)
{
    bool wanted, told = false;
    int rv;

    while ((rv = is_wanted(r, "hold", &wanted, e)) == 0 && wanted) {
        if (!told)
            task_log(r, "held, dispatch %lld", (long long)task_step_of(r)->dispatch);
        told = true;
        rv = fiber_sleep(strcmp(task_target(r), "wait") == 0 ? LONG_POLL_MS : POLL_MS, e);
        if (rv != 0)
            break;
    }
    return rv;
}

static const struct {
    const char *what;
    const struct err_row *row;
} failures[] = { { "fail", &ERR_INVALID }, { "pass", &ERR_BUSY }, { "unknown", &ERR_TASK_UNKNOWN } };

int trial_fail(struct task_run *r, const char *what, struct err *e)
{
    size_t i = 0;
    bool wanted;
    int rv = is_wanted(r, what, &wanted, e);

    if (rv != 0 || !wanted)
        return rv;
    while (i + 1 < sizeof failures / sizeof *failures && strcmp(failures[i].what, what) != 0)
        i++;
    return err_set(e, failures[i].row, "the test wants it so");
}

/* A great many lines; and what was never UTF-8, as of a program that speaks another encoding. */
static int speak(struct task_run *r, struct err *e)
{
    bool much, garbled = false;
    int rv = is_wanted(r, "talk", &much, e);

    if (rv == 0)
        rv = is_wanted(r, "garble", &garbled, e);
    for (int i = 1; rv == 0 && much && i <= 1500; i++)
        task_log(r, "line %d", i);
    if (rv != 0 || !garbled)
        return rv;
    task_log(r, "it said caf\xe9 \x1b[31m");
    return err_set(e, &ERR_INVALID, "caf\xe9 \xd6\xd0");
}

static int fail(struct task_run *r, struct err *e)
{
    int rv = trial_fail(r, "fail", e);

    if (rv == 0)
        rv = trial_fail(r, "pass", e);
    return rv == 0 ? trial_fail(r, "unknown", e) : rv;
}

/* ---- effects --------------------------------------------------------------------------------------------------------------------------- */

/* No key keeps a second row away: only the guard does. */
static int effect_body(struct tx *tx, void *data, struct err *e)
{
    struct task_run *r = data;
    const struct subtask *s = task_step_of(r);

    return tx_exec(tx, "INSERT INTO trial_effect (task_id, step, target, dispatch, node, at) VALUES (?, ?, ?, ?, ?, NOW(6))",
                   DB_ARGS(SQL_V_I(s->task_id), sql_v_s(s->name), sql_v_s(s->target), SQL_V_I(s->dispatch), sql_v_s(s->worker)), NULL, e);
}

static int has_effect(struct task_run *r, bool *out, struct err *e)
{
    const struct subtask *s = task_step_of(r);
    struct sql_rows rows;
    int rv = db_read(task_db(r), "SELECT 1 FROM trial_effect WHERE task_id = ? AND step = ? AND target = ?",
                     DB_ARGS(SQL_V_I(s->task_id), sql_v_s(s->name), sql_v_s(s->target)), task_arena(r), &rows, e);

    *out = rv == 0 && rows.n_rows > 0;
    return rv;
}

static int act(struct task_run *r, struct err *e)
{
    bool done;
    int rv = has_effect(r, &done, e);

    if (rv != 0 || done)
        return rv;
    rv = hold(r, e);
    if (rv == 0)
        rv = speak(r, e);
    if (rv == 0)
        rv = fail(r, e);
    if (rv == 0)
        rv = task_transact(r, effect_body, r, e);
    if (rv == 0)
        task_log(r, "acted for %s", task_target(r));
    return rv;
}

static int undo_body(struct tx *tx, void *data, struct err *e)
{
    struct task_run *r = data;
    const struct subtask *s = task_step_of(r);

    return tx_exec(tx, "DELETE FROM trial_effect WHERE task_id = ? AND step = ? AND target = ?",
                   DB_ARGS(SQL_V_I(s->task_id), sql_v_s(s->name), sql_v_s(s->target)), NULL, e);
}

static int undo(struct task_run *r, struct err *e)
{
    return task_transact(r, undo_body, r, e);
}

static int idle(struct task_run *r, struct err *e)
{
    (void)r;
    (void)e;
    return 0;
}

static const struct task_step steps[] = {
    { "begin", "Begin.", 30, idle },
    { "act", "Leave a trace.", 300, act, .rollback = undo, .retries = 2, .flags = STEP_SKIPPABLE },
    { "act again", "Leave another.", 120, act, .rollback = undo, .retries = 2 },
    { "act soon", "Leave a trace within a second.", 1, act },
    { "idle", "Nothing.", 30, idle },
    { "end", "End.", 30, idle },
    { .name = NULL },
};
const struct task_flow flow_trial = { "trial", 9002, steps, .plan = plan };
